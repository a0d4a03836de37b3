/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Families whose result is motion that the steps of flow/ find: where these have their
 * data, and running them. What they keep lies behind a network's, if the family has one
 * too, in the same slots, pair memory and arena. */
#pragma once

#include "session/inference.h"

/* Plans the steps if the family has them. False with VFI_ERROR_UNSUPPORTED where the
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

/* Makes the picture that @view asks for of the motion that was found. */
bool vfi_apply_motion(VfiSession *session, const VfiView *view, const VfiMotion *motion,
                      const VfiFrame *out, GError **error);

/* Makes the picture that @view asks for; at once, or tile by tile (steps_tiles.c). */
bool vfi_infer_motion(VfiSession *session, const VfiView *view, const VfiFrame *out,
                      GError **error);
bool vfi_infer_motion_tiles(VfiSession *session, const VfiView *view, const VfiFrame *out,
                            GError **error);

/* "fast", "medium" or "best"; "" for families without such steps. */
const char *vfi_session_quality(const VfiSession *session);

/* What messages say behind the family's name: the quality, or the model's variant. */
const char *vfi_session_variant(const VfiSession *session);
