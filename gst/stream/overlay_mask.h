/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The picture that property overlay-mask names. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The @width × @height bytes of the picture in the file @path, or NULL with a warning
 * posted by @element that says what is wrong. An empty path: NULL. */
GBytes *gst_vfi_overlay_mask_read (
    GstElement *element, const gchar *path, gint width, gint height);

G_END_DECLS
