/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments of the time stage, which may be loops. Worker thread only. */
#pragma once

#include "session/session_internal.h"

/* @job is going to run the time stage once more, for each tile. */
void vfi_expect_rounds(VfiSession *session, VfiJob *job);

/* Runs @segment of the time stage, for @job, all its rounds, with the arguments that
 * vfi_ready_frames() has filled in. Afterwards they are what the next segment wants. */
bool vfi_run_segment(VfiSession *session, VfiJob *job, int segment,
                     VfiRunArguments *arguments, GError **error);
