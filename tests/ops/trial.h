/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One problem in its variants: runs them, compares what comes out, and keeps the
 * tally. */
#pragma once

#include "run.h"

/* The devices that a trial takes place on. */
typedef struct {
    Target *target;
    Target
        *other; /* the same with more threads where the host computes; else it itself */
} Devices;

/* What became of the runs of a kind. */
typedef struct {
    int runs, refused;
    int together, half, grouped, in_place; /* of the runs */
    GString *wrong;                        /* a line for each thing that was */
    GString *refusal;                      /* what the device said first */
} Tally;

/* About @most of the op's variants (0: all), others for each @turn. */
void try_problem(const Devices *devices, Tally *tally, Problem *problem, guint most,
                 guint turn);
/* All of them, cancelled before they begin. Returns their number. */
guint try_cancelled(const Devices *devices, Tally *tally, const Problem *problem);

/* "warp of 3×17×41 and 2×17×41 to 3×17×41" */
void append_problem(GString *text, const VfiOp *op);
