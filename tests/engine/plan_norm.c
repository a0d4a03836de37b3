/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network that normalises, modulates, embeds and gates between its convolutions: what
 * its plan computes on the CPU is compared with the definitions in double precision, and
 * nothing is copied for the sake of a layout. */
#include <math.h>
#include <string.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "check_main.h"
#include "close_values.h"
#include "layer_weights.h"

#define WIDTH 20
#define HEIGHT 12
#define PIXELS (WIDTH * HEIGHT)
#define CHANNELS 32
#define GROUPS 8
#define STEP 741.0f
#define EMBEDDED 16

static const StateEntry entries[] = {
    {.key = "in.weight", .n_dims = 2, .shape = {CHANNELS, 3}},
    {.key = "norm.weight", .n_dims = 1, .shape = {CHANNELS}},
    {.key = "norm.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {CHANNELS}},
    {.key = "film.weight", .n_dims = 2, .shape = {2 * CHANNELS, EMBEDDED}},
    {.key = "middle.weight", .n_dims = 2, .shape = {CHANNELS, CHANNELS}},
    {.key = "layer.weight", .n_dims = 1, .shape = {CHANNELS}},
    {.key = "layer.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {CHANNELS}},
    {.key = "gate.weight", .n_dims = 2, .shape = {CHANNELS, CHANNELS}},
    {.key = "out.weight", .n_dims = 2, .shape = {CHANNELS, CHANNELS}},
};

static VfiWeights *make_weights(void)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    g_array_append_vals(all, entries, G_N_ELEMENTS(entries));
    return weights_of_entries(all);
}

static VfiValue build(VfiGraph *graph)
{
    VfiValue x =
        vfi_graph_linear(graph, vfi_graph_image(graph, 0), "in", CHANNELS, false);
    VfiValue step =
        vfi_graph_step_embedding(graph, VFI_RUN_INPUT_STEP, EMBEDDED, 10000.0f);
    VfiGroupNormSetup norm = {
        .groups = GROUPS, .frames = 1, .eps = 1e-5f, .activation = VFI_ACTIVATION_SILU};

    norm.film =
        vfi_graph_linear(graph, vfi_graph_silu(graph, step), "film", 2 * CHANNELS, false);
    x = vfi_graph_group_norm(graph, x, "norm", &norm);
    x = vfi_graph_linear(graph, x, "middle", CHANNELS, false);
    x = vfi_graph_layer_norm(graph, vfi_graph_gelu(graph, x), "layer", 1e-5f);
    VfiValue gate = vfi_graph_linear(graph, vfi_graph_channel_mean(graph, x), "gate",
                                     CHANNELS, false);
    x = vfi_graph_scale_channels(graph, x, vfi_graph_sigmoid(graph, gate));
    return vfi_graph_linear(graph, x, "out", CHANNELS, false);
}

/* ---- definitions ------------------------------------------------------------------- */

static const float *tensor(const VfiWeights *weights, const char *name)
{
    return vfi_weights_find(weights, name)->data;
}

static void linear(const double *x, int in, const float *weight, int out, int n,
                   double *y)
{
    for (int o = 0; o < out; o++)
        for (int p = 0; p < n; p++) {
            y[o * n + p] = 0.0;
            for (int i = 0; i < in; i++)
                y[o * n + p] += (double)weight[o * in + i] * x[i * n + p];
        }
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* Mean and 1 / deviation of @n values, @stride apart. */
static void find_moments(const double *x, int n, int stride, double *mean, double *factor)
{
    double squares = 0.0;

    *mean = 0.0;
    for (int i = 0; i < n; i++)
        *mean += x[i * stride] / n;
    for (int i = 0; i < n; i++)
        squares += (x[i * stride] - *mean) * (x[i * stride] - *mean);
    *factor = 1.0 / sqrt(squares / n + 1e-5);
}

static void group_norm(double *x, const VfiWeights *weights, const double *film)
{
    const float *weight = tensor(weights, "norm.weight");
    const float *bias = tensor(weights, "norm.bias");
    double mean = 0.0, factor = 0.0;

    for (int c = 0; c < CHANNELS; c++) {
        if (c % (CHANNELS / GROUPS) == 0)
            find_moments(x + c * PIXELS, CHANNELS / GROUPS * PIXELS, 1, &mean, &factor);
        for (int p = 0; p < PIXELS; p++) {
            double *at = &x[c * PIXELS + p];
            double y = (*at - mean) * factor * (double)weight[c] + (double)bias[c];
            y = y * (1.0 + film[c]) + film[CHANNELS + c];
            *at = y * sigmoid(y);
        }
    }
}

static void layer_norm(double *x, const VfiWeights *weights)
{
    const float *weight = tensor(weights, "layer.weight");
    const float *bias = tensor(weights, "layer.bias");
    double mean = 0.0, factor = 0.0;

    for (int p = 0; p < PIXELS; p++) {
        find_moments(x + p, CHANNELS, PIXELS, &mean, &factor);
        for (int c = 0; c < CHANNELS; c++) {
            double *at = &x[c * PIXELS + p];
            *at = (*at - mean) * factor * (double)weight[c] + (double)bias[c];
        }
    }
}

static void gate_channels(double *x, const VfiWeights *weights)
{
    double means[CHANNELS] = {0.0}, gates[CHANNELS];

    for (int i = 0; i < CHANNELS * PIXELS; i++)
        means[i / PIXELS] += x[i] / PIXELS;
    linear(means, CHANNELS, tensor(weights, "gate.weight"), CHANNELS, 1, gates);
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        x[i] *= sigmoid(gates[i / PIXELS]);
}

static float *expect(const VfiWeights *weights, const float *image)
{
    g_autofree double *rgb = g_new(double, 3 * PIXELS);
    g_autofree double *x = g_new(double, CHANNELS *PIXELS);
    g_autofree double *y = g_new(double, CHANNELS *PIXELS);
    double step[EMBEDDED], film[2 * CHANNELS];
    float *result = g_new(float, CHANNELS *PIXELS);

    for (int i = 0; i < 3 * PIXELS; i++)
        rgb[i] = (double)image[i];
    for (int i = 0; i < EMBEDDED; i++) {
        int of = i % (EMBEDDED / 2);
        double angle = (double)STEP * pow(10000.0, -2.0 * of / EMBEDDED);
        double value = i < EMBEDDED / 2 ? cos(angle) : sin(angle);
        step[i] = value * sigmoid(value);
    }
    linear(step, EMBEDDED, tensor(weights, "film.weight"), 2 * CHANNELS, 1, film);
    linear(rgb, 3, tensor(weights, "in.weight"), CHANNELS, PIXELS, x);
    group_norm(x, weights, film);
    linear(x, CHANNELS, tensor(weights, "middle.weight"), CHANNELS, PIXELS, y);
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        y[i] *= 0.5 * (1.0 + erf(y[i] / G_SQRT2));
    layer_norm(y, weights);
    gate_channels(y, weights);
    linear(y, CHANNELS, tensor(weights, "out.weight"), CHANNELS, PIXELS, x);
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        result[i] = (float)x[i];
    return result;
}

/* ---- the plan ---------------------------------------------------------------------- */

/* Ops on pictures are in blocks where there are such, between the convolutions and
 * without copies; those that may be are in place. */
static void check_plan(const VfiPlan *plan, const VfiPlanTarget *target)
{
    int n_copies = 0;

    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        bool on_picture = op->n_src > 0 && op->src[0].shape.h == HEIGHT;
        n_copies += op->kind == VFI_OP_COPY;
        if (!on_picture || op->src[0].shape.c != CHANNELS || op->kind == VFI_OP_COPY)
            continue;
        if (target->channel_block <= 1)
            continue;
        ck_assert_int_eq(op->src[0].block, target->channel_block);
        if (op->kind == VFI_OP_SCALE_SHIFT || op->kind == VFI_OP_LAYER_NORM)
            ck_assert_uint_eq(op->dst.offset, op->src[0].offset);
    }
    ck_assert_int_le(n_copies, 1); /* of the output */
}

START_TEST(norms_work_between_convolutions)
{
    g_autoptr(GError) error = NULL;
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, WIDTH, HEIGHT);
    float *image = vfi_try_alloc(3 * PIXELS, sizeof(float), "image", NULL);
    VfiDevice *device = vfi_backend_cpu.open(
        &(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiPlanTarget target;

    for (int i = 0; i < 3 * PIXELS; i++)
        image[i] = (float)(i * 31 % 251) / 251.0f;
    vfi_graph_output(graph, "x", build(graph));
    vfi_backend_cpu.plan_target(device, &target);
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    check_plan(plan, &target);

    char *arena = vfi_try_alloc(plan->arena_bytes, 1, "arena", NULL);
    memset(arena, 0xff, plan->arena_bytes); /* not a number */
    VfiRunArguments arguments = {.region = {arena, (char *)image}};
    arguments.inputs.value[VFI_RUN_INPUT_STEP] = STEP;
    VfiProgram *program = vfi_backend_cpu.compile(device, plan, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    ck_assert(vfi_backend_cpu.run(device, program, 0, &arguments, NULL));
    g_autofree float *expected = expect(weights, image);
    const VfiOperand *x = &vfi_plan_output(plan, 0, "x")->operand;
    check_close("x", (const float *)(const void *)(arena + x->offset), expected,
                CHANNELS * PIXELS, 2e-5);

    vfi_backend_cpu.program_free(device, program);
    vfi_backend_cpu.close(device);
    vfi_free(arena);
    vfi_plan_free(plan);
    vfi_free(image);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_norm");
    TCase *tcase = tcase_create("plan_norm");

    tcase_add_test(tcase, norms_work_between_convolutions);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
