/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows/row_builder.h"

#include "op/descriptor.h"

bool vfi_row_reads_anywhere(const VfiOp *op)
{
    return op->n_src > 0 && vfi_op_reads_beyond_rows(op, 0);
}

size_t vfi_row_plane_elements(const VfiOperand *operand)
{
    return (size_t)operand->shape.h * (size_t)operand->shape.w;
}

size_t vfi_row_element_bytes(const VfiOperand *operand)
{
    return operand->half ? 2 : sizeof(float);
}

VfiRowPlane vfi_row_plane_of(const VfiOperand *operand, int channel)
{
    size_t step = vfi_operand_is_blocked(operand) ? 1 : vfi_row_plane_elements(operand);

    return (VfiRowPlane){operand->region,
                         operand->offset +
                             (size_t)channel * step * vfi_row_element_bytes(operand)};
}

void vfi_row_put(VfiRowBuilder *builder, VfiRowInstruction *code, int operand,
                 VfiRowPlace place)
{
    builder->fits = builder->fits && place.at <= UINT32_MAX;
    code->at[operand] = (uint32_t)place.at;
    code->region[operand] = (int8_t)place.region;
}

bool vfi_row_is_piece(const VfiOp *op)
{
    return vfi_op_scalar(op) < 0 && vfi_operand_is_blocked(&op->dst);
}

VfiRowInstruction *vfi_row_add_instruction(VfiRowBuilder *builder)
{
    VfiRowProgram *program = builder->program;

    if (program->n == VFI_ROW_INSTRUCTIONS) {
        builder->fits = false;
        return NULL;
    }
    return &program->code[program->n++];
}

int vfi_row_take_slots(VfiRowBuilder *builder, int n)
{
    int first = builder->program->n_slots;

    builder->program->n_slots += n;
    return first;
}

VfiRowPlace vfi_row_memory_of(const VfiOperand *operand, int channel)
{
    VfiRowPlane plane = vfi_row_plane_of(operand, channel);

    return (VfiRowPlace){plane.region, plane.offset / vfi_row_element_bytes(operand)};
}

VfiRowPlace vfi_row_place_of(const VfiRowBuilder *builder, const VfiOperand *operand,
                             int channel)
{
    VfiRowPlane plane = vfi_row_plane_of(operand, channel);

    if (plane.region == VFI_REGION_ROWS)
        return (VfiRowPlace){VFI_ROW_SLOT,
                             plane.offset /
                                 (vfi_row_plane_elements(operand) * sizeof(float))};
    for (guint i = builder->held->len; i-- > 0;) {
        const VfiRowHeld *held = &g_array_index(builder->held, VfiRowHeld, i);
        if (held->plane.region == plane.region && held->plane.offset == plane.offset)
            return (VfiRowPlace){VFI_ROW_SLOT, (size_t)held->slot};
    }
    return vfi_row_memory_of(operand, channel);
}
