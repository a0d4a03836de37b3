/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pair of pictures that the scene detector compares, made from two signatures. */
#pragma once

#include <vfi/scene.h>

/* Columns of zeros on both sides of a picture: no lane of a search reads beyond them. */
#define VFI_SCENE_PADDING 28

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

/* @band = @picture without parts that are smooth over large areas. */
void vfi_scene_keep_structure(VfiScenePicture *band, const VfiScenePicture *picture);
