/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Channels, height, width. The batch is always one. */
typedef struct {
    int c, h, w;
} VfiShape;

static inline bool vfi_shape_equal(VfiShape a, VfiShape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

static inline size_t vfi_shape_elements(VfiShape s)
{
    return (size_t)s.c * (size_t)s.h * (size_t)s.w;
}

/* Floats that a tensor of @shape takes in blocks of @block channels. */
static inline size_t vfi_shape_floats(VfiShape shape, int block)
{
    int channels = block > 1 ? (shape.c + block - 1) / block * block : shape.c;

    return (size_t)channels * (size_t)shape.h * (size_t)shape.w;
}
