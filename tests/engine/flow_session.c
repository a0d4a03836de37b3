/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of the model `flow`: pictures of known motion, any size, what is kept of
 * frames and pairs, the same bits whatever runs how, memory, cancelling. */
#include <string.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "clip.h"
#include "moving_frames.h"
#include "session/stages.h"
#include "session_util.h"

static const char *const qualities[] = {"fast", "medium", "best"};
#define N_QUALITIES ((int)G_N_ELEMENTS(qualities))
/* Where a sanitizer watches, tiles are made in medium quality only. */
#define FIRST_QUALITY (SANITIZER_STEP > 1 ? 1 : 0)

static VfiModel *open_flow(const char *quality)
{
    g_autofree char *options = g_strdup_printf("{'quality': <'%s'>}", quality);
    g_autoptr(GError) error = NULL;
    VfiModel *model = vfi_model_open("flow", g_variant_new_parsed(options), &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return model;
}

static VfiSession *open_session(const char *quality, const VfiVideoInfo *video,
                                unsigned threads)
{
    g_autoptr(VfiModel) model = open_flow(quality);
    const VfiSessionConfig config = {
        .video = *video, .device = test_device(), .threads = threads};

    return new_session(model, &config);
}

/* ---- pictures ---------------------------------------------------------------------- */

/* Motion of a few and of many samples, at any time, in 8 and 10 bits. */
START_TEST(what_moves_is_where_it_should_be)
{
    static const double motions[][2] = {{5, 2}, {-13.5, 7.25}, {22, -18}};
    static const double times[] = {0.25, 0.5, 0.8};
    const VfiVideoInfo video = {.format = _i < N_QUALITIES ? VFI_FORMAT_I420
                                                           : VFI_FORMAT_I420_10LE,
                                .width = 233,
                                .height = 171};
    g_autoptr(VfiSession) session = open_session(qualities[_i % N_QUALITIES], &video, 2);
    TestFrame a = test_frame_new(&video, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&video, LAYOUT_BOTTOM_UP);
    TestFrame out = test_frame_new(&video, LAYOUT_PADDED);
    TestFrame expected = test_frame_new(&video, LAYOUT_TIGHT);

    paint_texture(&a, 0, 0);
    for (size_t m = 0; m < G_N_ELEMENTS(motions); m += SANITIZER_STEP) {
        paint_texture(&b, motions[m][0], motions[m][1]);
        for (size_t i = 0; i < G_N_ELEMENTS(times); i += SANITIZER_STEP) {
            paint_texture(&expected, times[i] * motions[m][0], times[i] * motions[m][1]);
            make_between(session, &a, &b, times[i], &out);
            double error = mean_error(&out, &expected, 32);
            ck_assert_msg(error < 1.0, "motion %zu at %g: %.2f codes off", m, times[i],
                          error);
        }
    }
    test_frame_assert_guards(&out);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&out);
    test_frame_free(&expected);
}
END_TEST

/* Where nothing moves and nothing is to be seen there is only one picture to make. */
START_TEST(flat_frames_of_any_size_become_their_blend)
{
    static const int sizes[][2] = {{1, 1},  {1, 7},   {9, 1},   {2, 2},
                                   {3, 5},  {8, 8},   {15, 16}, {17, 33},
                                   {64, 1}, {1, 130}, {31, 97}, {100, 40}};
    static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_P016_LE,
                                        VFI_FORMAT_RGBA, VFI_FORMAT_GRAY8};
    VfiFormat format = formats[_i % (int)G_N_ELEMENTS(formats)];
    const char *quality = qualities[_i / (int)G_N_ELEMENTS(formats)];
    int n_components = vfi_format_describe(format)->n_components;

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const VfiVideoInfo video = {
            .format = format, .width = sizes[i][0], .height = sizes[i][1]};
        g_autoptr(VfiSession) session = open_session(quality, &video, 2);
        TestFrame frames[3];
        for (int f = 0; f < 3; f++) {
            frames[f] = test_frame_new(&video, LAYOUT_PADDED);
            for (int c = 0; f < 2 && c < n_components; c++)
                for (int y = 0; y < component_height(&video, c); y++)
                    for (int x = 0; x < component_width(&video, c); x++)
                        set_code(&frames[f], c, x, y, 100 + 80 * f + c);
        }
        make_between(session, &frames[0], &frames[1], 0.25, &frames[2]);
        for (int c = 0; c < n_components; c++)
            for (int y = 0; y < component_height(&video, c); y++)
                for (int x = 0; x < component_width(&video, c); x++)
                    assert_code(&frames[2], c, x, y, 120 + c, 0);
        test_frame_assert_guards(&frames[2]);
        for (int f = 0; f < 3; f++)
            test_frame_free(&frames[f]);
    }
}
END_TEST

/* ---- what is kept ------------------------------------------------------------------ */

START_TEST(flows_of_a_pair_serve_all_its_times)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 96, 70, 3);
    g_autoptr(VfiSession) session = open_session(qualities[_i], &clip->video, 2);
    VfiSessionStats stats;

    g_autoptr(Clip) made = clip_play(session, clip, 3);
    ck_assert_int_eq(made->n, 6);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.times[VFI_TIMED_PREPARE].runs, 0);
    ck_assert_uint_eq(stats.times[VFI_TIMED_FRAME_STAGE].runs, 3);
    ck_assert_uint_eq(stats.times[VFI_TIMED_PAIR_STAGE].runs, 2);
    ck_assert_uint_eq(stats.times[VFI_TIMED_TIME_STAGE].runs, 6);
    ck_assert_uint_eq(stats.times[VFI_TIMED_SYNTHESIS].runs, 6);
    ck_assert_uint_eq(stats.inferences, 6);
    ck_assert_str_eq(stats.quality, qualities[_i]);
}
END_TEST

/* The picture of each pair is the one that a session makes of it which has seen no
 * other. */
START_TEST(seeks_leave_no_trace)
{
    static const int order[] = {0, 1, 3, 0, 2, 2, 1};
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 93, 61, 5);
    g_autoptr(VfiSession) session = open_session(qualities[_i], &clip->video, 2);

    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autoptr(VfiSession) fresh = open_session(qualities[_i], &clip->video, 2);
        clip_check_same_between(session, fresh, clip, order[i], 0.3);
    }
}
END_TEST

START_TEST(threads_change_no_bit)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 217, 133, 3);
    g_autoptr(VfiModel) model = open_flow(qualities[_i]);
    VfiSessionConfig config = {
        .video = clip->video, .device = test_device(), .threads = 1};
    clip_check_threads(model, &config, clip);
}
END_TEST

START_TEST(identical_frames_are_copied)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 40, 30, 1);
    g_autoptr(VfiSession) session = open_session("medium", &clip->video, 1);
    VfiSessionStats stats;

    VfiFrame out =
        in_between(session, &clip->video, &clip->frames[0], &clip->frames[0], 0.5);
    ck_assert(same_picture(&clip->video, &out, &clip->frames[0]));
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.identical, 1);
    ck_assert_uint_eq(stats.inferences, 0);
    vfi_frame_clear(&out);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

/* A mebibyte for tables whose size no frame decides. */
#define TABLES (1 << 20)

START_TEST(memory_is_what_was_estimated)
{
    g_autoptr(VfiModel) model = open_flow(qualities[_i]);
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 641, .height = 363},
        .device = "cpu",
        .threads = 2,
    };
    uint64_t before, after, peak_before, peak;
    VfiEstimate estimate;
    VfiSessionStats stats;

    vfi_get_memory_use(&before, &peak_before);
    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    vfi_get_memory_use(&after, &peak);
    ck_assert_uint_eq(after, before);
    ck_assert_uint_lt(peak - before, TABLES);
    g_autoptr(VfiSession) session = new_session(model, &config);
    vfi_get_memory_use(&after, &peak);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(estimate.session_bytes, stats.arena_bytes);
    ck_assert_uint_eq(estimate.arena_bytes + estimate.frames * estimate.frame_bytes,
                      stats.arena_bytes);
    ck_assert_uint_eq(estimate.frames, 2);
    ck_assert_uint_ge(after - before, estimate.session_bytes);
    ck_assert_uint_le(after - before, estimate.session_bytes + TABLES);
    ck_assert_str_eq(estimate.quality, qualities[_i]);
    ck_assert_int_eq(estimate.padded_width, 641);
    ck_assert_int_eq(stats.padded_height, 363);
    ck_assert_uint_eq(stats.packed_weight_bytes, 0);
}
END_TEST

START_TEST(failing_allocations_are_errors)
{
    g_autoptr(VfiModel) model = open_flow(qualities[_i]);
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 48}, .threads = 1};
    guint64 successes = 0;
    uint64_t before, after, peak;

    vfi_get_memory_use(&before, &peak);
    for (bool built = false; !built; successes++) {
        g_autoptr(GError) error = NULL;
        vfi_alloc_fail_after(successes);
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
        vfi_alloc_fail_after(G_MAXUINT64);
        built = session != NULL;
        ck_assert(built || g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    }
    ck_assert_uint_gt(successes, 4); /* arena, pair, two frames */
    vfi_get_memory_use(&after, &peak);
    ck_assert_uint_eq(after, before);
}
END_TEST

/* ---- tiles ------------------------------------------------------------------------- */

static VfiSession *limited_session(const char *quality, const VfiVideoInfo *video,
                                   uint64_t limit, unsigned tile_size, GError **error)
{
    g_autoptr(VfiModel) model = open_flow(quality);
    const VfiSessionConfig config = {.video = *video,
                                     .device = test_device(),
                                     .threads = 2,
                                     .memory_limit = limit,
                                     .tile_size = tile_size};

    return vfi_session_new(model, &config, error);
}

/* Nowhere, and so at no seam, is the picture of tiles another than the whole one, or than
 * what it should be. */
START_TEST(tiles_make_the_whole_picture)
{
    static const unsigned tile_sizes[] = {256, 384};
    static const double motion[] = {9, -6};
    const VfiVideoInfo video = {.format = VFI_FORMAT_NV12, .width = 701, .height = 391};
    TestFrame a = test_frame_new(&video, LAYOUT_PADDED);
    TestFrame b = test_frame_new(&video, LAYOUT_BOTTOM_UP);
    TestFrame whole = test_frame_new(&video, LAYOUT_TIGHT);
    TestFrame tiled = test_frame_new(&video, LAYOUT_PADDED);
    TestFrame expected = test_frame_new(&video, LAYOUT_TIGHT);
    g_autoptr(VfiSession) session = open_session(qualities[_i], &video, 2);

    paint_texture(&a, 0, 0);
    paint_texture(&b, motion[0], motion[1]);
    paint_texture(&expected, 0.4 * motion[0], 0.4 * motion[1]);
    make_between(session, &a, &b, 0.4, &whole);
    for (size_t i = 0; i < G_N_ELEMENTS(tile_sizes); i += SANITIZER_STEP) {
        g_autoptr(VfiSession) tiles =
            limited_session(qualities[_i], &video, 0, tile_sizes[i], NULL);
        VfiSessionStats stats;
        make_between(tiles, &a, &b, 0.4, &tiled);
        vfi_session_get_stats(tiles, &stats);
        ck_assert_uint_ge(stats.tiles, 4);
        ck_assert_int_le(stats.tile_width, (int)tile_sizes[i]);
        double to_whole = worst_square(&tiled, &whole, 0);
        double to_truth = worst_square(&tiled, &expected, 16);
        ck_assert_msg(to_whole < 2.0, "%u: %.2f codes from the whole", tile_sizes[i],
                      to_whole);
        ck_assert_msg(to_truth < 2.5, "%u: %.2f codes from the truth", tile_sizes[i],
                      to_truth);
        test_frame_assert_guards(&tiled);
    }
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&whole);
    test_frame_free(&tiled);
    test_frame_free(&expected);
}
END_TEST

/* Flat frames: weights must be one in all, and what is no tile's must not show. */
START_TEST(tiles_of_any_shape_leave_no_gap)
{
    static const int sizes[][2] = {{257, 40}, {300, 300}, {40, 520}, {511, 385}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const VfiVideoInfo video = {
            .format = VFI_FORMAT_GRAY8, .width = sizes[i][0], .height = sizes[i][1]};
        g_autoptr(VfiSession) session =
            limited_session(qualities[_i], &video, 0, 256, NULL);
        TestFrame frames[3];
        for (int f = 0; f < 3; f++) {
            frames[f] = test_frame_new(&video, LAYOUT_PADDED);
            for (int y = 0; f < 2 && y < video.height; y++)
                for (int x = 0; x < video.width; x++)
                    set_code(&frames[f], 0, x, y, 100 + 80 * f);
        }
        make_between(session, &frames[0], &frames[1], 0.25, &frames[2]);
        for (int y = 0; y < video.height; y++)
            for (int x = 0; x < video.width; x++)
                assert_code(&frames[2], 0, x, y, 120, 0);
        test_frame_assert_guards(&frames[2]);
        for (int f = 0; f < 3; f++)
            test_frame_free(&frames[f]);
    }
}
END_TEST

START_TEST(threads_and_what_ran_before_change_no_bit_of_tiles)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 420, 300, 3);
    g_autoptr(VfiModel) model = open_flow(qualities[_i]);
    VfiSessionConfig config = {
        .video = clip->video, .device = test_device(), .threads = 1, .tile_size = 256};
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, 2);

    config.threads = 3;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    for (int pass = 0; pass < 2; pass++) {
        g_autoptr(Clip) found = clip_play(session, clip, 2);
        ck_assert(clip_equal(found, expected));
    }
}
END_TEST

START_TEST(the_limit_decides_about_tiles)
{
    const VfiVideoInfo video = {.format = VFI_FORMAT_I420, .width = 1280, .height = 720};
    g_autoptr(VfiSession) whole = limited_session(qualities[_i], &video, 0, 0, NULL);
    g_autoptr(GError) error = NULL;
    VfiSessionStats stats;
    uint64_t before, after, peak;

    vfi_session_get_stats(whole, &stats);
    ck_assert_uint_eq(stats.tiles, 1);
    uint64_t all = stats.arena_bytes, limit = all * 3 / 4;
    g_autoptr(VfiSession) same = limited_session(qualities[_i], &video, all, 0, NULL);
    vfi_session_get_stats(same, &stats);
    ck_assert_uint_eq(stats.tiles, 1);
    vfi_get_memory_use(&before, &peak);
    g_autoptr(VfiSession) tiled =
        limited_session(qualities[_i], &video, limit, 0, &error);
    ck_assert_msg(tiled != NULL, "%s", error != NULL ? error->message : "");
    vfi_get_memory_use(&after, &peak);
    vfi_session_get_stats(tiled, &stats);
    ck_assert_uint_gt(stats.tiles, 1);
    ck_assert_uint_le(stats.arena_bytes, limit);
    ck_assert_uint_ge(after - before, stats.arena_bytes);
    ck_assert_uint_le(after - before, stats.arena_bytes + TABLES);
    ck_assert_str_eq(stats.quality, qualities[_i]); /* is what was asked for */
}
END_TEST

START_TEST(too_small_a_limit_is_an_error)
{
    static const char *const parts[] = {"flow", "1280×720", "in tiles of", "memory-limit",
                                        "100000 bytes"};
    const VfiVideoInfo video = {.format = VFI_FORMAT_I420, .width = 1280, .height = 720};
    g_autoptr(GError) error = NULL;
    uint64_t before, after, peak;

    vfi_get_memory_use(&before, &peak);
    ck_assert_ptr_null(limited_session(qualities[_i], &video, 100000, 0, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        ck_assert_msg(strstr(error->message, parts[i]) != NULL, "no \"%s\" in: %s",
                      parts[i], error->message);
    ck_assert_ptr_nonnull(strstr(error->message, qualities[_i]));
    vfi_get_memory_use(&after, &peak);
    ck_assert_uint_eq(after, before);
}
END_TEST

/* ---- devices, liveness ------------------------------------------------------------- */

START_TEST(a_backend_without_the_steps_is_told)
{
    g_autoptr(VfiModel) model = open_flow("fast");
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 48}, .device = "cpu"};
    VfiDeviceRequest request = vfi_session_request(&config);
    VfiSession session = {.model = model, .video = config.video};
    VfiBackend lacking = vfi_backend_cpu;
    g_autoptr(GError) error = NULL;

    lacking.name = "abacus";
    *(_i == 0 ? (void **)&lacking.flow_step : (void **)&lacking.synthesize) = NULL;
    session.device = vfi_device_open(&request, &session.backend, NULL);
    session.backend = &lacking;
    ck_assert(!vfi_session_plan(&session, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_ptr_nonnull(strstr(error->message, "abacus"));
    ck_assert_ptr_nonnull(strstr(error->message, "flow"));
    ck_assert_ptr_nonnull(strstr(error->message, "device=cpu"));
    vfi_session_free_plans(&session);
    lacking.close(session.device);
}
END_TEST

START_TEST(live_pipelines_get_the_quickest)
{
    g_autoptr(VfiModel) model = vfi_model_open("flow", NULL, NULL);
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 48}};
    VfiEstimate estimate;

    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_str_eq(estimate.quality, "medium");
    config.live = TRUE;
    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_str_eq(estimate.quality, "fast");
    g_autoptr(VfiModel) best = open_flow("best");
    ck_assert(vfi_model_estimate(best, &config, &estimate, NULL));
    ck_assert_str_eq(estimate.quality, "best");
}
END_TEST

/* ---- cancelling -------------------------------------------------------------------- */

/* Wherever it is cancelled, nothing half-made is kept: what follows is as in a session
 * that was not. */
START_TEST(cancelled_jobs_leave_nothing_half_made)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 160, 120, 2);
    g_autoptr(VfiSession) fresh = open_session(qualities[_i], &clip->video, 2);
    VfiFrame expected =
        in_between(fresh, &clip->video, &clip->frames[0], &clip->frames[1], 0.5);
    VfiSessionStats stats;

    vfi_session_get_stats(fresh, &stats);
    for (uint64_t chunks = 1; chunks < stats.work_chunks;
         chunks += SANITIZER_STEP * (1 + chunks / 4)) {
        g_autoptr(VfiSession) session = open_session(qualities[_i], &clip->video, 2);
        g_autoptr(VfiPair) pair = clip_begin(session, clip, 0);
        cancel_after(session, pair, chunks, &expected);
        VfiFrame found = pair_in_between(pair, &clip->video, 0.5);
        VfiFrame again =
            in_between(fresh, &clip->video, &clip->frames[0], &clip->frames[1], 0.5);
        ck_assert(same_picture(&clip->video, &found, &again));
        vfi_frame_clear(&found);
        vfi_frame_clear(&again);
        vfi_session_get_stats(fresh, &stats);
    }
    vfi_frame_clear(&expected);
}
END_TEST

/* What is the same on every device. */
static TCase *pictures(void)
{
    TCase *tcase = tcase_create("pictures");

    tcase_set_timeout(tcase, 0);
    add_thinned_loop_test(tcase, what_moves_is_where_it_should_be, 0, 2 * N_QUALITIES);
    add_thinned_loop_test(tcase, flat_frames_of_any_size_become_their_blend, 0,
                          4 * N_QUALITIES);
    tcase_add_loop_test(tcase, seeks_leave_no_trace, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, threads_change_no_bit, 0, N_QUALITIES);
    tcase_add_test(tcase, identical_frames_are_copied);
    add_thinned_loop_test(tcase, tiles_make_the_whole_picture, FIRST_QUALITY,
                          N_QUALITIES);
    add_thinned_loop_test(tcase, tiles_of_any_shape_leave_no_gap, FIRST_QUALITY,
                          N_QUALITIES);
    add_thinned_loop_test(tcase, threads_and_what_ran_before_change_no_bit_of_tiles,
                          FIRST_QUALITY, N_QUALITIES);
    tcase_add_loop_test(tcase, too_small_a_limit_is_an_error, 0, N_QUALITIES);
    return tcase;
}

/* What host memory, its use and chunks of work are part of. */
static TCase *on_the_host(void)
{
    TCase *tcase = tcase_create("on_the_host");

    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, flows_of_a_pair_serve_all_its_times, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, memory_is_what_was_estimated, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, failing_allocations_are_errors, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, the_limit_decides_about_tiles, 0, N_QUALITIES);
    tcase_add_loop_test(tcase, a_backend_without_the_steps_is_told, 0, 2);
    tcase_add_test(tcase, live_pipelines_get_the_quickest);
    tcase_add_loop_test(tcase, cancelled_jobs_leave_nothing_half_made, 0, N_QUALITIES);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("flow_session");

    suite_add_tcase(suite, pictures());
    if (strcmp(test_device(), "cpu") == 0)
        suite_add_tcase(suite, on_the_host());
    return check_main(suite);
}
