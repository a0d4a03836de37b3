/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the runner's cases cannot show of ATTENTION and QUANTIZE, on the device that
 * VFI_TEST_DEVICE names (else the CPU): volumes of many tokens, scores beyond the range
 * of exp(), NaN, and codes that are equally near. Expected values are computed here, in
 * double precision or in integers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "machine/cpu_level.h"
#include "run.h"

/* ---- running ----------------------------------------------------------------------- */

/* What @problem gives in f32 planes; g_free(). */
static float *result_of(const Problem *problem)
{
    const char *device = g_getenv("VFI_TEST_DEVICE");
    const Variant planes = {.form = RUN_ALONE, .in_place = -1};
    g_autoptr(GError) error = NULL;
    Target target;

    bool opened = target_open(&target, device != NULL ? device : "cpu", VFI_PRECISION_F32,
                              3, &error);
    ck_assert_msg(opened, "%s", opened ? "" : error->message);
    g_autoptr(Run) run = run_problem(&target, problem, &planes, ALIGNED);
    ck_assert_msg(run->wrong->len == 0, "%s", run->wrong->str);
    target_close(&target);
    return g_steal_pointer(&run->result);
}

static Problem *problem_of(VfiOpKind kind, const VfiOpCase *test)
{
    g_autoptr(GError) error = NULL;
    Problem *problem = problem_new(kind, test, 1, false, &error);

    ck_assert_msg(problem != NULL, "%s", problem == NULL ? error->message : "");
    return problem;
}

static Problem *attention(VfiShape shape, const VfiAttentionParams *params)
{
    return problem_of(VFI_OP_ATTENTION, &(VfiOpCase){.src = {shape, shape, shape},
                                                     .params.attention = *params,
                                                     .without = 1});
}

/* ---- attention --------------------------------------------------------------------- */

/* Channel @c of token @i of a volume. */
static double token(const float *volume, VfiShape s, int frames, int i, int c)
{
    int plane = s.h * s.w, channels = s.c / frames;

    return (double)volume[(ptrdiff_t)(i / plane * channels + c) * plane + i % plane];
}

/* All of a query's sums over all tokens, in two passes. */
static void expect_query(const Problem *problem, int query, double *sums)
{
    const VfiAttentionParams *p = &problem->op.u.attention;
    VfiShape s = problem->op.dst.shape;
    int tokens = p->frames * s.h * s.w, channels = s.c / p->frames;
    g_autofree double *scores = g_new0(double, tokens);
    double greatest = -INFINITY, total = 0.0;

    for (int i = 0; i < tokens; i++) {
        for (int c = 0; c < channels; c++)
            scores[i] += token(problem->values[0], s, p->frames, query, c) *
                         token(problem->values[1], s, p->frames, i, c);
        scores[i] *= (double)p->scale;
        greatest = fmax(greatest, scores[i]);
    }
    for (int i = 0; i < tokens; i++)
        total += scores[i] = exp(scores[i] - greatest);
    for (int c = 0; c < channels; c++) {
        sums[c] = 0.0;
        for (int i = 0; i < tokens; i++)
            sums[c] += scores[i] / total * token(problem->values[2], s, p->frames, i, c);
    }
}

/* More tokens than tiles of queries or keys have, and no multiples of them. */
START_TEST(a_volume_of_many_tokens)
{
    const VfiShape shape = {3 * 37, 17, 31};
    const VfiAttentionParams params = {
        .kind = VFI_ATTENTION_GLOBAL, .frames = 3, .scale = 0.9f};
    g_autoptr(Problem) problem = attention(shape, &params);
    int tokens = params.frames * shape.h * shape.w;
    double sums[37];

    g_autofree float *result = result_of(problem);
    for (int i = 0; i < tokens; i += 7) {
        expect_query(problem, i, sums);
        for (int c = 0; c < 37; c++)
            ck_assert_double_eq_tol(token(result, shape, params.frames, i, c), sums[c],
                                    2e-6);
    }
}
END_TEST

/* Scores up to 1e36, far from each other: the greatest one's value is all that counts. */
START_TEST(great_scores_choose_one)
{
    const VfiShape shape = {1, 9, 23};
    const VfiAttentionParams params = {
        .kind = VFI_ATTENTION_GLOBAL, .frames = 1, .scale = 1.0f};
    g_autoptr(Problem) problem = attention(shape, &params);
    int n = shape.h * shape.w;

    for (int i = 0; i < n; i++) {
        problem->values[0][i] = i % 2 == 0 ? 1e18f : -1e18f;
        int score = i * 50 % n - n / 2;
        problem->values[1][i] = (float)score * 1e16f;
    }
    g_autofree float *result = result_of(problem);
    int least = 0, greatest = 0;
    for (int i = 0; i < n; i++) {
        least = problem->values[1][i] < problem->values[1][least] ? i : least;
        greatest = problem->values[1][i] > problem->values[1][greatest] ? i : greatest;
    }
    for (int i = 0; i < n; i++)
        ck_assert_float_eq_tol(result[i],
                               problem->values[2][i % 2 == 0 ? greatest : least], 1e-7f);
}
END_TEST

/* What is alike everywhere gives the mean, however great it is. */
START_TEST(equal_scores_give_the_mean)
{
    const VfiShape shape = {2, 11, 13};
    const VfiAttentionParams params = {
        .kind = VFI_ATTENTION_GLOBAL, .frames = 2, .scale = 1.0f};
    g_autoptr(Problem) problem = attention(shape, &params);
    int n = 2 * shape.h * shape.w;
    double mean = 0.0;

    for (int i = 0; i < n; i++) {
        problem->values[1][i] = _i == 0 ? 0.0f : 1e15f;
        problem->values[0][i] = _i == 0 ? (float)i : 1e20f;
        mean += (double)problem->values[2][i] / n;
    }
    g_autofree float *result = result_of(problem);
    for (int i = 0; i < n; i++)
        ck_assert_double_eq_tol((double)result[i], mean, 1e-6);
}
END_TEST

START_TEST(a_token_alone_gets_its_value)
{
    const VfiAttentionParams all = {
        .kind = VFI_ATTENTION_GLOBAL, .frames = 1, .scale = 3.0f};
    const VfiAttentionParams windows = {
        .kind = VFI_ATTENTION_BLOCKS, .frames = 1, .window = 1, .scale = 3.0f};
    const VfiShape shape = _i == 0 ? (VfiShape){19, 1, 1} : (VfiShape){19, 5, 4};
    g_autoptr(Problem) problem = attention(shape, _i == 0 ? &all : &windows);

    g_autofree float *result = result_of(problem);
    ck_assert_mem_eq(result, problem->values[2],
                     vfi_shape_elements(shape) * sizeof(float));
}
END_TEST

/* A query of NaN is one itself; a key is for all that see it. Neither is for others. */
START_TEST(nan_stays_where_it_is_seen)
{
    const VfiShape shape = {3, 8, 12};
    const VfiAttentionParams params = {
        .kind = VFI_ATTENTION_BLOCKS, .frames = 1, .window = 4, .scale = 1.0f};
    g_autoptr(Problem) problem = attention(shape, &params);

    problem->values[0][1 * 12 + 2] = NAN;
    problem->values[1][6 * 12 + 9] = NAN;
    g_autofree float *result = result_of(problem);
    for (int i = 0; i < 3 * 8 * 12; i++) {
        int y = i / 12 % 8, x = i % 12;
        bool expected = (y == 1 && x == 2) || (y >= 4 && x >= 8);
        ck_assert_msg(isnan(result[i]) == expected, "row %d, column %d: %g", y, x,
                      (double)result[i]);
    }
}
END_TEST

/* ---- quantizing -------------------------------------------------------------------- */

#define PIXELS 203
#define CODES 511

/* On a grid of quarters, where f32 is exact, so that many codes are as near as others. */
START_TEST(the_first_of_equally_near_codes_is_taken)
{
    const VfiOpCase test = {.src = {{3, 1, PIXELS}}, .params.quantize.n_codes = CODES};
    g_autoptr(Problem) problem = problem_of(VFI_OP_QUANTIZE, &test);
    int x[3][PIXELS], codes[CODES][3], ties = 0;

    for (int i = 0; i < CODES * 3; i++) {
        int *code = &codes[i / 3][i % 3];
        *code = (int)lrintf(problem->arrays[0][i] * 6.0f);
        problem->arrays[0][i] = (float)*code / 4.0f;
    }
    for (int i = 0; i < 3 * PIXELS; i++) {
        int *value = &x[i / PIXELS][i % PIXELS];
        *value = (int)lrintf(problem->values[0][i] * 8.0f);
        problem->values[0][i] = (float)*value / 4.0f;
    }
    g_autofree float *result = result_of(problem);
    for (int i = 0; i < PIXELS; i++) {
        int least = G_MAXINT, nearest = 0;
        for (int code = 0; code < CODES; code++) {
            int distance = 0;
            for (int c = 0; c < 3; c++)
                distance += (x[c][i] - codes[code][c]) * (x[c][i] - codes[code][c]);
            ties += distance == least && memcmp(codes[code], codes[nearest], 12) != 0;
            if (distance < least) {
                least = distance;
                nearest = code;
            }
        }
        for (int c = 0; c < 3; c++)
            ck_assert_float_eq(result[c * PIXELS + i], (float)codes[nearest][c] / 4.0f);
    }
    ck_assert_int_gt(ties, 20);
}
END_TEST

START_TEST(what_is_near_no_code_gets_the_first)
{
    const VfiOpCase test = {.src = {{3, 1, 40}}, .params.quantize.n_codes = 9};
    g_autoptr(Problem) problem = problem_of(VFI_OP_QUANTIZE, &test);
    const float strange[] = {NAN, INFINITY, -INFINITY, 3e38f};

    for (int i = 0; i < 40; i++)
        problem->values[0][i % 3 * 40 + i] = strange[i % 4];
    g_autofree float *result = result_of(problem);
    for (int i = 0; i < 3 * 40; i++)
        ck_assert_float_eq(result[i], problem->arrays[0][i / 40]);
}
END_TEST

/* ------------------------------------------------------------------------------------ */

/* Whether the CPU lacks the level that VFI_CPU asks for. */
static bool lacks_level(void)
{
    const char *level = g_getenv("VFI_CPU");

    return level != NULL && strcmp(level, vfi_cpu_level_to_string(vfi_cpu_level())) != 0;
}

int main(void)
{
    Suite *suite = suite_create("attention");
    TCase *tcase = tcase_create("attention");

    if (lacks_level()) {
        printf("1..0 # SKIP this CPU has no %s\n", g_getenv("VFI_CPU"));
        return EXIT_SUCCESS;
    }
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_volume_of_many_tokens);
    tcase_add_test(tcase, great_scores_choose_one);
    tcase_add_loop_test(tcase, equal_scores_give_the_mean, 0, 2);
    tcase_add_loop_test(tcase, a_token_alone_gets_its_value, 0, 2);
    tcase_add_test(tcase, nan_stays_where_it_is_seen);
    tcase_add_test(tcase, the_first_of_equally_near_codes_is_taken);
    tcase_add_test(tcase, what_is_near_no_code_gets_the_first);
    return check_main(suite);
}
