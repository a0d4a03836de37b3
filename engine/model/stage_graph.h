/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graphs of a family's stages, each of which reads what earlier ones leave. */
#pragma once

#include "model/family.h"
#include "plan/plan.h"

typedef struct {
    const VfiModelFamily *family;
    const VfiModelSetup *setup;
    const VfiWeights *weights; /* must outlive plans; NULL for a family without */
    int width, height;         /* of the network's input, padding included */
    double scale;              /* of the flow */
    VfiTally *tally;           /* see vfi_graph_set_tally(); or NULL */
} VfiStageSource;

/* Builds the graph of @stage. @plans: those of earlier stages, NULL where there is none.
 * NULL if the family has no such stage; errors are the graph's. */
VfiGraph *vfi_stage_graph_new(const VfiStageSource *source, VfiStage stage,
                              VfiPlan *const plans[VFI_STAGE_COUNT]);
