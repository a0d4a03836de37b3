/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLBVFI: its options, and what its pictures must not depend on. What they are is the
 * reference vectors' business. */
#include <stdbool.h>
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "session_util.h"

/* Padded to 256 × 256, the smallest there is, which a reflection is not enough for. */
static const VfiVideoInfo video = {
    .format = VFI_FORMAT_RGB_F32, .width = 112, .height = 90};

static char *path; /* of the deterministic checkpoint */

/* ---- options ----------------------------------------------------------------------- */

static VfiModel *open_with(const char *options, GError **error)
{
    GVariant *values = g_variant_parse(G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL);

    ck_assert_ptr_nonnull(values);
    return vfi_model_open(path, values, error);
}

static const struct {
    const char *options, *told;
} refused[] = {
    {"{'sample-steps': <uint32 1>}", "since"},
    {"{'sample-steps': <uint32 2>}", "since"},
    {"{'sample-steps': <uint32 1001>}", "1000"},
    {"{'padding': <uint32 300>}", "512"},
    {"{'eta': <1.5>}", "eta"},
    {"{'flow-scale': <0.01>}", "0.05"},
    {"{'steps': <uint32 10>}", "sample-steps"}, /* the valid ones are listed */
};

START_TEST(options_out_of_range_are_refused)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(open_with(refused[_i].options, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    ck_assert_msg(strstr(error->message, refused[_i].told) != NULL, "%s", error->message);
}
END_TEST

/* ---- pictures ---------------------------------------------------------------------- */

#define QUICK "'padding': <uint32 256>, 'sample-steps': <uint32 3>"

static VfiModel *open_quick(const char *more)
{
    g_autofree char *options = g_strdup_printf("{" QUICK "%s}", more);
    g_autoptr(GError) error = NULL;
    VfiModel *model = open_with(options, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return model;
}

static VfiSession *open_session(VfiModel *model, unsigned threads)
{
    const VfiSessionConfig config = {
        .video = video, .device = "cpu", .scale = 1.0, .threads = threads};

    return new_session(model, &config);
}

/* Values in [@least, 1), of a texture that moves with @index. */
static VfiFrame textured(float least, int index)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &video, NULL));
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < video.height; y++) {
            float *row = (float *)(void *)(frame.data[plane] + y * frame.stride[plane]);
            for (int x = 0; x < video.width; x++) {
                int value = (x + 3 * index) * 37 ^ (y - 2 * index) * 11 ^ plane * 101;
                row[x] = least + (1.0f - least) * (float)(value & 0xff) / 256.0f;
            }
        }
    return frame;
}

START_TEST(threads_do_not_change_the_picture)
{
    g_autoptr(VfiModel) model = open_quick("");
    VfiFrame a = textured(0.0f, 0), b = textured(0.0f, 1), first = {0};

    for (unsigned threads = 1; threads <= 3; threads++) {
        g_autoptr(VfiSession) session = open_session(model, threads);
        VfiFrame picture = in_between(session, &video, &a, &b, 0.5);
        if (threads == 1) {
            first = picture;
            continue;
        }
        ck_assert_msg(same_picture(&video, &first, &picture), "%u threads", threads);
        vfi_frame_clear(&picture);
    }
    vfi_frame_clear(&first);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

/* As after a seek: the same two frames, with and without a pair before them. The frame
 * that both pairs share is in another range in the second one, where no frame is dark,
 * so what was kept of it is of no use. */
START_TEST(what_ran_before_does_not_change_the_picture)
{
    static const float least[][3] = {
        {0.0f, 0.0f, 0.0f}, {0.0f, 0.6f, 0.6f}, {0.6f, 0.6f, 0.0f}};
    g_autoptr(VfiModel) model = open_quick("");
    g_autoptr(VfiSession) used = open_session(model, 2);
    g_autoptr(VfiSession) fresh = open_session(model, 2);
    VfiFrame frames[3], pictures[3];

    for (int i = 0; i < 3; i++)
        frames[i] = textured(least[_i][i], i);
    pictures[0] = in_between(used, &video, &frames[0], &frames[1], 0.5);
    pictures[1] = in_between(used, &video, &frames[1], &frames[2], 0.5);
    pictures[2] = in_between(fresh, &video, &frames[1], &frames[2], 0.5);
    ck_assert(same_picture(&video, &pictures[1], &pictures[2]));
    ck_assert(!same_picture(&video, &pictures[0], &pictures[1]));
    for (int i = 0; i < 3; i++) {
        vfi_frame_clear(&frames[i]);
        vfi_frame_clear(&pictures[i]);
    }
}
END_TEST

static VfiFrame picture_with(const char *options, const VfiFrame *a, const VfiFrame *b)
{
    g_autoptr(VfiModel) model = open_quick(options);
    g_autoptr(VfiSession) session = open_session(model, 2);

    return in_between(session, &video, a, b, 0.5);
}

START_TEST(the_seed_chooses_the_noise_and_eta_how_much)
{
    VfiFrame a = textured(0.0f, 0), b = textured(0.0f, 1);
    VfiFrame pictures[] = {
        picture_with("", &a, &b),
        picture_with(", 'seed': <uint64 0>", &a, &b),
        picture_with(", 'seed': <uint64 0x100000000>", &a, &b),
        picture_with(", 'eta': <0.0>", &a, &b),
        picture_with(", 'eta': <0.0>, 'seed': <uint64 7>", &a, &b),
    };

    ck_assert(same_picture(&video, &pictures[0], &pictures[1]));
    ck_assert(!same_picture(&video, &pictures[0], &pictures[2]));
    ck_assert(!same_picture(&video, &pictures[0], &pictures[3]));
    ck_assert(same_picture(&video, &pictures[3], &pictures[4]));
    for (size_t i = 0; i < G_N_ELEMENTS(pictures); i++)
        vfi_frame_clear(&pictures[i]);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tlbvfi");
    TCase *options = tcase_create("options"), *pictures = tcase_create("pictures");

    path = deterministic_checkpoint("tlbvfi", NULL);
    if (path == NULL)
        return 1;
    tcase_add_loop_test(options, options_out_of_range_are_refused, 0,
                        (int)G_N_ELEMENTS(refused));
    tcase_add_test(pictures, threads_do_not_change_the_picture);
    tcase_add_loop_test(pictures, what_ran_before_does_not_change_the_picture, 0, 3);
    tcase_add_test(pictures, the_seed_chooses_the_noise_and_eta_how_much);
    suite_add_tcase(suite, options);
    suite_add_tcase(suite, pictures);
    int status = check_main(suite);
    g_unlink(path);
    g_free(path);
    return status;
}
