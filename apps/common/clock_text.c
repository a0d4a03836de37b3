/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/clock_text.h"

#include <math.h>
#include <string.h>

#define SECOND 1000000000

/* A hundred years of seconds: far below what 64 bits of nanoseconds hold. */
#define MOST_SECONDS 3.2e9

/* The last part may have a fraction; all but the first part are below 60. */
static gboolean parse_part(const char *text, gboolean is_first, gboolean is_last,
                           double *value)
{
    char *end;

    if (!g_ascii_isdigit(text[0]) ||
        strspn(text, is_last ? "0123456789." : "0123456789") != strlen(text))
        return FALSE;
    *value = g_ascii_strtod(text, &end);
    return *end == '\0' && (is_first || *value < 60);
}

gboolean clock_parse(const char *text, uint64_t *time, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint n = g_strv_length(parts);
    double seconds = 0;
    gboolean good = n >= 1 && n <= 3;

    for (guint i = 0; good && i < n; i++) {
        double part;

        good = parse_part(parts[i], i == 0, i + 1 == n, &part);
        if (good)
            seconds = seconds * 60 + part;
    }
    if (good && seconds <= MOST_SECONDS) {
        *time = (uint64_t)llround(seconds * SECOND);
        return TRUE;
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "time \"%s\": expected seconds (12.5), or [HOURS:]MINUTES:SECONDS "
                "(1:02:03.5)",
                text);
    return FALSE;
}

char *clock_text(uint64_t time)
{
    uint64_t ms = (time + SECOND / 2000) / (SECOND / 1000);
    guint64 hours = ms / 3600000;

    return g_strdup_printf("%" G_GUINT64_FORMAT ":%02u:%02u.%03u", hours,
                           (guint)(ms / 60000 % 60), (guint)(ms / 1000 % 60),
                           (guint)(ms % 1000));
}
