/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory/guard.h"

#include <vfi/error.h>
#include <vfi/memory.h>

#include "base/logging.h"
#include "base/printable.h"
#include "machine/heap.h"
#include "machine/memory_probe.h"
#include "memory/reclaimers.h"

/* Requests are answered one after the other. */
static GMutex lock;
static uint64_t promised; /* under the lock */

/* Numbers of one kind of memory, and the bytes that are asked of it. */
typedef struct {
    VfiMemoryNumbers numbers;
    const char *name;
    uint64_t need;
    uint64_t missing;
} Account;

static void look_at_host(Account *account, uint64_t headroom)
{
    VfiMemoryNumbers *numbers = &account->numbers;

    vfi_memory_probe(numbers);
    if (numbers->free != UINT64_MAX)
        numbers->free -= MIN(promised, numbers->free);
    account->missing = vfi_memory_missing(numbers, headroom, account->need);
}

static void look_at_device(Account *account, const VfiMemoryRequest *request)
{
    VfiMemoryNumbers *numbers = &account->numbers;

    request->backend->memory_info(request->device, &numbers->free, &numbers->total);
    numbers->limit = numbers->total;
    numbers->limited_by = "what the device has";
    account->missing = vfi_memory_missing(numbers, request->headroom, account->need);
}

/* Makes up for the missing host memory, cheapest first. What reclaimers
 * freed is taken at their word: the C library may return less at once, but keeps it for
 * us. */
static void relieve_host(Account *account, uint64_t headroom,
                         const VfiPackedWeights *spare, bool as_far_as_possible)
{
    vfi_trim_host_memory();
    look_at_host(account, headroom);
    if (account->missing == 0)
        return;
    const VfiReclaimRequest request = {
        .wanted = account->missing,
        .last = VFI_RECLAIM_LOADED,
        .spare = spare,
        .is_short = true,
        .only_if_enough = !as_far_as_possible,
    };
    uint64_t freed = vfi_reclaim(&request);
    account->missing -= MIN(freed, account->missing);
    if (freed == 0)
        return;
    vfi_trim_host_memory();
    vfi_log(VFI_LOG_INFO, "memory is short: gave up %.1f MiB that nobody used",
            (double)freed / 0x1p20);
}

static void set_short_error(const VfiMemoryRequest *request, const Account *account,
                            GError **error)
{
    const VfiMemoryNumbers *numbers = &account->numbers;
    uint64_t headroom = vfi_memory_headroom(numbers, request->headroom);

    g_autofree char *what = vfi_printable(request->what);
    g_autofree char *need = vfi_printable_bytes(account->need);
    g_autofree char *found = vfi_printable_bytes(numbers->free);
    g_autofree char *limit = vfi_printable_bytes(numbers->limit);
    g_autofree char *kept = vfi_printable_bytes(headroom);
    g_set_error(
        error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
        "%s needs %s of %s, found %s free by %s, with a limit of %s, and "
        "memory-headroom keeps %s of them free; nothing idle could make up for it. "
        "What would help: %s, a smaller memory-headroom, or a larger limit",
        what, need, account->name, found, numbers->limited_by, limit, kept,
        request->remedy);
}

/* Idle memory of the host is no help here. */
static bool claim_device(const VfiMemoryRequest *request, GError **error)
{
    Account account = {.name = "the device's memory", .need = request->device_bytes};

    if (request->backend == NULL || request->device_bytes == 0)
        return true;
    look_at_device(&account, request);
    if (account.missing == 0)
        return true;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (attempt > 0 && vfi_reclaim_devices(request->spare) == 0)
            break;
        request->backend->trim(request->device);
        look_at_device(&account, request);
        if (account.missing == 0)
            return true;
    }
    set_short_error(request, &account, error);
    return false;
}

static bool claim_host(const VfiMemoryRequest *request, GError **error)
{
    Account account = {.name = "the machine's memory", .need = request->host_bytes};

    look_at_host(&account, request->headroom);
    if (account.missing > 0)
        relieve_host(&account, request->headroom, request->spare, false);
    if (account.missing > 0) {
        set_short_error(request, &account, error);
        return false;
    }
    promised += request->host_bytes;
    return true;
}

bool vfi_memory_claim(const VfiMemoryRequest *request, GError **error)
{
    if (request->host_bytes == 0 && request->device_bytes == 0)
        return true;
    g_mutex_lock(&lock);
    bool granted = claim_device(request, error) && claim_host(request, error);
    g_mutex_unlock(&lock);
    return granted;
}

void vfi_memory_unclaim(uint64_t bytes)
{
    g_mutex_lock(&lock);
    promised -= MIN(bytes, promised);
    g_mutex_unlock(&lock);
}

gboolean vfi_memory_relieve(guint64 headroom)
{
    Account account = {0};

    g_mutex_lock(&lock);
    look_at_host(&account, headroom);
    if (account.missing > 0)
        relieve_host(&account, headroom, NULL, true);
    g_mutex_unlock(&lock);
    return account.missing == 0;
}
