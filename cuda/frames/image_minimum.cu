/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least value of a prepared image, and of the shrunk one (pixels/minimum_area.h).
 * Rows are dealt out to strips, a row's columns to the threads of a strip: the least of
 * all is the same in any order. */
#include "pixels/minimum_area.h"

#include "frames/frame_kernels.h"
#include "runtime/launch.h"

#define STRIPS 128
#define STRIP_THREADS 256

struct MinimumParameters {
    const float *values;
    int padded_w, padded_h;
    VfiMinimumArea area;
    int begin_x, end_x, begin_y, end_y; /* of the shrunk picture */
};

static __device__ __forceinline__ float least_of(float a, float b)
{
    return b < a ? b : a;
}

static __device__ __forceinline__ const float *row_of(const MinimumParameters *p,
                                                      int plane, int y)
{
    return p->values +
           ((size_t)plane * (size_t)p->padded_h + (size_t)y) * (size_t)p->padded_w;
}

/* [2][STRIPS][STRIP_THREADS] values. */
static __global__ void __launch_bounds__(STRIP_THREADS)
    least_of_strips(MinimumParameters p, float *least)
{
    const size_t own = (size_t)blockIdx.x * STRIP_THREADS + threadIdx.x;
    const VfiMinimumArea *area = &p.area;
    const int rows = p.end_y - p.begin_y;
    float whole = VFI_MINIMUM_OF_NOTHING, shrunk = VFI_MINIMUM_OF_NOTHING;

    for (int r = (int)blockIdx.x; r < 3 * area->height; r += STRIPS) {
        const float *values = row_of(&p, r / area->height, r % area->height);
        for (int x = (int)threadIdx.x; x < area->width; x += STRIP_THREADS)
            whole = least_of(whole, values[x]);
    }
    for (int r = (int)blockIdx.x; r < 3 * rows; r += STRIPS) {
        const VfiShrunkPlace row =
            vfi_shrunk_place(p.begin_y + r % rows, area->whole_h, area->scale);
        const float *above = row_of(&p, r / rows, row.first - area->y);
        const float *below = row_of(&p, r / rows, row.second - area->y);
        for (int x = p.begin_x + (int)threadIdx.x; x < p.end_x; x += STRIP_THREADS)
            shrunk = least_of(
                shrunk, vfi_shrunk_value(above, below, row.weight,
                                         vfi_shrunk_place(x, area->whole_w, area->scale),
                                         area->x));
    }
    least[own] = whole;
    least[(size_t)STRIPS * STRIP_THREADS + own] = shrunk;
}

/* least[i], i < STRIP_THREADS, becomes that of all strips, of both pictures. */
static __global__ void __launch_bounds__(STRIP_THREADS) least_of_threads(float *least)
{
    float *values = least + (size_t)blockIdx.x * STRIPS * STRIP_THREADS + threadIdx.x;
    float found = VFI_MINIMUM_OF_NOTHING;

    VFI_UNROLL_BY_8
    for (int strip = 0; strip < STRIPS; strip++)
        found = least_of(found, values[strip * STRIP_THREADS]);
    values[0] = found;
}

static __global__ void finish_minimum(const float *least, float *result)
{
    const float *values = least + (size_t)threadIdx.x * STRIPS * STRIP_THREADS;
    float found = VFI_MINIMUM_OF_NOTHING;

    VFI_UNROLL_BY_8
    for (int i = 0; i < STRIP_THREADS; i++)
        found = least_of(found, values[i]);
    result[threadIdx.x] = found;
}

size_t vfi_cuda_image_minimum_scratch(void)
{
    return (size_t)2 * STRIPS * STRIP_THREADS;
}

cudaError_t vfi_cuda_image_minimum(cudaStream_t stream, const float *image, int padded_w,
                                   int padded_h, const VfiMinimumArea *area,
                                   float *scratch, float *result)
{
    MinimumParameters p = {};

    p.values = image;
    p.padded_w = padded_w;
    p.padded_h = padded_h;
    p.area = *area;
    if (area->scale > 0.0) {
        p.begin_x = vfi_shrunk_begin(area->x, area->whole_w, area->scale);
        p.end_x = vfi_shrunk_begin(area->x + area->width, area->whole_w, area->scale);
        p.begin_y = vfi_shrunk_begin(area->y, area->whole_h, area->scale);
        p.end_y = vfi_shrunk_begin(area->y + area->height, area->whole_h, area->scale);
    }
    VFI_LAUNCH(least_of_strips, dim3(STRIPS), dim3(STRIP_THREADS), stream, p, scratch);
    VFI_LAUNCH(least_of_threads, dim3(2), dim3(STRIP_THREADS), stream, scratch);
    VFI_LAUNCH(finish_minimum, dim3(1), dim3(2), stream, (const float *)scratch, result);
    return cudaGetLastError();
}
