/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The latency answer. Expected values are worked out by hand from the schedule: a frame
 * comes, its in-betweens are made one after the other, each is late against its own
 * PTS. */
#include <gst/gst.h>

#include "check_main.h"
#include "pure/latency.h"

#define NONE GST_CLOCK_TIME_NONE
#define MS GST_MSECOND
#define US GST_USECOND

/* Frame interval, outputs a frame and cost of a dummy element, and the latency in tenths
 * of a millisecond that the formula gave when it was compared with arrivals at a sink. */
static const struct {
    guint fps;
    guint multiplier;
    guint cost_ms;
    guint tenths;
    gboolean keeps_up;
} published[] = {
    {30, 2, 1, 177, TRUE},  {30, 2, 5, 217, TRUE}, {30, 2, 12, 287, TRUE},
    {30, 3, 6, 282, TRUE},  {30, 4, 5, 300, TRUE}, {30, 4, 7, 320, TRUE},
    {30, 4, 10, 383, TRUE}, {24, 2, 5, 258, TRUE}, {30, 4, 12, 417, FALSE},
};

START_TEST(a_budget_gives_the_published_latency)
{
    GstVfiLatencyInput input = {
        .multiplier = published[_i].multiplier,
        .frame = GST_SECOND / published[_i].fps,
        .cost = 500 * MS,
        .pair_cost = 500 * MS,
        .budget = published[_i].cost_ms * MS,
    };
    GstClockTime own;
    ck_assert_int_eq(gst_vfi_latency_own(&input, &own), published[_i].keeps_up);
    ck_assert_uint_eq((own + 50 * US) / (100 * US), published[_i].tenths);
}
END_TEST

/* D = 40 ms and outputs every 10 or 20 ms keep the sums readable; measured costs get 4 ms
 * of slack, which the last column has. */
static const struct {
    const char *what;
    GstVfiLatencyInput input;
    GstClockTime own;
    gboolean keeps_up;
} rules[] = {
    {"nothing in between", {.multiplier = 1, .frame = 40 * MS, .cost = 7 * MS}, 0, TRUE},
    {"unset", {.frame = 40 * MS}, 0, TRUE},
    {"first branch", {.multiplier = 2, .frame = 40 * MS, .cost = 7 * MS}, 31 * MS, TRUE},
    {"cost rounded up",
     {.multiplier = 2, .frame = 40 * MS, .cost = 7 * MS + 1},
     32 * MS,
     TRUE},
    {"where branches meet",
     {.multiplier = 4, .frame = 40 * MS, .cost = 10 * MS},
     44 * MS,
     TRUE},
    {"second branch",
     {.multiplier = 4, .frame = 40 * MS, .cost = 13 * MS},
     53 * MS,
     TRUE},
    {"just keeps up",
     {.multiplier = 4, .frame = 40 * MS, .cost = 11 * MS, .pair_cost = 6 * MS},
     53 * MS,
     TRUE},
    {"one-off cost is too much",
     {.multiplier = 4, .frame = 40 * MS, .cost = 11 * MS, .pair_cost = 7 * MS},
     54 * MS,
     FALSE},
    {"one-off cost delays all",
     {.multiplier = 4, .frame = 40 * MS, .cost = 2 * MS, .pair_cost = 5 * MS},
     41 * MS,
     TRUE},
    {"far too slow, many outputs",
     {.multiplier = 4, .frame = 40 * MS, .cost = 900 * MS},
     74 * MS,
     FALSE},
    {"far too slow, one in between",
     {.multiplier = 2, .frame = 40 * MS, .cost = 900 * MS},
     64 * MS,
     FALSE},
    {"nothing measured yet",
     {.multiplier = 2, .frame = 40 * MS, .cost = NONE},
     44 * MS,
     TRUE},
    {"nothing measured, many outputs",
     {.multiplier = 4, .frame = 40 * MS, .cost = NONE, .pair_cost = NONE},
     44 * MS,
     TRUE},
    {"unknown rate is 25 a second",
     {.multiplier = 2, .frame = NONE, .cost = 7 * MS},
     31 * MS,
     TRUE},
    {"rate zero is unknown",
     {.multiplier = 2, .frame = 0, .cost = 7 * MS},
     31 * MS,
     TRUE},
    {"grid",
     {.grid = TRUE, .frame = 40 * MS, .out_frame = 16 * MS, .cost = 7 * MS},
     51 * MS,
     TRUE},
    {"grid with one-off cost",
     {.grid = TRUE,
      .frame = 40 * MS,
      .out_frame = 16 * MS,
      .cost = 7 * MS,
      .pair_cost = 3 * MS},
     54 * MS,
     TRUE},
    {"grid too slow",
     {.grid = TRUE, .frame = 40 * MS, .out_frame = 16 * MS, .cost = 17 * MS},
     61 * MS,
     FALSE},
    {"grid far too slow",
     {.grid = TRUE, .frame = 40 * MS, .out_frame = 16 * MS, .cost = 900 * MS},
     84 * MS,
     FALSE},
    {"grid, nothing measured",
     {.grid = TRUE, .frame = 40 * MS, .out_frame = 16 * MS, .cost = NONE},
     60 * MS,
     TRUE},
    {"held repeats",
     {.multiplier = 2, .frame = 40 * MS, .cost = 7 * MS, .held_frames = 3},
     151 * MS,
     TRUE},
    {"held repeats, at a cost above an output interval",
     {.multiplier = 2, .frame = 40 * MS, .cost = 21 * MS, .held_frames = 1},
     87 * MS,
     TRUE},
    {"replacing held repeats is too much",
     {.multiplier = 2, .frame = 40 * MS, .cost = 27 * MS, .held_frames = 1},
     104 * MS,
     FALSE},
    {"a frame after",
     {.multiplier = 2, .frame = 40 * MS, .cost = 7 * MS, .frames_after = 1},
     71 * MS,
     TRUE},
    {"two frames after",
     {.multiplier = 2, .frame = 40 * MS, .cost = 7 * MS, .frames_after = 2},
     111 * MS,
     TRUE},
    {"a frame after, second branch",
     {.multiplier = 4, .frame = 40 * MS, .cost = 13 * MS, .frames_after = 1},
     93 * MS,
     TRUE},
    {"a frame after, far too slow",
     {.multiplier = 2, .frame = 40 * MS, .cost = 900 * MS, .frames_after = 1},
     104 * MS,
     FALSE},
    {"a frame after, nothing measured yet",
     {.multiplier = 2, .frame = 40 * MS, .cost = NONE, .frames_after = 1},
     84 * MS,
     TRUE},
    {"a frame after, unknown rate",
     {.multiplier = 2, .frame = NONE, .cost = 7 * MS, .frames_after = 1},
     71 * MS,
     TRUE},
    {"frames after, nothing in between",
     {.multiplier = 1, .frame = 40 * MS, .cost = 7 * MS, .frames_after = 2},
     0,
     TRUE},
    {"grid with a frame after",
     {.grid = TRUE,
      .frame = 40 * MS,
      .out_frame = 16 * MS,
      .cost = 7 * MS,
      .frames_after = 1},
     91 * MS,
     TRUE},
    {"grid with two frames after",
     {.grid = TRUE,
      .frame = 40 * MS,
      .out_frame = 16 * MS,
      .cost = 7 * MS,
      .frames_after = 2},
     131 * MS,
     TRUE},
    {"held repeats before a frame after",
     {.multiplier = 2,
      .frame = 40 * MS,
      .cost = 7 * MS,
      .held_frames = 3,
      .frames_after = 1},
     311 * MS,
     TRUE},
    {"held repeats before two frames after, on a grid",
     {.grid = TRUE,
      .frame = 40 * MS,
      .out_frame = 16 * MS,
      .cost = 7 * MS,
      .held_frames = 1,
      .frames_after = 2},
     251 * MS,
     TRUE},
    {"a budget does not cover frames after",
     {.multiplier = 2, .frame = 40 * MS, .budget = 7 * MS, .frames_after = 2},
     107 * MS,
     TRUE},
    {"a budget has no slack and no rounding",
     {.multiplier = 2, .frame = 40 * MS, .budget = 7 * MS + 1, .held_frames = 1},
     67 * MS + 1,
     TRUE},
    {"times at the end of time",
     {.multiplier = 1000, .frame = NONE - 1, .cost = NONE - 1, .pair_cost = NONE - 1},
     NONE - 1,
     FALSE},
};

START_TEST(own_latency_follows_the_rules)
{
    GstClockTime own;
    ck_assert_msg(gst_vfi_latency_own(&rules[_i].input, &own) == rules[_i].keeps_up,
                  "%s: keeps up?", rules[_i].what);
    ck_assert_msg(own == rules[_i].own, "%s: %" GST_TIME_FORMAT, rules[_i].what,
                  GST_TIME_ARGS(own));
}
END_TEST

/* A live stream, played from its arrivals: frame k, of time kD, comes at kD. The first of
 * a row is a new picture, the others repeat it: they are held, and replaced when the next
 * picture comes, or let out when they are too many. Outputs between two frames are made
 * when as many have come after them as the model sees, one after the other by one
 * engine. */
#define N_ROWS 24
#define MAX_IN_ROW 8

typedef struct {
    const GstVfiLatencyInput *input;
    GstClockTime offset; /* grid: of an output, behind the first frame */
    GstClockTime now;
    GstClockTime engine_free; /* when it has done all work so far */
    GstClockTime worst;       /* lateness of anything that left */

    /* Frames that are not held, and whether what is before each is made; else copied. */
    GstClockTime times[N_ROWS * MAX_IN_ROW];
    gboolean made[N_ROWS * MAX_IN_ROW];
    guint n_frames;
    guint n_left; /* of these */
} Player;

static void leave(Player *player, GstClockTime pts)
{
    GstClockTime at = MAX(player->now, player->engine_free);

    if (at > pts)
        player->worst = MAX(player->worst, at - pts);
}

static GstClockTime output_time(const Player *player, guint64 index)
{
    const GstVfiLatencyInput *input = player->input;

    return input->grid ? player->offset + index * input->out_frame
                       : gst_util_uint64_scale(index, input->frame, input->multiplier);
}

/* All outputs behind the frame before frame @index, then that frame. */
static void let_out(Player *player, guint index)
{
    GstClockTime first = player->times[index - 1], second = player->times[index];
    GstClockTime cost = player->made[index] ? player->input->cost : 0;

    if (player->made[index])
        player->engine_free =
            MAX(player->engine_free, player->now) + player->input->pair_cost;
    for (guint64 i = 0; output_time(player, i) < second; i++) {
        if (output_time(player, i) <= first)
            continue;
        player->engine_free += cost;
        leave(player, output_time(player, i));
    }
    leave(player, second);
}

static void accept(Player *player, GstClockTime time, gboolean made)
{
    player->times[player->n_frames] = time;
    player->made[player->n_frames++] = made;
    player->n_left = MAX(player->n_left, 1); /* the first has nothing to wait for */
    while (player->n_left < player->n_frames &&
           (!player->made[player->n_left] ||
            player->n_left + player->input->frames_after < player->n_frames))
        let_out(player, player->n_left++);
}

/* Frame number @in_row of its row comes. */
static void come(Player *player, guint in_row)
{
    const GstVfiLatencyInput *input = player->input;
    guint held = input->held_frames;

    if (in_row > 0 && in_row <= held)
        return;
    if (in_row == held + 1)
        for (; held > 0; held--)
            accept(player, player->now - held * input->frame, FALSE);
    accept(player, player->now, TRUE);
}

static GstClockTime play(const GstVfiLatencyInput *input, GstClockTime offset,
                         const guint rows[N_ROWS])
{
    Player player = {.input = input, .offset = offset};

    for (guint row = 0; row < N_ROWS; row++)
        for (guint in_row = 0; in_row < rows[row]; in_row++) {
            come(&player, in_row);
            player.now += input->frame;
        }
    return player.worst;
}

/* Costs up to a little more than there is time for. That of an in-between is whole steps,
 * so that rounding adds one step at most, for the pair. */
static GstVfiLatencyInput random_input(GRand *rand)
{
    GstClockTime frame = (GstClockTime)g_rand_int_range(rand, 8, 200) * MS + 1;
    guint multiplier = (guint)g_rand_int_range(rand, 2, 9);
    GstClockTime out_frame =
        frame * 16 / (GstClockTime)g_rand_int_range(rand, 16, 16 * 8);

    return (GstVfiLatencyInput){
        .grid = g_rand_boolean(rand),
        .multiplier = multiplier,
        .frame = frame,
        .out_frame = out_frame,
        .cost = (GstClockTime)g_rand_int_range(
                    rand, 0, (gint32)(3 * frame / (2 * multiplier * MS)) + 1) *
                MS,
        .pair_cost =
            (GstClockTime)g_rand_int_range(rand, 0, (gint32)(frame / (4 * US))) * US,
        .held_frames = (guint)g_rand_int_range(rand, 0, 4),
        .frames_after = (guint)g_rand_int_range(rand, 0, 3),
    };
}

/* Rows of any length; and, where the answer should be met exactly, of all the repeats
 * that are replaced, with an output right after the first frame. */
START_TEST(no_output_is_later_than_the_answer)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    guint n_played = 0;

    for (guint round = 0; round < 2000; round++) {
        GstVfiLatencyInput input = random_input(rand);
        guint any[N_ROWS], longest[N_ROWS];
        GstClockTime own, worst, offset;
        if (!gst_vfi_latency_own(&input, &own))
            continue;
        for (guint i = 0; i < N_ROWS; i++) {
            longest[i] = 1 + input.held_frames;
            any[i] = (guint)g_rand_int_range(rand, 1, MAX_IN_ROW + 1);
        }
        offset = g_rand_int(rand) % input.out_frame;
        ck_assert_uint_le(play(&input, offset, any) + GST_VFI_LATENCY_SLACK, own);
        worst = play(&input, 1, longest);
        ck_assert_uint_le(worst + GST_VFI_LATENCY_SLACK, own);
        ck_assert_uint_le(own, worst + GST_VFI_LATENCY_SLACK + GST_VFI_LATENCY_STEP);
        n_played++;
    }
    ck_assert_uint_ge(n_played, 500);
}
END_TEST

static const struct {
    gboolean live;
    GstClockTime min, max, own, queue;
    GstClockTime min_answer, max_answer;
} answers[] = {
    {FALSE, 5, 9, 3, 2, 5, 9},       {TRUE, 5, 9, 3, 2, 8, 14},
    {TRUE, 5, NONE, 3, 2, 8, NONE},  {TRUE, 0, NONE, 0, 0, 0, NONE},
    {TRUE, 0, 0, 0, 0, 0, 0},        {TRUE, 5, NONE - 2, 3, 2, 8, NONE - 1},
    {FALSE, 0, NONE, 3, 2, 0, NONE},
};

START_TEST(only_live_answers_grow)
{
    GstClockTime min = answers[_i].min, max = answers[_i].max;
    gst_vfi_latency_answer(answers[_i].live, answers[_i].own, answers[_i].queue, &min,
                           &max);
    ck_assert_uint_eq(min, answers[_i].min_answer);
    ck_assert_uint_eq(max, answers[_i].max_answer);
}
END_TEST

static const struct {
    GstClockTime reported, own;
    gboolean configured;
    gboolean post;
} changes[] = {
    {100, 100, FALSE, FALSE},
    {100, 120, FALSE, FALSE},
    {100, 121, FALSE, TRUE},
    {100, 80, FALSE, FALSE},
    {100, 79, FALSE, TRUE},
    {0, 1, FALSE, TRUE},
    {0, 0, FALSE, FALSE},
    {100, 101, TRUE, TRUE},
    {100, 100, TRUE, FALSE},
    {100, 0, FALSE, TRUE},
    /* More than the slack is more than there is. */
    {100 * MS, 104 * MS, FALSE, FALSE},
    {100 * MS, 104 * MS + 1, FALSE, TRUE},
    {100 * MS, 81 * MS, FALSE, FALSE},
};

START_TEST(messages_need_a_change)
{
    ck_assert_int_eq(gst_vfi_latency_must_post(changes[_i].reported, changes[_i].own,
                                               changes[_i].configured),
                     changes[_i].post);
}
END_TEST

static const struct {
    GstClockTime base, running, pipeline, total;
    GstClockTime deadline;
} deadlines[] = {
    {1000, 50, 30, NONE, 1080}, {1000, 50, 30, 10, 1060},
    {1000, 50, 30, 40, 1080},   {1000, 50, 0, NONE, 1050},
    {NONE, 50, 30, 10, NONE},   {1000, NONE, 30, 10, NONE},
    {1000, 50, NONE, 10, NONE}, {NONE - 10, 50, 30, 10, NONE - 1},
};

START_TEST(deadlines_leave_downstream_its_share)
{
    ck_assert_uint_eq(gst_vfi_latency_deadline(deadlines[_i].base, deadlines[_i].running,
                                               deadlines[_i].pipeline,
                                               deadlines[_i].total),
                      deadlines[_i].deadline);
}
END_TEST

static void add_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_budget_gives_the_published_latency, 0,
                        G_N_ELEMENTS(published));
    tcase_add_loop_test(tcase, own_latency_follows_the_rules, 0, G_N_ELEMENTS(rules));
    add_thinned_loop_test(tcase, no_output_is_later_than_the_answer, 0, 5);
    tcase_add_loop_test(tcase, only_live_answers_grow, 0, G_N_ELEMENTS(answers));
    tcase_add_loop_test(tcase, messages_need_a_change, 0, G_N_ELEMENTS(changes));
    tcase_add_loop_test(tcase, deadlines_leave_downstream_its_share, 0,
                        G_N_ELEMENTS(deadlines));
}

int main(int argc, char **argv)
{
    gst_init(&argc, &argv);
    Suite *suite = suite_create("latency");
    TCase *tcase = tcase_create("latency");
    add_cases(tcase);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
