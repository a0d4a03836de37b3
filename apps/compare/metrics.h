/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far one picture is from another. Pure functions on samples of 8 to 16 bits. */
#pragma once

#include <stdint.h>

#include <glib.h>

/**
 * Mean squared difference of @n samples, in units in which the largest code @peak is 1:
 * 0 for the same picture, at most 1. 0 for no samples.
 */
double metrics_mse(const uint16_t *a, const uint16_t *b, size_t n, unsigned peak);

/** 10·log10(1/@mse), dB; infinite for 0. */
double metrics_psnr(double mse);

/**
 * Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004), at most 1: the mean over
 * square windows of 8×8 samples at every fourth one in both directions, without weights,
 * with sample variances and the usual constants (0.01·@peak)² and (0.03·@peak)². That is
 * what x264 and ffmpeg's filter "ssim" compute. What is left at the right and bottom
 * after whole steps of four does not count; a picture smaller than a window is one.
 */
double metrics_ssim(const uint16_t *a, const uint16_t *b, int width, int height,
                    unsigned peak);
