/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows/row_pixels.h"

#include "op/resize.h"

/* Pixels with more channels are not gathered: their slots would leave room for few
 * threads. */
#define GATHERED_MAX 128

/* A pixel whose channels are gathered. */
typedef struct {
    VfiRegion region;
    int stride;
    size_t begin, end; /* of the first picture's pixel; bytes from the region's start */
    size_t last;       /* the end without zeros */
    int slot;
    bool written[GATHERED_MAX];
} VfiRowPixel;

static size_t pixel_bytes(int stride)
{
    return (size_t)stride * sizeof(uint16_t);
}

/* The pixel that @dst is a part of, or NULL. All parts of a picture's first pixel lie
 * within its stride. */
static VfiRowPixel *find_pixel(const VfiRowBuilder *builder, const VfiOperand *dst)
{
    for (guint i = 0; i < builder->pixels->len; i++) {
        VfiRowPixel *pixel = &g_array_index(builder->pixels, VfiRowPixel, i);
        if (pixel->region == dst->region && pixel->stride == dst->block &&
            dst->offset + pixel_bytes(pixel->stride) > pixel->begin &&
            dst->offset < pixel->begin + pixel_bytes(pixel->stride))
            return pixel;
    }
    return NULL;
}

/* Where the channels of @dst end, in bytes; with or without zeros up to a multiple of
 * eight. */
static size_t end_of_piece(const VfiOperand *dst, bool with_zeros)
{
    size_t end = dst->offset / sizeof(uint16_t) + (size_t)dst->shape.c;

    return (with_zeros && !dst->followed ? (end + 7) / 8 * 8 : end) * sizeof(uint16_t);
}

/* Finds the pixels, and from where to where the needed ops write them. */
static void find_pixels(VfiRowBuilder *builder)
{
    for (int i = 0; i < builder->group->n_ops; i++) {
        const VfiOp *op = &builder->ops[i];
        if (!builder->needed[i] || !vfi_row_is_piece(op) || !op->dst.half ||
            vfi_row_plane_elements(&op->dst) == 1)
            continue;
        size_t begin = op->dst.offset / 16 * 16, end = end_of_piece(&op->dst, true);
        VfiRowPixel *pixel = find_pixel(builder, &op->dst);
        if (pixel == NULL) {
            VfiRowPixel fresh = {.region = op->dst.region,
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

static int pixel_channels(const VfiRowPixel *pixel)
{
    return (int)((pixel->end - pixel->begin) / sizeof(uint16_t));
}

static bool is_gathered(const VfiRowPixel *pixel)
{
    return pixel_channels(pixel) <= GATHERED_MAX;
}

void vfi_row_find_pixels(VfiRowBuilder *builder)
{
    builder->pixels = g_array_new(FALSE, FALSE, sizeof(VfiRowPixel));
    find_pixels(builder);
    /* Sums of smaller pictures are f32, a slot each; other channels are f16. */
    for (guint i = 0; i < builder->pixels->len; i++) {
        VfiRowPixel *pixel = &g_array_index(builder->pixels, VfiRowPixel, i);
        int channels = pixel_channels(pixel);
        if (is_gathered(pixel))
            pixel->slot = vfi_row_take_slots(
                builder, builder->program->factor != 0 ? channels : (channels + 1) / 2);
    }
}

void vfi_row_put_piece(VfiRowBuilder *builder, VfiRowInstruction *code, const VfiOp *op,
                       int channel, int count)
{
    const VfiOperand *dst = &op->dst;
    VfiRowPixel *pixel = dst->half ? find_pixel(builder, dst) : NULL;
    size_t at = dst->offset / vfi_row_element_bytes(dst) + (size_t)channel;
    bool is_last = channel + count == dst->shape.c && !dst->followed;

    if (pixel == NULL || !is_gathered(pixel)) {
        code->dst_stride = (uint16_t)dst->block;
        code->padding = is_last ? (uint16_t)((8 - (at + (size_t)count) % 8) % 8) : 0;
        code->dst_half = dst->half;
        builder->fits = builder->fits && dst->block <= UINT16_MAX;
        vfi_row_put(builder, code, VFI_ROW_DST, (VfiRowPlace){dst->region, at});
        return;
    }
    size_t first = at - pixel->begin / sizeof(uint16_t), end = first + (size_t)count;
    if (is_last)
        end = (size_t)pixel_channels(pixel);
    for (size_t c = first; c < end; c++)
        pixel->written[c] = true;
    if (vfi_op_factor_down(op) != 0) {
        code->is_gathered = true;
        vfi_row_put(builder, code, VFI_ROW_C,
                    (VfiRowPlace){VFI_ROW_SLOT, (size_t)pixel->slot + first});
    } else {
        vfi_row_put(builder, code, VFI_ROW_DST,
                    (VfiRowPlace){VFI_ROW_HALVES, 2 * (size_t)pixel->slot + first});
    }
}

/* Adds an instruction that writes the pixel's channels from @first to @end. */
static void emit_pack(VfiRowBuilder *builder, const VfiRowPixel *pixel, int first,
                      int end)
{
    VfiRowInstruction *code = vfi_row_add_instruction(builder);
    size_t zeros = (pixel->last - pixel->begin) / sizeof(uint16_t);

    if (code == NULL)
        return;
    *code = (VfiRowInstruction){.operation = VFI_ROW_PACK,
                                .count = (uint16_t)(end - first),
                                .is_down = builder->program->factor != 0,
                                .dst_stride = (uint16_t)pixel->stride};
    builder->fits = builder->fits && pixel->stride <= UINT16_MAX;
    vfi_row_put(builder, code, VFI_ROW_DST,
                (VfiRowPlace){pixel->region, pixel->begin / 16});
    vfi_row_put(builder, code, VFI_ROW_A,
                (VfiRowPlace){VFI_ROW_SLOT, (size_t)pixel->slot});
    code->at[VFI_ROW_B] = (uint32_t)first;
    code->at[VFI_ROW_C] = (uint32_t)zeros;
}

void vfi_row_emit_packs(VfiRowBuilder *builder)
{
    for (guint i = 0; i < builder->pixels->len; i++) {
        const VfiRowPixel *pixel = &g_array_index(builder->pixels, VfiRowPixel, i);
        int channels = pixel_channels(pixel), first = 0;
        if (!is_gathered(pixel))
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
