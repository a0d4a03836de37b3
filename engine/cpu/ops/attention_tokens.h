/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens of an attention: pixels of a frame that are brought together, in the layouts
 * that products of matrices want, and taken apart again. */
#pragma once

#include "cpu/algorithm.h"

/* Pixels of a frame: @rows × @columns runs of @length side by side, @row_step and
 * @column_step pixels apart. */
typedef struct {
    int frame;
    int first; /* pixel */
    int rows, columns, length;
    int row_step, column_step;
    int ahead; /* pixels to the tokens that come next, to have the cache bring; or 0 */
} VfiTokens;

static inline int vfi_token_count(const VfiTokens *tokens)
{
    return tokens->rows * tokens->columns * tokens->length;
}

/* An operand of volumes whose frames have @channels each. */
typedef struct {
    const VfiCpuKernels *kernels;
    float *data;
    size_t plane;        /* pixels of a frame */
    int channels, total; /* of a frame, of all */
    int lanes;           /* channels that lie side by side; 1: planes */
    int vector;          /* channels of a vector where tokens are in vectors */
} VfiTokenSource;

/* Channels of tokens: in planes, channel c of token i is data[c * pitch + i]; in vectors,
 * data[c / vector * pitch + i * vector + c % vector], zero behind the last channel. */
typedef struct {
    const float *data;
    size_t pitch;
} VfiTokenTile;

/* In planes or in vectors, where they lie or in one of two buffers, each of which has
 * room for all of their channels, rounded up to whole vectors, and VFI_ROW_SLACK floats
 * more. */
VfiTokenTile vfi_tokens_in_planes(const VfiTokenSource *source, const VfiTokens *tokens,
                                  float *const buffers[2]);
VfiTokenTile vfi_tokens_in_vectors(const VfiTokenSource *source, const VfiTokens *tokens,
                                   float *const buffers[2]);

/* From planes, to where they belong, with the zeros behind the last channel. */
void vfi_tokens_store(const VfiTokenSource *to, const VfiTokens *tokens,
                      const VfiTokenTile *planes, float *buffer);
