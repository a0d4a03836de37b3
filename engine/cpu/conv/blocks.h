/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What convolutions into channel blocks share: groups of output blocks that the product
 * of matrices does at once, and biases and slopes padded to whole blocks. */
#pragma once

#include "cpu/algorithm.h"

/* Output blocks @first … @first + @n - 1 of one product. */
typedef struct {
    int first, n;
} VfiOutGroup;

/* Groups that @n_blocks output blocks fall into: pairs, and one of three where they are
 * odd. */
int vfi_out_groups(int n_blocks);
VfiOutGroup vfi_out_group(int n_blocks, int group);

/* Channels rounded up to whole blocks. */
static inline int vfi_padded_channels(int channels, int block)
{
    return vfi_ceil_div(channels, block) * block;
}

/* Bias and slope of every channel, zeros where there are none: two runs of
 * vfi_padded_channels() floats. vfi_free() it. */
float *vfi_block_epilogue_new(const VfiConvParams *p, int channels, int block,
                              GError **error);

/* The epilogue of block @index from what vfi_block_epilogue_new() made. */
VfiBlockEpilogue vfi_block_epilogue(const float *values, const VfiConvParams *p,
                                    int channels, int block, int index);

/* Start of channel block @index of a blocked operand. */
static inline float *vfi_operand_block(const VfiCpuRun *run, const VfiOperand *operand,
                                       int index)
{
    size_t plane = (size_t)operand->shape.h * (size_t)operand->shape.w;
    return vfi_operand(run, operand) + (size_t)index * plane * (size_t)operand->block;
}
