// marker FILE NAME: what the marking service of the lab runs on a disk group. Every 5 ms it appends "NANOSECONDS NAME BEGAN" to the file, which stands for a disk
// that nobody keeps apart: what was written there is judged afterwards. All hosts of a lab share the machine's monotonic clock, so the moments can be compared.
// BEGAN, nanoseconds as well, tells its lives apart: process ids come again when a host has lost its power.
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **words) {
  if (count != 3) return 2;
  prctl(PR_SET_NAME, "marker", 0, 0, 0);
  // A host that loses its power must not end in the middle of a line: one short write with O_APPEND is whole or not there.
  int file = open(words[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return 1;
  struct timespec began;
  clock_gettime(CLOCK_MONOTONIC, &began);
  for (;;) {
    struct timespec now, pause = {0, 5 * 1000 * 1000};
    char line[128];
    clock_gettime(CLOCK_MONOTONIC, &now);
    int size = snprintf(line, sizeof line, "%lld%09ld %s %lld%09ld\n", (long long)now.tv_sec, now.tv_nsec, words[2], (long long)began.tv_sec, began.tv_nsec);
    if (write(file, line, size) != size) return 1;
    nanosleep(&pause, 0);
  }
}
