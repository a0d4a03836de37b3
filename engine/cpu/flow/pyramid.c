/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's pyramid of luma. */
#include "cpu/flow/pass.h"

#include <string.h>

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
    vfi_pixels_luma_grid(work->arguments->video, work->arguments->frame, luma->level,
                         vfi_work_row(work, &luma->picture, 0), luma->picture.row, begin,
                         end);
    add_borders(work, &luma->picture, begin, end);
}

static int halve_chunks(const VfiFlowStep *step)
{
    return vfi_row_chunks(step->u.halve.to.h);
}

static void halve_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowHalve *halve = &work->step->u.halve;
    int begin, end;

    vfi_chunk_rows(index, halve->to.h, &begin, &end);
    /* What an odd side lacks is in the finer picture's border. */
    for (int y = begin; y < end; y++)
        work->kernels->flow.halve(
            vfi_work_row(work, &halve->to, y), vfi_work_row(work, &halve->from, 2 * y),
            vfi_work_row(work, &halve->from, 2 * y + 1), (size_t)halve->to.w);
    add_borders(work, &halve->to, begin, end);
}

const VfiFlowPass vfi_flow_luma = {.chunks = luma_chunks, .chunk = luma_chunk};
const VfiFlowPass vfi_flow_halve = {.chunks = halve_chunks, .chunk = halve_chunk};
