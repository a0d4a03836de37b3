/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model that the properties name. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

G_BEGIN_DECLS

/* Opens the model @name with @options (a structure of any name, or NULL) through the
 * process's cache. A failure is posted by @element in the engine's words, which say what
 * would help; then returns NULL. */
VfiModel *gst_vfi_model_load (GstElement *element, const char *name,
    const GstStructure *options, const VfiModelCacheConfig *config);

G_END_DECLS
