/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions in tiles: what a limit makes of a session, and that pictures do not show it.
 * The network of most tests computes every pixel by itself, so that tiles must give what
 * the whole picture gives. */
#include <math.h>
#include <string.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "pixels_frames.h"
#include "session_util.h"
#include "small_families.h"

static VfiSession *open_session(const VfiModelFamily *family, const VfiVideoInfo *video,
                                unsigned tile_size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, &error);
    VfiSessionConfig config = {.video = *video, .threads = 2, .tile_size = tile_size};

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    model->family = family;
    return new_session(model, &config);
}

/* The in-between at 0.5; returns the number of tiles. */
static unsigned interpolate(const VfiModelFamily *family, unsigned tile_size,
                            const TestFrame *a, const TestFrame *b, const TestFrame *out)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiSession) session = open_session(family, &a->info, tile_size);
    VfiFrame frames[] = {a->frame, b->frame};
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, &error);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out->frame, &error);
    VfiSessionStats stats;

    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
    vfi_session_get_stats(session, &stats);
    return stats.tiles;
}

/* ---- tiles against the whole ------------------------------------------------------- */

static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_NV12,
                                    VFI_FORMAT_RGB,  VFI_FORMAT_BGRA,
                                    VFI_FORMAT_Y42B, VFI_FORMAT_I420_10LE};

/* Odd sizes; chroma that lies on luma rows and chroma between them. */
static VfiVideoInfo video_of(int index)
{
    return (VfiVideoInfo){
        .format = formats[index % (int)G_N_ELEMENTS(formats)],
        .width = 701,
        .height = 391,
        .chroma_site = (VfiChromaSite)(index / (int)G_N_ELEMENTS(formats) * 3),
    };
}

/* Where two tiles meet, weighted sums round differently: a code more or less. */
static void assert_nearly_same(const TestFrame *a, const TestFrame *b)
{
    const VfiFormatDescription *format = vfi_format_describe(a->info.format);

    for (int c = 0; c < format->n_components; c++) {
        for (int y = 0; y < component_height(&a->info, c); y++)
            for (int x = 0; x < component_width(&a->info, c); x++) {
                double one = get_code(a, c, x, y), other = get_code(b, c, x, y);
                if (one - other > 1 || other - one > 1)
                    ck_abort_msg("%s: component %d at %d, %d is %g in tiles, %g without",
                                 vfi_format_to_string(a->info.format), c, x, y, one,
                                 other);
            }
    }
}

/* Noise, darker on the left: tiles have other means than the picture. */
static void fill_unevenly(const TestFrame *frame, uint32_t seed)
{
    const VfiFormatDescription *format = vfi_format_describe(frame->info.format);

    fill_noise(frame, seed);
    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < component_height(&frame->info, c); y++)
            for (int x = 0; x < component_width(&frame->info, c) / 2; x++)
                set_code(frame, c, x, y, floor(get_code(frame, c, x, y) / 3));
}

static void compare_tiles_with_whole(const VfiModelFamily *family, int index)
{
    static const unsigned tile_sizes[] = {256, 384};
    VfiVideoInfo video = video_of(index);
    TestFrame a = test_frame_new(&video, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&video, LAYOUT_BOTTOM_UP);
    TestFrame whole = test_frame_new(&video, LAYOUT_TIGHT);

    fill_unevenly(&a, 1);
    fill_unevenly(&b, 2);
    ck_assert_uint_eq(interpolate(family, 0, &a, &b, &whole), 1);
    for (size_t i = 0; i < G_N_ELEMENTS(tile_sizes); i++) {
        TestFrame tiled = test_frame_new(&video, LAYOUT_PADDED);
        ck_assert_uint_ge(interpolate(family, tile_sizes[i], &a, &b, &tiled), 4);
        assert_nearly_same(&tiled, &whole);
        test_frame_assert_guards(&tiled);
        test_frame_free(&tiled);
    }
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&whole);
}

START_TEST(flows_of_tiles_make_the_whole_picture)
{
    compare_tiles_with_whole(&local_flow, _i);
}
END_TEST

START_TEST(rgb_of_tiles_makes_the_whole_picture)
{
    compare_tiles_with_whole(&local_rgb, _i);
}
END_TEST

START_TEST(all_segments_are_run_for_each_tile)
{
    compare_tiles_with_whole(&stepwise, _i);
}
END_TEST

START_TEST(what_is_kept_for_a_pair_is_each_tile_s)
{
    compare_tiles_with_whole(&paired, _i);
}
END_TEST

START_TEST(the_mean_is_the_whole_picture_s)
{
    compare_tiles_with_whole(&contrast, _i);
}
END_TEST

/* One bright pixel, which one tile sees, decides for all of them. */
START_TEST(decisions_are_the_whole_picture_s)
{
    static const int places[][2] = {{3, 5}, {690, 380}, {350, 200}};
    const VfiVideoInfo video = {.format = VFI_FORMAT_RGB, .width = 700, .height = 390};
    TestFrame a = test_frame_new(&video, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&video, LAYOUT_TIGHT);
    TestFrame out = test_frame_new(&video, LAYOUT_TIGHT);

    for (int i = -1; i < (int)G_N_ELEMENTS(places); i++) {
        memset(a.block[0], 40, a.size[0]);
        memset(b.block[0], 90, b.size[0]);
        if (i >= 0)
            a.frame.data[0][places[i][1] * a.frame.stride[0] + 3 * places[i][0]] = 255;
        ck_assert_uint_gt(interpolate(&deciding, 256, &a, &b, &out), 4);
        double expected = i < 0 ? 40 : 90;
        for (int y = 0; y < video.height; y++)
            for (int x = 0; x < video.width; x++)
                if (get_code(&out, 1, x, y) != expected)
                    ck_abort_msg("bright pixel %d: %g at %d, %d, not %g", i,
                                 get_code(&out, 1, x, y), x, y, expected);
    }
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&out);
}
END_TEST

/* ---- the limit --------------------------------------------------------------------- */

static VfiSession *rife_session(VfiModel *model, uint64_t limit, unsigned tile_size,
                                GError **error)
{
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 960, .height = 540},
        .threads = 2,
        .memory_limit = limit,
        .tile_size = tile_size,
    };

    return vfi_session_new(model, &config, error);
}

static void stats_under_limit(VfiModel *model, uint64_t limit, VfiSessionStats *stats)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiSession) session = rife_session(model, limit, 0, &error);

    ck_assert_msg(session != NULL, "%s", error != NULL ? error->message : "");
    vfi_session_get_stats(session, stats);
}

START_TEST(the_limit_decides_about_tiles)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    VfiSessionStats whole, roomy, tight;

    stats_under_limit(model, 0, &whole);
    ck_assert_uint_eq(whole.tiles, 1);
    ck_assert_int_eq(whole.tile_width, whole.padded_width);
    ck_assert_int_eq(whole.tile_height, whole.padded_height);
    stats_under_limit(model, 2 * whole.arena_bytes, &roomy);
    ck_assert_uint_eq(roomy.tiles, 1);
    stats_under_limit(model, whole.arena_bytes * 3 / 4, &roomy);
    ck_assert_uint_gt(roomy.tiles, 1);
    ck_assert_uint_le(roomy.arena_bytes, whole.arena_bytes * 3 / 4);
    stats_under_limit(model, whole.arena_bytes / 2, &tight);
    ck_assert_uint_gt(tight.tiles, roomy.tiles);
    ck_assert_uint_le(tight.arena_bytes, whole.arena_bytes / 2);
    ck_assert_int_lt(tight.tile_width, 960);
}
END_TEST

START_TEST(too_small_a_limit_is_an_error)
{
    static const char *const names[] = {"rife",         "4.0",     "960×540",
                                        "tiles of 256", "1.0 MiB", "memory-limit",
                                        "smaller scale"};
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    g_autoptr(GError) error = NULL;
    uint64_t before, after, peak;

    vfi_get_memory_use(&before, &peak);
    ck_assert_ptr_null(rife_session(model, 1 << 20, 0, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(strstr(error->message, names[i]) != NULL, "no \"%s\" in: %s",
                      names[i], error->message);
    vfi_get_memory_use(&after, &peak);
    ck_assert_uint_eq(after, before);
}
END_TEST

/* What the user chose is not made smaller behind his back. */
START_TEST(a_tile_size_that_is_too_large_for_the_limit_is_an_error)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(rife_session(model, 16 << 20, 512, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    ck_assert_msg(strstr(error->message, "tile-size") != NULL, "%s", error->message);
}
END_TEST

/* Both must be within the reach of the picture. */
START_TEST(small_pictures_have_no_tiles)
{
    const VfiVideoInfo video = {.format = VFI_FORMAT_I420, .width = 160, .height = 120};
    g_autoptr(VfiSession) session = open_session(&local_flow, &video, 256);
    VfiSessionStats stats;

    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.tiles, 1);
    ck_assert_int_eq(stats.padded_width, 160);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tiles");
    TCase *tcase = tcase_create("tiles");

    tcase_set_timeout(tcase, 0);
    add_thinned_loop_test(tcase, flows_of_tiles_make_the_whole_picture, 0,
                          2 * (int)G_N_ELEMENTS(formats));
    add_thinned_loop_test(tcase, rgb_of_tiles_makes_the_whole_picture, 0,
                          2 * (int)G_N_ELEMENTS(formats));
    tcase_add_loop_test(tcase, all_segments_are_run_for_each_tile, 0, 2);
    add_thinned_loop_test(tcase, what_is_kept_for_a_pair_is_each_tile_s, 0,
                          (int)G_N_ELEMENTS(formats));
    add_thinned_loop_test(tcase, the_mean_is_the_whole_picture_s, 0,
                          (int)G_N_ELEMENTS(formats));
    tcase_add_test(tcase, decisions_are_the_whole_picture_s);
    tcase_add_test(tcase, the_limit_decides_about_tiles);
    tcase_add_test(tcase, too_small_a_limit_is_an_error);
    tcase_add_test(tcase, a_tile_size_that_is_too_large_for_the_limit_is_an_error);
    tcase_add_test(tcase, small_pictures_have_no_tiles);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
