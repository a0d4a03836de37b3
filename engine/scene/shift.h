/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Motion of the whole picture. */
#pragma once

#include "scene/block_search.h"

/* Where most of a's structure is found in b, up to 3/10 of its size away; no shift where
 * none explains the pair. Takes about 130 KiB of stack. */
VfiSceneShift vfi_scene_find_shift(const VfiScenePicture *a, const VfiScenePicture *b);
