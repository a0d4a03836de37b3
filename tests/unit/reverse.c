/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times when the stream plays backwards: PTS fall, phases still count from the lower PTS,
 * durations reach up to the output above. Milliseconds unless a name says otherwise. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

static void player_init_reverse(Player *player, gint rate, guint multiplier, gint grid)
{
    player_init(player, rate, 1, multiplier);
    gst_vfi_run_set_grid(&player->run, grid, 1);
    player_segment(player, -1.0, 0, 10000 * MS);
    player->mark_copies = TRUE;
}

static const struct {
    const char *name;
    gint rate;
    guint multiplier;
    gint grid;
    const char *frames;
    const char *expected;
    guint dropped;
} streams[] = {
    {"one frame", 25, 2, 0, "40+40", "!40+40", 0},
    {"twice", 25, 2, 0, "80+40 40+40 0+40", "!80+40 60+20@1/2 40+20 20+20@1/2 0+20", 0},
    {"four times", 25, 4, 0, "40+40 0+40", "!40+40 30+10@3/4 20+10@2/4 10+10@1/4 0+10",
     0},
    {"once", 25, 1, 0, "80+40 40+40 0+40", "!80+40 40+40 0+40", 0},
    {"groups of pictures", 25, 2, 0, "!120+40 80+40 !40+40 0+40",
     "!120+40 100+20@1/2 80+20 60+20@1/2 40+20 20+20@1/2 0+20", 0},
    {"a group that goes forwards", 25, 2, 0, "!80+40 120+40 !0+40 40+40",
     "!80+40 40+40@1/2 0+40", 2},
    {"DISCONT upwards", 25, 2, 0, "40+40 !80+40 40+40", "!40+40 !80+40 60+20@1/2 40+20",
     0},
    {"equal PTS", 25, 2, 0, "40+40 40+40 0+40", "!40+40 20+20@1/2 0+20", 1},
    {"upwards by exactly a second", 25, 2, 0, "40+40 1040+40", "!40+40", 1},
    {"upwards by more than a second", 25, 2, 0, "40+40 1041+40", "!40+40 !1041+40", 0},
    {"no PTS", 25, 2, 0, "40+40 - 0+40", "!40+40 20+20@1/2 0+20", 1},
    {"a gap", 25, 2, 0, "1000+40 749+40", "!1000+40 !749+40", 0},
    {"no gap yet", 25, 2, 0, "1000+40 750+40", "!1000+40 875+125@1/2 750+125", 0},
    {"variable without durations", 0, 2, 0, "80 60 10",
     "!80+? 70+10@1/2 60+10 35+25@1/2 10+25", 0},
    {"grid", 20, 2, 50, "100+50 50+50 0+50",
     "!100+50 80+20@3/5 60+20@1/5 40+20@4/5 20+20@2/5 0+20", 0},
    {"grid that meets only some frames", 25, 2, 50, "1000+40 970+40 930+40",
     "!1000+40 980+20@1/3 960+20@3/4 940+20@1/4", 0},
    {"frames near a slot", 25, 2, 50, "1000+40 961+40 919+40",
     "!1000+40 980+20@19/39 960+20 940+20@1/2 920+20", 0},
};

START_TEST(streams_come_out_right)
{
    Player player;
    player_init_reverse(&player, streams[_i].rate, streams[_i].multiplier,
                        streams[_i].grid);
    player_frames(&player, streams[_i].frames);
    player_tail(&player, GST_VFI_TAIL_DUPLICATE, NONE);
    g_autofree char *found = player_text(&player, MS);
    ck_assert_msg(strcmp(found, streams[_i].expected) == 0, "%s: expected %s, found %s",
                  streams[_i].name, streams[_i].expected, found);
    ck_assert_uint_eq(player.dropped, streams[_i].dropped);
    player_clear(&player);
}
END_TEST

/* 0: by the multiplier, 1: on a grid */
START_TEST(outputs_stay_inside_the_segment)
{
    Player player;
    player_init(&player, 25, 1, 2);
    gst_vfi_run_set_grid(&player.run, _i == 1 ? 50 : 0, 1);
    player_segment(&player, -1.0, 65 * MS, 145 * MS);
    /* 160 is a partner only; 40 ends before the start. */
    player_frames(&player, "160+40 120+40 80+40 40+20");
    check_text(&player, MS, "!140+20@1/2 120+20 100+20@1/2 80+20");
    player_clear(&player);
}
END_TEST

START_TEST(a_skipped_pair_repeats_its_source)
{
    Player player;
    player_init_reverse(&player, 25, 2, 0);
    gst_vfi_run_set_pair(&player.run, 2, TRUE);
    player_frames(&player, "80+40 40+40");
    check_text(&player, MS, "!80+40 60+20= 40+20");
    player_clear(&player);
}
END_TEST

START_TEST(the_grid_changes_its_rate)
{
    Player player;
    player_init_reverse(&player, 10, 1, 20);
    player_frames(&player, "1000+100 900+100");
    gst_vfi_run_set_grid(&player.run, 40, 1);
    player_frames(&player, "800+100");
    /* The slot below 900 is still where the old rate has it. */
    check_text(&player, MS, "!1000+100 950+50@1/2 900+50 850+50@1/2 825+25@1/4 800+25");
    player_clear(&player);
}
END_TEST

START_TEST(a_grid_begins_below_the_reference)
{
    Player player;
    player_init_reverse(&player, 10, 1, 0);
    player_frames(&player, "1000+100 900+100");
    gst_vfi_run_set_grid(&player.run, 20, 1);
    player_frames(&player, "800+100");
    check_text(&player, MS, "!1000+100 900+100 850+50@1/2 800+50");
    player_clear(&player);
}
END_TEST

/* Frames of a constant rate, jittered by up to half a millisecond, in groups. Output
 * times fall, every one lasts up to the one above, and together they last the span. */
START_TEST(random_streams_fall_without_holes)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    const GstClockTime last = 1000 * GST_SECOND;
    Player player;
    player_init_reverse(&player, 25, (guint)g_rand_int_range(rand, 1, 6),
                        g_rand_boolean(rand) ? g_rand_int_range(rand, 25, 200) : 0);
    player_segment(&player, -1.0, 0, NONE);
    GstClockTime pts = last;
    player_frame(&player, pts, 40 * MS, TRUE);
    for (guint i = 1; i < 200; i++) {
        pts = last - i * 40 * MS + (GstClockTime)g_rand_int_range(rand, 0, 500000);
        player_frame(&player, pts, 40 * MS, g_rand_int_range(rand, 0, 12) == 0);
    }
    ck_assert_uint_ge(player.out->len, 200);
    GstClockTime sum = at(&player, 0)->duration;
    for (guint i = 1; i < player.out->len; i++) {
        const GstVfiSlot *above = at(&player, i - 1), *slot = at(&player, i);
        ck_assert_uint_lt(slot->pts, above->pts);
        ck_assert_uint_eq(slot->pts + slot->duration, above->pts);
        ck_assert_uint_le(slot->phase_num, slot->phase_den);
        sum += slot->duration;
    }
    ck_assert_uint_eq(sum, last + 40 * MS - at(&player, player.out->len - 1)->pts);
    player_clear(&player);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("reverse");
    TCase *tcase = tcase_create("reverse");
    tcase_add_loop_test(tcase, streams_come_out_right, 0, G_N_ELEMENTS(streams));
    tcase_add_loop_test(tcase, outputs_stay_inside_the_segment, 0, 2);
    tcase_add_test(tcase, a_skipped_pair_repeats_its_source);
    tcase_add_test(tcase, the_grid_changes_its_rate);
    tcase_add_test(tcase, a_grid_begins_below_the_reference);
    tcase_add_loop_test(tcase, random_streams_fall_without_holes, 0, 20);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
