/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect --plan: the plans of a model's stages as a session would make them, and how
 * they are shown. Planning takes no memory to speak of and wants no GPU. */
#pragma once

#include <vfi/vfi.h>

#include "plan/trace.h"
#include "session/session_internal.h"

typedef struct {
    const char *name; /* "constant", "frame", "pair" or "time" */
    const VfiGraph *graph;
    VfiPlan *plan;
    VfiPlanTrace trace;
    gboolean *is_usual; /* per segment: whether it runs where nothing moves */
} InspectedStage;

typedef struct {
    VfiModel *model;
    VfiSession session; /* as far as planning fills it in */
    VfiDeviceInfo device;
    gboolean channels_last; /* what blocked operands are */
    InspectedStage stages[VFI_STAGE_COUNT];
    int n_stages;
} InspectedPlan;

/* Plans @model, which it takes, for @config. Where there is no GPU, plans for one are
 * made without it. Clear it in any case. */
gboolean inspected_plan_init(InspectedPlan *inspected, VfiModel *model,
                             const VfiSessionConfig *config, GError **error);
void inspected_plan_clear(InspectedPlan *inspected);

/* Bytes of memory for the plans: what the stages' arenas share, what is kept of each
 * frame, of the pair and as long as the session; a loop's states, those read and those
 * written. */
typedef struct {
    size_t arena, frame, pair, constant, states;
} InspectedMemory;

InspectedMemory inspected_plan_memory(const InspectedPlan *inspected);

/* "rgb", "flow", "motion" or "blend": what the time stage gives. */
const char *inspected_plan_output(const InspectedPlan *inspected);

/* The row group of op @op, or -1. */
int inspected_group_of(const VfiPlan *plan, int op);

/* The segment that op @op belongs to. */
int inspected_segment_of(const VfiPlan *plan, int op);

/* What segment @segment follows; -1: none. */
int inspected_follows(const InspectedStage *stage, int segment);

/* ", 5 rounds" of a loop, else "". Free with g_free(). */
char *inspected_rounds(const VfiPlanSegment *segment);

/* The most bytes of the arena that are in use at once, and at which op. */
size_t inspected_peak(const InspectedStage *stage, int *op);

/* "planar", "blocked" or "channels last". */
const char *inspected_layout(const InspectedPlan *inspected, const VfiOperand *operand);

/* "arena", "frame0", "pair", "state", "next_state", "rows" …; static or interned. */
const char *inspected_region(int region);

/* "prelu", …; NULL for none. */
const char *inspected_activation(const VfiOp *op);

/* "before activation", "after activation"; NULL for none. */
const char *inspected_residual(const VfiOp *op);

/* The steps of models that have them in place of a network; nothing for others. */
void inspected_print_steps_text(const InspectedPlan *inspected);
/* As fields of the plan's object: ", …". */
void inspected_print_steps_json(const InspectedPlan *inspected);
/* As subgraphs of the plan's graph. */
void inspected_print_steps_dot(const InspectedPlan *inspected);

void inspected_print_text(const InspectedPlan *inspected);
/* One object, in one line. */
void inspected_print_json(const InspectedPlan *inspected);
/* A graph for Graphviz: a node per op, clusters for stages, segments and row groups. */
void inspected_print_dot(const InspectedPlan *inspected);
