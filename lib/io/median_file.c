#include "lib/io/median_file.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const char magic[] = "GCMEDIAN1\n";
static const uint64_t total_end = (uint64_t)1 << 53; /* a double holds every total below it */

/* ---- writing ---- */

static void put_number(FILE *f, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        putc_unlocked((int)(v & 127) | 128, f);
    putc_unlocked((int)v, f);
}

void median_writer_start(struct median_writer *w, FILE *f)
{
    *w = (struct median_writer){ .f = f };
    fwrite(magic, 1, sizeof magic - 1, f);
}

static void put_pair(struct median_writer *w)
{
    if (!w->n)
        return;
    put_number(w->f, (w->total - w->at_total) << 1 | (w->n > 1));
    if (w->n > 1)
        put_number(w->f, w->n - 2);
    w->at_total = w->total;
    w->n_values += w->n;
    w->n = 0;
}

static void end_gene(struct median_writer *w)
{
    put_pair(w);
    if (w->at_total)
        putc_unlocked(0, w->f); /* of totals */
    if (w->in_gene)
        putc_unlocked(0, w->f); /* of counts */
    w->in_gene = false;
    w->at_total = 0;
    w->count = 0;
}

/* What a line of medians.tsv can hold. */
static bool good_id(const char *id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)id[i] < 32 || id[i] == 127)
            return false;
    return n > 0 && n <= MEDIAN_ID_MAX;
}

enum rc median_writer_gene(struct median_writer *w, const char *id, struct err *e)
{
    const size_t n = strlen(id);
    end_gene(w);
    if (!good_id(id, n))
        return err_set(e, RC_INPUT, "no gene's id: '%.40s'", id);
    put_number(w->f, n);
    fwrite(id, 1, n, w->f);
    w->in_gene = true;
    w->n_genes++;
    return RC_OK;
}

void median_writer_put(struct median_writer *w, uint32_t count, uint64_t total, uint64_t n)
{
    assert(w->in_gene && count > 0 && count <= total && total < total_end && n > 0);
    assert(count > w->count || (count == w->count && total >= (w->n ? w->total : w->at_total)));
    if (count == w->count && total == w->total && w->n) {
        w->n += n;
        return;
    }
    put_pair(w);
    if (count != w->count) {
        if (w->at_total)
            putc_unlocked(0, w->f);
        put_number(w->f, count - w->count);
        w->count = count;
        w->at_total = 0;
    }
    w->total = total;
    w->n = n;
}

void median_writer_end(struct median_writer *w, uint64_t n_cells)
{
    end_gene(w);
    putc_unlocked(0, w->f);
    put_number(w->f, n_cells);
    put_number(w->f, w->n_genes);
    put_number(w->f, w->n_values);
}

/* ---- reading ---- */

/* In front of the sentence: the file, and the gene if there is one by now. */
static enum rc bad(const struct median_reader *r, const char *what, struct err *e)
{
    if (ferror(r->f))
        return err_set(e, RC_FAIL, "cannot read '%s': %s", r->name, strerror(errno));
    if (!r->n_genes)
        return err_set(e, RC_INPUT, "'%s': %s", r->name, what);
    return err_set(e, RC_INPUT, "'%s': at gene %llu: %s", r->name, (unsigned long long)r->n_genes,
                   what);
}

static enum rc get_number(struct median_reader *r, uint64_t *v, struct err *e)
{
    *v = 0;
    for (unsigned shift = 0;; shift += 7) {
        const int c = getc_unlocked(r->f);
        if (c == EOF)
            return bad(r, "it ends too early", e);
        if (shift == 63 && c > 1)
            return bad(r, "a number of more than 64 bits", e);
        *v |= (uint64_t)(c & 127) << shift;
        if (c < 128)
            return c == 0 && shift ? bad(r, "a number that is longer than it must be", e) : RC_OK;
    }
}

enum rc median_reader_start(struct median_reader *r, FILE *f, const char *name, struct err *e)
{
    char head[sizeof magic - 1];
    *r = (struct median_reader){ .f = f, .name = name };
    if (fread(head, 1, sizeof head, f) != sizeof head || memcmp(head, magic, sizeof head) != 0)
        return err_set(e, RC_INPUT, "'%s' is no partial of median", name);
    return RC_OK;
}

static enum rc get_end(struct median_reader *r, struct err *e)
{
    uint64_t n_genes, n_values;
    if (get_number(r, &r->n_cells, e) || get_number(r, &n_genes, e) || get_number(r, &n_values, e))
        return e ? e->rc : RC_FAIL;
    if (n_genes != r->n_genes || n_values != r->n_values)
        return bad(r, "its sums are those of another file", e);
    return getc_unlocked(r->f) == EOF ? RC_OK : bad(r, "something follows its end", e);
}

enum rc median_reader_gene(struct median_reader *r, bool *more, struct err *e)
{
    char last[MEDIAN_ID_MAX + 1];
    uint64_t n;
    assert(!r->in_gene);
    *more = false;
    memcpy(last, r->id, sizeof last);
    enum rc rc = get_number(r, &n, e);
    if (rc || n == 0)
        return rc ? rc : get_end(r, e);
    if (n > MEDIAN_ID_MAX)
        return bad(r, "an id that is too long", e);
    memset(r->id, 0, sizeof r->id);
    if (fread(r->id, 1, (size_t)n, r->f) != n)
        return bad(r, "it ends too early", e);
    if (!good_id(r->id, (size_t)n))
        return bad(r, "an id with odd characters", e);
    if (strcmp(last, r->id) >= 0)
        return bad(r, "its ids do not rise", e);
    r->n_genes++;
    r->in_gene = *more = true;
    r->in_count = false;
    r->count = 0;
    r->gene_values = r->n_values;
    r->gene_at = ftell(r->f);
    return RC_OK;
}

/* To the next count of this gene, or its end. */
static enum rc next_count(struct median_reader *r, struct err *e)
{
    uint64_t v;
    if (get_number(r, &v, e))
        return e ? e->rc : RC_FAIL;
    if (v == 0) {
        r->in_gene = false;
        return r->count ? RC_OK : bad(r, "it has no counts", e);
    }
    if (v > UINT32_MAX - r->count)
        return bad(r, "a count of more than 32 bits", e);
    r->count += (uint32_t)v;
    r->in_count = true;
    r->total = 0;
    return RC_OK;
}

static enum rc take_pair(struct median_reader *r, uint64_t code, struct err *e)
{
    if (code >> 1 == 0 || code >> 1 >= total_end - r->total)
        return bad(r, "a total that does not rise, or is too large", e);
    r->total += code >> 1;
    if (r->count > r->total)
        return bad(r, "a count above its total", e);
    r->n = 1;
    if (code & 1) {
        if (get_number(r, &r->n, e))
            return e ? e->rc : RC_FAIL;
        if (r->n > UINT64_MAX / 4)
            return bad(r, "too many values", e);
        r->n += 2;
    }
    if (r->n_values > UINT64_MAX / 2 - r->n)
        return bad(r, "too many values", e);
    r->n_values += r->n;
    return RC_OK;
}

enum rc median_reader_next(struct median_reader *r, bool *more, struct err *e)
{
    enum rc rc = RC_OK;
    assert(r->in_gene);
    *more = false;
    while (!rc) {
        uint64_t code;
        if (!r->in_count) {
            rc = next_count(r, e);
            if (rc || !r->in_gene)
                return rc;
        }
        rc = get_number(r, &code, e);
        if (!rc && code == 0) {
            r->in_count = false;
            if (r->total == 0)
                rc = bad(r, "a count without totals", e);
        } else if (!rc) {
            rc = take_pair(r, code, e);
            *more = !rc;
            return rc;
        }
    }
    return rc;
}

enum rc median_reader_again(struct median_reader *r, struct err *e)
{
    if (fseek(r->f, r->gene_at, SEEK_SET) != 0)
        return err_set(e, RC_FAIL, "cannot read '%s' again: %s", r->name, strerror(errno));
    r->n_values = r->gene_values;
    r->in_gene = true;
    r->in_count = false;
    r->count = 0;
    return RC_OK;
}
