/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results that sessions keep: of the stage that sees no frame, of frames, and when they
 * are computed again since ranges differ; what all stages are told of frames. Networks
 * without weights compute every pixel by itself, so that pictures say which run they are
 * of. */
#include <math.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "family_session.h"
#include "model/loaded_model.h"

#define WIDTH 300
#define HEIGHT 200
#define CONSTANT 0.125f /* is added to pictures */

/* ---- networks ---------------------------------------------------------------------- */

static VfiValue fill(VfiGraph *graph, VfiRunInput input, float mul, float add)
{
    VfiShape size = vfi_graph_shape(graph, vfi_graph_image(graph, 0));

    return vfi_graph_run_input(graph, input, size.h, size.w, mul, add);
}

static VfiValue add_to_all(VfiGraph *graph, VfiValue x, VfiValue plane)
{
    VfiValue planes[] = {plane, plane, plane};

    return vfi_graph_add(graph, x, vfi_graph_concat(graph, planes, 3), 1.0f);
}

/* The mean of both frames, and what the constant and the frame stage are told: CONSTANT
 * and IMAGE_ADD are added in the one, SMALL_ADD in the other. */
static bool build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                  double scale)
{
    (void)setup;
    (void)scale;
    if (stage == VFI_STAGE_CONSTANT)
        vfi_graph_output(graph, "constant",
                         fill(graph, VFI_RUN_INPUT_IMAGE_ADD, 1.0f, CONSTANT));
    if (stage == VFI_STAGE_FRAME) {
        VfiValue x = vfi_graph_image(graph, 0);
        x = add_to_all(graph, x, vfi_graph_constant(graph, "constant"));
        x = add_to_all(graph, x, fill(graph, VFI_RUN_INPUT_SMALL_ADD, 1.0f, 0.0f));
        vfi_graph_output(graph, "frame", x);
    }
    if (stage == VFI_STAGE_TIME)
        vfi_graph_output(graph, "rgb",
                         vfi_graph_add(graph, vfi_graph_feature(graph, 0, "frame"),
                                       vfi_graph_feature(graph, 1, "frame"), 0.5f));
    return stage != VFI_STAGE_PAIR;
}

/* Shows width and height as stages are told them, in 1024ths: red and green of the time
 * stage, blue of the frame stage. */
static bool build_sizes(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                        double scale)
{
    (void)setup;
    (void)scale;
    if (stage == VFI_STAGE_FRAME)
        vfi_graph_output(graph, "width",
                         fill(graph, VFI_RUN_INPUT_IMAGE_WIDTH, 0x1p-10f, 0.0f));
    if (stage == VFI_STAGE_TIME) {
        VfiValue planes[] = {fill(graph, VFI_RUN_INPUT_IMAGE_WIDTH, 0x1p-10f, 0.0f),
                             fill(graph, VFI_RUN_INPUT_IMAGE_HEIGHT, 0x1p-10f, 0.0f),
                             vfi_graph_feature(graph, 1, "width")};
        vfi_graph_output(graph, "rgb", vfi_graph_concat(graph, planes, 3));
    }
    return stage == VFI_STAGE_FRAME || stage == VFI_STAGE_TIME;
}

#define SHIFT_X 40
#define SHIFT_Y 24

/* Shows the second frame as it is right of and below each place. */
static bool build_shifted(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                          double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue flow[] = {fill(graph, VFI_RUN_INPUT_TIME, 0.0f, SHIFT_X),
                       fill(graph, VFI_RUN_INPUT_TIME, 0.0f, SHIFT_Y)};
    vfi_graph_output(graph, "rgb",
                     vfi_graph_warp(graph, vfi_graph_image(graph, 1),
                                    vfi_graph_concat(graph, flow, 2)));
    return true;
}

static int multiple_of_64(const VfiModelSetup *setup, double scale)
{
    (void)setup;
    (void)scale;
    return 64;
}

/* At least a tenth more. */
static int padded_size(const VfiModelSetup *setup, int size, double scale)
{
    (void)setup;
    (void)scale;
    return (size + size / 10 + 63) / 64 * 64;
}

static double small_scale(const VfiModelSetup *setup)
{
    (void)setup;
    return 0.5;
}

static void set_ranges(const VfiModelSetup *setup, const VfiFrameRange *frames,
                       VfiRunInputs *inputs)
{
    double least = MIN(frames[0].minimum, frames[1].minimum);
    double small = MIN(frames[0].small_minimum, frames[1].small_minimum);

    (void)setup;
    inputs->value[VFI_RUN_INPUT_IMAGE_ADD] = (float)least / 4.0f;
    inputs->value[VFI_RUN_INPUT_SMALL_ADD] = (float)small / 8.0f;
}

static VfiOutputKind output_rgb(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

static const VfiModelFamily family = {
    .name = "kept", .can_tile = true, .output = output_rgb, .build = build};
static const VfiModelFamily ranged = {.name = "ranged",
                                      .can_tile = true,
                                      .wants_minimum = true,
                                      .output = output_rgb,
                                      .build = build,
                                      .small_scale = small_scale,
                                      .set_ranges = set_ranges};
static const VfiModelFamily sized = {
    .name = "sized", .can_tile = true, .output = output_rgb, .build = build_sizes};

static const VfiModelFamily shifted = {.name = "shifted",
                                       .can_tile = true,
                                       .pad = VFI_PAD_REFLECT,
                                       .size_multiple = multiple_of_64,
                                       .padded_size = padded_size,
                                       .output = output_rgb,
                                       .build = build_shifted};

static VfiModel *open_model(const VfiModelFamily *of_family)
{
    VfiModel *model = vfi_model_open("blend", NULL, NULL);

    ck_assert_ptr_nonnull(model);
    model->family = of_family;
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

/* Every pixel of the in-between of @a and @b is their mean and @more. */
static void check_in_between(VfiSession *session, const VfiFrame *a, const VfiFrame *b,
                             double more)
{
    VfiFrame made = in_between(session, &video, a, b, 0.5);
    double worst = 0.0;

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                double mean = ((double)*sample_of(a, plane, y, x) +
                               (double)*sample_of(b, plane, y, x)) /
                              2;
                double found = (double)*sample_of(&made, plane, y, x);
                worst = fmax(worst, fabs(found - mean - more));
            }
    ck_assert_double_le(worst, 1e-6);
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
    g_autoptr(VfiModel) model = open_model(&family);
    g_autoptr(VfiSession) session = open_session(model, tile_sizes[_i]);

    ck_assert((session_stats(session).tiles > 1) == (_i == 1));
    for (int k = 0; k < 3; k++) {
        VfiFrame a = flat_frame(0.125f * (float)k, (uint64_t)k + 1);
        VfiFrame b = flat_frame(0.125f * (float)(k + 1), (uint64_t)k + 2);
        check_in_between(session, &a, &b, (double)CONSTANT);
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
    g_autoptr(VfiModel) model = open_model(&family);
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

/* ---- ranges ------------------------------------------------------------------------ */

#define DIP 0.25f

/* All of one value but for a pixel of blue, which is darker by DIP. */
static VfiFrame dipped_frame(float value, uint64_t id, int y, int x)
{
    VfiFrame frame = flat_frame(value, id);

    *sample_of(&frame, 2, y, x) = value - DIP;
    return frame;
}

/* What is added where @least is the least value of both frames; halving the size makes a
 * mean of four pixels of it. */
static double added(double least)
{
    double small = least + 0.75 * (double)DIP;

    return (double)CONSTANT + least / 4 + small / 8;
}

/* Wherever it is, in whatever tile: corners, and both sides of where tiles begin. */
START_TEST(the_least_value_is_the_whole_frames)
{
    static const int places[][2] = {
        {0, 0}, {HEIGHT - 1, WIDTH - 1}, {127, 128}, {63, 191}, {64, 64}, {100, 255}};
    static const unsigned tile_sizes[] = {0, 128};
    g_autoptr(VfiModel) model = open_model(&ranged);
    g_autoptr(VfiSession) session = open_session(model, tile_sizes[_i]);

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        VfiFrame a = flat_frame(0.75f, 2 * i + 1);
        VfiFrame b = dipped_frame(0.625f, 2 * i + 2, places[i][0], places[i][1]);
        check_in_between(session, &a, &b, added(0.375));
        check_in_between(session, &b, &a, added(0.375));
        vfi_frame_clear(&a);
        vfi_frame_clear(&b);
    }
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_CONSTANT_STAGE), 1);
}
END_TEST

/* A frame's features are kept while ranges are the same, and then are those of the new
 * ones: also for the frame that two pairs share. */
START_TEST(what_is_kept_is_of_its_ranges)
{
    static const float least[] = {0.5f, 0.5f, 0.5f, 0.25f, 0.75f, 0.75f};
    g_autoptr(VfiModel) model = open_model(&ranged);
    g_autoptr(VfiSession) session = open_session(model, 0);
    bool is_cpu = strcmp(test_device(), "cpu") == 0;
    VfiFrame frames[G_N_ELEMENTS(least)];

    for (size_t i = 0; i < G_N_ELEMENTS(least); i++)
        frames[i] = dipped_frame(least[i] + DIP, i + 1, 50, 60);
    for (size_t i = 0; i < G_N_ELEMENTS(least); i++) /* or nothing would be inferred */
        *sample_of(&frames[i], 0, 5, 6) -= (float)i / 1024;
    for (size_t i = 0; i + 1 < G_N_ELEMENTS(least); i++) {
        check_in_between(session, &frames[i], &frames[i + 1],
                         added((double)MIN(least[i], least[i + 1])));
        if (i == 1) {
            ck_assert_uint_eq(runs_of(session, VFI_TIMED_CONSTANT_STAGE), 1);
            ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), is_cpu ? 3 : 2);
        }
    }
    /* Ranges change twice; both frames of these pairs are computed then, but for the
     * fourth, whose first pair had its range as the next one. */
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_CONSTANT_STAGE), 3);
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), is_cpu ? 8 : 5);
    for (size_t i = 0; i < G_N_ELEMENTS(least); i++)
        vfi_frame_clear(&frames[i]);
}
END_TEST

START_TEST(stages_are_told_the_size_without_padding)
{
    static const unsigned tile_sizes[] = {0, 128};
    g_autoptr(VfiModel) model = open_model(&sized);
    g_autoptr(VfiSession) session = open_session(model, tile_sizes[_i]);
    VfiSessionStats stats = session_stats(session);
    VfiFrame a = flat_frame(0.25f, 1), b = flat_frame(0.5f, 2);
    VfiFrame made = in_between(session, &video, &a, &b, 0.5);
    int last_w = WIDTH - (stats.padded_width - stats.tile_width);
    int last_h = HEIGHT - (stats.padded_height - stats.tile_height);
    const int expected[2][3] = {{MIN(stats.tile_width, WIDTH),
                                 MIN(stats.tile_height, HEIGHT),
                                 MIN(stats.tile_width, WIDTH)},
                                {last_w, last_h, last_w}};

    for (int plane = 0; plane < 3; plane++) {
        ck_assert_float_eq(*sample_of(&made, plane, 0, 0),
                           (float)expected[0][plane] * 0x1p-10f);
        ck_assert_float_eq(*sample_of(&made, plane, HEIGHT - 1, WIDTH - 1),
                           (float)expected[1][plane] * 0x1p-10f);
    }
    vfi_frame_clear(&made);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

/* ---- padding ----------------------------------------------------------------------- */

static int mirrored(int at, int size)
{
    return at < size ? at : 2 * (size - 1) - at;
}

/* With the size that the family says, and in tiles, which have multiples. */
START_TEST(what_is_beyond_a_picture_is_its_mirror)
{
    static const unsigned tile_sizes[] = {0, 256};
    g_autoptr(VfiModel) model = open_model(&shifted);
    g_autoptr(VfiSession) session = open_session(model, tile_sizes[_i]);
    VfiSessionStats stats = session_stats(session);
    VfiFrame a = flat_frame(0.25f, 1), b = flat_frame(0.5f, 2);

    ck_assert_int_eq(stats.padded_width, _i == 0 ? 384 : 320);
    ck_assert_int_eq(stats.padded_height, 256);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            *sample_of(&b, 1, y, x) = (float)(x * 13 % 64 + y * 7 % 64) / 128;
    VfiFrame made = in_between(session, &video, &a, &b, 0.5);
    float worst = 0.0f;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < MIN(WIDTH, stats.padded_width - SHIFT_X); x++)
            worst = fmaxf(worst, fabsf(*sample_of(&made, 1, y, x) -
                                       *sample_of(&b, 1, mirrored(y + SHIFT_Y, HEIGHT),
                                                  mirrored(x + SHIFT_X, WIDTH))));
    ck_assert_float_le(worst, 1e-6f);
    vfi_frame_clear(&made);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kept");
    TCase *tcase = tcase_create("kept");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, what_sees_no_frame_is_computed_once, 0, 2);
    tcase_add_test(tcase, its_memory_is_counted);
    tcase_add_loop_test(tcase, the_least_value_is_the_whole_frames, 0, 2);
    tcase_add_test(tcase, what_is_kept_is_of_its_ranges);
    tcase_add_loop_test(tcase, stages_are_told_the_size_without_padding, 0, 2);
    tcase_add_loop_test(tcase, what_is_beyond_a_picture_is_its_mirror, 0, 2);
    return check_main(suite);
}
