/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocks that TLBVFI's networks are made of. */
#include "models/tlbvfi.h"

#include <math.h>

/* Groups of the autoencoder's normalisations. */
#define GROUPS 4

#define GROUP_EPSILON 1e-6f
#define LAYER_EPSILON 1e-5f

/* Side of attention's windows, pixels. */
#define WINDOW 8

/* The gate of an MBConv has a quarter of its channels inside. */
#define GATE_SHRINKS 4

VfiValue vfi_tlbvfi_frame(VfiGraph *graph, VfiValue volume, int frame)
{
    int c = vfi_graph_shape(graph, volume).c / VFI_TLBVFI_FRAMES;

    return vfi_graph_slice(graph, volume, frame * c, c);
}

/* GroupNorm of @frames frames together, then @activation. */
static VfiValue group_norm(VfiGraph *graph, VfiValue x, const char *key, int groups,
                           int frames, VfiActivationKind activation)
{
    const VfiGroupNormSetup setup = {
        .groups = groups,
        .frames = frames,
        .eps = GROUP_EPSILON,
        .film = VFI_NO_VALUE,
        .activation = activation,
    };

    return vfi_graph_group_norm(graph, x, key, &setup);
}

VfiValue vfi_tlbvfi_norm(VfiGraph *graph, VfiValue x, const char *key, int groups,
                         VfiActivationKind activation)
{
    return group_norm(graph, x, key, groups, 1, activation);
}

VfiValue vfi_tlbvfi_norm_frames(VfiGraph *graph, VfiValue volume, const char *key)
{
    VfiValue frames[VFI_TLBVFI_FRAMES];

    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        frames[f] = vfi_tlbvfi_norm(graph, vfi_tlbvfi_frame(graph, volume, f), key,
                                    GROUPS, VFI_ACTIVATION_SILU);
    return vfi_graph_concat(graph, frames, VFI_TLBVFI_FRAMES);
}

static VfiValue norm_volume(VfiGraph *graph, VfiValue volume, const char *key,
                            VfiActivationKind activation)
{
    return group_norm(graph, volume, key, GROUPS, VFI_TLBVFI_FRAMES, activation);
}

VfiValue vfi_tlbvfi_resnet(VfiGraph *graph, VfiValue x, const char *key, int out)
{
    VfiValue h = vfi_tlbvfi_norm(graph, x, vfi_graph_key(graph, "%s.norm1", key), GROUPS,
                                 VFI_ACTIVATION_SILU);

    h = vfi_graph_conv(graph, h, vfi_graph_key(graph, "%s.conv1", key), out, 3, 1);
    h = vfi_tlbvfi_norm(graph, h, vfi_graph_key(graph, "%s.norm2", key), GROUPS,
                        VFI_ACTIVATION_SILU);
    h = vfi_graph_conv(graph, h, vfi_graph_key(graph, "%s.conv2", key), out, 3, 1);
    if (vfi_graph_shape(graph, x).c != out)
        x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.nin_shortcut", key), out, 1,
                           1);
    return vfi_graph_add(graph, h, x, 1.0f);
}

/* Convolution of a volume of c channels a frame to as many. */
static VfiValue conv_volume(VfiGraph *graph, VfiValue volume, const char *key,
                            int kernel_frames, int kernel, int pad_frames)
{
    const VfiConv3dSetup setup = {
        .frames = VFI_TLBVFI_FRAMES,
        .out = vfi_graph_shape(graph, volume).c / VFI_TLBVFI_FRAMES,
        .kernel_frames = kernel_frames,
        .kernel = kernel,
        .pad_frames = pad_frames,
    };

    return vfi_graph_conv3d(graph, volume, key, &setup);
}

/* ResnetBlock_fusion and ResnetBlock_Dec, which differ in their last convolution, that
 * sees @pad_frames frames of zeros on both sides, and in the one of @beside × 1 × 1
 * beside it all. */
static VfiValue volume_block(VfiGraph *graph, VfiValue volume, const char *key,
                             int beside, int pad_frames)
{
    VfiValue h = norm_volume(graph, volume, vfi_graph_key(graph, "%s.norm1", key),
                             VFI_ACTIVATION_SILU);

    h = conv_volume(graph, h, vfi_graph_key(graph, "%s.conv1", key), 3, 3, 1);
    h = vfi_tlbvfi_norm_frames(graph, h, vfi_graph_key(graph, "%s.norm2", key));
    h = conv_volume(graph, h, vfi_graph_key(graph, "%s.conv2", key), 3, 3, pad_frames);
    volume = conv_volume(graph, volume, vfi_graph_key(graph, "%s.nin_shortcut", key),
                         beside, 1, 0);
    return vfi_graph_add(graph, h, volume, 1.0f);
}

VfiValue vfi_tlbvfi_fuse_frames(VfiGraph *graph, VfiValue volume, const char *key)
{
    return volume_block(graph, volume, key, 1, 1);
}

VfiValue vfi_tlbvfi_collapse_frames(VfiGraph *graph, VfiValue volume, const char *key)
{
    return volume_block(graph, volume, key, 3, 0);
}

/* ---- attention --------------------------------------------------------------------- */

VfiValue vfi_tlbvfi_attend_frames(VfiGraph *graph, VfiValue volume, const char *key)
{
    int c = vfi_graph_shape(graph, volume).c / VFI_TLBVFI_FRAMES;
    const VfiAttentionSetup setup = {
        .kind = VFI_ATTENTION_GLOBAL,
        .frames = VFI_TLBVFI_FRAMES,
        .scale = (float)(1.0 / sqrt(MAX(c, 1))),
    };
    VfiValue x = norm_volume(graph, volume, vfi_graph_key(graph, "%s.norm", key),
                             VFI_ACTIVATION_NONE);
    VfiValue q = conv_volume(graph, x, vfi_graph_key(graph, "%s.q", key), 1, 1, 0);
    VfiValue k = conv_volume(graph, x, vfi_graph_key(graph, "%s.k", key), 1, 1, 0);
    VfiValue v = conv_volume(graph, x, vfi_graph_key(graph, "%s.v", key), 1, 1, 0);

    x = vfi_graph_attention(graph, q, k, v, NULL, &setup);
    x = conv_volume(graph, x, vfi_graph_key(graph, "%s.proj_out", key), 1, 1, 0);
    return vfi_graph_add(graph, x, volume, 1.0f);
}

/* PreNormResidual(Attention): one head, c × h × w. */
static VfiValue attend(VfiGraph *graph, VfiValue x, VfiValue context, const char *key,
                       VfiAttentionKind kind)
{
    int c = vfi_graph_shape(graph, x).c;
    const VfiAttentionSetup setup = {
        .kind = kind,
        .frames = 1,
        .window = WINDOW,
        .scale = (float)(1.0 / sqrt(MAX(c, 1))),
    };
    const char *norm = vfi_graph_key(graph, "%s.norm", key);
    const char *bias = vfi_graph_key(graph, "%s.fn.rel_pos_bias", key);
    VfiValue of_x = vfi_graph_layer_norm(graph, x, norm, LAYER_EPSILON);
    VfiValue seen = context == VFI_NO_VALUE
                        ? of_x
                        : vfi_graph_layer_norm(graph, context, norm, LAYER_EPSILON);
    VfiValue q =
        vfi_graph_linear(graph, of_x, vfi_graph_key(graph, "%s.fn.to_q", key), c, false);
    VfiValue k =
        vfi_graph_linear(graph, seen, vfi_graph_key(graph, "%s.fn.to_k", key), c, false);
    VfiValue v =
        vfi_graph_linear(graph, seen, vfi_graph_key(graph, "%s.fn.to_v", key), c, false);

    VfiValue h = vfi_graph_attention(graph, q, k, v, bias, &setup);
    h = vfi_graph_linear(graph, h, vfi_graph_key(graph, "%s.fn.to_out.0", key), c, false);
    return vfi_graph_add(graph, h, x, 1.0f);
}

/* PreNormResidual(FeedForward): c to 4·c and back, at each pixel. */
static VfiValue feed_forward(VfiGraph *graph, VfiValue x, const char *key)
{
    int c = vfi_graph_shape(graph, x).c;
    VfiValue h = vfi_graph_layer_norm(graph, x, vfi_graph_key(graph, "%s.norm", key),
                                      LAYER_EPSILON);

    h = vfi_graph_linear(graph, h, vfi_graph_key(graph, "%s.fn.net.0", key), 4 * c, true);
    h = vfi_graph_gelu(graph, h);
    h = vfi_graph_linear(graph, h, vfi_graph_key(graph, "%s.fn.net.3", key), c, true);
    return vfi_graph_add(graph, h, x, 1.0f);
}

VfiValue vfi_tlbvfi_max_attention(VfiGraph *graph, VfiValue x, VfiValue context,
                                  const char *key)
{
    x = attend(graph, x, context, vfi_graph_key(graph, "%s.attn_block", key),
               VFI_ATTENTION_BLOCKS);
    x = feed_forward(graph, x, vfi_graph_key(graph, "%s.ff_block", key));
    x = attend(graph, x, context, vfi_graph_key(graph, "%s.attn_grid", key),
               VFI_ATTENTION_GRID);
    return feed_forward(graph, x, vfi_graph_key(graph, "%s.ff_grid", key));
}

/* ---- MBConv ------------------------------------------------------------------------ */

/* The batch normalisation @key.@index, which is folded into the convolution before it. */
static void require_batch_norm(VfiGraph *graph, const char *key, int index, int channels)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    const int64_t shape[] = {channels};

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        vfi_graph_require(graph, vfi_graph_key(graph, "%s.%d", key, index), parts[i],
                          shape, 1);
}

/* SqueezeExcitation: channels times a factor in (0, 1) that their means decide. */
static VfiValue gate(VfiGraph *graph, VfiValue x, const char *key)
{
    int c = vfi_graph_shape(graph, x).c;
    VfiValue factors = vfi_graph_channel_mean(graph, x);

    factors = vfi_graph_linear(graph, factors, vfi_graph_key(graph, "%s.gate.1", key),
                               c / GATE_SHRINKS, false);
    factors = vfi_graph_silu(graph, factors);
    factors = vfi_graph_linear(graph, factors, vfi_graph_key(graph, "%s.gate.3", key), c,
                               false);
    return vfi_graph_scale_channels(graph, x, vfi_graph_sigmoid(graph, factors));
}

VfiValue vfi_tlbvfi_mb_conv(VfiGraph *graph, VfiValue x, const char *key, int out)
{
    int inner = 4 * out;

    require_batch_norm(graph, key, 1, inner);
    require_batch_norm(graph, key, 4, inner);
    require_batch_norm(graph, key, 8, out);
    x = vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.0", key), inner, 1, 1);
    x = vfi_graph_gelu(graph, x);
    x = vfi_graph_group_conv(graph, x, vfi_graph_key(graph, "%s.3", key), inner, 3, 1,
                             inner);
    x = vfi_graph_gelu(graph, x);
    x = gate(graph, x, vfi_graph_key(graph, "%s.6", key));
    return vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.7", key), out, 1, 1);
}

/* ---- ranges ------------------------------------------------------------------------ */

VfiValue vfi_tlbvfi_in_range(VfiGraph *graph, VfiValue image, VfiRunInput mul,
                             VfiRunInput add)
{
    VfiShape size = vfi_graph_shape(graph, image);
    VfiValue factor = vfi_graph_run_input(graph, mul, size.h, size.w, 1.0f, 0.0f);
    VfiValue less = vfi_graph_run_input(graph, add, size.h, size.w, -1.0f, 0.0f);

    return vfi_graph_sub(graph, vfi_graph_mul(graph, image, factor), less, 1.0f);
}
