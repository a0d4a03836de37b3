/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/steps.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"

/* ---- planning ---------------------------------------------------------------------- */

static bool device_can(const VfiSession *session, GError **error)
{
    const VfiBackend *backend = session->backend;

    if (backend->flow_step != NULL && backend->synthesize != NULL)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "the backend %s cannot run the model %s, which has steps of its own in "
                "place of a network: expected device=cpu, or another model",
                backend->name, session->model->family->name);
    return false;
}

bool vfi_session_plan_motion(VfiSession *session, GError **error)
{
    const VfiModel *model = session->model;

    if (model->family->output(&model->setup) != VFI_OUTPUT_MOTION)
        return true;
    if (!device_can(session, error))
        return false;
    VfiFlowQuality quality = model->family->flow_quality(&model->setup, session->is_live);
    session->motion.plan = vfi_flow_plan_new(&session->video, quality, error);
    return session->motion.plan != NULL;
}

void vfi_session_free_motion(VfiSession *session)
{
    g_clear_pointer(&session->motion.plan, vfi_flow_plan_free);
}

/* Places @more bytes behind *bytes, aligned. */
static bool place(size_t *bytes, size_t more, size_t *offset)
{
    *offset = vfi_align_up(*bytes, VFI_ALIGNMENT);
    return vfi_size_add(*offset, more, bytes);
}

bool vfi_session_place_motion(VfiSession *session)
{
    VfiSessionMotion *motion = &session->motion;
    const VfiFlowPlan *plan = motion->plan;
    VfiSessionNeed *need = &session->need;

    if (plan == NULL)
        return true;
    size_t synthesis = session->backend->synthesis_bytes(session->device, &plan->shape);
    return place(&need->slot_bytes, plan->frame_bytes, &motion->slot_offset) &&
           place(&need->pair_bytes, plan->pair_bytes, &motion->pair_offset) &&
           place(&need->arena_bytes, plan->arena_bytes, &motion->arena_offset) &&
           place(&need->arena_bytes, synthesis, &motion->synthesis_offset);
}

const char *vfi_session_quality(const VfiSession *session)
{
    static const char *const names[] = {
        [VFI_FLOW_FAST] = "fast", [VFI_FLOW_MEDIUM] = "medium", [VFI_FLOW_BEST] = "best"};
    const VfiFlowPlan *plan = session->motion.plan;

    return plan == NULL ? "" : names[plan->quality];
}

const char *vfi_session_variant(const VfiSession *session)
{
    return session->motion.plan == NULL ? session->model->info.variant
                                        : vfi_session_quality(session);
}

/* ---- running ----------------------------------------------------------------------- */

static bool run_steps(VfiSession *session, VfiFlowStage stage,
                      const VfiFlowArguments *arguments, GError **error)
{
    const VfiFlowPlan *plan = session->motion.plan;

    for (int i = 0; i < plan->n_steps[stage]; i++)
        if (!session->backend->flow_step(session->device, &plan->steps[stage][i],
                                         arguments, error))
            return false;
    return true;
}

/* Has the frame stage run for frame @i of @view unless its results are kept; @arguments
 * get the place of these as FRAME@side. */
static bool ready_frame(VfiSession *session, const VfiView *view, int i, int side,
                        VfiFlowArguments *arguments, GError **error)
{
    VfiFrameSlot *slot = vfi_session_take_slot(session, view, i);
    VfiFlowArguments of_frame = *arguments;
    char *results = slot->memory + session->motion.slot_offset;

    arguments->region[VFI_FLOW_FRAME0 + side] = results;
    if (slot->has_motion)
        return true;
    of_frame.region[VFI_FLOW_FRAME0] = results;
    of_frame.frame = &view->frames[i];
    int64_t start = g_get_monotonic_time();
    if (!run_steps(session, VFI_FLOW_STAGE_FRAME, &of_frame, error))
        return false;
    vfi_record_time(session, VFI_TIMED_FRAME_STAGE, start);
    slot->has_motion = true;
    return true;
}

/* Runs the pair stage unless its results for the two frames are kept. */
static bool ready_pair(VfiSession *session, const uint64_t *keys,
                       const VfiFlowArguments *arguments, GError **error)
{
    uint64_t *kept = session->motion.pair_keys;

    if (memcmp(kept, keys, sizeof session->motion.pair_keys) == 0)
        return true;
    memset(kept, 0, sizeof session->motion.pair_keys);
    int64_t start = g_get_monotonic_time();
    if (!run_steps(session, VFI_FLOW_STAGE_PAIR, arguments, error))
        return false;
    vfi_record_time(session, VFI_TIMED_PAIR_STAGE, start);
    memcpy(kept, keys, sizeof session->motion.pair_keys);
    return true;
}

/* Runs the time stage on what the others have, as far as that is not kept. */
static bool find_motion(VfiSession *session, const VfiView *view, VfiMotion *motion,
                        GError **error)
{
    const VfiSessionMotion *own = &session->motion;
    VfiFlowArguments arguments = {
        .video = &session->video,
        .t = (float)view->t,
        .cancel = view->cancel,
    };

    arguments.region[VFI_FLOW_PAIR] = session->pair_memory + own->pair_offset;
    arguments.region[VFI_FLOW_ARENA] = session->arena + own->arena_offset;
    for (int side = 0; side < 2; side++)
        if (!ready_frame(session, view, view->first + side, side, &arguments, error))
            return false;
    if (!ready_pair(session, &view->keys[view->first], &arguments, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!run_steps(session, VFI_FLOW_STAGE_TIME, &arguments, error))
        return false;
    vfi_record_time(session, VFI_TIMED_TIME_STAGE, start);
    vfi_flow_motion(own->plan, arguments.region, arguments.t, motion);
    return true;
}

bool vfi_infer_motion(VfiSession *session, const VfiView *view, const VfiFrame *out,
                      GError **error)
{
    const VfiFrame *frame0 = &view->frames[view->first], *frame1 = frame0 + 1;
    const VfiSessionMotion *own = &session->motion;
    VfiMotion motion;

    if (!find_motion(session, view, &motion, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!session->backend->synthesize(session->device, &session->video, frame0, frame1,
                                      &motion, session->arena + own->synthesis_offset,
                                      out, 0, session->video.height, view->cancel,
                                      error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}
