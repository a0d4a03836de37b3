/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's components on a grid of boxes. */
#include "pixels/level.h"

#include "pixels/format.h"
#include "pixels/samples.h"

/* Components that are averaged, with their weights, and boxes of their samples. */
typedef struct {
    const VfiFormatDescription *format;
    const VfiFrame *frame;
    const VfiComponent *component; /* the first; all of the same subsampling */
    VfiLumaWeights weights;
    int w, h;         /* samples */
    int log_w, log_h; /* of a box */
    float scale;
} Boxes;

static Boxes boxes_of(const VfiVideoInfo *info, const VfiFrame *frame, int component,
                      int level)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const bool is_luma = component == VFI_GRID_LUMA;
    const VfiComponent *first = &format->component[is_luma ? 0 : component];
    const float most =
        format->sample_bytes == 4 ? 1.0f : (float)((1u << format->depth) - 1);
    const int log_w = level - first->shift_x, log_h = level - first->shift_y;

    return (Boxes){
        .format = format,
        .frame = frame,
        .component = first,
        .weights = is_luma ? vfi_luma_weights(format) : (VfiLumaWeights){1, {1.0f}},
        .w = vfi_subsampled(info->width, first->shift_x),
        .h = vfi_subsampled(info->height, first->shift_y),
        .log_w = log_w,
        .log_h = log_h,
        .scale = 255.0f / (most * (float)(1 << (log_w + log_h))),
    };
}

/* Line @k of the boxes in row @y of the grid: edges repeat. */
static int line_of(const Boxes *boxes, int y, int k)
{
    const int line = (y << boxes->log_h) + k;

    return line < boxes->h ? line : boxes->h - 1;
}

/* ---- bytes side by side ------------------------------------------------------------ */

static void add_bytes(uint16_t *restrict sum, const uint8_t *restrict in, int n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sum[i] = (uint16_t)(sum[i] + in[i]);
}

/* Sums of neighbours: a word holds two of them, in either order. */
static void add_pairs(uint16_t *restrict out, const uint16_t *restrict in, int n)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        uint32_t pair;
        memcpy(&pair, in + 2 * i, sizeof pair);
        out[i] = (uint16_t)((pair & 0xffff) + (pair >> 16));
    }
}

static void store_sums(float *restrict out, const uint16_t *restrict sum, int n,
                       float scale)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = scale * (float)sum[i];
}

/* @n boxes from sample @x on, of which there are @samples. 8 × 8 bytes fit a sum. */
static void byte_boxes(const Boxes *boxes, int x, int samples, int y, float *out, int n)
{
    uint16_t sum[2][VFI_PIXELS_BLOCK];
    int from = 0, width = n << boxes->log_w;

    for (int i = 0; i < width; i++)
        sum[0][i] = 0;
    for (int k = 0; k < 1 << boxes->log_h; k++)
        add_bytes(sum[0],
                  vfi_sample_at(boxes->frame, boxes->component, x, line_of(boxes, y, k)),
                  samples);
    for (int i = samples; i < width; i++)
        sum[0][i] = sum[0][samples - 1];
    for (; width > n; from = 1 - from) {
        width /= 2;
        add_pairs(sum[1 - from], sum[from], width);
    }
    store_sums(out, sum[from], n, boxes->scale);
}

/* ---- anything else ----------------------------------------------------------------- */

static void add_weighted(float *restrict sum, const float *restrict codes, int n,
                         float weight)
{
    for (ptrdiff_t i = 0; i < n; i++)
        sum[i] += weight * codes[i];
}

static void add_line(const Boxes *boxes, int x, int y, int n, float *sum)
{
    float codes[VFI_PIXELS_BLOCK];

    for (int c = 0; c < boxes->weights.n; c++) {
        const VfiComponent *component = boxes->component + c;

        vfi_load_codes(codes, vfi_sample_at(boxes->frame, component, x, y), n,
                       boxes->format, component);
        for (int i = 0; boxes->format->sample_bytes == 4 && i < n; i++)
            codes[i] = vfi_clamp(codes[i], 1.0f);
        add_weighted(sum, codes, n, boxes->weights.weight[c]);
    }
}

static void add_float_pairs(float *restrict out, const float *restrict in, int n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = in[2 * i] + in[2 * i + 1];
}

static void float_boxes(const Boxes *boxes, int x, int samples, int y, float *out, int n)
{
    float sum[2][VFI_PIXELS_BLOCK];
    int from = 0, width = n << boxes->log_w;

    for (int i = 0; i < width; i++)
        sum[0][i] = 0.0f;
    for (int k = 0; k < 1 << boxes->log_h; k++)
        add_line(boxes, x, line_of(boxes, y, k), samples, sum[0]);
    for (int i = samples; i < width; i++)
        sum[0][i] = sum[0][samples - 1];
    for (; width > n; from = 1 - from) {
        width /= 2;
        add_float_pairs(sum[1 - from], sum[from], width);
    }
    for (int i = 0; i < n; i++)
        out[i] = boxes->scale * sum[from][i];
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_grid)(const VfiVideoInfo *info, const VfiFrame *frame,
                                          int component, int level, float *out,
                                          size_t row, int begin, int end)
{
    const Boxes boxes = boxes_of(info, frame, component, level);
    const bool is_bytes = boxes.format->sample_bytes == 1 && boxes.weights.n == 1 &&
                          boxes.component->pixel_stride == 1;

    for (int y = begin; y < end; y++)
        for (int x = 0; x < boxes.w; x += VFI_PIXELS_BLOCK) {
            const int samples =
                boxes.w - x < VFI_PIXELS_BLOCK ? boxes.w - x : VFI_PIXELS_BLOCK;
            const int n = vfi_subsampled(samples, boxes.log_w);
            float *to = out + (size_t)y * row + (x >> boxes.log_w);

            if (is_bytes)
                byte_boxes(&boxes, x, samples, y, to, n);
            else
                float_boxes(&boxes, x, samples, y, to, n);
        }
}
