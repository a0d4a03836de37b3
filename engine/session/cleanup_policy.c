/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/cleanup_policy.h"

#define GIB (UINT64_C(1) << 30)

/* Left to others. */
#define RESERVE (2 * GIB)
#define MIN_USABLE GIB
/* A pair's, besides frames and the arena. */
#define OVERHEAD GIB

#define MAX_INTERVAL 20
#define MANY_PAIRS 500
#define MAX_INTERVAL_OF_MANY 3

unsigned vfi_cleanup_interval(const VfiCleanupNumbers *numbers, gboolean *is_tight)
{
    uint64_t available = numbers->available_bytes;
    uint64_t usable = available > RESERVE + MIN_USABLE ? available - RESERVE : MIN_USABLE;
    /* In doubles, which hold frames of any size times any number of in-betweens. */
    double pair = (2.0 + numbers->in_betweens) * (double)numbers->frame_bytes +
                  (double)numbers->arena_bytes + (double)OVERHEAD;
    double fitting = (double)usable / pair;
    unsigned interval = fitting >= MAX_INTERVAL ? MAX_INTERVAL
                        : fitting < 1.0         ? 1
                                                : (unsigned)fitting;

    if (is_tight != NULL)
        *is_tight = numbers->total_bytes != 0 && fitting < 1.0;
    if (numbers->total_bytes == 0)
        interval = VFI_CLEANUP_PAIRS_UNKNOWN;
    return numbers->pairs > MANY_PAIRS ? MIN(interval, MAX_INTERVAL_OF_MANY) : interval;
}
