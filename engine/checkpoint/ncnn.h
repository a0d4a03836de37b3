/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of ncnn: a text file of layers (.param) and a file of their weights (.bin),
 * which has neither names nor shapes. ncnn_param.c reads the former, ncnn_bin.c gives
 * each layer its part of the latter, ncnn_rife.c finds out which tensors of RIFE's state
 * dict they are. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

#include "checkpoint/growing.h"
#include "checkpoint/span.h"
#include "checkpoint/tensor_list.h"

/* Layers with weights. */
typedef enum {
    VFI_NCNN_CONV,   /* 3×3, padding 1; weights [out][in/groups][3][3] */
    VFI_NCNN_DECONV, /* 4×4, stride 2, padding 1; weights [out][in][4][4] */
    VFI_NCNN_PRELU,  /* a slope per channel */
    VFI_NCNN_MEMORY, /* constants; in RIFE the betas of residual layers */
} VfiNcnnKind;

typedef struct {
    VfiNcnnKind kind;
    size_t number;  /* in the file, from 1 */
    VfiSpan name;   /* in the file */
    int64_t in;     /* channels; of convolutions */
    int64_t out;    /* channels, slopes, or constants */
    int64_t stride; /* of convolutions */
    int64_t groups; /* of convolutions */
    bool leaky;     /* a leaky ReLU of 0.2 is part of the layer */
    bool flagged;   /* the type of the first weights precedes them */
    /* 1 + the index of the constant that a convolution's result is multiplied by; 0: the
     * graph does not say. */
    size_t beta;
    VfiDType dtype; /* of the first weights; biases are f32 */
    VfiSpan weights, bias;
} VfiNcnnLayer;

/* "layer 12 \"conv_20\"" */
VfiQuote vfi_ncnn_layer_name(const VfiNcnnLayer *layer);

/* Fills @layers (of VfiNcnnLayer) with the layers of @text that have weights, in order,
 * and finds along the blobs which constant belongs to which convolution. A layer that no
 * network of RIFE has is VFI_ERROR_UNSUPPORTED. */
bool vfi_ncnn_read_param(VfiSpan text, VfiGrowing *layers, GError **error);

/* Bytes that the weights of @layers have at most: as f32, all flagged and padded. */
uint64_t vfi_ncnn_max_weight_bytes(const VfiGrowing *layers);

/* Sets dtype, weights and bias of all @layers. @file must have just as many bytes. */
bool vfi_ncnn_place_weights(VfiSpan file, VfiGrowing *layers, GError **error);

/* Adds the tensors of @layers to @list, by their names in RIFE's state dict. Says at
 * which layer the network is none of RIFE 3.9 to 4.26. */
bool vfi_ncnn_add_rife(const VfiGrowing *layers, uint64_t file_size, VfiTensorList *list,
                       GError **error);

/* Names a model that was refused, as far as its text and @layers (those that were read)
 * or the names of its files tell: other versions of RIFE, and graphs with more in them.
 * Static; NULL: nothing that is known. */
const char *vfi_ncnn_other_by_layers(VfiSpan text, const VfiGrowing *layers);
const char *vfi_ncnn_other_by_path(const char *param);
