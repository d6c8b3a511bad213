// ask-arp ADAPTER NETWORK ADDRESS...: asks every 10 ms, by ARP, who has each of the addresses, and writes who answered:
//   "MILLISECONDS ADDRESS HARDWARE QUESTION"   an answer to the question with this number
//   "MILLISECONDS ADDRESS HARDWARE 0"          what was told to everybody
// Milliseconds of the monotonic clock, with which the hosts of a lab and the tests can be compared. A question is told by whom it seems to come from: NETWORK (such as
// 10.77.0.0) + 200 .. 249, so that an answer that was on its way for long is not taken for one to a later question. Ends with its standard input.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES_MAX 64
#define EVERY_MS 10
#define ASKERS 50
#define FIRST_ASKER 200

struct packet {
  struct ether_header ethernet;
  struct ether_arp arp;
} __attribute__((packed));

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void ask(int link, struct sockaddr_ll *to, const unsigned char *own, in_addr_t from, in_addr_t address) {
  struct packet question = {0};
  memset(question.ethernet.ether_dhost, 0xff, ETH_ALEN);
  memcpy(question.ethernet.ether_shost, own, ETH_ALEN);
  question.ethernet.ether_type = htons(ETHERTYPE_ARP);
  question.arp.arp_hrd = htons(ARPHRD_ETHER);
  question.arp.arp_pro = htons(ETHERTYPE_IP);
  question.arp.arp_hln = ETH_ALEN;
  question.arp.arp_pln = 4;
  question.arp.arp_op = htons(ARPOP_REQUEST);
  memcpy(question.arp.arp_sha, own, ETH_ALEN);
  memcpy(question.arp.arp_spa, &from, 4);
  memcpy(question.arp.arp_tpa, &address, 4);
  sendto(link, &question, sizeof question, MSG_DONTWAIT, (struct sockaddr *)to, sizeof *to);
}

static in_addr_t asker(in_addr_t network, long long question) {
  return htonl(ntohl(network) + FIRST_ASKER + (question % ASKERS));
}

// The latest question that came from there; 0 = none.
static long long asked(in_addr_t network, in_addr_t told, long long latest) {
  for (long long question = latest; question > 0 && question > latest - ASKERS; question -= 1) {
    if (asker(network, question) == told) return question;
  }
  return 0;
}

static void hear(int link, const in_addr_t *addresses, int count, in_addr_t network, long long latest) {
  struct packet heard;
  struct sockaddr_ll source;
  for (;;) {
    socklen_t size = sizeof source;
    if (recvfrom(link, &heard, sizeof heard, MSG_DONTWAIT, (struct sockaddr *)&source, &size) < (ssize_t)sizeof heard) return;
    if (source.sll_pkttype == PACKET_OUTGOING) continue;
    in_addr_t claimed, told;
    memcpy(&claimed, heard.arp.arp_spa, 4);
    memcpy(&told, heard.arp.arp_tpa, 4);
    for (int each = 0; each < count; each += 1) {
      if (claimed != addresses[each]) continue;
      const unsigned char *hardware = heard.arp.arp_sha;
      char text[INET_ADDRSTRLEN];
      inet_ntop(AF_INET, &claimed, text, sizeof text);
      printf("%lld %s %02x:%02x:%02x:%02x:%02x:%02x %lld\n", milliseconds(), text, hardware[0], hardware[1], hardware[2], hardware[3],
             hardware[4], hardware[5], asked(network, told, latest));
    }
  }
}

int main(int words, char **word) {
  if (words < 4 || words - 3 > ADDRESSES_MAX) return 2;
  setvbuf(stdout, 0, _IOLBF, 0);
  int link = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP));
  struct ifreq adapter = {0};
  strncpy(adapter.ifr_name, word[1], IFNAMSIZ - 1);
  if (link < 0 || ioctl(link, SIOCGIFHWADDR, &adapter)) return 1;
  unsigned char own[ETH_ALEN];
  memcpy(own, adapter.ifr_hwaddr.sa_data, ETH_ALEN);
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP), .sll_ifindex = if_nametoindex(word[1]), .sll_halen = ETH_ALEN};
  if (bind(link, (struct sockaddr *)&to, sizeof to)) return 1;
  memset(to.sll_addr, 0xff, ETH_ALEN);
  in_addr_t network = inet_addr(word[2]), addresses[ADDRESSES_MAX];
  int count = words - 3;
  for (int each = 0; each < count; each += 1) addresses[each] = inet_addr(word[each + 3]);
  puts("ready");
  long long next = milliseconds(), question = 0;
  for (;;) {
    long long now = milliseconds();
    if (now >= next) {
      question += 1;
      for (int each = 0; each < count; each += 1) ask(link, &to, own, asker(network, question), addresses[each]);
      next = now + EVERY_MS;
    }
    struct pollfd ready[2] = {{link, POLLIN, 0}, {0, POLLIN, 0}};
    poll(ready, 2, next > now ? (int)(next - now) : 0);
    if (ready[1].revents) return 0;
    if (ready[0].revents) hear(link, addresses, count, network, question);
  }
}
