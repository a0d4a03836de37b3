/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real cuDNN judges every convolution of every network for four GPUs that need not be
 * there: it reads their properties from files and says what it would run. With --table it
 * prints the workspace that each network needs. */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "conv/conv.h"
#include "conv/conv_graph.h"
#include "conv/conv_op.h"
#include "conv/cudnn_descriptor.h"
#include "conv_shapes.h"

/* cuDNN 9.8 was the first that takes a device's properties. */
#define MIN_VERSION 90800

static const char *const devices[] = {"sm_75", "sm_86", "sm_89", "sm_90"};
#define N_DEVICES G_N_ELEMENTS(devices)

static const VfiCudaConvMath maths[] = {VFI_CUDA_CONV_F16, VFI_CUDA_CONV_F32,
                                        VFI_CUDA_CONV_TF32};
#define N_MATHS G_N_ELEMENTS(maths)

static GArray *shapes[N_MATHS];

static void collect(void)
{
    for (size_t i = 0; i < N_MATHS; i++)
        shapes[i] = collect_conv_shapes(maths[i]);
}

static VfiCudaConvContext context_for(const char *device)
{
    VfiCudaConvContext context = {
        .library = vfi_cudnn_library(NULL),
        .workspace_limit = VFI_CUDA_WORKSPACE_LIMIT,
    };
    g_autofree char *path = g_strdup_printf("%s/%s.json", TEST_DEVICES, device);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    ck_assert(g_file_get_contents(path, &text, &length, NULL));
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(context.library, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    vfi_cudnn_set(&builder, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                  (int64_t)length, text);
    context.properties = vfi_cudnn_end(&builder, path, &error);
    ck_assert_msg(context.properties != NULL, "%s", error != NULL ? error->message : "");
    return context;
}

static void context_clear(VfiCudaConvContext *context)
{
    vfi_cudnn_descriptor_free(context->library, context->properties);
}

/* Each math on each device. */
START_TEST(every_convolution_has_an_engine)
{
    VfiCudaConvContext context = context_for(devices[(size_t)_i / N_MATHS]);
    const GArray *list = shapes[(size_t)_i % N_MATHS];

    ck_assert_uint_gt(list->len, 100);
    for (guint i = 0; i < list->len; i++) {
        const UsedShape *used = &g_array_index(list, UsedShape, i);
        g_autoptr(GError) error = NULL;
        VfiCudaConvPlan *plan = vfi_cuda_conv_new(&context, &used->shape, &error);
        if (plan == NULL)
            ck_abort_msg("%s: %s (in %s)", devices[(size_t)_i / N_MATHS], error->message,
                         used->users->str);
        if (vfi_cuda_conv_workspace(plan) > VFI_CUDA_WORKSPACE_LIMIT)
            ck_abort_msg("%s wants %zu bytes", used->key, vfi_cuda_conv_workspace(plan));
        vfi_cuda_conv_free(plan);
    }
    context_clear(&context);
}
END_TEST

/* Sources that are some channels of a larger tensor: engines take them, by way of a
 * copy. */
START_TEST(sources_may_have_others_between_their_pixels)
{
    VfiCudaConvContext context = context_for(devices[_i]);

    for (guint i = 0; i < shapes[0]->len; i++) {
        UsedShape used = g_array_index(shapes[0], UsedShape, i);
        g_autoptr(GError) error = NULL;
        used.shape.src.pixel_stride += 16;
        VfiCudaConvPlan *plan = vfi_cuda_conv_new(&context, &used.shape, &error);
        if (plan == NULL)
            ck_abort_msg("%s: %s (in %s)", devices[_i], error->message, used.users->str);
        vfi_cuda_conv_free(plan);
    }
    context_clear(&context);
}
END_TEST

static bool same_choice(const VfiCudaConvChoice *a, const VfiCudaConvChoice *b)
{
    if (a->engine != b->engine || a->n_knobs != b->n_knobs)
        return false;
    for (int i = 0; i < a->n_knobs; i++)
        if (a->knobs[i].type != b->knobs[i].type ||
            a->knobs[i].value != b->knobs[i].value)
            return false;
    return true;
}

/* A choice read from a candidate leads to the same one again. */
START_TEST(choices_come_back)
{
    VfiCudaConvContext context = context_for(devices[_i]);
    const GArray *list = shapes[0];
    int n_set_up = 0;

    for (guint i = 0; i < list->len; i += 5) {
        const UsedShape *used = &g_array_index(list, UsedShape, i);
        VfiCudaConvGraph *graph = vfi_cuda_conv_graph_new(&context, &used->shape, NULL);
        VfiCudaConvCandidate candidates[3], again;
        VfiCudaConvCursor cursor = {0};
        int n = vfi_cuda_conv_graph_candidates(graph, &cursor, candidates, 3, NULL);
        for (int c = 0; c < n; c++) {
            if (!vfi_cuda_conv_graph_candidate(graph, &candidates[c].choice, &again))
                ck_abort_msg("choice %d of %s does not come back", c, used->key);
            if (again.workspace != candidates[c].workspace ||
                !same_choice(&again.choice, &candidates[c].choice))
                ck_abort_msg("choice %d of %s comes back as another", c, used->key);
            n_set_up += again.choice.n_knobs > 0;
            vfi_cuda_conv_candidate_clear(context.library, &again);
            vfi_cuda_conv_candidate_clear(context.library, &candidates[c]);
        }
        vfi_cuda_conv_graph_free(graph);
    }
    ck_assert_int_gt(n_set_up, 0);
    context_clear(&context);
}
END_TEST

/* Descriptors that contradict themselves, limits that no engine keeps and choices that do
 * not exist are refused, with the reason. */
START_TEST(what_cannot_be_is_refused)
{
    VfiCudaConvContext context = context_for("sm_86");
    VfiCudaConvShape shape = g_array_index(shapes[1], UsedShape, 0).shape, wrong = shape;
    VfiCudaConvChoice choice = {.engine = 100000};
    VfiCudaConvCandidate candidate;
    g_autoptr(GError) error = NULL;

    wrong.dst.h++;
    ck_assert_ptr_null(vfi_cuda_conv_new(&context, &wrong, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "cuDNN 9."));
    ck_assert_ptr_nonnull(strstr(error->message, "kernel"));

    VfiCudaConvGraph *graph = vfi_cuda_conv_graph_new(&context, &shape, NULL);
    ck_assert_ptr_nonnull(graph);
    ck_assert(!vfi_cuda_conv_graph_candidate(graph, &choice, &candidate));
    vfi_cuda_conv_graph_free(graph);
    context_clear(&context);
}
END_TEST

/* ---- the table --------------------------------------------------------------------- */

/* Prints the largest workspace of a model's convolutions, or how many of them have no
 * plan. */
static void print_workspace(const VfiCudaConvContext *context, const GArray *list,
                            const char *model)
{
    g_autofree char *user = g_strdup_printf("%s; ", model);
    size_t largest = 0;
    int n_missing = 0;

    for (guint i = 0; i < list->len; i++) {
        const UsedShape *used = &g_array_index(list, UsedShape, i);
        const char *found = strstr(used->users->str, user);
        if (found == NULL || (found != used->users->str && found[-1] != ' '))
            continue;
        VfiCudaConvPlan *plan = vfi_cuda_conv_new(context, &used->shape, NULL);
        if (plan == NULL)
            n_missing++;
        else
            largest = MAX(largest, vfi_cuda_conv_workspace(plan));
        vfi_cuda_conv_free(plan);
    }
    if (n_missing > 0)
        printf(" | %d missing", n_missing);
    else
        printf(" | %.1f", (double)largest / 0x1p20);
}

/* A test, because collecting shapes asserts. */
START_TEST(table)
{
    static const char *const math_names[] = {"f16", "f32", "tf32"};

    printf("| model, largest workspace in MiB");
    for (size_t i = 0; i < N_DEVICES * N_MATHS; i++)
        printf(" | %s %s", devices[i / N_MATHS], math_names[i % N_MATHS]);
    printf(" |\n|---");
    for (size_t i = 0; i < N_DEVICES * N_MATHS; i++)
        printf("|---");
    printf("|\n");
    for (int model = 0; judged_models[model].name != NULL; model++) {
        printf("| %s", judged_models[model].name);
        for (size_t i = 0; i < N_DEVICES * N_MATHS; i++) {
            VfiCudaConvContext context = context_for(devices[i / N_MATHS]);
            print_workspace(&context, shapes[i % N_MATHS], judged_models[model].name);
            context_clear(&context);
        }
        printf(" |\n");
    }
}
END_TEST

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    const VfiCudnnLibrary *library = vfi_cudnn_library(&error);

    if (library == NULL || library->version < MIN_VERSION) {
        printf("1..0 # SKIP no cuDNN to judge: %s\n",
               library == NULL ? error->message : "older than 9.8");
        return EXIT_SUCCESS;
    }

    Suite *suite = suite_create("cuda-judge");
    TCase *tcase = tcase_create("judge");
    suite_add_tcase(suite, tcase);
    tcase_add_unchecked_fixture(tcase, collect, NULL);
    if (argc > 1 && strcmp(argv[1], "--table") == 0) {
        tcase_set_timeout(tcase, 600);
        tcase_add_test(tcase, table);
        return check_main(suite);
    }
    tcase_add_loop_test(tcase, every_convolution_has_an_engine, 0,
                        (int)(N_DEVICES * N_MATHS));
    tcase_add_loop_test(tcase, sources_may_have_others_between_their_pixels, 0,
                        (int)N_DEVICES);
    tcase_add_loop_test(tcase, choices_come_back, 0, (int)N_DEVICES);
    tcase_add_test(tcase, what_cannot_be_is_refused);
    return check_main(suite);
}
