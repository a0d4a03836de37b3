/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints that are nearly empty: names and shapes of tensors, whose values, all of
 * them zero, are a hole in the file. */
#pragma once

#include <glib.h>

/* Writes safetensors of @entries (StateEntry) but the one at @missing (G_MAXUINT: of all)
 * to @path; fails the test if that fails. */
void hollow_file(const GArray *entries, guint missing, const char *path);
