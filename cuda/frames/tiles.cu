/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Putting tiles' results together in a band of rows, as engine/pixels/tiles.c does. */
#include "frames/frame_kernels.h"
#include "frames/samples.cuh"

/* Threads per block, and rows that a thread has in flight when a band slides down. */
#define SLIDE_BLOCK 128
#define SLIDE_ROWS 8

/* Moves the last @kept rows to the front and clears the others. A thread goes down one
 * column of one plane: each row is read before it is overwritten, and no other thread
 * touches the column. */
static __global__ void slide(VfiTileBand band, int kept)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const size_t width = (size_t)band.width;
    float *column =
        band.data + (size_t)blockIdx.y * (size_t)band.n_rows * width + (size_t)x;
    const float *from = column + (size_t)(band.n_rows - kept) * width;
    int row = 0;

    if (x >= band.width)
        return;
    for (; row + SLIDE_ROWS <= kept; row += SLIDE_ROWS) {
        float value[SLIDE_ROWS];

        for (int i = 0; i < SLIDE_ROWS; i++)
            value[i] = from[(size_t)(row + i) * width];
        for (int i = 0; i < SLIDE_ROWS; i++)
            column[(size_t)(row + i) * width] = value[i];
    }
    for (; row < kept; row++)
        column[(size_t)row * width] = from[(size_t)row * width];
    for (; row < band.n_rows; row++)
        column[(size_t)row * width] = 0;
}

cudaError_t vfi_cuda_slide_band(cudaStream_t stream, const VfiTileBand *band,
                                int first_row)
{
    const dim3 grid((unsigned)((band->width + SLIDE_BLOCK - 1) / SLIDE_BLOCK),
                    (unsigned)band->n_planes);
    int kept = band->first_row + band->n_rows - first_row;

    if (kept < 0 || kept > band->n_rows)
        kept = 0;
    if (kept == band->n_rows)
        return cudaSuccess;
    VFI_LAUNCH(slide, grid, dim3(SLIDE_BLOCK), stream, *band, kept);
    return cudaGetLastError();
}

static __global__ void add_tile(VfiTileBand band, const float *tile, int first_plane,
                                VfiTilePlace place)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const size_t plane = blockIdx.z;
    const size_t in_row = plane * (size_t)place.tile_h + (size_t)(place.tile_y + y);
    const size_t out_row = ((size_t)first_plane + plane) * (size_t)band.n_rows +
                           (size_t)(place.y + y - band.first_row);

    if (x >= place.w || y >= place.h)
        return;
    const float *in = tile + in_row * (size_t)place.tile_w + (size_t)(place.tile_x + x);
    float *out = band.data + out_row * (size_t)band.width + (size_t)(place.x + x);
    *out += *in * (place.weight_x[x] * place.weight_y[y]);
}

cudaError_t vfi_cuda_add_tile(cudaStream_t stream, const VfiTileBand *band,
                              const float *tile, int first_plane, int n_planes,
                              const VfiTilePlace *place)
{
    VFI_LAUNCH(add_tile, grid_over(place->w, place->h, n_planes), dim3(BLOCK_X, BLOCK_Y),
               stream, *band, tile, first_plane, *place);
    return cudaGetLastError();
}
