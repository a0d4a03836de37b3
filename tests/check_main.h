/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of every Check program's main(). */
#pragma once

#include <check.h>
#include <stdlib.h>

/* For the formulas that results are compared with: sanitizers judge the project's code, and
 * would take ten times as long for these. */
#define TEST_FORMULA __attribute__((no_sanitize("address", "undefined", "thread")))

/* Which part of a loop over formats or variants runs where each turn takes a hundred times as
 * long and the threads do the same in all of them. */
#ifdef __SANITIZE_THREAD__
#define TSAN_LOOP_STEP 5
#else
#define TSAN_LOOP_STEP 1
#endif

/* Adds the loop test @test for @start, … below @end; under ThreadSanitizer for every fifth of
 * them, from the first on. */
static inline void add_thinned_loop_test(TCase *tcase, const TTest *test, int start,
                                         int end)
{
    for (int i = start; i < end; i += TSAN_LOOP_STEP)
        tcase_add_loop_test(tcase, test, i, i + 1);
}

/* Runs @suite (and frees it); returns what main() returns. */
static inline int check_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
