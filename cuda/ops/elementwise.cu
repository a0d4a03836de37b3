/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise ops on planar f32. A thread takes four neighbouring values, in accesses of
 * 16 bytes if the planes' addresses and sizes allow that. If channels differ (each has a
 * slope; a source has one channel for all), the grid's y counts channels; else the whole
 * tensor is one long plane. */
#include "ops/tensor.cuh"

#define VALUES 4

/* The limit of a grid's y. */
#define GRID_CHANNELS 65535

struct Planes {
    size_t plane;
    int channels;
};

struct Affine {
    float mul, add;

    __device__ float channel(int) const
    {
        return 0.0f;
    }
    __device__ float value(float x, float) const
    {
        return x * mul + add;
    }
};

struct Clamp {
    float low, high;

    __device__ float channel(int) const
    {
        return 0.0f;
    }
    /* NaN fails both comparisons and stays. */
    __device__ float value(float x, float) const
    {
        x = x < low ? low : x;
        return x > high ? high : x;
    }
};

struct Activate {
    bool is_sigmoid;
    const float *slopes; /* or NULL */
    float slope;

    __device__ float channel(int c) const
    {
        return slopes != NULL ? slopes[c] : slope;
    }
    __device__ float value(float x, float factor) const
    {
        return vfi_activated(x, is_sigmoid, factor);
    }
};

struct Add {
    float scale;

    __device__ float value(float a, float b) const
    {
        return scale * (a + b);
    }
};

struct Subtract {
    float scale;

    __device__ float value(float a, float b) const
    {
        return scale * (a - b);
    }
};

struct Multiply {
    __device__ float value(float a, float b) const
    {
        return a * b;
    }
};

/* Index of the thread's first value in each plane. */
static __device__ __forceinline__ size_t first_value()
{
    return ((size_t)blockIdx.x * blockDim.x + threadIdx.x) * VALUES;
}

template <typename Op>
static __global__ void __launch_bounds__(VFI_BLOCK)
    unary(const float *src, float *dst, Planes over, Op op)
{
    size_t i = first_value();

    if (i >= over.plane)
        return;
    for (int c = (int)blockIdx.y; c < over.channels; c += (int)gridDim.y) {
        const float *from = src + (size_t)c * over.plane + i;
        float *to = dst + (size_t)c * over.plane + i, p = op.channel(c);
        if (i + VALUES <= over.plane && vfi_is_aligned(from, sizeof(float4)) &&
            vfi_is_aligned(to, sizeof(float4))) {
            float4 x = *(const float4 *)from;
            *(float4 *)to = make_float4(op.value(x.x, p), op.value(x.y, p),
                                        op.value(x.z, p), op.value(x.w, p));
            continue;
        }
        for (int k = 0; k < VALUES && i + (size_t)k < over.plane; k++)
            to[k] = op.value(from[k], p);
    }
}

/* @b_plane: floats from channel to channel of b; 0 if it has one for all. */
template <typename Op>
static __global__ void __launch_bounds__(VFI_BLOCK)
    binary(const float *a, const float *b, size_t b_plane, float *dst, Planes over, Op op)
{
    size_t i = first_value();

    if (i >= over.plane)
        return;
    for (int c = (int)blockIdx.y; c < over.channels; c += (int)gridDim.y) {
        const float *p = a + (size_t)c * over.plane + i;
        const float *q = b + (size_t)c * b_plane + i;
        float *to = dst + (size_t)c * over.plane + i;
        if (i + VALUES <= over.plane && vfi_is_aligned(p, sizeof(float4)) &&
            vfi_is_aligned(q, sizeof(float4)) && vfi_is_aligned(to, sizeof(float4))) {
            float4 x = *(const float4 *)p, y = *(const float4 *)q;
            *(float4 *)to = make_float4(op.value(x.x, y.x), op.value(x.y, y.y),
                                        op.value(x.z, y.z), op.value(x.w, y.w));
            continue;
        }
        for (int k = 0; k < VALUES && i + (size_t)k < over.plane; k++)
            to[k] = op.value(p[k], q[k]);
    }
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    fill(const float *value, float mul, float add, float *dst, size_t n)
{
    size_t i = first_value();
    float x = *value * mul + add;

    if (i + VALUES <= n && vfi_is_aligned(dst, sizeof(float4))) {
        *(float4 *)(dst + i) = make_float4(x, x, x, x);
        return;
    }
    for (size_t end = i + VALUES; i < end && i < n; i++)
        dst[i] = x;
}

static Planes one_plane(const VfiCudaTensor *tensor)
{
    return Planes{(size_t)tensor->c * vfi_tensor_plane(tensor), 1};
}

static Planes each_plane(const VfiCudaTensor *tensor)
{
    return Planes{vfi_tensor_plane(tensor), tensor->c};
}

static dim3 grid_of(Planes over)
{
    int y = over.channels < GRID_CHANNELS ? over.channels : GRID_CHANNELS;

    return dim3((unsigned)vfi_ceil_div(over.plane, (size_t)VFI_BLOCK * VALUES),
                (unsigned)y);
}

template <typename Op>
static cudaError_t run_unary(cudaStream_t stream, const VfiCudaTensor *src, Planes over,
                             Op op, const VfiCudaTensor *dst)
{
    VFI_LAUNCH(unary<Op>, grid_of(over), dim3(VFI_BLOCK), stream,
               (const float *)src->data, (float *)dst->data, over, op);
    return cudaGetLastError();
}

template <typename Op>
static cudaError_t run_binary(cudaStream_t stream, const VfiCudaTensor *a,
                              const VfiCudaTensor *b, Op op, const VfiCudaTensor *dst)
{
    bool shared = b->c == 1 && a->c > 1;
    Planes over = shared ? each_plane(a) : one_plane(a);

    VFI_LAUNCH(binary<Op>, grid_of(over), dim3(VFI_BLOCK), stream, (const float *)a->data,
               (const float *)b->data, shared ? (size_t)0 : over.plane,
               (float *)dst->data, over, op);
    return cudaGetLastError();
}

static cudaError_t run_fill(cudaStream_t stream, const float *value, float mul, float add,
                            const VfiCudaTensor *dst)
{
    Planes over = one_plane(dst);

    VFI_LAUNCH(fill, grid_of(over), dim3(VFI_BLOCK), stream, value, mul, add,
               (float *)dst->data, over.plane);
    return cudaGetLastError();
}

cudaError_t vfi_cuda_add(cudaStream_t stream, const VfiCudaTensor *a,
                         const VfiCudaTensor *b, float scale, const VfiCudaTensor *dst)
{
    return run_binary(stream, a, b, Add{scale}, dst);
}

cudaError_t vfi_cuda_sub(cudaStream_t stream, const VfiCudaTensor *a,
                         const VfiCudaTensor *b, float scale, const VfiCudaTensor *dst)
{
    return run_binary(stream, a, b, Subtract{scale}, dst);
}

cudaError_t vfi_cuda_mul(cudaStream_t stream, const VfiCudaTensor *a,
                         const VfiCudaTensor *b, const VfiCudaTensor *dst)
{
    return run_binary(stream, a, b, Multiply{}, dst);
}

cudaError_t vfi_cuda_affine(cudaStream_t stream, const VfiCudaTensor *src, float mul,
                            float add, const VfiCudaTensor *dst)
{
    return run_unary(stream, src, one_plane(src), Affine{mul, add}, dst);
}

cudaError_t vfi_cuda_clamp(cudaStream_t stream, const VfiCudaTensor *src, float low,
                           float high, const VfiCudaTensor *dst)
{
    return run_unary(stream, src, one_plane(src), Clamp{low, high}, dst);
}

cudaError_t vfi_cuda_activate(cudaStream_t stream, const VfiCudaTensor *src,
                              VfiActivationKind kind, const float *slope, float leak,
                              const VfiCudaTensor *dst)
{
    bool by_channel = kind == VFI_ACTIVATION_PRELU;
    Activate op = {kind == VFI_ACTIVATION_SIGMOID, by_channel ? slope : NULL,
                   vfi_common_slope(kind, leak)};

    return run_unary(stream, src, by_channel ? each_plane(src) : one_plane(src), op, dst);
}

cudaError_t vfi_cuda_fill(cudaStream_t stream, const float *input, float mul, float add,
                          const VfiCudaTensor *dst)
{
    return run_fill(stream, input, mul, add, dst);
}
