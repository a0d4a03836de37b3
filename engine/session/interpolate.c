/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making one in-between on the worker thread: a copy, a blend, an inference; for midpoint
 * families, some of these one after the other. */
#include <math.h>

#include <vfi/error.h>

#include "base/logging.h"
#include "session/inference.h"

/* A picture to interpolate from: its planes and the key of the results kept for it. */
typedef struct {
    const VfiFrame *frame;
    uint64_t key;
} Source;

static void count(VfiSession *session, uint64_t *counter)
{
    g_mutex_lock(&session->lock);
    (*counter)++;
    g_mutex_unlock(&session->lock);
}

/* Brings the planes of the sources to where the device can reach them. */
static bool hold_sources(VfiSession *session, const Source *sources, VfiFrame *planes,
                         GError **error)
{
    const uint64_t keys[VFI_VIEW_FRAMES] = {sources[0].key, sources[1].key};

    for (int i = 0; i < VFI_VIEW_FRAMES; i++)
        if (!vfi_session_hold_frame(session, sources[i].frame, keys[i], keys, &planes[i],
                                    error))
            return false;
    return true;
}

/* One inference between two sources. */
static bool infer(VfiSession *session, const Source *sources, double t,
                  const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    VfiView view = {
        .video = session->video,
        .keys = {sources[0].key, sources[1].key},
        .t = t,
        .cancel = cancel,
    };
    if (!hold_sources(session, sources, view.frames, error))
        return false;
    bool made = vfi_tiling_is_one(&session->tiling)
                    ? vfi_infer_whole(session, &view, out, error)
                    : vfi_infer_tiles(session, &view, out, error);

    if (made)
        count(session, &session->stats.inferences);
    return made;
}

static bool copy_frame(VfiSession *session, Source source, const VfiFrame *out,
                       const atomic_int *cancel, GError **error)
{
    const uint64_t keep[VFI_VIEW_FRAMES] = {source.key, source.key};
    int64_t start = g_get_monotonic_time();
    VfiFrame planes;

    if (!vfi_session_hold_frame(session, source.frame, source.key, keep, &planes,
                                error) ||
        !session->backend->copy(session->device, &session->video, &planes, out, cancel,
                                error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}

static bool blend(VfiSession *session, const Source *sources, double t,
                  const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    int64_t start = g_get_monotonic_time();
    VfiFrame frames[VFI_VIEW_FRAMES];

    if (!hold_sources(session, sources, frames, error))
        return false;
    if (!session->backend->blend(session->device, &session->video, &frames[0], &frames[1],
                                 t, out, cancel, error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}

/* Keys of kept in-betweens: the top bit, the pair, the position. Frames' have the top bit
 * clear. */
static uint64_t in_between_key(const VfiPair *pair, int k)
{
    return UINT64_C(1) << 63 | pair->serial << 5 | (uint64_t)k;
}

/* The source at time k/2^depth of @pair; for in-betweens the kept one. */
static Source bisection_source(VfiSession *session, const VfiPair *pair, int k)
{
    VfiBisection *bisection = &session->bisection;

    if (k == 0)
        return (Source){&pair->frames[0], pair->keys[0]};
    if (k == 1 << bisection->depth)
        return (Source){&pair->frames[1], pair->keys[1]};
    return (Source){&bisection->frames[k], in_between_key(pair, k)};
}

/* A midpoint family at time t: the nearest k/2^depth, by halving the interval around it.
 * Even positions are kept, since later times of the pair start from them. */
static bool bisect(VfiSession *session, VfiJob *job, const VfiFrame *out, GError **error)
{
    VfiBisection *bisection = &session->bisection;
    const VfiPair *pair = job->pair;
    int low = 0, high = 1 << bisection->depth;
    int target = (int)lround(job->t * high);

    if (bisection->pair_serial != pair->serial) {
        for (int k = 0; k <= high; k++)
            bisection->valid[k] = false;
        bisection->pair_serial = pair->serial;
    }
    if (target == 0 || target == high)
        return copy_frame(session, bisection_source(session, pair, target), out,
                          &job->cancel, error);
    for (;;) {
        int middle = (low + high) / 2;
        bool kept = middle % 2 == 0;
        const VfiFrame *made = kept ? &bisection->frames[middle] : out;
        if (!bisection->valid[middle]) {
            Source sources[] = {bisection_source(session, pair, low),
                                bisection_source(session, pair, high)};
            if (!infer(session, sources, 0.5, made, &job->cancel, error))
                return false;
            bisection->valid[middle] = kept;
        }
        if (middle == target)
            return !kept || copy_frame(session, bisection_source(session, pair, middle),
                                       out, &job->cancel, error);
        if (middle < target)
            low = middle;
        else
            high = middle;
    }
}

/* Makes the picture of @job in @out, which the device can reach. */
static bool make_picture(VfiSession *session, VfiJob *job, bool is_identical,
                         const VfiFrame *out, GError **error)
{
    VfiPair *pair = job->pair;
    Source sources[] = {{&pair->frames[0], pair->keys[0]},
                        {&pair->frames[1], pair->keys[1]}};

    if (is_identical)
        return copy_frame(session, sources[0], out, &job->cancel, error);
    if (session->model->family->output(&session->model->setup) == VFI_OUTPUT_BLEND)
        return blend(session, sources, job->t, out, &job->cancel, error);
    if (vfi_session_bisects(session, job->t))
        return bisect(session, job, out, error);
    return infer(session, sources, job->t, out, &job->cancel, error);
}

/* The same on a device with memory of its own, which makes the picture after this has
 * returned. One that fails half-way is waited for: until then the device uses its
 * memory. */
static bool queue_picture(VfiSession *session, VfiJob *job, bool is_identical,
                          GError **error)
{
    const VfiBackend *backend = session->backend;
    double milliseconds[VFI_TIMED_COUNT];

    if (!backend->begin_picture(session->device, &session->picture, error))
        return false;
    VfiFrame planes = vfi_session_planes_for(session, &job->out);
    bool queued = make_picture(session, job, is_identical, &planes, error) &&
                  vfi_session_deliver(session, &planes, &job->out, error);
    bool ended = backend->end_picture(session->device, queued ? error : NULL);
    if (queued && ended)
        job->picture = session->picture;
    else
        backend->wait_picture(session->device, session->picture, milliseconds, NULL);
    return queued && ended;
}

bool vfi_interpolate(VfiSession *session, VfiJob *job, GError **error)
{
    const VfiFrame *frame = &job->pair->frames[0];
    bool is_identical = vfi_pair_is_identical(job->pair), made;

    job->picture = 0;
    if (session->backend->host_memory) {
        made = make_picture(session, job, is_identical, &job->out, error);
    } else if (is_identical && frame->memory == VFI_MEMORY_HOST &&
               job->out.memory == VFI_MEMORY_HOST) {
        vfi_pixels_copy(&session->video, frame, &job->out, 0, session->video.height);
        made = true;
    } else {
        made = queue_picture(session, job, is_identical, error);
    }
    if (made && is_identical)
        count(session, &session->stats.identical);
    return made;
}
