// answer ADDRESS PORT NAME: answers every datagram with its first 8 bytes and a name. What a service of the takeover benchmark runs: it binds to the logical
// address, and a client that sends every 2 ms sees by its answers who serves.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_BYTES 24

int main(int count, char **words) {
  if (count != 4) return 2;
  int end = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
  inet_pton(AF_INET, words[1], &place.sin_addr);
  if (bind(end, (struct sockaddr *)&place, sizeof place)) return 1;
  for (;;) {
    char buffer[8 + NAME_BYTES] = {0};
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    if (recvfrom(end, buffer, 8, 0, (struct sockaddr *)&from, &size) != 8) continue;
    strncpy(buffer + 8, words[3], NAME_BYTES - 1);
    sendto(end, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&from, size);
  }
}
