/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A warp's patch: each lane has some of its samples, and all have the same sums. Without
 * warps one thread has all samples, and adds them up in the warp's order. */
#pragma once

#include "flow/patch_place.cuh"

#define LANES 32
#define PATCH_SAMPLES (VFI_FLOW_PATCH * VFI_FLOW_PATCH)
#define MEAN_FACTOR (VFI_FLOW_MEAN_REMOVED / PATCH_SAMPLES)

#ifdef __CUDACC__
#define OWN_SAMPLES (PATCH_SAMPLES / LANES)
#define ALL_LANES 0xFFFFFFFFu
#else
#define OWN_SAMPLES PATCH_SAMPLES
#endif

/* Two pictures of CHANNELS channels, of which the first is the template. */
template <int CHANNELS> struct PicturePair {
    FlowPlane from[CHANNELS], to[CHANNELS];
};

/* One value for each of the thread's samples. */
struct OwnValues {
    float value[OWN_SAMPLES];
};

/* A patch of the template with its gradients, and the sums that descending needs. */
template <int CHANNELS> struct Patch {
    int x, y;
    OwnValues from[CHANNELS], gradient_x[CHANNELS], gradient_y[CHANNELS];
    float sum_x[CHANNELS], sum_y[CHANNELS];
    float a11, a12, a22;
};

/* What a patch's differences d cost, and, but for their means, d times the gradients. */
struct Match {
    float cost, x, y;
};

/* Kernels whose threads are warps: without these the first thread does all. */
#ifdef __CUDACC__
#define VFI_ENTER_WARP
#else
#define VFI_ENTER_WARP                                                                   \
    if (threadIdx.x != 0)                                                                \
    return
#endif

/* Those of @picture as direction @d sees them. */
template <int CHANNELS>
static PicturePair<CHANNELS> picture_pair(const VfiFlowPicture picture[2], int d,
                                          char *const *region)
{
    PicturePair<CHANNELS> pair;

    flow_planes(pair.from, picture[d].channel, CHANNELS, region);
    flow_planes(pair.to, picture[1 - d].channel, CHANNELS, region);
    return pair;
}

/* Which of the patch's samples is the thread's @k-th one. */
static __device__ __forceinline__ FlowPlace own_sample(int k)
{
#ifdef __CUDACC__
    const int sample = k * LANES + (int)threadIdx.x;
#else
    const int sample = k;
#endif
    return {sample % VFI_FLOW_PATCH, sample / VFI_FLOW_PATCH};
}

/* Over the whole patch; the same for all lanes. */
static __device__ __forceinline__ float sum_over_patch(const OwnValues &values)
{
#ifdef __CUDACC__
    float sum = values.value[0];

    for (int k = 1; k < OWN_SAMPLES; k++)
        sum += values.value[k];
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(ALL_LANES, sum, distance);
    return sum;
#else
    float sum[LANES];

    for (int lane = 0; lane < LANES; lane++) {
        sum[lane] = values.value[lane];
        for (int k = LANES; k < PATCH_SAMPLES; k += LANES)
            sum[lane] += values.value[lane + k];
    }
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        for (int lane = 0; lane < distance; lane++)
            sum[lane] += sum[lane + distance];
    return sum[0];
#endif
}

static __device__ __forceinline__ float product_over_patch(const OwnValues &a,
                                                           const OwnValues &b)
{
    OwnValues products;

    for (int k = 0; k < OWN_SAMPLES; k++)
        products.value[k] = a.value[k] * b.value[k];
    return sum_over_patch(products);
}

template <int CHANNELS>
static __device__ __forceinline__ void
add_channel(const PicturePair<CHANNELS> &pictures, int channel,
            const Patch<CHANNELS> &patch, float x, float y, Match *match)
{
    const FlowPlane *to = &pictures.to[channel];
    const PicturePlace place = patch_place(to, patch.x, patch.y, x, y);
    OwnValues difference;

    for (int k = 0; k < OWN_SAMPLES; k++) {
        const FlowPlace own = own_sample(k);
        difference.value[k] = picture_sample(&place, own.y * to->row + own.x) -
                              patch.from[channel].value[k];
    }
    const float sum = sum_over_patch(difference);
    match->cost += product_over_patch(difference, difference) - MEAN_FACTOR * sum * sum;
    match->x += product_over_patch(difference, patch.gradient_x[channel]) -
                MEAN_FACTOR * sum * patch.sum_x[channel];
    match->y += product_over_patch(difference, patch.gradient_y[channel]) -
                MEAN_FACTOR * sum * patch.sum_y[channel];
}

/* How the patch matches where the vector (x, y) leads. */
template <int CHANNELS>
static __device__ __forceinline__ Match match_patch(const PicturePair<CHANNELS> &pictures,
                                                    const Patch<CHANNELS> &patch, float x,
                                                    float y)
{
    Match match = {0.0f, 0.0f, 0.0f};

    VFI_UNROLL
    for (int channel = 0; channel < CHANNELS; channel++)
        add_channel(pictures, channel, patch, x, y, &match);
    return match;
}

template <int CHANNELS>
static __device__ __forceinline__ void
find_gradients(const PicturePair<CHANNELS> &pictures, int channel, Patch<CHANNELS> *patch)
{
    const FlowPlane *from = &pictures.from[channel];
    OwnValues *const gradient_x = &patch->gradient_x[channel];
    OwnValues *const gradient_y = &patch->gradient_y[channel];

    for (int k = 0; k < OWN_SAMPLES; k++) {
        const FlowPlace own = own_sample(k);
        const float *at = flow_at(from, patch->x + own.x, patch->y + own.y);
        patch->from[channel].value[k] = *at;
        gradient_x->value[k] = 0.5f * (at[1] - at[-1]);
        gradient_y->value[k] = 0.5f * (at[from->row] - *(at - from->row));
    }
    const float sum_x = sum_over_patch(*gradient_x);
    const float sum_y = sum_over_patch(*gradient_y);
    patch->sum_x[channel] = sum_x;
    patch->sum_y[channel] = sum_y;
    patch->a11 +=
        product_over_patch(*gradient_x, *gradient_x) - MEAN_FACTOR * sum_x * sum_x;
    patch->a12 +=
        product_over_patch(*gradient_x, *gradient_y) - MEAN_FACTOR * sum_x * sum_y;
    patch->a22 +=
        product_over_patch(*gradient_y, *gradient_y) - MEAN_FACTOR * sum_y * sum_y;
}

template <int CHANNELS>
static __device__ __forceinline__ Patch<CHANNELS>
patch_of(const PicturePair<CHANNELS> &pictures, int column, int row)
{
    Patch<CHANNELS> patch;

    patch.x = vfi_flow_patch_begin(column, pictures.from[0].w);
    patch.y = vfi_flow_patch_begin(row, pictures.from[0].h);
    patch.a11 = patch.a12 = patch.a22 = 0.0f;
    VFI_UNROLL
    for (int channel = 0; channel < CHANNELS; channel++)
        find_gradients(pictures, channel, &patch);
    return patch;
}
