/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes one small checkpoint of every container into the folder given: what the fuzzer
 * starts from. */
#include <stdio.h>
#include <stdlib.h>

#include "../engine/ncnn_file.h"
#include "../unit/checkpoint_fixture.h"
#include "seed.h"

/* Structure, a zero byte, weights. */
static GByteArray *ncnn_seed(NcnnBeta beta, bool has_slopes, int n_head)
{
    const NcnnNetwork network = {.n_blocks = 2,
                                 .width = {2, 2},
                                 .in_first = n_head > 0 ? 9 : 7,
                                 .in = n_head > 0 ? 14 : 12,
                                 .n_head = n_head,
                                 .head_width = 1,
                                 .head_out = 1,
                                 .head_key = "encode.",
                                 .head_step = 1,
                                 .last = beta == NCNN_NO_BETA ? 5 : 24,
                                 .groups = 1,
                                 .beta = beta,
                                 .has_slopes = has_slopes};
    NcnnFile *file = ncnn_file_new(&network, n_head > 2);
    GByteArray *bytes = g_byte_array_new();

    g_byte_array_append(bytes, (const guint8 *)file->param->str,
                        (guint)file->param->len + 1);
    g_byte_array_append(bytes, file->bin->data, file->bin->len);
    ncnn_file_free(file);
    return bytes;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_FAILURE;
    }
    const FixtureFile *file = &fixture_standard;
    bool written = write_seed(argv[1], "zip", fixture_torch_zip(file, false)) &&
                   write_seed(argv[1], "deflated", fixture_torch_zip(file, true)) &&
                   write_seed(argv[1], "script", fixture_torchscript(file)) &&
                   write_seed(argv[1], "legacy", fixture_torch_legacy(file)) &&
                   write_seed(argv[1], "safetensors", fixture_safetensors(file)) &&
                   write_seed(argv[1], "ncnn", ncnn_seed(NCNN_NO_BETA, true, 0)) &&
                   write_seed(argv[1], "ncnn-2", ncnn_seed(NCNN_BETA_FIRST, false, 2)) &&
                   write_seed(argv[1], "ncnn-4", ncnn_seed(NCNN_BETA_BETWEEN, false, 4));
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
