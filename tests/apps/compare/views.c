/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* views CLIP BEFORE AFTER: for each frame that is left out what a model would be given
 * that sees so many frames around the two, a line each: "KIND TRUTH: GIVEN …". */
#include <stdio.h>
#include <stdlib.h>

#include "compare/triples.h"

static int fail(const GError *error)
{
    fprintf(stderr, "views: %s\n", error->message);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"moves", "cut", "repeats"};
    g_autoptr(GError) error = NULL;

    gst_init(&argc, &argv);
    if (argc != 4)
        return EXIT_FAILURE;

    int before = (int)strtol(argv[2], NULL, 10), after = (int)strtol(argv[3], NULL, 10);
    ClipPart part = {.path = argv[1]};
    g_autoptr(Clip) clip = clip_open(&part, &error);

    if (clip == NULL)
        return fail(error);

    g_autoptr(TripleReader) reader = triple_reader_new(clip, before, after);

    for (;;) {
        Triple triple;
        gboolean found;

        if (!triple_reader_next(reader, &triple, &found, &error))
            return fail(error);
        if (!found)
            return EXIT_SUCCESS;
        printf("%s %u:", kinds[triple.kind], triple.truth->index);
        for (guint i = 0; i < triple.n_given; i++)
            printf(" %u", triple.given[i]->index);
        putchar('\n');
    }
}
