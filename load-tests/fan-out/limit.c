/*
 * What no server can do better that writes each frame to each socket: handshakes without a look at them, one
 * frame made once, send(2) to one socket after the other.
 *
 *   limit JOINED      each line on standard input goes to all viewers as one text frame; of lines that wait,
 *                     up to JOINED leave in one send. Prints its port as a line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { viewersMax = 65536, lineMax = 65536, framesMax = 1 << 20 };

static int viewers[viewersMax], viewerCount;
/* Where each descriptor stands in `viewers`, and 0 while its handshake is not done. */
static int placeOf[viewersMax];
static char lines[framesMax];
static size_t lineBytes;
static unsigned char frames[framesMax];

/* The accept of the one key that the viewers of these benchmarks send. */
static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void forget(int fd) {
  if (placeOf[fd] > 0) {
    int place = placeOf[fd] - 1, last = viewers[--viewerCount];
    viewers[place] = last;
    placeOf[last] = place + 1;
    placeOf[fd] = 0;
  }
  close(fd);
}

static void readViewer(int fd) {
  char bytes[4096];
  ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (length == 0 || (length < 0 && errno != EAGAIN)) forget(fd);
  /* What it says besides the handshake is not looked at. */
  if (length <= 0 || placeOf[fd] > 0 || memmem(bytes, length, "\r\n\r\n", 4) == NULL) return;
  if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) {
    forget(fd);
    return;
  }
  viewers[viewerCount++] = fd;
  placeOf[fd] = viewerCount;
}

static void acceptAll(int listener, int epoll) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), one = 1;
    if (fd < 0) return;
    if (fd >= viewersMax) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    placeOf[fd] = 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static size_t putFrame(unsigned char *to, const char *text, size_t length) {
  size_t head = length < 126 ? 2 : 4;
  to[0] = 0x81;
  if (length < 126) to[1] = length;
  else {
    to[1] = 126;
    to[2] = length >> 8;
    to[3] = length;
  }
  memcpy(to + head, text, length);
  return head + length;
}

static void sendAll(const unsigned char *bytes, size_t length) {
  for (int at = 0; at < viewerCount; at++) {
    size_t sent = 0;
    while (sent < length) {
      ssize_t now = send(viewers[at], bytes + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (now > 0) sent += now;
      else if (errno == EAGAIN) {
        struct pollfd writable = {.fd = viewers[at], .events = POLLOUT};
        poll(&writable, 1, 1000);
      } else break;
    }
  }
}

/* 0 when standard input has ended. */
static int readLines(int joinedMax) {
  ssize_t length = read(0, lines + lineBytes, sizeof lines - lineBytes);
  if (length == 0) return 0;
  if (length < 0) return 1;
  lineBytes += length;
  size_t from = 0, frameBytes = 0;
  int joined = 0;
  for (;;) {
    char *end = memchr(lines + from, '\n', lineBytes - from);
    if (end == NULL) break;
    frameBytes += putFrame(frames + frameBytes, lines + from, end - (lines + from));
    from = end + 1 - lines;
    if (++joined < joinedMax && frameBytes + lineMax + 4 < sizeof frames) continue;
    sendAll(frames, frameBytes);
    frameBytes = joined = 0;
  }
  if (joined > 0) sendAll(frames, frameBytes);
  memmove(lines, lines + from, lineBytes -= from);
  return 1;
}

int main(int argc, char **argv) {
  int joinedMax = argc > 1 ? atoi(argv[1]) : 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0) die("bind");
  if (listen(listener, 4096) < 0 || getsockname(listener, (struct sockaddr *)&address, &size) < 0) die("listen");
  int epoll = epoll_create1(0);
  struct epoll_event own = {.events = EPOLLIN, .data.fd = listener}, input = {.events = EPOLLIN, .data.fd = 0};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &own);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input) < 0) die("standard input");
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, -1);
    for (int at = 0; at < count; at++) {
      int fd = events[at].data.fd;
      if (fd == listener) acceptAll(listener, epoll);
      else if (fd != 0) readViewer(fd);
      else if (!readLines(joinedMax)) return 0;
    }
  }
}
