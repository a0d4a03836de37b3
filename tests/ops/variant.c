/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "variant.h"

/* All that there are; channels last a part may begin anywhere. */
static const Layout layouts[] = {
    {.together = false},
    {.together = false, .half = true},
    {.together = true},
    {.together = true, .half = true},
    {.together = true, .before = 3},
    {.together = true, .before = 3, .half = true},
    {.together = true, .before = 5, .followed = true},
    {.together = true, .before = 5, .followed = true, .half = true},
    {.together = true, .before = 16},
    {.together = true, .before = 16, .half = true},
    {.together = true, .before = 8, .followed = true},
    {.together = true, .before = 8, .followed = true, .half = true},
};

static bool has_blocks(const VfiPlanTarget *target)
{
    return !target->channels_last && target->channel_block > 1;
}

static bool is_part(const Layout *layout)
{
    return layout->before > 0 || layout->followed;
}

/* Whether operands of @flags may lie so on the target. CONVERT leads from one storage to
 * the other; else what is channels last is f16 where the target computes with that, and
 * f16 planes are there, too. */
static bool fits_target(const VfiOp *op, unsigned flags, const VfiPlanTarget *target,
                        const Layout *layout)
{
    unsigned flag = !layout->together       ? VFI_LAYOUT_PLANAR
                    : target->channels_last ? VFI_LAYOUT_CHANNELS_LAST
                                            : VFI_LAYOUT_BLOCKS;
    unsigned half_flag = layout->together ? VFI_LAYOUT_HALF : VFI_LAYOUT_HALF_PLANES;

    if ((flags & flag) == 0 || (layout->half && (flags & half_flag) == 0))
        return false;
    if (layout->together && !target->channels_last &&
        (!has_blocks(target) || is_part(layout)))
        return false;
    if (op->kind == VFI_OP_CONVERT)
        return true;
    return layout->together ? layout->half == target->half_pixels
                            : !layout->half || target->half_pixels;
}

static bool is_like_source(const VfiOpDescriptor *descriptor)
{
    return (descriptor->result & VFI_LAYOUT_LIKE_SOURCE) != 0;
}

/* What is read at the pixel itself may begin at any channel; else eight at a time are
 * read, zeros behind the last. By coordinates row groups read f16 planes, too, and
 * channels last where the result is not like that. */
static bool source_fits(const VfiOp *op, int i, const VfiPlanTarget *target, RunForm form,
                        const Layout *layout)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    const VfiSourceRule *rule = &descriptor->source[i];
    bool at_pixel = rule->reading == VFI_READS_PIXEL, grouped = form != RUN_ALONE;

    if (!fits_target(op, rule->layouts, target, layout) ||
        (is_part(layout) && !at_pixel && (layout->before % 8 != 0 || layout->followed)))
        return false;
    if (vfi_op_is_conv(op) && i == 0 && target->channels_last)
        return layout->together;
    if (layout->together)
        return !grouped || (!at_pixel && !is_like_source(descriptor));
    return !layout->half || at_pixel != grouped;
}

/* All ops of row groups write parts of pixels. */
static bool result_fits(const VfiOp *op, const VfiPlanTarget *target, RunForm form,
                        const Layout *layout)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    unsigned flags = descriptor->result;
    bool grouped = form != RUN_ALONE;

    if (descriptor->gives_scalar)
        return !layout->together && !layout->half;
    if (grouped && !target->channels_last)
        return !layout->together && !layout->half;
    if (grouped)
        flags |= VFI_LAYOUT_CHANNELS_LAST | VFI_LAYOUT_HALF;
    return fits_target(op, flags, target, layout);
}

/* The planner's rules for blocks (plan/layout.c): residuals are laid out as the sum,
 * results of a sigmoid are planes, and groups have blocks if they are whole ones, or
 * single channels enough for one, and gain from it. */
static bool conv_fits_blocks(const VfiOp *op, const VfiPlanTarget *target,
                             const Variant *variant)
{
    const VfiConvParams *p = &op->u.conv;
    int block = target->channel_block;
    bool src = variant->src[0].together, dst = variant->dst.together;

    if ((dst && p->activation.kind == VFI_ACTIVATION_SIGMOID) ||
        (op->n_src == 2 && variant->src[1].together != dst))
        return false;
    if (p->groups == 1 || (!src && !dst))
        return true;
    bool whole = op->src[0].shape.c / p->groups % block == 0 &&
                 op->dst.shape.c / p->groups % block == 0;
    bool single = op->src[0].shape.c == p->groups && op->dst.shape.c == p->groups &&
                  p->groups >= block;
    return src && dst && (whole || single) && target->gains_from_blocks(op);
}

static bool same_layout(const Layout *a, const Layout *b)
{
    return a->together == b->together && a->half == b->half && a->before == b->before &&
           a->followed == b->followed;
}

/* Whether operands that fit one by one fit together. */
static bool variant_fits(const VfiOp *op, const VfiPlanTarget *target,
                         const Variant *variant)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    const Layout *first = &variant->src[0], *dst = &variant->dst;
    bool alone = variant->form == RUN_ALONE;

    if (alone && is_like_source(descriptor) && first->together != dst->together)
        return false;
    if (alone && is_like_source(descriptor) && op->kind != VFI_OP_CONVERT &&
        first->half != dst->half)
        return false;
    if (op->kind == VFI_OP_CONVERT && first->half == dst->half)
        return false;
    if (op->kind == VFI_OP_COPY && has_blocks(target) && first->together && dst->together)
        return false; /* plans copy blocks as so many planes */
    if (descriptor->whole_blocks && has_blocks(target) && dst->together &&
        op->dst.shape.c % target->channel_block != 0)
        return false;
    if (vfi_op_is_conv(op) && has_blocks(target) &&
        !conv_fits_blocks(op, target, variant))
        return false;
    return variant->in_place < 0 || same_layout(dst, &variant->src[variant->in_place]);
}

/* With every layout of the sources from @i on and of the result. */
static void add_layouts(GArray *variants, const VfiOp *op, const VfiPlanTarget *target,
                        Variant variant, int i)
{
    for (size_t l = 0; l < G_N_ELEMENTS(layouts); l++) {
        if (i < MIN(op->n_src, VFI_OP_MAX_SOURCES)) {
            variant.src[i] = layouts[l];
            if (source_fits(op, i, target, variant.form, &layouts[l]))
                add_layouts(variants, op, target, variant, i + 1);
            continue;
        }
        variant.dst = layouts[l];
        if (result_fits(op, target, variant.form, &layouts[l]) &&
            variant_fits(op, target, &variant))
            g_array_append_val(variants, variant);
    }
}

/* Rows have room for so many. */
#define ROWS_CHANNELS_MAX 64

static bool fits_rows(const VfiOp *op, VfiShape shape)
{
    VfiShape picture = vfi_op_picture(op);

    return shape.h == picture.h && shape.w == picture.w && shape.c <= ROWS_CHANNELS_MAX;
}

bool may_be_in_rows(const VfiOp *op, const Variant *variant, int i)
{
    return vfi_op_reading(op, i) == VFI_READS_PIXEL && !variant->src[i].together &&
           !variant->src[i].half && fits_rows(op, op->src[i].shape);
}

bool result_may_be_in_rows(const VfiOp *op)
{
    return vfi_op_scalar(op) < 0 && fits_rows(op, op->dst.shape);
}

/* Whether copies make a difference: there is something to copy. */
static bool has_copies(const VfiOp *op, const Variant *variant)
{
    bool any = result_may_be_in_rows(op);

    for (int i = 0; i < op->n_src; i++)
        any = any || may_be_in_rows(op, variant, i);
    return any;
}

GArray *list_variants(const VfiOp *op, const VfiPlanTarget *target)
{
    const VfiOpDescriptor *descriptor = vfi_op_descriptor(op->kind);
    bool grouped = target->row_groups && vfi_op_picture(op).h > 0 &&
                   (target->row_op == NULL || target->row_op(op));
    GArray *variants = g_array_new(FALSE, FALSE, sizeof(Variant));

    for (int form = RUN_ALONE; form <= (grouped ? RUN_FROM_COPIES : RUN_ALONE); form++)
        for (int place = -1; place < op->n_src; place++) {
            Variant variant = {.form = (RunForm)form, .in_place = place};
            if (place < 0 ||
                (descriptor->source[place].in_place && form != RUN_FROM_COPIES &&
                 vfi_shape_equal(op->src[place].shape, op->dst.shape)))
                add_layouts(variants, op, target, variant, 0);
        }
    for (guint i = variants->len; i-- > 0;) {
        const Variant *variant = &g_array_index(variants, Variant, i);
        if (variant->form == RUN_FROM_COPIES && !has_copies(op, variant))
            g_array_remove_index(variants, i);
    }
    return variants;
}

void lay_out(VfiOperand *operand, const Layout *layout, const VfiPlanTarget *target)
{
    operand->half = layout->half;
    operand->followed = layout->followed;
    operand->block = !layout->together ? 0 : target->channel_block;
    if (!layout->together || !target->channels_last)
        return;
    operand->block = (layout->before + operand->shape.c + 7) / 8 * 8;
    operand->block += layout->followed ? 8 : 0;
}

static void append_layout(GString *text, const Layout *layout,
                          const VfiPlanTarget *target)
{
    g_string_append(text, !layout->together       ? "planes"
                          : target->channels_last ? "channels last"
                                                  : "blocks");
    if (layout->half)
        g_string_append(text, " f16");
    if (is_part(layout))
        g_string_append_printf(text, " from %d%s", layout->before,
                               layout->followed ? ", followed" : "");
}

void append_variant(GString *text, const VfiOp *op, const Variant *variant,
                    const VfiPlanTarget *target)
{
    static const char *const forms[] = {"alone", "in a row group",
                                        "in a row group with copies"};

    for (int i = 0; i < op->n_src; i++) {
        append_layout(text, &variant->src[i], target);
        g_string_append(text, i + 1 < op->n_src ? " and " : " to ");
    }
    append_layout(text, &variant->dst, target);
    g_string_append_printf(text, ", %s", forms[variant->form]);
    if (variant->in_place >= 0)
        g_string_append_printf(text, ", onto source %d", variant->in_place);
}
