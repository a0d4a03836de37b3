/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work is queued on the session's compute stream. Questions have a stream of their own,
 * and are answered when the function returns. */
#include "frames/frames.h"

#include <math.h>
#include <string.h>

#include "frames/frame_kernels.h"
#include "runtime/cuda_error.h"
#include "scene/signature.h"

bool vfi_cuda_prepare_frame(VfiDevice *device, const VfiVideoInfo *video,
                            const VfiFrame *frame, float *image, int padded_w,
                            int padded_h, VfiPadding padding, const atomic_int *cancel,
                            GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(vfi_cuda_prepare(device->compute_stream, video, frame, image,
                                              padded_w, padded_h, padding),
                             "preparing a frame", error);
}

/* The scratch is not in use: its last user has waited for the result. */
static bool grow_mean_scratch(VfiDevice *device, size_t floats, GError **error)
{
    if (device->mean_scratch_floats >= floats)
        return true;
    vfi_cuda_context_free(device->context, device->mean_scratch);
    device->mean_scratch_floats = 0;
    device->mean_scratch = vfi_cuda_context_alloc(device->context, floats * sizeof(float),
                                                  "averaging a frame", error);
    if (device->mean_scratch == NULL)
        return false;
    device->mean_scratch_floats = floats;
    return true;
}

/* Brings what a kernel has found in device->mean to the host. */
static bool read_result(VfiDevice *device, const char *what, GError **error)
{
    cudaStream_t stream = device->compute_stream;

    return vfi_cuda_check(cudaMemcpyAsync(device->pinned_mean, device->mean,
                                          sizeof(double), cudaMemcpyDeviceToHost, stream),
                          what, error) &&
           vfi_cuda_check(cudaStreamSynchronize(stream), what, error);
}

static bool find_mean(VfiDevice *device, const float *image, int padded_w, int padded_h,
                      int width, int height, double *mean, GError **error)
{
    cudaStream_t stream = device->compute_stream;

    if (!grow_mean_scratch(device, vfi_cuda_image_mean_scratch(width, height), error) ||
        !vfi_cuda_check(vfi_cuda_image_mean(stream, image, padded_w, padded_h, width,
                                            height, device->mean_scratch, device->mean),
                        "averaging a frame", error) ||
        !read_result(device, "averaging a frame", error))
        return false;
    *mean = *device->pinned_mean;
    return true;
}

bool vfi_cuda_mean_of_image(VfiDevice *device, const float *image, int padded_w,
                            int padded_h, int width, int height, double *mean,
                            const atomic_int *cancel, GError **error)
{
    if (!vfi_cuda_begin_work(device, cancel, error))
        return false;
    bool found = find_mean(device, image, padded_w, padded_h, width, height, mean, error);
    vfi_cuda_leave();
    return found;
}

static bool find_minimum(VfiDevice *device, const float *image, int padded_w,
                         int padded_h, const VfiMinimumArea *area, float minimum[2],
                         GError **error)
{
    static const char what[] = "finding the least value of a frame";

    if (!grow_mean_scratch(device, vfi_cuda_image_minimum_scratch(), error) ||
        !vfi_cuda_check(vfi_cuda_image_minimum(device->compute_stream, image, padded_w,
                                               padded_h, area, device->mean_scratch,
                                               (float *)(void *)device->mean),
                        what, error) ||
        !read_result(device, what, error))
        return false;
    memcpy(minimum, device->pinned_mean, 2 * sizeof(float));
    return true;
}

bool vfi_cuda_minimum_of_image(VfiDevice *device, const float *image, int padded_w,
                               int padded_h, const VfiMinimumArea *area, float minimum[2],
                               const atomic_int *cancel, GError **error)
{
    if (!vfi_cuda_begin_work(device, cancel, error))
        return false;
    bool found = find_minimum(device, image, padded_w, padded_h, area, minimum, error);
    vfi_cuda_leave();
    return found;
}

bool vfi_cuda_warp_blend_frame(VfiDevice *device, const VfiVideoInfo *video,
                               const VfiFrame *frame0, const VfiFrame *frame1,
                               const VfiFlowField *field, const VfiFrame *out, int begin,
                               int end, const atomic_int *cancel, GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(vfi_cuda_warp_blend(device->compute_stream, video, frame0,
                                                 frame1, field, out, begin, end),
                             "making a picture", error);
}

bool vfi_cuda_rgb_to_planes_frame(VfiDevice *device, const VfiVideoInfo *video,
                                  const VfiRgbPicture *picture, const VfiFrame *frame0,
                                  const VfiFrame *frame1, double t, const VfiFrame *out,
                                  int begin, int end, const atomic_int *cancel,
                                  GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(vfi_cuda_rgb_to_planes(device->compute_stream, video,
                                                    picture, frame0, frame1, t, out,
                                                    begin, end),
                             "converting a picture", error);
}

bool vfi_cuda_blend_frames(VfiDevice *device, const VfiVideoInfo *video,
                           const VfiFrame *frame0, const VfiFrame *frame1, double t,
                           const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(
               vfi_cuda_blend(device->compute_stream, video, frame0, frame1, t, out),
               "blending frames", error);
}

/* Brings the mask to the device: a session has one, which stays as it is. */
static bool ensure_keep_mask(VfiDevice *device, const VfiVideoInfo *video,
                             const VfiKeep *keep, GError **error)
{
    size_t bytes = (size_t)video->width * (size_t)video->height;

    if (keep->mask[0] == NULL || device->keep_mask != NULL)
        return true;
    device->keep_mask =
        vfi_cuda_context_alloc(device->context, bytes, "the overlay mask", error);
    return device->keep_mask != NULL &&
           vfi_cuda_check(cudaMemcpyAsync(device->keep_mask, keep->mask[0], bytes,
                                          cudaMemcpyHostToDevice, device->compute_stream),
                          "keeping what is marked", error);
}

static bool keep_parts(VfiDevice *device, const VfiVideoInfo *video,
                       const VfiFrame *frame0, const VfiFrame *frame1, double t,
                       const VfiKeep *keep, const VfiFrame *out, GError **error)
{
    return ensure_keep_mask(device, video, keep, error) &&
           vfi_cuda_check(vfi_cuda_keep(device->compute_stream, video, frame0, frame1, t,
                                        keep, device->keep_mask, out),
                          "keeping what is marked", error);
}

bool vfi_cuda_keep_parts(VfiDevice *device, const VfiVideoInfo *video,
                         const VfiFrame *frame0, const VfiFrame *frame1, double t,
                         const VfiKeep *keep, const VfiFrame *out,
                         const atomic_int *cancel, GError **error)
{
    if (!vfi_cuda_begin_work(device, cancel, error))
        return false;
    bool kept = keep_parts(device, video, frame0, frame1, t, keep, out, error);
    vfi_cuda_leave();
    return kept;
}

bool vfi_cuda_copy_planes(VfiDevice *device, const VfiVideoInfo *video,
                          const VfiFrame *frame, const VfiFrame *out,
                          const atomic_int *cancel, GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(
               vfi_cuda_copy_frame(device->compute_stream, video, frame, out),
               "copying a frame", error);
}

/* ---- tiles ------------------------------------------------------------------------- */

bool vfi_cuda_slide_band_to(VfiDevice *device, const VfiTileBand *band, int first_row,
                            const atomic_int *cancel, GError **error)
{
    return vfi_cuda_begin_work(device, cancel, error) &&
           vfi_cuda_end_work(vfi_cuda_slide_band(device->compute_stream, band, first_row),
                             "putting tiles together", error);
}

/* Room for a tile's weights. Tiles of a network are larger than those of `flow`, which
 * have a weight for each cell. */
static bool ensure_tile_weights(VfiDevice *device, const VfiTilePlace *place,
                                GError **error)
{
    size_t floats = (size_t)place->tile_w + (size_t)place->tile_h;

    if (floats <= device->tile_weights_floats)
        return true;
    if (device->tile_weights != NULL &&
        !vfi_cuda_check(cudaStreamSynchronize(device->compute_stream),
                        "putting tiles together", error))
        return false;
    vfi_cuda_context_free(device->context, device->tile_weights);
    device->tile_weights_floats = 0;
    device->tile_weights = vfi_cuda_context_alloc(device->context, floats * sizeof(float),
                                                  "the weights of tiles", error);
    if (device->tile_weights == NULL)
        return false;
    device->tile_weights_floats = floats;
    return true;
}

/* The weights are in pageable memory, which cudaMemcpyAsync() has read when it
 * returns. */
static bool place_tile(VfiDevice *device, const VfiTileBand *band, const float *tile,
                       int first_plane, int n_planes, const VfiTilePlace *place,
                       GError **error)
{
    cudaStream_t stream = device->compute_stream;
    size_t w = (size_t)place->w, h = (size_t)place->h;
    VfiTilePlace on_device = *place;

    if (!ensure_tile_weights(device, place, error) ||
        !vfi_cuda_check(cudaMemcpyAsync(device->tile_weights, place->weight_x,
                                        w * sizeof(float), cudaMemcpyHostToDevice,
                                        stream),
                        "putting tiles together", error) ||
        !vfi_cuda_check(cudaMemcpyAsync(device->tile_weights + w, place->weight_y,
                                        h * sizeof(float), cudaMemcpyHostToDevice,
                                        stream),
                        "putting tiles together", error))
        return false;
    on_device.weight_x = device->tile_weights;
    on_device.weight_y = device->tile_weights + w;
    return vfi_cuda_check(
        vfi_cuda_add_tile(stream, band, tile, first_plane, n_planes, &on_device),
        "putting tiles together", error);
}

bool vfi_cuda_add_tile_to(VfiDevice *device, const VfiTileBand *band, const float *tile,
                          int first_plane, int n_planes, const VfiTilePlace *place,
                          const atomic_int *cancel, GError **error)
{
    if (!vfi_cuda_begin_work(device, cancel, error))
        return false;
    bool placed = place_tile(device, band, tile, first_plane, n_planes, place, error);
    vfi_cuda_leave();
    return placed;
}

/* ---- questions --------------------------------------------------------------------- */

static bool begin_question(VfiDevice *device, GError **error)
{
    g_mutex_lock(&device->questions.lock);
    if (vfi_cuda_enter(device, error))
        return true;
    g_mutex_unlock(&device->questions.lock);
    return false;
}

/* Waits for the first @bytes of the answer, if @result says that it was queued. */
static bool end_question(VfiDevice *device, cudaError_t result, void *answer,
                         size_t bytes, const char *what, GError **error)
{
    VfiCudaQuestions *questions = &device->questions;
    bool answered =
        vfi_cuda_check(result, what, error) &&
        vfi_cuda_check(cudaMemcpyAsync(questions->pinned_result, questions->result, bytes,
                                       cudaMemcpyDeviceToHost, questions->stream),
                       what, error) &&
        vfi_cuda_check(cudaStreamSynchronize(questions->stream), what, error);

    if (answered)
        memcpy(answer, questions->pinned_result, bytes);
    vfi_cuda_leave();
    g_mutex_unlock(&questions->lock);
    return answered;
}

bool vfi_cuda_frames_equal(VfiDevice *device, const VfiVideoInfo *video,
                           const VfiFrame *a, const VfiFrame *b, bool *equal,
                           GError **error)
{
    VfiCudaQuestions *questions = &device->questions;
    unsigned different = 0;

    if (!begin_question(device, error))
        return false;
    cudaError_t result =
        cudaMemsetAsync(questions->result, 0, sizeof different, questions->stream);
    if (result == cudaSuccess)
        result =
            vfi_cuda_compare_frames(questions->stream, video, a, b, questions->result);
    bool answered = end_question(device, result, &different, sizeof different,
                                 "comparing frames", error);
    *equal = answered && different == 0;
    return answered;
}

/* Bytes of the answer, before its parts. */
#define ANSWER_ROOM 64

static bool see_repeat(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *a,
                       const VfiFrame *b, bool *repeat, GError **error)
{
    unsigned different = 0;

    G_STATIC_ASSERT(ANSWER_ROOM + VFI_CUDA_REPEAT_PARTS * sizeof(VfiCudaRepeatPart) <=
                    VFI_CUDA_ANSWER_BYTES);
    if (!begin_question(device, error))
        return false;
    void *parts = (char *)device->questions.result + ANSWER_ROOM;
    cudaError_t result = vfi_cuda_see_repeat(device->questions.stream, video, a, b, parts,
                                             device->questions.result);
    bool answered = end_question(device, result, &different, sizeof different,
                                 "comparing frames", error);
    *repeat = answered && different == 0;
    return answered;
}

bool vfi_cuda_frames_repeat(VfiDevice *device, const VfiVideoInfo *video,
                            const VfiFrame *a, const VfiFrame *b, double threshold,
                            bool *repeat, GError **error)
{
    VfiCudaQuestions *questions = &device->questions;
    unsigned different = 0;

    if (a->id != 0 && a->id == b->id) {
        *repeat = true;
        return true;
    }
    if (threshold < 0.0)
        return see_repeat(device, video, a, b, repeat, error);
    if (!(threshold > 0.0))
        return vfi_cuda_frames_equal(device, video, a, b, repeat, error);
    if (!begin_question(device, error))
        return false;
    cudaError_t result =
        cudaMemsetAsync(questions->result, 0, sizeof different, questions->stream);
    if (result == cudaSuccess)
        result = vfi_cuda_compare_blocks(questions->stream, video, a, b, threshold,
                                         questions->result);
    bool answered = end_question(device, result, &different, sizeof different,
                                 "comparing frames", error);
    *repeat = answered && different == 0;
    return answered;
}

bool vfi_cuda_scene_signature(VfiDevice *device, const VfiVideoInfo *video,
                              const VfiFrame *frame, VfiSceneSignature *signature,
                              GError **error)
{
    float cells[VFI_SCENE_SIGNATURE_SIZE * VFI_SCENE_SIGNATURE_SIZE];
    cudaError_t result;

    vfi_scene_signature_size(video, &signature->width, &signature->height);
    if (!begin_question(device, error))
        return false;
    result =
        vfi_cuda_scene_cells(device->questions.stream, video, frame, signature->width,
                             signature->height, device->questions.result);
    size_t row = (size_t)signature->width;
    if (!end_question(device, result, cells,
                      row * (size_t)signature->height * sizeof(float),
                      "looking at a frame", error))
        return false;
    for (int y = 0; y < signature->height; y++)
        memcpy(signature->luma[y], cells + (size_t)y * row, row * sizeof(float));
    return true;
}
