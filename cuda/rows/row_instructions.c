/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows/row_instructions.h"

#include "op/descriptor.h"
#include "op/resize.h"
#include "rows/row_op.h"
#include "rows/row_pixels.h"

static bool follows(VfiRowPlace first, VfiRowPlace place, size_t planes, size_t plane)
{
    return place.region == first.region &&
           place.at ==
               first.at + (first.region == VFI_ROW_SLOT ? planes : planes * plane);
}

/* How many channels from @channel on one instruction can take: as long as its operands go
 * on as instructions do. */
static int run_of(const VfiRowBuilder *builder, const VfiOp *op, int channel,
                  int channels)
{
    const VfiRowOp *row_op = vfi_row_op(op->kind);
    const VfiOperand *operands[3];
    int n = 0, run = 1;

    if (row_op->differs_by_channel != NULL && row_op->differs_by_channel(op))
        return 1;
    if (vfi_op_scalar(op) < 0 && vfi_op_factor_down(op) == 0)
        operands[n++] = &op->dst;
    if (op->n_src > 0 && !vfi_row_reads_anywhere(op))
        operands[n++] = &op->src[0];
    if (op->n_src > 1 && !row_op->has_flow && op->src[1].shape.c > 1)
        operands[n++] = &op->src[1];
    for (; channel + run < channels; run++)
        for (int i = 0; i < n; i++)
            if (!vfi_operand_is_blocked(operands[i]) &&
                !follows(vfi_row_place_of(builder, operands[i], channel),
                         vfi_row_place_of(builder, operands[i], channel + run),
                         (size_t)run, vfi_row_plane_elements(operands[i])))
                return run;
    return run;
}

/* Sets the source that @op reads anywhere, for the result's channels from @channel on. */
static void set_source(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel)
{
    const VfiOperand *source = &op->src[0];
    size_t at = source->offset / vfi_row_element_bytes(source);
    size_t channels =
        (size_t)channel * (size_t)MAX(vfi_row_op(op->kind)->source_channels, 1);

    code->src_w = (uint16_t)source->shape.w;
    code->src_h = (uint16_t)source->shape.h;
    code->scale_x = (float)source->shape.w / (float)op->dst.shape.w;
    code->scale_y = (float)source->shape.h / (float)op->dst.shape.h;
    if (vfi_operand_is_blocked(source)) {
        code->stride = (uint16_t)source->block;
        builder->fits = builder->fits && source->block <= UINT16_MAX;
        at += channels;
    } else {
        at += channels * vfi_row_plane_elements(source);
    }
    vfi_row_put(builder, code, VFI_ROW_A, (VfiRowPlace){source->region, at});
}

/* In a program of smaller pictures only those go to memory; other results take slots. */
static void hold_result(VfiRowBuilder *builder, const VfiOp *op)
{
    for (int c = 0; c < op->dst.shape.c; c++) {
        VfiRowHeld held = {vfi_row_plane_of(&op->dst, c), vfi_row_take_slots(builder, 1)};
        g_array_append_val(builder->held, held);
    }
}

static void put_result(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel, int count)
{
    if (vfi_op_scalar(op) >= 0) {
        code->at[VFI_ROW_DST] = (uint32_t)vfi_op_scalar(op);
        return;
    }
    if (vfi_row_is_piece(op)) {
        vfi_row_put_piece(builder, code, op, channel, count);
    } else {
        code->dst_half = op->dst.half;
        vfi_row_put(builder, code, VFI_ROW_DST,
                    vfi_op_factor_down(op) == 0
                        ? vfi_row_place_of(builder, &op->dst, channel)
                        : vfi_row_memory_of(&op->dst, channel));
    }
    if (vfi_op_factor_down(op) != 0 && !code->is_gathered) {
        int sums = vfi_row_take_slots(builder, count);
        vfi_row_put(builder, code, VFI_ROW_C, (VfiRowPlace){VFI_ROW_SLOT, (size_t)sums});
    }
}

static void emit(VfiRowBuilder *builder, const VfiOp *op, int channel, int count)
{
    const VfiRowOp *row_op = vfi_row_op(op->kind);
    VfiRowInstruction *code = vfi_row_add_instruction(builder);

    if (code == NULL)
        return;
    *code = (VfiRowInstruction){.operation = (uint8_t)row_op->operation,
                                .count = (uint16_t)count,
                                .half = op->n_src > 0 && op->src[0].half};
    if (row_op->set_parameters != NULL)
        row_op->set_parameters(code, op, channel);
    if (vfi_row_reads_anywhere(op))
        set_source(builder, code, op, channel);
    else if (op->n_src > 0)
        vfi_row_put(builder, code, VFI_ROW_A,
                    vfi_row_place_of(builder, &op->src[0], channel));
    if (row_op->has_flow) {
        vfi_row_put(builder, code, VFI_ROW_B, vfi_row_place_of(builder, &op->src[1], 0));
        vfi_row_put(builder, code, VFI_ROW_C, vfi_row_place_of(builder, &op->src[1], 1));
    } else if (op->n_src > 1) {
        code->one_b = op->src[1].shape.c == 1;
        vfi_row_put(builder, code, VFI_ROW_B,
                    vfi_row_place_of(builder, &op->src[1], code->one_b ? 0 : channel));
    }
    put_result(builder, code, op, channel, count);
}

void vfi_row_emit_op(VfiRowBuilder *builder, const VfiOp *op)
{
    /* Of its own, or none at all. */
    bool has_place = vfi_op_scalar(op) >= 0 || vfi_op_factor_down(op) != 0 ||
                     op->dst.region == VFI_REGION_ROWS;
    int channels = vfi_op_scalar(op) >= 0 ? op->src[0].shape.c : op->dst.shape.c;

    if (builder->program->factor != 0 && !has_place)
        hold_result(builder, op);
    for (int c = 0; c < channels && builder->fits;) {
        int run = run_of(builder, op, c, channels);
        emit(builder, op, c, run);
        c += run;
    }
}
