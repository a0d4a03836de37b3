/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements and the memory that they and the process keep: sharing of models, model-cache,
 * clear-cache, memory-headroom, memory-limit, tile-size. */
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "../engine/deterministic_weights.h"
#include "fixture.h"

#define SMALL "video/x-raw,format=I420,width=32,height=32,framerate=20/1"
#define OTHER "video/x-raw,format=I420,width=64,height=32,framerate=20/1"
#define N_ELEMENTS 32

static char *path; /* of a model */

static void setup(void)
{
    path = deterministic_checkpoint("rife_v4_0", NULL);
    ck_assert(path != NULL);
}

static void teardown(void)
{
    g_unlink(path);
    g_free(path);
}

static void forget_models(void)
{
    vfi_clear_cache(TRUE);
}

static VfiModelCacheStats stats(void)
{
    VfiModelCacheStats now;

    vfi_model_cache_get_stats(&now);
    return now;
}

static void set_state(GstElement *element, GstState state)
{
    ck_assert_int_ne(gst_element_set_state(element, state), GST_STATE_CHANGE_FAILURE);
}

static GstElement *new_element(void)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);

    ck_assert(element != NULL);
    g_object_set(element, "model", path, NULL);
    return gst_object_ref_sink(element);
}

static Fixture *fixture_with_model(int in_flight, const char *properties)
{
    g_autofree char *all = g_strdup_printf("model=%s threads=1 %s", path,
                                           properties != NULL ? properties : "");

    Fixture *f = fixture_new(in_flight, all);
    gst_harness_set_live(f->harness, FALSE); /* waits for its session */
    return f;
}

static void push_noise(Fixture *f, guint n)
{
    for (guint i = 0; i < n; i++)
        ck_assert_int_eq(
            gst_harness_push(f->harness,
                             noise_frame(f, i, i * 50 * GST_MSECOND, 50 * GST_MSECOND)),
            GST_FLOW_OK);
}

GST_START_TEST(elements_with_one_model_read_it_once)
{
    GstElement *elements[N_ELEMENTS];

    for (int i = 0; i < N_ELEMENTS; i++) {
        elements[i] = new_element();
        set_state(elements[i], GST_STATE_READY);
    }
    ck_assert_uint_eq(stats().loads, 1);
    ck_assert_uint_eq(stats().hits, N_ELEMENTS - 1);
    ck_assert_uint_eq(stats().models, 1);
    /* models.md: 5160980 parameters */
    ck_assert_uint_eq(stats().weight_bytes, 5160980 * sizeof(float));
    for (int i = 0; i < N_ELEMENTS; i++) {
        set_state(elements[i], GST_STATE_NULL);
        ck_assert_uint_eq(stats().idle, i == N_ELEMENTS - 1);
    }

    /* the way from NULL to READY reads nothing the second time */
    for (int i = 0; i < N_ELEMENTS; i++) {
        set_state(elements[i], GST_STATE_READY);
        set_state(elements[i], GST_STATE_NULL);
        gst_object_unref(elements[i]);
    }
    ck_assert_uint_eq(stats().loads, 1);
}
GST_END_TEST

GST_START_TEST(sessions_share_packed_weights)
{
    Fixture *first = fixture_with_model(in_flight_mode(__i__), NULL);
    Fixture *second = fixture_with_model(in_flight_mode(__i__), NULL);

    fixture_set_caps(first, SMALL, NULL);
    push_noise(first, 2);
    wait_for_buffers(first, 2);
    size_t packed = stats().packed_bytes;
    ck_assert_uint_gt(packed, 0);
    fixture_set_caps(second, SMALL, NULL);
    push_noise(second, 2);
    wait_for_buffers(second, 2);
    ck_assert_uint_eq(stats().packed_bytes, packed);
    fixture_free(first);
    ck_assert_uint_eq(stats().packed_bytes, packed);
    fixture_free(second);
    ck_assert_uint_eq(stats().idle, 1);
    ck_assert_uint_eq(stats().packed_bytes, 0); /* PAUSED→READY is a soft clear */
}
GST_END_TEST

GST_START_TEST(release_lets_the_model_go)
{
    GstElement *element = new_element();
    gint model_cache = -1;

    g_object_get(element, "model-cache", &model_cache, NULL);
    ck_assert_int_eq(model_cache, 0);
    set_state(element, GST_STATE_READY);
    set_state(element, GST_STATE_NULL);
    ck_assert_uint_eq(stats().models, 1);
    set_state(element, GST_STATE_PAUSED);
    gst_util_set_object_arg(G_OBJECT(element), "model-cache", "release");
    set_state(element, GST_STATE_READY);
    ck_assert_uint_eq(stats().models, 1);
    set_state(element, GST_STATE_NULL);
    ck_assert_uint_eq(stats().models, 0);
    ck_assert_uint_eq(stats().loads, 1);

    /* as does another model in its place */
    set_state(element, GST_STATE_READY);
    g_object_set(element, "model", "blend", NULL);
    ck_assert_uint_eq(stats().models, 1);
    set_state(element, GST_STATE_PAUSED);
    ck_assert_uint_eq(stats().models, 0);
    set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
}
GST_END_TEST

GST_START_TEST(another_precision_at_ready_is_another_model)
{
    GstElement *element = new_element();

    set_state(element, GST_STATE_READY);
    gst_util_set_object_arg(G_OBJECT(element), "precision", "f32");
    set_state(element, GST_STATE_PAUSED);
    ck_assert_uint_eq(stats().loads, 1); /* what auto is on the CPU */
    set_state(element, GST_STATE_READY);
    gst_util_set_object_arg(G_OBJECT(element), "precision", "bf16");
    set_state(element, GST_STATE_PAUSED);
    ck_assert_uint_eq(stats().loads, 2);
    set_state(element, GST_STATE_NULL);
    ck_assert_uint_eq(stats().idle, 2);
    gst_object_unref(element);
}
GST_END_TEST

static void clear_cache(GstElement *element, gboolean full)
{
    g_signal_emit_by_name(element, "clear-cache", full);
}

GST_START_TEST(clear_cache_drops_idle_models_only_when_full)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__), NULL);
    GstElement *other = new_element();

    fixture_set_caps(f, SMALL, NULL);
    push_noise(f, 2);
    wait_for_buffers(f, 2);
    size_t packed = stats().packed_bytes;
    clear_cache(other, FALSE);
    clear_cache(other, TRUE);
    ck_assert_uint_eq(stats().models, 1);
    ck_assert_uint_eq(stats().packed_bytes, packed);
    finish(f);
    fixture_free(f);
    clear_cache(other, FALSE);
    ck_assert_uint_eq(stats().models, 1);
    clear_cache(other, TRUE);
    ck_assert_uint_eq(stats().models, 0);
    gst_object_unref(other);
}
GST_END_TEST

GST_START_TEST(eos_and_new_caps_clear_softly)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__), NULL);
    VfiModel *idle;
    VfiSession *session;
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_RGB, .width = 32, .height = 32}, .threads = 1};

    /* another model whose packed weights nobody uses */
    for (int i = 0; i < 2; i++) {
        idle = vfi_model_cache_open(path, g_variant_new_parsed("{'refine': <true>}"),
                                    NULL, NULL);
        session = vfi_session_new(idle, &config, NULL);
        ck_assert(session != NULL);
        if (i == 0) {
            fixture_set_caps(f, SMALL, NULL);
            push_noise(f, 2);
            wait_for_buffers(f, 2);
        }
        vfi_session_unref(session);
        vfi_model_unref(idle);
        size_t before = stats().packed_bytes;
        if (i == 0) {
            fixture_set_caps(f, OTHER, NULL);
            push_noise(f, 1);
            wait_for_buffers(f, 5); /* four of the old caps */
        } else {
            finish(f);
        }
        ck_assert_uint_lt(stats().packed_bytes, before);
        ck_assert_uint_eq(stats().models, 2);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(too_little_memory_is_an_error_of_ready)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    g_autoptr(GError) error = NULL;

    set_state(f->element, GST_STATE_NULL);
    g_object_set(f->element, "model", path, "memory-headroom", (guint64)1 << 62, NULL);
    ck_assert_int_eq(gst_element_set_state(f->element, GST_STATE_READY),
                     GST_STATE_CHANGE_FAILURE);
    error = posted_error(f);
    ck_assert(
        g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT));
    ck_assert_msg(strstr(error->message, "memory-headroom") != NULL, "%s",
                  error->message);
    ck_assert_uint_eq(stats().models, 0);
    g_object_set(f->element, "memory-headroom", (guint64)0, NULL);
    set_state(f->element, GST_STATE_PLAYING);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(too_little_memory_for_a_session_is_an_error_of_the_stream)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__), NULL);
    g_autoptr(GError) error = NULL;

    g_object_set(f->element, "memory-headroom", (guint64)1 << 62, NULL);
    fixture_set_caps(f, SMALL, NULL);
    gst_harness_push(f->harness, noise_frame(f, 0, 0, 50 * GST_MSECOND));
    finish_failing(f);
    error = posted_error(f);
    ck_assert(
        g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT));
    ck_assert_msg(strstr(error->message, "32×32") != NULL, "%s", error->message);
    ck_assert_uint_eq(stats().packed_bytes, 0);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(evictions_are_counted)
{
    Fixture *f = fixture_new(0, NULL);
    GstElement *element = new_element();
    guint64 before = engine_stat(f, "evictions");

    set_state(element, GST_STATE_READY);
    ck_assert(!vfi_memory_relieve((guint64)1 << 62)); /* the model is in use */
    ck_assert_uint_eq(engine_stat(f, "evictions"), before);
    set_state(element, GST_STATE_NULL);
    ck_assert(!vfi_memory_relieve((guint64)1 << 62));
    ck_assert_uint_eq(engine_stat(f, "evictions"), before + 1);
    ck_assert_uint_eq(stats().models, 0);
    gst_object_unref(element);
    fixture_free(f);
}
GST_END_TEST

#define WIDE "video/x-raw,format=I420,width=320,height=64,framerate=20/1"
#define LARGEST "video/x-raw,format=I420,width=8192,height=4320,framerate=20/1"

static guint tiles(Fixture *f)
{
    g_autoptr(GstStructure) structure = NULL;
    guint n;

    g_object_get(f->element, "stats", &structure, NULL);
    ck_assert(gst_structure_get_uint(structure, "tiles", &n));
    return n;
}

GST_START_TEST(tile_size_makes_tiles)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__), "tile-size=1");

    fixture_set_caps(f, WIDE, NULL);
    push_noise(f, 2);
    wait_for_buffers(f, 2);
    ck_assert_uint_eq(tiles(f), 2);
    ck_assert_uint_eq(counter(f, "interpolated"), 1);

    /* another session, another choice */
    g_object_set(f->element, "tile-size", 0, NULL);
    fixture_set_caps(f, SMALL, NULL);
    push_noise(f, 2);
    finish(f);
    ck_assert_uint_eq(tiles(f), 1);
    fixture_free(f);
}
GST_END_TEST

/* Once a value, with what is valid. */
GST_START_TEST(values_that_are_replaced_are_warned_of)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__), "scale=0.1 tile-size=100");
    gdouble scale;

    fixture_set_caps(f, SMALL, NULL);
    push_noise(f, 2);
    wait_for_buffers(f, 2);
    g_object_get(f->element, "scale", &scale, NULL);
    ck_assert(scale == 0.25);
    assert_warning(f,
                   "scale=0.1 is not possible: 0.25, the smallest, is used. Valid are 0");
    assert_warning(f, "tile-size=100 is not possible: 256 is used. Valid are 0");
    fixture_set_caps(f, OTHER, NULL);
    push_noise(f, 2);
    wait_for_buffers(f, 6);
    assert_warning(f, NULL);
    g_object_set(f->element, "tile-size", 400, "scale", 0.5, NULL);
    fixture_set_caps(f, SMALL, NULL);
    push_noise(f, 2);
    wait_for_buffers(f, 10);
    assert_warning(f, "tile-size=400 is not possible: 384 is used");
    g_object_set(f->element, "tile-size", 512, NULL);
    fixture_set_caps(f, OTHER, NULL);
    push_noise(f, 2);
    finish(f);
    assert_warning(f, NULL);
    fixture_free(f);
}
GST_END_TEST

/* Limits that not even tiles can keep, and what the error says of them; the last takes
 * minutes under a sanitizer. */
static const struct {
    const char *caps;
    guint64 limit;
    const char *words[3];
} too_small[] = {
    {WIDE, 1 << 20, {"320×64", "memory-limit", "tiles of 256×64"}},
    {WIDE, 1 << 10, {"320×64", "memory-limit is 1024 bytes", "buffers"}},
    {WIDE, 512, {"memory-limit is 512 bytes (it counts bytes", "need", "bytes"}},
    {WIDE, 1 << 20, {"(memory-limit is 1.0 MiB, of which the buffers", "take", "MiB"}},
    {LARGEST, 280 << 20, {"8192×4320", "memory-limit", "tiles of 256×256"}},
};

GST_START_TEST(a_limit_that_cannot_be_kept_is_an_error)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__ % N_MODES), NULL);
    g_autoptr(GError) error = NULL;
    int which = __i__ / N_MODES;

    g_object_set(f->element, "memory-limit", too_small[which].limit, NULL);
    fixture_set_caps(f, too_small[which].caps, NULL);
    gst_harness_push(f->harness, flat_frame(f, 0, 0, 50 * GST_MSECOND));
    finish_failing(f);
    error = posted_error(f);
    ck_assert(
        g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT));
    for (size_t i = 0; i < G_N_ELEMENTS(too_small[which].words); i++)
        ck_assert_msg(strstr(error->message, too_small[which].words[i]) != NULL,
                      "no \"%s\" in: %s", too_small[which].words[i], error->message);
    fixture_free(f);
}
GST_END_TEST

static gpointer clear_again_and_again(gpointer data)
{
    for (int i = 0; i < 20; i++)
        clear_cache(data, i % 2 == 0);
    return NULL;
}

static gpointer up_and_down(gpointer data)
{
    for (int i = 0; i < 10; i++) {
        gst_element_set_state(data, GST_STATE_PAUSED);
        gst_element_set_state(data, GST_STATE_NULL);
    }
    return NULL;
}

GST_START_TEST(clearing_while_others_run)
{
    Fixture *f = fixture_with_model(in_flight_mode(__i__), NULL);
    GstElement *elements[] = {new_element(), new_element(), new_element()};
    GThread *threads[3];

    gst_util_set_object_arg(G_OBJECT(elements[2]), "model-cache", "release");
    fixture_set_caps(f, SMALL, NULL);
    push_noise(f, 2);
    wait_for_buffers(f, 2);
    threads[0] = g_thread_new("clear", clear_again_and_again, elements[0]);
    threads[1] = g_thread_new("keep", up_and_down, elements[1]);
    threads[2] = g_thread_new("release", up_and_down, elements[2]);
    for (guint i = 2; i < 10; i++)
        ck_assert_int_eq(
            gst_harness_push(f->harness,
                             noise_frame(f, i, i * 50 * GST_MSECOND, 50 * GST_MSECOND)),
            GST_FLOW_OK);
    finish(f);
    for (int i = 0; i < 3; i++) {
        g_thread_join(threads[i]);
        gst_object_unref(elements[i]);
    }
    ck_assert_uint_eq(n_buffers(f), 20);
    ck_assert_uint_eq(stats().loads, 1);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-model_cache");
    TCase *tcase = tcase_create("model_cache");

    suite_add_tcase(suite, tcase);
    tcase_add_unchecked_fixture(tcase, setup, teardown); /* making the file takes long */
    tcase_add_checked_fixture(tcase, NULL, forget_models);
    tcase_add_test(tcase, elements_with_one_model_read_it_once);
    tcase_add_loop_test(tcase, sessions_share_packed_weights, 0, N_MODES);
    tcase_add_test(tcase, release_lets_the_model_go);
    tcase_add_test(tcase, another_precision_at_ready_is_another_model);
    tcase_add_loop_test(tcase, clear_cache_drops_idle_models_only_when_full, 0, N_MODES);
    tcase_add_loop_test(tcase, eos_and_new_caps_clear_softly, 0, N_MODES);
    tcase_add_loop_test(tcase, too_little_memory_is_an_error_of_ready, 0, N_MODES);
    tcase_add_loop_test(tcase, too_little_memory_for_a_session_is_an_error_of_the_stream,
                        0, N_MODES);
    tcase_add_test(tcase, evictions_are_counted);
    tcase_add_loop_test(tcase, tile_size_makes_tiles, 0, N_MODES);
    tcase_add_loop_test(tcase, values_that_are_replaced_are_warned_of, 0, N_MODES);
    tcase_add_loop_test(tcase, a_limit_that_cannot_be_kept_is_an_error, 0,
                        N_MODES * ((int)G_N_ELEMENTS(too_small) - (SANITIZER_STEP > 1)));
    tcase_add_loop_test(tcase, clearing_while_others_run, 0, N_MODES);
    return element_main(argc, argv, suite);
}
