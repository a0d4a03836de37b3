/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's public interface in one include. Headers are the manual; start with
 * vfi/session.h. */
#pragma once

#include <vfi/checkpoint.h>
#include <vfi/error.h>
#include <vfi/estimate.h>
#include <vfi/frame.h>
#include <vfi/log.h>
#include <vfi/memory.h>
#include <vfi/model.h>
#include <vfi/model_cache.h>
#include <vfi/scene.h>
#include <vfi/session.h>
#include <vfi/system.h>
