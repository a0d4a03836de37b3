/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running one op in guarded memory. A kernel test is one executable that gets the level
 * as its argument and is registered once a level; where the CPU lacks the level it
 * reports one skipped case. */
#pragma once

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "check_main.h"
#include "cpu/cpu_op.h"

/* The level under test; set by kernel_test_main(). */
static VfiCpuLevel test_level;

/* Bytes before and after every operand, and what they hold: a NaN as float. */
#define GUARD_BYTES 256
#define GUARD_VALUE 0xff

/* Sets test_level from the argument and runs what @make_suite gives. */
static inline int kernel_test_main(int argc, char **argv, Suite *(*make_suite)(void))
{
    VfiCpuLevel level = VFI_CPU_LEVEL_C;
    const char *name = argc > 1 ? argv[1] : "c";

    while (strcmp(name, vfi_cpu_level_to_string(level)) != 0) {
        if (level == VFI_CPU_LEVEL_AVX512)
            return EXIT_FAILURE;
        level++;
    }
    if (level > vfi_cpu_level_of_machine()) {
        printf("1..0 # SKIP this CPU has no %s\n", name);
        return EXIT_SUCCESS;
    }
    test_level = level;
    return check_main(make_suite());
}

/* Random floats in [-1, 1). Freed with g_free(). */
static inline float *random_floats(GRand *random, size_t n)
{
    float *values = g_new(float, n);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)g_rand_double_range(random, -1.0, 1.0);
    return values;
}

static inline int random_pick(GRand *random, const int *values, int n)
{
    return values[g_rand_int_range(random, 0, n)];
}

static inline size_t operand_bytes(const VfiOperand *operand)
{
    return vfi_shape_floats(operand->shape, operand->block) * sizeof(float);
}

/* Place of element @c, @at of its plane in the operand's own layout. */
static inline size_t element_place(const VfiOperand *operand, int c, size_t at)
{
    size_t plane = (size_t)operand->shape.h * (size_t)operand->shape.w;
    int block = MAX(operand->block, 1);

    return ((size_t)(c / block) * plane + at) * (size_t)block + (size_t)(c % block);
}

/* Copies planes into the operand's layout, zeros in channels beyond the last, or back. */
static inline void planes_to_operand(const VfiOperand *operand, const float *planes,
                                     float *stored)
{
    size_t plane = (size_t)operand->shape.h * (size_t)operand->shape.w;

    memset(stored, 0, operand_bytes(operand));
    for (int c = 0; c < operand->shape.c; c++)
        for (size_t at = 0; at < plane; at++)
            stored[element_place(operand, c, at)] = *planes++;
}

/* Also checks that channels beyond the last hold zeros. */
static inline void operand_to_planes(const VfiOperand *operand, const float *stored,
                                     float *planes)
{
    size_t plane = (size_t)operand->shape.h * (size_t)operand->shape.w;
    int block = MAX(operand->block, 1), c = 0;
    bool zeros = true;

    for (; c < operand->shape.c; c++)
        for (size_t at = 0; at < plane; at++)
            *planes++ = stored[element_place(operand, c, at)];
    for (; c % block != 0; c++)
        for (size_t at = 0; at < plane; at++)
            zeros = zeros && stored[element_place(operand, c, at)] == 0.0f;
    ck_assert(zeros);
}

/* An operand at the next free place, @shift floats off alignment. */
static inline size_t place_operand(VfiOperand *operand, size_t free, int shift)
{
    size_t bytes = operand_bytes(operand);

    operand->region = VFI_REGION_ARENA;
    operand->offset = free + GUARD_BYTES + (size_t)shift * sizeof(float);
    return (operand->offset + bytes + GUARD_BYTES + 63) / 64 * 64;
}

static inline bool holds_guard_value(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)bytes[i] != GUARD_VALUE)
            return false;
    }
    return true;
}

/* How an op is run. */
typedef struct {
    VfiCpuLevel level;
    int threads;
    int shift;     /* floats off alignment, for every operand */
    bool in_place; /* dst is src[0] */
    bool bf16;     /* the op may round to bf16 */
    VfiRunInputs inputs;
    float *scalars;
} Setting;

static inline void check_guards(const char *arena, const VfiOperand *operand)
{
    size_t bytes = operand_bytes(operand);

    ck_assert(holds_guard_value(arena + operand->offset - GUARD_BYTES, GUARD_BYTES));
    ck_assert(holds_guard_value(arena + operand->offset + bytes, GUARD_BYTES));
}

/* Runs @op with @scratch_bytes a thread, checks that nothing beyond them is written. */
static inline void run_in_scratch(const VfiCpuOp *ready, char *arena,
                                  const Setting *setting)
{
    size_t stride = (vfi_cpu_op_scratch_bytes(ready) + 63) / 64 * 64;
    size_t all = stride * (size_t)setting->threads;
    char *scratch = vfi_try_alloc(1, all + GUARD_BYTES, "test scratch", NULL);
    VfiPool *pool = vfi_pool_new(setting->threads, NULL);
    VfiCpuRun run = {
        .pool = pool,
        .region = {arena},
        .scratch = scratch,
        .scratch_stride = stride,
        .inputs = setting->inputs,
        .scalars = setting->scalars,
    };

    memset(scratch, GUARD_VALUE, all + GUARD_BYTES);
    ck_assert(vfi_cpu_op_run(ready, &run));
    ck_assert(holds_guard_value(scratch + all, GUARD_BYTES));
    vfi_pool_free(pool);
    vfi_free(scratch);
}

/* Places @op's operands (shapes are set), fills them from @sources, runs the op, checks
 * guards and sources, and returns the result (g_free()). */
static inline float *run_op(VfiOp *op, const float *const *sources,
                            const Setting *setting)
{
    g_autoptr(GError) error = NULL;
    size_t end = 0;

    for (int i = 0; i < op->n_src; i++)
        end = place_operand(&op->src[i], end, setting->shift);
    if (setting->in_place)
        op->dst.offset = op->src[0].offset;
    else
        end = place_operand(&op->dst, end, setting->shift);

    char *arena = vfi_try_alloc(1, end, "test arena", NULL);
    memset(arena, GUARD_VALUE, end);
    for (int i = 0; i < op->n_src; i++)
        planes_to_operand(&op->src[i], sources[i], (float *)(arena + op->src[i].offset));

    VfiCpuOpSetup setup = {.level = setting->level, .bf16 = setting->bf16};
    VfiCpuOp *ready = vfi_cpu_op_new_with(op, &setup, &error);
    ck_assert_msg(ready != NULL, "%s", error != NULL ? error->message : "");
    run_in_scratch(ready, arena, setting);
    vfi_cpu_op_free(ready);

    check_guards(arena, &op->dst);
    for (int i = 0; i < op->n_src; i++) {
        check_guards(arena, &op->src[i]);
        if (i == 0 && setting->in_place)
            continue;
        g_autofree float *again = g_malloc(operand_bytes(&op->src[i]));
        planes_to_operand(&op->src[i], sources[i], again);
        ck_assert_mem_eq(arena + op->src[i].offset, again, operand_bytes(&op->src[i]));
    }
    float *result = g_new(float, vfi_shape_elements(op->dst.shape));
    operand_to_planes(&op->dst, (const float *)(arena + op->dst.offset), result);
    vfi_free(arena);
    return result;
}

/* The result at the level under test; checked to be the same bits with 1, 2 and 3 threads
 * and at another alignment. */
static inline float *run_op_all_threads(VfiOp *op, const float *const *sources)
{
    Setting setting = {.level = test_level, .threads = 1};
    size_t bytes = vfi_shape_elements(op->dst.shape) * sizeof(float);
    float *result = run_op(op, sources, &setting);

    for (int threads = 2; threads <= 3; threads++) {
        setting.threads = threads;
        setting.shift = threads - 1;
        g_autofree float *again = run_op(op, sources, &setting);
        ck_assert_mem_eq(again, result, bytes);
    }
    return result;
}

/* Largest |a - b| relative to @scale; NaN on both sides is equal, on one side
 * infinite. */
static inline double largest_error(const float *result, const double *expected, size_t n,
                                   double scale)
{
    double largest = 0.0;

    for (size_t i = 0; i < n; i++) {
        if (isnan(result[i]) && isnan(expected[i]))
            continue;
        if (isnan(result[i]) || isnan(expected[i]))
            return INFINITY;
        if ((double)result[i] != expected[i])
            largest = MAX(largest, fabs((double)result[i] - expected[i]));
    }
    return largest / scale;
}

static inline double largest_value(const double *values, size_t n)
{
    double largest = 1e-30;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(values[i]))
            largest = MAX(largest, fabs(values[i]));
    }
    return largest;
}
