/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ATTENTION: a chunk takes some queries, or some windows, and goes through the keys in
 * tiles with a running maximum and sum per query, so that there is never more than a tile
 * of scores. Queries lie in panels of a few vectors side by side: their scores are K · Qᵀ
 * and their sums Vᵀ · P, products of matrices whose columns are queries, and all of the
 * softmax goes on between vectors, never across one. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/ops/attention_tokens.h"

/* Vectors of a panel. */
#define N_VECTORS 2

/* Queries of a chunk, and keys of a tile, at most: what a cache of a megabyte holds. */
#define MAX_QUERIES 128
#define MAX_KEYS 128

/* A chunk's multiply-accumulates, about, for 20 ms at each level: at 4K there are still
 * enough queries for keys to come from the nearer caches most times. */
static const double chunk_macs[] = {
    [VFI_CPU_LEVEL_C] = 5e7,
    [VFI_CPU_LEVEL_AVX2] = 8e8,
    [VFI_CPU_LEVEL_AVX512] = 2.05e9,
};

/* Chunks that a volume is to have at least, for as many threads. */
#define MIN_CHUNKS 32

/* Windows of a chunk: what lies side by side of a plane's cache line in a grid. */
#define WINDOWS 16

typedef struct {
    int frames, pixels; /* of a frame */
    int channels;       /* of a frame */
    int padded;         /* to whole vectors */
    int vector;         /* channels of one */
    int lanes;          /* queries of a panel */
    int queries, keys;  /* most of a chunk or window, and of a tile */
    int panels;
    int pieces; /* chunks of a frame, or of a row of windows */
} Attention;

/* Buffers of a thread, in floats from the start of its scratch. */
typedef struct {
    float *queries;         /* [panel][padded][lanes], scaled */
    float *sums;            /* [panel][padded][lanes], of values */
    float *scores;          /* [keys][lanes] */
    float *keep;            /* [lanes] */
    float *largest, *total; /* [panel][lanes] */
    float *keys[2], *values[2];
    VfiSegment *segments; /* of K, a vector of channels each */
} Buffers;

/* Room for @n floats; counts them. */
static float *take(float *scratch, size_t *at, size_t n)
{
    float *buffer = scratch != NULL ? scratch + *at : NULL;

    *at += (n + 15) / 16 * 16;
    return buffer;
}

/* Returns the floats that they are. @scratch may be NULL. */
static size_t lay_out_buffers(const Attention *a, float *scratch, Buffers *buffers)
{
    size_t padded = (size_t)a->padded, lanes = (size_t)a->lanes;
    size_t panel = padded * lanes, panels = (size_t)a->panels;
    size_t tokens = (size_t)MAX(a->keys, a->panels * a->lanes), at = 0;

    buffers->queries = take(scratch, &at, panels * panel);
    buffers->sums = take(scratch, &at, panels * panel);
    buffers->scores = take(scratch, &at, (size_t)a->keys * lanes);
    buffers->keep = take(scratch, &at, lanes);
    buffers->largest = take(scratch, &at, panels * lanes);
    buffers->total = take(scratch, &at, panels * lanes);
    for (int i = 0; i < 2; i++) {
        buffers->keys[i] = take(scratch, &at, tokens * padded);
        buffers->values[i] = take(scratch, &at, tokens * padded);
    }
    buffers->segments = (VfiSegment *)(void *)take(
        scratch, &at, padded / (size_t)a->vector * sizeof(VfiSegment) / sizeof(float));
    return at;
}

/* ---- planning ---------------------------------------------------------------------- */

static bool accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    (void)op;
    (void)kernels;
    return true;
}

/* The bias of each query for each key of a window, in panels of queries. */
static bool spread_bias(VfiCpuOp *ready, const Attention *a, GError **error)
{
    const VfiAttentionParams *p = &ready->op.u.attention;
    int window = p->window, side = 2 * window - 1, tokens = window * window;
    size_t n = (size_t)tokens * (size_t)(a->panels * a->lanes);

    if (p->bias == NULL)
        return true;
    ready->packed_bytes = n * sizeof(float);
    if (ready->measuring)
        return true;
    float *bias = vfi_try_alloc0(n, sizeof *bias, "an attention's biases", error);
    if (bias == NULL)
        return false;
    ready->packed = bias;
    for (int query = 0; query < tokens; query++)
        for (int key = 0; key < tokens; key++) {
            int dy = query / window - key / window + window - 1;
            int dx = query % window - key % window + window - 1;
            size_t row = (size_t)(query / a->lanes) * (size_t)tokens + (size_t)key;
            bias[row * (size_t)a->lanes + (size_t)(query % a->lanes)] =
                p->bias[dy * side + dx];
        }
    return true;
}

static void cut_volume(const VfiCpuOp *ready, Attention *a)
{
    double tokens = (double)a->frames * a->pixels;
    double macs = 2.0 * tokens * a->channels; /* of a query */
    double most = MIN(chunk_macs[ready->level] / macs, tokens / MIN_CHUNKS);
    int panels = MAX_QUERIES / a->lanes;

    a->queries = (int)CLAMP(most / a->lanes, 1.0, (double)panels) * a->lanes;
    a->keys = MIN(MAX_KEYS, a->pixels);
    a->pieces = vfi_ceil_div(a->pixels, a->queries);
}

static void cut_windows(const VfiCpuOp *ready, Attention *a)
{
    int window = ready->op.u.attention.window;

    a->queries = a->keys = window * window;
    a->pieces = vfi_ceil_div(ready->op.dst.shape.w / window, WINDOWS);
}

static bool prepare(VfiCpuOp *ready, GError **error)
{
    const VfiAttentionParams *p = &ready->op.u.attention;
    VfiShape s = ready->op.dst.shape;
    Attention *a = g_new0(Attention, 1);
    Buffers buffers;
    double chunks;

    ready->state = a;
    a->frames = p->frames;
    a->pixels = s.h * s.w;
    a->channels = s.c / p->frames;
    a->vector = ready->kernels->multiply != NULL ? ready->kernels->vector_floats
                                                 : VFI_PLAIN_FLOATS;
    a->padded = vfi_channels_in_blocks(a->channels, a->vector);
    a->lanes = N_VECTORS * a->vector;
    if (p->kind == VFI_ATTENTION_GLOBAL) {
        cut_volume(ready, a);
        chunks = (double)a->frames * a->pieces;
    } else {
        cut_windows(ready, a);
        int rows = s.h / p->window;
        chunks = (double)a->frames * rows * a->pieces;
    }
    a->panels = vfi_ceil_div(a->queries, a->lanes);
    ready->scratch_bytes = lay_out_buffers(a, NULL, &buffers) * sizeof(float);
    return vfi_cpu_set_chunks(ready, chunks, error) &&
           (p->kind == VFI_ATTENTION_GLOBAL || spread_bias(ready, a, error));
}

/* ---- products ---------------------------------------------------------------------- */

static void multiply_plain(const VfiMultiply *m, int lanes)
{
    for (int p = 0; p < m->n_pixels; p++) {
        float *out = m->out + p * m->out_pitch;
        const float *in = m->in + p * m->in_pitch;
        for (int l = 0; l < lanes; l++)
            out[l] = 0.0f;
        for (int s = 0; s < m->n_segments; s++)
            for (int k = 0; k < m->length; k++) {
                float x = in[m->segments[s].in + k];
                const float *weight =
                    m->weight + (m->segments[s].row + (size_t)k) * (size_t)lanes;
                for (int l = 0; l < lanes; l++)
                    out[l] += x * weight[l];
            }
    }
}

static void multiply(const VfiCpuOp *ready, const Attention *a, const VfiMultiply *m)
{
    if (ready->kernels->multiply != NULL)
        ready->kernels->multiply(m);
    else
        multiply_plain(m, a->lanes);
}

/* ---- a chunk ----------------------------------------------------------------------- */

/* What a chunk's functions have in common. */
typedef struct {
    const VfiCpuOp *ready;
    const Attention *a;
    Buffers buffers;
    VfiTokenSource q, k, v, result;
} Work;

static VfiTokenSource token_source(const VfiCpuOp *ready, const VfiCpuRun *run,
                                   const VfiOperand *operand)
{
    const Attention *a = ready->state;

    return (VfiTokenSource){
        .kernels = ready->kernels,
        .data = vfi_operand(run, operand),
        .plane = (size_t)a->pixels,
        .channels = a->channels,
        .total = operand->shape.c,
        .lanes = MAX(operand->block, 1),
        .vector = a->vector,
    };
}

static size_t panel_floats(const Attention *a)
{
    return (size_t)a->padded * (size_t)a->lanes;
}

/* Fills panels with the queries times the scale, and with zeros beside and below them. */
static void begin_queries(const Work *work, const VfiTokens *tokens)
{
    const Attention *a = work->a;
    const Buffers *b = &work->buffers;
    VfiTokenTile planes = vfi_tokens_in_planes(&work->q, tokens, b->keys);
    int n = vfi_token_count(tokens), panels = vfi_ceil_div(n, a->lanes);
    float scale = work->ready->op.u.attention.scale;

    if (n % a->lanes != 0 || a->padded != a->channels)
        memset(b->queries, 0, (size_t)panels * panel_floats(a) * sizeof(float));
    for (int panel = 0; panel < panels; panel++) {
        int first = panel * a->lanes, count = MIN(a->lanes, n - first);
        float *to = b->queries + (size_t)panel * panel_floats(a);
        for (int c = 0; c < a->channels; c++)
            work->ready->kernels->affine(to + (ptrdiff_t)c * a->lanes,
                                         planes.data + (size_t)c * planes.pitch + first,
                                         scale, 0.0f, (size_t)count);
    }
    for (int i = 0; i < panels * a->lanes; i++) {
        b->largest[i] = -INFINITY;
        b->total[i] = 0.0f;
    }
}

/* Scores of @n keys for the queries of @panel. */
static void score(const Work *work, const VfiTokenTile *keys, int n, int panel)
{
    const Attention *a = work->a;
    const Buffers *b = &work->buffers;
    const float *bias = work->ready->packed;
    size_t floats = (size_t)n * (size_t)a->lanes;

    multiply(work->ready, a,
             &(VfiMultiply){
                 .in = keys->data,
                 .weight = b->queries + (size_t)panel * panel_floats(a),
                 .out = b->scores,
                 .segments = b->segments,
                 .in_pitch = a->vector,
                 .out_pitch = a->lanes,
                 .n_segments = a->padded / a->vector,
                 .length = a->vector,
                 .n_pixels = n,
                 .n_vectors = N_VECTORS,
             });
    if (bias != NULL)
        work->ready->kernels->add(b->scores, b->scores, bias + (size_t)panel * floats,
                                  1.0f, floats);
}

/* Adds up @n values by their parts of the softmax; nothing was added before the @first
 * ones. */
static void add_values(const Work *work, const VfiTokenTile *values, int n, int panel,
                       bool first)
{
    const Attention *a = work->a;
    const Buffers *b = &work->buffers;
    float *sums = b->sums + (size_t)panel * panel_floats(a);

    for (int c = 0; c < a->padded; c += a->vector)
        work->ready->kernels->weigh_tile(&(VfiWeighTile){
            .values = values->data + (size_t)(c / a->vector) * values->pitch,
            .parts = b->scores,
            .keep = first ? NULL : b->keep,
            .sums = sums + (ptrdiff_t)c * a->lanes,
            .n = n,
        });
}

/* All panels' queries and the keys @tokens. */
static void attend(const Work *work, const VfiTokens *tokens, int panels, bool first)
{
    const Attention *a = work->a;
    const Buffers *b = &work->buffers;
    VfiTokenTile keys = vfi_tokens_in_vectors(&work->k, tokens, b->keys);
    VfiTokenTile values = vfi_tokens_in_vectors(&work->v, tokens, b->values);
    int n = vfi_token_count(tokens);

    for (int i = 0; i < a->padded / a->vector; i++)
        b->segments[i] = (VfiSegment){.in = (ptrdiff_t)((size_t)i * keys.pitch),
                                      .row = (size_t)(i * a->vector)};
    for (int panel = 0; panel < panels; panel++) {
        score(work, &keys, n, panel);
        work->ready->kernels->softmax_tile(&(VfiSoftmaxTile){
            .scores = b->scores,
            .largest = b->largest + (ptrdiff_t)panel * a->lanes,
            .sum = b->total + (ptrdiff_t)panel * a->lanes,
            .keep = b->keep,
            .n = n,
        });
        add_values(work, &values, n, panel, first);
    }
}

/* Divides by the softmax's sums and stores. */
static void end_queries(const Work *work, const VfiTokens *tokens)
{
    const Attention *a = work->a;
    const Buffers *b = &work->buffers;
    int n = vfi_token_count(tokens);
    VfiTokenTile planes = {b->values[0], (size_t)n};

    for (int i = 0; i < n; i++)
        b->total[i] = 1.0f / b->total[i];
    for (int first = 0; first < n; first += a->lanes) {
        const float *from = b->sums + (size_t)(first / a->lanes) * panel_floats(a);
        size_t count = (size_t)MIN(a->lanes, n - first);
        for (int c = 0; c < a->channels; c++)
            work->ready->kernels->mul(b->values[0] + (size_t)c * (size_t)n + first,
                                      from + (ptrdiff_t)c * a->lanes, b->total + first,
                                      count);
    }
    vfi_tokens_store(&work->result, tokens, &planes, b->values[1]);
}

static void attend_to_volume(const Work *work, int index)
{
    const Attention *a = work->a;
    int piece = index % a->pieces;
    int begin = vfi_piece_begin(a->pixels, a->pieces, piece);
    int end = vfi_piece_begin(a->pixels, a->pieces, piece + 1);
    int tiles = vfi_ceil_div(a->pixels, a->keys);
    VfiTokens queries = {index / a->pieces, begin, 1, 1, end - begin, 0, 0, 0};

    begin_queries(work, &queries);
    for (int frame = 0; frame < a->frames; frame++)
        for (int tile = 0; tile < tiles; tile++) {
            int first = vfi_piece_begin(a->pixels, tiles, tile);
            int n = vfi_piece_begin(a->pixels, tiles, tile + 1) - first;
            attend(work, &(VfiTokens){frame, first, 1, 1, n, 0, 0, 0},
                   vfi_ceil_div(end - begin, a->lanes), frame == 0 && tile == 0);
        }
    end_queries(work, &queries);
}

static void attend_to_windows(const Work *work, int index)
{
    const Attention *a = work->a;
    const VfiAttentionParams *p = &work->ready->op.u.attention;
    VfiShape s = work->ready->op.dst.shape;
    int window = p->window, rows = s.h / window, columns = s.w / window;
    int piece = index % a->pieces, row = index / a->pieces % rows;
    int end = MIN((piece + 1) * WINDOWS, columns);
    VfiTokens tokens = {.frame = index / a->pieces / rows, .rows = window};

    for (int column = piece * WINDOWS; column < end; column++) {
        bool last = column + 1 == end;
        if (p->kind == VFI_ATTENTION_BLOCKS) {
            tokens.first = (row * s.w + column) * window;
            tokens.columns = 1;
            tokens.length = window;
            tokens.row_step = s.w;
            tokens.ahead = last ? 0 : window;
        } else {
            tokens.first = row * s.w + column;
            tokens.columns = window;
            tokens.length = 1;
            tokens.row_step = rows * s.w;
            tokens.column_step = columns;
            tokens.ahead = last ? 0 : 1;
        }
        begin_queries(work, &tokens);
        attend(work, &tokens, a->panels, true);
        end_queries(work, &tokens);
    }
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const VfiOp *op = &ready->op;
    Work work = {
        .ready = ready,
        .a = ready->state,
        .q = token_source(ready, run, &op->src[0]),
        .k = token_source(ready, run, &op->src[1]),
        .v = token_source(ready, run, &op->src[2]),
        .result = token_source(ready, run, &op->dst),
    };

    lay_out_buffers(work.a, vfi_thread_scratch(run, thread), &work.buffers);
    if (op->u.attention.kind == VFI_ATTENTION_GLOBAL)
        attend_to_volume(&work, index);
    else
        attend_to_windows(&work, index);
}

static const VfiCpuAlgorithm algorithm = {
    .name = "attention",
    .accepts = accepts,
    .prepare = prepare,
    .chunk = chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_attention[] = {&algorithm, NULL};
