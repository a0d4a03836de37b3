/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of descriptors, and what all kinds have in common. */
#include "op/descriptor.h"

#include <stdarg.h>
#include <string.h>

#include <vfi/error.h>

/* Bounds that keep every index of a kernel within an int. */
#define MAX_DIMENSION (1 << 24)
#define MAX_PLANE ((size_t)1 << 30)

static const VfiOpDescriptor *const descriptors[] = {
#define VFI_OP_ENTRY(SUFFIX, identifier) [VFI_OP_##SUFFIX] = &vfi_op_##identifier,
    VFI_OP_LIST(VFI_OP_ENTRY)
#undef VFI_OP_ENTRY
};

G_STATIC_ASSERT(G_N_ELEMENTS(descriptors) == VFI_OP_KIND_COUNT);

static bool exists(VfiOpKind kind)
{
    return (unsigned)kind < VFI_OP_KIND_COUNT;
}

const VfiOpDescriptor *vfi_op_descriptor(VfiOpKind kind)
{
    return descriptors[kind];
}

static void append_shapes(GString *text, const VfiOp *op)
{
    for (int i = 0; i < MIN(op->n_src, VFI_OP_MAX_SOURCES); i++) {
        VfiShape s = op->src[i].shape;
        g_string_append_printf(text, "%s%d×%d×%d", i == 0 ? " of " : " and ", s.c, s.h,
                               s.w);
    }
    if (op->dst.shape.c != 0) /* not while it is asked for */
        g_string_append_printf(text, " to %d×%d×%d", op->dst.shape.c, op->dst.shape.h,
                               op->dst.shape.w);
}

bool vfi_op_refuse(const VfiOp *op, GError **error, const char *format, ...)
{
    g_autoptr(GString) text = g_string_new(vfi_op_kind_to_string(op->kind));
    va_list arguments;

    if (op->name != NULL && strcmp(op->name, text->str) != 0)
        g_string_append_printf(text, " '%s'", op->name);
    append_shapes(text, op);
    g_string_append(text, ": ");
    va_start(arguments, format);
    g_string_append_vprintf(text, format, arguments);
    va_end(arguments);
    g_set_error_literal(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, text->str);
    return false;
}

static bool has_pixels(VfiShape s)
{
    return s.c >= 1 && s.h >= 1 && s.w >= 1;
}

bool vfi_op_infer(const VfiOp *op, VfiShape *result, GError **error)
{
    if (!exists(op->kind))
        return vfi_op_refuse(op, error, "no such operation");
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    if (op->n_src < descriptor->min_sources || op->n_src > descriptor->max_sources)
        return vfi_op_refuse(op, error,
                             "a source is missing or too many: expected %d to %d",
                             descriptor->min_sources, descriptor->max_sources);
    for (int i = 0; i < op->n_src; i++)
        if (!has_pixels(op->src[i].shape))
            return vfi_op_refuse(op, error, "source %d has no pixels", i);
    VfiShape shape; /* the op's own may be @result */
    if (!descriptor->infer(op, &shape, error))
        return false;
    *result = shape;
    return true;
}

bool vfi_op_infer_same(const VfiOp *op, VfiShape *result, GError **error)
{
    (void)error;
    *result = op->src[0].shape;
    return true;
}

/* ---- placed ops -------------------------------------------------------------------- */

static bool operand_is_sane(const VfiOperand *operand)
{
    VfiShape s = operand->shape;

    return has_pixels(s) && s.c <= MAX_DIMENSION && s.h <= MAX_DIMENSION &&
           s.w <= MAX_DIMENSION && (size_t)s.h * (size_t)s.w <= MAX_PLANE &&
           operand->offset % (operand->half ? 2 : sizeof(float)) == 0 &&
           (unsigned)operand->region <= VFI_REGION_ROWS && operand->block >= 0;
}

static bool check_operands(const VfiOp *op, GError **error)
{
    for (int i = 0; i < op->n_src; i++)
        if (!operand_is_sane(&op->src[i]))
            return vfi_op_refuse(op, error, "a source's shape or offset is out of range");
    if (!operand_is_sane(&op->dst))
        return vfi_op_refuse(op, error, "the result's shape or offset is out of range");
    return true;
}

static bool check_result(const VfiOp *op, GError **error)
{
    VfiShape expected;

    if (!vfi_op_infer(op, &expected, error))
        return false;
    if (!vfi_shape_equal(op->dst.shape, expected))
        return vfi_op_refuse(op, error, "the result must be %d×%d×%d", expected.c,
                             expected.h, expected.w);
    return true;
}

static bool check_arrays(const VfiOp *op, GError **error)
{
    VfiOpArray arrays[VFI_OP_MAX_ARRAYS];
    VfiOpParams params = op->u;
    int n = vfi_op_arrays(op, arrays);

    for (int i = 0; i < n; i++)
        if (!arrays[i].is_optional && *vfi_op_array(&params, &arrays[i]) == NULL)
            return vfi_op_refuse(op, error, "its %s is missing", arrays[i].name);
    return true;
}

static bool check_layouts(const VfiOp *op, unsigned blocked, GError **error)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    bool is_piece = descriptor->row_local && blocked == VFI_LAYOUT_CHANNELS_LAST;
    bool dst_blocked = vfi_operand_is_blocked(&op->dst);

    for (int i = 0; i < op->n_src; i++)
        if (vfi_operand_is_blocked(&op->src[i]) &&
            (descriptor->source[i].layouts & blocked) == 0)
            return vfi_op_refuse(op, error,
                                 "operands must be planar, but source %d is not", i);
    if (is_piece)
        return true;
    if (dst_blocked && (descriptor->result & (blocked | VFI_LAYOUT_LIKE_SOURCE)) == 0)
        return vfi_op_refuse(op, error, "operands must be planar, but the result is not");
    if ((descriptor->result & VFI_LAYOUT_LIKE_SOURCE) != 0 &&
        vfi_operand_is_blocked(&op->src[0]) != dst_blocked)
        return vfi_op_refuse(op, error, "the source is not laid out as the result");
    if (descriptor->whole_blocks && blocked == VFI_LAYOUT_BLOCKS && dst_blocked &&
        op->dst.shape.c % op->dst.block != 0)
        return vfi_op_refuse(op, error, "the result's channels must fill blocks");
    return true;
}

bool vfi_op_check(const VfiOp *op, unsigned blocked, GError **error)
{
    return check_result(op, error) && check_operands(op, error) &&
           check_arrays(op, error) && check_layouts(op, blocked, error);
}

/* ---- questions --------------------------------------------------------------------- */

VfiReading vfi_op_reading(const VfiOp *op, int i)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);

    return descriptor->reading != NULL ? descriptor->reading(op, i)
                                       : descriptor->source[i].reading;
}

VfiShape vfi_op_picture(const VfiOp *op)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);

    if (!descriptor->row_local)
        return (VfiShape){0, 0, 0};
    return descriptor->picture != NULL ? descriptor->picture(op) : op->dst.shape;
}

double vfi_op_macs(const VfiOp *op)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);

    return descriptor->macs != NULL ? descriptor->macs(op) : 0.0;
}

bool vfi_op_moves_pixels(VfiOpKind kind)
{
    return (vfi_op_descriptor(kind)->result & VFI_LAYOUT_LIKE_SOURCE) != 0;
}

int vfi_op_scalar(const VfiOp *op)
{
    return vfi_op_descriptor(op->kind)->gives_scalar ? op->u.max_abs.scalar : -1;
}

int vfi_op_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);

    return descriptor->arrays != NULL ? descriptor->arrays(op, arrays) : 0;
}

bool vfi_op_of_case(VfiOp *op, VfiOpKind kind, const VfiOpCase *test, GError **error)
{
    *op = (VfiOp){.kind = kind, .name = "test", .u = test->params};
    while (op->n_src < VFI_OP_MAX_SOURCES && test->src[op->n_src].c != 0) {
        op->src[op->n_src].shape = test->src[op->n_src];
        op->n_src++;
    }
    return vfi_op_infer(op, &op->dst.shape, error);
}
