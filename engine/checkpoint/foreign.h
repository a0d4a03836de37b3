/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are not checkpoints: what they are, and what to take instead. */
#pragma once

#include <stdbool.h>

#include <glib.h>

#include "checkpoint/source.h"
#include "checkpoint/span.h"

/* Refuses @file, which no reader knows, with what it looks like. @head: its first bytes,
 * some hundreds if it has so many; @path: its name, whose ending tells what bytes do
 * not. */
bool vfi_refuse_foreign(const VfiSource *file, VfiSpan head, const char *path,
                        GError **error);

/* Whether @head, the beginning of a file or the @whole of it, is what downloads and
 * clones leave in place of the file: a Git LFS pointer, a web page, a server's
 * message. */
bool vfi_is_stand_in(VfiSpan head, bool whole);

/* The name of the member @index of an archive. */
typedef VfiSpan (*VfiMemberName)(const void *archive, size_t index);

/* Refuses an archive of @kind ("a zip archive"), which is not a checkpoint but may hold
 * one, with the name of that. */
bool vfi_refuse_archive(const char *kind, const void *archive, size_t n_members,
                        VfiMemberName member, GError **error);
