/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the scene detector: what luma is, and the pair of pictures that is compared. */
#pragma once

#include <vfi/scene.h>

#include "pixels/format.h"

/* Cells of a signature of frames of @info. */
void vfi_scene_signature_size(const VfiVideoInfo *info, int *width, int *height);

/* Luma components of a format and their weights: Y alone, or R, G, B. */
typedef struct {
    int n;
    float weight[3];
} VfiLumaWeights;

static inline VfiLumaWeights vfi_luma_weights(const VfiFormatDescription *format)
{
    if (format->colour == VFI_FAMILY_RGB)
        return (VfiLumaWeights){.n = 3, .weight = {0.299f, 0.587f, 0.114f}};
    return (VfiLumaWeights){.n = 1, .weight = {1.0f}};
}

/* The @n ≤ VFI_PIXELS_BLOCK luma codes of row @y from column @x on. */
void vfi_load_luma(const VfiVideoInfo *info, const VfiFrame *frame, int x, int y, int n,
                   float *out);

/* Columns of zeros on both sides of a picture: no lane of a search reads beyond them. */
#define VFI_SCENE_PADDING 24

/* A signature's luma without bars, lightly smoothed. Cell (x, y) is
 * luma[y][VFI_SCENE_PADDING + x]. */
typedef struct {
    int width, height;
    float noise; /* variance that is from cell to cell at random */
    float luma[VFI_SCENE_SIGNATURE_SIZE]
              [VFI_SCENE_SIGNATURE_SIZE + 2 * VFI_SCENE_PADDING];
} VfiScenePicture;

/* Loads both pictures (of the same size); bars that both have are left out. */
void vfi_scene_load_pictures(VfiScenePicture *picture_a, const VfiSceneSignature *a,
                             VfiScenePicture *picture_b, const VfiSceneSignature *b);

/* Gives the picture of more tones those of the other one, and both zero mean. */
void vfi_scene_share_tones(VfiScenePicture *a, VfiScenePicture *b);

/* @band = @picture without what is smooth over large areas. */
void vfi_scene_keep_structure(VfiScenePicture *band, const VfiScenePicture *picture);
