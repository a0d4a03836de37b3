/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs every kind of op on one device, in all ways that a plan may have it, and compares
 * with the definition (reference.h): the descriptors' cases, other sizes, extreme values,
 * in place, in row groups, cancelled. A new kind needs nothing here.
 *
 * usage: ops-runner [--precision P] [--kind NAME] DEVICE      reports as TAP */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/error.h>

#include "sanitizers.h"
#include "trial.h"

typedef struct {
    Target opened[2];
    Devices devices;
    int n_tests, n_failed;
} Runner;

/* ---- reporting --------------------------------------------------------------------- */

static void report(Runner *runner, bool passed, const char *text)
{
    runner->n_tests++;
    runner->n_failed += !passed;
    printf("%sok %d - %s\n", passed ? "" : "not ", runner->n_tests, text);
}

/* Reports one line. What went wrong since the last report goes before it as comments. If
 * the device lacks the kind, the line is a SKIP. */
static void report_tally(Runner *runner, const Tally *tally, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(tally->wrong->str, "\n", -1);
    bool lacks = tally->runs == 0 && tally->refused > 0;
    g_autofree char *skipped =
        g_strdup_printf("%s # SKIP %s lacks it: %s", text,
                        runner->devices.target->info.name, tally->refusal->str);

    for (char **line = lines; *line != NULL; line++)
        if (**line != '\0')
            printf("# %s\n", *line);
    report(runner, tally->wrong->len == 0,
           lacks && tally->wrong->len == 0 ? skipped : text);
    g_string_truncate(tally->wrong, 0);
}

/* ---- cases ------------------------------------------------------------------------- */

static bool is_low_precision(const Runner *runner)
{
    return runner->devices.target->info.precision != VFI_PRECISION_F32;
}

static void try_case(Runner *runner, Tally *tally, VfiOpKind kind, int index)
{
    const VfiOpCase *test = &vfi_op_descriptor(kind)->cases[index];
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    int before = tally->runs;
    g_autoptr(Problem) problem = problem_new(kind, test, (guint32)(100 * kind + index),
                                             is_low_precision(runner), &error);

    if (problem == NULL) {
        report(runner, false, error->message);
        return;
    }
    try_problem(&runner->devices, tally, problem, 0, 0);
    append_problem(text, &problem->op);
    g_string_append_printf(text, ", case %d: %d ways", index, tally->runs - before);
    report_tally(runner, tally, text->str);
}

/* Sizes around those of vectors, and one whose rows are longer than chunks of work. */
static const struct {
    int h, w;
} sizes[] = {{1, 1},  {2, 2},  {3, 3},  {1, 4},  {2, 5},  {3, 7},   {1, 8},
             {2, 9},  {3, 15}, {1, 16}, {2, 17}, {3, 18}, {1, 31},  {2, 32},
             {3, 33}, {1, 35}, {2, 47}, {3, 63}, {1, 65}, {9, 4099}};

/* What is tried at every size on devices, whose simulation takes long. */
#define DEVICE_CASES 2
#define DEVICE_WAYS 6

#define LARGE_ROW 1000
#define LARGE_CHANNELS 40
#define LARGE_CHANNELS_ON_DEVICES 8

/* @test with all sources that have the first one's size at another. */
static VfiOpCase at_size(const VfiOpCase *test, int h, int w)
{
    VfiOpCase other = *test;
    VfiShape first = test->src[0];

    for (int i = 0; i < VFI_OP_MAX_SOURCES && other.src[i].c != 0; i++)
        if (other.src[i].h == first.h && other.src[i].w == first.w) {
            other.src[i].h = h;
            other.src[i].w = w;
        }
    return other;
}

static bool is_too_much(const Runner *runner, const VfiOp *op)
{
    VfiShape s = op->src[0].shape;
    bool on_host = runner->devices.target->backend->host_memory;

    return s.w > LARGE_ROW &&
           (vfi_op_macs(op) > 0.0 ||
            s.c > (on_host ? LARGE_CHANNELS : LARGE_CHANNELS_ON_DEVICES));
}

/* Where the case has no such size, nothing. */
static bool try_size(const Runner *runner, Tally *tally, VfiOpKind kind, int index,
                     size_t size)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(kind);
    VfiOpCase test = at_size(&descriptor->cases[index], sizes[size].h, sizes[size].w);
    /* By name: another kind in the list changes nothing for this one. */
    guint32 seed = g_str_hash(vfi_op_kind_to_string(kind)) + (guint32)size;

    if (test.src[0].c == 0)
        return false;
    if (descriptor->tolerance != VFI_TOLERANCE_SUMS)
        test.values = VFI_VALUES_EXTREME;
    g_autoptr(Problem) problem =
        problem_new(kind, &test, seed, is_low_precision(runner), NULL);
    if (problem == NULL || is_too_much(runner, &problem->op))
        return false;
    try_problem(&runner->devices, tally, problem,
                runner->devices.target->backend->host_memory ? 0 : DEVICE_WAYS,
                (guint)size);
    return true;
}

/* Every size with all cases that have it; with two of them where the device has a memory
 * of its own. */
static void try_sizes(Runner *runner, Tally *tally, VfiOpKind kind)
{
    size_t n_cases = (size_t)vfi_op_descriptor(kind)->n_cases;
    int most = runner->devices.target->backend->host_memory ? (int)n_cases : DEVICE_CASES;
    int before = tally->runs, n_sizes = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i += SANITIZER_STEP) {
        int tried = 0;
        for (size_t k = 0; k < n_cases && tried < most; k++)
            tried += try_size(runner, tally, kind, (int)((i + k) % n_cases), i);
        n_sizes += tried > 0;
    }
    g_autofree char *text =
        g_strdup_printf("%s at %d other sizes: %d ways", vfi_op_kind_to_string(kind),
                        n_sizes, tally->runs - before);
    report_tally(runner, tally, text);
}

/* ---- kinds ------------------------------------------------------------------------- */

static void check_cancelled(Runner *runner, Tally *tally, VfiOpKind kind)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(kind);
    const VfiOpCase *last = &descriptor->cases[descriptor->n_cases - 1];
    g_autoptr(Problem) problem = problem_new(kind, last, 1, false, NULL);
    guint n = problem == NULL ? 0 : try_cancelled(&runner->devices, tally, problem);
    g_autofree char *text = g_strdup_printf(
        "%s leaves memory alone when cancelled, %u ways", vfi_op_kind_to_string(kind), n);

    report_tally(runner, tally, text);
}

static void demand(Tally *tally, bool demanded, int n, const char *what)
{
    if (demanded && n == 0)
        g_string_append_printf(tally->wrong, "nothing ran %s\n", what);
}

/* Whether all that the descriptor and the device's plans promise was among the ways. */
static void check_coverage(Runner *runner, Tally *tally, VfiOpKind kind)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(kind);
    const VfiPlanTarget *plan = &runner->devices.target->plan;
    unsigned flag = plan->channels_last ? VFI_LAYOUT_CHANNELS_LAST : VFI_LAYOUT_BLOCKS;
    bool in_place = false,
         is_grouped = plan->row_groups && descriptor->row_local &&
                      (plan->row_op == NULL || plan->row_op(&(VfiOp){.kind = kind}));
    g_autofree char *text = g_strdup_printf(
        "%s: %d ways, %d with channels together, %d with f16, %d in row groups, %d in "
        "place",
        vfi_op_kind_to_string(kind), tally->runs, tally->together, tally->half,
        tally->grouped, tally->in_place);

    for (int i = 0; i < descriptor->max_sources; i++)
        in_place = in_place || descriptor->source[i].in_place;
    demand(tally, true, tally->runs, "at all");
    demand(tally, plan->channel_block > 1 && (descriptor->result & flag) != 0,
           tally->together, "with channels together");
    demand(tally, plan->half_pixels && (descriptor->result & flag) != 0, tally->half,
           "with f16");
    demand(tally, is_grouped, tally->grouped, "in a row group");
    demand(tally, in_place, tally->in_place, "in place");
    report_tally(runner, tally, text);
}

/* A device runs all cases of a kind or refuses them all; the CPU runs all. */
static void try_kind(Runner *runner, VfiOpKind kind)
{
    Tally tally = {.wrong = g_string_new(NULL), .refusal = g_string_new(NULL)};

    for (int i = 0; i < vfi_op_descriptor(kind)->n_cases; i++)
        try_case(runner, &tally, kind, i);
    try_sizes(runner, &tally, kind);
    if (tally.refused > 0 &&
        (tally.runs > 0 || runner->devices.target->backend->host_memory))
        g_string_append_printf(tally.wrong, "%d ways are refused: %s\n", tally.refused,
                               tally.refusal->str);
    if (tally.refused == 0 || tally.wrong->len > 0) {
        check_coverage(runner, &tally, kind);
        check_cancelled(runner, &tally, kind);
    }
    g_string_free(tally.wrong, TRUE);
    g_string_free(tally.refusal, TRUE);
}

/* Nothing is allocated or run for an op that there are no kernels for. */
static void check_unknown_kind(Runner *runner)
{
    const Target *target = runner->devices.target;
    VfiOp op = {.kind = VFI_OP_KIND_COUNT, .name = "test"};
    VfiPlanSegment segment = {.n_ops = 1};
    VfiPlan plan = {.ops = &op, .n_ops = 1, .segments = &segment, .n_segments = 1};
    g_autoptr(GError) error = NULL;
    VfiProgram *program = target->backend->compile(target->device, &plan, &error);

    report(runner,
           program == NULL && g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED),
           "a kind that nobody knows is refused");
    if (program != NULL)
        target->backend->program_free(target->device, program);
}

/* ---- devices ----------------------------------------------------------------------- */

static bool open_devices(Runner *runner, const char *spec, VfiPrecision precision,
                         GError **error)
{
    Target *opened = runner->opened;

    runner->devices = (Devices){.target = &opened[0], .other = &opened[0]};
    if (!target_open(&opened[0], spec, precision, 1, error))
        return false;
    if (!opened[0].backend->host_memory)
        return true;
    runner->devices.other = &opened[1];
    return target_open(&opened[1], spec, precision, 3, error);
}

/* Whether the CPU has the level that VFI_CPU asks for. */
static bool has_level(const Runner *runner)
{
    const char *level = g_getenv("VFI_CPU");

    return level == NULL || !runner->devices.target->backend->host_memory ||
           strcmp(level, runner->devices.target->info.level) == 0;
}

static void run_all(Runner *runner, const char *only)
{
    const VfiDeviceInfo *info = &runner->devices.target->info;

    printf("# %s, %s, %s\n", info->name, info->level,
           vfi_precision_to_string(info->precision));
    for (int kind = 0; kind < VFI_OP_KIND_COUNT; kind++)
        if (only == NULL || strcmp(only, vfi_op_kind_to_string((VfiOpKind)kind)) == 0)
            try_kind(runner, (VfiOpKind)kind);
    if (only == NULL)
        check_unknown_kind(runner);
    if (runner->n_tests == 0)
        report(runner, false, "no kind has that name");
    printf("1..%d\n", runner->n_tests);
}

int main(int argc, char **argv)
{
    g_autofree char *precision_name = g_strdup("auto"), *kind = NULL;
    const GOptionEntry entries[] = {
        {"precision", 0, 0, G_OPTION_ARG_STRING, &precision_name, "auto, f32, …", "P"},
        {"kind", 0, 0, G_OPTION_ARG_STRING, &kind, "this kind alone", "NAME"},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GOptionContext) options = g_option_context_new("DEVICE");
    g_autoptr(GError) error = NULL;
    VfiPrecision precision;
    Runner runner = {0};

    g_option_context_add_main_entries(options, entries, NULL);
    if (!g_option_context_parse(options, &argc, &argv, &error) || argc != 2 ||
        !vfi_precision_from_string(precision_name, &precision)) {
        printf("Bail out! usage: ops-runner [--precision P] [--kind NAME] DEVICE\n");
        return EXIT_FAILURE;
    }
    if (!open_devices(&runner, argv[1], precision, &error)) {
        printf("Bail out! %s\n", error->message);
        return EXIT_FAILURE;
    }
    if (has_level(&runner))
        run_all(&runner, kind);
    else
        printf("1..0 # SKIP this CPU has no %s\n", g_getenv("VFI_CPU"));
    target_close(&runner.opened[1]);
    target_close(&runner.opened[0]);
    return runner.n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
