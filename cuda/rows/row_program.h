/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a row group (plan.h) becomes: programs, small enough to travel as a kernel's
 * argument. Each thread follows the instructions for its own pixel. Values that only the
 * group sees are in the thread's slots in shared memory. */
#pragma once

#include <stdint.h>

#include "op/op.h"

/* At most so many instructions, so that a kernel's arguments stay below 4 KiB. */
#define VFI_ROW_INSTRUCTIONS 64

/* At most so many slots, with the fewest threads per block. */
#define VFI_ROW_SLOTS 384

/* In place of a region: a slot; half a slot, where f16 channels of a pixel are
 * gathered. */
#define VFI_ROW_SLOT (-1)
#define VFI_ROW_HALVES (-2)

/* What an instruction does: an op (row_op.c) or, PACK, writes channels of a channels-last
 * f16 pixel that others gathered in slots. PACK's operands: where the pixel begins (DST),
 * the slots (A), and, as numbers, the first of the channels (B) and the first that is
 * zero (C). */
typedef enum {
    VFI_ROW_ADD = 1,
    VFI_ROW_SUB,
    VFI_ROW_MUL,
    VFI_ROW_AFFINE,
    VFI_ROW_CLAMP,
    VFI_ROW_ACTIVATE,
    VFI_ROW_FILL,
    VFI_ROW_COPY,
    VFI_ROW_RESIZE,
    VFI_ROW_WARP,
    VFI_ROW_PIXEL_SHUFFLE,
    VFI_ROW_MAX_ABS,
    VFI_ROW_PACK,
} VfiRowOperation;

/* The operands of an instruction, for the first of its channels. */
enum {
    VFI_ROW_DST,
    VFI_ROW_A, /* src[0]; what RESIZE up, WARP and PIXEL_SHUFFLE read anywhere */
    VFI_ROW_B, /* src[1]; WARP: flow x */
    VFI_ROW_C, /* WARP: flow y; RESIZE down: slots for the sums of the four pixels */
    VFI_ROW_OPERANDS
};

/* An operation on @count channels. From channel to channel each operand goes on by a slot
 * or half of one, by a plane of its picture, or within its pixel. */
typedef struct {
    uint32_t at[VFI_ROW_OPERANDS];   /* slot, or elements from the start of the region */
    int8_t region[VFI_ROW_OPERANDS]; /* VFI_REGION_…, VFI_ROW_SLOT */
    uint16_t count;
    uint8_t operation; /* VfiRowOperation */
    bool is_down;      /* RESIZE; PACK: what was gathered are the sums of one */
    bool one_b;        /* b has one channel for all */
    bool is_sigmoid;   /* ACTIVATE */
    bool half;         /* a in memory is f16 */
    bool dst_half;     /* dst in memory is */
    uint8_t input;     /* FILL: VfiRunInput */
    bool is_gathered;  /* RESIZE down: the means stay in their slots for VFI_ROW_PACK */
    uint16_t stride;   /* PIXEL_SHUFFLE: elements from pixel to pixel of a, 0 if planar */
    uint16_t dst_stride; /* the same of dst */
    uint16_t padding;    /* dst, channels last in memory: zeros after the last channel */
    uint16_t src_w, src_h;  /* of what is read anywhere */
    float p, q;             /* mul, add; low, high; ACTIVATE: slope */
    float scale_x, scale_y; /* RESIZE up */
} VfiRowInstruction;

/* A program for all pixels of the group's pictures (factor 0), or for those of pictures
 * that are @factor times smaller. In the latter a thread runs the program four times, for
 * the four pixels whose mean it takes. */
typedef struct {
    int factor;
    int w, h; /* of the group's pictures */
    int n_slots;
    int n;
    VfiRowInstruction code[VFI_ROW_INSTRUCTIONS];
} VfiRowProgram;
