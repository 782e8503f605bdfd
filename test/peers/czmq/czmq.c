// What czmq does with keys. Prints lines of NAME, tab, VALUE.
//
//   czmq write PATH [NAME VALUE]...   makes a certificate and saves it
//   czmq read PATH                    loads one: its keys, then its metadata
//   czmq serve FOLDER PUBLIC SECRET   pulls from whom zauth lets in: those whose keys are in the folder
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

static int serve(const char* folder, const char* public_key, const char* secret_key) {
  zactor_t* auth = zactor_new(zauth, NULL);
  zstr_sendx(auth, "CURVE", folder, NULL);
  zsock_wait(auth);
  uint8_t public_bytes[32];
  uint8_t secret_bytes[32];
  if (!zmq_z85_decode(public_bytes, public_key)) return fail("decode", public_key);
  if (!zmq_z85_decode(secret_bytes, secret_key)) return fail("decode", "the secret key");
  zcert_t* certificate = zcert_new_from(public_bytes, secret_bytes);
  zsock_t* pull = zsock_new(ZMQ_PULL);
  zsock_set_zap_domain(pull, "global");
  zsock_set_curve_server(pull, 1);
  zcert_apply(certificate, pull);
  if (zsock_bind(pull, "tcp://127.0.0.1:*") < 0) return fail("bind", "tcp://127.0.0.1:*");
  printf("endpoint\t%s\n", zsock_endpoint(pull));
  fflush(stdout);
  for (char* message; (message = zstr_recv(pull)) != NULL; zstr_free(&message)) {
    printf("message\t%s\n", message);
    fflush(stdout);
  }
  zsock_destroy(&pull);
  zcert_destroy(&certificate);
  zactor_destroy(&auth);
  return 0;
}

int main(int count, char** words) {
  const char* command = count > 2 ? words[1] : "";
  if (streq(command, "write")) return write_keys(count - 2, words + 2);
  if (streq(command, "read")) return read_keys(words[2]);
  if (streq(command, "serve") && count == 5) return serve(words[2], words[3], words[4]);
  fprintf(stderr, "usage: czmq write|read PATH [NAME VALUE]... | serve FOLDER PUBLIC SECRET\n");
  return 2;
}
