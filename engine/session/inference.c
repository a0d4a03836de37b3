/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One inference: results kept of frames, the stages, the picture on the frames'
 * planes. */
#include "session/inference.h"

#include <string.h>

#include "session/overlays.h"
#include "session/rounds.h"

void vfi_record_time(VfiSession *session, VfiTimedStage stage, int64_t start)
{
    int64_t microseconds = g_get_monotonic_time() - start;

    if (!session->backend->host_memory) {
        session->backend->stamp(session->device, stage);
        return;
    }
    g_mutex_lock(&session->lock);
    vfi_stage_ring_add(&session->times[stage], (double)microseconds / 1e3);
    g_mutex_unlock(&session->lock);
}

bool vfi_finish_work(VfiSession *session, GError **error)
{
    return !session->backend->host_memory ||
           session->backend->sync(session->device, error);
}

/* ---- frames and pairs -------------------------------------------------------------- */

/* The kept slot of @key, or NULL. */
static VfiFrameSlot *find_slot(VfiSession *session, uint64_t key)
{
    for (int i = 0; i < session->n_slots; i++)
        if (session->slots[i].key == key)
            return &session->slots[i];
    return NULL;
}

/* The least recently used slot other than those of the view's frames. */
static VfiFrameSlot *evict_slot(VfiSession *session, const VfiView *view)
{
    VfiFrameSlot *oldest = NULL;

    for (int i = 0; i < session->n_slots; i++) {
        VfiFrameSlot *slot = &session->slots[i];
        bool needed = false;
        for (int k = 0; k < view->n_frames; k++)
            needed = needed || slot->key == view->keys[k];
        if (!needed && (oldest == NULL || slot->last_used < oldest->last_used))
            oldest = slot;
    }
    return oldest;
}

VfiFrameSlot *vfi_session_take_slot(VfiSession *session, const VfiView *view, int i)
{
    VfiFrameSlot *slot = find_slot(session, view->keys[i]);

    if (slot == NULL) {
        slot = evict_slot(session, view);
        slot->key = view->keys[i];
        slot->has_image = slot->has_motion = false;
    }
    slot->last_used = ++session->slot_clock;
    return slot;
}

static uint64_t *profile_of(const VfiSession *session, VfiStage stage)
{
    return session->profiling ? session->profile[stage] : NULL;
}

/* Fills @slot with the image and the features of @frame. */
static bool fill_slot(VfiSession *session, const VfiView *view, const VfiFrame *frame,
                      VfiFrameSlot *slot, GError **error)
{
    const VfiBackend *backend = session->backend;
    int64_t start = g_get_monotonic_time();

    if (!backend->prepare(session->device, &view->video, frame,
                          (float *)(void *)slot->memory, session->tiling.x.tile,
                          session->tiling.y.tile, view->cancel, error))
        return false;
    if (session->model->family->wants_mean && !view->has_mean &&
        !backend->image_mean(session->device, (const float *)(void *)slot->memory,
                             session->tiling.x.tile, session->tiling.y.tile,
                             view->video.width, view->video.height, &slot->mean,
                             view->cancel, error))
        return false;
    vfi_record_time(session, VFI_TIMED_PREPARE, start);
    if (session->programs[VFI_STAGE_FRAME] == NULL)
        return true;
    VfiRunArguments arguments = {
        .cancel = view->cancel,
        .scalars = session->scalars,
        .op_nanoseconds = profile_of(session, VFI_STAGE_FRAME),
    };
    arguments.region[VFI_REGION_ARENA] = session->arena;
    arguments.region[VFI_REGION_FRAME0] = slot->memory;
    start = g_get_monotonic_time();
    if (!backend->run(session->device, session->programs[VFI_STAGE_FRAME], 0, &arguments,
                      error))
        return false;
    vfi_record_time(session, VFI_TIMED_FRAME_STAGE, start);
    return true;
}

/* Runs the pair stage, unless there is none or its results for the view's frames are
 * kept. */
static bool run_pair_stage(VfiSession *session, const VfiView *view,
                           const VfiRunArguments *arguments, GError **error)
{
    const VfiProgram *program = session->programs[VFI_STAGE_PAIR];
    VfiRunArguments of_pair = *arguments;
    uint64_t *keys = session->pair_keys;

    if (program == NULL || memcmp(keys, view->keys, sizeof view->keys) == 0)
        return true;
    memset(keys, 0, sizeof view->keys);
    of_pair.op_nanoseconds = profile_of(session, VFI_STAGE_PAIR);
    int64_t start = g_get_monotonic_time();
    if (!session->backend->run(session->device, program, 0, &of_pair, error))
        return false;
    vfi_record_time(session, VFI_TIMED_PAIR_STAGE, start);
    memcpy(keys, view->keys, sizeof view->keys);
    return true;
}

bool vfi_ready_frames(VfiSession *session, const VfiView *view,
                      VfiRunArguments *arguments, GError **error)
{
    *arguments = (VfiRunArguments){
        .inputs.value[VFI_RUN_INPUT_TIME] = (float)view->t,
        .scalars = session->scalars,
        .cancel = view->cancel,
        .op_nanoseconds = profile_of(session, VFI_STAGE_TIME),
    };
    double mean = 0.0;
    arguments->region[VFI_REGION_ARENA] = session->arena;
    for (int i = 0; i < view->n_frames; i++) {
        VfiFrameSlot *slot = vfi_session_take_slot(session, view, i);
        if (!slot->has_image && !fill_slot(session, view, &view->frames[i], slot, error))
            return false;
        slot->has_image = true;
        arguments->region[vfi_frame_region(i)] = slot->memory;
        mean += slot->mean / view->n_frames;
    }
    arguments->inputs.value[VFI_RUN_INPUT_IMAGE_MEAN] =
        (float)(view->has_mean ? view->mean : mean);
    arguments->inputs.noise = (VfiNoiseInputs){
        .key = {(uint32_t)view->noise_key, (uint32_t)(view->noise_key >> 32)},
        .origin = {(uint32_t)view->origin_x, (uint32_t)view->origin_y},
    };
    arguments->region[VFI_REGION_PAIR] = session->pair_memory;
    arguments->region[VFI_REGION_STATE] = session->states[0];
    arguments->region[VFI_REGION_NEXT_STATE] = session->states[1];
    return run_pair_stage(session, view, arguments, error);
}

/* ---- the time stage ---------------------------------------------------------------- */

bool vfi_run_time_stage(VfiSession *session, const VfiView *view,
                        VfiRunArguments *arguments, int *last, GError **error)
{
    const VfiModel *model = session->model;
    int n_segments = session->plans[VFI_STAGE_TIME]->n_segments;
    int segment = 0;

    while (segment >= 0) {
        if (!vfi_run_segment(session, view->job, segment, arguments, error))
            return false;
        *last = segment;
        segment = vfi_family_next_segment(model->family, &model->setup, n_segments,
                                          segment, arguments->scalars);
    }
    return true;
}

const float *vfi_output_data(const VfiSession *session, int segment, const char *name)
{
    const VfiPlanOutput *output =
        vfi_plan_output(session->plans[VFI_STAGE_TIME], segment, name);

    return (const float *)(const void *)(session->arena + output->operand.offset);
}

VfiFlowField vfi_output_field(const VfiSession *session, int segment)
{
    return (VfiFlowField){
        .flow = vfi_output_data(session, segment, "flow"),
        .mask = vfi_output_data(session, segment, "mask"),
        .padded_w = session->padded_w,
        .padded_h = session->padded_h,
        .plane = (size_t)session->padded_w * (size_t)session->padded_h,
        .reference_borders = session->reference_borders,
    };
}

/* ---- the picture ------------------------------------------------------------------- */

/* Applies the time stage's result, which is in the arena, to the planes of @out. */
static bool write_picture(VfiSession *session, const VfiView *view, int segment,
                          const VfiFrame *out, GError **error)
{
    const VfiBackend *backend = session->backend;
    const VfiFrame *frame0 = &view->frames[view->first], *frame1 = frame0 + 1;

    if (session->model->family->output(&session->model->setup) == VFI_OUTPUT_RGB) {
        VfiRgbPicture picture = {.rgb = vfi_output_data(session, segment, "rgb"),
                                 .padded_w = session->padded_w,
                                 .plane = (size_t)session->padded_w *
                                          (size_t)session->padded_h};
        return backend->rgb_to_planes(session->device, &session->video, &picture, frame0,
                                      frame1, view->t, out, 0, session->video.height,
                                      view->cancel, error);
    }
    VfiFlowField field = vfi_output_field(session, segment);
    vfi_session_note_field(session, &field, 0, session->video.height);
    return backend->warp_blend(session->device, &session->video, frame0, frame1, &field,
                               out, 0, session->video.height, view->cancel, error);
}

bool vfi_infer_whole(VfiSession *session, const VfiView *view, const VfiFrame *out,
                     GError **error)
{
    VfiRunArguments arguments;
    int segment = 0;

    if (!vfi_ready_frames(session, view, &arguments, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!vfi_run_time_stage(session, view, &arguments, &segment, error))
        return false;
    vfi_record_time(session, VFI_TIMED_TIME_STAGE, start);
    start = g_get_monotonic_time();
    if (!write_picture(session, view, segment, out, error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}
