/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flow's steps: any size and content, the same bits on any number of threads, cancelling,
 * and what a plan says of memory. What they find: flow_motion.c. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "flow_run.h"
#include "flow_scene.h"

#define N_QUALITIES 3

static VfiVideoInfo video_of(VfiFormat format, int width, int height)
{
    return (VfiVideoInfo){.format = format, .width = width, .height = height};
}

/* Something that moves in all ways, with holes to be filled. */
static const Scene busy = {
    .background = {1.03, 0.02, -0.02, 1.03, -6, 4},
    .object = {1, 0, 0, 1, 17, -9},
    .left = 30,
    .top = 20,
    .width = 60,
    .height = 50,
    .noise = 4,
};

/* All fields of a result, rows side by side. To be freed. */
static float *copy_motion(const VfiMotion *motion, size_t *n)
{
    size_t w = (size_t)motion->grid_w, h = (size_t)motion->grid_h;
    float *copy, *at;

    *n = w * h * 2 * (size_t)motion->n_flows;
    copy = at = g_new(float, *n);
    for (int i = 0; i < motion->n_flows; i++)
        for (int axis = 0; axis < 2; axis++)
            for (size_t y = 0; y < h; y++, at += w)
                memcpy(at, motion->flow[i][axis] + y * motion->row, w * sizeof *at);
    return copy;
}

/* The result between two frames, in a run of its own. To be freed. */
static float *flow_between(const VfiVideoInfo *video, const VfiFrame frames[2],
                           VfiFlowQuality quality, VfiCpuLevel level, int threads,
                           size_t *n)
{
    VfiMotion motion;
    FlowRun run;

    flow_run_open(&run, video, quality, threads);
    run.level = level;
    ck_assert(flow_run_pair(&run, video, &frames[0], &frames[1]));
    ck_assert(flow_run_time(&run, 0.4f, &motion));
    float *copy = copy_motion(&motion, n);
    flow_run_close(&run);
    return copy;
}

static void draw_busy(const VfiVideoInfo *video, VfiFrame frames[2])
{
    for (int i = 0; i < 2; i++)
        draw_scene(&busy, video, i, &frames[i]);
}

static void clear_frames(VfiFrame frames[2])
{
    for (int i = 0; i < 2; i++)
        vfi_frame_clear(&frames[i]);
}

START_TEST(threads_do_not_change_a_bit)
{
    static const int threads[] = {2, 3, 7};
    const VfiFlowQuality quality = (VfiFlowQuality)_i;
    VfiVideoInfo video = video_of(VFI_FORMAT_GRAY8, 197, 131);
    VfiFrame frames[2];

    draw_busy(&video, frames);
    for (int level = 0; level <= (int)vfi_cpu_level_of_machine(); level++) {
        size_t n;
        g_autofree float *alone =
            flow_between(&video, frames, quality, (VfiCpuLevel)level, 1, &n);
        for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
            g_autofree float *again =
                flow_between(&video, frames, quality, (VfiCpuLevel)level, threads[i], &n);
            ck_assert_mem_eq(again, alone, n * sizeof *alone);
        }
    }
    clear_frames(frames);
}
END_TEST

/* What a pair or a time leaves behind does not matter to the next. */
START_TEST(runs_repeat)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_GRAY8, 150, 90);
    VfiFrame frames[2];
    FlowRun run;
    size_t n;

    draw_busy(&video, frames);
    g_autofree float *expected =
        flow_between(&video, frames, (VfiFlowQuality)_i, vfi_cpu_level(), 2, &n);
    flow_run_open(&run, &video, (VfiFlowQuality)_i, 2);
    for (int i = 0; i < 3; i++) {
        VfiMotion motion;
        ck_assert(flow_run_pair(&run, &video, &frames[1], &frames[0]));
        ck_assert(flow_run_time(&run, 0.9f, &motion));
        ck_assert(flow_run_pair(&run, &video, &frames[0], &frames[1]));
        ck_assert(flow_run_time(&run, 0.1f, &motion));
        ck_assert(flow_run_time(&run, 0.4f, &motion));
        g_autofree float *again = copy_motion(&motion, &n);
        ck_assert_mem_eq(again, expected, n * sizeof *again);
    }
    flow_run_close(&run);
    clear_frames(frames);
}
END_TEST

/* ---- sizes and contents ------------------------------------------------------------ */

static const int sizes[][2] = {{1, 1},   {1, 7},   {7, 1},   {2, 2},
                               {3, 40},  {8, 8},   {17, 33}, {33, 17},
                               {64, 31}, {1, 300}, {129, 5}, {255, 66}};

/* Finite, and not farther than anything can be seen. */
static void check_finite(const float *values, size_t n, const VfiVideoInfo *video)
{
    float most = 4.0f * (float)(video->width + video->height) + 400.0f;

    for (size_t i = 0; i < n; i++)
        if (!(fabsf(values[i]) <= most))
            ck_abort_msg("%d×%d: %g", video->width, video->height, (double)values[i]);
}

/* Every size, at every level and quality; flow_run.h checks what is around regions. */
START_TEST(any_size_has_a_flow)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_GRAY8, sizes[_i][0], sizes[_i][1]);
    VfiFrame frames[2];

    draw_busy(&video, frames);
    for (int quality = 0; quality < N_QUALITIES; quality++)
        for (int level = 0; level <= (int)vfi_cpu_level_of_machine(); level++) {
            size_t n;
            g_autofree float *flow = flow_between(&video, frames, (VfiFlowQuality)quality,
                                                  (VfiCpuLevel)level, 2, &n);
            check_finite(flow, n, &video);
        }
    clear_frames(frames);
}
END_TEST

/* Bytes of both frames, for what is hardly ever seen. */
static void fill_frames(const VfiVideoInfo *video, VfiFrame frames[2], uint8_t first,
                        uint8_t second)
{
    for (int i = 0; i < 2; i++) {
        ck_assert(vfi_frame_alloc(&frames[i], video, NULL));
        for (int plane = 0; plane < vfi_format_planes(video->format); plane++)
            for (int y = 0; y < vfi_video_info_rows(video, plane); y++)
                memset(frames[i].data[plane] + y * frames[i].stride[plane],
                       i == 0 ? first : second, vfi_video_info_row_bytes(video, plane));
    }
}

/* Plain frames, black, white or one of each, and RGB_F32 of NaN (0xff): nothing moves
 * that could be seen to. */
START_TEST(plain_frames_do_not_move)
{
    static const VfiFormat formats[] = {VFI_FORMAT_GRAY8, VFI_FORMAT_I420_10LE,
                                        VFI_FORMAT_RGB_F32, VFI_FORMAT_BGRX};
    VfiVideoInfo video = video_of(formats[_i], 150, 140);

    for (int k = 0; k < 4; k++) {
        VfiFrame frames[2];
        fill_frames(&video, frames, k % 2 == 0 ? 0x00 : 0xff, k / 2 == 0 ? 0x00 : 0xff);
        for (int quality = 0; quality < N_QUALITIES; quality++) {
            size_t n;
            g_autofree float *flow = flow_between(&video, frames, (VfiFlowQuality)quality,
                                                  vfi_cpu_level(), 2, &n);
            for (size_t i = 0; i < n; i++)
                if (!(flow[i] == 0.0f)) /* a check of its own for each takes seconds */
                    ck_abort_msg("value %zu of %zu is %g", i, n, (double)flow[i]);
        }
        clear_frames(frames);
    }
}
END_TEST

/* Nothing but noise of the whole range, which has no flow. */
START_TEST(noise_has_a_finite_flow)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_RGB_F32, 210, 150);
    VfiFrame frames[2];

    fill_frames(&video, frames, 0, 0);
    for (int i = 0; i < 2; i++)
        for (int plane = 0; plane < 3; plane++)
            for (int y = 0; y < video.height; y++)
                for (int x = 0; x < video.width; x++) {
                    float value = (float)lattice((unsigned)(3 * i + plane), x, y) * 2.0f;
                    value = value > 1.9f ? NAN : value < -1.9f ? INFINITY : value;
                    memcpy(frames[i].data[plane] + y * frames[i].stride[plane] +
                               4 * (ptrdiff_t)x,
                           &value, sizeof value);
                }
    for (int quality = 0; quality < N_QUALITIES; quality++)
        for (int level = 0; level <= (int)vfi_cpu_level_of_machine(); level++) {
            size_t n;
            g_autofree float *flow = flow_between(&video, frames, (VfiFlowQuality)quality,
                                                  (VfiCpuLevel)level, 3, &n);
            check_finite(flow, n, &video);
        }
    clear_frames(frames);
}
END_TEST

/* Colour tells apart what is as bright: two textures of one luma, of which one moves. */
START_TEST(colour_is_seen)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_Y444, 320, 256);
    /* Luma samples that one of the finest level that has colour is wide; of what is finer
     * than the next one's the motion has to be small. */
    static const int widths[N_QUALITIES] = {8, 8, 2};
    const double shift_x = 3 * widths[_i], shift_y = widths[_i];
    const double scale = 3 * widths[_i];
    const Motion motion = shift_by(shift_x, shift_y);
    VfiFrame frames[2];
    VfiMotion found;
    FlowRun run;
    double error = 0;
    int n = 0;

    fill_frames(&video, frames, 128, 128);
    for (int i = 0; i < 2; i++)
        for (int plane = 1; plane < 3; plane++)
            for (int y = 0; y < video.height; y++)
                for (int x = 0; x < video.width; x++) {
                    double x0, y0;
                    point_before(&motion, i, x, y, &x0, &y0);
                    double value = 128 + 200 * noise((unsigned)plane, scale, x0, y0);
                    frames[i].data[plane][y * frames[i].stride[plane] + x] =
                        (uint8_t)CLAMP(value, 0, 255);
                }
    flow_run_open(&run, &video, (VfiFlowQuality)_i, 2);
    ck_assert(flow_run_pair(&run, &video, &frames[0], &frames[1]));
    ck_assert(flow_run_time(&run, 0.5f, &found));
    const int margin = 48 >> found.level;
    for (int y = margin; y < found.grid_h - margin; y++)
        for (int x = margin; x < found.grid_w - margin; x++, n++) {
            size_t at = (size_t)y * found.row + (size_t)x;
            error += hypot((double)found.flow[0][0][at] - shift_x,
                           (double)found.flow[0][1][at] - shift_y);
        }
    ck_assert_double_le(error / n, widths[_i] / 20.0);
    flow_run_close(&run);
    clear_frames(frames);
}
END_TEST

/* ---- cancelling -------------------------------------------------------------------- */

START_TEST(a_cancelled_run_ends)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_GRAY8, 200, 150);
    VfiFrame frames[2];
    atomic_int cancel = 1;
    FlowRun run;

    draw_busy(&video, frames);
    flow_run_open(&run, &video, VFI_FLOW_BEST, 1 + _i);
    run.cancel = &cancel;
    ck_assert(!flow_run_pair(&run, &video, &frames[0], &frames[1]));
    flow_run_close(&run);
    clear_frames(frames);
}
END_TEST

typedef struct {
    atomic_int *cancel;
    int patience;
} Canceller;

static void *cancel_later(void *data)
{
    const Canceller *canceller = data;

    for (int i = 0; i < canceller->patience; i++)
        g_thread_yield();
    atomic_store(canceller->cancel, 1);
    return NULL;
}

/* Wherever it is stopped, no row of patches waits for one that nobody does; and what was
 * half done does not matter afterwards. */
START_TEST(a_run_may_be_cancelled_anywhere)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_GRAY8, 200, 150);
    VfiFrame frames[2];
    VfiMotion motion;
    FlowRun run;
    size_t n;

    draw_busy(&video, frames);
    g_autofree float *expected =
        flow_between(&video, frames, VFI_FLOW_MEDIUM, vfi_cpu_level(), 1, &n);
    flow_run_open(&run, &video, VFI_FLOW_MEDIUM, 1 + _i);
    for (int patience = 0; patience < 300; patience = 2 * patience + 1) {
        atomic_int cancel = 0;
        Canceller canceller = {&cancel, patience};
        GThread *thread = g_thread_new("canceller", cancel_later, &canceller);
        run.cancel = &cancel;
        if (flow_run_pair(&run, &video, &frames[0], &frames[1]))
            flow_run_time(&run, 0.4f, &motion);
        g_thread_join(thread);
    }
    run.cancel = NULL;
    ck_assert(flow_run_pair(&run, &video, &frames[0], &frames[1]));
    ck_assert(flow_run_time(&run, 0.4f, &motion));
    g_autofree float *again = copy_motion(&motion, &n);
    ck_assert_mem_eq(again, expected, n * sizeof *again);
    flow_run_close(&run);
    clear_frames(frames);
}
END_TEST

/* ---- plans ------------------------------------------------------------------------- */

/* MiB of both frames' regions, the pair's and the arena. */
static double mebibytes(int width, int height, VfiFlowQuality quality)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_NV12, width, height);
    VfiFlowPlan *plan = vfi_flow_plan_new(&video, quality, NULL);

    ck_assert_ptr_nonnull(plan);
    double bytes = 2.0 * (double)plan->frame_bytes + (double)plan->pair_bytes +
                   (double)plan->arena_bytes;
    vfi_flow_plan_free(plan);
    return bytes / 1048576.0;
}

/* What leaves room for the rest of a process that may have 120 and 250 MiB. */
START_TEST(memory_is_moderate)
{
    ck_assert_double_le(mebibytes(1920, 1080, VFI_FLOW_FAST), 20);
    ck_assert_double_le(mebibytes(1920, 1080, VFI_FLOW_MEDIUM), 60);
    ck_assert_double_le(mebibytes(1920, 1080, VFI_FLOW_BEST), 180);
}
END_TEST

START_TEST(plans_know_their_limits)
{
    g_autoptr(GError) error = NULL;
    VfiVideoInfo video = video_of(VFI_FORMAT_I420, VFI_MAX_DIMENSION, VFI_MAX_DIMENSION);
    VfiFlowPlan *plan = vfi_flow_plan_new(&video, (VfiFlowQuality)_i, &error);

    ck_assert_ptr_nonnull(plan);
    ck_assert_int_eq(plan->shape.level, 2 - _i);
    ck_assert_int_eq(plan->shape.grid_w, VFI_MAX_DIMENSION >> plan->shape.level);
    ck_assert_uint_ge(plan->arena_bytes, (size_t)plan->shape.grid_w *
                                             (size_t)plan->shape.grid_h *
                                             (size_t)plan->shape.n_flows * 8);
    vfi_flow_plan_free(plan);
    video.width = 0;
    ck_assert_ptr_null(vfi_flow_plan_new(&video, (VfiFlowQuality)_i, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
}
END_TEST

/* Pictures of a motion repeat their edges on all sides. */
START_TEST(pictures_have_borders)
{
    VfiVideoInfo video = video_of(VFI_FORMAT_GRAY8, 45, 26);
    VfiFrame frames[2];
    VfiMotion motion;
    FlowRun run;

    draw_busy(&video, frames);
    flow_run_open(&run, &video, (VfiFlowQuality)_i, 2);
    ck_assert(flow_run_pair(&run, &video, &frames[0], &frames[1]));
    ck_assert(flow_run_time(&run, 0.5f, &motion));
    ck_assert_int_eq(motion.border, VFI_FLOW_BORDER);
    for (int i = 0; i < 2; i++)
        for (int y = -motion.border; y < motion.grid_h + motion.border; y++)
            for (int x = -motion.border; x < motion.grid_w + motion.border; x++) {
                ptrdiff_t row = (ptrdiff_t)motion.picture_row;
                float inside = motion.picture[i][CLAMP(y, 0, motion.grid_h - 1) * row +
                                                 CLAMP(x, 0, motion.grid_w - 1)];
                ck_assert_float_eq(motion.picture[i][y * row + x], inside);
            }
    flow_run_close(&run);
    clear_frames(frames);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("flow_steps");
    TCase *tcase = tcase_create("flow_steps");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, threads_do_not_change_a_bit, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, runs_repeat, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, any_size_has_a_flow, 0, G_N_ELEMENTS(sizes));
    add_thinned_loop_test(tcase, plain_frames_do_not_move, 0, 4);
    tcase_add_test(tcase, noise_has_a_finite_flow);
    tcase_add_loop_test(tcase, colour_is_seen, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, a_cancelled_run_ends, 0, 3);
    /* with a sanitizer on three and four threads only */
    tcase_add_loop_test(tcase, a_run_may_be_cancelled_anywhere,
                        SANITIZER_STEP > 1 ? 2 : 0, 4);
    tcase_add_test(tcase, memory_is_moderate);
    tcase_add_loop_test(tcase, plans_know_their_limits, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, pictures_have_borders, 0, N_QUALITIES);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return check_main(make_suite());
}
