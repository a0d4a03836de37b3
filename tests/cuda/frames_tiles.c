/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Putting tiles' results together on the device gives the CPU's bits. */
#include <glib.h>

#include "check_main.h"
#include "frames/frame_kernels.h"
#include "pixels_frames.h"

#define GUARD 16
#define GUARD_VALUE -7.0f

/* Two bands with the same noise, a guard around each. */
typedef struct {
    size_t n;
    float *block[2];
    VfiTileBand wanted, found;
} Bands;

static Bands bands_new(int n_planes, int width, int n_rows, int first_row)
{
    Bands bands = {.n = (size_t)n_planes * (size_t)width * (size_t)n_rows,
                   .wanted = {.n_planes = n_planes,
                              .width = width,
                              .n_rows = n_rows,
                              .first_row = first_row}};

    for (int i = 0; i < 2; i++) {
        uint32_t seed = 5;

        bands.block[i] = malloc((bands.n + 2 * GUARD) * sizeof(float));
        ck_assert_ptr_nonnull(bands.block[i]);
        for (size_t k = 0; k < bands.n + 2 * GUARD; k++)
            bands.block[i][k] = k < GUARD || k >= bands.n + GUARD
                                    ? GUARD_VALUE
                                    : (float)(noise(&seed) / 16777216.0);
    }
    bands.found = bands.wanted;
    bands.wanted.data = bands.block[0] + GUARD;
    bands.found.data = bands.block[1] + GUARD;
    return bands;
}

static void assert_same_bands(const Bands *bands, const char *what)
{
    const size_t n = bands->n + 2 * GUARD;

    for (size_t i = 0; i < n; i++)
        if (memcmp(&bands->block[0][i], &bands->block[1][i], sizeof(float)) != 0)
            ck_abort_msg("%s: float %zu: expected %.9g, found %.9g", what, i,
                         (double)bands->block[0][i], (double)bands->block[1][i]);
}

static void bands_free(Bands *bands)
{
    free(bands->block[0]);
    free(bands->block[1]);
}

START_TEST(a_band_slides_as_on_the_host)
{
    static const int widths[] = {1, 3, 130};

    for (size_t w = 0; w < G_N_ELEMENTS(widths); w++)
        for (int n_rows = 1; n_rows <= 40; n_rows += 13)
            for (int first_row = 0; first_row <= 60; first_row++) {
                Bands bands = bands_new(5, widths[w], n_rows, 8);

                vfi_pixels_slide_band(&bands.wanted, first_row, 0, 5);
                if (vfi_cuda_slide_band(NULL, &bands.found, first_row) != cudaSuccess)
                    ck_abort_msg("slide: the launch failed");
                assert_same_bands(&bands, "slide");
                bands_free(&bands);
            }
}
END_TEST

static float *floats_new(int n, uint32_t seed)
{
    float *values = malloc((size_t)n * sizeof *values);

    ck_assert_ptr_nonnull(values);
    for (int i = 0; i < n; i++)
        values[i] = (float)(noise(&seed) / 16777216.0);
    return values;
}

START_TEST(tiles_add_up_as_on_the_host)
{
    static const VfiTilePlace places[] = {
        {.x = 0, .y = 10, .w = 1, .h = 1, .tile_w = 1, .tile_h = 1},
        {.x = 3,
         .y = 12,
         .w = 33,
         .h = 9,
         .tile_x = 2,
         .tile_y = 1,
         .tile_w = 40,
         .tile_h = 12},
        {.x = 47, .y = 10, .w = 30, .h = 23, .tile_w = 30, .tile_h = 23},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        VfiTilePlace place = places[i];
        Bands bands = bands_new(5, 77, 23, 10);
        float *tile = floats_new(4 * place.tile_w * place.tile_h, 1);
        float *weight_x = floats_new(place.w, 2), *weight_y = floats_new(place.h, 3);

        place.weight_x = weight_x;
        place.weight_y = weight_y;
        for (int first = 0; first < 2; first++) {
            vfi_pixels_add_tile(&bands.wanted, tile, first, 4, &place, 0, place.h);
            if (vfi_cuda_add_tile(NULL, &bands.found, tile, first, 4, &place) !=
                cudaSuccess)
                ck_abort_msg("add: the launch failed");
            assert_same_bands(&bands, "add");
        }
        free(tile);
        free(weight_x);
        free(weight_y);
        bands_free(&bands);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cuda-frames_tiles");
    TCase *tcase = tcase_create("frames_tiles");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_band_slides_as_on_the_host);
    tcase_add_test(tcase, tiles_add_up_as_on_the_host);
    return check_main(suite);
}
