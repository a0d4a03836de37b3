/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When frames pass through instead of being interpolated: equal rates, limits, an engine
 * that fails. The engine is made to fail by functions of this program that stand before
 * its own (the plugin finds them first). */
#include "fixture.h"

#include <vfi/vfi.h>

#define MS GST_MSECOND

/* Which call of the next ones fails: 1 is the next, 0 none, ALL every one. */
#define ALL (-1)
static gint failing_begin;
static gint failing_submit;
static gint failing_wait;
static gint failing_session;

static gboolean fails(gint *countdown, GError **error)
{
    gint n = g_atomic_int_get(countdown);

    if (n == 0 || (n > 0 && !g_atomic_int_dec_and_test(countdown)))
        return FALSE;
    g_set_error(error, VFI_ERROR, VFI_ERROR_BACKEND, "the device went away");
    return TRUE;
}

VfiSession *vfi_session_new(VfiModel *model, const VfiSessionConfig *config,
                            GError **error)
{
    return fails(&failing_session, error) ? NULL
                                          : REAL(vfi_session_new)(model, config, error);
}

VfiPair *vfi_session_begin(VfiSession *session, const VfiFrame *frames, size_t n_frames,
                           uint64_t key, GError **error)
{
    if (fails(&failing_begin, error))
        return NULL;
    return REAL(vfi_session_begin)(session, frames, n_frames, key, error);
}

VfiJob *vfi_pair_submit(VfiPair *pair, double t, const VfiFrame *out, GError **error)
{
    return fails(&failing_submit, error) ? NULL
                                         : REAL(vfi_pair_submit)(pair, t, out, error);
}

gboolean vfi_job_wait(VfiJob *job, GError **error)
{
    gboolean done = REAL(vfi_job_wait)(job, error);

    return done && error != NULL && fails(&failing_wait, error) ? FALSE : done;
}

static gint *const failures[] = {&failing_begin, &failing_submit, &failing_wait};
#define N_FAILURES ((int)G_N_ELEMENTS(failures))

static Fixture *start(int mode, const char *properties, const char *out)
{
    Fixture *f = fixture_new(in_flight_mode(mode), properties);
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");

    for (int i = 0; i < N_FAILURES; i++)
        g_atomic_int_set(failures[i], 0);
    g_atomic_int_set(&failing_session, 0);
    fixture_set_caps(f, caps, out);
    return f;
}

static void push_one(Fixture *f, guint64 number)
{
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (int)number,
                                                             number * 50 * MS, 50 * MS)),
                     GST_FLOW_OK);
}

static guint n_warnings(Fixture *f)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_WARNING)) != NULL) {
        n++;
        gst_message_unref(message);
    }
    return n;
}

static void check_rate(Fixture *f, int num)
{
    GstCaps *caps;
    int n, d;

    gst_event_parse_caps(last_event(f, GST_EVENT_CAPS), &caps);
    ck_assert(
        gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &n, &d));
    ck_assert_int_eq(n, num);
    ck_assert_int_eq(d, 1);
}

/* Buffers at 50 ms distance, all of them the ones that went in, unmarked. */
static void check_untouched(Fixture *f, guint n)
{
    ck_assert_uint_eq(n_buffers(f), n);
    for (guint64 i = 0; i < n; i++) {
        assert_times(nth_buffer(f, i), i * 50 * MS, 50 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, FALSE);
    }
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
}

static const struct {
    const char *properties;
    gboolean passes;
} limits[] = {
    {"bypass-framerate=20/1", FALSE},
    {"bypass-framerate=19/1", TRUE},
    {"bypass-framerate=19999/1000", TRUE},
    {"bypass-framerate=0/1", FALSE},
    {"bypass-pixels=256", FALSE},
    {"bypass-pixels=255", TRUE},
    {"bypass-pixels=0", FALSE},
    {"multiplier=1", TRUE},
};

GST_START_TEST(limits_let_frames_through)
{
    Fixture *f = start(__i__ % N_MODES, limits[__i__ / N_MODES].properties, NULL);

    push_frames(f, 3, 40);
    finish(f);
    if (limits[__i__ / N_MODES].passes) {
        check_rate(f, 20);
        check_untouched(f, 3);
    } else {
        check_rate(f, 40);
        ck_assert_uint_eq(n_buffers(f), 6);
        ck_assert_uint_eq(counter(f, "interpolated"), 2);
    }
    fixture_free(f);
}
GST_END_TEST

/* Downstream insists on a rate: copies make it up without the engine. */
GST_START_TEST(copies_make_up_a_rate_that_downstream_wants)
{
    Fixture *f = start(__i__, "bypass-pixels=1", "video/x-raw,framerate=40/1");

    push_frames(f, 3, 40);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
    for (guint64 i = 0; i < 6; i++) {
        assert_times(nth_buffer(f, i), i * 25 * MS, 25 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i % 2);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, i)), 40 + 10 * (int)(i / 2));
    }
    ck_assert_uint_eq(counter(f, "duplicate"), 3);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_bypass_changes_between_pairs)
{
    Fixture *f = start(__i__, NULL, NULL);

    push_frames(f, 2, 40);
    wait_for_buffers(f, 3);
    g_object_set(f->element, "bypass-pixels", (guint64)100, NULL);
    push_one(f, 2);
    push_one(f, 3);
    wait_for_buffers(f, 6); /* the tail of frame 1, then frames 2 and 3 */
    check_rate(f, 20);
    assert_times(nth_buffer(f, 3), 75 * MS, 25 * MS);
    assert_times(nth_buffer(f, 4), 100 * MS, 50 * MS);
    g_object_set(f->element, "bypass-pixels", (guint64)0, NULL);
    push_one(f, 4);
    push_one(f, 5);
    wait_for_buffers(f, 9);
    check_rate(f, 40);
    assert_times(nth_buffer(f, 7), 225 * MS, 25 * MS);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 3);
    fixture_free(f);
}
GST_END_TEST

/* on-error=error is the default. */
GST_START_TEST(a_failing_engine_ends_the_stream)
{
    Fixture *f = start(__i__ % N_MODES, NULL, NULL);
    g_autoptr(GError) error = NULL;
    GstFlowReturn flow = GST_FLOW_OK;

    g_atomic_int_set(failures[__i__ / N_MODES], 1);
    for (guint64 i = 0; i < 50 && flow == GST_FLOW_OK; i++)
        flow = gst_harness_push(f->harness, flat_frame(f, (int)i, i * 50 * MS, 50 * MS));
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    error = posted_error(f);
    ck_assert(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED));
    ck_assert_str_eq(error->message, "the device went away");
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_failure_becomes_a_copy)
{
    Fixture *f = start(__i__ % N_MODES, "on-error=duplicate", NULL);

    push_one(f, 0);
    g_atomic_int_set(failures[__i__ / N_MODES], 1);
    for (guint64 i = 1; i < 4; i++)
        push_one(f, i);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 8);
    for (guint64 i = 0; i < 8; i++) {
        assert_times(nth_buffer(f, i), i * 25 * MS, 25 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i == 1 || i == 7);
    }
    ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, 1)), 0);
    ck_assert_uint_eq(n_warnings(f), 1);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);
    ck_assert_uint_eq(counter(f, "duplicate"), 2);
    fixture_free(f);
}
GST_END_TEST

/* Repeats that were to be replaced go out as they came. */
GST_START_TEST(a_failure_spares_repeats)
{
    static const int values[] = {0, 0, 0, 0, 80, 80};
    Fixture *f =
        start(__i__ % N_MODES, "on-error=duplicate duplicate-mode=replace", NULL);
    GstBuffer *repeat = flat_frame(f, 0, 50 * MS, 50 * MS);

    g_atomic_int_set(failures[__i__ / N_MODES], ALL);
    push_one(f, 0);
    ck_assert_int_eq(gst_harness_push(f->harness, repeat), GST_FLOW_OK);
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 80, 100 * MS, 50 * MS)),
                     GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
    for (guint64 i = 0; i < 6; i++) {
        assert_times(nth_buffer(f, i), i * 25 * MS, 25 * MS);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i % 2 != 0);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, i)), values[i]);
    }
    ck_assert_ptr_eq(nth_buffer(f, 2), repeat);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(failures_are_told_once)
{
    Fixture *f = start(__i__, "on-error=duplicate", NULL);

    for (guint64 i = 0; i < 6; i++) {
        g_atomic_int_set(&failing_begin, 1);
        push_one(f, i);
    }
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 12);
    ck_assert_uint_eq(n_warnings(f), 1);
    fixture_free(f);
}
GST_END_TEST

/* The pair that failed keeps its slots; from the next frame on the input's rate goes
 * out. */
GST_START_TEST(after_a_failure_frames_pass_through)
{
    Fixture *f = start(__i__ % N_MODES, "on-error=passthrough", NULL);

    push_one(f, 0);
    g_atomic_int_set(failures[__i__ / N_MODES], 1);
    push_one(f, 1);
    wait_for_buffers(f, 3);
    for (guint64 i = 2; i < 5; i++)
        push_one(f, i);
    finish(f);
    check_rate(f, 20);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 2);
    ck_assert_uint_eq(n_buffers(f), 7);
    for (guint64 i = 0; i < 4; i++)
        assert_times(nth_buffer(f, i), i * 25 * MS, 25 * MS);
    for (guint64 i = 4; i < 7; i++)
        assert_times(nth_buffer(f, i), (i - 2) * 50 * MS, 50 * MS);
    ck_assert_uint_eq(n_warnings(f), 1);
    fixture_free(f);
}
GST_END_TEST

/* Properties that change let the engine try again. */
GST_START_TEST(the_engine_gets_another_try)
{
    Fixture *f = start(__i__, "on-error=passthrough", NULL);

    push_one(f, 0);
    g_atomic_int_set(&failing_begin, 1);
    push_one(f, 1);
    wait_for_buffers(f, 3);
    push_one(f, 2);
    wait_for_buffers(f, 5);
    g_object_set(f->element, "multiplier", 2, NULL);
    push_one(f, 3);
    push_one(f, 4);
    wait_for_buffers(f, 8);
    check_rate(f, 40);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_session_that_fails_is_an_error)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");
    g_autoptr(GError) error = NULL;
    GstFlowReturn flow = GST_FLOW_OK;

    g_atomic_int_set(&failing_session, ALL);
    fixture_set_caps(f, caps, NULL);
    for (guint64 i = 0; i < 50 && flow == GST_FLOW_OK; i++)
        flow = gst_harness_push(f->harness, flat_frame(f, 1, i * 50 * MS, 50 * MS));
    ck_assert_int_lt(flow, GST_FLOW_EOS);
    error = posted_error(f);
    ck_assert(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED));
    ck_assert_uint_eq(n_buffers(f), 0);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(without_a_session_frames_pass_or_repeat)
{
    gboolean passes = __i__ / N_MODES;
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES),
                             passes ? "on-error=passthrough" : "on-error=duplicate");
    g_autofree char *caps = video_caps("I420", 16, 16, "20/1");

    g_atomic_int_set(&failing_session, 1);
    fixture_set_caps(f, caps, NULL);
    push_frames(f, 3, 40);
    finish(f);
    ck_assert_uint_eq(n_warnings(f), 1);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CAPS), 1);
    check_rate(f, passes ? 20 : 40);
    if (passes) {
        check_untouched(f, 3);
    } else {
        ck_assert_uint_eq(n_buffers(f), 6);
        ck_assert_uint_eq(counter(f, "duplicate"), 3);
    }
    fixture_free(f);
}
GST_END_TEST

static Suite *passthrough_suite(void)
{
    Suite *suite = suite_create("passthrough");
    TCase *tcase = tcase_create("passthrough");
    int n_limits = (int)G_N_ELEMENTS(limits);

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, limits_let_frames_through, 0, N_MODES * n_limits);
    tcase_add_loop_test(tcase, copies_make_up_a_rate_that_downstream_wants, 0, N_MODES);
    tcase_add_loop_test(tcase, a_bypass_changes_between_pairs, 0, N_MODES);
    tcase_add_loop_test(tcase, a_failing_engine_ends_the_stream, 0, N_MODES * N_FAILURES);
    tcase_add_loop_test(tcase, a_failure_becomes_a_copy, 0, N_MODES * N_FAILURES);
    tcase_add_loop_test(tcase, a_failure_spares_repeats, 0, N_MODES * N_FAILURES);
    tcase_add_loop_test(tcase, failures_are_told_once, 0, N_MODES);
    tcase_add_loop_test(tcase, after_a_failure_frames_pass_through, 0,
                        N_MODES * N_FAILURES);
    tcase_add_loop_test(tcase, the_engine_gets_another_try, 0, N_MODES);
    tcase_add_loop_test(tcase, a_session_that_fails_is_an_error, 0, N_MODES);
    tcase_add_loop_test(tcase, without_a_session_frames_pass_or_repeat, 0, 2 * N_MODES);
    return suite;
}

int main(int argc, char **argv)
{
    return element_main(argc, argv, passthrough_suite());
}
