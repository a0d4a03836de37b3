/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "device/transfers.h"

#include <string.h>

#include "base/alloc.h"
#include "pixels/format.h"
#include "runtime/cuda_error.h"

/* Bytes of all planes without padding between rows. */
static size_t tight_bytes(const VfiVideoInfo *video)
{
    size_t total = 0;

    for (int plane = 0; plane < VFI_MAX_PLANES; plane++)
        total += vfi_video_info_row_bytes(video, plane) *
                 (size_t)vfi_video_info_rows(video, plane);
    return total;
}

/* Makes sure that @staging has room for @bytes. It must not be in use. */
static bool grow_staging(VfiCudaStaging *staging, size_t bytes, GError **error)
{
    void *memory = NULL;

    if (staging->bytes >= bytes)
        return true;
    vfi_cuda_free_staging(staging);
    if (!vfi_cuda_check(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault),
                        "pinning host memory for frames", error))
        return false;
    staging->memory = memory;
    staging->bytes = bytes;
    return true;
}

void vfi_cuda_free_staging(VfiCudaStaging *staging)
{
    if (staging->memory != NULL)
        cudaFreeHost(staging->memory);
    staging->memory = NULL;
    staging->bytes = 0;
}

static void copy_rows(uint8_t *to, ptrdiff_t to_stride, const uint8_t *from,
                      ptrdiff_t from_stride, size_t row, int rows)
{
    for (int y = 0; y < rows; y++)
        memcpy(to + y * to_stride, from + y * from_stride, row);
}

/* Waits for the last copy out of @staging, then fills it with @frame. */
static bool fill_staging(VfiCudaStaging *staging, const VfiVideoInfo *video,
                         const VfiFrame *frame, GError **error)
{
    if (!vfi_cuda_check(cudaEventSynchronize(staging->passed), "copying a frame",
                        error) ||
        !grow_staging(staging, tight_bytes(video), error))
        return false;
    uint8_t *to = staging->memory;
    for (int plane = 0; plane < vfi_format_describe(video->format)->n_planes; plane++) {
        size_t row = vfi_video_info_row_bytes(video, plane);
        int rows = vfi_video_info_rows(video, plane);
        copy_rows(to, (ptrdiff_t)row, frame->data[plane], frame->stride[plane], row,
                  rows);
        to += row * (size_t)rows;
    }
    return true;
}

static bool queue_copies(cudaStream_t stream, const VfiVideoInfo *video, uint8_t *staging,
                         const VfiFrame *planes, bool is_upload, GError **error)
{
    for (int plane = 0; plane < vfi_format_describe(video->format)->n_planes; plane++) {
        size_t row = vfi_video_info_row_bytes(video, plane);
        size_t rows = (size_t)vfi_video_info_rows(video, plane);
        uint8_t *device = planes->data[plane];
        size_t pitch = (size_t)planes->stride[plane];
        cudaError_t result =
            is_upload ? cudaMemcpy2DAsync(device, pitch, staging, row, row, rows,
                                          cudaMemcpyHostToDevice, stream)
                      : cudaMemcpy2DAsync(staging, row, device, pitch, row, rows,
                                          cudaMemcpyDeviceToHost, stream);
        if (!vfi_cuda_check(result, is_upload ? "copying a frame" : "copying a picture",
                            error))
            return false;
        staging += row * rows;
    }
    return true;
}

/* Makes the upload stream wait until picture @last_use has read the planes that will be
 * overwritten. If the picture is not in flight any more, it has been waited for. */
static bool wait_for_readers(VfiDevice *device, uint64_t last_use, GError **error)
{
    VfiCudaPicture *picture = &device->pictures[last_use % VFI_PICTURES_IN_FLIGHT];
    cudaEvent_t event = picture->computed;

    if (last_use == 0 || picture->number != last_use)
        return true;
    if (picture == device->picture) {
        event = device->reusable;
        if (!vfi_cuda_check(cudaEventRecord(event, device->compute_stream),
                            "copying a frame", error))
            return false;
    }
    return vfi_cuda_check(cudaStreamWaitEvent(device->upload_stream, event, 0),
                          "copying a frame", error);
}

bool vfi_cuda_upload(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame,
                     const VfiFrame *planes, uint64_t last_use, GError **error)
{
    VfiCudaStaging *staging =
        &device->uploads[device->n_uploads++ % VFI_UPLOADS_IN_FLIGHT];

    if (!vfi_cuda_enter(device, error))
        return false;
    bool queued =
        fill_staging(staging, video, frame, error) &&
        wait_for_readers(device, last_use, error) &&
        queue_copies(device->upload_stream, video, staging->memory, planes, true,
                     error) &&
        vfi_cuda_check(cudaEventRecord(staging->passed, device->upload_stream),
                       "copying a frame", error) &&
        vfi_cuda_check(cudaEventRecord(device->uploaded, device->upload_stream),
                       "copying a frame", error) &&
        vfi_cuda_check(cudaStreamWaitEvent(device->compute_stream, device->uploaded, 0),
                       "copying a frame", error);
    vfi_cuda_leave();
    return queued;
}

bool vfi_cuda_download(VfiDevice *device, const VfiVideoInfo *video,
                       const VfiFrame *planes, const VfiFrame *out, GError **error)
{
    VfiCudaPicture *picture = device->picture;

    if (!vfi_cuda_enter(device, error))
        return false;
    picture->video = *video;
    picture->out = *out;
    bool queued =
        grow_staging(&picture->staging, tight_bytes(video), error) &&
        vfi_cuda_check(cudaEventRecord(picture->computed, device->compute_stream),
                       "copying a picture", error) &&
        vfi_cuda_check(cudaStreamWaitEvent(device->download_stream, picture->computed, 0),
                       "copying a picture", error) &&
        queue_copies(device->download_stream, video, picture->staging.memory, planes,
                     false, error) &&
        vfi_cuda_check(cudaEventRecord(picture->landed, device->download_stream),
                       "copying a picture", error);
    picture->has_download = queued;
    vfi_cuda_leave();
    return queued;
}

void vfi_cuda_unload(const VfiCudaPicture *picture)
{
    const VfiVideoInfo *video = &picture->video;
    const uint8_t *from = picture->staging.memory;

    for (int plane = 0; plane < vfi_format_describe(video->format)->n_planes; plane++) {
        size_t row = vfi_video_info_row_bytes(video, plane);
        int rows = vfi_video_info_rows(video, plane);
        copy_rows(picture->out.data[plane], picture->out.stride[plane], from,
                  (ptrdiff_t)row, row, rows);
        from += row * (size_t)rows;
    }
}
