/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How engine code writes a log line; where it goes is the application's choice. */
#pragma once

#include <vfi/log.h>

/* printf-style, without a trailing newline. Cheap while no receiver is set. */
void vfi_log(VfiLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);
