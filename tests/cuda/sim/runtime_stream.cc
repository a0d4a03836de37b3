/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime's calls about launches, streams, events and graphs. */
#include "simulated.h"

#include <stdio.h>

#include <cuda_runtime.h>

using namespace simulated;

/* ---- launches ------------------------------------------------------------------------------ */

static bool grid_fits(dim3 grid, dim3 block)
{
    return grid.x && grid.y && grid.z && block.x && block.y && block.z &&
           grid.x <= 2147483647u && grid.y <= 65535 && grid.z <= 65535 &&
           block.x <= 1024 && block.y <= 1024 && block.z <= 64 &&
           (uint64_t)block.x * block.y * block.z <= 1024;
}

/* Whether a device could follow it. */
static bool reachable(const void *pointer)
{
    if (!pointer || is_pinned(pointer, 0))
        return true;
    const Allocation *a = find_allocation(pointer, 0);
    return a && !a->freeing;
}

/* Launches return nothing: their errors are the next cudaGetLastError()'s. */
void vfi_simulated_queue_grid(dim3 grid, dim3 block, cudaStream_t handle,
                              std::function<void()> grid_loop,
                              std::initializer_list<const volatile void *> pointers)
{
    Call call;
    Work work = {Kind::LAUNCH, std::move(grid_loop)};

    if (call.error) {
        call.end(call.error);
        return;
    }
    CUstream_st *stream = find_stream(call, handle);
    if (!stream || stream->context != call.context) {
        call.end(cudaErrorInvalidResourceHandle);
        return;
    }
    if (!grid_fits(grid, block)) {
        call.end(cudaErrorInvalidConfiguration);
        return;
    }
    if (!state().settings.immediate)
        for (const volatile void *pointer : pointers)
            work.illegal |= !reachable((const void *)pointer);
    if (work.illegal)
        fprintf(stderr,
                "simulated device: a kernel got a pointer to memory that is the host's "
                "or freed\n");
    call.end(enqueue(call.lock, stream, std::move(work), NULL));
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void *data)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream)
        return call.end(cudaErrorInvalidResourceHandle);
    return call.end(
        enqueue(call.lock, stream, {Kind::OTHER, [=] { function(data); }}, NULL));
}

/* ---- streams ------------------------------------------------------------------------------- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    if (flags & ~(unsigned)cudaStreamNonBlocking)
        return call.end(cudaErrorInvalidValue);
    *stream = new_stream(call.context, !(flags & cudaStreamNonBlocking));
    state().counters.streams++;
    return call.end(cudaSuccess);
}

cudaError_t cudaStreamCreate(cudaStream_t *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags, int)
{
    return cudaStreamCreateWithFlags(stream, flags);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

/* Queued work still runs. */
cudaError_t cudaStreamDestroy(cudaStream_t handle)
{
    Call call(Call::DRIVER);
    State &s = state();

    if (call.error)
        return call.end(call.error);
    if (!s.streams.count(handle) || handle->destroyed ||
        handle == handle->context->null_stream)
        return call.end(cudaErrorInvalidResourceHandle);
    handle->destroyed = true;
    if (handle->queue.empty())
        forget_stream(handle);
    s.counters.streams--;
    return call.end(handle->context->sticky);
}

cudaError_t(cudaStreamSynchronize)(cudaStream_t handle)
{
    Call call;

    if (wait_dropped("cudaStreamSynchronize", __builtin_return_address(0)))
        return cudaSuccess;
    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream)
        return call.end(cudaErrorInvalidResourceHandle);
    if (stream->capture)
        stream->capture->invalid = true;
    if (stream->capture || capture_forbids())
        return call.end(cudaErrorStreamCaptureUnsupported);
    state().counters.waits++;
    if (stream == stream->context->null_stream)
        run_null_stream(call.lock, stream);
    else
        run_stream(call.lock, stream);
    shrink_pools();
    return call.end(stream->context->sticky);
}

cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream)
        return call.end(cudaErrorInvalidResourceHandle);
    if (stream->capture)
        stream->capture->invalid = true;
    if (stream->capture || capture_forbids())
        return call.end(cudaErrorStreamCaptureUnsupported);
    run_some(call.lock);
    return call.end(stream->queue.empty() ? stream->context->sticky : cudaErrorNotReady);
}

cudaError_t(cudaStreamWaitEvent)(cudaStream_t handle, cudaEvent_t event, unsigned)
{
    Call call;
    ItemRef item;

    if (wait_dropped("cudaStreamWaitEvent", __builtin_return_address(0)))
        return cudaSuccess;
    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream || !state().events.count(event))
        return call.end(cudaErrorInvalidResourceHandle);
    if (stream->capture && !event->captured && event->item && !event->item->done) {
        stream->capture->invalid = true;
        return call.end(cudaErrorStreamCaptureIsolation);
    }
    if (event->captured && !stream->capture)
        return call.end(cudaErrorCapturedEvent);
    if (stream->capture || !event->item || event->item->done)
        return call.end(cudaSuccess);
    return call.end(enqueue_wait(call.lock, stream, event->item));
}

/* ---- events -------------------------------------------------------------------------------- */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    if (flags & ~(unsigned)(cudaEventBlockingSync | cudaEventDisableTiming))
        return call.end(cudaErrorInvalidValue);
    *event = new CUevent_st{call.context, !(flags & cudaEventDisableTiming), false, NULL};
    state().events.insert(*event);
    state().counters.events++;
    return call.end(cudaSuccess);
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    Call call(Call::DRIVER);

    if (call.error)
        return call.end(call.error);
    if (!state().events.erase(event))
        return call.end(cudaErrorInvalidResourceHandle);
    cudaError_t sticky = event->context->sticky;
    state().counters.events--;
    delete event;
    return call.end(sticky);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream || !state().events.count(event) || event->context != stream->context)
        return call.end(cudaErrorInvalidResourceHandle);
    event->captured = stream->capture != NULL;
    if (stream->capture)
        return call.end(cudaSuccess);
    return call.end(enqueue(call.lock, stream, {Kind::OTHER, NULL}, &event->item));
}

cudaError_t(cudaEventSynchronize)(cudaEvent_t event)
{
    Call call;

    if (wait_dropped("cudaEventSynchronize", __builtin_return_address(0)))
        return cudaSuccess;
    if (call.error)
        return call.end(call.error);
    if (!state().events.count(event))
        return call.end(cudaErrorInvalidResourceHandle);
    if (event->captured)
        return call.end(cudaErrorCapturedEvent);
    if (capture_forbids())
        return call.end(cudaErrorStreamCaptureUnsupported);
    state().counters.waits++;
    Context *context = event->context;
    if (event->item)
        run_until_done(call.lock, ItemRef(event->item));
    shrink_pools();
    return call.end(context->sticky);
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    if (!state().events.count(event))
        return call.end(cudaErrorInvalidResourceHandle);
    if (event->captured)
        return call.end(cudaErrorCapturedEvent);
    if (capture_forbids())
        return call.end(cudaErrorStreamCaptureUnsupported);
    ItemRef item = event->item;
    Context *context = event->context;
    if (item && !item->done)
        run_some(call.lock);
    return call.end(!item || item->done ? context->sticky : cudaErrorNotReady);
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    for (cudaEvent_t event : {start, end}) {
        if (!state().events.count(event) || !event->timing || !event->item)
            return call.end(cudaErrorInvalidResourceHandle);
        if (!event->item->done)
            return call.end(cudaErrorNotReady);
    }
    const struct timespec &a = start->item->finished, &b = end->item->finished;
    *milliseconds = (float)((double)(b.tv_sec - a.tv_sec) * 1e3 +
                            (double)(b.tv_nsec - a.tv_nsec) * 1e-6);
    return call.end(cudaSuccess);
}

/* ---- graphs -------------------------------------------------------------------------------- */

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream)
        return call.end(cudaErrorInvalidResourceHandle);
    if (stream == stream->context->null_stream)
        return call.end(cudaErrorStreamCaptureUnsupported);
    if (stream->capture)
        return call.end(cudaErrorIllegalState);
    stream->capture = std::make_shared<Capture>();
    stream->capture->mode = mode;
    stream->capture->thread = std::this_thread::get_id();
    if (state().settings.fail_capture && --state().settings.fail_capture == 0)
        stream->capture->invalid = true;
    state().captures.insert(stream->capture.get());
    return call.end(cudaSuccess);
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode *mode)
{
    std::swap(simulated::thread.capture_mode, *mode);
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph)
{
    Call call;

    *graph = NULL;
    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream)
        return call.end(cudaErrorInvalidResourceHandle);
    std::shared_ptr<Capture> capture = stream->capture;
    if (!capture)
        return call.end(cudaErrorIllegalState);
    if (capture->mode != cudaStreamCaptureModeRelaxed &&
        capture->thread != std::this_thread::get_id())
        return call.end(cudaErrorStreamCaptureWrongThread);
    state().captures.erase(capture.get());
    stream->capture = NULL;
    if (capture->invalid)
        return call.end(cudaErrorStreamCaptureInvalidated);
    *graph = new CUgraph_st{std::move(capture->nodes)};
    state().graphs.insert(*graph);
    state().counters.graphs++;
    return call.end(cudaSuccess);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus *status)
{
    Call call;

    if (call.error)
        return call.end(call.error);
    CUstream_st *stream = find_stream(call, handle);
    if (!stream)
        return call.end(cudaErrorInvalidResourceHandle);
    *status = !stream->capture           ? cudaStreamCaptureStatusNone
              : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                         : cudaStreamCaptureStatusActive;
    return call.end(cudaSuccess);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph,
                                 unsigned long long)
{
    Call call;

    *executable = NULL;
    if (call.error)
        return call.end(call.error);
    if (!state().graphs.count(graph))
        return call.end(cudaErrorInvalidValue);
    *executable = new CUgraphExec_st{graph->nodes, NULL};
    state().executables.insert(*executable);
    state().counters.graph_executables++;
    return call.end(cudaSuccess);
}

static cudaError_t find_executable(Call &call, cudaGraphExec_t executable,
                                   cudaStream_t handle, CUstream_st **stream)
{
    if (call.error)
        return call.error;
    *stream = find_stream(call, handle);
    if (!*stream)
        return cudaErrorInvalidResourceHandle;
    return state().executables.count(executable) ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t handle)
{
    Call call;
    CUstream_st *stream;

    return call.end(find_executable(call, executable, handle, &stream));
}

/* The nodes are queued one by one, so that other streams' work runs between them. Two launches
 * of one executable do not overlap. */
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle)
{
    Call call;
    CUstream_st *stream;
    cudaError_t error = find_executable(call, executable, handle, &stream);

    if (!error && stream->capture)
        error = cudaErrorNotSupported;
    if (error)
        return call.end(error);
    if (executable->last && !executable->last->done)
        error = enqueue_wait(call.lock, stream, executable->last);
    /* A full queue lets go of the lock; the executable may be destroyed then. */
    const std::vector<Work> nodes = executable->nodes;
    ItemRef last;
    for (const Work &node : nodes)
        if (!error)
            error = enqueue(call.lock, stream, node, &last);
    if (state().executables.count(executable))
        executable->last = last;
    state().counters.graph_launches++;
    return call.end(error);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    Call call(Call::DRIVER);

    if (call.error)
        return call.end(call.error);
    if (!state().graphs.erase(graph))
        return call.end(cudaErrorInvalidValue);
    state().counters.graphs--;
    delete graph;
    return cudaSuccess;
}

/* What is queued holds its own copies. */
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    Call call(Call::DRIVER);

    if (call.error)
        return call.end(call.error);
    if (!state().executables.erase(executable))
        return call.end(cudaErrorInvalidValue);
    state().counters.graph_executables--;
    delete executable;
    return cudaSuccess;
}
