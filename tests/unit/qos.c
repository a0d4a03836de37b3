/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of going down the ladder, and what becomes of in-betweens, one by one.
 * Pairs last 40 ms on a clock that is only a number; qos_climb.c is about going up,
 * qos_overload.c and qos_loads.c have all at once. */
#include <gst/gst.h>

#include "check_main.h"
#include "qos_player.h"

/* With 10 ms an in-between and 4 ms a pair, the first one of a pair is done after 14
 * ms. */
static const struct {
    guint jobs;
    GstClockTime now, deadline;
    GstVfiDecision decision;
} schedules[] = {
    {0, 1000 * MS, 1014 * MS, COMPUTE},  {0, 1000 * MS, 1014 * MS - 1, DUPLICATE},
    {2, 1000 * MS, 1034 * MS, COMPUTE},  {2, 1000 * MS, 1034 * MS - 1, DUPLICATE},
    {0, 1000 * MS, NONE, COMPUTE},       {0, NONE, 10 * MS, COMPUTE},
    {0, 1000 * MS, 10 * MS, DUPLICATE},  {G_MAXUINT, 1000 * MS, NONE - 1, COMPUTE},
    {G_MAXUINT, 1000 * MS, S, DUPLICATE}};

START_TEST(deadlines_decide)
{
    GstVfiQos qos;
    GstVfiQosJob job;
    player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, "");
    player_know(&qos, BY_FULL, 10 * MS, 4 * MS);
    GstVfiQosAsk question = {
        .index = 1,
        .now = schedules[_i].now,
        .deadline = schedules[_i].deadline,
        .jobs = {schedules[_i].jobs},
    };
    gst_vfi_qos_begin_pair(&qos, schedules[_i].now, question.jobs, 3, SPAN);
    ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job), schedules[_i].decision);
}
END_TEST

/* Jobs of others take their own time, and come before. */
START_TEST(others_jobs_come_first)
{
    for (guint left = 76; left <= 77; left++) {
        GstVfiQos qos;
        GstVfiQosJob job;
        player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, "reduced flow");
        player_know(&qos, BY_FULL, 30 * MS, 0);
        player_know(&qos, BY_REDUCED, 12 * MS, 0);
        player_know(&qos, BY_FLOW, 3 * MS, 2 * MS);
        player_put(&qos, FLOW);
        GstVfiQosAsk question = {
            .index = 1, .now = S, .deadline = S + left * MS, .jobs = {1, 3, 2}};
        gst_vfi_qos_begin_pair(&qos, S, question.jobs, 3, SPAN);
        /* 30 + 3 * 12 + 2 * 3, then 2 + 3 */
        ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job),
                         left == 76 ? DUPLICATE : COMPUTE);
        if (left == 77) {
            ck_assert_int_eq(job.maker, BY_FLOW);
            ck_assert_int_eq(job.rung, FLOW);
            ck_assert(job.first && job.arrives && !job.alone);
        }
    }
}
END_TEST

/* ---- misses ------------------------------------------------------------------------ */

/* What happens to pairs with one in-between each, one after the other:
 *
 *   .  in time           l  late by the tolerance     L  by more
 *   f  foreseen to be late, and not computed
 *   g  too late before it begins
 *   s  in time, but a sink says that it was late
 *
 * And the rung after it. FULL costs as much as said, others far less. */
static const struct {
    const char *makers;
    GstVfiRung from;
    GstClockTime cost;
    const char *pairs;
    GstVfiRung to;
} misses[] = {
    /* Costs explain it: at once, where nothing is lost by it. */
    {"reduced flow", FULL, 50 * MS, "f", REDUCED},
    {"flow", FULL, 50 * MS, "L", FLOW},
    {"flow", FULL, 50 * MS, "s", FLOW},
    /* They do not: the second of two. */
    {"reduced flow", FULL, 20 * MS, "L", FULL},
    {"reduced flow", FULL, 20 * MS, "L..L", REDUCED},
    {"reduced flow", FULL, 20 * MS, "L..f", REDUCED},
    {"reduced flow", FULL, 20 * MS, "f..s", REDUCED},
    {"reduced flow", FULL, 20 * MS, "L.......L", REDUCED},
    {"reduced flow", FULL, 20 * MS, "L........L", FULL},
    /* Those that follow at once are the same. */
    {"reduced flow", FULL, 20 * MS, "LLs", FULL},
    {"reduced flow", FULL, 20 * MS, "LLsL", REDUCED},
    {"reduced flow", FULL, 20 * MS, "llllllll", FULL},
    /* Where pictures are lost by it, the fourth of four. */
    {"", FULL, 20 * MS, "L..L..L", FULL},
    {"", FULL, 20 * MS, "L..L..L..L", HALF},
    {"", FULL, 50 * MS, "f..f..f", FULL},
    {"", FULL, 50 * MS, "f..f..f..f", HALF},
    {"flow", FLOW, 20 * MS, "L..L..L", FLOW},
    {"flow", FLOW, 20 * MS, "L..L..L..L", HALF},
    {"", FULL, 20 * MS, "L.....L.....L.....L.....L", FULL},
    /* What was before it is late, until it has been for some pairs. */
    {"reduced flow", FULL, 20 * MS, "ggggg", FULL},
    {"reduced flow", FULL, 20 * MS, "ggggg.ggggg.ggggg", FULL},
    {"reduced flow", FULL, 20 * MS, "ggggggggg", REDUCED},
    {"reduced flow", FULL, 50 * MS, "ggggg", FULL},
    {"reduced flow", FULL, 50 * MS, "gggggg", REDUCED},
    /* Below nothing there is nothing. */
    {"", DUPLICATES, 20 * MS, "ssss", DUPLICATES},
};

static void play(GstVfiQos *qos, GstClockTime now, char what, GstClockTime cost)
{
    GstVfiQosJob job;
    GstClockTime left = what == 'f' ? 1 : what == 'g' ? 0 : cost;
    player_begin(qos, now, 1);
    if (player_ask(qos, 1, now, left, &job) == COMPUTE) {
        GstClockTime over = what == 'l'   ? GST_VFI_QOS_TOLERANCE
                            : what == 'L' ? GST_VFI_QOS_TOLERANCE + 1
                                          : 0;
        gst_vfi_qos_finish(qos, &job, cost, now + left + over);
    }
    if (what == 's')
        gst_vfi_qos_note_event(qos, GST_QOS_TYPE_UNDERFLOW, 1, now, NONE);
}

START_TEST(misses_lower_the_rung)
{
    GstVfiQos qos;
    GstClockTime now = 10 * S;
    GstVfiMaker maker;
    player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, misses[_i].makers);
    player_know(&qos, BY_FULL, misses[_i].cost, 0);
    player_know(&qos, BY_FLOW, MS, 0);
    player_know(&qos, BY_REDUCED, 2 * MS, 0);
    player_put(&qos, misses[_i].from);
    maker = gst_vfi_qos_maker(&qos);
    player_know(&qos, maker, misses[_i].cost, 0);
    /* So that nothing arrives. */
    qos.last_maker = (gint)maker;
    qos.changed_at = NONE - 1;
    for (const char *pair = misses[_i].pairs; *pair != '\0'; pair++, now += SPAN)
        play(&qos, now, *pair, misses[_i].cost);
    ck_assert_int_eq(qos.rung, misses[_i].to);
}
END_TEST

START_TEST(a_pair_misses_once)
{
    GstVfiQos qos;
    GstVfiQosJob jobs[3];
    player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, "reduced flow");
    player_know(&qos, BY_FULL, 10 * MS, 0);
    qos.last_maker = BY_FULL;
    player_begin(&qos, S, 3);
    for (guint i = 0; i < 3; i++)
        ck_assert_int_eq(player_ask(&qos, i + 1, S, SPAN, &jobs[i]), COMPUTE);
    for (guint i = 0; i < 3; i++)
        gst_vfi_qos_finish(&qos, &jobs[i], 10 * MS, 2 * S);
    ck_assert_int_eq(qos.rung, FULL);
    ck_assert_uint_eq(qos.strikes, GST_VFI_CLIMB_PARDON);
}
END_TEST

/* A pair of the rung before is late: that rung is given up already. */
START_TEST(old_news_is_no_news)
{
    GstVfiQos qos;
    GstVfiQosJob jobs[2];
    player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, "flow");
    player_know(&qos, BY_FULL, 50 * MS, 0);
    player_know(&qos, BY_FLOW, 20 * MS, 0);
    qos.last_maker = BY_FULL;
    player_begin(&qos, S, 2);
    ck_assert_int_eq(player_ask(&qos, 1, S, 10 * S, &jobs[0]), COMPUTE);
    ck_assert_int_eq(player_ask(&qos, 2, S, 10 * S, &jobs[1]), COMPUTE);
    gst_vfi_qos_finish(&qos, &jobs[0], 50 * MS, 20 * S);
    ck_assert_int_eq(qos.rung, FLOW);
    gst_vfi_qos_finish(&qos, &jobs[1], 50 * MS, 30 * S);
    ck_assert_int_eq(qos.rung, FLOW);
    ck_assert_uint_eq(qos.strikes, 0);
}
END_TEST

/* The first pair of a maker has more to do than others. It is late, and says nothing of
 * what those cost; where nothing else is known, it is taken for twice that. */
START_TEST(arrivals_are_not_judged)
{
    GstVfiQos qos;
    GstVfiQosJob job;
    GstVfiWork work;
    player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, "flow");
    player_begin(&qos, S, 1);
    ck_assert_int_eq(player_ask(&qos, 1, S, 10 * MS, &job), COMPUTE);
    ck_assert(job.arrives);
    gst_vfi_qos_finish(&qos, &job, 60 * MS, S + 60 * MS);
    ck_assert_int_eq(qos.rung, FULL);
    /* A sink says so, too. */
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 50 * MS, S + SPAN, NONE);
    ck_assert_int_eq(qos.rung, FULL);
    ck_assert_uint_eq(qos.strikes, 0);
    ck_assert(gst_vfi_costs_expect(&qos.costs, BY_FULL, &work));
    ck_assert_uint_eq(work.in_between, 30 * MS);

    player_begin(&qos, 2 * S, 1);
    ck_assert_int_eq(player_ask(&qos, 1, 2 * S, SPAN, &job), COMPUTE);
    ck_assert(!job.arrives);
    gst_vfi_qos_finish(&qos, &job, 50 * MS, 2 * S + 50 * MS);
    ck_assert_int_eq(qos.rung, FLOW);
    gst_vfi_costs_expect(&qos.costs, BY_FULL, &work);
    ck_assert_uint_eq(work.in_between, 50 * MS);
}
END_TEST

/* Costs of long ago say nothing about what FLOW costs now, but how much more FULL costs
 * does. */
START_TEST(what_is_slower_is_slower_for_all)
{
    for (guint times = 1; times <= 15; times += 14) {
        GstVfiQos qos;
        GstVfiQosJob job;
        player_start(&qos, GST_VFI_ON_LATE_DUPLICATE, "reduced flow");
        player_know(&qos, BY_FULL, 20 * MS, 0);
        player_know(&qos, BY_REDUCED, 8 * MS, 0);
        player_know(&qos, BY_FLOW, 2 * MS, 0);
        qos.last_maker = BY_FULL;
        for (GstClockTime now = S; qos.rung == FULL; now += 3 * SPAN) {
            player_begin(&qos, now, 1);
            ck_assert_int_eq(player_ask(&qos, 1, now, 21 * MS, &job), COMPUTE);
            gst_vfi_qos_finish(&qos, &job, times * 20 * MS,
                               now + times * 20 * MS + 7 * MS);
        }
        ck_assert_int_eq(qos.rung, times == 1 ? REDUCED : FLOW);
    }
}
END_TEST

/* ---- sinks ------------------------------------------------------------------------- */

START_TEST(sinks_put_off)
{
    GstVfiQos qos;
    GstVfiQosJob job;
    player_start(&qos, GST_VFI_ON_LATE_SKIP, "");
    /* About nothing of ours. */
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, S, 10 * MS);
    ck_assert_uint_eq(qos.strikes, 0);
    player_begin(&qos, S, 3);
    /* Before S + 2 * 5 + 10 ms. */
    ck_assert_int_eq(player_ask(&qos, 1, S, SPAN, &job), SKIP);
    ck_assert_int_eq(player_ask(&qos, 2, S + 20 * MS - 1, SPAN, &job), SKIP);
    ck_assert_int_eq(player_ask(&qos, 3, S + 20 * MS, SPAN, &job), COMPUTE);
    ck_assert_uint_eq(qos.dropped, 2);
    /* About what was decided before the rung was taken, and one in time ends the wait. */
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, S - 1, NONE);
    ck_assert_uint_eq(qos.strikes, 0);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, 2 * S, NONE);
    ck_assert_uint_eq(qos.strikes, GST_VFI_CLIMB_PARDON);
    player_begin(&qos, 2 * S, 2);
    ck_assert_int_eq(player_ask(&qos, 1, 2 * S + 5 * MS, SPAN, &job), SKIP);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_OVERFLOW, -5, 2 * S, NONE);
    ck_assert_int_eq(player_ask(&qos, 2, 2 * S + 5 * MS, SPAN, &job), COMPUTE);
}
END_TEST

START_TEST(sinks_can_be_ignored)
{
    GstVfiQosConfig config = player_config(GST_VFI_ON_LATE_SKIP, "");
    GstVfiQos qos;
    GstVfiQosJob job;
    config.events = FALSE;
    gst_vfi_qos_init(&qos);
    gst_vfi_qos_set_config(&qos, &config);
    for (guint i = 0; i < 2; i++) {
        player_begin(&qos, S, 1);
        player_ask(&qos, 1, S, SPAN, &job);
        gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * S, 2 * S, NONE);
        gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * S, NONE, NONE);
        if (i == 0)
            gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_THROTTLE, 5 * S, 2 * S, NONE);
        player_begin(&qos, 3 * S, 1);
        ck_assert_int_eq(player_ask(&qos, 1, 3 * S, SPAN, &job), COMPUTE);
        ck_assert_uint_eq(qos.strikes, 0);
        player_start(&qos, GST_VFI_ON_LATE_WAIT, "");
    }
}
END_TEST

/* Running times against a sink that wants a frame a second and has shown that of 10 s. */
static const struct {
    GstClockTime running_time;
    GstVfiDecision decision;
} throttled[] = {
    {10 * S, COMPUTE}, {10 * S + 1, SKIP}, {11 * S - 1, SKIP},
    {11 * S, COMPUTE}, {9 * S, COMPUTE},   {NONE, COMPUTE},
};

START_TEST(throttling_sinks_get_fewer)
{
    for (GstVfiOnLate on_late = GST_VFI_ON_LATE_AUTO; on_late <= GST_VFI_ON_LATE_SKIP;
         on_late++) {
        GstVfiQos qos;
        GstVfiQosJob job;
        GstVfiQosAsk question = {
            .index = 1, .running_time = throttled[_i].running_time, .deadline = NONE};
        player_start(&qos, on_late, "");
        gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_THROTTLE, S, 10 * S, NONE);
        player_begin(&qos, S, 1);
        ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job),
                         throttled[_i].decision);
        ck_assert_int_eq(qos.rung, FULL);
        ck_assert_uint_eq(qos.dropped, 0);
        gst_vfi_qos_reset(&qos);
        player_begin(&qos, S, 1);
        ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job), COMPUTE);
    }
}
END_TEST

/* ---- reports and resets ------------------------------------------------------------ */

START_TEST(messages_are_few)
{
    GstVfiQosMessage message;
    GstVfiQos qos;
    GstVfiQosJob job;
    guint n = 0;
    player_start(&qos, GST_VFI_ON_LATE_SKIP, "flow");
    for (guint i = 0; i < 100; i++)
        ck_assert(!gst_vfi_qos_take_message(&qos, i * S, &message));
    player_know(&qos, BY_FULL, 50 * MS, 0);
    player_begin(&qos, 101 * S, 2);
    ck_assert_int_eq(player_ask(&qos, 1, 101 * S, 50 * MS, &job), COMPUTE);
    ck_assert_int_eq(player_ask(&qos, 2, 101 * S, 43 * MS, &job), SKIP);
    ck_assert(gst_vfi_qos_take_message(&qos, 101 * S, &message));
    ck_assert_int_eq(message.rung, FLOW);
    ck_assert_int_eq(message.quality, 750000);
    ck_assert_int_eq(message.jitter, 7 * MS);
    ck_assert_uint_eq(message.processed, 1);
    ck_assert_uint_eq(message.dropped, 1);
    for (guint i = 1; i <= 50; i++)
        n += gst_vfi_qos_take_message(&qos, 101 * S + i * 100 * MS, &message) ? 1 : 0;
    ck_assert_uint_eq(n, 5);
    /* Without a clock only changes are told, and the way back is one. */
    ck_assert(!gst_vfi_qos_take_message(&qos, NONE, &message));
    gst_vfi_qos_reset(&qos);
    ck_assert(gst_vfi_qos_take_message(&qos, NONE, &message));
    ck_assert_int_eq(message.quality, 1000000);
    ck_assert(!gst_vfi_qos_take_message(&qos, 200 * S, &message));
}
END_TEST

START_TEST(events_go_on_from_none)
{
    GstVfiQos qos;
    player_start(&qos, GST_VFI_ON_LATE_SKIP, "reduced flow");
    for (GstVfiRung rung = FULL; rung <= NOTHING; rung++) {
        qos.rung = rung;
        ck_assert_int_eq(gst_vfi_qos_forwards_events(&qos), rung == NOTHING);
    }
}
END_TEST

static const struct {
    GstVfiOnLate from, to;
    GstVfiRung before, after;
    const char *makers; /* of the new ladder; the old one has all */
} switches[] = {
    {GST_VFI_ON_LATE_DUPLICATE, GST_VFI_ON_LATE_SKIP, DUPLICATES, NOTHING, ""},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_DUPLICATE, NOTHING, DUPLICATES, ""},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_AUTO, NOTHING, DUPLICATES, ""},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_DUPLICATE, HALF, HALF, ""},
    {GST_VFI_ON_LATE_DUPLICATE, GST_VFI_ON_LATE_SKIP, REDUCED, FULL, ""},
    {GST_VFI_ON_LATE_DUPLICATE, GST_VFI_ON_LATE_SKIP, FLOW, FULL, "reduced"},
    {GST_VFI_ON_LATE_DUPLICATE, GST_VFI_ON_LATE_SKIP, FLOW, FLOW, "flow"},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_WAIT, NOTHING, FULL, "reduced flow"},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_WAIT, REDUCED, FULL, "reduced flow"},
};

START_TEST(ladders_can_be_switched)
{
    GstVfiQosConfig config = player_config(switches[_i].to, switches[_i].makers);
    GstVfiQos qos;
    player_start(&qos, switches[_i].from, "reduced flow");
    player_put(&qos, switches[_i].before);
    gst_vfi_qos_set_config(&qos, &config);
    player_begin(&qos, S, 2);
    ck_assert_int_eq(qos.pair_rung, switches[_i].after);
}
END_TEST

/* Before the full one is there its ladder begins below; then it has to prove itself. */
START_TEST(the_full_rung_may_come_late)
{
    GstVfiQosConfig config = player_config(GST_VFI_ON_LATE_DUPLICATE, "flow rehearses");
    GstVfiQos qos;
    GstVfiQosJob job;
    GstVfiMaker maker;
    gst_vfi_qos_init(&qos);
    config.has[BY_FULL] = FALSE;
    gst_vfi_qos_set_config(&qos, &config);
    player_begin(&qos, S, 1);
    ck_assert_int_eq(qos.pair_rung, FLOW);
    ck_assert_int_eq(player_ask(&qos, 1, S, SPAN, &job), COMPUTE);
    ck_assert_int_eq(job.maker, BY_FLOW);
    gst_vfi_qos_finish(&qos, &job, 2 * MS, S + 2 * MS);
    gst_vfi_qos_reset(&qos);
    player_begin(&qos, 2 * S, 1);
    ck_assert_int_eq(qos.pair_rung, FLOW);
    config.has[BY_FULL] = TRUE;
    gst_vfi_qos_set_config(&qos, &config);
    GstClockTime now = 3 * S;
    for (; !gst_vfi_qos_wants_rehearsal(&qos, now, &maker); now += SPAN) {
        ck_assert_uint_lt(now, 4 * S);
        player_begin(&qos, now, 1);
        ck_assert_int_eq(qos.pair_rung, FLOW);
        ck_assert_int_eq(player_ask(&qos, 1, now, SPAN, &job), COMPUTE);
        gst_vfi_qos_finish(&qos, &job, 2 * MS, now + 2 * MS);
    }
    ck_assert_int_eq(maker, BY_FULL);
}
END_TEST

START_TEST(flushes_keep_costs_and_sessions_do_not)
{
    GstClockTime cost, pair_cost;
    GstVfiQos qos;
    GstVfiQosJob job;
    player_start(&qos, GST_VFI_ON_LATE_SKIP, "flow");
    player_know(&qos, BY_FULL, 50 * MS, 3 * MS);
    player_know(&qos, BY_FLOW, 2 * MS, MS);
    player_put(&qos, HALF);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 500 * S, 2 * S, NONE);
    gst_vfi_qos_reset(&qos);
    ck_assert_int_eq(qos.rung, FULL);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 50 * MS);
    ck_assert_uint_eq(pair_cost, 3 * MS);
    /* Nothing is tried that is known not to work. */
    player_begin(&qos, 2 * S, 1);
    ck_assert_int_eq(player_ask(&qos, 1, 2 * S, 52 * MS, &job), SKIP);
    player_begin(&qos, 2 * S + SPAN, 1);
    ck_assert_int_eq(qos.pair_rung, FLOW);

    gst_vfi_qos_forget_maker(&qos, BY_FLOW);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 50 * MS); /* of what is known */
    gst_vfi_qos_forget_costs(&qos);
    ck_assert_int_eq(qos.rung, FULL);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, NONE);
    ck_assert_uint_eq(pair_cost, 0);
    player_begin(&qos, 3 * S, 1);
    ck_assert_int_eq(player_ask(&qos, 1, 3 * S, 1, &job), COMPUTE);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("qos");
    TCase *tcase = tcase_create("qos");
    tcase_add_loop_test(tcase, deadlines_decide, 0, G_N_ELEMENTS(schedules));
    tcase_add_test(tcase, others_jobs_come_first);
    tcase_add_loop_test(tcase, misses_lower_the_rung, 0, G_N_ELEMENTS(misses));
    tcase_add_test(tcase, a_pair_misses_once);
    tcase_add_test(tcase, old_news_is_no_news);
    tcase_add_test(tcase, arrivals_are_not_judged);
    tcase_add_test(tcase, what_is_slower_is_slower_for_all);
    tcase_add_test(tcase, sinks_put_off);
    tcase_add_test(tcase, sinks_can_be_ignored);
    tcase_add_loop_test(tcase, throttling_sinks_get_fewer, 0, G_N_ELEMENTS(throttled));
    tcase_add_test(tcase, messages_are_few);
    tcase_add_test(tcase, events_go_on_from_none);
    tcase_add_loop_test(tcase, ladders_can_be_switched, 0, G_N_ELEMENTS(switches));
    tcase_add_test(tcase, the_full_rung_may_come_late);
    tcase_add_test(tcase, flushes_keep_costs_and_sessions_do_not);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
