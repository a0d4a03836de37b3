/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Costs: what is remembered of recent times, and how jobs' costs are told apart. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/cost.h"

#define NONE GST_CLOCK_TIME_NONE
#define S GST_SECOND

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
        gst_vfi_costs_note(&costs, TRUE, measured[_i].jobs[i].kind,
                           measured[_i].jobs[i].cost, S);
    ck_assert_uint_eq(last_of(&costs.in_between[1]), measured[_i].in_between);
    ck_assert_uint_eq(last_of(&costs.pair), measured[_i].pair);
    ck_assert_uint_eq(costs.measured_at[1], measured[_i].in_between == NONE ? NONE : S);
    ck_assert_uint_eq(costs.measured_at[0], NONE);
    /* After a change of conditions nothing of before is left. */
    gst_vfi_costs_note(&costs, TRUE, GST_VFI_COST_FRESH, 3, S);
    ck_assert_uint_eq(costs.in_between[1].n_times, 1);
    ck_assert_uint_le(costs.pair.n_times, 1);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("cost");
    TCase *tcase = tcase_create("cost");
    tcase_add_test(tcase, recent_times_forget);
    tcase_add_loop_test(tcase, costs_are_told_apart, 0, G_N_ELEMENTS(measured));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
