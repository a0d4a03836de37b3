/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model's weights in host memory: contiguous f32 tensors by state-dict name, converted
 * once from the checkpoint. Immutable after loading, but for their packed forms. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include <vfi/checkpoint.h>

#include "weights/packed_weights.h"

typedef struct VfiWeights VfiWeights;

typedef struct {
    const char *name;
    int n_dims;
    int64_t shape[VFI_MAX_DIMS];
    size_t n_elements;
    const float *data; /* 64-byte aligned */
} VfiWeight;

/* Whether the tensor of that name belongs to the model as it will run. */
typedef bool (*VfiWeightFilter)(const char *name, void *user_data);

/* Bytes that vfi_weights_load() would take. */
uint64_t vfi_weights_need(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                          void *user_data);

/* vfi_weights_load() without data: names and shapes, to find out what a checkpoint is.
 * Nothing is read; .data is NULL. */
VfiWeights *vfi_weights_describe(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                                 void *user_data);

/* How many tensors there are. */
size_t vfi_weights_count(const VfiWeights *weights);

/* Reads every tensor that @wanted accepts (NULL: all). NULL with an error of
 * vfi_checkpoint_read(). */
VfiWeights *vfi_weights_load(const VfiCheckpoint *checkpoint, VfiWeightFilter wanted,
                             void *user_data, GError **error);

/* The name of a tensor that has an infinite element or a NaN, or NULL. */
const char *vfi_weights_find_nonfinite(const VfiWeights *weights);

void vfi_weights_free(VfiWeights *weights);

/* While nobody else sees the weights yet: gives tensors the names that @rename says
 * (g_free(); NULL: it keeps its name). Where two would have one name, one is dropped. */
void vfi_weights_rename(VfiWeights *weights, char *(*rename)(const char *name));

/* The same for scaled convolutions, y = conv(x) · s: multiplies tensors P.@conv.weight
 * and P.@conv.bias by P.@scale, one factor per output channel, wherever there are all
 * three and their shapes fit. P.@scale stays, so that graphs can tell whether it was
 * there. */
void vfi_weights_fold_scale(VfiWeights *weights, const char *scale, const char *conv);

/* The same for convolutions in front of a batch normalisation, as layers P.N-1 and P.N of
 * a sequence: y = (conv(x) - running_mean) / sqrt(running_var + @epsilon) · weight + bias
 * (Ioffe and Szegedy, 2015) becomes a convolution. The normalisation's tensors stay. */
void vfi_weights_fold_batch_norm(VfiWeights *weights, double epsilon);

/* The tensor of that name, or NULL. */
const VfiWeight *vfi_weights_find(const VfiWeights *weights, const char *name);

/* The store of the tensors' packed forms; lives as long as these. */
VfiPackedWeights *vfi_weights_packed(const VfiWeights *weights);

size_t vfi_weights_n_parameters(const VfiWeights *weights);
size_t vfi_weights_bytes(const VfiWeights *weights);

/* "64x3x3x3" for messages; free with g_free(). */
char *vfi_shape_to_string(const int64_t *shape, int n_dims);
