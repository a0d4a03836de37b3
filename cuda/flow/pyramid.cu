/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's pyramid of luma and chroma. Threads of a border make the sample that it
 * repeats once more, so that none waits for another. */
#include "flow/flow_kernels.h"
#include "flow/flow_plane.cuh"
#include "frames/samples.cuh"

/* The thread's sample of @picture, border included. */
static __device__ __forceinline__ FlowPlace bordered_thread(void)
{
    const FlowPlace at = flow_thread();

    return {at.x - VFI_FLOW_BORDER, at.y - VFI_FLOW_BORDER};
}

static __device__ __forceinline__ bool is_in_border(const FlowPlane *picture,
                                                    FlowPlace at)
{
    return at.x < picture->w + VFI_FLOW_BORDER && at.y < picture->h + VFI_FLOW_BORDER;
}

static __device__ __forceinline__ FlowPlace nearest_inside(const FlowPlane *picture,
                                                           FlowPlace at)
{
    return {clamp_below(at.x, picture->w), clamp_below(at.y, picture->h)};
}

static dim3 bordered_grid(const FlowPlane *picture, int n)
{
    return flow_grid(picture->w + 2 * VFI_FLOW_BORDER, picture->h + 2 * VFI_FLOW_BORDER,
                     n);
}

/* ---- boxes of a frame's samples ---------------------------------------------------- */

/* Means of a weighted sum of components, which have the same subsampling, or what that is
 * more than luma. */
struct BoxesParameters {
    FlowPlane out, luma; /* of the latter .w is 0: there is none */
    Samples component[3];
    VfiLumaWeights weights;
    int w, h;  /* samples of the components */
    int log_h; /* of a box */
    int shift;
    float scale, factor;
};

template <int BYTES>
static __device__ __forceinline__ float sum_of_column(const BoxesParameters *p, int x,
                                                      int y)
{
    float sum = 0.0f;

    x = at_most(x, p->w - 1);
    VFI_UNROLL_BY_1 /* all rows at once need too many registers */
        for (int k = 0; k < 1 << p->log_h; k++)
    {
        const int line = at_most(y + k, p->h - 1);
        for (int c = 0; c < 3; c++)
            if (c < p->weights.n) {
                float code =
                    load_code<BYTES>(sample_at(&p->component[c], x, line), p->shift);
                if (BYTES == 4)
                    code = clamp_code(code, 1.0f);
                sum += p->weights.weight[c] * code;
            }
    }
    return sum;
}

/* Over 2^LOG_W columns, in pairs. */
template <int BYTES, int LOG_W>
static __device__ __forceinline__ float sum_of_box(const BoxesParameters *p, int x, int y)
{
    if constexpr (LOG_W == 0) {
        return sum_of_column<BYTES>(p, x, y);
    } else {
        const float left = sum_of_box<BYTES, LOG_W - 1>(p, x, y);
        return left + sum_of_box<BYTES, LOG_W - 1>(p, x + (1 << (LOG_W - 1)), y);
    }
}

template <int BYTES, int LOG_W>
static __global__ void average_boxes(const __grid_constant__ BoxesParameters p)
{
    const FlowPlace at = bordered_thread();

    if (!is_in_border(&p.out, at))
        return;
    const FlowPlace box = nearest_inside(&p.out, at);
    float mean = p.scale * sum_of_box<BYTES, LOG_W>(&p, box.x << LOG_W, box.y << p.log_h);
    if (p.luma.w > 0)
        mean = p.factor * (mean - *flow_at(&p.luma, box.x, box.y));
    *flow_at(&p.out, at.x, at.y) = mean;
}

template <int BYTES>
static void launch_boxes(cudaStream_t stream, const BoxesParameters &p, int log_w)
{
    const dim3 grid = bordered_grid(&p.out, 1), block = flow_block();

    if (log_w == 0)
        VFI_LAUNCH((average_boxes<BYTES, 0>), grid, block, stream, p);
    else if (log_w == 1)
        VFI_LAUNCH((average_boxes<BYTES, 1>), grid, block, stream, p);
    else if (log_w == 2)
        VFI_LAUNCH((average_boxes<BYTES, 2>), grid, block, stream, p);
    else
        VFI_LAUNCH((average_boxes<BYTES, 3>), grid, block, stream, p);
}

/* Boxes of 2^level × 2^level luma samples of the components from @first on that @p has
 * weights of. */
static void average(cudaStream_t stream, BoxesParameters p, const VfiVideoInfo *info,
                    const VfiFrame *frame, int first, int level)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *component = &format->component[first];
    const int log_w = level - component->shift_x;
    const float most =
        format->sample_bytes == 4 ? 1.0f : (float)((1u << format->depth) - 1);

    for (int c = 0; c < p.weights.n; c++)
        p.component[c] = {frame->data[component[c].plane] + component[c].offset,
                          frame->stride[component[c].plane], component[c].pixel_stride};
    p.w = vfi_subsampled(info->width, component->shift_x);
    p.h = vfi_subsampled(info->height, component->shift_y);
    p.log_h = level - component->shift_y;
    p.shift = format->shift;
    p.scale = 255.0f / (most * (float)(1 << (log_w + p.log_h)));
    if (format->sample_bytes == 1)
        launch_boxes<1>(stream, p, log_w);
    else if (format->sample_bytes == 2)
        launch_boxes<2>(stream, p, log_w);
    else
        launch_boxes<4>(stream, p, log_w);
}

cudaError_t vfi_cuda_flow_luma(cudaStream_t stream, const VfiFlowLuma *step,
                               char *const *region, const VfiVideoInfo *info,
                               const VfiFrame *frame)
{
    BoxesParameters p = {};

    p.out = flow_plane(&step->picture, region);
    p.weights = vfi_luma_weights(vfi_format_describe(info->format));
    average(stream, p, info, frame, 0, step->level);
    return cudaGetLastError();
}

cudaError_t vfi_cuda_flow_chroma(cudaStream_t stream, const VfiFlowChroma *step,
                                 char *const *region, const VfiVideoInfo *info,
                                 const VfiFrame *frame)
{
    const bool is_rgb = vfi_format_describe(info->format)->colour == VFI_FAMILY_RGB;

    for (int i = 0; i < 2; i++) {
        BoxesParameters p = {};

        p.out = flow_plane(&step->chroma[i], region);
        p.weights.n = 1;
        p.weights.weight[0] = 1.0f;
        if (is_rgb) {
            p.luma = flow_plane(&step->luma, region);
            p.factor = i == 0 ? 0.564f : 0.713f;
        }
        /* U and V, or B and R. */
        average(stream, p, info, frame, !is_rgb ? 1 + i : 2 - 2 * i, step->level);
    }
    return cudaGetLastError();
}

/* ---- coarser levels ---------------------------------------------------------------- */

struct HalveParameters {
    FlowPlane from[VFI_FLOW_CHANNELS], to[VFI_FLOW_CHANNELS];
};

/* What an odd side lacks is in the finer picture's border. Blocks' z is the channel. */
static __global__ void halve(const __grid_constant__ HalveParameters p)
{
    const FlowPlane *from = &p.from[blockIdx.z], *to = &p.to[blockIdx.z];
    const FlowPlace at = bordered_thread();

    if (!is_in_border(to, at))
        return;
    const FlowPlace inside = nearest_inside(to, at);
    const float *top = flow_at(from, 2 * inside.x, 2 * inside.y);
    const float *bottom = top + from->row;
    *flow_at(to, at.x, at.y) = 0.25f * (top[0] + top[1] + bottom[0] + bottom[1]);
}

cudaError_t vfi_cuda_flow_halve(cudaStream_t stream, const VfiFlowHalve *step,
                                char *const *region)
{
    const int n = step->to.n_channels;
    HalveParameters p = {};

    flow_planes(p.from, step->from.channel, n, region);
    flow_planes(p.to, step->to.channel, n, region);
    VFI_LAUNCH(halve, bordered_grid(&p.to[0], n), flow_block(), stream, p);
    return cudaGetLastError();
}
