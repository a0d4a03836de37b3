/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions with the `blend` model: results, order, cancelling, lifetimes of references,
 * errors. No weights needed. */
#include <stdatomic.h>
#include <math.h>
#include <string.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "session_util.h"

#define WIDTH 33
#define HEIGHT 17

static const VfiVideoInfo video = {
    .format = VFI_FORMAT_I420, .width = WIDTH, .height = HEIGHT};

/* A frame whose samples all are @value. */
static VfiFrame flat_frame(uint8_t value, uint64_t id)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &video, NULL));
    for (int plane = 0; plane < 3; plane++)
        memset(frame.data[plane], value,
               (size_t)frame.stride[plane] * (size_t)vfi_video_info_rows(&video, plane));
    frame.id = id;
    return frame;
}

static VfiSession *open_session(const VfiSessionConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return new_session(model, config);
}

static VfiSession *blend_session(void)
{
    VfiSessionConfig config = {.video = video, .threads = 2};

    return open_session(&config);
}

static VfiPair *begin(VfiSession *session, const VfiFrame *a, const VfiFrame *b)
{
    VfiFrame frames[] = {*a, *b};
    VfiPair *pair = vfi_session_begin(session, frames, 2, 0, NULL);

    ck_assert_ptr_nonnull(pair);
    return pair;
}

START_TEST(in_betweens_are_blends_in_submission_order)
{
    static const uint8_t expected[] = {125, 150, 175}; /* 100 + 100 t */
    g_autoptr(VfiSession) session = blend_session();
    VfiFrame a = flat_frame(100, 1), b = flat_frame(200, 2), out[3];
    g_autoptr(VfiPair) pair = begin(session, &a, &b);
    VfiJob *jobs[3];
    VfiSessionStats stats;
    int64_t started, ended, before = g_get_monotonic_time();

    for (int i = 0; i < 3; i++) {
        out[i] = flat_frame(0, 0);
        jobs[i] = vfi_pair_submit(pair, 0.25 * (i + 1), &out[i], NULL);
    }
    ck_assert(vfi_job_wait(jobs[2], NULL));
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(vfi_job_is_done(jobs[i]), "job %d ended after job 2", i);
        /* one after the other, without the time in the queue */
        ck_assert(vfi_job_get_times(jobs[i], &started, &ended));
        ck_assert_int_ge(started, before);
        ck_assert_int_ge(ended, started);
        before = ended;
        ck_assert_uint_eq(out[i].data[0][0], expected[i]);
        ck_assert_uint_eq(out[i].data[0][out[i].stride[0] * (HEIGHT - 1) + WIDTH - 1],
                          expected[i]);
        ck_assert_uint_eq(out[i].data[2][0], expected[i]);
        vfi_job_unref(jobs[i]);
        vfi_frame_clear(&out[i]);
    }
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.pairs, 1);
    ck_assert_uint_eq(stats.in_betweens, 3);
    ck_assert_uint_eq(stats.inferences, 0);
    ck_assert_uint_eq(stats.threads, 2);
    ck_assert_str_eq(stats.device, "cpu");
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

START_TEST(identical_frames_are_copied)
{
    g_autoptr(VfiSession) session = blend_session();
    VfiFrame a = flat_frame(77, 1), b = flat_frame(77, 2), out = flat_frame(0, 0);
    g_autoptr(VfiPair) pair = begin(session, &a, &b);
    VfiSessionStats stats;

    ck_assert(vfi_pair_is_identical(pair));
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out, NULL);
    ck_assert(vfi_job_wait(job, NULL));
    ck_assert_uint_eq(out.data[0][0], 77);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.identical, 1);

    b.data[1][3] ^= 1; /* one sample of one plane */
    g_autoptr(VfiPair) other = begin(session, &a, &b);
    ck_assert(!vfi_pair_is_identical(other));
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

/* Blocks the worker inside the notification of the first job. */
typedef struct {
    GMutex lock;
    GCond changed;
    bool held, entered;
    int calls;
} Gate;

static void wait_at_gate(void *user_data)
{
    Gate *gate = user_data;

    g_mutex_lock(&gate->lock);
    gate->calls++;
    gate->entered = true;
    g_cond_broadcast(&gate->changed);
    while (gate->held)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
}

static void open_gate(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->held = false;
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
}

START_TEST(flush_cancels_what_is_queued_and_nothing_later)
{
    g_autoptr(VfiSession) session = blend_session();
    VfiFrame a = flat_frame(0, 1), b = flat_frame(100, 2), out = flat_frame(0, 0);
    g_autoptr(VfiPair) pair = begin(session, &a, &b);
    g_autoptr(GError) error = NULL;
    Gate gate = {.held = true};
    VfiSessionStats stats;

    vfi_session_set_notify(session, wait_at_gate, &gate);
    g_autoptr(VfiJob) first = vfi_pair_submit(pair, 0.5, &out, NULL);
    g_mutex_lock(&gate.lock);
    while (!gate.entered)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);

    /* the worker now stands in the gate, so these two are still queued */
    g_autoptr(VfiJob) second = vfi_pair_submit(pair, 0.5, &out, NULL);
    g_autoptr(VfiJob) third = vfi_pair_submit(pair, 0.5, &out, NULL);
    vfi_session_flush(session);
    g_autoptr(VfiJob) later = vfi_pair_submit(pair, 0.5, &out, NULL);
    open_gate(&gate);

    ck_assert(vfi_job_wait(first, NULL));
    ck_assert(!vfi_job_wait(second, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED));
    ck_assert(!vfi_job_wait(third, NULL));
    ck_assert(vfi_job_wait(later, NULL));
    /* the notification follows the job's end */
    g_mutex_lock(&gate.lock);
    while (gate.calls < 4)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
    vfi_session_set_notify(session, NULL, NULL);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.cancelled, 2);
    ck_assert_uint_eq(stats.in_betweens, 2);
    ck_assert_int_eq(gate.calls, 4);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

START_TEST(a_cancelled_job_runs_no_work)
{
    g_autoptr(VfiSession) session = blend_session();
    VfiFrame a = flat_frame(0, 1), b = flat_frame(100, 2), out = flat_frame(0, 0);
    g_autoptr(VfiPair) pair = begin(session, &a, &b);
    Gate gate = {.held = true};
    VfiSessionStats before, after;

    vfi_session_set_notify(session, wait_at_gate, &gate);
    g_autoptr(VfiJob) first = vfi_pair_submit(pair, 0.5, &out, NULL);
    ck_assert(vfi_job_wait(first, NULL));
    vfi_session_get_stats(session, &before);
    g_autoptr(VfiJob) second = vfi_pair_submit(pair, 0.5, &out, NULL);
    vfi_job_cancel(second);
    open_gate(&gate);
    ck_assert(!vfi_job_wait(second, NULL));
    vfi_session_get_stats(session, &after);
    ck_assert_uint_eq(before.work_chunks, after.work_chunks);
    vfi_session_set_notify(session, NULL, NULL);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

START_TEST(references_may_go_in_any_order)
{
    VfiFrame a = flat_frame(0, 1), b = flat_frame(100, 2), out = flat_frame(0, 0);

    for (int order = 0; order < 4; order++) {
        VfiSession *session = blend_session();
        VfiPair *pair = begin(session, &a, &b);
        VfiJob *job = vfi_pair_submit(pair, 0.5, &out, NULL);
        if (order < 2)
            vfi_session_unref(session);
        if (order % 2 == 0)
            vfi_pair_unref(pair);
        ck_assert(vfi_job_wait(job, NULL));
        vfi_job_unref(job);
        if (order % 2 != 0)
            vfi_pair_unref(pair);
        if (order >= 2)
            vfi_session_unref(session);
    }
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

START_TEST(the_worker_can_hold_the_last_reference)
{
    VfiFrame a = flat_frame(0, 1), b = flat_frame(100, 2), out = flat_frame(0, 0);
    VfiSession *session = blend_session();
    VfiPair *pair = begin(session, &a, &b);
    static Gate gate; /* outlives the test: the worker may still be waking up */

    gate.held = true;

    vfi_session_set_notify(session, wait_at_gate, &gate);
    vfi_job_unref(vfi_pair_submit(pair, 0.5, &out, NULL));
    g_mutex_lock(&gate.lock);
    while (!gate.entered)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
    /* the worker now stands in the gate, so the next job is still queued */
    vfi_job_unref(vfi_pair_submit(pair, 0.5, &out, NULL));
    vfi_pair_unref(pair);
    vfi_session_unref(session);
    open_gate(&gate);
    /* only the worker's own references are left; leak checkers see whether all is freed.
     * The notification says that the job no longer needs the frames. */
    g_mutex_lock(&gate.lock);
    while (gate.calls < 2)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

typedef struct {
    atomic_bool dropped, ended;
} Tarrying;

/* Gives the other thread time to drop its references. */
static void tarry(void *user_data)
{
    Tarrying *tarrying = user_data;

    for (int i = 0; i < 10000 && !atomic_load(&tarrying->dropped); i++)
        g_thread_yield();
    atomic_store(&tarrying->ended, true);
}

/* A process may end as soon as it has dropped what it has: no thread may be at it
 * then. */
START_TEST(who_waited_for_its_jobs_ends_the_session)
{
    VfiFrame a = flat_frame(0, 1), b = flat_frame(100, 2), out = flat_frame(0, 0);
    VfiSession *session = blend_session();
    VfiPair *pair = begin(session, &a, &b);
    Tarrying tarrying = {false, false};

    vfi_session_set_notify(session, tarry, &tarrying);
    VfiJob *job = vfi_pair_submit(pair, 0.5, &out, NULL);
    ck_assert(vfi_job_wait(job, NULL));
    vfi_pair_unref(pair);
    vfi_job_unref(job);
    vfi_session_unref(session);
    ck_assert(atomic_load(&tarrying.ended));
    atomic_store(&tarrying.dropped, true);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    g_autoptr(VfiSession) session = blend_session();
    VfiFrame a = flat_frame(0, 1), b = flat_frame(100, 2), out = flat_frame(0, 0);
    VfiFrame frames[] = {a, b};
    static const double bad_times[] = {0.0, 1.0, -0.5, 2.0, NAN};
    GError *error = NULL;

    ck_assert_ptr_null(vfi_session_begin(session, frames, 1, 0, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "has 2 frames (0 before the two"));
    g_clear_error(&error);
    g_autoptr(VfiPair) pair = begin(session, &a, &b);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_times); i++) {
        ck_assert_ptr_null(vfi_pair_submit(pair, bad_times[i], &out, &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
        g_clear_error(&error);
    }

    VfiSessionConfig config = {.video = video, .scale = 8.0};
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "0.25 to 4"));
    g_clear_error(&error);
    config = (VfiSessionConfig){.video = video, .device = "tpu"};
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "auto, cpu, cuda"));
    g_clear_error(&error);
    config = (VfiSessionConfig){
        .video = video, .device = "cpu", .precision = VFI_PRECISION_F16};
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_ptr_nonnull(strstr(error->message, "precision f16"));
    ck_assert_ptr_nonnull(strstr(error->message, "expected auto"));
    g_clear_error(&error);
    config =
        (VfiSessionConfig){.video = {.format = VFI_FORMAT_I420, .width = 0, .height = 1}};
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    g_clear_error(&error);
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&out);
}
END_TEST

START_TEST(precisions_have_names)
{
    VfiPrecision read = VFI_PRECISION_AUTO;

    for (int p = VFI_PRECISION_AUTO; p <= VFI_PRECISION_F16; p++) {
        const char *name = vfi_precision_to_string((VfiPrecision)p);
        ck_assert(vfi_precision_from_string(name, &read));
        ck_assert_int_eq(read, p);
    }
    ck_assert(!vfi_precision_from_string("bf17", &read));
    ck_assert_int_eq(read, VFI_PRECISION_F16);
    ck_assert_str_eq(vfi_precision_to_string((VfiPrecision)99), "unknown");
}
END_TEST

/* Where the CPU has it, bf16 is what runs; elsewhere the error says what it needs. */
START_TEST(bf16_runs_or_says_what_it_needs)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    g_autoptr(GError) error = NULL;
    VfiSessionConfig config = {
        .video = video, .device = "cpu", .precision = VFI_PRECISION_BF16};
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
    VfiSessionStats stats;

    if (session == NULL) {
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
        ck_assert_ptr_nonnull(strstr(error->message, "needs AVX512-BF16"));
        return;
    }
    vfi_session_get_stats(session, &stats);
    ck_assert_str_eq(stats.precision, "bf16");
}
END_TEST

START_TEST(a_missing_cuda_module_is_an_error_with_a_remedy)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    g_autoptr(GError) error = NULL;
    VfiSessionConfig config = {.video = video, .device = "cuda:0"};

    g_setenv("VFI_BACKEND_PATH", "/nonexistent/vfi-cuda.so", TRUE);
    ck_assert_ptr_null(vfi_session_new(model, &config, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_BACKEND));
    ck_assert_ptr_nonnull(strstr(error->message, "/nonexistent/vfi-cuda.so"));
    ck_assert_ptr_nonnull(strstr(error->message, "device=cpu"));
    config.device = "auto";
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, NULL);
    ck_assert_ptr_nonnull(session);
}
END_TEST

START_TEST(a_session_survives_failing_allocations)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    VfiSessionConfig config = {.video = video, .threads = 1};
    bool built = false;

    for (guint64 successes = 0; !built && successes < 100; successes++) {
        g_autoptr(GError) error = NULL;
        vfi_alloc_fail_after(successes);
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
        vfi_alloc_fail_after(G_MAXUINT64);
        built = session != NULL;
        ck_assert(built || g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    }
    ck_assert(built);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = tcase_create("session");

    tcase_add_test(tcase, in_betweens_are_blends_in_submission_order);
    tcase_add_test(tcase, identical_frames_are_copied);
    tcase_add_test(tcase, flush_cancels_what_is_queued_and_nothing_later);
    tcase_add_test(tcase, a_cancelled_job_runs_no_work);
    tcase_add_test(tcase, references_may_go_in_any_order);
    tcase_add_test(tcase, the_worker_can_hold_the_last_reference);
    tcase_add_test(tcase, who_waited_for_its_jobs_ends_the_session);
    tcase_add_test(tcase, wrong_arguments_are_refused);
    tcase_add_test(tcase, precisions_have_names);
    tcase_add_test(tcase, bf16_runs_or_says_what_it_needs);
    tcase_add_test(tcase, a_missing_cuda_module_is_an_error_with_a_remedy);
    tcase_add_test(tcase, a_session_survives_failing_allocations);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
