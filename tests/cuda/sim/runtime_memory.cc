/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runtime's calls about memory and its pools; copies are in copy.cc. */
#include "simulated.h"

#include <stdlib.h>
#include <string.h>

using namespace simulated;

cudaError_t cudaMalloc(void **memory, size_t size)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (capture_forbids())
            return cudaErrorStreamCaptureUnsupported;
        return allocate(call.lock, call.context, NULL, size, memory);
    });
}

/* Waits for the device, as CUDA's does. */
cudaError_t cudaFree(void *memory)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (!memory)
            return cudaSuccess;
        if (capture_forbids())
            return cudaErrorStreamCaptureUnsupported;
        auto it = state().allocations.find((const char *)memory);
        if (it == state().allocations.end() || it->second.freeing)
            return cudaErrorInvalidValue;
        run_device(call.lock, it->second.device);
        release((const char *)memory);
        return cudaSuccess;
    });
}

/* ---- pinned memory ----------------------------------------------------------------- */

cudaError_t cudaHostAlloc(void **memory, size_t size, unsigned)
{
    *memory = NULL;
    return in_call([&](Call &) -> cudaError_t {
        if (capture_forbids())
            return cudaErrorStreamCaptureUnsupported;
        cudaError_t error = count_allocation(size);
        if (error || size == 0)
            return error;
        if (posix_memalign(memory, 4096, size)) {
            *memory = NULL;
            return cudaErrorMemoryAllocation;
        }
        memset(*memory, 0xff, size);
        state().pinned[(const char *)*memory] = size;
        state().counters.pinned_allocations++;
        state().counters.pinned_bytes += size;
        return cudaSuccess;
    });
}

cudaError_t cudaMallocHost(void **memory, size_t size)
{
    return cudaHostAlloc(memory, size, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void *memory)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (!memory)
            return cudaSuccess;
        if (capture_forbids())
            return cudaErrorStreamCaptureUnsupported;
        auto it = state().pinned.find((const char *)memory);
        if (it == state().pinned.end())
            return cudaErrorInvalidValue;
        for (int device = 0; device < MAX_DEVICES; device++)
            run_device(call.lock, device);
        state().counters.pinned_allocations--;
        state().counters.pinned_bytes -= it->second;
        state().pinned.erase(it);
        free(memory);
        return cudaSuccess;
    });
}

cudaError_t cudaHostRegister(void *memory, size_t size, unsigned)
{
    return in_call([&](Call &) -> cudaError_t {
        if (!memory || !size)
            return cudaErrorInvalidValue;
        if (is_pinned(memory, 1))
            return cudaErrorHostMemoryAlreadyRegistered;
        state().registered[(const char *)memory] = size;
        return cudaSuccess;
    });
}

cudaError_t cudaHostUnregister(void *memory)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (!state().registered.count((const char *)memory))
            return cudaErrorHostMemoryNotRegistered;
        for (int device = 0; device < MAX_DEVICES; device++)
            run_device(call.lock, device);
        state().registered.erase((const char *)memory);
        return cudaSuccess;
    });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes,
                                     const void *memory)
{
    return in_call([&](Call &call) -> cudaError_t {
        *attributes = {cudaMemoryTypeUnregistered, -2, NULL, NULL};
        if (const Allocation *a = find_allocation(memory, 1))
            *attributes = {cudaMemoryTypeDevice, a->device, (void *)memory, NULL};
        else if (is_pinned(memory, 1))
            *attributes = {cudaMemoryTypeHost, call.context->device, (void *)memory,
                           (void *)memory};
        return cudaSuccess;
    });
}

/* ---- in the order of a stream ------------------------------------------------------ */

static CUmemPoolHandle_st *default_pool(int device)
{
    Device &d = state().devices[device];

    if (!d.default_pool) {
        d.default_pool = new CUmemPoolHandle_st{device, true, false, 0, 0, 0, 0, 0, 0};
        state().pools.insert(d.default_pool);
        d.pool = d.default_pool;
    }
    return d.default_pool;
}

static bool pool_usable(cudaMemPool_t pool)
{
    return state().pools.count(pool) && !pool->destroyed;
}

/* The address is known at once, but the memory becomes new when the stream comes to it:
 * what other streams wrote there before is lost. */
static cudaError_t allocate_in_order(Call &call, cudaMemPool_t pool, size_t size,
                                     cudaStream_t handle, void **memory)
{
    if (state().settings.no_pools)
        return cudaErrorNotSupported;
    CUstream_st *stream = find_stream(call, handle);

    *memory = NULL;
    if (!stream || stream->context != call.context)
        return cudaErrorInvalidResourceHandle;
    if (!pool_usable(pool) || pool->device != call.context->device)
        return cudaErrorInvalidValue;
    if (stream->capture) {
        stream->capture->invalid = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    cudaError_t error = allocate(call.lock, call.context, pool, size, memory);
    if (error)
        return error;
    char *placed = (char *)*memory;
    Work work = {Kind::OTHER, [placed] { make_fresh(placed); }};
    work.locked = true;
    return enqueue(call.lock, stream, std::move(work), NULL);
}

cudaError_t cudaMallocAsync(void **memory, size_t size, cudaStream_t stream)
{
    return in_call([&](Call &call) -> cudaError_t {
        default_pool(call.context->device);
        return allocate_in_order(call, state().devices[call.context->device].pool, size,
                                 stream, memory);
    });
}

cudaError_t cudaMallocFromPoolAsync(void **memory, size_t size, cudaMemPool_t pool,
                                    cudaStream_t stream)
{
    return in_call([&](Call &call) -> cudaError_t {
        return allocate_in_order(call, pool, size, stream, memory);
    });
}

static void forget_pool_if_done(CUmemPoolHandle_st *pool)
{
    if (!pool || !pool->destroyed || pool->used)
        return;
    state().pools.erase(pool);
    delete pool;
}

cudaError_t cudaFreeAsync(void *memory, cudaStream_t handle)
{
    return in_call([&](Call &call) -> cudaError_t {
        if (state().settings.no_pools)
            return cudaErrorNotSupported;
        CUstream_st *stream = find_stream(call, handle);
        if (!stream || stream->context != call.context)
            return cudaErrorInvalidResourceHandle;
        if (!memory)
            return cudaSuccess;
        auto it = state().allocations.find((const char *)memory);
        if (it == state().allocations.end() || it->second.freeing)
            return cudaErrorInvalidValue;
        if (stream->capture) {
            stream->capture->invalid = true;
            return cudaErrorStreamCaptureUnsupported;
        }
        it->second.freeing = true;
        Work work = {Kind::OTHER, [memory] {
                         auto freed = state().allocations.find((const char *)memory);
                         if (freed == state().allocations.end())
                             return;
                         CUmemPoolHandle_st *pool = freed->second.pool;
                         release((const char *)memory);
                         forget_pool_if_done(pool);
                     }};
        work.locked = true;
        return enqueue(call.lock, stream, std::move(work), NULL);
    });
}

/* ---- pools ------------------------------------------------------------------------- */

static cudaError_t find_pool(cudaMemPool_t *pool, int device, bool the_default)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!is_device(device))
            return cudaErrorInvalidDevice;
        default_pool(device);
        *pool = the_default ? state().devices[device].default_pool
                            : state().devices[device].pool;
        return cudaSuccess;
    });
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t *pool, int device)
{
    return find_pool(pool, device, true);
}

cudaError_t cudaDeviceGetMemPool(cudaMemPool_t *pool, int device)
{
    return find_pool(pool, device, false);
}

cudaError_t cudaDeviceSetMemPool(int device, cudaMemPool_t pool)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!pool_usable(pool) || pool->device != device)
            return cudaErrorInvalidValue;
        default_pool(device);
        state().devices[device].pool = pool;
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t *pool, const cudaMemPoolProps *props)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (state().settings.no_pools)
            return cudaErrorNotSupported;
        if (props->allocType != cudaMemAllocationTypePinned ||
            props->location.type != cudaMemLocationTypeDevice ||
            !is_device(props->location.id))
            return cudaErrorInvalidValue;
        *pool = new CUmemPoolHandle_st{
            props->location.id, false, false, props->maxSize, 0, 0, 0, 0, 0};
        state().pools.insert(*pool);
        state().counters.pools++;
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!pool_usable(pool) || pool->is_default)
            return cudaErrorInvalidValue;
        Device &device = state().devices[pool->device];
        if (device.pool == pool)
            device.pool = device.default_pool;
        pool->destroyed = true;
        pool->threshold = 0;
        pool->reserved = pool->used;
        state().counters.pools--;
        forget_pool_if_done(pool);
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, size_t keep)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!pool_usable(pool))
            return cudaErrorInvalidValue;
        pool->reserved =
            std::min<uint64_t>(pool->reserved, std::max<uint64_t>(pool->used, keep));
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute,
                                    void *value)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!pool_usable(pool))
            return cudaErrorInvalidValue;
        switch (attribute) {
        case cudaMemPoolReuseFollowEventDependencies:
        case cudaMemPoolReuseAllowOpportunistic:
        case cudaMemPoolReuseAllowInternalDependencies:
            return cudaSuccess;
        case cudaMemPoolAttrReleaseThreshold:
            memcpy(&pool->threshold, value, sizeof pool->threshold);
            return cudaSuccess;
        case cudaMemPoolAttrReservedMemHigh:
        case cudaMemPoolAttrUsedMemHigh:
            uint64_t high;
            memcpy(&high, value, sizeof high);
            if (high)
                return cudaErrorInvalidValue;
            if (attribute == cudaMemPoolAttrUsedMemHigh)
                pool->used_high = pool->used;
            else
                pool->reserved_high = pool->reserved;
            return cudaSuccess;
        default:
            return cudaErrorInvalidValue;
        }
    });
}

cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute,
                                    void *value)
{
    return in_call(Call::DRIVER, [&](Call &) -> cudaError_t {
        if (!pool_usable(pool))
            return cudaErrorInvalidValue;
        switch (attribute) {
        case cudaMemPoolReuseFollowEventDependencies:
        case cudaMemPoolReuseAllowOpportunistic:
        case cudaMemPoolReuseAllowInternalDependencies: {
            const int one = 1;
            memcpy(value, &one, sizeof one);
            return cudaSuccess;
        }
        case cudaMemPoolAttrReleaseThreshold:
            memcpy(value, &pool->threshold, sizeof pool->threshold);
            return cudaSuccess;
        case cudaMemPoolAttrReservedMemCurrent:
            memcpy(value, &pool->reserved, sizeof pool->reserved);
            return cudaSuccess;
        case cudaMemPoolAttrReservedMemHigh:
            memcpy(value, &pool->reserved_high, sizeof pool->reserved_high);
            return cudaSuccess;
        case cudaMemPoolAttrUsedMemCurrent:
            memcpy(value, &pool->used, sizeof pool->used);
            return cudaSuccess;
        case cudaMemPoolAttrUsedMemHigh:
            memcpy(value, &pool->used_high, sizeof pool->used_high);
            return cudaSuccess;
        }
        return cudaErrorInvalidValue;
    });
}
