/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that are polished: their flows and mask are one hypothesis more of the motion
 * that the steps of flow/ find. Worker thread only. */
#pragma once

#include "session/steps.h"

/* Whether the session's model is. */
static inline bool vfi_session_polishes(const VfiSession *session)
{
    return session->plans[VFI_STAGE_TIME] != NULL && session->motion.plan != NULL;
}

/* Rows of the network's result that the picture's rows are made of, above and below
 * them. */
static inline int vfi_polish_reach(const VfiSession *session)
{
    return vfi_motion_network_reach(&session->motion.plan->shape);
}

/* Makes luma rows [begin, end) of the picture that @view asks for, of the motion that was
 * found for it and of the network's. */
bool vfi_polish_rows(VfiSession *session, const VfiView *view, const VfiMotion *found,
                     const VfiFlowField *network, const VfiFrame *out, int begin, int end,
                     GError **error);

/* Makes the whole picture that @view asks for; for tiles see inference_tiles.c. */
bool vfi_infer_polished(VfiSession *session, const VfiView *view, const VfiFrame *out,
                        GError **error);
