/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the least value of a prepared image is looked for, for the CPU and for kernels:
 * of its values, and of those that it has when it is shrunk. All compute the same bits,
 * sums and products of f32 (a * b + c is two roundings in all our builds). */
#pragma once

#ifdef __CUDACC__
#define VFI_MINIMUM_FUNCTION static __host__ __device__ inline
#else
#define VFI_MINIMUM_FUNCTION static inline
#endif

/* Part of a whole picture, of which the image has @width × @height pixels that count from
 * its first one on. Of the shrunk picture those values count whose upper left pixel is
 * one of these; the image must have one column and one row more, unless the picture ends
 * there. So the parts of a picture find together what it has. */
typedef struct {
    int width, height;
    int x, y; /* of the image's first pixel in the picture */
    int whole_w, whole_h;
    double scale; /* of the shrunk picture, at most 1; 0: there is none */
} VfiMinimumArea;

/* What no value exceeds. */
#define VFI_MINIMUM_OF_NOTHING 1.0f

/* Two neighbouring pixels and the weight of the second. */
typedef struct {
    int first, second;
    float weight;
} VfiShrunkPlace;

/* Pixels of @size shrunk by @scale, at least 1. */
VFI_MINIMUM_FUNCTION int vfi_shrunk_size(int size, double scale)
{
    int shrunk = (int)(size * scale);

    return shrunk > 1 ? shrunk : 1;
}

/* Where pixel @i of a shrunk row of @size pixels lies: half-pixel centres, edges
 * repeated. */
VFI_MINIMUM_FUNCTION VfiShrunkPlace vfi_shrunk_place(int i, int size, double scale)
{
    double at = (i + 0.5) / scale - 0.5;
    VfiShrunkPlace place;

    at = at > 0.0 ? at : 0.0;
    place.first = (int)at < size - 1 ? (int)at : size - 1;
    place.second = place.first + 1 < size ? place.first + 1 : place.first;
    place.weight = (float)(at - place.first);
    return place;
}

/* The first pixel of a shrunk row whose place is at pixel @x or later. */
VFI_MINIMUM_FUNCTION int vfi_shrunk_begin(int x, int size, double scale)
{
    int n = vfi_shrunk_size(size, scale), i = (int)(x * scale);

    i = i < n ? i : n;
    while (i > 0 && vfi_shrunk_place(i - 1, size, scale).first >= x)
        i--;
    while (i < n && vfi_shrunk_place(i, size, scale).first < x)
        i++;
    return i;
}

/* The shrunk picture's value at (@x, @y) of two rows of one plane, which begin with the
 * image's first column, @left in the picture. */
VFI_MINIMUM_FUNCTION float vfi_shrunk_value(const float *above, const float *below,
                                            float weight, VfiShrunkPlace x, int left)
{
    float a = above[x.first - left], b = above[x.second - left];
    float c = below[x.first - left], d = below[x.second - left];
    float top = a + (b - a) * x.weight, bottom = c + (d - c) * x.weight;

    return top + (bottom - top) * weight;
}
