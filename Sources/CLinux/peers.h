/* Doors to what the kernel tells about the other end of a connection: sock_diag(7), SO_PEERCRED, addresses of Unix sockets. */
#pragma once
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static inline int kb_diag_socket(void) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG); }

static inline int kb_peer_address(int fd, struct sockaddr_storage *address, socklen_t *size) {
  return getpeername(fd, (struct sockaddr *)address, size);
}

/* Copies a socket address's bytes and port in network order; 0 for another family. */
static inline int kb_diag_end(const struct sockaddr_storage *from, uint32_t *address, uint16_t *port) {
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)from;
    memcpy(address, &in->sin_addr, 4);
    *port = in->sin_port;
    return 1;
  }
  if (from->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)from;
    memcpy(address, &in->sin6_addr, 16);
    *port = in->sin6_port;
    return 1;
  }
  return 0;
}

/* Who owns the TCP socket whose own end is `near` and whose peer is `far`: an exact look-up, no dump. 0, or an error number. */
static inline int kb_tcp_owner(int diag, const struct sockaddr_storage *near, const struct sockaddr_storage *far, uint32_t *uid,
                               uint32_t *inode) {
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 body;
  } request;
  memset(&request, 0, sizeof request);
  static uint32_t sequence = 0;
  uint32_t number = __atomic_add_fetch(&sequence, 1, __ATOMIC_RELAXED);
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.header.nlmsg_seq = number;
  request.body.sdiag_family = (uint8_t)near->ss_family;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0u;
  request.body.id.idiag_cookie[0] = request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (!kb_diag_end(near, request.body.id.idiag_src, &request.body.id.idiag_sport)) return EAFNOSUPPORT;
  if (!kb_diag_end(far, request.body.id.idiag_dst, &request.body.id.idiag_dport)) return EAFNOSUPPORT;
  if (send(diag, &request, sizeof request, 0) != (ssize_t)sizeof request) return errno;
  /* The kernel answers within send. What an earlier look-up may have left is read over. */
  for (int left = 8; left > 0; left--) {
    union {
      struct nlmsghdr header;
      char bytes[1024];
    } answer;
    ssize_t count = recv(diag, &answer, sizeof answer, MSG_DONTWAIT);
    if (count < 0) return errno;
    if (!NLMSG_OK(&answer.header, (uint32_t)count)) return EBADMSG;
    if (answer.header.nlmsg_seq != number) continue;
    if (answer.header.nlmsg_type == NLMSG_ERROR) {
      int code = -((struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
      return code ? code : EBADMSG;
    }
    if (answer.header.nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return EBADMSG;
    const struct inet_diag_msg *found = (const struct inet_diag_msg *)NLMSG_DATA(&answer.header);
    *uid = found->idiag_uid;
    *inode = found->idiag_inode;
    return 0;
  }
  return EBADMSG;
}

/* struct ucred, which needs _GNU_SOURCE. */
struct kb_credentials {
  pid_t process;
  uid_t user;
  gid_t group;
};
static inline int kb_unix_peer(int fd, struct kb_credentials *peer) {
  socklen_t size = sizeof *peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size);
}

/* -1 with ENAMETOOLONG when the path does not fit. */
static inline int kb_unix_address(const char *path, struct sockaddr_storage *address, socklen_t *size) {
  struct sockaddr_un *un = (struct sockaddr_un *)address;
  size_t length = strlen(path);
  if (length >= sizeof un->sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memset(address, 0, sizeof *address);
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path, path, length);
  *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  return 0;
}

/* The mode that bind will give the file: set before, so that the file is never open to others (unix(7), Linux). */
static inline int kb_set_mode(int fd, mode_t mode) { return fchmod(fd, mode); }
