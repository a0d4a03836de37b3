/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder under load that comes and goes: which rung it finds, for how long it looks
 * for it, and what is late meanwhile. */
#include "check_main.h"
#include "qos_world.h"

#define AUTO GST_VFI_ON_LATE_AUTO
#define LEAVE GST_VFI_ON_LATE_SKIP
#define ALL "reduced flow rehearses"

/* One phase for ever, or a load between two times without one. */
#define STEADY(percent) {{120, percent}}, 1
#define COMES_AND_GOES(percent) {{20, 100}, {80, percent}, {160, 100}}, 3

typedef struct {
    const char *what;
    guint fps, multiplier;
    GstVfiOnLate on_late;
    const char *makers;
    double cost[GST_VFI_N_MAKERS];
    double pair;
    guint jitter;
    WorldPhase phases[3];
    guint n_phases;
    GstVfiRung rungs[3]; /* where most pairs of a phase's second half are worked on */
    guint max_changes;   /* of the rung, in all phases */
} Scenario;

/* Frames come every 33.3 ms. Without makers below the full one, and without rehearsals,
 * there is what there always was. */
static const Scenario scenarios[] = {
    {"fast enough", 30, 4, AUTO, "", {5}, 2, 30, STEADY(100), {FULL}, 0},
    {"above the output interval", 30, 4, AUTO, "", {12}, 0, 0, STEADY(100), {HALF}, 2},
    {"the same with a pair's cost", 30, 4, AUTO, "", {12}, 5, 0, STEADY(100), {HALF}, 2},
    {"a load", 30, 4, AUTO, "", {4}, 0, 15, COMES_AND_GOES(300), {FULL, HALF, FULL}, 8},
    {"nothing can be made in time",
     30,
     4,
     AUTO,
     "",
     {4},
     0,
     0,
     COMES_AND_GOES(2500),
     {FULL, DUPLICATES, FULL},
     30},
    {"the same, left out",
     30,
     4,
     LEAVE,
     "",
     {4},
     0,
     0,
     COMES_AND_GOES(2500),
     {FULL, NOTHING, FULL},
     30},
    {"the same with rehearsals",
     30,
     4,
     AUTO,
     "rehearses",
     {4},
     0,
     0,
     COMES_AND_GOES(2500),
     {FULL, DUPLICATES, FULL},
     4},
    {"one in between, twice too slow",
     30,
     2,
     AUTO,
     "rehearses",
     {8},
     0,
     0,
     COMES_AND_GOES(750),
     {FULL, DUPLICATES, FULL},
     8},
    {"a reduced scale is enough",
     30,
     4,
     AUTO,
     "reduced rehearses",
     {4, 1.6},
     0,
     20,
     COMES_AND_GOES(350),
     {FULL, REDUCED, FULL},
     4},
    {"a reduced scale is not enough",
     30,
     4,
     AUTO,
     "reduced rehearses",
     {4, 2.4},
     0,
     0,
     COMES_AND_GOES(550),
     {FULL, HALF, FULL},
     6},
    {"flow is enough",
     30,
     4,
     AUTO,
     ALL,
     {4, 2, 1},
     0,
     20,
     COMES_AND_GOES(600),
     {FULL, FLOW, FULL},
     4},
    {"every rung is enough for something",
     30,
     2,
     AUTO,
     ALL,
     {20, 8, 3},
     0,
     20,
     COMES_AND_GOES(1000),
     {FULL, HALF, FULL},
     8},
    {"a network that is too slow",
     30,
     2,
     AUTO,
     ALL,
     {100, 40, 4},
     0,
     30,
     STEADY(100),
     {FLOW},
     1},
    {"one that has to be reduced",
     30,
     2,
     AUTO,
     ALL,
     {60, 20, 4},
     0,
     30,
     STEADY(100),
     {REDUCED},
     2},
    /* Just above and just below what fits. */
    {"costs around the limit",
     30,
     4,
     AUTO,
     ALL,
     {9, 4, 1},
     1,
     60,
     STEADY(100),
     {REDUCED},
     8},
    {"the same for one in between",
     30,
     2,
     AUTO,
     ALL,
     {27, 12, 3},
     0,
     40,
     STEADY(100),
     {REDUCED},
     8},
    {"the same without lower makers",
     30,
     4,
     AUTO,
     "rehearses",
     {9},
     1,
     60,
     STEADY(100),
     {HALF},
     14},
    {"wild costs", 25, 3, AUTO, ALL, {10, 3, 1}, 1, 250, STEADY(100), {REDUCED}, 10},
};

static WorldSetup setup_of(const Scenario *scenario)
{
    WorldSetup setup = {
        .fps = scenario->fps,
        .multiplier = scenario->multiplier,
        .on_late = scenario->on_late,
        .makers = scenario->makers,
        .jitter = scenario->jitter,
        .phases = scenario->phases,
        .n_phases = scenario->n_phases,
        .seed = 1,
    };
    for (guint maker = 0; maker < GST_VFI_N_MAKERS; maker++) {
        setup.cost[maker] = scenario->cost[maker];
        setup.pair[maker] = scenario->pair;
    }
    return setup;
}

static World world;

START_TEST(overload_is_borne)
{
    const Scenario *scenario = &scenarios[_i];
    const char *what = scenario->what;
    WorldSetup setup = setup_of(scenario);
    world_play(&world, &setup);
    guint seconds = (guint)scenario->phases[scenario->n_phases - 1].until;
    guint slowest = 0;
    for (guint i = 0; i < scenario->n_phases; i++)
        slowest = MAX(slowest, scenario->phases[i].percent);
    double most = (scenario->cost[0] + 2 * scenario->pair) * (100 + scenario->jitter) /
                  100 * slowest / 100;
    GstClockTime longest = (GstClockTime)(most * (double)MS);
    guint n = world.changes->len;
    /* When costs jump, one pair has been begun by the old ones. From then on an original
     * waits for no more than what fits a frame, or for one in-between. */
    ck_assert_msg(world.worst_original <=
                      world.frame + (scenario->multiplier - 1) * longest,
                  "%s: original late by %" GST_TIME_FORMAT, what,
                  GST_TIME_ARGS(world.worst_original));
    ck_assert_msg(world.worst_settled <= MAX(2 * world.frame, longest),
                  "%s: settled original late by %" GST_TIME_FORMAT, what,
                  GST_TIME_ARGS(world.worst_settled));
    for (guint i = 0; i < scenario->n_phases; i++)
        ck_assert_msg(world_usual_rung(&world, i) == scenario->rungs[i],
                      "%s: phase %u at %s", what, i,
                      gst_vfi_rung_to_string(world_usual_rung(&world, i)));
    ck_assert_msg(n <= scenario->max_changes, "%s: %u changes", what, n);
    ck_assert_uint_le(world.qos_messages, n + seconds);
    ck_assert_msg(world.late <= (n + scenario->n_phases) * scenario->multiplier,
                  "%s: %u late", what, world.late);
    if (scenario->on_late == LEAVE)
        ck_assert_uint_eq(world.duplicates, 0);
    else
        ck_assert_uint_eq(world.skipped, 0);
    ck_assert_uint_eq(world_computed(&world) + world.duplicates + world.skipped,
                      (seconds * scenario->fps - 1) * (scenario->multiplier - 1));
    world_clear(&world);
}
END_TEST

START_TEST(waiting_never_degrades)
{
    static const WorldPhase phases[] = {{60, 100}};
    WorldSetup setup = {
        .fps = 30,
        .multiplier = 4,
        .on_late = GST_VFI_ON_LATE_WAIT,
        .makers = ALL,
        .cost = {12, 6, 1},
        .phases = phases,
        .n_phases = 1,
    };
    world_play(&world, &setup);
    ck_assert_uint_eq(world_computed(&world), (60 * 30 - 1) * 3);
    ck_assert_uint_eq(world.computed[FULL], (60 * 30 - 1) * 3);
    ck_assert_uint_eq(world.changes->len, 0);
    ck_assert_uint_eq(world.qos_messages, 0);
    world_clear(&world);
}
END_TEST

/* With four- to tenfold overload for three minutes nearly all pictures are there. */
START_TEST(a_gross_overload_loses_few_pictures)
{
    static const guint percents[] = {400, 600, 800, 1000};
    WorldPhase phases[] = {{180, percents[_i]}};
    WorldSetup setup = {
        .fps = 30,
        .multiplier = 2,
        .makers = ALL,
        .cost = {33, 12, 2},
        .jitter = 30,
        .phases = phases,
        .n_phases = 1,
        .seed = 7,
    };
    world_play(&world, &setup);
    ck_assert_uint_ge(world_computed(&world), world.frames * 99 / 100);
    ck_assert_uint_le(world.late, 2);
    ck_assert_uint_le(world.changes->len, 4);
    world_clear(&world);
}
END_TEST

/* All of a model's latency is kept while a lower rung is in force: it would be wanted
 * again. */
START_TEST(the_latency_does_not_follow_the_rung)
{
    static const WorldPhase phases[] = {{20, 100}, {80, 1000}, {160, 100}};
    WorldSetup setup = {
        .fps = 30,
        .multiplier = 2,
        .makers = ALL,
        .cost = {20, 8, 1},
        .jitter = 10,
        .phases = phases,
        .n_phases = 3,
    };
    world_play(&world, &setup);
    ck_assert_int_eq(world_usual_rung(&world, 1), FLOW);
    ck_assert_uint_le(world.latency_messages, 4);
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
    tcase_add_loop_test(tcase, a_gross_overload_loses_few_pictures, 0, 4);
    tcase_add_test(tcase, the_latency_does_not_follow_the_rung);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
