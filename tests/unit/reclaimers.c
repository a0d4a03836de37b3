/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is asked for memory, in what order, and for how much. */
#include <string.h>

#include <vfi/memory.h>

#include "check_main.h"
#include "fake_memory.h"
#include "memory/clear.h"
#include "memory/guard.h"
#include "memory/reclaimers.h"

/* Holders of the test's making. Each has what .idle says, on devices what .on_device
 * says. */
enum { COMPUTED, PACKED, LOADED, FETCHED, N_HOLDERS };

static struct {
    size_t idle, on_device;
    size_t piece; /* what it frees is a multiple of this */
    int n_asked;
    VfiReclaimRequest request; /* the last one */
} holders[N_HOLDERS];

static int calls[16]; /* whose reclaim() or reclaim_devices() ran, in order */
static int n_calls;
static const VfiPackedWeights *spared_on_devices;

static void note_call(int which)
{
    ck_assert_int_lt(n_calls, (int)G_N_ELEMENTS(calls));
    calls[n_calls++] = which;
}

static size_t reclaim_of(int which, const VfiReclaimRequest *request)
{
    size_t freed = MIN(request->wanted, holders[which].idle);
    size_t piece = holders[which].piece;

    note_call(which);
    holders[which].request = *request;
    if (piece > 0 && freed % piece != 0)
        freed = MIN(freed + piece - freed % piece, holders[which].idle);
    holders[which].idle -= freed;
    return freed;
}

static size_t reclaim_devices_of(int which, const VfiPackedWeights *spare)
{
    size_t freed = holders[which].on_device;

    note_call(which);
    spared_on_devices = spare;
    holders[which].on_device = 0;
    return freed;
}

#define HOLDER(holder, which)                                                            \
    static size_t reclaim_##holder(const VfiReclaimRequest *request)                     \
    {                                                                                    \
        return reclaim_of(which, request);                                               \
    }                                                                                    \
    static size_t idle_##holder(void)                                                    \
    {                                                                                    \
        holders[which].n_asked++;                                                        \
        return holders[which].idle;                                                      \
    }                                                                                    \
    static size_t devices_##holder(const VfiPackedWeights *spare)                        \
    {                                                                                    \
        return reclaim_devices_of(which, spare);                                         \
    }                                                                                    \
    static VfiReclaimer holder = {.name = #holder,                                       \
                                  .reclaim = reclaim_##holder,                           \
                                  .idle_bytes = idle_##holder,                           \
                                  .reclaim_devices = devices_##holder};

HOLDER(computed, COMPUTED)
HOLDER(packed, PACKED)
HOLDER(loaded, LOADED)
HOLDER(fetched, FETCHED)

/* Registers dearer ones first, and every one twice. */
static void setup(void)
{
    VfiReclaimer *const in_odd_order[] = {&loaded, &computed, &fetched, &packed};

    computed.order = packed.order = VFI_RECLAIM_DERIVED;
    computed.idle_bytes = packed.idle_bytes = NULL;
    loaded.order = fetched.order = VFI_RECLAIM_LOADED;
    loaded.reclaim_devices = fetched.reclaim_devices = NULL;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < G_N_ELEMENTS(in_odd_order); i++)
            vfi_reclaimer_register(in_odd_order[i]);
    memset(holders, 0, sizeof holders);
    n_calls = 0;
    fake_memory_begin();
}

static void teardown(void)
{
    fake_memory_end();
}

static void assert_calls(int n, const int *expected)
{
    ck_assert_int_eq(n_calls, n);
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(calls[i], expected[i]);
    n_calls = 0;
}

static const int everybody[] = {COMPUTED, PACKED, LOADED, FETCHED};

START_TEST(cheapest_first_and_then_as_registered)
{
    const VfiReclaimRequest all = {.wanted = SIZE_MAX, .last = VFI_RECLAIM_LOADED};
    const VfiReclaimRequest derived = {.wanted = SIZE_MAX, .last = VFI_RECLAIM_DERIVED};

    ck_assert_uint_eq(vfi_reclaim(&all), 0);
    assert_calls(4, everybody);
    for (int i = 0; i < N_HOLDERS; i++)
        holders[i].idle = (size_t)1 << i;
    ck_assert_uint_eq(vfi_reclaim(&derived), 3);
    assert_calls(2, everybody);
    ck_assert_uint_eq(vfi_reclaim(&all), 12);
    assert_calls(4, everybody);
}
END_TEST

START_TEST(nobody_is_asked_for_more_than_is_left_to_want)
{
    const VfiReclaimRequest some = {.wanted = 100, .last = VFI_RECLAIM_LOADED};

    holders[COMPUTED].idle = 30;
    holders[PACKED].idle = 200;
    holders[LOADED].idle = 200;
    ck_assert_uint_eq(vfi_reclaim(&some), 100);
    assert_calls(2, everybody);
    ck_assert_uint_eq(holders[COMPUTED].request.wanted, 100);
    ck_assert_uint_eq(holders[PACKED].request.wanted, 70);
    ck_assert_uint_eq(holders[PACKED].idle, 130);

    /* what comes in pieces may be more */
    holders[PACKED].piece = 64;
    ck_assert_uint_eq(vfi_reclaim(&some), 128);
    assert_calls(2, everybody);
}
END_TEST

START_TEST(nothing_dear_is_given_up_in_vain)
{
    VfiReclaimRequest some = {
        .wanted = 100, .last = VFI_RECLAIM_LOADED, .only_if_enough = true};

    holders[COMPUTED].idle = 10;
    holders[LOADED].idle = 40;
    holders[FETCHED].idle = 49;
    ck_assert_uint_eq(vfi_reclaim(&some), 10);
    assert_calls(2, everybody);
    /* together they have it now that 10 are free */
    some.wanted = 89;
    ck_assert_uint_eq(vfi_reclaim(&some), 89);
    assert_calls(4, everybody);

    /* nor is anybody asked what it has where the cheap ones have enough */
    holders[LOADED].n_asked = 0;
    holders[COMPUTED].idle = 89;
    ck_assert_uint_eq(vfi_reclaim(&some), 89);
    assert_calls(1, everybody);
    ck_assert_int_eq(holders[LOADED].n_asked, 0);
}
END_TEST

START_TEST(devices_memory_is_asked_of_those_who_have_some)
{
    const VfiPackedWeights *spare = (const VfiPackedWeights *)(void *)&holders;

    holders[COMPUTED].on_device = 3;
    holders[PACKED].on_device = 4;
    holders[LOADED].idle = 5;
    ck_assert_uint_eq(vfi_reclaim_devices(spare), 7);
    assert_calls(2, everybody);
    ck_assert_ptr_eq(spared_on_devices, spare);
    ck_assert_uint_eq(holders[LOADED].idle, 5);
    ck_assert_uint_eq(vfi_reclaim_devices(NULL), 0);
}
END_TEST

#define TOTAL (8 * 1024 * MIB)
#define HEADROOM (1024 * MIB)

START_TEST(a_shortage_walks_them_and_spares_what_is_about_to_be_used)
{
    const VfiPackedWeights *spare = (const VfiPackedWeights *)(void *)&holders;
    VfiMemoryRequest request = {.what = "a test",
                                .remedy = "patience",
                                .host_bytes = 3 * MIB,
                                .headroom = HEADROOM,
                                .spare = spare};

    holders[COMPUTED].idle = 1 * MIB;
    holders[LOADED].idle = 4 * MIB;
    fake_memory_set(HEADROOM + 3 * MIB, TOTAL);
    ck_assert(vfi_memory_claim(&request, NULL));
    vfi_memory_unclaim(request.host_bytes);
    assert_calls(0, everybody);

    fake_memory_set(HEADROOM, TOTAL);
    ck_assert(vfi_memory_claim(&request, NULL));
    vfi_memory_unclaim(request.host_bytes);
    assert_calls(3, everybody);
    ck_assert_ptr_eq(holders[LOADED].request.spare, spare);
    ck_assert(holders[LOADED].request.is_short);
    ck_assert_uint_eq(holders[LOADED].idle, 2 * MIB);

    /* 2 MiB are no help to who needs 3 */
    ck_assert(!vfi_memory_claim(&request, NULL));
    assert_calls(2, everybody);
    ck_assert_uint_eq(holders[LOADED].idle, 2 * MIB);
    /* but are given up where as much as possible is asked for */
    fake_memory_set(HEADROOM - 3 * MIB, TOTAL);
    ck_assert(!vfi_memory_relieve(HEADROOM));
    assert_calls(4, everybody);
    ck_assert_uint_eq(holders[LOADED].idle, 0);
}
END_TEST

START_TEST(clearing_asks_for_everything_or_the_cheap_part)
{
    unsigned before = vfi_trim_requests();

    for (int i = 0; i < N_HOLDERS; i++)
        holders[i].idle = MIB;
    vfi_soft_clear();
    assert_calls(2, everybody);
    ck_assert_uint_eq(vfi_trim_requests(), before + 1);
    vfi_clear_cache(TRUE);
    assert_calls(4, everybody);
    ck_assert(!holders[FETCHED].request.is_short);
    ck_assert_uint_eq(holders[LOADED].idle + holders[FETCHED].idle, 0);
    ck_assert_uint_eq(vfi_trim_requests(), before + 2);
}
END_TEST

/* ---- threads ----------------------------------------------------------------------- */

#define N_THREADS 8
#define N_OWN 16

static VfiReclaimer own[N_THREADS][N_OWN];
static gint n_own_calls;

static size_t count_call(const VfiReclaimRequest *request)
{
    (void)request;
    g_atomic_int_inc(&n_own_calls);
    return 0;
}

/* Registers its own, each right before everybody is asked. */
static gpointer register_own(gpointer data)
{
    const VfiReclaimRequest all = {.wanted = SIZE_MAX, .last = VFI_RECLAIM_LOADED};
    VfiReclaimer *mine = data;

    for (int i = 0; i < N_OWN; i++) {
        mine[i].name = "one of many";
        mine[i].order = i % 2 == 0 ? VFI_RECLAIM_DERIVED : VFI_RECLAIM_LOADED;
        mine[i].reclaim = count_call;
        vfi_reclaimer_register(&mine[i]);
        vfi_reclaim(&all);
    }
    return NULL;
}

START_TEST(all_threads_may_register_and_ask)
{
    const VfiReclaimRequest derived = {.wanted = SIZE_MAX, .last = VFI_RECLAIM_DERIVED};
    const VfiReclaimRequest all = {.wanted = SIZE_MAX, .last = VFI_RECLAIM_LOADED};
    GThread *threads[N_THREADS];

    for (int i = 0; i < N_THREADS; i++)
        threads[i] = g_thread_new("register", register_own, own[i]);
    for (int i = 0; i < N_THREADS; i++)
        g_thread_join(threads[i]);
    g_atomic_int_set(&n_own_calls, 0);
    vfi_reclaim(&derived);
    ck_assert_int_eq(g_atomic_int_get(&n_own_calls), N_THREADS * N_OWN / 2);
    vfi_reclaim(&all);
    ck_assert_int_eq(g_atomic_int_get(&n_own_calls), N_THREADS * N_OWN * 3 / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reclaimers");
    TCase *tcase = tcase_create("reclaimers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, cheapest_first_and_then_as_registered);
    tcase_add_test(tcase, nobody_is_asked_for_more_than_is_left_to_want);
    tcase_add_test(tcase, nothing_dear_is_given_up_in_vain);
    tcase_add_test(tcase, devices_memory_is_asked_of_those_who_have_some);
    tcase_add_test(tcase, a_shortage_walks_them_and_spares_what_is_about_to_be_used);
    tcase_add_test(tcase, clearing_asks_for_everything_or_the_cheap_part);
    suite_add_tcase(suite, tcase);
    TCase *threads = tcase_create("threads");
    tcase_add_test(threads, all_threads_may_register_and_ask);
    suite_add_tcase(suite, threads);
    return check_main(suite);
}
