/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What row groups on the device know of ops, by kind. The planner puts no others into
 * them (VfiPlanTarget.row_op): those run by themselves (ops/cuda_op.h). */
#pragma once

#include <glib.h>

#include "rows/row_program.h"

typedef struct {
    VfiRowOperation operation; /* 0: row groups cannot have the kind */
    /* Sets the instruction's parameters for @channel and those after it. NULL: it has
     * none. */
    void (*set_parameters)(VfiRowInstruction *code, const VfiOp *op, int channel);
    /* Whether each channel has other parameters. NULL: no. */
    bool (*differs_by_channel)(const VfiOp *op);
    int source_channels; /* of src[0] per channel of the result; 0: 1 */
    bool takes_pixels;   /* src[0] may be channels last */
    bool has_flow;       /* src[1] has two channels that all of the result's use */
} VfiRowOp;

/* Of a kind below VFI_OP_KIND_COUNT. */
const VfiRowOp *vfi_row_op(VfiOpKind kind);

/* Whether row groups can have ops of that kind. */
bool vfi_row_op_exists(const VfiOp *op);

/* Whether row groups can have that placed op; else false with VFI_ERROR_UNSUPPORTED that
 * names the op and the backend. All operands must be planar f32, but for results that are
 * a part of channels last, and src[0], which may be f16. Allocates nothing. */
bool vfi_row_op_check(const VfiOp *op, GError **error);
