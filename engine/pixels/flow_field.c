/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/flow_field.h"

/* Row @y of plane @plane. */
static const float *row_of(const VfiFlowField *field, int plane, int y)
{
    const float *data =
        plane < 4 ? field->flow + (size_t)plane * field->plane : field->mask;

    return data + (size_t)(y - field->first_row) * (size_t)field->padded_w;
}

/* ---- chroma ------------------------------------------------------------------------ */

/* out = scale × mean of two rows at every second column. */
static void mean_of_columns(const float *restrict above, const float *restrict below,
                            int n, float scale, float *restrict out)
{
    const float half = 0.5f * scale;

    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = (above[2 * i] + below[2 * i]) * half;
}

/* out = scale × mean of two rows at pairs of columns. */
static void mean_of_pairs(const float *restrict above, const float *restrict below, int n,
                          float scale, float *restrict out)
{
    const float quarter = 0.25f * scale;

    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = ((above[2 * i] + above[2 * i + 1]) + (below[2 * i] + below[2 * i + 1])) *
                 quarter;
}

/* out = scale × mean of the field's plane @plane at the luma samples of @n chroma samples
 * from @x on of row @y. A centred sample has two luma columns (rows), or the last one
 * alone where an odd frame ends; a co-sited one lies on a luma sample and takes that
 * one. */
static void mean_of_plane(const VfiVideoInfo *info, const VfiFlowField *field, int plane,
                          int shift_y, int x, int n, int y, float scale, float *out)
{
    const int site = (int)info->chroma_site;
    const bool pair_y = shift_y && !(site & VFI_CHROMA_SITE_VERTICAL);
    const int top = y << shift_y, bottom = top + (pair_y && top + 1 < info->height);
    const float *above = row_of(field, plane, top) + 2 * (size_t)x;
    const float *below = row_of(field, plane, bottom) + 2 * (size_t)x;
    const int pairs = 2 * (x + n) > info->width ? n - 1 : n;

    if (site & VFI_CHROMA_SITE_HORIZONTAL) {
        mean_of_columns(above, below, n, scale, out);
        return;
    }
    mean_of_pairs(above, below, pairs, scale, out);
    mean_of_columns(above + 2 * (size_t)pairs, below + 2 * (size_t)pairs, n - pairs,
                    scale, out + pairs);
}

VfiFieldRow vfi_field_row(const VfiVideoInfo *info, const VfiFlowField *field,
                          int shift_x, int shift_y, int x, int n, int y,
                          VfiFieldScratch scratch)
{
    const float scale_x = 1.0f / (float)(1 << shift_x);
    const float scale_y = 1.0f / (float)(1 << shift_y);
    const float scale[5] = {scale_x, scale_y, scale_x, scale_y, 1};
    const float *in[5];

    for (int plane = 0; plane < 5; plane++) {
        if (shift_x == 0) {
            in[plane] = row_of(field, plane, y) + x;
            continue;
        }
        mean_of_plane(info, field, plane, shift_y, x, n, y, scale[plane], scratch[plane]);
        in[plane] = scratch[plane];
    }
    return (VfiFieldRow){
        .flow_x = {in[0], in[2]}, .flow_y = {in[1], in[3]}, .mask = in[4]};
}

/* ---- cells ------------------------------------------------------------------------- */

/* out[i] += the row's samples of its cell i, one after the other. */
VFI_ALWAYS_INLINE void add_whole(const float *restrict row, ptrdiff_t side, int n,
                                 float *restrict out)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        float sum = out[i];
        for (ptrdiff_t k = 0; k < side; k++)
            sum += row[i * side + k];
        out[i] = sum;
    }
}

/* out[i] += the row's samples of cell @x + i, the last ones of @width repeated. */
static void add_row(const float *restrict row, int width, int level, int x, int n,
                    float *restrict out)
{
    const int side = 1 << level, last = width - 1;
    const int whole = (width >> level) - x < n ? (width >> level) - x : n;
    const float *first = row + ((ptrdiff_t)x << level);

    if (level == 1) /* medium's: worth vectors */
        add_whole(first, 2, whole, out);
    else
        add_whole(first, side, whole, out);
    for (int i = whole; i < n; i++)
        for (int k = 0; k < side; k++) {
            const int at = ((x + i) << level) + k;
            out[i] += row[at < last ? at : last];
        }
}

void vfi_field_cells(const VfiVideoInfo *info, const VfiFlowField *field, int plane,
                     int level, int x, int y, int n, float *out)
{
    const int side = 1 << level, last = info->height - 1;
    const float mean = 1.0f / (float)(side * side);

    for (int i = 0; i < n; i++)
        out[i] = 0.0f;
    for (int k = 0; k < side; k++) {
        const int line = (y << level) + k < last ? (y << level) + k : last;
        add_row(row_of(field, plane, line), info->width, level, x, n, out);
    }
    for (int i = 0; i < n; i++)
        out[i] *= mean;
}
