/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening and closing a finished file whose header is changed in place. */
#pragma once

#include <glib.h>
#include <stdio.h>

/* NULL and a MEDIA_ERROR. */
FILE *in_place_open(const char *path, GError **error);

/* Closes @file, which may lose what was written. FALSE and a MEDIA_ERROR if that fails,
 * or if it was not @changed. */
gboolean in_place_close(FILE *file, gboolean changed, const char *path, GError **error);
