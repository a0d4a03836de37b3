/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of going up the ladder, one by one: what has to be on time and for how long,
 * how costs of makers that are not in use become known, and how waits grow. Pairs last
 * 40 ms on a clock that is only a number. */
#include <gst/gst.h>

#include "check_main.h"
#include "qos_player.h"

/* Pairs of @count in-betweens, with @left until the deadlines of all, from *@now until
 * the rung changes, a rehearsal is wanted or 100 s are over. An in-between of the maker
 * in use costs @cost. Returns how long that took; *@rehearsed is who is to rehearse, or
 * -1. */
static GstClockTime rest(GstVfiQos *qos, GstClockTime *now, guint count,
                         GstClockTime left, GstClockTime cost, gint *rehearsed)
{
    GstClockTime from = *now;
    guint change = qos->change;
    GstVfiMaker maker;
    *rehearsed = -1;
    while (*now - from < 100 * S) {
        guint n_jobs = 0;
        GstVfiQosJob jobs[4];
        player_begin(qos, *now, count);
        if (qos->change != change)
            break;
        for (guint i = 1; i <= count; i++)
            n_jobs += player_ask(qos, i, *now, left, &jobs[n_jobs]) == COMPUTE ? 1 : 0;
        for (guint i = 0; i < n_jobs; i++)
            gst_vfi_qos_finish(qos, &jobs[i], cost, *now + (i + 1) * cost);
        *now += SPAN;
        if (gst_vfi_qos_wants_rehearsal(qos, *now, &maker)) {
            *rehearsed = (gint)maker;
            break;
        }
    }
    return *now - from;
}

/* At @rung with all costs known, and up to date for ever. */
static void stand(GstVfiQos *qos, const char *makers, GstVfiRung rung,
                  const guint costs[GST_VFI_N_MAKERS])
{
    player_start(qos, GST_VFI_ON_LATE_DUPLICATE, makers);
    for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++) {
        if (costs[maker] == 0)
            continue;
        player_know(qos, maker, costs[maker] * MS, 0);
        qos->costs.of[maker].measured_at = 1000000 * S;
    }
    player_put(qos, rung);
    qos->last_maker = (gint)gst_vfi_qos_maker(qos);
}

/* Where costs, in milliseconds for each maker, lead from a rung. A tenth of the 40 ms
 * stays free; the deadlines leave so much time. */
static const struct {
    GstVfiRung from;
    guint count;
    guint costs[GST_VFI_N_MAKERS];
    guint left;
    GstVfiRung to;
} climbs[] = {
    {HALF, 1, {36, 20, 5}, 50, FULL},
    {HALF, 1, {37, 20, 5}, 50, REDUCED},
    {HALF, 1, {37, 37, 5}, 50, FLOW},
    {HALF, 1, {37, 37, 37}, 50, HALF},
    {FLOW, 1, {36, 20, 5}, 50, FULL},
    {FLOW, 1, {37, 20, 5}, 50, REDUCED},
    {REDUCED, 3, {12, 6, 3}, 50, FULL},
    {REDUCED, 3, {13, 6, 3}, 50, REDUCED},
    {DUPLICATES, 1, {90, 90, 36}, 50, FLOW},
    {DUPLICATES, 1, {90, 90, 37}, 50, HALF},
    {DUPLICATES, 3, {90, 90, 13}, 50, HALF},
    /* Deadlines, too, have to be met. */
    {FLOW, 1, {20, 10, 5}, 20, FULL},
    {FLOW, 1, {20, 10, 5}, 19, REDUCED},
    {FLOW, 1, {20, 10, 5}, 9, FLOW},
    {FLOW, 3, {12, 6, 3}, 36, FULL},
    {FLOW, 3, {12, 6, 3}, 35, REDUCED},
    {DUPLICATES, 1, {90, 90, 36}, 35, DUPLICATES},
};

START_TEST(the_highest_that_fits_is_taken)
{
    GstVfiQos qos;
    GstClockTime now = 10 * S;
    gint rehearsed;
    stand(&qos, "reduced flow", climbs[_i].from, climbs[_i].costs);
    GstClockTime cost = climbs[_i].costs[gst_vfi_qos_maker(&qos)] * MS;
    GstClockTime rested =
        rest(&qos, &now, climbs[_i].count, climbs[_i].left * MS, cost, &rehearsed);
    ck_assert_int_eq(qos.rung, climbs[_i].to);
    if (climbs[_i].to == climbs[_i].from)
        ck_assert_uint_ge(rested, 100 * S);
    else
        ck_assert_uint_eq(rested, GST_VFI_CLIMB_GOOD_PAIRS * SPAN);
}
END_TEST

/* A wait goes before, and begins again with each miss. */
START_TEST(waits_are_kept)
{
    const guint costs[] = {20, 15, 12};
    GstVfiQos qos;
    GstVfiQosJob job;
    gint rehearsed;
    stand(&qos, "reduced flow", FLOW, costs);
    qos.wait = 3 * S;
    GstClockTime now = 10 * S;
    qos.changed_at = now;
    for (; now < 12 * S; now += SPAN) {
        player_begin(&qos, now, 1);
        ck_assert_int_eq(player_ask(&qos, 1, now, 50 * MS, &job), COMPUTE);
        gst_vfi_qos_finish(&qos, &job, 12 * MS, now + 12 * MS);
    }
    player_begin(&qos, now, 1);
    ck_assert_int_eq(player_ask(&qos, 1, now, 50 * MS, &job), COMPUTE);
    gst_vfi_qos_finish(&qos, &job, 12 * MS, now + 60 * MS);
    ck_assert_int_eq(qos.rung, FLOW);
    GstClockTime missed = now + 60 * MS;
    now += 2 * SPAN;
    rest(&qos, &now, 1, 50 * MS, 12 * MS, &rehearsed);
    ck_assert_int_eq(qos.rung, FULL);
    ck_assert_uint_ge(now, missed + 3 * S);
    ck_assert_uint_le(now, missed + 3 * S + SPAN);
}
END_TEST

/* A miss of what takes little time, or of copies, does not: a wait would be no help. */
START_TEST(the_innocent_do_not_wait)
{
    for (gint none = 0; none < 2; none++) {
        const guint costs[] = {20, 15, 10};
        GstVfiQos qos;
        GstVfiQosJob job;
        gint rehearsed;
        stand(&qos, "reduced flow", none ? DUPLICATES : FLOW, costs);
        qos.wait = S;
        GstClockTime now = 10 * S;
        qos.changed_at = now;
        for (guint i = 0; i < 15; i++, now += SPAN) {
            player_begin(&qos, now, 1);
            if (player_ask(&qos, 1, now, 50 * MS, &job) == COMPUTE)
                gst_vfi_qos_finish(&qos, &job, 10 * MS,
                                   now + (i % 3 == 2 ? 70 : 10) * MS);
            if (i % 3 == 2)
                gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 1, now, NONE);
            ck_assert_int_eq(qos.rung, none ? DUPLICATES : FLOW);
        }
        rest(&qos, &now, 1, 50 * MS, 10 * MS, &rehearsed);
        ck_assert_int_eq(qos.rung, FULL);
        ck_assert_uint_le(now, 11 * S + SPAN);
    }
}
END_TEST

/* Where even little work does not fit before the deadlines, it is to blame. */
START_TEST(little_may_be_too_much)
{
    const guint costs[] = {8, 0, 2};
    GstVfiQos qos;
    GstVfiQosJob job;
    stand(&qos, "flow rehearses", FULL, costs);
    for (GstClockTime now = 10 * S; now < 11 * S; now += SPAN) {
        player_begin(&qos, now, 1);
        if (player_ask(&qos, 1, now, 5 * MS, &job) == COMPUTE)
            gst_vfi_qos_finish(&qos, &job, 2 * MS, now + 2 * MS);
    }
    ck_assert_int_eq(qos.rung, FLOW);
    ck_assert_uint_ge(qos.processed, 20);
}
END_TEST

/* A sink's word holds a higher rung back as well. */
START_TEST(sinks_hold_back)
{
    const guint costs[] = {20, 10, 5};
    GstVfiQos qos;
    gint rehearsed;
    stand(&qos, "reduced flow", DUPLICATES, costs);
    GstClockTime now = 10 * S;
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 1, 20 * S, NONE);
    rest(&qos, &now, 1, 50 * MS, 5 * MS, &rehearsed);
    ck_assert_int_eq(qos.rung, FULL);
    ck_assert_uint_ge(now, 20 * S + GST_VFI_CLIMB_GOOD_PAIRS * SPAN);
}
END_TEST

/* A few long ones of recent times do not keep pictures away that are missing; where none
 * are missing they do. */
START_TEST(missing_pictures_are_worth_a_risk)
{
    for (gint all = 0; all < 2; all++) {
        GstVfiQos qos;
        gint rehearsed;
        const guint costs[] = {10, 8, 0};
        stand(&qos, "reduced", all ? REDUCED : HALF, costs);
        for (guint i = 0; i < GST_VFI_RECENT_SIZE; i++)
            gst_vfi_recent_add(&qos.costs.of[all ? BY_FULL : BY_REDUCED].in_between,
                               i % 8 == 0 ? 45 * MS : 8 * MS);
        GstClockTime now = 10 * S;
        rest(&qos, &now, 1, 50 * MS, 8 * MS, &rehearsed);
        ck_assert_int_eq(qos.rung, all ? REDUCED : FULL);
    }
}
END_TEST

/* ---- rehearsals -------------------------------------------------------------------- */

/* What is not in use is not known any more: its maker rehearses, and the picture's cost
 * decides. */
START_TEST(rehearsals_decide)
{
    for (guint cost = 36; cost <= 37; cost++) {
        const guint costs[] = {90, 0, 5};
        GstVfiQos qos;
        gint rehearsed;
        stand(&qos, "flow rehearses", FLOW, costs);
        qos.costs.of[BY_FULL].measured_at = 0;
        GstClockTime now = 10 * S;
        rest(&qos, &now, 1, 50 * MS, 5 * MS, &rehearsed);
        ck_assert_int_eq(rehearsed, BY_FULL);
        ck_assert_int_eq(qos.rung, FLOW);
        /* There is one at a time. */
        GstVfiMaker maker;
        ck_assert(!gst_vfi_qos_wants_rehearsal(&qos, now, &maker));
        gst_vfi_qos_rehearsed(&qos, BY_FULL, cost * MS, now + cost * MS);
        GstClockTime rested = rest(&qos, &now, 1, 50 * MS, 5 * MS, &rehearsed);
        ck_assert_int_eq(qos.rung, cost == 36 ? FULL : FLOW);
        if (cost == 36)
            ck_assert_uint_le(rested, 3 * SPAN);
        else
            ck_assert_uint_ge(rested, 2 * GST_VFI_CLIMB_MIN_WAIT);
    }
}
END_TEST

/* A rehearsal that something is shown beside: both get half of the machine, so that what
 * is shown takes longer by as much as it holds up the rehearsal. Where it takes no longer
 * than alone, which is 10 ms, nobody was in the other's way. Never more than half of
 * either is taken off. 36 of the 40 ms may be used. */
static const struct {
    guint cost;   /* of the rehearsal, ms, as it took */
    guint beside; /* the same of what is shown */
    GstVfiRung to;
} shared[] = {
    {36, 10, FULL}, {37, 10, FLOW}, {36, 8, FULL},  {37, 11, FULL},
    {46, 20, FULL}, {47, 20, FLOW}, {48, 24, FULL}, {49, 24, FLOW},
};

START_TEST(what_is_shown_beside_is_taken_off)
{
    const guint costs[] = {90, 0, 10};
    GstVfiQos qos;
    GstVfiQosJob job;
    gint rehearsed;
    stand(&qos, "flow rehearses", FLOW, costs);
    qos.costs.of[BY_FULL].measured_at = 0;
    GstClockTime now = 10 * S;
    rest(&qos, &now, 1, 60 * MS, 10 * MS, &rehearsed);
    ck_assert_int_eq(rehearsed, BY_FULL);
    player_begin(&qos, now, 1);
    ck_assert_int_eq(player_ask(&qos, 1, now, 60 * MS, &job), COMPUTE);
    gst_vfi_qos_finish(&qos, &job, shared[_i].beside * MS, now + shared[_i].beside * MS);
    gst_vfi_qos_rehearsed(&qos, BY_FULL, shared[_i].cost * MS, now + SPAN);
    now += SPAN;
    rest(&qos, &now, 1, 60 * MS, 10 * MS, &rehearsed);
    ck_assert_int_eq(qos.rung, shared[_i].to);
}
END_TEST

/* Nor is what is shown believed to be dearer by what a rehearsal beside it takes, or a
 * later rehearsal to be held up by what an earlier one was. */
START_TEST(rehearsals_leave_other_costs_alone)
{
    const guint costs[] = {90, 0, 10};
    GstClockTime cost, pair_cost;
    GstVfiQos qos;
    GstVfiQosJob job;
    gint rehearsed;
    stand(&qos, "flow rehearses", FLOW, costs);
    qos.costs.of[BY_FULL].measured_at = 0;
    GstClockTime now = 10 * S;
    for (guint i = 0; i < 2; i++) {
        rest(&qos, &now, 1, 60 * MS, 10 * MS, &rehearsed);
        ck_assert_int_eq(rehearsed, BY_FULL);
        player_begin(&qos, now, 1);
        ck_assert_int_eq(player_ask(&qos, 1, now, 60 * MS, &job), COMPUTE);
        gst_vfi_qos_finish(&qos, &job, (i == 0 ? 20 : 10) * MS, now + 20 * MS);
        gst_vfi_qos_costs(&qos, &cost, &pair_cost);
        ck_assert_uint_eq(cost, 10 * MS);
        gst_vfi_qos_rehearsed(&qos, BY_FULL, (i == 0 ? 90 : 37) * MS, now + SPAN);
        now += SPAN;
    }
    ck_assert_uint_ge(rest(&qos, &now, 1, 60 * MS, 10 * MS, &rehearsed), SPAN);
    ck_assert_int_eq(qos.rung, FLOW);
    /* Without one, it is. */
    gst_vfi_qos_rehearsed(&qos, BY_FULL, NONE, now);
    for (guint i = 0; i < 3; i++, now += SPAN) {
        player_begin(&qos, now, 1);
        ck_assert_int_eq(player_ask(&qos, 1, now, 60 * MS, &job), COMPUTE);
        gst_vfi_qos_finish(&qos, &job, 20 * MS, now + 20 * MS);
    }
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 20 * MS);
}
END_TEST

/* From rung to rung, as long as they pass; the change is one. */
START_TEST(rehearsals_go_on_upwards)
{
    const guint costs[] = {0, 0, 5};
    GstVfiQos qos;
    gint rehearsed;
    stand(&qos, "reduced flow rehearses", FLOW, costs);
    GstClockTime now = 10 * S;
    rest(&qos, &now, 1, 50 * MS, 5 * MS, &rehearsed);
    ck_assert_int_eq(rehearsed, BY_REDUCED);
    gst_vfi_qos_rehearsed(&qos, BY_REDUCED, 10 * MS, now);
    rest(&qos, &now, 1, 50 * MS, 5 * MS, &rehearsed);
    ck_assert_int_eq(rehearsed, BY_FULL);
    gst_vfi_qos_rehearsed(&qos, BY_FULL, 50 * MS, now);
    rest(&qos, &now, 1, 50 * MS, 5 * MS, &rehearsed);
    ck_assert_int_eq(rehearsed, -1);
    ck_assert_int_eq(qos.rung, REDUCED);
    ck_assert_uint_le(now, 11 * S);
}
END_TEST

/* Nobody can tell from others' costs what the built-in model costs: as soon as there is
 * one it rehearses, at whatever rung. */
START_TEST(the_builtin_model_rehearses_at_once)
{
    GstVfiQosConfig config =
        player_config(GST_VFI_ON_LATE_DUPLICATE, "reduced flow rehearses");
    const guint costs[] = {10, 0, 0};
    GstVfiQos qos;
    gint rehearsed;
    stand(&qos, "", FULL, costs);
    GstClockTime now = 10 * S;
    gst_vfi_qos_set_config(&qos, &config);
    rest(&qos, &now, 1, 50 * MS, 10 * MS, &rehearsed);
    ck_assert_int_eq(rehearsed, BY_FLOW);
    ck_assert_uint_eq(now, 10 * S + SPAN);
    gst_vfi_qos_rehearsed(&qos, BY_FLOW, 90 * MS, now);
    ck_assert_uint_eq(qos.wait, GST_VFI_CLIMB_MIN_WAIT);
    ck_assert_uint_ge(rest(&qos, &now, 1, 50 * MS, 10 * MS, &rehearsed), 100 * S);
}
END_TEST

/* When a rehearsal has to end, at some time after it has begun: a pair's time is over,
 * or what is shown, which then takes up to twice as long, would be late. */
static const struct {
    GstVfiRung rung;
    guint cost, left, after;
    gboolean ends, costs_that;
} endings[] = {
    {FLOW, 5, 50, 1, FALSE, FALSE},      {FLOW, 5, 50, 39, FALSE, FALSE},
    {FLOW, 5, 50, 40, TRUE, TRUE},       {FLOW, 5, 50, 60, TRUE, TRUE},
    {FLOW, 20, 35, 1, FALSE, FALSE},     {FLOW, 20, 34, 1, TRUE, FALSE},
    {FLOW, 20, 34, 21, TRUE, FALSE},     {DUPLICATES, 5, 50, 79, FALSE, FALSE},
    {DUPLICATES, 5, 50, 80, TRUE, TRUE},
};

START_TEST(rehearsals_make_way)
{
    const guint costs[] = {0, 0, endings[_i].cost};
    GstVfiQos qos;
    GstVfiQosJob job;
    GstClockTime cost;
    gint rehearsed;
    stand(&qos, "flow rehearses", endings[_i].rung, costs);
    if (endings[_i].rung == DUPLICATES)
        qos.costs.of[BY_FLOW].measured_at = 0;
    GstClockTime now = 10 * S;
    rest(&qos, &now, 1, 50 * MS, endings[_i].cost * MS, &rehearsed);
    ck_assert_int_ge(rehearsed, 0);
    ck_assert(!gst_vfi_qos_rehearsal_must_end(&qos, now, &cost));
    GstClockTime then = now + endings[_i].after * MS;
    player_begin(&qos, then, 1);
    player_ask(&qos, 1, then, endings[_i].left * MS, &job);
    ck_assert_int_eq(gst_vfi_qos_rehearsal_must_end(&qos, then, &cost), endings[_i].ends);
    if (endings[_i].ends)
        ck_assert_uint_eq(cost, endings[_i].costs_that ? then - now : NONE);
}
END_TEST

/* Waits double up to a bound as long as rehearsals fail, for whatever reason. */
START_TEST(failing_rehearsals_get_rarer)
{
    const guint costs[] = {90, 0, 5};
    /* Takes too long, is ended, and passes with a latency that is too small. */
    const GstClockTime fails[] = {90 * MS, NONE, 30 * MS};
    GstVfiQos qos;
    gint rehearsed;
    stand(&qos, "flow rehearses", FLOW, costs);
    qos.costs.of[BY_FULL].measured_at = 0;
    GstClockTime now = 10 * S, wait = GST_VFI_CLIMB_MIN_WAIT;
    rest(&qos, &now, 1, 20 * MS, 5 * MS, &rehearsed);
    for (guint i = 0; i < 10; i++) {
        ck_assert_int_eq(rehearsed, BY_FULL);
        gst_vfi_qos_rehearsed(&qos, BY_FULL, fails[_i], now);
        wait = MIN(2 * wait, GST_VFI_CLIMB_MAX_REHEARSAL_WAIT);
        GstClockTime rested = rest(&qos, &now, 1, 20 * MS, 5 * MS, &rehearsed);
        ck_assert_int_eq(qos.rung, FLOW);
        ck_assert_uint_ge(rested, wait);
        ck_assert_uint_le(rested, 2 * wait + 10 * SPAN);
    }
    /* Something new is a reason to look at once. */
    GstVfiQosConfig config =
        player_config(GST_VFI_ON_LATE_DUPLICATE, "reduced flow rehearses");
    gst_vfi_qos_set_config(&qos, &config);
    ck_assert_uint_eq(qos.wait, GST_VFI_CLIMB_MIN_WAIT);
}
END_TEST

/* ---- trials ------------------------------------------------------------------------ */

/* Where nobody rehearses, one picture is made as a trial, although no estimate gives it a
 * chance; the others of that time are left out. */
START_TEST(trials_get_rarer)
{
    const guint costs[] = {60, 0, 0};
    GstVfiQos qos;
    GstVfiQosJob trial, job;
    gint rehearsed;
    stand(&qos, "", DUPLICATES, costs);
    qos.costs.of[BY_FULL].measured_at = 0;
    GstClockTime now = 10 * S, wait = GST_VFI_CLIMB_MIN_WAIT;
    for (guint i = 0; i < 12; i++) {
        GstClockTime rested = rest(&qos, &now, 3, S, 60 * MS, &rehearsed);
        ck_assert_int_eq(qos.pair_rung, HALF);
        ck_assert_uint_ge(rested + (i == 0 ? wait : 0), wait);
        ck_assert_uint_le(rested, wait + (GST_VFI_CLIMB_GOOD_PAIRS + 2) * SPAN);
        ck_assert_int_eq(player_ask(&qos, 1, now, SPAN, &job), DUPLICATE);
        ck_assert_int_eq(player_ask(&qos, 2, now, SPAN, &trial), COMPUTE);
        ck_assert(trial.trial);
        player_begin(&qos, now + SPAN, 3);
        ck_assert_int_eq(player_ask(&qos, 2, now + SPAN, S, &job), DUPLICATE);
        now += 2 * SPAN;
        gst_vfi_qos_finish(&qos, &trial, 60 * MS, now);
        ck_assert_int_eq(qos.rung, DUPLICATES);
        wait = MIN(2 * wait, GST_VFI_CLIMB_MAX_WAIT);
        ck_assert_uint_eq(qos.wait, wait);
    }
    ck_assert_uint_eq(wait, GST_VFI_CLIMB_MAX_WAIT);
    /* One that succeeds leads up. */
    rest(&qos, &now, 3, S, 2 * MS, &rehearsed);
    ck_assert_int_eq(qos.rung, HALF);
}
END_TEST

/* While it is tried, the costs are still those of what is known to work. */
START_TEST(trials_are_no_news_for_others)
{
    const guint costs[] = {30, 5, 0};
    GstClockTime cost, pair_cost;
    GstVfiQos qos;
    GstVfiQosJob job;
    gint rehearsed;
    stand(&qos, "reduced", REDUCED, costs);
    qos.costs.of[BY_FULL].measured_at = 0;
    GstClockTime now = 10 * S;
    rest(&qos, &now, 1, S, 5 * MS, &rehearsed);
    ck_assert_int_eq(qos.rung, FULL);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 5 * MS);
    ck_assert_int_eq(player_ask(&qos, 1, now, S, &job), COMPUTE);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 5 * MS);
    gst_vfi_qos_finish(&qos, &job, 9 * MS, now + 9 * MS);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 9 * MS);
    ck_assert_int_eq(qos.rung, FULL);
}
END_TEST

/* ---- what has stood ---------------------------------------------------------------- */

/* How long the next wait is after a rung that was taken has stood that long. */
static const struct {
    GstVfiRung from;
    guint wait_ms, stood_s;
    guint next_ms;
} proofs[] = {
    {FLOW, 250, 1, 1000},   {FLOW, 1000, 9, 4000},   {FLOW, 16000, 1, 32000},
    {HALF, 250, 1, 500},    {HALF, 32000, 9, 32000}, {FLOW, 4000, 11, 2000},
    {FLOW, 4000, 21, 1000}, {FLOW, 4000, 99, 250},   {HALF, 4000, 11, 2000},
};

START_TEST(what_fails_soon_waits_longer)
{
    const guint costs[] = {20, 0, 15};
    GstVfiQos qos;
    GstVfiQosJob job;
    gint rehearsed;
    gboolean half = proofs[_i].from == HALF;
    stand(&qos, half ? "" : "flow", proofs[_i].from, costs);
    qos.wait = proofs[_i].wait_ms * MS;
    GstClockTime now = 100 * S;
    rest(&qos, &now, 1, S, 5 * MS, &rehearsed);
    ck_assert_int_eq(qos.rung, FULL);
    player_know(&qos, BY_FULL, 60 * MS, 0);
    qos.last_maker = BY_FULL;
    now += proofs[_i].stood_s * S;
    for (; qos.rung == FULL; now += SPAN) {
        player_begin(&qos, now, 1);
        player_ask(&qos, 1, now, MS, &job);
    }
    ck_assert_int_eq(qos.rung, half ? HALF : FLOW);
    ck_assert_uint_eq(qos.wait, proofs[_i].next_ms * MS);
}
END_TEST

/* Another clock may be far behind: waits start again and do not last until it catches
 * up. */
START_TEST(another_clock_is_no_eternity)
{
    const guint costs[] = {20, 0, 0};
    GstVfiQos qos;
    gint rehearsed;
    stand(&qos, "", HALF, costs);
    qos.now = qos.changed_at = 1000000 * S;
    GstClockTime now = 5 * S;
    ck_assert_uint_le(rest(&qos, &now, 1, S, 2 * MS, &rehearsed), S);
    ck_assert_int_eq(qos.rung, FULL);
}
END_TEST

/* ---- latency ----------------------------------------------------------------------- */

/* Which maker's cost the latency is for, at a rung: of those above that are known, up to
 * date and short enough, the highest. */
static const struct {
    GstVfiRung rung;
    guint costs[GST_VFI_N_MAKERS];
    gboolean full_is_old;
    GstVfiMaker maker;
} latencies[] = {
    {FULL, {50, 20, 5}, FALSE, BY_FULL},       {FLOW, {30, 20, 5}, FALSE, BY_FULL},
    {FLOW, {50, 20, 5}, FALSE, BY_REDUCED},    {FLOW, {50, 50, 5}, FALSE, BY_FLOW},
    {FLOW, {30, 20, 5}, TRUE, BY_REDUCED},     {FLOW, {0, 0, 5}, FALSE, BY_FLOW},
    {DUPLICATES, {90, 50, 5}, FALSE, BY_FLOW},
};

START_TEST(the_latency_is_for_what_fits)
{
    GstVfiQos qos;
    stand(&qos, "reduced flow", latencies[_i].rung, latencies[_i].costs);
    player_begin(&qos, 10 * S, 1);
    if (latencies[_i].full_is_old)
        qos.costs.of[BY_FULL].measured_at = 0;
    GstVfiQosLatency latency = gst_vfi_qos_latency(&qos);
    ck_assert_uint_eq(latency.n_measured, 1);
    ck_assert_uint_eq(latency.in_between, latencies[_i].costs[latencies[_i].maker] * MS);
    ck_assert_int_eq(latency.may_shrink, latencies[_i].rung == FULL);
    ck_assert_int_eq(latency.is_urgent, latencies[_i].rung != FULL);
}
END_TEST

static void add_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, the_highest_that_fits_is_taken, 0, G_N_ELEMENTS(climbs));
    tcase_add_test(tcase, waits_are_kept);
    tcase_add_test(tcase, the_innocent_do_not_wait);
    tcase_add_test(tcase, little_may_be_too_much);
    tcase_add_test(tcase, sinks_hold_back);
    tcase_add_test(tcase, missing_pictures_are_worth_a_risk);
    tcase_add_test(tcase, rehearsals_decide);
    tcase_add_loop_test(tcase, what_is_shown_beside_is_taken_off, 0,
                        G_N_ELEMENTS(shared));
    tcase_add_test(tcase, rehearsals_leave_other_costs_alone);
    tcase_add_test(tcase, rehearsals_go_on_upwards);
    tcase_add_test(tcase, the_builtin_model_rehearses_at_once);
    tcase_add_loop_test(tcase, rehearsals_make_way, 0, G_N_ELEMENTS(endings));
    tcase_add_loop_test(tcase, failing_rehearsals_get_rarer, 0, 3);
    tcase_add_test(tcase, trials_get_rarer);
    tcase_add_test(tcase, trials_are_no_news_for_others);
    tcase_add_loop_test(tcase, what_fails_soon_waits_longer, 0, G_N_ELEMENTS(proofs));
    tcase_add_test(tcase, another_clock_is_no_eternity);
    tcase_add_loop_test(tcase, the_latency_is_for_what_fits, 0, G_N_ELEMENTS(latencies));
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("qos-climb");
    TCase *tcase = tcase_create("qos-climb");
    add_cases(tcase);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
