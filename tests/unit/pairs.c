/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pair lists: what their texts mean, what is wrong with others, and what a stream
 * makes of them. */
#include <gst/gst.h>

#include <string.h>

#include "check_main.h"
#include "grid_player.h"
#include "pure/pair_rules.h"

static GstVfiPairs *new_pairs(const char *multipliers, const char *skip, const char *only)
{
    GstVfiPairs *pairs = NULL;
    g_autofree char *reason = NULL;
    gboolean fine = gst_vfi_pairs_new(multipliers, skip, only, &pairs, &reason);
    ck_assert_msg(fine && reason == NULL, "%s", reason);
    return pairs;
}

/* The text, and one letter a pair from 0 on: 'x' where it is listed. */
static const struct {
    const char *text;
    const char *listed;
} lists[] = {
    {"0", "x...."},
    {"1,2,5-9", ".xx..xxxxx."},
    {" 1 ,\t2 ,\n5 - 9 ", ".xx..xxxxx."},
    {"9,5,7,6,8", ".....xxxxx."},
    {"5-9,1-2", ".xx..xxxxx."},
    {"2-4,3-6,4", "..xxxxx.."},
    {"2-8,3-4,6", "..xxxxxxx.."},
    {"1-2,3-4", ".xxxx."},
    {"3,3,3", "...x."},
    {"3-3", "...x."},
    {"007", ".......x."},
    {"0-18446744073709551615", "xxxxxxxx"},
    {"4-18446744073709551615,18446744073709551615", "....xxxx"},
};

START_TEST(lists_are_read)
{
    g_autoptr(GstVfiPairs) skip = new_pairs(NULL, lists[_i].text, NULL);
    g_autoptr(GstVfiPairs) only = new_pairs(NULL, NULL, lists[_i].text);
    for (guint i = 0; lists[_i].listed[i]; i++) {
        gboolean listed = lists[_i].listed[i] == 'x';
        ck_assert_msg(gst_vfi_pairs_skips(skip, i) == listed, "%s: %u", lists[_i].text,
                      i);
        ck_assert_msg(gst_vfi_pairs_skips(only, i) != listed, "%s: %u", lists[_i].text,
                      i);
    }
    ck_assert_uint_eq(gst_vfi_pairs_largest_multiplier(skip), 0);
}
END_TEST

START_TEST(great_indices_are_found)
{
    g_autoptr(GstVfiPairs) pairs =
        new_pairs(NULL, "18446744073709551615,4294967296-4294967297", NULL);
    ck_assert(gst_vfi_pairs_skips(pairs, G_MAXUINT64));
    ck_assert(!gst_vfi_pairs_skips(pairs, G_MAXUINT64 - 1));
    ck_assert(!gst_vfi_pairs_skips(pairs, G_MAXUINT32));
    ck_assert(gst_vfi_pairs_skips(pairs, (guint64)G_MAXUINT32 + 1));
    ck_assert(gst_vfi_pairs_skips(pairs, (guint64)G_MAXUINT32 + 2));
    ck_assert(!gst_vfi_pairs_skips(pairs, (guint64)G_MAXUINT32 + 3));
}
END_TEST

START_TEST(nothing_is_said_by_empty_texts)
{
    static const char *const texts[] = {NULL, "", "  ", "\t\n"};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GstVfiPairs) pairs = new_pairs(texts[i], texts[i], texts[i]);
        ck_assert_ptr_null(pairs);
        ck_assert(!gst_vfi_pairs_skips(pairs, 0));
        ck_assert_uint_eq(gst_vfi_pairs_largest_multiplier(pairs), 0);
        ck_assert_uint_eq(gst_vfi_pairs_plan(pairs, 0, 3, TRUE).multiplier, 3);
    }
    /* The other list may be empty. */
    g_autoptr(GstVfiPairs) only = new_pairs("", " ", "3");
    ck_assert(!gst_vfi_pairs_skips(only, 3));
    ck_assert(gst_vfi_pairs_skips(only, 2));
}
END_TEST

static const struct {
    const char *multipliers, *skip, *only;
    const char *reason;
} mistakes[] = {
    {NULL, "1,x", NULL,
     "skip-pairs: expected the index of a pair, a whole number below "
     "2^64 at character 3 of \"1,x\", found 'x'"},
    {NULL, "1,2,", NULL,
     "skip-pairs: expected the index of a pair, a whole number below "
     "2^64 at character 5 of \"1,2,\", found its end"},
    {NULL, ",1", NULL,
     "skip-pairs: expected the index of a pair, a whole number below "
     "2^64 at character 1 of \",1\", found ','"},
    {NULL, "1 2", NULL,
     "skip-pairs: expected ',', '-' or the end at character 3 of "
     "\"1 2\", found '2'"},
    {NULL, "1.5", NULL,
     "skip-pairs: expected ',', '-' or the end at character 2 of "
     "\"1.5\", found '.'"},
    {NULL, "1-2-3", NULL,
     "skip-pairs: expected ',', '-' or the end at character 4 of "
     "\"1-2-3\", found '-'"},
    {NULL, NULL, "5-",
     "only-pairs: expected the index of a pair, a whole number below "
     "2^64 at character 3 of \"5-\", found its end"},
    {NULL, NULL, "-5",
     "only-pairs: expected the index of a pair, a whole number below "
     "2^64 at character 1 of \"-5\", found '-'"},
    {NULL, NULL, "9-5",
     "only-pairs: expected an index of 9 or more, to end the range at "
     "character 3 of \"9-5\", found 5"},
    {NULL, "18446744073709551616", NULL,
     "skip-pairs: expected the index of a pair, a whole number below 2^64 at character 1 "
     "of \"18446744073709551616\", found 18446744073709551616"},
    {NULL, "1,é", NULL,
     "skip-pairs: expected the index of a pair, a whole number below "
     "2^64 at character 3 of \"1,é\", found 'é'"},
    {NULL, "1,\xff", NULL,
     "skip-pairs: expected the index of a pair, a whole number "
     "below 2^64 at character 3 of \"1,\xff\", found the byte 0xff"},
    {"2,0", NULL, NULL,
     "multipliers: expected a multiplier from 1 to 1000 at character 3 "
     "of \"2,0\", found 0"},
    {"1001", NULL, NULL,
     "multipliers: expected a multiplier from 1 to 1000 at character "
     "1 of \"1001\", found 1001"},
    {"2,99999999999999999999", NULL, NULL,
     "multipliers: expected a multiplier from 1 to 1000 at character 3 of "
     "\"2,99999999999999999999\", found 99999999999999999999"},
    {"2-4", NULL, NULL,
     "multipliers: expected ',' or the end at character 2 of \"2-4\", "
     "found '-'"},
    {NULL, "1", "2",
     "expected skip-pairs or only-pairs, found both: \"1\" and \"2\"; "
     "empty one of them"},
};

START_TEST(mistakes_are_explained)
{
    GstVfiPairs *pairs = NULL;
    g_autofree char *reason = NULL;
    ck_assert(!gst_vfi_pairs_new(mistakes[_i].multipliers, mistakes[_i].skip,
                                 mistakes[_i].only, &pairs, &reason));
    ck_assert_ptr_null(pairs);
    ck_assert_str_eq(reason, mistakes[_i].reason);
    ck_assert(!gst_vfi_pairs_new(mistakes[_i].multipliers, mistakes[_i].skip,
                                 mistakes[_i].only, &pairs, NULL));
}
END_TEST

START_TEST(pairs_have_their_multipliers)
{
    g_autoptr(GstVfiPairs) pairs = new_pairs("2, 4,1,1000", "1,5", NULL);
    static const guint expected[] = {2, 1, 1, 1000, 3, 1, 3};
    ck_assert_uint_eq(gst_vfi_pairs_largest_multiplier(pairs), 1000);
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        GstVfiPairPlan variable = gst_vfi_pairs_plan(pairs, i, 3, TRUE);
        GstVfiPairPlan constant = gst_vfi_pairs_plan(pairs, i, 3, FALSE);
        ck_assert_uint_eq(variable.multiplier, expected[i]);
        ck_assert(!variable.repeat);
        ck_assert_uint_eq(constant.multiplier, 3);
        ck_assert_int_eq(constant.repeat, i == 1 || i == 5);
    }
}
END_TEST

START_TEST(a_set_in_use_stays)
{
    GstVfiPairs *pairs = new_pairs(NULL, "1", NULL);
    g_autoptr(GstVfiPairs) in_use = gst_vfi_pairs_ref(pairs);
    gst_vfi_pairs_unref(pairs);
    ck_assert(gst_vfi_pairs_skips(in_use, 1));
    ck_assert_ptr_null(gst_vfi_pairs_ref(NULL));
}
END_TEST

/* In a stream: frames 40 ms apart, the stream's multiplier 2. */
static const struct {
    const char *multipliers, *skip, *only;
    gint grid;
    gboolean variable;
    const char *expected;
} streams[] = {
    {NULL, "1", NULL, 0, FALSE, "!0+20 20+20@1/2 40+20 60+20= 80+20 100+20@1/2 120+20"},
    {NULL, NULL, "1", 0, FALSE, "!0+20 20+20= 40+20 60+20@1/2 80+20 100+20= 120+20"},
    {NULL, "1", NULL, 0, TRUE, "!0+20 20+20@1/2 40+40 80+20 100+20@1/2 120+20"},
    {NULL, "0,2-9", NULL, 50, FALSE, "!0+20 20+20= 40+20 60+20@1/2 80+20 100+20= 120+20"},
    {"1,4", NULL, NULL, 0, TRUE,
     "!0+40 40+10 50+10@1/4 60+10@2/4 70+10@3/4 80+20 100+20@1/2 120+20"},
    {"1,4", "1", NULL, 0, TRUE, "!0+40 40+40 80+20 100+20@1/2 120+20"},
};

static void push_frames(Player *player, const GstVfiPairs *pairs, gboolean variable)
{
    player->pairs = pairs;
    player->variable = variable;
    player->pair_multiplier = 2;
    player_frames(player, "0+40 40+40 80+40 120+40");
}

START_TEST(streams_follow_the_lists)
{
    g_autoptr(GstVfiPairs) pairs =
        new_pairs(streams[_i].multipliers, streams[_i].skip, streams[_i].only);
    Player player;
    player_init(&player, 25, 1, 2);
    player.mark_copies = TRUE;
    gst_vfi_run_set_grid(&player.run, streams[_i].grid, 1);
    push_frames(&player, pairs, streams[_i].variable);
    check_text(&player, MS, streams[_i].expected);

    /* A new segment begins with pair 0 again. */
    g_array_set_size(player.out, 0);
    player_tail(&player, GST_VFI_TAIL_NONE, NONE);
    player_segment(&player, 1.0, 0, NONE);
    push_frames(&player, pairs, streams[_i].variable);
    check_text(&player, MS, streams[_i].expected);
    player_clear(&player);
}
END_TEST

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("pairs");
    TCase *tcase = tcase_create("pairs");
    tcase_add_loop_test(tcase, lists_are_read, 0, G_N_ELEMENTS(lists));
    tcase_add_test(tcase, great_indices_are_found);
    tcase_add_test(tcase, nothing_is_said_by_empty_texts);
    tcase_add_loop_test(tcase, mistakes_are_explained, 0, G_N_ELEMENTS(mistakes));
    tcase_add_test(tcase, pairs_have_their_multipliers);
    tcase_add_test(tcase, a_set_in_use_stays);
    tcase_add_loop_test(tcase, streams_follow_the_lists, 0, G_N_ELEMENTS(streams));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
