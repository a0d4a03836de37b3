/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups that write parts of channels-last pixels at any channel, and read planes of
 * f16: every byte of the results is checked against the ops' definitions. */
#include "rows/row_group.h"

#include "plan/plan.h"
#include "tensor_util.h"

enum { H = 8, W = 12, LARGE = H * W, SMALL = LARGE / 4, FIRST = 2, TIME_CHANNELS = 1 };

/* The whole pixels: channels from FIRST on are written; padding begins in the last of
 * @channels. */
static const struct {
    bool half;
    int stride, large_channels, small_channels;
} cases[] = {
    {true, 24, 13, 14},    {true, 24, 22, 16},
    {true, 160, 150, 141}, /* too many to be gathered */
    {false, 24, 13, 14},   {false, 32, 22, 23},
};

static const VfiRunInputs run_inputs = {
    .value = {[VFI_RUN_INPUT_TIME] = 0.3f, [VFI_RUN_INPUT_IMAGE_MEAN] = 0.4f}};

static VfiOperand part(VfiShape shape, VfiRegion region, int channel, bool half,
                       int stride, bool followed)
{
    return (VfiOperand){.shape = shape,
                        .region = region,
                        .offset = (size_t)channel * (half ? 2 : 4),
                        .block = stride,
                        .half = half,
                        .followed = followed};
}

static float read_element(const char *data, size_t i, bool half)
{
    uint16_t bits;
    float value;

    memcpy(&bits, data + 2 * i, sizeof bits);
    if (half)
        return vfi_float_from_f16(bits);
    memcpy(&value, data + 4 * i, sizeof value);
    return value;
}

static float rounded(float value, bool half)
{
    return half ? vfi_float_from_f16(vfi_f16_from_float(value)) : value;
}

/* Source values, f16 planes. */
static float value_at(const uint16_t *planes, int channel, int y, int x)
{
    return vfi_float_from_f16(planes[(channel * H + y) * W + x]);
}

static float mean_at(const uint16_t *planes, int channel, int y, int x)
{
    float sum = value_at(planes, channel, 2 * y, 2 * x);

    sum += value_at(planes, channel, 2 * y, 2 * x + 1);
    sum += value_at(planes, channel, 2 * y + 1, 2 * x);
    return 0.25f * (sum + value_at(planes, channel, 2 * y + 1, 2 * x + 1));
}

/* Channel @c of the parts at a pixel: doubled values, the time, halves. */
static float expected_at(const uint16_t *planes, bool small, int c, int channels, int y,
                         int x)
{
    if (c == channels - TIME_CHANNELS)
        return run_inputs.value[VFI_RUN_INPUT_TIME];
    return small ? mean_at(planes, c - FIRST, y, x)
                 : 2.0f * value_at(planes, c - FIRST, y, x);
}

static void check_picture(const char *found, const uint16_t *planes, bool small, int at)
{
    int w = small ? W / 2 : W, h = small ? H / 2 : H, stride = cases[at].stride;
    int channels = small ? cases[at].small_channels : cases[at].large_channels;
    bool half = cases[at].half;

    for (int i = 0; i < w * h * stride; i++) {
        int pixel = i / stride, c = i % stride;
        float value = read_element(found, (size_t)i, half), guard;
        char guards[4];
        memset(guards, GUARD_VALUE, sizeof guards);
        guard = read_element(guards, 0, half);
        float expected =
            c < FIRST || c >= (channels + 7) / 8 * 8 ? guard
            : c >= channels
                ? 0.0f
                : rounded(expected_at(planes, small, c, channels, pixel / w, pixel % w),
                          half);
        if (memcmp(&value, &expected, sizeof value) != 0)
            ck_abort_msg("%s picture, pixel %d, channel %d of %d: %g, not %g",
                         small ? "small" : "large", pixel, c, channels, (double)value,
                         (double)expected);
    }
}

/* Writes halves of a smaller picture, the doubled picture, and after both the time. */
START_TEST(writes_parts_of_pixels)
{
    bool half = cases[_i].half;
    int stride = cases[_i].stride;
    int large = cases[_i].large_channels - FIRST - TIME_CHANNELS;
    int small = cases[_i].small_channels - FIRST - TIME_CHANNELS;
    int most = MAX(large, small), cut = small / 2;
    VfiOperand source = {
        .shape = {most, H, W}, .region = VFI_REGION_FRAME0, .half = true};
    VfiOperand first = source, rest = source,
               time = {.shape = {1, H, W}, .region = VFI_REGION_ROWS};
    VfiOperand full = source;
    first.shape.c = cut;
    rest.shape.c = small - cut;
    rest.offset = (size_t)cut * LARGE * 2;
    full.shape.c = large;
    VfiShape rest_shape = {small - cut, H / 2, W / 2}, one = {1, H / 2, W / 2};
    int after = FIRST + small;
    VfiOp ops[] = {
        {VFI_OP_RESIZE,
         1,
         {rest},
         part(rest_shape, VFI_REGION_PAIR, FIRST + cut, half, stride, true),
         "rest",
         .u.resize = {H / 2, W / 2, 1.0f}},
        {VFI_OP_FILL,
         0,
         {{.offset = 0}},
         time,
         "time",
         .u.fill = {VFI_RUN_INPUT_TIME, 1.0f, 0.0f, H, W}},
        {VFI_OP_RESIZE,
         1,
         {time},
         part(one, VFI_REGION_PAIR, after, half, stride, false),
         "small time",
         .u.resize = {H / 2, W / 2, 1.0f}},
        {VFI_OP_RESIZE,
         1,
         {first},
         part((VfiShape){cut, H / 2, W / 2}, VFI_REGION_PAIR, FIRST, half, stride, true),
         "first",
         .u.resize = {H / 2, W / 2, 1.0f}},
        {VFI_OP_AFFINE,
         1,
         {full},
         part(full.shape, VFI_REGION_ARENA, FIRST, half, stride, true),
         "doubled",
         .u.affine = {.mul = 2.0f}},
        {VFI_OP_COPY,
         1,
         {time},
         part((VfiShape){1, H, W}, VFI_REGION_ARENA, FIRST + large, half, stride, false),
         "large time",
         .u.affine = {0}},
    };
    VfiRowGroup group = {.n_ops = G_N_ELEMENTS(ops), .h = H, .w = W, .n_planes = 1};
    VfiPlan plan = {.ops = ops, .n_ops = G_N_ELEMENTS(ops)};
    size_t n = (size_t)most * LARGE, bytes = (size_t)LARGE * (size_t)stride * 4;
    GRand *random = g_rand_new_with_seed((guint32)_i);
    g_autofree float *values = random_floats(random, n);
    g_autofree uint16_t *planes = g_new(uint16_t, n);
    g_autofree char *guards = g_malloc(bytes);
    g_autoptr(GError) error = NULL;
    char *region[VFI_MAX_REGIONS] = {NULL};

    for (size_t i = 0; i < n; i++)
        planes[i] = vfi_f16_from_float(values[i]);
    memset(guards, GUARD_VALUE, bytes);
    region[VFI_REGION_ARENA] = device_new(guards, bytes);
    region[VFI_REGION_PAIR] = device_new(guards, bytes);
    region[VFI_REGION_FRAME0] = device_new(planes, n * sizeof(uint16_t));
    char *on_device = device_new(&run_inputs, sizeof run_inputs);
    VfiCudaRowGroup *ready = vfi_cuda_row_group_new(&plan, &group, &error);
    ck_assert_msg(ready != NULL, "%s", error != NULL ? error->message : "");
    expect_success(vfi_cuda_row_group_run(
        NULL, ready, region, (const VfiRunInputs *)(const void *)on_device, NULL));
    g_autofree char *large_found = device_read(region[VFI_REGION_ARENA], bytes);
    g_autofree char *small_found = device_read(region[VFI_REGION_PAIR], bytes);
    check_picture(large_found, planes, false, _i);
    check_picture(small_found, planes, true, _i);
    vfi_cuda_row_group_free(ready);
    for (int i = 0; i < VFI_MAX_REGIONS; i++)
        device_free(region[i]);
    device_free(on_device);
    g_rand_free(random);
}
END_TEST

/* An f16 picture is warped by whole pixels, and enlarged to its own size. */
START_TEST(samples_halves)
{
    enum { C = 3 };
    size_t n = (size_t)C * LARGE, bytes = n * sizeof(float);
    VfiShape shape = {C, H, W};
    VfiOperand source = {.shape = shape, .region = VFI_REGION_FRAME0, .half = true};
    VfiOperand flow = {.shape = {2, H, W}, .region = VFI_REGION_ROWS};
    VfiOp ops[] = {
        {VFI_OP_FILL,
         0,
         {{.offset = 0}},
         flow,
         "flow",
         .u.fill = {VFI_RUN_INPUT_IMAGE_MEAN, 0.0f, 1.0f, H, W}},
        {VFI_OP_WARP, 2, {source, flow}, {.shape = shape}, "warped", .u.affine = {0}},
        {VFI_OP_RESIZE,
         1,
         {source},
         {.shape = shape, .offset = bytes},
         "resized",
         .u.resize = {H, W, 3.0f}},
    };
    VfiRowGroup group = {.n_ops = G_N_ELEMENTS(ops), .h = H, .w = W, .n_planes = 2};
    VfiPlan plan = {.ops = ops, .n_ops = G_N_ELEMENTS(ops)};
    GRand *random = g_rand_new_with_seed(3);
    g_autofree float *values = random_floats(random, n);
    uint16_t planes[C * LARGE];
    char *region[VFI_MAX_REGIONS] = {NULL};

    for (size_t i = 0; i < n; i++)
        planes[i] = vfi_f16_from_float(values[i]);
    g_autofree char *zeros = g_malloc0(2 * bytes);
    region[VFI_REGION_ARENA] = device_new(zeros, 2 * bytes);
    region[VFI_REGION_FRAME0] = device_new(planes, sizeof planes);
    char *on_device = device_new(&run_inputs, sizeof run_inputs);
    VfiCudaRowGroup *ready = vfi_cuda_row_group_new(&plan, &group, NULL);
    expect_success(vfi_cuda_row_group_run(
        NULL, ready, region, (const VfiRunInputs *)(const void *)on_device, NULL));
    g_autofree char *found = device_read(region[VFI_REGION_ARENA], 2 * bytes);
    for (int i = 0; i < C * LARGE; i++) {
        int c = i / LARGE, y = i / W % H, x = i % W;
        float warped = value_at(planes, c, MIN(y + 1, H - 1), MIN(x + 1, W - 1));
        float resized = 3.0f * value_at(planes, c, y, x);
        if (read_element(found, (size_t)i, false) != warped ||
            read_element(found, (size_t)i + (size_t)C * LARGE, false) != resized)
            ck_abort_msg("element %d", i);
    }
    vfi_cuda_row_group_free(ready);
    device_free(region[VFI_REGION_ARENA]);
    device_free(region[VFI_REGION_FRAME0]);
    device_free(on_device);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-row_pieces");
    TCase *tcase = tcase_create("row_pieces");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, writes_parts_of_pixels, 0, (int)G_N_ELEMENTS(cases));
    tcase_add_test(tcase, samples_halves);
    return check_main(suite);
}
