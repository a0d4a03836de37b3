/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <vfi/system.h>

#include "backend/backend.h"
#include "machine/cpu_count.h"
#include "machine/cpu_level.h"
#include "machine/memory_probe.h"

void vfi_system_info(VfiSystemInfo *info)
{
    VfiMemoryNumbers memory;

    vfi_memory_probe(&memory);
    *info = (VfiSystemInfo){
        .cpu_level = vfi_cpu_level_to_string(vfi_cpu_level()),
        .machine_cpu_level = vfi_cpu_level_to_string(vfi_cpu_level_of_machine()),
        .cpu_has_bf16 = vfi_cpu_level() == VFI_CPU_LEVEL_AVX512 && vfi_cpu_has_bf16(),
        .threads = (unsigned)vfi_usable_cpus(),
        .memory_total = memory.total,
        .memory_limit = memory.limit,
        .memory_free = memory.free,
        .memory_limited_by = memory.limited_by,
        .memory_headroom = vfi_memory_headroom(&memory, 0),
    };
    info->has_cuda = vfi_cuda_find(&info->cuda);
}
