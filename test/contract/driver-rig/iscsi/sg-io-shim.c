// Loaded into sg_persist (LD_PRELOAD): sends the SCSI commands that it gives the kernel for a device over the iSCSI session at $SG_IO_SOCKET instead, so that
// the real program talks to a real target about a device that this kernel does not know as SCSI.
#define _GNU_SOURCE
#include <errno.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct request {
  uint8_t command_size, to_device, command[16];
  uint32_t transfer_size;
};
struct answer {
  uint8_t status, sense_size, sense[64];
  uint32_t transfer_size;
};

static int take(int from, void *into, size_t size) {
  for (size_t got = 0; got < size;) {
    ssize_t some = read(from, (char *)into + got, size - got);
    if (some <= 0) return -1;
    got += (size_t)some;
  }
  return 0;
}

static int pass_on(sg_io_hdr_t *header) {
  struct sockaddr_un place = {.sun_family = AF_UNIX};
  const char *path = getenv("SG_IO_SOCKET");
  strncpy(place.sun_path, path ? path : "", sizeof place.sun_path - 1);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct request request = {.command_size = header->cmd_len, .to_device = header->dxfer_direction == SG_DXFER_TO_DEV};
  struct answer answer;
  request.transfer_size = header->dxfer_direction == SG_DXFER_NONE ? 0 : header->dxfer_len;
  memcpy(request.command, header->cmdp, header->cmd_len > 16 ? 16 : header->cmd_len);
  if (connect(server, (struct sockaddr *)&place, sizeof place) ||
      write(server, &request, sizeof request) != sizeof request ||
      (request.to_device && write(server, header->dxferp, request.transfer_size) != (ssize_t)request.transfer_size) ||
      take(server, &answer, sizeof answer) || answer.status == 0xff || take(server, header->dxferp, answer.transfer_size)) {
    close(server);
    errno = EIO;
    return -1;
  }
  close(server);
  header->status = answer.status;
  header->masked_status = (answer.status >> 1) & 0x1f;
  header->host_status = 0;
  header->driver_status = answer.sense_size ? 0x08 : 0;
  header->sb_len_wr = answer.sense_size > header->mx_sb_len ? header->mx_sb_len : answer.sense_size;
  if (header->sbp) memcpy(header->sbp, answer.sense, header->sb_len_wr);
  header->resid = request.to_device ? 0 : (int)(request.transfer_size - answer.transfer_size);
  header->info = answer.status ? SG_INFO_CHECK : SG_INFO_OK;
  return 0;
}

int ioctl(int file, unsigned long what, ...) {
  va_list words;
  va_start(words, what);
  void *given = va_arg(words, void *);
  va_end(words);
  if (what == SG_IO) return pass_on(given);
  return (int)syscall(SYS_ioctl, file, what, given);
}
