/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion that the steps of flow/ find, in place of a network or beside one that is
 * polished (polish.h): where these have their data, and running them. What they keep lies
 * behind a network's in the same slots, pair memory and arena. */
#pragma once

#include "session/inference.h"

/* Plans the steps if the model wants them. False with VFI_ERROR_UNSUPPORTED where the
 * device cannot run them. */
bool vfi_session_plan_motion(VfiSession *session, GError **error);
void vfi_session_free_motion(VfiSession *session);

/* Adds the steps' memory to session->need, behind what a network needs. False: there
 * are not so many addresses. */
bool vfi_session_place_motion(VfiSession *session);

/* The plan of tile (@column, @row). */
const VfiFlowPlan *vfi_session_tile_plan(const VfiSession *session, int column, int row);

/* Runs one stage of @plan. Steps of the whole picture are profiled where a device
 * computes in the host's memory. */
bool vfi_run_steps(VfiSession *session, const VfiFlowPlan *plan, VfiFlowStage stage,
                   const VfiFlowArguments *arguments, GError **error);

/* Of the whole picture: runs the frame and pair stages for @view as far as results are
 * not kept, and fills @arguments for the time stage, which vfi_find_motion() runs. What
 * lies in the arena before is lost. */
bool vfi_ready_motion(VfiSession *session, const VfiView *view,
                      VfiFlowArguments *arguments, GError **error);
/* Leaves what a network found in the arena. */
bool vfi_find_motion(VfiSession *session, const VfiFlowArguments *arguments,
                     VfiMotion *motion, GError **error);

/* All of that tile by tile (steps_tiles.c). */
bool vfi_find_motion_of_tiles(VfiSession *session, const VfiView *view, VfiMotion *motion,
                              GError **error);

/* Makes luma rows [begin, end) of the picture that @view asks for of @motion. */
bool vfi_apply_motion(VfiSession *session, const VfiView *view, const VfiMotion *motion,
                      const VfiFrame *out, int begin, int end, GError **error);

/* Makes the picture that @view asks for without a network. */
bool vfi_infer_motion(VfiSession *session, const VfiView *view, const VfiFrame *out,
                      GError **error);

/* "fast", "medium" or "best"; "" for families without such steps. */
const char *vfi_session_quality(const VfiSession *session);

/* What messages say behind the family's name: the quality, or the model's variant. */
const char *vfi_session_variant(const VfiSession *session);
