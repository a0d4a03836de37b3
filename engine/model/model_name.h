/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the names of model files say, and which file a name that is asked for means. Pure
 * functions; docs/models.md has the rule in words. */
#pragma once

#include <stdbool.h>

#include <glib.h>

/* "4.26" has two parts. */
#define VFI_MAX_VERSION_PARTS 4

/* A name taken apart. */
typedef struct {
    /* Lower case, NULL-terminated; digits that are no version are a word. */
    char **words;
    guint64 version[VFI_MAX_VERSION_PARTS];
    int n_version; /* parts; 0: none */
    bool is_lite, is_heavy;
} VfiModelName;

/* @stem: a file's name without extension, a folder's name, or what was asked for. */
VfiModelName vfi_model_name_parse(const char *stem);
void vfi_model_name_clear(VfiModelName *name);

/* How well a file's name matches what was asked for; the greater of two is the better
 * one. */
typedef struct {
    bool matches;
    /* 3: the file name; 2: without extension; 1: one of these but for case; 0: less. */
    int exactness;
    bool is_plain; /* neither lite nor heavy, unless that was asked for */
    bool is_light; /* not heavy */
    guint64 version[VFI_MAX_VERSION_PARTS];
    int n_version;
    bool begins;   /* with the words asked for */
    guint n_extra; /* words that were not asked for */
} VfiNameMatch;

/* @file: a file's name, @stem: the same without its extension. With @by_version only
 * versions decide: @asked is not taken for the name of a file. */
VfiNameMatch vfi_model_name_match(const char *asked, const char *file, const char *stem,
                                  bool by_version);

/* Below, at or above 0: @a is worse, as good, or better than @b; both match. */
int vfi_name_match_compare(const VfiNameMatch *a, const VfiNameMatch *b);
