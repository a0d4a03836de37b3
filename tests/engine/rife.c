/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that run a network (RIFE with deterministic weights, small frames): the same
 * bits whatever the threads, what ran before or what is kept; bisection; cancelling in
 * the middle of an inference; failing allocations; packed weights that sessions share. */
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "cpu/cpu_op.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "session_util.h"

#define WIDTH 50
#define HEIGHT 38

static const VfiVideoInfo video = {.format = VFI_FORMAT_I420,
                                   .width = WIDTH,
                                   .height = HEIGHT,
                                   .matrix = VFI_MATRIX_BT709};

static VfiSession *open_session(VfiModel *model, unsigned threads)
{
    VfiSessionConfig config = {.video = video, .device = "cpu", .threads = threads};

    return new_session(model, &config);
}

/* A textured frame, moved by @shift pixels. */
static VfiFrame make_frame(int shift, uint64_t id)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &video, NULL));
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < vfi_video_info_rows(&video, plane); y++)
            for (int x = 0; x < (int)vfi_video_info_row_bytes(&video, plane); x++)
                frame.data[plane][y * frame.stride[plane] + x] =
                    (uint8_t)(60 + ((x + shift) * 7 + y * 5 +
                                    ((x + shift) / 9 + y / 7) % 2 * 60) %
                                       150);
    frame.id = id;
    return frame;
}

static VfiPackedStats packed_stats(const VfiModel *model)
{
    VfiPackedStats stats;

    vfi_packed_weights_stats(vfi_weights_packed(model->weights), &stats);
    return stats;
}

static uint64_t inferences(VfiSession *session)
{
    VfiSessionStats stats;

    vfi_session_get_stats(session, &stats);
    return stats.inferences;
}

/* Family and options of each loop. */
static const struct {
    const char *family, *options;
    int multiple; /* that width and height are padded to */
} variants[] = {
    {"rife_v3_6", NULL, 16},
    {"rife_v4_0", NULL, 64},
    {"rife_v4_0", "{'refine': <true>, 'ensemble': <true>}", 64},
    {"rife_v3_6", "{'pad-multiple': <100>}", 112},
    {"rife_eccv", NULL, 16},
    {"rife_v4_10", "{'ensemble': <true>}", 32},
    {"rife_v4_25_lite", NULL, 128},
    {"rife_v4_10", "{'polish': <true>}", 32},
};

START_TEST(bits_do_not_depend_on_threads_or_on_what_ran_before)
{
    g_autoptr(VfiModel) model = open_family(variants[_i].family, variants[_i].options);
    VfiFrame a = make_frame(0, 1), b = make_frame(3, 2), c = make_frame(6, 3);
    g_autoptr(VfiSession) one = open_session(model, 1);
    VfiFrame expected = in_between(one, &video, &b, &c, 0.5);

    for (unsigned threads = 1; threads <= 3; threads++) {
        g_autoptr(VfiSession) session = open_session(model, threads);
        VfiSessionStats stats;
        /* first another pair, whose second frame is kept for this one */
        VfiFrame before = in_between(session, &video, &a, &b, 0.5);
        VfiFrame kept = in_between(session, &video, &b, &c, 0.5);
        ck_assert(same_picture(&video, &kept, &expected));
        vfi_session_get_stats(session, &stats);
        ck_assert_uint_eq(stats.threads, threads);
        ck_assert_int_eq(stats.padded_width % variants[_i].multiple, 0);
        ck_assert_int_lt(stats.padded_width, WIDTH + variants[_i].multiple);
        vfi_frame_clear(&before);
        vfi_frame_clear(&kept);
    }
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&c);
    vfi_frame_clear(&expected);
}
END_TEST

START_TEST(frames_without_id_are_never_mistaken_for_kept_ones)
{
    g_autoptr(VfiModel) model = open_family("rife_v3_6", NULL);
    g_autoptr(VfiSession) session = open_session(model, 2);
    VfiFrame a = make_frame(0, 0), b = make_frame(3, 0), c = make_frame(9, 0);
    VfiFrame first = in_between(session, &video, &a, &b, 0.5);
    VfiFrame other = in_between(session, &video, &a, &c, 0.5);
    VfiFrame again = in_between(session, &video, &a, &b, 0.5);

    ck_assert(same_picture(&video, &first, &again));
    ck_assert_mem_ne(first.data[0], other.data[0], WIDTH);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&c);
    vfi_frame_clear(&first);
    vfi_frame_clear(&other);
    vfi_frame_clear(&again);
}
END_TEST

/* Midpoint families: t goes to the nearest quarter; kept midpoints are not inferred
 * again. */
START_TEST(other_times_are_bisected)
{
    g_autoptr(VfiModel) model = open_family("rife_v3_6", NULL);
    g_autoptr(VfiSession) session = open_session(model, 2);
    VfiFrame a = make_frame(0, 1), b = make_frame(4, 2), out[3], nearest[3];
    VfiFrame frames[] = {a, b};
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);

    for (int i = 0; i < 3; i++) {
        ck_assert(vfi_frame_alloc(&out[i], &video, NULL));
        g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.25 * (i + 1), &out[i], NULL);
        ck_assert(vfi_job_wait(job, NULL));
    }
    ck_assert_uint_eq(inferences(session), 3);

    /* the same by hand */
    VfiFrame middle = in_between(session, &video, &a, &b, 0.5);
    VfiFrame quarter = in_between(session, &video, &a, &middle, 0.5);
    ck_assert(same_picture(&video, &middle, &out[1]));
    ck_assert(same_picture(&video, &quarter, &out[0]));

    static const double times[] = {0.2, 0.45, 0.8};
    for (int i = 0; i < 3; i++) {
        nearest[i] = in_between(session, &video, &a, &b, times[i]);
        ck_assert(same_picture(&video, &nearest[i], &out[i]));
        vfi_frame_clear(&nearest[i]);
        vfi_frame_clear(&out[i]);
    }
    uint64_t before = inferences(session);
    VfiFrame start =
        in_between(session, &video, &a, &b, 0.1); /* nearest to 0: frame a itself */
    ck_assert(same_picture(&video, &start, &a));
    ck_assert_uint_eq(inferences(session), before);
    vfi_frame_clear(&start);
    vfi_frame_clear(&middle);
    vfi_frame_clear(&quarter);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

START_TEST(a_flow_scale_between_powers_of_two_takes_the_nearest)
{
    static const struct {
        double asked, effective;
        int padded_width;
    } cases[] = {{1.0, 1.0, 64},  {0.6, 0.5, 64}, {0.25, 0.25, 64},
                 {0.3, 0.25, 64}, {3.0, 4.0, 64}, {0.0, 1.0, 64}};
    g_autoptr(VfiModel) model = open_family("rife_v3_6", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        VfiSessionConfig config = {.video = video, .threads = 1, .scale = cases[i].asked};
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, NULL);
        VfiSessionStats stats;
        ck_assert_ptr_nonnull(session);
        vfi_session_get_stats(session, &stats);
        ck_assert_double_eq(stats.scale, cases[i].effective);
        ck_assert_int_eq(stats.padded_width, cases[i].padded_width);
    }
}
END_TEST

/* Cancels the job from inside the pool once some work has run; then counts. */
typedef struct {
    VfiSession *session;
    VfiJob *job;
} Cancelling;

static void *cancel_in_the_middle(void *user_data)
{
    Cancelling *cancelling = user_data;
    VfiSessionStats stats;

    do {
        vfi_session_get_stats(cancelling->session, &stats);
    } while (stats.work_chunks < 20 && !vfi_job_is_done(cancelling->job));
    vfi_job_cancel(cancelling->job);
    return NULL;
}

START_TEST(a_cancelled_inference_leaves_the_session_usable)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    g_autoptr(VfiSession) session = open_session(model, 2);
    g_autoptr(VfiSession) undisturbed = open_session(model, 2);
    VfiFrame a = make_frame(0, 1), b = make_frame(3, 2), out;
    VfiFrame frames[] = {a, b};
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);

    ck_assert(vfi_frame_alloc(&out, &video, NULL));
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out, NULL);
    Cancelling cancelling = {session, job};
    GThread *thread = g_thread_new("cancel", cancel_in_the_middle, &cancelling);
    g_autoptr(GError) error = NULL;
    gboolean finished = vfi_job_wait(job, &error);
    g_thread_join(thread);
    ck_assert(finished || g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED));

    /* whatever was half done is done again */
    VfiFrame expected = in_between(undisturbed, &video, &a, &b, 0.5);
    VfiFrame after = in_between(session, &video, &a, &b, 0.5);
    ck_assert(same_picture(&video, &after, &expected));
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
    vfi_frame_clear(&expected);
    vfi_frame_clear(&after);
}
END_TEST

/* Each failure builds half a session: sanitizer builds look at every nth only. */
static guint64 sweep_step(void)
{
    const char *step = g_getenv("VFI_TEST_SWEEP_STEP");

    return step != NULL ? g_ascii_strtoull(step, NULL, 10) : 1;
}

START_TEST(failing_allocations_are_errors_that_name_their_purpose)
{
    g_autoptr(VfiModel) model = open_family("rife_v3_6", "{'bisect-depth': <3>}");
    VfiSessionConfig config = {.video = video, .threads = 2};
    bool built = false;

    for (guint64 successes = 0; !built && successes < 1000; successes += sweep_step()) {
        g_autoptr(GError) error = NULL;
        vfi_alloc_fail_after(successes);
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
        vfi_alloc_fail_after(G_MAXUINT64);
        built = session != NULL;
        if (!built) {
            ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
            ck_assert_ptr_nonnull(strstr(error->message, "cannot allocate"));
            ck_assert_uint_eq(packed_stats(model).bytes, 0);
        }
    }
    ck_assert(built);
}
END_TEST

START_TEST(a_pair_allocates_nothing)
{
    g_autoptr(VfiModel) model = open_family("rife_v3_6", NULL);
    g_autoptr(VfiSession) session = open_session(model, 2);
    VfiFrame a = make_frame(0, 1), b = make_frame(3, 2), out;
    VfiFrame frames[] = {a, b};

    ck_assert(vfi_frame_alloc(&out, &video, NULL));
    guint64 before = vfi_alloc_count();
    for (int i = 0; i < 3; i++) {
        g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
        g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.25, &out, NULL);
        ck_assert(vfi_job_wait(job, NULL));
    }
    ck_assert_uint_eq(vfi_alloc_count(), before);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

/* The second session allocates what is its own, and no weights. */
START_TEST(sessions_of_a_model_share_packed_weights)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    VfiFrame a = make_frame(0, 1), b = make_frame(3, 2), out[2];
    VfiPackedStats packed[2];
    VfiSessionStats stats[2];
    VfiSession *sessions[2];
    guint64 n_allocations[3];

    for (int i = 0; i < 2; i++) {
        n_allocations[i] = vfi_alloc_count();
        sessions[i] = open_session(model, 2);
        packed[i] = packed_stats(model);
        vfi_session_get_stats(sessions[i], &stats[i]);
    }
    n_allocations[2] = vfi_alloc_count();
    if (vfi_cpu_level() != VFI_CPU_LEVEL_C) /* that one packs nothing */
        ck_assert_uint_gt(packed[0].n_packed, 20);
    ck_assert_uint_eq(packed[1].n_packed, packed[0].n_packed);
    ck_assert_uint_eq(packed[1].bytes, packed[0].bytes);
    ck_assert_uint_eq(n_allocations[2] - n_allocations[1] + packed[0].n_packed,
                      n_allocations[1] - n_allocations[0]);
    ck_assert_uint_ge(stats[0].packed_weight_bytes, packed[0].bytes);
    ck_assert_uint_eq(stats[1].packed_weight_bytes, stats[0].packed_weight_bytes);

    /* each works without the other */
    out[0] = in_between(sessions[0], &video, &a, &b, 0.5);
    vfi_session_unref(sessions[0]);
    ck_assert_uint_eq(vfi_packed_weights_trim(vfi_weights_packed(model->weights)), 0);
    out[1] = in_between(sessions[1], &video, &a, &b, 0.5);
    ck_assert(same_picture(&video, &out[0], &out[1]));
    vfi_session_unref(sessions[1]);
    while (packed_stats(model).bytes_in_use > 0)
        sched_yield(); /* the worker may have had the last reference */
    ck_assert_uint_eq(vfi_packed_weights_trim(vfi_weights_packed(model->weights)),
                      packed[0].bytes);

    /* packed anew after that */
    g_autoptr(VfiSession) later = open_session(model, 2);
    VfiFrame again = in_between(later, &video, &a, &b, 0.5);
    ck_assert(same_picture(&video, &again, &out[0]));
    ck_assert_uint_eq(packed_stats(model).bytes, packed[0].bytes);
    vfi_frame_clear(&again);
    vfi_frame_clear(&out[0]);
    vfi_frame_clear(&out[1]);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

static void *open_one_session(void *user_data)
{
    return open_session(user_data, 1);
}

START_TEST(sessions_built_at_once_pack_once)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    g_autoptr(VfiModel) alone = open_family("rife_v4_0", NULL);
    g_autoptr(VfiSession) only = open_session(alone, 1);
    VfiFrame a = make_frame(0, 1), b = make_frame(3, 2);
    VfiFrame expected = in_between(only, &video, &a, &b, 0.5);
    GThread *threads[16];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("open", open_one_session, model);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(VfiSession) session = g_thread_join(threads[i]);
        if (i % 8 != 0)
            continue;
        VfiFrame out = in_between(session, &video, &a, &b, 0.5);
        ck_assert(same_picture(&video, &out, &expected));
        vfi_frame_clear(&out);
    }
    ck_assert_uint_eq(packed_stats(model).n_packed, packed_stats(alone).n_packed);
    ck_assert_uint_eq(packed_stats(model).bytes, packed_stats(alone).bytes);
    vfi_frame_clear(&expected);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rife");
    TCase *tcase = tcase_create("rife");

    add_thinned_loop_test(tcase, bits_do_not_depend_on_threads_or_on_what_ran_before, 0,
                          G_N_ELEMENTS(variants));
    tcase_add_test(tcase, frames_without_id_are_never_mistaken_for_kept_ones);
    tcase_add_test(tcase, other_times_are_bisected);
    tcase_add_test(tcase, a_flow_scale_between_powers_of_two_takes_the_nearest);
    tcase_add_test(tcase, a_cancelled_inference_leaves_the_session_usable);
    tcase_add_test(tcase, failing_allocations_are_errors_that_name_their_purpose);
    tcase_add_test(tcase, a_pair_allocates_nothing);
    tcase_add_test(tcase, sessions_of_a_model_share_packed_weights);
    tcase_add_test(tcase, sessions_built_at_once_pack_once);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
