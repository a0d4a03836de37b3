/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* duplicate-mode=replace: repeats make way for interpolated frames at their own times, or
 * go out as they came; nothing is lost, whatever ends them. */
#include "fixture.h"
#include "ordered_pool.h"

#include <string.h>

#define MS GST_MSECOND
#define CAPS "video/x-raw,format=GRAY8,width=32,height=32,framerate=20/1"

static Fixture *start(int mode, const char *properties)
{
    g_autofree char *all = g_strconcat("duplicate-mode=replace ", properties, NULL);
    Fixture *f = fixture_new(mode, all);

    fixture_set_caps(f, CAPS, NULL);
    return f;
}

static void push(Fixture *f, guint64 number, int value)
{
    ck_assert_int_eq(
        gst_harness_push(f->harness, flat_frame(f, value, number * 50 * MS, 50 * MS)),
        GST_FLOW_OK);
}

static void push_values(Fixture *f, const char *values)
{
    g_auto(GStrv) list = g_strsplit(values, " ", -1);

    for (guint i = 0; list[i] != NULL; i++)
        push(f, i, (int)g_ascii_strtoll(list[i], NULL, 10));
}

/* Values that left, "g" behind those marked GAP; their times are those of doubled
 * frames. */
static char *values_out(Fixture *f)
{
    GString *text = g_string_new(NULL);

    for (guint64 i = 0; i < n_buffers(f); i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        assert_times(buffer, i * 25 * MS, 25 * MS);
        ck_assert_uint_eq(GST_BUFFER_OFFSET(buffer), i);
        g_string_append_printf(
            text, "%s%d%s", i > 0 ? " " : "", first_byte(&f->info, buffer),
            GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP) ? "g" : "");
    }
    return g_string_free(text, FALSE);
}

static const struct {
    const char *properties, *in, *out;
    guint64 replaced;
} cases[] = {
    /* One, two, three repeats; two stretches; none. */
    {"", "0 0 80", "0 20 40 60 80 80g", 1},
    {"", "0 0 0 120", "0 20 40 60 80 100 120 120g", 2},
    {"", "0 0 0 0 160", "0 20 40 60 80 100 120 140 160 160g", 3},
    {"", "0 0 80 80 160", "0 20 40 60 80 100 120 140 160 160g", 2},
    {"", "0 20 40", "0 10 20 30 40 40g", 0},
    /* One too many: a still picture, which ends before the next frame. */
    {"", "0 0 0 0 0 40", "0 0g 0 0g 0 0g 0 0g 0 20 40 40g", 0},
    {"duplicate-max=1", "0 0 0 40 40 60", "0 0g 0 0g 0 20 40 45 50 55 60 60g", 1},
    {"duplicate-max=0", "0 0 40", "0 0g 0 20 40 40g", 0},
    /* The end of the stream. */
    {"", "0 80 80", "0 40 80 80g 80 80g", 0},
    /* Nearly the same counts where it may; a frame lighter all over is another
     * picture. */
    {"", "0 2 80", "0 1 2 41 80 80g", 0},
    {"duplicate-threshold=-1", "0 0 80", "0 20 40 60 80 80g", 1},
    {"duplicate-threshold=0", "0 0 80", "0 20 40 60 80 80g", 1},
    {"duplicate-threshold=2", "0 2 80", "0 20 40 60 80 80g", 1},
    {"duplicate-threshold=1", "0 2 80", "0 1 2 41 80 80g", 0},
    {"duplicate-mode=keep", "0 0 80", "0 0g 0 40 80 80g", 0},
};

GST_START_TEST(repeats_make_way)
{
    const int which = __i__ / N_MODES;
    Fixture *f = start(in_flight_mode(__i__ % N_MODES), cases[which].properties);
    g_autofree char *found = NULL;

    push_values(f, cases[which].in);
    finish(f);
    found = values_out(f);
    ck_assert_str_eq(found, cases[which].out);
    ck_assert_uint_eq(engine_stat(f, "replaced"), cases[which].replaced);
    fixture_free(f);
}
GST_END_TEST

/* Frame @number: a grating, and in every third 16×16 pixels of it what a coder leaves. */
static void push_coded(Fixture *f, guint64 number, int light)
{
    GstBuffer *buffer = flat_frame(f, 0, number * 50 * MS, 50 * MS);
    guint32 state = (guint32)number;
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < 128 * 96; i++) {
        const gsize x = i % 128, y = i / 128;
        const gboolean coded = (x / 16 + 2 * (y / 16) + number) % 3 == 0;

        state = state * 1664525u + 1013904223u;
        map.data[i] =
            (guint8)(light + (int)(x % 8 * 8) + (coded ? (int)(state >> 24) % 5 - 2 : 0));
    }
    gst_buffer_unmap(buffer, &map);
    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
}

/* On twos, no two frames with the same bits. Frames that are kept stay as they are. */
GST_START_TEST(coded_repeats_make_way)
{
    static const struct {
        const char *properties;
        guint64 replaced;
    } found[] = {{"", 5}, {"duplicate-threshold=0", 0}, {"duplicate-mode=keep", 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(found); i++) {
        Fixture *f = start(in_flight_mode(__i__), found[i].properties);

        fixture_set_caps(f, "video/x-raw,format=GRAY8,width=128,height=96,framerate=20/1",
                         NULL);
        for (guint64 j = 0; j < 12; j++)
            push_coded(f, j, 20 + 20 * (int)(j / 2));
        finish(f);
        ck_assert_uint_eq(engine_stat(f, "replaced"), found[i].replaced);
        ck_assert_uint_eq(counter(f, "out"), 24);
        ck_assert_uint_eq(engine_stat(f, "identical"), 0);
        fixture_free(f);
    }
}
GST_END_TEST

/* Another grid than the input's: the slots lie on one line, too. */
GST_START_TEST(repeats_make_way_on_a_grid)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "duplicate-mode=replace");

    fixture_set_caps(f, CAPS, "video/x-raw,framerate=50/1");
    push_values(f, "0 0 200 200 200");
    finish(f);
    for (guint64 i = 0; i <= 5; i++) {
        ck_assert_uint_eq(GST_BUFFER_PTS(nth_buffer(f, i)), i * 20 * MS);
        ck_assert_int_eq(first_byte(&f->info, nth_buffer(f, i)), (int)(i * 40));
    }
    fixture_free(f);
}
GST_END_TEST

static GstEvent *marker(void)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                gst_structure_new_empty("marker"));
}

/* Buffers 'b' and marks 'm' in the order in which they left. */
static char *order(Fixture *f)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < f->items->len; i++) {
        const Item *item = g_ptr_array_index(f->items, i);
        if (item->buffer != NULL)
            g_string_append_c(text, 'b');
        else if (gst_event_has_name(item->event, "marker"))
            g_string_append_c(text, 'm');
    }
    return g_string_free(text, FALSE);
}

/* Whether the repeats are replaced or let out. */
GST_START_TEST(events_keep_their_place)
{
    const gboolean ends = __i__ / N_MODES != 0;
    Fixture *f = start(in_flight_mode(__i__ % N_MODES), "");
    g_autofree char *found = NULL;

    push(f, 0, 0);
    push(f, 1, 0);
    ck_assert(gst_harness_push_event(f->harness, marker()));
    push(f, 2, 0);
    if (!ends)
        push(f, 3, 120);
    finish(f);
    found = order(f);
    ck_assert_str_eq(found, ends ? "bbbmbbb" : "bbbmbbbbb");
    fixture_free(f);
}
GST_END_TEST

typedef enum { BY_GAP, BY_SEGMENT, BY_CAPS, BY_DISCONT, BY_DRAIN, N_WAYS } Way;

static void end_run(Fixture *f, Way way)
{
    GstSegment segment;
    GstQuery *query;
    GstBuffer *buffer;

    switch (way) {
    case BY_GAP:
        gst_harness_push_event(f->harness, gst_event_new_gap(150 * MS, 500 * MS));
        break;
    case BY_SEGMENT:
        gst_segment_init(&segment, GST_FORMAT_TIME);
        segment.base = 150 * MS;
        gst_harness_push_event(f->harness, gst_event_new_segment(&segment));
        break;
    case BY_CAPS:
        gst_harness_set_src_caps_str(
            f->harness, "video/x-raw,format=GRAY8,width=16,height=16,framerate=20/1");
        break;
    case BY_DISCONT:
        buffer = flat_frame(f, 90, 150 * MS, 50 * MS);
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
        break;
    default:
        query = gst_query_new_drain();
        gst_pad_peer_query(f->harness->srcpad, query);
        gst_query_unref(query);
        break;
    }
}

/* The very buffers that came in go out. */
GST_START_TEST(held_repeats_are_not_lost)
{
    const Way way = (Way)(__i__ / N_MODES);
    Fixture *f = start(in_flight_mode(__i__ % N_MODES), "tail=none");
    GstBuffer *sent[3];

    for (guint64 i = 0; i < 3; i++) {
        sent[i] = flat_frame(f, 7, i * 50 * MS, 50 * MS);
        ck_assert_int_eq(gst_harness_push(f->harness, sent[i]), GST_FLOW_OK);
    }
    wait_for_buffers(f, 1);
    ck_assert_uint_eq(n_buffers(f), 1);
    end_run(f, way);
    finish(f);
    ck_assert_uint_ge(n_buffers(f), 5);
    for (guint64 i = 0; i < 3; i++)
        ck_assert_ptr_eq(nth_buffer(f, 2 * i), sent[i]);
    ck_assert_uint_eq(engine_stat(f, "replaced"), 0);
    fixture_free(f);
}
GST_END_TEST

/* A flush drops them, and leaves a clean start. */
GST_START_TEST(a_flush_drops_held_repeats)
{
    Fixture *f = start(in_flight_mode(__i__), "");
    g_autofree char *found = NULL;
    GstSegment segment;

    push_values(f, "7 7 7");
    wait_for_buffers(f, 1);
    gst_harness_push_event(f->harness, gst_event_new_flush_start());
    gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE));
    fixture_clear(f);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(f->harness, gst_event_new_segment(&segment));
    push_values(f, "0 0 80");
    finish(f);
    found = values_out(f);
    ck_assert_str_eq(found, "0 20 40 60 80 80g");
    fixture_free(f);
}
GST_END_TEST

/* Repeats before a cut have no part in a motion. */
GST_START_TEST(a_cut_lets_repeats_out)
{
    Fixture *f = start(in_flight_mode(__i__), "");
    g_autofree char *found = NULL;

    push(f, 0, 10);
    push(f, 1, 10);
    gst_harness_push_event(
        f->harness, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                         gst_structure_new_empty("vfi-scene-cut")));
    push(f, 2, 90);
    finish(f);
    found = values_out(f);
    ck_assert_str_eq(found, "10 10g 10 10g 90 90g");
    ck_assert_uint_eq(engine_stat(f, "cuts"), 1);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(a_replacement_has_the_metas_of_its_frame)
{
    Fixture *f = start(in_flight_mode(__i__), "mark-droppable=true");

    for (guint64 i = 0; i < 3; i++) {
        GstBuffer *buffer = flat_frame(f, i < 2 ? 0 : 80, i * 50 * MS, 50 * MS);
        gst_buffer_add_video_time_code_meta_full(
            buffer, 20, 1, NULL, GST_VIDEO_TIME_CODE_FLAGS_NONE, 0, 0, 0, (guint)i, 0);
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    for (guint64 i = 0; i < 6; i++) {
        GstVideoTimeCodeMeta *meta =
            gst_buffer_get_video_time_code_meta(nth_buffer(f, i));
        ck_assert_int_eq(meta != NULL, i % 2 == 0);
        if (meta != NULL)
            ck_assert_uint_eq(meta->tc.frames, i / 2);
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_DROPPABLE, i % 2 != 0);
    }
    fixture_free(f);
}
GST_END_TEST

static GstClockTime own_latency(int mode, const char *properties)
{
    Fixture *f = fixture_new(mode, properties);
    GstClockTime latency;

    gst_harness_set_live(f->harness, TRUE);
    gst_harness_set_upstream_latency(f->harness, 0);
    fixture_set_caps(f, CAPS, NULL);
    push(f, 0, 0);
    wait_for_buffers(f, 1);
    latency = gst_harness_query_latency(f->harness);
    fixture_free(f);
    return latency;
}

GST_START_TEST(held_frames_add_their_latency)
{
    const int mode = in_flight_mode(__i__);
    GstClockTime plain = own_latency(mode, "latency-budget=1000000");

    ck_assert_uint_eq(own_latency(mode, "latency-budget=1000000 duplicate-mode=replace"),
                      plain + 150 * MS);
    ck_assert_uint_eq(own_latency(mode, "latency-budget=1000000 duplicate-mode=replace "
                                        "duplicate-max=5"),
                      plain + 250 * MS);
}
GST_END_TEST

/* Of a small pool upstream the repeats are copied. */
GST_START_TEST(small_pools_do_not_starve)
{
    Fixture *f = start(in_flight_mode(__i__), "");
    GstBufferPool *pool = ordered_pool_new();
    GstStructure *config = gst_buffer_pool_get_config(pool);
    g_autoptr(GstCaps) caps = gst_caps_from_string(CAPS);

    f->forget = TRUE;
    gst_buffer_pool_config_set_params(config, caps, 32 * 32, 4, 4);
    ck_assert(gst_buffer_pool_set_config(pool, config));
    ck_assert(gst_buffer_pool_set_active(pool, TRUE));
    for (guint64 i = 0; i < 40; i++) {
        GstBuffer *buffer = NULL;
        ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool, &buffer, NULL),
                         GST_FLOW_OK);
        gst_buffer_memset(buffer, 0, (guint8)(i / 4), 32 * 32);
        GST_BUFFER_PTS(buffer) = i * 50 * MS;
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    ck_assert_uint_eq(counter(f, "out"), 80);
    ck_assert_uint_eq(engine_stat(f, "replaced"), 27);
    fixture_free(f);
    gst_buffer_pool_set_active(pool, FALSE);
    gst_object_unref(pool);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-repeats");
    TCase *tcase = tcase_create("repeats");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, repeats_make_way, 0, (int)G_N_ELEMENTS(cases) * N_MODES);
    tcase_add_loop_test(tcase, coded_repeats_make_way, 0, N_MODES);
    tcase_add_loop_test(tcase, repeats_make_way_on_a_grid, 0, N_MODES);
    tcase_add_loop_test(tcase, events_keep_their_place, 0, 2 * N_MODES);
    tcase_add_loop_test(tcase, held_repeats_are_not_lost, 0, N_WAYS * N_MODES);
    tcase_add_loop_test(tcase, a_flush_drops_held_repeats, 0, N_MODES);
    tcase_add_loop_test(tcase, a_cut_lets_repeats_out, 0, N_MODES);
    tcase_add_loop_test(tcase, a_replacement_has_the_metas_of_its_frame, 0, N_MODES);
    tcase_add_loop_test(tcase, held_frames_add_their_latency, 0, N_MODES);
    tcase_add_loop_test(tcase, small_pools_do_not_starve, 0, N_MODES);
    return element_main(argc, argv, suite);
}
