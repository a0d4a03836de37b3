/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/device.h"

#include <vfi/error.h>

#include "runtime/cuda_error.h"

bool vfi_cuda_enter(VfiDevice *device, GError **error)
{
    return vfi_cuda_context_enter(device->context, error);
}

void vfi_cuda_leave(void)
{
    vfi_cuda_context_leave();
}

bool vfi_cuda_begin_work(VfiDevice *device, const atomic_int *cancel, GError **error)
{
    if (cancel != NULL && atomic_load(cancel) != 0) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_CANCELLED,
                            "the job was cancelled");
        return false;
    }
    return vfi_cuda_enter(device, error);
}

bool vfi_cuda_end_work(cudaError_t result, const char *what, GError **error)
{
    bool queued = vfi_cuda_check(result, what, error);

    vfi_cuda_leave();
    return queued;
}

bool vfi_cuda_sync(VfiDevice *device, GError **error)
{
    if (!vfi_cuda_enter(device, error))
        return false;
    bool done = vfi_cuda_check(cudaStreamSynchronize(device->upload_stream),
                               "copying a frame", error) &&
                vfi_cuda_check(cudaStreamSynchronize(device->compute_stream),
                               "computing a picture", error) &&
                vfi_cuda_check(cudaStreamSynchronize(device->download_stream),
                               "copying a picture", error);
    vfi_cuda_leave();
    return done;
}

/* ---- what is asked of it ----------------------------------------------------------- */

void vfi_cuda_info(VfiDevice *device, VfiDeviceInfo *info)
{
    *info = (VfiDeviceInfo){
        .name = device->name,
        .precision = device->precision,
        .level = device->level,
        .threads = 1,
        .graph_launches = atomic_load(&device->graph_launches),
        .graph_failures = atomic_load(&device->graph_failures),
    };
}

/* Freed memory that the pool keeps counts as free: the next allocation takes it. */
void vfi_cuda_memory_info(VfiDevice *device, uint64_t *free_bytes, uint64_t *total_bytes)
{
    size_t free_now = 0, total = 0;

    *free_bytes = *total_bytes = 0;
    if (!vfi_cuda_enter(device, NULL))
        return;
    if (cudaMemGetInfo(&free_now, &total) == cudaSuccess) {
        *free_bytes = free_now + vfi_cuda_context_kept(device->context);
        *total_bytes = total;
    }
    cudaGetLastError();
    vfi_cuda_leave();
}

void *vfi_cuda_alloc(VfiDevice *device, size_t bytes, const char *what, GError **error)
{
    void *memory = NULL;

    if (!vfi_cuda_enter(device, error))
        return NULL;
    memory = vfi_cuda_context_alloc(device->context, bytes, what, error);
    vfi_cuda_leave();
    return memory;
}

void vfi_cuda_free(VfiDevice *device, void *memory)
{
    if (memory == NULL || !vfi_cuda_enter(device, NULL))
        return;
    vfi_cuda_context_free(device->context, memory);
    vfi_cuda_leave();
}

void vfi_cuda_trim(VfiDevice *device)
{
    if (!vfi_cuda_enter(device, NULL))
        return;
    vfi_cuda_context_trim(device->context);
    vfi_cuda_leave();
}
