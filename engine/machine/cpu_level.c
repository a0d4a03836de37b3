/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which instruction sets the machine has, and which of them VFI_CPU lets the engine
 * use. */
#include "machine/cpu_level.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/environment.h"
#include "base/logging.h"
#include "base/printable.h"

static const char *const level_names[] = {
    [VFI_CPU_LEVEL_C] = "c",
    [VFI_CPU_LEVEL_AVX2] = "avx2",
    [VFI_CPU_LEVEL_AVX512] = "avx512",
};

const char *vfi_cpu_level_to_string(VfiCpuLevel level)
{
    return level_names[level];
}

#if defined(__x86_64__)
/* __builtin_cpu_supports() asks XGETBV as well as CPUID; F16C is not known to every
 * compiler's version of it, and needs the same register state as AVX. */
VfiCpuLevel vfi_cpu_level_of_machine(void)
{
    unsigned eax, ebx, ecx = 0, edx;

    __builtin_cpu_init();
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & bit_F16C) == 0 ||
        !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return VFI_CPU_LEVEL_C;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return VFI_CPU_LEVEL_AVX2;
    return VFI_CPU_LEVEL_AVX512;
}

bool vfi_cpu_has_bf16(void)
{
    return vfi_cpu_level_of_machine() == VFI_CPU_LEVEL_AVX512 &&
           __builtin_cpu_supports("avx512bf16");
}
#else
VfiCpuLevel vfi_cpu_level_of_machine(void)
{
    return VFI_CPU_LEVEL_C;
}

bool vfi_cpu_has_bf16(void)
{
    return false;
}
#endif

/* The machine's level, lowered to what the environment variable names. */
static VfiCpuLevel read_level(void)
{
    VfiCpuLevel machine = vfi_cpu_level_of_machine();
    const char *cap = vfi_environment("VFI_CPU");

    if (cap == NULL)
        return machine;
    for (size_t i = 0; i < G_N_ELEMENTS(level_names); i++) {
        if (strcmp(cap, level_names[i]) == 0)
            return MIN((VfiCpuLevel)i, machine);
    }
    g_autofree char *shown = vfi_printable(cap);
    vfi_log(VFI_LOG_WARNING, "VFI_CPU=%s is ignored; valid values are c, avx2, avx512",
            shown);
    return machine;
}

VfiCpuLevel vfi_cpu_level(void)
{
    static gsize level_plus_one;

    if (g_once_init_enter(&level_plus_one))
        g_once_init_leave(&level_plus_one, (gsize)read_level() + 1);
    return (VfiCpuLevel)(level_plus_one - 1);
}
