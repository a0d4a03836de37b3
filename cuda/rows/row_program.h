/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a row group (plan.h) becomes: lists of instructions, small enough to travel as a
 * kernel's argument, that every thread follows for its own pixel. Values that only the
 * group sees stay in the thread's slots in shared memory. */
#pragma once

#include <stdint.h>

#include "op/op.h"

/* Most instructions of a program: its arguments stay below 4 KiB. */
#define VFI_ROW_INSTRUCTIONS 64

/* Most slots, at the fewest threads of a block. */
#define VFI_ROW_SLOTS 384

/* In place of a region: a slot; halves of slots, where f16 of a pixel are gathered. */
#define VFI_ROW_SLOT (-1)
#define VFI_ROW_HALVES (-2)

/* An instruction beside the ops: writes channels of a pixel, channels last f16, that
 * others gathered in slots. Its operands: where the pixel begins (DST), the slots (A),
 * and, as numbers, the first of the channels (B) and the first that is zero (C). */
#define VFI_ROW_PACK VFI_OP_KIND_COUNT

/* The operands of an instruction: of the first of its channels. */
enum {
    VFI_ROW_DST,
    VFI_ROW_A, /* src[0]; what RESIZE up, WARP and PIXEL_SHUFFLE read anywhere */
    VFI_ROW_B, /* src[1]; WARP: flow x */
    VFI_ROW_C, /* WARP: flow y; RESIZE down: slots that add up the four pixels */
    VFI_ROW_OPERANDS
};

/* An op on @count channels. Each operand goes on from channel to channel by a slot or
 * half of one, by a plane of its picture, or within its pixel. */
typedef struct {
    uint32_t at[VFI_ROW_OPERANDS];   /* slot, or elements from the start of the region */
    int8_t region[VFI_ROW_OPERANDS]; /* VFI_REGION_…, VFI_ROW_SLOT */
    uint16_t count;
    uint8_t kind;     /* VfiOpKind */
    bool is_down;     /* RESIZE */
    bool one_b;       /* b has one channel for all */
    bool is_sigmoid;  /* ACTIVATE */
    bool half;        /* a in memory is f16 */
    bool dst_half;    /* dst in memory is */
    uint8_t input;    /* FILL: VfiRunInput */
    bool is_gathered; /* RESIZE down: the means stay in their slots for VFI_ROW_PACK */
    uint16_t stride;  /* PIXEL_SHUFFLE: elements from pixel to pixel of a, 0 if planar */
    uint16_t dst_stride; /* the same of dst */
    uint16_t padding;    /* dst, channels last in memory: zeros behind the last channel */
    uint16_t src_w, src_h;  /* of what is read anywhere */
    float p, q;             /* mul, add; low, high; ACTIVATE: slope */
    float scale_x, scale_y; /* RESIZE up */
} VfiRowInstruction;

/* A program for all pixels of the group's pictures (factor 0), or for those of a picture
 * that is @factor times smaller: then every thread goes through it four times, for the
 * pixels that it takes the mean of. */
typedef struct {
    int factor;
    int w, h; /* of the group's pictures */
    int n_slots;
    int n;
    VfiRowInstruction code[VFI_ROW_INSTRUCTIONS];
} VfiRowProgram;
