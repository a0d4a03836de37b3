/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/retire.h"

#include "pure/meta.h"
#include "stream/content.h"
#include "stream/deadlines.h"
#include "stream/jobs.h"
#include "stream/pending.h"
#include "stream/report.h"
#include "stream/upkeep.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

struct _GstVfiRetire {
  GstEvent *early_segment; /* came before caps that downstream takes; pushed after them */
};

GstVfiRetire *
gst_vfi_retire_new (void)
{
  return g_new0 (GstVfiRetire, 1);
}

gboolean
gst_vfi_retire_is_ready (const GstVfiStream *stream)
{
  const GstVfiEntry *entry = g_queue_peek_head (&stream->pending->entries);

  return entry != NULL && !gst_vfi_entry_waits (entry) &&
         (entry->job == NULL || vfi_job_is_done (entry->job));
}

static gboolean
marks_droppable (GstVfiStream *stream)
{
  return gst_vfi_stream_settings (stream).mark_droppable;
}

/* Pushes @buffer (taken). The frame that a pair ends with may have no place in the
 * output; so any buffer may be the last of a pair. */
static GstFlowReturn
push (GstVfiStream *stream, GstBuffer *buffer)
{
  if (gst_vfi_pending_is_submitted (stream))
    gst_vfi_upkeep_after_pair (stream);
  g_mutex_lock (&stream->lock);
  stream->counters.out++;
  g_mutex_unlock (&stream->lock);
  return gst_vfi_deadlines_push (stream, buffer);
}

/* Pushes a buffer that did not come in but was made here. */
static GstFlowReturn
push_made (GstVfiStream *stream, GstVfiEntry *entry, GstBuffer *buffer)
{
  gst_vfi_slot_stamp (&entry->slot, buffer);
  GST_LOG_OBJECT (stream->element, "pushing %s %" GST_PTR_FORMAT,
      entry->kind == GST_VFI_ENTRY_DUPLICATE ? "duplicate" : "in-between", buffer);
  return push (stream, buffer);
}

static GstFlowReturn
retire_duplicate (GstVfiStream *stream, GstVfiEntry *entry)
{
  GstBuffer *buffer =
      gst_vfi_meta_new_duplicate (entry->a->buffer, marks_droppable (stream));

  if (buffer == NULL) {
    gst_vfi_report_no_memory (stream);
    return GST_FLOW_ERROR;
  }
  g_mutex_lock (&stream->lock);
  stream->counters.duplicate++;
  g_mutex_unlock (&stream->lock);
  return push_made (stream, entry, buffer);
}

/* Pushes the next of the copies at the head of the list. */
static GstFlowReturn
retire_copy (GstVfiStream *stream, GstVfiEntry *copies)
{
  GstVfiEntry one = {.kind = GST_VFI_ENTRY_DUPLICATE};
  GstFlowReturn ret;

  gst_vfi_span_next (copies->span, &one.slot);
  one.a = copies->b != NULL && gst_vfi_content_is_nearer_second (&one.slot) ? copies->b
                                                                            : copies->a;
  gst_vfi_frame_ref (one.a);
  if (gst_vfi_span_is_over (copies->span))
    gst_vfi_entry_free (gst_vfi_pending_pop (stream));
  ret = retire_duplicate (stream, &one);
  gst_vfi_frame_unref (one.a);
  return ret;
}

static GstFlowReturn
retire_original (GstVfiStream *stream, GstVfiEntry *entry)
{
  GST_LOG_OBJECT (stream->element, "pushing original %" GST_PTR_FORMAT, entry->buffer);
  return push (stream, g_steal_pointer (&entry->buffer));
}

/* What stands in for an in-between that could not be made and has left the list. */
static GstFlowReturn
retire_stand_in (GstVfiStream *stream, GstVfiEntry *entry)
{
  if (entry->kind != GST_VFI_ENTRY_ORIGINAL)
    return retire_duplicate (stream, entry);
  stream->pending->n_originals--;
  return retire_original (stream, entry);
}

static GstFlowReturn
retire_in_between (GstVfiStream *stream, GstVfiEntry *entry)
{
  GstFlowReturn ret = gst_vfi_jobs_wait (stream, entry);

  if (ret != GST_FLOW_OK)
    return ret;
  if (entry->kind != GST_VFI_ENTRY_IN_BETWEEN)
    return retire_stand_in (stream, entry);
  /* Keep the engine busy while this picture is on its way downstream. */
  ret = gst_vfi_jobs_submit (stream);
  if (ret != GST_FLOW_OK)
    return ret;
  if (entry->instead != NULL)
    gst_vfi_meta_copy_replacement (
        entry->output.buffer, entry->a->buffer, entry->b->buffer, entry->instead->buffer);
  else
    gst_vfi_meta_copy_in_between (entry->output.buffer, entry->a->buffer,
        entry->b->buffer, marks_droppable (stream));
  if (gst_vfi_view_is_corrupted (entry->view))
    GST_BUFFER_FLAG_SET (entry->output.buffer, GST_BUFFER_FLAG_CORRUPTED);
  g_mutex_lock (&stream->lock);
  stream->counters.interpolated++;
  stream->counters.by_rung[entry->qos.rung]++;
  g_mutex_unlock (&stream->lock);
  return push_made (stream, entry, g_steal_pointer (&entry->output.buffer));
}

/* Whether @event is kept back because downstream expects caps before it: they were
 * refused, and others may come. */
static gboolean
is_early (GstVfiStream *stream, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
    return FALSE;
  gst_vfi_retire_drop_early_segment (stream);
  if (gst_pad_has_current_caps (stream->srcpad))
    return FALSE;
  stream->retire->early_segment = gst_event_ref (event);
  return TRUE;
}

void
gst_vfi_retire_push_early_segment (GstVfiStream *stream)
{
  if (stream->retire->early_segment != NULL)
    gst_pad_push_event (stream->srcpad, g_steal_pointer (&stream->retire->early_segment));
}

void
gst_vfi_retire_drop_early_segment (GstVfiStream *stream)
{
  gst_clear_event (&stream->retire->early_segment);
}

/* Whoever sees EOS finds unused memory given back. */
static void
retire_event (GstVfiStream *stream, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    vfi_soft_clear ();
  if (is_early (stream, event))
    gst_event_unref (event);
  else
    gst_pad_push_event (stream->srcpad, event);
}

static GstFlowReturn
retire_entry (GstVfiStream *stream, GstVfiEntry *entry)
{
  switch (entry->kind) {
    case GST_VFI_ENTRY_IN_BETWEEN:
      return retire_in_between (stream, entry);
    case GST_VFI_ENTRY_DUPLICATE:
      return retire_duplicate (stream, entry);
    case GST_VFI_ENTRY_ORIGINAL:
      return retire_original (stream, entry);
    case GST_VFI_ENTRY_EVENT:
      retire_event (stream, g_steal_pointer (&entry->event));
      break;
    case GST_VFI_ENTRY_NOTHING:
    case GST_VFI_ENTRY_IN_BETWEENS:
    case GST_VFI_ENTRY_COPIES:
      break;
  }
  return GST_FLOW_OK;
}

/* Whether the pair of @entry, which has left the list, has nothing more in it. */
static gboolean
is_last_of_pair (GstVfiStream *stream, const GstVfiEntry *entry)
{
  const GList *next = stream->pending->entries.head;

  while (next != NULL && ((const GstVfiEntry *) next->data)->view == NULL)
    next = next->next;
  return entry->view != NULL &&
         (next == NULL || ((const GstVfiEntry *) next->data)->view != entry->view);
}

GstFlowReturn
gst_vfi_retire_next (GstVfiStream *stream)
{
  GstVfiEntry *entry = g_queue_peek_head (&stream->pending->entries);
  gboolean ends_pair;
  GstFlowReturn ret;

  if (entry->kind == GST_VFI_ENTRY_COPIES)
    return retire_copy (stream, entry);
  ret = gst_vfi_jobs_submit_head (stream);
  if (ret != GST_FLOW_OK)
    return ret;
  entry = gst_vfi_pending_pop (stream);
  if (entry->ahead && entry->job == NULL) {
    ret = gst_vfi_jobs_submit (stream);
    if (ret != GST_FLOW_OK) {
      gst_vfi_entry_free (entry);
      return ret;
    }
  }
  ret = retire_entry (stream, entry);
  ends_pair = is_last_of_pair (stream, entry);
  gst_vfi_entry_free (entry);
  if (ends_pair)
    gst_vfi_report_pair (stream);
  return ret;
}

GstFlowReturn
gst_vfi_retire_all (GstVfiStream *stream)
{
  GstFlowReturn ret = gst_vfi_jobs_submit (stream);

  while (ret == GST_FLOW_OK && gst_vfi_pending_length (stream) > 0 &&
         !gst_vfi_pending_waits (stream))
    ret = gst_vfi_stream_is_flushing (stream) ? GST_FLOW_FLUSHING
                                              : gst_vfi_retire_next (stream);
  return ret;
}

void
gst_vfi_retire_drop_buffers (GstVfiStream *stream)
{
  GList *next;

  gst_vfi_window_drop_views (stream);
  gst_vfi_jobs_cancel (stream);
  for (GList *link = stream->pending->entries.head; link != NULL; link = next) {
    GstVfiEntry *entry = link->data;
    next = link->next;
    if (entry->kind == GST_VFI_ENTRY_EVENT)
      continue;
    g_queue_delete_link (&stream->pending->entries, link);
    gst_vfi_entry_free (entry);
  }
}

void
gst_vfi_retire_clear (GstVfiStream *stream, GstVfiKeep keep)
{
  GstVfiEntry *entry;

  gst_vfi_window_drop_views (stream);
  gst_vfi_jobs_cancel (stream);
  while ((entry = g_queue_pop_head (&stream->pending->entries)) != NULL) {
    if (entry->event != NULL && gst_vfi_keeps (keep, entry->event) &&
        !is_early (stream, entry->event))
      gst_pad_store_sticky_event (stream->srcpad, entry->event);
    gst_vfi_entry_free (entry);
  }
}
