/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process's models in memory, used and idle. Idle ones, and packed weights that
 * nobody uses, are given up as reclaimers (memory/reclaimers.h). Everything here is
 * thread-safe. */
#pragma once

#include <vfi/model_cache.h>

#include "model/model_source.h"

/* The place of one source in the cache. */
typedef struct VfiCachedModel VfiCachedModel;

/* Gets the model of @request: from memory if @device_key (vfi_device_key()) is given and
 * one with the same file, key and weights is there; else by reading its file, for which
 * other requests of the same wait. Fills @setup, whose .options the caller frees. The
 * result is in use until vfi_model_cache_release(). */
VfiCachedModel *vfi_model_cache_take(const VfiModelRequest *request,
                                     const char *device_key, VfiModelSetup *setup,
                                     GError **error);

const VfiModelSource *vfi_cached_model_source(const VfiCachedModel *cached);

/* The last user's @keep says whether the model stays, idle. One that can never be found
 * again (it has no device key, or its file has changed) goes in any case. NULL is
 * allowed. */
void vfi_model_cache_release(VfiCachedModel *cached, bool keep);
