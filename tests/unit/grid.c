/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The time of runs without a grid. Times in the tables are milliseconds unless a name
 * says otherwise. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

static const struct {
    const char *name;
    gint rate; /* frames a second, 0 for variable */
    guint multiplier;
    const char *frames;
    const char *expected; /* outputs of frames and duplicated tail */
    guint dropped;
} streams[] = {
    {"one frame", 25, 2, "0+40", "!0+20 20+20", 0},
    {"one frame without in-betweens", 25, 1, "0+40", "!0+40", 0},
    {"two frames twice", 25, 2, "0+40 40+40", "!0+20 20+20@1/2 40+20 60+20", 0},
    {"two frames three times", 50, 3, "0+30 30+30",
     "!0+10 10+10@1/3 20+10@2/3 30+10 40+10 50+10", 0},
    {"two frames four times", 25, 4, "40+40 80+40",
     "!40+10 50+10@1/4 60+10@2/4 70+10@3/4 80+10 90+10 100+10 110+10", 0},
    {"variable, with durations", 0, 2, "0+10 10+50 60+20",
     "!0+5 5+5@1/2 10+25 35+25@1/2 60+10 70+10", 0},
    {"variable, without durations", 0, 2, "0 10 60 80",
     "!0+? 5+5@1/2 10+? 35+25@1/2 60+? 70+10@1/2 80+?", 0},
    {"jitter keeps the originals' times", 25, 2, "0+40 38+40 81+40",
     "!0+20 19+19@1/2 38+20 59.5+21.5@1/2 81+20 101+20", 0},
    {"no PTS at first", 25, 2, "- 40+40", "!0+20 20+20@1/2 40+20 60+20", 0},
    {"no PTS in the middle", 25, 2, "0+40 - 80+40",
     "!0+20 20+20@1/2 40+20 60+20@1/2 80+20 100+20", 0},
    {"no PTS at all", 25, 1, "- - - -", "!0+40 40+40 80+40 120+40", 0},
    {"no PTS at a variable rate", 0, 2, "0+10 - - 10+10", "!0+5 5+5@1/2 10+5 15+5", 2},
    {"no PTS to begin with at a variable rate", 0, 2, "- 10+10", "!10+5 15+5", 1},
    {"no duration", 25, 2, "0 40", "!0+20 20+20@1/2 40+20 60+20", 0},
    {"duration 0", 25, 2, "0+0 40+0", "!0+20 20+20@1/2 40+20 60+20", 0},
    {"duration too long", 25, 2, "0+100 40+100", "!0+50 20+20@1/2 40+20 60+20", 0},
    {"durations too short", 0, 2, "0+40 200+40 400+40",
     "!0+20 100+100@1/2 200+100 300+100@1/2 400+100 500+100", 0},
    {"one wrong duration", 0, 2, "0+40 40+40 80+20 120+40 160+40",
     "!0+20 20+20@1/2 40+20 60+20@1/2 80+10 100+20@1/2 120+20 140+20@1/2 160+20 180+20",
     0},
    {"wrong durations, and no steady rate", 0, 2, "0+30 10+30 60+30 80+30 220+30",
     "!0+15 5+5@1/2 10+5 35+25@1/2 60+? 70+10@1/2 80+? 150+70@1/2 220+?", 0},
    {"steady without durations", 0, 2, "0 40 80 120",
     "!0+? 20+20@1/2 40+? 60+20@1/2 80+20 100+20@1/2 120+20 140+20", 0},
    {"slower than it says", 25, 2, "0 200 400 600",
     "!0+20 100+100@1/2 200+20 300+100@1/2 400+100 500+100@1/2 600+100 700+100", 0},
    {"equal PTS", 25, 2, "0+40 0+40 40+40", "!0+20 20+20@1/2 40+20 60+20", 1},
    {"backward PTS", 25, 2, "40+40 0+40 80+40", "!40+20 60+20@1/2 80+20 100+20", 1},
    {"back by exactly a second", 25, 2, "1000+40 0+40", "!1000+20 1020+20", 1},
    {"back by more than a second", 25, 2, "1001+40 0+40 40+40",
     "!1001+20 !0+20 20+20@1/2 40+20 60+20", 0},
    {"DISCONT", 25, 2, "0+40 40+40 !200+40", "!0+20 20+20@1/2 40+20 60+20 !200+20 220+20",
     0},
    {"DISCONT before the tail ends", 25, 4, "0+40 !25+40",
     "!0+10 10+10 20+5 !25+10 35+10 45+10 55+10", 0},
    {"DISCONT back in time", 25, 2, "80+40 !40+40", "!80+20 !40+20 60+20", 0},
};

START_TEST(streams_come_out_right)
{
    Player player;
    player_init(&player, streams[_i].rate, 1, streams[_i].multiplier);
    player_frames(&player, streams[_i].frames);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, streams[_i].expected) == 0, "%s: expected %s, found %s",
                  streams[_i].name, streams[_i].expected, found);
    ck_assert_uint_eq(player.dropped, streams[_i].dropped);
    ck_assert_uint_eq(player.warnings, streams[_i].dropped > 0 ? 1 : 0);
    player_clear(&player);
}
END_TEST

static const struct {
    GstVfiTail tail;
    guint multiplier;
    guint64 duration;  /* 0 for none */
    guint64 closed_at; /* 0 for nothing that has a time */
    guint64 stop;      /* 0 for an open segment */
    const char *expected;
} tails[] = {
    {GST_VFI_TAIL_DUPLICATE, 2, 40, 0, 0, "!0+20 20+20"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 0, 0, "!0+10 10+10 20+10 30+10"},
    {GST_VFI_TAIL_DUPLICATE, 1, 40, 0, 0, "!0+40"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 15, 0, "!0+10 10+5"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 10, 0, "!0+10"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 5, 0, "!0+10"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 240, 0, "!0+10 10+10 20+10 30+10"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 0, 35, "!0+10 10+10 20+10 30+5"},
    {GST_VFI_TAIL_DUPLICATE, 4, 40, 25, 35, "!0+10 10+10 20+5"},
    {GST_VFI_TAIL_DUPLICATE, 4, 0, 240, 0, "!0+?"},
    {GST_VFI_TAIL_HOLD, 2, 40, 0, 0, "!0+20 gap:20+20"},
    {GST_VFI_TAIL_HOLD, 4, 40, 0, 0, "!0+10 gap:10+30"},
    {GST_VFI_TAIL_HOLD, 4, 40, 15, 0, "!0+10 gap:10+5"},
    {GST_VFI_TAIL_HOLD, 4, 40, 10, 0, "!0+10"},
    {GST_VFI_TAIL_HOLD, 4, 40, 0, 35, "!0+10 gap:10+25"},
    {GST_VFI_TAIL_HOLD, 1, 40, 0, 0, "!0+40"},
    {GST_VFI_TAIL_HOLD, 4, 0, 240, 0, "!0+?"},
    {GST_VFI_TAIL_NONE, 4, 40, 0, 0, "!0+10"},
    {GST_VFI_TAIL_NONE, 4, 40, 15, 35, "!0+10"},
};

START_TEST(tails_reach_the_run_s_end)
{
    Player player;
    player_init(&player, 0, 1, tails[_i].multiplier);
    player_segment(&player, 1.0, 0, tails[_i].stop ? tails[_i].stop * MS : NONE);
    player_frame(&player, 0, tails[_i].duration ? tails[_i].duration * MS : NONE, FALSE);
    player_tail(&player, tails[_i].tail,
                tails[_i].closed_at ? tails[_i].closed_at * MS : NONE);
    check_text(&player, MS, tails[_i].expected);
    ck_assert(!player.run.open);
    player_clear(&player);
}
END_TEST

/* Input rate, max-gap in ns, the reference's duration in ms (0 for none), the longest
 * step to a frame that is still its partner. */
static const struct {
    gint rate;
    guint64 max_gap;
    guint64 duration;
    guint64 longest;
} gaps[] = {
    {25, 0, 40, 250 * MS},        {10, 0, 100, 400 * MS},       {10, 0, 0, 400 * MS},
    {16, 0, 0, 250 * MS},         {0, 0, 0, 5000 * MS},         {0, 0, 1000, 4000 * MS},
    {0, 0, 20, 250 * MS},         {25, 100 * MS, 40, 100 * MS}, {10, 2, 100, 2},
    {25, NONE, 40, 1000000 * MS},
};

static guint in_betweens(const Player *player)
{
    guint found = 0;
    for (guint i = 0; i < player->out->len; i++)
        found += at(player, i)->kind == GST_VFI_SLOT_IN_BETWEEN ? 1 : 0;
    return found;
}

START_TEST(frames_are_partners_up_to_max_gap)
{
    guint64 duration = gaps[_i].duration ? gaps[_i].duration * MS : NONE;
    for (guint64 more = 0; more <= 2; more++) {
        guint64 step = gaps[_i].longest + more - 1;
        gboolean partners = more < 2 || gaps[_i].max_gap == NONE;
        Player player;
        player_init(&player, gaps[_i].rate, 1, 2);
        gst_vfi_run_set_max_gap(&player.run, gaps[_i].max_gap);
        player_frame(&player, 1000 * MS, duration, FALSE);
        player_frame(&player, 1000 * MS + step, duration, FALSE);
        ck_assert_uint_eq(at(&player, player.out->len - 1)->pts, 1000 * MS + step);
        ck_assert_int_eq(at(&player, player.out->len - 1)->discont, !partners);
        ck_assert_uint_eq(in_betweens(&player), partners && step > 1);
        player_clear(&player);
    }
}
END_TEST

static const struct {
    GstVfiTail tail;
    const char *frames;
    const char *expected;
} silences[] = {
    {GST_VFI_TAIL_DUPLICATE, "0+40 300+40", "!0+20 20+20 gap:40+260 !300+20"},
    {GST_VFI_TAIL_HOLD, "0+40 300+40", "!0+20 gap:20+280 !300+20"},
    {GST_VFI_TAIL_NONE, "0+40 300+40", "!0+20 gap:40+260 !300+20"},
    {GST_VFI_TAIL_DUPLICATE, "0+40 !300+40", "!0+20 20+20 gap:40+260 !300+20"},
    {GST_VFI_TAIL_DUPLICATE, "0+400 300+40", "!0+200 gap:200+100 !300+20"},
    {GST_VFI_TAIL_DUPLICATE, "300+40 !0+40", "!300+20 !0+20"},
};

START_TEST(gaps_are_told)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player.tail = silences[_i].tail;
    player_frames(&player, silences[_i].frames);
    check_text(&player, MS, silences[_i].expected);
    player_clear(&player);
}
END_TEST

START_TEST(a_gap_is_told_inside_the_segment)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_segment(&player, 1.0, 100 * MS, 900 * MS);
    player_frames(&player, "0+40 800+40 1200+40");
    check_text(&player, MS, "gap:100+700 !800+20 820+20 gap:840+60");
    player_clear(&player);
}
END_TEST

START_TEST(key_units_go_out_as_they_come)
{
    const gint grids[] = {0, 60};
    const gdouble speeds[] = {8.0, -8.0};
    Player player;
    GstSegment segment;
    player_init(&player, 25, 1, 4);
    gst_vfi_run_set_grid(&player.run, grids[_i % 2], 1);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.flags = GST_SEGMENT_FLAG_TRICKMODE | GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS;
    segment.rate = speeds[_i / 2];
    ck_assert(gst_vfi_segment_is_key_units(&segment));
    gst_vfi_run_set_segment(&player.run, &segment);
    player_frames(&player, _i / 2 == 0 ? "0+40 1001+40 2000+40" : "2000+40 1001+40 0+40");
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    ck_assert_uint_eq(player.out->len, 3);
    ck_assert_uint_eq(at(&player, 1)->pts, 1001 * MS);
    for (guint i = 0; i < 3; i++)
        ck_assert_int_eq(at(&player, i)->kind, GST_VFI_SLOT_ORIGINAL);
    player_clear(&player);
}
END_TEST

/* Speed changes when outputs are shown, which is told by running time and not by PTS. */
START_TEST(times_do_not_depend_on_the_speed)
{
    const gdouble speeds[] = {0.5, 1.0, 2.0};
    Player player;
    player_init(&player, 25, 1, 2);
    player_segment(&player, speeds[_i], 0, NONE);
    player_frames(&player, "0+40 40+40");
    check_text(&player, MS, "!0+20 20+20@1/2 40+20");
    player_clear(&player);
}
END_TEST

START_TEST(pairs_are_counted_from_flush_or_segment)
{
    Player player;
    player_init(&player, 25, 1, 2);
    ck_assert_uint_eq(gst_vfi_run_pair_index(&player.run), 0);
    player_frames(&player, "0+40");
    ck_assert_uint_eq(gst_vfi_run_pair_index(&player.run), 0);
    /* A dropped frame is none; a frame after a jump is the next. */
    player_frames(&player, "40+40 40+40 !500+40");
    ck_assert_uint_eq(player.dropped, 1);
    ck_assert_uint_eq(gst_vfi_run_pair_index(&player.run), 2);
    player_tail(&player, GST_VFI_TAIL_NONE, NONE);
    player_segment(&player, 1.0, 0, NONE);
    player_frames(&player, "0+40 40+40");
    ck_assert_uint_eq(gst_vfi_run_pair_index(&player.run), 1);
    gst_vfi_run_reset(&player.run);
    player_frames(&player, "0+40");
    ck_assert_uint_eq(gst_vfi_run_pair_index(&player.run), 0);
    player_clear(&player);
}
END_TEST

START_TEST(nothing_comes_out_of_nothing)
{
    Player player;
    player_init(&player, 25, 1, 4);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, 100 * MS);
    player_tail(&player, GST_VFI_TAIL_HOLD, NONE);
    ck_assert_uint_eq(player.out->len, 0);
    player_clear(&player);
}
END_TEST

/* PTS of frame @index at 60000/1001, by another route than the code's. */
static GstClockTime pts_59_94(guint64 index)
{
    return (GstClockTime)((unsigned __int128)index * 1001 * GST_SECOND / 60000);
}

/* 0: PTS and durations, 1: PTS only, 2: neither */
START_TEST(an_hour_of_59_94_is_exact)
{
    const guint64 frames = 215784; /* 3600 s * 60000/1001, rounded down */
    const guint multiplier = 2;
    Player player;
    player_init(&player, 60000, 1001, multiplier);
    for (guint64 i = 0; i < frames; i++) {
        GstClockTime pts = pts_59_94(i);
        player_frame(&player, _i == 2 ? NONE : pts,
                     _i == 0 ? pts_59_94(i + 1) - pts : NONE, FALSE);
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);

    ck_assert_uint_eq(player.out->len, frames * multiplier);
    /* Counted and not asserted one by one, which takes Check seconds. */
    guint wrong = 0;
    GstClockTime expected = 0;
    for (guint i = 0; i < player.out->len; i++) {
        const GstVfiSlot *slot = at(&player, i);
        wrong += slot->pts != expected || slot->offset != i;
        wrong += i % multiplier == 0 && slot->pts != pts_59_94(i / multiplier);
        expected += slot->duration;
    }
    ck_assert_uint_eq(wrong, 0);
    /* The durations sum to the span: 215784 frames of 1001/60000 s. */
    ck_assert_uint_eq(expected, pts_59_94(frames));
    ck_assert_uint_eq(expected, 3599996400000ULL);
    player_clear(&player);
}
END_TEST

START_TEST(sixteen_in_between_steps)
{
    Player player;
    player_init(&player, 25, 1, 16);
    player_frames(&player, "0+40 40+40");
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    ck_assert_uint_eq(player.out->len, 32);
    for (guint i = 0; i < 32; i++) {
        ck_assert_uint_eq(at(&player, i)->pts, (guint64)i * 2500000);
        ck_assert_uint_eq(at(&player, i)->duration, 2500000);
        ck_assert_double_eq(gst_vfi_slot_phase(at(&player, i)), i < 16 ? i / 16.0 : 0.0);
    }
    player_clear(&player);
}
END_TEST

START_TEST(frames_too_close_for_all_in_betweens)
{
    Player player;
    player_init(&player, 0, 1, 4);
    player_frame(&player, 100, NONE, FALSE);
    player_frame(&player, 102, NONE, FALSE); /* steps at 0.5 ns */
    player_frame(&player, 103, NONE, FALSE);
    check_text(&player, 1, "!100+? 101+1@3/4 102+? 103+?");
    player_clear(&player);
}
END_TEST

START_TEST(outputs_stay_inside_the_segment)
{
    Player player;
    player_init(&player, 25, 1, 4);
    player_segment(&player, 1.0, 65 * MS, 165 * MS);
    /* The first frame ends before the start, yet it is the partner of the second. */
    player_frames(&player, "0+40 40+20 80+40 120+40 160+40 200+40");
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    check_text(&player, MS,
               "!70+10@3/4 80+10 90+10@1/4 100+10@2/4 110+10@3/4 120+10 130+10@1/4 "
               "140+10@2/4 150+10@3/4 160+10");
    player_clear(&player);
}
END_TEST

START_TEST(an_original_across_the_start_is_shown)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_segment(&player, 1.0, 10 * MS, NONE);
    player_frames(&player, "0+40 40+40");
    check_text(&player, MS, "!0+20 20+20@1/2 40+20");
    player_clear(&player);
}
END_TEST

START_TEST(a_segment_without_pts_begins_at_its_start)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "0+40");
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    player_segment(&player, 1.0, 3000 * MS, NONE);
    player_frames(&player, "- -");
    check_text(&player, MS, "!0+20 20+20 !3000+20 3020+20@1/2 3040+20");
    player_clear(&player);
}
END_TEST

START_TEST(a_rate_change_goes_on_from_the_last_frame)
{
    Player player;
    player_init(&player, 25, 1, 1);
    player_frames(&player, "0 - -");
    player_tail(&player, GST_VFI_TAIL_NONE, NONE);
    gst_vfi_run_set_rate(&player.run, 50, 1);
    player_frames(&player, "- -");
    check_text(&player, MS, "!0+40 40+40 80+40 !100+20 120+20");
    player_clear(&player);
}
END_TEST

START_TEST(the_multiplier_changes_between_pairs)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "0+40 40+40");
    gst_vfi_run_set_multiplier(&player.run, 4);
    player_frames(&player, "80+40");
    check_text(&player, MS, "!0+20 20+20@1/2 40+20 50+10@1/4 60+10@2/4 70+10@3/4 80+10");
    player_clear(&player);
}
END_TEST

START_TEST(reset_restarts_the_counter)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "0+40 40+40");
    gst_vfi_run_reset(&player.run);
    player_frames(&player, "1000+40");
    ck_assert_uint_eq(at(&player, 2)->offset, 2);
    ck_assert_uint_eq(at(&player, 3)->offset, 0);
    ck_assert(at(&player, 3)->discont);
    ck_assert_uint_eq(player.run.multiplier, 2);
    player_clear(&player);
}
END_TEST

START_TEST(times_at_the_end_of_time_do_not_wrap)
{
    GstClockTime last = NONE - 10;
    Player player;
    player_init(&player, 1, G_MAXINT, 1000);
    gst_vfi_run_set_max_gap(&player.run, NONE - 1);
    player_frame(&player, 0, NONE, FALSE);
    player_frame(&player, last, NONE, FALSE);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    for (guint i = 1; i < player.out->len; i++) {
        ck_assert_uint_gt(at(&player, i)->pts, at(&player, i - 1)->pts);
        ck_assert_uint_lt(at(&player, i)->pts, NONE);
    }
    /* 500/1000 of the span, exact in 128 bits. */
    ck_assert_uint_eq(at(&player, 500)->pts, last / 2);
    player_clear(&player);
}
END_TEST

START_TEST(stamps_carry_the_slot)
{
    g_autoptr(GstBuffer) buffer = gst_buffer_new();
    GST_BUFFER_DTS(buffer) = 5;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_CORRUPTED);
    GstVfiSlot slot = {.pts = 7, .duration = 9, .phase_den = 1, .offset = 11};
    gst_vfi_slot_stamp(&slot, buffer);
    ck_assert_uint_eq(GST_BUFFER_PTS(buffer), 7);
    ck_assert_uint_eq(GST_BUFFER_DTS(buffer), NONE);
    ck_assert_uint_eq(GST_BUFFER_DURATION(buffer), 9);
    ck_assert_uint_eq(GST_BUFFER_OFFSET(buffer), 11);
    ck_assert_uint_eq(GST_BUFFER_OFFSET_END(buffer), 12);
    ck_assert(!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT));
    ck_assert(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED));
    slot.discont = TRUE;
    gst_vfi_slot_stamp(&slot, buffer);
    ck_assert(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT));
}
END_TEST

/* Whatever comes in: times rise within a run, in-betweens join their neighbours without a
 * hole, offsets count. */
START_TEST(random_streams_stay_in_order)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    Player player;
    player_init(&player, g_rand_boolean(rand) ? 30000 : 0, 1001,
                (guint)g_rand_int_range(rand, 1, 9));
    GstClockTime pts = 5 * GST_SECOND;
    for (guint i = 0; i < 500; i++) {
        pts += (GstClockTimeDiff)g_rand_int_range(rand, -20, 100) * (GstClockTimeDiff)MS;
        GstClockTime duration = (GstClockTime)g_rand_int_range(rand, 0, 100) * MS;
        player_frame(&player, g_rand_int_range(rand, 0, 10) == 0 ? NONE : pts,
                     duration == 0 ? NONE : duration, g_rand_int_range(rand, 0, 20) == 0);
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    guint silences_before = 0;
    for (guint i = 1; i < player.out->len; i++) {
        const GstVfiSlot *before = at(&player, i - 1), *slot = at(&player, i);
        if (slot->phase_den == 0) {
            silences_before++;
            continue;
        }
        ck_assert_uint_eq(slot->offset, i - silences_before);
        if (slot->discont)
            continue;
        ck_assert_uint_gt(slot->pts, before->pts);
        if (before->phase_num > 0)
            ck_assert_uint_eq(before->pts + before->duration, slot->pts);
    }
    player_clear(&player);
}
END_TEST

static void add_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, streams_come_out_right, 0, G_N_ELEMENTS(streams));
    tcase_add_loop_test(tcase, tails_reach_the_run_s_end, 0, G_N_ELEMENTS(tails));
    tcase_add_loop_test(tcase, frames_are_partners_up_to_max_gap, 0, G_N_ELEMENTS(gaps));
    tcase_add_loop_test(tcase, gaps_are_told, 0, G_N_ELEMENTS(silences));
    tcase_add_test(tcase, a_gap_is_told_inside_the_segment);
    tcase_add_loop_test(tcase, key_units_go_out_as_they_come, 0, 4);
    tcase_add_loop_test(tcase, times_do_not_depend_on_the_speed, 0, 3);
    tcase_add_test(tcase, pairs_are_counted_from_flush_or_segment);
    tcase_add_test(tcase, nothing_comes_out_of_nothing);
    tcase_add_loop_test(tcase, an_hour_of_59_94_is_exact, 0, 3);
    tcase_add_test(tcase, sixteen_in_between_steps);
    tcase_add_test(tcase, frames_too_close_for_all_in_betweens);
    tcase_add_test(tcase, outputs_stay_inside_the_segment);
    tcase_add_test(tcase, an_original_across_the_start_is_shown);
    tcase_add_test(tcase, a_segment_without_pts_begins_at_its_start);
    tcase_add_test(tcase, a_rate_change_goes_on_from_the_last_frame);
    tcase_add_test(tcase, the_multiplier_changes_between_pairs);
    tcase_add_test(tcase, reset_restarts_the_counter);
    tcase_add_test(tcase, times_at_the_end_of_time_do_not_wrap);
    tcase_add_test(tcase, stamps_carry_the_slot);
    tcase_add_loop_test(tcase, random_streams_stay_in_order, 0, 20);
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("grid");
    TCase *tcase = tcase_create("grid");
    add_cases(tcase);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
