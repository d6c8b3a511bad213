// hanging-file DIRECTORY: makes DIRECTORY/file appear, whose disk is this process: while it is stopped (SIGSTOP), the disk does not answer. Who opens it for
// reading only gets it past the cache, so that the kernel has to bring in what another has written to it in memory before it maps it: it waits for the disk
// with the memory of that process locked, which is how a process hides on real disks too.
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char content[64 * 1024];

static int file_getattr(const char *path, struct stat *facts, struct fuse_file_info *file) {
  (void)file;
  memset(facts, 0, sizeof *facts);
  facts->st_mode = strcmp(path, "/") ? S_IFREG | 0600 : S_IFDIR | 0700;
  facts->st_nlink = 1;
  facts->st_size = sizeof content;
  return strcmp(path, "/") && strcmp(path, "/file") ? -ENOENT : 0;
}

static int file_open(const char *path, struct fuse_file_info *file) {
  (void)path;
  file->direct_io = (file->flags & O_ACCMODE) == O_RDONLY;
  return 0;
}

static int file_read(const char *path, char *into, size_t size, off_t at, struct fuse_file_info *file) {
  (void)path, (void)file;
  memcpy(into, content + at, size);
  return (int)size;
}

static int file_write(const char *path, const char *from, size_t size, off_t at, struct fuse_file_info *file) {
  (void)path, (void)file;
  memcpy(content + at, from, size);
  return (int)size;
}

static const struct fuse_operations operations = {
    .getattr = file_getattr, .open = file_open, .read = file_read, .write = file_write};

int main(int count, char **words) {
  struct fuse_args arguments = FUSE_ARGS_INIT(0, NULL);
  fuse_opt_add_arg(&arguments, "hanging-file");
  struct fuse *fuse = fuse_new(&arguments, &operations, sizeof operations, NULL);
  if (count != 2 || !fuse || fuse_mount(fuse, words[1])) return 1;
  printf("ready\n");
  fflush(stdout);
  return fuse_loop(fuse);
}
