/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds what lies still over a picture that moves: letters, logos.
 *
 * Such a pixel is the same in both frames; had it moved as its surroundings do, both
 * frames would contradict. What surroundings do is taken from the motion that a model
 * found, by blocks: only blocks count that move in both frames, so that what a thing
 * covers in one frame and has left in the other is not taken for something in front of
 * it. A block is looked at if such blocks lie all around it and agree with each other; a
 * cell of it has an overlay if enough of its pixels, beside those that changed, say so.
 *
 *     vfi_overlay_begin(&finder);
 *     vfi_overlay_note_motion(&finder, &motion);
 *     if (vfi_overlay_judge(&finder))
 *         for each pass in their order: vfi_overlay_run(…) for all rows,
 *             vfi_overlay_decide(&finder) behind VFI_OVERLAY_JUDGE
 *     if (vfi_overlay_is_found(&finder)): finder.kept has it
 *
 * The same bits whatever the division of rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pixels/motion.h"

/* Side of a cell, pixels. Bands of rows begin at multiples of it. */
#define VFI_OVERLAY_CELL 8

/* What moves, and how, in a block. */
typedef struct {
    uint16_t moving[2], still[2]; /* vectors that leave a place of it in either frame */
    float sum[2];                 /* of those that move */
    int16_t vector[2];            /* pixels: how its surroundings move */
    bool is_candidate, is_visited;
} VfiOverlayBlock;

/* Whether a cell has an overlay: first how sure that is, then the answer, which is no or
 * yes. */
enum { VFI_OVERLAY_NONE, VFI_OVERLAY_LIKELY, VFI_OVERLAY_SURE, VFI_OVERLAY_YES };

typedef struct {
    int width, height;
    int block; /* side, pixels; a multiple of cells */
    int blocks_x, blocks_y;
    int cells_x, cells_y;
    size_t row; /* bytes of the planes: whole cells, then one or more */
    VfiOverlayBlock *blocks;
    int *stack;       /* blocks or cells of an area, while it is judged */
    uint8_t *luma[2]; /* of the frames, 8 bits, edges repeated: at -1, too */
    uint8_t *kept;    /* what pixels say; in the end 255 is an overlay, 0 none */
    uint8_t *grown;   /* 1 is an overlay; between passes */
    uint8_t *seeds, *borders, *outlines; /* by cell: how many pixels are that */
    uint8_t *verdicts;                   /* by cell */
    uint8_t *found;                      /* by row of cells: something is kept */
} VfiOverlayFinder;

typedef enum {
    VFI_OVERLAY_LUMA,  /* frames' luma */
    VFI_OVERLAY_VOTE,  /* what each pixel says */
    VFI_OVERLAY_JUDGE, /* how sure it is that cells have an overlay */
    VFI_OVERLAY_GROW,  /* from pixels that are sure to what belongs to them */
    VFI_OVERLAY_SOFTEN,
    VFI_OVERLAY_PASSES
} VfiOverlayPass;

/* Bytes that a finder for pictures of @info works in, somewhat more than four a pixel. */
size_t vfi_overlay_bytes(const VfiVideoInfo *info);

/* @memory: so many, aligned to VFI_ALIGNMENT. */
void vfi_overlay_init(VfiOverlayFinder *finder, const VfiVideoInfo *info, void *memory);

/* Forgets the motion that was noted. */
void vfi_overlay_begin(VfiOverlayFinder *finder);

/* Notes what a model found: rows [begin, end) of a field, or all of a
 * motion. */
void vfi_overlay_note_field(VfiOverlayFinder *finder, const VfiFlowField *field,
                            int begin, int end);
void vfi_overlay_note_motion(VfiOverlayFinder *finder, const VfiMotion *motion);

/* Chooses the blocks that are looked at. False: there are none, and nothing is kept. */
bool vfi_overlay_judge(VfiOverlayFinder *finder);

/* One pass over rows [begin, end), which may be divided at multiples of cells; each needs
 * all of the one before. */
void vfi_overlay_run(const VfiOverlayFinder *finder, VfiOverlayPass pass,
                     const VfiVideoInfo *info, const VfiFrame *frame0,
                     const VfiFrame *frame1, int begin, int end);

/* Between VFI_OVERLAY_JUDGE and VFI_OVERLAY_GROW: decides about areas of cells. */
void vfi_overlay_decide(VfiOverlayFinder *finder);

/* After the last pass: whether anything is to be kept. */
bool vfi_overlay_is_found(const VfiOverlayFinder *finder);
