/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element in a harness. A probe records buffers and events in the order in which they
 * leave; waiting is on that record, never on time. */
#include "fixture.h"

#include <string.h>
#include <zlib.h>

/* Only for a broken element: a test that waits this long has failed. */
#define PATIENCE (60 * G_TIME_SPAN_SECOND)

int in_flight_mode(int index)
{
    const int modes[N_MODES] = {0, 2};

    return modes[index];
}

static void item_free(gpointer data)
{
    Item *item = data;

    gst_clear_buffer(&item->buffer);
    gst_clear_event(&item->event);
    g_free(item);
}

static GstPadProbeReturn record(GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
    Fixture *fixture = user_data;
    Item *item;

    (void)pad;
    /* Events may be under way when a test sets it. */
    if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) && fixture->forget)
        return GST_PAD_PROBE_DROP;
    item = g_new0(Item, 1);
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
        item->buffer = fixture->copies
                           ? gst_buffer_copy_deep(GST_PAD_PROBE_INFO_BUFFER(info))
                           : gst_buffer_ref(GST_PAD_PROBE_INFO_BUFFER(info));
    else
        item->event = gst_event_ref(GST_PAD_PROBE_INFO_EVENT(info));
    g_mutex_lock(&fixture->lock);
    g_ptr_array_add(fixture->items, item);
    g_cond_broadcast(&fixture->changed);
    g_mutex_unlock(&fixture->lock);
    return GST_PAD_PROBE_OK;
}

static void set_property(GstElement *element, const char *assignment)
{
    g_auto(GStrv) parts = g_strsplit(assignment, "=", 2);

    gst_util_set_object_arg(G_OBJECT(element), parts[0], parts[1]);
}

Fixture *fixture_new(int in_flight, const char *properties)
{
    Fixture *fixture = g_new0(Fixture, 1);
    g_auto(GStrv) list = g_strsplit(properties == NULL ? "" : properties, " ", -1);
    g_autoptr(GstPad) pad = NULL;

    g_mutex_init(&fixture->lock);
    g_cond_init(&fixture->changed);
    fixture->items = g_ptr_array_new_with_free_func(item_free);
    fixture->element = gst_element_factory_make("vfiinterp", NULL);
    ck_assert_msg(fixture->element != NULL, "the plugin does not load");
    gst_object_ref_sink(fixture->element);
    /* Most frames here have nothing in common. */
    g_object_set(fixture->element, "model", "blend", "max-in-flight", in_flight,
                 "scene-threshold", 0.0, NULL);
    /* The suites run on the CPU, unless they are run once more on another device. */
    if (g_getenv("VFI_TEST_DEVICE") != NULL)
        g_object_set(fixture->element, "device", g_getenv("VFI_TEST_DEVICE"), NULL);
    for (guint i = 0; list[i] != NULL; i++)
        if (list[i][0] != '\0')
            set_property(fixture->element, list[i]);
    fixture->bus = gst_bus_new();
    gst_element_set_bus(fixture->element, fixture->bus);
    pad = gst_element_get_static_pad(fixture->element, "src");
    gst_pad_add_probe(pad,
                      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                      record, fixture, NULL);
    fixture->harness = gst_harness_new_with_element(fixture->element, "sink", "src");
    return fixture;
}

void fixture_free(Fixture *fixture)
{
    gst_harness_teardown(fixture->harness);
    gst_element_set_bus(fixture->element, NULL);
    gst_object_unref(fixture->element);
    gst_object_unref(fixture->bus);
    g_ptr_array_unref(fixture->items);
    g_mutex_clear(&fixture->lock);
    g_cond_clear(&fixture->changed);
    g_free(fixture);
}

void fixture_set_caps(Fixture *fixture, const char *in, const char *out)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(in);

    ck_assert(gst_video_info_from_caps(&fixture->info, caps));
    if (out != NULL)
        gst_harness_set_sink_caps_str(fixture->harness, out);
    gst_harness_set_src_caps_str(fixture->harness, in);
}

void fixture_start(Fixture *fixture, const char *caps)
{
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(fixture->harness, gst_event_new_stream_start("test"));
    fixture_set_caps(fixture, caps, NULL);
    gst_harness_push_event(fixture->harness, gst_event_new_segment(&segment));
}

static GstPadProbeReturn offer_pool(GstPad *pad, GstPadProbeInfo *info, gpointer pool)
{
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
    GstCaps *caps = NULL;
    GstVideoInfo video;

    (void)pad;
    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
        return GST_PAD_PROBE_OK;
    gst_query_parse_allocation(query, &caps, NULL);
    ck_assert(gst_video_info_from_caps(&video, caps));
    gst_query_add_allocation_pool(query, pool, (guint)GST_VIDEO_INFO_SIZE(&video), 0, 0);
    return GST_PAD_PROBE_HANDLED;
}

static GstPadProbeReturn offer_pool_and_meta(GstPad *pad, GstPadProbeInfo *info,
                                             gpointer pool)
{
    GstPadProbeReturn result = offer_pool(pad, info, pool);

    if (result == GST_PAD_PROBE_HANDLED)
        gst_query_add_allocation_meta(GST_PAD_PROBE_INFO_QUERY(info),
                                      GST_VIDEO_META_API_TYPE, NULL);
    return result;
}

void fixture_offer_pool(Fixture *fixture, GstBufferPool *pool, gboolean with_meta)
{
    gst_pad_add_probe(fixture->harness->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
                      with_meta ? offer_pool_and_meta : offer_pool, pool, NULL);
}

char *video_caps(const char *format, int width, int height, const char *rate)
{
    return g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d,framerate=%s",
                           format, width, height, rate);
}

static GstBuffer *new_frame(Fixture *fixture, GstClockTime pts, GstClockTime duration)
{
    GstBuffer *buffer =
        gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&fixture->info), NULL);

    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = duration;
    return buffer;
}

GstBuffer *flat_frame(Fixture *fixture, int value, GstClockTime pts,
                      GstClockTime duration)
{
    GstBuffer *buffer = new_frame(fixture, pts, duration);

    gst_buffer_memset(buffer, 0, (guint8)value, GST_VIDEO_INFO_SIZE(&fixture->info));
    return buffer;
}

GstBuffer *noise_frame(Fixture *fixture, guint seed, GstClockTime pts,
                       GstClockTime duration)
{
    GstBuffer *buffer = new_frame(fixture, pts, duration);
    guint32 state = seed * 2654435761u + 12345u;
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (gsize i = 0; i < map.size; i++) {
        state = state * 1664525u + 1013904223u;
        map.data[i] = (guint8)(state >> 24);
    }
    gst_buffer_unmap(buffer, &map);
    return buffer;
}

void push_frames(Fixture *fixture, int n, int first)
{
    for (int i = 0; i < n; i++) {
        GstClockTime pts =
            gst_util_uint64_scale((guint64)i, GST_SECOND * (guint64)fixture->info.fps_d,
                                  (guint64)fixture->info.fps_n);
        GstClockTime end = gst_util_uint64_scale(
            (guint64)i + 1, GST_SECOND * (guint64)fixture->info.fps_d,
            (guint64)fixture->info.fps_n);
        ck_assert_int_eq(
            gst_harness_push(fixture->harness,
                             flat_frame(fixture, first + 10 * i, pts, end - pts)),
            GST_FLOW_OK);
    }
}

void finish(Fixture *fixture)
{
    ck_assert(gst_harness_push_event(fixture->harness, gst_event_new_eos()));
    wait_for_event(fixture, GST_EVENT_EOS);
}

void finish_failing(Fixture *fixture)
{
    if (gst_harness_push_event(fixture->harness, gst_event_new_eos()))
        wait_for_event(fixture, GST_EVENT_EOS);
}

void wait_for_event(Fixture *fixture, GstEventType type)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&fixture->lock);
    while (last_event_index(fixture, type) < 0)
        ck_assert_msg(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline),
                      "no %s event came", gst_event_type_get_name(type));
    g_mutex_unlock(&fixture->lock);
}

void wait_for_buffers(Fixture *fixture, guint n)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&fixture->lock);
    while (n_buffers(fixture) < n)
        ck_assert_msg(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline),
                      "%u of %u buffers came", n_buffers(fixture), n);
    g_mutex_unlock(&fixture->lock);
}

void fixture_clear(Fixture *fixture)
{
    g_mutex_lock(&fixture->lock);
    g_ptr_array_set_size(fixture->items, 0);
    g_mutex_unlock(&fixture->lock);
}

static Item *nth_item(Fixture *fixture, guint index)
{
    return g_ptr_array_index(fixture->items, index);
}

guint n_buffers(Fixture *fixture)
{
    guint n = 0;

    for (guint i = 0; i < fixture->items->len; i++)
        n += nth_item(fixture, i)->buffer != NULL;
    return n;
}

GstBuffer *nth_buffer(Fixture *fixture, guint64 index)
{
    for (guint i = 0; i < fixture->items->len; i++) {
        GstBuffer *buffer = nth_item(fixture, i)->buffer;
        if (buffer != NULL && index-- == 0)
            return buffer;
    }
    ck_abort_msg("there are fewer buffers");
    return NULL;
}

static gboolean has_type(const Item *item, GstEventType type)
{
    return item->event != NULL && GST_EVENT_TYPE(item->event) == type;
}

guint n_events(Fixture *fixture, GstEventType type)
{
    guint n = 0;

    for (guint i = 0; i < fixture->items->len; i++)
        n += has_type(nth_item(fixture, i), type);
    return n;
}

int last_event_index(Fixture *fixture, GstEventType type)
{
    for (guint i = fixture->items->len; i-- > 0;)
        if (has_type(nth_item(fixture, i), type))
            return (int)i;
    return -1;
}

GstEvent *last_event(Fixture *fixture, GstEventType type)
{
    int index = last_event_index(fixture, type);

    ck_assert_int_ge(index, 0);
    return nth_item(fixture, (guint)index)->event;
}

static guint32 plane_crc(guint32 crc, GstVideoFrame *frame, guint plane)
{
    const GstVideoFormatInfo *format = frame->info.finfo;
    int components[GST_VIDEO_MAX_COMPONENTS];

    gst_video_format_info_component(format, plane, components);
    gsize row = (gsize)GST_VIDEO_FRAME_COMP_WIDTH(frame, components[0]) *
                (gsize)GST_VIDEO_FRAME_COMP_PSTRIDE(frame, components[0]);
    int rows = GST_VIDEO_FRAME_COMP_HEIGHT(frame, components[0]);
    for (int y = 0; y < rows; y++)
        crc = (guint32)crc32(crc,
                             (const Bytef *)GST_VIDEO_FRAME_PLANE_DATA(frame, plane) +
                                 (gssize)y * GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane),
                             (uInt)row);
    return crc;
}

guint32 picture_crc(const GstVideoInfo *info, GstBuffer *buffer)
{
    GstVideoFrame frame;
    guint32 crc = 0;

    ck_assert(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES(&frame); plane++)
        crc = plane_crc(crc, &frame, plane);
    gst_video_frame_unmap(&frame);
    return crc;
}

int first_byte(const GstVideoInfo *info, GstBuffer *buffer)
{
    GstVideoFrame frame;

    ck_assert(gst_video_frame_map(&frame, info, buffer, GST_MAP_READ));
    int value = *(const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0);
    gst_video_frame_unmap(&frame);
    return value;
}

guint64 counter(Fixture *fixture, const char *name)
{
    guint64 value;

    g_object_get(fixture->element, name, &value, NULL);
    return value;
}

guint64 engine_stat(Fixture *fixture, const char *name)
{
    GstStructure *stats = NULL;
    guint64 value = 0;

    g_object_get(fixture->element, "stats", &stats, NULL);
    ck_assert_msg(gst_structure_get_uint64(stats, name, &value), "stats has no %s", name);
    gst_structure_free(stats);
    return value;
}

GError *posted_error(Fixture *fixture)
{
    GstMessage *message = gst_bus_pop_filtered(fixture->bus, GST_MESSAGE_ERROR);
    GError *error = NULL;

    if (message != NULL) {
        gst_message_parse_error(message, &error, NULL);
        gst_message_unref(message);
    }
    return error;
}

void assert_times(GstBuffer *buffer, GstClockTime pts, GstClockTime duration)
{
    ck_assert_uint_eq(GST_BUFFER_PTS(buffer), pts);
    ck_assert_uint_eq(GST_BUFFER_DURATION(buffer), duration);
}

int element_main(int argc, char **argv, Suite *suite)
{
    SRunner *runner;
    int failed;

    gst_check_init(&argc, &argv);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void assert_warning(Fixture *fixture, const char *text)
{
    g_autoptr(GstMessage) message =
        gst_bus_pop_filtered(fixture->bus, GST_MESSAGE_WARNING);
    g_autoptr(GError) error = NULL;

    ck_assert_msg((message == NULL) == (text == NULL), "%s: %s", text,
                  message == NULL ? "no warning" : "a warning");
    if (text == NULL)
        return;
    gst_message_parse_warning(message, &error, NULL);
    ck_assert_msg(strstr(error->message, text) != NULL, "no \"%s\" in: %s", text,
                  error->message);
}
