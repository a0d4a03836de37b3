/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A loop gives what its rounds written out give, to the bit. Memory holds NaN before a
 * run, and so do the states that the last round read before the next one writes them:
 * what is read too early or too late shows. Gets a device and, for one, a precision. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "check_main.h"
#include "close_values.h"
#include "layer_weights.h"
#include "ops/target.h"
#include "random_graph.h"

enum { ROUNDS = 3, GUARD = 256 };

static Target target;
static const char *device = "cpu";
static VfiPrecision precision = VFI_PRECISION_AUTO;

/* ---- running a plan ---------------------------------------------------------------- */

/* Where regions lie in the target's memory, guards behind each. */
typedef struct {
    size_t begin[VFI_MAX_REGIONS], bytes[VFI_MAX_REGIONS];
    size_t all;
} Places;

/* Bytes that the per-frame stage keeps besides the image: build_kept_inputs() reads
 * them. */
#define KEPT_CHANNELS 16
#define KEPT_BYTES (sizeof(float) * KEPT_CHANNELS * WIDTH * HEIGHT)

static Places places_of(const VfiPlan *plan)
{
    size_t frame = vfi_plan_image_bytes(WIDTH, HEIGHT) + KEPT_BYTES;
    Places places = {.bytes = {[VFI_REGION_ARENA] = plan->arena_bytes,
                               [VFI_REGION_STATE] = plan->state_bytes,
                               [VFI_REGION_NEXT_STATE] = plan->state_bytes}};

    for (int i = 0; i < VFI_MAX_VIEW_FRAMES; i++)
        places.bytes[vfi_frame_region(i)] = frame;
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        places.begin[i] = places.all;
        places.all += vfi_align_up(places.bytes[i] + GUARD, TARGET_ROW_BYTES);
    }
    return places;
}

/* 24 random bits: GRand would take a third of the time of all tests here. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void fill_frames(const Places *places)
{
    uint32_t state = 1;

    for (int frame = 0; frame < VFI_MAX_VIEW_FRAMES; frame++) {
        VfiRegion region = vfi_frame_region(frame);
        char *memory = target.before + places->begin[region];
        size_t image = vfi_plan_image_bytes(WIDTH, HEIGHT);
        for (size_t i = 0; i < image / sizeof(float); i++)
            ((float *)(void *)memory)[i] = (float)next_random(&state) / 16777216.0f;
        /* Of f16: 0 to about 2; of f32, which see two of those as one, too. */
        for (size_t i = 0; i < KEPT_BYTES / sizeof(uint16_t); i++)
            ((uint16_t *)(void *)(memory + image))[i] =
                (uint16_t)(0x3000 + next_random(&state) % 0xf00);
    }
}

/* NaN for f32 and for f16. */
static void spoil(void *memory, size_t bytes)
{
    memset(memory, 0xff, bytes);
}

static void expect(bool done, const GError *error)
{
    ck_assert_msg(done, "%s", error != NULL ? error->message : "no error");
}

static void fill_memory(const Places *places)
{
    g_autoptr(GError) error = NULL;

    expect(target_reserve(&target, places->all, &error), error);
    spoil(target.before, places->all);
    fill_frames(places);
    expect(target_write(&target, target.memory, target.before, places->all, &error),
           error);
}

/* @oldest: the place of the view's first frame; the others follow it in a circle. */
static void bind_memory(const Places *places, int oldest, VfiRunArguments *arguments)
{
    for (int i = 0; i < VFI_MAX_REGIONS; i++)
        arguments->region[i] = target.memory + places->begin[i];
    for (int i = 0; i < VFI_MAX_VIEW_FRAMES; i++) {
        VfiRegion place = vfi_frame_region((oldest + i) % VFI_MAX_VIEW_FRAMES);
        arguments->region[vfi_frame_region(i)] = target.memory + places->begin[place];
    }
}

/* Whether nothing was written outside of regions that may be written. */
static void check_memory(const Places *places)
{
    for (int i = 0; i < VFI_MAX_REGIONS; i++) {
        bool is_constant =
            i != VFI_REGION_ARENA && i != VFI_REGION_STATE && i != VFI_REGION_NEXT_STATE;
        size_t skipped = is_constant ? 0 : places->bytes[i];
        size_t begin = places->begin[i] + skipped;
        size_t bytes = places->bytes[i] + GUARD - skipped;
        ck_assert_mem_eq(target.after + begin, target.before + begin, bytes);
    }
}

/* Runs @segment as a session does. */
static void run_segment(const VfiPlan *plan, const VfiProgram *program, int segment,
                        const Places *places, VfiRunArguments *arguments)
{
    const VfiPlanSegment *range = &plan->segments[segment];
    g_autoptr(GError) error = NULL;
    size_t row = TARGET_ROW_BYTES;
    size_t states = vfi_align_up(places->bytes[VFI_REGION_STATE] + GUARD, row);
    g_autofree char *nan = g_malloc(states);

    spoil(nan, states);
    for (int round = 0; round < range->rounds; round++) {
        expect(target.backend->run(target.device, program, segment, arguments, &error),
               error);
        expect(target.backend->sync(target.device, &error), error);
        if (!range->writes_state)
            continue;
        vfi_exchange_states(arguments);
        expect(target_write(&target, arguments->region[VFI_REGION_NEXT_STATE], nan,
                            states, &error),
               error);
    }
}

/* The outputs of @last_segment, one after the other, in f32. */
static GByteArray *run_plan(const VfiPlan *plan, int last_segment)
{
    GByteArray *result = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    Places places = places_of(plan);
    VfiProgram *program = target.backend->compile(target.device, plan, &error);
    g_autofree float *scalars = g_new0(float, plan->n_scalars + 1);
    VfiRunArguments arguments = {.inputs.value = {[VFI_RUN_INPUT_TIME] = 0.3f},
                                 .scalars = scalars};

    expect(program != NULL, error);
    fill_memory(&places);
    bind_memory(&places, 0, &arguments);
    for (int s = 0; s <= last_segment; s++)
        run_segment(plan, program, s, &places, &arguments);
    expect(target_read(&target, target.after, target.memory, places.all, &error), error);
    check_memory(&places);
    for (int i = 0; i < plan->n_outputs; i++) {
        const VfiOperand *operand = &plan->outputs[i].operand;
        if (plan->outputs[i].segment != last_segment)
            continue;
        ck_assert_int_lt(operand->region, VFI_REGION_STATE);
        ck_assert(!operand->half && !vfi_operand_is_blocked(operand));
        g_byte_array_append(result,
                            (const guint8 *)target.after + places.begin[operand->region] +
                                operand->offset,
                            (guint)(vfi_shape_elements(operand->shape) * sizeof(float)));
    }
    target.backend->program_free(target.device, program);
    return result;
}

/* ---- networks ---------------------------------------------------------------------- */

static const TestLayer layers[] = {
    {"first", 3, 32, 3},    {"same", 32, 32, 3},   {"half", 16, 16, 3},
    {"last", 32, 3, 3},     {"split", 144, 32, 3}, {"up", 32, 16, -4},
    {"joined", 38, 16, 3},  {"few", 16, 3, 3},     {"random.0", 8, 32, 3},
    {"random.1", 32, 3, 3},
};

static VfiValue conv(VfiGraph *graph, VfiValue x, const char *layer)
{
    size_t i = 0;

    while (strcmp(layers[i].name, layer) != 0)
        i++;
    x = vfi_graph_conv(graph, x, layer, layers[i].out, layers[i].kernel, 1);
    return vfi_graph_leaky_relu(graph, x, 0.1f);
}

/* Half of each: values stay between those of the two. */
static VfiValue mean(VfiGraph *graph, VfiValue a, VfiValue b)
{
    return vfi_graph_add(graph, a, b, 0.5f);
}

/* Values that rounds and what is behind them share, by the case's own order. */
typedef struct {
    VfiValue value[8];
} Shared;

/* x ← (x + image) / 2, and the state itself is the output. */
static void round_plain(Rounds *rounds, void *data)
{
    const Shared *shared = data;
    VfiValue x = rounds_state(rounds, 0);

    rounds_update(rounds, 0, mean(rounds->graph, x, shared->value[1]));
}

static void build_plain(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    Shared shared = {{vfi_graph_image(graph, 0), vfi_graph_image(graph, 1)}};

    rounds_new_state(rounds, vfi_graph_affine(graph, shared.value[0], 2.0f, -0.5f));
    rounds_build(rounds, ROUNDS, round_plain, &shared);
    vfi_graph_output(graph, "x", rounds_state(rounds, 0));
    vfi_graph_output(graph, "y", vfi_graph_slice(graph, rounds_state(rounds, 0), 1, 2));
}

/* All that no op can write in a state's place: inputs, an exchange of states, slices, a
 * concat and a part of one, values from before the loop, one value for two states, one
 * that is an output. */
static void round_copies(Rounds *rounds, void *data)
{
    Shared *shared = data;
    VfiGraph *graph = rounds->graph;
    VfiValue a = rounds_state(rounds, 0), b = rounds_state(rounds, 1);
    VfiValue sum = mean(graph, a, b);
    VfiValue parts[] = {vfi_graph_slice(graph, sum, 0, 1),
                        vfi_graph_slice(graph, rounds_state(rounds, 3), 0, 2)};

    rounds_update(rounds, 0, b);
    rounds_update(rounds, 1, a);
    rounds_update(rounds, 2, vfi_graph_slice(graph, sum, 1, 1));
    rounds_update(rounds, 3, vfi_graph_concat(graph, parts, 2));
    rounds_update(rounds, 4, shared->value[2]);
    rounds_update(rounds, 7, shared->value[0]);
    rounds_update(rounds, 5, sum);
    rounds_update(rounds, 6, sum);
    shared->value[1] = sum;
}

static void build_copies(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    Shared shared = {{vfi_graph_image(graph, 0)}};
    VfiValue x = vfi_graph_sigmoid(graph, vfi_graph_image(graph, 1));

    rounds_new_state(rounds, shared.value[0]);
    rounds_new_state(rounds, x);
    rounds_new_state(rounds, vfi_graph_slice(graph, x, 0, 1));
    for (int i = 3; i < 8; i++)
        rounds_new_state(rounds, x);
    shared.value[2] = vfi_graph_affine(graph, x, 0.5f, 0.2f);
    rounds_build(rounds, 4, round_copies, &shared);
    for (int i = 0; i < 8; i++)
        vfi_graph_output(graph, "x",
                         vfi_graph_affine(graph, rounds_state(rounds, i), 1.5f, 0.1f));
    vfi_graph_output(graph, "y", shared.value[1]);
}

/* What is made before the loop is read at a round's begin, and then much else is made. */
static void round_crowded(Rounds *rounds, void *data)
{
    const Shared *shared = data;
    VfiGraph *graph = rounds->graph;
    VfiValue x = mean(graph, rounds_state(rounds, 0), shared->value[0]);

    x = conv(graph, x, "same");
    x = vfi_graph_affine(graph, x, 0.25f, 0.1f);
    x = conv(graph, mean(graph, x, vfi_graph_sigmoid(graph, x)), "same");
    x = vfi_graph_clamp(graph, x, -1.0f, 1.0f);
    rounds_update(rounds, 0, vfi_graph_sigmoid(graph, x));
}

static void build_crowded(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), "first");
    Shared shared = {{vfi_graph_affine(graph, x, 0.5f, 0.2f)}};

    rounds_new_state(rounds, vfi_graph_sigmoid(graph, x));
    rounds_build(rounds, ROUNDS, round_crowded, &shared);
    vfi_graph_output(graph, "x", conv(graph, rounds_state(rounds, 0), "last"));
    /* read before, and behind it alone */
    vfi_graph_output(graph, "y", vfi_graph_slice(graph, x, 3, 2));
}

/* Channels of a value are replaced in its place: of one that is made before the loop (and
 * must not be), and of one that each round makes. */
static VfiValue replace(VfiGraph *graph, VfiValue x)
{
    VfiValue parts[] = {vfi_graph_slice(graph, x, 0, 16),
                        conv(graph, vfi_graph_slice(graph, x, 16, 16), "half")};

    return vfi_graph_concat(graph, parts, 2);
}

static void round_replacing(Rounds *rounds, void *data)
{
    const Shared *shared = data;
    VfiGraph *graph = rounds->graph;
    VfiValue x = conv(graph, replace(graph, shared->value[0]), "same");
    VfiValue y = vfi_graph_affine(graph, rounds_state(rounds, 0), 0.5f, 0.0f);

    y = conv(graph, replace(graph, conv(graph, y, "same")), "same");
    rounds_update(rounds, 0, vfi_graph_sigmoid(graph, mean(graph, x, y)));
}

static void build_replacing(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    Shared shared = {{conv(graph, vfi_graph_image(graph, 0), "first")}};
    VfiValue x = conv(graph, shared.value[0], "same");

    rounds_new_state(rounds, vfi_graph_sigmoid(graph, conv(graph, x, "same")));
    rounds_build(rounds, ROUNDS, round_replacing, &shared);
    x = vfi_graph_affine(graph, rounds_state(rounds, 0), 1.0f, 0.5f);
    vfi_graph_output(graph, "x", conv(graph, x, "last"));
}

/* A convolution over a concat that is taken apart, with a sum that is added to: the parts
 * are a round's own. */
static void round_splitting(Rounds *rounds, void *data)
{
    VfiGraph *graph = rounds->graph;
    VfiValue x = vfi_graph_affine(graph, rounds_state(rounds, 0), 0.5f, 0.1f), parts[5];

    (void)data;
    parts[0] = conv(graph, x, "same");
    for (int i = 1; i < 4; i++)
        parts[i] = conv(graph, parts[i - 1], "same");
    parts[4] = vfi_graph_slice(graph, vfi_graph_sigmoid(graph, x), 8, 16);
    x = conv(graph, vfi_graph_concat(graph, parts, 5), "split");
    rounds_update(rounds, 0, vfi_graph_sigmoid(graph, x));
}

static void build_splitting(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    VfiValue x = conv(graph, vfi_graph_image(graph, 0), "first");

    rounds_new_state(rounds, vfi_graph_sigmoid(graph, x));
    rounds_build(rounds, ROUNDS, round_splitting, NULL);
    x = vfi_graph_affine(graph, rounds_state(rounds, 0), 1.0f, 0.5f);
    vfi_graph_output(graph, "x", conv(graph, x, "last"));
}

/* Parts made before the loop and in it lie side by side, and stay from round to round. */
static void round_joining(Rounds *rounds, void *data)
{
    const Shared *shared = data;
    VfiGraph *graph = rounds->graph;
    VfiValue state = vfi_graph_affine(graph, rounds_state(rounds, 0), 0.5f, 0.0f);
    VfiValue parts[] = {shared->value[0], rounds_state(rounds, 0), shared->value[1],
                        vfi_graph_clamp(graph, state, 0.0f, 0.4f)};
    VfiValue x = conv(graph, vfi_graph_concat(graph, parts, 4), "joined");
    VfiValue planes[] = {shared->value[2], vfi_graph_sigmoid(graph, state)};
    VfiValue y = vfi_graph_concat(graph, planes, 2);

    x = vfi_graph_affine(graph, conv(graph, x, "few"), 0.5f, 0.1f);
    rounds_update(
        rounds, 0,
        mean(graph, x, vfi_graph_slice(graph, vfi_graph_sigmoid(graph, y), 1, 3)));
}

static void build_joining(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue x = conv(graph, image, "first");
    Shared shared = {{vfi_graph_slice(graph, conv(graph, x, "same"), 0, 29), 0,
                      vfi_graph_affine(graph, image, 2.0f, 0.1f)}};

    shared.value[1] = vfi_graph_sigmoid(graph, vfi_graph_image(graph, 1));
    rounds_new_state(rounds, vfi_graph_affine(graph, image, -1.0f, 1.0f));
    rounds_build(rounds, ROUNDS, round_joining, &shared);
    vfi_graph_output(graph, "x",
                     vfi_graph_affine(graph, rounds_state(rounds, 0), 1.0f, 0.5f));
}

static VfiValue enlarged(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_resize(graph, x, HEIGHT, WIDTH, 1.0f);
}

static VfiValue reduced(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_resize(graph, x, HEIGHT / 4, WIDTH / 4, 1.0f);
}

/* Enlarged values are cheap, so that each group that reads one computes it: those of
 * states must be computed while these are there. */
static void round_cheap(Rounds *rounds, void *data)
{
    Shared *shared = data;
    VfiGraph *graph = rounds->graph;
    VfiValue state = enlarged(graph, rounds_state(rounds, 0));
    VfiValue flow =
        vfi_graph_slice(graph, vfi_graph_add(graph, state, shared->value[0], 4.0f), 0, 2);
    VfiValue warped = vfi_graph_warp(graph, vfi_graph_image(graph, 1), flow);
    VfiValue next = vfi_graph_affine(graph, reduced(graph, warped), 0.5f, 0.1f);

    shared->value[1] = state;
    shared->value[2] = enlarged(graph, next);
    rounds_update(rounds, 0, next);
    vfi_graph_max_abs(graph, mean(graph, shared->value[2], warped));
}

static void build_cheap(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    VfiValue image = vfi_graph_image(graph, 0);
    VfiValue small = reduced(graph, image);
    Shared shared = {{enlarged(graph, small)}};

    vfi_graph_max_abs(graph, mean(graph, shared.value[0], image));
    rounds_new_state(rounds, small);
    rounds_build(rounds, ROUNDS, round_cheap, &shared);
    VfiValue x = vfi_graph_add(graph, shared.value[0], shared.value[1], 0.5f);
    x = mean(graph, mean(graph, x, shared.value[2]), image);
    x = mean(graph, x, enlarged(graph, rounds_state(rounds, 0)));
    vfi_graph_output(graph, "x", reduced(graph, x));
    vfi_graph_output(graph, "y", x);
}

/* A convolution reads a state, adds one, and computes one; a transposed one, too. */
static void round_convs(Rounds *rounds, void *data)
{
    VfiGraph *graph = rounds->graph;
    VfiValue a = rounds_state(rounds, 0), b = rounds_state(rounds, 1);
    VfiValue sum =
        vfi_graph_add(graph, vfi_graph_conv(graph, a, "same", 32, 3, 1), b, 1.0f);
    VfiValue up = vfi_graph_conv_transpose(graph, sum, "up", 16);

    (void)data;
    up = vfi_graph_resize(graph, up, HEIGHT, WIDTH, 0.5f);
    VfiValue parts[] = {up, vfi_graph_sigmoid(graph, up)};
    rounds_update(rounds, 0, vfi_graph_concat(graph, parts, 2));
    rounds_update(rounds, 1,
                  vfi_graph_conv(graph, vfi_graph_sigmoid(graph, sum), "same", 32, 3, 1));
}

static void build_convs(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    VfiValue x = vfi_graph_conv(graph, vfi_graph_image(graph, 0), "first", 32, 3, 1);

    rounds_new_state(rounds, vfi_graph_sigmoid(graph, x));
    rounds_new_state(rounds, x);
    rounds_build(rounds, ROUNDS, round_convs, NULL);
    VfiValue sum = mean(graph, rounds_state(rounds, 0), rounds_state(rounds, 1));
    vfi_graph_output(graph, "x", sum);
}

/* What earlier stages keep, in f16 and in blocks, is a state's first and next value. */
static void round_kept(Rounds *rounds, void *data)
{
    const Shared *shared = data;
    VfiGraph *graph = rounds->graph;
    VfiValue a = rounds_state(rounds, 0), b = rounds_state(rounds, 1);

    rounds_update(rounds, 0, mean(graph, a, b));
    rounds_update(rounds, 1, shared->value[0]);
    rounds_update(rounds, 2,
                  vfi_graph_affine(graph, rounds_state(rounds, 2), 0.5f, 0.1f));
}

static void build_kept(Rounds *rounds)
{
    VfiGraph *graph = rounds->graph;
    bool is_last = target.plan.channels_last;
    VfiOperand kept = {.shape = {KEPT_CHANNELS, HEIGHT, WIDTH},
                       .region = VFI_REGION_FRAME0,
                       .offset = vfi_plan_image_bytes(WIDTH, HEIGHT),
                       .half = true};

    vfi_graph_declare_input(graph, "planes", &kept);
    if (target.plan.channel_block > 1) {
        kept.block = is_last ? KEPT_CHANNELS : target.plan.channel_block;
        kept.half = is_last && target.plan.half_pixels;
    }
    vfi_graph_declare_input(graph, "blocks", &kept);
    Shared shared = {{vfi_graph_feature(graph, 1, "planes")}};
    rounds_new_state(rounds, vfi_graph_feature(graph, 0, "planes"));
    rounds_new_state(rounds, vfi_graph_feature(graph, 0, "blocks"));
    VfiValue part = vfi_graph_slice(graph, vfi_graph_feature(graph, 1, "blocks"), 2, 3);
    rounds_new_state(rounds, part);
    rounds_build(rounds, ROUNDS, round_kept, &shared);
    for (int i = 0; i < 3; i++)
        vfi_graph_output(graph, "x",
                         vfi_graph_affine(graph, rounds_state(rounds, i), 1.0f, 0.1f));
}

/* ---- comparing --------------------------------------------------------------------- */

static const struct {
    void (*build)(Rounds *rounds);
    bool wants_target; /* its inputs are laid out as the device's own plans have them */
    double
        limit; /* where values of a round are not planes of f32, as states always are */
} cases[] = {
    {build_plain, false, 0.0},     {build_copies, false, 0.0},
    {build_crowded, false, 0.0},   {build_replacing, false, 0.0},
    {build_splitting, false, 0.0}, {build_joining, false, 0.0},
    {build_cheap, false, 0.0},     {build_convs, false, 4e-3},
    {build_kept, true, 0.0},
};

/* A network to compare. */
typedef struct {
    void (*build)(Rounds *rounds); /* NULL: a random one of .seed */
    guint32 seed;
    double limit; /* how much results may differ, of the largest one; 0: not at all */
} Network;

/* What its plan for @plan_target gives. */
static GByteArray *results_of(const Network *network, const VfiWeights *weights,
                              const VfiPlanTarget *plan_target, bool unrolled)
{
    Rounds rounds = {.graph = vfi_graph_new(weights, WIDTH, HEIGHT),
                     .unrolled = unrolled};
    g_autoptr(GError) error = NULL;

    if (network->build != NULL)
        network->build(&rounds);
    else
        random_loop(&rounds, network->seed, 1 + (int)network->seed % 4, weights != NULL);
    VfiPlan *plan = vfi_plan_new(rounds.graph, plan_target, VFI_REGION_ARENA, &error);
    expect(plan != NULL, error);
    ck_assert_int_eq(plan->state_bytes > 0, !unrolled);
    GByteArray *results = run_plan(plan, rounds.last_segment);
    vfi_plan_free(plan);
    vfi_graph_free(rounds.graph);
    return results;
}

static void compare(const Network *network, const VfiWeights *weights,
                    const VfiPlanTarget *plan_target)
{
    g_autoptr(GByteArray) expected = results_of(network, weights, plan_target, true);
    g_autoptr(GByteArray) found = results_of(network, weights, plan_target, false);
    const float *a = (const float *)(const void *)found->data;
    const float *b = (const float *)(const void *)expected->data;

    ck_assert_uint_eq(found->len, expected->len);
    check_close("results", a, b, found->len / sizeof(float), network->limit);
    if (network->limit == 0.0)
        ck_assert_mem_eq(found->data, expected->data, expected->len);
}

static void open_target(void)
{
    g_autoptr(GError) error = NULL;

    expect(target_open(&target, device, precision, 2, &error), error);
}

static void close_target(void)
{
    target_close(&target);
}

START_TEST(loops_give_what_their_rounds_do)
{
    VfiWeights *weights = weights_of_layers(layers, G_N_ELEMENTS(layers));
    const VfiPlanTarget in_rows = {.row_groups = true, .row_op = target.plan.row_op};
    Network network = {.build = cases[_i].build};

    if (!target.plan.channels_last && !cases[_i].wants_target) {
        compare(&network, weights, NULL);
        compare(&network, weights, &in_rows);
    }
    network.limit = target.plan.channel_block > 1 ? cases[_i].limit : 0.0;
    compare(&network, weights, &target.plan);
    vfi_weights_free(weights);
}
END_TEST

/* On a GPU an op's last bits depend on whether it is in a row group. */
START_TEST(random_loops_give_what_their_rounds_do)
{
    const VfiPlanTarget in_rows = {.row_groups = true, .row_op = target.plan.row_op};
    Network network = {.seed = (guint32)_i + 1,
                       .limit = target.backend->host_memory ? 0.0 : 1e-4};

    compare(&network, NULL, &target.plan);
    if (!target.plan.channels_last) {
        compare(&network, NULL, NULL);
        compare(&network, NULL, &in_rows);
    }
}
END_TEST

/* Where they are computed with f16, other last bits may be rounded to another number. */
START_TEST(random_loops_with_convolutions_do)
{
    VfiWeights *weights = weights_of_layers(layers, G_N_ELEMENTS(layers));
    Network network = {.seed = (guint32)_i + 1000};

    if (!target.backend->host_memory)
        network.limit = target.plan.half_pixels ? 1e-2 : 1e-3;
    compare(&network, weights, &target.plan);
    vfi_weights_free(weights);
}
END_TEST

/* ---- captured runs ----------------------------------------------------------------- */

static uint64_t launches(void)
{
    VfiDeviceInfo info;

    target.backend->info(target.device, &info);
    ck_assert_uint_eq(info.graph_failures, 0);
    return info.graph_launches;
}

/* Frames change places from picture to picture, states from round to round: each segment
 * is captured once for every combination, as it runs a second time, and all later runs
 * are one launch. */
START_TEST(rounds_are_captured_once)
{
    enum { PICTURES = 3 * VFI_MAX_VIEW_FRAMES };
    Rounds rounds = {.graph = vfi_graph_new(NULL, WIDTH, HEIGHT)};
    uint64_t before = launches(), runs = 0;

    build_plain(&rounds);
    VfiPlan *plan = vfi_plan_new(rounds.graph, &target.plan, VFI_REGION_ARENA, NULL);
    VfiProgram *program = target.backend->compile(target.device, plan, NULL);
    Places places = places_of(plan);
    fill_memory(&places);
    for (int picture = 0; picture < PICTURES; picture++) {
        VfiRunArguments arguments = {0};
        bind_memory(&places, picture % VFI_MAX_VIEW_FRAMES, &arguments);
        for (int s = 0; s < plan->n_segments; s++)
            for (int round = 0; round < plan->segments[s].rounds; round++) {
                ck_assert(
                    target.backend->run(target.device, program, s, &arguments, NULL));
                if (plan->segments[s].writes_state)
                    vfi_exchange_states(&arguments);
                runs++;
            }
    }
    ck_assert(target.backend->sync(target.device, NULL));
    /* The loop is captured with its states in both orders. */
    ck_assert_uint_eq(launches() - before,
                      runs - VFI_MAX_VIEW_FRAMES * (uint64_t)(plan->n_segments + 1));
    target.backend->program_free(target.device, program);
    vfi_plan_free(plan);
    vfi_graph_free(rounds.graph);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc > 1)
        device = argv[1];
    if (argc > 2 && !vfi_precision_from_string(argv[2], &precision))
        return EXIT_FAILURE;
    Suite *suite = suite_create("loops");
    TCase *tcase = tcase_create("loops");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_target, close_target);
    tcase_add_loop_test(tcase, loops_give_what_their_rounds_do, 0,
                        (int)G_N_ELEMENTS(cases));
    add_thinned_loop_test(tcase, random_loops_give_what_their_rounds_do, 0, 60);
    add_thinned_loop_test(tcase, random_loops_with_convolutions_do, 0, 40);
    if (strcmp(device, "cpu") != 0)
        tcase_add_test(tcase, rounds_are_captured_once);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
