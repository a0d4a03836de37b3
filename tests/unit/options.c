/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options of models: values of one type as another, ranges, what errors say. */
#include "check_main.h"

#include <vfi/error.h>

#include "model/options.h"

static const VfiOptionSpec table[] = {
    {"count", "u", 3, 1000, "10", "a number of 32 bits", FALSE},
    {"seed", "t", 0, 0x1p64, "0", "one of 64 bits", FALSE},
    {"part", "d", 0.05, 1, "0.5", "one that need not be whole", FALSE},
    {"mode", "s", 0, 0, "auto|fast", "a choice", FALSE},
    {"on", "b", 0, 0, "false", "yes or no", FALSE},
};

static bool check(const VfiModelSetup *setup, GError **error)
{
    unsigned count = vfi_setup_uint(setup, "count");

    if (count != 2 && !(count == 7 && setup->variant == 1))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT,
                "model option count=%u: the third is the first of its kind", count);
    return false;
}

static const VfiModelFamily family = {
    .name = "family", .options = table, .n_options = G_N_ELEMENTS(table), .check = check};

static GHashTable *resolve(int variant, const char *text, GError **error)
{
    g_autoptr(GVariant) options =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

    ck_assert_msg(options != NULL, "%s", text);
    return vfi_options_resolve(&family, variant, options, error);
}

START_TEST(numbers_become_the_options_types)
{
    static const struct {
        const char *given;
        unsigned count;
        uint64_t seed;
        double part;
    } cases[] = {
        {"{}", 10, 0, 0.5},
        {"{'count': <3>, 'seed': <7>, 'part': <1>}", 3, 7, 1.0},
        {"{'count': <uint64 1000>, 'seed': <uint32 7>, 'part': <uint32 1>}", 1000, 7, 1},
        {"{'count': <4.0>, 'seed': <7.0>, 'part': <0.05>}", 4, 7, 0.05},
        {"{'seed': <uint64 18446744073709551615>}", 10, UINT64_MAX, 0.5},
        {"{'seed': <uint64 9007199254740993>}", 10, UINT64_C(9007199254740993), 0.5},
        {"{'seed': <int64 9223372036854775807>}", 10, INT64_MAX, 0.5},
        {"{'seed': <9007199254740992.0>}", 10, UINT64_C(1) << 53, 0.5},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) values = resolve(0, cases[_i].given, &error);
    VfiModelSetup setup = {.options = values};

    ck_assert_msg(values != NULL, "%s", error != NULL ? error->message : "no reason");
    ck_assert_uint_eq(vfi_setup_uint(&setup, "count"), cases[_i].count);
    ck_assert_uint_eq(vfi_setup_uint64(&setup, "seed"), cases[_i].seed);
    ck_assert_double_eq(vfi_setup_double(&setup, "part"), cases[_i].part);
}
END_TEST

START_TEST(errors_name_what_was_given_and_what_is_right)
{
    static const struct {
        const char *given, *parts[2];
    } cases[] = {
        {"{'count': <1001>}", {"count=1001 is out", "a whole number from 3 to 1000"}},
        {"{'count': <1>}", {"count=1 is out", "from 3 to 1000"}},
        {"{'count': <-4>}", {"count=-4 is out", "from 3 to 1000"}},
        {"{'count': <4.5>}", {"count=4.5 is out", "a whole number"}},
        {"{'count': <uint64 4294967299>}", {"count=4294967299 is out", "3 to 1000"}},
        {"{'seed': <-1>}", {"seed=-1 is out", "0 to 2^64 - 1"}},
        {"{'seed': <int64 -1>}", {"seed=-1 is out", "a whole number from 0"}},
        {"{'seed': <0.5>}", {"seed=0.5 is out", "a whole number"}},
        {"{'seed': <18446744073709551616.0>}", {"is out", "2^64 - 1"}},
        {"{'seed': <9007199254740994.0>}", {"is out", "a whole number"}},
        {"{'seed': <'7'>}", {"seed='7' is of a wrong type", "a whole number"}},
        {"{'part': <0.04>}", {"part=0.04", "a number from 0.05 to 1;"}},
        {"{'part': <2>}", {"part=2", "a number from 0.05 to 1;"}},
        {"{'part': <nan>}", {"part=nan", "a number from 0.05 to 1;"}},
        {"{'part': <true>}", {"part=true is of a wrong type", "a number from"}},
        {"{'mode': <'slow'>}", {"mode='slow'", "one of auto|fast"}},
        {"{'on': <1>}", {"on=1 is of a wrong type", "true or false"}},
        {"{'no': <1>}", {"no=1 does not exist", "seed (0 to 2^64 - 1, default 0)"}},
        {"{'count': <2>}", {"count=2", "the third is the first of its kind"}},
    };
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(resolve(0, cases[_i].given, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    for (int i = 0; i < 2; i++)
        ck_assert_msg(strstr(error->message, cases[_i].parts[i]) != NULL, "%s: %s",
                      cases[_i].given, error->message);
}
END_TEST

START_TEST(a_family_judges_for_the_variant)
{
    g_autoptr(GHashTable) first = resolve(0, "{'count': <7>}", NULL);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(resolve(1, "{'count': <7>}", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "count=7"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, numbers_become_the_options_types, 0, 8);
    tcase_add_loop_test(tcase, errors_name_what_was_given_and_what_is_right, 0, 19);
    tcase_add_test(tcase, a_family_judges_for_the_variant);
    return check_main(suite);
}
