/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI as a family: recognising it, its options, and its stages. tlbvfi.h says what the
 * parts are.
 *
 * Features of a frame are the frame stage's, those of the blank frame the constant
 * stage's. All else is the time stage's: the network knows the middle only, so that a
 * pair has one in-between. Latents come first, then the sampler's loop, then flow and
 * decoder, so that nothing large waits while the sampler runs.
 *
 * Upstream's frames are in [-1,1], and each part of it brings them to [0,1] if the least
 * value that it sees is negative; so very bright frames are computed in another range.
 * Here they are in [0,1], and run inputs say what each part sees. */
#include "models/tlbvfi.h"

#include "models/registry.h"

#include <vfi/error.h>

/* The network works on pictures of whole such squares. */
#define MULTIPLE 256

/* Of the batch normalisations that are folded into convolutions. */
#define BATCH_EPSILON 1e-5

/* Flow is found in pictures whose sides are multiples of this. */
#define SMALL_MULTIPLE 16

static const VfiOptionSpec tlbvfi_options[] = {
    {"sample-steps", "u", 3, 1000, "10",
     "steps of the sampler, 3 or more: each costs a run of the denoiser, a small part of "
     "the whole",
     FALSE},
    {"eta", "d", 0, 1, "1",
     "how much noise the sampler adds at each step; 0 makes it deterministic", FALSE},
    {"seed", "t", 0, 0x1p64, "0", "chooses that noise", FALSE},
    {"flow-scale", "d", 0.05, 1, "0.5",
     "size at which motion is looked for, as a part of the picture's; at 1 it is refined "
     "at full size",
     FALSE},
    {"padding", "u", 256, 512, "512",
     "width and height are padded to multiples of this: 512, as the network was trained, "
     "or 256, which is quicker",
     FALSE},
    {"bisect-depth", "u", 1, 4, "2", "times are rounded to multiples of 1/2^depth",
     FALSE},
};

/* ---- the frame stage --------------------------------------------------------------- */

static const char *const feature_names[VFI_TLBVFI_FEATURES] = {"full", "1/2",  "1/4",
                                                               "1/8",  "1/16", "1/32"};
static const char *const small_names[VFI_TLBVFI_FLOW_FEATURES] = {
    "small", "small 1/2", "small 1/4", "small 1/8"};

/* The size at which flow is found; 1: the picture's own. */
static double flow_scale(const VfiModelSetup *setup)
{
    return vfi_setup_double(setup, "flow-scale");
}

static bool finds_flow_at_full_size(const VfiModelSetup *setup)
{
    return flow_scale(setup) >= 1.0;
}

static int small_side(int side, double scale)
{
    return MAX((int)(side * scale / SMALL_MULTIPLE + 0.5), 1) * SMALL_MULTIPLE;
}

/* Frame @frame where flow is found, 3 × h' × w' in [0,1]: upstream shrinks it without its
 * padding, which then is the middle of the range. */
static VfiValue small_image(VfiGraph *graph, const VfiModelSetup *setup, int frame)
{
    double scale = flow_scale(setup);
    VfiValue image = vfi_graph_image(graph, frame);
    VfiShape size = vfi_graph_shape(graph, image);

    image = vfi_graph_resize(graph, image, small_side(size.h, scale),
                             small_side(size.w, scale), 1.0f);
    return vfi_graph_keep_inside(graph, image, scale, 0.5f);
}

static void build_frame(VfiGraph *graph, const VfiModelSetup *setup)
{
    VfiValue features[VFI_TLBVFI_FEATURES], small[VFI_TLBVFI_FLOW_FEATURES];
    VfiValue image =
        vfi_tlbvfi_in_range(graph, vfi_graph_image(graph, 0), VFI_RUN_INPUT_IMAGE_MUL,
                            VFI_RUN_INPUT_IMAGE_ADD);
    bool at_full_size = finds_flow_at_full_size(setup);

    vfi_tlbvfi_encode(graph, image, VFI_TLBVFI_LEVELS, features);
    for (int i = at_full_size ? 0 : 1; i < VFI_TLBVFI_FEATURES; i++)
        vfi_graph_output(graph, feature_names[i], features[i]);
    if (at_full_size)
        return;
    image = vfi_tlbvfi_in_range(graph, small_image(graph, setup, 0),
                                VFI_RUN_INPUT_SMALL_MUL, VFI_RUN_INPUT_SMALL_ADD);
    vfi_tlbvfi_encode(graph, image, VFI_TLBVFI_FLOW_FEATURES - 1, small);
    for (int i = 0; i < VFI_TLBVFI_FLOW_FEATURES; i++)
        vfi_graph_output(graph, small_names[i], small[i]);
}

/* ---- the time stage ---------------------------------------------------------------- */

/* Segments: what comes before the sampler's loop, the loop, and what follows it. */
enum { ENCODING, SAMPLING, DECODING };

/* A number of the run times @x. */
static VfiValue times_input(VfiGraph *graph, VfiValue x, VfiRunInput input)
{
    VfiShape size = vfi_graph_shape(graph, x);

    return vfi_graph_mul(graph, x,
                         vfi_graph_run_input(graph, input, size.h, size.w, 1.0f, 0.0f));
}

/* Latents with the in-between in the middle, in the segment that follows the loop. */
static VfiValue sample(VfiGraph *graph, const VfiModelSetup *setup, VfiValue latents)
{
    VfiState state = vfi_graph_new_state(graph, latents);
    int loop =
        vfi_graph_loop(graph, ENCODING, (int)vfi_setup_uint(setup, "sample-steps"));
    VfiValue x = vfi_graph_state(graph, state);
    VfiShape size = vfi_graph_shape(graph, x);
    const VfiValue parts[] = {
        x,
        vfi_tlbvfi_denoise(graph, x, latents),
        latents,
        vfi_graph_noise(graph, size.c, size.h, size.w),
    };
    VfiValue next = VFI_NO_VALUE;

    for (int i = 0; i < (int)G_N_ELEMENTS(parts); i++) {
        VfiValue part =
            times_input(graph, parts[i], (VfiRunInput)(VFI_RUN_INPUT_WEIGHT_0 + i));
        next = i == 0 ? part : vfi_graph_add(graph, next, part, 1.0f);
    }
    vfi_graph_update_state(graph, state, next);
    vfi_graph_segment(graph, loop);
    return vfi_graph_state(graph, state);
}

/* Flow from where it is found to full size, where pixels are smaller. */
static VfiValue enlarge_flow(VfiGraph *graph, VfiValue flow, VfiShape full)
{
    VfiShape size = vfi_graph_shape(graph, flow);
    VfiValue parts[4];

    if (size.w == 0 || size.h == 0)
        return VFI_NO_VALUE;
    for (int i = 0; i < 4; i++) {
        double factor = i % 2 == 0 ? (double)full.w / size.w : (double)full.h / size.h;
        parts[i] = vfi_graph_resize(graph, vfi_graph_slice(graph, flow, i, 1), full.h,
                                    full.w, (float)factor);
    }
    return vfi_graph_concat(graph, parts, 4);
}

static VfiValue flow_at_full_size(VfiGraph *graph)
{
    VfiValue features[2][VFI_TLBVFI_FLOW_FEATURES], image[2];

    for (int frame = 0; frame < 2; frame++) {
        image[frame] =
            vfi_tlbvfi_in_range(graph, vfi_graph_image(graph, frame),
                                VFI_RUN_INPUT_FIRST_MUL, VFI_RUN_INPUT_FIRST_ADD);
        for (int i = 0; i < VFI_TLBVFI_FLOW_FEATURES; i++)
            features[frame][i] = vfi_graph_feature(graph, frame, feature_names[i]);
    }
    return vfi_tlbvfi_find_flow(graph, image, features);
}

/* Here the network that finds flow sees frames in [-1,1], which its training did not. */
static VfiValue flow_of_small_frames(VfiGraph *graph, const VfiModelSetup *setup)
{
    VfiValue features[2][VFI_TLBVFI_FLOW_FEATURES], image[2];

    for (int frame = 0; frame < 2; frame++) {
        image[frame] =
            vfi_graph_affine(graph, small_image(graph, setup, frame), 2.0f, -1.0f);
        for (int i = 0; i < VFI_TLBVFI_FLOW_FEATURES; i++)
            features[frame][i] = vfi_graph_feature(graph, frame, small_names[i]);
    }
    return vfi_tlbvfi_find_flow(graph, image, features);
}

/* The warped frames, mixed by a mask in (0, 1), and a residual in (-1, 1) of the range
 * that upstream's decoder sees. */
static VfiValue paint(VfiGraph *graph, VfiValue flow, VfiValue head)
{
    VfiValue warped[2];

    for (int frame = 0; frame < 2; frame++)
        warped[frame] = vfi_graph_warp(graph, vfi_graph_image(graph, frame),
                                       vfi_graph_slice(graph, flow, 2 * frame, 2));
    head = vfi_graph_sigmoid(graph, head);
    VfiValue mask = vfi_graph_slice(graph, head, 3, 1);
    VfiValue residual =
        vfi_graph_affine(graph, vfi_graph_slice(graph, head, 0, 3), 2.0f, -1.0f);
    residual = times_input(graph, residual, VFI_RUN_INPUT_RESIDUAL_MUL);
    VfiValue x =
        vfi_graph_mul(graph, vfi_graph_sub(graph, warped[0], warped[1], 1.0f), mask);
    x = vfi_graph_add(graph, x, warped[1], 1.0f);
    return vfi_graph_clamp(graph, vfi_graph_add(graph, x, residual, 1.0f), 0.0f, 1.0f);
}

static void build_time(VfiGraph *graph, const VfiModelSetup *setup)
{
    const char *coarsest = feature_names[VFI_TLBVFI_FEATURES - 1];
    const VfiValue frames[VFI_TLBVFI_FRAMES] = {
        vfi_graph_feature(graph, 0, coarsest),
        vfi_graph_constant(graph, coarsest),
        vfi_graph_feature(graph, 1, coarsest),
    };
    VfiTlbvfiContext context[2];

    VfiValue latents = sample(graph, setup, vfi_tlbvfi_latents(graph, frames));
    VfiValue flow = finds_flow_at_full_size(setup) ? flow_at_full_size(graph)
                                                   : flow_of_small_frames(graph, setup);
    flow = enlarge_flow(graph, flow, vfi_graph_shape(graph, vfi_graph_image(graph, 0)));
    for (int frame = 0; frame < 2; frame++) {
        for (int i = 1; i < VFI_TLBVFI_FEATURES; i++)
            context[frame].features[i] =
                vfi_graph_feature(graph, frame, feature_names[i]);
        vfi_tlbvfi_warp_features(graph, vfi_graph_slice(graph, flow, 2 * frame, 2),
                                 context[frame].features, context[frame].warped);
    }
    VfiValue head = vfi_tlbvfi_decode(graph, latents, context);
    vfi_graph_output(graph, "rgb", paint(graph, flow, head));
}

static bool tlbvfi_build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                         double scale)
{
    (void)scale; /* flow-scale is the family's own */
    switch (stage) {
    case VFI_STAGE_CONSTANT:
        vfi_graph_output(graph, feature_names[VFI_TLBVFI_FEATURES - 1],
                         vfi_tlbvfi_encode_blank(graph));
        return true;
    case VFI_STAGE_FRAME:
        build_frame(graph, setup);
        return true;
    case VFI_STAGE_TIME:
        build_time(graph, setup);
        return true;
    case VFI_STAGE_PAIR:
    case VFI_STAGE_COUNT:
        break;
    }
    return false;
}

/* ---- what runs are given ----------------------------------------------------------- */

/* Sets *mul and *add such that image * mul + add is in [0,1] if upstream sees a negative
 * value, whose [-1,1] is our [0,1], else in [-1,1]. */
static void set_range(double minimum, VfiRunInputs *inputs, VfiRunInput mul,
                      VfiRunInput add)
{
    bool is_dark = minimum < 0.5;

    inputs->value[mul] = is_dark ? 1.0f : 2.0f;
    inputs->value[add] = is_dark ? 0.0f : -1.0f;
}

static double tlbvfi_small_scale(const VfiModelSetup *setup)
{
    return finds_flow_at_full_size(setup) ? 0.0 : flow_scale(setup);
}

static void tlbvfi_set_ranges(const VfiModelSetup *setup, const VfiFrameRange *frames,
                              VfiRunInputs *inputs)
{
    (void)setup;
    set_range(MIN(frames[0].minimum, frames[1].minimum), inputs, VFI_RUN_INPUT_IMAGE_MUL,
              VFI_RUN_INPUT_IMAGE_ADD);
    set_range(MIN(frames[0].small_minimum, frames[1].small_minimum), inputs,
              VFI_RUN_INPUT_SMALL_MUL, VFI_RUN_INPUT_SMALL_ADD);
    set_range(frames[0].minimum, inputs, VFI_RUN_INPUT_FIRST_MUL,
              VFI_RUN_INPUT_FIRST_ADD);
    inputs->value[VFI_RUN_INPUT_RESIDUAL_MUL] =
        1.0f / inputs->value[VFI_RUN_INPUT_FIRST_MUL];
}

static void tlbvfi_set_inputs(const VfiModelSetup *setup, int segment, int round,
                              VfiRunInputs *inputs)
{
    if (segment != SAMPLING)
        return;
    VfiTlbvfiStep step = vfi_tlbvfi_step(vfi_setup_uint(setup, "sample-steps"),
                                         (unsigned)round, vfi_setup_double(setup, "eta"));

    inputs->value[VFI_RUN_INPUT_STEP] = (float)step.step;
    for (int i = 0; i < 4; i++)
        inputs->value[VFI_RUN_INPUT_WEIGHT_0 + i] = (float)step.weight[i];
    inputs->noise.seed = vfi_setup_uint64(setup, "seed");
}

/* ---- the family -------------------------------------------------------------------- */

static bool tlbvfi_check(const VfiModelSetup *setup, GError **error)
{
    unsigned steps = vfi_setup_uint(setup, "sample-steps");
    unsigned padding = vfi_setup_uint(setup, "padding");

    if (steps < 3) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "sample-steps %u: expected 3 to 1000, since the sampler's last two "
                    "steps are fixed and it begins with one more",
                    steps);
        return false;
    }
    if (padding != MULTIPLE && padding != 2 * MULTIPLE) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                    "padding %u: expected %d, as the network was trained, or %d", padding,
                    2 * MULTIPLE, MULTIPLE);
        return false;
    }
    return true;
}

static int tlbvfi_size_multiple(const VfiModelSetup *setup, double scale)
{
    (void)setup, (void)scale;
    return MULTIPLE;
}

/* As upstream pads: never to twice the side. */
static int tlbvfi_padded_size(const VfiModelSetup *setup, int size, double scale)
{
    int multiple = (int)vfi_setup_uint(setup, "padding");
    (void)scale;

    return size == MULTIPLE ? size : (size + multiple - 1) / multiple * multiple;
}

static void tlbvfi_prepare_weights(VfiWeights *weights)
{
    vfi_weights_fold_batch_norm(weights, BATCH_EPSILON);
}

static VfiOutputKind tlbvfi_output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

const VfiModelFamily vfi_family_tlbvfi = {
    .name = "tlbvfi",
    .options = tlbvfi_options,
    .n_options = G_N_ELEMENTS(tlbvfi_options),
    .parts = vfi_tlbvfi_parts,
    .n_parts = VFI_TLBVFI_PARTS,
    .has_weights = true,
    .can_tile = true,
    .wants_minimum = true,
    .pad = VFI_PAD_REFLECT,
    .detect = vfi_tlbvfi_detect,
    .wants = vfi_tlbvfi_wants,
    .check = tlbvfi_check,
    .prepare_weights = tlbvfi_prepare_weights,
    .size_multiple = tlbvfi_size_multiple,
    .padded_size = tlbvfi_padded_size,
    .small_scale = tlbvfi_small_scale,
    .set_ranges = tlbvfi_set_ranges,
    .output = tlbvfi_output,
    .build = tlbvfi_build,
    .set_inputs = tlbvfi_set_inputs,
};
