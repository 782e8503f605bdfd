/* Preloaded: while the file exists that NO_THREADS_WHILE names, no thread is to be had. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef int Create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  const char *file = getenv("NO_THREADS_WHILE");
  if (file != NULL && access(file, F_OK) == 0) return EAGAIN;
  Create *create = (Create *)dlsym(RTLD_NEXT, "pthread_create");
  return create(thread, attributes, run, argument);
}
