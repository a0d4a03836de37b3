/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans of convolutions: making them, choosing an engine, running. */
#include "conv/conv.h"

#include <vfi/error.h>

#include "conv/conv_graph.h"
#include "conv/cudnn_descriptor.h"
#include "runtime/cuda_error.h"
#include "runtime/refused_devices.h"

/* Candidates that are timed against each other, and how often each runs. */
#define MAX_CANDIDATES 3
#define TIMED_RUNS 5

struct VfiCudaConvPlan {
    VfiCudaConvContext context;
    char *key;
    VfiCudaConvGraph *graph;
    VfiCudaConvCandidate candidates[MAX_CANDIDATES];
    int n_candidates;
    VfiCudaConvCursor cursor; /* after them in cuDNN's lists */
    bool from_cache;
    bool chosen; /* one is left: it has run, or comes from the cache */
};

VfiCudaConvPlan *vfi_cuda_conv_new(const VfiCudaConvContext *context,
                                   const VfiCudaConvShape *shape, GError **error)
{
    VfiCudaConvPlan *plan = g_new0(VfiCudaConvPlan, 1);
    g_autoptr(GError) reason = NULL;
    VfiCudaConvChoice choice;

    plan->context = *context;
    plan->key = vfi_cuda_conv_shape_key(shape);
    plan->graph = vfi_cuda_conv_graph_new(&plan->context, shape, &reason);
    if (plan->graph != NULL) {
        if (context->cache != NULL &&
            vfi_cuda_conv_cache_find(context->cache, plan->key, &choice) &&
            vfi_cuda_conv_graph_candidate(plan->graph, &choice, &plan->candidates[0])) {
            plan->n_candidates = 1;
            plan->from_cache = plan->chosen = true;
        } else {
            plan->n_candidates = vfi_cuda_conv_graph_candidates(
                plan->graph, &plan->cursor, plan->candidates, MAX_CANDIDATES, &reason);
        }
    }
    if (plan->n_candidates > 0)
        return plan;
    g_propagate_prefixed_error(error, g_steal_pointer(&reason), "%s: ", plan->key);
    vfi_cuda_conv_free(plan);
    return NULL;
}

void vfi_cuda_conv_free(VfiCudaConvPlan *plan)
{
    if (plan == NULL)
        return;
    for (int i = 0; i < plan->n_candidates; i++)
        vfi_cuda_conv_candidate_clear(plan->context.library, &plan->candidates[i]);
    vfi_cuda_conv_graph_free(plan->graph);
    g_free(plan->key);
    g_free(plan);
}

size_t vfi_cuda_conv_workspace(const VfiCudaConvPlan *plan)
{
    size_t bytes = 0;

    for (int i = 0; i < plan->n_candidates; i++)
        bytes = MAX(bytes, plan->candidates[i].workspace);
    return bytes;
}

bool vfi_cuda_conv_has_choice(const VfiCudaConvPlan *plan)
{
    return !plan->chosen;
}

/* A variant pack cannot be changed once it is finalised, so each run makes its own; with
 * a captured graph that is once. */
static bool execute(const VfiCudaConvPlan *plan, cudnnBackendDescriptor_t execution_plan,
                    cudaStream_t stream, const void *src, const void *weight, void *dst,
                    void *workspace, GError **error)
{
    const VfiCudnnLibrary *library = plan->context.library;
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(library, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    int64_t ids[] = {VFI_CUDA_CONV_SRC, VFI_CUDA_CONV_WEIGHT, VFI_CUDA_CONV_DST};
    void *pointers[] = {(void *)(uintptr_t)src, (void *)(uintptr_t)weight, dst};

    vfi_cudnn_set(&builder, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 3, ids);
    vfi_cudnn_set(&builder, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 3,
                  pointers);
    vfi_cudnn_set(&builder, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
                  &workspace);
    cudnnBackendDescriptor_t pack = vfi_cudnn_end(&builder, plan->key, error);
    if (pack == NULL)
        return false;
    cudnnStatus_t status = library->set_stream(plan->context.handle, stream);
    if (status == CUDNN_STATUS_SUCCESS)
        status = library->execute(plan->context.handle, execution_plan, pack);
    /* An error of the device explains the library's. */
    if (status != CUDNN_STATUS_SUCCESS &&
        vfi_cuda_check(cudaGetLastError(), plan->key, error))
        vfi_cudnn_set_error(library, status, plan->key, error);
    vfi_cudnn_descriptor_free(library, pack);
    return status == CUDNN_STATUS_SUCCESS;
}

bool vfi_cuda_conv_run(VfiCudaConvPlan *plan, cudaStream_t stream, const void *src,
                       const void *weight, void *dst, void *workspace, GError **error)
{
    if (execute(plan, plan->candidates[0].plan, stream, src, weight, dst, workspace,
                error))
        return true;
    enum cudaStreamCaptureStatus status;
    if (plan->from_cache && cudaStreamIsCapturing(stream, &status) == cudaSuccess &&
        status == cudaStreamCaptureStatusNone) { /* and the device has not failed */
        vfi_cuda_conv_cache_keep(plan->context.cache, plan->key, NULL);
        vfi_cuda_conv_cache_save(plan->context.cache, NULL);
    }
    return false;
}

/* ---- choosing ---------------------------------------------------------------------- */

typedef struct {
    cudaEvent_t begin, end;
} Timer;

/* What candidates are tried with. */
typedef struct {
    cudaStream_t stream;
    const void *src, *weight;
    void *dst, *workspace;
    Timer timer;
} Trial;

static bool timer_init(Timer *timer, const char *key, GError **error)
{
    return vfi_cuda_check(cudaEventCreate(&timer->begin), key, error) &&
           vfi_cuda_check(cudaEventCreate(&timer->end), key, error);
}

static void timer_clear(Timer *timer)
{
    if (timer->begin != NULL)
        cudaEventDestroy(timer->begin);
    if (timer->end != NULL)
        cudaEventDestroy(timer->end);
}

/* Milliseconds of TIMED_RUNS runs of @candidate, after one that warms up. A candidate
 * without competitors is only warmed up. */
static bool time_candidate(const VfiCudaConvPlan *plan,
                           const VfiCudaConvCandidate *candidate, const Trial *trial,
                           float *milliseconds, GError **error)
{
    int n_runs = plan->n_candidates > 1 ? TIMED_RUNS : 0;

    for (int run = -1; run < n_runs; run++) {
        if (run == 0 &&
            !vfi_cuda_check(cudaEventRecord(trial->timer.begin, trial->stream), plan->key,
                            error))
            return false;
        if (!execute(plan, candidate->plan, trial->stream, trial->src, trial->weight,
                     trial->dst, trial->workspace, error))
            return false;
    }
    return vfi_cuda_check(cudaEventRecord(trial->timer.end, trial->stream), plan->key,
                          error) &&
           vfi_cuda_check(cudaEventSynchronize(trial->timer.end), plan->key, error) &&
           (n_runs == 0 ||
            vfi_cuda_check(
                cudaEventElapsedTime(milliseconds, trial->timer.begin, trial->timer.end),
                plan->key, error));
}

/* After a candidate has failed: waits for what it queued. False if the device has failed
 * with it. */
static bool is_device_well(const VfiCudaConvPlan *plan, cudaStream_t stream,
                           GError **error)
{
    cudaError_t result = cudaStreamSynchronize(stream);

    return !vfi_cuda_is_final(result) || vfi_cuda_check(result, plan->key, error);
}

/* Drops all candidates but @best (-1: all). */
static void keep_candidate(VfiCudaConvPlan *plan, int best)
{
    for (int i = 0; i < plan->n_candidates; i++) {
        if (i != best)
            vfi_cuda_conv_candidate_clear(plan->context.library, &plan->candidates[i]);
        else if (i > 0)
            plan->candidates[0] = plan->candidates[i];
    }
    plan->n_candidates = best >= 0;
}

/* *best: the fastest, -1 if all fail, the last one for @reason. False with @error if the
 * device fails. */
static bool try_candidates(const VfiCudaConvPlan *plan, const Trial *trial, int *best,
                           GError **reason, GError **error)
{
    float fastest = 0.0f;

    *best = -1;
    for (int i = 0; i < plan->n_candidates; i++) {
        const VfiCudaConvCandidate *candidate = &plan->candidates[i];
        g_autoptr(GError) problem = NULL;
        float milliseconds = 0.0f;
        if (time_candidate(plan, candidate, trial, &milliseconds, &problem)) {
            if (*best < 0 || milliseconds < fastest) {
                fastest = milliseconds;
                *best = i;
            }
            continue;
        }
        if (!is_device_well(plan, trial->stream, error))
            return false;
        if (plan->context.log != NULL)
            plan->context.log(VFI_LOG_INFO,
                              "engine %" G_GINT64_FORMAT
                              " of cuDNN fails and is left out: %s",
                              candidate->choice.engine, problem->message);
        g_clear_error(reason);
        *reason = g_steal_pointer(&problem);
    }
    return true;
}

/* All have failed, the last one for @reason (which is taken over). */
static VfiCudaConvChoosing take_next(VfiCudaConvPlan *plan, GError *reason,
                                     GError **error)
{
    keep_candidate(plan, -1);
    plan->n_candidates = vfi_cuda_conv_graph_candidates(
        plan->graph, &plan->cursor, plan->candidates, MAX_CANDIDATES, NULL);
    if (plan->n_candidates > 0) {
        g_error_free(reason);
        return VFI_CUDA_CONV_GO_ON;
    }
    g_propagate_prefixed_error(
        error, reason,
        "every engine of cuDNN failed that could be used; the last "
        "one: ");
    return VFI_CUDA_CONV_FAILED;
}

VfiCudaConvChoosing vfi_cuda_conv_choose(VfiCudaConvPlan *plan, cudaStream_t stream,
                                         const void *src, const void *weight, void *dst,
                                         void *workspace, GError **error)
{
    Trial trial = {stream, src, weight, dst, workspace, {NULL, NULL}};
    GError *reason = NULL;
    int best;
    bool tried = timer_init(&trial.timer, plan->key, error) &&
                 try_candidates(plan, &trial, &best, &reason, error);

    timer_clear(&trial.timer);
    if (tried && best < 0)
        return take_next(plan, reason, error);
    g_clear_error(&reason);
    if (!tried)
        return VFI_CUDA_CONV_FAILED;
    keep_candidate(plan, best);
    plan->chosen = true;
    if (plan->context.cache != NULL)
        vfi_cuda_conv_cache_keep(plan->context.cache, plan->key,
                                 &plan->candidates[0].choice);
    return VFI_CUDA_CONV_CHOSEN;
}
