/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CUDA backend's scene cells and repeated blocks against the CPU's. */
#include <math.h>
#include <string.h>

#include <glib.h>
#include <vfi/scene.h>

#include "check_main.h"
#include "frames/frame_kernels.h"
#include "pixels_frames.h"

/* Cells of one pixel, of fewer and of more rows than are looked at; wide ones. */
static const int sizes[][2] = {{1, 1}, {3, 5}, {64, 50}, {300, 7}, {330, 200}};

#define CELLS (VFI_SCENE_SIGNATURE_SIZE * VFI_SCENE_SIGNATURE_SIZE)

static void check_cells(const VfiVideoInfo *info, Layout layout)
{
    TestFrame frame = test_frame_new(info, layout);
    float cells[CELLS + 1];
    VfiSceneSignature wanted;

    fill_noise(&frame, 4);
    vfi_scene_signature(info, &frame.frame, &wanted);
    for (int i = 0; i <= CELLS; i++)
        cells[i] = -7;
    if (vfi_cuda_scene_cells(NULL, info, &frame.frame, wanted.width, wanted.height,
                             cells) != cudaSuccess)
        ck_abort_msg("scene cells: the launch failed");
    for (int i = 0; i <= CELLS; i++) {
        const int x = i % wanted.width, y = i / wanted.width;
        const float want = y < wanted.height ? wanted.luma[y][x] : -7;

        if (!(fabsf(cells[i] - want) <= (y < wanted.height ? 1e-3f : 0)))
            ck_abort_msg("%s %dx%d: cell %d, %d: expected %.9g, found %.9g",
                         vfi_format_to_string(info->format), info->width, info->height, x,
                         y, (double)want, (double)cells[i]);
    }
    test_frame_free(&frame);
}

START_TEST(cells_are_those_of_the_signature)
{
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int range = 0; range < 3; range++) {
            const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                       .width = sizes[s][0],
                                       .height = sizes[s][1],
                                       .range = (VfiRange)range};

            check_cells(&info, (Layout)range);
        }
}
END_TEST

static bool found_different(const TestFrame *a, const TestFrame *b, double threshold)
{
    unsigned different = 0;

    if (vfi_cuda_compare_blocks(NULL, &a->info, &a->frame, &b->frame, threshold,
                                &different) != cudaSuccess)
        ck_abort_msg("compare blocks: the launch failed");
    return different != 0;
}

static void check_repeat(const TestFrame *a, const TestFrame *b, double threshold)
{
    const bool want = !vfi_frames_repeat(&a->info, &a->frame, &b->frame, threshold);

    if (found_different(a, b, threshold) != want)
        ck_abort_msg("%s %dx%d, threshold %.17g: expected %d",
                     vfi_format_to_string(a->info.format), a->info.width, a->info.height,
                     threshold, want);
}

/* Changes each component of one pixel by up to @by 8-bit codes. */
static void change_pixel(const TestFrame *frame, int x, int y, double by)
{
    const double largest = largest_code(frame->info.format);

    for (int c = 0; c < vfi_format_describe(frame->info.format)->n_components; c++) {
        const VfiComponent *where =
            &vfi_format_describe(frame->info.format)->component[c];
        const int column = x >> where->shift_x, row = y >> where->shift_y;
        const double code = get_code(frame, c, column, row) + by * largest / 255;

        set_code(frame, c, column, row, code > largest ? code - largest : code);
    }
}

/* Finds by bisection the threshold that the pair just misses: there the answers must
 * agree to the last bit. */
static void check_limit(const TestFrame *a, const TestFrame *b)
{
    double low = 0, high = 256;

    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;

        if (vfi_frames_repeat(&a->info, &a->frame, &b->frame, middle))
            high = middle;
        else
            low = middle;
        check_repeat(a, b, middle);
    }
}

START_TEST(blocks_differ_as_on_the_host)
{
    static const int places[][2] = {{0, 0}, {15, 15}, {16, 0}, {36, 20}, {31, 17}};
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 37, .height = 21};

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame b = test_frame_new(&info, LAYOUT_BOTTOM_UP);

        fill_noise(&a, 8);
        vfi_pixels_copy(&info, &a.frame, &b.frame, 0, info.height);
        check_repeat(&a, &b, 0.001);
        change_pixel(&b, places[i][0], places[i][1], 100);
        check_limit(&a, &b);
        fill_noise(&b, 9);
        check_limit(&a, &b);
        test_frame_free(&a);
        test_frame_free(&b);
    }
}
END_TEST

static bool device_sees_repeat(const TestFrame *a, const TestFrame *b)
{
    VfiCudaRepeatPart parts[VFI_CUDA_REPEAT_PARTS];
    unsigned different = 7;

    memset(parts, 0xA5, sizeof parts);
    if (vfi_cuda_see_repeat(NULL, &a->info, &a->frame, &b->frame, parts, &different) !=
        cudaSuccess)
        ck_abort_msg("see repeat: the launch failed");
    ck_assert_uint_le(different, 1);
    return different == 0;
}

/* A ramp with some structure, brighter by @light and moved by @move (both in eighths),
 * under @noise codes of noise. */
static void paint_ramp(const TestFrame *frame, int move, int light, int noise)
{
    const VfiFormatDescription *format = vfi_format_describe(frame->info.format);
    const double scale = largest_code(frame->info.format) / 255;
    uint32_t state = 5 + (uint32_t)noise;

    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < frame->info.height >> format->component[c].shift_y; y++)
            for (int x = 0; x < frame->info.width >> format->component[c].shift_x; x++) {
                const double at = x - move / 8.0;
                const double value = 100 + 0.5 * y + 40 * sin(at / 3) + light / 8.0;

                state = state * 1664525u + 1013904223u;
                const double code = scale * (value + noise * (state >> 8 & 255) / 256.0);
                set_code(frame, c, x, y, format->depth == 32 ? code : floor(code));
            }
}

/* Each kind of change from none to a lot: the limits lie in between. */
START_TEST(repeats_are_seen_as_on_the_host)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 205, .height = 76};
    TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&info, LAYOUT_BOTTOM_UP);
    int n[2] = {0};

    paint_ramp(&a, 0, 0, 0);
    for (int kind = 0; kind < 3; kind++)
        for (int by = 0; by < 10; by++) {
            paint_ramp(&b, kind == 0 ? by : 0, kind == 1 ? by : 0, kind == 2 ? by : 0);
            const bool want =
                vfi_frames_repeat(&info, &a.frame, &b.frame, VFI_REPEAT_AUTO);

            n[want]++;
            if (device_sees_repeat(&a, &b) != want)
                ck_abort_msg("%s, kind %d by %d: expected %d",
                             vfi_format_to_string(info.format), kind, by, want);
        }
    ck_assert_int_ge(n[false], 5);
    ck_assert_int_ge(n[true], 5);
    test_frame_free(&a);
    test_frame_free(&b);
}
END_TEST

START_TEST(nan_differs)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_RGB_F32, .width = 20, .height = 3};
    TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);

    fill_noise(&a, 1);
    vfi_pixels_copy(&info, &a.frame, &b.frame, 0, info.height);
    set_code(&b, 1, 19, 2, NAN);
    ck_assert(found_different(&a, &b, 1e9));
    test_frame_free(&a);
    test_frame_free(&b);
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("cuda-frames_scene");
    TCase *tcase = tcase_create("frames_scene");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, cells_are_those_of_the_signature, first, end);
    tcase_add_loop_test(tcase, blocks_differ_as_on_the_host, first, end);
    tcase_add_loop_test(tcase, repeats_are_seen_as_on_the_host, first, end);
    tcase_add_test(tcase, nan_differs);
    return check_main(suite);
}
