/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeping parts of a picture against the plain formula, in every format, chroma site and
 * memory layout. */
#include <math.h>

#include <glib.h>

#include "check_main.h"
#include "pixels/keep.h"
#include "pixels/pixels.h"
#include "pixels_frames.h"

static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {66, 50}, {517, 3}};

/* What is asked to be kept, as the formula sees it. */
typedef struct {
    VfiKeep keep;
    uint8_t *mask[2];
} Marks;

static Marks marks_new(const VfiVideoInfo *info, const VfiRectangle *regions,
                       int n_regions)
{
    Marks marks = {.keep = {.regions = regions, .n_regions = n_regions}};
    uint32_t state = 7;

    for (int i = 0; i < 2; i++) {
        size_t row = (size_t)info->width + (i == 0 ? 0 : 5);
        marks.mask[i] = g_malloc(row * (size_t)info->height);
        for (size_t k = 0; k < row * (size_t)info->height; k++) {
            uint32_t value = noise(&state);
            marks.mask[i][k] = (uint8_t)(value % 3 == 0   ? 0
                                         : value % 3 == 1 ? 255
                                                          : value >> 8);
        }
        marks.keep.mask[i] = marks.mask[i];
        marks.keep.stride[i] = row;
    }
    return marks;
}

static void marks_free(Marks *marks)
{
    g_free(marks->mask[0]);
    g_free(marks->mask[1]);
}

/* 0 to 255, of a luma pixel. */
static int kept_pixel(const Marks *marks, int x, int y)
{
    int most = 0;

    for (int i = 0; i < 2; i++)
        if (marks->keep.mask[i] != NULL)
            most = MAX(
                most, marks->keep.mask[i][(size_t)y * marks->keep.stride[i] + (size_t)x]);
    for (int i = 0; i < marks->keep.n_regions; i++) {
        const VfiRectangle *r = &marks->keep.regions[i];
        if (x >= r->x && y >= r->y && (double)x < (double)r->x + r->width &&
            (double)y < (double)r->y + r->height)
            most = 255;
    }
    return most;
}

/* Of a sample: the rounded mean of the luma pixels that it is co-sited with. */
static int kept_sample(const Marks *marks, const VfiVideoInfo *info,
                       const VfiComponent *component, int x, int y)
{
    const bool pair_x = component->shift_x && !((int)info->chroma_site & 1);
    const bool pair_y = component->shift_y && !((int)info->chroma_site & 2);
    int sum = 0, n = 0;

    for (int j = 0; j <= (pair_y ? 1 : 0); j++)
        for (int i = 0; i <= (pair_x ? 1 : 0); i++) {
            int luma_x = MIN((x << component->shift_x) + i, info->width - 1);
            int luma_y = MIN((y << component->shift_y) + j, info->height - 1);
            sum += kept_pixel(marks, luma_x, luma_y);
            n++;
        }
    return (2 * sum + n) / (2 * n);
}

static void assert_kept(const TestFrame *a, const TestFrame *b, const TestFrame *made,
                        double t, const Marks *marks, const TestFrame *out)
{
    const VfiFormatDescription *format = vfi_format_describe(out->info.format);
    const bool real = format->depth == 32;

    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < component_height(&out->info, c); y++)
            for (int x = 0; x < component_width(&out->info, c); x++) {
                double before = get_code(made, c, x, y);
                double blend = get_code(a, c, x, y) * (1 - t) + get_code(b, c, x, y) * t;
                double kept =
                    kept_sample(marks, &out->info, &format->component[c], x, y) / 255.0;
                double want =
                    before * (1 - kept) + (real ? blend : floor(blend + 0.5)) * kept;
                assert_code(out, c, x, y, want, real ? 1e-6 : 0.5 + 1e-6);
            }
}

static void check(const VfiVideoInfo *info, Layout layout, double t, const Marks *marks)
{
    TestFrame a = test_frame_new(info, layout), b = test_frame_new(info, LAYOUT_TIGHT);
    TestFrame made = test_frame_new(info, LAYOUT_TIGHT);
    TestFrame out = test_frame_new(info, layout);
    const int cut = info->height / 2 & ~1;

    fill_noise(&a, 1);
    fill_noise(&b, 2);
    fill_noise(&made, 3);
    vfi_pixels_copy(info, &made.frame, &out.frame, 0, info->height);
    vfi_pixels_keep(info, &a.frame, &b.frame, t, &marks->keep, &out.frame, 0, cut);
    vfi_pixels_keep(info, &a.frame, &b.frame, t, &marks->keep, &out.frame, cut,
                    info->height);
    assert_kept(&a, &b, &made, t, marks, &out);
    test_frame_assert_guards(&out);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&made);
    test_frame_free(&out);
}

START_TEST(kept_samples_follow_the_formula)
{
    static const double times[] = {0.5, 0.25, 1.0 / 16};
    const VfiRectangle regions[] = {{1, 0, 2, 2},
                                    {-7, -3, 9, 5},
                                    {40, 20, 400, 3},
                                    {5, 5, 0, 10},
                                    {2, 2, -4, 10},
                                    {G_MAXINT - 1, 0, G_MAXINT, 9},
                                    {G_MININT, G_MININT, G_MAXINT, G_MAXINT}};

    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++)
        for (int i = 0; i < 12; i++) {
            const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                       .width = sizes[s][0],
                                       .height = sizes[s][1],
                                       .chroma_site = (VfiChromaSite)(i % 4)};
            Marks marks = marks_new(&info, regions, i % 2 ? 0 : G_N_ELEMENTS(regions));
            if (i / 4 > 0)
                marks.keep.mask[1] = NULL;
            if (i / 4 > 1)
                marks.keep.mask[0] = NULL;
            check(&info, (Layout)(i % LAYOUT_COUNT), times[i % 3], &marks);
            marks_free(&marks);
        }
}
END_TEST

/* Unused bits stay unused, and what is equal in both frames stays what it is. */
START_TEST(equal_samples_are_kept_as_they_are)
{
    const VfiRectangle all = {0, 0, 66, 50};
    const VfiKeep keep = {.regions = &all, .n_regions = 1};
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 66, .height = 50};
    TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame out = test_frame_new(&info, LAYOUT_BOTTOM_UP);

    fill_noise(&a, 4);
    fill_noise(&b, 4);
    fill_noise(&out, 5);
    vfi_pixels_blend(&info, &out.frame, &out.frame, 0.5, &out.frame, 0, info.height);
    vfi_pixels_keep(&info, &a.frame, &b.frame, 0.3, &keep, &out.frame, 0, info.height);
    for (int c = 0; c < vfi_format_describe(info.format)->n_components; c++)
        for (int y = 0; y < component_height(&info, c); y++)
            for (int x = 0; x < component_width(&info, c); x++)
                assert_code(&out, c, x, y, get_code(&a, c, x, y),
                            info.format == VFI_FORMAT_RGB_F32 ? 1e-6 : 0);
    assert_filler(&out);
    test_frame_assert_guards(&out);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pixels_keep");
    TCase *tcase = tcase_create("keep");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, kept_samples_follow_the_formula, VFI_FORMAT_UNKNOWN + 1,
                        VFI_FORMAT_COUNT);
    tcase_add_loop_test(tcase, equal_samples_are_kept_as_they_are, VFI_FORMAT_UNKNOWN + 1,
                        VFI_FORMAT_COUNT);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
