/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For ThreadSanitizer builds only, preloaded into the test programs: GLib's mutexes,
 * condition variables and once-initialisers are futexes, and its reference counts
 * atomics, inside a library that the sanitizer cannot see into, so every access that they
 * order looks like a race. Here the locks are pthread ones and the counts are compiled
 * with it.
 *
 * A GMutex or GCond holds one pointer; it is created on first use, as GLib allows static
 * ones that were never initialised. Calls from inside libglib itself do not come here:
 * what they lock is private to it. */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib.h>

/* The macros of glib/gthread.h stand in the way of defining the functions. */
#undef g_once_init_enter
#undef g_once_init_leave

/* The project hides symbols by default; these must be found before libglib's. */
#pragma GCC visibility push(default)
void g_mutex_init(GMutex *mutex);
void g_mutex_clear(GMutex *mutex);
void g_mutex_lock(GMutex *mutex);
void g_mutex_unlock(GMutex *mutex);
gboolean g_mutex_trylock(GMutex *mutex);
void g_cond_init(GCond *cond);
void g_cond_clear(GCond *cond);
void g_cond_wait(GCond *cond, GMutex *mutex);
gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time);
void g_cond_signal(GCond *cond);
void g_cond_broadcast(GCond *cond);
gboolean g_once_init_enter(volatile void *location);
void g_once_init_leave(volatile void *location, gsize result);
gpointer g_once_impl(GOnce *once, GThreadFunc func, gpointer arg);
void(g_atomic_ref_count_init)(gatomicrefcount *count);
void(g_atomic_ref_count_inc)(gatomicrefcount *count);
gboolean(g_atomic_ref_count_dec)(gatomicrefcount *count);
gpointer g_atomic_rc_box_alloc(gsize size);
gpointer g_atomic_rc_box_alloc0(gsize size);
gpointer(g_atomic_rc_box_dup)(gsize size, gconstpointer block);
gpointer(g_atomic_rc_box_acquire)(gpointer block);
void g_atomic_rc_box_release(gpointer block);
void g_atomic_rc_box_release_full(gpointer block, GDestroyNotify clear);
gsize g_atomic_rc_box_get_size(gpointer block);
#pragma GCC visibility pop

static pthread_mutex_t once_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t once_cond = PTHREAD_COND_INITIALIZER;
static GSList *once_running; /* addresses whose initialiser runs now; under once_mutex */

static pthread_mutex_t *new_mutex(void)
{
    pthread_mutex_t *mutex = malloc(sizeof(pthread_mutex_t));
    if (mutex == NULL || pthread_mutex_init(mutex, NULL) != 0) {
        abort();
    }
    return mutex;
}

static pthread_mutex_t *mutex_of(GMutex *mutex)
{
    gpointer found = g_atomic_pointer_get(&mutex->p);
    if (found == NULL) {
        pthread_mutex_t *created = new_mutex();
        if (g_atomic_pointer_compare_and_exchange(&mutex->p, NULL, created)) {
            return created;
        }
        pthread_mutex_destroy(created);
        free(created);
        found = g_atomic_pointer_get(&mutex->p);
    }
    return found;
}

static pthread_cond_t *new_cond(void)
{
    pthread_condattr_t attributes;
    pthread_cond_t *cond = malloc(sizeof(pthread_cond_t));
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (cond == NULL || pthread_cond_init(cond, &attributes) != 0) {
        abort();
    }
    pthread_condattr_destroy(&attributes);
    return cond;
}

static pthread_cond_t *cond_of(GCond *cond)
{
    gpointer found = g_atomic_pointer_get(&cond->p);
    if (found == NULL) {
        pthread_cond_t *created = new_cond();
        if (g_atomic_pointer_compare_and_exchange(&cond->p, NULL, created)) {
            return created;
        }
        pthread_cond_destroy(created);
        free(created);
        found = g_atomic_pointer_get(&cond->p);
    }
    return found;
}

void g_mutex_init(GMutex *mutex)
{
    /* Atomic: that others see it before they lock it may be ordered inside libglib. */
    g_atomic_pointer_set(&mutex->p, new_mutex());
}

/* Not destroyed but freed at once, so that who clears after a reference count inside
 * libgstreamer has only the free() of tsan.supp; pthread_mutex_destroy() does nothing
 * here. */
void g_mutex_clear(GMutex *mutex)
{
    pthread_mutex_t *found = g_atomic_pointer_get(&mutex->p);
    if (found != NULL) {
        free(found);
        g_atomic_pointer_set(&mutex->p, NULL);
    }
}

void g_mutex_lock(GMutex *mutex)
{
    pthread_mutex_lock(mutex_of(mutex));
}

void g_mutex_unlock(GMutex *mutex)
{
    pthread_mutex_unlock(mutex_of(mutex));
}

gboolean g_mutex_trylock(GMutex *mutex)
{
    return pthread_mutex_trylock(mutex_of(mutex)) == 0;
}

void g_cond_init(GCond *cond)
{
    g_atomic_pointer_set(&cond->p, new_cond());
}

void g_cond_clear(GCond *cond)
{
    pthread_cond_t *found = g_atomic_pointer_get(&cond->p);
    if (found != NULL) {
        free(found);
        g_atomic_pointer_set(&cond->p, NULL);
    }
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
    pthread_cond_wait(cond_of(cond), mutex_of(mutex));
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
    struct timespec until = {
        .tv_sec = end_time / G_USEC_PER_SEC,
        .tv_nsec = (end_time % G_USEC_PER_SEC) * 1000,
    };
    return pthread_cond_timedwait(cond_of(cond), mutex_of(mutex), &until) != ETIMEDOUT;
}

void g_cond_signal(GCond *cond)
{
    pthread_cond_signal(cond_of(cond));
}

void g_cond_broadcast(GCond *cond)
{
    pthread_cond_broadcast(cond_of(cond));
}

gboolean g_once_init_enter(volatile void *location)
{
    gsize *value = (gsize *)location;
    gpointer key = (gpointer)location;
    gboolean must_initialise = FALSE;

    pthread_mutex_lock(&once_mutex);
    while (g_atomic_pointer_get(value) == 0 && !must_initialise) {
        if (g_slist_find(once_running, key) == NULL) {
            once_running = g_slist_prepend(once_running, key);
            must_initialise = TRUE;
        } else {
            pthread_cond_wait(&once_cond, &once_mutex);
        }
    }
    pthread_mutex_unlock(&once_mutex);
    return must_initialise;
}

void g_once_init_leave(volatile void *location, gsize result)
{
    pthread_mutex_lock(&once_mutex);
    g_atomic_pointer_set((gsize *)location, result);
    once_running = g_slist_remove(once_running, (gpointer)location);
    pthread_cond_broadcast(&once_cond);
    pthread_mutex_unlock(&once_mutex);
}

gpointer g_once_impl(GOnce *once, GThreadFunc func, gpointer arg)
{
    pthread_mutex_lock(&once_mutex);
    while (once->status == G_ONCE_STATUS_PROGRESS) {
        pthread_cond_wait(&once_cond, &once_mutex);
    }
    if (once->status != G_ONCE_STATUS_READY) {
        once->status = G_ONCE_STATUS_PROGRESS;
        pthread_mutex_unlock(&once_mutex);
        gpointer value = func(arg);
        pthread_mutex_lock(&once_mutex);
        once->retval = value;
        g_atomic_int_set(&once->status, G_ONCE_STATUS_READY);
        pthread_cond_broadcast(&once_cond);
    }
    pthread_mutex_unlock(&once_mutex);
    return once->retval;
}

void(g_atomic_ref_count_init)(gatomicrefcount *count)
{
    *count = 1;
}

void(g_atomic_ref_count_inc)(gatomicrefcount *count)
{
    g_atomic_int_inc(count);
}

gboolean(g_atomic_ref_count_dec)(gatomicrefcount *count)
{
    return g_atomic_int_dec_and_test(count);
}

/* What precedes a reference-counted block; as large as malloc's alignment. */
typedef union {
    struct {
        gint references;
        gsize size;
    } value;
    max_align_t alignment;
} BoxHeader;

gpointer g_atomic_rc_box_alloc0(gsize size)
{
    BoxHeader *header = g_malloc0(sizeof *header + size);
    header->value.references = 1;
    header->value.size = size;
    return header + 1;
}

gpointer g_atomic_rc_box_alloc(gsize size)
{
    return g_atomic_rc_box_alloc0(size);
}

gpointer(g_atomic_rc_box_dup)(gsize size, gconstpointer block)
{
    return memcpy(g_atomic_rc_box_alloc0(size), block, size);
}

gpointer(g_atomic_rc_box_acquire)(gpointer block)
{
    g_atomic_int_inc(&((BoxHeader *)block - 1)->value.references);
    return block;
}

void g_atomic_rc_box_release_full(gpointer block, GDestroyNotify clear)
{
    BoxHeader *header = (BoxHeader *)block - 1;
    if (g_atomic_int_dec_and_test(&header->value.references)) {
        if (clear != NULL) {
            clear(block);
        }
        g_free(header);
    }
}

void g_atomic_rc_box_release(gpointer block)
{
    g_atomic_rc_box_release_full(block, NULL);
}

gsize g_atomic_rc_box_get_size(gpointer block)
{
    return ((BoxHeader *)block - 1)->value.size;
}
