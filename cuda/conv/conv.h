/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions by cuDNN 9's backend (graph) API. Tensors are channels last; results are raw
 * sums, what follows a convolution is an own kernel's work (kernels.h, vfi_cuda_epilogue).
 *
 * What cuDNN's precompiled engines take was found out with the library itself (9.19, judged for
 * sm_75, 86, 89 and 90; tests/cuda/judge.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cuda_runtime_api.h>

#include "base/logging.h"
#include "conv/cudnn_library.h"
#include "op/op.h"

/* ---- shapes (shape.c) ------------------------------------------------------------------ */

/* Channels of a tensor that is channels last are a multiple of it, rounded up with zeros: with
 * less than 8 f16 channels (16 bytes) most tensor-core engines do not work. */
#define VFI_CUDA_CONV_CHANNELS 8

static inline int vfi_cuda_conv_channels(int channels)
{
    return (channels + VFI_CUDA_CONV_CHANNELS - 1) / VFI_CUDA_CONV_CHANNELS *
           VFI_CUDA_CONV_CHANNELS;
}

typedef enum {
    VFI_CUDA_CONV_F16, /* f16 tensors, sums in f32, rounded once at the end */
    /* f32 tensors, products and sums in f32. Engines without tensor cores are made for planes:
     * channels last they work, by way of a planar copy of both tensors in the workspace. */
    VFI_CUDA_CONV_F32,
    VFI_CUDA_CONV_TF32, /* f32 tensors, products of values rounded to ten mantissa bits */
} VfiCudaConvMath;

/* Channels last: element (channel, y, x) is at (y * w + x) * pixel_stride + channel. Planar
 * (pixel_stride 0): at (channel * h + y) * w + x. A pixel stride larger than c works, but
 * engines then copy the tensor to (or from) the workspace: rather let a convolution write sums
 * that lie by themselves, and the epilogue put them where they belong. */
typedef struct {
    int c, h, w;
    int pixel_stride;
} VfiCudaConvTensor;

/* As cuDNN is told. */
typedef struct {
    bool transposed;
    VfiCudaConvMath math;
    VfiCudaConvTensor src, dst;
    int kernel_h, kernel_w;
    int stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    int groups;
} VfiCudaConvShape;

/* Fills in what computes the CONV or CONV_TRANSPOSE @op between tensors of those pixel strides (0:
 * planar; else at least vfi_cuda_conv_channels() of the op's channels). Channels of tensors that
 * are channels last are rounded up: all of dst's are written. Groups of channels that are then
 * no multiples of 8 become one group of a block-diagonal weight. False with
 * VFI_ERROR_UNSUPPORTED for other kinds of ops. */
bool vfi_cuda_conv_shape_init(VfiCudaConvShape *shape, const VfiOp *op,
                              VfiCudaConvMath math, int src_pixel_stride,
                              int dst_pixel_stride, GError **error);

/* Its text, the same for the same shape and no other: "conv f16 64x360x640:64 …", without the
 * '=' and '[' that a key file's keys must not have. Free with g_free(). */
char *vfi_cuda_conv_shape_key(const VfiCudaConvShape *shape);

/* ---- weights (weights.c) --------------------------------------------------------------- */

/* Bytes of the packed weights; false with VFI_ERROR_NO_MEMORY on overflow. */
bool vfi_cuda_conv_weight_bytes(const VfiCudaConvShape *shape, size_t *bytes,
                                GError **error);

/* Packs the weights of @op, which @shape was filled in for, into that many bytes of host
 * memory, f16 or f32: [outputs][kernel_h][kernel_w][inputs/groups] of a convolution,
 * [inputs][kernel_h][kernel_w][outputs] of a transposed one; of a planar src
 * [outputs][inputs/groups][kernel_h][kernel_w] and [inputs][outputs][kernel_h][kernel_w]. Every
 * byte is written. */
void vfi_cuda_conv_pack_weights(const VfiCudaConvShape *shape, const VfiOp *op,
                                void *packed);

/* ---- choices that are kept between processes (cache.c) --------------------------------- */

#define VFI_CUDA_CONV_MAX_KNOBS 64

/* An engine of cuDNN and how it is set up. */
typedef struct {
    int64_t engine;
    int n_knobs;
    struct {
        int64_t type, value;
    } knobs[VFI_CUDA_CONV_MAX_KNOBS];
} VfiCudaConvChoice;

typedef struct VfiCudaConvCache VfiCudaConvCache;

/* The choices of one kind of device and one version of cuDNN, kept in a file of
 * $XDG_CACHE_HOME/vfi. A damaged file counts as an empty one; what is
 * lost without it is a little time. Functions of one cache may be called in any
 * thread; other processes may use the same file. */
VfiCudaConvCache *vfi_cuda_conv_cache_new(const char *device_name, int compute_major,
                                          int compute_minor, size_t cudnn_version);
void vfi_cuda_conv_cache_free(VfiCudaConvCache *cache);

/* False where there is none. */
bool vfi_cuda_conv_cache_find(VfiCudaConvCache *cache, const char *shape_key,
                              VfiCudaConvChoice *choice);

/* Keeps it, in memory until vfi_cuda_conv_cache_save(). NULL: there is none any more. */
void vfi_cuda_conv_cache_keep(VfiCudaConvCache *cache, const char *shape_key,
                              const VfiCudaConvChoice *choice);

/* Writes what was kept since, along with what other processes wrote. False with an error worth
 * an INFO line, no more. */
bool vfi_cuda_conv_cache_save(VfiCudaConvCache *cache, GError **error);

/* ---- plans (conv.c) ------------------------------------------------------------------------- */

/* Whom plans are made for. */
typedef struct {
    const VfiCudnnLibrary *library;
    cudnnHandle_t handle; /* a device's; NULL: judged only, for @properties */
    cudnnBackendDescriptor_t properties; /* CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR or NULL */
    VfiCudaConvCache *cache;             /* may be NULL */
    VfiLog log;                          /* may be NULL */
    size_t workspace_limit;              /* bytes; engines that want more are left out */
} VfiCudaConvContext;

typedef struct VfiCudaConvPlan VfiCudaConvPlan;

/* A plan by the cache's choice, else by cuDNN's heuristics. Engines that would compile at run
 * time, that want more workspace, whose results vary from run to run or that compute in less
 * than @shape's math are left out. VFI_ERROR_UNSUPPORTED where none is left, VFI_ERROR_BACKEND. */
VfiCudaConvPlan *vfi_cuda_conv_new(const VfiCudaConvContext *context,
                                   const VfiCudaConvShape *shape, GError **error);
void vfi_cuda_conv_free(VfiCudaConvPlan *plan);

/* Bytes of workspace that a run wants; changes in vfi_cuda_conv_choose(), mostly to less. */
size_t vfi_cuda_conv_workspace(const VfiCudaConvPlan *plan);

/* Whether its engines have still to be tried. */
bool vfi_cuda_conv_has_choice(const VfiCudaConvPlan *plan);

typedef enum {
    VFI_CUDA_CONV_CHOSEN,
    VFI_CUDA_CONV_GO_ON, /* all that were tried failed: others are to be, with their workspace */
    VFI_CUDA_CONV_FAILED,
} VfiCudaConvChoosing;

/* Runs the engines that are left, a few times each, keeps the fastest that does not fail and
 * tells the cache. Where all fail, those next in cuDNN's lists take their place, until there is
 * none: VFI_CUDA_CONV_FAILED with the last one's error, as where the device itself fails. @dst
 * is overwritten. Waits for @stream, which must not be captured into a graph. */
VfiCudaConvChoosing vfi_cuda_conv_choose(VfiCudaConvPlan *plan, cudaStream_t stream,
                                         const void *src, const void *weight, void *dst,
                                         void *workspace, GError **error);

/* Queues it on @stream. Memory is the device's, 16-byte aligned. May be captured into a graph.
 * A plan's handle serves one thread at a time. A choice of the cache's that fails is forgotten,
 * so that plans made later choose anew. */
bool vfi_cuda_conv_run(VfiCudaConvPlan *plan, cudaStream_t stream, const void *src,
                       const void *weight, void *dst, void *workspace, GError **error);
