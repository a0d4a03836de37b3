/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/pending.h"

GstVfiPending *
gst_vfi_pending_new (void)
{
  return g_new0 (GstVfiPending, 1);
}

void
gst_vfi_entry_free (GstVfiEntry *entry)
{
  gst_clear_buffer (&entry->buffer);
  gst_clear_event (&entry->event);
  g_clear_pointer (&entry->job, vfi_job_unref);
  g_clear_pointer (&entry->view, gst_vfi_view_unref);
  gst_vfi_output_clear (&entry->output);
  g_free (entry->span);
  g_clear_pointer (&entry->a, gst_vfi_frame_unref);
  g_clear_pointer (&entry->b, gst_vfi_frame_unref);
  g_clear_pointer (&entry->instead, gst_vfi_frame_unref);
  g_free (entry);
}

static GstVfiEntry *
append (GstVfiStream *stream, GstVfiEntryKind kind)
{
  GstVfiEntry *entry = g_new0 (GstVfiEntry, 1);

  entry->kind = kind;
  g_queue_push_tail (&stream->pending->entries, entry);
  return entry;
}

void
gst_vfi_pending_add_original (GstVfiStream *stream, GstBuffer *buffer)
{
  append (stream, GST_VFI_ENTRY_ORIGINAL)->buffer = buffer;
  stream->pending->n_originals++;
}

void
gst_vfi_pending_add_event (GstVfiStream *stream, GstEvent *event)
{
  append (stream, GST_VFI_ENTRY_EVENT)->event = event;
}

static GstVfiEntry *
append_of_view (GstVfiStream *stream, GstVfiEntryKind kind, GstVfiView *view,
    GstVfiFrame *a, GstVfiFrame *b)
{
  GstVfiEntry *entry = append (stream, kind);
  GstVfiPending *pending = stream->pending;

  entry->view = gst_vfi_view_ref (view);
  entry->a = gst_vfi_frame_ref (a);
  entry->b = gst_vfi_frame_ref (b);
  if (pending->unsubmitted == NULL)
    pending->unsubmitted = pending->entries.tail;
  return entry;
}

void
gst_vfi_pending_add_in_betweens (GstVfiStream *stream, GstVfiView *view, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSpan *span)
{
  append_of_view (stream, GST_VFI_ENTRY_IN_BETWEENS, view, a, b)->span =
      g_memdup2 (span, sizeof *span);
}

void
gst_vfi_pending_add_copies (
    GstVfiStream *stream, GstVfiFrame *a, GstVfiFrame *b, const GstVfiSpan *span)
{
  GstVfiEntry *entry = append (stream, GST_VFI_ENTRY_COPIES);

  entry->span = g_memdup2 (span, sizeof *span);
  entry->a = gst_vfi_frame_ref (a);
  entry->b = b != NULL ? gst_vfi_frame_ref (b) : NULL;
}

void
gst_vfi_pending_add_replacement (GstVfiStream *stream, GstVfiView *view, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSlot *slot, GstVfiFrame *instead)
{
  GstVfiEntry *entry = append_of_view (stream, GST_VFI_ENTRY_IN_BETWEEN, view, a, b);

  entry->slot = *slot;
  entry->instead = gst_vfi_frame_ref (instead);
}

void
gst_vfi_pending_add_duplicate (
    GstVfiStream *stream, GstVfiFrame *a, const GstVfiSlot *slot)
{
  GstVfiEntry *entry = append (stream, GST_VFI_ENTRY_DUPLICATE);

  entry->a = gst_vfi_frame_ref (a);
  entry->slot = *slot;
}

guint
gst_vfi_pending_length (const GstVfiStream *stream)
{
  return stream->pending->entries.length;
}

gboolean
gst_vfi_entry_waits (const GstVfiEntry *entry)
{
  return entry->view != NULL && entry->view->state == GST_VFI_VIEW_WAITS;
}

/* By the newer frame's id: two frames are in one pair only. */
guint64
gst_vfi_entry_pair_id (const GstVfiEntry *entry)
{
  return MAX (entry->a->picture.id, entry->b->picture.id);
}

gboolean
gst_vfi_pending_waits (const GstVfiStream *stream)
{
  const GstVfiEntry *head = g_queue_peek_head (&stream->pending->entries);

  return head != NULL && gst_vfi_entry_waits (head);
}

gboolean
gst_vfi_pending_is_submitted (const GstVfiStream *stream)
{
  const GList *unsubmitted = stream->pending->unsubmitted;

  return unsubmitted == NULL || gst_vfi_entry_waits (unsubmitted->data);
}

/* Originals that have only the engine to wait for. */
static guint
count_moving (const GstVfiStream *stream)
{
  const GstVfiPending *pending = stream->pending;
  guint n = pending->n_originals;

  if (!gst_vfi_pending_is_submitted (stream))
    return n;
  for (const GList *link = pending->unsubmitted; link != NULL; link = link->next)
    n -= ((const GstVfiEntry *) link->data)->kind == GST_VFI_ENTRY_ORIGINAL;
  return n;
}

gboolean
gst_vfi_pending_is_full (const GstVfiStream *stream)
{
  if (gst_vfi_pending_waits (stream))
    return FALSE;
  return count_moving (stream) >= stream->negotiated.max_in_flight ||
         gst_vfi_pending_length (stream) >= GST_VFI_MAX_PENDING;
}

GstVfiEntry *
gst_vfi_pending_pop (GstVfiStream *stream)
{
  GstVfiPending *pending = stream->pending;
  GstVfiEntry *entry = g_queue_pop_head (&pending->entries);

  if (entry->kind == GST_VFI_ENTRY_ORIGINAL)
    pending->n_originals--;
  if (entry->job != NULL)
    pending->n_jobs--;
  if (entry->ahead)
    pending->n_ahead--;
  return entry;
}
