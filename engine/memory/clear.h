/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clearing on request (vfi_clear_cache()), for those whom it can only tell: a device
 * belongs to its session's worker, which trims it before its next job. */
#pragma once

/* How often something was cleared so far: grows with every vfi_clear_cache().
 * Thread-safe. */
unsigned vfi_trim_requests(void);
