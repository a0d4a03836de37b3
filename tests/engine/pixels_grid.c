/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Components on a grid, in every format, against the plain formula. */
#include <glib.h>

#include "check_main.h"
#include "pixels_formula.h"

static const int sizes[][2] = {{1, 1}, {2, 9}, {7, 3}, {16, 16}, {37, 22}, {531, 5}};

/* In 0 … 255. */
static double value_at(const TestFrame *frame, int component, int x, int y)
{
    const VfiFormatDescription *format = vfi_format_describe(frame->info.format);
    double code = get_code(frame, component, x, y);

    if (format->sample_bytes == 4)
        return 255.0 * clamp_to(code, 0, 1);
    return 255.0 * code / (double)((1u << format->depth) - 1);
}

static double box_mean(const TestFrame *frame, int component, int level, int x, int y)
{
    const VfiComponent *c =
        &vfi_format_describe(frame->info.format)->component[component];
    int side_x = 1 << (level - c->shift_x), side_y = 1 << (level - c->shift_y);
    int last_x = component_width(&frame->info, component) - 1;
    int last_y = component_height(&frame->info, component) - 1;
    double sum = 0;

    for (int j = 0; j < side_y; j++)
        for (int i = 0; i < side_x; i++)
            sum += value_at(frame, component, MIN(x * side_x + i, last_x),
                            MIN(y * side_y + j, last_y));
    return sum / (side_x * side_y);
}

static double expected_luma(const TestFrame *frame, int level, int x, int y)
{
    if (vfi_format_describe(frame->info.format)->colour != VFI_FAMILY_RGB)
        return box_mean(frame, 0, level, x, y);
    return 0.299 * box_mean(frame, 0, level, x, y) +
           0.587 * box_mean(frame, 1, level, x, y) +
           0.114 * box_mean(frame, 2, level, x, y);
}

/* Of @component or luma, made in two bands, with guards around each row. */
static void check_grid(const TestFrame *frame, int component, int level)
{
    int w = vfi_subsampled(frame->info.width, level);
    int h = vfi_subsampled(frame->info.height, level), band = h / 3;
    size_t row = (size_t)w + 3;
    g_autofree float *grid = g_new(float, row *(size_t)h);

    for (size_t i = 0; i < row * (size_t)h; i++)
        grid[i] = -7;
    vfi_pixels_grid(&frame->info, &frame->frame, component, level, grid, row, 0, band);
    vfi_pixels_grid(&frame->info, &frame->frame, component, level, grid, row, band, h);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < (int)row; x++) {
            double expected = -7;
            if (x < w)
                expected = component == VFI_GRID_LUMA
                               ? expected_luma(frame, level, x, y)
                               : box_mean(frame, component, level, x, y);
            double found = grid[(size_t)y * row + (size_t)x];
            ck_assert_msg(fabs(found - expected) < 1e-3,
                          "%s %d×%d, component %d, level %d, (%d,%d): %g, expected %g",
                          vfi_format_to_string(frame->info.format), frame->info.width,
                          frame->info.height, component, level, x, y, found, expected);
        }
}

START_TEST(boxes_are_means)
{
    const VfiFormatDescription *format = vfi_format_describe((VfiFormat)_i);

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        VfiVideoInfo info = {
            .format = (VfiFormat)_i, .width = sizes[i][0], .height = sizes[i][1]};
        TestFrame frame = test_frame_new(&info, (Layout)(i % LAYOUT_COUNT));
        fill_noise(&frame, (uint32_t)i);
        for (int level = 0; level <= 3; level++) {
            check_grid(&frame, VFI_GRID_LUMA, level);
            for (int c = 0; c < format->n_components; c++)
                if (format->component[c].shift_x <= level &&
                    format->component[c].shift_y <= level)
                    check_grid(&frame, c, level);
        }
        test_frame_free(&frame);
    }
}
END_TEST

/* White is 255 and black 0, whatever the format; f32 beyond that is cut off. */
START_TEST(floats_are_clamped)
{
    static const float values[] = {NAN, -INFINITY, -3, 0, 1, 7, INFINITY};
    VfiVideoInfo info = {.format = VFI_FORMAT_RGB_F32, .width = 1, .height = 1};
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &info, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        float luma = -7;
        for (int plane = 0; plane < 3; plane++)
            memcpy(frame.data[plane], &values[i], sizeof(float));
        vfi_pixels_grid(&info, &frame, VFI_GRID_LUMA, 2, &luma, 1, 0, 1);
        ck_assert_float_eq_tol(luma, values[i] >= 1 ? 255 : 0, 1e-3f);
    }
    vfi_frame_clear(&frame);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pixels_grid");
    TCase *tcase = tcase_create("pixels_grid");

    tcase_add_loop_test(tcase, boxes_are_means, VFI_FORMAT_UNKNOWN + 1, VFI_FORMAT_COUNT);
    tcase_add_test(tcase, floats_are_clamped);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
