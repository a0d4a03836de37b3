/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An op of some case with what it is run on, and what it must give. */
#pragma once

#include <vfi/session.h>

#include "reference.h"

typedef struct {
    VfiOp op; /* shapes, parameters, arrays */
    float *arrays[VFI_OP_MAX_ARRAYS];
    float *values[VFI_OP_MAX_SOURCES]; /* planes */
    VfiRunInputs inputs;               /* what runs are given */
    /* By which sources were stored as f16 (bit i: source i); NULL until asked for. */
    struct Expected *expected[1 << VFI_OP_MAX_SOURCES];
} Problem;

/* What the definition gives, of dst's shape. */
typedef struct Expected {
    float *stored[VFI_OP_MAX_SOURCES]; /* the sources' values as they were stored */
    size_t n;
    ReferenceElement *elements;
    /* With denormal sources taken as zero; NULL if there are none. */
    ReferenceElement *flushed;
    /* What the device gave, alone and from planes to planes; NULL before it was asked. */
    float *from_planes;
} Expected;

/* The op of @test with the random values of @seed. @low_precision: values and weights of
 * sums are such that f16 holds, so that rounding them first does not count. NULL with
 * what vfi_op_infer() says. */
Problem *problem_new(VfiOpKind kind, const VfiOpCase *test, guint32 seed,
                     bool low_precision, GError **error);
void problem_free(Problem *problem);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Problem, problem_free)

/* Of sources that f16 has rounded where @halves says so. Belongs to the problem. */
Expected *problem_expect(Problem *problem, unsigned halves);

/* Whether @result (planes) is what is expected, as near as the kind's tolerance says for
 * a device that computes with @precision; where the result was stored as f16, to within
 * that. Else appends the worst element to @why. */
bool problem_judge(const Problem *problem, const Expected *expected, const float *result,
                   bool half, VfiPrecision precision, GString *why);
