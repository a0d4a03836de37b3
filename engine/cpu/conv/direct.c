/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Direct convolution and transposed convolution around a register kernel.
 *
 * The output is a grid of cells: one pixel per cell for a convolution, stride × stride
 * pixels (output phases) for a transposed one. A chunk is a band of cells by a range of
 * output channels. Its input rows are copied with their zero borders into scratch; a
 * strided convolution's pixels are sorted there by their place modulo the stride (input
 * phases). So every tap of the kernel is a fixed offset, the band is one flat run of
 * pixels (the few between two rows are computed and dropped), and the kernel knows no
 * borders. Sums over blocks of input channels are added up in scratch, then the
 * epilogue writes the result. */
#include "cpu/conv/planar_layout.h"

#include <string.h>

#include "base/alloc.h"
#include "cpu/conv/conv.h"
#include "cpu/pack.h"
#include "op/descriptor.h"

/* First output channel of block @block within its group, and how many it has. */
static int block_begin(const VfiDirect *d, int block)
{
    return block * d->out_block;
}

static int block_size(const VfiDirect *d, int block)
{
    return MIN(d->out_block, d->out_group - block_begin(d, block));
}

/* Floats before the weights of one group's block and phase: [in][tap][out in the
 * block]. */
static size_t weight_offset(const VfiDirect *d, int group, int block, int phase)
{
    size_t taps = (size_t)d->first_tap[d->out_phases], in = (size_t)d->in_group;
    size_t before = (size_t)group * (size_t)d->out_group + (size_t)block_begin(d, block);

    return before * in * taps +
           (size_t)block_size(d, block) * in * (size_t)d->first_tap[phase];
}

/* Where the model keeps the weight of output channel @o (all groups counted). */
static float model_weight(const VfiCpuOp *ready, const VfiDirect *d, int o, int i,
                          const VfiDirectTap *tap)
{
    const VfiConvParams *p = &ready->op.u.conv;
    size_t filter =
        ready->op.kind == VFI_OP_CONV
            ? vfi_conv_filter(p, o, i, d->in_group)
            : (size_t)i * (size_t)vfi_conv_transpose_weight_channels(&ready->op) +
                  (size_t)o;

    return p
        ->weight[(filter * (size_t)p->kernel_h + (size_t)tap->ky) * (size_t)p->kernel_w +
                 (size_t)tap->kx];
}

static void pack_block(const VfiCpuOp *ready, const VfiDirect *d, int group, int block,
                       int phase, float *to)
{
    int first = group * d->out_group + block_begin(d, block), n = block_size(d, block);

    for (int i = 0; i < d->in_group; i++) {
        for (int t = d->first_tap[phase]; t < d->first_tap[phase + 1]; t++) {
            for (int o = 0; o < n; o++)
                *to++ = model_weight(ready, d, first + o, i, &d->taps[t]);
        }
    }
}

static size_t weight_bytes(const VfiCpuOp *ready)
{
    const VfiDirect *d = ready->state;
    size_t filters =
        (size_t)ready->op.u.conv.groups * (size_t)d->out_group * (size_t)d->in_group;

    return filters * (size_t)d->first_tap[d->out_phases] * sizeof(float);
}

static void pack_weights(const VfiCpuOp *ready, void *to)
{
    const VfiDirect *d = ready->state;

    for (int group = 0; group < ready->op.u.conv.groups; group++) {
        for (int block = 0; block < d->n_out_blocks; block++) {
            for (int phase = 0; phase < d->out_phases; phase++)
                pack_block(ready, d, group, block, phase,
                           (float *)to + weight_offset(d, group, block, phase));
        }
    }
}

static bool direct_prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    VfiDirect *d = vfi_direct_new(op, ready->kernels);

    ready->state = d;
    if (d->in_plane > G_MAXINT / 2)
        return vfi_op_refuse(op, error, "it is too large");
    if (!vfi_cpu_set_chunks(
            ready, (double)p->groups * d->bands_y * d->bands_x * d->pieces, error))
        return false;
    ready->scratch_bytes = (d->in_floats + d->acc_floats) * sizeof(float);
    if (d->out_stride > 1)
        ready->scratch_bytes +=
            (size_t)d->band_cols * (size_t)d->out_stride * sizeof(float);
    return vfi_cpu_op_pack(ready, "direct", weight_bytes(ready), pack_weights, error);
}

static void direct_clear(VfiCpuOp *ready)
{
    vfi_direct_free(ready->state);
    ready->state = NULL;
}

/* What one chunk covers. */
typedef struct {
    int group;
    int block_begin, block_end;
    int y, x, rows, cols; /* cells */
    float *in, *acc, *row;
} Chunk;

static Chunk find_chunk(const VfiDirect *d, const VfiCpuRun *run, int index, int thread)
{
    int piece = index % d->pieces;
    int band = index / d->pieces;
    int band_x = band % d->bands_x;
    int band_y = band / d->bands_x % d->bands_y;
    Chunk chunk = {
        .group = band / d->bands_x / d->bands_y,
        .block_begin = vfi_piece_begin(d->n_out_blocks, d->pieces, piece),
        .block_end = vfi_piece_begin(d->n_out_blocks, d->pieces, piece + 1),
        .y = vfi_piece_begin(d->grid_h, d->bands_y, band_y),
        .x = vfi_piece_begin(d->grid_w, d->bands_x, band_x),
        .in = vfi_thread_scratch(run, thread),
    };

    chunk.rows = vfi_piece_begin(d->grid_h, d->bands_y, band_y + 1) - chunk.y;
    chunk.cols = vfi_piece_begin(d->grid_w, d->bands_x, band_x + 1) - chunk.x;
    chunk.acc = chunk.in + d->in_floats;
    chunk.row = chunk.acc + d->acc_floats;
    return chunk;
}

/* Copies one input phase of channel @c (all groups counted) for the chunk's band. */
static void pack_phase(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                       int c, int phase_y, int phase_x, float *to)
{
    const VfiDirect *d = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    VfiPackRow row = {
        .w = source->shape.w,
        .x_begin = chunk->x * d->in_stride + d->base_x + phase_x,
        .stride = d->in_stride,
        .n = chunk->cols + d->reach_x,
    };

    for (int r = 0; r < chunk->rows + d->reach_y; r++) {
        int y = (chunk->y + r) * d->in_stride + d->base_y + phase_y;
        bool inside = y >= 0 && y < source->shape.h;
        row.src = inside ? vfi_operand_row(run, source, c, y) : NULL;
        row.dst = to + (size_t)r * (size_t)d->pitch;
        ready->kernels->pack_row(&row);
    }
}

/* The same of @n channels from @c on, which are a channel block or a part of one. */
static void unblock_phase(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                          int c, int n, int phase_y, int phase_x, float *to)
{
    const VfiDirect *d = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    size_t line = (size_t)source->shape.w * (size_t)source->block;
    const float *plane = vfi_operand(run, source) +
                         (size_t)(c / source->block) * (size_t)source->shape.h * line;
    VfiUnblockRow row = {
        .dst_pitch = d->in_plane,
        .w = source->shape.w,
        .x_begin = chunk->x * d->in_stride + d->base_x + phase_x,
        .stride = d->in_stride,
        .n = chunk->cols + d->reach_x,
        .channels = n,
    };

    for (int r = 0; r < chunk->rows + d->reach_y; r++) {
        int y = (chunk->y + r) * d->in_stride + d->base_y + phase_y;
        bool inside = y >= 0 && y < source->shape.h;
        row.src = inside ? plane + (size_t)y * line : NULL;
        row.dst = to + (size_t)r * (size_t)d->pitch;
        ready->kernels->unblock_row(&row);
    }
}

static void unblock_band(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                         int i_begin, int n_in)
{
    const VfiDirect *d = ready->state;
    int block = ready->op.src[0].block;

    for (int i = 0; i < n_in; i += block) {
        float *plane = chunk->in + (size_t)i * d->in_plane;
        for (int py = 0; py < d->phases_y; py++)
            for (int px = 0; px < d->phases_x; px++, plane += d->phase_plane)
                unblock_phase(ready, run, chunk, i_begin + i, MIN(block, n_in - i), py,
                              px, plane);
    }
}

static void pack_band(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                      int i_begin, int n_in)
{
    const VfiDirect *d = ready->state;

    if (vfi_operand_is_blocked(&ready->op.src[0])) {
        unblock_band(ready, run, chunk, i_begin, n_in);
        return;
    }
    for (int i = 0; i < n_in; i++) {
        float *plane = chunk->in + (size_t)i * d->in_plane;
        int c = chunk->group * d->in_group + i_begin + i;
        for (int py = 0; py < d->phases_y; py++) {
            for (int px = 0; px < d->phases_x; px++, plane += d->phase_plane)
                pack_phase(ready, run, chunk, c, py, px, plane);
        }
    }
}

/* Sums of the chunk's channel @o of block @block, output phase @phase. */
static float *sums_of(const VfiDirect *d, const Chunk *chunk, int block, int phase, int o)
{
    int slot = ((block - chunk->block_begin) * d->out_phases + phase) * d->out_block + o;
    return chunk->acc + (size_t)slot * d->acc_pitch;
}

/* Adds the products of input channels @i_begin … of the group to all the chunk's sums. */
static void multiply_band(const VfiCpuOp *ready, const Chunk *chunk, int i_begin,
                          int n_in)
{
    const VfiDirect *d = ready->state;
    VfiConvBlock call = {
        .in = chunk->in,
        .in_plane = d->in_plane,
        .acc_pitch = d->acc_pitch,
        .n_in = n_in,
        .n_flat = (chunk->rows - 1) * d->pitch + chunk->cols,
        .adds = i_begin > 0,
    };

    for (int block = chunk->block_begin; block < chunk->block_end; block++) {
        for (int phase = 0; phase < d->out_phases; phase++) {
            call.n_out = block_size(d, block);
            call.n_taps = d->first_tap[phase + 1] - d->first_tap[phase];
            call.tap_offset = d->tap_offset + d->first_tap[phase];
            call.acc = sums_of(d, chunk, block, phase, 0);
            call.weight = (const float *)ready->packed +
                          weight_offset(d, chunk->group, block, phase) +
                          (size_t)i_begin * (size_t)call.n_taps * (size_t)call.n_out;
            ready->kernels->conv_block(&call);
        }
    }
}

/* One row of sums of a transposed convolution, its output phases side by side. */
static const float *interleave(const VfiDirect *d, const Chunk *chunk, int block, int o,
                               int r, int phase_y)
{
    for (int px = 0; px < d->out_stride; px++) {
        const float *sums = sums_of(d, chunk, block, phase_y * d->out_stride + px, o) +
                            (size_t)r * d->pitch;
        for (int x = 0; x < chunk->cols; x++)
            chunk->row[x * d->out_stride + px] = sums[x];
    }
    return chunk->row;
}

/* Finishes and writes the chunk's rows of output channel @o of @block. */
static void write_channel(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                          int block, int o)
{
    const VfiDirect *d = ready->state;
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    int channel = chunk->group * d->out_group + block_begin(d, block) + o;
    int x = chunk->x * d->out_stride;
    VfiEpilogueRow row = vfi_epilogue_of(p, channel);

    row.n = (size_t)MIN(chunk->cols * d->out_stride, op->dst.shape.w - x);
    for (int r = 0; r < chunk->rows; r++) {
        for (int py = 0; py < d->out_stride; py++) {
            int y = (chunk->y + r) * d->out_stride + py;
            if (y >= op->dst.shape.h)
                break;
            row.acc = d->out_stride == 1
                          ? sums_of(d, chunk, block, 0, o) + (size_t)r * (size_t)d->pitch
                          : interleave(d, chunk, block, o, r, py);
            row.dst = vfi_operand_row(run, &op->dst, channel, y) + x;
            if (p->residual != VFI_RESIDUAL_NONE)
                row.residual = vfi_operand_row(run, &op->src[1], channel, y) + x;
            ready->kernels->epilogue(&row);
        }
    }
}

static void direct_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                         int thread)
{
    const VfiDirect *d = ready->state;
    Chunk chunk = find_chunk(d, run, index, thread);

    for (int i = 0; i < d->in_group; i += d->in_block) {
        int n_in = MIN(d->in_block, d->in_group - i);
        pack_band(ready, run, &chunk, i, n_in);
        multiply_band(ready, &chunk, i, n_in);
    }
    for (int block = chunk.block_begin; block < chunk.block_end; block++) {
        for (int o = 0; o < block_size(d, block); o++)
            write_channel(ready, run, &chunk, block, o);
    }
}

static bool direct_accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    return kernels->conv_block != NULL && !vfi_operand_is_blocked(&op->dst) &&
           (op->n_src < 2 || !vfi_operand_is_blocked(&op->src[1])) &&
           (op->u.conv.groups == 1 || !vfi_operand_is_blocked(&op->src[0]));
}

const VfiCpuAlgorithm vfi_cpu_conv_direct = {
    .name = "direct",
    .accepts = direct_accepts,
    .prepare = direct_prepare,
    .chunk = direct_chunk,
    .clear = direct_clear,
};
