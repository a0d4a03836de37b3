/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "problem.h"

#include <float.h>
#include <string.h>

#include "half.h"
#include "sanitizers.h"

/* What runs are given, but for the noise. */
static const VfiRunInputs run_inputs = {.value = {[VFI_RUN_INPUT_TIME] = 0.3f,
                                                  [VFI_RUN_INPUT_IMAGE_MEAN] = 0.6f,
                                                  [VFI_RUN_INPUT_STEP] = 981.0f,
                                                  [VFI_RUN_INPUT_NOISE_LEVEL] = 0.07f,
                                                  [VFI_RUN_INPUT_WEIGHT_0] = 1.25f,
                                                  [VFI_RUN_INPUT_WEIGHT_1] = -0.75f,
                                                  [VFI_RUN_INPUT_WEIGHT_2] = 14.6f,
                                                  [VFI_RUN_INPUT_WEIGHT_3] = 1e-3f,
                                                  [VFI_RUN_INPUT_IMAGE_WIDTH] = 33.0f,
                                                  [VFI_RUN_INPUT_IMAGE_HEIGHT] = 18.0f}};

/* One of so many values is an extreme one. */
#define EXTREME_EVERY 9

static const float extremes[] = {NAN,     INFINITY, -INFINITY, 0.0f,     -0.0f,
                                 1e-40f,  -1e-40f,  3e38f,     -3e38f,   88.0f,
                                 -100.0f, 200.0f,   65519.0f,  65520.0f, 6.0e-5f,
                                 2049.0f, 2051.0f,  2e-8f,     3.1e-8f};

static float random_value(GRand *random, VfiCaseValues values, float scale, float offset)
{
    float value = (float)g_rand_double_range(random, -1.0, 1.0) * scale + offset;

    if (values == VFI_VALUES_EXTREME && g_rand_int_range(random, 0, EXTREME_EVERY) == 0)
        value = extremes[g_rand_int_range(random, 0, G_N_ELEMENTS(extremes))];
    return value;
}

static void fill(float *values, size_t n, bool low_precision, GRand *random,
                 VfiCaseValues what, float scale, float offset)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = random_value(random, what, scale, offset);
        if (low_precision)
            values[i] = (float)half_nearest((double)values[i]);
    }
}

static void add_arrays(Problem *problem, const VfiOpCase *test, bool low_precision,
                       GRand *random)
{
    VfiOpArray arrays[VFI_OP_MAX_ARRAYS];
    int n = vfi_op_arrays(&problem->op, arrays);

    for (int i = 0; i < n; i++) {
        if ((test->without >> i & 1) != 0)
            continue;
        problem->arrays[i] = g_new(float, arrays[i].n);
        fill(problem->arrays[i], arrays[i].n, low_precision, random, VFI_VALUES_RANDOM,
             1.0f, 0.0f);
        *vfi_op_array(&problem->op.u, &arrays[i]) = problem->arrays[i];
    }
}

Problem *problem_new(VfiOpKind kind, const VfiOpCase *test, guint32 seed,
                     bool low_precision, GError **error)
{
    g_autoptr(Problem) problem = g_new0(Problem, 1);
    bool rounded =
        low_precision && vfi_op_descriptor(kind)->tolerance == VFI_TOLERANCE_SUMS;

    if (!vfi_op_of_case(&problem->op, kind, test, error))
        return NULL;
    problem->inputs = run_inputs;
    problem->inputs.noise = test->noise;
    GRand *random = g_rand_new_with_seed(seed);
    add_arrays(problem, test, rounded, random);
    for (int i = 0; i < problem->op.n_src; i++) {
        size_t n = vfi_shape_elements(problem->op.src[i].shape);
        float scale = test->scale[i] != 0.0f ? test->scale[i] : 1.0f;
        problem->values[i] = g_new(float, n);
        fill(problem->values[i], n, rounded, random, test->values, scale,
             test->offset[i]);
    }
    g_rand_free(random);
    return g_steal_pointer(&problem);
}

static void expected_free(Expected *expected)
{
    if (expected == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(expected->stored); i++)
        g_free(expected->stored[i]);
    g_free(expected->elements);
    g_free(expected->flushed);
    g_free(expected->from_planes);
    g_free(expected);
}

void problem_free(Problem *problem)
{
    for (size_t i = 0; i < G_N_ELEMENTS(problem->arrays); i++)
        g_free(problem->arrays[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(problem->values); i++)
        g_free(problem->values[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(problem->expected); i++)
        expected_free(problem->expected[i]);
    g_free(problem);
}

/* ---- what is expected -------------------------------------------------------------- */

static bool is_denormal(float value)
{
    return value != 0.0f && fabsf(value) < FLT_MIN;
}

/* A copy of source @i as it is stored; sets *denormal where one was found. */
static float *stored_values(const Problem *problem, int i, bool half, bool *denormal)
{
    size_t n = vfi_shape_elements(problem->op.src[i].shape);
    float *values = g_memdup2(problem->values[i], n * sizeof(float));

    for (size_t k = 0; k < n; k++) {
        if (half)
            values[k] = (float)half_nearest((double)values[k]);
        *denormal = *denormal || is_denormal(values[k]);
    }
    return values;
}

static ReferenceElement *compute(const ReferenceInput *in)
{
    ReferenceFunc reference = reference_of_kind(in->op->kind);
    VfiShape s = in->op->dst.shape;
    ReferenceElement *elements = g_new(ReferenceElement, vfi_shape_elements(s));
    size_t at = 0;

    for (int c = 0; c < s.c; c++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                elements[at++] = reference(in, c, y, x);
    return elements;
}

/* The same with denormals taken as zero. */
static ReferenceElement *compute_flushed(const Problem *problem, ReferenceInput in)
{
    float *flushed[VFI_OP_MAX_SOURCES] = {NULL};

    for (int i = 0; i < problem->op.n_src; i++) {
        size_t n = vfi_shape_elements(problem->op.src[i].shape);
        flushed[i] = g_memdup2(in.src[i], n * sizeof(float));
        for (size_t k = 0; k < n; k++)
            if (is_denormal(flushed[i][k]))
                flushed[i][k] = 0.0f;
        in.src[i] = flushed[i];
    }
    ReferenceElement *elements = compute(&in);
    for (int i = 0; i < problem->op.n_src; i++)
        g_free(flushed[i]);
    return elements;
}

Expected *problem_expect(Problem *problem, unsigned halves)
{
    ReferenceInput in = {.op = &problem->op, .inputs = &problem->inputs};
    bool denormal = false;

    if (problem->expected[halves] != NULL)
        return problem->expected[halves];
    Expected *expected = g_new0(Expected, 1);
    for (int i = 0; i < problem->op.n_src; i++)
        in.src[i] = expected->stored[i] =
            stored_values(problem, i, (halves >> i & 1) != 0, &denormal);
    expected->n = vfi_shape_elements(problem->op.dst.shape);
    expected->elements = compute(&in);
    expected->flushed = denormal ? compute_flushed(problem, in) : NULL;
    problem->expected[halves] = expected;
    return expected;
}

/* ---- judging ----------------------------------------------------------------------- */

/* How far off a result may be. */
typedef struct {
    VfiTolerance kind;
    double largest, rms; /* of SUMS: limits, in units of the largest sum */
    double largest_sum;
    bool half;
} Limits;

/* f32 as the descriptor's tolerance says. In f16 sums are rounded to it (2^-11), too, and
 * tensor cores add f32 in ways of their own. */
static void set_limits(Limits *limits, VfiPrecision precision)
{
    bool f16 = precision == VFI_PRECISION_F16;
    bool tf32 = precision == VFI_PRECISION_TF32;

    limits->largest = f16 ? 1e-3 : tf32 ? 1e-4 : 4e-5;
    limits->rms = f16 ? 3e-4 : tf32 ? 1.5e-5 : 6e-6;
}

/* What a few roundings are, of the largest value that took part. */
#define ROUNDING 1e-6

static double allowed(const ReferenceElement *expected, const Limits *limits)
{
    double rounding = 0.0;

    if (limits->kind == VFI_TOLERANCE_ROUNDING)
        rounding = ROUNDING * expected->largest + 2.0 * (double)FLT_MIN;
    if (limits->kind == VFI_TOLERANCE_SUMS)
        rounding = limits->largest * limits->largest_sum;
    if (limits->half && limits->kind != VFI_TOLERANCE_EXACT)
        rounding += 0x1p-11 * fabs(expected->value) + 0x1p-25;
    return rounding;
}

/* How far @result is off what is allowed: 0 if it is not. */
static double excess(double result, const ReferenceElement *expected,
                     const Limits *limits)
{
    bool overflows = expected->largest > 0.999999 * (double)FLT_MAX;
    bool is_finite = isfinite(result) && !(limits->half && fabs(result) == HALF_MAX);
    double value = expected->value;

    if (limits->half)
        value = limits->kind == VFI_TOLERANCE_EXACT ? half_nearest(value)
                                                    : CLAMP(value, -HALF_MAX, HALF_MAX);
    if (!is_finite && (overflows || (isnan(value) && expected->infinite)))
        return 0.0;
    if (isnan(result) || isnan(value))
        return isnan(result) && isnan(value) ? 0.0 : INFINITY;
    if (result == value)
        return 0.0;
    if (!isfinite(result) || !isfinite(value))
        return INFINITY;
    double error = fabs(result - value), limit = allowed(expected, limits);
    if (limits->kind == VFI_TOLERANCE_EXACT &&
        MAX(fabs(result), fabs(value)) < (double)FLT_MIN)
        return 0.0;
    return error <= limit ? 0.0 : error - limit;
}

static bool judge_rms(const Expected *expected, const float *result, const Limits *limits,
                      GString *why)
{
    double sum = 0.0;

    for (size_t i = 0; i < expected->n; i++) {
        double error = (double)result[i] - expected->elements[i].value;
        double rounding = limits->half ? 0x1p-12 * expected->elements[i].value : 0.0;
        sum += MAX(error * error - rounding * rounding, 0.0);
    }
    double rms = sqrt(sum / (double)expected->n) / limits->largest_sum;
    if (rms <= limits->rms)
        return true;
    g_string_append_printf(why, "rms error %.3g, allowed %.3g", rms, limits->rms);
    return false;
}

static void append_place(GString *why, VfiShape shape, size_t i)
{
    size_t w = (size_t)shape.w, plane = w * (size_t)shape.h;

    g_string_append_printf(why, "channel %zu, row %zu, column %zu", i / plane,
                           i % plane / w, i % w);
}

bool problem_judge(const Problem *problem, const Expected *expected, const float *result,
                   bool half, VfiPrecision precision, GString *why)
{
    Limits limits = {.kind = vfi_op_descriptor(problem->op.kind)->tolerance,
                     .largest_sum = 1.0,
                     .half = half};
    size_t worst = 0, wrong = 0;
    double worst_excess = 0.0;

    set_limits(&limits, precision);
    for (size_t i = 0; i < expected->n; i++)
        limits.largest_sum = MAX(limits.largest_sum, expected->elements[i].largest);
    for (size_t i = 0; i < expected->n; i++) {
        double off = excess((double)result[i], &expected->elements[i], &limits);
        if (off > 0.0 && expected->flushed != NULL)
            off = MIN(off, excess((double)result[i], &expected->flushed[i], &limits));
        wrong += off > 0.0;
        if (off > worst_excess) {
            worst_excess = off;
            worst = i;
        }
    }
    if (wrong == 0)
        return limits.kind != VFI_TOLERANCE_SUMS ||
               judge_rms(expected, result, &limits, why);
    append_place(why, problem->op.dst.shape, worst);
    g_string_append_printf(why, ": %.9g, expected %.9g; %zu of %zu wrong",
                           (double)result[worst], expected->elements[worst].value, wrong,
                           expected->n);
    return false;
}
