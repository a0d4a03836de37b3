/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions whose model works in rounds and draws noise: pictures against plain C for any
 * number of rounds, seed and key; progress, cancelling between rounds, memory of states,
 * noise in tiles. On the CPU, or on the device VFI_TEST_DEVICE. (What holds for models
 * with and without rounds is in views.c.) */
#include <math.h>
#include <string.h>

#include "check_main.h"
#include "family_session.h"
#include "frame_volume.h"
#include "model/loaded_model.h"
#include "normal_noise.h"
#include "open_family.h"
#include "session/rounds.h"

#define STEPS 5 /* by default */

static const Reference *sampler(void)
{
    return reference_of("sampler");
}

static VfiModel *open_sampler(uint64_t seed, int steps)
{
    g_autofree char *options = g_strdup_printf(
        "{'seed': <uint64 %" G_GUINT64_FORMAT ">, 'steps': <%d>}", seed, steps);

    return open_family("sampler", options);
}

static Clip *small_clip(void)
{
    return clip_new(VFI_FORMAT_RGB_F32, 44, 27, 3);
}

/* ---- noise ------------------------------------------------------------------------- */

/* The reference's own generator. From kat_vectors of Random123, the authors' library. */
START_TEST(philox_gives_the_published_answers)
{
    static const struct {
        uint32_t counter[4], key[2], words[4];
    } known[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    uint32_t words[4];

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        philox_words(known[i].counter, known[i].key, words);
        ck_assert_mem_eq(words, known[i].words, sizeof(words));
    }
}
END_TEST

static Volume picture_with(Network *network, const Clip *clip, ReferenceRequest request)
{
    Volume view[2];

    clip_view(sampler(), network, clip, 0, view);
    return reference_picture(sampler(), network, view, &request);
}

/* So that comparisons with the reference see it if a session draws other noise, or has
 * one round more or less. */
START_TEST(every_round_and_all_noise_matter)
{
    static const ReferenceRequest others[] = {
        {.t = 0.5, .seed = 1},
        {.t = 0.5, .seed = UINT64_C(1) << 32},
        {.t = 0.5, .key = 1},
        {.t = 0.5, .key = UINT64_C(1) << 32},
        {.t = 0.5, .steps = STEPS - 1},
        {.t = 0.5, .steps = STEPS + 1},
        {.t = 0.4},
    };
    g_autoptr(Network) network = reference_network(sampler());
    g_autoptr(Clip) clip = small_clip();
    Volume usual = picture_with(network, clip, (ReferenceRequest){.t = 0.5});

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        VolumeDifference difference =
            volume_compare(usual, picture_with(network, clip, others[i]));
        ck_assert_double_gt(difference.max, 1e-2);
        ck_assert_double_gt(difference.mean, 1e-3);
    }
}
END_TEST

/* ---- pictures ---------------------------------------------------------------------- */

START_TEST(any_number_of_rounds_is_the_reference_s)
{
    static const struct {
        int steps;
        uint64_t seed;
    } cases[] = {{1, 0}, {2, 7}, {3, UINT64_MAX}, {12, UINT64_C(1) << 32}};
    ReferenceRequest request = {.seed = cases[_i].seed, .steps = cases[_i].steps};
    g_autoptr(VfiModel) model = open_sampler(cases[_i].seed, cases[_i].steps);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);

    for (int i = 0; i < 4; i++) {
        request.t = 0.2 * (i + 1);
        compare_with_reference(sampler(), session, clip, i % 2, request);
    }
}
END_TEST

static VfiPair *begin_with_key(VfiSession *session, const Clip *clip, uint64_t key)
{
    VfiPair *pair = vfi_session_begin(session, clip->frames, 2, key, NULL);

    ck_assert_ptr_nonnull(pair);
    return pair;
}

/* All bits of it. */
START_TEST(the_key_is_the_noise_s)
{
    static const uint64_t keys[] = {0, 1, UINT64_C(1) << 32,
                                    UINT64_C(0xfedcba9876543210)};
    g_autoptr(VfiModel) model = open_sampler(3, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    g_autoptr(Network) network = reference_network(sampler());

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        make_picture(begin_with_key(session, clip, keys[i]), 0.5, made->frames);
        Volume expected = picture_with(
            network, clip, (ReferenceRequest){.t = 0.5, .seed = 3, .key = keys[i]});
        g_autofree char *problem =
            picture_problem(network, &clip->video, made->frames, expected, false);
        ck_assert_msg(problem == NULL, "key %zu: %s", i, problem);
    }
}
END_TEST

/* As after a seek: whatever has been made since. */
START_TEST(a_key_gives_the_same_bits_again)
{
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) first = clip_blank(&clip->video, 1);
    g_autoptr(Clip) again = clip_blank(&clip->video, 1);
    g_autoptr(Clip) other = clip_blank(&clip->video, 1);

    make_picture(begin_with_key(session, clip, 7), 0.25, first->frames);
    make_picture(begin_with_key(session, clip, 8), 0.25, other->frames);
    make_picture(clip_begin(session, clip, 1), 0.5, again->frames);
    make_picture(begin_with_key(session, clip, 7), 0.25, again->frames);
    ck_assert(clip_equal(first, again));
    ck_assert(!clip_equal(first, other));
}
END_TEST

/* ---- progress and cancelling ------------------------------------------------------- */

/* Stops the session's worker in a call of the notification. */
typedef struct {
    GMutex lock;
    GCond changed;
    unsigned calls, last; /* the worker stops in call number .last, from 1 */
} Gate;

static void pass_gate(void *user_data)
{
    Gate *gate = user_data;

    g_mutex_lock(&gate->lock);
    gate->calls++;
    g_cond_broadcast(&gate->changed);
    while (gate->calls == gate->last)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
}

static void wait_at_gate(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    while (gate->calls != gate->last)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
}

/* The next call of the notification stops, or none does. */
static void open_gate(Gate *gate, bool for_one)
{
    g_mutex_lock(&gate->lock);
    gate->last = for_one ? gate->last + 1 : 0;
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
}

static void check_progress(VfiJob *job, unsigned round, unsigned n_rounds)
{
    unsigned is, of;

    vfi_job_get_progress(job, &is, &of);
    ck_assert_uint_eq(is, round);
    ck_assert_uint_eq(of, n_rounds);
}

START_TEST(progress_is_told_after_each_round)
{
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    Gate gate = {.last = 1};

    vfi_session_set_notify(session, pass_gate, &gate);
    VfiPair *pair = clip_begin(session, clip, 0);
    VfiJob *job = vfi_pair_submit(pair, 0.5, made->frames, NULL);
    for (unsigned round = 1; round <= STEPS; round++) {
        wait_at_gate(&gate);
        check_progress(job, round, STEPS);
        ck_assert(!vfi_job_is_done(job));
        open_gate(&gate, true);
    }
    wait_at_gate(&gate); /* the job's end */
    ck_assert(vfi_job_is_done(job));
    open_gate(&gate, false);
    check_progress(job, STEPS, STEPS);
    finish_job(job);
    vfi_pair_unref(pair);
    vfi_session_wait(session);
    vfi_session_set_notify(session, NULL, NULL);
    ck_assert_uint_eq(gate.calls, STEPS + 1);
}
END_TEST

/* By all work, not the rounds alone. It only grows, rounds are told at once, and at the
 * end it is all of it. */
START_TEST(the_part_that_is_done_is_told)
{
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);
    Gate gate = {.last = 1};
    double part, last = 0.0;
    int64_t elapsed;

    vfi_session_set_notify(session, pass_gate, &gate);
    VfiPair *pair = clip_begin(session, clip, 0);
    VfiJob *job = vfi_pair_submit(pair, 0.5, made->frames, NULL);
    for (unsigned round = 1; round <= STEPS; round++) {
        wait_at_gate(&gate);
        ck_assert(vfi_job_wait_work(job, last));
        vfi_job_get_work(job, &part, &elapsed);
        ck_assert_double_gt(part, last);
        ck_assert_double_lt(part, 1.0); /* what is painted is still to come */
        ck_assert_int_gt(elapsed, 0);
        last = part;
        open_gate(&gate, true);
    }
    wait_at_gate(&gate); /* the job's end */
    open_gate(&gate, false);
    ck_assert(!vfi_job_wait_work(job, last));
    vfi_job_get_work(job, &part, &elapsed);
    ck_assert_double_eq(part, 1.0);
    finish_job(job);
    vfi_pair_unref(pair);
    vfi_session_wait(session);
    vfi_session_set_notify(session, NULL, NULL);
}
END_TEST

/* Jobs are used again. */
START_TEST(each_job_counts_its_own_rounds)
{
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) made = clip_blank(&clip->video, 1);

    for (int i = 0; i < 3; i++) {
        VfiPair *pair = clip_begin(session, clip, i % 2);
        VfiJob *job = vfi_pair_submit(pair, 0.5, made->frames, NULL);
        for (unsigned seen = 0, n_rounds; vfi_job_wait_round(job, seen);) {
            unsigned before = seen;
            vfi_job_get_progress(job, &seen, &n_rounds);
            ck_assert_uint_gt(seen, before);
            ck_assert_uint_eq(n_rounds, STEPS);
        }
        ck_assert(vfi_job_is_done(job));
        check_progress(job, STEPS, STEPS);
        finish_job(job);
        vfi_pair_unref(pair);
        vfi_session_wait(session);
    }
}
END_TEST

START_TEST(cancelled_between_rounds_a_job_runs_no_more_work)
{
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) lost = clip_blank(&clip->video, 1);
    g_autoptr(GError) error = NULL;
    Gate gate = {.last = 2};

    vfi_session_set_notify(session, pass_gate, &gate);
    VfiPair *pair = clip_begin(session, clip, 0);
    VfiJob *job = vfi_pair_submit(pair, 0.5, lost->frames, NULL);
    wait_at_gate(&gate); /* two rounds are done */
    vfi_job_cancel(job);
    uint64_t chunks = session_stats(session).work_chunks;
    open_gate(&gate, false);
    ck_assert(!vfi_job_wait(job, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED));
    ck_assert_uint_eq(session_stats(session).work_chunks, chunks);
    check_progress(job, 2, STEPS);
    vfi_job_unref(job);
    vfi_pair_unref(pair);
    vfi_session_wait(session);
    vfi_session_set_notify(session, NULL, NULL);
    /* states that were half-way are nobody's */
    compare_with_reference(sampler(), session, clip, 0, (ReferenceRequest){.t = 0.5});
}
END_TEST

START_TEST(cancelled_within_a_round_a_job_ends_soon)
{
    g_autoptr(VfiModel) model = open_sampler(0, 100);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 300, 200, 3);
    g_autoptr(VfiSession) session = family_session(model, clip);
    g_autoptr(Clip) lost = clip_blank(&clip->video, 1);
    VfiPair *pair = clip_begin(session, clip, 0);
    VfiJob *job = vfi_pair_submit(pair, 0.5, lost->frames, NULL);
    Cancelling cancelling = {session, job, 0};
    GThread *thread = g_thread_new("cancel", cancel_in_the_middle, &cancelling);
    gboolean finished = vfi_job_wait(job, NULL);

    g_thread_join(thread);
    vfi_session_wait(session);
    ck_assert_uint_le(session_stats(session).work_chunks,
                      cancelling.chunks + session_stats(session).threads);
    ck_assert_uint_eq(session_stats(session).cancelled, !finished);
    vfi_job_unref(job);
    vfi_pair_unref(pair);
}
END_TEST

/* ---- what tests may do to states --------------------------------------------------- */

/* States as they were seen; replaces those that the last round left by .put_in. */
typedef struct {
    int rounds; /* seen so far */
    size_t bytes;
    char *last, *put_in;
} Watch;

static void watch_states(VfiSession *session, int round, char *states, void *data)
{
    Watch *watch = data;
    (void)session;

    ck_assert_int_eq(round, watch->rounds);
    watch->rounds++;
    if (round != STEPS)
        return;
    if (watch->put_in != NULL)
        memcpy(states, watch->put_in, watch->bytes);
    g_free(watch->last);
    watch->last = g_memdup2(states, watch->bytes);
}

static Watch make_watched(uint64_t seed, char *put_in, const Clip *clip,
                          const VfiFrame *out)
{
    g_autoptr(VfiModel) model = open_sampler(seed, STEPS);
    g_autoptr(VfiSession) session = family_session(model, clip);
    Watch watch = {.bytes = session->need.state_bytes, .put_in = put_in};

    vfi_session_set_round_hook(session, watch_states, &watch);
    make_picture(clip_begin(session, clip, 0), 0.5, out);
    ck_assert_int_eq(watch.rounds, STEPS + 1);
    return watch;
}

/* The last round's states are all that the rest of the network sees of the rounds: with
 * another seed's, the picture is the other seed's. */
START_TEST(states_can_be_seen_and_replaced)
{
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(Clip) one = clip_blank(&clip->video, 1),
                    other = clip_blank(&clip->video, 1);
    Watch first = make_watched(1, NULL, clip, one->frames);
    Watch second = make_watched(2, NULL, clip, other->frames);

    ck_assert(memcmp(first.last, second.last, first.bytes) != 0);
    ck_assert(!same_picture(&clip->video, one->frames, other->frames));
    Watch third = make_watched(2, first.last, clip, other->frames);
    ck_assert(same_picture(&clip->video, one->frames, other->frames));
    g_free(first.last);
    g_free(second.last);
    g_free(third.last);
}
END_TEST

/* ---- in-betweens of in-betweens ---------------------------------------------------- */

static bool bisects_always(const VfiModelSetup *setup, double t)
{
    (void)setup;
    (void)t;
    return true;
}

/* The sampler as if it knew middles only. */
static VfiModel *open_halving_sampler(int depth)
{
    static VfiModelFamily halving;
    VfiModel *model = open_sampler(9, STEPS);

    halving = *model->family;
    halving.bisects = bisects_always;
    model->family = &halving;
    g_hash_table_insert(model->setup.options, "bisect-depth",
                        g_variant_ref_sink(g_variant_new_uint32((guint32)depth)));
    return model;
}

/* At a quarter the picture is made of the middle one, with noise of its own: which, does
 * not depend on what was asked for before, nor on how finely times are divided. */
START_TEST(each_in_between_of_a_pair_has_its_noise)
{
    static const double times[][3] = {
        {0.5, 0.25, 0.75}, {0.75, 0.5, 0.25}, {0.25, 0.75, 0.5}, {0.375, 0.25, 0.875}};
    Reference halving = *sampler();
    g_autoptr(VfiModel) model = open_halving_sampler(2 + _i % 2);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);

    halving.bisect_depth = 2 + _i % 2;
    for (size_t i = 0; i < G_N_ELEMENTS(times[_i]); i++)
        compare_with_reference(&halving, session, clip, 0,
                               (ReferenceRequest){.t = times[_i][i], .seed = 9});
}
END_TEST

START_TEST(its_place_matters)
{
    g_autoptr(Network) network = reference_network(sampler());
    g_autoptr(Clip) clip = small_clip();
    ReferenceRequest middle = {.t = 0.5}, quarter = {.t = 0.5, .place = -4};

    ck_assert_double_gt(volume_compare(picture_with(network, clip, middle),
                                       picture_with(network, clip, quarter))
                            .mean,
                        1e-3);
}
END_TEST

/* ---- tiles ------------------------------------------------------------------------- */

/* How far @made is from @expected, in dB of the range. */
static double decibels(const Clip *made, const Clip *expected)
{
    g_autoptr(Network) network = reference_network(sampler());
    double squares = 0.0;
    size_t n = 0;

    for (int i = 0; i < made->n; i++) {
        Volume a = volume_of_frame(network, &made->video, &made->frames[i]);
        Volume b = volume_of_frame(network, &made->video, &expected->frames[i]);
        for (size_t k = 0; k < (size_t)a.c * (size_t)a.h * (size_t)a.w; k++, n++)
            squares += pow(a.values[k] - b.values[k], 2);
    }
    return -10 * log10(squares / (double)n);
}

/* A tile has the whole picture's noise, but its network does not see beyond the tile's
 * edge, and each round hands what that does to the latent some fifty pixels farther in.
 * A seam, in the middle of the overlap, is what is left of it there. Seen: 129.7 dB with
 * 5 rounds, 118.8 dB with 20; if each tile drew its own noise it would be 38 and 34. */
static void compare_tiles(int steps, double least)
{
    g_autofree char *options =
        g_strdup_printf("{'steps': <uint32 %d>, 'pad-multiple': <uint32 64>}", steps);
    g_autoptr(VfiModel) model = open_family("sampler", options);
    g_autoptr(Clip) clip = clip_new(VFI_FORMAT_RGB_F32, 400, 300, 2);
    VfiSessionConfig config = family_config(clip);
    g_autoptr(Clip) whole = clip_interpolate(model, &config, clip, 1);

    config.tile_size = 256;
    g_autoptr(VfiSession) session = clip_session(model, &config);
    unsigned tiles = session_stats(session).tiles, round, n_rounds;
    ck_assert_uint_ge(tiles, 4);
    g_autoptr(Clip) tiled = clip_blank(&clip->video, 1);
    VfiPair *pair = clip_begin(session, clip, 0);
    VfiJob *job = vfi_pair_submit(pair, 0.5, tiled->frames, NULL);
    vfi_job_wait_round(job, 0);
    vfi_job_get_progress(job, &round, &n_rounds);
    ck_assert_uint_eq(n_rounds, tiles * (unsigned)steps);
    ck_assert(vfi_job_wait(job, NULL));
    vfi_job_get_progress(job, &round, &n_rounds);
    ck_assert_uint_eq(round, tiles * (unsigned)steps);
    ck_assert_uint_eq(n_rounds, round);
    vfi_job_unref(job);
    vfi_pair_unref(pair);
    double found = decibels(tiled, whole);
    ck_assert_msg(found >= least, "%d rounds: %.1f dB, expected %.1f", steps, found,
                  least);
}

START_TEST(tiles_have_the_noise_of_the_whole)
{
    compare_tiles(STEPS, 120);
}
END_TEST

START_TEST(more_rounds_make_a_larger_seam)
{
    compare_tiles(20, 110);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

/* The two memories of states, of four channels at 1/4, are more than what no estimate
 * knows of: tables whose size no frame decides. */
START_TEST(states_are_counted)
{
    enum { WIDTH = 2000, HEIGHT = 1200, STATES = 2 * 4 * (WIDTH / 4) * (HEIGHT / 4) * 4 };
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    const Clip size = {
        .video = {.format = VFI_FORMAT_RGB_F32, .width = WIDTH, .height = HEIGHT}};
    const VfiSessionConfig config = family_config(&size);
    const uint64_t tables = 1 << 20;
    VfiEstimate estimate;
    uint64_t before, after, peak;

    ck_assert_uint_gt(STATES, tables);
    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_uint_eq(estimate.arena_bytes + estimate.frames * estimate.frame_bytes +
                          estimate.packed_weight_bytes + estimate.scratch_bytes +
                          estimate.host_bytes,
                      estimate.session_bytes);
    vfi_get_memory_use(&before, &peak);
    g_autoptr(VfiSession) session = clip_session(model, &config);
    vfi_get_memory_use(&after, &peak);
    ck_assert_ptr_nonnull(session);
    ck_assert_uint_le(after - before, estimate.session_bytes + tables);
    ck_assert_uint_ge(after - before + tables, estimate.session_bytes);
}
END_TEST

/* ---- devices ----------------------------------------------------------------------- */

/* From the second run on a segment is launched as a whole: the one before the loop, each
 * round, the one behind it. The frames are the same, so their stage does not run. */
START_TEST(a_round_is_one_launch)
{
    g_autoptr(VfiModel) model = open_sampler(0, STEPS);
    g_autoptr(Clip) clip = small_clip();
    g_autoptr(VfiSession) session = family_session(model, clip);

    compare_with_reference(sampler(), session, clip, 0, (ReferenceRequest){.t = 0.5});
    compare_with_reference(sampler(), session, clip, 0, (ReferenceRequest){.t = 0.75});
    for (int i = 0; i < 3; i++) {
        uint64_t launches = session_stats(session).graph_launches;
        compare_with_reference(sampler(), session, clip, 0,
                               (ReferenceRequest){.t = 0.125 * (i + 1)});
        vfi_session_wait(session);
        ck_assert_uint_eq(session_stats(session).graph_launches,
                          launches + 1 + STEPS + 1);
    }
    ck_assert_uint_eq(session_stats(session).graph_failures, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sampling");
    TCase *tcase = tcase_create("sampling");

    tcase_add_test(tcase, philox_gives_the_published_answers);
    tcase_add_test(tcase, every_round_and_all_noise_matter);
    tcase_add_loop_test(tcase, any_number_of_rounds_is_the_reference_s, 0, 4);
    tcase_add_test(tcase, the_key_is_the_noise_s);
    tcase_add_test(tcase, a_key_gives_the_same_bits_again);
    tcase_add_test(tcase, progress_is_told_after_each_round);
    tcase_add_test(tcase, the_part_that_is_done_is_told);
    tcase_add_test(tcase, each_job_counts_its_own_rounds);
    tcase_add_test(tcase, cancelled_between_rounds_a_job_runs_no_more_work);
    tcase_add_test(tcase, cancelled_within_a_round_a_job_ends_soon);
    tcase_add_loop_test(tcase, each_in_between_of_a_pair_has_its_noise, 0, 4);
    tcase_add_test(tcase, its_place_matters);
    tcase_add_test(tcase, tiles_have_the_noise_of_the_whole);
    tcase_add_test(tcase, more_rounds_make_a_larger_seam);
    if (strcmp(test_device(), "cpu") == 0)
        tcase_add_test(tcase, states_can_be_seen_and_replaced);
    if (strcmp(test_device(), "cpu") == 0)
        tcase_add_test(tcase, states_are_counted);
    else
        tcase_add_test(tcase, a_round_is_one_launch);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
