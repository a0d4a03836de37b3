/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How two frames relate: does a new scene begin between them, does the second repeat the
 * first? Pure functions: no allocation, no state, any thread. */
#pragma once

#include <vfi/export.h>
#include <vfi/frame.h>

G_BEGIN_DECLS

/** Largest width and height of a signature, in cells. */
#define VFI_SCENE_SIGNATURE_SIZE 64

/**
 * A pair that scores this or more is a cut. Of the sequences it was chosen on, pairs of
 * one shot, flashes, fades and fast pans among them, score at most 0.09, cuts to
 * recognisably other views at least 0.19. Things that pass close to the camera and cover
 * most of the picture can score more (docs/testing.md has the figures).
 */
#define VFI_SCENE_THRESHOLD_DEFAULT 0.13

/**
 * A frame's luma in a few cells, all that the scene detector needs to keep of it. Plain
 * data, copied freely.
 */
typedef struct {
    int width;  /**< cells, 1 … VFI_SCENE_SIGNATURE_SIZE, at most the frame's width */
    int height; /**< cells, 1 … VFI_SCENE_SIGNATURE_SIZE, at most the frame's height */
    /** Mean luma of the cells [y][x], 0 black … 255 white whatever the format and range;
     * gamma-coded, BT.601 weights for RGB. Cells beyond width and height are not set. */
    float luma[VFI_SCENE_SIGNATURE_SIZE][VFI_SCENE_SIGNATURE_SIZE];
} VfiSceneSignature;

/** Fills @signature from @frame of valid @info: its longer side gets
 * VFI_SCENE_SIGNATURE_SIZE cells, the other as many as keep the shape. */
VFI_API void vfi_scene_signature(const VfiVideoInfo *info, const VfiFrame *frame,
                                 VfiSceneSignature *signature);

/**
 * How much the step from @a to @b looks like a cut, 0 (same shot) … 1 (nothing in
 * common): the share of the structure of each picture that is not found in the other one
 * nearby, after the motion of the whole picture (up to 30 % of its size) is taken out.
 * Brightness, contrast and gamma do not count, so fades and flashes are no cuts; noise is
 * no structure; flat pictures, which have none, are told apart by their brightness. Even
 * bars that both have at a side, up to 3/8 of it, are left out. The best and the worst
 * matched quarter do not count: neither a logo nor something large that moves in front
 * decides. Pictures of different sizes score 1. A cut to a very similar view, the same
 * road a few seconds later, cannot be told from motion.
 *
 * Symmetric but for rounding, and depends on nothing but the two pictures: a seek changes
 * no score. Takes about 350 KiB of stack.
 */
VFI_API double vfi_scene_score(const VfiSceneSignature *a, const VfiSceneSignature *b);

/** A threshold of vfi_frames_repeat() that fits the errors of lossy coders. */
#define VFI_REPEAT_AUTO (-1.0)

/**
 * TRUE if @b repeats @a: in every block of 16×16 pixels (smaller at the right and bottom
 * edge) the mean absolute difference of luma is at most @threshold. The unit is one code
 * of an 8-bit sample: 10-bit differences count a quarter, f32 ones 255 fold; RGB is
 * weighted by BT.601. Chroma and alpha are not looked at, except that @threshold 0 asks
 * for the same bits in all components. Frames of the same non-zero id repeat each other.
 * Stops at the first block that differs.
 *
 * A negative @threshold, VFI_REPEAT_AUTO, finds pictures that a lossy coder sent again:
 * luma may differ much where that looks like its errors, and little where it looks like
 * motion, a fade or something new (docs/testing.md has the figures). Motion of less than
 * about a third of a pixel in a part of the picture cannot be told from errors. NaN
 * counts as black. Takes about 80 KiB of stack.
 */
VFI_API gboolean vfi_frames_repeat(const VfiVideoInfo *info, const VfiFrame *a,
                                   const VfiFrame *b, double threshold);

G_END_DECLS
