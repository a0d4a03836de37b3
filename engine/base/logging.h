/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How engine code writes a log line; where it goes is the application's choice. */
#pragma once

#include <vfi/log.h>

/* vfi_log(), for modules, which have no receiver of their own. */
typedef void (*VfiLog)(VfiLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* printf-style, without a trailing newline. Cheap while no receiver is set. */
void vfi_log(VfiLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);
