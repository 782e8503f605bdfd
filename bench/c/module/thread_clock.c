// The CPU time of the calling thread for JavaScript: a module with one function, in microseconds.
#include <node_api.h>
#include <time.h>

static napi_value threadCpuTime(napi_env env, napi_callback_info info) {
  (void)info;
  struct timespec time = {0};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  napi_value result = NULL;
  napi_create_double(env, (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function = NULL;
  if (napi_create_function(env, "threadCpuTime", NAPI_AUTO_LENGTH, threadCpuTime, NULL, &function) !=
      napi_ok)
    return NULL;
  return function;
}
