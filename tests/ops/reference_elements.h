/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the definitions of kinds have in common: theirs stand in reference.c and, where an
 * element depends on whole pictures, in reference_wide.c. */
#pragma once

#include <math.h>

#include "op/descriptor.h"
#include "sanitizers.h"

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

#define DECLARE(SUFFIX, identifier)                                                      \
    ReferenceElement reference_##identifier(const ReferenceInput *in, int c, int y,      \
                                            int x);
VFI_OP_LIST(DECLARE)
#undef DECLARE

/* Element (@c, @y, @x) of source @source. */
static inline TEST_FORMULA double at(const ReferenceInput *in, int source, int c, int y,
                                     int x)
{
    VfiShape s = in->op->src[source].shape;

    return (double)
        in->src[source][((size_t)c * (size_t)s.h + (size_t)y) * (size_t)s.w + (size_t)x];
}

/* Notes a value that takes part, and gives it back. */
static inline double takes_part(ReferenceElement *element, double value)
{
    if (isfinite(value) && fabs(value) > element->largest)
        element->largest = fabs(value);
    return value;
}

/* The element whose value that is. */
static inline ReferenceElement finish(ReferenceElement element, double value)
{
    element.value = takes_part(&element, value);
    return element;
}
