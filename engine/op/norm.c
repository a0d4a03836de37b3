/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ops by which channels are normalised, weighted and averaged: GROUP_NORM finds factors
 * and addends, SCALE_SHIFT applies them; LAYER_NORM; CHANNEL_MEAN. */
#include <stddef.h>

#include "op/descriptor.h"

#define PIXELS (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF)

static int norm_arrays(int channels, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    arrays[0] = (VfiOpArray){"weight", offsetof(VfiOpParams, norm.weight),
                             (size_t)channels, false};
    arrays[1] =
        (VfiOpArray){"bias", offsetof(VfiOpParams, norm.bias), (size_t)channels, false};
    return 2;
}

static bool check_eps(const VfiOp *op, GError **error)
{
    return op->u.norm.eps > 0.0f
               ? true
               : vfi_op_refuse(op, error, "eps is %g, expected more than 0",
                               (double)op->u.norm.eps);
}

/* ---- GROUP_NORM -------------------------------------------------------------------- */

static bool infer_group_norm(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiNormParams *p = &op->u.norm;
    int volume = op->src[0].shape.c;

    if (p->frames < 1 || volume % p->frames != 0)
        return vfi_op_refuse(op, error, "%d channels are not those of %d frames", volume,
                             p->frames);
    int channels = volume / p->frames;
    if (p->groups < 1 || channels % p->groups != 0)
        return vfi_op_refuse(op, error, "%d channels are not %d groups of one size",
                             channels, p->groups);
    *result = (VfiShape){2 * channels, 1, 1};
    if (op->n_src > 1 && !vfi_shape_equal(op->src[1].shape, *result))
        return vfi_op_refuse(op, error,
                             "expected scales and shifts of %d channels: %d×1×1",
                             channels, result->c);
    return check_eps(op, error);
}

static int group_norm_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    return norm_arrays(op->dst.shape.c / 2, arrays);
}

#define GROUPS(groups_, frames_)                                                         \
    .params.norm = {.groups = (groups_), .frames = (frames_), .eps = 1e-5f}

/* The fourth and the fifth: values far from zero, of which squares' sums in f32 would
 * leave nothing. */
static const VfiOpCase group_norm_cases[] = {
    {.src = {{4, 1, 1}}, GROUPS(2, 1)},
    {.src = {{12, 7, 33}}, GROUPS(3, 1)},
    {.src = {{32, 9, 17}, {64, 1, 1}}, GROUPS(8, 1)},
    {.src = {{20, 13, 30}}, GROUPS(5, 1), .offset = {1000.0f}},
    {.src = {{48, 12, 20}, {32, 1, 1}}, GROUPS(4, 3), .offset = {-300.0f}},
    {.src = {{18, 19, 41}}, GROUPS(1, 3), .scale = {1e-3f}},
    {.src = {{24, 160, 210}}, GROUPS(6, 1)},
    {.src = {{192, 3, 5}, {128, 1, 1}}, GROUPS(32, 3)},
};

const VfiOpDescriptor vfi_op_group_norm = {
    .min_sources = 1,
    .max_sources = 2,
    .source = {{VFI_READS_WHOLE, PIXELS, false},
               {VFI_READS_WHOLE, VFI_LAYOUT_PLANAR, false}},
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer_group_norm,
    .arrays = group_norm_arrays,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = group_norm_cases,
    .n_cases = G_N_ELEMENTS(group_norm_cases),
};

/* ---- SCALE_SHIFT ------------------------------------------------------------------- */

/* Whether @op can end so: what makes zeros of the zeros that pad blocks. */
static bool check_activation(const VfiOp *op, GError **error)
{
    switch (op->u.scale_shift.activation) {
    case VFI_ACTIVATION_NONE:
    case VFI_ACTIVATION_LEAKY:
    case VFI_ACTIVATION_SILU:
    case VFI_ACTIVATION_GELU:
        return true;
    case VFI_ACTIVATION_PRELU:
    case VFI_ACTIVATION_SIGMOID:
        break;
    }
    return vfi_op_refuse(op, error,
                         "expected no activation, or a leaky ReLU, SiLU or GELU");
}

static bool infer_scale_shift(const VfiOp *op, VfiShape *result, GError **error)
{
    VfiShape x = op->src[0].shape;
    int each = op->u.scale_shift.adds ? 2 : 1;

    *result = x;
    if (op->n_src < 2)
        return each == 1
                   ? check_activation(op, error)
                   : vfi_op_refuse(op, error, "its factors and addends are missing");
    VfiShape by = op->src[1].shape;
    if (by.h != 1 || by.w != 1 || by.c % each != 0 || x.c % (by.c / each) != 0)
        return vfi_op_refuse(op, error, "expected %s for each channel of a frame, in 1×1",
                             each == 2 ? "a factor and an addend" : "a factor");
    return check_activation(op, error);
}

#define SHIFT(kind) .params.scale_shift = {.adds = true, .activation = (kind)}
#define SCALE(kind) .params.scale_shift = {.activation = (kind)}

static const VfiOpCase scale_shift_cases[] = {
    {.src = {{8, 3, 7}, {16, 1, 1}},
     SHIFT(VFI_ACTIVATION_SILU),
     .values = VFI_VALUES_EXTREME},
    {.src = {{17, 13, 30}, {17, 1, 1}}, SCALE(VFI_ACTIVATION_NONE)},
    {.src = {{48, 9, 21}, {32, 1, 1}},
     SHIFT(VFI_ACTIVATION_GELU),
     .values = VFI_VALUES_EXTREME},
    {.src = {{33, 5, 64}, {66, 1, 1}},
     .params.scale_shift = {true, VFI_ACTIVATION_LEAKY, 0.0f}},
    {.src = {{24, 19, 41}, {8, 1, 1}},
     .params.scale_shift = {false, VFI_ACTIVATION_LEAKY, 0.2f}},
    {.src = {{15, 11, 18}, {10, 1, 1}}, SHIFT(VFI_ACTIVATION_SILU), .scale = {20.0f}},
    {.src = {{32, 64, 70}, {64, 1, 1}}, SHIFT(VFI_ACTIVATION_GELU), .scale = {6.0f}},
    {.src = {{264, 2, 3}, {528, 1, 1}}, SHIFT(VFI_ACTIVATION_NONE)},
    {.src = {{19, 17, 41}}, SCALE(VFI_ACTIVATION_SILU), .values = VFI_VALUES_EXTREME},
    {.src = {{33, 31, 29}}, SCALE(VFI_ACTIVATION_SILU), .scale = {20.0f}},
    {.src = {{24, 17, 41}}, SCALE(VFI_ACTIVATION_GELU), .values = VFI_VALUES_EXTREME},
    {.src = {{35, 31, 29}}, SCALE(VFI_ACTIVATION_GELU), .scale = {6.0f}},
};

const VfiOpDescriptor vfi_op_scale_shift = {
    .min_sources = 1,
    .max_sources = 2,
    .source = {{VFI_READS_PIXEL, PIXELS, true},
               {VFI_READS_WHOLE, VFI_LAYOUT_PLANAR, false}},
    .result = PIXELS | VFI_LAYOUT_LIKE_SOURCE,
    .infer = infer_scale_shift,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = scale_shift_cases,
    .n_cases = G_N_ELEMENTS(scale_shift_cases),
};

/* ---- CHANNEL_MEAN ------------------------------------------------------------------ */

static bool infer_channel_mean(const VfiOp *op, VfiShape *result, GError **error)
{
    (void)error;
    *result = (VfiShape){op->src[0].shape.c, 1, 1};
    return true;
}

static const VfiOpCase channel_mean_cases[] = {
    {.src = {{1, 1, 1}}},   {.src = {{3, 7, 33}}},
    {.src = {{33, 9, 17}}}, {.src = {{32, 160, 210}}, .offset = {0.5f}},
    {.src = {{264, 2, 3}}},
};

const VfiOpDescriptor vfi_op_channel_mean = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_WHOLE, PIXELS, false}},
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer_channel_mean,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = channel_mean_cases,
    .n_cases = G_N_ELEMENTS(channel_mean_cases),
};

/* ---- LAYER_NORM -------------------------------------------------------------------- */

static bool infer_layer_norm(const VfiOp *op, VfiShape *result, GError **error)
{
    *result = op->src[0].shape;
    return check_eps(op, error);
}

static int layer_norm_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    return norm_arrays(op->src[0].shape.c, arrays);
}

#define EPS(eps_) .params.norm.eps = (eps_)

static const VfiOpCase layer_norm_cases[] = {
    {.src = {{1, 1, 1}}, EPS(1e-5f)},
    {.src = {{5, 7, 33}}, EPS(1e-5f)},
    {.src = {{32, 13, 30}}, EPS(1e-5f), .offset = {30.0f}},
    {.src = {{49, 9, 21}}, EPS(1e-6f), .scale = {100.0f}},
    {.src = {{256, 6, 11}}, EPS(1e-5f)},
    {.src = {{24, 40, 70}}, EPS(1e-3f), .scale = {0.01f}},
    {.src = {{1031, 2, 3}}, EPS(1e-5f)},
};

const VfiOpDescriptor vfi_op_layer_norm = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_PIXEL, PIXELS, true}},
    .result = PIXELS | VFI_LAYOUT_LIKE_SOURCE,
    .infer = infer_layer_norm,
    .arrays = layer_norm_arrays,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = layer_norm_cases,
    .n_cases = G_N_ELEMENTS(layer_norm_cases),
};
