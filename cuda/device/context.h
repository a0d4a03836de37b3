/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all sessions in one CUDA context share: its memory pool, packed weights, and which
 * of cuDNN's engines are the fastest. It exists as long as a session or a packed weight
 * uses it. Any thread. */
#pragma once

#include <stdatomic.h>

#include <cuda_runtime_api.h>
#include <glib.h>

#include "conv/choice_cache.h"
#include "conv/cudnn_library.h"
#include "runtime/driver.h"
#include "weights/packed_weights.h"

typedef struct VfiCudaContext VfiCudaContext;

struct VfiCudaContext {
    VfiPackedMemory weights; /* packed weights live here; first, for casting back */
    gatomicrefcount ref_count;
    VfiCudaHandle handle;
    int ordinal;
    atomic_bool is_primary; /* by us; may become true later, see find_or_make() */
    struct cudaDeviceProp properties;
    /* For allocating, freeing and copying weights. The default stream would wait for
     * everybody's streams in the context, and they for it. */
    cudaStream_t stream;
    cudaMemPool_t pool; /* NULL where the device has no pools (virtual GPUs, Tegra) */
    const VfiCudnnLibrary *cudnn;
    VfiCudaConvCache *choices; /* of engines for convolutions, also on disk */
};

/* The context of @handle, or the primary context of device @ordinal if that is NULL; made
 * if it is not in use yet. A reference, or NULL with VFI_ERROR_BACKEND or
 * VFI_ERROR_UNSUPPORTED that says what is missing. */
VfiCudaContext *vfi_cuda_context_get(VfiCudaHandle handle, int ordinal, GError **error);
VfiCudaContext *vfi_cuda_context_ref(VfiCudaContext *context);
void vfi_cuda_context_unref(VfiCudaContext *context);

/* Between these two the calling thread works in the context, and another thread's capture
 * into a graph does not forbid it anything: only the thread's own captures count. */
bool vfi_cuda_context_enter(const VfiCudaContext *context, GError **error);
void vfi_cuda_context_leave(void);

/* Memory from the pool, 256-byte aligned, for an entered context. It is ready when the
 * call returns, and so is everything that was queued on the context's stream before:
 * copies of weights rely on that. If there is no memory left, the pool is trimmed and the
 * allocation tried once more. NULL with VFI_ERROR_NO_MEMORY that names @what, or
 * VFI_ERROR_BACKEND. */
void *vfi_cuda_context_alloc(VfiCudaContext *context, size_t bytes, const char *what,
                             GError **error);
/* Nothing that is queued may still use it. NULL is allowed. */
void vfi_cuda_context_free(VfiCudaContext *context, void *memory);
/* Gives the freed memory that the pool keeps back to the device. */
void vfi_cuda_context_trim(VfiCudaContext *context);
/* Bytes of freed memory that the pool keeps. */
uint64_t vfi_cuda_context_kept(const VfiCudaContext *context);
