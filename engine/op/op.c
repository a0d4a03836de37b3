/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of operations, for error messages and profiles. */
#include "op/op.h"

static const char *const kind_names[VFI_OP_KIND_COUNT] = {
    [VFI_OP_CONV] = "conv",
    [VFI_OP_CONV_TRANSPOSE] = "conv_transpose",
    [VFI_OP_ACTIVATE] = "activate",
    [VFI_OP_ADD] = "add",
    [VFI_OP_SUB] = "sub",
    [VFI_OP_MUL] = "mul",
    [VFI_OP_AFFINE] = "affine",
    [VFI_OP_CLAMP] = "clamp",
    [VFI_OP_COPY] = "copy",
    [VFI_OP_CONVERT] = "convert",
    [VFI_OP_RESIZE] = "resize",
    [VFI_OP_AVG_POOL] = "pool",
    [VFI_OP_NEAREST] = "nearest",
    [VFI_OP_UPSAMPLE_CONV_SUM] = "upsample_conv_sum",
    [VFI_OP_PIXEL_SHUFFLE] = "pixel_shuffle",
    [VFI_OP_WARP] = "warp",
    [VFI_OP_TIME] = "time",
    [VFI_OP_IMAGE_MEAN] = "image_mean",
    [VFI_OP_MAX_ABS] = "max_abs",
};

const char *vfi_op_kind_to_string(VfiOpKind kind)
{
    if ((int)kind < 0 || kind >= VFI_OP_KIND_COUNT)
        return "unknown";
    return kind_names[kind];
}
