/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state_dict_of("tlbvfi"). */
#pragma once

#include "state_entry.h"

/* The tensors that the network is computed from. */
GArray *state_dict_tlbvfi(void);

/* What its trainer's checkpoints hold beside them under names of their own: the schedule,
 * shortcuts and convolutions that no value goes through, counters of batches. (All of
 * "vqgan." stands there once more as "cond_stage_model.".) The values are not the
 * trainer's. */
GArray *state_dict_tlbvfi_unused(void);
