/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the model's pictures or the frames themselves are shown depends on how the two
 * frames relate. */
#include "stream/between.h"

#include "pure/meta.h"
#include "pure/span.h"
#include "stream/engine_session.h"
#include "stream/fallback.h"
#include "stream/pending.h"
#include "stream/upkeep.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* The reference and the frame after it, in the order of their times. */
typedef struct {
  GstVfiFrame *first;
  GstVfiFrame *second;
  GstVfiFrame *next; /* the one that is not the reference */
  GstClockTime pts;  /* of the first, as it came */
  GstVfiPairKind kind;
  GstVfiSceneMode mode;
  gboolean joined;  /* a view may have both */
  GstVfiView *view; /* NULL: copies of the reference take the place of pictures */
} Between;

static gboolean
inside_segment (const GstSegment *segment, GstClockTime start, GstClockTime stop)
{
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, start) !=
             GST_CLOCK_TIME_NONE &&
         gst_segment_to_running_time (segment, GST_FORMAT_TIME, stop) !=
             GST_CLOCK_TIME_NONE;
}

static gboolean
judge (GstVfiStream *stream, Between *between, VfiSession *session, GError **error)
{
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  gdouble score;

  between->mode = (GstVfiSceneMode) settings.scene_mode;
  if (!gst_vfi_content_judge (&stream->content, session, &between->first->picture,
          &between->second->picture, settings.scene_threshold, &between->kind, error))
    return FALSE;
  score = stream->content.score;
  g_mutex_lock (&stream->lock);
  stream->counters.scene_score = score;
  g_mutex_unlock (&stream->lock);
  GST_DEBUG_OBJECT (stream->element, "pair before %" GST_TIME_FORMAT ": %s, score %.3f",
      GST_TIME_ARGS (GST_BUFFER_PTS (between->second->buffer)),
      between->kind == GST_VFI_PAIR_CUT         ? "a cut"
      : between->kind == GST_VFI_PAIR_IDENTICAL ? "identical"
                                                : "moving",
      score);
  return TRUE;
}

/* Nothing is made of a pair that the engine could not look at, in @session. */
static GstFlowReturn
cannot_open (GstVfiStream *stream, Between *between, const VfiSession *session,
    const GError *error)
{
  between->kind = GST_VFI_PAIR_MOVES;
  if (gst_vfi_upkeep_lower_failed (stream, session, error))
    return GST_FLOW_OK;
  gst_vfi_session_note_failure (stream, gst_vfi_session_current (stream), error);
  return gst_vfi_fallback_engine_failed (
             stream, error, "no pair of frames could be opened")
             ? GST_FLOW_OK
             : GST_FLOW_ERROR;
}

/* Frames whose visible parts differ are no pair. */
static GstFlowReturn
look_at_pair (GstVfiStream *stream, Between *between)
{
  g_autoptr (GError) error = NULL;
  VfiSession *session = NULL;

  if (!gst_vfi_session_mend (stream, &error) || !gst_vfi_session_poll (stream, &error)) {
    stream->negotiated.only_copies = TRUE;
    gst_vfi_session_release (stream);
    if (!gst_vfi_fallback_engine_failed (stream, error, "no session for this video"))
      return GST_FLOW_ERROR;
  }
  if (!stream->negotiated.only_copies) {
    gst_vfi_upkeep_rungs (stream);
    session = gst_vfi_upkeep_session (stream);
  }
  if (session == NULL ||
      !gst_vfi_meta_same_crop (between->first->buffer, between->second->buffer))
    return GST_FLOW_OK;
  if (!judge (stream, between, session, &error))
    return cannot_open (stream, between, session, error);
  between->joined = between->kind != GST_VFI_PAIR_CUT;
  return GST_FLOW_OK;
}

static GstFlowReturn
open_pair (GstVfiStream *stream, Between *between)
{
  GstFlowReturn ret = look_at_pair (stream, between);
  g_autoptr (GstVfiView) view = NULL;

  if (ret != GST_FLOW_OK || !between->joined || between->kind != GST_VFI_PAIR_MOVES)
    return ret;
  view = gst_vfi_window_new_view (stream, between->next, between->pts);
  if (view->state == GST_VFI_VIEW_FAILED)
    return cannot_open (stream, between, view->session, view->error);
  between->view = g_steal_pointer (&view);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_vfi_between_open (
    GstVfiStream *stream, GstClockTime pts, GstVfiFrame *next, GstVfiView **view)
{
  Between between = {.first = stream->held, .second = next, .next = next, .pts = pts};
  GstFlowReturn ret = open_pair (stream, &between);

  *view = between.view;
  return ret;
}

/* With a model that sees more than two frames, a view of other pairs may reach across
 * one that nothing is made of. */
static GstFlowReturn
find_edge (GstVfiStream *stream, Between *between, gboolean looked_at)
{
  GstFlowReturn ret = GST_FLOW_OK;

  if (!looked_at && gst_vfi_stream_neighbours (stream) > 0)
    ret = look_at_pair (stream, between);
  if (ret == GST_FLOW_OK && !between->joined)
    gst_vfi_window_close (stream);
  return ret;
}

static void
count_cut (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  stream->counters.cuts++;
  g_mutex_unlock (&stream->lock);
}

static void
add_span (GstVfiStream *stream, const Between *between, GstVfiSpan *span)
{
  GstVfiShow show = gst_vfi_content_show (between->kind, between->mode);

  if (show == GST_VFI_SHOW_NOTHING)
    return;
  gst_vfi_span_take (span, &stream->run);
  if (span->kind != GST_VFI_SLOT_IN_BETWEEN ||
      (show == GST_VFI_SHOW_MADE && between->view == NULL)) {
    gst_vfi_pending_add_copies (stream, stream->held, NULL, span);
    return;
  }
  if (show == GST_VFI_SHOW_MADE) {
    gst_vfi_pending_add_in_betweens (
        stream, between->view, between->first, between->second, span);
    return;
  }
  if (between->kind == GST_VFI_PAIR_IDENTICAL) {
    g_mutex_lock (&stream->lock);
    stream->counters.identical += span->n_left;
    g_mutex_unlock (&stream->lock);
  }
  gst_vfi_pending_add_copies (
      stream, between->first, show == GST_VFI_SHOW_NEARER ? between->second : NULL, span);
}

GstFlowReturn
gst_vfi_between_plan (
    GstVfiStream *stream, GstVfiFrame *next, const GstVfiFrameTime *time)
{
  gboolean reverse = gst_vfi_run_is_reverse (&stream->run);
  guint64 n_hidden = gst_vfi_run_pair_slots (&stream->run, time) - 1;
  Between between = {
      .first = reverse ? next : stream->held,
      .second = reverse ? stream->held : next,
      .next = next,
      .pts = reverse ? time->pts : stream->run.pts,
  };
  GstFlowReturn ret = GST_FLOW_OK;
  gboolean opened = FALSE;
  guint64 from = 1;
  GstVfiSpan span;

  while (ret == GST_FLOW_OK && gst_vfi_span_of_pair (&span, &stream->run, time, from)) {
    from = span.last + 1;
    n_hidden -= span.n_left;
    if (!opened && span.kind == GST_VFI_SLOT_IN_BETWEEN) {
      ret = open_pair (stream, &between);
      opened = TRUE;
      if (between.kind == GST_VFI_PAIR_CUT)
        count_cut (stream);
    }
    if (ret == GST_FLOW_OK)
      add_span (stream, &between, &span);
  }
  if (ret == GST_FLOW_OK)
    ret = find_edge (stream, &between, opened);
  if (inside_segment (&stream->run.segment, stream->run.pts, time->pts))
    gst_vfi_stream_count_drops (stream, n_hidden);
  g_clear_pointer (&between.view, gst_vfi_view_unref);
  return ret;
}
