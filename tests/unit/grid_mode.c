/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Outputs on the grid of a constant rate: 24 to 60, 25 to 59.94, variable to constant.
 * Milliseconds unless a name says otherwise. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

static void player_init_grid(Player *player, gint num, gint den, gint out_num,
                             gint out_den)
{
    player_init(player, num, den, 2);
    gst_vfi_run_set_grid(&player->run, out_num, out_den);
    player->mark_copies = TRUE;
}

/* Time of frame @index at a rate, rounded down, by another route than the code's. */
static GstClockTime frame_time(guint64 index, guint64 num, guint64 den)
{
    return (GstClockTime)((unsigned __int128)index * den * GST_SECOND / num);
}

static const struct {
    const char *name;
    gint rate;
    gint grid;
    const char *frames;
    const char *expected; /* outputs of frames and duplicated tail */
} streams[] = {
    {"one frame", 20, 50, "0+50", "!0+20 20+20= 40+10="},
    {"two frames", 20, 50, "0+50 50+50", "!0+20 20+20@2/5 40+20@4/5 60+20= 80+20="},
    {"2.5 times, originals reused", 20, 50, "0+50 50+50 100+50",
     "!0+20 20+20@2/5 40+20@4/5 60+20@1/5 80+20@3/5 100+20 120+20= 140+10="},
    {"an integer multiple", 25, 50, "40+40 80+40", "!40+20 60+20@1/2 80+20 100+20="},
    {"equal rates", 25, 25, "40+40 80+40", "!40+40 80+40"},
    {"variable", 0, 50, "0+10 10+50 60+20", "!0+20 20+20@1/5 40+20@3/5 60+20"},
    {"variable, frames between slots", 0, 100, "0+15 15+8 23+17 40+10",
     "!0+10 10+10@2/3 20+10@5/8 30+10@7/17 40+10"},
    {"several frames in a slot", 0, 20, "0+10 10+10 20+10 30+70 100+50",
     "!0+50 50+50@2/7 100+50"},
    {"variable, without durations", 0, 50, "0 30 60",
     "!0+20 20+20@2/3 40+20@1/3 60+20 80+10="},
    {"times rounded by 1 ms snap", 25, 50, "0+40 41+40 79+40 120+40",
     "!0+20 20+20@20/41 40+20 60+20@1/2 80+20 100+20@21/41 120+20 140+20="},
    {"a frame at the edge of snapping", 25, 50, "0+40 41.5+40 78.5+40",
     "!0+20 20+20@40/83 40+20 60+20@1/2 80+20 100+18.5="},
    {"a frame beyond it", 25, 50, "0+40 41.6+40 80+40",
     "!0+20 20+20@25/52 40+20@25/26 60+20@23/48 80+20 100+20="},
    {"snapping is relative at high rates", 0, 1000, "0+4 4.3+3.7 8+4",
     "!0+1 1+1@10/43 2+1@20/43 3+1@30/43 4+1@40/43 5+1@7/37 6+1@17/37 7+1@27/37 8+1 9+1= "
     "10+1= 11+1="},
    {"two frames at one slot", 0, 50, "0+20 20+1 21+19 40+20", "!0+20 20+20 40+20"},
    {"a run of its own after DISCONT", 20, 50, "0+50 !55+50",
     "!0+20 20+20= 40+10= !55+20 75+20= 95+10="},
    {"a gap", 20, 50, "0+50 400+50",
     "!0+20 20+20= 40+10= gap:50+350 !400+20 420+20= 440+10="},
};

START_TEST(streams_come_out_right)
{
    Player player;
    player_init_grid(&player, streams[_i].rate, 1, streams[_i].grid, 1);
    player_frames(&player, streams[_i].frames);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, streams[_i].expected) == 0, "%s: expected %s, found %s",
                  streams[_i].name, streams[_i].expected, found);
    player_clear(&player);
}
END_TEST

/* Frames come at 50 ms, slots are 20 ms apart. */
static const struct {
    GstVfiTail tail;
    const char *frames;
    guint64 closed_at; /* 0 for nothing that has a time */
    guint64 stop;      /* 0 for an open segment */
    const char *expected;
} tails[] = {
    {GST_VFI_TAIL_DUPLICATE, "0+50", 0, 0, "!0+20 20+20= 40+10="},
    {GST_VFI_TAIL_DUPLICATE, "0+50", 30, 0, "!0+20 20+10="},
    {GST_VFI_TAIL_DUPLICATE, "0+50", 20, 0, "!0+20"},
    {GST_VFI_TAIL_DUPLICATE, "0+50", 41, 0, "!0+20 20+21="},
    {GST_VFI_TAIL_DUPLICATE, "0+50", 0, 45, "!0+20 20+20= 40+5="},
    {GST_VFI_TAIL_DUPLICATE, "0+50 50+50", 0, 0,
     "!0+20 20+20@2/5 40+20@4/5 60+20= 80+20="},
    {GST_VFI_TAIL_HOLD, "0+50", 0, 0, "!0+20 gap:20+30"},
    {GST_VFI_TAIL_HOLD, "0+50 50+50", 0, 0, "!0+20 20+20@2/5 40+20@4/5 gap:60+40"},
    {GST_VFI_TAIL_HOLD, "0+50", 20, 0, "!0+20"},
    {GST_VFI_TAIL_NONE, "0+50 50+50", 0, 0, "!0+20 20+20@2/5 40+20@4/5"},
};

START_TEST(tails_fill_the_slots_that_remain)
{
    Player player;
    player_init_grid(&player, 20, 1, 50, 1);
    player_segment(&player, 1.0, 0, tails[_i].stop ? tails[_i].stop * MS : NONE);
    player_frames(&player, tails[_i].frames);
    player_tail(&player, tails[_i].tail,
                tails[_i].closed_at ? tails[_i].closed_at * MS : NONE);
    check_text(&player, MS, tails[_i].expected);
    player_clear(&player);
}
END_TEST

/* 24 to 60, in nanoseconds that are all rounded: slots in fifths of a pair. */
START_TEST(phases_of_24_to_60_are_fifths)
{
    static const guint64 phases[][2] = {{0, 1}, {2, 5}, {4, 5}, {1, 5}, {3, 5}};
    Player player;
    player_init_grid(&player, 24, 1, 60, 1);
    for (guint64 i = 0; i < 240; i++) {
        GstClockTime pts = frame_time(i, 24, 1);
        player_frame(&player, 7 * GST_SECOND + pts, frame_time(i + 1, 24, 1) - pts,
                     FALSE);
    }
    /* The last frame, number 239, gets its two in-betweens from the tail only. */
    ck_assert_uint_eq(player.out->len, 598);
    for (guint i = 0; i < player.out->len; i++) {
        const GstVfiSlot *slot = at(&player, i);
        ck_assert_uint_eq(slot->pts, 7 * GST_SECOND + frame_time(i, 60, 1));
        ck_assert_uint_eq(slot->phase_num, phases[i % 5][0]);
        ck_assert_uint_eq(slot->phase_den, phases[i % 5][1]);
        ck_assert_int_eq(slot->kind,
                         i % 5 == 0 ? GST_VFI_SLOT_ORIGINAL : GST_VFI_SLOT_IN_BETWEEN);
    }
    player_clear(&player);
}
END_TEST

/* An hour of frames, n slots for m frames in the span. The rates of frames and slots,
 * every how many slots an original is shown, how many frames. */
static const struct {
    guint64 in_num, in_den, out_num, out_den;
    guint64 frames;
    guint64 slots;
    guint every;
    GstClockTime span;
} hours[] = {
    /* 3600 s * 24000/1001 = 86313.68; 86312 frames are 5/2 times as many slots. */
    {24000, 1001, 60000, 1001, 86312, 215780, 5, 3599929666666},
    {24, 1, 60, 1, 86400, 216000, 5, 3600 * GST_SECOND},
    /* 3603.6 s: 2400/1001 slots a frame. */
    {25, 1, 60000, 1001, 90090, 216000, 0, 3603600000000},
    {30000, 1001, 50, 1, 107892, 180000, 0, 3599996400000},
};

START_TEST(an_hour_ends_on_the_nanosecond)
{
    guint64 in_num = hours[_i].in_num, in_den = hours[_i].in_den;
    Player player;
    player_init_grid(&player, (gint)in_num, (gint)in_den, (gint)hours[_i].out_num,
                     (gint)hours[_i].out_den);
    for (guint64 i = 0; i < hours[_i].frames; i++) {
        GstClockTime pts = frame_time(i, in_num, in_den);
        player_frame(&player, pts, frame_time(i + 1, in_num, in_den) - pts, FALSE);
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    ck_assert_uint_eq(player.out->len, hours[_i].slots);
    /* Counted and not asserted one by one, which takes Check seconds. */
    guint wrong = 0;
    GstClockTime end = 0;
    for (guint i = 0; i < player.out->len; i++) {
        const GstVfiSlot *slot = at(&player, i);
        wrong += slot->pts != frame_time(i, hours[_i].out_num, hours[_i].out_den);
        wrong += slot->pts != end || slot->offset != i;
        if (hours[_i].every > 0)
            wrong += (slot->kind == GST_VFI_SLOT_ORIGINAL) != (i % hours[_i].every == 0);
        end += slot->duration;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_eq(end, hours[_i].span);
    ck_assert_uint_eq(
        at(&player, player.out->len - 1)->pts,
        frame_time(hours[_i].slots - 1, hours[_i].out_num, hours[_i].out_den));
    player_clear(&player);
}
END_TEST

/* As a Matroska file has it: 24 frames a second, times rounded to a millisecond. */
START_TEST(rounded_times_still_reuse_originals)
{
    Player player;
    player_init_grid(&player, 24, 1, 60, 1);
    for (guint64 i = 0; i < 240; i++) {
        GstClockTime pts = (frame_time(i, 24, 1) + MS / 2) / MS * MS;
        player_frame(&player, pts, 42 * MS, FALSE);
    }
    guint originals = 0;
    for (guint i = 0; i < player.out->len; i++) {
        const GstVfiSlot *slot = at(&player, i);
        ck_assert_uint_eq(slot->pts, frame_time(i, 60, 1));
        ck_assert_int_eq(slot->kind,
                         i % 5 == 0 ? GST_VFI_SLOT_ORIGINAL : GST_VFI_SLOT_IN_BETWEEN);
        originals += i % 5 == 0 ? 1 : 0;
    }
    ck_assert_uint_eq(originals, 120);
    player_clear(&player);
}
END_TEST

START_TEST(variable_times_become_60)
{
    const guint64 steps[] = {10, 50, 20};
    Player player;
    player_init_grid(&player, 0, 1, 60, 1);
    GstClockTime pts = 0;
    for (guint i = 0; i < 300; i++) {
        player_frame(&player, pts, steps[i % 3] * MS, FALSE);
        pts += steps[i % 3] * MS;
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    /* 8 seconds. */
    ck_assert_uint_eq(player.out->len, 480);
    for (guint i = 0; i < 480; i++)
        ck_assert_uint_eq(at(&player, i)->pts, frame_time(i, 60, 1));
    ck_assert_uint_eq(at(&player, 479)->pts + at(&player, 479)->duration, 8000 * MS);
    player_clear(&player);
}
END_TEST

static const struct {
    const char *name;
    gint before; /* output rate, 0 for the multiplier 2 */
    gint after;
    const char *first;
    const char *second;
    const char *expected;
} changes[] = {
    {"faster", 50, 100, "0+50 50+50", "100+50",
     "!0+20 20+20@2/5 40+20@4/5 60+10@1/5 70+10@2/5 80+10@3/5 90+10@4/5 100+10"},
    {"slower", 100, 40, "0+50 50+50", "100+50",
     "!0+10 10+10@1/5 20+10@2/5 30+10@3/5 40+10@4/5 50+10 60+25@1/5 85+25@7/10"},
    {"the same", 50, 50, "0+50 50+50", "100+50",
     "!0+20 20+20@2/5 40+20@4/5 60+20@1/5 80+20@3/5 100+20"},
    {"before the first frame", 50, 40, "", "0+50 50+50", "!0+25 25+25@1/2 50+25"},
    {"from multiples", 0, 50, "0+50 50+50", "100+50",
     "!0+25 25+25@1/2 50+25 75+20@1/2 95+20@9/10"},
    {"to multiples", 50, 0, "0+50 50+50", "100+50 150+50",
     "!0+20 20+20@2/5 40+20@4/5 75+25@1/2 100+25 125+25@1/2 150+25"},
};

START_TEST(the_rate_changes_while_it_runs)
{
    Player player;
    player_init_grid(&player, 20, 1, changes[_i].before, 1);
    player_frames(&player, changes[_i].first);
    gst_vfi_run_set_grid(&player.run, changes[_i].after, 1);
    player_frames(&player, changes[_i].second);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, changes[_i].expected) == 0, "%s: expected %s, found %s",
                  changes[_i].name, changes[_i].expected, found);
    player_clear(&player);
}
END_TEST

START_TEST(outputs_stay_inside_the_segment)
{
    Player player;
    player_init_grid(&player, 20, 1, 50, 1);
    player_segment(&player, 1.0, 75 * MS, 165 * MS);
    /* The first frame ends before the start, yet it is the partner of the second; the
     * last one begins behind the stop. */
    player_frames(&player, "0+50 50+20 100+50 150+50 200+50");
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    check_text(&player, MS, "!80+20@3/5 100+20 120+20@2/5 140+20@4/5 160+20@1/5");
    player_clear(&player);
}
END_TEST

START_TEST(a_skipped_pair_repeats_its_source)
{
    Player player;
    player_init_grid(&player, 20, 1, 50, 1);
    player_frames(&player, "0+50 50+50");
    gst_vfi_run_set_pair(&player.run, 2, TRUE);
    player_frames(&player, "100+50");
    gst_vfi_run_set_pair(&player.run, 2, FALSE);
    player_frames(&player, "150+50");
    check_text(&player, MS,
               "!0+20 20+20@2/5 40+20@4/5 60+20= 80+20= 100+20 120+20@2/5 140+20@4/5");
    player_clear(&player);
}
END_TEST

/* Part, whole, expected fraction. */
static const guint64 phases[][4] = {
    {16666666, 41666666, 2, 5},   {33333333, 41666667, 4, 5},
    {8333333, 41666667, 1, 5},    {25000000, 41666667, 3, 5},
    {20000000, 40000000, 1, 2},   {13333334, 40000000, 1, 3},
    {999, 2000, 999, 2000},       {1001, 2000, 1001, 2000},
    {1, 40000000, 1, 40000000},   {39999999, 40000000, 39999999, 40000000},
    {40000, 41000000, 40, 41000},
};

START_TEST(phases_lose_their_rounding)
{
    guint64 num, den;
    gst_vfi_slots_phase(phases[_i][0], phases[_i][1], &num, &den);
    ck_assert_uint_eq(num * phases[_i][3], den * phases[_i][2]);
    ck_assert_uint_le(den, phases[_i][3]);
}
END_TEST

/* Whatever comes in: every slot of a run once and in order, durations that join, nothing
 * outside the segment, the frame that a slot is near to in that slot. */
static void check_run(const Player *player, guint from, guint to, const GArray *frames,
                      GstClockTime tolerance, gint rate)
{
    GstClockTime origin = at(player, from)->pts;
    for (guint i = from; i < to; i++) {
        const GstVfiSlot *slot = at(player, i);
        ck_assert_uint_eq(slot->pts, origin + frame_time(i - from, (guint64)rate, 1));
        if (i > from)
            ck_assert_uint_eq(at(player, i - 1)->pts + at(player, i - 1)->duration,
                              slot->pts);
        gboolean near = FALSE;
        for (guint j = 0; j < frames->len; j++) {
            GstClockTime pts = g_array_index(frames, GstClockTime, j);
            near |= (GstClockTime)ABS(GST_CLOCK_DIFF(pts, slot->pts)) <= tolerance;
        }
        ck_assert_int_eq(near, slot->kind == GST_VFI_SLOT_ORIGINAL);
    }
}

START_TEST(random_frames_fill_every_slot)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    gint in_rate = g_rand_int_range(rand, 10, 61);
    gint out_rate = g_rand_int_range(rand, in_rate, 4 * in_rate);
    GstClockTime frame = frame_time(1, (guint64)in_rate, 1);
    g_autoptr(GArray) frames = g_array_new(FALSE, FALSE, sizeof(GstClockTime));
    Player player;
    player_init_grid(&player, in_rate, 1, out_rate, 1);
    for (guint i = 0; i < 120; i++) {
        GstClockTime pts = 5 * GST_SECOND + frame_time(i, (guint64)in_rate, 1) +
                           (GstClockTime)g_rand_int_range(rand, 0, 2000000);
        g_array_append_val(frames, pts);
        player_frame(&player, pts, frame, FALSE);
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    check_run(&player, 0, player.out->len, frames, MIN(1500 * GST_USECOND, frame / 16),
              out_rate);
    const GstVfiSlot *last = at(&player, player.out->len - 1);
    GstClockTime end = g_array_index(frames, GstClockTime, 119) + frame;
    GstClockTimeDiff short_of = GST_CLOCK_DIFF(last->pts + last->duration, end);
    if (last->kind == GST_VFI_SLOT_DUPLICATE)
        ck_assert_int_eq(short_of, 0);
    else
        ck_assert_int_le(ABS(short_of), 1500 * GST_USECOND);
    player_clear(&player);
}
END_TEST

START_TEST(random_streams_stay_in_order)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    Player player;
    player_init_grid(&player, g_rand_boolean(rand) ? 30000 : 0, 1001, 60, 1);
    player_segment(&player, 1.0, 6 * GST_SECOND, 15 * GST_SECOND);
    GstClockTime pts = 5 * GST_SECOND;
    for (guint i = 0; i < 500; i++) {
        pts += (GstClockTimeDiff)g_rand_int_range(rand, -20, 100) * (GstClockTimeDiff)MS;
        GstClockTime duration = (GstClockTime)g_rand_int_range(rand, 0, 100) * MS;
        if (g_rand_int_range(rand, 0, 30) == 0)
            gst_vfi_run_set_grid(&player.run, g_rand_int_range(rand, 0, 200), 1);
        player_frame(&player, g_rand_int_range(rand, 0, 10) == 0 ? NONE : pts,
                     duration == 0 ? NONE : duration, g_rand_int_range(rand, 0, 20) == 0);
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    ck_assert_uint_gt(player.out->len, 300);
    for (guint i = 1; i < player.out->len; i++) {
        const GstVfiSlot *before = at(&player, i - 1), *slot = at(&player, i);
        ck_assert_uint_lt(slot->pts, 15 * GST_SECOND);
        ck_assert_uint_gt(slot->pts + slot->duration, 6 * GST_SECOND);
        if (!slot->discont && slot->phase_den > 0 && before->phase_den > 0)
            ck_assert_uint_gt(slot->pts, before->pts);
    }
    player_clear(&player);
}
END_TEST

static void add_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, streams_come_out_right, 0, G_N_ELEMENTS(streams));
    tcase_add_loop_test(tcase, tails_fill_the_slots_that_remain, 0, G_N_ELEMENTS(tails));
    tcase_add_test(tcase, phases_of_24_to_60_are_fifths);
    tcase_add_loop_test(tcase, an_hour_ends_on_the_nanosecond, 0, G_N_ELEMENTS(hours));
    tcase_add_test(tcase, rounded_times_still_reuse_originals);
    tcase_add_test(tcase, variable_times_become_60);
    tcase_add_loop_test(tcase, the_rate_changes_while_it_runs, 0, G_N_ELEMENTS(changes));
    tcase_add_test(tcase, outputs_stay_inside_the_segment);
    tcase_add_test(tcase, a_skipped_pair_repeats_its_source);
    tcase_add_loop_test(tcase, phases_lose_their_rounding, 0, G_N_ELEMENTS(phases));
    tcase_add_loop_test(tcase, random_frames_fill_every_slot, 0, 20);
    tcase_add_loop_test(tcase, random_streams_stay_in_order, 0, 20);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("grid_mode");
    TCase *tcase = tcase_create("grid_mode");
    add_cases(tcase);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
