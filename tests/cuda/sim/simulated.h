/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's inside: state.cc (settings, contexts), memory.cc (arenas,
 * guards), queue.cc (streams, and which work runs when), copy.cc. The functions that
 * others call are in runtime_*.cc and driver.cc. One lock guards all state; it is not
 * held while work runs. */
#pragma once

#define VFI_SIMULATED_DEVICE_ITSELF
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <time.h>
#include <vector>

#include <cuda_runtime_api.h>

#include "simulated_device.h"
#include "simulated_queue.h"

namespace simulated
{

using Lock = std::unique_lock<std::mutex>;
const int MAX_DEVICES = 8;

struct Context {
    int device;
    bool primary;
    bool alive;
    cudaError_t sticky; /* of work that failed */
    CUstream_st *null_stream;
};

enum class Kind { LAUNCH, HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE, OTHER };

/* Work, queued or in a graph. */
struct Work {
    Kind kind;
    std::function<void()> run;
    uint64_t bytes = 0;
    bool locked = false;  /* runs under the lock, as frees do */
    bool illegal = false; /* touches memory that a device cannot */
};

/* Work in a queue. */
struct Item {
    Work work;
    CUstream_st *stream;
    std::vector<std::shared_ptr<Item>> after; /* of other streams, done before */
    cudaError_t failure = cudaSuccess;        /* the error that running it gives */
    bool done = false;
    struct timespec finished = {};
};
using ItemRef = std::shared_ptr<Item>;

struct Capture {
    cudaStreamCaptureMode mode;
    std::thread::id thread;
    bool invalid = false;
    std::vector<Work> nodes;
};

struct Allocation {
    char *block; /* with the guards */
    size_t block_size;
    size_t size;
    size_t charged; /* bytes that count as the device's */
    Context *context;
    CUmemPoolHandle_st *pool; /* NULL: none */
    int device;
    bool large;
    bool freeing; /* cudaFreeAsync() was called */
};

struct Settings {
    uint64_t seed;
    bool immediate;
    int n_devices;
    bool no_driver;
    int major, minor;
    uint64_t total_memory, memory_of_others;
    uint64_t fail_allocation, fail_allocations_from, fail_allocations_above;
    int driver_version;
    VfiSimulatedDefaultStream default_stream;
    bool no_pools;
    uint64_t fail_capture;
    uint64_t fail_launch;
    cudaError_t launch_error;
    std::string drop_wait, list_waits;
};

struct Device {
    Context *primary; /* NULL before its first use */
    CUmemPoolHandle_st *default_pool, *pool;
    uint64_t used;        /* by cudaMalloc() */
    int primary_retained; /* through the driver */
    bool runtime_uses_primary;
};

struct State {
    std::mutex mutex;
    std::condition_variable progress;
    Settings settings;
    std::mt19937_64 random;
    Device devices[MAX_DEVICES];
    std::set<Context *> contexts;
    std::set<CUstream_st *>
        streams; /* with contexts' null streams, and destroyed ones that have work */
    std::set<CUevent_st *> events;
    std::set<CUgraph_st *> graphs;
    std::set<CUgraphExec_st *> executables;
    std::set<CUmemPoolHandle_st *> pools;
    std::set<Capture *> captures;
    std::map<const char *, Allocation> allocations; /* by the first byte */
    std::map<const char *, size_t> pinned, registered;
    std::set<std::string> seen_waits;
    std::vector<const void *> former; /* kept, so that no handle is used twice */
    bool running;                     /* a thread runs work, and memory is accessible */
    VfiSimulatedCounters counters;
};

State &state(void);

/* Of the calling thread. */
struct Thread {
    std::vector<Context *>
        stack;  /* the driver's; its top is the runtime's context, too */
    int device; /* for when the stack is empty */
    cudaError_t last_error;
    bool runs_work;
    cudaStreamCaptureMode capture_mode; /* 0: global */
    const char *wait_file;
    int wait_line;
};
extern thread_local Thread thread;

/* ---- state.cc ---------------------------------------------------------------------- */

/* What every call of the runtime begins with: takes the lock and finds the context.
 * @caller: where the function that makes this returns to. */
struct Call {
    Lock lock;
    Context *context;
    cudaError_t error;
    const void *caller;

    enum Needs { NOTHING, DRIVER, CONTEXT };
    explicit Call(Needs needs = CONTEXT,
                  const void *caller = __builtin_return_address(0));
    /* Remembers @result for cudaGetLastError(). */
    cudaError_t end(cudaError_t result);
};

/* A call of the runtime: @body under the lock, unless there is an error already. */
template <typename Body>
cudaError_t in_call(Call::Needs needs, Body body,
                    const void *caller = __builtin_return_address(0))
{
    Call call(needs, caller);

    return call.end(call.error ? call.error : body(call));
}

template <typename Body>
cudaError_t in_call(Body body, const void *caller = __builtin_return_address(0))
{
    return in_call(Call::CONTEXT, body, caller);
}

Context *primary_context(int device);
Context *use_primary_context(int device);
Context *new_context(int device, bool primary);
void destroy_context(Lock &lock, Context *context);
cudaError_t count_devices(int *n);
bool is_device(int device);
/* Whether the wait at this site is to be dropped; may list the site. It is known from the
 * header or else by @caller. */
bool wait_dropped(const char *function, const void *caller);

/* A call that waits, or makes a stream wait. */
template <typename Body>
cudaError_t in_wait(const char *function, Body body,
                    const void *caller = __builtin_return_address(0))
{
    Call call(Call::CONTEXT, caller);

    if (wait_dropped(function, caller))
        return cudaSuccess;
    return call.end(call.error ? call.error : body(call));
}

/* Ends the process if @caller must not use the default stream. */
void refuse_default_stream(const void *caller, const char *what);
[[noreturn]] void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- memory.cc --------------------------------------------------------------------- */

/* Makes device memory accessible, or not. */
void open_memory(void);
void close_memory(void);
cudaError_t allocate(Lock &lock, Context *context, CUmemPoolHandle_st *pool, size_t size,
                     void **memory);
void release(const char *memory);
/* Fills an allocation with the pattern of new ones; memory is accessible. */
void make_fresh(char *memory);
void check_guards(void);
bool in_device_memory(const void *memory);
/* The allocation that holds [memory, memory + size), or NULL. */
const Allocation *find_allocation(const void *memory, size_t size);
bool is_pinned(const void *memory, size_t size);
uint64_t free_memory(int device);
/* Pools give back what they keep beyond their threshold, as when a device is waited
 * for. */
void shrink_pools(void);
cudaError_t count_allocation(size_t size);
void forget_memory(void);

/* ---- queue.cc ---------------------------------------------------------------------- */

/* NULL: there is no such stream. */
CUstream_st *find_stream(const Call &call, cudaStream_t handle);
/* A call about a stream. */
template <typename Body>
cudaError_t in_stream_call(cudaStream_t handle, Body body,
                           const void *caller = __builtin_return_address(0))
{
    return in_call(
        [&](Call &call) -> cudaError_t {
            CUstream_st *stream = find_stream(call, handle);
            return stream ? body(call, stream) : cudaErrorInvalidResourceHandle;
        },
        caller);
}
CUstream_st *new_stream(Context *context, bool blocking);
cudaError_t enqueue(Lock &lock, CUstream_st *stream, Work work, ItemRef *item);
void forget_stream(CUstream_st *stream);
/* Makes later work of @stream wait for @before. */
cudaError_t enqueue_wait(Lock &lock, CUstream_st *stream, const ItemRef &before);
void run_until_done(Lock &lock, const ItemRef &item);
void run_stream(Lock &lock, CUstream_st *stream);
/* With all streams that it waits for. */
void run_null_stream(Lock &lock, CUstream_st *null_stream);
void run_context(Lock &lock, Context *context);
void run_device(Lock &lock, int device);
/* Runs some of the work that is ready; for polls. */
void run_some(Lock &lock);
/* Whether a capture forbids a call that waits or allocates; the capture then becomes
 * invalid. */
bool capture_forbids(void);

/* ---- copy.cc ----------------------------------------------------------------------- */

struct Copy {
    void *dst;
    size_t dst_pitch;
    const void *src;
    size_t src_pitch;
    size_t width, height;
};
/* @wait: waits as cudaMemcpy() does. */
cudaError_t copy(Lock &lock, CUstream_st *stream, const Copy &copy, cudaMemcpyKind kind,
                 bool wait);

} /* namespace simulated */

struct CUstream_st {
    simulated::Context *context;
    bool blocking; /* towards the null stream */
    bool destroyed;
    std::deque<simulated::ItemRef> queue;
    std::shared_ptr<simulated::Capture> capture;
};

struct CUevent_st {
    simulated::Context *context;
    bool timing;
    bool captured;           /* recorded last while a stream was captured */
    simulated::ItemRef item; /* NULL: never recorded */
};

struct CUgraph_st {
    std::vector<simulated::Work> nodes;
};

struct CUgraphExec_st {
    std::vector<simulated::Work> nodes;
    simulated::ItemRef last; /* of the latest launch */
};

struct CUmemPoolHandle_st {
    int device;
    bool is_default, destroyed;
    uint64_t max_size;
    uint64_t threshold;
    uint64_t used, used_high, reserved, reserved_high;
};
