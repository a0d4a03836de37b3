/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deterministic_weights.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <vfi/error.h>

static guint64 fnv1a(const char *text)
{
    guint64 hash = G_GUINT64_CONSTANT(0xcbf29ce484222325);

    for (; *text != '\0'; text++)
        hash = (hash ^ (guint8)*text) * G_GUINT64_CONSTANT(0x100000001b3);
    return hash;
}

static guint64 splitmix64(guint64 x)
{
    x += G_GUINT64_CONSTANT(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * G_GUINT64_CONSTANT(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * G_GUINT64_CONSTANT(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* Uniform in [-1, 1), exact in f32. */
static float uniform(guint64 hash, guint64 index)
{
    return (float)((double)(splitmix64(hash + index) >> 40) / 8388608.0 - 1.0);
}

/* The value of @kind made from the uniform @r. @gain is that of a weight. */
static float shape_value(StateKind kind, float r, float gain)
{
    switch (kind) {
    case STATE_PRELU:
        return 0.25f + 0.125f * r;
    case STATE_BETA:
        return 0.5f + 0.25f * r;
    case STATE_BIAS:
        return 0.125f * r;
    case STATE_NORM:
        return 1.0f + 0.125f * r;
    case STATE_VARIANCE:
        return 1.0f + 0.5f * fabsf(r);
    case STATE_WEIGHT:
        break;
    }
    return r * gain;
}

static float weight_gain(guint64 n_elements, guint64 first_dimension)
{
    return (float)sqrt(3.0 * (double)first_dimension / (double)n_elements);
}

float deterministic_value(const char *key, StateKind kind, guint64 index,
                          guint64 n_elements, guint64 first_dimension)
{
    return shape_value(kind, uniform(fnv1a(key), index),
                       weight_gain(n_elements, first_dimension));
}

/* The JSON header: every tensor f32, one after the other. */
static GString *make_header(const GArray *entries)
{
    GString *json = g_string_new("{");
    guint64 offset = 0;

    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        guint64 bytes = state_entry_elements(entry) * sizeof(float);
        g_string_append_printf(json, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                               i == 0 ? "" : ",", entry->key);
        for (int d = 0; d < entry->n_dims; d++)
            g_string_append_printf(json, "%s%d", d == 0 ? "" : ",", entry->shape[d]);
        g_string_append_printf(
            json, "],\"data_offsets\":[%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "]}",
            offset, offset + bytes);
        offset += bytes;
    }
    g_string_append_c(json, '}');
    while (json->len % 8 != 0)
        g_string_append_c(json, ' ');
    return json;
}

float *deterministic_values(const StateEntry *entry)
{
    guint64 n = state_entry_elements(entry);
    guint64 hash = fnv1a(entry->seed[0] != '\0' ? entry->seed : entry->key);
    float gain = weight_gain(n, (guint64)entry->shape[0]);
    float *values = g_new(float, n);

    for (guint64 i = 0; i < n; i++)
        values[i] = shape_value(entry->kind, uniform(hash, i), gain);
    return values;
}

static gboolean write_values(FILE *file, const StateEntry *entry)
{
    guint64 n = state_entry_elements(entry);
    g_autofree float *values = deterministic_values(entry);

    return n == 0 || fwrite(values, sizeof(float), n, file) == n;
}

static gboolean write_checkpoint(FILE *file, const GArray *entries)
{
    g_autoptr(GString) header = make_header(entries);
    guint64 size = GUINT64_TO_LE((guint64)header->len);
    gboolean written = fwrite(&size, sizeof(size), 1, file) == 1 &&
                       fwrite(header->str, 1, header->len, file) == header->len;

    for (guint i = 0; written && i < entries->len; i++)
        written = write_values(file, &g_array_index(entries, StateEntry, i));
    return written;
}

char *deterministic_file(const GArray *entries, GError **error)
{
    g_autofree char *path = NULL;
    int descriptor = g_file_open_tmp("vfi-XXXXXX.safetensors", &path, error);

    if (descriptor < 0)
        return NULL;
    FILE *file = fdopen(descriptor, "wb");
    gboolean written = file != NULL && write_checkpoint(file, entries);
    if (file != NULL)
        written = fclose(file) == 0 && written;
    if (!written) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_IO, "cannot write %s", path);
        g_unlink(path);
        return NULL;
    }
    return g_steal_pointer(&path);
}

char *deterministic_checkpoint(const char *family, GError **error)
{
    g_autoptr(GArray) entries = state_dict_of(family);

    if (entries == NULL) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_NOT_FOUND,
                    "family \"%s\" is not built yet", family);
        return NULL;
    }
    return deterministic_file(entries, error);
}
