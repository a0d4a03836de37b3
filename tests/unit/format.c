/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The format table against GStreamer's documentation, plane sizes, frame allocation. */
#include <stdint.h>
#include <string.h>

#include <vfi/error.h>
#include <vfi/frame.h>

#include "base/alloc.h"
#include "check_main.h"
#include "pixels/format.h"

/* Where the documentation of video formats puts each component: plane, first byte, bytes
 * from pixel to pixel. Components in the order Y, U, V or R, G, B, A. */
typedef struct {
    VfiFormat format;
    const char *name;
    int planes, components, depth, shift, bytes;
    int shift_x, shift_y; /* of chroma */
    struct {
        int plane, offset, stride;
    } at[4];
} Fact;

static const Fact facts[] = {
    {VFI_FORMAT_I420, "I420", 3, 3, 8, 0, 1, 1, 1, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
    {VFI_FORMAT_YV12, "YV12", 3, 3, 8, 0, 1, 1, 1, {{0, 0, 1}, {2, 0, 1}, {1, 0, 1}}},
    {VFI_FORMAT_NV12, "NV12", 2, 3, 8, 0, 1, 1, 1, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
    {VFI_FORMAT_NV21, "NV21", 2, 3, 8, 0, 1, 1, 1, {{0, 0, 1}, {1, 1, 2}, {1, 0, 2}}},
    {VFI_FORMAT_Y42B, "Y42B", 3, 3, 8, 0, 1, 1, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
    {VFI_FORMAT_Y444, "Y444", 3, 3, 8, 0, 1, 0, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
    {VFI_FORMAT_I420_10LE,
     "I420_10LE",
     3,
     3,
     10,
     0,
     2,
     1,
     1,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_P010_10LE,
     "P010_10LE",
     2,
     3,
     10,
     6,
     2,
     1,
     1,
     {{0, 0, 2}, {1, 0, 4}, {1, 2, 4}}},
    {VFI_FORMAT_Y444_10LE,
     "Y444_10LE",
     3,
     3,
     10,
     0,
     2,
     0,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_GRAY8, "GRAY8", 1, 1, 8, 0, 1, 0, 0, {{0, 0, 1}}},
    {VFI_FORMAT_RGB, "RGB", 1, 3, 8, 0, 1, 0, 0, {{0, 0, 3}, {0, 1, 3}, {0, 2, 3}}},
    {VFI_FORMAT_BGR, "BGR", 1, 3, 8, 0, 1, 0, 0, {{0, 2, 3}, {0, 1, 3}, {0, 0, 3}}},
    {VFI_FORMAT_RGBX, "RGBx", 1, 3, 8, 0, 1, 0, 0, {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}}},
    {VFI_FORMAT_XRGB, "xRGB", 1, 3, 8, 0, 1, 0, 0, {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
    {VFI_FORMAT_BGRX, "BGRx", 1, 3, 8, 0, 1, 0, 0, {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
    {VFI_FORMAT_XBGR, "xBGR", 1, 3, 8, 0, 1, 0, 0, {{0, 3, 4}, {0, 2, 4}, {0, 1, 4}}},
    {VFI_FORMAT_RGBA,
     "RGBA",
     1,
     4,
     8,
     0,
     1,
     0,
     0,
     {{0, 0, 4}, {0, 1, 4}, {0, 2, 4}, {0, 3, 4}}},
    {VFI_FORMAT_ARGB,
     "ARGB",
     1,
     4,
     8,
     0,
     1,
     0,
     0,
     {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}, {0, 0, 4}}},
    {VFI_FORMAT_BGRA,
     "BGRA",
     1,
     4,
     8,
     0,
     1,
     0,
     0,
     {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}, {0, 3, 4}}},
    {VFI_FORMAT_ABGR,
     "ABGR",
     1,
     4,
     8,
     0,
     1,
     0,
     0,
     {{0, 3, 4}, {0, 2, 4}, {0, 1, 4}, {0, 0, 4}}},
    {VFI_FORMAT_GBR, "GBR", 3, 3, 8, 0, 1, 0, 0, {{2, 0, 1}, {0, 0, 1}, {1, 0, 1}}},
    {VFI_FORMAT_RGBP, "RGBP", 3, 3, 8, 0, 1, 0, 0, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}},
    {VFI_FORMAT_NV16, "NV16", 2, 3, 8, 0, 1, 1, 0, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
    {VFI_FORMAT_NV24, "NV24", 2, 3, 8, 0, 1, 0, 0, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}},
    {VFI_FORMAT_I422_10LE,
     "I422_10LE",
     3,
     3,
     10,
     0,
     2,
     1,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_GBR_10LE,
     "GBR_10LE",
     3,
     3,
     10,
     0,
     2,
     0,
     0,
     {{2, 0, 2}, {0, 0, 2}, {1, 0, 2}}},
    {VFI_FORMAT_AYUV,
     "AYUV",
     1,
     4,
     8,
     0,
     1,
     0,
     0,
     {{0, 1, 4}, {0, 2, 4}, {0, 3, 4}, {0, 0, 4}}},
    {VFI_FORMAT_VUYA,
     "VUYA",
     1,
     4,
     8,
     0,
     1,
     0,
     0,
     {{0, 2, 4}, {0, 1, 4}, {0, 0, 4}, {0, 3, 4}}},
    {VFI_FORMAT_A420,
     "A420",
     4,
     4,
     8,
     0,
     1,
     1,
     1,
     {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {3, 0, 1}}},
    {VFI_FORMAT_AV12,
     "AV12",
     3,
     4,
     8,
     0,
     1,
     1,
     1,
     {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}, {2, 0, 1}}},
    {VFI_FORMAT_GBRA,
     "GBRA",
     4,
     4,
     8,
     0,
     1,
     0,
     0,
     {{2, 0, 1}, {0, 0, 1}, {1, 0, 1}, {3, 0, 1}}},
    {VFI_FORMAT_A420_10LE,
     "A420_10LE",
     4,
     4,
     10,
     0,
     2,
     1,
     1,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}, {3, 0, 2}}},
    {VFI_FORMAT_A444_10LE,
     "A444_10LE",
     4,
     4,
     10,
     0,
     2,
     0,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}, {3, 0, 2}}},
    {VFI_FORMAT_GBRA_10LE,
     "GBRA_10LE",
     4,
     4,
     10,
     0,
     2,
     0,
     0,
     {{2, 0, 2}, {0, 0, 2}, {1, 0, 2}, {3, 0, 2}}},
    {VFI_FORMAT_I420_12LE,
     "I420_12LE",
     3,
     3,
     12,
     0,
     2,
     1,
     1,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_I422_12LE,
     "I422_12LE",
     3,
     3,
     12,
     0,
     2,
     1,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_Y444_12LE,
     "Y444_12LE",
     3,
     3,
     12,
     0,
     2,
     0,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_Y444_16LE,
     "Y444_16LE",
     3,
     3,
     16,
     0,
     2,
     0,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}}},
    {VFI_FORMAT_P012_LE,
     "P012_LE",
     2,
     3,
     12,
     4,
     2,
     1,
     1,
     {{0, 0, 2}, {1, 0, 4}, {1, 2, 4}}},
    {VFI_FORMAT_P016_LE,
     "P016_LE",
     2,
     3,
     16,
     0,
     2,
     1,
     1,
     {{0, 0, 2}, {1, 0, 4}, {1, 2, 4}}},
    {VFI_FORMAT_GRAY16_LE, "GRAY16_LE", 1, 1, 16, 0, 2, 0, 0, {{0, 0, 2}}},
    {VFI_FORMAT_GBR_12LE,
     "GBR_12LE",
     3,
     3,
     12,
     0,
     2,
     0,
     0,
     {{2, 0, 2}, {0, 0, 2}, {1, 0, 2}}},
    {VFI_FORMAT_GBR_16LE,
     "GBR_16LE",
     3,
     3,
     16,
     0,
     2,
     0,
     0,
     {{2, 0, 2}, {0, 0, 2}, {1, 0, 2}}},
    {VFI_FORMAT_GBRA_12LE,
     "GBRA_12LE",
     4,
     4,
     12,
     0,
     2,
     0,
     0,
     {{2, 0, 2}, {0, 0, 2}, {1, 0, 2}, {3, 0, 2}}},
    {VFI_FORMAT_A444_12LE,
     "A444_12LE",
     4,
     4,
     12,
     0,
     2,
     0,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}, {3, 0, 2}}},
    {VFI_FORMAT_A444_16LE,
     "A444_16LE",
     4,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 0, 2}, {1, 0, 2}, {2, 0, 2}, {3, 0, 2}}},
    {VFI_FORMAT_Y412_LE,
     "Y412_LE",
     1,
     4,
     12,
     4,
     2,
     0,
     0,
     {{0, 2, 8}, {0, 0, 8}, {0, 4, 8}, {0, 6, 8}}},
    {VFI_FORMAT_AYUV64,
     "AYUV64",
     1,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 2, 8}, {0, 4, 8}, {0, 6, 8}, {0, 0, 8}}},
    {VFI_FORMAT_ARGB64,
     "ARGB64",
     1,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 2, 8}, {0, 4, 8}, {0, 6, 8}, {0, 0, 8}}},
    {VFI_FORMAT_ARGB64_LE,
     "ARGB64_LE",
     1,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 2, 8}, {0, 4, 8}, {0, 6, 8}, {0, 0, 8}}},
    {VFI_FORMAT_RGBA64_LE,
     "RGBA64_LE",
     1,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 0, 8}, {0, 2, 8}, {0, 4, 8}, {0, 6, 8}}},
    {VFI_FORMAT_BGRA64_LE,
     "BGRA64_LE",
     1,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 4, 8}, {0, 2, 8}, {0, 0, 8}, {0, 6, 8}}},
    {VFI_FORMAT_ABGR64_LE,
     "ABGR64_LE",
     1,
     4,
     16,
     0,
     2,
     0,
     0,
     {{0, 6, 8}, {0, 4, 8}, {0, 2, 8}, {0, 0, 8}}},
    {VFI_FORMAT_RGB_F32,
     "RGB_F32",
     3,
     3,
     32,
     0,
     4,
     0,
     0,
     {{0, 0, 4}, {1, 0, 4}, {2, 0, 4}}},
};

START_TEST(table_agrees_with_the_documentation)
{
    ck_assert_uint_eq(G_N_ELEMENTS(facts), VFI_FORMAT_COUNT - 1);
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
        const Fact *fact = &facts[i];
        const VfiFormatDescription *format = vfi_format_describe(fact->format);

        ck_assert_str_eq(format->name, fact->name);
        ck_assert_int_eq(format->n_planes, fact->planes);
        ck_assert_int_eq(format->n_components, fact->components);
        ck_assert_int_eq(format->has_alpha, fact->components == 4);
        ck_assert_int_eq(format->depth, fact->depth);
        ck_assert_int_eq(format->shift, fact->shift);
        ck_assert_int_eq(format->sample_bytes, fact->bytes);
        for (int c = 0; c < fact->components; c++) {
            const VfiComponent *component = &format->component[c];
            bool chroma = format->colour == VFI_FAMILY_YUV && c > 0 && c < 3;
            ck_assert_int_eq(component->plane, fact->at[c].plane);
            ck_assert_int_eq(component->offset, fact->at[c].offset);
            ck_assert_int_eq(component->pixel_stride, fact->at[c].stride);
            ck_assert_int_eq(component->shift_x, chroma ? fact->shift_x : 0);
            ck_assert_int_eq(component->shift_y, chroma ? fact->shift_y : 0);
        }
    }
}
END_TEST

START_TEST(names_go_both_ways)
{
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
        ck_assert_str_eq(vfi_format_to_string(facts[i].format), facts[i].name);
        ck_assert_int_eq(vfi_format_from_string(facts[i].name), facts[i].format);
        ck_assert_int_eq(vfi_format_planes(facts[i].format), facts[i].planes);
    }
    ck_assert_int_eq(vfi_format_from_string("i420"), VFI_FORMAT_UNKNOWN);
    ck_assert_int_eq(vfi_format_from_string(NULL), VFI_FORMAT_UNKNOWN);
    ck_assert_ptr_nonnull(vfi_format_to_string(VFI_FORMAT_UNKNOWN));
    ck_assert_ptr_nonnull(vfi_format_to_string((VfiFormat)1000));
    ck_assert_int_eq(vfi_format_planes(VFI_FORMAT_UNKNOWN), 0);
    ck_assert_ptr_null(vfi_format_describe(VFI_FORMAT_COUNT));
    ck_assert_ptr_null(vfi_format_describe((VfiFormat)-1));
}
END_TEST

START_TEST(unused_byte_is_the_one_without_a_component)
{
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
        const char *x = strchr(facts[i].name, 'x');
        int expected = x != NULL ? (int)(x - facts[i].name) : -1;
        ck_assert_int_eq(vfi_format_filler_offset(vfi_format_describe(facts[i].format)),
                         expected);
    }
}
END_TEST

START_TEST(odd_sizes_round_chroma_up)
{
    VfiVideoInfo info = {.format = VFI_FORMAT_NV12, .width = 3, .height = 5};
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 0), 3);
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 1), 4);
    ck_assert_int_eq(vfi_video_info_rows(&info, 0), 5);
    ck_assert_int_eq(vfi_video_info_rows(&info, 1), 3);
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 2), 0);
    ck_assert_int_eq(vfi_video_info_rows(&info, -1), 0);

    info.format = VFI_FORMAT_Y42B;
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 2), 2);
    ck_assert_int_eq(vfi_video_info_rows(&info, 2), 5);

    info = (VfiVideoInfo){.format = VFI_FORMAT_P010_10LE, .width = 1, .height = 1};
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 0), 2);
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 1), 4);
    ck_assert_int_eq(vfi_video_info_rows(&info, 1), 1);

    info = (VfiVideoInfo){.format = VFI_FORMAT_RGB, .width = 7, .height = 2};
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 0), 21);
    info.format = VFI_FORMAT_RGB_F32;
    ck_assert_uint_eq(vfi_video_info_row_bytes(&info, 2), 28);
}
END_TEST

START_TEST(validation_names_the_bad_field)
{
    const VfiVideoInfo good = {.format = VFI_FORMAT_I420,
                               .width = VFI_MAX_DIMENSION,
                               .height = 1,
                               .matrix = VFI_MATRIX_FCC,
                               .range = VFI_RANGE_FULL,
                               .chroma_site = (VfiChromaSite)3};
    VfiVideoInfo bad[7];
    const char *word[] = {"format", "format", "width", "height",
                          "matrix", "range",  "site"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        bad[i] = good;
    bad[0].format = VFI_FORMAT_UNKNOWN;
    bad[1].format = VFI_FORMAT_COUNT;
    bad[2].width = VFI_MAX_DIMENSION + 1;
    bad[3].height = 0;
    bad[4].matrix = (VfiMatrix)6;
    bad[5].range = (VfiRange)-1;
    bad[6].chroma_site = (VfiChromaSite)4;

    ck_assert(vfi_video_info_validate(&good, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!vfi_video_info_validate(&bad[i], &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
        ck_assert_ptr_nonnull(strstr(error->message, word[i]));
    }
}
END_TEST

START_TEST(frames_are_aligned_zeroed_and_large_enough)
{
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
        VfiVideoInfo info = {.format = facts[i].format, .width = 67, .height = 5};
        VfiFrame frame;
        ck_assert(vfi_frame_alloc(&frame, &info, NULL));
        for (int plane = 0; plane < facts[i].planes; plane++) {
            size_t bytes = vfi_video_info_row_bytes(&info, plane);
            ck_assert_uint_eq((uintptr_t)frame.data[plane] % 64, 0);
            ck_assert_int_eq(frame.stride[plane] % 64, 0);
            ck_assert_int_ge(frame.stride[plane], (ptrdiff_t)bytes);
            for (int y = 0; y < vfi_video_info_rows(&info, plane); y++)
                for (size_t x = 0; x < bytes; x++) {
                    uint8_t *byte = &frame.data[plane][y * frame.stride[plane] + (int)x];
                    ck_assert_uint_eq(*byte, 0);
                    *byte = 255; /* the sanitizers watch that it is ours */
                }
        }
        if (facts[i].planes < VFI_MAX_PLANES)
            ck_assert_ptr_null(frame.data[facts[i].planes]);
        vfi_frame_clear(&frame);
        ck_assert_ptr_null(frame.data[0]);
        vfi_frame_clear(&frame);
    }
}
END_TEST

START_TEST(allocation_can_be_refused)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_RGB_F32, .width = 8, .height = 8};
    const VfiVideoInfo invalid = {.format = VFI_FORMAT_I420, .width = 0, .height = 8};
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) second = NULL;
    VfiFrame frame;

    vfi_alloc_fail_after(0);
    gboolean allocated = vfi_frame_alloc(&frame, &info, &error);
    vfi_alloc_fail_after(G_MAXUINT64);
    ck_assert(!allocated);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    ck_assert_ptr_null(frame.data[0]);
    ck_assert_int_eq(frame.stride[0], 0);

    ck_assert(!vfi_frame_alloc(&frame, &invalid, &second));
    ck_assert(g_error_matches(second, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("format");
    TCase *tcase = tcase_create("format");
    tcase_add_test(tcase, table_agrees_with_the_documentation);
    tcase_add_test(tcase, names_go_both_ways);
    tcase_add_test(tcase, unused_byte_is_the_one_without_a_component);
    tcase_add_test(tcase, odd_sizes_round_chroma_up);
    tcase_add_test(tcase, validation_names_the_bad_field);
    tcase_add_test(tcase, frames_are_aligned_zeroed_and_large_enough);
    tcase_add_test(tcase, allocation_can_be_refused);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
