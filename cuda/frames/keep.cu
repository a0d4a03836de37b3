/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of a picture that stay as they are: a thread has one sample of one component. The
 * formulas are those of engine/pixels/kept_samples.c. */
#include "frames/frame_kernels.h"
#include "frames/mean.cuh"
#include "frames/samples.cuh"

struct KeepParameters {
    FormatParameters format;
    FrameSamples a, b, out;
    bool is_chroma[4];   /* components of the grid that shift_x and shift_y make */
    const uint8_t *mask; /* or NULL */
    VfiRectangle regions[VFI_MAX_KEPT];
    int n_regions;
    uint32_t weight; /* of frame 1 */
};

/* How much of a luma pixel is kept, in 1/255. */
static __device__ __forceinline__ uint32_t kept_pixel(const KeepParameters *p, int x,
                                                      int y)
{
    for (int i = 0; i < p->n_regions; i++) {
        const VfiRectangle *region = &p->regions[i];
        if (x >= region->x && x - (int64_t)region->x < region->width && y >= region->y &&
            y - (int64_t)region->y < region->height)
            return 255;
    }
    return p->mask != NULL ? p->mask[(size_t)y * (size_t)p->format.width + x] : 0;
}

/* Of a sample at (@x, @y) of chroma's grid: the mean of the luma pixels that it is
 * co-sited with. */
static __device__ __forceinline__ uint32_t kept_chroma(const KeepParameters *p, int x,
                                                       int y)
{
    const FormatParameters *format = &p->format;
    const int pair_x = format->shift_x && !format->cosited_x;
    const int pair_y = format->shift_y && !format->cosited_y;
    const int shift = pair_x + pair_y;
    uint32_t sum = 0;

    for (int j = 0; j <= pair_y; j++)
        for (int i = 0; i <= pair_x; i++)
            sum += kept_pixel(p, at_most((x << format->shift_x) + i, format->width - 1),
                              at_most((y << format->shift_y) + j, format->height - 1));
    return (sum + (1u << shift >> 1)) >> shift;
}

static __device__ __forceinline__ uint32_t mixed(uint32_t made, uint32_t blend,
                                                 uint32_t kept)
{
    return (made * (255 - kept) + blend * kept + 127) / 255;
}

/* Mixes the blend of both frames' samples in. */
template <int BYTES>
static __device__ __forceinline__ void mix_codes(const KeepParameters *p,
                                                 const uint8_t *a, const uint8_t *b,
                                                 uint8_t *out, uint32_t kept)
{
    const int shift = p->format.shift;

    if (BYTES == 1) {
        *out = (uint8_t)mixed(*out, mean_code(*a, *b, p->weight), kept);
        return;
    }
    uint16_t *word = (uint16_t *)(void *)out;
    const uint32_t first = (uint32_t) * (const uint16_t *)(const void *)a >> shift;
    const uint32_t second = (uint32_t) * (const uint16_t *)(const void *)b >> shift;
    *word = (uint16_t)(mixed((uint32_t)*word >> shift,
                             mean_code(first, second, p->weight), kept)
                       << shift);
}

static __device__ __forceinline__ void mix_floats(const KeepParameters *p,
                                                  const uint8_t *a, const uint8_t *b,
                                                  uint8_t *out, uint32_t kept)
{
    const float t = (float)p->weight / (float)WEIGHT_ONE;
    const float blend = *(const float *)(const void *)a * (1.0f - t) +
                        *(const float *)(const void *)b * t;
    const float part = (float)kept / 255.0f;
    float *value = (float *)(void *)out;

    *value = *value * (1.0f - part) + blend * part;
}

template <int BYTES> static __global__ void keep(const __grid_constant__ KeepParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const int c = (int)blockIdx.z;
    const bool is_chroma = p.is_chroma[c];

    if (x >= (is_chroma ? p.format.chroma_width : p.format.width) ||
        y >= (is_chroma ? p.format.chroma_height : p.format.height))
        return;
    const uint32_t kept = is_chroma ? kept_chroma(&p, x, y) : kept_pixel(&p, x, y);
    if (kept == 0)
        return;
    const uint8_t *a = sample_at(&p.a.component[c], x, y);
    const uint8_t *b = sample_at(&p.b.component[c], x, y);
    uint8_t *out = sample_at(&p.out.component[c], x, y);
    if (BYTES == 4)
        mix_floats(&p, a, b, out, kept);
    else
        mix_codes<BYTES>(&p, a, b, out, kept);
}

cudaError_t vfi_cuda_keep(cudaStream_t stream, const VfiVideoInfo *info,
                          const VfiFrame *frame0, const VfiFrame *frame1, double t,
                          const VfiKeep *kept, const uint8_t *mask, const VfiFrame *out)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const dim3 grid = grid_over(info->width, info->height, format->n_components);
    const dim3 block(BLOCK_X, BLOCK_Y);
    KeepParameters p = {};

    p.format = format_parameters(info);
    p.a = frame_samples(info, frame0, &p.format);
    p.b = frame_samples(info, frame1, &p.format);
    p.out = frame_samples(info, out, &p.format);
    for (int c = 0; c < format->n_components; c++)
        p.is_chroma[c] =
            format->component[c].shift_x != 0 || format->component[c].shift_y != 0;
    p.mask = mask;
    p.n_regions = kept->n_regions;
    for (int i = 0; i < kept->n_regions; i++)
        p.regions[i] = kept->regions[i];
    p.weight = blend_weight(t);
    if (format->sample_bytes == 1)
        VFI_LAUNCH(keep<1>, grid, block, stream, p);
    else if (format->sample_bytes == 2)
        VFI_LAUNCH(keep<2>, grid, block, stream, p);
    else
        VFI_LAUNCH(keep<4>, grid, block, stream, p);
    return cudaGetLastError();
}
