/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of cuda_library.c where GStreamer's CUDA library is not built for: nothing is
 * there. */
#include "cuda/cuda_library.h"

gboolean
gst_vfi_cudamem_is_built (void)
{
  return FALSE;
}

gboolean
gst_vfi_cudamem_load (void)
{
  return FALSE;
}

GstObject *
gst_vfi_cudamem_context_new (gint device)
{
  (void) device;
  return NULL;
}

GstObject *
gst_vfi_cudamem_unwrap (GstElement *element, GstContext *wrapped, gint device)
{
  (void) element;
  (void) wrapped;
  (void) device;
  return NULL;
}

GstContext *
gst_vfi_cudamem_wrap (GstObject *context)
{
  (void) context;
  return NULL;
}

gpointer
gst_vfi_cudamem_handle (GstObject *context)
{
  (void) context;
  return NULL;
}

GstObject *
gst_vfi_cudamem_context_of (GstBuffer *buffer)
{
  (void) buffer;
  return NULL;
}

GstBufferPool *
gst_vfi_cudamem_pool_new (GstObject *context)
{
  (void) context;
  return NULL;
}

gboolean
gst_vfi_cudamem_is_pool_of (GstBufferPool *pool, GstObject *context)
{
  (void) pool;
  (void) context;
  return FALSE;
}

gboolean
gst_vfi_cudamem_map (GstBuffer *buffer, const GstVideoInfo *info, GstMapFlags flags,
    GstVideoFrame *map, gchar **reason)
{
  (void) buffer;
  (void) info;
  (void) flags;
  (void) map;
  (void) reason;
  return FALSE;
}

gboolean
gst_vfi_cudamem_copy (
    GstBuffer *to, GstBuffer *from, const GstVideoInfo *info, gchar **reason)
{
  (void) reason;
  (void) to;
  (void) from;
  (void) info;
  return FALSE;
}
