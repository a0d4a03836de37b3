/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A convolution as a graph of cuDNN's, and the execution plans that cuDNN has for it. */
#pragma once

#include "conv/conv_context.h"
#include "conv/conv_shape.h"

/* Unique ids of the graph's tensors. */
enum {
    VFI_CUDA_CONV_SRC = 1,
    VFI_CUDA_CONV_WEIGHT,
    VFI_CUDA_CONV_DST,
};

typedef struct VfiCudaConvGraph VfiCudaConvGraph;

/* An engine that accepts the graph, set up and ready to run. */
typedef struct {
    cudnnBackendDescriptor_t plan;
    size_t workspace;
    VfiCudaConvChoice choice;
} VfiCudaConvCandidate;

VfiCudaConvGraph *vfi_cuda_conv_graph_new(const VfiCudaConvContext *context,
                                          const VfiCudaConvShape *shape, GError **error);
void vfi_cuda_conv_graph_free(VfiCudaConvGraph *graph);

/* How far the heuristics' lists have been read; zeros: not at all. */
typedef struct {
    int list, config;
} VfiCudaConvCursor;

/* The next candidates from @cursor on, at most @most and all of one list, in the
 * heuristics' order (fastest first). Returns their number; 0 with an error if there are
 * no more. */
int vfi_cuda_conv_graph_candidates(const VfiCudaConvGraph *graph,
                                   VfiCudaConvCursor *cursor,
                                   VfiCudaConvCandidate *candidates, int most,
                                   GError **error);

/* The candidate with that choice; false if cuDNN does not accept it or its engine may not
 * be used. */
bool vfi_cuda_conv_graph_candidate(const VfiCudaConvGraph *graph,
                                   const VfiCudaConvChoice *choice,
                                   VfiCudaConvCandidate *candidate);

void vfi_cuda_conv_candidate_clear(const VfiCudnnLibrary *library,
                                   VfiCudaConvCandidate *candidate);
