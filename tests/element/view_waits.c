/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models whose pictures wait for frames that come after them: what waits, what does not,
 * and that nothing waits for ever or is kept. */
#include "ordered_pool.h"
#include "view_script.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gst/allocators/gstfdmemory.h>

#include "stream/pending.h"
#include "stream/retire.h"
#include "surfaces.h"

void gst_plugin_vfiinterp_register(void);

/* What has left: a letter for a frame, + for a picture that was made, = for a copy. */
static char *outputs(Fixture *f)
{
    GString *text = g_string_new(NULL);

    for (guint64 i = 0; i < n_buffers(f); i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        char letter = 'a';
        while (letter_value(letter) != (int)sample_value(buffer) && letter < 'z')
            letter++;
        g_string_append_c(text, is_made(buffer) ? '+'
                                : GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)
                                    ? '='
                                    : letter);
    }
    return g_string_free(text, FALSE);
}

static const struct {
    Family family;
    const char *script, *left;
    const char *properties;
    gboolean reverse;
} leaves[] = {
    {{0, 1}, "a", "a", NULL, FALSE},
    {{0, 1}, "a b", "a", NULL, FALSE},
    {{0, 1}, "a b c", "a+b", NULL, FALSE},
    {{0, 1}, "a b c d", "a+b+c", NULL, FALSE},
    {{1, 0}, "a b c", "a+b+c", NULL, FALSE},
    {{1, 1}, "a b c d", "a+b+c", NULL, FALSE},
    {{3, 3}, "a b c d", "a", NULL, FALSE},
    {{3, 3}, "a b c d e f", "a+b+c", NULL, FALSE},
    {{1, 0}, "a b c", "a+b", NULL, TRUE},
    {{0, 1}, "a b c", "a+b+c", NULL, TRUE},
    /* Behind an edge nothing waits for what is before it. */
    {{0, 1}, "a b cut c", "a+b=c", NULL, FALSE},
    {{3, 3}, "a b c cut d", "a+b+c=d", NULL, FALSE},
    {{3, 3}, "a b c gap d", "a+b+c=d", NULL, FALSE},
    {{3, 3}, "a b c done", "a+b+c=", NULL, FALSE},
    /* Nor where nothing is made. */
    {{0, 1}, "a b c", "a+b=c", "skip-pairs=1", FALSE},
    {{3, 3}, "a b c d", "a=b=c=d", "skip-pairs=0-9", FALSE},
    {{3, 3}, "a b b", "a", NULL, FALSE},
    {{3, 3}, "a a a", "a=a=a", NULL, FALSE},
    {{3, 3}, "a b c", "abc", "multiplier=1", FALSE},
    /* Questions that need no answer from downstream, and the same caps, let all wait. */
    {{0, 1}, "a b allocation same-caps", "a", NULL, FALSE},
    {{0, 1}, "a b drain", "a+b", NULL, FALSE},
    {{0, 1}, "a b query", "a+b", NULL, FALSE},
    /* Repeats are held before they are frames. */
    {{0, 1}, "a b b", "a", "duplicate-mode=replace", FALSE},
    {{0, 1}, "a b b c", "a+b", "duplicate-mode=replace", FALSE},
    {{0, 1}, "a b b c d", "a+b+++c", "duplicate-mode=replace", FALSE},
};

GST_START_TEST(only_what_must_wait_does)
{
    const int which = __i__ / N_MODES;
    Fixture *f = script_fixture(in_flight_mode(__i__ % N_MODES), &leaves[which].family,
                                leaves[which].properties, NULL);
    g_autofree char *left = NULL;

    script_run(f, leaves[which].script, leaves[which].reverse);
    script_settle(f);
    left = outputs(f);
    ck_assert_msg(strcmp(left, leaves[which].left) == 0, "%s: %s left, not %s",
                  leaves[which].script, left, leaves[which].left);
    fixture_free(f);
}
GST_END_TEST

/* As many in flight as there may be, and as few; every other frame has ten outputs. */
GST_START_TEST(any_number_may_be_in_flight)
{
    static const int in_flight[] = {-1, 1, 2, 8};
    const char *script = "a b c d e f g h i j k l m n o p q r s t";

    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f =
            script_fixture(in_flight[__i__], &wide_families[i], "multiplier=10", NULL);
        script_run(f, script, FALSE);
        finish(f);
        ck_assert_uint_eq(n_buffers(f), 200);
        script_check_views(f, &wide_families[i], script, "abcdefghijklmnopqrst", FALSE);
        fixture_free(f);
    }
}
GST_END_TEST

/* More than the list takes before it stops frames. */
GST_START_TEST(events_that_wait_do_not_stop_frames)
{
    const Family family = {0, 1};
    Fixture *f = script_fixture(in_flight_mode(__i__), &family, NULL, NULL);

    script_run(f, "a b", FALSE);
    for (int i = 0; i < 300; i++)
        script_run(f, "tag", FALSE);
    ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 9, 100 * GST_MSECOND,
                                                             50 * GST_MSECOND)),
                     GST_FLOW_OK);
    wait_for_buffers(f, 3);
    finish(f);
    ck_assert_uint_eq(n_events(f, GST_EVENT_TAG), 300);
    ck_assert_uint_eq(n_buffers(f), 6);
    fixture_free(f);
}
GST_END_TEST

static void add_original(GstVfiStream *stream)
{
    gst_vfi_pending_add_original(stream, gst_buffer_ref(stream->held->buffer));
}

/* Returns a reference on the picture's view. */
static GstVfiView *add_picture(GstVfiStream *stream)
{
    const GstVfiViewShape shape = {.after = 1};
    const GstVfiSlot slot = {.phase_num = 1, .phase_den = 2};
    GstVfiView *view = gst_vfi_view_new(&shape, &stream->run.segment, 0);

    gst_vfi_view_add(view, stream->held);
    gst_vfi_view_add(view, stream->held);
    gst_vfi_pending_add_replacement(stream, view, stream->held, stream->held, &slot,
                                    stream->held);
    return view;
}

/* With max-in-flight=2: what the engine works on counts, what waits for frames does not,
 * so that as much is worked on as with two frames. */
GST_START_TEST(frames_that_wait_for_others_do_not_fill_the_list)
{
    const Family family = {0, 1};
    Fixture *f = script_fixture(0, &family, NULL, NULL);
    GstVfiStream *stream = gst_pad_get_element_private(f->element->sinkpads->data);
    GstVfiView *first, *second;

    script_run(f, "a", FALSE);
    stream->negotiated.max_in_flight = 2;
    first = add_picture(stream);
    add_original(stream);
    second = add_picture(stream);
    add_original(stream);
    add_original(stream);
    ck_assert(gst_vfi_pending_waits(stream));
    ck_assert(!gst_vfi_pending_is_full(stream));
    ck_assert(gst_vfi_pending_is_submitted(stream));
    gst_vfi_view_open(first, NULL);
    ck_assert(!gst_vfi_pending_waits(stream));
    ck_assert(!gst_vfi_pending_is_submitted(stream));
    ck_assert(gst_vfi_pending_is_full(stream));
    stream->pending->unsubmitted = stream->pending->entries.head->next->next;
    ck_assert(gst_vfi_pending_is_submitted(stream));
    ck_assert(!gst_vfi_pending_is_full(stream)); /* one original moves, two wait */
    gst_vfi_view_open(second, NULL);
    ck_assert(gst_vfi_pending_is_full(stream));
    gst_vfi_retire_clear(stream, GST_VFI_KEEP_NOTHING);
    gst_vfi_view_unref(first);
    gst_vfi_view_unref(second);
    fixture_free(f);
}
GST_END_TEST

/* ---- what is kept ------------------------------------------------------------------ */

static gint n_alive;

static void note_end(gpointer data, GstMiniObject *object)
{
    (void)data;
    (void)object;
    g_atomic_int_dec_and_test(&n_alive);
}

static GstPadProbeReturn watch_frame(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);

    (void)pad;
    (void)data;
    g_atomic_int_inc(&n_alive);
    gst_mini_object_weak_ref(GST_MINI_OBJECT_CAST(buffer), note_end, NULL);
    return GST_PAD_PROBE_OK;
}

/* Counts frames that are anywhere; nothing keeps them but the element. */
static void watch_frames(Fixture *f)
{
    n_alive = 0;
    f->forget = TRUE;
    gst_pad_add_probe(f->harness->srcpad, GST_PAD_PROBE_TYPE_BUFFER, watch_frame, NULL,
                      NULL);
}

/* Upstream has all of its frames back, and their copies serve as neighbours. */
GST_START_TEST(a_drain_gives_all_frames_back)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f = script_fixture(in_flight_mode(__i__), &wide_families[i], NULL, NULL);
        watch_frames(f);
        script_run(f, "a b c d e drain", FALSE);
        ck_assert_int_eq(g_atomic_int_get(&n_alive), 0);
        ck_assert_uint_eq(counter(f, "interpolated"), 4);
        fixture_free(f);
    }
}
GST_END_TEST

GST_START_TEST(a_flush_drops_what_waits)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        const Family *family = &wide_families[i];
        Fixture *f = script_fixture(in_flight_mode(__i__), family, NULL, NULL);
        script_run(f, "a b c d flush", FALSE);
        fixture_clear(f);
        g_signal_emit_by_name(f->element, "reset-stats");
        ck_assert_uint_eq(engine_stat(f, "edge-views"), 0);
        script_run(f, "segment e f g h", FALSE);
        finish(f);
        script_check_views(f, family, "segment e f g h", "efgh", FALSE);
        ck_assert_uint_eq(n_buffers(f), 8);
        fixture_free(f);
    }
}
GST_END_TEST

GST_START_TEST(nothing_is_kept_of_what_was_flushed)
{
    Fixture *f = script_fixture(in_flight_mode(__i__), &wide_families[4], NULL, NULL);

    watch_frames(f);
    script_run(f, "a b c d flush", FALSE);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_eos()));
    wait_for_event(f, GST_EVENT_EOS);
    ck_assert_int_eq(g_atomic_int_get(&n_alive), 0);
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    fixture_free(f);
}
GST_END_TEST

static gint downstream_answer;

static GstFlowReturn answer_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    (void)pad;
    (void)parent;
    gst_buffer_unref(buffer);
    return (GstFlowReturn)g_atomic_int_get(&downstream_answer);
}

/* Nothing waits for a downstream that wants no more; a new segment begins anew. */
GST_START_TEST(the_wait_ends_where_downstream_does)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        const Family *family = &wide_families[i];
        Fixture *f = script_fixture(in_flight_mode(__i__), family, NULL, NULL);
        gst_pad_set_chain_function(f->harness->sinkpad, answer_buffer);
        downstream_answer = GST_FLOW_EOS;
        for (guint64 n = 0; n < 4; n++)
            gst_harness_push(f->harness, flat_frame(f, 20 * (int)n, n * 50 * GST_MSECOND,
                                                    50 * GST_MSECOND));
        script_settle(f);
        if (family->before == 0) /* nothing is completed for nobody */
            ck_assert_uint_eq(engine_stat(f, "edge-views"), 0);
        g_atomic_int_set(&downstream_answer, GST_FLOW_OK);
        fixture_clear(f);
        g_signal_emit_by_name(f->element, "reset-stats");
        script_run(f, "segment e f g h", FALSE);
        finish(f);
        script_check_views(f, family, "segment e f g h", "efgh", FALSE);
        ck_assert_uint_eq(n_buffers(f), 8);
        fixture_free(f);
    }
}
GST_END_TEST

static gulong flushing_probe;

static GstPadProbeReturn flush_once(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Fixture *f = data;

    (void)info;
    gst_pad_remove_probe(pad, flushing_probe);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_start()));
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)));
    return GST_PAD_PROBE_DROP;
}

/* What a frame lets out is flushed from within the push: so is that frame. Without a task
 * the flush is over before the frame would be looked at. */
GST_START_TEST(a_flush_takes_the_frame_that_lets_others_out)
{
    const Family family = {0, 1};
    Fixture *f = script_fixture(0, &family, NULL, NULL);

    script_run(f, "a b reconfigure", FALSE);
    fixture_clear(f);
    flushing_probe = gst_pad_add_probe(f->element->srcpads->data,
                                       GST_PAD_PROBE_TYPE_BUFFER, flush_once, f, NULL);
    gst_harness_push(f->harness, flat_frame(f, letter_value('c'), 100 * GST_MSECOND,
                                            50 * GST_MSECOND));
    ck_assert_uint_eq(n_buffers(f), 1); /* the picture that was being pushed */
    fixture_clear(f);
    g_signal_emit_by_name(f->element, "reset-stats");
    script_run(f, "segment d e", FALSE);
    finish(f);
    script_check_views(f, &family, "segment d e", "de", FALSE);
    ck_assert_uint_eq(n_buffers(f), 4);
    fixture_free(f);
}
GST_END_TEST

/* What one in-between is made of is damaged. */
GST_START_TEST(damage_goes_on_to_all_that_is_made_of_it)
{
    const Family family = {1, 1};
    Fixture *f = script_fixture(in_flight_mode(__i__), &family, NULL, NULL);

    script_run(f, "a b c corrupted d e f g h", FALSE);
    finish(f);
    for (guint64 i = 0; i < 7; i++) /* pairs 1 to 4 show frame 3 */
        assert_flag(nth_buffer(f, 2 * i + 1), GST_BUFFER_FLAG_CORRUPTED,
                    i >= 1 && i <= 4);
    fixture_free(f);
}
GST_END_TEST

/* ---- upstreams with a few buffers only --------------------------------------------- */

#define SURFACE_CAPS "video/x-raw,format=I420,width=32,height=16,framerate=25/1"
#define SURFACE_SIZE (32 * 16 * 3 / 2)
#define N_FRAMES 16

static GPtrArray *new_surfaces(guint n)
{
    GPtrArray *surfaces =
        g_ptr_array_new_with_free_func((GDestroyNotify)gst_memory_unref);
    g_autoptr(GstAllocator) allocator = gst_fd_allocator_new();

    for (guint i = 0; i < n; i++) {
        guint8 frame[SURFACE_SIZE];
        int file = memfd_create("surface", MFD_CLOEXEC);
        memset(frame, 20 + 10 * (int)i, SURFACE_SIZE);
        ck_assert_int_eq(write(file, frame, SURFACE_SIZE), SURFACE_SIZE);
        g_ptr_array_add(surfaces, gst_fd_allocator_alloc(allocator, file, SURFACE_SIZE,
                                                         GST_FD_MEMORY_FLAG_NONE));
    }
    return surfaces;
}

/* One surface more than the encoder keeps; that the surfaces differ is for the model. */
static void check_few(const Family *family, const char *properties, guint keeps,
                      gboolean keeps_first)
{
    g_autofree char *all = family_properties(family, properties);
    g_autoptr(GPtrArray) surfaces = new_surfaces(keeps + 1);
    Surfaces line = {.keeps = keeps, .keeps_first = keeps_first, .answers = TRUE};

    surfaces_open(&line, surfaces, SURFACE_CAPS, all);
    surfaces_send(&line, N_FRAMES);
    surfaces_finish(&line);
    ck_assert_uint_eq(line.n_came, 2 * N_FRAMES);
    surfaces_close(&line);
}

static const char *const few[] = {"max-in-flight=0", "max-in-flight=2",
                                  "max-in-flight=0 duplicate-mode=replace",
                                  "max-in-flight=2 duplicate-mode=replace"};

GST_START_TEST(a_decoder_with_few_surfaces_need_not_wait)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++)
        for (guint keeps = 0; keeps <= 5; keeps += 5) {
            check_few(&wide_families[i], few[__i__], keeps, FALSE);
            check_few(&wide_families[i], few[__i__], keeps, TRUE);
        }
}
GST_END_TEST

/* All views but those at the ends are whole, though a pool has two buffers, and what came
 * in goes out as it came. */
GST_START_TEST(few_buffers_do_not_narrow_the_view)
{
    const Family *family = &wide_families[__i__ / N_MODES];
    Fixture *f = script_fixture(in_flight_mode(__i__ % N_MODES), family, NULL, NULL);
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(f->harness->srcpad);
    g_autoptr(GstBufferPool) pool = ordered_pool_new();
    GstStructure *config = gst_buffer_pool_get_config(pool);

    gst_buffer_pool_config_set_params(config, caps, (guint)f->info.size, 0, 2);
    ck_assert(gst_buffer_pool_set_config(pool, config));
    ck_assert(gst_buffer_pool_set_active(pool, TRUE));
    f->copies = TRUE;
    gst_harness_set_drop_buffers(f->harness, TRUE);
    for (guint64 i = 0; i < 12; i++) {
        GstBuffer *buffer = NULL;
        ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool, &buffer, NULL),
                         GST_FLOW_OK);
        gst_buffer_memset(buffer, 0, (guint8)letter_value((char)('a' + i)), f->info.size);
        GST_BUFFER_PTS(buffer) = i * 50 * GST_MSECOND;
        GST_BUFFER_DURATION(buffer) = 50 * GST_MSECOND;
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
        gst_buffer_add_video_region_of_interest_meta(buffer, "part", (guint)i, 1, 2, 3);
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    script_check_views(f, family, "a b c d e f g h i j k l", "abcdefghijkl", FALSE);
    for (guint64 i = 0; i < 12; i++) {
        const GstVideoRegionOfInterestMeta *meta =
            gst_buffer_get_video_region_of_interest_meta_id(nth_buffer(f, 2 * i), 0);
        ck_assert(meta != NULL && meta->x == i);
        assert_times(nth_buffer(f, 2 * i), i * 50 * GST_MSECOND, 25 * GST_MSECOND);
        ck_assert(sample_value(nth_buffer(f, 2 * i)) == letter_value((char)('a' + i)));
    }
    gst_buffer_pool_set_active(pool, FALSE);
    fixture_free(f);
}
GST_END_TEST

/* The bytes of buffers that memory-limit is said to have to pay for. */
static guint64 buffer_bytes(const Family *family, const char *format)
{
    g_autofree char *all = family_properties(family, "memory-limit=1");
    g_autofree char *caps = video_caps(format, 48, 16, "20/1");
    Fixture *f = fixture_new(0, all);
    g_autoptr(GError) error = NULL;
    guint64 bytes = 0;
    const char *found;

    g_object_set(f->element, "max-in-flight", 0, NULL);
    fixture_set_caps(f, caps, NULL);
    error = posted_error(f);
    ck_assert(error != NULL);
    found = strstr(error->message, " need ");
    ck_assert_msg(found != NULL, "%s", error->message);
    bytes = g_ascii_strtoull(found + strlen(" need "), NULL, 10);
    fixture_free(f);
    return bytes;
}

/* v210 is repacked to 10 bits in two bytes, 4:2:2; NV12 is read as it is. */
GST_START_TEST(memory_limit_counts_the_window)
{
    const Family two = {0, 0}, eight = {3, 3};

    ck_assert_uint_eq(buffer_bytes(&eight, "v210") - buffer_bytes(&two, "v210"),
                      6 * 2 * 48 * 16 * 2);
    ck_assert_uint_eq(buffer_bytes(&eight, "NV12"), buffer_bytes(&two, "NV12"));
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-view_waits");
    TCase *tcase = tcase_create("view_waits");

    gst_init(&argc, &argv);
    gst_plugin_vfiinterp_register();
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60); /* what a deadlock takes to be seen */
    tcase_add_loop_test(tcase, only_what_must_wait_does, 0,
                        N_MODES * (int)G_N_ELEMENTS(leaves));
    tcase_add_loop_test(tcase, any_number_may_be_in_flight, 0, 4);
    tcase_add_loop_test(tcase, events_that_wait_do_not_stop_frames, 0, N_MODES);
    tcase_add_test(tcase, frames_that_wait_for_others_do_not_fill_the_list);
    tcase_add_loop_test(tcase, a_drain_gives_all_frames_back, 0, N_MODES);
    tcase_add_loop_test(tcase, a_flush_drops_what_waits, 0, N_MODES);
    tcase_add_loop_test(tcase, nothing_is_kept_of_what_was_flushed, 0, N_MODES);
    tcase_add_loop_test(tcase, the_wait_ends_where_downstream_does, 0, N_MODES);
    tcase_add_test(tcase, a_flush_takes_the_frame_that_lets_others_out);
    tcase_add_loop_test(tcase, damage_goes_on_to_all_that_is_made_of_it, 0, N_MODES);
    tcase_add_loop_test(tcase, a_decoder_with_few_surfaces_need_not_wait, 0,
                        (int)G_N_ELEMENTS(few));
    tcase_add_loop_test(tcase, few_buffers_do_not_narrow_the_view, 0,
                        N_MODES * N_WIDE_FAMILIES);
    tcase_add_test(tcase, memory_limit_counts_the_window);
    return element_main(argc, argv, suite);
}
