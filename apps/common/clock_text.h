/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times in a clip as people write them. */
#pragma once

#include <stdint.h>

#include <glib.h>

/**
 * Reads seconds ("12", "12.5"), minutes and seconds ("1:02.5") or hours, minutes and
 * seconds ("1:02:03.25") into *@time, nanoseconds. Returns FALSE with G_OPTION_ERROR that
 * says what was expected.
 */
gboolean clock_parse(const char *text, uint64_t *time, GError **error);

/** @time, nanoseconds, as "1:02:03.250", rounded to milliseconds; free with g_free(). */
char *clock_text(uint64_t time);
