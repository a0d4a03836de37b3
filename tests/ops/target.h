/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The device under test, by the backend interface alone. */
#pragma once

#include "backend/backend.h"

typedef struct {
    const VfiBackend *backend;
    VfiDevice *device;
    VfiDeviceInfo info;
    VfiPlanTarget plan; /* what plans for it look like */
    /* Memory of one run after the other: the device's, and the host's for what it holds
     * before and after; .bytes of each. */
    char *memory, *before, *after;
    size_t bytes;
} Target;

/* @threads as in VfiDeviceRequest. */
bool target_open(Target *target, const char *spec, VfiPrecision precision,
                 unsigned threads, GError **error);
void target_close(Target *target);

/* Makes .bytes at least @bytes; what was there is lost. */
bool target_reserve(Target *target, size_t bytes, GError **error);

/* Sizes of device memory that can be copied. */
#define TARGET_ROW_BYTES 4096

/* Copies @bytes, a multiple of TARGET_ROW_BYTES, and waits for it. */
bool target_write(const Target *target, char *to, const char *from, size_t bytes,
                  GError **error);
bool target_read(const Target *target, char *to, const char *from, size_t bytes,
                 GError **error);
