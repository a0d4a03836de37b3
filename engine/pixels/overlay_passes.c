/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passes over pixels that find overlays, in codes of 8 bits. */
#include "pixels/level.h"

#include "pixels/overlay.h"
#include "pixels/samples.h"

#define CELL VFI_OVERLAY_CELL

/* Pixels that differ by no more than this are the same; by no less than this they would
 * contradict, had they moved; by no less than that they have changed. Neighbours that
 * differ by EDGE have a border between them. */
#define SAME 4
#define CONTRADICTS 24
#define CHANGED 12
#define EDGE 24

/* What a pixel says. */
#define MARK_SAME 1
#define MARK_SEED 2 /* the same, and it would contradict */

/* An overlay needs so many seeds in 3 × 3 cells, and of the borders there this part (in
 * 1/16) has to be outlines; less of them beside cells of the first kind. */
#define LEAST_SEEDS 12
#define OUTLINES_16 8
#define FEWER_OUTLINES_16 4

/* From a seed to what belongs to it are so many pixels: letters grow with pictures. */
#define MOST_GROWTH 16

static int growth_of(const VfiOverlayFinder *finder)
{
    const int growth = finder->block / 4;

    return growth < MOST_GROWTH ? growth : MOST_GROWTH;
}

/* ---- luma -------------------------------------------------------------------------- */

static void load_block(const VfiFormatDescription *format, const VfiFrame *frame, int x,
                       int y, int n, uint8_t *out)
{
    const VfiLumaWeights luma = vfi_luma_weights(format);
    const float most =
        format->sample_bytes == 4 ? 1.0f : (float)((1u << (format->depth & 31)) - 1);
    float codes[VFI_PIXELS_BLOCK], sum[VFI_PIXELS_BLOCK];

    for (int c = 0; c < luma.n; c++) {
        const VfiComponent *component = &format->component[c];
        const float scale = luma.weight[c] * 255.0f / most;
        vfi_load_codes(codes, vfi_sample_at(frame, component, x, y), n, format,
                       component);
        for (int i = 0; i < n; i++)
            sum[i] = (c == 0 ? 0.0f : sum[i]) + scale * codes[i];
    }
    vfi_store_u8(out, sum, n, 1, 255.0f);
}

/* A row of luma, with its first pixel once more before it, which is the last byte of the
 * row above, and its last one repeated up to where the next row's begins. */
static void load_row(const VfiOverlayFinder *finder, const VfiVideoInfo *info,
                     const VfiFrame *frame, int y, uint8_t *out)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *first = &format->component[0];
    const int width = info->width;

    if (format->sample_bytes == 1 && first->pixel_stride == 1 &&
        format->colour != VFI_FAMILY_RGB)
        memcpy(out, vfi_sample_at(frame, first, 0, y), (size_t)width);
    else
        for (int x = 0; x < width; x += VFI_PIXELS_BLOCK)
            load_block(format, frame, x, y,
                       width - x < VFI_PIXELS_BLOCK ? width - x : VFI_PIXELS_BLOCK,
                       out + x);
    memset(out + width, out[width - 1], finder->row - 1 - (size_t)width);
    out[-1] = out[0];
}

/* ---- votes ------------------------------------------------------------------------- */

VFI_ALWAYS_INLINE uint8_t difference(uint8_t a, uint8_t b)
{
    return (uint8_t)(a > b ? a - b : b - a);
}

/* Rows of luma that a cell's pixels are judged by: at their place in both frames, the row
 * above and below that, and where they would have moved to and have come from. */
typedef struct {
    const uint8_t *here[2], *above[2], *below[2];
    const uint8_t *ahead, *behind; /* of frame 1, of frame 0 */
} Rows;

/* A neighbour of a pixel, in both frames. */
typedef struct {
    uint8_t changed; /* it has */
    uint8_t edge;    /* the pixel differs from it in both frames, to the same side */
} Neighbour;

VFI_ALWAYS_INLINE Neighbour neighbour(uint8_t a, uint8_t b, uint8_t beside_a,
                                      uint8_t beside_b)
{
    const int d0 = a - beside_a, d1 = b - beside_b;

    return (Neighbour){.changed = difference(beside_a, beside_b) >= CHANGED,
                       .edge = ((d0 >= EDGE) & (d1 >= EDGE)) |
                               ((d0 <= -EDGE) & (d1 <= -EDGE))};
}

/* What a cell's pixels say, by column. */
typedef struct {
    uint8_t seeds[CELL], borders[CELL], outlines[CELL];
} Votes;

/* What each pixel of a row says. One that belongs to an overlay is the same in both
 * frames, had it moved it would contradict, and it stands out from a neighbour in both
 * frames: it is a seed. Beside what changes it is a border, which is an outline if it
 * stands out from that, too: what is seen between things that pass in front of it does so
 * in one frame only. */
VFI_ALWAYS_INLINE void vote_row(const Rows *rows, uint8_t *restrict marks, Votes *votes)
{
    const uint8_t *a = rows->here[0], *b = rows->here[1];

    for (int i = 0; i < CELL; i++) {
        const uint8_t same = difference(a[i], b[i]) <= SAME;
        const uint8_t forth = difference(a[i], rows->ahead[i]) >= CONTRADICTS;
        const uint8_t back = difference(b[i], rows->behind[i]) >= CONTRADICTS;
        const uint8_t contradicts = forth | back;
        const Neighbour l = neighbour(a[i], b[i], a[i - 1], b[i - 1]);
        const Neighbour r = neighbour(a[i], b[i], a[i + 1], b[i + 1]);
        const Neighbour u = neighbour(a[i], b[i], rows->above[0][i], rows->above[1][i]);
        const Neighbour d = neighbour(a[i], b[i], rows->below[0][i], rows->below[1][i]);
        const uint8_t seed = same & contradicts & (l.edge | r.edge | u.edge | d.edge);
        const uint8_t border =
            same & contradicts & (l.changed | r.changed | u.changed | d.changed);
        const uint8_t outline = same & contradicts &
                                ((l.changed & l.edge) | (r.changed & r.edge) |
                                 (u.changed & u.edge) | (d.changed & d.edge));
        marks[i] = (uint8_t)(same * MARK_SAME + seed * MARK_SEED);
        votes->seeds[i] = (uint8_t)(votes->seeds[i] + seed);
        votes->borders[i] = (uint8_t)(votes->borders[i] + border);
        votes->outlines[i] = (uint8_t)(votes->outlines[i] + outline);
    }
}

/* @at moved by @by as far as a cell stays in [0, size). */
static int moved(int at, int by, int size)
{
    const int last = size - CELL > 0 ? size - CELL : 0, to = at + by;

    return to < 0 ? 0 : to > last ? last : to;
}

static int distance(int a, int b)
{
    return a > b ? a - b : b - a;
}

/* Where a cell's pixels would lie in the other frame. */
typedef struct {
    int x, y;
    bool is_outside; /* that is not in the picture */
} Place;

static Place place_of(const VfiOverlayFinder *finder, int x, int y, int by_x, int by_y)
{
    const Place place = {.x = moved(x, by_x, finder->cells_x * CELL),
                         .y = moved(y, by_y, finder->cells_y * CELL)};
    const int far =
        distance(by_x, 0) > distance(by_y, 0) ? distance(by_x, 0) : distance(by_y, 0);
    const int lost_x = distance(x + by_x, place.x), lost_y = distance(y + by_y, place.y);

    return (Place){place.x, place.y, 2 * (lost_x > lost_y ? lost_x : lost_y) > far};
}

/* What lies there in @luma, @j rows below; where that is outside, @own, which
 * does not contradict. */
static const uint8_t *row_at(const VfiOverlayFinder *finder, const uint8_t *luma,
                             const Place *place, int j, const uint8_t *own)
{
    if (place->is_outside)
        return own;
    return luma + (size_t)(place->y + j) * finder->row + (size_t)place->x;
}

static int sum_of(const uint8_t *columns)
{
    int sum = 0;

    for (int i = 0; i < CELL; i++)
        sum += columns[i];
    return sum;
}

static void vote_cell(const VfiOverlayFinder *finder, const VfiOverlayBlock *block,
                      int cell_x, int cell_y)
{
    const size_t cell = (size_t)cell_y * (size_t)finder->cells_x + (size_t)cell_x;
    const int x = cell_x * CELL, y = cell_y * CELL;
    const int by_x = block->vector[0], by_y = block->vector[1];
    const Place ahead = place_of(finder, x, y, by_x, by_y);
    const Place behind = place_of(finder, x, y, -by_x, -by_y);
    const size_t row = finder->row, height = (size_t)finder->cells_y * CELL;
    Votes votes = {{0}, {0}, {0}};
    Rows rows;

    for (int j = 0; j < CELL; j++) {
        const size_t at = (size_t)(y + j) * row + (size_t)x;
        for (int f = 0; f < 2; f++) {
            rows.here[f] = finder->luma[f] + at;
            rows.above[f] = rows.here[f] - (y + j > 0 ? row : 0);
            rows.below[f] = rows.here[f] + ((size_t)(y + j) + 1 < height ? row : 0);
        }
        rows.ahead = row_at(finder, finder->luma[1], &ahead, j, rows.here[0]);
        rows.behind = row_at(finder, finder->luma[0], &behind, j, rows.here[1]);
        vote_row(&rows, finder->kept + at, &votes);
    }
    finder->seeds[cell] = (uint8_t)sum_of(votes.seeds);
    finder->borders[cell] = (uint8_t)sum_of(votes.borders);
    finder->outlines[cell] = (uint8_t)sum_of(votes.outlines);
}

static void clear_cell(const VfiOverlayFinder *finder, int cell_x, int cell_y)
{
    for (int j = 0; j < CELL; j++)
        memset(finder->kept + (size_t)(cell_y * CELL + j) * finder->row +
                   (size_t)(cell_x * CELL),
               0, CELL);
}

static void vote_cells(const VfiOverlayFinder *finder, int cell_y)
{
    const int block_y = cell_y * CELL / finder->block;
    const size_t cells = (size_t)cell_y * (size_t)finder->cells_x;

    memset(finder->seeds + cells, 0, (size_t)finder->cells_x);
    memset(finder->borders + cells, 0, (size_t)finder->cells_x);
    memset(finder->outlines + cells, 0, (size_t)finder->cells_x);
    for (int cell_x = 0; cell_x < finder->cells_x; cell_x++) {
        const VfiOverlayBlock *block =
            &finder->blocks[block_y * finder->blocks_x + cell_x * CELL / finder->block];
        if (block->is_candidate)
            vote_cell(finder, block, cell_x, cell_y);
        else
            clear_cell(finder, cell_x, cell_y);
    }
}

/* ---- verdicts ---------------------------------------------------------------------- */

/* How sure it is that cell (@x, @y) has an overlay, by what it and its neighbours say. */
static uint8_t verdict_on(const VfiOverlayFinder *finder, int x, int y)
{
    int seeds = 0, borders = 0, outlines = 0;

    for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < finder->cells_y; j++)
        for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < finder->cells_x; i++) {
            const int at = j * finder->cells_x + i;
            seeds += finder->seeds[at];
            borders += finder->borders[at];
            outlines += finder->outlines[at];
        }
    if (seeds < LEAST_SEEDS || 16 * outlines < FEWER_OUTLINES_16 * borders)
        return VFI_OVERLAY_NONE;
    return 16 * outlines >= OUTLINES_16 * borders ? VFI_OVERLAY_SURE : VFI_OVERLAY_LIKELY;
}

static void judge_cells(const VfiOverlayFinder *finder, int cell_y)
{
    uint8_t *verdicts = finder->verdicts + (size_t)cell_y * (size_t)finder->cells_x;

    for (int x = 0; x < finder->cells_x; x++)
        verdicts[x] = verdict_on(finder, x, cell_y);
}

/* ---- growing ----------------------------------------------------------------------- */

/* 255 in each of row @cell_y's cells that has an overlay. False: none has. */
static bool overlay_cells(const VfiOverlayFinder *finder, int cell_y, uint8_t *cells)
{
    bool any = false;

    for (int x = 0; x < finder->cells_x; x++) {
        const bool is = finder->verdicts[cell_y * finder->cells_x + x] == VFI_OVERLAY_YES;
        cells[x] = is ? 255 : 0;
        any = any || is;
    }
    return any;
}

static void or_seeds(uint8_t *restrict seeds, const uint8_t *restrict marks, int n)
{
    for (int i = 0; i < n; i++)
        seeds[i] |= marks[i] & MARK_SEED;
}

/* Cells of the rows around the one at work: more than any seed grows. */
#define AROUND (MOST_GROWTH / CELL)

typedef struct {
    uint8_t cells[2 * AROUND + 1][VFI_MAX_DIMENSION / CELL];
    bool any[2 * AROUND + 1];
} Cells;

/* Seeds of the rows within @growth of row @y, one over the other. */
static void gather_seeds(const VfiOverlayFinder *finder, const Cells *around, int y,
                         int growth, uint8_t *seeds)
{
    memset(seeds, 0, (size_t)finder->cells_x * CELL);
    for (int row = y - growth; row <= y + growth; row++) {
        if (row < 0 || row >= finder->cells_y * CELL)
            continue;
        const int k = row / CELL - y / CELL + AROUND;
        if (!around->any[k])
            continue;
        for (int x = 0; x < finder->cells_x; x++)
            if (around->cells[k][x] != 0)
                or_seeds(seeds + (ptrdiff_t)x * CELL,
                         finder->kept + (size_t)row * finder->row + (size_t)(x * CELL),
                         CELL);
    }
}

static void or_bytes(uint8_t *restrict out, const uint8_t *restrict in, int n)
{
    for (int i = 0; i < n; i++)
        out[i] |= in[i];
}

/* out = 1 where a pixel is the same in both frames and has a seed within @growth. */
static void grow_row(const uint8_t *seeds, const uint8_t *restrict marks, int n,
                     int growth, uint8_t *restrict out)
{
    memcpy(out, seeds, (size_t)n);
    for (int k = 1; k <= growth && k < n; k++) {
        or_bytes(out + k, seeds, n - k);
        or_bytes(out, seeds + k, n - k);
    }
    for (int i = 0; i < n; i++)
        out[i] = (out[i] >> 1) & marks[i] & MARK_SAME;
}
_Static_assert(MARK_SEED == 2 && MARK_SAME == 1, "what grow_row reads");

static void grow_cells(const VfiOverlayFinder *finder, int cell_y)
{
    uint8_t seeds[VFI_MAX_DIMENSION];
    const int width = finder->cells_x * CELL, growth = growth_of(finder);
    Cells around;
    bool any = false;

    memset(&around, 0, sizeof around);
    for (int k = 0; k < 2 * AROUND + 1; k++) {
        const int row = cell_y + k - AROUND;
        around.any[k] = row >= 0 && row < finder->cells_y &&
                        overlay_cells(finder, row, around.cells[k]);
        any = any || around.any[k];
    }
    finder->found[cell_y] = any;
    for (int y = cell_y * CELL; y < (cell_y + 1) * CELL; y++) {
        uint8_t *grown = finder->grown + (size_t)y * finder->row;
        memset(grown, 0, finder->row);
        if (!any)
            continue;
        gather_seeds(finder, &around, y, growth, seeds);
        grow_row(seeds, finder->kept + (size_t)y * finder->row, width, growth, grown);
    }
}

/* ---- softening --------------------------------------------------------------------- */

/* How much of a pixel is kept, by how many of 3 × 3 are, itself among them or not: single
 * ones are chance, edges are soft, small holes closed. */
static const uint8_t kept_of_kept[10] = {0, 0, 128, 255, 255, 255, 255, 255, 255, 255};
static const uint8_t kept_of_others[10] = {0, 0, 32, 96, 128, 160, 192, 224, 255, 255};

static void add_columns(const uint8_t *restrict above, const uint8_t *restrict row,
                        const uint8_t *restrict below, int n, uint8_t *restrict sum)
{
    for (int i = 0; i < n; i++)
        sum[i] = (uint8_t)(above[i] + row[i] + below[i]);
}

static void soften_row(const VfiOverlayFinder *finder, int y, uint8_t *out)
{
    const int width = finder->width, last = finder->height - 1;
    const uint8_t *row = finder->grown + (size_t)y * finder->row;
    const uint8_t *above = y > 0 ? row - finder->row : row;
    const uint8_t *below = y < last ? row + finder->row : row;
    uint8_t sum[VFI_MAX_DIMENSION + 2];

    add_columns(above, row, below, width, sum + 1);
    sum[0] = sum[1];
    sum[width + 1] = sum[width];
    for (int x = 0; x < width; x++) {
        const int n = sum[x] + sum[x + 1] + sum[x + 2];
        out[x] = n == 0 ? 0 : row[x] != 0 ? kept_of_kept[n] : kept_of_others[n];
    }
}

static void soften_cells(const VfiOverlayFinder *finder, int cell_y)
{
    const bool near = finder->found[cell_y] != 0 ||
                      (cell_y > 0 && finder->found[cell_y - 1] != 0) ||
                      (cell_y + 1 < finder->cells_y && finder->found[cell_y + 1] != 0);

    for (int y = cell_y * CELL; y < (cell_y + 1) * CELL && y < finder->height; y++) {
        uint8_t *out = finder->kept + (size_t)y * finder->row;
        if (near)
            soften_row(finder, y, out);
        else
            memset(out, 0, finder->row);
    }
}

/* ---- all --------------------------------------------------------------------------- */

/* Rows below the picture, which whole cells have, are its last one again. */
static void load_rows(const VfiOverlayFinder *finder, const VfiVideoInfo *info,
                      const VfiFrame *const *frames, int begin, int end)
{
    for (int f = 0; f < 2; f++)
        for (int y = begin; y < end; y++)
            load_row(finder, info, frames[f], y < finder->height ? y : finder->height - 1,
                     finder->luma[f] + (size_t)y * finder->row);
}

void VFI_PIXELS_AT_LEVEL(vfi_overlay_run)(const VfiOverlayFinder *finder,
                                          VfiOverlayPass pass, const VfiVideoInfo *info,
                                          const VfiFrame *frame0, const VfiFrame *frame1,
                                          int begin, int end)
{
    const VfiFrame *const frames[2] = {frame0, frame1};

    for (int cell_y = begin / CELL; cell_y * CELL < end; cell_y++)
        switch (pass) {
        case VFI_OVERLAY_LUMA:
            load_rows(finder, info, frames, cell_y * CELL, (cell_y + 1) * CELL);
            break;
        case VFI_OVERLAY_VOTE:
            vote_cells(finder, cell_y);
            break;
        case VFI_OVERLAY_JUDGE:
            judge_cells(finder, cell_y);
            break;
        case VFI_OVERLAY_GROW:
            grow_cells(finder, cell_y);
            break;
        case VFI_OVERLAY_SOFTEN:
            soften_cells(finder, cell_y);
            break;
        case VFI_OVERLAY_PASSES:
            break;
        }
}
