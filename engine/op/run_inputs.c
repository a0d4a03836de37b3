/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "op/run_inputs.h"

static const char *const names[VFI_RUN_INPUT_COUNT] = {
#define VFI_RUN_INPUT_NAME(SUFFIX, identifier) [VFI_RUN_INPUT_##SUFFIX] = #identifier,
    VFI_RUN_INPUT_LIST(VFI_RUN_INPUT_NAME)
#undef VFI_RUN_INPUT_NAME
};

const char *vfi_run_input_to_string(VfiRunInput input)
{
    return (unsigned)input < VFI_RUN_INPUT_COUNT ? names[input] : "unknown";
}
