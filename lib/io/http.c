#include "lib/io/http.h"

#include <curl/curl.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/base/version.h"

/* Slower than this over wait_s seconds counts as silence. */
enum { SLOWEST_BYTES_PER_S = 100 };

enum rc http_open(struct http *h, double wait_s, long n_parallel, struct err *e)
{
    *h = (struct http){ .wait_s = wait_s };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(e, RC_FAIL, "cannot start libcurl");
    h->multi = curl_multi_init();
    if (!h->multi) {
        curl_global_cleanup();
        return err_set(e, RC_FAIL, "no memory for libcurl");
    }
    curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, n_parallel);
    return RC_OK;
}

void http_close(struct http *h)
{
    if (!h->multi)
        return;
    curl_multi_cleanup(h->multi);
    curl_global_cleanup();
    *h = (struct http){ 0 };
}

void http_host(const char *url, char *to, size_t n)
{
    const char *host = strstr(url, "://");
    size_t head = host ? (size_t)(host - url) + 3 : 0;
    size_t len = head + strcspn(url + head, "/?#");
    const char *at = memchr(url + head, '@', len - head); /* user:password@ is nobody's business */
    size_t i = 0;
    for (const char *s = url; s < url + len && i + 1 < n; s++) {
        if (at && s == url + head)
            s = at + 1;
        to[i++] = (char)tolower((unsigned char)*s);
    }
    to[i] = '\0';
}

/* --- what comes in ------------------------------------------------------------------------ */

/* "Content-Range: bytes 5-9/10" or "bytes STAR/10". */
static void read_range(struct http_get *g, const char *s)
{
    s += strspn(s, " \t");
    if (strncasecmp(s, "bytes", 5) != 0)
        return;
    s += 5;
    s += strspn(s, " \t");
    if (isdigit((unsigned char)*s))
        g->range_first = strtoull(s, NULL, 10);
    const char *slash = strchr(s, '/');
    if (slash && isdigit((unsigned char)slash[1]))
        g->range_total = strtoull(slash + 1, NULL, 10);
}

static size_t on_header(char *data, size_t one, size_t n, void *ctx)
{
    static const char name[] = "content-range:";
    struct http_get *g = ctx;
    char line[128];
    g->answered = true;
    size_t len = n * one < sizeof line - 1 ? n * one : sizeof line - 1;
    memcpy(line, data, len);
    line[len] = '\0';
    if (strncasecmp(line, "HTTP/", 5) == 0) /* a new answer: after a redirect or a proxy's */
        g->range_first = g->range_total = HTTP_NO_SIZE;
    if (strncasecmp(line, name, sizeof name - 1) == 0)
        read_range(g, line + sizeof name - 1);
    return n * one;
}

static bool bad_size(struct http_get *g, uint64_t is)
{
    snprintf(g->reason, sizeof g->reason, "has %llu bytes, not %llu", (unsigned long long)is,
             (unsigned long long)g->want_bytes);
    g->wrong_size = true;
    return false;
}

/* Where the body goes: behind what is there, or over it when the server sends all from the start.
 * A length that cannot be right is refused before the bytes have come. */
static bool begin_body(struct http_get *g)
{
    long status = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(g->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    g->body_began = true;
    if (status != 206 || g->range_first != g->at) {
        if (status == 206 && g->range_first != 0) {
            snprintf(g->reason, sizeof g->reason, "answers with another range than was asked for");
            g->wrong_range = true;
            return false;
        }
        if (g->at && ftruncate(g->fd, 0) != 0) {
            g->write_errno = errno;
            return false;
        }
        g->at = g->first_at = 0;
    }
    if (g->want_bytes != HTTP_NO_SIZE && length >= 0 && g->at + (uint64_t)length != g->want_bytes)
        return bad_size(g, g->at + (uint64_t)length);
    return true;
}

static size_t on_body(char *data, size_t one, size_t n, void *ctx)
{
    struct http_get *g = ctx;
    size_t len = n * one;
    if (!g->body_began && !begin_body(g))
        return 0;
    if (g->want_bytes != HTTP_NO_SIZE && len > g->want_bytes - g->at) {
        snprintf(g->reason, sizeof g->reason, "has more than %llu bytes",
                 (unsigned long long)g->want_bytes);
        g->wrong_size = true;
        return 0;
    }
    for (size_t done = 0; done < len;) {
        ssize_t put = pwrite(g->fd, data + done, len - done, (off_t)g->at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            g->write_errno = errno;
            return 0;
        }
        done += (size_t)put;
        g->at += (uint64_t)put;
    }
    return len;
}

/* --- a request ---------------------------------------------------------------------------- */

static const char *environment(const char *name)
{
    const char *s = getenv(name);
    return s && *s ? s : NULL;
}

/* libcurl itself reads the proxies; certificates are left to its caller. */
static void set_certificates(CURL *c)
{
    const char *file = environment("CURL_CA_BUNDLE");
    const char *dir = environment("SSL_CERT_DIR");
    if (!file)
        file = environment("SSL_CERT_FILE");
    if (file)
        curl_easy_setopt(c, CURLOPT_CAINFO, file);
    if (dir)
        curl_easy_setopt(c, CURLOPT_CAPATH, dir);
}

static void set_protocols(CURL *c)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name server that hangs would otherwise hold up the end of the process. */
    curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_waits(CURL *c, double wait_s)
{
    long s = (long)(wait_s + 0.999);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(wait_s * 1000));
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST_BYTES_PER_S);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, s > 0 ? s : 1L);
}

enum rc http_start(struct http *h, struct http_get *g, struct err *e)
{
    CURL *c = curl_easy_init();
    if (!c)
        return err_set(e, RC_FAIL, "no memory for libcurl");
    g->easy = c;
    g->first_at = g->at;
    g->answered = g->body_began = g->wrong_size = g->wrong_range = false;
    g->write_errno = 0;
    g->range_first = g->range_total = HTTP_NO_SIZE;
    g->retry_after_s = 0;
    g->reason[0] = g->curl_error[0] = '\0';
    curl_easy_setopt(c, CURLOPT_URL, g->url);
    curl_easy_setopt(c, CURLOPT_PRIVATE, g);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, g->curl_error);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "genecompass-fetch/" GC_VERSION);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    /* What a proxy says about a tunnel is no answer of the host. */
    curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, g);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
    set_protocols(c);
    set_certificates(c);
    set_waits(c, h->wait_s);
    char range[32];
    if (g->at) {
        snprintf(range, sizeof range, "%llu-", (unsigned long long)g->at);
        curl_easy_setopt(c, CURLOPT_RANGE, range);
    }
    if (curl_multi_add_handle(h->multi, c) == CURLM_OK)
        return RC_OK;
    curl_easy_cleanup(c);
    g->easy = NULL;
    return err_set(e, RC_FAIL, "libcurl takes no more requests");
}

void http_abort(struct http *h, struct http_get *g)
{
    if (!g->easy)
        return;
    curl_multi_remove_handle(h->multi, g->easy);
    curl_easy_cleanup(g->easy);
    g->easy = NULL;
}

enum rc http_turn(struct http *h, int timeout_ms, struct err *e)
{
    int running;
    CURLMcode code = curl_multi_perform(h->multi, &running);
    if (code == CURLM_OK)
        code = curl_multi_poll(h->multi, NULL, 0, timeout_ms, NULL);
    if (code == CURLM_OK)
        code = curl_multi_perform(h->multi, &running);
    return code == CURLM_OK ? RC_OK
                            : err_set(e, RC_FAIL, "libcurl failed: %s", curl_multi_strerror(code));
}

void http_wake(struct http *h)
{
    curl_multi_wakeup(h->multi);
}

/* --- how it ended ------------------------------------------------------------------------- */

/* From the start, then: the next attempt asks for no range. */
static enum http_end start_over(struct http_get *g)
{
    g->at = 0;
    return ftruncate(g->fd, 0) == 0 ? HTTP_AGAIN : HTTP_MACHINE;
}

static enum http_end judge_status(struct http_get *g, long status)
{
    curl_off_t after = 0;
    if (status == 416) {
        /* Nothing behind what we have: either it is all there, or it is not the file's. */
        if (g->range_total == g->at && g->want_bytes == HTTP_NO_SIZE)
            return HTTP_OK;
        snprintf(g->reason, sizeof g->reason, "has less than an earlier run had loaded");
        return start_over(g);
    }
    snprintf(g->reason, sizeof g->reason, "answers with status %ld", status);
    if (status != 408 && status != 425 && status != 429 && status < 500)
        return HTTP_REFUSED;
    if (status == 501 || status == 505)
        return HTTP_REFUSED;
    if (curl_easy_getinfo(g->easy, CURLINFO_RETRY_AFTER, &after) == CURLE_OK && after > 0)
        g->retry_after_s = (double)after;
    return HTTP_AGAIN;
}

static enum http_end judge_failure(struct http_get *g, CURLcode code, double wait_s)
{
    const char *why = g->curl_error[0] ? g->curl_error : curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
        snprintf(g->reason, sizeof g->reason, "cannot be reached (%.180s)", why);
        return HTTP_SILENT;
    case CURLE_OPERATION_TIMEDOUT:
        if (g->answered && g->at > g->first_at) {
            snprintf(g->reason, sizeof g->reason, "stopped sending for %.3g s", wait_s);
            return HTTP_AGAIN;
        }
        snprintf(g->reason, sizeof g->reason, "did not answer within %.3g s", wait_s);
        return g->answered ? HTTP_AGAIN : HTTP_SILENT;
    case CURLE_OUT_OF_MEMORY:
        snprintf(g->reason, sizeof g->reason, "no memory");
        return HTTP_MACHINE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_TOO_MANY_REDIRECTS:
        snprintf(g->reason, sizeof g->reason, "%.200s", why);
        return HTTP_REFUSED;
    default:
        snprintf(g->reason, sizeof g->reason, "broke off (%.200s)", why);
        return HTTP_AGAIN;
    }
}

static enum http_end judge(struct http_get *g, CURLcode code, double wait_s)
{
    long status = 0, proxy_status = 0;
    curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(g->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    if (g->write_errno) {
        snprintf(g->reason, sizeof g->reason, "%s", strerror(g->write_errno));
        return HTTP_MACHINE;
    }
    if (g->wrong_size)
        return HTTP_REFUSED;
    if (g->wrong_range)
        return start_over(g);
    if (code != CURLE_OK && proxy_status >= 400) {
        /* The tunnel was refused: the host is out of reach. */
        snprintf(g->reason, sizeof g->reason, "cannot be reached: the proxy says %ld",
                 proxy_status);
        return HTTP_SILENT;
    }
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return judge_status(g, status);
    if (code != CURLE_OK)
        return judge_failure(g, code, wait_s);
    if (status < 200 || status > 299) {
        snprintf(g->reason, sizeof g->reason, "answers with status %ld", status);
        return HTTP_REFUSED;
    }
    /* An empty body never reached on_body. */
    if (!g->body_began && !begin_body(g))
        return g->write_errno ? HTTP_MACHINE : HTTP_REFUSED;
    if (g->want_bytes == HTTP_NO_SIZE || g->at == g->want_bytes)
        return HTTP_OK;
    curl_off_t length = -1;
    curl_easy_getinfo(g->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    bad_size(g, g->at);
    /* Without a length, a broken connection looks like the end. */
    return length < 0 ? HTTP_AGAIN : HTTP_REFUSED;
}

struct http_get *http_next(struct http *h)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct http_get *g = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&g);
        g->end = judge(g, code, h->wait_s);
        http_abort(h, g);
        return g;
    }
    return NULL;
}
