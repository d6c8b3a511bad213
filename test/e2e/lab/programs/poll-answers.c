// poll-answers ADDRESS PORT [ADDRESS PORT]...: sends a datagram to each place every 2 ms and writes, for each place,
//   "PLACE first MICROSECONDS NAME"            its first answer
//   "PLACE gap FROM UNTIL OLD NEW"             from the last answer before to the first one after a silence of at least 8 ms, or a change of who answers; microseconds
// of the monotonic clock. Datagrams do not wait for each other, so nothing that hangs hides the end of an outage. Ends with its standard input; then it writes
//   "PLACE last MICROSECONDS NAME ANSWERS SENT"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 64
#define EVERY_NS (2 * 1000 * 1000)
#define GAP_US 8000
#define NAME_BYTES 24

struct place {
  struct sockaddr_in at;
  int end;
  long long last, answers, sent;
  char name[NAME_BYTES];
};

static long long microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void take(struct place *place, int number) {
  char buffer[8 + NAME_BYTES];
  for (;;) {
    ssize_t size = recv(place->end, buffer, sizeof buffer, MSG_DONTWAIT);
    // A host that has no such address or port any more may say so; that is no answer.
    if (size != sizeof buffer) {
      if (size < 0) return;
      continue;
    }
    long long now = microseconds();
    char *name = buffer + 8;
    name[NAME_BYTES - 1] = 0;
    if (place->answers == 0) printf("%d first %lld %s\n", number, now, name);
    else if (now - place->last >= GAP_US || strcmp(name, place->name)) printf("%d gap %lld %lld %s %s\n", number, place->last, now, place->name, name);
    place->last = now;
    place->answers += 1;
    strcpy(place->name, name);
  }
}

int main(int words, char **word) {
  static struct place places[PLACES_MAX];
  int count = (words - 1) / 2;
  if (count < 1 || count > PLACES_MAX) return 2;
  setvbuf(stdout, 0, _IOLBF, 0);
  static struct pollfd ready[PLACES_MAX + 2];
  for (int each = 0; each < count; each += 1) {
    struct place *place = &places[each];
    place->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(word[each * 2 + 2]))};
    inet_pton(AF_INET, word[each * 2 + 1], &place->at.sin_addr);
    place->end = socket(AF_INET, SOCK_DGRAM, 0);
    ready[each] = (struct pollfd){place->end, POLLIN, 0};
  }
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec every = {{0, EVERY_NS}, {0, EVERY_NS}};
  timerfd_settime(timer, 0, &every, 0);
  ready[count] = (struct pollfd){timer, POLLIN, 0};
  ready[count + 1] = (struct pollfd){0, POLLIN, 0};
  puts("ready");
  while (poll(ready, count + 2, -1) >= 0) {
    unsigned long long ticks;
    if (ready[count + 1].revents) break;
    for (int each = 0; each < count; each += 1) {
      if (ready[each].revents) take(&places[each], each);
    }
    if (!ready[count].revents || read(timer, &ticks, sizeof ticks) != sizeof ticks) continue;
    for (int each = 0; each < count; each += 1) {
      struct place *place = &places[each];
      char buffer[8] = {0};
      place->sent += 1;
      memcpy(buffer, &place->sent, sizeof place->sent);
      sendto(place->end, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&place->at, sizeof place->at);
    }
  }
  for (int each = 0; each < count; each += 1) {
    struct place *place = &places[each];
    printf("%d last %lld %s %lld %lld\n", each, place->last, place->answers == 0 ? "-" : place->name, place->answers, place->sent);
  }
  return 0;
}
