/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random graphs of what row groups take: two images, enlarged, made smaller, warped,
 * combined and so on; and loops of such. */
#pragma once

#include "rounds.h"

enum { WIDTH = 96, HEIGHT = 64, N_VALUES = 26 };

typedef struct {
    VfiGraph *graph;
    GRand *rand;
    GArray *large, *small; /* of VfiValue: of full size, and smaller */
    bool has_convs;        /* "random.0": 8 to 32 channels; "random.1": 32 to 3; 3 × 3 */
} RandomGraph;

static inline VfiValue pick(RandomGraph *random, const GArray *values)
{
    guint recent = MIN(values->len, 7);

    return g_array_index(values, VfiValue,
                         values->len - 1 - g_rand_int(random->rand) % recent);
}

static inline int channels(const RandomGraph *random, VfiValue value)
{
    return vfi_graph_shape(random->graph, value).c;
}

static inline void add_large(RandomGraph *random, VfiValue value)
{
    ck_assert_int_ne(value, VFI_NO_VALUE);
    g_array_append_val(random->large, value);
}

/* Rarely by a factor that no group takes. */
static inline void add_small(RandomGraph *random, VfiValue value)
{
    static const int factors[] = {2, 2, 4, 4, 4, 8, 16};
    int factor = factors[g_rand_int(random->rand) % G_N_ELEMENTS(factors)];
    int width = g_rand_int(random->rand) % 8 == 0 ? WIDTH / 3 : WIDTH / factor;
    VfiValue small = vfi_graph_resize(random->graph, value, HEIGHT / factor, width, 1.5f);

    ck_assert_int_ne(small, VFI_NO_VALUE);
    g_array_append_val(random->small, small);
}

/* Two channels that move pixels by up to about @reach. */
static inline VfiValue make_flow(RandomGraph *random, float reach)
{
    VfiValue source = pick(random, random->small);
    VfiValue flow = vfi_graph_resize(
        random->graph,
        vfi_graph_slice(random->graph, source, 0, MIN(2, channels(random, source))),
        HEIGHT, WIDTH, reach);

    if (channels(random, flow) == 1)
        flow = vfi_graph_concat(random->graph, (VfiValue[]){flow, flow}, 2);
    return flow;
}

static inline void add_combination(RandomGraph *random, VfiValue a, VfiValue b)
{
    VfiGraph *graph = random->graph;
    int ca = channels(random, a), cb = channels(random, b), common = MIN(ca, cb);
    VfiValue some_a = ca > common ? vfi_graph_slice(graph, a, ca - common, common) : a;
    VfiValue some_b = cb > common ? vfi_graph_slice(graph, b, 0, common) : b;

    switch (g_rand_int(random->rand) % 5) {
    case 0:
        if (ca + cb <= 12)
            add_large(random, vfi_graph_concat(graph, (VfiValue[]){a, b}, 2));
        break;
    case 1:
        add_large(random, vfi_graph_sub(graph, some_a, some_b, 0.5f));
        break;
    case 2:
        add_large(random, vfi_graph_mul(graph, a, vfi_graph_slice(graph, b, cb - 1, 1)));
        break;
    default:
        add_large(random, vfi_graph_add(graph, some_a, some_b, 0.75f));
        break;
    }
}

/* Four channels of half size, some of them the same, to one. */
static inline void add_shuffled(RandomGraph *random)
{
    VfiGraph *graph = random->graph;
    VfiValue half =
        vfi_graph_resize(graph, pick(random, random->small), HEIGHT / 2, WIDTH / 2, 1.0f);
    VfiValue last = vfi_graph_slice(graph, half, channels(random, half) - 1, 1);
    VfiValue four[] = {half, last, last, last};
    VfiValue x = vfi_graph_concat(graph, four, 4);

    add_large(random, vfi_graph_pixel_shuffle(graph, vfi_graph_slice(graph, x, 0, 4)));
}

/* @value with @n channels: some of them, or all several times. */
static inline VfiValue with_channels(RandomGraph *random, VfiValue value, int n)
{
    while (channels(random, value) < n)
        value = vfi_graph_concat(random->graph, (VfiValue[]){value, value}, 2);
    if (channels(random, value) > n)
        value = vfi_graph_slice(random->graph, value, channels(random, value) - n, n);
    return value;
}

/* Two convolutions with what only they see between them. */
static inline void add_convolved(RandomGraph *random, VfiValue a, VfiValue b)
{
    VfiGraph *graph = random->graph;
    VfiValue parts[] = {a, b};
    VfiValue x = with_channels(random, vfi_graph_concat(graph, parts, 2), 8);

    x = vfi_graph_leaky_relu(graph, vfi_graph_conv(graph, x, "random.0", 32, 3, 1), 0.2f);
    x = vfi_graph_conv(graph, x, "random.1", 3, 3, 1);
    add_large(random, vfi_graph_affine(graph, x, 0.5f, 0.1f));
}

static inline void add_random_node(RandomGraph *random)
{
    VfiGraph *graph = random->graph;
    VfiValue a = pick(random, random->large), b = pick(random, random->large);

    switch (g_rand_int(random->rand) % (random->has_convs ? 16 : 13)) {
    case 0:
    case 1:
    case 2:
        add_small(random, a);
        break;
    case 3:
        add_large(random, vfi_graph_resize(graph, pick(random, random->small), HEIGHT,
                                           WIDTH, 0.5f));
        break;
    case 4:
    case 5:
        add_large(random, vfi_graph_warp(graph, a, make_flow(random, 6.0f)));
        break;
    case 6:
        add_large(random, vfi_graph_clamp(graph, a, 0.1f, 0.8f));
        break;
    case 7:
        add_large(random, vfi_graph_sigmoid(graph, vfi_graph_affine(graph, a, -3, 1)));
        break;
    case 8:
        add_large(random, vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, HEIGHT, WIDTH,
                                              2.0f, -0.5f));
        vfi_graph_max_abs(graph, a);
        break;
    case 9:
        add_shuffled(random);
        break;
    case 13:
    case 14:
    case 15:
        add_convolved(random, a, b);
        break;
    default:
        add_combination(random, a, b);
        break;
    }
}

/* Both images, and one of them made smaller. */
static inline RandomGraph random_begin(VfiGraph *graph, GRand *rand)
{
    RandomGraph random = {
        .graph = graph,
        .rand = rand,
        .large = g_array_new(FALSE, FALSE, sizeof(VfiValue)),
        .small = g_array_new(FALSE, FALSE, sizeof(VfiValue)),
    };

    for (int frame = 0; frame < 2; frame++)
        add_large(&random, vfi_graph_image(graph, frame));
    add_small(&random, pick(&random, random.large));
    return random;
}

static inline guint random_size(const RandomGraph *random)
{
    return random->large->len + random->small->len;
}

static inline void random_end(RandomGraph *random)
{
    vfi_graph_output(random->graph, "x", pick(random, random->large));
    for (guint i = 0; i < random->small->len; i++) /* all: what groups are for */
        vfi_graph_output(random->graph, "y", g_array_index(random->small, VfiValue, i));
    g_array_unref(random->large);
    g_array_unref(random->small);
}

static inline VfiGraph *random_graph(GRand *rand, int *last_segment)
{
    RandomGraph random = random_begin(vfi_graph_new(NULL, WIDTH, HEIGHT), rand);

    *last_segment = 0;
    while (random_size(&random) < N_VALUES) {
        if (*last_segment == 0 && g_rand_int(rand) % (2 * N_VALUES) == 0)
            *last_segment = vfi_graph_segment(random.graph, 0);
        add_random_node(&random);
    }
    random_end(&random);
    return random.graph;
}

/* ---- loops ------------------------------------------------------------------------- */

/* Values before the loop, of a round, and behind it; states of full size, and smaller. */
enum { N_BEFORE = 6, N_ROUND = 8, N_BEHIND = 5, N_LARGE_STATES = 2, N_SMALL_STATES = 2 };

typedef struct {
    RandomGraph random;
    guint32 seed;           /* of a round, which is the same each time */
    guint n_large, n_small; /* values before the loop; then the states follow */
} RandomLoop;

/* Puts the states where values of their sizes are picked from, or again there. */
static inline void set_states(RandomLoop *loop, const Rounds *rounds)
{
    g_array_set_size(loop->random.large,
                     MAX(loop->random.large->len, loop->n_large + N_LARGE_STATES));
    g_array_set_size(loop->random.small,
                     MAX(loop->random.small->len, loop->n_small + N_SMALL_STATES));
    for (guint i = 0; i < N_LARGE_STATES; i++)
        g_array_index(loop->random.large, VfiValue, loop->n_large + i) =
            rounds_state(rounds, (int)i);
    for (guint i = 0; i < N_SMALL_STATES; i++)
        g_array_index(loop->random.small, VfiValue, loop->n_small + i) =
            rounds_state(rounds, (int)(N_LARGE_STATES + i));
}

/* Adds @n values, in one or two segments. */
static inline void add_random_values(RandomGraph *random, Rounds *rounds, int n,
                                     bool in_two)
{
    guint begin = random_size(random), end = begin + (guint)n;

    while (random_size(random) < end) {
        if (in_two && random_size(random) >= (begin + end) / 2) {
            rounds_begin_segment(rounds);
            in_two = false;
        }
        add_random_node(random);
    }
}

static inline void random_round(Rounds *rounds, void *data)
{
    RandomLoop *loop = data;
    RandomGraph *random = &loop->random;
    GRand *outer = random->rand;

    random->rand = g_rand_new_with_seed(loop->seed);
    g_array_set_size(random->large, loop->n_large);
    g_array_set_size(random->small, loop->n_small);
    set_states(loop, rounds);
    add_random_values(random, rounds, N_ROUND, false);
    for (int i = 0; i < N_LARGE_STATES + N_SMALL_STATES; i++) {
        VfiShape shape = vfi_graph_shape(random->graph, rounds_state(rounds, i));
        VfiValue next = pick(random, i < N_LARGE_STATES ? random->large : random->small);
        next = with_channels(random, next, shape.c);
        if (i >= N_LARGE_STATES)
            next = vfi_graph_resize(random->graph, next, shape.h, shape.w, 0.75f);
        rounds_update(rounds, i, next);
    }
    g_rand_free(random->rand);
    random->rand = outer;
}

/* A loop, or its rounds one after the other, between other nodes: the same for the same
 * seed. */
static inline void random_loop(Rounds *rounds, guint32 seed, int n_rounds, bool has_convs)
{
    GRand *rand = g_rand_new_with_seed(seed);
    RandomLoop loop = {.random = random_begin(rounds->graph, rand), .seed = seed};
    RandomGraph *random = &loop.random;

    random->has_convs = has_convs;
    add_random_values(random, rounds, N_BEFORE, seed % 3 == 0);
    for (int i = 0; i < N_LARGE_STATES + N_SMALL_STATES; i++)
        rounds_new_state(
            rounds, pick(random, i < N_LARGE_STATES ? random->large : random->small));
    loop.n_large = random->large->len;
    loop.n_small = random->small->len;
    rounds_build(rounds, n_rounds, random_round, &loop);
    set_states(&loop, rounds);
    add_random_values(random, rounds, N_BEHIND, seed % 2 == 0);
    random_end(random);
    g_rand_free(rand);
}
