/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes from run to run of a step; apart from step.h, which is C++ as well. */
#pragma once

#include <stdatomic.h>

#include <vfi/frame.h>

#include "flow/step.h"

typedef struct {
    char *region[VFI_FLOW_REGIONS]; /* device memory */
    const VfiVideoInfo *video;
    const VfiFrame *frame;    /* LUMA, CHROMA; in the device's memory */
    float t;                  /* steps of a time; in (0, 1) */
    const atomic_int *cancel; /* polled while steps run; may be NULL */
} VfiFlowArguments;
