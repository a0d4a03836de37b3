/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-bench: time and memory of a model at a size. Text or JSON; --profile adds the time of
 * each kind of op and of the slowest ops. Frames are synthetic; the time of a pair includes
 * preparing its new frame and writing the in-betweens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/resource.h>

#include <vfi/vfi.h>

#include "session_internal.h"

typedef struct {
    char *model, *size, *times, *precision, *device;
    int threads, runs;
    double scale;
    gboolean json, profile;
} Arguments;

typedef struct {
    double median, min, max; /* ms a pair */
    double gflops;           /* effective, by the median */
    double gflop;            /* of a pair */
    VfiSessionStats stats;
    guint64 rss_bytes; /* peak */
} Figures;

static VfiFrame make_frame(const VfiVideoInfo *video, int shift, guint64 id)
{
    VfiFrame frame;
    g_autoptr(GError) error = NULL;

    if (!vfi_frame_alloc(&frame, video, &error)) {
        fprintf(stderr, "vfi-bench: %s\n", error->message);
        exit(EXIT_FAILURE);
    }
    for (int plane = 0; plane < vfi_format_planes(video->format); plane++)
        for (int y = 0; y < vfi_video_info_rows(video, plane); y++)
            for (int x = 0; x < (int)vfi_video_info_row_bytes(video, plane); x++)
                frame.data[plane][y * frame.stride[plane] + x] =
                    (guint8)(40 + ((x + shift) * 3 + y * 2 +
                                   ((x + shift) / 32 + y / 32) % 2 * 60) %
                                      180);
    frame.id = id;
    return frame;
}

/* Multiply-adds of one op, twice: floating-point operations. Convolutions only, as networks'
 * costs are usually counted. */
static double op_flops(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;
    double taps = (double)p->kernel_h * p->kernel_w;

    if (op->kind == VFI_OP_CONV)
        return 2.0 * taps * op->src[0].shape.c / p->groups *
               (double)vfi_shape_elements(op->dst.shape);
    if (op->kind == VFI_OP_DECONV)
        return 2.0 * taps * op->dst.shape.c *
               (double)vfi_shape_elements(op->src[0].shape);
    return 0.0;
}

/* What ran is what has a time in the profile. */
static double profiled_flop(const VfiSession *session, int stage)
{
    const VfiPlan *plan = session->plans[stage];
    double flop = 0.0;

    for (int i = 0; plan != NULL && i < plan->n_ops; i++)
        if (session->profile[stage][i] != 0)
            flop += op_flops(&plan->ops[i]);
    return flop;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Interpolates all times of one pair; milliseconds, or a negative value on failure. */
static double time_pair(VfiSession *session, const VfiFrame *frames, const VfiFrame *out,
                        const double *times, guint n_times, GError **error)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, error);

    if (pair == NULL)
        return -1.0;
    for (guint i = 0; i < n_times; i++) {
        g_autoptr(VfiJob) job = vfi_pair_submit(pair, times[i], out, error);
        if (job == NULL || !vfi_job_wait(job, error))
            return -1.0;
    }
    return (double)(g_get_monotonic_time() - start) / 1e3;
}

/* A row of pairs, each sharing a frame with the one before, as in a video. */
static gboolean measure(VfiSession *session, const VfiVideoInfo *video,
                        const Arguments *arguments, const double *times, guint n_times,
                        Figures *figures, GError **error)
{
    int runs = arguments->runs;
    g_autofree double *ms = g_new0(double, runs);
    VfiFrame frames[2] = {make_frame(video, 0, 1), make_frame(video, 5, 2)};
    VfiFrame out = make_frame(video, 0, 0);
    gboolean done = TRUE;

    for (int i = -1; done && i < runs; i++) {
        double one;
        vfi_session_set_profiling(session, i == -1 || arguments->profile);
        one = time_pair(session, frames, &out, times, n_times, error);
        done = one >= 0.0;
        if (i >= 0)
            ms[i] = one;
        if (i == -1)
            figures->gflop = profiled_flop(session, VFI_STAGE_FRAME) +
                             (double)n_times * profiled_flop(session, VFI_STAGE_TIME);
        VfiFrame first = frames[0];
        frames[0] = frames[1];
        frames[1] = first;
        frames[1].id = (guint64)i + 4;
    }
    qsort(ms, (size_t)runs, sizeof(*ms), compare_doubles);
    figures->median = ms[runs / 2];
    figures->min = ms[0];
    figures->max = ms[runs - 1];
    figures->gflops = figures->gflop / (figures->median * 1e6);
    vfi_frame_clear(&frames[0]);
    vfi_frame_clear(&frames[1]);
    vfi_frame_clear(&out);
    return done;
}

static void print_json(const Arguments *arguments, const VfiModelInfo *info,
                       const VfiVideoInfo *video, guint n_times, const Figures *f)
{
    printf("{\"model\": \"%s\", \"family\": \"%s\", \"variant\": \"%s\", \"width\": %d, "
           "\"height\": %d, \"padded_width\": %d, \"padded_height\": %d, \"scale\": %g, "
           "\"threads\": %u, \"cpu_level\": \"%s\", \"device\": \"%s\", \"precision\": "
           "\"f32\", \"times\": %u, \"runs\": %d, \"ms_median\": %.3f, \"ms_min\": %.3f, "
           "\"ms_max\": %.3f, \"gflop\": %.3f, \"gflops\": %.2f, \"arena_bytes\": %zu, "
           "\"packed_weight_bytes\": %zu, \"rss_bytes\": %" G_GUINT64_FORMAT "}\n",
           info->name, info->family, info->variant, video->width, video->height,
           f->stats.padded_width, f->stats.padded_height, f->stats.scale,
           f->stats.threads, f->stats.cpu_level, f->stats.device, n_times,
           arguments->runs, f->median, f->min, f->max, f->gflop / 1e9, f->gflops,
           f->stats.arena_bytes, f->stats.packed_weight_bytes, f->rss_bytes);
}

static void print_text(const Arguments *arguments, const VfiModelInfo *info,
                       const VfiVideoInfo *video, guint n_times, const Figures *f)
{
    printf("%s %s, %dx%d (padded %dx%d), scale %g, %u in-between%s a pair\n",
           info->family, info->variant, video->width, video->height,
           f->stats.padded_width, f->stats.padded_height, f->stats.scale, n_times,
           n_times == 1 ? "" : "s");
    printf("%s %s, %u threads, f32\n", f->stats.device, f->stats.cpu_level,
           f->stats.threads);
    printf("ms a pair      median %.1f, min %.1f, max %.1f of %d\n", f->median, f->min,
           f->max, arguments->runs);
    printf("convolutions   %.1f GFLOP a pair, %.0f GFLOP/s effective\n", f->gflop / 1e9,
           f->gflops);
    printf("memory         arena %.1f MiB, packed weights %.1f MiB, peak resident %.1f "
           "MiB\n",
           (double)f->stats.arena_bytes / 1048576.0,
           (double)f->stats.packed_weight_bytes / 1048576.0,
           (double)f->rss_bytes / 1048576.0);
}

/* Time by kind of op, and the ten slowest ops, mean of all profiled runs. */
static void print_profile(const VfiSession *session, int n_runs)
{
    const VfiPlan *plan = session->plans[VFI_STAGE_TIME];
    const guint64 *ns = plan == NULL ? NULL : session->profile[VFI_STAGE_TIME];
    double kinds[VFI_OP_KIND_COUNT] = {0};

    if (plan == NULL)
        return;
    printf("\nkind            ms a pair\n");
    for (int i = 0; i < plan->n_ops; i++)
        kinds[plan->ops[i].kind] += (double)ns[i] / 1e6 / n_runs;
    for (int kind = 0; kind < VFI_OP_KIND_COUNT; kind++)
        if (kinds[kind] > 0.0)
            printf("%-15s %9.3f\n", vfi_op_kind_to_string((VfiOpKind)kind), kinds[kind]);
    printf("\nop                                                   ms    GFLOP/s\n");
    for (int i = 0; i < plan->n_ops; i++) {
        double ms = (double)ns[i] / 1e6 / n_runs;
        const VfiOp *op = &plan->ops[i];
        if (ns[i] != 0)
            printf("%-24s %4dx%4dx%4d > %3dx%4dx%4d %8.3f %8.1f\n", op->name,
                   op->src[0].shape.c, op->src[0].shape.h, op->src[0].shape.w,
                   op->dst.shape.c, op->dst.shape.h, op->dst.shape.w, ms,
                   op_flops(op) / (ms * 1e6));
    }
}

static GArray *parse_times(const char *text)
{
    GArray *times = g_array_new(FALSE, FALSE, sizeof(double));
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (size_t i = 0; parts[i] != NULL; i++) {
        double t = g_ascii_strtod(parts[i], NULL);
        g_array_append_val(times, t);
    }
    return times;
}

static gboolean parse_size(const char *text, VfiVideoInfo *video, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);

    if (g_strv_length(parts) == 2) {
        video->width = (int)g_ascii_strtoll(parts[0], NULL, 10);
        video->height = (int)g_ascii_strtoll(parts[1], NULL, 10);
    }
    return vfi_video_info_validate(video, error);
}

static gboolean run(const Arguments *arguments, GError **error)
{
    VfiVideoInfo video = {.format = VFI_FORMAT_I420};
    g_autoptr(GArray) times = parse_times(arguments->times);
    struct rusage usage;
    Figures figures = {0};

    if (!parse_size(arguments->size, &video, error))
        return FALSE;
    if (strcmp(arguments->precision, "f32") != 0) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "precision \"%s\" is not there: expected f32", arguments->precision);
        return FALSE;
    }
    g_autoptr(VfiModel) model = vfi_model_open(arguments->model, NULL, error);
    if (model == NULL)
        return FALSE;
    VfiSessionConfig config = {
        .video = video,
        .device = arguments->device,
        .scale = arguments->scale,
        .threads = (unsigned)MAX(arguments->threads, 0),
    };
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, error);
    if (session == NULL ||
        !measure(session, &video, arguments, (double *)(void *)times->data, times->len,
                 &figures, error))
        return FALSE;
    vfi_session_get_stats(session, &figures.stats);
    getrusage(RUSAGE_SELF, &usage);
    figures.rss_bytes = (guint64)usage.ru_maxrss * 1024;
    (arguments->json ? print_json : print_text)(arguments, vfi_model_info(model), &video,
                                                times->len, &figures);
    if (arguments->profile && !arguments->json)
        print_profile(session, arguments->runs + 1);
    return TRUE;
}

int main(int argc, char **argv)
{
    Arguments a = {.threads = 0, .runs = 7, .scale = 1.0};
    const GOptionEntry entries[] = {
        {"model", 0, 0, G_OPTION_ARG_STRING, &a.model, "name or file (rife-4.0)",
         "MODEL"},
        {"size", 0, 0, G_OPTION_ARG_STRING, &a.size, "frame size (1280x720)", "WxH"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &a.threads, "0: all usable CPUs", "N"},
        {"runs", 0, 0, G_OPTION_ARG_INT, &a.runs, "timed pairs, after one more (7)", "N"},
        {"times", 0, 0, G_OPTION_ARG_STRING, &a.times, "in-betweens of a pair (0.5)",
         "T,T…"},
        {"scale", 0, 0, G_OPTION_ARG_DOUBLE, &a.scale, "flow scale (1)", "S"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &a.precision, "f32", "P"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &a.device, "auto, cpu, cuda[:N]", "D"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &a.json, "one line of JSON", NULL},
        {"profile", 0, 0, G_OPTION_ARG_NONE, &a.profile, "time of each op", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- time and memory of a model");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    gboolean done = g_option_context_parse(context, &argc, &argv, &error);
    a.model = a.model != NULL ? a.model : g_strdup("rife-4.0");
    a.size = a.size != NULL ? a.size : g_strdup("1280x720");
    a.times = a.times != NULL ? a.times : g_strdup("0.5");
    a.precision = a.precision != NULL ? a.precision : g_strdup("f32");
    a.runs = MAX(a.runs, 1);
    done = done && run(&a, &error);
    if (!done)
        fprintf(stderr, "vfi-bench: %s\n", error->message);
    g_free(a.model);
    g_free(a.size);
    g_free(a.times);
    g_free(a.precision);
    g_free(a.device);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
