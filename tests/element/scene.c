/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scene cuts: what is shown between two scenes, how a cut is found or announced, and what
 * looks like one but is none. */
#include "fixture.h"

#include <string.h>

#define MS GST_MSECOND
#define WIDTH 128
#define HEIGHT 96
#define CAPS "video/x-raw,format=GRAY8,width=128,height=96,framerate=20/1"

static Fixture *start(int mode, const char *properties)
{
    Fixture *f = fixture_new(mode, "scene-threshold=0.13 multiplier=4");
    g_auto(GStrv) list = g_strsplit(properties, " ", -1);

    for (guint i = 0; list[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(list[i], "=", 2);
        if (list[i][0] != '\0')
            gst_util_set_object_arg(G_OBJECT(f->element), parts[0], parts[1]);
    }
    fixture_set_caps(f, CAPS, NULL);
    return f;
}

/* A smooth random landscape: each scene's has nothing in common with another's. */
static int landscape(guint scene, int x, int y)
{
    int value = 128;

    for (int octave = 3; octave <= 5; octave++) {
        int size = 1 << octave, column = x >> octave, row = y >> octave;
        int part_x = x & (size - 1), part_y = y & (size - 1), corner[4];
        for (int i = 0; i < 4; i++) {
            guint state = scene * 40503u + (guint)(column + (i & 1)) * 2654435761u +
                          (guint)(row + (i >> 1)) * 2246822519u + (guint)octave;
            state ^= state >> 15;
            state *= 2246822519u;
            state ^= state >> 13;
            corner[i] = (int)(state % 65) - 32;
        }
        int upper = corner[0] * (size - part_x) + corner[1] * part_x;
        int lower = corner[2] * (size - part_x) + corner[3] * part_x;
        value += (upper * (size - part_y) + lower * part_y) / (size * size);
    }
    return value;
}

/* Frame @number of @scene, @shift pixels to the right, @light brighter. */
static GstBuffer *picture(Fixture *f, guint64 number, guint scene, int shift, int light)
{
    GstBuffer *buffer = flat_frame(f, 0, number * 50 * MS, 50 * MS);
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            map.data[y * WIDTH + x] =
                (guint8)CLAMP(landscape(scene, x + 1000 - shift, y) + light, 0, 255);
    gst_buffer_unmap(buffer, &map);
    return buffer;
}

static void push(Fixture *f, GstBuffer *buffer)
{
    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
}

static gdouble score(Fixture *f)
{
    GstStructure *stats = NULL;
    gdouble value = -1;

    g_object_get(f->element, "stats", &stats, NULL);
    ck_assert(gst_structure_get_double(stats, "scene-score", &value));
    gst_structure_free(stats);
    return value;
}

/* Outputs between scene A at 0 and scene B at 4: 'a' and 'b' that picture again, marked
 * GAP, 'm' made, '-' none. */
static const struct {
    const char *properties;
    const char *shown;
    guint64 cuts;
} modes[] = {
    {"scene-mode=nearest", "aab", 1}, {"scene-mode=duplicate", "aaa", 1},
    {"scene-mode=none", "---", 1},    {"scene-threshold=0", "mmm", 0},
    {"multiplier=2", "a", 1},         {"multiplier=3", "ab", 1},
};

static char shown_at(Fixture *f, GstClockTime pts, guint32 crc_a, guint32 crc_b)
{
    for (guint64 i = 0; i < n_buffers(f); i++) {
        GstBuffer *buffer = nth_buffer(f, i);
        guint32 crc;
        if (GST_BUFFER_PTS(buffer) != pts)
            continue;
        crc = picture_crc(&f->info, buffer);
        assert_flag(buffer, GST_BUFFER_FLAG_GAP, crc == crc_a || crc == crc_b);
        return crc == crc_a ? 'a' : crc == crc_b ? 'b' : 'm';
    }
    return '-';
}

GST_START_TEST(a_cut_is_not_blended)
{
    const int which = __i__ / N_MODES;
    const char *shown = modes[which].shown;
    Fixture *f = start(in_flight_mode(__i__ % N_MODES), modes[which].properties);
    GstBuffer *a = picture(f, 0, 1, 0, 0), *b = picture(f, 1, 2, 0, 0);
    guint32 crc_a = picture_crc(&f->info, a), crc_b = picture_crc(&f->info, b);
    guint64 steps = strlen(shown) + 1;

    push(f, a);
    push(f, b);
    finish(f);
    for (guint64 i = 1; i < steps; i++)
        ck_assert(shown_at(f, gst_util_uint64_scale(50 * MS, i, steps), crc_a, crc_b) ==
                  shown[i - 1]);
    ck_assert_uint_eq(engine_stat(f, "cuts"), modes[which].cuts);
    ck_assert_uint_eq(counter(f, "interpolated"), shown[0] == 'm' ? 3 : 0);
    if (modes[which].cuts > 0)
        ck_assert(score(f) >= 0.13);
    fixture_free(f);
}
GST_END_TEST

/* Light that goes on for a frame, and a camera that turns by 8 pixels a frame. */
GST_START_TEST(flashes_and_pans_are_no_cuts)
{
    Fixture *f = start(in_flight_mode(__i__), "");

    for (guint64 i = 0; i < 12; i++)
        push(f, picture(f, i, 1, 8 * (int)i, i == 5 ? 90 : 0));
    finish(f);
    ck_assert_uint_eq(engine_stat(f, "cuts"), 0);
    ck_assert_uint_eq(counter(f, "interpolated"), 33);
    ck_assert(score(f) < 0.13);
    fixture_free(f);
}
GST_END_TEST

static GstEvent *cut_event(void)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                gst_structure_new_empty("vfi-scene-cut"));
}

/* The event counts for the next frame only, even with the detector off, and goes on. */
GST_START_TEST(an_announced_cut_is_one)
{
    Fixture *f = start(in_flight_mode(__i__), "scene-threshold=0 multiplier=2");

    push(f, picture(f, 0, 1, 0, 0));
    ck_assert(gst_harness_push_event(f->harness, cut_event()));
    push(f, picture(f, 1, 1, 4, 0));
    push(f, picture(f, 2, 1, 8, 0));
    finish(f);
    ck_assert_uint_eq(engine_stat(f, "cuts"), 1);
    ck_assert_uint_eq(n_events(f, GST_EVENT_CUSTOM_DOWNSTREAM), 1);
    assert_flag(nth_buffer(f, 1), GST_BUFFER_FLAG_GAP, TRUE);
    assert_flag(nth_buffer(f, 3), GST_BUFFER_FLAG_GAP, FALSE);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    fixture_free(f);
}
GST_END_TEST

/* A flush forgets what was announced before it. */
GST_START_TEST(a_flush_takes_the_announcement_away)
{
    Fixture *f = start(in_flight_mode(__i__), "scene-threshold=0 multiplier=2");
    GstSegment segment;

    push(f, picture(f, 0, 1, 0, 0));
    ck_assert(gst_harness_push_event(f->harness, cut_event()));
    gst_harness_push_event(f->harness, gst_event_new_flush_start());
    gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE));
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(f->harness, gst_event_new_segment(&segment));
    push(f, picture(f, 0, 1, 0, 0));
    push(f, picture(f, 1, 1, 4, 0));
    finish(f);
    ck_assert_uint_eq(engine_stat(f, "cuts"), 0);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);
    fixture_free(f);
}
GST_END_TEST

/* Several of both kinds in a row: what is kept of frames goes with the right ones. */
GST_START_TEST(cuts_and_motion_alternate)
{
    Fixture *f = start(in_flight_mode(__i__), "multiplier=2");

    for (guint64 i = 0; i < 12; i++)
        push(f, picture(f, i, 1 + (guint)(i / 3), 2 * (int)i, 0));
    finish(f);
    for (guint64 i = 0; i < 11; i++)
        assert_flag(nth_buffer(f, 2 * i + 1), GST_BUFFER_FLAG_GAP, i % 3 == 2);
    ck_assert_uint_eq(engine_stat(f, "cuts"), 3);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-scene");
    TCase *tcase = tcase_create("scene");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, a_cut_is_not_blended, 0,
                        (int)G_N_ELEMENTS(modes) * N_MODES);
    tcase_add_loop_test(tcase, flashes_and_pans_are_no_cuts, 0, N_MODES);
    tcase_add_loop_test(tcase, an_announced_cut_is_one, 0, N_MODES);
    tcase_add_loop_test(tcase, a_flush_takes_the_announcement_away, 0, N_MODES);
    tcase_add_loop_test(tcase, cuts_and_motion_alternate, 0, N_MODES);
    return element_main(argc, argv, suite);
}
