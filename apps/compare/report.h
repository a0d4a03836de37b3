/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result as text: for people, and as JSON. */
#pragma once

#include "compare/comparison.h"

/** A table, a line a contestant, and what was compared; free with g_free(). */
char *report_text(const Comparison *comparison);

/**
 * All figures as JSON; docs/compare.md says what the fields mean. Numbers that are not
 * finite (the PSNR of equal pictures) are null. Free with g_free().
 */
char *report_json(const Comparison *comparison);

/** Checks as place_check() does whether that may be written to @path. Returns FALSE with
 * an error. */
gboolean report_json_check(const char *path, GError **error);
