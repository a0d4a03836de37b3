/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine of the test's making, for what the engine asks about memory: a folder with
 * the files of /proc and /sys/fs/cgroup. */
#pragma once

#include <glib.h>

#define MIB ((guint64)1 << 20)

/* Makes the folder and puts it in the system's place: no control groups, no limit of the
 * address space, memory as fake_memory_set() says. */
void fake_memory_begin(void);
/* The system itself again; removes the folder. */
void fake_memory_end(void);

/* MemAvailable and MemTotal; bytes. */
void fake_memory_set(guint64 free_bytes, guint64 total_bytes);

/* Writes a file below the folder: "membership", "statm", "cgroups/a/memory.max" … */
void fake_memory_write(const char *path, const char *text);

/* Sets what "ulimit -v" allows. */
void fake_memory_limit_address_space(guint64 bytes);
