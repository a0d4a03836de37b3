/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layouts in plans: values between convolutions are in channel blocks, what others read
 * is in planes, copies stand only where an op gains from them, and the numbers stay the
 * same. */
#include <string.h>

#include <vfi/error.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "check_main.h"
#include "close_values.h"
#include "layer_weights.h"

#define WIDTH 44
#define HEIGHT 36

static const TestLayer layers[] = {
    {"first", 3, 32, 3}, {"second", 32, 32, 3}, {"third", 32, 40, 3}, {"wide", 35, 32, 3},
    {"small", 32, 5, 3}, {"up", 32, 20, -4},    {"narrow", 20, 4, 1}, {"side", 16, 16, 3},
    {"most", 28, 28, 3}, {"both", 64, 32, 3},   {"two", 16, 32, 3},   {"four", 8, 32, 3},
    {"half", 32, 16, 3},
};

static VfiWeights *make_weights(void)
{
    return weights_of_layers(layers, G_N_ELEMENTS(layers));
}

static VfiValue conv(VfiGraph *graph, VfiValue x, int layer, int stride)
{
    x = vfi_graph_conv(graph, x, layers[layer].name, layers[layer].out,
                       layers[layer].kernel, stride);
    return vfi_graph_prelu(graph, x,
                           vfi_graph_key(graph, "%s.prelu", layers[layer].name));
}

/* A chain with a skip, as in a network's block; the first output. */
static void build_chain(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 2), y = x;

    for (int i = 0; i < 3; i++)
        y = conv(graph, y, 1, 1);
    y = vfi_graph_add(graph, y, x, 1.0f);
    y = vfi_graph_conv_transpose(graph, y, "up", 20);
    y = vfi_graph_prelu(graph, y, "up.prelu");
    vfi_graph_output(graph, "x", vfi_graph_conv(graph, y, "narrow", 4, 1, 1));
}

/* Values that others read as planes: a concatenation, a resize, a residual, an output. */
static void build_mixed(VfiGraph *graph)
{
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue x = conv(graph, image, 0, 1);
    VfiValue parts[] = {x, image};
    VfiValue wide = conv(graph, vfi_graph_concat(graph, parts, 2), 3, 1);
    VfiValue half = vfi_graph_resize(graph, wide, HEIGHT / 2, WIDTH / 2, 1.0f);
    VfiValue skip = vfi_graph_resize(graph, half, HEIGHT, WIDTH, 2.0f);
    VfiValue y = vfi_graph_add(graph, conv(graph, wide, 1, 1), skip, 1.0f);

    vfi_graph_output(graph, "y", conv(graph, y, 2, 1));
    vfi_graph_output(graph, "x", conv(graph, y, 4, 1));
}

/* A layer of stride 2 that reads planes. */
static void build_halving(VfiGraph *graph)
{
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue parts[] = {conv(graph, image, 0, 1), image};

    vfi_graph_output(graph, "x", conv(graph, vfi_graph_concat(graph, parts, 2), 3, 2));
}

/* Two values side by side, of which the first is read by itself as well. */
static void build_joined(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 1);
    VfiValue parts[] = {x, conv(graph, x, 1, 1)};

    x = conv(graph, vfi_graph_concat(graph, parts, 2), 9, 1);
    vfi_graph_output(graph, "x", conv(graph, x, 4, 1));
}

/* The channels of @x from @first on through @layer, the others as they are. */
static VfiValue replace(VfiGraph *graph, VfiValue x, int first, int layer)
{
    VfiValue parts[] = {
        vfi_graph_slice(graph, x, 0, first),
        conv(graph, vfi_graph_slice(graph, x, first, 32 - first), layer, 1),
    };

    return vfi_graph_concat(graph, parts, 2);
}

/* As in IFRNet's residual blocks, cut at whole blocks. */
static void build_replaced(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 1), y = x;

    y = conv(graph, replace(graph, conv(graph, y, 1, 1), 16, 7), 1, 1);
    y = conv(graph, replace(graph, y, 16, 7), 1, 1);
    y = vfi_graph_add(graph, y, x, 1.0f);
    vfi_graph_output(graph, "y", conv(graph, y, 4, 1));
}

/* What some channels are replaced of is read later: it must not be overwritten. */
static void build_replaced_and_read(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 1);
    VfiValue y = conv(graph, replace(graph, x, 16, 7), 1, 1);
    VfiValue z = conv(graph, vfi_graph_slice(graph, x, 16, 16), 7, 1);
    VfiValue w = conv(graph, replace(graph, x, 16, 7), 1, 1);

    vfi_graph_output(graph, "x", conv(graph, vfi_graph_add(graph, y, w, 1.0f), 4, 1));
    vfi_graph_output(graph, "z", z);
}

/* The halves of a value exchanged. */
static void build_swapped(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 1);
    VfiValue parts[] = {vfi_graph_slice(graph, x, 16, 16),
                        vfi_graph_slice(graph, x, 0, 16)};

    x = conv(graph, vfi_graph_concat(graph, parts, 2), 1, 1);
    vfi_graph_output(graph, "x", conv(graph, x, 4, 1));
}

/* Cut within a block. */
static void build_replaced_within(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 1);

    x = conv(graph, replace(graph, x, 4, 8), 1, 1);
    vfi_graph_output(graph, "x", conv(graph, x, 4, 1));
}

/* Two groups are whole blocks at every level, four may be half ones: these have
 * planes. */
static void build_groups(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), 0, 2);

    x = vfi_graph_group_conv(graph, x, "two", 32, 3, 1, 2);
    x = vfi_graph_group_conv(graph, vfi_graph_leaky_relu(graph, x, 0.2f), "two", 32, 3, 1,
                             2);
    x = vfi_graph_conv(graph, x, "second", 32, 3, 1);
    vfi_graph_output(graph, "x", vfi_graph_conv(graph, x, "small", 5, 3, 1));
    vfi_graph_output(graph, "y", vfi_graph_group_conv(graph, x, "four", 32, 3, 1, 4));
}

static void run(VfiDevice *device, const VfiPlan *plan, const float *image, char *arena)
{
    VfiProgram *program = vfi_backend_cpu.compile(device, plan, NULL);
    VfiRunArguments arguments = {.region = {arena, (char *)(uintptr_t)image}};

    ck_assert_ptr_nonnull(program);
    ck_assert(vfi_backend_cpu.run(device, program, 0, &arguments, NULL));
    vfi_backend_cpu.program_free(device, program);
}

/* Copies from one layout to the other. */
static int count_copies(const VfiPlan *plan)
{
    int n = 0;

    for (int i = 0; i < plan->n_ops; i++)
        n += plan->ops[i].kind == VFI_OP_COPY &&
             plan->ops[i].src[0].block != plan->ops[i].dst.block;
    return n;
}

/* Channels that are copied as they are. */
static int count_moved_channels(const VfiPlan *plan)
{
    int n = 0;

    for (int i = 0; i < plan->n_ops; i++)
        if (plan->ops[i].kind == VFI_OP_COPY &&
            plan->ops[i].src[0].block == plan->ops[i].dst.block)
            n += plan->ops[i].dst.shape.c;
    return n;
}

/* Every output of both plans, compared. */
static void compare_outputs(const VfiPlan *plan, const char *arena, const VfiPlan *planar,
                            const char *planar_arena)
{
    ck_assert_int_eq(plan->n_outputs, planar->n_outputs);
    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiOperand *a = &plan->outputs[i].operand, *b = &planar->outputs[i].operand;
        const float *x = (const float *)(const void *)(arena + a->offset);
        const float *y = (const float *)(const void *)(planar_arena + b->offset);
        ck_assert(!vfi_operand_is_blocked(a));
        check_close(plan->outputs[i].name, x, y, vfi_shape_elements(a->shape), 1e-5);
    }
}

static const struct {
    void (*build)(VfiGraph *graph);
    int copies; /* at a level with blocks of at most 16 channels */
    int moved_channels;
} cases[] = {
    {build_chain, 0, 0},
    /* the concatenation and skip are copied to blocks, wide and the first output to
     * planes */
    {build_mixed, 4, 3},
    /* stride 2 is not worth copies */
    {build_halving, 0, 3},
    {build_joined, 0, 0},
    /* the new channels alone, twice */
    {build_replaced, 0, 2 * 16},
    /* the first time also the kept ones; z to planes */
    {build_replaced_and_read, 1, 16 + 16},
    {build_swapped, 0, 32},
    /* the slice to blocks, what replaces it to planes, the concatenation to blocks */
    {build_replaced_within, 3, 4},
    /* "second" to planes, which the four groups read */
    {build_groups, 1, 0},
};

START_TEST(blocked_plans_compute_the_same)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    VfiDevice *device = vfi_backend_cpu.open(
        &(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiPlanTarget target;
    float *image = vfi_try_alloc(WIDTH * HEIGHT, 3 * sizeof(float), "image", NULL);

    for (int i = 0; i < 3 * WIDTH * HEIGHT; i++)
        image[i] = (float)(i % 251) / 251.0f;
    cases[_i].build(graph);
    vfi_backend_cpu.plan_target(device, &target);
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    VfiPlan *planar = vfi_plan_new(graph, NULL, VFI_REGION_ARENA, NULL);
    ck_assert_int_eq(count_copies(planar), 0);
    ck_assert_int_eq(count_copies(plan), target.channel_block > 1 ? cases[_i].copies : 0);
    if (target.channel_block > 1)
        ck_assert_int_eq(count_moved_channels(plan), cases[_i].moved_channels);

    char *arena = vfi_try_alloc(plan->arena_bytes, 1, "arena", NULL);
    char *planar_arena = vfi_try_alloc(planar->arena_bytes, 1, "arena", NULL);
    memset(arena, 0xff, plan->arena_bytes); /* not a number */
    memset(planar_arena, 0xff, planar->arena_bytes);
    run(device, plan, image, arena);
    run(device, planar, image, planar_arena);
    compare_outputs(plan, arena, planar, planar_arena);

    vfi_free(arena);
    vfi_free(planar_arena);
    vfi_free(image);
    vfi_plan_free(plan);
    vfi_plan_free(planar);
    vfi_backend_cpu.close(device);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
}
END_TEST

static bool never(const VfiOp *op)
{
    (void)op;
    return false;
}

/* Without anything to gain, only values between convolutions are blocked; a channel
 * number that is no multiple of the block is rounded up in memory. */
START_TEST(only_values_between_convolutions_are_blocked)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    VfiPlanTarget target = {.channel_block = 16, .gains_from_blocks = never};

    build_chain(graph);
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        ck_assert_int_eq(vfi_operand_is_blocked(&op->src[0]), i > 0);
        ck_assert_int_eq(vfi_operand_is_blocked(&op->dst), i < plan->n_ops - 1);
        if (op->kind == VFI_OP_CONV_TRANSPOSE)
            ck_assert_uint_ge(plan->arena_bytes,
                              sizeof(float) * 32 *
                                  (size_t)(op->dst.shape.h * op->dst.shape.w));
    }
    vfi_plan_free(plan);
    vfi_graph_free(graph);

    graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    build_mixed(graph);
    plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    ck_assert_int_eq(count_copies(plan), 0);
    for (int i = 0; i < plan->n_ops; i++)
        if (plan->ops[i].kind != VFI_OP_CONV)
            ck_assert(!vfi_operand_is_blocked(&plan->ops[i].src[0]));
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
}
END_TEST

/* ---- channels last ----------------------------------------------------------------- */

/* The input of a network's block: halves of two pictures, of a warped one and the flow,
 * the time, and 16 channels that a convolution made; 28 in all. */
static void build_block_input(VfiGraph *graph)
{
    VfiValue images[] = {vfi_graph_image(graph, 0), vfi_graph_image(graph, 1)};
    VfiValue small = vfi_graph_resize(graph, images[1], HEIGHT / 4, WIDTH / 4, 8.0f);
    VfiValue flow =
        vfi_graph_resize(graph, vfi_graph_slice(graph, small, 0, 2), HEIGHT, WIDTH, 4.0f);
    VfiValue warped = vfi_graph_warp(graph, images[0], flow);
    VfiValue from[] = {images[0], images[1], warped, flow}, parts[6];

    for (int i = 0; i < 4; i++)
        parts[i] = vfi_graph_resize(graph, from[i], HEIGHT / 2, WIDTH / 2, 1.0f);
    parts[4] =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, HEIGHT / 2, WIDTH / 2, 1.0f, 0.0f);
    parts[5] = vfi_graph_conv(graph, conv(graph, images[0], 0, 2), "half", 16, 3, 1);
    vfi_graph_output(
        graph, "x",
        vfi_graph_conv(graph, vfi_graph_concat(graph, parts, 6), "most", 28, 3, 1));
}

/* Whether @op writes a part of what @source, channels last, is; @first: its first
 * channel. */
static bool writes_part_of(const VfiOp *op, const VfiOperand *source, int *first)
{
    const VfiOperand *dst = &op->dst;

    *first = ((int)dst->offset - (int)source->offset) / (int)sizeof(uint16_t);
    return dst->region == source->region && dst->block == source->block &&
           dst->offset >= source->offset && *first < source->shape.c;
}

/* What a convolution alone reads is written where it reads it, by a group or a
 * convolution, each channel once, and zeros after the last alone. */
START_TEST(parts_are_written_where_they_are_read)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    VfiPlanTarget target = vfi_plan_target_channels_last(true);
    int written = 0;

    build_block_input(graph);
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    ck_assert_ptr_nonnull(plan);
    const VfiOperand *source = &plan->ops[plan->n_ops - 1].src[0];
    ck_assert_int_eq(source->shape.c, 28);
    ck_assert_int_eq(source->block, 32);
    ck_assert(source->half);
    for (int i = 0; i < plan->n_ops - 1; i++) {
        const VfiOp *op = &plan->ops[i];
        int first;
        if (!writes_part_of(op, source, &first))
            continue;
        ck_assert_int_ne(op->kind, VFI_OP_COPY);
        ck_assert_int_eq(op->dst.followed, first + op->dst.shape.c < 28);
        written += op->dst.shape.c;
    }
    ck_assert_int_eq(written, 28);
    /* what the flow is made from; pictures, their warp, the flow and the time */
    ck_assert_int_eq(plan->n_row_groups, 2);
    ck_assert_int_eq(plan->row_groups[1].h, HEIGHT);
    /* the conv's input takes more than all else: no part has memory of its own */
    ck_assert_uint_le(plan->arena_bytes, (size_t)WIDTH * HEIGHT * 64 * sizeof(uint16_t));
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
}
END_TEST

/* A value of planes that two convolutions read is copied once. */
START_TEST(planes_are_copied_once)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    VfiPlanTarget target = vfi_plan_target_channels_last(true);
    VfiValue image = vfi_graph_image(graph, 0);

    vfi_graph_output(graph, "x", vfi_graph_conv(graph, image, "first", 32, 3, 1));
    vfi_graph_output(graph, "y", vfi_graph_conv(graph, image, "first", 32, 3, 2));
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    ck_assert_int_eq(count_copies(plan), 1);
    ck_assert_int_eq(plan->n_ops, 3);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
}
END_TEST

static const struct {
    void (*build)(VfiGraph *graph);
    int copies, channels; /* of channels-last values, and all of their channels */
} last_cases[] = {
    {build_replaced, 0, 0},
    /* what is kept, the first time: x is read again */
    {build_replaced_and_read, 1, 16},
    {build_swapped, 2, 32},
    /* what a convolution reads from channel 4 on */
    {build_replaced_within, 1, 28},
};

START_TEST(channels_are_replaced_in_place)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    VfiPlanTarget target = vfi_plan_target_channels_last(true);
    int copies = 0, channels = 0;

    last_cases[_i].build(graph);
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        if (op->kind == VFI_OP_CONV)
            ck_assert_uint_eq(op->src[0].offset % 16, 0);
        if (op->kind != VFI_OP_COPY || !vfi_operand_is_blocked(&op->src[0]))
            continue;
        copies++;
        channels += op->dst.shape.c;
    }
    ck_assert_int_eq(copies, last_cases[_i].copies);
    ck_assert_int_eq(channels, last_cases[_i].channels);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_layout");
    TCase *tcase = tcase_create("plan_layout");

    tcase_add_loop_test(tcase, blocked_plans_compute_the_same, 0,
                        (int)G_N_ELEMENTS(cases));
    tcase_add_test(tcase, only_values_between_convolutions_are_blocked);
    tcase_add_test(tcase, parts_are_written_where_they_are_read);
    tcase_add_test(tcase, planes_are_copied_once);
    tcase_add_loop_test(tcase, channels_are_replaced_in_place, 0,
                        (int)G_N_ELEMENTS(last_cases));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
