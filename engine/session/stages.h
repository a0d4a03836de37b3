/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of building a session that takes no memory to speak of: plans, and what they
 * would need. */
#pragma once

#include "session/session_internal.h"

/* False with VFI_ERROR_INVALID_ARGUMENT. */
VfiDeviceRequest vfi_session_request(const VfiSessionConfig *config);
bool vfi_session_check_config(const VfiSessionConfig *config, GError **error);

/* Fills in scale, padded size, tiles, graphs, plans and need. Wants .model, .video,
 * .backend and .device. VFI_ERROR_NO_MEMORY if config->memory_limit is too small. */
bool vfi_session_plan(VfiSession *session, const VfiSessionConfig *config,
                      GError **error);
void vfi_session_free_plans(VfiSession *session);

/* What the session's device wants of the plan of @stage. */
VfiPlanTarget vfi_session_plan_target(const VfiSession *session, VfiStage stage);

/* What width and height are padded to multiples of at session->scale. */
int vfi_session_size_multiple(const VfiSession *session);
