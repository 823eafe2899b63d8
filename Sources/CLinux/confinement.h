/* Doors to what a process can take from itself: access to files (landlock(7), Linux 5.13). The numbers are the kernel's and the same on
   all architectures; older headers do not have them. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  KB_LANDLOCK_EXECUTE = 1 << 0,
  KB_LANDLOCK_WRITE_FILE = 1 << 1,
  KB_LANDLOCK_REMOVE_DIR = 1 << 4,
  KB_LANDLOCK_REMOVE_FILE = 1 << 5,
  KB_LANDLOCK_MAKE_CHAR = 1 << 6,
  KB_LANDLOCK_MAKE_DIR = 1 << 7,
  KB_LANDLOCK_MAKE_REG = 1 << 8,
  KB_LANDLOCK_MAKE_SOCK = 1 << 9,
  KB_LANDLOCK_MAKE_FIFO = 1 << 10,
  KB_LANDLOCK_MAKE_BLOCK = 1 << 11,
  KB_LANDLOCK_MAKE_SYM = 1 << 12,
};

/* struct landlock_ruleset_attr as the first version has it: a kernel takes every size that it knows. */
struct kb_landlock_ruleset {
  uint64_t handled_access_fs;
};
/* struct landlock_path_beneath_attr */
struct kb_landlock_path {
  uint64_t allowed_access;
  int32_t parent;
} __attribute__((packed));
_Static_assert(sizeof(struct kb_landlock_ruleset) == 8, "landlock_ruleset_attr, version 1");
_Static_assert(sizeof(struct kb_landlock_path) == 12, "landlock_path_beneath_attr");

/* A set of rules that takes `handled` from the process, but for what rules give; -1 with errno where the kernel has no Landlock. */
static inline int kb_landlock_create(uint64_t handled) {
  struct kb_landlock_ruleset rules = {handled};
  return (int)syscall(444, &rules, sizeof rules, 0u);
}

/* Gives `access` below the directory at `path`. */
static inline int kb_landlock_allow(int rules, const char *path, uint64_t access) {
  struct kb_landlock_path rule = {access, -1};
  rule.parent = open(path, 010000000 /* O_PATH */ | O_DIRECTORY | O_CLOEXEC);
  if (rule.parent < 0) return -1;
  int result = (int)syscall(445, rules, 1, &rule, 0u);
  int code = errno;
  close(rule.parent);
  errno = code;
  return result;
}

/* For the calling thread and those that it starts, for good; no_new_privs has to be set. */
static inline int kb_landlock_restrict(int rules) { return (int)syscall(446, rules, 0u); }
