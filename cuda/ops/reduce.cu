/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Over a whole tensor: its largest value, a picture's mean. */
#include "ops/tensor.cuh"

/* Most blocks of a maximum: enough to fill any device. */
#define MAX_BLOCKS 1024

/* Without the sign bit, floats compare like their bits, NaN above infinity. */
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

cudaError_t vfi_cuda_max_abs(cudaStream_t stream, const VfiCudaTensor *src, float *result)
{
    size_t n = (size_t)src->c * vfi_tensor_plane(src);
    size_t blocks = vfi_ceil_div(n, (size_t)VFI_BLOCK * 4);

    if (blocks > MAX_BLOCKS)
        blocks = MAX_BLOCKS;
    VFI_LAUNCH(clear, dim3(1), dim3(1), stream, (unsigned *)result);
    VFI_LAUNCH(max_abs, dim3((unsigned)blocks), dim3(VFI_BLOCK), stream,
               (const float *)src->data, n, (unsigned *)result);
    return cudaGetLastError();
}

/* A picture's mean: its rows are dealt out to strips, a row's columns to the threads of a
 * strip. Whatever the device, each sum is made of the same values in the same order. */
#define STRIPS 128

struct Picture {
    const float *values;
    int padded_w, padded_h, width, height;
};

/* [STRIPS][VFI_BLOCK] sums. */
static __global__ void __launch_bounds__(VFI_BLOCK)
    sum_strips(Picture picture, double *sums)
{
    int rows = 3 * picture.height;
    double sum = 0.0;

    for (int r = (int)blockIdx.x; r < rows; r += STRIPS) {
        size_t row = (size_t)(r / picture.height) * (size_t)picture.padded_h +
                     (size_t)(r % picture.height);
        const float *values = picture.values + row * (size_t)picture.padded_w;
        for (int x = (int)threadIdx.x; x < picture.width; x += VFI_BLOCK)
            sum += (double)values[x];
    }
    sums[(size_t)blockIdx.x * VFI_BLOCK + threadIdx.x] = sum;
}

/* sums[i], i < VFI_BLOCK, becomes that of all strips. */
static __global__ void __launch_bounds__(VFI_BLOCK) add_strips(double *sums)
{
    double sum = 0.0;

    VFI_UNROLL_BY_8
    for (int strip = 0; strip < STRIPS; strip++)
        sum += sums[strip * VFI_BLOCK + (int)threadIdx.x];
    sums[threadIdx.x] = sum;
}

static __global__ void finish_mean(const double *sums, double count, double *result)
{
    double total = 0.0;

    VFI_UNROLL_BY_8
    for (int i = 0; i < VFI_BLOCK; i++)
        total += sums[i];
    *result = total / count;
}

/* One more float for each place that may not be a double's. */
size_t vfi_cuda_image_mean_scratch(int width, int height)
{
    (void)width;
    (void)height;
    return (size_t)STRIPS * VFI_BLOCK * (sizeof(double) / sizeof(float)) + 1;
}

cudaError_t vfi_cuda_image_mean(cudaStream_t stream, const float *image, int padded_w,
                                int padded_h, int width, int height, float *scratch,
                                double *result)
{
    Picture picture = {image, padded_w, padded_h, width, height};
    bool is_aligned = (uintptr_t)scratch % sizeof(double) == 0;
    double *sums = (double *)(is_aligned ? scratch : scratch + 1);

    VFI_LAUNCH(sum_strips, dim3(STRIPS), dim3(VFI_BLOCK), stream, picture, sums);
    VFI_LAUNCH(add_strips, dim3(1), dim3(VFI_BLOCK), stream, sums);
    VFI_LAUNCH(finish_mean, dim3(1), dim3(1), stream, (const double *)sums,
               3.0 * width * height, result);
    return cudaGetLastError();
}
