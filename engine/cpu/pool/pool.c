/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread pool. To compute, a thread needs one of the process's slots; a run's
 * caller and helpers that join it draw chunk numbers from the run's atomic counter.
 * Everything else changes under one lock, which is taken when a run begins and ends,
 * when a helper joins and leaves, and between two chunks only while the slots are
 * divided unevenly: then a thread whose run has more than its share leaves it. Callers
 * work on their own run alone and wait when they have no slot; helpers go wherever
 * threads are fewest. Where there are more callers than slots, they take turns long
 * enough to be worth the caches' refilling. */
#include "cpu/pool/pool.h"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include <vfi/error.h>

#include "machine/cpu_count.h"

/* A helper polls this often for a call before it sleeps: a few microseconds, about the
 * gap between two ops of one plan. */
#define SPINS_BEFORE_SLEEP 150

/* How long a caller may compute, at least, while others wait: 5 ms, in µs. */
#define TURN 5000

/* MXCSR bits: flush results to zero, take denormal inputs as zero. */
#define MXCSR_FTZ_DAZ 0x8040u

struct VfiPool {
    int n_threads;
    GList as_user; /* link in shared.users */
    atomic_ullong chunks_run;

    /* The run. Set before it is opened. */
    VfiChunkFunc func;
    void *data;
    int count;
    const atomic_int *cancel;
    atomic_int next; /* first chunk not yet handed out */

    /* Under shared.lock. */
    GList as_run;      /* link in shared.runs */
    int *free_numbers; /* the first n_free: thread numbers that a helper may take */
    int n_free;
    bool has_slot;   /* the caller's own */
    bool waits;      /* the caller needs one */
    bool keeps_slot; /* from run to run */
    bool sleeps;     /* the caller waits for .changed */
    GCond changed;   /* the caller got a slot, or the run's last helper left */
    gint64 turn_began;
    uint64_t served; /* when a thread came to compute for it, by shared.clock */
};

/* What the shares have in common. */
static struct {
    GMutex users_lock;  /* opening and closing; taken before .lock */
    GQueue users;       /* of VfiPool: all that are open */
    GPtrArray *helpers; /* of GThread; NULL while there is no user */
    int usable_cpus;    /* when the first user came */

    GMutex lock;
    GQueue runs;   /* of VfiPool: those with an open run */
    int limit;     /* slots */
    int computing; /* slots taken */
    uint64_t clock;
    atomic_bool uneven; /* threads should look, after their chunk, whether to leave */

    GCond wake;        /* helpers were called, or quit */
    int idle;          /* helpers that serve no run */
    int asleep;        /* of these, how many wait for .wake; the others poll .called */
    atomic_int called; /* idle helpers that are wanted and did not come yet */
    bool quit;
} shared;

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

/* ---- which runs need threads; all under the lock ----------------------------------- */

static bool is_cancelled(const VfiPool *run)
{
    return run->cancel != NULL &&
           atomic_load_explicit(run->cancel, memory_order_relaxed) != 0;
}

/* Chunks that nobody has begun. */
static int chunks_left(const VfiPool *run)
{
    int next = atomic_load_explicit(&run->next, memory_order_relaxed);

    return is_cancelled(run) ? 0 : MAX(run->count - next, 0);
}

static int n_helpers(const VfiPool *run)
{
    return run->n_threads - 1 - run->n_free;
}

/* Threads that compute for the run. */
static int n_active(const VfiPool *run)
{
    return n_helpers(run) + run->has_slot;
}

static bool needs_helper(const VfiPool *run)
{
    return run->n_free > 0 && chunks_left(run) > 0;
}

/* A caller whose run is cancelled needs a slot too, only to find that out. */
static bool needs_slot(const VfiPool *run)
{
    return run->waits && (n_helpers(run) == 0 || chunks_left(run) > 0);
}

/* Of the runs that @needs is true for, the one with fewest threads, and of those the
 * one that was served longest ago; NULL if there is none. */
static VfiPool *neediest(bool (*needs)(const VfiPool *run))
{
    VfiPool *found = NULL;

    for (GList *link = shared.runs.head; link != NULL; link = link->next) {
        VfiPool *run = link->data;
        if (!needs(run))
            continue;
        if (found == NULL || n_active(run) < n_active(found) ||
            (n_active(run) == n_active(found) && run->served < found->served))
            found = run;
    }
    return found;
}

static bool needs_thread(const VfiPool *run)
{
    return run->waits ? needs_slot(run) : needs_helper(run);
}

static int free_slots(void)
{
    return shared.limit - shared.computing - atomic_load(&shared.called);
}

/* Whether some thread should leave its run, or an idle one should be called. */
static bool is_uneven(void)
{
    int most = 0;

    if (shared.computing > shared.limit)
        return true;
    const VfiPool *run = neediest(needs_thread);
    if (run == NULL)
        return false;
    /* The last chunk is taken before a helper is awake. */
    if (free_slots() > 0)
        return shared.idle > atomic_load(&shared.called) &&
               chunks_left(run) > 1 + atomic_load(&shared.called);
    for (GList *link = shared.runs.head; link != NULL; link = link->next)
        most = MAX(most, n_active(link->data));
    return n_active(run) == 0 || n_active(run) + 1 < most;
}

static void take_slot(VfiPool *run)
{
    shared.computing++;
    run->has_slot = true;
    run->waits = false;
    run->turn_began = g_get_monotonic_time();
    run->served = ++shared.clock;
}

static void leave_slot(VfiPool *run)
{
    shared.computing--;
    run->has_slot = false;
}

/* Calls up to @n idle helpers, if there are slots for them. */
static void call_helpers(int n)
{
    int called = atomic_load(&shared.called);

    n = MIN(n, MIN(free_slots(), shared.idle - called));
    if (n <= 0)
        return;
    atomic_store(&shared.called, called + n);
    /* Those that poll come by themselves. */
    int sleepers = MIN(called + n - (shared.idle - shared.asleep), shared.asleep);
    for (int i = 0; i < sleepers; i++)
        g_cond_signal(&shared.wake);
}

/* Called after every change: free slots go to callers that wait for one, then to at most
 * @n_called helpers that are called. */
static void settle(int n_called)
{
    VfiPool *run;

    while (shared.computing < shared.limit && (run = neediest(needs_slot)) != NULL) {
        take_slot(run);
        if (run->sleeps)
            g_cond_signal(&run->changed);
    }
    call_helpers(n_called);
    atomic_store_explicit(&shared.uneven, is_uneven(), memory_order_relaxed);
}

/* ---- computing --------------------------------------------------------------------- */

/* Whether another run needs the slot more than the thread's own @run does. Callers go
 * only where there is nobody yet: helpers can do the rest. */
static bool is_wanted_elsewhere(const VfiPool *run, bool is_helper)
{
    const VfiPool *other = neediest(needs_thread);

    if (other == NULL || other == run)
        return false;
    if (is_helper)
        return n_active(other) == 0 || n_active(other) + 1 < n_active(run);
    return n_active(other) == 0 && g_get_monotonic_time() - run->turn_began >= TURN;
}

/* Between two chunks, while the slots are divided unevenly: whether the thread leaves
 * @run. */
static bool must_leave(const VfiPool *run, bool is_helper)
{
    if (shared.computing > shared.limit)
        return true;
    if (free_slots() <= 0)
        return is_wanted_elsewhere(run, is_helper);
    settle(neediest(needs_helper) != NULL ? 1 : 0);
    return false;
}

/* Draws and runs chunks until none is left, the run is cancelled, or the slot should go
 * to another run. Gives up the lock meanwhile. */
static void work(VfiPool *run, int number)
{
    bool leaves = false;

    g_mutex_unlock(&shared.lock);
    while (!leaves && !is_cancelled(run)) {
        int index = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed);
        if (index >= run->count)
            break;
        run->func(run->data, index, number);
        /* At once: after a cancel the count of what still ran is asked for. */
        atomic_fetch_add_explicit(&run->chunks_run, 1, memory_order_relaxed);
        if (atomic_load_explicit(&shared.uneven, memory_order_relaxed)) {
            g_mutex_lock(&shared.lock);
            leaves = must_leave(run, number > 0);
            if (!leaves)
                g_mutex_unlock(&shared.lock);
        }
    }
    if (!leaves)
        g_mutex_lock(&shared.lock);
}

/* ---- helpers; all under the lock --------------------------------------------------- */

/* Waits, shortly awake and then asleep, until the helper is called, or for quit. */
static void wait_for_call(void)
{
    shared.idle++;
    if (atomic_load(&shared.called) == 0 && !shared.quit && free_slots() > 0) {
        g_mutex_unlock(&shared.lock);
        for (int i = 0; i < SPINS_BEFORE_SLEEP; i++) {
            if (atomic_load_explicit(&shared.called, memory_order_relaxed) > 0)
                break;
            spin_pause();
        }
        g_mutex_lock(&shared.lock);
    }
    while (atomic_load(&shared.called) == 0 && !shared.quit) {
        shared.asleep++;
        g_cond_wait(&shared.wake, &shared.lock);
        shared.asleep--;
    }
    if (atomic_load(&shared.called) > 0)
        atomic_fetch_sub(&shared.called, 1);
    shared.idle--;
}

static void serve(VfiPool *run)
{
    int number = run->free_numbers[--run->n_free];

    shared.computing++;
    run->served = ++shared.clock;
    settle(0);
    work(run, number);
    shared.computing--;
    run->free_numbers[run->n_free++] = number;
    if (n_helpers(run) == 0 && run->sleeps)
        g_cond_signal(&run->changed);
    settle(0);
}

static void *helper_main(void *data)
{
    (void)data;
    flush_denormals();
    g_mutex_lock(&shared.lock);
    while (!shared.quit) {
        VfiPool *run = shared.computing < shared.limit ? neediest(needs_helper) : NULL;
        if (run != NULL)
            serve(run);
        else
            wait_for_call();
    }
    g_mutex_unlock(&shared.lock);
    return NULL;
}

/* ---- opening and closing; under users_lock ----------------------------------------- */

static void set_limit(void)
{
    int largest = g_queue_is_empty(&shared.users) ? 0 : shared.usable_cpus;

    for (GList *link = shared.users.head; link != NULL; link = link->next)
        largest = MAX(largest, ((VfiPool *)link->data)->n_threads);
    g_mutex_lock(&shared.lock);
    shared.limit = largest;
    settle(0);
    g_mutex_unlock(&shared.lock);
}

static void stop_helpers(void)
{
    g_mutex_lock(&shared.lock);
    shared.quit = true;
    g_cond_broadcast(&shared.wake);
    g_mutex_unlock(&shared.lock);
    for (guint i = 0; i < shared.helpers->len; i++)
        g_thread_join(g_ptr_array_index(shared.helpers, i));
    g_clear_pointer(&shared.helpers, g_ptr_array_unref);
    shared.quit = false;
    atomic_store(&shared.called, 0);
}

/* Every run brings its caller, so that all slots can be filled with as many helpers as
 * the users may want besides, and one less than there are slots. */
static bool start_helpers(GError **error)
{
    int wanted = 0;

    for (GList *link = shared.users.head; link != NULL; link = link->next)
        wanted += ((VfiPool *)link->data)->n_threads - 1;
    wanted = MIN(wanted, shared.limit - 1);
    for (int n = (int)shared.helpers->len; n < wanted; n++) {
        g_autoptr(GError) cause = NULL;
        GThread *thread = g_thread_try_new("vfi-worker", helper_main, NULL, &cause);
        if (thread == NULL) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_FAILED,
                        "cannot start worker thread %d of %d: %s", n + 1, wanted,
                        cause->message);
            return false;
        }
        g_ptr_array_add(shared.helpers, thread);
    }
    return true;
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
    pool->as_user.data = pool->as_run.data = pool;
    pool->free_numbers = g_new(int, n_threads);
    for (int number = n_threads - 1; number > 0; number--)
        pool->free_numbers[pool->n_free++] = number;
    g_cond_init(&pool->changed);

    g_mutex_lock(&shared.users_lock);
    if (g_queue_is_empty(&shared.users)) {
        shared.usable_cpus = vfi_usable_cpus();
        shared.helpers = g_ptr_array_new();
    }
    g_queue_push_tail_link(&shared.users, &pool->as_user);
    set_limit();
    bool started = start_helpers(error);
    g_mutex_unlock(&shared.users_lock);
    if (!started) {
        vfi_pool_free(pool);
        return NULL;
    }
    return pool;
}

void vfi_pool_free(VfiPool *pool)
{
    if (pool == NULL)
        return;
    g_mutex_lock(&shared.users_lock);
    g_queue_unlink(&shared.users, &pool->as_user);
    set_limit();
    if (g_queue_is_empty(&shared.users))
        stop_helpers();
    g_mutex_unlock(&shared.users_lock);
    g_cond_clear(&pool->changed);
    g_free(pool->free_numbers);
    g_free(pool);
}

int vfi_pool_threads(const VfiPool *pool)
{
    return pool->n_threads;
}

int vfi_pool_limit(void)
{
    g_mutex_lock(&shared.lock);
    int limit = shared.limit;
    g_mutex_unlock(&shared.lock);
    return limit;
}

/* ---- runs -------------------------------------------------------------------------- */

static void sleep_until_change(VfiPool *run)
{
    run->sleeps = true;
    g_cond_wait(&run->changed, &shared.lock);
    run->sleeps = false;
}

/* The caller's part of the run, until no chunk is left to begin. Under the lock. */
static void take_part(VfiPool *run)
{
    run->waits = !run->has_slot;
    settle(MIN(run->n_threads, run->count) - 1);
    for (;;) {
        while (run->waits && (n_helpers(run) > 0 || chunks_left(run) > 0))
            sleep_until_change(run);
        if (run->waits)
            break; /* helpers did the rest, or it was cancelled */
        work(run, 0);
        if (chunks_left(run) == 0)
            break;
        leave_slot(run);
        run->waits = true;
        settle(0);
    }
    run->waits = false;
    if (run->has_slot && !run->keeps_slot)
        leave_slot(run);
}

bool vfi_pool_run(VfiPool *pool, int count, VfiChunkFunc func, void *data,
                  const atomic_int *cancel)
{
    pool->func = func;
    pool->data = data;
    pool->count = count;
    pool->cancel = cancel;
    atomic_store(&pool->next, 0);
    if (chunks_left(pool) == 0)
        return count <= 0 && !is_cancelled(pool);

    unsigned saved = flush_denormals();
    g_mutex_lock(&shared.lock);
    g_queue_push_tail_link(&shared.runs, &pool->as_run);
    take_part(pool);
    g_queue_unlink(&shared.runs, &pool->as_run);
    settle(0);
    while (n_helpers(pool) > 0)
        sleep_until_change(pool);
    g_mutex_unlock(&shared.lock);
    restore_denormals(saved);
    return atomic_load(&pool->next) >= count && !is_cancelled(pool);
}

void vfi_pool_keep_slot(VfiPool *pool)
{
    pool->keeps_slot = true;
}

void vfi_pool_drop_slot(VfiPool *pool)
{
    pool->keeps_slot = false;
    if (!pool->has_slot)
        return;
    g_mutex_lock(&shared.lock);
    leave_slot(pool);
    settle(0);
    g_mutex_unlock(&shared.lock);
}

uint64_t vfi_pool_chunks_run(const VfiPool *pool)
{
    return atomic_load_explicit(&pool->chunks_run, memory_order_relaxed);
}
