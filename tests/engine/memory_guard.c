/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory is short: what the pressure guard takes away, in what order, what it refuses,
 * and what it promises. */
#include <string.h>

#include <vfi/vfi.h>

#include "cache_fixture.h"
#include "check_main.h"
#include "fake_memory.h"
#include "memory/guard.h"
#include "model/loaded_model.h"

#define TOTAL (8 * 1024 * MIB)
#define HEADROOM (1024 * MIB)

START_TEST(a_shortage_takes_the_least_recently_used_first)
{
    VfiModel *models[CACHE_FILES], *again;
    size_t bytes;

    fake_memory_set(TOTAL, TOTAL);
    for (int i = 0; i < CACHE_FILES; i++)
        models[i] = cache_open_file(i);
    bytes = vfi_model_info(models[0])->weight_bytes;
    for (int i = CACHE_FILES - 1; i >= 0; i--)
        vfi_model_unref(models[i]);
    /* not used for longest: 2, then 1, then 0; using it counts */
    vfi_model_unref(cache_open_file(2));

    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(cache_stats().evictions, 0);
    fake_memory_set(HEADROOM, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(cache_stats().evictions, 0);

    fake_memory_set(HEADROOM - 1024, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(cache_stats().evictions, 1);
    fake_memory_set(TOTAL, TOTAL);
    again = cache_open_file(2);
    vfi_model_unref(again);
    again = cache_open_file(0);
    vfi_model_unref(again);
    ck_assert_uint_eq(cache_stats().loads, CACHE_FILES);
    again = cache_open_file(1);
    ck_assert_uint_eq(cache_stats().loads, CACHE_FILES + 1);

    /* one that is in use never goes, whatever is missing */
    fake_memory_set(HEADROOM - bytes - 1024, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(cache_stats().evictions, 3);
    ck_assert_uint_eq(cache_stats().models, 1);
    ck_assert(!vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(cache_stats().evictions, 3);
    vfi_model_unref(again);
}
END_TEST

START_TEST(packed_weights_go_before_models)
{
    VfiModel *model = cache_open_file(0);

    vfi_session_unref(cache_new_session(model, NULL));
    vfi_model_unref(model);
    size_t packed = cache_stats().packed_bytes;
    ck_assert_uint_gt(packed, 1024);
    fake_memory_set(HEADROOM - packed / 1024 * 1024, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(cache_stats().packed_bytes, 0);
    ck_assert_uint_eq(cache_stats().evictions, 0);
    ck_assert_uint_eq(cache_stats().models, 1);
}
END_TEST

static void assert_no_memory(const GError *error, const char *const *words)
{
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    for (; *words != NULL; words++)
        ck_assert_msg(strstr(error->message, *words) != NULL, "no \"%s\" in: %s", *words,
                      error->message);
}

START_TEST(a_model_that_does_not_fit_is_an_error)
{
    const VfiModelCacheConfig config = {.memory_headroom = HEADROOM};
    /* 5160980 parameters of 4 bytes, models.md */
    static const char *const words[] = {"19.7 MiB",   "1030.0 MiB free", "8192.0 MiB",
                                        "1024.0 MiB", "a smaller model", NULL};
    g_autoptr(GError) error = NULL, own = NULL;
    VfiModel *in_use = cache_open_file(1);

    fake_memory_set(HEADROOM + 6 * MIB, TOTAL);
    ck_assert_ptr_null(vfi_model_cache_open(cache_paths[0], NULL, &config, &error));
    assert_no_memory(error, words);
    ck_assert_uint_eq(cache_stats().models, 1);

    /* nobody escapes the guard */
    fake_memory_set(6 * MIB, TOTAL);
    ck_assert_ptr_null(vfi_model_open(cache_paths[0], NULL, &own));
    ck_assert(g_error_matches(own, VFI_ERROR, VFI_ERROR_NO_MEMORY));

    /* the other one goes for it once it is idle */
    vfi_model_unref(in_use);
    fake_memory_set(HEADROOM + 6 * MIB, TOTAL);
    VfiModel *model = cache_open_with(cache_paths[0], NULL, &config);
    ck_assert_uint_eq(cache_stats().evictions, 1);
    ck_assert_uint_eq(cache_stats().models, 1);

    /* and to have it at hand needs no memory */
    fake_memory_set(0, TOTAL);
    VfiModel *same = cache_open_with(cache_paths[0], NULL, &config);
    vfi_model_unref(same);
    vfi_model_unref(model);
}
END_TEST

START_TEST(idle_models_stay_when_dropping_them_is_no_help)
{
    const VfiModelCacheConfig config = {.memory_headroom = HEADROOM};

    vfi_model_unref(cache_open_file(1));
    fake_memory_set(HEADROOM - 100 * MIB, TOTAL);
    ck_assert_ptr_null(vfi_model_cache_open(cache_paths[0], NULL, &config, NULL));
    ck_assert_uint_eq(cache_stats().evictions, 0);
    ck_assert_uint_eq(cache_stats().idle, 1);
}
END_TEST

/* How closely it is looked. */
#define STEP 16384

/* Least free memory that a session of @model is built with. */
static guint64 need_of_session(VfiModel *model)
{
    guint64 fails = 0, works = 128 * MIB / STEP;
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_RGB, .width = 64, .height = 48},
        .threads = 1,
        .memory_headroom = 1};

    while (works - fails > 1) {
        guint64 middle = (works + fails) / 2;
        fake_memory_set(middle * STEP, TOTAL);
        VfiSession *session = vfi_session_new(model, &config, NULL);
        if (session != NULL)
            works = middle;
        else
            fails = middle;
        vfi_session_unref(session);
        vfi_soft_clear();
    }
    return works * STEP;
}

START_TEST(a_session_asks_for_what_it_takes)
{
    VfiModel *model = cache_open_file(0);
    guint64 need = need_of_session(model);
    VfiSessionStats facts;

    fake_memory_set(TOTAL, TOTAL);
    VfiSession *session = cache_new_session(model, NULL);
    vfi_session_get_stats(session, &facts);
    cache_run(session); /* what it was promised is in use by now */
    /* threads' scratch is what the statistics do not count: here one thread's */
    ck_assert_uint_ge(need, facts.arena_bytes + cache_stats().packed_bytes);
    ck_assert_uint_le(need, facts.arena_bytes + cache_stats().packed_bytes + 1 * MIB);

    /* a second one takes the packed weights of the first */
    guint64 second = need_of_session(model);
    ck_assert_uint_le(second, need - cache_stats().packed_bytes + STEP);
    ck_assert_uint_ge(second, need - cache_stats().packed_bytes - STEP);
    vfi_session_unref(session);
    vfi_model_unref(model);
}
END_TEST

START_TEST(a_session_that_does_not_fit_is_an_error)
{
    static const char *const words[] = {
        "rife 4.0",      "64×48", "memory-headroom", "smaller scale",
        "smaller model", " free", "limit",           NULL};
    VfiModel *model = cache_open_file(0);
    g_autoptr(GError) error = NULL;

    fake_memory_set(1 * MIB, TOTAL);
    ck_assert_ptr_null(cache_new_session(model, &error));
    assert_no_memory(error, words);
    ck_assert_uint_eq(cache_stats().packed_bytes, 0);
    /* nothing is left that would be in the way of the next */
    fake_memory_set(TOTAL, TOTAL);
    VfiSession *session = cache_new_session(model, NULL);
    ck_assert_ptr_nonnull(session);
    vfi_session_unref(session);
    vfi_model_unref(model);
}
END_TEST

/* Memory counts as used once it is written to, but it has been given away before. */
START_TEST(what_a_session_was_promised_is_not_given_twice)
{
    VfiModel *model = cache_open_file(0);
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_RGB, .width = 64, .height = 48},
        .threads = 1,
        .memory_headroom = 1};

    VfiSession *holds_packed = cache_new_session(model, NULL);
    cache_run(holds_packed);
    guint64 need = need_of_session(model);
    fake_memory_set(need * 3 / 2, TOTAL);
    VfiSession *first = vfi_session_new(model, &config, NULL);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(vfi_session_new(model, &config, NULL));
    /* from its first picture on the system knows */
    cache_run(first);
    VfiSession *second = vfi_session_new(model, &config, NULL);
    ck_assert_ptr_nonnull(second);
    vfi_session_unref(first);
    vfi_session_unref(second);
    vfi_session_unref(holds_packed);
    vfi_model_unref(model);
}
END_TEST

/* A device with memory of its own, as the test says. */
static struct {
    guint64 free_bytes, total_bytes;
    int n_trims;
    guint64 trim_gives;
} fake_device;

static void fake_memory_info(VfiDevice *device, uint64_t *free_bytes,
                             uint64_t *total_bytes)
{
    ck_assert_ptr_eq(device, &fake_device);
    *free_bytes = fake_device.free_bytes;
    *total_bytes = fake_device.total_bytes;
}

static void fake_trim(VfiDevice *device)
{
    ck_assert_ptr_eq(device, &fake_device);
    fake_device.n_trims++;
    fake_device.free_bytes += fake_device.trim_gives;
}

START_TEST(a_devices_own_memory_is_guarded)
{
    static const char *const words[] = {"a test",
                                        "100.0 MiB of the device's memory",
                                        "1100.0 MiB free",
                                        "8192.0 MiB",
                                        "1024.0 MiB",
                                        "patience",
                                        NULL};
    static const VfiBackend backend = {.memory_info = fake_memory_info,
                                       .trim = fake_trim};
    const VfiModelCacheConfig there = {.device = "cuda:1"};
    const VfiMemoryRequest request = {
        .what = "a test",
        .remedy = "patience",
        .device_bytes = 100 * MIB,
        .headroom = HEADROOM,
        .backend = &backend,
        .device = (VfiDevice *)(void *)&fake_device,
    };
    g_autoptr(GError) error = NULL;

    vfi_model_unref(cache_open_file(0));
    vfi_model_unref(cache_open_with(cache_paths[1], NULL, &there));
    /* the host has plenty; of the device, exactly enough */
    fake_device.total_bytes = TOTAL;
    fake_device.free_bytes = HEADROOM + 100 * MIB;
    ck_assert(vfi_memory_claim(&request, NULL));
    ck_assert_int_eq(fake_device.n_trims, 0);

    /* trimming is enough */
    fake_device.free_bytes -= MIB;
    fake_device.trim_gives = MIB;
    ck_assert(vfi_memory_claim(&request, NULL));
    ck_assert_int_eq(fake_device.n_trims, 1);
    ck_assert_uint_eq(cache_stats().evictions, 0);

    /* nothing is: models stay, what they have in the host's memory is no help */
    fake_device.free_bytes = 1100 * MIB;
    fake_device.trim_gives = 0;
    ck_assert(!vfi_memory_claim(&request, &error));
    assert_no_memory(error, words);
    ck_assert_uint_eq(cache_stats().evictions, 0);
    ck_assert_uint_eq(cache_stats().models, 2);
    vfi_model_unref(cache_open_file(0));
    ck_assert_uint_eq(cache_stats().loads, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory_guard");
    TCase *tcase = tcase_create("memory_guard");
    tcase_add_unchecked_fixture(tcase, cache_make_bytes, cache_free_bytes);
    tcase_add_checked_fixture(tcase, cache_setup, cache_teardown);
    tcase_add_test(tcase, a_shortage_takes_the_least_recently_used_first);
    tcase_add_test(tcase, packed_weights_go_before_models);
    tcase_add_test(tcase, a_model_that_does_not_fit_is_an_error);
    tcase_add_test(tcase, idle_models_stay_when_dropping_them_is_no_help);
    tcase_add_test(tcase, a_session_asks_for_what_it_takes);
    tcase_add_test(tcase, a_session_that_does_not_fit_is_an_error);
    tcase_add_test(tcase, what_a_session_was_promised_is_not_given_twice);
    tcase_add_test(tcase, a_devices_own_memory_is_guarded);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
