/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of every Check program's main(). */
#pragma once

#include <check.h>
#include <stdlib.h>

#include "sanitizers.h"

/* Adds the loop test @test for @start, … below @end, in steps of SANITIZER_STEP. */
static inline void add_thinned_loop_test(TCase *tcase, const TTest *test, int start,
                                         int end)
{
    for (int i = start; i < end; i += SANITIZER_STEP)
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
