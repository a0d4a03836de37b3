/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of the ladder one by one. Pairs last 40 ms on a clock that is only a number;
 * qos_overload.c has them all at once. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/qos.h"

#define NONE GST_CLOCK_TIME_NONE
#define MS GST_MSECOND
#define S GST_SECOND
#define SPAN (40 * MS)

#define FULL GST_VFI_RUNG_FULL
#define REDUCED GST_VFI_RUNG_REDUCED
#define HALF GST_VFI_RUNG_HALF
#define DUPLICATES GST_VFI_RUNG_DUPLICATES
#define NOTHING GST_VFI_RUNG_NONE

#define COMPUTE GST_VFI_DECISION_COMPUTE
#define DUPLICATE GST_VFI_DECISION_DUPLICATE
#define SKIP GST_VFI_DECISION_SKIP

static void start(GstVfiQos *qos, GstVfiOnLate on_late, gboolean reduced_scale)
{
    GstVfiQosConfig config = {.on_late = on_late, .live = TRUE, .events = TRUE};
    config.reduced_scale = reduced_scale;
    gst_vfi_qos_init(qos);
    gst_vfi_qos_set_config(qos, &config);
}

/* One in-between of the pair that is open, at @now, with @left until its deadline. */
static GstVfiDecision ask(GstVfiQos *qos, guint index, GstClockTime now,
                          GstClockTime left, GstVfiQosJob *job)
{
    GstVfiQosAsk question = {
        .index = index,
        .running_time = now,
        .now = now,
        .deadline = now + left,
    };
    return gst_vfi_qos_decide(qos, &question, job);
}

/* A pair of one in-between at @now that costs @cost if it is computed. */
static GstVfiDecision pair(GstVfiQos *qos, GstClockTime now, GstClockTime left,
                           GstClockTime cost)
{
    GstVfiQosJob job;
    gst_vfi_qos_begin_pair(qos, now, 0, 1, SPAN);
    GstVfiDecision decision = ask(qos, 1, now, left, &job);
    if (decision == COMPUTE)
        gst_vfi_qos_finish(qos, &job, cost, now + cost);
    return decision;
}

/* Misses until the ladder ends. A measured cost and no time left make each pair miss. */
static GstClockTime fall(GstVfiQos *qos, GstClockTime cost)
{
    GstClockTime now = S;
    pair(qos, now, SPAN, cost);
    for (guint i = 0; i < 20; i++, now += SPAN) {
        gst_vfi_qos_begin_pair(qos, now, 0, 3, SPAN);
        for (guint index = 1; index <= 3; index++) {
            GstVfiQosJob job;
            if (ask(qos, index, now, MS, &job) == COMPUTE)
                gst_vfi_qos_finish(qos, &job, cost, now + cost);
        }
    }
    return now;
}

static const struct {
    GstVfiOnLate on_late;
    gboolean live;
    gboolean reduced_scale;
    guint n_rungs;
    GstVfiRung rungs[4];
    GstVfiDecision left_out;
    gboolean forwards; /* at the end */
} ladders[] = {
    {GST_VFI_ON_LATE_AUTO, FALSE, TRUE, 1, {FULL}, COMPUTE, FALSE},
    {GST_VFI_ON_LATE_AUTO,
     TRUE,
     TRUE,
     4,
     {FULL, REDUCED, HALF, DUPLICATES},
     DUPLICATE,
     FALSE},
    {GST_VFI_ON_LATE_AUTO, TRUE, FALSE, 3, {FULL, HALF, DUPLICATES}, DUPLICATE, FALSE},
    {GST_VFI_ON_LATE_WAIT, TRUE, TRUE, 1, {FULL}, COMPUTE, FALSE},
    {GST_VFI_ON_LATE_DUPLICATE,
     FALSE,
     FALSE,
     3,
     {FULL, HALF, DUPLICATES},
     DUPLICATE,
     FALSE},
    {GST_VFI_ON_LATE_SKIP, FALSE, TRUE, 4, {FULL, REDUCED, HALF, NOTHING}, SKIP, TRUE},
    {GST_VFI_ON_LATE_SKIP, TRUE, FALSE, 3, {FULL, HALF, NOTHING}, SKIP, TRUE},
};

START_TEST(ladders_have_their_rungs)
{
    GstVfiQosConfig config = {
        .on_late = ladders[_i].on_late,
        .live = ladders[_i].live,
        .reduced_scale = ladders[_i].reduced_scale,
    };
    GstVfiQosMessage message;
    GstVfiQos qos;
    GstVfiQosJob job;
    gst_vfi_qos_init(&qos);
    gst_vfi_qos_set_config(&qos, &config);
    for (guint i = 0; i < ladders[_i].n_rungs + 2; i++) {
        GstVfiRung rung = ladders[_i].rungs[MIN(i, ladders[_i].n_rungs - 1)];
        GstClockTime now = S + i * SPAN;
        ck_assert_int_eq(gst_vfi_qos_begin_pair(&qos, now, 0, 3, SPAN), rung);
        ck_assert_int_eq(gst_vfi_qos_is_reduced(&qos),
                         ladders[_i].reduced_scale && rung != FULL);
        ck_assert(!gst_vfi_qos_forwards_events(&qos) || ladders[_i].forwards);
        /* Too late already: one rung a pair, however many are. */
        for (guint index = 1; index <= 3; index++) {
            GstVfiQosAsk question = {.index = index, .now = now, .deadline = now - 1};
            ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job),
                             ladders[_i].left_out);
        }
        if (gst_vfi_qos_take_message(&qos, now, &message))
            ck_assert_int_eq(message.quality, 1000000 - 250000 * (gint)qos.rung);
    }
    ck_assert_int_eq(gst_vfi_qos_forwards_events(&qos), ladders[_i].forwards);
}
END_TEST

static const struct {
    guint count;
    const char *computed; /* by HALF, two pairs in a row */
} patterns[] = {
    {1, "./x"}, {2, ".x/.x"}, {3, ".x./.x."}, {4, ".x.x/.x.x"}, {7, ".x.x.x./.x.x.x."},
};

START_TEST(half_is_every_second)
{
    g_autoptr(GString) seen = g_string_new(NULL);
    GstVfiQos qos;
    GstVfiQosJob job;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    pair(&qos, S, 0, 20 * MS);
    for (guint i = 0; i < 2; i++) {
        ck_assert_int_eq(gst_vfi_qos_begin_pair(&qos, 2 * S, 0, patterns[_i].count, SPAN),
                         HALF);
        g_string_append(seen, i == 0 ? "" : "/");
        for (guint index = 1; index <= patterns[_i].count; index++)
            g_string_append_c(
                seen, ask(&qos, index, 2 * S, 10 * S, &job) == COMPUTE ? 'x' : '.');
    }
    ck_assert_str_eq(seen->str, patterns[_i].computed);
}
END_TEST

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

static void learn_costs(GstVfiQos *qos, GstClockTime cost, GstClockTime pair_cost)
{
    for (guint i = 0; i < 40; i++) {
        GstVfiQosJob jobs[3];
        gst_vfi_qos_begin_pair(qos, 0, 0, 3, SPAN);
        for (guint j = 0; j < 3; j++)
            ck_assert_int_eq(ask(qos, j + 1, 0, 10 * S, &jobs[j]), COMPUTE);
        for (guint j = 0; j < 3; j++)
            gst_vfi_qos_finish(qos, &jobs[j], cost + (j == 0 ? pair_cost : 0), 0);
    }
}

START_TEST(deadlines_decide)
{
    GstVfiQos qos;
    GstVfiQosJob job;
    GstClockTime cost, pair_cost;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    learn_costs(&qos, 10 * MS, 4 * MS);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    /* The first sample is of both kinds and fades out by quarters. */
    ck_assert_uint_eq(cost, 10 * MS);
    ck_assert_uint_le(pair_cost, 4 * MS);
    ck_assert_uint_ge(pair_cost + MS / 100, 4 * MS);
    qos.costs.in_between[0].mean = 10 * MS;
    qos.costs.pair.mean = 4 * MS;

    GstVfiQosAsk question = {
        .index = 1,
        .now = schedules[_i].now,
        .deadline = schedules[_i].deadline,
        .jobs = schedules[_i].jobs,
    };
    gst_vfi_qos_begin_pair(&qos, schedules[_i].now, schedules[_i].jobs, 3, SPAN);
    ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job), schedules[_i].decision);
    gst_vfi_qos_begin_pair(&qos, NONE, 0, 3, SPAN);
    ck_assert_int_eq(qos.pair_rung, schedules[_i].decision == COMPUTE ? FULL : HALF);
}
END_TEST

START_TEST(late_jobs_lower_the_rung)
{
    GstVfiQos qos;
    GstVfiQosJob jobs[2];
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    gst_vfi_qos_begin_pair(&qos, S, 0, 2, SPAN);
    ask(&qos, 1, S, 10 * MS, &jobs[0]);
    ask(&qos, 2, S, 10 * MS, &jobs[1]);
    gst_vfi_qos_finish(&qos, &jobs[0], 5 * MS, S + 10 * MS + GST_VFI_QOS_TOLERANCE);
    ck_assert_int_eq(qos.rung, FULL);
    gst_vfi_qos_finish(&qos, &jobs[1], 5 * MS, S + 10 * MS + GST_VFI_QOS_TOLERANCE + 1);
    ck_assert_int_eq(qos.rung, HALF);
    /* The same pair's lateness again, and that of a pair begun before: no news. */
    gst_vfi_qos_finish(&qos, &jobs[1], 5 * MS, 2 * S);
    ck_assert_int_eq(qos.rung, HALF);
}
END_TEST

START_TEST(sinks_lower_the_rung)
{
    GstVfiQos qos;
    GstVfiQosJob job;
    start(&qos, GST_VFI_ON_LATE_SKIP, FALSE);
    /* About nothing of ours. */
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, S, 10 * MS);
    ck_assert_int_eq(qos.rung, FULL);
    ck_assert_int_eq(pair(&qos, S, SPAN, MS), SKIP); /* before S + 2 * 5 + 10 ms */
    ck_assert_int_eq(pair(&qos, S + 20 * MS - 1, SPAN, MS), SKIP);
    ck_assert_int_eq(pair(&qos, S + 20 * MS, SPAN, MS), COMPUTE);
    ck_assert_int_eq(qos.rung, FULL);

    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, 2 * S, NONE);
    ck_assert_int_eq(qos.rung, HALF);
    /* Nothing of the new rung has been decided, then nothing of it has arrived. */
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, 3 * S, NONE);
    gst_vfi_qos_begin_pair(&qos, 4 * S, 0, 2, SPAN);
    ask(&qos, 1, 4 * S, SPAN, &job);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * MS, 4 * S - 1, NONE);
    ck_assert_int_eq(qos.rung, HALF);
    /* One in time ends the wait for the earliest. */
    ck_assert_int_eq(ask(&qos, 2, 4 * S + 5 * MS, SPAN, &job), SKIP);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_OVERFLOW, -5, 4 * S, NONE);
    ck_assert_int_eq(ask(&qos, 2, 4 * S + 5 * MS, SPAN, &job), COMPUTE);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 1, 4 * S, NONE);
    ck_assert_int_eq(qos.rung, NOTHING);
}
END_TEST

START_TEST(sinks_can_be_ignored)
{
    GstVfiQosConfig config = {.on_late = GST_VFI_ON_LATE_SKIP, .live = TRUE};
    GstVfiQos qos;
    gst_vfi_qos_init(&qos);
    gst_vfi_qos_set_config(&qos, &config);
    pair(&qos, S, SPAN, MS);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * S, 2 * S, NONE);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_THROTTLE, 5 * S, 2 * S, NONE);
    ck_assert_int_eq(pair(&qos, 3 * S, SPAN, MS), COMPUTE);
    start(&qos, GST_VFI_ON_LATE_WAIT, FALSE);
    pair(&qos, S, SPAN, MS);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * S, 2 * S, NONE);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 5 * S, NONE, NONE);
    ck_assert_int_eq(pair(&qos, 3 * S, SPAN, MS), COMPUTE);
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
        start(&qos, on_late, FALSE);
        gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_THROTTLE, S, 10 * S, NONE);
        gst_vfi_qos_begin_pair(&qos, S, 0, 1, SPAN);
        ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job),
                         throttled[_i].decision);
        ck_assert_int_eq(qos.rung, FULL);
        ck_assert_uint_eq(qos.dropped, 0);
        gst_vfi_qos_reset(&qos);
        gst_vfi_qos_begin_pair(&qos, S, 0, 1, SPAN);
        ck_assert_int_eq(gst_vfi_qos_decide(&qos, &question, &job), COMPUTE);
    }
}
END_TEST

/* Plays pairs of three with lots of time from @now until the rung changes, and says how
 * long that took. An in-between costs @cost. */
static GstClockTime rest(GstVfiQos *qos, GstClockTime *now, GstClockTime cost)
{
    GstClockTime from = *now;
    guint change = qos->change;
    while (*now - from < 100 * S) {
        guint n_jobs = 0;
        GstVfiQosJob jobs[3];
        gst_vfi_qos_begin_pair(qos, *now, 0, 3, SPAN);
        if (qos->change != change)
            break;
        for (guint j = 1; j <= 3; j++)
            n_jobs += ask(qos, j, *now, S, &jobs[n_jobs]) == COMPUTE ? 1 : 0;
        for (guint j = 0; j < n_jobs; j++)
            gst_vfi_qos_finish(qos, &jobs[j], cost, *now + (j + 1) * cost);
        *now += SPAN;
    }
    return *now - from;
}

START_TEST(higher_rungs_need_good_pairs)
{
    GstVfiQos qos;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    learn_costs(&qos, 12 * MS, 0);
    GstClockTime now = 10 * S;
    gst_vfi_qos_begin_pair(&qos, now, 0, 3, SPAN);
    GstVfiQosJob job;
    ask(&qos, 1, now, 0, &job);
    ck_assert_int_eq(qos.rung, HALF);
    /* Three of 12 ms fill nine tenths of 40 ms, three of 13 do not. */
    now += SPAN;
    ck_assert_uint_ge(rest(&qos, &now, 13 * MS), 100 * S);
    ck_assert_int_eq(qos.rung, HALF);
    ck_assert_uint_ge(rest(&qos, &now, 12 * MS), GST_VFI_QOS_GOOD_PAIRS * SPAN);
    ck_assert_int_eq(qos.rung, FULL);
    /* That was foreseen and needs no trial. */
    ck_assert_int_eq(qos.trial, GST_VFI_TRIAL_NONE);
}
END_TEST

/* What keeps HALF where it is, although all work of FULL would fit: three in-betweens of
 * 10 ms in pairs of 40 ms. Times left until the deadlines are in milliseconds. */
static const struct {
    guint jobs;
    guint left[3];
    GstClockTime earliest;
    gboolean rises;
} obstacles[] = {
    {0, {10, 20, 30}, 0, TRUE},       {0, {9, 30, 30}, 0, FALSE},
    {0, {30, 20, 29}, 0, FALSE},      {3, {40, 50, 60}, 0, TRUE},
    {3, {40, 50, 59}, 0, FALSE},      {0, {10, 20, 30}, 11 * S, TRUE},
    {0, {10, 20, 30}, 99 * S, FALSE},
};

START_TEST(higher_rungs_need_deadlines_met)
{
    GstVfiQos qos;
    GstVfiQosJob job;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    learn_costs(&qos, 10 * MS, 0);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 1, obstacles[_i].earliest, NONE);
    qos.rung = HALF;
    for (GstClockTime now = 10 * S; now < 20 * S && qos.rung == HALF; now += SPAN) {
        gst_vfi_qos_begin_pair(&qos, now, obstacles[_i].jobs, 3, SPAN);
        for (guint j = 1; j <= 3; j++) {
            GstVfiQosAsk question = {
                .index = j,
                .running_time = now,
                .now = now,
                .deadline = now + obstacles[_i].left[j - 1] * MS,
                .jobs = obstacles[_i].jobs,
            };
            if (gst_vfi_qos_decide(&qos, &question, &job) == COMPUTE)
                gst_vfi_qos_finish(&qos, &job, 10 * MS, now + 10 * MS);
        }
    }
    ck_assert_int_eq(qos.rung, obstacles[_i].rises ? FULL : HALF);
}
END_TEST

/* While the full scale is tried, the costs are still those of the reduced one. */
START_TEST(trials_are_no_news_for_the_latency)
{
    GstClockTime cost, pair_cost;
    GstVfiQos qos;
    GstVfiQosJob job;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, TRUE);
    pair(&qos, S, 0, 30 * MS);
    GstClockTime now = 10 * S;
    ck_assert_int_eq(qos.rung, REDUCED);
    rest(&qos, &now, 5 * MS);
    ck_assert_int_eq(qos.rung, FULL);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 5 * MS);
    ck_assert_int_eq(ask(&qos, 1, now, S, &job), COMPUTE);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 5 * MS);
    gst_vfi_qos_finish(&qos, &job, 9 * MS, now + 9 * MS);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, 9 * MS);
    ck_assert_int_eq(qos.rung, FULL);
}
END_TEST

START_TEST(failing_trials_get_rarer)
{
    GstVfiQos qos;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    GstClockTime now = fall(&qos, 60 * MS), wait = qos.wait;
    ck_assert_int_eq(qos.rung, DUPLICATES);
    for (guint i = 0; i < 12; i++) {
        GstClockTime rested = rest(&qos, &now, SPAN);
        ck_assert_int_eq(qos.pair_rung, HALF);
        ck_assert_uint_ge(rested + (i == 0 ? S : 0), wait);
        ck_assert_uint_le(rested, wait + (GST_VFI_QOS_GOOD_PAIRS + 2) * SPAN);
        /* The only one computed, although no estimate gives it a chance; and it is
         * late. */
        GstVfiQosJob trial, job;
        ck_assert_int_eq(ask(&qos, 1, now, SPAN, &job), DUPLICATE);
        ck_assert_int_eq(ask(&qos, 2, now, SPAN, &trial), COMPUTE);
        ck_assert(trial.trial);
        gst_vfi_qos_begin_pair(&qos, now + SPAN, 1, 3, SPAN);
        ck_assert_int_eq(ask(&qos, 2, now + SPAN, S, &job), DUPLICATE);
        now += 2 * SPAN;
        gst_vfi_qos_finish(&qos, &trial, 60 * MS, now);
        ck_assert_int_eq(qos.rung, DUPLICATES);
        wait = MIN(2 * wait, GST_VFI_QOS_MAX_WAIT);
    }
    ck_assert_uint_eq(wait, GST_VFI_QOS_MAX_WAIT);

    /* One that succeeds leads up, faster the longer it stands. */
    rest(&qos, &now, 2 * MS);
    ck_assert_int_eq(qos.rung, HALF);
    ck_assert_uint_le(rest(&qos, &now, 2 * MS), 10 * S + SPAN);
    ck_assert_int_eq(qos.rung, FULL);
}
END_TEST

START_TEST(messages_are_few)
{
    GstVfiQosMessage message;
    GstVfiQos qos;
    guint n = 0;
    start(&qos, GST_VFI_ON_LATE_SKIP, FALSE);
    for (guint i = 0; i < 100; i++)
        ck_assert(!gst_vfi_qos_take_message(&qos, i * S, &message));
    pair(&qos, 100 * S, SPAN, 20 * MS);
    ck_assert_int_eq(pair(&qos, 101 * S, 13 * MS, 0), SKIP);
    ck_assert(gst_vfi_qos_take_message(&qos, 101 * S, &message));
    ck_assert_int_eq(message.rung, HALF);
    ck_assert_int_eq(message.quality, 500000);
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

static const struct {
    GstVfiOnLate from, to;
    guint falls; /* rungs to go down before */
    GstVfiRung rung;
} switches[] = {
    {GST_VFI_ON_LATE_DUPLICATE, GST_VFI_ON_LATE_SKIP, 3, NOTHING},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_DUPLICATE, 3, DUPLICATES},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_AUTO, 3, DUPLICATES},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_DUPLICATE, 2, HALF},
    {GST_VFI_ON_LATE_DUPLICATE, GST_VFI_ON_LATE_SKIP, 1, FULL},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_WAIT, 3, FULL},
    {GST_VFI_ON_LATE_SKIP, GST_VFI_ON_LATE_WAIT, 2, FULL},
};

/* The new ladder has no reduced scale. */
START_TEST(ladders_can_be_switched)
{
    GstVfiQosConfig config = {.on_late = switches[_i].to, .live = TRUE};
    GstVfiQos qos;
    GstVfiQosJob job;
    start(&qos, switches[_i].from, TRUE);
    for (guint i = 0; i < switches[_i].falls; i++) {
        GstVfiQosAsk question = {.index = 2, .now = S, .deadline = 0};
        gst_vfi_qos_begin_pair(&qos, S, 0, 2, SPAN);
        gst_vfi_qos_decide(&qos, &question, &job);
    }
    gst_vfi_qos_set_config(&qos, &config);
    ck_assert_int_eq(gst_vfi_qos_begin_pair(&qos, S, 0, 2, SPAN), switches[_i].rung);
}
END_TEST

START_TEST(flushes_keep_costs_and_sessions_do_not)
{
    GstClockTime cost, pair_cost;
    GstVfiQos qos;
    start(&qos, GST_VFI_ON_LATE_SKIP, FALSE);
    GstClockTime now = fall(&qos, 20 * MS);
    gst_vfi_qos_note_event(&qos, GST_QOS_TYPE_UNDERFLOW, 500 * S, now, NONE);
    gst_vfi_qos_reset(&qos);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost + pair_cost, 20 * MS);
    ck_assert_int_eq(pair(&qos, now, 21 * MS, 20 * MS), COMPUTE);
    ck_assert_int_eq(pair(&qos, now, 19 * MS, 20 * MS), SKIP);
    gst_vfi_qos_forget_costs(&qos);
    gst_vfi_qos_costs(&qos, &cost, &pair_cost);
    ck_assert_uint_eq(cost, NONE);
    ck_assert_uint_eq(pair_cost, 0);
    ck_assert_int_eq(pair(&qos, now, 1, MS), COMPUTE);
}
END_TEST

/* Another clock may be far behind: waits start again and do not last until it catches
 * up. */
START_TEST(another_clock_is_no_eternity)
{
    GstVfiQos qos;
    start(&qos, GST_VFI_ON_LATE_DUPLICATE, FALSE);
    fall(&qos, 20 * MS);
    qos.now = qos.changed_at = 1000000 * S;
    GstClockTime now = 5 * S;
    ck_assert_uint_le(rest(&qos, &now, 2 * MS), S);
    ck_assert_int_eq(qos.rung, HALF);
}
END_TEST

static void add_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, ladders_have_their_rungs, 0, G_N_ELEMENTS(ladders));
    tcase_add_loop_test(tcase, half_is_every_second, 0, G_N_ELEMENTS(patterns));
    tcase_add_loop_test(tcase, deadlines_decide, 0, G_N_ELEMENTS(schedules));
    tcase_add_test(tcase, late_jobs_lower_the_rung);
    tcase_add_test(tcase, sinks_lower_the_rung);
    tcase_add_test(tcase, sinks_can_be_ignored);
    tcase_add_loop_test(tcase, throttling_sinks_get_fewer, 0, G_N_ELEMENTS(throttled));
    tcase_add_test(tcase, higher_rungs_need_good_pairs);
    tcase_add_loop_test(tcase, higher_rungs_need_deadlines_met, 0,
                        G_N_ELEMENTS(obstacles));
    tcase_add_test(tcase, trials_are_no_news_for_the_latency);
    tcase_add_test(tcase, failing_trials_get_rarer);
    tcase_add_test(tcase, messages_are_few);
    tcase_add_loop_test(tcase, ladders_can_be_switched, 0, G_N_ELEMENTS(switches));
    tcase_add_test(tcase, flushes_keep_costs_and_sessions_do_not);
    tcase_add_test(tcase, another_clock_is_no_eternity);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("qos");
    TCase *tcase = tcase_create("qos");
    add_cases(tcase);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
