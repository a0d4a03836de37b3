/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups on the device against the CPU's in plain C: each group of random graphs and
 * of networks is run both ways on the same memory, and all memory is compared. */
#include "rows/row_group.h"
#include "rows/row_op.h"

#include "cpu/row_group.h"
#include "engine/open_family.h"
#include "engine/random_graph.h"
#include "model/loaded_model.h"
#include "tensor_util.h"

/* Means of four pixels are summed in another order; exponential functions differ. */
#define TOLERANCE 2e-6f

/* The memory that a plan runs in. */
typedef struct {
    const VfiPlan *plan;
    VfiCpuOp **ops;
    VfiPool *pool;
    char *region[VFI_MAX_REGIONS];
    size_t bytes[VFI_MAX_REGIONS];
    float *scalars;
    char *scratch;
    size_t scratch_bytes;
    int n_groups; /* compared so far */
} Machine;

static const VfiRunInputs run_inputs = {
    .value = {[VFI_RUN_INPUT_TIME] = 0.3f, [VFI_RUN_INPUT_IMAGE_MEAN] = 0.4f}};

static bool is_in_group(const VfiPlan *plan, int op)
{
    for (int i = 0; i < plan->n_row_groups; i++)
        if (op >= plan->row_groups[i].first_op &&
            op < plan->row_groups[i].first_op + plan->row_groups[i].n_ops)
            return true;
    return false;
}

/* Row groups run in plain C, the ops between them at the machine's best level. */
static Machine machine_new(const VfiPlan *plan)
{
    Machine machine = {.plan = plan, .pool = vfi_pool_new(1, NULL)};

    machine.ops = g_new0(VfiCpuOp *, plan->n_ops);
    machine.scalars = g_new0(float, plan->n_scalars + 1);
    machine.scratch_bytes = (size_t)64 << 20;
    machine.scratch = vfi_try_alloc(machine.scratch_bytes, 1, "scratch", NULL);
    for (int i = 0; i < plan->n_ops; i++) {
        VfiCpuLevel level = is_in_group(plan, i) ? VFI_CPU_LEVEL_C : vfi_cpu_level();
        machine.ops[i] = vfi_cpu_op_new(&plan->ops[i], level, NULL);
        ck_assert_ptr_nonnull(machine.ops[i]);
        ck_assert_uint_le(vfi_cpu_op_scratch_bytes(machine.ops[i]),
                          machine.scratch_bytes);
    }
    return machine;
}

static void give_region(Machine *machine, VfiRegion region, const char *contents,
                        size_t bytes)
{
    machine->bytes[region] = bytes + 64;
    machine->region[region] = vfi_try_alloc(bytes + 64, 1, "region", NULL);
    memset(machine->region[region], GUARD_VALUE, bytes + 64);
    if (contents != NULL)
        memcpy(machine->region[region], contents, bytes);
}

static void machine_clear(Machine *machine)
{
    for (int i = 0; i < machine->plan->n_ops; i++)
        vfi_cpu_op_free(machine->ops[i]);
    for (int i = 0; i < VFI_MAX_REGIONS; i++)
        vfi_free(machine->region[i]);
    g_free(machine->ops);
    g_free(machine->scalars);
    vfi_free(machine->scratch);
    vfi_pool_free(machine->pool);
}

static VfiCpuRun cpu_run(const Machine *machine)
{
    VfiCpuRun run = {
        .pool = machine->pool,
        .scratch = machine->scratch,
        .scratch_stride = machine->scratch_bytes,
        .inputs = run_inputs,
        .scalars = machine->scalars,
    };

    memcpy(run.region, machine->region, sizeof run.region);
    return run;
}

static void run_group_on_cpu(const Machine *machine, const VfiRowGroup *group)
{
    VfiCpuRun run = cpu_run(machine);
    VfiCpuRowGroup *ready =
        vfi_cpu_row_group_new(group, machine->ops + group->first_op, NULL);

    ck_assert_ptr_nonnull(ready);
    ck_assert_uint_le(vfi_cpu_row_group_scratch_bytes(ready), machine->scratch_bytes);
    ck_assert(vfi_cpu_row_group_run(ready, &run, NULL));
    vfi_cpu_row_group_free(ready);
}

/* Runs the group on copies of all regions on the device. @region: the copies afterwards,
 * for g_free(). */
static void run_group_on_device(const Machine *machine, const VfiRowGroup *group,
                                char **region, char **scalars)
{
    g_autoptr(GError) error = NULL;
    size_t scalar_bytes = sizeof(float) * (size_t)(machine->plan->n_scalars + 1);
    char *device[VFI_MAX_REGIONS] = {NULL};
    char *device_scalars = device_new(machine->scalars, scalar_bytes);
    char *values = device_new(&run_inputs, sizeof run_inputs);
    VfiCudaRowGroup *ready = vfi_cuda_row_group_new(machine->plan, group, &error);

    ck_assert_msg(ready != NULL, "%s", error != NULL ? error->message : "");
    for (int i = 0; i < VFI_MAX_REGIONS; i++)
        if (machine->region[i] != NULL)
            device[i] = device_new(machine->region[i], machine->bytes[i]);
    expect_success(vfi_cuda_row_group_run(NULL, ready, device,
                                          (const VfiRunInputs *)(const void *)values,
                                          (float *)(void *)device_scalars));
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        region[i] = device[i] != NULL ? device_read(device[i], machine->bytes[i]) : NULL;
        device_free(device[i]);
    }
    *scalars = device_read(device_scalars, scalar_bytes);
    device_free(device_scalars);
    device_free(values);
    vfi_cuda_row_group_free(ready);
}

static void compare(const char *found, const char *expected, size_t bytes,
                    const char *what)
{
    const float *a = (const float *)(const void *)found;
    const float *b = (const float *)(const void *)expected;

    for (size_t i = 0; i < bytes / sizeof(float); i++)
        if (memcmp(&a[i], &b[i], sizeof a[i]) != 0 && !same_value(a[i], b[i], TOLERANCE))
            ck_abort_msg("%s: float %zu is %g, not %g", what, i, a[i], b[i]);
}

static void check_group(Machine *machine, const VfiRowGroup *group)
{
    char *region[VFI_MAX_REGIONS], *scalars;

    run_group_on_device(machine, group, region, &scalars);
    run_group_on_cpu(machine, group);
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        if (region[i] != NULL)
            compare(region[i], machine->region[i], machine->bytes[i], "region");
        g_free(region[i]);
    }
    compare(scalars, (const char *)machine->scalars,
            sizeof(float) * (size_t)(machine->plan->n_scalars + 1), "scalars");
    g_free(scalars);
    machine->n_groups++;
}

static const VfiRowGroup *group_at(const VfiPlan *plan, int op)
{
    for (int i = 0; i < plan->n_row_groups; i++)
        if (plan->row_groups[i].first_op == op)
            return &plan->row_groups[i];
    return NULL;
}

static void run_segment(Machine *machine, int segment)
{
    const VfiPlanSegment *ops = &machine->plan->segments[segment];
    VfiCpuRun run = cpu_run(machine);

    for (int i = ops->first_op; i < ops->first_op + ops->n_ops;) {
        const VfiRowGroup *group = group_at(machine->plan, i);
        if (group != NULL)
            check_group(machine, group);
        else
            ck_assert(vfi_cpu_op_run(machine->ops[i], &run));
        i += group != NULL ? group->n_ops : 1;
    }
}

static char *random_frame(GRand *rand, size_t bytes)
{
    float *values = g_malloc(bytes);

    for (size_t i = 0; i < bytes / sizeof(float); i++)
        values[i] = (float)g_rand_double(rand);
    return (char *)values;
}

static const VfiPlanTarget target = {.row_groups = true, .row_op = vfi_row_op_exists};

/* Returns how many groups there were. */
static int check_graph(const VfiGraph *graph, size_t frame_bytes, int last_segment,
                       GRand *rand)
{
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    ck_assert_ptr_nonnull(plan);
    Machine machine = machine_new(plan);

    give_region(&machine, VFI_REGION_ARENA, NULL, plan->arena_bytes);
    for (int frame = 0; frame < 2; frame++) {
        g_autofree char *values = random_frame(rand, frame_bytes);
        give_region(&machine, vfi_frame_region(frame), values, frame_bytes);
    }
    run_segment(&machine, 0);
    if (last_segment > 0)
        run_segment(&machine, last_segment);
    int n_groups = machine.n_groups;
    machine_clear(&machine);
    vfi_plan_free(plan);
    return n_groups;
}

START_TEST(groups_of_random_graphs)
{
    GRand *rand = g_rand_new_with_seed((guint32)_i + 1);
    int last_segment;
    VfiGraph *graph = random_graph(rand, &last_segment);

    check_graph(graph, vfi_plan_image_bytes(WIDTH, HEIGHT), last_segment, rand);
    vfi_graph_free(graph);
    g_rand_free(rand);
}
END_TEST

static const struct {
    const char *family, *options;
    int segment; /* after the first one */
} networks[] = {
    {"rife_v4_0", NULL, 1},
    {"rife_v4_0", "{'refine': <true>, 'ensemble': <true>}", 2},
    {"rife_v3_6", NULL, 0},
    {"ifrnet_s", NULL, 0},
    {"rife_v4_10", "{'ensemble': <true>}", 0},
    {"rife_v4_25", NULL, 0},
};

START_TEST(groups_of_networks)
{
    g_autoptr(VfiModel) model = open_family(networks[_i].family, networks[_i].options);
    const VfiModelFamily *family = model->family;
    int size = family->size_multiple(&model->setup, 1.0);
    VfiGraph *frame = vfi_graph_new(model->weights, size, size);
    VfiPlan *frame_plan = NULL;
    size_t frame_bytes = vfi_plan_image_bytes(size, size);

    if (family->build(frame, &model->setup, VFI_STAGE_FRAME, 1.0)) {
        frame_plan = vfi_plan_new(frame, &target, VFI_REGION_FRAME0, NULL);
        frame_bytes = frame_plan->frame_bytes;
    }
    VfiGraph *time = vfi_graph_new(model->weights, size, size);
    vfi_plan_declare_outputs(frame_plan, time);
    ck_assert(family->build(time, &model->setup, VFI_STAGE_TIME, 1.0));

    GRand *rand = g_rand_new_with_seed(7);
    int n = check_graph(time, frame_bytes, networks[_i].segment, rand);
    ck_assert_int_gt(n, 2);
    g_rand_free(rand);
    vfi_graph_free(time);
    vfi_plan_free(frame_plan);
    vfi_graph_free(frame);
}
END_TEST

/* A pixel shuffle of channels-last f16, whose sum with another tensor is kept and also
 * made smaller: this is how networks end on a device. */
START_TEST(reads_channels_last)
{
    enum { H = 8, W = 12, STRIDE = 24, FIRST = 8, C = 2 };
    size_t plane = (size_t)H * W;
    VfiOp ops[3] = {
        {.kind = VFI_OP_PIXEL_SHUFFLE, .n_src = 1, .dst.region = VFI_REGION_ROWS},
        {.kind = VFI_OP_ADD, .n_src = 2, .dst.offset = 4096, .u.sum.scale = 2.0f},
        {.kind = VFI_OP_RESIZE,
         .n_src = 1,
         .dst.offset = 8192,
         .u.resize = {H / 2, W / 2, 1.0f}},
    };
    VfiRowGroup group = {.n_ops = 3, .h = H, .w = W, .n_planes = C};
    VfiPlan plan = {.ops = ops, .n_ops = 3, .row_groups = &group, .n_row_groups = 1};
    GRand *random = g_rand_new_with_seed(1);
    g_autofree float *source = random_halves(random, plane / 4 * STRIDE);
    g_autofree float *other = random_halves(random, plane * C);
    Machine machine = {.plan = &plan, .scalars = (float[]){0.0f}};
    char *region[VFI_MAX_REGIONS], *scalars;

    ops[0].src[0] = (VfiOperand){.shape = {4 * C, H / 2, W / 2},
                                 .offset = 2 * FIRST,
                                 .block = STRIDE,
                                 .half = true};
    ops[0].dst.shape = ops[1].src[0].shape = ops[1].src[1].shape = ops[1].dst.shape =
        ops[2].src[0].shape = (VfiShape){C, H, W};
    ops[1].src[0].region = VFI_REGION_ROWS;
    ops[1].src[1].region = VFI_REGION_FRAME0;
    ops[2].src[0].offset = ops[1].dst.offset;
    ops[2].dst.shape = (VfiShape){C, H / 2, W / 2};
    give_region(&machine, VFI_REGION_ARENA, NULL, 16384);
    give_region(&machine, VFI_REGION_FRAME0, (const char *)other,
                plane * C * sizeof(float));
    for (size_t i = 0; i < plane / 4 * STRIDE; i++)
        ((uint16_t *)(void *)machine.region[VFI_REGION_ARENA])[i] =
            vfi_f16_from_float(source[i]);

    run_group_on_device(&machine, &group, region, &scalars);
    const float *sum = (const float *)(const void *)(region[0] + 4096);
    const float *mean = (const float *)(const void *)(region[0] + 8192);
    for (int c = 0; c < C; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                size_t at = (size_t)(c * H + y) * W + (size_t)x;
                size_t from = (size_t)(y / 2 * (W / 2) + x / 2) * STRIDE + FIRST +
                              (size_t)(4 * c + 2 * (y % 2) + x % 2);
                float expected = 2.0f * (source[from] + other[at]);
                if (sum[at] != expected)
                    ck_abort_msg("sum %zu is %g, not %g", at, sum[at], expected);
            }
    for (int c = 0; c < C; c++)
        for (int y = 0; y < H / 2; y++)
            for (int x = 0; x < W / 2; x++) {
                const float *p = sum + (c * H + 2 * y) * W + 2 * x;
                float expected = 0.25f * (p[0] + p[1] + p[W] + p[W + 1]);
                float found = mean[(c * (H / 2) + y) * (W / 2) + x];
                if (!same_value(found, expected, TOLERANCE))
                    ck_abort_msg("mean is %g, not %g", found, expected);
            }
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        g_free(region[i]);
        vfi_free(machine.region[i]);
    }
    g_free(scalars);
    g_rand_free(random);
}
END_TEST

/* A slope for each channel, from memory to memory. */
START_TEST(activates_by_channel)
{
    enum { H = 5, W = 7, C = 3 };
    static const float slopes[C] = {0.5f, -1.0f, 2.0f};
    size_t n = (size_t)C * H * W;
    VfiOp op = {.kind = VFI_OP_ACTIVATE,
                .n_src = 1,
                .dst = {.shape = {C, H, W}, .region = VFI_REGION_PAIR},
                .u.activation = {.kind = VFI_ACTIVATION_PRELU, .slope = slopes}};
    VfiRowGroup group = {.n_ops = 1, .h = H, .w = W};
    VfiPlan plan = {.ops = &op, .n_ops = 1};
    Machine machine = {.plan = &plan, .scalars = (float[]){0.0f}};
    GRand *random = g_rand_new_with_seed(9);
    g_autofree float *values = random_floats(random, n);
    char *region[VFI_MAX_REGIONS], *scalars;

    op.src[0] = (VfiOperand){.shape = {C, H, W}};
    give_region(&machine, VFI_REGION_ARENA, (const char *)values, n * sizeof(float));
    give_region(&machine, VFI_REGION_PAIR, NULL, n * sizeof(float));
    run_group_on_device(&machine, &group, region, &scalars);
    const float *results = (const float *)(const void *)region[VFI_REGION_PAIR];
    for (size_t i = 0; i < n; i++) {
        float x = values[i], expected = x < 0.0f ? x * slopes[i / (H * W)] : x;
        if (results[i] != expected)
            ck_abort_msg("activation %zu is %g, not %g", i, results[i], expected);
    }
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        g_free(region[i]);
        vfi_free(machine.region[i]);
    }
    g_free(scalars);
    g_rand_free(random);
}
END_TEST

/* A plane is read, then overwritten, and a smaller picture is made of both values: the
 * program of the smaller picture must not overwrite the plane. */
START_TEST(reads_what_is_then_written_over)
{
    enum { H = 4, W = 6, A = 0, OLD = 1, SMALL = 2 };
    size_t plane = (size_t)H * W, bytes = plane * sizeof(float);
    VfiShape full = {1, H, W};
    VfiOperand at[3],
        rows[2] = {{.shape = full, .region = VFI_REGION_ROWS},
                   {.shape = full, .region = VFI_REGION_ROWS, .offset = bytes}};
    VfiOperand frame = {.shape = full, .region = VFI_REGION_FRAME0};
    for (size_t i = 0; i < G_N_ELEMENTS(at); i++)
        at[i] = (VfiOperand){.shape = full, .offset = i * bytes};
    at[SMALL].shape = (VfiShape){1, H / 2, W / 2};
    VfiOp ops[] = {
        {VFI_OP_AFFINE, 1, {at[A]}, rows[0], "old", .u.affine = {.mul = 2.0f}},
        {VFI_OP_COPY, 1, {frame}, at[A], "new", .u.affine = {0}},
        {VFI_OP_ADD, 2, {rows[0], at[A]}, rows[1], "sum", .u.sum = {1.0f}},
        {VFI_OP_RESIZE,
         1,
         {rows[1]},
         at[SMALL],
         "small",
         .u.resize = {H / 2, W / 2, 1.0f}},
        {VFI_OP_COPY, 1, {rows[0]}, at[OLD], "kept", .u.affine = {0}},
    };
    VfiRowGroup group = {.n_ops = G_N_ELEMENTS(ops), .h = H, .w = W, .n_planes = 2};
    VfiPlan plan = {.ops = ops, .n_ops = G_N_ELEMENTS(ops)};
    Machine machine = {.plan = &plan, .scalars = (float[]){0.0f}};
    GRand *random = g_rand_new_with_seed(11);
    g_autofree float *values = random_floats(random, 3 * plane);
    g_autofree float *news = random_floats(random, plane);
    char *region[VFI_MAX_REGIONS], *scalars;

    give_region(&machine, VFI_REGION_ARENA, (const char *)values, 3 * bytes);
    give_region(&machine, VFI_REGION_FRAME0, (const char *)news, bytes);
    run_group_on_device(&machine, &group, region, &scalars);
    const float *found = (const float *)(const void *)region[VFI_REGION_ARENA];
    for (size_t i = 0; i < plane; i++)
        if (found[i] != news[i] || found[plane + i] != 2.0f * values[i])
            ck_abort_msg("pixel %zu is %g and %g, not %g and %g", i, found[i],
                         found[plane + i], news[i], 2.0f * values[i]);
    float mean = 0.0f;
    for (size_t i = 0; i < 4; i++) {
        size_t from = i / 2 * W + i % 2;
        mean += 0.25f * (2.0f * values[from] + news[from]);
    }
    ck_assert(same_value(found[2 * plane], mean, TOLERANCE));
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        g_free(region[i]);
        vfi_free(machine.region[i]);
    }
    g_free(scalars);
    g_rand_free(random);
}
END_TEST

/* A group that does not fit into a kernel's arguments is refused by name. */
START_TEST(refuses_what_is_too_large)
{
    enum { N = 70 };
    g_autoptr(GError) error = NULL;
    g_autofree VfiOp *ops = g_new0(VfiOp, N);
    VfiRowGroup group = {.n_ops = N, .h = 2, .w = 2};
    VfiPlan plan = {.ops = ops, .n_ops = N};

    for (int i = 0; i < N; i++) {
        ops[i].kind = VFI_OP_FILL;
        ops[i].u.fill = (VfiFillParams){.height = 2, .width = 2};
        ops[i].dst.shape = (VfiShape){1, 2, 2};
        ops[i].dst.offset = (size_t)i * 16;
    }
    ck_assert_ptr_null(vfi_cuda_row_group_new(&plan, &group, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_ptr_nonnull(strstr(error->message, "70 ops"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-row_group");
    TCase *tcase = tcase_create("row_group");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, groups_of_random_graphs, 0, 60);
    tcase_add_loop_test(tcase, groups_of_networks, 0, (int)G_N_ELEMENTS(networks));
    tcase_add_test(tcase, reads_channels_last);
    tcase_add_test(tcase, activates_by_channel);
    tcase_add_test(tcase, reads_what_is_then_written_over);
    tcase_add_test(tcase, refuses_what_is_too_large);
    return check_main(suite);
}
