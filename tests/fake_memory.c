/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_memory.h"

#include <check.h>

#include "machine/memory_probe.h"
#include "temporary_folder.h"

static char *root, *meminfo, *membership, *cgroups, *statm;
static VfiMemorySources sources;

void fake_memory_write(const char *path, const char *text)
{
    folder_write(root, path, text);
}

void fake_memory_set(guint64 free_bytes, guint64 total_bytes)
{
    /* rounded up to the KiB that the file can say */
    g_autofree char *text =
        g_strdup_printf("MemTotal:       %" G_GUINT64_FORMAT " kB\n"
                        "MemFree:        1 kB\n"
                        "MemAvailable:   %" G_GUINT64_FORMAT " kB\n"
                        "Buffers:        7 kB\n",
                        (total_bytes + 1023) / 1024, (free_bytes + 1023) / 1024);

    fake_memory_write("meminfo", text);
}

void fake_memory_limit_address_space(guint64 bytes)
{
    sources.address_space = bytes;
}

void fake_memory_begin(void)
{
    root = g_dir_make_tmp("vfi-memory-XXXXXX", NULL);
    ck_assert_ptr_nonnull(root);
    meminfo = g_build_filename(root, "meminfo", NULL);
    membership = g_build_filename(root, "membership", NULL);
    cgroups = g_build_filename(root, "cgroups", NULL);
    statm = g_build_filename(root, "statm", NULL);
    sources = (VfiMemorySources){
        .meminfo = meminfo,
        .membership = membership,
        .cgroups = cgroups,
        .statm = statm,
        .address_space = UINT64_MAX,
    };
    fake_memory_set(16 * 1024 * MIB, 32 * 1024 * MIB);
    vfi_memory_probe_set_sources(&sources);
}

void fake_memory_end(void)
{
    vfi_memory_probe_set_sources(NULL);
    folder_remove(root);
    g_free(root);
    g_free(meminfo);
    g_free(membership);
    g_free(cgroups);
    g_free(statm);
}
