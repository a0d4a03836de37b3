/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/picture_pool.h"

struct _GstVfiPoolBytes {
  gint ref_count;
  gsize bytes; /* atomic */
};

struct _GstVfiPool {
  GstVideoBufferPool parent;

  GstVfiPoolBytes *bytes;
  gsize size; /* atomic: of every buffer, once there is one */
};

G_DEFINE_FINAL_TYPE (GstVfiPool, gst_vfi_pool, GST_TYPE_VIDEO_BUFFER_POOL)

GstVfiPoolBytes *
gst_vfi_pool_bytes_new (void)
{
  GstVfiPoolBytes *bytes = g_new0 (GstVfiPoolBytes, 1);

  bytes->ref_count = 1;
  return bytes;
}

GstVfiPoolBytes *
gst_vfi_pool_bytes_ref (GstVfiPoolBytes *bytes)
{
  g_atomic_int_inc (&bytes->ref_count);
  return bytes;
}

void
gst_vfi_pool_bytes_unref (GstVfiPoolBytes *bytes)
{
  if (g_atomic_int_dec_and_test (&bytes->ref_count))
    g_free (bytes);
}

gsize
gst_vfi_pool_bytes_get (GstVfiPoolBytes *bytes)
{
  return (gsize) g_atomic_pointer_get (&bytes->bytes);
}

/* Pools of a class that cannot be derived from: each memory carries how many bytes it
 * counts as. */

typedef struct {
  GstVfiPoolBytes *bytes;
  gsize size;
} Counted;

static void
stop_counting (gpointer data)
{
  Counted *counted = data;

  g_atomic_pointer_add (&counted->bytes->bytes, -(gssize) counted->size);
  gst_vfi_pool_bytes_unref (counted->bytes);
  g_free (counted);
}

static GQuark
bytes_quark (void)
{
  return g_quark_from_static_string ("gst-vfi-pool-bytes");
}

void
gst_vfi_pool_count_in (GstBufferPool *pool, GstVfiPoolBytes *bytes)
{
  g_object_set_qdata_full (G_OBJECT (pool), bytes_quark (),
      gst_vfi_pool_bytes_ref (bytes), (GDestroyNotify) gst_vfi_pool_bytes_unref);
}

void
gst_vfi_pool_note (GstBufferPool *pool, GstBuffer *buffer)
{
  GstVfiPoolBytes *bytes = g_object_get_qdata (G_OBJECT (pool), bytes_quark ());
  GstMiniObject *memory;
  Counted *counted;

  if (bytes == NULL)
    return;
  memory = GST_MINI_OBJECT_CAST (gst_buffer_peek_memory (buffer, 0));
  if (gst_mini_object_get_qdata (memory, bytes_quark ()) != NULL)
    return;
  counted = g_new (Counted, 1);
  counted->bytes = gst_vfi_pool_bytes_ref (bytes);
  counted->size = GST_MEMORY_CAST (memory)->maxsize;
  g_atomic_pointer_add (&bytes->bytes, (gssize) counted->size);
  gst_mini_object_set_qdata (memory, bytes_quark (), counted, stop_counting);
}

/* The element's own kind. */

static GstFlowReturn
gst_vfi_pool_alloc_buffer (
    GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  GstVfiPool *self = GST_VFI_POOL (pool);
  GstFlowReturn ret = GST_BUFFER_POOL_CLASS (gst_vfi_pool_parent_class)
                          ->alloc_buffer (pool, buffer, params);
  gsize size;

  if (ret != GST_FLOW_OK || self->bytes == NULL)
    return ret;
  size = gst_buffer_get_size (*buffer);
  g_atomic_pointer_set (&self->size, size);
  g_atomic_pointer_add (&self->bytes->bytes, (gssize) size);
  return ret;
}

/* The size that was counted: somebody may have changed the buffer's. */
static void
gst_vfi_pool_free_buffer (GstBufferPool *pool, GstBuffer *buffer)
{
  GstVfiPool *self = GST_VFI_POOL (pool);

  if (self->bytes != NULL)
    g_atomic_pointer_add (
        &self->bytes->bytes, -(gssize) g_atomic_pointer_get (&self->size));
  GST_BUFFER_POOL_CLASS (gst_vfi_pool_parent_class)->free_buffer (pool, buffer);
}

static void
gst_vfi_pool_finalize (GObject *object)
{
  GstVfiPool *self = GST_VFI_POOL (object);

  /* Frees the buffers. */
  gst_buffer_pool_set_active (GST_BUFFER_POOL (object), FALSE);
  g_clear_pointer (&self->bytes, gst_vfi_pool_bytes_unref);
  G_OBJECT_CLASS (gst_vfi_pool_parent_class)->finalize (object);
}

static void
gst_vfi_pool_class_init (GstVfiPoolClass *klass)
{
  GstBufferPoolClass *pool_class = GST_BUFFER_POOL_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = gst_vfi_pool_finalize;
  pool_class->alloc_buffer = gst_vfi_pool_alloc_buffer;
  pool_class->free_buffer = gst_vfi_pool_free_buffer;
}

static void
gst_vfi_pool_init (GstVfiPool *self)
{
  self->size = 0;
}

GstBufferPool *
gst_vfi_pool_new (GstVfiPoolBytes *bytes)
{
  GstVfiPool *pool = g_object_new (GST_VFI_TYPE_POOL, NULL);

  gst_object_ref_sink (pool);
  if (bytes != NULL)
    pool->bytes = gst_vfi_pool_bytes_ref (bytes);
  return GST_BUFFER_POOL (pool);
}
