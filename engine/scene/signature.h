/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Size of the signatures that vfi_scene_signature() makes. */
#pragma once

#include <vfi/scene.h>

/* Cells of a signature of frames of @info. */
void vfi_scene_signature_size(const VfiVideoInfo *info, int *width, int *height);
