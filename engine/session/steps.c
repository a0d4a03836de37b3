/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/steps.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "session/overlays.h"

/* ---- planning ---------------------------------------------------------------------- */

static bool is_polished(const VfiModel *model)
{
    return model->family->polishes != NULL && model->family->polishes(&model->setup);
}

static bool device_can(const VfiSession *session, GError **error)
{
    const VfiBackend *backend = session->backend;
    bool polishes = is_polished(session->model);

    if (backend->flow_step != NULL && backend->synthesize != NULL &&
        (!polishes || backend->synthesizes_networks))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "the backend %s cannot run the model %s, which has steps of its own %s: "
                "expected device=cpu, or %s",
                backend->name, session->model->family->name,
                polishes ? "to polish a network's result" : "in place of a network",
                polishes ? "the model without polish" : "another model");
    return false;
}

const VfiFlowPlan *vfi_session_tile_plan(const VfiSession *session, int column, int row)
{
    const VfiTiling *tiling = &session->tiling;

    return session->motion.tile_plans[row == tiling->y.n - 1][column == tiling->x.n - 1];
}

/* Pixels of tile @index along a side of @size of them. */
static int tile_size(const VfiTileAxis *axis, int index, int size)
{
    return MIN(axis->tile, size - vfi_tile_start(axis, index));
}

/* Only the last tiles of rows and columns have another size than the first. */
static bool plan_tiles(VfiSession *session, VfiFlowQuality quality, GError **error)
{
    const VfiTiling *tiling = &session->tiling;
    VfiVideoInfo video = session->video;

    for (int i = 0; i < 4; i++) {
        int column = i % 2 == 0 ? 0 : tiling->x.n - 1;
        int row = i / 2 == 0 ? 0 : tiling->y.n - 1;
        bool is_last_column = column == tiling->x.n - 1;
        bool is_last_row = row == tiling->y.n - 1;
        VfiFlowPlan **plan = &session->motion.tile_plans[is_last_row][is_last_column];
        if (*plan != NULL)
            continue;
        video.width = tile_size(&tiling->x, column, session->video.width);
        video.height = tile_size(&tiling->y, row, session->video.height);
        *plan = vfi_flow_plan_new(&video, quality, error);
        if (*plan == NULL)
            return false;
    }
    return true;
}

bool vfi_session_plan_motion(VfiSession *session, GError **error)
{
    const VfiModel *model = session->model;

    if (model->family->output(&model->setup) != VFI_OUTPUT_MOTION && !is_polished(model))
        return true;
    if (!device_can(session, error))
        return false;
    VfiFlowQuality quality = model->family->flow_quality(&model->setup, session->is_live);
    session->motion.plan = vfi_flow_plan_new(&session->video, quality, error);
    if (session->motion.plan == NULL)
        return false;
    return vfi_tiling_is_one(&session->tiling) || plan_tiles(session, quality, error);
}

void vfi_session_free_motion(VfiSession *session)
{
    g_clear_pointer(&session->motion.plan, vfi_flow_plan_free);
    for (int i = 0; i < 4; i++)
        g_clear_pointer(&session->motion.tile_plans[i / 2][i % 2], vfi_flow_plan_free);
}

/* Places @more bytes behind *bytes, aligned. */
static bool place(size_t *bytes, size_t more, size_t *offset)
{
    *offset = vfi_align_up(*bytes, VFI_ALIGNMENT);
    return vfi_size_add(*offset, more, bytes);
}

/* Memory of the steps as they run: of the whole, or of the greediest tile. */
typedef struct {
    size_t frame, pair, arena;
} StepsNeed;

static StepsNeed measure_steps(const VfiSession *session)
{
    const VfiFlowPlan *whole = session->motion.plan;
    StepsNeed need = {0};

    if (vfi_tiling_is_one(&session->tiling))
        return (StepsNeed){whole->frame_bytes, whole->pair_bytes, whole->arena_bytes};
    for (int i = 0; i < 4; i++) {
        const VfiFlowPlan *plan = session->motion.tile_plans[i / 2][i % 2];
        if (plan == NULL)
            continue;
        need.frame = MAX(need.frame, plan->frame_bytes);
        need.pair = MAX(need.pair, plan->pair_bytes);
        need.arena = MAX(need.arena, plan->arena_bytes);
    }
    return need;
}

/* Bytes from the arena's begin on with what the network leaves there, which the steps'
 * time stage must let be: it runs after that. */
static size_t network_results(const VfiSession *session)
{
    const VfiPlan *plan = session->plans[VFI_STAGE_TIME];
    size_t end = 0;

    for (int i = 0; plan != NULL && i < plan->n_outputs; i++) {
        const VfiOperand *result = &plan->outputs[i].operand;
        end =
            MAX(end, result->offset + vfi_shape_elements(result->shape) * sizeof(float));
    }
    return end;
}

bool vfi_session_place_motion(VfiSession *session)
{
    VfiSessionMotion *motion = &session->motion;
    const VfiFlowPlan *plan = motion->plan;
    VfiSessionNeed *need = &session->need;

    if (plan == NULL)
        return true;
    StepsNeed steps = measure_steps(session);
    bool is_tiled = !vfi_tiling_is_one(&session->tiling);
    size_t picture = is_tiled ? vfi_flow_picture_bytes(plan) : 0;
    size_t synthesis = session->backend->synthesis_bytes(session->device, &plan->shape);
    size_t arena = network_results(session);
    bool fits = (!is_tiled || place(&need->slot_bytes, picture, &motion->slot_offset)) &&
                place(&need->slot_bytes, steps.frame,
                      is_tiled ? &motion->tile_offset : &motion->slot_offset) &&
                place(&need->pair_bytes, steps.pair, &motion->pair_offset) &&
                place(&arena, steps.arena, &motion->arena_offset) &&
                place(&arena, synthesis, &motion->synthesis_offset);
    need->arena_bytes = MAX(need->arena_bytes, arena);
    return fits;
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
    const char *variant = session->model->info.variant;

    return variant[0] != '\0' ? variant : vfi_session_quality(session);
}

/* ---- running ----------------------------------------------------------------------- */

bool vfi_run_steps(VfiSession *session, const VfiFlowPlan *plan, VfiFlowStage stage,
                   const VfiFlowArguments *arguments, GError **error)
{
    bool is_profiled = session->profiling && session->backend->host_memory &&
                       plan == session->motion.plan;

    for (int i = 0; i < plan->n_steps[stage]; i++) {
        int64_t start = g_get_monotonic_time();
        if (!session->backend->flow_step(session->device, &plan->steps[stage][i],
                                         arguments, error))
            return false;
        if (is_profiled)
            session->motion.profile[stage][i] +=
                (uint64_t)(g_get_monotonic_time() - start) * 1000;
    }
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
    if (!vfi_run_steps(session, session->motion.plan, VFI_FLOW_STAGE_FRAME, &of_frame,
                       error))
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
    if (!vfi_run_steps(session, session->motion.plan, VFI_FLOW_STAGE_PAIR, arguments,
                       error))
        return false;
    vfi_record_time(session, VFI_TIMED_PAIR_STAGE, start);
    memcpy(kept, keys, sizeof session->motion.pair_keys);
    return true;
}

bool vfi_ready_motion(VfiSession *session, const VfiView *view,
                      VfiFlowArguments *arguments, GError **error)
{
    const VfiSessionMotion *own = &session->motion;

    *arguments = (VfiFlowArguments){
        .video = &session->video,
        .t = (float)view->t,
        .cancel = view->cancel,
    };
    arguments->region[VFI_FLOW_PAIR] = session->pair_memory + own->pair_offset;
    arguments->region[VFI_FLOW_ARENA] = session->arena + own->arena_offset;
    for (int side = 0; side < 2; side++)
        if (!ready_frame(session, view, view->first + side, side, arguments, error))
            return false;
    return ready_pair(session, &view->keys[view->first], arguments, error);
}

bool vfi_find_motion(VfiSession *session, const VfiFlowArguments *arguments,
                     VfiMotion *motion, GError **error)
{
    const VfiFlowPlan *plan = session->motion.plan;

    if (!vfi_run_steps(session, plan, VFI_FLOW_STAGE_TIME, arguments, error))
        return false;
    vfi_flow_motion(plan, arguments->region, arguments->t, motion);
    return true;
}

bool vfi_apply_motion(VfiSession *session, const VfiView *view, const VfiMotion *motion,
                      const VfiFrame *out, int begin, int end, GError **error)
{
    const VfiFrame *frame0 = &view->frames[view->first], *frame1 = frame0 + 1;
    char *scratch = session->arena + session->motion.synthesis_offset;

    if (begin == 0)
        vfi_session_note_motion(session, motion);
    return session->backend->synthesize(session->device, &session->video, frame0, frame1,
                                        motion, scratch, out, begin, end, view->cancel,
                                        error);
}

/* The motion of the whole picture, for a model without a network. */
static bool find_motion(VfiSession *session, const VfiView *view, VfiMotion *motion,
                        GError **error)
{
    VfiFlowArguments arguments;

    if (!vfi_tiling_is_one(&session->tiling))
        return vfi_find_motion_of_tiles(session, view, motion, error);
    if (!vfi_ready_motion(session, view, &arguments, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!vfi_find_motion(session, &arguments, motion, error))
        return false;
    vfi_record_time(session, VFI_TIMED_TIME_STAGE, start);
    return true;
}

bool vfi_infer_motion(VfiSession *session, const VfiView *view, const VfiFrame *out,
                      GError **error)
{
    VfiMotion motion;

    if (!find_motion(session, view, &motion, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!vfi_apply_motion(session, view, &motion, out, 0, session->video.height, error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}
