/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory may be taken: the machine's, control groups of both versions and their
 * ancestors, the address space; and what stays free of it. */
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "fake_memory.h"
#include "machine/memory_probe.h"

#define GIB (1024 * MIB)

static VfiMemoryNumbers probed(void)
{
    VfiMemoryNumbers numbers;

    vfi_memory_probe(&numbers);
    return numbers;
}

START_TEST(without_limits_the_machine_counts)
{
    fake_memory_set(5 * GIB, 8 * GIB);
    VfiMemoryNumbers numbers = probed();
    ck_assert_uint_eq(numbers.free, 5 * GIB);
    ck_assert_uint_eq(numbers.total, 8 * GIB);
    ck_assert_uint_eq(numbers.limit, 8 * GIB);
    ck_assert_ptr_nonnull(strstr(numbers.limited_by, "machine"));

    /* nothing can be known: nothing limits */
    fake_memory_write("meminfo", "");
    numbers = probed();
    ck_assert_uint_eq(numbers.free, UINT64_MAX);
    ck_assert_uint_eq(vfi_memory_missing(&numbers, 0, UINT64_MAX), 0);
}
END_TEST

/* What a group's files say, and what is free by it. */
typedef struct {
    const char *membership;
    const char *files[6][2]; /* below cgroups/ */
    guint64 free, limit;
} GroupCase;

#define NO_LIMIT_V1 "9223372036854771712\n"     /* 0x7FFFFFFFFFFFF000 */
#define NO_LIMIT_V1_64K "9223372036854710272\n" /* 0x7FFFFFFFFFFF0000 */

static const GroupCase group_cases[] = {
    /* v2: page cache is not usage, other things of memory.stat are */
    {"0::/a\n",
     {{"a/memory.max", "1073741824\n"},
      {"a/memory.current", "536870912\n"},
      {"a/memory.stat", "anon 1\nfile 999999999\nactive_file 104857600\n"
                        "inactive_file 209715200\nslab 5\n"}},
     1024 * MIB - (512 - 100 - 200) * MIB,
     1024 * MIB},
    {"0::/a\n",
     {{"a/memory.max", "max\n"}, {"a/memory.current", "536870912\n"}},
     16 * GIB,
     32 * GIB},
    /* the parent is tighter than the group; the root has no files */
    {"0::/a/b\n",
     {{"a/memory.max", "314572800\n"},
      {"a/memory.current", "104857600\n"},
      {"a/b/memory.max", "1073741824\n"},
      {"a/b/memory.current", "1048576\n"}},
     200 * MIB,
     300 * MIB},
    /* the least free and the least limit may be of two groups */
    {"0::/a/b\n",
     {{"a/memory.max", "1073741824\n"},
      {"a/memory.current", "1048576000\n"},
      {"a/b/memory.max", "524288000\n"},
      {"a/b/memory.current", "104857600\n"}},
     24 * MIB,
     500 * MIB},
    /* more in use than allowed */
    {"0::/a\n",
     {{"a/memory.max", "1048576\n"}, {"a/memory.current", "2097152\n"}},
     0,
     1 * MIB},
    /* only the root is visible inside a container */
    {"0::/not/visible\n",
     {{"memory.max", "209715200\n"}, {"memory.current", "104857600\n"}},
     100 * MIB,
     200 * MIB},
    /* v1: the numbers with the groups below, and both ways to say that there is no
     * limit */
    {"4:cpu:/x\n3:memory:/v1\n",
     {{"memory/v1/memory.limit_in_bytes", "1073741824\n"},
      {"memory/v1/memory.usage_in_bytes", "536870912\n"},
      {"memory/v1/memory.stat", "active_file 1\ninactive_file 1\n"
                                "total_active_file 104857600\n"
                                "total_inactive_file 209715200\n"}},
     1024 * MIB - 212 * MIB,
     1024 * MIB},
    {"3:memory:/v1\n",
     {{"memory/v1/memory.limit_in_bytes", "1073741824\n"},
      {"memory/v1/memory.usage_in_bytes", "536870912\n"},
      {"memory/v1/memory.stat", "active_file 104857600\ninactive_file 209715200\n"}},
     1024 * MIB - 212 * MIB,
     1024 * MIB},
    {"3:memory:/v1\n",
     {{"memory/v1/memory.limit_in_bytes", NO_LIMIT_V1},
      {"memory/v1/memory.usage_in_bytes", "536870912\n"}},
     16 * GIB,
     32 * GIB},
    {"3:memory:/v1\n",
     {{"memory/v1/memory.limit_in_bytes", NO_LIMIT_V1_64K},
      {"memory/v1/memory.usage_in_bytes", "536870912\n"}},
     16 * GIB,
     32 * GIB},
    {"3:memory:/v1/c\n",
     {{"memory/v1/memory.limit_in_bytes", "314572800\n"},
      {"memory/v1/memory.usage_in_bytes", "104857600\n"},
      {"memory/v1/c/memory.limit_in_bytes", NO_LIMIT_V1},
      {"memory/v1/c/memory.usage_in_bytes", "1048576\n"}},
     200 * MIB,
     300 * MIB},
    /* memory of v1 and the rest of v2 */
    {"3:memory:/v1\n0::/a\n",
     {{"memory/v1/memory.limit_in_bytes", "314572800\n"},
      {"memory/v1/memory.usage_in_bytes", "104857600\n"}},
     200 * MIB,
     300 * MIB},
    /* another controller's group is none of ours */
    {"4:cpu:/v1\n",
     {{"memory/v1/memory.limit_in_bytes", "314572800\n"},
      {"memory/v1/memory.usage_in_bytes", "104857600\n"}},
     16 * GIB,
     32 * GIB},
    /* a group larger than the machine does not make it larger */
    {"0::/a\n",
     {{"a/memory.max", "1099511627776\n"}, {"a/memory.current", "0\n"}},
     16 * GIB,
     32 * GIB},
};

START_TEST(groups_and_their_ancestors_limit)
{
    const GroupCase *c = &group_cases[_i];

    fake_memory_write("membership", c->membership);
    for (size_t i = 0; i < G_N_ELEMENTS(c->files) && c->files[i][0] != NULL; i++) {
        g_autofree char *path = g_build_filename("cgroups", c->files[i][0], NULL);
        fake_memory_write(path, c->files[i][1]);
    }
    VfiMemoryNumbers numbers = probed();
    ck_assert_uint_eq(numbers.free, c->free);
    ck_assert_uint_eq(numbers.limit, c->limit);
    ck_assert_uint_eq(numbers.total, 32 * GIB);
    ck_assert_int_eq(strstr(numbers.limited_by, "group") != NULL, c->free < 16 * GIB);
}
END_TEST

START_TEST(the_address_space_limits)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT " 1 1 1 0 1 0\n",
                                            300 * MIB / (guint64)sysconf(_SC_PAGESIZE));

    fake_memory_write("statm", text);
    fake_memory_limit_address_space(1 * GIB);
    VfiMemoryNumbers numbers = probed();
    ck_assert_uint_eq(numbers.free, 724 * MIB);
    ck_assert_uint_eq(numbers.limit, 1 * GIB);
    ck_assert_ptr_nonnull(strstr(numbers.limited_by, "ulimit -v"));
}
END_TEST

START_TEST(the_real_system_is_read)
{
    VfiMemoryNumbers numbers;

    vfi_memory_probe_set_sources(NULL);
    vfi_memory_probe(&numbers);
    /* what the C library knows by another way */
    guint64 total = (guint64)sysconf(_SC_PHYS_PAGES) * (guint64)sysconf(_SC_PAGESIZE);
    ck_assert_uint_eq(numbers.total, total);
    ck_assert_uint_gt(numbers.free, 0);
    ck_assert_uint_le(numbers.free, total);
    ck_assert_uint_le(numbers.limit, total);
}
END_TEST

static const struct {
    guint64 total, limit, setting, expected;
} headrooms[] = {
    {32 * GIB, 32 * GIB, 0, 32 * GIB / 10}, /* a tenth */
    {4 * GIB, 4 * GIB, 0, 512 * MIB},       /* at least this */
    {1 * GIB, 1 * GIB, 0, 256 * MIB},       /* at most a quarter of the machine */
    {32 * GIB, 2 * GIB, 0, 512 * MIB},      /* or of the limit, above and below */
    {32 * GIB, 20 * GIB, 0, 32 * GIB / 10}, /* the least of the two */
    {32 * GIB, 200 * MIB, 0, 50 * MIB},
    {32 * GIB, 200 * MIB, 1, 1}, /* what is set is not bounded */
    {1 * GIB, 1 * GIB, 3 * GIB, 3 * GIB},
};

START_TEST(headroom_follows_the_table)
{
    VfiMemoryNumbers numbers = {.total = headrooms[_i].total,
                                .limit = headrooms[_i].limit};

    ck_assert_uint_eq(vfi_memory_headroom(&numbers, headrooms[_i].setting),
                      headrooms[_i].expected);
}
END_TEST

static const struct {
    guint64 free, headroom, need, missing;
} shortages[] = {
    {1000, 100, 900, 0},
    {1000, 100, 901, 1},
    {1000, 100, 0, 0},
    {100, 100, 0, 0},
    {99, 100, 0, 1},
    {0, 100, 50, 150},
    {1000, 100, UINT64_MAX, UINT64_MAX - 1000},
    {1000, UINT64_MAX, 1, UINT64_MAX - 1000},
    {UINT64_MAX, 100, UINT64_MAX, 0},
};

START_TEST(missing_is_need_and_headroom_less_free)
{
    VfiMemoryNumbers numbers = {
        .free = shortages[_i].free, .total = 10000, .limit = 10000};

    ck_assert_uint_eq(
        vfi_memory_missing(&numbers, shortages[_i].headroom, shortages[_i].need),
        shortages[_i].missing);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_probe");
    TCase *tcase = tcase_create("memory_probe");
    tcase_add_checked_fixture(tcase, fake_memory_begin, fake_memory_end);
    tcase_add_test(tcase, without_limits_the_machine_counts);
    tcase_add_loop_test(tcase, groups_and_their_ancestors_limit, 0,
                        (int)G_N_ELEMENTS(group_cases));
    tcase_add_test(tcase, the_address_space_limits);
    tcase_add_test(tcase, the_real_system_is_read);
    tcase_add_loop_test(tcase, headroom_follows_the_table, 0,
                        (int)G_N_ELEMENTS(headrooms));
    tcase_add_loop_test(tcase, missing_is_need_and_headroom_less_free, 0,
                        (int)G_N_ELEMENTS(shortages));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
