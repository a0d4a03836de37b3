/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion that is looked for tile by tile, for sessions that may not have the memory of a
 * whole search. What the tiles find of it, which is little beside what a search takes, is
 * put together for the whole picture; that is then made at once, of whole frames: a
 * vector may lead anywhere. Of frames their pictures on the grid are kept from pair to
 * pair, nothing else is. */
#include "session/steps.h"

typedef struct {
    VfiSession *session;
    const VfiView *whole;
    VfiFrameSlot *slots[2]; /* of the two frames around the in-between */
} TiledSearch;

/* Has the whole pictures of both frames made unless they are kept. */
static bool ready_pictures(TiledSearch *work, GError **error)
{
    VfiSession *session = work->session;
    const VfiView *view = work->whole;

    for (int i = 0; i < 2; i++) {
        VfiFrameSlot *slot = vfi_session_take_slot(session, view, view->first + i);
        VfiFlowArguments arguments = {
            .video = &session->video,
            .frame = &view->frames[view->first + i],
            .cancel = view->cancel,
        };
        work->slots[i] = slot;
        if (slot->has_motion)
            continue;
        arguments.region[VFI_FLOW_FRAME0] = slot->memory + session->motion.slot_offset;
        int64_t start = g_get_monotonic_time();
        if (!session->backend->flow_step(
                session->device, &session->motion.plan->steps[VFI_FLOW_STAGE_FRAME][0],
                &arguments, error))
            return false;
        vfi_record_time(session, VFI_TIMED_FRAME_STAGE, start);
        slot->has_motion = true;
    }
    return true;
}

/* Runs all stages for one tile: its fields are in the arena. */
static bool search_tile(TiledSearch *work, const VfiFlowPlan *plan, const VfiView *tile,
                        VfiFlowArguments *arguments, GError **error)
{
    VfiSession *session = work->session;
    int64_t start = g_get_monotonic_time();

    for (int i = 0; i < 2; i++) {
        VfiFlowArguments of_frame = *arguments;
        char *region = work->slots[i]->memory + session->motion.tile_offset;
        arguments->region[VFI_FLOW_FRAME0 + i] = region;
        of_frame.region[VFI_FLOW_FRAME0] = region;
        of_frame.frame = &tile->frames[tile->first + i];
        if (!vfi_run_steps(session, plan, VFI_FLOW_STAGE_FRAME, &of_frame, error))
            return false;
    }
    if (!vfi_run_steps(session, plan, VFI_FLOW_STAGE_PAIR, arguments, error))
        return false;
    vfi_record_time(session, VFI_TIMED_PAIR_STAGE, start);
    start = g_get_monotonic_time();
    if (!vfi_run_steps(session, plan, VFI_FLOW_STAGE_TIME, arguments, error))
        return false;
    vfi_record_time(session, VFI_TIMED_TIME_STAGE, start);
    return true;
}

/* Adds what was found in tile (@column, @row) to the fields of the whole. */
static bool add_tile(TiledSearch *work, int column, int row, GError **error)
{
    VfiSession *session = work->session;
    const VfiSessionMotion *own = &session->motion;
    const VfiFlowPlan *plan = vfi_session_tile_plan(session, column, row);
    VfiView tile = vfi_view_of_tile(session, work->whole, column, row);
    VfiTilePlace place = vfi_place_of_tile(session, column, row, own->plan->shape.level);
    VfiFlowArguments arguments = {
        .video = &tile.video, .t = (float)tile.t, .cancel = tile.cancel};
    VfiMotion motion;

    arguments.region[VFI_FLOW_PAIR] = session->pair_memory + own->pair_offset;
    arguments.region[VFI_FLOW_ARENA] = session->arena + own->arena_offset;
    if (!search_tile(work, plan, &tile, &arguments, error))
        return false;
    vfi_flow_motion(plan, arguments.region, arguments.t, &motion);
    place.tile_w = (int)motion.row;
    place.tile_h = motion.grid_h;
    place.w = MIN(place.w, motion.grid_w - place.tile_x);
    place.h = MIN(place.h, motion.grid_h - place.tile_y);
    for (int i = 0; i < 2 * motion.n_flows; i++)
        if (!session->backend->add_tile(session->device, &session->motion.band,
                                        motion.flow[i / 2][i % 2], i, 1, &place,
                                        tile.cancel, error))
            return false;
    return true;
}

/* The motion that has been put together. */
static VfiMotion whole_motion(const TiledSearch *work)
{
    const VfiSession *session = work->session;
    const VfiSessionMotion *own = &session->motion;
    const VfiTileBand *band = &own->band;
    size_t plane = (size_t)band->n_rows * (size_t)band->width;
    VfiMotion motion = own->plan->shape;
    char *region[VFI_FLOW_REGIONS] = {0};

    for (int i = 0; i < 2; i++) {
        region[VFI_FLOW_FRAME0 + i] = work->slots[i]->memory + own->slot_offset;
        motion.picture[i] = vfi_flow_row(&own->plan->picture[i], region, 0);
    }
    for (int i = 0; i < 2 * motion.n_flows; i++)
        motion.flow[i / 2][i % 2] = band->data + (size_t)i * plane;
    motion.row = (size_t)band->width;
    motion.t = (float)work->whole->t;
    return motion;
}

bool vfi_find_motion_of_tiles(VfiSession *session, const VfiView *view, VfiMotion *motion,
                              GError **error)
{
    TiledSearch work = {.session = session, .whole = view};
    VfiTileBand *band = &session->motion.band;

    band->first_row = -band->n_rows; /* nothing of it is kept */
    if (!ready_pictures(&work, error) ||
        !session->backend->slide_band(session->device, band, 0, view->cancel, error))
        return false;
    band->first_row = 0;
    for (int row = 0; row < session->tiling.y.n; row++)
        for (int column = 0; column < session->tiling.x.n; column++)
            if (!add_tile(&work, column, row, error))
                return false;
    *motion = whole_motion(&work);
    return true;
}
