/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI's denoiser: a U-Net of volumes (Dhariwal and Nichol, "Diffusion Models Beat GANs
 * on Image Synthesis", NeurIPS 2021, appendix), 32 channels a frame everywhere. It halves
 * the pictures twice, never the number of frames. */
#include "models/tlbvfi.h"

#include <math.h>

#define WIDTH 32
#define GROUPS 32
#define EPSILON 1e-5f
#define LEVELS 3

/* Channels of the step's embedding: what its sines and cosines fill, and behind two
 * linear layers. */
#define EMBEDDING_BASE 10000.0f
#define EMBEDDING (4 * WIDTH)

typedef enum { KEEPS_SIZE, HALVES, DOUBLES } Resampling;

static VfiValue norm(VfiGraph *graph, VfiValue x, const char *key, VfiValue film,
                     VfiActivationKind activation)
{
    const VfiGroupNormSetup setup = {
        .groups = GROUPS,
        .frames = VFI_TLBVFI_FRAMES,
        .eps = EPSILON,
        .film = film,
        .activation = activation,
    };

    return vfi_graph_group_norm(graph, x, key, &setup);
}

static VfiValue conv(VfiGraph *graph, VfiValue x, const char *key, int out, int kernel)
{
    const VfiConv3dSetup setup = {
        .frames = VFI_TLBVFI_FRAMES,
        .out = out,
        .kernel_frames = kernel,
        .kernel = kernel,
        .pad_frames = (kernel - 1) / 2,
    };

    return vfi_graph_conv3d(graph, x, key, &setup);
}

static VfiValue resample(VfiGraph *graph, VfiValue x, Resampling resampling)
{
    VfiShape size = vfi_graph_shape(graph, x);

    return resampling == HALVES    ? vfi_graph_avg_pool(graph, x)
           : resampling == DOUBLES ? vfi_graph_nearest(graph, x, 2 * size.h, 2 * size.w)
                                   : x;
}

/* 128 × 1 × 1 that say which step it is. */
static VfiValue embed_step(VfiGraph *graph)
{
    VfiValue x =
        vfi_graph_step_embedding(graph, VFI_RUN_INPUT_STEP, WIDTH, EMBEDDING_BASE);

    x = vfi_graph_linear(graph, x, "denoise_fn.time_embed.0", EMBEDDING, true);
    x = vfi_graph_silu(graph, x);
    return vfi_graph_linear(graph, x, "denoise_fn.time_embed.2", EMBEDDING, true);
}

/* ResBlock: its second normalisation is scaled and shifted by what the step says. */
static VfiValue residual_block(VfiGraph *graph, VfiValue x, VfiValue step,
                               const char *key, Resampling resampling)
{
    VfiValue h = norm(graph, x, vfi_graph_key(graph, "%s.in_layers.0", key), VFI_NO_VALUE,
                      VFI_ACTIVATION_SILU);
    VfiValue film =
        vfi_graph_linear(graph, vfi_graph_silu(graph, step),
                         vfi_graph_key(graph, "%s.emb_layers.1", key), 2 * WIDTH, true);

    h = resample(graph, h, resampling);
    x = resample(graph, x, resampling);
    h = conv(graph, h, vfi_graph_key(graph, "%s.in_layers.2", key), WIDTH, 3);
    h = norm(graph, h, vfi_graph_key(graph, "%s.out_layers.0", key), film,
             VFI_ACTIVATION_SILU);
    h = conv(graph, h, vfi_graph_key(graph, "%s.out_layers.3", key), WIDTH, 3);
    if (vfi_graph_shape(graph, x).c != VFI_TLBVFI_FRAMES * WIDTH)
        x = conv(graph, x, vfi_graph_key(graph, "%s.skip_connection", key), WIDTH, 1);
    return vfi_graph_add(graph, h, x, 1.0f);
}

/* One third of the channels of each frame of a volume: queries, keys or values. */
static VfiValue third(VfiGraph *graph, const VfiValue frames[VFI_TLBVFI_FRAMES],
                      int index)
{
    VfiValue parts[VFI_TLBVFI_FRAMES];

    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        parts[f] = vfi_graph_slice(graph, frames[f], index * WIDTH, WIDTH);
    return vfi_graph_concat(graph, parts, VFI_TLBVFI_FRAMES);
}

/* AttentionBlock: every pixel of the volume attends to all, with one head. */
static VfiValue attend(VfiGraph *graph, VfiValue volume, const char *key)
{
    const VfiAttentionSetup setup = {
        .kind = VFI_ATTENTION_GLOBAL,
        .frames = VFI_TLBVFI_FRAMES,
        .scale = (float)(1.0 / sqrt(WIDTH)),
    };
    VfiValue x = norm(graph, volume, vfi_graph_key(graph, "%s.norm", key), VFI_NO_VALUE,
                      VFI_ACTIVATION_NONE);
    VfiValue frames[VFI_TLBVFI_FRAMES];

    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        frames[f] =
            vfi_graph_linear(graph, vfi_tlbvfi_frame(graph, x, f),
                             vfi_graph_key(graph, "%s.qkv", key), 3 * WIDTH, true);
    x = vfi_graph_attention(graph, third(graph, frames, 0), third(graph, frames, 1),
                            third(graph, frames, 2), NULL, &setup);
    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++)
        frames[f] =
            vfi_graph_linear(graph, vfi_tlbvfi_frame(graph, x, f),
                             vfi_graph_key(graph, "%s.proj_out", key), WIDTH, true);
    x = vfi_graph_concat(graph, frames, VFI_TLBVFI_FRAMES);
    return vfi_graph_add(graph, x, volume, 1.0f);
}

/* Two volumes as one, frame by frame: of each its channels in @a, then those in @b. */
static VfiValue join(VfiGraph *graph, VfiValue a, VfiValue b)
{
    VfiValue parts[2 * VFI_TLBVFI_FRAMES];
    int n = 0;

    for (int f = 0; f < VFI_TLBVFI_FRAMES; f++) {
        parts[n++] = vfi_tlbvfi_frame(graph, a, f);
        parts[n++] = vfi_tlbvfi_frame(graph, b, f);
    }
    return vfi_graph_concat(graph, parts, 2 * VFI_TLBVFI_FRAMES);
}

VfiValue vfi_tlbvfi_denoise(VfiGraph *graph, VfiValue x, VfiValue latents)
{
    VfiValue step = embed_step(graph);
    VfiValue seen[2 * LEVELS]; /* what the way up sees of the way down */
    int n = 0;

    VfiValue h =
        conv(graph, join(graph, x, latents), "denoise_fn.input_blocks.0.0", WIDTH, 3);
    seen[n++] = h;
    for (int level = 0; level < LEVELS; level++) {
        const char *block = vfi_graph_key(graph, "denoise_fn.input_blocks.%d", n);
        h = residual_block(graph, h, step, vfi_graph_key(graph, "%s.0", block),
                           KEEPS_SIZE);
        if (level > 0)
            h = attend(graph, h, vfi_graph_key(graph, "%s.1", block));
        seen[n++] = h;
        if (level == LEVELS - 1)
            break;
        h = residual_block(graph, h, step,
                           vfi_graph_key(graph, "denoise_fn.input_blocks.%d.0", n),
                           HALVES);
        seen[n++] = h;
    }
    h = residual_block(graph, h, step, "denoise_fn.middle_block.0", KEEPS_SIZE);
    h = attend(graph, h, "denoise_fn.middle_block.1");
    h = residual_block(graph, h, step, "denoise_fn.middle_block.2", KEEPS_SIZE);
    for (int i = 0; i < 2 * LEVELS; i++) {
        const char *block = vfi_graph_key(graph, "denoise_fn.output_blocks.%d", i);
        bool attends = i < 2 * (LEVELS - 1);
        h = residual_block(graph, join(graph, h, seen[--n]), step,
                           vfi_graph_key(graph, "%s.0", block), KEEPS_SIZE);
        if (attends)
            h = attend(graph, h, vfi_graph_key(graph, "%s.1", block));
        if (attends && i % 2 == 1)
            h = residual_block(graph, h, step, vfi_graph_key(graph, "%s.2", block),
                               DOUBLES);
    }
    h = norm(graph, h, "denoise_fn.out.0", VFI_NO_VALUE, VFI_ACTIVATION_SILU);
    return conv(graph, h, "denoise_fn.out.2", VFI_TLBVFI_LATENT, 3);
}
