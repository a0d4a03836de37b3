/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/conv/conv.h"

const VfiCpuAlgorithm *const vfi_cpu_conv[] = {
    &vfi_cpu_conv_winograd, &vfi_cpu_conv_depthwise, &vfi_cpu_conv_blocked,
    &vfi_cpu_conv_direct,   &vfi_cpu_conv_reference, NULL,
};

const VfiCpuAlgorithm *const vfi_cpu_conv_transpose[] = {
    &vfi_cpu_conv_blocked,
    &vfi_cpu_conv_direct,
    &vfi_cpu_conv_reference,
    NULL,
};
