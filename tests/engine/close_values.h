/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <math.h>

#include <check.h>
#include <glib.h>

/* Fails unless all @n values of @name differ from those of @reference, not all of which
 * are about zero, by no more than @limit of the largest of them. A NaN is no match. */
static inline void check_close(const char *name, const float *values,
                               const float *reference, size_t n, double limit)
{
    double largest = 0.0, error = 0.0;

    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)values[i] - (double)reference[i]);
        largest = MAX(largest, fabs((double)reference[i]));
        error = difference <= error ? error : difference; /* NaN, too, and it stays */
    }
    ck_assert_double_gt(largest, 0.01);
    ck_assert_msg(error <= limit * largest, "%s: %g of %g", name, error, largest);
}
