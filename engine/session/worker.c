/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker thread of a session: takes jobs in submission order, runs them and wakes
 * waiters. Where the device computes on its own, the worker only submits pictures to it,
 * and a second thread, the completion thread, waits for them. */
#include <vfi/error.h>

#include "memory/clear.h"
#include "session/session_internal.h"

/* Ends @job with @error (taken) or a picture and gives up the session's reference to it;
 * under the lock, so before anybody who waits for the job. The waiter's unref must be
 * last, so that teardown never runs on a thread of the session, which may outlive the
 * process. True if nobody else has a reference: then the job is to be released. */
static bool end_job(VfiSession *session, VfiJob *job, int64_t now, GError *error)
{
    job->ended = now;
    job->error = error;
    job->state = VFI_JOB_DONE;
    if (session->running == job)
        session->running = NULL;
    if (error == NULL) {
        session->stats.in_betweens++;
        job->pair->n_made++;
    } else {
        session->stats.cancelled++;
        session->device_failed = session->device_failed ||
                                 g_error_matches(error, VFI_ERROR, VFI_ERROR_BACKEND);
    }
    session->n_to_tell++;
    g_cond_broadcast(&session->job_ended);
    return g_atomic_int_dec_and_test(&job->ref_count);
}

void vfi_session_call_notify(VfiSession *session)
{
    g_mutex_lock(&session->notify_lock);
    if (session->notify != NULL)
        session->notify(session->notify_data);
    g_mutex_unlock(&session->notify_lock);
}

static void tell_that_job_ended(VfiSession *session)
{
    vfi_session_call_notify(session);
    g_mutex_lock(&session->lock);
    session->n_to_tell--;
    g_cond_broadcast(&session->job_ended);
    g_mutex_unlock(&session->lock);
}

static void wait_for_submitted(VfiSession *session)
{
    g_mutex_lock(&session->lock);
    while (!g_queue_is_empty(&session->in_flight))
        g_cond_wait(&session->job_ended, &session->lock);
    g_mutex_unlock(&session->lock);
}

/* Takes the reference to @job. A picture that the device has yet to make goes on to the
 * completion thread. */
static void run_job(VfiSession *session, VfiJob *job)
{
    GError *error = NULL;

    job->picture = 0;
    if (atomic_load(&job->cancel) != 0)
        g_set_error_literal(&error, VFI_ERROR, VFI_ERROR_CANCELLED,
                            "the job was cancelled");
    else
        vfi_interpolate(session, job, &error);
    if (job->picture == 0) {
        wait_for_submitted(session); /* jobs end in order */
        g_mutex_lock(&session->lock);
        bool is_last = end_job(session, job, g_get_monotonic_time(), error);
        g_mutex_unlock(&session->lock);
        tell_that_job_ended(session);
        if (is_last)
            vfi_job_release(job); /* and the session, perhaps: then we stop next */
        return;
    }
    g_mutex_lock(&session->lock);
    session->running = NULL;
    g_queue_push_tail_link(&session->in_flight, &job->link);
    g_cond_signal(&session->submitted);
    g_mutex_unlock(&session->lock);
}

/* Releases jobs that are complete and that nobody waits for. */
static void release_completed(VfiSession *session)
{
    for (;;) {
        g_mutex_lock(&session->lock);
        GList *link = g_queue_pop_head_link(&session->completed);
        session->busy = session->busy || link != NULL;
        g_mutex_unlock(&session->lock);
        if (link == NULL)
            return;
        vfi_job_release(link->data);
    }
}

/* Waits for a job to run or to release, or for a cleanup point; false when the session
 * stops. */
static bool wait_for_work(VfiSession *session, bool *is_cleanup)
{
    g_mutex_lock(&session->lock);
    session->busy = false;
    g_cond_broadcast(&session->job_ended);
    while (g_queue_is_empty(&session->queue) && g_queue_is_empty(&session->completed) &&
           !session->stopping && !vfi_session_cleanup_is_due(session))
        g_cond_wait(&session->work_arrived, &session->lock);
    bool stopping = session->stopping;
    *is_cleanup = vfi_session_cleanup_is_due(session);
    g_mutex_unlock(&session->lock);
    return !stopping;
}

/* The next job, marked as running, or NULL. */
static VfiJob *next_job(VfiSession *session)
{
    VfiJob *job = NULL;

    g_mutex_lock(&session->lock);
    if (!g_queue_is_empty(&session->queue)) {
        job = g_queue_pop_head_link(&session->queue)->data;
        session->busy = true;
        job->state = VFI_JOB_RUNNING;
        job->taken = job->started = g_get_monotonic_time();
        session->running = job;
    }
    g_mutex_unlock(&session->lock);
    return job;
}

static void *work(void *data)
{
    VfiSession *session = data;
    bool is_cleanup;

    while (wait_for_work(session, &is_cleanup)) {
        release_completed(session);
        if (is_cleanup)
            vfi_session_clean_up(session);
        VfiJob *job = next_job(session);
        if (job == NULL)
            continue;
        if (session->trimmed != vfi_trim_requests()) {
            session->trimmed = vfi_trim_requests();
            session->backend->trim(session->device);
        }
        run_job(session, job);
        vfi_session_unclaim(session, session->claimed); /* touched by now */
    }
    if (session->free_in_worker)
        vfi_session_free(session);
    return NULL;
}

/* ---- the completion thread --------------------------------------------------------- */

static void record_times(VfiSession *session, const double *milliseconds)
{
    g_mutex_lock(&session->lock);
    for (int stage = 0; stage < VFI_TIMED_COUNT; stage++)
        if (milliseconds[stage] > 0.0)
            vfi_stage_ring_add(&session->times[stage], milliseconds[stage]);
    g_mutex_unlock(&session->lock);
}

/* The job whose picture is to be waited for next, left in its place; NULL when the
 * session stops. */
static VfiJob *next_submitted(VfiSession *session)
{
    g_mutex_lock(&session->lock);
    while (g_queue_is_empty(&session->in_flight) && !session->stopping)
        g_cond_wait(&session->submitted, &session->lock);
    GList *link = g_queue_peek_head_link(&session->in_flight);
    g_mutex_unlock(&session->lock);
    return link != NULL ? link->data : NULL;
}

static void *complete_jobs(void *data)
{
    VfiSession *session = data;
    int64_t last_ended = 0;
    VfiJob *job;

    while ((job = next_submitted(session)) != NULL) {
        double milliseconds[VFI_TIMED_COUNT] = {0};
        GError *error = NULL;

        if (session->backend->wait_picture(session->device, job->picture, milliseconds,
                                           &error))
            record_times(session, milliseconds);
        g_mutex_lock(&session->lock);
        job->started = MAX(job->started, last_ended);
        last_ended = g_get_monotonic_time();
        g_queue_unlink(&session->in_flight, &job->link);
        if (end_job(session, job, last_ended, error)) {
            g_queue_push_tail_link(&session->completed, &job->link);
            g_cond_signal(&session->work_arrived);
        }
        g_mutex_unlock(&session->lock);
        tell_that_job_ended(session);
    }
    return NULL;
}

bool vfi_session_start_worker(VfiSession *session, GError **error)
{
    if (!session->backend->host_memory) {
        session->completion =
            g_thread_try_new("vfi-completion", complete_jobs, session, error);
        if (session->completion == NULL)
            return false;
    }
    session->trimmed = vfi_trim_requests(); /* the worker may start after the next one */
    session->worker = g_thread_try_new("vfi-session", work, session, error);
    if (session->worker == NULL)
        vfi_session_stop_worker(session);
    return session->worker != NULL;
}

void vfi_session_stop_worker(VfiSession *session)
{
    GThread *worker = session->worker;
    bool is_worker = worker == g_thread_self();

    g_mutex_lock(&session->lock);
    session->stopping = true;
    session->free_in_worker = is_worker;
    g_cond_signal(&session->work_arrived);
    g_cond_signal(&session->submitted);
    g_mutex_unlock(&session->lock);
    if (session->completion != NULL)
        g_thread_join(session->completion);
    if (worker == NULL)
        return;
    if (is_worker)
        g_thread_unref(worker);
    else
        g_thread_join(worker);
}
