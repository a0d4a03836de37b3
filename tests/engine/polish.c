/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks whose result is one hypothesis among those of `flow`: which of the two the
 * picture follows, at any time, in tiles, on any number of threads; what is kept; memory;
 * who has the option. */
#include <string.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "clip.h"
#include "model/loaded_model.h"
#include "moving_frames.h"
#include "open_family.h"
#include "session/stages.h"
#include "session_util.h"

/* ---- networks that claim to know the motion ---------------------------------------- */

typedef enum { ALONE, POLISHED, N_WAYS } Way;

/* What moves where by a claim, in pixels from frame 0 to frame 1. */
static const double claims[][2] = {{12, -8}, {-60, 40}, {64, -40}};
enum { NEAR, WRONG, FAR };

static const double *claim_of(const VfiModelSetup *setup)
{
    return claims[setup->variant / N_WAYS];
}

static bool is_polished(const VfiModelSetup *setup)
{
    return setup->variant % N_WAYS == POLISHED;
}

/* @factor times the time, plus @offset, everywhere. */
static VfiValue plane(VfiGraph *graph, double factor, double offset)
{
    VfiShape shape = vfi_graph_shape(graph, vfi_graph_image(graph, 0));

    return vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, shape.h, shape.w, (float)factor,
                               (float)offset);
}

static bool build_claim(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                        double scale)
{
    const double *claim = claim_of(setup);

    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue flow[] = {plane(graph, -claim[0], 0), plane(graph, -claim[1], 0),
                       plane(graph, -claim[0], claim[0]),
                       plane(graph, -claim[1], claim[1])};
    vfi_graph_output(graph, "flow", vfi_graph_concat(graph, flow, 4));
    vfi_graph_output(graph, "mask",
                     vfi_graph_affine(graph, plane(graph, 0, 0.5), 1.0f, 0.0f));
    return true;
}

static VfiOutputKind claim_output(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_FLOW;
}

static VfiFlowQuality claim_quality(const VfiModelSetup *setup, bool is_live)
{
    (void)setup, (void)is_live;
    return VFI_FLOW_MEDIUM;
}

static const VfiModelFamily claiming = {.name = "claiming",
                                        .can_tile = true,
                                        .output = claim_output,
                                        .build = build_claim,
                                        .polishes = is_polished,
                                        .flow_quality = claim_quality};

static VfiModel *open_claim(int claim, Way way)
{
    g_autoptr(GError) error = NULL;
    VfiModel *model = vfi_model_open("blend", NULL, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    model->family = &claiming;
    model->setup.variant = claim * N_WAYS + (int)way;
    return model;
}

static VfiSession *open_session(int claim, Way way, const VfiVideoInfo *video,
                                unsigned tile_size)
{
    g_autoptr(VfiModel) model = open_claim(claim, way);
    const VfiSessionConfig config = {
        .video = *video, .device = test_device(), .threads = 2, .tile_size = tile_size};

    return new_session(model, &config);
}

/* The built-in model as thorough as it is here. */
static VfiSession *open_flow(const VfiVideoInfo *video)
{
    g_autoptr(VfiModel) model =
        vfi_model_open("flow", g_variant_new_parsed("{'quality': <'medium'>}"), NULL);
    const VfiSessionConfig config = {.video = *video, .device = test_device()};

    return new_session(model, &config);
}

/* ---- which of the two is followed -------------------------------------------------- */

static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_I420_10LE,
                                    VFI_FORMAT_RGBA};
static const double times[] = {0.25, 0.5, 0.8};

/* Frames of a motion, and what a session should and does make of them. */
typedef struct {
    TestFrame a, b, expected, out;
} Scene;

static Scene scene_new(const VfiVideoInfo *video)
{
    return (Scene){
        test_frame_new(video, LAYOUT_PADDED), test_frame_new(video, LAYOUT_BOTTOM_UP),
        test_frame_new(video, LAYOUT_TIGHT), test_frame_new(video, LAYOUT_PADDED)};
}

static void scene_free(Scene *scene)
{
    test_frame_free(&scene->a);
    test_frame_free(&scene->b);
    test_frame_free(&scene->expected);
    test_frame_free(&scene->out);
}

static double error_of(VfiSession *session, const Scene *scene, double t, int margin)
{
    make_between(session, &scene->a, &scene->b, t, &scene->out);
    test_frame_assert_guards(&scene->out);
    return mean_error(&scene->out, &scene->expected, margin);
}

START_TEST(a_network_that_is_wrong_is_outvoted)
{
    const VfiVideoInfo video = {.format = formats[_i], .width = 261, .height = 203};
    Scene scene = scene_new(&video);
    g_autoptr(VfiSession) alone = open_session(WRONG, ALONE, &video, 0);
    g_autoptr(VfiSession) polished = open_session(WRONG, POLISHED, &video, 0);

    paint_texture(&scene.a, 0, 0);
    paint_texture(&scene.b, claims[NEAR][0], claims[NEAR][1]);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i += SANITIZER_STEP) {
        double t = times[i];
        paint_texture(&scene.expected, t * claims[NEAR][0], t * claims[NEAR][1]);
        double before = error_of(alone, &scene, t, 32);
        double after = error_of(polished, &scene, t, 32);
        ck_assert_msg(before > 10.0, "at %g: %.2f codes off", t, before);
        ck_assert_msg(after < 1.5, "at %g: %.2f codes off, without polish %.2f", t, after,
                      before);
    }
    scene_free(&scene);
}
END_TEST

/* Of noise that moves far nothing is left in small pictures: no search finds it. */
START_TEST(a_network_that_is_right_is_followed_where_flow_finds_nothing)
{
    const VfiVideoInfo video = {.format = formats[_i], .width = 261, .height = 203};
    static const double t = 0.75;
    Scene scene = scene_new(&video);
    g_autoptr(VfiSession) flow = open_flow(&video);
    g_autoptr(VfiSession) polished = open_session(FAR, POLISHED, &video, 0);

    paint_noise(&scene.a, 0, 0);
    paint_noise(&scene.b, (int)claims[FAR][0], (int)claims[FAR][1]);
    paint_noise(&scene.expected, (int)(t * claims[FAR][0]), (int)(t * claims[FAR][1]));
    double by_flow = error_of(flow, &scene, t, 72);
    double after = error_of(polished, &scene, t, 72);
    ck_assert_msg(by_flow > 20.0, "flow is %.2f codes off", by_flow);
    ck_assert_msg(after < 4.0, "%.2f codes off, flow %.2f", after, by_flow);
    scene_free(&scene);
}
END_TEST

/* ---- what is kept, threads --------------------------------------------------------- */

/* Where a sanitizer watches, pictures have one row of tiles instead of two, and still
 * more chunks of work than threads. */
#define LOW (SANITIZER_STEP > 1)

START_TEST(flows_of_a_pair_serve_all_its_times)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 96, 70, 3);
    g_autoptr(VfiSession) session = open_session(NEAR, POLISHED, &clip->video, 0);
    VfiSessionStats stats;

    g_autoptr(Clip) made = clip_play(session, clip, 3);
    ck_assert_int_eq(made->n, 6);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.times[VFI_TIMED_PREPARE].runs, 3);
    ck_assert_uint_eq(stats.times[VFI_TIMED_FRAME_STAGE].runs, 3);
    ck_assert_uint_eq(stats.times[VFI_TIMED_PAIR_STAGE].runs, 2);
    ck_assert_uint_eq(stats.times[VFI_TIMED_TIME_STAGE].runs, 6);
    ck_assert_uint_eq(stats.times[VFI_TIMED_SYNTHESIS].runs, 6);
    ck_assert_uint_eq(stats.inferences, 6);
    ck_assert_str_eq(stats.quality, "medium");
}
END_TEST

/* The picture of each pair is the one that a session makes of it which has seen no
 * other. */
START_TEST(seeks_leave_no_trace)
{
    static const int order[] = {0, 1, 3, 0, 2, 2, 1};
    const unsigned tile_size = _i == 0 ? 0 : 256;
    g_autoptr(Clip) clip =
        clip_new(VFI_FORMAT_I420, _i == 0 ? 93 : 420, LOW ? 90 : 261, 5);
    g_autoptr(VfiSession) session = open_session(NEAR, POLISHED, &clip->video, tile_size);

    for (size_t i = 0; i < G_N_ELEMENTS(order); i += LOW ? 2 : 1) {
        g_autoptr(VfiSession) fresh =
            open_session(NEAR, POLISHED, &clip->video, tile_size);
        clip_check_same_between(session, fresh, clip, order[i], 0.3);
    }
}
END_TEST

START_TEST(threads_change_no_bit)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 417, LOW ? 97 : 283, 3);
    g_autoptr(VfiModel) model = open_claim(NEAR, POLISHED);
    VfiSessionConfig config = {.video = clip->video,
                               .device = test_device(),
                               .threads = 1,
                               .tile_size = _i == 0 ? 0 : 256};
    clip_check_threads(model, &config, clip);
}
END_TEST

/* ---- tiles ------------------------------------------------------------------------- */

/* Nowhere, and so at no seam, is the picture of tiles another than the whole one. */
START_TEST(tiles_make_the_whole_picture)
{
    static const unsigned tile_sizes[] = {256, 384};
    const VfiVideoInfo video = {.format = formats[_i], .width = 701, .height = 391};
    Scene scene = scene_new(&video);
    g_autoptr(VfiSession) session = open_session(NEAR, POLISHED, &video, 0);

    paint_texture(&scene.a, 0, 0);
    paint_texture(&scene.b, claims[NEAR][0], claims[NEAR][1]);
    make_between(session, &scene.a, &scene.b, 0.4, &scene.expected);
    for (size_t i = 0; i < G_N_ELEMENTS(tile_sizes); i += SANITIZER_STEP) {
        g_autoptr(VfiSession) tiles = open_session(NEAR, POLISHED, &video, tile_sizes[i]);
        VfiSessionStats stats;
        make_between(tiles, &scene.a, &scene.b, 0.4, &scene.out);
        vfi_session_get_stats(tiles, &stats);
        ck_assert_uint_ge(stats.tiles, 4);
        double worst = worst_square(&scene.out, &scene.expected, 0);
        ck_assert_msg(worst < 2.0, "%u: %.2f codes from the whole", tile_sizes[i], worst);
        test_frame_assert_guards(&scene.out);
    }
    scene_free(&scene);
}
END_TEST

/* Nor do seams show where all depends on the network, and tiles find other nonsense. */
START_TEST(tiles_follow_a_network_that_is_right)
{
    const VfiVideoInfo video = {.format = formats[_i], .width = 701, .height = 391};
    static const double t = 0.25;
    Scene scene = scene_new(&video);
    g_autoptr(VfiSession) session = open_session(FAR, POLISHED, &video, 256);

    paint_noise(&scene.a, 0, 0);
    paint_noise(&scene.b, (int)claims[FAR][0], (int)claims[FAR][1]);
    paint_noise(&scene.expected, (int)(t * claims[FAR][0]), (int)(t * claims[FAR][1]));
    make_between(session, &scene.a, &scene.b, t, &scene.out);
    double worst = worst_square(&scene.out, &scene.expected, 72);
    ck_assert_msg(worst < 8.0, "%.2f codes off", worst);
    scene_free(&scene);
}
END_TEST

/* Flat frames: weights must be one in all, and what is no tile's must not show. */
START_TEST(tiles_of_any_shape_leave_no_gap)
{
    static const int sizes[][2] = {{257, 40}, {300, 300}, {40, 520}, {511, 385}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        const VfiVideoInfo video = {
            .format = VFI_FORMAT_GRAY8, .width = sizes[i][0], .height = sizes[i][1]};
        g_autoptr(VfiSession) session = open_session(NEAR, POLISHED, &video, 256);
        Scene scene = scene_new(&video);
        memset(scene.a.block[0], 120, scene.a.size[0]);
        memset(scene.b.block[0], 124, scene.b.size[0]);
        make_between(session, &scene.a, &scene.b, 0.5, &scene.out);
        for (int y = 0; y < video.height; y++)
            for (int x = 0; x < video.width; x++)
                assert_code(&scene.out, 0, x, y, 122, 0);
        test_frame_assert_guards(&scene.out);
        scene_free(&scene);
    }
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

/* A mebibyte for tables whose size no frame decides. */
#define TABLES (1 << 20)

START_TEST(memory_is_what_was_estimated)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_10", "{'polish': <true>}");
    g_autoptr(VfiModel) plain = open_family("rife_v4_10", NULL);
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 641, .height = 363},
        .device = "cpu",
        .threads = 2,
        .tile_size = _i == 0 ? 0 : 256,
    };
    VfiEstimate estimate, of_plain;
    VfiSessionStats stats;

    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert(vfi_model_estimate(plain, &config, &of_plain, NULL));
    g_autoptr(VfiSession) session = new_session(model, &config);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(estimate.arena_bytes + estimate.frames * estimate.frame_bytes,
                      stats.arena_bytes);
    ck_assert_uint_eq(estimate.tiles > 1, _i == 1);
    ck_assert_uint_gt(estimate.frame_bytes, of_plain.frame_bytes);
    ck_assert_str_eq(estimate.quality, "medium");
    ck_assert_str_eq(of_plain.quality, "");
}
END_TEST

START_TEST(the_limit_decides_about_tiles)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_10", "{'polish': <true>}");
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 1280, .height = 720},
        .device = "cpu",
        .threads = 2};
    VfiSessionStats stats;
    VfiEstimate estimate;
    uint64_t before, after, peak;

    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_uint_eq(estimate.tiles, 1);
    config.memory_limit =
        (uint64_t)(estimate.arena_bytes + estimate.frames * estimate.frame_bytes) * 3 / 5;
    vfi_get_memory_use(&before, &peak);
    g_autoptr(VfiSession) session = new_session(model, &config);
    vfi_get_memory_use(&after, &peak);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_gt(stats.tiles, 1);
    ck_assert_uint_le(stats.arena_bytes, config.memory_limit);
    ck_assert_uint_ge(after - before, stats.arena_bytes);
    ck_assert_uint_le(after - before,
                      stats.arena_bytes + stats.packed_weight_bytes + 4 * TABLES);
}
END_TEST

START_TEST(failing_allocations_are_errors)
{
    g_autoptr(VfiModel) model = open_claim(NEAR, POLISHED);
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 600, .height = 48},
        .threads = 1,
        .tile_size = 256};
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
    ck_assert_uint_gt(successes, 6); /* arena, pair, two frames, two bands */
    vfi_get_memory_use(&after, &peak);
    ck_assert_uint_eq(after, before);
}
END_TEST

/* ---- cancelling -------------------------------------------------------------------- */

/* Wherever it is cancelled, nothing half-made is kept: what follows is as in a session
 * that was not. */
START_TEST(cancelled_jobs_leave_nothing_half_made)
{
    const unsigned tile_size = _i == 0 ? 0 : 256;
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, _i == 0 ? 160 : 400, 120, 2);
    g_autoptr(VfiSession) fresh = open_session(NEAR, POLISHED, &clip->video, tile_size);
    VfiFrame expected =
        in_between(fresh, &clip->video, &clip->frames[0], &clip->frames[1], 0.5);
    VfiFrame unfinished =
        in_between(fresh, &clip->video, &clip->frames[0], &clip->frames[1], 0.5);
    VfiSessionStats of_all;

    vfi_session_get_stats(fresh, &of_all);
    for (uint64_t chunks = 1; chunks < of_all.work_chunks;
         chunks += SANITIZER_STEP * (1 + chunks / 4)) {
        g_autoptr(VfiSession) session =
            open_session(NEAR, POLISHED, &clip->video, tile_size);
        g_autoptr(VfiPair) pair = clip_begin(session, clip, 0);
        cancel_after(session, pair, chunks, &unfinished);
        VfiFrame found = pair_in_between(pair, &clip->video, 0.5);
        ck_assert(same_picture(&clip->video, &found, &expected));
        vfi_frame_clear(&found);
    }
    vfi_frame_clear(&expected);
    vfi_frame_clear(&unfinished);
}
END_TEST

/* ---- RIFE -------------------------------------------------------------------------- */

/* One of each kind: middles only, a second way for large motion, heads of frames. */
static const char *const networks[] = {"rife_v3_6", "rife_v4_0", "rife_v4_10",
                                       "rife_v4_25_lite"};

START_TEST(any_network_with_flows_and_a_mask_is_polished)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420_10LE, 90, 58, 3);
    g_autoptr(VfiModel) plain = open_family(networks[_i], NULL);
    g_autoptr(VfiModel) off = open_family(networks[_i], "{'polish': <false>}");
    g_autoptr(VfiModel) on = open_family(networks[_i], "{'polish': <true>}");
    VfiSessionConfig config = {
        .video = clip->video, .device = test_device(), .threads = 1};
    g_autoptr(Clip) of_plain = clip_interpolate(plain, &config, clip, 3);
    g_autoptr(Clip) of_off = clip_interpolate(off, &config, clip, 3);
    g_autoptr(Clip) of_on = clip_interpolate(on, &config, clip, 3);

    ck_assert(clip_equal(of_off, of_plain));
    ck_assert(!clip_equal(of_on, of_plain));
    config.threads = 3;
    g_autoptr(Clip) of_three = clip_interpolate(on, &config, clip, 3);
    ck_assert(clip_equal(of_three, of_on));
}
END_TEST

/* Networks that know the middle only: whatever was asked for before. */
START_TEST(halved_intervals_give_the_same_picture_in_any_order)
{
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_I420, 90, 58, 2);
    g_autoptr(VfiModel) model = open_family("rife_v3_6", "{'polish': <true>}");
    const VfiSessionConfig config = {
        .video = clip->video, .device = test_device(), .threads = 2};
    g_autoptr(VfiSession) forwards = new_session(model, &config);
    g_autoptr(VfiSession) backwards = new_session(model, &config);
    g_autoptr(Clip) expected = clip_play(forwards, clip, 3);
    g_autoptr(VfiPair) pair = clip_begin(backwards, clip, 0);
    VfiSessionStats stats;

    for (int i = 2; i >= 0; i--) {
        VfiFrame found = pair_in_between(pair, &clip->video, 0.25 * (i + 1));
        ck_assert(same_picture(&clip->video, &found, &expected->frames[i]));
        vfi_frame_clear(&found);
    }
    vfi_session_get_stats(backwards, &stats);
    ck_assert_uint_eq(stats.inferences, 3);
}
END_TEST

START_TEST(others_have_no_such_option)
{
    static const struct {
        const char *family, *options, *part;
    } cases[] = {
        {"ifrnet_s", "{'polish': <true>}", "polish=true does not exist"},
        {"film", "{'polish': <true>}", "polish=true does not exist"},
        {"rife_v3_6", "{'polish': <1>}", "wrong type"},
        {"rife_v4_0", "{'polish': <true>, 'refine': <true>}",
         "no option polish with refine: its result is RGB"},
        {"rife_eccv", "{'polish': <true>}", "no option polish: its result is RGB"},
    };
    static const char *const built_in[] = {"flow", "blend"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GArray) entries = state_dict_of(cases[i].family);
        g_autoptr(GVariant) options =
            g_variant_parse(G_VARIANT_TYPE_VARDICT, cases[i].options, NULL, NULL, NULL);
        ck_assert_ptr_null(open_entries(entries, options, &error));
        ck_assert_msg(strstr(error->message, cases[i].part) != NULL, "%s",
                      error->message);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(built_in); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(vfi_model_open(
            built_in[i], g_variant_new_parsed("{'polish': <true>}"), &error));
        ck_assert_ptr_nonnull(strstr(error->message, "polish=true does not exist"));
    }
}
END_TEST

START_TEST(a_backend_that_cannot_is_told)
{
    g_autoptr(VfiModel) model = open_claim(NEAR, POLISHED);
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 48}, .device = "cpu"};
    VfiDeviceRequest request = vfi_session_request(&config);
    VfiSession session = {.model = model, .video = config.video};
    VfiBackend lacking = vfi_backend_cpu;
    g_autoptr(GError) error = NULL;

    lacking.name = "abacus";
    lacking.synthesizes_networks = false;
    session.device = vfi_device_open(&request, &session.backend, NULL);
    session.backend = &lacking;
    ck_assert(!vfi_session_plan(&session, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_msg(strstr(error->message, "abacus") != NULL &&
                      strstr(error->message, "without polish") != NULL,
                  "%s", error->message);
    vfi_session_free_plans(&session);
    lacking.close(session.device);
}
END_TEST

/* What is the same on every device. */
static TCase *pictures(void)
{
    TCase *tcase = tcase_create("pictures");

    tcase_set_timeout(tcase, 0);
    add_thinned_loop_test(tcase, a_network_that_is_wrong_is_outvoted, 0,
                          (int)G_N_ELEMENTS(formats));
    add_thinned_loop_test(tcase,
                          a_network_that_is_right_is_followed_where_flow_finds_nothing, 0,
                          (int)G_N_ELEMENTS(formats));
    tcase_add_loop_test(tcase, seeks_leave_no_trace, 0, 2);
    tcase_add_loop_test(tcase, threads_change_no_bit, 0, 2);
    add_thinned_loop_test(tcase, tiles_make_the_whole_picture, 0,
                          (int)G_N_ELEMENTS(formats));
    add_thinned_loop_test(tcase, tiles_follow_a_network_that_is_right, 0,
                          (int)G_N_ELEMENTS(formats));
    tcase_add_test(tcase, tiles_of_any_shape_leave_no_gap);
    add_thinned_loop_test(tcase, any_network_with_flows_and_a_mask_is_polished, 0,
                          (int)G_N_ELEMENTS(networks));
    tcase_add_test(tcase, halved_intervals_give_the_same_picture_in_any_order);
    return tcase;
}

/* What host memory, its use and chunks of work are part of. */
static TCase *on_the_host(void)
{
    TCase *tcase = tcase_create("on_the_host");

    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, flows_of_a_pair_serve_all_its_times);
    tcase_add_loop_test(tcase, memory_is_what_was_estimated, 0, 2);
    tcase_add_test(tcase, the_limit_decides_about_tiles);
    tcase_add_test(tcase, failing_allocations_are_errors);
    tcase_add_loop_test(tcase, cancelled_jobs_leave_nothing_half_made, 0, 2);
    tcase_add_test(tcase, others_have_no_such_option);
    tcase_add_test(tcase, a_backend_that_cannot_is_told);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("polish");

    suite_add_tcase(suite, pictures());
    if (strcmp(test_device(), "cpu") == 0)
        suite_add_tcase(suite, on_the_host());
    return check_main(suite);
}
