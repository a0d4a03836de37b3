/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated device's memory: one reserved range of addresses, PROT_NONE while no work
 * runs. Small allocations share pages in its first part and are poisoned when freed.
 * Large ones have pages of their own in the rest, which stay PROT_NONE once freed. Freed
 * addresses are used again as late as possible. */
#include "simulated.h"

#include <string.h>
#include <sys/mman.h>

namespace simulated
{

/* Pairs of these bytes are NaNs as f16, bf16, f32 and f64. */
static const uint16_t FRESH = 0xffff, FREED = 0xfffe, GUARD = 0xfffd;

static const size_t MAX_RANGE = (size_t)64 << 30,
                    MIN_RANGE = (size_t)4 << 30; /* of addresses */
static const size_t PAGE = 4096, SMALL_UNIT = 256, LARGE_UNIT = (size_t)2 << 20;
static const size_t LARGE = (size_t)1 << 20; /* from this size on */

struct Part {
    char *base;
    size_t size, unit;
    size_t high;                                 /* bytes that were ever allocated */
    std::map<size_t, size_t> free;               /* by offset, unit-sized and merged */
    std::deque<std::pair<size_t, size_t>> freed; /* not to be used again yet */
    size_t freed_bytes, freed_limit;
};

/* Never freed, as state(). */
static Part &small_part = *new Part{}, &large_part = *new Part{};
static char *range;
static size_t range_size;
static bool accessible;

/* In whole huge pages: changing their protection costs a hundredth of what it costs for
 * their small pages, and it happens at every wait. */
static void protect(char *memory, size_t size, int protection)
{
    char *first = (char *)((uintptr_t)memory & ~(LARGE_UNIT - 1));
    char *end = (char *)(((uintptr_t)memory + size + LARGE_UNIT - 1) & ~(LARGE_UNIT - 1));

    if (first < end && mprotect(first, end - first, protection))
        give_up("cannot change the protection of %zu bytes", (size_t)(end - first));
}

/* As much of the range as can be had: some tools need addresses themselves. */
static void reserve_range(void)
{
    void *mapped = MAP_FAILED;

    if (range)
        return;
    for (range_size = MAX_RANGE; range_size >= MIN_RANGE && mapped == MAP_FAILED;
         range_size /= 2)
        mapped = mmap(NULL, range_size + LARGE_UNIT, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        give_up("cannot reserve %zu bytes of addresses", MIN_RANGE);
    range_size *= 2; /* the loop went on once more */
    range = (char *)(((uintptr_t)mapped + LARGE_UNIT - 1) & ~(LARGE_UNIT - 1));
    madvise(range, range_size, MADV_HUGEPAGE);
    size_t small = range_size / 16;
    small_part = {range, small, SMALL_UNIT, 0, {}, {}, 0, (size_t)64 << 20};
    large_part = {range + small, range_size - small, LARGE_UNIT, 0, {}, {}, 0,
                  range_size / 4};
}

/* Protects what is accessible while work runs: all small allocations' pages, and runs of
 * large ones. */
static void for_open_memory(int protection)
{
    char *begin = NULL, *end = NULL;

    if (!range)
        return;
    protect(small_part.base, small_part.high, protection);
    for (auto &[memory, allocation] : state().allocations) {
        if (!allocation.large)
            continue;
        if (allocation.block != end) {
            if (begin)
                protect(begin, end - begin, protection);
            begin = allocation.block;
        }
        end = allocation.block + allocation.block_size;
    }
    if (begin)
        protect(begin, end - begin, protection);
}

void open_memory(void)
{
    accessible = true;
    for_open_memory(PROT_READ | PROT_WRITE);
}

void close_memory(void)
{
    accessible = false;
    for_open_memory(PROT_NONE);
}

/* ---- patterns ---------------------------------------------------------------------- */

static void fill(char *memory, size_t size, uint16_t pattern)
{
    size_t pairs = size / 2;

    if (pattern == FRESH) {
        memset(memory, 0xff, size);
        return;
    }
    for (size_t i = 0; i < pairs; i++)
        memcpy(memory + 2 * i, &pattern, 2);
    if (size % 2)
        memory[size - 1] = (char)pattern;
}

/* Index of the first byte that differs from the pattern; size if none does. */
static size_t find_change(const char *memory, size_t size, uint16_t pattern)
{
    const char bytes[2] = {(char)pattern, (char)(pattern >> 8)};

    for (size_t i = 0; i < size; i++)
        if (memory[i] != bytes[i % 2])
            return i;
    return size;
}

static size_t guard_after(const Allocation &a, const char *memory)
{
    size_t rest = a.block + a.block_size - (memory + a.size);

    return std::min(rest, PAGE);
}

static void check_allocation(const char *memory, const Allocation &a)
{
    size_t before = memory - a.block, after = guard_after(a, memory);
    size_t changed = find_change(a.block, before, GUARD);

    if (changed < before)
        give_up("something was stored %zu bytes before an allocation of %zu bytes",
                before - changed, a.size);
    changed = find_change(memory + a.size, after, GUARD);
    if (changed < after)
        give_up("something was stored %zu bytes after the end of an allocation of %zu",
                changed, a.size);
}

void check_guards(void)
{
    bool was_accessible = accessible;

    if (state().allocations.empty())
        return;
    if (!was_accessible)
        open_memory();
    for (auto &[memory, allocation] : state().allocations)
        check_allocation(memory, allocation);
    if (!was_accessible)
        close_memory();
}

/* ---- addresses --------------------------------------------------------------------- */

static void give_back(Part &part, size_t offset, size_t size)
{
    auto next = part.free.lower_bound(offset);

    if (next != part.free.end() && offset + size == next->first) {
        size += next->second;
        next = part.free.erase(next);
    }
    if (next != part.free.begin()) {
        auto previous = std::prev(next);
        if (previous->first + previous->second == offset) {
            previous->second += size;
            return;
        }
    }
    part.free[offset] = size;
}

/* Freed small blocks must not have changed. */
static void end_quarantine(Part &part)
{
    auto [offset, size] = part.freed.front();

    part.freed.pop_front();
    part.freed_bytes -= size;
    if (&part == &small_part) {
        char *block = part.base + offset;
        protect(block, size, PROT_READ | PROT_WRITE);
        if (find_change(block, size, FREED) < size)
            give_up("something was stored to a freed allocation of about %zu bytes",
                    size);
        if (!accessible)
            protect(block, size, PROT_NONE);
    }
    give_back(part, offset, size);
}

static char *take(Part &part, size_t size)
{
    for (;;) {
        if (size <= part.size - part.high) { /* prefer memory that was never used */
            if (part.freed_bytes < part.freed_limit && part.high < part.size / 2) {
                part.high += size;
                return part.base + part.high - size;
            }
        }
        for (auto it = part.free.begin(); it != part.free.end(); ++it) {
            if (it->second < size)
                continue;
            size_t offset = it->first, rest = it->second - size;
            part.free.erase(it);
            if (rest)
                part.free[offset + size] = rest;
            return part.base + offset;
        }
        if (size <= part.size - part.high) {
            part.high += size;
            return part.base + part.high - size;
        }
        if (part.freed.empty())
            return NULL;
        end_quarantine(part);
    }
}

bool in_device_memory(const void *memory)
{
    return range && (const char *)memory >= range &&
           (const char *)memory < range + range_size;
}

const Allocation *find_allocation(const void *memory, size_t size)
{
    auto &all = state().allocations;
    auto it = all.upper_bound((const char *)memory);

    if (it == all.begin())
        return NULL;
    --it;
    size_t offset = (const char *)memory - it->first;
    return offset <= it->second.size && size <= it->second.size - offset ? &it->second
                                                                         : NULL;
}

static bool in_ranges(const std::map<const char *, size_t> &ranges, const char *memory,
                      size_t size)
{
    auto it = ranges.upper_bound(memory);

    if (it == ranges.begin())
        return false;
    --it;
    size_t offset = memory - it->first;
    return offset <= it->second && size <= it->second - offset;
}

bool is_pinned(const void *memory, size_t size)
{
    return in_ranges(state().pinned, (const char *)memory, size) ||
           in_ranges(state().registered, (const char *)memory, size);
}

/* ---- how much ---------------------------------------------------------------------- */

uint64_t free_memory(int device)
{
    const State &s = state();
    uint64_t used = s.settings.memory_of_others + s.devices[device].used;

    for (const CUmemPoolHandle_st *pool : s.pools)
        if (pool->device == device)
            used += pool->reserved;
    return used < s.settings.total_memory ? s.settings.total_memory - used : 0;
}

void shrink_pools(void)
{
    for (CUmemPoolHandle_st *pool : state().pools)
        pool->reserved = std::min(pool->reserved, std::max(pool->used, pool->threshold));
}

/* Injected failures. */
cudaError_t count_allocation(size_t size)
{
    Settings &settings = state().settings;

    state().counters.allocations_made++;
    if (settings.fail_allocation && --settings.fail_allocation == 0)
        return cudaErrorMemoryAllocation;
    if (settings.fail_allocations_from == 1)
        return cudaErrorMemoryAllocation;
    if (settings.fail_allocations_from)
        settings.fail_allocations_from--;
    if (settings.fail_allocations_above && size > settings.fail_allocations_above)
        return cudaErrorMemoryAllocation;
    return cudaSuccess;
}

static bool charge(Context *context, CUmemPoolHandle_st *pool, size_t size)
{
    Device &device = state().devices[context->device];

    if (!pool) {
        if (size > free_memory(context->device))
            return false;
        device.used += size;
        return true;
    }
    uint64_t reserved = std::max(pool->reserved, pool->used + size);
    if (reserved - pool->reserved > free_memory(context->device) ||
        (pool->max_size && reserved > pool->max_size))
        return false;
    pool->reserved = reserved;
    pool->used += size;
    pool->reserved_high = std::max(pool->reserved_high, pool->reserved);
    pool->used_high = std::max(pool->used_high, pool->used);
    return true;
}

static void count_live(const Allocation &a, bool there)
{
    VfiSimulatedCounters &c = state().counters;

    c.allocations += there ? 1 : -1;
    c.allocated_bytes += there ? a.size : -(uint64_t)a.size;
    c.peak_bytes = std::max(c.peak_bytes, c.allocated_bytes);
}

/* ---- allocations ------------------------------------------------------------------- */

static char *place(Allocation &a)
{
    Part &part = a.large ? large_part : small_part;
    size_t before = a.large ? PAGE : SMALL_UNIT;
    size_t size = before + a.size + SMALL_UNIT;

    a.block_size = (size + part.unit - 1) / part.unit * part.unit;
    a.block = take(part, a.block_size);
    if (!a.block)
        return NULL;
    char *memory = a.block + before;
    protect(a.block, a.block_size, PROT_READ | PROT_WRITE);
    fill(a.block, before, GUARD);
    fill(memory, a.size, FRESH);
    fill(memory + a.size, guard_after(a, memory), GUARD);
    if (!accessible)
        protect(a.block, a.block_size, PROT_NONE);
    return memory;
}

cudaError_t allocate(Lock &lock, Context *context, CUmemPoolHandle_st *pool, size_t size,
                     void **memory)
{
    Allocation a = {};
    cudaError_t error = count_allocation(size);

    *memory = NULL;
    if (error)
        return error;
    if (size == 0)
        return pool ? cudaErrorInvalidValue : cudaSuccess;
    reserve_range();
    a.size = size;
    a.charged = (size + 511) / 512 * 512;
    if (size > range_size || !charge(context, pool, a.charged)) {
        /* Queued frees may help, and so may what pools keep. */
        run_device(lock, context->device);
        shrink_pools();
        for (CUmemPoolHandle_st *other : state().pools)
            other->reserved = other->used;
        if (size > range_size || !charge(context, pool, a.charged))
            return cudaErrorMemoryAllocation;
    }
    a.context = context;
    a.pool = pool;
    a.device = context->device;
    a.large = size >= LARGE;
    char *placed = place(a);
    if (!placed)
        give_up("no addresses left for %zu bytes", size);
    state().allocations[placed] = a;
    count_live(a, true);
    *memory = placed;
    return cudaSuccess;
}

void make_fresh(char *memory)
{
    auto it = state().allocations.find(memory);

    if (it != state().allocations.end())
        fill(memory, it->second.size, FRESH);
}

void release(const char *memory)
{
    State &s = state();
    auto it = s.allocations.find(memory);
    Allocation a = it->second;
    Part &part = a.large ? large_part : small_part;

    s.allocations.erase(it);
    count_live(a, false);
    if (a.pool)
        a.pool->used -= a.charged;
    else
        s.devices[a.device].used -= a.charged;
    protect(a.block, a.block_size, PROT_READ | PROT_WRITE);
    check_allocation(memory, a);
    if (a.large)
        madvise(a.block, a.block_size, MADV_DONTNEED);
    else
        fill(a.block, a.block_size, FREED);
    if (a.large || !accessible)
        protect(a.block, a.block_size, PROT_NONE);
    part.freed.push_back({a.block - part.base, a.block_size});
    part.freed_bytes += a.block_size;
    while (part.freed_bytes > part.freed_limit)
        end_quarantine(part);
}

void forget_memory(void)
{
    state().allocations.clear();
    if (!range)
        return;
    madvise(range, range_size, MADV_DONTNEED);
    mprotect(range, range_size, PROT_NONE);
    for (Part *part : {&small_part, &large_part}) {
        part->high = part->freed_bytes = 0;
        part->free.clear();
        part->freed.clear();
    }
}

} /* namespace simulated */
