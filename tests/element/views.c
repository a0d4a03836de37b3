/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that see more than two frames: which frames each picture is made of, at all
 * edges that there are, and that everything else is as with two frames. */
#include "view_script.h"

void gst_plugin_vfiinterp_register(void);

static const Family two_frames = {0, 0};

typedef struct {
    const char *script, *picture;
    const char *properties; /* or NULL */
    const char *out;        /* what downstream takes, or NULL */
    gboolean reverse;
} Case;

static const Case cases[] = {
    /* The beginning and the end. */
    {.script = "a", .picture = "a"},
    {.script = "a b", .picture = "ab"},
    {.script = "a b c", .picture = "abc"},
    {.script = "a b c d", .picture = "abcd"},
    {.script = "a b c d e f g h i j k l", .picture = "abcdefghijkl"},
    /* What ends a run. */
    {.script = "a b c gap d e f", .picture = "abc|def"},
    {.script = "a b c discont d e f", .picture = "abc|def"},
    {.script = "a b c segment d e f", .picture = "abc|def"},
    {.script = "a b c caps d e f", .picture = "abc|def"},
    {.script = "a b c done d e f", .picture = "abc|def"},
    {.script = "a b c start d e f", .picture = "abc|def"},
    {.script = "a b c still d e f", .picture = "abc|def"},
    {.script = "a b c long gap d e f", .picture = "abc|def"},
    {.script = "a b c backwards d", .picture = "abc|d"},
    {.script = "a gap b c d gap e", .picture = "a|bcd|e"},
    /* What two frames do not cross. */
    {.script = "a b c cut d e f", .picture = "abc|def"},
    {.script = "a cut b c d cut e", .picture = "a|bcd|e"},
    {.script = "a b c crop d e f", .picture = "abc|def"},
    {.script = "a b crop c crop d e f g", .picture = "ab|c|defg"},
    /* What does not end anything. */
    {.script = "a b c missing short d e f", .picture = "abcdef"},
    {.script = "a b late x c d", .picture = "abcd"},
    {.script = "a b c same-caps d e f", .picture = "abcdef"},
    {.script = "a b c allocation d e allocation f", .picture = "abcdef"},
    {.script = "a tag b tag c tag d", .picture = "abcd"},
    /* What does not wait. */
    {.script = "a b c drain d e f", .picture = "abc:def"},
    {.script = "a b c query d e f", .picture = "abc:def"},
    {.script = "a b c reconfigure d e f", .picture = "abc:def"},
    {.script = "a drain b drain drain c", .picture = "a:b:c"},
    {.script = "a b c triple d e f", .picture = "abc:def"},
    /* Frames that pass are in no view, but for one that was compared with the next. */
    {.script = "a b c bypass x y no-bypass d e f", .picture = "abc|def"},
    {.script = "a b c bypass x y no-bypass d e f",
     .picture = "abc|ydef",
     .out = "video/x-raw,framerate=40/1"},
    /* Frames that are the same, and pairs that nothing is made of, are neighbours. */
    {.script = "a b b c d", .picture = "abbcd"},
    {.script = "a a a b b b", .picture = "aaabbb"},
    {.script = "a b c d e f", .picture = "abcdef", .properties = "skip-pairs=2"},
    {.script = "a b c d e f g h", .picture = "abcdefgh", .properties = "skip-pairs=1-4"},
    {.script = "a b c d e f g h", .picture = "abcdefgh", .properties = "only-pairs=3"},
    {.script = "a b c d e f",
     .picture = "abcdef",
     .properties = "multipliers=1,3,1,2,4",
     .out = "video/x-raw,framerate=0/1"},
    {.script = "a b c cut d e f", .picture = "abc|def", .properties = "skip-pairs=2"},
    {.script = "a b c cut d e f",
     .picture = "abc|def",
     .properties = "multipliers=2,2,1,2",
     .out = "video/x-raw,framerate=0/1"},
    {.script = "a b c crop d e f", .picture = "abc|def", .properties = "skip-pairs=2"},
    /* Other rates; two of three frames have no place of their own. */
    {.script = "a b c d e f", .picture = "abcdef", .properties = "multiplier=5"},
    {.script = "a b c d e f g h",
     .picture = "abcdefgh",
     .out = "video/x-raw,framerate=27/1"},
    {.script = "a b c d cut e f g h",
     .picture = "abcd|efgh",
     .out = "video/x-raw,framerate=27/1"},
    {.script = "a b c d cut e f g h",
     .picture = "abcd|efgh",
     .properties = "scene-mode=none",
     .out = "video/x-raw,framerate=30/1"},
    {.script = "a b c d gap e f", .picture = "abcd|ef", .properties = "tail=hold"},
    {.script = "a b c d gap e f", .picture = "abcd|ef", .properties = "tail=none"},
    /* Repeats that are replaced are in no view; those that are let out are. */
    {.script = "a a b c c c d e",
     .picture = "abcde",
     .properties = "duplicate-mode=replace"},
    {.script = "a b b gap c c d",
     .picture = "abb|cd",
     .properties = "duplicate-mode=replace"},
    {.script = "a b b cut c c d",
     .picture = "abb|cd",
     .properties = "duplicate-mode=replace"},
    {.script = "a b b drain c c d",
     .picture = "abb:cd",
     .properties = "duplicate-mode=replace"},
    {.script = "a b b b b b c d",
     .picture = "abbbbbcd",
     .properties = "duplicate-mode=replace"},
    {.script = "a b c c c d e e f",
     .picture = "abcdef",
     .properties = "duplicate-mode=replace skip-pairs=3-4"},
    {.script = "a b b b c c d",
     .picture = "abbbcd",
     .properties = "duplicate-mode=replace duplicate-max=1"},
    /* Backwards. */
    {.script = "a", .picture = "a", .reverse = TRUE},
    {.script = "a b", .picture = "ab", .reverse = TRUE},
    {.script = "a b c d e f g h i j", .picture = "abcdefghij", .reverse = TRUE},
    {.script = "a b c gap d e f", .picture = "abc|def", .reverse = TRUE},
    {.script = "a b c cut d e f", .picture = "abc|def", .reverse = TRUE},
    {.script = "a b c drain d e f", .picture = "abc:def", .reverse = TRUE},
    {.script = "a b c d e f",
     .picture = "abcdef",
     .properties = "skip-pairs=2",
     .reverse = TRUE},
    {.script = "a b c d cut e f g h",
     .picture = "abcd|efgh",
     .out = "video/x-raw,framerate=27/1",
     .reverse = TRUE},
};

static Fixture *play(const Case *which, const Family *family, int in_flight)
{
    Fixture *f = script_fixture(in_flight, family, which->properties, which->out);

    script_run(f, which->script, which->reverse);
    finish(f);
    return f;
}

GST_START_TEST(views_stop_at_edges)
{
    const Case *which = &cases[__i__ / N_MODES];
    const int in_flight = in_flight_mode(__i__ % N_MODES);
    Fixture *twin = play(which, &two_frames, in_flight);

    script_check_views(twin, &two_frames, which->script, which->picture, which->reverse);
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f = play(which, &wide_families[i], in_flight);
        script_check_views(f, &wide_families[i], which->script, which->picture,
                           which->reverse);
        script_check_same(f, twin);
        ck_assert_uint_eq(engine_stat(f, "cuts"), engine_stat(twin, "cuts"));
        ck_assert_uint_eq(counter(f, "drop"), counter(twin, "drop"));
        fixture_free(f);
    }
    fixture_free(twin);
}
GST_END_TEST

/* ---- at random --------------------------------------------------------------------- */

#define N_SCRIPTS 60
#define N_WORDS 40

/* Frames of a few values, so that there are repeats, and whatever may come between. */
static const char *const frames_at_random[] = {"a", "b", "c", "a", "b", "z"};
static const char *const words_at_random[] = {
    "gap",        "missing", "missing short", "late",      "discont",  "crop",
    "cut",        "tag",     "still",         "short",     "long",     "segment",
    "done",       "start",   "caps",          "same-caps", "drain",    "query",
    "allocation", "tag",     "reconfigure",   "cut",       "backwards"};
static const char *const properties_at_random[][4] = {
    {"", "duplicate-mode=replace", "duplicate-mode=replace duplicate-max=1",
     "duplicate-mode=replace duplicate-max=7"},
    {"", "tail=hold", "tail=none", ""},
    {"", "skip-pairs=3-5,9", "skip-pairs=0-99", ""},
    {"", "scene-mode=none", "scene-threshold=0.13", "scene-threshold=0.13 tail=hold"},
    {"", "mark-droppable=true", "max-gap=120000000", "max-gap=1"},
};
static const struct {
    const char *properties, *out;
} rates_at_random[] = {
    {"", NULL},
    {"multiplier=3", NULL},
    {"multiplier=5", NULL},
    {"multipliers=2,1,3", "video/x-raw,framerate=0/1"},
    {"", "video/x-raw,framerate=27/1"},
    {"", "video/x-raw,framerate=60000/1001"},
};

#define ANY_OF(random, array)                                                            \
    (array)[g_rand_int_range(random, 0, (gint32)G_N_ELEMENTS(array))]

static char *script_at_random(GRand *random)
{
    GString *script = g_string_new("a");

    for (int i = 0; i < N_WORDS; i++)
        g_string_append_printf(script, " %s",
                               g_rand_int_range(random, 0, 3) > 0
                                   ? ANY_OF(random, frames_at_random)
                                   : ANY_OF(random, words_at_random));
    return g_string_free(script, FALSE);
}

static char *all_properties_at_random(GRand *random, const char *first)
{
    GString *all = g_string_new(first);

    for (guint i = 0; i < G_N_ELEMENTS(properties_at_random); i++)
        g_string_append_printf(all, " %s", ANY_OF(random, properties_at_random[i]));
    return g_string_free(all, FALSE);
}

/* Whatever comes: with models that see more, the same leaves at the same times. */
GST_START_TEST(all_but_the_pictures_is_as_with_two_frames)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)__i__ / N_MODES);
    g_autofree char *script = script_at_random(random);
    const guint rate =
        (guint)g_rand_int_range(random, 0, (gint32)G_N_ELEMENTS(rates_at_random));
    g_autofree char *properties =
        all_properties_at_random(random, rates_at_random[rate].properties);
    const Case which = {.script = script,
                        .properties = properties,
                        .out = rates_at_random[rate].out,
                        .reverse = g_rand_int_range(random, 0, 4) == 0};
    const int in_flight = in_flight_mode(__i__ % N_MODES);
    Fixture *twin = play(&which, &two_frames, in_flight);

    g_test_message("%s: %s (%s)", properties, script, which.reverse ? "backwards" : "");
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f = play(&which, &wide_families[i], in_flight);
        script_check_same(f, twin);
        ck_assert_uint_eq(engine_stat(f, "cuts"), engine_stat(twin, "cuts"));
        ck_assert_uint_eq(engine_stat(f, "replaced"), engine_stat(twin, "replaced"));
        ck_assert_uint_eq(engine_stat(f, "identical"), engine_stat(twin, "identical"));
        ck_assert_uint_eq(counter(f, "interpolated"), counter(twin, "interpolated"));
        ck_assert_uint_eq(counter(f, "drop"), counter(twin, "drop"));
        fixture_free(f);
    }
    fixture_free(twin);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-views");
    TCase *tcase = tcase_create("views");

    gst_init(&argc, &argv);
    gst_plugin_vfiinterp_register();
    suite_add_tcase(suite, tcase);
    for (int i = 0; i < N_MODES * (int)G_N_ELEMENTS(cases); i += SANITIZER_STEP)
        tcase_add_loop_test(tcase, views_stop_at_edges, i, i + 1);
    for (int i = 0; i < N_MODES * N_SCRIPTS; i += SANITIZER_STEP)
        tcase_add_loop_test(tcase, all_but_the_pictures_is_as_with_two_frames, i, i + 1);
    return element_main(argc, argv, suite);
}
