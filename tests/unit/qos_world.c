/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qos_world.h"

#include "check_main.h"
#include "pure/latency.h"

/* From so many costs on the latency is that of costs; see own_latency.h. */
#define MIN_COSTS 20

static const WorldPhase *phase_at(World *world, GstClockTime now)
{
    const WorldSetup *setup = &world->setup;
    while (world->phase + 1 < setup->n_phases &&
           (double)now >= setup->phases[world->phase].until * (double)S)
        world->phase++;
    return &setup->phases[world->phase];
}

static GstClockTime phase_start(const World *world)
{
    if (world->phase == 0)
        return 0;
    return (GstClockTime)(world->setup.phases[world->phase - 1].until * (double)S);
}

static double work(World *world, GstClockTime now, GstVfiMaker maker, gboolean first,
                   gboolean arrives)
{
    const WorldSetup *setup = &world->setup;
    double cost = setup->cost[maker] + (first ? setup->pair[maker] : 0) +
                  (first && arrives ? setup->pair[maker] : 0);
    cost *= 1 + g_rand_double(world->rand) * setup->jitter / 100;
    cost *= phase_at(world, now)->percent / 100.0;
    if (g_rand_double(world->rand) * 1000 < setup->hiccups)
        cost += setup->hiccup * g_rand_double(world->rand);
    return cost * (double)MS;
}

static void note_changes(World *world, GstClockTime now)
{
    for (; world->change != world->qos.change; world->change++)
        g_array_append_val(world->changes, now);
}

/* ---- the machine ------------------------------------------------------------------- */

static void end_rehearsal(World *world, GstClockTime cost, GstClockTime now)
{
    world->rehearses = FALSE;
    gst_vfi_qos_rehearsed(&world->qos, world->rehearsed, cost, MAX(now, world->qos.now));
}

/* Nothing that is shown is worked on until @now. */
static void idle_until(World *world, GstClockTime now)
{
    if (now <= world->idle_from)
        return;
    double time = (double)(now - world->idle_from);
    GstClockTime end = world->idle_from + (GstClockTime)world->rehearsal_left;
    world->idle_from = now;
    if (!world->rehearses)
        return;
    if (world->rehearsal_left <= time)
        end_rehearsal(world, end - world->rehearsed_from, end);
    else
        world->rehearsal_left -= time;
}

/* When work of @cost that begins at @now is done. */
static GstClockTime work_until(World *world, GstClockTime now, double cost)
{
    double shared = world->rehearses ? MIN(cost, world->rehearsal_left) : 0;
    GstClockTime end = now + (GstClockTime)(cost + shared);
    world->idle_from = end;
    world->rehearsal_left -= shared;
    world->rehearsed_until = now + (GstClockTime)(2 * shared);
    return end;
}

/* The element looks for the end of a rehearsal between pairs. */
static void end_rehearsal_if_made(World *world)
{
    if (world->rehearses && world->rehearsal_left < 1)
        end_rehearsal(world, world->rehearsed_until - world->rehearsed_from,
                      world->rehearsed_until);
}

/* ---- the element ------------------------------------------------------------------- */

static void update_latency(World *world, gboolean configured)
{
    GstVfiLatencyInput input = {
        .multiplier = world->setup.multiplier,
        .frame = world->frame,
        .budget = world->setup.budget,
    };
    GstVfiQosLatency costs = gst_vfi_qos_latency(&world->qos);
    GstClockTime own;
    input.cost = input.pair_cost = NONE;
    if (!world->cost_known && (costs.n_measured >= MIN_COSTS || costs.is_urgent))
        world->cost_known = configured = TRUE;
    if (world->cost_known) {
        input.cost = costs.in_between;
        input.pair_cost = costs.pair;
    }
    gst_vfi_latency_own(&input, &own);
    if (!costs.may_shrink)
        own = MAX(own, world->latency);
    if (!gst_vfi_latency_must_post(world->latency, own, configured))
        return;
    world->latency = own;
    world->latency_messages++;
}

static guint decide(World *world, guint64 frame, GstClockTime now, GstVfiQosJob *jobs)
{
    guint n = world->setup.multiplier, n_jobs = 0;
    GstClockTime cost;
    for (guint i = 1; i < n; i++) {
        GstClockTime pts = (frame - 1) * world->frame + world->frame * i / n;
        GstVfiMaker maker =
            gst_vfi_ladder_maker(&world->qos.config, world->qos.pair_rung);
        GstVfiQosAsk ask = {
            .index = i,
            .running_time = pts,
            .now = now,
            .deadline = gst_vfi_latency_deadline(0, pts, world->latency, world->latency),
        };
        ask.jobs[maker] = n_jobs;
        world->hopeless += now >= ask.deadline;
        switch (gst_vfi_qos_decide(&world->qos, &ask, &jobs[n_jobs])) {
        case GST_VFI_DECISION_COMPUTE:
            n_jobs++;
            break;
        case GST_VFI_DECISION_DUPLICATE:
            world->duplicates++;
            break;
        case GST_VFI_DECISION_SKIP:
            world->skipped++;
            break;
        }
    }
    note_changes(world, now);
    if (world->rehearses && gst_vfi_qos_rehearsal_must_end(&world->qos, now, &cost)) {
        world->ended++;
        end_rehearsal(world, cost, now);
    }
    return n_jobs;
}

/* A sink has got an output that was due at @pts. */
static void tell(World *world, GstClockTime pts, GstClockTime now)
{
    GstClockTimeDiff late = GST_CLOCK_DIFF(pts + world->latency, now);
    if (!world->setup.has_sink)
        return;
    gst_vfi_qos_note_event(&world->qos,
                           late > 0 ? GST_QOS_TYPE_UNDERFLOW : GST_QOS_TYPE_OVERFLOW,
                           late, pts, world->frame / world->setup.multiplier);
    note_changes(world, now);
}

/* Decides on all in-betweens between frame - 1 and @frame at @now, then does the work.
 * Returns when the frame itself leaves. */
static GstClockTime play_pair(World *world, guint64 frame, GstClockTime now)
{
    const guint no_jobs[GST_VFI_N_MAKERS] = {0};
    GstVfiQosJob jobs[16];
    idle_until(world, now);
    gst_vfi_qos_begin_pair(&world->qos, now, no_jobs, world->setup.multiplier - 1,
                           world->frame);
    note_changes(world, now);
    GstVfiRung rung = world->qos.pair_rung;
    guint n_jobs = decide(world, frame, now, jobs);
    for (guint i = 0; i < n_jobs; i++) {
        double cost = work(world, now, jobs[i].maker, jobs[i].first, jobs[i].arrives);
        GstClockTime end = work_until(world, now, cost);
        gst_vfi_qos_finish(&world->qos, &jobs[i], end - now, end);
        note_changes(world, end);
        now = end;
        if (now > jobs[i].deadline + GST_VFI_QOS_TOLERANCE)
            world->late++;
        tell(world, jobs[i].running_time, now);
    }
    if (n_jobs == 0)
        tell(world, (frame - 1) * world->frame + world->frame / world->setup.multiplier,
             now);
    tell(world, frame * world->frame, now);
    end_rehearsal_if_made(world);
    world->computed[rung] += n_jobs;
    return now;
}

static void note_original(World *world, GstClockTime arrival)
{
    GstClockTime took = world->free_at - arrival;
    phase_at(world, arrival);
    GstClockTime start = phase_start(world);
    GstClockTime end =
        (GstClockTime)(world->setup.phases[world->phase].until * (double)S);
    world->frames++;
    world->worst_original = MAX(world->worst_original, took);
    if (took > world->latency + GST_VFI_QOS_TOLERANCE)
        world->late_originals++;
    if (arrival > start + S && world->free_at < end)
        world->worst_settled = MAX(world->worst_settled, took);
    if (arrival > (start + end) / 2)
        world->at_rung[world->phase][world->qos.pair_rung]++;
}

static void begin_rehearsal(World *world)
{
    world->rehearses =
        gst_vfi_qos_wants_rehearsal(&world->qos, world->free_at, &world->rehearsed);
    if (!world->rehearses)
        return;
    world->rehearsals++;
    world->rehearsed_from = world->free_at;
    world->rehearsal_left = work(world, world->free_at, world->rehearsed, TRUE, FALSE);
}

/* When a frame comes. */
static GstClockTime arrival_of(World *world, guint64 frame)
{
    const WorldSetup *setup = &world->setup;
    GstClockTime arrival = frame * world->frame;
    if (setup->stalls > 0 && g_rand_double(world->rand) * 1000 < setup->stalls)
        arrival += (GstClockTime)(g_rand_double(world->rand) * setup->stall * (double)MS);
    world->arrival = MAX(world->arrival, arrival);
    return world->arrival;
}

static void play_frame(World *world, guint64 frame)
{
    GstVfiQosMessage message;
    GstClockTime arrival = arrival_of(world, frame);
    world->free_at = play_pair(world, frame, MAX(arrival, world->free_at));
    note_original(world, arrival);
    if (gst_vfi_qos_take_message(&world->qos, world->free_at, &message))
        world->qos_messages++;
    if (!world->rehearses)
        begin_rehearsal(world);
    if (frame % world->setup.fps == 0 || gst_vfi_qos_latency(&world->qos).is_urgent)
        update_latency(world, FALSE);
}

void world_play(World *world, const WorldSetup *setup)
{
    GstVfiQosConfig config = player_config(setup->on_late, setup->makers);
    g_assert(setup->multiplier <= 16 && setup->n_phases <= WORLD_MAX_PHASES);
    *world = (World){
        .setup = *setup,
        .rand = g_rand_new_with_seed(setup->seed),
        .frame = S / setup->fps,
        .changes = g_array_new(FALSE, FALSE, sizeof(GstClockTime)),
    };
    gst_vfi_qos_init(&world->qos);
    gst_vfi_qos_set_config(&world->qos, &config);
    world->change = world->qos.change;
    update_latency(world, TRUE);
    guint64 n_frames = (guint64)(setup->phases[setup->n_phases - 1].until * setup->fps);
    for (guint64 frame = 1; frame < n_frames; frame++)
        play_frame(world, frame);
}

void world_clear(World *world)
{
    g_rand_free(world->rand);
    g_array_unref(world->changes);
}

guint world_computed(const World *world)
{
    guint n = 0;
    for (guint rung = 0; rung < GST_VFI_N_RUNGS; rung++)
        n += world->computed[rung];
    return n;
}

GstVfiRung world_usual_rung(const World *world, guint phase)
{
    GstVfiRung usual = FULL;
    for (GstVfiRung rung = usual; rung <= NOTHING; rung++) {
        if (world->at_rung[phase][rung] > world->at_rung[phase][usual])
            usual = rung;
    }
    return usual;
}

guint world_most_changes(const World *world, GstClockTime length)
{
    guint most = 0;
    for (guint i = 0, first = 0; i < world->changes->len; i++) {
        GstClockTime now = g_array_index(world->changes, GstClockTime, i);
        while (now - g_array_index(world->changes, GstClockTime, first) >= length)
            first++;
        most = MAX(most, i - first + 1);
    }
    return most;
}
