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

int vfi_frames_to_run(VfiSession *session, const VfiView *view)
{
    int n = view->n_frames;

    for (int i = 0; i < view->n_frames && vfi_tiling_is_one(&session->tiling); i++) {
        const VfiFrameSlot *slot = find_slot(session, view->keys[i]);
        n -= slot != NULL && slot->has_features;
    }
    return n;
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
        slot->has_image = slot->has_features = slot->has_motion = false;
    }
    slot->last_used = ++session->slot_clock;
    return slot;
}

static uint64_t *profile_of(const VfiSession *session, VfiStage stage)
{
    return session->profiling ? session->profile[stage] : NULL;
}

bool vfi_extend_range(VfiSession *session, const VfiView *view, const float *image,
                      int width, int height, VfiFrameRange *range, GError **error)
{
    const VfiModel *model = session->model;
    const VfiMinimumArea area = {
        .width = width,
        .height = height,
        .x = view->origin_x,
        .y = view->origin_y,
        .whole_w = session->video.width,
        .whole_h = session->video.height,
        .scale = model->family->small_scale == NULL
                     ? 0.0
                     : model->family->small_scale(&model->setup),
    };
    float minimum[2];

    if (!session->backend->image_minimum(session->device, image, session->tiling.x.tile,
                                         session->tiling.y.tile, &area, minimum,
                                         view->cancel, error))
        return false;
    range->minimum = MIN(range->minimum, (double)minimum[0]);
    range->small_minimum = MIN(range->small_minimum, (double)minimum[1]);
    return true;
}

/* Fills @slot with the image of @frame, and finds what is asked about it. */
static bool prepare_slot(VfiSession *session, const VfiView *view, const VfiFrame *frame,
                         VfiFrameSlot *slot, GError **error)
{
    const VfiBackend *backend = session->backend;
    int64_t start = g_get_monotonic_time();

    slot->has_features = false;
    if (!backend->prepare(session->device, &view->video, frame,
                          (float *)(void *)slot->memory, session->tiling.x.tile,
                          session->tiling.y.tile, session->model->family->pad,
                          view->cancel, error))
        return false;
    if (session->model->family->wants_mean && !view->is_part &&
        !backend->image_mean(session->device, (const float *)(void *)slot->memory,
                             session->tiling.x.tile, session->tiling.y.tile,
                             view->video.width, view->video.height, &slot->mean,
                             view->cancel, error))
        return false;
    slot->range = (VfiFrameRange){VFI_MINIMUM_OF_NOTHING, VFI_MINIMUM_OF_NOTHING};
    if (session->model->family->wants_minimum && !view->is_part &&
        !vfi_extend_range(session, view, (const float *)(void *)slot->memory,
                          view->video.width, view->video.height, &slot->range, error))
        return false;
    vfi_record_time(session, VFI_TIMED_PREPARE, start);
    slot->has_image = true;
    return true;
}

/* Runs a stage whose results are kept, with the inputs and the memory of @arguments. */
static bool run_stage(VfiSession *session, const VfiView *view, VfiStage stage,
                      VfiTimedStage timed, const VfiRunArguments *arguments,
                      GError **error)
{
    VfiRunArguments of_stage = *arguments;
    int64_t start = g_get_monotonic_time();

    of_stage.op_nanoseconds = profile_of(session, stage);
    if (!session->backend->run(session->device, session->programs[stage], 0, &of_stage,
                               error))
        return false;
    vfi_record_time(session, timed, start);
    vfi_note_segment(session, view->job, session->plans[stage], 0);
    return true;
}

static bool same_ranges(const VfiRunInputs *a, const VfiRunInputs *b)
{
    for (int i = 0; i < VFI_RUN_INPUT_COUNT; i++)
        if (a->value[i] != b->value[i])
            return false;
    return true;
}

/* Runs the constant stage, unless there is none or its results for @ranges are kept. */
static bool run_constant_stage(VfiSession *session, const VfiView *view,
                               const VfiRunInputs *ranges,
                               const VfiRunArguments *arguments, GError **error)
{
    VfiRunArguments of_stage = *arguments;

    if (session->programs[VFI_STAGE_CONSTANT] == NULL ||
        (session->has_constant && same_ranges(&session->constant_ranges, ranges)))
        return true;
    session->has_constant = false;
    of_stage.inputs = *ranges;
    if (!run_stage(session, view, VFI_STAGE_CONSTANT, VFI_TIMED_CONSTANT_STAGE, &of_stage,
                   error))
        return false;
    session->constant_ranges = *ranges;
    session->has_constant = true;
    return true;
}

/* The same of the per-frame stage, for the frame in @slot. */
static bool run_frame_stage(VfiSession *session, const VfiView *view, VfiFrameSlot *slot,
                            const VfiRunInputs *ranges, const VfiRunArguments *arguments,
                            GError **error)
{
    VfiRunArguments of_frame = *arguments;

    if (session->programs[VFI_STAGE_FRAME] == NULL ||
        (slot->has_features && same_ranges(&slot->ranges, ranges)))
        return true;
    slot->has_features = false;
    of_frame.inputs.value[VFI_RUN_INPUT_TIME] = 0.0f;
    of_frame.region[VFI_REGION_FRAME0] = slot->memory;
    if (!run_stage(session, view, VFI_STAGE_FRAME, VFI_TIMED_FRAME_STAGE, &of_frame,
                   error))
        return false;
    slot->ranges = *ranges;
    slot->has_features = true;
    return true;
}

/* The same of the per-pair stage, for the view's frames. */
static bool run_pair_stage(VfiSession *session, const VfiView *view,
                           const VfiRunArguments *arguments, GError **error)
{
    uint64_t *keys = session->pair_keys;

    if (session->programs[VFI_STAGE_PAIR] == NULL ||
        memcmp(keys, view->keys, sizeof view->keys) == 0)
        return true;
    memset(keys, 0, sizeof view->keys);
    if (!run_stage(session, view, VFI_STAGE_PAIR, VFI_TIMED_PAIR_STAGE, arguments, error))
        return false;
    memcpy(keys, view->keys, sizeof view->keys);
    return true;
}

/* What the family makes of the view's frames. */
static VfiRunInputs ranges_of_view(const VfiSession *session, const VfiView *view,
                                   VfiFrameSlot *const *slots)
{
    const VfiModel *model = session->model;
    VfiRunInputs inputs = {.noise.seed = 0};
    VfiFrameRange range[VFI_MAX_VIEW_FRAMES];

    if (model->family->set_ranges == NULL)
        return inputs;
    for (int i = 0; i < view->n_frames; i++)
        range[i] = view->is_part ? view->range[i] : slots[i]->range;
    model->family->set_ranges(&model->setup, range, &inputs);
    return inputs;
}

/* What all stages see: memory but for the frames', and the inputs of the view. */
static VfiRunArguments arguments_of_view(const VfiSession *session, const VfiView *view,
                                         const VfiRunInputs *ranges)
{
    VfiRunArguments arguments = {
        .inputs = *ranges,
        .scalars = session->scalars,
        .cancel = view->cancel,
        .op_nanoseconds = profile_of(session, VFI_STAGE_TIME),
        .ops_done = vfi_session_tells_progress(session) ? vfi_note_ops : NULL,
        .ops_done_data = view->job,
    };

    arguments.inputs.value[VFI_RUN_INPUT_TIME] = (float)view->t;
    arguments.inputs.value[VFI_RUN_INPUT_IMAGE_WIDTH] = (float)view->video.width;
    arguments.inputs.value[VFI_RUN_INPUT_IMAGE_HEIGHT] = (float)view->video.height;
    arguments.inputs.noise = (VfiNoiseInputs){
        .key = {(uint32_t)view->noise_key, (uint32_t)(view->noise_key >> 32)},
        .place = view->noise_place,
        .origin = {(uint32_t)view->origin_x, (uint32_t)view->origin_y},
    };
    arguments.region[VFI_REGION_ARENA] = session->arena;
    arguments.region[VFI_REGION_PAIR] = session->pair_memory;
    arguments.region[VFI_REGION_CONSTANT] = session->constant_memory;
    arguments.region[VFI_REGION_STATE] = session->states[0];
    arguments.region[VFI_REGION_NEXT_STATE] = session->states[1];
    return arguments;
}

bool vfi_ready_frames(VfiSession *session, const VfiView *view,
                      VfiRunArguments *arguments, GError **error)
{
    VfiFrameSlot *slots[VFI_MAX_VIEW_FRAMES];
    double mean = 0.0;

    for (int i = 0; i < view->n_frames; i++) {
        slots[i] = vfi_session_take_slot(session, view, i);
        if (!slots[i]->has_image &&
            !prepare_slot(session, view, &view->frames[i], slots[i], error))
            return false;
        mean += slots[i]->mean / view->n_frames;
    }
    const VfiRunInputs ranges = ranges_of_view(session, view, slots);
    *arguments = arguments_of_view(session, view, &ranges);
    if (!run_constant_stage(session, view, &ranges, arguments, error))
        return false;
    for (int i = 0; i < view->n_frames; i++)
        if (!run_frame_stage(session, view, slots[i], &ranges, arguments, error))
            return false;
    for (int i = 0; i < view->n_frames; i++)
        arguments->region[vfi_frame_region(i)] = slots[i]->memory;
    arguments->inputs.value[VFI_RUN_INPUT_IMAGE_MEAN] =
        (float)(view->is_part ? view->mean : mean);
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
