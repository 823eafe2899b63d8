"""What the gate costs: instructions of a keep-alive request, time of a new connection, and the check of a key among ten thousand.

Instructions are counted by callgrind, and are the same whatever else the machine does: those of the request's first step (`Worker.admit`) against all of
its worker's, of a request that is as cheap as any: 4 KiB to a provider over TLS, and a short answer in one piece. A new
connection is one look-up by sock_diag, which a program of its own repeats with the very code of the product. A key's check is processor time of a pipelined request with one, less that of the same request with a placeholder.
"""
import contextlib
import json
import os
import re
import statistics
import subprocess

import harness
from harness import (
    CHAT, Proxy, Sandbox, add_client_keys, check, clean_environment, cpu_seconds, main, post, receive_head, temporary_folder, tool,
)
from counting import profile_of, under_callgrind

LOOKUPS = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include "peers.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }

int main(void) {
  enum { open_ones = 400, rounds = 25 };
  static double times[open_ones * rounds];
  static int accepted[open_ones];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), diag = kb_diag_socket();
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512) || getsockname(listener, (struct sockaddr *)&address, &size)) return 1;
  for (int index = 0; index < open_ones; index++) {
    int caller = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(caller, (struct sockaddr *)&address, sizeof address)) return 2;
    accepted[index] = accept(listener, 0, 0);
  }
  int count = 0;
  for (int round = 0; round < rounds; round++) {
    for (int index = 0; index < open_ones; index++) {
      struct sockaddr_storage near = {0}, far = {0};
      socklen_t length = sizeof near;
      uint32_t user = 0, inode = 0;
      double began = now();
      getsockname(accepted[index], (struct sockaddr *)&near, &length);
      length = sizeof far;
      kb_peer_address(accepted[index], &far, &length);
      if (kb_tcp_owner(diag, &far, &near, &user, &inode) || user != geteuid() || inode == 0) return 3;
      times[count++] = now() - began;
    }
  }
  qsort(times, count, sizeof *times, compare);
  printf("{\"median\": %.2f, \"p99\": %.2f}\n", times[count / 2], times[count * 99 / 100]);
}
"""


def connection():
    """The look-up that each new connection costs."""
    folder = temporary_folder()
    source, program = os.path.join(folder, "lookups.c"), os.path.join(folder, "lookups")
    with open(source, "w") as file:
        file.write(LOOKUPS)
    headers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Sources/CLinux")
    subprocess.run([tool("cc"), "-O2", "-D_GNU_SOURCE", "-I", headers, source, "-o", program], check=True)
    found = json.loads(subprocess.run([program], capture_output=True, check=True).stdout)
    check(found["median"] < 50, "a new connection: whose it is, by sock_diag", f"{found['median']} µs, p99 {found['p99']} µs", "50 µs")


# MARK: - A keep-alive request

def request(sandbox):
    """The gate's part of a request on a connection that stands."""
    tool("valgrind")
    text = post("/openai/v1/chat/completions", CHAT.replace(b"hi", b"x" * 4000).replace(b',"stream":true', b""))
    with under_callgrind(sandbox.state) as (proxy, folder), contextlib.closing(proxy.connect(timeout=60)) as client:
        def ask(count):
            for _ in range(count):
                client.sendall(text)
                head, body = receive_head(client)
                length = int(re.search(r"(?i)content-length: (\d+)", head)[1])
                while len(body) < length:
                    body += client.recv(65536)

        ask(30)
        profile_of(proxy, folder, 1)
        ask(100)
        profile = profile_of(proxy, folder, 2)
    if profile is None:
        return check(False, "the profile has the first step of a request")
    gate = sum(cost for (_, callee), cost in profile.calls.items() if re.search("6WorkerV5admit.*LL", callee))
    check(gate > 0, "the first step is a function of its own in this build")
    share = gate / profile.total
    check(share < 0.02, "the gate's part of a keep-alive request, in instructions",
          f"{gate / 100:.0f} of {profile.total / 100:.0f}: {share:.2%}, the kernel's not counted", "2 %")


# MARK: - Ten thousand keys

def keys(sandbox):
    """What the check of a key costs among ten thousand."""
    state = sandbox.state
    run = [harness.BINARY, "clients", "add", "last", "--state-dir", state]
    key = subprocess.run(run, capture_output=True, text=True, check=True, env=clean_environment()).stdout.split()[-1]
    add_client_keys(state, 10_000)
    placeholder = "x" * len(key)
    batch, rounds = 2_000, 15
    with Proxy(state) as proxy, contextlib.closing(proxy.connect()) as client:
        def spent(shown):
            text = f"GET /-/healthz HTTP/1.1\r\nHost: localhost\r\nx-api-key: {shown}\r\n\r\n".encode() * 100
            began = cpu_seconds(proxy.pid)
            for _ in range(batch // 100):
                for _ in range(10):
                    client.sendall(text)
                    left = 100
                    while left > 0:
                        left -= client.recv(1 << 18).count(b"HTTP/1.1 200")
            return (cpu_seconds(proxy.pid) - began) / (batch * 10) * 1e6

        spent(key)
        pairs = [(spent(key), spent(placeholder)) for _ in range(rounds)]
    difference = statistics.median(with_key - without for with_key, without in pairs)
    check(difference < 1, "a key is checked among 10,000, in processor time", f"{difference:.2f} µs of a pipelined request's {statistics.median(p[0] for p in pairs):.2f} µs",
          "1 µs")


def suite():
    connection()
    sandbox = Sandbox()
    request(sandbox)
    keys(sandbox)


main(suite)
