/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scene detector. Two pictures of one shot show the same things a little elsewhere,
 * at most in other tones: the tones of one are given to the other, the motion of the
 * whole picture is taken out, and blocks of each are searched near their place in the
 * other by correlation. The score is the share of structure that is not found. The search
 * is narrow on purpose: somewhere in a picture, something similar to any block can be
 * found. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "scene/picture.h"

#define SIZE VFI_SCENE_SIGNATURE_SIZE
#define PADDING VFI_SCENE_PADDING

/* Motion of the whole picture: up to 3/10 of its size. */
#define SHIFT_MAX (SIZE * 3 / 10)
#define SHIFT_LANES 40 /* ≥ 2 SHIFT_MAX + 1, a multiple of what SIMD works on */

/* A shift counts only if the pictures correlate this well after it, and the better the
 * less of them it lets overlap, for among many shifts one fits by chance. With the rise
 * taken off, pans reached 0.78 and more, the best shifts between unrelated pictures 0.56
 * and less. */
#define SHIFT_CORRELATION 0.7
#define SHIFT_CORRELATION_RISE 0.2

/* Blocks, the distance between them, and how far each is searched. */
#define BLOCK 12
#define BLOCK_STEP 4
#define SEARCH_X 5
#define SEARCH_Y 3
#define SEARCH_LANES 12 /* ≥ 2 SEARCH_X + 1 */

/* A block that the global shift moves further than this out of the picture has nothing to
 * be compared with. */
#define BEYOND_MAX 2

/* The best and the worst matched quarter of the structure say nothing: a logo stays at
 * every cut, something in front may cover much of any picture. */
#define TRIMMED 0.25

/* Luma, 0 … 255. */
#define FLAT 1.0f      /* standard deviation below which a block shows nothing */
#define NOISE 0.25f    /* variance that counts as no structure */
#define STRUCTURE 0.5f /* least share of a block's variance; with less it shows nothing */
#define FLAT_WEIGHT 0.25f /* weight of flat blocks; others have their deviation besides */
#define SATURATED 248.0f  /* clipped by a flash */
#define LEVEL_SAME 24.0f  /* flat blocks: up to here the same, as in a fade, … */
#define LEVEL_OTHER 72.0f /* … from here on another picture */

/* Places of a block along a side; a picture smaller than a block has one. */
#define PLACES (SIZE - BLOCK + 1)

typedef VfiScenePicture Picture;

/* Statistics of the block at each place of a picture. */
typedef struct {
    int width, height; /* of a block */
    int last_x, last_y;
    float mean[PLACES][PLACES]; /* at [y][x], 0 … last_y and last_x */
    float deviation[PLACES][PLACES];
    float structure[PLACES][PLACES]; /* share of the variance that is no noise */
} Blocks;

/* One picture of a pair. */
typedef struct {
    Picture picture; /* in the tones that both have, zero mean */
    Blocks blocks;
    Blocks source; /* of the picture as it was */
} Side;

typedef struct {
    int x, y;
} Shift;

typedef struct {
    int left, top, right, bottom;
} Area;

/* sums[y][x] = squares of all cells above and left of (x, y). */
typedef struct {
    double at[SIZE + 1][SIZE + 1];
} SquareSums;

static void sum_squares(SquareSums *sums, const Picture *picture)
{
    memset(sums, 0, sizeof *sums);
    for (int y = 0; y < picture->height; y++) {
        double row = 0;

        for (int x = 0; x < picture->width; x++) {
            const double value = (double)picture->luma[y][PADDING + x];
            row += value * value;
            sums->at[y + 1][x + 1] = sums->at[y][x + 1] + row;
        }
    }
}

static double squares_in(const SquareSums *sums, const Area *area)
{
    return sums->at[area->bottom][area->right] - sums->at[area->top][area->right] -
           sums->at[area->bottom][area->left] + sums->at[area->top][area->left];
}

/* products[i] = Σ a(x, y) · b(x + i − SHIFT_MAX, y + dy). */
static void correlate_rows(const Picture *a, const Picture *b, int dy,
                           float *restrict products)
{
    const int begin = dy < 0 ? -dy : 0;
    const int end = dy > 0 ? a->height - dy : a->height;

    memset(products, 0, SHIFT_LANES * sizeof *products);
    for (int y = begin; y < end; y++)
        for (int x = 0; x < a->width; x++) {
            const float value = a->luma[y][PADDING + x];
            const float *other = &b->luma[y + dy][PADDING + x - SHIFT_MAX];

            for (int i = 0; i < SHIFT_LANES; i++)
                products[i] += value * other[i];
        }
}

/* Leaves at least one block of the smallest picture inside the other one. */
static int reach(int size)
{
    return CLAMP((size - BLOCK) / 2, 0, size * 3 / 10);
}

/* Where most of a's structure is found in b; no shift where none explains the pair. */
static Shift find_shift(const Picture *a, const Picture *b)
{
    const int reach_x = reach(a->width), reach_y = reach(a->height);
    const int width = a->width, height = a->height;
    Picture band_a, band_b;
    SquareSums squares_a, squares_b;
    float products[SHIFT_LANES];
    double best = SHIFT_CORRELATION;
    Shift shift = {0, 0};

    vfi_scene_keep_structure(&band_a, a);
    vfi_scene_keep_structure(&band_b, b);
    sum_squares(&squares_a, &band_a);
    sum_squares(&squares_b, &band_b);
    for (int dy = -reach_y; dy <= reach_y; dy++) {
        correlate_rows(&band_a, &band_b, dy, products);
        for (int dx = -reach_x; dx <= reach_x; dx++) {
            const Area in_a = {.left = dx < 0 ? -dx : 0,
                               .top = dy < 0 ? -dy : 0,
                               .right = dx > 0 ? width - dx : width,
                               .bottom = dy > 0 ? height - dy : height};
            const Area in_b = {in_a.left + dx, in_a.top + dy, in_a.right + dx,
                               in_a.bottom + dy};
            const double energy =
                squares_in(&squares_a, &in_a) * squares_in(&squares_b, &in_b);
            const double cells = (in_a.right - in_a.left) * (in_a.bottom - in_a.top);
            const double correlation = (double)products[SHIFT_MAX + dx] /
                                       (sqrt(energy > 0 ? energy : 0) + NOISE * cells);
            const double apart = 1 - cells / (width * height);
            const double merit = correlation - SHIFT_CORRELATION_RISE * apart;

            if (merit > best) {
                best = merit;
                shift = (Shift){dx, dy};
            }
        }
    }
    return shift;
}

static void measure_blocks(Blocks *blocks, const Picture *picture)
{
    blocks->width = picture->width < BLOCK ? picture->width : BLOCK;
    blocks->height = picture->height < BLOCK ? picture->height : BLOCK;
    blocks->last_x = picture->width - blocks->width;
    blocks->last_y = picture->height - blocks->height;

    const float cells = (float)(blocks->width * blocks->height);
    for (int y = 0; y <= blocks->last_y; y++) {
        float sums[SIZE] = {0}, squares[SIZE] = {0};

        for (int row = y; row < y + blocks->height; row++)
            for (int x = 0; x < picture->width; x++) {
                const float value = picture->luma[row][PADDING + x];
                sums[x] += value;
                squares[x] += value * value;
            }
        for (int x = 0; x <= blocks->last_x; x++) {
            float sum = 0, square = 0;

            for (int i = x; i < x + blocks->width; i++) {
                sum += sums[i];
                square += squares[i];
            }
            const float mean = sum / cells, variance = square / cells - mean * mean;
            blocks->mean[y][x] = mean;
            blocks->deviation[y][x] = sqrtf(variance > 0 ? variance : 0);
            blocks->structure[y][x] =
                variance > picture->noise ? 1 - picture->noise / variance : 0;
        }
    }
}

static bool shows_nothing(const Blocks *blocks, int x, int y)
{
    return blocks->deviation[y][x] < FLAT || blocks->structure[y][x] < STRUCTURE;
}

/* Result of the search for one block. */
typedef struct {
    int x, y;
    float correlation;
} Match;

/* products[i] = Σ over the block at (x, y) of a · b at (left + i, top). */
static void correlate_block(const Picture *a, const Picture *b, const Blocks *blocks,
                            int x, int y, int left, int top, float *restrict products)
{
    memset(products, 0, SEARCH_LANES * sizeof *products);
    for (int row = 0; row < blocks->height; row++)
        for (int column = 0; column < blocks->width; column++) {
            const float value = a->luma[y + row][PADDING + x + column];
            const float *other = &b->luma[top + row][PADDING + left + column];

            for (int i = 0; i < SEARCH_LANES; i++)
                products[i] += value * other[i];
        }
}

/* The place in b, around (x, y) moved by @shift, that looks most like a's block there. */
static Match search_block(const Side *a, const Side *b, int x, int y, Shift shift)
{
    const Blocks *blocks = &a->blocks;
    const float cells = (float)(blocks->width * blocks->height);
    const float mean = blocks->mean[y][x], deviation = blocks->deviation[y][x];
    const float structure = blocks->structure[y][x];
    const int left = x + shift.x - SEARCH_X;
    Match best = {.x = CLAMP(x + shift.x, 0, blocks->last_x),
                  .y = CLAMP(y + shift.y, 0, blocks->last_y),
                  .correlation = 0};
    float products[SEARCH_LANES];

    if (shows_nothing(blocks, x, y))
        return best;
    for (int top = y + shift.y - SEARCH_Y; top <= y + shift.y + SEARCH_Y; top++) {
        if (top < 0 || top > blocks->last_y)
            continue;
        correlate_block(&a->picture, &b->picture, blocks, x, y, left, top, products);
        for (int i = 0; i <= 2 * SEARCH_X; i++) {
            const int at = left + i;

            if (at < 0 || at > blocks->last_x)
                continue;
            const float covariance = products[i] / cells - mean * b->blocks.mean[top][at];
            /* Noise has no part in the covariance. */
            const float both =
                sqrtf(structure * MAX(b->blocks.structure[top][at], STRUCTURE));
            const float least = MAX(b->blocks.deviation[top][at], FLAT);
            const float correlation = covariance / (both * deviation * least);
            if (correlation > best.correlation)
                best = (Match){.x = at, .y = top, .correlation = correlation};
        }
    }
    return best;
}

/* How different two blocks are, one of which at least shows nothing. */
static float compare_levels(const Blocks *a, int x, int y, const Blocks *b,
                            const Match *at)
{
    const float mean_a = a->mean[y][x], mean_b = b->mean[at->y][at->x];
    const bool flat_a = shows_nothing(a, x, y);
    const bool flat_b = shows_nothing(b, at->x, at->y);
    const float beyond = fabsf(mean_a - mean_b) - LEVEL_SAME;

    /* A flash takes structure away. */
    if (flat_a != flat_b && (flat_a ? mean_a : mean_b) > SATURATED)
        return 0;
    return CLAMP(beyond / (LEVEL_OTHER - LEVEL_SAME), 0.0f, 1.0f);
}

/* 0 … 1: how little of a's block is in the other picture. */
static float block_cost(const Side *a, int x, int y, const Side *b, const Match *match)
{
    const float structure = 1 - MIN(match->correlation, 1.0f);
    const bool flat_a = shows_nothing(&a->blocks, x, y);
    const bool flat_b = shows_nothing(&b->blocks, match->x, match->y);

    if (!flat_a && !flat_b)
        return structure;
    const float level = compare_levels(&a->source, x, y, &b->source, match);
    return flat_a && flat_b ? level : MIN(structure, level);
}

typedef struct {
    float cost, weight;
} Cost;

#define COSTS_MAX 256 /* ≥ ((SIZE − BLOCK) / BLOCK_STEP + 1)² */

/* Keeps @costs in order. */
static void insert_cost(Cost *costs, int n, Cost cost)
{
    for (; n > 0 && costs[n - 1].cost > cost.cost; n--)
        costs[n] = costs[n - 1];
    costs[n] = cost;
}

/* Mean of the middle half by weight. */
static double middle_mean(const Cost *costs, int n)
{
    double total = 0, below = 0, sum = 0;

    for (int i = 0; i < n; i++)
        total += (double)costs[i].weight;
    for (int i = 0; i < n; i++) {
        const double above = below + (double)costs[i].weight;
        const double begin = MAX(below, TRIMMED * total);
        const double end = MIN(above, (1 - TRIMMED) * total);

        if (end > begin)
            sum += (end - begin) * (double)costs[i].cost;
        below = above;
    }
    return total > 0 ? sum / (total * (1 - 2 * TRIMMED)) : 0;
}

/* Share of the structure of a that is not in b. */
static double missing_structure(const Side *a, const Side *b, Shift shift)
{
    const int last_x = a->blocks.last_x, last_y = a->blocks.last_y;
    const int steps_x = (last_x + BLOCK_STEP - 1) / BLOCK_STEP;
    const int steps_y = (last_y + BLOCK_STEP - 1) / BLOCK_STEP;
    Cost costs[COSTS_MAX];
    int n = 0;

    for (int j = 0; j <= steps_y; j++)
        for (int i = 0; i <= steps_x; i++) {
            const int x = steps_x > 0 ? i * last_x / steps_x : 0;
            const int y = steps_y > 0 ? j * last_y / steps_y : 0;

            if (x + shift.x < -BEYOND_MAX || x + shift.x > last_x + BEYOND_MAX ||
                y + shift.y < -BEYOND_MAX || y + shift.y > last_y + BEYOND_MAX)
                continue;
            const Match match = search_block(a, b, x, y, shift);
            const float deviation =
                a->source.deviation[y][x] * sqrtf(a->source.structure[y][x]);
            const Cost cost = {.cost = block_cost(a, x, y, b, &match),
                               .weight = deviation + FLAT_WEIGHT};
            insert_cost(costs, n++, cost);
        }
    return middle_mean(costs, n);
}

double vfi_scene_score(const VfiSceneSignature *a, const VfiSceneSignature *b)
{
    Side side_a, side_b;

    if (a->width != b->width || a->height != b->height)
        return 1;
    vfi_scene_load_pictures(&side_a.picture, a, &side_b.picture, b);
    measure_blocks(&side_a.source, &side_a.picture);
    measure_blocks(&side_b.source, &side_b.picture);

    /* Shared tones make chance matches likelier: blocks can bear that, a shift cannot. */
    const Shift shift = find_shift(&side_a.picture, &side_b.picture);
    vfi_scene_share_tones(&side_a.picture, &side_b.picture);
    measure_blocks(&side_a.blocks, &side_a.picture);
    measure_blocks(&side_b.blocks, &side_b.picture);
    memcpy(side_a.blocks.structure, side_a.source.structure,
           sizeof side_a.source.structure);
    memcpy(side_b.blocks.structure, side_b.source.structure,
           sizeof side_b.source.structure);

    const Shift back = {-shift.x, -shift.y};
    return (missing_structure(&side_a, &side_b, shift) +
            missing_structure(&side_b, &side_a, back)) /
           2;
}
