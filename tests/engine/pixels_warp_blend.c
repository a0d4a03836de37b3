/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Synthesis against a plain formula, and cases whose result is known exactly. */
#include <glib.h>

#include "check_main.h"
#include "pixels/pixels.h"
#include "pixels_field.h"
#include "pixels_formula.h"

static int n_components(const VfiVideoInfo *info)
{
    return vfi_format_describe(info->format)->n_components;
}

/* What the formulas read for one sample of one component. */
typedef struct {
    double flow[4], mask;
} Motion;

/* Mean over the luma samples that sample (x, y) of @component is co-sited with. */
static Motion motion_at(const TestField *test, const VfiVideoInfo *info,
                        const VfiComponent *component, int x, int y)
{
    const bool pair_x = component->shift_x && !((int)info->chroma_site & 1);
    const bool pair_y = component->shift_y && !((int)info->chroma_site & 2);
    Motion motion = {0};
    int n = 0;

    for (int j = 0; j <= (pair_y ? 1 : 0); j++)
        for (int i = 0; i <= (pair_x ? 1 : 0); i++) {
            int luma_x = (x << component->shift_x) + i;
            int luma_y = (y << component->shift_y) + j;
            if (luma_x >= info->width || luma_y >= info->height)
                continue;
            for (int k = 0; k < 4; k++)
                motion.flow[k] += (double)test->flow[field_at(test, k, luma_x, luma_y)];
            motion.mask += (double)test->mask[field_at(test, 0, luma_x, luma_y)];
            n++;
        }
    for (int k = 0; k < 4; k++)
        motion.flow[k] /= n * (1 << (k % 2 ? component->shift_y : component->shift_x));
    motion.mask /= n;
    return motion;
}

/* The code that the padding beyond the frame stands for: black. */
static double padding_code(const VfiVideoInfo *info, int component)
{
    double offset, span;

    if (has_chroma(info) && component > 0)
        chroma_quantisation(info, &offset, &span);
    else
        luma_quantisation(info, &offset, &span);
    return offset;
}

static double padded_code(const TestFrame *frame, int component, int x, int y)
{
    int width = component_width(&frame->info, component);
    int height = component_height(&frame->info, component);

    if (component < 3 && (x >= width || y >= height))
        return padding_code(&frame->info, component);
    return get_code(frame, component, MIN(x, width - 1), MIN(y, height - 1));
}

/* Sample at (x, y) of a frame that goes on in black up to the padded size. */
static double warped_padded(const TestFrame *frame, int component, const TestField *field,
                            double x, double y)
{
    const VfiComponent *where =
        &vfi_format_describe(frame->info.format)->component[component];
    x = clamp_to(x, 0, ((field->field.padded_w + where->shift_x) >> where->shift_x) - 1);
    y = clamp_to(y, 0, ((field->field.padded_h + where->shift_y) >> where->shift_y) - 1);
    int x0 = (int)x, y0 = (int)y;
    double fx = x - x0, fy = y - y0;

    return (padded_code(frame, component, x0, y0) * (1 - fx) +
            padded_code(frame, component, x0 + 1, y0) * fx) *
               (1 - fy) +
           (padded_code(frame, component, x0, y0 + 1) * (1 - fx) +
            padded_code(frame, component, x0 + 1, y0 + 1) * fx) *
               fy;
}

static double warped(const TestFrame *frame, int component, const TestField *field,
                     double x, double y)
{
    if (field->field.reference_borders)
        return warped_padded(frame, component, field, x, y);
    return bilinear_at(frame, component, x, y);
}

static void assert_warp_blended(const TestFrame *a, const TestFrame *b,
                                const TestField *field, const TestFrame *out)
{
    const VfiFormatDescription *format = vfi_format_describe(out->info.format);

    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < component_height(&out->info, c); y++)
            for (int x = 0; x < component_width(&out->info, c); x++) {
                Motion m = motion_at(field, &out->info, &format->component[c], x, y);
                double v0 = warped(a, c, field, x + m.flow[0], y + m.flow[1]);
                double v1 = warped(b, c, field, x + m.flow[2], y + m.flow[3]);
                double want = v0 * m.mask + v1 * (1 - m.mask);
                /* f32 coordinates of some 100 pixels times the steepest step of noise. */
                double slack = 2e-5 * largest_code(out->info.format);
                assert_code(out, c, x, y, want,
                            format->depth == 32 ? slack : 0.5 + slack);
            }
}

START_TEST(warp_blend_follows_the_formula)
{
    const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {66, 50}, {519, 3}};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int i = 0; i < 8; i++) {
            const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                       .width = sizes[s][0],
                                       .height = sizes[s][1],
                                       .matrix = (VfiMatrix)(i % 6),
                                       .range = (VfiRange)(i % 3),
                                       .chroma_site = (VfiChromaSite)(i % 4)};
            TestField field = test_field_new(&info, i / 4 != 0);
            TestFrame a = test_frame_new(&info, (Layout)(i % LAYOUT_COUNT));
            TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);
            TestFrame out = test_frame_new(&info, (Layout)(i % LAYOUT_COUNT));
            fill_noise(&a, 1);
            fill_noise(&b, 2);
            fill_field_noise(&field, 9, 3);
            vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &out.frame, 0,
                                  info.height);
            assert_warp_blended(&a, &b, &field, &out);
            assert_filler(&out);
            test_frame_assert_guards(&out);
            test_field_free(&field);
            test_frame_free(&a);
            test_frame_free(&b);
            test_frame_free(&out);
        }
}
END_TEST

START_TEST(bands_give_the_same_picture)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 37, .height = 11};

    for (int padded = 0; padded < 2; padded++) {
        TestField field = test_field_new(&info, padded != 0);
        TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame b = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame whole = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame bands = test_frame_new(&info, LAYOUT_PADDED);
        fill_noise(&a, 1);
        fill_noise(&b, 2);
        fill_field_noise(&field, 20, 3);
        vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &whole.frame, 0,
                              11);
        for (int y = 0; y < 11; y += VFI_BAND_ALIGN)
            vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &bands.frame,
                                  y, MIN(y + VFI_BAND_ALIGN, 11));
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            ck_assert_mem_eq(whole.block[plane], bands.block[plane], whole.size[plane]);
        test_field_free(&field);
        test_frame_free(&a);
        test_frame_free(&b);
        test_frame_free(&whole);
        test_frame_free(&bands);
    }
}
END_TEST

START_TEST(no_motion_is_a_blend)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 21, .height = 9};
    const double masks[] = {0, 0.25, 0.5, 2.0 / 3, 1};
    const float still[4] = {0};
    TestField field = test_field_new(&info, false);
    TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame out = test_frame_new(&info, LAYOUT_PADDED);

    fill_noise(&a, 1);
    fill_noise(&b, 2);
    for (size_t i = 0; i < G_N_ELEMENTS(masks); i++) {
        fill_constant(&field, still, (float)masks[i]);
        vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &out.frame, 0, 9);
        for (int c = 0; c < n_components(&info); c++)
            for (int y = 0; y < component_height(&info, c); y++)
                for (int x = 0; x < component_width(&info, c); x++)
                    assert_code(&out, c, x, y,
                                get_code(&a, c, x, y) * masks[i] +
                                    get_code(&b, c, x, y) * (1 - masks[i]),
                                info.format == VFI_FORMAT_RGB_F32
                                    ? 1e-6
                                    : 0.5001 + rounding_slack(info.format));
    }
    test_field_free(&field);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&out);
}
END_TEST

START_TEST(whole_pixel_motion_shifts_exactly)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 40, .height = 14};
    const float flow[4] = {4, -2, -6, 4};
    TestField field = test_field_new(&info, false);
    TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame out = test_frame_new(&info, LAYOUT_PADDED);

    fill_noise(&a, 1);
    fill_noise(&b, 2);
    for (int from = 0; from < 2; from++) {
        fill_constant(&field, flow, from == 0 ? 1 : 0);
        vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &out.frame, 0, 14);
        for (int c = 0; c < n_components(&info); c++) {
            const VfiComponent *where = &vfi_format_describe(info.format)->component[c];
            int dx = (int)flow[from == 0 ? 0 : 2] / (1 << where->shift_x);
            int dy = (int)flow[from == 0 ? 1 : 3] / (1 << where->shift_y);
            for (int y = 0; y < component_height(&info, c); y++)
                for (int x = 0; x < component_width(&info, c); x++) {
                    int from_x = CLAMP(x + dx, 0, component_width(&info, c) - 1);
                    int from_y = CLAMP(y + dy, 0, component_height(&info, c) - 1);
                    assert_code(&out, c, x, y,
                                get_code(from == 0 ? &a : &b, c, from_x, from_y), 0);
                }
        }
    }
    test_field_free(&field);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&out);
}
END_TEST

START_TEST(sub_pixel_motion_moves_a_ramp_exactly)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 32, .height = 16};
    const bool real = info.format == VFI_FORMAT_RGB_F32;
    const double unit = real ? 1.0 / 256 : 1;
    const float flow[4] = {1.5f, -0.5f, 1.5f, -0.5f};
    TestField field = test_field_new(&info, false);
    TestFrame ramp = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame out = test_frame_new(&info, LAYOUT_PADDED);

    /* Steps of 4 a pixel: quarters of a pixel stay whole codes. */
    for (int c = 0; c < n_components(&info); c++)
        for (int y = 0; y < component_height(&info, c); y++)
            for (int x = 0; x < component_width(&info, c); x++)
                set_code(&ramp, c, x, y, (4 * x + 4 * y + c) * unit);
    fill_constant(&field, flow, 0.5f);
    vfi_pixels_warp_blend(&info, &ramp.frame, &ramp.frame, &field.field, &out.frame, 0,
                          16);
    for (int c = 0; c < n_components(&info); c++) {
        const VfiComponent *where = &vfi_format_describe(info.format)->component[c];
        double dx = 1.5 / (1 << where->shift_x), dy = -0.5 / (1 << where->shift_y);
        for (int y = 1; y < component_height(&info, c); y++)
            for (int x = 0; x < component_width(&info, c) - 2; x++)
                assert_code(&out, c, x, y, (4 * (x + dx) + 4 * (y + dy) + c) * unit,
                            real ? 1e-6 : 0);
    }
    test_field_free(&field);
    test_frame_free(&ramp);
    test_frame_free(&out);
}
END_TEST

START_TEST(a_plain_colour_never_changes)
{
    VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 50, .height = 18};

    for (int i = 0; i < 36; i++) {
        info.matrix = (VfiMatrix)(i % 6);
        info.range = (VfiRange)(i / 6 % 3);
        info.chroma_site = (VfiChromaSite)(i % 4);
        bool black = i >= 18; /* which may even see the padding */
        TestField field = test_field_new(&info, black);
        TestFrame plain = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame out = test_frame_new(&info, LAYOUT_PADDED);
        for (int c = 0; c < n_components(&info); c++)
            for (int y = 0; y < component_height(&info, c); y++)
                for (int x = 0; x < component_width(&info, c); x++)
                    set_code(&plain, c, x, y,
                             black && c < 3 ? padding_code(&info, c)
                             : info.format == VFI_FORMAT_RGB_F32
                                 ? 0.123 * (c + 1)
                                 : (37 * i + 71 * c) % 256);
        fill_smooth(&field, 13);
        vfi_pixels_warp_blend(&info, &plain.frame, &plain.frame, &field.field, &out.frame,
                              0, 18);
        for (int c = 0; c < n_components(&info); c++)
            for (int y = 0; y < component_height(&info, c); y++)
                for (int x = 0; x < component_width(&info, c); x++)
                    assert_code(&out, c, x, y, get_code(&plain, c, x, y), 0);
        test_field_free(&field);
        test_frame_free(&plain);
        test_frame_free(&out);
    }
}
END_TEST

START_TEST(one_different_pixel_does_not_shift_the_mean)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 48, .height = 20};
    const float still[4] = {0};
    TestField field = test_field_new(&info, false);
    TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame out = test_frame_new(&info, LAYOUT_PADDED);

    fill_noise(&a, 1);
    fill_noise(&b, 1);
    set_code(&b, 0, 5, 5, get_code(&a, 0, 5, 5) > 0.5 ? 0 : 1);
    fill_constant(&field, still, 0.5f);
    vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &out.frame, 0, 20);
    for (int c = 0; c < n_components(&info); c++) {
        int width = component_width(&info, c), height = component_height(&info, c);
        double sum = 0;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                sum += get_code(&out, c, x, y) -
                       (get_code(&a, c, x, y) + get_code(&b, c, x, y)) / 2;
        double lsb = info.format == VFI_FORMAT_RGB_F32 ? 1.0 / 255 : 1;
        ck_assert_double_le(fabs(sum / (width * height)), 0.25 * lsb);
    }
    test_field_free(&field);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&out);
}
END_TEST

START_TEST(alpha_moves_with_the_colours)
{
    const VfiFormat formats[] = {
        VFI_FORMAT_RGBA,      VFI_FORMAT_ARGB,   VFI_FORMAT_BGRA,
        VFI_FORMAT_ABGR,      VFI_FORMAT_AYUV,   VFI_FORMAT_VUYA,
        VFI_FORMAT_A444_10LE, VFI_FORMAT_GBRA,   VFI_FORMAT_GBRA_10LE,
        VFI_FORMAT_Y412_LE,   VFI_FORMAT_AYUV64, VFI_FORMAT_ARGB64};

    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        const VfiVideoInfo info = {.format = formats[f], .width = 33, .height = 12};
        TestField field = test_field_new(&info, false);
        TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame b = test_frame_new(&info, LAYOUT_PADDED);
        TestFrame out = test_frame_new(&info, LAYOUT_PADDED);
        fill_noise(&a, 1);
        fill_noise(&b, 2);
        for (int y = 0; y < 12; y++)
            for (int x = 0; x < 33; x++) {
                set_code(&a, 3, x, y, get_code(&a, 1, x, y));
                set_code(&b, 3, x, y, get_code(&b, 1, x, y));
            }
        fill_field_noise(&field, 6, 3);
        vfi_pixels_warp_blend(&info, &a.frame, &b.frame, &field.field, &out.frame, 0, 12);
        for (int y = 0; y < 12; y++)
            for (int x = 0; x < 33; x++)
                assert_code(&out, 3, x, y, get_code(&out, 1, x, y), 0);
        test_field_free(&field);
        test_frame_free(&a);
        test_frame_free(&b);
        test_frame_free(&out);
    }
}
END_TEST

START_TEST(opaque_stays_opaque_beside_the_padding)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_BGRA, .width = 10, .height = 4};
    const float flow[4] = {7, 5, 2.5f, 1.5f};
    TestField field = test_field_new(&info, true);
    TestFrame white = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame out = test_frame_new(&info, LAYOUT_TIGHT);

    memset(white.block[0], 255, white.size[0]);
    fill_constant(&field, flow, 0.5f);
    vfi_pixels_warp_blend(&info, &white.frame, &white.frame, &field.field, &out.frame, 0,
                          4);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 10; x++)
            assert_code(&out, 3, x, y, 255, 0);
    assert_code(&out, 0, 9, 3, 0, 0);
    test_field_free(&field);
    test_frame_free(&white);
    test_frame_free(&out);
}
END_TEST

START_TEST(wild_flows_stay_in_the_frame)
{
    const float wild[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 2147483648.0f};
    const int sizes[][2] = {{1, 1}, {3, 5}, {17, 6}};

    for (size_t i = 0; i < G_N_ELEMENTS(wild) * G_N_ELEMENTS(sizes) * 2; i++) {
        const int *size = sizes[i / 2 % G_N_ELEMENTS(sizes)];
        const VfiVideoInfo info = {
            .format = (VfiFormat)_i, .width = size[0], .height = size[1]};
        const float value = wild[i / 2 / G_N_ELEMENTS(sizes)];
        const float flow[4] = {value, value, value, value};
        TestField field = test_field_new(&info, i % 2 != 0);
        TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame out = test_frame_new(&info, LAYOUT_TIGHT);
        fill_noise(&a, 1);
        fill_constant(&field, flow, 0.5f);
        vfi_pixels_warp_blend(&info, &a.frame, &a.frame, &field.field, &out.frame, 0,
                              info.height);
        double want =
            value > 0
                ? padded_code(&a, 0,
                              field.field.reference_borders ? info.width : info.width - 1,
                              info.height - 1)
                : get_code(&a, 0, 0, 0);
        assert_code(&out, 0, 0, 0, want, 0);
        test_field_free(&field);
        test_frame_free(&a);
        test_frame_free(&out);
    }
}
END_TEST

int main(void)
{
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;
    Suite *suite = suite_create("pixels_warp_blend");
    TCase *tcase = tcase_create("pixels_warp_blend");
    tcase_add_loop_test(tcase, warp_blend_follows_the_formula, first, end);
    tcase_add_loop_test(tcase, bands_give_the_same_picture, first, end);
    tcase_add_loop_test(tcase, no_motion_is_a_blend, first, end);
    tcase_add_loop_test(tcase, whole_pixel_motion_shifts_exactly, first, end);
    tcase_add_loop_test(tcase, sub_pixel_motion_moves_a_ramp_exactly, first, end);
    tcase_add_loop_test(tcase, a_plain_colour_never_changes, first, end);
    tcase_add_loop_test(tcase, one_different_pixel_does_not_shift_the_mean, first, end);
    tcase_add_test(tcase, alpha_moves_with_the_colours);
    tcase_add_test(tcase, opaque_stays_opaque_beside_the_padding);
    tcase_add_loop_test(tcase, wild_flows_stay_in_the_frame, first, end);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
