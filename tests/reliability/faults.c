/* Makes one call fail: the FAULT_AT-th write, fsync or rename (FAULT_CALL) below the folder FAULT_IN ends with the error
   number FAULT_ERROR. With FAULT_COUNT, a file, each process leaves there how many such calls it made. Preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int below(const char *path) {
  const char *folder = getenv("FAULT_IN");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int file_below(int handle) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return below(path);
}

static int fails(const char *call, int ours) {
  const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT"), *count = getenv("FAULT_COUNT");
  if (!ours || !wanted || strcmp(wanted, call)) return 0;
  long n = atomic_fetch_add(&calls, 1) + 1;
  if (count) {
    FILE *file = fopen(count, "w");
    if (file) { fprintf(file, "%ld", n); fclose(file); }
  }
  if (!at || n != atol(at)) return 0;
  errno = atoi(getenv("FAULT_ERROR"));
  return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int f, const void *b, size_t n) { REAL(write); return fails("write", file_below(f)) ? -1 : real(f, b, n); }
ssize_t pwrite(int f, const void *b, size_t n, off_t o) {
  REAL(pwrite); return fails("write", file_below(f)) ? -1 : real(f, b, n, o);
}
ssize_t pwrite64(int f, const void *b, size_t n, off64_t o) {
  REAL(pwrite64); return fails("write", file_below(f)) ? -1 : real(f, b, n, o);
}
ssize_t writev(int f, const struct iovec *v, int n) {
  REAL(writev); return fails("write", file_below(f)) ? -1 : real(f, v, n);
}
int ftruncate(int f, off_t n) { REAL(ftruncate); return fails("write", file_below(f)) ? -1 : real(f, n); }
int ftruncate64(int f, off64_t n) { REAL(ftruncate64); return fails("write", file_below(f)) ? -1 : real(f, n); }
int fsync(int f) { REAL(fsync); return fails("fsync", file_below(f)) ? -1 : real(f); }
int rename(const char *a, const char *b) { REAL(rename); return fails("rename", below(b)) ? -1 : real(a, b); }
int renameat(int d, const char *a, int e, const char *b) {
  REAL(renameat); return fails("rename", below(b)) ? -1 : real(d, a, e, b);
}
