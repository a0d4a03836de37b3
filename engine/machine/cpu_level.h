/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Levels of instruction sets: what the machine has, and what VFI_CPU lets the engine
 * use. */
#pragma once

#include <stdbool.h>

/* Levels of instruction sets; each includes the ones before. */
typedef enum {
    VFI_CPU_LEVEL_C,
    VFI_CPU_LEVEL_AVX2,   /* AVX2, FMA, F16C */
    VFI_CPU_LEVEL_AVX512, /* AVX-512 F, BW, DQ, VL */
} VfiCpuLevel;

/* The level in effect: what CPUID and XGETBV allow, capped by VFI_CPU=c|avx2|avx512 (read
 * once). */
VfiCpuLevel vfi_cpu_level(void);

/* The level of the machine itself, whatever VFI_CPU says. */
VfiCpuLevel vfi_cpu_level_of_machine(void);

/* Whether the machine has AVX512-BF16, which the level AVX512 uses where it is asked
 * to. */
bool vfi_cpu_has_bf16(void);

/* "c", "avx2", "avx512". */
const char *vfi_cpu_level_to_string(VfiCpuLevel level);
