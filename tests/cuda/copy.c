/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies between layouts and storages: every one to every other. */
#include "tensor_util.h"

static const VfiOp copy = {.kind = VFI_OP_COPY};

static const Layout half_planes[] = {{.half = true}, {.half = true, .shift = 1}};

static Layout layout_at(size_t i)
{
    return i < G_N_ELEMENTS(layouts) ? layouts[i]
                                     : half_planes[i - G_N_ELEMENTS(layouts)];
}

START_TEST(copies)
{
    GRand *random = g_rand_new_with_seed((guint32)_i + 1);
    VfiShape shape = tensor_shapes[_i];
    size_t n_layouts = G_N_ELEMENTS(layouts) + G_N_ELEMENTS(half_planes);
    g_autofree float *values = random_halves(random, vfi_shape_elements(shape));

    for (size_t i = 0; i < n_layouts * n_layouts; i++) {
        TestTensor src = tensor_new(shape, layout_at(i / n_layouts), values);
        TestTensor dst = tensor_new(shape, layout_at(i % n_layouts), NULL);
        compute_op(&copy, &src.tensor, NULL, NULL, &dst.tensor);
        tensor_expect(&dst, values, 0.0f, "copy");
        tensor_expect(&src, values, 0.0f, "source");
        tensor_clear(&src);
        tensor_clear(&dst);
    }
    g_rand_free(random);
}
END_TEST

/* Values that f16 cannot hold, as the CPU converts them. */
START_TEST(rounds_to_half)
{
    static const float values[] = {
        1.0f / 3, 65504.0f, 65519.0f, 65520.0f, -1e30f,    NAN,   INFINITY,  2049.0f,
        2051.0f,  6.1e-5f,  3e-8f,    2e-8f,    -INFINITY, -0.0f, -65535.0f, 1e-3f};
    VfiShape shape = {G_N_ELEMENTS(values), 1, 1};
    const Layout to[] = {half_planes[0], half_planes[1], {.last = true, .half = true}};

    for (size_t i = 0; i < G_N_ELEMENTS(to); i++) {
        TestTensor src = tensor_new(shape, (Layout){0}, values);
        TestTensor dst = tensor_new(shape, to[i], NULL);
        compute_op(&copy, &src.tensor, NULL, NULL, &dst.tensor);
        tensor_expect(&dst, values, 0.0f, "rounding");
        tensor_clear(&src);
        tensor_clear(&dst);
    }
}
END_TEST

/* Copies to some channels of a wider tensor: a part of a concatenation. */
START_TEST(leaves_other_channels)
{
    VfiShape shape = {20, 3, 5};
    GRand *random = g_rand_new_with_seed(50);
    g_autofree float *values = random_halves(random, vfi_shape_elements(shape));
    TestTensor src = tensor_new(shape, (Layout){.last = true, .half = true}, values);
    TestTensor dst = tensor_new(
        shape, (Layout){.last = true, .half = true, .before = 40, .after = 24}, NULL);

    compute_op(&copy, &src.tensor, NULL, NULL, &dst.tensor);
    tensor_expect(&dst, values, 0.0f, "piece");
    tensor_clear(&src);
    tensor_clear(&dst);
    g_rand_free(random);
}
END_TEST

/* A part of @c channels from @first on, of pixels of @stride. */
static VfiCudaTensor piece_of(char *memory, int first, int c, int stride, bool half,
                              bool followed)
{
    return (VfiCudaTensor){.data = memory + (size_t)first * (half ? 2 : 4),
                           .c = c,
                           .h = 3,
                           .w = 5,
                           .pixel_stride = stride,
                           .half = half,
                           .followed = followed};
}

/* Parts of pixels that begin and end anywhere: from planes, and on to another part.
 * Nothing else is written but the zeros after the last channel. */
START_TEST(copies_pieces)
{
    enum { C = 13, STRIDE = 40, PIXELS = 15 };
    bool half = _i % 2, followed = _i / 2 % 2;
    int first = _i / 4, c = 1 + (_i * 7) % C,
        after = followed ? 0 : (8 - (first + c) % 8) % 8;
    size_t size = half ? 2 : 4, bytes = (size_t)PIXELS * STRIDE * size;
    GRand *random = g_rand_new_with_seed((guint32)_i);
    g_autofree float *values = random_halves(random, (size_t)C * PIXELS);
    TestTensor planes = tensor_new((VfiShape){c, 3, 5}, (Layout){0}, values);
    TestTensor back = tensor_new((VfiShape){c, 3, 5}, (Layout){0}, NULL);
    g_autofree char *guards = g_malloc(bytes);
    memset(guards, GUARD_VALUE, bytes);
    char *memory[] = {device_new(guards, bytes), device_new(guards, bytes)};
    VfiCudaTensor one = piece_of(memory[0], first, c, STRIDE, half, followed);
    VfiCudaTensor two = piece_of(memory[1], first + 3, c, STRIDE, half, true);

    compute_op(&copy, &planes.tensor, NULL, NULL, &one);
    compute_op(&copy, &one, NULL, NULL, &two);
    compute_op(&copy, &two, NULL, NULL, &back.tensor);
    tensor_expect(&back, values, 0.0f, "piece");
    for (int which = 0; which < 2; which++) {
        g_autofree char *found = device_read(memory[which], bytes);
        int begin = first + 3 * which, end = begin + c + (which == 0 ? after : 0);
        for (size_t at = 0; at < bytes; at++) {
            int channel = (int)(at / size % STRIDE);
            bool is_padding = channel >= begin + c && channel < end;
            if ((channel < begin || channel >= end) && found[at] != (char)GUARD_VALUE)
                ck_abort_msg("channel %d is written, not %d to %d", channel, begin, end);
            if (is_padding && found[at] != 0)
                ck_abort_msg("padding channel %d is not zero", channel);
        }
        device_free(memory[which]);
    }
    tensor_clear(&planes);
    tensor_clear(&back);
    g_rand_free(random);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-copy");
    TCase *tcase = tcase_create("copy");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, copies, 0, (int)G_N_ELEMENTS(tensor_shapes));
    tcase_add_test(tcase, rounds_to_half);
    tcase_add_test(tcase, leaves_other_channels);
    tcase_add_loop_test(tcase, copies_pieces, 0, 4 * 17);
    return check_main(suite);
}
