/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is marked in a video is kept as it is, whatever the model and the device, and
 * nothing else changed. */
#include <string.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "model/loaded_model.h"
#include "overlay_sessions.h"
#include "small_families.h"

/* A model of some family; its pictures of noise are far from any mean of frames. */
static VfiModel *open_kind(int kind)
{
    if (kind == 0)
        return open_flow("fast");
    VfiModel *model = vfi_model_open("blend", NULL, NULL);
    ck_assert_ptr_nonnull(model);
    model->family = kind == 1 ? &local_flow : kind == 2 ? &contrast : &local_flow;
    return model;
}

typedef struct {
    VfiVideoInfo video;
    TestFrame a, b, plain, marked;
} Marked;

static Marked marked_new(int width, int height)
{
    const VfiVideoInfo video = {
        .format = VFI_FORMAT_Y444, .width = width, .height = height};
    Marked marked = {.video = video,
                     .a = test_frame_new(&video, LAYOUT_TIGHT),
                     .b = test_frame_new(&video, LAYOUT_TIGHT),
                     .plain = test_frame_new(&video, LAYOUT_TIGHT),
                     .marked = test_frame_new(&video, LAYOUT_PADDED)};

    fill_noise(&marked.a, 1);
    fill_noise(&marked.b, 2);
    return marked;
}

static void marked_free(Marked *marked)
{
    test_frame_free(&marked->a);
    test_frame_free(&marked->b);
    test_frame_free(&marked->plain);
    test_frame_free(&marked->marked);
}

/* In @mask there is the blend of the frames, elsewhere what was there without. */
static void assert_marked(const Marked *marked, double t, const uint8_t *mask)
{
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < marked->video.height; y++)
            for (int x = 0; x < marked->video.width; x++) {
                double blend = get_code(&marked->a, c, x, y) * (1 - t) +
                               get_code(&marked->b, c, x, y) * t;
                bool is_kept = mask[y * marked->video.width + x] != 0;
                assert_code(&marked->marked, c, x, y,
                            is_kept ? blend : get_code(&marked->plain, c, x, y),
                            is_kept ? 0.5 : 0);
            }
}

/* With every family, in tiles, too. */
START_TEST(what_is_marked_is_kept)
{
    const bool is_tiled = _i == 3;
    Marked marked = marked_new(is_tiled ? 600 : 130, is_tiled ? 300 : 70);
    const VfiRectangle regions[] = {
        {5, 7, 30, 20}, {-10, -10, 14, 12}, {100, 60, 900, 900}};
    size_t n = (size_t)marked.video.width * (size_t)marked.video.height;
    g_autofree uint8_t *mask = g_malloc0(n);
    g_autoptr(VfiModel) model = open_kind(_i);
    VfiSessionConfig config = {.video = marked.video,
                               .device = test_device(),
                               .threads = 2,
                               .tile_size = is_tiled ? 256 : 0};
    g_autoptr(VfiSession) plain = new_session(model, &config);

    for (size_t i = 0; i < n; i++)
        mask[i] = i / 7 % 3 == 0 ? 255 : 0;
    config.overlay_mask = mask;
    g_autoptr(VfiSession) masked = new_session(model, &config);
    make(plain, &marked.a, &marked.b, 0.5, NULL, 0, &marked.plain);
    make(masked, &marked.a, &marked.b, 0.5, NULL, 0, &marked.marked);
    assert_marked(&marked, 0.5, mask);
    test_frame_assert_guards(&marked.marked);
    memset(mask, 0, n); /* the session has a copy of it */
    make(masked, &marked.a, &marked.b, 0.5, NULL, 0, &marked.marked);
    ck_assert(!same(&marked.marked, &marked.plain));

    for (size_t i = 0; i < G_N_ELEMENTS(regions); i++)
        for (int y = MAX(regions[i].y, 0);
             y < MIN(regions[i].y + regions[i].height, marked.video.height); y++)
            for (int x = MAX(regions[i].x, 0);
                 x < MIN(regions[i].x + regions[i].width, marked.video.width); x++)
                mask[y * marked.video.width + x] = 255;
    make(plain, &marked.a, &marked.b, 0.5, regions, G_N_ELEMENTS(regions),
         &marked.marked);
    assert_marked(&marked, 0.5, mask);
    ck_assert_uint_eq(count_overlays(plain), 1);
    /* They were that pair's. */
    make(plain, &marked.a, &marked.b, 0.5, NULL, 0, &marked.marked);
    ck_assert(same(&marked.marked, &marked.plain));
    marked_free(&marked);
}
END_TEST

START_TEST(too_many_regions_are_refused)
{
    const VfiRectangle regions[VFI_MAX_KEPT + 1] = {{0, 0, 4, 4}};
    Marked marked = marked_new(40, 30);
    const VfiSessionConfig config = {
        .video = marked.video, .device = test_device(), .threads = 1};
    g_autoptr(VfiModel) model = open_flow("fast");
    g_autoptr(VfiSession) session = new_session(model, &config);
    VfiFrame frames[] = {marked.a.frame, marked.b.frame};
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
    g_autoptr(GError) error = NULL;

    ck_assert(vfi_pair_keep_regions(pair, regions, VFI_MAX_KEPT, NULL));
    ck_assert(!vfi_pair_keep_regions(pair, regions, VFI_MAX_KEPT + 1, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    marked_free(&marked);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overlay_marks");
    TCase *tcase = tcase_create("overlay_marks");

    tcase_add_loop_test(tcase, what_is_marked_is_kept, 0, 4);
    tcase_add_test(tcase, too_many_regions_are_refused);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
