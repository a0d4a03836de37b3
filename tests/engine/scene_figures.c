/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scores of the scene detector on real sequences: every join of one to another, every
 * step inside them, and flashes, fades and pans made from them.
 *
 * usage: scene-figures FOLDER…    each with 0.ppm, 1.ppm, …, all of one size
 * (docs/testing.md)
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/vfi.h>

/* A figure: the scores of one kind of pair. */
typedef struct {
    const char *what;
    bool cut;
    GArray *scores; /* of double */
} Figure;

typedef struct {
    char *name;
    GPtrArray *frames; /* of uint8_t: RGB rows without padding */
} Sequence;

static VfiVideoInfo info = {.format = VFI_FORMAT_RGB};
static gint64 signature_us, score_us;
static int n_signatures, n_scores;

/* The next number of a header; @text moves behind it. */
static int read_number(const char **text)
{
    char *end = NULL;
    guint64 number = g_ascii_strtoull(*text, &end, 10);

    *text = end;
    return (int)MIN(number, (guint64)VFI_MAX_DIMENSION + 1);
}

/* NULL if there is no such file; exits at anything but a P6 of the common size. */
static uint8_t *read_picture(const char *path)
{
    g_autofree char *data = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &data, &size, NULL))
        return NULL;
    const char *text = data + (g_str_has_prefix(data, "P6") ? 2 : 0);
    const int width = read_number(&text), height = read_number(&text);
    const int maximum = read_number(&text);
    const size_t bytes = (size_t)width * (size_t)height * 3;

    if (text == data || maximum != 255 || width < 1 || height < 1 ||
        width > VFI_MAX_DIMENSION || height > VFI_MAX_DIMENSION ||
        (size_t)(text - data) + 1 + bytes > size) {
        fprintf(stderr, "%s: not a binary PPM of 8 bits\n", path);
        exit(EXIT_FAILURE);
    }
    if (info.width == 0) {
        info.width = width;
        info.height = height;
    }
    if (width != info.width || height != info.height) {
        fprintf(stderr, "%s: %d×%d, but the first picture is %d×%d\n", path, width,
                height, info.width, info.height);
        exit(EXIT_FAILURE);
    }
    return g_memdup2(text + 1, bytes);
}

static Sequence read_sequence(const char *folder)
{
    Sequence sequence = {.name = g_path_get_basename(folder),
                         .frames = g_ptr_array_new_with_free_func(g_free)};

    for (int i = 0;; i++) {
        g_autofree char *path = g_strdup_printf("%s/%d.ppm", folder, i);
        uint8_t *pixels = read_picture(path);

        if (pixels == NULL)
            break;
        g_ptr_array_add(sequence.frames, pixels);
    }
    if (sequence.frames->len == 0) {
        fprintf(stderr, "%s: no 0.ppm\n", folder);
        exit(EXIT_FAILURE);
    }
    return sequence;
}

/* The part of @picture of @width × @height at (x, y). */
static VfiSceneSignature sign_part(const uint8_t *picture, int x, int y, int width,
                                   int height)
{
    const VfiVideoInfo part = {.format = info.format, .width = width, .height = height};
    const ptrdiff_t stride = 3 * (ptrdiff_t)info.width;
    const VfiFrame frame = {.data = {(uint8_t *)picture + y * stride + 3 * x},
                            .stride = {stride}};
    VfiSceneSignature signature;
    const gint64 start = g_get_monotonic_time();

    vfi_scene_signature(&part, &frame, &signature);
    signature_us += g_get_monotonic_time() - start;
    n_signatures++;
    return signature;
}

static VfiSceneSignature sign(const uint8_t *picture)
{
    return sign_part(picture, 0, 0, info.width, info.height);
}

/* picture · gain + offset, clipped. */
static VfiSceneSignature sign_lit(const uint8_t *picture, double gain, double offset)
{
    const size_t bytes = (size_t)info.width * (size_t)info.height * 3;
    g_autofree uint8_t *lit = g_malloc(bytes);

    for (size_t i = 0; i < bytes; i++)
        lit[i] = (uint8_t)CLAMP(picture[i] * gain + offset + 0.5, 0.0, 255.0);
    return sign(lit);
}

static void add(Figure *figure, const VfiSceneSignature *a, const VfiSceneSignature *b,
                const char *label, int index)
{
    const gint64 start = g_get_monotonic_time();
    const double score = vfi_scene_score(a, b);

    score_us += g_get_monotonic_time() - start;
    n_scores++;
    g_array_append_val(figure->scores, score);
    if ((score >= VFI_SCENE_THRESHOLD_DEFAULT) != figure->cut)
        printf("  wrong: %s, %s %d scores %.3f\n", figure->what, label, index, score);
}

static void add_steps(Figure *figure, const Sequence *sequence, unsigned step)
{
    for (unsigned i = 0; i + step < sequence->frames->len; i++) {
        VfiSceneSignature a = sign(sequence->frames->pdata[i]);
        VfiSceneSignature b = sign(sequence->frames->pdata[i + step]);
        add(figure, &a, &b, sequence->name, (int)i);
    }
}

/* Into a lit frame and out of it. */
static void add_flash(Figure *figure, const Sequence *sequence, double gain,
                      double offset)
{
    for (unsigned i = 1; i + 1 < sequence->frames->len; i++) {
        VfiSceneSignature before = sign(sequence->frames->pdata[i - 1]);
        VfiSceneSignature lit = sign_lit(sequence->frames->pdata[i], gain, offset);
        VfiSceneSignature after = sign(sequence->frames->pdata[i + 1]);

        add(figure, &before, &lit, sequence->name, (int)i);
        add(figure, &lit, &after, sequence->name, (int)i);
    }
}

/* To black in @steps steps while the sequence goes on. */
static void add_fade(Figure *figure, const Sequence *sequence, int steps)
{
    VfiSceneSignature last = sign(sequence->frames->pdata[0]);

    for (int i = 1; i <= steps; i++) {
        const unsigned frame = (unsigned)i % sequence->frames->len;
        VfiSceneSignature next =
            sign_lit(sequence->frames->pdata[frame], 1 - (double)i / steps, 0);

        if (frame != 0) /* no step back to the beginning */
            add(figure, &last, &next, sequence->name, i);
        last = next;
    }
}

/* A window of 5/8 of the size moves by @share of its width, down by @slope of that. */
static void add_pan(Figure *figure, const Sequence *sequence, double share, double slope)
{
    const int width = info.width * 5 / 8, height = info.height * 5 / 8;
    const double dx = width * share, dy = dx * slope;
    VfiSceneSignature last = {0};

    for (int i = 0; i * dx <= info.width - width && i * dy <= info.height - height; i++) {
        VfiSceneSignature next = sign_part(sequence->frames->pdata[0], (int)(i * dx),
                                           (int)(i * dy), width, height);
        if (i > 0)
            add(figure, &last, &next, sequence->name, i);
        last = next;
    }
}

/* Black bars above and below, of @share of the height each. */
static VfiSceneSignature sign_between_bars(const uint8_t *picture, double share)
{
    const size_t row = 3 * (size_t)info.width;
    const size_t bar = row * (size_t)(info.height * share),
                 all = row * (size_t)info.height;
    g_autofree uint8_t *barred = g_memdup2(picture, all);

    memset(barred, 0, bar);
    memset(barred + all - bar, 0, bar);
    return sign(barred);
}

/* A twentieth of the contrast in the dark, under noise of 40 codes' deviation,
 * clipped. */
static VfiSceneSignature sign_noisy(const uint8_t *picture, GRand *random)
{
    const size_t pixels = (size_t)info.width * (size_t)info.height;
    g_autofree uint8_t *noisy = g_malloc(3 * pixels);

    for (size_t i = 0; i < pixels; i++) {
        const double noise = g_rand_double_range(random, -70, 70);

        for (size_t c = 3 * i; c < 3 * i + 3; c++)
            noisy[c] = (uint8_t)CLAMP(picture[c] / 20.0 + 20 + noise, 0.0, 255.0);
    }
    return sign(noisy);
}

static void add_noisy_steps(Figure *figure, const Sequence *sequence)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    VfiSceneSignature last = sign_noisy(sequence->frames->pdata[0], random);

    for (unsigned i = 1; i < sequence->frames->len; i++) {
        VfiSceneSignature next = sign_noisy(sequence->frames->pdata[i], random);

        add(figure, &last, &next, sequence->name, (int)i);
        last = next;
    }
}

static void add_joins(Figure *figure, const Sequence *sequences, int n, double bars)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            const GPtrArray *first = sequences[i].frames;
            VfiSceneSignature a = sign_between_bars(first->pdata[first->len - 1], bars);
            VfiSceneSignature b = sign_between_bars(sequences[j].frames->pdata[0], bars);
            g_autofree char *label =
                g_strdup_printf("%s to %s", sequences[i].name, sequences[j].name);

            if (i != j)
                add(figure, &a, &b, label, 0);
        }
}

static int compare_doubles(const void *a, const void *b)
{
    const double *first = a, *second = b;

    return (*first > *second) - (*first < *second);
}

static void print(const Figure *figure)
{
    const unsigned n = figure->scores->len;
    const double *score = (const double *)(const void *)figure->scores->data;
    unsigned right = 0;

    if (n == 0)
        return;
    g_array_sort(figure->scores, compare_doubles);
    for (unsigned i = 0; i < n; i++)
        right += (score[i] >= VFI_SCENE_THRESHOLD_DEFAULT) == figure->cut;
    printf("%-28s %4u of %4u right   min %.3f  3rd %.3f  median %.3f  max %.3f\n",
           figure->what, right, n, score[0], score[MIN(2, n - 1)], score[n / 2],
           score[n - 1]);
}

int main(int argc, char **argv)
{
    enum {
        JOINS,
        BARRED,
        STEPS,
        PAIRS,
        TRIPLES,
        NOISY,
        FLASH,
        WHITE,
        FADE,
        PAN_10,
        PAN_15,
        N_FIGURES
    };
    Figure figures[N_FIGURES] = {
        [JOINS] = {.what = "joins", .cut = true},
        [BARRED] = {.what = "joins between bars of 30 %", .cut = true},
        [STEPS] = {.what = "steps"},
        [PAIRS] = {.what = "steps of two frames"},
        [TRIPLES] = {.what = "steps of three frames"},
        [NOISY] = {.what = "steps, dark under noise"},
        [FLASH] = {.what = "flash, x3"},
        [WHITE] = {.what = "flash, 70 % white"},
        [FADE] = {.what = "fade, 8 steps"},
        [PAN_10] = {.what = "pan, 10 % a step"},
        [PAN_15] = {.what = "pan, 15 % a step, slanted"},
    };
    const int n = argc - 1;

    if (n < 1) {
        fprintf(stderr, "usage: %s FOLDER…   (folders of 0.ppm, 1.ppm, …)\n", argv[0]);
        return EXIT_FAILURE;
    }
    Sequence *sequences = g_new0(Sequence, n);
    for (int i = 0; i < n; i++)
        sequences[i] = read_sequence(argv[i + 1]);
    for (int i = 0; i < N_FIGURES; i++)
        figures[i].scores = g_array_new(FALSE, FALSE, sizeof(double));

    add_joins(&figures[JOINS], sequences, n, 0);
    add_joins(&figures[BARRED], sequences, n, 0.3);
    for (int i = 0; i < n; i++) {
        add_steps(&figures[STEPS], &sequences[i], 1);
        add_steps(&figures[PAIRS], &sequences[i], 2);
        add_steps(&figures[TRIPLES], &sequences[i], 3);
        add_noisy_steps(&figures[NOISY], &sequences[i]);
        add_flash(&figures[FLASH], &sequences[i], 3, 0);
        add_flash(&figures[WHITE], &sequences[i], 0.3, 0.7 * 255);
        add_fade(&figures[FADE], &sequences[i], 8);
        add_pan(&figures[PAN_10], &sequences[i], 0.10, 0);
        add_pan(&figures[PAN_15], &sequences[i], 0.15, 0.5);
    }
    for (int i = 0; i < N_FIGURES; i++) {
        print(&figures[i]);
        g_array_unref(figures[i].scores);
    }
    printf("threshold %.2f; signature %.2f ms, score %.2f ms\n",
           VFI_SCENE_THRESHOLD_DEFAULT, (double)signature_us / n_signatures / 1e3,
           (double)score_us / n_scores / 1e3);
    for (int i = 0; i < n; i++) {
        g_free(sequences[i].name);
        g_ptr_array_unref(sequences[i].frames);
    }
    g_free(sequences);
    return EXIT_SUCCESS;
}
