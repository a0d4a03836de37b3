/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests say to the simulated device, and ask it.
 *
 * It stands behind the CUDA runtime's names (include/), the driver's (libcuda.so.1) and
 * the simulated cuDNN. Streams are queues; work runs late, in a thread that waits for
 * something or finds a queue full, and in any order that streams and events allow, chosen
 * by the seed. Device memory cannot be touched by host code: while no work runs it is
 * PROT_NONE. Fresh memory holds NaNs in every float format, freed memory others or
 * nothing at all; bytes around an allocation are looked at when it is freed and when the
 * device is synchronised. What only a wrong program does (a store out of bounds, a store
 * to freed memory) ends the process with a message and SIGABRT.
 *
 * Every control is also a variable of the environment, read when the device is first
 * used, for processes that a test starts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Forgets all work, memory, contexts, settings and counters, and reads the environment
 * again. Nothing else may be using the device. */
void vfi_simulated_reset(void);

/* VFI_SIMULATED_SEED: chooses the order of work. With seed % 4 == 3 some work also runs
 * as soon as it is queued; with others only work that something waits for runs, as long
 * as queues have room. Default 1. */
void vfi_simulated_set_seed(uint64_t seed);
/* VFI_SIMULATED_IMMEDIATE=1: work runs when it is queued, and kernels may use host
 * memory. For tests of single kernels. */
void vfi_simulated_set_immediate(bool immediate);
/* VFI_SIMULATED_DEVICES: default 1, at most 8. */
void vfi_simulated_set_devices(int n);
/* VFI_SIMULATED_NO_DRIVER=1: as on a machine without one. */
void vfi_simulated_set_no_driver(bool none);
/* VFI_SIMULATED_DRIVER_VERSION: the CUDA version that the driver is for, as
 * cudaDriverGetVersion() gives it. Default: that of the headers. */
void vfi_simulated_set_driver_version(int version);
/* VFI_SIMULATED_COMPUTE=86: default 86. */
void vfi_simulated_set_compute(int major, int minor);
/* VFI_SIMULATED_MEMORY, VFI_SIMULATED_MEMORY_OF_OTHERS, in bytes: of each device, in all
 * and used by other processes. Default 8 GiB and 0. */
void vfi_simulated_set_memory(uint64_t total, uint64_t of_others);

/* VFI_SIMULATED_NO_POOLS=1: as on devices without memory pools. */
void vfi_simulated_set_no_pools(bool none);

/* Which callers may use the default stream (0, cudaMemcpy(), cudaDeviceSynchronize() …).
 * It waits for all blocking streams in the context, and they for it. */
typedef enum {
    VFI_SIMULATED_DEFAULT_STREAM_NOT_FOR_BACKEND, /* nor for cuDNN; this is the default */
    VFI_SIMULATED_DEFAULT_STREAM_FOR_ALL,
    VFI_SIMULATED_DEFAULT_STREAM_FOR_NOBODY,
} VfiSimulatedDefaultStream;

/* VFI_SIMULATED_DEFAULT_STREAM, a number: other callers end the process with SIGABRT. The
 * backend is recognised by its file's name. */
void vfi_simulated_set_default_stream(VfiSimulatedDefaultStream policy);

/* ---- failures ---------------------------------------------------------------------- */

/* VFI_SIMULATED_FAIL_ALLOCATION: the @nth allocation of device or pinned memory from now
 * (1: the next) fails with cudaErrorMemoryAllocation; 0: none. */
void vfi_simulated_fail_allocation(uint64_t nth);
/* VFI_SIMULATED_FAIL_ALLOCATIONS_FROM: the @nth from now and all later ones fail; 0:
 * none. */
void vfi_simulated_fail_allocations_from(uint64_t nth);
/* VFI_SIMULATED_FAIL_ALLOCATIONS_ABOVE: all larger ones fail; 0: none. */
void vfi_simulated_fail_allocations_above(uint64_t bytes);
/* VFI_SIMULATED_FAIL_LAUNCH, VFI_SIMULATED_FAIL_LAUNCH_ERROR: the @nth launch from now
 * (one of a graph's kernels counts as one) fails with @error, by default
 * cudaErrorLaunchFailure. cudaErrorLaunchOutOfResources is what the launch returns, and
 * then forgotten. Any other comes up when the work runs, and every later call of that
 * context returns it until the context is destroyed. 0: none. */
void vfi_simulated_fail_launch(uint64_t nth, int error);

/* VFI_SIMULATED_FAIL_CAPTURE: the @nth capture from now (1: the next) becomes invalid
 * with its first work, as if an engine could not be captured; 0: none. */
void vfi_simulated_fail_capture(uint64_t nth);

/* ---- waits ------------------------------------------------------------------------- */

/* A site is one call in the source of cudaStreamSynchronize, cudaStreamWaitEvent,
 * cudaEventSynchronize or cudaDeviceSynchronize: "backend.c:120", or "library.so+0x1f0"
 * in code built without the headers here, followed by ":" and the function's name.
 * VFI_SIMULATED_LIST_WAITS: a file that each site is appended to when first reached.
 * VFI_SIMULATED_DROP_WAIT: that site's waits do nothing; NULL: none. A test that passes
 * without one of the waits does not see whether it is there. */
void vfi_simulated_drop_wait(const char *site);
void vfi_simulated_list_waits(const char *file);

/* ---- what happened ----------------------------------------------------------------- */

typedef struct {
    /* there are now, of all devices */
    uint64_t allocations, allocated_bytes;
    uint64_t pinned_allocations, pinned_bytes;
    uint64_t streams, events, graphs, graph_executables, pools, contexts;
    uint64_t queued; /* work that has not run */
    /* since the reset */
    uint64_t peak_bytes;
    uint64_t contexts_made;
    uint64_t allocations_made; /* device and pinned */
    uint64_t launches;         /* kernels and other queued work, those of graphs too */
    uint64_t graph_launches;
    uint64_t waits; /* of the host: stream, event, device; copies that wait */
    uint64_t host_to_device_bytes, host_to_device_copies;
    uint64_t device_to_host_bytes, device_to_host_copies;
    uint64_t device_to_device_bytes, device_to_device_copies;
} VfiSimulatedCounters;

void vfi_simulated_counters(VfiSimulatedCounters *counters);
/* Looks at the bytes around all allocations, as a synchronised device does. */
void vfi_simulated_check_memory(void);
/* Whether @memory lies in device memory, allocated or not. */
bool vfi_simulated_is_device_memory(const void *memory);

#ifdef __cplusplus
}
#endif
