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

/* Which operands lie off what memory is aligned to, where they may. */
typedef enum {
    ALIGNED,
    SOURCES_OFF = 1 << 0,
    RESULT_OFF = 1 << 1,
    ALL_OFF = SOURCES_OFF | RESULT_OFF,
} Alignment;

/* Whether any may: planes and blocks, while channels last are whole words, and what a
 * device's library for convolutions takes is aligned. */
bool can_be_off(const Target *target, const VfiOp *op, const Variant *variant);

/* Checks all but the result's values: bytes that are not the result's are as before,
 * padding is zero, a second run leaves the same bytes. */
Run *run_problem(Target *target, const Problem *problem, const Variant *variant,
                 Alignment alignment);
/* The same with *cancel set: checks that the run says so and leaves all as it was. */
Run *run_cancelled(Target *target, const Problem *problem, const Variant *variant);
void run_free(Run *run);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)
