/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures from motion hypotheses on the device, in every format, against the CPU's plain
 * C: within a code of it. Then whole pictures of `flow`, by all steps. */
#include <math.h>
#include <string.h>

#include <glib.h>

#include "check_main.h"
#include "clip.h"
#include "flow/flow.h"
#include "flow/flow_kernels.h"
#include "flow_run.h"
#include "pixels/level.h"
#include "pixels_field.h"
#include "pixels_motion.h"

static const int sizes[][2] = {{1, 1}, {2, 3}, {21, 5}, {70, 37}, {131, 66}};

static const int8_t shifts[VFI_MOTION_SHIFTS][2] = {
    {6, 0},  {-6, 0},  {0, 6},  {0, -6},  {9, 9},   {9, -9},
    {-9, 9}, {-9, -9}, {14, 0}, {-14, 0}, {0, 127}, {0, -128},
};

/* Kinds of motion: levels, numbers of hypotheses, times, boxes. */
static const VfiMotion kinds[] = {
    {.level = 2, .n_flows = 1, .spacing = 1, .radius = 1, .prior = 0.5f, .t = 0.5f},
    {.level = 1,
     .n_flows = 3,
     .n_shifts = 4,
     .spacing = 1,
     .radius = 2,
     .prior = 1,
     .t = 0.25f},
    {.level = 0,
     .n_flows = 3,
     .n_shifts = 12,
     .spacing = 2,
     .radius = 2,
     .prior = 1,
     .t = 0.4f},
    {.level = 2, .n_flows = 2, .n_shifts = 8, .spacing = 1, .radius = 0, .t = 0.9f},
    {.level = 0, .n_flows = 1, .spacing = 1, .radius = 4, .prior = 2, .t = 0.001f},
    {.level = 1,
     .n_flows = 1,
     .n_shifts = 1,
     .spacing = 2,
     .radius = 1,
     .prior = 1,
     .t = 0.7f},
    {.level = 0,
     .n_flows = 3,
     .n_shifts = 12,
     .spacing = 1,
     .radius = 4,
     .prior = 1,
     .t = 0.4f},
};

#define GUARD_BYTES 64

/* Frames of noise, motion, perhaps with a network's field, scratch between guards, and
 * room for both results. */
typedef struct {
    VfiVideoInfo info;
    TestFrame a, b, wanted, found;
    TestMotion motion;
    TestField field;
    size_t scratch_bytes;
    char *scratch;
} Case;

static Case case_new(const VfiVideoInfo *info, int variation)
{
    const Layout layout = (Layout)(variation % LAYOUT_COUNT);
    VfiMotion kind = kinds[(size_t)variation % G_N_ELEMENTS(kinds)];

    memcpy(kind.shift, shifts, sizeof shifts);
    Case test = {.info = *info,
                 .a = test_frame_new(info, layout),
                 /* Tight rows of whole words, which are read as such. */
                 .b = test_frame_new(info, layout == LAYOUT_TIGHT ? LAYOUT_TIGHT
                                                                  : LAYOUT_BOTTOM_UP),
                 .wanted = test_frame_new(info, layout),
                 .found = test_frame_new(info, layout),
                 .motion = test_motion_new(info, &kind),
                 .field = test_field_new(info, false)};
    test.scratch_bytes = vfi_cuda_synthesis_scratch(&test.motion.motion);
    test.scratch = malloc(test.scratch_bytes + 2 * GUARD_BYTES);
    ck_assert_ptr_nonnull(test.scratch);
    memset(test.scratch, GUARD_BYTE, test.scratch_bytes + 2 * GUARD_BYTES);
    fill_noise(&test.a, 1 + (uint32_t)variation);
    fill_noise(&test.b, 100 + (uint32_t)variation);
    test_motion_fill(&test.motion, variation % 4 == 0 ? 30 : 6, variation % 2 != 0,
                     (uint32_t)variation);
    fill_field_noise(&test.field, 9, (uint32_t)variation);
    return test;
}

/* Only while @test stays where it is. */
static void add_network(Case *test)
{
    test->motion.motion.network = &test->field.field;
}

static void case_free(Case *test)
{
    test_frame_free(&test->a);
    test_frame_free(&test->b);
    test_frame_free(&test->wanted);
    test_frame_free(&test->found);
    test_motion_free(&test->motion);
    test_field_free(&test->field);
    free(test->scratch);
}

static void synthesize_rows(const Case *test, int begin, int end)
{
    if (vfi_cuda_synthesize(NULL, &test->info, &test->a.frame, &test->b.frame,
                            &test->motion.motion, test->scratch + GUARD_BYTES,
                            &test->found.frame, begin, end) != cudaSuccess)
        ck_abort_msg("the launch failed");
}

static void assert_near(const Case *test)
{
    const VfiFormat format = test->info.format;
    const double tolerance = format == VFI_FORMAT_RGB_F32 ? 1e-4 : 1;

    for (int c = 0; c < vfi_format_describe(format)->n_components; c++)
        for (int y = 0; y < component_height(&test->info, c); y++)
            for (int x = 0; x < component_width(&test->info, c); x++)
                assert_code(&test->found, c, x, y, get_code(&test->wanted, c, x, y),
                            tolerance);
    assert_filler(&test->found);
    test_frame_assert_guards(&test->found);
    for (size_t i = 0; i < GUARD_BYTES; i++)
        if (test->scratch[i] != (char)GUARD_BYTE ||
            test->scratch[GUARD_BYTES + test->scratch_bytes + i] != (char)GUARD_BYTE)
            ck_abort_msg("written beside the scratch");
}

static void run_case(const Case *test)
{
    vfi_pixels_synthesize_c(&test->info, &test->a.frame, &test->b.frame,
                            &test->motion.motion, &test->wanted.frame, 0,
                            test->info.height);
    synthesize_rows(test, 0, test->info.height);
    assert_near(test);
}

START_TEST(pictures_are_those_of_the_cpu)
{
    for (int i = 0; i < 10; i++) {
        const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                   .width = sizes[(i + _i) % 5][0],
                                   .height = sizes[(i + _i) % 5][1],
                                   .chroma_site = (VfiChromaSite)(i % 4)};
        Case test = case_new(&info, i);
        if (i % 3 == 1)
            add_network(&test);
        run_case(&test);
        case_free(&test);
    }
}
END_TEST

START_TEST(bands_give_the_same_picture)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 37, .height = 75};

    for (int i = 0; i < (int)G_N_ELEMENTS(kinds); i++) {
        Case test = case_new(&info, i);
        if (i % 2 == 1)
            add_network(&test);
        vfi_pixels_synthesize_c(&info, &test.a.frame, &test.b.frame, &test.motion.motion,
                                &test.wanted.frame, 0, info.height);
        for (int begin = 0; begin < info.height; begin += 22)
            synthesize_rows(&test, begin, MIN(begin + 22, info.height));
        assert_near(&test);
        case_free(&test);
    }
}
END_TEST

/* More cells than there is scratch for at once. */
START_TEST(scratch_is_bounded)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_NV12, .width = 4100, .height = 131};
    Case test = case_new(&info, (int)G_N_ELEMENTS(kinds) - 1);

    add_network(&test);

    ck_assert_uint_le(test.scratch_bytes, (size_t)32 << 20);
    run_case(&test);
    case_free(&test);
}
END_TEST

/* Vectors may be anything; nothing outside the frames is read. */
START_TEST(wild_vectors_stay_in_the_frames)
{
    static const float wild[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 1e9f};
    const VfiVideoInfo info = {.format = VFI_FORMAT_I420, .width = 43, .height = 26};
    Case test = case_new(&info, _i);
    const VfiMotion *motion = &test.motion.motion;

    for (int y = 0; y < motion->grid_h; y++)
        for (int x = 0; x < motion->grid_w; x++)
            if ((x + y) % 3 == 0)
                test.motion.flow[0][x % 2][(size_t)y * motion->row + (size_t)x] =
                    wild[(x + 5 * y) % 6];
    run_case(&test);
    for (int y = 0; y < info.height; y++)
        for (int x = y % 2; x < info.width; x += 2)
            test.field.flow[field_at(&test.field, (x + y) % 4, x, y)] =
                wild[(x + 5 * y) % 6];
    add_network(&test);
    run_case(&test);
    case_free(&test);
}
END_TEST

/* ---- all of it --------------------------------------------------------------------- */

typedef struct {
    double max, mean;
} Difference;

static void run_device_stage(const FlowRun *run, VfiFlowStage stage,
                             const VfiFlowArguments *arguments)
{
    for (int i = 0; i < run->plan->n_steps[stage]; i++)
        if (vfi_cuda_flow_launch(NULL, &run->plan->steps[stage][i], arguments) !=
            cudaSuccess)
            ck_abort_msg("step %d of stage %d: the launch failed", i, (int)stage);
}

/* All stages on the device. */
static void run_device(const FlowRun *run, const Clip *clip, float t, VfiMotion *motion)
{
    VfiFlowArguments arguments = {.video = &clip->video, .t = t};

    for (int i = 0; i < 2; i++) {
        arguments.frame = &clip->frames[i];
        arguments.region[VFI_FLOW_FRAME0] = run->region[i];
        run_device_stage(run, VFI_FLOW_STAGE_FRAME, &arguments);
    }
    memcpy(arguments.region, run->region, sizeof arguments.region);
    run_device_stage(run, VFI_FLOW_STAGE_PAIR, &arguments);
    run_device_stage(run, VFI_FLOW_STAGE_TIME, &arguments);
    vfi_flow_motion(run->plan, arguments.region, t, motion);
}

/* Both ways. */
static ClipDifference compare_whole(const Clip *clip, VfiFlowQuality quality, float t)
{
    const VfiVideoInfo *video = &clip->video;
    const VfiFrame *frames = clip->frames;
    g_autoptr(Clip) wanted = clip_blank(video, 1);
    g_autoptr(Clip) found = clip_blank(video, 1);
    VfiMotion motion;
    FlowRun run;

    flow_run_open(&run, video, quality, 1);
    run.level = VFI_CPU_LEVEL_C;
    ck_assert(flow_run_pair(&run, video, &frames[0], &frames[1]) &&
              flow_run_time(&run, t, &motion));
    vfi_pixels_synthesize_c(video, &frames[0], &frames[1], &motion, &wanted->frames[0], 0,
                            video->height);
    for (int i = 0; i < VFI_FLOW_REGIONS; i++) /* NaN */
        memset(run.region[i], 0xff,
               i == VFI_FLOW_ARENA  ? run.plan->arena_bytes
               : i == VFI_FLOW_PAIR ? run.plan->pair_bytes
                                    : run.plan->frame_bytes);
    run_device(&run, clip, t, &motion);
    g_autofree char *scratch = g_malloc(vfi_cuda_synthesis_scratch(&motion));
    ck_assert_int_eq(vfi_cuda_synthesize(NULL, video, &frames[0], &frames[1], &motion,
                                         scratch, &found->frames[0], 0, video->height),
                     cudaSuccess);
    flow_run_close(&run);
    return clip_compare(wanted, found);
}

/* A vector that falls the other way moves a few samples by some codes; the mean shows
 * that it is few. */
START_TEST(whole_pictures_are_those_of_the_cpu)
{
    static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_P010_10LE,
                                        VFI_FORMAT_RGBA};
    static const int whole[][2] = {{1, 1}, {3, 7}, {16, 16}, {150, 91}};
    const VfiFlowQuality quality = (VfiFlowQuality)(_i % 3);

    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
        g_autoptr(Clip) clip = clip_new(formats[_i / 3], whole[i][0], whole[i][1], 2);
        ClipDifference difference = compare_whole(clip, quality, _i % 2 ? 0.5f : 0.3f);
        if (!(difference.max <= 4.0 / 255) || !(difference.mean <= 0.01 / 255))
            ck_abort_msg("%d×%d: max %.2e, mean %.2e", whole[i][0], whole[i][1],
                         difference.max, difference.mean);
    }
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("cuda-flow_pictures");
    TCase *tcase = tcase_create("flow_pictures");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, pictures_are_those_of_the_cpu, first, end);
    tcase_add_loop_test(tcase, bands_give_the_same_picture, first, end);
    tcase_add_test(tcase, scratch_is_bounded);
    tcase_add_loop_test(tcase, wild_vectors_stay_in_the_frames, 0, 5);
    tcase_add_loop_test(tcase, whole_pictures_are_those_of_the_cpu, 0, 9);
    return check_main(suite);
}
