/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of parts of pixels, wherever they begin and end; tests/ops tries some. */
#include "tensor_util.h"

static const VfiOp copy = {.kind = VFI_OP_COPY};

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
    tcase_add_loop_test(tcase, copies_pieces, 0, 4 * 17);
    return check_main(suite);
}
