/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pickle machine: runs opcodes until STOP. It knows nothing of torch. */
#include "checkpoint/pickle.h"

#include "checkpoint/pickle_opcodes.h"

/* Far beyond any checkpoint (a tensor takes about 20 objects); bounds memory for files
 * that are nothing but opcodes. */
#define MAX_OBJECTS (1u << 21)

/* Runs the opcode at the current position. */
static bool step(VfiPickle *pickle, GError **error)
{
    size_t at = pickle->position;

    pickle->ran_out = at == pickle->input.size;
    if (pickle->ran_out)
        return vfi_corrupt(error,
                           "the pickle has no end after %zu bytes: "
                           "the file is truncated or damaged",
                           at);
    pickle->opcode = pickle->input.data[at];
    pickle->position++;
    const VfiPickleOpcode *opcode = &vfi_pickle_opcodes[pickle->opcode];
    if (opcode->name == NULL)
        return vfi_corrupt(error, "byte %zu of the pickle, 0x%02x, is not an opcode", at,
                           pickle->opcode);
    if (opcode->run == NULL)
        return vfi_unsupported(error,
                               "byte %zu of the pickle: opcode %s does not occur in "
                               "checkpoints of tensors and is refused",
                               at, opcode->name);
    if (opcode->run(pickle, error))
        return true;
    g_prefix_error(error, "byte %zu of the pickle: opcode %s: ", at, opcode->name);
    return false;
}

bool vfi_pickle_load(VfiPickle *pickle, VfiSpan input, const VfiPickleHooks *hooks,
                     GError **error)
{
    *pickle = (VfiPickle){.input = input, .hooks = hooks};
    vfi_growing_init(&pickle->values, sizeof(VfiPickleValue), MAX_OBJECTS, "objects");
    vfi_growing_init(&pickle->cells, sizeof(VfiPickleCell), MAX_OBJECTS, "elements");
    vfi_growing_init(&pickle->stack, sizeof(VfiPickleRef), MAX_OBJECTS,
                     "stacked objects");
    vfi_growing_init(&pickle->marks, sizeof(uint32_t), MAX_OBJECTS, "marks");
    vfi_growing_init(&pickle->memo, sizeof(VfiPickleRef), MAX_OBJECTS, "memo entries");
    while (!pickle->stopped) {
        if (!step(pickle, error)) {
            vfi_pickle_clear(pickle);
            return false;
        }
    }
    return true;
}
