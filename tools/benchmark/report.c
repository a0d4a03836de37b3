/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures as text and as one line of JSON. */
#include "bench.h"
#include "common/json_string.h"

#include <stdio.h>

/* One op's time in a pair, milliseconds; the mean over the timed runs. */
static double op_ms(const Bench *bench, int stage, int op)
{
    return (double)bench->session->profile[stage][op] / 1e6 / bench->arguments->runs;
}

static const char *stage_name(int stage)
{
    static const char *const names[VFI_STAGE_COUNT] = {[VFI_STAGE_CONSTANT] = "constant",
                                                       [VFI_STAGE_FRAME] = "frame",
                                                       [VFI_STAGE_PAIR] = "pair",
                                                       [VFI_STAGE_TIME] = "time"};

    return names[stage];
}

/* Of a stage of steps. */
static const char *step_stage_name(int stage)
{
    static const char *const names[VFI_FLOW_STAGES] = {[VFI_FLOW_STAGE_FRAME] = "frame",
                                                       [VFI_FLOW_STAGE_PAIR] = "pair",
                                                       [VFI_FLOW_STAGE_TIME] = "time"};

    return names[stage];
}

/* Whether @stage exists and its op has run. */
static gboolean op_ran(const Bench *bench, int stage, int op)
{
    return bench->session->profile[stage][op] != 0;
}

/* The op's name, or of a row group that ran as one launch its first and last op's. */
static char *launch_name(const Bench *bench, int stage, int op)
{
    const VfiOp *ops = bench->session->plans[stage]->ops;
    int n = bench_launch_ops(bench->session, stage, op);

    return n == 1 ? g_strdup(ops[op].name)
                  : g_strdup_printf("%s .. %s", ops[op].name, ops[op + n - 1].name);
}

/* What a row group that ran as one launch is called among the kinds of ops. */
#define ROW_GROUP "row group"

/* Time by kind of op, and every op or row group that ran. */
static void print_profile_text(const Bench *bench)
{
    double kinds[VFI_OP_KIND_COUNT] = {0}, row_groups = 0.0;

    printf("\nop                                                   ms    GFLOP/s\n");
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = bench->session->plans[stage];
        for (int i = 0; plan != NULL && i < plan->n_ops; i++) {
            const VfiOp *op = &plan->ops[i];
            if (!op_ran(bench, stage, i))
                continue;
            int n = bench_launch_ops(bench->session, stage, i);
            VfiShape src = op->src[0].shape, dst = plan->ops[i + n - 1].dst.shape;
            double ms = op_ms(bench, stage, i);
            g_autofree char *name = launch_name(bench, stage, i);
            *(n == 1 ? &kinds[op->kind] : &row_groups) += ms;
            printf("%-24s %4dx%4dx%4d > %3dx%4dx%4d %8.3f %8.1f\n", name, src.c, src.h,
                   src.w, dst.c, dst.h, dst.w, ms,
                   bench_launch_flop(bench->session, stage, i) / (ms * 1e6));
        }
    }
    printf("\nkind            ms a pair\n");
    for (int kind = 0; kind < VFI_OP_KIND_COUNT; kind++)
        if (kinds[kind] > 0.0)
            printf("%-15s %9.3f\n", vfi_op_kind_to_string((VfiOpKind)kind), kinds[kind]);
    if (row_groups > 0.0)
        printf("%-15s %9.3f\n", ROW_GROUP, row_groups);
}

/* The same of the steps of models that have them in place of a network, or beside it. */
static double step_ms(const Bench *bench, int stage, int step)
{
    return (double)bench->session->motion.profile[stage][step] / 1e6 /
           bench->arguments->runs;
}

static void print_steps_text(const Bench *bench)
{
    const VfiFlowPlan *plan = bench->session->motion.plan;
    double kinds[VFI_FLOW_STEP_KINDS] = {0};

    printf("\nstep                        size        ms\n");
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        for (int i = 0; i < plan->n_steps[stage]; i++) {
            const VfiFlowStep *step = &plan->steps[stage][i];
            const VfiFlowPlane *result = vfi_flow_step_result(step);
            kinds[step->kind] += step_ms(bench, stage, i);
            printf("%-6s %-16s %4dx%4d %9.3f\n", step_stage_name(stage),
                   vfi_flow_step_name(step->kind), result->w, result->h,
                   step_ms(bench, stage, i));
        }
    printf("\nkind            ms a pair\n");
    for (int kind = 0; kind < VFI_FLOW_STEP_KINDS; kind++)
        if (kinds[kind] > 0.0)
            printf("%-15s %9.3f\n", vfi_flow_step_name((VfiFlowStepKind)kind),
                   kinds[kind]);
}

static void print_steps_json(const Bench *bench)
{
    const VfiFlowPlan *plan = bench->session->motion.plan;
    const char *separator = "";

    printf(", \"steps\": [");
    for (int stage = 0; stage < VFI_FLOW_STAGES; stage++)
        for (int i = 0; i < plan->n_steps[stage]; i++) {
            const VfiFlowStep *step = &plan->steps[stage][i];
            const VfiFlowPlane *result = vfi_flow_step_result(step);
            printf("%s{\"stage\": \"%s\", \"kind\": \"%s\", \"width\": %d, "
                   "\"height\": %d, \"ms\": %.4f}",
                   separator, step_stage_name(stage), vfi_flow_step_name(step->kind),
                   result->w, result->h, step_ms(bench, stage, i));
            separator = ", ";
        }
    printf("]");
}

static void print_profile_json(const Bench *bench)
{
    const char *separator = "";

    printf(", \"profile\": [");
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = bench->session->plans[stage];
        for (int i = 0; plan != NULL && i < plan->n_ops; i++) {
            const VfiOp *op = &plan->ops[i];
            if (!op_ran(bench, stage, i))
                continue;
            int n = bench_launch_ops(bench->session, stage, i);
            const VfiShape *src = &op->src[0].shape,
                           *dst = &plan->ops[i + n - 1].dst.shape;
            g_autofree char *text = launch_name(bench, stage, i);
            g_autofree char *name = json_string(text);
            printf("%s{\"stage\": \"%s\", \"op\": %s, \"kind\": \"%s\", \"ops\": %d, "
                   "\"src\": "
                   "[%d, %d, %d], \"dst\": [%d, %d, %d], \"ms\": %.4f, \"gflop\": %.4f}",
                   separator, stage_name(stage), name,
                   n == 1 ? vfi_op_kind_to_string(op->kind) : ROW_GROUP, n, src->c,
                   src->h, src->w, dst->c, dst->h, dst->w, op_ms(bench, stage, i),
                   bench_launch_flop(bench->session, stage, i) / 1e9);
            separator = ", ";
        }
    }
    printf("]");
}

static const char *const timed_names[VFI_TIMED_COUNT] = {
    [VFI_TIMED_PREPARE] = "prepare",     [VFI_TIMED_FRAME_STAGE] = "frame",
    [VFI_TIMED_PAIR_STAGE] = "pair",     [VFI_TIMED_TIME_STAGE] = "time",
    [VFI_TIMED_SYNTHESIS] = "synthesis", [VFI_TIMED_CONSTANT_STAGE] = "constant",
};

static void print_stages_text(const VfiSessionStats *stats)
{
    const char *separator = "";

    printf("stages         ");
    for (int i = 0; i < VFI_TIMED_COUNT; i++) {
        if (stats->times[i].runs == 0)
            continue;
        printf("%s%s %.2f", separator, timed_names[i], stats->times[i].p50);
        separator = ", ";
    }
    printf(" ms a run, median\n");
}

static void print_stages_json(const VfiSessionStats *stats)
{
    const char *separator = "";

    printf(", \"stages\": {");
    for (int i = 0; i < VFI_TIMED_COUNT; i++) {
        const VfiStageTimes *times = &stats->times[i];
        if (times->runs == 0)
            continue;
        printf("%s\"%s\": {\"runs\": %" G_GUINT64_FORMAT
               ", \"ms_p50\": %.3f, \"ms_p95\": %.3f}",
               separator, timed_names[i], (guint64)times->runs, times->p50, times->p95);
        separator = ", ";
    }
    printf("}");
}

/* What there is to say besides the family: the variant, or how thorough it is. */
static const char *variant_of(const Bench *bench, const BenchFigures *f)
{
    const char *variant = vfi_model_info(bench->model)->variant;

    return variant[0] != '\0' ? variant : f->stats.quality;
}

/* Memory of the session, its weights' aside, and the device's. */
static void print_memory_json(const Bench *bench, const BenchFigures *f)
{
    printf(
        ", \"arena_bytes\": %zu, \"session_bytes\": %zu, \"packed_weight_bytes\": %zu, "
        "\"device_free_bytes\": %" G_GUINT64_FORMAT
        ", \"device_total_bytes\": %" G_GUINT64_FORMAT
        ", \"rss_bytes\": %" G_GUINT64_FORMAT,
        f->stats.arena_bytes, bench->session->need.limited_bytes,
        f->stats.packed_weight_bytes, (guint64)f->stats.device_free_bytes,
        (guint64)f->stats.device_total_bytes, f->rss_bytes);
}

void bench_print_json(const Bench *bench, const BenchFigures *f)
{
    const VfiModelInfo *info = vfi_model_info(bench->model);
    const VfiVideoInfo *video = &bench->video;
    g_autofree char *name = json_string(info->name);
    g_autofree char *device = json_string(f->stats.device);

    printf("{\"model\": %s, \"family\": \"%s\", \"variant\": \"%s\", \"width\": %d, "
           "\"height\": %d, \"padded_width\": %d, \"padded_height\": %d, \"scale\": %g, "
           "\"threads\": %u, \"cpu_level\": \"%s\", \"device\": %s, \"precision\": "
           "\"%s\", \"times\": %u, \"runs\": %d, \"ms_median\": %.3f, \"ms_min\": %.3f, "
           "\"ms_max\": %.3f, \"gflop\": %.3f, \"gflops\": %.2f",
           name, info->family, variant_of(bench, f), video->width, video->height,
           f->stats.padded_width, f->stats.padded_height, f->stats.scale,
           f->stats.threads, f->stats.cpu_level, device, f->stats.precision,
           bench->n_times, bench->arguments->runs, f->median, f->min, f->max,
           f->gflop / 1e9, f->gflops);
    print_memory_json(bench, f);
    print_stages_json(&f->stats);
    if (f->in_flight_ms > 0.0)
        printf(", \"in_flight\": %d, \"in_flight_ms\": %.6f, \"fps\": %.2f",
               bench->arguments->in_flight, f->in_flight_ms, 1e3 / f->in_flight_ms);
    if (bench->arguments->profile)
        print_profile_json(bench);
    if (bench->arguments->profile && bench->session->motion.plan != NULL)
        print_steps_json(bench);
    printf("}\n");
}

void bench_print_text(const Bench *bench, const BenchFigures *f)
{
    const VfiModelInfo *info = vfi_model_info(bench->model);

    printf("%s %s, %dx%d (padded %dx%d), scale %g, %u in-between%s a pair\n",
           info->family, variant_of(bench, f), bench->video.width, bench->video.height,
           f->stats.padded_width, f->stats.padded_height, f->stats.scale, bench->n_times,
           bench->n_times == 1 ? "" : "s");
    printf("%s %s, %u threads, %s\n", f->stats.device, f->stats.cpu_level,
           f->stats.threads, f->stats.precision);
    printf("ms a pair      median %.1f, min %.1f, max %.1f of %d\n", f->median, f->min,
           f->max, bench->arguments->runs);
    if (f->in_flight_ms > 0.0)
        printf("%2d in flight   %.2f ms an in-between, %.1f fps\n",
               bench->arguments->in_flight, f->in_flight_ms, 1e3 / f->in_flight_ms);
    print_stages_text(&f->stats);
    printf("convolutions   %.1f GFLOP a pair, %.0f GFLOP/s effective\n", f->gflop / 1e9,
           f->gflops);
    printf("memory         arena %.1f MiB, packed weights %.1f MiB, peak resident %.1f "
           "MiB\n",
           (double)f->stats.arena_bytes / 1048576.0,
           (double)f->stats.packed_weight_bytes / 1048576.0,
           (double)f->rss_bytes / 1048576.0);
    if (bench->arguments->profile && bench->session->motion.plan != NULL)
        print_steps_text(bench);
    if (bench->arguments->profile && bench->session->plans[VFI_STAGE_TIME] != NULL)
        print_profile_text(bench);
}
