/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the ways of computing ops (algorithms) share: the prepared op, and operand access.
 * An algorithm is a struct of functions; cpu_op.c chooses one when an op is prepared. */
#pragma once

#include "cpu/cpu_op.h"
#include "cpu/kernel_table.h"

typedef struct {
    const char *name;
    /* Packs weights, sets n_chunks, scratch_bytes, packed and packed_bytes. */
    bool (*prepare)(VfiCpuOp *op, GError **error);
    /* Computes one chunk; different chunks write different elements. */
    void (*chunk)(const VfiCpuOp *op, const VfiCpuRun *run, int index, int thread);
    /* Optional: before and after all chunks, on the calling thread. */
    void (*begin)(const VfiCpuOp *op, const VfiCpuRun *run);
    void (*end)(const VfiCpuOp *op, const VfiCpuRun *run);
    /* Optional: releases what prepare left in op->state. */
    void (*clear)(VfiCpuOp *op);
} VfiCpuAlgorithm;

struct VfiCpuOp {
    VfiOp op;
    VfiCpuLevel level;
    const VfiCpuKernels *kernels;
    const VfiCpuAlgorithm *algorithm;
    bool bf16; /* may round inputs and weights to bf16 */
    int n_chunks;
    size_t scratch_bytes; /* a thread */
    size_t packed_bytes;
    const void *packed;      /* weights or tables in the algorithm's own layout */
    const VfiPacked *shared; /* whose .packed is, or NULL: the op's own; vfi_free() */
    VfiPackedWeights *store; /* where weights may be shared, or NULL */
    VfiPackedKey key;        /* of the packed weights; .layout is NULL without */
    bool measuring;          /* leaves them out */
    void *state;             /* the algorithm's own numbers; g_free() */
};

extern const VfiCpuAlgorithm vfi_cpu_elementwise;
extern const VfiCpuAlgorithm vfi_cpu_max_abs;
extern const VfiCpuAlgorithm vfi_cpu_convert;
extern const VfiCpuAlgorithm vfi_cpu_resize;
extern const VfiCpuAlgorithm vfi_cpu_warp;
extern const VfiCpuAlgorithm vfi_cpu_pixel_shuffle;
extern const VfiCpuAlgorithm vfi_cpu_avg_pool;
extern const VfiCpuAlgorithm vfi_cpu_nearest;
extern const VfiCpuAlgorithm vfi_cpu_upsample_conv_sum;
extern const VfiCpuAlgorithm vfi_cpu_warp_blocks; /* WARP of channel blocks */
extern const VfiCpuAlgorithm
    vfi_cpu_conv_reference;                       /* CONV and CONV_TRANSPOSE, any level */
extern const VfiCpuAlgorithm vfi_cpu_conv_direct; /* the same, vector levels, to planes */
extern const VfiCpuAlgorithm vfi_cpu_conv_blocked;  /* the same, to channel blocks */
extern const VfiCpuAlgorithm vfi_cpu_conv_winograd; /* CONV, see vfi_winograd_suits() */
extern const VfiCpuAlgorithm vfi_cpu_reorder;       /* COPY from one layout to another */

/* Whether Winograd's algorithm can do the op, and faster than the direct one, if all its
 * operands are in channel blocks. */
bool vfi_winograd_suits(const VfiOp *op);

/* The table of a level that the machine has. */
const VfiCpuKernels *vfi_cpu_kernels(VfiCpuLevel level);

/* Fails with VFI_ERROR_UNSUPPORTED unless operands and parameters fit each other. @block is
 * the one size of channel blocks that there may be, 0 for none. */
bool vfi_cpu_op_check(const VfiOp *op, int block, GError **error);

/* Rounds up to an odd number of cache lines: channels must not fall on the same sets. */
static inline size_t vfi_odd_lines(size_t floats)
{
    return ((floats + 15) / 16 | 1) * 16;
}

/* How far from cell to input row (or column) tap @k of output phase @q of a transposed
 * convolution goes: output cell * stride + q takes input cell + (q + pad - k) / stride. False
 * where that is not whole. */
static inline bool vfi_conv_transpose_shift(int q, int k, int pad, int stride, int *shift)
{
    if ((q + pad - k) % stride != 0)
        return false;
    *shift = (q + pad - k) / stride;
    return true;
}

static inline float *vfi_operand(const VfiCpuRun *run, const VfiOperand *operand)
{
    return (float *)(void *)(run->region[operand->region] + operand->offset);
}

static inline uint16_t *vfi_half_operand(const VfiCpuRun *run, const VfiOperand *operand)
{
    return (uint16_t *)(void *)(run->region[operand->region] + operand->offset);
}

/* Pointer to channel @c, row @y. */
static inline float *vfi_operand_row(const VfiCpuRun *run, const VfiOperand *operand,
                                     int c, int y)
{
    size_t row = (size_t)c * (size_t)operand->shape.h + (size_t)y;
    return vfi_operand(run, operand) + row * (size_t)operand->shape.w;
}

/* The epilogue of output channel @channel; dst, acc, residual and n are the caller's. */
static inline VfiEpilogueRow vfi_epilogue_of(const VfiConvParams *p, int channel)
{
    return (VfiEpilogueRow){
        .residual_place = p->residual,
        .bias = p->bias != NULL ? p->bias[channel] : 0.0f,
        .activation = p->activation.kind,
        .slope = p->activation.kind == VFI_ACTIVATION_PRELU ? p->activation.slope[channel]
                                                            : p->activation.leak,
    };
}

static inline float *vfi_thread_scratch(const VfiCpuRun *run, int thread)
{
    return (float *)(void *)(run->scratch + (size_t)thread * run->scratch_stride);
}

/* For profiles. */
uint64_t vfi_nanoseconds(void);

/* What runs of ops share with row groups (row_group.c). */

/* An element-wise op on @n elements of one @channel; @a, @b: its sources there, or NULL. */
void vfi_elementwise_run(const VfiCpuOp *op, const VfiCpuRun *run, int channel,
                         float *dst, const float *a, const float *b, size_t n);

/* Where each output column and row of a resize reads: left column, upper row, and the weights
 * of the next ones. */
typedef struct {
    const int32_t *x0, *y0;
    const float *x_weight, *y_weight;
} VfiResizeTables;

const VfiResizeTables *vfi_resize_tables(const VfiCpuOp *op);

/* Whether the op makes neither direction smaller: then columns come first, and each source
 * row is stretched once for all rows of the result that read it. Else rows come first. */
bool vfi_resize_enlarges(const VfiOp *op);

/* Rows of one channel of such an op, in any order; fastest if ascending. */
typedef struct {
    const VfiCpuOp *op;
    const VfiResizeTables *tables; /* x0 and x_weight of the @columns that are computed */
    const float *src;              /* the channel's plane */
    float *scratch;                /* [vfi_stretch_floats()] */
    int columns;
    int held[2]; /* source rows that are stretched, of even and odd number; -1: none */
} VfiStretch;

size_t vfi_stretch_floats(const VfiOp *op, int columns);

/* Row @y of the result, its computed columns. */
void vfi_stretch_to_row(VfiStretch *stretch, int y, float *dst);

/* Row @y of channel @c of a PIXEL_SHUFFLE; of that, the @n columns @x. */
void vfi_pixel_shuffle_row(const VfiCpuOp *op, const VfiCpuRun *run, int c, int y,
                           float *dst);
void vfi_pixel_shuffle_samples(const VfiCpuOp *op, const VfiCpuRun *run, int c, int y,
                               const float *x, int n, float *dst);

/* 0, 1, … @n-1: what VfiWarpRow.x is for a whole row. vfi_free(). */
float *vfi_column_numbers_new(int n, GError **error);

/* Called by an algorithm's prepare: sets packed and packed_bytes, to @bytes that @pack wrote
 * for this op or for another one. What @pack writes must depend on @layout (static, names the
 * form), the level, the weights and the parameters in VfiPackedKey alone. False with
 * VFI_ERROR_NO_MEMORY. */
typedef void (*VfiCpuPackFunc)(const VfiCpuOp *op, void *to);
bool vfi_cpu_op_pack(VfiCpuOp *op, const char *layout, size_t bytes, VfiCpuPackFunc pack,
                     GError **error);

static inline int vfi_ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* The part of 0 … @total that is piece @index of @pieces even ones. */
static inline int vfi_piece_begin(int total, int pieces, int index)
{
    return (int)((int64_t)total * index / pieces);
}
