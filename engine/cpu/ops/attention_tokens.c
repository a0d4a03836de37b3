/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/ops/attention_tokens.h"

#include <string.h>

/* ---- change of layout -------------------------------------------------------------- */

/* A level without channel blocks has no kernel for them. */
static void join_planes(const VfiTokenSource *source, const VfiBlockRow *row)
{
    if (source->kernels->block_row != NULL) {
        source->kernels->block_row(row);
        return;
    }
    for (int x = 0; x < row->w; x++)
        for (int c = 0; c < source->vector; c++)
            row->dst[(ptrdiff_t)x * source->vector + c] =
                c < row->channels ? row->src[(size_t)c * row->src_pitch + (size_t)x]
                                  : 0.0f;
}

static void planes_of_vectors(const VfiTokenSource *source, const VfiTokenTile *vectors,
                              int n, float *planes)
{
    for (int c = 0; c < source->channels; c += source->vector)
        source->kernels->unblock_row(&(VfiUnblockRow){
            .dst = planes + (size_t)c * (size_t)n,
            .src = vectors->data + (size_t)(c / source->vector) * vectors->pitch,
            .dst_pitch = (size_t)n,
            .w = n,
            .stride = 1,
            .n = n,
            .channels = MIN(source->vector, source->channels - c),
        });
}

static void vectors_of_planes(const VfiTokenSource *source, const VfiTokenTile *planes,
                              int n, float *vectors, size_t pitch)
{
    for (int c = 0; c < source->channels; c += source->vector)
        join_planes(source, &(VfiBlockRow){
                                .dst = vectors + (size_t)(c / source->vector) * pitch,
                                .src = planes->data + (size_t)c * planes->pitch,
                                .src_pitch = planes->pitch,
                                .w = n,
                                .channels = MIN(source->vector, source->channels - c),
                            });
}

/* ---- runs -------------------------------------------------------------------------- */

static bool is_one_run(const VfiTokens *tokens)
{
    return tokens->rows == 1 && tokens->columns == 1;
}

/* Where run @column of @row begins. */
static size_t run_pixel(const VfiTokens *tokens, int row, int column)
{
    return (size_t)tokens->first + (size_t)row * (size_t)tokens->row_step +
           (size_t)column * (size_t)tokens->column_step;
}

/* Runs are short: no calls. */
static inline void copy_floats(float *restrict dst, const float *restrict src, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        memcpy(dst + i, src + i, 8 * sizeof *dst);
    for (; i < n; i++)
        dst[i] = src[i];
}

/* Floats of a cache line. */
#define LINE 16

/* The tokens of one plane of pixels of @lanes floats, one after the other; or the way
 * back. Caches are told what comes next: no hardware sees through so many short runs. */
static void gather(float *dst, const float *src, const VfiTokens *tokens, size_t lanes)
{
    size_t n = (size_t)tokens->length * lanes, ahead = (size_t)tokens->ahead * lanes;

    for (int row = 0; row < tokens->rows; row++)
        for (int column = 0; column < tokens->columns; column++, dst += n) {
            const float *from = src + run_pixel(tokens, row, column) * lanes;
            for (size_t i = 0; ahead > 1 && i < n; i += LINE)
                __builtin_prefetch(from + ahead + i, 0, 2);
            copy_floats(dst, from, n);
        }
}

static void scatter(float *dst, const float *src, const VfiTokens *tokens, size_t lanes)
{
    size_t n = (size_t)tokens->length * lanes, ahead = (size_t)tokens->ahead * lanes;

    for (int row = 0; row < tokens->rows; row++)
        for (int column = 0; column < tokens->columns; column++, src += n) {
            float *to = dst + run_pixel(tokens, row, column) * lanes;
            for (size_t i = 0; ahead > 1 && i < n; i += LINE)
                __builtin_prefetch(to + ahead + i, 1, 2);
            copy_floats(to, src, n);
        }
}

/* ---- frames that begin in the middle of a vector ----------------------------------- */

static bool is_askew(const VfiTokenSource *source)
{
    return source->lanes > 1 && source->channels % source->lanes != 0 &&
           source->channels != source->total;
}

static float *element(const VfiTokenSource *source, int channel, size_t pixel)
{
    size_t lanes = (size_t)source->lanes, c = (size_t)channel;

    return source->data + c / lanes * source->plane * lanes + pixel * lanes + c % lanes;
}

static void gather_askew(const VfiTokenSource *source, const VfiTokens *tokens,
                         float *planes)
{
    for (int c = 0; c < source->channels; c++)
        for (int row = 0; row < tokens->rows; row++)
            for (int column = 0; column < tokens->columns; column++)
                for (int i = 0; i < tokens->length; i++)
                    *planes++ = *element(source, tokens->frame * source->channels + c,
                                         run_pixel(tokens, row, column) + (size_t)i);
}

/* The last frame also writes the zeros behind its channels. */
static void scatter_askew(const VfiTokenSource *to, const VfiTokens *tokens,
                          const VfiTokenTile *planes)
{
    int first = tokens->frame * to->channels, channels = to->channels;

    if (first + channels == to->total)
        channels = vfi_channels_in_blocks(to->total, to->lanes) - first;
    for (int c = 0; c < channels; c++) {
        size_t at = (size_t)c * planes->pitch;
        for (int row = 0; row < tokens->rows; row++)
            for (int column = 0; column < tokens->columns; column++)
                for (int i = 0; i < tokens->length; i++, at++)
                    *element(to, first + c, run_pixel(tokens, row, column) + (size_t)i) =
                        c < to->channels ? planes->data[at] : 0.0f;
    }
}

/* ---- the tokens of a frame --------------------------------------------------------- */

/* Floats between planes or vectors of the frame, and where its first ones are. */
static size_t frame_pitch(const VfiTokenSource *source)
{
    return source->plane * (size_t)source->lanes;
}

static float *frame_data(const VfiTokenSource *source, int frame)
{
    return source->data + (size_t)frame * (size_t)source->channels * source->plane;
}

/* One after the other, in the layout of the source. */
static VfiTokenTile collect(const VfiTokenSource *source, const VfiTokens *tokens,
                            float *buffer)
{
    size_t lanes = (size_t)source->lanes, pitch = frame_pitch(source);
    const float *data = frame_data(source, tokens->frame);
    int units = vfi_ceil_div(source->channels, source->lanes);

    if (is_one_run(tokens))
        return (VfiTokenTile){data + (size_t)tokens->first * lanes, pitch};
    VfiTokenTile tile = {buffer, (size_t)vfi_token_count(tokens) * lanes};
    for (int unit = 0; unit < units; unit++)
        gather(buffer + (size_t)unit * tile.pitch, data + (size_t)unit * pitch, tokens,
               lanes);
    return tile;
}

VfiTokenTile vfi_tokens_in_planes(const VfiTokenSource *source, const VfiTokens *tokens,
                                  float *const buffers[2])
{
    int n = vfi_token_count(tokens);

    if (is_askew(source)) {
        gather_askew(source, tokens, buffers[0]);
        return (VfiTokenTile){buffers[0], (size_t)n};
    }
    VfiTokenTile tile = collect(source, tokens, buffers[0]);
    if (source->lanes == 1)
        return tile;
    planes_of_vectors(source, &tile, n, buffers[1]);
    return (VfiTokenTile){buffers[1], (size_t)n};
}

VfiTokenTile vfi_tokens_in_vectors(const VfiTokenSource *source, const VfiTokens *tokens,
                                   float *const buffers[2])
{
    int n = vfi_token_count(tokens);
    size_t pitch = (size_t)n * (size_t)source->vector;

    if (source->lanes > 1 && !is_askew(source))
        return collect(source, tokens, buffers[0]);
    VfiTokenTile tile = vfi_tokens_in_planes(source, tokens, buffers);
    vectors_of_planes(source, &tile, n, buffers[1], pitch);
    return (VfiTokenTile){buffers[1], pitch};
}

void vfi_tokens_store(const VfiTokenSource *to, const VfiTokens *tokens,
                      const VfiTokenTile *planes, float *buffer)
{
    size_t lanes = (size_t)to->lanes, pitch = frame_pitch(to);
    float *data = frame_data(to, tokens->frame);
    int n = vfi_token_count(tokens), units = vfi_ceil_div(to->channels, to->lanes);
    VfiTokenTile tile = *planes;

    if (is_askew(to)) {
        scatter_askew(to, tokens, planes);
        return;
    }
    if (to->lanes > 1 && is_one_run(tokens)) {
        vectors_of_planes(to, planes, n, data + (size_t)tokens->first * lanes, pitch);
        return;
    }
    if (to->lanes > 1) {
        tile = (VfiTokenTile){buffer, (size_t)n * lanes};
        vectors_of_planes(to, planes, n, buffer, tile.pitch);
    }
    for (int unit = 0; unit < units; unit++)
        scatter(data + (size_t)unit * pitch, tile.data + (size_t)unit * tile.pitch,
                tokens, lanes);
}
