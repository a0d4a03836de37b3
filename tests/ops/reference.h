/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each kind of op gives, element by element, as its definition says it: slow, in
 * double precision, written without a look at the kernels. A new kind needs one function
 * here, which the linker asks for. */
#pragma once

#include "op/descriptor.h"

/* An op with shapes, parameters and arrays, and what it is run on. */
typedef struct {
    const VfiOp *op;
    const float *src[VFI_OP_MAX_SOURCES]; /* planes */
    const VfiRunInputs *inputs;
} ReferenceInput;

/* An element of the result. */
typedef struct {
    double value;
    /* The largest |value| that it was computed from or by way of; of a convolution: its
     * sum, which an activation may hide. */
    double largest;
    /* The value is NaN for the sake of infinities, which another order of sums may
     * keep. */
    bool infinite;
} ReferenceElement;

typedef ReferenceElement (*ReferenceFunc)(const ReferenceInput *in, int c, int y, int x);

/* Of a kind below VFI_OP_KIND_COUNT. */
ReferenceFunc reference_of_kind(VfiOpKind kind);
