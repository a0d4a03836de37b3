/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result as a page that needs nothing but itself. */
#pragma once

#include "compare/comparison.h"

/**
 * Checks as place_check() does whether a page may be written to @path. Returns FALSE with
 * an error.
 */
gboolean page_check(const char *path, GError **error);

/** Writes the page of @comparison, pictures and all, to @path, which has it as a whole or
 * as it was. Returns FALSE with an error. */
gboolean page_write(const Comparison *comparison, const char *path, GError **error);
