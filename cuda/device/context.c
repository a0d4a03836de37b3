/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/context.h"

#include <vfi/error.h>

#include "runtime/cuda_error.h"
#include "runtime/refused_devices.h"

/* The module has no machine code for less. */
#define MIN_CAPABILITY 75

/* All contexts in use. Contexts are made and ended under the lock. */
static GMutex lock;
static GSList *contexts;

VfiCudaContext *vfi_cuda_context_ref(VfiCudaContext *context)
{
    g_atomic_ref_count_inc(&context->ref_count);
    return context;
}

/* How many contexts the thread has entered, and its capture mode before the first. */
static _Thread_local struct {
    int depth;
    bool has_outer;
    enum cudaStreamCaptureMode outer;
} entered;

bool vfi_cuda_context_enter(const VfiCudaContext *context, GError **error)
{
    enum cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal;

    if (!vfi_cuda_driver_push(context->handle, context->ordinal, error))
        return false;
    if (entered.depth++ == 0) {
        entered.has_outer = cudaThreadExchangeStreamCaptureMode(&mode) == cudaSuccess;
        entered.outer = mode;
    }
    return true;
}

void vfi_cuda_context_leave(void)
{
    enum cudaStreamCaptureMode mode = entered.outer;

    if (--entered.depth == 0 && entered.has_outer)
        cudaThreadExchangeStreamCaptureMode(&mode);
    vfi_cuda_driver_pop();
}

/* ---- memory ------------------------------------------------------------------------ */

static cudaError_t take_memory(const VfiCudaContext *context, size_t bytes, void **memory)
{
    return context->pool != NULL
               ? cudaMallocFromPoolAsync(memory, bytes, context->pool, context->stream)
               : cudaMalloc(memory, bytes);
}

void *vfi_cuda_context_alloc(VfiCudaContext *context, size_t bytes, const char *what,
                             GError **error)
{
    size_t free_bytes = 0, total_bytes = 0;
    void *memory = NULL;

    cudaError_t result = take_memory(context, bytes, &memory);
    if (result == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        vfi_cuda_context_trim(context);
        result = take_memory(context, bytes, &memory);
    }
    if (result == cudaSuccess)
        result = cudaStreamSynchronize(context->stream);
    if (result == cudaSuccess)
        return memory;
    if (result != cudaErrorMemoryAllocation) {
        vfi_cuda_check(result, what, error);
        return NULL;
    }
    cudaGetLastError();
    cudaMemGetInfo(&free_bytes, &total_bytes);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "no device memory for %s: %.1f MiB wanted, %.1f MiB free of %.1f MiB. What "
        "would help: smaller frames, a smaller scale or tile-size, a memory-limit, "
        "or another program giving memory back",
        what, (double)bytes / 0x1p20, (double)free_bytes / 0x1p20,
        (double)total_bytes / 0x1p20);
    return NULL;
}

void vfi_cuda_context_free(VfiCudaContext *context, void *memory)
{
    if (memory == NULL)
        return;
    if (context->pool != NULL)
        cudaFreeAsync(memory, context->stream);
    else
        cudaFree(memory);
}

void vfi_cuda_context_trim(VfiCudaContext *context)
{
    if (context->pool == NULL)
        return;
    cudaStreamSynchronize(context->stream); /* frees may be queued */
    cudaMemPoolTrimTo(context->pool, 0);
}

uint64_t vfi_cuda_context_kept(const VfiCudaContext *context)
{
    uint64_t reserved = 0, used = 0;

    if (context->pool == NULL ||
        cudaMemPoolGetAttribute(context->pool, cudaMemPoolAttrReservedMemCurrent,
                                &reserved) != cudaSuccess ||
        cudaMemPoolGetAttribute(context->pool, cudaMemPoolAttrUsedMemCurrent, &used) !=
            cudaSuccess)
        return 0;
    return reserved > used ? reserved - used : 0;
}

/* Each packed weight holds a reference to the context. */
static void *alloc_weights(const VfiPackedMemory *memory, size_t bytes, GError **error)
{
    VfiCudaContext *context = (VfiCudaContext *)memory;
    void *data = vfi_cuda_context_alloc(context, bytes, "packed weights", error);

    if (data != NULL)
        vfi_cuda_context_ref(context);
    return data;
}

static void free_weights(const VfiPackedMemory *memory, void *data)
{
    VfiCudaContext *context = (VfiCudaContext *)memory;

    if (vfi_cuda_context_enter(context, NULL)) {
        vfi_cuda_context_free(context, data);
        vfi_cuda_context_leave();
    }
    vfi_cuda_context_unref(context);
}

/* ---- making and ending ------------------------------------------------------------- */

static bool read_properties(VfiCudaContext *context, GError **error)
{
    struct cudaDeviceProp *properties = &context->properties;

    if (!vfi_cuda_check(cudaGetDeviceProperties(properties, context->ordinal),
                        "asking for the device's properties", error))
        return false;
    if (10 * properties->major + properties->minor >= MIN_CAPABILITY)
        return true;
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
        "cuda:%d %s has compute capability %d.%d: expected %d.%d or more (GeForce "
        "RTX 20, T4 and later); use device=cpu or device=auto",
        context->ordinal, properties->name, properties->major, properties->minor,
        MIN_CAPABILITY / 10, MIN_CAPABILITY % 10);
    return false;
}

/* The pool keeps freed memory until it is trimmed, so that a session that is built again
 * does not wait for the driver. */
static bool make_pool(VfiCudaContext *context, GError **error)
{
    struct cudaMemPoolProps props = {
        .allocType = cudaMemAllocationTypePinned,
        .location = {.type = cudaMemLocationTypeDevice, .id = context->ordinal},
    };
    uint64_t keep = UINT64_MAX;
    int has_pools = 0;

    if (!vfi_cuda_check(cudaDeviceGetAttribute(&has_pools,
                                               cudaDevAttrMemoryPoolsSupported,
                                               context->ordinal),
                        "asking whether the device has memory pools", error))
        return false;
    if (!has_pools)
        return true;
    return vfi_cuda_check(cudaMemPoolCreate(&context->pool, &props),
                          "making a memory pool", error) &&
           vfi_cuda_check(cudaMemPoolSetAttribute(context->pool,
                                                  cudaMemPoolAttrReleaseThreshold, &keep),
                          "setting up a memory pool", error);
}

static bool open_context(VfiCudaContext *context, GError **error)
{
    bool opened;

    context->cudnn = vfi_cudnn_library(error);
    if (context->cudnn == NULL || !vfi_cuda_context_enter(context, error))
        return false;
    opened =
        read_properties(context, error) &&
        vfi_cuda_check(cudaStreamCreateWithFlags(&context->stream, cudaStreamNonBlocking),
                       "making a stream", error) &&
        make_pool(context, error);
    vfi_cuda_context_leave();
    if (opened)
        context->choices =
            vfi_cuda_conv_cache_new(context->properties.name, context->properties.major,
                                    context->properties.minor, context->cudnn->version);
    return opened;
}

static void end(VfiCudaContext *context)
{
    if (context->stream != NULL && vfi_cuda_context_enter(context, NULL)) {
        if (context->pool != NULL) /* takes effect once the queued frees are done */
            cudaMemPoolDestroy(context->pool);
        cudaStreamDestroy(context->stream);
        vfi_cuda_context_leave();
    }
    if (context->choices != NULL)
        vfi_cuda_conv_cache_free(context->choices);
    if (atomic_load(&context->is_primary))
        vfi_cuda_driver_release_primary(context->ordinal);
    g_free(context);
}

/* Under the lock. */
static VfiCudaContext *find(VfiCudaHandle handle)
{
    for (GSList *link = contexts; link != NULL; link = link->next)
        if (((VfiCudaContext *)link->data)->handle == handle)
            return link->data;
    return NULL;
}

static VfiCudaContext *find_or_make(VfiCudaHandle handle, int ordinal, bool is_primary,
                                    GError **error)
{
    VfiCudaContext *context = find(handle);

    /* A primary context counts as retained by us once, even if we were given it as
     * somebody's handle first: until then it was theirs to release. */
    if (context != NULL) {
        if (is_primary && atomic_exchange(&context->is_primary, true))
            vfi_cuda_driver_release_primary(ordinal);
        return vfi_cuda_context_ref(context);
    }
    context = g_new0(VfiCudaContext, 1);
    g_atomic_ref_count_init(&context->ref_count);
    context->weights = (VfiPackedMemory){alloc_weights, free_weights};
    context->handle = handle;
    context->ordinal = ordinal;
    atomic_init(&context->is_primary, is_primary);
    if (!open_context(context, error)) {
        end(context);
        return NULL;
    }
    contexts = g_slist_prepend(contexts, context);
    return context;
}

VfiCudaContext *vfi_cuda_context_get(VfiCudaHandle handle, int ordinal, GError **error)
{
    VfiCudaContext *context = NULL;
    bool is_primary = handle == NULL;

    g_mutex_lock(&lock);
    if ((is_primary || vfi_cuda_driver_device_of(handle, &ordinal, error)) &&
        vfi_cuda_device_is_usable(ordinal, error) &&
        (!is_primary || vfi_cuda_driver_retain_primary(ordinal, &handle, error)))
        context = find_or_make(handle, ordinal, is_primary, error);
    g_mutex_unlock(&lock);
    return context;
}

void vfi_cuda_context_unref(VfiCudaContext *context)
{
    g_mutex_lock(&lock);
    bool is_last = g_atomic_ref_count_dec(&context->ref_count);
    if (is_last)
        contexts = g_slist_remove(contexts, context);
    g_mutex_unlock(&lock);
    if (is_last)
        end(context);
}
