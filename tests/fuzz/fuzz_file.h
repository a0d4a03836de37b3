/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fuzzer's input as a file that has a path. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "checkpoint/span.h"

typedef struct {
    int fd;
    char path[64];
} FuzzFile;

static inline FuzzFile fuzz_file_new(VfiSpan bytes)
{
    FuzzFile file = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

    if (file.fd < 0 ||
        (bytes.size > 0 && write(file.fd, bytes.data, bytes.size) != (ssize_t)bytes.size))
        abort();
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    return file;
}

static inline void fuzz_file_close(FuzzFile file)
{
    close(file.fd);
}

/* What begins as the structure of an ncnn model is that up to the first zero byte, and
 * the weights behind it. */
static inline bool fuzz_is_ncnn(VfiSpan input, VfiSpan *param, VfiSpan *weights)
{
    static const char ncnn[] = "7767517";
    const uint8_t *zero = input.size > 0 ? memchr(input.data, 0, input.size) : NULL;

    if (zero == NULL || input.size < strlen(ncnn) ||
        memcmp(input.data, ncnn, strlen(ncnn)) != 0)
        return false;
    *param = (VfiSpan){input.data, (size_t)(zero - input.data)};
    *weights = (VfiSpan){zero + 1, input.size - param->size - 1};
    return true;
}
