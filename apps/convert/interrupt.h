/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-C and its like. */
#pragma once

#include <gio/gio.h>

typedef struct _Interrupt Interrupt;

/* From here on SIGINT, SIGTERM and SIGHUP set the flag, and a second one ends the process
 * with exit code 130 at once. Called before any thread is started; lives as long as the
 * process. */
Interrupt *interrupt_new(void);

/* Is cancelled by the first of them; belongs to @interrupt. */
GCancellable *interrupt_cancellable(const Interrupt *interrupt);

gboolean interrupt_is_set(const Interrupt *interrupt);
