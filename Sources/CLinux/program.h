/* Doors to what malloc holds free, and to what the process has mapped of its executable and of libraries; <link.h> shows the call to _GNU_SOURCE
   only, which Glibc's module is built without. */
#pragma once
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first members of glibc's struct dl_phdr_info: dl_iterate_phdr(3). */
struct kb_object {
  ElfW(Addr) address;
  const char *name;
  const ElfW(Phdr) *headers;
  ElfW(Half) count;
};
extern int kb_each_object(int (*visit)(struct kb_object *, size_t, void *), void *context) __asm__("dl_iterate_phdr");

/* Whether the loader has written into segments that are not writable: their pages are not those of the file. */
static inline int kb_has_text_relocations(const struct kb_object *object) {
  for (int i = 0; i < object->count; i++) {
    const ElfW(Phdr) *header = &object->headers[i];
    if (header->p_type != PT_DYNAMIC) continue;
    for (const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(object->address + header->p_vaddr); entry->d_tag != DT_NULL; entry++)
      if (entry->d_tag == DT_TEXTREL || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL))) return 1;
  }
  return 0;
}
static inline int kb_release_object(struct kb_object *object, size_t size, void *context) {
  (void)size;
  if (kb_has_text_relocations(object)) return 0;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < object->count; i++) {
    const ElfW(Phdr) *header = &object->headers[i];
    if (header->p_type != PT_LOAD || (header->p_flags & PF_W)) continue;
    uintptr_t from = (object->address + header->p_vaddr) & ~(page - 1);
    uintptr_t to = (object->address + header->p_vaddr + header->p_memsz + page - 1) & ~(page - 1);
    if (madvise((void *)from, to - from, MADV_DONTNEED) == 0) *(size_t *)context += to - from;
  }
  return 0;
}
/* Whether a debugger is attached: its breakpoints are written into code (proc_pid_status(5)). */
static inline int kb_is_traced(void) {
  char text[2048];
  int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  text[size > 0 ? size : 0] = 0;
  const char *tracer = strstr(text, "TracerPid:");
  return tracer && atoi(tracer + strlen("TracerPid:")) != 0;
}
/* Gives back every page that is a file's, as it stands there: code and constants. Answers how many bytes of them are mapped. */
static inline size_t kb_release_program(void) {
  size_t released = 0;
  kb_each_object(kb_release_object, &released);
  return released;
}
/* Gives back every page of malloc's that nothing is in. */
static inline void kb_release_heap(void) { malloc_trim(0); }
