/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-bench: time and memory of a model at a size. Text or JSON; --profile adds the time
 * of every op, --in-flight the rate with several in-betweens queued, --layers compares
 * the convolutions with oneDNN. Frames are drawn or read; the time of a pair includes
 * preparing its new frame and writing the in-betweens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmark/bench.h"
#include "common/model_options.h"

#define DEFAULT_SIZE "1280x720"
#define MAX_IN_FLIGHT 64

/* The in-betweens' times, separated by commas, each in (0, 1). */
static gboolean parse_times(Bench *bench, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text[0] != '\0' ? text : "?", ",", -1);

    bench->n_times = g_strv_length(parts);
    bench->times = g_new0(double, bench->n_times);
    for (guint i = 0; i < bench->n_times; i++) {
        char *end = NULL;
        double t = g_ascii_strtod(parts[i], &end);

        if (end == parts[i] || *end != '\0' || !(t > 0.0 && t < 1.0)) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                        "times \"%s\": expected numbers between 0 and 1, separated by "
                        "commas",
                        text);
            return FALSE;
        }
        bench->times[i] = t;
    }
    return TRUE;
}

static gboolean parse_size(const char *text, VfiVideoInfo *video, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);
    guint64 width = 0, height = 0;

    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 1, G_MAXINT, &width, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 1, G_MAXINT, &height, NULL)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "size \"%s\": expected WIDTHxHEIGHT", text);
        return FALSE;
    }
    video->format = VFI_FORMAT_I420;
    video->width = (int)width;
    video->height = (int)height;
    return vfi_video_info_validate(video, error);
}

/* PPM files bring their own size, raw ones need it. */
static gboolean make_frames(Bench *bench, GError **error)
{
    const BenchArguments *a = bench->arguments;
    const char *size = a->size != NULL ? a->size : DEFAULT_SIZE;

    if (a->frames != NULL && a->size == NULL) {
        if (!bench_read_frames(bench, a->frames, error))
            return FALSE;
    } else if (!parse_size(size, &bench->video, error) ||
               !(a->frames != NULL ? bench_read_raw_frames(bench, a->frames, error)
                                   : bench_draw_frames(bench, error))) {
        return FALSE;
    }
    return vfi_frame_alloc(&bench->out, &bench->video, error);
}

static gboolean open_session(Bench *bench, GError **error)
{
    const BenchArguments *a = bench->arguments;
    VfiPrecision precision;
    VfiFeatureStorage feature_storage;

    if (!vfi_feature_storage_from_string(a->feature_storage, &feature_storage)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "feature storage \"%s\" is unknown: expected auto, f32 or f16",
                    a->feature_storage);
        return FALSE;
    }
    if (!vfi_precision_from_string(a->precision, &precision)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "precision \"%s\" is unknown: expected auto, f32, tf32, bf16 or f16",
                    a->precision);
        return FALSE;
    }
    VfiSessionConfig config = {
        .video = bench->video,
        .device = a->device,
        .scale = a->scale,
        .threads = (unsigned)MAX(a->threads, 0),
        .precision = precision,
        .feature_storage = feature_storage,
        .memory_limit = (uint64_t)MAX(a->memory_limit, 0),
    };
    GVariant *options =
        a->options != NULL ? model_options_parse(a->options, error) : NULL;
    if (a->options != NULL && options == NULL)
        return FALSE;
    bench->model = vfi_model_open(a->model, options, error);
    if (bench->model == NULL)
        return FALSE;
    bench->session = vfi_session_new(bench->model, &config, error);
    return bench->session != NULL;
}

/* Where a figure is taken at all, it is of what was asked for. */
static gboolean check_arguments(const BenchArguments *a, GError **error)
{
    const char *wrong = NULL;

    if (a->warm_up < 1 || a->in_flight < 1 || a->in_flight > MAX_IN_FLIGHT)
        wrong = "--warm-up starts at 1, --in-flight is 1 to " G_STRINGIFY(MAX_IN_FLIGHT);
    else if (a->in_flight > 1 && (a->layers || a->interactive))
        wrong = "--in-flight is of whole runs: leave --layers and --interactive out";
    else if (a->layers && g_strcmp0(a->device, "cpu") != 0)
        wrong = "--layers compares with oneDNN on the CPU: expected --device cpu";
    if (wrong != NULL)
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT, wrong);
    return wrong == NULL;
}

static void wait_for_end_of_input(void)
{
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

static void print_models(void)
{
    g_auto(GStrv) models = vfi_model_list();

    for (size_t i = 0; models[i] != NULL; i++)
        printf("%s\n", models[i]);
}

static gboolean run(Bench *bench, GError **error)
{
    const BenchArguments *a = bench->arguments;
    BenchFigures figures = {0};

    if (a->list) {
        print_models();
        return TRUE;
    }
    if (!check_arguments(a, error) || !parse_times(bench, a->times, error) ||
        !make_frames(bench, error) || !open_session(bench, error))
        return FALSE;
    if (a->interactive)
        return bench_serve(bench, error);
    if (a->layers)
        return bench_layers(bench, error);
    if (!bench_measure(bench, &figures, error))
        return FALSE;
    (a->json ? bench_print_json : bench_print_text)(bench, &figures);
    if (a->hold)
        wait_for_end_of_input();
    return TRUE;
}

static void bench_clear(Bench *bench)
{
    vfi_session_unref(bench->session);
    vfi_model_unref(bench->model);
    vfi_frame_clear(&bench->frames[0]);
    vfi_frame_clear(&bench->frames[1]);
    vfi_frame_clear(&bench->out);
    g_free(bench->times);
}

/* What was not given, as the user would have given it. */
static void set_default(char **argument, const char *value)
{
    if (*argument == NULL)
        *argument = g_strdup(value);
}

int main(int argc, char **argv)
{
    BenchArguments a = {.runs = 7, .warm_up = 1, .in_flight = 1, .scale = 1.0};
    const GOptionEntry entries[] = {
        {"model", 0, 0, G_OPTION_ARG_STRING, &a.model, "name or file (rife-4.0)",
         "MODEL"},
        {"options", 0, 0, G_OPTION_ARG_STRING, &a.options, "of the model",
         "NAME=VALUE,…"},
        {"size", 0, 0, G_OPTION_ARG_STRING, &a.size, "frame size (" DEFAULT_SIZE ")",
         "WxH"},
        {"frames", 0, 0, G_OPTION_ARG_STRING, &a.frames,
         "8-bit PPM files, or with --size raw I420 ones, instead of drawn frames", "A,B"},
        {"threads", 0, 0, G_OPTION_ARG_INT, &a.threads, "0: all usable CPUs", "N"},
        {"runs", 0, 0, G_OPTION_ARG_INT, &a.runs, "timed pairs (7)", "N"},
        {"warm-up", 0, 0, G_OPTION_ARG_INT, &a.warm_up, "pairs before them (1)", "N"},
        {"in-flight", 0, 0, G_OPTION_ARG_INT, &a.in_flight,
         "in-betweens queued at once; from 2 on also the rate of that (1)", "N"},
        {"times", 0, 0, G_OPTION_ARG_STRING, &a.times, "in-betweens of a pair (0.5)",
         "T,T…"},
        {"scale", 0, 0, G_OPTION_ARG_DOUBLE, &a.scale, "flow scale (1)", "S"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &a.precision,
         "auto (f32; CUDA: f16), f32, bf16, …", "P"},
        {"feature-storage", 0, 0, G_OPTION_ARG_STRING, &a.feature_storage,
         "auto, f32, f16", "S"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &a.device, "auto, cpu, cuda[:N]", "D"},
        {"memory-limit", 0, 0, G_OPTION_ARG_INT64, &a.memory_limit,
         "bytes that the session may take; 0: no limit", "BYTES"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &a.json, "one line of JSON", NULL},
        {"profile", 0, 0, G_OPTION_ARG_NONE, &a.profile, "time of each op", NULL},
        {"layers", 0, 0, G_OPTION_ARG_NONE, &a.layers,
         "time of each distinct convolution, in turn with oneDNN", NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &a.list,
         "the models on the search path; runs nothing", NULL},
        {"hold", 0, 0, G_OPTION_ARG_NONE, &a.hold,
         "keep all memory after the figures until standard input ends", NULL},
        {"interactive", 0, 0, G_OPTION_ARG_NONE, &a.interactive,
         "answer the lines \"run\" and \"picture FILE\" with JSON", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- time and memory of a model");
    g_autoptr(GError) error = NULL;
    Bench bench = {.arguments = &a};

    g_option_context_add_main_entries(context, entries, NULL);
    gboolean done = g_option_context_parse(context, &argc, &argv, &error);
    set_default(&a.model, "rife-4.0");
    if (a.layers)
        set_default(&a.device, "cpu");
    set_default(&a.times, "0.5");
    set_default(&a.precision, "auto");
    set_default(&a.feature_storage, "auto");
    a.runs = MAX(a.runs, 1);
    done = done && run(&bench, &error);
    if (!done)
        fprintf(stderr, "vfi-bench: %s\n", error->message);
    bench_clear(&bench);
    g_free(a.model);
    g_free(a.options);
    g_free(a.feature_storage);
    g_free(a.size);
    g_free(a.frames);
    g_free(a.times);
    g_free(a.precision);
    g_free(a.device);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
