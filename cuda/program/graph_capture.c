/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of a program's segments. One that comes again with the same memory is captured the second
 * time and from then on launched as a whole: what launching hundreds of kernels costs the host
 * does not hold the device up. */
#include "program/program.h"

#include <string.h>

#include <vfi/error.h>

#include "runtime/cuda_error.h"

/* A segment's first run with some memory is not captured: cuDNN sets things up in it. */
#define RUNS_BEFORE_CAPTURE 1

static VfiCudaGraph *find_graph(VfiProgram *program, int segment, char *const *region)
{
    VfiCudaGraph *oldest = &program->graphs[0];

    for (int i = 0; i < VFI_CUDA_GRAPHS; i++) {
        VfiCudaGraph *graph = &program->graphs[i];
        if (graph->n_runs > 0 && graph->segment == segment &&
            memcmp(graph->region, region, sizeof graph->region) == 0)
            return graph;
        if (graph->last_used < oldest->last_used)
            oldest = graph;
    }
    if (oldest->graph != NULL)
        cudaGraphExecDestroy(oldest->graph);
    *oldest = (VfiCudaGraph){.segment = segment};
    memcpy(oldest->region, region, sizeof oldest->region);
    return oldest;
}

/* The first reason stays. */
static bool check_step(cudaError_t result, const char *what, GError **reason)
{
    return vfi_cuda_check(result, what, *reason == NULL ? reason : NULL);
}

static void capture(VfiProgram *program, VfiCudaGraph *graph, GError **reason)
{
    cudaStream_t stream = program->device->compute_stream;
    cudaGraph_t captured = NULL;

    if (!check_step(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
                    "beginning to capture it", reason))
        return;
    bool queued = vfi_cuda_run_ops(program, graph->segment, graph->region, NULL, reason);
    if (check_step(cudaStreamEndCapture(stream, &captured), "capturing it", reason) &&
        queued &&
        !check_step(cudaGraphInstantiate(&graph->graph, captured, 0), "making it ready",
                    reason))
        graph->graph = NULL;
    if (captured != NULL)
        cudaGraphDestroy(captured);
}

/* That a network cannot be captured is no error: it runs, if slower. */
static bool try_capture(VfiProgram *program, VfiCudaGraph *graph)
{
    VfiDevice *device = program->device;
    g_autoptr(GError) reason = NULL;

    capture(program, graph, &reason);
    if (graph->graph != NULL)
        return true;
    program->no_graphs = true;
    atomic_fetch_add(&device->graph_failures, 1);
    device->log(
        VFI_LOG_WARNING,
        "a part of the network does not become a CUDA graph, and costs a call for "
        "every kernel: %s",
        reason->message);
    return false;
}

bool vfi_cuda_run_graph(VfiProgram *program, int segment, char *const *region, bool *ran,
                        GError **error)
{
    VfiCudaGraph *graph;

    *ran = false;
    if (program->no_graphs || program->device->no_graphs)
        return true;
    graph = find_graph(program, segment, region);
    graph->last_used = ++program->graph_clock;
    if (graph->n_runs++ < RUNS_BEFORE_CAPTURE)
        return true;
    if (graph->graph == NULL && !try_capture(program, graph))
        return true;
    *ran = true;
    atomic_fetch_add(&program->device->graph_launches, 1);
    return vfi_cuda_check(cudaGraphLaunch(graph->graph, program->device->compute_stream),
                          "running a network", error);
}

void vfi_cuda_free_graphs(VfiProgram *program)
{
    for (int i = 0; i < VFI_CUDA_GRAPHS; i++)
        if (program->graphs[i].graph != NULL)
            cudaGraphExecDestroy(program->graphs[i].graph);
}

bool vfi_cuda_run_ops(const VfiProgram *program, int segment, char *const *region,
                      const atomic_int *cancel, GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];

    for (int i = range->first_op, n = 0; i < range->first_op + range->n_ops; i += n) {
        if (cancel != NULL && atomic_load(cancel) != 0) {
            g_set_error_literal(error, VFI_ERROR, VFI_ERROR_CANCELLED,
                                "the job was cancelled");
            return false;
        }
        if (!vfi_cuda_run_op(program, i, region, &n, error))
            return false;
    }
    return true;
}

/* Op by op, each waited for. */
static bool profile_ops(const VfiProgram *program, int segment,
                        const VfiRunArguments *arguments, GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];
    cudaStream_t stream = program->device->compute_stream;

    for (int i = range->first_op, n = 0; i < range->first_op + range->n_ops; i += n) {
        int64_t start;
        if (!vfi_cuda_check(cudaStreamSynchronize(stream), "measuring a network", error))
            return false;
        start = g_get_monotonic_time();
        if (!vfi_cuda_run_op(program, i, arguments->region, &n, error) ||
            !vfi_cuda_check(cudaStreamSynchronize(stream), "measuring a network", error))
            return false;
        arguments->op_nanoseconds[i] += 1000 * (uint64_t)(g_get_monotonic_time() - start);
    }
    return true;
}

/* The segment's scalars, once it has run. */
static bool read_scalars(const VfiProgram *program, int segment, float *scalars,
                         GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];
    cudaStream_t stream = program->device->compute_stream;
    size_t bytes = (size_t)program->plan->n_scalars * sizeof(float);
    bool has_scalars = false;

    for (int i = range->first_op; i < range->first_op + range->n_ops; i++)
        has_scalars = has_scalars || program->plan->ops[i].kind == VFI_OP_MAX_ABS;
    if (!has_scalars)
        return true;
    if (!vfi_cuda_check(cudaMemcpyAsync(program->pinned_scalars, program->scalars, bytes,
                                        cudaMemcpyDeviceToHost, stream),
                        "reading a decision", error) ||
        !vfi_cuda_check(cudaStreamSynchronize(stream), "reading a decision", error))
        return false;
    for (int i = range->first_op; i < range->first_op + range->n_ops; i++) {
        const VfiOp *op = &program->plan->ops[i];
        if (op->kind == VFI_OP_MAX_ABS)
            scalars[op->u.scalar] = program->pinned_scalars[op->u.scalar];
    }
    return true;
}

static bool run_segment(VfiProgram *program, int segment,
                        const VfiRunArguments *arguments, GError **error)
{
    bool ran;

    if (arguments->op_nanoseconds != NULL)
        return profile_ops(program, segment, arguments, error);
    if (!vfi_cuda_run_graph(program, segment, arguments->region, &ran, error))
        return false;
    return ran || vfi_cuda_run_ops(program, segment, arguments->region, arguments->cancel,
                                   error);
}

bool vfi_cuda_run(VfiDevice *device, const VfiProgram *program, int segment,
                  const VfiRunArguments *arguments, GError **error)
{
    if (arguments->cancel != NULL && atomic_load(arguments->cancel) != 0) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_CANCELLED,
                            "the job was cancelled");
        return false;
    }
    if (!vfi_cuda_enter(device, error))
        return false;
    bool ran = vfi_cuda_check(vfi_cuda_set_values(device->compute_stream, program->values,
                                                  arguments->time, arguments->image_mean),
                              "beginning a network", error) &&
               run_segment((VfiProgram *)program, segment, arguments, error) &&
               read_scalars(program, segment, arguments->scalars, error);
    vfi_cuda_leave();
    return ran;
}
