/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups: plans with and without them give the same bits on the CPU, on random graphs
 * and on those of networks, whatever the number of threads; values that only groups see
 * take no memory. Gets the level as its argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/error.h>

#include "backend/backend.h"
#include "check_main.h"
#include "cpu/row_group.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "random_graph.h"

/* What a run left: the outputs of its last segment in order, then the scalars. */
static GByteArray *run_plan(const VfiPlan *plan, char *const *frames, int last_segment,
                            unsigned threads)
{
    const VfiBackend *backend = &vfi_backend_cpu;
    GByteArray *result = g_byte_array_new();
    VfiDevice *device = backend->open(
        &(VfiDeviceRequest){"cpu", threads, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiProgram *program = backend->compile(device, plan, NULL);
    char *arena = backend->alloc(device, plan->arena_bytes + 1, "test arena", NULL);
    g_autofree float *scalars = g_new0(float, plan->n_scalars + 1);
    VfiRunArguments arguments = {
        .region = {arena, frames[0], frames[1]},
        .inputs.value = {[VFI_RUN_INPUT_TIME] = 0.3f, [VFI_RUN_INPUT_IMAGE_MEAN] = 0.4f},
        .scalars = scalars};

    ck_assert_ptr_nonnull(program);
    memset(arena, 0xff, plan->arena_bytes); /* NaN: what is not computed shows */
    ck_assert(backend->run(device, program, 0, &arguments, NULL));
    if (last_segment > 0)
        ck_assert(backend->run(device, program, last_segment, &arguments, NULL));
    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiPlanOutput *output = &plan->outputs[i];
        if (output->segment != last_segment)
            continue;
        const char *data =
            arguments.region[output->operand.region] + output->operand.offset;
        g_byte_array_append(
            result, (const guint8 *)data,
            (guint)(vfi_shape_elements(output->operand.shape) * sizeof(float)));
    }
    g_byte_array_append(result, (const guint8 *)scalars,
                        (guint)(sizeof(float) * (guint)plan->n_scalars));
    backend->free(device, arena);
    backend->program_free(device, program);
    backend->close(device);
    return result;
}

static const VfiPlanTarget row_groups = {.row_groups = true};

static VfiPlan *plan_of(const VfiGraph *graph, const VfiPlanTarget *target)
{
    g_autoptr(GError) error = NULL;
    VfiPlan *plan = vfi_plan_new(graph, target, VFI_REGION_ARENA, &error);

    ck_assert_msg(plan != NULL, "%s", error != NULL ? error->message : "");
    return plan;
}

/* Floats in [0, 1) for what is kept of a frame. */
static char *random_frame(GRand *rand, size_t bytes)
{
    float *values = g_malloc(bytes);

    for (size_t i = 0; i < bytes / sizeof(float); i++)
        values[i] = (float)g_rand_double(rand);
    return (char *)values;
}

/* Runs @graph both ways and compares. Returns the plan with groups. */
static VfiPlan *check_graph(const VfiGraph *graph, char *const *frames, int last_segment)
{
    VfiPlan *plain = plan_of(graph, NULL), *grouped = plan_of(graph, &row_groups);
    g_autoptr(GByteArray) expected = run_plan(plain, frames, last_segment, 2);

    ck_assert_int_eq(plain->n_row_groups, 0);
    for (unsigned threads = 1; threads <= 3; threads++) {
        g_autoptr(GByteArray) result = run_plan(grouped, frames, last_segment, threads);
        ck_assert_uint_eq(result->len, expected->len);
        ck_assert_mem_eq(result->data, expected->data, expected->len);
    }
    vfi_plan_free(plain);
    return grouped;
}

/* ---- random graphs ----------------------------------------------------------------- */

START_TEST(random_graphs_give_the_same_bits)
{
    GRand *rand = g_rand_new_with_seed((guint32)_i + 1);
    size_t bytes = vfi_plan_image_bytes(WIDTH, HEIGHT);
    g_autofree char *frame0 = random_frame(rand, bytes);
    g_autofree char *frame1 = random_frame(rand, bytes);
    int last_segment;
    VfiGraph *graph = random_graph(rand, &last_segment);

    vfi_plan_free(check_graph(graph, (char *[]){frame0, frame1}, last_segment));
    vfi_graph_free(graph);
    g_rand_free(rand);
}
END_TEST

/* ---- networks ---------------------------------------------------------------------- */

static const struct {
    const char *family, *options;
    double scale;
    int segment; /* after the first one */
} variants[] = {
    {"rife_v4_0", NULL, 1.0, 1},
    {"rife_v4_0", NULL, 0.5, 1},
    {"rife_v4_0", NULL, 1.0, 2},
    {"rife_v4_0", NULL, 0.5, 2},
    {"rife_v4_0", "{'refine': <true>, 'ensemble': <true>}", 1.0, 1},
    {"rife_v3_6", NULL, 1.0, 0},
    {"rife_v3_6", NULL, 0.5, 0},
    {"ifrnet_s", NULL, 1.0, 0},
    {"ifrnet_s", NULL, 0.5, 0},
    {"rife_eccv_m", NULL, 1.0, 0},
    {"rife_v4_6", NULL, 1.0, 0},
    {"rife_v4_6", NULL, 4.0, 0},
    {"rife_v4_10", "{'ensemble': <true>}", 0.5, 0},
    {"rife_v4_25", NULL, 1.0, 0},
};

START_TEST(networks_give_the_same_bits)
{
    g_autoptr(VfiModel) model = open_family(variants[_i].family, variants[_i].options);
    const VfiModelFamily *family = model->family;
    double scale = variants[_i].scale;
    int size = family->size_multiple(&model->setup, scale);
    VfiGraph *frame = vfi_graph_new(model->weights, size, size);
    VfiPlan *frame_plan = NULL;
    size_t frame_bytes = vfi_plan_image_bytes(size, size);

    if (family->build(frame, &model->setup, VFI_STAGE_FRAME, scale)) {
        frame_plan = vfi_plan_new(frame, &row_groups, VFI_REGION_FRAME0, NULL);
        frame_bytes = frame_plan->frame_bytes;
    }
    VfiGraph *time = vfi_graph_new(model->weights, size, size);
    vfi_plan_declare_outputs(frame_plan, time);
    ck_assert(family->build(time, &model->setup, VFI_STAGE_TIME, scale));

    GRand *rand = g_rand_new_with_seed(7);
    g_autofree char *frame0 = random_frame(rand, frame_bytes);
    g_autofree char *frame1 = random_frame(rand, frame_bytes);
    VfiPlan *plan = check_graph(time, (char *[]){frame0, frame1}, variants[_i].segment);
    ck_assert_int_gt(plan->n_row_groups, 2);
    g_rand_free(rand);
    vfi_plan_free(plan);
    vfi_graph_free(time);
    vfi_plan_free(frame_plan);
    vfi_graph_free(frame);
}
END_TEST

/* ---- single properties ------------------------------------------------------------- */

/* Both images warped by a flow that is enlarged from an eighth, and made smaller
 * again. */
static VfiGraph *warped_graph(int factor, bool keeps_one, bool reads_maximum)
{
    VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
    VfiValue small =
        vfi_graph_resize(graph, vfi_graph_image(graph, 0), HEIGHT / 8, WIDTH / 8, 30.0f);
    VfiValue flow =
        vfi_graph_resize(graph, vfi_graph_slice(graph, small, 1, 2), HEIGHT, WIDTH, 1.0f);
    VfiValue parts[2];

    for (int frame = 0; frame < 2; frame++) {
        VfiValue warped = vfi_graph_warp(graph, vfi_graph_image(graph, frame), flow);
        if (keeps_one && frame == 1)
            vfi_graph_output(graph, "warped", warped);
        parts[frame] =
            vfi_graph_resize(graph, warped, HEIGHT / factor, WIDTH / factor, 1.0f);
    }
    if (reads_maximum)
        vfi_graph_max_abs(graph, flow);
    vfi_graph_output(graph, "x", vfi_graph_concat(graph, parts, 2));
    return graph;
}

START_TEST(values_between_rows_take_no_memory)
{
    VfiGraph *graph = warped_graph(4, false, false);
    VfiPlan *plain = plan_of(graph, NULL), *grouped = plan_of(graph, &row_groups);
    size_t plane = (size_t)WIDTH * HEIGHT * sizeof(float);

    /* flow and a warped image at least; else an eighth of three planes, a quarter of
     * six */
    ck_assert_uint_ge(plain->arena_bytes, 5 * plane);
    ck_assert_uint_le(grouped->arena_bytes, plane / 2);
    ck_assert_int_eq(grouped->n_row_groups, 1);
    ck_assert_int_eq(grouped->row_groups[0].n_ops, 5);
    /* the flow, and the warped images in one place after the other */
    ck_assert_int_eq(grouped->row_groups[0].n_planes, 5);
    for (int i = 0; i < plain->n_ops; i++)
        ck_assert_int_ne(plain->ops[i].dst.region, VFI_REGION_ROWS);
    vfi_plan_free(plain);
    vfi_plan_free(grouped);
    vfi_graph_free(graph);
}
END_TEST

/* The sampling that the CPU chooses for the one group of @graph, whose bits are
 * compared. */
static int sampling_of(VfiGraph *graph)
{
    GRand *rand = g_rand_new_with_seed(3);
    size_t bytes = vfi_plan_image_bytes(WIDTH, HEIGHT);
    g_autofree char *frame0 = random_frame(rand, bytes);
    g_autofree char *frame1 = random_frame(rand, bytes);
    VfiPlan *plan = check_graph(graph, (char *[]){frame0, frame1}, 0);
    const VfiRowGroup *rows = &plan->row_groups[0];
    VfiCpuOp **ops = g_new0(VfiCpuOp *, rows->n_ops);

    ck_assert_int_eq(plan->n_row_groups, 1);
    for (int i = 0; i < rows->n_ops; i++)
        ops[i] = vfi_cpu_op_new(&plan->ops[rows->first_op + i], VFI_CPU_LEVEL_C, NULL);
    VfiCpuRowGroup *group = vfi_cpu_row_group_new(rows, ops, NULL);
    int sampling = vfi_cpu_row_group_sampling(group);

    vfi_cpu_row_group_free(group);
    for (int i = 0; i < rows->n_ops; i++)
        vfi_cpu_op_free(ops[i]);
    g_free(ops);
    g_rand_free(rand);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    return sampling;
}

/* Only what is read is computed, unless something else reads all of it. */
START_TEST(pixels_that_nothing_reads_are_not_computed)
{
    ck_assert_int_eq(sampling_of(warped_graph(2, false, false)), 0);
    ck_assert_int_eq(sampling_of(warped_graph(4, false, false)), 4);
    ck_assert_int_eq(sampling_of(warped_graph(8, false, false)), 8);
    ck_assert_int_eq(sampling_of(warped_graph(16, false, false)), 16);
    ck_assert_int_eq(sampling_of(warped_graph(4, true, false)), 0);
    ck_assert_int_eq(sampling_of(warped_graph(4, false, true)), 0);
}
END_TEST

/* A value enlarged from a small one is not kept from one segment to the next. */
START_TEST(cheap_values_are_rematerialised)
{
    VfiGraph *graph = vfi_graph_new(NULL, WIDTH, HEIGHT);
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue small = vfi_graph_resize(graph, image, HEIGHT / 8, WIDTH / 8, 2.0f);
    VfiValue large = vfi_graph_resize(graph, small, HEIGHT, WIDTH, 1.0f);
    size_t plane = (size_t)WIDTH * HEIGHT * sizeof(float);

    vfi_graph_max_abs(graph, large);
    vfi_graph_max_abs(graph, vfi_graph_affine(graph, large, 1.0f, -1.0f));
    int last = vfi_graph_segment(graph, 0);
    VfiValue sum = vfi_graph_add(graph, large, image, 1.0f);
    vfi_graph_output(graph, "x",
                     vfi_graph_resize(graph, sum, HEIGHT / 2, WIDTH / 2, 1.0f));

    GRand *rand = g_rand_new_with_seed(5);
    g_autofree char *frame = random_frame(rand, vfi_plan_image_bytes(WIDTH, HEIGHT));
    VfiPlan *plan = check_graph(graph, (char *[]){frame, frame}, last);
    ck_assert_int_eq(plan->segments[0].n_ops, 5);
    ck_assert_int_eq(plan->segments[last].n_ops, 3);
    ck_assert_int_eq(plan->ops[5].kind, VFI_OP_RESIZE);
    ck_assert_uint_le(plan->arena_bytes,
                      plane); /* three quarters of one are the result */
    g_rand_free(rand);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

/* A cancelled run stops and says so; the times of a group's ops are told apart. */
START_TEST(groups_are_cancelled_and_timed)
{
    VfiGraph *graph = warped_graph(2, false, false);
    VfiPlan *plan = plan_of(graph, &row_groups);
    const VfiBackend *backend = &vfi_backend_cpu;
    VfiDevice *device =
        backend->open(&(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiProgram *program = backend->compile(device, plan, NULL);
    char *arena = backend->alloc(device, plan->arena_bytes, "test arena", NULL);
    g_autofree float *image = g_malloc0(vfi_plan_image_bytes(WIDTH, HEIGHT));
    g_autofree uint64_t *nanoseconds = g_new0(uint64_t, plan->n_ops);
    g_autoptr(GError) error = NULL;
    atomic_int cancel = 1;
    VfiRunArguments arguments = {.region = {arena, (char *)image, (char *)image},
                                 .cancel = &cancel};

    ck_assert(!backend->run(device, program, 0, &arguments, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED));
    cancel = 0;
    arguments.op_nanoseconds = nanoseconds;
    ck_assert(backend->run(device, program, 0, &arguments, NULL));
    for (int i = 0; i < plan->n_ops; i++)
        ck_assert_uint_gt(nanoseconds[i], 0);
    backend->free(device, arena);
    backend->program_free(device, program);
    backend->close(device);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

/* The level is read from the environment once a process. */
int main(int argc, char **argv)
{
    const char *level = argc > 1 ? argv[1] : "c";

    g_setenv("VFI_CPU", level, TRUE);
    if (strcmp(vfi_cpu_level_to_string(vfi_cpu_level()), level) != 0) {
        printf("1..0 # SKIP this CPU has no %s\n", level);
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("row_groups");
    TCase *tcase = tcase_create("row_groups");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, random_graphs_give_the_same_bits, 0, 80);
    tcase_add_loop_test(tcase, networks_give_the_same_bits, 0, G_N_ELEMENTS(variants));
    tcase_add_test(tcase, values_between_rows_take_no_memory);
    tcase_add_test(tcase, pixels_that_nothing_reads_are_not_computed);
    tcase_add_test(tcase, cheap_values_are_rematerialised);
    tcase_add_test(tcase, groups_are_cancelled_and_timed);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
