/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Model options, checked against the family's table.
 * Thread-safe. */
#pragma once

#include "model/family.h"

/* Values for every option of @family: @options (a{sv} or NULL) over the defaults; the
 * family may refuse them for @variant. NULL with VFI_ERROR_INVALID_ARGUMENT that names
 * the offender and lists what is valid. Release with g_hash_table_unref(). */
GHashTable *vfi_options_resolve(const VfiModelFamily *family, int variant,
                                GVariant *options, GError **error);
