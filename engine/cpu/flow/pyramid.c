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

static int luma_chunks(const VfiFlowStep *step)
{
    return vfi_row_chunks(step->u.luma.picture.h);
}

static void luma_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowLuma *luma = &work->step->u.luma;
    int begin, end;

    vfi_chunk_rows(index, luma->picture.h, &begin, &end);
    vfi_pixels_grid(work->arguments->video, work->arguments->frame, VFI_GRID_LUMA,
                    luma->level, vfi_work_row(work, &luma->picture, 0), luma->picture.row,
                    begin, end);
    add_borders(work, &luma->picture, begin, end);
}

static int chroma_chunks(const VfiFlowStep *step)
{
    return vfi_row_chunks(step->u.chroma.luma.h);
}

/* Rows [begin, end) of component @component become @factor times what it is more than
 * luma. */
static void differ_from_luma(const VfiFlowWork *work, int i, float factor, int begin,
                             int end)
{
    const VfiFlowChroma *chroma = &work->step->u.chroma;

    for (int y = begin; y < end; y++) {
        float *row = vfi_work_row(work, &chroma->chroma[i], y);
        const float *luma = vfi_work_row(work, &chroma->luma, y);
        for (int x = 0; x < chroma->luma.w; x++)
            row[x] = factor * (row[x] - luma[x]);
    }
}

static void chroma_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowChroma *chroma = &work->step->u.chroma;
    const VfiVideoInfo *video = work->arguments->video;
    bool is_rgb = vfi_format_describe(video->format)->colour == VFI_FAMILY_RGB;
    int begin, end;

    vfi_chunk_rows(index, chroma->luma.h, &begin, &end);
    for (int i = 0; i < 2; i++) {
        const VfiFlowPlane *plane = &chroma->chroma[i];
        /* U and V, or B and R. */
        int component = !is_rgb ? 1 + i : 2 - 2 * i;
        vfi_pixels_grid(video, work->arguments->frame, component, chroma->level,
                        vfi_work_row(work, plane, 0), plane->row, begin, end);
        if (is_rgb)
            differ_from_luma(work, i, i == 0 ? 0.564f : 0.713f, begin, end);
        add_borders(work, plane, begin, end);
    }
}

static int halve_chunks(const VfiFlowStep *step)
{
    const VfiFlowHalve *halve = &step->u.halve;

    return halve->to.n_channels * vfi_row_chunks(halve->to.channel[0].h);
}

static void halve_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowHalve *halve = &work->step->u.halve;
    int i = index % halve->to.n_channels, begin, end;
    const VfiFlowPlane *from = &halve->from.channel[i], *to = &halve->to.channel[i];

    vfi_chunk_rows(index / halve->to.n_channels, to->h, &begin, &end);
    /* What an odd side lacks is in the finer picture's border. */
    for (int y = begin; y < end; y++)
        work->kernels->flow.halve(vfi_work_row(work, to, y),
                                  vfi_work_row(work, from, 2 * y),
                                  vfi_work_row(work, from, 2 * y + 1), (size_t)to->w);
    add_borders(work, to, begin, end);
}

const VfiFlowPass vfi_flow_luma = {.chunks = luma_chunks, .chunk = luma_chunk};
const VfiFlowPass vfi_flow_chroma = {.chunks = chroma_chunks, .chunk = chroma_chunk};
const VfiFlowPass vfi_flow_halve = {.chunks = halve_chunks, .chunk = halve_chunk};
