/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds sessions, in this thread or aside. A build aside knows nothing of the stream but
 * how to wake it; its result is taken over between two frames. */
#include "vfisession.h"

#define GST_CAT_DEFAULT gst_vfi_debug

struct _GstVfiBuild {
  VfiModel *model;
  VfiSessionConfig config;
  gchar *device;
  guint64 pool_bytes; /* of memory-limit, for the buffers that are filled */
  GstVfiBuildSession build;
  gpointer build_data;
  GThread *thread; /* NULL: built in the caller's */
  GstVfiStream *stream;
  gint done; /* atomic; the rest below is set before */
  VfiSession *session;
  GError *error;
};

static void
on_job_ended (void *stream)
{
  gst_vfi_stream_wake (stream);
}

static void
set_session (GstVfiStream *stream, VfiSession *session)
{
  VfiSession *old;

  if (session != NULL) {
    VfiSessionStats stats;
    vfi_session_get_stats (session, &stats);
    GST_CAT_INFO_OBJECT (gst_vfi_memory_debug, stream->element,
        "new session: %" G_GSIZE_FORMAT " bytes of working memory, %" G_GSIZE_FORMAT
        " of packed weights",
        stats.arena_bytes, stats.packed_weight_bytes);
    vfi_session_set_notify (session, on_job_ended, stream);
    vfi_session_set_cleanup_interval (
        session, gst_vfi_stream_settings (stream).clear_cache_after_n_pairs);
  }
  g_mutex_lock (&stream->lock);
  old = stream->session;
  stream->session = session;
  stream->session_base = (VfiSessionStats){0};
  g_mutex_unlock (&stream->lock);
  if (old != NULL)
    vfi_session_set_notify (old, NULL, NULL);
  /* What follows a release counts on its memory; jobs of one that is replaced go on. */
  if (old != NULL && session == NULL)
    vfi_session_wait (old);
  vfi_session_unref (old);
}

static gboolean
same_video (const VfiVideoInfo *a, const VfiVideoInfo *b)
{
  return a->format == b->format && a->width == b->width && a->height == b->height &&
         a->matrix == b->matrix && a->range == b->range &&
         a->chroma_site == b->chroma_site;
}

/* Builds. */

VfiSession *
gst_vfi_session_build (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error)
{
  (void) user_data;
  return vfi_session_new (model, config, error);
}

/* What memory-limit leaves for the session. */
static gboolean
take_pools_off_limit (GstVfiBuild *build)
{
  guint64 limit = build->config.memory_limit;

  if (limit == 0)
    return TRUE;
  if (limit <= build->pool_bytes) {
    g_set_error (&build->error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "The buffers for in-betweens of %d×%d need %.1f MiB, but memory-limit is %.1f "
        "MiB. What would help: a larger memory-limit, or smaller frames.",
        build->config.video.width, build->config.video.height,
        (gdouble) build->pool_bytes / 0x1p20, (gdouble) limit / 0x1p20);
    return FALSE;
  }
  build->config.memory_limit = limit - build->pool_bytes;
  return TRUE;
}

static void
build_session (GstVfiBuild *build)
{
  int before, after;

  if (!take_pools_off_limit (build))
    return;
  build->session =
      build->build (build->build_data, build->model, &build->config, &build->error);
  if (build->session == NULL)
    return;
  vfi_session_neighbours (build->session, &before, &after);
  if (before == 1 && after == 1)
    return;
  g_set_error (&build->error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
      "The model needs %d frames before and %d after an in-between; pairs are supported.",
      before, after);
  g_clear_pointer (&build->session, vfi_session_unref);
}

static gpointer
build_aside (gpointer data)
{
  GstVfiBuild *build = data;

  build_session (build);
  g_atomic_int_set (&build->done, TRUE);
  gst_vfi_stream_wake (build->stream);
  return NULL;
}

static GstVfiBuild *
build_new (GstVfiStream *stream, const VfiVideoInfo *video, gdouble scale)
{
  GstVfiBuild *build = g_new0 (GstVfiBuild, 1);

  build->stream = stream;
  build->model = vfi_model_ref (stream->model);
  build->pool_bytes = gst_vfi_pictures_need (
      &stream->pictures, GST_VFI_MAX_JOBS + 1, 2 + stream->max_in_flight);
  build->config = (VfiSessionConfig){.video = *video, .scale = scale};
  build->build = stream->live.build_session;
  build->build_data = stream->live.build_session_data;
  g_mutex_lock (&stream->lock);
  build->config.threads = stream->settings.threads;
  build->config.precision = (VfiPrecision) stream->settings.precision;
  build->config.feature_storage = (VfiFeatureStorage) stream->settings.feature_storage;
  build->config.memory_headroom = stream->settings.memory_headroom;
  build->config.memory_limit = stream->settings.memory_limit;
  build->config.tile_size = stream->settings.tile_size;
  build->device = g_strdup (stream->settings.device);
  g_mutex_unlock (&stream->lock);
  build->config.device = build->device;
  return build;
}

static void
build_free (GstVfiBuild *build)
{
  if (build->thread != NULL)
    g_thread_join (build->thread);
  vfi_model_unref (build->model);
  vfi_session_unref (build->session);
  g_clear_error (&build->error);
  g_free (build->device);
  g_free (build);
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
  VfiSession *session = g_steal_pointer (&build->session);

  stream->session_video = build->config.video;
  stream->session_scale = build->config.scale;
  if (session != NULL) {
    set_session (stream, session);
    gst_vfi_live_forget_costs (stream);
  } else {
    g_propagate_error (error, g_steal_pointer (&build->error));
  }
  build_free (build);
  return session != NULL;
}

static gboolean
start_build_aside (GstVfiStream *stream, GstVfiBuild *build, GError **error)
{
  build->thread = g_thread_try_new ("vfi-build", build_aside, build, error);
  if (build->thread == NULL) {
    build_free (build);
    return FALSE;
  }
  stream->build = build;
  stream->session_video = build->config.video;
  stream->session_scale = build->config.scale;
  post_progress (stream, GST_PROGRESS_TYPE_START, "Building the model for this video.");
  return TRUE;
}

gboolean
gst_vfi_session_poll (GstVfiStream *stream, GError **error)
{
  gboolean ok;

  if (stream->build == NULL || !g_atomic_int_get (&stream->build->done))
    return TRUE;
  ok = finish_build (stream, g_steal_pointer (&stream->build), error);
  post_progress (stream, ok ? GST_PROGRESS_TYPE_COMPLETE : GST_PROGRESS_TYPE_ERROR,
      ok ? "The model is ready." : "The model could not be built for this video.");
  return ok;
}

void
gst_vfi_session_release (GstVfiStream *stream)
{
  set_session (stream, NULL);
  if (stream->build == NULL)
    return;
  build_free (g_steal_pointer (&stream->build));
  post_progress (stream, GST_PROGRESS_TYPE_CANCELED, "The model is not needed any more.");
}

gboolean
gst_vfi_session_ensure (GstVfiStream *stream, GError **error)
{
  VfiVideoInfo video = gst_vfi_format_video_info (&stream->pictures.path.inner);
  gdouble scale = gst_vfi_stream_settings (stream).scale;
  GstVfiBuild *build;

  if (!stream->warned_scale && scale != 1 && !vfi_model_info (stream->model)->has_scale) {
    GST_INFO_OBJECT (stream->element, "model %s has no flow scale; `scale` is ignored",
        vfi_model_info (stream->model)->name);
    stream->warned_scale = TRUE;
  }
  if ((stream->session != NULL || stream->build != NULL) &&
      scale == stream->session_scale && same_video (&video, &stream->session_video))
    return TRUE;
  gst_vfi_session_release (stream);
  build = build_new (stream, &video, scale);
  if (stream->live.builds_aside && gst_vfi_live_ask_upstream (stream))
    return start_build_aside (stream, build, error);
  build_session (build);
  return finish_build (stream, build, error);
}
