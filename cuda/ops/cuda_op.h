/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How CUDA computes the planned ops (op/op.h). Each kind has one entry, at the end of the
 * file that has its kernels; the table of all follows from op/list.h.
 *
 * To add a kind: write its kernels and its entry in a .cu file here, and list the file in
 * cuda/meson.build. Where CUDA lacks a kind, its entry is {0} in cuda_op.c: then plans
 * that have such an op are refused by name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cuda_runtime_api.h>
#include <glib.h>

#include "op/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An operand in device memory. Planar (pixel_stride 0): c planes of h × w elements, one
 * after the other. Channels last: element (channel, y, x) is at (y * w + x) *
 * pixel_stride + channel, where pixel_stride is a multiple of 8.
 *
 * A channels-last tensor may be a part of the pixels' channels. The source of a
 * convolution begins at a multiple of 8 channels, others anywhere. The channels from the
 * last one up to the next multiple of 8 are padding: they hold zeros, which the op that
 * writes the tensor's last channel also writes (unless it is followed). The rest of a
 * pixel belongs to others. */
typedef struct {
    void *data;
    int c, h, w; /* h and w are below 65536 */
    int pixel_stride;
    bool half;     /* f16 instead of f32 */
    bool followed; /* another part begins right after the last channel */
} VfiCudaTensor;

#define VFI_CUDA_MAX_CONSTANTS 3

/* An array of an op's parameters that kernels read. NULL: the op has none. */
typedef struct {
    const float *values;
    size_t n;
    /* Of a matrix, which kernels read column by column: each is padded with zeros to a
     * multiple of 8. 0: it is none. */
    size_t columns;
} VfiCudaConstant;

/* What a launch gets. Memory is the device's. */
typedef struct {
    cudaStream_t stream;
    const VfiOp *op;
    VfiCudaTensor src[VFI_OP_MAX_SOURCES];
    VfiCudaTensor dst; /* of ops that do not give a scalar */
    VfiCudaTensor
        sums; /* what cuDNN computed of a convolution, channels rounded up to 8 */
    /* As the entry lists them, each 32-byte aligned and padded with zeros to whole
     * vectors of 8. */
    const float *constant[VFI_CUDA_MAX_CONSTANTS];
    const VfiRunInputs *inputs;
    float *scalars; /* results of MAX_ABS, by their index */
    void *scratch;  /* as much as the entry asks for, for this launch alone */
} VfiCudaLaunch;

/* Kernels are C++, which has most entries end before this member. */
#ifdef __cplusplus
#define VFI_CUDA_NONE_BY_DEFAULT = NULL
#else
#define VFI_CUDA_NONE_BY_DEFAULT
#endif

/* How CUDA computes a kind. @supports, @constants and @scratch may be NULL; where @launch
 * is NULL, CUDA lacks the kind. */
typedef struct {
    /* Whether launch() can run @op, which vfi_op_check() has seen and whose operands have
     * layouts of the descriptor; else false with an error by vfi_op_refuse(). */
    bool (*supports)(const VfiOp *op, GError **error);
    /* Lists the constants. */
    void (*constants)(const VfiOp *op, VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS]);
    /* Queues the op and returns the launch's error. Results do not depend on launch
     * sizes: they are the same bits at every run. dst may be a source where the
     * descriptor says so; dst of a convolution may also be sums. */
    cudaError_t (*launch)(const VfiCudaLaunch *launch);
    /* Optional: bytes of scratch that launch() wants, of an op that it supports. */
    size_t (*scratch)(const VfiOp *op) VFI_CUDA_NONE_BY_DEFAULT;
} VfiCudaOpEntry;

/* Whether a convolution is computed by kernels of our own (depthwise.cu), and not by
 * cuDNN: each channel by itself. */
static inline bool vfi_cuda_is_depthwise(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;

    return op->kind == VFI_OP_CONV && p->groups > 1 && p->groups == op->src[0].shape.c &&
           p->groups == op->dst.shape.c && p->depth == 0;
}

#define VFI_CUDA_OP(SUFFIX, identifier)                                                  \
    extern const VfiCudaOpEntry vfi_cuda_op_##identifier;
VFI_OP_LIST(VFI_CUDA_OP)
#undef VFI_CUDA_OP

/* NULL: CUDA lacks the kind. */
const VfiCudaOpEntry *vfi_cuda_op(VfiOpKind kind);

/* Whether CUDA can run a placed op by itself, not in a row group; else false with
 * VFI_ERROR_UNSUPPORTED that names the op and the backend. Allocates nothing. */
bool vfi_cuda_op_check(const VfiOp *op, GError **error);

#ifdef __cplusplus
}
#endif
