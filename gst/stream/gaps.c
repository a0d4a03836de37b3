/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/gaps.h"

#include "pure/kept_events.h"
#include "pure/silence.h"
#include "stream/held_repeats.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiGaps {
  GQueue waiting; /* GstEvent: GAP events, and what came after them */
};

GstVfiGaps *
gst_vfi_gaps_new (void)
{
  return g_new0 (GstVfiGaps, 1);
}

/* @event (taken) about another time, or itself if it is the same. */
static GstEvent *
about_time (GstEvent *event, GstClockTime start, GstClockTime duration)
{
  GstClockTime old_start, old_duration;
  GstGapFlags flags;
  GstEvent *other;

  gst_event_parse_gap (event, &old_start, &old_duration);
  if (old_start == start && old_duration == duration)
    return event;
  gst_event_parse_gap_flags (event, &flags);
  other = gst_event_new_gap (start, duration);
  gst_event_set_gap_flags (other, flags);
  gst_event_set_seqnum (other, gst_event_get_seqnum (event));
  gst_event_set_running_time_offset (other, gst_event_get_running_time_offset (event));
  gst_event_unref (event);
  return other;
}

/* Lets out all that waits, in order, GAP events only as far as their time is silent. */
static void
let_out (GstVfiStream *stream, const GstVfiFrameTime *next, GstClockTime from,
    GstClockTime until)
{
  GstClockTime start, duration;
  GstEvent *event;

  while ((event = g_queue_pop_head (&stream->gaps->waiting)) != NULL) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
      gst_event_parse_gap (event, &start, &duration);
      if (!gst_vfi_run_clip_gap (&stream->run, next, from, until, &start, &duration)) {
        GST_DEBUG_OBJECT (
            stream->element, "frames are shown in the time of %" GST_PTR_FORMAT, event);
        gst_event_unref (event);
        continue;
      }
      event = about_time (event, start, duration);
    }
    gst_vfi_repeats_add_event (stream, event);
  }
}

/* Whether all of the time that it is about has been shown. */
static gboolean
is_over (GstVfiStream *stream, GstClockTime start, GstClockTime duration)
{
  return !gst_vfi_run_clip_gap (
      &stream->run, NULL, 0, GST_CLOCK_TIME_NONE, &start, &duration);
}

gboolean
gst_vfi_gaps_process (GstVfiStream *stream, GstEvent *event, GstClockTime *closed_at)
{
  GstClockTime start, duration;

  if (!stream->run.open || stream->held == NULL) {
    gst_vfi_gaps_add_event (stream, event);
    return FALSE;
  }
  gst_event_parse_gap (event, &start, &duration);
  if (is_over (stream, start, duration)) {
    gst_event_unref (event);
    return FALSE;
  }
  g_queue_push_tail (&stream->gaps->waiting, event);
  *closed_at = gst_vfi_run_gap_closes_at (&stream->run, start);
  return gst_vfi_run_gap_ends (&stream->run, start, duration);
}

void
gst_vfi_gaps_add_event (GstVfiStream *stream, GstEvent *event)
{
  if (g_queue_is_empty (&stream->gaps->waiting))
    gst_vfi_repeats_add_event (stream, event);
  else
    g_queue_push_tail (&stream->gaps->waiting, event);
}

void
gst_vfi_gaps_resolve (GstVfiStream *stream, const GstVfiFrameTime *next)
{
  let_out (stream, next, 0, GST_CLOCK_TIME_NONE);
}

void
gst_vfi_gaps_release (GstVfiStream *stream, GstClockTime from, GstClockTime until)
{
  let_out (stream, NULL, from, until);
}

GstGapFlags
gst_vfi_gaps_flags (GstVfiStream *stream)
{
  GstGapFlags all = (GstGapFlags) 0, flags;

  for (const GList *link = stream->gaps->waiting.head; link != NULL; link = link->next) {
    if (GST_EVENT_TYPE (link->data) != GST_EVENT_GAP)
      continue;
    gst_event_parse_gap_flags (link->data, &flags);
    all |= flags;
  }
  return all;
}

void
gst_vfi_gaps_clear (GstVfiStream *stream)
{
  GstEvent *event;

  while ((event = g_queue_pop_head (&stream->gaps->waiting)) != NULL) {
    if (gst_vfi_keeps (GST_VFI_KEEP_OVER_FLUSH, event))
      gst_pad_store_sticky_event (stream->srcpad, event);
    gst_event_unref (event);
  }
}
