/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/meter.h"

#include <stdio.h>
#include <unistd.h>

/* Not more often than eyes can follow, µs. */
#define INTERVAL (G_USEC_PER_SEC / 10)

/* Returns to the line's begin and clears it. */
#define CLEAR_LINE "\r\033[K"

struct Meter {
    char *what;
    guint at, n;
    gboolean is_terminal;
    gint64 begun, told;
};

Meter *meter_new(void)
{
    Meter *meter = g_new0(Meter, 1);

    meter->is_terminal = isatty(STDERR_FILENO);
    return meter;
}

void meter_free(Meter *meter)
{
    if (meter == NULL)
        return;
    if (meter->is_terminal)
        fputs(CLEAR_LINE, stderr);
    g_free(meter->what);
    g_free(meter);
}

void meter_begin(Meter *meter, const char *what, guint at, guint n)
{
    g_free(meter->what);
    meter->what = g_strdup(what);
    meter->at = at;
    meter->n = n;
    meter->begun = g_get_monotonic_time();
    meter->told = 0;
    if (!meter->is_terminal)
        fprintf(stderr, "[%u/%u] %s\n", at + 1, n, what);
    else
        meter_tell(meter, 0, NULL);
}

void meter_tell(Meter *meter, double part, const char *detail)
{
    gint64 now = g_get_monotonic_time();
    double seconds = (double)(now - meter->begun) / G_USEC_PER_SEC;

    if (!meter->is_terminal || now - meter->told < INTERVAL)
        return;
    meter->told = now;
    fprintf(stderr, CLEAR_LINE "[%u/%u] %s  %3.0f %%%s%s", meter->at + 1, meter->n,
            meter->what, part * 100, detail != NULL ? "  " : "",
            detail != NULL ? detail : "");
    if (part > 0)
        fprintf(stderr, "  %.0f s left", seconds / part * (1 - part));
    fflush(stderr);
}

void meter_say(Meter *meter, const char *line)
{
    fprintf(stderr, "%s%s\n", meter->is_terminal ? CLEAR_LINE : "", line);
}
