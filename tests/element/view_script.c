/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "view_script.h"

#include <string.h>

#include "../families/weighted_sum.h"

#define MS GST_MSECOND
#define STEP (50 * MS)
#define BACKWARDS_FROM (5 * GST_SECOND)

/* 16 bits a sample, so that a picture tells its frames apart; R, G, B, so that they come
 * to the model as they are. The byte order is the machine's. */
#define CAPS "video/x-raw,format=ARGB64,width=16,height=8,framerate=20/1"
#define OTHER_CAPS "video/x-raw,format=ARGB64,width=24,height=8,framerate=20/1"

const Family wide_families[N_WIDE_FAMILIES] = {{0, 1}, {1, 0}, {1, 1}, {2, 1}, {3, 3}};

char *family_properties(const Family *family, const char *properties)
{
    return g_strdup_printf("model=sum-%d-%d precision=f32 %s", family->before,
                           family->after, properties != NULL ? properties : "");
}

Fixture *script_fixture(int in_flight, const Family *family, const char *properties,
                        const char *out)
{
    g_autofree char *all = family_properties(family, properties);
    Fixture *fixture = fixture_new(in_flight, all);

    fixture_set_caps(fixture, CAPS, out);
    return fixture;
}

/* ---- values ------------------------------------------------------------------------ */

int letter_value(char letter)
{
    return 37 * (letter - 'a' + 1) % 251;
}

double sample_value(GstBuffer *buffer)
{
    guint16 pixel[4]; /* A, R, G, B */

    ck_assert_uint_eq(gst_buffer_extract(buffer, 0, pixel, sizeof(pixel)), sizeof(pixel));
    return pixel[1] / 257.0;
}

double sum_of(const Family *family, const char *letters)
{
    int n = family->before + 2 + family->after;
    double sum = 0;

    ck_assert_int_eq((int)strlen(letters), n);
    for (int i = 0; i < n; i++)
        sum += weighted_sum_factor(n, i) * letter_value(letters[i]);
    return sum;
}

/* Frames that come in are marked. */
gboolean is_made(GstBuffer *buffer)
{
    return !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER) &&
           !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP);
}

/* ---- scripts ----------------------------------------------------------------------- */

/* Where a script has got to. */
typedef struct {
    guint64 number; /* of the next frame, in steps */
    gboolean discont, corrupted;
    gint crop; /* left edge of what is visible, or -1 */
} Place;

static GstClockTime time_at(guint64 number, gboolean reverse)
{
    return reverse ? BACKWARDS_FROM - number * STEP : number * STEP;
}

static void send_event(Fixture *fixture, GstEvent *event)
{
    ck_assert(gst_harness_push_event(fixture->harness, event));
}

static void send_segment(Fixture *fixture, gboolean reverse, guint64 base)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.base = base;
    if (reverse) {
        segment.rate = -1;
        segment.stop = BACKWARDS_FROM + GST_SECOND;
    }
    send_event(fixture, gst_event_new_segment(&segment));
}

static void send_query(Fixture *fixture, GstQuery *query)
{
    gst_pad_peer_query(fixture->harness->srcpad, query);
    gst_query_unref(query);
}

void script_settle(Fixture *fixture)
{
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(fixture->harness->srcpad);

    send_query(fixture, gst_query_new_allocation(caps, FALSE));
}

static void send_letter(Fixture *fixture, Place *place, char letter, gboolean reverse)
{
    GstBuffer *buffer = flat_frame(fixture, letter_value(letter),
                                   time_at(place->number++, reverse), STEP);

    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    if (place->discont)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    if (place->corrupted)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    place->discont = place->corrupted = FALSE;
    if (place->crop >= 0) {
        GstVideoCropMeta *crop = gst_buffer_add_video_crop_meta(buffer);
        crop->x = (guint)place->crop;
        crop->width = crop->height = 8;
    }
    ck_assert_int_eq(gst_harness_push(fixture->harness, buffer), GST_FLOW_OK);
}

static void flush(Fixture *fixture)
{
    send_event(fixture, gst_event_new_flush_start());
    send_event(fixture, gst_event_new_flush_stop(TRUE));
}

/* Words about the place, and about the frame to come. */
static gboolean change_place(Place *place, const char *word)
{
    if (strcmp(word, "gap") == 0)
        place->number += 20; /* the rate says 20 a second */
    else if (strcmp(word, "missing") == 0)
        place->number++;
    else if (strcmp(word, "late") == 0)
        place->number--; /* the next frame is dropped */
    else if (strcmp(word, "discont") == 0)
        place->discont = TRUE;
    else if (strcmp(word, "corrupted") == 0)
        place->corrupted = TRUE;
    else if (strcmp(word, "crop") == 0)
        place->crop++;
    else
        return FALSE;
    return TRUE;
}

/* Words about events. */
static gboolean send_word(Fixture *fixture, const char *word, const Place *place,
                          gboolean reverse)
{
    const GstClockTime now = time_at(place->number, reverse);

    if (strcmp(word, "cut") == 0)
        send_event(fixture,
                   gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                        gst_structure_new_empty("vfi-scene-cut")));
    else if (strcmp(word, "tag") == 0)
        send_event(fixture, gst_event_new_tag(gst_tag_list_new_empty()));
    else if (strcmp(word, "still") == 0)
        send_event(fixture, gst_video_event_new_still_frame(TRUE));
    else if (strcmp(word, "short") == 0) /* with "missing" */
        send_event(fixture, gst_event_new_gap(now, STEP));
    else if (strcmp(word, "long") == 0)
        send_event(fixture, gst_event_new_gap(now, GST_SECOND));
    else if (strcmp(word, "segment") == 0)
        send_segment(fixture, reverse, place->number);
    else if (strcmp(word, "backwards") == 0)
        send_segment(fixture, TRUE, 0);
    else if (strcmp(word, "done") == 0)
        send_event(fixture, gst_event_new_segment_done(GST_FORMAT_TIME, (gint64)now));
    else if (strcmp(word, "start") == 0)
        send_event(fixture, gst_event_new_stream_start("another"));
    else if (strcmp(word, "flush") == 0)
        flush(fixture);
    else
        return FALSE;
    return TRUE;
}

/* Words about what surrounds the stream; what came before has its effect first. */
static void change_surroundings(Fixture *fixture, const char *word)
{
    if (strcmp(word, "caps") == 0)
        fixture_set_caps(fixture, OTHER_CAPS, NULL);
    else if (strcmp(word, "same-caps") == 0)
        fixture_set_caps(fixture, CAPS, NULL);
    else if (strcmp(word, "drain") == 0)
        send_query(fixture, gst_query_new_drain());
    else if (strcmp(word, "query") == 0)
        send_query(fixture,
                   gst_query_new_custom(GST_QUERY_CUSTOM | GST_QUERY_TYPE_SERIALIZED,
                                        gst_structure_new_empty("anything")));
    else if (strcmp(word, "allocation") == 0)
        script_settle(fixture);
    else if (strcmp(word, "bypass") == 0)
        g_object_set(fixture->element, "bypass-pixels", (guint64)1, NULL);
    else if (strcmp(word, "no-bypass") == 0)
        g_object_set(fixture->element, "bypass-pixels", (guint64)0, NULL);
    else if (strcmp(word, "triple") == 0)
        g_object_set(fixture->element, "multiplier", 3, NULL);
    else if (strcmp(word, "reconfigure") == 0)
        gst_harness_push_upstream_event(fixture->harness, gst_event_new_reconfigure());
    else
        ck_abort_msg("\"%s\" is no word of scripts", word);
}

void script_run(Fixture *fixture, const char *script, gboolean reverse)
{
    g_auto(GStrv) words = g_strsplit(script, " ", -1);
    Place place = {.crop = -1};

    if (reverse)
        send_segment(fixture, TRUE, 0);
    for (guint i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) == 1)
            send_letter(fixture, &place, words[i][0], reverse);
        else if (!change_place(&place, words[i]) &&
                 !send_word(fixture, words[i], &place, reverse)) {
            script_settle(fixture);
            change_surroundings(fixture, words[i]);
        }
    }
}

/* ---- what should come of them ------------------------------------------------------ */

typedef struct {
    char letter;
    GstClockTime pts;
    gboolean edge;   /* behind it */
    gboolean breaks; /* nothing waits for what is behind it */
} Shown;

#define MAX_SHOWN 64

/* Frames of the picture, with their times in the script. */
static int read_picture(const char *script, const char *picture, gboolean reverse,
                        Shown *shown)
{
    g_auto(GStrv) words = g_strsplit(script, " ", -1);
    Place place = {0};
    int n = 0;

    for (guint i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) != 1) {
            change_place(&place, words[i]);
            continue;
        }
        GstClockTime pts = time_at(place.number++, reverse);
        if (words[i][0] != *picture)
            continue; /* no view may show it */
        shown[n++] = (Shown){.letter = *picture++, .pts = pts};
        for (; *picture == '|' || *picture == ':'; picture++) {
            shown[n - 1].edge = *picture == '|';
            shown[n - 1].breaks = TRUE;
        }
    }
    ck_assert_msg(*picture == '\0', "\"%s\" is not of \"%s\"", picture, script);
    shown[n - 1].edge = shown[n - 1].breaks = TRUE;
    return n;
}

/* The letters of the view of @shown[@first] and the next one, and whether frames are
 * missing. */
static gboolean read_view(const Family *family, const Shown *shown, int first,
                          gboolean reverse, char *letters)
{
    int earlier = reverse ? family->after : family->before;
    int n = family->before + 2 + family->after;
    int low = first, high = first + 1;
    gboolean misses = FALSE;

    while (low > 0 && !shown[low - 1].edge)
        low--;
    while (!shown[high].breaks)
        high++;
    for (int i = 0; i < n; i++) {
        int wanted = first - earlier + i;
        letters[reverse ? n - 1 - i : i] = shown[CLAMP(wanted, low, high)].letter;
        misses = misses || wanted < low || wanted > high;
    }
    letters[n] = '\0';
    return misses;
}

/* The pair that @pts lies between, or -1. */
static int find_pair(const Shown *shown, int n, GstClockTime pts)
{
    for (int i = 0; i + 1 < n; i++)
        if (!shown[i].edge && MIN(shown[i].pts, shown[i + 1].pts) < pts &&
            MAX(shown[i].pts, shown[i + 1].pts) > pts)
            return i;
    return -1;
}

void script_check_views(Fixture *fixture, const Family *family, const char *script,
                        const char *picture, gboolean reverse)
{
    Shown shown[MAX_SHOWN];
    int n = read_picture(script, picture, reverse, shown), last = -1;
    guint64 n_made = 0, n_edges = 0;

    for (guint64 i = 0; i < n_buffers(fixture); i++) {
        GstBuffer *buffer = nth_buffer(fixture, i);
        char letters[MAX_SHOWN];
        if (!is_made(buffer))
            continue;
        int pair = find_pair(shown, n, GST_BUFFER_PTS(buffer));
        ck_assert_msg(pair >= 0, "%s: a picture at %" GST_TIME_FORMAT, script,
                      GST_TIME_ARGS(GST_BUFFER_PTS(buffer)));
        gboolean misses = read_view(family, shown, pair, reverse, letters);
        n_edges += misses && pair != last;
        n_made++;
        last = pair;
        ck_assert_msg(ABS(sample_value(buffer) - sum_of(family, letters)) < 0.01,
                      "%s, sum-%d-%d: at %" GST_TIME_FORMAT " not of %s: %f", script,
                      family->before, family->after,
                      GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), letters,
                      sample_value(buffer));
    }
    ck_assert_uint_eq(counter(fixture, "interpolated"), n_made);
    ck_assert_msg(
        engine_stat(fixture, "edge-views") == n_edges,
        "%s, sum-%d-%d: %" G_GUINT64_FORMAT " edge views, not %" G_GUINT64_FORMAT, script,
        family->before, family->after, engine_stat(fixture, "edge-views"), n_edges);
}

static void check_same_buffer(GstBuffer *a, GstBuffer *b)
{
    assert_times(a, GST_BUFFER_PTS(b), GST_BUFFER_DURATION(b));
    ck_assert_uint_eq(GST_BUFFER_OFFSET(a), GST_BUFFER_OFFSET(b));
    ck_assert_uint_eq(GST_BUFFER_FLAGS(a) & ~(guint)GST_BUFFER_FLAG_TAG_MEMORY,
                      GST_BUFFER_FLAGS(b) & ~(guint)GST_BUFFER_FLAG_TAG_MEMORY);
    if (!is_made(a))
        ck_assert(sample_value(a) == sample_value(b));
}

void script_check_same(Fixture *fixture, Fixture *other)
{
    ck_assert_uint_eq(fixture->items->len, other->items->len);
    for (guint i = 0; i < fixture->items->len; i++) {
        Item *item = g_ptr_array_index(fixture->items, i);
        Item *twin = g_ptr_array_index(other->items, i);
        ck_assert_int_eq(item->buffer != NULL, twin->buffer != NULL);
        if (item->buffer != NULL)
            check_same_buffer(item->buffer, twin->buffer);
        else
            ck_assert_str_eq(GST_EVENT_TYPE_NAME(item->event),
                             GST_EVENT_TYPE_NAME(twin->event));
    }
}
