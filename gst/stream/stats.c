/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The `stats` structure: the model, device and sizes that run, and how much ran. */
#include "stream/stats.h"

static void
add_model (GstStructure *stats, const VfiModelInfo *info)
{
  gst_structure_set (stats, "model", G_TYPE_STRING, info->name, "family", G_TYPE_STRING,
      info->family, "variant", G_TYPE_STRING, info->variant, "weight-bytes",
      G_TYPE_UINT64, (guint64) info->weight_bytes, NULL);
  if (info->path != NULL)
    gst_structure_set (stats, "model-path", G_TYPE_STRING, info->path, NULL);
}

static void
add_cleanups (
    GstStructure *stats, const VfiSessionStats *engine, const VfiSessionStats *base)
{
  gst_structure_set (stats, "finished-pairs", G_TYPE_UINT64,
      engine->finished_pairs - base->finished_pairs, "cleanup-interval", G_TYPE_UINT,
      engine->cleanup_interval, "cleanups", G_TYPE_UINT64,
      engine->cleanups - base->cleanups, "cleanup-bytes", G_TYPE_UINT64,
      engine->cleanup_bytes - base->cleanup_bytes, "cleanup-time", G_TYPE_UINT64,
      (engine->cleanup_microseconds - base->cleanup_microseconds) * GST_USECOND, NULL);
}

static void
add_times (GstStructure *stats, const VfiSessionStats *engine)
{
  static const struct {
    const char *p50;
    const char *p95;
  } names[] = {
      [VFI_TIMED_PREPARE] = {"prepare-p50", "prepare-p95"},
      [VFI_TIMED_FRAME_STAGE] = {"frame-stage-p50", "frame-stage-p95"},
      [VFI_TIMED_PAIR_STAGE] = {"pair-stage-p50", "pair-stage-p95"},
      [VFI_TIMED_TIME_STAGE] = {"time-stage-p50", "time-stage-p95"},
      [VFI_TIMED_SYNTHESIS] = {"synthesis-p50", "synthesis-p95"},
      [VFI_TIMED_CONSTANT_STAGE] = {"constant-stage-p50", "constant-stage-p95"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const VfiStageTimes *times = &engine->times[i];
    if (times->runs > 0)
      gst_structure_set (stats, names[i].p50, G_TYPE_DOUBLE, times->p50, names[i].p95,
          G_TYPE_DOUBLE, times->p95, NULL);
  }
}

static void
add_session (
    GstStructure *stats, const VfiSessionStats *engine, const VfiSessionStats *base)
{
  gst_structure_set (stats, "device", G_TYPE_STRING, engine->device, "cpu-level",
      G_TYPE_STRING, engine->cpu_level, "precision", G_TYPE_STRING, engine->precision,
      "feature-storage", G_TYPE_STRING, engine->feature_storage, "threads", G_TYPE_UINT,
      engine->threads, "padded-width", G_TYPE_INT, engine->padded_width, "padded-height",
      G_TYPE_INT, engine->padded_height, "scale", G_TYPE_DOUBLE, engine->scale, "tiles",
      G_TYPE_UINT, engine->tiles, "tile-width", G_TYPE_INT, engine->tile_width,
      "tile-height", G_TYPE_INT, engine->tile_height, "pairs", G_TYPE_UINT64,
      engine->pairs - base->pairs, "inferences", G_TYPE_UINT64,
      engine->inferences - base->inferences, "with-overlays", G_TYPE_UINT64,
      engine->with_overlays - base->with_overlays, "cancelled", G_TYPE_UINT64,
      engine->cancelled - base->cancelled, "work-chunks", G_TYPE_UINT64,
      engine->work_chunks - base->work_chunks, "graph-launches", G_TYPE_UINT64,
      engine->graph_launches - base->graph_launches, "graph-failures", G_TYPE_UINT64,
      engine->graph_failures - base->graph_failures, "arena-bytes", G_TYPE_UINT64,
      (guint64) engine->arena_bytes, "packed-weight-bytes", G_TYPE_UINT64,
      (guint64) engine->packed_weight_bytes, NULL);
  if (engine->quality[0] != '\0')
    gst_structure_set (stats, "quality", G_TYPE_STRING, engine->quality, NULL);
  add_cleanups (stats, engine, base);
  add_times (stats, engine);
  if (engine->device_total_bytes != 0)
    gst_structure_set (stats, "device-free-bytes", G_TYPE_UINT64,
        engine->device_free_bytes, "device-used-bytes", G_TYPE_UINT64,
        engine->device_total_bytes - engine->device_free_bytes, NULL);
}

/* The rungs at which pictures are made. */
static void
add_rungs (GstStructure *stats, const GstVfiCounters *counters)
{
  for (GstVfiRung rung = GST_VFI_RUNG_FULL; rung <= GST_VFI_RUNG_HALF; rung++) {
    g_autofree gchar *name =
        g_strconcat ("interpolated-", gst_vfi_rung_to_string (rung), NULL);
    gst_structure_set (stats, name, G_TYPE_UINT64, counters->by_rung[rung], NULL);
  }
  gst_structure_set (stats, "rung-changes", G_TYPE_UINT64, counters->rung_changes, NULL);
}

/* Memory of the engine, for all elements of the process. */
static void
add_memory (GstStructure *stats, gsize pool_bytes)
{
  VfiModelCacheStats cache;
  guint64 now, peak;

  vfi_get_memory_use (&now, &peak);
  vfi_model_cache_get_stats (&cache);
  gst_structure_set (stats, "pool-bytes", G_TYPE_UINT64, (guint64) pool_bytes,
      "memory-bytes", G_TYPE_UINT64, now, "peak-memory-bytes", G_TYPE_UINT64, peak,
      "evictions", G_TYPE_UINT64, (guint64) cache.evictions, NULL);
}

GstStructure *
gst_vfi_stats_new (const GstVfiStatsSource *source)
{
  const GstVfiCounters *counters = &source->counters;
  GstStructure *stats = gst_structure_new ("vfiinterp-stats", "in", G_TYPE_UINT64,
      counters->in, "out", G_TYPE_UINT64, counters->out, "interpolated", G_TYPE_UINT64,
      counters->interpolated, "duplicate", G_TYPE_UINT64, counters->duplicate, "drop",
      G_TYPE_UINT64, counters->drop, "identical", G_TYPE_UINT64, counters->identical,
      "cuts", G_TYPE_UINT64, counters->cuts, "replaced", G_TYPE_UINT64,
      counters->replaced, "edge-views", G_TYPE_UINT64, counters->edge_views,
      "scene-score", G_TYPE_DOUBLE, counters->scene_score, NULL);

  add_rungs (stats, counters);
  add_memory (stats, source->pool_bytes);
  if (source->model != NULL)
    add_model (stats, vfi_model_info (source->model));
  if (source->session != NULL) {
    VfiSessionStats engine;
    vfi_session_get_stats (source->session, &engine);
    add_session (stats, &engine, &source->base);
  }
  return stats;
}

void
gst_vfi_stats_make_names (void)
{
  const GstVfiStatsSource nothing = {.model = NULL};
  const VfiModelInfo model = {.path = ""};
  VfiSessionStats all = {.quality = "all", .device_total_bytes = 1};
  GstStructure *stats = gst_vfi_stats_new (&nothing);

  for (guint i = 0; i < G_N_ELEMENTS (all.times); i++)
    all.times[i].runs = 1;
  add_model (stats, &model);
  add_session (stats, &all, &all);
  gst_structure_free (stats);
}
