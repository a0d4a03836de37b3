/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures as PNG files. */
#pragma once

#include <stdint.h>

#include <glib.h>

/**
 * An RGB picture of 8 bits, @width × @height pixels from @rgb on, whose rows begin
 * @stride samples apart, as a PNG file. The same picture gives the same bytes.
 */
GBytes *png_encode(const uint8_t *rgb, size_t stride, int width, int height);
