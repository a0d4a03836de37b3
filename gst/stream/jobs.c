/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/jobs.h"

#include "stream/deadlines.h"
#include "stream/engine_session.h"
#include "stream/fallback.h"
#include "stream/report.h"
#include "stream/rungs.h"
#include "stream/upkeep.h"

/* Nothing is made here: the entry becomes one of @kind, or the original that it would
 * have replaced. */
static void
give_up (GstVfiStream *stream, GstVfiEntry *entry, GstVfiEntryKind kind)
{
  g_clear_pointer (&entry->job, vfi_job_unref);
  g_clear_pointer (&entry->view, gst_vfi_view_unref);
  g_clear_pointer (&entry->b, gst_vfi_frame_unref);
  gst_vfi_output_clear (&entry->output);
  entry->kind = kind;
  if (entry->instead == NULL)
    return;
  entry->kind = GST_VFI_ENTRY_ORIGINAL;
  gst_vfi_slot_stamp (&entry->slot, entry->instead->buffer);
  entry->buffer = gst_buffer_ref (entry->instead->buffer);
  stream->pending->n_originals++;
}

/* The session that was to make the picture, to be compared only. */
static const VfiSession *
session_of (const GstVfiEntry *entry)
{
  return entry->session != NULL ? entry->session : entry->view->session;
}

/* Returns FLUSHING after a flush, ERROR where the stream ends, or OK where, as on-error
 * allows, the entry becomes a copy of the frame before. */
static GstFlowReturn
engine_failed (GstVfiStream *stream, GstVfiEntry *entry, const GError *error)
{
  if (g_error_matches (error, VFI_ERROR, VFI_ERROR_CANCELLED))
    return GST_FLOW_FLUSHING;
  if (gst_vfi_upkeep_lower_failed (stream, session_of (entry), error) ||
      entry->qos.maker != GST_VFI_MAKER_FULL) {
    give_up (stream, entry, GST_VFI_ENTRY_DUPLICATE);
    return GST_FLOW_OK;
  }
  gst_vfi_session_note_failure (stream, session_of (entry), error);
  if (!gst_vfi_fallback_engine_failed (stream, error, "interpolation failed"))
    return GST_FLOW_ERROR;
  give_up (stream, entry, GST_VFI_ENTRY_DUPLICATE);
  return GST_FLOW_OK;
}

/* The view of @entry had to wait for frames and could then not be opened. Where that was
 * for lack of a session, somebody has said so already. */
static GstFlowReturn
view_failed (GstVfiStream *stream, GstVfiEntry *entry)
{
  if (entry->view->error != NULL)
    return engine_failed (stream, entry, entry->view->error);
  give_up (stream, entry, GST_VFI_ENTRY_DUPLICATE);
  return GST_FLOW_OK;
}

/* Accounts for jobs that have ended, in order, so that the next decision knows of
 * them. */
static void
account (GstVfiStream *stream)
{
  GstVfiPending *pending = stream->pending;

  for (GList *link = pending->entries.head; link != pending->unsubmitted;
       link = link->next) {
    GstVfiEntry *entry = link->data;
    if (entry->job == NULL || entry->accounted)
      continue;
    if (!gst_vfi_deadlines_finish (stream, entry->job, &entry->qos, FALSE))
      return;
    entry->accounted = TRUE;
  }
}

static guint
count_from (const GList *link)
{
  guint64 id = gst_vfi_entry_pair_id (link->data);
  guint64 count = 0;

  for (; link != NULL; link = link->next) {
    const GstVfiEntry *entry = link->data;
    if (entry->view == NULL || gst_vfi_entry_pair_id (entry) != id)
      continue;
    count += entry->kind == GST_VFI_ENTRY_IN_BETWEENS ? entry->span->n_left : 1;
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
decide (GstVfiStream *stream, GList *link)
{
  GstVfiEntry *entry = link->data;
  GstVfiDecision decision;

  if (entry->decided)
    return TRUE;
  account (stream);
  if (!gst_vfi_deadlines_has_begun (stream, gst_vfi_entry_pair_id (entry))) {
    gst_vfi_upkeep_before_pair (stream);
    gst_vfi_deadlines_begin_pair (stream, gst_vfi_session_current (stream) != NULL,
        &entry->view->segment, gst_vfi_entry_pair_id (entry), count_from (link),
        pair_span (entry), &entry->slot);
  }
  decision = gst_vfi_deadlines_decide (stream, &entry->slot, &entry->qos);
  gst_vfi_upkeep_after_decision (stream);
  if (decision == GST_VFI_DECISION_COMPUTE) {
    entry->decided = TRUE;
    return TRUE;
  }
  give_up (stream, entry,
      decision == GST_VFI_DECISION_DUPLICATE ? GST_VFI_ENTRY_DUPLICATE
                                             : GST_VFI_ENTRY_NOTHING);
  return FALSE;
}

/* The pair in the session of who is to make the picture. Where that is gone since then
 * the one that the view was opened in does. */
static VfiPair *
open_pair (GstVfiStream *stream, GstVfiEntry *entry, GError **error)
{
  VfiSession *session = entry->qos.maker == GST_VFI_MAKER_FULL
                            ? gst_vfi_session_current (stream)
                            : gst_vfi_rungs_session (stream, entry->qos.maker);

  entry->session = session != NULL ? session : entry->view->session;
  return session != NULL ? gst_vfi_view_pair_in (entry->view, session, error)
                         : entry->view->pair;
}

static GstFlowReturn
submit_entry (GstVfiStream *stream, GList *link, gboolean wait)
{
  GstVfiEntry *entry = link->data;
  g_autoptr (GError) error = NULL;
  GstFlowReturn ret;
  VfiPair *pair;

  if (entry->view->state == GST_VFI_VIEW_FAILED)
    return view_failed (stream, entry);
  if (!decide (stream, link))
    return GST_FLOW_OK;
  ret = gst_vfi_output_open (&entry->output, &stream->pictures, wait);
  if (ret == GST_FLOW_ERROR)
    gst_vfi_report_no_memory (stream);
  if (ret != GST_FLOW_OK)
    return ret;
  pair = open_pair (stream, entry, &error);
  if (pair != NULL)
    entry->job = vfi_pair_submit (
        pair, gst_vfi_slot_phase (&entry->slot), &entry->output.picture, &error);
  if (entry->job == NULL)
    return engine_failed (stream, entry, error);
  stream->pending->n_jobs++;
  gst_vfi_deadlines_note_job (stream, &entry->qos);
  /* A flush that raced with submit did not see this job; it had closed the stream
   * first. */
  if (gst_vfi_stream_is_flushing (stream))
    vfi_job_cancel (entry->job);
  return GST_FLOW_OK;
}

static GList *
next_in_between (GList *link)
{
  while (link != NULL && ((GstVfiEntry *) link->data)->view == NULL)
    link = link->next;
  return link;
}

/* If the in-between that is submitted next is still in its span, it comes out. */
static void
come_out (GstVfiStream *stream)
{
  GstVfiPending *pending = stream->pending;
  GList *link = pending->unsubmitted;
  GstVfiEntry *span = link->data, *entry;

  if (span->kind != GST_VFI_ENTRY_IN_BETWEENS)
    return;
  entry = g_new0 (GstVfiEntry, 1);
  entry->kind = GST_VFI_ENTRY_IN_BETWEEN;
  entry->view = gst_vfi_view_ref (span->view);
  entry->a = gst_vfi_frame_ref (span->a);
  entry->b = gst_vfi_frame_ref (span->b);
  entry->ahead = TRUE;
  pending->n_ahead++;
  gst_vfi_span_next (span->span, &entry->slot);
  g_queue_insert_before (&pending->entries, link, entry);
  pending->unsubmitted = link->prev;
  if (!gst_vfi_span_is_over (span->span))
    return;
  g_queue_delete_link (&pending->entries, link);
  gst_vfi_entry_free (span);
}

GstFlowReturn
gst_vfi_jobs_submit (GstVfiStream *stream)
{
  GstVfiPending *pending = stream->pending;

  while (!gst_vfi_pending_is_submitted (stream) && pending->n_jobs < GST_VFI_MAX_JOBS &&
         pending->n_ahead < GST_VFI_MAX_AHEAD) {
    GstFlowReturn ret;
    come_out (stream);
    ret = submit_entry (stream, pending->unsubmitted, FALSE);
    /* Downstream's pool is exhausted: its buffers come back when older outputs leave. */
    if (ret == GST_FLOW_EOS)
      return GST_FLOW_OK;
    if (ret != GST_FLOW_OK)
      return ret;
    pending->unsubmitted = next_in_between (pending->unsubmitted->next);
  }
  return GST_FLOW_OK;
}

GstFlowReturn
gst_vfi_jobs_submit_head (GstVfiStream *stream)
{
  GstVfiPending *pending = stream->pending;
  GstFlowReturn ret;

  if (pending->unsubmitted != pending->entries.head)
    return GST_FLOW_OK;
  come_out (stream);
  ret = submit_entry (stream, pending->entries.head, TRUE);
  if (ret == GST_FLOW_OK)
    pending->unsubmitted = next_in_between (pending->entries.head->next);
  return ret;
}

/* Tells how far a job is, if that is due. */
static void
tell_progress (GstVfiStream *stream, GstVfiEntry *entry)
{
  GstVfiProgress now;
  gint64 microseconds;

  vfi_job_get_progress (entry->job, &now.round, &now.rounds);
  vfi_job_get_work (entry->job, &now.part, &microseconds);
  now.elapsed = (GstClockTime) microseconds * GST_USECOND;
  if (!gst_vfi_progress_is_due (&entry->progress, &now))
    return;
  gst_vfi_report_progress (stream, entry->slot.pts, &now);
  entry->progress = now;
}

void
gst_vfi_jobs_tell_progress (GstVfiStream *stream)
{
  GstVfiEntry *entry = g_queue_peek_head (&stream->pending->entries);

  if (entry != NULL && entry->job != NULL)
    tell_progress (stream, entry);
}

GstFlowReturn
gst_vfi_jobs_wait (GstVfiStream *stream, GstVfiEntry *entry)
{
  g_autoptr (GError) error = NULL;
  gdouble part = 0.0;
  gint64 elapsed;
  gboolean made;
  GstFlowReturn ret;

  while (vfi_job_wait_work (entry->job, part)) {
    vfi_job_get_work (entry->job, &part, &elapsed);
    tell_progress (stream, entry);
  }
  tell_progress (stream, entry);
  made = vfi_job_wait (entry->job, &error);
  if (!entry->accounted)
    entry->accounted = gst_vfi_deadlines_finish (stream, entry->job, &entry->qos, TRUE);
  if (!made)
    return engine_failed (stream, entry, error);
  if (entry->qos.maker == GST_VFI_MAKER_FULL)
    gst_vfi_session_note_success (stream, session_of (entry));
  ret = gst_vfi_output_finish (&entry->output, &stream->pictures);
  if (ret == GST_FLOW_ERROR)
    gst_vfi_report_no_memory (stream);
  return ret;
}

/* All jobs are cancelled before the first is waited for. */
void
gst_vfi_jobs_cancel (GstVfiStream *stream)
{
  GstVfiPending *pending = stream->pending;

  for (GList *link = pending->entries.head; link != NULL; link = link->next) {
    GstVfiEntry *entry = link->data;
    if (entry->job != NULL)
      vfi_job_cancel (entry->job);
  }
  for (GList *link = pending->entries.head; link != NULL; link = link->next) {
    GstVfiEntry *entry = link->data;
    if (entry->job != NULL)
      vfi_job_wait (entry->job, NULL);
  }
  pending->unsubmitted = NULL;
  pending->n_jobs = 0;
  pending->n_ahead = 0;
  pending->n_originals = 0;
  gst_vfi_deadlines_forget_jobs (stream);
}
