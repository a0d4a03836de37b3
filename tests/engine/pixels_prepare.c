/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prepare against the formulas in double precision. */
#include <glib.h>

#include "check_main.h"
#include "pixels/pixels.h"
#include "pixels_formula.h"

static void assert_prepared(const TestFrame *test, const float *out, int padded_w,
                            int padded_h)
{
    for (int y = 0; y < padded_h; y++)
        for (int x = 0; x < padded_w; x++) {
            double want[3] = {0};
            if (x < test->info.width && y < test->info.height)
                rgb_at(test, x, y, want);
            for (int c = 0; c < 3; c++) {
                double found = (double)
                    out[((size_t)c * (size_t)padded_h + (size_t)y) * (size_t)padded_w +
                        (size_t)x];
                if (!(fabs(found - want[c]) <= 1e-6))
                    ck_abort_msg("%s %dx%d matrix %d range %d site %d: channel %d at %d, "
                                 "%d: want %.9g, found %.9g",
                                 vfi_format_to_string(test->info.format),
                                 test->info.width, test->info.height,
                                 (int)test->info.matrix, (int)test->info.range,
                                 (int)test->info.chroma_site, c, x, y, want[c], found);
            }
        }
}

/* Prepares noise of @info, whole (@band 0) or in bands, between guards. */
static void check_prepare(const VfiVideoInfo *info, Layout layout, int band)
{
    const int padded_w = (info->width + 7) / 8 * 8, padded_h = (info->height + 7) / 8 * 8;
    const size_t n = 3 * (size_t)padded_w * (size_t)padded_h;
    TestFrame test = test_frame_new(info, layout);
    float *out = malloc((n + 16) * sizeof *out);

    fill_noise(&test, (uint32_t)info->width);
    for (size_t i = 0; i < n + 16; i++)
        out[i] = -7;
    for (int y = 0; y < padded_h; y += band ? band : padded_h)
        vfi_pixels_prepare(info, &test.frame, out + 8, padded_w, padded_h, VFI_PAD_ZEROS,
                           y, band ? MIN(y + band, padded_h) : padded_h);
    assert_prepared(&test, out + 8, padded_w, padded_h);
    for (int i = 0; i < 8; i++)
        ck_assert(out[i] == -7 && out[n + 15 - (size_t)i] == -7);
    free(out);
    test_frame_free(&test);
}

START_TEST(prepare_follows_the_formulas)
{
    const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {66, 50}, {519, 3}};
    VfiVideoInfo info = {.format = (VfiFormat)_i};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int site = 0; site < 4; site++) {
            info.width = sizes[s][0];
            info.height = sizes[s][1];
            info.chroma_site = (VfiChromaSite)site;
            check_prepare(&info, (Layout)(site % LAYOUT_COUNT), 0);
        }
}
END_TEST

START_TEST(every_matrix_and_range)
{
    VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 11, .height = 6};

    for (int matrix = VFI_MATRIX_UNKNOWN; matrix <= VFI_MATRIX_FCC; matrix++)
        for (int range = VFI_RANGE_UNKNOWN; range <= VFI_RANGE_FULL; range++) {
            info.matrix = (VfiMatrix)matrix;
            info.range = (VfiRange)range;
            check_prepare(&info, LAYOUT_BOTTOM_UP, 2);
        }
}
END_TEST

/* ---- mirrored ---------------------------------------------------------------------- */

/* The pixel that is seen @steps from the first one, to the right: as one who walks to and
 * fro between the first and the last. */
static int walk(int steps, int size)
{
    int at = 0, direction = 1;

    for (int i = 0; i < steps && size > 1; i++) {
        if (at + direction < 0 || at + direction >= size)
            direction = -direction;
        at += direction;
    }
    return at;
}

/* Against the picture that is prepared without padding. */
static void check_mirrored(const VfiVideoInfo *info, int padded_w, int padded_h, int band)
{
    size_t inner = (size_t)info->width * (size_t)info->height;
    size_t plane = (size_t)padded_w * (size_t)padded_h;
    TestFrame test = test_frame_new(info, LAYOUT_PADDED);
    g_autofree float *bare = g_new(float, 3 * inner), *out = g_new(float, 3 * plane + 1);

    fill_noise(&test, 5);
    out[3 * plane] = -7;
    vfi_pixels_prepare(info, &test.frame, bare, info->width, info->height, VFI_PAD_ZEROS,
                       0, info->height);
    for (int y = 0; y < padded_h; y += band)
        vfi_pixels_prepare(info, &test.frame, out, padded_w, padded_h, VFI_PAD_REFLECT, y,
                           MIN(y + band, padded_h));
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < padded_h; y++)
            for (int x = 0; x < padded_w; x++)
                ck_assert_float_eq(
                    out[(size_t)c * plane + (size_t)y * (size_t)padded_w + (size_t)x],
                    bare[(size_t)c * inner +
                         (size_t)walk(y, info->height) * (size_t)info->width +
                         (size_t)walk(x, info->width)]);
    ck_assert_float_eq(out[3 * plane], -7);
    test_frame_free(&test);
}

START_TEST(frames_are_mirrored_as_often_as_it_takes)
{
    static const int sizes[][4] = {{1, 1, 9, 7},     {2, 3, 16, 16}, {3, 2, 4, 3},
                                   {1, 5, 3, 8},     {6, 4, 64, 64}, {33, 17, 64, 32},
                                   {520, 3, 1030, 4}};
    static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_NV12, VFI_FORMAT_GBR,
                                        VFI_FORMAT_RGB_F32, VFI_FORMAT_P010_10LE};
    VfiVideoInfo info = {.format = formats[_i]};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        info.width = sizes[i][0];
        info.height = sizes[i][1];
        check_mirrored(&info, sizes[i][2], sizes[i][3], sizes[i][3]);
        check_mirrored(&info, sizes[i][2], sizes[i][3], 2);
    }
}
END_TEST

START_TEST(floats_outside_the_interval_are_clamped)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_RGB_F32, .width = 3, .height = 1};
    float row[3] = {-1, 2, NAN}, out[9];
    const float want[3] = {0, 1, 0};
    VfiFrame frame = {.data = {(uint8_t *)row, (uint8_t *)row, (uint8_t *)row},
                      .stride = {sizeof row, sizeof row, sizeof row}};

    vfi_pixels_prepare(&info, &frame, out, 3, 1, VFI_PAD_ZEROS, 0, 1);
    for (int i = 0; i < 9; i++)
        ck_assert(out[i] == want[i % 3]);
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("pixels_prepare");
    TCase *tcase = tcase_create("pixels_prepare");
    tcase_add_loop_test(tcase, prepare_follows_the_formulas, first, end);
    tcase_add_loop_test(tcase, every_matrix_and_range, first, end);
    tcase_add_loop_test(tcase, frames_are_mirrored_as_often_as_it_takes, 0, 5);
    tcase_add_test(tcase, floats_outside_the_interval_are_clamped);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
