/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graphs and plans: errors name tensors and shapes; fusing, views and lifetimes keep the
 * meaning; operands that live together never overlap. */
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "check_main.h"
#include "plan/plan.h"

static VfiGraph *new_graph(int width, int height)
{
    return vfi_graph_new(NULL, width, height);
}

static VfiPlan *plan_of(VfiGraph *graph)
{
    g_autoptr(GError) error = NULL;
    VfiPlan *plan = vfi_plan_new(graph, NULL, VFI_REGION_ARENA, &error);

    ck_assert_msg(plan != NULL, "%s", error != NULL ? error->message : "no plan");
    return plan;
}

static int count_ops(const VfiPlan *plan, VfiOpKind kind)
{
    int n = 0;

    for (int i = 0; i < plan->n_ops; i++)
        n += plan->ops[i].kind == kind;
    return n;
}

START_TEST(errors_stick_and_name_the_shapes)
{
    g_autoptr(GError) error = NULL;
    VfiGraph *graph = new_graph(8, 4);
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue half = vfi_graph_resize(graph, image, 2, 4, 1.0f);

    ck_assert_int_eq(vfi_graph_add(graph, image, half, 1.0f), VFI_NO_VALUE);
    ck_assert_int_eq(vfi_graph_sigmoid(graph, image), VFI_NO_VALUE);
    vfi_graph_output(graph, "x", half);
    ck_assert_ptr_null(vfi_plan_new(graph, NULL, VFI_REGION_ARENA, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "3×4×8"));
    ck_assert_ptr_nonnull(strstr(error->message, "3×2×4"));
    vfi_graph_free(graph);
}
END_TEST

START_TEST(wrong_operands_are_refused)
{
    VfiGraph *graph = new_graph(8, 4);
    VfiValue image = vfi_graph_image(graph, 0);

    ck_assert_int_eq(vfi_graph_slice(graph, image, 2, 2), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(strstr(vfi_graph_error(graph)->message, "2…3 of 3"));
    vfi_graph_free(graph);

    graph = new_graph(8, 4);
    image = vfi_graph_image(graph, 0);
    ck_assert_int_eq(vfi_graph_warp(graph, image, image), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(strstr(vfi_graph_error(graph)->message, "warp"));
    vfi_graph_free(graph);

    graph = new_graph(8, 4);
    ck_assert_int_eq(vfi_graph_feature(graph, 0, "pyramid"), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(strstr(vfi_graph_error(graph)->message, "pyramid"));
    vfi_graph_free(graph);
}
END_TEST

START_TEST(values_of_alternative_segments_do_not_mix)
{
    VfiGraph *graph = new_graph(8, 4);
    VfiValue shared = vfi_graph_sigmoid(graph, vfi_graph_image(graph, 0));

    ck_assert_int_eq(vfi_graph_segment(graph, 0), 1);
    VfiValue left = vfi_graph_sigmoid(graph, shared);
    ck_assert_int_eq(vfi_graph_segment(graph, 0), 2);
    ck_assert_int_ne(vfi_graph_sigmoid(graph, shared), VFI_NO_VALUE);
    ck_assert_int_eq(vfi_graph_sigmoid(graph, left), VFI_NO_VALUE);
    ck_assert_ptr_nonnull(strstr(vfi_graph_error(graph)->message, "segment 1"));
    vfi_graph_free(graph);
}
END_TEST

START_TEST(what_no_output_needs_is_dropped)
{
    VfiGraph *graph = new_graph(8, 4);
    VfiValue image = vfi_graph_image(graph, 0);

    vfi_graph_sigmoid(graph, image);
    vfi_graph_output(graph, "x", vfi_graph_affine(graph, image, 2.0f, 0.0f));
    VfiPlan *plan = plan_of(graph);
    ck_assert_int_eq(plan->n_ops, 1);
    ck_assert_int_eq(plan->ops[0].kind, VFI_OP_AFFINE);
    ck_assert_int_eq(plan->ops[0].src[0].region, VFI_REGION_FRAME0);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

START_TEST(noise_has_one_whole_part_of_the_image)
{
    static const struct {
        int height, width;
        const char *words;
    } wrong[] = {
        {8, 10, "noise to 4×8×10: the image, 64×96, is"}, /* the width */
        {9, 12, "noise to 4×9×12: the image"},            /* the height */
        {16, 12, "the same in both directions"},          /* 4 × 8 */
        {128, 192, "is not a whole multiple"},            /* smaller than that */
        {0, 12, "noise: 4×0×12 is no size"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        VfiGraph *graph = new_graph(96, 64);
        ck_assert_int_eq(vfi_graph_noise(graph, 4, wrong[i].height, wrong[i].width),
                         VFI_NO_VALUE);
        const char *message = vfi_graph_error(graph)->message;
        ck_assert_msg(strstr(message, wrong[i].words) != NULL, "%s", message);
        vfi_graph_free(graph);
    }
}
END_TEST

/* By all noises of the graph, so that one that is dropped changes no other's numbers. */
START_TEST(noises_are_numbered_and_stay_apart)
{
    VfiGraph *graph = new_graph(96, 64);
    VfiValue noise[3];

    for (int i = 0; i < 3; i++)
        noise[i] = vfi_graph_noise(graph, 4, 8, 12);
    vfi_graph_output(graph, "x", vfi_graph_add(graph, noise[0], noise[2], 1.0f));
    VfiPlan *plan = plan_of(graph);
    ck_assert_int_eq(plan->n_ops, 3);
    ck_assert_int_eq(count_ops(plan, VFI_OP_NOISE), 2);
    ck_assert_uint_eq(plan->ops[0].u.noise.stream, 0);
    ck_assert_uint_eq(plan->ops[1].u.noise.stream, 2);
    ck_assert_int_eq(plan->ops[1].u.noise.reduction, 8);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

START_TEST(concat_parts_become_views_and_inputs_are_copied)
{
    VfiGraph *graph = new_graph(8, 4);
    VfiValue image = vfi_graph_image(graph, 1);
    VfiValue parts[] = {vfi_graph_affine(graph, image, 2.0f, 0.0f), image,
                        vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, 4, 8, 1.0f, 0.0f)};

    vfi_graph_output(graph, "x", vfi_graph_concat(graph, parts, 3));
    VfiPlan *plan = plan_of(graph);
    const VfiOperand *whole = &vfi_plan_output(plan, 0, "x")->operand;
    size_t plane = sizeof(float) * 8 * 4;

    ck_assert_int_eq(whole->shape.c, 7);
    ck_assert_int_eq(plan->n_ops, 3);
    ck_assert_int_eq(count_ops(plan, VFI_OP_COPY), 1);
    for (int i = 0; i < 3; i++) {
        const VfiOp *op = &plan->ops[i];
        size_t expected = op->kind == VFI_OP_AFFINE ? 0
                          : op->kind == VFI_OP_COPY ? 3 * plane
                                                    : 6 * plane;
        ck_assert_uint_eq(op->dst.offset, whole->offset + expected);
    }
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

START_TEST(slices_are_views)
{
    VfiGraph *graph = new_graph(8, 4);
    VfiValue x = vfi_graph_affine(graph, vfi_graph_image(graph, 0), 2.0f, 0.0f);
    VfiValue last = vfi_graph_slice(graph, x, 1, 2);

    vfi_graph_output(graph, "x", vfi_graph_sigmoid(graph, last));
    VfiPlan *plan = plan_of(graph);
    ck_assert_int_eq(plan->n_ops, 2);
    ck_assert_uint_eq(plan->ops[1].src[0].offset,
                      plan->ops[0].dst.offset + sizeof(float) * 8 * 4);
    ck_assert_int_eq(plan->ops[1].src[0].shape.c, 2);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

START_TEST(alternative_segments_share_memory)
{
    size_t bytes[2];

    /* one alternative or two of the same kind: the arena must not grow by the second */
    for (int n = 1; n <= 2; n++) {
        VfiGraph *graph = new_graph(64, 64);
        VfiValue shared = vfi_graph_sigmoid(graph, vfi_graph_image(graph, 0));
        for (int i = 0; i < n; i++) {
            int segment = vfi_graph_segment(graph, 0);
            VfiValue x = vfi_graph_affine(graph, shared, 2.0f, 0.0f);
            x = vfi_graph_sigmoid(graph, vfi_graph_affine(graph, x, 3.0f, 0.0f));
            vfi_graph_output(graph, "x", x);
            ck_assert_int_eq(segment, i + 1);
        }
        VfiPlan *plan = plan_of(graph);
        ck_assert_int_eq(plan->n_segments, n + 1);
        ck_assert_int_eq(plan->segments[0].n_ops, 1);
        ck_assert_int_eq(plan->segments[n].n_ops, 3);
        bytes[n - 1] = plan->arena_bytes;
        vfi_plan_free(plan);
        vfi_graph_free(graph);
    }
    ck_assert_uint_eq(bytes[0], bytes[1]);
}
END_TEST

/* What is enlarged from a few pixels takes no memory in either: each computes it. */
START_TEST(cheap_values_are_computed_in_each_alternative)
{
    static const VfiPlanTarget target = {.row_groups = true};
    VfiGraph *graph = new_graph(64, 64);
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue large =
        vfi_graph_resize(graph, vfi_graph_resize(graph, image, 8, 8, 1.0f), 64, 64, 1.0f);

    for (int i = 1; i <= 2; i++) {
        ck_assert_int_eq(vfi_graph_segment(graph, 0), i);
        VfiValue sum = vfi_graph_add(graph, large, image, 1.0f);
        vfi_graph_output(graph, "x", vfi_graph_resize(graph, sum, 32, 32, 1.0f));
    }
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    ck_assert_int_eq(plan->segments[0].n_ops, 1);
    ck_assert_int_eq(plan->segments[1].n_ops, 3);
    ck_assert_int_eq(plan->segments[2].n_ops, 3);
    ck_assert_uint_eq(plan->arena_bytes, 3 * sizeof(float) * (8 * 8 + 32 * 32));
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

/* Bytes of an operand's memory. */
static size_t operand_bytes(const VfiOperand *operand)
{
    return vfi_shape_elements(operand->shape) * sizeof(float);
}

/* Values of the random graphs are computed twice: here while the graph is built, each in
 * its own array, and by running the plan's ops over one arena. A lifetime cut short, or a
 * view in the wrong place, makes them differ. */
enum {
    SIDE = 8,
    PLANE = SIDE * SIDE,
    N_VALUES = 40,
};

typedef struct {
    VfiGraph *graph;
    VfiValue value[N_VALUES];
    GArray *data[N_VALUES]; /* of float */
    int n;
} RandomGraph;

static GArray *new_data(guint n)
{
    return g_array_set_size(g_array_new(FALSE, FALSE, sizeof(float)), n);
}

static float *floats(GArray *array)
{
    return (float *)(void *)array->data;
}

static void add_value(RandomGraph *random, VfiValue value, GArray *data)
{
    ck_assert_int_ne(value, VFI_NO_VALUE);
    random->value[random->n] = value;
    random->data[random->n++] = data;
}

static void add_random_node(RandomGraph *random, GRand *rand)
{
    int ia = g_rand_int_range(rand, MAX(0, random->n - 6), random->n);
    int ib = g_rand_int_range(rand, MAX(0, random->n - 6), random->n);
    VfiValue a = random->value[ia], b = random->value[ib];
    GArray *da = random->data[ia], *db = random->data[ib];
    guint channels = da->len / PLANE, half = channels / 2;
    GArray *result;

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        result = new_data(da->len);
        for (guint i = 0; i < da->len; i++)
            floats(result)[i] = floats(da)[i] * 0.5f + (float)random->n;
        add_value(random, vfi_graph_affine(random->graph, a, 0.5f, (float)random->n),
                  result);
        break;
    case 1:
        if (da->len + db->len > 20 * PLANE)
            break;
        result = new_data(0);
        g_array_append_vals(result, da->data, da->len);
        g_array_append_vals(result, db->data, db->len);
        add_value(random, vfi_graph_concat(random->graph, (VfiValue[]){a, b}, 2), result);
        break;
    case 2:
        result = new_data(0);
        g_array_append_vals(result, floats(da) + (size_t)half * PLANE,
                            (channels - half) * PLANE);
        add_value(random,
                  vfi_graph_slice(random->graph, a, (int)half, (int)(channels - half)),
                  result);
        break;
    default:
        if (da->len != db->len)
            break;
        result = new_data(da->len);
        for (guint i = 0; i < da->len; i++)
            floats(result)[i] = 0.5f * (floats(da)[i] + floats(db)[i]);
        add_value(random, vfi_graph_add(random->graph, a, b, 0.5f), result);
        break;
    }
}

/* Runs the few kinds of op that the random graphs have. */
static void run_plan(const VfiPlan *plan, char *arena, char *frame)
{
    char *region[] = {arena, frame};

    for (int j = 0; j < plan->n_ops; j++) {
        const VfiOp *op = &plan->ops[j];
        float *dst = (float *)(void *)(region[op->dst.region] + op->dst.offset);
        const float *src[2] = {0};
        for (int s = 0; s < op->n_src; s++)
            src[s] = (float *)(void *)(region[op->src[s].region] + op->src[s].offset);
        ck_assert_uint_le(op->dst.offset +
                              vfi_shape_elements(op->dst.shape) * sizeof(float),
                          plan->arena_bytes);
        for (size_t i = 0; i < vfi_shape_elements(op->dst.shape); i++) {
            if (op->kind == VFI_OP_AFFINE)
                dst[i] = src[0][i] * op->u.affine.mul + op->u.affine.add;
            else if (op->kind == VFI_OP_ADD)
                dst[i] = op->u.sum.scale * (src[0][i] + src[1][i]);
            else if (op->kind == VFI_OP_COPY)
                dst[i] = src[0][i];
            else
                ck_abort_msg("unexpected op %s", op->name);
        }
    }
}

START_TEST(random_graphs_compute_the_same_in_one_arena)
{
    GRand *rand = g_rand_new_with_seed((guint32)_i + 1);
    RandomGraph random = {.graph = new_graph(SIDE, SIDE)};

    add_value(&random, vfi_graph_image(random.graph, 0), new_data(3 * PLANE));
    for (guint i = 0; i < 3 * PLANE; i++)
        floats(random.data[0])[i] = (float)i;
    while (random.n < N_VALUES)
        add_random_node(&random, rand);
    int last = N_VALUES - 1;
    vfi_graph_output(random.graph, "x", random.value[last]);
    vfi_graph_output(random.graph, "y", random.value[last - 3]);
    VfiPlan *plan = plan_of(random.graph);

    char *arena = g_malloc(plan->arena_bytes + 1);
    run_plan(plan, arena, random.data[0]->data);
    for (int o = 0; o < 2; o++) {
        const VfiOperand *operand =
            &vfi_plan_output(plan, 0, o == 0 ? "x" : "y")->operand;
        GArray *expected = random.data[o == 0 ? last : last - 3];
        const char *base =
            operand->region == VFI_REGION_ARENA ? arena : random.data[0]->data;
        ck_assert_uint_eq(vfi_shape_elements(operand->shape), expected->len);
        ck_assert_mem_eq(base + operand->offset, expected->data,
                         expected->len * sizeof(float));
    }
    for (int i = 0; i < random.n; i++)
        g_array_unref(random.data[i]);
    g_free(arena);
    g_rand_free(rand);
    vfi_plan_free(plan);
    vfi_graph_free(random.graph);
}
END_TEST

START_TEST(frame_outputs_lie_behind_the_image)
{
    g_autoptr(GError) error = NULL;
    VfiGraph *graph = new_graph(10, 6);
    VfiValue x = vfi_graph_sigmoid(graph, vfi_graph_image(graph, 0));

    vfi_graph_output(graph, "feature", x);
    VfiPlan *plan = vfi_plan_new(graph, NULL, VFI_REGION_FRAME0, &error);
    ck_assert_ptr_nonnull(plan);
    const VfiOperand *operand = &vfi_plan_output(plan, 0, "feature")->operand;
    ck_assert_int_eq(operand->region, VFI_REGION_FRAME0);
    ck_assert_uint_eq(operand->offset, vfi_plan_image_bytes(10, 6));
    ck_assert_uint_ge(plan->frame_bytes, operand->offset + operand_bytes(operand));

    VfiGraph *time = new_graph(10, 6);
    vfi_plan_declare_outputs(plan, time);
    VfiValue feature = vfi_graph_feature(time, 1, "feature");
    vfi_graph_output(time, "x", vfi_graph_sigmoid(time, feature));
    VfiPlan *time_plan = plan_of(time);
    ck_assert_int_eq(time_plan->ops[0].src[0].region, vfi_frame_region(1));
    ck_assert_uint_eq(time_plan->ops[0].src[0].offset, operand->offset);
    vfi_plan_free(time_plan);
    vfi_graph_free(time);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan");
    TCase *tcase = tcase_create("plan");

    tcase_add_test(tcase, errors_stick_and_name_the_shapes);
    tcase_add_test(tcase, wrong_operands_are_refused);
    tcase_add_test(tcase, values_of_alternative_segments_do_not_mix);
    tcase_add_test(tcase, what_no_output_needs_is_dropped);
    tcase_add_test(tcase, noise_has_one_whole_part_of_the_image);
    tcase_add_test(tcase, noises_are_numbered_and_stay_apart);
    tcase_add_test(tcase, concat_parts_become_views_and_inputs_are_copied);
    tcase_add_test(tcase, slices_are_views);
    tcase_add_test(tcase, alternative_segments_share_memory);
    tcase_add_test(tcase, cheap_values_are_computed_in_each_alternative);
    tcase_add_loop_test(tcase, random_graphs_compute_the_same_in_one_arena, 0, 60);
    tcase_add_test(tcase, frame_outputs_lie_behind_the_image);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
