/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of a picture that the scene detector compares: what each shows, and where
 * another picture shows the same. */
#pragma once

#include <stdbool.h>

#include "scene/picture.h"

/* Side of a block, and the distance between those that are searched for. A picture
 * smaller than a block is one. */
#define VFI_SCENE_BLOCK 12
#define VFI_SCENE_BLOCK_STEP 4

/* Places of a block along a side. */
#define VFI_SCENE_PLACES (VFI_SCENE_SIGNATURE_SIZE - VFI_SCENE_BLOCK + 1)

/* Blocks along a side that are searched for. */
#define VFI_SCENE_BLOCKS_MAX                                                             \
    ((VFI_SCENE_SIGNATURE_SIZE - VFI_SCENE_BLOCK + VFI_SCENE_BLOCK_STEP - 1) /           \
         VFI_SCENE_BLOCK_STEP +                                                          \
     1)

/* How far from its place, moved by what the whole picture does, a block is searched. */
#define VFI_SCENE_SEARCH_X 5
#define VFI_SCENE_SEARCH_Y 3

/* Motion of the whole picture, in cells. */
typedef struct {
    int x, y;
} VfiSceneShift;

/* Statistics of the block at each place [y][x] of a picture, 0 … last_y and last_x. */
typedef struct {
    int width, height; /* of a block */
    int last_x, last_y;
    float mean[VFI_SCENE_PLACES][VFI_SCENE_PLACES];
    float deviation[VFI_SCENE_PLACES][VFI_SCENE_PLACES];
    float structure[VFI_SCENE_PLACES][VFI_SCENE_PLACES]; /* share of the variance that is
                                                            no noise */
} VfiSceneBlocks;

void vfi_scene_measure_blocks(VfiSceneBlocks *blocks, const VfiScenePicture *picture);

/* Is there too little structure at this place to know it again? */
bool vfi_scene_shows_nothing(const VfiSceneBlocks *blocks, int x, int y);

/* A place of the other picture, and how well it correlates, noise left out: 0 … about
 * 1, 0 where nothing was found or the block shows nothing. */
typedef struct {
    int x, y;
    float correlation;
} VfiSceneMatch;

/* The blocks that are searched for, and what was found of block (i, j), whose place is
 * (x[i], y[j]). */
typedef struct {
    int n_x, n_y;
    int x[VFI_SCENE_BLOCKS_MAX], y[VFI_SCENE_BLOCKS_MAX];
    VfiSceneMatch match[VFI_SCENE_BLOCKS_MAX][VFI_SCENE_BLOCKS_MAX]; /* [j][i] */
} VfiSceneMatches;

/* A picture of a pair, with zero mean, and its blocks. */
typedef struct {
    const VfiScenePicture *picture;
    const VfiSceneBlocks *blocks;
} VfiSceneView;

/* Searches b, of the same size, for a's blocks: each around its place moved by @shift,
 * which is at most 3/10 of VFI_SCENE_SIGNATURE_SIZE either way. The match is the best
 * place, the first of several in raster order. Takes about 50 KiB of stack. */
void vfi_scene_search(const VfiSceneView *a, const VfiSceneView *b, VfiSceneShift shift,
                      VfiSceneMatches *matches);
