/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IFRNet: recognised by keys and shapes, near misses refused, sizes that it is exact for,
 * and the mean of a pair, which padding, threads and what ran before must not change. */
#include <string.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "check_main.h"
#include "deterministic_weights.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "session_util.h"

#define WIDTH 50
#define HEIGHT 38
#define PADDED_WIDTH 64
#define PADDED_HEIGHT 48

/* ---- recognition ------------------------------------------------------------------- */

static const struct {
    const char *family, *variant;
    uint64_t n_parameters; /* of the original's modules */
} sizes[] = {
    {"ifrnet_s", "S", 2803610},
    {"ifrnet", "base", 4959692},
    {"ifrnet_l", "L", 19699460},
};

START_TEST(sizes_are_recognised)
{
    g_autoptr(VfiModel) model = open_family(sizes[_i].family, NULL);
    const VfiModelInfo *info = vfi_model_info(model);

    ck_assert_str_eq(info->family, "ifrnet");
    ck_assert_str_eq(info->variant, sizes[_i].variant);
    ck_assert_int_eq(info->time_mode, VFI_TIME_ANY);
    ck_assert_uint_eq(info->n_parameters, sizes[_i].n_parameters);
}
END_TEST

START_TEST(the_wrapping_of_parallel_training_is_no_obstacle)
{
    g_autoptr(GArray) entries = state_dict_of("ifrnet_s");

    for (guint i = 0; i < entries->len; i++) {
        StateEntry *entry = &g_array_index(entries, StateEntry, i);
        g_autofree char *key = g_strdup(entry->key);
        g_snprintf(entry->key, sizeof(entry->key), "module.%s", key);
    }
    g_autoptr(VfiModel) model = open_entries(entries, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    ck_assert_str_eq(vfi_model_info(model)->variant, "S");
}
END_TEST

START_TEST(training_extras_are_ignored)
{
    g_autoptr(GArray) entries = state_dict_of("ifrnet_s");
    StateEntry loss = {
        .key = "tr_loss.w", .kind = STATE_BIAS, .n_dims = 1, .shape = {49}};

    g_array_append_val(entries, loss);
    g_autoptr(VfiModel) model = open_entries(entries, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    ck_assert_uint_eq(vfi_model_info(model)->n_parameters, 2803610);
}
END_TEST

/* Networks that share much with IFRNet: each differs in one dimension. */
START_TEST(relatives_are_not_taken_for_it)
{
    static const struct {
        const char *key;
        int dimension, size;
    } relatives[] = {
        {"encoder.pyramid1.0.0.weight", 0, 20},    /* another width */
        {"encoder.pyramid1.0.0.weight", 1, 1},     /* of grey frames */
        {"encoder.pyramid1.0.0.weight", 2, 7},     /* L's first layer, S's width */
        {"decoder4.convblock.0.0.weight", 1, 144}, /* without the time: midpoint only */
        {"decoder1.convblock.2.weight", 1, 24},    /* several flows a pixel */
        {"decoder1.convblock.0.0.weight", 1, 80},  /* more inputs */
        {"decoder4.convblock.1.conv2.0.weight", 0, 32}, /* more side channels */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(relatives); i++) {
        g_autoptr(GArray) entries = state_dict_of("ifrnet_s");
        g_autoptr(GError) error = NULL;
        find_entry(entries, relatives[i].key)->shape[relatives[i].dimension] =
            relatives[i].size;
        ck_assert_ptr_null(open_entries(entries, NULL, &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
        ck_assert_msg(strstr(error->message, "as ifrnet S: tensor") != NULL &&
                          strstr(error->message, relatives[i].key) != NULL,
                      "%s: %s", relatives[i].key, error->message);
    }
}
END_TEST

START_TEST(near_misses_name_the_tensor)
{
    static const struct {
        const char *key, *expected, *found;
    } cases[] = {
        {"decoder2.convblock.1.conv3.0.weight", "108x108x3x3", "108x107x3x3"},
        {"encoder.pyramid3.1.0.weight", "54x54x3x3", "54x107x3x3"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) entries = state_dict_of("ifrnet_s");
        g_autoptr(GError) error = NULL;
        find_entry(entries, cases[i].key)->shape[1] = 107;
        ck_assert_ptr_null(open_entries(entries, NULL, &error));
        ck_assert_ptr_nonnull(strstr(error->message, cases[i].key));
        ck_assert_ptr_nonnull(strstr(error->message, cases[i].expected));
        ck_assert_ptr_nonnull(strstr(error->message, cases[i].found));
    }
    g_autoptr(GArray) entries = state_dict_of("ifrnet_s");
    g_autoptr(GError) error = NULL;
    find_entry(entries, "decoder3.convblock.1.prelu.weight")->key[0] = 'x';
    ck_assert_ptr_null(open_entries(entries, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "decoder3.convblock.1.prelu.weight"));
    ck_assert_ptr_nonnull(strstr(error->message, "missing"));
}
END_TEST

/* ---- sizes ------------------------------------------------------------------------- */

static const VfiVideoInfo video = {
    .format = VFI_FORMAT_RGB_F32, .width = WIDTH, .height = HEIGHT};

static VfiSession *open_session(VfiModel *model, double scale, unsigned threads)
{
    VfiSessionConfig config = {
        .video = video, .device = "cpu", .scale = scale, .threads = threads};

    return new_session(model, &config);
}

static VfiFrame new_frame(void)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, &video, NULL));
    return frame;
}

static float *row_of(const VfiFrame *frame, int plane, int y)
{
    return (float *)(void *)(frame->data[plane] + y * frame->stride[plane]);
}

/* A textured frame around @brightness, moved by @shift pixels. */
static VfiFrame make_frame(float brightness, int shift, uint64_t id)
{
    VfiFrame frame = new_frame();

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                row_of(&frame, plane, y)[x] =
                    brightness +
                    (float)(((x + shift) * 7 + y * 5 + plane * 11) % 32 - 16) / 128.0f;
    frame.id = id;
    return frame;
}

START_TEST(frames_are_padded_to_sixteen_at_the_flow_scale)
{
    static const struct {
        double scale;
        const char *options;
        int padded_w, padded_h;
    } cases[] = {
        {1.0, NULL, 64, 48},
        {0.5, NULL, 64, 64},
        {0.25, NULL, 64, 64},
        {2.0, NULL, 56, 40},
        {4.0, NULL, 52, 40},
        {1.0, "{'pad-multiple': <uint32 64>}", 64, 64},
        {0.5, "{'pad-multiple': <uint32 40>}", 64, 64}, /* the next multiple of 32 */
    };
    VfiFrame a = make_frame(0.3f, 0, 1), b = make_frame(0.7f, 2, 2);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VfiModel) model = open_family("ifrnet_s", cases[i].options);
        g_autoptr(VfiSession) session = open_session(model, cases[i].scale, 2);
        VfiSessionStats stats;
        vfi_session_get_stats(session, &stats);
        ck_assert_int_eq(stats.padded_width, cases[i].padded_w);
        ck_assert_int_eq(stats.padded_height, cases[i].padded_h);
        VfiFrame out = in_between(session, &video, &a, &b, 0.5);
        vfi_frame_clear(&out);
    }
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
}
END_TEST

/* ---- the mean ---------------------------------------------------------------------- */

static double sum_of(const VfiFrame *frame)
{
    double sum = 0.0;

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                sum += (double)row_of(frame, plane, y)[x];
    return sum;
}

/* The frame as the network sees it: zeros at the right and bottom. */
static char *pad(const VfiFrame *frame)
{
    float *image =
        vfi_try_alloc(3 * PADDED_WIDTH * PADDED_HEIGHT, sizeof(float), "image", NULL);

    memset(image, 0, 3 * PADDED_WIDTH * PADDED_HEIGHT * sizeof(float));
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            memcpy(image + (plane * PADDED_HEIGHT + y) * PADDED_WIDTH,
                   row_of(frame, plane, y), WIDTH * sizeof(float));
    return (char *)image;
}

/* Runs the network on images padded by hand, with @mean, and compares the picture's
 * area. */
static bool network_gives(const VfiModel *model, const VfiFrame *a, const VfiFrame *b,
                          float mean, const VfiFrame *expected)
{
    const VfiBackend *backend = &vfi_backend_cpu;
    VfiDevice *device =
        backend->open(&(VfiDeviceRequest){"cpu", 2, VFI_PRECISION_F32, NULL, NULL}, NULL);
    VfiGraph *graph = vfi_graph_new(model->weights, PADDED_WIDTH, PADDED_HEIGHT);
    VfiPlanTarget target;
    float scalars[1];
    bool same = true;

    backend->plan_target(device, &target);
    ck_assert(model->family->build(graph, &model->setup, VFI_STAGE_TIME, 1.0));
    VfiPlan *plan = vfi_plan_new(graph, &target, VFI_REGION_ARENA, NULL);
    ck_assert_ptr_nonnull(plan);
    VfiProgram *program = backend->compile(device, plan, NULL);
    char *arena = backend->alloc(device, plan->arena_bytes, "test arena", NULL);
    VfiRunArguments arguments = {
        .region = {arena, pad(a), pad(b)},
        .inputs.value = {[VFI_RUN_INPUT_TIME] = 0.5f, [VFI_RUN_INPUT_IMAGE_MEAN] = mean},
        .scalars = scalars};
    ck_assert(backend->run(device, program, 0, &arguments, NULL));

    const VfiOperand *rgb = &vfi_plan_output(plan, 0, "rgb")->operand;
    const float *values = (const float *)(const void *)(arena + rgb->offset);
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < HEIGHT; y++)
            same = same && memcmp(values + (plane * PADDED_HEIGHT + y) * PADDED_WIDTH,
                                  row_of(expected, plane, y), WIDTH * sizeof(float)) == 0;
    vfi_free(arguments.region[VFI_REGION_FRAME0]);
    vfi_free(arguments.region[vfi_frame_region(1)]);
    backend->free(device, arena);
    backend->program_free(device, program);
    backend->close(device);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    return same;
}

START_TEST(the_mean_is_that_of_both_frames_without_their_padding)
{
    g_autoptr(VfiModel) model = open_family("ifrnet_s", NULL);
    g_autoptr(VfiSession) session = open_session(model, 1.0, 2);
    VfiFrame dark = make_frame(0.25f, 0, 1), bright = make_frame(0.75f, 2, 2);
    VfiFrame out = in_between(session, &video, &dark, &bright, 0.5);
    /* all values are multiples of 1/128: the sums are exact */
    double sum = sum_of(&dark) + sum_of(&bright);
    float mean = (float)(sum / (2.0 * 3.0 * WIDTH * HEIGHT));
    float of_padded = (float)(sum / (2.0 * 3.0 * PADDED_WIDTH * PADDED_HEIGHT));
    float of_first = (float)(sum_of(&dark) / (3.0 * WIDTH * HEIGHT));

    ck_assert(network_gives(model, &dark, &bright, mean, &out));
    ck_assert(!network_gives(model, &dark, &bright, of_padded, &out));
    ck_assert(!network_gives(model, &dark, &bright, of_first, &out));
    vfi_frame_clear(&dark);
    vfi_frame_clear(&bright);
    vfi_frame_clear(&out);
}
END_TEST

/* The mean of the frame in the middle is kept with its image. */
START_TEST(bits_do_not_depend_on_threads_or_on_what_ran_before)
{
    g_autoptr(VfiModel) model = open_family("ifrnet_s", NULL);
    g_autoptr(VfiSession) one = open_session(model, 1.0, 1);
    VfiFrame a = make_frame(0.2f, 0, 1), b = make_frame(0.8f, 2, 2),
             c = make_frame(0.4f, 5, 3);
    VfiFrame expected = in_between(one, &video, &b, &c, 0.5);

    for (unsigned threads = 1; threads <= 3; threads++) {
        g_autoptr(VfiSession) session = open_session(model, 1.0, threads);
        VfiFrame before = in_between(session, &video, &a, &b, 0.5);
        VfiFrame out = in_between(session, &video, &b, &c, 0.5);
        ck_assert(!same_picture(&video, &before, &expected));
        ck_assert(same_picture(&video, &out, &expected));
        vfi_frame_clear(&before);
        vfi_frame_clear(&out);
    }
    vfi_frame_clear(&a);
    vfi_frame_clear(&b);
    vfi_frame_clear(&c);
    vfi_frame_clear(&expected);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ifrnet");
    TCase *tcase = tcase_create("ifrnet");

    tcase_add_loop_test(tcase, sizes_are_recognised, 0, G_N_ELEMENTS(sizes));
    tcase_add_test(tcase, the_wrapping_of_parallel_training_is_no_obstacle);
    tcase_add_test(tcase, training_extras_are_ignored);
    tcase_add_test(tcase, relatives_are_not_taken_for_it);
    tcase_add_test(tcase, near_misses_name_the_tensor);
    tcase_add_test(tcase, frames_are_padded_to_sixteen_at_the_flow_scale);
    tcase_add_test(tcase, the_mean_is_that_of_both_frames_without_their_padding);
    tcase_add_test(tcase, bits_do_not_depend_on_threads_or_on_what_ran_before);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
