/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The variational refinement of a flow. */
#include "cpu/flow/wait.h"

/* Rows of a chunk of RELAX: few, so that what all rounds of a few rows need stays in
 * caches. */
#define RELAX_ROWS 2

static int refine_chunks(const VfiFlowStep *step)
{
    return vfi_row_chunks(step->u.refine.difference.h);
}

static void warp_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    int begin, end;

    vfi_chunk_rows(index, refine->smoothness.h, &begin, &end);
    for (int y = begin; y < end; y++)
        vfi_flow_warp_row(work, &refine->picture[1 - refine->direction], y,
                          vfi_work_row(work, &refine->flow[0], y),
                          vfi_work_row(work, &refine->flow[1], y),
                          vfi_work_row(work, &refine->smoothness, y));
}

/* Row @y of everything but the pictures. */
static VfiFlowRefineRow refine_row(const VfiFlowWork *work, int y)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    int last = refine->flow[0].h - 1;
    VfiFlowRefineRow row = {
        .difference = vfi_work_row(work, &refine->difference, y),
        .data_weight = vfi_work_row(work, &refine->data_weight, y),
        .smoothness = vfi_work_row(work, &refine->smoothness, y),
        .smoothness_above = vfi_work_row(work, &refine->smoothness, MAX(y - 1, 0)),
        .has_above = y > 0,
        .has_below = y < last,
        .alpha = refine->alpha,
        .omega = refine->omega,
        .w = refine->flow[0].w,
    };

    for (int axis = 0; axis < 2; axis++) {
        row.flow[axis] = vfi_work_row(work, &refine->flow[axis], y);
        row.above[axis] = vfi_work_row(work, &refine->flow[axis], MAX(y - 1, 0));
        row.below[axis] = vfi_work_row(work, &refine->flow[axis], MIN(y + 1, last));
        row.gradient[axis] = vfi_work_row(work, &refine->gradient[axis], y);
    }
    return row;
}

static void linearise_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    const VfiFlowPlane *template = &refine->picture[refine->direction];
    const VfiFlowPlane *warped = &refine->smoothness;
    int begin, end;

    vfi_chunk_rows(index, warped->h, &begin, &end);
    for (int y = begin; y < end; y++) {
        VfiFlowRefineRow row = refine_row(work, y);
        const float *from[3] = {vfi_work_row(work, template, y - 1),
                                vfi_work_row(work, template, y),
                                vfi_work_row(work, template, y + 1)};
        const float *rows[3] = {vfi_work_row(work, warped, MAX(y - 1, 0)),
                                vfi_work_row(work, warped, y),
                                vfi_work_row(work, warped, MIN(y + 1, warped->h - 1))};
        float *gradient[2] = {vfi_work_row(work, &refine->gradient[0], y),
                              vfi_work_row(work, &refine->gradient[1], y)};
        work->kernels->flow.linearise(&row, from, rows, gradient,
                                      vfi_work_row(work, &refine->difference, y));
    }
}

static void weigh_chunk(const VfiFlowWork *work, int index)
{
    int begin, end;

    vfi_chunk_rows(index, work->step->u.refine.difference.h, &begin, &end);
    for (int y = begin; y < end; y++) {
        VfiFlowRefineRow row = refine_row(work, y);
        work->kernels->flow.weigh(&row);
    }
}

/* A pass relaxes every second sample. Chunks are some rows in a pass, in the order of
 * waves that go down the picture with each pass two chunks behind the one before: all
 * that a chunk depends on lies in earlier waves. */
static int relax_passes(const VfiFlowStep *step)
{
    return 2 * step->u.refine.rounds;
}

static int relax_bands(const VfiFlowStep *step)
{
    return (step->u.refine.flow[0].h + RELAX_ROWS - 1) / RELAX_ROWS;
}

static int relax_chunks(const VfiFlowStep *step)
{
    int passes = relax_passes(step);

    return (relax_bands(step) + 2 * (passes - 1)) * passes;
}

static void relax_begin(const VfiFlowWork *work)
{
    vfi_clear_progress(work, &work->step->u.refine.progress);
}

static void relax_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowRefine *refine = &work->step->u.refine;
    int passes = relax_passes(work->step), bands = relax_bands(work->step);
    int pass = index % passes, band = index / passes - 2 * pass;
    atomic_int *progress = vfi_progress_row(work, &refine->progress, 0);
    int h = refine->flow[0].h;

    if (band < 0 || band >= bands)
        return;
    for (int i = MAX(band - 1, 0); i <= MIN(band + 1, bands - 1); i++)
        if (!vfi_wait_for(work, &progress[i], pass))
            return;
    for (int y = band * RELAX_ROWS; y < MIN((band + 1) * RELAX_ROWS, h); y++) {
        VfiFlowRefineRow row = refine_row(work, y);
        row.first = (y + pass) % 2;
        work->kernels->flow.relax(&row);
    }
    vfi_tell_progress(&progress[band], pass + 1);
}

const VfiFlowPass vfi_flow_warp = {.chunks = refine_chunks, .chunk = warp_chunk};
const VfiFlowPass vfi_flow_linearise = {.chunks = refine_chunks,
                                        .chunk = linearise_chunk};
const VfiFlowPass vfi_flow_weigh = {.chunks = refine_chunks, .chunk = weigh_chunk};
const VfiFlowPass vfi_flow_relax = {
    .chunks = relax_chunks, .chunk = relax_chunk, .begin = relax_begin};
