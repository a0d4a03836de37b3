/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the readers of checkpoints, which know nothing of the pressure guard, meet it. */
#pragma once

#include "checkpoint/source.h"

/* Fills the claims of @hooks: memory is asked of the pressure guard. @headroom: as in
 * VfiMemoryRequest, which must outlive the checkpoint; NULL is automatic. */
void vfi_checkpoint_claims(VfiReadHooks *hooks, const uint64_t *headroom);
