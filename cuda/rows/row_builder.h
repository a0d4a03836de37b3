/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program of a row group while it is made, and where operands are found in it. */
#pragma once

#include <glib.h>

#include "plan/plan.h"
#include "rows/row_program.h"

/* One channel of an operand: what tells it from others. */
typedef struct {
    VfiRegion region;
    size_t offset;
} VfiRowPlane;

/* A plane that has memory of its own, but is in a slot for this program: later programs
 * may read what the memory held before. */
typedef struct {
    VfiRowPlane plane;
    int slot;
} VfiRowHeld;

/* Where an instruction finds a channel. */
typedef struct {
    int region; /* VfiRegion, or VFI_ROW_SLOT */
    size_t at;
} VfiRowPlace;

typedef struct {
    const VfiOp *ops;
    const VfiRowGroup *group;
    VfiRowProgram *program;
    bool *needed;   /* by op */
    GArray *held;   /* of VfiRowHeld; later ones hide earlier ones */
    GArray *pixels; /* those that are gathered (row_pixels.c) */
    bool fits;      /* so far */
} VfiRowBuilder;

/* Whether the first source is read elsewhere than at the thread's pixel. */
bool vfi_row_reads_anywhere(const VfiOp *op);

/* Whether the result is some channels of a channels-last pixel. */
bool vfi_row_is_piece(const VfiOp *op);

/* Elements from channel to channel of a planar operand. */
size_t vfi_row_plane_elements(const VfiOperand *operand);
size_t vfi_row_element_bytes(const VfiOperand *operand);

VfiRowPlane vfi_row_plane_of(const VfiOperand *operand, int channel);

/* Where a channel is in memory; where the program has it, which may be a slot. */
VfiRowPlace vfi_row_memory_of(const VfiOperand *operand, int channel);
VfiRowPlace vfi_row_place_of(const VfiRowBuilder *builder, const VfiOperand *operand,
                             int channel);

/* Takes @n slots, and returns the first. */
int vfi_row_take_slots(VfiRowBuilder *builder, int n);

/* The next instruction; NULL if there is no room. */
VfiRowInstruction *vfi_row_add_instruction(VfiRowBuilder *builder);

/* Sets operand VFI_ROW_…. */
void vfi_row_put(VfiRowBuilder *builder, VfiRowInstruction *code, int operand,
                 VfiRowPlace place);
