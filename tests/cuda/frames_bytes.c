/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CUDA backend's blending, keeping, copying and comparing against the CPU's, in every
 * format and memory layout: those that allow accesses of 16 bytes, of four, and of single
 * samples. */
#include <limits.h>
#include <math.h>

#include <glib.h>

#include "check_main.h"
#include "frames/frame_kernels.h"
#include "pixels/level.h"
#include "pixels_frames.h"

static const int sizes[][2] = {{1, 1}, {3, 5}, {64, 4}, {75, 9}};

/* Added to the layouts of pixels_frames.h: rows begin at multiples of 64 bytes. */
#define LAYOUT_ALIGNED LAYOUT_COUNT
#define N_LAYOUTS (LAYOUT_COUNT + 1)

static TestFrame frame_new(const VfiVideoInfo *info, int layout)
{
    if (layout != (int)LAYOUT_ALIGNED)
        return test_frame_new(info, (Layout)layout);

    TestFrame result = {.info = *info};
    for (int plane = 0; plane < vfi_format_planes(info->format); plane++) {
        const size_t stride = (vfi_video_info_row_bytes(info, plane) + 64) & ~(size_t)63;
        const size_t rows = (size_t)vfi_video_info_rows(info, plane);

        result.size[plane] = stride * rows + 128;
        result.block[plane] = aligned_alloc(64, result.size[plane]);
        ck_assert_ptr_nonnull(result.block[plane]);
        memset(result.block[plane], GUARD_BYTE, result.size[plane]);
        result.frame.data[plane] = result.block[plane] + 64;
        result.frame.stride[plane] = (ptrdiff_t)stride;
    }
    return result;
}

static void assert_same_blocks(const TestFrame *wanted, const TestFrame *found,
                               const char *what, int layout)
{
    for (int plane = 0; plane < vfi_format_planes(wanted->info.format); plane++)
        for (size_t i = 0; i < wanted->size[plane]; i++)
            if (wanted->block[plane][i] != found->block[plane][i])
                ck_abort_msg("%s %s %dx%d, layout %d: byte %zu of plane %d: expected %d, "
                             "found %d",
                             what, vfi_format_to_string(wanted->info.format),
                             wanted->info.width, wanted->info.height, layout, i, plane,
                             wanted->block[plane][i], found->block[plane][i]);
}

START_TEST(blend_gives_the_same_bits)
{
    const double times[] = {0.5, 1.0 / 3, 1.0 / 16, 0, 1, NAN, 2};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int layout = 0; layout < N_LAYOUTS; layout++) {
            const VfiVideoInfo info = {
                .format = (VfiFormat)_i, .width = sizes[s][0], .height = sizes[s][1]};
            TestFrame a = frame_new(&info, layout), b = frame_new(&info, layout);

            fill_noise(&a, 1);
            fill_noise(&b, 2);
            for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
                TestFrame wanted = frame_new(&info, layout);
                TestFrame found = frame_new(&info, layout);

                vfi_pixels_blend_c(&info, &a.frame, &b.frame, times[i], &wanted.frame, 0,
                                   info.height);
                if (vfi_cuda_blend(NULL, &info, &a.frame, &b.frame, times[i],
                                   &found.frame) != cudaSuccess)
                    ck_abort_msg("blend: the launch failed");
                assert_same_blocks(&wanted, &found, "blend", layout);
                test_frame_free(&wanted);
                test_frame_free(&found);
            }
            test_frame_free(&a);
            test_frame_free(&b);
        }
}
END_TEST

/* A mask and regions, each alone and both. */
START_TEST(keep_gives_the_same_bits)
{
    const VfiRectangle regions[] = {
        {2, 1, 9, 3}, {-5, -5, 7, 6}, {60, 2, INT_MAX, INT_MAX}, {5, 5, 0, 4}};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int site = 0; site < 4; site++)
            for (int kind = 0; kind < 3; kind++) {
                const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                           .chroma_site = (VfiChromaSite)site,
                                           .width = sizes[s][0],
                                           .height = sizes[s][1]};
                const size_t n = (size_t)info.width * (size_t)info.height;
                g_autofree uint8_t *mask = g_malloc(n);
                const VfiKeep keep = {.mask = {kind != 1 ? mask : NULL},
                                      .stride = {(size_t)info.width},
                                      .regions = regions,
                                      .n_regions =
                                          kind != 0 ? (int)G_N_ELEMENTS(regions) : 0};
                int layout = (int)(s + (size_t)kind) % N_LAYOUTS;
                TestFrame a = frame_new(&info, layout), b = frame_new(&info, layout);
                TestFrame wanted = frame_new(&info, layout);
                TestFrame found = frame_new(&info, layout);

                for (size_t i = 0; i < n; i++)
                    mask[i] = (uint8_t)(i % 3 == 0 ? 0 : i % 3 == 1 ? 255 : 37 * i);
                fill_noise(&a, 1);
                fill_noise(&b, 2);
                fill_noise(&wanted, 3);
                fill_noise(&found, 3);
                vfi_pixels_keep_c(&info, &a.frame, &b.frame, 0.3, &keep, &wanted.frame, 0,
                                  info.height);
                if (vfi_cuda_keep(NULL, &info, &a.frame, &b.frame, 0.3, &keep,
                                  keep.mask[0], &found.frame) != cudaSuccess)
                    ck_abort_msg("keep: the launch failed");
                assert_same_blocks(&wanted, &found, "keep", layout);
                test_frame_free(&a);
                test_frame_free(&b);
                test_frame_free(&wanted);
                test_frame_free(&found);
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
        TestFrame a = frame_new(&info, LAYOUT_TIGHT);
        TestFrame wanted = frame_new(&info, LAYOUT_TIGHT);
        TestFrame found = frame_new(&info, LAYOUT_TIGHT);

        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            memset(a.block[plane], 0xFF, a.size[plane]);
        for (int weight = 0; weight <= 65536; weight += 257) {
            const double t = weight / 65536.0;

            vfi_pixels_blend_c(&info, &a.frame, &a.frame, t, &wanted.frame, 0, 2);
            vfi_cuda_blend(NULL, &info, &a.frame, &a.frame, t, &found.frame);
            assert_same_blocks(&wanted, &found, "blend", LAYOUT_TIGHT);
        }
        test_frame_free(&a);
        test_frame_free(&wanted);
        test_frame_free(&found);
    }
}
END_TEST

START_TEST(copy_moves_every_plane_and_nothing_else)
{
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int from = 0; from < N_LAYOUTS; from++)
            for (int to = 0; to < N_LAYOUTS; to++) {
                const VfiVideoInfo info = {
                    .format = (VfiFormat)_i, .width = sizes[s][0], .height = sizes[s][1]};
                TestFrame a = frame_new(&info, from);
                TestFrame wanted = frame_new(&info, to), found = frame_new(&info, to);

                fill_noise(&a, 3);
                vfi_pixels_copy(&info, &a.frame, &wanted.frame, 0, info.height);
                if (vfi_cuda_copy_frame(NULL, &info, &a.frame, &found.frame) !=
                    cudaSuccess)
                    ck_abort_msg("copy: the launch failed");
                assert_same_blocks(&wanted, &found, "copy", to);
                test_frame_free(&a);
                test_frame_free(&wanted);
                test_frame_free(&found);
            }
}
END_TEST

static bool found_different(const TestFrame *a, const TestFrame *b)
{
    unsigned different = 0;

    if (vfi_cuda_compare_frames(NULL, &a->info, &a->frame, &b->frame, &different) !=
        cudaSuccess)
        ck_abort_msg("compare: the launch failed");
    return different != 0;
}

START_TEST(compare_sees_every_used_byte)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 21, .height = 3};
    const int filler = vfi_format_filler_offset(vfi_format_describe(info.format));

    for (int layout = 0; layout < N_LAYOUTS; layout++) {
        TestFrame a = frame_new(&info, layout), b = frame_new(&info, layout);

        fill_noise(&a, 6);
        vfi_pixels_copy(&info, &a.frame, &b.frame, 0, info.height);
        if (found_different(&a, &b))
            ck_abort_msg("%s: a copy differs", vfi_format_to_string(info.format));
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            for (int y = 0; y < vfi_video_info_rows(&info, plane); y++)
                for (size_t x = 0; x < vfi_video_info_row_bytes(&info, plane); x++) {
                    uint8_t *byte =
                        &b.frame.data[plane][y * b.frame.stride[plane] + (int)x];
                    const bool used = (int)(x % 4) != filler;

                    *byte ^= 128;
                    if (found_different(&a, &b) != used)
                        ck_abort_msg("%s: byte %zu of row %d of plane %d, layout %d",
                                     vfi_format_to_string(info.format), x, y, plane,
                                     layout);
                    *byte ^= 128;
                }
        test_frame_free(&a);
        test_frame_free(&b);
    }
}
END_TEST

START_TEST(a_difference_found_before_stays)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_NV12, .width = 20, .height = 6};
    TestFrame a = frame_new(&info, LAYOUT_TIGHT);
    unsigned different = 1;

    fill_noise(&a, 7);
    vfi_cuda_compare_frames(NULL, &info, &a.frame, &a.frame, &different);
    ck_assert_uint_eq(different, 1);
    test_frame_free(&a);
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("cuda-frames_bytes");
    TCase *tcase = tcase_create("frames_bytes");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, blend_gives_the_same_bits, first, end);
    tcase_add_loop_test(tcase, keep_gives_the_same_bits, first, end);
    tcase_add_test(tcase, extreme_codes_do_not_overflow);
    tcase_add_loop_test(tcase, copy_moves_every_plane_and_nothing_else, first, end);
    tcase_add_loop_test(tcase, compare_sees_every_used_byte, first, end);
    tcase_add_test(tcase, a_difference_found_before_stays);
    return check_main(suite);
}
