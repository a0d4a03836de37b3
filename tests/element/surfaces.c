/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "surfaces.h"

static GstPadProbeReturn answer(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
    Surfaces *line = data;

    (void)pad;
    if (GST_QUERY_TYPE(query) != GST_QUERY_ALLOCATION)
        return GST_PAD_PROBE_OK;
    if (!line->answers)
        return GST_PAD_PROBE_DROP;
    gst_query_add_allocation_pool(query, NULL, 0, line->keeps, 0);
    return GST_PAD_PROBE_HANDLED;
}

/* The harness's queue orders what happens in the two threads, but by a lock inside GLib,
 * which ThreadSanitizer does not see. */
static GstPadProbeReturn note_arrival(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Surfaces *line = data;

    (void)pad;
    (void)info;
    g_mutex_lock(&line->lock);
    g_mutex_unlock(&line->lock);
    return GST_PAD_PROBE_OK;
}

void surfaces_open(Surfaces *line, GPtrArray *surfaces, const char *caps,
                   const char *properties)
{
    g_autofree char *description =
        g_strdup_printf("vfiinterp name=v model=blend scene-threshold=0 %s", properties);
    gint in_flight;

    line->surfaces = g_ptr_array_ref(surfaces);
    g_queue_init(&line->kept);
    g_mutex_init(&line->lock);
    line->harness = gst_harness_new_parse(description);
    line->element = gst_harness_find_element(line->harness, "vfiinterp");
    g_object_get(line->element, "max-in-flight", &in_flight, NULL);
    line->synchronous = in_flight == 0;
    gst_pad_add_probe(line->harness->sinkpad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, answer,
                      line, NULL);
    gst_pad_add_probe(line->harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival,
                      line, NULL);
    gst_harness_set_src_caps_str(line->harness, caps);
}

void surfaces_close(Surfaces *line)
{
    gst_harness_teardown(line->harness);
    g_queue_clear_full(&line->kept, (GDestroyNotify)gst_memory_unref);
    gst_object_unref(line->element);
    g_ptr_array_unref(line->surfaces);
    g_mutex_clear(&line->lock);
}

guint surfaces_ask(Surfaces *line)
{
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(line->harness->srcpad);
    g_autoptr(GstQuery) query = gst_query_new_allocation(caps, FALSE);
    guint min;

    ck_assert(gst_pad_peer_query(line->harness->srcpad, query));
    ck_assert_uint_eq(gst_query_get_n_allocation_pools(query), 1);
    gst_query_parse_nth_allocation_pool(query, 0, NULL, NULL, &min, NULL);
    return min;
}

/* The encoder keeps a surface, however often it comes, as long as any of its copies. */
static void take(Surfaces *line, GstBuffer *buffer)
{
    GstMemory *memory = gst_buffer_peek_memory(buffer, 0);

    line->n_came++;
    if (!g_ptr_array_find(line->surfaces, memory, NULL)) {
        line->n_out_of_surface++;
    } else if (g_queue_find(&line->kept, memory) == NULL) {
        g_queue_push_tail(&line->kept, gst_memory_ref(memory));
        if (line->kept.length > line->keeps)
            gst_memory_unref(line->keeps_first ? g_queue_pop_tail(&line->kept)
                                               : g_queue_pop_head(&line->kept));
    }
    gst_buffer_unref(buffer);
}

static void take_all(Surfaces *line)
{
    GstBuffer *buffer;

    while ((buffer = gst_harness_try_pull(line->harness)) != NULL) {
        g_mutex_lock(&line->lock);
        g_mutex_unlock(&line->lock);
        take(line, buffer);
    }
}

static GstMemory *find_free(Surfaces *line)
{
    for (guint i = 0; i < line->surfaces->len; i++) {
        GstMemory *memory = line->surfaces->pdata[i];
        if (GST_MINI_OBJECT_REFCOUNT_VALUE(memory) == 1)
            return memory;
    }
    return NULL;
}

static GstMemory *wait_for_free(Surfaces *line)
{
    GstMemory *memory;

    take_all(line);
    while ((memory = find_free(line)) == NULL) {
        ck_assert_msg(!line->synchronous, "%u surfaces: none is free for frame %u",
                      line->surfaces->len, line->n_sent);
        g_thread_yield();
        take_all(line);
    }
    return memory;
}

void surfaces_send(Surfaces *line, guint n)
{
    for (guint i = 0; i < n; i++) {
        GstBuffer *buffer = gst_buffer_new();
        gst_buffer_append_memory(buffer, gst_memory_ref(wait_for_free(line)));
        GST_BUFFER_PTS(buffer) = line->n_sent++ * 40 * GST_MSECOND;
        GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
        ck_assert_int_eq(gst_harness_push(line->harness, buffer), GST_FLOW_OK);
    }
    take_all(line);
}

void surfaces_finish(Surfaces *line)
{
    GstEvent *event;
    gboolean ended = FALSE;

    ck_assert(gst_harness_push_event(line->harness, gst_event_new_eos()));
    while (!ended) {
        event = gst_harness_pull_event(line->harness);
        ck_assert(event != NULL);
        ended = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
        gst_event_unref(event);
    }
    take_all(line);
}
