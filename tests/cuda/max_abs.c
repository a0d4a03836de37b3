/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The largest absolute value against the CPU's C reference. */
#include "tensor_util.h"

#include "cpu/algorithm.h"
#include "cpu/kernel_table.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The kernel's result; guard values beside it must not change. */
static uint32_t largest_of(const float *values, VfiShape shape, int shift)
{
    float guarded[3] = {-1.0f, 1e30f, -1.0f};
    TestTensor src = tensor_new(shape, (Layout){.shift = shift}, values);
    char *result = device_new(guarded, sizeof guarded);

    const VfiOp op = {.kind = VFI_OP_MAX_ABS, .u.max_abs.scalar = 1};
    const VfiCudaLaunch launch = {
        .op = &op, .src = {src.tensor}, .scalars = (float *)(void *)result};
    expect_success(vfi_cuda_op(op.kind)->launch(&launch));
    g_autofree char *read = device_read(result, sizeof guarded);
    memcpy(guarded, read, sizeof guarded);
    ck_assert(guarded[0] == -1.0f && guarded[2] == -1.0f);
    device_free(result);
    tensor_clear(&src);
    return bits_of(guarded[1]);
}

START_TEST(largest_value_of_all)
{
    static const VfiShape shapes[] = {{1, 1, 1}, {2, 1, 3}, {1, 7, 37}, {2, 101, 103}};
    static const float tops[] = {0.0f, 3.0f, -17.5f, INFINITY, NAN, 1e-42f};
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    size_t n = vfi_shape_elements(shapes[_i]);
    g_autofree float *values = random_floats(random, n);

    for (size_t i = 0; i < G_N_ELEMENTS(tops); i++)
        for (int shift = 0; shift < 2; shift++) {
            size_t at = (size_t)g_rand_int_range(random, 0, (gint32)n);
            float kept = values[at];
            values[at] = tops[i];
            uint32_t expected = vfi_cpu_kernels(VFI_CPU_LEVEL_C)->max_abs(values, n);
            uint32_t found = largest_of(values, shapes[_i], shift);
            values[at] = kept;
            if (found != expected)
                ck_abort_msg("the largest is %#x, not %#x", found, expected);
        }
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-max_abs");
    TCase *tcase = tcase_create("max_abs");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, largest_value_of_all, 0, 4);
    return check_main(suite);
}
