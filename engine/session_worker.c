/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker thread of a session: takes jobs in submission order, runs them, wakes waiters. */
#include <vfi/error.h>

#include "memory.h"
#include "session_internal.h"

/* Ends @job with @error (taken) or a picture, and tells everybody. */
static void finish_job(VfiSession *session, VfiJob *job, GError *error)
{
    g_mutex_lock(&session->lock);
    job->ended = g_get_monotonic_time();
    job->error = error;
    job->state = VFI_JOB_DONE;
    session->running = NULL;
    if (error == NULL) {
        session->stats.in_betweens++;
        job->pair->n_made++;
    } else {
        session->stats.cancelled++;
    }
    g_cond_broadcast(&session->job_ended);
    g_mutex_unlock(&session->lock);

    g_mutex_lock(&session->notify_lock);
    if (session->notify != NULL)
        session->notify(session->notify_data);
    g_mutex_unlock(&session->notify_lock);
}

static void run_job(VfiSession *session, VfiJob *job)
{
    GError *error = NULL;

    if (atomic_load(&job->cancel) != 0)
        g_set_error_literal(&error, VFI_ERROR, VFI_ERROR_CANCELLED,
                            "the job was cancelled");
    else
        vfi_interpolate(session, job, &error);
    finish_job(session, job, error);
}

/* Waits for a job or a cleanup point; FALSE when the session stops. */
static bool wait_for_work(VfiSession *session, bool *is_cleanup)
{
    g_mutex_lock(&session->lock);
    session->busy = false;
    g_cond_broadcast(&session->job_ended);
    while (g_queue_is_empty(&session->queue) && !session->stopping &&
           !vfi_session_cleanup_is_due(session))
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
        job->started = g_get_monotonic_time();
        session->running = job;
    }
    g_mutex_unlock(&session->lock);
    return job;
}

static void *work(void *data)
{
    VfiSession *session = data;
    unsigned trimmed = vfi_trim_requests();
    bool is_cleanup;

    while (wait_for_work(session, &is_cleanup)) {
        if (is_cleanup)
            vfi_session_clean_up(session);
        VfiJob *job = next_job(session);
        if (job == NULL)
            continue;
        if (trimmed != vfi_trim_requests()) {
            trimmed = vfi_trim_requests();
            session->backend->trim(session->device);
        }
        run_job(session, job);
        vfi_session_unclaim(session, session->claimed); /* now it is in use */
        vfi_job_unref(job); /* may drop the session's last reference: then we stop next */
    }
    if (session->free_in_worker)
        vfi_session_free(session);
    return NULL;
}

bool vfi_session_start_worker(VfiSession *session, GError **error)
{
    session->worker = g_thread_try_new("vfi-session", work, session, error);
    return session->worker != NULL;
}

/* Every job holds its session, so the queue is empty when the last reference goes. */
void vfi_session_stop_worker(VfiSession *session)
{
    GThread *worker = session->worker;
    bool is_worker = worker == g_thread_self();

    g_mutex_lock(&session->lock);
    session->stopping = true;
    session->free_in_worker = is_worker;
    g_cond_signal(&session->work_arrived);
    g_mutex_unlock(&session->lock);
    if (is_worker)
        g_thread_unref(worker);
    else
        g_thread_join(worker);
}
