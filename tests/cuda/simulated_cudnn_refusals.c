/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the simulated cuDNN refuses: the same as cuDNN 9.19, where nothing else is
 * said. */
#include <check.h>
#include <stdlib.h>

#include "check_main.h"
#include "cudnn_case.h"

START_TEST(order_and_types_of_attributes)
{
    DnnData data = dnn_common_data(true);
    cudnnBackendDescriptor_t tensor = dnn_make_tensor(&data.src, DNN_UID_X, 16), raw;
    int64_t pair[] = {1, 1}, nine[9] = {1}, count;
    double real = 1.0;

    dnn_must_fail(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID,
                                           CUDNN_TYPE_INT64, 1, pair),
                  CUDNN_STATUS_BAD_PARAM);
    dnn_must_fail(cudnnBackendFinalize(tensor), CUDNN_STATUS_BAD_PARAM);
    dnn_must_fail(cudnnBackendGetAttribute(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID,
                                           CUDNN_TYPE_FLOAT, 1, &count, pair),
                  CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
    dnn_drop(tensor);
    /* the real library crashes here */
    dnn_must_fail(cudnnBackendFinalize(tensor), CUDNN_STATUS_BAD_PARAM);

    raw = dnn_make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    dnn_must_fail(cudnnBackendGetAttribute(raw, CUDNN_ATTR_TENSOR_UNIQUE_ID,
                                           CUDNN_TYPE_INT64, 1, &count, pair),
                  CUDNN_STATUS_NOT_INITIALIZED);
    dnn_must_fail(cudnnBackendSetAttribute(raw, CUDNN_ATTR_TENSOR_UNIQUE_ID,
                                           CUDNN_TYPE_DOUBLE, 1, &real),
                  CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
    dnn_must_fail(cudnnBackendSetAttribute(raw, CUDNN_ATTR_TENSOR_UNIQUE_ID,
                                           CUDNN_TYPE_INT64, 2, pair),
                  CUDNN_STATUS_BAD_PARAM);
    dnn_must_fail(cudnnBackendSetAttribute(raw, CUDNN_ATTR_TENSOR_DIMENSIONS,
                                           CUDNN_TYPE_INT64, 0, pair),
                  CUDNN_STATUS_BAD_PARAM);
    dnn_must_fail(cudnnBackendSetAttribute(raw, CUDNN_ATTR_TENSOR_DIMENSIONS,
                                           CUDNN_TYPE_INT64, 9, nine),
                  CUDNN_STATUS_BAD_PARAM);
    dnn_must_fail(cudnnBackendSetAttribute(raw, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS,
                                           CUDNN_TYPE_INT64, 1, pair),
                  CUDNN_STATUS_BAD_PARAM);
    dnn_must_fail(cudnnBackendFinalize(raw), CUDNN_STATUS_BAD_PARAM);
    dnn_drop(raw);
    dnn_must_fail(cudnnBackendFinalize(NULL), CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    dnn_must_fail(cudnnBackendDestroyDescriptor(NULL),
                  CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    dnn_must_fail(cudnnBackendCreateDescriptor((cudnnBackendDescriptorType_t)99, &raw),
                  CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED);
    dnn_data_clear(&data);
}
END_TEST

/* A tensor with one thing missing or wrong. */
START_TEST(tensors_that_are_not_whole)
{
    int64_t dims[] = {1, 8, 4, 4}, strides[] = {128, 1, 32, 8};
    cudnnDataType_t type = CUDNN_DATA_HALF;

    for (int wrong = 0; wrong < 7; wrong++) {
        cudnnBackendDescriptor_t tensor = dnn_make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
        strides[1] = wrong == 5 ? -1 : 1;
        if (wrong != 0) /* the real library guesses */
            dnn_must(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_DATA_TYPE,
                                              CUDNN_TYPE_DATA_TYPE, 1, &type));
        if (wrong != 1)
            dnn_must(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_DIMENSIONS,
                                              CUDNN_TYPE_INT64, 4, dims));
        dnn_must(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_STRIDES,
                                          CUDNN_TYPE_INT64, wrong == 2 ? 3 : 4, strides));
        if (wrong != 3) /* here, too */
            dnn_set_number(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, 1);
        if (wrong != 4)
            dnn_set_number(tensor, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, wrong == 6 ? 3 : 16);
        dnn_must_fail(cudnnBackendFinalize(tensor), CUDNN_STATUS_BAD_PARAM);
        dnn_drop(tensor);
    }
}
END_TEST

/* Spoils one thing of a forward convolution; returns what finalizing its operation
 * gives. */
static cudnnStatus_t finalize_spoiled(void (*spoil)(DnnData *data))
{
    DnnData data = dnn_common_data(true);

    spoil(&data);
    cudnnBackendDescriptor_t operation = dnn_make_operation(&data, 16, CUDNN_DATA_FLOAT);
    cudnnStatus_t status = cudnnBackendFinalize(operation);
    dnn_drop(operation);
    dnn_data_clear(&data);
    return status;
}

static void spoil_height(DnnData *d)
{
    d->dst.h--;
}

static void spoil_stride(DnnData *d)
{
    d->c.stride = 2;
}

static void spoil_padding(DnnData *d)
{
    d->c.post[1] = 0;
}

static void spoil_batch(DnnData *d)
{
    d->dst.n = 2;
}

static void spoil_outputs(DnnData *d)
{
    d->dst.c--;
}

static void spoil_inputs(DnnData *d)
{
    d->filter.c--;
}

static void spoil_groups(DnnData *d)
{
    d->filter.c = 16;
    d->filter.n = d->dst.c = 47;
}

static void spoil_filter(DnnData *d)
{
    d->filter.gap = 8;
}

static void spoil_overlap(DnnData *d)
{
    d->src.gap = -16;
}

static void spoil_kernel(DnnData *d)
{
    d->filter.h = 40;
    d->dst.h = 1;
}

START_TEST(operations_that_do_not_fit)
{
    static void (*const spoils[])(DnnData *) = {
        spoil_height, spoil_stride, spoil_padding, spoil_batch,   spoil_outputs,
        spoil_inputs, spoil_groups, spoil_filter,  spoil_overlap, spoil_kernel};

    for (size_t i = 0; i < G_N_ELEMENTS(spoils); i++)
        dnn_must_fail(finalize_spoiled(spoils[i]), CUDNN_STATUS_BAD_PARAM);
}
END_TEST

START_TEST(descriptors_that_come_too_early)
{
    DnnData data = dnn_common_data(true);
    cudnnBackendDescriptor_t operation = dnn_make_operation(&data, 16, CUDNN_DATA_FLOAT);
    cudnnBackendDescriptor_t graph = dnn_make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    cudnnBackendDescriptor_t heuristics = dnn_make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;

    dnn_must_fail(cudnnBackendSetAttribute(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS,
                                           CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operation),
                  CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
    dnn_must_fail(cudnnBackendFinalize(graph), CUDNN_STATUS_BAD_PARAM);
    dnn_must(cudnnBackendFinalize(operation));
    dnn_set_descriptor(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    dnn_set_descriptor(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    dnn_must(cudnnBackendSetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE,
                                      CUDNN_TYPE_HEUR_MODE, 1, &mode));
    dnn_must(cudnnBackendFinalize(graph)); /* too late: it was copied */
    dnn_must_fail(cudnnBackendFinalize(heuristics), CUDNN_STATUS_BAD_PARAM);
    dnn_drop(operation);
    dnn_drop(graph);
    dnn_drop(heuristics);
    dnn_data_clear(&data);
}
END_TEST

START_TEST(layouts_and_engines_that_are_not_there)
{
    DnnData data = dnn_common_data(true);
    cudnnBackendDescriptor_t graph = dnn_make_finalized_graph(&data);

    for (int i = 0; i < 3; i++) {
        static const int64_t numbers[] = {-1, 999, DNN_ENGINE_DOWN_CONVERT};
        cudnnBackendDescriptor_t engine = dnn_make_engine(graph, numbers[i]);
        dnn_must_fail(cudnnBackendFinalize(engine), CUDNN_STATUS_NOT_SUPPORTED);
        dnn_drop(engine);
    }
    dnn_drop(graph);
    cudnnBackendDescriptor_t plan = dnn_make_plan(&data, DNN_ENGINE_COMPILED);
    dnn_must_fail(cudnnBackendFinalize(plan),
                  CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING);
    dnn_drop(plan);
    data.src.turned = true; /* the real library takes any order of dimensions */
    graph = dnn_make_graph(&data, 16, CUDNN_DATA_FLOAT);
    dnn_must_fail(cudnnBackendFinalize(graph), CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
    dnn_drop(graph);
    dnn_data_clear(&data);
}
END_TEST

/* The real library does not check these. */
START_TEST(packs_that_do_not_fit)
{
    DnnData data = dnn_common_data(true);
    char *x = data.src.memory, *w = data.filter.memory, *y = data.dst.memory;
    cudnnBackendDescriptor_t plan = dnn_make_plan(&data, DNN_ENGINE_GEMM);
    cudnnHandle_t handle;
    char *workspace;

    dnn_must(cudnnCreate(&handle));
    dnn_must(cudnnBackendFinalize(plan));
    workspace = aligned_alloc(64, (dnn_workspace_of(plan) + 127) / 64 * 64);
    const struct {
        void *x, *w, *y, *workspace;
        cudnnStatus_t expected;
    } packs[] = {
        {x + 8, w, y, workspace, CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER},
        {x, NULL, y, workspace, CUDNN_STATUS_BAD_PARAM_NULL_POINTER},
        {x, w, y, NULL, CUDNN_STATUS_BAD_PARAM_NULL_POINTER},
        {x, w, y, workspace + 4, CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER},
        {x, w, x + 64, workspace, CUDNN_STATUS_BAD_PARAM},
        {x, w, y, y + 16, CUDNN_STATUS_BAD_PARAM},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(packs); i++) {
        cudnnBackendDescriptor_t pack =
            dnn_make_pack(packs[i].x, packs[i].w, packs[i].y, packs[i].workspace);
        dnn_must_fail(cudnnBackendExecute(handle, plan, pack), packs[i].expected);
        dnn_drop(pack);
    }

    for (int wrong = 0; wrong < 3; wrong++) {
        cudnnBackendDescriptor_t pack = dnn_make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        int64_t uids[] = {DNN_UID_X, DNN_UID_W, wrong == 0 ? DNN_UID_W : 99};
        void *pointers[] = {x, w, y};
        dnn_must(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
                                          CUDNN_TYPE_INT64, 3, uids));
        dnn_must(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                                          CUDNN_TYPE_VOID_PTR, wrong == 2 ? 2 : 3,
                                          pointers));
        dnn_must_fail(cudnnBackendExecute(handle, plan, pack),
                      CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
        if (wrong == 2) {
            dnn_must_fail(cudnnBackendFinalize(pack), CUDNN_STATUS_BAD_PARAM);
        } else {
            dnn_must(cudnnBackendFinalize(pack));
            dnn_must_fail(cudnnBackendExecute(handle, plan, pack),
                          CUDNN_STATUS_BAD_PARAM);
        }
        dnn_drop(pack);
    }
    ck_assert_uint_eq(cudnnSimulatedExecutions(), 0);
    free(workspace);
    dnn_drop(plan);
    dnn_must(cudnnDestroy(handle));
    dnn_data_clear(&data);
}
END_TEST

/* ---- what tests ask for ------------------------------------------------------------ */

START_TEST(failures_come_when_asked_for)
{
    DnnData data = dnn_common_data(true);
    cudnnBackendDescriptor_t plan = dnn_make_plan(&data, DNN_ENGINE_PLAIN);
    cudnnBackendDescriptor_t pack = dnn_make_pack_of(&data, NULL);
    cudnnHandle_t handle;

    ck_assert_uint_eq(cudnnGetVersion(), 91900);
    cudnnSimulatedSetVersion(80907);
    ck_assert_uint_eq(cudnnGetVersion(), 80907);
    dnn_must(cudnnBackendFinalize(plan));
    cudnnSimulatedFailCreate(1);
    dnn_must_fail(cudnnCreate(&handle), CUDNN_STATUS_NOT_INITIALIZED);
    dnn_must(cudnnCreate(&handle));
    cudnnSimulatedFailExecute(3);
    for (int i = 1; i < 6; i++)
        if (i == 3)
            dnn_must_fail(cudnnBackendExecute(handle, plan, pack),
                          CUDNN_STATUS_EXECUTION_FAILED);
        else
            dnn_must(cudnnBackendExecute(handle, plan, pack));
    ck_assert_uint_eq(cudnnSimulatedExecutions(), 4);
    dnn_drop(pack);
    dnn_drop(plan);
    dnn_must(cudnnDestroy(handle));
    dnn_must_fail(cudnnDestroy(handle), CUDNN_STATUS_BAD_PARAM);
    ck_assert_uint_eq(cudnnSimulatedLive(), 0);
    dnn_data_clear(&data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-simulated-cudnn-refusals");
    TCase *tcase = tcase_create("cuda-simulated-cudnn-refusals");

    tcase_add_test(tcase, order_and_types_of_attributes);
    tcase_add_test(tcase, tensors_that_are_not_whole);
    tcase_add_test(tcase, operations_that_do_not_fit);
    tcase_add_test(tcase, descriptors_that_come_too_early);
    tcase_add_test(tcase, layouts_and_engines_that_are_not_there);
    tcase_add_test(tcase, packs_that_do_not_fit);
    tcase_add_test(tcase, failures_come_when_asked_for);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
