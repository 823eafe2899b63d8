/* Doors to what Swift cannot see of the file API: variadic functions, names that are both a struct and a function, and what
   Glibc's module hides because it is built without _GNU_SOURCE. */
#pragma once
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Thread-safe, unlike strerror; glibc 2.32 and later. Null for a number it does not know. */
extern const char *kb_error_text(int) __asm__("strerrordesc_np");

static inline int kb_openat(int directory, const char *path, int flags, mode_t mode) {
  return openat(directory, path, flags, mode);
}

/* O_PATH is hidden; its number (include/uapi/asm-generic/fcntl.h) is the same on every architecture that Swift supports on Linux. */
enum { KB_OPEN_PATH = 010000000 };
/* O_TMPFILE likewise: a file without a name, gone with its descriptor. */
enum { KB_OPEN_UNNAMED = 020000000 | O_DIRECTORY };

/* Opens a directory that is no link, for lookups alone. */
static inline int kb_open_for_lookup(int directory, const char *name) {
  return openat(directory, name, KB_OPEN_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The same of a whole path, on which nothing may be a link: ELOOP where something is one (openat2(2), Linux 5.6). */
static inline int kb_open_for_lookup_without_links(const char *path) {
  struct open_how how = {.flags = KB_OPEN_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* Opens whatever the path leads to, without reading it: for questions about it. */
static inline int kb_open_following(const char *path) { return open(path, KB_OPEN_PATH | O_CLOEXEC); }

/* renameat2 with RENAME_NOREPLACE; glibc declares both for _GNU_SOURCE only. */
static inline int kb_rename_unless_taken(int directory, const char *name, const char *new_name) {
  return (int)syscall(SYS_renameat2, directory, name, directory, new_name, 1u);
}

static inline int kb_flock(int descriptor, int operation) { return flock(descriptor, operation); }

/* The file system's magic number (statfs(2)); 0 when it cannot be told. */
static inline uint64_t kb_file_system_kind(int descriptor) {
  struct statfs info;
  return fstatfs(descriptor, &info) == 0 ? (uint64_t)(uint32_t)info.f_type : 0;
}

static inline int kb_inotify_init(void) { return inotify_init1(IN_NONBLOCK | IN_CLOEXEC); }

/* What changes a directory's names or a named file's content. */
static inline int kb_inotify_watch_directory(int descriptor, const char *path) {
  return inotify_add_watch(descriptor, path,
                           IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |
                               IN_MOVE_SELF | IN_ONLYDIR);
}

static inline int kb_inotify_unwatch(int descriptor, int watch) { return inotify_rm_watch(descriptor, watch); }
