/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies in place of frames that do not come. The pipeline's clock wakes the task. */
#include "stream/timeout.h"

#include "pure/place.h"
#include "pure/stand_in.h"
#include "pure/time_math.h"
#include "stream/pending.h"
#include "stream/task.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Copies appended at once: after a long stop of the clock's thread the task stays open to
 * whatever comes. */
#define BURST 64

/* The most time behind the copies that is filled when a frame comes that begins a run. */
#define LONGEST_FILL (5 * GST_SECOND)

typedef struct {
  GstElement *element; /* a reference: it owns the stream */
  GstVfiStream *stream;
} Waiter;

static void
waiter_free (gpointer data)
{
  Waiter *waiter = data;

  gst_object_unref (waiter->element);
  g_free (waiter);
}

static gboolean
on_timeout (GstClock *clock, GstClockTime time, GstClockID id, gpointer user_data)
{
  GstVfiStream *stream = ((Waiter *) user_data)->stream;

  (void) clock;
  (void) time;
  g_mutex_lock (&stream->lock);
  if (stream->live.timer == id) {
    stream->live.timer_due = TRUE;
    gst_vfi_stream_wake_locked (stream);
  }
  g_mutex_unlock (&stream->lock);
  return TRUE;
}

static gboolean
missing_slot (GstVfiStream *stream, GstVfiSlot *slot)
{
  return gst_vfi_run_repeat_slot (&stream->run, stream->live.timeout_next, slot);
}

static GstClockTime
due_time (GstVfiStream *stream, const GstVfiSlot *slot)
{
  GstClockTime after = slot->pts > stream->run.pts ? slot->pts - stream->run.pts : 0;

  return stream->live.timeout_start + MAX (after, stream->live.frame);
}

static void
wait_until (GstVfiStream *stream, GstClockTime time)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (stream->element);
  GstClockID id;
  Waiter *waiter;

  if (clock == NULL)
    return;
  waiter = g_new0 (Waiter, 1);
  waiter->element = gst_object_ref (stream->element);
  waiter->stream = stream;
  id = gst_clock_new_single_shot_id (clock, time);
  g_mutex_lock (&stream->lock);
  stream->live.timer = id;
  stream->live.timer_due = FALSE;
  g_mutex_unlock (&stream->lock);
  gst_clock_id_wait_async (id, on_timeout, waiter, waiter_free);
}

static void
wait_for_next (GstVfiStream *stream)
{
  GstVfiSlot slot;

  missing_slot (stream, &slot);
  wait_until (stream, due_time (stream, &slot));
}

void
gst_vfi_timeout_cancel (GstVfiStream *stream)
{
  GstClockID id;

  g_mutex_lock (&stream->lock);
  id = stream->live.timer;
  stream->live.timer = NULL;
  stream->live.timer_due = FALSE;
  g_mutex_unlock (&stream->lock);
  if (id == NULL)
    return;
  gst_clock_id_unschedule (id);
  gst_clock_id_unref (id);
}

void
gst_vfi_timeout_arm (GstVfiStream *stream)
{
  guint64 timeout = gst_vfi_stream_settings (stream).live_timeout;
  GstClockTime now = gst_vfi_live_now (stream);
  gboolean live;

  g_mutex_lock (&stream->lock);
  live = stream->live.live;
  g_mutex_unlock (&stream->lock);
  if (timeout == 0 || timeout > G_MAXINT64 || !live || stream->synchronous ||
      !GST_CLOCK_TIME_IS_VALID (now) || stream->run.segment.rate <= 0)
    return;
  stream->live.timeout_start = now + timeout;
  stream->live.timeout_next = 1;
  /* Copies are late by the timeout and a frame, and clocks differ a little. */
  gst_vfi_run_set_stand_in (&stream->run, stream->live.frame,
      MIN (gst_vfi_time_times (stream->live.frame, 2) + timeout, LONGEST_FILL));
  wait_for_next (stream);
}

void
gst_vfi_timeout_fill (GstVfiStream *stream)
{
  GstClockTime now = gst_vfi_live_now (stream);
  GstVfiSlot slot;

  gst_vfi_timeout_cancel (stream);
  if (stream->held == NULL || !GST_CLOCK_TIME_IS_VALID (now))
    return;
  gst_vfi_repeats_release (stream);
  for (guint i = 0; i < BURST; i++) {
    gboolean shown = missing_slot (stream, &slot);
    if (due_time (stream, &slot) > now)
      break;
    guint index = stream->live.timeout_next++;
    if (!shown)
      continue;
    gst_vfi_run_take_repeat (&stream->run, index, &slot);
    gst_vfi_pending_add_duplicate (stream, stream->held, &slot);
  }
  GST_DEBUG_OBJECT (stream->element, "no frame since %" GST_TIME_FORMAT,
      GST_TIME_ARGS (stream->run.pts));
  wait_for_next (stream);
}
