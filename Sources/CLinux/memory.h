/* A door to giving back what a start has touched and nothing touches again. */
#pragma once
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Code of the executable and its libraries is mapped no more; what is used of it comes back out of the page cache. Only what may be executed is
   code as it is in the file: other parts have been relocated, and have no file behind them. */
static inline void kb_forget_code(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps) return;
  char line[4352];
  while (fgets(line, sizeof line, maps)) {
    unsigned long begin, end;
    char access[5];
    if (sscanf(line, "%lx-%lx %4s", &begin, &end, access) == 3 && strcmp(access, "r-xp") == 0 && strchr(line, '/'))
      madvise((void *)begin, end - begin, 4 /* MADV_DONTNEED */);
  }
  fclose(maps);
}
