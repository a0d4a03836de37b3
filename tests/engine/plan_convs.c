/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolutions that are more than one op, or take a part of their weight: over frames, of
 * pixels alone, of any padding, channel by channel. What plans of them compute is
 * compared with their definitions in double precision. */
#include <string.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "check_main.h"
#include "close_values.h"
#include "layer_weights.h"
#include "sanitizers.h"

#define WIDTH 28
#define HEIGHT 24

/* ---- definitions ------------------------------------------------------------------- */

/* Frames of c × h × w, one after the other. */
typedef struct {
    int frames, c, h, w;
    double *values;
} Volume;

static Volume volume_new(int frames, int c, int h, int w)
{
    return (Volume){frames, c, h, w, g_new0(double, (gsize)(frames * c * h * w))};
}

static TEST_FORMULA double *volume_at(const Volume *v, int f, int c, int y, int x)
{
    return &v->values[((f * v->c + c) * v->h + y) * v->w + x];
}

static TEST_FORMULA double or_zero(const Volume *v, int f, int c, int y, int x)
{
    bool inside = f >= 0 && f < v->frames && y >= 0 && y < v->h && x >= 0 && x < v->w;

    return inside ? *volume_at(v, f, c, y, x) : 0.0;
}

/* How a convolution goes over frames, rows and columns; @before: zeros before them. */
typedef struct {
    int out, groups;
    int kernel_frames, kernel, stride;
    int frames_before, before;
} Window;

static TEST_FORMULA double window_sum(const Volume *in, const float *weight,
                                      const Window *window, int f, int o, int y, int x)
{
    int channels = in->c / window->groups, k = window->kernel;
    int first = o / (window->out / window->groups) * channels;
    double sum = 0.0;

    weight += o * channels * window->kernel_frames * k * k;
    for (int i = 0; i < channels; i++)
        for (int t = 0; t < window->kernel_frames; t++)
            for (int ky = 0; ky < k; ky++)
                for (int kx = 0; kx < k; kx++)
                    sum += (double)*weight++ *
                           or_zero(in, f + t - window->frames_before, first + i,
                                   y * window->stride + ky - window->before,
                                   x * window->stride + kx - window->before);
    return sum;
}

/* Fills @out, whose size says how far the window goes. @bias may be NULL. */
static void convolve(const Volume *in, const float *weight, const float *bias,
                     const Window *window, Volume *out)
{
    for (int f = 0; f < out->frames; f++)
        for (int o = 0; o < out->c; o++)
            for (int y = 0; y < out->h; y++)
                for (int x = 0; x < out->w; x++)
                    *volume_at(out, f, o, y, x) =
                        window_sum(in, weight, window, f, o, y, x) +
                        (bias != NULL ? (double)bias[o] : 0.0);
}

/* ---- graphs ------------------------------------------------------------------------ */

static const StateEntry entries[] = {
    {.key = "wide.weight", .n_dims = 5, .shape = {32, 1, 3, 3, 3}},
    {.key = "wide.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {32}},
    {.key = "deep.weight", .n_dims = 5, .shape = {48, 32, 3, 3, 3}},
    {.key = "deep.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {48}},
    {.key = "odd.weight", .n_dims = 5, .shape = {5, 32, 3, 1, 1}},
    {.key = "odd.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {5}},
    {.key = "point.weight", .n_dims = 5, .shape = {48, 32, 1, 1, 1}},
    {.key = "point.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {48}},
    {.key = "matrix.weight", .n_dims = 2, .shape = {20, 3}},
    {.key = "matrix.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {20}},
    {.key = "line.weight", .n_dims = 3, .shape = {20, 3, 1}},
    {.key = "step.weight", .n_dims = 4, .shape = {6, 3, 5, 5}},
    {.key = "step.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {6}},
    {.key = "open.weight", .n_dims = 4, .shape = {32, 3, 3, 3}},
    {.key = "each.weight", .n_dims = 4, .shape = {32, 1, 3, 3}},
};

static VfiWeights *make_weights(void)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    g_array_append_vals(all, entries, G_N_ELEMENTS(entries));
    return weights_of_entries(all);
}

/* Of a tensor, or NULL if there is none. */
static const float *tensor(const VfiWeights *weights, const char *layer,
                           const char *suffix)
{
    g_autofree char *name = g_strdup_printf("%s.%s", layer, suffix);
    const VfiWeight *weight = vfi_weights_find(weights, name);

    return weight != NULL ? weight->data : NULL;
}

/* The image as so many frames. */
static Volume image_volume(const float *image, int frames)
{
    Volume volume = volume_new(frames, 3 / frames, HEIGHT, WIDTH);

    for (int i = 0; i < 3 * WIDTH * HEIGHT; i++)
        volume.values[i] = (double)image[i];
    return volume;
}

/* Of the image's channels as three frames: 32 channels a frame by "wide", then what
 * @second says. */
typedef struct {
    const char *second;
    VfiConv3dSetup setup;
    int frames; /* of the result */
} Chain;

static const Chain chains[] = {
    {"deep", {3, 48, 3, 3, 1}, 3},
    {"odd", {3, 5, 3, 1, 0}, 1},
    {"odd", {3, 5, 3, 1, 2}, 5},
    {"point", {3, 48, 1, 1, 0}, 3},
};

/* One plan on the CPU, and the result that it names "x". */
typedef struct {
    VfiWeights *weights;
    VfiGraph *graph;
    VfiPlan *plan;
    float *image;
    char *arena;
} Fixture;

static Fixture fixture_new(void)
{
    Fixture fixture = {
        .weights = make_weights(),
        .image = vfi_try_alloc(WIDTH * HEIGHT, 3 * sizeof(float), "image", NULL),
    };

    fixture.graph = vfi_graph_new(fixture.weights, WIDTH, HEIGHT);
    for (int i = 0; i < 3 * WIDTH * HEIGHT; i++)
        fixture.image[i] = (float)(i * 31 % 251) / 251.0f - 0.3f;
    return fixture;
}

static void fixture_clear(Fixture *fixture)
{
    vfi_free(fixture->arena);
    vfi_free(fixture->image);
    vfi_plan_free(fixture->plan);
    vfi_graph_free(fixture->graph);
    vfi_weights_free(fixture->weights);
}

/* Plans and runs the graph, whose output is @x. */
static void run(Fixture *fixture, VfiValue x)
{
    g_autoptr(GError) error = NULL;
    VfiDevice *device = vfi_backend_cpu.open(
        &(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiPlanTarget target;

    vfi_graph_output(fixture->graph, "x", x);
    vfi_backend_cpu.plan_target(device, &target);
    fixture->plan = vfi_plan_new(fixture->graph, &target, VFI_REGION_ARENA, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    fixture->arena = vfi_try_alloc(fixture->plan->arena_bytes, 1, "arena", NULL);
    memset(fixture->arena, 0xff, fixture->plan->arena_bytes); /* not a number */
    VfiRunArguments arguments = {.region = {fixture->arena, (char *)fixture->image}};
    VfiProgram *program = vfi_backend_cpu.compile(device, fixture->plan, &error);
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    ck_assert(vfi_backend_cpu.run(device, program, 0, &arguments, NULL));
    vfi_backend_cpu.program_free(device, program);
    vfi_backend_cpu.close(device);
}

/* Compares "x" with @expected, which is freed. */
static void check_result(const Fixture *fixture, Volume *expected)
{
    const VfiPlanOutput *output = vfi_plan_output(fixture->plan, 0, "x");
    size_t n = vfi_shape_elements(output->operand.shape);
    g_autofree float *reference = g_new(float, n);

    ck_assert_int_eq(output->operand.shape.c, expected->frames * expected->c);
    ck_assert_int_eq(output->operand.shape.h, expected->h);
    ck_assert_int_eq(output->operand.shape.w, expected->w);
    for (size_t i = 0; i < n; i++)
        reference[i] = (float)expected->values[i];
    check_close("x",
                (const float *)(const void *)(fixture->arena + output->operand.offset),
                reference, n, 2e-5);
    g_free(expected->values);
}

static int count_ops(const VfiPlan *plan, VfiOpKind kind)
{
    int n = 0;

    for (int i = 0; i < plan->n_ops; i++)
        n += plan->ops[i].kind == kind;
    return n;
}

/* Pairs of a frame of the result and one that its kernel sees. */
static int count_terms(const VfiConv3dSetup *setup, int frames)
{
    int n = 0;

    for (int f = 0; f < frames; f++)
        for (int t = 0; t < setup->kernel_frames; t++) {
            int from = f + t - setup->pad_frames;
            n += from >= 0 && from < setup->frames;
        }
    return n;
}

/* Each term is one convolution, which adds the sum before; each slice is packed once. */
START_TEST(frames_are_convolved)
{
    const Chain *chain = &chains[_i];
    const VfiConv3dSetup wide = {3, 32, 3, 3, 1}, *setup = &chain->setup;
    Fixture fixture = fixture_new();
    VfiPackedStats stats;

    VfiValue x =
        vfi_graph_conv3d(fixture.graph, vfi_graph_image(fixture.graph, 0), "wide", &wide);
    run(&fixture, vfi_graph_conv3d(fixture.graph, x, chain->second, setup));
    ck_assert_int_eq(count_ops(fixture.plan, VFI_OP_ADD), 0);
    ck_assert_int_eq(count_ops(fixture.plan, VFI_OP_CONV),
                     count_terms(&wide, 3) + count_terms(setup, chain->frames));
    vfi_packed_weights_stats(fixture.plan->packed_weights, &stats);
    ck_assert_uint_le(stats.n_packed, (uint64_t)(3 + setup->kernel_frames));

    Volume image = image_volume(fixture.image, 3);
    Volume middle = volume_new(3, 32, HEIGHT, WIDTH);
    Volume result = volume_new(chain->frames, setup->out, HEIGHT, WIDTH);
    convolve(&image, tensor(fixture.weights, "wide", "weight"),
             tensor(fixture.weights, "wide", "bias"), &(Window){32, 1, 3, 3, 1, 1, 1},
             &middle);
    convolve(&middle, tensor(fixture.weights, chain->second, "weight"),
             tensor(fixture.weights, chain->second, "bias"),
             &(Window){setup->out, 1, setup->kernel_frames, setup->kernel, 1,
                       setup->pad_frames, setup->kernel / 2},
             &result);
    check_result(&fixture, &result);
    g_free(image.values);
    g_free(middle.values);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(volumes_that_do_not_fit_are_refused)
{
    static const VfiConv3dSetup wrong[] = {
        {2, 32, 3, 3, 1}, {0, 32, 3, 3, 1}, {3, 32, 5, 3, 0},
        {3, 32, 3, 3, 3}, {3, 32, 0, 3, 0}, {3, 32, 3, 3, -1},
    };
    Fixture fixture = fixture_new();

    vfi_graph_conv3d(fixture.graph, vfi_graph_image(fixture.graph, 0), "wide",
                     &wrong[_i]);
    ck_assert_ptr_nonnull(vfi_graph_error(fixture.graph));
    ck_assert_ptr_nonnull(
        strstr(vfi_graph_error(fixture.graph)->message, "conv3d 'wide': 3 channels"));
    fixture_clear(&fixture);
}
END_TEST

/* Layers of the image that are one convolution. */
static const struct {
    const char *key;
    VfiConvSetup setup; /* of kernel 0: linear */
    int h, w;
} layers[] = {
    {"matrix", {.out = 20, .has_bias = true}, HEIGHT, WIDTH},
    {"line", {.out = 20}, HEIGHT, WIDTH},
    {"step",
     {.out = 6, .kernel = 5, .stride = 4, .pad_begin = 1, .pad_end = 1, .has_bias = true},
     HEIGHT / 4,
     WIDTH / 4},
    {"open",
     {.out = 32, .kernel = 3, .stride = 2, .pad_begin = 0, .pad_end = 1},
     HEIGHT / 2,
     WIDTH / 2},
    {"wide",
     {.out = 32,
      .kernel = 3,
      .stride = 1,
      .pad_begin = 1,
      .pad_end = 1,
      .depth = 3,
      .slice = 1},
     HEIGHT,
     WIDTH},
};

/* Slice @slice of a weight of three dimensions, in memory of its own. */
static float *copy_slice(const float *weight, const VfiConvSetup *setup, int in)
{
    int k = setup->kernel * setup->kernel, depth = MAX(setup->depth, 1);
    float *slice = g_new(float, (gsize)(setup->out * in * k));

    for (int filter = 0; filter < setup->out * in; filter++)
        memcpy(slice + filter * k, weight + (filter * depth + setup->slice) * k,
               (size_t)k * sizeof(float));
    return slice;
}

START_TEST(layers_are_as_the_setup_says)
{
    const char *key = layers[_i].key;
    VfiConvSetup setup = layers[_i].setup;
    bool is_linear = setup.kernel == 0, one_channel = setup.depth > 0;
    Fixture fixture = fixture_new();
    VfiValue x = vfi_graph_image(fixture.graph, 0);

    if (one_channel)
        x = vfi_graph_slice(fixture.graph, x, 0, 1);
    x = is_linear ? vfi_graph_linear(fixture.graph, x, key, setup.out, setup.has_bias)
                  : vfi_graph_conv_with(fixture.graph, x, key, &setup);
    run(&fixture, x);
    setup.kernel = MAX(setup.kernel, 1);
    setup.stride = MAX(setup.stride, 1);
    Volume image = image_volume(fixture.image, one_channel ? 3 : 1);
    Volume result = volume_new(1, setup.out, layers[_i].h, layers[_i].w);
    image.frames = 1;
    g_autofree float *slice =
        copy_slice(tensor(fixture.weights, key, "weight"), &setup, image.c);
    convolve(&image, slice, setup.has_bias ? tensor(fixture.weights, key, "bias") : NULL,
             &(Window){setup.out, 1, 1, setup.kernel, setup.stride, 0, setup.pad_begin},
             &result);
    check_result(&fixture, &result);
    g_free(image.values);
    fixture_clear(&fixture);
}
END_TEST

/* Each channel by itself, between two convolutions: without a copy for its sake. */
START_TEST(single_channels_are_convolved_in_blocks)
{
    const VfiConvSetup open = {.out = 32, .kernel = 3, .stride = 2, .pad_end = 1};
    const VfiConvSetup each = {
        .out = 32, .kernel = 3, .stride = 1, .pad_begin = 1, .pad_end = 1, .groups = 32};
    Fixture fixture = fixture_new();
    VfiValue x = vfi_graph_image(fixture.graph, 0);

    x = vfi_graph_conv_with(fixture.graph, x, "open", &open);
    run(&fixture, vfi_graph_conv_with(fixture.graph, x, "each", &each));
    for (int i = 0; i < fixture.plan->n_ops; i++) {
        const VfiOp *op = &fixture.plan->ops[i];
        if (op->kind == VFI_OP_CONV && op->u.conv.groups == 32)
            ck_assert_int_eq(vfi_operand_is_blocked(&op->src[0]),
                             vfi_operand_is_blocked(&op->dst));
    }
    ck_assert_int_le(count_ops(fixture.plan, VFI_OP_COPY), 1); /* of the output */
    Volume image = image_volume(fixture.image, 1);
    Volume middle = volume_new(1, 32, HEIGHT / 2, WIDTH / 2);
    Volume result = volume_new(1, 32, HEIGHT / 2, WIDTH / 2);
    convolve(&image, tensor(fixture.weights, "open", "weight"), NULL,
             &(Window){32, 1, 1, 3, 2, 0, 0}, &middle);
    convolve(&middle, tensor(fixture.weights, "each", "weight"), NULL,
             &(Window){32, 32, 1, 3, 1, 0, 1}, &result);
    check_result(&fixture, &result);
    g_free(image.values);
    g_free(middle.values);
    fixture_clear(&fixture);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plan_convs");
    TCase *tcase = tcase_create("plan_convs");

    tcase_add_loop_test(tcase, frames_are_convolved, 0, G_N_ELEMENTS(chains));
    tcase_add_loop_test(tcase, volumes_that_do_not_fit_are_refused, 0, 6);
    tcase_add_loop_test(tcase, layers_are_as_the_setup_says, 0, G_N_ELEMENTS(layers));
    tcase_add_test(tcase, single_channels_are_convolved_in_blocks);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
