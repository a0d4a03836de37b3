/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a pickle of torch means: which globals are data, what a storage and a tensor are
 * (torch.c), and how a tree of values becomes named tensors (torch_tree.c). Where a
 * storage's bytes are is the container's business. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

#include "checkpoint/pickle.h"
#include "checkpoint/span.h"
#include "checkpoint/tensor_list.h"

/* A torch storage as its persistent id describes it. */
typedef struct {
    VfiSpan key; /* names the storage within its file */
    VfiDType dtype;
    uint64_t n_elements; /* of the whole storage */
    bool is_view;        /* the tensor sees only a part of it (files before torch 0.4) */
    uint64_t view_offset;
    uint64_t view_elements;
} VfiTorchStorage;

/* Loads the pickle at the beginning of @input with torch's globals. */
bool vfi_torch_load(VfiPickle *pickle, VfiSpan input, GError **error);

/* Decodes a value of kind VFI_PICKLE_PERSISTENT. */
bool vfi_torch_get_storage(const VfiPickle *pickle, VfiPickleRef ref,
                           VfiTorchStorage *storage, GError **error);

/* *dtype = the element type that a global such as torch.float32 names; false for
 * others. */
bool vfi_torch_get_dtype(const VfiPickle *pickle, VfiPickleRef ref, VfiDType *dtype);

/* Whether @value was an array of NumPy, of which nothing is kept. */
bool vfi_torch_is_array(const VfiPickleValue *value);

/* *index = the storage's place in the list, *size = its bytes, n_elements · element size
 * or more. */
typedef bool (*VfiLocateStorage)(void *user_data, const VfiTorchStorage *storage,
                                 uint32_t *index, uint64_t *size, GError **error);

/* Adds every tensor of the loaded pickle to @list, named by its path through
 * dictionaries, attributes and lists, after entering wrappers as vfi_checkpoint_open()
 * documents. */
bool vfi_torch_collect(const VfiPickle *pickle, uint64_t file_size,
                       VfiLocateStorage locate, void *user_data, VfiTensorList *list,
                       GError **error);
