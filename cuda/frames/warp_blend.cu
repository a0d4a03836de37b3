/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two flows and a mask applied to the frames' own planes: a sample of the result is the
 * mean, weighted by the mask, of one sample of each frame, read where the flow leads.
 *
 * The field (four planes of flow, one of mask, f32) is most of what is read. So a thread
 * makes all luma samples that one chroma sample covers (2 × 2, 2 × 1 or a single pixel)
 * and that chroma, and reads their field once. Chroma's motion is the mean of its luma
 * pixels' in chroma pixels; sites that are co-sited with luma count the pixel that they
 * lie on twice. Coordinates are clamped to the padded picture; where that goes beyond the
 * frame, a sample is what the network saw there: black. */
#include "frames/frame_kernels.h"
#include "frames/samples.cuh"

/* Blocks per multiprocessor, at least: 64 registers per thread. */
#define BLOCKS 4

/* The grid of samples that planes of equal subsampling share. */
struct Grid {
    int last_x, last_y;     /* of the frame */
    float reach_x, reach_y; /* largest coordinates, padding included */
};

struct WarpBlendParameters {
    FormatParameters format;
    FrameSamples frame[2], out;
    VfiFlowField field;
    bool field_aligned; /* two columns of the field may be read in one access */
    Grid luma, chroma;
    float black[4]; /* each component's code of black */
    bool padded[4]; /* whether the component's padding is black */
    int begin, end; /* luma rows */
};

/* The field at one sample: flows to both frames, the mask. */
struct Motion {
    float x[2], y[2], mask;
};

/* A position in a plane: whole and fractional parts. */
struct Place {
    int x, y;
    float part_x, part_y;
};

/* The four samples around a place: where they are, which of them are outside of the
 * frame. */
struct Corners {
    int x0, x1, y0, y1;
    bool beyond00, beyond01, beyond10, beyond11;
};

/* A plane of the field at columns @x, @x + 1 of row @y of the picture. @x is even; if it
 * is the frame's last column, it stands for both. */
static __device__ __forceinline__ Floats2 field_pair(const WarpBlendParameters *p,
                                                     const float *plane, int x, int y)
{
    const float *at =
        plane + (size_t)(y - p->field.first_row) * (size_t)p->field.padded_w + (size_t)x;
    const bool alone = x + 1 >= p->format.width;
    Floats2 pair;

    if (p->field_aligned)
        pair = *(const Floats2 *)(const void *)at;
    else
        pair = {{at[0], alone ? at[0] : at[1]}};
    pair.value[1] = alone ? pair.value[0] : pair.value[1];
    return pair;
}

/* The motion of the luma pixel (x, y) alone. */
static __device__ __forceinline__ Motion motion_of_pixel(const WarpBlendParameters *p,
                                                         int x, int y)
{
    const float *at = p->field.flow +
                      (size_t)(y - p->field.first_row) * (size_t)p->field.padded_w +
                      (size_t)x;
    const size_t plane = p->field.plane;
    const float *mask = p->field.mask + (at - p->field.flow);

    return {{at[0], at[2 * plane]}, {at[plane], at[3 * plane]}, *mask};
}

/* The motions of the pixels (x, y) and (x + 1, y). */
static __device__ __forceinline__ void motion_of_pair(const WarpBlendParameters *p, int x,
                                                      int y, Motion *motion)
{
    const size_t plane = p->field.plane;
    const Floats2 pair[5] = {field_pair(p, p->field.flow, x, y),
                             field_pair(p, p->field.flow + plane, x, y),
                             field_pair(p, p->field.flow + 2 * plane, x, y),
                             field_pair(p, p->field.flow + 3 * plane, x, y),
                             field_pair(p, p->field.mask, x, y)};

    for (int i = 0; i < 2; i++)
        motion[i] = {{pair[0].value[i], pair[2].value[i]},
                     {pair[1].value[i], pair[3].value[i]},
                     pair[4].value[i]};
}

static __device__ __forceinline__ Motion add_motions(const Motion *a, const Motion *b)
{
    return {{a->x[0] + b->x[0], a->x[1] + b->x[1]},
            {a->y[0] + b->y[0], a->y[1] + b->y[1]},
            a->mask + b->mask};
}

/* The sum over the two pixels of a row that a chroma sample covers. Co-sited chroma lies
 * on the first, which then counts twice. */
static __device__ __forceinline__ Motion sum_of_row(const FormatParameters *format,
                                                    const Motion *pixel)
{
    const bool once =
        format->cosited_x; /* values, not pointers: they stay in registers */
    const Motion second = {
        {once ? pixel[0].x[0] : pixel[1].x[0], once ? pixel[0].x[1] : pixel[1].x[1]},
        {once ? pixel[0].y[0] : pixel[1].y[0], once ? pixel[0].y[1] : pixel[1].y[1]},
        once ? pixel[0].mask : pixel[1].mask};

    return add_motions(&pixel[0], &second);
}

/* The mean of two rows of two pixels from their @sum, with the flow in chroma pixels. A
 * row or a pixel that counts twice gives the same bits as the mean without it. */
static __device__ __forceinline__ Motion mean_of_rows(const Motion *sum, int shift_y)
{
    const float scale_x = 0.25f * 0.5f, scale_y = shift_y ? 0.25f * 0.5f : 0.25f;

    return {{sum->x[0] * scale_x, sum->x[1] * scale_x},
            {sum->y[0] * scale_y, sum->y[1] * scale_y},
            sum->mask * 0.25f};
}

/* Where the flow leads, clamped to the grid's reach; NaN leads to 0. */
static __device__ __forceinline__ Place find_place(const Grid *grid, int x, int y,
                                                   float flow_x, float flow_y)
{
    const float column = clamp_code((float)x + flow_x, grid->reach_x);
    const float row = clamp_code((float)y + flow_y, grid->reach_y);
    Place place;

    place.x = (int)column;
    place.y = (int)row;
    place.part_x = column - (float)place.x;
    place.part_y = row - (float)place.y;
    return place;
}

static __device__ __forceinline__ Corners find_corners(const Grid *grid,
                                                       const Place *place)
{
    Corners corners;

    corners.x0 = at_most(place->x, grid->last_x);
    corners.x1 = at_most(place->x + 1, grid->last_x);
    corners.y0 = at_most(place->y, grid->last_y);
    corners.y1 = at_most(place->y + 1, grid->last_y);
    corners.beyond00 = place->x > grid->last_x || place->y > grid->last_y;
    corners.beyond01 = place->x >= grid->last_x || place->y > grid->last_y;
    corners.beyond10 = place->x > grid->last_x || place->y >= grid->last_y;
    corners.beyond11 = place->x >= grid->last_x || place->y >= grid->last_y;
    return corners;
}

/* Component @c at @place, interpolated between the codes of the corners. */
static __device__ __forceinline__ float mix_corners(const WarpBlendParameters *p, int c,
                                                    const Place *place,
                                                    const Corners *corners, float v00,
                                                    float v01, float v10, float v11)
{
    if (p->padded[c]) {
        v00 = corners->beyond00 ? p->black[c] : v00;
        v01 = corners->beyond01 ? p->black[c] : v01;
        v10 = corners->beyond10 ? p->black[c] : v10;
        v11 = corners->beyond11 ? p->black[c] : v11;
    }
    const float upper = v00 + (v01 - v00) * place->part_x;
    const float lower = v10 + (v11 - v10) * place->part_x;
    return upper + (lower - upper) * place->part_y;
}

/* Component @c of a frame at @place. */
template <int BYTES>
static __device__ __forceinline__ float sample(const WarpBlendParameters *p,
                                               const FrameSamples *frame, int c,
                                               const Grid *grid, const Place *place)
{
    const Samples *samples = &frame->component[c];
    const int shift = p->format.shift;
    const Corners corners = find_corners(grid, place);
    const uint8_t *row0 = samples->first + corners.y0 * samples->stride;
    const uint8_t *row1 = samples->first + corners.y1 * samples->stride;
    const ptrdiff_t left = (ptrdiff_t)corners.x0 * samples->pixel_stride;
    const ptrdiff_t right = (ptrdiff_t)corners.x1 * samples->pixel_stride;

    return mix_corners(p, c, place, &corners, load_code<BYTES>(row0 + left, shift),
                       load_code<BYTES>(row0 + right, shift),
                       load_code<BYTES>(row1 + left, shift),
                       load_code<BYTES>(row1 + right, shift));
}

/* first × mask + second × (1 − mask); equal values stay as they are. */
static __device__ __forceinline__ float mix(float first, float second, float mask)
{
    return second + (first - second) * mask;
}

/* Component @c at (x, y) of its grid. */
template <int BYTES>
static __device__ __forceinline__ float warp_blend_sample(const WarpBlendParameters *p,
                                                          int c, const Grid *grid, int x,
                                                          int y, const Motion *motion)
{
    const Place place0 = find_place(grid, x, y, motion->x[0], motion->y[0]);
    const Place place1 = find_place(grid, x, y, motion->x[1], motion->y[1]);

    return mix(sample<BYTES>(p, &p->frame[0], c, grid, &place0),
               sample<BYTES>(p, &p->frame[1], c, grid, &place1), motion->mask);
}

template <int BYTES>
static __device__ __forceinline__ void
warp_blend_component(const WarpBlendParameters *p, int c, const Grid *grid, int x, int y,
                     const Motion *motion)
{
    store_code<BYTES>(sample_at(&p->out.component[c], x, y),
                      warp_blend_sample<BYTES>(p, c, grid, x, y, motion), p->format.shift,
                      p->format.limit);
}

/* The pixels or pairs around a place, as words. */
template <typename Word> struct WordCorners {
    Corners at;
    Word v00, v01, v10, v11;
};

template <typename Word>
static __device__ __forceinline__ WordCorners<Word>
load_words(const uint8_t *data, ptrdiff_t stride, const Grid *grid, const Place *place)
{
    WordCorners<Word> words;

    words.at = find_corners(grid, place);
    const Word *row0 = (const Word *)(const void *)(data + words.at.y0 * stride);
    const Word *row1 = (const Word *)(const void *)(data + words.at.y1 * stride);
    words.v00 = row0[words.at.x0];
    words.v01 = row0[words.at.x1];
    words.v10 = row1[words.at.x0];
    words.v11 = row1[words.at.x1];
    return words;
}

template <typename Word>
static __device__ __forceinline__ float mix_words(const WarpBlendParameters *p, int c,
                                                  const Place *place,
                                                  const WordCorners<Word> *words)
{
    const int bit = p->format.bit[c];
    const uint32_t mask = p->format.mask;

    return mix_corners(p, c, place, &words->at,
                       (float)((uint32_t)words->v00 >> bit & mask),
                       (float)((uint32_t)words->v01 >> bit & mask),
                       (float)((uint32_t)words->v10 >> bit & mask),
                       (float)((uint32_t)words->v11 >> bit & mask));
}

/* Components @first to 2 and, with @alpha, the fourth, which share a word: their code
 * bits at (x, y). */
template <typename Word>
static __device__ __forceinline__ uint32_t
warp_blend_word(const WarpBlendParameters *p, const uint8_t *data0, ptrdiff_t stride0,
                const uint8_t *data1, ptrdiff_t stride1, int first, bool alpha,
                const Grid *grid, int x, int y, const Motion *motion)
{
    const Place place0 = find_place(grid, x, y, motion->x[0], motion->y[0]);
    const Place place1 = find_place(grid, x, y, motion->x[1], motion->y[1]);
    const WordCorners<Word> words0 = load_words<Word>(data0, stride0, grid, &place0);
    const WordCorners<Word> words1 = load_words<Word>(data1, stride1, grid, &place1);
    uint32_t word = 0;

    for (int c = 0; c < 4; c++) {
        if (c < first || (c == 3 && !alpha))
            continue;
        const float value = mix(mix_words<Word>(p, c, &place0, &words0),
                                mix_words<Word>(p, c, &place1, &words1), motion->mask);
        word |= round_code(value, p->format.limit) << p->format.bit[c];
    }
    return word;
}

/* All components of the pixel (x, y) of a format without subsampling. */
template <int BYTES>
static __device__ __forceinline__ void warp_blend_pixel(const WarpBlendParameters *p,
                                                        int x, int y)
{
    const Motion motion = motion_of_pixel(p, x, y);
    const int n = p->format.n_components;

    if (BYTES == 1 && p->format.words) {
        const FrameSamples *frame0 = &p->frame[0], *frame1 = &p->frame[1];
        const uint32_t word = warp_blend_word<uint32_t>(
            p, frame0->pixels, frame0->pixels_stride, frame1->pixels,
            frame1->pixels_stride, 0, n == 4, &p->luma, x, y, &motion);
        uint8_t *row = p->out.pixels + y * p->out.pixels_stride;

        ((uint32_t *)(void *)row)[x] = word | filler_word(p->format.filler);
        return;
    }
    for (int c = 0; c < 4; c++)
        if (c < n)
            warp_blend_component<BYTES>(p, c, &p->luma, x, y, &motion);
    store_filler(&p->out, p->format.filler, x, y);
}

/* Luma of the pixels (x, y) and (x + 1, y). */
template <int BYTES>
static __device__ __forceinline__ void warp_blend_luma(const WarpBlendParameters *p,
                                                       int x, int y, const Motion *motion)
{
    warp_blend_component<BYTES>(p, 0, &p->luma, x, y, &motion[0]);
    if (x + 1 < p->format.width)
        warp_blend_component<BYTES>(p, 0, &p->luma, x + 1, y, &motion[1]);
}

/* Both chroma components at (x, y) of their grid. */
template <int BYTES>
static __device__ __forceinline__ void
warp_blend_chroma(const WarpBlendParameters *p, int x, int y, const Motion *motion)
{
    const FrameSamples *frame0 = &p->frame[0], *frame1 = &p->frame[1];

    if (p->format.pair) {
        typedef typename PairWord<BYTES>::Word Word;
        const uint32_t word = warp_blend_word<Word>(
            p, frame0->pairs, frame0->pairs_stride, frame1->pairs, frame1->pairs_stride,
            1, false, &p->chroma, x, y, motion);
        uint8_t *row = p->out.pairs + y * p->out.pairs_stride;

        ((Word *)(void *)row)[x] = (Word)word;
        return;
    }
    warp_blend_component<BYTES>(p, 1, &p->chroma, x, y, motion);
    warp_blend_component<BYTES>(p, 2, &p->chroma, x, y, motion);
}

template <int BYTES>
static __global__ void __launch_bounds__(BLOCK_X *BLOCK_Y, BLOCKS)
    warp_blend_whole(WarpBlendParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = p.begin + (int)(blockIdx.y * blockDim.y + threadIdx.y);

    if (x < p.format.width && y < p.end)
        warp_blend_pixel<BYTES>(&p, x, y);
}

/* Alpha of formats with subsampled chroma. Few have it: a kernel of its own leaves the
 * others their registers. */
template <int BYTES> static __global__ void warp_blend_alpha(WarpBlendParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = p.begin + (int)(blockIdx.y * blockDim.y + threadIdx.y);

    if (x >= p.format.width || y >= p.end)
        return;
    const Motion motion = motion_of_pixel(&p, x, y);
    warp_blend_component<BYTES>(&p, 3, &p.luma, x, y, &motion);
}

/* SHIFT_Y: log2 of luma rows per chroma row. */
template <int BYTES, int SHIFT_Y>
static __global__ void __launch_bounds__(BLOCK_X *BLOCK_Y, BLOCKS)
    warp_blend_subsampled(WarpBlendParameters p)
{
    const int x = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    const int y = (p.begin >> SHIFT_Y) + (int)(blockIdx.y * blockDim.y + threadIdx.y);
    const int luma_x = 2 * x, luma_y = y << SHIFT_Y;
    Motion sum = {};

    if (x >= p.format.chroma_width || luma_y >= p.end)
        return;
#ifdef __CUDACC__
#pragma unroll 1 /* both rows at once need too many registers */
#endif
    for (int row = 0; row <= SHIFT_Y; row++) {
        Motion pixel[2], of_row = sum;

        if (luma_y + row < p.format.height) {
            motion_of_pair(&p, luma_x, luma_y + row, pixel);
            if (luma_y + row < p.end)
                warp_blend_luma<BYTES>(&p, luma_x, luma_y + row, pixel);
            if (row == 0 || !p.format.cosited_y)
                of_row = sum_of_row(&p.format, pixel);
        }
        sum = row == 0 ? of_row : add_motions(&sum, &of_row);
    }
    if (SHIFT_Y == 0)
        sum = add_motions(&sum, &sum);
    const Motion motion = mean_of_rows(&sum, SHIFT_Y);
    warp_blend_chroma<BYTES>(&p, x, y, &motion);
}

static Grid grid_of(const VfiVideoInfo *info, const VfiFlowField *field, int shift_x,
                    int shift_y)
{
    const bool padded = field->reference_borders;
    Grid grid;

    grid.last_x = vfi_subsampled(info->width, shift_x) - 1;
    grid.last_y = vfi_subsampled(info->height, shift_y) - 1;
    grid.reach_x =
        (float)(padded ? vfi_subsampled(field->padded_w, shift_x) - 1 : grid.last_x);
    grid.reach_y =
        (float)(padded ? vfi_subsampled(field->padded_h, shift_y) - 1 : grid.last_y);
    return grid;
}

/* Whether every even column of the field begins at a multiple of 8 bytes. */
static bool field_is_aligned(const VfiFlowField *field)
{
    const size_t floats = (size_t)field->padded_w | field->plane;
    const size_t bytes = (size_t)field->flow | (size_t)field->mask;

    return floats % 2 == 0 && bytes % sizeof(Floats2) == 0;
}

static WarpBlendParameters parameters_of(const VfiVideoInfo *info, const VfiFrame *frame0,
                                         const VfiFrame *frame1,
                                         const VfiFlowField *field, const VfiFrame *out)
{
    WarpBlendParameters p = {};
    VfiColour colour;

    p.format = format_parameters(info);
    p.frame[0] = frame_samples(info, frame0, &p.format);
    p.frame[1] = frame_samples(info, frame1, &p.format);
    p.out = frame_samples(info, out, &p.format);
    p.field = *field;
    p.field_aligned = field_is_aligned(field);
    p.luma = grid_of(info, field, 0, 0);
    p.chroma = grid_of(info, field, p.format.shift_x, p.format.shift_y);
    vfi_colour_init(&colour, info);
    /* The network does not see alpha, so its padding is not black: its edge repeats. */
    for (int c = 0; c < 3; c++) {
        p.black[c] = colour.offset[c];
        p.padded[c] = field->reference_borders;
    }
    return p;
}

/* Formats with subsampled chroma. */
template <int BYTES>
static void launch_subsampled(cudaStream_t stream, const WarpBlendParameters &p)
{
    const int shift_y = p.format.shift_y;
    const int rows = vfi_subsampled(p.end, shift_y) - (p.begin >> shift_y);
    const dim3 grid = grid_over(p.format.chroma_width, rows, 1);
    const dim3 block(BLOCK_X, BLOCK_Y);

    if (shift_y == 0)
        VFI_LAUNCH((warp_blend_subsampled<BYTES, 0>), grid, block, stream, p);
    else
        VFI_LAUNCH((warp_blend_subsampled<BYTES, 1>), grid, block, stream, p);
    if (p.format.n_components == 4)
        VFI_LAUNCH(warp_blend_alpha<BYTES>, grid_over(p.format.width, p.end - p.begin, 1),
                   block, stream, p);
}

cudaError_t vfi_cuda_warp_blend(cudaStream_t stream, const VfiVideoInfo *info,
                                const VfiFrame *frame0, const VfiFrame *frame1,
                                const VfiFlowField *field, const VfiFrame *out, int begin,
                                int end)
{
    WarpBlendParameters p = parameters_of(info, frame0, frame1, field, out);
    const int bytes = vfi_format_describe(info->format)->sample_bytes;
    const dim3 grid = grid_over(info->width, end - begin, 1);
    const dim3 block(BLOCK_X, BLOCK_Y);

    p.begin = begin;
    p.end = end;
    if (begin >= end)
        return cudaSuccess;
    if (p.format.shift_x != 0 && bytes == 1)
        launch_subsampled<1>(stream, p);
    else if (p.format.shift_x != 0)
        launch_subsampled<2>(stream, p);
    else if (bytes == 1)
        VFI_LAUNCH(warp_blend_whole<1>, grid, block, stream, p);
    else if (bytes == 2)
        VFI_LAUNCH(warp_blend_whole<2>, grid, block, stream, p);
    else
        VFI_LAUNCH(warp_blend_whole<4>, grid, block, stream, p);
    return cudaGetLastError();
}
