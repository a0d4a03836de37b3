/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graph that a model family builds for one stage: typed values, NCHW logical shapes
 * with a batch of one. A model reads like its paper here; fusing, views and memory are
 * the plan's business.
 *
 * Errors stick: the first one is kept, later calls do nothing and return VFI_NO_VALUE,
 * and vfi_plan_new() reports it. So model code needs no checks in between. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "op/op.h"
#include "weights/weights.h"

typedef struct VfiGraph VfiGraph;

/* A value in a graph. */
typedef int VfiValue;
#define VFI_NO_VALUE (-1)

/* A value that survives the rounds of a loop. */
typedef int VfiState;
#define VFI_NO_STATE (-1)

/* Starts the graph of a stage. @weights (may be NULL) serve the keys and must outlive the
 * plan made from the graph; @width × @height is the padded size of the image. */
VfiGraph *vfi_graph_new(const VfiWeights *weights, int width, int height);
void vfi_graph_free(VfiGraph *graph);

/* The first error, or NULL. */
const GError *vfi_graph_error(const VfiGraph *graph);

/* Records an error of the family's own, unless there is one already. */
void vfi_graph_fail(VfiGraph *graph, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A state-dict key built as by printf, valid as long as the graph. */
const char *vfi_graph_key(VfiGraph *graph, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Whether the graph can be planned: nothing went wrong, and each state is updated in the
 * loop. Else false with what is wrong. */
bool vfi_graph_check(const VfiGraph *graph, GError **error);

/* Shape of a value; 0×0×0 for VFI_NO_VALUE. */
VfiShape vfi_graph_shape(const VfiGraph *graph, VfiValue value);

/* Begins a segment that may run after segment @follows, and returns its index. A stage is
 * cut into segments where the host decides, by scalars that it reads back, what runs
 * next. Nodes belong to the segment begun last; segment 0 exists from the start. Values
 * are visible in their own segment and in those that follow it, directly or not. */
int vfi_graph_segment(VfiGraph *graph, int follows);

/* Most rounds of a loop: noise counts them in 16 bits. */
#define VFI_MAX_ROUNDS 65536

/* Begins a segment, as vfi_graph_segment() does, that runs @rounds times, 1 to
 * VFI_MAX_ROUNDS, before the host decides what follows. A round sees what is computed
 * before the loop, and of the round before its states alone; segments behind the loop see
 * what the last round computed, and the states that it left. There is one loop at most,
 * in a stage whose results are not kept for other stages. It may have no states. */
int vfi_graph_loop(VfiGraph *graph, int follows, int rounds);

/* A state of the loop that is going to follow the current segment; the first round finds
 * @initial in it. Several may have the same one. VFI_NO_STATE once the graph has an
 * error. */
VfiState vfi_graph_new_state(VfiGraph *graph, VfiValue initial);

/* What is in @state: in the loop what the round before left, whether or not this round
 * has updated it by then; in segments behind the loop what the last round left. A value
 * that was asked for in the loop is not visible behind it. */
VfiValue vfi_graph_state(VfiGraph *graph, VfiState state);

/* In the loop, once for each state: the next round finds @next in it, of the state's
 * shape. That may be any value that is visible, also another state, or the update of
 * several states. */
void vfi_graph_update_state(VfiGraph *graph, VfiState state, VfiValue next);

/* The prepared image of the pair's frame @frame: 3 × H × W, RGB in [0,1]. */
VfiValue vfi_graph_image(VfiGraph *graph, int frame);

/* Declares what an earlier stage computes as @name and leaves at @operand: in
 * VFI_REGION_FRAME0 for each frame, in VFI_REGION_PAIR or in VFI_REGION_CONSTANT. Both
 * are copied. */
void vfi_graph_declare_input(VfiGraph *graph, const char *name,
                             const VfiOperand *operand);

/* The input @name of the per-frame stage, for the pair's frame @frame; or of the per-pair
 * stage. */
VfiValue vfi_graph_feature(VfiGraph *graph, int frame, const char *name);
VfiValue vfi_graph_pair_value(VfiGraph *graph, const char *name);

/* The same of the constant stage, which is computed once by a session. */
VfiValue vfi_graph_constant(VfiGraph *graph, const char *name);

/* Names @value as a result of the current segment; the string must be static. In a loop
 * it is the last round's. */
void vfi_graph_output(VfiGraph *graph, const char *name, VfiValue value);

/* Dimension @dim of the model's tensor @name, 0 if there is no such tensor or dimension:
 * for models that come in several widths. */
int vfi_graph_weight_dimension(const VfiGraph *graph, const char *name, int dim);

/* Convolutions built from here on may (or, at first, may not) be computed in bf16 where
 * the session asks for that precision: the model says where eight significant bits do no
 * harm. */
void vfi_graph_tolerate_bf16(VfiGraph *graph, bool tolerates);

/* Counts the tensors that graphs ask for. */
typedef struct {
    GHashTable *asked; /* their names */
    size_t found;      /* how many of them exist and have the shape that is asked for */
    char *first;       /* what is wrong with the first of the others; NULL: nothing */
} VfiTally;

void vfi_tally_init(VfiTally *tally);
void vfi_tally_clear(VfiTally *tally);

/* From now on tensors that are missing or of another shape are entered in @tally, which
 * outlives @graph, and are no errors. Such a graph can be planned, but not run. */
void vfi_graph_set_tally(VfiGraph *graph, VfiTally *tally);

/* Conv2d with "same" zero padding, (kernel-1)/2 before and kernel/2 after; weights
 * @key.weight [out,in,k,k], @key.bias. */
VfiValue vfi_graph_conv(VfiGraph *graph, VfiValue x, const char *key, int out, int kernel,
                        int stride);

/* The same in @groups of channels, weights [out,in/groups,k,k]. */
VfiValue vfi_graph_group_conv(VfiGraph *graph, VfiValue x, const char *key, int out,
                              int kernel, int stride, int groups);

/* A Conv2d with any zero padding. */
typedef struct {
    int out, kernel, stride;
    int pad_begin, pad_end; /* before the first row and column, behind the last */
    int groups;             /* 0: 1 */
    bool has_bias;
    /* The weight is [out,in/groups,depth,k,k], of which the op takes [:,:,slice]; with
     * depth 0 it is [out,in/groups,k,k]. */
    int depth, slice;
} VfiConvSetup;

VfiValue vfi_graph_conv_with(VfiGraph *graph, VfiValue x, const char *key,
                             const VfiConvSetup *setup);

/* A Conv3d. A *volume* of F frames is one value of F·C channels, frame after frame. */
typedef struct {
    int frames; /* of the source */
    int out;    /* channels of a frame of the result */
    int kernel_frames, kernel;
    int pad_frames; /* zero frames before the first one and behind the last */
} VfiConv3dSetup;

/* Conv3d of the volume @x, with "same" zero padding of its pictures; weights @key.weight
 * [out,in,kernel_frames,k,k], @key.bias. The result is a volume of
 * frames + 2·pad_frames - kernel_frames + 1 frames. */
VfiValue vfi_graph_conv3d(VfiGraph *graph, VfiValue x, const char *key,
                          const VfiConv3dSetup *setup);

/* Linear at every pixel: @key.weight [out,in], or [out,in,1] as a Conv1d has it, and
 * @key.bias if @has_bias. */
VfiValue vfi_graph_linear(VfiGraph *graph, VfiValue x, const char *key, int out,
                          bool has_bias);

/* Fails unless there is a tensor @key.@suffix of that shape: for tensors that are folded
 * into others when weights are loaded, so that no op asks for them. */
bool vfi_graph_require(VfiGraph *graph, const char *key, const char *suffix,
                       const int64_t *shape, int n_dims);

/* ConvTranspose2d(k 4, stride 2, pad 1), doubling the size; @key.weight [in,out,4,4]. */
VfiValue vfi_graph_conv_transpose(VfiGraph *graph, VfiValue x, const char *key, int out);

/* Its first @count channels alone. */
VfiValue vfi_graph_conv_transpose_first(VfiGraph *graph, VfiValue x, const char *key,
                                        int out, int count);

/* PReLU with one slope per channel in @key.weight. */
VfiValue vfi_graph_prelu(VfiGraph *graph, VfiValue x, const char *key);

/* x < 0 ? leak * x : x */
VfiValue vfi_graph_leaky_relu(VfiGraph *graph, VfiValue x, float leak);

VfiValue vfi_graph_sigmoid(VfiGraph *graph, VfiValue x);

/* x / (1 + exp(-x)) */
VfiValue vfi_graph_silu(VfiGraph *graph, VfiValue x);

/* x * Φ(x), Φ the distribution of standard normal numbers: the exact one, by erf. */
VfiValue vfi_graph_gelu(VfiGraph *graph, VfiValue x);

/* GroupNorm over all frames of the volume @x, which has the C channels of .frames frames
 * one after the other: every C / groups channels, in all frames, have one mean and one
 * (biased) variance. @key.weight, @key.bias [C]. Then, where .film (2C × 1 × 1: scales,
 * then shifts) is not VFI_NO_VALUE, x * (1 + scale) + shift; then the activation: NONE,
 * SILU, GELU, or LEAKY with a leak of 0. A GROUP_NORM and a SCALE_SHIFT: x is read twice
 * and written once. */
typedef struct {
    int groups, frames;
    float eps;
    VfiValue film;
    VfiActivationKind activation;
} VfiGroupNormSetup;
VfiValue vfi_graph_group_norm(VfiGraph *graph, VfiValue x, const char *key,
                              const VfiGroupNormSetup *setup);

/* LayerNorm over the channels of each pixel; @key.weight, @key.bias. */
VfiValue vfi_graph_layer_norm(VfiGraph *graph, VfiValue x, const char *key, float eps);

/* The mean of each channel: C × 1 × 1. */
VfiValue vfi_graph_channel_mean(VfiGraph *graph, VfiValue x);

/* x * factors[c], @factors C × 1 × 1; of a volume of several times C channels, channel i
 * has factor i mod C. */
VfiValue vfi_graph_scale_channels(VfiGraph *graph, VfiValue x, VfiValue factors);

/* @channels × 1 × 1: cos(v * f) for the first half, sin(v * f) for the second, where v is
 * the run's @input and f = exp(-log(base) * i / (channels / 2)). */
VfiValue vfi_graph_step_embedding(VfiGraph *graph, VfiRunInput input, int channels,
                                  float base);

/* scale * (a + b); scale * (a - b) and a * b, where b may have a single channel. */
VfiValue vfi_graph_add(VfiGraph *graph, VfiValue a, VfiValue b, float scale);
VfiValue vfi_graph_sub(VfiGraph *graph, VfiValue a, VfiValue b, float scale);
VfiValue vfi_graph_mul(VfiGraph *graph, VfiValue a, VfiValue b);

/* x * mul + add. */
VfiValue vfi_graph_affine(VfiGraph *graph, VfiValue x, float mul, float add);

VfiValue vfi_graph_clamp(VfiGraph *graph, VfiValue x, float low, float high);

/* Channels @first … @first+@count-1. */
VfiValue vfi_graph_slice(VfiGraph *graph, VfiValue x, int first, int count);

/* Concatenation along channels of @n values of one size. */
VfiValue vfi_graph_concat(VfiGraph *graph, const VfiValue *values, int n);

/* F.interpolate(bilinear, align_corners=False) to @height × @width, values times @mul. */
VfiValue vfi_graph_resize(VfiGraph *graph, VfiValue x, int height, int width, float mul);

/* PixelShuffle(2): 4·C channels to C of twice the size,
 * out[c, 2y+i, 2x+j] = in[4c+2i+j, y, x]. */
VfiValue vfi_graph_pixel_shuffle(VfiGraph *graph, VfiValue x);

/* AvgPool2d(2): half the size, rounded down. */
VfiValue vfi_graph_avg_pool(VfiGraph *graph, VfiValue x);

/* F.interpolate(nearest) to @height × @width, no less than @x has. */
VfiValue vfi_graph_nearest(VfiGraph *graph, VfiValue x, int height, int width);

/* Backward warp of @x by @flow (2 channels dx, dy in pixels, same size), borders
 * repeated. */
VfiValue vfi_graph_warp(VfiGraph *graph, VfiValue x, VfiValue flow);

/* 9 cosines between all channels of @reference at a pixel and those of @x at the 3 × 3
 * places around where @flow leads, row by row: of what F.unfold(x, 3, padding=1) gives,
 * warped with borders repeated. So @x is zero beyond its border, but the place that the
 * flow leads to is brought into the picture first. */
VfiValue vfi_graph_correlation(VfiGraph *graph, VfiValue x, VfiValue flow,
                               VfiValue reference);

/* One level of a Haar transform over frames, rows and columns that keeps the size: of F
 * frames of one channel F - 1 frames of each of the bands LLL LLH LHL LHH HLL HLH HHL HHH
 * (letters: frames, height, width), a band's side by side. low[i] = (x[i] + x[i+1]) / √8,
 * high[i] = (x[i+1] - x[i]) / √8, zero behind the last row and column. */
VfiValue vfi_graph_haar(VfiGraph *graph, VfiValue x);

/* @x in rows below floor(IMAGE_HEIGHT · scale) and columns below floor(IMAGE_WIDTH ·
 * scale), which are run inputs; @outside elsewhere, where the picture is padding. */
VfiValue vfi_graph_keep_inside(VfiGraph *graph, VfiValue x, double scale, float outside);

/* What sees what in an attention of one head (VfiAttentionParams). */
typedef struct {
    VfiAttentionKind kind;
    int frames; /* of the volumes */
    int window; /* BLOCKS, GRID */
    float scale;
} VfiAttentionSetup;

/* softmax(scale * q·kᵀ + bias)·v of volumes of one shape. @bias_key.weight
 * [(2*window-1)²,1] by the query's place relative to the key's; NULL: none. */
VfiValue vfi_graph_attention(VfiGraph *graph, VfiValue q, VfiValue k, VfiValue v,
                             const char *bias_key, const VfiAttentionSetup *setup);

/* The nearest code (squared L2, the first of several) of @key.weight [n,3] in place of
 * each pixel of a volume of three channels a frame. */
VfiValue vfi_graph_quantize(VfiGraph *graph, VfiValue x, const char *key);

/* A 1 × height × width plane that holds @input * mul + add. Who sets which is in
 * op/run_inputs.h; a family says in its struct if it wants the mean (family.h). */
VfiValue vfi_graph_run_input(VfiGraph *graph, VfiRunInput input, int height, int width,
                             float mul, float add);

/* @channels × @height × @width standard normal numbers: others for each such value of the
 * graph, for each pair and for each round of a segment, and the same whenever a picture
 * is computed again. The image must be one whole multiple of their size, the same in both
 * directions: a tile's noise then is its part of the whole image's. Only in the time
 * stage, where all times between two frames see the same numbers, unless they are made of
 * each other by bisection: what other stages compute is kept, and serves pairs that are
 * begun with other keys. */
VfiValue vfi_graph_noise(VfiGraph *graph, int channels, int height, int width);

/* The greatest |x|, read back by the host after the segment. Returns the scalar's
 * index. */
int vfi_graph_max_abs(VfiGraph *graph, VfiValue x);
