/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An inference in tiles, for sessions that may not have the memory of a whole one. Tiles
 * are computed row by row of the tiling; their flows and mask, or their RGB, are summed
 * with weights in a band as high as a tile, and the rows that are complete are applied to
 * the frames' planes, which are whole: a flow may lead anywhere. Nothing is kept from
 * pair to pair.
 *
 * A family's decisions between segments are taken once for the whole picture: then all
 * tiles are run up to the decision first. */
#include "session/inference.h"

#include <string.h>

#include "op/descriptor.h"
#include "pixels/format.h"
#include "session/overlays.h"
#include "session/polish.h"
#include "session/rounds.h"

typedef struct {
    VfiSession *session;
    const VfiView *whole;
    const VfiFrame *out;
    bool is_rgb;
    int n_path;  /* segments in session->tile_path so far */
    int done;    /* rows of the picture that are written */
    double mean; /* of the frames, if the family wants it; likewise, of each: */
    VfiFrameRange range[VFI_MAX_VIEW_FRAMES];
    VfiMotion motion; /* of the whole picture, where the model is polished */
} TiledInference;

VfiView vfi_view_of_tile(const VfiSession *session, const VfiView *whole, int column,
                         int row)
{
    const VfiTiling *tiling = &session->tiling;
    const VfiFormatDescription *format = vfi_format_describe(whole->video.format);
    int x = vfi_tile_start(&tiling->x, column), y = vfi_tile_start(&tiling->y, row);
    VfiView view = *whole;

    view.origin_x = x;
    view.origin_y = y;
    view.video.width = MIN(tiling->x.tile, whole->video.width - x);
    view.video.height = MIN(tiling->y.tile, whole->video.height - y);
    for (int plane = 0; plane < format->n_planes; plane++) {
        const VfiPlaneLayout layout = vfi_format_plane(format, plane);
        for (int i = 0; i < view.n_frames; i++)
            view.frames[i].data[plane] +=
                (y >> layout.shift_y) * view.frames[i].stride[plane] +
                (ptrdiff_t)(x >> layout.shift_x) * layout.pixel_stride;
    }
    return view;
}

/* The same, for which decisions are the whole picture's. */
static VfiView view_of_tile(const TiledInference *work, int column, int row)
{
    VfiView view = vfi_view_of_tile(work->session, work->whole, column, row);

    view.is_part = true;
    view.mean = work->mean;
    memcpy(view.range, work->range, sizeof view.range);
    return view;
}

/* Runs the path so far for one tile. */
static bool run_tile(TiledInference *work, int column, int row, GError **error)
{
    VfiSession *session = work->session;
    VfiView view = view_of_tile(work, column, row);
    VfiRunArguments arguments;

    /* what slots and pair memory have is of another tile */
    for (int i = 0; i < session->n_slots; i++)
        session->slots[i].has_image = session->slots[i].has_features = false;
    memset(session->pair_keys, 0, sizeof session->pair_keys);
    if (!vfi_ready_frames(session, &view, &arguments, error))
        return false;
    int64_t start = g_get_monotonic_time();
    for (int i = 0; i < work->n_path; i++)
        if (!vfi_run_segment(session, view.job, session->tile_path[i], &arguments, error))
            return false;
    vfi_record_time(session, VFI_TIMED_TIME_STAGE, start);
    return true;
}

/* ---- decisions for the whole ------------------------------------------------------- */

/* Where tile @index + 1 begins, or the picture ends. */
static int next_start(const VfiTileAxis *axis, int index, int size)
{
    return index == axis->n - 1 ? size : vfi_tile_start(axis, index + 1);
}

/* Takes the part of the frames into account that lies in tile (@column, @row) and in no
 * later one: adds to *sum, extends ranges. */
static bool look_at_tile(TiledInference *work, int column, int row, double *sum,
                         GError **error)
{
    VfiSession *session = work->session;
    const VfiModelFamily *family = session->model->family;
    const VfiTiling *tiling = &session->tiling;
    const VfiVideoInfo *video = &work->whole->video;
    float *image = (float *)(void *)session->slots[0].memory;
    VfiView view = view_of_tile(work, column, row);
    int w =
        next_start(&tiling->x, column, video->width) - vfi_tile_start(&tiling->x, column);
    int h = next_start(&tiling->y, row, video->height) - vfi_tile_start(&tiling->y, row);
    double mean = 0.0;

    for (int i = 0; i < view.n_frames; i++) {
        if (!session->backend->prepare(session->device, &view.video, &view.frames[i],
                                       image, tiling->x.tile, tiling->y.tile, family->pad,
                                       view.cancel, error) ||
            (family->wants_mean &&
             !session->backend->image_mean(session->device, image, tiling->x.tile,
                                           tiling->y.tile, w, h, &mean, view.cancel,
                                           error)) ||
            (family->wants_minimum &&
             !vfi_extend_range(session, &view, image, w, h, &work->range[i], error)))
            return false;
        *sum += mean * w * h;
    }
    return true;
}

/* What is asked about the whole frames. */
static bool look_at_frames(TiledInference *work, GError **error)
{
    const VfiModelFamily *family = work->session->model->family;
    const VfiTiling *tiling = &work->session->tiling;
    const VfiVideoInfo *video = &work->whole->video;
    double sum = 0.0;

    for (int i = 0; i < VFI_MAX_VIEW_FRAMES; i++)
        work->range[i] = (VfiFrameRange){VFI_MINIMUM_OF_NOTHING, VFI_MINIMUM_OF_NOTHING};
    if (!family->wants_mean && !family->wants_minimum)
        return true;
    for (int row = 0; row < tiling->y.n; row++)
        for (int column = 0; column < tiling->x.n; column++)
            if (!look_at_tile(work, column, row, &sum, error))
                return false;
    work->mean = sum / ((double)work->whole->n_frames * video->width * video->height);
    return true;
}

/* Whether @segment has results that the host reads. */
static bool writes_scalars(const VfiPlan *plan, int segment)
{
    const VfiPlanSegment *range = &plan->segments[segment];

    for (int i = range->first_op; i < range->first_op + range->n_ops; i++)
        if (vfi_op_scalar(&plan->ops[i]) >= 0)
            return true;
    return false;
}

/* Runs the path so far for every tile: session->scalars become those of the whole
 * picture, the greatest of all tiles. */
static bool find_scalars(TiledInference *work, GError **error)
{
    VfiSession *session = work->session;
    size_t n = session->need.n_scalars;

    for (size_t i = 0; i < n; i++)
        session->whole_scalars[i] = 0.0f;
    for (int row = 0; row < session->tiling.y.n; row++)
        for (int column = 0; column < session->tiling.x.n; column++) {
            if (!run_tile(work, column, row, error))
                return false;
            for (size_t i = 0; i < n; i++)
                session->whole_scalars[i] =
                    MAX(session->whole_scalars[i], session->scalars[i]);
        }
    return true;
}

static bool find_path(TiledInference *work, GError **error)
{
    VfiSession *session = work->session;
    const VfiModel *model = session->model;
    const VfiPlan *plan = session->plans[VFI_STAGE_TIME];

    for (int next = 0; next >= 0;) {
        session->tile_path[work->n_path++] = next;
        if (model->family->next_segment != NULL && writes_scalars(plan, next) &&
            !find_scalars(work, error))
            return false;
        next = vfi_family_next_segment(model->family, &model->setup, plan->n_segments,
                                       next, session->whole_scalars);
    }
    return true;
}

/* ---- putting together -------------------------------------------------------------- */

/* One direction of a place; @weights are of cells. */
static void place_along(const VfiTileAxis *axis, int index, int level, int *begin,
                        int *size, int *in_tile, float *weights)
{
    int first, last, side = 1 << level;

    vfi_tile_reach(axis, index, &first, &last);
    vfi_tile_weights(axis, index, first, last, weights);
    *begin = first >> level;
    *size = (last - first) >> level;
    *in_tile = (first - vfi_tile_start(axis, index)) >> level;
    for (int i = 0; i < *size; i++) /* tiles and ramps begin with a cell */
        weights[i] =
            0.5f * (weights[i * side + (side - 1) / 2] + weights[i * side + side / 2]);
}

VfiTilePlace vfi_place_of_tile(VfiSession *session, int column, int row, int level)
{
    const VfiTiling *tiling = &session->tiling;
    float *weight_x = session->tile_weights, *weight_y = weight_x + tiling->x.tile;
    VfiTilePlace place = {
        .tile_w = tiling->x.tile >> level,
        .tile_h = tiling->y.tile >> level,
        .weight_x = weight_x,
        .weight_y = weight_y,
    };

    place_along(&tiling->x, column, level, &place.x, &place.w, &place.tile_x, weight_x);
    place_along(&tiling->y, row, level, &place.y, &place.h, &place.tile_y, weight_y);
    return place;
}

/* Adds the time stage's result, which is in the arena. */
static bool add_tile(TiledInference *work, int column, int row, GError **error)
{
    VfiSession *session = work->session;
    VfiTilePlace place = vfi_place_of_tile(session, column, row, 0);
    int segment = session->tile_path[work->n_path - 1];

    if (work->is_rgb)
        return session->backend->add_tile(session->device, &session->band,
                                          vfi_output_data(session, segment, "rgb"), 0, 3,
                                          &place, work->whole->cancel, error);
    return session->backend->add_tile(session->device, &session->band,
                                      vfi_output_data(session, segment, "flow"), 0, 4,
                                      &place, work->whole->cancel, error) &&
           session->backend->add_tile(session->device, &session->band,
                                      vfi_output_data(session, segment, "mask"), 4, 1,
                                      &place, work->whole->cancel, error);
}

/* Writes the picture's rows from work->done to @end. */
static bool write_rows(TiledInference *work, int end, GError **error)
{
    VfiSession *session = work->session;
    const VfiBackend *backend = session->backend;
    const VfiTileBand *band = &session->band;
    const VfiFrame *frames = &work->whole->frames[work->whole->first];
    size_t plane = (size_t)band->n_rows * (size_t)band->width;
    int begin = work->done;

    work->done = end;
    if (work->is_rgb) {
        VfiRgbPicture picture = {band->data, band->width, plane, band->first_row};
        return backend->rgb_to_planes(session->device, &session->video, &picture,
                                      &frames[0], &frames[1], work->whole->t, work->out,
                                      begin, end, work->whole->cancel, error);
    }
    VfiFlowField field = {
        .flow = band->data,
        .mask = band->data + 4 * plane,
        .padded_w = session->padded_w,
        .padded_h = session->padded_h,
        .plane = plane,
        .first_row = band->first_row,
        .reference_borders = session->reference_borders,
    };
    if (vfi_session_polishes(session))
        return vfi_polish_rows(session, work->whole, &work->motion, &field, work->out,
                               begin, end, error);
    vfi_session_note_field(session, &field, begin, end);
    return backend->warp_blend(session->device, &session->video, &frames[0], &frames[1],
                               &field, work->out, begin, end, work->whole->cancel, error);
}

int vfi_rows_below(const VfiSession *session)
{
    return vfi_session_polishes(session) ? vfi_polish_reach(session) : 1;
}

int vfi_rows_above(const VfiSession *session)
{
    return vfi_round_up(vfi_rows_below(session), 2); /* they begin at an even one */
}

/* Rows of the picture that no tile below row @row of the tiling adds to; even. */
static int complete_rows(const VfiSession *session, int row)
{
    int next_begin, next_end;

    if (row == session->tiling.y.n - 1)
        return session->video.height;
    vfi_tile_reach(&session->tiling.y, row + 1, &next_begin, &next_end);
    return MIN((next_begin - vfi_rows_below(session)) & ~1, session->video.height);
}

static bool slide_to(TiledInference *work, int first_row, GError **error)
{
    VfiSession *session = work->session;
    bool moved = session->backend->slide_band(session->device, &session->band, first_row,
                                              work->whole->cancel, error);

    session->band.first_row = first_row;
    return moved;
}

bool vfi_infer_tiles(VfiSession *session, const VfiView *whole, const VfiFrame *out,
                     GError **error)
{
    TiledInference work = {
        .session = session,
        .whole = whole,
        .out = out,
        .is_rgb =
            session->model->family->output(&session->model->setup) == VFI_OUTPUT_RGB,
    };
    const VfiTiling *tiling = &session->tiling;

    if (!look_at_frames(&work, error) || !find_path(&work, error) ||
        (vfi_session_polishes(session) &&
         !vfi_find_motion_of_tiles(session, whole, &work.motion, error)))
        return false;
    session->band.first_row = -session->band.n_rows; /* nothing of it is kept */
    for (int row = 0; row < tiling->y.n; row++) {
        if (!slide_to(&work, MAX(work.done - vfi_rows_above(session), 0), error))
            return false;
        for (int column = 0; column < tiling->x.n; column++)
            if (!run_tile(&work, column, row, error) ||
                !add_tile(&work, column, row, error))
                return false;
        int64_t start = g_get_monotonic_time();
        if (!write_rows(&work, complete_rows(session, row), error) ||
            !vfi_finish_work(session, error))
            return false;
        vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    }
    return true;
}
