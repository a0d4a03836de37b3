/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the engine keeps although nobody uses it at the moment: models that the
 * cache keeps (see vfi/model_cache.h), weights in a device's layout that no session needs
 * any more, and what the C library holds back. A session's own memory goes with the
 * session. Thread-safety of everything below: safe. Pictures never depend on it. */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Gives unused memory back to the system: at once packed weights that no session uses
 * and what the C library holds back; what a device keeps, before its session's next job.
 * Models stay, whether in use or not, and so does everything that a session uses. */
VFI_API void vfi_soft_clear(void);

/** vfi_soft_clear() and, if @full, also drops models that no session and no caller has a
 * reference on. Models in use stay. */
VFI_API void vfi_clear_cache(gboolean full);

/** Bytes of host memory that weights, packed weights, arenas and tables of all models and
 * sessions of the process have, and the most that they ever had at once. */
VFI_API void vfi_get_memory_use(uint64_t *now, uint64_t *peak);

/** Checks whether @headroom bytes of the machine's memory (0: a tenth of it, at least 512
 * MiB, at most a quarter of the limit that is set for the process) are free. If not,
 * gives up unused memory and then idle models, the least recently used first, until they
 * are. Returns whether they are. Opening a model and building a session do this by
 * themselves. */
VFI_API gboolean vfi_memory_relieve(guint64 headroom);

G_END_DECLS
