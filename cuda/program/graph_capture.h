/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments as CUDA graphs. A segment that is run a second time with the same memory is
 * captured, and from then on launched in one call, so that the GPU does not wait for the
 * host to launch hundreds of kernels. */
#pragma once

#include "program/program.h"

/* Runs a segment by its captured graph; *ran is false if there is none (yet). */
bool vfi_cuda_run_graph(VfiProgram *program, int segment, char *const *region, bool *ran,
                        GError **error);
