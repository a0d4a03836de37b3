/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-bench --interactive: a worker that other programs take turns with.
 *
 *     (at the start)   {"version": "0.1.0", "segments": [0, 1], …}
 *     run              one pair: {"ms": 231.4, "rss_bytes": 229511168, …}
 *     picture FILE     the same, and writes the last in-between of A, B as PPM
 *     (anything else)  {"error": "…"}
 */
#include "bench.h"
#include "common/json_string.h"

#include <stdio.h>
#include <string.h>

static void answer_error(const GError *error)
{
    g_autofree char *message = json_string(error->message);

    printf("{\"error\": %s}\n", message);
}

/* Time of a pair whose last in-between is then in @bench->out. */
static void answer_pair(Bench *bench, const char *picture)
{
    g_autoptr(GError) error = NULL;
    VfiSessionStats stats;
    double ms = 0.0;

    if (picture != NULL && bench->n_pairs % 2 != 0) /* the other way round is next */
        ms = bench_time_pair(bench, &error);
    if (ms >= 0.0)
        ms = bench_time_pair(bench, &error);
    if (ms >= 0.0 && picture != NULL)
        bench_write_frame(&bench->video, &bench->out, picture, &error);
    if (error != NULL) {
        answer_error(error);
        return;
    }
    vfi_session_get_stats(bench->session, &stats);
    printf("{\"ms\": %.3f, \"rss_bytes\": %" G_GUINT64_FORMAT
           ", \"device_free_bytes\": %" G_GUINT64_FORMAT "}\n",
           ms, bench_peak_rss(), (guint64)stats.device_free_bytes);
}

/* Segments of the time stage that have run: with RIFE 4.0, whether it started again for a
 * large motion. */
static void print_segments(const Bench *bench)
{
    const VfiPlan *plan = bench->session->plans[VFI_STAGE_TIME];
    const guint64 *ns = bench->session->profile[VFI_STAGE_TIME];
    const char *separator = "";

    printf(", \"segments\": [");
    for (int s = 0; plan != NULL && s < plan->n_segments; s++) {
        guint64 sum = 0;
        for (int i = 0; i < plan->segments[s].n_ops; i++)
            sum += ns[plan->segments[s].first_op + i];
        if (sum != 0) {
            printf("%s%d", separator, s);
            separator = ", ";
        }
    }
    printf("]");
}

static void answer_start(const Bench *bench)
{
    VfiSessionStats stats;

    vfi_session_get_stats(bench->session, &stats);
    printf(
        "{\"version\": \"%s\", \"cpu_level\": \"%s\", \"threads\": %u, \"padded_width\": "
        "%d, \"padded_height\": %d",
        VFI_BENCH_VERSION, stats.cpu_level, stats.threads, stats.padded_width,
        stats.padded_height);
    print_segments(bench);
    printf("}\n");
}

gboolean bench_serve(Bench *bench, GError **error)
{
    char line[4096];

    if (!bench_warm_up(bench, error))
        return FALSE;
    answer_start(bench);
    for (;;) {
        fflush(stdout);
        if (fgets(line, sizeof(line), stdin) == NULL)
            return TRUE;
        g_strchomp(line);
        if (strcmp(line, "run") == 0) {
            answer_pair(bench, NULL);
        } else if (g_str_has_prefix(line, "picture ")) {
            answer_pair(bench, line + strlen("picture "));
        } else {
            g_autoptr(GError) unknown =
                g_error_new(VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                            "unknown command \"%s\": expected run or picture FILE", line);
            answer_error(unknown);
        }
    }
}
