/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers follow from those of the pad on the other side. The arithmetic is in caps.c. */
#include "stream/caps_query.h"

#include "cuda/stream_context.h"
#include "pure/caps.h"
#include "pure/decide.h"

GstVfiCapsOptions
gst_vfi_query_caps_options (GstVfiStream *stream)
{
  GstVfiSettings settings = gst_vfi_stream_settings (stream);

  return (GstVfiCapsOptions){
      .multiplier = settings.multiplier,
      .largest_of_pairs = settings.largest_of_pairs,
      .pass_unsupported = settings.unsupported == GST_VFI_UNSUPPORTED_PASSTHROUGH,
  };
}

/* @caps (taken) without memory that the stream cannot work on. */
static GstCaps *
without_useless_cuda (GstVfiStream *stream, GstCaps *caps)
{
  g_autofree gchar *device = gst_vfi_stream_device (stream);
  g_autoptr (VfiModel) model = NULL;
  GstVfiCudaUse use = {.device = device};

  g_mutex_lock (&stream->lock);
  use.precision = (VfiPrecision) stream->settings->precision;
  model = stream->model != NULL ? vfi_model_ref (stream->model) : NULL;
  g_mutex_unlock (&stream->lock);
  use.model = model;
  return gst_vfi_cuda_filter_caps (stream->cuda, &use, caps);
}

/* What @pad can do: its template, limited to what can be made of what the other pad's
 * peer accepts. */
static GstCaps *
query_caps (GstVfiStream *stream, GstPad *pad, GstCaps *filter)
{
  GstVfiCapsOptions options = gst_vfi_query_caps_options (stream);
  gboolean is_sink = pad == stream->sinkpad;
  GstPad *other = is_sink ? stream->srcpad : stream->sinkpad;
  g_autoptr (GstCaps) template = gst_pad_get_pad_template_caps (pad);
  g_autoptr (GstCaps) peer_filter = NULL;
  g_autoptr (GstCaps) peer = NULL;
  g_autoptr (GstCaps) known = NULL;
  g_autoptr (GstCaps) possible = NULL;

  if (filter != NULL) {
    g_autoptr (GstCaps) wanted = gst_caps_intersect (filter, template);
    peer_filter =
        gst_vfi_caps_transform (GST_PAD_DIRECTION (pad), wanted, NULL, &options);
  }
  peer = gst_pad_peer_query_caps (other, peer_filter);
  known = gst_caps_intersect_full (peer, template, GST_CAPS_INTERSECT_FIRST);
  possible = gst_vfi_caps_transform (GST_PAD_DIRECTION (other), known, filter, &options);
  return without_useless_cuda (
      stream, gst_caps_intersect_full (possible, template, GST_CAPS_INTERSECT_FIRST));
}

/* Video that the CAPS query does not offer is accepted here all the same, because the
 * CAPS event can say why it is refused; from here upstream would only learn that it
 * is. */
static gboolean
accept_caps (GstVfiStream *stream, GstPad *pad, GstCaps *caps)
{
  g_autoptr (GstCaps) possible = query_caps (stream, pad, caps);
  GstVideoInfo info;

  return gst_caps_can_intersect (caps, possible) ||
         (pad == stream->sinkpad && gst_video_info_from_caps (&info, caps));
}

/* Converts a number of frames of the input to frames of the output, or back. */
static gboolean
convert_frames (GstVfiStream *stream, gboolean to_output, gint64 *frames)
{
  GstVfiCapsDecision decision;
  GstVideoInfo in, out;
  gboolean known;

  g_mutex_lock (&stream->lock);
  known = stream->negotiated.rates_known;
  in = stream->negotiated.info;
  out = stream->negotiated.out_info;
  decision = stream->negotiated.decision;
  g_mutex_unlock (&stream->lock);
  return known && gst_vfi_caps_convert_frames (&in, &out, &decision, to_output, frames);
}

/* Duration and position are the same on both sides in every format but frames. */
static gboolean
query_frames (GstVfiStream *stream, GstQuery *query)
{
  gboolean is_duration = GST_QUERY_TYPE (query) == GST_QUERY_DURATION;
  GstFormat format;
  gint64 frames;

  if (!gst_pad_peer_query (stream->sinkpad, query))
    return FALSE;
  if (is_duration)
    gst_query_parse_duration (query, &format, &frames);
  else
    gst_query_parse_position (query, &format, &frames);
  if (format != GST_FORMAT_DEFAULT)
    return TRUE;
  if (!convert_frames (stream, TRUE, &frames))
    return FALSE;
  if (is_duration)
    gst_query_set_duration (query, format, frames);
  else
    gst_query_set_position (query, format, frames);
  return TRUE;
}

gboolean
gst_vfi_query_answer (GstVfiStream *stream, GstPad *pad, GstQuery *query)
{
  g_autoptr (GstCaps) result = NULL;
  GstCaps *caps;

  switch (GST_QUERY_TYPE (query)) {
    case GST_QUERY_CAPS:
      gst_query_parse_caps (query, &caps);
      result = query_caps (stream, pad, caps);
      gst_query_set_caps_result (query, result);
      return TRUE;
    case GST_QUERY_ACCEPT_CAPS:
      gst_query_parse_accept_caps (query, &caps);
      gst_query_set_accept_caps_result (query, accept_caps (stream, pad, caps));
      return TRUE;
    case GST_QUERY_DURATION:
    case GST_QUERY_POSITION:
      if (pad == stream->srcpad)
        return query_frames (stream, query);
      break;
    case GST_QUERY_CONTEXT:
      if (gst_vfi_cuda_answer (stream->cuda, query))
        return TRUE;
      break;
    default:
      break;
  }
  return gst_pad_query_default (pad, GST_OBJECT (stream->element), query);
}
