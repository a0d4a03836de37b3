/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mean of a prepared image. Its rows are dealt out to strips, a row's columns to the
 * threads of a strip: each sum is made of the same values in the same order on every
 * device. */
#include <stdint.h>

#include "frames/frame_kernels.h"
#include "runtime/launch.h"

#define STRIPS 128
#define STRIP_THREADS 256

struct Picture {
    const float *values;
    int padded_w, padded_h, width, height;
};

/* [STRIPS][STRIP_THREADS] sums. */
static __global__ void __launch_bounds__(STRIP_THREADS)
    sum_strips(Picture picture, double *sums)
{
    int rows = 3 * picture.height;
    double sum = 0.0;

    for (int r = (int)blockIdx.x; r < rows; r += STRIPS) {
        size_t row = (size_t)(r / picture.height) * (size_t)picture.padded_h +
                     (size_t)(r % picture.height);
        const float *values = picture.values + row * (size_t)picture.padded_w;
        for (int x = (int)threadIdx.x; x < picture.width; x += STRIP_THREADS)
            sum += (double)values[x];
    }
    sums[(size_t)blockIdx.x * STRIP_THREADS + threadIdx.x] = sum;
}

/* sums[i], i < STRIP_THREADS, becomes that of all strips. */
static __global__ void __launch_bounds__(STRIP_THREADS) add_strips(double *sums)
{
    double sum = 0.0;

    VFI_UNROLL_BY_8
    for (int strip = 0; strip < STRIPS; strip++)
        sum += sums[strip * STRIP_THREADS + (int)threadIdx.x];
    sums[threadIdx.x] = sum;
}

static __global__ void finish_mean(const double *sums, double count, double *result)
{
    double total = 0.0;

    VFI_UNROLL_BY_8
    for (int i = 0; i < STRIP_THREADS; i++)
        total += sums[i];
    *result = total / count;
}

/* One float more: the scratch may begin where no double can. */
size_t vfi_cuda_image_mean_scratch(int width, int height)
{
    (void)width;
    (void)height;
    return (size_t)STRIPS * STRIP_THREADS * (sizeof(double) / sizeof(float)) + 1;
}

cudaError_t vfi_cuda_image_mean(cudaStream_t stream, const float *image, int padded_w,
                                int padded_h, int width, int height, float *scratch,
                                double *result)
{
    Picture picture = {image, padded_w, padded_h, width, height};
    bool is_aligned = (uintptr_t)scratch % sizeof(double) == 0;
    double *sums = (double *)(is_aligned ? scratch : scratch + 1);

    VFI_LAUNCH(sum_strips, dim3(STRIPS), dim3(STRIP_THREADS), stream, picture, sums);
    VFI_LAUNCH(add_strips, dim3(1), dim3(STRIP_THREADS), stream, sums);
    VFI_LAUNCH(finish_mean, dim3(1), dim3(1), stream, (const double *)sums,
               3.0 * width * height, result);
    return cudaGetLastError();
}
