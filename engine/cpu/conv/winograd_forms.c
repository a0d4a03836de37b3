/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The forms of Winograd's algorithm. In one direction, F(m, 3) makes m results of
 * stride 1 from m + 2 points of pixels and as many of the filter, one product per point.
 * The points are values of polynomials: at 0, ±5/8, ±3/2 and ∞ for F(4, 3), where
 * rounding a point to eight bits costs half the error that it does at the usual 0, ±1,
 * ±2 and ∞ (rms; a third of the largest); at 0, ±1, ±2, ±1/2 and ∞ for F(6, 3).
 *
 * Stride 2: y[i] = w0 x[2i] + w1 x[2i + 1] + w2 x[2i + 2]. Every second pixel meets w0
 * and w2 alone: a filter of two taps and stride 1, for which F(4, 2) makes four results
 * from five products. The others meet w1 alone, four products. Those are not added to
 * the results but, through the inverse of the transform back, to four of the five sums
 * of F(4, 2), so nine points make five sums. In two directions that is 81 products for
 * 4 × 4 results, where the direct way needs 144, and 25 sums to transform back. */
#include "cpu/conv/winograd_forms.h"

/* F(6×6) has more weights; they must be worth reading for the tiles that there are. */
#define FORM_6_TILES_MIN 24
#define FORM_6_CHANNELS_MAX 128
/* Stride 2 saves less, and has most weights. Measured against the direct way on Zen 4,
 * AVX-512 and AVX2: 1.6 to 1.7 and 1.3 to 1.5 times as fast on RIFE's layers, 1.2 and
 * 1.0 at least with few channels; but 0.2 to 1.4 with more than 192 channels, 0.5 to
 * 1.2 with fewer tiles, 0.6 to 1.2 where a quarter of the tiles lies beyond the
 * border. */
#define STRIDE_2_TILES_MIN 9
#define STRIDE_2_CHANNELS_MAX 192

/* Channels of a block at the level with the largest ones. */
#define LARGEST_BLOCK 16

/* The filter's side of a form in one direction. */
typedef struct {
    const char *layout;
    double g[9][3]; /* point from taps */
    int sum_of[9];  /* the sum that a point's product is added to */
} FilterSide;

/* Taps to points of F(4, 3). With s = 2a²(a² - b²) the row of ±a is [1, ±a, a²] / s,
 * that of ±b [1, ±b, b²] / 2b²(b² - a²); the first is 1 / a²b². */
#define A_SCALE (1.0 / (2 * 0.390625 * (0.390625 - 2.25)))
#define B_SCALE (1.0 / (2 * 2.25 * (2.25 - 0.390625)))
#define G_4                                                                              \
    {                                                                                    \
        {1.0 / (0.390625 * 2.25), 0, 0}, {A_SCALE, 0.625 * A_SCALE, 0.390625 * A_SCALE}, \
            {A_SCALE, -0.625 * A_SCALE, 0.390625 * A_SCALE},                             \
            {B_SCALE, 1.5 * B_SCALE, 2.25 * B_SCALE},                                    \
            {B_SCALE, -1.5 * B_SCALE, 2.25 * B_SCALE}, {0, 0, 1},                        \
    }

static const FilterSide filter_sides[VFI_WINOGRAD_FORMS] = {
    [VFI_WINOGRAD_4] =
        {
            .layout = "winograd 4",
            .g = G_4,
            .sum_of = {0, 1, 2, 3, 4, 5},
        },
    [VFI_WINOGRAD_4_BF16] =
        {
            .layout = "winograd 4 bf16",
            .g = G_4,
            .sum_of = {0, 1, 2, 3, 4, 5},
        },
    [VFI_WINOGRAD_6] =
        {
            .layout = "winograd 6",
            .g =
                {
                    {1, 0, 0},
                    {-2.0 / 9, -2.0 / 9, -2.0 / 9},
                    {-2.0 / 9, 2.0 / 9, -2.0 / 9},
                    {1.0 / 90, 1.0 / 45, 2.0 / 45},
                    {1.0 / 90, -1.0 / 45, 2.0 / 45},
                    {32.0 / 45, 16.0 / 45, 8.0 / 45},
                    {32.0 / 45, -16.0 / 45, 8.0 / 45},
                    {0, 0, 1},
                },
            .sum_of = {0, 1, 2, 3, 4, 5, 6, 7},
        },
    [VFI_WINOGRAD_4_STRIDE_2] =
        {
            .layout = "winograd 4 stride 2",
            .g =
                {
                    {1.0 / 2, 0, 0},
                    {-1.0 / 2, 0, -1.0 / 2},
                    {-1.0 / 6, 0, 1.0 / 6},
                    {1.0 / 6, 0, 1.0 / 3},
                    {0, 0, 1},
                    {0, 1, 0},
                    {0, 1.0 / 2, 0},
                    {0, 1.0 / 2, 0},
                    {0, 1, 0},
                },
            .sum_of = {0, 1, 2, 3, 4, 0, 1, 2, 4},
        },
};

static int count_tiles(VfiShape out, int tile)
{
    return vfi_ceil_div(out.h, tile) * vfi_ceil_div(out.w, tile);
}

/* The part of the tiles that is not beyond the border. */
static double used_part(VfiShape out, int tile)
{
    return (double)out.h * out.w / ((double)tile * tile * count_tiles(out, tile));
}

static bool stride_2_gains(const VfiOp *op)
{
    VfiShape out = op->dst.shape;

    return count_tiles(out, 4) >= STRIDE_2_TILES_MIN &&
           op->src[0].shape.c <= STRIDE_2_CHANNELS_MAX && used_part(out, 4) > 0.75;
}

/* Whether the channels of a group are whole blocks, at any level. Sizes may not be
 * known yet: then they are zeros. */
static bool groups_are_blocks(const VfiOp *op)
{
    int groups = op->u.conv.groups;

    return groups == 1 || (op->src[0].shape.c / groups % LARGEST_BLOCK == 0 &&
                           op->dst.shape.c / groups % LARGEST_BLOCK == 0);
}

bool vfi_winograd_suits(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;

    return op->kind == VFI_OP_CONV && p->kernel_h == 3 && p->kernel_w == 3 &&
           groups_are_blocks(op) && p->activation.kind != VFI_ACTIVATION_SIGMOID &&
           (p->stride == 1 || (p->stride == 2 && stride_2_gains(op)));
}

VfiWinogradForm vfi_winograd_form(const VfiCpuOp *ready)
{
    const VfiOp *op = &ready->op;
    VfiShape out = op->dst.shape;

    if (op->u.conv.stride == 2)
        return VFI_WINOGRAD_4_STRIDE_2;
    if (ready->bf16 && op->u.conv.tolerates_bf16 && ready->kernels->multiply_bf16 != NULL)
        return VFI_WINOGRAD_4_BF16;
    return count_tiles(out, 6) >= FORM_6_TILES_MIN &&
                   op->src[0].shape.c <= FORM_6_CHANNELS_MAX && used_part(out, 6) > 0.85
               ? VFI_WINOGRAD_6
               : VFI_WINOGRAD_4;
}

const char *vfi_winograd_layout(VfiWinogradForm form)
{
    return filter_sides[form].layout;
}

/* G g Gᵀ */
void vfi_winograd_filter(VfiWinogradForm form, const float *filter, double *points)
{
    const double(*g)[3] = filter_sides[form].g;
    int side = vfi_winograd_sizes[form].patch;

    for (int i = 0; i < side; i++) {
        double row[3];
        for (int x = 0; x < 3; x++)
            row[x] =
                g[i][0] * filter[x] + g[i][1] * filter[3 + x] + g[i][2] * filter[6 + x];
        for (int j = 0; j < side; j++)
            points[side * i + j] = row[0] * g[j][0] + row[1] * g[j][1] + row[2] * g[j][2];
    }
}

int vfi_winograd_sum_of(VfiWinogradForm form, int point)
{
    const int *sum_of = filter_sides[form].sum_of;
    VfiWinogradSize size = vfi_winograd_sizes[form];

    return sum_of[point / size.patch] * size.sums + sum_of[point % size.patch];
}
