/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well both frames agree with each hypothesis on the cells of a tile, and rows of
 * samples interpolated from cells. */
#include "pixels/motion_tile.h"

/* Cells around a tile that the box reaches, and columns of scratch. */
#define REACH (VFI_MOTION_MAX_RADIUS + 1)
#define SCRATCH_COLUMNS (VFI_TILE_COLUMNS + 2 * REACH)
#define SCRATCH_ROWS (VFI_TILE_ROWS + 2 * REACH)

/* Differences of one hypothesis on a tile and around it. */
typedef float Differences[SCRATCH_ROWS][SCRATCH_COLUMNS];

/* A rectangle of cells of the grid. */
typedef struct {
    int x, y, x_end, y_end;
} Cells;

static int clamp_cell(int at, int size)
{
    return at < 0 ? 0 : at < size ? at : size - 1;
}

static Cells grow(const VfiMotion *motion, Cells cells, int by)
{
    cells.x = cells.x > by ? cells.x - by : 0;
    cells.y = cells.y > by ? cells.y - by : 0;
    cells.x_end += by;
    cells.y_end += by;
    cells.x_end = cells.x_end < motion->grid_w ? cells.x_end : motion->grid_w;
    cells.y_end = cells.y_end < motion->grid_h ? cells.y_end : motion->grid_h;
    return cells;
}

/* A shift in whole cells, halves away from zero. */
static int cells_of_shift(int shift, int level)
{
    const int half = (1 << level) / 2;

    return shift < 0 ? -((half - shift) >> level) : (half + shift) >> level;
}

/* Which field a hypothesis reads, and how far from a cell. */
typedef struct {
    const float *x, *y;
    int shift_x, shift_y;
} Field;

static Field field_of(const VfiMotion *motion, int hypothesis)
{
    if (hypothesis < motion->n_flows)
        return (Field){.x = motion->flow[hypothesis][0],
                       .y = motion->flow[hypothesis][1]};
    const int8_t *shift = motion->shift[hypothesis - motion->n_flows];
    return (Field){.x = motion->flow[0][0],
                   .y = motion->flow[0][1],
                   .shift_x = cells_of_shift(shift[0], motion->level),
                   .shift_y = cells_of_shift(shift[1], motion->level)};
}

/* out = @n cells of row @y from column @x on of a plane of the field, shifted in the
 * grid. Beyond the grid are its edges, shifted as they are. */
static void load_cells(const VfiMotion *motion, const Field *field, const float *plane,
                       int x, int y, int n, float *restrict out)
{
    const int line =
        clamp_cell(clamp_cell(y, motion->grid_h) + field->shift_y, motion->grid_h);
    const float *row = plane + (size_t)line * motion->row;
    const int begin = x < 0 ? -x : 0;
    const int end = x + n < motion->grid_w ? n : motion->grid_w - x;

    for (int i = begin; i < end; i++)
        out[i] = row[clamp_cell(x + i + field->shift_x, motion->grid_w)];
    for (int i = 0; i < begin; i++)
        out[i] = out[begin];
    for (int i = end; i < n; i++)
        out[i] = out[end - 1];
}

/* Bilinear sample of luma on the grid. The column and the row after the last are the
 * border's. */
VFI_ALWAYS_INLINE float luma_at(const float *picture, ptrdiff_t row, float x, float y,
                                float last_x, float last_y)
{
    const float column = vfi_clamp(x, last_x), line = vfi_clamp(y, last_y);
    const int left = (int)column, top = (int)line;
    const float part_x = column - (float)left, part_y = line - (float)top;
    const float *at = picture + top * row + left;
    const float upper = at[0] + (at[1] - at[0]) * part_x;
    const float lower = at[row] + (at[row + 1] - at[row]) * part_x;

    return upper + (lower - upper) * part_y;
}

/* NaN, which a frame of floats may hold, counts as the largest difference. */
VFI_ALWAYS_INLINE float difference(float a, float b)
{
    const float distance = a < b ? b - a : a - b;

    return distance < 255.0f ? distance : 255.0f;
}

static void differences_of_row(const VfiMotion *motion, int x, int y, int n,
                               const float *vector_x, const float *vector_y, float *out)
{
    const float cells = 1.0f / (float)(1 << motion->level);
    const float back = -motion->t * cells, ahead = (1.0f - motion->t) * cells;
    const float last_x = (float)(motion->grid_w - 1),
                last_y = (float)(motion->grid_h - 1);
    const ptrdiff_t row = (ptrdiff_t)motion->picture_row;

    for (int i = 0; i < n; i++) {
        const float column = (float)(x + i), line = (float)y;
        const float a = luma_at(motion->picture[0], row, column + back * vector_x[i],
                                line + back * vector_y[i], last_x, last_y);
        const float b = luma_at(motion->picture[1], row, column + ahead * vector_x[i],
                                line + ahead * vector_y[i], last_x, last_y);
        out[i] = difference(a, b);
    }
}

static void differences(const VfiMotion *motion, int hypothesis, Cells cells,
                        Differences out)
{
    float x[SCRATCH_COLUMNS] = {0}, y[SCRATCH_COLUMNS] = {0};
    const int n = cells.x_end - cells.x;
    const bool moves = hypothesis < vfi_motion_hypotheses(motion);
    const Field field = field_of(motion, moves ? hypothesis : 0);

    for (int line = cells.y; line < cells.y_end; line++) {
        if (moves) {
            load_cells(motion, &field, field.x, cells.x, line, n, x);
            load_cells(motion, &field, field.y, cells.x, line, n, y);
        }
        differences_of_row(motion, cells.x, line, n, x, y, out[line - cells.y]);
    }
}

/* out = sums of in over 2 radius + 1 columns around @n cells from @x on; in[0] is cell
 * @in_x. The cells beyond the grid are its edge. */
static void sum_columns(const VfiMotion *motion, const float *in, int in_x, int x, int n,
                        float *out)
{
    float padded[SCRATCH_COLUMNS];
    const int radius = motion->radius;

    for (int i = 0; i < n + 2 * radius; i++)
        padded[i] = in[clamp_cell(x - radius + i, motion->grid_w) - in_x];
    for (int i = 0; i < n; i++) {
        float sum = padded[i];
        for (int k = 1; k <= 2 * radius; k++)
            sum += padded[i + k];
        out[i] = sum;
    }
}

/* out = weights of @n cells of row @y, from the sums of the rows around it. */
static void weigh_row(const VfiMotion *motion, Differences sums, int sums_y, int y, int n,
                      float factor, float *restrict out)
{
    const int side = 2 * motion->radius + 1;
    const float mean = 1.0f / (float)(side * side);
    float sum[VFI_TILE_COLUMNS + 2] = {0};

    for (int k = -motion->radius; k <= motion->radius; k++) {
        const float *row = sums[clamp_cell(y + k, motion->grid_h) - sums_y];
        for (int i = 0; i < n; i++)
            sum[i] += row[i];
    }
    for (int i = 0; i < n; i++) {
        const float e = sum[i] * mean + 4.0f;
        out[i] = factor / (e * e);
    }
}

/* Repeats the edges of the cells that are in the grid around them. */
static void repeat_edges(VfiMotionTile *tile, int hypothesis, Cells inside)
{
    const int left = inside.x - tile->x, right = inside.x_end - 1 - tile->x;
    const int top = inside.y - tile->y, bottom = inside.y_end - 1 - tile->y;

    for (int y = top; y <= bottom; y++) {
        float *row = tile->weight[hypothesis][y];
        for (int i = 0; i < left; i++)
            row[i] = row[left];
        for (int i = right + 1; i < tile->columns; i++)
            row[i] = row[right];
    }
    for (int y = 0; y < tile->rows; y++)
        if (y < top || y > bottom)
            memcpy(tile->weight[hypothesis][y],
                   tile->weight[hypothesis][y < top ? top : bottom],
                   sizeof tile->weight[0][0]);
}

static void weigh(VfiMotionTile *tile, int hypothesis, Cells inside)
{
    const VfiMotion *motion = tile->motion;
    const bool moves = hypothesis < vfi_motion_hypotheses(motion);
    const float factor = moves ? 1.0f : motion->prior;
    const Cells around = grow(motion, inside, motion->radius);
    const int n = inside.x_end - inside.x;
    Differences scratch;

    differences(motion, hypothesis, around, scratch);
    for (int y = around.y; y < around.y_end; y++)
        sum_columns(motion, scratch[y - around.y], around.x, inside.x, n,
                    scratch[y - around.y]);
    for (int y = inside.y; y < inside.y_end; y++)
        weigh_row(motion, scratch, around.y, y, n, factor,
                  tile->weight[hypothesis][y - tile->y] + (inside.x - tile->x));
    repeat_edges(tile, hypothesis, inside);
}

void vfi_motion_weigh(const VfiMotion *motion, int x, int y, int x_end, int y_end,
                      VfiMotionTile *tile)
{
    const int level = motion->level;
    const Cells own = {x >> level, y >> level, ((x_end - 1) >> level) + 1,
                       ((y_end - 1) >> level) + 1};
    const Cells inside = grow(motion, own, 1);

    tile->motion = motion;
    tile->x = own.x - 1;
    tile->y = own.y - 1;
    tile->columns = own.x_end + 1 - tile->x;
    tile->rows = own.y_end + 1 - tile->y;
    for (int n = 0; n <= vfi_motion_hypotheses(motion); n++)
        weigh(tile, n, inside);
}

/* out = the @n cells from column @x of the tile on, between two rows. */
static void mix_rows(const float *above, const float *below, float part, int n,
                     float *out)
{
    for (int i = 0; i < n; i++)
        out[i] = above[i] + (below[i] - above[i]) * part;
}

/* out = the samples at @places between cells, the first of which is @x of the grid. */
static void mix_columns(const float *restrict cells, int x, const VfiMotionPlaces *places,
                        float *restrict out)
{
    const int first = places->first - 8 * x;

    for (int i = 0; i < places->n; i++) {
        const int at = first + i * places->step, left = at / 8;
        const float part = (float)(at % 8) * 0.125f;
        out[i] = cells[left] + (cells[left + 1] - cells[left]) * part;
    }
}

void vfi_motion_weights(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *weight)
{
    const int y = places->y - 8 * tile->y;
    const float(*rows)[VFI_TILE_COLUMNS + 2] = tile->weight[hypothesis];
    float cells[VFI_TILE_COLUMNS + 2];

    mix_rows(rows[y / 8], rows[y / 8 + 1], (float)(y % 8) * 0.125f, tile->columns, cells);
    mix_columns(cells, tile->x, places, weight);
}

static void field_row(const VfiMotionTile *tile, const Field *field, const float *plane,
                      const VfiMotionPlaces *places, float *out)
{
    const int y = places->y - 8 * tile->y, line = tile->y + y / 8;
    float cells[VFI_TILE_COLUMNS + 2], below[VFI_TILE_COLUMNS + 2];

    load_cells(tile->motion, field, plane, tile->x, line, tile->columns, cells);
    if (y % 8 != 0) {
        load_cells(tile->motion, field, plane, tile->x, line + 1, tile->columns, below);
        mix_rows(cells, below, (float)(y % 8) * 0.125f, tile->columns, cells);
    }
    mix_columns(cells, tile->x, places, out);
}

void vfi_motion_vectors(const VfiMotionTile *tile, int hypothesis,
                        const VfiMotionPlaces *places, float *x, float *y)
{
    const Field field = field_of(tile->motion, hypothesis);

    field_row(tile, &field, field.x, places, x);
    field_row(tile, &field, field.y, places, y);
}
