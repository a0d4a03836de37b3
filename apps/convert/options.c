/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/options.h"

#include <string.h>

#include "convert/error.h"

/* As GOption reads them. */
typedef struct {
    gchar *fps, *slow, *scale, *from, *to, *codec, *preset, *audio;
} Words;

static void words_clear(Words *words)
{
    g_free(words->fps);
    g_free(words->slow);
    g_free(words->scale);
    g_free(words->from);
    g_free(words->to);
    g_free(words->codec);
    g_free(words->preset);
    g_free(words->audio);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static const char SUMMARY[] =
    "Converts video to a higher frame rate, or to slow motion, and keeps the rest of the "
    "file\n"
    "as it is where the output's container can. INPUT is a file, a folder or a pattern.\n"
    "The output's name says what container it gets: .mp4, .mov, .mkv, .webm, or a "
    "folder\n"
    "(NAME/) for PNG pictures.";

static GOptionContext *new_context(ConvertOptions *o, Words *w)
{
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
         "File, or folder for several inputs (INPUT-60fps.EXT beside the input)",
         "OUTPUT"},
        {"fps", 0, 0, G_OPTION_ARG_STRING, &w->fps, "60, 2x, 60000/1001 (2x)", "RATE"},
        {"slow-motion", 0, 0, G_OPTION_ARG_STRING, &w->slow, "N times slower", "N"},
        {"model", 0, 0, G_OPTION_ARG_STRING, &o->model, "Name or file (auto)", "MODEL"},
        {"model-options", 0, 0, G_OPTION_ARG_STRING, &o->model_options,
         "Such as ensemble=true", "NAME=VALUE,…"},
        {"scale", 0, 0, G_OPTION_ARG_STRING, &w->scale,
         "Scale that motion is estimated at, 0.25 to 4; 0: by size", "S"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &o->device, "auto, cpu, cuda, cuda:N", "D"},
        {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->set,
         "Another property of vfiinterp; may be given again", "NAME=VALUE"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &w->from, "Seconds or HH:MM:SS.mmm", "TIME"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &w->to, "Seconds or HH:MM:SS.mmm", "TIME"},
        {"codec", 0, 0, G_OPTION_ARG_STRING, &w->codec,
         "auto, h264, h265, av1, vp9, prores, ffv1 (auto: the input's)", "CODEC"},
        {"quality", 0, 0, G_OPTION_ARG_INT, &o->quality, "0 to 100 (70)", "Q"},
        {"preset", 0, 0, G_OPTION_ARG_STRING, &w->preset,
         "fastest, fast, medium, slow, slowest (medium)", "PRESET"},
        {"audio", 0, 0, G_OPTION_ARG_STRING, &w->audio, "copy, none (copy)", "A"},
        {"keep-vfr", 0, 0, G_OPTION_ARG_NONE, &o->keep_vfr,
         "Frames at varying times stay at these", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "Progress as lines of JSON", NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &o->dry_run,
         "Say what would be done, and a gst-launch-1.0 line that does it", NULL},
        {"list-models", 0, 0, G_OPTION_ARG_NONE, &o->list_models, "What --model takes",
         NULL},
        {"overwrite", 0, 0, G_OPTION_ARG_NONE, &o->overwrite, "Replace outputs", NULL},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &o->resume,
         "Go on where the same command was interrupted", NULL},
        {"segment-seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->segment_seconds,
         "Work that is lost at most when the machine fails (10)", "S"},
        {"progress-seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o->progress_seconds,
         "How often progress is told; 0: every frame", "S"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &o->version, "Print the version", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->inputs, NULL,
         "INPUT…"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    GOptionContext *context = g_option_context_new(NULL);
    g_option_context_set_summary(context, SUMMARY);
    g_option_context_add_main_entries(context, entries, NULL);
    return context;
}

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree gchar *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, CONVERT_ERROR, CONVERT_ERROR_USAGE, text);
    return FALSE;
}

static gboolean read_times(ConvertOptions *o, const Words *w, GError **error)
{
    if (w->from != NULL && !time_parse(w->from, &o->from, error)) {
        g_prefix_error(error, "--from: ");
        return FALSE;
    }
    if (w->to != NULL && !time_parse(w->to, &o->to, error)) {
        g_prefix_error(error, "--to: ");
        return FALSE;
    }
    if (o->to <= o->from)
        return usage(error, "--to: expected a time after --from, found %s", w->to);
    return TRUE;
}

static gboolean read_encoding(ConvertOptions *o, const Words *w, GError **error)
{
    if (w->codec != NULL && strcmp(w->codec, "auto") != 0) {
        o->codec = video_codec_of_name(w->codec);
        if (o->codec == VIDEO_CODEC_NONE || o->codec == VIDEO_CODEC_PNG)
            return usage(
                error,
                "--codec: expected auto, h264, h265, av1, vp9, prores or ffv1, found "
                "\"%s\"",
                w->codec);
    }
    if (w->preset != NULL && !preset_of_name(w->preset, &o->preset))
        return usage(
            error,
            "--preset: expected fastest, fast, medium, slow or slowest, found \"%s\"",
            w->preset);
    if (o->quality < 0 || o->quality > 100)
        return usage(error,
                     "--quality: expected 0 (smallest file) to 100 (best), found %d",
                     o->quality);
    o->copy_audio = w->audio == NULL || strcmp(w->audio, "copy") == 0;
    if (!o->copy_audio && strcmp(w->audio, "none") != 0)
        return usage(error, "--audio: expected copy or none, found \"%s\"", w->audio);
    return TRUE;
}

static gboolean read_rates(ConvertOptions *o, const Words *w, GError **error)
{
    o->has_fps = w->fps != NULL;
    if (o->has_fps && !rate_parse(w->fps, &o->fps, error))
        return FALSE;
    if (w->slow != NULL && !factor_parse(w->slow, &o->slow_n, &o->slow_d, error))
        return FALSE;
    if (o->keep_vfr && o->has_fps && (!o->fps.is_factor || o->fps.den != 1))
        return usage(
            error,
            "--fps: with --keep-vfr expected a whole factor such as 2x, found \"%s\"",
            w->fps);
    if (o->keep_vfr && o->has_fps &&
        ((gint64)o->fps.num * o->slow_n % o->slow_d != 0 ||
         (gint64)o->fps.num * o->slow_n / o->slow_d > 1000))
        return usage(error,
                     "--slow-motion: with --keep-vfr and --fps expected a whole number "
                     "of frames for one, at most 1000, found %s times %s",
                     w->fps, w->slow);
    if (o->keep_vfr && !o->has_fps && o->slow_d != 1)
        return usage(error,
                     "--slow-motion: with --keep-vfr expected a whole number, found "
                     "\"%s\"; or say --fps Nx",
                     w->slow);
    if (w->scale != NULL) {
        gchar *end = NULL;
        double scale = g_ascii_strtod(w->scale, &end);
        if (*end != '\0' || end == w->scale ||
            !(scale == 0 || (scale >= 0.25 && scale <= 4)))
            return usage(error, "--scale: expected 0 or 0.25 to 4, found \"%s\"",
                         w->scale);
        o->scale = g_strdup(w->scale);
    }
    return TRUE;
}

static gboolean read_device(const ConvertOptions *o, GError **error)
{
    const char *device = o->device;
    if (strcmp(device, "auto") == 0 || strcmp(device, "cpu") == 0 ||
        strcmp(device, "cuda") == 0)
        return TRUE;
    guint64 number = 0;
    if (g_str_has_prefix(device, "cuda:") &&
        g_ascii_string_to_unsigned(device + 5, 10, 0, 1024, &number, NULL))
        return TRUE;
    return usage(error, "--device: expected auto, cpu, cuda or cuda:N, found \"%s\"",
                 device);
}

static gboolean read_rest(ConvertOptions *o, GError **error)
{
    if (!read_device(o, error))
        return FALSE;
    for (char **set = o->set; set != NULL && *set != NULL; set++) {
        const char *equals = strchr(*set, '=');
        if (equals == NULL || equals == *set)
            return usage(error, "--set: expected NAME=VALUE, found \"%s\"", *set);
    }
    if (!(o->segment_seconds > 0 && o->segment_seconds <= 3600))
        return usage(error, "--segment-seconds: expected above 0, at most 3600, found %g",
                     o->segment_seconds);
    if (o->overwrite && o->resume)
        return usage(error,
                     "--overwrite begins anew and --resume goes on: expected one of "
                     "them, found both");
    if (o->inputs == NULL && !o->list_models && !o->version)
        return usage(error,
                     "expected at least one INPUT, found none; vfi-convert --help says "
                     "more");
    return TRUE;
}

static ConvertOptions *new_options(void)
{
    ConvertOptions *options = g_new0(ConvertOptions, 1);
    options->slow_n = options->slow_d = 1;
    options->to = GST_CLOCK_TIME_NONE;
    options->quality = QUALITY_DEFAULT;
    options->preset = PRESET_MEDIUM;
    options->segment_seconds = 10;
    options->progress_seconds = -1;
    return options;
}

ConvertOptions *options_parse(int argc, char **argv, GError **error)
{
    g_autoptr(ConvertOptions) options = new_options();
    g_auto(Words) words = {0};
    g_autoptr(GOptionContext) context = new_context(options, &words);
    g_autofree char **copy = g_new0(char *, (size_t)argc + 1);
    memcpy(copy, argv, (size_t)argc * sizeof *copy);
    g_autoptr(GError) cause = NULL;
    if (!g_option_context_parse(context, &argc, &copy, &cause)) {
        usage(error, "%s; vfi-convert --help lists what is accepted", cause->message);
        return NULL;
    }
    if (options->model == NULL)
        options->model = g_strdup("auto");
    if (options->device == NULL)
        options->device = g_strdup("auto");
    if (!read_times(options, &words, error) || !read_encoding(options, &words, error) ||
        !read_rates(options, &words, error) || !read_rest(options, error))
        return NULL;
    return g_steal_pointer(&options);
}

void options_free(ConvertOptions *options)
{
    if (options == NULL)
        return;
    g_strfreev(options->inputs);
    g_free(options->output);
    g_free(options->model);
    g_free(options->model_options);
    g_free(options->scale);
    g_free(options->device);
    g_strfreev(options->set);
    g_free(options);
}

/* As it is where a shell takes it so. */
static gchar *quote(const char *word)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-+=./:,@%";
    if (*word != '\0' && strspn(word, PLAIN) == strlen(word))
        return g_strdup(word);
    return g_shell_quote(word);
}

gchar *options_resume_command(int argc, char **argv)
{
    GString *command = g_string_new(NULL);
    for (int i = 0; i < argc; i++) {
        if (i > 0 &&
            (strcmp(argv[i], "--resume") == 0 || strcmp(argv[i], "--overwrite") == 0))
            continue;
        g_autofree gchar *word = quote(argv[i]);
        g_string_append_printf(command, "%s%s", i > 0 ? " " : "", word);
        if (i == 0)
            g_string_append(command, " --resume");
    }
    return g_string_free(command, FALSE);
}
