/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/live.h"

#include "pure/latency.h"

GstVfiLive *
gst_vfi_live_new (void)
{
  GstVfiLive *live = g_new (GstVfiLive, 1);

  *live = (GstVfiLive){
      .frame = GST_VFI_LATENCY_ASSUMED_FRAME,
      .out_frame = GST_VFI_LATENCY_ASSUMED_FRAME,
      .total = GST_CLOCK_TIME_NONE,
      .pipeline_latency = GST_CLOCK_TIME_NONE,
  };
  return live;
}

void
gst_vfi_live_forget_locked (GstVfiStream *stream)
{
  stream->live->own_latency = 0;
  stream->live->total = GST_CLOCK_TIME_NONE;
  stream->live->pipeline_latency = GST_CLOCK_TIME_NONE;
}

/* Before PLAYING and after it the base time is not that of the frames to come. */
static GstClock *
ref_clock (GstVfiStream *stream, GstClockTime *base_time)
{
  GstElement *element = stream->element;
  GstClock *clock = NULL;

  GST_OBJECT_LOCK (element);
  if (GST_STATE (element) == GST_STATE_PLAYING && GST_ELEMENT_CLOCK (element) != NULL)
    clock = gst_object_ref (GST_ELEMENT_CLOCK (element));
  if (base_time != NULL)
    *base_time = element->base_time;
  GST_OBJECT_UNLOCK (element);
  return clock;
}

GstClockTime
gst_vfi_live_now (GstVfiStream *stream, GstClockTime *base_time)
{
  g_autoptr (GstClock) clock = ref_clock (stream, base_time);

  return clock != NULL ? gst_clock_get_time (clock) : GST_CLOCK_TIME_NONE;
}

GstClockTime
gst_vfi_live_running_time (const GstSegment *segment, GstClockTime pts)
{
  if (segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  return gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
}

gboolean
gst_vfi_live_ask_upstream (GstVfiStream *stream)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = FALSE;

  if (gst_pad_peer_query (stream->sinkpad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  g_mutex_lock (&stream->lock);
  stream->live->live = live;
  g_mutex_unlock (&stream->lock);
  return live;
}

void
gst_vfi_live_note_latency (GstVfiStream *stream, GstEvent *event)
{
  GstClockTime latency;

  gst_event_parse_latency (event, &latency);
  g_mutex_lock (&stream->lock);
  stream->live->pipeline_latency = latency;
  g_mutex_unlock (&stream->lock);
}
