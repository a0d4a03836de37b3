/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's luma in a few cells, and the comparison of two frames block by block:
 * scene_signature.c on the device. */
#include <math.h>

#include "frame_kernels.h"
#include "samples.cuh"

extern "C" {
#include "scene.h"
}

/* Rows of a cell that are looked at, as in scene_signature.c. */
#define ROWS_PER_CELL 8

/* Side of the blocks in which a repeated frame must not differ. */
#define REPEAT_BLOCK 16

/* Threads that share a cell: a warp. */
#define LANES 32

/* Luma components of a format, what is common to both kernels. */
struct LumaParameters {
    FormatParameters format;
    VfiLumaWeights luma;
};

/* ---- cells ----------------------------------------------------------------------------------- */

struct CellsParameters {
    LumaParameters source;
    FrameSamples frame;
    float offset, scale; /* of luma's codes */
    int width, height;   /* cells */
    float *cells;
};

/* The frame's columns and rows of a cell. */
struct Cell {
    int left, right, top, bottom;
    int rows; /* that are looked at */
};

static __device__ __forceinline__ Cell cell_at(const CellsParameters *p, int x, int y)
{
    const FormatParameters *format = &p->source.format;
    Cell cell;

    cell.left = x * format->width / p->width;
    cell.right = (x + 1) * format->width / p->width;
    cell.top = y * format->height / p->height;
    cell.bottom = (y + 1) * format->height / p->height;
    cell.rows = at_most(cell.bottom - cell.top, ROWS_PER_CELL);
    return cell;
}

/* One lane's weighted part of the sum over a cell: every 32nd column. */
template <int BYTES>
static __device__ __forceinline__ float sum_of_lane(const CellsParameters *p,
                                                    const Cell *cell, int lane)
{
    float sum = 0;

    for (int c = 0; c < p->source.luma.n; c++) {
        const Samples *samples = &p->frame.component[c];
        float codes = 0; /* up to 2^17 of them: whole numbers stay exact */

        for (int row = 0; row < cell->rows; row++) {
            const int y = cell->top + row * (cell->bottom - cell->top) / cell->rows;

            for (int x = cell->left + lane; x < cell->right; x += LANES)
                codes += load_code<BYTES>(sample_at(samples, x, y), p->source.format.shift);
        }
        sum += p->source.luma.weight[c] * codes;
    }
    return sum;
}

static __device__ __forceinline__ void store_cell(const CellsParameters *p,
                                                  const Cell *cell, float sum, int x, int y)
{
    const float mean = sum / (float)(cell->rows * (cell->right - cell->left));

    p->cells[(size_t)y * (size_t)p->width + (size_t)x] =
        255.0f * clamp_code((mean - p->offset) * p->scale, 1.0f);
}

/* A warp has one cell; without warps, one of its threads does the others' work. */
template <int BYTES> static __global__ void scene_cells(CellsParameters p)
{
    const int lane = (int)threadIdx.x;
    const int x = (int)(blockIdx.x * blockDim.y + threadIdx.y), y = (int)blockIdx.y;
    const Cell cell = cell_at(&p, x, y);
    float sum;

    if (x >= p.width)
        return;
#ifdef __CUDACC__
    sum = sum_of_lane<BYTES>(&p, &cell, lane);
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        sum += __shfl_down_sync(0xFFFFFFFFu, sum, (unsigned)distance);
#else
    sum = 0;
    for (int i = 0; lane == 0 && i < LANES; i++)
        sum += sum_of_lane<BYTES>(&p, &cell, i);
#endif
    if (lane == 0)
        store_cell(&p, &cell, sum, x, y);
}

cudaError_t vfi_cuda_scene_cells(cudaStream_t stream, const VfiVideoInfo *info,
                                 const VfiFrame *frame, int width, int height,
                                 float *cells)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const dim3 block(LANES, BLOCK_Y);
    const dim3 grid((unsigned)((width + BLOCK_Y - 1) / BLOCK_Y), (unsigned)height);
    CellsParameters p = {};
    VfiColour colour;

    p.source.format = format_parameters(info);
    p.source.luma = vfi_luma_weights(format);
    p.frame = frame_samples(info, frame, &p.source.format);
    vfi_colour_init(&colour, info);
    p.offset = colour.offset[0];
    p.scale = colour.to_rgb[0][0];
    p.width = width;
    p.height = height;
    p.cells = cells;
    if (format->sample_bytes == 1)
        VFI_LAUNCH(scene_cells<1>, grid, block, stream, p);
    else if (format->sample_bytes == 2)
        VFI_LAUNCH(scene_cells<2>, grid, block, stream, p);
    else
        VFI_LAUNCH(scene_cells<4>, grid, block, stream, p);
    return cudaGetLastError();
}

/* ---- blocks ---------------------------------------------------------------------------------- */

struct BlocksParameters {
    LumaParameters source;
    FrameSamples a, b;
    double limit; /* codes, mean of a block */
    unsigned *different;
};

template <int BYTES>
static __device__ __forceinline__ float luma_at(const LumaParameters *source,
                                                const FrameSamples *frame, int x, int y)
{
    const int shift = source->format.shift;
    float luma = load_code<BYTES>(sample_at(&frame->component[0], x, y), shift);

    if (source->luma.n == 1)
        return luma;
    luma *= source->luma.weight[0];
    for (int c = 1; c < 3; c++)
        luma += source->luma.weight[c] *
                load_code<BYTES>(sample_at(&frame->component[c], x, y), shift);
    return luma;
}

/* Sum of the differences in column @x, rows @begin to @end; 0 beyond the frame. */
template <int BYTES>
static __device__ __forceinline__ float column_difference(const BlocksParameters *p, int x,
                                                          int begin, int end)
{
    float sum = 0;

    if (x >= p->source.format.width)
        return 0;
    for (int y = begin; y < end; y++)
        sum += fabsf(luma_at<BYTES>(&p->source, &p->a, x, y) -
                     luma_at<BYTES>(&p->source, &p->b, x, y));
    return sum;
}

/* Half a warp has one block, a column each. The columns' sums are added in their order, so
 * that the answer is the host's. */
template <int BYTES> static __global__ void compare_blocks(BlocksParameters p)
{
    const int width = p.source.format.width, height = p.source.format.height;
    const int column = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int x = column - column % REPEAT_BLOCK;
    const int begin = REPEAT_BLOCK * (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const int end = at_most(begin + REPEAT_BLOCK, height);
    double sum = 0;

    if (begin >= height)
        return;
#ifdef __CUDACC__
    if (__any_sync(0xFFFFFFFFu, *(volatile unsigned *)p.different != 0))
        return;
    const float difference = column_difference<BYTES>(&p, column, begin, end);
    for (int i = 0; i < REPEAT_BLOCK; i++)
        sum += (double)__shfl_sync(0xFFFFFFFFu, difference, i, REPEAT_BLOCK);
#else
    for (int i = 0; column == x && i < REPEAT_BLOCK; i++)
        sum += (double)column_difference<BYTES>(&p, x + i, begin, end);
#endif
    if (column != x || x >= width)
        return;
    /* Written so that NaN differs. */
    if (!(sum <= p.limit * (at_most(x + REPEAT_BLOCK, width) - x) * (end - begin)))
        *p.different = 1;
}

cudaError_t vfi_cuda_compare_blocks(cudaStream_t stream, const VfiVideoInfo *info,
                                    const VfiFrame *a, const VfiFrame *b,
                                    double threshold, unsigned *different)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const dim3 block(BLOCK_X, BLOCK_Y);
    const dim3 grid =
        grid_over(info->width, vfi_subsampled(info->height, 4), 1); /* rows of blocks */
    BlocksParameters p = {};

    p.source.format = format_parameters(info);
    p.source.luma = vfi_luma_weights(format);
    p.a = frame_samples(info, a, &p.source.format);
    p.b = frame_samples(info, b, &p.source.format);
    p.limit = threshold * (format->depth == 32 ? 1.0 / 255 : ldexp(1, format->depth - 8));
    p.different = different;
    if (format->sample_bytes == 1)
        VFI_LAUNCH(compare_blocks<1>, grid, block, stream, p);
    else if (format->sample_bytes == 2)
        VFI_LAUNCH(compare_blocks<2>, grid, block, stream, p);
    else
        VFI_LAUNCH(compare_blocks<4>, grid, block, stream, p);
    return cudaGetLastError();
}
