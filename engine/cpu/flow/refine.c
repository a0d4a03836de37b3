/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The variational refinement of a flow. */
#include "cpu/flow/pass.h"

#include <string.h>

static int refine_chunks(const VfiFlowStep *step)
{
    return vfi_row_chunks(step->u.refine.difference.h);
}

static void warp_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    VfiFlowPictures pictures =
        vfi_work_pictures(work, refine->picture, refine->direction);
    int begin, end;

    vfi_chunk_rows(index, pictures.h, &begin, &end);
    for (int y = begin; y < end; y++)
        work->kernels->warp(&pictures, y, vfi_work_row(work, &refine->flow[0], y),
                            vfi_work_row(work, &refine->flow[1], y),
                            vfi_work_row(work, &refine->smoothness, y));
}

static void linearise_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    const VfiFlowPlane *warped = &refine->smoothness;
    VfiFlowPictures pictures =
        vfi_work_pictures(work, refine->picture, refine->direction);
    int begin, end;

    vfi_chunk_rows(index, pictures.h, &begin, &end);
    for (int y = begin; y < end; y++) {
        const float *rows[3] = {vfi_work_row(work, warped, MAX(y - 1, 0)),
                                vfi_work_row(work, warped, y),
                                vfi_work_row(work, warped, MIN(y + 1, pictures.h - 1))};
        work->kernels->linearise(&pictures, y, rows,
                                 vfi_work_row(work, &refine->gradient[0], y),
                                 vfi_work_row(work, &refine->gradient[1], y),
                                 vfi_work_row(work, &refine->difference, y));
        for (int axis = 0; axis < 2; axis++)
            memset(vfi_work_row(work, &refine->increment[axis], y), 0,
                   (size_t)pictures.w * sizeof(float));
    }
}

static VfiFlowRefineRow refine_row(const VfiFlowWork *work, int y)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    const VfiFlowPlane *flow = refine->flow, *increment = refine->increment;
    VfiFlowRefineRow row = {
        .flow_x = vfi_work_row(work, &flow[0], y),
        .flow_y = vfi_work_row(work, &flow[1], y),
        .gradient_x = vfi_work_row(work, &refine->gradient[0], y),
        .gradient_y = vfi_work_row(work, &refine->gradient[1], y),
        .difference = vfi_work_row(work, &refine->difference, y),
        .increment_x = vfi_work_row(work, &increment[0], y),
        .increment_y = vfi_work_row(work, &increment[1], y),
        .data_weight = vfi_work_row(work, &refine->data_weight, y),
        .smoothness = vfi_work_row(work, &refine->smoothness, y),
        .alpha = refine->alpha,
        .omega = refine->omega,
        .first = (y + refine->parity) % 2,
        .w = flow[0].w,
    };

    if (y > 0) {
        row.flow_x_above = vfi_work_row(work, &flow[0], y - 1);
        row.flow_y_above = vfi_work_row(work, &flow[1], y - 1);
        row.increment_x_above = vfi_work_row(work, &increment[0], y - 1);
        row.increment_y_above = vfi_work_row(work, &increment[1], y - 1);
        row.smoothness_above = vfi_work_row(work, &refine->smoothness, y - 1);
    }
    if (y < flow[0].h - 1) {
        row.flow_x_below = vfi_work_row(work, &flow[0], y + 1);
        row.flow_y_below = vfi_work_row(work, &flow[1], y + 1);
        row.increment_x_below = vfi_work_row(work, &increment[0], y + 1);
        row.increment_y_below = vfi_work_row(work, &increment[1], y + 1);
    }
    return row;
}

static void weigh_chunk(const VfiFlowWork *work, int index)
{
    int begin, end;

    vfi_chunk_rows(index, work->step->u.refine.difference.h, &begin, &end);
    for (int y = begin; y < end; y++) {
        VfiFlowRefineRow row = refine_row(work, y);
        work->kernels->weigh(&row);
    }
}

static void relax_chunk(const VfiFlowWork *work, int index)
{
    int begin, end;

    vfi_chunk_rows(index, work->step->u.refine.difference.h, &begin, &end);
    for (int y = begin; y < end; y++) {
        VfiFlowRefineRow row = refine_row(work, y);
        work->kernels->relax(&row);
    }
}

static void add_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    int begin, end;

    vfi_chunk_rows(index, refine->difference.h, &begin, &end);
    for (int y = begin; y < end; y++)
        for (int axis = 0; axis < 2; axis++) {
            float *flow = vfi_work_row(work, &refine->flow[axis], y);
            const float *increment = vfi_work_row(work, &refine->increment[axis], y);
            for (int x = 0; x < refine->flow[axis].w; x++)
                flow[x] += increment[x];
        }
}

const VfiFlowPass vfi_flow_warp = {.chunks = refine_chunks, .chunk = warp_chunk};
const VfiFlowPass vfi_flow_linearise = {.chunks = refine_chunks,
                                        .chunk = linearise_chunk};
const VfiFlowPass vfi_flow_weigh = {.chunks = refine_chunks, .chunk = weigh_chunk};
const VfiFlowPass vfi_flow_relax = {.chunks = refine_chunks, .chunk = relax_chunk};
const VfiFlowPass vfi_flow_add = {.chunks = refine_chunks, .chunk = add_chunk};
