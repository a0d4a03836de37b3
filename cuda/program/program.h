/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan made ready for the device: cuDNN's plans for its convolutions, weights and other
 * constants in device memory, and captured graphs of its segments. */
#pragma once

#include "conv/conv.h"
#include "device/device.h"
#include "ops/cuda_op.h"
#include "rows/row_group.h"

/* What an op needs besides its operands; zeros if it does not. */
typedef struct {
    VfiCudaConvPlan *conv;                         /* the device's */
    const VfiPacked *weights;                      /* on the device */
    const float *constant[VFI_CUDA_MAX_CONSTANTS]; /* device memory */
    bool sums_in_scratch;   /* the sums of a convolution, before its epilogue */
    VfiCudaRowGroup *group; /* the row group that begins with the op */
    int n_ops;              /* of the group */
} VfiCudaStep;

/* Graphs are kept for so many combinations of a segment and its memory. The frames of a
 * view take their places in turn. A stage with a loop has a segment before it and one
 * behind it, and the loop reads its states in two places in turn. */
#define VFI_CUDA_GRAPHS (VFI_MAX_VIEW_FRAMES * 4)

/* A segment captured with the regions that it ran with. */
typedef struct {
    int segment;
    char *region[VFI_MAX_REGIONS];
    unsigned n_runs; /* including those before the capture; 0: not in use */
    uint64_t last_used;
    cudaGraphExec_t graph; /* NULL: not captured yet */
} VfiCudaGraph;

struct VfiProgram {
    VfiDevice *device;
    const VfiPlan *plan;
    VfiCudaStep *steps; /* one per op */
    size_t packed_bytes;
    float *constants;  /* device memory: biases and slopes */
    char *scratch;     /* device memory: sums, after them the convolutions' workspace; or
                        * what another op wants while it runs */
    size_t sums_bytes; /* bytes of them */
    size_t workspace_bytes;
    VfiRunInputs *inputs; /* device memory */
    float *scalars;       /* device memory */
    float *pinned_scalars;
    VfiCudaGraph graphs[VFI_CUDA_GRAPHS];
    uint64_t graph_clock;
    bool no_graphs; /* capturing failed once */
};

/* The backend's functions of these names. */
void vfi_cuda_program_free(VfiDevice *device, VfiProgram *program);
size_t vfi_cuda_program_packed_bytes(const VfiProgram *program);
