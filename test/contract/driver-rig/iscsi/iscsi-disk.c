// iscsi-disk URL INITIATOR-NAME DIRECTORY SOCKET: makes a disk of an iSCSI target appear as DIRECTORY/disk, for a loop device. At SOCKET it takes SCSI
// commands that are to go over the same session, since that is what a target ties persistent reservations to: see sg-io-shim.c for the form.
// Stopping the process (SIGSTOP) is what a host that stands still is to its disk.
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse3/fuse.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BLOCK 512
#define TRANSFER_MAX (1024 * 1024)

static struct iscsi_context *session;
static int lun;
static uint64_t blocks;
static pthread_mutex_t session_lock = PTHREAD_MUTEX_INITIALIZER;

static int disk_getattr(const char *path, struct stat *facts, struct fuse_file_info *file) {
  (void)file;
  memset(facts, 0, sizeof *facts);
  if (!strcmp(path, "/")) {
    facts->st_mode = S_IFDIR | 0700;
    facts->st_nlink = 2;
    return 0;
  }
  if (strcmp(path, "/disk")) return -ENOENT;
  facts->st_mode = S_IFREG | 0600;
  facts->st_nlink = 1;
  facts->st_size = (off_t)(blocks * BLOCK);
  return 0;
}

static int disk_open(const char *path, struct fuse_file_info *file) {
  if (strcmp(path, "/disk")) return -ENOENT;
  file->direct_io = 1;  // No cache: another host writes to the same disk.
  return 0;
}

// A target that has something to report (a reset, a preempted key) does so instead of executing the command; then it is sent again.
#define ATTENTIONS_MAX 5
static int is_attention(const struct scsi_task *task) {
  return task && task->status == SCSI_STATUS_CHECK_CONDITION && task->sense.key == SCSI_SENSE_UNIT_ATTENTION;
}

static int disk_read(const char *path, char *into, size_t size, off_t at, struct fuse_file_info *file) {
  (void)path, (void)file;
  int result = -EIO;
  pthread_mutex_lock(&session_lock);
  for (int tries = 0; tries < ATTENTIONS_MAX; tries++) {
    struct scsi_task *task = iscsi_read16_sync(session, lun, (uint64_t)at / BLOCK, (uint32_t)size, BLOCK, 0, 0, 0, 0, 0);
    int again = is_attention(task);
    if (task && task->status == SCSI_STATUS_GOOD && (size_t)task->datain.size >= size) {
      memcpy(into, task->datain.data, size);
      result = (int)size;
    }
    if (task) scsi_free_scsi_task(task);
    if (!again) break;
  }
  pthread_mutex_unlock(&session_lock);
  return result;
}

static int disk_write(const char *path, const char *from, size_t size, off_t at, struct fuse_file_info *file) {
  (void)path, (void)file;
  int result = -EIO;
  pthread_mutex_lock(&session_lock);
  for (int tries = 0; tries < ATTENTIONS_MAX; tries++) {
    struct scsi_task *task =
        iscsi_write16_sync(session, lun, (uint64_t)at / BLOCK, (unsigned char *)from, (uint32_t)size, BLOCK, 0, 0, 0, 0, 0);
    int again = is_attention(task);
    if (task && task->status == SCSI_STATUS_GOOD) result = (int)size;
    if (task) scsi_free_scsi_task(task);
    if (!again) break;
  }
  pthread_mutex_unlock(&session_lock);
  return result;
}

static int disk_fsync(const char *path, int only_data, struct fuse_file_info *file) {
  (void)path, (void)only_data, (void)file;
  pthread_mutex_lock(&session_lock);
  struct scsi_task *task = iscsi_synchronizecache10_sync(session, lun, 0, 0, 0, 0);
  int result = task && task->status == SCSI_STATUS_GOOD ? 0 : -EIO;
  if (task) scsi_free_scsi_task(task);
  pthread_mutex_unlock(&session_lock);
  return result;
}

static const struct fuse_operations operations = {
    .getattr = disk_getattr, .open = disk_open, .read = disk_read, .write = disk_write, .fsync = disk_fsync};

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

static void send_all(int to, const void *from, size_t size) {
  for (size_t sent = 0; sent < size;) {
    ssize_t some = send(to, (const char *)from + sent, size - sent, MSG_NOSIGNAL);
    if (some <= 0) return;
    sent += (size_t)some;
  }
}

static void pass_on(int client) {
  static unsigned char buffer[TRANSFER_MAX];
  struct request request;
  if (take(client, &request, sizeof request) || request.transfer_size > TRANSFER_MAX) return;
  if (request.to_device && take(client, buffer, request.transfer_size)) return;
  int direction = request.transfer_size == 0 ? SCSI_XFER_NONE : request.to_device ? SCSI_XFER_WRITE : SCSI_XFER_READ;
  struct answer answer = {.status = 0xff};
  pthread_mutex_lock(&session_lock);
  struct scsi_task *task = scsi_create_task(request.command_size, request.command, direction, (int)request.transfer_size);
  struct iscsi_data data = {.size = request.transfer_size, .data = buffer};
  if (task && iscsi_scsi_command_sync(session, lun, task, request.to_device ? &data : NULL)) {
    answer.status = (uint8_t)task->status;
    size_t size = (size_t)(task->datain.size > 0 ? task->datain.size : 0);
    if (task->status == SCSI_STATUS_CHECK_CONDITION && size > 2) {  // Two bytes of length come first.
      answer.sense_size = (uint8_t)(size - 2 > sizeof answer.sense ? sizeof answer.sense : size - 2);
      memcpy(answer.sense, task->datain.data + 2, answer.sense_size);
    } else if (task->status == SCSI_STATUS_GOOD && !request.to_device && size > 0) {
      answer.transfer_size = (uint32_t)(size > request.transfer_size ? request.transfer_size : size);
      memcpy(buffer, task->datain.data, answer.transfer_size);
    }
  }
  if (task) scsi_free_scsi_task(task);
  pthread_mutex_unlock(&session_lock);
  send_all(client, &answer, sizeof answer);
  send_all(client, buffer, answer.transfer_size);
}

static void *serve(void *given) {
  int listener = *(int *)given;
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    pass_on(client);
    close(client);
  }
}

static int listen_at(const char *path) {
  struct sockaddr_un place = {.sun_family = AF_UNIX};
  strncpy(place.sun_path, path, sizeof place.sun_path - 1);
  unlink(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&place, sizeof place) || listen(listener, 16)) {
    perror(path);
    exit(1);
  }
  return listener;
}

static void log_in(const char *text, const char *initiator) {
  session = iscsi_create_context(initiator);
  struct iscsi_url *url = iscsi_parse_full_url(session, text);
  if (!url) {
    fprintf(stderr, "%s\n", iscsi_get_error(session));
    exit(1);
  }
  lun = url->lun;
  iscsi_set_targetname(session, url->target);
  iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
  if (iscsi_full_connect_sync(session, url->portal, lun)) {
    fprintf(stderr, "no session with %s: %s\n", text, iscsi_get_error(session));
    exit(1);
  }
  struct scsi_task *task = iscsi_readcapacity10_sync(session, lun, 0, 0);
  struct scsi_readcapacity10 *capacity = task ? scsi_datain_unmarshall(task) : NULL;
  if (!capacity || capacity->block_size != BLOCK) {
    fprintf(stderr, "the disk has no blocks of %d bytes\n", BLOCK);
    exit(1);
  }
  blocks = (uint64_t)capacity->lba + 1;
  scsi_free_scsi_task(task);
}

int main(int count, char **words) {
  if (count != 5) return 2;
  log_in(words[1], words[2]);
  static int listener;
  listener = listen_at(words[4]);
  struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
  fuse_opt_add_arg(&arguments, "iscsi-disk");
  fuse_opt_add_arg(&arguments, "-odefault_permissions");
  struct fuse *fuse = fuse_new(&arguments, &operations, sizeof operations, NULL);
  if (!fuse || fuse_mount(fuse, words[3])) return 1;
  pthread_t thread;
  pthread_create(&thread, NULL, serve, &listener);
  printf("ready\n");
  fflush(stdout);
  fuse_loop(fuse);
  fuse_unmount(fuse);
  return 0;
}
