/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's pyramid of luma. */
#include "cpu/flow/pass.h"

#include <string.h>

#include "pixels/format.h"
#include "pixels/pixels.h"

static void repeat(float *dst, float value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = value;
}

/* Repeats the edges of rows [begin, end), and the first and last row beyond them. */
static void add_borders(const VfiFlowWork *work, const VfiFlowPlane *picture, int begin,
                        int end)
{
    size_t w = (size_t)picture->w, bytes = picture->row * sizeof(float);
    float *row;

    for (int y = begin; y < end; y++) {
        row = vfi_work_row(work, picture, y);
        repeat(row - VFI_FLOW_LEAD, row[0], VFI_FLOW_LEAD);
        repeat(row + w, row[w - 1], picture->row - VFI_FLOW_LEAD - w);
    }
    row = vfi_work_row(work, picture, 0) - VFI_FLOW_LEAD;
    for (size_t i = 1; begin == 0 && i <= VFI_FLOW_BORDER; i++)
        memcpy(row - i * picture->row, row, bytes);
    row = vfi_work_row(work, picture, picture->h - 1) - VFI_FLOW_LEAD;
    for (size_t i = 1; end == picture->h && i <= VFI_FLOW_BORDER; i++)
        memcpy(row + i * picture->row, row, bytes);
}

static VfiFlowArea luma_area(const VfiFlowStep *step)
{
    const VfiFlowLuma *luma = &step->u.luma;

    return (VfiFlowArea){1, luma->picture.h, luma->picture.w << luma->level};
}

static void luma_rows(const VfiFlowWork *work, int layer, int begin, int end)
{
    const VfiFlowLuma *luma = &work->step->u.luma;
    (void)layer;

    vfi_pixels_grid(work->arguments->video, work->arguments->frame, VFI_GRID_LUMA,
                    luma->level, vfi_work_row(work, &luma->picture, 0), luma->picture.row,
                    begin, end);
    add_borders(work, &luma->picture, begin, end);
}

/* Rows [begin, end) become @factor times what they are more than luma. */
static void differ_from_luma(const VfiFlowWork *work, const VfiFlowPlane *plane,
                             float factor, int begin, int end)
{
    const VfiFlowPlane *luma = &work->step->u.chroma.luma;

    for (int y = begin; y < end; y++) {
        float *row = vfi_work_row(work, plane, y);
        const float *luma_row = vfi_work_row(work, luma, y);
        for (int x = 0; x < luma->w; x++)
            row[x] = factor * (row[x] - luma_row[x]);
    }
}

static VfiFlowArea chroma_area(const VfiFlowStep *step)
{
    const VfiFlowChroma *chroma = &step->u.chroma;

    return (VfiFlowArea){2, chroma->luma.h, chroma->luma.w << chroma->level};
}

/* U and V, or B and R. */
static void chroma_rows(const VfiFlowWork *work, int layer, int begin, int end)
{
    const VfiFlowChroma *chroma = &work->step->u.chroma;
    const VfiFlowPlane *plane = &chroma->chroma[layer];
    const VfiVideoInfo *video = work->arguments->video;
    bool is_rgb = vfi_format_describe(video->format)->colour == VFI_FAMILY_RGB;

    vfi_pixels_grid(video, work->arguments->frame, !is_rgb ? 1 + layer : 2 - 2 * layer,
                    chroma->level, vfi_work_row(work, plane, 0), plane->row, begin, end);
    if (is_rgb)
        differ_from_luma(work, plane, layer == 0 ? 0.564f : 0.713f, begin, end);
    add_borders(work, plane, begin, end);
}

static VfiFlowArea halve_area(const VfiFlowStep *step)
{
    const VfiFlowPicture *to = &step->u.halve.to;

    return (VfiFlowArea){to->n_channels, to->channel[0].h, to->channel[0].w};
}

static void halve_rows(const VfiFlowWork *work, int layer, int begin, int end)
{
    const VfiFlowHalve *halve = &work->step->u.halve;
    const VfiFlowPlane *from = &halve->from.channel[layer];
    const VfiFlowPlane *to = &halve->to.channel[layer];

    /* What an odd side lacks is in the finer picture's border. */
    for (int y = begin; y < end; y++)
        work->kernels->flow.halve(
            vfi_work_row(work, to, y), vfi_work_row(work, from, (ptrdiff_t)2 * y),
            vfi_work_row(work, from, (ptrdiff_t)2 * y + 1), (size_t)to->w);
    add_borders(work, to, begin, end);
}

const VfiFlowPass vfi_flow_luma = {.area = luma_area, .rows = luma_rows};
const VfiFlowPass vfi_flow_chroma = {.area = chroma_area, .rows = chroma_rows};
const VfiFlowPass vfi_flow_halve = {.area = halve_area, .rows = halve_rows};
