/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store of packed weights: one form for each key, packed once whoever asks, released,
 * trimmed, and nothing left of it where memory is refused. */
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "check_main.h"
#include "weights/packed_weights.h"

#define N_FLOATS 64
#define N_THREADS 16

static float weight[N_FLOATS], other_weight[N_FLOATS];

/* Any key; the tests change it. */
static const VfiPackedKey plain_key = {
    .weight = weight,
    .layout = "doubled",
    .bytes = sizeof(weight),
    .level = 1,
    .kind = VFI_OP_CONV,
    .in = 8,
    .out = 8,
    .groups = 1,
    .kernel_h = 1,
    .kernel_w = 1,
    .stride = 1,
};

/* The source of a form: what to double, and how often that was done. */
typedef struct {
    const float *from;
    atomic_int n_calls;
} Source;

static void fill_weight(void)
{
    for (int i = 0; i < N_FLOATS; i++)
        weight[i] = (float)i;
}

/* Gives other threads every chance to look before it is done. */
static void pack_doubled(const void *source, void *to)
{
    Source *from = (Source *)source;

    atomic_fetch_add(&from->n_calls, 1);
    for (int i = 0; i < N_FLOATS; i++) {
        ((float *)to)[i] = 2.0f * from->from[i];
        sched_yield();
    }
}

static bool is_doubled(const VfiPacked *packed)
{
    for (int i = 0; i < N_FLOATS; i++)
        if (((const float *)packed->data)[i] != (float)(2 * i))
            return false;
    return true;
}

static VfiPackedStats stats_of(VfiPackedWeights *store)
{
    VfiPackedStats stats;

    vfi_packed_weights_stats(store, &stats);
    return stats;
}

START_TEST(a_form_is_packed_once_and_kept)
{
    VfiPackedWeights *store = vfi_packed_weights_new();
    Source source = {.from = weight};
    const VfiPacked *held[3];

    fill_weight();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            held[i] =
                vfi_packed_weights_get(store, &plain_key, pack_doubled, &source, NULL);
        ck_assert(is_doubled(held[0]));
        ck_assert_uint_eq((uintptr_t)held[0]->data % VFI_ALIGNMENT, 0);
        ck_assert_ptr_eq(held[0]->data, held[1]->data);
        ck_assert_ptr_eq(held[0]->data, held[2]->data);
        ck_assert_uint_eq(stats_of(store).bytes, sizeof(weight));
        ck_assert_uint_eq(stats_of(store).bytes_in_use, sizeof(weight));
        for (int i = 0; i < 3; i++)
            vfi_packed_release(held[i]);
        ck_assert_uint_eq(stats_of(store).bytes, sizeof(weight));
        ck_assert_uint_eq(stats_of(store).bytes_in_use, 0);
    }
    ck_assert_int_eq(source.n_calls, 1);
    ck_assert_uint_eq(stats_of(store).n_packed, 1);
    vfi_packed_release(NULL);
    vfi_packed_weights_free(store);
    vfi_packed_weights_free(NULL);
}
END_TEST

START_TEST(other_keys_are_other_forms)
{
    VfiPackedKey keys[18];
    const VfiPacked *held[18];
    VfiPackedWeights *store = vfi_packed_weights_new();
    Source source = {.from = weight};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        keys[i] = plain_key;
    keys[1].weight = other_weight;
    keys[2].layout = "doubled again";
    keys[3].bytes *= 2;
    keys[4].level++;
    keys[5].kind = VFI_OP_CONV_TRANSPOSE;
    keys[6].in++;
    keys[7].out++;
    keys[8].groups++;
    keys[9].kernel_h++;
    keys[10].kernel_w++;
    keys[11].stride++;
    keys[12].pad_top++;
    keys[13].pad_left++;
    keys[14].n_runs = keys[15].n_runs = 1;
    keys[14].runs[0] = (VfiChannelRun){0, 8};
    keys[15].runs[0] = (VfiChannelRun){8, 8};
    keys[16].depth = keys[17].depth = 3;
    keys[17].slice = 1;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        held[i] = vfi_packed_weights_get(store, &keys[i], pack_doubled, &source, NULL);
        ck_assert_int_eq(source.n_calls, (int)i + 1);
    }
    /* the text counts, not where it stands */
    char layout[] = "doubled";
    VfiPackedKey same = plain_key;
    same.layout = layout;
    const VfiPacked *again =
        vfi_packed_weights_get(store, &same, pack_doubled, &source, NULL);
    ck_assert_ptr_eq(again, held[0]);
    vfi_packed_release(again);
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        vfi_packed_release(held[i]);
    vfi_packed_weights_free(store);
}
END_TEST

typedef struct {
    VfiPackedWeights *store;
    Source *source;
    atomic_int *n_waiting;
    const VfiPacked *packed;
    bool complete;
} Taker;

static void *take(void *data)
{
    Taker *taker = data;

    atomic_fetch_add(taker->n_waiting, 1);
    while (atomic_load(taker->n_waiting) < N_THREADS)
        sched_yield();
    taker->packed = vfi_packed_weights_get(taker->store, &plain_key, pack_doubled,
                                           taker->source, NULL);
    taker->complete = is_doubled(taker->packed);
    return NULL;
}

START_TEST(threads_that_come_at_once_wait_for_the_first)
{
    fill_weight();
    for (int round = 0; round < 20; round++) {
        VfiPackedWeights *store = vfi_packed_weights_new();
        Source source = {.from = weight};
        Taker takers[N_THREADS];
        GThread *threads[N_THREADS];
        atomic_int n_waiting = 0;

        for (int i = 0; i < N_THREADS; i++) {
            takers[i] =
                (Taker){.store = store, .source = &source, .n_waiting = &n_waiting};
            threads[i] = g_thread_new("take", take, &takers[i]);
        }
        for (int i = 0; i < N_THREADS; i++)
            g_thread_join(threads[i]);
        ck_assert_int_eq(source.n_calls, 1);
        for (int i = 0; i < N_THREADS; i++) {
            ck_assert(takers[i].complete);
            ck_assert_ptr_eq(takers[i].packed, takers[0].packed);
            ck_assert_uint_eq(vfi_packed_weights_trim(store), 0);
            vfi_packed_release(takers[i].packed);
        }
        ck_assert_uint_eq(vfi_packed_weights_trim(store), sizeof(weight));
        vfi_packed_weights_free(store);
    }
}
END_TEST

START_TEST(trimming_frees_what_nobody_holds)
{
    VfiPackedWeights *store = vfi_packed_weights_new();
    Source source = {.from = weight};
    VfiPackedKey larger = plain_key;

    fill_weight();
    larger.bytes = 2 * sizeof(weight);
    const VfiPacked *kept =
        vfi_packed_weights_get(store, &plain_key, pack_doubled, &source, NULL);
    vfi_packed_release(
        vfi_packed_weights_get(store, &larger, pack_doubled, &source, NULL));
    ck_assert_uint_eq(vfi_packed_weights_trim(store), larger.bytes);
    ck_assert_uint_eq(vfi_packed_weights_trim(store), 0);
    ck_assert_uint_eq(stats_of(store).bytes, sizeof(weight));
    ck_assert(is_doubled(kept));

    /* what was freed is packed anew */
    const VfiPacked *again =
        vfi_packed_weights_get(store, &larger, pack_doubled, &source, NULL);
    ck_assert_int_eq(source.n_calls, 3);
    vfi_packed_release(again);
    vfi_packed_release(kept);
    vfi_packed_weights_free(store);
}
END_TEST

START_TEST(refused_memory_leaves_nothing_behind)
{
    VfiPackedWeights *store = vfi_packed_weights_new();
    Source source = {.from = weight};
    g_autoptr(GError) error = NULL;

    fill_weight();
    vfi_alloc_fail_after(0);
    const VfiPacked *packed =
        vfi_packed_weights_get(store, &plain_key, pack_doubled, &source, &error);
    vfi_alloc_fail_after(G_MAXUINT64);
    ck_assert_ptr_null(packed);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    ck_assert_ptr_nonnull(strstr(error->message, "packed weights"));
    ck_assert_int_eq(source.n_calls, 0);
    ck_assert_uint_eq(stats_of(store).bytes, 0);

    packed = vfi_packed_weights_get(store, &plain_key, pack_doubled, &source, NULL);
    ck_assert(is_doubled(packed));
    vfi_packed_release(packed);
    vfi_packed_weights_free(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("packed_weights");
    TCase *tcase = tcase_create("packed_weights");
    tcase_add_test(tcase, a_form_is_packed_once_and_kept);
    tcase_add_test(tcase, other_keys_are_other_forms);
    tcase_add_test(tcase, threads_that_come_at_once_wait_for_the_first);
    tcase_add_test(tcase, trimming_frees_what_nobody_holds);
    tcase_add_test(tcase, refused_memory_leaves_nothing_behind);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
