/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures a live pipeline by the real clock; no test. Prints how late frames come to the
 * sink, against the latency that was reported.
 *
 *   live_measure SECONDS WIDTHxHEIGHT RATE OUT-RATE "properties of vfiinterp" [SINK]
 *   live_measure 20 640x360 30/1 60/1 "model=blend"
 *
 * The plugin that has the small networks of tests/families takes them as models, too:
 *
 *   GST_PLUGIN_PATH_1_0=BUILD/tests/families live_measure 20 320x180 30/1 60/1 \
 *       "model=$(BUILD/tests/engine/write-checkpoint four_frames)"
 *
 * The pipeline is a live videotestsrc, vfiinterp, a queue, and fakesink with sync and
 * qos. Arrival is measured where SINK begins. The source's claim of a frame's latency is
 * corrected to none. The first three seconds, in which costs become known, are not
 * counted. */
#include <stdio.h>
#include <stdlib.h>

#include <gst/gst.h>

#define WARM_UP (3 * GST_SECOND)

/* videotestsrc claims a frame's time; this is what it takes. */
#define SOURCE_LATENCY 0

typedef struct {
    GstElement *pipeline, *interpolator, *sink;
    GMutex lock;
    GArray *late;         /* of all buffers that leave: arrival - PTS */
    GArray *late_source;  /* of originals there: arrival - PTS */
    guint64 sent;         /* by the source */
    guint64 originals;    /* there */
    guint qos_messages;   /* of the element */
    guint64 not_computed; /* by the last of them */
} Measurement;

static GstClockTimeDiff lateness(Measurement *m, GstPad *pad, GstBuffer *buffer)
{
    g_autoptr(GstClock) clock = gst_element_get_clock(m->pipeline);
    g_autoptr(GstEvent) event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
    GstClockTime base = gst_element_get_base_time(m->pipeline);
    const GstSegment *segment;

    gst_event_parse_segment(event, &segment);
    return GST_CLOCK_DIFF(base + gst_segment_to_running_time(segment, GST_FORMAT_TIME,
                                                             GST_BUFFER_PTS(buffer)),
                          gst_clock_get_time(clock));
}

/* Originals are known by a mark that in-betweens do not inherit. */
static GstPadProbeReturn at_source(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Measurement *m = user_data;
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));

    (void)pad;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    m->sent++;
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn at_sink(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Measurement *m = user_data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    gboolean original = GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_MARKER);
    GstClockTimeDiff late = lateness(m, pad, buffer);

    g_mutex_lock(&m->lock);
    m->originals += original;
    if (GST_BUFFER_PTS(buffer) >= WARM_UP) {
        g_array_append_val(m->late, late);
        if (original)
            g_array_append_val(m->late_source, late);
    }
    g_mutex_unlock(&m->lock);
    return GST_PAD_PROBE_OK;
}

static gboolean answer_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, TRUE, SOURCE_LATENCY, GST_CLOCK_TIME_NONE);
    return TRUE;
}

static void add_probe(Measurement *m, GstElement *element, const char *pad_name,
                      GstPadProbeCallback probe)
{
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, pad_name);

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, m, NULL);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    GstClockTimeDiff x = *(const GstClockTimeDiff *)a, y = *(const GstClockTimeDiff *)b;

    return (x > y) - (x < y);
}

static double percentile(GArray *values, guint percent)
{
    if (values->len == 0)
        return 0;
    g_array_sort(values, compare);
    guint rank = (values->len * percent + 99) / 100;
    return (double)g_array_index(values, GstClockTimeDiff, rank - 1) / GST_MSECOND;
}

static double reported_latency(Measurement *m)
{
    g_autoptr(GstPad) pad = gst_element_get_static_pad(m->interpolator, "src");
    g_autoptr(GstQuery) query = gst_query_new_latency();
    GstClockTime min = 0;

    if (gst_pad_query(pad, query))
        gst_query_parse_latency(query, NULL, &min, NULL);
    return (double)min / GST_MSECOND;
}

static guint64 dropped_by_sink(Measurement *m)
{
    GstStructure *stats = NULL;
    guint64 dropped = 0;

    g_object_get(m->sink, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "dropped", &dropped);
    gst_structure_free(stats);
    return dropped;
}

static void note_message(Measurement *m, GstMessage *message)
{
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY)
        gst_bin_recalculate_latency(GST_BIN(m->pipeline));
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_QOS ||
        GST_MESSAGE_SRC(message) != GST_OBJECT(m->interpolator))
        return;
    gint64 jitter;
    gint quality;
    gst_message_parse_qos_values(message, &jitter, NULL, &quality);
    gst_message_parse_qos_stats(message, NULL, NULL, &m->not_computed);
    if (m->qos_messages++ < 3)
        printf("  qos: quality %d, lateness %.1f ms, %" G_GUINT64_FORMAT
               " not computed\n",
               quality, (double)jitter / GST_MSECOND, m->not_computed);
}

static gboolean run(Measurement *m)
{
    g_autoptr(GstBus) bus = gst_element_get_bus(m->pipeline);
    gboolean ok = TRUE, done = FALSE;

    gst_element_set_state(m->pipeline, GST_STATE_PLAYING);
    while (!done) {
        g_autoptr(GstMessage) message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);
        note_message(m, message);
        ok = GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR;
        done = !ok || GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
    }
    return ok;
}

static void print_results(Measurement *m)
{
    GstStructure *stats = NULL;
    double reported = reported_latency(m), p95 = percentile(m->late, 95);

    g_object_get(m->interpolator, "stats", &stats, NULL);
    g_autofree char *text = gst_structure_to_string(stats);
    printf("reported %.1f ms; arrival - PTS: median %.1f, p95 %.1f, max %.1f ms; p95 is "
           "%+.1f ms from what was reported\n"
           "originals: %" G_GUINT64_FORMAT " sent, %" G_GUINT64_FORMAT
           " came, p95 %.1f, max %.1f ms; sink dropped %" G_GUINT64_FORMAT
           "; %u QOS messages\n%s\n",
           reported, percentile(m->late, 50), p95, percentile(m->late, 100),
           p95 - reported, m->sent, m->originals, percentile(m->late_source, 95),
           percentile(m->late_source, 100), dropped_by_sink(m), m->qos_messages, text);
    gst_structure_free(stats);
}

static GstElement *build(int argc, char **argv)
{
    g_auto(GStrv) size = g_strsplit(argv[2], "x", 2);
    g_auto(GStrv) rate = g_strsplit(argv[3], "/", 2);

    if (g_strv_length(size) != 2 || g_strv_length(rate) != 2)
        return NULL;
    guint64 frames = gst_util_uint64_scale(g_ascii_strtoull(argv[1], NULL, 10),
                                           g_ascii_strtoull(rate[0], NULL, 10),
                                           MAX(g_ascii_strtoull(rate[1], NULL, 10), 1));
    g_autofree char *text = g_strdup_printf(
        "videotestsrc name=source is-live=true pattern=ball "
        "num-buffers=%" G_GUINT64_FORMAT
        " ! video/x-raw,format=I420,width=%s,height=%s,framerate=%s ! vfiinterp name=vfi "
        "%s ! capsfilter name=limit caps=video/x-raw,framerate=%s ! %s name=sink "
        "sync=true qos=true",
        frames, size[0], size[1], argv[3], argv[5], argv[4],
        argc == 7 ? argv[6] : "queue ! fakesink");
    return gst_parse_launch(text, NULL);
}

int main(int argc, char **argv)
{
    Measurement m = {0};

    gst_init(&argc, &argv);
    if ((argc != 6 && argc != 7) || (m.pipeline = build(argc, argv)) == NULL) {
        fprintf(stderr, "usage: live_measure SECONDS WIDTHxHEIGHT RATE OUT-RATE "
                        "\"properties of vfiinterp\" [SINK]\n");
        return EXIT_FAILURE;
    }
    m.interpolator = gst_bin_get_by_name(GST_BIN(m.pipeline), "vfi");
    m.sink = gst_bin_get_by_name(GST_BIN(m.pipeline), "sink");
    g_autoptr(GstElement) source = gst_bin_get_by_name(GST_BIN(m.pipeline), "source");
    g_autoptr(GstElement) limit = gst_bin_get_by_name(GST_BIN(m.pipeline), "limit");
    m.late = g_array_new(FALSE, FALSE, sizeof(GstClockTimeDiff));
    m.late_source = g_array_new(FALSE, FALSE, sizeof(GstClockTimeDiff));
    add_probe(&m, source, "src", at_source);
    g_autoptr(GstPad) caps_pad = gst_element_get_static_pad(m.interpolator, "sink");
    g_autoptr(GstPad) before = gst_pad_get_peer(caps_pad);
    gst_pad_set_query_function(before, answer_query);
    add_probe(&m, limit, "src", at_sink);
    gboolean ok = run(&m);
    if (ok)
        print_results(&m);
    gst_element_set_state(m.pipeline, GST_STATE_NULL);
    g_array_unref(m.late);
    g_array_unref(m.late_source);
    gst_object_unref(m.interpolator);
    gst_object_unref(m.sink);
    gst_object_unref(m.pipeline);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
