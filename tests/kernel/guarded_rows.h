/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of floats with guards before and behind. */
#pragma once

#include "flow/constants.h"
#include "kernel_util.h"

typedef struct {
    char *memory;
    float *data; /* NaN at first */
    size_t bytes;
} GuardedRow;

/* @n floats and what may be written behind them: up to a multiple of
 * VFI_FLOW_ROW_FLOATS. */
static inline GuardedRow guarded_row(size_t n)
{
    GuardedRow row = {
        .bytes = vfi_align_up(n, VFI_FLOW_ROW_FLOATS) * sizeof(float),
    };

    row.memory = vfi_try_alloc(1, row.bytes + 2 * GUARD_BYTES, "test row", NULL);
    row.data = (float *)(void *)(row.memory + GUARD_BYTES);
    memset(row.memory, GUARD_VALUE, row.bytes + 2 * GUARD_BYTES);
    return row;
}

/* Filled with numbers in [low, high). */
static inline GuardedRow random_row(GRand *random, size_t n, double low, double high)
{
    GuardedRow row = guarded_row(n);

    for (size_t i = 0; i < n; i++)
        row.data[i] = (float)g_rand_double_range(random, low, high);
    return row;
}

/* Checks the guards. */
static inline void free_row(GuardedRow *row)
{
    ck_assert(holds_guard_value(row->memory, GUARD_BYTES));
    ck_assert(holds_guard_value(row->memory + GUARD_BYTES + row->bytes, GUARD_BYTES));
    vfi_free(row->memory);
}

static inline void free_rows(GuardedRow *rows, int n)
{
    for (int i = 0; i < n; i++)
        free_row(&rows[i]);
}

/* Within @limit of @expected, relative to 1 where that is less. */
static inline void check_close(float result, double expected, double limit)
{
    double error = fabs((double)result - expected) / MAX(fabs(expected), 1.0);

    ck_assert_msg(error <= limit, "%.9g, expected %.9g", (double)result, expected);
}
