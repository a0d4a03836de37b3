/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Alarms: the pipeline's clock wakes the task at a time. Streaming thread only; no lock
 * is held. */
#pragma once

#include "stream/state.h"

G_BEGIN_DECLS

/**
 * GstVfiAlarm: guarded by the stream's lock; zeroed is not set.
 * @id: waits for the time; NULL if none is waited for
 * @rings: that time has come
 */
typedef struct {
  GstClockID id;
  gboolean rings;
} GstVfiAlarm;

/* Sets @alarm, which is not set, to @time of the element's clock, or to an hour from now
 * if that is sooner: so it may ring early. Without a clock it never rings. */
void gst_vfi_alarm_set (GstVfiStream *stream, GstVfiAlarm *alarm, GstClockTime time);

/* It is not waited for any more, and does not ring. */
void gst_vfi_alarm_cancel (GstVfiStream *stream, GstVfiAlarm *alarm);

G_END_DECLS
