/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/lower_build.h"

/* The built-in model, and how it takes least time. */
#define BUILT_IN_MODEL "flow"
#define BUILT_IN_OPTIONS "{'quality': <'fast'>}"
#define FASTEST "fast"

/* The smallest flow scale that sessions have. */
#define SMALLEST_SCALE 0.25

/* The frames, and two sessions. */
#define N_STEPS 3

struct _GstVfiLowerBuild {
  GstVfiBuildInput full; /* owned, as in session_build.c */
  gchar *device;
  gdouble full_scale;
  gboolean is_fastest; /* nothing is faster than the full one */
  GstVideoInfo pictures;
  GThread *thread; /* NULL: built in the caller's */
  void (*on_step) (gpointer);
  gpointer user_data;
  guint64 used; /* of memory-limit, so far; the thread's */
  GstVfiLowerPart parts[N_STEPS];
  gint n_done;     /* atomic: parts before are complete */
  gint is_stopped; /* atomic */
  guint n_taken;
};

GstVfiLowerBuild *
gst_vfi_lower_build_new (const GstVfiBuildInput *full, const VfiSessionStats *stats,
    const GstVideoInfo *pictures)
{
  const VfiModelInfo *info = vfi_model_info (full->model);
  GstVfiLowerBuild *build = g_new0 (GstVfiLowerBuild, 1);

  build->full = *full;
  build->full.model = vfi_model_ref (full->model);
  build->full.cuda = full->cuda != NULL ? gst_object_ref (full->cuda) : NULL;
  build->device = g_strdup (full->config.device);
  build->full.config.device = build->device;
  build->full_scale = stats->scale;
  build->is_fastest =
      g_str_equal (info->family, "blend") || g_str_equal (stats->quality, FASTEST);
  build->pictures = *pictures;
  return build;
}

static void
part_clear (GstVfiLowerPart *part)
{
  g_clear_pointer (&part->rehearsal, gst_vfi_rehearsal_free);
  g_clear_pointer (&part->session, vfi_session_unref);
  g_clear_error (&part->error);
}

void
gst_vfi_lower_build_free (GstVfiLowerBuild *build)
{
  if (build == NULL)
    return;
  g_atomic_int_set (&build->is_stopped, TRUE);
  if (build->thread != NULL)
    g_thread_join (build->thread);
  for (guint i = 0; i < N_STEPS; i++)
    part_clear (&build->parts[i]);
  vfi_model_unref (build->full.model);
  gst_clear_object (&build->full.cuda);
  g_free (build->device);
  g_free (build);
}

/* Memory. */

static gboolean
estimate (VfiModel *model, const VfiSessionConfig *config, guint64 *bytes, GError **error)
{
  VfiEstimate need;

  if (!vfi_model_estimate (model, config, &need, error))
    return FALSE;
  *bytes = need.session_bytes - need.packed_weight_bytes;
  return TRUE;
}

/* What the full session and the buffers take of memory-limit. */
static gboolean
count_full (GstVfiLowerBuild *build, GError **error)
{
  VfiSessionConfig config = build->full.config;
  guint64 pools = build->full.pool_bytes, bytes;

  if (config.memory_limit == 0)
    return TRUE;
  config.memory_limit -= MIN (pools, config.memory_limit - 1);
  if (!estimate (build->full.model, &config, &bytes, error))
    return FALSE;
  build->used = pools + bytes;
  return TRUE;
}

/* Whether memory-limit leaves so much; it is used then. */
static gboolean
take_off_limit (GstVfiLowerBuild *build, guint64 bytes, GError **error)
{
  guint64 limit = build->full.config.memory_limit;

  if (limit != 0 && (build->used > limit || bytes > limit - build->used)) {
    g_set_error (error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "it would take %.1f MiB, and memory-limit leaves %.1f", (gdouble) bytes / 0x1p20,
        (gdouble) (limit - MIN (build->used, limit)) / 0x1p20);
    return FALSE;
  }
  build->used += bytes;
  return TRUE;
}

/* Steps. */

static void
make_rehearsal (GstVfiLowerBuild *build, GstVfiLowerPart *part)
{
  part->bytes = gst_vfi_rehearsal_bytes (&build->pictures);
  if (!count_full (build, &part->error) ||
      !take_off_limit (build, part->bytes, &part->error))
    return;
  part->rehearsal = gst_vfi_rehearsal_new (&build->pictures);
  if (part->rehearsal == NULL)
    g_set_error_literal (&part->error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "there is no memory for frames to rehearse with");
}

/* Where the limit leaves too little for the whole picture there is no session: tiles take
 * longer, and a lower rung is there to take less. */
static void
make_session (GstVfiLowerBuild *build, VfiModel *model, const VfiSessionConfig *config,
    GstVfiLowerPart *part)
{
  VfiSessionConfig whole = *config;
  VfiSessionStats stats;
  guint64 bytes;

  whole.memory_limit = 0;
  if (!estimate (model, &whole, &bytes, &part->error) ||
      !take_off_limit (build, bytes, &part->error))
    return;
  part->session = build->full.build_session (
      build->full.build_session_data, model, &whole, &part->error);
  if (part->session == NULL)
    return;
  vfi_session_get_stats (part->session, &stats);
  part->bytes = stats.arena_bytes;
  if (config->cuda_context == NULL || !g_str_equal (stats.device, "cpu"))
    return;
  g_clear_pointer (&part->session, vfi_session_unref);
  g_set_error_literal (&part->error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
      "it works on the CPU only, and frames lie in CUDA memory");
}

static void
make_flow (GstVfiLowerBuild *build, GstVfiLowerPart *part)
{
  VfiSessionConfig config = build->full.config;
  g_autoptr (VfiModel) model = NULL;

  part->maker = GST_VFI_MAKER_FLOW;
  if (build->is_fastest) {
    g_set_error_literal (&part->error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "the built-in model takes no less time than the full rung's");
    return;
  }
  config.scale = 1;
  config.tile_size = 0;
  config.precision = VFI_PRECISION_AUTO;
  config.feature_storage = VFI_FEATURE_STORAGE_AUTO;
  model = vfi_model_open (
      BUILT_IN_MODEL, g_variant_new_parsed (BUILT_IN_OPTIONS), &part->error);
  if (model != NULL)
    make_session (build, model, &config, part);
}

static void
make_reduced (GstVfiLowerBuild *build, GstVfiLowerPart *part)
{
  VfiSessionConfig config = build->full.config;

  part->maker = GST_VFI_MAKER_REDUCED;
  config.scale = build->full_scale / 2;
  if (vfi_model_info (build->full.model)->has_scale && config.scale >= SMALLEST_SCALE)
    make_session (build, build->full.model, &config, part);
  else
    g_set_error_literal (&part->error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "the model has no smaller flow scale");
}

static void
make (GstVfiLowerBuild *build, void (*step) (GstVfiLowerBuild *, GstVfiLowerPart *))
{
  gint n = g_atomic_int_get (&build->n_done);

  if (g_atomic_int_get (&build->is_stopped))
    return;
  step (build, &build->parts[n]);
  g_atomic_int_set (&build->n_done, n + 1);
  if (build->on_step != NULL)
    build->on_step (build->user_data);
}

void
gst_vfi_lower_build_run (GstVfiLowerBuild *build)
{
  make (build, make_rehearsal);
  make (build, make_flow);
  make (build, make_reduced);
}

static gpointer
build_aside (gpointer data)
{
  gst_vfi_lower_build_run (data);
  return NULL;
}

gboolean
gst_vfi_lower_build_start (GstVfiLowerBuild *build, void (*on_step) (gpointer),
    gpointer user_data, GError **error)
{
  build->on_step = on_step;
  build->user_data = user_data;
  build->thread = g_thread_try_new ("vfi-lower", build_aside, build, error);
  return build->thread != NULL;
}

gboolean
gst_vfi_lower_build_take (GstVfiLowerBuild *build, GstVfiLowerPart *part)
{
  if (build->n_taken >= (guint) g_atomic_int_get (&build->n_done))
    return FALSE;
  *part = build->parts[build->n_taken];
  build->parts[build->n_taken++] = (GstVfiLowerPart){.error = NULL};
  return TRUE;
}

gboolean
gst_vfi_lower_build_is_over (const GstVfiLowerBuild *build)
{
  return build->n_taken == N_STEPS;
}
