/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs that are placed one by one, later, are those that were placed all at once. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/grid.h"
#include "pure/span.h"

#define MS GST_MSECOND
#define CASES (800 / SANITIZER_STEP)
#define MAX_SLOTS 300

typedef struct {
    GRand *random;
    GstVfiRun run;
    GstVfiFrameTime next;
} World;

static guint64 number_below(World *world, guint64 limit)
{
    guint64 high = g_rand_int(world->random);

    return ((high << 32) | g_rand_int(world->random)) % limit;
}

static GstClockTime time_below(World *world)
{
    static const GstClockTime limits[] = {
        5, 50, 1000, 40 * MS, 400 * MS, 10 * GST_SECOND, 5000 * GST_SECOND};

    return number_below(world, limits[number_below(world, G_N_ELEMENTS(limits))]);
}

static void set_places(World *world)
{
    static const gint rates[] = {1, 7, 24, 60, 1000, 1000000, 999999937, G_MAXINT};
    static const gint parts[] = {1, 1, 1001, 7, G_MAXINT};
    gint rate = rates[number_below(world, G_N_ELEMENTS(rates))];

    gst_vfi_run_set_pair(&world->run, (guint)number_below(world, 1000) + 1,
                         number_below(world, 8) == 0);
    if (number_below(world, 2) == 0)
        gst_vfi_run_set_grid(&world->run, rate,
                             parts[number_below(world, G_N_ELEMENTS(parts))]);
    else
        gst_vfi_run_set_grid(&world->run, 0, 1);
}

static GstClockTime moved(const World *world, GstClockTime time, GstClockTime by)
{
    if (world->run.segment.rate > 0)
        return time + by;
    return time > by ? time - by : 0;
}

/* A run with a reference, of which something went out, and the frame that follows. FALSE
 * if they are no pair. */
static gboolean prepare(World *world)
{
    GstClockTime pts = time_below(world) + time_below(world) + 1;
    GstSegment segment;
    GstVfiFrameTime first;
    GstVfiSlot slot;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.rate = number_below(world, 2) == 0 ? 1.0 : -1.0;
    if (number_below(world, 3) == 0)
        segment.start = pts - MIN(pts, time_below(world));
    if (number_below(world, 3) == 0)
        segment.stop = pts + time_below(world);
    gst_vfi_run_init(&world->run);
    gst_vfi_run_set_segment(&world->run, &segment);
    gst_vfi_run_set_max_gap(&world->run, GST_CLOCK_TIME_NONE - 1);
    if (number_below(world, 2) == 0)
        gst_vfi_run_set_rate(&world->run, (gint)number_below(world, 60) + 1, 1);
    set_places(world);
    if (!gst_vfi_run_observe(&world->run, pts, time_below(world), FALSE, &first))
        return FALSE;
    gst_vfi_run_accept(&world->run, &first);
    if (gst_vfi_run_original_slot(&world->run, &slot))
        gst_vfi_run_take(&world->run, &slot);
    if (number_below(world, 3) == 0)
        set_places(world);
    return gst_vfi_run_observe(&world->run, moved(world, pts, time_below(world)),
                               time_below(world), FALSE, &world->next) &&
           world->next.verdict == GST_VFI_VERDICT_NEXT;
}

static GArray *new_slots(void)
{
    return g_array_new(FALSE, FALSE, sizeof(GstVfiSlot));
}

static void append_span(GArray *slots, GstVfiSpan *span)
{
    GstVfiSlot slot;
    guint64 n_left = span->n_left;

    for (; n_left > 0; n_left--) {
        ck_assert(!gst_vfi_span_is_over(span));
        ck_assert_uint_eq(span->n_left, n_left);
        ck_assert(gst_vfi_span_next(span, &slot));
        ck_assert_int_eq(slot.kind, span->kind);
        g_array_append_val(slots, slot);
    }
    ck_assert(gst_vfi_span_is_over(span));
    ck_assert(!gst_vfi_span_next(span, &slot));
}

static void assert_same(GArray *found, GArray *expected)
{
    ck_assert_uint_eq(found->len, expected->len);
    for (guint i = 0; i < found->len; i++) {
        const GstVfiSlot *a = &g_array_index(found, GstVfiSlot, i);
        const GstVfiSlot *b = &g_array_index(expected, GstVfiSlot, i);
        ck_assert_int_eq(a->kind, b->kind);
        ck_assert_uint_eq(a->pts, b->pts);
        ck_assert_uint_eq(a->duration, b->duration);
        ck_assert_uint_eq(a->phase_num, b->phase_num);
        ck_assert_uint_eq(a->phase_den, b->phase_den);
        ck_assert_uint_eq(a->offset, b->offset);
        ck_assert_int_eq(a->discont, b->discont);
    }
    g_array_unref(found);
    g_array_unref(expected);
}

static void assert_same_run(const GstVfiRun *found, const GstVfiRun *expected)
{
    ck_assert_uint_eq(found->outputs, expected->outputs);
    ck_assert_uint_eq(found->last_out, expected->last_out);
    ck_assert_uint_eq(found->last_end, expected->last_end);
}

static void check_pair(World *world)
{
    GstVfiRun at_once = world->run;
    guint64 n_slots = gst_vfi_run_pair_slots(&world->run, &world->next);
    GArray *expected = new_slots(), *found = new_slots();
    GstVfiSpan span;
    GstVfiSlot slot;

    for (guint64 i = 1; i < n_slots; i++) {
        if (!gst_vfi_run_pair_slot(&at_once, &world->next, i, &slot))
            continue;
        gst_vfi_run_take(&at_once, &slot);
        g_array_append_val(expected, slot);
    }
    for (guint64 from = 1; gst_vfi_span_of_pair(&span, &world->run, &world->next, from);
         from = span.last + 1) {
        gst_vfi_span_take(&span, &world->run);
        append_span(found, &span);
    }
    assert_same(found, expected);
    assert_same_run(&world->run, &at_once);
}

static void check_tail(World *world, const GstVfiTailPlan *plan)
{
    GstVfiRun at_once = world->run;
    GArray *expected = new_slots(), *found = new_slots();
    GstVfiSpan span;
    GstVfiSlot slot;

    for (guint i = 1; i <= plan->copies; i++) {
        if (!gst_vfi_run_tail_slot(&at_once, plan, i, &slot))
            continue;
        gst_vfi_run_take(&at_once, &slot);
        g_array_append_val(expected, slot);
    }
    if (gst_vfi_span_of_tail(&span, &world->run, plan)) {
        gst_vfi_span_take(&span, &world->run);
        append_span(found, &span);
    }
    assert_same(found, expected);
    assert_same_run(&world->run, &at_once);
}

START_TEST(pairs)
{
    World world = {.random = g_rand_new_with_seed((guint32)_i)};
    guint checked = 0;

    for (guint i = 0; i < CASES; i++) {
        if (!prepare(&world) ||
            gst_vfi_run_pair_slots(&world.run, &world.next) > MAX_SLOTS)
            continue;
        check_pair(&world);
        checked++;
    }
    ck_assert_uint_gt(checked, CASES / 8);
    g_rand_free(world.random);
}
END_TEST

START_TEST(tails)
{
    World world = {.random = g_rand_new_with_seed((guint32)_i)};
    guint checked = 0;

    for (guint i = 0; i < CASES; i++) {
        GstVfiTailPlan plan;
        GstClockTime closed_at = GST_CLOCK_TIME_NONE;
        prepare(&world);
        if (number_below(&world, 2) == 0)
            closed_at = world.run.pts + time_below(&world);
        gst_vfi_run_plan_tail(&world.run, GST_VFI_TAIL_DUPLICATE, closed_at, &plan);
        if (plan.copies == 0 || plan.copies > MAX_SLOTS)
            continue;
        check_tail(&world, &plan);
        checked++;
    }
    ck_assert_uint_gt(checked, CASES / 16);
    g_rand_free(world.random);
}
END_TEST

/* As many as nobody could wait for. */
START_TEST(a_span_is_planned_whatever_its_length)
{
    GstVfiFrameTime first, next;
    GstVfiSpan span;
    GstVfiSlot slot;
    GstVfiRun run;

    gst_vfi_run_init(&run);
    gst_vfi_run_set_grid(&run, G_MAXINT, 1);
    gst_vfi_run_set_max_gap(&run, GST_CLOCK_TIME_NONE - 1);
    ck_assert(gst_vfi_run_observe(&run, 0, 0, FALSE, &first));
    gst_vfi_run_accept(&run, &first);
    ck_assert(gst_vfi_run_original_slot(&run, &slot));
    gst_vfi_run_take(&run, &slot);
    ck_assert(gst_vfi_run_observe(&run, 4000000 * GST_SECOND, 0, FALSE, &next));
    ck_assert(gst_vfi_span_of_pair(&span, &run, &next, 1));
    ck_assert_uint_gt(span.n_left, 4000000 * (GST_SECOND - 1));
    gst_vfi_span_take(&span, &run);
    ck_assert_uint_eq(run.outputs, span.n_left + 1);
    ck_assert(gst_vfi_span_next(&span, &slot));
    ck_assert_uint_eq(slot.pts, 1);
}
END_TEST

/* A tail that the gap rule calls a gap is told by one event. */
START_TEST(a_tail_as_long_as_a_gap_is_one)
{
    const gboolean variable = _i == 1;
    GstVfiFrameTime time;
    GstVfiTailPlan plan;
    GstVfiSlot slot;
    GstVfiRun run;

    gst_vfi_run_init(&run);
    gst_vfi_run_set_rate(&run, variable ? 0 : 24, 1);
    gst_vfi_run_set_grid(&run, 60, 1);
    for (guint64 i = 0; i < 3; i++) {
        ck_assert(gst_vfi_run_observe(
            &run, i * 41 * MS, i < 2 ? 41 * MS : 4000000 * GST_SECOND, FALSE, &time));
        gst_vfi_run_accept(&run, &time);
        if (gst_vfi_run_original_slot(&run, &slot))
            gst_vfi_run_take(&run, &slot);
    }
    gst_vfi_run_plan_tail(&run, GST_VFI_TAIL_DUPLICATE, GST_CLOCK_TIME_NONE, &plan);
    ck_assert_uint_eq(plan.copies, 0);
    ck_assert_uint_ge(plan.gap_pts, 82 * MS);
    ck_assert_uint_eq(plan.gap_pts + plan.gap_duration, 4000000 * GST_SECOND + 82 * MS);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("spans");
    TCase *tcase = tcase_create("spans");
    tcase_add_loop_test(tcase, pairs, 0, 4);
    tcase_add_loop_test(tcase, tails, 0, 4);
    tcase_add_test(tcase, a_span_is_planned_whatever_its_length);
    tcase_add_loop_test(tcase, a_tail_as_long_as_a_gap_is_one, 0, 2);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
