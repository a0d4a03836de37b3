/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/state.h"

void
gst_vfi_stream_wake_locked (GstVfiStream *stream)
{
  stream->wake_count++;
  g_cond_broadcast (&stream->changed);
}

void
gst_vfi_stream_wake (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gst_vfi_stream_wake_locked (stream);
  g_mutex_unlock (&stream->lock);
}

gboolean
gst_vfi_stream_is_flushing (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gboolean flushing = stream->closed != 0 || stream->reset_due;
  g_mutex_unlock (&stream->lock);
  return flushing;
}

void
gst_vfi_stream_count_drops (GstVfiStream *stream, guint64 count)
{
  g_mutex_lock (&stream->lock);
  stream->counters.drop += count;
  g_mutex_unlock (&stream->lock);
}

GstVfiSettings
gst_vfi_stream_settings (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  GstVfiSettings settings = gst_vfi_settings_without_texts (stream->settings);
  g_mutex_unlock (&stream->lock);
  return settings;
}

gchar *
gst_vfi_stream_device (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gchar *device = g_strdup (stream->settings->device);
  g_mutex_unlock (&stream->lock);
  return device;
}

gchar *
gst_vfi_stream_overlay_mask (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gchar *path = g_strdup (stream->settings->overlay_mask);
  g_mutex_unlock (&stream->lock);
  return path;
}

guint
gst_vfi_stream_max_repeats (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  guint n_repeats = gst_vfi_settings_max_repeats (stream->settings);
  g_mutex_unlock (&stream->lock);
  return n_repeats;
}

guint
gst_vfi_stream_neighbours (const GstVfiStream *stream)
{
  const VfiModelInfo *info = vfi_model_info (stream->model);

  return (guint) (info->frames_before + info->frames_after);
}
