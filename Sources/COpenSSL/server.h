/* Doors for the server side of TLS and for making certificates: what OpenSSL offers as macros or variadic functions. */
#pragma once
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

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

/* The certificate's PEM text is copied into `target`; its length, or -1 when it does not fit. */
static inline int kb_server_certificate_pem(X509 *certificate, char *target, int capacity) {
  BIO *memory = BIO_new(BIO_s_mem());
  if (!memory) return -1;
  char *text = NULL;
  int length = -1;
  if (PEM_write_bio_X509(memory, certificate) == 1) {
    long size = BIO_get_mem_data(memory, &text);
    if (size > 0 && size <= capacity) {
      memcpy(target, text, (size_t)size);
      length = (int)size;
    }
  }
  BIO_free(memory);
  return length;
}

/* The first protocol of the client's list that is HTTP/1.1: the sandbox speaks nothing else. A client that offers only
   others is answered without ALPN (RFC 7301 section 3.2 would allow an alert; providers go on). */
static inline int kb_server_select_http11(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                                          unsigned int in_length, void *unused) {
  static const unsigned char ours[] = "\x08http/1.1";
  (void)ssl;
  (void)unused;
  int found = SSL_select_next_proto((unsigned char **)out, out_length, ours, sizeof ours - 1, in, in_length);
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* TLS 1.2 and newer, HTTP/1.1 by ALPN, and buffers given back while a connection is idle: a thousand open streams are cheap. */
static inline void kb_server_configure(SSL_CTX *context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_alpn_select_cb(context, kb_server_select_http11, NULL);
  SSL_CTX_set_session_id_context(context, (const unsigned char *)"keybearer-sandbox", 17);
}
