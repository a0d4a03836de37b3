/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GAP events of the input: which end a run, and what remains of them. Milliseconds. */
#include <gst/gst.h>

#include "check_main.h"
#include "grid_player.h"

#include "pure/silence.h"

/* NONE in milliseconds. */
#define NO G_MAXUINT64

static GstClockTime ms(guint64 time)
{
    return time == NO ? NONE : time * MS;
}

static const struct {
    gint rate; /* 0 for variable */
    gdouble speed;
    const char *frames; /* the last one is the reference */
    guint64 max_gap;
    guint64 start, duration;
    gboolean ends;
} events[] = {
    {25, 1, "80+40 120+40", 0, 120, 0, FALSE},
    {25, 1, "80+40 120+40", 0, 0, 0, FALSE},
    {25, 1, "80+40 120+40", 0, 0, NO, FALSE},
    {25, 1, "80+40 120+40", 0, 100, 20, FALSE},
    {25, 1, "80+40 120+40", 0, 0, 80, FALSE},
    {25, 1, "80+40 120+40", 0, 130, 20, FALSE},
    {25, 1, "80+40 120+40", 0, 160, NO, FALSE},
    {25, 1, "80+40 120+40", 0, 160, 40, FALSE},
    {25, 1, "80+40 120+40", 0, 160, 210, FALSE},
    {25, 1, "80+40 120+40", 0, 160, 211, TRUE},
    {25, 1, "80+40 120+40", 0, 0, 371, TRUE},
    {25, 1, "80+40 120+40", 0, 370, NO, FALSE},
    {25, 1, "80+40 120+40", 0, 371, NO, TRUE},
    {25, 1, "80+40 120+40", 0, 371, 0, TRUE},
    {25, 1, "80+40 120+40", 100, 160, 60, FALSE},
    {25, 1, "80+40 120+40", 100, 160, 61, TRUE},
    {25, 1, "80+40 120+40", 0, 1, NO - 1, TRUE},
    {10, 1, "100+100 200+100", 0, 300, 300, FALSE},
    {10, 1, "100+100 200+100", 0, 300, 301, TRUE},
    /* Slow streams that do not say so. */
    {0, 1, "0 333 666", 0, 999, 999, FALSE},
    {0, 1, "0 333 666", 0, 999, 1000, TRUE},
    {0, 1, "0", 0, 100, 150, FALSE},
    {0, 1, "0", 0, 100, 151, TRUE},
    {0, 1, "0+500", 0, 500, 1500, FALSE},
    {0, 1, "", 0, 100, 10000, FALSE},
    {25, -1, "1000+40", 0, 1000, 40, FALSE},
    {25, -1, "1000+40", 0, 750, 250, FALSE},
    {25, -1, "1000+40", 0, 749, 251, TRUE},
};

START_TEST(long_gaps_end_runs)
{
    Player player;
    player_init(&player, events[_i].rate, 1, 2);
    player_segment(&player, events[_i].speed, 0, NONE);
    gst_vfi_run_set_max_gap(&player.run, events[_i].max_gap * MS);
    if (*events[_i].frames)
        player_frames(&player, events[_i].frames);
    GstClockTime duration =
        events[_i].duration == NO - 1 ? NONE - 1 : ms(events[_i].duration);
    ck_assert_int_eq(gst_vfi_run_gap_ends(&player.run, ms(events[_i].start), duration),
                     events[_i].ends);
    player_clear(&player);
}
END_TEST

/* Frames of 25/1, the last at 120+40. */
static const struct {
    guint multiplier;
    gint grid;
    gdouble speed;
    guint64 next; /* the partner, or NO */
    guint64 from, until;
    guint64 start, duration;
    guint64 left_start, left_duration; /* NO: nothing */
} clips[] = {
    /* The run ends: outputs reach up to 140. */
    {2, 0, 1, NO, 0, NO, 160, 40, 160, 40},
    {2, 0, 1, NO, 0, NO, 100, 20, NO, NO},
    {2, 0, 1, NO, 0, NO, 100, 100, 140, 60},
    {2, 0, 1, NO, 0, 150, 100, 100, 140, 10},
    {2, 0, 1, NO, 145, 150, 100, 100, 145, 5},
    {2, 0, 1, NO, 150, 150, 100, 100, NO, NO},
    {2, 0, 1, NO, 0, NO, 139, NO, NO, NO},
    {2, 0, 1, NO, 0, NO, 140, NO, 140, NO},
    {2, 0, 1, NO, 0, NO, 140, 0, 140, 0},
    {2, 0, 1, NO, 0, 150, 150, NO, NO, NO},
    {2, 0, 1, NO, 0, 100, 140, 20, NO, NO}, /* a jump back */
    /* It goes on: all is filled up to the next frame, */
    {2, 0, 1, 200, 0, NO, 160, 40, NO, NO},
    {2, 0, 1, 200, 0, NO, 160, 400, NO, NO},
    {2, 0, 1, 200, 0, NO, 160, NO, NO, NO},
    {2, 0, 1, 200, 0, NO, 240, 10, NO, NO},
    {1, 60, 1, 200, 0, NO, 160, 40, NO, NO},
    /* or nothing is. */
    {1, 0, 1, 200, 0, NO, 160, 40, 160, 40},
    {1, 0, 1, 200, 0, NO, 140, 100, 160, 40},
    {1, 0, 1, 200, 0, NO, 170, NO, 170, NO},
    {1, 0, 1, 160, 0, NO, 160, 40, NO, NO},
    /* Backwards outputs reach down to 120. */
    {2, 0, -1, 80, 0, NO, 80, 40, NO, NO},
    {2, 0, -1, NO, 0, NO, 80, 40, 80, 40},
    {2, 0, -1, NO, 0, NO, 100, 100, 100, 20},
    {2, 0, -1, NO, 0, NO, 120, 40, NO, NO},
};

START_TEST(what_is_shown_is_no_gap)
{
    gboolean reverse = clips[_i].speed < 0;
    GstClockTime start = ms(clips[_i].start), duration = ms(clips[_i].duration);
    GstVfiFrameTime next;
    Player player;
    player_init(&player, 25, 1, clips[_i].multiplier);
    gst_vfi_run_set_grid(&player.run, clips[_i].grid, 1);
    player_segment(&player, clips[_i].speed, 0, NONE);
    player_frames(&player, reverse ? "160+40 120+40" : "80+40 120+40");
    if (clips[_i].next != NO)
        ck_assert(
            gst_vfi_run_observe(&player.run, ms(clips[_i].next), NONE, FALSE, &next));
    gboolean left =
        gst_vfi_run_clip_gap(&player.run, clips[_i].next != NO ? &next : NULL,
                             ms(clips[_i].from), ms(clips[_i].until), &start, &duration);
    ck_assert_int_eq(left, clips[_i].left_start != NO);
    if (left) {
        ck_assert_uint_eq(start, ms(clips[_i].left_start));
        ck_assert_uint_eq(duration, ms(clips[_i].left_duration));
    }
    player_clear(&player);
}
END_TEST

/* Where copies have stood in, they are what is shown. */
START_TEST(copies_are_no_gap)
{
    GstClockTime start = 160 * MS, duration = 500 * MS;
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "120+40");
    player_stand_in(&player, 40 * MS, 0, 9);
    ck_assert(gst_vfi_run_clip_gap(&player.run, NULL, 0, NONE, &start, &duration));
    ck_assert_uint_eq(start, 320 * MS);
    ck_assert_uint_eq(duration, 340 * MS);
    player_clear(&player);
}
END_TEST

/* The last frame is shown for its time if a GAP event says the opposite. */
START_TEST(a_run_closes_where_the_gap_begins)
{
    Player player;
    player_init(&player, 25, 1, 2);
    player_frames(&player, "120+40");
    ck_assert_uint_eq(gst_vfi_run_gap_closes_at(&player.run, 200 * MS), 200 * MS);
    ck_assert_uint_eq(gst_vfi_run_gap_closes_at(&player.run, 150 * MS), 150 * MS);
    ck_assert_uint_eq(gst_vfi_run_gap_closes_at(&player.run, 120 * MS), 160 * MS);
    ck_assert_uint_eq(gst_vfi_run_gap_closes_at(&player.run, 0), 160 * MS);
    player_clear(&player);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("silence");
    TCase *tcase = tcase_create("silence");
    tcase_add_loop_test(tcase, long_gaps_end_runs, 0, G_N_ELEMENTS(events));
    tcase_add_loop_test(tcase, what_is_shown_is_no_gap, 0, G_N_ELEMENTS(clips));
    tcase_add_test(tcase, copies_are_no_gap);
    tcase_add_test(tcase, a_run_closes_where_the_gap_begins);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
