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
