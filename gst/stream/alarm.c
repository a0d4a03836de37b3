/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/alarm.h"

#include "pure/time_math.h"

/* To clocks, whose differences are signed, times that are too far away are past. */
#define MAX_WAIT (3600 * GST_SECOND)

typedef struct {
  GstElement *element; /* a reference: it owns the stream */
  GstVfiStream *stream;
  GstVfiAlarm *alarm;
} Waiter;

static void
waiter_free (gpointer data)
{
  Waiter *waiter = data;

  gst_object_unref (waiter->element);
  g_free (waiter);
}

static gboolean
on_time (GstClock *clock, GstClockTime time, GstClockID id, gpointer user_data)
{
  Waiter *waiter = user_data;

  (void) clock;
  (void) time;
  g_mutex_lock (&waiter->stream->lock);
  if (waiter->alarm->id == id) {
    waiter->alarm->rings = TRUE;
    gst_vfi_stream_wake_locked (waiter->stream);
  }
  g_mutex_unlock (&waiter->stream->lock);
  return TRUE;
}

void
gst_vfi_alarm_set (GstVfiStream *stream, GstVfiAlarm *alarm, GstClockTime time)
{
  g_autoptr (GstClock) clock = gst_element_get_clock (stream->element);
  GstClockID id;
  Waiter *waiter;

  if (clock == NULL)
    return;
  waiter = g_new0 (Waiter, 1);
  waiter->element = gst_object_ref (stream->element);
  waiter->stream = stream;
  waiter->alarm = alarm;
  time = MIN (time, gst_vfi_time_add (gst_clock_get_time (clock), MAX_WAIT));
  id = gst_clock_new_single_shot_id (clock, time);
  g_mutex_lock (&stream->lock);
  alarm->id = id;
  alarm->rings = FALSE;
  g_mutex_unlock (&stream->lock);
  gst_clock_id_wait_async (id, on_time, waiter, waiter_free);
}

void
gst_vfi_alarm_cancel (GstVfiStream *stream, GstVfiAlarm *alarm)
{
  GstClockID id;

  g_mutex_lock (&stream->lock);
  id = alarm->id;
  alarm->id = NULL;
  alarm->rings = FALSE;
  g_mutex_unlock (&stream->lock);
  if (id == NULL)
    return;
  gst_clock_id_unschedule (id);
  gst_clock_id_unref (id);
}
