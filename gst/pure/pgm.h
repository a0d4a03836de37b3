/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of one byte a pixel in netpbm's PGM format, binary ("P5"). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Most bytes that a file with a picture of that size may have: the header may hold
 * comments. */
gsize gst_vfi_pgm_most_bytes (gint width, gint height);

/* The @width × @height bytes of the picture in the @n bytes of @file, as a part of that;
 * NULL where there is none, with *problem (g_free() it): what was expected and what was
 * found. What follows the picture is ignored. */
const guint8 *gst_vfi_pgm_pixels (
    const guint8 *file, gsize n, gint width, gint height, gchar **problem);

G_END_DECLS
