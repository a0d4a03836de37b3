/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers of vfi_checkpoint_open(), one per container: torch_zip.c, legacy.c,
 * safetensors.c, ncnn.c. Each adds the tensors of @file to @list; on failure @list may
 * hold some already. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

#include "checkpoint/source.h"
#include "checkpoint/tensor_list.h"

/* *container = VFI_CONTAINER_TORCHSCRIPT if the archive is one, else _TORCH_ZIP. */
bool vfi_read_torch_zip(const VfiSource *file, VfiTensorList *list,
                        VfiContainer *container, GError **error);

bool vfi_read_torch_legacy(const VfiSource *file, VfiTensorList *list, GError **error);

bool vfi_read_safetensors(const VfiSource *file, VfiTensorList *list, GError **error);

/* A model of ncnn: the text of its structure and the file of its weights. */
bool vfi_read_ncnn(const VfiSource *param, const VfiSource *weights, VfiTensorList *list,
                   GError **error);
