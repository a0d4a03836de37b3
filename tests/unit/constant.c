/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output rates that are multiples of the caps' and have to be kept whatever comes.
 * Milliseconds unless a name says otherwise. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

#include "pure/nominal.h"

static void player_init_constant(Player *player, gint num, gint den, guint multiplier)
{
    player_init(player, num, den, multiplier);
    gst_vfi_run_set_constant(&player->run, num * (gint)multiplier, den);
    player->mark_copies = TRUE;
}

/* 25 to 50 frames a second. */
static const struct {
    const char *name;
    const char *frames;
    const char *expected; /* outputs of frames and duplicated tail */
} streams[] = {
    {"as the caps say", "0+40 40+40 80+40",
     "!0+20 20+20@1/2 40+20 60+20@1/2 80+20 100+20="},
    {"one frame", "0+40", "!0+20 20+20="},
    {"no durations", "7 47 87", "!7+20 27+20@1/2 47+20 67+20@1/2 87+20 107+20="},
    {"a little jitter", "0+40 41.5+40 78.5+40",
     "!0+20 20.75+20.75@1/2 41.5+20 60+18.5@1/2 78.5+20 98.5+20="},
    {"more than a little", "0+40 41.6+40 80+40",
     "!0+20 20+20@25/52 40+20@25/26 60+20@23/48 80+20 100+20="},
    {"a frame is missing", "0+40 80+40 120+40",
     "!0+20 20+20@1/4 40+20@2/4 60+20@3/4 80+20 100+20@1/2 120+20 140+20="},
    {"frames are missing", "40+40 80+40 240+40 280+40",
     "!40+20 60+20@1/2 80+20 100+20@1/8 120+20@2/8 140+20@3/8 160+20@4/8 180+20@5/8 "
     "200+20@6/8 220+20@7/8 240+20 260+20@1/2 280+20 300+20="},
    {"a missing frame is told by its duration", "0+80 80+40",
     "!0+20 20+20@1/4 40+20@2/4 60+20@3/4 80+20 100+20="},
    {"faster from the beginning", "0+25 25+25 50+25 75+25 100+25",
     "!0+20 20+20@4/5 40+20@3/5 60+20@2/5 80+20@1/5 100+20 120+5="},
    {"slower from the beginning", "0+70 70+70 140+70",
     "!0+20 20+20@2/7 40+20@4/7 60+20@6/7 80+20@1/7 100+20@3/7 120+20@5/7 140+20 "
     "160+20= 180+20= 200+10="},
    {"faster from the middle on", "0+40 40+40 80+25 105+25 130+25",
     "!0+20 20+20@1/2 40+20 60+20@1/2 80+20 100+20@4/5 120+20@3/5 140+15="},
    {"slower from the middle on", "0+40 40+40 80+70 150+70",
     "!0+20 20+20@1/2 40+20 60+20@1/2 80+20 100+20@2/7 120+20@4/7 140+20@6/7 160+20= "
     "180+20= 200+20="},
    {"and as the caps say again", "0+40 50+40 90+40 130+40",
     "!0+20 20+20@2/5 40+20@4/5 60+20@1/4 80+20@3/4 100+20@1/4 120+20@3/4 140+20= "
     "160+10="},
    {"a long last frame", "0+40 40+100",
     "!0+20 20+20@1/2 40+20 60+20= 80+20= 100+20= 120+20="},
    {"a short last frame", "0+40 40+30", "!0+20 20+20@1/2 40+20 60+10="},
    {"several frames in a slot", "0+40 3+4 7+33 40+40", "!0+20 20+20@13/33 40+20 60+20="},
    {"a run of its own", "0+40 45+40 !200+40 240+40",
     "!0+20 20+20@4/9 40+20@8/9 60+20= 80+5= !200+20 220+20@1/2 240+20 260+20="},
    {"a gap", "0+40 45+40 345+40 385+40",
     "!0+20 20+20@4/9 40+20@8/9 60+20= 80+5= gap:85+260 !345+20 365+20@1/2 385+20 "
     "405+20="},
};

START_TEST(the_rate_is_kept)
{
    Player player;
    player_init_constant(&player, 25, 1, 2);
    player_frames(&player, streams[_i].frames);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, streams[_i].expected) == 0, "%s: expected %s, found %s",
                  streams[_i].name, streams[_i].expected, found);
    player_clear(&player);
}
END_TEST

/* The same played backwards. */
static const struct {
    const char *frames;
    const char *expected;
} backwards[] = {
    {"1000+40 960+40 920+40", "!1000+40 980+20@1/2 960+20 940+20@1/2 920+20"},
    {"1000+40 960+40 880+40",
     "!1000+40 980+20@1/2 960+20 940+20@3/4 920+20@2/4 900+20@1/4 880+20"},
    {"1000+40 960+40 910+50 870+40",
     "!1000+40 980+20@1/2 960+20 940+20@3/5 920+20@1/5 900+20@3/4 880+20@1/4"},
};

START_TEST(the_rate_is_kept_backwards)
{
    Player player;
    player_init_constant(&player, 25, 1, 2);
    player_segment(&player, -1.0, 0, 10000 * MS);
    player_frames(&player, backwards[_i].frames);
    check_text(&player, MS, backwards[_i].expected);
    player_clear(&player);
}
END_TEST

START_TEST(a_rate_that_is_open_follows_the_input)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "0+40 80+40 170+40");
    check_text(&player, MS, "!0+20 40+40@1/2 80+20 125+45@1/2 170+45");
    player_clear(&player);
}
END_TEST

START_TEST(a_skipped_pair_repeats_its_source)
{
    Player player;
    player_init_constant(&player, 25, 1, 2);
    player_frames(&player, "0+40");
    gst_vfi_run_set_pair(&player.run, 2, TRUE);
    player_frames(&player, "80+40");
    gst_vfi_run_set_pair(&player.run, 2, _i == 1);
    player_frames(&player, "130+40");
    check_text(&player, MS,
               _i == 0 ? "!0+20 20+20= 40+20= 60+20= 80+20 100+20@2/5 120+20@4/5"
                       : "!0+20 20+20= 40+20= 60+20= 80+20 100+20= 120+20=");
    player_clear(&player);
}
END_TEST

START_TEST(only_key_units_are_left_alone)
{
    GstSegment segment;
    Player player;
    player_init_constant(&player, 25, 1, 2);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.flags = GST_SEGMENT_FLAG_TRICKMODE | GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS;
    gst_vfi_run_set_segment(&player.run, &segment);
    player_frames(&player, "0+40 1001+40 2000+40");
    check_text(&player, MS, "!0+40 1001+40 2000+40");
    player_clear(&player);
}
END_TEST

static const struct {
    const char *name;
    gint before, after; /* constant rates, 0 for an open one; 25 a second come in */
    const char *first;
    const char *second;
    const char *expected;
} changes[] = {
    {"to a higher one", 50, 75, "0+40 40+40", "80+40 130+30",
     "!0+20 20+20@1/2 40+20 53.3333+13.3333@1/3 66.6667+13.3333@2/3 80+13.3333 "
     "93.3333+13.3333@4/15 106.667+13.3333@8/15 120+13.3333@4/5"},
    {"to a higher one, on the grid", 50, 100, "0+40 50+40", "90+40",
     "!0+20 20+20@2/5 40+20@4/5 60+10@1/4 70+10@1/2 80+10@3/4 90+10"},
    {"to an open one", 50, 0, "0+40 50+40", "90+40 140+40",
     "!0+20 20+20@2/5 40+20@4/5 70+20@1/2 90+20 115+25@1/2 140+20"},
    {"from an open one", 0, 50, "0+40 50+40", "90+40 140+40",
     "!0+20 25+25@1/2 50+20 70+20@1/2 90+20 110+20@2/5 130+20@4/5"},
    {"the same", 50, 50, "0+40 50+40", "90+40",
     "!0+20 20+20@2/5 40+20@4/5 60+20@1/4 80+20@3/4"},
};

START_TEST(downstream_changes_its_mind)
{
    Player player;
    player_init(&player, 25, 1, 2);
    gst_vfi_run_set_constant(&player.run, changes[_i].before, 1);
    player_frames(&player, changes[_i].first);
    if (changes[_i].after > 0)
        gst_vfi_run_set_multiplier(&player.run, (guint)changes[_i].after / 25);
    gst_vfi_run_set_constant(&player.run, changes[_i].after, 1);
    gst_vfi_run_set_grid(&player.run, 0, 1);
    player_frames(&player, changes[_i].second);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, changes[_i].expected) == 0, "%s: expected %s, found %s",
                  changes[_i].name, changes[_i].expected, found);
    player_clear(&player);
}
END_TEST

/* Time of frame @index at a rate, rounded down, by another route than the code's. */
static GstClockTime frame_time(guint64 index, guint64 num, guint64 den)
{
    return (GstClockTime)((unsigned __int128)index * den * GST_SECOND / num);
}

/* Constant rates as containers write them: exactly, or rounded to the nearest tick or
 * down. */
static const gint rates[][2] = {
    {24000, 1001}, {24, 1},       {25, 1}, {30000, 1001}, {30, 1},  {48, 1},
    {50, 1},       {60000, 1001}, {60, 1}, {90, 1},       {100, 1}, {120, 1},
    {144, 1},      {240, 1},      {15, 1}, {1, 1},        {3, 2},
};
static const GstClockTime ticks[] = {1, MS, GST_USECOND, 11111, 100 * GST_USECOND};

static void play_rounded(Player *player, guint rate, GstClockTime tick, gboolean down,
                         GstClockTime offset, gboolean durations)
{
    guint64 num = (guint64)rates[rate][0], den = (guint64)rates[rate][1];
    GstClockTime frame = frame_time(1, num, den) / tick * tick;
    for (guint64 i = 0; i < 400; i++) {
        GstClockTime pts = offset + frame_time(i, num, den);
        pts = (pts + (down ? 0 : tick / 2)) / tick * tick;
        player_frame(player, pts, durations ? frame : NONE, FALSE);
    }
    player_tail(player, GST_VFI_TAIL_DUPLICATE, NONE);
}

START_TEST(rounded_constant_rates_come_out_as_they_are)
{
    guint rate = (guint)_i;
    guint different = 0;
    for (guint variant = 0; variant < G_N_ELEMENTS(ticks) * 8; variant++) {
        GstClockTime tick = ticks[variant / 8];
        GstClockTime offset = variant & 1 ? 1234567891 : 0;
        guint multiplier = 2 + variant % 3;
        Player kept, open;
        player_init_constant(&kept, rates[rate][0], rates[rate][1], multiplier);
        player_init(&open, rates[rate][0], rates[rate][1], multiplier);
        play_rounded(&kept, rate, tick, variant & 2, offset, variant & 4);
        play_rounded(&open, rate, tick, variant & 2, offset, variant & 4);
        ck_assert_uint_eq(kept.out->len, open.out->len);
        ck_assert_uint_eq(kept.out->len, 400 * multiplier);
        ck_assert(!kept.run.departs);
        for (guint i = 0; i < open.out->len; i++) {
            const GstVfiSlot *a = at(&kept, i), *b = at(&open, i);
            different += a->kind != b->kind || a->pts != b->pts ||
                         a->duration != b->duration || a->phase_num != b->phase_num ||
                         a->phase_den != b->phase_den || a->discont != b->discont ||
                         a->offset != b->offset;
        }
        player_clear(&kept);
        player_clear(&open);
    }
    ck_assert_uint_eq(different, 0);
}
END_TEST

/* 45 a second, then 15, and the container says 30; twice that is wanted. */
START_TEST(variable_times_in_a_constant_container)
{
    Player player;
    guint halves[2] = {0, 0};
    player_init_constant(&player, 30, 1, 2);
    for (guint64 i = 0; i < 120; i++) {
        GstClockTime pts =
            i < 90 ? frame_time(i, 45, 1) : 2 * GST_SECOND + frame_time(i - 90, 15, 1);
        player_frame(&player, pts, i < 90 ? 22222222 : 66666666, FALSE);
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    for (guint i = 0; i < player.out->len; i++) {
        const GstVfiSlot *slot = at(&player, i);
        ck_assert_uint_eq(slot->pts, frame_time(i, 60, 1));
        ck_assert_int_eq(slot->discont, i == 0);
        halves[slot->pts < 1999 * MS ? 0 : 1]++;
    }
    ck_assert_uint_eq(halves[0], 120);
    ck_assert_uint_eq(halves[1], 120);
    player_clear(&player);
}
END_TEST

/* Frames on time, frames that are missing and frames that come when they like, in any
 * order: every output is at its place, give or take what an original may be from it, and
 * lasts until the next one. */
START_TEST(random_frames_fill_every_place)
{
    const gint in[][2] = {{25, 1}, {30000, 1001}, {60, 1}, {120, 1}};
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    gint num = in[_i % 4][0], den = in[_i % 4][1];
    guint multiplier = (guint)g_rand_int_range(rand, 2, 6);
    GstClockTime frame = frame_time(1, (guint64)num, (guint64)den);
    GstClockTime pts = 3 * GST_SECOND, end;
    guint64 place = 0, on_time = (guint64)g_rand_int_range(rand, 0, 60);
    Player player;
    player_init_constant(&player, num, den, multiplier);
    for (guint64 i = 0; i < 200; i++) {
        GstClockTime step = (GstClockTime)g_rand_int_range(rand, 1, (gint)frame * 2);
        player_frame(&player, pts, g_rand_boolean(rand) ? NONE : step, FALSE);
        place += 1 + (g_rand_int_range(rand, 0, 6) == 0 ? 2 : 0);
        if (i < on_time)
            pts =
                3 * GST_SECOND + frame_time(place, (guint64)num, (guint64)den) / MS * MS;
        else
            pts += step;
    }
    end = player.run.pts;
    ck_assert(!player.run.departs == (on_time == 200));
    GstClockTime out = frame / multiplier, slack = MIN(1500 * GST_USECOND, frame / 2) + 2;
    for (guint64 i = 0; i < player.out->len; i++) {
        const GstVfiSlot *slot = at(&player, (guint)i);
        GstClockTime exact =
            3 * GST_SECOND + frame_time(i, (guint64)num * multiplier, (guint64)den);
        ck_assert_int_le(ABS(GST_CLOCK_DIFF(exact, slot->pts)), (gint64)slack);
        ck_assert_int_le(ABS(GST_CLOCK_DIFF(slot->duration, out)), 2 * (gint64)slack);
        ck_assert(i == 0 || slot->pts > at(&player, (guint)i - 1)->pts);
    }
    ck_assert_int_le(GST_CLOCK_DIFF(at(&player, player.out->len - 1)->pts, end),
                     (gint64)(out + slack));
    player_clear(&player);
}
END_TEST

/* An hour, of which a frame in the first second is late: the last output is where it is
 * without that. */
START_TEST(an_hour_ends_on_the_nanosecond)
{
    const guint64 frames = 107892; /* 3600 s * 30000/1001 */
    Player player;
    player_init_constant(&player, 30000, 1001, 2);
    for (guint64 i = 0; i < frames; i++)
        player_frame(&player, frame_time(i, 30000, 1001) + (i == 15 ? 9 * MS : 0), NONE,
                     FALSE);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    ck_assert_uint_eq(player.out->len, 2 * frames);
    const GstVfiSlot *last = at(&player, player.out->len - 1);
    ck_assert_int_le(
        ABS(GST_CLOCK_DIFF(frame_time(2 * frames - 1, 60000, 1001), last->pts)), 1);
    ck_assert_int_le(
        ABS(GST_CLOCK_DIFF(frame_time(frames, 30000, 1001), last->pts + last->duration)),
        1);
    player_clear(&player);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("constant");
    TCase *tcase = tcase_create("constant");
    tcase_add_loop_test(tcase, the_rate_is_kept, 0, G_N_ELEMENTS(streams));
    tcase_add_loop_test(tcase, the_rate_is_kept_backwards, 0, G_N_ELEMENTS(backwards));
    tcase_add_test(tcase, a_rate_that_is_open_follows_the_input);
    tcase_add_loop_test(tcase, a_skipped_pair_repeats_its_source, 0, 2);
    tcase_add_test(tcase, only_key_units_are_left_alone);
    tcase_add_loop_test(tcase, downstream_changes_its_mind, 0, G_N_ELEMENTS(changes));
    tcase_add_loop_test(tcase, rounded_constant_rates_come_out_as_they_are, 0,
                        G_N_ELEMENTS(rates));
    tcase_add_test(tcase, variable_times_in_a_constant_container);
    tcase_add_loop_test(tcase, random_frames_fill_every_place, 0, 40);
    tcase_add_test(tcase, an_hour_ends_on_the_nanosecond);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
