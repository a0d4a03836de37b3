/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wrapped memory with the buffer it belongs to as its owner. */
#include "vfishare.h"

/* A mapped memory of a buffer; lives as long as the memory wrapped around it. */
typedef struct {
  GstBuffer *owner;
  GstMemory *memory; /* owner's, which has the only reference */
  GstMapInfo map;
} Lease;

static void
lease_end (gpointer data)
{
  Lease *lease = data;

  gst_memory_unmap (lease->memory, &lease->map);
  gst_buffer_unref (lease->owner);
  g_free (lease);
}

static GstMemory *
wrap (GstBuffer *owner, GstMemory *memory)
{
  Lease *lease = g_new0 (Lease, 1);

  if (!gst_memory_map (memory, &lease->map, GST_MAP_READ)) {
    g_free (lease);
    return NULL;
  }
  lease->memory = memory;
  lease->owner = gst_buffer_ref (owner);
  return gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, lease->map.data,
      lease->map.size, 0, lease->map.size, lease, lease_end);
}

gboolean
gst_vfi_share_memory (GstBuffer *to, GstBuffer *from)
{
  guint n_memories = gst_buffer_n_memory (from);

  for (guint i = 0; i < n_memories; i++) {
    GstMemory *memory = gst_buffer_peek_memory (from, i);
    GstMemory *shared = gst_memory_is_type (memory, "gst.cuda.memory")
                            ? gst_memory_ref (memory)
                            : wrap (from, memory);
    if (shared == NULL) {
      gst_buffer_remove_all_memory (to);
      return FALSE;
    }
    gst_buffer_append_memory (to, shared);
  }
  return TRUE;
}
