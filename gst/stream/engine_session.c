/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds sessions, in this thread or aside. A build aside knows nothing of the stream but
 * how to wake it; its result is taken over between two frames. */
#include "stream/engine_session.h"

#include "cuda/cuda_library.h"

#define GST_CAT_DEFAULT gst_vfi_debug

struct _GstVfiBuild {
  VfiModel *model;
  VfiSessionConfig config;
  gchar *device;
  GstObject *cuda;    /* whose CUcontext the config has, or NULL */
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

/* @cuda is the context that the session works in, or NULL. */
static void
set_session (GstVfiStream *stream, VfiSession *session, GstObject *cuda)
{
  VfiSession *old;
  GstObject *old_cuda;

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
  old_cuda = stream->session_cuda;
  stream->session_cuda = cuda != NULL ? gst_object_ref (cuda) : NULL;
  stream->session_base = (VfiSessionStats){0};
  g_mutex_unlock (&stream->lock);
  if (session != NULL)
    gst_vfi_cuda_release_hold (stream->cuda);
  if (old != NULL)
    vfi_session_set_notify (old, NULL, NULL);
  /* What follows a release counts on its memory; jobs of one that is replaced go on. */
  if (old != NULL && session == NULL)
    vfi_session_wait (old);
  vfi_session_unref (old);
  gst_clear_object (&old_cuda);
}

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

/* Builds. */

VfiSession *
gst_vfi_session_build (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error)
{
  (void) user_data;
  return vfi_session_new (model, config, error);
}

/* "212.7 MiB", "512 bytes"; g_free() it. */
static gchar *
bytes_to_string (guint64 bytes)
{
  return bytes < 1 << 20 ? g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", bytes)
                         : g_strdup_printf ("%.1f MiB", (gdouble) bytes / 0x1p20);
}

/* What memory-limit leaves for the session. */
static gboolean
take_pools_off_limit (GstVfiBuild *build)
{
  guint64 limit = build->config.memory_limit;

  if (limit == 0)
    return TRUE;
  if (limit <= build->pool_bytes) {
    g_autofree gchar *needed = bytes_to_string (build->pool_bytes);
    g_autofree gchar *given = bytes_to_string (limit);
    g_set_error (&build->error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "The buffers for in-betweens of %d×%d need %s, but memory-limit is %s%s. What "
        "would help: a larger memory-limit, or smaller frames.",
        build->config.video.width, build->config.video.height, needed, given,
        limit < 1 << 20 ? " (it counts bytes: 512 MiB are 536870912)" : "");
    return FALSE;
  }
  build->config.memory_limit = limit - build->pool_bytes;
  return TRUE;
}

/* A limit that is too small for the session: of which part it was told, and why. */
static void
name_limit (GstVfiBuild *build)
{
  guint64 limit = build->config.memory_limit;
  g_autofree gchar *before = NULL, *whole = NULL, *pools = NULL;

  if (limit == 0 || !g_error_matches (build->error, VFI_ERROR, VFI_ERROR_NO_MEMORY))
    return;
  before = g_steal_pointer (&build->error->message);
  whole = bytes_to_string (limit + build->pool_bytes);
  pools = bytes_to_string (build->pool_bytes);
  build->error->message = g_strdup_printf (
      "%s (memory-limit is %s, of which the buffers for in-betweens take %s)", before,
      whole, pools);
}

static void
build_session (GstVfiBuild *build)
{
  int before, after;

  if (!take_pools_off_limit (build))
    return;
  build->session =
      build->build (build->build_data, build->model, &build->config, &build->error);
  if (build->session == NULL) {
    name_limit (build);
    return;
  }
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
  if (stream->pictures.cuda != NULL) {
    build->cuda = gst_object_ref (stream->pictures.cuda);
    build->config.cuda_context = wanted_cuda_handle (stream);
  }
  build->build = stream->live.build_session;
  build->build_data = stream->live.build_session_data;
  g_mutex_lock (&stream->lock);
  build->config.threads = stream->settings->threads;
  build->config.precision = (VfiPrecision) stream->settings->precision;
  build->config.feature_storage = (VfiFeatureStorage) stream->settings->feature_storage;
  build->config.memory_headroom = stream->settings->memory_headroom;
  build->config.memory_limit = stream->settings->memory_limit;
  build->config.tile_size = stream->settings->tile_size;
  build->device = g_strdup (stream->settings->device);
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
  gst_clear_object (&build->cuda);
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

/* What the session is, or will be, made for. */
static void
take_over_config (GstVfiStream *stream, const GstVfiBuild *build)
{
  stream->session_video = build->config.video;
  stream->session_scale = build->config.scale;
  stream->session_cuda_handle = build->config.cuda_context;
}

/* Takes over the result of a build that is done, and frees it. */
static gboolean
finish_build (GstVfiStream *stream, GstVfiBuild *build, GError **error)
{
  VfiSession *session = g_steal_pointer (&build->session);

  take_over_config (stream, build);
  if (session != NULL) {
    set_session (stream, session, build->cuda);
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
  take_over_config (stream, build);
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
  set_session (stream, NULL, NULL);
  if (stream->build == NULL)
    return;
  build_free (g_steal_pointer (&stream->build));
  post_progress (stream, GST_PROGRESS_TYPE_CANCELED, "The model is not needed any more.");
}

/* Values that there is no network for are replaced by the nearest ones: once a value, says so. */
static void
warn_of_settings (GstVfiStream *stream, const GstVfiSettings *settings)
{
  gdouble scale = settings->scale_asked;
  guint tile = settings->tile_size;

  if (!vfi_model_info (stream->model)->path)
    return;
  if (scale > 0 && scale < 0.25 && stream->warned_scale_asked != scale)
    GST_ELEMENT_WARNING (stream->element, LIBRARY, SETTINGS,
        ("scale=%g is not possible: 0.25, the smallest, is used. Valid are 0 (by frame "
         "size) and 0.25 to 4.",
            scale),
        (NULL));
  if (tile != 0 && (tile < 256 || tile % 64 != 0) && stream->warned_tile_size != tile)
    GST_ELEMENT_WARNING (stream->element, LIBRARY, SETTINGS,
        ("tile-size=%u is not possible: %u is used. Valid are 0 (tiles only where "
         "memory-limit demands them) and multiples of 64 from 256 on (512 at scale 0.5, "
         "1024 at 0.25).",
            tile, MAX (tile / 64 * 64, 256)),
        (NULL));
  stream->warned_scale_asked = scale;
  stream->warned_tile_size = tile;
}

gboolean
gst_vfi_session_ensure (GstVfiStream *stream, GError **error)
{
  VfiVideoInfo video = gst_vfi_format_video_info (&stream->pictures.path.inner);
  GstVfiSettings settings = gst_vfi_stream_settings (stream);
  gdouble scale = settings.scale;
  GstVfiBuild *build;

  if (!stream->warned_scale && scale != 1 && !vfi_model_info (stream->model)->has_scale) {
    GST_INFO_OBJECT (stream->element, "model %s has no flow scale; `scale` is ignored",
        vfi_model_info (stream->model)->name);
    stream->warned_scale = TRUE;
  }
  if ((stream->session != NULL || stream->build != NULL) &&
      scale == stream->session_scale && same_video (&video, &stream->session_video) &&
      stream->session_cuda_handle == wanted_cuda_handle (stream))
    return TRUE;
  warn_of_settings (stream, &settings);
  gst_vfi_session_release (stream);
  build = build_new (stream, &video, scale);
  if (stream->live.builds_aside && gst_vfi_live_ask_upstream (stream))
    return start_build_aside (stream, build, error);
  build_session (build);
  return finish_build (stream, build, error);
}

/* One failure may be of the moment; of what fails at once again the third try is no better. */
#define MAX_FAILURES 2

void
gst_vfi_session_note_failure (
    GstVfiStream *stream, const VfiSession *session, const GError *error)
{
  if (session == NULL || session != stream->session ||
      !g_error_matches (error, VFI_ERROR, VFI_ERROR_BACKEND))
    return;
  stream->session_failed = TRUE;
}

gboolean
gst_vfi_session_mend (GstVfiStream *stream, GError **error)
{
  if (!stream->session_failed)
    return TRUE;
  stream->session_failed = FALSE;
  stream->session_failures++;
  gst_vfi_session_release (stream);
  if (stream->session_failures < MAX_FAILURES)
    return gst_vfi_session_ensure (stream, error);
  g_set_error (error, VFI_ERROR, VFI_ERROR_BACKEND,
      "the device failed %u times in a row; other caps or properties make it be tried "
      "again",
      stream->session_failures);
  return FALSE;
}
