/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/overlays.h"

#include <string.h>

#include "base/alloc.h"
#include "base/logging.h"

/* ---- building ---------------------------------------------------------------------- */

void vfi_session_want_overlays(VfiSession *session, const VfiSessionConfig *config)
{
    VfiSessionOverlays *overlays = &session->overlays;
    VfiOutputKind output = session->model->family->output(&session->model->setup);
    bool has_motion = output == VFI_OUTPUT_FLOW || output == VFI_OUTPUT_MOTION;
    bool can_keep = session->backend->keep != NULL;

    overlays->has_mask = config->overlay_mask != NULL && can_keep;
    overlays->is_wanted = config->overlay == VFI_OVERLAY_AUTO && has_motion && can_keep &&
                          session->backend->find_overlays != NULL;
    if (config->overlay_mask != NULL && !can_keep)
        vfi_log(
            VFI_LOG_WARNING,
            "the backend %s cannot keep parts of pictures still: the overlay mask has "
            "no effect; device=cpu could",
            session->backend->name);
    if (config->overlay == VFI_OVERLAY_AUTO && has_motion && !overlays->is_wanted)
        vfi_log(VFI_LOG_INFO, "overlays are not looked for on the backend %s",
                session->backend->name);
}

void vfi_session_measure_overlays(VfiSession *session)
{
    const VfiVideoInfo *video = &session->video;
    VfiSessionNeed *need = &session->need;

    need->overlay_bytes = session->overlays.is_wanted ? vfi_overlay_bytes(video) : 0;
    need->mask_bytes =
        session->overlays.has_mask ? (size_t)video->width * (size_t)video->height : 0;
}

bool vfi_session_drop_finder(VfiSession *session, GError **error)
{
    vfi_log(VFI_LOG_DEBUG,
            "memory-limit leaves no room to look for overlays (%.1f MiB): only what is "
            "marked is kept",
            (double)session->need.overlay_bytes / 0x1p20);
    session->overlays.is_wanted = false;
    return vfi_session_measure(session, error);
}

bool vfi_session_allocate_overlays(VfiSession *session, GError **error)
{
    VfiSessionOverlays *overlays = &session->overlays;
    const VfiSessionNeed *need = &session->need;

    if (need->mask_bytes > 0) {
        overlays->mask = vfi_try_alloc(need->mask_bytes, 1, "the overlay mask", error);
        if (overlays->mask == NULL)
            return false;
    }
    if (need->overlay_bytes == 0)
        return true;
    overlays->memory = session->backend->alloc(session->device, need->overlay_bytes,
                                               "finding overlays", error);
    if (overlays->memory == NULL)
        return false;
    vfi_overlay_init(&overlays->finder, &session->video, overlays->memory);
    return true;
}

void vfi_session_take_mask(VfiSession *session, const uint8_t *mask)
{
    if (session->overlays.mask != NULL)
        memcpy(session->overlays.mask, mask, session->need.mask_bytes);
}

/* ---- running ----------------------------------------------------------------------- */

void vfi_session_begin_overlays(VfiSession *session)
{
    if (session->overlays.memory != NULL)
        vfi_overlay_begin(&session->overlays.finder);
}

void vfi_session_note_field(VfiSession *session, const VfiFlowField *field, int begin,
                            int end)
{
    if (session->overlays.memory != NULL)
        vfi_overlay_note_field(&session->overlays.finder, field, begin, end);
}

void vfi_session_note_motion(VfiSession *session, const VfiMotion *motion)
{
    if (session->overlays.memory != NULL)
        vfi_overlay_note_motion(&session->overlays.finder, motion);
}

/* Looks for overlays, if that is asked for. *found: there are some. */
static bool find(VfiSession *session, const VfiFrame *frames, const atomic_int *cancel,
                 bool *found, GError **error)
{
    VfiSessionOverlays *overlays = &session->overlays;

    *found = false;
    if (overlays->memory == NULL || !vfi_overlay_judge(&overlays->finder))
        return true;
    if (!session->backend->find_overlays(session->device, &session->video, &frames[0],
                                         &frames[1], &overlays->finder, cancel, error))
        return false;
    *found = vfi_overlay_is_found(&overlays->finder);
    return true;
}

/* The pair's regions; how many. */
static int take_regions(VfiPair *pair, VfiRectangle regions[VFI_MAX_KEPT])
{
    g_mutex_lock(&pair->lock);
    int n = pair->n_regions;
    memcpy(regions, pair->regions, (size_t)n * sizeof *regions);
    g_mutex_unlock(&pair->lock);
    return n;
}

bool vfi_session_keep_overlays(VfiSession *session, VfiJob *job, const VfiFrame *frames,
                               double t, const VfiFrame *out, GError **error)
{
    VfiSessionOverlays *overlays = &session->overlays;
    VfiRectangle regions[VFI_MAX_KEPT];
    bool found;
    VfiKeep keep = {
        .mask = {overlays->mask},
        .stride = {(size_t)session->video.width, overlays->finder.row},
        .regions = regions,
        .n_regions = take_regions(job->pair, regions),
    };

    overlays->is_kept = false;
    if (!find(session, frames, &job->cancel, &found, error))
        return false;
    if (found)
        keep.mask[1] = overlays->finder.kept;
    if (!found && keep.mask[0] == NULL && keep.n_regions == 0)
        return true;
    overlays->is_kept = true;
    return session->backend->keep(session->device, &session->video, &frames[0],
                                  &frames[1], t, &keep, out, &job->cancel, error);
}
