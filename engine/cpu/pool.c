/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread pool. A run is opened under the lock, helpers join it, everybody draws chunk
 * numbers from one atomic counter, and the caller closes the run when the numbers are
 * used up: a helper that wakes too late never joins and is not waited for. */
#include "pool.h"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include <vfi/error.h>

/* A helper polls this often for the next run before it sleeps: a few microseconds, about
 * the gap between two ops of one plan. */
#define SPINS_BEFORE_SLEEP 150

/* MXCSR bits: flush results to zero, take denormal inputs as zero. */
#define MXCSR_FTZ_DAZ 0x8040u

typedef struct {
    VfiPool *pool;
    GThread *thread;
    int number; /* 1 … n_threads-1 */
} Helper;

struct VfiPool {
    int n_threads;
    Helper *helpers; /* n_threads - 1, those started have a thread */

    GMutex lock;
    GCond wake; /* a run was opened, or quit */
    GCond done; /* the last helper left a closed run */

    /* The run. Written by the caller before run_number is raised. */
    VfiChunkFunc func;
    void *data;
    int count;
    const atomic_int *cancel;
    atomic_int next;        /* first chunk not yet handed out */
    atomic_uint run_number; /* raised when a run is opened */
    atomic_bool open, quit; /* changed under the lock */
    atomic_int joined;      /* helpers inside the run; changed under the lock */
    atomic_ullong chunks_run;
};

static inline void spin_pause(void)
{
#ifdef __SSE__
    _mm_pause();
#endif
}

static unsigned flush_denormals(void)
{
#ifdef __SSE__
    unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | MXCSR_FTZ_DAZ);
    return saved;
#else
    return 0;
#endif
}

static void restore_denormals(unsigned saved)
{
#ifdef __SSE__
    _mm_setcsr(saved);
#else
    (void)saved;
#endif
}

static bool is_cancelled(const atomic_int *cancel)
{
    return cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

/* Draws and runs chunks until none is left or the run is cancelled. */
static void work(VfiPool *pool, int thread)
{
    unsigned long long ran = 0;

    while (!is_cancelled(pool->cancel)) {
        int index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count)
            break;
        pool->func(pool->data, index, thread);
        ran++;
    }
    atomic_fetch_add_explicit(&pool->chunks_run, ran, memory_order_relaxed);
}

/* Waits, shortly awake and then asleep, for a run that this helper has not seen. Returns
 * with the helper joined; false on quit. */
static bool join_next_run(VfiPool *pool, unsigned *seen)
{
    for (int i = 0; i < SPINS_BEFORE_SLEEP; i++) {
        if (atomic_load_explicit(&pool->run_number, memory_order_relaxed) != *seen)
            break;
        spin_pause();
    }

    g_mutex_lock(&pool->lock);
    while (!atomic_load(&pool->quit) &&
           !(atomic_load(&pool->open) && atomic_load(&pool->run_number) != *seen))
        g_cond_wait(&pool->wake, &pool->lock);
    bool joins = !atomic_load(&pool->quit);
    if (joins) {
        *seen = atomic_load(&pool->run_number);
        atomic_fetch_add(&pool->joined, 1);
    }
    g_mutex_unlock(&pool->lock);
    return joins;
}

static void *helper_main(void *data)
{
    Helper *helper = data;
    VfiPool *pool = helper->pool;
    unsigned seen = 0;

    flush_denormals();
    while (join_next_run(pool, &seen)) {
        work(pool, helper->number);
        g_mutex_lock(&pool->lock);
        if (atomic_fetch_sub(&pool->joined, 1) == 1)
            g_cond_signal(&pool->done);
        g_mutex_unlock(&pool->lock);
    }
    return NULL;
}

VfiPool *vfi_pool_new(int n_threads, GError **error)
{
    if (n_threads < 1) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "a thread pool needs at least 1 thread, not %d", n_threads);
        return NULL;
    }

    VfiPool *pool = g_new0(VfiPool, 1);
    pool->n_threads = n_threads;
    pool->helpers = g_new0(Helper, (gsize)n_threads);
    g_mutex_init(&pool->lock);
    g_cond_init(&pool->wake);
    g_cond_init(&pool->done);
    for (int i = 0; i < n_threads - 1; i++) {
        g_autoptr(GError) cause = NULL;
        Helper *helper = &pool->helpers[i];
        helper->pool = pool;
        helper->number = i + 1;
        helper->thread = g_thread_try_new("vfi-worker", helper_main, helper, &cause);
        if (helper->thread == NULL) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_FAILED,
                        "cannot start worker thread %d of %d: %s", i + 1, n_threads - 1,
                        cause->message);
            vfi_pool_free(pool);
            return NULL;
        }
    }
    return pool;
}

void vfi_pool_free(VfiPool *pool)
{
    if (pool == NULL)
        return;
    g_mutex_lock(&pool->lock);
    atomic_store(&pool->quit, true);
    g_cond_broadcast(&pool->wake);
    g_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_threads - 1; i++) {
        if (pool->helpers[i].thread != NULL)
            g_thread_join(pool->helpers[i].thread);
    }
    g_cond_clear(&pool->done);
    g_cond_clear(&pool->wake);
    g_mutex_clear(&pool->lock);
    g_free(pool->helpers);
    g_free(pool);
}

int vfi_pool_threads(const VfiPool *pool)
{
    return pool->n_threads;
}

static void open_run(VfiPool *pool)
{
    g_mutex_lock(&pool->lock);
    atomic_store(&pool->open, true);
    atomic_fetch_add(&pool->run_number, 1);
    g_cond_broadcast(&pool->wake);
    g_mutex_unlock(&pool->lock);
}

static void close_run(VfiPool *pool)
{
    g_mutex_lock(&pool->lock);
    atomic_store(&pool->open, false);
    while (atomic_load(&pool->joined) > 0)
        g_cond_wait(&pool->done, &pool->lock);
    g_mutex_unlock(&pool->lock);
}

bool vfi_pool_run(VfiPool *pool, int count, VfiChunkFunc func, void *data,
                  const atomic_int *cancel)
{
    bool alone = pool->n_threads == 1 || count <= 1;
    unsigned saved = flush_denormals();

    pool->func = func;
    pool->data = data;
    pool->count = count;
    pool->cancel = cancel;
    atomic_store(&pool->next, 0);
    if (!alone)
        open_run(pool);
    work(pool, 0);
    if (!alone)
        close_run(pool);
    restore_denormals(saved);
    return atomic_load(&pool->next) >= count && !is_cancelled(cancel);
}

uint64_t vfi_pool_chunks_run(const VfiPool *pool)
{
    return atomic_load_explicit(&pool->chunks_run, memory_order_relaxed);
}
