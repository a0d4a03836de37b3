/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread pool: every chunk once, in order, cancellation, denormals, CPU counting; and
 * its sharing: no more threads than CPUs, nobody starves, threads come and go. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include <vfi/error.h>

#include "check_main.h"
#include "cpu/pool/pool.h"
#include "machine/cpu_count.h"
#include "temporary_folder.h"

#define MAX_CHUNKS 1000

typedef struct {
    atomic_int runs[MAX_CHUNKS];
    atomic_int started, started_late; /* late: after the cancellation */
    atomic_int threads_seen;          /* bit a thread */
    atomic_int cancel;
    int cancel_at; /* chunk that cancels; -1: none */
} Work;

static void count_chunk(void *data, int index, int thread)
{
    Work *work = data;

    if (atomic_load(&work->cancel))
        atomic_fetch_add(&work->started_late, 1);
    atomic_fetch_add(&work->runs[index], 1);
    atomic_fetch_add(&work->started, 1);
    atomic_fetch_or(&work->threads_seen, 1 << MIN(thread, 30));
    if (index == work->cancel_at)
        atomic_store(&work->cancel, 1);
}

START_TEST(every_chunk_runs_once)
{
    VfiPool *pool = vfi_pool_new(_i, NULL);
    uint64_t total = 0;

    ck_assert_int_eq(vfi_pool_threads(pool), _i);
    for (int round = 0; round < 200; round++) {
        g_autofree Work *work = g_new0(Work, 1);
        int count = round * 37 % MAX_CHUNKS;
        work->cancel_at = -1;
        ck_assert(vfi_pool_run(pool, count, count_chunk, work, &work->cancel));
        int wrong = 0;
        for (int i = 0; i < MAX_CHUNKS; i++)
            wrong += work->runs[i] != (i < count);
        ck_assert_int_eq(wrong, 0);
        ck_assert_int_lt(work->threads_seen, 1 << _i);
        total += (uint64_t)count;
    }
    ck_assert_uint_eq(vfi_pool_chunks_run(pool), total);
    vfi_pool_free(pool);
}
END_TEST

START_TEST(after_cancel_each_thread_runs_one_chunk_at_most)
{
    VfiPool *pool = vfi_pool_new(_i, NULL);

    for (int round = 0; round < 50; round++) {
        g_autofree Work *work = g_new0(Work, 1);
        work->cancel_at = round * 7;
        ck_assert(!vfi_pool_run(pool, MAX_CHUNKS, count_chunk, work, &work->cancel));
        ck_assert_int_le(work->started_late, _i - 1);
        ck_assert_int_eq(work->runs[work->cancel_at], 1);
    }
    vfi_pool_free(pool);
}
END_TEST

START_TEST(a_cancelled_run_starts_nothing)
{
    VfiPool *pool = vfi_pool_new(3, NULL);
    g_autofree Work *work = g_new0(Work, 1);

    work->cancel = 1;
    ck_assert(!vfi_pool_run(pool, MAX_CHUNKS, count_chunk, work, &work->cancel));
    ck_assert_int_eq(work->started, 0);
    ck_assert(vfi_pool_run(pool, 0, count_chunk, work, NULL));
    vfi_pool_free(pool);
}
END_TEST

START_TEST(no_threads_is_an_error)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(vfi_pool_new(0, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    vfi_pool_free(NULL);
}
END_TEST

/* Two chunks that wait for each other end only if two threads run them. */
static void meet(void *data, int index, int thread)
{
    atomic_int *arrived = data;

    (void)index;
    (void)thread;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 2)
        sched_yield();
}

START_TEST(chunks_run_at_the_same_time)
{
    VfiPool *pool = vfi_pool_new(2, NULL);

    for (int round = 0; round < 20; round++) {
        atomic_int arrived = 0;
        ck_assert(vfi_pool_run(pool, 2, meet, &arrived, NULL));
        ck_assert_int_eq(arrived, 2);
    }
    vfi_pool_free(pool);
}
END_TEST

/* ---- many shares ------------------------------------------------------------------- */

/* Threads of this process that are helpers, by their name. */
static int n_helpers(void)
{
    g_autoptr(GDir) folder = g_dir_open("/proc/self/task", 0, NULL);
    const char *task;
    int n = 0;

    ck_assert_ptr_nonnull(folder);
    while ((task = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename("/proc/self/task", task, "comm", NULL);
        g_autofree char *name = NULL;
        if (g_file_get_contents(path, &name, NULL, NULL))
            n += strcmp(name, "vfi-worker\n") == 0;
    }
    return n;
}

/* A thread that was joined is listed until the kernel has done its part. */
static void check_helpers_ended(void)
{
    for (int i = 0; i < 100000 && n_helpers() > 0; i++)
        sched_yield();
    ck_assert_int_eq(n_helpers(), 0);
}

/* What many threads, each with a share of its own, do at once. */
typedef struct {
    int n_threads, rounds;
    bool keeps_slot;
    atomic_int computing, max_computing;
    atomic_int wrong; /* chunks that did not run once, runs that failed */
} Crowd;

typedef struct {
    Crowd *crowd;
    atomic_int runs[20];
    atomic_int numbers; /* bit a thread number in use */
    atomic_int cancel;
} CrowdRun;

static void count_computing(void *data, int index, int thread)
{
    CrowdRun *run = data;
    Crowd *crowd = run->crowd;
    int now = atomic_fetch_add(&crowd->computing, 1) + 1;
    int most = atomic_load(&crowd->max_computing);

    while (now > most && !atomic_compare_exchange_weak(&crowd->max_computing, &most, now))
        ;
    if (atomic_fetch_or(&run->numbers, 1 << thread) & 1 << thread)
        atomic_fetch_add(&crowd->wrong, 1);
    for (int i = 0; i < 5; i++)
        sched_yield();
    atomic_fetch_add(&run->runs[index], 1);
    atomic_fetch_and(&run->numbers, ~(1 << thread));
    atomic_fetch_sub(&crowd->computing, 1);
}

static void *run_in_crowd(void *data)
{
    Crowd *crowd = data;
    VfiPool *pool = vfi_pool_new(crowd->n_threads, NULL);

    if (crowd->keeps_slot)
        vfi_pool_keep_slot(pool);
    for (int round = 0; round < crowd->rounds; round++) {
        CrowdRun run = {.crowd = crowd};
        int count = round % (int)G_N_ELEMENTS(run.runs);
        if (!vfi_pool_run(pool, count, count_computing, &run, &run.cancel))
            atomic_fetch_add(&crowd->wrong, 1);
        for (int i = 0; i < (int)G_N_ELEMENTS(run.runs); i++)
            if (run.runs[i] != (i < count))
                atomic_fetch_add(&crowd->wrong, 1);
    }
    if (crowd->keeps_slot)
        vfi_pool_drop_slot(pool);
    vfi_pool_free(pool);
    return NULL;
}

START_TEST(all_shares_together_keep_the_limit)
{
    int n_threads = 1 + _i / 2, limit = MAX(vfi_usable_cpus(), n_threads);
    Crowd crowd = {.n_threads = n_threads, .rounds = 60, .keeps_slot = _i % 2 != 0};
    g_autofree GThread **threads = g_new0(GThread *, limit + 5);

    for (int i = 0; i < limit + 5; i++)
        threads[i] = g_thread_new("share", run_in_crowd, &crowd);
    for (int i = 0; i < limit + 5; i++)
        g_thread_join(threads[i]);
    ck_assert_int_eq(crowd.wrong, 0);
    ck_assert_int_ge(crowd.max_computing, 1);
    ck_assert_int_le(crowd.max_computing, limit);
    check_helpers_ended();
}
END_TEST

START_TEST(the_limit_follows_the_open_shares)
{
    int cpus = vfi_usable_cpus();

    ck_assert_int_eq(vfi_pool_limit(), 0);
    VfiPool *small = vfi_pool_new(1, NULL);
    ck_assert_int_eq(vfi_pool_limit(), cpus);
    VfiPool *large = vfi_pool_new(cpus + 3, NULL);
    ck_assert_int_eq(vfi_pool_limit(), cpus + 3);
    vfi_pool_free(large);
    ck_assert_int_eq(vfi_pool_limit(), cpus);
    vfi_pool_free(small);
    ck_assert_int_eq(vfi_pool_limit(), 0);
}
END_TEST

/* A run that lasts until it is cancelled. */
typedef struct {
    VfiPool *pool;
    bool keeps_slot;
    atomic_int chunks, cancel;
    bool completed;
    GThread *thread;
} Endless;

static void idle_chunk(void *data, int index, int thread)
{
    Endless *endless = data;

    (void)index;
    (void)thread;
    atomic_fetch_add(&endless->chunks, 1);
    sched_yield();
}

static void *run_endlessly(void *data)
{
    Endless *endless = data;

    if (endless->keeps_slot)
        vfi_pool_keep_slot(endless->pool);
    endless->completed =
        vfi_pool_run(endless->pool, G_MAXINT / 2, idle_chunk, endless, &endless->cancel);
    if (endless->keeps_slot)
        vfi_pool_drop_slot(endless->pool);
    return NULL;
}

static void begin_endless(Endless *endless, int n_threads)
{
    endless->pool = vfi_pool_new(n_threads, NULL);
    endless->thread = g_thread_new("endless", run_endlessly, endless);
    while (atomic_load(&endless->chunks) == 0)
        sched_yield();
}

static void end_endless(Endless *endless)
{
    atomic_store(&endless->cancel, 1);
    g_thread_join(endless->thread);
    vfi_pool_free(endless->pool);
    ck_assert(!endless->completed);
}

static void wait_for_chunks(Endless *endless, int n)
{
    int from = atomic_load(&endless->chunks);

    while (atomic_load(&endless->chunks) < from + n)
        sched_yield();
}

/* All of these go on: a share that never ends its run cannot keep the others from
 * theirs. */
START_TEST(endless_runs_leave_room_for_each_other)
{
    int n = vfi_usable_cpus() + 3;
    g_autofree Endless *endless = g_new0(Endless, n);
    VfiPool *pool = vfi_pool_new(2, NULL);

    for (int i = 0; i < n; i++) {
        endless[i].keeps_slot = _i == 1;
        begin_endless(&endless[i], vfi_usable_cpus());
    }
    for (int round = 0; round < 3; round++) {
        g_autofree Work *work = g_new0(Work, 1);
        work->cancel_at = -1;
        ck_assert(vfi_pool_run(pool, 10, count_chunk, work, &work->cancel));
        ck_assert_int_eq(work->started, 10);
        for (int i = 0; i < n; i++)
            wait_for_chunks(&endless[i], 3);
    }
    for (int i = 0; i < n; i++)
        end_endless(&endless[i]);
    vfi_pool_free(pool);
}
END_TEST

/* Chunks that wait for each other need two threads of the four, in the middle of the
 * other share's run. */
START_TEST(threads_are_divided_evenly)
{
    Endless greedy = {0};
    VfiPool *four = vfi_pool_new(MAX(vfi_usable_cpus(), 4), NULL);
    VfiPool *pool = vfi_pool_new(2, NULL);

    begin_endless(&greedy, vfi_pool_threads(four));
    for (int round = 0; round < 10; round++) {
        atomic_int arrived = 0;
        ck_assert(vfi_pool_run(pool, 2, meet, &arrived, NULL));
        ck_assert_int_eq(arrived, 2);
    }
    end_endless(&greedy);
    vfi_pool_free(pool);
    vfi_pool_free(four);
}
END_TEST

START_TEST(cancelling_one_run_leaves_others_alone)
{
    Endless other = {0};
    VfiPool *pool = vfi_pool_new(3, NULL);

    begin_endless(&other, 3);
    for (int round = 0; round < 20; round++) {
        g_autofree Work *work = g_new0(Work, 1);
        work->cancel_at = round * 7;
        ck_assert(!vfi_pool_run(pool, MAX_CHUNKS, count_chunk, work, &work->cancel));
        ck_assert_int_le(work->started_late, 2);
        work->cancel_at = -1;
        work->cancel = 0;
        wait_for_chunks(&other, 1);
    }
    uint64_t ran = vfi_pool_chunks_run(pool);
    end_endless(&other);
    ck_assert_uint_eq(vfi_pool_chunks_run(pool), ran);
    vfi_pool_free(pool);
}
END_TEST

/* Shares that come and go raise and lower the limit under a run. */
START_TEST(shares_open_and_close_during_a_run)
{
    Endless endless = {0};
    int cpus = vfi_usable_cpus();

    begin_endless(&endless, 2);
    while (n_helpers() == 0)
        sched_yield();
    for (int round = 0; round < 20; round++) {
        g_autofree Work *work = g_new0(Work, 1);
        VfiPool *outer = vfi_pool_new(1 + round % (cpus + 3), NULL);
        VfiPool *inner = vfi_pool_new(2, NULL);
        work->cancel_at = -1;
        ck_assert(vfi_pool_run(outer, 20, count_chunk, work, NULL));
        vfi_pool_free(outer);
        ck_assert(vfi_pool_run(inner, 20, count_chunk, work, NULL));
        ck_assert_int_eq(work->started, 40);
        vfi_pool_free(inner);
        wait_for_chunks(&endless, 1);
    }
    end_endless(&endless);
    check_helpers_ended();
}
END_TEST

START_TEST(opening_and_closing_leaves_nothing_behind)
{
    Crowd crowd = {.n_threads = 2, .rounds = 3};
    GThread *threads[3];

    for (int round = 0; round < 1000; round++)
        run_in_crowd(&crowd);
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 3; i++)
            threads[i] = g_thread_new("share", run_in_crowd, &crowd);
        for (int i = 0; i < 3; i++)
            g_thread_join(threads[i]);
    }
    ck_assert_int_eq(crowd.wrong, 0);
    ck_assert_int_eq(vfi_pool_limit(), 0);
    check_helpers_ended();
}
END_TEST

#ifdef __SSE__
static void divide_tiny(void *data, int index, int thread)
{
    volatile float *values = data;

    (void)thread;
    values[index] = values[index] / 16.0f;
}

START_TEST(denormals_are_zero_inside_and_restored_outside)
{
    VfiPool *pool = vfi_pool_new(2, NULL);
    unsigned before = _mm_getcsr();
    float values[64];
    volatile float tiny = 2e-38f;

    for (int i = 0; i < 64; i++)
        values[i] = tiny;
    ck_assert(vfi_pool_run(pool, 64, divide_tiny, values, NULL));
    for (int i = 0; i < 64; i++)
        ck_assert(values[i] == 0.0f);
    ck_assert_uint_eq(_mm_getcsr() & ~0x3fu, before & ~0x3fu); /* but for sticky flags */
    ck_assert(tiny / 16.0f != 0.0f);
    vfi_pool_free(pool);
}
END_TEST
#endif

START_TEST(usable_cpus_follow_the_affinity_mask)
{
    cpu_set_t set, one;
    int first = 0;

    ck_assert_int_ge(vfi_usable_cpus(), 1);
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    ck_assert_int_le(vfi_usable_cpus(), CPU_COUNT(&set));
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_int_eq(vfi_usable_cpus(), 1);
    ck_assert_int_eq(sched_setaffinity(0, sizeof set, &set), 0);
}
END_TEST

START_TEST(cgroup_quotas_are_found_and_rounded_up)
{
    g_autofree char *root = g_dir_make_tmp("vfi-cgroup-XXXXXX", NULL);

    folder_write(root, "a/cpu.max", "250000 100000\n");
    folder_write(root, "a/b/cpu.max", "max 100000\n");
    folder_write(root, "c/cpu.max", "50000 100000\n");
    folder_write(root, "c/d/cpu.max", "700000 100000\n");
    folder_write(root, "cpu/v1/cpu.cfs_quota_us", "400000\n");
    folder_write(root, "cpu/v1/cpu.cfs_period_us", "100000\n");
    folder_write(root, "cpu/free/cpu.cfs_quota_us", "-1\n");
    folder_write(root, "cpu/free/cpu.cfs_period_us", "100000\n");
    folder_write(root, "bad/cpu.max", "nonsense");
    folder_write(root, "zero/cpu.max", "100000 0");

    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/a\n", root), 3);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/a/b\n", root), 3);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/c/d", root), 1);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/a/not/visible\n", root), 3);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/\n", root), 0);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("4:cpu,cpuacct:/v1\n3:memory:/a\n", root), 4);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("4:cpu,cpuacct:/v1\n0::/a\n", root), 3);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("4:cpuset:/v1\n", root), 0);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("4:cpu:/free\n", root), 0);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/bad\n", root), 0);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("0::/zero\n", root), 0);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("", root), 0);
    ck_assert_int_eq(vfi_cgroup_cpu_limit("nonsense\n:\n", root), 0);
    folder_remove(root);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool");
    TCase *tcase = tcase_create("pool");
    tcase_add_loop_test(tcase, every_chunk_runs_once, 1, 5);
    tcase_add_loop_test(tcase, after_cancel_each_thread_runs_one_chunk_at_most, 1, 4);
    tcase_add_test(tcase, a_cancelled_run_starts_nothing);
    tcase_add_test(tcase, no_threads_is_an_error);
    tcase_add_test(tcase, chunks_run_at_the_same_time);
    tcase_add_loop_test(tcase, all_shares_together_keep_the_limit, 0, 8);
    tcase_add_test(tcase, the_limit_follows_the_open_shares);
    tcase_add_loop_test(tcase, endless_runs_leave_room_for_each_other, 0, 2);
    tcase_add_test(tcase, threads_are_divided_evenly);
    tcase_add_test(tcase, cancelling_one_run_leaves_others_alone);
    tcase_add_test(tcase, shares_open_and_close_during_a_run);
    tcase_add_test(tcase, opening_and_closing_leaves_nothing_behind);
#ifdef __SSE__
    tcase_add_test(tcase, denormals_are_zero_inside_and_restored_outside);
#endif
    tcase_add_test(tcase, usable_cpus_follow_the_affinity_mask);
    tcase_add_test(tcase, cgroup_quotas_are_found_and_rounded_up);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
