/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanups of a session: when they come, what they give back, and what the statistics
 * say. A cleanup that is due runs before the next job, so that waiting for one is waiting
 * for it. */
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "deterministic_weights.h"
#include "machine/heap.h"
#include "model/loaded_model.h"

static const VfiVideoInfo video = {
    .format = VFI_FORMAT_GRAY8, .width = 64, .height = 48, .matrix = VFI_MATRIX_BT709};

typedef struct {
    VfiSession *session;
    VfiFrame frames[2], out;
    uint64_t next_id;
} Player;

static void start(Player *player, VfiModel *model)
{
    VfiSessionConfig config = {.video = video, .device = "cpu", .threads = 1};
    g_autoptr(GError) error = NULL;

    *player = (Player){.session = vfi_session_new(model, &config, &error), .next_id = 1};
    ck_assert_msg(player->session != NULL, "%s", error != NULL ? error->message : "");
    for (int i = 0; i < 2; i++) {
        ck_assert(vfi_frame_alloc(&player->frames[i], &video, NULL));
        memset(player->frames[i].data[0], 50 + 100 * i,
               (size_t)player->frames[i].stride[0] * (size_t)video.height);
    }
    ck_assert(vfi_frame_alloc(&player->out, &video, NULL));
}

static void start_blend(Player *player)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);

    ck_assert_ptr_nonnull(model);
    start(player, model);
}

static void stop(Player *player)
{
    for (int i = 0; i < 2; i++)
        vfi_frame_clear(&player->frames[i]);
    vfi_frame_clear(&player->out);
    vfi_session_unref(player->session);
}

static VfiPair *begin(Player *player)
{
    VfiFrame frames[] = {player->frames[0], player->frames[1]};

    frames[0].id = player->next_id++;
    frames[1].id = player->next_id;
    VfiPair *pair = vfi_session_begin(player->session, frames, 2, 0, NULL);
    ck_assert_ptr_nonnull(pair);
    return pair;
}

static void make_one(Player *player, VfiPair *pair)
{
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &player->out, NULL);

    ck_assert(vfi_job_wait(job, NULL));
}

static void finish_pairs(Player *player, int n)
{
    for (int i = 0; i < n; i++) {
        g_autoptr(VfiPair) pair = begin(player);
        make_one(player, pair);
        make_one(player, pair); /* a pair counts once */
    }
}

/* Statistics once the cleanup that may be due has been: a job of a pair that is not
 * finished yet comes behind it. */
static VfiSessionStats settled_stats(Player *player, VfiPair *unfinished)
{
    VfiSessionStats stats;

    make_one(player, unfinished);
    vfi_session_get_stats(player->session, &stats);
    return stats;
}

START_TEST(a_cleanup_comes_after_every_n_finished_pairs)
{
    Player player;
    VfiSessionStats stats;

    start_blend(&player);
    vfi_session_get_stats(player.session, &stats);
    ck_assert_uint_eq(stats.cleanup_interval, VFI_CLEANUP_PAIRS_DEFAULT);
    VfiPair *unfinished = begin(&player);
    finish_pairs(&player, 9);
    ck_assert_uint_eq(settled_stats(&player, unfinished).cleanups, 0);
    finish_pairs(&player, 1);
    stats = settled_stats(&player, unfinished);
    ck_assert_uint_eq(stats.cleanups, 1);
    ck_assert_uint_eq(stats.finished_pairs, 10);
    ck_assert_uint_eq(stats.pairs, 11);

    vfi_session_set_cleanup_interval(player.session, 3);
    finish_pairs(&player, 7); /* behind 3 and 6 of them */
    stats = settled_stats(&player, unfinished);
    ck_assert_uint_eq(stats.cleanups, 3);
    ck_assert_uint_eq(stats.cleanup_interval, 3);
    vfi_session_set_cleanup_interval(player.session, 1); /* one has waited already */
    stats = settled_stats(&player, unfinished);
    ck_assert_uint_eq(stats.cleanups, 4);
    vfi_pair_unref(unfinished);
    stop(&player);
}
END_TEST

START_TEST(pairs_without_a_picture_do_not_count)
{
    Player player;

    start_blend(&player);
    vfi_session_set_cleanup_interval(player.session, 1);
    VfiPair *unfinished = begin(&player);
    for (int i = 0; i < 3; i++)
        vfi_pair_unref(begin(&player));
    ck_assert_uint_eq(settled_stats(&player, unfinished).cleanups, 0);
    ck_assert_uint_eq(settled_stats(&player, unfinished).finished_pairs, 0);
    vfi_pair_unref(unfinished);
    unfinished = begin(&player);
    ck_assert_uint_eq(settled_stats(&player, unfinished).cleanups, 1);
    vfi_pair_unref(unfinished);
    stop(&player);
}
END_TEST

START_TEST(without_an_interval_memory_decides)
{
    Player player;
    VfiSessionStats stats;

    start_blend(&player);
    vfi_session_set_cleanup_interval(player.session, 0);
    VfiPair *unfinished = begin(&player);
    vfi_session_get_stats(player.session, &stats);
    ck_assert_uint_ge(stats.cleanup_interval, 1);
    ck_assert_uint_le(stats.cleanup_interval, 20);
    ck_assert_uint_gt(stats.device_total_bytes, 0);
    ck_assert_uint_le(stats.device_free_bytes, stats.device_total_bytes);
    /* a stream that is longer than 500 pairs: at most 3 from the next choice on */
    finish_pairs(&player, 501 + 20);
    stats = settled_stats(&player, unfinished);
    ck_assert_uint_le(stats.cleanup_interval, 3);
    ck_assert_uint_ge(stats.cleanups, 501 / 20);
    vfi_pair_unref(unfinished);
    stop(&player);
}
END_TEST

static void pack_nothing(const void *source, void *to)
{
    (void)source;
    (void)to;
}

START_TEST(unused_packed_weights_go_and_used_ones_stay)
{
    g_autofree char *path = deterministic_checkpoint("rife_v4_0", NULL);
    g_autoptr(VfiModel) model = vfi_model_open(path, NULL, NULL);
    VfiPackedStats packed, before;
    Player player;

    g_unlink(path);
    ck_assert_ptr_nonnull(model);
    start(&player, model);
    VfiPackedWeights *store = vfi_weights_packed(model->weights);
    vfi_packed_weights_stats(store, &before);
    ck_assert_uint_gt(before.bytes, 0);
    ck_assert_uint_eq(before.bytes, before.bytes_in_use);
    const float weight = 1;
    VfiPackedKey key = {.weight = &weight, .layout = "test", .bytes = 12345};
    vfi_packed_release(vfi_packed_weights_get(store, &key, pack_nothing, &weight, NULL));
    vfi_packed_weights_stats(store, &packed);
    ck_assert_uint_eq(packed.bytes, before.bytes + 12345);

    vfi_session_set_cleanup_interval(player.session, 1);
    finish_pairs(&player, 1);
    VfiPair *unfinished = begin(&player);
    ck_assert_uint_eq(settled_stats(&player, unfinished).cleanups, 1);
    vfi_packed_weights_stats(store, &packed);
    ck_assert_uint_eq(packed.bytes, before.bytes);
    ck_assert_uint_eq(packed.bytes_in_use, before.bytes_in_use);
    vfi_pair_unref(unfinished);
    stop(&player);
}
END_TEST

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define N_BLOCKS 512
#define BLOCK_BYTES ((size_t)64 << 10)

/* Volatile, or the compiler leaves out what is only allocated and freed. */
static void *volatile blocks[N_BLOCKS + 1];

/* Leaves N_BLOCKS · BLOCK_BYTES in the C library's hands, below a block that is in
 * use. */
static void leave_free_memory(void)
{
    for (int i = 0; i <= N_BLOCKS; i++) {
        blocks[i] = malloc(BLOCK_BYTES);
        memset(blocks[i], 1, BLOCK_BYTES);
    }
    for (int i = 0; i < N_BLOCKS; i++)
        free(blocks[i]);
}

START_TEST(free_memory_goes_back_to_the_system)
{
    Player player;

    start_blend(&player);
    vfi_session_set_cleanup_interval(player.session, 1);
    VfiPair *unfinished = begin(&player);
    finish_pairs(&player, 1);
    VfiSessionStats first = settled_stats(&player, unfinished);
    leave_free_memory();
    size_t before = vfi_resident_bytes();
    finish_pairs(&player, 1);
    make_one(&player, unfinished); /* comes behind the cleanup */
    /* Asking for statistics allocates; with MALLOC_PERTURB_ the C library then writes all
     * over what is free. */
    size_t after = vfi_resident_bytes();
    VfiSessionStats second = settled_stats(&player, unfinished);

    ck_assert_uint_eq(second.cleanups, first.cleanups + 1);
    ck_assert_uint_gt(second.cleanup_microseconds, first.cleanup_microseconds);
    ck_assert_uint_ge(second.cleanup_bytes - first.cleanup_bytes,
                      N_BLOCKS * BLOCK_BYTES * 3 / 4);
    ck_assert_uint_lt(after, before - N_BLOCKS * BLOCK_BYTES / 2);
    free(blocks[N_BLOCKS]);
    vfi_pair_unref(unfinished);
    stop(&player);
}
END_TEST
#endif

START_TEST(every_stage_that_ran_has_times)
{
    g_autofree char *path = deterministic_checkpoint("rife_v4_0", NULL);
    g_autoptr(VfiModel) model =
        vfi_model_open(path, g_variant_new_parsed("{'refine': <true>}"), NULL);
    VfiSessionStats stats;
    Player player;

    g_unlink(path);
    ck_assert_ptr_nonnull(model);
    start(&player, model);
    vfi_session_get_stats(player.session, &stats);
    for (int i = 0; i < VFI_TIMED_COUNT; i++)
        ck_assert_uint_eq(stats.times[i].runs, 0);
    finish_pairs(&player, 3);
    vfi_session_get_stats(player.session, &stats);
    /* four frames, and two in-betweens of each of the three pairs */
    ck_assert_uint_eq(stats.times[VFI_TIMED_PREPARE].runs, 4);
    ck_assert_uint_eq(stats.times[VFI_TIMED_FRAME_STAGE].runs, 4);
    ck_assert_uint_eq(stats.times[VFI_TIMED_TIME_STAGE].runs, 6);
    ck_assert_uint_eq(stats.times[VFI_TIMED_SYNTHESIS].runs, 6);
    for (int i = 0; i < VFI_TIMED_COUNT; i++)
        ck_assert_double_le(stats.times[i].p50, stats.times[i].p95);
    ck_assert_double_gt(stats.times[VFI_TIMED_TIME_STAGE].p50, 0);
    stop(&player);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cleanup");
    TCase *tcase = tcase_create("cleanup");

    tcase_add_test(tcase, a_cleanup_comes_after_every_n_finished_pairs);
    tcase_add_test(tcase, pairs_without_a_picture_do_not_count);
    tcase_add_test(tcase, without_an_interval_memory_decides);
    tcase_add_test(tcase, unused_packed_weights_go_and_used_ones_stay);
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (g_getenv("VFI_TEST_VALGRIND") == NULL) /* which has its own allocator */
        tcase_add_test(tcase, free_memory_goes_back_to_the_system);
#endif
    tcase_add_test(tcase, every_stage_that_ran_has_times);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
