/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI's decoder: from latents of three frames up to a mask and a residual at full
 * size. At each level it attends to features of the two frames. */
#include "models/tlbvfi.h"

/* Channels of each level, [0] at 1/2 of the size. */
static const int widths[VFI_TLBVFI_LEVELS] = {64, 128, 128, 128, VFI_TLBVFI_COARSEST};

/* Codes of the quantiser, three numbers each. */
#define CODEBOOK "vqgan.quantize.embedding"

/* Groups of the normalisations. */
#define GROUPS 4
#define HEAD_GROUPS_0 16
#define HEAD_GROUPS_1 8

/* ---- coarsest level ---------------------------------------------------------------- */

/* Latents to 256 × h/32 × w/32: each is replaced by the nearest code, then three frames
 * become one. */
static VfiValue fuse_latents(VfiGraph *graph, VfiValue latents)
{
    const VfiConv3dSetup widen = {.frames = VFI_TLBVFI_FRAMES,
                                  .out = VFI_TLBVFI_COARSEST,
                                  .kernel_frames = 3,
                                  .kernel = 3,
                                  .pad_frames = 1};
    VfiValue codes = vfi_graph_quantize(graph, latents, CODEBOOK);
    VfiValue frames[VFI_TLBVFI_FRAMES];

    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        frames[f] = vfi_graph_conv(graph, vfi_tlbvfi_frame(graph, codes, f),
                                   "vqgan.post_quant_conv", VFI_TLBVFI_LATENT, 1, 1);
    VfiValue x = vfi_graph_concat(graph, frames, VFI_TLBVFI_FRAMES);
    x = vfi_graph_conv3d(graph, x, "vqgan.decoder.conv_in", &widen);
    x = vfi_tlbvfi_fuse_frames(graph, x, "vqgan.decoder.mid.block_1");
    x = vfi_tlbvfi_attend_frames(graph, x, "vqgan.decoder.mid.attn_1");
    return vfi_tlbvfi_collapse_frames(graph, x, "vqgan.decoder.mid.block_2");
}

/* ---- the way up -------------------------------------------------------------------- */

/* What level @level, at 1/2^(level+1) of the size, attends to: features of both frames,
 * at the finer levels also warped. */
static VfiValue context_of_level(VfiGraph *graph, const VfiTlbvfiContext context[2],
                                 int level)
{
    int i = level + 1;
    VfiValue parts[4] = {context[0].features[i], context[1].features[i]};
    int n = 2;

    if (i < VFI_TLBVFI_FLOW_FEATURES) {
        parts[n++] = context[0].warped[i];
        parts[n++] = context[1].warped[i];
    }
    return vfi_graph_concat(graph, parts, n);
}

/* One level: c × h × w to c' × 2h × 2w. */
static VfiValue go_up(VfiGraph *graph, VfiValue x, VfiValue context, int level)
{
    const char *key = vfi_graph_key(graph, "vqgan.decoder.up.%d", level);
    const char *cross = vfi_graph_key(graph, "%s.cross_attn", key);
    int c = widths[level];

    x = vfi_tlbvfi_resnet(graph, x, vfi_graph_key(graph, "%s.block.0", key), c);
    if (level == VFI_TLBVFI_LEVELS - 1)
        x = vfi_tlbvfi_max_attention(graph, x, VFI_NO_VALUE,
                                     vfi_graph_key(graph, "%s.attn.0", key));
    context =
        vfi_tlbvfi_mb_conv(graph, context, vfi_graph_key(graph, "%s.proj_in", cross), c);
    x = vfi_tlbvfi_max_attention(graph, x, context, cross);
    VfiShape size = vfi_graph_shape(graph, x);
    x = vfi_graph_nearest(graph, x, 2 * size.h, 2 * size.w);
    return vfi_graph_conv(graph, x, vfi_graph_key(graph, "%s.upsample.conv", key), c, 3,
                          1);
}

/* OutputHead: 64 to 4 channels. */
static VfiValue head(VfiGraph *graph, VfiValue x)
{
    x = vfi_graph_conv(graph, x, "vqgan.decoder.moduleout.0", 64, 3, 1);
    x = vfi_tlbvfi_norm(graph, x, "vqgan.decoder.moduleout.1", HEAD_GROUPS_0,
                        VFI_ACTIVATION_LEAKY);
    x = vfi_graph_conv(graph, x, "vqgan.decoder.moduleout.3", 32, 3, 1);
    x = vfi_tlbvfi_norm(graph, x, "vqgan.decoder.moduleout.4", HEAD_GROUPS_1,
                        VFI_ACTIVATION_LEAKY);
    return vfi_graph_conv(graph, x, "vqgan.decoder.moduleout.6", 4, 3, 1);
}

VfiValue vfi_tlbvfi_decode(VfiGraph *graph, VfiValue latents,
                           const VfiTlbvfiContext context[2])
{
    VfiValue x = fuse_latents(graph, latents);

    for (int level = VFI_TLBVFI_LEVELS - 1; level >= 0; level--)
        x = go_up(graph, x, context_of_level(graph, context, level), level);
    x = vfi_tlbvfi_norm(graph, x, "vqgan.decoder.norm_out", GROUPS, VFI_ACTIVATION_SILU);
    x = vfi_graph_conv(graph, x, "vqgan.decoder.conv_out", widths[0], 3, 1);
    return head(graph, x);
}
