/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element on the simulated CUDA device: what it says it runs on, and a device that
 * fails for good. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND

/* Pictures of a clip at twice the rate. */
static Fixture *start(int in_flight, const char *properties)
{
    Fixture *f = fixture_new(in_flight, properties);
    g_autofree char *caps = video_caps("I420", 32, 16, "20/1");

    fixture_set_caps(f, caps, NULL);
    return f;
}

static void push_one(Fixture *f, guint64 i)
{
    ck_assert_int_eq(
        gst_harness_push(f->harness, flat_frame(f, 10 * (int)i, i * 50 * MS, 50 * MS)),
        GST_FLOW_OK);
}

static guint n_warnings(Fixture *f)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_WARNING)) != NULL) {
        gst_message_unref(message);
        n++;
    }
    return n;
}

/* The nth launch from the device's first use on fails; each test is a process. */
static void fail_launch(const char *nth)
{
    g_setenv("VFI_SIMULATED_FAIL_LAUNCH", nth, TRUE);
}

GST_START_TEST(the_device_is_told)
{
    Fixture *f = start(in_flight_mode(__i__), NULL);
    GstStructure *stats = NULL;

    push_one(f, 0);
    push_one(f, 1);
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    g_object_get(f->element, "stats", &stats, NULL);
    const char *device = gst_structure_get_string(stats, "device");
    ck_assert_msg(g_str_has_prefix(device, "cuda:0 "), "it ran on %s", device);
    ck_assert_str_eq(gst_structure_get_string(stats, "precision"), "f16");
    guint64 graphs = 1, failures = 1; /* blend is no network */
    ck_assert(gst_structure_get_uint64(stats, "graph-launches", &graphs) && graphs == 0);
    ck_assert(gst_structure_get_uint64(stats, "graph-failures", &failures) &&
              failures == 0);
    gst_structure_free(stats);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_device_that_fails_ends_the_stream)
{
    g_autoptr(GError) error = NULL;
    GstFlowReturn flow = GST_FLOW_OK;

    fail_launch("4");
    Fixture *f = start(in_flight_mode(__i__), NULL);
    for (guint64 i = 0; i < 50 && flow == GST_FLOW_OK; i++)
        flow = gst_harness_push(f->harness, flat_frame(f, (int)i, i * 50 * MS, 50 * MS));
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    error = posted_error(f);
    ck_assert(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED));
    ck_assert_msg(strstr(error->message, "cudaErrorLaunchFailure") != NULL, "%s",
                  error->message);
    fixture_free(f);
}
GST_END_TEST

/* In-betweens are copies from then on: the device is lost to the process, also when a
 * property changes. */
GST_START_TEST(a_device_that_fails_is_left_alone)
{
    gboolean passes = __i__ / N_MODES;

    fail_launch("4");
    Fixture *f = start(in_flight_mode(__i__ % N_MODES),
                       passes ? "on-error=passthrough" : "on-error=duplicate");
    for (guint64 i = 0; i < 10; i++)
        push_one(f, i);
    wait_for_buffers(f, 10);
    ck_assert_uint_eq(n_warnings(f), 1);
    guint64 before = counter(f, "interpolated");
    ck_assert_uint_lt(before, 9);
    g_object_set(f->element, "multiplier", passes ? 2 : 3, NULL);
    for (guint64 i = 10; i < 16; i++)
        push_one(f, i);
    finish(f);
    /* a job of the old session may still have been on its way */
    ck_assert_uint_le(counter(f, "interpolated"), before + 1);
    ck_assert(posted_error(f) == NULL);
    fixture_free(f);
}
GST_END_TEST

/* device=auto has the CPU then, for the very next pair. */
GST_START_TEST(auto_goes_on_on_the_cpu)
{
    GstStructure *stats = NULL;

    fail_launch("4");
    g_setenv("VFI_TEST_DEVICE", "auto", TRUE);
    Fixture *f = start(in_flight_mode(__i__), "on-error=duplicate");
    for (guint64 i = 0; i < 20; i++)
        push_one(f, i);
    finish(f);
    ck_assert_uint_ge(counter(f, "interpolated"), 10);
    g_object_get(f->element, "stats", &stats, NULL);
    ck_assert_str_eq(gst_structure_get_string(stats, "device"), "cpu");
    gst_structure_free(stats);
    ck_assert_uint_le(n_warnings(f), 1);
    ck_assert(posted_error(f) == NULL);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("device");
    TCase *tcase = tcase_create("device");

    tcase_add_loop_test(tcase, the_device_is_told, 0, N_MODES);
    tcase_add_loop_test(tcase, a_device_that_fails_ends_the_stream, 0, N_MODES);
    tcase_add_loop_test(tcase, a_device_that_fails_is_left_alone, 0, 2 * N_MODES);
    tcase_add_loop_test(tcase, auto_goes_on_on_the_cpu, 0, N_MODES);
    suite_add_tcase(suite, tcase);
    return element_main(argc, argv, suite);
}
