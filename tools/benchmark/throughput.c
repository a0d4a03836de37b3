/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an in-between costs where others are queued behind it, as in the element: on a
 * device with memory of its own the copies of one run beside the computing of another. */
#include "bench.h"

/* In-betweens that are queued, oldest first; places are used in turn. */
typedef struct {
    Bench *bench;
    VfiPair *pair; /* that the next one belongs to, if begun */
    guint n_places;
    VfiJob **jobs;
    VfiFrame *outs;
    guint64 n_submitted, n_ended;
} Queue;

static gboolean queue_init(Queue *queue, Bench *bench, guint n_places, GError **error)
{
    *queue = (Queue){.bench = bench,
                     .n_places = n_places,
                     .jobs = g_new0(VfiJob *, n_places),
                     .outs = g_new0(VfiFrame, n_places)};
    for (guint i = 0; i < n_places; i++)
        if (!vfi_frame_alloc(&queue->outs[i], &bench->video, error))
            return FALSE;
    return TRUE;
}

/* Jobs that still run write to .outs: the session has to end them first. */
static void queue_clear(Queue *queue)
{
    vfi_session_flush(queue->bench->session);
    vfi_session_wait(queue->bench->session);
    for (guint i = 0; i < queue->n_places; i++) {
        vfi_job_unref(queue->jobs[i]);
        vfi_frame_clear(&queue->outs[i]);
    }
    vfi_pair_unref(queue->pair);
    g_free(queue->jobs);
    g_free(queue->outs);
}

/* Queues the next in-between, a new pair's after a pair's last. */
static gboolean submit(Queue *queue, GError **error)
{
    Bench *bench = queue->bench;
    guint time = (guint)(queue->n_submitted % bench->n_times);
    guint place = (guint)(queue->n_submitted % queue->n_places);

    if (time == 0) {
        vfi_pair_unref(queue->pair);
        queue->pair = bench_begin_pair(bench, error);
        if (queue->pair == NULL)
            return FALSE;
    }
    queue->jobs[place] =
        vfi_pair_submit(queue->pair, bench->times[time], &queue->outs[place], error);
    queue->n_submitted++;
    return queue->jobs[place] != NULL;
}

/* Waits for the oldest in-between and queues another in its place. *ended: when it did,
 * monotonic µs. */
static gboolean take_turn(Queue *queue, int64_t *ended, GError **error)
{
    guint place = (guint)(queue->n_ended++ % queue->n_places);
    int64_t started;

    if (!vfi_job_wait(queue->jobs[place], error))
        return FALSE;
    vfi_job_get_times(queue->jobs[place], &started, ended);
    vfi_job_unref(g_steal_pointer(&queue->jobs[place]));
    return submit(queue, error);
}

/* From the end of the last one that warmed up to that of the last one that counts; all
 * the while the queue is full. */
static gboolean measure(Queue *queue, double *ms, GError **error)
{
    const Bench *bench = queue->bench;
    guint64 warm_up = (guint64)bench->arguments->warm_up * bench->n_times;
    guint64 timed = (guint64)bench->arguments->runs * bench->n_times;
    int64_t begin = 0, end = 0;

    for (guint i = 0; i < queue->n_places; i++)
        if (!submit(queue, error))
            return FALSE;
    for (guint64 i = 0; i < warm_up + timed; i++) {
        if (!take_turn(queue, &end, error))
            return FALSE;
        if (i == warm_up - 1)
            begin = end;
    }
    *ms = (double)(end - begin) / 1e3 / (double)timed;
    return TRUE;
}

gboolean bench_throughput(Bench *bench, double *ms, GError **error)
{
    Queue queue;
    gboolean done =
        queue_init(&queue, bench, (guint)bench->arguments->in_flight, error) &&
        measure(&queue, ms, error);

    queue_clear(&queue);
    return done;
}
