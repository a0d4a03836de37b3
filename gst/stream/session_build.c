/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/session_build.h"

struct _GstVfiBuild {
  GstVfiBuildInput input; /* owned */
  gchar *device;          /* input.config.device */
  GThread *thread;        /* NULL: built in the caller's */
  void (*on_done) (gpointer);
  gpointer user_data;
  gint done; /* atomic; what follows is set before */
  VfiSession *session;
  GError *error;
};

VfiSession *
gst_vfi_build_session (
    gpointer user_data, VfiModel *model, const VfiSessionConfig *config, GError **error)
{
  (void) user_data;
  return vfi_session_new (model, config, error);
}

GstVfiBuild *
gst_vfi_build_new (const GstVfiBuildInput *input)
{
  GstVfiBuild *build = g_new0 (GstVfiBuild, 1);

  build->input = *input;
  build->input.model = vfi_model_ref (input->model);
  build->input.cuda = input->cuda != NULL ? gst_object_ref (input->cuda) : NULL;
  build->input.overlay_mask =
      input->overlay_mask != NULL ? g_bytes_ref (input->overlay_mask) : NULL;
  build->device = g_strdup (input->config.device);
  build->input.config.device = build->device;
  return build;
}

void
gst_vfi_build_free (GstVfiBuild *build)
{
  if (build->thread != NULL)
    g_thread_join (build->thread);
  vfi_model_unref (build->input.model);
  vfi_session_unref (build->session);
  gst_clear_object (&build->input.cuda);
  g_clear_pointer (&build->input.overlay_mask, g_bytes_unref);
  g_clear_error (&build->error);
  g_free (build->device);
  g_free (build);
}

/* "212.7 MiB", "512 bytes"; g_free() it. */
static gchar *
bytes_to_string (guint64 bytes)
{
  return bytes < 1 << 20 ? g_strdup_printf ("%" G_GUINT64_FORMAT " bytes", bytes)
                         : g_strdup_printf ("%.1f MiB", (gdouble) bytes / 0x1p20);
}

/* Takes the buffers' part off memory-limit; the rest is for the session. */
static gboolean
take_pools_off_limit (GstVfiBuild *build)
{
  VfiSessionConfig *config = &build->input.config;
  guint64 limit = config->memory_limit;

  if (limit == 0)
    return TRUE;
  if (limit <= build->input.pool_bytes) {
    g_autofree gchar *needed = bytes_to_string (build->input.pool_bytes);
    g_autofree gchar *given = bytes_to_string (limit);
    g_set_error (&build->error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "The buffers for in-betweens of %d×%d need %s, but memory-limit is %s%s. What "
        "would help: a larger memory-limit, or smaller frames.",
        config->video.width, config->video.height, needed, given,
        limit < 1 << 20 ? " (it counts bytes: 512 MiB are 536870912)" : "");
    return FALSE;
  }
  config->memory_limit = limit - build->input.pool_bytes;
  return TRUE;
}

/* Adds to the error of a session that did not fit the limit how the limit was divided. */
static void
explain_limit (GstVfiBuild *build)
{
  guint64 limit = build->input.config.memory_limit;
  g_autofree gchar *before = NULL, *whole = NULL, *pools = NULL;

  if (limit == 0 || !g_error_matches (build->error, VFI_ERROR, VFI_ERROR_NO_MEMORY))
    return;
  before = g_steal_pointer (&build->error->message);
  whole = bytes_to_string (limit + build->input.pool_bytes);
  pools = bytes_to_string (build->input.pool_bytes);
  build->error->message = g_strdup_printf (
      "%s (memory-limit is %s, of which the buffers for in-betweens take %s)", before,
      whole, pools);
}

void
gst_vfi_build_run (GstVfiBuild *build)
{
  const GstVfiBuildInput *input = &build->input;

  if (!take_pools_off_limit (build))
    return;
  build->session = input->build_session (
      input->build_session_data, input->model, &input->config, &build->error);
  if (build->session == NULL)
    explain_limit (build);
}

static gpointer
build_aside (gpointer data)
{
  GstVfiBuild *build = data;

  gst_vfi_build_run (build);
  g_atomic_int_set (&build->done, TRUE);
  build->on_done (build->user_data);
  return NULL;
}

gboolean
gst_vfi_build_start (
    GstVfiBuild *build, void (*on_done) (gpointer), gpointer user_data, GError **error)
{
  build->on_done = on_done;
  build->user_data = user_data;
  build->thread = g_thread_try_new ("vfi-build", build_aside, build, error);
  return build->thread != NULL;
}

gboolean
gst_vfi_build_is_done (GstVfiBuild *build)
{
  return g_atomic_int_get (&build->done);
}

const GstVfiBuildInput *
gst_vfi_build_input (const GstVfiBuild *build)
{
  return &build->input;
}

VfiSession *
gst_vfi_build_take (GstVfiBuild *build, GError **error)
{
  if (build->session == NULL)
    g_propagate_error (error, g_steal_pointer (&build->error));
  return g_steal_pointer (&build->session);
}
