/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device: settings, contexts, and what every call begins with. */
#include "simulated.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace simulated
{

thread_local Thread thread;

static uint64_t variable(const char *name, uint64_t otherwise)
{
    const char *text = getenv((std::string("VFI_SIMULATED_") + name).c_str());

    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static std::string text_variable(const char *name)
{
    const char *text = getenv((std::string("VFI_SIMULATED_") + name).c_str());

    return text ? text : "";
}

static Settings settings_from_environment(void)
{
    Settings s;
    uint64_t compute = variable("COMPUTE", 86);

    s.seed = variable("SEED", 1);
    s.immediate = variable("IMMEDIATE", 0) != 0;
    s.n_devices = (int)std::min<uint64_t>(variable("DEVICES", 1), MAX_DEVICES);
    s.no_driver = variable("NO_DRIVER", 0) != 0;
    s.major = (int)(compute / 10);
    s.minor = (int)(compute % 10);
    s.total_memory = variable("MEMORY", (uint64_t)8 << 30);
    s.memory_of_others = variable("MEMORY_OF_OTHERS", 0);
    s.driver_version = (int)variable("DRIVER_VERSION", CUDART_VERSION);
    s.fail_allocation = variable("FAIL_ALLOCATION", 0);
    s.fail_allocations_from = variable("FAIL_ALLOCATIONS_FROM", 0);
    s.fail_allocations_above = variable("FAIL_ALLOCATIONS_ABOVE", 0);
    s.default_stream = (VfiSimulatedDefaultStream)variable("DEFAULT_STREAM", 0);
    s.no_pools = variable("NO_POOLS", 0) != 0;
    s.fail_capture = variable("FAIL_CAPTURE", 0);
    s.fail_launch = variable("FAIL_LAUNCH", 0);
    s.launch_error = (cudaError_t)variable("FAIL_LAUNCH_ERROR", cudaErrorLaunchFailure);
    s.drop_wait = text_variable("DROP_WAIT");
    s.list_waits = text_variable("LIST_WAITS");
    return s;
}

State &state(void)
{
    /* Never freed: other threads may outlive main(). */
    static State *s = [] {
        State *made = new State();
        made->settings = settings_from_environment();
        made->random.seed(made->settings.seed);
        return made;
    }();

    return *s;
}

void give_up(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "simulated device: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    abort();
}

/* ---- contexts ---------------------------------------------------------------------- */

Context *new_context(int device, bool primary)
{
    Context *context = new Context{device, primary, true, cudaSuccess, NULL};

    context->null_stream = new_stream(context, true);
    state().contexts.insert(context);
    state().counters.contexts++;
    state().counters.contexts_made++;
    return context;
}

Context *primary_context(int device)
{
    Device &d = state().devices[device];

    if (!d.primary)
        d.primary = new_context(device, true);
    return d.primary;
}

/* Frees what the context owns. The structure itself stays, so that handles that outlive
 * it are recognised. */
void destroy_context(Lock &lock, Context *context)
{
    State &s = state();
    std::vector<const char *> owned;

    run_context(lock, context);
    for (auto &[memory, allocation] : s.allocations)
        if (allocation.context == context)
            owned.push_back(memory);
    for (const char *memory : owned)
        release(memory);
    const std::set<CUstream_st *> streams = s.streams;
    for (CUstream_st *stream : streams) {
        if (stream->context != context)
            continue;
        s.counters.streams -= stream != context->null_stream && !stream->destroyed;
        forget_stream(stream);
    }
    const std::set<CUevent_st *> events = s.events;
    for (CUevent_st *event : events) {
        if (event->context != context)
            continue;
        s.counters.events--;
        s.events.erase(event);
        s.former.push_back(event);
    }
    context->alive = false;
    s.counters.contexts--;
    if (s.devices[context->device].primary == context)
        s.devices[context->device].primary = NULL;
}

cudaError_t count_devices(int *n)
{
    const Settings &settings = state().settings;

    *n = 0;
    if (settings.no_driver)
        return cudaErrorInsufficientDriver;
    if (settings.n_devices == 0)
        return cudaErrorNoDevice;
    *n = settings.n_devices;
    return cudaSuccess;
}

bool is_device(int device)
{
    return device >= 0 && device < state().settings.n_devices;
}

/* Makes @device's primary context the thread's, as the runtime does. */
Context *use_primary_context(int device)
{
    Context *context = primary_context(device);

    state().devices[device].runtime_uses_primary = true;
    if (thread.stack.empty())
        thread.stack.push_back(context);
    else
        thread.stack.back() = context;
    return context;
}

/* The driver's, if one is set, else the primary context of the thread's device. A primary
 * context that was reset is made again. */
static cudaError_t current_context(Context **context)
{
    State &s = state();

    *context = thread.stack.empty() ? NULL : thread.stack.back();
    bool alive = *context && s.contexts.count(*context) && (*context)->alive;
    if (alive)
        return cudaSuccess;
    if (*context && s.contexts.count(*context) && !(*context)->primary)
        return cudaErrorContextIsDestroyed;
    if (thread.device >= s.settings.n_devices)
        return cudaErrorInvalidDevice;
    *context = use_primary_context(thread.device);
    return cudaSuccess;
}

Call::Call(Needs needs, const void *caller_)
    : lock(state().mutex), context(NULL), error(cudaSuccess), caller(caller_)
{
    int n;

    if (thread.runs_work)
        error = cudaErrorNotPermitted;
    else if (needs != NOTHING)
        error = count_devices(&n);
    if (!error && needs == CONTEXT)
        error = current_context(&context);
    if (!error && context)
        error = context->sticky;
}

cudaError_t Call::end(cudaError_t result)
{
    if (!result && context)
        result = context->sticky; /* of work that ran meanwhile */
    if (result)
        thread.last_error = result;
    return result;
}

/* ---- callers ----------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Whether the caller is the backend's module or cuDNN. */
static bool is_backend(const void *caller)
{
    Dl_info info;

    if (!dladdr(caller, &info) || !info.dli_fname)
        return false;
    const char *name = base_name(info.dli_fname);
    return !strncmp(name, "vfi-cuda", 8) || !strncmp(name, "libcudnn", 8);
}

void refuse_default_stream(const void *caller, const char *what)
{
    VfiSimulatedDefaultStream policy = state().settings.default_stream;
    Dl_info info = {};

    if (policy == VFI_SIMULATED_DEFAULT_STREAM_FOR_ALL ||
        (policy == VFI_SIMULATED_DEFAULT_STREAM_NOT_FOR_BACKEND && !is_backend(caller)))
        return;
    dladdr(caller, &info);
    give_up(
        "%s from %s+%#zx uses the default stream, which waits for everybody's blocking "
        "streams, and they for it",
        what, info.dli_fname ? base_name(info.dli_fname) : "?",
        (size_t)((const char *)caller - (const char *)info.dli_fbase));
}

/* ---- waits ------------------------------------------------------------------------- */

static std::string site_name(const char *function, const void *caller)
{
    char text[64];
    Dl_info info;

    if (thread.wait_file) {
        snprintf(text, sizeof text, ":%d:", thread.wait_line);
        return base_name(thread.wait_file) + (text + std::string(function));
    }
    if (!dladdr(caller, &info) || !info.dli_fname)
        return std::string("?:") + function;
    snprintf(text, sizeof text,
             "+%#zx:", (size_t)((const char *)caller - (const char *)info.dli_fbase));
    return base_name(info.dli_fname) + (text + std::string(function));
}

static void append_line(const std::string &file, std::string line)
{
    int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    line += "\n";
    if (fd < 0 || write(fd, line.data(), line.size()) != (ssize_t)line.size())
        give_up("cannot write to %s, which is to list the waits", file.c_str());
    close(fd);
}

bool wait_dropped(const char *function, const void *caller)
{
    State &s = state();
    bool asked = !s.settings.drop_wait.empty() || !s.settings.list_waits.empty();
    std::string site = asked ? site_name(function, caller) : "";

    thread.wait_file = NULL;
    if (asked && !s.settings.list_waits.empty() && s.seen_waits.insert(site).second)
        append_line(s.settings.list_waits, site);
    return asked && site == s.settings.drop_wait;
}

} /* namespace simulated */

using namespace simulated;

void vfi_simulated_wait_site(const char *file, int line)
{
    simulated::thread.wait_file = file;
    simulated::thread.wait_line = line;
}

/* ---- simulated_device.h ------------------------------------------------------------ */

static Settings &locked_settings(const Lock &)
{
    return state().settings;
}

/* What tests leak is counted; it is no leak of the simulation. */
template <typename Handles> static void forget_all(Handles &handles)
{
    for (const void *handle : handles)
        state().former.push_back(handle);
    handles.clear();
}

void vfi_simulated_reset(void)
{
    State &s = state();
    Lock lock(s.mutex);

    forget_all(s.streams);
    forget_all(s.contexts);
    forget_all(s.events);
    forget_all(s.graphs);
    forget_all(s.executables);
    forget_all(s.pools);
    s.captures.clear();
    for (auto &[memory, size] : s.pinned)
        free((void *)memory);
    s.pinned.clear();
    s.registered.clear();
    s.seen_waits.clear();
    for (Device &device : s.devices)
        device = {};
    forget_memory();
    s.counters = {};
    s.settings = settings_from_environment();
    s.random.seed(s.settings.seed);
    simulated::thread = {};
}

void vfi_simulated_set_seed(uint64_t seed)
{
    Lock lock(state().mutex);

    locked_settings(lock).seed = seed;
    state().random.seed(seed);
}

void vfi_simulated_set_immediate(bool immediate)
{
    Lock lock(state().mutex);

    locked_settings(lock).immediate = immediate;
}

void vfi_simulated_set_devices(int n)
{
    Lock lock(state().mutex);

    locked_settings(lock).n_devices = std::max(0, std::min(n, MAX_DEVICES));
}

void vfi_simulated_set_no_driver(bool none)
{
    Lock lock(state().mutex);

    locked_settings(lock).no_driver = none;
}

void vfi_simulated_set_compute(int major, int minor)
{
    Lock lock(state().mutex);

    locked_settings(lock).major = major;
    locked_settings(lock).minor = minor;
}

void vfi_simulated_set_memory(uint64_t total, uint64_t of_others)
{
    Lock lock(state().mutex);

    locked_settings(lock).total_memory = total;
    locked_settings(lock).memory_of_others = of_others;
}

void vfi_simulated_fail_allocation(uint64_t nth)
{
    Lock lock(state().mutex);

    locked_settings(lock).fail_allocation = nth;
}

void vfi_simulated_set_driver_version(int version)
{
    Lock lock(state().mutex);

    locked_settings(lock).driver_version = version;
}

void vfi_simulated_fail_allocations_from(uint64_t nth)
{
    Lock lock(state().mutex);

    locked_settings(lock).fail_allocations_from = nth;
}

void vfi_simulated_fail_allocations_above(uint64_t bytes)
{
    Lock lock(state().mutex);

    locked_settings(lock).fail_allocations_above = bytes;
}

void vfi_simulated_fail_launch(uint64_t nth, int error)
{
    Lock lock(state().mutex);

    locked_settings(lock).fail_launch = nth;
    locked_settings(lock).launch_error =
        error ? (cudaError_t)error : cudaErrorLaunchFailure;
}

void vfi_simulated_set_default_stream(VfiSimulatedDefaultStream policy)
{
    Lock lock(state().mutex);

    locked_settings(lock).default_stream = policy;
}

void vfi_simulated_set_no_pools(bool none)
{
    Lock lock(state().mutex);

    locked_settings(lock).no_pools = none;
}

void vfi_simulated_fail_capture(uint64_t nth)
{
    Lock lock(state().mutex);

    locked_settings(lock).fail_capture = nth;
}

void vfi_simulated_drop_wait(const char *site)
{
    Lock lock(state().mutex);

    locked_settings(lock).drop_wait = site ? site : "";
}

void vfi_simulated_list_waits(const char *file)
{
    Lock lock(state().mutex);

    locked_settings(lock).list_waits = file ? file : "";
    state().seen_waits.clear();
}

void vfi_simulated_counters(VfiSimulatedCounters *counters)
{
    State &s = state();
    Lock lock(s.mutex);

    *counters = s.counters;
    for (CUstream_st *stream : s.streams)
        counters->queued += stream->queue.size();
}

void vfi_simulated_check_memory(void)
{
    Lock lock(state().mutex);

    check_guards();
}

bool vfi_simulated_is_device_memory(const void *memory)
{
    Lock lock(state().mutex);

    return in_device_memory(memory);
}
