/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for patches, and the dense flow that they make. */
#include "cpu/flow/wait.h"

/* Patches that are done between two looks at the row before. */
#define BATCH 8

static VfiFlowPatchField patch_field(const VfiFlowWork *work,
                                     const VfiFlowPlane picture[2],
                                     const VfiFlowPatches *patches, int d)
{
    return (VfiFlowPatchField){
        .pictures = vfi_work_pictures(work, picture, d),
        .columns = patches->x.w,
        .rows = patches->x.h,
        .x = vfi_work_row(work, &patches->x, 0),
        .y = vfi_work_row(work, &patches->y, 0),
        .cost = vfi_work_row(work, &patches->cost, 0),
        .patch_row = patches->x.row,
    };
}

static int search_chunks(const VfiFlowStep *step)
{
    return 2 * VFI_FLOW_SWEEPS * step->u.search.patches[0].x.h;
}

static void search_begin(const VfiFlowWork *work)
{
    vfi_clear_progress(work, &work->step->u.search.progress);
}

static void add_coarse_flow(const VfiFlowWork *work, const VfiFlowPlane coarse[2],
                            VfiFlowPatchField *field)
{
    if (coarse[0].w == 0)
        return;
    for (int axis = 0; axis < 2; axis++)
        field->coarse[axis] = vfi_work_row(work, &coarse[axis], 0);
    field->coarse_row = coarse[0].row;
    field->coarse_w = coarse[0].w;
    field->coarse_h = coarse[0].h;
}

/* A chunk is a row of patches in one sweep and direction, which follows the row before
 * it. Progress of a row is its patches that are done, of all sweeps. */
static void search_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowSearch *search = &work->step->u.search;
    int d = index % 2, rows = search->patches[d].x.h, columns = search->patches[d].x.w;
    int sweep = index / 2 / rows, nth = index / 2 % rows;
    bool reverse = sweep % 2 == 1;
    int row = reverse ? rows - 1 - nth : nth;
    VfiFlowPatchField field = patch_field(work, search->picture, &search->patches[d], d);
    atomic_int *progress = &vfi_progress_row(work, &search->progress, d)[row];
    atomic_int *before = nth == 0 ? NULL : reverse ? progress + 1 : progress - 1;
    int earlier = sweep * columns;

    add_coarse_flow(work, search->coarse[d], &field);
    if (!vfi_wait_for(work, progress, earlier))
        return;
    for (int done = 0; done < columns;) {
        int end = MIN(done + BATCH, columns);
        if (before != NULL && !vfi_wait_for(work, before, earlier + end))
            return;
        work->kernels->flow.search(&field, row, done, end, reverse);
        done = end;
        vfi_tell_progress(progress, earlier + done);
    }
}

static int densify_chunks(const VfiFlowStep *step)
{
    return 2 * vfi_row_chunks(step->u.densify.flow[0][0].h);
}

static void densify_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowDensify *densify = &work->step->u.densify;
    int d = index % 2, begin, end;
    VfiFlowPatchField field =
        patch_field(work, densify->picture, &densify->patches[d], d);

    vfi_chunk_rows(index / 2, densify->flow[d][0].h, &begin, &end);
    for (int y = begin; y < end; y++)
        work->kernels->flow.densify(&field, y,
                                    vfi_work_row(work, &densify->flow[d][0], y),
                                    vfi_work_row(work, &densify->flow[d][1], y));
}

const VfiFlowPass vfi_flow_search = {
    .chunks = search_chunks, .chunk = search_chunk, .begin = search_begin};
const VfiFlowPass vfi_flow_densify = {.chunks = densify_chunks, .chunk = densify_chunk};
