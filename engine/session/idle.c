/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pairs and jobs between two uses. */
#include "session/session_internal.h"

/* More than this many are freed: they were a burst. */
#define MAX_IDLE 64

VfiPair *vfi_session_take_pair(VfiSession *session)
{
    g_mutex_lock(&session->lock);
    GList *link = g_queue_pop_head_link(&session->idle_pairs);
    g_mutex_unlock(&session->lock);

    VfiPair *pair = link != NULL ? link->data : NULL;
    if (pair == NULL) {
        pair = g_new0(VfiPair, 1);
        g_mutex_init(&pair->lock);
        pair->link.data = pair;
    }
    g_atomic_ref_count_init(&pair->ref_count);
    pair->identical = IDENTICAL_UNKNOWN;
    pair->n_made = 0;
    pair->n_regions = 0;
    return pair;
}

VfiJob *vfi_session_take_job(VfiSession *session)
{
    g_mutex_lock(&session->lock);
    GList *link = g_queue_pop_head_link(&session->idle_jobs);
    g_mutex_unlock(&session->lock);

    VfiJob *job = link != NULL ? link->data : NULL;
    if (job == NULL) {
        job = g_new0(VfiJob, 1);
        job->link.data = job;
    }
    g_atomic_ref_count_init(&job->ref_count);
    atomic_store(&job->cancel, 0);
    job->state = VFI_JOB_QUEUED;
    job->taken = job->started = job->ended = 0;
    return job;
}

static void free_pair(VfiPair *pair)
{
    g_mutex_clear(&pair->lock);
    g_free(pair);
}

void vfi_session_give_pair(VfiSession *session, VfiPair *pair)
{
    g_mutex_lock(&session->lock);
    vfi_session_note_finished(session, pair->n_made);
    bool keep = session->idle_pairs.length < MAX_IDLE;
    if (keep)
        g_queue_push_head_link(&session->idle_pairs, &pair->link);
    g_mutex_unlock(&session->lock);
    if (!keep)
        free_pair(pair);
}

void vfi_session_give_job(VfiSession *session, VfiJob *job)
{
    g_mutex_lock(&session->lock);
    bool keep = session->idle_jobs.length < MAX_IDLE;
    if (keep)
        g_queue_push_head_link(&session->idle_jobs, &job->link);
    g_mutex_unlock(&session->lock);
    if (!keep)
        g_free(job);
}

void vfi_session_free_idle(VfiSession *session)
{
    GList *link;

    while ((link = g_queue_pop_head_link(&session->idle_pairs)) != NULL)
        free_pair(link->data);
    while ((link = g_queue_pop_head_link(&session->idle_jobs)) != NULL)
        g_free(link->data);
}
