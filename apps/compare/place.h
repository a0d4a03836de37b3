/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where results go. */
#pragma once

#include <gio/gio.h>

/**
 * Checks before work begins whether a file may be written to @path: makes the folders
 * above it, tries to write there, and refuses to replace a file that does not begin with
 * @begin, which is what each @what ("page") of this program begins with. Returns FALSE
 * with an error.
 */
gboolean place_check(const char *path, const char *begin, const char *what,
                     GError **error);
