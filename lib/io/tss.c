#include "lib/io/tss.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/lines.h"

enum { MAX_FIELDS = 64 };
enum { AT_SEQUENCE, AT_START, AT_END, AT_TSS, AT_STRAND, AT_NAME, AT_ID, N_PLACES };

struct layout {
    int place[N_PLACES]; /* column, or -1 */
    size_t n_fields;
    bool header;
    bool from_one; /* start and end count from 1, as Ensembl's do */
};

static const char *const words[N_PLACES][6] = { { "chr", "chrom", "chromosome", "#chr", "#chrom" },
                                                { "start" },
                                                { "end" },
                                                { "tss" },
                                                { "strand" },
                                                { "name", "gene", "gene_name", "symbol" },
                                                { "ensembl_id", "gene_id", "id", "ensgene" } };

static enum rc find_layout(struct layout *l, const struct lines *in, struct err *e)
{
    char *copy = strdup(in->text), *field[MAX_FIELDS];
    if (!copy)
        return err_set(e, RC_FAIL, "no memory for a line");
    l->n_fields = fields_cut(copy, '\t', field, MAX_FIELDS);
    const size_t n = l->n_fields < MAX_FIELDS ? l->n_fields : MAX_FIELDS;
    for (int p = 0; p < N_PLACES; p++) {
        l->place[p] = -1;
        for (size_t k = 0; k < n; k++)
            for (int w = 0; w < 6 && words[p][w]; w++)
                if (l->place[p] < 0 && strcasecmp(field[k], words[p][w]) == 0)
                    l->place[p] = (int)k;
    }
    const int *at = l->place;
    l->header = at[AT_SEQUENCE] >= 0;
    l->from_one = at[AT_ID] >= 0 && strcasecmp(field[at[AT_ID]], "ensgene") == 0;
    const bool good = at[AT_STRAND] >= 0 && (at[AT_NAME] >= 0 || at[AT_ID] >= 0) &&
                      (at[AT_TSS] >= 0 || (at[AT_START] >= 0 && at[AT_END] >= 0));
    free(copy);
    if (l->n_fields > MAX_FIELDS || (l->header && !good) || (!l->header && l->n_fields < 6))
        return err_set(e, RC_INPUT,
                       "'%s': line %zu: not a BED of 6 columns, nor a header with chr, strand, a "
                       "gene and start and end or tss",
                       in->path, in->number);
    if (!l->header)
        for (int p = 0; p < N_PLACES; p++)
            l->place[p] = (const int[]){ 0, 1, 2, -1, 5, 3, -1 }[p];
    return RC_OK;
}

static bool whole(const char *text, int64_t *x)
{
    char *end;
    *x = strtoll(text, &end, 10);
    return *text && !*end && *x >= 0 && *x < (int64_t)1 << 40;
}

/* Where the gene begins; false when a number or the strand is none. */
static bool start_site(struct tss *t, const struct layout *l, char *const *field)
{
    int64_t start, end;
    const char *strand = field[l->place[AT_STRAND]];
    t->reverse = strcmp(strand, "-") == 0 || strcmp(strand, "-1") == 0;
    if (!t->reverse && strcmp(strand, "+") != 0 && strcmp(strand, "1") != 0)
        return false;
    if (l->place[AT_TSS] >= 0) {
        if (!whole(field[l->place[AT_TSS]], &start) || start < 1)
            return false;
        t->at = start - 1;
        return true;
    }
    if (!whole(field[l->place[AT_START]], &start) || !whole(field[l->place[AT_END]], &end) ||
        end + l->from_one <= start)
        return false;
    if (l->from_one && start < 1)
        return false;
    t->at = t->reverse ? end - 1 : start - l->from_one;
    return true;
}

static const char *text_at(struct tss_table *t, int place, char *const *field, bool *short_of)
{
    if (place < 0 || !*field[place])
        return NULL;
    const char *copy = arena_text(&t->text, field[place]);
    *short_of = *short_of || !copy;
    return copy;
}

static enum rc take_row(struct tss_table *t, const struct layout *l, struct lines *in,
                        struct err *e)
{
    char *field[MAX_FIELDS];
    struct tss x = { 0 };
    bool short_of = false;
    const size_t n = fields_cut(in->text, '\t', field, MAX_FIELDS);
    if (n != l->n_fields)
        return err_set(e, RC_INPUT, "'%s': line %zu: %zu fields instead of %zu", in->path,
                       in->number, n, l->n_fields);
    if (!start_site(&x, l, field))
        return err_set(e, RC_INPUT, "'%s': line %zu: no place and strand of a gene", in->path,
                       in->number);
    x.sequence = text_at(t, l->place[AT_SEQUENCE], field, &short_of);
    x.name = text_at(t, l->place[AT_NAME], field, &short_of);
    x.id = text_at(t, l->place[AT_ID], field, &short_of);
    if (!short_of && (!x.sequence || (!x.name && !x.id)))
        return err_set(e, RC_INPUT, "'%s': line %zu: a gene without name or chromosome", in->path,
                       in->number);
    if (!short_of && t->n == t->room) {
        t->room = t->room ? 2 * t->room : 1024;
        struct tss *more = realloc(t->at, t->room * sizeof *more);
        short_of = !more;
        t->at = more ? more : t->at;
    }
    if (short_of)
        return err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    t->at[t->n++] = x;
    return RC_OK;
}

enum rc tss_read(const char *path, struct tss_table *t, struct err *e)
{
    struct lines l;
    struct layout a = { .n_fields = 0 };
    bool more = false;
    *t = (struct tss_table){ 0 };
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    arena_init(&t->text, 1 << 18);
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        if (!l.n_bytes)
            continue;
        const bool first = !a.n_fields;
        if (first)
            rc = find_layout(&a, &l, e);
        if (!rc && (!first || !a.header))
            rc = take_row(t, &a, &l, e);
    }
    lines_close(&l);
    if (!rc && !t->n)
        rc = err_set(e, RC_INPUT, "'%s' holds no gene", path);
    if (rc)
        tss_release(t);
    return rc;
}

void tss_release(struct tss_table *t)
{
    free(t->at);
    arena_release(&t->text);
    *t = (struct tss_table){ 0 };
}
