/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference.h"

#include <math.h>
#include <string.h>

#define LEAK ((double)0.2f) /* as the networks have it, in single precision */

static Volume leaky(Network *network, Volume x)
{
    return layer_leaky(network, x, LEAK);
}

/* ---- three frames ------------------------------------------------------------------ */

/* Flows (4 channels) into the near and the other end of an interval and the near end's
 * weight (1 channel, before the sigmoid). @far is beyond the near end. */
static Volume three_frames_motion(Network *network, Volume far, Volume near, Volume other,
                                  double t)
{
    Volume seen[] = {far, near, other, layer_plane(network, near.h, near.w, t)};
    Volume x = layer_concat(network, seen, 4);

    x = leaky(network, layer_conv(network, x, "behind.down.0", 2));
    x = layer_prelu(network, layer_conv(network, x, "behind.down.1", 2), "behind.down.2");
    Volume y = layer_conv(network, x, "behind.body.0", 1);
    y = layer_conv(network, layer_prelu(network, y, "behind.body.1"), "behind.body.2", 1);
    x = leaky(network, layer_sum(network, 1, x, 1, y));
    x = leaky(network, layer_conv_transpose(network, x, "behind.up"));
    x = layer_conv(network, x, "behind.coarse", 1);
    Volume flow = layer_resize(network, layer_slice(network, x, 0, 4), near.h, near.w, 2);
    Volume mask = layer_resize(network, layer_slice(network, x, 4, 1), near.h, near.w, 1);

    Volume warped[] = {layer_warp(network, near, layer_slice(network, flow, 0, 2)),
                       layer_warp(network, other, layer_slice(network, flow, 2, 2)), flow,
                       mask};
    x = layer_conv(network, layer_concat(network, warped, 4), "behind.refine.0", 1);
    x = layer_conv(network, leaky(network, x), "behind.refine.1", 1);
    return layer_sum(network, 1, layer_concat(network, &warped[2], 2), 1, x);
}

static Volume three_frames(Network *network, const Volume *view, double t)
{
    Volume padded[3];

    for (int i = 0; i < 3; i++)
        padded[i] = layer_pad(network, view[i], 4);
    Volume motion = three_frames_motion(network, padded[0], padded[1], padded[2], t);
    motion = layer_crop(network, motion, view[0].h, view[0].w);
    Volume near = layer_warp(network, view[1], layer_slice(network, motion, 0, 2));
    Volume other = layer_warp(network, view[2], layer_slice(network, motion, 2, 2));
    Volume mask = layer_sigmoid(network, layer_slice(network, motion, 4, 1));
    Volume difference = layer_sum(network, 1, near, -1, other);
    return layer_sum(network, 1, other, 1, layer_product(network, difference, mask));
}

/* The same with time running backwards. */
static Volume three_frames_ahead(Network *network, const Volume *view, double t)
{
    const Volume backwards[] = {view[2], view[1], view[0]};

    return three_frames(network, backwards, 1 - t);
}

/* ---- four frames ------------------------------------------------------------------- */

static Volume four_frames_feature(Network *network, Volume image)
{
    Volume x = layer_conv(network, image, "encode.0", 2);

    x = layer_prelu(network, x, "encode.1");
    return leaky(network, layer_conv(network, x, "encode.2", 1));
}

/* The picture from the images, their features, and what is known of the pair. */
static Volume four_frames_paint(Network *network, const Volume *image,
                                const Volume *feature, Volume context, Volume motion,
                                double t)
{
    int h = image[0].h, w = image[0].w;
    Volume flow0 = layer_affine(network, layer_slice(network, motion, 0, 2), t, 0);
    Volume flow1 = layer_affine(network, layer_slice(network, motion, 2, 2), 1 - t, 0);
    Volume seen[] = {context, layer_warp(network, feature[1], flow0),
                     layer_warp(network, feature[2], flow1),
                     layer_plane(network, h / 2, w / 2, t)};
    Volume x = layer_conv(network, layer_concat(network, seen, 4), "time.0", 1);

    x = layer_conv_transpose(network, layer_prelu(network, x, "time.1"), "time.2");
    Volume first = layer_warp(network, image[1], layer_resize(network, flow0, h, w, 2));
    Volume second = layer_warp(network, image[2], layer_resize(network, flow1, h, w, 2));
    Volume full[] = {leaky(network, x), first, second, image[0], image[3]};
    x = layer_conv(network, layer_concat(network, full, 5), "time.3", 1);
    x = layer_conv(network, leaky(network, x), "time.4", 1);
    Volume mask = layer_sigmoid(network, layer_slice(network, x, 0, 1));
    Volume difference = layer_sum(network, 1, first, -1, second);
    Volume mixed =
        layer_sum(network, 1, second, 1, layer_product(network, difference, mask));
    mixed = layer_sum(network, 1, mixed, 0.25, layer_slice(network, x, 1, 3));
    return layer_clamp(network, mixed, 0, 1);
}

static Volume four_frames(Network *network, const Volume *view, double t)
{
    Volume image[4], seen[5];

    for (int i = 0; i < 4; i++) {
        image[i] = layer_pad(network, view[i], 2);
        seen[i] = four_frames_feature(network, image[i]);
    }
    seen[4] = layer_avg_pool(network, layer_sum(network, 1, image[3], -1, image[0]));
    Volume x = layer_conv(network, layer_concat(network, seen, 5), "pair.0", 1);
    x = layer_conv(network, layer_prelu(network, x, "pair.1"), "pair.2", 1);
    Volume context = leaky(network, x);
    Volume motion =
        layer_affine(network, layer_conv(network, context, "pair.3", 1), 2, 0);
    x = four_frames_paint(network, image, seen, context, motion, t);
    return layer_crop(network, x, view[0].h, view[0].w);
}

/* ---- all of them ------------------------------------------------------------------- */

static const Reference references[] = {
    {"three_frames", "three_frames", "three-frames", 1, 0, three_frames, 2},
    {"three_frames_ahead", "three_frames", "three-frames-ahead", 0, 1, three_frames_ahead,
     2},
    {"four_frames", "four_frames", "four-frames", 1, 1, four_frames, 0},
};

const Reference *reference_of(const char *state_dict)
{
    for (size_t i = 0; i < G_N_ELEMENTS(references); i++)
        if (strcmp(references[i].state_dict, state_dict) == 0)
            return &references[i];
    g_error("no reference of %s", state_dict);
}

Network *reference_network(const Reference *reference)
{
    return network_new(reference->tensors);
}

/* @x as it is in codes 0 … @codes. */
static Volume in_codes(Network *network, Volume x, int codes)
{
    Volume out = layer_clamp(network, x, 0, 1);

    for (size_t i = 0; i < (size_t)x.c * (size_t)x.h * (size_t)x.w; i++)
        out.values[i] = floor(out.values[i] * codes + 0.5) / codes;
    return out;
}

/* The half of the interval that @t is in, with @middle at one end. Beyond it lie the
 * pictures that are nearest there of all that it was halved from. */
static void halve(const Reference *reference, Volume *view, Volume middle, bool second)
{
    int n = reference_view_frames(reference), first = reference->frames_before;

    if (second) {
        for (int i = 0; i < first; i++)
            view[i] = view[i + 1];
        view[first] = middle;
    } else {
        for (int i = n - 1; i > first + 1; i--)
            view[i] = view[i - 1];
        view[first + 1] = middle;
    }
}

Volume reference_picture(const Reference *reference, Network *network, const Volume *view,
                         double t, int codes)
{
    if (reference->bisect_depth == 0)
        return reference->infer(network, view, (double)(float)t);
    Volume known[REFERENCE_MAX_VIEW];
    int low = 0, high = 1 << reference->bisect_depth, target = (int)lround(t * high);

    if (target == low || target == high)
        return view[reference->frames_before + (target == high)];
    for (int i = 0; i < reference_view_frames(reference); i++)
        known[i] = view[i];
    for (;;) {
        int middle = (low + high) / 2;
        Volume made = reference->infer(network, known, 0.5);
        if (middle == target)
            return made;
        if (codes != 0)
            made = in_codes(network, made, codes);
        halve(reference, known, made, middle < target);
        low = middle < target ? middle : low;
        high = middle < target ? high : middle;
    }
}
