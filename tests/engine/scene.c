/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scene detector and the search for repeated frames, on painted scenes: what is a
 * cut, what is none, and that formats, layouts and sizes make no difference. */
#include <math.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "pixels/pixels.h"
#include "pixels_frames.h"

enum { WIDTH = 192, HEIGHT = 108, SHAPES = 60 };

/* How a scene is looked at, and lit. */
typedef struct {
    double x, y; /* of the upper left corner, in widths of the view */
    double zoom;
    double gain, offset, noise;
    uint32_t grain; /* another number, other noise */
} View;

static const View plain = {.zoom = 1, .gain = 1};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static double uniform(uint32_t *state)
{
    return next_random(state) / (double)(1 << 24);
}

/* An endless plane of ellipses of even tones, the later in front; each seed another
 * one. */
typedef struct {
    double x[SHAPES], y[SHAPES], rx[SHAPES], ry[SHAPES], tone[SHAPES];
} Scene;

static Scene make_scene(uint32_t seed)
{
    uint32_t state = seed * 7919 + 17;
    Scene scene;

    for (int i = 0; i < SHAPES; i++) {
        scene.x[i] = uniform(&state) * 2;
        scene.y[i] = uniform(&state) * 2;
        scene.rx[i] = 0.04 + 0.2 * uniform(&state);
        scene.ry[i] = 0.04 + 0.2 * uniform(&state);
        scene.tone[i] = uniform(&state);
    }
    return scene;
}

static double wrapped(double distance)
{
    return distance - 2 * floor(distance / 2 + 0.5);
}

static double tone_at(const Scene *scene, double x, double y)
{
    for (int i = SHAPES - 1; i >= 0; i--) {
        double dx = wrapped(x - scene->x[i]) / scene->rx[i];
        double dy = wrapped(y - scene->y[i]) / scene->ry[i];

        if (dx * dx + dy * dy < 1)
            return scene->tone[i];
    }
    return 0.5;
}

static VfiVideoInfo info_of(VfiFormat format, int width, int height)
{
    return (VfiVideoInfo){.format = format, .width = width, .height = height};
}

/* Three equal planes of floats in [0,1]. */
static float *paint_scene(const Scene *scene, const View *view, int width, int height)
{
    const size_t pixels = (size_t)width * (size_t)height;
    float *rgb = malloc(3 * pixels * sizeof *rgb);
    uint32_t state = 5 + view->grain;

    ck_assert_ptr_nonnull(rgb);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double at_x = view->x + 0.5 + (x + 0.5 - width / 2.0) / width / view->zoom;
            double at_y = view->y + 0.3 + (y + 0.5 - height / 2.0) / width / view->zoom;
            double value = tone_at(scene, at_x, at_y) * view->gain + view->offset +
                           view->noise * (uniform(&state) - 0.5);
            size_t i = (size_t)y * (size_t)width + (size_t)x;

            rgb[i] = rgb[pixels + i] = rgb[2 * pixels + i] =
                (float)CLAMP(value, 0.0, 1.0);
        }
    return rgb;
}

static VfiSceneSignature sign_painted(const float *rgb, const VfiVideoInfo *info,
                                      Layout layout)
{
    TestFrame frame = test_frame_new(info, layout);
    VfiSceneSignature signature;
    const VfiRgbPicture painted = test_rgb_picture(rgb, info->width, info->height);

    vfi_pixels_rgb_to_planes(info, &painted, &frame.frame, &frame.frame, 0, &frame.frame,
                             0, info->height);
    vfi_scene_signature(info, &frame.frame, &signature);
    test_frame_free(&frame);
    return signature;
}

static VfiSceneSignature sign_view(uint32_t seed, const View *view)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_GRAY8, WIDTH, HEIGHT);
    const Scene scene = make_scene(seed);
    float *rgb = paint_scene(&scene, view, WIDTH, HEIGHT);
    VfiSceneSignature signature = sign_painted(rgb, &info, LAYOUT_TIGHT);

    free(rgb);
    return signature;
}

static double score_views(uint32_t seed_a, const View *a, uint32_t seed_b, const View *b)
{
    VfiSceneSignature first = sign_view(seed_a, a), second = sign_view(seed_b, b);
    double score = vfi_scene_score(&first, &second);

    ck_assert_double_ge(score, 0);
    ck_assert_double_le(score, 1);
    ck_assert_double_eq_tol(score, vfi_scene_score(&second, &first), 1e-4);
    return score;
}

static void assert_same_shot(uint32_t seed, const View *a, const View *b)
{
    ck_assert_double_lt(score_views(seed, a, seed, b), VFI_SCENE_THRESHOLD_DEFAULT);
}

START_TEST(other_scenes_are_cuts)
{
    const View dark = {.zoom = 1, .gain = 0.2};
    const uint32_t seed = (uint32_t)_i;

    ck_assert_double_ge(score_views(seed, &plain, seed + 1, &plain),
                        2 * VFI_SCENE_THRESHOLD_DEFAULT);
    ck_assert_double_ge(score_views(seed, &plain, seed + 1, &dark),
                        2 * VFI_SCENE_THRESHOLD_DEFAULT);
}
END_TEST

START_TEST(motion_is_no_cut)
{
    const View views[] = {
        {.x = 0.05, .zoom = 1, .gain = 1},
        {.x = -0.10, .zoom = 1, .gain = 1},
        {.x = 0.15, .y = 0.03, .zoom = 1, .gain = 1},
        {.y = -0.08, .zoom = 1, .gain = 1},
        {.zoom = 1.06, .gain = 1},
        {.zoom = 0.92, .gain = 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(views); i++)
        assert_same_shot((uint32_t)_i, &plain, &views[i]);
}
END_TEST

START_TEST(light_is_no_cut)
{
    const View views[] = {
        {.x = 0.02, .zoom = 1, .gain = 2},                  /* clipped */
        {.x = 0.02, .zoom = 1, .gain = 0.3, .offset = 0.7}, /* washed out */
        {.x = 0.02, .zoom = 1, .gain = 1, .offset = -0.3},
        {.x = 0.02, .zoom = 1, .gain = 0, .offset = 1}, /* nothing but white */
        {.zoom = 1, .gain = 1, .noise = 0.2},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(views); i++)
        assert_same_shot((uint32_t)_i, &plain, &views[i]);
}
END_TEST

START_TEST(fades_are_no_cuts)
{
    for (int step = 0; step < 8; step++) {
        View a = plain, b = plain;

        a.gain = 1 - step / 8.0;
        b.gain = 1 - (step + 1) / 8.0;
        b.x = 0.02;
        assert_same_shot((uint32_t)_i, &a, &b);
    }
}
END_TEST

/* Whatever the noise leaves of the scene; a scene that stands out is still told apart. */
START_TEST(noise_is_no_cut)
{
    const double gains[] = {0, 0.01, 0.03, 0.1, 0.3};
    const double noises[] = {0.05, 0.2, 0.8};

    for (size_t i = 0; i < G_N_ELEMENTS(gains); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(noises); j++) {
            const View a = {.zoom = 1,
                            .gain = gains[i],
                            .offset = 0.1,
                            .noise = noises[j],
                            .grain = 1};
            View b = a, other = plain;

            b.x = 0.02;
            b.grain = 2;
            assert_same_shot((uint32_t)_i, &a, &b);
            other.noise = noises[j];
            if (gains[i] >= noises[j])
                ck_assert_double_ge(
                    score_views((uint32_t)_i, &a, (uint32_t)_i + 1, &other),
                    VFI_SCENE_THRESHOLD_DEFAULT);
        }
}
END_TEST

/* A little contrast is enough to know a scene again. */
START_TEST(dim_scenes_are_no_cuts)
{
    for (int i = 1; i <= 10; i++) {
        const View dim = {.zoom = 1, .gain = 0.01 * i, .offset = 0.1};
        const VfiSceneSignature scene = sign_view((uint32_t)_i, &dim);

        ck_assert_double_lt(vfi_scene_score(&scene, &scene), VFI_SCENE_THRESHOLD_DEFAULT);
    }
}
END_TEST

/* Bars around a picture, in shares of the signature's sides; a coder leaves noise in
 * them. */
typedef struct {
    double above, below, beside;
    float tone, noise;
} Bars;

static VfiSceneSignature add_bars(VfiSceneSignature signature, const Bars *bars,
                                  uint32_t grain)
{
    const double left = bars->beside * signature.width;
    const double right = signature.width - left;
    const double top = bars->above * signature.height;
    const double bottom = (1 - bars->below) * signature.height;
    uint32_t state = grain;

    for (int y = 0; y < signature.height; y++)
        for (int x = 0; x < signature.width; x++) {
            /* A cell at an edge lies partly in the bar. */
            const double across = CLAMP(MIN(x + 1 - left, right - x), 0.0, 1.0);
            const double down = CLAMP(MIN(y + 1 - top, bottom - y), 0.0, 1.0);
            const double share = across * down;
            const double bar =
                (double)bars->tone + (double)bars->noise * (uniform(&state) - 0.5);

            signature.luma[y][x] =
                (float)(share * (double)signature.luma[y][x] + (1 - share) * bar);
        }
    return signature;
}

/* What does not move at a cut says nothing about it. */
START_TEST(bars_do_not_hide_cuts)
{
    const Bars all[] = {
        {.above = 0.14, .below = 0.14, .tone = 16},
        {.above = 0.3, .below = 0.3},
        {.above = 0.3, .below = 0.3, .tone = 3, .noise = 3},
        {.above = 0.34, .below = 0.34, .noise = 1},
        {.above = 0.3, .below = 0.3, .tone = 128, .noise = 2},
        {.above = 0.25, .tone = 235},
        {.beside = 0.3},
        {.beside = 0.34, .tone = 90, .noise = 2},
        {.above = 0.2, .below = 0.2, .beside = 0.2, .tone = 2},
    };
    const View moved = {.x = 0.02, .zoom = 1, .gain = 1};
    const VfiSceneSignature scene = sign_view((uint32_t)_i, &plain);
    const VfiSceneSignature later = sign_view((uint32_t)_i, &moved);
    const VfiSceneSignature next = sign_view((uint32_t)_i + 1, &plain);

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        const VfiSceneSignature a = add_bars(scene, &all[i], 1);
        const VfiSceneSignature b = add_bars(later, &all[i], 2);
        const VfiSceneSignature other = add_bars(next, &all[i], 3);

        ck_assert_double_lt(vfi_scene_score(&a, &b), VFI_SCENE_THRESHOLD_DEFAULT);
        ck_assert_double_ge(vfi_scene_score(&a, &other), VFI_SCENE_THRESHOLD_DEFAULT);
    }
}
END_TEST

static VfiSceneSignature flat_signature(int width, int height, float luma)
{
    VfiSceneSignature signature = {.width = width, .height = height};

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            signature.luma[y][x] = luma;
    return signature;
}

/* A white disc with its middle at (@x, @y) in black. */
static VfiSceneSignature sign_disc(int x, int y)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_GRAY8, 640, 480);
    TestFrame frame = test_frame_new(&info, LAYOUT_TIGHT);
    VfiSceneSignature signature;

    for (int row = 0; row < info.height; row++)
        for (int i = 0; i < info.width; i++)
            frame.frame.data[0][row * frame.frame.stride[0] + i] =
                (i - x) * (i - x) + (row - y) * (row - y) <= 20 * 20 ? 235 : 16;
    vfi_scene_signature(&info, &frame.frame, &signature);
    test_frame_free(&frame);
    return signature;
}

/* The even ground around it is not taken for bars, which would leave little of the
 * picture. */
START_TEST(a_small_thing_that_moves_is_no_cut)
{
    for (int i = 0; i < 40; i++) {
        const int x = 30 + i * 29 % 580, y = 30 + i * 37 % 420;
        const VfiSceneSignature a = sign_disc(x, y), b = sign_disc(x + 9, y + 8);
        const double score = vfi_scene_score(&a, &b);

        ck_assert_msg(score < VFI_SCENE_THRESHOLD_DEFAULT, "at %d, %d: %g", x, y, score);
    }
}
END_TEST

START_TEST(flat_pictures_differ_by_brightness)
{
    VfiSceneSignature black = flat_signature(64, 36, 0);
    VfiSceneSignature grey = flat_signature(64, 36, 20);
    VfiSceneSignature white = flat_signature(64, 36, 255);
    VfiSceneSignature scene = sign_view(3, &plain);

    ck_assert_double_eq(vfi_scene_score(&black, &black), 0);
    ck_assert_double_eq(vfi_scene_score(&black, &grey), 0);
    ck_assert_double_eq(vfi_scene_score(&black, &white), 1);
    ck_assert_double_ge(vfi_scene_score(&scene, &black), VFI_SCENE_THRESHOLD_DEFAULT);
    ck_assert_double_ge(vfi_scene_score(&black, &scene), VFI_SCENE_THRESHOLD_DEFAULT);
}
END_TEST

START_TEST(black_of_any_size_is_no_cut)
{
    for (int width = 1; width <= 64; width += 3)
        for (int height = 1; height <= 64; height += 7) {
            VfiSceneSignature black = flat_signature(width, height, 0);
            ck_assert_double_eq(vfi_scene_score(&black, &black), 0);
        }
}
END_TEST

START_TEST(all_sizes_can_be_compared)
{
    const int sizes[][2] = {{1, 1},   {2, 1},   {1, 40},   {3, 5},    {11, 12},
                            {13, 13}, {64, 64}, {65, 64},  {100, 57}, {37, 300},
                            {500, 3}, {129, 1}, {640, 360}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const VfiVideoInfo info = info_of(VFI_FORMAT_I420, sizes[i][0], sizes[i][1]);
        const Scene scene = make_scene(1);
        float *rgb = paint_scene(&scene, &plain, info.width, info.height);
        VfiSceneSignature a = sign_painted(rgb, &info, LAYOUT_TIGHT), b = a;
        const int longer = MAX(info.width, info.height);

        ck_assert_int_eq(MAX(a.width, a.height), MIN(longer, 64));
        ck_assert_int_ge(MIN(a.width, a.height), 1);
        ck_assert_int_le(a.width, info.width);
        ck_assert_int_le(a.height, info.height);
        ck_assert_double_le(vfi_scene_score(&a, &b), 0.05);
        b.width = a.width == 64 ? 63 : a.width + 1;
        ck_assert_double_eq(vfi_scene_score(&a, &b), 1);
        free(rgb);
    }
}
END_TEST

START_TEST(cells_are_means)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_GRAY8, 128, 128);
    TestFrame frame = test_frame_new(&info, LAYOUT_BOTTOM_UP);
    VfiSceneSignature signature;

    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 128; x++)
            frame.frame.data[0][y * frame.frame.stride[0] + x] = (uint8_t)(x + y / 2);
    vfi_scene_signature(&info, &frame.frame, &signature);
    ck_assert_int_eq(signature.width, 64);
    ck_assert_int_eq(signature.height, 64);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 64; x++)
            ck_assert_float_eq_tol(signature.luma[y][x], (float)(2 * x + y) + 0.5f,
                                   1e-4f);
    test_frame_free(&frame);
}
END_TEST

/* Cells are summed some at a time; their width and the number of them at once vary with
 * the frame's. */
START_TEST(cells_of_any_width_are_means)
{
    const int sizes[][2] = {{16384, 2}, {1303, 40}, {1280, 9}, {383, 16384}, {520, 64}};
    const VfiFormat formats[] = {VFI_FORMAT_GRAY8, VFI_FORMAT_GRAY16_LE};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes) * G_N_ELEMENTS(formats); i++) {
        const int width = sizes[i / 2][0], height = sizes[i / 2][1];
        VfiVideoInfo info = info_of(formats[i % 2], width, height);
        TestFrame frame = test_frame_new(&info, LAYOUT_PADDED);
        VfiSceneSignature signature;

        info.range = VFI_RANGE_FULL;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                uint8_t *row = frame.frame.data[0] + y * frame.frame.stride[0];

                if (formats[i % 2] == VFI_FORMAT_GRAY8)
                    row[x] = (uint8_t)(x * 7 % 251);
                else
                    ((uint16_t *)(void *)row)[x] = (uint16_t)(x * 7 % 251 * 257);
            }
        vfi_scene_signature(&info, &frame.frame, &signature);
        for (int x = 0; x < signature.width; x++) {
            const int left = x * width / signature.width;
            const int right = (x + 1) * width / signature.width;
            double mean = 0;

            for (int column = left; column < right; column++)
                mean += column * 7 % 251 / (double)(right - left);
            for (int y = 0; y < signature.height; y++)
                ck_assert_double_eq_tol((double)signature.luma[y][x], mean, 1e-3);
        }
        test_frame_free(&frame);
    }
}
END_TEST

START_TEST(formats_and_layouts_agree)
{
    const Scene scene = make_scene(1), other = make_scene(2);
    float *rgb = paint_scene(&scene, &plain, WIDTH, HEIGHT);
    float *rgb_other = paint_scene(&other, &plain, WIDTH, HEIGHT);
    const VfiVideoInfo base = info_of(VFI_FORMAT_RGB_F32, WIDTH, HEIGHT);
    const VfiSceneSignature expected = sign_painted(rgb, &base, LAYOUT_TIGHT);
    const VfiSceneSignature cut = sign_painted(rgb_other, &base, LAYOUT_TIGHT);
    const double score = vfi_scene_score(&expected, &cut);

    for (int format = VFI_FORMAT_UNKNOWN + 1; format < VFI_FORMAT_COUNT; format++) {
        VfiVideoInfo info = info_of((VfiFormat)format, WIDTH, HEIGHT);
        info.range = format % 2 == 0 ? VFI_RANGE_LIMITED : VFI_RANGE_FULL;
        VfiSceneSignature a = sign_painted(rgb, &info, (Layout)(format % LAYOUT_COUNT));
        VfiSceneSignature b = sign_painted(rgb_other, &info, LAYOUT_PADDED);

        /* Half a code of 8 bits, in limited range a little more. */
        for (int y = 0; y < a.height; y++)
            for (int x = 0; x < a.width; x++)
                ck_assert_float_eq_tol(a.luma[y][x], expected.luma[y][x], 0.6f);
        ck_assert_double_eq_tol(vfi_scene_score(&a, &b), score, 0.01);
        ck_assert_double_le(vfi_scene_score(&a, &expected), 0.01);
    }
    free(rgb);
    free(rgb_other);
}
END_TEST

static void fill(TestFrame *test)
{
    for (int plane = 0; plane < VFI_MAX_PLANES; plane++)
        if (test->block[plane] != NULL)
            memset(test->block[plane], 0, test->size[plane]);
}

START_TEST(nan_is_black)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_RGB_F32, 8, 8);
    TestFrame frame = test_frame_new(&info, LAYOUT_TIGHT);
    VfiSceneSignature signature;

    for (int plane = 0; plane < 3; plane++)
        for (int i = 0; i < 64; i++)
            ((float *)(void *)frame.frame.data[plane])[i] = NAN;
    vfi_scene_signature(&info, &frame.frame, &signature);
    ck_assert_float_eq(signature.luma[3][3], 0);
    ck_assert_double_eq(vfi_scene_score(&signature, &signature), 0);

    TestFrame other = test_frame_new(&info, LAYOUT_TIGHT);
    fill(&other);
    ck_assert(!vfi_frames_repeat(&info, &frame.frame, &other.frame, 255));
    test_frame_free(&frame);
    test_frame_free(&other);
}
END_TEST

/* ---- Repeated frames ---- */

/* Adds @by codes to every luma (or R, G and B) sample of the area. */
static void lighten(TestFrame *test, int x, int y, int width, int height, int by)
{
    const VfiFormatDescription *format = vfi_format_describe(test->info.format);
    const int n = format->colour == VFI_FAMILY_RGB ? 3 : 1;

    for (int c = 0; c < n; c++)
        for (int row = y; row < y + height; row++)
            for (int column = x; column < x + width; column++) {
                const VfiComponent *component = &format->component[c];
                uint8_t *sample = test->frame.data[component->plane] +
                                  row * test->frame.stride[component->plane] +
                                  (ptrdiff_t)column * component->pixel_stride +
                                  component->offset;

                if (format->sample_bytes == 4) {
                    *(float *)(void *)sample += (float)by;
                } else if (format->sample_bytes == 2) {
                    *(uint16_t *)(void *)sample =
                        (uint16_t)(*(uint16_t *)(void *)sample + (by << format->shift));
                } else {
                    *sample = (uint8_t)(*sample + by);
                }
            }
}

/* 4 codes of 8 bits more in one block of 16×16 are a mean difference of 4 there, whatever
 * the rest of the picture; of f32 1 is all 255. */
START_TEST(blocks_count_one_by_one)
{
    const VfiFormat formats[] = {
        VFI_FORMAT_GRAY8,     VFI_FORMAT_NV12,    VFI_FORMAT_P010_10LE,
        VFI_FORMAT_RGB,       VFI_FORMAT_BGRX,    VFI_FORMAT_I420_10LE,
        VFI_FORMAT_GBR,       VFI_FORMAT_RGB_F32, VFI_FORMAT_P012_LE,
        VFI_FORMAT_GRAY16_LE, VFI_FORMAT_ARGB64,  VFI_FORMAT_Y412_LE};
    const int at[][2] = {{0, 0}, {16, 16}, {304, 32}, {256, 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(at); j++) {
            const VfiVideoInfo info = info_of(formats[i], 331, 53);
            const int depth = vfi_format_describe(formats[i])->depth;
            const int by = depth == 32 ? 1 : 4 << (depth - 8);
            const double mean = depth == 32 ? 255 : 4;
            TestFrame a = test_frame_new(&info, LAYOUT_PADDED);
            TestFrame b = test_frame_new(&info, LAYOUT_BOTTOM_UP);

            fill(&a);
            fill(&b);
            ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, 0));
            lighten(&b, at[j][0], at[j][1], 16, 16, by);
            ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, mean * 1.001));
            ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, mean * 0.999));
            ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, 0));
            test_frame_free(&a);
            test_frame_free(&b);
        }
}
END_TEST

/* 331×53: the last block has 11 columns and 5 rows. */
START_TEST(blocks_at_the_edge_are_means_of_their_own)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_GRAY8, 331, 53);
    TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);

    fill(&a);
    fill(&b);
    lighten(&b, 330, 52, 1, 1, 55);
    ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, 1));
    ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, 0.99));
    test_frame_free(&a);
    test_frame_free(&b);
}
END_TEST

START_TEST(noise_repeats_but_change_does_not)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_GRAY8, WIDTH, HEIGHT);
    TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);
    uint32_t state = 9;

    fill(&a);
    fill(&b);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        a.frame.data[0][i] = (uint8_t)(100 + next_random(&state) % 3);
        b.frame.data[0][i] = (uint8_t)(100 + next_random(&state) % 3);
    }
    /* The mean difference of two of 0, 1, 2 is 8/9. */
    ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, 1.5));
    ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, 0.5));
    lighten(&b, 100, 50, 8, 8, 40);
    ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, 1.5));
    test_frame_free(&a);
    test_frame_free(&b);
}
END_TEST

/* Chroma counts only where bits are asked for, the id wherever it is known. */
START_TEST(threshold_0_compares_all_bits)
{
    const VfiVideoInfo info = info_of(VFI_FORMAT_I420, 32, 32);
    TestFrame a = test_frame_new(&info, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&info, LAYOUT_TIGHT);

    fill(&a);
    fill(&b);
    b.frame.data[2][100] = 1;
    ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, 0.1));
    ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, 0));
    a.frame.id = b.frame.id = 7;
    ck_assert(vfi_frames_repeat(&info, &a.frame, &b.frame, 0));
    b.frame.id = 8;
    ck_assert(!vfi_frames_repeat(&info, &a.frame, &b.frame, 0));
    test_frame_free(&a);
    test_frame_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scene");
    TCase *cuts = tcase_create("cuts"), *repeats = tcase_create("repeats");

    tcase_add_loop_test(cuts, other_scenes_are_cuts, 0, 10);
    tcase_add_loop_test(cuts, motion_is_no_cut, 0, 5);
    tcase_add_loop_test(cuts, light_is_no_cut, 0, 5);
    tcase_add_loop_test(cuts, fades_are_no_cuts, 0, 5);
    tcase_add_loop_test(cuts, noise_is_no_cut, 0, 2);
    tcase_add_loop_test(cuts, dim_scenes_are_no_cuts, 0, 2);
    tcase_add_loop_test(cuts, bars_do_not_hide_cuts, 0, 8);
    tcase_add_test(cuts, a_small_thing_that_moves_is_no_cut);
    tcase_add_test(cuts, flat_pictures_differ_by_brightness);
    tcase_add_test(cuts, black_of_any_size_is_no_cut);
    tcase_add_test(cuts, all_sizes_can_be_compared);
    tcase_add_test(cuts, cells_are_means);
    tcase_add_test(cuts, cells_of_any_width_are_means);
    tcase_add_test(cuts, formats_and_layouts_agree);
    tcase_add_test(cuts, nan_is_black);
    suite_add_tcase(suite, cuts);
    tcase_add_test(repeats, blocks_count_one_by_one);
    tcase_add_test(repeats, blocks_at_the_edge_are_means_of_their_own);
    tcase_add_test(repeats, noise_repeats_but_change_does_not);
    tcase_add_test(repeats, threshold_0_compares_all_bits);
    suite_add_tcase(suite, repeats);
    return check_main(suite);
}
