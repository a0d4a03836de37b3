/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FILM with 8 filters: its keys' spellings, near misses and TorchScript container; what
 * is kept of a frame and of a pair; times that are bisected and times that are not. */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "session_util.h"
#include "unit/checkpoint_fixture.h"

#define WIDTH 70
#define HEIGHT 66

/* ---- checkpoints ------------------------------------------------------------------- */

static VfiModel *open_path(const char *path, GError **error)
{
    VfiModel *model = vfi_model_open(path, NULL, error);

    g_unlink(path);
    return model;
}

static void replace_in_key(StateEntry *entry, const char *what, const char *by)
{
    char *at = g_strrstr(entry->key, what);
    g_autofree char *rest = NULL;

    ck_assert_ptr_nonnull(at);
    rest = g_strdup(at + strlen(what));
    *at = '\0';
    g_strlcat(entry->key, by, sizeof(entry->key));
    g_strlcat(entry->key, rest, sizeof(entry->key));
}

/* Whether no activation follows the layer: its key may lack an index. */
static bool is_alone(const char *key)
{
    return strstr(key, "._convs.4.") != NULL ||
           (g_str_has_prefix(key, "fuse.convs.") && strstr(key + 12, ".0.0.") != NULL);
}

START_TEST(all_spellings_of_the_keys_load)
{
    g_autoptr(GArray) entries = state_dict_of("film_tiny");
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < entries->len; i++) {
        StateEntry *entry = &g_array_index(entries, StateEntry, i);
        if (strstr(entry->key, "output_conv") != NULL)
            continue;
        if (_i == 1 && is_alone(entry->key))
            replace_in_key(entry, ".0.", ".");
        if (_i == 2)
            replace_in_key(entry, ".0.", ".conv.");
    }
    g_autoptr(VfiModel) model = open_entries(entries, NULL, &error);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_str_eq(vfi_model_info(model)->family, "film");
    ck_assert_uint_eq(vfi_model_info(model)->n_parameters, 550745);
}
END_TEST

static void assert_not_a_model(const GArray *entries, const char *words)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(open_entries(entries, NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(near_misses_are_refused)
{
    static const struct {
        const char *key;
        int dimension,
            size; /* what is changed of the shape; size 0: the tensor is missing */
        const char *words;
    } cases[] = {
        {"fuse.convs.2.1.0.weight", 0, 0,
         "\"fuse.convs.2.1.0.weight\" (16x74x3x3) is missing"},
        {"predict_flow._predictors.1._convs.0.0.weight", 1, 40,
         "should be 8x48x3x3, but the checkpoint has 8x40x3x3"},
        {"extract.extract_sublevels.convs.2.0.0.bias", 0, 31, "should be 32"},
        {"fuse.output_conv.weight", 0, 4, "as film film_net: tensor \"fuse.output"},
        {"fuse.output_conv.weight", 1, 16,
         "should be 3x8x1x1, but the checkpoint has 3x16"},
        {"fuse.convs.3.0.0.weight", 0, 0,
         "\"fuse.convs.3.0.0.weight\" (8x16x2x2) is missing"},
    };
    g_autoptr(GArray) entries = state_dict_of("film_tiny");
    StateEntry *entry = find_entry(entries, cases[_i].key);

    if (cases[_i].size > 0)
        entry->shape[cases[_i].dimension] = cases[_i].size;
    else
        replace_in_key(entry, "fuse", "confuse");
    assert_not_a_model(entries, cases[_i].words);
}
END_TEST

/* The archive that TorchScript saved, around the values that its storages had. */
static char *write_torchscript(const GArray *entries)
{
    g_autofree FixtureStorage *storages = g_new0(FixtureStorage, entries->len);
    FixtureFile file = {.storages = storages, .n_storages = (int)entries->len};
    g_autoptr(GByteArray) pickle = g_byte_array_new();
    g_autofree char *contents = NULL, *path = NULL;
    gsize length;

    ck_assert(
        g_file_get_contents(TEST_DATA "/film/film_tiny.pkl", &contents, &length, NULL));
    g_byte_array_append(pickle, (const guint8 *)contents, (guint)length);
    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        guint64 n = state_entry_elements(entry);
        float *values = g_new(float, n);
        for (guint64 k = 0; k < n; k++)
            values[k] = deterministic_value(entry->key, entry->kind, k, n,
                                            (guint64)entry->shape[0]);
        storages[i] = (FixtureStorage){VFI_DTYPE_F32, values, n};
    }
    g_autoptr(GByteArray) zip = fixture_zip_around(&file, pickle);
    int descriptor = g_file_open_tmp("vfi-XXXXXX.pt", &path, NULL);
    ck_assert_int_ge(descriptor, 0);
    ck_assert(g_close(descriptor, NULL));
    ck_assert(g_file_set_contents(path, (const char *)zip->data, zip->len, NULL));
    for (guint i = 0; i < entries->len; i++)
        g_free((void *)storages[i].bytes);
    return g_steal_pointer(&path);
}

START_TEST(the_torchscript_archive_loads)
{
    g_autoptr(GArray) entries = state_dict_of("film_tiny");
    g_autofree char *path = write_torchscript(entries);
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = open_path(path, &error);

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_str_eq(vfi_model_info(model)->family, "film");
    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        const VfiWeight *weight = vfi_weights_find(model->weights, entry->key);
        guint64 n = state_entry_elements(entry), last = n - 1;
        ck_assert_msg(weight != NULL && weight->n_elements == n, "%s", entry->key);
        ck_assert_float_eq(weight->data[last],
                           deterministic_value(entry->key, entry->kind, last, n,
                                               (guint64)entry->shape[0]));
    }
}
END_TEST

/* ---- sessions ---------------------------------------------------------------------- */

static const VfiVideoInfo video = {
    .format = VFI_FORMAT_RGB_F32, .width = WIDTH, .height = HEIGHT};

static VfiSession *open_session(VfiModel *model, const VfiVideoInfo *info,
                                unsigned threads)
{
    VfiSessionConfig config = {.video = *info, .device = "cpu", .threads = threads};

    return new_session(model, &config);
}

static float *row_of(const VfiFrame *frame, int plane, int y)
{
    return (float *)(void *)(frame->data[plane] + y * frame->stride[plane]);
}

/* A textured frame, moved by @shift pixels. */
static VfiFrame make_frame(int shift, uint64_t id)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &video, NULL));
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                row_of(&frame, plane, y)[x] =
                    (float)((x + shift) * 7 % 50 + y * 5 % 40 + plane) / 100.0f;
    frame.id = id;
    return frame;
}

static VfiSessionStats stats_of(VfiSession *session)
{
    VfiSessionStats stats;

    vfi_session_get_stats(session, &stats);
    return stats;
}

/* And has the bits of sessions that made nothing else, on any number of threads. */
START_TEST(a_second_in_between_runs_no_pair_stage)
{
    g_autoptr(VfiModel) model = open_family("film_tiny", "{'timestep-mode': <'direct'>}");
    g_autoptr(VfiSession) session = open_session(model, &video, 2);
    VfiFrame frames[] = {make_frame(0, 1), make_frame(3, 2), make_frame(6, 3)};
    VfiFrame out[4];

    for (int i = 0; i < 2; i++) {
        g_autoptr(VfiPair) pair = vfi_session_begin(session, &frames[i], 2, 0, NULL);
        out[2 * i] = pair_in_between(pair, &video, 0.5);
        out[2 * i + 1] = pair_in_between(pair, &video, 0.3);
        VfiSessionStats stats = stats_of(session);
        ck_assert_uint_eq(stats.times[VFI_TIMED_FRAME_STAGE].runs, 2 + i);
        ck_assert_uint_eq(stats.times[VFI_TIMED_PAIR_STAGE].runs, 1 + i);
        ck_assert_uint_eq(stats.times[VFI_TIMED_TIME_STAGE].runs, 2 + 2 * i);
    }
    ck_assert(!same_picture(&video, &out[2], &out[3]));
    for (int i = 0; i < 4; i++) {
        g_autoptr(VfiSession) alone = open_session(model, &video, 1 + (unsigned)i);
        g_autoptr(VfiPair) pair = vfi_session_begin(alone, &frames[i / 2], 2, 0, NULL);
        VfiFrame expected = pair_in_between(pair, &video, i % 2 == 0 ? 0.5 : 0.3);
        ck_assert(same_picture(&video, &out[i], &expected));
        vfi_frame_clear(&expected);
        vfi_frame_clear(&out[i]);
    }
    for (int i = 0; i < 3; i++)
        vfi_frame_clear(&frames[i]);
}
END_TEST

/* Inferences that it takes for the in-between at @t alone, which goes to @out. */
static uint64_t inferences_of(const char *options, double t, VfiFrame *out)
{
    g_autoptr(VfiModel) model = open_family("film_tiny", options);
    g_autoptr(VfiSession) session = open_session(model, &video, 2);
    VfiFrame frames[] = {make_frame(0, 1), make_frame(3, 2)};
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);

    *out = pair_in_between(pair, &video, t);
    vfi_frame_clear(&frames[0]);
    vfi_frame_clear(&frames[1]);
    return stats_of(session).inferences;
}

START_TEST(times_are_bisected_where_the_mode_says)
{
    static const struct {
        const char *options;
        double t;
        uint64_t inferences;
    } cases[] = {
        {NULL, 0.5, 1},
        {NULL, 0.125, 3},
        {NULL, 0.3, 1},
        {"{'bisect-depth': <uint32 1>}", 0.25, 1},
        {"{'timestep-mode': <'direct'>}", 0.125, 1},
        {"{'timestep-mode': <'midpoint'>, 'bisect-depth': <uint32 2>}", 0.3, 2},
    };
    VfiFrame out;

    ck_assert_uint_eq(inferences_of(cases[_i].options, cases[_i].t, &out),
                      cases[_i].inferences);
    vfi_frame_clear(&out);
}
END_TEST

START_TEST(midpoints_differ_from_scaled_flows_and_are_rounded_to)
{
    VfiFrame midpoint, rounded, direct;

    inferences_of(NULL, 0.25, &midpoint);
    inferences_of("{'timestep-mode': <'midpoint'>, 'bisect-depth': <uint32 2>}", 0.3,
                  &rounded);
    inferences_of("{'timestep-mode': <'direct'>}", 0.25, &direct);
    ck_assert(same_picture(&video, &midpoint, &rounded));
    ck_assert(!same_picture(&video, &midpoint, &direct));
    vfi_frame_clear(&midpoint);
    vfi_frame_clear(&rounded);
    vfi_frame_clear(&direct);
}
END_TEST

/* Sums in another order, hence no more than rounding. */
START_TEST(rematerialised_features_give_the_same_picture)
{
    g_autofree char *options =
        g_strdup_printf("{'recompute-levels': <uint32 %d>}", _i + 1);
    VfiFrame kept, anew;
    double largest = 0.0;

    inferences_of(NULL, 0.5, &kept);
    inferences_of(options, 0.5, &anew);
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                double difference =
                    fabs((double)row_of(&kept, plane, y)[x] - row_of(&anew, plane, y)[x]);
                largest = MAX(largest, difference);
            }
    ck_assert_double_le(largest, 1e-5);
    vfi_frame_clear(&kept);
    vfi_frame_clear(&anew);
}
END_TEST

START_TEST(an_unknown_mode_is_an_error_that_lists_them)
{
    g_autofree char *path = deterministic_checkpoint("film_tiny", NULL);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_model_open(
        path, g_variant_new_parsed("{'timestep-mode': <'nearest'>}"), &error));
    g_unlink(path);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    ck_assert_msg(strstr(error->message, "auto|direct|midpoint") != NULL, "%s",
                  error->message);
}
END_TEST

START_TEST(frames_are_padded_to_the_coarsest_pixel_or_on_demand)
{
    static const struct {
        const char *options;
        int width, height, padded_width, padded_height;
    } cases[] = {
        {NULL, 131, 77, 131, 77},
        {NULL, 20, 30, 64, 64},
        {"{'pad-multiple': <uint32 64>}", 131, 77, 192, 128},
    };
    g_autoptr(VfiModel) model = open_family("film_tiny", cases[_i].options);
    VfiVideoInfo info = {
        .format = VFI_FORMAT_I420, .width = cases[_i].width, .height = cases[_i].height};
    g_autoptr(VfiSession) session = open_session(model, &info, 1);
    VfiSessionStats stats = stats_of(session);

    ck_assert_int_eq(stats.padded_width, cases[_i].padded_width);
    ck_assert_int_eq(stats.padded_height, cases[_i].padded_height);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("film");
    TCase *tcase = tcase_create("film");

    tcase_add_loop_test(tcase, all_spellings_of_the_keys_load, 0, 3);
    tcase_add_loop_test(tcase, near_misses_are_refused, 0, 6);
    tcase_add_test(tcase, the_torchscript_archive_loads);
    tcase_add_test(tcase, a_second_in_between_runs_no_pair_stage);
    tcase_add_loop_test(tcase, times_are_bisected_where_the_mode_says, 0, 6);
    tcase_add_test(tcase, midpoints_differ_from_scaled_flows_and_are_rounded_to);
    tcase_add_loop_test(tcase, rematerialised_features_give_the_same_picture, 0, 2);
    tcase_add_test(tcase, an_unknown_mode_is_an_error_that_lists_them);
    tcase_add_loop_test(tcase, frames_are_padded_to_the_coarsest_pixel_or_on_demand, 0,
                        3);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
