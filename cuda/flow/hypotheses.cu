/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well both frames agree with each hypothesis. A block has a tile of cells and one
 * hypothesis: differences on the tile and around it, then sums over a box, columns
 * first. */
#include "flow/hypotheses.cuh"

#define TILE 32
#define AROUND (TILE + 2 * VFI_MOTION_MAX_RADIUS)
#define THREADS 256

/* Is added to differences, and stands for those that say nothing. */
#define SOFTENING 4.0f

struct WeighParameters {
    MotionParameters motion;
    const float *picture[2];
    ptrdiff_t picture_row;
    int radius, end_row;
    float prior;
    float move[2]; /* of a vector's length to its end in either picture, in cells */
    float beyond;  /* cells beyond the edge times this are the part that is there */
};

/* Bilinear sample of luma on the grid. The column and the row after the last are the
 * border's. */
static __device__ __forceinline__ float luma_at(const WeighParameters *p, int frame,
                                                float x, float y)
{
    const float column = clamp_code(x, (float)(p->motion.grid_w - 1));
    const float line = clamp_code(y, (float)(p->motion.grid_h - 1));
    const int left = (int)column, top = (int)line;
    const float part_x = column - (float)left, part_y = line - (float)top;
    const float *at = p->picture[frame] + (ptrdiff_t)top * p->picture_row + left;
    const float *below = at + p->picture_row;
    const float upper = at[0] + (at[1] - at[0]) * part_x;
    const float lower = below[0] + (below[1] - below[0]) * part_x;

    return upper + (lower - upper) * part_y;
}

/* NaN, which a frame of floats may hold, counts as the largest difference. */
static __device__ __forceinline__ float difference_of(float a, float b)
{
    const float distance = a < b ? b - a : a - b;

    return distance < 255.0f ? distance : 255.0f;
}

/* The mean of a plane of the network's over a cell. */
static __device__ __forceinline__ float network_mean(const MotionParameters *motion,
                                                     int plane, int x, int y)
{
    const NetworkField *network = &motion->network;
    const int side = 1 << motion->level;
    float sum = 0.0f;

    for (int j = 0; j < side; j++)
        for (int i = 0; i < side; i++)
            sum += network_at(network, plane, clamp_below(x * side + i, network->width),
                              clamp_below(y * side + j, network->height));
    return sum * (1.0f / (float)(side * side));
}

/* Of what a network finds at a cell: less the more it shows one frame alone. */
static __device__ __forceinline__ float network_difference(const WeighParameters *p,
                                                           int x, int y)
{
    const MotionParameters *motion = &p->motion;
    const float cells = 1.0f / (float)(1 << motion->level);
    const float a = luma_at(p, 0, (float)x + cells * network_mean(motion, 0, x, y),
                            (float)y + cells * network_mean(motion, 1, x, y));
    const float b = luma_at(p, 1, (float)x + cells * network_mean(motion, 2, x, y),
                            (float)y + cells * network_mean(motion, 3, x, y));
    const float part = clamp_code(network_mean(motion, 4, x, y), 1.0f);
    const float both = 2.0f * sqrtf(part * (1.0f - part));

    return SOFTENING + (difference_of(a, b) - SOFTENING) * both;
}

/* Which hypothesis one counts as at a cell: itself, the first one, or the plain blend. */
static __device__ __forceinline__ int counts_as(const MotionParameters *motion,
                                                int hypothesis, int x, int y)
{
    const MotionField *field = &motion->field[hypothesis], *first = &motion->field[0];
    const float vector_x = cell_vector(motion, field, 0, x, y);
    const float vector_y = cell_vector(motion, field, 1, x, y);

    if (hypothesis > 0 &&
        fabsf(vector_x - cell_vector(motion, first, 0, x, y)) <= VFI_MOTION_NEAR &&
        fabsf(vector_y - cell_vector(motion, first, 1, x, y)) <= VFI_MOTION_NEAR)
        return 0;
    const bool is_still =
        fabsf(vector_x) <= VFI_MOTION_STILL && fabsf(vector_y) <= VFI_MOTION_STILL;
    return is_still ? motion->n_hypotheses : hypothesis;
}

/* How much of what lies at a place of the grid is beyond the edge. */
static __device__ __forceinline__ float part_beyond(const WeighParameters *p, float x,
                                                    float y)
{
    const float off_x = fabsf(x - clamp_code(x, (float)(p->motion.grid_w - 1)));
    const float off_y = fabsf(y - clamp_code(y, (float)(p->motion.grid_h - 1)));
    const float off = (off_x > off_y ? off_x : off_y) * p->beyond;

    return off < 1.0f ? off : 1.0f;
}

/* At a cell of the grid, of what the hypothesis counts as there. */
static __device__ __forceinline__ float difference_at(const WeighParameters *p,
                                                      int hypothesis, int x, int y)
{
    const MotionParameters *motion = &p->motion;
    float vector_x = 0.0f, vector_y = 0.0f;

    if (hypothesis < motion->n_hypotheses)
        hypothesis = counts_as(motion, hypothesis, x, y);
    if (hypothesis == 0)
        hypothesis = counts_as(motion, 0, x, y);
    if (hypothesis < motion->n_hypotheses) {
        vector_x = cell_vector(motion, &motion->field[hypothesis], 0, x, y);
        vector_y = cell_vector(motion, &motion->field[hypothesis], 1, x, y);
    }
    float luma[2], unseen = 0.0f;
    VFI_UNROLL
    for (int f = 0; f < 2; f++) {
        const float at_x = (float)x + p->move[f] * vector_x;
        const float at_y = (float)y + p->move[f] * vector_y;
        const float beyond = part_beyond(p, at_x, at_y);
        luma[f] = luma_at(p, f, at_x, at_y);
        unseen = beyond > unseen ? beyond : unseen;
    }
    const float difference = difference_of(luma[0], luma[1]);
    return difference + (VFI_MOTION_UNSEEN - difference) * unseen;
}

static __device__ __forceinline__ float factor_of(const WeighParameters *p,
                                                  int hypothesis)
{
    if (hypothesis < p->motion.n_hypotheses)
        return 1.0f;
    return hypothesis == p->motion.n_hypotheses ? p->prior : VFI_MOTION_NETWORK_SHARE;
}

static __device__ __forceinline__ float weight_of(const WeighParameters *p,
                                                  int hypothesis, float sum)
{
    const int side = 2 * p->radius + 1;
    const float e = sum * (1.0f / (float)(side * side)) + SOFTENING;

    return factor_of(p, hypothesis) / (e * e);
}

/* Blocks' z is the hypothesis; NETWORK: it is a network's. */
template <bool NETWORK>
static __global__ void __launch_bounds__(THREADS)
    weigh(const __grid_constant__ WeighParameters p)
{
    VFI_ENTER_PHASES;
    __shared__ float difference[AROUND][AROUND], sum[AROUND][TILE];
    const MotionParameters *motion = &p.motion;
    const int hypothesis = NETWORK ? motion->n_hypotheses + 1 : (int)blockIdx.z;
    const int radius = p.radius;
    const int left = TILE * (int)blockIdx.x;
    const int top = motion->first_row + TILE * (int)blockIdx.y;
    const int around = TILE + 2 * radius;

    VFI_PHASE(i, around * around)
    {
        const int column = i % around, row = i / around;
        const int x =
            motion->spacing * clamp_below(left - radius + column, motion->weights_w);
        const int y =
            motion->spacing * clamp_below(top - radius + row, motion->weights_h);
        difference[row][column] =
            NETWORK ? network_difference(&p, x, y) : difference_at(&p, hypothesis, x, y);
    }
    VFI_PHASE(i, around * TILE)
    {
        const int x = i % TILE, y = i / TILE;
        float of_columns = difference[y][x];
        for (int k = 1; k <= 2 * radius; k++)
            of_columns += difference[y][x + k];
        sum[y][x] = of_columns;
    }
    VFI_PHASE(i, TILE * TILE)
    {
        const int x = i % TILE, y = i / TILE;
        float of_rows = 0.0f;
        if (left + x >= motion->weights_w || top + y >= p.end_row)
            continue;
        for (int k = 0; k <= 2 * radius; k++)
            of_rows += sum[y + k][x];
        motion->weight[hypothesis * motion->weight_plane +
                       (ptrdiff_t)(top + y - motion->first_row) * motion->weight_row +
                       left + x] = weight_of(&p, hypothesis, of_rows);
    }
}

static __device__ __forceinline__ void hand_over(float *from, float *to)
{
    *to += *from;
    *from = 0.0f;
}

/* Adds weights at a cell to those of what the hypotheses count as there. */
static __global__ void hand_over_weights(const __grid_constant__ MotionParameters p,
                                         int end_row)
{
    const FlowPlace at = flow_thread();
    const int row = p.first_row + at.y, n = p.n_hypotheses;
    float *weight = p.weight + at.y * p.weight_row + at.x;

    if (at.x >= p.weights_w || row >= end_row)
        return;
    for (int i = 1; i <= n; i++) { /* the first one last: others give to it */
        const int h = i % n;
        const int as = counts_as(&p, h, p.spacing * at.x, p.spacing * row);
        if (as != h)
            hand_over(weight + h * p.weight_plane, weight + as * p.weight_plane);
    }
}

void vfi_cuda_weigh_hypotheses(cudaStream_t stream, const VfiMotion *motion,
                               const MotionParameters &of_motion, int end_row)
{
    const float cells = 1.0f / (float)(1 << motion->level);
    WeighParameters p = {};

    p.motion = of_motion;
    for (int i = 0; i < 2; i++)
        p.picture[i] = motion->picture[i];
    p.picture_row = (ptrdiff_t)motion->picture_row;
    p.radius = motion->radius;
    p.end_row = end_row;
    p.prior = motion->prior;
    p.move[0] = -motion->t * cells;
    p.move[1] = (1.0f - motion->t) * cells;
    p.beyond = (float)(1 << motion->level) / VFI_MOTION_EDGE;
    const int rows = end_row - of_motion.first_row;
    const dim3 tiles((unsigned)((of_motion.weights_w + TILE - 1) / TILE),
                     (unsigned)((rows + TILE - 1) / TILE));
    const dim3 all(tiles.x, tiles.y, (unsigned)of_motion.n_hypotheses + 1);
    VFI_LAUNCH(weigh<false>, all, dim3(THREADS), stream, p);
    if (motion->network != NULL)
        VFI_LAUNCH(weigh<true>, tiles, dim3(THREADS), stream, p);
    VFI_LAUNCH(hand_over_weights, flow_grid(of_motion.weights_w, rows, 1), flow_block(),
               stream, of_motion, end_row);
}
