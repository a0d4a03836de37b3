/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and shapes of the families' state dicts, stated apart from the models' own
 * code. */
#pragma once

#include "state_entry.h"

/* All tensors of @family ("rife_v4_0", "rife_v3_6", "rife_eccv", "ifrnet_s", "film", …;
 * "film_tiny" has 8 filters, flow filters 4 … 32, "film_min" 1, flow filters 2 … 16,
 * "film_none" none; "tlbvfi" without what its network leaves unused; "three_frames",
 * "four_frames", … of tests/families/) as an array of StateEntry, or NULL. */
GArray *state_dict_of(const char *family);
