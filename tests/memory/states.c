/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process has in memory as the element goes up and down, changes size, and meets
 * a limit of its address space. */
#include <string.h>
#include <sys/resource.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "../element/fixture.h"
#include "../engine/deterministic_weights.h"
#include "resident.h"

/* What may come and go besides: threads' stacks, GStreamer's own. */
#define SLACK (5 * MIB)

static char *path, *small_path; /* of models */

static void setup(void)
{
    path = deterministic_checkpoint("rife_v4_0", NULL);
    small_path = deterministic_checkpoint("film_tiny", NULL);
    ck_assert(path != NULL && small_path != NULL);
}

static void teardown(void)
{
    vfi_clear_cache(TRUE);
    g_unlink(path);
    g_unlink(small_path);
    g_free(path);
    g_free(small_path);
}

static void set_state(GstElement *element, GstState state)
{
    ck_assert_int_ne(gst_element_set_state(element, state), GST_STATE_CHANGE_FAILURE);
}

static Fixture *new_fixture(int in_flight, const char *properties)
{
    g_autofree char *all = g_strdup_printf("model=%s threads=1 %s", path, properties);
    Fixture *f = fixture_new(in_flight, all);

    gst_harness_set_live(f->harness, FALSE); /* waits for its session */
    f->forget = TRUE;
    return f;
}

static GstFlowReturn push_noise(Fixture *f, guint n, guint first)
{
    GstFlowReturn ret = GST_FLOW_OK;

    for (guint i = first; i < first + n && ret == GST_FLOW_OK; i++)
        ret = gst_harness_push(f->harness,
                               noise_frame(f, i, i * 50 * GST_MSECOND, 50 * GST_MSECOND));
    return ret;
}

#define LARGE "video/x-raw,format=I420,width=640,height=480,framerate=20/1"

GST_START_TEST(going_down_gives_memory_back)
{
    Fixture *f = new_fixture(in_flight_mode(__i__), "model-cache=release");

    set_state(f->element, GST_STATE_NULL);
    long in_null = resident_bytes();
    set_state(f->element, GST_STATE_READY);
    long in_ready = resident_bytes();
    ck_assert_int_gt(in_ready, in_null + 19 * MIB); /* the weights */

    set_state(f->element, GST_STATE_PLAYING);
    fixture_start(f, LARGE);
    ck_assert_int_eq(push_noise(f, 3, 0), GST_FLOW_OK);
    finish(f);
    /* frames' features, arena, packed weights: much more than the slack */
    ck_assert_int_gt(resident_bytes(), in_ready + 60 * MIB);
    ck_assert_uint_eq(counter(f, "interpolated"), 2);

    set_state(f->element, GST_STATE_READY);
    ck_assert_int_le(resident_bytes(), in_ready + SLACK);
    set_state(f->element, GST_STATE_NULL);
    ck_assert_int_le(resident_bytes(), in_null + SLACK);
    fixture_free(f);
}
GST_END_TEST

#define N_ELEMENTS 32

GST_START_TEST(elements_with_one_model_have_one_copy)
{
    GstElement *elements[N_ELEMENTS];
    long with_one = 0;

    for (int i = 0; i < N_ELEMENTS; i++) {
        elements[i] = gst_element_factory_make("vfiinterp", NULL);
        ck_assert(elements[i] != NULL);
        gst_object_ref_sink(elements[i]);
        g_object_set(elements[i], "model", path, NULL);
        set_state(elements[i], GST_STATE_READY);
        if (i == 0)
            with_one = resident_bytes();
    }
    ck_assert_int_le(resident_bytes(), with_one + SLACK);
    for (int i = 0; i < N_ELEMENTS; i++) {
        set_state(elements[i], GST_STATE_NULL);
        gst_object_unref(elements[i]);
    }
}
GST_END_TEST

GST_START_TEST(loading_and_unloading_stays_flat)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    long after_some = 0;

    ck_assert(element != NULL);
    gst_object_ref_sink(element);
    g_object_set(element, "model", small_path, NULL);
    gst_util_set_object_arg(G_OBJECT(element), "model-cache", "release");
    for (int i = 0; i < 1000; i++) {
        set_state(element, GST_STATE_READY);
        set_state(element, GST_STATE_NULL);
        if (i == 9)
            after_some = resident_bytes();
    }
    VfiModelCacheStats stats;
    vfi_model_cache_get_stats(&stats);
    ck_assert_uint_eq(stats.loads, 1000);
    ck_assert_int_le(resident_bytes(), after_some + 1 * MIB);
    gst_object_unref(element);
}
GST_END_TEST

#define N_CHANGES 200

/* Sizes that the caps go through; the tenth one comes again at the end. */
static char *size_of_change(int i)
{
    return video_caps("I420", 48 + i * 37 % 8 * 16, 32 + i * 11 % 5 * 24, "20/1");
}

GST_START_TEST(a_storm_of_sizes_ends_where_it_began)
{
    Fixture *f = new_fixture(in_flight_mode(__i__), "");
    long after_some = 0;

    for (int i = 0; i <= N_CHANGES; i++) {
        g_autofree char *caps = size_of_change(i);
        fixture_set_caps(f, caps, NULL);
        ck_assert_int_eq(push_noise(f, 2, (guint)i * 2), GST_FLOW_OK);
        if (i != 40 && i != N_CHANGES)
            continue;
        g_autoptr(GstQuery) query = gst_query_new_drain();
        gst_pad_peer_query(f->harness->srcpad, query); /* all before has left */
        if (i == 40)
            after_some = resident_bytes();
    }
    ck_assert_uint_eq(counter(f, "interpolated"), N_CHANGES + 1);
    ck_assert_int_le(resident_bytes(), after_some + SLACK);
    fixture_free(f);
}
GST_END_TEST

/* Lets the process have @room bytes of address space more than memory-headroom keeps (a
 * quarter of the limit). */
static void limit_address_space(long room)
{
    struct rlimit limit;
    long used, resident;

    read_statm(&used, &resident);
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
    limit.rlim_cur = (rlim_t)((used + room) / 3 * 4);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

#define HUGE "video/x-raw,format=I420,width=1920,height=1088,framerate=20/1"
#define SMALL "video/x-raw,format=I420,width=64,height=64,framerate=20/1"

GST_START_TEST(a_limit_that_is_too_small_ends_in_an_error)
{
    Fixture *f = new_fixture(in_flight_mode(__i__), "");
    g_autoptr(GError) error = NULL;

    /* enough for the model, threads and a small session, which packs 75 MiB; a session
     * for these frames needs as much again and more for its arena */
    limit_address_space(240 * MIB);
    fixture_set_caps(f, HUGE, NULL);
    push_noise(f, 1, 0);
    finish_failing(f);
    error = posted_error(f);
    ck_assert(
        g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT));
    ck_assert_msg(strstr(error->message, "ulimit -v") != NULL &&
                      strstr(error->message, "smaller scale") != NULL &&
                      strstr(error->message, "1920×1088") != NULL,
                  "%s", error->message);

    /* and the element can be used again for what fits */
    set_state(f->element, GST_STATE_READY);
    set_state(f->element, GST_STATE_PLAYING);
    fixture_start(f, SMALL);
    ck_assert_int_eq(push_noise(f, 2, 0), GST_FLOW_OK);
    fixture_clear(f);
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("memory-states");
    TCase *tcase = tcase_create("states");

    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, going_down_gives_memory_back, 0, N_MODES);
    tcase_add_test(tcase, elements_with_one_model_have_one_copy);
    tcase_add_test(tcase, loading_and_unloading_stays_flat);
    tcase_add_loop_test(tcase, a_storm_of_sizes_ends_where_it_began, 0, N_MODES);
    tcase_add_loop_test(tcase, a_limit_that_is_too_small_ends_in_an_error, 0, N_MODES);
    return element_main(argc, argv, suite);
}
