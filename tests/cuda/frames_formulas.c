/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CUDA backend's prepare, warp-blend and RGB to planes give the bits of the CPU's C
 * reference, in every format, memory layout, size, matrix, range and chroma site; and so
 * do bands of rows. */
#include <glib.h>

#include "check_main.h"
#include "frames/frame_kernels.h"
#include "pixels/level.h"
#include "pixels_field.h"

static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {66, 26}, {131, 7}};

#define VARIATIONS 12

/* Frames of noise, and room for the CPU's and the device's results. */
typedef struct {
    VfiVideoInfo info;
    TestFrame a, b, wanted, found;
} Bench;

static Bench bench_new(VfiFormat format, int width, int height, int variation)
{
    const Layout layout = (Layout)(variation % LAYOUT_COUNT);
    Bench bench = {.info = {.format = format,
                            .width = width,
                            .height = height,
                            .matrix = (VfiMatrix)(variation % 6),
                            .range = (VfiRange)(variation % 3),
                            .chroma_site = (VfiChromaSite)(variation % 4)}};

    bench.a = test_frame_new(&bench.info, layout);
    /* Tight rows of whole words, which are read as such. */
    bench.b = test_frame_new(&bench.info,
                             layout == LAYOUT_TIGHT ? LAYOUT_TIGHT : LAYOUT_BOTTOM_UP);
    bench.wanted = test_frame_new(&bench.info, layout);
    bench.found = test_frame_new(&bench.info, layout);
    fill_noise(&bench.a, 1 + (uint32_t)variation);
    fill_noise(&bench.b, 100 + (uint32_t)variation);
    return bench;
}

static void bench_free(Bench *bench)
{
    test_frame_free(&bench->a);
    test_frame_free(&bench->b);
    test_frame_free(&bench->wanted);
    test_frame_free(&bench->found);
}

/* Guard bytes included. */
static void assert_same_frames(const Bench *bench, const char *what, int variation)
{
    for (int plane = 0; plane < vfi_format_planes(bench->info.format); plane++)
        for (size_t i = 0; i < bench->wanted.size[plane]; i++)
            if (bench->wanted.block[plane][i] != bench->found.block[plane][i])
                ck_abort_msg("%s %s %dx%d, variation %d: byte %zu of plane %d: expected "
                             "%d, found %d",
                             what, vfi_format_to_string(bench->info.format),
                             bench->info.width, bench->info.height, variation, i, plane,
                             bench->wanted.block[plane][i], bench->found.block[plane][i]);
}

static void assert_same_floats(const Bench *bench, const float *wanted,
                               const float *found, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&wanted[i], &found[i], sizeof *found) != 0)
            ck_abort_msg("%s %dx%d: float %zu: expected %.9g, found %.9g",
                         vfi_format_to_string(bench->info.format), bench->info.width,
                         bench->info.height, i, (double)wanted[i], (double)found[i]);
}

/* Images with 4 floats before and after them that must not change. */
static void check_prepare(const Bench *bench, int padded_w, int padded_h,
                          VfiPadding padding)
{
    const size_t n = 3 * (size_t)padded_w * (size_t)padded_h + 8;
    float *wanted = malloc(n * sizeof *wanted), *found = malloc(n * sizeof *found);

    ck_assert(wanted != NULL && found != NULL);
    for (size_t i = 0; i < n; i++)
        wanted[i] = found[i] = -7;
    vfi_pixels_prepare_c(&bench->info, &bench->a.frame, wanted + 4, padded_w, padded_h,
                         padding, 0, padded_h);
    if (vfi_cuda_prepare(NULL, &bench->info, &bench->a.frame, found + 4, padded_w,
                         padded_h, padding) != cudaSuccess)
        ck_abort_msg("prepare: the launch failed");
    assert_same_floats(bench, wanted, found, n);
    free(wanted);
    free(found);
}

START_TEST(prepare_gives_the_same_bits)
{
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int i = 0; i < VARIATIONS; i++) {
            const int width = sizes[s][0], height = sizes[s][1];
            Bench bench = bench_new((VfiFormat)_i, width, height, i);

            /* Whole vectors, or not; with columns and rows of padding, or without. */
            for (int k = 0; k < 2; k++) {
                VfiPadding padding = k == 0 ? VFI_PAD_ZEROS : VFI_PAD_REFLECT;
                if (i % 2 == 0)
                    check_prepare(&bench, (width + 31) / 32 * 32, height + 3, padding);
                else
                    check_prepare(&bench, width + i % 4, height, padding);
            }
            bench_free(&bench);
        }
}
END_TEST

/* Fields with an even and an odd number of floats per row, and flows that leave the
 * picture. */
static TestField field_of(const VfiVideoInfo *info, int variation)
{
    TestField field = test_field_new(info, variation % 2 != 0);

    fill_field_noise(&field, variation % 3 == 0 ? 90 : 9, 3 + (uint32_t)variation);
    if (variation % 5 == 0) {
        field.flow[field_at(&field, 0, info->width - 1, 0)] = NAN;
        field.flow[field_at(&field, 3, 0, info->height - 1)] = INFINITY;
    }
    return field;
}

START_TEST(warp_blend_gives_the_same_bits)
{
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int i = 0; i < VARIATIONS; i++) {
            const int height = sizes[s][1];
            Bench bench = bench_new((VfiFormat)_i, sizes[s][0], height, i);
            TestField field = field_of(&bench.info, i);

            vfi_pixels_warp_blend_c(&bench.info, &bench.a.frame, &bench.b.frame,
                                    &field.field, &bench.wanted.frame, 0, height);
            if (vfi_cuda_warp_blend(NULL, &bench.info, &bench.a.frame, &bench.b.frame,
                                    &field.field, &bench.found.frame, 0,
                                    height) != cudaSuccess)
                ck_abort_msg("warp_blend: the launch failed");
            assert_same_frames(&bench, "warp_blend", i);
            test_field_free(&field);
            bench_free(&bench);
        }
}
END_TEST

/* The field's rows from @first on, in memory of their own. */
static VfiFlowField rows_of_field(const TestField *field, int first, int n_rows)
{
    const size_t width = (size_t)field->field.padded_w, plane = width * (size_t)n_rows;
    float *flow = malloc(4 * plane * sizeof *flow), *mask = malloc(plane * sizeof *mask);
    VfiFlowField rows = field->field;

    ck_assert(flow != NULL && mask != NULL);
    for (int i = 0; i < 4; i++)
        memcpy(flow + (size_t)i * plane, &field->flow[field_at(field, i, 0, first)],
               plane * sizeof *flow);
    memcpy(mask, &field->mask[field_at(field, 0, 0, first)], plane * sizeof *mask);
    rows.flow = flow;
    rows.mask = mask;
    rows.plane = plane;
    rows.first_row = first;
    return rows;
}

START_TEST(bands_of_warp_blend_give_the_same_picture)
{
    const int height = 23, step = 6;

    for (int i = 0; i < VARIATIONS; i++) {
        Bench bench = bench_new((VfiFormat)_i, 37, height, i);
        TestField field = field_of(&bench.info, i);

        vfi_pixels_warp_blend_c(&bench.info, &bench.a.frame, &bench.b.frame, &field.field,
                                &bench.wanted.frame, 0, height);
        for (int begin = 0; begin < height; begin += step) {
            const int end = MIN(begin + step, height);
            VfiFlowField rows = rows_of_field(&field, begin, end - begin);

            vfi_cuda_warp_blend(NULL, &bench.info, &bench.a.frame, &bench.b.frame, &rows,
                                &bench.found.frame, begin, end);
            free((void *)rows.flow);
            free((void *)rows.mask);
        }
        assert_same_frames(&bench, "bands of synthesis", i);
        test_field_free(&field);
        bench_free(&bench);
    }
}
END_TEST

/* Values somewhat beyond [0,1], some NaN. */
static float *rgb_noise(size_t n, uint32_t seed)
{
    float *rgb = malloc(n * sizeof *rgb);

    ck_assert_ptr_nonnull(rgb);
    for (size_t i = 0; i < n; i++)
        rgb[i] = i % 97 == 96 ? NAN : (float)(noise(&seed) / 16777216.0 * 1.2 - 0.1);
    return rgb;
}

START_TEST(rgb_to_planes_gives_the_same_bits)
{
    const double times[] = {0.5, 1.0 / 3, 0.9};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int i = 0; i < VARIATIONS; i++) {
            const int height = sizes[s][1], padded_w = sizes[s][0] + i % 4;
            const double t = times[i % 3];
            Bench bench = bench_new((VfiFormat)_i, sizes[s][0], height, i);
            float *rgb = rgb_noise(3 * (size_t)padded_w * (size_t)height, 5);
            const VfiRgbPicture picture = test_rgb_picture(rgb, padded_w, height);

            vfi_pixels_rgb_to_planes_c(&bench.info, &picture, &bench.a.frame,
                                       &bench.b.frame, t, &bench.wanted.frame, 0, height);
            if (vfi_cuda_rgb_to_planes(NULL, &bench.info, &picture, &bench.a.frame,
                                       &bench.b.frame, t, &bench.found.frame, 0,
                                       height) != cudaSuccess)
                ck_abort_msg("rgb_to_planes: the launch failed");
            assert_same_frames(&bench, "rgb_to_planes", i);
            free(rgb);
            bench_free(&bench);
        }
}
END_TEST

/* A band reads one more row on either side. */
START_TEST(bands_of_rgb_to_planes_give_the_same_picture)
{
    const int width = 37, height = 23, step = 6;

    for (int i = 0; i < VARIATIONS; i++) {
        Bench bench = bench_new((VfiFormat)_i, width, height, i);
        const size_t plane = (size_t)width * (size_t)height;
        float *rgb = rgb_noise(3 * plane, 6);
        VfiRgbPicture picture = test_rgb_picture(rgb, width, height);

        vfi_pixels_rgb_to_planes_c(&bench.info, &picture, &bench.a.frame, &bench.b.frame,
                                   0.3, &bench.wanted.frame, 0, height);
        for (int begin = 0; begin < height; begin += step) {
            const int end = MIN(begin + step, height);

            picture.first_row = MAX(begin - 1, 0);
            picture.rgb = rgb + (size_t)picture.first_row * (size_t)width;
            vfi_cuda_rgb_to_planes(NULL, &bench.info, &picture, &bench.a.frame,
                                   &bench.b.frame, 0.3, &bench.found.frame, begin, end);
        }
        assert_same_frames(&bench, "bands of rgb_to_planes", i);
        free(rgb);
        bench_free(&bench);
    }
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("cuda-frames_formulas");
    TCase *tcase = tcase_create("frames_formulas");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, prepare_gives_the_same_bits, first, end);
    tcase_add_loop_test(tcase, warp_blend_gives_the_same_bits, first, end);
    tcase_add_loop_test(tcase, bands_of_warp_blend_give_the_same_picture, first, end);
    tcase_add_loop_test(tcase, rgb_to_planes_gives_the_same_bits, first, end);
    tcase_add_loop_test(tcase, bands_of_rgb_to_planes_give_the_same_picture, first, end);
    return check_main(suite);
}
