/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pending list. In-betweens come out of their spans and enter the engine in list order, a
 * few at a time, so that large multipliers and long gaps cost time and not memory. */
#include "stream/pending.h"

#include "pure/meta.h"
#include "stream/engine_session.h"
#include "stream/fallback.h"
#include "stream/report.h"

#define GST_CAT_DEFAULT gst_vfi_debug

typedef enum {
  ENTRY_ORIGINAL,
  ENTRY_IN_BETWEEN,
  ENTRY_DUPLICATE,
  ENTRY_EVENT,
  ENTRY_NOTHING, /* an in-between that was left out */
  ENTRY_MADE,    /* a span of in-betweens */
  ENTRY_COPIES,  /* a span of duplicates */
} GstVfiEntryKind;

typedef struct {
  GstVfiEntryKind kind;
  GstBuffer *buffer;         /* ORIGINAL */
  GstEvent *event;           /* EVENT */
  GstVfiSlot slot;           /* IN_BETWEEN, DUPLICATE */
  GstVfiSpan *span;          /* MADE, COPIES */
  GstVfiFrame *a;            /* IN_BETWEEN, DUPLICATE, MADE, COPIES */
  GstVfiFrame *b;            /* IN_BETWEEN, MADE; COPIES: or NULL */
  GstVfiFrame *instead;      /* IN_BETWEEN: the original that it replaces, or NULL */
  VfiPair *pair;             /* IN_BETWEEN, MADE */
  const VfiSession *session; /* IN_BETWEEN, MADE: the pair's */
  gboolean ahead;            /* it came out of a span */
  VfiJob *job;               /* IN_BETWEEN, once submitted */
  GstVfiOutput output;       /* IN_BETWEEN, once submitted */
  GstVfiQosJob qos;          /* IN_BETWEEN, once decided */
  gboolean decided;          /* IN_BETWEEN: it is to be computed */
  gboolean accounted;        /* IN_BETWEEN: its cost is known */
} GstVfiEntry;

/* The engine may still write to the output: its job must have ended. */
static void
entry_free (GstVfiEntry *entry)
{
  gst_clear_buffer (&entry->buffer);
  gst_clear_event (&entry->event);
  g_clear_pointer (&entry->job, vfi_job_unref);
  g_clear_pointer (&entry->pair, vfi_pair_unref);
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
  g_queue_push_tail (&stream->pending, entry);
  return entry;
}

void
gst_vfi_pending_add_original (GstVfiStream *stream, GstBuffer *buffer)
{
  append (stream, ENTRY_ORIGINAL)->buffer = buffer;
  stream->n_originals++;
}

void
gst_vfi_pending_add_event (GstVfiStream *stream, GstEvent *event)
{
  append (stream, ENTRY_EVENT)->event = event;
}

static GstVfiEntry *
append_of_pair (GstVfiStream *stream, GstVfiEntryKind kind, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b)
{
  GstVfiEntry *entry = append (stream, kind);

  entry->pair = vfi_pair_ref (pair);
  entry->session = stream->session;
  entry->a = gst_vfi_frame_ref (a);
  entry->b = gst_vfi_frame_ref (b);
  if (stream->unsubmitted == NULL)
    stream->unsubmitted = stream->pending.tail;
  return entry;
}

void
gst_vfi_pending_add_in_betweens (GstVfiStream *stream, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSpan *span)
{
  append_of_pair (stream, ENTRY_MADE, pair, a, b)->span = g_memdup2 (span, sizeof *span);
}

void
gst_vfi_pending_add_copies (
    GstVfiStream *stream, GstVfiFrame *a, GstVfiFrame *b, const GstVfiSpan *span)
{
  GstVfiEntry *entry = append (stream, ENTRY_COPIES);

  entry->span = g_memdup2 (span, sizeof *span);
  entry->a = gst_vfi_frame_ref (a);
  entry->b = b != NULL ? gst_vfi_frame_ref (b) : NULL;
}

void
gst_vfi_pending_add_replacement (GstVfiStream *stream, VfiPair *pair, GstVfiFrame *a,
    GstVfiFrame *b, const GstVfiSlot *slot, GstVfiFrame *instead)
{
  GstVfiEntry *entry = append_of_pair (stream, ENTRY_IN_BETWEEN, pair, a, b);

  entry->slot = *slot;
  entry->instead = gst_vfi_frame_ref (instead);
}

void
gst_vfi_pending_add_duplicate (
    GstVfiStream *stream, GstVfiFrame *a, const GstVfiSlot *slot)
{
  GstVfiEntry *entry = append (stream, ENTRY_DUPLICATE);

  entry->a = gst_vfi_frame_ref (a);
  entry->slot = *slot;
}

static GstFlowReturn
no_memory_for_picture (GstVfiStream *stream)
{
  const char *problem = stream->pictures.problem;

  if (problem != NULL)
    GST_ELEMENT_ERROR (stream->element, RESOURCE, WRITE,
        ("A buffer for an in-between frame cannot be used: %s", problem),
        ("it comes from %" GST_PTR_FORMAT, stream->pictures.out_pool));
  else
    GST_ELEMENT_ERROR (stream->element, RESOURCE, NO_SPACE_LEFT,
        ("No memory for an in-between frame."),
        ("A buffer of %" G_GSIZE_FORMAT " bytes could not be allocated or mapped.",
            GST_VIDEO_INFO_SIZE (&stream->info)));
  return GST_FLOW_ERROR;
}

/* Nothing is made here: the entry becomes one of @kind, or the original that it would have
 * replaced. */
static void
give_up (GstVfiStream *stream, GstVfiEntry *entry, GstVfiEntryKind kind)
{
  g_clear_pointer (&entry->job, vfi_job_unref);
  g_clear_pointer (&entry->pair, vfi_pair_unref);
  g_clear_pointer (&entry->b, gst_vfi_frame_unref);
  gst_vfi_output_clear (&entry->output);
  entry->kind = kind;
  if (entry->instead == NULL)
    return;
  entry->kind = ENTRY_ORIGINAL;
  gst_vfi_slot_stamp (&entry->slot, entry->instead->buffer);
  entry->buffer = gst_buffer_ref (entry->instead->buffer);
  stream->n_originals++;
}

/* A flush, or the end of the stream, or as on-error says a copy of the frame before. */
static GstFlowReturn
engine_failed (GstVfiStream *stream, GstVfiEntry *entry, const GError *error)
{
  if (g_error_matches (error, VFI_ERROR, VFI_ERROR_CANCELLED))
    return GST_FLOW_FLUSHING;
  gst_vfi_session_note_failure (stream, entry->session, error);
  if (!gst_vfi_fallback_engine_failed (stream, error, "interpolation failed"))
    return GST_FLOW_ERROR;
  give_up (stream, entry, ENTRY_DUPLICATE);
  return GST_FLOW_OK;
}

/* Accounts for jobs that have ended, in order, so that the next decision knows of them. */
static void
account (GstVfiStream *stream)
{
  for (GList *link = stream->pending.head; link != stream->unsubmitted;
       link = link->next) {
    GstVfiEntry *entry = link->data;
    if (entry->job == NULL || entry->accounted)
      continue;
    if (!gst_vfi_live_finish (stream, entry->job, &entry->qos, FALSE))
      return;
    entry->accounted = TRUE;
  }
}

/* Two frames are in one pair only, of which the newer one's id tells. */
static guint64
pair_id (const GstVfiEntry *entry)
{
  return MAX (entry->a->picture.id, entry->b->picture.id);
}

static guint
count_from (const GList *link)
{
  guint64 id = pair_id (link->data);
  guint64 count = 0;

  for (; link != NULL; link = link->next) {
    const GstVfiEntry *entry = link->data;
    if (entry->pair == NULL || pair_id (entry) != id)
      continue;
    count += entry->kind == ENTRY_MADE ? entry->span->n_left : 1;
  }
  return (guint) MIN (count, G_MAXUINT);
}

static GstClockTime
pair_span (const GstVfiEntry *entry)
{
  GstClockTime a = GST_BUFFER_PTS (entry->a->buffer);
  GstClockTime b = GST_BUFFER_PTS (entry->b->buffer);

  return b > a ? b - a : a - b;
}

/* Whether there is time for the in-between at @link; if not it becomes something else. */
static gboolean
decide_entry (GstVfiStream *stream, GList *link)
{
  GstVfiEntry *entry = link->data;
  GstVfiDecision decision;

  if (entry->decided)
    return TRUE;
  account (stream);
  if (stream->live.pair_id != pair_id (entry))
    gst_vfi_live_begin_pair (
        stream, pair_id (entry), count_from (link), pair_span (entry), &entry->slot);
  decision = gst_vfi_live_decide (stream, &entry->slot, &entry->qos);
  if (decision == GST_VFI_DECISION_COMPUTE) {
    entry->decided = TRUE;
    return TRUE;
  }
  give_up (stream, entry,
      decision == GST_VFI_DECISION_DUPLICATE ? ENTRY_DUPLICATE : ENTRY_NOTHING);
  return FALSE;
}

static GstFlowReturn
submit_entry (GstVfiStream *stream, GList *link, gboolean wait)
{
  GstVfiEntry *entry = link->data;
  g_autoptr (GError) error = NULL;
  GstFlowReturn ret;

  if (!decide_entry (stream, link))
    return GST_FLOW_OK;
  ret = gst_vfi_output_open (&entry->output, &stream->pictures, wait);
  if (ret == GST_FLOW_ERROR)
    return no_memory_for_picture (stream);
  if (ret != GST_FLOW_OK)
    return ret;
  entry->job = vfi_pair_submit (
      entry->pair, gst_vfi_slot_phase (&entry->slot), &entry->output.picture, &error);
  if (entry->job == NULL)
    return engine_failed (stream, entry, error);
  stream->n_jobs++;
  stream->live.jobs++;
  /* A flush that cancelled before this job existed has set the flag before. */
  if (gst_vfi_stream_is_flushing (stream))
    vfi_job_cancel (entry->job);
  return GST_FLOW_OK;
}

static GList *
next_in_between (GList *link)
{
  while (link != NULL && ((GstVfiEntry *) link->data)->pair == NULL)
    link = link->next;
  return link;
}

/* If what is to be submitted next is still in its span, it comes out. */
static void
come_out (GstVfiStream *stream)
{
  GList *link = stream->unsubmitted;
  GstVfiEntry *made = link->data, *entry;

  if (made->kind != ENTRY_MADE)
    return;
  entry = g_new0 (GstVfiEntry, 1);
  entry->kind = ENTRY_IN_BETWEEN;
  entry->pair = vfi_pair_ref (made->pair);
  entry->session = made->session;
  entry->a = gst_vfi_frame_ref (made->a);
  entry->b = gst_vfi_frame_ref (made->b);
  entry->ahead = TRUE;
  stream->n_ahead++;
  gst_vfi_span_next (made->span, &entry->slot);
  g_queue_insert_before (&stream->pending, link, entry);
  stream->unsubmitted = link->prev;
  if (!gst_vfi_span_is_over (made->span))
    return;
  g_queue_delete_link (&stream->pending, link);
  entry_free (made);
}

GstFlowReturn
gst_vfi_pending_submit (GstVfiStream *stream)
{
  while (stream->unsubmitted != NULL && stream->n_jobs < GST_VFI_MAX_JOBS &&
         stream->n_ahead < GST_VFI_MAX_AHEAD) {
    GstFlowReturn ret;
    come_out (stream);
    ret = submit_entry (stream, stream->unsubmitted, FALSE);
    /* Downstream's pool is exhausted: its buffers come back when older outputs leave. */
    if (ret == GST_FLOW_EOS)
      return GST_FLOW_OK;
    if (ret != GST_FLOW_OK)
      return ret;
    stream->unsubmitted = next_in_between (stream->unsubmitted->next);
  }
  return GST_FLOW_OK;
}

gboolean
gst_vfi_pending_is_ready (GstVfiStream *stream)
{
  GstVfiEntry *entry = g_queue_peek_head (&stream->pending);

  return entry != NULL && (entry->job == NULL || vfi_job_is_done (entry->job));
}

static gboolean
marks_droppable (GstVfiStream *stream)
{
  return gst_vfi_stream_settings (stream).mark_droppable;
}

static GstFlowReturn
push_made (GstVfiStream *stream, GstVfiEntry *entry, GstBuffer *buffer)
{
  gst_vfi_slot_stamp (&entry->slot, buffer);
  g_mutex_lock (&stream->lock);
  stream->counters.out++;
  g_mutex_unlock (&stream->lock);
  GST_LOG_OBJECT (stream->element, "pushing %s %" GST_PTR_FORMAT,
      entry->kind == ENTRY_DUPLICATE ? "duplicate" : "in-between", buffer);
  return gst_vfi_live_push (stream, buffer);
}

static GstFlowReturn
retire_duplicate (GstVfiStream *stream, GstVfiEntry *entry)
{
  GstBuffer *buffer =
      gst_vfi_meta_new_duplicate (entry->a->buffer, marks_droppable (stream));

  if (buffer == NULL)
    return no_memory_for_picture (stream);
  g_mutex_lock (&stream->lock);
  stream->counters.duplicate++;
  g_mutex_unlock (&stream->lock);
  return push_made (stream, entry, buffer);
}

/* Pushes the next of the copies at the head of the list. */
static GstFlowReturn
retire_copy (GstVfiStream *stream, GstVfiEntry *copies)
{
  GstVfiEntry one = {.kind = ENTRY_DUPLICATE};
  GstFlowReturn ret;

  gst_vfi_span_next (copies->span, &one.slot);
  one.a = copies->b != NULL && gst_vfi_content_is_nearer_second (&one.slot) ? copies->b
                                                                            : copies->a;
  gst_vfi_frame_ref (one.a);
  if (gst_vfi_span_is_over (copies->span)) {
    g_queue_pop_head (&stream->pending);
    entry_free (copies);
  }
  ret = retire_duplicate (stream, &one);
  gst_vfi_frame_unref (one.a);
  return ret;
}

static GstFlowReturn
retire_original (GstVfiStream *stream, GstVfiEntry *entry)
{
  g_mutex_lock (&stream->lock);
  stream->counters.out++;
  g_mutex_unlock (&stream->lock);
  GST_LOG_OBJECT (stream->element, "pushing original %" GST_PTR_FORMAT, entry->buffer);
  return gst_vfi_live_push (stream, g_steal_pointer (&entry->buffer));
}

/* What give_up() made of an in-between that has left the list. */
static GstFlowReturn
retire_stand_in (GstVfiStream *stream, GstVfiEntry *entry)
{
  if (entry->kind != ENTRY_ORIGINAL)
    return retire_duplicate (stream, entry);
  stream->n_originals--;
  return retire_original (stream, entry);
}

static GstFlowReturn
retire_in_between (GstVfiStream *stream, GstVfiEntry *entry)
{
  g_autoptr (GError) error = NULL;
  GstFlowReturn ret;

  gboolean made = vfi_job_wait (entry->job, &error);
  if (!entry->accounted)
    entry->accounted = gst_vfi_live_finish (stream, entry->job, &entry->qos, TRUE);
  if (!made) {
    ret = engine_failed (stream, entry, error);
    return ret == GST_FLOW_OK ? retire_stand_in (stream, entry) : ret;
  }
  if (entry->session == stream->session)
    stream->session_failures = 0;
  ret = gst_vfi_output_finish (&entry->output, &stream->pictures);
  if (ret == GST_FLOW_ERROR)
    return no_memory_for_picture (stream);
  if (ret != GST_FLOW_OK)
    return ret;
  /* Keep the engine busy while this picture is on its way downstream. */
  ret = gst_vfi_pending_submit (stream);
  if (ret != GST_FLOW_OK)
    return ret;
  if (entry->instead != NULL)
    gst_vfi_meta_copy_replacement (
        entry->output.buffer, entry->a->buffer, entry->b->buffer, entry->instead->buffer);
  else
    gst_vfi_meta_copy_in_between (entry->output.buffer, entry->a->buffer,
        entry->b->buffer, marks_droppable (stream));
  g_mutex_lock (&stream->lock);
  stream->counters.interpolated++;
  g_mutex_unlock (&stream->lock);
  return push_made (stream, entry, g_steal_pointer (&entry->output.buffer));
}

/* Whether @event is kept back because downstream expects caps before it: they were refused,
 * and others may come. */
static gboolean
is_early (GstVfiStream *stream, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
    return FALSE;
  gst_clear_event (&stream->early_segment);
  if (gst_pad_has_current_caps (stream->srcpad))
    return FALSE;
  stream->early_segment = gst_event_ref (event);
  return TRUE;
}

void
gst_vfi_pending_push_early_segment (GstVfiStream *stream)
{
  if (stream->early_segment != NULL)
    gst_pad_push_event (stream->srcpad, g_steal_pointer (&stream->early_segment));
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
    case ENTRY_IN_BETWEEN:
      return retire_in_between (stream, entry);
    case ENTRY_DUPLICATE:
      return retire_duplicate (stream, entry);
    case ENTRY_ORIGINAL:
      return retire_original (stream, entry);
    case ENTRY_EVENT:
      retire_event (stream, g_steal_pointer (&entry->event));
      break;
    case ENTRY_NOTHING:
    case ENTRY_MADE:
    case ENTRY_COPIES:
      break;
  }
  return GST_FLOW_OK;
}

/* Whether the pair of @entry, which has left the list, has nothing more in it. */
static gboolean
is_last_of_pair (GstVfiStream *stream, const GstVfiEntry *entry)
{
  const GList *next = stream->pending.head;

  while (next != NULL && ((const GstVfiEntry *) next->data)->pair == NULL)
    next = next->next;
  return entry->pair != NULL &&
         (next == NULL || ((const GstVfiEntry *) next->data)->pair != entry->pair);
}

GstFlowReturn
gst_vfi_pending_retire (GstVfiStream *stream)
{
  GstVfiEntry *entry = g_queue_peek_head (&stream->pending);
  gboolean ends_pair;
  GstFlowReturn ret;

  if (entry->kind == ENTRY_COPIES)
    return retire_copy (stream, entry);
  if (stream->unsubmitted == stream->pending.head) {
    come_out (stream);
    ret = submit_entry (stream, stream->pending.head, TRUE);
    if (ret != GST_FLOW_OK)
      return ret;
    stream->unsubmitted = next_in_between (stream->pending.head->next);
  }
  entry = g_queue_pop_head (&stream->pending);
  if (entry->kind == ENTRY_ORIGINAL)
    stream->n_originals--;
  if (entry->job != NULL)
    stream->n_jobs--;
  if (entry->ahead)
    stream->n_ahead--;
  if (entry->ahead && entry->job == NULL) {
    ret = gst_vfi_pending_submit (stream);
    if (ret != GST_FLOW_OK) {
      entry_free (entry);
      return ret;
    }
  }
  ret = retire_entry (stream, entry);
  ends_pair = is_last_of_pair (stream, entry);
  entry_free (entry);
  if (ends_pair)
    gst_vfi_report_pair (stream);
  return ret;
}

GstFlowReturn
gst_vfi_pending_drain (GstVfiStream *stream)
{
  GstFlowReturn ret = gst_vfi_pending_submit (stream);

  while (ret == GST_FLOW_OK && !g_queue_is_empty (&stream->pending))
    ret = gst_vfi_stream_is_flushing (stream) ? GST_FLOW_FLUSHING
                                              : gst_vfi_pending_retire (stream);
  return ret;
}

/* All jobs are cancelled before the first is waited for. */
static void
cancel_jobs (GstVfiStream *stream)
{
  for (GList *link = stream->pending.head; link != NULL; link = link->next) {
    GstVfiEntry *entry = link->data;
    if (entry->job != NULL)
      vfi_job_cancel (entry->job);
  }
  for (GList *link = stream->pending.head; link != NULL; link = link->next) {
    GstVfiEntry *entry = link->data;
    if (entry->job != NULL)
      vfi_job_wait (entry->job, NULL);
  }
  stream->unsubmitted = NULL;
  stream->n_jobs = 0;
  stream->n_ahead = 0;
  stream->n_originals = 0;
  gst_vfi_live_forget_jobs (stream);
}

void
gst_vfi_pending_drop_buffers (GstVfiStream *stream)
{
  GList *next;

  cancel_jobs (stream);
  for (GList *link = stream->pending.head; link != NULL; link = next) {
    GstVfiEntry *entry = link->data;
    next = link->next;
    if (entry->kind == ENTRY_EVENT)
      continue;
    g_queue_delete_link (&stream->pending, link);
    entry_free (entry);
  }
}

void
gst_vfi_pending_clear (GstVfiStream *stream, GstVfiKeep keep)
{
  GstVfiEntry *entry;

  cancel_jobs (stream);
  while ((entry = g_queue_pop_head (&stream->pending)) != NULL) {
    if (entry->event != NULL && gst_vfi_keeps (keep, entry->event) &&
        !is_early (stream, entry->event))
      gst_pad_store_sticky_event (stream->srcpad, entry->event);
    entry_free (entry);
  }
}
