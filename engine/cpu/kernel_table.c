/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/kernel_table.h"

#include <glib.h>

static VfiCpuKernels tables[VFI_CPU_LEVEL_AVX512 + 1];

static void fill_tables(void)
{
    for (int level = 0; level <= (int)vfi_cpu_level_of_machine(); level++) {
        VfiCpuKernels *table = &tables[level];
        vfi_cpu_kernels_fill_c(table);
#if defined(__x86_64__)
        if (level >= VFI_CPU_LEVEL_AVX2)
            vfi_cpu_kernels_fill_avx2(table);
        if (level >= VFI_CPU_LEVEL_AVX512)
            vfi_cpu_kernels_fill_avx512(table);
        if (level >= VFI_CPU_LEVEL_AVX512 && vfi_cpu_has_bf16())
            vfi_cpu_kernels_fill_avx512_bf16(table);
#endif
    }
}

const VfiCpuKernels *vfi_cpu_kernels(VfiCpuLevel level)
{
    static gsize filled;

    if (g_once_init_enter(&filled)) {
        fill_tables();
        g_once_init_leave(&filled, 1);
    }
    return &tables[level];
}
