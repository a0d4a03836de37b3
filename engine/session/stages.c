/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a session sees its frames: flow scale, padding, tiles; and the plans that
 * follow. */
#include <math.h>

#include <vfi/error.h>

#include "base/logging.h"
#include "base/printable.h"
#include "model/stage_graph.h"
#include "session/overlays.h"
#include "session/steps.h"
#include "session/stages.h"

/* Tiles begin at multiples of this, too: no pyramid halves the size more often than six
 * times. */
#define TILE_ALIGNMENT 64

/* The flow scale in effect: the power of two nearest to what was asked for, since only
 * those give whole sizes at every block; 0 is chosen by the frame's size. */
static double effective_scale(const VfiSession *session, double scale)
{
    double pixels = (double)session->video.width * session->video.height;

    if (!session->model->family->has_scale)
        return 1.0;
    if (scale == 0.0)
        return pixels <= 1920.0 * 1088.0         ? 1.0
               : pixels <= 4.0 * 1920.0 * 1088.0 ? 0.5
                                                 : 0.25;
    return exp2(round(log2(scale)));
}

int vfi_session_size_multiple(const VfiSession *session)
{
    const VfiModelFamily *family = session->model->family;
    const VfiModelSetup *setup = &session->model->setup;
    int multiple =
        family->size_multiple == NULL ? 1 : family->size_multiple(setup, session->scale);

    if (g_hash_table_contains(setup->options, "pad-multiple"))
        multiple = MAX(
            multiple, vfi_round_up((int)vfi_setup_uint(setup, "pad-multiple"), multiple));
    return multiple;
}

VfiPlanTarget vfi_session_plan_target(const VfiSession *session, VfiStage stage)
{
    VfiPlanTarget target;

    session->backend->plan_target(session->device, &target);
    target.half_outputs = (stage == VFI_STAGE_FRAME || stage == VFI_STAGE_CONSTANT) &&
                          session->half_features;
    return target;
}

/* Builds and plans one stage; the family may not have it. */
static bool plan_stage(VfiSession *session, VfiStage stage, GError **error)
{
    const VfiModel *model = session->model;
    const VfiStageSource source = {.family = model->family,
                                   .setup = &model->setup,
                                   .weights = model->weights,
                                   .width = session->tiling.x.tile,
                                   .height = session->tiling.y.tile,
                                   .scale = session->scale};
    VfiGraph *graph = vfi_stage_graph_new(&source, stage, session->plans);

    if (graph == NULL)
        return true;
    VfiPlanTarget target = vfi_session_plan_target(session, stage);
    session->graphs[stage] = graph;
    session->plans[stage] =
        vfi_plan_new(graph, &target, vfi_stage_output_region(stage), error);
    return session->plans[stage] != NULL;
}

void vfi_session_free_plans(VfiSession *session)
{
    vfi_session_free_motion(session);
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        g_clear_pointer(&session->plans[stage], vfi_plan_free);
        g_clear_pointer(&session->graphs[stage], vfi_graph_free);
    }
}

/* Of a whole picture that is no tile. */
static int padded_size(const VfiSession *session, int size)
{
    const VfiModel *model = session->model;
    int least = MAX(size, model->family->min_size);

    if (model->family->padded_size != NULL)
        return model->family->padded_size(&model->setup, least, session->scale);
    return vfi_round_up(least, vfi_session_size_multiple(session));
}

/* Plans for tiles of at least @n_x × @n_y, or for ones of at most @largest pixels in both
 * directions where that is not 0. */
static bool plan_for(VfiSession *session, int n_x, int n_y, int largest, GError **error)
{
    int multiple = vfi_session_size_multiple(session);
    int min_size = session->model->family->min_size;

    vfi_session_free_plans(session);
    if (n_x * n_y > 1 || largest != 0) {
        multiple = vfi_round_up(TILE_ALIGNMENT, multiple);
        session->padded_w = vfi_round_up(MAX(session->video.width, min_size), multiple);
        session->padded_h = vfi_round_up(MAX(session->video.height, min_size), multiple);
    } else {
        session->padded_w = padded_size(session, session->video.width);
        session->padded_h = padded_size(session, session->video.height);
    }
    session->tiling.x =
        vfi_tile_axis(session->padded_w, n_x, largest, multiple, session->scale);
    session->tiling.y =
        vfi_tile_axis(session->padded_h, n_y, largest, multiple, session->scale);
    if (largest != 0 && vfi_tiling_is_one(&session->tiling))
        return plan_for(session, 1, 1, 0, error); /* without the tiles' alignment */
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++)
        if (!plan_stage(session, (VfiStage)stage, error))
            return false;
    return vfi_session_plan_motion(session, error) && vfi_session_measure(session, error);
}

static bool is_within(const VfiSession *session, uint64_t limit)
{
    return limit == 0 || session->need.limited_bytes <= limit;
}

/* More tiles in the direction where they are larger, if there they can still shrink.
 * False when neither can. */
static bool split_further(const VfiSession *session, int *n_x, int *n_y)
{
    const VfiTileAxis *x = &session->tiling.x, *y = &session->tiling.y;
    int smallest = vfi_tile_smallest(x->alignment, session->scale);
    bool x_can = x->tile > smallest, y_can = y->tile > smallest;

    if (!x_can && !y_can)
        return false;
    bool splits_x = x_can && (!y_can || x->tile >= y->tile);
    const VfiTileAxis *axis = splits_x ? x : y;
    int *n = splits_x ? n_x : n_y;
    do
        (*n)++;
    while (vfi_tile_axis(axis->size, *n, 0, axis->alignment, session->scale).tile ==
           axis->tile);
    return true;
}

static bool fits_without_finder(const VfiSession *session, uint64_t limit)
{
    const VfiSessionNeed *need = &session->need;

    return need->overlay_bytes != 0 && need->limited_bytes - need->overlay_bytes <= limit;
}

/* True, for the caller to return. */
static bool tell_of_tiles(const VfiSession *session)
{
    if (!vfi_tiling_is_one(&session->tiling))
        vfi_log(VFI_LOG_INFO, "%d×%d in %d×%d tiles of %d×%d: %.1f MiB",
                session->video.width, session->video.height, session->tiling.x.n,
                session->tiling.y.n, session->tiling.x.tile, session->tiling.y.tile,
                (double)session->need.limited_bytes / 0x1p20);
    return true;
}

static void set_limit_error(const VfiSession *session, const VfiSessionConfig *config,
                            size_t whole, GError **error)
{
    const VfiModelFamily *family = session->model->family;
    g_autofree char *needed = vfi_printable_bytes(whole);
    g_autofree char *least = vfi_printable_bytes(session->need.limited_bytes);
    g_autofree char *limit = vfi_printable_bytes(config->memory_limit);
    g_autofree char *tiles = NULL;

    if (!vfi_tiling_is_one(&session->tiling))
        tiles = g_strdup_printf(", in tiles of %d×%d %s", session->tiling.x.tile,
                                session->tiling.y.tile, least);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "a session of %s %s for %d×%d needs %s%s, but memory-limit leaves it %s. What "
        "would "
        "help: a larger memory-limit, smaller frames%s%s%s",
        session->model->info.family, vfi_session_variant(session), session->video.width,
        session->video.height, needed, tiles == NULL ? "" : tiles, limit,
        family->has_scale && session->scale > 0.25 ? ", a smaller scale" : "",
        config->tile_size != 0 && family->can_tile
            ? ", a smaller tile-size or 0, which chooses one"
            : "",
        family->can_tile ? "" : ", a model that can work in tiles (this one cannot)");
}

VfiDeviceRequest vfi_session_request(const VfiSessionConfig *config)
{
    return (VfiDeviceRequest){.spec = config->device,
                              .threads = config->threads,
                              .precision = config->precision,
                              .context = config->cuda_context};
}

bool vfi_session_check_config(const VfiSessionConfig *config, GError **error)
{
    if (!vfi_video_info_validate(&config->video, error))
        return false;
    if (config->scale == 0.0 || (config->scale >= 0.25 && config->scale <= 4.0))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "scale %g is out of range: expected 0 (automatic) or 0.25 to 4",
                config->scale);
    return false;
}

static bool check_view(const VfiModelFamily *family, GError **error)
{
    int n = vfi_family_view_frames(family);

    if (n <= VFI_MAX_VIEW_FRAMES)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "%s sees %d frames at a time, expected %d at the most", family->name, n,
                VFI_MAX_VIEW_FRAMES);
    return false;
}

bool vfi_session_plan(VfiSession *session, const VfiSessionConfig *config, GError **error)
{
    bool can_tile = session->model->family->can_tile;
    int largest = can_tile ? (int)MIN(config->tile_size, (unsigned)G_MAXINT) : 0;
    int n_x = 1, n_y = 1;

    if (!check_view(session->model->family, error))
        return false;
    session->scale = effective_scale(session, config->scale);
    vfi_session_want_overlays(session, config);
    session->half_features = config->feature_storage == VFI_FEATURE_STORAGE_F16 ||
                             (config->feature_storage == VFI_FEATURE_STORAGE_AUTO &&
                              !session->backend->host_memory);
    if (!plan_for(session, 1, 1, largest, error))
        return false;
    size_t whole = session->need.limited_bytes;
    while (!is_within(session, config->memory_limit)) {
        if (fits_without_finder(session, config->memory_limit))
            return vfi_session_drop_finder(session, error) && tell_of_tiles(session);
        if (!can_tile || largest != 0 || !split_further(session, &n_x, &n_y)) {
            set_limit_error(session, config, whole, error);
            return false;
        }
        if (!plan_for(session, n_x, n_y, 0, error))
            return false;
    }
    return tell_of_tiles(session);
}
