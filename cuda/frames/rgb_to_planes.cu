/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The RGB picture that a network gives → planes: the inverse of prepare. Chroma is the
 * mean of the RGB around its site, taken before the matrix (which is linear, so that the
 * order does not matter but for rounding). A thread makes one chroma sample and the luma
 * that it covers, or one pixel; RGB that it shares with its neighbours comes from the
 * first-level cache. */
#include "frames/frame_kernels.h"
#include "frames/mean.cuh"
#include "frames/samples.cuh"

struct RgbParameters {
    FormatParameters format;
    FrameSamples frame[2], out;
    VfiColour colour;
    VfiRgbPicture picture;
    uint32_t weight; /* of the second frame's alpha */
    int begin, end;  /* luma rows */
};

struct Rgb {
    float channel[3];
};

static __device__ __forceinline__ const float *picture_at(const RgbParameters *p, int x,
                                                          int y)
{
    return p->picture.rgb +
           (size_t)(y - p->picture.first_row) * (size_t)p->picture.padded_w + (size_t)x;
}

static __device__ __forceinline__ Rgb load_rgb(const RgbParameters *p, int x, int y)
{
    const float *at = picture_at(p, x, y);

    return {{clamp_code(at[0], 1.0f), clamp_code(at[p->picture.plane], 1.0f),
             clamp_code(at[2 * p->picture.plane], 1.0f)}};
}

static __device__ __forceinline__ float code_of(const RgbParameters *p, int c,
                                                const Rgb *rgb)
{
    const float *to_code = p->colour.to_code[c];

    return to_code[0] * rgb->channel[0] + to_code[1] * rgb->channel[1] +
           to_code[2] * rgb->channel[2] + p->colour.offset[c];
}

/* The blend of both frames' alpha. */
template <int BYTES>
static __device__ __forceinline__ uint32_t mean_alpha(const RgbParameters *p, int x,
                                                      int y)
{
    const uint8_t *a = sample_at(&p->frame[0].component[3], x, y);
    const uint8_t *b = sample_at(&p->frame[1].component[3], x, y);

    if (BYTES == 1)
        return mean_code(*a, *b, p->weight);
    return mean_code((uint32_t)(*(const uint16_t *)(const void *)a) >> p->format.shift,
                     (uint32_t)(*(const uint16_t *)(const void *)b) >> p->format.shift,
                     p->weight);
}

template <int BYTES>
static __device__ __forceinline__ void rgb_to_alpha(const RgbParameters *p, int x, int y)
{
    uint8_t *out = sample_at(&p->out.component[3], x, y);

    if (BYTES == 1)
        *out = (uint8_t)mean_alpha<BYTES>(p, x, y);
    else
        *(uint16_t *)(void *)out =
            (uint16_t)(mean_alpha<BYTES>(p, x, y) << p->format.shift);
}

template <int BYTES>
static __device__ __forceinline__ void rgb_to_component(const RgbParameters *p, int c,
                                                        int x, int y, const Rgb *rgb)
{
    store_code<BYTES>(sample_at(&p->out.component[c], x, y), code_of(p, c, rgb),
                      p->format.shift, p->format.limit);
}

/* Stores a 4-byte pixel at once. */
static __device__ __forceinline__ void rgb_to_word(const RgbParameters *p, int x, int y,
                                                   const Rgb *rgb)
{
    uint8_t *row = p->out.pixels + y * p->out.pixels_stride;
    uint32_t word = filler_word(p->format.filler);

    for (int c = 0; c < 3; c++)
        word |= round_code(code_of(p, c, rgb), p->format.limit) << p->format.bit[c];
    if (p->format.n_components == 4)
        word |= mean_alpha<1>(p, x, y) << p->format.bit[3];
    ((uint32_t *)(void *)row)[x] = word;
}

/* All components of a format without subsampling. */
template <int BYTES> static __global__ void rgb_to_whole(RgbParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = p.begin + (int)(blockIdx.y * blockDim.y + threadIdx.y);

    if (x >= p.format.width || y >= p.end)
        return;
    const Rgb rgb = load_rgb(&p, x, y);
    if (BYTES == 1 && p.format.words) {
        rgb_to_word(&p, x, y, &rgb);
        return;
    }
    for (int c = 0; c < 3; c++)
        if (c < p.format.n_components)
            rgb_to_component<BYTES>(&p, c, x, y, &rgb);
    if (p.format.n_components == 4)
        rgb_to_alpha<BYTES>(&p, x, y);
    store_filler(&p.out, p.format.filler, x, y);
}

/* RGB_F32: the values as the network gives them. */
static __global__ void rgb_to_f32(RgbParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = p.begin + (int)(blockIdx.y * blockDim.y + threadIdx.y);

    if (x >= p.format.width || y >= p.end)
        return;
    for (int c = 0; c < 3; c++)
        *(float *)(void *)sample_at(&p.out.component[c], x, y) =
            picture_at(&p, x, y)[(size_t)c * p.picture.plane];
}

/* *sum = or += weight × the row's RGB. */
static __device__ __forceinline__ void add_rgb(const Rgb *rgb, float weight, bool first,
                                               Rgb *sum)
{
    for (int i = 0; i < 3; i++)
        sum->channel[i] =
            first ? rgb->channel[i] * weight : sum->channel[i] + rgb->channel[i] * weight;
}

/* RGB of luma column @x, weighted over the rows of chroma row @y: co-sited chroma lies on
 * an even luma row and weighs its neighbours 1 2 1, centred chroma lies between two rows.
 * Edges repeat. */
static __device__ __forceinline__ Rgb sum_rows(const RgbParameters *p, int x, int y)
{
    const int last = p->format.height - 1;
    const int column = clamp_index(x, p->format.width - 1);
    Rgb sum = load_rgb(p, column, y << p->format.shift_y);

    if (p->format.shift_y == 0)
        return sum;
    const Rgb middle = sum, below = load_rgb(p, column, at_most(2 * y + 1, last));
    if (!p->format.cosited_y) {
        add_rgb(&middle, 0.5f, true, &sum);
        add_rgb(&below, 0.5f, false, &sum);
        return sum;
    }
    const Rgb above = load_rgb(p, column, clamp_index(2 * y - 1, last));
    add_rgb(&above, 0.25f, true, &sum);
    add_rgb(&middle, 0.5f, false, &sum);
    add_rgb(&below, 0.25f, false, &sum);
    return sum;
}

/* RGB at the site of chroma sample (x, y). */
static __device__ __forceinline__ Rgb rgb_at_site(const RgbParameters *p, int x, int y)
{
    const Rgb middle = sum_rows(p, 2 * x, y), right = sum_rows(p, 2 * x + 1, y);
    Rgb rgb;

    if (!p->format.cosited_x) {
        for (int i = 0; i < 3; i++)
            rgb.channel[i] = (middle.channel[i] + right.channel[i]) * 0.5f;
        return rgb;
    }
    const Rgb left = sum_rows(p, 2 * x - 1, y);
    for (int i = 0; i < 3; i++)
        rgb.channel[i] =
            (left.channel[i] + right.channel[i]) * 0.25f + middle.channel[i] * 0.5f;
    return rgb;
}

template <int BYTES>
static __device__ __forceinline__ void rgb_to_chroma(const RgbParameters *p, int x, int y)
{
    typedef typename PairWord<BYTES>::Word Word;
    const Rgb rgb = rgb_at_site(p, x, y);

    if (!p->format.pair) {
        rgb_to_component<BYTES>(p, 1, x, y, &rgb);
        rgb_to_component<BYTES>(p, 2, x, y, &rgb);
        return;
    }
    uint8_t *row = p->out.pairs + y * p->out.pairs_stride;
    const uint32_t u = round_code(code_of(p, 1, &rgb), p->format.limit);
    const uint32_t v = round_code(code_of(p, 2, &rgb), p->format.limit);
    ((Word *)(void *)row)[x] = (Word)(u << p->format.bit[1] | v << p->format.bit[2]);
}

template <int BYTES> static __global__ void rgb_to_subsampled(RgbParameters p)
{
    const int shift_y = p.format.shift_y;
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (p.begin >> shift_y) + (int)(blockIdx.y * blockDim.y + threadIdx.y);

    if (x >= p.format.chroma_width || y << shift_y >= p.end)
        return;
    for (int row = 0; row <= shift_y; row++)
        for (int column = 0; column < 2; column++) {
            const int luma_x = 2 * x + column, luma_y = (y << shift_y) + row;

            if (luma_x >= p.format.width || luma_y >= p.end)
                continue;
            const Rgb rgb = load_rgb(&p, luma_x, luma_y);
            rgb_to_component<BYTES>(&p, 0, luma_x, luma_y, &rgb);
            if (p.format.n_components == 4)
                rgb_to_alpha<BYTES>(&p, luma_x, luma_y);
        }
    rgb_to_chroma<BYTES>(&p, x, y);
}

cudaError_t vfi_cuda_rgb_to_planes(cudaStream_t stream, const VfiVideoInfo *info,
                                   const VfiRgbPicture *picture, const VfiFrame *frame0,
                                   const VfiFrame *frame1, double t, const VfiFrame *out,
                                   int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const dim3 block(BLOCK_X, BLOCK_Y);
    RgbParameters p = {};

    p.format = format_parameters(info);
    p.out = frame_samples(info, out, &p.format);
    if (format->has_alpha) {
        FormatParameters reads = p.format; /* alpha is read by samples, at any address */

        p.frame[0] = frame_samples(info, frame0, &reads);
        p.frame[1] = frame_samples(info, frame1, &reads);
    }
    vfi_colour_init(&p.colour, info);
    p.picture = *picture;
    p.weight = blend_weight(t);
    p.begin = begin;
    p.end = end;
    if (begin >= end)
        return cudaSuccess;

    const int rows = vfi_subsampled(end, p.format.shift_y) - (begin >> p.format.shift_y);
    const dim3 grid = grid_over(p.format.chroma_width, rows, 1);
    if (format->sample_bytes == 4)
        VFI_LAUNCH(rgb_to_f32, grid, block, stream, p);
    else if (p.format.shift_x == 0 && format->sample_bytes == 1)
        VFI_LAUNCH(rgb_to_whole<1>, grid, block, stream, p);
    else if (p.format.shift_x == 0)
        VFI_LAUNCH(rgb_to_whole<2>, grid, block, stream, p);
    else if (format->sample_bytes == 1)
        VFI_LAUNCH(rgb_to_subsampled<1>, grid, block, stream, p);
    else
        VFI_LAUNCH(rgb_to_subsampled<2>, grid, block, stream, p);
    return cudaGetLastError();
}
