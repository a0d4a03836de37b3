/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pairs and jobs of a session: the public calls. */
#include <string.h>

#include <vfi/error.h>

#include "session/session_internal.h"

/* ---- pairs ------------------------------------------------------------------------- */

/* Whether a view has so many frames. */
static bool check_view(const VfiModelFamily *family, size_t n_frames, GError **error)
{
    int n = vfi_family_view_frames(family);

    if (n_frames == (size_t)n)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "a pair of %s has %d frames (%d before the two around the in-between, %d "
                "after them), got %zu",
                family->name, n, family->frames_before, family->frames_after, n_frames);
    return false;
}

VfiPair *vfi_session_begin(VfiSession *session, const VfiFrame *frames, size_t n_frames,
                           uint64_t key, GError **error)
{
    if (!check_view(session->model->family, n_frames, error))
        return NULL;
    for (size_t i = 0; i < n_frames; i++)
        if (!vfi_session_check_memory(session, &frames[i], error))
            return NULL;
    VfiPair *pair = vfi_session_take_pair(session);
    pair->session = vfi_session_ref(session);
    pair->noise_key = key;
    memcpy(pair->frames, frames, n_frames * sizeof(*frames));

    g_mutex_lock(&session->lock);
    pair->serial = ++session->stats.pairs;
    for (size_t i = 0; i < n_frames; i++) {
        /* even keys for the caller's ids, odd ones for frames without; 0 is no key */
        uint64_t of_id = frames[i].id << 1 & ~(UINT64_C(1) << 63);
        pair->keys[i] = of_id != 0 ? of_id : ++session->next_key << 1 | 1;
    }
    g_mutex_unlock(&session->lock);
    return pair;
}

gboolean vfi_pair_keep_regions(VfiPair *pair, const VfiRectangle *regions,
                               size_t n_regions, GError **error)
{
    if (n_regions > VFI_MAX_KEPT) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "a pair has %d regions to keep at the most, got %zu", VFI_MAX_KEPT,
                    n_regions);
        return FALSE;
    }
    if (n_regions > 0 && pair->session->backend->keep == NULL) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "the backend %s cannot keep parts of pictures still: expected "
                    "device=cpu",
                    pair->session->backend->name);
        return FALSE;
    }
    g_mutex_lock(&pair->lock);
    for (size_t i = 0; i < n_regions; i++)
        pair->regions[i] = regions[i];
    pair->n_regions = (int)n_regions;
    g_mutex_unlock(&pair->lock);
    return TRUE;
}

VfiPair *vfi_pair_ref(VfiPair *pair)
{
    g_atomic_int_inc(&pair->ref_count);
    return pair;
}

void vfi_pair_unref(VfiPair *pair)
{
    if (pair == NULL || !g_atomic_int_dec_and_test(&pair->ref_count))
        return;
    VfiSession *session = pair->session;
    vfi_session_give_pair(session, pair);
    vfi_session_unref(session);
}

gboolean vfi_pair_is_identical(VfiPair *pair)
{
    const VfiFrame *first = &pair->frames[pair->session->model->family->frames_before];

    g_mutex_lock(&pair->lock);
    if (pair->identical == IDENTICAL_UNKNOWN)
        pair->identical = vfi_session_frames_equal(pair->session, first, first + 1)
                              ? IDENTICAL_YES
                              : IDENTICAL_NO;
    gboolean identical = pair->identical == IDENTICAL_YES;
    g_mutex_unlock(&pair->lock);
    return identical;
}

VfiJob *vfi_pair_submit(VfiPair *pair, double t, const VfiFrame *out, GError **error)
{
    VfiSession *session = pair->session;

    if (!(t > 0.0 && t < 1.0)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "time %g is not between 0 and 1", t);
        return NULL;
    }
    if (!vfi_session_check_memory(session, out, error))
        return NULL;
    VfiJob *job = vfi_session_take_job(session);
    job->pair = vfi_pair_ref(pair);
    job->t = t;
    job->out = *out;
    job->state = VFI_JOB_QUEUED;
    job->round = job->n_rounds = 0;
    job->work = job->expected_work = job->told_part = 0.0;
    job->told_at = 0;
    job->inferences_ahead = 0;

    g_mutex_lock(&session->lock);
    g_queue_push_tail_link(&session->queue, &vfi_job_ref(job)->link);
    g_cond_signal(&session->work_arrived);
    g_mutex_unlock(&session->lock);
    return job;
}

/* ---- jobs -------------------------------------------------------------------------- */

VfiJob *vfi_job_ref(VfiJob *job)
{
    g_atomic_int_inc(&job->ref_count);
    return job;
}

void vfi_job_release(VfiJob *job)
{
    VfiPair *pair = job->pair;

    g_clear_error(&job->error);
    vfi_session_give_job(pair->session, job);
    vfi_pair_unref(pair);
}

void vfi_job_unref(VfiJob *job)
{
    if (job != NULL && g_atomic_int_dec_and_test(&job->ref_count))
        vfi_job_release(job);
}

gboolean vfi_job_wait(VfiJob *job, GError **error)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    while (job->state != VFI_JOB_DONE)
        g_cond_wait(&session->job_ended, &session->lock);
    g_mutex_unlock(&session->lock);
    if (job->error != NULL)
        g_propagate_error(error, g_error_copy(job->error));
    return job->error == NULL;
}

gboolean vfi_job_is_done(VfiJob *job)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    gboolean done = job->state == VFI_JOB_DONE;
    g_mutex_unlock(&session->lock);
    return done;
}

gboolean vfi_job_get_times(VfiJob *job, int64_t *started, int64_t *ended)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    gboolean done = job->state == VFI_JOB_DONE;
    if (done) {
        *started = job->started;
        *ended = job->ended;
    }
    g_mutex_unlock(&session->lock);
    return done;
}

void vfi_job_get_progress(VfiJob *job, unsigned *round, unsigned *n_rounds)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    *round = job->round;
    *n_rounds = job->n_rounds;
    g_mutex_unlock(&session->lock);
}

gboolean vfi_job_wait_round(VfiJob *job, unsigned round)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    while (job->state != VFI_JOB_DONE && job->round <= round)
        g_cond_wait(&session->job_ended, &session->lock);
    gboolean goes_on = job->state != VFI_JOB_DONE;
    g_mutex_unlock(&session->lock);
    return goes_on;
}

void vfi_job_get_work(VfiJob *job, double *part, int64_t *elapsed)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    int64_t end = job->state == VFI_JOB_DONE ? job->ended : g_get_monotonic_time();
    *part = job->state == VFI_JOB_DONE && job->error == NULL ? 1.0 : job->told_part;
    *elapsed = job->state == VFI_JOB_QUEUED ? 0 : end - job->taken;
    g_mutex_unlock(&session->lock);
}

gboolean vfi_job_wait_work(VfiJob *job, double part)
{
    VfiSession *session = job->pair->session;

    g_mutex_lock(&session->lock);
    while (job->state != VFI_JOB_DONE && job->told_part <= part)
        g_cond_wait(&session->job_ended, &session->lock);
    gboolean goes_on = job->state != VFI_JOB_DONE;
    g_mutex_unlock(&session->lock);
    return goes_on;
}

void vfi_job_cancel(VfiJob *job)
{
    atomic_store(&job->cancel, 1);
}
