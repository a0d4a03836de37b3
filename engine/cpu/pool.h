/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small thread pool: the caller and n-1 helper threads work through numbered chunks. No
 * OpenMP: it would bring its own teams into streaming threads. Workers flush denormals to
 * zero while they work; the caller's MXCSR is restored. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

typedef struct VfiPool VfiPool;

/* Work on chunk @index of @count; @thread is 0 … n_threads-1, for scratch memory. */
typedef void (*VfiChunkFunc)(void *data, int index, int thread);

/* @n_threads ≥ 1, the caller included. Returns NULL with an error if threads cannot
 * start. */
VfiPool *vfi_pool_new(int n_threads, GError **error);
void vfi_pool_free(VfiPool *pool);
int vfi_pool_threads(const VfiPool *pool);

/* Runs @func for every index below @count and returns when all ran; chunks are handed out
 * in order, results must not depend on who runs which. @cancel (may be NULL) is polled
 * before each chunk: once it reads non-zero no further chunk starts, and the call returns
 * false. Only one thread at a time may call this on one pool. */
bool vfi_pool_run(VfiPool *pool, int count, VfiChunkFunc func, void *data,
                  const atomic_int *cancel);

/* Chunks run since the pool began. */
uint64_t vfi_pool_chunks_run(const VfiPool *pool);

/* CPUs that this process may use: affinity mask and cgroup (v1, v2) quota, at least 1. */
int vfi_usable_cpus(void);
