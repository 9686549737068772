#include "lib/app/median_set.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/cell/median_pick.h"
#include "lib/io/median_file.h"

enum { FAN = 64 }; /* files of one merge */

struct median_run {
    FILE *f;          /* a file without a name, or NULL: */
    const char *path; /* opened when it is merged */
    int level;        /* merges it came through */
    uint64_t n_cells, n_values;
};

enum rc median_set_init(struct median_set *s, const char *const *id, size_t n_genes, size_t bytes,
                        const char *folder, struct err *e)
{
    *s = (struct median_set){ .id = id, .n_genes = n_genes, .folder = folder };
    return median_block_init(&s->block, bytes, e);
}

void median_set_release(struct median_set *s)
{
    median_block_release(&s->block);
    for (size_t i = 0; i < s->n_runs; i++)
        if (s->run[i].f)
            fclose(s->run[i].f);
    free(s->run);
    *s = (struct median_set){ 0 };
}

static enum rc open_nameless(const struct median_set *s, FILE **f, struct err *e)
{
    int fd;
    *f = NULL;
    enum rc rc = file_unnamed(s->folder, &fd, e);
    if (!rc && !(*f = fdopen(fd, "w+b"))) {
        rc = err_set(e, RC_FAIL, "cannot write a file in '%s': %s", s->folder, strerror(errno));
        close(fd);
    }
    return rc;
}

static enum rc end_nameless(const struct median_set *s, FILE *f, struct err *e)
{
    if (fflush(f) == 0 && !ferror(f))
        return RC_OK;
    return err_set(e, RC_FAIL, "cannot write a file in '%s': %s", s->folder, strerror(errno));
}

/* ---- merging ---- */

/* A heap of the readers that have a pair of the gene at hand, the least in front. */
struct heap {
    struct median_reader *item[FAN];
    size_t n;
};

static bool less(const struct median_reader *a, const struct median_reader *b)
{
    return a->count != b->count ? a->count < b->count : a->total < b->total;
}

static void sift_down(struct heap *h, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t c = 2 * i + 1; c < h->n && c <= 2 * i + 2; c++)
            if (less(h->item[c], h->item[least]))
                least = c;
        if (least == i)
            return;
        struct median_reader *t = h->item[i];
        h->item[i] = h->item[least];
        h->item[least] = t;
        i = least;
    }
}

/* To the next pair of the reader in front; it leaves when there is none. */
static enum rc advance(struct heap *h, struct err *e)
{
    bool more;
    enum rc rc = median_reader_next(h->item[0], &more, e);
    if (!rc && !more)
        h->item[0] = h->item[--h->n];
    sift_down(h, 0);
    return rc;
}

struct merge {
    struct median_reader reader[FAN];
    bool has_gene[FAN];
    size_t n;
    struct median_writer to;
};

/* The gene with the least id, of all readers that have it, which then go to their next one. */
static enum rc merge_gene(struct merge *m, const char *least, struct err *e)
{
    struct heap h = { .n = 0 };
    bool takes_part[FAN] = { false };
    enum rc rc = median_writer_gene(&m->to, least, e);
    for (size_t i = 0; !rc && i < m->n; i++) {
        if (!m->has_gene[i] || strcmp(m->reader[i].id, least) != 0)
            continue;
        bool more;
        takes_part[i] = true;
        rc = median_reader_next(&m->reader[i], &more, e);
        if (!rc && more)
            h.item[h.n++] = &m->reader[i];
    }
    for (size_t i = h.n / 2; i-- > 0;)
        sift_down(&h, i);
    while (!rc && h.n) {
        median_writer_put(&m->to, h.item[0]->count, h.item[0]->total, h.item[0]->n);
        rc = advance(&h, e);
    }
    for (size_t i = 0; !rc && i < m->n; i++)
        if (takes_part[i])
            rc = median_reader_gene(&m->reader[i], &m->has_gene[i], e);
    return rc;
}

static enum rc merge_streams(struct merge *m, uint64_t *n_cells, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < m->n; i++)
        rc = median_reader_gene(&m->reader[i], &m->has_gene[i], e);
    while (!rc) {
        char least[MEDIAN_ID_MAX + 1];
        const char *id = NULL;
        for (size_t i = 0; i < m->n; i++)
            if (m->has_gene[i] && (!id || strcmp(m->reader[i].id, id) < 0))
                id = m->reader[i].id;
        if (!id)
            break;
        strcpy(least, id); /* the readers move on */
        rc = merge_gene(m, least, e);
    }
    *n_cells = 0;
    for (size_t i = 0; i < m->n; i++)
        *n_cells += m->reader[i].n_cells;
    if (!rc)
        median_writer_end(&m->to, *n_cells);
    return rc;
}

static enum rc open_run(struct median_run *r, struct median_reader *reader, struct err *e)
{
    if (!r->f)
        r->f = fopen(r->path, "rb");
    else if (fseek(r->f, 0, SEEK_SET) != 0)
        return err_set(e, RC_FAIL, "cannot read a file again: %s", strerror(errno));
    if (!r->f)
        return err_set(e, RC_INPUT, "cannot open '%s': %s", r->path, strerror(errno));
    return median_reader_start(reader, r->f, r->path ? r->path : "file without a name", e);
}

/* The last n runs become one. */
static enum rc merge_last(struct median_set *s, size_t n, struct err *e)
{
    struct median_run *run = s->run + (s->n_runs - n),
                      merged = { .level = n ? run[0].level + 1 : 0 };
    FILE *to = NULL;
    struct merge *m = malloc(sizeof *m);
    enum rc rc = m ? open_nameless(s, &to, e) : err_set(e, RC_FAIL, "no memory to merge files");
    if (!rc) {
        m->n = n;
        median_writer_start(&m->to, to);
    }
    for (size_t i = 0; !rc && i < n; i++)
        rc = open_run(&run[i], &m->reader[i], e);
    if (!rc)
        rc = merge_streams(m, &merged.n_cells, e);
    merged.n_values = rc ? 0 : m->to.n_values;
    free(m);
    if (!rc)
        rc = end_nameless(s, to, e);
    if (rc) {
        if (to)
            fclose(to);
        return rc;
    }
    merged.f = to;
    for (size_t i = 0; i < n; i++)
        fclose(run[i].f);
    s->n_runs -= n;
    s->n_merges++;
    s->run[s->n_runs++] = merged;
    return RC_OK;
}

/* ---- gathering ---- */

/* One more run, and as many merges as that makes due: never 64 of one level. */
static enum rc add_run(struct median_set *s, struct median_run r, struct err *e)
{
    s->run[s->n_runs++] = r;
    enum rc rc = RC_OK;
    while (!rc && s->n_runs >= FAN && s->run[s->n_runs - FAN].level == s->run[s->n_runs - 1].level)
        rc = merge_last(s, FAN, e);
    return rc;
}

static enum rc make_room(struct median_set *s, struct err *e)
{
    if (s->n_runs < s->room)
        return RC_OK;
    const size_t room = s->room ? 2 * s->room : 4;
    struct median_run *more = realloc(s->run, room * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu files", room);
    s->run = more;
    s->room = room;
    return RC_OK;
}

static enum rc write_block(struct median_set *s, FILE *f, uint64_t *n_values, struct err *e)
{
    struct median_writer w;
    const struct median_block *b = &s->block;
    uint32_t gene = 0;
    enum rc rc = RC_OK;
    median_writer_start(&w, f);
    for (size_t i = 0; !rc && i < b->n; i++) {
        const struct median_item *x = &b->item[i];
        if (i == 0 || x->gene != gene)
            rc = median_writer_gene(&w, s->id[x->gene], e);
        if (!rc)
            median_writer_put(&w, x->count, x->total, 1);
        gene = x->gene;
    }
    median_writer_end(&w, s->block_cells);
    *n_values = w.n_values;
    return rc ? rc : end_nameless(s, f, e);
}

/* The block becomes a run. */
static enum rc spill(struct median_set *s, struct err *e)
{
    struct median_run r = { .n_cells = s->block_cells };
    enum rc rc = make_room(s, e);
    if (!rc)
        rc = median_block_sort(&s->block, e);
    if (!rc)
        rc = open_nameless(s, &r.f, e);
    if (!rc)
        rc = write_block(s, r.f, &r.n_values, e);
    if (rc) {
        if (r.f)
            fclose(r.f);
        return rc;
    }
    s->block.n = 0;
    s->block_cells = 0;
    return add_run(s, r, e);
}

enum rc median_set_cell(struct median_set *s, const uint32_t *gene, const uint32_t *count, size_t n,
                        uint64_t total, struct err *e)
{
    enum rc rc = RC_OK;
    if (total >= (uint64_t)1 << 53)
        return err_set(e, RC_INPUT, "a total of %llu", (unsigned long long)total);
    s->block_cells++;
    for (size_t k = 0; !rc && k < n; k++) {
        assert(gene[k] < s->n_genes && count[k] > 0);
        if (count[k] > total)
            return err_set(e, RC_INPUT, "a count of %u in a cell with a total of %llu", count[k],
                           (unsigned long long)total);
        if (median_block_full(&s->block))
            rc = spill(s, e);
        if (!rc)
            rc = median_block_add(&s->block, (struct median_item){ gene[k], count[k], total }, e);
    }
    return rc;
}

enum rc median_set_file(struct median_set *s, const char *path, struct err *e)
{
    if (make_room(s, e))
        return e ? e->rc : RC_FAIL;
    return add_run(s, (struct median_run){ .path = path }, e);
}

enum rc median_set_finish(struct median_set *s, struct err *e)
{
    /* The last cell may have been cut: then its rest is here, and the cell counted already. */
    enum rc rc = s->block.n || s->block_cells || s->n_runs == 0 ? spill(s, e) : RC_OK;
    median_block_release(&s->block);
    /* The last ones are the smallest. A lone file of somebody else's is read and checked as well.
     */
    while (!rc && (s->n_runs > 1 || s->run[0].path))
        rc = merge_last(s, s->n_runs < FAN ? s->n_runs : FAN, e);
    if (rc)
        return rc;
    s->n_cells = s->run[0].n_cells;
    s->n_values = s->run[0].n_values;
    if (fseek(s->run[0].f, 0, SEEK_END) != 0)
        return err_set(e, RC_FAIL, "cannot read a file again: %s", strerror(errno));
    s->n_bytes = (uint64_t)ftell(s->run[0].f);
    return RC_OK;
}

/* ---- what became of it ---- */

enum rc median_set_write(const struct median_set *s, const char *path, struct err *e)
{
    struct outfile o;
    char part[1 << 14];
    FILE *f = s->run[0].f;
    if (fseek(f, 0, SEEK_SET) != 0)
        return err_set(e, RC_FAIL, "cannot read a file again: %s", strerror(errno));
    enum rc rc = outfile_open(&o, path, e);
    if (rc)
        return rc;
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        fwrite(part, 1, n, o.f);
    if (ferror(f)) {
        outfile_abort(&o);
        return err_set(e, RC_FAIL, "cannot read a file again: %s", strerror(errno));
    }
    return outfile_commit(&o, e);
}

static enum rc pick_gene(struct median_reader *r, struct median_pick *p, enum median_kind kind,
                         struct err *e)
{
    bool more = true;
    median_pick_start(p);
    for (bool again = true; again;) {
        enum rc rc;
        while ((rc = median_reader_next(r, &more, e)) == RC_OK && more)
            median_pick_add(
                p, kind == MEDIAN_DEPTH ? r->count * 10000.0 / (double)r->total : r->count, r->n);
        again = !rc && median_pick_next(p);
        if (again)
            rc = median_reader_again(r, e);
        if (rc)
            return rc;
    }
    return RC_OK;
}

enum rc median_set_medians(const struct median_set *s, enum median_kind kind, struct medians *m,
                           struct err *e)
{
    struct median_run run = s->run[0];
    struct median_reader r;
    struct median_pick p = { 0 };
    bool more = true;
    medians_init(m);
    enum rc rc = open_run(&run, &r, e);
    if (!rc)
        rc = median_pick_init(&p, e);
    while (!rc && !(rc = median_reader_gene(&r, &more, e)) && more) {
        rc = pick_gene(&r, &p, kind, e);
        if (rc)
            break;
        const struct median x = { .id = r.id, .n_nonzero = p.n, .median = median_pick_get(&p) };
        rc = medians_add(m, &x, e);
    }
    median_pick_release(&p);
    if (rc)
        medians_release(m);
    return rc;
}
