/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `flow` as lists of steps: which passes a frame, a pair and a time take, and where their
 * data lie. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include <vfi/frame.h>

#include "flow/step.h"
#include "pixels/motion.h"

typedef enum { VFI_FLOW_FAST, VFI_FLOW_MEDIUM, VFI_FLOW_BEST } VfiFlowQuality;

/* Steps of a frame see FRAME0 alone, those of a pair all but the frames' planes, those of
 * a time what the pair's left. */
typedef enum {
    VFI_FLOW_STAGE_FRAME,
    VFI_FLOW_STAGE_PAIR,
    VFI_FLOW_STAGE_TIME,
    VFI_FLOW_STAGES
} VfiFlowStage;

/* Immutable. */
typedef struct {
    VfiFlowQuality quality;
    int width, height; /* luma samples */
    /* Of a region of a frame, of PAIR and of ARENA. */
    size_t frame_bytes, pair_bytes, arena_bytes;
    VfiFlowStep *steps[VFI_FLOW_STAGES]; /* in the order they run in */
    int n_steps[VFI_FLOW_STAGES];
    VfiMotion shape; /* all but pointers and t */
    /* Where the shape's pointers lead. */
    VfiFlowPlane flow[VFI_MOTION_FLOWS][2], picture[2];
} VfiFlowPlan;

/* The plan for frames of @video. NULL with VFI_ERROR_INVALID_ARGUMENT, or with
 * VFI_ERROR_NO_MEMORY where its memory could not even be counted. */
VfiFlowPlan *vfi_flow_plan_new(const VfiVideoInfo *video, VfiFlowQuality quality,
                               GError **error);
/* NULL is allowed. */
void vfi_flow_plan_free(VfiFlowPlan *plan);

/* The first step of a frame makes the shape's picture of it, which takes this many bytes
 * from the region's begin on. */
size_t vfi_flow_picture_bytes(const VfiFlowPlan *plan);

/* What the steps of time @t left in the regions that they ran with. */
void vfi_flow_motion(const VfiFlowPlan *plan, char *const region[VFI_FLOW_REGIONS],
                     float t, VfiMotion *motion);
