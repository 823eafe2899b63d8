/* Doors for measuring: timers finer than epoll's milliseconds, and the processors that a process may run on, which Glibc's module hides
   because it is built without _GNU_SOURCE. */
#pragma once
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static inline int64_t kb_clock_nanoseconds(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
static inline int kb_timer(void) { return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK); }
/* Rings at `first`, in monotonic nanoseconds, and from then on every `every`; 0 and 0 end that. */
static inline int kb_timer_set(int timer, int64_t first, int64_t every) {
  struct itimerspec times = {{every / 1000000000, every % 1000000000}, {first / 1000000000, first % 1000000000}};
  return timerfd_settime(timer, TFD_TIMER_ABSTIME, &times, 0);
}
/* A bit for each of 1,024 processors: those that the calling thread, and whatever it starts from now on, may run on. */
static inline int kb_affinity(uint64_t *words) { return syscall(SYS_sched_getaffinity, 0, 128, words) > 0 ? 0 : -1; }
static inline int kb_set_affinity(const uint64_t *words) { return (int)syscall(SYS_sched_setaffinity, 0, 128, words); }
/* <sys/resource.h> is Glibc's: included here, its names would belong to this module as well. */
extern int kb_setpriority(int, unsigned, int) __asm__("setpriority");
static inline int kb_set_priority(int nice) { return kb_setpriority(0, 0, nice); }
