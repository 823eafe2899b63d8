#pragma once
#include <curl/curl.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one typed door per argument kind. */

typedef size_t (*kb_curl_receiver)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode kb_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

/* libcurl copies the string, but for CURLOPT_POSTFIELDS, which has its own door below. */
static inline CURLcode kb_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/* Not copied: the bytes must live until the transfer is over, and only the caller has to wipe them. */
static inline CURLcode kb_curl_set_body(CURL *easy, const void *bytes, curl_off_t count) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, count);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes);
}

static inline CURLcode kb_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode kb_curl_set_receiver(CURL *easy, kb_curl_receiver receiver, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
    return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receiver);
}

static inline CURLcode kb_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode kb_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

/* CURL_GLOBAL_DEFAULT is a macro of macros. */
static inline CURLcode kb_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

/* Only this protocol, and no redirect to any. The option that takes names came with 7.85 and deprecated the one before it. */
static inline CURLcode kb_curl_allow_only(CURL *easy, int is_https) {
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(is_https ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
}
