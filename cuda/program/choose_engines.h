/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out which of cuDNN's engines is the fastest for each convolution, once for each
 * shape on a kind of device. The trials' memory is given back. */
#pragma once

#include "program/program.h"

/* Tries the engines of each convolution of @program that has several, and keeps the
 * fastest. */
bool vfi_cuda_choose_convs(VfiProgram *program, GError **error);
