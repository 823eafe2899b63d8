/* Doors to OpenSSL's macros, which Swift does not see. */
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline long kb_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
static inline long kb_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long kb_set_minimum_tls12(SSL_CTX *context) { return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); }
static inline void kb_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void kb_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline int kb_wire_type(void) { return BIO_get_new_index() | BIO_TYPE_SOURCE_SINK; }
static inline int kb_require_ip(SSL *ssl, const char *ip) { return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), ip); }

/* HMAC-SHA-256 with the pads hashed once. The one-shot HMAC() looks the digest up and allocates each time, which costs more than the
   hashing; these functions are marked deprecated since OpenSSL 3.0 and are there. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
struct kb_hmac_key {
  SHA256_CTX inner, outer;
};
static inline void kb_hmac_prepare(struct kb_hmac_key *target, const unsigned char *key, size_t count) {
  unsigned char pad[64];
  for (size_t at = 0; at < 64; at++) pad[at] = (unsigned char)((at < count ? key[at] : 0) ^ 0x36);
  SHA256_Init(&target->inner);
  SHA256_Update(&target->inner, pad, 64);
  for (size_t at = 0; at < 64; at++) pad[at] ^= 0x36 ^ 0x5c;
  SHA256_Init(&target->outer);
  SHA256_Update(&target->outer, pad, 64);
  OPENSSL_cleanse(pad, 64);
}
static inline void kb_hmac(const struct kb_hmac_key *key, const void *message, size_t count, unsigned char *code) {
  SHA256_CTX state = key->inner;
  SHA256_Update(&state, message, count);
  SHA256_Final(code, &state);
  state = key->outer;
  SHA256_Update(&state, code, 32);
  SHA256_Final(code, &state);
}
static inline int kb_hmac_equals(const struct kb_hmac_key *key, const void *message, size_t count, const void *expected) {
  unsigned char code[32];
  kb_hmac(key, message, count, code);
  return CRYPTO_memcmp(code, expected, 32) == 0;
}
#pragma GCC diagnostic pop
