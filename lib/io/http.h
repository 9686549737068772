/* Single HTTP requests, many at once: libcurl's multi interface with a judgement of each end.
 *
 * One request is one attempt; who calls decides about the next. Proxies come from the environment
 * (http_proxy, https_proxy, all_proxy, no_proxy), certificates from CURL_CA_BUNDLE, SSL_CERT_FILE
 * and SSL_CERT_DIR, else from libcurl's own default. Bodies are written where the file left off,
 * so a request for a file that has bytes already asks for the rest. */
#ifndef GC_IO_HTTP_H
#define GC_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum http_end {
    HTTP_OK,      /* the body is whole, as far as HTTP can say */
    HTTP_AGAIN,   /* broken off, 5xx, 429: another attempt may help */
    HTTP_REFUSED, /* 404 and the like, a body of the wrong size: this URL will not do */
    HTTP_SILENT,  /* the host cannot be reached, does not answer, or has no good certificate */
    HTTP_MACHINE  /* our own disk or memory */
};

struct http {
    void *multi; /* CURLM */
    double wait_s;
};

#define HTTP_NO_SIZE UINT64_MAX
#define HTTP_REASON_MAX 256

/* A request; filled in by the caller down to the line, by http_start and http_next after it. The
 * struct must stay where it is until http_next or http_abort has given it back. */
struct http_get {
    const char *url;
    int fd;
    uint64_t at;         /* bytes that the file has; grows */
    uint64_t want_bytes; /* size of the whole body, or HTTP_NO_SIZE */
    void *owner;
    /* --- */
    void *easy; /* CURL */
    uint64_t first_at;
    bool answered; /* a line of a header came */
    bool body_began, wrong_size, wrong_range;
    int write_errno;
    uint64_t range_first, range_total; /* of Content-Range; HTTP_NO_SIZE: not told */
    char curl_error[HTTP_REASON_MAX];
    enum http_end end;
    double retry_after_s; /* 0: the server says nothing */
    char reason[HTTP_REASON_MAX];
};

/* wait_s: how long a host may be silent. n_parallel: connections to one host. */
enum rc http_open(struct http *h, double wait_s, long n_parallel, struct err *e);
/* Every request must have been given back. */
void http_close(struct http *h);
enum rc http_start(struct http *h, struct http_get *g, struct err *e);
void http_abort(struct http *h, struct http_get *g);
/* Moves the requests on, waiting at most timeout_ms for something to happen (or for http_wake). */
enum rc http_turn(struct http *h, int timeout_ms, struct err *e);
/* A request that ended, or NULL. */
struct http_get *http_next(struct http *h);
/* Ends the waiting of http_turn; from any thread. */
void http_wake(struct http *h);
/* "https://host:port" of a URL, in lower case, into to; cut when too long. */
void http_host(const char *url, char *to, size_t n);

#endif
