/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Synthesis from motion at every level against the formula, and cases whose result is
 * known exactly. */
#include <sys/mman.h>
#include <unistd.h>

#include "kernel_util.h"
#include "pixels/level.h"
#include "pixels_field.h"
#include "pixels_motion.h"

static VfiPixelsSynthesize *synthesize(void)
{
#ifdef VFI_PIXELS_HAVE_AVX2
    if (test_level >= VFI_CPU_LEVEL_AVX512)
        return vfi_pixels_synthesize_avx512;
    if (test_level >= VFI_CPU_LEVEL_AVX2)
        return vfi_pixels_synthesize_avx2;
#endif
    return vfi_pixels_synthesize_c;
}

static const int8_t shifts[VFI_MOTION_SHIFTS][2] = {
    {6, 0},  {-6, 0},  {0, 6},  {0, -6},  {9, 9},   {9, -9},
    {-9, 9}, {-9, -9}, {14, 0}, {-14, 0}, {0, 127}, {0, -128},
};

/* Kinds of motion: levels, numbers of hypotheses, times, boxes. */
static const VfiMotion kinds[] = {
    {.level = 2, .n_flows = 1, .spacing = 1, .radius = 1, .prior = 0.5f, .t = 0.5f},
    {.level = 1,
     .n_flows = 3,
     .n_shifts = 4,
     .spacing = 1,
     .radius = 2,
     .prior = 1,
     .t = 0.25f},
    {.level = 0,
     .n_flows = 3,
     .n_shifts = 12,
     .spacing = 2,
     .radius = 2,
     .prior = 1,
     .t = 0.4f},
    {.level = 2, .n_flows = 2, .n_shifts = 8, .spacing = 1, .radius = 0, .t = 0.9f},
    {.level = 0, .n_flows = 1, .spacing = 1, .radius = 4, .prior = 2, .t = 0.001f},
    {.level = 1,
     .n_flows = 1,
     .n_shifts = 1,
     .spacing = 2,
     .radius = 1,
     .prior = 1,
     .t = 0.7f},
};

static VfiMotion kind_of_motion(int i)
{
    VfiMotion motion = kinds[(size_t)i % G_N_ELEMENTS(kinds)];

    memcpy(motion.shift, shifts, sizeof shifts);
    return motion;
}

/* Coordinates are f32, some hundred samples, and the steepest step of noise is large. */
static double slack_of(VfiFormat format)
{
    return 2e-4 * largest_code(format);
}

static void assert_synthesized(const TestFrame *a, const TestFrame *b,
                               const TestMotion *motion, const TestFrame *out)
{
    const VfiFormatDescription *format = vfi_format_describe(out->info.format);
    const double slack = slack_of(out->info.format);
    const double tolerance = format->depth == 32 ? slack : 0.5 + slack;
    MotionFormula formula = motion_formula_new(&out->info, &motion->motion);

    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < component_height(&out->info, c); y++)
            for (int x = 0; x < component_width(&out->info, c); x++) {
                double want = synthesized_at(&formula, a, b, c, x, y);
                if (format->depth != 32)
                    want = CLAMP(want, 0, largest_code(out->info.format));
                assert_code(out, c, x, y, want, tolerance);
            }
    motion_formula_free(&formula);
}

/* Frames of noise, motion, perhaps with a network's field, and room for a picture. */
typedef struct {
    VfiVideoInfo info;
    TestFrame a, b, out;
    TestMotion motion;
    TestField field;
} Case;

static Case case_new(const VfiVideoInfo *info, int i)
{
    const VfiMotion kind = kind_of_motion(i);
    Case test = {.info = *info,
                 .a = test_frame_new(info, (Layout)(i % LAYOUT_COUNT)),
                 .b = test_frame_new(info, LAYOUT_TIGHT),
                 .out = test_frame_new(info, (Layout)((i + 1) % LAYOUT_COUNT)),
                 .motion = test_motion_new(info, &kind),
                 .field = test_field_new(info, false)};

    fill_noise(&test.a, (uint32_t)i + 1);
    fill_noise(&test.b, (uint32_t)i + 100);
    return test;
}

/* Only while @test stays where it is. */
static void add_network(Case *test)
{
    test->motion.motion.network = &test->field.field;
}

static void case_free(Case *test)
{
    test_frame_free(&test->a);
    test_frame_free(&test->b);
    test_frame_free(&test->out);
    test_motion_free(&test->motion);
    test_field_free(&test->field);
}

static void run_rows(const Case *test, int begin, int end)
{
    synthesize()(&test->info, &test->a.frame, &test->b.frame, &test->motion.motion,
                 &test->out.frame, begin, end);
}

static void run_case(const Case *test)
{
    run_rows(test, 0, test->info.height);
    assert_filler(&test->out);
    test_frame_assert_guards(&test->out);
}

START_TEST(pictures_follow_the_formula)
{
    static const int sizes[][2] = {{1, 1}, {2, 3}, {21, 5}, {70, 13}};

    for (int i = 0; i < 12; i++) {
        const VfiVideoInfo info = {.format = (VfiFormat)_i,
                                   .width = sizes[i % 4][0],
                                   .height = sizes[i % 4][1],
                                   .chroma_site = (VfiChromaSite)(i / 3 % 4)};
        Case test = case_new(&info, i + _i);
        test_motion_fill(&test.motion, i % 5 == 0 ? 30 : 6, i % 2 != 0, (uint32_t)i);
        if ((i + i / 6) % 2 != 0) {
            fill_field_noise(&test.field, i % 3 == 0 ? 30 : 6, (uint32_t)i);
            add_network(&test);
        }
        run_case(&test);
        assert_synthesized(&test.a, &test.b, &test.motion, &test.out);
        case_free(&test);
    }
}
END_TEST

/* More than one tile each way, at each level. */
START_TEST(tiles_follow_the_formula)
{
    static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_NV12,
                                        VFI_FORMAT_P010_10LE, VFI_FORMAT_RGBA};

    for (int i = 0; i < 4; i++) {
        const VfiVideoInfo info = {.format = formats[i],
                                   .width = (75 << MAX(_i % 3, 1)) + 1,
                                   .height = (34 << MAX(_i % 3, 1)) + 1,
                                   .chroma_site = (VfiChromaSite)(i % 4)};
        Case test = case_new(&info, 2 - _i % 3);
        test_motion_fill(&test.motion, 12, _i >= 3, (uint32_t)i);
        if (i % 2 != 0) {
            fill_smooth(&test.field, 9);
            add_network(&test);
        }
        run_case(&test);
        assert_synthesized(&test.a, &test.b, &test.motion, &test.out);
        case_free(&test);
    }
}
END_TEST

START_TEST(bands_give_the_same_picture)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 139, .height = 75};

    for (int kind = 0; kind < 3; kind++) {
        Case test = case_new(&info, kind);
        TestFrame whole = test_frame_new(&info, (Layout)((kind + 1) % LAYOUT_COUNT));
        test_motion_fill(&test.motion, 9, true, 5);
        fill_field_noise(&test.field, 9, 5);
        if (kind != 0)
            add_network(&test);
        run_case(&test);
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            memcpy(whole.block[plane], test.out.block[plane], whole.size[plane]);
        fill_noise(&test.out, 9);
        for (int y = 0, rows = 2; y < info.height; y += rows, rows += 2)
            run_rows(&test, y, MIN(y + rows, info.height));
        ck_assert(vfi_pixels_equal(&info, &whole.frame, &test.out.frame));
        test_frame_free(&whole);
        case_free(&test);
    }
}
END_TEST

START_TEST(still_frames_stay_as_they_are)
{
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 83, .height = 19};

    for (int kind = 0; kind < 6; kind++) {
        Case test = case_new(&info, kind);
        fill_constant(&test.field, (float[]){0, 0, 0, 0}, 0.3f);
        if (kind % 2 != 0)
            add_network(&test);
        synthesize()(&info, &test.a.frame, &test.a.frame, &test.motion.motion,
                     &test.out.frame, 0, info.height);
        for (int c = 0; c < vfi_format_describe(info.format)->n_components; c++)
            for (int y = 0; y < component_height(&info, c); y++)
                for (int x = 0; x < component_width(&info, c); x++)
                    assert_code(&test.out, c, x, y, get_code(&test.a, c, x, y),
                                info.format == VFI_FORMAT_RGB_F32 ? 1e-6 : 0);
        case_free(&test);
    }
}
END_TEST

/* A texture that no frame ends. */
static double texture_at(double x, double y)
{
    return 128 + 50 * sin(0.31 * x + 0.2 * y) + 50 * sin(0.17 * x - 0.23 * y);
}

/* All moves by (16, -12): what enters and leaves at the edges is in one frame alone,
 * which shows it as it is; the other one would repeat its edge. */
START_TEST(what_one_frame_shows_is_taken_from_it)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_GRAY8, .width = 90, .height = 50};

    for (int level = 0; level <= VFI_MOTION_MAX_LEVEL; level++) {
        const VfiMotion kind = {
            .level = level, .n_flows = 1, .spacing = 1, .radius = 1, .t = 0.5f};
        Case test = {.info = info,
                     .a = test_frame_new(&info, LAYOUT_TIGHT),
                     .b = test_frame_new(&info, LAYOUT_TIGHT),
                     .out = test_frame_new(&info, LAYOUT_TIGHT),
                     .motion = test_motion_new(&info, &kind),
                     .field = test_field_new(&info, false)};
        for (int y = 0; y < info.height; y++)
            for (int x = 0; x < info.width; x++) {
                set_code(&test.a, 0, x, y, round(texture_at(x, y)));
                set_code(&test.b, 0, x, y, round(texture_at(x - 16, y + 12)));
            }
        for (int y = 0; y < test.motion.motion.grid_h; y++)
            for (size_t x = 0; x < test.motion.motion.row; x++) {
                size_t at = (size_t)y * test.motion.motion.row + x;
                test.motion.flow[0][0][at] = 16;
                test.motion.flow[0][1][at] = -12;
            }
        run_case(&test);
        for (int y = 0; y < info.height; y++)
            for (int x = 0; x < info.width; x++) {
                bool is_in_a = x >= 8 && y < info.height - 6;
                bool is_in_b = x < info.width - 8 && y >= 6;
                if (is_in_a || is_in_b) /* a ninth may be the other one's edge */
                    assert_code(&test.out, 0, x, y, texture_at(x - 8, y + 6),
                                200.0 / 9 + 1);
            }
        case_free(&test);
    }
}
END_TEST

static void fill_constant_codes(const TestFrame *frame, double part)
{
    const VfiFormat format = frame->info.format;
    double code = largest_code(format) * part;

    for (int c = 0; c < vfi_format_describe(format)->n_components; c++)
        for (int y = 0; y < component_height(&frame->info, c); y++)
            for (int x = 0; x < component_width(&frame->info, c); x++)
                set_code(frame, c, x, y,
                         format == VFI_FORMAT_RGB_F32 ? code : floor(code));
}

static const float wild[] = {NAN,    INFINITY,      -INFINITY, 3e38f,
                             -3e38f, 2147483648.0f, -1e9f,     1e5f};

/* Vectors that lead nowhere and masks that are none, in every third sample. */
static void make_field_wild(TestField *test)
{
    for (size_t i = 0; i < 4 * test->field.plane; i += 3)
        test->flow[i] = wild[i / 3 % G_N_ELEMENTS(wild)];
    for (size_t i = 0; i < test->field.plane; i += 3)
        test->mask[i] = wild[i / 3 % G_N_ELEMENTS(wild)];
}

/* Vectors that lead nowhere, in every third cell. */
static void make_wild(TestMotion *test)
{
    const size_t cells = test->motion.row * (size_t)test->motion.grid_h;

    for (int f = 0; f < VFI_MOTION_FLOWS; f++)
        for (size_t i = 0; i < cells; i += 3) {
            test->flow[f][0][i] = wild[i / 3 % G_N_ELEMENTS(wild)];
            test->flow[f][1][i] = wild[i / 4 % G_N_ELEMENTS(wild)];
        }
}

START_TEST(constant_pictures_stay_constant)
{
    static const double parts[] = {0, 0.3, 1};
    const VfiVideoInfo info = {.format = (VfiFormat)_i, .width = 90, .height = 17};

    for (int i = 0; i < 9; i++) {
        Case test = case_new(&info, i);
        fill_constant_codes(&test.a, parts[i % 3]);
        test_motion_fill(&test.motion, 1 + 10 * (i % 4), i % 2 != 0, (uint32_t)i);
        fill_field_noise(&test.field, 9, (uint32_t)i);
        if (i >= 3) {
            make_wild(&test.motion);
            make_field_wild(&test.field);
        }
        if (i % 2 != 0)
            add_network(&test);
        synthesize()(&info, &test.a.frame, &test.a.frame, &test.motion.motion,
                     &test.out.frame, 0, info.height);
        test_frame_assert_guards(&test.out);
        for (int c = 0; c < vfi_format_describe(info.format)->n_components; c++)
            for (int y = 0; y < component_height(&info, c); y++)
                for (int x = 0; x < component_width(&info, c); x++)
                    assert_code(&test.out, c, x, y, get_code(&test.a, c, 0, 0),
                                info.format == VFI_FORMAT_RGB_F32 ? 1e-5 : 1);
        case_free(&test);
    }
}
END_TEST

/* NaN in a picture of the grid is a large difference, and no more. */
START_TEST(pictures_of_nan_leave_weights)
{
    const VfiVideoInfo info = {.format = VFI_FORMAT_GRAY8, .width = 50, .height = 20};

    for (int kind = 0; kind < 3; kind++) {
        Case test = case_new(&info, kind);
        fill_constant_codes(&test.a, 0.5);
        test_motion_fill(&test.motion, 9, false, 5);
        for (int i = 0; i < test.motion.motion.grid_w; i += 4)
            test.motion.picture[kind % 2][i] = NAN;
        test_motion_pad(&test.motion);
        if (kind != 1)
            add_network(&test);
        synthesize()(&info, &test.a.frame, &test.a.frame, &test.motion.motion,
                     &test.out.frame, 0, info.height);
        for (int i = 0; i < info.width; i++)
            assert_code(&test.out, 0, i, 0, 127, 1);
        case_free(&test);
    }
}
END_TEST

/* Gives @frame's plane memory whose first or last byte stands beside a page that may not
 * be touched; returns the pages. */
static void *put_beside_page(TestFrame *test, int plane, bool at_end, size_t *all)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t row = vfi_video_info_row_bytes(&test->info, plane);
    const size_t bytes = row * (size_t)vfi_video_info_rows(&test->info, plane);
    const size_t pages = (bytes + page - 1) / page * page;
    *all = pages + 2 * page;
    char *memory = mmap(NULL, *all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + page, pages, PROT_READ | PROT_WRITE), 0);
    test->frame.data[plane] = (uint8_t *)memory + page + (at_end ? pages - bytes : 0);
    test->frame.stride[plane] = (ptrdiff_t)row;
    return memory;
}

START_TEST(nothing_outside_the_frames_is_read)
{
    static const int widths[] = {1, 7, 16, 18, 33, 64, 65, 150};

    for (int i = 0; i < 16; i++) {
        const VfiVideoInfo info = {
            .format = (VfiFormat)_i, .width = widths[i / 2], .height = 1 + 3 * (i % 5)};
        Case test = case_new(&info, i);
        const TestFrame own = test.a;
        void *memory[VFI_MAX_PLANES];
        size_t all[VFI_MAX_PLANES];

        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            memory[plane] = put_beside_page(&test.a, plane, i % 2 != 0, &all[plane]);
        fill_noise(&test.a, 7);
        test_motion_fill(&test.motion, 20, i % 3 != 0, (uint32_t)i);
        fill_field_noise(&test.field, 20, (uint32_t)i);
        if (i % 4 >= 2) {
            make_wild(&test.motion);
            make_field_wild(&test.field);
        }
        if (i % 3 != 1)
            add_network(&test);
        run_case(&test);
        for (int plane = 0; plane < vfi_format_planes(info.format); plane++)
            munmap(memory[plane], all[plane]);
        test.a = own;
        case_free(&test);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("synthesize");
    TCase *tcase = tcase_create("synthesize");
    const int first = VFI_FORMAT_UNKNOWN + 1;

    add_thinned_loop_test(tcase, pictures_follow_the_formula, first, VFI_FORMAT_COUNT);
    add_thinned_loop_test(tcase, tiles_follow_the_formula, 0, 6);
    add_thinned_loop_test(tcase, bands_give_the_same_picture, first, VFI_FORMAT_COUNT);
    add_thinned_loop_test(tcase, still_frames_stay_as_they_are, first, VFI_FORMAT_COUNT);
    tcase_add_test(tcase, what_one_frame_shows_is_taken_from_it);
    add_thinned_loop_test(tcase, constant_pictures_stay_constant, first,
                          VFI_FORMAT_COUNT);
    tcase_add_test(tcase, pictures_of_nan_leave_weights);
    add_thinned_loop_test(tcase, nothing_outside_the_frames_is_read, first,
                          VFI_FORMAT_COUNT);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
