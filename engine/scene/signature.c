/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's luma, averaged over at most 64×64 cells. */
#include "scene/signature.h"

#include <string.h>

#include "pixels/colour.h"
#include "pixels/samples.h"
#include "scene/luma.h"

/* Rows of a cell that are looked at: more add nothing to an average this coarse. */
#define ROWS_PER_CELL 8

/* Columns that are worked on at once, at least those of the widest cell: where a picture
 * of 16384 lines has one column of cells, 384. */
#define COLUMNS 512

/* Samples of a packed pixel. */
#define SAMPLES_MAX 4

/* Sums down the columns of a plane, sample by sample. Down comes first because whole rows
 * make long loops. */
typedef union {
    uint16_t u8[COLUMNS * SAMPLES_MAX]; /* of ROWS_PER_CELL samples of 8 bits */
    uint32_t u16[COLUMNS * SAMPLES_MAX];
    float f32[COLUMNS * SAMPLES_MAX];
} Sums;

/* A row of cells: rows [begin, end) of the frame. */
typedef struct {
    const VfiVideoInfo *info;
    const VfiFormatDescription *format;
    const VfiFrame *frame;
    int begin, end;
    int n_cells;
} CellRow;

static int first_column(const CellRow *row, int cell)
{
    return cell * row->info->width / row->n_cells;
}

static int count_rows(const CellRow *row)
{
    const int rows = row->end - row->begin;

    return rows < ROWS_PER_CELL ? rows : ROWS_PER_CELL;
}

static void add_u8(uint16_t *restrict sums, const uint8_t *restrict in, int n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(sums[i] + in[i]);
}

static void add_u16(uint32_t *restrict sums, const uint16_t *restrict in, int n,
                    int shift)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] += (uint32_t)in[i] >> shift;
}

static void add_f32(float *restrict sums, const float *restrict in, int n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sums[i] += in[i];
}

/* Sums of the plane of @component from column @left to @right. */
static void sum_down(const CellRow *row, const VfiComponent *component, int left,
                     int right, Sums *sums)
{
    const VfiFormatDescription *format = row->format;
    const int n = (right - left) * component->pixel_stride / format->sample_bytes;
    const size_t sum_bytes = format->sample_bytes == 1 ? 2 : 4;
    const int rows = count_rows(row);

    memset(sums, 0, (size_t)n * sum_bytes);
    for (int i = 0; i < rows; i++) {
        const int y = row->begin + i * (row->end - row->begin) / rows;
        const uint8_t *in =
            vfi_sample_at(row->frame, component, left, y) - component->offset;

        if (format->sample_bytes == 4)
            add_f32(sums->f32, (const float *)(const void *)in, n);
        else if (format->sample_bytes == 2)
            add_u16(sums->u16, (const uint16_t *)(const void *)in, n, format->shift);
        else
            add_u8(sums->u8, in, n);
    }
}

VFI_ALWAYS_INLINE uint32_t sum_u8(const uint16_t *in, int n, int step)
{
    uint32_t sum = 0;

    for (ptrdiff_t i = 0; i < n; i++)
        sum += in[i * step];
    return sum;
}

VFI_ALWAYS_INLINE uint32_t sum_u16(const uint32_t *in, int n, int step)
{
    uint32_t sum = 0; /* at most 2^12 samples of 16 bits */

    for (ptrdiff_t i = 0; i < n; i++)
        sum += in[i * step];
    return sum;
}

static float sum_f32(const float *in, int n)
{
    float sum = 0;

    for (ptrdiff_t i = 0; i < n; i++)
        sum += in[i];
    return sum;
}

/* Sum of the codes of @component in @n columns from the @at-th of @sums on. */
static float sum_across(const Sums *sums, int at, int n,
                        const VfiFormatDescription *format, const VfiComponent *component)
{
    const int step = component->pixel_stride / format->sample_bytes;
    const int first = at * step + component->offset / format->sample_bytes;

    if (format->sample_bytes == 4)
        return sum_f32(sums->f32 + first, n); /* a plane each */
    if (format->sample_bytes == 2)
        return (float)(step == 1 ? sum_u16(sums->u16 + first, n, 1)
                                 : sum_u16(sums->u16 + first, n, step));
    return (float)(step == 1 ? sum_u8(sums->u8 + first, n, 1)
                             : sum_u8(sums->u8 + first, n, step));
}

/* Weighted mean codes of cells [first, end) of a row become @cells. */
static void load_cells(const CellRow *row, const VfiLumaWeights *luma, int first, int end,
                       float *cells)
{
    const int begin = first_column(row, first), stop = first_column(row, end);
    int plane = -1;
    Sums sums;

    for (int i = 0; i < luma->n; i++) {
        const VfiComponent *component = &row->format->component[i];

        if (component->plane != plane)
            sum_down(row, component, begin, stop, &sums);
        plane = component->plane;
        for (int cell = first; cell < end; cell++) {
            const int left = first_column(row, cell), right = first_column(row, cell + 1);
            const float scale =
                luma->weight[i] / (float)(count_rows(row) * (right - left));
            const float sum =
                sum_across(&sums, left - begin, right - left, row->format, component);

            cells[cell] = (i == 0 ? 0 : cells[cell]) + scale * sum;
        }
    }
}

/* The same of all cells of a row, as many at once as there is room for. */
static void load_row(const CellRow *row, float *cells)
{
    const VfiLumaWeights luma = vfi_luma_weights(row->format);

    for (int first = 0, end; first < row->n_cells; first = end) {
        end = first + 1;
        while (end < row->n_cells &&
               first_column(row, end + 1) - first_column(row, first) <= COLUMNS)
            end++;
        load_cells(row, &luma, first, end, cells);
    }
}

static int cells_along(int size, int longer)
{
    const int limit = VFI_SCENE_SIGNATURE_SIZE;
    int cells = longer <= limit ? size : (size * limit + longer / 2) / longer;

    return cells > 1 ? cells : 1;
}

void vfi_scene_signature_size(const VfiVideoInfo *info, int *width, int *height)
{
    const int longer = info->width > info->height ? info->width : info->height;

    *width = cells_along(info->width, longer);
    *height = cells_along(info->height, longer);
}

void vfi_scene_signature(const VfiVideoInfo *info, const VfiFrame *frame,
                         VfiSceneSignature *signature)
{
    VfiColour colour;

    vfi_colour_init(&colour, info);
    vfi_scene_signature_size(info, &signature->width, &signature->height);
    for (int y = 0; y < signature->height; y++) {
        const CellRow row = {.info = info,
                             .format = vfi_format_describe(info->format),
                             .frame = frame,
                             .begin = y * info->height / signature->height,
                             .end = (y + 1) * info->height / signature->height,
                             .n_cells = signature->width};
        float *cells = signature->luma[y];

        load_row(&row, cells);
        for (int x = 0; x < signature->width; x++) {
            float level = (cells[x] - colour.offset[0]) * colour.to_rgb[0][0];
            cells[x] = 255.0f * vfi_clamp(level, 1.0f);
        }
    }
}
