/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/run_program.h"

#include <vfi/error.h>

#include "op/descriptor.h"
#include "ops/set_inputs.h"
#include "program/graph_capture.h"
#include "program/run_op.h"
#include "runtime/cuda_error.h"

/* Runs op by op and waits for each. */
static bool profile_ops(const VfiProgram *program, int segment,
                        const VfiRunArguments *arguments, GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];
    cudaStream_t stream = program->device->compute_stream;

    for (int i = range->first_op, n = 0; i < range->first_op + range->n_ops; i += n) {
        int64_t start;
        if (!vfi_cuda_check(cudaStreamSynchronize(stream), "measuring a network", error))
            return false;
        start = g_get_monotonic_time();
        if (!vfi_cuda_run_op(program, i, arguments->region, &n, error) ||
            !vfi_cuda_check(cudaStreamSynchronize(stream), "measuring a network", error))
            return false;
        arguments->op_nanoseconds[i] += 1000 * (uint64_t)(g_get_monotonic_time() - start);
    }
    return true;
}

/* Waits for the segment and reads its scalars. */
static bool read_scalars(const VfiProgram *program, int segment, float *scalars,
                         GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];
    cudaStream_t stream = program->device->compute_stream;
    size_t bytes = (size_t)program->plan->n_scalars * sizeof(float);
    bool has_scalars = false;

    for (int i = range->first_op; i < range->first_op + range->n_ops; i++)
        has_scalars = has_scalars || vfi_op_scalar(&program->plan->ops[i]) >= 0;
    if (!has_scalars)
        return true;
    if (!vfi_cuda_check(cudaMemcpyAsync(program->pinned_scalars, program->scalars, bytes,
                                        cudaMemcpyDeviceToHost, stream),
                        "reading a decision", error) ||
        !vfi_cuda_check(cudaStreamSynchronize(stream), "reading a decision", error))
        return false;
    for (int i = range->first_op; i < range->first_op + range->n_ops; i++) {
        int scalar = vfi_op_scalar(&program->plan->ops[i]);
        if (scalar >= 0)
            scalars[scalar] = program->pinned_scalars[scalar];
    }
    return true;
}

static bool run_segment(VfiProgram *program, int segment,
                        const VfiRunArguments *arguments, GError **error)
{
    bool ran;

    if (arguments->op_nanoseconds != NULL)
        return profile_ops(program, segment, arguments, error);
    if (!vfi_cuda_run_graph(program, segment, arguments->region, &ran, error))
        return false;
    return ran || vfi_cuda_run_ops(program, segment, arguments->region, arguments->cancel,
                                   error);
}

bool vfi_cuda_run(VfiDevice *device, const VfiProgram *program, int segment,
                  const VfiRunArguments *arguments, GError **error)
{
    if (arguments->cancel != NULL && atomic_load(arguments->cancel) != 0) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_CANCELLED,
                            "the job was cancelled");
        return false;
    }
    if (!vfi_cuda_enter(device, error))
        return false;
    bool ran = vfi_cuda_check(vfi_cuda_set_inputs(device->compute_stream, program->inputs,
                                                  &arguments->inputs),
                              "beginning a network", error) &&
               run_segment((VfiProgram *)program, segment, arguments, error) &&
               read_scalars(program, segment, arguments->scalars, error);
    vfi_cuda_leave();
    return ran;
}
