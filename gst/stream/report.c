/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/report.h"

#define GST_CAT_DEFAULT gst_vfi_memory_debug

GstStructure *
gst_vfi_report_stats (GstVfiStream *stream, VfiModel *model)
{
  GstVfiStatsSource source = {
      .model = model,
      .pool_bytes = gst_vfi_pool_bytes_get (stream->pictures.pool_bytes),
  };
  g_autoptr (GstObject) cuda = NULL;
  g_autoptr (VfiSession) session = gst_vfi_stream_ref_session (stream, &cuda);
  GstStructure *stats;

  g_mutex_lock (&stream->lock);
  source.counters = stream->counters;
  source.base = stream->session_base;
  g_mutex_unlock (&stream->lock);
  source.session = session;
  stats = gst_vfi_stats_new (&source);
  gst_vfi_live_add_stats (stream, stats);
  return stats;
}

static void
log_memory (GstVfiStream *stream, const GstStructure *stats)
{
  guint64 pairs = 0, weights = 0, packed = 0, arena = 0, pools = 0, memory = 0, peak = 0;
  guint64 device_free = 0, cleanups = 0, returned = 0;

  gst_structure_get (stats, "finished-pairs", G_TYPE_UINT64, &pairs, "weight-bytes",
      G_TYPE_UINT64, &weights, "packed-weight-bytes", G_TYPE_UINT64, &packed,
      "arena-bytes", G_TYPE_UINT64, &arena, "pool-bytes", G_TYPE_UINT64, &pools,
      "memory-bytes", G_TYPE_UINT64, &memory, "peak-memory-bytes", G_TYPE_UINT64, &peak,
      "device-free-bytes", G_TYPE_UINT64, &device_free, "cleanups", G_TYPE_UINT64,
      &cleanups, "cleanup-bytes", G_TYPE_UINT64, &returned, NULL);
  GST_INFO_OBJECT (stream->element,
      "%" G_GUINT64_FORMAT " pairs; KiB: weights %" G_GUINT64_FORMAT
      ", packed %" G_GUINT64_FORMAT ", arena %" G_GUINT64_FORMAT
      ", pools %" G_GUINT64_FORMAT ", all in the process %" G_GUINT64_FORMAT
      " (most %" G_GUINT64_FORMAT "), device free %" G_GUINT64_FORMAT
      "; %" G_GUINT64_FORMAT " cleanups gave %" G_GUINT64_FORMAT " back",
      pairs, weights >> 10, packed >> 10, arena >> 10, pools >> 10, memory >> 10,
      peak >> 10, device_free >> 10, cleanups, returned >> 10);
}

void
gst_vfi_report_pair (GstVfiStream *stream)
{
  guint interval = gst_vfi_stream_settings (stream).stats_interval;
  GstStructure *stats;

  stream->pairs_since_report++;
  if (interval == 0 || stream->pairs_since_report < interval)
    return;
  stream->pairs_since_report = 0;
  stats = gst_vfi_report_stats (stream, stream->model);
  log_memory (stream, stats);
  gst_element_post_message (
      stream->element, gst_message_new_element (GST_OBJECT (stream->element), stats));
}
