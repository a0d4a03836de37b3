/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CORRELATION: how alike src2 is, at each pixel, to src0 at the place that the flow src1
 * (2 × H × W: dx, dy in pixels) leads to and at the eight around it. Channel 3·(dy + 1) +
 * dx + 1 of the result, with dy and dx of -1 to 1, is the cosine
 *   Σ a·b / (√(Σ a² + 1e-12) · √(Σ b² + 1e-12))
 * over all channels, where a is src2 at the pixel and b is src0 moved by (dy, dx), zero
 * beyond its border, and interpolated at the place. The place itself is first brought
 * into the picture. So what is beyond the border enters by a whole pixel's offset alone:
 * the last row and column meet zeros there, and not their own values again. */
#include "op/descriptor.h"

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    VfiShape image = op->src[0].shape, flow = op->src[1].shape;

    if (!vfi_shape_equal(op->src[2].shape, image))
        return vfi_op_refuse(op, error, "the reference has not the shape of the image");
    if (flow.c != 2 || flow.h != image.h || flow.w != image.w)
        return vfi_op_refuse(op, error, "the flow must be 2×%d×%d", image.h, image.w);
    *result = (VfiShape){9, flow.h, flow.w};
    return true;
}

/* Nine products and nine squares of the channel, and interpolating it. */
static double macs(const VfiOp *op)
{
    return 40.0 * (double)vfi_shape_elements(op->src[0].shape);
}

static const VfiOpCase cases[] = {
    {.src = {{1, 1, 1}, {2, 1, 1}, {1, 1, 1}}},
    {.src = {{3, 4, 1}, {2, 4, 1}, {3, 4, 1}}, .scale = {1, 2, 1}},
    {.src = {{5, 13, 22}, {2, 13, 22}, {5, 13, 22}}, .scale = {1, 3, 1}},
    {.src = {{32, 9, 27}, {2, 9, 27}, {32, 9, 27}}, .scale = {1, 0.6f, 1}},
    {.src = {{64, 11, 14}, {2, 11, 14}, {64, 11, 14}}, .scale = {1, 6, 1}},
    {.src = {{40, 5, 40}, {2, 5, 40}, {40, 5, 40}}, .scale = {1, 1e6f, 1}},
    {.src = {{16, 40, 3}, {2, 40, 3}, {16, 40, 3}}, .scale = {100, 2, 0.01f}},
};

#define PIXELS (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF | VFI_LAYOUT_HALF_PLANES)

const VfiOpDescriptor vfi_op_correlation = {
    .min_sources = 3,
    .max_sources = 3,
    .source = {{VFI_READS_ANYWHERE, PIXELS, false},
               {VFI_READS_PIXEL, VFI_LAYOUT_PLANAR, false},
               {VFI_READS_PIXEL, PIXELS, false}},
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer,
    .macs = macs,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
