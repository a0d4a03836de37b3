/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What names of model files say, and which of several a name means. */
#include <string.h>

#include "check_main.h"
#include "model/model_name.h"

START_TEST(names_are_taken_apart)
{
    static const struct {
        const char *stem, *words, *version;
        bool is_lite, is_heavy;
    } cases[] = {
        {"rife", "rife", "", false, false},
        {"rife-4.26", "rife", "4.26", false, false},
        {"rife47", "rife", "4.7", false, false},
        {"rife426", "rife", "4.26", false, false},
        {"rife40", "rife", "4.0", false, false},
        {"RIFE_v46", "rife", "4.6", false, false},
        {"rife-3", "rife", "3", false, false},
        {"rife-v4.12-lite", "rife", "4.12", true, false},
        {"rife425_lite", "rife", "4.25", true, false},
        {"rife-4.26.heavy", "rife", "4.26", false, true},
        {"rife-v4.26-large", "rife", "4.26", false, true},
        {"RIFEv4.26_0921", "rife 0921", "4.26", false, false},
        {"rifev4.25lite", "rife", "4.25", true, false},
        {"flownetv47", "flownet", "4.7", false, false},
        {"flownet", "flownet", "", false, false},
        {"flownet_v4.26", "flownet", "4.26", false, false},
        {"RIFE_trained_model_v4.26", "rife trained model", "4.26", false, false},
        {"sudo_rife4_269.662_testV1_scale1", "sudo rife 269.662 testv 1 scale 1", "4",
         false, false},
        {"film_net_fp32", "film net fp 32", "", false, false},
        {"IFRNet_S_Vimeo90K", "ifrnet s vimeo 90 k", "", false, false},
        {"12345678901234567890123.1", "12345678901234567890123.1", "", false, false},
        {"a1.2.3.4.5.6", "a", "1.2.3.4", false, false},
        {"", "", "", false, false},
        {"-._", "", "", false, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        VfiModelName name = vfi_model_name_parse(cases[i].stem);
        g_autofree char *words = g_strjoinv(" ", name.words);
        g_autoptr(GString) version = g_string_new(NULL);
        for (int k = 0; k < name.n_version; k++)
            g_string_append_printf(version, "%s%" G_GUINT64_FORMAT, k == 0 ? "" : ".",
                                   name.version[k]);
        ck_assert_msg(
            strcmp(words, cases[i].words) == 0 &&
                strcmp(version->str, cases[i].version) == 0 &&
                name.is_lite == cases[i].is_lite && name.is_heavy == cases[i].is_heavy,
            "%s: words \"%s\", version \"%s\"", cases[i].stem, words, version->str);
        vfi_model_name_clear(&name);
    }
}
END_TEST

/* @file without what follows its last dot, if that is an extension. */
static char *stem_of(const char *file)
{
    const char *dot = strrchr(file, '.');
    bool is_extension = dot != NULL && g_ascii_isalpha(dot[1]) &&
                        (strcmp(dot, ".pkl") == 0 || strcmp(dot, ".pth") == 0 ||
                         strcmp(dot, ".pt") == 0 || strcmp(dot, ".safetensors") == 0);

    return is_extension ? g_strndup(file, (gsize)(dot - file)) : g_strdup(file);
}

/* The best of @files for @asked, "" for none; "auto" as the search path does it. */
static const char *best_of(const char *asked, const char *const *files)
{
    bool is_auto = strcmp(asked, "auto") == 0;
    const char *best = "";
    VfiNameMatch best_match = {.matches = false};

    for (; *files != NULL; files++) {
        g_autofree char *stem = stem_of(*files);
        VfiNameMatch match =
            vfi_model_name_match(is_auto ? "rife" : asked, *files, stem, is_auto);
        if (match.matches &&
            (!best_match.matches || vfi_name_match_compare(&match, &best_match) > 0)) {
            best = *files;
            best_match = match;
        }
    }
    return best;
}

/* The worst first, so that nothing wins by coming first. */
static const char *const as_people_have_them[] = {
    "rife-4.26.heavy.pkl",
    "rife425_lite.pth",
    "flownet.pkl",
    "flownet_v4.22.pkl",
    "sudo_rife4_269.662_testV1_scale1.pth",
    "rife47.pth",
    "rife49.pth",
    "rife-v4.6",
    "rife-v4.12-lite",
    "rife-4.2.pth",
    "rife-4.25.pth",
    "rife-3.pkl",
    "film_net_fp32.pt",
    "IFRNet_S_Vimeo90K.pth",
    "IFRNet_L_Vimeo90K.pth",
    "IFRNet_Vimeo90K.pth",
    "notes on rifes.pt",
    NULL,
};

START_TEST(names_find_files_as_people_have_them)
{
    static const struct {
        const char *asked, *found;
    } cases[] = {
        {"auto", "rife-4.25.pth"},
        {"rife", "rife-4.25.pth"},
        {"RIFE", "rife-4.25.pth"},
        {"rife-4.7", "rife47.pth"},
        {"rife47", "rife47.pth"},
        {"rife47.pth", "rife47.pth"},
        {"rife-v4.9", "rife49.pth"},
        {"rife-4.6", "rife-v4.6"},
        {"rife46", "rife-v4.6"},
        {"rife-4.2", "rife-4.2.pth"},
        {"rife-4.22", "flownet_v4.22.pkl"},
        {"rife-4", "rife-4.25.pth"},
        {"rife-3", "rife-3.pkl"},
        {"rife-4.0", "sudo_rife4_269.662_testV1_scale1.pth"},
        {"sudo_rife4", "sudo_rife4_269.662_testV1_scale1.pth"},
        {"rife-4.12", ""}, /* a lite is another network */
        {"rife-4.12-lite", "rife-v4.12-lite"},
        {"rife-lite", "rife425_lite.pth"},
        {"rife-4.26", ""},
        {"rife-4.26-heavy", "rife-4.26.heavy.pkl"},
        {"rife-heavy", "rife-4.26.heavy.pkl"},
        {"rife-4.24", ""},
        {"flownet", "flownet.pkl"},
        {"film", "film_net_fp32.pt"},
        {"film_net", "film_net_fp32.pt"},
        {"ifrnet", "IFRNet_Vimeo90K.pth"},
        {"ifrnet_s", "IFRNet_S_Vimeo90K.pth"},
        {"IFRNet-L", "IFRNet_L_Vimeo90K.pth"},
        {"rif", ""},
        {"net", "film_net_fp32.pt"},
        {"4.26", ""},
        {"", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *found = best_of(cases[i].asked, as_people_have_them);
        ck_assert_msg(strcmp(found, cases[i].found) == 0, "%s: \"%s\" instead of \"%s\"",
                      cases[i].asked, found, cases[i].found);
    }
}
END_TEST

START_TEST(the_better_of_two_wins_in_either_order)
{
    static const struct {
        const char *asked, *better, *worse;
    } cases[] = {
        {"rife", "rife.pkl", "rife-4.26.pkl"}, /* the very name */
        {"auto", "rife-4.26.pkl", "rife.pkl"}, /* the highest version */
        {"rife", "rife-4.26.pkl", "rife-4.6.pkl"},
        {"rife", "rife426.pth", "rife49.pth"},
        {"rife", "rife-4.0.pkl", "flownet_v4.pkl"}, /* begins with the name */
        {"rife", "flownet_v4.1.pkl", "rife-4.0.pkl"},
        {"rife", "rife-3.pkl", "rife-4.12-lite.pkl"},
        {"auto", "rife-4.12-lite.pkl", "rife-4.26-heavy.pkl"},
        {"rife", "rife-3.pkl", "flownet.pkl"}, /* a version */
        {"rife-4.6", "rife-4.6.pkl", "rife46.pth"},
        {"rife-4.6", "RIFE-4.6.pkl", "rife46.pth"}, /* but for case */
        {"rife-4.6.pth", "rife-4.6.pth", "rife-4.6.pkl"},
        {"rife-4.6", "rife46.pth", "rife46_ensemble.pth"}, /* fewer words */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *one[] = {cases[i].better, cases[i].worse, NULL};
        const char *other[] = {cases[i].worse, cases[i].better, NULL};
        ck_assert_str_eq(best_of(cases[i].asked, one), cases[i].better);
        ck_assert_str_eq(best_of(cases[i].asked, other), cases[i].better);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_name");
    TCase *tcase = tcase_create("model_name");

    tcase_add_test(tcase, names_are_taken_apart);
    tcase_add_test(tcase, names_find_files_as_people_have_them);
    tcase_add_test(tcase, the_better_of_two_wins_in_either_order);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
