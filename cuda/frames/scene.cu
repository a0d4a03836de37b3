/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions about frames' luma: the mean of a few cells, and whether a frame repeats
 * another, block by block. The same as engine/scene/'s on the CPU; sums are integers or
 * are added in the CPU's order, so that the answers are equal (cells aside, which are
 * within 1e-3). */
#include <math.h>

#include "frames/frame_kernels.h"
#include "frames/samples.cuh"

extern "C" {
#include "scene/luma.h"
#include "scene/repeats.h"
}

/* Rows of a cell that are looked at, as in engine/scene/signature.c. */
#define ROWS_PER_CELL 8

/* Side of the blocks in which a repeated frame must not differ. */
#define REPEAT_BLOCK 16

/* Threads that share a cell: a warp. */
#define LANES 32

/* What both kinds of kernels know of the source. */
struct LumaParameters {
    FormatParameters format;
    VfiLumaWeights luma;
};

/* ---- cells ------------------------------------------------------------------------- */

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
                codes +=
                    load_code<BYTES>(sample_at(samples, x, y), p->source.format.shift);
        }
        sum += p->source.luma.weight[c] * codes;
    }
    return sum;
}

static __device__ __forceinline__ void
store_cell(const CellsParameters *p, const Cell *cell, float sum, int x, int y)
{
    const float mean = sum / (float)(cell->rows * (cell->right - cell->left));

    p->cells[(size_t)y * (size_t)p->width + (size_t)x] =
        255.0f * clamp_code((mean - p->offset) * p->scale, 1.0f);
}

/* A warp has one cell. Without warps one thread does the work of all its lanes. */
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

/* ---- blocks ------------------------------------------------------------------------ */

struct BlocksParameters {
    LumaParameters source;
    FrameSamples a, b;
    double limit; /* of the mean difference of a block, in codes */
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
static __device__ __forceinline__ float column_difference(const BlocksParameters *p,
                                                          int x, int begin, int end)
{
    float sum = 0;

    if (x >= p->source.format.width)
        return 0;
    for (int y = begin; y < end; y++)
        sum += fabsf(luma_at<BYTES>(&p->source, &p->a, x, y) -
                     luma_at<BYTES>(&p->source, &p->b, x, y));
    return sum;
}

/* Half a warp has one block, each lane a column. The columns' sums are added in their
 * order, so that the answer is the host's. */
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
    /* Negated, so that NaN differs. */
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

/* ---- repeats ----------------------------------------------------------------------- */

/* A lane has four columns of a tile, half a warp the tile. */
#define QUAD VFI_REPEATS_DETAIL
#define QUADS (VFI_REPEATS_TILE / QUAD)
#define TILE_BLOCKS (VFI_REPEATS_TILE / VFI_REPEATS_BLOCK)

struct RepeatParameters {
    LumaParameters source;
    FrameSamples a, b;
    float scale;
    int tiles_x, tiles;
    VfiCudaRepeatPart *parts;
};

/* Luma in VFI_REPEATS_UNITs; the frame's edge repeats outside of it. */
template <int BYTES>
static __device__ __forceinline__ int repeat_luma(const RepeatParameters *p,
                                                  const FrameSamples *frame, int x, int y)
{
    const FormatParameters *format = &p->source.format;
    const int column = x < 0 ? 0 : at_most(x, format->width - 1);
    const int row = y < 0 ? 0 : at_most(y, format->height - 1);
    const float luma = luma_at<BYTES>(&p->source, frame, column, row) * p->scale;

    return (int)(clamp_code(luma, (float)VFI_REPEATS_WHITE) + 0.5f);
}

template <int BYTES>
static __device__ __forceinline__ void add_pixel(const RepeatParameters *p, int x, int y,
                                                 VfiRepeatSums *sums)
{
    const int difference =
        repeat_luma<BYTES>(p, &p->b, x, y) - repeat_luma<BYTES>(p, &p->a, x, y);
    const int along_x =
        repeat_luma<BYTES>(p, &p->a, x + 1, y) - repeat_luma<BYTES>(p, &p->a, x - 1, y) +
        repeat_luma<BYTES>(p, &p->b, x + 1, y) - repeat_luma<BYTES>(p, &p->b, x - 1, y);
    const int along_y =
        repeat_luma<BYTES>(p, &p->a, x, y + 1) - repeat_luma<BYTES>(p, &p->a, x, y - 1) +
        repeat_luma<BYTES>(p, &p->b, x, y + 1) - repeat_luma<BYTES>(p, &p->b, x, y - 1);

    sums->n++;
    sums->difference += difference;
    sums->absolute += difference < 0 ? -difference : difference;
    sums->xx += along_x * along_x;
    sums->xy += along_x * along_y;
    sums->yy += along_y * along_y;
    sums->x += difference * along_x;
    sums->y += difference * along_y;
}

/* Sums over four columns from @x on and 16 rows from @y on. True if one of the smallest
 * blocks in them has changed. */
template <int BYTES>
static __device__ __forceinline__ bool measure_quad(const RepeatParameters *p, int x,
                                                    int y, VfiRepeatSums *sums)
{
    const int right = at_most(x + QUAD, p->source.format.width);
    const int bottom = at_most(y + VFI_REPEATS_BLOCK, p->source.format.height);
    bool changed = false;

    *sums = VfiRepeatSums();
    for (int top = y; top < bottom; top += VFI_REPEATS_DETAIL) {
        const int64_t before = sums->absolute;

        for (int row = top; row < at_most(top + VFI_REPEATS_DETAIL, bottom); row++)
            for (int column = x; column < right; column++)
                add_pixel<BYTES>(p, column, row, sums);
        changed = changed || sums->absolute - before > VFI_REPEATS_DETAIL_MAX;
    }
    return changed;
}

#ifdef __CUDACC__
/* Adds the sums of the lane @distance further. */
static __device__ __forceinline__ void add_across(VfiRepeatSums *sums, int distance)
{
    const unsigned all = 0xFFFFFFFFu;

    sums->n += __shfl_xor_sync(all, sums->n, distance);
    sums->difference += __shfl_xor_sync(all, sums->difference, distance);
    sums->absolute += __shfl_xor_sync(all, sums->absolute, distance);
    sums->xx += __shfl_xor_sync(all, sums->xx, distance);
    sums->xy += __shfl_xor_sync(all, sums->xy, distance);
    sums->yy += __shfl_xor_sync(all, sums->yy, distance);
    sums->x += __shfl_xor_sync(all, sums->x, distance);
    sums->y += __shfl_xor_sync(all, sums->y, distance);
}
#endif

static __device__ __forceinline__ void judge_block(const VfiRepeatSums *sums,
                                                   VfiCudaRepeatPart *part)
{
    part->changed |= vfi_repeats_block_changed(sums, VFI_REPEATS_BLOCK);
}

static __device__ __forceinline__ void judge_four(const VfiRepeatSums *sums,
                                                  VfiCudaRepeatPart *part)
{
    const int side = 2 * VFI_REPEATS_BLOCK;

    part->changed |= vfi_repeats_block_changed(sums, side);
    part->doubted |= vfi_repeats_moved(sums, side, VFI_REPEATS_DOUBT);
}

#ifdef __CUDACC__
/* Adds the tile at (x, y), which may lie outside of the frame, to @part. Sixteen lanes
 * share a tile; each adds its findings to its own part, and all add the tile's sums. */
template <int BYTES>
static __device__ __forceinline__ void add_tile(const RepeatParameters *p, int lane,
                                                int x, int y, VfiCudaRepeatPart *part)
{
    VfiRepeatSums whole = VfiRepeatSums();

    x += QUAD * (lane % QUADS);
    for (int row = 0; row < TILE_BLOCKS; row += 2) {
        VfiRepeatSums four = VfiRepeatSums(), block;

        for (int i = row; i < row + 2; i++) {
            part->changed |= measure_quad<BYTES>(p, x, y + VFI_REPEATS_BLOCK * i, &block);
            add_across(&block, 1);
            add_across(&block, 2);
            judge_block(&block, part);
            vfi_repeats_add(&four, &block);
        }
        add_across(&four, 4);
        judge_four(&four, part);
        vfi_repeats_add(&whole, &four);
    }
    add_across(&whole, 8);
    part->changed |= vfi_repeats_tile_changed(&whole);
    vfi_repeats_add(&part->sums, &whole);
}
#else
/* Adds up a block, four columns at a time. */
template <int BYTES>
static void measure_block(const RepeatParameters *p, int x, int y, VfiRepeatSums *sums,
                          VfiCudaRepeatPart *part)
{
    VfiRepeatSums quad;

    *sums = VfiRepeatSums();
    for (int column = x; column < x + VFI_REPEATS_BLOCK; column += QUAD) {
        part->changed |= measure_quad<BYTES>(p, column, y, &quad);
        vfi_repeats_add(sums, &quad);
    }
    judge_block(sums, part);
}

template <int BYTES>
static void add_tile(const RepeatParameters *p, int lane, int x, int y,
                     VfiCudaRepeatPart *part)
{
    const int size = VFI_REPEATS_BLOCK;
    VfiRepeatSums whole = VfiRepeatSums();

    (void)lane;
    for (int i = 0; i < TILE_BLOCKS; i++) {
        const int left = x + i % 2 * 2 * size, top = y + i / 2 * 2 * size;
        VfiRepeatSums four = VfiRepeatSums(), block;

        for (int j = 0; j < 4; j++) {
            measure_block<BYTES>(p, left + j % 2 * size, top + j / 2 * size, &block,
                                 part);
            vfi_repeats_add(&four, &block);
        }
        judge_four(&four, part);
        vfi_repeats_add(&whole, &four);
    }
    part->changed |= vfi_repeats_tile_changed(&whole);
    vfi_repeats_add(&part->sums, &whole);
}
#endif

/* A warp has a part of the frame: every VFI_CUDA_REPEAT_PARTSth pair of tiles, one for
 * each of its halves. Without warps one thread does the work of all its lanes. */
template <int BYTES> static __global__ void measure_repeat(RepeatParameters p)
{
    const int lane = (int)threadIdx.x,
              first = (int)(blockIdx.x * blockDim.y + threadIdx.y);
    VfiCudaRepeatPart part = VfiCudaRepeatPart();

    if (first >= VFI_CUDA_REPEAT_PARTS)
        return;
    for (int tile = 2 * first; tile < p.tiles; tile += 2 * VFI_CUDA_REPEAT_PARTS) {
#ifdef __CUDACC__
        const int own = tile + lane / QUADS; /* the last one may have no pixels */

        add_tile<BYTES>(&p, lane, own % p.tiles_x * VFI_REPEATS_TILE,
                        own / p.tiles_x * VFI_REPEATS_TILE, &part);
#else
        for (int own = tile; lane == 0 && own < tile + 2; own++)
            add_tile<BYTES>(&p, lane, own % p.tiles_x * VFI_REPEATS_TILE,
                            own / p.tiles_x * VFI_REPEATS_TILE, &part);
#endif
    }
#ifdef __CUDACC__
    add_across(&part.sums, QUADS);
    part.changed = __any_sync(0xFFFFFFFFu, part.changed);
    part.doubted = __any_sync(0xFFFFFFFFu, part.doubted);
#endif
    if (lane == 0)
        p.parts[first] = part;
}

/* Adds up the parts and judges. It is work for one thread, but saves copying the parts to
 * the host. */
static __global__ void judge_repeat(const VfiCudaRepeatPart *parts, unsigned *different)
{
    VfiCudaRepeatPart all = VfiCudaRepeatPart();

    for (int i = 0; i < VFI_CUDA_REPEAT_PARTS; i++) {
        vfi_repeats_add(&all.sums, &parts[i].sums);
        all.changed |= parts[i].changed;
        all.doubted |= parts[i].doubted;
    }
    *different = all.changed || vfi_repeats_frame_changed(&all.sums, all.doubted != 0);
}

cudaError_t vfi_cuda_see_repeat(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *a, const VfiFrame *b,
                                VfiCudaRepeatPart *parts, unsigned *different)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const dim3 block(LANES, BLOCK_Y);
    const dim3 grid((unsigned)((VFI_CUDA_REPEAT_PARTS + BLOCK_Y - 1) / BLOCK_Y));
    RepeatParameters p = {};

    p.source.format = format_parameters(info);
    p.source.luma = vfi_luma_weights(format);
    p.a = frame_samples(info, a, &p.source.format);
    p.b = frame_samples(info, b, &p.source.format);
    p.scale = vfi_repeats_scale(format->depth);
    p.tiles_x = (info->width + VFI_REPEATS_TILE - 1) / VFI_REPEATS_TILE;
    p.tiles = p.tiles_x * ((info->height + VFI_REPEATS_TILE - 1) / VFI_REPEATS_TILE);
    p.parts = parts;
    if (format->sample_bytes == 1)
        VFI_LAUNCH(measure_repeat<1>, grid, block, stream, p);
    else if (format->sample_bytes == 2)
        VFI_LAUNCH(measure_repeat<2>, grid, block, stream, p);
    else
        VFI_LAUNCH(measure_repeat<4>, grid, block, stream, p);
    VFI_LAUNCH(judge_repeat, dim3(1), dim3(1), stream, parts, different);
    return cudaGetLastError();
}
