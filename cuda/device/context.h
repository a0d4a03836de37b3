/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all sessions in one CUDA context share: its memory pool, packed weights, plans of
 * convolutions. Exists while a session or a packed weight uses it. */
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
    VfiPackedMemory
        weights; /* first: it leads back here. Packed weights in this context */
    gatomicrefcount ref_count;
    VfiCudaHandle handle;
    int ordinal;
    atomic_bool is_primary; /* retained; may become so later, see find_or_make() */
    struct cudaDeviceProp properties;
    /* For memory that comes and goes and for weights, apart from the default stream, which
     * would wait for the streams of everybody else in the context, and they for it. */
    cudaStream_t stream;
    cudaMemPool_t pool; /* NULL where the device has no pools (virtual GPUs, Tegra) */
    const VfiCudnnLibrary *cudnn;
    VfiCudaConvCache *choices; /* engines of convolutions, also on disk */
};

/* That of @handle, or of the primary context of device @ordinal if that is NULL; made if nobody
 * has it. A reference, or NULL with VFI_ERROR_BACKEND or _UNSUPPORTED that says what is missing. */
VfiCudaContext *vfi_cuda_context_get(VfiCudaHandle handle, int ordinal, GError **error);
VfiCudaContext *vfi_cuda_context_ref(VfiCudaContext *context);
void vfi_cuda_context_unref(VfiCudaContext *context);

/* Between these two the calling thread works in the context. What another thread captures into
 * a graph meanwhile does not mind: the thread counts its own captures only. */
bool vfi_cuda_context_enter(const VfiCudaContext *context, GError **error);
void vfi_cuda_context_leave(void);

/* Memory of the pool, 256-byte aligned; ready when the call returns, as is all that was queued on
 * the context's stream before: copies of weights count on it. Entered contexts only. Where
 * none is left, the pool gives back what it keeps, and it is tried once more. */
void *vfi_cuda_context_alloc(VfiCudaContext *context, size_t bytes, const char *what,
                             GError **error);
/* Nothing that is queued may use it any more. NULL is allowed. */
void vfi_cuda_context_free(VfiCudaContext *context, void *memory);
/* Gives back what the pool keeps of what was freed. */
void vfi_cuda_context_trim(VfiCudaContext *context);
/* Bytes that the pool keeps for whoever asks next. */
uint64_t vfi_cuda_context_kept(const VfiCudaContext *context);
