/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model_name.h"

#include <string.h>

/* The name of the file in RIFE's own releases. */
#define RIFE_FILE "flownet"

static const char *const light_words[] = {"lite", NULL};
static const char *const heavy_words[] = {"heavy", "large", NULL};

/* Cuts @stem into runs of letters and numbers; a dot between digits belongs to the
 * number. */
static char **cut(const char *stem)
{
    g_autoptr(GStrvBuilder) tokens = g_strv_builder_new();
    g_autofree char *text = g_ascii_strdown(stem, -1);

    for (const char *p = text; *p != '\0';) {
        const char *start = p;
        if (g_ascii_isdigit(*p)) {
            while (g_ascii_isdigit(*p) || (*p == '.' && g_ascii_isdigit(p[1])))
                p++;
        } else {
            while (*p != '\0' && (g_ascii_isalpha(*p) || (guchar)*p >= 0x80))
                p++;
        }
        if (p == start) { /* a separator */
            p++;
            continue;
        }
        g_autofree char *token = g_strndup(start, (gsize)(p - start));
        bool has_v = g_ascii_isdigit(*p) &&
                     (strcmp(token, "rifev") == 0 || strcmp(token, RIFE_FILE "v") == 0);
        if (has_v) /* "RIFEv4.26" */
            token[p - start - 1] = '\0';
        g_strv_builder_add(tokens, token);
        if (has_v)
            g_strv_builder_add(tokens, "v");
    }
    return g_strv_builder_end(tokens);
}

static bool is_number(const char *token)
{
    return g_ascii_isdigit(token[0]);
}

static bool is_rife(const char *token)
{
    return strcmp(token, "rife") == 0 || strcmp(token, RIFE_FILE) == 0;
}

/* "4.26" → 4, 26. After RIFE's name "47" and "426" are 4.7 and 4.26. */
static void take_version(VfiModelName *name, const char *token, bool of_rife)
{
    size_t length = strlen(token);
    char *end;

    if (of_rife && strchr(token, '.') == NULL && (length == 2 || length == 3)) {
        name->version[0] = (guint64)(token[0] - '0');
        name->version[1] = g_ascii_strtoull(token + 1, NULL, 10);
        name->n_version = 2;
        return;
    }
    for (const char *p = token; name->n_version < VFI_MAX_VERSION_PARTS; p = end + 1) {
        name->version[name->n_version++] = g_ascii_strtoull(p, &end, 10);
        if (*end != '.')
            return;
    }
}

/* Whether token @i is the version: a number after the first word, RIFE's name, or "v". */
static bool is_version(char **tokens, guint i)
{
    if (!is_number(tokens[i]) || i == 0 || is_number(tokens[i - 1]))
        return false;
    return i == 1 || strcmp(tokens[i - 1], "v") == 0 || is_rife(tokens[i - 1]);
}

VfiModelName vfi_model_name_parse(const char *stem)
{
    g_auto(GStrv) tokens = cut(stem);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    VfiModelName name = {.n_version = 0};

    for (guint i = 0; tokens[i] != NULL; i++) {
        bool is_v = strcmp(tokens[i], "v") == 0 && tokens[i + 1] != NULL &&
                    is_number(tokens[i + 1]);
        if (name.n_version == 0 && is_version(tokens, i)) {
            guint before = i - 1;
            if (strcmp(tokens[before], "v") == 0 && before > 0)
                before--;
            take_version(&name, tokens[i], is_rife(tokens[before]));
        } else if (g_strv_contains(light_words, tokens[i])) {
            name.is_lite = true;
        } else if (g_strv_contains(heavy_words, tokens[i])) {
            name.is_heavy = true;
        } else if (!is_v) {
            g_strv_builder_add(words, tokens[i]);
        }
    }
    name.words = g_strv_builder_end(words);
    return name;
}

void vfi_model_name_clear(VfiModelName *name)
{
    g_clear_pointer(&name->words, g_strfreev);
}

static bool words_are_at(char **words, char **wanted, guint position)
{
    for (guint i = 0; wanted[i] != NULL; i++)
        if (strcmp(words[position + i], wanted[i]) != 0)
            return false;
    return true;
}

/* Looks for @asked's words, one after the other, among @file's. */
static bool find_words(const VfiModelName *asked, const VfiModelName *file,
                       VfiNameMatch *match)
{
    guint n = g_strv_length(file->words), n_asked = g_strv_length(asked->words);

    if (n_asked == 0)
        return false;
    for (guint position = 0; position + n_asked <= n; position++) {
        if (!words_are_at(file->words, asked->words, position))
            continue;
        match->begins = position == 0;
        match->n_extra = n - n_asked;
        return true;
    }
    match->n_extra = n;
    return n_asked == 1 && strcmp(asked->words[0], "rife") == 0 && n > 0 &&
           strcmp(file->words[0], RIFE_FILE) == 0;
}

/* Whether the version asked for is @file's or its beginning: "4" is any 4.x, "4.2" not
 * 4.26. */
static bool version_fits(const VfiModelName *asked, const VfiModelName *file)
{
    if (asked->n_version > 0 && file->n_version == 0)
        return false;
    for (int i = 0; i < asked->n_version; i++)
        if (asked->version[i] != file->version[i]) /* parts that are not there are 0 */
            return false;
    return true;
}

static bool size_fits(const VfiModelName *asked, const VfiModelName *file)
{
    bool any = asked->n_version == 0 && !asked->is_lite && !asked->is_heavy;

    return any || (asked->is_lite == file->is_lite && asked->is_heavy == file->is_heavy);
}

static int exactness(const char *asked, const char *file, const char *stem)
{
    if (strcmp(file, asked) == 0)
        return 3;
    if (strcmp(stem, asked) == 0)
        return 2;
    return g_ascii_strcasecmp(file, asked) == 0 || g_ascii_strcasecmp(stem, asked) == 0;
}

VfiNameMatch vfi_model_name_match(const char *asked, const char *file, const char *stem,
                                  bool by_version)
{
    VfiModelName wanted = vfi_model_name_parse(asked), found = vfi_model_name_parse(stem);
    VfiNameMatch match = {
        .exactness = by_version ? 0 : exactness(asked, file, stem),
        .is_plain =
            wanted.is_lite || wanted.is_heavy || (!found.is_lite && !found.is_heavy),
        .is_light = !found.is_heavy,
        .n_version = found.n_version,
    };

    memcpy(match.version, found.version, sizeof match.version);
    match.matches = (find_words(&wanted, &found, &match) &&
                     version_fits(&wanted, &found) && size_fits(&wanted, &found)) ||
                    match.exactness > 0;
    vfi_model_name_clear(&wanted);
    vfi_model_name_clear(&found);
    return match;
}

static int compare_versions(const VfiNameMatch *a, const VfiNameMatch *b)
{
    if ((a->n_version == 0) != (b->n_version == 0))
        return a->n_version == 0 ? -1 : 1;
    for (int i = 0; i < VFI_MAX_VERSION_PARTS; i++)
        if (a->version[i] != b->version[i])
            return a->version[i] < b->version[i] ? -1 : 1;
    return 0;
}

int vfi_name_match_compare(const VfiNameMatch *a, const VfiNameMatch *b)
{
    if (a->exactness != b->exactness)
        return a->exactness - b->exactness;
    if (a->is_plain != b->is_plain)
        return a->is_plain - b->is_plain;
    if (a->is_light != b->is_light)
        return a->is_light - b->is_light;
    int order = compare_versions(a, b);
    if (order != 0)
        return order;
    if (a->begins != b->begins)
        return a->begins - b->begins;
    return (int)b->n_extra - (int)a->n_extra;
}
