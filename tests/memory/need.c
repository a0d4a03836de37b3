/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session says it needs is what the C library gives it. */
#include <malloc.h>
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "session/session_internal.h"

/* What is not counted: graphs, plans, tables of a row. */
#define BOOKKEEPING ((size_t)1 << 20)

static size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static const struct {
    const char *family;
    int width, height;
    unsigned threads;
    double scale;
    unsigned tile_size;
} cases[] = {
    {"rife_v4_0", 64, 48, 1, 1.0, 0},    {"rife_v4_0", 640, 368, 2, 1.0, 0},
    {"rife_v4_0", 1280, 720, 1, 0.5, 0}, {"rife_v3_6", 640, 368, 1, 1.0, 0},
    {"flow", 1920, 1080, 2, 1.0, 0},     {"flow", 1920, 1080, 2, 1.0, 256},
};

START_TEST(a_session_takes_what_it_asked_for)
{
    bool has_weights = strcmp(cases[_i].family, "flow") != 0;
    g_autofree char *path = has_weights ? deterministic_checkpoint(cases[_i].family, NULL)
                                        : g_strdup(cases[_i].family);
    VfiModel *model = vfi_model_open(path, NULL, NULL);
    const VfiSessionConfig config = {.video = {.format = VFI_FORMAT_I420,
                                               .width = cases[_i].width,
                                               .height = cases[_i].height},
                                     .threads = cases[_i].threads,
                                     .scale = cases[_i].scale,
                                     .tile_size = cases[_i].tile_size};
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_nonnull(model);
    /* with packed weights, then again with those of the first */
    for (int round = 0; round < 2; round++) {
        size_t before = bytes_in_use();
        VfiSession *session = vfi_session_new(model, &config, &error);
        ck_assert_msg(session != NULL, "%s", error != NULL ? error->message : "");
        size_t taken = bytes_in_use() - before;
        size_t asked = session->need.device_bytes + session->need.host_bytes;
        ck_assert_uint_le(asked, taken);
        ck_assert_uint_le(taken, asked + BOOKKEEPING);
        ck_assert_int_eq(session->need.packed_bytes == 0, round == 1 || !has_weights);
        vfi_session_unref(session);
    }
    vfi_model_unref(model);
    g_unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory-need");
    TCase *tcase = tcase_create("need");
    tcase_add_loop_test(tcase, a_session_takes_what_it_asked_for, 0,
                        (int)G_N_ELEMENTS(cases));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
