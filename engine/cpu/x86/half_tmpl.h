/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* f32 to f16 and back. The conversions do not heed flush-to-zero. */
#include "base/f16.h"
#include "cpu/kernel_table.h"

static void ISA(narrow)(uint16_t *dst, const float *src, size_t n)
{
    const Vector most = v_set1(VFI_F16_MAX), least = v_set1(-VFI_F16_MAX);
    size_t i = 0;

    /* where one operand is NaN, max and min give the second */
    for (; i + VECTOR_FLOATS <= n; i += VECTOR_FLOATS)
        v_store_f16(dst + i, v_min(most, v_max(least, v_load(src + i))));
    for (; i < n; i++)
        dst[i] = vfi_f16_from_float(src[i]);
}

static void ISA(widen)(float *dst, const uint16_t *src, size_t n)
{
    size_t i = 0;

    for (; i + VECTOR_FLOATS <= n; i += VECTOR_FLOATS)
        v_store(dst + i, v_load_f16(src + i));
    for (; i < n; i++)
        dst[i] = vfi_float_from_f16(src[i]);
}

static void ISA(fill_half)(VfiCpuKernels *kernels)
{
    kernels->narrow = ISA(narrow);
    kernels->widen = ISA(widen);
}
