/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes one small checkpoint of every container into the folder given: what the fuzzer
 * starts from. */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/checkpoint_fixture.h"

static bool write_seed(const char *folder, const char *name, GByteArray *bytes)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) error = NULL;
    bool written =
        g_file_set_contents(path, (const char *)bytes->data, bytes->len, &error);

    if (!written)
        fprintf(stderr, "%s\n", error->message);
    g_byte_array_unref(bytes);
    return written;
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
                   write_seed(argv[1], "safetensors", fixture_safetensors(file));
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
