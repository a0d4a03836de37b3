/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which output caps are chosen, in what order the rest follows, and what is said when
 * nothing can be chosen. The arithmetic is in caps.c and decide.c. */
#include "stream/negotiate.h"

#include "cuda/stream_context.h"
#include "pure/nominal.h"
#include "stream/allocation.h"
#include "stream/caps_query.h"
#include "stream/engine_session.h"
#include "stream/fallback.h"
#include "stream/live.h"
#include "stream/own_latency.h"
#include "stream/retire.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiNegotiation {
  gchar *reported;             /* the refusal that an error was posted about */
  gboolean warned_multipliers; /* once for the same caps and properties */
  gboolean in_cuda;            /* the input is in CUDA memory */
};

GstVfiNegotiation *
gst_vfi_negotiation_new (void)
{
  return g_new0 (GstVfiNegotiation, 1);
}

static void
set_pool (GstVfiStream *stream, GstBufferPool *pool)
{
  GstBufferPool *old = stream->pictures.out_pool;
  gboolean flushing;

  /* A flush that came before could tell only the old pool. */
  g_mutex_lock (&stream->gate);
  g_mutex_lock (&stream->lock);
  stream->pictures.out_pool = stream->out_pool = pool;
  flushing = stream->closed != 0;
  g_mutex_unlock (&stream->lock);
  if (pool != NULL && flushing)
    gst_buffer_pool_set_flushing (pool, TRUE);
  g_mutex_unlock (&stream->gate);
  if (old != NULL && old != pool)
    gst_buffer_pool_set_active (old, FALSE);
  gst_clear_object (&old);
}

/* Readies the engine, before caps are announced that promise its work. When it fails and
 * on-error lets the stream go on, copies will do. */
static GstFlowReturn
prepare_engine (GstVfiStream *stream)
{
  g_autofree gchar *device = gst_vfi_stream_device (stream);
  g_autoptr (GstObject) cuda = NULL;
  g_autoptr (GError) error = NULL;

  if (stream->negotiation->in_cuda && !gst_vfi_cuda_ensure (stream->cuda, device)) {
    GST_ELEMENT_ERROR (stream->element, RESOURCE, OPEN_READ_WRITE,
        ("Frames come in CUDA memory, but there is no CUDA context."),
        ("neither neighbours nor the application have one, and none could be made"));
    return GST_FLOW_ERROR;
  }
  cuda = stream->negotiation->in_cuda ? gst_vfi_cuda_ref_context (stream->cuda) : NULL;
  if (stream->held == NULL &&
      !gst_vfi_pictures_set_format (&stream->pictures, &stream->negotiated.info, cuda)) {
    GST_ELEMENT_ERROR (stream->element, STREAM, FORMAT, (NULL),
        ("no way to convert %s", GST_VIDEO_INFO_NAME (&stream->negotiated.info)));
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (stream->negotiated.only_copies) {
    gst_vfi_session_release (stream);
    return GST_FLOW_OK;
  }
  if (gst_vfi_session_ensure (stream, &error))
    return GST_FLOW_OK;
  stream->negotiated.only_copies = TRUE;
  return gst_vfi_fallback_engine_failed (stream, error, "no session for this video")
             ? GST_FLOW_OK
             : GST_FLOW_ERROR;
}

static GstFlowReturn
prepare_pool (GstVfiStream *stream, GstCaps *out)
{
  gint in_flight = gst_vfi_stream_settings (stream).max_in_flight;
  GstVideoInfo info;
  GstBufferPool *pool;
  gboolean live;

  live = gst_vfi_live_ask_upstream (stream);
  if (in_flight < 0)
    in_flight = live ? 1 : 2;
  stream->negotiated.max_in_flight = (guint) MAX (in_flight, 1);
  if (!gst_video_info_from_caps (&info, out))
    return GST_FLOW_NOT_NEGOTIATED;
  pool = gst_vfi_alloc_decide (stream->srcpad, out, &info, GST_VFI_MAX_JOBS + 1,
      &stream->negotiated.video_meta, stream->pictures.pool_bytes, stream->pictures.cuda);
  if (pool == NULL) {
    GST_ELEMENT_ERROR (stream->element, RESOURCE, NO_SPACE_LEFT, (NULL),
        ("no buffer pool for %" GST_PTR_FORMAT, out));
    return GST_FLOW_ERROR;
  }
  set_pool (stream, pool);
  return GST_FLOW_OK;
}

/* Posts an error once: refused caps are sent again with every buffer. */
static void
report (GstVfiStream *stream, GstStreamError code, const char *reason, GstCaps *caps)
{
  g_autofree gchar *description = gst_caps_to_string (caps);
  g_autofree gchar *text = g_strdup_printf ("%s: %s", reason, description);

  if (g_strcmp0 (stream->negotiation->reported, text) == 0)
    return;
  g_free (stream->negotiation->reported);
  stream->negotiation->reported = g_steal_pointer (&text);
  gst_element_message_full (stream->element, GST_MESSAGE_ERROR, GST_STREAM_ERROR, code,
      g_strdup (reason), g_strdup_printf ("caps %s", description), __FILE__, GST_FUNCTION,
      __LINE__);
}

static GstFlowReturn
refuse (GstVfiStream *stream, const char *reason)
{
  GST_WARNING_OBJECT (stream->element, "not negotiated: %s", reason);
  gst_pad_mark_reconfigure (stream->srcpad);
  return GST_PAD_IS_FLUSHING (stream->srcpad) ? GST_FLOW_FLUSHING
                                              : GST_FLOW_NOT_NEGOTIATED;
}

/* Downstream accepts nothing that the input can become. */
static GstFlowReturn
refuse_rates (GstVfiStream *stream, const GstVfiCapsOptions *options)
{
  g_autoptr (GstCaps) taken = gst_pad_peer_query_caps (stream->srcpad, NULL);
  g_autofree gchar *reason = gst_vfi_caps_explain (
      &stream->negotiated.info, stream->negotiated.sink_caps, taken, options);
  GstFlowReturn ret = refuse (stream, reason);

  if (ret == GST_FLOW_NOT_NEGOTIATED)
    report (stream, GST_STREAM_ERROR_FORMAT, reason, stream->negotiated.sink_caps);
  return ret;
}

static GstCaps *
choose_caps (GstVfiStream *stream, GstVfiCapsOptions *options)
{
  g_autoptr (GstCaps) possible =
      gst_vfi_caps_transform (GST_PAD_SINK, stream->negotiated.sink_caps, NULL, options);
  GstCaps *candidates = gst_pad_peer_query_caps (stream->srcpad, possible);

  options->rate_is_fixed = gst_vfi_caps_rate_is_fixed (candidates);
  if (!gst_caps_is_empty (candidates))
    return gst_vfi_caps_fixate (stream->negotiated.sink_caps, candidates, options);
  gst_caps_unref (candidates);
  return NULL;
}

static gboolean
push_caps (GstVfiStream *stream, GstCaps *caps)
{
  g_autoptr (GstCaps) current = gst_pad_get_current_caps (stream->srcpad);

  if ((current == NULL || !gst_caps_is_equal (current, caps)) &&
      !gst_pad_set_caps (stream->srcpad, caps))
    return FALSE;
  gst_vfi_retire_push_early_segment (stream);
  return TRUE;
}

/* Frames that are to pass through keep the input's own rate; where downstream wants
 * another one, copies make up the difference. */
static GstFlowReturn
choose (GstVfiStream *stream, GstVfiChoice *choice)
{
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  GstVfiCapsOptions options = gst_vfi_query_caps_options (stream);

  stream->negotiated.only_copies = gst_vfi_fallback_wants_bypass (stream, &settings);
  if (stream->negotiated.only_copies)
    options.multiplier = 1;
  choice->out = choose_caps (stream, &options);
  if (choice->out == NULL || !gst_video_info_from_caps (&choice->info, choice->out))
    return refuse_rates (stream, &options);
  if (gst_vfi_caps_decide (&stream->negotiated.info, &choice->info, &options,
          &choice->decision, NULL) == GST_VFI_MODE_REFUSE)
    return refuse_rates (stream, &options);
  return GST_FLOW_OK;
}

/* The engine is readied before caps promise its work. When it fails, on-error may ask for
 * another choice. */
static GstFlowReturn
choose_what_works (GstVfiStream *stream, GstVfiChoice *choice)
{
  GstFlowReturn ret = choose (stream, choice);
  gboolean had_failed = stream->negotiated.engine_failed;

  if (ret != GST_FLOW_OK || choice->decision.mode == GST_VFI_MODE_PASSTHROUGH)
    return ret;
  ret = prepare_engine (stream);
  if (ret != GST_FLOW_OK || had_failed || !stream->negotiated.engine_failed)
    return ret;
  gst_clear_caps (&choice->out);
  ret = choose (stream, choice);
  stream->negotiated.only_copies = TRUE;
  return ret;
}

/* Once for the same caps and properties. */
static void
warn_of_multipliers (GstVfiStream *stream)
{
  if (stream->negotiated.decision.multipliers_ignored &&
      !stream->negotiation->warned_multipliers)
    GST_ELEMENT_WARNING (stream->element, STREAM, FORMAT,
        ("multipliers is ignored, because downstream takes a fixed frame rate only."),
        ("output caps %" GST_PTR_FORMAT, stream->negotiated.sink_caps));
  stream->negotiation->warned_multipliers =
      stream->negotiated.decision.multipliers_ignored;
}

static GstFlowReturn
apply (GstVfiStream *stream, const GstVfiChoice *choice)
{
  if (!push_caps (stream, choice->out))
    return refuse (stream, "downstream refused the caps");
  g_mutex_lock (&stream->lock);
  stream->negotiated.out_info = choice->info;
  stream->negotiated.decision = choice->decision;
  stream->negotiated.rates_known = TRUE;
  g_mutex_unlock (&stream->lock);
  stream->negotiated.mode = choice->decision.mode;
  if (!stream->run.open || !choice->decision.per_pair)
    gst_vfi_run_set_multiplier (&stream->run, choice->decision.multiplier);
  gst_vfi_run_set_constant (
      &stream->run, choice->decision.constant_num, choice->decision.constant_den);
  gst_vfi_run_set_grid (
      &stream->run, choice->decision.grid_num, choice->decision.grid_den);
  warn_of_multipliers (stream);
  if (choice->decision.mode != GST_VFI_MODE_PASSTHROUGH)
    return prepare_pool (stream, choice->out);
  gst_vfi_session_release (stream);
  set_pool (stream, NULL);
  gst_vfi_pictures_clear (&stream->pictures);
  return GST_FLOW_OK;
}

GstFlowReturn
gst_vfi_negotiate_choose (GstVfiStream *stream, GstVfiChoice *choice)
{
  stream->negotiated.ready = FALSE;
  return choose_what_works (stream, choice);
}

GstFlowReturn
gst_vfi_negotiate_apply (GstVfiStream *stream, GstVfiChoice *choice, GstFlowReturn ret)
{
  gboolean passes = choice->decision.mode == GST_VFI_MODE_PASSTHROUGH;

  if (ret == GST_FLOW_OK)
    ret = apply (stream, choice);
  stream->negotiated.ready = ret == GST_FLOW_OK;
  if (stream->negotiated.ready)
    g_clear_pointer (&stream->negotiation->reported, g_free);
  gst_vfi_own_latency_configure (stream);
  GST_INFO_OBJECT (stream->element, "%s, multiplier %u, caps %" GST_PTR_FORMAT,
      passes ? "passing through" : "interpolating", choice->decision.multiplier,
      choice->out);
  gst_clear_caps (&choice->out);
  return ret;
}

/* Why nothing can be done with frames of @info, in @caps, whatever downstream is; else
 * NULL. */
static gchar *
explain_input (GstVfiStream *stream, GstCaps *caps, const GstVideoInfo *info)
{
  g_autoptr (GstCaps) possible = gst_pad_get_pad_template_caps (stream->sinkpad);
  gchar *reason = NULL;

  if (gst_vfi_stream_settings (stream).unsupported == GST_VFI_UNSUPPORTED_ERROR)
    gst_vfi_caps_can_interpolate (info, &reason);
  if (reason == NULL && !gst_caps_can_intersect (caps, possible))
    reason = gst_vfi_format_explain (caps, info);
  return reason;
}

/* A pad that was deactivated in between has forgotten them. */
gboolean
gst_vfi_negotiate_is_done_for (GstVfiStream *stream, const GstCaps *caps)
{
  return stream->negotiated.ready &&
         gst_caps_is_equal (caps, stream->negotiated.sink_caps) &&
         gst_pad_has_current_caps (stream->srcpad);
}

GstFlowReturn
gst_vfi_negotiate_set_caps (GstVfiStream *stream, GstCaps *caps)
{
  g_autofree char *reason = NULL;
  GstVfiChoice choice = {0};
  GstVideoInfo info;
  GstFlowReturn ret;
  gboolean variable, had_session = gst_vfi_session_current (stream) != NULL;

  gst_vfi_fallback_forget (stream);
  gst_caps_replace (&stream->negotiated.sink_caps, NULL);
  stream->negotiated.ready = FALSE;
  if (!gst_video_info_from_caps (&info, caps))
    return refuse (stream, "the input caps are not raw video");
  reason = explain_input (stream, caps, &info);
  if (reason != NULL) {
    report (stream, GST_STREAM_ERROR_WRONG_TYPE, reason, caps);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  gst_caps_replace (&stream->negotiated.sink_caps, caps);
  stream->negotiation->in_cuda = gst_vfi_cuda_has_feature (caps);
  g_mutex_lock (&stream->lock);
  stream->negotiated.info = info;
  stream->negotiated.rates_known = FALSE;
  g_mutex_unlock (&stream->lock);
  variable = gst_vfi_caps_is_variable (&info);
  gst_vfi_run_set_rate (&stream->run, variable ? 0 : GST_VIDEO_INFO_FPS_N (&info),
      GST_VIDEO_INFO_FPS_D (&info));
  gst_pad_check_reconfigure (stream->srcpad);
  ret = gst_vfi_negotiate_choose (stream, &choice);
  ret = gst_vfi_negotiate_apply (stream, &choice, ret);
  /* Only now: the new session has taken what it can use of the old one's weights. */
  if (had_session)
    vfi_soft_clear ();
  return ret;
}

void
gst_vfi_negotiate_release (GstVfiStream *stream)
{
  gst_vfi_session_release (stream);
  set_pool (stream, NULL);
  gst_vfi_pictures_clear (&stream->pictures);
  gst_caps_replace (&stream->negotiated.sink_caps, NULL);
  g_clear_pointer (&stream->negotiation->reported, g_free);
  stream->negotiated.ready = FALSE;
  stream->negotiated.mode = GST_VFI_MODE_PASSTHROUGH;
}
