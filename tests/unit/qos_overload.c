/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder under load, on a clock that is only a number: a live source, an engine that
 * does one job after the other, and an element that holds one pair at a time. Costs
 * change while it runs; what arrives, when, and what was said about it is written
 * down. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/latency.h"
#include "pure/qos.h"

#define MS GST_MSECOND
#define S GST_SECOND

typedef struct {
    guint until_s;
    guint cost_ms;
    guint jitter_ms; /* up to this much more, at random */
} Phase;

typedef struct {
    const char *what;
    guint fps;
    guint multiplier;
    guint pair_ms;
    GstVfiOnLate on_late;
    guint reduced_percent; /* cost at the reduced scale; 0: the model has none */
    Phase phases[3];
    GstVfiRung rungs[3]; /* where most pairs of a phase's second half are worked on */
    guint max_changes;   /* of the rung, in all phases */
} Scenario;

typedef struct {
    GstVfiQos qos;
    const Scenario *scenario;
    GRand *rand;
    GstClockTime frame;
    GstClockTime reported; /* latency */
    GstClockTime free_at;  /* when the element can take the next frame */
    GArray *changes;       /* GstClockTime, of rung changes */
    guint last_change;
    guint messages;
    guint latency_messages;
    guint computed, duplicates, skipped;
    guint late; /* computed ones that left more than the tolerance after their deadline */
    GstClockTime worst_original;
    GstClockTime worst_settled; /* the same, a second or more after a cost changed */
    GstClockTime worst_backlog;
    guint at_rung[3][GST_VFI_RUNG_NONE + 1];
} World;

static guint phase_at(const Scenario *scenario, GstClockTime now)
{
    guint i = 0;
    while (i < 2 && scenario->phases[i + 1].until_s != 0 &&
           now >= scenario->phases[i].until_s * S)
        i++;
    return i;
}

static GstClockTime phase_start(const Scenario *scenario, guint phase)
{
    return phase == 0 ? 0 : scenario->phases[phase - 1].until_s * S;
}

static GstClockTime true_cost(World *world, GstClockTime now, const GstVfiQosJob *job)
{
    const Scenario *scenario = world->scenario;
    const Phase *phase = &scenario->phases[phase_at(scenario, now)];
    GstClockTime cost = phase->cost_ms * MS;
    if (phase->jitter_ms > 0)
        cost +=
            (GstClockTime)g_rand_int_range(world->rand, 0, (gint)phase->jitter_ms) * MS;
    if (job->reduced)
        cost = cost * scenario->reduced_percent / 100;
    return cost + (job->first ? scenario->pair_ms * MS : 0);
}

static void note_changes(World *world, GstClockTime now)
{
    for (; world->last_change != world->qos.change; world->last_change++)
        g_array_append_val(world->changes, now);
}

static void update_latency(World *world, gboolean configured)
{
    GstVfiLatencyInput input = {
        .multiplier = world->scenario->multiplier,
        .frame = world->frame,
    };
    GstClockTime own;
    gst_vfi_qos_costs(&world->qos, &input.cost, &input.pair_cost);
    gst_vfi_latency_own(&input, &own);
    if (!gst_vfi_latency_must_post(world->reported, own, configured))
        return;
    world->reported = own;
    world->latency_messages++;
}

/* Decides on all in-betweens between frame - 1 and @frame at @now, then does the work.
 * Returns when the frame itself leaves. */
static GstClockTime play_pair(World *world, guint64 frame, GstClockTime now)
{
    guint n = world->scenario->multiplier, jobs = 0;
    GstVfiQosJob job[16];
    g_assert(n <= G_N_ELEMENTS(job));
    gst_vfi_qos_begin_pair(&world->qos, now, 0, n - 1, world->frame);
    for (guint j = 1; j < n; j++) {
        GstClockTime pts = (frame - 1) * world->frame + world->frame * j / n;
        GstVfiQosAsk ask = {
            .index = j,
            .running_time = pts,
            .now = now,
            .deadline =
                gst_vfi_latency_deadline(0, pts, world->reported, world->reported),
            .jobs = jobs,
        };
        switch (gst_vfi_qos_decide(&world->qos, &ask, &job[jobs])) {
        case GST_VFI_DECISION_COMPUTE:
            jobs++;
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
    for (guint i = 0; i < jobs; i++) {
        GstClockTime cost = true_cost(world, now, &job[i]);
        now += cost;
        gst_vfi_qos_finish(&world->qos, &job[i], cost, now);
        note_changes(world, now);
        if (now > job[i].deadline + GST_VFI_QOS_TOLERANCE)
            world->late++;
    }
    world->computed += jobs;
    return now;
}

static void play_frame(World *world, guint64 frame)
{
    const Scenario *scenario = world->scenario;
    GstClockTime arrival = frame * world->frame;
    GstClockTime now = MAX(arrival, world->free_at);
    guint phase = phase_at(scenario, arrival);
    GstClockTime start = phase_start(scenario, phase);
    GstClockTime end = scenario->phases[phase].until_s * S;
    GstVfiQosMessage message;
    world->worst_backlog = MAX(world->worst_backlog, now - arrival);
    world->free_at = play_pair(world, frame, now);
    world->worst_original = MAX(world->worst_original, world->free_at - arrival);
    if (arrival > start + S && world->free_at < end)
        world->worst_settled = MAX(world->worst_settled, world->free_at - arrival);
    if (arrival > (start + end) / 2)
        world->at_rung[phase][world->qos.pair_rung]++;
    if (gst_vfi_qos_take_message(&world->qos, world->free_at, &message)) {
        world->messages++;
        ck_assert_int_eq(message.quality, 1000000 - 250000 * (gint)message.rung);
    }
    update_latency(world, FALSE);
}

static void play(World *world, const Scenario *scenario)
{
    GstVfiQosConfig config = {
        .on_late = scenario->on_late,
        .live = TRUE,
        .events = TRUE,
        .reduced_scale = scenario->reduced_percent != 0,
    };
    guint seconds = 0;
    *world = (World){
        .scenario = scenario,
        .rand = g_rand_new_with_seed(1),
        .frame = S / scenario->fps,
        .changes = g_array_new(FALSE, FALSE, sizeof(GstClockTime)),
    };
    gst_vfi_qos_init(&world->qos);
    gst_vfi_qos_set_config(&world->qos, &config);
    update_latency(world, TRUE);
    for (guint i = 0; i < 3; i++)
        seconds = MAX(seconds, scenario->phases[i].until_s);
    for (guint64 frame = 1; frame < seconds * scenario->fps; frame++)
        play_frame(world, frame);
}

static void world_clear(World *world)
{
    g_rand_free(world->rand);
    g_array_unref(world->changes);
}

static GstVfiRung usual_rung(const World *world, guint phase)
{
    GstVfiRung usual = GST_VFI_RUNG_FULL;
    for (GstVfiRung rung = usual; rung <= GST_VFI_RUNG_NONE; rung++) {
        if (world->at_rung[phase][rung] > world->at_rung[phase][usual])
            usual = rung;
    }
    return usual;
}

/* The most rung changes in any second. */
static guint busiest_second(const World *world)
{
    guint most = 0;
    for (guint i = 0, first = 0; i < world->changes->len; i++) {
        GstClockTime now = g_array_index(world->changes, GstClockTime, i);
        while (now - g_array_index(world->changes, GstClockTime, first) >= S)
            first++;
        most = MAX(most, i - first + 1);
    }
    return most;
}

#define FULL GST_VFI_RUNG_FULL
#define REDUCED GST_VFI_RUNG_REDUCED
#define HALF GST_VFI_RUNG_HALF
#define DUPLICATES GST_VFI_RUNG_DUPLICATES
#define SKIPS GST_VFI_RUNG_NONE
#define AUTO GST_VFI_ON_LATE_AUTO
#define SKIP GST_VFI_ON_LATE_SKIP

static const Scenario scenarios[] = {
    {"fast enough", 30, 4, 2, AUTO, 0, {{60, 5, 3}}, {FULL}, 0},
    {"a cost above the output interval from the start",
     30,
     4,
     0,
     AUTO,
     0,
     {{60, 12, 0}, {120, 4, 0}},
     {HALF, FULL},
     4},
    {"the same with a cost a pair",
     30,
     4,
     5,
     AUTO,
     0,
     {{60, 12, 0}, {120, 4, 0}},
     {HALF, FULL},
     4},
    {"overload comes and goes",
     30,
     4,
     0,
     AUTO,
     0,
     {{20, 4, 0}, {80, 12, 2}, {140, 4, 0}},
     {FULL, HALF, FULL},
     30},
    {"nothing can be computed in time",
     30,
     4,
     0,
     AUTO,
     0,
     {{10, 4, 0}, {70, 100, 0}, {140, 4, 0}},
     {FULL, DUPLICATES, FULL},
     30},
    {"nothing can be computed in time, in-betweens left out",
     30,
     4,
     0,
     SKIP,
     0,
     {{10, 4, 0}, {70, 100, 0}, {140, 4, 0}},
     {FULL, SKIPS, FULL},
     30},
    {"one in between, twice too slow",
     30,
     2,
     0,
     AUTO,
     0,
     {{10, 8, 0}, {70, 60, 0}, {140, 8, 0}},
     {FULL, DUPLICATES, FULL},
     30},
    {"a reduced scale is enough",
     30,
     4,
     0,
     AUTO,
     40,
     {{10, 4, 0}, {70, 14, 0}, {140, 4, 0}},
     {FULL, REDUCED, FULL},
     40},
    {"a reduced scale is not enough",
     30,
     4,
     0,
     AUTO,
     60,
     {{10, 4, 0}, {70, 22, 0}, {140, 4, 0}},
     {FULL, HALF, FULL},
     40},
    {"a reduced scale does not help",
     30,
     2,
     0,
     AUTO,
     90,
     {{10, 4, 0}, {70, 90, 0}, {140, 4, 0}},
     {FULL, DUPLICATES, FULL},
     40},
    {"costs around the limit", 30, 4, 0, AUTO, 0, {{120, 6, 9}}, {HALF}, 60},
    {"wild costs", 25, 3, 1, AUTO, 50, {{120, 2, 40}}, {REDUCED}, 80},
};

START_TEST(overload_is_borne)
{
    const Scenario *scenario = &scenarios[_i];
    const char *what = scenario->what;
    GstClockTime slowest = 0;
    guint phases = 0, seconds = 0;
    World world;
    play(&world, scenario);
    for (; phases < 3 && scenario->phases[phases].until_s != 0; phases++) {
        const Phase *phase = &scenario->phases[phases];
        seconds = phase->until_s;
        slowest = MAX(slowest, (phase->cost_ms + phase->jitter_ms) * MS);
    }
    GstClockTime pair = scenario->pair_ms * MS;
    /* When costs jump, one pair has been begun by the old ones. From then on an original
     * waits for no more than what fits a frame, or for one in-between. */
    ck_assert_msg(world.worst_original <=
                      world.frame + pair + (scenario->multiplier - 1) * slowest,
                  "%s: original late by %" GST_TIME_FORMAT, what,
                  GST_TIME_ARGS(world.worst_original));
    ck_assert_msg(world.worst_settled <= pair + MAX(2 * world.frame, slowest),
                  "%s: settled original late by %" GST_TIME_FORMAT, what,
                  GST_TIME_ARGS(world.worst_settled));
    ck_assert_msg(world.worst_backlog <= world.worst_original, "%s: backlog", what);
    for (guint i = 0; i < phases; i++)
        ck_assert_msg(usual_rung(&world, i) == scenario->rungs[i], "%s: phase %u at %d",
                      what, i, (int)usual_rung(&world, i));
    ck_assert_msg(world.changes->len <= scenario->max_changes, "%s: %u changes", what,
                  world.changes->len);
    ck_assert_msg(busiest_second(&world) <= 6, "%s: %u changes a second", what,
                  busiest_second(&world));
    ck_assert_uint_le(world.messages, world.changes->len + seconds);
    ck_assert_uint_le(world.late, (world.changes->len + phases) * scenario->multiplier);
    if (scenario->on_late == GST_VFI_ON_LATE_SKIP)
        ck_assert_uint_eq(world.duplicates, 0);
    else
        ck_assert_uint_eq(world.skipped, 0);
    ck_assert_uint_eq(world.computed + world.duplicates + world.skipped,
                      (seconds * scenario->fps - 1) * (scenario->multiplier - 1));
    world_clear(&world);
}
END_TEST

START_TEST(waiting_never_degrades)
{
    static const Scenario scenario = {
        "wait", 30, 4, 0, GST_VFI_ON_LATE_WAIT, 50, {{60, 12, 0}}, {FULL}, 0};
    World world;
    play(&world, &scenario);
    ck_assert_uint_eq(world.computed, (60 * 30 - 1) * 3);
    ck_assert_uint_eq(world.changes->len, 0);
    ck_assert_uint_eq(world.messages, 0);
    ck_assert_uint_eq(world.at_rung[0][FULL], 30 * 30 - 1);
    world_clear(&world);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("qos-overload");
    TCase *tcase = tcase_create("qos-overload");
    tcase_add_loop_test(tcase, overload_is_borne, 0, G_N_ELEMENTS(scenarios));
    tcase_add_test(tcase, waiting_never_degrades);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
