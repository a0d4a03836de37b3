/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans of convolutions: made, chosen among, run. */
#include "conv.h"

#include <vfi/error.h>

#include "conv_graph.h"
#include "cudnn_descriptor.h"
#include "error.h"

/* Plans that are timed against each other, and how often each runs. */
#define MOST_CANDIDATES 3
#define TIMED_RUNS 5

struct VfiCudaConvPlan {
    VfiCudaConvContext context;
    char *key;
    VfiCudaConvGraph *graph;
    VfiCudaConvCandidate candidates[MOST_CANDIDATES];
    int n_candidates;
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
            vfi_cuda_conv_graph_candidate(plan->graph, &choice, &plan->candidates[0]))
            plan->n_candidates = 1;
        else
            plan->n_candidates = vfi_cuda_conv_graph_candidates(
                plan->graph, plan->candidates, MOST_CANDIDATES, &reason);
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
    return plan->n_candidates > 1;
}

/* Variant packs cannot be changed once they are finalised, so each run has its own; in a
 * captured graph that is once. */
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
    /* Where the device has failed, that is what to tell. */
    if (status != CUDNN_STATUS_SUCCESS &&
        vfi_cuda_check(cudaGetLastError(), plan->key, error))
        vfi_cudnn_set_error(library, status, plan->key, error);
    vfi_cudnn_descriptor_free(library, pack);
    return status == CUDNN_STATUS_SUCCESS;
}

bool vfi_cuda_conv_run(VfiCudaConvPlan *plan, cudaStream_t stream, const void *src,
                       const void *weight, void *dst, void *workspace, GError **error)
{
    return execute(plan, plan->candidates[0].plan, stream, src, weight, dst, workspace,
                   error);
}

/* ---- choosing ------------------------------------------------------------------------------- */

typedef struct {
    cudaEvent_t begin, end;
} Timer;

static void timer_clear(Timer *timer)
{
    if (timer->begin != NULL)
        cudaEventDestroy(timer->begin);
    if (timer->end != NULL)
        cudaEventDestroy(timer->end);
}

/* Milliseconds of TIMED_RUNS runs of candidate @i, after one that warms up. */
static bool time_candidate(const VfiCudaConvPlan *plan, int i, const Timer *timer,
                           cudaStream_t stream, const void *src, const void *weight,
                           void *dst, void *workspace, float *milliseconds,
                           GError **error)
{
    for (int run = -1; run < TIMED_RUNS; run++) {
        if (run == 0 &&
            !vfi_cuda_check(cudaEventRecord(timer->begin, stream), plan->key, error))
            return false;
        if (!execute(plan, plan->candidates[i].plan, stream, src, weight, dst, workspace,
                     error))
            return false;
    }
    return vfi_cuda_check(cudaEventRecord(timer->end, stream), plan->key, error) &&
           vfi_cuda_check(cudaEventSynchronize(timer->end), plan->key, error) &&
           vfi_cuda_check(cudaEventElapsedTime(milliseconds, timer->begin, timer->end),
                          plan->key, error);
}

/* Candidate @i alone. */
static void keep_candidate(VfiCudaConvPlan *plan, int i)
{
    VfiCudaConvCandidate kept = plan->candidates[i];

    plan->candidates[i] = plan->candidates[0];
    plan->candidates[0] = kept;
    while (plan->n_candidates > 1)
        vfi_cuda_conv_candidate_clear(plan->context.library,
                                      &plan->candidates[--plan->n_candidates]);
}

bool vfi_cuda_conv_choose(VfiCudaConvPlan *plan, cudaStream_t stream, const void *src,
                          const void *weight, void *dst, void *workspace, GError **error)
{
    Timer timer = {NULL, NULL};
    float fastest = 0.0f;
    int best = 0;
    bool ok = plan->n_candidates < 2 ||
              (vfi_cuda_check(cudaEventCreate(&timer.begin), plan->key, error) &&
               vfi_cuda_check(cudaEventCreate(&timer.end), plan->key, error));

    for (int i = 0; ok && plan->n_candidates > 1 && i < plan->n_candidates; i++) {
        float milliseconds = 0.0f;
        ok = time_candidate(plan, i, &timer, stream, src, weight, dst, workspace,
                            &milliseconds, error);
        if (ok && (i == 0 || milliseconds < fastest)) {
            fastest = milliseconds;
            best = i;
        }
    }
    timer_clear(&timer);
    if (ok && plan->n_candidates > 1) {
        keep_candidate(plan, best);
        if (plan->context.cache != NULL)
            vfi_cuda_conv_cache_keep(plan->context.cache, plan->key,
                                     &plan->candidates[0].choice);
    }
    return ok;
}
