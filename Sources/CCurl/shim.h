#pragma once
#include <curl/curl.h>
#include <dlfcn.h>

/* libcurl is opened when the first token request is made and not linked: it brings thirty libraries along, which would cost every start
   10 ms and several MB. This table holds what is used of it. curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call:
   one typed door per argument kind. */
struct kb_curl {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    CURLcode (*easy_perform)(CURL *easy);
    void *easy_setopt, *easy_getinfo;
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
    void (*slist_free_all)(struct curl_slist *list);
};

typedef CURLcode (*kb_curl_setopt)(CURL *easy, CURLoption option, ...);
typedef CURLcode (*kb_curl_getinfo)(CURL *easy, CURLINFO info, ...);
typedef size_t (*kb_curl_receiver)(char *bytes, size_t size, size_t count, void *context);

/* Opens libcurl by the name of its ABI, which has been the same since 2006; 1 when all is there. CURL_GLOBAL_DEFAULT is a macro of macros. */
static inline int kb_curl_open(struct kb_curl *curl) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return 0;
    curl->global_init = (CURLcode(*)(long))dlsym(library, "curl_global_init");
    curl->easy_init = (CURL * (*)(void)) dlsym(library, "curl_easy_init");
    curl->easy_cleanup = (void (*)(CURL *))dlsym(library, "curl_easy_cleanup");
    curl->easy_perform = (CURLcode(*)(CURL *))dlsym(library, "curl_easy_perform");
    curl->easy_setopt = dlsym(library, "curl_easy_setopt");
    curl->easy_getinfo = dlsym(library, "curl_easy_getinfo");
    curl->slist_append = (struct curl_slist * (*)(struct curl_slist *, const char *)) dlsym(library, "curl_slist_append");
    curl->slist_free_all = (void (*)(struct curl_slist *))dlsym(library, "curl_slist_free_all");
    return curl->global_init && curl->easy_init && curl->easy_cleanup && curl->easy_perform && curl->easy_setopt && curl->easy_getinfo &&
           curl->slist_append && curl->slist_free_all && curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static inline CURLcode kb_curl_set_long(const struct kb_curl *curl, CURL *easy, CURLoption option, long value) {
    return ((kb_curl_setopt)curl->easy_setopt)(easy, option, value);
}

/* libcurl copies the string, but for CURLOPT_POSTFIELDS, which has its own door below. */
static inline CURLcode kb_curl_set_string(const struct kb_curl *curl, CURL *easy, CURLoption option, const char *value) {
    return ((kb_curl_setopt)curl->easy_setopt)(easy, option, value);
}

/* Not copied: the bytes must live until the transfer is over, and only the caller has to wipe them. */
static inline CURLcode kb_curl_set_body(const struct kb_curl *curl, CURL *easy, const void *bytes, curl_off_t count) {
    kb_curl_setopt set = (kb_curl_setopt)curl->easy_setopt;
    CURLcode code = set(easy, CURLOPT_POSTFIELDSIZE_LARGE, count);
    return code != CURLE_OK ? code : set(easy, CURLOPT_POSTFIELDS, bytes);
}

static inline CURLcode kb_curl_set_list(const struct kb_curl *curl, CURL *easy, CURLoption option, struct curl_slist *value) {
    return ((kb_curl_setopt)curl->easy_setopt)(easy, option, value);
}

static inline CURLcode kb_curl_set_receiver(const struct kb_curl *curl, CURL *easy, kb_curl_receiver receiver, void *context) {
    kb_curl_setopt set = (kb_curl_setopt)curl->easy_setopt;
    CURLcode code = set(easy, CURLOPT_WRITEDATA, context);
    return code != CURLE_OK ? code : set(easy, CURLOPT_WRITEFUNCTION, receiver);
}

static inline CURLcode kb_curl_get_long(const struct kb_curl *curl, CURL *easy, CURLINFO info, long *value) {
    return ((kb_curl_getinfo)curl->easy_getinfo)(easy, info, value);
}

static inline CURLcode kb_curl_get_offset(const struct kb_curl *curl, CURL *easy, CURLINFO info, curl_off_t *value) {
    return ((kb_curl_getinfo)curl->easy_getinfo)(easy, info, value);
}

/* Where libcurl looks for authorities by itself: a bundle, or a directory of hashed names. Its own text, for as long as the handle is as it
   is; NULL where there is none, or where libcurl is older than 7.84 and does not say. */
static inline const char *kb_curl_authorities(const struct kb_curl *curl, CURL *easy, int is_directory) {
    const char *value = NULL;
#if LIBCURL_VERSION_NUM >= 0x075400
    ((kb_curl_getinfo)curl->easy_getinfo)(easy, is_directory ? CURLINFO_CAPATH : CURLINFO_CAINFO, &value);
#endif
    return value;
}

/* Only this protocol, and no redirect to any. The option that takes names came with 7.85 and deprecated the one before it; the library may be
   older than the header. */
static inline CURLcode kb_curl_allow_only(const struct kb_curl *curl, CURL *easy, int is_https) {
    kb_curl_setopt set = (kb_curl_setopt)curl->easy_setopt;
#if LIBCURL_VERSION_NUM >= 0x075500
    if (set(easy, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http") == CURLE_OK) return CURLE_OK;
#endif
    return set(easy, CURLOPT_PROTOCOLS, (long)(is_https ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
}
