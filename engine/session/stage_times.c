/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/stage_times.h"

#include <stdlib.h>
#include <string.h>

void vfi_stage_ring_add(VfiStageRing *ring, double milliseconds)
{
    ring->milliseconds[ring->runs++ % VFI_STAGE_TIMES_KEPT] = (float)milliseconds;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

void vfi_stage_ring_read(const VfiStageRing *ring, VfiStageTimes *times)
{
    size_t n = (size_t)MIN(ring->runs, VFI_STAGE_TIMES_KEPT);
    float sorted[VFI_STAGE_TIMES_KEPT];

    *times = (VfiStageTimes){.runs = ring->runs};
    if (n == 0)
        return;
    memcpy(sorted, ring->milliseconds, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare);
    times->p50 = (double)sorted[(n * 50 + 99) / 100 - 1];
    times->p95 = (double)sorted[(n * 95 + 99) / 100 - 1];
}
