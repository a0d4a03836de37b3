/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tells a frame that a coder sent again from one that moved on. A coder's errors are
 * small, or look like nothing in particular; motion by d is d times the gradient. So
 * luma's difference is fitted by a displacement, in blocks of growing size: what the fit
 * explains shrinks with the size if it is chance, and stays if it is motion. For the CPU
 * and for kernels: all sums are whole numbers, so that both decide alike. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include <vfi/frame.h>

#ifdef __CUDACC__
#define VFI_REPEATS_FUNCTION static __host__ __device__ inline
#else
#define VFI_REPEATS_FUNCTION static inline
#endif

/* Luma is compared in quarters of a code of 8 bits, 0 … VFI_REPEATS_WHITE. */
#define VFI_REPEATS_UNIT 4
#define VFI_REPEATS_WHITE 1023

/* Sides of the blocks: tiles are cut in four, and again. */
#define VFI_REPEATS_BLOCK 16
#define VFI_REPEATS_TILE 64

/* Side of the smallest blocks, whose difference alone is looked at, and its largest sum.
 * x265 left a mean of 30 codes of 8 bits at crf 28 where it left most, drawings that move
 * leave 60 and more. */
#define VFI_REPEATS_DETAIL 4
#define VFI_REPEATS_DETAIL_MAX                                                           \
    (INT64_C(36) * VFI_REPEATS_UNIT * VFI_REPEATS_DETAIL * VFI_REPEATS_DETAIL)

/* The factor from a code of @depth bits (32: an f32 sample) to that unit. */
VFI_REPEATS_FUNCTION float vfi_repeats_scale(int depth)
{
    return depth == 32 ? (float)VFI_REPEATS_WHITE : ldexpf(1.0f, 10 - depth);
}

/* Sums over the pixels of a block. The gradient is the sum of both frames' central
 * differences: four times the units per pixel. */
typedef struct {
    int64_t n;          /* pixels */
    int64_t difference; /* b − a */
    int64_t absolute;   /* |b − a| */
    int64_t xx, xy, yy; /* products of the gradient's parts */
    int64_t x, y;       /* (b − a) · gradient */
} VfiRepeatSums;

VFI_REPEATS_FUNCTION void vfi_repeats_add(VfiRepeatSums *to, const VfiRepeatSums *from)
{
    to->n += from->n;
    to->difference += from->difference;
    to->absolute += from->absolute;
    to->xx += from->xx;
    to->xy += from->xy;
    to->yy += from->yy;
    to->x += from->x;
    to->y += from->y;
}

/* What the best displacement explains of the squares of the difference, and its length in
 * pixels. Where there is next to no gradient that is next to nothing. */
VFI_REPEATS_FUNCTION double vfi_repeats_explained(const VfiRepeatSums *sums,
                                                  double *length)
{
    /* As if each pixel had 0.7 codes' slope both ways. */
    const double least = 128.0 * (double)sums->n;
    const double xx = (double)sums->xx + least, yy = (double)sums->yy + least;
    const double xy = (double)sums->xy;
    const double x = (double)sums->x, y = (double)sums->y;
    const double determinant = xx * yy - xy * xy;
    const double move_x = (yy * x - xy * y) / determinant;
    const double move_y = (xx * y - xy * x) / determinant;

    *length = 4 * sqrt(move_x * move_x + move_y * move_y);
    return x * move_x + y * move_y;
}

/* What repeats may have, by the side of the block, in codes of 8 bits: the mean
 * difference, and what is explained. One in ten of those exceeds a limit that x265 coded
 * with crf 28; frames that move by half a pixel exceed several. */
typedef struct {
    double difference, explained;
} VfiRepeatLimits;

VFI_REPEATS_FUNCTION VfiRepeatLimits vfi_repeats_limits(int side)
{
    VfiRepeatLimits limits = {14.0, 11.0};

    if (side == 2 * VFI_REPEATS_BLOCK) {
        limits.difference = 7.0;
        limits.explained = 6.4;
    } else if (side == VFI_REPEATS_TILE) {
        limits.difference = 5.2;
        limits.explained = 5.0;
    }
    return limits;
}

/* The same for a frame. Coders that skip nothing, or smooth frames as VP9 does, change
 * all of it, but little; less is allowed where more than VFI_REPEATS_DOUBT is explained
 * of a block of 32. */
#define VFI_REPEATS_DIFFERENCE 2.4
#define VFI_REPEATS_DIFFERENCE_DOUBTED 0.9
#define VFI_REPEATS_DOUBT 3.0

/* As much explained as in a square of this side one code, by chance: less in larger
 * ones. */
#define VFI_REPEATS_EXPLAINED 165.0
#define VFI_REPEATS_EXPLAINED_MIN 0.8

/* The mean of the difference that a tile may have, where a coder's own shifts of blocks
 * average out; and a frame, the less the larger it is. */
#define VFI_REPEATS_LIGHTER 0.8
#define VFI_REPEATS_LIGHTER_FRAME 58.0
#define VFI_REPEATS_LIGHTER_MIN 0.3

/* A pan of pictures of little contrast: a displacement in pixels that so much is
 * explained by. */
#define VFI_REPEATS_PAN 0.15
#define VFI_REPEATS_PAN_MIN 0.4

/* Pixels of a block of @side × @side; as many as a quarter of it, if it is a sliver at
 * the frame's edge, of which little is known. */
VFI_REPEATS_FUNCTION double vfi_repeats_pixels(const VfiRepeatSums *sums, int side)
{
    const double n = (double)sums->n, quarter = side * side / 4.0;

    return n > quarter ? n : quarter;
}

/* Is more than @codes explained of a block? */
VFI_REPEATS_FUNCTION bool vfi_repeats_moved(const VfiRepeatSums *sums, int side,
                                            double codes)
{
    const double most = codes * VFI_REPEATS_UNIT;
    double length;

    return sums->n > 0 && vfi_repeats_explained(sums, &length) >
                              most * most * vfi_repeats_pixels(sums, side);
}

/* Has such a block changed? */
VFI_REPEATS_FUNCTION bool vfi_repeats_block_changed(const VfiRepeatSums *sums, int side)
{
    const VfiRepeatLimits limits = vfi_repeats_limits(side);
    const double pixels = vfi_repeats_pixels(sums, side);

    return (double)sums->absolute > limits.difference * VFI_REPEATS_UNIT * pixels ||
           vfi_repeats_moved(sums, side, limits.explained);
}

VFI_REPEATS_FUNCTION bool vfi_repeats_lighter(const VfiRepeatSums *sums, double n,
                                              double most)
{
    return fabs((double)sums->difference) > most * VFI_REPEATS_UNIT * n;
}

/* Has a tile changed, of whose parts none has? */
VFI_REPEATS_FUNCTION bool vfi_repeats_tile_changed(const VfiRepeatSums *sums)
{
    return vfi_repeats_block_changed(sums, VFI_REPEATS_TILE) ||
           vfi_repeats_lighter(sums, vfi_repeats_pixels(sums, VFI_REPEATS_TILE),
                               VFI_REPEATS_LIGHTER);
}

VFI_REPEATS_FUNCTION double vfi_repeats_at_least(double value, double least)
{
    return value > least ? value : least;
}

/* Has the frame changed as a whole, none of whose tiles has? @doubted if
 * VFI_REPEATS_DOUBT was exceeded. */
VFI_REPEATS_FUNCTION bool vfi_repeats_frame_changed(const VfiRepeatSums *sums,
                                                    bool doubted)
{
    const double most = doubted ? VFI_REPEATS_DIFFERENCE_DOUBTED : VFI_REPEATS_DIFFERENCE;
    const double n = (double)sums->n, side = sqrt(n);
    const double chance = VFI_REPEATS_EXPLAINED / side;
    const double explained =
        vfi_repeats_at_least(chance, VFI_REPEATS_EXPLAINED_MIN) * VFI_REPEATS_UNIT;
    const double slight =
        vfi_repeats_at_least(chance, VFI_REPEATS_PAN_MIN) * VFI_REPEATS_UNIT;
    const double lighter =
        vfi_repeats_at_least(VFI_REPEATS_LIGHTER_FRAME / side, VFI_REPEATS_LIGHTER_MIN);
    double length;
    const double found = vfi_repeats_explained(sums, &length) / n;

    return vfi_repeats_lighter(sums, n, lighter) ||
           (double)sums->absolute > most * VFI_REPEATS_UNIT * n ||
           found > explained * explained ||
           (length > VFI_REPEATS_PAN && found > slight * slight);
}

/* Does @b repeat @a, but for the errors of a coder? In host memory. */
bool vfi_repeats_seen(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b);
