/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/lower_build.h"

/* The built-in model, and how it takes least time. */
#define BUILT_IN_MODEL "flow"
#define BUILT_IN_OPTIONS "{'quality': <'fast'>}"
#define FASTEST "fast"

/* The smallest flow scale that sessions have. */
#define SMALLEST_SCALE 0.25

typedef void (*Step) (GstVfiLowerBuild *build, GstVfiLowerPart *part);

static void make_flow (GstVfiLowerBuild *build, GstVfiLowerPart *part);
static void make_rehearsal (GstVfiLowerBuild *build, GstVfiLowerPart *part);
static void make_reduced (GstVfiLowerBuild *build, GstVfiLowerPart *part);

static const Step steps[] = {make_flow, make_rehearsal, make_reduced};

#define N_STEPS ((guint) G_N_ELEMENTS (steps))
#define N_FIRST_STEPS 2

struct _GstVfiLowerBuild {
  GstVfiBuildInput full; /* owned, as in session_build.c */
  gchar *device;
  GstVideoInfo pictures;
  GThread *thread; /* the last one, or NULL */
  void (*on_step) (gpointer);
  gpointer user_data;
  guint64 used; /* of memory-limit, so far; the thread's */
  GstVfiLowerPart parts[N_STEPS];
  guint n_taken;

  GMutex lock;
  gboolean is_running; /* somebody builds; guarded by @lock, as what follows */
  guint n_wanted;      /* parts that it is to complete */
  guint n_done;        /* parts that are complete, and the taker's */
};

GstVfiLowerBuild *
gst_vfi_lower_build_new (const GstVfiBuildInput *full, const GstVideoInfo *pictures)
{
  GstVfiLowerBuild *build = g_new0 (GstVfiLowerBuild, 1);

  build->full = *full;
  build->full.model = vfi_model_ref (full->model);
  build->full.cuda = full->cuda != NULL ? gst_object_ref (full->cuda) : NULL;
  build->device = g_strdup (full->config.device);
  build->full.config.device = build->device;
  build->pictures = *pictures;
  g_mutex_init (&build->lock);
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
  g_mutex_lock (&build->lock);
  build->n_wanted = 0;
  g_mutex_unlock (&build->lock);
  if (build->thread != NULL)
    g_thread_join (build->thread);
  g_mutex_clear (&build->lock);
  for (guint i = 0; i < N_STEPS; i++)
    part_clear (&build->parts[i]);
  vfi_model_unref (build->full.model);
  gst_clear_object (&build->full.cuda);
  g_free (build->device);
  g_free (build);
}

/* Memory. */

/* What memory-limit limits. */
static guint64
limited_bytes (const VfiEstimate *need)
{
  return need->session_bytes - need->packed_weight_bytes;
}

/* What the full session is, or will be. */
static gboolean
estimate_full (GstVfiLowerBuild *build, VfiEstimate *need, GError **error)
{
  VfiSessionConfig config = build->full.config;

  if (config.memory_limit != 0)
    config.memory_limit -= MIN (build->full.pool_bytes, config.memory_limit - 1);
  return vfi_model_estimate (build->full.model, &config, need, error);
}

/* Whether memory-limit leaves so much beside the full session and buffers; it is used
 * then. */
static gboolean
take_off_limit (GstVfiLowerBuild *build, guint64 bytes, GError **error)
{
  guint64 limit = build->full.config.memory_limit;
  VfiEstimate full;

  if (limit == 0)
    return TRUE;
  if (build->used == 0) {
    if (!estimate_full (build, &full, error))
      return FALSE;
    build->used = build->full.pool_bytes + limited_bytes (&full);
  }
  if (build->used > limit || bytes > limit - build->used) {
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
  if (!take_off_limit (build, part->bytes, &part->error))
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
  VfiEstimate need;

  whole.memory_limit = 0;
  if (!vfi_model_estimate (model, &whole, &need, &part->error) ||
      !take_off_limit (build, limited_bytes (&need), &part->error))
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

/* Whether nothing is faster than the full one. Networks are estimated only where that is
 * of use. */
static gboolean
is_fastest (GstVfiLowerBuild *build)
{
  const VfiModelInfo *info = vfi_model_info (build->full.model);
  VfiEstimate full;

  if (!g_str_equal (info->family, BUILT_IN_MODEL))
    return g_str_equal (info->family, "blend");
  return estimate_full (build, &full, NULL) && g_str_equal (full.quality, FASTEST);
}

static void
make_flow (GstVfiLowerBuild *build, GstVfiLowerPart *part)
{
  VfiSessionConfig config = build->full.config;
  g_autoptr (VfiModel) model = NULL;

  part->maker = GST_VFI_MAKER_FLOW;
  if (is_fastest (build)) {
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
  VfiEstimate full;

  part->maker = GST_VFI_MAKER_REDUCED;
  if (!estimate_full (build, &full, &part->error))
    return;
  config.scale = full.scale / 2;
  if (vfi_model_info (build->full.model)->has_scale && config.scale >= SMALLEST_SCALE)
    make_session (build, build->full.model, &config, part);
  else
    g_set_error_literal (&part->error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "the model has no smaller flow scale");
}

/* The next step that is wanted; FALSE if there is none, and nothing runs any more. */
static gboolean
next_step (GstVfiLowerBuild *build, guint *n)
{
  gboolean goes_on;

  g_mutex_lock (&build->lock);
  *n = build->n_done;
  goes_on = build->is_running = build->n_done < build->n_wanted;
  g_mutex_unlock (&build->lock);
  return goes_on;
}

static void
run (GstVfiLowerBuild *build)
{
  guint n;

  while (next_step (build, &n)) {
    steps[n](build, &build->parts[n]);
    g_mutex_lock (&build->lock);
    build->n_done = n + 1;
    g_mutex_unlock (&build->lock);
    if (build->on_step != NULL)
      build->on_step (build->user_data);
  }
}

/* Returns whether somebody is at it already. */
static gboolean
want (GstVfiLowerBuild *build, gboolean all)
{
  gboolean was_running;

  g_mutex_lock (&build->lock);
  build->n_wanted = all ? N_STEPS : N_FIRST_STEPS;
  was_running = build->is_running;
  build->is_running = TRUE;
  g_mutex_unlock (&build->lock);
  return was_running;
}

void
gst_vfi_lower_build_run (GstVfiLowerBuild *build, gboolean all)
{
  if (!want (build, all))
    run (build);
}

static gpointer
build_aside (gpointer data)
{
  run (data);
  return NULL;
}

gboolean
gst_vfi_lower_build_start (GstVfiLowerBuild *build, gboolean all,
    void (*on_step) (gpointer), gpointer user_data, GError **error)
{
  /* Nobody builds before that is set, and it stays. */
  if (build->on_step == NULL) {
    build->on_step = on_step;
    build->user_data = user_data;
  }
  if (want (build, all))
    return TRUE;
  if (build->thread != NULL)
    g_thread_join (build->thread);
  build->thread = g_thread_try_new ("vfi-lower", build_aside, build, error);
  return build->thread != NULL;
}

gboolean
gst_vfi_lower_build_take (GstVfiLowerBuild *build, GstVfiLowerPart *part)
{
  gboolean is_done;

  g_mutex_lock (&build->lock);
  is_done = build->n_taken < build->n_done;
  g_mutex_unlock (&build->lock);
  if (!is_done)
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
