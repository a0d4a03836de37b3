/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the distances of frames say about streams that do not say it themselves. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

/* Intervals, oldest first, and what is usual and what steady among them; 0 for none. */
static const struct {
    guint64 intervals[8];
    guint64 usual, steady;
} rows[] = {
    {{0}, 0, 0},
    {{70}, 70, 0},
    {{70, 30}, 30, 0},
    {{30, 70}, 30, 0},
    {{30, 70, 70}, 70, 70},
    {{70, 30, 70}, 70, 0},
    {{30, 30, 70, 70}, 30, 70},
    {{30, 70, 70, 70}, 70, 70},
    {{30, 30, 30, 70, 70}, 30, 70},
    {{30, 30, 30, 70, 70, 70}, 70, 70},
    {{800, 700}, 700, 700},
    {{800, 699}, 699, 0},
    {{700, 801}, 700, 0},
    {{4, 3, 2, 1}, 2, 0},
};

START_TEST(intervals_have_a_middle)
{
    GstVfiIntervals intervals = {0};
    guint64 usual, steady;
    for (guint i = 0; rows[_i].intervals[i]; i++)
        gst_vfi_intervals_add(&intervals, rows[_i].intervals[i]);
    usual = gst_vfi_intervals_usual(&intervals);
    steady = gst_vfi_intervals_steady(&intervals);
    ck_assert_uint_eq(usual, rows[_i].usual ? rows[_i].usual : NONE);
    ck_assert_uint_eq(steady, rows[_i].steady ? rows[_i].steady : NONE);
}
END_TEST

static guint in_betweens(const Player *player)
{
    guint found = 0;
    for (guint i = 0; i < player->out->len; i++)
        found += at(player, i)->kind == GST_VFI_SLOT_IN_BETWEEN ? 1 : 0;
    return found;
}

/* Frames in a row at these distances (ms): how many of the pairs have an in-between. */
static const struct {
    gint rate;
    guint64 duration; /* ms, 0 for none */
    guint64 steps[12];
    guint in_betweens;
} streams[] = {
    {0, 0, {200, 200, 200, 200}, 4},
    {0, 0, {333, 333, 333, 333}, 4},
    {0, 0, {1000, 1000, 1100, 900}, 4},
    {0, 0, {2000, 2000, 2000}, 3},
    {0, 0, {5000, 5000, 10000}, 3},
    {0, 0, {6000, 6000, 6000}, 2},
    {0, 40, {333, 333, 333, 333}, 2},
    {30, 0, {500, 500, 500, 500}, 2},
    /* A gap stays one, wherever it is. */
    {0, 0, {33, 33, 33, 1000, 33, 33}, 5},
    {0, 0, {33, 1000, 33, 33, 33}, 4},
    {0, 0, {33, 33, 1000, 33, 1000, 33}, 4},
    {0, 0, {3000, 33, 1000, 33}, 3},
    {25, 40, {40, 40, 1000, 40, 1000, 40, 40}, 5},
    {0, 0, {1000, 1000, 1000, 5000, 1000}, 4},
    /* A new rate is a gap twice. */
    {0, 0, {33, 33, 33, 33, 500, 500, 500, 500, 500}, 7},
    {0, 0, {500, 500, 33, 33, 33, 500, 33}, 6},
};

START_TEST(what_is_a_gap_is_measured)
{
    Player player;
    GstClockTime pts = 0,
                 duration = streams[_i].duration ? streams[_i].duration * MS : NONE;
    player_init(&player, streams[_i].rate, 1, 2);
    player_frame(&player, pts, duration, FALSE);
    for (guint i = 0; streams[_i].steps[i]; i++) {
        pts += streams[_i].steps[i] * MS;
        player_frame(&player, pts, duration, FALSE);
    }
    ck_assert_uint_eq(in_betweens(&player), streams[_i].in_betweens);
    player_clear(&player);
}
END_TEST

/* Of what streams were before caps or a flush nothing is known. */
START_TEST(what_was_measured_is_forgotten)
{
    Player player;
    player_init(&player, 0, 1, 2);
    player_frames(&player, "0 33 66 99");
    player_tail(&player, GST_VFI_TAIL_NONE, NONE);
    player_frames(&player, "1000 2000");
    ck_assert_uint_eq(in_betweens(&player), 3);
    player_tail(&player, GST_VFI_TAIL_NONE, NONE);
    if (_i == 0)
        gst_vfi_run_set_rate(&player.run, 0, 1);
    else
        gst_vfi_run_reset(&player.run);
    player_frames(&player, "3000 4000");
    ck_assert_uint_eq(in_betweens(&player), 4);
    player_clear(&player);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("intervals");
    TCase *tcase = tcase_create("intervals");
    tcase_add_loop_test(tcase, intervals_have_a_middle, 0, G_N_ELEMENTS(rows));
    tcase_add_loop_test(tcase, what_is_a_gap_is_measured, 0, G_N_ELEMENTS(streams));
    tcase_add_loop_test(tcase, what_was_measured_is_forgotten, 0, 2);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
