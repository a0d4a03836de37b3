/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints with deterministic weights: every family's state dict, filled from a hash
 * of each tensor's name, so that independent implementations can make the same ones. */
#pragma once

#include <glib.h>

#include "state_dict.h"

/* Writes the deterministic checkpoint of @family ("rife_v4_0", …) as a temporary
 * safetensors file. Returns its path (remove the file, then g_free()), or NULL with
 * VFI_ERROR_NOT_FOUND for a family that is not built. */
char *deterministic_checkpoint(const char *family, GError **error);

/* The same for any list of StateEntry. */
char *deterministic_file(const GArray *entries, GError **error);

/* All elements of @entry; free with g_free(). */
float *deterministic_values(const StateEntry *entry);

/* Element @index of the tensor @key of @kind with @n_elements elements and leading
 * dimension @first_dimension. */
float deterministic_value(const char *key, StateKind kind, guint64 index,
                          guint64 n_elements, guint64 first_dimension);
