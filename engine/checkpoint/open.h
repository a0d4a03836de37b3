/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a checkpoint (vfi/checkpoint.h) from within the engine. */
#pragma once

#include <vfi/checkpoint.h>

#include "checkpoint/source.h"

/* vfi_checkpoint_open() with @hooks (NULL: none), which are asked as long as the
 * checkpoint lives. */
VfiCheckpoint *vfi_checkpoint_open_with(const char *path, const VfiReadHooks *hooks,
                                        GError **error);
