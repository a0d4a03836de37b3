/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making one in-between on the worker thread: prepare what is not kept yet, run the stages,
 * apply the result to the frames' planes; for midpoint families, bisect. */
#include <math.h>

#include <vfi/error.h>

#include "log_internal.h"
#include "session_internal.h"

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

/* The time from @start, monotonic µs, until now was one run of @stage. */
static void record(VfiSession *session, VfiTimedStage stage, int64_t start)
{
    int64_t microseconds = g_get_monotonic_time() - start;

    g_mutex_lock(&session->lock);
    vfi_stage_ring_add(&session->times[stage], (double)microseconds / 1e3);
    g_mutex_unlock(&session->lock);
}

/* The kept slot of @key, or NULL. */
static VfiFrameSlot *find_slot(VfiSession *session, uint64_t key)
{
    for (int i = 0; i < session->n_slots; i++)
        if (session->slots[i].key == key)
            return &session->slots[i];
    return NULL;
}

/* The least recently used slot other than those of @sources. */
static VfiFrameSlot *evict_slot(VfiSession *session, const Source *sources, int n)
{
    VfiFrameSlot *oldest = NULL;

    for (int i = 0; i < session->n_slots; i++) {
        VfiFrameSlot *slot = &session->slots[i];
        bool needed = false;
        for (int s = 0; s < n; s++)
            needed = needed || slot->key == sources[s].key;
        if (!needed && (oldest == NULL || slot->last_used < oldest->last_used))
            oldest = slot;
    }
    return oldest;
}

static uint64_t *profile_of(const VfiSession *session, VfiStage stage)
{
    return session->profiling ? session->profile[stage] : NULL;
}

/* Image and per-frame results of sources[@index], computed if they are not kept. */
static VfiFrameSlot *ready_slot(VfiSession *session, const Source *sources, int n,
                                int index, const atomic_int *cancel, GError **error)
{
    const VfiBackend *backend = session->backend;
    VfiFrameSlot *slot = find_slot(session, sources[index].key);

    if (slot == NULL) {
        slot = evict_slot(session, sources, n);
        slot->key = 0;
        int64_t start = g_get_monotonic_time();
        if (!backend->prepare(session->device, &session->video, sources[index].frame,
                              (float *)(void *)slot->memory, session->padded_w,
                              session->padded_h, cancel, error))
            return NULL;
        record(session, VFI_TIMED_PREPARE, start);
        if (session->programs[VFI_STAGE_FRAME] != NULL) {
            VfiRunArguments arguments = {.cancel = cancel, .scalars = session->scalars};
            arguments.op_nanoseconds = profile_of(session, VFI_STAGE_FRAME);
            arguments.region[VFI_REGION_ARENA] = session->arena;
            arguments.region[VFI_REGION_FRAME0] = slot->memory;
            start = g_get_monotonic_time();
            if (!backend->run(session->device, session->programs[VFI_STAGE_FRAME], 0,
                              &arguments, error))
                return NULL;
            record(session, VFI_TIMED_FRAME_STAGE, start);
        }
        slot->key = sources[index].key;
    }
    slot->last_used = ++session->slot_clock;
    return slot;
}

/* Runs the time stage, segment by segment. *last is the segment that has the outputs. */
static bool run_time_stage(VfiSession *session, const VfiRunArguments *arguments,
                           int *last, GError **error)
{
    const VfiModelFamily *family = session->model->family;
    int64_t start = g_get_monotonic_time();
    int segment = 0;

    while (segment >= 0) {
        if (!session->backend->run(session->device, session->programs[VFI_STAGE_TIME],
                                   segment, arguments, error))
            return false;
        *last = segment;
        segment = family->next_segment == NULL
                      ? -1
                      : family->next_segment(&session->model->setup, segment,
                                             arguments->scalars);
    }
    record(session, VFI_TIMED_TIME_STAGE, start);
    return true;
}

static const float *output_data(const VfiSession *session, int segment, const char *name)
{
    const VfiPlanOutput *output =
        vfi_plan_output(session->plans[VFI_STAGE_TIME], segment, name);

    return (const float *)(const void *)(session->arena + output->operand.offset);
}

/* Applies what the time stage left in the arena to the planes of @out. */
static bool write_picture(VfiSession *session, const Source *sources, double t,
                          int segment, const VfiFrame *out, const atomic_int *cancel,
                          GError **error)
{
    const VfiBackend *backend = session->backend;
    const VfiFrame *frame0 = sources[0].frame, *frame1 = sources[1].frame;

    if (session->model->family->output(&session->model->setup) == VFI_OUTPUT_RGB)
        return backend->paint(session->device, &session->video,
                              output_data(session, segment, "rgb"), session->padded_w,
                              session->padded_h, frame0, frame1, t, out, cancel, error);
    VfiFlowField field = {
        .flow = output_data(session, segment, "flow"),
        .mask = output_data(session, segment, "mask"),
        .padded_w = session->padded_w,
        .padded_h = session->padded_h,
        .reference_borders = session->reference_borders,
    };
    return backend->synthesize(session->device, &session->video, frame0, frame1, &field,
                               out, cancel, error);
}

/* One inference between two sources. */
static bool infer(VfiSession *session, const Source *sources, double t,
                  const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    VfiRunArguments arguments = {
        .time = (float)t,
        .scalars = session->scalars,
        .cancel = cancel,
        .op_nanoseconds = profile_of(session, VFI_STAGE_TIME),
    };
    int segment = 0;

    arguments.region[VFI_REGION_ARENA] = session->arena;
    for (int i = 0; i < 2; i++) {
        VfiFrameSlot *slot = ready_slot(session, sources, 2, i, cancel, error);
        if (slot == NULL)
            return false;
        arguments.region[VFI_REGION_FRAME0 + i] = slot->memory;
    }
    if (!run_time_stage(session, &arguments, &segment, error))
        return false;
    int64_t start = g_get_monotonic_time();
    if (!write_picture(session, sources, t, segment, out, cancel, error) ||
        !session->backend->sync(session->device, error))
        return false;
    record(session, VFI_TIMED_SYNTHESIS, start);
    count(session, &session->stats.inferences);
    return true;
}

static bool copy_frame(VfiSession *session, const VfiFrame *frame, const VfiFrame *out,
                       const atomic_int *cancel, GError **error)
{
    int64_t start = g_get_monotonic_time();

    if (!session->backend->copy(session->device, &session->video, frame, out, cancel,
                                error) ||
        !session->backend->sync(session->device, error))
        return false;
    record(session, VFI_TIMED_SYNTHESIS, start);
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
    record(session, VFI_TIMED_SYNTHESIS, start);
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
    if (session->bisection.depth > 0)
        return bisect(session, job, error);
    Source sources[] = {{&pair->frames[0], pair->keys[0]},
                        {&pair->frames[1], pair->keys[1]}};
    return infer(session, sources, job->t, &job->out, &job->cancel, error);
}
