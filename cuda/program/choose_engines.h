/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of cuDNN's engines is the fastest here: tried once for each shape on a kind of device,
 * with memory that is given back. */
#pragma once

#include "program/program.h"

/* Lets the convolutions that have several engines keep the fastest. */
bool vfi_cuda_choose_convs(VfiProgram *program, GError **error);
