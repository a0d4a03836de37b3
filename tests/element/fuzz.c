/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything at random: what upstream sends, what downstream answers, states, flushes,
 * pads, properties, queries, from three threads and the element's own. What has to hold
 * is in fuzz_peers.c and at the end of each life of the element: it still does its work,
 * and keeps nothing. Sanitizers see the rest.
 *
 *   element-fuzz [SEED [OPERATIONS]]      or VFI_FUZZ_SEED, VFI_FUZZ_OPERATIONS
 *
 * The numbers follow from the seed, how threads meet does not. */
#include "fuzz_peers.h"

#include "../engine/deterministic_weights.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS GST_MSECOND

#define SEED 1
#define OPERATIONS 4000

/* What the director does in a life of the element. */
#define OPERATIONS_OF_LIFE 60

/* One life in so many is a network's; they are slow. */
#define LIVES_OF_BLEND 12

/* The models of the others: of two frames, and of more. */
static const char *const quick_models[] = {
    "blend",   "blend",   "flow",    "sum-0-1",        "sum-1-0",
    "sum-1-1", "sum-2-1", "sum-3-3", "scaled-sum-0-0", "scaled-sum-1-1"};

/* Only for a broken element. */
#define PATIENCE (100 * G_TIME_SPAN_SECOND)

typedef struct {
    World *world;
    guint32 seed;
    gint running; /* atomic */
} Crew;

static gpointer upstream_thread(gpointer data)
{
    Crew *crew = data;
    GRand *random = g_rand_new_with_seed(crew->seed);

    while (g_atomic_int_get(&crew->running))
        fuzz_send_something(crew->world, random);
    g_rand_free(random);
    return NULL;
}

/* Properties and what is asked from outside. */

static const char *const settings[][5] = {
    {"multiplier", "1", "2", "3", "1000"},
    {"multipliers", "", "", "3,1,7", "1000,2"},
    {"scale", "1.0", "0.5", "0", "2.0"},
    {"skip-pairs", "", "", "1,3-5", "0-100"},
    {"tail", "duplicate", "hold", "none", "duplicate"},
    {"max-gap", "0", "1", "60000000", "18446744073709551615"},
    {"qos", "true", "false", "true", "false"},
    {"on-late", "auto", "wait", "duplicate", "skip"},
    {"latency-budget", "0", "1", "10000000", "18446744073709551615"},
    {"live-timeout", "0", "1000000", "30000000", "18446744073709551615"},
    {"scene-threshold", "0", "0.13", "1.0", "0.001"},
    {"scene-mode", "nearest", "duplicate", "none", "nearest"},
    {"duplicate-mode", "keep", "replace", "replace", "keep"},
    {"duplicate-threshold", "0", "4.0", "255", "0.5"},
    {"duplicate-max", "3", "0", "1", "64"},
    {"overlay", "auto", "off", "auto", "off"},
    {"overlay-mask", "", "", "/dev/null", "no-such-file.pgm"},
    {"mark-droppable", "false", "true", "false", "true"},
    {"on-error", "error", "passthrough", "duplicate", "duplicate"},
    {"unsupported", "error", "passthrough", "error", "error"},
    {"bypass-framerate", "0/1", "0/1", "30/1", "1/1"},
    {"bypass-pixels", "0", "0", "300", "1"},
    {"memory-limit", "0", "0", "1000000", "1000"},
    {"tile-size", "0", "0", "256", "1"},
    {"model-cache", "keep", "release", "keep", "release"},
    {"clear-cache-after-n-pairs", "10", "0", "1", "2"},
    {"stats-interval", "0", "1", "3", "0"},
};

static void set(World *world, const char *const row[5], guint value)
{
    gst_util_set_object_arg(G_OBJECT(world->element), row[0], row[1 + value]);
}

static void set_defaults(World *world)
{
    for (guint i = 0; i < G_N_ELEMENTS(settings); i++)
        set(world, settings[i], 0);
    gst_util_set_object_arg(G_OBJECT(world->element), "multiplier", "2");
}

static void look_at_stats(World *world)
{
    GstStructure *stats = NULL;
    guint64 out;

    g_object_get(world->element, "stats", &stats, "out", &out, NULL);
    gst_structure_free(stats);
}

static void ask_element(World *world, GRand *random)
{
    g_autoptr(GstQuery) latency = gst_query_new_latency();
    g_autoptr(GstCaps) caps = NULL;
    gint64 value;

    switch (fuzz_pick(random, 5)) {
    case 0:
        gst_pad_peer_query(world->sink, latency);
        break;
    case 1:
        gst_pad_peer_query_duration(world->sink, GST_FORMAT_DEFAULT, &value);
        break;
    case 2:
        caps = gst_pad_peer_query_caps(world->src, NULL);
        break;
    case 3:
        caps = gst_pad_peer_query_caps(world->sink, NULL);
        break;
    default:
        look_at_stats(world);
        break;
    }
}

static void send_upstream(World *world, GRand *random)
{
    static const GstQOSType types[] = {GST_QOS_TYPE_OVERFLOW, GST_QOS_TYPE_UNDERFLOW,
                                       GST_QOS_TYPE_THROTTLE};
    static const GstClockTimeDiff late[] = {0, 1, -5 * (gint64)MS, 40 * MS, G_MAXINT64};

    switch (fuzz_pick(random, 5)) {
    case 0:
        gst_pad_push_event(world->sink,
                           gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                              GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_NONE,
                                              -1));
        break;
    case 1:
        gst_pad_push_event(world->sink,
                           gst_event_new_latency(fuzz_pick(random, 200) * MS));
        break;
    case 2:
        gst_pad_push_event(world->sink, gst_event_new_reconfigure());
        break;
    default:
        gst_pad_push_event(world->sink,
                           gst_event_new_qos(fuzz_one_of(random, types), 1.0,
                                             MAX(fuzz_one_of(random, late), 0),
                                             (fuzz_pick(random, 4000) + 40) * MS));
        break;
    }
}

static gpointer bystander_thread(gpointer data)
{
    Crew *crew = data;
    GRand *random = g_rand_new_with_seed(crew->seed + 1);

    while (g_atomic_int_get(&crew->running)) {
        guint what = fuzz_pick(random, 10);
        if (what < 4)
            set(crew->world, settings[fuzz_pick(random, G_N_ELEMENTS(settings))],
                fuzz_pick(random, 4));
        else if (what < 7)
            ask_element(crew->world, random);
        else
            send_upstream(crew->world, random);
        g_atomic_int_inc(&crew->world->operations);
        g_usleep(fuzz_pick(random, 300));
    }
    g_rand_free(random);
    return NULL;
}

/* The director: states, flushes, pads and what downstream answers. */

static void set_state(World *world, GstState state)
{
    GstStateChangeReturn ret;

    fuzz_block(world, FALSE);
    ret = gst_element_set_state(world->element, state);
    if (ret != GST_STATE_CHANGE_SUCCESS)
        fuzz_fail(world, "no way to %s: %s", gst_element_state_get_name(state),
                  gst_element_state_change_return_get_name(ret));
}

static void go_down_and_up(World *world, GRand *random)
{
    static const GstState lows[] = {GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL};
    GstState low = fuzz_one_of(random, lows);

    set_state(world, low);
    if (low == GST_STATE_PAUSED) {
        set_state(world, GST_STATE_PLAYING);
        return;
    }
    g_rec_mutex_lock(&world->upstream);
    set_defaults(world);
    set_state(world, GST_STATE_PLAYING);
    fuzz_start_over(world);
    g_rec_mutex_unlock(&world->upstream);
}

static void relink(World *world, GRand *random)
{
    g_autoptr(GstPad) src = gst_element_get_static_pad(world->element, "src");

    fuzz_block(world, FALSE);
    gst_pad_unlink(src, world->sink);
    g_usleep(fuzz_pick(random, 500));
    g_atomic_int_inc(&world->relinked);
    gst_pad_link(src, world->sink);
}

static void flush(World *world, GRand *random)
{
    guint order = fuzz_pick(random, 12);

    g_rec_mutex_lock(&world->flusher);
    fuzz_block(world, FALSE);
    if (order != 1)
        fuzz_flush_start(world);
    if (order == 2)
        fuzz_flush_start(world);
    if (order != 3)
        fuzz_flush_stop(world, order != 1);
    if (order == 4)
        fuzz_flush_stop(world, FALSE);
    g_rec_mutex_unlock(&world->flusher);
}

static void change_downstream(World *world, GRand *random)
{
    static const gint flows[] = {GST_FLOW_OK,  GST_FLOW_OK,         GST_FLOW_OK,
                                 GST_FLOW_OK,  GST_FLOW_OK,         GST_FLOW_OK,
                                 GST_FLOW_OK,  GST_FLOW_NOT_LINKED, GST_FLOW_ERROR,
                                 GST_FLOW_EOS, GST_FLOW_FLUSHING};

    switch (fuzz_pick(random, 5)) {
    case 0:
        g_atomic_int_set(&world->flow, fuzz_one_of(random, flows));
        break;
    case 1:
        g_atomic_int_set(&world->allocation, (gint)fuzz_pick(random, 9));
        break;
    case 2:
        g_atomic_int_set(&world->wanted_rate, (gint)fuzz_pick(random, 7));
        break;
    case 3:
        g_atomic_int_set(&world->live, (gint)fuzz_pick(random, 2));
        break;
    default:
        g_atomic_int_set(&world->flush_in, (gint)fuzz_pick(random, 30));
        break;
    }
    if (fuzz_pick(random, 2) == 0)
        gst_pad_push_event(world->sink, gst_event_new_reconfigure());
}

/* Waits for @n frames, a little: there may be none. */
static void let_frames_go(World *world, guint n)
{
    gint before = g_atomic_int_get(&world->frames);

    for (guint i = 0; i < 4 * n && g_atomic_int_get(&world->frames) - before < (gint)n;
         i++)
        g_usleep(250);
}

static void direct(World *world, GRand *random)
{
    guint what = fuzz_pick(random, 20);

    if (what < 7)
        flush(world, random);
    else if (what < 12)
        change_downstream(world, random);
    else if (what < 14)
        relink(world, random);
    else if (what < 16)
        fuzz_block(world, fuzz_pick(random, 2) == 0);
    else if (what < 17)
        go_down_and_up(world, random);
    else if (what < 19)
        g_signal_emit_by_name(world->element, "clear-cache", fuzz_pick(random, 2) == 0);
    else
        g_signal_emit_by_name(world->element, "reset-stats");
    g_atomic_int_inc(&world->operations);
    let_frames_go(world, fuzz_pick(random, fuzz_pick(random, 8) == 0 ? 60 : 8));
}

/* Whatever came before: with neighbours that behave and all properties at rest a stream
 * goes through as if it were the first. */
static void check_that_it_works(World *world)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE;
    g_autoptr(GstPad) src = gst_element_get_static_pad(world->element, "src");
    GstSegment segment;

    set_defaults(world);
    gst_segment_init(&segment, GST_FORMAT_TIME);
    g_atomic_int_set(&world->flow, GST_FLOW_OK);
    g_atomic_int_set(&world->allocation, 0);
    g_atomic_int_set(&world->wanted_rate, 0);
    g_atomic_int_set(&world->live, 0);
    g_atomic_int_set(&world->flush_in, 0);
    fuzz_block(world, FALSE);
    if (!gst_pad_is_linked(src))
        gst_pad_link(src, world->sink);
    fuzz_flush_start(world);
    fuzz_flush_stop(world, TRUE);
    world->needs_start = TRUE;
    world->segment = segment;
    g_mutex_lock(&world->lock);
    world->got_eos = FALSE;
    g_mutex_unlock(&world->lock);
    fuzz_send_start(world);
    for (guint i = 0; i < 3; i++) {
        GstFlowReturn flow = fuzz_send_frame(world, (int)i * 9, i * 40 * MS, 40 * MS);
        if (flow != GST_FLOW_OK)
            fuzz_fail(world, "a frame at the end was answered %s",
                      gst_flow_get_name(flow));
    }
    gst_pad_push_event(world->src, gst_event_new_eos());
    g_mutex_lock(&world->lock);
    while (!world->got_eos)
        if (!g_cond_wait_until(&world->changed, &world->lock, deadline))
            fuzz_fail(world, "the last EOS does not arrive");
    g_mutex_unlock(&world->lock);
}

static void live_once(World *world, GRand *random, const char *model)
{
    gboolean is_slow = g_path_is_absolute(model);
    guint n_operations = OPERATIONS_OF_LIFE / (is_slow ? 4 : 1);
    static const gint in_flight[] = {-1, 0, 0, 1, 2, 2, 4};
    g_autoptr(GstBus) bus = gst_bus_new();
    g_autoptr(GstClock) clock = gst_system_clock_obtain();
    Crew crew = {.world = world, .seed = g_rand_int(random), .running = 1};
    GThread *upstream, *bystander;

    world->element = gst_object_ref_sink(gst_element_factory_make("vfiinterp", NULL));
    g_object_set(world->element, "model", model, "device", "cpu", "max-in-flight",
                 fuzz_one_of(random, in_flight), "threads", fuzz_pick(random, 2) + 1,
                 NULL);
    gst_bus_set_flushing(bus, TRUE); /* nobody reads it */
    gst_element_set_bus(world->element, bus);
    gst_element_set_clock(world->element, clock);
    gst_element_set_base_time(world->element, gst_clock_get_time(clock));
    world->n_buffers = fuzz_pick(random, 2) * (fuzz_pick(random, 4) + 1);
    fuzz_peers_open(world);
    set_state(world, GST_STATE_PLAYING);
    upstream = g_thread_new("upstream", upstream_thread, &crew);
    bystander = g_thread_new("bystander", bystander_thread, &crew);
    for (guint i = 0; i < n_operations; i++)
        direct(world, random);
    g_atomic_int_set(&crew.running, 0);
    g_thread_join(bystander);
    /* It may be in the midst of something long. */
    fuzz_block(world, FALSE);
    fuzz_flush_start(world);
    g_thread_join(upstream);
    check_that_it_works(world);
    set_state(world, GST_STATE_NULL);
    fuzz_peers_close(world);
    gst_element_set_bus(world->element, NULL);
    gst_clear_object(&world->element);
    if (g_atomic_int_get(&world->buffers) != 0)
        fuzz_fail(world, "%d frames are kept", g_atomic_int_get(&world->buffers));
}

/* Ends what hangs, so that it can be looked for. */
static gpointer watch(gpointer data)
{
    World *world = data;
    gint64 since = g_get_monotonic_time();
    gint seen = -1;

    for (;;) {
        gint now =
            g_atomic_int_get(&world->operations) + g_atomic_int_get(&world->outputs);
        if (now != seen)
            since = g_get_monotonic_time();
        else if (g_get_monotonic_time() - since > PATIENCE)
            fuzz_fail(world, "nothing moves any more");
        seen = now;
        g_usleep(G_USEC_PER_SEC);
    }
    return NULL;
}

static guint number(int argc, char **argv, int index, const char *variable,
                    guint otherwise)
{
    const char *text = argc > index ? argv[index] : g_getenv(variable);

    return text != NULL ? (guint)g_ascii_strtoull(text, NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    World world = {0};
    g_autofree char *network = NULL;
    guint most, lives = 0;
    gint64 began;
    GRand *random;

    gst_init(&argc, &argv);
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL |
                           G_LOG_LEVEL_WARNING);
    world.seed = number(argc, argv, 1, "VFI_FUZZ_SEED", SEED);
    most = number(argc, argv, 2, "VFI_FUZZ_OPERATIONS", OPERATIONS);
    printf("1..1\n# seed %u\n", world.seed);
    fflush(stdout);
    network = deterministic_checkpoint("rife_v4_25_lite", NULL);
    random = g_rand_new_with_seed(world.seed);
    g_thread_unref(g_thread_new("watch", watch, &world));
    began = g_get_monotonic_time();
    while ((guint)g_atomic_int_get(&world.operations) < most)
        live_once(&world, random,
                  ++lives % LIVES_OF_BLEND == 2 && network != NULL
                      ? network
                      : fuzz_one_of(random, quick_models));
    printf("# %d operations and %d outputs in %u lives, %.0f operations a second\n",
           world.operations, world.outputs, lives,
           world.operations * 1e6 / (gdouble)(g_get_monotonic_time() - began + 1));
    printf("ok 1 - everything at random\n");
    g_rand_free(random);
    if (network != NULL)
        g_unlink(network);
    return EXIT_SUCCESS;
}
