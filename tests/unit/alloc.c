/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>

#include <vfi/error.h>
#include <vfi/memory.h>

#include "base/alloc.h"
#include "check_main.h"

START_TEST(memory_is_aligned)
{
    for (size_t bytes = 0; bytes < 200; bytes++) {
        g_autoptr(GError) error = NULL;
        void *memory = vfi_try_alloc(bytes, 1, "a test", &error);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % VFI_ALIGNMENT, 0);
        vfi_free(memory);
    }
}
END_TEST

START_TEST(overflow_is_an_error_that_names_the_purpose)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(vfi_try_alloc(SIZE_MAX / 2, 4, "the arena", &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    ck_assert_ptr_nonnull(strstr(error->message, "the arena"));
}
END_TEST

START_TEST(a_test_can_make_the_nth_allocation_fail)
{
    g_autoptr(GError) error = NULL;
    vfi_alloc_fail_after(1);
    void *first = vfi_try_alloc(1, 1, "a test", NULL);
    void *second = vfi_try_alloc(1, 1, "a test", &error);
    vfi_alloc_fail_after(G_MAXUINT64);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(error);
    vfi_free(first);
}
END_TEST

START_TEST(what_is_taken_is_counted_and_the_most_of_it)
{
    const size_t large = 1000000, small = 1000;
    uint64_t start, now, peak, start_peak;

    vfi_get_memory_use(&start, &start_peak);
    void *a = vfi_try_alloc(large, 1, "a test", NULL);
    void *b = vfi_try_alloc0(small, 1, "a test", NULL);
    vfi_get_memory_use(&now, &peak);
    ck_assert_uint_ge(now, start + large + small);
    ck_assert_uint_lt(now, start + large + small + 10000);
    ck_assert_uint_ge(peak, now);
    vfi_free(a);
    vfi_get_memory_use(&now, &peak);
    ck_assert_uint_ge(now, start + small);
    ck_assert_uint_lt(now, start + large);
    ck_assert_uint_ge(peak, start + large + small);
    vfi_free(b);
    vfi_free(NULL);
    ck_assert_ptr_null(vfi_try_alloc(SIZE_MAX / 2, 4, "a test", NULL));
    vfi_get_memory_use(&now, &peak);
    ck_assert_uint_eq(now, start);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alloc");
    TCase *tcase = tcase_create("alloc");
    tcase_add_test(tcase, memory_is_aligned);
    tcase_add_test(tcase, overflow_is_an_error_that_names_the_purpose);
    tcase_add_test(tcase, a_test_can_make_the_nth_allocation_fail);
    tcase_add_test(tcase, what_is_taken_is_counted_and_the_most_of_it);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
