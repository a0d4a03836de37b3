/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making one in-between on the worker thread: a copy, a blend, an inference; for midpoint
 * families, some of these one after the other. */
#include <math.h>

#include <vfi/error.h>

#include "base/logging.h"
#include "session/overlays.h"
#include "session/polish.h"
#include "session/rounds.h"

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

/* Brings the planes of @n sources to where the device can reach them. */
static bool hold_sources(VfiSession *session, const Source *sources, int n,
                         VfiFrame *planes, GError **error)
{
    uint64_t keys[VFI_MAX_VIEW_FRAMES];

    for (int i = 0; i < n; i++)
        keys[i] = sources[i].key;
    for (int i = 0; i < n; i++)
        if (!vfi_session_hold_frame(session, sources[i].frame, keys[i], keys, n,
                                    &planes[i], error))
            return false;
    return true;
}

/* By what the model is made of: steps, a network, or both. */
static bool infer_view(VfiSession *session, const VfiView *view, const VfiFrame *out,
                       GError **error)
{
    if (session->plans[VFI_STAGE_TIME] == NULL)
        return vfi_infer_motion(session, view, out, error);
    vfi_expect_rounds(session, view->job, vfi_frames_to_run(session, view));
    if (!vfi_tiling_is_one(&session->tiling))
        return vfi_infer_tiles(session, view, out, error);
    return vfi_session_polishes(session) ? vfi_infer_polished(session, view, out, error)
                                         : vfi_infer_whole(session, view, out, error);
}

/* One inference: the picture of @job at @t between two sources; @sources is their view,
 * oldest first. @place is its noise's. */
static bool infer(VfiSession *session, VfiJob *job, const Source *sources, double t,
                  uint32_t place, const VfiFrame *out, GError **error)
{
    const VfiModelFamily *family = session->model->family;
    VfiView view = {
        .video = session->video,
        .n_frames = vfi_family_view_frames(family),
        .first = family->frames_before,
        .noise_key = job->pair->noise_key,
        .noise_place = place,
        .t = t,
        .job = job,
        .cancel = &job->cancel,
    };
    for (int i = 0; i < view.n_frames; i++)
        view.keys[i] = sources[i].key;
    if (!hold_sources(session, sources, view.n_frames, view.frames, error))
        return false;
    vfi_session_begin_overlays(session);
    if (!infer_view(session, &view, out, error) ||
        !vfi_session_keep_overlays(session, job, &view.frames[view.first], t, out, error))
        return false;
    count(session, &session->stats.inferences);
    return true;
}

static bool copy_frame(VfiSession *session, Source source, const VfiFrame *out,
                       const atomic_int *cancel, GError **error)
{
    int64_t start = g_get_monotonic_time();
    VfiFrame planes;

    if (!hold_sources(session, &source, 1, &planes, error) ||
        !session->backend->copy(session->device, &session->video, &planes, out, cancel,
                                error) ||
        !vfi_finish_work(session, error))
        return false;
    vfi_record_time(session, VFI_TIMED_SYNTHESIS, start);
    return true;
}

/* @sources: the two around the in-between. */
static bool blend(VfiSession *session, const Source *sources, double t,
                  const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    int64_t start = g_get_monotonic_time();
    VfiFrame frames[2];

    if (!hold_sources(session, sources, 2, frames, error))
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

/* The kept in-between at time k/2^depth of @pair. */
static Source kept_in_between(VfiSession *session, const VfiPair *pair, int k)
{
    return (Source){&session->bisection.frames[k], in_between_key(pair, k)};
}

/* Known pictures around an interval that is halved, in the order of their times. */
typedef struct {
    Source sources[VFI_MAX_VIEW_FRAMES + VFI_MAX_BISECTION];
    int n;
    int first; /* the one at the interval's begin, the next is at its end */
} Line;

static Line line_of_pair(const VfiSession *session, const VfiPair *pair)
{
    const VfiModelFamily *family = session->model->family;
    Line line = {.n = vfi_family_view_frames(family), .first = family->frames_before};

    for (int i = 0; i < line.n; i++)
        line.sources[i] = (Source){&pair->frames[i], pair->keys[i]};
    return line;
}

/* The interval becomes one of its halves, with @middle between them. */
static void halve(Line *line, Source middle, bool second_half)
{
    for (int i = line->n++; i > line->first + 1; i--)
        line->sources[i] = line->sources[i - 1];
    line->sources[line->first + 1] = middle;
    line->first += second_half;
}

/* Forgets the in-betweens of another pair. */
static void begin_bisection(VfiBisection *bisection, const VfiPair *pair)
{
    if (bisection->pair_serial == pair->serial)
        return;
    for (int k = 0; k <= 1 << bisection->depth; k++)
        bisection->valid[k] = false;
    bisection->pair_serial = pair->serial;
}

/* In-betweens of one pair are made of each other: each has noise of its own, the middle
 * that which any family would draw for the pair. By the time, not the order in which they
 * are asked for. */
static uint32_t noise_place(const VfiBisection *bisection, int k)
{
    uint32_t sixteenths = (uint32_t)k << (VFI_MAX_BISECTION - bisection->depth);

    return (sixteenths + 8) % 16;
}

/* Inferences that lead to the in-between @target, as far as others are not kept. */
static int inferences_to(const VfiBisection *bisection, int target)
{
    int low = 0, high = 1 << bisection->depth, n = 0;

    for (;;) {
        int middle = (low + high) / 2;
        n += !bisection->valid[middle];
        if (middle == target)
            return n;
        if (middle < target)
            low = middle;
        else
            high = middle;
    }
}

/* A midpoint family at time t: the nearest k/2^depth, by halving the interval around it.
 * Even positions are kept, since later times of the pair start from them. Beyond an
 * interval's ends the network sees the pictures that are nearest there of those that it
 * was halved from, whatever else is kept: so a time's picture depends on nothing but the
 * view. */
static bool bisect(VfiSession *session, VfiJob *job, const VfiFrame *out, GError **error)
{
    VfiBisection *bisection = &session->bisection;
    const VfiPair *pair = job->pair;
    int before = session->model->family->frames_before;
    int low = 0, high = 1 << bisection->depth;
    int target = (int)lround(job->t * high);
    Line line = line_of_pair(session, pair);

    begin_bisection(bisection, pair);
    if (target == 0 || target == high)
        return copy_frame(session, line.sources[before + (target == high)], out,
                          &job->cancel, error);
    job->inferences_ahead = inferences_to(bisection, target);
    for (;;) {
        int middle = (low + high) / 2;
        job->inferences_ahead -= !bisection->valid[middle];
        bool kept = middle % 2 == 0;
        if (!bisection->valid[middle] &&
            !infer(session, job, &line.sources[line.first - before], 0.5,
                   noise_place(bisection, middle),
                   kept ? &bisection->frames[middle] : out, error))
            return false;
        if (!bisection->valid[middle])
            bisection->has_overlay[middle] = session->overlays.is_kept;
        bisection->valid[middle] = kept;
        session->overlays.is_kept = bisection->has_overlay[middle];
        if (middle == target)
            return !kept || copy_frame(session, kept_in_between(session, pair, middle),
                                       out, &job->cancel, error);
        halve(&line, kept_in_between(session, pair, middle), middle < target);
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
    Line line = line_of_pair(session, job->pair);
    const Source *two = &line.sources[line.first];

    if (is_identical)
        return copy_frame(session, two[0], out, &job->cancel, error);
    if (session->model->family->output(&session->model->setup) == VFI_OUTPUT_BLEND)
        return blend(session, two, job->t, out, &job->cancel, error);
    if (vfi_session_bisects(session, job->t))
        return bisect(session, job, out, error);
    return infer(session, job, line.sources, job->t, 0, out, error);
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
    const VfiFrame *frame = &job->pair->frames[session->model->family->frames_before];
    bool is_identical = vfi_pair_is_identical(job->pair), made;

    job->picture = 0;
    session->overlays.is_kept = false;
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
    if (made && session->overlays.is_kept)
        count(session, &session->stats.with_overlays);
    return made;
}
