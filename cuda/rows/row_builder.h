/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What row_group.c and row_pixels.c make programs with. */
#pragma once

#include <glib.h>

#include "op/descriptor.h"
#include "plan/plan.h"
#include "rows/row_program.h"

/* One channel of an operand: what tells it from others. */
typedef struct {
    VfiRegion region;
    size_t offset;
} VfiRowPlane;

/* A plane that a program of a smaller picture keeps in a slot though it has its own
 * memory: what that held before may be for a later program to read. */
typedef struct {
    VfiRowPlane plane;
    int slot;
} VfiRowHeld;

/* Where an instruction finds a channel. */
typedef struct {
    int region; /* VfiRegion, or VFI_ROW_SLOT */
    size_t at;
} VfiRowPlace;

/* Most channels of a pixel that are gathered in slots: more would leave room for few
 * threads. */
#define VFI_ROW_GATHERED_MAX 128

/* A pixel, channels last f16, whose channels a program gathers in slots, so that it
 * writes eight at a time. */
typedef struct {
    VfiRegion region;
    int stride;
    size_t begin, end; /* bytes from the region's start; of the first picture's pixel */
    size_t last;       /* the end without zeros */
    int slot;
    bool written[VFI_ROW_GATHERED_MAX];
} VfiRowPixel;

typedef struct {
    const VfiOp *ops;
    const VfiRowGroup *group;
    VfiRowProgram *program;
    bool *needed;   /* ops */
    GArray *held;   /* of VfiRowHeld; later ones hide earlier ones */
    GArray *pixels; /* of VfiRowPixel */
    bool fits;
} VfiRowBuilder;

/* Whether the first source is read elsewhere than at the thread's pixel. */
static inline bool vfi_row_reads_anywhere(const VfiOp *op)
{
    return op->n_src > 0 && vfi_op_reads_anywhere(op, 0);
}

static inline size_t vfi_row_plane_elements(const VfiOperand *operand)
{
    return (size_t)operand->shape.h * (size_t)operand->shape.w;
}

static inline size_t vfi_row_element_bytes(const VfiOperand *operand)
{
    return operand->half ? 2 : sizeof(float);
}

static inline VfiRowPlane vfi_row_plane_of(const VfiOperand *operand, int channel)
{
    size_t step = vfi_operand_is_blocked(operand) ? 1 : vfi_row_plane_elements(operand);

    return (VfiRowPlane){operand->region,
                         operand->offset +
                             (size_t)channel * step * vfi_row_element_bytes(operand)};
}

static inline void vfi_row_put(VfiRowBuilder *builder, VfiRowInstruction *code,
                               int operand, VfiRowPlace place)
{
    builder->fits = builder->fits && place.at <= UINT32_MAX;
    code->at[operand] = (uint32_t)place.at;
    code->region[operand] = (int8_t)place.region;
}

/* Whether @op writes some channels of a pixel. */
static inline bool vfi_row_is_piece(const VfiOp *op)
{
    return vfi_op_scalar(op) < 0 && vfi_operand_is_blocked(&op->dst);
}

/* The next instruction, or NULL where there is no room. */
static inline VfiRowInstruction *vfi_row_add_instruction(VfiRowBuilder *builder)
{
    VfiRowProgram *program = builder->program;

    if (program->n == VFI_ROW_INSTRUCTIONS) {
        builder->fits = false;
        return NULL;
    }
    return &program->code[program->n++];
}

/* row_pixels.c. The pixels that the needed ops write pieces of, and how much of them. */
void vfi_row_find_pixels(VfiRowBuilder *builder);
/* Gives them their slots. */
void vfi_row_lay_out_pixels(VfiRowBuilder *builder);
/* Where the result of @op goes, channels last, from @channel on. */
void vfi_row_put_piece(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel, int count);
/* Instructions that write what was gathered. */
void vfi_row_emit_packs(VfiRowBuilder *builder);
