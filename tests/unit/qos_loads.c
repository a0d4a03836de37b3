/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder under random loads, with all its rungs and with those that need nothing: the
 * former may not be late more often, and neither may change its mind all the time. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "qos_world.h"

#define N_LOADS 24
#define SECONDS 120

typedef struct {
    WorldPhase phases[WORLD_MAX_PHASES];
    guint n_phases;
    guint n_rises; /* when more is to be borne than before */
} Load;

/* A load of one to ten times what the machine does alone, that changes every fifth of a
 * second to every twenty seconds. */
static void draw_load(Load *load, GRand *rand)
{
    double time = 0;
    load->n_phases = load->n_rises = 0;
    while (time < SECONDS && load->n_phases < WORLD_MAX_PHASES) {
        WorldPhase *phase = &load->phases[load->n_phases++];
        time += 0.2 * pow(100, g_rand_double(rand));
        phase->until = time;
        phase->percent = (guint)(100 * pow(10, g_rand_double(rand)));
        load->n_rises += load->n_phases == 1 || phase->percent > phase[-1].percent;
    }
}

/* A model that takes from a tenth of the time that there is to twice as much; others for
 * less. */
static WorldSetup draw_setup(const Load *load, GRand *rand, guint seed)
{
    WorldSetup setup = {
        .fps = seed % 2 == 0 ? 30 : 25,
        .multiplier = seed % 3 == 0 ? 4 : 2,
        .makers = "",
        .jitter = 30,
        .hiccups = seed % 4 == 0 ? 20 : 0,
        .hiccup = 40,
        .phases = load->phases,
        .n_phases = load->n_phases,
        .seed = seed,
    };
    double time = 1000.0 / setup.fps / (setup.multiplier - 1);
    setup.cost[BY_FULL] = time * 0.1 * pow(20, g_rand_double(rand));
    setup.cost[BY_REDUCED] = setup.cost[BY_FULL] * (0.25 + 0.3 * g_rand_double(rand));
    setup.cost[BY_FLOW] = MIN(setup.cost[BY_REDUCED] * 0.6, time * 0.1);
    return setup;
}

static Load load;
static World with, without;

static void play(guint seed)
{
    GRand *rand = g_rand_new_with_seed(1000 + seed);
    draw_load(&load, rand);
    WorldSetup setup = draw_setup(&load, rand, seed);
    world_play(&without, &setup);
    setup.makers = "reduced flow rehearses";
    world_play(&with, &setup);
    g_rand_free(rand);
}

static void forget(void)
{
    world_clear(&with);
    world_clear(&without);
}

/* Per load: of what is computed no larger part is late, but for chance. A rise of the
 * load finds a pair begun, and a fall to another rung one more; hiccups nobody
 * foresees. */
START_TEST(no_load_has_more_late)
{
    play((guint)_i);
    guint n = world_computed(&with), n_without = world_computed(&without);
    guint bound =
        2 * load.n_rises + with.changes->len + 5 * n * with.setup.hiccups / 1000;
    ck_assert_uint_ge(n, n_without);
    ck_assert_msg(with.late <= bound, "%u late, not %u", with.late, bound);
    ck_assert_msg((guint64)with.late * n_without <=
                      (guint64)(without.late + load.n_rises / 2 + 2) * n,
                  "%u of %u late, without lower rungs %u of %u", with.late, n,
                  without.late, n_without);
    forget();
}
END_TEST

/* However the load changes, there are no more than some changes in a minute, and they
 * are rare where it does so seldom. */
START_TEST(no_load_makes_it_restless)
{
    play((guint)_i);
    ck_assert_uint_le(world_most_changes(&with, S), 4);
    ck_assert_uint_le(world_most_changes(&with, 60 * S), 16);
    ck_assert_uint_le(with.changes->len, 2 * load.n_rises + SECONDS / 15);
    forget();
}
END_TEST

START_TEST(all_loads_together)
{
    guint64 computed = 0, late = 0, late_originals = 0, changes = 0, shown = 0;
    guint64 computed_without = 0, late_without = 0, late_originals_without = 0;
    for (guint seed = 0; seed < N_LOADS; seed++) {
        play(seed);
        computed += world_computed(&with);
        shown += world_computed(&with) + with.duplicates;
        late += with.late;
        late_originals += with.late_originals;
        changes += with.changes->len;
        computed_without += world_computed(&without);
        late_without += without.late;
        late_originals_without += without.late_originals;
        forget();
    }
    ck_assert_uint_ge(computed * 10, shown * 8);
    ck_assert_uint_le(late * computed_without, late_without * computed);
    ck_assert_uint_le(late_originals, late_originals_without);
    ck_assert_uint_le(changes, (guint64)N_LOADS * SECONDS / 60 * 5);
}
END_TEST

/* A load that comes and goes in a regular way, as if to provoke changes: every half
 * second to every half minute. */
static const double periods[] = {1, 2, 4, 8, 12, 20, 30, 60};

START_TEST(no_rhythm_makes_it_pump)
{
    load.n_phases = 0;
    for (double time = 0; time < SECONDS; load.n_phases++) {
        time += periods[_i] / 2;
        load.phases[load.n_phases] =
            (WorldPhase){time, load.n_phases % 2 == 0 ? 100 : 400};
    }
    WorldSetup setup = {
        .fps = 30,
        .multiplier = 2,
        .makers = "reduced flow rehearses",
        .cost = {20, 8, 3},
        .jitter = 20,
        .phases = load.phases,
        .n_phases = load.n_phases,
        .seed = 3,
    };
    world_play(&with, &setup);
    ck_assert_uint_ge(world_computed(&with), with.frames * 99 / 100);
    ck_assert_uint_le(world_most_changes(&with, 5 * S), 5);
    ck_assert_uint_le(world_most_changes(&with, 60 * S), 8);
    world_clear(&with);
}
END_TEST

/* A machine that others hold up now and then: frames come late, and a sink says so. What
 * takes little time is not the reason, and making less of it would help nobody. */
static const struct {
    guint stalls, stall;
    double cost[GST_VFI_N_MAKERS];
} holdups[] = {
    {50, 100, {90, 45, 0.5}}, {150, 120, {90, 45, 0.5}}, {300, 150, {90, 45, 0.5}},
    {150, 120, {90, 45, 5}},  {150, 120, {3, 0, 0}},
};

START_TEST(what_takes_little_time_goes_on)
{
    const WorldPhase phase = {SECONDS, 100};
    WorldSetup setup = {
        .fps = 30,
        .multiplier = 2,
        .makers = holdups[_i].cost[BY_FLOW] > 0 ? "reduced flow rehearses" : "",
        .jitter = 20,
        .hiccups = 30,
        .hiccup = 60,
        .stalls = holdups[_i].stalls,
        .stall = holdups[_i].stall,
        .has_sink = TRUE,
        .phases = &phase,
        .n_phases = 1,
        .seed = 7,
    };
    memcpy(setup.cost, holdups[_i].cost, sizeof setup.cost);
    world_play(&with, &setup);
    guint n = with.frames - with.hopeless;
    ck_assert_msg(world_computed(&with) * 100 >= n * 95, "%u of %u",
                  world_computed(&with), n);
    ck_assert_uint_le(with.changes->len, 2);
    world_clear(&with);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("qos-loads");
    TCase *tcase = tcase_create("qos-loads");
    tcase_add_loop_test(tcase, no_load_has_more_late, 0, N_LOADS);
    tcase_add_loop_test(tcase, no_load_makes_it_restless, 0, N_LOADS);
    tcase_add_test(tcase, all_loads_together);
    tcase_add_loop_test(tcase, no_rhythm_makes_it_pump, 0, G_N_ELEMENTS(periods));
    tcase_add_loop_test(tcase, what_takes_little_time_goes_on, 0, G_N_ELEMENTS(holdups));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
