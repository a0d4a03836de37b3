/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By itself, so that a test can put its own answer in its place. Any thread. */
#pragma once

#include <stdbool.h>

/* Whether this program was given rights that its caller lacks: set-user-ID, set-group-ID,
 * file capabilities (AT_SECURE). */
bool vfi_is_privileged(void);
