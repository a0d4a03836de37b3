/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Segments as CUDA graphs. One that comes again with the same memory is captured the second time
 * and from then on launched as a whole: what launching hundreds of kernels costs the host does not
 * hold the device up. */
#pragma once

#include "program/program.h"

/* Runs a segment by its captured graph, if there is one yet. *ran says whether. */
bool vfi_cuda_run_graph(VfiProgram *program, int segment, char *const *region, bool *ran,
                        GError **error);
