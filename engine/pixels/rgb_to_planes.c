/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RGB that a network painted → planes: the inverse of prepare. Chroma is the mean of the
 * RGB around its site, taken before the matrix, which is linear. */
#include "pixels/level.h"

#include <string.h>

#include "pixels/colour.h"
#include "pixels/format.h"
#include "pixels/samples.h"

/* Luma columns under a block of chroma samples, with a neighbour on each side. */
#define WIDE_BLOCK (2 * VFI_PIXELS_BLOCK + 2)

typedef struct {
    const VfiVideoInfo *info;
    const VfiFormatDescription *format;
    const VfiRgbPicture *picture;
    const VfiFrame *out;
    VfiColour colour;
} Conversion;

/* Luma rows whose weighted sum stands for one chroma row. */
typedef struct {
    int n;
    int row[3];
    float weight[3];
} Rows;

static int clamp_int(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* Co-sited chroma lies on an even luma row and weighs its neighbours 1 2 1; centred
 * chroma lies between two rows. Edges repeat. */
static Rows rows_of_chroma(int y, int height, int shift, bool cosited)
{
    if (shift == 0)
        return (Rows){.n = 1, .row = {y}, .weight = {1}};
    if (cosited)
        return (Rows){.n = 3,
                      .row = {clamp_int(2 * y - 1, 0, height - 1), 2 * y,
                              clamp_int(2 * y + 1, 0, height - 1)},
                      .weight = {0.25f, 0.5f, 0.25f}};
    return (Rows){.n = 2,
                  .row = {2 * y, clamp_int(2 * y + 1, 0, height - 1)},
                  .weight = {0.5f, 0.5f}};
}

/* out (+)= weight × the clamped @in. In two steps: clamping to a constant inside the sum
 * makes the compiler branch. */
static void add_row(const float *restrict in, int n, float weight, bool first,
                    float *restrict out)
{
    float clamped[WIDE_BLOCK];

    for (int k = 0; k < n; k++)
        clamped[k] = vfi_clamp(in[k], 1.0f);
    if (first)
        for (int k = 0; k < n; k++)
            out[k] = clamped[k] * weight;
    else
        for (int k = 0; k < n; k++)
            out[k] += clamped[k] * weight;
}

/* out[k] = the clamped channel, summed over @rows, at column first+k; edges repeat. */
static void sum_rows(const Conversion *work, int channel, const Rows *rows, int first,
                     int n, float *out)
{
    const int begin = first > 0 ? first : 0;
    const int end = first + n < work->info->width ? first + n : work->info->width;
    const VfiRgbPicture *picture = work->picture;
    const float *plane = picture->rgb + (size_t)channel * picture->plane;

    for (int r = 0; r < rows->n; r++)
        add_row(plane +
                    (size_t)(rows->row[r] - picture->first_row) *
                        (size_t)picture->padded_w +
                    begin,
                end - begin, rows->weight[r], r == 0, out + (begin - first));
    for (int k = 0; k < begin - first; k++)
        out[k] = out[begin - first];
    for (int k = end - first; k < n; k++)
        out[k] = out[end - first - 1];
}

/* in[0] is the luma column left of the block. */
static void halve(float *restrict out, const float *restrict in, int n, bool cosited)
{
    if (cosited)
        for (ptrdiff_t k = 0; k < n; k++)
            out[k] = (in[2 * k] + in[2 * k + 2]) * 0.25f + in[2 * k + 1] * 0.5f;
    else
        for (ptrdiff_t k = 0; k < n; k++)
            out[k] = (in[2 * k + 1] + in[2 * k + 2]) * 0.5f;
}

/* RGB at the sites of @n samples from @x on of row @y, in the grid of @component. */
static void rgb_at_sites(const Conversion *work, const VfiComponent *component,
                         float (*rgb)[VFI_PIXELS_BLOCK], int x, int n, int y)
{
    const int site = (int)work->info->chroma_site;
    const Rows rows = rows_of_chroma(y, work->info->height, component->shift_y,
                                     (site & VFI_CHROMA_SITE_VERTICAL) != 0);
    float wide[WIDE_BLOCK];

    for (int channel = 0; channel < 3; channel++) {
        if (component->shift_x == 0) {
            sum_rows(work, channel, &rows, x, n, rgb[channel]);
            continue;
        }
        sum_rows(work, channel, &rows, 2 * x - 1, 2 * n + 1, wide);
        halve(rgb[channel], wide, n, (site & VFI_CHROMA_SITE_HORIZONTAL) != 0);
    }
}

/* Row @y, in its own grid, of every colour component that is subsampled by @shift_x,
 * @shift_y. */
static void rgb_to_row(const Conversion *work, int shift_x, int shift_y, int y)
{
    const VfiFormatDescription *format = work->format;
    const int n_colours = format->n_components < 3 ? format->n_components : 3;
    const int width = vfi_subsampled(work->info->width, shift_x);
    const VfiComponent grid = {.shift_x = shift_x, .shift_y = shift_y};
    float rgb[3][VFI_PIXELS_BLOCK], codes[VFI_PIXELS_BLOCK];

    for (int x = 0; x < width; x += VFI_PIXELS_BLOCK) {
        const int n = width - x < VFI_PIXELS_BLOCK ? width - x : VFI_PIXELS_BLOCK;

        rgb_at_sites(work, &grid, rgb, x, n, y);
        for (int c = 0; c < n_colours; c++) {
            const VfiComponent *component = &format->component[c];
            const float *to_code = work->colour.to_code[c];
            if (component->shift_x != shift_x || component->shift_y != shift_y)
                continue;
            for (int i = 0; i < n; i++)
                codes[i] = to_code[0] * rgb[0][i] + to_code[1] * rgb[1][i] +
                           to_code[2] * rgb[2][i] + work->colour.offset[c];
            vfi_store_codes(vfi_sample_at(work->out, component, x, y), codes, n, format,
                            component);
        }
    }
}

/* RGB_F32: rows as the network gives them. */
static void copy_rows(const Conversion *work, int begin, int end)
{
    const VfiRgbPicture *picture = work->picture;

    for (int channel = 0; channel < 3; channel++)
        for (int y = begin; y < end; y++)
            memcpy(vfi_sample_at(work->out, &work->format->component[channel], 0, y),
                   picture->rgb + (size_t)channel * picture->plane +
                       (size_t)(y - picture->first_row) * (size_t)picture->padded_w,
                   (size_t)work->info->width * sizeof(float));
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_rgb_to_planes)(
    const VfiVideoInfo *info, const VfiRgbPicture *picture, const VfiFrame *frame0,
    const VfiFrame *frame1, double t, const VfiFrame *out, int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *chroma = &format->component[format->n_components > 1 ? 1 : 0];
    Conversion work = {.info = info, .format = format, .picture = picture, .out = out};

    if (info->format == VFI_FORMAT_RGB_F32) {
        copy_rows(&work, begin, end);
        return;
    }
    vfi_colour_init(&work.colour, info);
    /* Alpha is not the network's: blend whole pixels, then overwrite their colours. */
    if (format->has_alpha)
        VFI_PIXELS_AT_LEVEL(vfi_pixels_blend)(info, frame0, frame1, t, out, begin, end);
    for (int y = begin; y < end; y++) {
        rgb_to_row(&work, 0, 0, y);
        vfi_store_filler(out, format, 0, y, info->width);
    }
    if (chroma->shift_x == 0 && chroma->shift_y == 0)
        return;
    for (int y = begin >> chroma->shift_y; y < vfi_subsampled(end, chroma->shift_y); y++)
        rgb_to_row(&work, chroma->shift_x, chroma->shift_y, y);
}
