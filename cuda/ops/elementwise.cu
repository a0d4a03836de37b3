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
static cudaError_t run_unary(const VfiCudaLaunch *launch, Planes over, Op op)
{
    VFI_LAUNCH(unary<Op>, grid_of(over), dim3(VFI_BLOCK), launch->stream,
               (const float *)launch->src[0].data, (float *)launch->dst.data, over, op);
    return cudaGetLastError();
}

template <typename Op> static cudaError_t run_binary(const VfiCudaLaunch *launch, Op op)
{
    const VfiCudaTensor *a = &launch->src[0], *b = &launch->src[1];
    bool shared = b->c == 1 && a->c > 1;
    Planes over = shared ? each_plane(a) : one_plane(a);

    VFI_LAUNCH(binary<Op>, grid_of(over), dim3(VFI_BLOCK), launch->stream,
               (const float *)a->data, (const float *)b->data,
               shared ? (size_t)0 : over.plane, (float *)launch->dst.data, over, op);
    return cudaGetLastError();
}

static cudaError_t launch_add(const VfiCudaLaunch *launch)
{
    return run_binary(launch, Add{launch->op->u.sum.scale});
}

static cudaError_t launch_sub(const VfiCudaLaunch *launch)
{
    return run_binary(launch, Subtract{launch->op->u.sum.scale});
}

static cudaError_t launch_mul(const VfiCudaLaunch *launch)
{
    return run_binary(launch, Multiply{});
}

static cudaError_t launch_affine(const VfiCudaLaunch *launch)
{
    const VfiAffineParams *p = &launch->op->u.affine;

    return run_unary(launch, one_plane(&launch->dst), Affine{p->mul, p->add});
}

static cudaError_t launch_clamp(const VfiCudaLaunch *launch)
{
    const VfiClampParams *p = &launch->op->u.clamp;

    return run_unary(launch, one_plane(&launch->dst), Clamp{p->low, p->high});
}

static void activate_constants(const VfiOp *op,
                               VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    if (op->u.activation.kind == VFI_ACTIVATION_PRELU)
        constants[0] = {op->u.activation.slope, (size_t)op->dst.shape.c, 0};
}

static cudaError_t launch_activate(const VfiCudaLaunch *launch)
{
    const VfiActivation *p = &launch->op->u.activation;
    bool by_channel = p->kind == VFI_ACTIVATION_PRELU;
    Activate op = {p->kind == VFI_ACTIVATION_SIGMOID, launch->constant[0],
                   vfi_common_slope(p->kind, p->leak)};

    return run_unary(launch,
                     by_channel ? each_plane(&launch->dst) : one_plane(&launch->dst), op);
}

const VfiCudaOpEntry vfi_cuda_op_add = {NULL, NULL, launch_add};
const VfiCudaOpEntry vfi_cuda_op_sub = {NULL, NULL, launch_sub};
const VfiCudaOpEntry vfi_cuda_op_mul = {NULL, NULL, launch_mul};
const VfiCudaOpEntry vfi_cuda_op_affine = {NULL, NULL, launch_affine};
const VfiCudaOpEntry vfi_cuda_op_clamp = {NULL, NULL, launch_clamp};
const VfiCudaOpEntry vfi_cuda_op_activate = {NULL, activate_constants, launch_activate};
