/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"

#include <string.h>

bool target_open(Target *target, const char *spec, VfiPrecision precision,
                 unsigned threads, GError **error)
{
    VfiDeviceRequest request = {.spec = spec, .threads = threads, .precision = precision};

    *target = (Target){0};
    target->device = vfi_device_open(&request, &target->backend, error);
    if (target->device == NULL)
        return false;
    target->backend->info(target->device, &target->info);
    target->backend->plan_target(target->device, &target->plan);
    return true;
}

static void drop_memory(Target *target)
{
    if (target->memory != NULL)
        target->backend->free(target->device, target->memory);
    g_free(target->before);
    g_free(target->after);
    target->memory = target->before = target->after = NULL;
    target->bytes = 0;
}

void target_close(Target *target)
{
    drop_memory(target);
    if (target->device != NULL)
        target->backend->close(target->device);
    *target = (Target){0};
}

bool target_reserve(Target *target, size_t bytes, GError **error)
{
    if (target->bytes >= bytes)
        return true;
    drop_memory(target);
    target->memory = target->backend->alloc(target->device, bytes, "operands", error);
    if (target->memory == NULL)
        return false;
    target->before = g_malloc(bytes);
    target->after = g_malloc(bytes);
    target->bytes = bytes;
    return true;
}

/* Bytes as a picture of grey pixels: the way that frames take. */
static VfiVideoInfo video_of(size_t bytes)
{
    g_assert(bytes % TARGET_ROW_BYTES == 0);
    return (VfiVideoInfo){.format = VFI_FORMAT_GRAY8,
                          .width = TARGET_ROW_BYTES,
                          .height = (int)(bytes / TARGET_ROW_BYTES)};
}

static VfiFrame frame_at(const char *memory)
{
    return (VfiFrame){.data = {(uint8_t *)memory}, .stride = {TARGET_ROW_BYTES}};
}

static bool end_picture(const Target *target, uint64_t picture, GError **error)
{
    double milliseconds[VFI_TIMED_COUNT] = {0};

    return target->backend->end_picture(target->device, error) &&
           target->backend->wait_picture(target->device, picture, milliseconds, error);
}

bool target_write(const Target *target, char *to, const char *from, size_t bytes,
                  GError **error)
{
    const VfiBackend *backend = target->backend;
    VfiVideoInfo video = video_of(bytes);
    VfiFrame host = frame_at(from), device = frame_at(to);
    uint64_t picture;

    if (backend->host_memory) {
        memcpy(to, from, bytes);
        return true;
    }
    return backend->begin_picture(target->device, &picture, error) &&
           backend->upload(target->device, &video, &host, &device, 0, error) &&
           end_picture(target, picture, error) && backend->sync(target->device, error);
}

bool target_read(const Target *target, char *to, const char *from, size_t bytes,
                 GError **error)
{
    const VfiBackend *backend = target->backend;
    VfiVideoInfo video = video_of(bytes);
    VfiFrame host = frame_at(to), device = frame_at(from);
    uint64_t picture;

    if (backend->host_memory) {
        memcpy(to, from, bytes);
        return true;
    }
    return backend->begin_picture(target->device, &picture, error) &&
           backend->download(target->device, &video, &device, &host, error) &&
           end_picture(target, picture, error);
}
