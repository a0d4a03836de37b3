/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of the model cache and of the pressure guard share: files of one small
 * model, on a machine whose memory is the test's to say (fake_memory.h). */
#pragma once

#include <vfi/vfi.h>

/* Copies of a checkpoint, which are different files. */
#define CACHE_FILES 3
extern char *cache_paths[CACHE_FILES];

/* The unchecked fixture: the checkpoint's bytes, which take long to make. */
void cache_make_bytes(void);
void cache_free_bytes(void);

/* The checked fixture: the files and the machine, without CUDA. Nothing is cached at its
 * end. */
void cache_setup(void);
void cache_teardown(void);

/* The cache's numbers as they are now. */
VfiModelCacheStats cache_stats(void);

/* Opens through the cache, which must not fail. @options: text of an a{sv}, or NULL. */
VfiModel *cache_open_with(const char *path, const char *options,
                          const VfiModelCacheConfig *config);
VfiModel *cache_open_file(int index);

/* A session of one thread for 64×48 pixels. */
VfiSession *cache_new_session(VfiModel *model, GError **error);

/* Makes an in-between of two frames that differ; returns its first bytes. */
guint64 cache_run(VfiSession *session);
