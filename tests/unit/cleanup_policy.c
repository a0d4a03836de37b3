/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The adaptive cleanup interval, by the table of the program that the policy comes from,
 * and percentiles of recent times. */
#include "session/cleanup_policy.h"

#include "check_main.h"
#include "session/stage_times.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
#define FRAME_1080P ((size_t)1920 * 1080 * 3 * 4)

/* Available is the card less the 4 GiB that are reserved there. The first six rows are
 * that program's own figures, with its guess of 10 GiB for the arena. */
static const struct {
    uint64_t total, available;
    size_t frame, arena;
    unsigned in_betweens;
    uint64_t pairs;
    unsigned interval;
    gboolean is_tight;
} table[] = {
    {8 * GIB, 4 * GIB, FRAME_1080P, 10 * GIB, 1, 0, 1, TRUE},
    {12 * GIB, 8 * GIB, FRAME_1080P, 10 * GIB, 1, 0, 1, TRUE},
    {24 * GIB, 20 * GIB, FRAME_1080P, 10 * GIB, 1, 0, 1, FALSE},
    {48 * GIB, 44 * GIB, FRAME_1080P, 10 * GIB, 1, 0, 3, FALSE},
    {80 * GIB, 76 * GIB, FRAME_1080P, 10 * GIB, 1, 0, 6, FALSE},
    {141 * GIB, 137 * GIB, FRAME_1080P, 10 * GIB, 1, 0, 12, FALSE},
    /* the arena that a session really has: (6 - 2) GiB / 1.57 GiB */
    {8 * GIB, 6 * GIB, FRAME_1080P, 512 * MIB, 1, 0, 2, FALSE},
    /* never more than 20, exactly 20, and just less: 1 GiB a pair */
    {64 * GIB, 64 * GIB, 0, 0, 1, 0, 20, FALSE},
    {64 * GIB, 22 * GIB, 0, 0, 1, 0, 20, FALSE},
    {64 * GIB, 22 * GIB - 1, 0, 0, 1, 0, 19, FALSE},
    /* at least 1 GiB counts as usable, even where there is less */
    {8 * GIB, 3 * GIB, 0, 0, 1, 0, 1, FALSE},
    {8 * GIB, 0, 0, 0, 1, 0, 1, FALSE},
    {8 * GIB, 0, 1, 0, 1, 0, 1, TRUE},
    /* frames: 2 and the in-betweens, 1 GiB each; (14 - 2) / (1 + 2 + n) */
    {16 * GIB, 14 * GIB, GIB, 0, 1, 0, 3, FALSE},
    {16 * GIB, 14 * GIB, GIB, 0, 3, 0, 2, FALSE},
    {16 * GIB, 14 * GIB, GIB, 0, 999, 0, 1, TRUE},
    /* long streams */
    {64 * GIB, 64 * GIB, 0, 0, 1, 500, 20, FALSE},
    {64 * GIB, 64 * GIB, 0, 0, 1, 501, 3, FALSE},
    {24 * GIB, 20 * GIB, FRAME_1080P, 10 * GIB, 1, 501, 1, FALSE},
    /* unknown memory */
    {0, 0, FRAME_1080P, 10 * GIB, 1, 0, 5, FALSE},
    {0, 0, FRAME_1080P, 10 * GIB, 1, 501, 3, FALSE},
    /* numbers that overflow integers */
    {UINT64_MAX, UINT64_MAX, SIZE_MAX, SIZE_MAX, UINT32_MAX, 0, 1, TRUE},
    {UINT64_MAX, UINT64_MAX, 1, 1, 1, 0, 20, FALSE},
};

START_TEST(the_interval_follows_the_memory)
{
    VfiCleanupNumbers numbers = {
        .total_bytes = table[_i].total,
        .available_bytes = table[_i].available,
        .frame_bytes = table[_i].frame,
        .in_betweens = table[_i].in_betweens,
        .arena_bytes = table[_i].arena,
        .pairs = table[_i].pairs,
    };
    gboolean is_tight = !table[_i].is_tight;

    ck_assert_uint_eq(vfi_cleanup_interval(&numbers, &is_tight), table[_i].interval);
    ck_assert_int_eq(is_tight, table[_i].is_tight);
    ck_assert_uint_eq(vfi_cleanup_interval(&numbers, NULL), table[_i].interval);
}
END_TEST

START_TEST(times_have_percentiles_by_nearest_rank)
{
    VfiStageRing ring = {0};
    VfiStageTimes times;

    vfi_stage_ring_read(&ring, &times);
    ck_assert(times.runs == 0 && times.p50 == 0 && times.p95 == 0);
    vfi_stage_ring_add(&ring, 7);
    vfi_stage_ring_read(&ring, &times);
    ck_assert(times.runs == 1 && times.p50 == 7 && times.p95 == 7);
    /* 1 … 100 in another order */
    ring = (VfiStageRing){0};
    for (int i = 0; i < 100; i++)
        vfi_stage_ring_add(&ring, i * 37 % 100 + 1);
    vfi_stage_ring_read(&ring, &times);
    ck_assert(times.runs == 100 && times.p50 == 50 && times.p95 == 95);
}
END_TEST

START_TEST(old_times_are_forgotten)
{
    VfiStageRing ring = {0};
    VfiStageTimes times;

    for (int i = 0; i < 1000; i++)
        vfi_stage_ring_add(&ring, 1000);
    for (int i = 0; i < VFI_STAGE_TIMES_KEPT; i++)
        vfi_stage_ring_add(&ring, 2);
    vfi_stage_ring_read(&ring, &times);
    ck_assert(times.runs == 1000 + VFI_STAGE_TIMES_KEPT);
    ck_assert(times.p50 == 2 && times.p95 == 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cleanup policy");
    TCase *tcase = tcase_create("cleanup policy");

    tcase_add_loop_test(tcase, the_interval_follows_the_memory, 0,
                        (int)G_N_ELEMENTS(table));
    tcase_add_test(tcase, times_have_percentiles_by_nearest_rank);
    tcase_add_test(tcase, old_times_are_forgotten);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
