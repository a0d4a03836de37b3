/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the deterministic checkpoint of a family and prints where, for tests in
 * Python. */
#include <stdio.h>
#include <stdlib.h>

#include "deterministic_weights.h"

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FAMILY\n", argv[0]);
        return EXIT_FAILURE;
    }
    g_autofree char *path = deterministic_checkpoint(argv[1], &error);
    if (path == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    printf("%s\n", path);
    return EXIT_SUCCESS;
}
