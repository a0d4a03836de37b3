/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Upstream keeps to the protocol of pads (a segment before a buffer, and so on), because
 * GStreamer itself complains otherwise, and to nothing else. */
#include "fuzz_peers.h"

#include <gst/video/video-event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MS GST_MSECOND

/* A frame that comes out as it is has the number that it came in with. */
#define OWN_NUMBER ((guint64)1 << 60)

void fuzz_fail(World *world, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    g_autofree char *text = g_strdup_vprintf(format, list);
    va_end(list);
    fprintf(stderr, "seed %u, operation %d: %s\n", world->seed,
            g_atomic_int_get(&world->operations), text);
    abort();
}

guint fuzz_pick(GRand *random, guint n)
{
    return (guint)g_rand_int_range(random, 0, (gint32)n);
}

/* Downstream. */

/* In the order of play, except where a run begins. Where a run began may have been lost
 * while nothing was linked. */
static void check_order(World *world, GstBuffer *buffer)
{
    GstClockTime pts = GST_BUFFER_PTS(buffer);
    guint64 offset = GST_BUFFER_OFFSET(buffer);
    gint relinked = g_atomic_int_get(&world->relinked);
    gboolean follows = world->has_last && offset > world->last_offset &&
                       relinked == world->last_relinked &&
                       !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT);

    world->has_last = offset < OWN_NUMBER;
    if (!world->has_last)
        return;
    if (!GST_CLOCK_TIME_IS_VALID(pts))
        fuzz_fail(world, "an output without a time");
    if (follows && (world->reverse ? pts >= world->last_pts : pts <= world->last_pts))
        fuzz_fail(world,
                  "output %" G_GUINT64_FORMAT " at %" GST_TIME_FORMAT
                  " follows one at %" GST_TIME_FORMAT,
                  offset, GST_TIME_ARGS(pts), GST_TIME_ARGS(world->last_pts));
    world->last_pts = pts;
    world->last_offset = offset;
    world->last_relinked = relinked;
}

static GstFlowReturn take_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    World *world = gst_pad_get_element_private(pad);
    GstFlowReturn flow;

    (void)parent;
    g_atomic_int_inc(&world->outputs);
    if (!world->has_segment)
        fuzz_fail(world, "a buffer between a flush and its segment");
    check_order(world, buffer);
    gst_buffer_unref(buffer);
    g_mutex_lock(&world->lock);
    while (world->blocked)
        g_cond_wait(&world->changed, &world->lock);
    g_mutex_unlock(&world->lock);
    if (g_atomic_int_get(&world->flush_in) > 0 &&
        g_atomic_int_dec_and_test(&world->flush_in) &&
        g_rec_mutex_trylock(&world->flusher)) {
        fuzz_flush_start(world);
        fuzz_flush_stop(world, FALSE);
        g_rec_mutex_unlock(&world->flusher);
    }
    flow = (GstFlowReturn)g_atomic_int_get(&world->flow);
    if (flow != GST_FLOW_OK)
        world->has_last = FALSE; /* what was behind it is lost */
    return flow;
}

static gboolean take_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    World *world = gst_pad_get_element_private(pad);
    const GstSegment *segment;
    GstCaps *caps;

    (void)parent;
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START:
        fuzz_block(world, FALSE);
        break;
    case GST_EVENT_FLUSH_STOP:
        world->has_segment = FALSE;
        world->has_last = FALSE;
        break;
    case GST_EVENT_SEGMENT:
        gst_event_parse_segment(event, &segment);
        world->has_segment = TRUE;
        world->reverse = segment->rate < 0;
        world->has_last = FALSE;
        break;
    case GST_EVENT_CAPS:
        gst_event_parse_caps(event, &caps);
        if (!gst_video_info_from_caps(&world->out_info, caps))
            fuzz_fail(world, "caps without a meaning");
        break;
    case GST_EVENT_EOS:
        g_mutex_lock(&world->lock);
        world->got_eos = TRUE;
        g_cond_broadcast(&world->changed);
        g_mutex_unlock(&world->lock);
        break;
    default:
        break;
    }
    gst_event_unref(event);
    return TRUE;
}

static gboolean answer_allocation(World *world, GstQuery *query)
{
    gint which = g_atomic_int_get(&world->allocation);
    g_autoptr(GstBufferPool) pool = NULL;
    GstStructure *config;
    GstVideoInfo info;
    GstCaps *caps;

    gst_query_parse_allocation(query, &caps, NULL);
    if (which == 0 || caps == NULL || !gst_video_info_from_caps(&info, caps))
        return FALSE;
    if (which & 1)
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    if (which < 3) {
        gst_query_add_allocation_pool(query, NULL, (guint)info.size, 2, 0);
        return TRUE;
    }
    pool = gst_video_buffer_pool_new();
    config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(config, caps, (guint)info.size, 2,
                                      (guint)which < 5 ? 0 : (guint)which);
    if (!gst_buffer_pool_set_config(pool, config))
        return FALSE;
    gst_query_add_allocation_pool(query, pool, (guint)info.size, 2,
                                  which < 5 ? 0 : (guint)which);
    return TRUE;
}

static GstCaps *wanted_caps(World *world, const GstCaps *filter)
{
    static const char *const wanted[] = {
        "video/x-raw",
        "video/x-raw,framerate=60/1",
        "video/x-raw,framerate=50/1",
        "video/x-raw,framerate=1000000/1",
        "video/x-raw,framerate=30000/1001",
        "video/x-raw,framerate=0/1",
        "video/x-raw,framerate=[1/1,100/1],format={GRAY8,I420}",
    };
    guint which = (guint)g_atomic_int_get(&world->wanted_rate) % G_N_ELEMENTS(wanted);
    GstCaps *caps = gst_caps_from_string(wanted[which]);

    if (filter != NULL) {
        GstCaps *both = gst_caps_intersect((GstCaps *)filter, caps);
        gst_caps_unref(caps);
        caps = both;
    }
    return caps;
}

static gboolean answer_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    World *world = gst_pad_get_element_private(pad);
    GstCaps *caps;

    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_ALLOCATION:
        return answer_allocation(world, query);
    case GST_QUERY_CAPS: {
        g_autoptr(GstCaps) wanted = NULL;
        gst_query_parse_caps(query, &caps);
        wanted = wanted_caps(world, caps);
        gst_query_set_caps_result(query, wanted);
        return TRUE;
    }
    case GST_QUERY_ACCEPT_CAPS: {
        g_autoptr(GstCaps) wanted = NULL;
        gst_query_parse_accept_caps(query, &caps);
        wanted = wanted_caps(world, caps);
        gst_query_set_accept_caps_result(query, !gst_caps_is_empty(wanted));
        return TRUE;
    }
    case GST_QUERY_DRAIN:
        return TRUE;
    default:
        return gst_pad_query_default(pad, parent, query);
    }
}

void fuzz_block(World *world, gboolean blocked)
{
    g_mutex_lock(&world->lock);
    world->blocked = blocked;
    g_cond_broadcast(&world->changed);
    g_mutex_unlock(&world->lock);
}

/* Upstream. */

static gboolean answer_upstream(GstPad *pad, GstObject *parent, GstQuery *query)
{
    World *world = gst_pad_get_element_private(pad);

    switch (GST_QUERY_TYPE(query)) {
    case GST_QUERY_LATENCY:
        gst_query_set_latency(query, g_atomic_int_get(&world->live) != 0, 0,
                              GST_CLOCK_TIME_NONE);
        return TRUE;
    case GST_QUERY_DURATION:
        gst_query_set_duration(query, GST_FORMAT_DEFAULT, 1000);
        return TRUE;
    default:
        return gst_pad_query_default(pad, parent, query);
    }
}

static gboolean drop_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    (void)pad;
    (void)parent;
    gst_event_unref(event);
    return TRUE;
}

void fuzz_peers_open(World *world)
{
    g_autoptr(GstPad) sink = gst_element_get_static_pad(world->element, "sink");
    g_autoptr(GstPad) src = gst_element_get_static_pad(world->element, "src");

    g_rec_mutex_init(&world->flusher);
    g_rec_mutex_init(&world->upstream);
    g_mutex_init(&world->lock);
    g_cond_init(&world->changed);
    gst_segment_init(&world->segment, GST_FORMAT_TIME);
    world->src = gst_object_ref_sink(gst_pad_new("upstream", GST_PAD_SRC));
    gst_pad_set_element_private(world->src, world);
    gst_pad_set_query_function(world->src, answer_upstream);
    gst_pad_set_event_function(world->src, drop_event);
    world->sink = gst_object_ref_sink(gst_pad_new("downstream", GST_PAD_SINK));
    gst_pad_set_element_private(world->sink, world);
    gst_pad_set_chain_function(world->sink, take_buffer);
    gst_pad_set_event_function(world->sink, take_event);
    gst_pad_set_query_function(world->sink, answer_query);
    gst_pad_link(world->src, sink);
    gst_pad_link(src, world->sink);
    gst_pad_set_active(world->sink, TRUE);
    gst_pad_set_active(world->src, TRUE);
    world->needs_start = TRUE;
}

/* A pool whose buffers come back in an order that ThreadSanitizer sees: it does not look
 * into the queue that pools keep them in. */
typedef struct {
    GstBufferPool parent;
    GMutex lock;
} FramePool;

typedef GstBufferPoolClass FramePoolClass;

GType frame_pool_get_type(void);
G_DEFINE_TYPE(FramePool, frame_pool, GST_TYPE_BUFFER_POOL)

static void pass_order(GstBufferPool *pool)
{
    FramePool *self = (FramePool *)pool;

    g_mutex_lock(&self->lock);
    g_mutex_unlock(&self->lock);
}

static GstFlowReturn acquire_frame(GstBufferPool *pool, GstBuffer **buffer,
                                   GstBufferPoolAcquireParams *params)
{
    GstFlowReturn ret = GST_BUFFER_POOL_CLASS(frame_pool_parent_class)
                            ->acquire_buffer(pool, buffer, params);

    pass_order(pool);
    return ret;
}

static void release_frame(GstBufferPool *pool, GstBuffer *buffer)
{
    pass_order(pool);
    GST_BUFFER_POOL_CLASS(frame_pool_parent_class)->release_buffer(pool, buffer);
}

static void frame_pool_finalize(GObject *object)
{
    g_mutex_clear(&((FramePool *)object)->lock);
    G_OBJECT_CLASS(frame_pool_parent_class)->finalize(object);
}

static void frame_pool_class_init(FramePoolClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = frame_pool_finalize;
    klass->acquire_buffer = acquire_frame;
    klass->release_buffer = release_frame;
}

static void frame_pool_init(FramePool *self)
{
    g_mutex_init(&self->lock);
}

static void object_gone(gpointer data, GObject *object)
{
    (void)object;
    g_atomic_int_add(&((World *)data)->buffers, -1);
}

/* Takes @pool; frames of the old one come back to it, and it goes. */
static void set_pool(World *world, GstBufferPool *pool)
{
    GstBufferPool *old;

    g_mutex_lock(&world->lock);
    old = world->pool;
    world->pool = pool;
    g_mutex_unlock(&world->lock);
    if (old == NULL)
        return;
    gst_buffer_pool_set_active(old, FALSE);
    gst_object_unref(old);
}

/* Upstream has few frames, and waits for one that comes back. */
static void renew_pool(World *world)
{
    GstBufferPool *pool;
    GstStructure *config;

    if (world->n_buffers == 0)
        return;
    pool = gst_object_ref_sink(g_object_new(frame_pool_get_type(), NULL));
    g_atomic_int_inc(&world->buffers);
    g_object_weak_ref(G_OBJECT(pool), object_gone, world);
    config = gst_buffer_pool_get_config(pool);
    gst_buffer_pool_config_set_params(
        config, NULL, (guint)GST_VIDEO_INFO_SIZE(&world->info), 0, world->n_buffers);
    if (!gst_buffer_pool_set_config(pool, config) ||
        !gst_buffer_pool_set_active(pool, TRUE))
        fuzz_fail(world, "upstream has no pool");
    set_pool(world, pool);
}

static GstBufferPool *ref_pool(World *world)
{
    GstBufferPool *pool;

    g_mutex_lock(&world->lock);
    pool = world->pool != NULL ? gst_object_ref(world->pool) : NULL;
    g_mutex_unlock(&world->lock);
    return pool;
}

/* As sources do it, lest they wait for frames that a flush has yet to free. */
static void set_pool_flushing(World *world, gboolean flushing)
{
    g_autoptr(GstBufferPool) pool = ref_pool(world);

    if (pool != NULL)
        gst_buffer_pool_set_flushing(pool, flushing);
}

void fuzz_peers_close(World *world)
{
    set_pool(world, NULL);
    gst_pad_set_active(world->src, FALSE);
    gst_pad_set_active(world->sink, FALSE);
    gst_clear_object(&world->src);
    gst_clear_object(&world->sink);
    g_rec_mutex_clear(&world->flusher);
    g_rec_mutex_clear(&world->upstream);
    g_mutex_clear(&world->lock);
    g_cond_clear(&world->changed);
}

void fuzz_start_over(World *world)
{
    g_autoptr(GstPad) sink = gst_element_get_static_pad(world->element, "sink");
    g_autoptr(GstPad) src = gst_element_get_static_pad(world->element, "src");

    g_rec_mutex_lock(&world->upstream);
    gst_pad_set_active(world->src, FALSE);
    gst_pad_unlink(world->src, sink);
    gst_pad_link(world->src, sink);
    gst_pad_set_active(world->src, TRUE);
    if (!gst_pad_is_linked(src))
        gst_pad_link(src, world->sink);
    world->needs_start = TRUE;
    g_rec_mutex_unlock(&world->upstream);
}

void fuzz_flush_start(World *world)
{
    set_pool_flushing(world, TRUE);
    gst_pad_push_event(world->src, gst_event_new_flush_start());
}

void fuzz_flush_stop(World *world, gboolean patiently)
{
    if (patiently)
        g_rec_mutex_lock(&world->upstream);
    else if (!g_rec_mutex_trylock(&world->upstream))
        return;
    gst_pad_push_event(world->src, gst_event_new_flush_stop(TRUE));
    set_pool_flushing(world, FALSE);
    world->needs_segment = TRUE;
    g_rec_mutex_unlock(&world->upstream);
}

void fuzz_send_caps(World *world, const char *format, int width, int height,
                    const char *rate)
{
    g_autofree char *text =
        g_strdup_printf("video/x-raw,format=%s,width=%d,height=%d,framerate=%s", format,
                        width, height, rate);
    g_autoptr(GstCaps) caps = gst_caps_from_string(text);
    GstVideoInfo info;

    if (!gst_video_info_from_caps(&info, caps))
        return;
    world->info = info;
    renew_pool(world);
    gst_pad_push_event(world->src, gst_event_new_caps(caps));
}

void fuzz_send_segment(World *world, const GstSegment *segment)
{
    world->segment = *segment;
    world->needs_segment = FALSE; /* unless a flush comes from within */
    if (!gst_pad_push_event(world->src, gst_event_new_segment(segment)) &&
        GST_PAD_IS_FLUSHING(world->src))
        world->needs_segment = TRUE;
}

void fuzz_send_start(World *world)
{
    if (world->needs_start) {
        world->needs_start = FALSE;
        gst_pad_push_event(world->src, gst_event_new_stream_start("fuzz"));
        fuzz_send_caps(world, "I420", 16, 16, "25/1");
        world->needs_segment = TRUE;
    }
    if (world->needs_segment)
        fuzz_send_segment(world, &world->segment);
}

static void frame_gone(gpointer data, GstMiniObject *buffer)
{
    (void)buffer;
    g_atomic_int_add(&((World *)data)->buffers, -1);
}

/* One of the pool's, or NULL in a flush, or a new one. */
static GstBuffer *new_buffer(World *world)
{
    g_autoptr(GstBufferPool) pool = ref_pool(world);
    GstBuffer *buffer = NULL;

    if (pool != NULL) {
        gst_buffer_pool_acquire_buffer(pool, &buffer, NULL);
        return buffer;
    }
    buffer = gst_buffer_new_allocate(NULL, GST_VIDEO_INFO_SIZE(&world->info), NULL);
    g_atomic_int_inc(&world->buffers);
    gst_mini_object_weak_ref(GST_MINI_OBJECT_CAST(buffer), frame_gone, world);
    return buffer;
}

/* NULL in a flush. */
static GstBuffer *new_frame(World *world, int value, GstClockTime pts,
                            GstClockTime duration)
{
    static gint number;
    GstBuffer *buffer = new_buffer(world);

    if (buffer == NULL)
        return NULL;
    gst_buffer_memset(buffer, 0, (guint8)value, GST_VIDEO_INFO_SIZE(&world->info));
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = duration;
    GST_BUFFER_OFFSET(buffer) = OWN_NUMBER + (guint64)g_atomic_int_add(&number, 1);
    return buffer;
}

GstFlowReturn fuzz_send_frame(World *world, int value, GstClockTime pts,
                              GstClockTime duration)
{
    GstBuffer *buffer = new_frame(world, value, pts, duration);

    return buffer != NULL ? gst_pad_push(world->src, buffer) : GST_FLOW_FLUSHING;
}

static GstFlowReturn send_random_frame(World *world, GRand *random)
{
    static const GstClockTime wild[] = {0,          1,           17 * MS,
                                        300 * MS,   GST_SECOND,  3600 * GST_SECOND,
                                        G_MAXINT64, G_MAXUINT64, G_MAXUINT64 - 1};
    GstClockTime duration = 40 * MS, pts = world->pts;
    GstBuffer *buffer;

    if (fuzz_pick(random, 12) == 0)
        duration = fuzz_one_of(random, wild);
    if (fuzz_pick(random, 12) == 0)
        pts = fuzz_pick(random, 2) == 0 ? world->pts + fuzz_one_of(random, wild)
                                        : fuzz_one_of(random, wild);
    if (fuzz_pick(random, 8) == 0)
        pts += fuzz_pick(random, 9) * MS;
    if (GST_CLOCK_TIME_IS_VALID(pts))
        world->pts = pts;
    if (world->segment.rate > 0)
        world->pts += 40 * MS;
    else
        world->pts -= MIN(world->pts, 40 * MS);
    buffer = new_frame(world, (int)fuzz_pick(random, 4) * 60, pts, duration);
    if (buffer == NULL)
        return GST_FLOW_FLUSHING;
    if (fuzz_pick(random, 30) == 0)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DISCONT);
    if (fuzz_pick(random, 30) == 0)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    if (fuzz_pick(random, 60) == 0)
        gst_buffer_add_video_crop_meta(buffer)->width = 3;
    if (fuzz_pick(random, 200) == 0)
        gst_buffer_resize(buffer, 0, (gssize)gst_buffer_get_size(buffer) / 2);
    return gst_pad_push(world->src, buffer);
}

static void send_random_caps(World *world, GRand *random)
{
    static const char *const formats[] = {
        "I420", "GRAY8", "NV12", "RGB", "BGRA", "I420_10LE", "v210", "GRAY16_LE", "YUY2"};
    static const char *const rates[] = {"25/1", "24/1",   "30000/1001",   "0/1",
                                        "1/1",  "1000/1", "2147483647/1", "1/2147483647"};
    static const int sizes[] = {1, 2, 16, 16, 17, 33};

    fuzz_send_caps(world, fuzz_one_of(random, formats), fuzz_one_of(random, sizes),
                   fuzz_one_of(random, sizes), fuzz_one_of(random, rates));
}

static void send_random_segment(World *world, GRand *random)
{
    static const gdouble rates[] = {1.0, 1.0, 1.0, 2.0, 0.5, -1.0, -2.0};
    static const guint64 times[] = {0, 0, 40 * MS, 1, GST_SECOND, 3600 * GST_SECOND};
    GstSegment segment;

    gst_segment_init(&segment,
                     fuzz_pick(random, 20) == 0 ? GST_FORMAT_BYTES : GST_FORMAT_TIME);
    segment.rate = fuzz_one_of(random, rates);
    segment.start = fuzz_one_of(random, times);
    if (fuzz_pick(random, 3) == 0 || segment.rate < 0)
        segment.stop = segment.start + fuzz_one_of(random, times);
    if (fuzz_pick(random, 10) == 0)
        segment.flags = GST_SEGMENT_FLAG_TRICKMODE_KEY_UNITS;
    if (fuzz_pick(random, 3) == 0)
        world->pts = segment.rate > 0 ? segment.start : segment.stop;
    fuzz_send_segment(world, &segment);
}

static void send_random_gap(World *world, GRand *random)
{
    static const GstClockTime durations[] = {0, 40 * MS, GST_SECOND, G_MAXUINT64};

    GstClockTime pts = world->pts + fuzz_pick(random, 80) * MS;

    if (GST_CLOCK_TIME_IS_VALID(pts))
        gst_pad_push_event(world->src,
                           gst_event_new_gap(pts, fuzz_one_of(random, durations)));
}

static void send_random_event(World *world, GRand *random)
{
    switch (fuzz_pick(random, 7)) {
    case 0:
        gst_pad_push_event(
            world->src, gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "fuzz", NULL)));
        break;
    case 1:
        gst_pad_push_event(world->src, gst_video_event_new_still_frame(TRUE));
        break;
    case 2:
        gst_pad_push_event(
            world->src, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                             gst_structure_new_empty("vfi-scene-cut")));
        break;
    case 3:
        gst_pad_push_event(world->src, gst_event_new_segment_done(GST_FORMAT_TIME, 1));
        break;
    case 4:
        world->needs_start = TRUE;
        break;
    default:
        gst_pad_push_event(world->src, gst_event_new_eos());
        /* Nothing may follow but a new stream or a flush. */
        world->needs_start = TRUE;
        break;
    }
}

static void ask_something(World *world, GRand *random)
{
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(&world->info);
    g_autoptr(GstQuery) query = fuzz_pick(random, 2) == 0
                                    ? gst_query_new_drain()
                                    : gst_query_new_allocation(caps, TRUE);

    gst_pad_peer_query(world->src, query);
}

/* Begins anew, as with a seek, where nothing goes any more. */
static void recover(World *world, GstFlowReturn flow)
{
    world->refused = flow == GST_FLOW_OK ? 0 : world->refused + 1;
    if (world->refused < 12)
        return;
    world->refused = 0;
    if (!g_rec_mutex_trylock(&world->flusher))
        return;
    fuzz_flush_start(world);
    fuzz_flush_stop(world, TRUE);
    g_rec_mutex_unlock(&world->flusher);
}

void fuzz_send_something(World *world, GRand *random)
{
    guint what = fuzz_pick(random, 100);

    GstFlowReturn flow = GST_FLOW_OK;

    g_rec_mutex_lock(&world->upstream);
    fuzz_send_start(world);
    if (GST_PAD_IS_FLUSHING(world->src) || world->needs_segment)
        flow = GST_FLOW_FLUSHING;
    else if (what < 80)
        flow = send_random_frame(world, random);
    else if (what < 84)
        send_random_caps(world, random);
    else if (what < 88)
        send_random_segment(world, random);
    else if (what < 92)
        send_random_gap(world, random);
    else if (what < 95)
        send_random_event(world, random);
    else if (what < 98)
        ask_something(world, random);
    else
        fuzz_flush_stop(world, TRUE);
    g_rec_mutex_unlock(&world->upstream);
    if (flow == GST_FLOW_OK)
        g_atomic_int_inc(&world->operations);
    if (flow == GST_FLOW_OK && what < 80)
        g_atomic_int_inc(&world->frames);
    recover(world, flow);
    /* What is answered at once would come by the thousand. */
    if (flow != GST_FLOW_OK || what >= 80)
        g_usleep(200);
}
