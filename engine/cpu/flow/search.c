/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for patches, and the dense flow that they make. */
#include "cpu/flow/pass.h"

#include <math.h>
#include <string.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* How often a thread looks at another one's progress before it gives its CPU away. */
#define SPINS 200

/* Samples of dense flow that beginning with a patch is as much work as. */
#define PATCH_SAMPLES 64

/* Patches of a direction that one thread sweeps over. */
#define SMALL_PATCHES 128

/* Patches that are done between two looks at the row before. */
#define BATCH 8

/* The pictures of @n_channels as direction @d sees them. */
static VfiFlowPictures pictures_of(const VfiFlowWork *work,
                                   const VfiFlowPlane *picture[2], int n_channels, int d)
{
    VfiFlowPictures pictures = {
        .n_channels = n_channels,
        .row = picture[0]->row,
        .w = picture[0]->w,
        .h = picture[0]->h,
    };

    for (int i = 0; i < n_channels; i++) {
        pictures.from[i] = vfi_work_row(work, &picture[d][i], 0);
        pictures.to[i] = vfi_work_row(work, &picture[1 - d][i], 0);
    }
    return pictures;
}

static VfiFlowPatchField patch_field(const VfiFlowWork *work,
                                     const VfiFlowPatches *patches,
                                     const VfiFlowPictures *pictures)
{
    return (VfiFlowPatchField){
        .pictures = *pictures,
        .columns = patches->x.w,
        .rows = patches->x.h,
        .x = vfi_work_row(work, &patches->x, 0),
        .y = vfi_work_row(work, &patches->y, 0),
        .cost = vfi_work_row(work, &patches->cost, 0),
        .settled = vfi_work_row(work, &patches->settled, 0),
        .patch_row = patches->x.row,
    };
}

static VfiFlowPatchField colour_field(const VfiFlowWork *work,
                                      const VfiFlowPicture picture[2],
                                      const VfiFlowPatches *patches, int d)
{
    const VfiFlowPlane *channels[2] = {picture[0].channel, picture[1].channel};
    VfiFlowPictures pictures = pictures_of(work, channels, picture[0].n_channels, d);

    return patch_field(work, patches, &pictures);
}

/* ---- begin ------------------------------------------------------------------------- */

static VfiFlowArea begin_area(const VfiFlowStep *step)
{
    const VfiFlowPlane *patches = &step->u.begin.patches[0].x;

    return (VfiFlowArea){2, patches->h, patches->w * PATCH_SAMPLES};
}

static void begin_rows(const VfiFlowWork *work, int d, int begin, int end)
{
    const VfiFlowBegin *step = &work->step->u.begin;
    VfiFlowPatchField field = colour_field(work, step->picture, &step->patches[d], d);

    if (step->coarse[d][0].w > 0) {
        for (int axis = 0; axis < 2; axis++)
            field.coarse[axis] = vfi_work_row(work, &step->coarse[d][axis], 0);
        field.coarse_row = step->coarse[d][0].row;
        field.coarse_w = step->coarse[d][0].w;
        field.coarse_h = step->coarse[d][0].h;
    }
    for (int row = begin; row < end; row++)
        work->kernels->flow.begin(&field, row);
}

/* ---- what the other direction found ------------------------------------------------ */

/* A direction is done as a whole, in raster order. */
static VfiFlowArea cross_area(const VfiFlowStep *step)
{
    const VfiFlowPlane *patches = &step->u.cross.patches[0].x;

    return (VfiFlowArea){2, 1, patches->w * patches->h};
}

/* Has the vector (x, y) of the other direction's patch (column, row) land. */
static void land(const VfiFlowWork *work, int d, int column, int row, float x, float y,
                 float cost)
{
    const VfiFlowCross *cross = &work->step->u.cross;
    const VfiFlowPlane *least = &cross->least[d];
    int to_column = vfi_flow_nearest_patch(
        (float)vfi_flow_patch_begin(column, cross->w) + x, least->w);
    int to_row =
        vfi_flow_nearest_patch((float)vfi_flow_patch_begin(row, cross->h) + y, least->h);

    if (to_column < 0 || to_row < 0)
        return;
    float *best = vfi_work_row(work, least, to_row) + to_column;
    if (!(cost < *best))
        return;
    *best = cost;
    vfi_work_row(work, &cross->landed[d][0], to_row)[to_column] = -x;
    vfi_work_row(work, &cross->landed[d][1], to_row)[to_column] = -y;
}

static void cross_rows(const VfiFlowWork *work, int d, int begin, int end)
{
    const VfiFlowCross *cross = &work->step->u.cross;
    const VfiFlowPatches *other = &cross->patches[1 - d];
    int columns = other->x.w, rows = other->x.h;
    (void)begin;
    (void)end;

    for (int row = 0; row < rows; row++)
        for (int i = 0; i < columns; i++) {
            vfi_work_row(work, &cross->landed[d][0], row)[i] = VFI_FLOW_NO_VECTOR;
            vfi_work_row(work, &cross->least[d], row)[i] = INFINITY;
        }
    for (int row = 0; row < rows; row++) {
        const float *x = vfi_work_row(work, &other->x, row);
        const float *y = vfi_work_row(work, &other->y, row);
        const float *cost = vfi_work_row(work, &other->cost, row);
        size_t bytes = (size_t)columns * sizeof(float);
        memcpy(vfi_work_row(work, &cross->other[d][0], row), x, bytes);
        memcpy(vfi_work_row(work, &cross->other[d][1], row), y, bytes);
        for (int i = 0; i < columns; i++)
            land(work, d, i, row, x[i], y[i], cost[i]);
    }
}

/* ---- sweeps ------------------------------------------------------------------------ */

/* Of each row of patches: how many are done. */
static atomic_int *progress_of(const VfiFlowWork *work, int d)
{
    return (atomic_int *)(void *)vfi_work_row(work, &work->step->u.sweep.progress, d);
}

/* Few patches are not worth waking a thread for. */
static bool is_small(const VfiFlowStep *step)
{
    const VfiFlowPlane *patches = &step->u.sweep.patches[0].x;

    return (size_t)patches->w * (size_t)patches->h < SMALL_PATCHES;
}

static int sweep_chunks(const VfiFlowStep *step)
{
    return is_small(step) ? 1 : 2 * step->u.sweep.patches[0].x.h;
}

static void sweep_begin(const VfiFlowWork *work)
{
    for (int d = 0; d < 2; d++)
        for (int row = 0; row < work->step->u.sweep.patches[d].x.h; row++)
            atomic_init(&progress_of(work, d)[row], 0);
}

static bool is_cancelled(const VfiFlowWork *work)
{
    const atomic_int *cancel = work->arguments->cancel;

    return cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* Waits until @least patches of a row are done. False once the pass is cancelled. */
static bool wait_for(const VfiFlowWork *work, atomic_int *progress, int least)
{
    int spins = 0;

    while (atomic_load_explicit(progress, memory_order_acquire) < least) {
        if (is_cancelled(work))
            return false;
        if (++spins % SPINS == 0)
            g_thread_yield();
#ifdef __SSE__
        _mm_pause();
#endif
    }
    return true;
}

static VfiFlowPatchField sweep_field(const VfiFlowWork *work, int d)
{
    const VfiFlowSweep *sweep = &work->step->u.sweep;
    VfiFlowPatchField field = colour_field(work, sweep->picture, &sweep->patches[d], d);

    field.leaves_votes = sweep->is_last;
    for (int axis = 0; axis < 2 && sweep->other[d][0].w > 0; axis++) {
        field.other[axis] = vfi_work_row(work, &sweep->other[d][axis], 0);
        field.landed[axis] = vfi_work_row(work, &sweep->landed[d][axis], 0);
    }
    return field;
}

/* The @nth row of patches that the sweep comes to in direction @d. */
static void sweep_row(const VfiFlowWork *work, int d, int nth)
{
    bool reverse = work->step->u.sweep.reverse;
    VfiFlowPatchField field = sweep_field(work, d);
    int row = reverse ? field.rows - 1 - nth : nth;
    atomic_int *progress = &progress_of(work, d)[row];
    atomic_int *before = reverse ? progress + 1 : progress - 1;

    for (int done = 0; done < field.columns;) {
        int end = MIN(done + BATCH, field.columns);
        if (nth > 0 && !wait_for(work, before, end))
            return;
        work->kernels->flow.sweep(&field, row, done, end, reverse);
        done = end;
        atomic_store_explicit(progress, done, memory_order_release);
    }
}

/* A chunk is a row of patches in one direction. It follows the row before it, which was
 * handed out before this one, so that whoever has that is at work, on however few
 * threads. */
static void sweep_chunk(const VfiFlowWork *work, int index)
{
    int rows = work->step->u.sweep.patches[0].x.h;

    if (!is_small(work->step)) {
        sweep_row(work, index % 2, index / 2);
        return;
    }
    for (int i = 0; i < 2 * rows; i++)
        sweep_row(work, i / rows, i % rows);
}

/* ---- dense flow -------------------------------------------------------------------- */

static VfiFlowArea densify_area(const VfiFlowStep *step)
{
    const VfiFlowPlane *flow = &step->u.densify.flow[0][0];

    return (VfiFlowArea){2, flow->h, flow->w};
}

static void densify_rows(const VfiFlowWork *work, int d, int begin, int end)
{
    const VfiFlowDensify *densify = &work->step->u.densify;
    const VfiFlowPlane *luma[2] = {&densify->picture[0], &densify->picture[1]};
    VfiFlowPictures pictures = pictures_of(work, luma, 1, d);
    VfiFlowPatchField field = patch_field(work, &densify->patches[d], &pictures);

    for (int y = begin; y < end; y++)
        work->kernels->flow.densify(&field, y,
                                    vfi_work_row(work, &densify->flow[d][0], y),
                                    vfi_work_row(work, &densify->flow[d][1], y));
}

const VfiFlowPass vfi_flow_begin = {.area = begin_area, .rows = begin_rows};
const VfiFlowPass vfi_flow_cross = {.area = cross_area, .rows = cross_rows};
const VfiFlowPass vfi_flow_sweep = {
    .chunks = sweep_chunks, .chunk = sweep_chunk, .begin = sweep_begin};
const VfiFlowPass vfi_flow_densify = {.area = densify_area, .rows = densify_rows};
