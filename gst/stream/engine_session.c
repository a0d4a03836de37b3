/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/engine_session.h"

#include "cuda/cuda_library.h"
#include "stream/live.h"
#include "stream/overlay_mask.h"
#include "stream/own_latency.h"
#include "stream/rungs.h"

#define GST_CAT_DEFAULT gst_vfi_debug

struct _GstVfiEngineSession {
  /* Guarded by the stream's lock; replaced by the streaming thread only, which need not
   * take the lock to read them. */
  VfiSession *session;
  GstObject *cuda;      /* the context that it works in, which it must not outlive */
  VfiSessionStats base; /* what it had counted at the last reset-stats */

  /* Owned by the streaming thread. */
  GstVfiBuild *build; /* of the session to come, or NULL */
  VfiVideoInfo video; /* what the session is, or will be, made for */
  gdouble scale;
  gint overlay;         /* VfiOverlay */
  gchar *overlay_path;  /* property overlay-mask, or NULL */
  GBytes *overlay_mask; /* its pixels, or NULL: it names none */
  gpointer cuda_handle;
  gboolean failed;      /* it will not work any more */
  guint failures;       /* without a picture in between */
  gboolean told_scale;  /* that the model has none */
  gdouble warned_scale; /* values that there was a warning about */
  guint warned_tile_size;
  GstVfiBuildSession build_session;
  gpointer build_session_data;
};

GstVfiEngineSession *
gst_vfi_engine_session_new (void)
{
  GstVfiEngineSession *self = g_new0 (GstVfiEngineSession, 1);

  self->build_session = gst_vfi_build_session;
  return self;
}

void
gst_vfi_session_set_builder (
    GstVfiStream *stream, GstVfiBuildSession build_session, gpointer user_data)
{
  stream->session->build_session = build_session;
  stream->session->build_session_data = user_data;
}

VfiSession *
gst_vfi_session_current (const GstVfiStream *stream)
{
  return stream->session->session;
}

VfiSession *
gst_vfi_session_ref (GstVfiStream *stream, GstObject **cuda)
{
  VfiSession *session = NULL;

  *cuda = NULL;
  g_mutex_lock (&stream->lock);
  if (stream->session->session != NULL)
    session = vfi_session_ref (stream->session->session);
  if (stream->session->cuda != NULL)
    *cuda = gst_object_ref (stream->session->cuda);
  g_mutex_unlock (&stream->lock);
  return session;
}

VfiSessionStats
gst_vfi_session_base_locked (const GstVfiStream *stream)
{
  return stream->session->base;
}

void
gst_vfi_session_set_base_locked (
    GstVfiStream *stream, const VfiSession *session, const VfiSessionStats *base)
{
  if (stream->session->session == session)
    stream->session->base = *base;
}

static void
wake (void *stream)
{
  gst_vfi_stream_wake (stream);
}

/* @cuda is the context that the session works in, or NULL. */
static void
set_session (GstVfiStream *stream, VfiSession *session, GstObject *cuda)
{
  GstVfiEngineSession *self = stream->session;
  VfiSession *old;
  GstObject *old_cuda;

  if (session != NULL) {
    VfiSessionStats stats;
    vfi_session_get_stats (session, &stats);
    GST_CAT_INFO_OBJECT (gst_vfi_memory_debug, stream->element,
        "new session: %" G_GSIZE_FORMAT " bytes of working memory, %" G_GSIZE_FORMAT
        " of packed weights",
        stats.arena_bytes, stats.packed_weight_bytes);
    vfi_session_set_notify (session, wake, stream);
    vfi_session_set_cleanup_interval (
        session, gst_vfi_stream_settings (stream).clear_cache_after_n_pairs);
  }
  g_mutex_lock (&stream->lock);
  old = self->session;
  self->session = session;
  old_cuda = self->cuda;
  self->cuda = cuda != NULL ? gst_object_ref (cuda) : NULL;
  self->base = (VfiSessionStats){0};
  g_mutex_unlock (&stream->lock);
  if (session != NULL)
    gst_vfi_cuda_release_hold (stream->cuda);
  if (old != NULL)
    vfi_session_set_notify (old, NULL, NULL);
  /* Callers of release reuse the memory, so wait; jobs of a session that is replaced may
   * finish. */
  if (old != NULL && session == NULL)
    vfi_session_wait (old);
  vfi_session_unref (old);
  gst_clear_object (&old_cuda);
}

void
gst_vfi_session_set_cleanup_interval (GstVfiStream *stream, guint n_pairs)
{
  if (stream->session->session != NULL)
    vfi_session_set_cleanup_interval (stream->session->session, n_pairs);
  gst_vfi_rungs_set_cleanup_interval (stream, n_pairs);
}

/* Builds. */

static gpointer
wanted_cuda_handle (const GstVfiStream *stream)
{
  return stream->pictures.cuda != NULL ? gst_vfi_cudamem_handle (stream->pictures.cuda)
                                       : NULL;
}

static gboolean
same_video (const VfiVideoInfo *a, const VfiVideoInfo *b)
{
  return a->format == b->format && a->width == b->width && a->height == b->height &&
         a->matrix == b->matrix && a->range == b->range &&
         a->chroma_site == b->chroma_site;
}

/* What a session for @video is built of; returns the device's name, which it points
 * to. */
static gchar *
describe (GstVfiStream *stream, const VfiVideoInfo *video, gdouble scale, gboolean live,
    GstVfiBuildInput *input)
{
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  gchar *device = gst_vfi_stream_device (stream);
  const guint8 *mask = stream->session->overlay_mask != NULL
                           ? g_bytes_get_data (stream->session->overlay_mask, NULL)
                           : NULL;

  *input = (GstVfiBuildInput){
      .model = stream->model,
      .cuda = stream->pictures.cuda,
      .overlay_mask = stream->session->overlay_mask,
      .pool_bytes = gst_vfi_pictures_need (&stream->pictures, GST_VFI_MAX_JOBS + 1,
          2 + gst_vfi_stream_neighbours (stream) + stream->negotiated.max_in_flight),
      .config =
          {
              .video = *video,
              .scale = scale,
              .device = device,
              .cuda_context = wanted_cuda_handle (stream),
              .threads = settings.threads,
              .precision = (VfiPrecision) settings.precision,
              .feature_storage = (VfiFeatureStorage) settings.feature_storage,
              .memory_headroom = settings.memory_headroom,
              .memory_limit = settings.memory_limit,
              .tile_size = settings.tile_size,
              .live = live,
              .overlay = (VfiOverlay) settings.overlay,
              .overlay_mask = mask,
          },
      .build_session = stream->session->build_session,
      .build_session_data = stream->session->build_session_data,
  };
  return device;
}

gchar *
gst_vfi_session_describe (GstVfiStream *stream, GstVfiBuildInput *input)
{
  GstVfiEngineSession *self = stream->session;
  gboolean live;

  g_mutex_lock (&stream->lock);
  live = stream->live->live;
  g_mutex_unlock (&stream->lock);
  return describe (stream, &self->video, self->scale, live, input);
}

static GstVfiBuild *
new_build (GstVfiStream *stream, const VfiVideoInfo *video, gdouble scale, gboolean live)
{
  GstVfiBuildInput input;
  gchar *device = describe (stream, video, scale, live, &input);
  GstVfiBuild *build = gst_vfi_build_new (&input);

  g_free (device);
  return build;
}

static void
post_progress (GstVfiStream *stream, GstProgressType type, const char *text)
{
  gst_element_post_message (stream->element,
      gst_message_new_progress (GST_OBJECT (stream->element), type, "session", text));
}

/* Takes over the result of a build that is done, and frees it. */
static gboolean
finish_build (GstVfiStream *stream, GstVfiBuild *build, GError **error)
{
  VfiSession *session = gst_vfi_build_take (build, error);

  if (session != NULL)
    set_session (stream, session, gst_vfi_build_input (build)->cuda);
  gst_vfi_build_free (build);
  return session != NULL;
}

static gboolean
start_build_aside (GstVfiStream *stream, GstVfiBuild *build, GError **error)
{
  if (!gst_vfi_build_start (build, wake, stream, error)) {
    gst_vfi_build_free (build);
    return FALSE;
  }
  stream->session->build = build;
  post_progress (stream, GST_PROGRESS_TYPE_START, "Building the model for this video.");
  return TRUE;
}

/* Where there was no memory beside lower rungs, which are there first, builds once more
 * without them. Returns whether it does. */
static gboolean
build_again (GstVfiStream *stream, const GError *failure)
{
  GstVfiEngineSession *self = stream->session;
  GstVfiBuild *build;

  if (!g_error_matches (failure, VFI_ERROR, VFI_ERROR_NO_MEMORY) ||
      !gst_vfi_rungs_give_way (stream))
    return FALSE;
  GST_INFO_OBJECT (
      stream->element, "trying again without lower rungs: %s", failure->message);
  build = new_build (stream, &self->video, self->scale, TRUE);
  if (gst_vfi_build_start (build, wake, stream, NULL))
    self->build = build;
  else
    gst_vfi_build_free (build);
  return self->build != NULL;
}

gboolean
gst_vfi_session_poll (GstVfiStream *stream, GError **error)
{
  GstVfiEngineSession *self = stream->session;
  g_autoptr (GError) failure = NULL;
  gboolean ok;

  if (self->build == NULL || !gst_vfi_build_is_done (self->build))
    return TRUE;
  ok = finish_build (stream, g_steal_pointer (&self->build), &failure);
  if (!ok && build_again (stream, failure))
    return TRUE;
  post_progress (stream, ok ? GST_PROGRESS_TYPE_COMPLETE : GST_PROGRESS_TYPE_ERROR,
      ok ? "The model is ready." : "The model could not be built for this video.");
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&failure));
  return ok;
}

void
gst_vfi_session_release (GstVfiStream *stream)
{
  gst_vfi_rungs_release (stream);
  set_session (stream, NULL, NULL);
  g_clear_pointer (&stream->session->overlay_path, g_free);
  g_clear_pointer (&stream->session->overlay_mask, g_bytes_unref);
  if (stream->session->build == NULL)
    return;
  gst_vfi_build_free (g_steal_pointer (&stream->session->build));
  post_progress (stream, GST_PROGRESS_TYPE_CANCELED, "The model is not needed any more.");
}

/* Values that no network works with are replaced by the nearest ones. Says so once for
 * each value. */
static void
warn_of_settings (GstVfiStream *stream, const GstVfiSettings *settings)
{
  const VfiModelInfo *info = vfi_model_info (stream->model);
  GstVfiEngineSession *self = stream->session;
  gdouble scale = info->has_scale ? settings->scale_asked : 0;
  guint tile = info->can_tile ? settings->tile_size : 0;

  if (scale > 0 && scale < 0.25 && self->warned_scale != scale)
    GST_ELEMENT_WARNING (stream->element, LIBRARY, SETTINGS,
        ("scale=%g is not possible: 0.25, the smallest, is used. Valid are 0 (by frame "
         "size) and 0.25 to 4.",
            scale),
        (NULL));
  if (tile != 0 && (tile < 256 || tile % 64 != 0) && self->warned_tile_size != tile)
    GST_ELEMENT_WARNING (stream->element, LIBRARY, SETTINGS,
        ("tile-size=%u is not possible: %u is used. Valid are 0 (tiles only where "
         "memory-limit demands them) and multiples of 64 from 256 on (512 at scale 0.5, "
         "1024 at 0.25).",
            tile, MAX (tile / 64 * 64, 256)),
        (NULL));
  self->warned_scale = scale;
  self->warned_tile_size = tile;
}

static void
tell_of_scale (GstVfiStream *stream, gdouble scale)
{
  const VfiModelInfo *info = vfi_model_info (stream->model);

  if (stream->session->told_scale || scale == 1 || info->has_scale)
    return;
  GST_INFO_OBJECT (
      stream->element, "model %s has no flow scale; `scale` is ignored", info->name);
  stream->session->told_scale = TRUE;
}

/* Takes over the mask that property overlay-mask names for @video. */
static void
take_overlay_mask (GstVfiStream *stream, const VfiVideoInfo *video)
{
  GstVfiEngineSession *self = stream->session;

  self->overlay_path = gst_vfi_stream_overlay_mask (stream);
  self->overlay_mask = gst_vfi_overlay_mask_read (
      stream->element, self->overlay_path, video->width, video->height);
}

/* Whether a live pipeline need not wait for the session. */
static gboolean
takes_long (const GstVfiStream *stream)
{
  return stream->session->build_session != gst_vfi_build_session ||
         vfi_model_info (stream->model)->weight_bytes != 0;
}

gboolean
gst_vfi_session_ensure (GstVfiStream *stream, GError **error)
{
  VfiVideoInfo video = gst_vfi_format_video_info (&stream->pictures.path.inner);
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  g_autofree gchar *overlay_path = gst_vfi_stream_overlay_mask (stream);
  GstVfiEngineSession *self = stream->session;
  GstVfiBuild *build;
  gboolean live;

  tell_of_scale (stream, settings.scale);
  if ((self->session != NULL || self->build != NULL) && settings.scale == self->scale &&
      settings.overlay == self->overlay &&
      g_strcmp0 (overlay_path, self->overlay_path) == 0 &&
      same_video (&video, &self->video) &&
      self->cuda_handle == wanted_cuda_handle (stream))
    return TRUE;
  warn_of_settings (stream, &settings);
  gst_vfi_session_release (stream);
  gst_vfi_own_latency_forget_costs (stream);
  live = gst_vfi_live_ask_upstream (stream);
  take_overlay_mask (stream, &video);
  build = new_build (stream, &video, settings.scale, live);
  self->video = video;
  self->scale = settings.scale;
  self->overlay = settings.overlay;
  self->cuda_handle = wanted_cuda_handle (stream);
  if (live && takes_long (stream))
    return start_build_aside (stream, build, error);
  gst_vfi_build_run (build);
  return finish_build (stream, build, error);
}

/* Failures. */

/* Retry once; a second failure in a row is treated as permanent. */
#define MAX_FAILURES 2

void
gst_vfi_session_note_failure (
    GstVfiStream *stream, const VfiSession *session, const GError *error)
{
  if (session == NULL || session != stream->session->session ||
      !g_error_matches (error, VFI_ERROR, VFI_ERROR_BACKEND))
    return;
  stream->session->failed = TRUE;
}

void
gst_vfi_session_note_success (GstVfiStream *stream, const VfiSession *session)
{
  if (session == stream->session->session)
    stream->session->failures = 0;
}

void
gst_vfi_session_forget_failures (GstVfiStream *stream)
{
  stream->session->failures = 0;
}

gboolean
gst_vfi_session_mend (GstVfiStream *stream, GError **error)
{
  GstVfiEngineSession *self = stream->session;

  if (!self->failed)
    return TRUE;
  self->failed = FALSE;
  self->failures++;
  gst_vfi_session_release (stream);
  if (self->failures < MAX_FAILURES)
    return gst_vfi_session_ensure (stream, error);
  g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND,
      "the device failed %u times in a row; other caps or properties make it be tried "
      "again",
      self->failures);
  return FALSE;
}
