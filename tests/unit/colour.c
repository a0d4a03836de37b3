/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matrix and range against the equations of ITU-R BT.601/709/2020, SMPTE 240M, FCC and
 * the quantisation of ITU-T H.273. */
#include <math.h>

#include <glib.h>

#include "check_main.h"
#include "pixels/colour.h"
#include "pixels/format.h"

static const struct {
    VfiMatrix matrix;
    double kr, kb;
} standards[] = {
    {VFI_MATRIX_BT601, 0.299, 0.114},    {VFI_MATRIX_BT709, 0.2126, 0.0722},
    {VFI_MATRIX_BT2020, 0.2627, 0.0593}, {VFI_MATRIX_SMPTE240M, 0.212, 0.087},
    {VFI_MATRIX_FCC, 0.30, 0.11},
};

static void encode(const VfiColour *colour, const double rgb[3], double code[3])
{
    for (int i = 0; i < 3; i++) {
        code[i] = (double)colour->offset[i];
        for (int k = 0; k < 3; k++)
            code[i] += (double)colour->to_code[i][k] * rgb[k];
    }
}

static void decode(const VfiColour *colour, const double code[3], double rgb[3])
{
    for (int i = 0; i < 3; i++) {
        rgb[i] = 0;
        for (int k = 0; k < 3; k++)
            rgb[i] +=
                (double)colour->to_rgb[i][k] * (code[k] - (double)colour->offset[k]);
    }
}

/* The eight corners of the RGB cube. */
static void corner(int index, double rgb[3])
{
    for (int c = 0; c < 3; c++)
        rgb[c] = (index >> c) & 1;
}

START_TEST(codes_follow_the_standard)
{
    const double kr = standards[_i].kr, kb = standards[_i].kb;
    const struct {
        VfiFormat format;
        VfiRange range;
        double y_offset, y_span, c_offset, c_span;
    } quantisations[] = {
        {VFI_FORMAT_Y444, VFI_RANGE_LIMITED, 16, 219, 128, 224},
        {VFI_FORMAT_I420, VFI_RANGE_UNKNOWN, 16, 219, 128, 224},
        {VFI_FORMAT_Y444, VFI_RANGE_FULL, 0, 255, 128, 255},
        {VFI_FORMAT_P010_10LE, VFI_RANGE_LIMITED, 64, 876, 512, 896},
        {VFI_FORMAT_I420_10LE, VFI_RANGE_FULL, 0, 1023, 512, 1023},
    };

    for (size_t q = 0; q < G_N_ELEMENTS(quantisations); q++) {
        VfiVideoInfo info = {.format = quantisations[q].format,
                             .width = 1,
                             .height = 1,
                             .matrix = standards[_i].matrix,
                             .range = quantisations[q].range};
        VfiColour colour;
        vfi_colour_init(&colour, &info);
        for (int index = 0; index < 8; index++) {
            double rgb[3], code[3], back[3];
            corner(index, rgb);
            double y = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2];
            double want[3] = {quantisations[q].y_offset + quantisations[q].y_span * y,
                              quantisations[q].c_offset +
                                  quantisations[q].c_span * (rgb[2] - y) / 2 / (1 - kb),
                              quantisations[q].c_offset +
                                  quantisations[q].c_span * (rgb[0] - y) / 2 / (1 - kr)};
            encode(&colour, rgb, code);
            decode(&colour, want, back);
            for (int i = 0; i < 3; i++) {
                ck_assert_double_eq_tol(code[i], want[i], 2e-4);
                ck_assert_double_eq_tol(back[i], rgb[i], 1e-6);
            }
        }
    }
}
END_TEST

START_TEST(textbook_codes)
{
    /* The 100 % bars of BT.709, limited range, 8 bits. */
    const struct {
        double rgb[3];
        long code[3];
    } bars[] = {
        {{1, 1, 1}, {235, 128, 128}}, {{0, 0, 0}, {16, 128, 128}},
        {{1, 0, 0}, {63, 102, 240}},  {{0, 1, 0}, {173, 42, 26}},
        {{0, 0, 1}, {32, 240, 118}},  {{1, 1, 0}, {219, 16, 138}},
    };
    const VfiVideoInfo info = {.format = VFI_FORMAT_I420,
                               .width = 1280,
                               .height = 720,
                               .matrix = VFI_MATRIX_BT709,
                               .range = VFI_RANGE_LIMITED};
    VfiColour colour;

    vfi_colour_init(&colour, &info);
    for (size_t bar = 0; bar < G_N_ELEMENTS(bars); bar++) {
        double code[3];
        encode(&colour, bars[bar].rgb, code);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(lround(code[i]), bars[bar].code[i]);
    }
}
END_TEST

START_TEST(grey_and_rgb)
{
    VfiVideoInfo info = {.format = VFI_FORMAT_GRAY8, .width = 1, .height = 1};
    const double red[3] = {1, 0, 0}, white[3] = {1, 1, 1};
    double code[3];
    VfiColour colour;

    vfi_colour_init(&colour, &info); /* BT.601, full range */
    encode(&colour, red, code);
    ck_assert_double_eq_tol(code[0], 0.299 * 255, 1e-4);
    encode(&colour, white, code);
    ck_assert_double_eq_tol(code[0], 255, 1e-4);
    info.range = VFI_RANGE_LIMITED;
    vfi_colour_init(&colour, &info);
    encode(&colour, white, code);
    ck_assert_double_eq_tol(code[0], 235, 1e-4);

    info = (VfiVideoInfo){.format = VFI_FORMAT_BGRA, .matrix = VFI_MATRIX_BT2020};
    vfi_colour_init(&colour, &info);
    encode(&colour, red, code);
    ck_assert_double_eq(code[0], 255);
    ck_assert_double_eq(code[1], 0);
    info.range = VFI_RANGE_LIMITED;
    vfi_colour_init(&colour, &info);
    encode(&colour, red, code);
    ck_assert_double_eq(code[0], 235);
    ck_assert_double_eq(code[2], 16);

    info.format = VFI_FORMAT_RGB_F32;
    vfi_colour_init(&colour, &info);
    encode(&colour, red, code);
    ck_assert_double_eq(code[0], 1);
    ck_assert_double_eq(code[1], 0);
}
END_TEST

START_TEST(unknown_is_resolved_by_size_and_family)
{
    VfiVideoInfo info = {.format = VFI_FORMAT_I420, .width = 4000, .height = 719};

    ck_assert_int_eq(vfi_colour_matrix(&info), VFI_MATRIX_BT601);
    info.height = 720;
    ck_assert_int_eq(vfi_colour_matrix(&info), VFI_MATRIX_BT709);
    info.matrix = VFI_MATRIX_FCC;
    ck_assert_int_eq(vfi_colour_matrix(&info), VFI_MATRIX_FCC);

    ck_assert_int_eq(vfi_colour_range(&info), VFI_RANGE_LIMITED);
    info.format = VFI_FORMAT_RGBX;
    ck_assert_int_eq(vfi_colour_range(&info), VFI_RANGE_FULL);
    info.format = VFI_FORMAT_GRAY8;
    ck_assert_int_eq(vfi_colour_range(&info), VFI_RANGE_FULL);
    info.range = VFI_RANGE_LIMITED;
    ck_assert_int_eq(vfi_colour_range(&info), VFI_RANGE_LIMITED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("colour");
    TCase *tcase = tcase_create("colour");
    tcase_add_loop_test(tcase, codes_follow_the_standard, 0, G_N_ELEMENTS(standards));
    tcase_add_test(tcase, textbook_codes);
    tcase_add_test(tcase, grey_and_rgb);
    tcase_add_test(tcase, unknown_is_resolved_by_size_and_family);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
