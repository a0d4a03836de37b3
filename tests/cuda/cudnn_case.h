/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions for tests of the simulated cuDNN: data, descriptors, and the
 * definition. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "simulated_cudnn.h"

enum { DNN_UID_X = 11, DNN_UID_W = 12, DNN_UID_Y = 13 };
enum {
    DNN_ENGINE_PLAIN = 0,
    DNN_ENGINE_GEMM = 1,
    DNN_ENGINE_VARYING = 30,
    DNN_ENGINE_DOWN_CONVERT = 31
};
enum { DNN_ENGINE_TENSOR_CORE = 45, DNN_ENGINE_SPLIT = 52, DNN_ENGINE_COMPILED = 60 };

/* Forward: from x to y. Transposed: from dy to dx, which are src and dst here. */
typedef struct {
    bool transposed, half, flipped;
    int src_c, src_h, src_w, dst_c;
    int kernel_h, kernel_w, stride, groups;
    int pre[2], post[2];
    int src_gap, dst_gap; /* by how much pixel strides exceed the channels */
    double alpha, beta;   /* alpha 0: 1 */
    int batch;            /* 0: 1 */
    bool src_planar, filter_planar, dst_planar; /* gaps are then after rows */
} DnnCase;

typedef struct {
    int n, c, h, w;
    int gap;       /* elements after a pixel's channels, or after a plane's row */
    float *values; /* [n][h][w][c + gap]; planar: [n][c][h][w + gap] */
    void *memory;  /* the same on the device, aligned */
    bool half, planar;
    bool turned; /* described as planes of columns, not of rows */
} DnnPicture;

typedef struct {
    DnnCase c;
    DnnPicture src, filter, dst; /* filter: n is K */
} DnnData;

/* Random values (of dst, too), which are the same for the same case. Free with
 * dnn_data_clear(). */
DnnData dnn_data_new(const DnnCase *c);
/* A 3 × 3 convolution that every engine can do. */
DnnData dnn_common_data(bool half);
void dnn_data_clear(DnnData *data);

size_t dnn_picture_elements(const DnnPicture *p);
void dnn_picture_to_memory(DnnPicture *p);
/* Element @i as it is in memory. */
float dnn_picture_result(const DnnPicture *p, size_t i);
/* Rounded to f16 if @half. */
float dnn_as_stored(float value, bool half);

/* Checks every element of dst's memory against the definition of a convolution, where
 * dst's values are those from before; elements in gaps must not have changed. */
void dnn_check_result(const DnnData *d);

/* The call succeeded; it failed with @expected, and cuDNN says why. */
void dnn_must(cudnnStatus_t status);
void dnn_must_fail(cudnnStatus_t status, cudnnStatus_t expected);

cudnnBackendDescriptor_t dnn_make(cudnnBackendDescriptorType_t type);
void dnn_drop(cudnnBackendDescriptor_t descriptor);
void dnn_set_number(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                    int64_t number);
void dnn_set_descriptor(cudnnBackendDescriptor_t to, cudnnBackendAttributeName_t name,
                        cudnnBackendDescriptor_t descriptor);

cudnnBackendDescriptor_t dnn_make_tensor(const DnnPicture *p, int64_t uid,
                                         int64_t alignment);
cudnnBackendDescriptor_t dnn_make_pack(void *x, void *w, void *y, void *workspace);
cudnnBackendDescriptor_t dnn_make_pack_of(const DnnData *d, void *workspace);
cudnnBackendDescriptor_t dnn_make_finalized_graph(const DnnData *d);
/* These are not finalized. Their parts are destroyed already: they have copies. */
cudnnBackendDescriptor_t dnn_make_operation(const DnnData *d, int64_t alignment,
                                            cudnnDataType_t sums);
cudnnBackendDescriptor_t dnn_make_graph(const DnnData *d, int64_t alignment,
                                        cudnnDataType_t sums);
cudnnBackendDescriptor_t dnn_make_engine(cudnnBackendDescriptor_t graph, int64_t index);
cudnnBackendDescriptor_t dnn_make_plan(const DnnData *d, int64_t index);

/* Of a finalized plan. */
size_t dnn_workspace_of(cudnnBackendDescriptor_t plan);

/* Runs it by that engine. The engine must write every byte of its workspace, and none
 * after it. */
void dnn_run(const DnnData *d, int64_t engine);
