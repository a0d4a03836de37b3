/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The `stats` structure: what runs (model, device, sizes) and how much of it ran. */
#include "vfistats.h"

static void
add_model (GstStructure *stats, VfiModel *model)
{
  const VfiModelInfo *info = vfi_model_info (model);

  gst_structure_set (stats, "model", G_TYPE_STRING, info->name, "family", G_TYPE_STRING,
      info->family, "variant", G_TYPE_STRING, info->variant, "weight-bytes",
      G_TYPE_UINT64, (guint64) info->weight_bytes, NULL);
  if (info->path != NULL)
    gst_structure_set (stats, "model-path", G_TYPE_STRING, info->path, NULL);
}

static void
add_session (GstStructure *stats, VfiSession *session, const VfiSessionStats *base)
{
  VfiSessionStats engine;

  vfi_session_get_stats (session, &engine);
  gst_structure_set (stats, "device", G_TYPE_STRING, engine.device, "cpu-level",
      G_TYPE_STRING, engine.cpu_level, "precision", G_TYPE_STRING, engine.precision,
      "threads", G_TYPE_UINT, engine.threads, "padded-width", G_TYPE_INT,
      engine.padded_width, "padded-height", G_TYPE_INT, engine.padded_height, "scale",
      G_TYPE_DOUBLE, engine.scale, "pairs", G_TYPE_UINT64, engine.pairs - base->pairs,
      "inferences", G_TYPE_UINT64, engine.inferences - base->inferences, "cancelled",
      G_TYPE_UINT64, engine.cancelled - base->cancelled, "work-chunks", G_TYPE_UINT64,
      engine.work_chunks - base->work_chunks, "arena-bytes", G_TYPE_UINT64,
      (guint64) engine.arena_bytes, "packed-weight-bytes", G_TYPE_UINT64,
      (guint64) engine.packed_weight_bytes, NULL);
}

GstStructure *
gst_vfi_stats_new (const GstVfiCounters *counters, VfiModel *model, VfiSession *session,
    const VfiSessionStats *base)
{
  GstStructure *stats = gst_structure_new ("vfiinterp-stats", "in", G_TYPE_UINT64,
      counters->in, "out", G_TYPE_UINT64, counters->out, "interpolated", G_TYPE_UINT64,
      counters->interpolated, "duplicate", G_TYPE_UINT64, counters->duplicate, "drop",
      G_TYPE_UINT64, counters->drop, "identical", G_TYPE_UINT64, counters->identical,
      "cuts", G_TYPE_UINT64, counters->cuts, "replaced", G_TYPE_UINT64,
      counters->replaced, "scene-score", G_TYPE_DOUBLE, counters->scene_score, NULL);

  if (model != NULL)
    add_model (stats, model);
  if (session != NULL)
    add_session (stats, session, base);
  return stats;
}
