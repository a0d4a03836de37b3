/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers in double precision, one loop after the other, for references of whole networks:
 * nothing of the engine is used, and nothing is fast. */
#pragma once

#include <glib.h>

/* Values of c channels of h × w, channel by channel, row by row. */
typedef struct {
    int c, h, w;
    double *values;
} Volume;

/* The tensors of a network, and the memory of everything that is computed with them. */
typedef struct Network Network;

/* The network whose tensors state_dict_of(@state_dict) lists, with deterministic
 * weights. */
Network *network_new(const char *state_dict);
/* Frees its volumes, too. */
void network_free(Network *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Network, network_free)

/* Zeros, as long as @network. */
Volume volume_new(Network *network, int c, int h, int w);

static inline double *volume_at(const Volume *x, int c, int y, int column)
{
    return &x->values[((size_t)c * (size_t)x->h + (size_t)y) * (size_t)x->w +
                      (size_t)column];
}

/* The kernel is that of the tensor; "same" zero padding. */
Volume layer_conv(Network *network, Volume x, const char *key, int stride);

/* 4 × 4, stride 2: twice the size. */
Volume layer_conv_transpose(Network *network, Volume x, const char *key);

Volume layer_prelu(Network *network, Volume x, const char *key);
Volume layer_leaky(Network *network, Volume x, double leak);
Volume layer_sigmoid(Network *network, Volume x);

/* @a * x + @b * y; the second may have one channel for all. */
Volume layer_sum(Network *network, double a, Volume x, double b, Volume y);
/* The second may have one channel for all. */
Volume layer_product(Network *network, Volume x, Volume y);
Volume layer_affine(Network *network, Volume x, double mul, double add);
Volume layer_clamp(Network *network, Volume x, double low, double high);

Volume layer_slice(Network *network, Volume x, int first, int count);
Volume layer_concat(Network *network, const Volume *parts, int n);

/* One channel of that value. */
Volume layer_plane(Network *network, int h, int w, double value);

/* Bilinear between centres of pixels, edges repeated. */
Volume layer_resize(Network *network, Volume x, int h, int w, double mul);
/* Means of 2 × 2. */
Volume layer_avg_pool(Network *network, Volume x);
/* @x at where @flow (2 channels: dx, dy in pixels) points to, edges repeated. */
Volume layer_warp(Network *network, Volume x, Volume flow);

/* Zeros at the right and bottom, up to multiples of @multiple. */
Volume layer_pad(Network *network, Volume x, int multiple);
/* The h × w of it at the top left. */
Volume layer_crop(Network *network, Volume x, int h, int w);
