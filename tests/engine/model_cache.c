/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that the process keeps: who shares what, what reading a file is needed for, what
 * clearing and a shortage of memory take away, and what they leave alone. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "fake_memory.h"
#include "memory/guard.h"
#include "model/loaded_model.h"

#define N_FILES 3

/* The bytes of a checkpoint, which take long to make, and copies of it, which are
 * different files. */
static char *original_bytes;
static gsize original_length;
static char *paths[N_FILES];

static void make_bytes(void)
{
    g_autofree char *original = deterministic_checkpoint("rife_v4_0", NULL);

    ck_assert_ptr_nonnull(original);
    ck_assert(g_file_get_contents(original, &original_bytes, &original_length, NULL));
    g_unlink(original);
}

static void free_bytes(void)
{
    g_clear_pointer(&original_bytes, g_free);
}

static void make_files(void)
{
    for (int i = 0; i < N_FILES; i++) {
        int file = g_file_open_tmp("vfi-cache-XXXXXX.safetensors", &paths[i], NULL);
        ck_assert_int_ge(file, 0);
        ck_assert_int_eq(write(file, original_bytes, original_length),
                         (gssize)original_length);
        close(file);
    }
}

static void remove_files(void)
{
    for (int i = 0; i < N_FILES; i++) {
        g_unlink(paths[i]);
        g_free(paths[i]);
    }
}

static VfiModelCacheStats stats(void)
{
    VfiModelCacheStats now;

    vfi_model_cache_get_stats(&now);
    return now;
}

static VfiModel *open_with(const char *path, const char *options,
                           const VfiModelCacheConfig *config)
{
    g_autoptr(GError) error = NULL;
    GVariant *parsed = options == NULL ? NULL : g_variant_new_parsed(options);
    VfiModel *model = vfi_model_cache_open(path, parsed, config, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return model;
}

static VfiModel *open_file(int index)
{
    return open_with(paths[index], NULL, NULL);
}

static void unref_all(VfiModel **models, int n)
{
    for (int i = 0; i < n; i++)
        vfi_model_unref(models[i]);
}

START_TEST(one_file_is_read_once)
{
    VfiModel *first = open_file(0), *second = open_file(0);

    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_eq(first->weights, second->weights);
    ck_assert_uint_eq(stats().loads, 1);
    ck_assert_uint_eq(stats().hits, 1);
    ck_assert_uint_eq(stats().models, 1);
    ck_assert_uint_eq(stats().idle, 0);
    ck_assert_uint_eq(stats().weight_bytes, vfi_model_info(first)->weight_bytes);

    /* nobody uses it, and it is still there */
    const VfiWeights *weights = first->weights;
    vfi_model_unref(first);
    vfi_model_unref(second);
    ck_assert_uint_eq(stats().idle, 1);
    ck_assert_uint_eq(stats().idle_bytes, stats().weight_bytes);
    VfiModel *third = open_file(0);
    ck_assert_ptr_eq(third->weights, weights);
    ck_assert_uint_eq(stats().loads, 1);
    vfi_model_unref(third);
}
END_TEST

START_TEST(models_of_vfi_model_open_are_their_callers_own)
{
    VfiModel *cached = open_file(0);
    VfiModel *own = vfi_model_open(paths[0], NULL, NULL);

    ck_assert_ptr_nonnull(own);
    ck_assert_ptr_ne(own->weights, cached->weights);
    ck_assert_uint_eq(stats().models, 2);
    vfi_model_set_keep(own, TRUE); /* without meaning */
    vfi_model_unref(own);
    ck_assert_uint_eq(stats().models, 1);
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
    VfiModel *model = open_file(0);
    const VfiWeight *weight =
        vfi_weights_find(model->weights, "block0.convblock.0.0.weight");
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_nonnull(weight);
    float sample = weight->data[0];
    vfi_model_unref(model);
    spoil_unnoticed(paths[0]);
    model = open_file(0);
    weight = vfi_weights_find(model->weights, "block0.convblock.0.0.weight");
    ck_assert(weight->data[0] == sample);
    vfi_model_unref(model);

    /* and once nothing is kept it is read, and found to be spoilt */
    vfi_clear_cache(TRUE);
    ck_assert_ptr_null(vfi_model_cache_open(paths[0], NULL, NULL, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_uint_eq(stats().models, 0);
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
    VfiModel *old = open_file(0);

    change_time(paths[0]);
    VfiModel *new = open_file(0);
    ck_assert_ptr_ne(old->weights, new->weights);
    ck_assert_uint_eq(stats().loads, 2);
    ck_assert_uint_eq(stats().models, 2);
    /* the old one goes with those who use it */
    vfi_model_unref(old);
    ck_assert_uint_eq(stats().models, 1);
    vfi_model_unref(new);
    ck_assert_uint_eq(stats().models, 1);
    /* and at once if nobody does */
    change_time(paths[0]);
    new = open_file(0);
    ck_assert_uint_eq(stats().loads, 3);
    ck_assert_uint_eq(stats().models, 1);
    vfi_model_unref(new);
}
END_TEST

START_TEST(a_file_in_anothers_place_is_a_new_model)
{
    VfiModel *old = open_file(0);

    /* as editors and downloads do it: same name, another inode */
    ck_assert_int_eq(g_rename(paths[1], paths[0]), 0);
    VfiModel *new = open_file(0);
    ck_assert_ptr_ne(old->weights, new->weights);
    vfi_model_unref(old);
    vfi_model_unref(new);
    ck_assert_uint_eq(stats().models, 1);
}
END_TEST

START_TEST(what_changes_weights_is_not_shared)
{
    const VfiModelCacheConfig cpu = {.device = "cpu", .precision = VFI_PRECISION_F32};
    const VfiModelCacheConfig bf16 = {.device = "cpu", .precision = VFI_PRECISION_BF16};
    const VfiModelCacheConfig cuda = {.device = "cuda:1"};
    VfiModel *models[] = {
        open_file(0), /* auto, which here is the CPU and f32 */
        open_with(paths[0], NULL, &cpu),
        open_with(paths[0], "{'ensemble': <true>}", NULL),
        open_with(paths[0], "{'refine': <true>}", NULL),
        open_with(paths[0], "{'refine': <true>, 'pad-multiple': <uint32 64>}", &cpu),
        open_with(paths[0], NULL, &bf16),
        open_with(paths[0], NULL, &cuda),
    };
    static const int same_as[] = {0, 0, 0, 3, 3, 5, 6};

    for (int i = 0; i < (int)G_N_ELEMENTS(models); i++)
        for (int k = 0; k < (int)G_N_ELEMENTS(models); k++)
            ck_assert_int_eq(models[i]->weights == models[k]->weights,
                             same_as[i] == same_as[k]);
    ck_assert_uint_eq(stats().loads, 4);
    /* options that are not shared are each model's own */
    ck_assert(!vfi_setup_boolean(&models[0]->setup, "ensemble"));
    ck_assert(vfi_setup_boolean(&models[2]->setup, "ensemble"));
    unref_all(models, (int)G_N_ELEMENTS(models));
    ck_assert_uint_eq(stats().idle, 4);
}
END_TEST

START_TEST(errors_leave_the_cache_as_it_was)
{
    VfiModel *model = open_file(0);
    g_autoptr(GError) options = NULL, missing = NULL;

    ck_assert_ptr_null(vfi_model_cache_open(
        paths[0], g_variant_new_parsed("{'no-such': <1>}"), NULL, &options));
    ck_assert(g_error_matches(options, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    ck_assert_ptr_nonnull(strstr(options->message, "ensemble"));
    ck_assert_uint_eq(stats().loads, 1);
    ck_assert_uint_eq(stats().hits, 0);
    ck_assert_ptr_null(vfi_model_cache_open("/no/such.pkl", NULL, NULL, &missing));
    ck_assert(g_error_matches(missing, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_uint_eq(stats().models, 1);
    vfi_model_unref(model);

    /* a family without weights is in no cache */
    VfiModel *blend = open_with("blend", NULL, NULL);
    ck_assert_uint_eq(stats().models, 1);
    vfi_model_unref(blend);
}
END_TEST

START_TEST(the_last_user_says_whether_it_stays)
{
    VfiModel *keeps = open_file(0), *releases = open_file(0);

    vfi_model_set_keep(releases, FALSE);
    vfi_model_unref(releases);
    ck_assert_uint_eq(stats().models, 1);
    vfi_model_unref(keeps);
    ck_assert_uint_eq(stats().idle, 1);
    releases = open_file(0);
    vfi_model_set_keep(releases, FALSE);
    vfi_model_unref(releases);
    ck_assert_uint_eq(stats().models, 0);
    ck_assert_uint_eq(stats().weight_bytes, 0);
}
END_TEST

/* ---- sessions ---------------------------------------------------------------------- */

static VfiSession *new_session(VfiModel *model, GError **error)
{
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_RGB, .width = 64, .height = 48}, .threads = 1};

    return vfi_session_new(model, &config, error);
}

/* Makes an in-between of two frames that differ; returns its first bytes. */
static guint64 run(VfiSession *session)
{
    static guint8 pixels[3][64 * 48 * 3];
    VfiFrame frames[3];
    guint64 bytes;

    for (int f = 0; f < 3; f++) {
        frames[f] = (VfiFrame){.data = {pixels[f]}, .stride = {64 * 3}};
        for (int i = 0; f < 2 && i < 64 * 48 * 3; i++)
            pixels[f][i] = (guint8)((i * 7 + f * 31) ^ (i >> 6));
    }
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, NULL);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &frames[2], NULL);
    g_autoptr(GError) error = NULL;
    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
    vfi_session_wait(session);
    memcpy(&bytes, pixels[2] + 640, sizeof bytes);
    return bytes;
}

START_TEST(clearing_takes_what_nobody_uses)
{
    VfiModel *model = open_file(0), *idle = open_file(1);
    VfiSession *session = new_session(model, NULL);

    vfi_model_unref(idle);
    size_t packed = stats().packed_bytes;
    guint64 picture = run(session);
    ck_assert_uint_gt(packed, 0);

    /* all of it in use */
    vfi_soft_clear();
    ck_assert_uint_eq(stats().packed_bytes, packed);
    ck_assert_uint_eq(stats().models, 2);
    ck_assert_uint_eq(run(session), picture);

    /* packed weights go, weights stay */
    vfi_session_unref(session);
    ck_assert_uint_eq(stats().packed_bytes, packed);
    vfi_soft_clear();
    ck_assert_uint_eq(stats().packed_bytes, 0);
    ck_assert_uint_eq(stats().models, 2);

    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(stats().models, 1);
    ck_assert_uint_eq(stats().idle, 0);
    session = new_session(model, NULL);
    ck_assert_uint_eq(run(session), picture);
    /* the session alone holds the model */
    vfi_model_unref(model);
    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(stats().models, 1);
    vfi_session_unref(session);
    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(stats().models, 0);
}
END_TEST

/* ---- memory is short --------------------------------------------------------------- */

#define TOTAL (8 * 1024 * MIB)
#define HEADROOM (1024 * MIB)

START_TEST(a_shortage_takes_the_least_recently_used_first)
{
    VfiModel *models[N_FILES], *again;
    size_t bytes;

    fake_memory_set(TOTAL, TOTAL);
    for (int i = 0; i < N_FILES; i++)
        models[i] = open_file(i);
    bytes = vfi_model_info(models[0])->weight_bytes;
    for (int i = N_FILES - 1; i >= 0; i--)
        vfi_model_unref(models[i]);
    /* not used for longest: 2, then 1, then 0; using it counts */
    vfi_model_unref(open_file(2));

    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(stats().evictions, 0);
    fake_memory_set(HEADROOM, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(stats().evictions, 0);

    fake_memory_set(HEADROOM - 1024, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(stats().evictions, 1);
    fake_memory_set(TOTAL, TOTAL);
    again = open_file(2);
    vfi_model_unref(again);
    again = open_file(0);
    vfi_model_unref(again);
    ck_assert_uint_eq(stats().loads, N_FILES);
    again = open_file(1);
    ck_assert_uint_eq(stats().loads, N_FILES + 1);

    /* one that is in use never goes, whatever is missing */
    fake_memory_set(HEADROOM - bytes - 1024, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(stats().evictions, 3);
    ck_assert_uint_eq(stats().models, 1);
    ck_assert(!vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(stats().evictions, 3);
    vfi_model_unref(again);
}
END_TEST

START_TEST(packed_weights_go_before_models)
{
    VfiModel *model = open_file(0);

    vfi_session_unref(new_session(model, NULL));
    vfi_model_unref(model);
    size_t packed = stats().packed_bytes;
    ck_assert_uint_gt(packed, 1024);
    fake_memory_set(HEADROOM - packed / 1024 * 1024, TOTAL);
    ck_assert(vfi_memory_relieve(HEADROOM));
    ck_assert_uint_eq(stats().packed_bytes, 0);
    ck_assert_uint_eq(stats().evictions, 0);
    ck_assert_uint_eq(stats().models, 1);
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
    VfiModel *in_use = open_file(1);

    fake_memory_set(HEADROOM + 6 * MIB, TOTAL);
    ck_assert_ptr_null(vfi_model_cache_open(paths[0], NULL, &config, &error));
    assert_no_memory(error, words);
    ck_assert_uint_eq(stats().models, 1);

    /* nobody escapes the guard */
    fake_memory_set(6 * MIB, TOTAL);
    ck_assert_ptr_null(vfi_model_open(paths[0], NULL, &own));
    ck_assert(g_error_matches(own, VFI_ERROR, VFI_ERROR_NO_MEMORY));

    /* the other one goes for it once it is idle */
    vfi_model_unref(in_use);
    fake_memory_set(HEADROOM + 6 * MIB, TOTAL);
    VfiModel *model = open_with(paths[0], NULL, &config);
    ck_assert_uint_eq(stats().evictions, 1);
    ck_assert_uint_eq(stats().models, 1);

    /* and to have it at hand needs no memory */
    fake_memory_set(0, TOTAL);
    VfiModel *same = open_with(paths[0], NULL, &config);
    vfi_model_unref(same);
    vfi_model_unref(model);
}
END_TEST

START_TEST(idle_models_stay_when_dropping_them_is_no_help)
{
    const VfiModelCacheConfig config = {.memory_headroom = HEADROOM};

    vfi_model_unref(open_file(1));
    fake_memory_set(HEADROOM - 100 * MIB, TOTAL);
    ck_assert_ptr_null(vfi_model_cache_open(paths[0], NULL, &config, NULL));
    ck_assert_uint_eq(stats().evictions, 0);
    ck_assert_uint_eq(stats().idle, 1);
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
    VfiModel *model = open_file(0);
    guint64 need = need_of_session(model);
    VfiSessionStats facts;

    fake_memory_set(TOTAL, TOTAL);
    VfiSession *session = new_session(model, NULL);
    vfi_session_get_stats(session, &facts);
    run(session); /* what it was promised is in use by now */
    /* threads' scratch is what the statistics do not count: here one thread's */
    ck_assert_uint_ge(need, facts.arena_bytes + stats().packed_bytes);
    ck_assert_uint_le(need, facts.arena_bytes + stats().packed_bytes + 1 * MIB);

    /* a second one takes the packed weights of the first */
    guint64 second = need_of_session(model);
    ck_assert_uint_le(second, need - stats().packed_bytes + STEP);
    ck_assert_uint_ge(second, need - stats().packed_bytes - STEP);
    vfi_session_unref(session);
    vfi_model_unref(model);
}
END_TEST

START_TEST(a_session_that_does_not_fit_is_an_error)
{
    static const char *const words[] = {
        "rife 4.0",      "64×48", "memory-headroom", "smaller scale",
        "smaller model", " free", "limit",           NULL};
    VfiModel *model = open_file(0);
    g_autoptr(GError) error = NULL;

    fake_memory_set(1 * MIB, TOTAL);
    ck_assert_ptr_null(new_session(model, &error));
    assert_no_memory(error, words);
    ck_assert_uint_eq(stats().packed_bytes, 0);
    /* nothing is left that would be in the way of the next */
    fake_memory_set(TOTAL, TOTAL);
    VfiSession *session = new_session(model, NULL);
    ck_assert_ptr_nonnull(session);
    vfi_session_unref(session);
    vfi_model_unref(model);
}
END_TEST

/* Memory counts as used once it is written to, but it has been given away before. */
START_TEST(what_a_session_was_promised_is_not_given_twice)
{
    VfiModel *model = open_file(0);
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_RGB, .width = 64, .height = 48},
        .threads = 1,
        .memory_headroom = 1};

    VfiSession *holds_packed = new_session(model, NULL);
    run(holds_packed);
    guint64 need = need_of_session(model);
    fake_memory_set(need * 3 / 2, TOTAL);
    VfiSession *first = vfi_session_new(model, &config, NULL);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(vfi_session_new(model, &config, NULL));
    /* from its first picture on the system knows */
    run(first);
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

    vfi_model_unref(open_file(0));
    vfi_model_unref(open_with(paths[1], NULL, &there));
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
    ck_assert_uint_eq(stats().evictions, 0);

    /* nothing is: models stay, what they have in the host's memory is no help */
    fake_device.free_bytes = 1100 * MIB;
    fake_device.trim_gives = 0;
    ck_assert(!vfi_memory_claim(&request, &error));
    assert_no_memory(error, words);
    ck_assert_uint_eq(stats().evictions, 0);
    ck_assert_uint_eq(stats().models, 2);
    vfi_model_unref(open_file(0));
    ck_assert_uint_eq(stats().loads, 2);
}
END_TEST

/* ---- threads ----------------------------------------------------------------------- */

#define N_OPENERS 32

static gpointer open_one(gpointer data)
{
    (void)data;
    return open_file(0);
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
    ck_assert_uint_eq(stats().loads, 1);
    ck_assert_uint_eq(stats().hits, N_OPENERS - 1);
    unref_all(models, N_OPENERS);
    ck_assert_uint_eq(stats().models, 1);
}
END_TEST

#define N_ROUNDS 8

static gpointer open_and_close(gpointer data)
{
    int which = GPOINTER_TO_INT(data);

    for (int i = 0; i < N_ROUNDS; i++) {
        VfiModel *model = open_file((which + i) % N_FILES);
        vfi_model_set_keep(model, (which + i) % 4 != 0);
        if (i % 3 == 0)
            vfi_session_unref(new_session(model, NULL));
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
        stats();
    }
    return NULL;
}

START_TEST(everything_at_once)
{
    GThread *threads[4], *clearing;
    VfiModel *model = open_file(0);
    VfiSession *session = new_session(model, NULL);

    fake_memory_set(TOTAL, TOTAL);
    guint64 picture = run(session);
    clearing = g_thread_new("clear", clear_and_relieve, NULL);
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("open", open_and_close, GINT_TO_POINTER(i));
    for (int i = 0; i < N_ROUNDS; i++)
        ck_assert_uint_eq(run(session), picture);
    for (int i = 0; i < 4; i++)
        g_thread_join(threads[i]);
    g_thread_join(clearing);
    ck_assert_uint_eq(run(session), picture);
    vfi_session_unref(session);
    vfi_model_unref(model);
    vfi_clear_cache(TRUE);
    ck_assert_uint_eq(stats().models, 0);
}
END_TEST

static void setup(void)
{
    /* no CUDA: "auto" is the CPU */
    g_setenv("VFI_BACKEND_PATH", "/nonexistent", TRUE);
    fake_memory_begin();
    make_files();
}

static void teardown(void)
{
    vfi_clear_cache(TRUE);
    remove_files();
    fake_memory_end();
}

int main(void)
{
    Suite *suite = suite_create("model_cache");
    TCase *tcase = tcase_create("model_cache");
    tcase_add_unchecked_fixture(tcase, make_bytes, free_bytes);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, one_file_is_read_once);
    tcase_add_test(tcase, models_of_vfi_model_open_are_their_callers_own);
    tcase_add_test(tcase, opening_again_does_not_touch_the_file);
    tcase_add_test(tcase, a_changed_file_is_a_new_model);
    tcase_add_test(tcase, a_file_in_anothers_place_is_a_new_model);
    tcase_add_test(tcase, what_changes_weights_is_not_shared);
    tcase_add_test(tcase, errors_leave_the_cache_as_it_was);
    tcase_add_test(tcase, the_last_user_says_whether_it_stays);
    tcase_add_test(tcase, clearing_takes_what_nobody_uses);
    tcase_add_test(tcase, a_shortage_takes_the_least_recently_used_first);
    tcase_add_test(tcase, packed_weights_go_before_models);
    tcase_add_test(tcase, a_model_that_does_not_fit_is_an_error);
    tcase_add_test(tcase, idle_models_stay_when_dropping_them_is_no_help);
    tcase_add_test(tcase, a_session_asks_for_what_it_takes);
    tcase_add_test(tcase, a_session_that_does_not_fit_is_an_error);
    tcase_add_test(tcase, what_a_session_was_promised_is_not_given_twice);
    tcase_add_test(tcase, a_devices_own_memory_is_guarded);
    tcase_add_test(tcase, those_who_come_at_once_wait_for_one_load);
    tcase_add_test(tcase, everything_at_once);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
