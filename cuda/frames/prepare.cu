/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's planes → the network's input: f32 RGB in planes, rounded up in size and zero
 * outside of the frame. Four times as much is written as is read, and more, so each
 * thread makes four neighbouring pixels and stores them in accesses of 16 bytes. Chroma
 * between samples is interpolated down first, then across, as the CPU does it. Where a
 * frame is mirrored, a second kernel copies what lies outside from inside. */
#include "frames/frame_kernels.h"
#include "frames/samples.cuh"

#define PIXELS 4

struct PrepareParameters {
    FormatParameters format;
    FrameSamples frame;
    VfiColour colour;
    bool grey;
    float *out;
    size_t plane; /* floats */
    int padded_w, padded_h;
    bool aligned; /* rows of out, to 16 bytes */
};

/* vfi_reflected() on the device. */
static __device__ int reflected(int i, int size)
{
    int period = 2 * (size - 1), at = size == 1 ? 0 : i % period;

    return at < size ? at : period - at;
}

/* Two neighbouring rows and the weight of the second. */
struct Between {
    int first, second;
    float weight;
};

/* Where luma row @at lies among @count chroma rows; edges repeat. */
static __device__ Between chroma_position(int at, int count, int shift, bool cosited)
{
    Between between = {at, at, 0};

    if (shift == 0)
        return between;
    if (cosited) {
        between.first = at / 2;
        between.weight = at % 2 ? 0.5f : 0.0f;
    } else {
        between.first = (at + 1) / 2 - 1; /* at/2 − 1/4 */
        between.weight = at % 2 ? 0.25f : 0.75f;
    }
    between.second = at_most(between.first + 1, count - 1);
    between.first = between.first < 0 ? 0 : between.first;
    return between;
}

/* The codes of four samples from column @x on; beyond @width the last one repeats. */
template <int BYTES>
static __device__ __forceinline__ void load_codes(const Samples *samples, int x, int y,
                                                  int width, int shift, float *codes)
{
    const uint8_t *first = sample_at(samples, x, y);

    if (samples->pixel_stride == BYTES && x + PIXELS <= width &&
        is_aligned(first, PIXELS * BYTES)) {
        if (BYTES == 1) {
            uint32_t word = *(const uint32_t *)(const void *)first;
            for (int i = 0; i < PIXELS; i++)
                codes[i] = (float)(word >> (8 * i) & 255);
        } else if (BYTES == 2) {
            uint64_t word = *(const uint64_t *)(const void *)first;
            for (int i = 0; i < PIXELS; i++)
                codes[i] = (float)((uint32_t)(word >> (16 * i) & 65535) >> shift);
        } else {
            Floats4 values = *(const Floats4 *)(const void *)first;
            for (int i = 0; i < PIXELS; i++)
                codes[i] = values.value[i];
        }
        return;
    }
    for (int i = 0; i < PIXELS; i++)
        codes[i] =
            load_code<BYTES>(sample_at(samples, at_most(x + i, width - 1), y), shift);
}

template <int BYTES>
static __device__ __forceinline__ float chroma_code(const Samples *samples, int x,
                                                    const Between *row, int shift)
{
    float above = load_code<BYTES>(sample_at(samples, x, row->first), shift);

    if (row->weight > 0) {
        float below = load_code<BYTES>(sample_at(samples, x, row->second), shift);
        above = above * (1.0f - row->weight) + below * row->weight;
    }
    return above;
}

/* Chroma codes at four luma columns from @x, a multiple of four, on. */
template <int BYTES>
static __device__ __forceinline__ void load_chroma(const FormatParameters *format,
                                                   const Samples *samples, int x,
                                                   const Between *row, float *codes)
{
    const int last = format->chroma_width - 1, shift = format->shift;
    const int left = format->shift_x ? x / 2 - 1 : x;
    float in[PIXELS];

    for (int i = 0; i < PIXELS; i++)
        in[i] = chroma_code<BYTES>(samples, clamp_index(left + i, last), row, shift);
    if (!format->shift_x) {
        for (int i = 0; i < PIXELS; i++)
            codes[i] = in[i];
    } else if (format->cosited_x) {
        codes[0] = in[1];
        codes[1] = (in[1] + in[2]) * 0.5f;
        codes[2] = in[2];
        codes[3] = (in[2] + in[3]) * 0.5f;
    } else {
        codes[0] = in[0] * 0.25f + in[1] * 0.75f;
        codes[1] = in[1] * 0.75f + in[2] * 0.25f;
        codes[2] = in[1] * 0.25f + in[2] * 0.75f;
        codes[3] = in[2] * 0.75f + in[3] * 0.25f;
    }
}

/* Stores four values of a channel from column @x of row @y on; zeros outside of the
 * frame. */
static __device__ __forceinline__ void
store_channel(const PrepareParameters *p, int channel, int x, int y, const float *values)
{
    float *out =
        p->out + (size_t)channel * p->plane + (size_t)y * (size_t)p->padded_w + (size_t)x;
    const int inside = y < p->format.height ? p->format.width : 0;
    Floats4 run;

    for (int i = 0; i < PIXELS; i++)
        run.value[i] = x + i < inside ? values[i] : 0.0f;
    if (p->aligned) {
        *(Floats4 *)(void *)out = run;
        return;
    }
    for (int i = 0; i < PIXELS; i++)
        if (x + i < p->padded_w)
            out[i] = run.value[i];
}

template <int BYTES> static __global__ void prepare_ycbcr(PrepareParameters p)
{
    const int x = PIXELS * (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const FormatParameters *format = &p.format;
    const float offset_y = p.colour.offset[0], offset_c = p.colour.offset[1];
    const float scale_y = p.colour.to_rgb[0][0], red_v = p.colour.to_rgb[0][2];
    const float green_u = p.colour.to_rgb[1][1], green_v = p.colour.to_rgb[1][2];
    const float blue_u = p.colour.to_rgb[2][1];
    float luma[PIXELS] = {}, u[PIXELS] = {}, v[PIXELS] = {}, green[PIXELS];

    if (x >= p.padded_w || y >= p.padded_h)
        return;
    if (x < format->width && y < format->height) {
        const Between row =
            chroma_position(y, format->chroma_height, format->shift_y, format->cosited_y);

        load_codes<BYTES>(&p.frame.component[0], x, y, format->width, format->shift,
                          luma);
        load_chroma<BYTES>(format, &p.frame.component[1], x, &row, u);
        load_chroma<BYTES>(format, &p.frame.component[2], x, &row, v);
    }
    for (int i = 0; i < PIXELS; i++) {
        const float level = (luma[i] - offset_y) * scale_y;
        const float cb = u[i] - offset_c, cr = v[i] - offset_c;

        luma[i] = clamp_code(level + red_v * cr, 1.0f);
        green[i] = clamp_code(level + green_u * cb + green_v * cr, 1.0f);
        u[i] = clamp_code(level + blue_u * cb, 1.0f);
    }
    store_channel(&p, 0, x, y, luma);
    store_channel(&p, 1, x, y, green);
    store_channel(&p, 2, x, y, u);
}

/* RGB and grey: one component makes one channel, or all three. */
template <int BYTES> static __global__ void prepare_rgb(PrepareParameters p)
{
    const int x = PIXELS * (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const FormatParameters *format = &p.format;
    const bool inside = x < format->width && y < format->height;
    uint32_t pixel[PIXELS] = {};

    if (x >= p.padded_w || y >= p.padded_h)
        return;
    if (inside && format->words) {
        const uint8_t *row = p.frame.pixels + y * p.frame.pixels_stride;

        for (int i = 0; i < PIXELS; i++)
            pixel[i] = *(
                const uint32_t *)(const void *)(row + 4 * (ptrdiff_t)at_most(
                                                              x + i, format->width - 1));
    }
    for (int channel = 0; channel < 3; channel++) {
        const Samples *samples = &p.frame.component[p.grey ? 0 : channel];
        const float offset = p.colour.offset[p.grey ? 0 : channel];
        const float scale =
            p.grey ? p.colour.to_rgb[channel][0] : p.colour.to_rgb[channel][channel];
        float codes[PIXELS] = {};

        if (format->words)
            for (int i = 0; i < PIXELS; i++)
                codes[i] = (float)(pixel[i] >> format->bit[channel] & 255);
        else if (inside)
            load_codes<BYTES>(samples, x, y, format->width, format->shift, codes);
        for (int i = 0; i < PIXELS; i++)
            codes[i] = clamp_code((codes[i] - offset) * scale, 1.0f);
        store_channel(&p, channel, x, y, codes);
    }
}

struct MirrorParameters {
    float *out;
    size_t plane; /* floats */
    int width, height, padded_w, padded_h;
};

static __global__ void mirror(MirrorParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const size_t row = (size_t)p.padded_w;

    if (x >= p.padded_w || y >= p.padded_h || (x < p.width && y < p.height))
        return;
    const size_t from =
        (size_t)reflected(y, p.height) * row + (size_t)reflected(x, p.width);
    for (int channel = 0; channel < 3; channel++) {
        float *plane = p.out + (size_t)channel * p.plane;
        plane[(size_t)y * row + (size_t)x] = plane[from];
    }
}

cudaError_t vfi_cuda_prepare(cudaStream_t stream, const VfiVideoInfo *info,
                             const VfiFrame *frame, float *image, int padded_w,
                             int padded_h, VfiPadding padding)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const dim3 grid = grid_over((padded_w + PIXELS - 1) / PIXELS, padded_h, 1);
    const dim3 block(BLOCK_X, BLOCK_Y);
    PrepareParameters p = {};

    p.format = format_parameters(info);
    p.frame = frame_samples(info, frame, &p.format);
    vfi_colour_init(&p.colour, info);
    p.grey = format->colour == VFI_FAMILY_GREY;
    p.out = image;
    p.plane = (size_t)padded_w * (size_t)padded_h;
    p.padded_w = padded_w;
    p.padded_h = padded_h;
    p.aligned = padded_w % PIXELS == 0 && ((size_t)image & (sizeof(Floats4) - 1)) == 0;
    if (format->colour == VFI_FAMILY_YUV && format->sample_bytes == 1)
        VFI_LAUNCH(prepare_ycbcr<1>, grid, block, stream, p);
    else if (format->colour == VFI_FAMILY_YUV)
        VFI_LAUNCH(prepare_ycbcr<2>, grid, block, stream, p);
    else if (format->sample_bytes == 1)
        VFI_LAUNCH(prepare_rgb<1>, grid, block, stream, p);
    else if (format->sample_bytes == 2)
        VFI_LAUNCH(prepare_rgb<2>, grid, block, stream, p);
    else
        VFI_LAUNCH(prepare_rgb<4>, grid, block, stream, p);
    if (padding == VFI_PAD_REFLECT &&
        (padded_w > info->width || padded_h > info->height)) {
        MirrorParameters m = {image,        p.plane,  info->width,
                              info->height, padded_w, padded_h};
        VFI_LAUNCH(mirror, grid_over(padded_w, padded_h, 1), block, stream, m);
    }
    return cudaGetLastError();
}
