/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wrapped memory with the buffer it belongs to as its owner. */
#include "pure/share.h"

/* GstMemory counts its mappings in eight bits. Beyond this many copies of a frame,
 * further ones get pixels of their own. */
#define MAX_LEASES 128

/* A mapped memory of a buffer; lives as long as the memory wrapped around it. */
typedef struct {
  GstBuffer *owner;
  GstMemory *memory; /* owner's, which has the only reference */
  gint *n_leases;    /* atomic, counted; the memory's too */
  GstMapInfo map;
} Lease;

static void
lease_free (Lease *lease)
{
  g_atomic_int_add (lease->n_leases, -1);
  g_atomic_rc_box_release (lease->n_leases);
  gst_buffer_unref (lease->owner);
  g_free (lease);
}

static void
lease_end (gpointer data)
{
  Lease *lease = data;

  gst_memory_unmap (lease->memory, &lease->map);
  lease_free (lease);
}

/* The count of @memory's leases. */
static gint *
leases_of (GstMemory *memory)
{
  GQuark quark = g_quark_from_static_string ("vfi-leases");
  gint *n_leases = gst_mini_object_get_qdata (GST_MINI_OBJECT_CAST (memory), quark);

  if (n_leases == NULL) {
    n_leases = g_atomic_rc_box_new0 (gint);
    gst_mini_object_set_qdata (GST_MINI_OBJECT_CAST (memory), quark, n_leases,
        (GDestroyNotify) g_atomic_rc_box_release);
  }
  return n_leases;
}

static GstMemory *
wrap (GstBuffer *owner, GstMemory *memory)
{
  gint *n_leases = leases_of (memory);
  Lease *lease;

  if (g_atomic_int_get (n_leases) >= MAX_LEASES)
    return gst_memory_copy (memory, 0, -1);
  lease = g_new0 (Lease, 1);
  lease->memory = memory;
  lease->owner = gst_buffer_ref (owner);
  lease->n_leases = g_atomic_rc_box_acquire (n_leases);
  g_atomic_int_inc (n_leases);
  if (!gst_memory_map (memory, &lease->map, GST_MAP_READ)) {
    lease_free (lease);
    return NULL;
  }
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
