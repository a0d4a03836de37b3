/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/report.h"

#include "stream/deadlines.h"
#include "stream/engine_session.h"

#define GST_CAT_DEFAULT gst_vfi_memory_debug

/* Owned by the streaming thread. */
struct _GstVfiReport {
  guint pairs; /* that have gone out since the last message */
};

GstVfiReport *
gst_vfi_report_new (void)
{
  return g_new0 (GstVfiReport, 1);
}

void
gst_vfi_report_start (GstVfiStream *stream)
{
  stream->report->pairs = 0;
}

GstVfiCounters
gst_vfi_report_counters (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  GstVfiCounters counters = stream->counters;
  g_mutex_unlock (&stream->lock);
  return counters;
}

void
gst_vfi_report_reset_stats (GstVfiStream *stream)
{
  g_autoptr (GstObject) cuda = NULL;
  g_autoptr (VfiSession) session = gst_vfi_session_ref (stream, &cuda);
  VfiSessionStats now = {0};

  if (session != NULL)
    vfi_session_get_stats (session, &now);
  g_mutex_lock (&stream->lock);
  stream->counters = (GstVfiCounters){0};
  gst_vfi_session_set_base_locked (stream, session, &now);
  g_mutex_unlock (&stream->lock);
}

GstStructure *
gst_vfi_report_stats (GstVfiStream *stream, VfiModel *model)
{
  GstVfiStatsSource source = {
      .model = model,
      .pool_bytes = gst_vfi_pool_bytes_get (stream->pictures.pool_bytes),
  };
  g_autoptr (GstObject) cuda = NULL;
  g_autoptr (VfiSession) session = gst_vfi_session_ref (stream, &cuda);
  GstStructure *stats;

  g_mutex_lock (&stream->lock);
  source.counters = stream->counters;
  source.base = gst_vfi_session_base_locked (stream);
  g_mutex_unlock (&stream->lock);
  source.session = session;
  stats = gst_vfi_stats_new (&source);
  gst_vfi_deadlines_add_stats (stream, stats);
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

  stream->report->pairs++;
  if (interval == 0 || stream->report->pairs < interval)
    return;
  stream->report->pairs = 0;
  stats = gst_vfi_report_stats (stream, stream->model);
  log_memory (stream, stats);
  gst_element_post_message (
      stream->element, gst_message_new_element (GST_OBJECT (stream->element), stats));
}

void
gst_vfi_report_progress (
    GstVfiStream *stream, GstClockTime pts, const GstVfiProgress *progress)
{
  GstStructure *told = gst_structure_new ("vfiinterp-progress", "pts", G_TYPE_UINT64, pts,
      "round", G_TYPE_UINT, progress->round, "rounds", G_TYPE_UINT, progress->rounds,
      "part", G_TYPE_DOUBLE, progress->part, "elapsed", G_TYPE_UINT64, progress->elapsed,
      NULL);
  GstClockTime left = gst_vfi_progress_time_left (progress);

  if (GST_CLOCK_TIME_IS_VALID (left))
    gst_structure_set (told, "time-left", G_TYPE_UINT64, left, NULL);
  gst_element_post_message (
      stream->element, gst_message_new_element (GST_OBJECT (stream->element), told));
}

void
gst_vfi_report_no_memory (GstVfiStream *stream)
{
  const char *problem = stream->pictures.problem;

  if (problem != NULL)
    GST_ELEMENT_ERROR (stream->element, RESOURCE, WRITE,
        ("A buffer for an in-between frame cannot be used: %s", problem),
        ("it comes from %" GST_PTR_FORMAT, stream->pictures.out_pool));
  else
    GST_ELEMENT_ERROR (stream->element, RESOURCE, NO_SPACE_LEFT,
        ("No memory for an in-between frame."),
        ("A buffer of %" G_GSIZE_FORMAT " bytes could not be allocated or mapped.",
            GST_VIDEO_INFO_SIZE (&stream->negotiated.info)));
}
