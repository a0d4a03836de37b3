/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/schedule.h"

#include <math.h>

#define ANCHOR_TOLERANCE (1500 * GST_USECOND)

void schedule_init(Schedule *schedule, GstClockTime origin, int rate_n, int rate_d,
                   double seconds)
{
    double frames = rate_n > 0 ? round(seconds * rate_n / rate_d) : 0;
    *schedule = (Schedule){
        .origin = origin,
        .rate_n = rate_n,
        .rate_d = rate_d,
        .segment_frames = frames < 1 ? 1 : (guint64)frames,
        .segment_time = MAX((GstClockTime)(seconds * 1e9), GST_MSECOND),
    };
}

GstClockTime schedule_slot_time(const Schedule *schedule, guint64 slot)
{
    return schedule->origin +
           gst_util_uint64_scale_round(slot, GST_SECOND * (guint64)schedule->rate_d,
                                       (guint64)schedule->rate_n);
}

guint64 schedule_nearest_slot(const Schedule *schedule, GstClockTime time)
{
    if (time <= schedule->origin)
        return 0;
    return gst_util_uint64_scale_round(time - schedule->origin, (guint64)schedule->rate_n,
                                       GST_SECOND * (guint64)schedule->rate_d);
}

guint64 schedule_slots_before(const Schedule *schedule, GstClockTime time)
{
    if (time <= schedule->origin)
        return 0;
    guint64 slot = schedule_nearest_slot(schedule, time);
    return schedule_slot_time(schedule, slot) + GST_USECOND < time ? slot + 1 : slot;
}

GstClockTime schedule_anchor(const Schedule *schedule, GstClockTime time)
{
    if (schedule->rate_n == 0)
        return time;
    guint64 slot = schedule_nearest_slot(schedule, time);
    if (slot > 0 && schedule_slot_time(schedule, slot) > time + ANCHOR_TOLERANCE)
        slot--;
    return schedule_slot_time(schedule, slot);
}

GstClockTime schedule_segment_start(const Schedule *schedule, guint segment)
{
    if (schedule->rate_n == 0)
        return schedule->origin + segment * schedule->segment_time;
    return schedule_slot_time(schedule, segment * schedule->segment_frames);
}

guint schedule_segment_of(const Schedule *schedule, GstClockTime time)
{
    if (schedule->rate_n > 0)
        return (guint)(schedule_nearest_slot(schedule, time) / schedule->segment_frames);
    if (time <= schedule->origin)
        return 0;
    return (guint)((time - schedule->origin) / schedule->segment_time);
}
