/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GROUP_NORM and CHANNEL_MEAN. A block of threads adds up a band of pixels: of 8 channels
 * a thread, in f32, what values are off the band's first pixel, and the squares of that.
 * So a mean that is large next to the deviation costs no digits. Bands are then added up
 * in double, in the order of their places. */
#include <stdint.h>

#include "ops/tensor.cuh"

/* Threads of a block that sums pixels, and most groups of channels that it has. */
#define SUM_THREADS 128
#define SUM_GROUPS 8

/* Pixels of a thread, at least, and most bands. */
#define THREAD_PIXELS 16
#define MAX_BANDS 512

/* What a band's values of a channel, and their squares, add up to. */
struct Sums {
    double values, squares;
};

struct Bands {
    unsigned pixels, bands;
    int channels;
    int groups; /* of channels, of a block of threads */
    bool pixels_first;
};

static __host__ __device__ __forceinline__ unsigned band_begin(const Bands &over,
                                                               unsigned band)
{
    return (unsigned)((uint64_t)over.pixels * band / over.bands);
}

/* Adds up what every @lanes-th pixel is off @origin. */
static __device__ __forceinline__ void sum_pixels(const VfiCudaTensor &src, int channel,
                                                  const VfiGroup &origin, unsigned pixel,
                                                  unsigned end, unsigned lanes,
                                                  VfiGroup *values, VfiGroup *squares)
{
    for (; pixel < end; pixel += lanes) {
        VfiGroup x = vfi_load_group(src, pixel, channel);
        VFI_UNROLL
        for (int k = 0; k < VFI_GROUP; k++) {
            float off = x.v[k] - origin.v[k];
            values->v[k] += off;
            squares->v[k] += off * off;
        }
    }
}

/* A block has a band, and a few groups of channels: lanes of each share the pixels. */
static __global__ void __launch_bounds__(SUM_THREADS)
    sum_bands(VfiCudaTensor src, Bands over, Sums *sums)
{
    VFI_ENTER_PHASES;
    __shared__ float origins[SUM_GROUPS][VFI_GROUP];
    __shared__ float values[SUM_THREADS][VFI_GROUP], squares[SUM_THREADS][VFI_GROUP];
    unsigned begin = band_begin(over, blockIdx.x), end = band_begin(over, blockIdx.x + 1);
    int lanes = SUM_THREADS / over.groups;
    int first = (int)blockIdx.y * over.groups * VFI_GROUP;

    VFI_PHASE(i, SUM_THREADS)
    {
        int group = over.pixels_first ? i / lanes : i % over.groups;
        int lane = over.pixels_first ? i % lanes : i / over.groups;
        int channel = first + group * VFI_GROUP;
        VfiGroup origin = {{0.0f}}, sum = {{0.0f}}, square = {{0.0f}};
        if (channel < over.channels) {
            origin = vfi_load_group(src, begin, channel);
            sum_pixels(src, channel, origin, begin + (unsigned)lane, end, (unsigned)lanes,
                       &sum, &square);
        }
        VFI_UNROLL
        for (int k = 0; k < VFI_GROUP; k++) {
            values[group * lanes + lane][k] = sum.v[k];
            squares[group * lanes + lane][k] = square.v[k];
            if (lane == 0)
                origins[group][k] = origin.v[k];
        }
    }
    VFI_PHASE(c, over.groups * VFI_GROUP)
    {
        int group = c / VFI_GROUP, k = c % VFI_GROUP;
        if (first + c < over.channels) {
            double n = (double)(end - begin), sum = 0.0, square = 0.0;
            double origin = (double)origins[group][k];
            for (int lane = 0; lane < lanes; lane++) {
                sum += (double)values[group * lanes + lane][k];
                square += (double)squares[group * lanes + lane][k];
            }
            Sums *result =
                &sums[(size_t)blockIdx.x * (size_t)over.channels + (size_t)(first + c)];
            result->values = sum + n * origin;
            result->squares = square + origin * (2.0 * sum + n * origin);
        }
    }
}

/* Channels that have one mean: @count of each of @frames frames of @channels. */
struct Group {
    int frames, channels, count;
};

#define FINISH_THREADS 128

/* The sums of part @i of FINISH_THREADS of group @index. */
static __device__ __forceinline__ Sums sum_part(const Sums *sums, const Group &of,
                                                unsigned bands, int index, int i)
{
    unsigned in_band = (unsigned)(of.frames * of.count), all = in_band * bands;
    Sums total = {0.0, 0.0};

    for (unsigned at = (unsigned)i; at < all; at += FINISH_THREADS) {
        unsigned frame = at % in_band / (unsigned)of.count;
        unsigned channel = frame * (unsigned)of.channels + (unsigned)(index * of.count) +
                           at % (unsigned)of.count;
        Sums band =
            sums[(size_t)(at / in_band) * (size_t)(of.frames * of.channels) + channel];
        total.values += band.values;
        total.squares += band.squares;
    }
    return total;
}

struct Norm {
    const float *weight, *bias;
    const float *film; /* scales, then shifts; or NULL */
    float eps;
};

/* A block has a group. */
static __global__ void __launch_bounds__(FINISH_THREADS)
    finish_norm(const Sums *sums, Group of, Bands over, Norm norm, float *result)
{
    VFI_ENTER_PHASES;
    __shared__ Sums part[FINISH_THREADS];
    __shared__ Sums moments; /* mean and 1 / standard deviation */
    int index = (int)blockIdx.x;

    VFI_PHASE(i, FINISH_THREADS)
    part[i] = sum_part(sums, of, over.bands, index, i);
    VFI_PHASE(i, 1)
    {
        double n = (double)over.pixels * of.frames * of.count;
        double values = 0.0, squares = 0.0;
        for (int k = 0; k < FINISH_THREADS; k++) {
            values += part[k].values;
            squares += part[k].squares;
        }
        double mean = values / n, variance = squares / n - mean * mean;
        moments.values = mean;
        moments.squares = 1.0 / sqrt((variance > 0.0 ? variance : 0.0) + norm.eps);
        (void)i;
    }
    VFI_PHASE(i, of.count)
    {
        int c = index * of.count + i;
        double factor = (double)norm.weight[c] * moments.squares;
        double addend = (double)norm.bias[c] - moments.values * factor;
        double scale = norm.film != NULL ? 1.0 + (double)norm.film[c] : 1.0;
        double shift = norm.film != NULL ? (double)norm.film[of.channels + c] : 0.0;
        result[c] = (float)(factor * scale);
        result[of.channels + c] = (float)(addend * scale + shift);
    }
}

/* A block has a channel. */
static __global__ void __launch_bounds__(FINISH_THREADS)
    finish_mean(const Sums *sums, Group of, Bands over, float *result)
{
    VFI_ENTER_PHASES;
    __shared__ double part[FINISH_THREADS];

    VFI_PHASE(i, FINISH_THREADS)
    part[i] = sum_part(sums, of, over.bands, (int)blockIdx.x, i).values;
    VFI_PHASE(i, 1)
    {
        double sum = 0.0;
        for (int k = 0; k < FINISH_THREADS; k++)
            sum += part[k];
        result[(size_t)blockIdx.x + (size_t)i] = (float)(sum / (double)over.pixels);
    }
}

/* ---- launches ---------------------------------------------------------------------- */

static Bands bands_of(size_t pixels, int channels, bool is_planar)
{
    Bands over = {(unsigned)pixels, 1, channels, 1, is_planar};

    while (over.groups < SUM_GROUPS && over.groups * VFI_GROUP < channels)
        over.groups *= 2;
    size_t lanes = SUM_THREADS / (size_t)over.groups;
    size_t bands = vfi_ceil_div(pixels, lanes * THREAD_PIXELS);
    over.bands = (unsigned)(bands < MAX_BANDS ? bands : MAX_BANDS);
    return over;
}

static size_t sums_scratch(const VfiOp *op)
{
    VfiShape s = op->src[0].shape;
    Bands over =
        bands_of((size_t)s.h * (size_t)s.w, s.c, !vfi_operand_is_blocked(&op->src[0]));

    return over.bands * (size_t)s.c * sizeof(Sums);
}

static Bands launch_sums(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *src = &launch->src[0];
    Bands over = bands_of(vfi_tensor_plane(src), src->c, vfi_tensor_is_planar(src));
    size_t groups = vfi_ceil_div((size_t)src->c, (size_t)over.groups * (size_t)VFI_GROUP);

    VFI_LAUNCH(sum_bands, dim3(over.bands, (unsigned)groups), dim3(SUM_THREADS),
               launch->stream, *src, over, (Sums *)launch->scratch);
    return over;
}

enum { WEIGHT, BIAS };

static void norm_constants(const VfiOp *op,
                           VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    size_t channels = (size_t)op->dst.shape.c / 2;

    constants[WEIGHT] = {op->u.norm.weight, channels, 0};
    constants[BIAS] = {op->u.norm.bias, channels, 0};
}

static cudaError_t launch_group_norm(const VfiCudaLaunch *launch)
{
    const VfiNormParams *p = &launch->op->u.norm;
    Bands over = launch_sums(launch);
    int channels = launch->dst.c / 2;
    Group of = {p->frames, channels, channels / p->groups};
    Norm norm = {launch->constant[WEIGHT], launch->constant[BIAS],
                 launch->op->n_src > 1 ? (const float *)launch->src[1].data : NULL,
                 p->eps};

    VFI_LAUNCH(finish_norm, dim3((unsigned)p->groups), dim3(FINISH_THREADS),
               launch->stream, (const Sums *)launch->scratch, of, over, norm,
               (float *)launch->dst.data);
    return cudaGetLastError();
}

static cudaError_t launch_channel_mean(const VfiCudaLaunch *launch)
{
    Bands over = launch_sums(launch);
    Group of = {1, launch->dst.c, 1};

    VFI_LAUNCH(finish_mean, dim3((unsigned)launch->dst.c), dim3(FINISH_THREADS),
               launch->stream, (const Sums *)launch->scratch, of, over,
               (float *)launch->dst.data);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_group_norm = {NULL, norm_constants, launch_group_norm,
                                               sums_scratch};
const VfiCudaOpEntry vfi_cuda_op_channel_mean = {NULL, NULL, launch_channel_mean,
                                                 sums_scratch};
