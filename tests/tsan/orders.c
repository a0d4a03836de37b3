/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two threads count in one variable, ordered by what the argument names: mutex, cond,
 * once, references, atomic, or nothing. ThreadSanitizer must report the last one and no
 * other; if it reports more, GLib's locks are invisible to it, and if none, it is not at
 * work. */
#include <stdio.h>
#include <string.h>

#include <glib.h>

enum { ROUNDS = 1000 };

static GMutex mutex;
static GCond cond;
static int counter;

static gpointer count_alone(gpointer data)
{
    for (int i = 0; i < ROUNDS; i++)
        counter++;
    return data;
}

static gpointer count_locked(gpointer data)
{
    for (int i = 0; i < ROUNDS; i++) {
        g_mutex_lock(&mutex);
        counter++;
        g_mutex_unlock(&mutex);
    }
    return data;
}

static gboolean handed_over; /* under mutex */

/* One thread writes and hands over; the other waits, then writes. */
static gpointer count_first(gpointer data)
{
    count_alone(NULL);
    g_mutex_lock(&mutex);
    handed_over = TRUE;
    g_cond_signal(&cond);
    g_mutex_unlock(&mutex);
    return data;
}

static gpointer count_second(gpointer data)
{
    g_mutex_lock(&mutex);
    while (!handed_over)
        g_cond_wait(&cond, &mutex);
    g_mutex_unlock(&mutex);
    return count_alone(data);
}

/* Whoever comes first counts, and both read. */
static gpointer count_once(gpointer data)
{
    static gsize done;
    if (g_once_init_enter(&done)) {
        count_alone(NULL);
        g_once_init_leave(&done, 1);
    }
    return counter == ROUNDS ? data : NULL;
}

static gatomicrefcount references = 2;
static int parts[2]; /* whoever drops the last reference adds them up */

static void count_part(int part)
{
    for (int i = 0; i < ROUNDS; i++)
        parts[part]++;
    if (g_atomic_ref_count_dec(&references))
        counter = parts[0] + parts[1];
}

static gpointer count_part_0(gpointer data)
{
    count_part(0);
    return data;
}

static gpointer count_part_1(gpointer data)
{
    count_part(1);
    return data;
}

static gpointer count_atomic(gpointer data)
{
    for (int i = 0; i < ROUNDS; i++)
        g_atomic_int_inc(&counter);
    return data;
}

static const struct {
    const char *name;
    GThreadFunc first, second;
    int total;
} orders[] = {
    {"nothing", count_alone, count_alone, -1},
    {"mutex", count_locked, count_locked, 2 * ROUNDS},
    {"cond", count_first, count_second, 2 * ROUNDS},
    {"once", count_once, count_once, ROUNDS},
    {"references", count_part_0, count_part_1, 2 * ROUNDS},
    {"atomic", count_atomic, count_atomic, 2 * ROUNDS},
};

int main(int argc, char **argv)
{
    for (guint i = 0; argc == 2 && i < G_N_ELEMENTS(orders); i++) {
        if (strcmp(argv[1], orders[i].name) != 0)
            continue;
        GThread *first = g_thread_new("first", orders[i].first, NULL);
        GThread *second = g_thread_new("second", orders[i].second, NULL);
        g_thread_join(first);
        g_thread_join(second);
        return orders[i].total == counter || orders[i].total < 0 ? 0 : 1;
    }
    fprintf(stderr, "usage: %s nothing|mutex|cond|once|references|atomic\n", argv[0]);
    return 2;
}
