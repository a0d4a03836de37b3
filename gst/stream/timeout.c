/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies in place of frames that do not come. The pipeline's clock wakes the task. */
#include "stream/timeout.h"

#include "pure/place.h"
#include "pure/stand_in.h"
#include "pure/time_math.h"
#include "stream/alarm.h"
#include "stream/held_repeats.h"
#include "stream/jobs.h"
#include "stream/live.h"
#include "stream/pending.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Copies appended at once: after a long stop of the clock's thread the task must still
 * look at what comes in. */
#define BURST 64

/* Copies fill at most so much time after them when a frame comes that begins a run. */
#define MAX_FILL (5 * GST_SECOND)

struct _GstVfiTimeout {
  GstVfiAlarm alarm; /* waits for the time of the next copy */

  /* Owned by the streaming thread. */
  GstClockTime start; /* when the reference came, and live-timeout */
  guint next;         /* index of the next copy */
};

GstVfiTimeout *
gst_vfi_timeout_new (void)
{
  return g_new0 (GstVfiTimeout, 1);
}

static gboolean
missing_slot (GstVfiStream *stream, GstVfiSlot *slot)
{
  return gst_vfi_run_repeat_slot (&stream->run, stream->timeout->next, slot);
}

static GstClockTime
due_time (GstVfiStream *stream, const GstVfiSlot *slot)
{
  GstClockTime after = slot->pts > stream->run.pts ? slot->pts - stream->run.pts : 0;

  return stream->timeout->start + MAX (after, stream->live->frame);
}

static void
wait_for_next (GstVfiStream *stream)
{
  GstVfiSlot slot;

  missing_slot (stream, &slot);
  gst_vfi_alarm_set (stream, &stream->timeout->alarm, due_time (stream, &slot));
}

gboolean
gst_vfi_timeout_is_due_locked (const GstVfiStream *stream)
{
  return stream->timeout->alarm.rings;
}

void
gst_vfi_timeout_cancel (GstVfiStream *stream)
{
  gst_vfi_alarm_cancel (stream, &stream->timeout->alarm);
}

void
gst_vfi_timeout_arm (GstVfiStream *stream)
{
  guint64 timeout = gst_vfi_stream_settings (stream).live_timeout;
  GstClockTime now = gst_vfi_live_now (stream, NULL);
  gboolean live;

  g_mutex_lock (&stream->lock);
  live = stream->live->live;
  g_mutex_unlock (&stream->lock);
  if (timeout == 0 || timeout > G_MAXINT64 || !live || stream->synchronous ||
      !GST_CLOCK_TIME_IS_VALID (now) || stream->run.segment.rate <= 0)
    return;
  stream->timeout->start = now + timeout;
  stream->timeout->next = 1;
  /* Copies are late by the timeout and a frame, and clocks differ a little. */
  gst_vfi_run_set_stand_in (&stream->run, stream->live->frame,
      MIN (gst_vfi_time_times (stream->live->frame, 2) + timeout, MAX_FILL));
  wait_for_next (stream);
}

GstFlowReturn
gst_vfi_timeout_fill (GstVfiStream *stream)
{
  GstClockTime now = gst_vfi_live_now (stream, NULL);
  GstVfiSlot slot;

  gst_vfi_timeout_cancel (stream);
  if (stream->held == NULL || !GST_CLOCK_TIME_IS_VALID (now))
    return GST_FLOW_OK;
  gst_vfi_repeats_release (stream);
  gst_vfi_window_complete (stream);
  for (guint i = 0; i < BURST; i++) {
    gboolean shown = missing_slot (stream, &slot);
    if (due_time (stream, &slot) > now)
      break;
    guint index = stream->timeout->next++;
    if (!shown)
      continue;
    gst_vfi_run_take_repeat (&stream->run, index, &slot);
    gst_vfi_pending_add_duplicate (stream, stream->held, &slot);
  }
  GST_DEBUG_OBJECT (stream->element, "no frame since %" GST_TIME_FORMAT,
      GST_TIME_ARGS (stream->run.pts));
  wait_for_next (stream);
  return gst_vfi_jobs_submit (stream);
}
