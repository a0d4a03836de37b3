/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recognising TLBVFI by names and shapes, and what is nearly it: parts of it, and its
 * relatives, which share its trainers and many of its names. */
#include "models/tlbvfi.h"

#include <string.h>

const VfiFamilyPart vfi_tlbvfi_parts[VFI_TLBVFI_PARTS] = {
    {"denoiser", "denoise_fn."},
    {"encoder", "vqgan.encoder."},
    {"flow network", "vqgan.decoder.flownet."},
    {"flow refinement", "vqgan.decoder.refinenet."},
    {"decoder", "vqgan.decoder."},
    {"quantiser", "vqgan."}, /* the codebook and the convolutions around it */
};

/* Shortcuts of blocks that leave the number of channels as it is, and what upstream has
 * behind its attention, but does not run. */
static const char *const unread[] = {
    "vqgan.encoder.down.0.block.0.nin_shortcut.",
    "vqgan.encoder.down.2.block.0.nin_shortcut.",
    "vqgan.encoder.down.3.block.0.nin_shortcut.",
    "vqgan.decoder.up.1.block.0.nin_shortcut.",
    "vqgan.decoder.up.2.block.0.nin_shortcut.",
    "vqgan.decoder.up.4.block.0.nin_shortcut.",
    ".cross_attn.out_conv.",
    ".num_batches_tracked",
};

bool vfi_tlbvfi_wants(const VfiModelSetup *setup, const char *tensor)
{
    (void)setup;
    for (size_t i = 0; i < G_N_ELEMENTS(unread); i++)
        if (strstr(tensor, unread[i]) != NULL)
            return false;
    for (size_t i = 0; i < VFI_TLBVFI_PARTS; i++)
        if (g_str_has_prefix(tensor, vfi_tlbvfi_parts[i].prefix))
            return true;
    return false;
}

/* Of the first convolution of every denoiser of this kind. */
#define DENOISER_ENTRY "input_blocks.0.0.weight"

/* Only TLBVFI's encoder looks at frequencies over time. */
#define ENCODER_ENTRY "encoder.frequency_extractor.conv_in.weight"

/* Dimensions of tensor @name; -1: there is none. */
static int dimensions(const VfiCheckpoint *checkpoint, const char *name)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, name);

    return tensor == NULL ? -1 : tensor->n_dims;
}

static bool has_any(const VfiCheckpoint *checkpoint, const char *prefix)
{
    size_t n = vfi_checkpoint_n_tensors(checkpoint);

    for (size_t i = 0; i < n; i++)
        if (g_str_has_prefix(vfi_checkpoint_tensor(checkpoint, i)->name, prefix))
            return true;
    return false;
}

/* "this is tlbvfi @name: @refusal" */
static VfiDetection refused(const char *name, const char *refusal)
{
    return (VfiDetection){
        .score = VFI_SCORE_RECOGNISED, .name = name, .refusal = refusal};
}

/* LDMVFI's checkpoints, of which all of this descends. */
static bool is_ldmvfi(const VfiCheckpoint *checkpoint)
{
    return dimensions(checkpoint, "model.diffusion_model." DENOISER_ENTRY) == 4 &&
           has_any(checkpoint, "first_stage_model.decoder.");
}

VfiDetection vfi_tlbvfi_detect(const VfiCheckpoint *checkpoint)
{
    int denoiser = dimensions(checkpoint, "denoise_fn." DENOISER_ENTRY);
    bool has_encoder = dimensions(checkpoint, "vqgan." ENCODER_ENTRY) == 4;
    bool has_denoiser = has_any(checkpoint, "denoise_fn.");
    bool has_autoencoder = has_any(checkpoint, "vqgan.");

    if (denoiser == 4)
        return refused(
            "without time",
            "its denoiser works on single pictures (2-D convolutions), as those of BBDM "
            "and of Consecutive Brownian Bridge do; TLBVFI's works on three frames");
    if (is_ldmvfi(checkpoint))
        return refused(
            "in an older form, LDMVFI",
            "its denoiser works on single pictures (2-D convolutions), and it has "
            "another autoencoder; neither is known here");
    if (dimensions(checkpoint, ENCODER_ENTRY) == 4 || (has_encoder && !has_denoiser))
        return refused("without its denoiser",
                       "the autoencoder alone (vimeo_new.ckpt) makes no in-betweens; "
                       "take the file with both (vimeo_unet.pth), whose tensors begin "
                       "with \"denoise_fn.\" and \"vqgan.\"");
    if (denoiser == 5 && !has_autoencoder)
        return refused("without its autoencoder",
                       "the denoiser alone, as a trainer's averages (\"ema\") have it; "
                       "take the file with both (vimeo_unet.pth), whose tensors begin "
                       "with \"denoise_fn.\" and \"vqgan.\"");
    if (denoiser != 5 && !has_encoder)
        return (VfiDetection){.score = 0};
    return (VfiDetection){
        .score = denoiser == 5 && has_encoder ? 100 : VFI_SCORE_RECOGNISED - 1,
        .name = "f32",
        .time_mode = VFI_TIME_MIDPOINT,
    };
}
