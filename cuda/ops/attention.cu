/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attention: a block of threads takes TILE queries and goes through the keys that they
 * see, TILE at a time, with a running maximum and sum per query. What it needs of
 * queries, keys and values comes into shared memory in slices of channels, as f32, so
 * that two rows of it are multiplied in either product. */
#include <math.h>

#include "ops/tensor.cuh"

extern "C" {
#include "op/descriptor.h"
}

#define TILE 32
/* Channels of a slice, as many as keys of a tile. */
#define SLICE 32
/* A row in shared memory in vectors of four, one more than it has: the rows that eight
 * threads read side by side then begin in different banks. */
#define ROW 9
#define MAX_CHANNELS 256

struct Attention {
    VfiAttentionKind kind;
    int frames, channels; /* of a frame */
    int window, w;
    unsigned pixels;  /* of a frame */
    unsigned columns; /* windows side by side */
    unsigned rows;
    unsigned tokens; /* that see one another */
    unsigned tiles;  /* of queries */
    float scale;
};

/* Where a token is. */
struct Place {
    int frame;
    unsigned pixel;
};

static __device__ __forceinline__ Place place_of(const Attention &a, unsigned set,
                                                 unsigned token)
{
    if (a.kind == VFI_ATTENTION_GLOBAL)
        return {(int)(token / a.pixels), token % a.pixels};
    unsigned window = (unsigned)a.window, row = token / window, column = token % window;
    unsigned x = set % a.columns, y = set / a.columns % a.rows;
    bool is_grid = a.kind == VFI_ATTENTION_GRID;

    x = is_grid ? column * a.columns + x : x * window + column;
    y = is_grid ? row * a.rows + y : y * window + row;
    return {(int)(set / (a.columns * a.rows)), y * (unsigned)a.w + x};
}

/* The channels of a frame and those before it. */
static __device__ __forceinline__ VfiCudaTensor up_to_frame(const Attention &a,
                                                            const VfiCudaTensor &tensor,
                                                            int frame)
{
    VfiCudaTensor part = tensor;

    part.c = (frame + 1) * a.channels;
    part.followed = tensor.followed || part.c < tensor.c;
    return part;
}

/* Channels @channel … of a token, zeros behind the frame's last one. */
static __device__ __forceinline__ VfiGroup load_token(const Attention &a,
                                                      const VfiCudaTensor &tensor,
                                                      Place place, int channel)
{
    VfiCudaTensor part = up_to_frame(a, tensor, place.frame);
    int first = place.frame * a.channels + channel;
    VfiGroup group;

    if (part.pixel_stride == 0 || first % VFI_GROUP == 0)
        group = vfi_load_group(part, place.pixel, first);
    else
        group = vfi_load_elements(
            part, (size_t)place.pixel * (size_t)part.pixel_stride + (size_t)first, first);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        group.v[k] = channel + k < a.channels ? group.v[k] : 0.0f;
    return group;
}

static __device__ __forceinline__ void store_token(const Attention &a,
                                                   const VfiCudaTensor &tensor,
                                                   Place place, int channel,
                                                   const VfiGroup &group)
{
    VfiCudaTensor part = up_to_frame(a, tensor, place.frame);
    int first = place.frame * a.channels + channel;

    if (part.pixel_stride == 0 || first % VFI_GROUP == 0)
        vfi_store_group(part, place.pixel, first, group);
    else
        vfi_store_elements(
            part, (size_t)place.pixel * (size_t)part.pixel_stride + (size_t)first, first,
            group);
}

/* Token and group of channels of a slice that thread @i brings: neighbours are side by
 * side in memory. */
static __device__ __forceinline__ void part_of_slice(const VfiCudaTensor &tensor, int i,
                                                     int *token, int *channel)
{
    const int groups = SLICE / VFI_GROUP;
    bool is_planar = tensor.pixel_stride == 0;

    *token = is_planar ? i % TILE : i / groups;
    *channel = VFI_GROUP * (is_planar ? i / TILE : i % groups);
}

/* Channels of tokens @first … of @set to rows; zeros where there are none. With
 * @transposed a row is a channel. */
static __device__ __forceinline__ void
load_slice(const Attention &a, const VfiCudaTensor &tensor, unsigned set, unsigned first,
           int first_channel, int i, float scale, bool transposed, float *rows)
{
    VfiGroup group = {};
    int token, channel;

    part_of_slice(tensor, i, &token, &channel);
    if (first + (unsigned)token < a.tokens && first_channel + channel < a.channels)
        group = load_token(a, tensor, place_of(a, set, first + (unsigned)token),
                           first_channel + channel);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        rows[transposed ? (channel + k) * 4 * ROW + token
                        : token * 4 * ROW + channel + k] = group.v[k] * scale;
}

static __device__ __forceinline__ float multiply_add(float a, float b, float c)
{
#ifdef __CUDACC__
    return fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

/* Products of rows @y and @y + TILE / 2 with rows @x and @x + TILE / 2. */
struct Products {
    float of[2][2];
};

static __device__ __forceinline__ Products multiply(const float4 (*left)[ROW],
                                                    const float4 (*right)[ROW], int y,
                                                    int x)
{
    Products sum = {};

    VFI_UNROLL_BY_1
    for (int k = 0; k < SLICE / 4; k++)
        VFI_UNROLL
    for (int i = 0; i < 2; i++) {
        float4 l = left[y + i * TILE / 2][k];
        VFI_UNROLL
        for (int j = 0; j < 2; j++) {
            float4 r = right[x + j * TILE / 2][k];
            float s = multiply_add(l.x, r.x, sum.of[i][j]);
            s = multiply_add(l.y, r.y, s);
            s = multiply_add(l.z, r.z, s);
            sum.of[i][j] = multiply_add(l.w, r.w, s);
        }
    }
    return sum;
}

/* Thread @i's rows: a warp has four by eight. */
static __device__ __forceinline__ void own_rows(int i, int *y, int *x)
{
    *y = i / 64 * 4 + i % 32 / 8;
    *x = i / 32 % 2 * 8 + i % 8;
}

static __device__ __forceinline__ float bias_of(const Attention &a, const float *bias,
                                                unsigned query, unsigned key)
{
    const int window = a.window, side = 2 * window - 1;

    if (bias == NULL || query >= a.tokens || key >= a.tokens)
        return 0.0f;
    const int dy = (int)query / window - (int)key / window;
    const int dx = (int)query % window - (int)key % window;
    return bias[(dy + window - 1) * side + dx + window - 1];
}

/* CHANNELS: of a frame, at most. */
template <int CHANNELS>
static __global__ void __launch_bounds__(VFI_BLOCK)
    attend(const __grid_constant__ Attention a, const __grid_constant__ VfiCudaTensor q,
           const __grid_constant__ VfiCudaTensor k,
           const __grid_constant__ VfiCudaTensor v, const float *bias,
           const __grid_constant__ VfiCudaTensor dst)
{
    VFI_ENTER_PHASES;
    __shared__ float4 left[TILE][ROW], right[TILE][ROW], parts[TILE][ROW];
    __shared__ float sums[TILE][CHANNELS];
    __shared__ float largest[TILE], keep[TILE], total[TILE];
    const unsigned set = blockIdx.x / a.tiles, first = blockIdx.x % a.tiles * TILE;
    const int threads_of_slice = TILE * SLICE / VFI_GROUP;
    float *const scores = (float *)parts;

    VFI_PHASE(i, TILE * CHANNELS)
    {
        sums[i / CHANNELS][i % CHANNELS] = 0.0f;
        if (i < TILE) {
            largest[i] = -INFINITY;
            total[i] = 0.0f;
        }
    }
    for (unsigned key = 0; key < a.tokens; key += TILE) {
        const int n = (int)(a.tokens - key < TILE ? a.tokens - key : TILE);
        for (int c = 0; c < a.channels; c += SLICE) {
            VFI_PHASE(i, 2 * threads_of_slice)
            {
                if (i < threads_of_slice)
                    load_slice(a, q, set, first, c, i, a.scale, false, (float *)left);
                else
                    load_slice(a, k, set, key, c, i - threads_of_slice, 1.0f, false,
                               (float *)right);
            }
            VFI_PHASE(i, VFI_BLOCK)
            {
                int y, x;
                own_rows(i, &y, &x);
                Products product = multiply(left, right, y, x);
                VFI_UNROLL
                for (int j = 0; j < 4; j++) {
                    const int row = y + j / 2 * TILE / 2, column = x + j % 2 * TILE / 2;
                    float *score = scores + row * 4 * ROW + column;
                    const float before = c > 0 ? *score
                                               : bias_of(a, bias, first + (unsigned)row,
                                                         key + (unsigned)column);
                    *score = before + product.of[j / 2][j % 2];
                }
            }
        }
        VFI_PHASE(i, TILE)
        {
            float most = largest[i];
            for (int j = 0; j < n; j++) {
                const float score = scores[i * 4 * ROW + j];
                most = score > most ? score : most;
            }
            keep[i] = expf(largest[i] - most);
            largest[i] = most;
        }
        VFI_PHASE(i, TILE * TILE)
        {
            float *part = scores + i / TILE * 4 * ROW + i % TILE;
            *part = i % TILE < n ? expf(*part - largest[i / TILE]) : 0.0f;
        }
        for (int c = 0; c < a.channels; c += SLICE) {
            VFI_PHASE(i, threads_of_slice + TILE)
            {
                const int row = i - threads_of_slice;
                if (row < 0) {
                    load_slice(a, v, set, key, c, i, 1.0f, true, (float *)right);
                } else if (c == 0) {
                    float sum = total[row] * keep[row];
                    for (int j = 0; j < n; j++)
                        sum += scores[row * 4 * ROW + j];
                    total[row] = sum;
                }
            }
            VFI_PHASE(i, VFI_BLOCK)
            {
                int y, x;
                own_rows(i, &y, &x);
                Products product = multiply(parts, right, y, x);
                VFI_UNROLL
                for (int j = 0; j < 4; j++) {
                    const int row = y + j / 2 * TILE / 2;
                    float *sum = &sums[row][c + x + j % 2 * TILE / 2];
                    *sum = multiply_add(*sum, keep[row], product.of[j / 2][j % 2]);
                }
            }
        }
    }
    VFI_PHASE(i, TILE * CHANNELS / VFI_GROUP)
    {
        const bool is_planar = dst.pixel_stride == 0;
        const int token = is_planar ? i % TILE : i / (CHANNELS / VFI_GROUP);
        const int c = VFI_GROUP * (is_planar ? i / TILE : i % (CHANNELS / VFI_GROUP));
        if (first + (unsigned)token >= a.tokens || c >= a.channels)
            continue;
        VfiGroup group;
        VFI_UNROLL
        for (int j = 0; j < VFI_GROUP; j++)
            group.v[j] = sums[token][c + j] / total[token];
        store_token(a, dst, place_of(a, set, first + (unsigned)token), c, group);
    }
}

static bool supports(const VfiOp *op, GError **error)
{
    int channels = op->dst.shape.c / op->u.attention.frames;

    return channels <= MAX_CHANNELS ||
           vfi_op_refuse(op, error, "a frame may have %d channels, not %d", MAX_CHANNELS,
                         channels);
}

static void constants(const VfiOp *op, VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    const VfiAttentionParams *p = &op->u.attention;
    size_t side = 2 * (size_t)p->window - 1;

    if (p->kind != VFI_ATTENTION_GLOBAL)
        constants[0] = {p->bias, side * side, 0};
}

static cudaError_t launch(const VfiCudaLaunch *launch)
{
    const VfiAttentionParams *p = &launch->op->u.attention;
    const VfiCudaTensor *src = launch->src, dst = launch->dst;
    unsigned sets = 1;
    Attention a = {};

    a.kind = p->kind;
    a.frames = p->frames;
    a.channels = dst.c / p->frames;
    a.w = dst.w;
    a.pixels = (unsigned)dst.h * (unsigned)dst.w;
    a.tokens = a.pixels * (unsigned)p->frames;
    a.scale = p->scale;
    if (p->kind != VFI_ATTENTION_GLOBAL) {
        a.window = p->window;
        a.columns = (unsigned)(dst.w / p->window);
        a.rows = (unsigned)(dst.h / p->window);
        a.tokens = (unsigned)(p->window * p->window);
        sets = (unsigned)p->frames * a.columns * a.rows;
    }
    a.tiles = (a.tokens + TILE - 1) / TILE;
    const dim3 grid(sets * a.tiles), block(VFI_BLOCK);
    if (a.channels <= 64)
        VFI_LAUNCH(attend<64>, grid, block, launch->stream, a, src[0], src[1], src[2],
                   launch->constant[0], dst);
    else if (a.channels <= 128)
        VFI_LAUNCH(attend<128>, grid, block, launch->stream, a, src[0], src[1], src[2],
                   launch->constant[0], dst);
    else
        VFI_LAUNCH(attend<MAX_CHANNELS>, grid, block, launch->stream, a, src[0], src[1],
                   src[2], launch->constant[0], dst);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_attention = {supports, constants, launch};
