/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work is queued on the session's compute stream. */
#include "flow/flow.h"

#include "flow/flow_kernels.h"

cudaError_t vfi_cuda_flow_launch(cudaStream_t stream, const VfiFlowStep *step,
                                 const VfiFlowArguments *arguments)
{
    char *const *region = arguments->region;

    switch (step->kind) {
    case VFI_FLOW_STEP_LUMA:
        return vfi_cuda_flow_luma(stream, &step->u.luma, region, arguments->video,
                                  arguments->frame);
    case VFI_FLOW_STEP_CHROMA:
        return vfi_cuda_flow_chroma(stream, &step->u.chroma, region, arguments->video,
                                    arguments->frame);
    case VFI_FLOW_STEP_HALVE:
        return vfi_cuda_flow_halve(stream, &step->u.halve, region);
    case VFI_FLOW_STEP_BEGIN:
        return vfi_cuda_flow_begin(stream, &step->u.begin, region);
    case VFI_FLOW_STEP_CROSS:
        return vfi_cuda_flow_cross(stream, &step->u.cross, region);
    case VFI_FLOW_STEP_SWEEP:
        return vfi_cuda_flow_sweep(stream, &step->u.sweep, region);
    case VFI_FLOW_STEP_DENSIFY:
        return vfi_cuda_flow_densify(stream, &step->u.densify, region);
    case VFI_FLOW_STEP_RESIDUAL:
        return vfi_cuda_flow_residual(stream, &step->u.residual, region);
    case VFI_FLOW_STEP_TRUST:
        return vfi_cuda_flow_trust(stream, &step->u.trust, region);
    case VFI_FLOW_STEP_SPLAT:
        return vfi_cuda_flow_splat(stream, &step->u.splat, region, arguments->t);
    case VFI_FLOW_STEP_MERGE:
        return vfi_cuda_flow_merge(stream, &step->u.merge, region);
    case VFI_FLOW_STEP_PULL:
        return vfi_cuda_flow_pull(stream, &step->u.fill, region);
    case VFI_FLOW_STEP_PUSH:
        return vfi_cuda_flow_push(stream, &step->u.fill, region);
    case VFI_FLOW_STEP_MEDIAN:
        return vfi_cuda_flow_median(stream, &step->u.median, region);
    case VFI_FLOW_STEP_SIDES:
        return vfi_cuda_flow_sides(stream, &step->u.sides, region);
    case VFI_FLOW_STEP_KINDS:
        break;
    }
    return cudaErrorInvalidValue;
}

bool vfi_cuda_flow_step(VfiDevice *device, const VfiFlowStep *step,
                        const VfiFlowArguments *arguments, GError **error)
{
    return vfi_cuda_begin_work(device, arguments->cancel, error) &&
           vfi_cuda_end_work(
               vfi_cuda_flow_launch(device->compute_stream, step, arguments),
               "finding motion", error);
}

bool vfi_cuda_synthesize_picture(VfiDevice *device, const VfiVideoInfo *video,
                                 const VfiFrame *frame0, const VfiFrame *frame1,
                                 const VfiMotion *motion, void *scratch,
                                 const VfiFrame *out, int begin, int end,
                                 const atomic_int *cancel, GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(vfi_cuda_synthesize(device->compute_stream, video, frame0,
                                                 frame1, motion, scratch, out, begin,
                                                 end),
                             "making a picture", error);
}

size_t vfi_cuda_synthesis_bytes(VfiDevice *device, const VfiMotion *shape)
{
    (void)device;
    return vfi_cuda_synthesis_scratch(shape);
}
