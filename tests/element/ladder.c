/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder of live pipelines: loads that come and go, which rung they find, and what is
 * said about it. */
#include <math.h>

#include "../families/weighted_sum.h"
#include "ladder_stream.h"

/* ---- rungs ------------------------------------------------------------------------- */

/* Loads that come after ten seconds, where they lead, and who makes pictures there. */
static const struct {
    const char *properties;
    LadderCosts costs;
    const char *rung;
    gint maker;  /* -1: nobody */
    guint share; /* of in-betweens, of a hundred */
} loads[] = {
    {LADDER_MODEL, {60, 30, 4}, "reduced", GST_VFI_MAKER_REDUCED, 100},
    {LADDER_MODEL, {120, 60, 8}, "flow", GST_VFI_MAKER_FLOW, 100},
    {LADDER_MODEL, {600, 300, 40}, "flow", GST_VFI_MAKER_FLOW, 100},
    {LADDER_MODEL, {900, 400, 52}, "half", GST_VFI_MAKER_FLOW, 50},
    {LADDER_MODEL, {2000, 900, 200}, "duplicates", -1, 0},
    {LADDER_MODEL " on-late=skip", {2000, 900, 200}, "none", -1, 0},
};

GST_START_TEST(a_load_finds_its_rung_and_leaves_it)
{
    int i = __i__ / N_MODES;
    Simulated *sim = ladder_start(__i__ % N_MODES, loads[i].properties, ladder_light);
    guint settled, n;
    LadderMade made;

    simulated_play(sim, 200);
    assert_rung(sim, "full");
    assert_rungs(sim, strstr(loads[i].properties, "skip") != NULL
                          ? "full,reduced,flow,half,none"
                          : LADDER_WHOLE);
    ladder_set_costs(sim, loads[i].costs);
    simulated_play(sim, 200);
    settled = sim->sent;
    simulated_play(sim, 200);
    assert_rung(sim, loads[i].rung);
    made = ladder_count_made(sim, settled);
    for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++) {
        n = (gint)maker == loads[i].maker ? 2 * loads[i].share : 0;
        ck_assert_msg(made.by[maker] + 2 >= n && made.by[maker] <= n + 2,
                      "%s: %u by %u, not %u", loads[i].rung, made.by[maker], (guint)maker,
                      n);
    }
    ladder_set_costs(sim, ladder_light);
    simulated_play(sim, 200 + 700);
    assert_rung(sim, "full");
    settled = sim->sent;
    simulated_play(sim, 100);
    ck_assert_uint_ge(ladder_count_made(sim, settled).by[GST_VFI_MAKER_FULL], 98);
    simulated_assert_originals(sim);
    simulated_free(sim);
}
GST_END_TEST

/* Every other in-between of more. */
GST_START_TEST(half_is_every_second_of_many)
{
    const LadderCosts costs = {300, 120, 22};
    Simulated *sim = ladder_start(__i__, LADDER_MODEL " multiplier=4", costs);
    guint settled;
    LadderMade made;

    simulated_play(sim, 100);
    assert_rung(sim, "half");
    settled = sim->sent;
    simulated_play(sim, 60);
    made = ladder_count_made(sim, settled);
    ck_assert_uint_eq(made.by[GST_VFI_MAKER_FLOW], 59);
    ck_assert_uint_eq(made.copies, 2 * 59);
    for (guint i = 0; i < n_buffers(sim->fixture); i++) {
        GstBuffer *buffer = nth_buffer(sim->fixture, i);
        GstClockTime pts = GST_BUFFER_PTS(buffer);
        if (pts > settled * sim->frame)
            assert_flag(buffer, GST_BUFFER_FLAG_GAP, pts % (25 * MS) != 0);
    }
    simulated_free(sim);
}
GST_END_TEST

/* Nine tenths of a frame's 50 ms are 45: a load around that finds a rung and stays there,
 * for a minute. */
GST_START_TEST(no_load_makes_it_pump)
{
    const guint around[] = {43, 44, 46, 48, 50, 52, 55};
    const LadderCosts costs = {around[__i__ / N_MODES], 30, 5};
    Simulated *sim = ladder_start(__i__ % N_MODES, LADDER_MODEL, costs);
    guint64 changes;

    simulated_play(sim, 600);
    changes = engine_stat(sim->fixture, "rung-changes");
    ck_assert_uint_le(changes, 3);
    simulated_play(sim, 600);
    ck_assert_uint_le(engine_stat(sim->fixture, "rung-changes"), changes + 1);
    ck_assert_uint_ge(counter(sim->fixture, "interpolated"), 1199 - 8);
    simulated_free(sim);
}
GST_END_TEST

/* Two loads between whose rungs it goes, on and off every second. */
GST_START_TEST(no_rhythm_makes_it_pump)
{
    const LadderCosts heavy = {60, 30, 5};
    Simulated *sim = ladder_start(__i__, LADDER_MODEL, ladder_light);

    for (guint i = 0; i < 60; i++) {
        ladder_set_costs(sim, i % 2 == 0 ? ladder_light : heavy);
        simulated_play(sim, 20);
    }
    ck_assert_uint_le(engine_stat(sim->fixture, "rung-changes"), 14);
    ck_assert_uint_ge(counter(sim->fixture, "interpolated"), 1199 - 20);
    simulated_free(sim);
}
GST_END_TEST

/* ---- what is said ------------------------------------------------------------------ */

/* Each change has its message, which follows the one before. */
GST_START_TEST(changes_are_told)
{
    const LadderCosts heavy = {120, 60, 8}, gross = {2000, 900, 200};
    Simulated *sim = ladder_start(__i__, LADDER_MODEL, ladder_light);
    g_autofree char *last = g_strdup("full");
    guint64 changes = 0, by_rung = 0;
    guint64 pts = 0;

    simulated_play(sim, 100);
    ladder_set_costs(sim, heavy);
    simulated_play(sim, 200);
    ladder_set_costs(sim, gross);
    simulated_play(sim, 200);
    ladder_set_costs(sim, ladder_light);
    simulated_play(sim, 900);
    assert_rung(sim, "full");
    for (guint i = 0; i < sim->told->len; i++) {
        GstMessage *message = g_ptr_array_index(sim->told, i);
        const GstStructure *told = gst_message_get_structure(message);
        guint64 number = 0, at = 0;
        if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT)
            continue;
        ck_assert_str_eq(gst_structure_get_name(told), "vfiinterp-rung");
        ck_assert(gst_structure_get(told, "pts", G_TYPE_UINT64, &at, "changes",
                                    G_TYPE_UINT64, &number, NULL));
        ck_assert_uint_eq(number, ++changes);
        ck_assert_uint_gt(at, pts);
        pts = at;
        ck_assert_str_eq(gst_structure_get_string(told, "previous"), last);
        g_free(last);
        last = g_strdup(gst_structure_get_string(told, "rung"));
    }
    ck_assert_str_eq(last, "full");
    ck_assert_uint_ge(changes, 3);
    ck_assert_uint_eq(engine_stat(sim->fixture, "rung-changes"), changes);
    by_rung = engine_stat(sim->fixture, "interpolated-full") +
              engine_stat(sim->fixture, "interpolated-reduced") +
              engine_stat(sim->fixture, "interpolated-flow") +
              engine_stat(sim->fixture, "interpolated-half");
    ck_assert_uint_eq(by_rung, counter(sim->fixture, "interpolated"));
    ck_assert_uint_ge(engine_stat(sim->fixture, "interpolated-flow"), 190);
    ck_assert_uint_ge(engine_stat(sim->fixture, "interpolated-full"), 100);
    g_signal_emit_by_name(sim->fixture->element, "reset-stats");
    ck_assert_uint_eq(engine_stat(sim->fixture, "rung-changes"), 0);
    ck_assert_uint_eq(engine_stat(sim->fixture, "interpolated-flow"), 0);
    simulated_free(sim);
}
GST_END_TEST

/* While the load lasts nobody sees that the full rung is tried now and then. */
GST_START_TEST(rehearsals_are_not_seen)
{
    const LadderCosts heavy = {300, 150, 8};
    Simulated *sim = ladder_start(__i__, LADDER_MODEL, ladder_light);
    guint rehearsals, settled;

    simulated_play(sim, 100);
    ladder_set_costs(sim, heavy);
    simulated_play(sim, 60);
    assert_rung(sim, "flow");
    sim->worst_lag = 0;
    rehearsals = sim->rehearsals;
    settled = sim->sent;
    simulated_play(sim, 1200);
    ck_assert_uint_ge(sim->rehearsals, rehearsals + 5);
    ck_assert_uint_le(sim->rehearsals, rehearsals + 15);
    ck_assert_uint_eq(sim->worst_lag, 0);
    ck_assert_uint_eq(ladder_count_made(sim, settled).by[GST_VFI_MAKER_FLOW], 1199);
    simulated_free(sim);
}
GST_END_TEST

/* ---- more frames ------------------------------------------------------------------- */

/* Sends @n frames, each when an output has left that is at most @behind before the last
 * one: what waits for the next frame, or has no place, is not waited for. */
static void play_ahead(Simulated *sim, guint n, GstClockTime behind)
{
    Fixture *fixture = sim->fixture;

    for (guint i = 0; i < n; i++) {
        GstClockTime pts = sim->sent * sim->frame;
        GstBuffer *buffer =
            flat_frame(fixture, simulated_value(sim, sim->sent), pts, sim->frame);
        if (gst_clock_get_time(GST_CLOCK(sim->clock)) < pts)
            gst_test_clock_set_time(sim->clock, pts);
        ck_assert_int_eq(gst_harness_push(fixture->harness, buffer), GST_FLOW_OK);
        if (sim->sent++ > 0)
            simulated_wait_for(sim, (sim->sent - 1) * sim->frame - behind);
        if (simulated_messages(sim, GST_MESSAGE_LATENCY) > 0)
            simulated_configure_latency(sim);
    }
}

/* On a grid that the frames drift away from, as 30000/1001 does from 60, none of them is
 * shown for a long time. */
GST_START_TEST(frames_without_a_place_keep_no_rung_away)
{
    const LadderCosts heavy = {120, 60, 8};
    const GstClockTime slot = gst_util_uint64_scale(GST_SECOND, 100, 4002);
    Simulated *sim = simulated_open(in_flight_mode(__i__), LADDER_MODEL);

    sim->step = LADDER_STEP;
    ladder_set_costs(sim, ladder_light);
    simulated_start(sim, "20/1", "4002/100");
    simulated_configure_latency(sim);
    play_ahead(sim, 70, slot);
    assert_rung(sim, "full");
    fixture_clear(sim->fixture);
    ladder_set_costs(sim, heavy);
    play_ahead(sim, 60, slot);
    assert_rung(sim, "flow");
    ladder_set_costs(sim, ladder_light);
    play_ahead(sim, 200, slot);
    finish(sim->fixture);
    for (guint i = 0; i < n_buffers(sim->fixture); i++)
        ck_assert_uint_ne(GST_BUFFER_PTS(nth_buffer(sim->fixture, i)) % sim->frame, 0);
    assert_rung(sim, "full");
    simulated_free(sim);
}
GST_END_TEST

/* What a model of four frames makes between frame number @k and the next one. */
static double expected_of_four(Simulated *sim, guint k, double scale)
{
    double sum = 0;

    for (int i = 0; i < 4; i++) {
        gint frame = MAX((gint)k - 1 + i, 0);
        sum += scaled_sum_factor(4, i, scale) * simulated_value(sim, (guint)frame);
    }
    return sum;
}

/* Views go on; the built-in model sees the two of them. */
GST_START_TEST(views_of_more_frames_have_all_rungs)
{
    static const LadderCosts costs[] = {{10, 6, 2}, {60, 30, 4}, {120, 60, 8}};
    static const char *const rungs[] = {"full", "reduced", "flow"};
    const char *properties = "model=scaled-sum-1-1 precision=f32";
    Simulated *sim = simulated_open(in_flight_mode(__i__), properties);
    guint wrong = 0;

    sim->step = LADDER_STEP;
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    for (guint phase = 0; phase < 3; phase++) {
        guint from = sim->sent;
        ladder_set_costs(sim, costs[phase]);
        play_ahead(sim, 120, sim->frame);
        assert_rung(sim, rungs[phase]);
        for (guint i = 0; i < n_buffers(sim->fixture); i++) {
            GstBuffer *buffer = nth_buffer(sim->fixture, i);
            GstClockTime pts = GST_BUFFER_PTS(buffer);
            guint k = (guint)(pts / sim->frame);
            double value = first_byte(&sim->fixture->info, buffer), expected;
            if (k < from + 30 || pts % sim->frame == 0 || k + 2 >= sim->sent)
                continue;
            expected = phase == 2
                           ? (simulated_value(sim, k) + simulated_value(sim, k + 1)) / 2.0
                           : expected_of_four(sim, k, phase == 1 ? 0.5 : 1.0);
            wrong += fabs(value - expected) > 2;
        }
        ck_assert_uint_le(wrong, 2);
        fixture_clear(sim->fixture);
    }
    finish(sim->fixture);
    simulated_free(sim);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-ladder");
    TCase *tcase = tcase_create("ladder");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_load_finds_its_rung_and_leaves_it, 0,
                        N_MODES * (int)G_N_ELEMENTS(loads));
    tcase_add_loop_test(tcase, half_is_every_second_of_many, 0, N_MODES);
    tcase_add_loop_test(tcase, no_load_makes_it_pump, 0, 7 * N_MODES);
    tcase_add_loop_test(tcase, no_rhythm_makes_it_pump, 0, N_MODES);
    tcase_add_loop_test(tcase, changes_are_told, 0, N_MODES);
    tcase_add_loop_test(tcase, rehearsals_are_not_seen, 0, N_MODES);
    tcase_add_loop_test(tcase, frames_without_a_place_keep_no_rung_away, 0, N_MODES);
    tcase_add_loop_test(tcase, views_of_more_frames_have_all_rungs, 0, N_MODES);
    return element_main(argc, argv, suite);
}
