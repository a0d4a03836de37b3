/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sweep over patches. A warp has a row of patches in one direction, patch after patch,
 * and follows the warp that has the row before: a sweep in both directions is one launch,
 * and a warp waits for nothing but the vector that it needs next.
 *
 * Rows are handed out in the order of the sweep, so that whoever has the row before is at
 * work, however few warps the device runs at once. A vector goes to the row that waits
 * for it as one word, which is NOTHING before: words are written as a whole, so that no
 * fence is needed. */
#include <stdint.h>

#include "flow/flow_kernels.h"
#include "flow/patch.cuh"

/* No vector: both of its floats would be NaN. */
#define NOTHING 0xFFFFFFFFFFFFFFFFull

template <int CHANNELS> struct SweepParameters {
    PicturePair<CHANNELS> pictures[2]; /* by direction, as all below */
    FlowPlane x[2], y[2], cost[2], settled[2];
    FlowPlane other[2][2], landed[2][2]; /* or .w is 0 */
    FlowPlane words;                     /* a row of patches: [direction][column] */
    int *taken;                          /* the row that was handed out last */
    bool reverse, is_last;
};

/* A patch's vector, and what is known of where it leads. */
struct Vector {
    float x, y;
    Match match;
    bool has_slope; /* else match has the cost alone */
    bool is_settled;
};

/* A vector to be tried, if there is one. */
struct Candidate {
    float x, y;
    bool is_there;
};

/* ---- words ------------------------------------------------------------------------- */

union Word {
    struct {
        float x, y;
    } vector;
    unsigned long long bits;
};

static __device__ __forceinline__ unsigned long long *
word_at(const FlowPlane *words, int columns, int d, int column, int row)
{
    float *line = flow_at(words, 0, row);

    return (unsigned long long *)(void *)line + d * columns + column;
}

static __device__ __forceinline__ Word wait_for(const unsigned long long *at)
{
    Word word;

    do
        word.bits = *(const volatile unsigned long long *)at;
    while (word.bits == NOTHING);
    return word;
}

static __device__ __forceinline__ void tell(unsigned long long *at, float x, float y)
{
    Word word;

    word.vector = {x, y};
    *(volatile unsigned long long *)at = word.bits == NOTHING ? 0 : word.bits;
}

static __device__ __forceinline__ int take_row(int *taken)
{
    int row = 0;

    if (threadIdx.x == 0)
        row = atomicAdd(taken, 1) + 1;
#ifdef __CUDACC__
    row = __shfl_sync(ALL_LANES, row, 0);
#endif
    return row;
}

/* Also the row that was handed out last: -1. */
static __global__ void forget_words(FlowPlane words)
{
    const FlowPlace at = flow_thread();

    if (at.y < words.h && at.x < (int)words.row / 2)
        *word_at(&words, 0, 0, at.x, at.y) = NOTHING;
}

/* ---- candidates -------------------------------------------------------------------- */

/* Whether it is another vector than @best. */
static __device__ __forceinline__ bool differs(const Candidate &candidate,
                                               const Vector &best)
{
    const float dx = candidate.x - best.x, dy = candidate.y - best.y;

    return candidate.is_there && dx * dx + dy * dy >= VFI_FLOW_SAME * VFI_FLOW_SAME;
}

/* The vector that landed on a patch. */
template <int CHANNELS>
static __device__ __forceinline__ Candidate landed_on(const SweepParameters<CHANNELS> &p,
                                                      int d, int column, int row)
{
    const FlowPlane *landed = p.landed[d];

    if (landed[0].w == 0)
        return {0.0f, 0.0f, false};
    const float x = *flow_at(&landed[0], column, row);
    return {x, *flow_at(&landed[1], column, row), x != VFI_FLOW_NO_VECTOR};
}

/* The negated vector of the other direction's patch nearest to where @best leads. */
template <int CHANNELS>
static __device__ __forceinline__ Candidate look_up(const SweepParameters<CHANNELS> &p,
                                                    int d, int column, int row,
                                                    const Vector &best)
{
    const FlowPlane *other = p.other[d], *picture = &p.pictures[d].from[0];
    const int left = vfi_flow_patch_begin(column, picture->w);
    const int top = vfi_flow_patch_begin(row, picture->h);

    if (other[0].w == 0)
        return {0.0f, 0.0f, false};
    const int x = vfi_flow_nearest_patch((float)left + best.x, other->w);
    const int y = vfi_flow_nearest_patch((float)top + best.y, other->h);
    if (x < 0 || y < 0)
        return {0.0f, 0.0f, false};
    return {-*flow_at(&other[0], x, y), -*flow_at(&other[1], x, y), true};
}

/* ---- a patch ----------------------------------------------------------------------- */

template <int CHANNELS>
static __device__ __forceinline__ void
try_vector(const PicturePair<CHANNELS> &pictures, const Patch<CHANNELS> &patch,
           const Candidate &candidate, Vector *best)
{
    if (!differs(candidate, *best))
        return;
    const Match match = match_patch(pictures, patch, candidate.x, candidate.y);
    if (match.cost < best->match.cost)
        *best = {candidate.x, candidate.y, match, true, false};
}

/* From @best downhill while the cost falls. */
template <int CHANNELS>
static __device__ __forceinline__ void descend(const PicturePair<CHANNELS> &pictures,
                                               const Patch<CHANNELS> &patch, Vector *best)
{
    const float det = patch.a11 * patch.a22 - patch.a12 * patch.a12;
    const float begin_x = best->x, begin_y = best->y;

    best->is_settled = true;
    if (!(det >= VFI_FLOW_LEAST_TEXTURE))
        return;
    if (!best->has_slope)
        best->match = match_patch(pictures, patch, best->x, best->y);
    for (int step = 1; step <= VFI_FLOW_STEPS; step++) {
        const Match *at = &best->match;
        const float dx = (patch.a22 * at->x - patch.a12 * at->y) / det;
        const float dy = (patch.a11 * at->y - patch.a12 * at->x) / det;
        if (dx * dx + dy * dy < VFI_FLOW_LEAST_STEP * VFI_FLOW_LEAST_STEP)
            return;
        const float x = best->x - dx, y = best->y - dy;
        const float far_x = x - begin_x, far_y = y - begin_y;
        if (far_x * far_x + far_y * far_y > VFI_FLOW_FARTHEST * VFI_FLOW_FARTHEST) {
            best->is_settled = false;
            return;
        }
        const Match match = match_patch(pictures, patch, x, y);
        if (!(match.cost < best->match.cost))
            return;
        *best = {x, y, match, true, step < VFI_FLOW_STEPS};
    }
}

/* What a patch of that cost counts in the dense flow. */
static __device__ __forceinline__ float vote_of(float cost)
{
    return 1.0f / (1.0f + VFI_FLOW_VOTE * sqrtf(cost > 0.0f ? cost : 0.0f));
}

template <int CHANNELS>
static __device__ __forceinline__ Vector load_vector(const SweepParameters<CHANNELS> &p,
                                                     int d, int column, int row)
{
    const Match match = {*flow_at(&p.cost[d], column, row), 0.0f, 0.0f};

    return {*flow_at(&p.x[d], column, row), *flow_at(&p.y[d], column, row), match, false,
            *flow_at(&p.settled[d], column, row) != 0.0f};
}

template <int CHANNELS>
static __device__ __forceinline__ void store_vector(const SweepParameters<CHANNELS> &p,
                                                    int d, int column, int row,
                                                    const Vector &vector)
{
    const float cost = vector.match.cost;

    *flow_at(&p.x[d], column, row) = vector.x;
    *flow_at(&p.y[d], column, row) = vector.y;
    *flow_at(&p.cost[d], column, row) = p.is_last ? vote_of(cost) : cost;
    *flow_at(&p.settled[d], column, row) = vector.is_settled ? 1.0f : 0.0f;
}

/* The patch's vector after what was tried in turn. Most patches are left alone in a
 * second sweep: what their neighbours found is what they have, and descending leads
 * nowhere. */
template <int CHANNELS>
static __device__ __forceinline__ Vector improved(const SweepParameters<CHANNELS> &p,
                                                  int d, int column, int row,
                                                  const Candidate &before,
                                                  const Candidate &above)
{
    const PicturePair<CHANNELS> &pictures = p.pictures[d];
    const Candidate landed = landed_on(p, d, column, row);
    Vector best = load_vector(p, d, column, row);

    if (best.is_settled && !differs(before, best) && !differs(above, best) &&
        !differs(landed, best) && !differs(look_up(p, d, column, row, best), best))
        return best;
    const Patch<CHANNELS> patch = patch_of(pictures, column, row);
    try_vector(pictures, patch, before, &best);
    try_vector(pictures, patch, above, &best);
    try_vector(pictures, patch, landed, &best);
    try_vector(pictures, patch, look_up(p, d, column, row, best), &best);
    if (!best.is_settled)
        descend(pictures, patch, &best);
    return best;
}

/* ---- a row ------------------------------------------------------------------------- */

template <int CHANNELS>
static __global__ void __launch_bounds__(LANES)
    sweep(const __grid_constant__ SweepParameters<CHANNELS> p)
{
    VFI_ENTER_WARP;
    const int columns = p.x[0].w, rows = p.x[0].h;
    const int index = take_row(p.taken), d = index % 2, nth = index / 2;
    const int row = p.reverse ? rows - 1 - nth : nth;
    const int row_before = p.reverse ? row + 1 : row - 1;
    Candidate before = {0.0f, 0.0f, false}, above = before;

    for (int k = 0; k < columns; k++) {
        const int column = p.reverse ? columns - 1 - k : k;

        if (nth > 0) {
            const Word word = wait_for(word_at(&p.words, columns, d, column, row_before));
            above = {word.vector.x, word.vector.y, true};
        }
        const Vector best = improved(p, d, column, row, before, above);
        before = {best.x, best.y, true};
        if (threadIdx.x == 0) {
            tell(word_at(&p.words, columns, d, column, row), best.x, best.y);
            store_vector(p, d, column, row, best);
        }
    }
}

template <int CHANNELS>
static void launch(cudaStream_t stream, const VfiFlowSweep *step, char *const *region)
{
    SweepParameters<CHANNELS> p = {};

    for (int d = 0; d < 2; d++) {
        p.pictures[d] = picture_pair<CHANNELS>(step->picture, d, region);
        p.x[d] = flow_plane(&step->patches[d].x, region);
        p.y[d] = flow_plane(&step->patches[d].y, region);
        p.cost[d] = flow_plane(&step->patches[d].cost, region);
        p.settled[d] = flow_plane(&step->patches[d].settled, region);
    }
    flow_planes(p.other[0], step->other[0], 4, region);
    flow_planes(p.landed[0], step->landed[0], 4, region);
    p.words = flow_plane(&step->words, region);
    p.taken = (int *)(void *)flow_at(&p.words, 0, p.words.h - 1);
    p.reverse = step->reverse;
    p.is_last = step->is_last;
    VFI_LAUNCH(forget_words, flow_grid((int)p.words.row / 2, p.words.h, 1), flow_block(),
               stream, p.words);
    VFI_LAUNCH(sweep<CHANNELS>, dim3(2 * (unsigned)p.x[0].h), dim3(LANES), stream, p);
}

cudaError_t vfi_cuda_flow_sweep(cudaStream_t stream, const VfiFlowSweep *step,
                                char *const *region)
{
    if (step->picture[0].n_channels == 1)
        launch<1>(stream, step, region);
    else
        launch<VFI_FLOW_CHANNELS>(stream, step, region);
    return cudaGetLastError();
}
