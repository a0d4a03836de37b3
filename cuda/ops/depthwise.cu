/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions of each channel by itself, with all that follows. A thread takes 8
 * channels of a pixel.
 *
 * They are not cuDNN's. With channels last its engines want groups of 8 channels; rounded
 * up to that, or as one group with a diagonal weight, there would be 8 to 1024 times as
 * many products as there are. Which engines take groups of one channel in planes differs
 * from device to device. And there is nothing to gain: this waits for memory, and of nine
 * values that a sum is made of eight come from a cache. */
#include "ops/depthwise.cuh"

#include "ops/conv_end.cuh"

struct Window {
    int kernel_h, kernel_w, stride, top, left;
};

static __global__ void __launch_bounds__(VFI_BLOCK)
    depthwise(VfiCudaTensor src, const float *weight, Window window, VfiConvEnd end,
              VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel, w = (unsigned)dst.w;
    int channel, channels = over.channels;
    int pitch = (channels + VFI_GROUP - 1) / VFI_GROUP * VFI_GROUP;
    VfiGroup sum = {{0.0f}};

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    int first_y = (int)(pixel / w) * window.stride - window.top;
    int first_x = (int)(pixel % w) * window.stride - window.left;
    for (int ky = 0; ky < window.kernel_h; ky++)
        for (int kx = 0; kx < window.kernel_w; kx++, weight += pitch) {
            int y = first_y + ky, x = first_x + kx;
            if (y < 0 || x < 0 || y >= src.h || x >= src.w)
                continue;
            VfiGroup factor = vfi_load_each(weight, channel, channels, 0.0f);
            VfiGroup value =
                vfi_load_group(src, (unsigned)y * (unsigned)src.w + (unsigned)x, channel);
            VFI_UNROLL
            for (int k = 0; k < VFI_GROUP; k++)
                sum.v[k] += factor.v[k] * value.v[k];
        }
    vfi_store_group(dst, pixel, channel,
                    vfi_end_conv(sum, end, pixel, channel, channels));
}

cudaError_t vfi_cuda_launch_depthwise(const VfiCudaLaunch *launch)
{
    const VfiConvParams *p = &launch->op->u.conv;
    const VfiCudaTensor *src = &launch->src[0], *dst = &launch->dst;
    bool has_planes = vfi_tensor_is_planar(src) || vfi_tensor_is_planar(dst);
    VfiGroupLaunch groups = vfi_group_launch(vfi_tensor_plane(dst), dst->c, has_planes);
    Window window = {p->kernel_h, p->kernel_w, p->stride, p->pad_top, p->pad_left};

    VFI_LAUNCH(depthwise, groups.grid, groups.block, launch->stream, *src,
               launch->constant[VFI_CONV_WEIGHT], window, vfi_conv_end_of(launch), *dst,
               groups.over);
    return cudaGetLastError();
}
