/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result of a reader: named tensors in the order of the file, the storages that they
 * lie in, and the clean-up of names that all containers share. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

#include "checkpoint/growing.h"
#include "checkpoint/name_index.h"
#include "checkpoint/span.h"
#include "checkpoint/storage.h"
#include "checkpoint/tensor.h"

/* Longest tensor name in bytes. */
#define VFI_MAX_NAME 1023

typedef struct {
    VfiGrowing infos;    /* VfiTensorInfo; names are set by vfi_tensor_list_finish() */
    VfiGrowing places;   /* VfiPlace, of each in infos */
    VfiGrowing names;    /* char: the names, NUL-terminated, one after the other */
    VfiGrowing storages; /* VfiStorage */
    void *memory;        /* from vfi_try_alloc(), that storages may lie in; or NULL */
    VfiNameIndex index;
} VfiTensorList;

void vfi_tensor_list_init(VfiTensorList *list);
void vfi_tensor_list_clear(VfiTensorList *list);

/* Appends a copy of @info under @name (UTF-8 without NUL, at most VFI_MAX_NAME bytes). */
bool vfi_tensor_list_add(VfiTensorList *list, VfiSpan name, const VfiTensorInfo *info,
                         VfiPlace place, GError **error);

/* Appends a storage; *index is its place in the list. */
bool vfi_tensor_list_add_storage(VfiTensorList *list, VfiStorage storage, uint32_t *index,
                                 GError **error);

/* Removes prefixes as vfi_checkpoint_open() documents, then indexes the names. Two
 * tensors of one name are VFI_ERROR_CORRUPT. Nothing may be added afterwards. */
bool vfi_tensor_list_finish(VfiTensorList *list, GError **error);
