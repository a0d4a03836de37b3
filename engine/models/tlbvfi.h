/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of TLBVFI (Lyu et al., "TLB-VFI: Temporal-Aware Latent Brownian
 * Bridge Diffusion for Video Frame Interpolation", ICCV 2025; source: ZonglinL/TLBVFI).
 *
 * An autoencoder makes latents of three frames, the two around the in-between and a blank
 * one in its place, at 1/32 of the size (tlbvfi_encoder.c). A denoiser walks from these
 * to latents in whose middle there is the in-between (tlbvfi_denoiser.c,
 * tlbvfi_schedule.c). A decoder makes a mask and a residual of them (tlbvfi_decoder.c),
 * with features of the two frames, which, like the frames themselves, are warped by
 * optical flow (tlbvfi_flow.c).
 *
 * A volume is the value of three frames, one after the other: the earlier frame, the
 * in-between, the later frame. Sizes below are of the padded picture, h × w. */
#pragma once

#include "model/family.h"

#define VFI_TLBVFI_FRAMES 3

/* Levels of the autoencoder, each of which halves the size. */
#define VFI_TLBVFI_LEVELS 5

/* Channels of a frame in a volume of latents. */
#define VFI_TLBVFI_LATENT 3

/* Channels of the autoencoder's coarsest level. */
#define VFI_TLBVFI_COARSEST 256

/* Features of a frame: [0] 64 × h × w, [1] 64 × h/2 × w/2, [2] 128 at 1/4, [3] 128 at
 * 1/8, [4] 128 at 1/16, [5] 256 at 1/32. */
#define VFI_TLBVFI_FEATURES (VFI_TLBVFI_LEVELS + 1)

/* Those that flow is refined by, and that are warped by it: the first ones. */
#define VFI_TLBVFI_FLOW_FEATURES 4

/* ---- tlbvfi_layers.c --------------------------------------------------------------- */

/* Frame @frame of a volume. */
VfiValue vfi_tlbvfi_frame(VfiGraph *graph, VfiValue volume, int frame);

/* GroupNorm of a single frame, then @activation. */
VfiValue vfi_tlbvfi_norm(VfiGraph *graph, VfiValue x, const char *key, int groups,
                         VfiActivationKind activation);

/* GroupNorm of each frame of a volume by itself, in four groups, then SiLU. */
VfiValue vfi_tlbvfi_norm_frames(VfiGraph *graph, VfiValue volume, const char *key);

/* ResnetBlock: x + conv(silu(norm(conv(silu(norm(x)))))), where x goes through a 1 × 1
 * convolution if it has other than @out channels. */
VfiValue vfi_tlbvfi_resnet(VfiGraph *graph, VfiValue x, const char *key, int out);

/* ResnetBlock_fusion: the same with 3 × 3 × 3 convolutions of a volume, and always a
 * convolution beside them. The first normalisation is of all frames together, the second
 * one of each by itself. */
VfiValue vfi_tlbvfi_fuse_frames(VfiGraph *graph, VfiValue volume, const char *key);

/* ResnetBlock_Dec: the same, but the volume ends as a single frame. */
VfiValue vfi_tlbvfi_collapse_frames(VfiGraph *graph, VfiValue volume, const char *key);

/* STAttnBlock: every pixel of a volume attends to all. */
VfiValue vfi_tlbvfi_attend_frames(VfiGraph *graph, VfiValue volume, const char *key);

/* MaxAttentionBlock (Tu et al., "MaxViT", ECCV 2022): attention in squares of 8 × 8
 * pixels, then among 8 × 8 pixels that are spread evenly over the picture, each followed
 * by two linear layers. Keys and values are those of @context; VFI_NO_VALUE: of @x. */
VfiValue vfi_tlbvfi_max_attention(VfiGraph *graph, VfiValue x, VfiValue context,
                                  const char *key);

/* MBConv: 1 × 1 to four times @out channels, 3 × 3 in each channel, a gate by the
 * channels' means, 1 × 1 to @out. */
VfiValue vfi_tlbvfi_mb_conv(VfiGraph *graph, VfiValue x, const char *key, int out);

/* @image, in [0,1], in the range that two run inputs say: image * mul + add. */
VfiValue vfi_tlbvfi_in_range(VfiGraph *graph, VfiValue image, VfiRunInput mul,
                             VfiRunInput add);

/* ---- tlbvfi_encoder.c -------------------------------------------------------------- */

/* Features [0] … [@levels] of a frame. */
void vfi_tlbvfi_encode(VfiGraph *graph, VfiValue image, int levels, VfiValue *features);

/* Features of a blank frame: [5], all that is used of it. */
VfiValue vfi_tlbvfi_encode_blank(VfiGraph *graph);

/* Latents before the quantiser, 3·3 × h/32 × w/32, of the frames' and the blank frame's
 * coarsest features; their images are the graph's. */
VfiValue vfi_tlbvfi_latents(VfiGraph *graph, const VfiValue coarsest[VFI_TLBVFI_FRAMES]);

/* ---- tlbvfi_denoiser.c ------------------------------------------------------------- */

/* What VFI_RUN_INPUT_STEP's x differs by from its own noiseless state: both are volumes
 * of latents. */
VfiValue vfi_tlbvfi_denoise(VfiGraph *graph, VfiValue x, VfiValue latents);

/* ---- tlbvfi_schedule.c ------------------------------------------------------------- */

/* Coefficients of one step: the next state is
 *   weight[0]·x + weight[1]·denoised + weight[2]·latents + weight[3]·noise. */
typedef struct {
    int step; /* 999 … 0 */
    double weight[4];
} VfiTlbvfiStep;

/* Step @round, from 0, of @n_steps, 3 to 1000. */
VfiTlbvfiStep vfi_tlbvfi_step(unsigned n_steps, unsigned round, double eta);

/* ---- tlbvfi_flow.c ----------------------------------------------------------------- */

/* Where each frame's pixels are, and what of its features lies there; of both frames. */
typedef struct {
    VfiValue flow; /* 4 × h × w: dx, dy to the earlier frame, dx, dy to the later one */
    VfiValue warped[2][VFI_TLBVFI_FLOW_FEATURES]; /* [0] is not made */
} VfiTlbvfiMotion;

/* Flow between two frames of one size, refined by their features: 4 × h × w. */
VfiValue vfi_tlbvfi_find_flow(VfiGraph *graph, const VfiValue image[2],
                              VfiValue (*features)[VFI_TLBVFI_FLOW_FEATURES]);

/* Features of frame @frame warped by two channels of @flow, [1] … [3]. */
void vfi_tlbvfi_warp_features(VfiGraph *graph, VfiValue flow, const VfiValue *features,
                              VfiValue *warped);

/* ---- tlbvfi_decoder.c -------------------------------------------------------------- */

/* What the decoder sees of a frame. */
typedef struct {
    VfiValue features[VFI_TLBVFI_FEATURES];    /* [1] … [5] */
    VfiValue warped[VFI_TLBVFI_FLOW_FEATURES]; /* [1] … [3] */
} VfiTlbvfiContext;

/* Mask and residual before their sigmoids, 4 × h × w: channel 3 and channels 0 … 2. */
VfiValue vfi_tlbvfi_decode(VfiGraph *graph, VfiValue latents,
                           const VfiTlbvfiContext context[2]);

/* ---- tlbvfi_detect.c --------------------------------------------------------------- */

#define VFI_TLBVFI_PARTS 6

extern const VfiFamilyPart vfi_tlbvfi_parts[VFI_TLBVFI_PARTS];

/* VfiModelFamily.detect and .wants */
VfiDetection vfi_tlbvfi_detect(const VfiCheckpoint *checkpoint);
bool vfi_tlbvfi_wants(const VfiModelSetup *setup, const char *tensor);
