/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results that sessions keep: of the stage that sees no frame. A network without weights
 * computes every pixel by itself, so that pictures say which run they are of. */
#include <math.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "family_session.h"
#include "model/loaded_model.h"

#define WIDTH 300
#define HEIGHT 200
#define CONSTANT 0.125f /* is added to pictures */

/* ---- the network ------------------------------------------------------------------- */

/* The mean of both frames, and what the constant stage has. */
static bool build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                  double scale)
{
    (void)setup;
    (void)scale;
    VfiShape size = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    if (stage == VFI_STAGE_CONSTANT)
        vfi_graph_output(graph, "constant",
                         vfi_graph_run_input(graph, VFI_RUN_INPUT_STEP, size.h, size.w,
                                             1.0f, CONSTANT));
    if (stage == VFI_STAGE_FRAME) {
        VfiValue image = vfi_graph_image(graph, 0);
        VfiValue constant = vfi_graph_constant(graph, "constant");
        VfiValue planes[] = {constant, constant, constant};
        vfi_graph_output(
            graph, "frame",
            vfi_graph_add(graph, image, vfi_graph_concat(graph, planes, 3), 1.0f));
    }
    if (stage == VFI_STAGE_TIME)
        vfi_graph_output(graph, "rgb",
                         vfi_graph_add(graph, vfi_graph_feature(graph, 0, "frame"),
                                       vfi_graph_feature(graph, 1, "frame"), 0.5f));
    return stage != VFI_STAGE_PAIR;
}

static VfiOutputKind output_rgb(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

static const VfiModelFamily family = {
    .name = "kept", .can_tile = true, .output = output_rgb, .build = build};

static VfiModel *open_model(void)
{
    VfiModel *model = vfi_model_open("blend", NULL, NULL);

    ck_assert_ptr_nonnull(model);
    model->family = &family;
    return model;
}

static const VfiVideoInfo video = {
    .format = VFI_FORMAT_RGB_F32, .width = WIDTH, .height = HEIGHT};

static VfiSession *open_session(VfiModel *model, unsigned tile_size)
{
    const VfiSessionConfig config = {.video = video,
                                     .device = test_device(),
                                     .threads = 2,
                                     .precision = VFI_PRECISION_F32,
                                     .feature_storage = VFI_FEATURE_STORAGE_F32,
                                     .scale = 1.0,
                                     .tile_size = tile_size};

    return new_session(model, &config);
}

/* ---- frames ------------------------------------------------------------------------ */

static float *sample_of(const VfiFrame *frame, int plane, int y, int x)
{
    return (float *)(void *)(frame->data[plane] + y * frame->stride[plane]) + x;
}

/* All of one value, [0, 1]. */
static VfiFrame flat_frame(float value, uint64_t id)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &video, NULL));
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                *sample_of(&frame, plane, y, x) = value;
    frame.id = id;
    return frame;
}

/* Every pixel of the in-between of @a and @b is @expected. */
static void check_in_between(VfiSession *session, const VfiFrame *a, const VfiFrame *b,
                             double expected)
{
    VfiFrame made = in_between(session, &video, a, b, 0.5);

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                ck_assert_double_eq_tol((double)*sample_of(&made, plane, y, x), expected,
                                        1e-6);
    vfi_frame_clear(&made);
}

static uint64_t runs_of(VfiSession *session, VfiTimedStage stage)
{
    return session_stats(session).times[stage].runs;
}

/* ---- the constant stage ------------------------------------------------------------ */

START_TEST(what_sees_no_frame_is_computed_once)
{
    static const unsigned tile_sizes[] = {0, 128};
    g_autoptr(VfiModel) model = open_model();
    g_autoptr(VfiSession) session = open_session(model, tile_sizes[_i]);

    ck_assert((session_stats(session).tiles > 1) == (_i == 1));
    for (int k = 0; k < 3; k++) {
        VfiFrame a = flat_frame(0.125f * (float)k, (uint64_t)k + 1);
        VfiFrame b = flat_frame(0.125f * (float)(k + 1), (uint64_t)k + 2);
        check_in_between(session, &a, &b, 0.125 * (k + 0.5) + (double)CONSTANT);
        vfi_frame_clear(&a);
        vfi_frame_clear(&b);
    }
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_CONSTANT_STAGE), 1);
    if (_i == 0 && strcmp(test_device(), "cpu") == 0) /* others: pictures that have one */
        ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), 4);
}
END_TEST

START_TEST(its_memory_is_counted)
{
    g_autoptr(VfiModel) model = open_model();
    VfiSessionConfig config = {.video = video,
                               .device = test_device(),
                               .precision = VFI_PRECISION_F32,
                               .feature_storage = VFI_FEATURE_STORAGE_F32,
                               .scale = 1.0};
    VfiEstimate estimate;

    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_uint_ge(estimate.constant_bytes, WIDTH * HEIGHT * sizeof(float));
    ck_assert_uint_le(estimate.constant_bytes, WIDTH * HEIGHT * sizeof(float) + 4096);
    ck_assert_uint_eq(estimate.arena_bytes + estimate.constant_bytes +
                          estimate.frames * estimate.frame_bytes +
                          estimate.packed_weight_bytes + estimate.scratch_bytes +
                          estimate.host_bytes,
                      estimate.session_bytes);
    g_autoptr(VfiSession) session = new_session(model, &config);
    ck_assert_uint_ge(session_stats(session).arena_bytes,
                      estimate.constant_bytes + estimate.arena_bytes);
    /* A limit counts it: the last byte is missing. */
    config.memory_limit = estimate.session_bytes - estimate.packed_weight_bytes;
    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_uint_eq(estimate.tiles, 1);
    config.memory_limit--;
    ck_assert(!vfi_model_estimate(model, &config, &estimate, NULL) || estimate.tiles > 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kept");
    TCase *tcase = tcase_create("kept");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_sees_no_frame_is_computed_once, 0, 2);
    tcase_add_test(tcase, its_memory_is_counted);
    return check_main(suite);
}
