/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for blocks and for the motion of the whole picture, against their
 * definitions in double precision. */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "scene/shift.h"

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Noise of codes -128 … 127 around a wave, so that some blocks look more alike than
 * others. */
static void fill(VfiScenePicture *picture, int width, int height, uint32_t seed)
{
    uint32_t state = seed;

    memset(picture, 0, sizeof *picture);
    picture->width = width;
    picture->height = height;
    picture->noise = 20;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            picture->luma[y][VFI_SCENE_PADDING + x] =
                (float)(60 * sin(0.3 * x + 0.2 * y) +
                        (double)(next_random(&state) % 136) - 68);
}

/* The same moved by (@dx, @dy), with something else where nothing comes from. */
static void move(VfiScenePicture *to, const VfiScenePicture *from, int dx, int dy)
{
    fill(to, from->width, from->height, 99);
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++)
            if (x - dx >= 0 && x - dx < to->width && y - dy >= 0 && y - dy < to->height)
                to->luma[y][VFI_SCENE_PADDING + x] =
                    from->luma[y - dy][VFI_SCENE_PADDING + x - dx];
}

typedef struct {
    double mean, variance;
} Moments;

static double at(const VfiScenePicture *picture, int x, int y)
{
    return (double)picture->luma[y][VFI_SCENE_PADDING + x];
}

static Moments measure(const VfiScenePicture *picture, const VfiSceneBlocks *blocks,
                       int x, int y)
{
    const double cells = blocks->width * blocks->height;
    Moments moments = {0, 0};

    for (int row = y; row < y + blocks->height; row++)
        for (int column = x; column < x + blocks->width; column++)
            moments.mean += at(picture, column, row) / cells;
    for (int row = y; row < y + blocks->height; row++)
        for (int column = x; column < x + blocks->width; column++)
            moments.variance += pow(at(picture, column, row) - moments.mean, 2) / cells;
    return moments;
}

static const int sizes[][2] = {{64, 36}, {64, 64}, {64, 48}, {63, 35}, {36, 64}, {57, 12},
                               {13, 13}, {12, 30}, {12, 12}, {5, 9},   {64, 1},  {1, 1}};

START_TEST(blocks_are_measured_by_their_moments)
{
    VfiScenePicture picture;
    VfiSceneBlocks blocks;

    fill(&picture, sizes[_i][0], sizes[_i][1], 3);
    vfi_scene_measure_blocks(&blocks, &picture);
    ck_assert_int_eq(blocks.width, MIN(picture.width, VFI_SCENE_BLOCK));
    ck_assert_int_eq(blocks.height, MIN(picture.height, VFI_SCENE_BLOCK));
    ck_assert_int_eq(blocks.last_x + blocks.width, picture.width);
    ck_assert_int_eq(blocks.last_y + blocks.height, picture.height);
    for (int y = 0; y <= blocks.last_y; y++)
        for (int x = 0; x <= blocks.last_x; x++) {
            const Moments moments = measure(&picture, &blocks, x, y);
            const double structure =
                moments.variance > 20 ? 1 - 20 / moments.variance : 0;

            ck_assert_double_eq_tol((double)blocks.mean[y][x], moments.mean, 1e-3);
            ck_assert_double_eq_tol((double)blocks.deviation[y][x],
                                    sqrt(moments.variance), 1e-2);
            ck_assert_double_eq_tol((double)blocks.structure[y][x], structure, 1e-3);
        }
}
END_TEST

/* How well a's block at (x, y) and b's at (to_x, to_y) correlate, noise left out. */
static double correlate(const VfiSceneView *a, const VfiSceneView *b, int x, int y,
                        int to_x, int to_y)
{
    const VfiSceneBlocks *blocks = a->blocks;
    const Moments in_a = measure(a->picture, blocks, x, y);
    const Moments in_b = measure(b->picture, blocks, to_x, to_y);
    const double structure = (double)blocks->structure[y][x] *
                             MAX((double)b->blocks->structure[to_y][to_x], 0.5);
    double covariance = 0;

    for (int j = 0; j < blocks->height; j++)
        for (int i = 0; i < blocks->width; i++)
            covariance += (at(a->picture, x + i, y + j) - in_a.mean) *
                          (at(b->picture, to_x + i, to_y + j) - in_b.mean) /
                          (blocks->width * blocks->height);
    return covariance / sqrt(structure * in_a.variance * MAX(in_b.variance, 1));
}

/* The best there is for a block within reach; 0 where nothing correlates. */
static double best_for(const VfiSceneView *a, const VfiSceneView *b, VfiSceneShift shift,
                       int x, int y)
{
    double best = 0;

    for (int dy = -VFI_SCENE_SEARCH_Y; dy <= VFI_SCENE_SEARCH_Y; dy++)
        for (int dx = -VFI_SCENE_SEARCH_X; dx <= VFI_SCENE_SEARCH_X; dx++) {
            const int to_x = x + shift.x + dx, to_y = y + shift.y + dy;

            if (to_x >= 0 && to_x <= a->blocks->last_x && to_y >= 0 &&
                to_y <= a->blocks->last_y)
                best = MAX(best, correlate(a, b, x, y, to_x, to_y));
        }
    return best;
}

static void assert_best_matches(const VfiSceneView *a, const VfiSceneView *b,
                                VfiSceneShift shift)
{
    VfiSceneMatches matches;

    vfi_scene_search(a, b, shift, &matches);
    ck_assert_int_eq(matches.x[matches.n_x - 1], a->blocks->last_x);
    ck_assert_int_eq(matches.y[matches.n_y - 1], a->blocks->last_y);
    for (int j = 0; j < matches.n_y; j++)
        for (int i = 0; i < matches.n_x; i++) {
            const VfiSceneMatch *match = &matches.match[j][i];
            const int x = matches.x[i], y = matches.y[j];
            const double found = (double)match->correlation;

            ck_assert(i == 0 || matches.x[i] > matches.x[i - 1]);
            ck_assert(i == 0 || matches.x[i] - matches.x[i - 1] <= VFI_SCENE_BLOCK_STEP);
            ck_assert_int_ge(match->x, 0);
            ck_assert_int_le(match->x, a->blocks->last_x);
            ck_assert_int_ge(match->y, 0);
            ck_assert_int_le(match->y, a->blocks->last_y);
            if (vfi_scene_shows_nothing(a->blocks, x, y)) {
                ck_assert_double_eq(found, 0);
                continue;
            }
            ck_assert_double_eq_tol(found, best_for(a, b, shift, x, y), 1e-4);
            if (found > 0)
                ck_assert_double_eq_tol(found, correlate(a, b, x, y, match->x, match->y),
                                        1e-4);
        }
}

START_TEST(matches_are_the_best_within_reach)
{
    const VfiSceneShift shifts[] = {{0, 0}, {3, -2}, {-7, 4}, {19, 10}, {-19, -19}};
    VfiScenePicture first, second;
    VfiSceneBlocks of_first, of_second;
    const VfiSceneView a = {&first, &of_first}, b = {&second, &of_second};

    fill(&first, sizes[_i][0], sizes[_i][1], 3);
    move(&second, &first, 2, -1);
    vfi_scene_measure_blocks(&of_first, &first);
    vfi_scene_measure_blocks(&of_second, &second);
    for (size_t i = 0; i < G_N_ELEMENTS(shifts); i++)
        assert_best_matches(&a, &b, shifts[i]);
}
END_TEST

START_TEST(even_blocks_match_nothing)
{
    VfiScenePicture even = {.width = 40, .height = 30};
    VfiSceneBlocks blocks;
    VfiSceneMatches matches;

    vfi_scene_measure_blocks(&blocks, &even);
    vfi_scene_search(&(VfiSceneView){&even, &blocks}, &(VfiSceneView){&even, &blocks},
                     (VfiSceneShift){6, 1}, &matches);
    for (int j = 0; j < matches.n_y; j++)
        for (int i = 0; i < matches.n_x; i++) {
            const VfiSceneMatch *match = &matches.match[j][i];

            ck_assert_float_eq(match->correlation, 0);
            ck_assert_int_eq(match->x, MIN(matches.x[i] + 6, blocks.last_x));
            ck_assert_int_eq(match->y, MIN(matches.y[j] + 1, blocks.last_y));
        }
}
END_TEST

/* All shifts that leave enough in common, of which the nearest rows are tried first. */
START_TEST(shifts_are_found)
{
    VfiScenePicture first, second;

    fill(&first, 64, 48, 7);
    for (int dy = -9; dy <= 9; dy += 3)
        for (int dx = -12; dx <= 12; dx += 4) {
            VfiSceneShift shift;

            move(&second, &first, dx, dy);
            shift = vfi_scene_find_shift(&first, &second);
            ck_assert_int_eq(shift.x, dx);
            ck_assert_int_eq(shift.y, dy);
        }
}
END_TEST

/* Waves that repeat every ten rows, with a little grain, @down rows further down. */
static void draw_waves(VfiScenePicture *picture, int down)
{
    memset(picture, 0, sizeof *picture);
    picture->width = picture->height = 64;
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 64; x++) {
            uint32_t state = (uint32_t)((y - down + 64) * 64 + x) * 2654435761u;
            const double grain = next_random(&state) % 49 - 24.0;

            picture->luma[y][VFI_SCENE_PADDING + x] =
                (float)(60 * (sin(y * G_PI / 5) + cos(x * 0.5)) + grain);
        }
}

/* They correlate well at no shift; the grain says that they have moved by ten rows. */
START_TEST(farther_rows_may_be_better)
{
    VfiScenePicture first, second;
    VfiSceneShift shift;

    draw_waves(&first, 0);
    draw_waves(&second, 10);
    shift = vfi_scene_find_shift(&first, &second);
    ck_assert_int_eq(shift.x, 0);
    ck_assert_int_eq(shift.y, 10);
    shift = vfi_scene_find_shift(&second, &first);
    ck_assert_int_eq(shift.x, 0);
    ck_assert_int_eq(shift.y, -10);
}
END_TEST

START_TEST(unrelated_pictures_have_no_shift)
{
    VfiScenePicture first, second;
    VfiSceneShift shift;

    fill(&first, sizes[_i][0], sizes[_i][1], 7);
    memset(&second, 0, sizeof second);
    second.width = first.width;
    second.height = first.height;
    shift = vfi_scene_find_shift(&first, &second);
    ck_assert_int_eq(shift.x, 0);
    ck_assert_int_eq(shift.y, 0);
}
END_TEST

int main(void)
{
    const int n = G_N_ELEMENTS(sizes);
    Suite *suite = suite_create("scene-search");
    TCase *tcase = tcase_create("search");

    tcase_add_loop_test(tcase, blocks_are_measured_by_their_moments, 0, n);
    tcase_add_loop_test(tcase, matches_are_the_best_within_reach, 0, n);
    tcase_add_test(tcase, even_blocks_match_nothing);
    tcase_add_test(tcase, shifts_are_found);
    tcase_add_test(tcase, farther_rows_may_be_better);
    tcase_add_loop_test(tcase, unrelated_pictures_have_no_shift, 0, n);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
