"""What can be counted instead of timed: calls of malloc by a preloaded library, instructions by callgrind, system calls by strace."""

import contextlib
import glob
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import time

import harness
from harness import Proxy, Unavailable, end, eventually, spawn, temporary_folder, tool

COUNTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static unsigned long *count;
static void *(*next_malloc)(size_t), *(*next_calloc)(size_t, size_t), *(*next_realloc)(void *, size_t), *(*next_aligned)(size_t, size_t);
static int (*next_memalign)(void **, size_t, size_t);
static char early[65536];
static size_t used;

__attribute__((constructor)) static void begin(void) {
  int fd = open(getenv("COUNT_FILE"), O_RDWR);
  void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page != MAP_FAILED) count = page;
  close(fd);
}
/* All calls in the first number; those of the threads that requests pass through in the second. */
static void add(void) {
  static __thread int path;
  if (!count) return;
  __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
  if (!path) {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    /* A thread has its name only when it has begun. */
    if (!strncmp(name, "kb-", 3)) path = !strncmp(name, "kb-worker", 9) || !strncmp(name, "kb-access", 9) ? 1 : 2;
  }
  if (path == 1) __atomic_add_fetch(count + 1, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
  if (!next_malloc) next_malloc = dlsym(RTLD_NEXT, "malloc");
  add();
  return next_malloc(size);
}
void *calloc(size_t number, size_t size) {
  static int asking;
  if (!next_calloc) {
    if (asking) { void *room = early + used; used += (number * size + 15) & ~15ul; return room; }
    asking = 1;
    next_calloc = dlsym(RTLD_NEXT, "calloc");
  }
  add();
  return next_calloc(number, size);
}
void *realloc(void *old, size_t size) {
  if (!next_realloc) next_realloc = dlsym(RTLD_NEXT, "realloc");
  add();
  return next_realloc(old, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  if (!next_aligned) next_aligned = dlsym(RTLD_NEXT, "aligned_alloc");
  add();
  return next_aligned(alignment, size);
}
int posix_memalign(void **place, size_t alignment, size_t size) {
  if (!next_memalign) next_memalign = dlsym(RTLD_NEXT, "posix_memalign");
  add();
  return next_memalign(place, alignment, size);
}
"""


# MARK: - Calls of malloc

def compiled():
    """The library that counts."""
    compiler = next(filter(shutil.which, ("cc", "clang", "gcc")), None)
    if not compiler:
        raise Unavailable("there is no C compiler")
    source, library = (os.path.join(temporary_folder(), name) for name in ("count.c", "count.so"))
    with open(source, "w") as file:
        file.write(COUNTER)
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@contextlib.contextmanager
def counting_allocations(library, state, **options):
    """A proxy, and a function that tells how often malloc and its kin have been called by now: by any thread, and by workers and the log's."""
    counter = os.path.join(temporary_folder(), f"count-{time.monotonic_ns()}")
    with open(counter, "wb") as file:
        file.write(bytes(4096))

    def allocations():
        with open(counter, "rb") as file:
            return struct.unpack("<QQ", file.read(16))

    with Proxy(state, environment={"LD_PRELOAD": library, "COUNT_FILE": counter}, **options) as proxy:
        yield proxy, allocations


# MARK: - Instructions

@contextlib.contextmanager
def under_callgrind(state, **options):
    """A proxy whose instructions are counted, and the folder that callgrind writes its counts into."""
    folder = temporary_folder()
    wrapper = os.path.join(folder, "callgrind-keybearer")
    with open(wrapper, "w") as file:
        file.write(f'#!/bin/sh\nexec valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file={folder}/callgrind.%p "{harness.BINARY}" "$@"\n')
    os.chmod(wrapper, stat.S_IRWXU)
    real, harness.BINARY = harness.BINARY, wrapper
    try:
        proxy = Proxy(state, within=120, **options)
    finally:
        harness.BINARY = real
    with proxy:
        yield proxy, folder


class Profile:
    """A file of callgrind's: what functions and the files of their code cost by themselves, and what each call from one to another cost in all."""

    def __init__(self, text):
        self.own, self.objects, self.calls = {}, {}, {}
        names = {}

        def name(value):
            number, _, rest = value.partition(" ")
            if rest:
                names[number] = rest
            return names.get(number, number)

        function = callee = place = None
        for line in text.splitlines():
            if line.startswith("fn="):
                function = name(line[3:])
            elif line.startswith("cfn="):
                callee = name(line[4:])
            elif line.startswith("ob="):
                place = name("ob" + line[3:])
            elif line.startswith("cob="):
                name("ob" + line[4:])
            elif re.match(r"c?f[ile]=", line):
                continue
            elif line.startswith("calls="):
                pass
            elif re.match(r"[+\-*\d]", line):
                cost = int(line.split()[1]) if len(line.split()) > 1 else 0
                if callee:
                    key = (function, callee)
                    self.calls[key] = self.calls.get(key, 0) + cost
                    callee = None
                else:
                    self.own[function] = self.own.get(function, 0) + cost
                    self.objects[place] = self.objects.get(place, 0) + cost
        self.total = sum(self.own.values())

    def of(self, path):
        """What the code of one file came to: an executable or a library."""
        return sum(cost for place, cost in self.objects.items() if place and os.path.basename(place) == os.path.basename(path))


def profile_of(proxy, folder, number):
    """What the worker's thread did since the last time that was asked; `number` is 1 the first time, and one more each time."""
    subprocess.run(["callgrind_control", "--dump", str(proxy.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    # A file a thread, and one for all, which is written last.
    last = f"{folder}/callgrind.{proxy.pid}.{number}"
    eventually(lambda: os.path.exists(last) or len(glob.glob(f"{last}-*")) > 3, within=60)
    time.sleep(0.5)
    texts = (open(path).read() for path in glob.glob(f"{last}-*"))
    # The thread that made the server knows some of the worker's functions, too, and does next to nothing.
    return max((Profile(text) for text in texts if "5Proxy6WorkerV" in text), key=lambda profile: profile.total, default=None)


# MARK: - Processor time

def processor_time(pid):
    """Nanoseconds, of all threads; /proc's other figures are hundredths of a second."""
    return sum(int(open(f"/proc/{pid}/task/{task}/schedstat").read().split()[0]) for task in os.listdir(f"/proc/{pid}/task"))


# MARK: - System calls

@contextlib.contextmanager
def counting_system_calls(proxy):
    """A dictionary that is filled at the end of the block: calls by name, of all threads. The proxy has to allow it (KEYBEARER_DEBUG=1)."""
    summary, calls = os.path.join(temporary_folder(), "summary"), {}
    tracer = spawn([tool("strace"), "-f", "-qq", "-c", "-U", "calls,name", "-o", summary, "-p", str(proxy.pid)], stderr=subprocess.DEVNULL)
    eventually(lambda: "TracerPid:\t0\n" not in open(f"/proc/{proxy.pid}/status").read())
    time.sleep(0.2)
    yield calls
    end(tracer, signal.SIGINT)
    found = re.findall(r"^ *(\d+) +(\w+)$", open(summary).read(), re.M)
    calls.update(sorted(((name, int(number)) for number, name in found if name != "total"), key=lambda call: -call[1]))
