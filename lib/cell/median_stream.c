#include "lib/cell/median_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The values with bits in [lo, lo + (n_bins << shift)); of these, those at the ranks wanted. */
struct median_search {
    uint64_t lo, width;
    unsigned shift; /* bits of a bin, in this pass */
    uint64_t n;     /* values in the range; known from pass 1 on */
    uint64_t rank;  /* of the first value wanted */
    uint32_t gene;
    unsigned char want; /* LOW, HIGH or both; HIGH alone: rank is that of the higher one */
};

enum { LOW = 1, HIGH = 2 };
enum { KEY_BYTES = 8 + 4 + 8 }; /* a kept value: key, its search, and its place when sorted */
enum { MIN_BYTES_A_GENE = 512 };

/* x = 10000 count / total with 1 <= count <= total < 2^53 lies in [2^-40, 2^14). */
static const uint64_t key_lo = (uint64_t)(1023 - 40) << 52, key_end = (uint64_t)(1023 + 14) << 52;

static uint64_t key_of(double x)
{
    uint64_t k;
    memcpy(&k, &x, sizeof k);
    return k;
}

static double value_of(uint64_t key)
{
    double x;
    memcpy(&x, &key, sizeof x);
    return x;
}

enum rc median_stream_init(struct median_stream *s, size_t n_genes, size_t bytes, struct err *e)
{
    *s = (struct median_stream){ .n_genes = n_genes, .bytes = bytes, .gathering = true };
    if (n_genes >= UINT32_MAX / 2 || bytes / MIN_BYTES_A_GENE < n_genes)
        return err_set(e, RC_USAGE, "medians of %zu genes need at least %zu KiB", n_genes,
                       n_genes * MIN_BYTES_A_GENE / 1024 + 1);
    s->max_keys = bytes / KEY_BYTES;
    s->n = calloc(n_genes + 1, sizeof *s->n);
    s->low = calloc(n_genes + 1, sizeof *s->low);
    s->high = calloc(n_genes + 1, sizeof *s->high);
    s->first_search = calloc(n_genes + 2, sizeof *s->first_search);
    s->search = calloc(2 * n_genes + 1, sizeof *s->search);
    if (!s->n || !s->low || !s->high || !s->first_search || !s->search) {
        median_stream_release(s);
        return err_set(e, RC_FAIL, "no memory for medians of %zu genes", n_genes);
    }
    s->n_search = n_genes;
    for (size_t g = 0; g < n_genes; g++) {
        s->first_search[g] = (uint32_t)g;
        s->search[g] = (struct median_search){
            .lo = key_lo, .width = key_end - key_lo, .gene = (uint32_t)g, .want = LOW | HIGH
        };
    }
    s->first_search[n_genes] = (uint32_t)n_genes;
    return RC_OK;
}

void median_stream_release(struct median_stream *s)
{
    free(s->n);
    free(s->low);
    free(s->high);
    free(s->search);
    free(s->first_search);
    free(s->key);
    free(s->key_search);
    free(s->bin);
    *s = (struct median_stream){ 0 };
}

static void count_key(struct median_stream *s, uint32_t search, uint64_t key)
{
    const struct median_search *q = &s->search[search];
    s->bin[search * s->n_bins + ((key - q->lo) >> q->shift)]++;
}

/* As many bins a search as the memory holds, a power of two; each search then has its shift. */
static enum rc make_bins(struct median_stream *s, struct err *e)
{
    s->n_bins = 16;
    while (s->n_bins < 65536 && s->n_bins * 2 * s->n_search <= s->bytes / sizeof *s->bin)
        s->n_bins *= 2;
    s->bin = calloc(s->n_search * s->n_bins + 1, sizeof *s->bin);
    if (!s->bin)
        return err_set(e, RC_FAIL, "no memory for %zu bins", s->n_search * s->n_bins);
    for (size_t i = 0; i < s->n_search; i++) {
        struct median_search *q = &s->search[i];
        for (q->shift = 0; (q->width - 1) >> q->shift >= s->n_bins;)
            q->shift++;
    }
    s->gathering = false;
    return RC_OK;
}

/* Too many values to keep: those kept so far are counted, the next ones will be. */
static enum rc give_up_gathering(struct median_stream *s, struct err *e)
{
    uint64_t *key = s->key;
    uint32_t *key_search = s->key_search;
    s->key = NULL;
    s->key_search = NULL;
    enum rc rc = make_bins(s, e);
    for (size_t i = 0; !rc && i < s->n_keys; i++)
        count_key(s, key_search[i], key[i]);
    free(key);
    free(key_search);
    s->n_keys = s->room = 0;
    return rc;
}

static enum rc keep_key(struct median_stream *s, uint32_t search, uint64_t key, struct err *e)
{
    if (s->n_keys == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        if (room > s->max_keys)
            room = s->max_keys;
        if (room == s->n_keys) {
            enum rc rc = give_up_gathering(s, e);
            if (!rc)
                count_key(s, search, key);
            return rc;
        }
        uint64_t *more = realloc(s->key, room * sizeof *more);
        if (more)
            s->key = more;
        uint32_t *more_search = realloc(s->key_search, room * sizeof *more_search);
        if (more_search)
            s->key_search = more_search;
        if (!more || !more_search)
            return err_set(e, RC_FAIL, "no memory for %zu values", room);
        s->room = room;
    }
    s->key[s->n_keys] = key;
    s->key_search[s->n_keys++] = search;
    return RC_OK;
}

enum rc median_stream_cell(struct median_stream *s, const uint32_t *gene, const uint32_t *count,
                           size_t n, uint64_t total, struct err *e)
{
    if (total >= (uint64_t)1 << 53)
        return err_set(e, RC_INPUT, "a total of %llu", (unsigned long long)total);
    for (size_t k = 0; k < n; k++) {
        assert(gene[k] < s->n_genes && count[k] > 0);
        if (count[k] > total)
            return err_set(e, RC_INPUT, "a count of %u in a cell with a total of %llu", count[k],
                           (unsigned long long)total);
        uint64_t key = key_of(count[k] * 10000.0 / (double)total);
        if (s->pass == 0)
            s->n[gene[k]]++;
        for (uint32_t i = s->first_search[gene[k]]; i < s->first_search[gene[k] + 1]; i++) {
            if (key - s->search[i].lo >= s->search[i].width)
                continue; /* below lo the difference wraps and is huge */
            enum rc rc = RC_OK;
            if (s->gathering)
                rc = keep_key(s, i, key, e);
            else
                count_key(s, i, key);
            if (rc)
                return rc;
        }
    }
    return RC_OK;
}

static void swap_keys(uint64_t *a, uint64_t *b)
{
    uint64_t t = *a;
    *a = *b;
    *b = t;
}

static int rising(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Moves the value of rank r to key[r], smaller ones in front of it, larger ones behind. */
static void select_rank(uint64_t *key, size_t n, size_t r)
{
    size_t lo = 0, hi = n;
    for (int round = 0; hi - lo > 32; round++) {
        if (round > 64) /* an input made to be slow */
            break;
        uint64_t a = key[lo], b = key[lo + (hi - lo) / 2], c = key[hi - 1];
        uint64_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        /* [lo, less) below, [less, at) equal, [more, hi) above the pivot */
        size_t less = lo, at = lo, more = hi;
        while (at < more) {
            if (key[at] < pivot)
                swap_keys(&key[less++], &key[at++]);
            else if (key[at] > pivot)
                swap_keys(&key[at], &key[--more]);
            else
                at++;
        }
        if (r < less)
            hi = less;
        else if (r >= more)
            lo = more;
        else
            return;
    }
    qsort(key + lo, hi - lo, sizeof *key, rising);
}

static void found(struct median_stream *s, const struct median_search *q, uint64_t low,
                  uint64_t high)
{
    if (q->want & LOW)
        s->low[q->gene] = value_of(low);
    if (q->want & HIGH)
        s->high[q->gene] = value_of(high);
}

/* Rank of the search's second value, counted from its first. */
static uint64_t step(const struct median_stream *s, const struct median_search *q)
{
    return q->want == (LOW | HIGH) && s->n[q->gene] % 2 == 0;
}

static void find_in(struct median_stream *s, const struct median_search *q, uint64_t *key, size_t n)
{
    size_t r = (size_t)q->rank;
    select_rank(key, n, r);
    uint64_t high = key[r];
    if (step(s, q)) {
        high = key[r + 1];
        for (size_t i = r + 2; i < n; i++)
            high = key[i] < high ? key[i] : high;
    }
    found(s, q, key[r], high);
}

static enum rc other_values(struct err *e)
{
    return err_set(e, RC_INPUT, "the cells changed between two passes");
}

/* All values of every search were kept: sort them by search, select. */
static enum rc solve(struct median_stream *s, struct err *e)
{
    size_t *start = calloc(s->n_search + 2, sizeof *start);
    uint64_t *sorted = malloc((s->n_keys + 1) * sizeof *sorted);
    enum rc rc = RC_OK;
    if (!start || !sorted)
        rc = err_set(e, RC_FAIL, "no memory to sort %zu values", s->n_keys);
    for (size_t i = 0; !rc && i < s->n_keys; i++)
        start[s->key_search[i] + 1]++;
    for (size_t i = 0; !rc && i < s->n_search; i++)
        start[i + 1] += start[i];
    for (size_t i = 0; !rc && i < s->n_keys; i++)
        sorted[start[s->key_search[i]]++] = s->key[i];
    for (size_t i = 0; !rc && i < s->n_search; i++) {
        /* start[i] is the end of search i now, and the start of the next. */
        size_t at = i ? start[i - 1] : 0, n = start[i] - at;
        if (n != s->search[i].n)
            rc = other_values(e);
        else if (n)
            find_in(s, &s->search[i], sorted + at, n);
    }
    free(start);
    free(sorted);
    return rc;
}

/* The bin that holds the value of rank r, and how many values lie in front of that bin. */
static size_t bin_of(const uint64_t *bin, uint64_t r, uint64_t *before)
{
    size_t b = 0;
    for (*before = 0; *before + bin[b] <= r; b++)
        *before += bin[b];
    return b;
}

/* A part of search q that holds wanted values; single values are found at once. */
static void narrow(struct median_stream *s, const struct median_search *q, const uint64_t *bin,
                   uint64_t r, unsigned char want, struct median_search *out, size_t *n_out)
{
    uint64_t before;
    size_t b = bin_of(bin, r, &before);
    struct median_search part = *q;
    part.lo = q->lo + ((uint64_t)b << q->shift);
    part.width = (uint64_t)1 << q->shift;
    part.n = bin[b];
    part.rank = r - before;
    part.want = want;
    if (q->shift == 0)
        found(s, &part, part.lo, part.lo);
    else
        out[(*n_out)++] = part;
}

static enum rc refine(struct median_stream *s, struct err *e)
{
    struct median_search *out = calloc(2 * s->n_genes + 1, sizeof *out);
    size_t n_out = 0;
    enum rc rc = out ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
    for (size_t i = 0; !rc && i < s->n_search; i++) {
        const struct median_search *q = &s->search[i];
        const uint64_t *bin = s->bin + i * s->n_bins;
        uint64_t n = 0, before;
        for (size_t b = 0; b < s->n_bins; b++)
            n += bin[b];
        if (n != q->n)
            rc = other_values(e);
        if (rc || n == 0)
            continue;
        uint64_t second = q->rank + step(s, q);
        size_t b = bin_of(bin, q->rank, &before);
        if (b == bin_of(bin, second, &before)) {
            narrow(s, q, bin, q->rank, q->want, out, &n_out);
        } else {
            narrow(s, q, bin, q->rank, LOW, out, &n_out);
            narrow(s, q, bin, second, HIGH, out, &n_out);
        }
    }
    free(s->bin);
    s->bin = NULL;
    if (rc) {
        free(out);
        return rc;
    }
    free(s->search);
    s->search = out;
    s->n_search = n_out;
    for (size_t g = 0, i = 0; g <= s->n_genes; g++) {
        s->first_search[g] = (uint32_t)i;
        while (i < n_out && out[i].gene == g)
            i++;
    }
    return RC_OK;
}

/* After the first pass the number of values, and with it the ranks of the middle, are known. */
static void set_ranks(struct median_stream *s)
{
    for (size_t i = 0; i < s->n_search; i++) {
        struct median_search *q = &s->search[i];
        q->n = s->n[q->gene];
        q->rank = q->n ? (q->n - 1) / 2 : 0;
    }
}

enum rc median_stream_next(struct median_stream *s, bool *again, struct err *e)
{
    *again = false;
    if (s->pass == 0)
        set_ranks(s);
    s->pass++;
    if (s->gathering) {
        enum rc rc = solve(s, e);
        s->n_keys = 0;
        return rc;
    }
    if (refine(s, e))
        return e ? e->rc : RC_FAIL;
    if (s->n_search == 0)
        return RC_OK;
    *again = true;
    uint64_t n = 0;
    for (size_t i = 0; i < s->n_search; i++)
        n += s->search[i].n;
    s->gathering = n <= s->max_keys;
    return s->gathering ? RC_OK : make_bins(s, e);
}

double median_stream_get(const struct median_stream *s, size_t gene)
{
    assert(gene < s->n_genes && s->n[gene] > 0);
    /* An odd number has one middle value; (x + x) / 2 is x. */
    return (s->low[gene] + s->high[gene]) / 2;
}
