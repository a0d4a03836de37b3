/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RIFE's refinement: a context network over each frame and a U-Net that corrects the
 * blended picture (ECCV2022-RIFE, model/refine.py; in its checkpoints and those of 4.0 to
 * 4.4). */
#pragma once

#include "models/rife.h"

/* The result of the flow network; full padded size. */
typedef struct {
    VfiValue image0, image1;   /* 3 channels */
    VfiValue warped0, warped1; /* 3 channels */
    VfiValue flow;             /* 4 channels, pixels */
    VfiValue mask;             /* 1 channel, before the sigmoid */
    VfiRifeActivation activation;
} VfiRifeRefineInput;

/* Per-frame stage: features "context1" … "context4" of one image, 16 channels at 1/2 of
 * its size to 128 at 1/16. */
void vfi_rife_context(VfiGraph *graph, VfiRifeActivation activation);

/* Time stage: the corrected picture, 3 channels in [0,1]. @blend is sigmoid(mask). */
VfiValue vfi_rife_refine(VfiGraph *graph, const VfiRifeRefineInput *input,
                         VfiValue blend);
