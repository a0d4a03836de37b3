/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No memory is allocated while pairs flow: the program's own malloc() and its kin count
 * every call in the process, from begin to the last reference, once as many pairs are in
 * flight as ever will be. Run with G_SLICE=always-malloc, so that GLib's slices count,
 * too. */
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "session_util.h"

#define WIDTH 300 /* two tiles */
#define HEIGHT 64
#define N_IN_FLIGHT 3
#define N_TIMES 3

static const VfiVideoInfo video = {.format = VFI_FORMAT_I420,
                                   .width = WIDTH,
                                   .height = HEIGHT,
                                   .matrix = VFI_MATRIX_BT709};

/* glibc's own allocator below the counting one. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

static atomic_ulong n_allocations;

/* A simulated device is C++ and allocates: what comes from the code of these libraries
 * does not count. The engine and its modules are C. */
static const char *const others[] = {"libstdc++.so"};

#define MAX_RANGES 16

static struct {
    const char *begin, *end;
} ranges[MAX_RANGES];
static int n_ranges;

static int note_ranges(struct dl_phdr_info *info, size_t size, void *data)
{
    const char *library = data;

    (void)size;
    if (strstr(info->dlpi_name, library) == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum && n_ranges < MAX_RANGES; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD)
            continue;
        ranges[n_ranges].begin = (const char *)(info->dlpi_addr + part->p_vaddr);
        ranges[n_ranges].end = ranges[n_ranges].begin + part->p_memsz;
        n_ranges++;
    }
    return 0;
}

static void leave_out_others(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        dl_iterate_phdr(note_ranges, (void *)others[i]);
}

static void count_allocation(const char *caller)
{
    for (int i = 0; i < n_ranges; i++)
        if (caller >= ranges[i].begin && caller < ranges[i].end)
            return;
    atomic_fetch_add(&n_allocations, 1);
}

/* Shared libraries must find these before the C library's. */
#pragma GCC visibility push(default)

void *malloc(size_t size)
{
    count_allocation(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_allocation(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    count_allocation(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    count_allocation(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = memalign(alignment, size);
    return *memory != NULL ? 0 : 12 /* ENOMEM */;
}

void free(void *memory)
{
    __libc_free(memory);
}

#pragma GCC visibility pop

static bool has_no_weights(const char *family)
{
    return strcmp(family, "blend") == 0 || strcmp(family, "flow") == 0;
}

static VfiSession *open_session(const char *family, const char *options,
                                VfiSessionConfig config)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GVariant) parsed = NULL;

    if (!has_no_weights(family))
        path = deterministic_checkpoint(family, &error);
    if (options != NULL)
        parsed = g_variant_parse(G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL);
    g_autoptr(VfiModel) model =
        vfi_model_open(path != NULL ? path : family, parsed, &error);
    if (path != NULL)
        g_unlink(path);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    return new_session(model, &config);
}

/* A clip of N_IN_FLIGHT + 1 frames played round and round. */
typedef struct {
    VfiSession *session;
    VfiFrame frames[N_IN_FLIGHT + 1];
    VfiFrame out[N_IN_FLIGHT][N_TIMES];
    VfiPair *pairs[N_IN_FLIGHT];
    VfiJob *jobs[N_IN_FLIGHT][N_TIMES];
} Clip;

static void open_clip(Clip *clip, VfiSession *session)
{
    clip->session = session;
    for (int i = 0; i <= N_IN_FLIGHT; i++) {
        ck_assert(vfi_frame_alloc(&clip->frames[i], &video, NULL));
        for (int p = 0; p < 3; p++)
            memset(clip->frames[i].data[p], 40 * i + 10,
                   (size_t)clip->frames[i].stride[p] *
                       (size_t)vfi_video_info_rows(&video, p));
    }
    for (int i = 0; i < N_IN_FLIGHT * N_TIMES; i++)
        ck_assert(vfi_frame_alloc(&clip->out[i / N_TIMES][i % N_TIMES], &video, NULL));
}

static void close_clip(Clip *clip)
{
    for (int i = 0; i <= N_IN_FLIGHT; i++)
        vfi_frame_clear(&clip->frames[i]);
    for (int i = 0; i < N_IN_FLIGHT * N_TIMES; i++)
        vfi_frame_clear(&clip->out[i / N_TIMES][i % N_TIMES]);
    vfi_session_unref(clip->session);
}

/* Begins all pairs and submits their jobs before the first is waited for. Whether all
 * pictures were made; Check's own assertions allocate. */
static bool play(Clip *clip, uint64_t *id)
{
    bool made = true;
    for (int i = 0; i < N_IN_FLIGHT; i++) {
        VfiFrame frames[] = {clip->frames[i], clip->frames[i + 1]};
        frames[0].id = ++*id;
        frames[1].id = *id + 1;
        clip->pairs[i] = vfi_session_begin(clip->session, frames, 2, 0, NULL);
        for (int j = 0; j < N_TIMES; j++)
            clip->jobs[i][j] = vfi_pair_submit(clip->pairs[i], (j + 1) / (N_TIMES + 1.0),
                                               &clip->out[i][j], NULL);
    }
    for (int i = 0; i < N_IN_FLIGHT; i++) {
        for (int j = 0; j < N_TIMES; j++) {
            made = vfi_job_wait(clip->jobs[i][j], NULL) && made;
            vfi_job_unref(clip->jobs[i][j]);
        }
        vfi_pair_unref(clip->pairs[i]);
    }
    vfi_session_wait(clip->session); /* then its worker holds none of them any more */
    return made;
}

static const struct {
    const char *family;
    const char *options;
    int rounds;
    unsigned tile_size;
    VfiFeatureStorage feature_storage;
    bool on_device; /* too: a simulated cuDNN allocates through GLib */
} models[] = {
    {"blend", NULL, 200, 0, VFI_FEATURE_STORAGE_AUTO, true},
    {"flow", "{'quality': <'fast'>}", 20, 0, VFI_FEATURE_STORAGE_AUTO, false},
    {"flow", "{'quality': <'fast'>}", 20, 1, VFI_FEATURE_STORAGE_AUTO, false},
    {"flow", "{'quality': <'best'>}", 2, 0, VFI_FEATURE_STORAGE_AUTO, false},
    {"rife_v4_0", NULL, 2, 0, VFI_FEATURE_STORAGE_AUTO, false},
    /* decides for all tiles */
    {"rife_v4_0", NULL, 2, 1, VFI_FEATURE_STORAGE_AUTO, false},
    /* has a per-frame stage */
    {"rife_v4_22_lite", NULL, 2, 0, VFI_FEATURE_STORAGE_F16, false},
    {"rife_v3_6", NULL, 2, 0, VFI_FEATURE_STORAGE_AUTO, false}, /* bisects */
    /* has a per-pair stage */
    {"film_tiny", "{'timestep-mode': <'direct'>}", 2, 0, VFI_FEATURE_STORAGE_AUTO, false},
    {"ifrnet_s", NULL, 2, 1, VFI_FEATURE_STORAGE_AUTO, false}, /* wants the mean */
};

/* Plays with one pair more in flight than later, since the worker may still hold the job
 * that was last waited for. */
static bool warm_up(Clip *clip, uint64_t *id)
{
    VfiFrame frames[] = {clip->frames[0], clip->frames[1]}, out;

    ck_assert(vfi_frame_alloc(&out, &video, NULL));
    VfiPair *pair = vfi_session_begin(clip->session, frames, 2, 0, NULL);
    VfiJob *job = vfi_pair_submit(pair, 0.5, &out, NULL);
    bool made = play(clip, id) && play(clip, id) && vfi_job_wait(job, NULL);
    vfi_job_unref(job);
    vfi_pair_unref(pair);
    vfi_frame_clear(&out);
    return made;
}

START_TEST(the_hook_counts_what_libraries_allocate)
{
    unsigned long before = atomic_load(&n_allocations);

    g_free(g_malloc(100));
    unsigned long after = atomic_load(&n_allocations);
    ck_assert_uint_eq(after - before, 1);
}
END_TEST

START_TEST(nothing_is_allocated_once_pairs_flow)
{
    const VfiSessionConfig config = {
        .video = video,
        .device = test_device(),
        .threads = 2,
        .tile_size = models[_i].tile_size,
        .feature_storage = models[_i].feature_storage,
    };

    if (strcmp(config.device, "cpu") != 0 && !models[_i].on_device)
        return;
    VfiSession *session = open_session(models[_i].family, models[_i].options, config);
    Clip clip = {0};
    uint64_t id = 0;
    VfiSessionStats stats;

    open_clip(&clip, session);
    leave_out_others();
    bool made = warm_up(&clip, &id);
    unsigned long before = atomic_load(&n_allocations);
    for (int i = 0; i < models[_i].rounds; i++)
        made = play(&clip, &id) && made;
    unsigned long after = atomic_load(&n_allocations);
    ck_assert(made);
    ck_assert_uint_eq(after - before, 0);
    vfi_session_get_stats(session, &stats);
    ck_assert_uint_eq(stats.tiles, models[_i].tile_size > 0 ? 2 : 1);
    ck_assert_uint_eq(stats.in_betweens,
                      (uint64_t)(models[_i].rounds + 2) * N_IN_FLIGHT * N_TIMES + 1);
    close_clip(&clip);
}
END_TEST

int main(void)
{
    if (g_getenv("VFI_TEST_VALGRIND") != NULL) {
        puts("1..0 # SKIP valgrind has an allocator of its own");
        return EXIT_SUCCESS;
    }
    Suite *suite = suite_create("steady-state");
    TCase *tcase = tcase_create("steady-state");

    tcase_add_test(tcase, the_hook_counts_what_libraries_allocate);
    tcase_add_loop_test(tcase, nothing_is_allocated_once_pairs_flow, 0,
                        (int)G_N_ELEMENTS(models));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
