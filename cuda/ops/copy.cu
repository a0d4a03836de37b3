/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies between layouts and storages. From planes to planes a thread copies four
 * neighbouring values; any other way it takes the 8 channels of a pixel (tensor.cuh).
 * Values beyond f16's range become its largest ones. */
#include "ops/tensor.cuh"

/* Values per thread from planes to planes. */
#define VALUES 4

static __global__ void __launch_bounds__(VFI_BLOCK)
    copy_groups(VfiCudaTensor src, VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel;
    int channel;

    if (vfi_group_place(over, &pixel, &channel))
        vfi_store_group(dst, pixel, channel, vfi_load_group(src, pixel, channel));
}

static __device__ __forceinline__ float load_value(const VfiCudaTensor &src, size_t i)
{
    return src.half ? __half2float(((const __half *)src.data)[i])
                    : ((const float *)src.data)[i];
}

static __device__ __forceinline__ float4 load_values(const VfiCudaTensor &src, size_t i)
{
    if (!src.half)
        return *(const float4 *)((const float *)src.data + i);
    uint2 bits = *(const uint2 *)((const __half *)src.data + i);
    return make_float4(vfi_widen_bits(bits.x), vfi_widen_bits(bits.x >> 16),
                       vfi_widen_bits(bits.y), vfi_widen_bits(bits.y >> 16));
}

static __global__ void __launch_bounds__(VFI_BLOCK)
    copy_planes(VfiCudaTensor src, VfiCudaTensor dst, size_t n)
{
    size_t i = ((size_t)blockIdx.x * blockDim.x + threadIdx.x) * VALUES;

    if (i + VALUES <= n && vfi_is_aligned(src.data, sizeof(float4)) &&
        vfi_is_aligned(dst.data, sizeof(float4))) {
        float4 x = load_values(src, i);
        if (dst.half)
            *(uint2 *)((__half *)dst.data + i) =
                make_uint2(vfi_narrow_two(x.x, x.y), vfi_narrow_two(x.z, x.w));
        else
            *(float4 *)((float *)dst.data + i) = x;
        return;
    }
    for (size_t end = i + VALUES; i < end && i < n; i++) {
        float x = load_value(src, i);
        if (dst.half)
            ((__half *)dst.data)[i] = vfi_narrow(x);
        else
            ((float *)dst.data)[i] = x;
    }
}

static cudaError_t launch_copy(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *src = &launch->src[0], *dst = &launch->dst;
    size_t plane = vfi_tensor_plane(dst);
    bool from_planes = vfi_tensor_is_planar(src), to_planes = vfi_tensor_is_planar(dst);

    if (from_planes && to_planes) {
        size_t n = (size_t)dst->c * plane;
        size_t blocks = vfi_ceil_div(n, (size_t)VFI_BLOCK * VALUES);
        VFI_LAUNCH(copy_planes, dim3((unsigned)blocks), dim3(VFI_BLOCK), launch->stream,
                   *src, *dst, n);
        return cudaGetLastError();
    }
    VfiGroupLaunch groups = vfi_group_launch(plane, dst->c, from_planes || to_planes);
    VFI_LAUNCH(copy_groups, groups.grid, groups.block, launch->stream, *src, *dst,
               groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_copy = {NULL, NULL, launch_copy};
const VfiCudaOpEntry vfi_cuda_op_convert = {NULL, NULL, launch_copy};
