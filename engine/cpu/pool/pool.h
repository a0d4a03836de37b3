/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread pool of the process: however many sessions run at once, no more threads
 * compute than there are CPUs. A VfiPool is one session's share of it; runs of
 * different sessions divide the threads among them, chunk by chunk. No OpenMP: it would
 * bring its own teams into streaming threads. Threads flush denormals to zero while
 * they work; the caller's MXCSR is restored. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef struct VfiPool VfiPool;

/* Work on chunk @index of @count; @thread is 0 … n_threads-1, for scratch memory:
 * chunks that run at the same time have different ones. Must not run anything in a pool
 * itself. */
typedef void (*VfiChunkFunc)(void *data, int index, int thread);

/* Opens a share whose runs use at most @n_threads ≥ 1 threads, the caller included. The
 * process starts helper threads as the open shares need them and ends them with the last
 * share. All shares together compute on at most as many threads as there were usable CPUs
 * when the first one was opened, or on the largest @n_threads of the open ones if that is
 * more. Returns NULL with an error if threads cannot start. */
VfiPool *vfi_pool_new(int n_threads, GError **error);
void vfi_pool_free(VfiPool *pool);
int vfi_pool_threads(const VfiPool *pool);

/* Runs @func for every index below @count (≤ G_MAXINT / 2) and returns when all ran;
 * chunks are handed out in order, results must not depend on which thread runs which.
 * @cancel (may be NULL) is polled before each chunk: once it reads non-zero no further
 * chunk starts, and the call returns false. Where other shares run too, the call may wait
 * for others' chunks that are running, never for a whole run of theirs. Only one thread
 * at a time may call this on one share. */
bool vfi_pool_run(VfiPool *pool, int count, VfiChunkFunc func, void *data,
                  const atomic_int *cancel);

/* Runs between the two calls, close after each other, keep the caller's place among
 * those that compute; it still gives way to others' after some milliseconds. Between
 * runs nothing may wait. By the thread that calls vfi_pool_run(). */
void vfi_pool_keep_slot(VfiPool *pool);
void vfi_pool_drop_slot(VfiPool *pool);

/* Chunks run for this share since it was opened. */
uint64_t vfi_pool_chunks_run(const VfiPool *pool);

/* For tests: threads that may compute at once; 0 while no share is open. */
int vfi_pool_limit(void);
