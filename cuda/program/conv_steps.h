/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program needs for each of its convolutions: cuDNN's plan, and the weights on the
 * device. */
#pragma once

#include "program/program.h"

/* Bytes that the convolutions of a plan take. All use the same sums and workspace, one
 * after the other. */
typedef struct {
    size_t sums;
    size_t workspace;
    size_t packed; /* weights that are not on the device yet */
} VfiCudaConvNeed;

/* Adds what the convolution at op @index needs. */
bool vfi_cuda_add_conv_need(VfiDevice *device, const VfiPlan *plan, int index,
                            VfiCudaConvNeed *need, GError **error);

/* Fills in the step of the convolution at op @index. Weights may still be being copied to
 * the device when this returns: memory of the program that is allocated later waits for
 * them. */
bool vfi_cuda_prepare_conv(VfiProgram *program, int index, GError **error);
