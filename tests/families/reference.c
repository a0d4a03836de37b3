/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference.h"

#include <math.h>
#include <string.h>

#include "normal_noise.h"

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

static Volume three_frames_at(Network *network, const Volume *view, double t)
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

static Volume three_frames(Network *network, const Volume *view,
                           const ReferenceRequest *request)
{
    return three_frames_at(network, view, request->t);
}

/* The same with time running backwards. */
static Volume three_frames_ahead(Network *network, const Volume *view,
                                 const ReferenceRequest *request)
{
    const Volume backwards[] = {view[2], view[1], view[0]};

    return three_frames_at(network, backwards, 1 - request->t);
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

static Volume four_frames(Network *network, const Volume *view,
                          const ReferenceRequest *request)
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
    x = four_frames_paint(network, image, seen, context, motion, request->t);
    return layer_crop(network, x, view[0].h, view[0].w);
}

/* ---- the sampler ------------------------------------------------------------------- */

#define LATENT 4

typedef struct {
    Volume feature, latent; /* at 1/4 */
} SampledFrame;

static SampledFrame sampler_frame(Network *network, Volume image)
{
    Volume x = layer_conv(network, image, "encode.0", 2);

    x = layer_conv(network, layer_prelu(network, x, "encode.1"), "encode.2", 2);
    x = leaky(network, x);
    return (SampledFrame){x, layer_conv(network, x, "encode.3", 1)};
}

static Volume sampler_distance(Network *network, Volume x, Volume context, double place)
{
    Volume seen[] = {x, context, layer_plane(network, x.h, x.w, place)};
    Volume y = layer_conv(network, layer_concat(network, seen, 3), "denoise.0", 1);

    y = layer_prelu(network, y, "denoise.1");
    Volume far = leaky(network, layer_conv(network, y, "denoise.2", 2));
    far = leaky(network, layer_conv(network, far, "denoise.3", 2));
    far = layer_resize(network, far, x.h, x.w, 1);
    return layer_conv(network, layer_sum(network, 1, y, 1, far), "denoise.4", 1);
}

/* Between the second frame, 1, and the in-between, 0, before round @round. */
static double sampler_place(int round, int steps)
{
    return round == steps ? 0.0 : (double)(steps - round) / (steps + 1);
}

/* Of a Brownian bridge whose variance is 1/8 in the middle. */
static double sampler_variance(double place)
{
    return place * (1 - place) / 2;
}

/* What is known throughout the rounds. */
typedef struct {
    const ReferenceRequest *request;
    int steps;
    Volume context, second, between;
} Walk;

static Volume sampler_noise(Network *network, const Walk *walk, uint32_t stream,
                            int round)
{
    const NoiseSource source = {.seed = walk->request->seed,
                                .key = walk->request->key,
                                .place = (uint32_t)(walk->request->place & 15),
                                .stream = stream,
                                .round = (uint32_t)round};

    return normal_noise(network, &source, LATENT, walk->second.h, walk->second.w);
}

/* One step: where the bridge leads from @x, if the in-between's latent is as far as the
 * network says. */
static Volume sampler_step(Network *network, const Walk *walk, Volume x, int round)
{
    double here = sampler_place(round, walk->steps);
    double there = sampler_place(round + 1, walk->steps);
    double v = sampler_variance(here), w = sampler_variance(there);
    double fresh = w - w * w / v * pow((1 - here) / (1 - there), 2);
    double kept = sqrt((w - fresh) / v);
    Volume distance = sampler_distance(network, x, walk->context, here);
    Volume goal = layer_sum(network, 1, x, -1, distance);
    Volume mean_here = layer_sum(network, 1 - here, goal, here, walk->second);
    Volume mean_there = layer_sum(network, 1 - there, goal, there, walk->second);
    Volume next =
        layer_sum(network, 1, mean_there, kept, layer_sum(network, 1, x, -1, mean_here));

    next = layer_sum(network, 1, next, (here - there) / 2, walk->between);
    return layer_sum(network, 1, next, sqrt(fresh),
                     sampler_noise(network, walk, 1, round));
}

static Volume sampler_paint(Network *network, Volume x, const Volume *image, double t)
{
    x = leaky(network, layer_conv_transpose(network, x, "decode.0"));
    x = leaky(network, layer_conv_transpose(network, x, "decode.1"));
    Volume seen[] = {x, image[0], image[1]};
    x = layer_conv(network, layer_concat(network, seen, 3), "decode.2", 1);
    Volume blended = layer_sum(network, 1 - t, image[0], t, image[1]);
    return layer_clamp(network, layer_sum(network, 1, blended, 0.25, x), 0, 1);
}

static Volume sampler(Network *network, const Volume *view,
                      const ReferenceRequest *request)
{
    double t = request->t;
    Volume image[2];
    SampledFrame frame[2];

    for (int i = 0; i < 2; i++) {
        image[i] = layer_pad(network, view[i], 16);
        frame[i] = sampler_frame(network, image[i]);
    }
    Volume features[] = {frame[0].feature, frame[1].feature};
    Volume context = layer_concat(network, features, 2);
    Walk walk = {
        .request = request,
        .steps = request->steps != 0 ? request->steps : 5,
        .context = leaky(network, layer_conv(network, context, "context", 1)),
        .second = frame[1].latent,
        .between = layer_sum(network, 1 - t, frame[0].latent, t, frame[1].latent),
    };
    Volume x = layer_sum(network, 1, walk.second,
                         sqrt(sampler_variance(sampler_place(0, walk.steps))),
                         sampler_noise(network, &walk, 0, 0));
    for (int round = 0; round < walk.steps; round++)
        x = sampler_step(network, &walk, x, round);
    x = sampler_paint(network, x, image, t);
    return layer_crop(network, x, view[0].h, view[0].w);
}

/* ---- all of them ------------------------------------------------------------------- */

static const Reference references[] = {
    {"three_frames", "three_frames", "three-frames", 1, 0, three_frames, 2},
    {"three_frames_ahead", "three_frames", "three-frames-ahead", 0, 1, three_frames_ahead,
     2},
    {"four_frames", "four_frames", "four-frames", 1, 1, four_frames, 0},
    {"sampler", "sampler", "sampler", 0, 0, sampler, 0},
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
                         const ReferenceRequest *request)
{
    ReferenceRequest of_network = *request;
    Volume known[REFERENCE_MAX_VIEW];
    int low = 0, high = 1 << reference->bisect_depth;
    int target = (int)lround(request->t * high);

    of_network.t = (double)(float)request->t; /* as the network is told */
    if (reference->bisect_depth == 0)
        return reference->infer(network, view, &of_network);
    if (target == low || target == high)
        return view[reference->frames_before + (target == high)];
    of_network.t = 0.5;
    for (int i = 0; i < reference_view_frames(reference); i++)
        known[i] = view[i];
    for (;;) {
        int middle = (low + high) / 2;
        of_network.place = middle * 16 / (1 << reference->bisect_depth) - 8;
        Volume made = reference->infer(network, known, &of_network);
        if (middle == target)
            return made;
        if (request->codes != 0)
            made = in_codes(network, made, request->codes);
        halve(reference, known, made, middle < target);
        low = middle < target ? middle : low;
        high = middle < target ? high : middle;
    }
}

bool reference_rounds_twice(const Reference *reference, const ReferenceRequest *request)
{
    int high = 1 << reference->bisect_depth;

    return request->codes != 0 && high > 1 && lround(request->t * high) != high / 2;
}
