/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state_dict_of("tlbvfi"). */
#pragma once

#include "state_entry.h"

/* The tensors that the network is computed from. */
GArray *state_dict_tlbvfi(void);
