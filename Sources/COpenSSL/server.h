/* Doors for the server side of TLS and for making certificates: what OpenSSL offers as macros or variadic functions. */
#pragma once
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

static inline EVP_PKEY *kb_server_new_p256_key(void) { return EVP_EC_gen("P-256"); }

/* Adds one extension in OpenSSL's configuration notation; 1 on success. `issuer` is needed by key identifiers. */
static inline int kb_server_add_extension(X509 *subject, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, subject, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (!extension) return 0;
  int added = X509_add_ext(subject, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}

/* What was written to `memory`, which is freed, is copied into `target`; its length, or -1 when it was not written or does not fit. */
static inline int kb_server_take(BIO *memory, int is_written, char *target, int capacity) {
  char *text = NULL;
  long size = is_written ? BIO_get_mem_data(memory, &text) : 0;
  int fits = size > 0 && size <= capacity;
  if (fits) memcpy(target, text, (size_t)size);
  BIO_free(memory);
  return fits ? (int)size : -1;
}

/* The certificate's PEM text is copied into `target`; its length, or -1 when it does not fit. */
static inline int kb_server_certificate_pem(X509 *certificate, char *target, int capacity) {
  BIO *memory = BIO_new(BIO_s_mem());
  return memory ? kb_server_take(memory, PEM_write_bio_X509(memory, certificate) == 1, target, capacity) : -1;
}

/* The first protocol of `ours` (a list as on the wire, ended by a zero) that the client offers. One that offers only others is answered
   without ALPN (RFC 7301 section 3.2 would allow an alert; providers go on). */
static inline int kb_server_select(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                                   unsigned int in_length, void *ours) {
  (void)ssl;
  int found = SSL_select_next_proto((unsigned char **)out, out_length, ours, (unsigned int)strlen(ours), in, in_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* TLS 1.2 and newer, HTTP/1.1 by ALPN, and buffers given back while a connection is idle: a thousand open streams are cheap. */
static inline void kb_server_configure(SSL_CTX *context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_alpn_select_cb(context, kb_server_select, (void *)"\x08http/1.1");
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"keybearer-sandbox", 17);
}

/* TLS 1.2 and newer, HTTP/2 or else HTTP/1.1 by ALPN; a write may be repeated from another place, as ours are. */
static inline void kb_listener_configure(SSL_CTX *context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, kb_server_select, (void *)"\x02h2\x08http/1.1");
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"keybearer", 9);
}

/* No password is asked for: a key that has one is refused. */
static inline int kb_no_password(char *buffer, int size, int writing, void *unused) {
  (void)buffer;
  (void)size;
  (void)writing;
  (void)unused;
  return -1;
}

/* Certificate, chain and key from PEM text; 0, or 1 for the certificate, 2 for the key, 3 when they do not belong together. */
static inline int kb_listener_use(SSL_CTX *context, const void *certificate, int certificate_size, const void *key, int key_size) {
  int flaw = 1;
  BIO *bio = BIO_new_mem_buf(certificate, certificate_size);
  X509 *own = bio ? PEM_read_bio_X509(bio, NULL, kb_no_password, NULL) : NULL;
  if (own && SSL_CTX_use_certificate(context, own) == 1) flaw = 0;
  X509 *next = NULL;
  while (flaw == 0 && (next = PEM_read_bio_X509(bio, NULL, kb_no_password, NULL)))
    if (SSL_CTX_add0_chain_cert(context, next) != 1) X509_free(next);
  X509_free(own);
  BIO_free(bio);
  if (flaw) return flaw;
  bio = BIO_new_mem_buf(key, key_size);
  EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, kb_no_password, NULL) : NULL;
  if (!pkey) flaw = 2;
  else if (SSL_CTX_use_PrivateKey(context, pkey) != 1 || SSL_CTX_check_private_key(context) != 1) flaw = 3;
  EVP_PKEY_free(pkey);
  BIO_free(bio);
  return flaw;
}

/* The key's PEM text (PKCS 8, no password) is copied into `target`; its length, or -1 when it does not fit. */
static inline int kb_server_key_pem(EVP_PKEY *key, char *target, int capacity) {
  BIO *memory = BIO_new(BIO_s_secmem());
  if (!memory) return -1;
  return kb_server_take(memory, PEM_write_bio_PKCS8PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1, target, capacity);
}
