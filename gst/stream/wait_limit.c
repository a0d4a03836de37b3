/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/wait_limit.h"

#include "stream/alarm.h"
#include "stream/deadlines.h"
#include "stream/jobs.h"
#include "stream/live.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

struct _GstVfiWaitLimit {
  GstVfiAlarm alarm;

  /* Owned by the streaming thread. */
  guint64 pair_id; /* that it is about; 0: nothing waits */
};

GstVfiWaitLimit *
gst_vfi_wait_limit_new (void)
{
  return g_new0 (GstVfiWaitLimit, 1);
}

/* The head of the list, if it waits. */
static const GstVfiEntry *
waiting_head (const GstVfiStream *stream)
{
  return gst_vfi_pending_waits (stream) ? g_queue_peek_head (&stream->pending->entries)
                                        : NULL;
}

/* When work on @entry, or on the first in-between of its span, has to begin, or NONE. */
static GstClockTime
latest_start (GstVfiStream *stream, const GstVfiEntry *entry)
{
  GstVfiSlot slot = entry->slot;

  if (entry->kind == GST_VFI_ENTRY_IN_BETWEENS) {
    GstVfiSpan span = *entry->span;
    gst_vfi_span_next (&span, &slot);
  }
  return gst_vfi_deadlines_latest_start (stream, &entry->view->segment, &slot);
}

void
gst_vfi_wait_limit_cancel (GstVfiStream *stream)
{
  stream->wait_limit->pair_id = 0;
  gst_vfi_alarm_cancel (stream, &stream->wait_limit->alarm);
}

void
gst_vfi_wait_limit_watch (GstVfiStream *stream)
{
  GstVfiWaitLimit *limit = stream->wait_limit;
  const GstVfiEntry *head = waiting_head (stream);
  GstClockTime time;

  if (head == NULL) {
    if (limit->pair_id != 0)
      gst_vfi_wait_limit_cancel (stream);
    return;
  }
  if (limit->pair_id == gst_vfi_entry_pair_id (head))
    return;
  gst_vfi_wait_limit_cancel (stream);
  time = latest_start (stream, head);
  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  limit->pair_id = gst_vfi_entry_pair_id (head);
  gst_vfi_alarm_set (stream, &limit->alarm, time);
}

gboolean
gst_vfi_wait_limit_is_reached_locked (const GstVfiStream *stream)
{
  return stream->wait_limit->alarm.rings;
}

/* The latency may have grown since the limit was set. */
GstFlowReturn
gst_vfi_wait_limit_end_wait (GstVfiStream *stream)
{
  const GstVfiEntry *head = waiting_head (stream);
  GstClockTime now = gst_vfi_live_now (stream, NULL);

  gst_vfi_wait_limit_cancel (stream);
  if (head == NULL || !GST_CLOCK_TIME_IS_VALID (now) || latest_start (stream, head) > now)
    return GST_FLOW_OK;
  GST_DEBUG_OBJECT (stream->element,
      "no frame came in time for the picture after %" GST_TIME_FORMAT,
      GST_TIME_ARGS (GST_BUFFER_PTS (head->a->buffer)));
  gst_vfi_window_complete_first (stream);
  return gst_vfi_jobs_submit (stream);
}
