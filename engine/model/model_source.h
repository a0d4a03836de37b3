/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The result of reading a checkpoint: the family that recognised it and the weights.
 * Immutable, and one for all models of the file whose options read the same tensors. */
#pragma once

#include "model/family.h"
#include "weights/weights.h"

typedef struct {
    const VfiModelFamily *family;
    VfiDetection detection;
    VfiWeights *weights;
    char *nonfinite; /* a tensor with values that are not finite; NULL: there is none */
} VfiModelSource;

/* A request to open a model. */
typedef struct {
    const char *path;
    GVariant *options; /* a{sv} or NULL; not floating */
    uint64_t headroom; /* bytes of memory that stay free, 0: automatic */
    VfiOpenOptions how;
} VfiModelRequest;

/* The one of @families (NULL-terminated) that recognises @checkpoint, with its verdict;
 * NULL with VFI_ERROR_UNSUPPORTED that says what the file is and, where it has half of a
 * network's tensors or more, which is the first that differs. Looks at names and shapes
 * alone. */
const VfiModelFamily *vfi_model_source_detect(const VfiModelFamily *const *families,
                                              const VfiCheckpoint *checkpoint,
                                              VfiDetection *detection, GError **error);

/* Reads the file: recognises it, checks the options, asks the pressure guard, reads the
 * weights. Fills @setup, whose .options the caller frees. NULL with an error and an empty
 * @setup. */
VfiModelSource *vfi_model_source_load(const VfiModelRequest *request,
                                      VfiModelSetup *setup, GError **error);

/* Whether the caller has cancelled opening; then sets VFI_ERROR_CANCELLED. */
bool vfi_model_source_is_cancelled(const VfiModelRequest *request, GError **error);

/* NULL is allowed. */
void vfi_model_source_free(VfiModelSource *source);

/* Fills @setup for one more model of @source, if @request accepts it; reads nothing. */
bool vfi_model_source_setup(const VfiModelSource *source, const VfiModelRequest *request,
                            VfiModelSetup *setup, GError **error);
