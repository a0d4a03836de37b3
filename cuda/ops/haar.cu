/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One level of a Haar transform over frames, rows and columns (op/haar.c). A thread takes
 * one pixel of one frame in all eight bands. */
#include "ops/tensor.cuh"

/* 1 / √8 in each of three directions. */
#define SCALE 0.04419417382415922f

static __device__ __forceinline__ float at(const VfiCudaTensor &src, size_t frame,
                                           unsigned y, unsigned x)
{
    size_t w = (size_t)src.w, h = (size_t)src.h;

    return y < (unsigned)src.h && x < (unsigned)src.w
               ? ((const float *)src.data)[(frame * h + y) * w + x]
               : 0.0f;
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    haar(VfiCudaTensor src, float *dst, size_t pixels)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t frame = i / pixels, pixel = i % pixels, frames = (size_t)src.c - 1;
    unsigned y = (unsigned)pixel / (unsigned)src.w, x = (unsigned)pixel % (unsigned)src.w;

    if (frame >= frames)
        return;
    for (int rows_band = 0; rows_band < 4; rows_band++) {
        float column[2]; /* the band of frames and rows, in columns x and x + 1 */
        VFI_UNROLL
        for (unsigned k = 0; k < 2; k++) {
            float row[2];
            VFI_UNROLL
            for (unsigned r = 0; r < 2; r++) {
                float first = at(src, frame, y + r, x + k);
                float second = at(src, frame + 1, y + r, x + k);
                row[r] = rows_band < 2 ? first + second : second - first;
            }
            column[k] = rows_band % 2 == 0 ? row[0] + row[1] : row[1] - row[0];
        }
        float *to = dst + ((size_t)(2 * rows_band) * frames + frame) * pixels + pixel;
        to[0] = (column[0] + column[1]) * SCALE;
        to[frames * pixels] = (column[1] - column[0]) * SCALE;
    }
}

static cudaError_t launch_haar(const VfiCudaLaunch *launch)
{
    size_t pixels = vfi_tensor_plane(&launch->dst);
    dim3 grid((unsigned)vfi_ceil_div(pixels * (size_t)(launch->src[0].c - 1), VFI_BLOCK));

    VFI_LAUNCH(haar, grid, dim3(VFI_BLOCK), launch->stream, launch->src[0],
               (float *)launch->dst.data, pixels);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_haar = {NULL, NULL, launch_haar};
