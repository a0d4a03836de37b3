/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions through oneDNN 2.x's C interface. */
#include "onednn.h"

#include <stdbool.h>
#include <string.h>

#include <dnnl.h>
#include <omp.h>

#include <vfi/error.h>

#include "bench.h"

#define TIMED_RUNS 3

enum { SRC, WEIGHTS, BIAS, DST, N_MEMORIES };

struct BenchOnednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t description;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[N_MEMORIES];
};

/* FALSE, with what oneDNN was asked to do, unless @status is success. */
static gboolean check(dnnl_status_t status, const char *what, GError **error)
{
    if (status == dnnl_success)
        return TRUE;
    g_set_error(error, VFI_ERROR, VFI_ERROR_BACKEND, "oneDNN could not %s (status %d)",
                what, (int)status);
    return FALSE;
}

gboolean bench_onednn_init(int threads, const char *cpu_level, GError **error)
{
    omp_set_num_threads(threads);
    if (strcmp(cpu_level, "avx2") == 0)
        return check(dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2), "be limited to AVX2",
                     error);
    if (strcmp(cpu_level, "avx512") == 0)
        return TRUE;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "level %s: oneDNN can be compared at avx2 and avx512 only", cpu_level);
    return FALSE;
}

static gboolean describe_tensor(dnnl_memory_desc_t *md, int n_dims,
                                const dnnl_dims_t dims, GError **error)
{
    return check(dnnl_memory_desc_init_by_tag(md, n_dims, dims, dnnl_f32,
                                              n_dims == 1 ? dnnl_a : dnnl_format_tag_any),
                 "describe a tensor", error);
}

static gboolean describe_tensors(const BenchConv *c, dnnl_memory_desc_t *md,
                                 GError **error)
{
    const dnnl_dims_t src = {1, c->in_c, c->in_h, c->in_w};
    const dnnl_dims_t dst = {1, c->out_c, c->out_h, c->out_w};
    const dnnl_dims_t bias = {c->out_c};
    const dnnl_dims_t weights = {c->out_c, c->in_c, c->kernel_h, c->kernel_w};
    const dnnl_dims_t grouped = {c->groups, c->out_c / c->groups, c->in_c / c->groups,
                                 c->kernel_h, c->kernel_w};

    return describe_tensor(&md[SRC], 4, src, error) &&
           (c->groups > 1 ? describe_tensor(&md[WEIGHTS], 5, grouped, error)
                          : describe_tensor(&md[WEIGHTS], 4, weights, error)) &&
           describe_tensor(&md[BIAS], 1, bias, error) &&
           describe_tensor(&md[DST], 4, dst, error);
}

static dnnl_status_t describe(const BenchConv *c, bool winograd,
                              const dnnl_memory_desc_t *md, dnnl_engine_t engine,
                              dnnl_primitive_desc_t *description)
{
    const dnnl_dims_t strides = {c->stride, c->stride};
    const dnnl_dims_t before = {c->pad_top, c->pad_left};
    const dnnl_dims_t after = {c->pad_bottom, c->pad_right};
    dnnl_convolution_desc_t convolution;
    dnnl_deconvolution_desc_t transposed convolution;
    dnnl_status_t status;

    if (c->transposed)
        status = dnnl_deconvolution_forward_desc_init(
            &transposed convolution, dnnl_forward_inference,
            winograd ? dnnl_deconvolution_winograd : dnnl_deconvolution_direct, &md[SRC],
            &md[WEIGHTS], &md[BIAS], &md[DST], strides, before, after);
    else
        status = dnnl_convolution_forward_desc_init(
            &convolution, dnnl_forward_inference,
            winograd ? dnnl_convolution_winograd : dnnl_convolution_direct, &md[SRC],
            &md[WEIGHTS], &md[BIAS], &md[DST], strides, before, after);
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(description,
                                      c->transposed
                                          ? (const void *)&transposed convolution
                                          : (const void *)&convolution,
                                      NULL, engine, NULL);
}

/* Any numbers of a usual size: no arithmetic is slow on them. */
static gboolean fill(dnnl_memory_t memory, size_t bytes, GError **error)
{
    void *data = NULL;

    if (!check(dnnl_memory_get_data_handle(memory, &data), "reach a tensor", error))
        return FALSE;
    for (size_t i = 0; i < bytes / sizeof(float); i++)
        ((float *)data)[i] = 0.01f * (float)(i % 17) - 0.07f;
    return TRUE;
}

static gboolean make_memories(BenchOnednn *x, GError **error)
{
    static const dnnl_query_t which[] = {dnnl_query_src_md, dnnl_query_weights_md,
                                         dnnl_query_weights_md, dnnl_query_dst_md};

    for (int i = 0; i < N_MEMORIES; i++) {
        const dnnl_memory_desc_t *md =
            dnnl_primitive_desc_query_md(x->description, which[i], i == BIAS);
        if (!check(dnnl_memory_create(&x->memory[i], md, x->engine, DNNL_MEMORY_ALLOCATE),
                   "allocate a tensor", error) ||
            !fill(x->memory[i], dnnl_memory_desc_get_size(md), error))
            return FALSE;
    }
    return TRUE;
}

/* NULL without an error: oneDNN has no such algorithm for this form. */
static BenchOnednn *prepare(const BenchConv *conv, bool winograd, GError **error)
{
    BenchOnednn *x = g_new0(BenchOnednn, 1);
    dnnl_memory_desc_t md[N_MEMORIES];

    if (!check(dnnl_engine_create(&x->engine, dnnl_cpu, 0), "open the CPU", error) ||
        !check(dnnl_stream_create(&x->stream, x->engine, dnnl_stream_default_flags),
               "open a stream", error) ||
        !describe_tensors(conv, md, error) ||
        describe(conv, winograd, md, x->engine, &x->description) != dnnl_success ||
        !check(dnnl_primitive_create(&x->primitive, x->description),
               "make a convolution ready", error) ||
        !make_memories(x, error)) {
        bench_onednn_free(x);
        return NULL;
    }
    return x;
}

void bench_onednn_free(BenchOnednn *x)
{
    if (x == NULL)
        return;
    for (int i = 0; i < N_MEMORIES; i++)
        if (x->memory[i] != NULL)
            dnnl_memory_destroy(x->memory[i]);
    if (x->primitive != NULL)
        dnnl_primitive_destroy(x->primitive);
    if (x->description != NULL)
        dnnl_primitive_desc_destroy(x->description);
    if (x->stream != NULL)
        dnnl_stream_destroy(x->stream);
    if (x->engine != NULL)
        dnnl_engine_destroy(x->engine);
    g_free(x);
}

double bench_onednn_time(BenchOnednn *x, GError **error)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, x->memory[SRC]},
                                         {DNNL_ARG_WEIGHTS, x->memory[WEIGHTS]},
                                         {DNNL_ARG_BIAS, x->memory[BIAS]},
                                         {DNNL_ARG_DST, x->memory[DST]}};
    double ms[TIMED_RUNS];

    for (int i = -1; i < TIMED_RUNS; i++) { /* the first warms up */
        gint64 start = g_get_monotonic_time();
        if (!check(dnnl_primitive_execute(x->primitive, x->stream, N_MEMORIES, arguments),
                   "run a convolution", error) ||
            !check(dnnl_stream_wait(x->stream), "end a convolution", error))
            return -1.0;
        if (i >= 0)
            ms[i] = (double)(g_get_monotonic_time() - start) / 1e3;
    }
    return bench_median(ms, TIMED_RUNS);
}

BenchOnednn *bench_onednn_new(const BenchConv *conv, GError **error)
{
    g_autoptr(GError) failed = NULL;
    BenchOnednn *direct = prepare(conv, false, &failed);
    BenchOnednn *winograd = failed == NULL ? prepare(conv, true, &failed) : NULL;
    double direct_ms = -1.0, winograd_ms = -1.0;

    if (failed == NULL && direct != NULL)
        direct_ms = bench_onednn_time(direct, &failed);
    if (failed == NULL && winograd != NULL)
        winograd_ms = bench_onednn_time(winograd, &failed);
    if (failed == NULL && direct == NULL && winograd == NULL)
        check(dnnl_unimplemented, "find an algorithm for a convolution", &failed);
    bool is_winograd = winograd != NULL && (direct == NULL || winograd_ms < direct_ms);
    bench_onednn_free(is_winograd ? direct : winograd);
    BenchOnednn *best = is_winograd ? winograd : direct;
    if (failed == NULL)
        return best;
    bench_onednn_free(best);
    g_propagate_error(error, g_steal_pointer(&failed));
    return NULL;
}

const char *bench_onednn_implementation(const BenchOnednn *x)
{
    const char *text = "";

    dnnl_primitive_desc_query(x->description, dnnl_query_impl_info_str, 0, (void *)&text);
    return text;
}
