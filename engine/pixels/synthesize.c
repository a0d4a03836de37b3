/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture from motion hypotheses on the frames' own planes, tile by tile: the weights
 * of all hypotheses on the tile's cells, then row by row of luma's and chroma's samples
 * the plain blend and what each hypothesis finds in both frames, weighed. */
#include "pixels/level.h"

#include "pixels/cubic.h"
#include "pixels/flow_field.h"
#include "pixels/format.h"
#include "pixels/frame_parts.h"
#include "pixels/motion_row.h"

/* A band of work. */
typedef struct {
    const VfiVideoInfo *info;
    const VfiFormatDescription *format;
    const VfiFrame *frame[2];
    VfiCubicPlane plane[2][VFI_MAX_PLANES]; /* of each frame */
    int component[VFI_MAX_PLANES]; /* the first of each plane; the others follow it */
    const VfiMotion *motion;
    const VfiFrame *out;
} Synthesis;

/* The grid of samples that planes of equal subsampling share. */
typedef struct {
    int shift_x, shift_y;
    bool between_x, between_y; /* samples lie half a luma sample behind their first one */
} Grid;

/* What a hypothesis says about some samples. */
typedef struct {
    float x[VFI_PIXELS_BLOCK], y[VFI_PIXELS_BLOCK]; /* vector, in luma pixels */
    float weight[VFI_PIXELS_BLOCK];
} Row;

/* Fills what vectors read behind @n samples. */
static void end_row(Row *row, int n)
{
    for (int i = n; i % 32 != 0; i++)
        row->x[i] = row->y[i] = row->weight[i] = 0;
}

/* Sums over the hypotheses for some samples of a row. */
typedef struct {
    int x, y, n;
    float value[VFI_MAX_PLANES][VFI_PIXELS_BLOCK]; /* of each component */
    float weight[VFI_PIXELS_BLOCK];
} Sums;

static Grid grid_of(const VfiVideoInfo *info, int shift_x, int shift_y)
{
    const int site = (int)info->chroma_site;

    return (Grid){.shift_x = shift_x,
                  .shift_y = shift_y,
                  .between_x = shift_x && !(site & VFI_CHROMA_SITE_HORIZONTAL),
                  .between_y = shift_y && !(site & VFI_CHROMA_SITE_VERTICAL)};
}

/* Where luma position @luma, and half a sample more if @between, lies among cells, in
 * eighths of one: (luma + 1/2) / 2^level - 1/2 cells. */
static int place_on_cells(int luma, bool between, int level)
{
    return ((8 * luma + (between ? 8 : 4)) >> level) - 4;
}

static VfiMotionPlaces places_of(const VfiMotion *motion, const Grid *grid,
                                 const Sums *sums)
{
    return (VfiMotionPlaces){
        .first = place_on_cells(sums->x << grid->shift_x, grid->between_x, motion->level),
        .step = (8 << grid->shift_x) >> motion->level,
        .y = place_on_cells(sums->y << grid->shift_y, grid->between_y, motion->level),
        .n = sums->n};
}

static bool is_on_grid(const VfiFormatDescription *format, int plane, const Grid *grid)
{
    const VfiPlaneLayout layout = vfi_format_plane(format, plane);

    return layout.shift_x == grid->shift_x && layout.shift_y == grid->shift_y;
}

/* The plain blend, with the weights of .weight. */
static void begin_with_blend(const Synthesis *work, const Grid *grid, Sums *sums)
{
    const VfiFormatDescription *format = work->format;
    const float t = work->motion->t;
    float code[2][VFI_PIXELS_BLOCK];

    for (int c = 0; c < format->n_components; c++) {
        const VfiComponent *component = &format->component[c];
        if (!is_on_grid(format, component->plane, grid))
            continue;
        for (int f = 0; f < 2; f++)
            vfi_load_codes(code[f],
                           vfi_sample_at(work->frame[f], component, sums->x, sums->y),
                           sums->n, format, component);
        for (int i = 0; i < sums->n; i++)
            sums->value[c][i] =
                sums->weight[i] * (code[0][i] * (1.0f - t) + code[1][i] * t);
    }
}

/* What lies in frame @f at @move times the vectors, and counts @share of @weight. */
static void add_samples(const Synthesis *work, const Grid *grid, int f, const Row *row,
                        float move, const float *weight, float share, Sums *sums)
{
    const VfiCubicRun run = {.x = sums->x,
                             .y = sums->y,
                             .n = sums->n,
                             .vector_x = row->x,
                             .vector_y = row->y,
                             .scale_x = move / (float)(1 << grid->shift_x),
                             .scale_y = move / (float)(1 << grid->shift_y),
                             .weight = weight,
                             .share = share};

    for (int plane = 0; plane < work->format->n_planes; plane++)
        if (is_on_grid(work->format, plane, grid))
            vfi_cubic_add(&work->plane[f][plane], &run,
                          &sums->value[work->component[plane]]);
}

/* What a hypothesis finds in both frames. */
static void add_hypothesis(const Synthesis *work, const Grid *grid, const Row *row,
                           Sums *sums)
{
    const float t = work->motion->t;
    const VfiPartedRun run = {.x = sums->x,
                              .y = sums->y,
                              .n = sums->n,
                              .width = vfi_subsampled(work->info->width, grid->shift_x),
                              .height = vfi_subsampled(work->info->height, grid->shift_y),
                              .shift_x = grid->shift_x,
                              .shift_y = grid->shift_y,
                              .vector_x = row->x,
                              .vector_y = row->y,
                              .weight = row->weight};
    float part[2][VFI_PIXELS_BLOCK];

    if (vfi_part_weights(&run, t, part)) {
        add_samples(work, grid, 0, row, -t, part[0], 1.0f, sums);
        add_samples(work, grid, 1, row, 1.0f - t, part[1], 1.0f, sums);
    } else {
        add_samples(work, grid, 0, row, -t, row->weight, 1.0f - t, sums);
        add_samples(work, grid, 1, row, 1.0f - t, row->weight, t, sums);
    }
    for (int i = 0; i < sums->n; i++)
        sums->weight[i] += row->weight[i];
}

/* A flow's vectors in luma pixels, made finite. */
static void scale_vectors(const float *restrict flow, int log_scale, int n,
                          float *restrict vector)
{
    const float scale = (float)(1 << log_scale), limit = VFI_MOTION_FAR;

    for (int i = 0; i < n; i++) {
        const float from = flow[i] * scale > -limit ? flow[i] * scale : -limit;
        vector[i] = from < limit ? from : limit;
    }
}

/* What a network finds: each frame where its flow leads, with the mask's part. */
static void add_network(const Synthesis *work, const Grid *grid,
                        const VfiMotionTile *tile, const VfiMotionPlaces *places,
                        Sums *sums)
{
    const int n = sums->n;
    float weight[VFI_PIXELS_BLOCK];
    VfiFieldScratch scratch;
    const VfiFieldRow field =
        vfi_field_row(work->info, work->motion->network, grid->shift_x, grid->shift_y,
                      sums->x, n, sums->y, scratch);
    Row row;

    vfi_motion_weights(tile, vfi_motion_network(work->motion), places, weight);
    for (int f = 0; f < 2; f++) {
        scale_vectors(field.flow_x[f], grid->shift_x, n, row.x);
        scale_vectors(field.flow_y[f], grid->shift_y, n, row.y);
        for (int i = 0; i < n; i++) {
            const float first = weight[i] * vfi_clamp(field.mask[i], 1.0f);
            row.weight[i] = f == 0 ? first : weight[i] - first;
        }
        end_row(&row, n);
        add_samples(work, grid, f, &row, 1.0f, row.weight, 1.0f, sums);
    }
    for (int i = 0; i < n; i++)
        sums->weight[i] += weight[i];
}

static void store_means(const Synthesis *work, const Grid *grid, Sums *sums)
{
    const VfiFormatDescription *format = work->format;

    for (int c = 0; c < format->n_components; c++) {
        const VfiComponent *component = &format->component[c];
        if (!is_on_grid(format, component->plane, grid))
            continue;
        for (int i = 0; i < sums->n; i++)
            sums->value[c][i] /= sums->weight[i];
        vfi_store_codes(vfi_sample_at(work->out, component, sums->x, sums->y),
                        sums->value[c], sums->n, format, component);
    }
}

static bool are_zero(const float *weight, int n)
{
    int any = 0;

    for (int i = 0; i < n; i++)
        any |= weight[i] != 0.0f;
    return any == 0;
}

/* @n samples from @x on of row @y, in every plane of @grid. */
static void synthesize_row(const Synthesis *work, const Grid *grid,
                           const VfiMotionTile *tile, int x, int n, int y)
{
    const int hypotheses = vfi_motion_hypotheses(work->motion);
    Sums sums;
    Row row;

    sums.x = x;
    sums.y = y;
    sums.n = n;
    const VfiMotionPlaces places = places_of(work->motion, grid, &sums);
    vfi_motion_weights(tile, hypotheses, &places, sums.weight);
    begin_with_blend(work, grid, &sums);
    for (int h = 0; h < hypotheses; h++) {
        vfi_motion_weights(tile, h, &places, row.weight);
        if (are_zero(row.weight, n))
            continue;
        vfi_motion_vectors(work->motion, h, &places, row.x, row.y);
        end_row(&row, n);
        add_hypothesis(work, grid, &row, &sums);
    }
    if (work->motion->network != NULL)
        add_network(work, grid, tile, &places, &sums);
    store_means(work, grid, &sums);
}

/* The samples of @grid that belong to luma columns [x, x_end) and rows [y, y_end). */
static void synthesize_tile(const Synthesis *work, const Grid *grid,
                            const VfiMotionTile *tile, int x, int y, int x_end, int y_end)
{
    const int first = x >> grid->shift_x;
    const int n = vfi_subsampled(x_end, grid->shift_x) - first;

    for (int row = y >> grid->shift_y; row < vfi_subsampled(y_end, grid->shift_y); row++)
        synthesize_row(work, grid, tile, first, n, row);
}

/* Where the tile that begins at @at ends: at a multiple of @size, or with the picture. */
static int end_of_tile(int at, int size, int end)
{
    const int next = at / size * size + size;

    return next < end ? next : end;
}

static void find_planes(Synthesis *work)
{
    const VfiFormatDescription *format = work->format;

    for (int c = format->n_components - 1; c >= 0; c--) {
        const VfiComponent *component = &format->component[c];
        const int plane = component->plane;
        work->component[plane] = c;
        for (int f = 0; f < 2; f++) {
            VfiCubicPlane *view = &work->plane[f][plane];
            *view = (VfiCubicPlane){
                .data = work->frame[f]->data[plane],
                .stride = work->frame[f]->stride[plane],
                .width = vfi_subsampled(work->info->width, component->shift_x),
                .height = vfi_subsampled(work->info->height, component->shift_y),
                .pixel_stride = component->pixel_stride,
                .sample_bytes = format->sample_bytes,
                .shift = format->shift};
            for (int k = c; k < format->n_components; k++)
                if (format->component[k].plane == plane)
                    view->offset[view->n_components++] = format->component[k].offset;
        }
    }
}

void VFI_PIXELS_AT_LEVEL(vfi_pixels_synthesize)(const VfiVideoInfo *info,
                                                const VfiFrame *frame0,
                                                const VfiFrame *frame1,
                                                const VfiMotion *motion,
                                                const VfiFrame *out, int begin, int end)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *chroma = &format->component[format->n_components > 1 ? 1 : 0];
    Synthesis work = {.info = info,
                      .format = format,
                      .frame = {frame0, frame1},
                      .motion = motion,
                      .out = out};
    const Grid luma_grid = grid_of(info, 0, 0);
    const Grid chroma_grid = grid_of(info, chroma->shift_x, chroma->shift_y);
    const int cell = motion->spacing << motion->level; /* that has weights: its samples */
    VfiMotionTile tile;

    find_planes(&work);
    for (int y = begin, y_end; y < end; y = y_end) {
        y_end = end_of_tile(y, VFI_TILE_ROWS * cell, end);
        for (int x = 0, x_end; x < info->width; x = x_end) {
            x_end = end_of_tile(x, VFI_TILE_COLUMNS * cell, info->width);
            vfi_motion_weigh(info, motion, x, y, x_end, y_end, &tile);
            synthesize_tile(&work, &luma_grid, &tile, x, y, x_end, y_end);
            if (chroma->shift_x != 0)
                synthesize_tile(&work, &chroma_grid, &tile, x, y, x_end, y_end);
        }
    }
    for (int y = begin; y < end; y++)
        vfi_store_filler(out, format, 0, y, info->width);
}
