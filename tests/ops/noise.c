/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NOISE in networks, on the device that VFI_TEST_DEVICE names (else the CPU): the same
 * bits on all of them, tiles' noise as a part of the whole image's, other numbers for
 * other inputs, and a normal distribution. That its numbers are right is the runner's
 * business. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "check_main.h"
#include "graph/graph.h"
#include "machine/cpu_level.h"
#include "op/noise.h"
#include "target.h"

/* ---- networks ---------------------------------------------------------------------- */

/* One that is ready to run on the device; its output is "x". */
typedef struct {
    Target target;
    VfiPlan *plan;
    VfiProgram *program;
    size_t bytes; /* of the arena, as it is copied */
} Network;

static void expect(bool success, const GError *error)
{
    ck_assert_msg(success, "%s", error != NULL ? error->message : "no reason");
}

/* Takes the graph. */
static void open_network(Network *network, VfiGraph *graph)
{
    const char *device = g_getenv("VFI_TEST_DEVICE");
    g_autoptr(GError) error = NULL;

    *network = (Network){.plan = NULL};
    expect(target_open(&network->target, device != NULL ? device : "cpu",
                       VFI_PRECISION_AUTO, 3, &error),
           error);
    network->plan = vfi_plan_new(graph, &network->target.plan, VFI_REGION_ARENA, &error);
    expect(network->plan != NULL, error);
    network->program =
        network->target.backend->compile(network->target.device, network->plan, &error);
    expect(network->program != NULL, error);
    network->bytes = vfi_align_up(network->plan->arena_bytes, TARGET_ROW_BYTES);
    expect(target_reserve(&network->target, network->bytes, &error), error);
    vfi_graph_free(graph);
}

static void close_network(Network *network)
{
    network->target.backend->program_free(network->target.device, network->program);
    vfi_plan_free(network->plan);
    target_close(&network->target);
}

/* The output's planes; g_free(). */
static float *run_network(const Network *network, const VfiNoiseInputs *inputs)
{
    const Target *target = &network->target;
    const VfiOperand *output = &vfi_plan_output(network->plan, 0, "x")->operand;
    VfiRunArguments arguments = {.region[VFI_REGION_ARENA] = target->memory,
                                 .inputs.noise = *inputs};
    g_autoptr(GError) error = NULL;

    expect(target->backend->run(target->device, network->program, 0, &arguments, &error),
           error);
    expect(target_read(target, target->after, target->memory, network->bytes, &error),
           error);
    ck_assert(!vfi_operand_is_blocked(output));
    return g_memdup2(target->after + output->offset,
                     vfi_shape_elements(output->shape) * sizeof(float));
}

/* The noise number @stream of an image that has @reduction times its size. */
static VfiGraph *noise_graph(const VfiNoiseParams *p)
{
    VfiGraph *graph =
        vfi_graph_new(NULL, p->width * p->reduction, p->height * p->reduction);
    VfiValue noise = VFI_NO_VALUE;

    for (uint32_t i = 0; i <= p->stream; i++)
        noise = vfi_graph_noise(graph, p->channels, p->height, p->width);
    vfi_graph_output(graph, "x", noise);
    return graph;
}

static size_t count(const VfiNoiseParams *p)
{
    return (size_t)p->channels * (size_t)p->height * (size_t)p->width;
}

static float *noise_of(const VfiNoiseParams *params, const VfiNoiseInputs *inputs)
{
    Network network;

    open_network(&network, noise_graph(params));
    float *noise = run_network(&network, inputs);
    close_network(&network);
    return noise;
}

/* What the host computes of it, pixel by pixel. */
static float *noise_by_pixel(const VfiNoiseParams *p, const VfiNoiseInputs *inputs)
{
    float *noise = g_new(float, count(p)), *at = noise, four[VFI_NOISE_CHANNELS];

    for (int c = 0; c < p->channels; c++)
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                vfi_noise_at(inputs, p, c / VFI_NOISE_CHANNELS * VFI_NOISE_CHANNELS, y, x,
                             four);
                *at++ = four[c % VFI_NOISE_CHANNELS];
            }
    return noise;
}

/* ---- the same numbers -------------------------------------------------------------- */

static const VfiNoiseParams sizes[] = {
    {1, 1, 1, 0, 1},   {3, 8, 64, 0, 1},  {4, 5, 67, 2, 8},
    {5, 33, 95, 1, 2}, {8, 2, 300, 0, 1}, {13, 70, 129, 0, 4},
};

static const VfiNoiseInputs some_inputs = {.seed = UINT64_C(0xfedcba9876543210),
                                           .key = {0x89abcdef, 0x01234567},
                                           .place = 12,
                                           .round = 3,
                                           .origin = {4096, 1024}};

START_TEST(all_devices_give_the_same_bits)
{
    const VfiNoiseParams *params = &sizes[_i];
    g_autofree float *expected = noise_by_pixel(params, &some_inputs);
    g_autofree float *noise = noise_of(params, &some_inputs);

    ck_assert_mem_eq(noise, expected, count(params) * sizeof(float));
}
END_TEST

/* Tiles at places of the image that are multiples of the reduction. */
START_TEST(a_tile_has_its_part_of_the_whole)
{
    static const struct {
        int x, y, width, height;
    } tiles[] = {
        {0, 0, 17, 40}, {1, 0, 64, 3}, {63, 11, 37, 29}, {99, 39, 1, 1}, {5, 38, 95, 2}};
    const VfiNoiseParams whole = {5, 40, 100, 1, 8};
    VfiNoiseInputs inputs = {.seed = 3, .key = {1, 2}, .round = 1};
    g_autofree float *all = noise_of(&whole, &inputs);

    VfiNoiseParams part = whole;
    part.width = tiles[_i].width;
    part.height = tiles[_i].height;
    inputs.origin[0] = (uint32_t)(tiles[_i].x * whole.reduction);
    inputs.origin[1] = (uint32_t)(tiles[_i].y * whole.reduction);
    g_autofree float *tile = noise_of(&part, &inputs);
    for (int row = 0; row < part.channels * part.height; row++) {
        int c = row / part.height, y = tiles[_i].y + row % part.height;
        ck_assert_mem_eq(tile + (ptrdiff_t)row * part.width,
                         all + (ptrdiff_t)(c * whole.height + y) * whole.width +
                             tiles[_i].x,
                         (size_t)part.width * sizeof(float));
    }
}
END_TEST

/* A program that has run before, which devices may have captured as a whole, reads the
 * inputs of each run. */
START_TEST(each_run_has_the_numbers_of_its_inputs)
{
    const VfiNoiseParams params = {4, 12, 20, 0, 2};
    VfiNoiseInputs inputs = some_inputs;
    Network network;

    open_network(&network, noise_graph(&params));
    for (int run = 0; run < 6; run++) {
        inputs.round = (uint32_t)run % 4;
        inputs.key[1] = (uint32_t)run % 3;
        inputs.origin[0] = 2 * (uint32_t)run;
        g_autofree float *expected = noise_by_pixel(&params, &inputs);
        g_autofree float *noise = run_network(&network, &inputs);
        ck_assert_mem_eq(noise, expected, count(&params) * sizeof(float));
    }
    close_network(&network);
}
END_TEST

/* Ops of the same parameters but for the stream are not one, and their results are read
 * and placed like others. */
START_TEST(a_network_has_independent_noises)
{
    VfiNoiseParams params = {3, 24, 40, 0, 1};
    VfiGraph *graph = vfi_graph_new(NULL, params.width, params.height);
    VfiValue a = vfi_graph_noise(graph, params.channels, params.height, params.width);
    VfiValue b = vfi_graph_noise(graph, params.channels, params.height, params.width);
    VfiValue parts[] = {a, vfi_graph_sub(graph, a, b, 1.0f), b};
    size_t n = count(&params);
    Network network;

    vfi_graph_output(graph, "x", vfi_graph_concat(graph, parts, 3));
    open_network(&network, graph);
    g_autofree float *found = run_network(&network, &some_inputs);
    g_autofree float *first = noise_by_pixel(&params, &some_inputs);
    params.stream = 1;
    g_autofree float *second = noise_by_pixel(&params, &some_inputs);
    ck_assert_mem_eq(found, first, n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        ck_assert_float_eq(found[n + i], first[i] - second[i]);
    ck_assert_mem_eq(found + 2 * n, second, n * sizeof(float));
    close_network(&network);
}
END_TEST

/* ---- other numbers ----------------------------------------------------------------- */

static double mean_product(const float *a, const float *b, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum / (double)n;
}

/* Means of n values scatter by their standard deviation over sqrt(n). So many times that
 * is exceeded once in 1.7 million draws. */
#define SIGMAS 5.0

/* Two independent normal numbers are the same f32 less than once in ten million times;
 * the product of such has the standard deviation 1. */
static void expect_independent(const float *a, const float *b, size_t n)
{
    size_t equal = 0;

    for (size_t i = 0; i < n; i++)
        equal += a[i] == b[i];
    ck_assert_uint_eq(equal, 0);
    ck_assert_double_le(fabs(mean_product(a, b, n)), SIGMAS / sqrt((double)n));
}

START_TEST(other_inputs_give_other_numbers)
{
    static const struct {
        VfiNoiseInputs inputs;
        uint32_t stream;
    } others[] = {{{.seed = 1}, 0},
                  {{.key = {1, 0}}, 0},
                  {{.key = {0, 1}}, 0},
                  {{.round = 1}, 0},
                  {{.round = 2}, 0},
                  {{.seed = 0}, 1},
                  {{.seed = 1}, 1},
                  {{.origin = {4, 0}}, 0},
                  {{.origin = {0, 4}}, 0},
                  {{.key = {1u << 31}}, 0},
                  {{.place = 1}, 0},
                  {{.place = 15}, 0},
                  {{.seed = UINT64_C(1) << 32}, 0},
                  {{.seed = UINT64_MAX}, 63}};
    VfiNoiseParams params = {4, 32, 48, 0, 4};
    VfiNoiseInputs zeros = {.seed = 0};
    g_autofree float *noise = noise_of(&params, &zeros);

    params.stream = others[_i].stream;
    g_autofree float *other = noise_of(&params, &others[_i].inputs);
    expect_independent(noise, other, count(&params));
}
END_TEST

/* ---- the distribution -------------------------------------------------------------- */

/* 2^20 values, and what is known of that many: a share p scatters by sqrt(p (1 - p) / n),
 * the mean of squares by sqrt(2 / n). */
static const VfiNoiseParams many = {4, 512, 512, 0, 1};

static double share_beyond(const float *values, size_t n, float limit)
{
    size_t beyond = 0;

    for (size_t i = 0; i < n; i++)
        beyond += fabsf(values[i]) > limit;
    return (double)beyond / (double)n;
}

START_TEST(numbers_are_normal)
{
    static const struct {
        float limit;
        double share; /* of a normal distribution: erfc(limit / sqrt(2)) */
    } tails[] = {{1.0f, 0.317310508}, {2.0f, 0.045500264}, {3.0f, 0.002699796}};
    VfiNoiseInputs inputs = {.seed = 20};
    g_autofree float *values = noise_of(&many, &inputs);
    size_t n = count(&many);
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)values[i];
    ck_assert_double_le(fabs(sum / (double)n), SIGMAS / sqrt((double)n));
    ck_assert_double_le(fabs(mean_product(values, values, n) - 1.0),
                        SIGMAS * sqrt(2.0 / (double)n));
    for (size_t i = 0; i < G_N_ELEMENTS(tails); i++) {
        double p = tails[i].share;
        ck_assert_double_le(fabs(share_beyond(values, n, tails[i].limit) - p),
                            SIGMAS * sqrt(p * (1.0 - p) / (double)n));
    }
}
END_TEST

/* Neither those beside each other in a row or a column, nor the channels that one word
 * or one counter gives. */
START_TEST(neighbours_are_independent)
{
    VfiNoiseInputs inputs = {.seed = 21};
    g_autofree float *values = noise_of(&many, &inputs);
    size_t plane = (size_t)many.height * (size_t)many.width;
    const size_t distances[] = {1, (size_t)many.width, plane, 2 * plane, 3 * plane};

    for (size_t i = 0; i < G_N_ELEMENTS(distances); i++)
        expect_independent(values, values + distances[i], count(&many) - distances[i]);
}
END_TEST

/* ------------------------------------------------------------------------------------ */

/* Whether the CPU lacks the level that VFI_CPU asks for. */
static bool lacks_level(void)
{
    const char *level = g_getenv("VFI_CPU");

    return level != NULL && strcmp(level, vfi_cpu_level_to_string(vfi_cpu_level())) != 0;
}

int main(void)
{
    Suite *suite = suite_create("noise");
    TCase *tcase = tcase_create("noise");

    if (lacks_level()) {
        printf("1..0 # SKIP this CPU has no %s\n", g_getenv("VFI_CPU"));
        return EXIT_SUCCESS;
    }
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, all_devices_give_the_same_bits, 0,
                        (int)G_N_ELEMENTS(sizes));
    tcase_add_loop_test(tcase, a_tile_has_its_part_of_the_whole, 0, 5);
    tcase_add_test(tcase, each_run_has_the_numbers_of_its_inputs);
    tcase_add_test(tcase, a_network_has_independent_noises);
    tcase_add_loop_test(tcase, other_inputs_give_other_numbers, 0, 14);
    tcase_add_test(tcase, numbers_are_normal);
    tcase_add_test(tcase, neighbours_are_independent);
    return check_main(suite);
}
