/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions whose models see more than two frames: their pictures against plain C, in
 * whatever order and from however many threads they are made; what is kept from pair to
 * pair; memory, tiles, cancelling. On the CPU, or on the device VFI_TEST_DEVICE. */
#include <string.h>

#include "check_main.h"
#include "families.h"
#include "family_session.h"
#include "frame_volume.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "pixels/pixels.h"

/* The last one sees two frames, for which all the same holds, and works in rounds. */
static const char *const names[] = {"three_frames", "three_frames_ahead", "four_frames",
                                    "sampler"};

#define N_FAMILIES ((int)G_N_ELEMENTS(names))
#define N_FRAMES 5 /* of most clips */

/* ---- against the reference --------------------------------------------------------- */

/* All pairs of a clip, so also those at its ends. */
START_TEST(pictures_are_the_reference_s)
{
    static const struct {
        VfiFormat format;
        int width, height;
    } clips[] = {{VFI_FORMAT_RGB_F32, 47, 35},
                 {VFI_FORMAT_RGB_F32, 40, 28},
                 {VFI_FORMAT_GBR, 38, 26}};
    static const double times[] = {0.5, 0.25, 0.7};
    const Reference *reference = reference_of(names[_i % N_FAMILIES]);
    g_autoptr(VfiModel) model = open_family(reference->state_dict, NULL);
    int index = _i / N_FAMILIES;
    g_autoptr(Clip) clip =
        clip_new(clips[index].format, clips[index].width, clips[index].height, N_FRAMES);
    g_autoptr(VfiSession) session = family_session(model, clip);

    ck_assert_str_eq(vfi_model_info(model)->family, reference->family);
    for (int first = 0; first < clip->n - 1; first++)
        for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
            compare_with_reference(reference, session, clip, first,
                                   (ReferenceRequest){.t = times[i]});
}
END_TEST

#define N_CLIPS 3

/* Without bisection the network itself is given the time. */
START_TEST(direct_times_are_the_reference_s)
{
    Reference direct = *reference_of(names[_i]);
    g_autoptr(VfiModel) model =
        open_family(direct.state_dict, "{'timestep-mode': <'direct'>}");
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, N_FRAMES);
    g_autoptr(VfiSession) session = family_session(model, clip);

    direct.bisect_depth = 0;
    compare_with_reference(&direct, session, clip, 1, (ReferenceRequest){.t = 0.3});
    compare_with_reference(&direct, session, clip, 0, (ReferenceRequest){.t = 0.9});
}
END_TEST

/* So that the comparisons above see it if a session shows the network another frame. */
START_TEST(every_frame_of_a_view_matters)
{
    const Reference *reference = reference_of(names[_i]);
    g_autoptr(Network) network = reference_network(reference);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, 6);
    const ReferenceRequest request = {.t = 0.5};
    Volume view[REFERENCE_MAX_VIEW];

    clip_view(reference, network, clip, 1, view);
    Volume made = reference_picture(reference, network, view, &request);
    for (int i = 0; i < reference_view_frames(reference); i++) {
        Volume kept = view[i];
        view[i] = volume_of_frame(network, &clip->video, &clip->frames[5]);
        Volume other = reference_picture(reference, network, view, &request);
        view[i] = kept;
        ck_assert_double_gt(volume_compare(made, other).max, 1e-2);
        ck_assert_double_gt(volume_compare(made, other).mean, 5e-4);
    }
}
END_TEST

/* Whether @made is frame @expected of @clip. */
static void check_is_frame(const Clip *made, const Clip *clip, int expected)
{
    ck_assert(vfi_pixels_equal(&clip->video, made->frames, &clip->frames[expected]));
}

/* The two around the in-between are, those beside them are not. */
START_TEST(identical_frames_are_copied)
{
    const Reference *reference = reference_of(names[_i]);
    g_autoptr(VfiModel) model = open_family(reference->state_dict, NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, REFERENCE_MAX_VIEW);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    int first = reference->frames_before;
    VfiFrame view[REFERENCE_MAX_VIEW];

    memcpy(view, clip->frames, sizeof(view));
    view[first + 1] = view[first];
    make_picture(vfi_session_begin(session, view,
                                   (size_t)reference_view_frames(reference), 0, NULL),
                 0.5, made->frames);
    check_is_frame(made, clip, first);
    ck_assert_uint_eq(session_stats(session).identical, 1);
}
END_TEST

/* By bisection, whose middles are quarters. */
START_TEST(times_next_to_a_frame_are_that_frame)
{
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, N_FRAMES);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);

    make_picture(clip_begin(session, clip, 2), 0.1, made->frames);
    check_is_frame(made, clip, 2);
    make_picture(clip_begin(session, clip, 2), 0.9, made->frames);
    check_is_frame(made, clip, 3);
    ck_assert_uint_eq(session_stats(session).inferences, 0);
}
END_TEST

/* Paints the mean of its view. */
static bool build_mean(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                       double scale)
{
    VfiValue planes[3];

    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiShape image = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    for (int i = 0; i < 3; i++)
        planes[i] = vfi_graph_run_input(graph, VFI_RUN_INPUT_IMAGE_MEAN, image.h, image.w,
                                        1.0f, 0.0f);
    vfi_graph_output(graph, "rgb", vfi_graph_concat(graph, planes, 3));
    return true;
}

static VfiOutputKind paints(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

static double mean_of_clip(const Clip *clip)
{
    g_autoptr(Network) network = network_new("four_frames");
    double sum = 0.0;

    for (int i = 0; i < clip->n; i++) {
        Volume frame = volume_of_frame(network, &clip->video, &clip->frames[i]);
        for (int k = 0; k < 3 * frame.h * frame.w; k++)
            sum += frame.values[k] / (3.0 * frame.h * frame.w);
    }
    return sum / clip->n;
}

/* At once and in tiles. */
START_TEST(the_mean_is_that_of_the_whole_view)
{
    static const VfiModelFamily mean = {.name = "mean",
                                        .can_tile = true,
                                        .wants_mean = true,
                                        .frames_before = 1,
                                        .frames_after = 1,
                                        .output = paints,
                                        .build = build_mean};
    g_autoptr(VfiModel) model = open_family("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 331, 300, 4);
    VfiSessionConfig config = family_config(clip);

    model->family = &mean;
    config.tile_size = _i == 0 ? 0 : 256;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    ck_assert_uint_eq(session_stats(session).tiles, _i == 0 ? 1 : 4);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    make_picture(clip_begin(session, clip, 1), 0.5, made->frames);
    ck_assert_double_eq_tol(*(const float *)(const void *)made->frames[0].data[0],
                            mean_of_clip(clip), 1e-5);
}
END_TEST

START_TEST(the_number_of_frames_is_told)
{
    const Reference *reference = reference_of(names[_i]);
    g_autoptr(VfiModel) model = open_family(reference->state_dict, NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_GBR, 16, 16, REFERENCE_MAX_VIEW + 1);
    g_autoptr(VfiSession) session = family_session(model, clip);
    int before, after, n = reference_view_frames(reference);
    g_autoptr(GError) error = NULL;

    vfi_session_neighbours(session, &before, &after);
    ck_assert_int_eq(before, reference->frames_before);
    ck_assert_int_eq(after, reference->frames_after);
    ck_assert_int_eq(vfi_model_info(model)->frames_before, before);
    ck_assert_int_eq(vfi_model_info(model)->frames_after, after);
    ck_assert_ptr_null(
        vfi_session_begin(session, clip->frames, (size_t)n + 1, 0, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    g_autofree char *text = g_strdup_printf("%s has %d frames (%d before the two around "
                                            "the in-between, %d after them), got %d",
                                            reference->family, n, before, after, n + 1);
    ck_assert_msg(strstr(error->message, text) != NULL, "%s", error->message);
}
END_TEST

START_TEST(views_that_are_too_long_are_refused)
{
    g_autoptr(VfiModel) model = open_family("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_GBR, 16, 16, 2);
    const VfiSessionConfig config = family_config(clip);
    VfiModelFamily family = *model->family;
    g_autoptr(GError) error = NULL;

    family.frames_before = VFI_MAX_VIEW_FRAMES - 2; /* and one after */
    model->family = &family;
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_msg(strstr(error->message, "sees 9 frames at a time, expected 8") != NULL,
                  "%s", error->message);
}
END_TEST

/* The highest bits of an id are none of its key: what is left of this one is nothing. */
START_TEST(an_id_of_high_bits_alone_is_as_good_as_none)
{
    g_autoptr(VfiModel) model = open_family("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_GBR, 16, 16, 2);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 2);

    make_picture(clip_begin(session, clip, 0), 0.5, &made->frames[0]);
    g_autoptr(VfiSession) other = family_session(model, clip);
    clip->frames[0].id = UINT64_C(1) << 63;
    make_picture(clip_begin(other, clip, 0), 0.5, &made->frames[1]);
    ck_assert(vfi_pixels_equal(&made->video, &made->frames[0], &made->frames[1]));
}
END_TEST

/* ---- the same bits ----------------------------------------------------------------- */

#define N_TIMES 3

/* Every in-between of @clip in a session of its own. */
static Clip *undisturbed(VfiModel *model, const Clip *clip)
{
    Clip *made = clip_blank(&clip->video, (clip->n - 1) * N_TIMES);

    for (int i = 0; i < made->n; i++) {
        g_autoptr(VfiSession) session = family_session(model, clip);
        make_picture(clip_begin(session, clip, i / N_TIMES),
                     (i % N_TIMES + 1) / (N_TIMES + 1.0), &made->frames[i]);
        vfi_session_wait(session);
    }
    return made;
}

START_TEST(threads_change_no_bit)
{
    static const unsigned threads[] = {1, 2, 5};
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 150, 130, 3);
    VfiSessionConfig config = family_config(clip);
    g_autoptr(Clip) expected = clip_interpolate(model, &config, clip, N_TIMES);

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        config.threads = threads[i];
        g_autoptr(Clip) made = clip_interpolate(model, &config, clip, N_TIMES);
        ck_assert(clip_equal(made, expected));
    }
}
END_TEST

/* Pairs that are all open, in-betweens that are asked for in any order. */
static void make_in_order(VfiSession *session, const Clip *clip, const int *order,
                          const Clip *made)
{
    VfiPair *pairs[CLIP_MAX_FRAMES];
    VfiJob *jobs[CLIP_MAX_FRAMES * N_TIMES];

    for (int i = 0; i < clip->n - 1; i++)
        pairs[i] = clip_begin(session, clip, i);
    for (int k = 0; k < made->n; k++)
        jobs[k] = vfi_pair_submit(pairs[order[k] / N_TIMES],
                                  (order[k] % N_TIMES + 1) / (N_TIMES + 1.0),
                                  &made->frames[order[k]], NULL);
    for (int k = 0; k < made->n; k++)
        finish_job(jobs[k]);
    for (int i = 0; i < clip->n - 1; i++)
        vfi_pair_unref(pairs[i]);
}

/* Two pairs and an edge at either end. Forwards, backwards, time by time, to and fro. */
START_TEST(no_order_changes_a_bit)
{
    static const int orders[][2 * N_TIMES] = {
        {0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {0, 3, 1, 4, 2, 5}, {2, 5, 0, 4, 1, 3}};
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, 3);
    g_autoptr(Clip) expected = undisturbed(model, clip);

    for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
        g_autoptr(VfiSession) session = family_session(model, clip);
        g_autoptr(Clip) made = clip_blank(&clip->video, expected->n);
        make_in_order(session, clip, orders[i], made);
        ck_assert(clip_equal(made, expected));
        make_in_order(session, clip, orders[i], made); /* with all that is kept now */
        ck_assert(clip_equal(made, expected));
    }
}
END_TEST

/* Frames without an id are those of no other pair, and the same one twice is two. */
START_TEST(frames_without_an_id_give_the_same_bits)
{
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, 3);
    g_autoptr(Clip) expected = undisturbed(model, clip);
    g_autoptr(VfiSession) session = family_session(model, clip);

    for (int i = 0; i < clip->n; i++)
        clip->frames[i].id = 0;
    g_autoptr(Clip) made = clip_play(session, clip, N_TIMES);
    ck_assert(clip_equal(made, expected));
}
END_TEST

/* ---- what is kept ------------------------------------------------------------------ */

static uint64_t runs_of(VfiSession *session, VfiTimedStage stage)
{
    return session_stats(session).times[stage].runs;
}

static void play_pair(VfiSession *session, const Clip *clip, int first, double t)
{
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);

    make_picture(clip_begin(session, clip, first), t, made->frames);
}

/* A window that slides computes each frame once, in both directions; an edge that is
 * repeated costs nothing. */
START_TEST(each_frame_of_a_window_is_computed_once)
{
    const Reference *reference = reference_of(names[_i % N_FAMILIES]);
    bool is_backwards = _i / N_FAMILIES == 1;
    g_autoptr(VfiModel) model = open_family(reference->state_dict, NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, 7);
    g_autoptr(VfiSession) session = family_session(model, clip);
    bool has_frame_stage = !g_str_has_prefix(reference->state_dict, "three_frames");

    for (int i = 0; i < clip->n - 1; i++) {
        int first = is_backwards ? clip->n - 2 - i : i;
        play_pair(session, clip, first, 0.5);
        int ahead = is_backwards ? reference->frames_before : reference->frames_after;
        uint64_t seen = (uint64_t)MIN(i + 2 + ahead, clip->n);
        ck_assert_uint_eq(runs_of(session, VFI_TIMED_PREPARE), seen);
        ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE),
                          has_frame_stage ? seen : 0);
    }
}
END_TEST

/* A jump to frames none of which is in the window, and back: as many are kept as a view
 * has. */
START_TEST(a_window_is_as_long_as_a_view)
{
    g_autoptr(VfiModel) model = open_family("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, 8);
    g_autoptr(VfiSession) session = family_session(model, clip);

    play_pair(session, clip, 1, 0.5); /* frames 0 … 3 */
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), 4);
    play_pair(session, clip, 5, 0.5); /* 4 … 7 */
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), 8);
    play_pair(session, clip, 3, 0.5); /* 2 … 5 */
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), 10);
    play_pair(session, clip, 5, 0.5); /* 4, 5 are there */
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), 12);
}
END_TEST

START_TEST(a_pair_s_results_serve_all_its_times)
{
    g_autoptr(VfiModel) model = open_family("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, N_FRAMES);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_play(session, clip, 2);

    vfi_session_wait(session);
    ck_assert_int_eq(made->n, 8);
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_PAIR_STAGE), N_FRAMES - 1);
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_TIME_STAGE), 8);
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), N_FRAMES);
    play_pair(session, clip, N_FRAMES - 2, 0.3); /* begun anew: the same frames */
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_PAIR_STAGE), N_FRAMES - 1);
}
END_TEST

/* The two around the in-between are the same, one of those beside them is not. */
START_TEST(a_pair_is_that_of_its_whole_view)
{
    static const int edges[][4] = {{1, 1, 2, 3}, {0, 1, 2, 2}};
    g_autoptr(VfiModel) model = open_family("four_frames", NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 40, 28, N_FRAMES);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 2);
    VfiFrame at_an_edge[4];

    for (int i = 0; i < 4; i++)
        at_an_edge[i] = clip->frames[edges[_i][i]];
    make_picture(clip_begin(session, clip, 1), 0.5, &made->frames[0]);
    make_picture(vfi_session_begin(session, at_an_edge, 4, 1, NULL), 0.5,
                 &made->frames[1]);
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_PAIR_STAGE), 2);
    ck_assert_uint_eq(runs_of(session, VFI_TIMED_FRAME_STAGE), 4);
    g_autoptr(Network) network = network_new("four_frames");
    VolumeDifference difference =
        volume_compare(volume_of_frame(network, &clip->video, &made->frames[0]),
                       volume_of_frame(network, &clip->video, &made->frames[1]));
    ck_assert_double_gt(difference.max, 1e-3);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

/* A model with one frame more in its views, which its network does not look at. */
static VfiModelFamily with_one_more(const VfiModel *model)
{
    VfiModelFamily family = *model->family;

    family.frames_after++;
    return family;
}

START_TEST(each_frame_of_a_view_counts)
{
    const Reference *reference = reference_of(names[_i]);
    g_autoptr(VfiModel) model = open_family(reference->state_dict, NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 200, 120, 2);
    const VfiSessionConfig config = family_config(clip);
    const VfiModelFamily larger = with_one_more(model);
    VfiEstimate estimate, more;

    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_uint_eq(estimate.frames, (unsigned)reference_view_frames(reference));
    ck_assert_uint_ge(estimate.frame_bytes, 3 * 200 * 120 * sizeof(float));
    model->family = &larger;
    ck_assert(vfi_model_estimate(model, &config, &more, NULL));
    ck_assert_uint_eq(more.frames, estimate.frames + 1);
    ck_assert_uint_eq(more.frame_bytes, estimate.frame_bytes);
    ck_assert_uint_eq(more.session_bytes, estimate.session_bytes + estimate.frame_bytes);
    g_autoptr(VfiSession) session = family_session(model, clip);
    ck_assert_uint_eq(session_stats(session).arena_bytes,
                      more.arena_bytes + more.frames * more.frame_bytes);
}
END_TEST

/* Bytes that a memory-limit has to allow. */
static uint64_t limited_bytes(VfiModel *model, const VfiSessionConfig *config)
{
    VfiEstimate estimate;

    ck_assert(vfi_model_estimate(model, config, &estimate, NULL));
    return estimate.session_bytes - estimate.packed_weight_bytes;
}

START_TEST(a_limit_that_is_just_enough_is_enough)
{
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 400, 300, 2);
    VfiSessionConfig config = family_config(clip);

    config.memory_limit = limited_bytes(model, &config);
    g_autoptr(VfiSession) whole = clip_session(model, &config);
    ck_assert_uint_eq(session_stats(whole).tiles, 1);
    config.memory_limit--;
    g_autoptr(VfiSession) tiled = clip_session(model, &config);
    ck_assert_uint_gt(session_stats(tiled).tiles, 1);
}
END_TEST

/* Too small a picture for tiles. */
START_TEST(a_limit_below_that_is_an_error)
{
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 100, 60, 2);
    VfiSessionConfig config = family_config(clip);
    g_autoptr(GError) error = NULL;

    config.memory_limit = limited_bytes(model, &config) - 1;
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    ck_assert_msg(strstr(error->message, "memory-limit") != NULL, "%s", error->message);
    config.memory_limit++;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    play_pair(session, clip, 0, 0.5);
}
END_TEST

/* ---- tiles ------------------------------------------------------------------------- */

/* These networks see some twenty pixels far, tiles share more than twice as many. So only
 * roundings differ: of sums where two tiles are mixed, of coordinates of warps, which
 * count from another corner (3e-5 of a pixel here; an edge of this clip has 0.3 a pixel).
 * Seen: 1.4e-5 and 1.5e-7. The whole is padded as tiles are: convolutions that see more
 * zeros beyond an edge see them with their biases. */
START_TEST(tiles_make_the_whole_picture)
{
    g_autoptr(VfiModel) model = open_family(names[_i], "{'pad-multiple': <uint32 64>}");
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 331, 300, 3);
    VfiSessionConfig config = family_config(clip);
    g_autoptr(Clip) whole = clip_interpolate(model, &config, clip, 1);

    config.tile_size = 256;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    ck_assert_uint_eq(session_stats(session).tiles, 4);
    g_autoptr(Clip) tiled = clip_play(session, clip, 1);
    ClipDifference difference = clip_compare(tiled, whole);
    ck_assert_msg(difference.max <= 3e-5 && difference.mean <= 5e-7,
                  "%s: max %.2e, mean %.2e", names[_i], difference.max, difference.mean);
}
END_TEST

/* ---- cancelling -------------------------------------------------------------------- */

START_TEST(a_cancelled_view_ends_soon_and_leaves_nothing_behind)
{
    g_autoptr(VfiModel) model = open_family(names[_i], NULL);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 300, 200, 4);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(VfiSession) other = family_session(model, clip);
    g_autoptr(Clip) lost = clip_blank(&clip->video, 1);
    g_autoptr(GError) error = NULL;
    VfiPair *pair = clip_begin(session, clip, 1);
    VfiJob *job = vfi_pair_submit(pair, 0.5, lost->frames, NULL);
    Cancelling cancelling = {session, job, 0};
    GThread *thread = g_thread_new("cancel", cancel_in_the_middle, &cancelling);
    gboolean finished = vfi_job_wait(job, &error);

    g_thread_join(thread);
    ck_assert(finished || g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED));
    vfi_session_wait(session);
    ck_assert_uint_le(session_stats(session).work_chunks,
                      cancelling.chunks + session_stats(session).threads);
    vfi_job_unref(job);
    vfi_pair_unref(pair);
    /* whatever was half done is done again */
    g_autoptr(Clip) made = clip_play(session, clip, 1);
    g_autoptr(Clip) expected = clip_play(other, clip, 1);
    ck_assert(clip_equal(made, expected));
}
END_TEST

/* What a device counts by pictures, and memory that it measures itself, are not here. */
static TCase *counts_on_the_cpu(void)
{
    TCase *tcase = tcase_create("counts");

    tcase_add_loop_test(tcase, threads_change_no_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, each_frame_of_a_window_is_computed_once, 0,
                        2 * N_FAMILIES);
    tcase_add_test(tcase, a_window_is_as_long_as_a_view);
    tcase_add_test(tcase, a_pair_s_results_serve_all_its_times);
    tcase_add_loop_test(tcase, a_pair_is_that_of_its_whole_view, 0, 2);
    tcase_add_loop_test(tcase, each_frame_of_a_view_counts, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_limit_that_is_just_enough_is_enough, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, a_limit_below_that_is_an_error, 0, N_FAMILIES);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("views");
    TCase *tcase = tcase_create("pictures");

    add_thinned_loop_test(tcase, pictures_are_the_reference_s, 0, N_CLIPS * N_FAMILIES);
    tcase_add_loop_test(tcase, direct_times_are_the_reference_s, 0, 2);
    tcase_add_loop_test(tcase, every_frame_of_a_view_matters, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, identical_frames_are_copied, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, times_next_to_a_frame_are_that_frame, 0, 2);
    tcase_add_loop_test(tcase, the_mean_is_that_of_the_whole_view, 0, 2);
    tcase_add_loop_test(tcase, the_number_of_frames_is_told, 0, N_FAMILIES);
    tcase_add_test(tcase, views_that_are_too_long_are_refused);
    tcase_add_test(tcase, an_id_of_high_bits_alone_is_as_good_as_none);
    tcase_add_loop_test(tcase, no_order_changes_a_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, frames_without_an_id_give_the_same_bits, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, tiles_make_the_whole_picture, 0, N_FAMILIES - 1);
    tcase_add_loop_test(tcase, a_cancelled_view_ends_soon_and_leaves_nothing_behind, 0,
                        N_FAMILIES);
    suite_add_tcase(suite, tcase);
    if (strcmp(test_device(), "cpu") == 0)
        suite_add_tcase(suite, counts_on_the_cpu());
    return check_main(suite);
}
