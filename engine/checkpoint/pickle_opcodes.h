/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The opcodes of the pickle machine, by their byte. */
#pragma once

#include "checkpoint/pickle_values.h"

typedef struct {
    const char *name;                               /* NULL: not an opcode */
    bool (*run)(VfiPickle *pickle, GError **error); /* NULL: known, but refused */
    uint8_t width;                                  /* bytes of its length or number */
    uint8_t kind; /* VfiPickleKind that it makes or adds to; TUPLE1…3: number of items */
} VfiPickleOpcode;

extern const VfiPickleOpcode vfi_pickle_opcodes[256];
