/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the engine's log lines go. Silent until a function is set. */
#pragma once

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Severity, most severe first. */
typedef enum {
    VFI_LOG_ERROR,
    VFI_LOG_WARNING,
    VFI_LOG_INFO,
    VFI_LOG_DEBUG,
} VfiLogLevel;

/**
 * Receives one line without a trailing newline. May be called from any thread, also from
 * engine workers; must not call back into the engine.
 */
typedef void (*VfiLogFunc)(VfiLogLevel level, const char *message, void *user_data);

/**
 * Sets the process-wide receiver of log lines; NULL makes the engine silent again.
 * Thread-safety: safe, but a line already on its way may still reach the old function.
 */
VFI_API void vfi_set_log_func(VfiLogFunc func, void *user_data);

G_END_DECLS
