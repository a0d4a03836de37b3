/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise that textures are painted of: the same at a place whatever is painted around. */
#pragma once

#include <math.h>

#include "pixels_frames.h"

/* 0 to 1, one of a kind for each place. */
static inline double hash(int x, int y)
{
    uint32_t state = (uint32_t)x * 0x9E3779B1u ^ (uint32_t)y * 0x85EBCA77u;

    for (int i = 0; i < 3; i++)
        noise(&state);
    return noise(&state) / 16777216.0;
}

/* Random values @cell apart, with smooth ways between them. */
static inline double waves(double x, double y, double cell)
{
    double left = floor(x / cell), top = floor(y / cell);
    double fx = x / cell - left, fy = y / cell - top;
    int i = (int)left, k = (int)top;

    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);
    return (1 - fy) * ((1 - fx) * hash(i, k) + fx * hash(i + 1, k)) +
           fy * ((1 - fx) * hash(i, k + 1) + fx * hash(i + 1, k + 1));
}
