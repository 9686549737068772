/* Windows are grouped by sequence and sorted by start. While the lines of a sequence go by, those
 * that touch the line's bases take their share. */
#include "lib/io/fasta.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/data/kmer.h"
#include "lib/io/lines.h"

/* The windows of one sequence: order[first..end), by rising start. */
struct group {
    size_t first, end;
    bool seen;
};

struct scan {
    const char *path;
    struct fasta_window *w;
    size_t *order;
    struct group *group;
    size_t n_groups;
    struct map by_name; /* sequence to group */
    struct map seen;    /* names of the file */
    struct fasta_facts *f;
};

/* ---- windows ---- */

static char base(char c)
{
    c = (char)toupper((unsigned char)c);
    return c == 'A' || c == 'C' || c == 'G' || c == 'T' ? c : 'N';
}

/* bases[0..n) of the sequence from position `at` on, to the window's share. */
static void give(struct fasta_window *w, const char *bases, int64_t at, int64_t n)
{
    const int64_t from = w->start > at ? w->start : at, to = w->end < at + n ? w->end : at + n;
    for (int64_t i = from; i < to; i++)
        w->bases[i - w->start] = base(bases[i - at]);
}

static void finish(struct fasta_window *w)
{
    const size_t n = (size_t)(w->end - w->start);
    w->n_known = 0;
    for (size_t i = 0; i < n; i++)
        w->n_known += w->bases[i] != 'N';
    if (w->reverse)
        dna_reverse(w->bases, n);
}

static const struct fasta_window *sorting; /* qsort has no context; one thread */

static int by_place(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const struct fasta_window *x = &sorting[i], *y = &sorting[j];
    const int c = strcmp(x->sequence, y->sequence);
    if (c || x->start != y->start)
        return c ? c : x->start < y->start ? -1 : 1;
    return (i > j) - (i < j);
}

static enum rc group_windows(struct scan *s, size_t n, struct err *e)
{
    enum rc rc = RC_OK;
    s->order = calloc(n + 1, sizeof *s->order);
    s->group = calloc(n + 1, sizeof *s->group);
    if (!s->order || !s->group)
        return err_set(e, RC_FAIL, "no memory for %zu windows", n);
    for (size_t i = 0; i < n; i++) {
        s->order[i] = i;
        s->w[i].found = false;
        memset(s->w[i].bases, 'N', (size_t)(s->w[i].end - s->w[i].start));
        s->w[i].bases[s->w[i].end - s->w[i].start] = '\0';
    }
    sorting = s->w;
    qsort(s->order, n, sizeof *s->order, by_place);
    for (size_t i = 0; !rc && i < n; i++) {
        const char *name = s->w[s->order[i]].sequence;
        if (i && strcmp(name, s->w[s->order[i - 1]].sequence) == 0) {
            s->group[s->n_groups - 1].end = i + 1;
            continue;
        }
        rc = map_add(&s->by_name, name, s->n_groups, NULL, e);
        s->group[s->n_groups++] = (struct group){ i, i + 1, false };
    }
    return rc;
}

/* The group of a sequence of the file, by any of its names. */
static struct group *group_of(const struct scan *s, const char *name)
{
    char other[256] = "";
    if (strcmp(name, "MT") == 0)
        snprintf(other, sizeof other, "chrM");
    else if (strcmp(name, "chrM") == 0)
        snprintf(other, sizeof other, "MT");
    else if (strncmp(name, "chr", 3) == 0)
        snprintf(other, sizeof other, "%s", name + 3);
    else
        snprintf(other, sizeof other, "chr%s", name);
    uint64_t g = map_get(&s->by_name, name);
    if (g == MAP_NONE)
        g = map_get(&s->by_name, other);
    return g == MAP_NONE ? NULL : &s->group[g];
}

static enum rc enter(struct scan *s, const char *name, struct group **g, struct err *e)
{
    uint64_t old;
    enum rc rc = map_add(&s->seen, name, 0, &old, e);
    if (rc)
        return rc;
    *g = group_of(s, name);
    if (old != MAP_NONE || (*g && (*g)->seen))
        return err_set(e, RC_INPUT, "'%s': sequence '%s' is there twice", s->path, name);
    s->f->n_sequences++;
    if (!*g)
        return RC_OK;
    (*g)->seen = true;
    for (size_t i = (*g)->first; i < (*g)->end; i++)
        s->w[s->order[i]].found = true;
    return RC_OK;
}

/* ---- one pass ---- */

static enum rc check_bases(const struct lines *l, struct err *e)
{
    for (size_t i = 0; i < l->n_bytes; i++)
        if (!isalpha((unsigned char)l->text[i]) && l->text[i] != '*' && l->text[i] != '-')
            return err_set(e, RC_INPUT, "'%s': line %zu: byte %zu is no base", l->path, l->number,
                           i + 1);
    return RC_OK;
}

static enum rc take_line(struct scan *s, const struct lines *l, struct group **g, int64_t *at,
                         struct err *e)
{
    if (*l->text == '>') {
        l->text[1 + strcspn(l->text + 1, " \t")] = '\0';
        *at = 0;
        return enter(s, l->text + 1, g, e);
    }
    if (!s->f->n_sequences)
        return err_set(e, RC_INPUT, "'%s': line %zu: no '>NAME' in front of the bases", l->path,
                       l->number);
    enum rc rc = check_bases(l, e);
    const int64_t n = (int64_t)l->n_bytes;
    while (!rc && *g && (*g)->first < (*g)->end && s->w[s->order[(*g)->first]].end <= *at)
        (*g)->first++;
    for (size_t i = *g ? (*g)->first : 0; !rc && *g && i < (*g)->end; i++) {
        struct fasta_window *w = &s->w[s->order[i]];
        if (w->start >= *at + n)
            break;
        give(w, l->text, *at, n);
    }
    *at += n;
    s->f->n_bases += (uint64_t)n;
    return rc;
}

static enum rc read_through(struct scan *s, struct err *e)
{
    struct lines l;
    struct group *g = NULL;
    int64_t at = 0;
    bool more = false;
    enum rc rc = lines_open(&l, s->path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more)
        if (l.n_bytes)
            rc = take_line(s, &l, &g, &at, e);
    lines_close(&l);
    if (!rc && !s->f->n_sequences)
        rc = err_set(e, RC_INPUT, "'%s' holds no sequence", s->path);
    return rc;
}

/* ---- by index ---- */

struct index_row {
    int64_t length, offset, bases, width;
};

/* The file's bytes of positions [from, to), without line ends, to the window. */
static enum rc take_span(const struct scan *s, FILE *f, const struct index_row *x,
                         struct fasta_window *w, struct err *e)
{
    char line[4096];
    const int64_t from = w->start > 0 ? w->start : 0, to = w->end < x->length ? w->end : x->length;
    for (int64_t at = from; at < to;) {
        const int64_t in = at % x->bases, left = x->bases - in;
        int64_t n = to - at < left ? to - at : left;
        n = n < (int64_t)sizeof line ? n : (int64_t)sizeof line;
        if (fseeko(f, (off_t)(x->offset + at / x->bases * x->width + in), SEEK_SET) != 0 ||
            fread(line, 1, (size_t)n, f) != (size_t)n)
            return err_set(e, RC_INPUT, "'%s' ends before its index says", s->path);
        for (int64_t i = 0; i < n; i++)
            if (!isalpha((unsigned char)line[i]))
                return err_set(e, RC_INPUT, "'%s': its index does not fit: no base at byte %lld",
                               s->path, (long long)(x->offset + at / x->bases * x->width + in + i));
        give(w, line, at, n);
        at += n;
    }
    return RC_OK;
}

static enum rc take_row(struct scan *s, FILE *f, struct lines *l, struct err *e)
{
    char *field[6], *end = NULL;
    struct index_row x;
    int64_t *const to[4] = { &x.length, &x.offset, &x.bases, &x.width };
    struct group *g = NULL;
    bool good = fields_cut(l->text, '\t', field, 6) == 5 && *field[0];
    for (int i = 0; good && i < 4; i++) {
        *to[i] = strtoll(field[i + 1], &end, 10);
        good = *field[i + 1] && !*end && *to[i] >= 0 && *to[i] < (int64_t)1 << 40;
    }
    if (!good || (x.length && (x.bases < 1 || x.width <= x.bases)))
        return err_set(e, RC_INPUT, "'%s': line %zu is no row of an index", l->path, l->number);
    enum rc rc = enter(s, field[0], &g, e);
    s->f->n_bases += (uint64_t)x.length;
    if (!rc && g && (fseeko(f, (off_t)(x.offset - 1), SEEK_SET) != 0 || fgetc(f) != '\n'))
        rc = err_set(e, RC_INPUT, "'%s': its index does not fit: '%s' does not begin at byte %lld",
                     s->path, field[0], (long long)x.offset);
    for (size_t i = g ? g->first : 0; !rc && g && i < g->end; i++)
        rc = take_span(s, f, &x, &s->w[s->order[i]], e);
    return rc;
}

static enum rc read_by_index(struct scan *s, const char *fai, struct err *e)
{
    struct lines l;
    bool more = false;
    FILE *f = fopen(s->path, "rb");
    if (!f)
        return err_set(e, RC_INPUT, "cannot open '%s'", s->path);
    enum rc rc = lines_open(&l, fai, e);
    if (rc) {
        fclose(f);
        return rc;
    }
    s->f->by_index = true;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more)
        if (l.n_bytes)
            rc = take_row(s, f, &l, e);
    lines_close(&l);
    fclose(f);
    return rc;
}

static bool is_plain(const char *path)
{
    FILE *f = fopen(path, "rb");
    const int c = f ? fgetc(f) : EOF;
    if (f)
        fclose(f);
    return c == '>';
}

enum rc fasta_windows(const char *path, struct fasta_window *w, size_t n, struct fasta_facts *f,
                      struct err *e)
{
    struct scan s = { .path = path, .w = w, .f = f };
    char *fai = text_new("%s.fai", path);
    *f = (struct fasta_facts){ 0 };
    map_init(&s.by_name);
    map_init(&s.seen);
    enum rc rc = fai ? group_windows(&s, n, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = is_plain(path) && file_exists(fai) ? read_by_index(&s, fai, e) : read_through(&s, e);
    for (size_t i = 0; !rc && i < n; i++)
        finish(&w[i]);
    map_release(&s.by_name);
    map_release(&s.seen);
    free(s.order);
    free(s.group);
    free(fai);
    return rc;
}
