/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All blocks are searched at the same distances from their places, and they overlap. So
 * the products of both pictures are summed distance by distance, once for each piece of
 * the picture that lies in the same blocks, and a block's sum is that of its pieces. */
#include "scene/block_search.h"

#include <math.h>
#include <string.h>

#include "pixels/samples.h"

#define SIZE VFI_SCENE_SIGNATURE_SIZE
#define PADDING VFI_SCENE_PADDING
#define BLOCK VFI_SCENE_BLOCK
#define PLACES VFI_SCENE_PLACES
#define BLOCKS_MAX VFI_SCENE_BLOCKS_MAX

#define DISTANCES (2 * VFI_SCENE_SEARCH_X + 1)
#define LANES 12 /* ≥ DISTANCES, a multiple of what SIMD works on */

#define FLAT 1.0f      /* standard deviation below which a block shows nothing */
#define STRUCTURE 0.5f /* least share of a block's variance; with less it shows nothing */

/* ---- statistics -------------------------------------------------------------------- */

/* sums[x] = the sum of the @width values from x on, for @n of them. Values become sums of
 * twice as many again and again, of which the binary digits of @width say which to take:
 * fewer additions than values. */
static void sum_windows(float values[SIZE], int width, int n, float *restrict sums)
{
    int at = 0;

    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int part = 1; part <= width; part *= 2) {
        if ((width & part) != 0) {
            for (int x = 0; x < n; x++)
                sums[x] += values[x + at];
            at += part;
        }
        for (int x = 0; x + part < SIZE; x++)
            values[x] += values[x + part];
    }
}

/* Sums of values and of their squares over rows [y, y + height). */
static void sum_rows(const VfiScenePicture *picture, int y, int height, float sums[SIZE],
                     float squares[SIZE])
{
    memset(sums, 0, SIZE * sizeof *sums);
    memset(squares, 0, SIZE * sizeof *squares);
    for (int row = y; row < y + height; row++) {
        const float *in = &picture->luma[row][PADDING];

        for (int x = 0; x < SIZE; x++) {
            sums[x] += in[x];
            squares[x] += in[x] * in[x];
        }
    }
}

void vfi_scene_measure_blocks(VfiSceneBlocks *blocks, const VfiScenePicture *picture)
{
    blocks->width = picture->width < BLOCK ? picture->width : BLOCK;
    blocks->height = picture->height < BLOCK ? picture->height : BLOCK;
    blocks->last_x = picture->width - blocks->width;
    blocks->last_y = picture->height - blocks->height;

    const float cells = (float)(blocks->width * blocks->height);
    const float noise = picture->noise;
    for (int y = 0; y <= blocks->last_y; y++) {
        float sums[SIZE], squares[SIZE], sum[PLACES], square[PLACES];

        sum_rows(picture, y, blocks->height, sums, squares);
        sum_windows(sums, blocks->width, blocks->last_x + 1, sum);
        sum_windows(squares, blocks->width, blocks->last_x + 1, square);
        for (int x = 0; x <= blocks->last_x; x++) {
            const float mean = sum[x] / cells;
            const float variance = square[x] / cells - mean * mean;

            blocks->mean[y][x] = mean;
            blocks->deviation[y][x] = sqrtf(variance > 0 ? variance : 0);
            blocks->structure[y][x] = variance > noise ? 1 - noise / variance : 0;
        }
    }
}

bool vfi_scene_shows_nothing(const VfiSceneBlocks *blocks, int x, int y)
{
    return blocks->deviation[y][x] < FLAT || blocks->structure[y][x] < STRUCTURE;
}

/* ---- search ------------------------------------------------------------------------ */

/* Blocks along a side, and the pieces that their edges cut it into: piece p is
 * [edge[p], edge[p + 1]), block i is pieces [first[i], end[i]). */
typedef struct {
    int n;
    int first[BLOCKS_MAX], end[BLOCKS_MAX];
    int edge[2 * BLOCKS_MAX];
} Pieces;

/* Places of blocks along a side, the last of which begins at @last. Says how many. */
static int place_blocks(int last, int place[BLOCKS_MAX])
{
    const int steps = (last + VFI_SCENE_BLOCK_STEP - 1) / VFI_SCENE_BLOCK_STEP;

    for (int i = 0; i <= steps; i++)
        place[i] = steps > 0 ? i * last / steps : 0;
    return steps + 1;
}

static void cut_at_blocks(const int *place, int n, int block, Pieces *pieces)
{
    int i = 0, j = 0, n_edges = 0;

    while (j < n) {
        const bool begins = i < n && place[i] <= place[j] + block;
        const int at = begins ? place[i] : place[j] + block;

        if (n_edges == 0 || pieces->edge[n_edges - 1] != at)
            pieces->edge[n_edges++] = at;
        if (begins)
            pieces->first[i++] = n_edges - 1;
        else
            pieces->end[j++] = n_edges - 1;
    }
    pieces->n = n_edges - 1;
}

/* Sums of products over pieces [row][column], at each distance sideways. */
typedef struct {
    float at[2 * BLOCKS_MAX - 1][2 * BLOCKS_MAX - 1][LANES];
} Products;

VFI_ALWAYS_INLINE void add_products(float sums[LANES], float factor, const float *values)
{
    for (int i = 0; i < LANES; i++)
        sums[i] += factor * values[i];
}

VFI_ALWAYS_INLINE void correlate_columns(const float *a, const float *b, int width,
                                         int height, float *restrict products)
{
    const ptrdiff_t pitch = SIZE + 2 * PADDING;
    float sums[LANES] = {0};

    for (int y = 0; y < height; y++, a += pitch, b += pitch)
        for (int x = 0; x < width; x++)
            add_products(sums, a[x], b + x);
    memcpy(products, sums, sizeof sums);
}

/* products[i] = Σ a(x, y) · b(x + i, y) over the piece that begins at @a. The usual width
 * is a constant, so that compilers keep the sums in registers. */
static void correlate_piece(const float *a, const float *b, int width, int height,
                            float *restrict products)
{
    if (width == VFI_SCENE_BLOCK_STEP)
        correlate_columns(a, b, VFI_SCENE_BLOCK_STEP, height, products);
    else
        correlate_columns(a, b, width, height, products);
}

/* Of the pieces that lie in b when they have moved by @down and @left or more. Blocks
 * that have others lie outside. */
static void correlate(const VfiScenePicture *a, const VfiScenePicture *b,
                      const Pieces *rows, const Pieces *columns, int left, int down,
                      Products *products)
{
    for (int j = 0; j < rows->n; j++) {
        const int top = rows->edge[j], bottom = rows->edge[j + 1];

        if (top + down < 0 || bottom + down > b->height)
            continue;
        for (int i = 0; i < columns->n; i++) {
            const int x = PADDING + columns->edge[i];

            correlate_piece(&a->luma[top][x], &b->luma[top + down][x + left],
                            columns->edge[i + 1] - columns->edge[i], bottom - top,
                            products->at[j][i]);
        }
    }
}

/* The factor that makes a correlation of a covariance, but for the other block's part.
 * Noise has no part in the covariance. */
typedef struct {
    float at[PLACES][PLACES];
} Gains;

static float gain(float deviation, float structure)
{
    const float share = structure > STRUCTURE ? structure : STRUCTURE;

    return 1 / ((deviation > FLAT ? deviation : FLAT) * sqrtf(share));
}

static void measure_gains(Gains *gains, const VfiSceneBlocks *blocks)
{
    for (int y = 0; y <= blocks->last_y; y++)
        for (int x = 0; x <= blocks->last_x; x++)
            gains->at[y][x] = gain(blocks->deviation[y][x], blocks->structure[y][x]);
}

static void sum_pieces(const Products *products, const Pieces *rows,
                       const Pieces *columns, int i, int j, float sums[LANES])
{
    float sum[LANES] = {0};

    for (int row = rows->first[j]; row < rows->end[j]; row++)
        for (int column = columns->first[i]; column < columns->end[i]; column++)
            add_products(sum, 1, products->at[row][column]);
    memcpy(sums, sum, sizeof sum);
}

/* The search for a's blocks in b. */
typedef struct {
    const VfiSceneView *a, *b;
    Pieces rows, columns;
    Products products;
    Gains gains;
} Search;

/* The block of a at (@x, @y) may look like those of b from (@left, @top) to the right. */
static void improve_match(const Search *search, const float products[LANES], int x, int y,
                          int left, int top, VfiSceneMatch *match)
{
    const VfiSceneBlocks *a = search->a->blocks, *b = search->b->blocks;
    const float scale = 1 / (float)(b->width * b->height);
    const float mean = a->mean[y][x];
    const float own = gain(a->deviation[y][x], a->structure[y][x]);
    const int begin = left < 0 ? -left : 0;
    const int end = left + DISTANCES > b->last_x ? b->last_x + 1 - left : DISTANCES;

    for (int i = begin; i < end; i++) {
        const float covariance = products[i] * scale - mean * b->mean[top][left + i];
        const float correlation = covariance * search->gains.at[top][left + i] * own;

        if (correlation > match->correlation)
            *match = (VfiSceneMatch){.x = left + i, .y = top, .correlation = correlation};
    }
}

/* Looks for all blocks @down rows below their places, from @left on. */
static void search_row(Search *search, int left, int down, VfiSceneMatches *matches)
{
    const VfiSceneBlocks *blocks = search->a->blocks;

    correlate(search->a->picture, search->b->picture, &search->rows, &search->columns,
              left, down, &search->products);
    for (int j = 0; j < matches->n_y; j++)
        for (int i = 0; i < matches->n_x; i++) {
            const int x = matches->x[i], y = matches->y[j];
            float sums[LANES];

            if (y + down < 0 || y + down > blocks->last_y ||
                vfi_scene_shows_nothing(blocks, x, y))
                continue;
            sum_pieces(&search->products, &search->rows, &search->columns, i, j, sums);
            improve_match(search, sums, x, y, x + left, y + down, &matches->match[j][i]);
        }
}

static void begin_search(Search *search, const VfiSceneView *a, const VfiSceneView *b,
                         VfiSceneShift shift, VfiSceneMatches *matches)
{
    const VfiSceneBlocks *blocks = a->blocks;

    search->a = a;
    search->b = b;
    matches->n_x = place_blocks(blocks->last_x, matches->x);
    matches->n_y = place_blocks(blocks->last_y, matches->y);
    cut_at_blocks(matches->x, matches->n_x, blocks->width, &search->columns);
    cut_at_blocks(matches->y, matches->n_y, blocks->height, &search->rows);
    measure_gains(&search->gains, b->blocks);
    for (int j = 0; j < matches->n_y; j++)
        for (int i = 0; i < matches->n_x; i++)
            matches->match[j][i] =
                (VfiSceneMatch){.x = CLAMP(matches->x[i] + shift.x, 0, blocks->last_x),
                                .y = CLAMP(matches->y[j] + shift.y, 0, blocks->last_y)};
}

void vfi_scene_search(const VfiSceneView *a, const VfiSceneView *b, VfiSceneShift shift,
                      VfiSceneMatches *matches)
{
    const int reach = VFI_SCENE_SEARCH_Y;
    Search search;

    begin_search(&search, a, b, shift, matches);
    for (int down = shift.y - reach; down <= shift.y + reach; down++)
        search_row(&search, shift.x - VFI_SCENE_SEARCH_X, down, matches);
}
