/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where output frames lie in time, and which segment each belongs to. Pure.
 *
 * At a constant rate slot n is at origin + n / rate, and segment k is the slots from
 * k·segment_frames on. At a variable rate (rate_n 0) frames keep their own times, and
 * segment k is the time from origin + k·segment_time on. Every segment is made from the
 * input frames of its time, SCHEDULE_LEAD frames before it and what the model needs after
 * it, whatever ran before: so it is the same in every run. */
#pragma once

#include <gst/gst.h>

/* Input frames before a segment that are shown to the element, but whose outputs are not:
 * enough for models of several frames, and for it to find what lies still. */
#define SCHEDULE_LEAD 8

typedef struct {
    GstClockTime origin; /* of slot 0 */
    int rate_n, rate_d;  /* 0/1: variable */
    guint64 segment_frames;
    GstClockTime segment_time;
} Schedule;

/* @seconds: about how long a segment is, above 0; at a constant rate at least one frame.
 */
void schedule_init(Schedule *schedule, GstClockTime origin, int rate_n, int rate_d,
                   double seconds);

GstClockTime schedule_slot_time(const Schedule *schedule, guint64 slot);

/* The slot nearest to @time; 0 for times before the first. Constant rate only. */
guint64 schedule_nearest_slot(const Schedule *schedule, GstClockTime time);

/* How many slots begin before @time (a microsecond early counts as at it). */
guint64 schedule_slots_before(const Schedule *schedule, GstClockTime time);

/* Where the grid that the element lays through the first frame of a segment's lead must
 * begin, so that it is the output's: the slot that @time is at, give or take 1.5 ms, or
 * the one before it. Never before @origin. At a variable rate @time. */
GstClockTime schedule_anchor(const Schedule *schedule, GstClockTime time);

/* When segment @segment begins. */
GstClockTime schedule_segment_start(const Schedule *schedule, guint segment);

/* The segment that @time lies in; at a constant rate of the nearest slot. */
guint schedule_segment_of(const Schedule *schedule, GstClockTime time);
