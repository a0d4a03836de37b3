/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect: what a model file is, what it would cost, or why it does not load; with
 * --plan what a session would run and where in memory, with --system what the engine
 * finds of the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/vfi.h>

#include "inspect/inspected_parts.h"
#include "inspect/inspected_plan.h"
#include "common/model_options.h"

/* Where cost is measured: 1920×1088 fits the multiples of all families but the
 * coarsest. */
#define REFERENCE_WIDTH 1920
#define REFERENCE_HEIGHT 1088

#define MIB(bytes) ((double)(bytes) / 0x1p20)

typedef struct {
    char *options;
    char *size;
    char *plan; /* how to show it: "text", "dot" or "json" */
    char *device;
    char *precision;
    double scale;
    gboolean system;
    char **files;
} Arguments;

/* @text, say a file's name, without what a terminal would obey. */
static char *plain(const char *text)
{
    char *copy = g_utf8_make_valid(text, -1);

    for (char *p = copy; *p != '\0'; p++) {
        if (g_ascii_iscntrl(*p))
            *p = '?';
        else if ((guchar)p[0] == 0xc2 && (guchar)p[1] < 0xa0) /* U+0080 to U+009F */
            p[0] = p[1] = '?';
    }
    return copy;
}

/* ---- a file ------------------------------------------------------------------------ */

/* "f32" or "f16, f32": the storage types that occur, in the order of VfiDType. */
static char *list_dtypes(const VfiCheckpoint *checkpoint)
{
    gboolean occurs[VFI_DTYPE_BOOL + 1] = {FALSE};
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++)
        occurs[vfi_checkpoint_tensor(checkpoint, i)->dtype] = TRUE;
    for (int dtype = 0; dtype <= VFI_DTYPE_BOOL; dtype++)
        if (occurs[dtype])
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "",
                                   vfi_dtype_to_string((VfiDType)dtype));
    return g_string_free(text, FALSE);
}

/* What there is to say about a file whether or not it is a model. */
static gboolean print_checkpoint(const char *path, GError **error)
{
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(path, error);
    size_t n_elements = 0;

    if (checkpoint == NULL)
        return FALSE;
    g_autofree char *dtypes = list_dtypes(checkpoint);
    size_t n = vfi_checkpoint_n_tensors(checkpoint);
    for (size_t i = 0; i < n; i++)
        n_elements += vfi_checkpoint_tensor(checkpoint, i)->n_elements;
    printf("container:   %s\n",
           vfi_container_to_string(vfi_checkpoint_container(checkpoint)));
    printf("tensors:     %zu with %zu elements, %s\n", n, n_elements, dtypes);
    inspected_print_parts(checkpoint);
    return TRUE;
}

static void print_option(const VfiOptionSpec *option)
{
    const char *type = strcmp(option->type, "b") == 0   ? "boolean"
                       : strcmp(option->type, "u") == 0 ? "uint"
                       : strcmp(option->type, "t") == 0 ? "uint64"
                       : strcmp(option->type, "d") == 0 ? "double"
                                                        : "string";

    /* a string's default is the first of its values */
    int default_length = (int)strcspn(option->default_value, "|");

    printf("  %-16s %s", option->name, type);
    if (option->default_value[default_length] == '|')
        printf(", %s", option->default_value);
    if (option->maximum >= 0x1p64)
        printf(", %g to 2^64 - 1", option->minimum);
    else if (strcmp(type, "boolean") != 0 && strcmp(type, "string") != 0)
        printf(", %g to %g", option->minimum, option->maximum);
    printf(", default %.*s: %s\n", default_length, option->default_value, option->text);
}

static void print_options(const char *family)
{
    size_t n;
    const VfiOptionSpec *options = vfi_family_options(family, &n);

    printf("options:     %s\n", n == 0 ? "none" : "");
    for (size_t i = 0; i < n; i++)
        print_option(&options[i]);
}

static gboolean print_cost(VfiModel *model, GError **error)
{
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420,
                  .width = REFERENCE_WIDTH,
                  .height = REFERENCE_HEIGHT},
        .scale = 1.0,
    };
    VfiEstimate estimate;

    if (!vfi_model_estimate(model, &config, &estimate, error))
        return FALSE;
    double pixels = (double)estimate.padded_width * estimate.padded_height / 1e6;
    printf("multiple:    sizes are padded to multiples of %d at scale 1\n",
           estimate.size_multiple);
    printf("cost:        %.2f GMAC a megapixel and in-between",
           estimate.time_macs / 1e9 / pixels);
    if (estimate.frame_macs > 0.0)
        printf(", %.2f a megapixel and frame", estimate.frame_macs / 1e9 / pixels);
    if (estimate.pair_macs > 0.0)
        printf(", %.2f a megapixel and pair", estimate.pair_macs / 1e9 / pixels);
    if (estimate.constant_macs > 0.0)
        printf(", %.2f a megapixel once", estimate.constant_macs / 1e9 / pixels);
    if (estimate.time_macs_max > estimate.time_macs)
        printf("; at most %.2f an in-between", estimate.time_macs_max / 1e9 / pixels);
    printf(" (convolutions at %d×%d)\n", REFERENCE_WIDTH, REFERENCE_HEIGHT);
    return TRUE;
}

static gboolean print_memory(VfiModel *model, const VfiSessionConfig *config,
                             GError **error)
{
    VfiEstimate estimate;

    if (!vfi_model_estimate(model, config, &estimate, error))
        return FALSE;
    printf("at %d×%d:    padded to %d×%d, scale %g%s%s\n", config->video.width,
           config->video.height, estimate.padded_width, estimate.padded_height,
           estimate.scale, estimate.quality[0] != '\0' ? ", quality " : "",
           estimate.quality);
    printf("  work           %.1f GMAC an in-between, %.1f a frame\n",
           estimate.time_macs / 1e9, estimate.frame_macs / 1e9);
    if (estimate.pair_macs > 0.0)
        printf("                 %.1f GMAC a pair\n", estimate.pair_macs / 1e9);
    if (estimate.constant_macs > 0.0)
        printf("                 %.1f GMAC once\n", estimate.constant_macs / 1e9);
    printf("  arena          %.1f MiB\n", MIB(estimate.arena_bytes));
    printf("  kept           %.1f MiB a frame, for %u frames\n",
           MIB(estimate.frame_bytes), estimate.frames);
    if (estimate.constant_bytes > 0)
        printf("                 %.1f MiB, whatever the frames\n",
               MIB(estimate.constant_bytes));
    printf("  packed weights %.1f MiB\n", MIB(estimate.packed_weight_bytes));
    printf("  scratch        %.1f MiB\n", MIB(estimate.scratch_bytes));
    printf("  host frames    %.1f MiB\n", MIB(estimate.host_bytes));
    printf("  session        %.1f MiB in all, besides the model's weights\n",
           MIB(estimate.session_bytes));
    return TRUE;
}

/* @options: as they were given, or NULL. */
static VfiModel *open_model(const char *name, const char *options, GError **error)
{
    GVariant *parsed = options != NULL ? model_options_parse(options, error) : NULL;

    return options != NULL && parsed == NULL ? NULL : vfi_model_open(name, parsed, error);
}

static gboolean print_model(const char *name, const char *options,
                            const VfiSessionConfig *config, GError **error)
{
    g_autoptr(VfiModel) model = open_model(name, options, error);

    if (model == NULL)
        return FALSE;
    const VfiModelInfo *info = vfi_model_info(model);
    printf("family:      %s\n", info->family);
    printf("variant:     %s\n", info->variant[0] != '\0' ? info->variant : "none");
    printf("parameters:  %zu used, %.1f MiB\n", info->n_parameters,
           MIB(info->weight_bytes));
    printf("times:       %s\n",
           info->time_mode == VFI_TIME_ANY ? "any" : "the middle; others by bisection");
    printf("flow scale:  %s\n", info->has_scale ? "yes" : "no");
    if (info->frames_before != 0 || info->frames_after != 0)
        printf("frames:      the two around an in-between, %d before and %d after them\n",
               info->frames_before, info->frames_after);
    if (!print_cost(model, error))
        return FALSE;
    print_options(info->family);
    return config == NULL || print_memory(model, config, error);
}

static gboolean inspect(const char *name, const char *options,
                        const VfiSessionConfig *config, GError **error)
{
    g_autofree char *path = NULL;

    if (!vfi_model_resolve(name, &path, error))
        return FALSE;
    g_autofree char *shown = plain(path != NULL ? path : name);
    printf("model:       %s\n", shown);
    return (path == NULL || print_checkpoint(path, error)) &&
           print_model(path != NULL ? path : name, options, config, error);
}

/* ---- plans ------------------------------------------------------------------------- */

typedef void (*PrintPlan)(const InspectedPlan *inspected);

static const struct {
    const char *name;
    PrintPlan print;
} plan_formats[] = {
    {"text", inspected_print_text},
    {"dot", inspected_print_dot},
    {"json", inspected_print_json},
};

/* NULL for an unknown format. */
static PrintPlan find_plan_format(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(plan_formats); i++)
        if (strcmp(plan_formats[i].name, name) == 0)
            return plan_formats[i].print;
    return NULL;
}

static gboolean inspect_plan(const char *name, const char *options,
                             const VfiSessionConfig *config, PrintPlan print,
                             GError **error)
{
    InspectedPlan inspected;
    VfiModel *model = open_model(name, options, error);

    if (model == NULL)
        return FALSE;
    gboolean planned = inspected_plan_init(&inspected, model, config, error);
    if (planned)
        print(&inspected);
    inspected_plan_clear(&inspected);
    return planned;
}

/* ---- the system -------------------------------------------------------------------- */

static void print_bytes(const char *name, uint64_t bytes)
{
    if (bytes == UINT64_MAX)
        printf("  %-14s unknown or without limit\n", name);
    else
        printf("  %-14s %.0f MiB\n", name, MIB(bytes));
}

static void print_cpu(const VfiSystemInfo *info)
{
    static const char *const valid[] = {"", "c", "avx2", "avx512", NULL};
    const char *cap = secure_getenv("VFI_CPU");
    gboolean is_ignored = cap != NULL && !g_strv_contains(valid, cap);

    printf("cpu level:   %s", info->cpu_level);
    if (strcmp(info->cpu_level, info->machine_cpu_level) != 0)
        printf(", capped by VFI_CPU=%s; the CPU has %s", cap != NULL ? cap : "",
               info->machine_cpu_level);
    else
        printf(", all that the CPU has%s%s%s", is_ignored ? "; VFI_CPU=" : "",
               is_ignored ? cap : "",
               is_ignored ? " is ignored, valid are c, avx2 and avx512" : "");
    printf("; bf16: %s\n", info->cpu_has_bf16 ? "yes" : "no");
    printf("threads:     %u (affinity and control groups)\n", info->threads);
}

static void print_found_model(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = vfi_model_open(path, NULL, &error);
    g_autofree char *shown = plain(path);

    if (model == NULL)
        printf("  %s: does not load: %s\n", shown, error->message);
    else
        printf("  %s: %s %s\n", shown, vfi_model_info(model)->family,
               vfi_model_info(model)->variant);
}

static void print_models(void)
{
    g_auto(GStrv) folders = vfi_model_search_path();
    g_auto(GStrv) models = vfi_model_list();
    g_autofree char *chosen = NULL;

    printf("search path:\n");
    for (size_t i = 0; folders[i] != NULL; i++)
        printf("  %s%s\n", folders[i],
               g_file_test(folders[i], G_FILE_TEST_IS_DIR) ? "" : " (not there)");
    printf("models:      %s\n", models[0] == NULL ? "none" : "");
    for (size_t i = 0; models[i] != NULL; i++)
        print_found_model(models[i]);
    vfi_model_resolve("auto", &chosen, NULL);
    g_autofree char *shown =
        plain(chosen != NULL ? chosen : "flow, since there is no RIFE");
    printf("auto:        %s\n", shown);
}

static void print_system(void)
{
    VfiSystemInfo info;

    vfi_system_info(&info);
    print_cpu(&info);
    printf("memory:\n");
    print_bytes("total", info.memory_total);
    print_bytes("limit", info.memory_limit);
    print_bytes("free", info.memory_free);
    printf("  %-14s %s\n", "limited by", info.memory_limited_by);
    print_bytes("headroom", info.memory_headroom);
    if (info.has_cuda)
        printf("cuda:        %s\n", info.cuda);
    else
        printf("cuda:        not available: %s\n", info.cuda);
    print_models();
}

/* ---- the command line -------------------------------------------------------------- */

static gboolean parse_size(const char *text, VfiVideoInfo *video, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);
    guint64 width = 0, height = 0;

    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 1, VFI_MAX_DIMENSION, &width, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 1, VFI_MAX_DIMENSION, &height, NULL)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "size \"%s\": expected WIDTHxHEIGHT, each 1 to %d", text,
                    VFI_MAX_DIMENSION);
        return FALSE;
    }
    *video = (VfiVideoInfo){
        .format = VFI_FORMAT_I420, .width = (int)width, .height = (int)height};
    return TRUE;
}

/* A plain --plan would take the model for its format. */
static void complete_plan_option(int argc, char **argv)
{
    static char text[] = "--plan=text";

    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--plan") == 0)
            argv[i] = text;
}

/* What goes with what. */
static gboolean check_arguments(const Arguments *a, GError **error)
{
    guint n_files = a->files == NULL ? 0 : g_strv_length(a->files);
    const char *wrong = NULL;

    if (!a->system && n_files == 0)
        wrong = "expected a model or --system; --help shows all options";
    else if (a->plan != NULL && find_plan_format(a->plan) == NULL)
        wrong = "--plan is text, dot or json";
    else if (a->plan != NULL && a->size == NULL)
        wrong = "--plan wants --size WIDTHxHEIGHT";
    else if (a->plan != NULL && (a->system || n_files != 1))
        wrong = "--plan is of one model and shows nothing else";
    else if (a->size == NULL && (a->device != NULL || a->precision != NULL))
        wrong = "--device and --precision are about a session: --size WIDTHxHEIGHT is "
                "missing";
    if (wrong != NULL)
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT, wrong);
    return wrong == NULL;
}

static gboolean parse_precision(const char *text, VfiPrecision *precision, GError **error)
{
    if (vfi_precision_from_string(text, precision))
        return TRUE;
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "precision \"%s\" is unknown: expected auto, f32, tf32, bf16 or f16",
                text);
    return FALSE;
}

static gboolean parse_arguments(int *argc, char ***argv, Arguments *arguments,
                                GError **error)
{
    const GOptionEntry entries[] = {
        {"options", 0, 0, G_OPTION_ARG_STRING, &arguments->options,
         "Options of the models, which are else as without any", "NAME=VALUE,…"},
        {"size", 0, 0, G_OPTION_ARG_STRING, &arguments->size,
         "Also say what a session for frames of this size needs", "WIDTHxHEIGHT"},
        {"scale", 0, 0, G_OPTION_ARG_DOUBLE, &arguments->scale,
         "Flow scale of that session: 0.25 to 4, or 0 to choose it by size (default 1)",
         "SCALE"},
        {"device", 0, 0, G_OPTION_ARG_STRING, &arguments->device,
         "Its device: auto, cpu or cuda[:N] (default auto)", "DEVICE"},
        {"precision", 0, 0, G_OPTION_ARG_STRING, &arguments->precision,
         "Its precision: auto, f32, tf32, bf16 or f16 (default auto)", "PRECISION"},
        {"plan", 0, 0, G_OPTION_ARG_STRING, &arguments->plan,
         "Instead show how the planner comes to what that session runs, and where each "
         "tensor lies (--plan alone: as text); no GPU is needed",
         "text|dot|json"},
        {"system", 0, 0, G_OPTION_ARG_NONE, &arguments->system,
         "Show instruction set, threads, memory, CUDA and the models found", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &arguments->files, NULL,
         "MODEL…"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("- what a model is and costs, or why it does not load");

    g_option_context_set_summary(
        context, "MODEL is a file, a folder of an ncnn model, or a name on the search "
                 "path.\nThe exit status is 1 if one does not load, and 2 for a wrong "
                 "command line.");
    g_option_context_add_main_entries(context, entries, NULL);
    complete_plan_option(*argc, *argv);
    return g_option_context_parse(context, argc, argv, error) &&
           check_arguments(arguments, error);
}

static gboolean make_config(const Arguments *arguments, VfiSessionConfig *config,
                            GError **error)
{
    *config = (VfiSessionConfig){.device = arguments->device != NULL ? arguments->device
                                                                     : "auto",
                                 .scale = arguments->scale};
    return (arguments->size == NULL ||
            parse_size(arguments->size, &config->video, error)) &&
           (arguments->precision == NULL ||
            parse_precision(arguments->precision, &config->precision, error));
}

static void arguments_clear(Arguments *arguments)
{
    g_strfreev(arguments->files);
    g_free(arguments->options);
    g_free(arguments->size);
    g_free(arguments->plan);
    g_free(arguments->device);
    g_free(arguments->precision);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

int main(int argc, char **argv)
{
    g_auto(Arguments) arguments = {.scale = 1.0};
    VfiSessionConfig config;
    g_autoptr(GError) error = NULL;
    int status = EXIT_SUCCESS;

    if (!parse_arguments(&argc, &argv, &arguments, &error) ||
        !make_config(&arguments, &config, &error)) {
        fprintf(stderr, "vfi-inspect: %s\n", error->message);
        return 2;
    }
    PrintPlan print_plan =
        arguments.plan != NULL ? find_plan_format(arguments.plan) : NULL;
    if (arguments.system)
        print_system();
    for (char **file = arguments.files; file != NULL && *file != NULL; file++) {
        g_autoptr(GError) reason = NULL;
        if (file != arguments.files || arguments.system)
            printf("\n");
        if (!(print_plan != NULL
                  ? inspect_plan(*file, arguments.options, &config, print_plan, &reason)
                  : inspect(*file, arguments.options,
                            arguments.size != NULL ? &config : NULL, &reason))) {
            fflush(stdout);
            fprintf(stderr, "vfi-inspect: %s\n", reason->message);
            status = EXIT_FAILURE;
        }
    }
    return status;
}
