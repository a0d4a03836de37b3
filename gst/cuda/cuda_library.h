/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer's CUDA library (libgstcuda) as the element uses it, without its types: a
 * context is a GstObject here. The library is opened when it is first needed, never
 * linked: it brings OpenGL and window systems along. Without -Dgstcuda nothing is ever
 * there. Any thread. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/* Whether this was built in; depends on nothing that is installed. */
gboolean gst_vfi_cudamem_is_built (void);

/* Whether the library and the driver are there; opens them at the first call. All
 * functions below may be called only after that returned TRUE. */
gboolean gst_vfi_cudamem_load (void);

/* A new context on @device, or NULL. */
GstObject *gst_vfi_cudamem_context_new (gint device);

/* The context in a GstContext of that type, if it is one of @device (-1: of any); else
 * NULL. New reference. */
GstObject *gst_vfi_cudamem_unwrap (GstElement *element, GstContext *wrapped, gint device);

/* A GstContext with @context in it, for others; new reference. */
GstContext *gst_vfi_cudamem_wrap (GstObject *context);

/* The CUcontext. */
gpointer gst_vfi_cudamem_handle (GstObject *context);

/* The context that the memory of @buffer belongs to; NULL if it is no single CUDA
 * memory. */
GstObject *gst_vfi_cudamem_context_of (GstBuffer *buffer);

/* A pool to be configured. */
GstBufferPool *gst_vfi_cudamem_pool_new (GstObject *context);

/* Whether @pool gives CUDA memory of @context. */
gboolean gst_vfi_cudamem_is_pool_of (GstBufferPool *pool, GstObject *context);

/* Copies the planes of @from to @to, both of @info and of the context of @to's pool; the
 * copy is complete when this returns. @reason as for gst_vfi_cudamem_map(). */
gboolean gst_vfi_cudamem_copy (
    GstBuffer *to, GstBuffer *from, const GstVideoInfo *info, gchar **reason);

/* As gst_vfi_layout_map(), but the planes are on the device, and work that was queued to
 * fill the memory has run when this returns. FALSE also for other memory. */
gboolean gst_vfi_cudamem_map (GstBuffer *buffer, const GstVideoInfo *info,
    GstMapFlags flags, GstVideoFrame *map, gchar **reason);

G_END_DECLS
