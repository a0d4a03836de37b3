/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <vfi/model.h>

#include "state_dict.h"

/* Opens the model of a family ("rife_v4_0", …) from its deterministic checkpoint.
 * @options: a dictionary of model options as GVariant's text, or NULL. Fails the test
 * instead of returning NULL. */
VfiModel *open_family(const char *family, const char *options);

/* Opens the model of a deterministic checkpoint with these entries. */
VfiModel *open_entries(const GArray *entries, GVariant *options, GError **error);

/* The entry of that key; fails the test if there is none. */
StateEntry *find_entry(GArray *entries, const char *key);
