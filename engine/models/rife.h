/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of RIFE: the table of its networks, and the parts that several of
 * them are made of. */
#pragma once

#include "model/family.h"

#define VFI_RIFE_MAX_BLOCKS 5

/* The network that makes features of one frame, once for all pairs: convolutions from 3
 * channels at 1/2 of the size, then a transposed one back to it. Told apart by its
 * keys. */
typedef enum {
    VFI_RIFE_NO_HEAD,
    VFI_RIFE_HEAD_2,   /* encode.0, encode.1: two layers, no activation */
    VFI_RIFE_HEAD_SEQ, /* encode.0, .2, .4, .6: four, leaky ReLU between */
    VFI_RIFE_HEAD_CNN, /* encode.cnn0 … cnn3: the same */
} VfiRifeHead;

typedef enum {
    VFI_RIFE_PRELU, /* slopes in the checkpoint */
    VFI_RIFE_LEAKY, /* 0.2 */
} VfiRifeActivation;

/* The eight convolutions in the middle of a block. */
typedef enum {
    VFI_RIFE_BODY_NONE,
    VFI_RIFE_BODY_SKIP,  /* and a skip over all of them */
    VFI_RIFE_BODY_PLAIN, /* without */
    VFI_RIFE_BODY_RES,   /* each with its own: activation(conv(x)·beta + x) */
} VfiRifeBody;

/* The effect of a block's mask on the one before it. */
typedef enum { VFI_RIFE_MASK_ADDS, VFI_RIFE_MASK_REPLACES } VfiRifeMask;

/* The input of the blocks after the first. */
typedef enum {
    VFI_RIFE_SEES_WARPED, /* warped frames and features */
    VFI_RIFE_SEES_BOTH,   /* the frames as they are, too, and before those */
} VfiRifeView;

/* The context network and U-Net that correct the result in RGB. */
typedef enum {
    VFI_RIFE_NEVER_REFINES,
    VFI_RIFE_MAY_REFINE, /* option refine */
    VFI_RIFE_REFINES,
} VfiRifeRefinement;

/* One network: a row of the table, all that the versions of RIFE differ in. */
typedef struct {
    const char *name; /* of the first version that has it */
    VfiTimeMode time; /* ANY: the time is among the inputs */
    int n_blocks;
    int width[VFI_RIFE_MAX_BLOCKS];
    int scale[VFI_RIFE_MAX_BLOCKS]; /* its author's, at flow scale 1 */
    VfiRifeHead head;
    int head_width, head_channels;
    VfiRifeActivation activation;
    VfiRifeBody body;
    int groups; /* of the body's convolutions */
    int last; /* channels of the last layer; if more than 5, four per channel shuffled */
    VfiRifeMask mask;
    VfiRifeView view;
    VfiRifeRefinement refinement;
    bool can_ensemble;
    bool restarts; /* with doubled scales if the motion is large */
} VfiRifeNetwork;

/* Channels that a block hands to the next one beside flow (4) and mask (1). */
int vfi_rife_features(const VfiRifeNetwork *network);

/* The row that a variant means; NULL for 3.2 … 3.8, which have a builder of their own. */
const VfiRifeNetwork *vfi_rife_network(int variant);

/* block0.… for blocks.0.…; NULL for all other names. */
char *vfi_rife_canonical_name(const char *name);

/* Rows of the table, and 3.2 … 3.8. */
#define VFI_RIFE_VARIANTS 21
const char *vfi_rife_variant_name(int variant);

VfiDetection vfi_rife_detect(const VfiCheckpoint *checkpoint);

/* The pair as a graph of full padded size sees it. */
typedef struct {
    VfiGraph *graph;
    VfiValue image[2];
    int height, width;
} VfiRife;

/* The output of a block: flow (4 channels: dx0, dy0, dx1, dy1 in pixels), mask (1, before
 * the sigmoid), features or VFI_NO_VALUE; all of full size. */
typedef struct {
    VfiValue flow, mask, features;
} VfiRifeDelta;

VfiRife vfi_rife_begin(VfiGraph *graph);

/* The flows with the roles of the two frames exchanged. */
VfiValue vfi_rife_swap_flow(VfiGraph *graph, VfiValue flow);

/* @x, an image or features of frame @frame, warped by its half of @flow. */
VfiValue vfi_rife_warp(VfiGraph *graph, VfiValue x, int frame, VfiValue flow);

/* Mean of a delta and the swapped frames' delta seen from here. */
VfiRifeDelta vfi_rife_average(VfiGraph *graph, VfiRifeDelta delta, VfiRifeDelta reversed);

/* The time plane at 1/scale (resizing a constant plane changes nothing); @reversed: 1 -
 * t. */
VfiValue vfi_rife_time(const VfiRife *rife, double scale, bool reversed);

/* The input of a block at 1/scale: @inputs resized, then the flow, unless it is
 * VFI_NO_VALUE, resized and its pixels rescaled. */
VfiValue vfi_rife_block_input(const VfiRife *rife, const VfiValue *inputs, int n,
                              VfiValue flow, double scale);

VfiValue vfi_rife_activate(VfiGraph *graph, VfiValue x, VfiRifeActivation activation,
                           const char *prelu);

/* conv() of all RIFE networks: @prefix.0 a 3×3 convolution, @prefix.1 its PReLU. */
VfiValue vfi_rife_conv(VfiGraph *graph, VfiValue x, const char *prefix, int out,
                       int stride, VfiRifeActivation activation);

/* conv0 of every block: two of stride 2, n → c/2 → c, to 1/4 of the block's size. */
VfiValue vfi_rife_conv0(VfiGraph *graph, VfiValue x, int block, int c,
                        VfiRifeActivation activation);

/* By how much the input of each block is shrunk at flow scale 1: the network's own
 * scales, or what the option pyramid says, which is for networks of five blocks. */
const int *vfi_rife_scales(const VfiRifeNetwork *network, const VfiModelSetup *setup);

/* Whether the result is corrected in RGB. */
bool vfi_rife_refines(const VfiModelSetup *setup);

/* The per-frame stage; false where the network has none. */
bool vfi_rife_build_frame(VfiGraph *graph, const VfiRifeNetwork *network, bool refine);

void vfi_rife_build_time(VfiGraph *graph, const VfiRifeNetwork *network,
                         const VfiModelSetup *setup, double flow_scale);

/* The segment after @segment of a network that restarts. */
int vfi_rife_next_segment(int segment, const float *scalars);

/* 3.2 … 3.8. */
#define VFI_RIFE_V3_COARSEST 4
void vfi_rife_v3_build_time(VfiGraph *graph, const VfiModelSetup *setup,
                            double flow_scale);
