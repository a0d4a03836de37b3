/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making one in-between on the worker thread: a copy, a blend, an inference; for midpoint
 * families, some of these one after the other. */
#include <math.h>

#include <vfi/error.h>

#include "log_internal.h"
#include "inference.h"

/* A picture to interpolate from: its planes and the key of what is kept for it. */
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

/* One inference between two sources. */
static bool infer(VfiSession *session, const Source *sources, double t,
                  const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    VfiView view = {
        .video = session->video,
        .frames = {*sources[0].frame, *sources[1].frame},
        .keys = {sources[0].key, sources[1].key},
        .t = t,
        .cancel = cancel,
    };
    bool made = vfi_tiling_is_one(&session->tiling)
                    ? vfi_infer_whole(session, &view, out, error)
                    : vfi_infer_tiles(session, &view, out, error);

    if (made)
        count(session, &session->stats.inferences);
    return made;
}

static bool copy_frame(VfiSession *session, const VfiFrame *frame, const VfiFrame *out,
                       const atomic_int *cancel, GError **error)
{
    int64_t start = g_get_monotonic_time();

    if (!session->backend->copy(session->device, &session->video, frame, out, cancel,
                                error) ||
        !session->backend->sync(session->device, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}

static bool blend(VfiSession *session, VfiJob *job, GError **error)
{
    const VfiFrame *frames = job->pair->frames;
    int64_t start = g_get_monotonic_time();

    if (!session->backend->blend(session->device, &session->video, &frames[0], &frames[1],
                                 job->t, &job->out, &job->cancel, error) ||
        !session->backend->sync(session->device, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}

/* Keys of kept in-betweens: the top bit, the pair, the position. Frames' keys have it clear. */
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
static bool bisect(VfiSession *session, VfiJob *job, GError **error)
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
        return copy_frame(session, &pair->frames[target == 0 ? 0 : 1], &job->out,
                          &job->cancel, error);
    for (;;) {
        int middle = (low + high) / 2;
        bool kept = middle % 2 == 0;
        const VfiFrame *out = kept ? &bisection->frames[middle] : &job->out;
        if (!bisection->valid[middle]) {
            Source sources[] = {bisection_source(session, pair, low),
                                bisection_source(session, pair, high)};
            if (!infer(session, sources, 0.5, out, &job->cancel, error))
                return false;
            bisection->valid[middle] = kept;
        }
        if (middle == target)
            return !kept || copy_frame(session, out, &job->out, &job->cancel, error);
        if (middle < target)
            low = middle;
        else
            high = middle;
    }
}

bool vfi_interpolate(VfiSession *session, VfiJob *job, GError **error)
{
    VfiPair *pair = job->pair;

    if (vfi_pair_is_identical(pair)) {
        if (!copy_frame(session, &pair->frames[0], &job->out, &job->cancel, error))
            return false;
        count(session, &session->stats.identical);
        return true;
    }
    if (session->model->family->output(&session->model->setup) == VFI_OUTPUT_BLEND)
        return blend(session, job, error);
    if (vfi_session_bisects(session, job->t))
        return bisect(session, job, error);
    Source sources[] = {{&pair->frames[0], pair->keys[0]},
                        {&pair->frames[1], pair->keys[1]}};
    return infer(session, sources, job->t, &job->out, &job->cancel, error);
}
