/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cudnn_convolution.h"

#include <string.h>

#include <glib.h>

#include "base/alloc.h"
#include "base/f16.h"
#include "cpu/algorithm.h"
#include "cpu/cpu_op.h"
#include "cudnn_values.h"

/* Threads that compute; several test programs may run at once. */
#define THREADS 2

/* Prepared filters per convolver: layers of one shape share a plan. */
#define MAX_PREPARED 64

/* The regions of the CPU ops' operands. */
static const VfiRegion src_region = VFI_REGION_ARENA, dst_region = VFI_REGION_PAIR;

/* One filter, ready to run: an op per group if the CPU's kernels need that. */
typedef struct {
    guint64 hash;
    float *filter; /* [K][C][kernel_h][kernel_w] */
    VfiCpuOp **ops;
    int n_ops;
} Prepared;

struct VfiSimulatedConvolver {
    int n_users;
    char *key;
    VfiSimulatedConvolution convolution;
    VfiSimulatedMath math;
    int block; /* of the CPU's operands, 0: planes */
    bool has_run;
    GPtrArray *prepared; /* of Prepared, the most recently used last */
    unsigned runs;
};

/* Convolvers by their keys; NULL if there are none. */
static GHashTable *convolvers;

/* Threads and buffers serve one convolver at a time; they exist while one does that has
 * run. */
static GMutex lock;
static VfiPool *pool;
static int n_users;
enum { SRC_BUFFER, DST_BUFFER, SCRATCH, N_BUFFERS };
static float *buffers[N_BUFFERS];
static size_t buffer_floats[N_BUFFERS];

/* ---- filters ----------------------------------------------------------------------- */

/* Channels of a filter, as its two outer dimensions K and C. */
static void filter_channels(const VfiSimulatedConvolution *p, int *k, int *c)
{
    *k = p->transposed ? p->src.c : p->dst.c;
    *c = (p->transposed ? p->dst.c : p->src.c) / p->groups;
}

static size_t filter_elements(const VfiSimulatedConvolution *p)
{
    int k, c;

    filter_channels(p, &k, &c);
    return (size_t)k * (size_t)c * (size_t)p->kernel_h * (size_t)p->kernel_w;
}

static guint64 mix(guint64 hash, guint64 word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* Four chains at once, as every run hashes its filter. */
static guint64 hash_bytes(const void *bytes, size_t n)
{
    guint64 hashes[4] = {1, 2, 3, 4}, words[4], hash = n;
    size_t whole = n / sizeof words * sizeof words;

    for (size_t i = 0; i < whole; i += sizeof words) {
        memcpy(words, (const char *)bytes + i, sizeof words);
        for (int k = 0; k < 4; k++)
            hashes[k] = mix(hashes[k], words[k]);
    }
    for (int k = 0; k < 4; k++)
        hash = mix(hash, hashes[k]);
    for (size_t i = whole; i < n; i++)
        hash = mix(hash, ((const unsigned char *)bytes)[i]);
    return hash;
}

/* To [K][C][kernel_h][kernel_w], in f32. */
static void order_filter(const VfiSimulatedConvolution *p, const void *filter, float *to)
{
    int k_count, c_count, places = p->kernel_h * p->kernel_w;

    filter_channels(p, &k_count, &c_count);
    size_t c_stride = p->planar_filter ? (size_t)places : 1;
    size_t tap_stride = p->planar_filter ? 1 : (size_t)c_count;
    for (int k = 0; k < k_count; k++)
        for (int c = 0; c < c_count; c++)
            for (int i = 0; i < places; i++, to++) {
                int tap = p->flipped ? places - 1 - i : i;
                size_t from = (size_t)k * (size_t)c_count * (size_t)places +
                              (size_t)c * c_stride + (size_t)tap * tap_stride;
                *to = p->half ? vfi_float_from_f16(((const uint16_t *)filter)[from])
                              : ((const float *)filter)[from];
            }
}

static void convert_filter(const VfiSimulatedConvolver *convolver, const void *filter,
                           float *to)
{
    const VfiSimulatedConvolution *p = &convolver->convolution;

    if (p->planar_filter && !p->flipped && !p->half)
        memcpy(to, filter, filter_elements(p) * sizeof *to);
    else
        order_filter(p, filter, to);
    vfi_simulated_round_factors(convolver->math, to, filter_elements(p));
}

/* Op @group of the @groups that the convolution becomes: transposed ops have no
 * groups. */
static VfiOp make_op(const VfiSimulatedConvolver *convolver, const float *filter,
                     int group, int groups)
{
    const VfiSimulatedConvolution *p = &convolver->convolution;
    VfiShape src = {p->src.c / groups, p->src.h, p->src.w};
    VfiShape dst = {p->dst.c / groups, p->dst.h, p->dst.w};
    VfiOp op = {.kind = p->transposed ? VFI_OP_CONV_TRANSPOSE : VFI_OP_CONV,
                .n_src = 1,
                .name = "simulated"};

    op.src[0] = (VfiOperand){.shape = src,
                             .region = src_region,
                             .offset = (size_t)group * vfi_shape_elements(src) * 4,
                             .block = convolver->block};
    op.dst = (VfiOperand){.shape = dst,
                          .region = dst_region,
                          .offset = (size_t)group * vfi_shape_elements(dst) * 4,
                          .block = convolver->block};
    op.u.conv = (VfiConvParams){
        .weight = filter == NULL
                      ? NULL
                      : filter + (size_t)group * (filter_elements(p) / (size_t)groups),
        .out = dst.c,
        .kernel_h = p->kernel_h,
        .kernel_w = p->kernel_w,
        .stride = p->stride,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
        .pad_bottom = p->pad_bottom,
        .pad_right = p->pad_right,
        .groups = p->groups / groups,
    };
    return op;
}

static int ops_of(const VfiSimulatedConvolution *p)
{
    return p->transposed ? p->groups : 1;
}

static void prepared_free(gpointer data)
{
    Prepared *prepared = data;

    for (int i = 0; i < prepared->n_ops; i++)
        vfi_cpu_op_free(prepared->ops[i]);
    g_free(prepared->ops);
    vfi_free(prepared->filter);
    g_free(prepared);
}

static Prepared *prepare(const VfiSimulatedConvolver *convolver, const void *filter,
                         guint64 hash)
{
    const VfiSimulatedConvolution *p = &convolver->convolution;
    Prepared *prepared = g_new0(Prepared, 1);
    g_autoptr(GError) error = NULL;

    prepared->hash = hash;
    prepared->filter =
        vfi_try_alloc(filter_elements(p), sizeof(float), "a filter", &error);
    if (prepared->filter == NULL)
        g_error("the simulated cuDNN: %s", error->message);
    convert_filter(convolver, filter, prepared->filter);
    prepared->n_ops = ops_of(p);
    prepared->ops = g_new(VfiCpuOp *, prepared->n_ops);
    for (int i = 0; i < prepared->n_ops; i++) {
        VfiOp op = make_op(convolver, prepared->filter, i, prepared->n_ops);
        prepared->ops[i] = vfi_cpu_op_new(&op, vfi_cpu_level(), &error);
        if (prepared->ops[i] == NULL)
            g_error("the simulated cuDNN: %s", error->message);
    }
    return prepared;
}

/* The filter's ops, made on first use. */
static const Prepared *find_prepared(VfiSimulatedConvolver *convolver, const void *filter)
{
    const VfiSimulatedConvolution *p = &convolver->convolution;
    guint64 hash = hash_bytes(filter, filter_elements(p) * (p->half ? 2 : 4));
    GPtrArray *all = convolver->prepared;
    Prepared *found = NULL;

    for (guint i = 0; i < all->len && found == NULL; i++) {
        Prepared *prepared = g_ptr_array_index(all, i);
        if (prepared->hash == hash)
            found = g_ptr_array_steal_index(all, i);
    }
    if (found == NULL && all->len == MAX_PREPARED)
        g_ptr_array_remove_index(all, 0);
    if (found == NULL)
        found = prepare(convolver, filter, hash);
    g_ptr_array_add(all, found);
    return found;
}

/* ---- convolvers -------------------------------------------------------------------- */

/* NCHWc blocks if the CPU's kernels take them. */
static int choose_block(const VfiSimulatedConvolver *convolver)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(vfi_cpu_level());
    int block = kernels->multiply != NULL ? kernels->vector_floats : 0;

    if (convolver->convolution.groups == 1 || block == 0)
        return block;
    if (convolver->convolution.transposed)
        return 0;
    VfiOp op = make_op(convolver, NULL, 0, 1);
    op.src[0].block = op.dst.block = block;
    return vfi_winograd_suits(&op) ? block : 0;
}

static void use_pool(VfiSimulatedConvolver *convolver)
{
    g_autoptr(GError) error = NULL;

    if (n_users++ == 0)
        pool = vfi_pool_new(THREADS, &error);
    if (pool == NULL)
        g_error("the simulated cuDNN: %s", error->message);
    convolver->has_run = true;
}

static void drop_pool(void)
{
    if (--n_users > 0)
        return;
    g_clear_pointer(&pool, vfi_pool_free);
    for (int i = 0; i < N_BUFFERS; i++) {
        vfi_free(buffers[i]);
        buffers[i] = NULL;
        buffer_floats[i] = 0;
    }
}

/* Whether the CPU's kernels have it. */
static bool is_possible(const VfiSimulatedConvolution *p)
{
    int pads[] = {p->pad_top, p->pad_left, p->pad_bottom, p->pad_right};

    for (int i = 0; i < 4; i++)
        if (pads[i] < 0 || pads[i] > 64)
            return false;
    return p->kernel_h <= 64 && p->kernel_w <= 64 && p->stride <= 16;
}

static void add_tensor(GString *key, const VfiSimulatedTensor *t)
{
    g_string_append_printf(key, "%d %d %d %td %td %td %td ", t->c, t->h, t->w,
                           t->batch_stride, t->channel_stride, t->row_stride,
                           t->pixel_stride);
}

/* A key of the convolution. */
static char *describe(const VfiSimulatedConvolution *p, VfiSimulatedMath math)
{
    GString *key = g_string_new(NULL);

    add_tensor(key, &p->src);
    add_tensor(key, &p->dst);
    g_string_append_printf(key, "%d %d %d %d %d %d %d %d ", p->transposed, p->half,
                           p->flipped, p->batch, p->kernel_h, p->kernel_w,
                           p->planar_filter, p->groups);
    g_string_append_printf(key, "%d %d %d %d %d %a %a %d", p->stride, p->pad_top,
                           p->pad_left, p->pad_bottom, p->pad_right, (double)p->alpha,
                           (double)p->beta, math);
    return g_string_free(key, FALSE);
}

static VfiSimulatedConvolver *convolver_new(const VfiSimulatedConvolution *convolution,
                                            VfiSimulatedMath math, const char *key)
{
    VfiSimulatedConvolver *convolver = g_new0(VfiSimulatedConvolver, 1);

    convolver->key = g_strdup(key);
    convolver->convolution = *convolution;
    convolver->math = math;
    convolver->prepared = g_ptr_array_new_with_free_func(prepared_free);
    convolver->block = choose_block(convolver);
    g_hash_table_insert(convolvers, convolver->key, convolver);
    return convolver;
}

VfiSimulatedConvolver *
vfi_simulated_convolver_new(const VfiSimulatedConvolution *convolution,
                            VfiSimulatedMath math)
{
    g_autofree char *key = describe(convolution, math);

    if (!is_possible(convolution))
        return NULL;
    g_mutex_lock(&lock);
    if (convolvers == NULL)
        convolvers = g_hash_table_new(g_str_hash, g_str_equal);
    VfiSimulatedConvolver *convolver = g_hash_table_lookup(convolvers, key);
    if (convolver == NULL)
        convolver = convolver_new(convolution, math, key);
    convolver->n_users++;
    g_mutex_unlock(&lock);
    return convolver;
}

static void convolver_free(VfiSimulatedConvolver *convolver)
{
    g_hash_table_remove(convolvers, convolver->key);
    if (g_hash_table_size(convolvers) == 0)
        g_clear_pointer(&convolvers, g_hash_table_unref);
    g_ptr_array_unref(convolver->prepared);
    if (convolver->has_run)
        drop_pool();
    g_free(convolver->key);
    g_free(convolver);
}

void vfi_simulated_convolver_free(VfiSimulatedConvolver *convolver)
{
    g_mutex_lock(&lock);
    if (--convolver->n_users == 0)
        convolver_free(convolver);
    g_mutex_unlock(&lock);
}

static char *buffer(int index, size_t floats)
{
    g_autoptr(GError) error = NULL;

    if (floats > buffer_floats[index]) {
        vfi_free(buffers[index]);
        buffers[index] = vfi_try_alloc(floats, sizeof(float), "a tensor", &error);
        if (buffers[index] == NULL)
            g_error("the simulated cuDNN: %s", error->message);
        buffer_floats[index] = floats;
    }
    return (char *)buffers[index];
}

static char *tensor_buffer(int index, const VfiSimulatedTensor *t, int block)
{
    return buffer(index, vfi_shape_floats((VfiShape){t->c, t->h, t->w}, block));
}

static void run_op(const VfiCpuOp *op, VfiCpuRun *run)
{
    size_t bytes = vfi_cpu_op_scratch_bytes(op);

    run->scratch_stride = (bytes + VFI_ALIGNMENT - 1) / VFI_ALIGNMENT * VFI_ALIGNMENT;
    run->scratch = buffer(SCRATCH, THREADS * run->scratch_stride / sizeof(float));
    vfi_cpu_op_run(op, run);
}

void vfi_simulated_convolve(VfiSimulatedConvolver *convolver, const void *src,
                            const void *filter, void *dst)
{
    const VfiSimulatedConvolution *p = &convolver->convolution;
    VfiCpuRun run = {.pool = NULL};
    float factor = p->alpha;

    g_mutex_lock(&lock);
    if (convolver->math == VFI_SIMULATED_VARYING)
        factor *= convolver->runs++ % 2 == 0 ? 1.0f + 0x1p-8f : 1.0f - 0x1p-8f;
    if (!convolver->has_run)
        use_pool(convolver);
    const Prepared *prepared = find_prepared(convolver, filter);
    run.pool = pool;
    run.region[src_region] = tensor_buffer(SRC_BUFFER, &p->src, convolver->block);
    run.region[dst_region] = tensor_buffer(DST_BUFFER, &p->dst, convolver->block);
    for (int n = 0; n < p->batch; n++) {
        vfi_simulated_load(p, convolver->math, convolver->block, src, n,
                           buffers[SRC_BUFFER]);
        for (int i = 0; i < prepared->n_ops; i++)
            run_op(prepared->ops[i], &run);
        vfi_simulated_store(p, factor, convolver->block, buffers[DST_BUFFER], n, dst);
    }
    g_mutex_unlock(&lock);
}
