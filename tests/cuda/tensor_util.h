/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tensors for tests of the CUDA backend's kernels: in any layout, with guard values
 * around and between them, and the CPU's C reference of the same op. Values are such that
 * f16 holds them exactly, so that all storages begin with the same ones. */
#pragma once

#include "base/alloc.h"
#include "base/f16.h"
#include "device_memory.h"
#include "kernel/kernel_util.h"
#include "ops/cuda_op.h"

/* Where and how a tensor lies. */
typedef struct {
    bool last; /* channels last */
    bool half;
    int before, after; /* channels of others beside it, multiples of 8 */
    int shift;         /* planar: by how many elements it is misaligned */
} Layout;

/* The layouts that ops accept which accept any. */
static const Layout layouts[] = {
    {.last = false},
    {.last = false, .shift = 1},
    {.last = true},
    {.last = true, .half = true},
    {.last = true, .before = 8, .after = 16},
    {.last = true, .half = true, .before = 16, .after = 8},
};

static const VfiShape tensor_shapes[] = {
    {1, 1, 1}, {3, 5, 7}, {8, 4, 6}, {13, 9, 33}, {24, 3, 70}, {97, 2, 11}, {265, 3, 2}};

typedef struct {
    VfiCudaTensor tensor;
    Layout layout;
    char *memory;  /* device memory; guard values but for the tensor */
    size_t bytes;  /* of that */
    size_t offset; /* the tensor's */
} TestTensor;

static inline int round_up_channels(int c)
{
    return (c + 7) / 8 * 8;
}

/* Place of an element in the tensor, in elements. */
static inline size_t tensor_place(const VfiCudaTensor *tensor, int c, size_t pixel)
{
    if (tensor->pixel_stride == 0)
        return (size_t)c * (size_t)tensor->h * (size_t)tensor->w + pixel;
    return pixel * (size_t)tensor->pixel_stride + (size_t)c;
}

/* Fills in the tensor's elements and its padding in host memory that is laid out as the
 * device's, from @planes or from @from (which is laid out alike). */
static inline void tensor_put(const TestTensor *test, const float *planes,
                              const char *from, char *to)
{
    const VfiCudaTensor *t = &test->tensor;
    size_t pixels = (size_t)t->h * (size_t)t->w, size = t->half ? 2 : 4;
    int channels = t->pixel_stride == 0 ? t->c : round_up_channels(t->c);

    for (int c = 0; c < channels; c++)
        for (size_t i = 0; i < pixels; i++) {
            size_t at = test->offset + tensor_place(t, c, i) * size;
            float value =
                c < t->c && planes != NULL ? planes[(size_t)c * pixels + i] : 0.0f;
            uint16_t half = vfi_f16_from_float(value);
            if (c < t->c && from != NULL)
                memcpy(to + at, from + at, size);
            else
                memcpy(to + at, t->half ? (const void *)&half : &value, size);
        }
}

/* A tensor that holds @planes, or guard values (NULL). */
static inline TestTensor tensor_new(VfiShape shape, Layout layout, const float *planes)
{
    TestTensor test = {
        .tensor = {.c = shape.c, .h = shape.h, .w = shape.w, .half = layout.half},
        .layout = layout};
    size_t size = layout.half ? 2 : 4, pixels = (size_t)shape.h * (size_t)shape.w;
    size_t channels = (size_t)shape.c;

    if (layout.last) {
        test.tensor.pixel_stride =
            layout.before + round_up_channels(shape.c) + layout.after;
        channels = (size_t)test.tensor.pixel_stride;
    }
    test.offset = GUARD_BYTES + (size_t)(layout.before + layout.shift) * size;
    test.bytes = 2 * GUARD_BYTES + (pixels * channels + (size_t)layout.shift) * size;
    g_autofree char *host = g_malloc(test.bytes);
    memset(host, GUARD_VALUE, test.bytes);
    if (planes != NULL)
        tensor_put(&test, planes, NULL, host);
    test.memory = device_new(host, test.bytes);
    test.tensor.data = test.memory + test.offset;
    return test;
}

static inline void tensor_clear(TestTensor *test)
{
    device_free(test->memory);
}

/* The tensor's values as planes (g_free()). Checks that its padding holds zeros and that
 * nothing around it has changed. */
static inline float *tensor_planes(const TestTensor *test)
{
    const VfiCudaTensor *t = &test->tensor;
    size_t pixels = (size_t)t->h * (size_t)t->w;
    g_autofree char *host = device_read(test->memory, test->bytes);
    g_autofree char *expected = g_malloc(test->bytes);
    float *planes = g_new(float, pixels *(size_t)t->c);

    memset(expected, GUARD_VALUE, test->bytes);
    tensor_put(test, NULL, host, expected);
    if (memcmp(host, expected, test->bytes) != 0)
        ck_abort_msg("%d×%d×%d: written beside the tensor, or padding is not zero", t->c,
                     t->h, t->w);
    for (int c = 0; c < t->c; c++)
        for (size_t i = 0; i < pixels; i++) {
            const char *from =
                host + test->offset + tensor_place(t, c, i) * (t->half ? 2 : 4);
            uint16_t half;
            float value;
            memcpy(&half, from, sizeof half);
            memcpy(&value, from, t->half ? sizeof half : sizeof value);
            planes[(size_t)c * pixels + i] = t->half ? vfi_float_from_f16(half) : value;
        }
    return planes;
}

/* Random values that f16 holds. */
static inline float *random_halves(GRand *random, size_t n)
{
    float *values = random_floats(random, n);

    for (size_t i = 0; i < n; i++)
        values[i] = vfi_float_from_f16(vfi_f16_from_float(4.0f * values[i]));
    return values;
}

static inline bool same_value(float a, float b, float tolerance)
{
    return a == b || (isnan(a) && isnan(b)) ||
           fabsf(a - b) <= tolerance * MAX(fabsf(b), 1.0f);
}

/* Fails unless the tensor holds @expected, rounded as it is stored; f32 to within
 * @tolerance times the value or 1, whichever is more. */
static inline void tensor_expect(const TestTensor *test, const float *expected,
                                 float tolerance, const char *what)
{
    const VfiCudaTensor *t = &test->tensor;
    size_t n = (size_t)t->c * (size_t)t->h * (size_t)t->w;
    g_autofree float *planes = tensor_planes(test);

    for (size_t i = 0; i < n; i++) {
        float value = expected[i];
        if (t->half)
            value = vfi_float_from_f16(vfi_f16_from_float(value));
        if (!same_value(planes[i], value,
                        t->half && tolerance > 0.0f ? 1e-3f : tolerance))
            ck_abort_msg("%s %d×%d×%d, %s %s: element %zu is %g, not %g", what, t->c,
                         t->h, t->w, test->layout.last ? "channels last" : "planar",
                         t->half ? "f16" : "f32", i, planes[i], value);
    }
}

/* The op's result in plain C; shapes and parameters are set. */
static inline float *reference_of(VfiOp *op, const float *const *sources,
                                  const VfiRunInputs *inputs)
{
    float scalars[1] = {0.0f};
    Setting setting = {.level = VFI_CPU_LEVEL_C, .threads = 1, .scalars = scalars};

    if (inputs != NULL)
        setting.inputs = *inputs;
    op->name = "test";
    return run_op(op, sources, &setting);
}

static inline void expect_success(cudaError_t error)
{
    if (error != cudaSuccess)
        ck_abort_msg("a launch gave error %d", (int)error);
}

/* The constants of an op in device memory, none of which is a matrix. */
typedef struct {
    char *memory[VFI_CUDA_MAX_CONSTANTS];
    const float *at[VFI_CUDA_MAX_CONSTANTS]; /* the same */
} TestConstants;

static inline TestConstants constants_new(const VfiOp *op)
{
    VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS] = {{.values = NULL}};
    TestConstants test = {{NULL}, {NULL}};

    if (vfi_cuda_op(op->kind)->constants != NULL)
        vfi_cuda_op(op->kind)->constants(op, constants);
    for (int i = 0; i < VFI_CUDA_MAX_CONSTANTS; i++) {
        if (constants[i].values == NULL)
            continue;
        size_t bytes = vfi_align_up(constants[i].n, 8) * sizeof(float);
        g_autofree char *host = g_malloc0(bytes);
        memcpy(host, constants[i].values, constants[i].n * sizeof(float));
        test.memory[i] = device_new(host, bytes);
        test.at[i] = (const float *)(const void *)test.memory[i];
    }
    return test;
}

static inline void constants_clear(TestConstants *test)
{
    for (int i = 0; i < VFI_CUDA_MAX_CONSTANTS; i++)
        if (test->memory[i] != NULL)
            device_free(test->memory[i]);
}

/* Computes @op. @b: NULL without a second source; @constants: NULL if it has none. */
static inline void compute_op(const VfiOp *op, const VfiCudaTensor *a,
                              const VfiCudaTensor *b, const TestConstants *constants,
                              const VfiCudaTensor *dst)
{
    VfiCudaLaunch launch = {.op = op, .src = {*a}, .dst = *dst};

    if (b != NULL)
        launch.src[1] = *b;
    if (constants != NULL)
        memcpy(launch.constant, constants->at, sizeof launch.constant);
    expect_success(vfi_cuda_op(op->kind)->launch(&launch));
}
