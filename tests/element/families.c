/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element with networks that see three and four frames, and with a sampler, in both
 * in-flight modes: every picture against plain C, everything that leaves it in its order,
 * with its time and flags; the same bits for modes, threads and seeks. */
#include <string.h>

#include <glib/gstdio.h>

#include "deterministic_weights.h"
#include "families/frame_volume.h"
#include "families/reference.h"
#include "fixture.h"

#define MS GST_MSECOND
#define WIDTH 40
#define HEIGHT 28
#define CAPS "video/x-raw,format=GBR,width=40,height=28,framerate=20/1"
#define FRAME (50 * MS)
#define N_FRAMES 7
#define MULTIPLIER 4
#define N_OUTPUTS (N_FRAMES * MULTIPLIER)

static const char *const state_dicts[] = {"three_frames", "three_frames_ahead",
                                          "four_frames", "sampler"};

#define N_FAMILIES ((int)G_N_ELEMENTS(state_dicts))
#define SAMPLER (N_FAMILIES - 1)

/* One network in the element. */
typedef struct {
    const Reference *reference;
    char *path; /* of its checkpoint */
    Fixture *fixture;
} Player;

static Player player_new(int family, int mode, const char *properties)
{
    Player player = {.reference = reference_of(state_dicts[family])};

    player.path = deterministic_checkpoint(player.reference->state_dict, NULL);
    ck_assert(player.path != NULL);
    g_autofree char *all =
        g_strdup_printf("model=%s multiplier=%d precision=f32 feature-storage=f32 %s",
                        player.path, MULTIPLIER, properties != NULL ? properties : "");
    player.fixture = fixture_new(mode, all);
    gst_harness_set_live(player.fixture->harness, FALSE); /* waits for its session */
    fixture_set_caps(player.fixture, CAPS, NULL);
    return player;
}

static void player_free(Player *player)
{
    fixture_free(player->fixture);
    g_unlink(player->path);
    g_free(player->path);
}

/* Waves and small squares that move by some pixels a frame. */
static void paint(GstMapInfo *map, int number)
{
    for (int i = 0; i < 3 * WIDTH * HEIGHT; i++) {
        int plane = i / (WIDTH * HEIGHT), y = i / WIDTH % HEIGHT, x = i % WIDTH;
        int moved_x = x + 900 - 3 * number, moved_y = y + 900 - 2 * number;
        int wave = (moved_x * (5 + plane) + moved_y * 3) % 64;
        int square = (moved_x / 8 + moved_y / 8) % 2;
        map->data[i] = (guint8)(60 + (wave < 32 ? wave : 63 - wave) * 3 + 40 * square);
    }
}

static GstBuffer *picture(Fixture *f, int number, GstClockTime pts)
{
    GstBuffer *buffer = flat_frame(f, 0, pts, FRAME);
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    ck_assert_uint_eq(map.size, 3 * WIDTH * HEIGHT);
    paint(&map, number);
    gst_buffer_unmap(buffer, &map);
    return buffer;
}

static void push(Fixture *f, int number, GstClockTime pts)
{
    ck_assert_int_eq(gst_harness_push(f->harness, picture(f, number, pts)), GST_FLOW_OK);
}

/* ---- pictures ---------------------------------------------------------------------- */

static const VfiVideoInfo video = {
    .format = VFI_FORMAT_GBR, .width = WIDTH, .height = HEIGHT};

static VfiFrame frame_at(guint8 *data)
{
    VfiFrame frame = {.data = {NULL}};

    for (int plane = 0; plane < 3; plane++) {
        frame.data[plane] = data + plane * WIDTH * HEIGHT;
        frame.stride[plane] = WIDTH;
    }
    return frame;
}

/* The picture number @number of the clip. */
static Volume clip_volume(Network *network, int number)
{
    guint8 data[3 * WIDTH * HEIGHT];
    GstMapInfo map = {.data = data};
    VfiFrame frame = frame_at(data);

    paint(&map, number);
    return volume_of_frame(network, &video, &frame);
}

/* Pictures @begin … @end - 1 of the clip, between which views may reach. */
typedef struct {
    int begin, end;
} Stretch;

/* Compares an in-between of the pictures @first and @first + 1 of the clip. */
static void check_picture(const Player *player, GstBuffer *buffer, Stretch stretch,
                          int first, double t, guint64 key)
{
    const Reference *reference = player->reference;
    const ReferenceRequest request = {.t = t, .codes = 255, .key = key};
    g_autoptr(Network) network = reference_network(reference);
    Volume view[REFERENCE_MAX_VIEW];
    GstVideoFrame mapped;

    for (int i = 0; i < reference_view_frames(reference); i++)
        view[i] = clip_volume(network, CLAMP(first - reference->frames_before + i,
                                             stretch.begin, stretch.end - 1));
    Volume expected = reference_picture(reference, network, view, &request);
    ck_assert(gst_video_frame_map(&mapped, &player->fixture->info, buffer, GST_MAP_READ));
    VfiFrame frame = {.data = {NULL}};
    for (int plane = 0; plane < 3; plane++) {
        frame.data[plane] = GST_VIDEO_FRAME_PLANE_DATA(&mapped, plane);
        frame.stride[plane] = GST_VIDEO_FRAME_PLANE_STRIDE(&mapped, plane);
    }
    g_autofree char *problem = picture_problem(
        network, &video, &frame, expected, reference_rounds_twice(reference, &request));
    gst_video_frame_unmap(&mapped);
    if (problem != NULL)
        ck_abort_msg("%s, between %d and %d at %g: %s", reference->state_dict, first,
                     first + 1, t, problem);
}

static guint32 clip_crc(int number)
{
    GstVideoInfo info;
    g_autoptr(GstCaps) caps = gst_caps_from_string(CAPS);
    g_autoptr(GstBuffer) buffer = gst_buffer_new_allocate(NULL, 3 * WIDTH * HEIGHT, NULL);
    GstMapInfo map;

    ck_assert(gst_video_info_from_caps(&info, caps));
    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    paint(&map, number);
    gst_buffer_unmap(buffer, &map);
    return picture_crc(&info, buffer);
}

/* The outputs from frame @stretch.begin up to what completes frame @stretch.end - 1. */
static void check_stretch(const Player *player, Stretch stretch)
{
    Fixture *f = player->fixture;

    for (int k = stretch.begin; k < stretch.end; k++)
        for (int j = 0; j < MULTIPLIER; j++) {
            GstBuffer *buffer = nth_buffer(f, (guint64)k * MULTIPLIER + (guint64)j);
            gboolean is_copy = j > 0 && k == stretch.end - 1;
            assert_times(buffer, (guint64)k * FRAME + (guint64)j * FRAME / MULTIPLIER,
                         FRAME / MULTIPLIER);
            assert_flag(buffer, GST_BUFFER_FLAG_GAP, is_copy);
            assert_flag(buffer, GST_BUFFER_FLAG_DISCONT, k == 0 && j == 0);
            if (j == 0 || is_copy)
                ck_assert_uint_eq(picture_crc(&f->info, buffer), clip_crc(k));
            else
                check_picture(player, buffer, stretch, k, (double)j / MULTIPLIER,
                              (guint64)k * FRAME);
        }
}

/* ---- what leaves, in its order ----------------------------------------------------- */

static GstEvent *mark(const char *name)
{
    return gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                gst_structure_new_empty(name));
}

/* What left, a letter each: a buffer that is a frame (f), an in-between (i), a copy (c);
 * the beginning of a stream (S), caps (C), a segment (s), tags (t), a mark (m), a gap
 * (g), EOS (E). Others are not looked at. */
static char *item_letters(Fixture *f)
{
    GString *letters = g_string_new(NULL);

    for (guint i = 0; i < f->items->len; i++) {
        const Item *item = g_ptr_array_index(f->items, i);
        if (item->buffer != NULL) {
            gboolean is_copy = GST_BUFFER_FLAG_IS_SET(item->buffer, GST_BUFFER_FLAG_GAP);
            g_string_append_c(letters, is_copy                                     ? 'c'
                                       : GST_BUFFER_PTS(item->buffer) % FRAME == 0 ? 'f'
                                                                                   : 'i');
            continue;
        }
        switch (GST_EVENT_TYPE(item->event)) {
        case GST_EVENT_STREAM_START:
            g_string_append_c(letters, 'S');
            break;
        case GST_EVENT_CAPS:
            g_string_append_c(letters, 'C');
            break;
        case GST_EVENT_SEGMENT:
            g_string_append_c(letters, 's');
            break;
        case GST_EVENT_TAG:
            g_string_append_c(letters, 't');
            break;
        case GST_EVENT_CUSTOM_DOWNSTREAM:
            g_string_append_c(letters, 'm');
            break;
        case GST_EVENT_GAP:
            g_string_append_c(letters, 'g');
            break;
        case GST_EVENT_EOS:
            g_string_append_c(letters, 'E');
            break;
        default:
            break;
        }
    }
    return g_string_free(letters, FALSE);
}

static void check_order(Fixture *f, const char *expected)
{
    g_autofree char *letters = item_letters(f);

    ck_assert_str_eq(letters, expected);
}

/* Pairs of a stretch of @n frames whose views reach beyond it. */
static guint64 edge_views(const Reference *reference, int n)
{
    guint64 views = 0;

    for (int first = 0; first < n - 1; first++)
        views +=
            first < reference->frames_before || first + 1 + reference->frames_after >= n;
    return views;
}

GST_START_TEST(a_clip_is_interpolated)
{
    Player player = player_new(__i__ / N_MODES, in_flight_mode(__i__ % N_MODES), NULL);
    Fixture *f = player.fixture;

    for (int k = 0; k < N_FRAMES; k++) {
        if (k == 3)
            ck_assert(gst_harness_push_event(f->harness, mark("mark")));
        if (k == 5)
            ck_assert(gst_harness_push_event(
                f->harness, gst_event_new_tag(gst_tag_list_new_empty())));
        push(f, k, (guint64)k * FRAME);
    }
    finish(f);
    check_order(f, "SCs"
                   "fiiifiiifmiiifiiiftiiifiiifccc"
                   "E");
    check_stretch(&player, (Stretch){0, N_FRAMES});
    ck_assert_uint_eq(counter(f, "interpolated"), (N_FRAMES - 1) * (MULTIPLIER - 1));
    ck_assert_uint_eq(counter(f, "duplicate"), MULTIPLIER - 1);
    ck_assert_uint_eq(engine_stat(f, "edge-views"),
                      edge_views(player.reference, N_FRAMES));
    ck_assert(posted_error(f) == NULL);
    player_free(&player);
}
GST_END_TEST

/* An announced cut: copies of the nearer frame, and no view crosses it. */
GST_START_TEST(no_view_crosses_a_cut)
{
    Player player = player_new(__i__ / N_MODES, in_flight_mode(__i__ % N_MODES), NULL);
    Fixture *f = player.fixture;

    for (int k = 0; k < N_FRAMES; k++) {
        if (k == 3)
            ck_assert(gst_harness_push_event(f->harness, mark("vfi-scene-cut")));
        push(f, k, (guint64)k * FRAME);
    }
    finish(f);
    check_order(f, "SCs"
                   "fiiifiiifmcccfiiifiiifiiifccc"
                   "E");
    for (int k = 0; k < N_FRAMES - 1; k++)
        for (int j = 1; k != 2 && j < MULTIPLIER; j++)
            check_picture(&player, nth_buffer(f, (guint64)k * MULTIPLIER + (guint64)j),
                          k < 2 ? (Stretch){0, 3} : (Stretch){3, N_FRAMES}, k,
                          (double)j / MULTIPLIER, (guint64)k * FRAME);
    ck_assert_uint_eq(engine_stat(f, "edge-views"),
                      edge_views(player.reference, 3) +
                          edge_views(player.reference, N_FRAMES - 3));
    player_free(&player);
}
GST_END_TEST

/* ---- the same bits ----------------------------------------------------------------- */

/* CRCs of a clip's outputs that begins at @start. */
static void play(Fixture *f, GstClockTime start, guint32 *crcs)
{
    for (int k = 0; k < N_FRAMES; k++)
        push(f, k, start + (guint64)k * FRAME);
    finish(f);
    for (int i = 0; i < N_OUTPUTS; i++)
        crcs[i] = picture_crc(&f->info, nth_buffer(f, (guint64)i));
}

GST_START_TEST(modes_and_threads_change_no_bit)
{
    static const char *const threads[] = {"threads=1", "threads=2", "threads=5"};
    guint32 expected[N_OUTPUTS], crcs[N_OUTPUTS];

    for (int i = 0; i < N_MODES * (int)G_N_ELEMENTS(threads); i++) {
        Player player =
            player_new(__i__, in_flight_mode(i % N_MODES), threads[i / N_MODES]);
        play(player.fixture, 0, i == 0 ? expected : crcs);
        if (i > 0)
            ck_assert(memcmp(crcs, expected, sizeof(expected)) == 0);
        player_free(&player);
    }
}
GST_END_TEST

static void flush(Fixture *f)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_start()));
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)));
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_segment(&segment)));
    fixture_clear(f);
}

/* CRCs of what the network makes of the clip without any disturbance. */
static void play_alone(int family, int mode, GstClockTime start, guint32 *crcs)
{
    Player player = player_new(family, mode, NULL);

    play(player.fixture, start, crcs);
    player_free(&player);
}

/* A seek in the middle of what waits, to the beginning. */
GST_START_TEST(a_seek_changes_no_bit)
{
    const int family = __i__ / N_MODES, mode = in_flight_mode(__i__ % N_MODES);
    guint32 expected[N_OUTPUTS], crcs[N_OUTPUTS];

    play_alone(family, mode, 0, expected);
    Player player = player_new(family, mode, NULL);
    for (int k = 2; k < 6; k++)
        push(player.fixture, k, (guint64)k * FRAME);
    flush(player.fixture);
    play(player.fixture, 0, crcs);
    ck_assert(memcmp(crcs, expected, sizeof(expected)) == 0);
    player_free(&player);
}
GST_END_TEST

/* A sampler's noise is that of the time at which a pair begins; others draw none. */
GST_START_TEST(noise_is_of_the_pair_s_time)
{
    guint32 expected[N_OUTPUTS], crcs[N_OUTPUTS];

    play_alone(__i__, 0, 0, expected);
    play_alone(__i__, 0, 1000 * FRAME, crcs);
    for (int i = 0; i < N_OUTPUTS - MULTIPLIER; i++) {
        gboolean is_in_between = i % MULTIPLIER != 0;
        ck_assert_int_eq(crcs[i] == expected[i], !(__i__ == SAMPLER && is_in_between));
    }
}
GST_END_TEST

/* As launch lines and applications may give it; a seed in doubles is told from one with
 * all its bits. */
GST_START_TEST(seeds_of_any_type_are_numbers)
{
    static const struct {
        const char *given;
        gboolean is_seven;
    } seeds[] = {{"7", TRUE},           {"(guint64)7", TRUE},
                 {"(gint64)7", TRUE},   {"(uint)7", TRUE},
                 {"7.0", TRUE},         {"8", FALSE},
                 {"4294967303", FALSE}, {"(guint64)18446744073709551615", FALSE}};
    guint32 seven[N_OUTPUTS], crcs[N_OUTPUTS];

    for (size_t i = 0; i < G_N_ELEMENTS(seeds); i++) {
        g_autofree char *properties =
            g_strdup_printf("model-options=\"options,seed=%s,steps=1\"", seeds[i].given);
        Player player = player_new(SAMPLER, 0, properties);
        play(player.fixture, 0, i == 0 ? seven : crcs);
        player_free(&player);
        ck_assert(i == 0 || (crcs[1] == seven[1]) == seeds[i].is_seven);
    }
}
GST_END_TEST

/* ---- progress ---------------------------------------------------------------------- */

/* The element may be told of several rounds at once, and does not tell of all: what is
 * said rises to all of them. */
GST_START_TEST(a_sampler_s_rounds_are_told)
{
    Player player = player_new(SAMPLER, in_flight_mode(__i__), NULL);
    guint32 crcs[N_OUTPUTS];
    GstMessage *message;
    guint last = 5, n_pictures = 0;
    guint64 last_pts = 0, last_elapsed = 0;
    gdouble last_part = 1.0;

    play(player.fixture, 0, crcs);
    while ((message = gst_bus_pop_filtered(player.fixture->bus, GST_MESSAGE_ELEMENT))) {
        const GstStructure *told = gst_message_get_structure(message);
        guint64 pts, elapsed, left;
        guint round, rounds;
        gdouble part;
        ck_assert(gst_structure_has_name(told, "vfiinterp-progress"));
        ck_assert(gst_structure_get(told, "pts", G_TYPE_UINT64, &pts, "round",
                                    G_TYPE_UINT, &round, "rounds", G_TYPE_UINT, &rounds,
                                    "part", G_TYPE_DOUBLE, &part, "elapsed",
                                    G_TYPE_UINT64, &elapsed, NULL));
        ck_assert(!gst_structure_get_uint64(told, "time-left", &left) ||
                  (left == 0) == (part >= 1.0));
        ck_assert_uint_eq(rounds, 5);
        ck_assert_uint_le(round, rounds);
        if (pts != last_pts) { /* the next picture: the last one was finished */
            ck_assert_uint_gt(pts, last_pts);
            ck_assert_uint_eq(last, rounds);
            ck_assert(last_part >= 1.0);
            ck_assert_uint_ne(pts % FRAME, 0);
            ck_assert_uint_eq(pts % (FRAME / MULTIPLIER), 0);
            n_pictures++;
        } else {
            ck_assert_uint_ge(round, last);
            ck_assert(part > last_part);
            ck_assert_uint_ge(elapsed, last_elapsed);
        }
        last = round;
        last_part = part;
        last_elapsed = elapsed;
        last_pts = pts;
        gst_message_unref(message);
    }
    ck_assert_uint_eq(last, 5);
    ck_assert_uint_eq(n_pictures, (N_FRAMES - 1) * (MULTIPLIER - 1));
    player_free(&player);
}
GST_END_TEST

/* Only with the task can upstream flush while its frames are computed. */
GST_START_TEST(a_flush_ends_a_picture_within_its_rounds)
{
    Player player =
        player_new(SAMPLER, 2, "threads=2 model-options=\"options,steps=100\"");
    Fixture *f = player.fixture;
    GstElement *element = f->harness->element;
    guint64 before, after;

    fixture_set_caps(f, "video/x-raw,format=GBR,width=320,height=240,framerate=20/1",
                     NULL);
    for (guint i = 0; i < 2; i++)
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (guint8)(60 + 90 * i),
                                                                 i * FRAME, FRAME)),
                         GST_FLOW_OK);
    g_autoptr(GstMessage) told =
        gst_bus_timed_pop_filtered(f->bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT);
    ck_assert(gst_message_has_name(told, "vfiinterp-progress"));
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_start()));
    before = engine_stat(f, "work-chunks");
    ck_assert(gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE)));
    after = engine_stat(f, "work-chunks");
    ck_assert_uint_le(after - before, 2);
    ck_assert_int_eq(gst_element_set_state(element, GST_STATE_NULL),
                     GST_STATE_CHANGE_SUCCESS);
    player_free(&player);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-families");
    TCase *tcase = tcase_create("families");

    suite_add_tcase(suite, tcase);
    for (int i = 0; i < N_FAMILIES * N_MODES; i += SANITIZER_STEP) {
        tcase_add_loop_test(tcase, a_clip_is_interpolated, i, i + 1);
        tcase_add_loop_test(tcase, no_view_crosses_a_cut, i, i + 1);
        tcase_add_loop_test(tcase, a_seek_changes_no_bit, i, i + 1);
    }
    tcase_add_loop_test(tcase, modes_and_threads_change_no_bit, 0, N_FAMILIES);
    tcase_add_loop_test(tcase, noise_is_of_the_pair_s_time, 0, N_FAMILIES);
    tcase_add_test(tcase, seeds_of_any_type_are_numbers);
    tcase_add_loop_test(tcase, a_sampler_s_rounds_are_told, 0, N_MODES);
    tcase_add_test(tcase, a_flush_ends_a_picture_within_its_rounds);
    return element_main(argc, argv, suite);
}
