/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns row groups into programs for the device. One program computes what is as large as
 * the group's pictures. What resizes down leave is computed by one program a factor,
 * before: a thread of the smaller picture computes the four pixels that it needs the mean
 * of, anew; of pictures that are f times smaller that is 4 / f² of all pixels. Nothing of
 * memory that a group reads and does not write itself changes until the group ends (the
 * planner keeps it), so programs may follow one another. */
#include "rows/row_group.h"

#include <string.h>

#include <vfi/error.h>

#include "op/resize.h"
#include "rows/row_builder.h"
#include "rows/row_kernel.h"

/* Programs of a group: all pixels, and factors of 2, 4 … 32. */
#define PROGRAMS_MAX 6

struct VfiCudaRowGroup {
    VfiRowProgram programs[PROGRAMS_MAX];
    int n_programs;
    int *scalars; /* that MAX_ABS writes */
    int n_scalars;
};

/* ---- which ops a program needs ----------------------------------------------------- */

/* Index in @live, or -1. */
static int find_plane(const GArray *live, VfiRowPlane plane)
{
    for (guint i = 0; i < live->len; i++) {
        const VfiRowPlane *other = &g_array_index(live, VfiRowPlane, i);
        if (other->region == plane.region && other->offset == plane.offset)
            return (int)i;
    }
    return -1;
}

/* Takes the op's result out of @live; false if nothing of it was there. */
static bool remove_result(GArray *live, const VfiOp *op)
{
    bool found = false;

    if (vfi_op_scalar(op) >= 0)
        return false;
    for (int c = 0; c < op->dst.shape.c; c++) {
        int at = find_plane(live, vfi_row_plane_of(&op->dst, c));
        if (at >= 0)
            g_array_remove_index_fast(live, (guint)at);
        found = found || at >= 0;
    }
    return found;
}

static void add_sources(GArray *live, const VfiOp *op)
{
    for (int s = vfi_row_reads_anywhere(op) ? 1 : 0; s < op->n_src; s++)
        for (int c = 0; c < op->src[s].shape.c; c++) {
            VfiRowPlane plane = vfi_row_plane_of(&op->src[s], c);
            if (find_plane(live, plane) < 0)
                g_array_append_val(live, plane);
        }
}

static bool is_result_of(const VfiOp *op, int factor)
{
    int down = vfi_op_factor_down(op);

    if (factor != 0 || down != 0)
        return down == factor;
    return vfi_op_scalar(op) >= 0 || op->dst.region != VFI_REGION_ROWS;
}

/* From the end: what leaves the group, and what that is made of. False if nothing
 * does. */
static bool find_needed(VfiRowBuilder *builder)
{
    g_autoptr(GArray) live = g_array_new(FALSE, FALSE, sizeof(VfiRowPlane));
    bool any = false;

    for (int i = builder->group->n_ops - 1; i >= 0; i--) {
        const VfiOp *op = &builder->ops[i];
        bool is_read = vfi_op_factor_down(op) == 0 && remove_result(live, op);
        builder->needed[i] = is_read || is_result_of(op, builder->program->factor);
        if (builder->needed[i])
            add_sources(live, op);
        any = any || builder->needed[i];
    }
    return any;
}

/* ---- instructions ------------------------------------------------------------------ */

static VfiRowPlace memory_of(const VfiOperand *operand, int channel)
{
    VfiRowPlane plane = vfi_row_plane_of(operand, channel);

    return (VfiRowPlace){plane.region, plane.offset / vfi_row_element_bytes(operand)};
}

static VfiRowPlace place_of(const VfiRowBuilder *builder, const VfiOperand *operand,
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
    return memory_of(operand, channel);
}

static bool follows(VfiRowPlace first, VfiRowPlace place, size_t planes, size_t plane)
{
    return place.region == first.region &&
           place.at ==
               first.at + (first.region == VFI_ROW_SLOT ? planes : planes * plane);
}

/* Channels from @channel on that one instruction can take. */
static int run_of(const VfiRowBuilder *builder, const VfiOp *op, int channel,
                  int channels)
{
    const VfiOperand *operands[3];
    int n = 0, run = 1;

    if (op->kind == VFI_OP_ACTIVATE && op->u.activation.kind == VFI_ACTIVATION_PRELU)
        return 1; /* a slope each */
    if (vfi_op_scalar(op) < 0 && vfi_op_factor_down(op) == 0)
        operands[n++] = &op->dst;
    if (op->n_src > 0 && !vfi_row_reads_anywhere(op))
        operands[n++] = &op->src[0];
    if (op->n_src > 1 && op->kind != VFI_OP_WARP && op->src[1].shape.c > 1)
        operands[n++] = &op->src[1];
    for (; channel + run < channels; run++)
        for (int i = 0; i < n; i++)
            if (!vfi_operand_is_blocked(operands[i]) &&
                !follows(place_of(builder, operands[i], channel),
                         place_of(builder, operands[i], channel + run), (size_t)run,
                         vfi_row_plane_elements(operands[i])))
                return run;
    return run;
}

static void set_parameters(VfiRowInstruction *code, const VfiOp *op, int channel)
{
    const VfiActivation *activation = &op->u.activation;

    switch (op->kind) {
    case VFI_OP_CLAMP:
        code->p = op->u.clamp.low;
        code->q = op->u.clamp.high;
        break;
    case VFI_OP_ACTIVATE:
        code->is_sigmoid = activation->kind == VFI_ACTIVATION_SIGMOID;
        code->p = activation->kind == VFI_ACTIVATION_PRELU   ? activation->slope[channel]
                  : activation->kind == VFI_ACTIVATION_LEAKY ? activation->leak
                                                             : 1.0f;
        break;
    case VFI_OP_ADD:
    case VFI_OP_SUB:
        code->p = op->u.sum.scale;
        break;
    case VFI_OP_RESIZE:
        code->p = op->u.resize.mul;
        break;
    case VFI_OP_AFFINE:
        code->p = op->u.affine.mul;
        code->q = op->u.affine.add;
        break;
    case VFI_OP_FILL:
        code->input = (uint8_t)op->u.fill.input;
        code->p = op->u.fill.mul;
        code->q = op->u.fill.add;
        break;
    default:
        break;
    }
}

/* The source that @op reads anywhere, from its channel @channel on. */
static void set_source(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel)
{
    const VfiOperand *source = &op->src[0];
    size_t at = source->offset / vfi_row_element_bytes(source);
    size_t channels = (size_t)channel * (op->kind == VFI_OP_PIXEL_SHUFFLE ? 4 : 1);

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

/* In a program of a smaller picture nothing but that picture goes to memory. */
static void hold_result(VfiRowBuilder *builder, const VfiOp *op)
{
    for (int c = 0; c < op->dst.shape.c; c++) {
        VfiRowHeld held = {vfi_row_plane_of(&op->dst, c), builder->program->n_slots++};
        g_array_append_val(builder->held, held);
    }
}

/* ---- ops --------------------------------------------------------------------------- */

static void put_result(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel, int count)
{
    VfiRowProgram *program = builder->program;

    if (vfi_op_scalar(op) >= 0) {
        code->at[VFI_ROW_DST] = (uint32_t)vfi_op_scalar(op);
        return;
    }
    if (vfi_row_is_piece(op)) {
        vfi_row_put_piece(builder, code, op, channel, count);
    } else {
        code->dst_half = op->dst.half;
        vfi_row_put(builder, code, VFI_ROW_DST,
                    vfi_op_factor_down(op) == 0 ? place_of(builder, &op->dst, channel)
                                                : memory_of(&op->dst, channel));
    }
    if (vfi_op_factor_down(op) != 0 && !code->is_gathered) {
        vfi_row_put(builder, code, VFI_ROW_C,
                    (VfiRowPlace){VFI_ROW_SLOT, (size_t)program->n_slots});
        program->n_slots += count;
    }
}

static void emit(VfiRowBuilder *builder, const VfiOp *op, int channel, int count)
{
    VfiRowInstruction *code = vfi_row_add_instruction(builder);

    if (code == NULL)
        return;
    *code = (VfiRowInstruction){.kind = (uint8_t)op->kind,
                                .count = (uint16_t)count,
                                .half = op->n_src > 0 && op->src[0].half,
                                .is_down = vfi_op_factor_down(op) != 0};
    set_parameters(code, op, channel);
    if (vfi_row_reads_anywhere(op))
        set_source(builder, code, op, channel);
    else if (op->n_src > 0)
        vfi_row_put(builder, code, VFI_ROW_A, place_of(builder, &op->src[0], channel));
    if (op->kind == VFI_OP_WARP) {
        vfi_row_put(builder, code, VFI_ROW_B, place_of(builder, &op->src[1], 0));
        vfi_row_put(builder, code, VFI_ROW_C, place_of(builder, &op->src[1], 1));
    } else if (op->n_src > 1) {
        code->one_b = op->src[1].shape.c == 1;
        vfi_row_put(builder, code, VFI_ROW_B,
                    place_of(builder, &op->src[1], code->one_b ? 0 : channel));
    }
    put_result(builder, code, op, channel, count);
}

static bool dimensions_fit(const VfiOp *op)
{
    for (int s = 0; s < op->n_src; s++)
        if (op->src[s].shape.w > UINT16_MAX || op->src[s].shape.h > UINT16_MAX ||
            op->src[s].shape.c > UINT16_MAX)
            return false;
    return op->dst.shape.w <= UINT16_MAX && op->dst.shape.h <= UINT16_MAX &&
           op->dst.shape.c <= UINT16_MAX;
}

static void emit_op(VfiRowBuilder *builder, const VfiOp *op)
{
    bool has_slots = vfi_op_scalar(op) >= 0 || vfi_op_factor_down(op) != 0 ||
                     op->dst.region == VFI_REGION_ROWS;
    int channels = vfi_op_scalar(op) >= 0 ? op->src[0].shape.c : op->dst.shape.c;

    builder->fits = builder->fits && dimensions_fit(op);
    if (builder->program->factor != 0 && !has_slots)
        hold_result(builder, op);
    for (int c = 0; c < channels && builder->fits;) {
        int run = run_of(builder, op, c, channels);
        emit(builder, op, c, run);
        c += run;
    }
}

/* ---- groups ------------------------------------------------------------------------ */

/* The program of pictures that are @factor times smaller, or (0) of all pixels. False if
 * it does not fit; without instructions if the group has no such results. */
static bool build_program(VfiRowProgram *program, const VfiPlan *plan,
                          const VfiRowGroup *group, int factor)
{
    g_autofree bool *needed = g_new0(bool, group->n_ops);
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(VfiRowHeld));
    g_autoptr(GArray) pixels = g_array_new(FALSE, FALSE, sizeof(VfiRowPixel));
    VfiRowBuilder builder = {.ops = plan->ops + group->first_op,
                             .group = group,
                             .program = program,
                             .needed = needed,
                             .held = held,
                             .pixels = pixels,
                             .fits = true};

    memset(program, 0, sizeof *program);
    program->factor = factor;
    program->w = group->w;
    program->h = group->h;
    program->n_slots = group->n_planes;
    if (!find_needed(&builder))
        return true;
    vfi_row_find_pixels(&builder);
    vfi_row_lay_out_pixels(&builder);
    for (int i = 0; i < group->n_ops && builder.fits; i++)
        if (needed[i])
            emit_op(&builder, &builder.ops[i]);
    vfi_row_emit_packs(&builder);
    return builder.fits && program->n_slots <= VFI_ROW_SLOTS;
}

static void find_scalars(VfiCudaRowGroup *ready, const VfiPlan *plan,
                         const VfiRowGroup *group)
{
    ready->scalars = g_new0(int, group->n_ops);
    for (int i = 0; i < group->n_ops; i++) {
        int scalar = vfi_op_scalar(&plan->ops[group->first_op + i]);
        if (scalar >= 0)
            ready->scalars[ready->n_scalars++] = scalar;
    }
}

VfiCudaRowGroup *vfi_cuda_row_group_new(const VfiPlan *plan, const VfiRowGroup *group,
                                        GError **error)
{
    VfiCudaRowGroup *ready = g_new0(VfiCudaRowGroup, 1);

    /* The smaller pictures first: they read what the last program may write over. */
    for (int factor = VFI_RESIZE_FACTOR_MAX; factor >= 1; factor /= 2) {
        VfiRowProgram *program = &ready->programs[ready->n_programs];
        if (!build_program(program, plan, group, factor == 1 ? 0 : factor)) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                        "a row group of %d ops and %d planes is too large for the CUDA "
                        "backend: expected up to %d instructions and %d planes",
                        group->n_ops, group->n_planes, VFI_ROW_INSTRUCTIONS,
                        VFI_ROW_SLOTS);
            vfi_cuda_row_group_free(ready);
            return NULL;
        }
        ready->n_programs += program->n > 0;
    }
    find_scalars(ready, plan, group);
    return ready;
}

void vfi_cuda_row_group_free(VfiCudaRowGroup *group)
{
    if (group == NULL)
        return;
    g_free(group->scalars);
    g_free(group);
}

cudaError_t vfi_cuda_row_group_run(cudaStream_t stream, const VfiCudaRowGroup *group,
                                   char *const *region, const VfiRunInputs *inputs,
                                   float *scalars)
{
    cudaError_t error = cudaSuccess;

    for (int i = 0; i < group->n_scalars && error == cudaSuccess; i++)
        error = vfi_cuda_clear_scalar(stream, scalars + group->scalars[i]);
    for (int i = 0; i < group->n_programs && error == cudaSuccess; i++)
        error = vfi_cuda_run_rows(stream, &group->programs[i], region, inputs, scalars);
    return error;
}
