/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the segments of an output, one after the other. */
#pragma once

#include "convert/interrupt.h"
#include "convert/progress.h"
#include "convert/work.h"

typedef enum {
    SEGMENTS_COMPLETE,
    SEGMENTS_INTERRUPTED,
    SEGMENTS_FAILED,
} SegmentsResult;

typedef struct {
    const Plan *plan;
    Work *work;
    Progress *progress;
    const Interrupt *interrupt;
} SegmentsJob;

/* Goes on behind what the journal has. @count: files of segments that are there now, from
 * 0; at an interruption the last of them may be one that the journal does not have. @end:
 * where the output ends. An error only with SEGMENTS_FAILED. */
SegmentsResult segments_make(const SegmentsJob *job, guint *count, GstClockTime *end,
                             GError **error);
