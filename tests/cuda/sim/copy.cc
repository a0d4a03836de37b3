/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies and fills on the simulated device. Pageable host memory is read while the call
 * lasts and written before it returns; pinned memory is touched when the work runs. What
 * comes from pageable memory may not have arrived when even the plain call returns. */
#include "simulated.h"

#include <string.h>

namespace simulated
{

enum class Place { DEVICE, PINNED, PAGEABLE, NOWHERE };

/* The bytes from the first to the last one. */
static size_t extent(size_t pitch, size_t width, size_t height)
{
    return height ? pitch * (height - 1) + width : 0;
}

static Place find_place(const void *memory, size_t size)
{
    if (in_device_memory(memory)) {
        const Allocation *a = find_allocation(memory, size);
        return a && !a->freeing ? Place::DEVICE : Place::NOWHERE;
    }
    if (!memory)
        return Place::NOWHERE;
    return is_pinned(memory, size) ? Place::PINNED : Place::PAGEABLE;
}

static bool is_host(Place place)
{
    return place == Place::PINNED || place == Place::PAGEABLE;
}

static bool kind_fits(cudaMemcpyKind kind, Place dst, Place src)
{
    switch (kind) {
    case cudaMemcpyHostToHost:
        return is_host(dst) && is_host(src);
    case cudaMemcpyHostToDevice:
        return dst == Place::DEVICE && is_host(src);
    case cudaMemcpyDeviceToHost:
        return is_host(dst) && src == Place::DEVICE;
    case cudaMemcpyDeviceToDevice:
        return dst == Place::DEVICE && src == Place::DEVICE;
    case cudaMemcpyDefault:
        return true;
    }
    return false;
}

static void copy_rows(const Copy &c)
{
    if (c.width == c.dst_pitch && c.width == c.src_pitch) {
        memcpy(c.dst, c.src, c.width * c.height);
        return;
    }
    for (size_t y = 0; y < c.height; y++)
        memcpy((char *)c.dst + y * c.dst_pitch, (const char *)c.src + y * c.src_pitch,
               c.width);
}

/* Copies the source as it is now. */
static std::shared_ptr<std::vector<char>> stage(Copy &c)
{
    auto staged = std::make_shared<std::vector<char>>(c.width * c.height);
    Copy in = c;

    in.dst = staged->data();
    in.dst_pitch = c.width;
    copy_rows(in);
    c.src = staged->data();
    c.src_pitch = c.width;
    return staged;
}

static Kind work_kind(Place dst, Place src)
{
    if (dst == Place::DEVICE)
        return src == Place::DEVICE ? Kind::DEVICE_TO_DEVICE : Kind::HOST_TO_DEVICE;
    return src == Place::DEVICE ? Kind::DEVICE_TO_HOST : Kind::OTHER;
}

cudaError_t copy(Lock &lock, CUstream_st *stream, const Copy &asked, cudaMemcpyKind kind,
                 bool wait)
{
    Copy c = asked;
    ItemRef item;

    if (!c.width || !c.height)
        return cudaSuccess;
    if (c.dst_pitch < c.width || c.src_pitch < c.width)
        return cudaErrorInvalidPitchValue;
    Place dst = find_place(c.dst, extent(c.dst_pitch, c.width, c.height));
    Place src = find_place(c.src, extent(c.src_pitch, c.width, c.height));
    if (dst == Place::NOWHERE || src == Place::NOWHERE)
        return cudaErrorInvalidValue;
    if (!kind_fits(kind, dst, src))
        return cudaErrorInvalidMemcpyDirection;
    bool pageable = dst == Place::PAGEABLE || src == Place::PAGEABLE;
    if (pageable && stream->capture) {
        stream->capture->invalid = true;
        return cudaErrorStreamCaptureUnsupported;
    }
    if (wait && capture_forbids())
        return cudaErrorStreamCaptureUnsupported;

    std::shared_ptr<std::vector<char>> staged;
    if (src == Place::PAGEABLE) {
        if (wait)
            run_null_stream(lock, stream);
        staged = stage(c);
    }
    Work work = {work_kind(dst, src), [c, staged] { copy_rows(c); }, c.width * c.height};
    cudaError_t error = enqueue(lock, stream, std::move(work), &item);
    if (error || !item)
        return error;
    /* Within a device even cudaMemcpy() returns before the work is done. */
    wait = wait && (is_host(dst) || src == Place::PINNED);
    if (wait || dst == Place::PAGEABLE) {
        state().counters.waits++;
        run_until_done(lock, item);
    }
    return cudaSuccess;
}

static cudaError_t call_copy(const void *caller, cudaStream_t handle, const Copy &c,
                             cudaMemcpyKind kind, bool wait)
{
    return in_stream_call(
        handle,
        [&](Call &call, CUstream_st *stream) -> cudaError_t {
            if (stream->context != call.context)
                return cudaErrorInvalidResourceHandle;
            return copy(call.lock, stream, c, kind, wait);
        },
        caller);
}

static cudaError_t call_fill(const void *caller, cudaStream_t handle, void *memory,
                             size_t pitch, int value, size_t width, size_t height)
{
    return in_stream_call(
        handle,
        [&](Call &call, CUstream_st *stream) -> cudaError_t {
            if (stream->context != call.context)
                return cudaErrorInvalidResourceHandle;
            if (!width || !height)
                return cudaSuccess;
            if (pitch < width)
                return cudaErrorInvalidPitchValue;
            Place place = find_place(memory, extent(pitch, width, height));
            if (place != Place::DEVICE && place != Place::PINNED)
                return cudaErrorInvalidValue;
            auto run = [=] {
                for (size_t y = 0; y < height; y++)
                    memset((char *)memory + y * pitch, value, width);
            };
            return enqueue(call.lock, stream, {Kind::OTHER, run}, NULL);
        },
        caller);
}

} /* namespace simulated */

using namespace simulated;

#define CALLER __builtin_return_address(0)

cudaError_t cudaMemcpy(void *dst, const void *src, size_t size, cudaMemcpyKind kind)
{
    return call_copy(CALLER, NULL, {dst, size, src, size, size, 1}, kind, true);
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t size, cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    return call_copy(CALLER, stream, {dst, size, src, size, size, 1}, kind, false);
}

cudaError_t cudaMemcpy2D(void *dst, size_t dst_pitch, const void *src, size_t src_pitch,
                         size_t width, size_t height, cudaMemcpyKind kind)
{
    return call_copy(CALLER, NULL, {dst, dst_pitch, src, src_pitch, width, height}, kind,
                     true);
}

cudaError_t cudaMemcpy2DAsync(void *dst, size_t dst_pitch, const void *src,
                              size_t src_pitch, size_t width, size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream)
{
    return call_copy(CALLER, stream, {dst, dst_pitch, src, src_pitch, width, height},
                     kind, false);
}

cudaError_t cudaMemset(void *memory, int value, size_t size)
{
    return call_fill(CALLER, NULL, memory, size, value, size, 1);
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t size, cudaStream_t stream)
{
    return call_fill(CALLER, stream, memory, size, value, size, 1);
}

cudaError_t cudaMemset2DAsync(void *memory, size_t pitch, int value, size_t width,
                              size_t height, cudaStream_t stream)
{
    return call_fill(CALLER, stream, memory, pitch, value, width, height);
}
