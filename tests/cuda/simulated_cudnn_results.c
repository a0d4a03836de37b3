/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN's results against the definition of a convolution, and what its
 * heuristics propose. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "cudnn_case.h"

static const DnnCase cases[] = {
    {.src_c = 16, .src_h = 11, .src_w = 19, .dst_c = 24, .kernel_h = 1, .kernel_w = 1},
    {.src_c = 32,
     .src_h = 21,
     .src_w = 30,
     .dst_c = 48,
     .kernel_h = 3,
     .kernel_w = 3,
     .pre = {1, 1},
     .post = {1, 1}},
    {.src_c = 13,
     .src_h = 18,
     .src_w = 15,
     .dst_c = 7,
     .kernel_h = 3,
     .kernel_w = 3,
     .stride = 2,
     .pre = {1, 1},
     .post = {1, 1},
     .src_gap = 3,
     .dst_gap = 9},
    {.src_c = 9,
     .src_h = 10,
     .src_w = 12,
     .dst_c = 8,
     .kernel_h = 2,
     .kernel_w = 2,
     .post = {1, 1},
     .dst_gap = 1},
    {.src_c = 3,
     .src_h = 23,
     .src_w = 17,
     .dst_c = 16,
     .kernel_h = 7,
     .kernel_w = 7,
     .stride = 2,
     .pre = {3, 3},
     .post = {3, 3},
     .src_gap = 5},
    {.src_c = 8,
     .src_h = 12,
     .src_w = 9,
     .dst_c = 5,
     .kernel_h = 4,
     .kernel_w = 4,
     .stride = 2,
     .pre = {1, 2},
     .post = {2, 0}},
    {.src_c = 12,
     .src_h = 9,
     .src_w = 14,
     .dst_c = 18,
     .kernel_h = 3,
     .kernel_w = 3,
     .groups = 3,
     .pre = {1, 1},
     .post = {1, 1},
     .src_gap = 4},
    {.src_c = 64,
     .src_h = 9,
     .src_w = 14,
     .dst_c = 32,
     .kernel_h = 3,
     .kernel_w = 3,
     .groups = 2,
     .pre = {1, 1},
     .post = {1, 1}},
    {.src_c = 10,
     .src_h = 6,
     .src_w = 8,
     .dst_c = 10,
     .kernel_h = 3,
     .kernel_w = 5,
     .groups = 10,
     .pre = {1, 2},
     .post = {1, 2}},
    {.src_c = 12,
     .src_h = 9,
     .src_w = 7,
     .dst_c = 20,
     .kernel_h = 3,
     .kernel_w = 3,
     .flipped = true,
     .pre = {1, 1},
     .post = {1, 1}},
    {.src_c = 6,
     .src_h = 5,
     .src_w = 7,
     .dst_c = 10,
     .kernel_h = 3,
     .kernel_w = 3,
     .pre = {1, 1},
     .post = {1, 1},
     .beta = 1.0,
     .dst_gap = 6,
     .batch = 3},
    {.src_c = 6,
     .src_h = 5,
     .src_w = 7,
     .dst_c = 10,
     .kernel_h = 1,
     .kernel_w = 3,
     .alpha = -0.75,
     .beta = 0.5},
    {.transposed = true,
     .src_c = 24,
     .src_h = 9,
     .src_w = 13,
     .dst_c = 20,
     .kernel_h = 4,
     .kernel_w = 4,
     .stride = 2,
     .pre = {1, 1},
     .post = {1, 1}},
    {.transposed = true,
     .src_c = 8,
     .src_h = 6,
     .src_w = 5,
     .dst_c = 5,
     .kernel_h = 4,
     .kernel_w = 4,
     .stride = 2,
     .pre = {1, 1},
     .post = {1, 1},
     .src_gap = 8,
     .dst_gap = 3,
     .beta = 1.0},
    {.transposed = true,
     .src_c = 8,
     .src_h = 6,
     .src_w = 5,
     .dst_c = 9,
     .kernel_h = 2,
     .kernel_w = 2,
     .stride = 2},
    {.transposed = true,
     .src_c = 8,
     .src_h = 6,
     .src_w = 5,
     .dst_c = 9,
     .kernel_h = 3,
     .kernel_w = 3,
     .flipped = true,
     .pre = {1, 0},
     .post = {0, 2}},
    {.transposed = true,
     .src_c = 12,
     .src_h = 6,
     .src_w = 5,
     .dst_c = 18,
     .kernel_h = 4,
     .kernel_w = 4,
     .stride = 2,
     .groups = 3,
     .pre = {1, 1},
     .post = {1, 1}},
};

/* Bits of @planar: src, filter, dst. */
static DnnData case_in_layouts(int index, bool half, int planar)
{
    DnnCase c = cases[index];

    c.half = half;
    c.stride = MAX(c.stride, 1);
    c.groups = MAX(c.groups, 1);
    c.src_planar = (planar & 1) != 0;
    c.filter_planar = (planar & 2) != 0;
    c.dst_planar = (planar & 4) != 0;
    return dnn_data_new(&c);
}

/* In any mixture of layouts: the real library accepts them all, too. */
START_TEST(results_are_the_definition_s)
{
    for (int half = 0; half < 2; half++)
        for (int planar = 0; planar < 8; planar++) {
            DnnData data = case_in_layouts(_i, half != 0, planar);
            dnn_run(&data, DNN_ENGINE_PLAIN);
            dnn_check_result(&data);
            dnn_data_clear(&data);
        }
    ck_assert_uint_eq(cudnnSimulatedLive(), 0);
}
END_TEST

START_TEST(engines_with_workspace_scribble_over_it)
{
    static const int engines[] = {DNN_ENGINE_GEMM, DNN_ENGINE_SPLIT,
                                  DNN_ENGINE_TENSOR_CORE};

    for (int i = 0; i < 3; i++) {
        DnnData data = dnn_common_data(true);
        dnn_run(&data, engines[i]);
        dnn_check_result(&data);
        dnn_data_clear(&data);
    }
}
END_TEST

/* A plan serves all layers of one shape; weights may be overwritten. */
START_TEST(filters_may_change_between_runs)
{
    DnnData data = case_in_layouts(2, true, 0);
    cudnnBackendDescriptor_t plan = dnn_make_plan(&data, DNN_ENGINE_PLAIN);
    cudnnBackendDescriptor_t pack = dnn_make_pack_of(&data, NULL);
    cudnnHandle_t handle;

    dnn_must(cudnnCreate(&handle));
    dnn_must(cudnnBackendFinalize(plan));
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < dnn_picture_elements(&data.filter); k++)
            data.filter.values[k] = dnn_as_stored(data.filter.values[k] * -0.75f, true);
        dnn_picture_to_memory(&data.filter);
        dnn_must(cudnnBackendExecute(handle, plan, pack));
        dnn_check_result(&data);
    }
    dnn_drop(pack);
    dnn_drop(plan);
    dnn_must(cudnnDestroy(handle));
    dnn_data_clear(&data);
}
END_TEST

static float rounded_to_tf32(float value)
{
    int exponent;
    double fraction = frexp((double)value, &exponent);

    return (float)ldexp(nearbyint(fraction * 2048.0) / 2048.0, exponent);
}

static void round_values(DnnPicture *p, int64_t engine)
{
    for (size_t i = 0; i < dnn_picture_elements(p); i++)
        p->values[i] = engine == DNN_ENGINE_TENSOR_CORE
                           ? rounded_to_tf32(p->values[i])
                           : dnn_as_stored(p->values[i], true);
}

/* An f32 convolution on tensor cores, by engines that note it. */
START_TEST(f32_on_tensor_cores_is_rounded)
{
    static const int engines[] = {DNN_ENGINE_TENSOR_CORE, DNN_ENGINE_DOWN_CONVERT};
    DnnData data = dnn_common_data(false);
    size_t bytes = dnn_picture_elements(&data.dst) * sizeof(float);

    dnn_run(&data, DNN_ENGINE_PLAIN);
    dnn_check_result(&data);
    g_autofree void *exact = g_memdup2(data.dst.memory, bytes);
    dnn_run(&data, engines[_i]);
    ck_assert(memcmp(exact, data.dst.memory, bytes) != 0);
    round_values(&data.src, engines[_i]);
    round_values(&data.filter, engines[_i]);
    dnn_check_result(&data);
    dnn_data_clear(&data);
}
END_TEST

START_TEST(a_varying_engine_varies)
{
    DnnData data = dnn_common_data(true);
    size_t bytes = dnn_picture_elements(&data.dst) * 2;
    cudnnBackendDescriptor_t plan = dnn_make_plan(&data, DNN_ENGINE_VARYING);
    cudnnBackendDescriptor_t pack = dnn_make_pack_of(&data, NULL);
    cudnnHandle_t handle;

    dnn_must(cudnnCreate(&handle));
    dnn_must(cudnnBackendFinalize(plan));
    dnn_must(cudnnBackendExecute(handle, plan, pack));
    g_autofree void *first = g_memdup2(data.dst.memory, bytes);
    dnn_must(cudnnBackendExecute(handle, plan, pack));
    ck_assert(memcmp(first, data.dst.memory, bytes) != 0);
    dnn_drop(pack);
    dnn_drop(plan);
    dnn_must(cudnnDestroy(handle));
    dnn_data_clear(&data);
}
END_TEST

START_TEST(f16_that_is_too_large_is_infinite)
{
    DnnData data = case_in_layouts(0, true, 0);

    for (size_t i = 0; i < dnn_picture_elements(&data.src); i++)
        data.src.values[i] = 8192.0f;
    for (size_t i = 0; i < dnn_picture_elements(&data.filter); i++)
        data.filter.values[i] = 1.0f;
    dnn_picture_to_memory(&data.src);
    dnn_picture_to_memory(&data.filter);
    dnn_run(&data, DNN_ENGINE_PLAIN);
    for (size_t i = 0; i < dnn_picture_elements(&data.dst); i++)
        if (((const uint16_t *)data.dst.memory)[i] != 0x7c00)
            ck_abort_msg("element %zu is %g", i,
                         (double)dnn_picture_result(&data.dst, i));
    dnn_data_clear(&data);
}
END_TEST

/* ---- heuristics -------------------------------------------------------------------- */

#define MAX_CONFIGS 32

/* The engines that mode A or the fallback proposes. */
static int propose(const DnnData *d, cudnnBackendHeurMode_t mode, int64_t alignment,
                   cudnnDataType_t sums, int64_t *engines)
{
    cudnnBackendDescriptor_t graph = dnn_make_graph(d, alignment, sums),
                             configs[MAX_CONFIGS];
    cudnnBackendDescriptor_t heuristics = dnn_make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    int64_t announced, n, count;

    dnn_must(cudnnBackendFinalize(graph));
    dnn_set_descriptor(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    dnn_must(cudnnBackendSetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE,
                                      CUDNN_TYPE_HEUR_MODE, 1, &mode));
    dnn_must(cudnnBackendFinalize(heuristics));
    dnn_must(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &announced,
                                      NULL));
    for (int i = 0; i < MAX_CONFIGS; i++)
        configs[i] = dnn_make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    dnn_must(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, MAX_CONFIGS, &n,
                                      configs));
    ck_assert(n <= announced && announced <= MAX_CONFIGS);
    for (int i = 0; i < n; i++) {
        cudnnBackendDescriptor_t engine = dnn_make(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
        dnn_must(cudnnBackendGetAttribute(configs[i], CUDNN_ATTR_ENGINECFG_ENGINE,
                                          CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count,
                                          &engine));
        dnn_must(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX,
                                          CUDNN_TYPE_INT64, 1, &count, &engines[i]));
        dnn_drop(engine);
    }
    for (int i = 0; i < MAX_CONFIGS; i++)
        dnn_drop(configs[i]);
    dnn_drop(heuristics);
    dnn_drop(graph);
    return (int)n;
}

static bool has_engine(const int64_t *engines, int n, int64_t engine)
{
    for (int i = 0; i < n; i++)
        if (engines[i] == engine)
            return true;
    return false;
}

START_TEST(heuristics_propose_what_fits)
{
    DnnData half = dnn_common_data(true), full = dnn_common_data(false);
    int64_t engines[MAX_CONFIGS];

    int n = propose(&half, CUDNN_HEUR_MODE_A, 16, CUDNN_DATA_FLOAT, engines);
    ck_assert(n >= 6 && engines[0] == DNN_ENGINE_COMPILED);
    ck_assert(has_engine(engines, n, DNN_ENGINE_TENSOR_CORE));
    ck_assert(has_engine(engines, n, DNN_ENGINE_VARYING));
    ck_assert(!has_engine(engines, n, DNN_ENGINE_DOWN_CONVERT));
    n = propose(&full, CUDNN_HEUR_MODE_A, 16, CUDNN_DATA_FLOAT, engines);
    ck_assert(has_engine(engines, n, DNN_ENGINE_DOWN_CONVERT));
    /* as in the real library: no tensor cores for little alignment, none at all for f16
     * with f32 sums, different types */
    ck_assert_int_eq(propose(&half, CUDNN_HEUR_MODE_A, 4, CUDNN_DATA_FLOAT, engines), 0);
    n = propose(&half, CUDNN_HEUR_MODE_FALLBACK, 4, CUDNN_DATA_FLOAT, engines);
    ck_assert(n == 2 && has_engine(engines, n, DNN_ENGINE_PLAIN));
    ck_assert_int_eq(propose(&full, CUDNN_HEUR_MODE_A, 16, CUDNN_DATA_HALF, engines), 0);
    full.filter.half = true;
    ck_assert_int_eq(propose(&full, CUDNN_HEUR_MODE_A, 16, CUDNN_DATA_FLOAT, engines), 0);
    ck_assert_int_eq(
        propose(&full, CUDNN_HEUR_MODE_FALLBACK, 16, CUDNN_DATA_FLOAT, engines), 0);
    dnn_data_clear(&half);
    dnn_data_clear(&full);
    ck_assert_uint_eq(cudnnSimulatedLive(), 0);
}
END_TEST

START_TEST(knobs_have_ranges)
{
    DnnData data = dnn_common_data(true);
    cudnnBackendDescriptor_t graph = dnn_make_finalized_graph(&data);
    cudnnBackendDescriptor_t engine = dnn_make_engine(graph, DNN_ENGINE_SPLIT);
    cudnnBackendDescriptor_t infos[3], config, choice;
    cudnnBackendKnobType_t type;
    int64_t n, maximum;

    dnn_must(cudnnBackendFinalize(engine));
    for (int i = 0; i < 3; i++)
        infos[i] = dnn_make(CUDNN_BACKEND_KNOB_INFO_DESCRIPTOR);
    dnn_must(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_KNOB_INFO,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, 3, &n, infos));
    ck_assert_int_eq(n, 2);
    for (int over = 0; over < 2; over++) {
        choice = dnn_make(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
        config = dnn_make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        dnn_must(cudnnBackendGetAttribute(infos[1], CUDNN_ATTR_KNOB_INFO_TYPE,
                                          CUDNN_TYPE_KNOB_TYPE, 1, &n, &type));
        dnn_must(cudnnBackendGetAttribute(infos[1], CUDNN_ATTR_KNOB_INFO_MAXIMUM_VALUE,
                                          CUDNN_TYPE_INT64, 1, &n, &maximum));
        dnn_must(cudnnBackendSetAttribute(choice, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                          CUDNN_TYPE_KNOB_TYPE, 1, &type));
        dnn_set_number(choice, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, maximum + over);
        dnn_must(cudnnBackendFinalize(choice));
        dnn_set_descriptor(config, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
        dnn_set_descriptor(config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choice);
        if (over != 0)
            dnn_must_fail(cudnnBackendFinalize(config), CUDNN_STATUS_BAD_PARAM);
        else
            dnn_must(cudnnBackendFinalize(config));
        dnn_drop(choice);
        dnn_drop(config);
    }
    for (int i = 0; i < 3; i++)
        dnn_drop(infos[i]);
    dnn_drop(engine);
    dnn_drop(graph);
    dnn_data_clear(&data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-simulated-cudnn-results");
    TCase *tcase = tcase_create("cuda-simulated-cudnn-results");

    tcase_add_loop_test(tcase, results_are_the_definition_s, 0, G_N_ELEMENTS(cases));
    tcase_add_test(tcase, engines_with_workspace_scribble_over_it);
    tcase_add_test(tcase, filters_may_change_between_runs);
    tcase_add_loop_test(tcase, f32_on_tensor_cores_is_rounded, 0, 2);
    tcase_add_test(tcase, a_varying_engine_varies);
    tcase_add_test(tcase, f16_that_is_too_large_is_infinite);
    tcase_add_test(tcase, heuristics_propose_what_fits);
    tcase_add_test(tcase, knobs_have_ranges);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
