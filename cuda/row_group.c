/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns row groups into programs for the device. One program computes what is as large as the
 * group's pictures. What resizes down leave is computed by one program a factor, before: a
 * thread of the smaller picture computes the four pixels that it needs the mean of, anew; of
 * pictures that are f times smaller that is 4 / f² of all pixels. Nothing of memory that a group
 * reads and does not write itself changes until the group ends (the planner keeps it), so
 * programs may follow one another. */
#include "row_group.h"

#include <string.h>

#include <vfi/error.h>

#include "row_kernel.h"

/* Programs of a group: all pixels, and factors of 2, 4 … 32. */
#define PROGRAMS_MAX 6

/* Largest factor that the planner lets into groups. */
#define FACTOR_MAX 32

struct VfiCudaRowGroup {
    VfiRowProgram programs[PROGRAMS_MAX];
    int n_programs;
    int *scalars; /* that MAX_ABS writes */
    int n_scalars;
};

/* One channel of an operand: what tells it from others. */
typedef struct {
    int region;
    size_t offset;
} Plane;

/* A plane that a program of a smaller picture keeps in a slot though it has its own memory: what
 * that held before may be for a later program to read. */
typedef struct {
    Plane plane;
    int slot;
} Held;

/* Where an instruction finds a channel. */
typedef struct {
    int region;
    size_t at;
} Place;

/* Most channels of a pixel that are gathered in slots: more would leave room for few threads. */
#define GATHERED_MAX 128

/* A pixel, channels last f16, whose channels a program gathers in slots, so that it writes eight
 * at a time. */
typedef struct {
    int region, stride;
    size_t begin, end; /* bytes from the region's start; of the first picture's pixel */
    size_t last;       /* the end without zeros */
    int slot;
    bool written[GATHERED_MAX];
} Pixel;

typedef struct {
    const VfiOp *ops;
    const VfiRowGroup *group;
    VfiRowProgram *program;
    bool *needed;   /* ops */
    GArray *held;   /* of Held; later ones hide earlier ones */
    GArray *pixels; /* of Pixel */
    bool fits;
} Builder;

static int factor_down(const VfiOp *op)
{
    return op->kind == VFI_OP_RESIZE && op->src[0].shape.h > op->dst.shape.h
               ? op->src[0].shape.h / op->dst.shape.h
               : 0;
}

/* Whether the first source is read elsewhere than at the thread's pixel. */
static bool reads_anywhere(const VfiOp *op)
{
    return op->kind == VFI_OP_WARP || op->kind == VFI_OP_PIXEL_SHUFFLE ||
           (op->kind == VFI_OP_RESIZE && factor_down(op) == 0);
}

static size_t plane_elements(const VfiOperand *operand)
{
    return (size_t)operand->shape.h * (size_t)operand->shape.w;
}

static size_t element_bytes(const VfiOperand *operand)
{
    return operand->half ? 2 : sizeof(float);
}

static Plane plane_of(const VfiOperand *operand, int channel)
{
    size_t step = vfi_operand_is_blocked(operand) ? 1 : plane_elements(operand);

    return (Plane){operand->region,
                   operand->offset + (size_t)channel * step * element_bytes(operand)};
}

/* ---- which ops a program needs ----------------------------------------------------------- */

/* Index in @live, or -1. */
static int find_plane(const GArray *live, Plane plane)
{
    for (guint i = 0; i < live->len; i++) {
        const Plane *other = &g_array_index(live, Plane, i);
        if (other->region == plane.region && other->offset == plane.offset)
            return (int)i;
    }
    return -1;
}

/* Takes the op's result out of @live; false if nothing of it was there. */
static bool remove_result(GArray *live, const VfiOp *op)
{
    bool found = false;

    if (op->kind == VFI_OP_MAX_ABS)
        return false;
    for (int c = 0; c < op->dst.shape.c; c++) {
        int at = find_plane(live, plane_of(&op->dst, c));
        if (at >= 0)
            g_array_remove_index_fast(live, (guint)at);
        found = found || at >= 0;
    }
    return found;
}

static void add_sources(GArray *live, const VfiOp *op)
{
    for (int s = reads_anywhere(op) ? 1 : 0; s < op->n_src; s++)
        for (int c = 0; c < op->src[s].shape.c; c++) {
            Plane plane = plane_of(&op->src[s], c);
            if (find_plane(live, plane) < 0)
                g_array_append_val(live, plane);
        }
}

static bool is_result_of(const VfiOp *op, int factor)
{
    int down = factor_down(op);

    if (factor != 0 || down != 0)
        return down == factor;
    return op->kind == VFI_OP_MAX_ABS || op->dst.region != VFI_REGION_ROWS;
}

/* From the end: what leaves the group, and what that is made of. False if nothing does. */
static bool find_needed(Builder *builder)
{
    g_autoptr(GArray) live = g_array_new(FALSE, FALSE, sizeof(Plane));
    bool any = false;

    for (int i = builder->group->n_ops - 1; i >= 0; i--) {
        const VfiOp *op = &builder->ops[i];
        bool is_read = factor_down(op) == 0 && remove_result(live, op);
        builder->needed[i] = is_read || is_result_of(op, builder->program->factor);
        if (builder->needed[i])
            add_sources(live, op);
        any = any || builder->needed[i];
    }
    return any;
}

/* ---- instructions ------------------------------------------------------------------------ */

static Place memory_of(const VfiOperand *operand, int channel)
{
    Plane plane = plane_of(operand, channel);

    return (Place){plane.region, plane.offset / element_bytes(operand)};
}

static Place place_of(const Builder *builder, const VfiOperand *operand, int channel)
{
    Plane plane = plane_of(operand, channel);

    if (plane.region == VFI_REGION_ROWS)
        return (Place){VFI_ROW_SLOT,
                       plane.offset / (plane_elements(operand) * sizeof(float))};
    for (guint i = builder->held->len; i-- > 0;) {
        const Held *held = &g_array_index(builder->held, Held, i);
        if (held->plane.region == plane.region && held->plane.offset == plane.offset)
            return (Place){VFI_ROW_SLOT, (size_t)held->slot};
    }
    return memory_of(operand, channel);
}

static bool follows(Place first, Place place, size_t planes, size_t plane)
{
    return place.region == first.region &&
           place.at ==
               first.at + (first.region == VFI_ROW_SLOT ? planes : planes * plane);
}

/* Channels from @channel on that one instruction can take. */
static int run_of(const Builder *builder, const VfiOp *op, int channel, int channels)
{
    const VfiOperand *operands[3];
    int n = 0, run = 1;

    if (op->kind == VFI_OP_ACTIVATE && op->u.activation.kind == VFI_ACTIVATION_PRELU)
        return 1; /* a slope each */
    if (op->kind != VFI_OP_MAX_ABS && factor_down(op) == 0)
        operands[n++] = &op->dst;
    if (op->n_src > 0 && !reads_anywhere(op))
        operands[n++] = &op->src[0];
    if (op->n_src > 1 && op->kind != VFI_OP_WARP && op->src[1].shape.c > 1)
        operands[n++] = &op->src[1];
    for (; channel + run < channels; run++)
        for (int i = 0; i < n; i++)
            if (!vfi_operand_is_blocked(operands[i]) &&
                !follows(place_of(builder, operands[i], channel),
                         place_of(builder, operands[i], channel + run), (size_t)run,
                         plane_elements(operands[i])))
                return run;
    return run;
}

static void put(Builder *builder, VfiRowInstruction *code, int operand, Place place)
{
    builder->fits = builder->fits && place.at <= UINT32_MAX;
    code->at[operand] = (uint32_t)place.at;
    code->region[operand] = (int8_t)place.region;
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
    case VFI_OP_AFFINE:
    case VFI_OP_RESIZE:
    case VFI_OP_TIME:
    case VFI_OP_IMAGE_MEAN:
        code->p = op->u.affine.mul;
        code->q = op->u.affine.add;
        break;
    default:
        break;
    }
}

/* The source that @op reads anywhere, from its channel @channel on. */
static void set_source(Builder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel)
{
    const VfiOperand *source = &op->src[0];
    size_t at = source->offset / element_bytes(source);
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
        at += channels * plane_elements(source);
    }
    put(builder, code, VFI_ROW_A, (Place){source->region, at});
}

/* In a program of a smaller picture nothing but that picture goes to memory. */
static void hold_result(Builder *builder, const VfiOp *op)
{
    for (int c = 0; c < op->dst.shape.c; c++) {
        Held held = {plane_of(&op->dst, c), builder->program->n_slots++};
        g_array_append_val(builder->held, held);
    }
}

/* ---- pixels, channels last --------------------------------------------------------------- */

static bool is_piece(const VfiOp *op)
{
    return op->kind != VFI_OP_MAX_ABS && vfi_operand_is_blocked(&op->dst);
}

static size_t pixel_bytes(int stride)
{
    return (size_t)stride * sizeof(uint16_t);
}

/* The pixel that @dst is a piece of, or NULL. Where a picture has several, those of other
 * tensors are farther away. */
static Pixel *find_pixel(const Builder *builder, const VfiOperand *dst)
{
    for (guint i = 0; i < builder->pixels->len; i++) {
        Pixel *pixel = &g_array_index(builder->pixels, Pixel, i);
        if (pixel->region == dst->region && pixel->stride == dst->block &&
            dst->offset + pixel_bytes(pixel->stride) > pixel->begin &&
            dst->offset < pixel->begin + pixel_bytes(pixel->stride))
            return pixel;
    }
    return NULL;
}

/* Bytes behind the last channel of @dst, with zeros up to a multiple of eight or without. */
static size_t end_of_piece(const VfiOperand *dst, bool with_zeros)
{
    size_t end = dst->offset / sizeof(uint16_t) + (size_t)dst->shape.c;

    return (with_zeros && !dst->followed ? (end + 7) / 8 * 8 : end) * sizeof(uint16_t);
}

/* The pixels that the needed ops write pieces of, and how much of them. */
static void find_pixels(Builder *builder)
{
    for (int i = 0; i < builder->group->n_ops; i++) {
        const VfiOp *op = &builder->ops[i];
        if (!builder->needed[i] || !is_piece(op) || !op->dst.half ||
            plane_elements(&op->dst) == 1)
            continue;
        size_t begin = op->dst.offset / 16 * 16, end = end_of_piece(&op->dst, true);
        Pixel *pixel = find_pixel(builder, &op->dst);
        if (pixel == NULL) {
            Pixel fresh = {.region = op->dst.region,
                           .stride = op->dst.block,
                           .begin = begin,
                           .end = end,
                           .last = end_of_piece(&op->dst, false)};
            g_array_append_val(builder->pixels, fresh);
            continue;
        }
        pixel->begin = MIN(pixel->begin, begin);
        pixel->end = MAX(pixel->end, end);
        pixel->last = MAX(pixel->last, end_of_piece(&op->dst, false));
    }
}

static int pixel_channels(const Pixel *pixel)
{
    return (int)((pixel->end - pixel->begin) / sizeof(uint16_t));
}

/* Gives pixels their slots: sums are f32, what is copied is f16. */
static void lay_out_pixels(Builder *builder)
{
    for (guint i = 0; i < builder->pixels->len; i++) {
        Pixel *pixel = &g_array_index(builder->pixels, Pixel, i);
        int channels = pixel_channels(pixel);
        pixel->slot = builder->program->n_slots;
        if (channels <= GATHERED_MAX)
            builder->program->n_slots +=
                builder->program->factor != 0 ? channels : (channels + 1) / 2;
    }
}

/* Where the result goes on from @channel on, channels last. */
static void put_piece(Builder *builder, VfiRowInstruction *code, const VfiOp *op,
                      int channel, int count)
{
    const VfiOperand *dst = &op->dst;
    Pixel *pixel = dst->half ? find_pixel(builder, dst) : NULL;
    size_t at = dst->offset / element_bytes(dst) + (size_t)channel;
    bool is_last = channel + count == dst->shape.c && !dst->followed;

    if (pixel == NULL || pixel_channels(pixel) > GATHERED_MAX) {
        code->dst_stride = (uint16_t)dst->block;
        code->padding = is_last ? (uint16_t)((8 - (at + (size_t)count) % 8) % 8) : 0;
        code->dst_half = dst->half;
        builder->fits = builder->fits && dst->block <= UINT16_MAX;
        put(builder, code, VFI_ROW_DST, (Place){dst->region, at});
        return;
    }
    size_t first = at - pixel->begin / sizeof(uint16_t), end = first + (size_t)count;
    if (is_last)
        end = (size_t)pixel_channels(pixel);
    for (size_t c = first; c < end; c++)
        pixel->written[c] = true;
    if (factor_down(op) != 0) {
        code->is_gathered = true;
        put(builder, code, VFI_ROW_C, (Place){VFI_ROW_SLOT, (size_t)pixel->slot + first});
    } else {
        put(builder, code, VFI_ROW_DST,
            (Place){VFI_ROW_HALVES, 2 * (size_t)pixel->slot + first});
    }
}

static VfiRowInstruction *add_instruction(Builder *builder)
{
    VfiRowProgram *program = builder->program;

    if (program->n == VFI_ROW_INSTRUCTIONS) {
        builder->fits = false;
        return NULL;
    }
    return &program->code[program->n++];
}

/* Writes the pixel's channels from @first to @end. */
static void emit_pack(Builder *builder, const Pixel *pixel, int first, int end)
{
    VfiRowInstruction *code = add_instruction(builder);
    size_t zeros = (pixel->last - pixel->begin) / sizeof(uint16_t);

    if (code == NULL)
        return;
    *code = (VfiRowInstruction){.kind = VFI_ROW_PACK,
                                .count = (uint16_t)(end - first),
                                .is_down = builder->program->factor != 0,
                                .dst_stride = (uint16_t)pixel->stride};
    builder->fits = builder->fits && pixel->stride <= UINT16_MAX;
    put(builder, code, VFI_ROW_DST, (Place){pixel->region, pixel->begin / 16});
    put(builder, code, VFI_ROW_A, (Place){VFI_ROW_SLOT, (size_t)pixel->slot});
    code->at[VFI_ROW_B] = (uint32_t)first;
    code->at[VFI_ROW_C] = (uint32_t)zeros;
}

static void emit_packs(Builder *builder)
{
    for (guint i = 0; i < builder->pixels->len; i++) {
        const Pixel *pixel = &g_array_index(builder->pixels, Pixel, i);
        int channels = pixel_channels(pixel), first = 0;
        if (channels > GATHERED_MAX)
            continue;
        for (int c = 0; c <= channels; c++) {
            if (c < channels && pixel->written[c])
                continue;
            if (first < c)
                emit_pack(builder, pixel, first, c);
            first = c + 1;
        }
    }
}

/* ---- ops --------------------------------------------------------------------------------- */

static void put_result(Builder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel, int count)
{
    VfiRowProgram *program = builder->program;

    if (op->kind == VFI_OP_MAX_ABS) {
        code->at[VFI_ROW_DST] = (uint32_t)op->u.scalar;
        return;
    }
    if (is_piece(op)) {
        put_piece(builder, code, op, channel, count);
    } else {
        code->dst_half = op->dst.half;
        put(builder, code, VFI_ROW_DST,
            factor_down(op) == 0 ? place_of(builder, &op->dst, channel)
                                 : memory_of(&op->dst, channel));
    }
    if (factor_down(op) != 0 && !code->is_gathered) {
        put(builder, code, VFI_ROW_C, (Place){VFI_ROW_SLOT, (size_t)program->n_slots});
        program->n_slots += count;
    }
}

static void emit(Builder *builder, const VfiOp *op, int channel, int count)
{
    VfiRowInstruction *code = add_instruction(builder);

    if (code == NULL)
        return;
    *code = (VfiRowInstruction){.kind = (uint8_t)op->kind,
                                .count = (uint16_t)count,
                                .half = op->n_src > 0 && op->src[0].half,
                                .is_down = factor_down(op) != 0};
    set_parameters(code, op, channel);
    if (reads_anywhere(op))
        set_source(builder, code, op, channel);
    else if (op->n_src > 0)
        put(builder, code, VFI_ROW_A, place_of(builder, &op->src[0], channel));
    if (op->kind == VFI_OP_WARP) {
        put(builder, code, VFI_ROW_B, place_of(builder, &op->src[1], 0));
        put(builder, code, VFI_ROW_C, place_of(builder, &op->src[1], 1));
    } else if (op->n_src > 1) {
        code->one_b = op->src[1].shape.c == 1;
        put(builder, code, VFI_ROW_B,
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

static void emit_op(Builder *builder, const VfiOp *op)
{
    bool has_slots = op->kind == VFI_OP_MAX_ABS || factor_down(op) != 0 ||
                     op->dst.region == VFI_REGION_ROWS;
    int channels = op->kind == VFI_OP_MAX_ABS ? op->src[0].shape.c : op->dst.shape.c;

    builder->fits = builder->fits && dimensions_fit(op);
    if (builder->program->factor != 0 && !has_slots)
        hold_result(builder, op);
    for (int c = 0; c < channels && builder->fits;) {
        int run = run_of(builder, op, c, channels);
        emit(builder, op, c, run);
        c += run;
    }
}

/* ---- groups ------------------------------------------------------------------------------ */

/* The program of pictures that are @factor times smaller, or (0) of all pixels. False if it
 * does not fit; without instructions if the group has no such results. */
static bool build_program(VfiRowProgram *program, const VfiPlan *plan,
                          const VfiRowGroup *group, int factor)
{
    g_autofree bool *needed = g_new0(bool, group->n_ops);
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(Held));
    g_autoptr(GArray) pixels = g_array_new(FALSE, FALSE, sizeof(Pixel));
    Builder builder = {.ops = plan->ops + group->first_op,
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
    find_pixels(&builder);
    lay_out_pixels(&builder);
    for (int i = 0; i < group->n_ops && builder.fits; i++)
        if (needed[i])
            emit_op(&builder, &builder.ops[i]);
    emit_packs(&builder);
    return builder.fits && program->n_slots <= VFI_ROW_SLOTS;
}

static void find_scalars(VfiCudaRowGroup *ready, const VfiPlan *plan,
                         const VfiRowGroup *group)
{
    ready->scalars = g_new0(int, group->n_ops);
    for (int i = 0; i < group->n_ops; i++) {
        const VfiOp *op = &plan->ops[group->first_op + i];
        if (op->kind == VFI_OP_MAX_ABS)
            ready->scalars[ready->n_scalars++] = op->u.scalar;
    }
}

VfiCudaRowGroup *vfi_cuda_row_group_new(const VfiPlan *plan, const VfiRowGroup *group,
                                        GError **error)
{
    VfiCudaRowGroup *ready = g_new0(VfiCudaRowGroup, 1);

    /* The smaller pictures first: they read what the last program may write over. */
    for (int factor = FACTOR_MAX; factor >= 1; factor /= 2) {
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
                                   char *const *region, const VfiCudaRunValues *values,
                                   float *scalars)
{
    cudaError_t error = cudaSuccess;

    for (int i = 0; i < group->n_scalars && error == cudaSuccess; i++)
        error = vfi_cuda_clear_scalar(stream, scalars + group->scalars[i]);
    for (int i = 0; i < group->n_programs && error == cudaSuccess; i++)
        error = vfi_cuda_run_rows(stream, &group->programs[i], region, values, scalars);
    return error;
}
