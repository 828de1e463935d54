// libcurl's types, and its functions as a table of pointers. Nothing links against the library: it is opened at run time,
// so that a machine without it still serves, and other commands do not load the thirty libraries that it needs.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>

#define QUIRE_CURL_FUNCTIONS(X) \
    X(global_init) X(easy_init) X(easy_cleanup) X(easy_reset) X(easy_setopt) X(easy_getinfo) X(easy_perform) \
    X(easy_strerror) X(slist_append) X(slist_free_all)

#define QUIRE_CURL_MEMBER(name) __typeof__(&curl_##name) _Nonnull name;

struct quire_curl_functions { QUIRE_CURL_FUNCTIONS(QUIRE_CURL_MEMBER) };

#define QUIRE_CURL_LOAD(name) \
    { void *found = dlsym(library, "curl_" #name); \
      if (!found) return "curl_" #name; \
      functions->name = (__typeof__(&curl_##name))found; }

/// Fills the table; returns the name of the first function that is missing, or null.
static inline const char *_Nullable quire_load_curl_functions(
    void *_Nonnull library, struct quire_curl_functions *_Nonnull functions) {
    QUIRE_CURL_FUNCTIONS(QUIRE_CURL_LOAD)
    return 0;
}

// CURLOPT_PROTOCOLS: deprecated since 7.85, but libraries before do not know its successor.
static const CURLoption quire_curl_protocols = (CURLoption)181;

// Swift cannot call functions with a variable number of arguments.

static inline CURLcode quire_curl_set_long(
    const struct quire_curl_functions *_Nonnull curl, CURL *_Nonnull handle, CURLoption option, long value) {
    return curl->easy_setopt(handle, option, value);
}

static inline CURLcode quire_curl_set_text(
    const struct quire_curl_functions *_Nonnull curl, CURL *_Nonnull handle, CURLoption option,
    const char *_Nullable value) {
    return curl->easy_setopt(handle, option, value);
}

static inline CURLcode quire_curl_set_pointer(
    const struct quire_curl_functions *_Nonnull curl, CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
    return curl->easy_setopt(handle, option, value);
}

/// Receives a header line or a piece of the body; any result but `size * count` ends the transfer.
typedef size_t (*quire_curl_receiver)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);

static inline CURLcode quire_curl_set_receiver(
    const struct quire_curl_functions *_Nonnull curl, CURL *_Nonnull handle, CURLoption option,
    quire_curl_receiver _Nonnull value) {
    return curl->easy_setopt(handle, option, value);
}

static inline const char *_Nullable quire_curl_get_text(
    const struct quire_curl_functions *_Nonnull curl, CURL *_Nonnull handle, CURLINFO info) {
    char *value = 0;
    return curl->easy_getinfo(handle, info, &value) == CURLE_OK ? value : 0;
}
