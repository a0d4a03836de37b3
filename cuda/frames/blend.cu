/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blending, copying and comparing frames: work on the planes' bytes, wherever they lie.
 * All planes go in one launch, one per grid z. A thread has 16 bytes of a row if the rows
 * of all frames are aligned for that, else 4, else one sample; the rest of a row goes
 * sample by sample. */
#include <string.h>

#include "frames/frame_kernels.h"
#include "frames/mean.cuh"
#include "frames/samples.cuh"

/* One plane of the two frames and of the result. */
struct PlaneRows {
    const uint8_t *a, *b;
    uint8_t *out;
    ptrdiff_t stride_a, stride_b, stride_out;
    int bytes, rows; /* of the plane, without padding */
    int step;        /* bytes per thread */
};

struct PlanesParameters {
    PlaneRows plane[VFI_MAX_PLANES];
};

/* A thread's part of a row; 0 bytes if there is none. */
struct Piece {
    const uint8_t *a, *b;
    uint8_t *out;
    int at, bytes;
    bool whole; /* @step bytes; else the rest of a row */
};

/* Bytes per thread. @sample: bytes that belong together. */
static int step_of(const VfiFrame *const *frames, int n, int plane, int sample)
{
    size_t step = sizeof(Words4);

    for (int i = 0; i < n; i++) {
        if (!plane_is_aligned(frames[i], plane, step))
            step = 4;
        if (!plane_is_aligned(frames[i], plane, step))
            return sample;
    }
    return (int)step;
}

/* @out may be NULL. Sets the grid, which has a thread for every piece. */
static PlanesParameters planes_of(const VfiVideoInfo *info, const VfiFrame *a,
                                  const VfiFrame *b, const VfiFrame *out, int sample,
                                  dim3 *grid)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiFrame *const frames[] = {a, b, out};
    PlanesParameters p = {};
    int pieces = 0;

    for (int i = 0; i < format->n_planes; i++) {
        const VfiPlaneLayout layout = vfi_format_plane(format, i);
        PlaneRows *plane = &p.plane[i];

        plane->a = a->data[i];
        plane->b = b->data[i];
        plane->stride_a = a->stride[i];
        plane->stride_b = b->stride[i];
        if (out != NULL) {
            plane->out = out->data[i];
            plane->stride_out = out->stride[i];
        }
        plane->bytes = vfi_subsampled(info->width, layout.shift_x) * layout.pixel_stride;
        plane->rows = vfi_subsampled(info->height, layout.shift_y);
        plane->step = step_of(frames, out != NULL ? 3 : 2, i, sample);
        const int n = (plane->bytes + plane->step - 1) / plane->step;
        pieces = n > pieces ? n : pieces;
    }
    *grid = grid_over(pieces, info->height, format->n_planes);
    return p;
}

static __device__ __forceinline__ Piece piece_of_thread(const PlanesParameters *p)
{
    const PlaneRows *plane = &p->plane[blockIdx.z];
    const int y = (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const int at = (int)(blockIdx.x * blockDim.x + threadIdx.x) * plane->step;
    Piece piece = {};

    if (y >= plane->rows || at >= plane->bytes)
        return piece;
    piece.a = plane->a + y * plane->stride_a + at;
    piece.b = plane->b + y * plane->stride_b + at;
    piece.out = plane->out + y * plane->stride_out + at;
    piece.at = at;
    piece.bytes = at_most(plane->bytes - at, plane->step);
    piece.whole = piece.bytes == plane->step;
    return piece;
}

/* Copies a byte, whatever it belongs to. */
struct Copy {
    static const int SAMPLE = 1;

    __device__ __forceinline__ uint32_t of_words(uint32_t a, uint32_t) const
    {
        return a;
    }
    __device__ __forceinline__ void of_sample(const uint8_t *a, const uint8_t *,
                                              uint8_t *out, int) const
    {
        *out = *a;
    }
};

/* Codes of one or two bytes, whose unused low bits become zero. */
template <int BYTES> struct BlendCodes {
    static const int SAMPLE = BYTES;
    uint32_t weight;
    int shift, filler;

    __device__ __forceinline__ uint32_t of_words(uint32_t a, uint32_t b) const
    {
        const uint32_t mask = BYTES == 1 ? 255 : 65535;
        uint32_t word = 0;

        for (int bit = 0; bit < 32; bit += 8 * BYTES)
            word |=
                (mean_code((a >> bit & mask) >> shift, (b >> bit & mask) >> shift, weight)
                     << shift &
                 mask)
                << bit;
        return word | filler_word(filler);
    }
    /* @at: byte within the row. */
    __device__ __forceinline__ void of_sample(const uint8_t *a, const uint8_t *b,
                                              uint8_t *out, int at) const
    {
        if (BYTES == 1)
            *out = (at & 3) == filler ? 255 : (uint8_t)mean_code(*a, *b, weight);
        else
            *(uint16_t *)(void *)out =
                (uint16_t)(mean_code(
                               (uint32_t)(*(const uint16_t *)(const void *)a) >> shift,
                               (uint32_t)(*(const uint16_t *)(const void *)b) >> shift,
                               weight)
                           << shift);
    }
};

struct BlendFloats {
    static const int SAMPLE = 4;
    float t;

    __device__ __forceinline__ uint32_t of_words(uint32_t a, uint32_t b) const
    {
        float first, second;
        uint32_t word;

        memcpy(&first, &a, sizeof first);
        memcpy(&second, &b, sizeof second);
        first = first * (1.0f - t) + second * t;
        memcpy(&word, &first, sizeof word);
        return word;
    }
    __device__ __forceinline__ void of_sample(const uint8_t *a, const uint8_t *b,
                                              uint8_t *out, int) const
    {
        *(uint32_t *)(void *)out = of_words(*(const uint32_t *)(const void *)a,
                                            *(const uint32_t *)(const void *)b);
    }
};

template <typename Operation>
static __global__ void each_piece(PlanesParameters p, Operation operation)
{
    const Piece piece = piece_of_thread(&p);

    if (piece.whole && piece.bytes == sizeof(Words4)) {
        const Words4 a = *(const Words4 *)(const void *)piece.a;
        const Words4 b = *(const Words4 *)(const void *)piece.b;
        Words4 out;

        for (int i = 0; i < 4; i++)
            out.word[i] = operation.of_words(a.word[i], b.word[i]);
        *(Words4 *)(void *)piece.out = out;
    } else if (piece.whole && piece.bytes == 4) {
        *(uint32_t *)(void *)piece.out =
            operation.of_words(*(const uint32_t *)(const void *)piece.a,
                               *(const uint32_t *)(const void *)piece.b);
    } else {
        for (int i = 0; i < piece.bytes; i += Operation::SAMPLE)
            operation.of_sample(piece.a + i, piece.b + i, piece.out + i, piece.at + i);
    }
}

/* A thread that finds a difference reports it; threads that begin later see that and look
 * at nothing. */
static __global__ void compare(PlanesParameters p, int filler, unsigned *different)
{
    const Piece piece = piece_of_thread(&p);
    const uint32_t ignored = filler_word(filler);
    uint32_t bits = 0;

    if (piece.bytes == 0 || *(volatile unsigned *)different != 0)
        return;
    if (piece.whole && piece.bytes == sizeof(Words4)) {
        const Words4 a = *(const Words4 *)(const void *)piece.a;
        const Words4 b = *(const Words4 *)(const void *)piece.b;

        for (int i = 0; i < 4; i++)
            bits |= a.word[i] ^ b.word[i];
        bits &= ~ignored;
    } else {
        for (int i = 0; i < piece.bytes; i++)
            if (((piece.at + i) & 3) != filler)
                bits |= (uint32_t)(piece.a[i] ^ piece.b[i]);
    }
    if (bits != 0)
        *different = 1;
}

cudaError_t vfi_cuda_blend(cudaStream_t stream, const VfiVideoInfo *info,
                           const VfiFrame *frame0, const VfiFrame *frame1, double t,
                           const VfiFrame *out)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const uint32_t weight = blend_weight(t);
    const int filler = vfi_format_filler_offset(format);
    const dim3 block(BLOCK_X, BLOCK_Y);
    dim3 grid;
    const PlanesParameters p =
        planes_of(info, frame0, frame1, out, format->sample_bytes, &grid);

    if (format->sample_bytes == 1)
        VFI_LAUNCH(each_piece<BlendCodes<1>>, grid, block, stream, p,
                   BlendCodes<1>{weight, 0, filler});
    else if (format->sample_bytes == 2)
        VFI_LAUNCH(each_piece<BlendCodes<2>>, grid, block, stream, p,
                   BlendCodes<2>{weight, format->shift, filler});
    else
        VFI_LAUNCH(each_piece<BlendFloats>, grid, block, stream, p,
                   BlendFloats{(float)weight / (float)WEIGHT_ONE});
    return cudaGetLastError();
}

cudaError_t vfi_cuda_copy_frame(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame, const VfiFrame *out)
{
    dim3 grid;
    const PlanesParameters p = planes_of(info, frame, frame, out, Copy::SAMPLE, &grid);

    VFI_LAUNCH(each_piece<Copy>, grid, dim3(BLOCK_X, BLOCK_Y), stream, p, Copy{});
    return cudaGetLastError();
}

cudaError_t vfi_cuda_compare_frames(cudaStream_t stream, const VfiVideoInfo *info,
                                    const VfiFrame *a, const VfiFrame *b,
                                    unsigned *different)
{
    const int filler = vfi_format_filler_offset(vfi_format_describe(info->format));
    dim3 grid;
    const PlanesParameters p = planes_of(info, a, b, NULL, 1, &grid);

    VFI_LAUNCH(compare, grid, dim3(BLOCK_X, BLOCK_Y), stream, p, filler, different);
    return cudaGetLastError();
}
