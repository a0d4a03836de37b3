/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors as wide as the level that a source is compiled for has them. */
#pragma once

#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include "pixels/vectors_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "pixels/vectors_avx2.h"
#else
#include "pixels/vectors_c.h"
#endif
