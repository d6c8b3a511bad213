// Shifts the wall clock of every program that is linked to libc, by as many seconds as the file says: a host of the lab has its own wall clock although the kernel has one
// for all. Monotonic clocks are left alone, as they are when somebody sets a clock. Loaded by /etc/ld.so.preload of the host.
// Go programs (etcd) ask the kernel and see the machine's own clock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifndef SHIFT_FILE
#define SHIFT_FILE "/run/haven-lab-clock"
#endif

// Seconds, as a 64 bit number; the file is mapped, so that a change is seen at once.
static long shift(void) {
  static volatile const long *seconds;
  if (seconds == 0) {
    int file = open(SHIFT_FILE, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    void *page = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page == MAP_FAILED) return 0;
    seconds = page;
  }
  return *seconds;
}

static int real(clockid_t clock, struct timespec *to) {
  static int (*next)(clockid_t, struct timespec *);
  if (next == 0) next = dlsym(RTLD_NEXT, "clock_gettime");
  return next(clock, to);
}

int clock_gettime(clockid_t clock, struct timespec *to) {
  int result = real(clock, to);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) to->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int result = real(CLOCK_REALTIME, &now);
  to->tv_sec = now.tv_sec + shift();
  to->tv_usec = now.tv_nsec / 1000;
  return result;
}

time_t time(time_t *to) {
  struct timespec now;
  real(CLOCK_REALTIME, &now);
  time_t seconds = now.tv_sec + shift();
  if (to != 0) *to = seconds;
  return seconds;
}
