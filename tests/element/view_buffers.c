/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Upstreams that have as many buffers as the element proposes, where views hold some: the
 * stream goes on, and views are whole. */
#include "simulated.h"

#include "view_script.h"

void gst_plugin_vfiinterp_register(void);

#define MS GST_MSECOND
#define CAPS "video/x-raw,format=GRAY8,width=16,height=16,framerate=20/1"
/* The last picture has no repeats, which would be frames after the one before. */
#define N_FRAMES (12 * 12 + 1)

/* Only for a broken element: one that waits for a frame and keeps all buffers. */
#define PATIENCE (20 * G_TIME_SPAN_SECOND)

/* Supply of upstream's; whoever has none waits until one comes back. */
typedef struct {
    GMutex lock;
    GCond changed;
    guint n_free;
} Supply;

static void comes_back(gpointer user_data, GstMiniObject *memory)
{
    Supply *supply = user_data;

    (void)memory;
    g_mutex_lock(&supply->lock);
    supply->n_free++;
    g_cond_broadcast(&supply->changed);
    g_mutex_unlock(&supply->lock);
}

static void take_one(Supply *supply, GstBuffer *buffer)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&supply->lock);
    while (supply->n_free == 0)
        ck_assert_msg(g_cond_wait_until(&supply->changed, &supply->lock, deadline),
                      "no buffer came back");
    supply->n_free--;
    g_mutex_unlock(&supply->lock);
    gst_mini_object_weak_ref(GST_MINI_OBJECT_CAST(gst_buffer_peek_memory(buffer, 0)),
                             comes_back, supply);
}

/* What the element proposes to hold; downstream, which says nothing, counts for two. */
#define UNTOLD_NEED 2

static guint proposed(Fixture *f, GstBufferPool **pool)
{
    g_autoptr(GstCaps) caps = gst_caps_from_string(CAPS);
    g_autoptr(GstQuery) query = gst_query_new_allocation(caps, TRUE);
    guint min, max;

    ck_assert(gst_pad_peer_query(f->harness->srcpad, query));
    gst_query_parse_nth_allocation_pool(query, 0, pool, NULL, &min, &max);
    ck_assert_uint_eq(max, 0);
    ck_assert_uint_gt(min, UNTOLD_NEED);
    return min;
}

static Fixture *start(int index, const Family *family, const char *properties)
{
    g_autofree char *all = family_properties(family, properties);
    Fixture *f = fixture_new(in_flight_mode(index), all);

    f->forget = TRUE;
    fixture_set_caps(f, CAPS, NULL);
    return f;
}

static void stamp_and_push(Fixture *f, GstBuffer *buffer, guint number)
{
    GST_BUFFER_PTS(buffer) = number * 50 * MS;
    GST_BUFFER_DURATION(buffer) = 50 * MS;
    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
}

/* Whole but at the ends of the run. */
static void finish_and_check(Fixture *f, const Family *family, guint n_pictures)
{
    finish(f);
    ck_assert_uint_eq(counter(f, "out"), 2 * N_FRAMES);
    ck_assert_uint_eq(engine_stat(f, "pairs"), n_pictures - 1);
    ck_assert_uint_eq(engine_stat(f, "edge-views"),
                      (guint64)(family->before + family->after));
    fixture_free(f);
}

/* Each picture in @shown frames, in buffers that nothing says are few. */
static void check_unmarked(int index, const Family *family, const char *properties,
                           guint shown)
{
    Fixture *f = start(index, family, properties);
    Supply supply = {.n_free = proposed(f, NULL) - UNTOLD_NEED};

    g_mutex_init(&supply.lock);
    g_cond_init(&supply.changed);
    for (guint i = 0; i < N_FRAMES; i++) {
        GstBuffer *buffer = flat_frame(f, (int)(7 * (i / shown) % 251), 0, 0);
        take_one(&supply, buffer);
        stamp_and_push(f, buffer, i);
    }
    finish_and_check(f, family, N_FRAMES / shown + (shown > 1));
    g_mutex_clear(&supply.lock);
    g_cond_clear(&supply.changed);
}

GST_START_TEST(as_many_as_are_proposed_are_enough)
{
    static const struct {
        const char *properties;
        guint shown;
    } streams[] = {
        {NULL, 1},
        {"duplicate-mode=replace duplicate-threshold=0", 4},
        {"duplicate-mode=replace duplicate-threshold=0 duplicate-max=11", 12},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(streams); i++)
        check_unmarked(__i__ % N_MODES, &wide_families[__i__ / N_MODES],
                       streams[i].properties, streams[i].shown);
}
GST_END_TEST

/* The pool that is proposed, with no buffer more. */
GST_START_TEST(a_pool_of_what_is_proposed_is_enough)
{
    const Family *family = &wide_families[__i__ / N_MODES];
    Fixture *f = start(__i__ % N_MODES, family, NULL);
    g_autoptr(GstCaps) caps = gst_caps_from_string(CAPS);
    g_autoptr(GstBufferPool) pool = NULL;
    guint n = proposed(f, &pool);
    GstStructure *config = gst_buffer_pool_get_config(pool);

    gst_buffer_pool_config_set_params(config, caps, (guint)f->info.size, n, n);
    ck_assert(gst_buffer_pool_set_config(pool, config));
    ck_assert(gst_buffer_pool_set_active(pool, TRUE));
    for (guint i = 0; i < N_FRAMES; i++) {
        GstBuffer *buffer = NULL;
        ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool, &buffer, NULL),
                         GST_FLOW_OK);
        gst_buffer_memset(buffer, 0, (guint8)(7 * i % 251), f->info.size);
        stamp_and_push(f, buffer, i);
    }
    finish_and_check(f, family, N_FRAMES);
    gst_buffer_pool_set_active(pool, FALSE);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-view_buffers");
    TCase *tcase = tcase_create("view_buffers");

    gst_init(&argc, &argv);
    gst_plugin_vfiinterp_register();
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, as_many_as_are_proposed_are_enough, 0,
                        N_MODES * N_WIDE_FAMILIES);
    tcase_add_loop_test(tcase, a_pool_of_what_is_proposed_is_enough, 0,
                        N_MODES * N_WIDE_FAMILIES);
    return element_main(argc, argv, suite);
}
