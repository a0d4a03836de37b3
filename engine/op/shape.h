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

/* Channels that @channels take up in blocks of @block; just @channels where that is 0 or
 * 1. */
static inline int vfi_channels_in_blocks(int channels, int block)
{
    return block > 1 ? (channels + block - 1) / block * block : channels;
}

/* Floats that a tensor of @shape takes in blocks of @block channels. */
static inline size_t vfi_shape_floats(VfiShape shape, int block)
{
    return (size_t)vfi_channels_in_blocks(shape.c, block) * (size_t)shape.h *
           (size_t)shape.w;
}
