/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flows and mask applied to a frame's own planes. A row of one grid (luma's or chroma's)
 * goes in blocks through four steps: flow and mask at the grid's samples, coordinates in
 * both frames, bilinear samples, weighted mean. */
#include "pixels/level.h"

#include "pixels/colour.h"
#include "pixels/flow_field.h"
#include "pixels/format.h"
#include "pixels/gather.h"
#include "pixels/samples.h"

/* A band of work. */
typedef struct {
    const VfiVideoInfo *info;
    const VfiFormatDescription *format;
    const VfiFrame *frame[2];
    const VfiFlowField *field;
    const VfiFrame *out;
    float black[VFI_MAX_PLANES]; /* code of each component that the padding stands for */
} WarpBlend;

/* The grid of samples that planes of equal subsampling share. No format subsamples rows
 * alone: shift_x tells luma's grid from chroma's. */
typedef struct {
    int shift_x, shift_y;
    int width, height;    /* of the frame */
    int reach_x, reach_y; /* largest coordinates that may be asked for */
} Grid;

static Grid grid_of(const WarpBlend *work, int shift_x, int shift_y)
{
    const VfiFlowField *field = work->field;
    Grid grid = {.shift_x = shift_x,
                 .shift_y = shift_y,
                 .width = vfi_subsampled(work->info->width, shift_x),
                 .height = vfi_subsampled(work->info->height, shift_y)};

    grid.reach_x = grid.width - 1;
    grid.reach_y = grid.height - 1;
    if (field->reference_borders) {
        grid.reach_x = vfi_subsampled(field->padded_w, shift_x) - 1;
        grid.reach_y = vfi_subsampled(field->padded_h, shift_y) - 1;
    }
    return grid;
}

/* Coordinates that a flow leads to, clamped to the grid's reach; NaN leads to 0. */
static void find_coordinates(const Grid *grid, int x, int y, int n,
                             const float *restrict flow_x, const float *restrict flow_y,
                             VfiCoordinates *restrict at)
{
    const float reach_x = (float)grid->reach_x, reach_y = (float)grid->reach_y;

    for (int i = 0; i < n; i++) {
        float column = vfi_clamp((float)(x + i) + flow_x[i], reach_x);
        float row = vfi_clamp((float)y + flow_y[i], reach_y);
        at->x[i] = (int32_t)column;
        at->y[i] = (int32_t)row;
        at->part_x[i] = column - (float)at->x[i];
        at->part_y[i] = row - (float)at->y[i];
    }
    /* Vectors of 8 may run past n: give them a harmless place. */
    for (int i = n; i % 8 != 0; i++) {
        at->x[i] = at->y[i] = 0;
        at->part_x[i] = at->part_y[i] = 0;
    }
}

/* Whether no coordinate is beyond the frame, where the padding would be seen. */
static bool stays_inside(const Grid *grid, const VfiCoordinates *at, int n)
{
    int beyond = 0;

    if (grid->reach_x < grid->width && grid->reach_y < grid->height)
        return true;
    for (int i = 0; i < n; i++) {
        float last_x = (float)at->x[i] + at->part_x[i];
        float last_y = (float)at->y[i] + at->part_y[i];
        beyond |=
            (last_x > (float)(grid->width - 1)) | (last_y > (float)(grid->height - 1));
    }
    return !beyond;
}

VFI_ALWAYS_INLINE float load_code(const uint8_t *sample, int bytes, int shift)
{
    if (bytes == 1)
        return (float)*sample;
    if (bytes == 2)
        return (float)(*(const uint16_t *)(const void *)sample >> shift);
    return *(const float *)(const void *)sample;
}

/* One component's bilinear samples. Samples beyond the frame are @black where @padded,
 * else the frame's edge. */
VFI_ALWAYS_INLINE void sample_component(const VfiPlaneView *view, int offset, int bytes,
                                        int shift, const VfiCoordinates *at, int n,
                                        bool padded, float black, float *restrict out)
{
    const int last_x = view->width - 1, last_y = view->height - 1;

    for (int i = 0; i < n; i++) {
        const int x = at->x[i], y = at->y[i];
        const int x0 = x < last_x ? x : last_x, x1 = x < last_x ? x + 1 : last_x;
        const int y0 = y < last_y ? y : last_y, y1 = y < last_y ? y + 1 : last_y;
        const uint8_t *row0 = view->data + y0 * view->stride + offset;
        const uint8_t *row1 = view->data + y1 * view->stride + offset;
        float v00 = load_code(row0 + (ptrdiff_t)x0 * view->pixel_stride, bytes, shift);
        float v01 = load_code(row0 + (ptrdiff_t)x1 * view->pixel_stride, bytes, shift);
        float v10 = load_code(row1 + (ptrdiff_t)x0 * view->pixel_stride, bytes, shift);
        float v11 = load_code(row1 + (ptrdiff_t)x1 * view->pixel_stride, bytes, shift);

        if (padded) {
            v00 = x > last_x || y > last_y ? black : v00;
            v01 = x >= last_x || y > last_y ? black : v01;
            v10 = x > last_x || y >= last_y ? black : v10;
            v11 = x >= last_x || y >= last_y ? black : v11;
        }
        float upper = v00 + (v01 - v00) * at->part_x[i];
        float lower = v10 + (v11 - v10) * at->part_x[i];
        out[i] = upper + (lower - upper) * at->part_y[i];
    }
}

static void sample_inside(const VfiFormatDescription *format, const VfiPlaneView *view,
                          int offset, const VfiCoordinates *at, int n, float *out)
{
    if (format->sample_bytes == 1)
        sample_component(view, offset, 1, 0, at, n, false, 0, out);
    else if (format->sample_bytes == 2)
        sample_component(view, offset, 2, format->shift, at, n, false, 0, out);
    else
        sample_component(view, offset, 4, 0, at, n, false, 0, out);
}

static void sample_padded(const VfiFormatDescription *format, const VfiPlaneView *view,
                          int offset, const VfiCoordinates *at, int n, float black,
                          float *out)
{
    if (format->sample_bytes == 1)
        sample_component(view, offset, 1, 0, at, n, true, black, out);
    else if (format->sample_bytes == 2)
        sample_component(view, offset, 2, format->shift, at, n, true, black, out);
    else
        sample_component(view, offset, 4, 0, at, n, true, black, out);
}

/* Samples of every component of @plane at @at, into out[component]. */
static void sample_plane(const WarpBlend *work, const Grid *grid, const VfiFrame *frame,
                         int plane, const VfiCoordinates *at, bool inside, int n,
                         float (*out)[VFI_PIXELS_BLOCK])
{
    const VfiFormatDescription *format = work->format;
    const VfiPlaneView view = {.data = frame->data[plane],
                               .stride = frame->stride[plane],
                               .pixel_stride =
                                   vfi_format_plane(format, plane).pixel_stride,
                               .width = grid->width,
                               .height = grid->height};

    if (inside && vfi_gather_plane(format, plane, &view, at, n, out))
        return;
    for (int c = 0; c < format->n_components; c++) {
        const VfiComponent *component = &format->component[c];
        if (component->plane != plane)
            continue;
        /* No network saw alpha, so there is no padding of it: its edge goes on. */
        if (inside || c == 3)
            sample_inside(format, &view, component->offset, at, n, out[c]);
        else
            sample_padded(format, &view, component->offset, at, n, work->black[c],
                          out[c]);
    }
}

/* first = first × mask + second × (1 − mask), equal values unchanged. */
static void mix(float *restrict first, const float *restrict second,
                const float *restrict mask, int n)
{
    for (int i = 0; i < n; i++)
        first[i] = second[i] + (first[i] - second[i]) * mask[i];
}

/* @n samples from @x on of row @y, in every plane of @grid. */
static void warp_blend_block(const WarpBlend *work, const Grid *grid, int x, int n, int y)
{
    const VfiFormatDescription *format = work->format;
    float samples[2][VFI_MAX_PLANES][VFI_PIXELS_BLOCK];
    VfiFieldScratch scratch;
    VfiCoordinates at[2];
    bool inside[2];
    const VfiFieldRow field = vfi_field_row(work->info, work->field, grid->shift_x,
                                            grid->shift_y, x, n, y, scratch);

    for (int f = 0; f < 2; f++) {
        find_coordinates(grid, x, y, n, field.flow_x[f], field.flow_y[f], &at[f]);
        inside[f] = stays_inside(grid, &at[f], n);
    }
    for (int plane = 0; plane < format->n_planes; plane++) {
        const VfiPlaneLayout layout = vfi_format_plane(format, plane);
        if (layout.shift_x != grid->shift_x || layout.shift_y != grid->shift_y)
            continue;
        for (int f = 0; f < 2; f++)
            sample_plane(work, grid, work->frame[f], plane, &at[f], inside[f], n,
                         samples[f]);
        for (int c = 0; c < format->n_components; c++) {
            const VfiComponent *component = &format->component[c];
            if (component->plane != plane)
                continue;
            mix(samples[0][c], samples[1][c], field.mask, n);
            vfi_store_codes(vfi_sample_at(work->out, component, x, y), samples[0][c], n,
                            format, component);
        }
    }
}

/* Luma rows [begin, end), or the rows of a subsampled grid that belong to them. */
static void warp_blend_rows(const WarpBlend *work, const Grid *grid, int begin, int end)
{
    for (int y = begin >> grid->shift_y; y < vfi_subsampled(end, grid->shift_y); y++)
        for (int x = 0; x < grid->width; x += VFI_PIXELS_BLOCK) {
            int left = grid->width - x;
            warp_blend_block(work, grid, x,
                             left < VFI_PIXELS_BLOCK ? left : VFI_PIXELS_BLOCK, y);
        }
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_warp_blend)(const VfiVideoInfo *info,
                                                const VfiFrame *frame0,
                                                const VfiFrame *frame1,
                                                const VfiFlowField *field,
                                                const VfiFrame *out, int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *chroma = &format->component[format->n_components > 1 ? 1 : 0];
    WarpBlend work = {.info = info,
                      .format = format,
                      .frame = {frame0, frame1},
                      .field = field,
                      .out = out};
    VfiColour colour;

    vfi_colour_init(&colour, info);
    memcpy(work.black, colour.offset, sizeof colour.offset);
    const Grid luma_grid = grid_of(&work, 0, 0);
    const Grid chroma_grid = grid_of(&work, chroma->shift_x, chroma->shift_y);

    /* Chroma rows right after their luma rows: the field is still in the cache. */
    for (int y = begin; y < end; y += VFI_BAND_ALIGN) {
        const int next = y + VFI_BAND_ALIGN < end ? y + VFI_BAND_ALIGN : end;
        warp_blend_rows(&work, &luma_grid, y, next);
        if (chroma->shift_x != 0)
            warp_blend_rows(&work, &chroma_grid, y, next);
    }
    for (int y = begin; y < end; y++)
        vfi_store_filler(out, format, 0, y, info->width);
}
