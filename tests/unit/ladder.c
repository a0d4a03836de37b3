/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rungs a ladder has, who makes pictures at each, and which costs allow. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/choice.h"

#define S GST_SECOND

#define FULL GST_VFI_RUNG_FULL
#define REDUCED GST_VFI_RUNG_REDUCED
#define FLOW GST_VFI_RUNG_FLOW
#define HALF GST_VFI_RUNG_HALF
#define DUPLICATES GST_VFI_RUNG_DUPLICATES
#define NOTHING GST_VFI_RUNG_NONE

#define BY_FULL GST_VFI_MAKER_FULL
#define BY_REDUCED GST_VFI_MAKER_REDUCED
#define BY_FLOW GST_VFI_MAKER_FLOW

static const struct {
    GstVfiOnLate on_late;
    gboolean live, reduced, flow;
    gboolean is_late; /* the full one is not there yet */
    guint n_rungs;
    GstVfiRung rungs[5];
    GstVfiMaker of_half;
} ladders[] = {
    {GST_VFI_ON_LATE_AUTO, FALSE, TRUE, TRUE, FALSE, 1, {FULL}, BY_FULL},
    {GST_VFI_ON_LATE_WAIT, TRUE, TRUE, TRUE, FALSE, 1, {FULL}, BY_FULL},
    {GST_VFI_ON_LATE_AUTO,
     TRUE,
     TRUE,
     TRUE,
     FALSE,
     5,
     {FULL, REDUCED, FLOW, HALF, DUPLICATES},
     BY_FLOW},
    {GST_VFI_ON_LATE_AUTO,
     TRUE,
     TRUE,
     FALSE,
     FALSE,
     4,
     {FULL, REDUCED, HALF, DUPLICATES},
     BY_REDUCED},
    {GST_VFI_ON_LATE_DUPLICATE,
     FALSE,
     FALSE,
     TRUE,
     FALSE,
     4,
     {FULL, FLOW, HALF, DUPLICATES},
     BY_FLOW},
    {GST_VFI_ON_LATE_DUPLICATE,
     TRUE,
     FALSE,
     FALSE,
     FALSE,
     3,
     {FULL, HALF, DUPLICATES},
     BY_FULL},
    {GST_VFI_ON_LATE_SKIP,
     FALSE,
     TRUE,
     TRUE,
     FALSE,
     5,
     {FULL, REDUCED, FLOW, HALF, NOTHING},
     BY_FLOW},
    {GST_VFI_ON_LATE_SKIP, TRUE, FALSE, FALSE, FALSE, 3, {FULL, HALF, NOTHING}, BY_FULL},
    {GST_VFI_ON_LATE_DUPLICATE,
     TRUE,
     FALSE,
     TRUE,
     TRUE,
     3,
     {FLOW, HALF, DUPLICATES},
     BY_FLOW},
    {GST_VFI_ON_LATE_SKIP,
     TRUE,
     TRUE,
     FALSE,
     TRUE,
     3,
     {REDUCED, HALF, NOTHING},
     BY_REDUCED},
    {GST_VFI_ON_LATE_WAIT, TRUE, TRUE, TRUE, TRUE, 1, {FULL}, BY_FULL},
};

static GstVfiQosConfig ladder(int i)
{
    GstVfiQosConfig config = {
        .on_late = ladders[i].on_late,
        .live = ladders[i].live,
        .has = {!ladders[i].is_late, ladders[i].reduced, ladders[i].flow},
    };
    return config;
}

START_TEST(ladders_have_their_rungs)
{
    GstVfiQosConfig config = ladder(_i);
    guint n = ladders[_i].n_rungs;
    ck_assert_int_eq(gst_vfi_ladder_top(&config), ladders[_i].rungs[0]);
    for (guint i = 0; i < n; i++) {
        GstVfiRung rung = ladders[_i].rungs[i];
        ck_assert(gst_vfi_ladder_has(&config, rung));
        ck_assert_int_eq(gst_vfi_ladder_below(&config, rung),
                         ladders[_i].rungs[MIN(i + 1, n - 1)]);
        ck_assert_int_eq(gst_vfi_ladder_above(&config, rung),
                         ladders[_i].rungs[i == 0 ? 0 : i - 1]);
        if (rung < HALF)
            ck_assert_int_eq((int)gst_vfi_ladder_maker(&config, rung), (int)rung);
        else
            ck_assert_int_eq(gst_vfi_ladder_maker(&config, rung), ladders[_i].of_half);
    }
    for (GstVfiRung rung = FULL; rung <= NOTHING; rung++) {
        gboolean listed = FALSE;
        for (guint i = 0; i < n; i++)
            listed = listed || ladders[_i].rungs[i] == rung;
        ck_assert_int_eq(gst_vfi_ladder_has(&config, rung), listed);
    }
}
END_TEST

START_TEST(qualities_fall)
{
    ck_assert_int_eq(gst_vfi_rung_quality(FULL), 1000000);
    ck_assert_int_eq(gst_vfi_rung_quality(HALF), 500000);
    ck_assert_int_eq(gst_vfi_rung_quality(NOTHING), 0);
    for (GstVfiRung rung = FULL; rung < NOTHING; rung++)
        ck_assert_int_gt(gst_vfi_rung_quality(rung),
                         gst_vfi_rung_quality((GstVfiRung)(rung + 1)));
}
END_TEST

/* What is computed of a pair, in and out of turn. */
static const struct {
    GstVfiRung rung;
    guint count;
    const char *computed, *in_turn;
} patterns[] = {
    {FULL, 3, "xxx", "xxx"},     {REDUCED, 1, "x", "x"},
    {FLOW, 2, "xx", "xx"},       {HALF, 1, ".", "x"},
    {HALF, 2, ".x", ".x"},       {HALF, 3, ".x.", ".x."},
    {HALF, 4, ".x.x", ".x.x"},   {HALF, 7, ".x.x.x.", ".x.x.x."},
    {DUPLICATES, 2, "..", ".."}, {NOTHING, 1, ".", "."},
};

START_TEST(rungs_compute_their_share)
{
    guint count = patterns[_i].count;
    for (guint index = 1; index <= count; index++) {
        ck_assert_int_eq(gst_vfi_ladder_computes(patterns[_i].rung, index, count, FALSE),
                         patterns[_i].computed[index - 1] == 'x');
        ck_assert_int_eq(gst_vfi_ladder_computes(patterns[_i].rung, index, count, TRUE),
                         patterns[_i].in_turn[index - 1] == 'x');
    }
    guint n = 0;
    for (guint index = 1; index <= count; index++) {
        n += patterns[_i].in_turn[index - 1] == 'x' ? 1 : 0;
        ck_assert_uint_eq(gst_vfi_ladder_computed_up_to(patterns[_i].rung, index, count),
                          n);
    }
}
END_TEST

/* In pairs of 100, by in-betweens that cost so much, 0 for what is not known; the cost of
 * a pair is 10. */
typedef struct {
    guint count;
    GstClockTime costs[GST_VFI_N_MAKERS];
    guint surge; /* of BY_FULL, percent */
} Costs;

static GstVfiCosts costs;
static const GstVfiQosConfig whole = {
    .on_late = GST_VFI_ON_LATE_DUPLICATE,
    .has = {TRUE, TRUE, TRUE},
};

static GstVfiLoad load_of(const Costs *from)
{
    gst_vfi_costs_clear(&costs);
    for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++) {
        if (from->costs[maker] == 0)
            continue;
        gst_vfi_costs_note(&costs, maker, GST_VFI_COST_NEXT, from->costs[maker], S);
        gst_vfi_costs_note(&costs, maker, GST_VFI_COST_FIRST, from->costs[maker] + 10, S);
    }
    return (GstVfiLoad){
        .config = &whole,
        .costs = &costs,
        .count = from->count,
        .span = 100,
        .in_use = BY_FULL,
        .surge = from->surge,
    };
}

static const struct {
    Costs costs;
    GstVfiRung rung;
    gboolean is_kept_up, has_time;
    GstClockTime time; /* of all in-betweens of a pair */
} fits[] = {
    {{1, {80}, 100}, FULL, TRUE, TRUE, 90},
    {{1, {81}, 100}, FULL, TRUE, FALSE, 91},
    {{1, {90}, 100}, FULL, TRUE, FALSE, 100},
    {{1, {91}, 100}, FULL, FALSE, FALSE, 101},
    {{3, {30}, 100}, FULL, TRUE, FALSE, 100},
    {{3, {31}, 100}, FULL, FALSE, FALSE, 103},
    /* Half of it at half the scale, until more is known. */
    {{1, {160}, 100}, REDUCED, TRUE, TRUE, 85},
    {{1, {160, 100}, 100}, REDUCED, FALSE, FALSE, 110},
    {{1, {300}, 100}, FLOW, TRUE, TRUE, 0},
    {{1, {300, 0, 95}, 100}, FLOW, FALSE, FALSE, 105},
    /* One in two pairs, and one of three. */
    {{1, {300, 0, 170}, 100}, HALF, TRUE, TRUE, 180},
    {{1, {300, 0, 190}, 100}, HALF, TRUE, FALSE, 200},
    {{1, {300, 0, 191}, 100}, HALF, FALSE, FALSE, 201},
    {{3, {300, 0, 80}, 100}, HALF, TRUE, TRUE, 90},
    {{3, {300, 0, 91}, 100}, HALF, FALSE, FALSE, 101},
    {{1, {300, 0, 300}, 100}, DUPLICATES, TRUE, TRUE, 0},
    /* What makes one maker slower makes others slower. */
    {{1, {80, 0, 40}, 200}, FULL, TRUE, TRUE, 90},
    {{1, {80, 0, 40}, 200}, FLOW, TRUE, TRUE, 50},
    {{1, {80, 0, 40}, 201}, FLOW, TRUE, TRUE, 50},
    {{1, {80, 0, 41}, 200}, FLOW, FALSE, TRUE, 51},
};

START_TEST(costs_say_what_fits)
{
    GstVfiLoad load = load_of(&fits[_i].costs);
    ck_assert_int_eq(gst_vfi_choice_is_kept_up(&load, fits[_i].rung),
                     fits[_i].is_kept_up);
    ck_assert_int_eq(gst_vfi_choice_has_time(&load, fits[_i].rung, 95),
                     fits[_i].has_time);
    ck_assert_uint_eq(
        gst_vfi_choice_time_to(&load, fits[_i].rung, 95, fits[_i].costs.count),
        fits[_i].time);
}
END_TEST

/* A quarter of the time of the pairs that there are, with the pair's own cost. */
static const struct {
    Costs costs;
    GstVfiRung rung;
    gboolean takes_little;
} shares[] = {
    {{1, {15}, 100}, FULL, TRUE},
    {{1, {16}, 100}, FULL, FALSE},
    {{3, {5}, 100}, FULL, TRUE},
    {{3, {6}, 100}, FULL, FALSE},
    {{1, {80, 0, 15}, 100}, FLOW, TRUE},
    {{1, {80, 0, 16}, 100}, FLOW, FALSE},
    {{1, {80, 0, 40}, 100}, HALF, TRUE},
    {{1, {80, 0, 41}, 100}, HALF, FALSE},
    {{3, {80, 0, 15}, 100}, HALF, TRUE},
    {{3, {80, 0, 16}, 100}, HALF, FALSE},
    {{1, {20}, 100}, REDUCED, FALSE}, /* not known itself */
    {{1, {1, 1, 1}, 100}, DUPLICATES, FALSE},
};

START_TEST(little_is_a_quarter)
{
    GstVfiLoad load = load_of(&shares[_i].costs);
    ck_assert_int_eq(gst_vfi_choice_takes_little(&load, shares[_i].rung),
                     shares[_i].takes_little);
}
END_TEST

static const struct {
    Costs costs;
    GstVfiRung from, to;
} falls[] = {
    {{1, {120, 60, 20}, 100}, FULL, REDUCED},
    {{1, {120}, 100}, FULL, REDUCED},
    {{1, {300}, 100}, FULL, FLOW},
    {{1, {120, 100, 20}, 100}, FULL, FLOW},
    {{1, {300, 0, 95}, 100}, FULL, HALF},
    {{1, {900, 0, 300}, 100}, FULL, DUPLICATES},
    /* What costs more is no way down. */
    {{1, {50, 60, 20}, 100}, FULL, FLOW},
    {{1, {50, 60, 70}, 100}, FULL, HALF},
    {{1, {50, 30, 60}, 100}, REDUCED, HALF},
    {{1, {50, 30, 20}, 100}, FLOW, HALF},
    {{1, {50, 30, 20}, 100}, HALF, DUPLICATES},
    {{1, {50, 30, 20}, 100}, DUPLICATES, DUPLICATES},
    /* Ten times as slow as before. */
    {{1, {200, 8, 3}, 1000}, FULL, REDUCED},
    {{1, {200, 0, 3}, 1000}, FULL, REDUCED},
    {{1, {200, 11, 3}, 1000}, FULL, FLOW},
    {{1, {200, 11, 21}, 1000}, FULL, DUPLICATES},
    {{1, {200, 11, 20}, 1000}, FULL, HALF},
};

START_TEST(costs_say_where_to_fall)
{
    GstVfiLoad load = load_of(&falls[_i].costs);
    if (falls[_i].costs.surge > 100)
        for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++)
            gst_vfi_recent_clear(&costs.of[maker].pair);
    ck_assert_int_eq(gst_vfi_choice_below(&load, falls[_i].from), falls[_i].to);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("ladder");
    TCase *tcase = tcase_create("ladder");
    tcase_add_loop_test(tcase, ladders_have_their_rungs, 0, G_N_ELEMENTS(ladders));
    tcase_add_test(tcase, qualities_fall);
    tcase_add_loop_test(tcase, rungs_compute_their_share, 0, G_N_ELEMENTS(patterns));
    tcase_add_loop_test(tcase, little_is_a_quarter, 0, G_N_ELEMENTS(shares));
    tcase_add_loop_test(tcase, costs_say_what_fits, 0, G_N_ELEMENTS(fits));
    tcase_add_loop_test(tcase, costs_say_where_to_fall, 0, G_N_ELEMENTS(falls));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
