/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments of the time stage, which may be loops. Worker thread only. */
#pragma once

#include "session/session_internal.h"

/* @job is going to run the time stage once more, for each tile, and @n_frames times the
 * stage of a frame. */
void vfi_expect_rounds(VfiSession *session, VfiJob *job, int n_frames);

/* Whether jobs tell how far they are: that of a network with a loop. */
bool vfi_session_tells_progress(const VfiSession *session);

/* So much of a job's work has been done: as VfiRunArguments wants to be told, and of a
 * whole segment of @plan, where the device does not tell. */
void vfi_note_ops(void *job, const VfiOp *ops, int n_ops);
void vfi_note_segment(VfiSession *session, VfiJob *job, const VfiPlan *plan, int segment);

/* For tests, while no job is queued: @hook sees a loop's states, in device memory and as
 * the plan lays them out, as each round is going to read them, and changes them as it
 * likes (where the device is not the host, by the backend's means: everything that was
 * queued has run). Once more behind the last round, with as many as there are: then they
 * are what comes after the loop. NULL: none. Worker thread only. */
typedef void VfiRoundHook(VfiSession *session, int round, char *states, void *data);
void vfi_session_set_round_hook(VfiSession *session, VfiRoundHook *hook, void *data);

/* Runs @segment of the time stage, for @job, all its rounds, with the arguments that
 * vfi_ready_frames() has filled in. Afterwards they are what the next segment wants. */
bool vfi_run_segment(VfiSession *session, VfiJob *job, int segment,
                     VfiRunArguments *arguments, GError **error);
