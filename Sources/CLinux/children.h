/* Doors for starting programs and handing descriptors from process to process: macros, and what Glibc's module hides because it is
   built without _GNU_SOURCE. */
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* glibc 2.34 and 2.29; hidden, so they are declared again under other names. */
extern int kb_spawn_close_from(posix_spawn_file_actions_t *, int) __asm__("posix_spawn_file_actions_addclosefrom_np");
extern int kb_spawn_change_directory(posix_spawn_file_actions_t *, const char *) __asm__("posix_spawn_file_actions_addchdir_np");
/* POSIX_SPAWN_SETSID; glibc 2.26. */
enum { kb_spawn_session = 0x80 };

/* A descriptor that becomes readable when the process ends; Linux 5.3. Close-on-exec by its nature. */
static inline int kb_process_descriptor(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0u); }

/* A pair of connected sockets that no child inherits. */
static inline int kb_socket_pair(int *pair) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair); }
static inline int kb_pipe(int *pair) {
  extern int kb_pipe2(int *, int) __asm__("pipe2");
  return kb_pipe2(pair, O_CLOEXEC);
}

/* Hands a copy of `descriptor` to the other side, with one byte to carry it. */
static inline int kb_send_descriptor(int socket, int descriptor) {
  char byte = 0;
  struct iovec part = {&byte, 1};
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {0};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  ssize_t count;
  do count = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  return count == 1 ? 0 : -1;
}

/* The next descriptor that was handed over; -1 with errno 0 when the other side has gone. */
static inline int kb_receive_descriptor(int socket) {
  char byte;
  struct iovec part = {&byte, 1};
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct msghdr message = {0};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  ssize_t count;
  do count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (count < 0 && errno == EINTR);
  if (count == 0) errno = 0;
  if (count <= 0) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  int descriptor = -1;
  if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&descriptor, CMSG_DATA(header), sizeof(int));
  if (descriptor < 0) errno = EAGAIN;
  return descriptor;
}
