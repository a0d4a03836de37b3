/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for patches, and the dense flow that they make. */
#include "cpu/flow/pass.h"

#include <stdatomic.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* How often a thread looks at another one's progress before it gives its CPU away. */
#define SPINS 200

/* Most patches that are done before others are told so. */
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

/* Of a row, in this sweep and the one before: patches that are done. */
static atomic_int *progress_of(const VfiFlowWork *work, int d)
{
    return (atomic_int *)(void *)vfi_work_row(work, &work->step->u.search.progress, d);
}

static int search_chunks(const VfiFlowStep *step)
{
    return 2 * VFI_FLOW_SWEEPS * step->u.search.patches[0].x.h;
}

static void search_begin(const VfiFlowWork *work)
{
    for (int d = 0; d < 2; d++)
        for (int row = 0; row < work->step->u.search.patches[d].x.h; row++)
            atomic_init(&progress_of(work, d)[row], 0);
}

static bool is_cancelled(const VfiFlowWork *work)
{
    const atomic_int *cancel = work->arguments->cancel;

    return cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* Waits until more than @done patches of a row are; how many, or 0 once cancelled. */
static int wait_for(const VfiFlowWork *work, atomic_int *progress, int done)
{
    for (int spins = 0;; spins++) {
        int now = atomic_load_explicit(progress, memory_order_acquire);
        if (now > done)
            return now;
        if (is_cancelled(work))
            return 0;
        if (spins >= SPINS) {
            g_thread_yield();
            spins = 0;
        }
#ifdef __SSE__
        _mm_pause();
#endif
    }
}

/* A chunk is a row of patches in one sweep and direction. It follows the row before it,
 * which is one of the chunks that were handed out before this one, so that whoever runs
 * it never waits for this thread. */
static void search_chunk(const VfiFlowWork *work, int index)
{
    const VfiFlowSearch *search = &work->step->u.search;
    int d = index % 2, rows = search->patches[d].x.h, columns = search->patches[d].x.w;
    int sweep = index / 2 / rows, nth = index / 2 % rows;
    bool reverse = sweep % 2 == 1;
    int row = reverse ? rows - 1 - nth : nth, before = reverse ? row + 1 : row - 1;
    VfiFlowPatchField field = patch_field(work, search->picture, &search->patches[d], d);
    atomic_int *progress = progress_of(work, d);
    int earlier = sweep * columns;

    if (search->coarse[d][0].w > 0) {
        for (int axis = 0; axis < 2; axis++)
            field.coarse[axis] = vfi_work_row(work, &search->coarse[d][axis], 0);
        field.coarse_row = search->coarse[d][0].row;
        field.coarse_w = search->coarse[d][0].w;
        field.coarse_h = search->coarse[d][0].h;
    }
    /* The row's own last sweep. */
    if (sweep > 0 && wait_for(work, &progress[row], earlier - 1) == 0)
        return;
    for (int done = 0; done < columns;) {
        int ready = columns;
        if (nth > 0)
            ready = wait_for(work, &progress[before], earlier + done) - earlier;
        if (ready <= 0)
            return; /* cancelled */
        int end = MIN(MIN(ready, columns), done + BATCH);
        work->kernels->search(&field, row, done, end, reverse);
        done = end;
        atomic_store_explicit(&progress[row], earlier + done, memory_order_release);
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
        work->kernels->densify(&field, y, vfi_work_row(work, &densify->flow[d][0], y),
                               vfi_work_row(work, &densify->flow[d][1], y));
}

const VfiFlowPass vfi_flow_search = {
    .chunks = search_chunks, .chunk = search_chunk, .begin = search_begin};
const VfiFlowPass vfi_flow_densify = {.chunks = densify_chunks, .chunk = densify_chunk};
