/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that the engine keeps although nobody uses it at the moment. Thread-safety of
 * everything below: safe. Pictures never depend on it. */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Gives unused memory back to the system: what the allocator keeps at once, what a device
 * keeps before its session's next job. Models and sessions in use stay as they are. */
VFI_API void vfi_soft_clear(void);

/** vfi_soft_clear() and, if @full, also drops models that no session and no caller has a
 * reference on. Models in use stay. */
VFI_API void vfi_clear_cache(gboolean full);

/** Bytes of host memory that weights, packed weights, arenas and tables of all models and
 * sessions of the process have, and the most that they ever had at once. */
VFI_API void vfi_get_memory_use(uint64_t *now, uint64_t *peak);

G_END_DECLS
