/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FILM (Reda et al., "FILM: Frame Interpolation for Large Motion", ECCV 2022): film_net
 * in its L1, VGG and Style trainings, which share one graph. Source of the facts: the
 * PyTorch port dajes/frame-interpolation-pytorch.
 *
 * Features of both frames at seven sizes, each half of the one before, give two optical
 * flows from coarse to fine: frame 0 to frame 1 ("forward") and back. Scaled by the time,
 * the backward flow brings frame 0 to the in-between and the forward flow frame 1; the
 * fusion network paints the picture from both, again from coarse to fine.
 *
 * All widths follow from one number, the filters F of the first layer (64 in the released
 * model), and from the flow predictors' own; shapes below are for F = 64. */
#include "models/registry.h"

#include <math.h>
#include <string.h>

#define LEVELS 7
#define FUSION_LEVELS 5
#define SUBLEVELS 4
/* Levels with a flow predictor of their own; the coarser ones share one. */
#define PREDICTORS 3
#define LEAK 0.2f
/* Of a layer whose width the checkpoint decides. */
#define MAX_WIDTH 1024
/* Most levels of features that need not be kept: coarser ones are small. */
#define RECOMPUTED_MAX 2

/* The keys, in a layer "convs.0", of a convolution that an activation follows and of one
 * alone. */
typedef enum {
    FILM_KEYS_WRAPPED, /* convs.0.0, convs.0.0: the port today */
    FILM_KEYS_BARE,    /* convs.0.0, convs.0: the port before, its TorchScript release */
    FILM_KEYS_NAMED,   /* convs.0.conv, convs.0.conv */
    FILM_KEYS_COUNT
} FilmKeys;

static const struct {
    const char *activated, *alone;
} key_ends[FILM_KEYS_COUNT] = {
    [FILM_KEYS_WRAPPED] = {".0", ".0"},
    [FILM_KEYS_BARE] = {".0", ""},
    [FILM_KEYS_NAMED] = {".conv", ".conv"},
};

typedef struct {
    VfiGraph *graph;
    FilmKeys keys;
    int filters;
    int recomputed;        /* levels whose features are not kept */
    VfiShape size[LEVELS]; /* of the image at each level */
} Film;

/* Values of both frames. */
typedef struct {
    VfiValue image[FUSION_LEVELS], feature[LEVELS];
} FilmPyramid;

static const char *const image_names[FUSION_LEVELS] = {NULL, "image1", "image2", "image3",
                                                       "image4"};
static const char *const feature_names[LEVELS] = {
    "feature0", "feature1", "feature2", "feature3", "feature4", "feature5", "feature6"};

static const char *const forward_names[FUSION_LEVELS] = {
    "forward0", "forward1", "forward2", "forward3", "forward4"};
static const char *const backward_names[FUSION_LEVELS] = {
    "backward0", "backward1", "backward2", "backward3", "backward4"};

/* ---- layers ------------------------------------------------------------------------ */

static VfiValue conv_lrelu(const Film *film, VfiValue x, const char *layer, int out,
                           int kernel)
{
    const char *key =
        vfi_graph_key(film->graph, "%s%s", layer, key_ends[film->keys].activated);

    return vfi_graph_leaky_relu(
        film->graph, vfi_graph_conv(film->graph, x, key, out, kernel, 1), LEAK);
}

static VfiValue conv_alone(const Film *film, VfiValue x, const char *layer, int out,
                           int kernel)
{
    const char *key =
        vfi_graph_key(film->graph, "%s%s", layer, key_ends[film->keys].alone);

    return vfi_graph_conv(film->graph, x, key, out, kernel, 1);
}

/* The layer's output channels in the checkpoint, by its weights or else its biases. */
static int layer_width(const Film *film, const char *layer)
{
    const char *end = key_ends[film->keys].activated;
    int width = 0;

    for (int i = 0; width == 0 && i < 2; i++)
        width = vfi_graph_weight_dimension(
            film->graph,
            vfi_graph_key(film->graph, "%s%s.%s", layer, end, i == 0 ? "weight" : "bias"),
            0);
    if (width < 1 || width > MAX_WIDTH) {
        vfi_graph_fail(film->graph,
                       "tensor \"%s%s.weight\" is missing, "
                       "or has none or more than %d output channels",
                       layer, end, MAX_WIDTH);
        return 1;
    }
    return width;
}

static VfiValue resized_flow(const Film *film, VfiValue flow, int level)
{
    VfiShape size = film->size[level];

    return vfi_graph_resize(film->graph, flow, size.h, size.w, 2.0f);
}

/* ---- per frame: pyramids ----------------------------------------------------------- */

/* Sublevel @sublevel of a pyramid of features: two convolutions to F << sublevel
 * channels. */
static VfiValue extract_sublevel(const Film *film, VfiValue x, int sublevel)
{
    const char *convs =
        vfi_graph_key(film->graph, "extract.extract_sublevels.convs.%d", sublevel);
    int out = film->filters << sublevel;

    x = conv_lrelu(film, x, vfi_graph_key(film->graph, "%s.0", convs), out, 3);
    return conv_lrelu(film, x, vfi_graph_key(film->graph, "%s.1", convs), out, 3);
}

/* The image at @level, 3 × H/2^level × W/2^level, rounded down. */
static void build_image_pyramid(const Film *film, VfiValue image, VfiValue *levels)
{
    levels[0] = image;
    for (int level = 1; level < LEVELS; level++)
        levels[level] = vfi_graph_avg_pool(film->graph, levels[level - 1]);
}

/* Features at each level: 64, 192, 448, 960, 960, 960, 960 channels. The image of level l
 * goes through up to four sublevels, each half the size of the one before; a level
 * collects what has its size, its own image's first sublevel, the second of the larger
 * image, … */
static void build_features(const Film *film, const VfiValue *images, VfiValue *features)
{
    VfiValue sublevels[LEVELS][SUBLEVELS];

    for (int level = 0; level < LEVELS; level++) {
        VfiValue x = images[level];
        for (int i = 0; i < MIN(SUBLEVELS, LEVELS - level); i++) {
            if (i > 0)
                x = vfi_graph_avg_pool(film->graph, x);
            x = sublevels[level][i] = extract_sublevel(film, x, i);
        }
    }
    for (int level = 0; level < LEVELS; level++) {
        VfiValue parts[SUBLEVELS];
        int n = MIN(SUBLEVELS, level + 1);
        for (int i = 0; i < n; i++)
            parts[i] = sublevels[level - i][i];
        features[level] = vfi_graph_concat(film->graph, parts, n);
    }
}

static void build_frame(const Film *film)
{
    VfiValue images[LEVELS], features[LEVELS];

    build_image_pyramid(film, vfi_graph_image(film->graph, 0), images);
    build_features(film, images, features);
    for (int level = 1; level < FUSION_LEVELS; level++)
        vfi_graph_output(film->graph, image_names[level], images[level]);
    for (int level = film->recomputed; level < LEVELS; level++)
        vfi_graph_output(film->graph, feature_names[level], features[level]);
}

static FilmPyramid frame_pyramid(const Film *film, int frame)
{
    FilmPyramid pyramid = {.feature = {VFI_NO_VALUE, VFI_NO_VALUE}};

    pyramid.image[0] = vfi_graph_image(film->graph, frame);
    for (int level = 1; level < FUSION_LEVELS; level++)
        pyramid.image[level] = vfi_graph_feature(film->graph, frame, image_names[level]);
    for (int level = film->recomputed; level < LEVELS; level++)
        pyramid.feature[level] =
            vfi_graph_feature(film->graph, frame, feature_names[level]);
    return pyramid;
}

/* The features at @level as they are kept, or else computed from the image again. */
static VfiValue feature_at(const Film *film, const FilmPyramid *pyramid, int level)
{
    VfiValue x = pyramid->image[0];

    if (level >= film->recomputed)
        return pyramid->feature[level];
    if (level == 0)
        return extract_sublevel(film, x, 0);
    x = vfi_graph_avg_pool(film->graph, extract_sublevel(film, x, 0));
    VfiValue parts[] = {extract_sublevel(film, pyramid->image[1], 0),
                        extract_sublevel(film, x, 1)};
    return vfi_graph_concat(film->graph, parts, 2);
}

/* ---- per pair: flows --------------------------------------------------------------- */

/* The correction of the flow at @level, 2 channels: three 3×3 and two 1×1
 * convolutions over both features, c wide (256 for levels 6 … 3, then 128, 64, 32). */
static VfiValue predict_flow(const Film *film, VfiValue a, VfiValue b, int level)
{
    VfiGraph *graph = film->graph;
    VfiValue parts[] = {a, b};
    const char *convs = level < PREDICTORS
                            ? vfi_graph_key(graph, "predict_flow._predictors.%d._convs",
                                            PREDICTORS - 1 - level)
                            : "predict_flow._predictor._convs";
    int c = layer_width(film, vfi_graph_key(graph, "%s.0", convs));
    VfiValue x = vfi_graph_concat(graph, parts, 2);

    for (int i = 0; i < 3; i++)
        x = conv_lrelu(film, x, vfi_graph_key(graph, "%s.%d", convs, i), c, 3);
    x = conv_lrelu(film, x, vfi_graph_key(graph, "%s.3", convs), c / 2, 1);
    return conv_alone(film, x, vfi_graph_key(graph, "%s.4", convs), 2, 1);
}

/* Flows from frame a to frame b in pixels of each level, from coarse to fine: twice the
 * flow of the level before brings b's features to a's, the rest is predicted. */
static void build_flow(const Film *film, const FilmPyramid *a, const FilmPyramid *b,
                       VfiValue *flows)
{
    VfiGraph *graph = film->graph;
    VfiValue flow =
        predict_flow(film, a->feature[LEVELS - 1], b->feature[LEVELS - 1], LEVELS - 1);

    for (int level = LEVELS - 2; level >= 0; level--) {
        VfiValue coarse = resized_flow(film, flow, level);
        VfiValue warped = vfi_graph_warp(graph, feature_at(film, b, level), coarse);
        VfiValue rest = predict_flow(film, feature_at(film, a, level), warped, level);
        flow = vfi_graph_add(graph, rest, coarse, 1.0f);
        if (level < FUSION_LEVELS)
            flows[level] = flow;
    }
}

static void build_pair(const Film *film)
{
    FilmPyramid frames[] = {frame_pyramid(film, 0), frame_pyramid(film, 1)};
    VfiValue forward[FUSION_LEVELS], backward[FUSION_LEVELS];

    build_flow(film, &frames[0], &frames[1], forward);
    build_flow(film, &frames[1], &frames[0], backward);
    for (int level = 0; level < FUSION_LEVELS; level++) {
        vfi_graph_output(film->graph, forward_names[level], forward[level]);
        vfi_graph_output(film->graph, backward_names[level], backward[level]);
    }
}

/* ---- per time: warp and fuse ------------------------------------------------------- */

/* Flows scaled to the in-between: backward by t, forward by 1 - t. */
static VfiValue scaled_flow(const Film *film, VfiValue flow, bool backward)
{
    VfiShape size = vfi_graph_shape(film->graph, flow);
    VfiValue time = vfi_graph_run_input(film->graph, VFI_RUN_INPUT_TIME, size.h, size.w,
                                        backward ? 1.0f : -1.0f, backward ? 0.0f : 1.0f);

    return vfi_graph_mul(film->graph, flow, time);
}

#define ALIGNED_PARTS 6

/* Both frames' images and features at @level, warped to the in-between, and the flows
 * that did it: 138, 394, 906, 1930, 1930 channels. */
static void aligned_parts(const Film *film, const FilmPyramid *frames,
                          const VfiValue *backward, const VfiValue *forward, int level,
                          VfiValue *parts)
{
    VfiGraph *graph = film->graph;

    parts[4] = scaled_flow(film, backward[level], true);
    parts[5] = scaled_flow(film, forward[level], false);
    for (int frame = 0; frame < 2; frame++) {
        VfiValue flow = parts[4 + frame], *warped = frame == 0 ? parts : parts + 2;
        VfiValue feature = feature_at(film, &frames[frame], level);
        warped[0] = vfi_graph_warp(graph, frames[frame].image[level], flow);
        warped[1] = vfi_graph_warp(graph, feature, flow);
    }
}

/* The fusion network: from level 4 down to 0, each time enlarged, to 8F … F channels (2×2
 * convolution), joined with that level's aligned parts and convolved twice. */
static VfiValue build_fusion(const Film *film, const FilmPyramid *frames,
                             const VfiValue *backward, const VfiValue *forward)
{
    VfiGraph *graph = film->graph;
    VfiValue parts[ALIGNED_PARTS + 1];

    aligned_parts(film, frames, backward, forward, FUSION_LEVELS - 1, parts);
    VfiValue net = vfi_graph_concat(graph, parts, ALIGNED_PARTS);
    for (int k = 0; k < FUSION_LEVELS - 1; k++) {
        int level = FUSION_LEVELS - 2 - k, out = film->filters << level;
        VfiShape size = film->size[level];
        const char *convs = vfi_graph_key(graph, "fuse.convs.%d", k);
        net = vfi_graph_nearest(graph, net, size.h, size.w);
        net = conv_alone(film, net, vfi_graph_key(graph, "%s.0", convs), out, 2);
        aligned_parts(film, frames, backward, forward, level, parts);
        parts[ALIGNED_PARTS] = net;
        net = vfi_graph_concat(graph, parts, ALIGNED_PARTS + 1);
        net = conv_lrelu(film, net, vfi_graph_key(graph, "%s.1", convs), out, 3);
        net = conv_lrelu(film, net, vfi_graph_key(graph, "%s.2", convs), out, 3);
    }
    return vfi_graph_conv(graph, net, "fuse.output_conv", 3, 1, 1);
}

static void build_time(const Film *film)
{
    FilmPyramid frames[] = {frame_pyramid(film, 0), frame_pyramid(film, 1)};
    VfiValue forward[FUSION_LEVELS], backward[FUSION_LEVELS];

    for (int level = 0; level < FUSION_LEVELS; level++) {
        forward[level] = vfi_graph_pair_value(film->graph, forward_names[level]);
        backward[level] = vfi_graph_pair_value(film->graph, backward_names[level]);
    }
    vfi_graph_output(film->graph, "rgb", build_fusion(film, frames, backward, forward));
}

/* ---- the family -------------------------------------------------------------------- */

static const VfiOptionSpec film_options[] = {
    {"timestep-mode", "s", 0, 0, "auto|direct|midpoint",
     "direct: flows are scaled by the time. midpoint: only middles are interpolated, "
     "as the network was trained, and times are rounded to multiples of "
     "1/2^bisect-depth. auto: midpoint where that rounds nothing",
     FALSE},
    {"recompute-levels", "u", 0, RECOMPUTED_MAX, "0",
     "features of that many of the largest levels are recomputed for each use instead of "
     "being kept: less memory, more time",
     FALSE},
    {"bisect-depth", "u", 1, 4, "3", "for timestep-mode auto and midpoint", FALSE},
    {"pad-multiple", "u", 0, 1024, "0",
     "pad width and height to a multiple of this; 0 is no padding. "
     "The original pads to 64",
     FALSE},
};

/* The tensor of that name if it has @n_dims dimensions. */
static const VfiTensorInfo *find_tensor(const VfiCheckpoint *checkpoint, int n_dims,
                                        const char *layer, const char *end)
{
    g_autofree char *name = g_strdup_printf("%s%s.weight", layer, end);
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, name);

    return tensor != NULL && tensor->n_dims == n_dims ? tensor : NULL;
}

/* Whether @checkpoint looks like FILM with its layers called by @keys. */
static bool has_keys(const VfiCheckpoint *checkpoint, FilmKeys keys)
{
    const char *activated = key_ends[keys].activated, *alone = key_ends[keys].alone;
    const VfiTensorInfo *first =
        find_tensor(checkpoint, 4, "extract.extract_sublevels.convs.0.0", activated);
    const VfiTensorInfo *last = find_tensor(checkpoint, 4, "fuse.output_conv", "");

    return first != NULL && first->shape[1] == 3 && last != NULL && last->shape[0] == 3 &&
           last->shape[1] == first->shape[0] &&
           find_tensor(checkpoint, 4, "extract.extract_sublevels.convs.3.1", activated) !=
               NULL &&
           find_tensor(checkpoint, 4, "predict_flow._predictors.2._convs.4", alone) !=
               NULL &&
           find_tensor(checkpoint, 4, "fuse.convs.3.0", alone) != NULL;
}

static const char film_net[] = "film_net";

static VfiDetection film_detect(const VfiCheckpoint *checkpoint)
{
    for (int keys = 0; keys < FILM_KEYS_COUNT; keys++)
        if (has_keys(checkpoint, (FilmKeys)keys))
            return (VfiDetection){100, keys, film_net, VFI_TIME_ANY, NULL};
    return (VfiDetection){0};
}

static const char *film_variant_name(int variant)
{
    (void)variant; /* three spellings of one network */
    return film_net;
}

static VfiOutputKind film_output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

/* Whether @t is a multiple of 1/2^bisect-depth, but for rounding. */
static bool is_bisection_point(const VfiModelSetup *setup, double t)
{
    double place = ldexp(t, (int)vfi_setup_uint(setup, "bisect-depth"));

    return fabs(place - round(place)) < 1e-6;
}

static bool film_bisects(const VfiModelSetup *setup, double t)
{
    const char *mode = vfi_setup_string(setup, "timestep-mode");

    return strcmp(mode, "midpoint") == 0 ||
           (strcmp(mode, "auto") == 0 && is_bisection_point(setup, t));
}

static Film film_begin(VfiGraph *graph, const VfiModelSetup *setup)
{
    Film film = {.graph = graph, .keys = (FilmKeys)setup->variant};

    film.recomputed = (int)vfi_setup_uint(setup, "recompute-levels");
    film.filters = layer_width(&film, "extract.extract_sublevels.convs.0.0");
    film.size[0] = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    for (int level = 1; level < LEVELS; level++) {
        film.size[level].h = film.size[level - 1].h / 2;
        film.size[level].w = film.size[level - 1].w / 2;
    }
    return film;
}

static bool film_build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                       double scale)
{
    (void)scale;
    if (stage == VFI_STAGE_CONSTANT)
        return false;
    Film film = film_begin(graph, setup);
    if (stage == VFI_STAGE_FRAME)
        build_frame(&film);
    else if (stage == VFI_STAGE_PAIR)
        build_pair(&film);
    else
        build_time(&film);
    return true;
}

const VfiModelFamily vfi_family_film = {
    .name = "film",
    .options = film_options,
    .n_options = G_N_ELEMENTS(film_options),
    .n_variants = FILM_KEYS_COUNT,
    .variant_name = film_variant_name,
    .has_weights = true,
    .has_pair_stage = true,
    .can_tile = true,
    .min_size = 1 << (LEVELS - 1),
    .detect = film_detect,
    .output = film_output,
    .build = film_build,
    .bisects = film_bisects,
};
