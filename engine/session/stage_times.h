/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long the parts of an in-between took lately: a ring of times for each. Not
 * thread-safe. */
#pragma once

#include <vfi/session.h>

#define VFI_STAGE_TIMES_KEPT 128

/* Zero-initialise. */
typedef struct {
    uint64_t runs;
    float milliseconds[VFI_STAGE_TIMES_KEPT];
} VfiStageRing;

void vfi_stage_ring_add(VfiStageRing *ring, double milliseconds);

/* Percentiles by nearest rank of the times kept. */
void vfi_stage_ring_read(const VfiStageRing *ring, VfiStageTimes *times);
