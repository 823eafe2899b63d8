/* Doors to what Swift cannot see of the socket API: macros, variadic functions, and what Glibc's module hides because it
   is built without _GNU_SOURCE. (Defining that here would give fd_set and others a second, different shape.) */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* accept4 is hidden by Glibc's module, so it is declared again under another name. */
extern int kb_accept4(int, void *, void *, int) __asm__("accept4");

static inline int kb_errno(void) { return errno; }

static inline int kb_epoll_set(int epoll, int operation, int fd, uint32_t events) {
  struct epoll_event event;
  event.events = events;
  event.data.u64 = (uint64_t)(uint32_t)fd;
  return epoll_ctl(epoll, operation, fd, &event);
}
static inline int kb_event_fd(const struct epoll_event *event) { return (int)event->data.u64; }
static inline uint32_t kb_event_mask(const struct epoll_event *event) { return event->events; }

static inline int kb_stream_socket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }
static inline int kb_bind(int fd, const struct sockaddr_storage *address, socklen_t size) {
  return bind(fd, (const struct sockaddr *)address, size);
}
static inline int kb_connect(int fd, const struct sockaddr_storage *address, socklen_t size) {
  return connect(fd, (const struct sockaddr *)address, size);
}
static inline int kb_local_address(int fd, struct sockaddr_storage *address, socklen_t *size) {
  return getsockname(fd, (struct sockaddr *)address, size);
}
static inline int kb_option(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value); }
static inline int kb_pending_error(int fd) {
  int code = 0;
  socklen_t size = sizeof code;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}
static inline int kb_accept(int fd) { return kb_accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC); }
static inline ssize_t kb_send(int fd, const void *bytes, size_t count) { return send(fd, bytes, count, MSG_NOSIGNAL); }
/* A reset instead of an orderly end: the peer must not mistake a truncated message for a whole one. */
static inline int kb_reset_on_close(int fd) {
  struct linger linger = {1, 0};
  return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}
static inline int64_t kb_clock_milliseconds(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
static inline int64_t kb_clock_microseconds(int clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
/* One datagram to a service manager's socket; `@` begins an abstract name (unix(7)). */
static inline int kb_notify(const char *name, size_t length, const void *bytes, size_t count) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (length >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, name, length);
  int isAbstract = name[0] == '@';
  if (isAbstract) address.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (isAbstract ? 0 : 1));
  ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
  close(fd);
  return sent == (ssize_t)count ? 0 : -1;
}
/* Makes a socket that was handed over ours: closed on exec, non-blocking. -1 when it is no listening stream socket. */
static inline int kb_take_listener(int fd) {
  int kind = 0, accepts = 0;
  socklen_t size = sizeof kind;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) < 0) return -1;
  size = sizeof accepts;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) < 0) return -1;
  if (kind != SOCK_STREAM || !accepts) {
    errno = EINVAL;
    return -1;
  }
  int flags = fcntl(fd, F_GETFL);
  return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -1 : 0;
}
/* Hidden without _GNU_SOURCE, like accept4. */
extern int kb_setname(unsigned long, const char *) __asm__("pthread_setname_np");
static inline int kb_name_thread(const char *name) { return kb_setname((unsigned long)pthread_self(), name); }
/* The calling thread takes the processor from nobody when it wakes (SCHED_BATCH, sched(7)), and gives it up to whoever wakes after 0.1 ms in place
   of some milliseconds (sched_setattr(2): a turn's length, from Linux 6.12 on; kernels before pass over it). Its share and priority stay. */
static inline int kb_give_way(void) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } wish;
  if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) < 0) return -1;
  if (wish.policy != 0) return 0; /* not SCHED_OTHER: whoever started us has chosen */
  wish.policy = 3;                /* SCHED_BATCH */
  wish.runtime = 100000;
  return (int)syscall(SYS_sched_setattr, 0, &wish, 0);
}
static inline int kb_set_blocking(int fd, int blocking) {
  int flags = fcntl(fd, F_GETFL);
  return fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}
/* The number that the next descriptor would have, taken; -1 when there is none. */
static inline int kb_lowest_free(void) { return eventfd(0, EFD_CLOEXEC); }
/* prctl is variadic. */
static inline int kb_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
static inline int kb_forbid_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
