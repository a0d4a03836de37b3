/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The largest absolute value of a tensor. Each thread goes through the tensor in steps of
 * the whole grid; a warp then agrees on its maximum, and one of its threads on that of
 * all. */
#include "ops/tensor.cuh"

/* At most so many blocks, enough to fill any device. */
#define MAX_BLOCKS 1024

/* Floats without their sign bit compare like their bits do; NaN is above infinity. */
static __device__ __forceinline__ unsigned size_bits(float x)
{
    unsigned bits;

    memcpy(&bits, &x, sizeof bits);
    return bits & 0x7fffffffu;
}

static __device__ __forceinline__ unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static __global__ void clear(unsigned *result)
{
    *result = 0;
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    max_abs(const float *src, size_t n, unsigned *result)
{
    size_t thread = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t threads = (size_t)gridDim.x * blockDim.x;
    size_t n_vectors = vfi_is_aligned(src, sizeof(float4)) ? n / 4 : 0;
    unsigned largest = 0;

    for (size_t i = thread; i < n_vectors; i += threads) {
        float4 x = ((const float4 *)src)[i];
        largest = larger(largest, larger(larger(size_bits(x.x), size_bits(x.y)),
                                         larger(size_bits(x.z), size_bits(x.w))));
    }
    for (size_t i = 4 * n_vectors + thread; i < n; i += threads)
        largest = larger(largest, size_bits(src[i]));
#ifdef __CUDACC__
    for (int lanes = 16; lanes > 0; lanes /= 2)
        largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, lanes));
    if (threadIdx.x % 32 == 0)
        atomicMax(result, largest);
#else
    atomicMax(result, largest);
#endif
}

static cudaError_t launch_max_abs(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *src = &launch->src[0];
    unsigned *result = (unsigned *)(launch->scalars + launch->op->u.max_abs.scalar);
    size_t n = (size_t)src->c * vfi_tensor_plane(src);
    size_t blocks = vfi_ceil_div(n, (size_t)VFI_BLOCK * 4);

    if (blocks > MAX_BLOCKS)
        blocks = MAX_BLOCKS;
    VFI_LAUNCH(clear, dim3(1), dim3(1), launch->stream, result);
    VFI_LAUNCH(max_abs, dim3((unsigned)blocks), dim3(VFI_BLOCK), launch->stream,
               (const float *)src->data, n, result);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_max_abs = {NULL, NULL, launch_max_abs};
