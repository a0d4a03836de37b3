/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread pool: every chunk once, in order, cancellation, denormals, CPU counting. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#include <glib/gstdio.h>

#include <vfi/error.h>

#include "check_main.h"
#include "cpu/cpu_count.h"
#include "cpu/pool.h"

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
    atomic_fetch_or(&work->threads_seen, 1 << thread);
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

/* A folder that stands for /sys/fs/cgroup; files are written by relative path. */
static void write_below(const char *root, const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(full);

    ck_assert_int_eq(g_mkdir_with_parents(folder, 0700), 0);
    ck_assert(g_file_set_contents(full, text, -1, NULL));
}

static void remove_tree(const char *path)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    const char *name;

    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    if (folder != NULL)
        g_dir_close(folder);
    g_remove(path);
}

START_TEST(cgroup_quotas_are_found_and_rounded_up)
{
    g_autofree char *root = g_dir_make_tmp("vfi-cgroup-XXXXXX", NULL);

    write_below(root, "a/cpu.max", "250000 100000\n");
    write_below(root, "a/b/cpu.max", "max 100000\n");
    write_below(root, "c/cpu.max", "50000 100000\n");
    write_below(root, "c/d/cpu.max", "700000 100000\n");
    write_below(root, "cpu/v1/cpu.cfs_quota_us", "400000\n");
    write_below(root, "cpu/v1/cpu.cfs_period_us", "100000\n");
    write_below(root, "cpu/free/cpu.cfs_quota_us", "-1\n");
    write_below(root, "cpu/free/cpu.cfs_period_us", "100000\n");
    write_below(root, "bad/cpu.max", "nonsense");
    write_below(root, "zero/cpu.max", "100000 0");

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
    remove_tree(root);
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
#ifdef __SSE__
    tcase_add_test(tcase, denormals_are_zero_inside_and_restored_outside);
#endif
    tcase_add_test(tcase, usable_cpus_follow_the_affinity_mask);
    tcase_add_test(tcase, cgroup_quotas_are_found_and_rounded_up);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
