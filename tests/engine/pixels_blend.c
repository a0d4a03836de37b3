/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blend against the plain formula, copy, and comparison, in every format and memory
 * layout. */
#include <math.h>

#include <glib.h>

#include "check_main.h"
#include "pixels/pixels.h"
#include "pixels_frames.h"

static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {66, 50}};

/* a(1-t) + bt with t in 65536ths, halves up; products in 64 bits. */
static double expected_mean(double a, double b, double t, bool real)
{
    int64_t weight = (int64_t)floor(t * 65536 + 0.5);
    int64_t sum = (int64_t)a * (65536 - weight) + (int64_t)b * weight;

    if (real)
        return a + (b - a) * ((double)weight / 65536);
    return (double)((sum + 32768) >> 16);
}

static void assert_blended(const TestFrame *a, const TestFrame *b, const TestFrame *out,
                           double t)
{
    const bool real = out->info.format == VFI_FORMAT_RGB_F32;

    for (int c = 0; c < vfi_format_describe(out->info.format)->n_components; c++)
        for (int y = 0; y < component_height(&out->info, c); y++)
            for (int x = 0; x < component_width(&out->info, c); x++) {
                double want =
                    expected_mean(get_code(a, c, x, y), get_code(b, c, x, y), t, real);
                assert_code(out, c, x, y, want, real ? 1e-6 : 0);
            }
}

START_TEST(blend_is_the_rounded_mean)
{
    const double times[] = {0.5, 1.0 / 3, 0.25, 1.0 / 16, 0, 1};
    VfiVideoInfo info = {.format = (VfiFormat)_i};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int layout = 0; layout < LAYOUT_COUNT; layout++) {
            info.width = sizes[s][0];
            info.height = sizes[s][1];
            TestFrame a = test_frame_new(&info, (Layout)layout);
            TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);
            fill_noise(&a, 1);
            fill_noise(&b, 2);
            for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
                TestFrame out = test_frame_new(&info, (Layout)layout);
                vfi_pixels_blend(&info, &a.frame, &b.frame, times[i], &out.frame, 0,
                                 info.height);
                assert_blended(&a, &b, &out, times[i]);
                assert_filler(&out);
                test_frame_assert_guards(&out);
                test_frame_free(&out);
            }
            test_frame_free(&a);
            test_frame_free(&b);
        }
}
END_TEST

START_TEST(extreme_codes_do_not_overflow)
{
    const VfiFormat formats[] = {
        VFI_FORMAT_GRAY8,     VFI_FORMAT_Y444_10LE, VFI_FORMAT_P010_10LE,
        VFI_FORMAT_Y444_12LE, VFI_FORMAT_P012_LE,   VFI_FORMAT_P016_LE,
        VFI_FORMAT_GRAY16_LE, VFI_FORMAT_Y412_LE,   VFI_FORMAT_ARGB64};

    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        const VfiVideoInfo info = {.format = formats[f], .width = 64, .height = 2};
        const VfiFormatDescription *format = vfi_format_describe(info.format);
        TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame out = test_frame_new(&info, LAYOUT_TIGHT);
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            memset(a.block[plane], 0xFF, a.size[plane]);
        for (int weight = 0; weight <= 65536; weight += 257) {
            vfi_pixels_blend(&info, &a.frame, &a.frame, weight / 65536.0, &out.frame, 0,
                             2);
            for (int x = 0; x < 64; x++)
                assert_code(&out, 0, x, 1,
                            format->sample_bytes == 2 && format->shift == 0
                                ? 65535
                                : largest_code(info.format),
                            0);
        }
        test_frame_free(&a);
        test_frame_free(&out);
    }
}
END_TEST

START_TEST(times_outside_the_interval_are_clamped)
{
    const double times[] = {-1, NAN, 2, INFINITY};
    VfiVideoInfo info = {.format = VFI_FORMAT_GRAY8, .width = 1, .height = 1};
    uint8_t zero = 10, one = 200, result = 0;
    VfiFrame frame0 = {.data = {&zero}, .stride = {1}};
    VfiFrame frame1 = {.data = {&one}, .stride = {1}};
    VfiFrame out = {.data = {&result}, .stride = {1}};

    for (int i = 0; i < 4; i++) {
        vfi_pixels_blend(&info, &frame0, &frame1, times[i], &out, 0, 1);
        ck_assert_uint_eq(result, i < 2 ? zero : one);
    }
}
END_TEST

START_TEST(copy_moves_every_plane_and_nothing_else)
{
    VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 13, .height = 7};

    for (int layout = 0; layout < LAYOUT_COUNT; layout++) {
        TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame out = test_frame_new(&info, (Layout)layout);
        fill_noise(&a, 3);
        vfi_pixels_copy(&info, &a.frame, &out.frame, 0, info.height);
        ck_assert(vfi_pixels_equal(&info, &a.frame, &out.frame));
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            for (int y = 0; y < vfi_video_info_rows(&info, plane); y++)
                ck_assert_mem_eq(out.frame.data[plane] + y * out.frame.stride[plane],
                                 a.frame.data[plane] + y * a.frame.stride[plane],
                                 vfi_video_info_row_bytes(&info, plane));
        test_frame_assert_guards(&out);
        test_frame_free(&a);
        test_frame_free(&out);
    }
}
END_TEST

START_TEST(bands_give_the_same_picture)
{
    VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 9, .height = 7};
    TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame whole = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame bands = test_frame_new(&info, LAYOUT_PADDED);

    fill_noise(&a, 4);
    fill_noise(&b, 5);
    for (int copy = 0; copy < 2; copy++) {
        if (copy)
            vfi_pixels_copy(&info, &a.frame, &whole.frame, 0, 7);
        else
            vfi_pixels_blend(&info, &a.frame, &b.frame, 0.3, &whole.frame, 0, 7);
        for (int y = 0; y < 7; y += VFI_BAND_ALIGN) {
            int end = MIN(y + VFI_BAND_ALIGN, 7);
            if (copy)
                vfi_pixels_copy(&info, &a.frame, &bands.frame, y, end);
            else
                vfi_pixels_blend(&info, &a.frame, &b.frame, 0.3, &bands.frame, y, end);
        }
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            ck_assert_mem_eq(whole.block[plane], bands.block[plane], whole.size[plane]);
    }
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&whole);
    test_frame_free(&bands);
}
END_TEST

START_TEST(equal_sees_every_used_byte)
{
    VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 5, .height = 3};
    int filler = vfi_format_filler_offset(vfi_format_describe(info.format));
    TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&info, LAYOUT_BOTTOM_UP);

    fill_noise(&a, 6);
    vfi_pixels_copy(&info, &a.frame, &b.frame, 0, info.height);
    ck_assert(vfi_pixels_equal(&info, &a.frame, &b.frame));
    for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
        for (int y = 0; y < vfi_video_info_rows(&info, plane); y++)
            for (size_t x = 0; x < vfi_video_info_row_bytes(&info, plane); x++) {
                uint8_t *byte = &b.frame.data[plane][y * b.frame.stride[plane] + (int)x];
                *byte ^= 1;
                ck_assert_int_eq(vfi_pixels_equal(&info, &a.frame, &b.frame),
                                 (int)(x % 4) == filler);
                *byte ^= 1;
            }
    test_frame_free(&a);
    test_frame_free(&b);
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("pixels_blend");
    TCase *tcase = tcase_create("pixels_blend");
    tcase_add_loop_test(tcase, blend_is_the_rounded_mean, first, end);
    tcase_add_test(tcase, extreme_codes_do_not_overflow);
    tcase_add_test(tcase, times_outside_the_interval_are_clamped);
    tcase_add_loop_test(tcase, copy_moves_every_plane_and_nothing_else, first, end);
    tcase_add_loop_test(tcase, bands_give_the_same_picture, first, end);
    tcase_add_loop_test(tcase, equal_sees_every_used_byte, first, end);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
