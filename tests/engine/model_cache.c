/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that the process keeps: who shares what, what reading a file is needed for, what
 * clearing takes away, and what it leaves alone. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "cache_fixture.h"
#include "check_main.h"
#include "fake_memory.h"
#include "model/loaded_model.h"

static void unref_all(VfiModel **models, int n)
{
    for (int i = 0; i < n; i++)
        vfi_model_unref(models[i]);
}

START_TEST(one_file_is_read_once)
{
    VfiModel *first = cache_open_file(0), *second = cache_open_file(0);

    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_eq(first->weights, second->weights);
    ck_assert_uint_eq(cache_stats().loads, 1);
    ck_assert_uint_eq(cache_stats().hits, 1);
    ck_assert_uint_eq(cache_stats().models, 1);
    ck_assert_uint_eq(cache_stats().idle, 0);
    ck_assert_uint_eq(cache_stats().weight_bytes, vfi_model_info(first)->weight_bytes);

    /* nobody uses it, and it is still there */
    const VfiWeights *weights = first->weights;
    vfi_model_unref(first);
    vfi_model_unref(second);
    ck_assert_uint_eq(cache_stats().idle, 1);
    ck_assert_uint_eq(cache_stats().idle_bytes, cache_stats().weight_bytes);
    VfiModel *third = cache_open_file(0);
    ck_assert_ptr_eq(third->weights, weights);
    ck_assert_uint_eq(cache_stats().loads, 1);
    vfi_model_unref(third);
}
END_TEST

START_TEST(models_of_vfi_model_open_are_their_callers_own)
{
    VfiModel *cached = cache_open_file(0);
    VfiModel *own = vfi_model_open(cache_paths[0], NULL, NULL);

    ck_assert_ptr_nonnull(own);
    ck_assert_ptr_ne(own->weights, cached->weights);
    ck_assert_uint_eq(cache_stats().models, 2);
    vfi_model_set_keep(own, TRUE); /* without meaning */
    vfi_model_unref(own);
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_model_unref(cached);
}
END_TEST

/* Writes noise over the whole file and makes it look as before. */
static void spoil_unnoticed(const char *path)
{
    struct stat facts;
    char noise[4096];
    int file = open(path, O_WRONLY);

    memset(noise, 0xa5, sizeof noise);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(fstat(file, &facts), 0);
    for (off_t at = 0; at < facts.st_size; at += (off_t)sizeof noise)
        ck_assert_int_gt(
            pwrite(file, noise, (size_t)MIN((off_t)sizeof noise, facts.st_size - at), at),
            0);
    const struct timespec times[2] = {facts.st_atim, facts.st_mtim};
    ck_assert_int_eq(futimens(file, times), 0);
    close(file);
}

START_TEST(opening_again_does_not_touch_the_file)
{
    VfiModel *model = cache_open_file(0);
    const VfiWeight *weight =
        vfi_weights_find(model->weights, "block0.convblock.0.0.weight");
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_nonnull(weight);
    float sample = weight->data[0];
    vfi_model_unref(model);
    spoil_unnoticed(cache_paths[0]);
    model = cache_open_file(0);
    weight = vfi_weights_find(model->weights, "block0.convblock.0.0.weight");
    ck_assert(weight->data[0] == sample);
    vfi_model_unref(model);

    /* and once nothing is kept it is read, and found to be spoilt */
    vfi_clear_cache(TRUE);
    ck_assert_ptr_null(vfi_model_cache_open(cache_paths[0], NULL, NULL, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_uint_eq(cache_stats().models, 0);
}
END_TEST

static void change_time(const char *path)
{
    struct stat facts;

    ck_assert_int_eq(stat(path, &facts), 0);
    facts.st_mtim.tv_sec += 10;
    const struct timespec times[2] = {facts.st_atim, facts.st_mtim};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(a_changed_file_is_a_new_model)
{
    VfiModel *old = cache_open_file(0);

    change_time(cache_paths[0]);
    VfiModel *new = cache_open_file(0);
    ck_assert_ptr_ne(old->weights, new->weights);
    ck_assert_uint_eq(cache_stats().loads, 2);
    ck_assert_uint_eq(cache_stats().models, 2);
    /* the old one goes with those who use it */
    vfi_model_unref(old);
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_model_unref(new);
    ck_assert_uint_eq(cache_stats().models, 1);
    /* and at once if nobody does */
    change_time(cache_paths[0]);
    new = cache_open_file(0);
    ck_assert_uint_eq(cache_stats().loads, 3);
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_model_unref(new);
}
END_TEST

START_TEST(a_file_in_anothers_place_is_a_new_model)
{
    VfiModel *old = cache_open_file(0);

    /* as editors and downloads do it: same name, another inode */
    ck_assert_int_eq(g_rename(cache_paths[1], cache_paths[0]), 0);
    VfiModel *new = cache_open_file(0);
    ck_assert_ptr_ne(old->weights, new->weights);
    vfi_model_unref(old);
    vfi_model_unref(new);
    ck_assert_uint_eq(cache_stats().models, 1);
}
END_TEST

START_TEST(what_changes_weights_is_not_shared)
{
    const VfiModelCacheConfig cpu = {.device = "cpu", .precision = VFI_PRECISION_F32};
    const VfiModelCacheConfig bf16 = {.device = "cpu", .precision = VFI_PRECISION_BF16};
    const VfiModelCacheConfig cuda = {.device = "cuda:1"};
    VfiModel *models[] = {
        cache_open_file(0), /* auto, which here is the CPU and f32 */
        cache_open_with(cache_paths[0], NULL, &cpu),
        cache_open_with(cache_paths[0], "{'ensemble': <true>}", NULL),
        cache_open_with(cache_paths[0], "{'refine': <true>}", NULL),
        cache_open_with(cache_paths[0], "{'refine': <true>, 'pad-multiple': <uint32 64>}",
                        &cpu),
        cache_open_with(cache_paths[0], NULL, &bf16),
        cache_open_with(cache_paths[0], NULL, &cuda),
    };
    static const int same_as[] = {0, 0, 0, 3, 3, 5, 6};

    for (int i = 0; i < (int)G_N_ELEMENTS(models); i++)
        for (int k = 0; k < (int)G_N_ELEMENTS(models); k++)
            ck_assert_int_eq(models[i]->weights == models[k]->weights,
                             same_as[i] == same_as[k]);
    ck_assert_uint_eq(cache_stats().loads, 4);
    /* options that are not shared are each model's own */
    ck_assert(!vfi_setup_boolean(&models[0]->setup, "ensemble"));
    ck_assert(vfi_setup_boolean(&models[2]->setup, "ensemble"));
    unref_all(models, (int)G_N_ELEMENTS(models));
    ck_assert_uint_eq(cache_stats().idle, 4);
}
END_TEST

START_TEST(errors_leave_the_cache_as_it_was)
{
    VfiModel *model = cache_open_file(0);
    g_autoptr(GError) options = NULL, missing = NULL;

    ck_assert_ptr_null(vfi_model_cache_open(
        cache_paths[0], g_variant_new_parsed("{'no-such': <1>}"), NULL, &options));
    ck_assert(g_error_matches(options, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    ck_assert_ptr_nonnull(strstr(options->message, "ensemble"));
    ck_assert_uint_eq(cache_stats().loads, 1);
    ck_assert_uint_eq(cache_stats().hits, 0);
    ck_assert_ptr_null(vfi_model_cache_open("/no/such.pkl", NULL, NULL, &missing));
    ck_assert(g_error_matches(missing, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_model_unref(model);

    /* a family without weights is in no cache */
    VfiModel *blend = cache_open_with("blend", NULL, NULL);
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_model_unref(blend);
}
END_TEST

START_TEST(the_last_user_says_whether_it_stays)
{
    VfiModel *keeps = cache_open_file(0), *releases = cache_open_file(0);

    vfi_model_set_keep(releases, FALSE);
    vfi_model_unref(releases);
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_model_unref(keeps);
    ck_assert_uint_eq(cache_stats().idle, 1);
    releases = cache_open_file(0);
    vfi_model_set_keep(releases, FALSE);
    vfi_model_unref(releases);
    ck_assert_uint_eq(cache_stats().models, 0);
    ck_assert_uint_eq(cache_stats().weight_bytes, 0);
}
END_TEST

START_TEST(clearing_takes_what_nobody_uses)
{
    VfiModel *model = cache_open_file(0), *idle = cache_open_file(1);
    VfiSession *session = cache_new_session(model, NULL);

    vfi_model_unref(idle);
    size_t packed = cache_stats().packed_bytes;
    guint64 picture = cache_run(session);
    ck_assert_uint_gt(packed, 0);

    /* all of it in use */
    vfi_soft_clear();
    ck_assert_uint_eq(cache_stats().packed_bytes, packed);
    ck_assert_uint_eq(cache_stats().models, 2);
    ck_assert_uint_eq(cache_run(session), picture);

    /* packed weights go, weights stay */
    vfi_session_unref(session);
    ck_assert_uint_eq(cache_stats().packed_bytes, packed);
    vfi_soft_clear();
    ck_assert_uint_eq(cache_stats().packed_bytes, 0);
    ck_assert_uint_eq(cache_stats().models, 2);

    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(cache_stats().models, 1);
    ck_assert_uint_eq(cache_stats().idle, 0);
    session = cache_new_session(model, NULL);
    ck_assert_uint_eq(cache_run(session), picture);
    /* the session alone holds the model */
    vfi_model_unref(model);
    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(cache_stats().models, 1);
    vfi_session_unref(session);
    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(cache_stats().models, 0);
}
END_TEST

/* ---- threads ----------------------------------------------------------------------- */

#define TOTAL (8 * 1024 * MIB)
#define N_OPENERS 32

static gpointer open_one(gpointer data)
{
    (void)data;
    return cache_open_file(0);
}

START_TEST(those_who_come_at_once_wait_for_one_load)
{
    GThread *threads[N_OPENERS];
    VfiModel *models[N_OPENERS];

    for (int i = 0; i < N_OPENERS; i++)
        threads[i] = g_thread_new("open", open_one, NULL);
    for (int i = 0; i < N_OPENERS; i++)
        models[i] = g_thread_join(threads[i]);
    for (int i = 1; i < N_OPENERS; i++)
        ck_assert_ptr_eq(models[i]->weights, models[0]->weights);
    ck_assert_uint_eq(cache_stats().loads, 1);
    ck_assert_uint_eq(cache_stats().hits, N_OPENERS - 1);
    unref_all(models, N_OPENERS);
    ck_assert_uint_eq(cache_stats().models, 1);
}
END_TEST

#define N_ROUNDS 8

static gpointer open_and_close(gpointer data)
{
    int which = GPOINTER_TO_INT(data);

    for (int i = 0; i < N_ROUNDS; i++) {
        VfiModel *model = cache_open_file((which + i) % CACHE_FILES);
        vfi_model_set_keep(model, (which + i) % 4 != 0);
        if (i % 3 == 0)
            vfi_session_unref(cache_new_session(model, NULL));
        vfi_model_unref(model);
    }
    return NULL;
}

static gpointer clear_and_relieve(gpointer data)
{
    (void)data;
    for (int i = 0; i < 3 * N_ROUNDS; i++) {
        vfi_clear_cache(i % 2 == 0);
        vfi_memory_relieve(i % 3 == 0 ? 2 * TOTAL : 0);
        vfi_model_cache_open("/no/such.pkl", NULL, NULL, NULL);
        cache_stats();
    }
    return NULL;
}

START_TEST(everything_at_once)
{
    GThread *threads[4], *clearing;
    VfiModel *model = cache_open_file(0);
    VfiSession *session = cache_new_session(model, NULL);

    fake_memory_set(TOTAL, TOTAL);
    guint64 picture = cache_run(session);
    clearing = g_thread_new("clear", clear_and_relieve, NULL);
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("open", open_and_close, GINT_TO_POINTER(i));
    for (int i = 0; i < N_ROUNDS; i++)
        ck_assert_uint_eq(cache_run(session), picture);
    for (int i = 0; i < 4; i++)
        g_thread_join(threads[i]);
    g_thread_join(clearing);
    ck_assert_uint_eq(cache_run(session), picture);
    vfi_session_unref(session);
    vfi_model_unref(model);
    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(cache_stats().models, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_cache");
    TCase *tcase = tcase_create("model_cache");
    tcase_add_unchecked_fixture(tcase, cache_make_bytes, cache_free_bytes);
    tcase_add_checked_fixture(tcase, cache_setup, cache_teardown);
    tcase_add_test(tcase, one_file_is_read_once);
    tcase_add_test(tcase, models_of_vfi_model_open_are_their_callers_own);
    tcase_add_test(tcase, opening_again_does_not_touch_the_file);
    tcase_add_test(tcase, a_changed_file_is_a_new_model);
    tcase_add_test(tcase, a_file_in_anothers_place_is_a_new_model);
    tcase_add_test(tcase, what_changes_weights_is_not_shared);
    tcase_add_test(tcase, errors_leave_the_cache_as_it_was);
    tcase_add_test(tcase, the_last_user_says_whether_it_stays);
    tcase_add_test(tcase, clearing_takes_what_nobody_uses);
    tcase_add_test(tcase, those_who_come_at_once_wait_for_one_load);
    tcase_add_test(tcase, everything_at_once);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
