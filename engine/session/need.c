/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory that a session needs, known before any of it is taken. */
#include <vfi/error.h>

#include "base/alloc.h"
#include "memory/guard.h"
#include "pixels/frame_layout.h"
#include "session/overlays.h"
#include "session/steps.h"

/* Adds @count × @bytes to *sum; false where that overflows. */
static bool add_bytes(size_t *sum, size_t count, size_t bytes)
{
    size_t product;

    return vfi_size_mul(count, bytes, &product) && vfi_size_add(*sum, product, sum);
}

bool vfi_session_bisects(const VfiSession *session, double t)
{
    const VfiModel *model = session->model;

    return model->family->bisects != NULL ? model->family->bisects(&model->setup, t)
                                          : model->info.time_mode == VFI_TIME_MIDPOINT;
}

/* Midpoint families keep every second of 2^depth in-betweens, but for the ends. */
static size_t bisection_frames(const VfiSession *session)
{
    if (!vfi_session_bisects(session, 0.5))
        return 0;
    return ((size_t)1 << vfi_setup_uint(&session->model->setup, "bisect-depth")) / 2 - 1;
}

static bool add_band(VfiSessionNeed *need, const VfiTileBand *band)
{
    size_t row;

    return vfi_size_mul((size_t)band->width, sizeof(float), &row) &&
           add_bytes(&need->band_bytes, (size_t)band->n_planes * (size_t)band->n_rows,
                     row);
}

/* Shape and bytes of the bands in which tiles are put together: a network's are as high
 * as a tile, with what inference_tiles.c reads around the rows that it writes; those of
 * steps are of the whole picture, by cells. */
static bool measure_bands(VfiSession *session)
{
    const VfiFlowPlan *steps = session->motion.plan;
    VfiTileBand *band = &session->band, *motion = &session->motion.band;
    bool is_rgb =
        session->model->family->output(&session->model->setup) == VFI_OUTPUT_RGB;

    *band = *motion = (VfiTileBand){0};
    if (vfi_tiling_is_one(&session->tiling))
        return true;
    if (session->plans[VFI_STAGE_TIME] != NULL) {
        band->width = session->padded_w;
        band->n_rows = session->tiling.y.tile + vfi_rows_above(session) +
                       vfi_rows_below(session) + 1; /* begins at an even one */
        band->n_planes = is_rgb ? 3 : 5;
    }
    if (steps != NULL) {
        motion->width = session->padded_w >> steps->shape.level;
        motion->n_rows = session->padded_h >> steps->shape.level;
        motion->n_planes = 2 * steps->shape.n_flows;
    }
    return add_band(&session->need, band) && add_band(&session->need, motion);
}

bool vfi_session_measure(VfiSession *session, GError **error)
{
    const VfiModelFamily *family = session->model->family;
    VfiSessionNeed *need = &session->need;
    bool fits = true;

    bool has_network = session->plans[VFI_STAGE_TIME] != NULL;
    bool has_planes = !session->backend->host_memory;
    *need = (VfiSessionNeed){
        .n_planes =
            has_planes ? vfi_family_view_frames(family) + 1 + VFI_PICTURES_IN_FLIGHT : 0,
        .planes_bytes = vfi_frame_lay_out(&session->video, NULL, NULL),
    };
    vfi_session_measure_overlays(session);
    if (has_network || session->motion.plan != NULL)
        need->n_slots = vfi_family_view_frames(family);
    if (has_network)
        need->slot_bytes =
            vfi_plan_image_bytes(session->tiling.x.tile, session->tiling.y.tile);
    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = session->plans[stage];
        VfiProgramNeed program;
        if (plan == NULL)
            continue;
        if (!session->backend->measure(session->device, plan, &program, error))
            return false;
        need->arena_bytes = MAX(need->arena_bytes, plan->arena_bytes);
        need->slot_bytes = MAX(need->slot_bytes, plan->frame_bytes);
        need->pair_bytes = MAX(need->pair_bytes, plan->pair_bytes);
        need->constant_bytes = MAX(need->constant_bytes, plan->constant_bytes);
        need->state_bytes = MAX(need->state_bytes, plan->state_bytes);
        need->n_scalars = MAX(need->n_scalars, (size_t)plan->n_scalars);
        fits = fits && add_bytes(&need->packed_bytes, 1, program.packed_bytes) &&
               add_bytes(&need->device_bytes, 1, program.scratch_bytes);
    }
    fits = fits && vfi_session_place_motion(session) && measure_bands(session) &&
           add_bytes(&need->device_bytes, 1, need->arena_bytes) &&
           add_bytes(&need->device_bytes, 1, need->overlay_bytes) &&
           add_bytes(&need->host_bytes, 1, need->mask_bytes) &&
           add_bytes(&need->device_bytes, has_planes ? 1 : 0, need->mask_bytes) &&
           add_bytes(&need->device_bytes, 1, need->band_bytes) &&
           add_bytes(&need->device_bytes, 1, need->pair_bytes) &&
           add_bytes(&need->device_bytes, 1, need->constant_bytes) &&
           add_bytes(&need->device_bytes, 2, need->state_bytes) &&
           add_bytes(&need->device_bytes, (size_t)need->n_slots, need->slot_bytes) &&
           add_bytes(&need->device_bytes, (size_t)need->n_planes, need->planes_bytes) &&
           add_bytes(&need->host_bytes,
                     has_planes ? VFI_UPLOADS_IN_FLIGHT + VFI_PICTURES_IN_FLIGHT : 0,
                     need->planes_bytes) &&
           add_bytes(has_planes ? &need->device_bytes : &need->host_bytes,
                     bisection_frames(session), need->planes_bytes) &&
           add_bytes(&need->limited_bytes, 1, need->device_bytes) &&
           add_bytes(&need->limited_bytes, 1, need->host_bytes) &&
           add_bytes(&need->device_bytes, 1, need->packed_bytes);
    if (!fits)
        g_set_error(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                    "a session for %d×%d needs more memory than can be addressed",
                    session->video.width, session->video.height);
    return fits;
}

static const char *remedies(const VfiSession *session)
{
    const VfiModelFamily *family = session->model->family;

    if (family->can_tile && family->has_scale)
        return "smaller frames, a smaller scale, "
               "a tile-size or a memory-limit (which chooses one), a smaller model";
    return family->has_scale ? "smaller frames, a smaller scale, a smaller model"
                             : "smaller frames, a smaller model";
}

bool vfi_session_claim(VfiSession *session, const VfiSessionConfig *config,
                       GError **error)
{
    const VfiSessionNeed *need = &session->need;
    g_autofree char *what = g_strdup_printf(
        "a session of %s %s for %d×%d", session->model->info.family,
        vfi_session_variant(session), session->video.width, session->video.height);
    VfiMemoryRequest request = {
        .what = what,
        .remedy = remedies(session),
        .host_bytes = need->host_bytes,
        .device_bytes = need->device_bytes,
        .headroom = config->memory_headroom,
        .backend = session->backend,
        .device = session->device,
        .spare = session->model->weights == NULL
                     ? NULL
                     : vfi_weights_packed(session->model->weights),
    };

    if (session->backend->host_memory) {
        if (!vfi_size_add(need->host_bytes, need->device_bytes, &request.host_bytes))
            request.host_bytes = UINT64_MAX;
        request.device_bytes = 0;
    }
    if (!vfi_memory_claim(&request, error))
        return false;
    session->claimed = request.host_bytes;
    return true;
}

void vfi_session_unclaim(VfiSession *session, uint64_t bytes)
{
    bytes = MIN(bytes, session->claimed);
    if (bytes == 0)
        return;
    session->claimed -= bytes;
    vfi_memory_unclaim(bytes);
}
