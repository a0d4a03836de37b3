/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's luma, averaged over at most 64×64 cells. */
#include "scene/signature.h"

#include <string.h>

#include "pixels/colour.h"
#include "pixels/samples.h"
#include "scene/luma.h"

/* Rows of a cell that are looked at: more add nothing to an average this coarse. */
#define ROWS_PER_CELL 8

VFI_ALWAYS_INLINE float sum_u8(const uint8_t *in, int n, int stride)
{
    uint32_t sum = 0; /* at most 2^14 samples of 8 bits */

    for (ptrdiff_t i = 0; i < n; i++)
        sum += in[i * stride];
    return (float)sum;
}

VFI_ALWAYS_INLINE float sum_u16(const uint16_t *in, int n, int stride, int shift)
{
    uint32_t sum = 0; /* at most 2^14 samples of 16 bits */

    for (ptrdiff_t i = 0; i < n; i++)
        sum += (uint32_t)in[i * stride] >> shift;
    return (float)sum;
}

static float sum_f32(const float *in, int n)
{
    float sum = 0;

    for (ptrdiff_t i = 0; i < n; i++)
        sum += in[i];
    return sum;
}

/* Sum of the @n codes of @component that begin at @in. Luma samples of two bytes lie side
 * by side or in packed pixels of four samples, those of four bytes side by side. */
static float sum_codes(const uint8_t *in, int n, const VfiFormatDescription *format,
                       const VfiComponent *component)
{
    if (format->sample_bytes == 4)
        return sum_f32((const float *)(const void *)in, n);
    if (format->sample_bytes == 2 && component->pixel_stride == 2)
        return sum_u16((const uint16_t *)(const void *)in, n, 1, format->shift);
    if (format->sample_bytes == 2)
        return sum_u16((const uint16_t *)(const void *)in, n, 4, format->shift);
    if (component->pixel_stride == 1)
        return sum_u8(in, n, 1);
    if (component->pixel_stride == 3)
        return sum_u8(in, n, 3);
    return sum_u8(in, n, 4);
}

/* Adds weighted mean codes of one row of cells, frame rows [begin, end), to @cells. */
static void add_cells(const VfiVideoInfo *info, const VfiFrame *frame, int index,
                      float weight, int n_cells, int begin, int end, float *cells)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *component = &format->component[index];
    const int rows = end - begin < ROWS_PER_CELL ? end - begin : ROWS_PER_CELL;

    for (int row = 0; row < rows; row++) {
        const int y = begin + row * (end - begin) / rows;

        for (int cell = 0; cell < n_cells; cell++) {
            const int left = cell * info->width / n_cells;
            const int right = (cell + 1) * info->width / n_cells;
            const uint8_t *in = vfi_sample_at(frame, component, left, y);
            const float scale = weight / (float)(rows * (right - left));

            cells[cell] += scale * sum_codes(in, right - left, format, component);
        }
    }
}

static int cells_along(int size, int longer)
{
    const int limit = VFI_SCENE_SIGNATURE_SIZE;
    int cells = longer <= limit ? size : (size * limit + longer / 2) / longer;

    return cells > 1 ? cells : 1;
}

void vfi_scene_signature_size(const VfiVideoInfo *info, int *width, int *height)
{
    const int longer = info->width > info->height ? info->width : info->height;

    *width = cells_along(info->width, longer);
    *height = cells_along(info->height, longer);
}

void vfi_scene_signature(const VfiVideoInfo *info, const VfiFrame *frame,
                         VfiSceneSignature *signature)
{
    const VfiLumaWeights luma = vfi_luma_weights(vfi_format_describe(info->format));
    VfiColour colour;

    vfi_colour_init(&colour, info);
    vfi_scene_signature_size(info, &signature->width, &signature->height);
    for (int y = 0; y < signature->height; y++) {
        const int begin = y * info->height / signature->height;
        const int end = (y + 1) * info->height / signature->height;
        float *cells = signature->luma[y];

        memset(cells, 0, (size_t)signature->width * sizeof *cells);
        for (int i = 0; i < luma.n; i++)
            add_cells(info, frame, i, luma.weight[i], signature->width, begin, end,
                      cells);
        for (int x = 0; x < signature->width; x++) {
            float level = (cells[x] - colour.offset[0]) * colour.to_rgb[0][0];
            cells[x] = 255.0f * vfi_clamp(level, 1.0f);
        }
    }
}
