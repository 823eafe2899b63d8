/* The system's authorities, looked up when one is asked for. OpenSSL's own default reads the whole bundle (140 certificates: 10-20 ms and 3 MB)
   before anybody has been verified; here an authority comes out of the hashed directory, and the bundle is read once, by the first look-up
   that the directory has no answer to. Trusted is what is trusted by default; of two authorities with one name, the first that is found. */
#pragma once
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

struct kb_bundle {
  CRYPTO_RWLOCK *lock;
  char *path;
  int is_read;
};

static inline void kb_bundle_free(X509_LOOKUP *lookup) {
  struct kb_bundle *bundle = X509_LOOKUP_get_method_data(lookup);
  if (!bundle) return;
  CRYPTO_THREAD_lock_free(bundle->lock);
  OPENSSL_free(bundle->path);
  OPENSSL_free(bundle);
}

/* OpenSSL asks the store's own objects first, then each of its look-ups: this one reads the bundle into the store. 1 when it held `name`. */
static inline int kb_bundle_by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *found) {
  struct kb_bundle *bundle = X509_LOOKUP_get_method_data(lookup);
  X509_STORE *store = X509_LOOKUP_get_store(lookup);
  if (type != X509_LU_X509 || !bundle || !CRYPTO_THREAD_write_lock(bundle->lock)) return 0;
  if (!bundle->is_read) {
    /* No bundle, or one that ends in something else, is no error of the connection that is being made. */
    ERR_set_mark();
    X509_load_cert_crl_file(lookup, bundle->path, X509_FILETYPE_PEM);
    ERR_pop_to_mark();
    bundle->is_read = 1;
  }
  CRYPTO_THREAD_unlock(bundle->lock);
  X509_STORE_lock(store);
  X509_OBJECT *held = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), type, name);
  X509 *certificate = held ? X509_OBJECT_get0_X509(held) : NULL;
  int is_set = certificate && X509_OBJECT_set1_X509(found, certificate);
  /* The caller counts a reference of its own; the store's keeps the certificate. */
  if (is_set) X509_free(certificate);
  X509_STORE_unlock(store);
  return is_set;
}

/* The method of all such look-ups: made once, kept for good. */
static inline X509_LOOKUP_METHOD *kb_bundle_method(void) {
  X509_LOOKUP_METHOD *method = X509_LOOKUP_meth_new("authorities read when they are needed");
  if (!method) return NULL;
  X509_LOOKUP_meth_set_free(method, kb_bundle_free);
  X509_LOOKUP_meth_set_get_by_subject(method, kb_bundle_by_subject);
  return method;
}

/* Glibc declares it for _GNU_SOURCE alone, which a module of Swift's does not have. */
extern char *secure_getenv(const char *name);

/* Where OpenSSL looks for the system's bundle. */
static inline const char *kb_system_bundle(void) {
  const char *path = secure_getenv(X509_get_default_cert_file_env());
  return path ? path : X509_get_default_cert_file();
}

/* Lets `store` trust the system's authorities: those of the directory where OpenSSL looks for them ($SSL_CERT_DIR), and of the bundle at `path`.
   1 on success. */
static inline int kb_trust_system(X509_STORE *store, X509_LOOKUP_METHOD *method, const char *path) {
  X509_LOOKUP *directory = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
  if (!directory || X509_LOOKUP_add_dir(directory, NULL, X509_FILETYPE_DEFAULT) != 1) return 0;
  X509_LOOKUP *lookup = X509_STORE_add_lookup(store, method);
  struct kb_bundle *bundle = OPENSSL_zalloc(sizeof *bundle);
  if (bundle) bundle->lock = CRYPTO_THREAD_lock_new();
  if (bundle) bundle->path = OPENSSL_strdup(path);
  if (!lookup || !bundle || !bundle->lock || !bundle->path || X509_LOOKUP_set_method_data(lookup, bundle) != 1) {
    if (bundle) CRYPTO_THREAD_lock_free(bundle->lock), OPENSSL_free(bundle->path), OPENSSL_free(bundle);
    return 0;
  }
  return 1;
}
