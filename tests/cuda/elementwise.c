/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Element-wise kernels of the CUDA backend against plain C. */
#include <check.h>

#include "check_main.h"
#include "kernels.h"

START_TEST(affine)
{
    float data[] = {0.0f, 1.0f, -2.0f};
    VfiCudaTensor tensor = {.data = data, .c = 3, .h = 1, .w = 1};

    ck_assert_int_eq(vfi_cuda_affine(NULL, &tensor, 2.0f, 1.0f, &tensor), cudaSuccess);
    ck_assert(data[0] == 1.0f && data[1] == 3.0f && data[2] == -3.0f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-elementwise");
    TCase *tcase = tcase_create("elementwise");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, affine);
    return check_main(suite);
}
