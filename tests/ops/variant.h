/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ways in which a plan may have an op run: layouts of its operands, by itself or in a
 * row group, into memory of its own or in place. All that the descriptor allows and the
 * device's plans can have (op/descriptor.h, VfiPlanTarget), and nothing else. */
#pragma once

#include "op/descriptor.h"
#include "plan/plan.h"

/* How an operand lies. */
typedef struct {
    bool together; /* channels of a pixel side by side: in blocks, or channels last */
    bool half;
    int before;    /* channels last: others' channels before its own */
    bool followed; /* the same after */
} Layout;

typedef enum {
    RUN_ALONE,
    RUN_GROUPED,     /* a row group of this op */
    RUN_FROM_COPIES, /* with copies of what it reads and gives in the group's rows */
} RunForm;

typedef struct {
    Layout src[VFI_OP_MAX_SOURCES], dst;
    RunForm form;
    int in_place; /* the source that the result lies on; -1 */
} Variant;

/* All of @op, whose shapes and parameters are known; an array of Variant. */
GArray *list_variants(const VfiOp *op, const VfiPlanTarget *target);

/* Sets what the layout says of the operand: .block, .half and .followed. */
void lay_out(VfiOperand *operand, const Layout *layout, const VfiPlanTarget *target);

/* Whether source @i, or the result, can be in rows of a group. */
bool may_be_in_rows(const VfiOp *op, const Variant *variant, int i);
bool result_may_be_in_rows(const VfiOp *op);

/* "planes to channels last f16 from 3, alone" */
void append_variant(GString *text, const VfiOp *op, const Variant *variant,
                    const VfiPlanTarget *target);
