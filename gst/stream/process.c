/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One item in stream order: what a buffer, an event or a query means for the run of
 * frames and for the outputs. Called by the task or, when synchronous, by upstream's
 * thread. */
#include "stream/process.h"

#include "cuda/stream_context.h"
#include "pure/place.h"
#include "pure/span.h"
#include "pure/stand_in.h"
#include "stream/allocation.h"
#include "stream/deadlines.h"
#include "stream/engine_session.h"
#include "stream/fallback.h"
#include "stream/gaps.h"
#include "stream/held_repeats.h"
#include "stream/jobs.h"
#include "stream/negotiate.h"
#include "stream/offered_buffers.h"
#include "stream/own_latency.h"
#include "stream/pending.h"
#include "stream/reference.h"
#include "stream/retire.h"
#include "stream/timeout.h"
#include "stream/wait_limit.h"
#include "stream/window.h"

#include <gst/video/video-event.h>

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiProcess {
  guint64 last_id;         /* of a frame */
  guint n_resets;          /* tells whether there was one within a push */
  guint settings_serial;   /* of the settings that were last looked at */
  gboolean warned_untimed; /* once for the same caps */
};

GstVfiProcess *
gst_vfi_process_new (void)
{
  return g_new0 (GstVfiProcess, 1);
}

/* Appends what completes the run up to @closed_at. Returns where the GAP event among it
 * ends, or 0. */
static GstClockTime
add_tail (GstVfiStream *stream, GstClockTime closed_at)
{
  GstVfiTailPlan plan;
  GstVfiSpan span;
  GstEvent *gap;

  gst_vfi_run_plan_tail (
      &stream->run, gst_vfi_stream_settings (stream).tail, closed_at, &plan);
  if (gst_vfi_span_of_tail (&span, &stream->run, &plan)) {
    gst_vfi_span_take (&span, &stream->run);
    gst_vfi_pending_add_copies (stream, stream->held, NULL, &span);
  }
  if (plan.gap_duration == 0)
    return 0;
  gap = gst_event_new_gap (plan.gap_pts, plan.gap_duration);
  gst_event_set_gap_flags (gap, gst_vfi_gaps_flags (stream));
  gst_vfi_pending_add_event (stream, gap);
  return plan.gap_pts + plan.gap_duration;
}

/* Ends the run; the next one begins at @next_pts, or NONE if that is not known. */
static void
close_run (GstVfiStream *stream, gboolean with_tail, GstClockTime closed_at,
    GstClockTime next_pts)
{
  GstClockTime told_until = 0;

  gst_vfi_timeout_cancel (stream);
  gst_vfi_repeats_end_run (stream);
  if (stream->held != NULL && with_tail)
    told_until = add_tail (stream, closed_at);
  gst_vfi_gaps_release (stream, told_until, next_pts);
  gst_vfi_run_close (&stream->run);
  gst_vfi_window_close (stream);
  gst_vfi_window_clear (stream);
}

void
gst_vfi_process_close_run (
    GstVfiStream *stream, gboolean with_tail, GstClockTime closed_at)
{
  close_run (stream, with_tail, closed_at, closed_at);
}

/* Between two frames: takes over what properties say now. FALSE with an error posted if
 * they contradict each other. */
static gboolean
take_settings (GstVfiStream *stream)
{
  GstVfiSettings settings = gst_vfi_stream_settings (stream);

  if (settings.serial == stream->process->settings_serial)
    return TRUE;
  if (!gst_vfi_reference_take_pairs (stream))
    return FALSE;
  stream->process->settings_serial = settings.serial;
  gst_vfi_fallback_forget (stream);
  gst_vfi_run_set_max_gap (&stream->run, settings.max_gap);
  gst_vfi_session_set_cleanup_interval (stream, settings.clear_cache_after_n_pairs);
  return TRUE;
}

/* Image sequences and application sources often come without timestamps. */
static void
warn_of_untimed (GstVfiStream *stream, GstBuffer *buffer)
{
  if (!stream->process->warned_untimed)
    GST_ELEMENT_WARNING (stream->element, STREAM, FORMAT,
        ("Frames without timestamps are dropped, for their framerate is not known. Give "
         "their source caps with a framerate, such as multifilesrc "
         "caps=image/png,framerate=25/1 for images, or timestamps, such as appsrc "
         "format=time do-timestamp=true."),
        ("%" GST_PTR_FORMAT " of %" GST_PTR_FORMAT, buffer,
            stream->negotiated.sink_caps));
  stream->process->warned_untimed = TRUE;
}

static void
drop_buffer (GstVfiStream *stream, GstBuffer *buffer, const GstVfiFrameTime *time)
{
  const char *why = time->verdict == GST_VFI_VERDICT_DROP_NO_PTS
                        ? "it has no timestamp and the rate is not constant"
                        : "its timestamp is not after the last one's";

  if (time->verdict == GST_VFI_VERDICT_DROP_NO_PTS)
    warn_of_untimed (stream, buffer);
  if (time->warn)
    GST_WARNING_OBJECT (stream->element, "dropped %" GST_PTR_FORMAT ": %s", buffer, why);
  else
    GST_DEBUG_OBJECT (stream->element, "dropped %" GST_PTR_FORMAT ": %s", buffer, why);
  gst_vfi_stream_count_drops (stream, 1);
  gst_buffer_unref (buffer);
}

static GstVfiFrame *
new_frame (GstVfiStream *stream, GstBuffer *buffer)
{
  /* Costs nothing while this is the only reference; the same buffer is then pushed and
   * held. */
  GstVfiFrame *frame = gst_vfi_frame_new (
      &stream->pictures, gst_buffer_make_writable (buffer), ++stream->process->last_id);

  if (frame == NULL)
    GST_ELEMENT_ERROR (stream->element, RESOURCE, READ,
        ("A frame could not be read: %s.", stream->pictures.problem != NULL
                                               ? stream->pictures.problem
                                               : "its memory cannot be mapped"),
        ("expected %" G_GSIZE_FORMAT " bytes of %s %dx%d in %s that can be mapped",
            GST_VIDEO_INFO_SIZE (&stream->negotiated.info),
            GST_VIDEO_INFO_NAME (&stream->negotiated.info),
            GST_VIDEO_INFO_WIDTH (&stream->negotiated.info),
            GST_VIDEO_INFO_HEIGHT (&stream->negotiated.info),
            stream->pictures.cuda != NULL ? "one CUDA memory, as the caps say,"
                                          : "memory"));
  return frame;
}

/* Upstream wants its buffers back: copies take the place of the reference and of what
 * else is held for views. */
static void
detach_held (GstVfiStream *stream)
{
  if (!gst_vfi_window_detach (stream))
    gst_vfi_process_close_run (stream, FALSE, GST_CLOCK_TIME_NONE);
}

/* A frame that may have to wait for others must not keep a buffer that upstream may be
 * waiting for: it is a copy that waits, and is pushed. A run's first frame has nothing to
 * wait for. */
static void
detach_waiting (GstVfiStream *stream, GstVfiFrame **frame)
{
  GstVfiFrame *copy;

  if (gst_vfi_window_later (stream) == 0 || !gst_vfi_alloc_is_scarce ((*frame)->buffer))
    return;
  copy = gst_vfi_frame_detach (&stream->pictures, *frame);
  if (copy == NULL)
    return;
  gst_vfi_frame_unref (*frame);
  *frame = copy;
}

/* @frame, of @time, becomes the reference and, where it has a place, an output. */
static void
accept (GstVfiStream *stream, GstVfiFrame *frame, const GstVfiFrameTime *time)
{
  GstVfiSlot slot;

  stream->content.announced = FALSE;
  gst_vfi_reference_accept (stream, time);
  if (gst_vfi_run_original_slot (&stream->run, &slot)) {
    gst_vfi_run_take (&stream->run, &slot);
    gst_vfi_slot_stamp (&slot, frame->buffer);
    gst_vfi_pending_add_original (stream, gst_buffer_ref (frame->buffer));
  } else if (gst_vfi_run_is_overtaken (&stream->run)) {
    gst_vfi_stream_count_drops (stream, 1);
  }
  gst_vfi_window_accept (stream, frame);
  if (!gst_vfi_alloc_is_scarce (frame->buffer))
    return;
  gst_vfi_window_complete (stream);
  detach_held (stream);
}

static GstFlowReturn
interpolate (GstVfiStream *stream, GstBuffer *buffer)
{
  gboolean departs = stream->run.departs;
  GstFlowReturn ret = GST_FLOW_OK;
  GstVfiFrameTime time;
  gboolean goes_on = TRUE;
  GstVfiFrame *frame;

  if (!gst_vfi_run_observe (&stream->run, GST_BUFFER_PTS (buffer),
          GST_BUFFER_DURATION (buffer), GST_BUFFER_IS_DISCONT (buffer), &time)) {
    drop_buffer (stream, buffer, &time);
    return GST_FLOW_OK;
  }
  gst_vfi_timeout_cancel (stream);
  if (stream->run.departs != departs)
    gst_vfi_own_latency_configure (stream);
  gst_vfi_own_latency_note_frame (stream, time.pts);
  frame = new_frame (stream, buffer);
  if (frame == NULL)
    return GST_FLOW_ERROR;

  if (time.verdict == GST_VFI_VERDICT_NEW_RUN)
    gst_vfi_process_close_run (stream, time.tail, time.pts);
  else
    gst_vfi_gaps_resolve (stream, &time);
  if (time.verdict == GST_VFI_VERDICT_NEXT && stream->held != NULL) {
    detach_waiting (stream, &frame);
    ret = gst_vfi_repeats_plan (stream, frame, &time, &goes_on);
  }
  if (ret != GST_FLOW_OK) {
    gst_vfi_frame_unref (frame);
    return ret;
  }
  if (goes_on)
    accept (stream, frame, &time);
  gst_vfi_timeout_arm (stream);
  return gst_vfi_jobs_submit (stream);
}

/* Lets everything out; what waits for frames that are to come is made without them. */
static GstFlowReturn
let_out (GstVfiStream *stream)
{
  gst_vfi_window_complete (stream);
  return gst_vfi_retire_all (stream);
}

/* Before caps, pool or session change: ends the run, if there is one, and lets out what
 * it and runs before it have left behind. @next_pts is as in close_run(). */
static GstFlowReturn
finish_run (GstVfiStream *stream, GstClockTime next_pts)
{
  gst_vfi_process_close_run (stream, TRUE, next_pts);
  return gst_vfi_retire_all (stream);
}

/* Nothing of one context is of use in another, so everything starts over. */
static GstFlowReturn
change_context (GstVfiStream *stream, GstBuffer *buffer)
{
  GstFlowReturn ret = finish_run (stream, GST_BUFFER_PTS (buffer));

  gst_vfi_cuda_adopt (stream->cuda, buffer);
  stream->negotiated.ready = FALSE;
  return ret;
}

/* @next_pts is that of the frame to come, where a run may have to end. */
static GstFlowReturn
negotiate (GstVfiStream *stream, GstClockTime next_pts)
{
  GstVfiChoice choice = {0};
  GstFlowReturn ret = gst_vfi_negotiate_choose (stream, &choice);

  if (ret == GST_FLOW_OK && choice.decision.mode == GST_VFI_MODE_PASSTHROUGH)
    ret = finish_run (stream, next_pts);
  return gst_vfi_negotiate_apply (stream, &choice, ret);
}

static GstFlowReturn
check_negotiation (GstVfiStream *stream, GstBuffer *buffer)
{
  GstFlowReturn ret = GST_FLOW_OK;

  if (!take_settings (stream))
    return GST_FLOW_ERROR;
  if (stream->negotiated.sink_caps == NULL)
    return GST_FLOW_NOT_NEGOTIATED;
  if (gst_vfi_cuda_is_foreign (stream->pictures.cuda, buffer))
    ret = change_context (stream, buffer);
  if (ret != GST_FLOW_OK)
    return ret;
  if (!gst_pad_check_reconfigure (stream->srcpad) && stream->negotiated.ready)
    return GST_FLOW_OK;
  ret = let_out (stream);
  if (ret == GST_FLOW_OK)
    return negotiate (stream, GST_BUFFER_PTS (buffer));
  gst_pad_mark_reconfigure (stream->srcpad);
  return ret;
}

static GstFlowReturn
process_buffer (GstVfiStream *stream, GstBuffer *buffer)
{
  guint n_resets = stream->process->n_resets;
  GstFlowReturn ret = check_negotiation (stream, buffer);

  if (ret == GST_FLOW_OK && n_resets != stream->process->n_resets) {
    gst_buffer_unref (buffer); /* what was let out for it was flushed, and so is it */
    return GST_FLOW_OK;
  }
  if (ret == GST_FLOW_OK && stream->negotiated.mode != GST_VFI_MODE_PASSTHROUGH &&
      stream->run.segment.format != GST_FORMAT_TIME) {
    GST_ELEMENT_ERROR (stream->element, STREAM, FORMAT,
        ("Frames need a segment in TIME format; set format=time where they come from an "
         "appsrc."),
        ("found none, or a segment in %s",
            gst_format_get_name (stream->run.segment.format)));
    ret = GST_FLOW_ERROR;
  }
  if (ret != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return ret;
  }
  g_mutex_lock (&stream->lock);
  stream->counters.in++;
  g_mutex_unlock (&stream->lock);
  if (stream->negotiated.mode != GST_VFI_MODE_PASSTHROUGH &&
      !gst_vfi_segment_is_key_units (&stream->run.segment))
    return interpolate (stream, buffer);
  gst_vfi_pending_add_original (stream, buffer);
  return GST_FLOW_OK;
}

static void
process_segment (GstVfiStream *stream, GstEvent *event)
{
  const GstSegment *segment;

  gst_event_parse_segment (event, &segment);
  if (gst_segment_is_equal (segment, &stream->run.segment))
    return;
  gst_vfi_process_close_run (stream, TRUE, GST_CLOCK_TIME_NONE);
  gst_vfi_run_set_segment (&stream->run, segment);
}

/* New input caps end the run under the old ones. */
static GstFlowReturn
process_caps (GstVfiStream *stream, GstCaps *caps)
{
  GstFlowReturn ret;

  if (gst_vfi_negotiate_is_done_for (stream, caps))
    return GST_FLOW_OK;
  ret = finish_run (stream, GST_CLOCK_TIME_NONE);
  if (ret != GST_FLOW_OK)
    return ret;
  if (!take_settings (stream))
    return GST_FLOW_ERROR;
  stream->process->warned_untimed = FALSE;
  return gst_vfi_negotiate_set_caps (stream, caps);
}

static GstFlowReturn
process_event (GstVfiStream *stream, GstEvent *event)
{
  GstClockTime closed_at;
  GstCaps *caps;
  gboolean still = FALSE;
  GstFlowReturn ret;

  switch (GST_EVENT_TYPE (event)) {
    case GST_EVENT_CAPS:
      gst_event_parse_caps (event, &caps);
      ret = process_caps (stream, caps);
      gst_event_unref (event);
      return ret;
    case GST_EVENT_SEGMENT:
      process_segment (stream, event);
      break;
    case GST_EVENT_GAP:
      if (gst_vfi_gaps_process (stream, event, &closed_at))
        close_run (stream, TRUE, closed_at, GST_CLOCK_TIME_NONE);
      return gst_vfi_jobs_submit (stream);
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT_DONE:
    case GST_EVENT_EOS:
      gst_vfi_process_close_run (stream, TRUE, GST_CLOCK_TIME_NONE);
      break;
    case GST_EVENT_CUSTOM_DOWNSTREAM:
      if (gst_video_event_parse_still_frame (event, &still) && still)
        gst_vfi_process_close_run (stream, TRUE, GST_CLOCK_TIME_NONE);
      if (gst_vfi_content_is_cut_event (event))
        stream->content.announced = TRUE;
      break;
    default:
      break;
  }
  gst_vfi_gaps_add_event (stream, event);
  return gst_vfi_jobs_submit (stream);
}

static gboolean
answer_query (GstVfiStream *stream, GstQuery *query)
{
  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_ALLOCATION:
      return gst_vfi_offer_buffers (stream, query);
    case GST_QUERY_DRAIN:
      detach_held (stream);
      return gst_pad_peer_query (stream->srcpad, query);
    default:
      return gst_pad_query_default (stream->sinkpad, GST_OBJECT (stream->element), query);
  }
}

/* What had to be let out for the answer may have failed. */
static GstFlowReturn
process_query (GstVfiStream *stream, GstQuery *query, gboolean *answer)
{
  GstFlowReturn ret = GST_FLOW_OK;

  if (GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    gst_vfi_repeats_release (stream);
  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    ret = let_out (stream);
  *answer = ret == GST_FLOW_OK && answer_query (stream, query);
  return ret;
}

GstFlowReturn
gst_vfi_process_item (GstVfiStream *stream, gpointer item, gboolean *answer)
{
  if (GST_IS_EVENT (item))
    return process_event (stream, GST_EVENT_CAST (item));
  if (GST_IS_BUFFER (item))
    return process_buffer (stream, GST_BUFFER_CAST (item));
  return process_query (stream, GST_QUERY_CAST (item), answer);
}

/* Caps, allocation and queries are about the state of downstream, where everything before
 * must have arrived. What waits for frames is let out when it is known whether it has to
 * be: other caps, not the same ones again; a query, but not what memory is needed. */
gboolean
gst_vfi_process_needs_drain (GstVfiStream *stream, const GstMiniObject *item)
{
  if (GST_IS_QUERY (item))
    return TRUE;
  if (GST_IS_EVENT (item))
    return GST_EVENT_TYPE ((const GstEvent *) item) == GST_EVENT_CAPS;
  return !stream->negotiated.ready ||
         gst_vfi_cuda_is_foreign (stream->pictures.cuda, GST_BUFFER_CAST (item)) ||
         GST_PAD_NEEDS_RECONFIGURE (stream->srcpad);
}

void
gst_vfi_process_reset (GstVfiStream *stream)
{
  stream->process->n_resets++;
  gst_vfi_retire_clear (stream, GST_VFI_KEEP_OVER_FLUSH);
  gst_vfi_retire_drop_early_segment (stream);
  gst_vfi_window_clear (stream);
  gst_vfi_run_reset (&stream->run);
  gst_vfi_content_reset (&stream->content);
  gst_vfi_timeout_cancel (stream);
  gst_vfi_wait_limit_cancel (stream);
  gst_vfi_gaps_clear (stream);
  gst_vfi_repeats_clear (stream);
  gst_vfi_deadlines_reset (stream);
  gst_vfi_own_latency_reset (stream);
}
