/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running the network between two pictures. Worker thread only. */
#pragma once

#include "session/session_internal.h"

/* The time from @start, monotonic µs, until now was one run of @stage; a device that queues work
 * measures that itself. */
void vfi_record_time(VfiSession *session, VfiTimedStage stage, int64_t start);

/* Waits for a device that works while the host does not; others are waited for as each picture
 * lands. */
bool vfi_finish_work(VfiSession *session, GError **error);

/* What one run of the network sees: all of the picture, or a tile. */
typedef struct {
    VfiVideoInfo video;
    VfiFrame frames[2];
    uint64_t keys[2];
    double t;
    bool has_mean; /* .mean is that of both whole frames */
    double mean;
    const atomic_int *cancel;
} VfiView;

/* Prepares both frames of @view and runs their per-frame stage and the per-pair stage, where
 * that is not kept; fills @arguments for the time stage. */
bool vfi_ready_frames(VfiSession *session, const VfiView *view,
                      VfiRunArguments *arguments, GError **error);

/* Data of an output of the time stage. */
const float *vfi_output_data(const VfiSession *session, int segment, const char *name);

/* Makes the picture that @whole asks for: prepare what is not kept yet, run the stages, apply
 * the result to the planes of @out. At once, or tile by tile (inference_tiles.c). */
bool vfi_infer_whole(VfiSession *session, const VfiView *whole, const VfiFrame *out,
                     GError **error);
bool vfi_infer_tiles(VfiSession *session, const VfiView *whole, const VfiFrame *out,
                     GError **error);
