/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cache_fixture.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "deterministic_weights.h"
#include "fake_memory.h"

static char *original_bytes;
static gsize original_length;
char *cache_paths[CACHE_FILES];

void cache_make_bytes(void)
{
    g_autofree char *original = deterministic_checkpoint("rife_v4_0", NULL);

    ck_assert_ptr_nonnull(original);
    ck_assert(g_file_get_contents(original, &original_bytes, &original_length, NULL));
    g_unlink(original);
}

void cache_free_bytes(void)
{
    g_clear_pointer(&original_bytes, g_free);
}

static void make_files(void)
{
    for (int i = 0; i < CACHE_FILES; i++) {
        int file = g_file_open_tmp("vfi-cache-XXXXXX.safetensors", &cache_paths[i], NULL);
        ck_assert_int_ge(file, 0);
        ck_assert_int_eq(write(file, original_bytes, original_length),
                         (gssize)original_length);
        close(file);
    }
}

static void remove_files(void)
{
    for (int i = 0; i < CACHE_FILES; i++) {
        g_unlink(cache_paths[i]);
        g_free(cache_paths[i]);
    }
}

VfiModelCacheStats cache_stats(void)
{
    VfiModelCacheStats now;

    vfi_model_cache_get_stats(&now);
    return now;
}

VfiModel *cache_open_with(const char *path, const char *options,
                          const VfiModelCacheConfig *config)
{
    g_autoptr(GError) error = NULL;
    GVariant *parsed = options == NULL ? NULL : g_variant_new_parsed(options);
    VfiModel *model = vfi_model_cache_open(path, parsed, config, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return model;
}

VfiModel *cache_open_file(int index)
{
    return cache_open_with(cache_paths[index], NULL, NULL);
}

VfiSession *cache_new_session(VfiModel *model, GError **error)
{
    const VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_RGB, .width = 64, .height = 48}, .threads = 1};

    return vfi_session_new(model, &config, error);
}

guint64 cache_run(VfiSession *session)
{
    static guint8 pixels[3][64 * 48 * 3];
    VfiFrame frames[3];
    guint64 bytes;

    for (int f = 0; f < 3; f++) {
        frames[f] = (VfiFrame){.data = {pixels[f]}, .stride = {64 * 3}};
        for (int i = 0; f < 2 && i < 64 * 48 * 3; i++)
            pixels[f][i] = (guint8)((i * 7 + f * 31) ^ (i >> 6));
    }
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &frames[2], NULL);
    g_autoptr(GError) error = NULL;
    ck_assert_msg(vfi_job_wait(job, &error), "%s", error != NULL ? error->message : "");
    vfi_session_wait(session);
    memcpy(&bytes, pixels[2] + 640, sizeof bytes);
    return bytes;
}

void cache_setup(void)
{
    /* no CUDA: "auto" is the CPU */
    g_setenv("VFI_BACKEND_PATH", "/nonexistent", TRUE);
    fake_memory_begin();
    make_files();
}

void cache_teardown(void)
{
    vfi_clear_cache(TRUE);
    remove_files();
    fake_memory_end();
}
