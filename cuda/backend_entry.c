/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module's one symbol: the backend's functions in a table. */
#include <vfi/export.h>

#include "device/open_device.h"
#include "device/pictures.h"
#include "device/transfers.h"
#include "flow/flow.h"
#include "frames/frames.h"
#include "program/compile.h"
#include "program/plan_target.h"
#include "program/program.h"
#include "program/run_program.h"

static const VfiBackend backend = {
    .abi = VFI_BACKEND_ABI,
    .name = "cuda",
    .host_memory = false,
    .probe = vfi_cuda_probe,
    .open = vfi_cuda_open,
    .close = vfi_cuda_close,
    .info = vfi_cuda_info,
    .memory_info = vfi_cuda_memory_info,
    .alloc = vfi_cuda_alloc,
    .free = vfi_cuda_free,
    .trim = vfi_cuda_trim,
    .plan_target = vfi_cuda_plan_target,
    .compile = vfi_cuda_compile,
    .measure = vfi_cuda_measure,
    .program_free = vfi_cuda_program_free,
    .program_packed_bytes = vfi_cuda_program_packed_bytes,
    .run = vfi_cuda_run,
    .prepare = vfi_cuda_prepare_frame,
    .image_mean = vfi_cuda_mean_of_image,
    .image_minimum = vfi_cuda_minimum_of_image,
    .warp_blend = vfi_cuda_warp_blend_frame,
    .synthesize = vfi_cuda_synthesize_picture,
    .synthesis_bytes = vfi_cuda_synthesis_bytes,
    .synthesizes_networks = true,
    .rgb_to_planes = vfi_cuda_rgb_to_planes_frame,
    .blend = vfi_cuda_blend_frames,
    .copy = vfi_cuda_copy_planes,
    .keep = vfi_cuda_keep_parts,
    .flow_step = vfi_cuda_flow_step,
    .slide_band = vfi_cuda_slide_band_to,
    .add_tile = vfi_cuda_add_tile_to,
    .sync = vfi_cuda_sync,
    .begin_picture = vfi_cuda_begin_picture,
    .upload = vfi_cuda_upload,
    .download = vfi_cuda_download,
    .stamp = vfi_cuda_stamp,
    .end_picture = vfi_cuda_end_picture,
    .wait_picture = vfi_cuda_wait_picture,
    .frames_equal = vfi_cuda_frames_equal,
    .frames_repeat = vfi_cuda_frames_repeat,
    .scene_signature = vfi_cuda_scene_signature,
};

VFI_API const VfiBackend *vfi_backend_entry(void);

const VfiBackend *vfi_backend_entry(void)
{
    return &backend;
}
