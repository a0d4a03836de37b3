/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planes → the network's input: f32 RGB, padded beyond the frame. Works through a row in
 * blocks whose scratch fits the stack. */
#include "pixels/level.h"

#include "pixels/colour.h"
#include "pixels/format.h"
#include "pixels/samples.h"

typedef struct {
    const VfiVideoInfo *info;
    const VfiFrame *frame;
    const VfiFormatDescription *format;
    VfiColour colour;
} Source;

/* Two neighbouring samples and the weight of the second: position = first + weight. */
typedef struct {
    int first, second;
    float weight;
} Between;

/* Where luma position @at lies among @count chroma samples; edges repeat. */
static Between chroma_position(int at, int count, int shift, bool cosited)
{
    Between between = {.first = at, .second = at, .weight = 0};

    if (shift == 0)
        return between;
    if (cosited) {
        between.first = at / 2;
        between.weight = at % 2 ? 0.5f : 0.0f;
    } else {
        between.first = (at + 1) / 2 - 1; /* at/2 − 1/4 */
        between.weight = at % 2 ? 0.25f : 0.75f;
    }
    between.second = between.first + 1 < count ? between.first + 1 : count - 1;
    if (between.first < 0)
        between.first = 0;
    return between;
}

/* out[k] = chroma code at column first+k of row @y; columns outside the plane repeat its
 * edge. */
static void load_chroma(const Source *source, const VfiComponent *component, float *out,
                        int first, int n, int y)
{
    const int width = vfi_subsampled(source->info->width, component->shift_x);
    const int begin = first > 0 ? first : 0;
    const int end = first + n < width ? first + n : width;

    vfi_load_codes(out + (begin - first),
                   vfi_sample_at(source->frame, component, begin, y), end - begin,
                   source->format, component);
    for (int k = 0; k < begin - first; k++)
        out[k] = out[begin - first];
    for (int k = end - first; k < n; k++)
        out[k] = out[end - first - 1];
}

/* in[k] is the chroma sample k−1 of this block; two luma columns for each from 0 on. */
static void upsample_centred(float *restrict out, const float *restrict in, int pairs)
{
    for (ptrdiff_t k = 0; k < pairs; k++) {
        out[2 * k] = in[k] * 0.25f + in[k + 1] * 0.75f;
        out[2 * k + 1] = in[k + 1] * 0.75f + in[k + 2] * 0.25f;
    }
}

static void upsample_cosited(float *restrict out, const float *restrict in, int pairs)
{
    for (ptrdiff_t k = 0; k < pairs; k++) {
        out[2 * k] = in[k + 1];
        out[2 * k + 1] = (in[k + 1] + in[k + 2]) * 0.5f;
    }
}

/* out = chroma codes at the @n luma columns from the even column @x on, in luma row
 * @y. */
static void chroma_block(const Source *source, int component_index, float *out, int x,
                         int n, int y)
{
    const VfiComponent *component = &source->format->component[component_index];
    const int site = (int)source->info->chroma_site;
    const int rows = vfi_subsampled(source->info->height, component->shift_y);
    const Between row = chroma_position(y, rows, component->shift_y,
                                        (site & VFI_CHROMA_SITE_VERTICAL) != 0);
    const int pairs = (n + 1) / 2;
    const int first = component->shift_x ? x / 2 - 1 : x;
    const int count = component->shift_x ? pairs + 2 : n;
    float above[VFI_PIXELS_BLOCK], below[VFI_PIXELS_BLOCK];

    load_chroma(source, component, above, first, count, row.first);
    if (row.weight > 0) {
        load_chroma(source, component, below, first, count, row.second);
        for (int k = 0; k < count; k++)
            above[k] = above[k] * (1.0f - row.weight) + below[k] * row.weight;
    }
    if (!component->shift_x)
        memcpy(out, above, (size_t)n * sizeof *out);
    else if (site & VFI_CHROMA_SITE_HORIZONTAL)
        upsample_cosited(out, above, pairs);
    else
        upsample_centred(out, above, pairs);
}

static void matrix_block(const VfiColour *colour, const float *restrict y,
                         const float *restrict u, const float *restrict v,
                         float *restrict red, float *restrict green, float *restrict blue,
                         int n)
{
    const float offset_y = colour->offset[0], offset_c = colour->offset[1];
    const float scale_y = colour->to_rgb[0][0], red_v = colour->to_rgb[0][2];
    const float green_u = colour->to_rgb[1][1], green_v = colour->to_rgb[1][2];
    const float blue_u = colour->to_rgb[2][1];

    for (int i = 0; i < n; i++) {
        float luma = (y[i] - offset_y) * scale_y;
        float cb = u[i] - offset_c, cr = v[i] - offset_c;
        red[i] = vfi_clamp(luma + red_v * cr, 1.0f);
        green[i] = vfi_clamp(luma + green_u * cb + green_v * cr, 1.0f);
        blue[i] = vfi_clamp(luma + blue_u * cb, 1.0f);
    }
}

static void scale_block(float *values, int n, float offset, float scale)
{
    for (int i = 0; i < n; i++)
        values[i] = vfi_clamp((values[i] - offset) * scale, 1.0f);
}

/* The block of @n columns from @x on of row @y, to three channels. */
static void prepare_block(const Source *source, float *const channel[3], int x, int n,
                          int y)
{
    const VfiFormatDescription *format = source->format;
    float luma[VFI_PIXELS_BLOCK], cb[VFI_PIXELS_BLOCK], cr[VFI_PIXELS_BLOCK];

    if (format->colour == VFI_FAMILY_YUV) {
        vfi_load_codes(luma, vfi_sample_at(source->frame, &format->component[0], x, y), n,
                       format, &format->component[0]);
        chroma_block(source, 1, cb, x, n, y);
        chroma_block(source, 2, cr, x, n, y);
        matrix_block(&source->colour, luma, cb, cr, channel[0] + x, channel[1] + x,
                     channel[2] + x, n);
        return;
    }
    for (int c = 0; c < 3; c++) {
        int from = format->colour == VFI_FAMILY_GREY ? 0 : c;
        const VfiComponent *component = &format->component[from];
        vfi_load_codes(channel[c] + x, vfi_sample_at(source->frame, component, x, y), n,
                       format, component);
        scale_block(channel[c] + x, n, source->colour.offset[from],
                    source->colour.to_rgb[c][from]);
    }
}

/* Columns @width … @padded_w - 1 of a row whose others are there. */
static void pad_row(float *row, int width, int padded_w, VfiPadding padding)
{
    if (padding == VFI_PAD_ZEROS || width == 0)
        memset(row + width, 0, (size_t)(padded_w - width) * sizeof *row);
    else
        for (int x = width; x < padded_w; x++)
            row[x] = row[vfi_reflected(x, width)];
}

/* Rows below the frame are made of the frame's anew, so that bands need no others. */
void VFI_PIXELS_AT_LEVEL(vfi_pixels_prepare)(const VfiVideoInfo *info,
                                             const VfiFrame *frame, float *out,
                                             int padded_w, int padded_h,
                                             VfiPadding padding, int begin, int end)
{
    const size_t plane = (size_t)padded_w * (size_t)padded_h;
    Source source = {
        .info = info, .frame = frame, .format = vfi_format_describe(info->format)};

    vfi_colour_init(&source.colour, info);
    for (int y = begin; y < end; y++) {
        float *row = out + (size_t)y * (size_t)padded_w;
        float *const channel[3] = {row, row + plane, row + 2 * plane};
        const bool is_made = y < info->height || padding == VFI_PAD_REFLECT;
        const int width = is_made ? info->width : 0;
        const int from = is_made ? vfi_reflected(y, info->height) : 0;

        for (int x = 0; x < width; x += VFI_PIXELS_BLOCK) {
            int left = width - x;
            prepare_block(&source, channel, x,
                          left < VFI_PIXELS_BLOCK ? left : VFI_PIXELS_BLOCK, from);
        }
        for (int c = 0; c < 3; c++)
            pad_row(channel[c], width, padded_w, padding);
    }
}
