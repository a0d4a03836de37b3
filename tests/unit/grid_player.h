/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small stand-in for the element: feeds frames in the order that vfigrid.h documents
 * and writes down what would be pushed. */
#pragma once

#include <gst/gst.h>

#include "pure/grid.h"
#include "pure/pair_rules.h"
#include "pure/place.h"

#define NONE GST_CLOCK_TIME_NONE
#define MS GST_MSECOND

typedef struct {
    GstVfiRun run;
    GArray *out; /* GstVfiSlot; a GAP event has phase_den 0 */
    guint dropped;
    guint warnings;
    GstVfiTail tail;          /* of runs that a frame closes */
    gboolean mark_copies;     /* in player_text() */
    const GstVfiPairs *pairs; /* NULL: no pair is treated its own way */
    guint pair_multiplier;
    gboolean variable;
} Player;

void player_init(Player *player, gint num, gint den, guint multiplier);
void player_clear(Player *player);

/* A new segment; @stop may be NONE. The run before must have been closed. */
void player_segment(Player *player, gdouble rate, GstClockTime start, GstClockTime stop);

void player_frame(Player *player, GstClockTime pts, GstClockTime duration,
                  gboolean discont);

/* Frames of a case: "pts" or "pts+duration" in ms, "-" for no PTS, "!" before a
 * DISCONT. */
void player_frames(Player *player, const char *frames);

/* @count copies stand in for what comes behind the last frame, as if frames came every
 * @frame; up to @longest is filled. */
void player_stand_in(Player *player, GstClockTime frame, GstClockTime longest,
                     guint count);

/* What closes the run. */
void player_tail(Player *player, GstVfiTail tail, GstClockTime closed_at);

/* Output @index, which must exist. */
GstVfiSlot *at(const Player *player, guint index);

/* One word an output: "pts+duration" in units, "@n/d" for an in-between, "=" for a copy
 * where they are marked, "!" before a run's first, "gap:" before a GAP event. */
char *player_text(const Player *player, GstClockTime unit);
void check_text(const Player *player, GstClockTime unit, const char *expected);
