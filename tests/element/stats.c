/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statistics of memory and time, messages with them, and cleanups. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND

static Fixture *start(int mode, const char *properties)
{
    Fixture *f = fixture_new(in_flight_mode(mode), properties);
    g_autofree char *caps = video_caps("I420", 64, 48, "20/1");

    fixture_set_caps(f, caps, NULL);
    return f;
}

/* Frames number @first … @end - 1, no two alike. */
static void push_range(Fixture *f, guint64 first, guint64 end)
{
    for (guint64 i = first; i < end; i++)
        ck_assert_int_eq(
            gst_harness_push(f->harness, noise_frame(f, (guint)i, i * 50 * MS, 50 * MS)),
            GST_FLOW_OK);
}

static GstStructure *get_stats(Fixture *f)
{
    GstStructure *stats = NULL;

    g_object_get(f->element, "stats", &stats, NULL);
    return stats;
}

static gdouble double_stat(Fixture *f, const char *name)
{
    g_autoptr(GstStructure) stats = get_stats(f);
    gdouble value = 0;

    ck_assert_msg(gst_structure_get_double(stats, name, &value), "no %s", name);
    return value;
}

static guint uint_stat(Fixture *f, const char *name)
{
    g_autoptr(GstStructure) stats = get_stats(f);
    guint value = 0;

    ck_assert_msg(gst_structure_get_uint(stats, name, &value), "no %s", name);
    return value;
}

/* Messages `vfiinterp-stats` on the bus; the last one's structure in *last, if any. */
static guint n_reports(Fixture *f, GstStructure **last)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_ELEMENT)) != NULL) {
        const GstStructure *structure = gst_message_get_structure(message);
        ck_assert(gst_structure_has_name(structure, "vfiinterp-stats"));
        ck_assert_ptr_eq(GST_MESSAGE_SRC(message), f->element);
        if (last != NULL) {
            g_clear_pointer(last, gst_structure_free);
            *last = gst_structure_copy(structure);
        }
        gst_message_unref(message);
        n++;
    }
    return n;
}

GST_START_TEST(memory_is_told)
{
    Fixture *f = start(__i__, NULL);
    guint64 size, pools;

    ck_assert_uint_eq(engine_stat(f, "pool-bytes"), 0);
    push_range(f, 0, 5);
    finish(f);
    size = GST_VIDEO_INFO_SIZE(&f->info);
    /* the harness holds the four in-betweens; aligned rows make them larger */
    pools = engine_stat(f, "pool-bytes");
    ck_assert_uint_ge(pools, 4 * size);
    ck_assert_uint_le(pools, 4 * 2 * size);
    ck_assert_uint_gt(engine_stat(f, "device-free-bytes"), 0);
    ck_assert_uint_gt(engine_stat(f, "device-used-bytes"), 0);
    ck_assert_uint_ge(engine_stat(f, "peak-memory-bytes"),
                      engine_stat(f, "memory-bytes"));
    /* `blend` has neither */
    ck_assert_uint_eq(engine_stat(f, "weight-bytes"), 0);
    ck_assert_uint_eq(engine_stat(f, "packed-weight-bytes"), 0);
    fixture_free(f);
}
GST_END_TEST

/* It is downstream's memory. */
GST_START_TEST(downstreams_pool_does_not_count)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autofree char *caps = video_caps("I420", 64, 48, "20/1");
    GstBufferPool *pool = gst_video_buffer_pool_new();

    fixture_offer_pool(f, pool, FALSE);
    fixture_set_caps(f, caps, NULL);
    push_range(f, 0, 3);
    finish(f);
    ck_assert_ptr_eq(nth_buffer(f, 1)->pool, pool);
    ck_assert_uint_eq(engine_stat(f, "pool-bytes"), 0);
    fixture_free(f);
    gst_object_unref(pool);
}
GST_END_TEST

/* GStreamer's pools go when their last buffer comes back. */
GST_START_TEST(a_pools_bytes_go_with_its_buffers)
{
    Fixture *f = start(__i__, NULL);
    GstBuffer *held, *buffer;

    push_range(f, 0, 5);
    finish(f);
    held = gst_buffer_ref(nth_buffer(f, 1));
    fixture_clear(f);
    while ((buffer = gst_harness_try_pull(f->harness)) != NULL)
        gst_buffer_unref(buffer);
    gst_element_set_state(f->element, GST_STATE_READY);
    ck_assert_uint_ge(engine_stat(f, "pool-bytes"), GST_VIDEO_INFO_SIZE(&f->info));
    gst_buffer_unref(held);
    ck_assert_uint_eq(engine_stat(f, "pool-bytes"), 0);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(times_are_told_once_measured)
{
    Fixture *f = start(__i__, NULL);
    g_autoptr(GstStructure) before = get_stats(f);
    g_autoptr(GstStructure) after = NULL;

    ck_assert(!gst_structure_has_field(before, "synthesis-p50"));
    push_range(f, 0, 5);
    finish(f);
    ck_assert(double_stat(f, "synthesis-p50") >= 0);
    ck_assert(double_stat(f, "synthesis-p95") >= double_stat(f, "synthesis-p50"));
    after = get_stats(f);
    ck_assert(!gst_structure_has_field(after, "time-stage-p50")); /* no network */
    fixture_free(f);
}
GST_END_TEST

static const struct {
    const char *properties;
    guint reports;
} intervals[] = {
    {NULL, 0},
    {"stats-interval=1", 10},
    {"stats-interval=3", 3},
    {"stats-interval=3 multiplier=5", 3},
    {"stats-interval=3 skip-pairs=0,1", 2},
    {"stats-interval=11", 0},
};

/* Of ten pairs. */
GST_START_TEST(stats_are_posted_every_n_pairs)
{
    Fixture *f = start(__i__ % N_MODES, intervals[__i__ / N_MODES].properties);
    g_autoptr(GstStructure) last = NULL;
    guint64 in_betweens = 0;

    push_range(f, 0, 11);
    finish(f);
    ck_assert_uint_eq(n_reports(f, &last), intervals[__i__ / N_MODES].reports);
    if (last != NULL) {
        ck_assert(gst_structure_get_uint64(last, "interpolated", &in_betweens));
        ck_assert_uint_gt(in_betweens, 0);
        ck_assert_uint_le(in_betweens, counter(f, "interpolated"));
        ck_assert(gst_structure_has_field(last, "model"));
        ck_assert(gst_structure_has_field(last, "arena-bytes"));
        ck_assert(gst_structure_has_field(last, "pool-bytes"));
    }
    fixture_free(f);
}
GST_END_TEST

/* GStreamer leaks its list of log functions whenever that changes. */
#if !defined(__SANITIZE_ADDRESS__)
/* Counts lines of the category vfiinterp-mem that tell of pairs. */
static void count_line(GstDebugCategory *category, GstDebugLevel level, const gchar *file,
                       const gchar *function, gint line, GObject *object,
                       GstDebugMessage *message, gpointer n_lines)
{
    (void)level;
    (void)file;
    (void)function;
    (void)line;
    (void)object;
    if (g_str_equal(gst_debug_category_get_name(category), "vfiinterp-mem") &&
        strstr(gst_debug_message_get(message), " pairs; KiB: weights ") != NULL)
        g_atomic_int_inc((gint *)n_lines);
}

GST_START_TEST(memory_is_logged_every_n_pairs)
{
    Fixture *f = start(__i__, "stats-interval=4");
    gint n_lines = 0;

    gst_debug_set_active(TRUE);
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_set_threshold_for_name("vfiinterp-mem", GST_LEVEL_INFO);
    gst_debug_add_log_function(count_line, &n_lines, NULL);
    push_range(f, 0, 11);
    finish(f);
    fixture_free(f);
    gst_debug_remove_log_function(count_line);
    ck_assert_int_eq(n_lines, 2);
}
GST_END_TEST
#endif

GST_START_TEST(the_stats_interval_changes_while_playing)
{
    Fixture *f = start(__i__, NULL);

    push_range(f, 0, 4);
    wait_for_buffers(f, 7);
    ck_assert_uint_eq(n_reports(f, NULL), 0);
    g_object_set(f->element, "stats-interval", 4, NULL);
    push_range(f, 4, 5); /* the fourth pair */
    wait_for_buffers(f, 9);
    push_range(f, 5, 6);
    wait_for_buffers(f, 11);
    ck_assert_uint_eq(n_reports(f, NULL), 1);
    g_object_set(f->element, "stats-interval", 0, NULL);
    push_range(f, 6, 12);
    finish(f);
    ck_assert_uint_eq(n_reports(f, NULL), 0);
    fixture_free(f);
}
GST_END_TEST

/* The worker cleans up behind the last pair while this thread goes on. */
static void wait_for_cleanups(Fixture *f, guint64 n)
{
    while (engine_stat(f, "cleanups") < n)
        g_thread_yield();
}

/* Eleven pairs. In the synchronous mode each is finished before the next one begins; else
 * a cleanup may come behind some more. */
static const struct {
    const char *properties;
    guint64 cleanups;
} cleanups[] = {
    {NULL, 1},
    {"clear-cache-after-n-pairs=1", 11},
    {"clear-cache-after-n-pairs=4", 2},
    {"clear-cache-after-n-pairs=12", 0},
};

GST_START_TEST(memory_is_given_back_every_n_pairs)
{
    guint64 most = cleanups[__i__ / N_MODES].cleanups;
    guint64 least = in_flight_mode(__i__ % N_MODES) == 0 ? most : MIN(most, 1);
    Fixture *f = start(__i__ % N_MODES, cleanups[__i__ / N_MODES].properties);

    push_range(f, 0, 12);
    finish(f);
    wait_for_cleanups(f, least);
    ck_assert_uint_le(engine_stat(f, "cleanups"), most);
    if (most > 0)
        ck_assert_uint_gt(engine_stat(f, "cleanup-time"), 0);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(the_cleanup_interval_changes_while_playing)
{
    Fixture *f = start(__i__, NULL);

    push_range(f, 0, 2);
    wait_for_buffers(f, 3);
    ck_assert_uint_eq(uint_stat(f, "cleanup-interval"), 10);
    g_object_set(f->element, "clear-cache-after-n-pairs", 1000, NULL);
    push_range(f, 2, 4);
    wait_for_buffers(f, 7);
    ck_assert_uint_eq(uint_stat(f, "cleanup-interval"), 1000);
    g_object_set(f->element, "clear-cache-after-n-pairs", 0, NULL);
    push_range(f, 4, 6);
    wait_for_buffers(f, 11);
    ck_assert_uint_ge(uint_stat(f, "cleanup-interval"), 1);
    ck_assert_uint_le(uint_stat(f, "cleanup-interval"), 20);
    finish(f);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(counters_of_cleanups_are_reset)
{
    Fixture *f = start(__i__, "clear-cache-after-n-pairs=2");

    push_range(f, 0, 3);
    finish(f);
    wait_for_cleanups(f, 1);
    g_signal_emit_by_name(f->element, "reset-stats");
    ck_assert_uint_eq(engine_stat(f, "cleanups"), 0);
    ck_assert_uint_eq(engine_stat(f, "cleanup-time"), 0);
    ck_assert_uint_eq(engine_stat(f, "cleanup-bytes"), 0);
    ck_assert_uint_eq(engine_stat(f, "finished-pairs"), 0);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-stats");
    TCase *tcase = tcase_create("stats");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, memory_is_told, 0, N_MODES);
    tcase_add_loop_test(tcase, downstreams_pool_does_not_count, 0, N_MODES);
    tcase_add_loop_test(tcase, a_pools_bytes_go_with_its_buffers, 0, N_MODES);
    tcase_add_loop_test(tcase, times_are_told_once_measured, 0, N_MODES);
    tcase_add_loop_test(tcase, stats_are_posted_every_n_pairs, 0,
                        N_MODES * (int)G_N_ELEMENTS(intervals));
#if !defined(__SANITIZE_ADDRESS__)
    tcase_add_loop_test(tcase, memory_is_logged_every_n_pairs, 0, N_MODES);
#endif
    tcase_add_loop_test(tcase, the_stats_interval_changes_while_playing, 0, N_MODES);
    tcase_add_loop_test(tcase, memory_is_given_back_every_n_pairs, 0,
                        N_MODES * (int)G_N_ELEMENTS(cleanups));
    tcase_add_loop_test(tcase, the_cleanup_interval_changes_while_playing, 0, N_MODES);
    tcase_add_loop_test(tcase, counters_of_cleanups_are_reset, 0, N_MODES);
    return element_main(argc, argv, suite);
}
