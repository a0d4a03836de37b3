/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/graph_capture.h"

#include <string.h>

#include "program/run_op.h"
#include "runtime/cuda_error.h"

/* The first run with some memory is not captured: cuDNN makes preparations in it. */
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

/* Keeps the first reason. */
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

/* A network that cannot be captured still runs, only slower. */
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
