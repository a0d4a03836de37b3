/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a problem in one variant on a device, between guard bytes. */
#pragma once

#include "problem.h"
#include "target.h"
#include "variant.h"

/* What a run has left. */
typedef struct {
    float *result;  /* planes, of dst's shape */
    bool refused;   /* by compile(), before anything ran */
    GString *wrong; /* why the run failed, empty if it has not */
} Run;

/* Whether any operand may lie off what memory is aligned to: planes and blocks may,
 * channels last are whole words, and what a device's library for convolutions takes is
 * aligned. */
bool can_be_shifted(const Target *target, const VfiOp *op, const Variant *variant);

/* Operands that may lie @shift elements off alignment. Checks all but the result's
 * values: bytes that are not the result's are as before, padding is zero, a second run
 * leaves the same bytes. */
Run *run_problem(Target *target, const Problem *problem, const Variant *variant,
                 int shift);
/* The same with *cancel set: checks that the run says so and leaves all as it was. */
Run *run_cancelled(Target *target, const Problem *problem, const Variant *variant);
void run_free(Run *run);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)
