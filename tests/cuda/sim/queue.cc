/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's streams, and which work runs when. A thread that waits runs work
 * until what it waits for is done; one thread does so at a time. */
#include "simulated.h"

#include <stdio.h>
#include <string.h>

namespace simulated
{

static const size_t QUEUE_LIMIT =
    1024; /* about what a device takes before a launch waits */

static uint64_t dice(uint64_t sides)
{
    return state().random() % sides;
}

CUstream_st *new_stream(Context *context, bool blocking)
{
    CUstream_st *stream = new CUstream_st{context, blocking, false, {}, {}};

    state().streams.insert(stream);
    return stream;
}

void forget_stream(CUstream_st *stream)
{
    if (stream->capture)
        state().captures.erase(stream->capture.get());
    state().streams.erase(stream);
    state().former.push_back(stream);
}

CUstream_st *find_stream(const Call &call, cudaStream_t handle)
{
    if (!handle || handle == cudaStreamLegacy) {
        refuse_default_stream(call.caller, "a call");
        return call.context->null_stream;
    }
    if (!state().streams.count(handle) || handle->destroyed)
        return NULL;
    return handle;
}

/* ---- what may run ------------------------------------------------------------------ */

static bool item_ready(Item &item)
{
    while (!item.after.empty() && item.after.back()->done)
        item.after.pop_back();
    return item.after.empty();
}

static bool stream_ready(CUstream_st *stream)
{
    return !stream->queue.empty() && item_ready(*stream->queue.front());
}

/* The stream whose first work can run, and must before @item can. */
static CUstream_st *needed_stream(const ItemRef &item)
{
    const Item *wanted = item.get();

    for (;;) {
        CUstream_st *stream = wanted->stream;
        Item &first = *stream->queue.front();
        if (item_ready(first))
            return stream;
        wanted = first.after.back().get();
    }
}

static CUstream_st *any_ready_stream(const CUstream_st *except)
{
    std::vector<CUstream_st *> ready;

    for (CUstream_st *stream : state().streams)
        if (stream != except && stream_ready(stream))
            ready.push_back(stream);
    return ready.empty() ? NULL : ready[dice(ready.size())];
}

/* How far other streams are when a wait is over: behind, level, or ahead. */
enum class Others { BEHIND, LEVEL, AHEAD };

static CUstream_st *choose_stream(const ItemRef &item, Others others)
{
    CUstream_st *needed = needed_stream(item), *other = NULL;

    if (others == Others::LEVEL)
        other = any_ready_stream(NULL);
    else if (others == Others::AHEAD)
        other = any_ready_stream(needed);
    return other ? other : needed;
}

/* ---- running ----------------------------------------------------------------------- */

static void finish(CUstream_st *stream, const ItemRef &item)
{
    Context *context = stream->context;

    if (item->failure && !context->sticky)
        context->sticky = item->failure;
    clock_gettime(CLOCK_MONOTONIC, &item->finished);
    item->done = true;
    item->after.clear();
    item->work = {};
    stream->queue.pop_front();
    if (stream->destroyed && stream->queue.empty())
        forget_stream(stream);
    state().progress.notify_all();
}

/* The work stays in its queue while it runs, so that nothing overtakes it. */
static void run_first(Lock &lock, CUstream_st *stream)
{
    ItemRef item = stream->queue.front();
    bool skip = !item->work.locked && (stream->context->sticky || item->failure);

    thread.runs_work = true;
    if (item->work.locked) {
        item->work.run();
    } else if (!skip) {
        lock.unlock();
        if (item->work.run)
            item->work.run();
        lock.lock();
    }
    thread.runs_work = false;
    finish(stream, item);
}

static void begin_running(void)
{
    state().running = true;
    open_memory();
}

static void end_running(void)
{
    close_memory();
    state().running = false;
    state().progress.notify_all();
}

void run_until_done(Lock &lock, const ItemRef &item)
{
    State &s = state();
    Others others = (Others)dice(3);

    while (!item->done) {
        if (s.running) {
            s.progress.wait(lock);
            continue;
        }
        begin_running();
        while (!item->done)
            run_first(lock, choose_stream(item, others));
        end_running();
    }
}

void run_some(Lock &lock)
{
    size_t n = dice(4);

    if (state().running)
        return;
    begin_running();
    for (CUstream_st *stream; n-- && (stream = any_ready_stream(NULL));)
        run_first(lock, stream);
    end_running();
}

void run_stream(Lock &lock, CUstream_st *stream)
{
    if (!stream->queue.empty())
        run_until_done(lock, ItemRef(stream->queue.back()));
}

static void run_tails(Lock &lock, const std::function<bool(CUstream_st *)> &wanted)
{
    std::vector<ItemRef> tails;

    for (CUstream_st *stream : state().streams)
        if (!stream->queue.empty() && wanted(stream))
            tails.push_back(stream->queue.back());
    for (const ItemRef &tail : tails)
        run_until_done(lock, tail);
}

void run_context(Lock &lock, Context *context)
{
    run_tails(lock, [&](CUstream_st *stream) { return stream->context == context; });
}

void run_null_stream(Lock &lock, CUstream_st *null_stream)
{
    run_tails(lock, [&](CUstream_st *stream) {
        return stream->context == null_stream->context && stream->blocking;
    });
}

void run_device(Lock &lock, int device)
{
    run_tails(lock,
              [&](CUstream_st *stream) { return stream->context->device == device; });
}

/* ---- queueing ---------------------------------------------------------------------- */

bool capture_forbids(void)
{
    bool forbids = false;

    if (thread.capture_mode == cudaStreamCaptureModeRelaxed)
        return false;
    for (Capture *capture : state().captures) {
        bool is_other = capture->thread != std::this_thread::get_id();
        if (capture->mode == cudaStreamCaptureModeRelaxed ||
            (is_other && (capture->mode == cudaStreamCaptureModeThreadLocal ||
                          thread.capture_mode == cudaStreamCaptureModeThreadLocal)))
            continue;
        capture->invalid = forbids = true;
    }
    return forbids;
}

/* The null stream waits for the context's blocking streams, and they for it. */
static void depend_on_null_stream(CUstream_st *stream, Item &item)
{
    Context *context = stream->context;

    if (!stream->blocking)
        return;
    for (CUstream_st *other : state().streams) {
        bool counts = stream == context->null_stream ? other->blocking
                                                     : other == context->null_stream;
        if (other != stream && other->context == context && counts &&
            !other->queue.empty())
            item.after.push_back(other->queue.back());
    }
}

static bool touches_captured_streams(CUstream_st *stream)
{
    if (stream != stream->context->null_stream)
        return false;
    for (CUstream_st *other : state().streams)
        if (other->capture && other->blocking && other->context == stream->context) {
            other->capture->invalid = true;
            return true;
        }
    return false;
}

static void count(const Work &work)
{
    VfiSimulatedCounters &c = state().counters;

    switch (work.kind) {
    case Kind::LAUNCH:
        c.launches++;
        break;
    case Kind::HOST_TO_DEVICE:
        c.host_to_device_copies++;
        c.host_to_device_bytes += work.bytes;
        break;
    case Kind::DEVICE_TO_HOST:
        c.device_to_host_copies++;
        c.device_to_host_bytes += work.bytes;
        break;
    case Kind::DEVICE_TO_DEVICE:
        c.device_to_device_copies++;
        c.device_to_device_bytes += work.bytes;
        break;
    case Kind::OTHER:
        break;
    }
}

/* The injected failure, when this launch's turn has come. */
static cudaError_t launch_failure(const Work &work)
{
    Settings &settings = state().settings;

    if (work.kind != Kind::LAUNCH || !settings.fail_launch || --settings.fail_launch)
        return cudaSuccess;
    return settings.launch_error;
}

static void run_early(Lock &lock, const ItemRef &item)
{
    const Settings &settings = state().settings;

    if (settings.immediate)
        run_until_done(lock, item);
    else if (item->stream->queue.size() > QUEUE_LIMIT)
        run_until_done(lock, ItemRef(item->stream->queue[QUEUE_LIMIT / 2]));
    else if (settings.seed % 4 == 3 && dice(2) == 0)
        run_some(lock);
}

static cudaError_t enqueue_after(Lock &lock, CUstream_st *stream, Work work,
                                 const ItemRef &before, ItemRef *queued)
{
    if (stream->capture) {
        if (stream->capture->invalid)
            return cudaErrorStreamCaptureInvalidated;
        stream->capture->nodes.push_back(std::move(work));
        return cudaSuccess;
    }
    if (touches_captured_streams(stream))
        return cudaErrorStreamCaptureImplicit;

    ItemRef item = std::make_shared<Item>();
    item->failure = launch_failure(work);
    if (item->failure == cudaErrorLaunchOutOfResources)
        return item->failure;
    if (work.illegal && !item->failure)
        item->failure = cudaErrorIllegalAddress;
    count(work);
    item->work = std::move(work);
    item->stream = stream;
    if (before)
        item->after.push_back(before);
    depend_on_null_stream(stream, *item);
    stream->queue.push_back(item);
    if (queued)
        *queued = item;
    run_early(lock, item);
    return cudaSuccess;
}

cudaError_t enqueue(Lock &lock, CUstream_st *stream, Work work, ItemRef *queued)
{
    return enqueue_after(lock, stream, std::move(work), NULL, queued);
}

cudaError_t enqueue_wait(Lock &lock, CUstream_st *stream, const ItemRef &before)
{
    return enqueue_after(lock, stream, {Kind::OTHER, NULL}, before, NULL);
}

} /* namespace simulated */

using namespace simulated;

bool vfi_simulated_has_stream(cudaStream_t handle)
{
    Lock lock(state().mutex);

    return !handle || (state().streams.count(handle) && !handle->destroyed);
}

cudaError_t vfi_simulated_enqueue(cudaStream_t handle, std::function<void()> work)
{
    return in_stream_call(handle, [&](Call &call, CUstream_st *stream) -> cudaError_t {
        if (stream->context != call.context)
            return cudaErrorInvalidResourceHandle;
        return enqueue(call.lock, stream, {Kind::LAUNCH, std::move(work)}, NULL);
    });
}
