/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cudnn_case.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/f16.h"

static int dst_size(const DnnCase *c, int in, int kernel, int dim)
{
    int pads = c->pre[dim] + c->post[dim];

    return c->transposed ? (in - 1) * c->stride - pads + kernel
                         : (in + pads - kernel) / c->stride + 1;
}

size_t dnn_picture_elements(const DnnPicture *p)
{
    size_t pixel = (size_t)p->c, row = (size_t)p->w;

    *(p->planar ? &row : &pixel) += (size_t)p->gap;
    return (size_t)p->n * (size_t)p->h * row * pixel;
}

float dnn_as_stored(float value, bool half)
{
    return half ? vfi_float_from_f16(vfi_f16_from_float(value)) : value;
}

void dnn_picture_to_memory(DnnPicture *p)
{
    for (size_t i = 0; i < dnn_picture_elements(p); i++)
        if (p->half)
            ((uint16_t *)p->memory)[i] = vfi_f16_from_float(p->values[i]);
        else
            ((float *)p->memory)[i] = p->values[i];
}

float dnn_picture_result(const DnnPicture *p, size_t i)
{
    return p->half ? vfi_float_from_f16(((const uint16_t *)p->memory)[i])
                   : ((const float *)p->memory)[i];
}

/* Gives the picture memory and random values. */
static DnnPicture picture_new(GRand *random, DnnPicture p)
{
    size_t elements = dnn_picture_elements(&p), bytes = elements * (p.half ? 2 : 4);

    p.values = g_new(float, elements);
    p.memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    for (size_t i = 0; i < elements; i++)
        p.values[i] =
            dnn_as_stored((float)g_rand_double_range(random, -1.0, 1.0), p.half);
    dnn_picture_to_memory(&p);
    return p;
}

static void picture_clear(DnnPicture *p)
{
    g_free(p->values);
    free(p->memory);
}

DnnData dnn_data_new(const DnnCase *c)
{
    GRand *random = g_rand_new_with_seed(5);
    DnnData data = {.c = *c};
    int batch = c->batch != 0 ? c->batch : 1;
    int k = c->transposed ? c->src_c : c->dst_c, in = c->transposed ? c->dst_c : c->src_c;

    data.c.alpha = c->alpha != 0.0 ? c->alpha : 1.0;
    data.src = picture_new(random, (DnnPicture){.n = batch,
                                                .c = c->src_c,
                                                .h = c->src_h,
                                                .w = c->src_w,
                                                .gap = c->src_gap,
                                                .half = c->half,
                                                .planar = c->src_planar});
    data.filter = picture_new(random, (DnnPicture){.n = k,
                                                   .c = in / c->groups,
                                                   .h = c->kernel_h,
                                                   .w = c->kernel_w,
                                                   .half = c->half,
                                                   .planar = c->filter_planar});
    data.dst =
        picture_new(random, (DnnPicture){.n = batch,
                                         .c = c->dst_c,
                                         .h = dst_size(c, c->src_h, c->kernel_h, 0),
                                         .w = dst_size(c, c->src_w, c->kernel_w, 1),
                                         .gap = c->dst_gap,
                                         .half = c->half,
                                         .planar = c->dst_planar});
    g_rand_free(random);
    return data;
}

void dnn_data_clear(DnnData *data)
{
    picture_clear(&data->src);
    picture_clear(&data->filter);
    picture_clear(&data->dst);
}

DnnData dnn_common_data(bool half)
{
    DnnCase c = {.half = half,
                 .src_c = 32,
                 .src_h = 21,
                 .src_w = 30,
                 .dst_c = 48,
                 .kernel_h = 3,
                 .kernel_w = 3,
                 .stride = 1,
                 .groups = 1,
                 .pre = {1, 1},
                 .post = {1, 1}};

    return dnn_data_new(&c);
}

/* ---- the definition ---------------------------------------------------------------- */

static size_t element(const DnnPicture *p, int n, int c, int y, int x)
{
    if (p->planar)
        return (((size_t)n * (size_t)p->c + (size_t)c) * (size_t)p->h + (size_t)y) *
                   (size_t)(p->w + p->gap) +
               (size_t)x;
    return (((size_t)n * (size_t)p->h + (size_t)y) * (size_t)p->w + (size_t)x) *
               (size_t)(p->c + p->gap) +
           (size_t)c;
}

static float filter_at(const DnnData *d, int k, int c, int ky, int kx)
{
    const DnnPicture *f = &d->filter;

    if (d->c.flipped) {
        ky = f->h - 1 - ky;
        kx = f->w - 1 - kx;
    }
    return f->values[element(f, k, c, ky, kx)];
}

/* One element of the result; *size is the sum of the products' magnitudes. */
static double expect(const DnnData *d, int n, int o, int y, int x, double *size)
{
    const DnnCase *c = &d->c;
    int in_group = c->src_c / c->groups, out_group = c->dst_c / c->groups;
    int group = o / out_group;
    double sum = 0.0;

    *size = 0.0;
    for (int i = 0; i < in_group; i++)
        for (int ky = 0; ky < c->kernel_h; ky++)
            for (int kx = 0; kx < c->kernel_w; kx++) {
                int sy = y * c->stride - c->pre[0] + ky,
                    sx = x * c->stride - c->pre[1] + kx;
                float w;
                if (c->transposed) {
                    sy = y + c->pre[0] - ky;
                    sx = x + c->pre[1] - kx;
                    if (sy % c->stride != 0 || sx % c->stride != 0)
                        continue;
                    sy /= c->stride;
                    sx /= c->stride;
                    w = filter_at(d, group * in_group + i, o % out_group, ky, kx);
                } else {
                    w = filter_at(d, o, i, ky, kx);
                }
                if (sy < 0 || sx < 0 || sy >= c->src_h || sx >= c->src_w)
                    continue;
                double product =
                    (double)w *
                    d->src.values[element(&d->src, n, group * in_group + i, sy, sx)];
                sum += product;
                *size += fabs(product);
            }
    return sum;
}

/* Checks every element; those in gaps must not have changed. */
void dnn_check_result(const DnnData *d)
{
    const DnnPicture *p = &d->dst;
    int c_end = p->c + (p->planar ? 0 : p->gap), x_end = p->w + (p->planar ? p->gap : 0);

    for (int n = 0; n < p->n; n++)
        for (int y = 0; y < p->h; y++)
            for (int x = 0; x < x_end; x++)
                for (int c = 0; c < c_end; c++) {
                    size_t i = element(p, n, c, y, x);
                    double size, before = (double)p->values[i], wanted = before;
                    float found = dnn_picture_result(p, i);
                    double allowed = 0.0;
                    if (c < p->c && x < p->w) {
                        wanted = d->c.alpha * expect(d, n, c, y, x, &size) +
                                 d->c.beta * before;
                        allowed = 4e-6 * (size + 1.0) +
                                  (d->c.half ? 0x1p-11 * fabs(wanted) : 0.0);
                    }
                    if (!(fabs((double)found - wanted) <= allowed))
                        ck_abort_msg("%d %d %d %d: %g, expected %g within %g", n, c, y, x,
                                     (double)found, wanted, allowed);
                }
}

/* ---- descriptors ------------------------------------------------------------------- */

void dnn_must(cudnnStatus_t status)
{
    char text[512];

    if (status == CUDNN_STATUS_SUCCESS)
        return;
    cudnnGetLastErrorString(text, sizeof text);
    ck_abort_msg("%s: %s", cudnnGetErrorString(status), text);
}

/* The call failed with @expected, and cuDNN says why. */
void dnn_must_fail(cudnnStatus_t status, cudnnStatus_t expected)
{
    char text[512];

    cudnnGetLastErrorString(text, sizeof text);
    if (status != expected)
        ck_abort_msg("%s, expected %s: %s", cudnnGetErrorString(status),
                     cudnnGetErrorString(expected), text);
    ck_assert(text[0] != '\0');
}

cudnnBackendDescriptor_t dnn_make(cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t descriptor;

    dnn_must(cudnnBackendCreateDescriptor(type, &descriptor));
    return descriptor;
}

void dnn_drop(cudnnBackendDescriptor_t descriptor)
{
    dnn_must(cudnnBackendDestroyDescriptor(descriptor));
}

void dnn_set_number(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                    int64_t number)
{
    dnn_must(cudnnBackendSetAttribute(to, name, CUDNN_TYPE_INT64, 1, &number));
}

static void set_pair(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                     int first, int second)
{
    int64_t pair[] = {first, second};

    dnn_must(cudnnBackendSetAttribute(to, name, CUDNN_TYPE_INT64, 2, pair));
}

void dnn_set_descriptor(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                        cudnnBackendDescriptor_t descriptor)
{
    dnn_must(cudnnBackendSetAttribute(to, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                      &descriptor));
}

cudnnBackendDescriptor_t dnn_make_tensor(const DnnPicture *p, int64_t uid,
                                         int64_t alignment)
{
    cudnnBackendDescriptor_t tensor = dnn_make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    int64_t dims[] = {p->n, p->c, p->h, p->w};
    int64_t pixel = p->c + p->gap, row = p->w + p->gap;
    int64_t channels_last[] = {p->h * p->w * pixel, 1, p->w * pixel, pixel};
    int64_t planar[] = {p->c * p->h * row, p->h * row, row, 1};
    int64_t turned[] = {p->c * p->h * row, p->h * row, 1, p->h};
    const int64_t *strides = p->turned ? turned : p->planar ? planar : channels_last;
    cudnnDataType_t type = p->half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;

    dnn_must(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_DATA_TYPE,
                                      CUDNN_TYPE_DATA_TYPE, 1, &type));
    dnn_must(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_DIMENSIONS,
                                      CUDNN_TYPE_INT64, 4, dims));
    dnn_must(cudnnBackendSetAttribute(tensor, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
                                      4, strides));
    dnn_set_number(tensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, uid);
    dnn_set_number(tensor, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment);
    dnn_must(cudnnBackendFinalize(tensor));
    return tensor;
}

static cudnnBackendDescriptor_t make_convolution(const DnnCase *c, cudnnDataType_t sums)
{
    cudnnBackendDescriptor_t convolution = dnn_make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    cudnnConvolutionMode_t mode =
        c->flipped ? CUDNN_CONVOLUTION : CUDNN_CROSS_CORRELATION;

    dnn_must(cudnnBackendSetAttribute(convolution, CUDNN_ATTR_CONVOLUTION_COMP_TYPE,
                                      CUDNN_TYPE_DATA_TYPE, 1, &sums));
    dnn_must(cudnnBackendSetAttribute(convolution, CUDNN_ATTR_CONVOLUTION_CONV_MODE,
                                      CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    dnn_set_number(convolution, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
    set_pair(convolution, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, c->pre[0], c->pre[1]);
    set_pair(convolution, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, c->post[0], c->post[1]);
    set_pair(convolution, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, c->stride, c->stride);
    set_pair(convolution, CUDNN_ATTR_CONVOLUTION_DILATIONS, 1, 1);
    dnn_must(cudnnBackendFinalize(convolution));
    return convolution;
}

/* Not finalized. Its parts are destroyed already: it has copies. */
cudnnBackendDescriptor_t dnn_make_operation(const DnnData *d, int64_t alignment,
                                            cudnnDataType_t sums)
{
    const DnnCase *c = &d->c;
    cudnnBackendDescriptor_t operation = dnn_make(
        c->transposed ? CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR
                      : CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    cudnnBackendDescriptor_t x =
        dnn_make_tensor(c->transposed ? &d->dst : &d->src, DNN_UID_X, alignment);
    cudnnBackendDescriptor_t w = dnn_make_tensor(&d->filter, DNN_UID_W, alignment);
    cudnnBackendDescriptor_t y =
        dnn_make_tensor(c->transposed ? &d->src : &d->dst, DNN_UID_Y, alignment);
    cudnnBackendDescriptor_t convolution = make_convolution(c, sums);
    float alpha = (float)c->alpha, beta = (float)c->beta;

    dnn_set_descriptor(operation,
                       c->transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX
                                     : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                       x);
    dnn_set_descriptor(operation,
                       c->transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W
                                     : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                       w);
    dnn_set_descriptor(operation,
                       c->transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY
                                     : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                       y);
    dnn_set_descriptor(operation,
                       c->transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC
                                     : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                       convolution);
    dnn_must(cudnnBackendSetAttribute(
        operation,
        c->transposed ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA
                      : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
        CUDNN_TYPE_FLOAT, 1, &alpha));
    dnn_must(cudnnBackendSetAttribute(operation,
                                      c->transposed
                                          ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA
                                          : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                                      CUDNN_TYPE_FLOAT, 1, &beta));
    dnn_drop(x);
    dnn_drop(w);
    dnn_drop(y);
    dnn_drop(convolution);
    return operation;
}

/* Not finalized. */
cudnnBackendDescriptor_t dnn_make_graph(const DnnData *d, int64_t alignment,
                                        cudnnDataType_t sums)
{
    cudnnBackendDescriptor_t operation = dnn_make_operation(d, alignment, sums);
    cudnnBackendDescriptor_t graph = dnn_make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);

    dnn_must(cudnnBackendFinalize(operation));
    dnn_set_descriptor(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    dnn_drop(operation);
    return graph;
}

cudnnBackendDescriptor_t dnn_make_finalized_graph(const DnnData *d)
{
    cudnnBackendDescriptor_t graph = dnn_make_graph(d, 16, CUDNN_DATA_FLOAT);

    dnn_must(cudnnBackendFinalize(graph));
    return graph;
}

/* Not finalized. */
cudnnBackendDescriptor_t dnn_make_engine(cudnnBackendDescriptor_t graph, int64_t index)
{
    cudnnBackendDescriptor_t engine = dnn_make(CUDNN_BACKEND_ENGINE_DESCRIPTOR);

    dnn_set_descriptor(engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph);
    dnn_set_number(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, index);
    return engine;
}

/* Not finalized. */
cudnnBackendDescriptor_t dnn_make_plan(const DnnData *d, int64_t index)
{
    cudnnBackendDescriptor_t graph = dnn_make_finalized_graph(d);
    cudnnBackendDescriptor_t engine = dnn_make_engine(graph, index);
    cudnnBackendDescriptor_t config = dnn_make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    cudnnBackendDescriptor_t plan = dnn_make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);

    dnn_must(cudnnBackendFinalize(engine));
    dnn_set_descriptor(config, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
    dnn_must(cudnnBackendFinalize(config));
    dnn_set_descriptor(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    dnn_drop(graph);
    dnn_drop(engine);
    dnn_drop(config);
    return plan;
}

cudnnBackendDescriptor_t dnn_make_pack(void *x, void *w, void *y, void *workspace)
{
    cudnnBackendDescriptor_t pack = dnn_make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    int64_t uids[] = {DNN_UID_Y, DNN_UID_X, DNN_UID_W};
    void *pointers[] = {y, x, w};

    dnn_must(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
                                      CUDNN_TYPE_INT64, 3, uids));
    dnn_must(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                                      CUDNN_TYPE_VOID_PTR, 3, pointers));
    dnn_must(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE,
                                      CUDNN_TYPE_VOID_PTR, 1, &workspace));
    dnn_must(cudnnBackendFinalize(pack));
    return pack;
}

cudnnBackendDescriptor_t dnn_make_pack_of(const DnnData *d, void *workspace)
{
    void *src = d->src.memory, *dst = d->dst.memory;

    return dnn_make_pack(d->c.transposed ? dst : src, d->filter.memory,
                         d->c.transposed ? src : dst, workspace);
}

size_t dnn_workspace_of(cudnnBackendDescriptor_t plan)
{
    int64_t bytes = -1, count = -1;

    dnn_must(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                      CUDNN_TYPE_INT64, 1, &count, &bytes));
    ck_assert(count == 1 && bytes >= 0);
    return (size_t)bytes;
}

/* Guard bytes after a workspace. */
#define GUARD 64

void dnn_run(const DnnData *d, int64_t engine)
{
    cudnnBackendDescriptor_t plan = dnn_make_plan(d, engine);
    cudnnHandle_t handle;

    dnn_must(cudnnCreate(&handle));
    dnn_must(cudnnBackendFinalize(plan));
    size_t bytes = dnn_workspace_of(plan);
    unsigned char *workspace = aligned_alloc(64, (bytes + GUARD + 63) / 64 * 64);
    memset(workspace, 0x11, bytes + GUARD);
    cudnnBackendDescriptor_t pack = dnn_make_pack_of(d, bytes > 0 ? workspace : NULL);
    dnn_must(cudnnBackendExecute(handle, plan, pack));
    for (size_t i = 0; i < bytes + GUARD; i++)
        if (workspace[i] != (i < bytes ? 0xff : 0x11))
            ck_abort_msg("byte %zu of a workspace of %zu is %d", i, bytes, workspace[i]);
    free(workspace);
    dnn_drop(pack);
    dnn_drop(plan);
    dnn_must(cudnnDestroy(handle));
}
