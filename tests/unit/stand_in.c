/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies that stand in for frames which do not come, and what follows them when one does.
 * Milliseconds unless a name says otherwise. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

#include "pure/nominal.h"

/* 25 frames a second; @count copies come behind the first frames. */
static const struct {
    const char *name;
    gint constant; /* rate that downstream fixes, 0 for an open one */
    gint grid;     /* output rate that is no multiple, or 0 */
    guint count;
    guint64 longest;
    const char *first;
    const char *second;
    const char *expected; /* up to the end of the tail */
} streams[] = {
    {"none are missing", 0, 0, 0, 180, "0+40 40+40", "80+40",
     "!0+20 20+20@1/2 40+20 60+20@1/2 80+20 100+20="},
    {"the rest of a pair is made", 0, 0, 4, 180, "0+40", "200+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20@1/2 120+20@3/5 140+20@7/10 160+20@4/5 "
     "180+20@9/10 200+20 220+20="},
    {"a frame is missing for less than the timeout", 0, 0, 0, 180, "0+40", "80+40",
     "!0+20 20+20@1/4 40+20@1/2 60+20@3/4 80+20 100+20="},
    {"a frame that is a little late is none", 0, 0, 0, 180, "0+40", "55+40",
     "!0+20 27.5+27.5@1/2 55+20 75+20="},
    {"a frame off the copies' pace", 0, 0, 3, 180, "0+40", "110+40",
     "!0+20 20+20= 40+20= 60+20= 80+20@8/11 100+10@10/11 110+20 130+20="},
    {"a frame nearly on it", 0, 0, 3, 180, "0+40", "101+40",
     "!0+20 20+20= 40+20= 60+20= 80+21@80/101 101+20 121+20="},
    {"the frame was only late", 0, 0, 2, 180, "0+40", "40+40 80+40",
     "!0+20 20+20= 40+20= 60+20@1/2 80+20 100+20="},
    {"all frames were late", 0, 0, 6, 180, "0+40", "40+40 80+40 120+40 160+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20@1/2 160+20 180+20="},
    {"a frame that copies end in", 0, 0, 3, 180, "0+40", "75+40 115+40",
     "!0+20 20+20= 40+20= 60+20= 75+20 95+20@1/2 115+20 135+20="},
    {"a long stop is filled up to the frame", 0, 0, 8, 180, "0+40", "320+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20= 160+20= 180+20= 200+20= "
     "220+20= 240+20= 260+20= 280+20= 300+20= !320+20 340+20="},
    {"a stop as long as the timeout is filled, too", 0, 0, 0, 300, "0+40", "300+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20= 160+20= 180+20= 200+20= "
     "220+20= 240+20= 260+20= 280+20= !300+20 320+20="},
    {"what copies do not reach is a gap", 0, 0, 4, 180, "0+40", "5000+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= gap:100+4900 !5000+20 5020+20="},
    {"a new run that copies have overtaken", 0, 0, 20, 180, "0+40",
     "300+40 380+40 420+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20= 160+20= 180+20= 200+20= "
     "220+20= 240+20= 260+20= 280+20= 300+20= 320+20= 340+20= 360+20= 380+20= 400+20= "
     "!420+20 440+20="},
    {"a late frame and a gap", 0, 0, 9, 180, "0+40", "40+40 5000+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20= 160+20= 180+20= "
     "gap:200+4800 !5000+20 5020+20="},
    {"DISCONT behind copies", 0, 0, 3, 180, "0+40", "!120+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= !120+20 140+20="},
    {"a jump back behind copies", 0, 0, 3, 180, "1000+40", "!0+40",
     "!1000+20 1020+20= 1040+20= 1060+20= !0+20 20+20="},
    {"a grid", 0, 60, 3, 180, "0+50", "100+50",
     "!0+16.6667 16.6667+16.6667= 33.3333+16.6667= 50+16.6667= 66.6667+16.6667@2/3 "
     "83.3333+16.6667@5/6 100+16.6667 116.667+16.6667= 133.333+6.66667="},
    {"a grid up to a new run", 0, 50, 5, 180, "0+40", "270+40",
     "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20= 160+20= 180+20= 200+20= "
     "220+20= 240+20= 260+10= !270+20 290+20="},
    {"a multiple to be kept", 50, 0, 3, 180, "0+40", "120+40",
     "!0+20 20+20= 40+20= 60+20= 80+20@2/3 100+20@5/6 120+20 140+20="},
    {"a multiple to be kept, off the caps' times", 50, 0, 3, 180, "0+40", "110+40 150+40",
     "!0+20 20+20= 40+20= 60+20= 80+20@8/11 100+20@10/11 120+20@1/4 140+20@3/4 160+20= "
     "180+10="},
};

START_TEST(outputs_go_on_behind_copies)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player.mark_copies = TRUE;
    gst_vfi_run_set_constant(&player.run, streams[_i].constant, 1);
    gst_vfi_run_set_grid(&player.run, streams[_i].grid, 1);
    player_frames(&player, streams[_i].first);
    player_stand_in(&player, 40 * MS, streams[_i].longest * MS, streams[_i].count);
    player_frames(&player, streams[_i].second);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, streams[_i].expected) == 0, "%s: expected %s, found %s",
                  streams[_i].name, streams[_i].expected, found);
    player_clear(&player);
}
END_TEST

/* They do not depend on what completes a run. */
START_TEST(copies_fill_with_any_tail)
{
    const GstVfiTail tails[] = {GST_VFI_TAIL_HOLD, GST_VFI_TAIL_NONE};
    Player player;
    player_init(&player, 25, 1, 2);
    player.mark_copies = TRUE;
    player.tail = tails[_i];
    player_frames(&player, "0+40");
    player_stand_in(&player, 40 * MS, 180 * MS, 10);
    player_frames(&player, "280+40");
    check_text(
        &player, MS,
        "!0+20 20+20= 40+20= 60+20= 80+20= 100+20= 120+20= 140+20= 160+20= 180+20= "
        "200+20= 220+20= 240+20= 260+20= !280+20");
    player_clear(&player);
}
END_TEST

START_TEST(a_segment_forgets_copies)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "0+40");
    player_stand_in(&player, 40 * MS, 180 * MS, 4);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    player_segment(&player, 1.0, 0, NONE);
    player_frames(&player, "0+40");
    check_text(&player, MS, "!0+20 20+20 40+20 60+20 80+20 !0+20");
    player_clear(&player);
}
END_TEST

/* 30 a second, whose intervals are no whole nanoseconds (30 of them lose 10), and stops
 * of any length: outputs follow each other without a hole, and none is where another one
 * is. */
START_TEST(random_stops_leave_no_hole)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    const GstClockTime out = GST_SECOND / 60;
    guint64 place = 0, missing;
    Player player;
    player_init(&player, 30, 1, 2);
    if (_i % 2 == 0)
        gst_vfi_run_set_constant(&player.run, 60, 1);
    for (guint i = 0; i < 200; i++) {
        GstClockTime pts = gst_util_uint64_scale(place, GST_SECOND, 30);
        player_frame(&player, pts, g_rand_boolean(rand) ? NONE : 33 * MS, FALSE);
        missing = g_rand_int_range(rand, 0, 4) == 0
                      ? (guint64)g_rand_int_range(rand, 0, 30)
                      : 0;
        /* Sometimes more than are needed: the frame was only late. */
        player_stand_in(&player, GST_SECOND / 30, GST_SECOND,
                        missing == 0 ? (guint)g_rand_int_range(rand, 0, 9) / 7
                                     : (guint)g_rand_int_range(rand, 0, 60));
        place += 1 + missing;
    }
    for (guint i = 1; i < player.out->len; i++) {
        const GstVfiSlot *before = at(&player, i - 1), *slot = at(&player, i);
        ck_assert_uint_ne(slot->phase_den, 0);
        ck_assert_int_le(ABS(GST_CLOCK_DIFF(before->pts + out, slot->pts)), 12);
    }
    player_clear(&player);
}
END_TEST

/* Whatever comes: times rise, and neither outputs nor GAP events speak of time that is
 * over. */
START_TEST(random_streams_stay_in_order)
{
    const gint in[] = {0, 25, 30, 60};
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    GstClockTime pts = 3 * GST_SECOND;
    gint rate = in[_i % 4];
    Player player;
    player_init(&player, rate, 1, (guint)g_rand_int_range(rand, 1, 5));
    player.tail = (GstVfiTail)g_rand_int_range(rand, 0, 3);
    for (guint i = 0; i < 300; i++) {
        gint kind = g_rand_int_range(rand, 0, 40);
        GstClockTime frame = GST_SECOND / (guint64)(rate > 0 ? rate : 20);
        if (kind == 0)
            gst_vfi_run_set_constant(&player.run, g_rand_int_range(rand, 0, 3) * rate, 1);
        else if (kind == 1)
            gst_vfi_run_set_grid(&player.run, g_rand_int_range(rand, 0, 9) * 11, 1);
        else if (kind == 2)
            gst_vfi_run_set_multiplier(&player.run, (guint)g_rand_int_range(rand, 1, 5));
        else if (kind == 3)
            gst_vfi_run_set_pair(&player.run, player.run.multiplier, _i % 3 == 0);
        else if (kind == 4)
            player_tail(&player, player.tail, pts);
        player_frame(&player, pts,
                     kind < 10 ? NONE : (GstClockTime)g_rand_int_range(rand, 1, 90) * MS,
                     kind == 39);
        if (kind % 8 == 0 && player.run.open)
            player_stand_in(&player, frame,
                            (GstClockTime)g_rand_int_range(rand, 0, 999) * MS,
                            (guint)g_rand_int_range(rand, 0, 9));
        if (kind < 20)
            pts += frame;
        else
            pts += (GstClockTime)g_rand_int_range(rand, 1, kind < 36 ? 60 : 900) * MS;
    }
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    for (guint i = 1; i < player.out->len; i++) {
        const GstVfiSlot *before = at(&player, i - 1), *slot = at(&player, i);
        ck_assert_uint_gt(slot->duration, 0);
        /* The last frame may have gone on to its slot. */
        if (slot->discont) {
            ck_assert_uint_ge(slot->pts + GST_VFI_SNAP, before->pts);
            continue;
        }
        if (slot->phase_den == 0 || before->phase_den == 0)
            ck_assert(before->duration == NONE ||
                      slot->pts >= before->pts + before->duration);
        else
            ck_assert_uint_gt(slot->pts, before->pts);
    }
    player_clear(&player);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("stand_in");
    TCase *tcase = tcase_create("stand_in");
    tcase_add_loop_test(tcase, outputs_go_on_behind_copies, 0, G_N_ELEMENTS(streams));
    tcase_add_loop_test(tcase, copies_fill_with_any_tail, 0, 2);
    tcase_add_test(tcase, a_segment_forgets_copies);
    tcase_add_loop_test(tcase, random_stops_leave_no_hole, 0, 20);
    tcase_add_loop_test(tcase, random_streams_stay_in_order, 0, 60);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
