/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Definitions of kinds whose elements depend on whole pictures, or on all codes. */
#include "reference_elements.h"

/* ---- attention ---------------------------------------------------------------------*/

/* A pixel of a frame. */
typedef struct {
    int frame, y, x;
} Token;

static double token_at(const ReferenceInput *in, int source, Token token, int c)
{
    int channels = in->op->src[source].shape.c / in->op->u.attention.frames;

    return at(in, source, token.frame * channels + c, token.y, token.x);
}

/* The place in its window, and the one of the window, along an axis of @size pixels. */
static void split_place(const VfiAttentionParams *p, int i, int size, int *inner,
                        int *window)
{
    bool grid = p->kind == VFI_ATTENTION_GRID;

    *inner = grid ? i / (size / p->window) : i % p->window;
    *window = grid ? i % (size / p->window) : i / p->window;
}

/* Whether @query sees @key, and how: the bias. */
static bool sees(const ReferenceInput *in, Token query, Token key, double *bias)
{
    const VfiAttentionParams *p = &in->op->u.attention;
    VfiShape s = in->op->src[0].shape;
    int inner[4], window[4], side = 2 * p->window - 1;

    *bias = 0.0;
    if (p->kind == VFI_ATTENTION_GLOBAL)
        return true;
    split_place(p, query.y, s.h, &inner[0], &window[0]);
    split_place(p, query.x, s.w, &inner[1], &window[1]);
    split_place(p, key.y, s.h, &inner[2], &window[2]);
    split_place(p, key.x, s.w, &inner[3], &window[3]);
    if (p->bias != NULL)
        *bias = (double)p->bias[(inner[0] - inner[2] + p->window - 1) * side + inner[1] -
                                inner[3] + p->window - 1];
    return query.frame == key.frame && window[0] == window[2] && window[1] == window[3];
}

static double score(const ReferenceInput *in, Token query, Token key, double bias)
{
    const VfiAttentionParams *p = &in->op->u.attention;
    double sum = 0.0;

    for (int c = 0; c < in->op->src[0].shape.c / p->frames; c++)
        sum += token_at(in, 0, query, c) * token_at(in, 1, key, c);
    return (double)p->scale * sum + bias;
}

static Token token_of(VfiShape s, int i)
{
    return (Token){i / (s.h * s.w), i / s.w % s.h, i % s.w};
}

/* In two passes: the greatest score, then the mean. */
ReferenceElement reference_attention(const ReferenceInput *in, int c, int y, int x)
{
    int frames = in->op->u.attention.frames;
    VfiShape s = in->op->src[0].shape;
    int channels = s.c / frames, tokens = frames * s.h * s.w;
    Token query = {c / channels, y, x};
    double greatest = -INFINITY, total = 0.0, sum = 0.0, bias;
    ReferenceElement e = {0};

    for (int i = 0; i < tokens; i++) {
        Token key = token_of(s, i);
        if (sees(in, query, key, &bias))
            greatest = fmax(greatest, score(in, query, key, bias));
    }
    for (int i = 0; i < tokens; i++) {
        Token key = token_of(s, i);
        if (!sees(in, query, key, &bias))
            continue;
        double part = exp(score(in, query, key, bias) - greatest);
        total += part;
        sum += part * token_at(in, 2, key, c % channels);
    }
    return finish(e, sum / total);
}

/* Squares and sums are f32 by definition, which decides between codes that are about as
 * near. */
static double square_of_difference(const ReferenceInput *in, int c, int y, int x,
                                   const float *code)
{
    double difference = (double)(float)(at(in, 0, c, y, x) - (double)code[c % 3]);

    return (double)(float)(difference * difference);
}

ReferenceElement reference_quantize(const ReferenceInput *in, int c, int y, int x)
{
    const VfiQuantizeParams *p = &in->op->u.quantize;
    double least = INFINITY;
    int nearest = 0, first = c / 3 * 3;
    ReferenceElement e = {0};

    for (int i = 0; i < p->n_codes; i++) {
        const float *code = p->codes + (size_t)i * 3;
        double two = (double)(float)(square_of_difference(in, first, y, x, code) +
                                     square_of_difference(in, first + 1, y, x, code));
        double distance =
            (double)(float)(two + square_of_difference(in, first + 2, y, x, code));
        if (distance < least) {
            least = distance;
            nearest = i;
        }
    }
    return finish(e, (double)p->codes[(size_t)nearest * 3 + (size_t)(c % 3)]);
}

/* ---- over all of it ---------------------------------------------------------------- */

TEST_FORMULA ReferenceElement reference_max_abs(const ReferenceInput *in, int c, int y,
                                                int x)
{
    size_t n = vfi_shape_elements(in->op->src[0].shape);
    ReferenceElement e = {0};

    (void)c;
    (void)y;
    (void)x;
    for (size_t i = 0; i < n && !isnan(e.value); i++) {
        double value = fabs((double)in->src[0][i]);
        if (isnan(value) || value > e.value)
            e.value = value;
    }
    return finish(e, e.value);
}

/* Mean and variance of @n values, the deviations from the mean summed up by
 * themselves. */
typedef struct {
    double mean, variance;
} Moments;

/* Of channels @first … @first+@count-1 of each frame of @of, of which frames have
 * @channels each, over the pixels of rows @y … @end_y-1 and columns @x … @end_x-1. */
typedef struct {
    int frames, channels, first, count;
    int y, end_y, x, end_x;
} Extent;

static double sum_over(const ReferenceInput *in, const Extent *of)
{
    double sum = 0.0;

    for (int f = 0; f < of->frames; f++)
        for (int c = 0; c < of->count; c++)
            for (int y = of->y; y < of->end_y; y++)
                for (int x = of->x; x < of->end_x; x++)
                    sum += at(in, 0, f * of->channels + of->first + c, y, x);
    return sum;
}

static double sum_of_squares(const ReferenceInput *in, const Extent *of, double mean)
{
    double sum = 0.0;

    for (int f = 0; f < of->frames; f++)
        for (int c = 0; c < of->count; c++)
            for (int y = of->y; y < of->end_y; y++)
                for (int x = of->x; x < of->end_x; x++) {
                    double off = at(in, 0, f * of->channels + of->first + c, y, x) - mean;
                    sum += off * off;
                }
    return sum;
}

static Moments moments_of(const ReferenceInput *in, const Extent *of)
{
    double n = (double)of->frames * of->count * (of->end_y - of->y) * (of->end_x - of->x);
    double mean = sum_over(in, of) / n;

    return (Moments){mean, sum_of_squares(in, of, mean) / n};
}

ReferenceElement reference_group_norm(const ReferenceInput *in, int c, int y, int x)
{
    const VfiNormParams *p = &in->op->u.norm;
    VfiShape s = in->op->src[0].shape;
    int channels = s.c / p->frames, count = channels / p->groups, of = c % channels;
    Extent extent = {p->frames, channels, of / count * count, count, 0, s.h, 0, s.w};
    Moments group = moments_of(in, &extent);
    double scale = 1.0, shift = 0.0;
    ReferenceElement e = {0};

    (void)y;
    (void)x;
    if (in->op->n_src == 2) {
        scale += at(in, 1, of, 0, 0);
        shift = at(in, 1, channels + of, 0, 0);
    }
    double factor = (double)p->weight[of] / sqrt(group.variance + (double)p->eps) * scale;
    if (c < channels)
        return finish(e, factor);
    return finish(e, (double)p->bias[of] * scale + shift -
                         takes_part(&e, group.mean * factor));
}

ReferenceElement reference_layer_norm(const ReferenceInput *in, int c, int y, int x)
{
    const VfiNormParams *p = &in->op->u.norm;
    int channels = in->op->src[0].shape.c;
    Extent extent = {1, channels, 0, channels, y, y + 1, x, x + 1};
    Moments pixel = moments_of(in, &extent);
    ReferenceElement e = {0};

    return finish(e, (at(in, 0, c, y, x) - pixel.mean) /
                             sqrt(pixel.variance + (double)p->eps) *
                             (double)p->weight[c] +
                         (double)p->bias[c]);
}

ReferenceElement reference_channel_mean(const ReferenceInput *in, int c, int y, int x)
{
    VfiShape s = in->op->src[0].shape;
    Extent extent = {1, s.c, c, 1, 0, s.h, 0, s.w};
    ReferenceElement e = {0};

    (void)y;
    (void)x;
    return finish(e, sum_over(in, &extent) / ((double)s.h * s.w));
}
