/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The backend's run(). */
#pragma once

#include "program/program.h"

bool vfi_cuda_run(VfiDevice *device, const VfiProgram *program, int segment,
                  const VfiRunArguments *arguments, GError **error);
