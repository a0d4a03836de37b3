/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Costs: what is remembered of recent times, and how jobs' costs are told apart. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/cost.h"

#define NONE GST_CLOCK_TIME_NONE
#define S GST_SECOND

#define FULL GST_VFI_MAKER_FULL
#define REDUCED GST_VFI_MAKER_REDUCED
#define FLOW GST_VFI_MAKER_FLOW

START_TEST(recent_times_forget)
{
    GstVfiRecent recent;
    gst_vfi_recent_clear(&recent);
    ck_assert_uint_eq(gst_vfi_recent_mean(&recent), NONE);
    ck_assert_uint_eq(gst_vfi_recent_p95(&recent), NONE);
    gst_vfi_recent_add(&recent, NONE);
    ck_assert_uint_eq(gst_vfi_recent_p95(&recent), NONE);

    gst_vfi_recent_add(&recent, 80);
    ck_assert_uint_eq(gst_vfi_recent_mean(&recent), 80);
    gst_vfi_recent_add(&recent, 40);
    ck_assert_uint_eq(gst_vfi_recent_mean(&recent), 70);
    ck_assert_uint_eq(gst_vfi_recent_p95(&recent), 80);

    gst_vfi_recent_clear(&recent);
    for (guint i = 1; i <= GST_VFI_RECENT_SIZE; i++)
        gst_vfi_recent_add(&recent, i * 10);
    ck_assert_uint_eq(gst_vfi_recent_p95(&recent), 310);
    for (guint i = 0; i < GST_VFI_RECENT_SIZE - 1; i++)
        gst_vfi_recent_add(&recent, 5);
    ck_assert_uint_eq(gst_vfi_recent_p95(&recent), 5);

    gst_vfi_recent_add(&recent, NONE - 1);
    gst_vfi_recent_add(&recent, NONE - 1);
    ck_assert_uint_eq(gst_vfi_recent_p95(&recent), GST_VFI_RECENT_MAX);
}
END_TEST

/* Of the times 10, 20 ... 10 n, in any order: nearest ranks. */
static const struct {
    guint n, percent;
    GstClockTime time;
} percentiles[] = {
    {1, 1, 10},    {1, 100, 10},  {2, 50, 10},   {2, 51, 20},
    {20, 5, 10},   {20, 6, 20},   {20, 85, 170}, {20, 95, 190},
    {20, 96, 200}, {32, 85, 280}, {32, 95, 310}, {32, 100, 320},
};

START_TEST(percentiles_are_nearest_ranks)
{
    GstVfiRecent recent;
    gst_vfi_recent_clear(&recent);
    for (guint i = 0; i < percentiles[_i].n; i++)
        gst_vfi_recent_add(&recent, 10 + 10 * ((i * 7 + 3) % percentiles[_i].n));
    ck_assert_uint_eq(gst_vfi_recent_percentile(&recent, percentiles[_i].percent),
                      percentiles[_i].time);
}
END_TEST

/* Three of seven are outliers, four are not; older ones count for nothing. */
START_TEST(a_few_tell_what_is_usual)
{
    GstVfiRecent recent;
    gst_vfi_recent_clear(&recent);
    ck_assert_uint_eq(gst_vfi_recent_usual(&recent), NONE);
    gst_vfi_recent_add(&recent, 20);
    ck_assert_uint_eq(gst_vfi_recent_usual(&recent), 20);
    for (guint i = 0; i < 2 * GST_VFI_RECENT_SIZE; i++)
        gst_vfi_recent_add(&recent, 10);
    for (guint i = 1; i <= 4; i++) {
        gst_vfi_recent_add(&recent, 90);
        ck_assert_uint_eq(gst_vfi_recent_usual(&recent), i < 4 ? 10 : 90);
    }
}
END_TEST

/* Costs of jobs, and what they say about in-betweens and pairs. */
static const struct {
    guint n_jobs;
    struct {
        GstVfiCostKind kind;
        GstClockTime cost;
    } jobs[4];
    GstClockTime in_between, pair; /* last values */
} measured[] = {
    {1, {{GST_VFI_COST_NEXT, 10}}, 10, NONE},
    {1, {{GST_VFI_COST_FIRST, 15}}, 15, NONE},
    {1, {{GST_VFI_COST_BOTH, 15}}, 15, NONE},
    {1, {{GST_VFI_COST_NEXT, NONE}}, NONE, NONE},
    {2, {{GST_VFI_COST_NEXT, 10}, {GST_VFI_COST_FIRST, 15}}, 10, 5},
    {2, {{GST_VFI_COST_NEXT, 10}, {GST_VFI_COST_FIRST, 9}}, 10, 0},
    {3,
     {{GST_VFI_COST_NEXT, 10}, {GST_VFI_COST_FIRST, 15}, {GST_VFI_COST_BOTH, 30}},
     20,
     10},
    {3,
     {{GST_VFI_COST_NEXT, 10}, {GST_VFI_COST_FIRST, 15}, {GST_VFI_COST_FRESH, 6}},
     4,
     2},
    {3, {{GST_VFI_COST_NEXT, 0}, {GST_VFI_COST_FIRST, 0}, {GST_VFI_COST_BOTH, 7}}, 7, 0},
    {1, {{GST_VFI_COST_ARRIVAL, 15}}, 15, NONE},
    {2, {{GST_VFI_COST_ARRIVAL, 15}, {GST_VFI_COST_ARRIVAL, 20}}, 15, NONE},
    {2, {{GST_VFI_COST_ARRIVAL, 15}, {GST_VFI_COST_NEXT, 7}}, 7, NONE},
    {2, {{GST_VFI_COST_NEXT, 7}, {GST_VFI_COST_ARRIVAL, 15}}, 7, NONE},
};

static GstClockTime last_of(const GstVfiRecent *recent)
{
    if (recent->n_times == 0)
        return NONE;
    return recent->times[(recent->next + GST_VFI_RECENT_SIZE - 1) % GST_VFI_RECENT_SIZE];
}

START_TEST(costs_are_told_apart)
{
    GstVfiCosts costs;
    gst_vfi_costs_clear(&costs);
    for (guint i = 0; i < measured[_i].n_jobs; i++)
        gst_vfi_costs_note(&costs, FLOW, measured[_i].jobs[i].kind,
                           measured[_i].jobs[i].cost, S);
    const GstVfiMakerCosts *of = &costs.of[FLOW];
    ck_assert_uint_eq(last_of(&of->in_between), measured[_i].in_between);
    ck_assert_uint_eq(last_of(&of->pair), measured[_i].pair);
    ck_assert_uint_eq(of->measured_at, measured[_i].in_between == NONE ? NONE : S);
    ck_assert_uint_eq(costs.of[FULL].measured_at, NONE);
    /* After a change of conditions nothing of before is left. */
    gst_vfi_costs_note(&costs, FLOW, GST_VFI_COST_FRESH, 3, S);
    ck_assert_uint_eq(of->in_between.n_times, 1);
    ck_assert_uint_le(of->pair.n_times, 1);
}
END_TEST

/* What a maker is expected to cost after others, or an arrival, were measured. */
static const struct {
    struct {
        GstVfiMaker maker;
        GstVfiCostKind kind;
        GstClockTime cost;
    } jobs[3];
    guint n_jobs;
    GstVfiMaker asked;
    gboolean known;
    GstClockTime in_between, pair;
    GstClockTime allowed; /* for an in-between */
} expected[] = {
    {{{.cost = 0}}, 0, FULL, FALSE, 0, 0, 0},
    {{{.cost = 0}}, 0, REDUCED, FALSE, 0, 0, 0},
    {{{FULL, GST_VFI_COST_NEXT, 40}}, 1, FULL, TRUE, 40, 0, 40},
    {{{FULL, GST_VFI_COST_NEXT, 40}}, 1, REDUCED, TRUE, 20, 0, 20},
    {{{FULL, GST_VFI_COST_NEXT, 40}}, 1, FLOW, FALSE, 0, 0, 0},
    {{{FULL, GST_VFI_COST_NEXT, 40}, {FULL, GST_VFI_COST_FIRST, 60}},
     2,
     REDUCED,
     TRUE,
     20,
     10,
     20},
    {{{FULL, GST_VFI_COST_NEXT, 40}, {REDUCED, GST_VFI_COST_NEXT, 9}},
     2,
     REDUCED,
     TRUE,
     9,
     0,
     9},
    {{{FULL, GST_VFI_COST_ARRIVAL, 40}}, 1, FULL, TRUE, 20, 0, 40},
    {{{FULL, GST_VFI_COST_ARRIVAL, 40}}, 1, REDUCED, TRUE, 20, 0, 20},
};

START_TEST(one_cost_tells_of_another)
{
    GstVfiCosts costs;
    GstVfiWork work;
    gst_vfi_costs_clear(&costs);
    for (guint i = 0; i < expected[_i].n_jobs; i++)
        gst_vfi_costs_note(&costs, expected[_i].jobs[i].maker, expected[_i].jobs[i].kind,
                           expected[_i].jobs[i].cost, S);
    for (guint percent = 0; percent <= 100; percent += 50) {
        gboolean known =
            percent == 0
                ? gst_vfi_costs_expect(&costs, expected[_i].asked, &work)
                : gst_vfi_costs_allow(&costs, expected[_i].asked, percent, &work);
        ck_assert_int_eq(known, expected[_i].known);
        ck_assert_uint_eq(work.in_between,
                          percent > 0 ? expected[_i].allowed : expected[_i].in_between);
        ck_assert_uint_eq(work.pair, expected[_i].pair);
    }
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("cost");
    TCase *tcase = tcase_create("cost");
    tcase_add_test(tcase, recent_times_forget);
    tcase_add_test(tcase, a_few_tell_what_is_usual);
    tcase_add_loop_test(tcase, percentiles_are_nearest_ranks, 0,
                        G_N_ELEMENTS(percentiles));
    tcase_add_loop_test(tcase, costs_are_told_apart, 0, G_N_ELEMENTS(measured));
    tcase_add_loop_test(tcase, one_cost_tells_of_another, 0, G_N_ELEMENTS(expected));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
