/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps of `flow` on the CPU. In flow/; here, because this folder includes no headers
 * of flow/. */
#pragma once

#include "cpu/kernel_table.h"
#include "cpu/pool/pool.h"
#include "flow/arguments.h"

/* Runs @step on the threads of @pool. Neither their number nor anything else but @level
 * changes a bit of what it leaves, and no memory is allocated. False if cancelled. */
bool vfi_cpu_flow_step(VfiPool *pool, VfiCpuLevel level, const VfiFlowStep *step,
                       const VfiFlowArguments *arguments);
