/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel templates at AVX512's vector width. */
#include "cpu/x86/vector_avx512.h"

#include "cpu/elementwise_tmpl.h"
#include "cpu/flow_patches.h"
#include "cpu/flow_tmpl.h"
#include "cpu/x86/attention_tmpl.h"
#include "cpu/x86/blocks_tmpl.h"
#include "cpu/x86/conv_tmpl.h"
#include "cpu/x86/correlation_tmpl.h"
#include "cpu/x86/depthwise_tmpl.h"
#include "cpu/x86/flow_search_tmpl.h"
#include "cpu/x86/flow_splat_tmpl.h"
#include "cpu/x86/half_tmpl.h"
#include "cpu/x86/multiply_tmpl.h"
#include "cpu/x86/norm_tmpl.h"
#include "cpu/x86/resample_tmpl.h"
#include "cpu/x86/winograd_tmpl.h"

void vfi_cpu_kernels_fill_avx512(VfiCpuKernels *kernels)
{
    ISA(fill_elementwise)(kernels);
    ISA(fill_norm)(kernels);
    ISA(fill_conv)(kernels);
    ISA(fill_blocks)(kernels);
    kernels->correlation_blocks = ISA(correlation_blocks);
    kernels->depthwise_row = ISA(depthwise_row);
    kernels->softmax_tile = ISA(softmax_tile);
    kernels->weigh_tile = ISA(weigh_tile);
    kernels->multiply = ISA(multiply);
    kernels->multiply_rows = MULTIPLY_ROWS_2;
    ISA(fill_flow)(&kernels->flow);
    kernels->flow.begin = ISA(flow_begin);
    kernels->flow.sweep = ISA(flow_sweep);
    kernels->flow.densify = ISA(flow_densify);
    kernels->flow.splat = ISA(flow_splat);
    ISA(fill_half)(kernels);
    ISA(fill_resample)(kernels);
    ISA(fill_winograd)(kernels);
}
