/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans a session without building it, and counts. */
#include <vfi/estimate.h>

#include "graph/nodes.h"
#include "op/descriptor.h"
#include "session/steps.h"
#include "session/stages.h"

/* Of all rounds. */
static double segment_macs(const VfiPlan *plan, int segment)
{
    double macs = 0.0;

    for (int i = 0; i < plan->segments[segment].n_ops; i++)
        macs += vfi_op_macs(&plan->ops[plan->segments[segment].first_op + i]);
    return plan->segments[segment].rounds * macs;
}

/* Through the segments that the family chooses where it reads zeros: nothing moves. */
static double usual_macs(const VfiSession *session, const VfiPlan *plan)
{
    const VfiModel *model = session->model;
    g_autofree float *scalars = g_new0(float, plan->n_scalars + 1);
    double macs = 0.0;

    for (int segment = 0; segment >= 0;) {
        macs += segment_macs(plan, segment);
        segment = vfi_family_next_segment(model->family, &model->setup, plan->n_segments,
                                          segment, scalars);
    }
    return macs;
}

/* Of the costliest way from the first segment to any other. */
static double max_macs(const VfiGraph *graph, const VfiPlan *plan)
{
    double max = 0.0;

    for (int last = 0; last < plan->n_segments; last++) {
        double macs = 0.0;
        for (int s = last; s >= 0; s = g_array_index(graph->segments, int, s))
            macs += segment_macs(plan, s);
        max = MAX(max, macs);
    }
    return max;
}

static void count(const VfiSession *session, VfiEstimate *estimate)
{
    const VfiSessionNeed *need = &session->need;
    const VfiPlan *constant = session->plans[VFI_STAGE_CONSTANT];
    const VfiPlan *frame = session->plans[VFI_STAGE_FRAME];
    const VfiPlan *pair = session->plans[VFI_STAGE_PAIR];
    const VfiPlan *time = session->plans[VFI_STAGE_TIME];
    int tiles = session->tiling.x.n * session->tiling.y.n;
    size_t frames_bytes = (size_t)need->n_slots * need->slot_bytes;

    *estimate = (VfiEstimate){
        .size_multiple = vfi_session_size_multiple(session),
        .padded_width = session->padded_w,
        .padded_height = session->padded_h,
        .scale = session->scale,
        .quality = vfi_session_quality(session),
        .tiles = (unsigned)tiles,
        .constant_macs = constant == NULL ? 0.0 : segment_macs(constant, 0),
        .frame_macs = frame == NULL ? 0.0 : tiles * segment_macs(frame, 0),
        .pair_macs = pair == NULL ? 0.0 : tiles * segment_macs(pair, 0),
        .time_macs = time == NULL ? 0.0 : tiles * usual_macs(session, time),
        .time_macs_max =
            time == NULL ? 0.0 : tiles * max_macs(session->graphs[VFI_STAGE_TIME], time),
        .arena_bytes = need->arena_bytes + need->pair_bytes + 2 * need->state_bytes +
                       need->band_bytes + need->overlay_bytes,
        .constant_bytes = need->constant_bytes,
        .frame_bytes = need->n_slots > 0 ? need->slot_bytes : 0,
        .frames = (unsigned)need->n_slots,
        .packed_weight_bytes = need->packed_bytes,
        .scratch_bytes = need->limited_bytes - need->host_bytes - need->arena_bytes -
                         need->pair_bytes - 2 * need->state_bytes - need->band_bytes -
                         need->overlay_bytes - need->constant_bytes - frames_bytes,
        .host_bytes = need->host_bytes,
        .session_bytes = need->device_bytes + need->host_bytes,
    };
}

/* *on_device: whether a device failed that is not the machine itself. */
static bool estimate_on(VfiModel *model, const VfiSessionConfig *config,
                        VfiEstimate *estimate, bool *on_device, GError **error)
{
    VfiSession session = {
        .model = model, .video = config->video, .is_live = config->live};
    VfiDeviceRequest request = vfi_session_request(config);

    *on_device = false;
    session.device = vfi_device_open(&request, &session.backend, error);
    if (session.device == NULL)
        return false;
    bool planned = vfi_session_plan(&session, config, error);
    if (planned)
        count(&session, estimate);
    *on_device = !planned && !session.backend->host_memory;
    vfi_session_free_plans(&session);
    session.backend->close(session.device);
    return planned;
}

gboolean vfi_model_estimate(VfiModel *model, const VfiSessionConfig *config,
                            VfiEstimate *estimate, GError **error)
{
    VfiSessionConfig on_cpu = *config;
    GError *problem = NULL;
    bool on_device;

    if (!vfi_session_check_config(config, error))
        return FALSE;
    if (estimate_on(model, config, estimate, &on_device, &problem))
        return TRUE;
    if (!on_device || !vfi_device_is_auto(config->device) ||
        config->cuda_context != NULL) {
        g_propagate_error(error, problem);
        return FALSE;
    }
    g_error_free(problem); /* as for a session */
    on_cpu.device = "cpu";
    return estimate_on(model, &on_cpu, estimate, &on_device, error);
}
