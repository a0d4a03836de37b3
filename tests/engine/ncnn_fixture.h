/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of ncnn models share: a small network, and a folder for its files. */
#pragma once

#include <vfi/checkpoint.h>

#include "ncnn_file.h"

/* Two blocks, small, with all kinds of layers but slopes. */
extern const NcnnNetwork ncnn_toy;

/* The folder of a case, between the two parts of its checked fixture. */
extern char *ncnn_folder;
void ncnn_setup(void);
void ncnn_teardown(void);

/* Writes @file to the folder and opens that. */
VfiCheckpoint *ncnn_open(const NcnnFile *file, GError **error);

/* The tensor of @entry, which must be there with its shape. */
const VfiTensorInfo *ncnn_find_tensor(const VfiCheckpoint *checkpoint,
                                      const StateEntry *entry);

/* Every tensor that was written to @file is there with its values, and no other. @f16: as
 * ncnn_file_new() was told. */
void ncnn_assert_tensors(const NcnnFile *file, const VfiCheckpoint *checkpoint, bool f16);
