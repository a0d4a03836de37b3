/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The automatic threshold of vfi_frames_repeat(): pictures that a lossy coder sent again
 * are repeats, what moves, fades or is new is none. */
#include <math.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "pixels/pixels.h"
#include "pixels_frames.h"

enum { WIDTH = 220, HEIGHT = 140, PIXELS = WIDTH * HEIGHT };

#define UNIT 8 /* side of what the coder transforms */
#define PI 3.14159265358979323846

/* Luma, 0 … 255. */
typedef struct {
    float at[HEIGHT][WIDTH];
} Picture;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Normally distributed enough, deviation 1. */
static double normal(uint32_t *state)
{
    double sum = 0;

    for (int i = 0; i < 12; i++)
        sum += next_random(state) / (double)(1 << 24) - 0.5;
    return sum;
}

/* Waves of all lengths, a sky, and an edge: at (@x, @y) of the scene. */
static double scene(double x, double y)
{
    double value = 110 + 30 * sin(x / 23 + y / 31);

    if (y < 45 + 5 * sin(x / 40))
        return 180 - y / 4;
    value += 20 * sin(x / 3.1 + y / 5) + 20 * sin(x / 4.7 - y / 3.3);
    return x + y / 3 > 120 ? value : value - 40;
}

static Picture *paint(double shift_x, double shift_y)
{
    Picture *picture = g_new(Picture, 1);

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            picture->at[y][x] = (float)scene(x - shift_x, y - shift_y);
    return picture;
}

/* [wave][place] of the cosine transform. */
typedef struct {
    double at[UNIT][UNIT];
} Basis;

static Basis make_basis(void)
{
    Basis basis;

    for (int wave = 0; wave < UNIT; wave++)
        for (int place = 0; place < UNIT; place++)
            basis.at[wave][place] = sqrt((wave == 0 ? 1.0 : 2.0) / UNIT) *
                                    cos(PI * (place + 0.5) * wave / UNIT);
    return basis;
}

/* @values become their transform along one side, or are had back. */
static void transform(const Basis *basis, double *values, int step, bool back)
{
    double out[UNIT] = {0};

    for (int i = 0; i < UNIT; i++)
        for (int j = 0; j < UNIT; j++)
            out[i] += values[j * step] * (back ? basis->at[j][i] : basis->at[i][j]);
    for (int i = 0; i < UNIT; i++)
        values[i * step] = out[i];
}

static void transform_unit(const Basis *basis, double *values, bool back)
{
    for (int i = 0; i < UNIT; i++)
        transform(basis, values + UNIT * i, 1, back);
    for (int i = 0; i < UNIT; i++)
        transform(basis, values + i, UNIT, back);
}

/* What a coder with a quantiser of @step leaves, whose units begin at (@offset, @offset).
 * It codes one unit of @every, and nothing of the others. */
static void quantise(Picture *picture, double step, int offset, int every)
{
    const Basis basis = make_basis();

    for (int top = offset; top + UNIT <= HEIGHT; top += UNIT)
        for (int left = offset; left + UNIT <= WIDTH; left += UNIT) {
            const double most = (left + 3 * top) / UNIT % every == 0 ? 1e9 : 0;
            double values[UNIT * UNIT];

            for (int i = 0; i < UNIT * UNIT; i++)
                values[i] = (double)picture->at[top + i / UNIT][left + i % UNIT];
            transform_unit(&basis, values, false);
            for (int i = 0; i < UNIT * UNIT; i++)
                values[i] =
                    CLAMP(step * trunc(values[i] / step + (values[i] < 0 ? -0.33 : 0.33)),
                          -most, most);
            transform_unit(&basis, values, true);
            for (int i = 0; i < UNIT * UNIT; i++)
                picture->at[top + i / UNIT][left + i % UNIT] = (float)values[i];
        }
}

/* Takes @picture. */
static Picture *code(Picture *picture, double step)
{
    quantise(picture, step, 0, 1);
    return picture;
}

/* Codes what @picture, which it takes, has more than the coded frame @before it. */
static Picture *code_next(const Picture *before, Picture *picture, double step, int every)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            picture->at[y][x] -= before->at[y][x];
    quantise(picture, step, 4, every);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            picture->at[y][x] += before->at[y][x];
    return picture;
}

static TestFrame make_frame(VfiFormat format, const Picture *picture)
{
    const VfiVideoInfo info = {.format = format, .width = WIDTH, .height = HEIGHT};
    TestFrame frame = test_frame_new(&info, LAYOUT_PADDED);
    float *rgb = g_new(float, 3 * PIXELS);
    const VfiRgbPicture painted = test_rgb_picture(rgb, WIDTH, HEIGHT);

    for (int i = 0; i < 3 * PIXELS; i++)
        rgb[i] = picture->at[i % PIXELS / WIDTH][i % WIDTH] / 255;
    vfi_pixels_rgb_to_planes(&info, &painted, &frame.frame, &frame.frame, 0, &frame.frame,
                             0, HEIGHT);
    g_free(rgb);
    return frame;
}

static bool repeats_in(VfiFormat format, const Picture *a, const Picture *b,
                       double threshold)
{
    TestFrame first = make_frame(format, a), second = make_frame(format, b);
    const bool repeats =
        vfi_frames_repeat(&first.info, &first.frame, &second.frame, threshold);

    ck_assert_int_eq(
        repeats, vfi_frames_repeat(&first.info, &second.frame, &first.frame, threshold));
    test_frame_free(&first);
    test_frame_free(&second);
    return repeats;
}

static bool repeats(const Picture *a, const Picture *b)
{
    return repeats_in(VFI_FORMAT_GRAY8, a, b, VFI_REPEAT_AUTO);
}

static const double steps[] = {8, 16, 24};

/* Of what the first time lost some comes with the second. */
START_TEST(coded_repeats_are_found)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autofree Picture *a = code(paint(0, 0), steps[i]);
        g_autofree Picture *b = code_next(a, paint(0, 0), 0.7 * steps[i], 3);

        ck_assert(repeats_in((VfiFormat)_i, a, b, VFI_REPEAT_AUTO));
        ck_assert(!repeats_in((VfiFormat)_i, a, b, 0));
    }
}
END_TEST

START_TEST(half_a_pixel_is_motion)
{
    const double shifts[][2] = {{0.5, 0},  {-0.5, 0}, {0, 0.5}, {0.5, 0.5},
                                {0.25, 0}, {1, 0},    {3, 2},   {40, 10}};

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autofree Picture *a = code(paint(0, 0), steps[i]);

        for (size_t j = 0; j < G_N_ELEMENTS(shifts); j++) {
            g_autofree Picture *b = code(paint(shifts[j][0], shifts[j][1]), steps[i]);

            ck_assert(!repeats_in((VfiFormat)_i, a, b, VFI_REPEAT_AUTO));
        }
    }
}
END_TEST

/* A part of the picture that moves by two pixels, or a mouth that opens. */
START_TEST(small_things_count)
{
    const int at[][2] = {{0, 60}, {100, 70}, {156, 76}, {WIDTH - 64, HEIGHT - 64}};
    g_autofree Picture *moved = paint(2, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(at); i++) {
        g_autofree Picture *a = paint(0, 0), *b = paint(0, 0), *c = paint(0, 0);

        for (int y = at[i][1]; y < at[i][1] + 64; y++)
            for (int x = at[i][0]; x < at[i][0] + 64; x++)
                b->at[y][x] = moved->at[y][x];
        for (int y = at[i][1] + 30; y < at[i][1] + 37; y++)
            for (int x = at[i][0] + 30; x < at[i][0] + 40; x++)
                c->at[y][x] += 60;
        code(a, 8);
        ck_assert(!repeats(a, code_next(a, b, 8, 1)));
        ck_assert(!repeats(a, code_next(a, c, 8, 1)));
    }
}
END_TEST

START_TEST(fades_and_grain_are_no_repeats)
{
    g_autofree Picture *a = paint(0, 0), *lighter = paint(0, 0), *grain = paint(0, 0);
    uint32_t state = 3;

    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            lighter->at[y][x] *= 1.01f;
            grain->at[y][x] += (float)(4 * normal(&state));
        }
    ck_assert(!repeats(a, lighter));
    ck_assert(!repeats(a, grain));
    code(a, 16);
    ck_assert(!repeats(a, code_next(a, lighter, 16, 1)));
}
END_TEST

/* Of frames smaller than a block too, and of slivers at the edges. */
START_TEST(all_sizes_are_judged)
{
    const int sizes[][2] = {{1, 1},   {3, 2},   {16, 16}, {17, 15}, {32, 32}, {65, 3},
                            {64, 64}, {66, 65}, {193, 2}, {200, 1}, {1, 130}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const VfiVideoInfo info = {
            .format = VFI_FORMAT_GRAY8, .width = sizes[i][0], .height = sizes[i][1]};
        TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
        TestFrame b = test_frame_new(&info, LAYOUT_BOTTOM_UP);

        fill_noise(&a, 8);
        vfi_pixels_copy(&info, &a.frame, &b.frame, 0, info.height);
        ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, VFI_REPEAT_AUTO));
        fill_noise(&b, 9);
        ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, VFI_REPEAT_AUTO));
        test_frame_free(&a);
        test_frame_free(&b);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("repeats");
    TCase *tcase = tcase_create("repeats");
    const int first = VFI_FORMAT_UNKNOWN + 1, end = VFI_FORMAT_COUNT;

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, coded_repeats_are_found, first, end);
    tcase_add_loop_test(tcase, half_a_pixel_is_motion, VFI_FORMAT_GRAY8,
                        VFI_FORMAT_GRAY8 + 1);
    tcase_add_test(tcase, small_things_count);
    tcase_add_test(tcase, fades_and_grain_are_no_repeats);
    tcase_add_test(tcase, all_sizes_are_judged);
    return check_main(suite);
}
