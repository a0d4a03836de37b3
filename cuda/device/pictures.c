/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/pictures.h"

#include "device/transfers.h"
#include "runtime/cuda_error.h"

static bool make_event(cudaEvent_t *event, bool is_timed, GError **error)
{
    unsigned flags = cudaEventBlockingSync | (is_timed ? 0 : cudaEventDisableTiming);

    return vfi_cuda_check(cudaEventCreateWithFlags(event, flags), "making an event",
                          error);
}

static bool make_picture(VfiCudaPicture *picture, GError **error)
{
    for (int i = 0; i <= VFI_CUDA_MAX_STAMPS; i++)
        if (!make_event(&picture->stamps[i], true, error))
            return false;
    return make_event(&picture->computed, false, error) &&
           make_event(&picture->landed, false, error) &&
           make_event(&picture->staging.passed, false, error);
}

bool vfi_cuda_make_pictures(VfiDevice *device, GError **error)
{
    for (int i = 0; i < VFI_PICTURES_IN_FLIGHT; i++)
        if (!make_picture(&device->pictures[i], error))
            return false;
    for (int i = 0; i < VFI_UPLOADS_IN_FLIGHT; i++)
        if (!make_event(&device->uploads[i].passed, false, error))
            return false;
    return make_event(&device->uploaded, false, error) &&
           make_event(&device->reusable, false, error);
}

static void destroy_event(cudaEvent_t event)
{
    if (event != NULL)
        cudaEventDestroy(event);
}

void vfi_cuda_free_pictures(VfiDevice *device)
{
    for (int p = 0; p < VFI_PICTURES_IN_FLIGHT; p++) {
        VfiCudaPicture *picture = &device->pictures[p];
        for (int i = 0; i <= VFI_CUDA_MAX_STAMPS; i++)
            destroy_event(picture->stamps[i]);
        destroy_event(picture->computed);
        destroy_event(picture->landed);
        vfi_cuda_free_staging(&picture->staging);
        destroy_event(picture->staging.passed);
    }
    for (int i = 0; i < VFI_UPLOADS_IN_FLIGHT; i++) {
        vfi_cuda_free_staging(&device->uploads[i]);
        destroy_event(device->uploads[i].passed);
    }
    destroy_event(device->uploaded);
    destroy_event(device->reusable);
}

bool vfi_cuda_begin_picture(VfiDevice *device, uint64_t *number, GError **error)
{
    *number = ++device->n_pictures;
    VfiCudaPicture *picture = &device->pictures[*number % VFI_PICTURES_IN_FLIGHT];

    g_mutex_lock(&device->lock);
    while (picture->in_flight)
        g_cond_wait(&device->picture_waited_for, &device->lock);
    g_mutex_unlock(&device->lock);
    picture->number = *number;
    picture->has_download = false;
    picture->failed = false;
    picture->n_stamps = 0;
    if (!vfi_cuda_enter(device, error))
        return false;
    bool begun =
        vfi_cuda_check(cudaEventRecord(picture->stamps[0], device->compute_stream),
                       "beginning a picture", error);
    vfi_cuda_leave();
    device->picture = begun ? picture : NULL;
    return begun;
}

void vfi_cuda_stamp(VfiDevice *device, VfiTimedStage stage)
{
    VfiCudaPicture *picture = device->picture;

    if (picture == NULL || !vfi_cuda_enter(device, NULL))
        return;
    if (picture->n_stamps < VFI_CUDA_MAX_STAMPS)
        picture->n_stamps++;
    picture->stages[picture->n_stamps - 1] = stage;
    cudaEventRecord(picture->stamps[picture->n_stamps], device->compute_stream);
    vfi_cuda_leave();
}

bool vfi_cuda_end_picture(VfiDevice *device, GError **error)
{
    VfiCudaPicture *picture = device->picture;

    device->picture = NULL;
    g_mutex_lock(&device->lock);
    picture->in_flight = true;
    g_mutex_unlock(&device->lock);
    if (!vfi_cuda_enter(device, error)) {
        picture->failed = true;
        return false;
    }
    /* A download has recorded its own end. */
    picture->failed =
        !vfi_cuda_check(cudaEventRecord(picture->computed, device->compute_stream),
                        "ending a picture", error) ||
        (!picture->has_download &&
         !vfi_cuda_check(cudaEventRecord(picture->landed, device->compute_stream),
                         "ending a picture", error));
    vfi_cuda_leave();
    return !picture->failed;
}

static void add_times(const VfiCudaPicture *picture, double milliseconds[VFI_TIMED_COUNT])
{
    for (int i = 0; i < picture->n_stamps; i++) {
        float elapsed = 0.0f;
        if (cudaEventElapsedTime(&elapsed, picture->stamps[i], picture->stamps[i + 1]) ==
            cudaSuccess)
            milliseconds[picture->stages[i]] += (double)elapsed;
    }
}

bool vfi_cuda_wait_picture(VfiDevice *device, uint64_t number,
                           double milliseconds[VFI_TIMED_COUNT], GError **error)
{
    VfiCudaPicture *picture = &device->pictures[number % VFI_PICTURES_IN_FLIGHT];
    bool landed = false;

    if (vfi_cuda_enter(device, error)) {
        /* A picture that failed half-way has no final event. */
        landed = picture->failed ? vfi_cuda_sync(device, error)
                                 : vfi_cuda_check(cudaEventSynchronize(picture->landed),
                                                  "computing a picture", error);
        if (landed)
            add_times(picture, milliseconds);
        vfi_cuda_leave();
    }
    if (landed && picture->has_download)
        vfi_cuda_unload(picture);
    g_mutex_lock(&device->lock);
    picture->in_flight = false;
    g_cond_signal(&device->picture_waited_for);
    g_mutex_unlock(&device->lock);
    return landed;
}
