/* The cells of the pretraining corpus: whether a cell is among them, and their rank lists. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/annotate_parts.h"
#include "lib/base/log.h"
#include "lib/cell/rank_list.h"
#include "lib/io/h5ad.h"

void lists_release(struct lists *l)
{
    free(l->first);
    free(l->token);
    free(l->id);
    *l = (struct lists){ 0 };
}

struct rank_lists lists_view(const struct lists *l)
{
    return (struct rank_lists){ l->n, l->first, l->token, l->id };
}

static bool lists_room(struct lists *l, size_t n_cells, size_t n_tokens)
{
    if (l->n + n_cells > l->room) {
        const size_t room = 2 * l->room + n_cells;
        size_t *first = realloc(l->first, (room + 1) * sizeof *first);
        if (first)
            l->first = first;
        uint64_t *id = realloc(l->id, (room + 1) * sizeof *id);
        if (id)
            l->id = id;
        if (!first || !id)
            return false;
        l->room = room;
    }
    if (l->n_tokens + n_tokens > l->token_room) {
        const size_t room = 2 * l->token_room + n_tokens;
        uint32_t *token = realloc(l->token, (room + 1) * sizeof *token);
        if (!token)
            return false;
        l->token = token;
        l->token_room = room;
    }
    return true;
}

/* Token and median of each column; a column without a median gets none. */
static void columns_of(const char *const *gene, size_t n, const struct medians *m, uint32_t *token,
                       double *median)
{
    for (size_t k = 0; k < n; k++) {
        const struct median *x = medians_find(m, gene[k]);
        token[k] = x ? (uint32_t)(x - m->item) + GENEFORMER_FIRST_GENE : UINT32_MAX;
        median[k] = x ? x->median : 0;
    }
}

enum rc lists_add(struct lists *l, const struct csr *count, const char *const *gene,
                  const struct medians *m, const int64_t *id, size_t most, struct err *e)
{
    uint32_t *token = malloc((count->n_cols + 1) * sizeof *token);
    double *median = malloc((count->n_cols + 1) * sizeof *median);
    struct ranked_token *list = malloc((count->n_cols + 1) * sizeof *list);
    bool good = token && median && list;
    if (good)
        columns_of(gene, count->n_cols, m, token, median);
    for (size_t i = 0; good && i < count->n_rows; i++) {
        const uint64_t at = count->indptr[i];
        size_t n = rank_list(count->index + at, count->value + at,
                             (size_t)(count->indptr[i + 1] - at), token, median, list);
        n = n < most ? n : most;
        if (!(good = lists_room(l, 1, n)))
            break;
        if (!l->n)
            l->first[0] = 0;
        for (size_t k = 0; k < n; k++)
            l->token[l->n_tokens++] = list[k].token;
        l->id[l->n] = (uint64_t)id[i];
        l->first[++l->n] = l->n_tokens;
    }
    free(token);
    free(median);
    free(list);
    return good ? RC_OK : err_set(e, RC_FAIL, "no memory for rank lists of %zu cells", l->n);
}

void compare_release_corpus(struct corpus *c)
{
    free(c->content);
    lists_release(&c->lists);
    *c = (struct corpus){ 0 };
}

static const struct column *numbers_of(const struct cells *c, const char *name)
{
    const struct column *k = table_find(&c->obs, name);
    return k && k->kind == COLUMN_I64 ? k : NULL;
}

static enum rc add_file(struct compare_job *j, const char *path, struct err *e)
{
    struct corpus *k = &j->corpus;
    struct cells c;
    if (h5ad_read(path, &c, e))
        return err_wrap(e, "--corpus '%s'", path);
    const struct column *content = numbers_of(&c, "content"), *id = numbers_of(&c, "cell_id");
    enum rc rc = RC_OK;
    if (!content || !id || !c.count.indptr)
        rc = err_set(e, RC_INPUT,
                     "--corpus '%s' wants counts, and obs cell_id and content, which "
                     "homolog-map makes",
                     path);
    if (!rc && k->n + c.obs.n_rows > k->room) {
        const size_t room = 2 * k->room + c.obs.n_rows;
        uint64_t *more = realloc(k->content, room * sizeof *more);
        if (more) {
            k->content = more;
            k->room = room;
        } else {
            rc = err_set(e, RC_FAIL, "no memory for %zu cells", room);
        }
    }
    for (size_t i = 0; !rc && i < c.obs.n_rows; i++)
        if (content->i64[i]) /* 0: no counts, which are nobody's */
            k->content[k->n++] = (uint64_t)content->i64[i];
    if (!rc && j->o->medians)
        rc = lists_add(&k->lists, &c.count, c.gene, &j->medians, id->i64,
                       (size_t)j->o->geneformer_genes, e);
    cells_release(&c);
    return rc;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum rc compare_read_corpus(struct compare_job *j, struct err *e)
{
    enum rc rc = RC_OK;
    for (int i = 0; !rc && i < j->o->corpus.n; i++)
        rc = add_file(j, j->o->corpus.item[i], e);
    if (!rc && j->corpus.n)
        qsort(j->corpus.content, j->corpus.n, sizeof *j->corpus.content, by_number);
    return rc;
}

enum rc compare_find_unseen(const struct compare_job *j, struct compare_dataset *d, struct err *e)
{
    const struct column *content = numbers_of(d->source, "content");
    const size_t n = d->cells.n;
    if (!j->o->corpus.n)
        return RC_OK;
    if (!content) {
        log_warn("sample '%s': without obs content (homolog-map makes it) nobody can tell which of "
                 "its cells are in the corpus",
                 d->name);
        return RC_OK;
    }
    d->unseen = calloc(n + 1, 1);
    if (!d->unseen)
        return err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; i < n; i++) {
        const uint64_t x = (uint64_t)content->i64[d->cells.row[i]];
        d->unseen[i] =
            !x || !j->corpus.n || !bsearch(&x, j->corpus.content, j->corpus.n, sizeof x, by_number);
        d->n_unseen += d->unseen[i];
    }
    log_say("sample '%s': %zu of %zu labelled cells are in the pretraining corpus%s", d->name,
            n - d->n_unseen, n, d->n_unseen ? "" : ", so no test cell is new to it");
    return RC_OK;
}
