/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampling.h"

#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "engine/deterministic_weights.h"
#include "session/rounds.h"

/* Channels and frames of a latent. */
#define CHANNELS 3
#define FRAMES 3

/* Largest mean |difference| of latents. */
#define LATENT_MEAN 1e-3

/* ---- device memory ----------------------------------------------------------------- */

/* The driver's CUDA_MEMCPY2D, whose layout is a part of its ABI. */
typedef struct {
    size_t src_x, src_y;
    unsigned src_type;
    const void *src_host;
    uint64_t src_device;
    void *src_array;
    size_t src_pitch;
    size_t dst_x, dst_y;
    unsigned dst_type;
    void *dst_host;
    uint64_t dst_device;
    void *dst_array;
    size_t dst_pitch, width, height;
} MemoryCopy;

enum { HOST_MEMORY = 1, DEVICE_MEMORY = 2 };

/* What the copy takes of the driver, by their names; all give 0 where they succeed. */
typedef struct {
    int (*init)(unsigned flags);
    int (*retain)(void **context, int device);
    int (*release)(int device);
    int (*push)(void *context);
    int (*pop)(void **context);
    int (*copy)(const MemoryCopy *what);
    int (*synchronize)(void);
} Driver;

static bool find_driver(Driver *driver)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    const struct {
        const char *name;
        void *place;
    } functions[] = {
        {"cuInit", &driver->init},
        {"cuDevicePrimaryCtxRetain", &driver->retain},
        {"cuDevicePrimaryCtxRelease_v2", &driver->release},
        {"cuCtxPushCurrent_v2", &driver->push},
        {"cuCtxPopCurrent_v2", &driver->pop},
        {"cuMemcpy2D_v2", &driver->copy},
        {"cuCtxSynchronize", &driver->synchronize},
    };

    for (size_t i = 0; library != NULL && i < G_N_ELEMENTS(functions); i++) {
        void *function = dlsym(library, functions[i].name);
        if (function == NULL)
            return false;
        memcpy(functions[i].place, &function, sizeof function);
    }
    return library != NULL;
}

/* @states of the first CUDA device to or from host memory. */
static bool copy_on_device(char *states, float *host, size_t bytes, bool to_device)
{
    const MemoryCopy what = {
        .src_type = to_device ? HOST_MEMORY : DEVICE_MEMORY,
        .src_host = to_device ? host : NULL,
        .src_device = to_device ? 0 : (uint64_t)(uintptr_t)states,
        .src_pitch = bytes,
        .dst_type = to_device ? DEVICE_MEMORY : HOST_MEMORY,
        .dst_host = to_device ? NULL : host,
        .dst_device = to_device ? (uint64_t)(uintptr_t)states : 0,
        .dst_pitch = bytes,
        .width = bytes,
        .height = 1,
    };
    Driver driver;
    void *context;

    if (!find_driver(&driver) || driver.init(0) != 0 || driver.retain(&context, 0) != 0)
        return false;
    /* Streams of the session do not wait for the copy by themselves. */
    bool copied =
        driver.push(context) == 0 && driver.copy(&what) == 0 && driver.synchronize() == 0;
    driver.pop(&context);
    driver.release(0);
    return copied;
}

static bool copy_states(GoldenSampling *sampling, const VfiSession *session, char *states,
                        float *host, bool to_states)
{
    size_t bytes = sampling->n * sizeof *host;

    if (session->backend->host_memory) {
        memcpy(to_states ? (void *)states : (void *)host,
               to_states ? (const void *)host : (const void *)states, bytes);
        return true;
    }
    if (copy_on_device(states, host, bytes, to_states))
        return true;
    if (sampling->error == NULL)
        g_set_error(&sampling->error, VFI_ERROR, VFI_ERROR_FAILED,
                    "the device's states cannot be copied");
    return false;
}

/* ---- noise ------------------------------------------------------------------------- */

/* Step k of n: 999 down in even steps, then 1 and 0. */
static int step_at(unsigned n, unsigned k)
{
    return k + 2 >= n ? (int)(n - 1 - k)
                      : (int)(float)(999.0 - k * (999.0 / ((double)n - 2.0)));
}

/* By what noise is multiplied at step @k: models' eta is 1 in the vectors. */
static double deviation(unsigned n, unsigned k)
{
    int at[] = {step_at(n, k), step_at(n, k + 1)};
    double m[2], v[2];

    for (int i = 0; i < 2; i++) {
        m[i] = 0.001 + 0.998 * at[i] / 999.0;
        v[i] = 2.0 * m[i] * (1.0 - m[i]);
    }
    double left = (1.0 - m[0]) / (1.0 - m[1]);
    return sqrt(MAX((v[0] - v[1] * left * left) * v[1] / v[0], 0.0));
}

/* Uniform in [0, 1). */
static double uniform(const char *key, size_t index)
{
    /* Element @index of a tensor of one dimension is an eighth of a number in [-1, 1). */
    return ((double)deterministic_value(key, STATE_BIAS, index, 1, 1) * 8.0 + 1.0) / 2.0;
}

/* Element @index, in the order [c][frame][h][w], of the noise of step @k. */
static double noise(unsigned k, size_t index)
{
    g_autofree char *a = g_strdup_printf("noise%u.a", k);
    g_autofree char *b = g_strdup_printf("noise%u.b", k);

    return sqrt(-2.0 * log(MAX(uniform(a, index), 0x1p-24))) *
           cos(2.0 * G_PI * uniform(b, index));
}

/* Adds the noise that step @k ends with to a state. */
static void add_noise(const GoldenSampling *sampling, float *state, unsigned k)
{
    size_t plane = sampling->n / (CHANNELS * FRAMES);
    double scale = deviation(sampling->vector->steps, k);

    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t f = 0; f < FRAMES; f++)
            for (size_t i = 0; i < plane; i++)
                state[(f * CHANNELS + c) * plane + i] +=
                    (float)(scale * noise(k, (c * FRAMES + f) * plane + i));
}

/* ---- states ------------------------------------------------------------------------ */

/* Floats of the one state of a session's loop, which is planar f32; 0: it is not. */
static size_t state_floats(const VfiSession *session)
{
    const VfiPlan *plan = session->plans[VFI_STAGE_TIME];

    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOperand *dst = &plan->ops[i].dst;
        if (dst->region == VFI_REGION_NEXT_STATE)
            return dst->block > 1 || dst->half || dst->offset != 0 ||
                           dst->shape.c != CHANNELS * FRAMES
                       ? 0
                       : (size_t)dst->shape.c * (size_t)dst->shape.h *
                             (size_t)dst->shape.w;
    }
    return 0;
}

static void see_states(VfiSession *session, int round, char *states, void *data)
{
    GoldenSampling *sampling = data;
    unsigned steps = sampling->vector->steps;

    sampling->n = state_floats(session);
    if (sampling->n == 0) {
        if (sampling->error == NULL)
            g_set_error(&sampling->error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                        "a state is not planar f32 of %d channels", CHANNELS * FRAMES);
        return;
    }
    g_autofree float *state = g_new(float, sampling->n);
    if (!copy_states(sampling, session, states, state, false))
        return;
    if (round == 0)
        sampling->latents = g_memdup2(state, sampling->n * sizeof *state);
    else if (round == (int)steps)
        sampling->sampled = g_memdup2(state, sampling->n * sizeof *state);
    if (round == 0 || round == (int)steps || !sampling->vector->noisy)
        return;
    add_noise(sampling, state, (unsigned)round - 1);
    copy_states(sampling, session, states, state, true);
}

void golden_sampling_begin(GoldenSampling *sampling, const GoldenVector *vector,
                           VfiSession *session)
{
    *sampling = (GoldenSampling){.vector = vector};
    if (vector->steps > 0)
        vfi_session_set_round_hook(session, see_states, sampling);
}

void golden_sampling_clear(GoldenSampling *sampling)
{
    g_free(sampling->latents);
    g_free(sampling->sampled);
    g_clear_error(&sampling->error);
}

/* Mean |difference| of a state and @values; frames are the outer dimension of these, or
 * channels. */
static double mean_difference(const GoldenSampling *sampling, const float *state,
                              const float *values, bool channels_first)
{
    size_t plane = sampling->n / (CHANNELS * FRAMES);
    double sum = 0.0;

    for (size_t f = 0; f < FRAMES; f++)
        for (size_t c = 0; c < CHANNELS; c++) {
            size_t at = channels_first ? c * FRAMES + f : f * CHANNELS + c;
            for (size_t i = 0; i < plane; i++)
                sum += fabs((double)state[(f * CHANNELS + c) * plane + i] -
                            (double)values[at * plane + i]);
        }
    return sum / (double)sampling->n;
}

static bool check_state(const GoldenSampling *sampling, const float *state,
                        const VfiCheckpoint *file, const char *name, bool channels_first,
                        GError **error)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(file, name);

    if (tensor == NULL)
        return true;
    if (state == NULL || tensor->n_elements != sampling->n) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_FAILED,
                    "%s has %" G_GSIZE_FORMAT " elements, the state %" G_GSIZE_FORMAT,
                    name, (gsize)tensor->n_elements, state == NULL ? 0 : sampling->n);
        return false;
    }
    g_autofree float *values = g_new(float, sampling->n);
    if (!vfi_checkpoint_read_f32(file, tensor, values, error))
        return false;
    double mean = mean_difference(sampling, state, values, channels_first);
    if (mean <= LATENT_MEAN)
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_FAILED, "%s: mean %.2e (limit %.0e)", name,
                mean, LATENT_MEAN);
    return false;
}

bool golden_sampling_check(const GoldenSampling *sampling, const VfiCheckpoint *file,
                           GError **error)
{
    if (sampling->error != NULL) {
        g_propagate_error(error, g_error_copy(sampling->error));
        return false;
    }
    return sampling->vector->steps == 0 ||
           (check_state(sampling, sampling->latents, file, "latent", false, error) &&
            check_state(sampling, sampling->sampled, file, "sampled_latent", true,
                        error));
}
