/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A world for the ladder, on a clock that is only a number: a live source, a machine that
 * is slower at some times than at others and shares itself evenly between what is shown
 * and a rehearsal, and an element that holds one pair at a time. What arrives, when, and
 * what was said about it is written down. */
#pragma once

#include "qos_player.h"

/**
 * WorldPhase:
 * @until: its end, seconds
 * @percent: what work costs then, of what it costs on an idle machine
 */
typedef struct {
    double until;
    guint percent;
} WorldPhase;

/**
 * WorldSetup:
 * @fps: frames a second
 * @multiplier: outputs a frame
 * @makers: as in qos_player.h
 * @cost: what an in-between costs on an idle machine, ms, by makers
 * @pair: the same of a pair; where another maker made the pair before, twice that
 * @jitter: up to so many percent more, at random
 * @hiccups: of a thousand in-betweens so many take up to @hiccup ms more
 * @stalls: of a thousand frames so many come up to @stall ms late, and those after them
 *     not before them
 * @has_sink: there is one that says how late it gets what it shows
 * @budget: latency-budget
 * @phases: until the last one's end
 */
typedef struct {
    guint fps;
    guint multiplier;
    GstVfiOnLate on_late;
    const char *makers;
    double cost[GST_VFI_N_MAKERS];
    double pair[GST_VFI_N_MAKERS];
    guint jitter;
    guint hiccups;
    guint hiccup;
    guint stalls;
    guint stall;
    gboolean has_sink;
    GstClockTime budget;
    const WorldPhase *phases;
    guint n_phases;
    guint seed;
} WorldSetup;

#define WORLD_MAX_PHASES 512

/**
 * World: what has happened.
 * @frames: that came in
 * @computed: in-betweens, by the rungs of their pairs
 * @duplicates: in-betweens that were not
 * @skipped: the same without a copy
 * @hopeless: in-betweens whose deadline was over when their pair came
 * @late: of those computed, later than the tolerance after their deadline
 * @late_originals: frames that left later than the latency and the tolerance allow
 * @worst_original: the longest that a frame took
 * @worst_settled: the same, a second or more after a phase began
 * @changes: GstClockTime, of the rung
 * @qos_messages, @latency_messages: posted
 * @rehearsals, @ended: begun, and ended before their picture was made
 * @at_rung: pairs of the second halves of phases, by rungs
 * @latency: as reported last
 */
typedef struct {
    guint frames;
    guint computed[GST_VFI_N_RUNGS];
    guint duplicates, skipped;
    guint hopeless;
    guint late;
    guint late_originals;
    GstClockTime worst_original, worst_settled;
    GArray *changes;
    guint qos_messages, latency_messages;
    guint rehearsals, ended;
    guint at_rung[WORLD_MAX_PHASES][GST_VFI_N_RUNGS];
    GstClockTime latency;

    /* From here on: how it works. */
    GstVfiQos qos;
    WorldSetup setup;
    GRand *rand;
    GstClockTime frame;
    GstClockTime arrival; /* of the last frame */
    GstClockTime free_at; /* when the element can take the next frame */
    GstClockTime idle_from;
    guint change;
    gboolean cost_known; /* the latency has one */
    gboolean rehearses;
    GstVfiMaker rehearsed;
    GstClockTime rehearsed_from;
    double rehearsal_left; /* of its work, ns */
    GstClockTime rehearsed_until;
    guint phase;
} World;

/* Plays all phases. world_clear() it. */
void world_play(World *world, const WorldSetup *setup);
void world_clear(World *world);

/* All in-betweens that were computed. */
guint world_computed(const World *world);

/* The rung at which most pairs of the second half of a phase were worked on. */
GstVfiRung world_usual_rung(const World *world, guint phase);

/* The most rung changes in any stretch of that length. */
guint world_most_changes(const World *world, GstClockTime length);
