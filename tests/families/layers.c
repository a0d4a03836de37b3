/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layers.h"

#include <math.h>
#include <string.h>

#include "deterministic_weights.h"
#include "sanitizers.h"

struct Network {
    GArray *tensors; /* StateEntry */
    GPtrArray *memory;
};

Network *network_new(const char *state_dict)
{
    Network *network = g_new0(Network, 1);

    network->tensors = state_dict_of(state_dict);
    g_assert(network->tensors != NULL);
    network->memory = g_ptr_array_new_with_free_func(g_free);
    return network;
}

void network_free(Network *network)
{
    g_array_unref(network->tensors);
    g_ptr_array_unref(network->memory);
    g_free(network);
}

Volume volume_new(Network *network, int c, int h, int w)
{
    Volume x = {c, h, w, g_new0(double, (size_t)c *(size_t)h *(size_t)w)};

    g_ptr_array_add(network->memory, x.values);
    return x;
}

static size_t volume_size(Volume x)
{
    return (size_t)x.c * (size_t)x.h * (size_t)x.w;
}

/* The tensor @key.@suffix; its shape in *entry. */
static float *tensor(Network *network, const char *key, const char *suffix,
                     const StateEntry **entry)
{
    g_autofree char *name = g_strconcat(key, suffix, NULL);

    for (guint i = 0; i < network->tensors->len; i++) {
        const StateEntry *candidate = &g_array_index(network->tensors, StateEntry, i);
        if (strcmp(candidate->key, name) != 0)
            continue;
        float *values = deterministic_values(candidate);
        g_ptr_array_add(network->memory, values);
        *entry = candidate;
        return values;
    }
    g_error("no tensor %s", name);
}

/* ---- convolutions ------------------------------------------------------------------ */

/* The sum of one output pixel; @weight is of its output channel. */
static TEST_FORMULA double conv_sum(const Volume *x, const float *weight, int kernel,
                                    int top, int left)
{
    double sum = 0.0;

    for (int c = 0; c < x->c; c++)
        for (int ky = 0; ky < kernel; ky++)
            for (int kx = 0; kx < kernel; kx++, weight++)
                if (top + ky >= 0 && top + ky < x->h && left + kx >= 0 &&
                    left + kx < x->w)
                    sum += (double)*weight * *volume_at(x, c, top + ky, left + kx);
    return sum;
}

Volume layer_conv(Network *network, Volume x, const char *key, int stride)
{
    const StateEntry *entry, *of_bias;
    const float *weight = tensor(network, key, ".weight", &entry);
    const float *bias = tensor(network, key, ".bias", &of_bias);
    int kernel = entry->shape[2], pad = (kernel - 1) / 2;
    size_t filter = (size_t)x.c * (size_t)kernel * (size_t)kernel;

    g_assert_cmpint(entry->shape[1], ==, x.c);
    Volume out = volume_new(network, entry->shape[0], (x.h + stride - 1) / stride,
                            (x.w + stride - 1) / stride);
    for (int c = 0; c < out.c; c++)
        for (int y = 0; y < out.h; y++)
            for (int column = 0; column < out.w; column++)
                *volume_at(&out, c, y, column) =
                    (double)bias[c] + conv_sum(&x, weight + (size_t)c * filter, kernel,
                                               y * stride - pad, column * stride - pad);
    return out;
}

/* Adds what the input channel @x_c gives to the output channel @c. */
static TEST_FORMULA void scatter(const Volume *x, int x_c, const float *kernel,
                                 const Volume *out, int c)
{
    for (int y = 0; y < x->h; y++)
        for (int column = 0; column < x->w; column++)
            for (int k = 0; k < 16; k++) {
                int to_y = 2 * y - 1 + k / 4, to_x = 2 * column - 1 + k % 4;
                if (to_y >= 0 && to_y < out->h && to_x >= 0 && to_x < out->w)
                    *volume_at(out, c, to_y, to_x) +=
                        (double)kernel[k] * *volume_at(x, x_c, y, column);
            }
}

Volume layer_conv_transpose(Network *network, Volume x, const char *key)
{
    const StateEntry *entry, *of_bias;
    const float *weight = tensor(network, key, ".weight", &entry);
    const float *bias = tensor(network, key, ".bias", &of_bias);
    size_t plane = (size_t)4 * (size_t)x.h * (size_t)x.w;

    g_assert_cmpint(entry->shape[0], ==, x.c);
    Volume out = volume_new(network, entry->shape[1], 2 * x.h, 2 * x.w);
    for (int c = 0; c < out.c; c++) {
        for (size_t i = 0; i < plane; i++)
            out.values[(size_t)c * plane + i] = (double)bias[c];
        for (int x_c = 0; x_c < x.c; x_c++)
            scatter(&x, x_c, weight + (size_t)(x_c * out.c + c) * 16, &out, c);
    }
    return out;
}

/* ---- element by element ------------------------------------------------------------ */

Volume layer_prelu(Network *network, Volume x, const char *key)
{
    const StateEntry *entry;
    const float *slope = tensor(network, key, ".weight", &entry);
    Volume out = volume_new(network, x.c, x.h, x.w);
    size_t plane = (size_t)x.h * (size_t)x.w;

    g_assert_cmpint(entry->shape[0], ==, x.c);
    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] =
            x.values[i] < 0.0 ? (double)slope[i / plane] * x.values[i] : x.values[i];
    return out;
}

Volume layer_leaky(Network *network, Volume x, double leak)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] = x.values[i] < 0.0 ? leak * x.values[i] : x.values[i];
    return out;
}

Volume layer_sigmoid(Network *network, Volume x)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] = 1.0 / (1.0 + exp(-x.values[i]));
    return out;
}

/* The value of @y that belongs to value @i of @x. */
static double other_value(const Volume *x, const Volume *y, size_t i)
{
    g_assert(y->h == x->h && y->w == x->w && (y->c == x->c || y->c == 1));
    return y->values[y->c == 1 ? i % ((size_t)x->h * (size_t)x->w) : i];
}

Volume layer_sum(Network *network, double a, Volume x, double b, Volume y)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] = a * x.values[i] + b * other_value(&x, &y, i);
    return out;
}

Volume layer_product(Network *network, Volume x, Volume y)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] = x.values[i] * other_value(&x, &y, i);
    return out;
}

Volume layer_affine(Network *network, Volume x, double mul, double add)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] = x.values[i] * mul + add;
    return out;
}

Volume layer_clamp(Network *network, Volume x, double low, double high)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (size_t i = 0; i < volume_size(x); i++)
        out.values[i] = fmin(fmax(x.values[i], low), high);
    return out;
}

/* ---- channels ---------------------------------------------------------------------- */

Volume layer_slice(Network *network, Volume x, int first, int count)
{
    Volume out = volume_new(network, count, x.h, x.w);

    memcpy(out.values, volume_at(&x, first, 0, 0), volume_size(out) * sizeof(double));
    return out;
}

Volume layer_concat(Network *network, const Volume *parts, int n)
{
    int c = 0;

    for (int i = 0; i < n; i++)
        c += parts[i].c;
    Volume out = volume_new(network, c, parts[0].h, parts[0].w);
    c = 0;
    for (int i = 0; i < n; i++) {
        g_assert(parts[i].h == out.h && parts[i].w == out.w);
        memcpy(volume_at(&out, c, 0, 0), parts[i].values,
               volume_size(parts[i]) * sizeof(double));
        c += parts[i].c;
    }
    return out;
}

Volume layer_plane(Network *network, int h, int w, double value)
{
    Volume out = volume_new(network, 1, h, w);

    for (size_t i = 0; i < volume_size(out); i++)
        out.values[i] = value;
    return out;
}

/* ---- places ------------------------------------------------------------------------ */

/* Bilinear at (@column, @y), the edges repeated. */
static TEST_FORMULA double sample(const Volume *x, int c, double y, double column)
{
    y = fmin(fmax(y, 0.0), x->h - 1);
    column = fmin(fmax(column, 0.0), x->w - 1);
    int y0 = (int)y, x0 = (int)column;
    int y1 = MIN(y0 + 1, x->h - 1), x1 = MIN(x0 + 1, x->w - 1);
    double top = *volume_at(x, c, y0, x0) * (1 - (column - x0)) +
                 *volume_at(x, c, y0, x1) * (column - x0);
    double bottom = *volume_at(x, c, y1, x0) * (1 - (column - x0)) +
                    *volume_at(x, c, y1, x1) * (column - x0);

    return top * (1 - (y - y0)) + bottom * (y - y0);
}

Volume layer_resize(Network *network, Volume x, int h, int w, double mul)
{
    Volume out = volume_new(network, x.c, h, w);

    for (int c = 0; c < x.c; c++)
        for (int y = 0; y < h; y++)
            for (int column = 0; column < w; column++)
                *volume_at(&out, c, y, column) =
                    mul * sample(&x, c, (y + 0.5) * x.h / h - 0.5,
                                 (column + 0.5) * x.w / w - 0.5);
    return out;
}

Volume layer_avg_pool(Network *network, Volume x)
{
    Volume out = volume_new(network, x.c, x.h / 2, x.w / 2);

    for (int c = 0; c < x.c; c++)
        for (int y = 0; y < out.h; y++)
            for (int column = 0; column < out.w; column++)
                *volume_at(&out, c, y, column) =
                    (*volume_at(&x, c, 2 * y, 2 * column) +
                     *volume_at(&x, c, 2 * y, 2 * column + 1) +
                     *volume_at(&x, c, 2 * y + 1, 2 * column) +
                     *volume_at(&x, c, 2 * y + 1, 2 * column + 1)) /
                    4.0;
    return out;
}

Volume layer_warp(Network *network, Volume x, Volume flow)
{
    Volume out = volume_new(network, x.c, x.h, x.w);

    for (int c = 0; c < x.c; c++)
        for (int y = 0; y < x.h; y++)
            for (int column = 0; column < x.w; column++)
                *volume_at(&out, c, y, column) =
                    sample(&x, c, y + *volume_at(&flow, 1, y, column),
                           column + *volume_at(&flow, 0, y, column));
    return out;
}

/* As much of @x as there is room for, at the top left of h × w zeros. */
static Volume fit(Network *network, Volume x, int h, int w)
{
    Volume out = volume_new(network, x.c, h, w);

    for (int c = 0; c < x.c; c++)
        for (int y = 0; y < MIN(h, x.h); y++)
            memcpy(volume_at(&out, c, y, 0), volume_at(&x, c, y, 0),
                   (size_t)MIN(w, x.w) * sizeof(double));
    return out;
}

Volume layer_pad(Network *network, Volume x, int multiple)
{
    return fit(network, x, (x.h + multiple - 1) / multiple * multiple,
               (x.w + multiple - 1) / multiple * multiple);
}

Volume layer_crop(Network *network, Volume x, int h, int w)
{
    return fit(network, x, h, w);
}
