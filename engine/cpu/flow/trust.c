/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far each vector is to be trusted. */
#include "cpu/flow/pass.h"

static int residual_chunks(const VfiFlowStep *step)
{
    return 2 * vfi_row_chunks(step->u.residual.residual[0].h);
}

static void residual_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowResidual *residual = &work->step->u.residual;
    int d = index % 2, begin, end;
    VfiFlowPictures pictures = vfi_work_pictures(work, residual->picture, d);

    vfi_chunk_rows(index / 2, residual->residual[d].h, &begin, &end);
    for (int y = begin; y < end; y++)
        work->kernels->residual(&pictures, y,
                                vfi_work_row(work, &residual->flow[d][0], y),
                                vfi_work_row(work, &residual->flow[d][1], y),
                                vfi_work_row(work, &residual->residual[d], y));
}

static int trust_chunks(const VfiFlowStep *step)
{
    return 2 * vfi_row_chunks(step->u.trust.weight[0].h);
}

static void trust_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowTrust *trust = &work->step->u.trust;
    int d = index % 2, begin, end, w = trust->weight[d].w, h = trust->weight[d].h;

    vfi_chunk_rows(index / 2, h, &begin, &end);
    for (int y = begin; y < end; y++) {
        work->kernels->trust(vfi_work_row(work, &trust->weight[d], y),
                             vfi_work_row(work, &trust->residual[d], MAX(y - 1, 0)),
                             vfi_work_row(work, &trust->residual[d], y),
                             vfi_work_row(work, &trust->residual[d], MIN(y + 1, h - 1)),
                             trust->falloff, w);
        work->kernels->extent(vfi_work_row(work, &trust->flow_y[d], y), w,
                              vfi_work_row(work, &trust->extent[d], y));
    }
}

const VfiFlowPass vfi_flow_residual = {.chunks = residual_chunks,
                                       .chunk = residual_chunk};
const VfiFlowPass vfi_flow_trust = {.chunks = trust_chunks, .chunk = trust_chunk};
