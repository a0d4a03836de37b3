/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime's calls about launches, streams, events and graphs. */
#include "simulated.h"

#include <stdio.h>

#include <cuda_runtime.h>

using namespace simulated;

/* ---- launches ---------------------------------------------------------------------- */

static bool grid_fits(dim3 grid, dim3 block)
{
    return grid.x && grid.y && grid.z && block.x && block.y && block.z &&
           grid.x <= 2147483647u && grid.y <= 65535 && grid.z <= 65535 &&
           block.x <= 1024 && block.y <= 1024 && block.z <= 64 &&
           (uint64_t)block.x * block.y * block.z <= 1024;
}

/* Whether a device could dereference it. */
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
    in_stream_call(handle, [&](Call &call, CUstream_st *stream) -> cudaError_t {
        Work work = {Kind::LAUNCH, std::move(grid_loop)};

        if (stream->context != call.context)
            return cudaErrorInvalidResourceHandle;
        if (!grid_fits(grid, block))
            return cudaErrorInvalidConfiguration;
        if (!state().settings.immediate)
            for (const volatile void *pointer : pointers)
                work.illegal |= !reachable((const void *)pointer);
        if (work.illegal)
            fprintf(stderr,
                    "simulated device: a kernel got a pointer to memory that is the "
                    "host's or freed\n");
        return enqueue(call.lock, stream, std::move(work), NULL);
    });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void *data)
{
    return in_stream_call(handle, [&](Call &call, CUstream_st *stream) -> cudaError_t {
        return enqueue(call.lock, stream, {Kind::OTHER, [=] { function(data); }}, NULL);
    });
}

/* ---- streams ----------------------------------------------------------------------- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (flags & ~(unsigned)cudaStreamNonBlocking)
            return cudaErrorInvalidValue;
        *stream = new_stream(call.context, !(flags & cudaStreamNonBlocking));
        state().counters.streams++;
        return cudaSuccess;
    });
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
    State &s = state();

    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!s.streams.count(handle) || handle->destroyed ||
            handle == handle->context->null_stream)
            return cudaErrorInvalidResourceHandle;
        handle->destroyed = true;
        if (handle->queue.empty())
            forget_stream(handle);
        s.counters.streams--;
        return handle->context->sticky;
    });
}

/* Whether the host may ask what a stream or an event has come to, or wait for it. Asking
 * while a graph is captured makes the capture invalid. */
static cudaError_t check_asking(CUstream_st *stream)
{
    if (!stream)
        return cudaErrorInvalidResourceHandle;
    if (stream->capture)
        stream->capture->invalid = true;
    return stream->capture || capture_forbids() ? cudaErrorStreamCaptureUnsupported
                                                : cudaSuccess;
}

static cudaError_t check_asking(cudaEvent_t event)
{
    if (!state().events.count(event))
        return cudaErrorInvalidResourceHandle;
    if (event->captured)
        return cudaErrorCapturedEvent;
    return capture_forbids() ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

cudaError_t(cudaStreamSynchronize)(cudaStream_t handle)
{
    return in_wait("cudaStreamSynchronize", [&](Call &call) -> cudaError_t {
        CUstream_st *stream = find_stream(call, handle);
        cudaError_t error = check_asking(stream);

        if (error)
            return error;
        state().counters.waits++;
        if (stream == stream->context->null_stream)
            run_null_stream(call.lock, stream);
        else
            run_stream(call.lock, stream);
        shrink_pools();
        return stream->context->sticky;
    });
}

cudaError_t cudaStreamQuery(cudaStream_t handle)
{
    return in_call([&](Call &call) -> cudaError_t {
        CUstream_st *stream = find_stream(call, handle);
        cudaError_t error = check_asking(stream);

        if (error)
            return error;
        run_some(call.lock);
        return stream->queue.empty() ? stream->context->sticky : cudaErrorNotReady;
    });
}

cudaError_t(cudaStreamWaitEvent)(cudaStream_t handle, cudaEvent_t event, unsigned)
{
    return in_wait("cudaStreamWaitEvent", [&](Call &call) -> cudaError_t {
        CUstream_st *stream = find_stream(call, handle);

        if (!stream || !state().events.count(event))
            return cudaErrorInvalidResourceHandle;
        bool is_done = !event->item || event->item->done;
        if (stream->capture && !event->captured && !is_done) {
            stream->capture->invalid = true;
            return cudaErrorStreamCaptureIsolation;
        }
        if (event->captured && !stream->capture)
            return cudaErrorCapturedEvent;
        if (stream->capture || is_done)
            return cudaSuccess;
        return enqueue_wait(call.lock, stream, event->item);
    });
}

/* ---- events ------------------------------------------------------------------------ */

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (flags & ~(unsigned)(cudaEventBlockingSync | cudaEventDisableTiming))
            return cudaErrorInvalidValue;
        *event =
            new CUevent_st{call.context, !(flags & cudaEventDisableTiming), false, NULL};
        state().events.insert(*event);
        state().counters.events++;
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!state().events.erase(event))
            return cudaErrorInvalidResourceHandle;
        cudaError_t sticky = event->context->sticky;
        state().counters.events--;
        delete event;
        return sticky;
    });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle)
{
    return in_stream_call(handle, [&](Call &call, CUstream_st *stream) -> cudaError_t {
        if (!state().events.count(event) || event->context != stream->context)
            return cudaErrorInvalidResourceHandle;
        event->captured = stream->capture != NULL;
        if (stream->capture)
            return cudaSuccess;
        return enqueue(call.lock, stream, {Kind::OTHER, NULL}, &event->item);
    });
}

cudaError_t(cudaEventSynchronize)(cudaEvent_t event)
{
    return in_wait("cudaEventSynchronize", [&](Call &call) -> cudaError_t {
        cudaError_t error = check_asking(event);

        if (error)
            return error;
        state().counters.waits++;
        Context *context = event->context;
        if (event->item)
            run_until_done(call.lock, ItemRef(event->item));
        shrink_pools();
        return context->sticky;
    });
}

cudaError_t cudaEventQuery(cudaEvent_t event)
{
    return in_call([&](Call &call) -> cudaError_t {
        cudaError_t error = check_asking(event);

        if (error)
            return error;
        ItemRef item = event->item;
        Context *context = event->context;
        if (item && !item->done)
            run_some(call.lock);
        return !item || item->done ? context->sticky : cudaErrorNotReady;
    });
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start, cudaEvent_t end)
{
    return in_call([&](Call &) -> cudaError_t {
        for (cudaEvent_t event : {start, end}) {
            if (!state().events.count(event) || !event->timing || !event->item)
                return cudaErrorInvalidResourceHandle;
            if (!event->item->done)
                return cudaErrorNotReady;
        }
        const struct timespec &a = start->item->finished, &b = end->item->finished;
        *milliseconds = (float)((double)(b.tv_sec - a.tv_sec) * 1e3 +
                                (double)(b.tv_nsec - a.tv_nsec) * 1e-6);
        return cudaSuccess;
    });
}

/* ---- graphs ------------------------------------------------------------------------ */

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode)
{
    return in_stream_call(handle, [&](Call &, CUstream_st *stream) -> cudaError_t {
        if (stream == stream->context->null_stream)
            return cudaErrorStreamCaptureUnsupported;
        if (stream->capture)
            return cudaErrorIllegalState;
        stream->capture = std::make_shared<Capture>();
        stream->capture->mode = mode;
        stream->capture->thread = std::this_thread::get_id();
        if (state().settings.fail_capture && --state().settings.fail_capture == 0)
            stream->capture->invalid = true;
        state().captures.insert(stream->capture.get());
        return cudaSuccess;
    });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode *mode)
{
    std::swap(simulated::thread.capture_mode, *mode);
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph)
{
    *graph = NULL;
    return in_stream_call(handle, [&](Call &, CUstream_st *stream) -> cudaError_t {
        std::shared_ptr<Capture> capture = stream->capture;
        if (!capture)
            return cudaErrorIllegalState;
        if (capture->mode != cudaStreamCaptureModeRelaxed &&
            capture->thread != std::this_thread::get_id())
            return cudaErrorStreamCaptureWrongThread;
        state().captures.erase(capture.get());
        stream->capture = NULL;
        if (capture->invalid)
            return cudaErrorStreamCaptureInvalidated;
        *graph = new CUgraph_st{std::move(capture->nodes)};
        state().graphs.insert(*graph);
        state().counters.graphs++;
        return cudaSuccess;
    });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus *status)
{
    return in_stream_call(handle, [&](Call &, CUstream_st *stream) -> cudaError_t {
        *status = !stream->capture           ? cudaStreamCaptureStatusNone
                  : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                             : cudaStreamCaptureStatusActive;
        return cudaSuccess;
    });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph,
                                 unsigned long long)
{
    *executable = NULL;
    return in_call([&](Call &) -> cudaError_t {
        if (!state().graphs.count(graph))
            return cudaErrorInvalidValue;
        *executable = new CUgraphExec_st{graph->nodes, NULL};
        state().executables.insert(*executable);
        state().counters.graph_executables++;
        return cudaSuccess;
    });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t handle)
{
    return in_stream_call(handle, [&](Call &, CUstream_st *) -> cudaError_t {
        return state().executables.count(executable) ? cudaSuccess
                                                     : cudaErrorInvalidValue;
    });
}

/* The nodes are queued one by one, so that other streams' work runs between them. Two
 * launches of one executable do not overlap. */
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle)
{
    return in_stream_call(handle, [&](Call &call, CUstream_st *stream) -> cudaError_t {
        cudaError_t error = cudaSuccess;

        if (!state().executables.count(executable))
            return cudaErrorInvalidValue;
        if (stream->capture)
            return cudaErrorNotSupported;
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
        return error;
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!state().graphs.erase(graph))
            return cudaErrorInvalidValue;
        state().counters.graphs--;
        delete graph;
        return cudaSuccess;
    });
}

/* What is queued holds its own copies. */
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!state().executables.erase(executable))
            return cudaErrorInvalidValue;
        state().counters.graph_executables--;
        delete executable;
        return cudaSuccess;
    });
}
