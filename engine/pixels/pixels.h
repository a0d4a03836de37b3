/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between a frame's own planes and the network: prepare (planes → padded f32 RGB),
 * warp_blend (flows and mask applied to the planes themselves), rgb_to_planes (RGB →
 * planes), blend, compare.
 *
 * Each function works on a band of rows so that callers can split the work; bands are
 * luma rows and must start at a multiple of VFI_BAND_ALIGN (or 0). Results do not depend
 * on the split. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vfi/frame.h>

/* Bands begin at even rows so that subsampled chroma rows belong to exactly one band. */
#define VFI_BAND_ALIGN 2

/* What is right of and below a frame where it is padded. */
typedef enum {
    VFI_PAD_ZEROS,
    /* The frame mirrored at its last column and row, which are not repeated themselves;
     * mirrored to and fro where it is smaller than its padding. */
    VFI_PAD_REFLECT,
} VfiPadding;

/* The pixel of @size that is seen at @i with VFI_PAD_REFLECT. */
static inline int vfi_reflected(int i, int size)
{
    int period = 2 * (size - 1), at = size == 1 ? 0 : i % period;

    return at < size ? at : period - at;
}

/* planes → out: f32 RGB in [0,1], 3 planes of padded_h × padded_w floats, contiguous; the
 * area right of and below the frame is as @padding says. YCbCr through the matrix and
 * range of @info, chroma upsampled bilinearly at its site; values clamped to [0,1]. Grey
 * gives three equal planes, alpha is ignored. Rows [begin, end) of the padded height. */
void vfi_pixels_prepare(const VfiVideoInfo *info, const VfiFrame *frame, float *out,
                        int padded_w, int padded_h, VfiPadding padding, int begin,
                        int end);

/* For vfi_pixels_grid(): Y as it is stored, or a weighted mean of R, G and B. */
#define VFI_GRID_LUMA (-1)

/* A component (by its index in the format's description) or luma as means of boxes of
 * 2^@level × 2^@level luma samples, @level up to 3 and not finer than the component. 0 to
 * 255 whatever the depth, RGB_F32 clamped to [0,1] before. Boxes at the right and lower
 * edge repeat the last samples. Rows [begin, end) of the ceil(height / 2^level) of @out,
 * @row floats from one to the next; any row may begin a band. */
void vfi_pixels_grid(const VfiVideoInfo *info, const VfiFrame *frame, int component,
                     int level, float *out, size_t row, int begin, int end);

/* Two flows and a blend mask, the result of a model's last stage. */
typedef struct {
    const float *flow;      /* 4 planes: dx, dy into frame 0; dx, dy into frame 1 */
    const float *mask;      /* 1 plane: weight of frame 0, already in [0,1] */
    int padded_w, padded_h; /* of the whole picture; rows are padded_w floats apart */
    size_t plane;           /* floats from plane to plane */
    int first_row;          /* the planes' first row is this one of the picture */
    /* TRUE: samples beyond the frame see what prepare padded (black) up to the padded
     * size, then repeat that (alpha, which no network saw, repeats its edge); FALSE: they
     * see the frame's own edge repeated. */
    bool reference_borders;
} VfiFlowField;

/* out = warp(frame0, flow01) * mask + warp(frame1, flow23) * (1 - mask), on every plane
 * in its own code values, subsampling and depth, alpha included; rounded to nearest,
 * clamped to the code range of the sample type. Chroma uses the mean flow and mask of the
 * luma samples it is co-sited with, flow scaled to chroma pixels: where it is centred
 * those are two columns (rows), where it is co-sited the one it lies on. The x byte of
 * RGBx is 255, P010's low bits are 0. Luma rows [begin, end), which the field has. */
void vfi_pixels_warp_blend(const VfiVideoInfo *info, const VfiFrame *frame0,
                           const VfiFrame *frame1, const VfiFlowField *field,
                           const VfiFrame *out, int begin, int end);

/* RGB that a model painted, the result of its last stage. */
typedef struct {
    const float *rgb; /* 3 planes, nominally [0,1] */
    int padded_w;     /* floats from row to row */
    size_t plane;     /* floats from plane to plane */
    int first_row;    /* the planes' first row is this one of the picture */
} VfiRgbPicture;

/* rgb → planes of @out, the inverse of prepare, chroma averaged at its site, clamped to
 * the format's range (RGB_F32 is not clamped), rounded to nearest; alpha, where the
 * format has it, is the blend of the two frames' alpha at @t. Rows [begin, end); chroma
 * that lies on luma rows reads one more on either side. */
void vfi_pixels_rgb_to_planes(const VfiVideoInfo *info, const VfiRgbPicture *picture,
                              const VfiFrame *frame0, const VfiFrame *frame1, double t,
                              const VfiFrame *out, int begin, int end);

/* Rows of a picture that is put together from tiles: some planes of floats, all as wide
 * as the picture. */
typedef struct {
    float *data;
    int n_planes;
    int width;     /* floats from row to row */
    int n_rows;    /* of each plane */
    int first_row; /* of the picture */
} VfiTileBand;

/* The place of a tile. Weights are by column and row of the part that is added. */
typedef struct {
    int x, y, w, h;        /* of the picture */
    int tile_x, tile_y;    /* the same corner within the tile */
    int tile_w, tile_h;    /* size of the tile's planes */
    const float *weight_x; /* w of them */
    const float *weight_y; /* h of them */
} VfiTilePlace;

/* band += weights × tile, for @n_planes planes from @first_plane on; @tile is their
 * planes one after the other. Rows [begin, end) of the place, counted from its top. */
void vfi_pixels_add_tile(const VfiTileBand *band, const float *tile, int first_plane,
                         int n_planes, const VfiTilePlace *place, int begin, int end);

/* Makes the band, whose .first_row is still the old one, begin at row @first_row of the
 * picture: rows that it has already move up, the others are zero. Planes [begin, end). */
void vfi_pixels_slide_band(const VfiTileBand *band, int first_row, int begin, int end);

/* out = frame0 * (1-t) + frame1 * t in integer arithmetic with t rounded to 1/65536,
 * rounded to nearest (halves up), exact at every CPU level; RGB_F32 in f32. Rows [begin,
 * end). */
void vfi_pixels_blend(const VfiVideoInfo *info, const VfiFrame *frame0,
                      const VfiFrame *frame1, double t, const VfiFrame *out, int begin,
                      int end);

/* Copies rows [begin, end) of every plane. */
void vfi_pixels_copy(const VfiVideoInfo *info, const VfiFrame *frame, const VfiFrame *out,
                     int begin, int end);

/* TRUE if both frames hold the same bits (row padding and the x byte of RGBx aside). */
bool vfi_pixels_equal(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b);
