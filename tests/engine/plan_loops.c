/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loops in graphs and plans: what may not be is refused by name; states have places of
 * their own in both regions, and are copied there only where no op can write them. What
 * a plan with a loop computes: loops.c. */
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "check_main.h"
#include "layer_weights.h"
#include "plan/plan.h"

enum { WIDTH = 10, HEIGHT = 6, PLANE_BYTES = WIDTH * HEIGHT * 4 };

static VfiValue state_of_image(VfiGraph *graph, VfiState *state)
{
    VfiValue image = vfi_graph_image(graph, 0);

    *state = vfi_graph_new_state(graph, image);
    return image;
}

/* ---- what is refused --------------------------------------------------------------- */

static void update_nothing(VfiGraph *graph)
{
    VfiState state;

    state_of_image(graph, &state);
    vfi_graph_loop(graph, 0, 2);
}

static void have_no_loop(VfiGraph *graph)
{
    VfiState state;

    state_of_image(graph, &state);
}

static void update_twice(VfiGraph *graph)
{
    VfiState state;
    VfiValue image = state_of_image(graph, &state);

    vfi_graph_loop(graph, 0, 2);
    vfi_graph_update_state(graph, state, image);
    vfi_graph_update_state(graph, state, image);
}

static void update_with_another_shape(VfiGraph *graph)
{
    VfiState state;
    VfiValue image = state_of_image(graph, &state);

    vfi_graph_loop(graph, 0, 2);
    vfi_graph_update_state(graph, state, vfi_graph_slice(graph, image, 0, 2));
}

static void update_behind_the_loop(VfiGraph *graph)
{
    VfiState state;
    VfiValue image = state_of_image(graph, &state);
    int loop = vfi_graph_loop(graph, 0, 2);

    vfi_graph_segment(graph, loop);
    vfi_graph_update_state(graph, state, image);
}

static void read_before_the_loop(VfiGraph *graph)
{
    VfiState state;

    state_of_image(graph, &state);
    vfi_graph_state(graph, state);
}

static void read_beside_the_loop(VfiGraph *graph)
{
    VfiState state;
    VfiValue image = state_of_image(graph, &state);

    vfi_graph_loop(graph, 0, 2);
    vfi_graph_update_state(graph, state, image);
    vfi_graph_segment(graph, 0);
    vfi_graph_state(graph, state);
}

/* The state that the last round found is gone behind the loop, with its channels. */
static void keep_what_a_round_found(VfiGraph *graph)
{
    VfiState state;
    VfiValue image = state_of_image(graph, &state);
    int loop = vfi_graph_loop(graph, 0, 2);
    VfiValue found = vfi_graph_slice(graph, vfi_graph_state(graph, state), 1, 2);

    vfi_graph_update_state(graph, state, image);
    vfi_graph_segment(graph, loop);
    vfi_graph_sigmoid(graph, found);
}

static void loop_twice(VfiGraph *graph)
{
    int loop = vfi_graph_loop(graph, 0, 2);

    vfi_graph_loop(graph, loop, 2);
}

static void loop_never(VfiGraph *graph)
{
    vfi_graph_loop(graph, 0, 0);
}

static void loop_beyond_what_noise_counts(VfiGraph *graph)
{
    vfi_graph_loop(graph, 0, 65537);
}

static void loop_behind_nothing(VfiGraph *graph)
{
    vfi_graph_loop(graph, 1, 2);
}

static void make_a_state_in_the_loop(VfiGraph *graph)
{
    VfiState state;

    vfi_graph_loop(graph, 0, 2);
    state_of_image(graph, &state);
}

static void make_a_state_too_early(VfiGraph *graph)
{
    VfiState state;

    state_of_image(graph, &state);
    vfi_graph_loop(graph, vfi_graph_segment(graph, 0), 2);
}

static void read_what_is_no_state(VfiGraph *graph)
{
    vfi_graph_loop(graph, 0, 2);
    vfi_graph_state(graph, 0);
}

static const struct {
    void (*build)(VfiGraph *graph);
    const char *says;
} refusals[] = {
    {update_nothing, "state 0 is not updated in the loop"},
    {have_no_loop, "state 0 is never updated, since no loop follows"},
    {update_twice, "state 0 is updated twice"},
    {update_with_another_shape, "state 0 is 3×6×10, but is updated with 2×6×10"},
    {update_behind_the_loop, "state 0 is updated in segment 2"},
    {read_before_the_loop, "state 0 is asked for in segment 0"},
    {read_beside_the_loop, "state 0 is asked for in segment 2"},
    {keep_what_a_round_found,
     "operand 0 is a state as a round of the loop, segment 1, found it"},
    {loop_twice, "a second loop, segment 2: segment 1 is one already"},
    {loop_never, "a loop of 0 rounds: expected 1 to 65536"},
    {loop_beyond_what_noise_counts, "a loop of 65537 rounds: expected 1 to 65536"},
    {loop_behind_nothing, "a loop that follows segment 1: expected 0 to 0"},
    {make_a_state_in_the_loop, "a new state in segment 1, but the loop, segment 1"},
    {make_a_state_too_early, "made in segment 0, but the loop follows segment 1"},
    {read_what_is_no_state, "state 0 is none of this graph, which has 0"},
};

START_TEST(what_may_not_be_is_refused)
{
    VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
    g_autoptr(GError) checked = NULL;
    g_autoptr(GError) planned = NULL;

    refusals[_i].build(graph);
    ck_assert(!vfi_graph_check(graph, &checked));
    ck_assert(g_error_matches(checked, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    if (strstr(checked->message, refusals[_i].says) == NULL)
        ck_abort_msg("\"%s\" lacks \"%s\"", checked->message, refusals[_i].says);
    ck_assert_ptr_null(vfi_plan_new(graph, NULL, VFI_REGION_ARENA, &planned));
    ck_assert_str_eq(planned->message, checked->message);
    vfi_graph_free(graph);
}
END_TEST

/* After the first error nothing happens any more, whatever is asked. */
START_TEST(errors_stick)
{
    VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
    VfiState state;

    vfi_graph_fail(graph, "the first error");
    VfiValue image = state_of_image(graph, &state);
    ck_assert_int_eq(state, VFI_NO_STATE);
    vfi_graph_loop(graph, 7, -1);
    ck_assert_int_eq(vfi_graph_state(graph, state), VFI_NO_VALUE);
    vfi_graph_update_state(graph, state, image);
    ck_assert_str_eq(vfi_graph_error(graph)->message, "the first error");
    vfi_graph_free(graph);
}
END_TEST

/* Stages whose results are kept run once, whatever seeds the noise of later pairs. */
START_TEST(kept_stages_have_no_loop_and_no_noise)
{
    static const struct {
        VfiRegion region;
        bool has_loop;
        const char *says;
    } stages[] = {{VFI_REGION_FRAME0, true, "the per-frame stage has a loop"},
                  {VFI_REGION_PAIR, true, "the per-pair stage has a loop"},
                  {VFI_REGION_FRAME0, false, "the per-frame stage draws noise"},
                  {VFI_REGION_PAIR, false, "the per-pair stage draws noise"}};

    for (size_t i = 0; i < G_N_ELEMENTS(stages); i++) {
        VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
        g_autoptr(GError) error = NULL;
        VfiValue x = vfi_graph_sigmoid(graph, vfi_graph_image(graph, 0));
        if (stages[i].has_loop)
            vfi_graph_loop(graph, 0, 2);
        else
            x = vfi_graph_noise(graph, 4, HEIGHT, WIDTH);
        vfi_graph_output(graph, "x", x);
        ck_assert_ptr_null(vfi_plan_new(graph, NULL, stages[i].region, &error));
        ck_assert_ptr_nonnull(strstr(error->message, stages[i].says));
        vfi_graph_free(graph);
    }
}
END_TEST

/* ---- what plans say ---------------------------------------------------------------- */

START_TEST(plans_tell_rounds_and_who_writes_states)
{
    VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
    VfiState one, three;

    vfi_graph_segment(graph, 0);
    VfiValue image = state_of_image(graph, &three);
    one = vfi_graph_new_state(graph, vfi_graph_slice(graph, image, 1, 1));
    int loop = vfi_graph_loop(graph, 1, 5);
    vfi_graph_update_state(graph, one, vfi_graph_state(graph, one));
    vfi_graph_update_state(graph, three, vfi_graph_state(graph, three));
    vfi_graph_segment(graph, loop);
    vfi_graph_segment(graph, 1);
    VfiPlan *plan = vfi_plan_new(graph, NULL, VFI_REGION_ARENA, NULL);

    ck_assert_int_eq(plan->n_segments, 5);
    for (int s = 0; s < plan->n_segments; s++) {
        ck_assert_int_eq(plan->segments[s].rounds, s == loop ? 5 : 1);
        ck_assert_int_eq(plan->segments[s].writes_state, s == 1 || s == loop);
    }
    ck_assert_uint_eq(plan->state_bytes, vfi_align_up(3 * PLANE_BYTES, VFI_ALIGNMENT) +
                                             vfi_align_up(PLANE_BYTES, VFI_ALIGNMENT));
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

START_TEST(a_loop_may_have_no_state)
{
    VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
    VfiValue image = vfi_graph_image(graph, 0);
    int loop = vfi_graph_loop(graph, 0, 65536);

    vfi_graph_output(graph, "x", vfi_graph_sigmoid(graph, image));
    VfiPlan *plan = vfi_plan_new(graph, NULL, VFI_REGION_ARENA, NULL);
    ck_assert_int_eq(plan->segments[loop].rounds, 65536);
    ck_assert(!plan->segments[loop].writes_state);
    ck_assert_uint_eq(plan->state_bytes, 0);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

/* ---- where states are written ------------------------------------------------------ */

static const TestLayer layers[] = {{"wide", 3, 32, 3}, {"next", 32, 32, 3}};

/* Two states: an op's result, and another one that something behind the loop reads. */
static void build_ops(VfiGraph *graph)
{
    VfiValue image = vfi_graph_image(graph, 0);
    VfiState a = vfi_graph_new_state(graph, vfi_graph_sigmoid(graph, image));
    VfiState b = vfi_graph_new_state(graph, vfi_graph_affine(graph, image, 2.0f, 0.0f));
    int loop = vfi_graph_loop(graph, 0, 3);
    VfiValue next =
        vfi_graph_add(graph, vfi_graph_state(graph, a), vfi_graph_state(graph, b), 0.5f);

    vfi_graph_update_state(graph, a, vfi_graph_clamp(graph, next, 0.0f, 1.0f));
    vfi_graph_update_state(graph, b, next);
    vfi_graph_segment(graph, loop);
    vfi_graph_output(graph, "x", vfi_graph_sub(graph, next, image, 1.0f));
}

/* Convolutions read and write both. */
static void build_convs(VfiGraph *graph)
{
    VfiValue x = vfi_graph_conv(graph, vfi_graph_image(graph, 0), "wide", 32, 3, 1);
    VfiState a = vfi_graph_new_state(graph, x), b = vfi_graph_new_state(graph, x);
    int loop = vfi_graph_loop(graph, 0, 3);
    VfiValue next = vfi_graph_conv(graph, vfi_graph_state(graph, a), "next", 32, 3, 1);

    next = vfi_graph_conv(graph, next, "next", 32, 3, 1);
    vfi_graph_update_state(graph, a, next);
    vfi_graph_update_state(graph, b, next);
    vfi_graph_segment(graph, loop);
    x = vfi_graph_conv(graph, vfi_graph_state(graph, b), "next", 32, 3, 1);
    vfi_graph_output(graph, "x", x);
}

/* An input, an exchange of two states, a slice, a concat, an output. */
static void build_copies(VfiGraph *graph)
{
    VfiValue image = vfi_graph_image(graph, 0), x = vfi_graph_sigmoid(graph, image);
    VfiState a = vfi_graph_new_state(graph, image), b = vfi_graph_new_state(graph, x);
    VfiState c = vfi_graph_new_state(graph, vfi_graph_slice(graph, x, 0, 1));
    VfiState d = vfi_graph_new_state(graph, x);

    vfi_graph_loop(graph, 0, 3);
    VfiValue was_a = vfi_graph_state(graph, a), was_b = vfi_graph_state(graph, b);
    VfiValue parts[] = {vfi_graph_slice(graph, vfi_graph_state(graph, d), 0, 2),
                        vfi_graph_state(graph, c)};
    vfi_graph_update_state(graph, a, was_b);
    vfi_graph_update_state(graph, b, was_a);
    vfi_graph_update_state(graph, c, vfi_graph_slice(graph, was_a, 2, 1));
    vfi_graph_update_state(graph, d, vfi_graph_concat(graph, parts, 2));
    vfi_graph_output(graph, "x", vfi_graph_state(graph, a));
}

static const struct {
    void (*build)(VfiGraph *graph);
    int copies; /* that write states */
} writers[] = {
    {build_ops, 1},
    {build_convs, 2},
    /* of all first values but b's, and of all next ones */
    {build_copies, 3 + 4},
};

static const VfiPlanTarget targets[] = {
    {0},
    {.row_groups = true},
    {.channel_block = 16},
    {.channel_block = 8, .channels_last = true, .row_groups = true},
    {.channel_block = 8, .channels_last = true, .half_pixels = true, .row_groups = true},
};

static bool always(const VfiOp *op)
{
    (void)op;
    return true;
}

static bool is_copy(const VfiOp *op)
{
    return op->kind == VFI_OP_COPY && !vfi_operand_is_blocked(&op->src[0]);
}

/* Whatever the target, states are planes of f32 at the same place wherever they are read
 * and written, nothing writes what is read, and nothing reads what is to be read later
 * from another segment. */
static void check_states(const VfiPlan *plan)
{
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        ck_assert_int_ne(op->dst.region, VFI_REGION_STATE);
        for (int s = -1; s < op->n_src; s++) {
            const VfiOperand *operand = s < 0 ? &op->dst : &op->src[s];
            if (operand->region != VFI_REGION_STATE &&
                operand->region != VFI_REGION_NEXT_STATE)
                continue;
            ck_assert(!operand->half && !vfi_operand_is_blocked(operand));
            ck_assert_uint_le(operand->offset + vfi_shape_elements(operand->shape) * 4,
                              plan->state_bytes);
        }
    }
    for (int i = 0; i < plan->n_outputs; i++)
        ck_assert_int_eq(plan->outputs[i].operand.region, VFI_REGION_ARENA);
}

START_TEST(states_are_written_in_place_where_they_can_be)
{
    VfiWeights *weights = weights_of_layers(layers, G_N_ELEMENTS(layers));

    for (size_t t = 0; t < G_N_ELEMENTS(targets); t++) {
        VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
        VfiPlanTarget target = targets[t];
        g_autoptr(GError) error = NULL;
        int copies = 0;
        target.gains_from_blocks = always;
        writers[_i].build(graph);
        VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, &error);
        ck_assert_msg(plan != NULL, "%s", error != NULL ? error->message : "");
        for (int i = 0; i < plan->n_ops; i++)
            copies += plan->ops[i].dst.region == VFI_REGION_NEXT_STATE &&
                      is_copy(&plan->ops[i]);
        check_states(plan);
        ck_assert_int_eq(copies, writers[_i].copies);
        vfi_plan_free(plan);
        vfi_graph_free(graph);
    }
    vfi_weights_free(weights);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_loops");
    TCase *tcase = tcase_create("plan_loops");

    tcase_add_loop_test(tcase, what_may_not_be_is_refused, 0,
                        (int)G_N_ELEMENTS(refusals));
    tcase_add_test(tcase, errors_stick);
    tcase_add_test(tcase, kept_stages_have_no_loop_and_no_noise);
    tcase_add_test(tcase, plans_tell_rounds_and_who_writes_states);
    tcase_add_test(tcase, a_loop_may_have_no_state);
    tcase_add_loop_test(tcase, states_are_written_in_place_where_they_can_be, 0,
                        (int)G_N_ELEMENTS(writers));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
