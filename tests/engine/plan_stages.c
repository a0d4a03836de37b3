/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results that stages keep for others: whatever the layout that they are kept in, and
 * whatever reads them, the numbers are those of plans in planes; and what cannot be kept
 * is refused. */
#include <string.h>

#include <vfi/error.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "base/f16.h"
#include "check_main.h"
#include "close_values.h"
#include "layer_weights.h"
#include "model/family.h"

#define WIDTH 45
#define HEIGHT 38

static const TestLayer layers[] = {
    {"first", 3, 32, 3},   {"second", 32, 32, 3}, {"flow", 64, 2, 1},
    {"beside", 67, 32, 3}, {"slice", 20, 16, 3},  {"both", 96, 16, 3},
    {"split", 170, 48, 3}, {"double", 64, 32, 2}, {"half", 64, 24, 3},
};

static VfiWeights *make_weights(void)
{
    return weights_of_layers(layers, G_N_ELEMENTS(layers));
}

static VfiValue conv(VfiGraph *graph, VfiValue x, const char *layer)
{
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++)
        if (strcmp(layers[i].name, layer) == 0)
            return vfi_graph_leaky_relu(
                graph,
                vfi_graph_conv(graph, x, layer, layers[i].out, layers[i].kernel, 1),
                0.2f);
    ck_abort_msg("no layer %s", layer);
    return VFI_NO_VALUE;
}

/* Keeps a concat of 64 channels, one of its parts, and three channels. */
static void build_frame(VfiGraph *graph)
{
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue x = conv(graph, image, "first");
    VfiValue parts[] = {x, conv(graph, x, "second")};

    vfi_graph_output(graph, "wide", vfi_graph_concat(graph, parts, 2));
    vfi_graph_output(graph, "single", conv(graph, parts[1], "second"));
    vfi_graph_output(graph, "few", vfi_graph_affine(graph, image, 2.0f, 0.5f));
}

static void build_pair(VfiGraph *graph)
{
    VfiValue flow = conv(graph, vfi_graph_feature(graph, 0, "wide"), "flow");

    vfi_graph_output(graph, "flow", vfi_graph_affine(graph, flow, 6.0f, 0.3f));
    vfi_graph_output(graph, "mix",
                     conv(graph, vfi_graph_feature(graph, 0, "single"), "second"));
}

/* Everything that may read what is kept, one output each. */
static void build_time(VfiGraph *graph)
{
    VfiValue wide = vfi_graph_feature(graph, 0, "wide");
    VfiValue single = vfi_graph_feature(graph, 0, "single");
    VfiValue few = vfi_graph_feature(graph, 0, "few");
    VfiValue flow = vfi_graph_pair_value(graph, "flow");
    VfiValue mix = vfi_graph_pair_value(graph, "mix");

    VfiValue beside[] = {few, vfi_graph_warp(graph, wide, flow)};
    vfi_graph_output(graph, "beside",
                     conv(graph, vfi_graph_concat(graph, beside, 2), "beside"));
    vfi_graph_output(graph, "affine", vfi_graph_affine(graph, single, -1.0f, 1.0f));
    vfi_graph_output(graph, "slice",
                     conv(graph, vfi_graph_slice(graph, wide, 21, 20), "slice"));
    vfi_graph_output(graph, "sum",
                     vfi_graph_add(graph, conv(graph, mix, "second"), single, 1.0f));
    VfiValue beside_blank[] = {vfi_graph_constant(graph, "blank"), mix,
                               vfi_graph_constant(graph, "ones"), flow};
    vfi_graph_output(graph, "blank",
                     conv(graph, vfi_graph_concat(graph, beside_blank, 4), "beside"));
    VfiValue both[] = {wide, mix};
    vfi_graph_output(graph, "both",
                     conv(graph, vfi_graph_concat(graph, both, 2), "both"));
    VfiValue split[] = {few,  vfi_graph_warp(graph, wide, flow),  mix, flow,
                        wide, vfi_graph_slice(graph, flow, 0, 2), few};
    vfi_graph_output(graph, "split",
                     conv(graph, vfi_graph_concat(graph, split, 7), "split"));
    VfiValue twice = vfi_graph_nearest(graph, wide, 2 * HEIGHT + 1, 2 * WIDTH);
    vfi_graph_output(graph, "double", vfi_graph_conv(graph, twice, "double", 32, 2, 1));
    vfi_graph_output(graph, "half", conv(graph, vfi_graph_avg_pool(graph, wide), "half"));
    vfi_graph_output(graph, "resized",
                     vfi_graph_resize(graph, single, HEIGHT / 2, WIDTH / 2, 1.0f));
}

/* Of no frame: a convolution of a plane of ones, and the plane. */
static void build_constant(VfiGraph *graph)
{
    VfiValue ones =
        vfi_graph_run_input(graph, VFI_RUN_INPUT_STEP, HEIGHT, WIDTH, 0.0f, 1.0f);
    VfiValue planes[] = {ones, ones, ones};

    vfi_graph_output(graph, "blank",
                     conv(graph, vfi_graph_concat(graph, planes, 3), "first"));
    vfi_graph_output(graph, "ones", vfi_graph_affine(graph, ones, 1.0f, 0.0f));
}

static void (*const builders[VFI_STAGE_COUNT])(VfiGraph *graph) = {
    [VFI_STAGE_CONSTANT] = build_constant,
    [VFI_STAGE_FRAME] = build_frame,
    [VFI_STAGE_PAIR] = build_pair,
    [VFI_STAGE_TIME] = build_time,
};

/* All stages run once, and their memory. */
typedef struct {
    VfiGraph *graphs[VFI_STAGE_COUNT];
    VfiPlan *plans[VFI_STAGE_COUNT];
    char *constant, *frame, *pair, *arena[VFI_STAGE_COUNT];
} Stages;

static char *fresh_memory(size_t bytes)
{
    char *memory = vfi_try_alloc(bytes + 1, 1, "test memory", NULL);

    ck_assert_ptr_nonnull(memory);
    memset(memory, 0xff, bytes); /* not a number */
    return memory;
}

static void run_stage(VfiDevice *device, Stages *stages, int stage)
{
    VfiProgram *program = vfi_backend_cpu.compile(device, stages->plans[stage], NULL);
    VfiRunArguments arguments = {.inputs.value[VFI_RUN_INPUT_TIME] = 0.5f};

    ck_assert_ptr_nonnull(program);
    stages->arena[stage] = fresh_memory(stages->plans[stage]->arena_bytes);
    arguments.region[VFI_REGION_ARENA] = stages->arena[stage];
    arguments.region[VFI_REGION_FRAME0] = stages->frame;
    arguments.region[VFI_REGION_PAIR] = stages->pair;
    arguments.region[VFI_REGION_CONSTANT] = stages->constant;
    ck_assert(vfi_backend_cpu.run(device, program, 0, &arguments, NULL));
    vfi_backend_cpu.program_free(device, program);
}

/* How the frame stage's results are kept. */
typedef enum {
    KEPT_F32,
    KEPT_F16,
    KEPT_ROUNDED, /* f32 that f16 has, too */
} Storage;

static void round_kept(const Stages *stages)
{
    const VfiPlan *plan = stages->plans[VFI_STAGE_FRAME];

    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiOperand *operand = &plan->outputs[i].operand;
        float *kept = (float *)(void *)(stages->frame + operand->offset);
        for (size_t at = 0; at < vfi_shape_floats(operand->shape, operand->block); at++)
            kept[at] = vfi_float_from_f16(vfi_f16_from_float(kept[at]));
    }
}

static Stages run_stages(VfiDevice *device, const VfiWeights *weights,
                         const VfiPlanTarget *common, Storage storage)
{
    Stages stages = {.frame = NULL};

    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        g_autoptr(GError) error = NULL;
        VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
        stages.graphs[stage] = graph;
        for (int earlier = 0; earlier < stage; earlier++)
            vfi_plan_declare_outputs(stages.plans[earlier], graph);
        builders[stage](graph);
        VfiPlanTarget target = *common;
        target.half_outputs = stage == VFI_STAGE_FRAME && storage == KEPT_F16;
        stages.plans[stage] = vfi_plan_new(
            graph, &target, vfi_stage_output_region((VfiStage)stage), &error);
        ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    }
    stages.constant = fresh_memory(stages.plans[VFI_STAGE_CONSTANT]->constant_bytes);
    stages.frame = fresh_memory(stages.plans[VFI_STAGE_FRAME]->frame_bytes);
    stages.pair = fresh_memory(stages.plans[VFI_STAGE_PAIR]->pair_bytes);
    for (int i = 0; i < 3 * WIDTH * HEIGHT; i++)
        ((float *)(void *)stages.frame)[i] = (float)(i % 251) / 251.0f;
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        run_stage(device, &stages, stage);
        if (stage == VFI_STAGE_FRAME && storage == KEPT_ROUNDED)
            round_kept(&stages);
    }
    return stages;
}

static void free_stages(Stages *stages)
{
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        vfi_plan_free(stages->plans[stage]);
        vfi_graph_free(stages->graphs[stage]);
        vfi_free(stages->arena[stage]);
    }
    vfi_free(stages->constant);
    vfi_free(stages->frame);
    vfi_free(stages->pair);
}

static const VfiPlanTarget planes = {0};

/* Outputs of the time stage differ by no more than @limit of the largest value. */
static void compare(const Stages *stages, const Stages *reference, double limit)
{
    const VfiPlan *plan = stages->plans[VFI_STAGE_TIME];

    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiOperand *a = &plan->outputs[i].operand;
        const VfiOperand *b = &reference->plans[VFI_STAGE_TIME]->outputs[i].operand;
        const float *x =
            (const float *)(const void *)(stages->arena[VFI_STAGE_TIME] + a->offset);
        const float *y =
            (const float *)(const void *)(reference->arena[VFI_STAGE_TIME] + b->offset);
        ck_assert(!vfi_operand_is_blocked(a));
        check_close(plan->outputs[i].name, x, y, vfi_shape_elements(a->shape), limit);
    }
}

START_TEST(kept_results_mean_the_same_in_any_layout)
{
    VfiWeights *weights = make_weights();
    VfiDevice *device = vfi_backend_cpu.open(
        &(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiPlanTarget target;

    vfi_backend_cpu.plan_target(device, &target);
    Stages stages = run_stages(device, weights, &target, KEPT_F32);
    Stages planar = run_stages(device, weights, &planes, KEPT_F32);
    compare(&stages, &planar, 3e-5);
    free_stages(&planar);
    free_stages(&stages);
    vfi_backend_cpu.close(device);
    vfi_weights_free(weights);
}
END_TEST

/* The same to the bit as if they were rounded; in blocks, where other sums are rounded,
 * up to f16's precision. They take half of the bytes. */
START_TEST(f16_rounds_what_is_kept_and_nothing_else)
{
    VfiWeights *weights = make_weights();
    VfiDevice *device = vfi_backend_cpu.open(
        &(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    size_t image = vfi_plan_image_bytes(WIDTH, HEIGHT);
    VfiPlanTarget target;

    vfi_backend_cpu.plan_target(device, &target);
    Stages rounded = run_stages(device, weights, &planes, KEPT_ROUNDED);
    Stages planar = run_stages(device, weights, &planes, KEPT_F16);
    Stages blocked = run_stages(device, weights, &target, KEPT_F16);
    compare(&planar, &rounded, 0.0);
    compare(&blocked, &rounded, 3e-3);
    ck_assert_uint_le(2 * (planar.plans[VFI_STAGE_FRAME]->frame_bytes - image),
                      rounded.plans[VFI_STAGE_FRAME]->frame_bytes - image +
                          6 * (size_t)VFI_ALIGNMENT);
    free_stages(&blocked);
    free_stages(&planar);
    free_stages(&rounded);
    vfi_backend_cpu.close(device);
    vfi_weights_free(weights);
}
END_TEST

START_TEST(wide_results_are_kept_in_blocks_and_few_channels_in_planes)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    VfiDevice *device = vfi_backend_cpu.open(
        &(VfiDeviceRequest){"cpu", 1, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiPlanTarget target;

    vfi_backend_cpu.plan_target(device, &target);
    build_frame(graph);
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_FRAME0, NULL);
    int block = target.channel_block > 1 ? target.channel_block : 0;
    ck_assert_int_eq(vfi_plan_output(plan, 0, "wide")->operand.block, block);
    ck_assert_int_eq(vfi_plan_output(plan, 0, "single")->operand.block, block);
    ck_assert_int_eq(vfi_plan_output(plan, 0, "few")->operand.block, 0);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    vfi_backend_cpu.close(device);
    vfi_weights_free(weights);
}
END_TEST

START_TEST(what_no_stage_keeps_is_an_error)
{
    VfiGraph *graph = vfi_graph_new(NULL, 8, 4);

    ck_assert_int_eq(vfi_graph_pair_value(graph, "flow"), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(
        strstr(vfi_graph_error(graph)->message, "per-pair stage has no output \"flow\""));
    vfi_graph_free(graph);

    graph = vfi_graph_new(NULL, 8, 4);
    ck_assert_int_eq(vfi_graph_constant(graph, "blank"), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(strstr(vfi_graph_error(graph)->message,
                                 "constant stage has no output \"blank\""));
    vfi_graph_free(graph);

    g_autoptr(GError) error = NULL;
    graph = vfi_graph_new(NULL, 8, 4);
    vfi_graph_output(graph, "x", vfi_graph_image(graph, 0));
    ck_assert_ptr_null(vfi_plan_new(graph, NULL, VFI_REGION_PAIR, &error));
    ck_assert_ptr_nonnull(
        strstr(error->message, "neither computed by an op nor a concat"));
    vfi_graph_free(graph);
}
END_TEST

START_TEST(a_constant_stage_sees_no_frame)
{
    static const VfiRunInput refused[] = {VFI_RUN_INPUT_TIME, VFI_RUN_INPUT_IMAGE_WIDTH,
                                          VFI_RUN_INPUT_IMAGE_HEIGHT};

    for (size_t i = 0; i <= G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        VfiGraph *graph = vfi_graph_new(NULL, 8, 4);
        VfiValue x = i == 0 ? vfi_graph_image(graph, 0)
                            : vfi_graph_run_input(graph, refused[i - 1], 4, 8, 1.0f, 0);
        vfi_graph_output(graph, "x", vfi_graph_affine(graph, x, 2.0f, 0.0f));
        ck_assert_ptr_null(vfi_plan_new(graph, NULL, VFI_REGION_CONSTANT, &error));
        ck_assert_ptr_nonnull(strstr(error->message, "the constant stage reads a frame"));
        vfi_graph_free(graph);
    }
}
END_TEST

START_TEST(sizes_that_do_not_fit_are_errors)
{
    VfiGraph *graph = vfi_graph_new(NULL, 8, 1);

    ck_assert_int_eq(vfi_graph_avg_pool(graph, vfi_graph_image(graph, 0)), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(
        strstr(vfi_graph_error(graph)->message, "1×8 cannot be halved"));
    vfi_graph_free(graph);
    graph = vfi_graph_new(NULL, 8, 4);
    ck_assert_int_eq(vfi_graph_nearest(graph, vfi_graph_image(graph, 0), 8, 7),
                     VFI_NO_VALUE);
    ck_assert_ptr_nonnull(strstr(vfi_graph_error(graph)->message, "makes it smaller"));
    vfi_graph_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_stages");
    TCase *tcase = tcase_create("plan_stages");

    tcase_add_test(tcase, kept_results_mean_the_same_in_any_layout);
    tcase_add_test(tcase, f16_rounds_what_is_kept_and_nothing_else);
    tcase_add_test(tcase, wide_results_are_kept_in_blocks_and_few_channels_in_planes);
    tcase_add_test(tcase, what_no_stage_keeps_is_an_error);
    tcase_add_test(tcase, a_constant_stage_sees_no_frame);
    tcase_add_test(tcase, sizes_that_do_not_fit_are_errors);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
