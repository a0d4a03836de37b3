/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs pairs and takes their times. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>

#include "op/descriptor.h"

int bench_launch_ops(const VfiSession *session, int stage, int op)
{
    const VfiPlan *plan = session->plans[stage];

    for (int i = 0; !session->backend->host_memory && i < plan->n_row_groups; i++)
        if (plan->row_groups[i].first_op == op)
            return plan->row_groups[i].n_ops;
    return 1;
}

double bench_launch_flop(const VfiSession *session, int stage, int op)
{
    double flop = 0.0;

    for (int i = 0; i < bench_launch_ops(session, stage, op); i++)
        flop += 2.0 * vfi_op_macs(&session->plans[stage]->ops[op + i]);
    return flop;
}

/* What ran is what has a time in the profile; in a loop, once in each round. */
static double segment_flop(const VfiSession *session, int stage, int segment)
{
    const VfiPlanSegment *range = &session->plans[stage]->segments[segment];
    double flop = 0.0;

    for (int i = range->first_op; i < range->first_op + range->n_ops; i++)
        if (session->profile[stage][i] != 0)
            flop += bench_launch_flop(session, stage, i);
    return flop * range->rounds;
}

static double profiled_flop(const VfiSession *session, int stage)
{
    const VfiPlan *plan = session->plans[stage];
    double flop = 0.0;

    for (int s = 0; plan != NULL && s < plan->n_segments; s++)
        flop += segment_flop(session, stage, s);
    return flop;
}

void bench_clear_profile(Bench *bench)
{
    VfiSession *session = bench->session;

    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++)
        if (session->plans[stage] != NULL && session->profile[stage] != NULL)
            memset(session->profile[stage], 0,
                   (size_t)session->plans[stage]->n_ops * sizeof(guint64));
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        if (session->motion.profile[stage] != NULL)
            memset(session->motion.profile[stage], 0,
                   (size_t)session->motion.plan->n_steps[stage] * sizeof(guint64));
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare_doubles);
    return n % 2 != 0 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

guint64 bench_peak_rss(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (guint64)usage.ru_maxrss * 1024;
}

VfiPair *bench_begin_pair(Bench *bench, GError **error)
{
    guint64 number = bench->n_pairs++;
    VfiFrame frames[VFI_MAX_VIEW_FRAMES];
    int before, after;

    vfi_session_neighbours(bench->session, &before, &after);
    int n_frames = before + 2 + after;
    for (int i = 0; i < n_frames; i++) {
        frames[i] = bench->frames[(number + (guint64)i) % 2];
        frames[i].id = number + (guint64)i + 1; /* the next pair has all but the first */
    }
    return vfi_session_begin(bench->session, frames, (size_t)n_frames, number, error);
}

/* From one line about a picture that takes long to the next, µs. */
#define TELL_INTERVAL 2000000

/* Waits for @job, and says on stderr how far it is. */
static gboolean wait_for_job(VfiJob *job, GError **error)
{
    gint64 elapsed, told = 0;
    double part = 0.0;

    while (vfi_job_wait_work(job, part)) {
        guint round, n_rounds;
        vfi_job_get_work(job, &part, &elapsed);
        vfi_job_get_progress(job, &round, &n_rounds);
        if (part <= 0.0 || elapsed < told + TELL_INTERVAL)
            continue;
        told = elapsed;
        fprintf(
            stderr,
            "vfi-bench: round %u of %u, %.0f %% of the work after %.1f s, about %.0f s "
            "left\n",
            round, n_rounds, 100.0 * part, (double)elapsed / 1e6,
            (double)elapsed / 1e6 * (1.0 - part) / part);
    }
    return vfi_job_wait(job, error);
}

double bench_time_pair(Bench *bench, GError **error)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(VfiPair) pair = bench_begin_pair(bench, error);

    if (pair == NULL)
        return -1.0;
    for (guint i = 0; i < bench->n_times; i++) {
        g_autoptr(VfiJob) job =
            vfi_pair_submit(pair, bench->times[i], &bench->out, error);
        if (job == NULL || !wait_for_job(job, error))
            return -1.0;
    }
    return (double)(g_get_monotonic_time() - start) / 1e3;
}

gboolean bench_warm_up(Bench *bench, GError **error)
{
    for (int i = 0; i < bench->arguments->warm_up; i++) {
        vfi_session_set_profiling(bench->session, i == 0);
        if (bench_time_pair(bench, error) < 0.0)
            return FALSE;
    }
    vfi_session_set_profiling(bench->session, FALSE);
    return TRUE;
}

gboolean bench_measure(Bench *bench, BenchFigures *figures, GError **error)
{
    const BenchArguments *a = bench->arguments;
    size_t runs = (size_t)a->runs;
    g_autofree double *ms = g_new0(double, runs);

    if (!bench_warm_up(bench, error))
        return FALSE;
    vfi_session_get_stats(bench->session, &figures->stats);
    figures->gflop = figures->stats.tiles *
                     (profiled_flop(bench->session, VFI_STAGE_FRAME) +
                      profiled_flop(bench->session, VFI_STAGE_PAIR) +
                      bench->n_times * profiled_flop(bench->session, VFI_STAGE_TIME));
    bench_clear_profile(bench);
    vfi_session_set_profiling(bench->session, a->profile);
    for (size_t i = 0; i < runs; i++)
        if ((ms[i] = bench_time_pair(bench, error)) < 0.0)
            return FALSE;
    vfi_session_set_profiling(bench->session, FALSE);
    if (a->in_flight > 1 && !bench_throughput(bench, &figures->in_flight_ms, error))
        return FALSE;
    figures->median = bench_median(ms, runs);
    figures->min = ms[0];
    figures->max = ms[runs - 1];
    figures->gflops = figures->gflop / (figures->median * 1e6);
    vfi_session_get_stats(bench->session, &figures->stats);
    figures->rss_bytes = bench_peak_rss();
    return TRUE;
}
