/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decides about pass-through and about failures of the engine. */
#include "stream/fallback.h"

#include "stream/engine_session.h"

#define GST_CAT_DEFAULT gst_vfi_debug

gboolean
gst_vfi_fallback_wants_bypass (const GstVfiStream *stream, const GstVfiSettings *settings)
{
  const GstVideoInfo *info = &stream->negotiated.info;
  guint64 pixels =
      (guint64) GST_VIDEO_INFO_WIDTH (info) * (guint64) GST_VIDEO_INFO_HEIGHT (info);

  if (stream->negotiated.engine_failed &&
      settings->on_error == GST_VFI_ON_ERROR_PASSTHROUGH)
    return TRUE;
  if (settings->bypass_pixels != 0 && pixels > settings->bypass_pixels)
    return TRUE;
  return settings->bypass_framerate.num != 0 && !gst_vfi_caps_is_variable (info) &&
         gst_util_fraction_compare (GST_VIDEO_INFO_FPS_N (info),
             GST_VIDEO_INFO_FPS_D (info), settings->bypass_framerate.num,
             settings->bypass_framerate.den) > 0;
}

gboolean
gst_vfi_fallback_engine_failed (
    GstVfiStream *stream, const GError *error, const char *what)
{
  gint on_error = gst_vfi_stream_settings (stream).on_error;

  if (on_error == GST_VFI_ON_ERROR_ERROR) {
    if (g_error_matches (error, VFI_ERROR, VFI_ERROR_NO_MEMORY))
      GST_ELEMENT_ERROR (
          stream->element, RESOURCE, NO_SPACE_LEFT, ("%s", error->message), ("%s", what));
    else
      GST_ELEMENT_ERROR (
          stream->element, LIBRARY, FAILED, ("%s", error->message), ("%s", what));
    return FALSE;
  }
  if (!stream->negotiated.engine_failed)
    GST_ELEMENT_WARNING (stream->element, LIBRARY, FAILED, ("%s", error->message),
        ("%s; on-error lets the stream go on", what));
  stream->negotiated.engine_failed = TRUE;
  if (on_error == GST_VFI_ON_ERROR_PASSTHROUGH)
    gst_pad_mark_reconfigure (stream->srcpad);
  return TRUE;
}

void
gst_vfi_fallback_forget (GstVfiStream *stream)
{
  stream->negotiated.engine_failed = FALSE;
  gst_vfi_session_forget_failures (stream);
}
