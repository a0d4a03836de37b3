/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders of the test's making that stand for /proc or /sys/fs/cgroup. */
#pragma once

/* Writes a file of @root by its relative path, and the folders above it. */
void folder_write(const char *root, const char *path, const char *text);

/* Removes a file, or a folder with all that is in it. */
void folder_remove(const char *path);
