/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "compare/settings.h"

#include <string.h>

#include "common/clock_text.h"

/* What the command line says, before it is understood. */
typedef struct {
    char *models, *from, *to, *crop, *output;
    char **model_options;
    int frames, shown;
    gboolean no_page;
} Words;

static void words_clear(Words *words)
{
    g_free(words->models);
    g_free(words->from);
    g_free(words->to);
    g_free(words->crop);
    g_free(words->output);
    g_strfreev(words->model_options);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Words, words_clear)

static void asked_free(void *data)
{
    Asked *asked = data;

    g_free(asked->model);
    g_free(asked->options);
    g_free(asked);
}

void settings_free(Settings *settings)
{
    if (settings == NULL)
        return;
    g_free(settings->path);
    g_ptr_array_unref(settings->asked);
    g_free(settings->device);
    g_free(settings->page);
    g_free(settings->table);
    g_free(settings);
}

static gboolean refuse(GError **error, const char *format, const char *found)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, found);
    return FALSE;
}

static void add_asked(GPtrArray *all, const char *model, const char *options)
{
    Asked *asked = g_new0(Asked, 1);

    asked->model = g_strdup(model);
    asked->options = options != NULL && options[0] != '\0' ? g_strdup(options) : NULL;
    g_ptr_array_add(all, asked);
}

/* Splits "MODEL:NAME=VALUE,…", where MODEL may be a path with colons. FALSE: no MODEL. */
static gboolean split_options(const char *text, char **model, const char **options)
{
    const char *equals = strchr(text, '=');
    const char *colon = g_strrstr_len(text, equals != NULL ? equals - text : -1, ":");

    if (colon == NULL || colon == text)
        return FALSE;
    *model = g_strndup(text, (gsize)(colon - text));
    *options = colon + 1;
    return TRUE;
}

/* Adds @model once for each of its sets of options, or without any. */
static void add_with_options(GPtrArray *all, const char *model, char **sets,
                             gboolean only)
{
    gboolean found = FALSE;

    for (guint i = 0; sets != NULL && sets[i] != NULL; i++) {
        g_autofree char *name = NULL;
        const char *options = sets[i];
        gboolean is_named = split_options(sets[i], &name, &options);

        if (is_named ? strcmp(name, model) == 0 : only) {
            add_asked(all, model, options);
            found = TRUE;
        }
    }
    if (!found)
        add_asked(all, model, NULL);
}

static gboolean check_options(char **sets, char **models, GError **error)
{
    for (guint i = 0; sets != NULL && sets[i] != NULL; i++) {
        g_autofree char *name = NULL;
        const char *options;
        gboolean is_named = split_options(sets[i], &name, &options);

        if (!is_named && g_strv_length(models) != 1)
            return refuse(error, "--model-options %s: expected MODEL:NAME=VALUE,…",
                          sets[i]);
        if (is_named && !g_strv_contains((const char *const *)models, name))
            return refuse(error,
                          "--model-options for %s, which --models does not name; add it "
                          "there",
                          name);
    }
    return TRUE;
}

static gboolean read_models(Settings *settings, const Words *words, GError **error)
{
    g_auto(GStrv) models =
        g_strsplit(words->models != NULL ? words->models : "", ",", -1);

    if (!check_options(words->model_options, models, error))
        return FALSE;
    for (guint i = 0; models[i] != NULL; i++) {
        if (models[i][0] == '\0')
            return refuse(error,
                          "--models \"%s\": expected names with a comma between them",
                          words->models);
        if (g_strv_contains((const char *const *)models + i + 1, models[i]))
            return refuse(error,
                          "--models names %s twice; to compare it with several options "
                          "give --model-options several times",
                          models[i]);
        add_with_options(settings->asked, models[i], words->model_options,
                         g_strv_length(models) == 1);
    }
    return TRUE;
}

static gboolean read_part(Settings *settings, const Words *words, GError **error)
{
    ClipPart *part = &settings->part;

    part->path = settings->path;
    if (words->from != NULL && !clock_parse(words->from, &part->from, error))
        return FALSE;
    if (words->to != NULL && !clock_parse(words->to, &part->to, error))
        return FALSE;
    if (words->to != NULL && part->to <= part->from)
        return refuse(error, "--to %s: expected a time after that of --from", words->to);
    if (words->frames < 0 || (words->frames > 0 && words->frames < 3))
        return refuse(error, "--frames: expected 3 or more, or 0 for %s", "all");
    part->most_frames = (guint)words->frames;
    return TRUE;
}

static gboolean read_crop(Settings *settings, const char *text, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(text != NULL ? text : "960x540", "x", 2);
    guint64 values[2];

    if (text != NULL && strcmp(text, "none") == 0)
        return TRUE;
    for (guint i = 0; i < 2; i++)
        if (sides[0] == NULL || sides[i] == NULL ||
            !g_ascii_string_to_unsigned(sides[i], 10, 64, 16384, &values[i], NULL))
            return refuse(
                error, "--crop %s: expected WIDTHxHEIGHT, at least 64x64, or none", text);
    settings->crop_width = (int)values[0];
    settings->crop_height = (int)values[1];
    return TRUE;
}

/* A page in the current folder, named after the clip; or a page or folder as said.
 * Without a page a folder still gets the table. */
static gboolean read_output(Settings *settings, const Words *words, GError **error)
{
    g_autofree char *name = g_path_get_basename(settings->path);
    char *dot = strrchr(name, '.');

    if (words->output != NULL && g_str_has_suffix(words->output, ".html")) {
        if (words->no_page)
            return refuse(error,
                          "-o %s is a page, and --no-page asks for none; leave one out",
                          words->output);
        settings->page = g_strdup(words->output);
    } else if (words->output != NULL) {
        if (!words->no_page)
            settings->page = g_build_filename(words->output, "index.html", NULL);
        settings->table = g_build_filename(words->output, "table.json", NULL);
    } else if (!words->no_page) {
        if (dot != NULL && dot != name)
            *dot = '\0';
        settings->page = g_strdup_printf("%s-compare.html", name);
    }
    return TRUE;
}

static gboolean understand(Settings *settings, const Words *words, int argc, char **argv,
                           GError **error)
{
    if (settings->version)
        return TRUE;
    if (argc != 2)
        return refuse(error,
                      argc < 2 ? "expected a CLIP%s; see --help"
                               : "expected one CLIP, found %s as well; see --help",
                      argc < 2 ? "" : argv[2]);
    settings->path = g_strdup(argv[1]);
    if (settings->scale != 0 && !(settings->scale >= 0.25 && settings->scale <= 4))
        return refuse(error, "--scale: expected 0.25 to 4, or 0 to choose by %s", "size");
    if (words->shown < 0 || words->shown > 100)
        return refuse(error, "--shown: expected 1 to 100 %s, or 0 for two a model",
                      "frames");
    settings->most_shown = (guint)words->shown;
    return read_output(settings, words, error) && read_models(settings, words, error) &&
           read_part(settings, words, error) && read_crop(settings, words->crop, error);
}

Settings *settings_parse(int *argc, char ***argv, GError **error)
{
    g_autoptr(Settings) settings = g_new0(Settings, 1);
    g_auto(Words) words = {.frames = 300, .shown = 0};
    const GOptionEntry entries[] = {
        {"models", 'm', 0, G_OPTION_ARG_STRING, &words.models,
         "Models to compare (default: all installed ones that fit, flow and blend)",
         "A,B,…"},
        {"model-options", 0, 0, G_OPTION_ARG_STRING_ARRAY, &words.model_options,
         "Options of a model; given again: the model is compared with these, too",
         "MODEL:NAME=VALUE,…"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &words.from, "Begin here", "[H:M:]S"},
        {"to", 0, 0, G_OPTION_ARG_STRING, &words.to, "End here", "[H:M:]S"},
        {"frames", 'n', 0, G_OPTION_ARG_INT, &words.frames,
         "Read at most N frames (default 300; 0: all)", "N"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &settings->device,
         "auto, cpu or cuda[:N] (default auto)", "DEVICE"},
        {"scale", 0, 0, G_OPTION_ARG_DOUBLE, &settings->scale,
         "Flow scale, 0.25 to 4 (default: by the clip's size)", "SCALE"},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &words.output,
         "Write the page PAGE.html, or FOLDER/index.html and FOLDER/table.json", "PATH"},
        {"no-page", 0, 0, G_OPTION_ARG_NONE, &words.no_page, "Write no page", NULL},
        {"shown", 0, 0, G_OPTION_ARG_INT, &words.shown,
         "Frames in the page, at most (default: two for each model, not over 12)", "N"},
        {"crop", 0, 0, G_OPTION_ARG_STRING, &words.crop,
         "Largest pictures in the page (default 960x540)", "WxH|none"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &settings->json, "Print the table as JSON",
         NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &settings->version, "Print the version",
         NULL},
        {.long_name = NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(
        "CLIP - what each model makes of frames that it does not see");

    settings->asked = g_ptr_array_new_with_free_func(asked_free);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_description(
        context,
        "Every second frame of CLIP is left out, made again from its neighbours "
        "with each model, and\ncompared with what it really was. Exit status: 0 "
        "done, 1 failed, 2 wrong arguments, 3 done, but\nnot with all models that "
        "were asked for.");
    if (!g_option_context_parse(context, argc, argv, error) ||
        !understand(settings, &words, *argc, *argv, error))
        return NULL;
    return g_steal_pointer(&settings);
}
