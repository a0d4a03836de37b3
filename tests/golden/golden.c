/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* golden [--hashes] [--device D] [--precision P] DIR [DIR…]: runs every reference vector
 * of the folders and compares; --hashes also prints the SHA-256 of each output. Exits
 * with 77, "skipped", where the device is not there or lacks the precision.
 *
 * A vector is one tensor of a file <family>[_ensemble].safetensors (deterministic
 * weights) or expected.safetensors (trained weights, found on the model search path), its
 * key
 *     [v4.0_|v3_|out_]t<time>[_scale<s>][_ensemble][_refine][_pyramid16][_steps<n>]
 *         [_eta0][_pad512]
 * and its inputs img0, img1 lie in the same file or in inputs.safetensors beside it. Any
 * size, any time. Output is rounded to f16 as the vectors are. A missing model and a
 * family that is not built are failed vectors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/vfi.h>

#include "golden_model.h"
#include "sampling.h"

/* Limits of |difference|. */
typedef struct {
    double max, mean;
} Limits;

static const Limits limits_f32 = {2e-3, 2e-5}, limits_16_bits = {1e-2, 2e-4};
/* A latent that is as near to two codes may take either, so that some of the picture is
 * another one. */
static const Limits limits_sampled = {1.0, 2e-3};
#define FAR 0.05
#define MOST_FAR 0.005 /* of all values */

/* What the command line asks for. */
static VfiPrecision precision = VFI_PRECISION_F32;
static const char *device = "cpu";
static gboolean hashes;

static const Limits *limits_in_effect(const GoldenVector *vector)
{
    if (vector->steps > 0)
        return &limits_sampled;
    return precision == VFI_PRECISION_F32 ? &limits_f32 : &limits_16_bits;
}

/* One image, planar f32 RGB. */
typedef struct {
    VfiFrame frame;
    VfiVideoInfo video;
} Image;

static void image_clear(Image *image)
{
    vfi_frame_clear(&image->frame);
}

static float *image_row(const Image *image, int plane, int y)
{
    return (float *)(void *)(image->frame.data[plane] + y * image->frame.stride[plane]);
}

/* An N=1, C=3 tensor as an image. */
static gboolean image_from_tensor(Image *image, const VfiCheckpoint *file,
                                  const VfiTensorInfo *tensor, GError **error)
{
    if (tensor->n_dims != 4 || tensor->shape[0] != 1 || tensor->shape[1] != 3 ||
        tensor->shape[2] > VFI_MAX_DIMENSION || tensor->shape[3] > VFI_MAX_DIMENSION) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s is not 1×3×H×W",
                    tensor->name);
        return FALSE;
    }
    image->video = (VfiVideoInfo){.format = VFI_FORMAT_RGB_F32,
                                  .width = (int)tensor->shape[3],
                                  .height = (int)tensor->shape[2]};
    if (!vfi_frame_alloc(&image->frame, &image->video, error))
        return FALSE;
    g_autofree float *values = g_new(float, tensor->n_elements);
    if (!vfi_checkpoint_read_f32(file, tensor, values, error))
        return FALSE;
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < image->video.height; y++)
            memcpy(image_row(image, plane, y),
                   values + ((size_t)plane * (size_t)image->video.height + (size_t)y) *
                                (size_t)image->video.width,
                   (size_t)image->video.width * sizeof(float));
    return TRUE;
}

/* What the two inputs of a file are read from: itself, else inputs.safetensors beside
 * it. */
static gboolean load_input(Image *image, const char *name, const VfiCheckpoint *file,
                           const VfiCheckpoint *inputs, GError **error)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(file, name);

    if (tensor == NULL && inputs != NULL) {
        file = inputs;
        tensor = vfi_checkpoint_find(inputs, name);
    }
    if (tensor == NULL) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
                    "no input \"%s\" in the file or in inputs.safetensors beside it",
                    name);
        return FALSE;
    }
    return image_from_tensor(image, file, tensor, error);
}

/* Rounded to the nearest f16 (ties to even) and back. */
static float round_to_f16(float value)
{
    double magnitude = fabs((double)value);

    if (!(magnitude <= 65504.0))
        return value;
    int exponent;
    frexp(magnitude, &exponent);
    double unit = ldexp(1.0, MAX(exponent - 11, -24));
    return (float)copysign(nearbyint(magnitude / unit) * unit, (double)value);
}

typedef struct {
    double max, mean;
    double far;   /* part of the values that are more than FAR off */
    double range; /* largest |value| of what is expected */
} Difference;

/* Prints the hash of the f32 values as they are, before any rounding. */
static void print_hash(const char *path, const char *key, const Image *out)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < out->video.height; y++)
            g_checksum_update(sum, (const guchar *)image_row(out, plane, y),
                              (gssize)out->video.width * (gssize)sizeof(float));
    printf("sha256 %s %s %s\n", g_checksum_get_string(sum), path, key);
}

static Difference compare(const Image *out, const Image *expected)
{
    Difference difference = {0};
    size_t n = 0;

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < out->video.height; y++)
            for (int x = 0; x < out->video.width; x++, n++) {
                double d = fabs((double)round_to_f16(image_row(out, plane, y)[x]) -
                                (double)image_row(expected, plane, y)[x]);
                if (isnan(d) || d > difference.max)
                    difference.max = d;
                difference.mean += d;
                difference.far += d <= FAR ? 0.0 : 1.0;
                difference.range =
                    MAX(difference.range, fabs((double)image_row(expected, plane, y)[x]));
            }
    difference.mean /= (double)n;
    difference.far /= (double)n;
    return difference;
}

/* Interpolates at the vector's time into @out; what @file has of a sampler's states is
 * compared, too. */
static gboolean interpolate(VfiModel *model, const GoldenVector *vector,
                            const VfiCheckpoint *file, const Image *image0,
                            const Image *image1, Image *out, GError **error)
{
    GoldenSampling sampling;
    VfiSessionConfig config = {
        .video = image0->video,
        .device = device,
        .scale = vector->steps > 0 ? 1.0 : vector->scale,
        .precision = precision,
        .reference_borders = TRUE,
    };
    VfiFrame frames[] = {image0->frame, image1->frame};

    out->video = image0->video;
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, error);
    if (session == NULL || !vfi_frame_alloc(&out->frame, &out->video, error))
        return FALSE;
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, error);
    if (pair == NULL)
        return FALSE;
    golden_sampling_begin(&sampling, vector, session);
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, vector->time, &out->frame, error);
    gboolean agrees = job != NULL && vfi_job_wait(job, error) &&
                      golden_sampling_check(&sampling, file, error);
    golden_sampling_clear(&sampling);
    return agrees;
}

static gboolean run_vector(const GoldenVector *vector, const VfiTensorInfo *tensor,
                           const VfiCheckpoint *file, const VfiCheckpoint *inputs,
                           const char *path, Difference *difference, GError **error)
{
    Image image0 = {0}, image1 = {0}, expected = {0}, out = {0};
    g_autoptr(VfiModel) model = golden_model_open(vector, error);

    gboolean ran = model != NULL && load_input(&image0, "img0", file, inputs, error) &&
                   load_input(&image1, "img1", file, inputs, error) &&
                   image_from_tensor(&expected, file, tensor, error) &&
                   interpolate(model, vector, file, &image0, &image1, &out, error);
    if (ran && (expected.video.width != out.video.width ||
                expected.video.height != out.video.height)) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_FAILED,
                    "the vector is %d×%d, its inputs %d×%d", expected.video.width,
                    expected.video.height, out.video.width, out.video.height);
        ran = FALSE;
    }
    if (ran)
        *difference = compare(&out, &expected);
    if (ran && hashes)
        print_hash(path, tensor->name, &out);
    image_clear(&image0);
    image_clear(&image1);
    image_clear(&expected);
    image_clear(&out);
    return ran;
}

typedef struct {
    int passed, failed;
} Tally;

static void report_failure(Tally *tally, const char *path, const char *key,
                           const GError *error)
{
    tally->failed++;
    printf("FAIL %s %s: %s\n", path, key, error->message);
}

/* Runs all vectors of one file. */
static void run_file(const char *folder, const char *name, Tally *tally)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *inputs_path = g_build_filename(folder, "inputs.safetensors", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiCheckpoint) file = vfi_checkpoint_open(path, &error);
    g_autoptr(VfiCheckpoint) inputs = vfi_checkpoint_open(inputs_path, NULL);

    if (file == NULL) {
        report_failure(tally, path, "", error);
        return;
    }
    for (size_t i = 0; i < vfi_checkpoint_n_tensors(file); i++) {
        const VfiTensorInfo *tensor = vfi_checkpoint_tensor(file, i);
        g_autoptr(GError) reason = NULL;
        GoldenVector vector;
        Difference difference;

        if (!golden_vector_parse(&vector, name, tensor->name))
            continue; /* an input or an intermediate value */
        if (!run_vector(&vector, tensor, file, inputs, path, &difference, &reason)) {
            report_failure(tally, path, tensor->name, reason);
            continue;
        }
        const Limits *base = limits_in_effect(&vector);
        double unit = vector.relative ? MAX(1.0, difference.range) : 1.0;
        const Limits scaled = {base->max * unit, base->mean * unit}, *limits = &scaled;
        bool passed = difference.max <= limits->max && difference.mean <= limits->mean &&
                      difference.far <= (vector.steps > 0 ? MOST_FAR : 1.0);
        *(passed ? &tally->passed : &tally->failed) += 1;
        printf("%s %s %s: max %.2e (limit %.0e), mean %.2e (limit %.0e)\n",
               passed ? "ok" : "FAIL", path, tensor->name, difference.max, limits->max,
               difference.mean, limits->mean);
    }
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Runs all files of a folder in the order of their names. */
static void run_folder(const char *folder, Tally *tally)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    int before = tally->passed + tally->failed;

    if (dir == NULL) {
        report_failure(tally, folder, "", error);
        return;
    }
    while ((name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".safetensors") &&
            strcmp(name, "inputs.safetensors") != 0)
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        run_file(folder, g_ptr_array_index(names, i), tally);
    if (tally->passed + tally->failed == before) {
        g_set_error_literal(&error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
                            "no vectors in this folder");
        report_failure(tally, folder, "", error);
    }
}

/* Whether a session can have the precision at all. */
static gboolean precision_is_there(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 16, .height = 16},
        .device = device,
        .precision = precision,
    };
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);

    if (session == NULL)
        printf("skipped: %s\n", error->message);
    return session != NULL;
}

/* @n_taken: how many words of the command line the option is. */
static gboolean parse_option(const char *option, const char *value, int *n_taken)
{
    *n_taken = 2;
    if (strcmp(option, "--hashes") == 0) {
        hashes = TRUE;
        *n_taken = 1;
        return TRUE;
    }
    if (value == NULL)
        return FALSE;
    if (strcmp(option, "--device") == 0) {
        device = value;
        return TRUE;
    }
    return strcmp(option, "--precision") == 0 &&
           vfi_precision_from_string(value, &precision);
}

int main(int argc, char **argv)
{
    Tally tally = {0};
    int first = 1, n_taken;

    while (argc > first && parse_option(argv[first], argv[first + 1], &n_taken))
        first += n_taken;
    if (argc <= first) {
        fprintf(stderr,
                "usage: %s [--hashes] [--device D] [--precision P] DIR [DIR...]\n",
                argv[0]);
        return 2;
    }
    if (!precision_is_there())
        return 77;
    for (int i = first; i < argc; i++)
        run_folder(argv[i], &tally);
    printf("%d passed, %d failed\n", tally.passed, tally.failed);
    return tally.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
