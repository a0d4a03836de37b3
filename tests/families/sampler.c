/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A latent of 1/4 of the size walks along a Brownian bridge from that of the second frame
 * to the in-between's: each round a network guesses how far it still is, and a step of
 * the bridge with fresh noise leads there. What it arrives at is painted over the blended
 * frames. */
#include "families.h"

#include <math.h>

#define LEAK 0.2f
#define LATENT 4      /* channels */
#define VARIANCE 0.25 /* of the bridge, at its middle: half of this */

static VfiValue conv(VfiGraph *graph, VfiValue x, const char *key, int out, int stride)
{
    return vfi_graph_conv(graph, x, key, out, 3, stride);
}

static VfiValue leaky(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_leaky_relu(graph, x, LEAK);
}

/* x times a run input. */
static VfiValue weigh(VfiGraph *graph, VfiValue x, VfiRunInput weight)
{
    VfiShape shape = vfi_graph_shape(graph, x);

    return vfi_graph_mul(
        graph, x, vfi_graph_run_input(graph, weight, shape.h, shape.w, 1.0f, 0.0f));
}

/* (1 - t) * @first + t * @second. */
static VfiValue blend(VfiGraph *graph, VfiValue first, VfiValue second)
{
    VfiValue step =
        weigh(graph, vfi_graph_sub(graph, second, first, 1.0f), VFI_RUN_INPUT_TIME);

    return vfi_graph_add(graph, first, step, 1.0f);
}

/* One image to its feature (12 channels) and its latent. */
static void build_frame(VfiGraph *graph)
{
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), "encode.0", 8, 2);

    x = vfi_graph_prelu(graph, x, "encode.1");
    x = leaky(graph, conv(graph, x, "encode.2", 12, 2));
    vfi_graph_output(graph, "feature", x);
    vfi_graph_output(graph, "latent", conv(graph, x, "encode.3", LATENT, 1));
}

/* ---- segments of the time stage ---------------------------------------------------- */

typedef struct {
    VfiState latent;
    VfiValue context;                /* 12 channels */
    VfiValue first, second, between; /* latents of the frames, and blended */
} Walk;

static VfiValue draw_noise(VfiGraph *graph, VfiShape latent)
{
    VfiValue noise = vfi_graph_noise(graph, LATENT, latent.h, latent.w);

    return weigh(graph, noise, VFI_RUN_INPUT_NOISE_LEVEL);
}

static Walk begin_walk(VfiGraph *graph)
{
    VfiValue features[] = {vfi_graph_feature(graph, 0, "feature"),
                           vfi_graph_feature(graph, 1, "feature")};
    Walk walk = {
        .context = leaky(
            graph, conv(graph, vfi_graph_concat(graph, features, 2), "context", 12, 1)),
        .first = vfi_graph_feature(graph, 0, "latent"),
        .second = vfi_graph_feature(graph, 1, "latent"),
    };
    VfiValue noise = draw_noise(graph, vfi_graph_shape(graph, walk.second));

    walk.between = blend(graph, walk.first, walk.second);
    walk.latent =
        vfi_graph_new_state(graph, vfi_graph_add(graph, walk.second, noise, 1.0f));
    return walk;
}

/* How far the latent @x still is from where it walks to: from what is near, and what is
 * within some fifty pixels. */
static VfiValue guess_distance(VfiGraph *graph, VfiValue x, VfiValue context)
{
    VfiShape shape = vfi_graph_shape(graph, x);
    VfiValue seen[] = {
        x, context,
        vfi_graph_run_input(graph, VFI_RUN_INPUT_STEP, shape.h, shape.w, 1.0f, 0.0f)};
    VfiValue y = conv(graph, vfi_graph_concat(graph, seen, 3), "denoise.0", 16, 1);

    y = vfi_graph_prelu(graph, y, "denoise.1");
    VfiValue far = leaky(graph, conv(graph, y, "denoise.2", 16, 2));
    far = leaky(graph, conv(graph, far, "denoise.3", 16, 2));
    far = vfi_graph_resize(graph, far, shape.h, shape.w, 1.0f);
    return conv(graph, vfi_graph_add(graph, y, far, 1.0f), "denoise.4", LATENT, 1);
}

static void take_step(VfiGraph *graph, const Walk *walk)
{
    VfiValue x = vfi_graph_state(graph, walk->latent);
    const VfiValue terms[] = {
        weigh(graph, x, VFI_RUN_INPUT_WEIGHT_0),
        weigh(graph, walk->second, VFI_RUN_INPUT_WEIGHT_1),
        weigh(graph, guess_distance(graph, x, walk->context), VFI_RUN_INPUT_WEIGHT_2),
        weigh(graph, walk->between, VFI_RUN_INPUT_WEIGHT_3),
        draw_noise(graph, vfi_graph_shape(graph, x)),
    };
    VfiValue sum = terms[0];

    for (size_t i = 1; i < G_N_ELEMENTS(terms); i++)
        sum = vfi_graph_add(graph, sum, terms[i], 1.0f);
    vfi_graph_update_state(graph, walk->latent, sum);
}

static void paint(VfiGraph *graph, const Walk *walk)
{
    VfiValue image0 = vfi_graph_image(graph, 0), image1 = vfi_graph_image(graph, 1);
    VfiValue x = vfi_graph_state(graph, walk->latent);

    x = leaky(graph, vfi_graph_conv_transpose(graph, x, "decode.0", 12));
    x = leaky(graph, vfi_graph_conv_transpose(graph, x, "decode.1", 8));
    VfiValue seen[] = {x, image0, image1};
    x = conv(graph, vfi_graph_concat(graph, seen, 3), "decode.2", 3, 1);
    x = vfi_graph_affine(graph, x, 0.25f, 0.0f);
    x = vfi_graph_add(graph, blend(graph, image0, image1), x, 1.0f);
    vfi_graph_output(graph, "rgb", vfi_graph_clamp(graph, x, 0.0f, 1.0f));
}

enum { BEGIN, ROUNDS };

static bool build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                  double scale)
{
    (void)scale;
    if (stage == VFI_STAGE_FRAME)
        build_frame(graph);
    if (stage != VFI_STAGE_TIME)
        return stage == VFI_STAGE_FRAME;
    Walk walk = begin_walk(graph);
    vfi_graph_loop(graph, BEGIN, (int)vfi_setup_uint(setup, "steps"));
    take_step(graph, &walk);
    vfi_graph_segment(graph, ROUNDS);
    paint(graph, &walk);
    return true;
}

/* ---- the bridge -------------------------------------------------------------------- */

/* A place on the bridge, from 1, the second frame, to 0, the in-between, before round
 * @round of @steps. */
static double place(int round, int steps)
{
    return round == steps ? 0.0 : (double)(steps - round) / (steps + 1);
}

/* Variance of the bridge's noise there. */
static double variance(double place)
{
    return 2.0 * VARIANCE * place * (1.0 - place);
}

/* Weights that take the latent x from @here to @there: x less the guessed distance is the
 * in-between's latent, and the bridge's distribution between that, x and the second
 * frame's latent says mean and noise (as in Li et al., "BBDM: Image-to-Image Translation
 * with Brownian Bridge Diffusion Models", CVPR 2023). The blended latent has a small part
 * that is made up. */
static void set_step(VfiRunInputs *inputs, double here, double there)
{
    double v = variance(here), w = variance(there);
    double shrink = (1.0 - here) / (1.0 - there);
    double fresh = (v - w * shrink * shrink) * w / v;
    double keep = sqrt((w - fresh) / v);

    inputs->value[VFI_RUN_INPUT_STEP] = (float)here;
    inputs->value[VFI_RUN_INPUT_NOISE_LEVEL] = (float)sqrt(fresh);
    inputs->value[VFI_RUN_INPUT_WEIGHT_0] = (float)(1.0 - there + keep * here);
    inputs->value[VFI_RUN_INPUT_WEIGHT_1] = (float)(there - keep * here);
    inputs->value[VFI_RUN_INPUT_WEIGHT_2] = (float)(keep * (1.0 - here) - (1.0 - there));
    inputs->value[VFI_RUN_INPUT_WEIGHT_3] = (float)((here - there) / 2.0);
}

static void set_inputs(const VfiModelSetup *setup, int segment, int round,
                       VfiRunInputs *inputs)
{
    int steps = (int)vfi_setup_uint(setup, "steps");

    inputs->noise.seed = vfi_setup_uint64(setup, "seed");
    if (segment == BEGIN)
        inputs->value[VFI_RUN_INPUT_NOISE_LEVEL] = (float)sqrt(variance(place(0, steps)));
    if (segment == ROUNDS)
        set_step(inputs, place(round, steps), place(round + 1, steps));
}

/* ---- the family -------------------------------------------------------------------- */

static VfiDetection detect(const VfiCheckpoint *checkpoint)
{
    return (VfiDetection){
        .score = vfi_checkpoint_find(checkpoint, "denoise.0.weight") != NULL ? 100 : 0,
        .name = "small",
        .time_mode = VFI_TIME_ANY,
    };
}

static int size_multiple(const VfiModelSetup *setup, double scale)
{
    (void)setup;
    (void)scale;
    return 16;
}

static VfiOutputKind output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

static const VfiOptionSpec options[] = {
    {"seed", "t", 0, 0x1p64, "0", "chooses the noise", FALSE},
    {"steps", "u", 1, 100, "5", "rounds of the sampler", FALSE},
    {"pad-multiple", "u", 0, 1024, "0",
     "what width and height are padded to, at the least", FALSE},
};

const VfiModelFamily sampler_family = {
    .name = "sampler",
    .options = options,
    .n_options = G_N_ELEMENTS(options),
    .has_weights = true,
    .can_tile = true,
    .detect = detect,
    .size_multiple = size_multiple,
    .output = output,
    .build = build,
    .set_inputs = set_inputs,
};
