// What czmq does with keys. Prints lines of NAME, tab, VALUE.
//
//   czmq write PATH [NAME VALUE]...   makes a certificate and saves it
//   czmq read PATH                    loads one: its keys, then its metadata
#include <czmq.h>

static int fail(const char* what, const char* path) {
  fprintf(stderr, "czmq: cannot %s %s\n", what, path);
  return 1;
}

static void print_keys(zcert_t* certificate) {
  printf("public-key\t%s\n", zcert_public_txt(certificate));
  printf("secret-key\t%s\n", zcert_secret_txt(certificate));
}

static int write_keys(int count, char** words) {
  zcert_t* certificate = zcert_new();
  if (certificate == NULL) return fail("make", words[0]);
  for (int i = 1; i + 1 < count; i += 2)
    zcert_set_meta(certificate, words[i], "%s", words[i + 1]);
  if (zcert_save(certificate, words[0]) != 0) return fail("save", words[0]);
  print_keys(certificate);
  zcert_destroy(&certificate);
  return 0;
}

static int read_keys(const char* path) {
  zcert_t* certificate = zcert_load(path);
  if (certificate == NULL) return fail("load", path);
  print_keys(certificate);
  zlist_t* names = zcert_meta_keys(certificate);
  for (const char* name = zlist_first(names); name != NULL; name = zlist_next(names))
    printf("%s\t%s\n", name, zcert_meta(certificate, name));
  zlist_destroy(&names);
  zcert_destroy(&certificate);
  return 0;
}

int main(int count, char** words) {
  const char* command = count > 2 ? words[1] : "";
  if (streq(command, "write")) return write_keys(count - 2, words + 2);
  if (streq(command, "read")) return read_keys(words[2]);
  fprintf(stderr, "usage: czmq write|read PATH [NAME VALUE]...\n");
  return 2;
}
