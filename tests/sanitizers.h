/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests do otherwise where a sanitizer watches. */
#pragma once

/* For the formulas that results are compared with: sanitizers judge the project's code,
 * and would take ten times as long for these. */
#define TEST_FORMULA __attribute__((no_sanitize("address", "undefined", "thread")))

/* Which part of a loop over formats, variants or random cases runs: a turn takes up to a
 * hundred times as long, and what a sanitizer can find shows in any few of them. */
#if defined(__SANITIZE_THREAD__)
#define SANITIZER_STEP 5
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZER_STEP 3
#else
#define SANITIZER_STEP 1
#endif
