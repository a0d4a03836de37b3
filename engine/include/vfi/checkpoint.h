/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints: named, read-only tensors out of the files people already have.
 *
 * Containers: torch zip (torch.save since 1.6), torch legacy pickle stream (before 1.6),
 * TorchScript archive (names are attribute paths), safetensors; and ncnn models of RIFE
 * 3.9 to 4.26, a .param and a .bin file that have no names: theirs are those of RIFE's
 * state dict, found by the graph and the channels of the layers. The pickle reader is a
 * data reader: it knows the opcodes and globals that tensor containers use, passes over
 * the plain values and settings that trainers leave beside tensors, and refuses anything
 * else by name; it never executes or imports anything. */
#pragma once

#include <stdint.h>

#include <glib.h>

#include <vfi/export.h>

G_BEGIN_DECLS

/** Largest number of dimensions of a tensor. */
#define VFI_MAX_DIMS 8

/** Storage types found in checkpoints. */
typedef enum {
    VFI_DTYPE_F32,
    VFI_DTYPE_F16,
    VFI_DTYPE_BF16,
    VFI_DTYPE_F64,
    VFI_DTYPE_I8,
    VFI_DTYPE_U8,
    VFI_DTYPE_I16,
    VFI_DTYPE_I32,
    VFI_DTYPE_I64,
    VFI_DTYPE_BOOL,
} VfiDType;

/** Containers that are read. */
typedef enum {
    VFI_CONTAINER_TORCH_ZIP,
    VFI_CONTAINER_TORCH_LEGACY,
    VFI_CONTAINER_TORCHSCRIPT,
    VFI_CONTAINER_SAFETENSORS,
    VFI_CONTAINER_NCNN,
} VfiContainer;

/** One tensor of a checkpoint; memory belongs to the checkpoint. */
typedef struct {
    const char *name;             /**< after unwrapping: no "state_dict", "module." … */
    VfiDType dtype;               /**< storage type */
    int n_dims;                   /**< 0 … VFI_MAX_DIMS; 0 is a scalar */
    int64_t shape[VFI_MAX_DIMS];  /**< elements per dimension, outermost first */
    int64_t stride[VFI_MAX_DIMS]; /**< in elements, ≥ 0; checked against the storage */
    size_t n_elements;            /**< product of shape (1 for a scalar) */
} VfiTensorInfo;

/** An open checkpoint. Immutable after opening. Thread-safety: safe. */
typedef struct VfiCheckpoint VfiCheckpoint;

/**
 * Opens and indexes the file at @path; for an ncnn model either of NAME.param and
 * NAME.bin, which lie side by side, or the folder of flownet.param and flownet.bin. Only
 * what says which tensors there are is read here; the file, which must be a regular one,
 * stays open for their values (an ncnn model is read as a whole, for it has no names). A
 * file that is changed while it is read is VFI_ERROR_IO, here and later, never a crash or
 * a mixture of old and new.
 *
 * Names are paths through dictionaries, attributes and lists, joined by dots, less:
 * - wrapping dictionaries: the first of "state_dict", "model_state_dict", "model",
 *   "params_ema", "params", "ema", "net", "generator", "network" and "weights" that holds
 *   tensors is entered, repeatedly, unless tensors of at least one dimension stand beside
 *   it;
 * - "_orig_mod." (of torch.compile) wherever it stands;
 * - a prefix "module.", "flownet.", "model.", "net.", "generator." or "network." that all
 *   tensors share but for what only training needs ("loss.", "epe.", "vgg.", "optimizer."
 *   …), repeatedly;
 * - "module." where only some tensors have it, unless two names would become one: then
 *   all stay as they are.
 *
 * Returns a new reference, or NULL with VFI_ERROR_NOT_FOUND, _IO, _CORRUPT, _UNSUPPORTED
 * or _NO_MEMORY; the message names the file and the member, offset, opcode or global.
 */
VFI_API VfiCheckpoint *vfi_checkpoint_open(const char *path, GError **error);

/** Adds a reference and returns @checkpoint. */
VFI_API VfiCheckpoint *vfi_checkpoint_ref(VfiCheckpoint *checkpoint);

/** Drops a reference; the last one closes the file. NULL is allowed. */
VFI_API void vfi_checkpoint_unref(VfiCheckpoint *checkpoint);

/** The path given to vfi_checkpoint_open(). */
VFI_API const char *vfi_checkpoint_path(const VfiCheckpoint *checkpoint);

/** The kind of container the file is. */
VFI_API VfiContainer vfi_checkpoint_container(const VfiCheckpoint *checkpoint);

/** Short name of a container for messages: "torch zip", "torch legacy", … */
VFI_API const char *vfi_container_to_string(VfiContainer container);

/** Short name of a storage type for messages: "f32", "f16", … */
VFI_API const char *vfi_dtype_to_string(VfiDType dtype);

/** Number of tensors. */
VFI_API size_t vfi_checkpoint_n_tensors(const VfiCheckpoint *checkpoint);

/** Tensor @index in the order of the file, 0 ≤ index < vfi_checkpoint_n_tensors(). */
VFI_API const VfiTensorInfo *vfi_checkpoint_tensor(const VfiCheckpoint *checkpoint,
                                                   size_t index);

/** The tensor of that name, or NULL. O(log n). */
VFI_API const VfiTensorInfo *vfi_checkpoint_find(const VfiCheckpoint *checkpoint,
                                                 const char *name);

/** A tensor to read, and where to. */
typedef struct {
    const VfiTensorInfo *tensor;
    float *out; /**< tensor->n_elements floats, row-major */
} VfiTensorRead;

/**
 * Reads @n tensors of @checkpoint, in any order, as contiguous row-major f32, whatever
 * their storage types, strides and alignment. What several of them share, as a member of
 * a zip archive that inflates to all of them, is read once; members of zip archives are
 * read as a whole, for their checksums.
 *
 * Returns FALSE with VFI_ERROR_IO (the file changed since it was opened, or cannot be
 * read), _CORRUPT (a checksum is wrong, a member does not inflate to its size, or the
 * tensors are out of all proportion to the file), _NO_MEMORY or _CANCELLED; the message
 * names file and tensor.
 */
VFI_API gboolean vfi_checkpoint_read(const VfiCheckpoint *checkpoint,
                                     const VfiTensorRead *reads, size_t n,
                                     GError **error);

/** vfi_checkpoint_read() of a single tensor. */
VFI_API gboolean vfi_checkpoint_read_f32(const VfiCheckpoint *checkpoint,
                                         const VfiTensorInfo *tensor, float *out,
                                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VfiCheckpoint, vfi_checkpoint_unref)

G_END_DECLS
