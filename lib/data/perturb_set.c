#include "lib/data/perturb_set.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"

void perturb_set_init(struct perturb_set *s)
{
    *s = (struct perturb_set){ 0 };
    arena_init(&s->text, 1 << 14);
}

void perturb_set_release(struct perturb_set *s)
{
    free(s->indptr);
    free(s->index);
    free(s->value);
    free(s->gene);
    free(s->condition);
    free(s->of);
    free(s->small);
    arena_release(&s->text);
    *s = (struct perturb_set){ 0 };
}

void perturb_set_row(const struct perturb_set *s, size_t cell, double *to)
{
    memset(to, 0, s->n_genes * sizeof *to);
    for (uint64_t k = s->indptr[cell]; k < s->indptr[cell + 1]; k++)
        to[s->index[k]] = s->value[k];
}

/* ---- values ---- */

struct entry {
    double value;
    uint32_t index;
};

static int by_index(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static enum rc check_values(const struct perturb_set *s, bool *whole, struct err *e)
{
    *whole = true;
    for (size_t i = 0; i < s->n_cells; i++)
        for (uint64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++) {
            const double x = s->value[k];
            if (!(x >= 0) || isinf(x))
                return err_set(e, RC_INPUT, "cell %zu, gene '%s': %g is no expression", i + 1,
                               s->gene[s->index[k]], x);
            *whole = *whole && !(x > floor(x));
        }
    return RC_OK;
}

/* Entries of each cell by gene, without zeros. */
static enum rc tidy(struct perturb_set *s, struct err *e)
{
    struct entry *row = malloc((s->n_genes + 1) * sizeof *row);
    enum rc rc = row ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
    uint64_t kept = 0;
    for (size_t i = 0; !rc && i < s->n_cells; i++) {
        const uint64_t from = s->indptr[i], to = s->indptr[i + 1];
        size_t n = 0;
        s->indptr[i] = kept;
        if (to - from > s->n_genes)
            rc = err_set(e, RC_INPUT, "cell %zu has more entries than there are genes", i + 1);
        for (uint64_t k = from; !rc && k < to; k++)
            row[n++] = (struct entry){ s->value[k], s->index[k] };
        qsort(row, n, sizeof *row, by_index);
        for (size_t k = 0; !rc && k < n; k++) {
            if (k && row[k].index == row[k - 1].index)
                rc = err_set(e, RC_INPUT, "cell %zu has gene '%s' twice", i + 1,
                             s->gene[row[k].index]);
            if (!(row[k].value > 0))
                continue;
            s->value[kept] = row[k].value;
            s->index[kept++] = row[k].index;
        }
    }
    s->indptr[s->n_cells] = kept;
    free(row);
    return rc;
}

static void normalise(struct perturb_set *s, double scale)
{
    for (size_t i = 0; i < s->n_cells; i++) {
        double total = 0;
        for (uint64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++)
            total += s->value[k];
        for (uint64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++)
            s->value[k] = log1p(scale * s->value[k] / total);
    }
}

enum rc perturb_set_values(struct perturb_set *s, const struct perturb_rules *rules, struct err *e)
{
    bool whole;
    if (!s->n_cells || !s->n_genes)
        return err_set(e, RC_INPUT, "there are %zu cells of %zu genes", s->n_cells, s->n_genes);
    if (check_values(s, &whole, e))
        return e ? e->rc : RC_INPUT;
    if (rules->values == PERTURB_COUNTS && !whole)
        return err_set(e, RC_INPUT, "values are not whole: no counts");
    enum rc rc = tidy(s, e);
    s->were_counts = rules->values == PERTURB_COUNTS || (rules->values == PERTURB_AUTO && whole);
    if (!rc && s->were_counts)
        normalise(s, rules->scale);
    return rc;
}

/* ---- conditions ---- */

/* Measured genes by name, and by name in small letters where only one has it. */
struct spelling {
    struct map exact, small;
    uint64_t *n_small; /* [n_genes] how many columns have that name in small letters */
};

static char *small_letters(struct arena *a, const char *text)
{
    char *to = arena_text(a, text);
    for (char *c = to; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return to;
}

static enum rc spelling_init(struct spelling *p, struct perturb_set *s, struct err *e)
{
    map_init(&p->exact);
    map_init(&p->small);
    p->n_small = calloc(s->n_genes + 1, sizeof *p->n_small);
    enum rc rc = p->n_small ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
    for (size_t i = 0; !rc && i < s->n_genes; i++) {
        uint64_t old;
        char *low = small_letters(&s->text, s->gene[i]);
        rc = low ? map_add(&p->exact, s->gene[i], i, &old, e)
                 : err_set(e, RC_FAIL, "no memory for %zu genes", s->n_genes);
        if (!rc && old != MAP_NONE)
            s->n_repeated_genes++;
        if (!rc && old == MAP_NONE)
            rc = map_add(&p->small, low, i, &old, e);
        if (!rc)
            p->n_small[old == MAP_NONE ? i : old]++;
    }
    return rc;
}

static void spelling_release(struct spelling *p)
{
    map_release(&p->exact);
    map_release(&p->small);
    free(p->n_small);
}

/* The measured gene's name where there is one. */
static const char *spell(const struct spelling *p, struct perturb_set *s, const char *name)
{
    uint64_t at = map_get(&p->exact, name);
    if (at != MAP_NONE)
        return s->gene[at];
    char *low = small_letters(&s->text, name);
    at = low ? map_get(&p->small, low) : MAP_NONE;
    return !low ? NULL : at != MAP_NONE && p->n_small[at] == 1 ? s->gene[at] : name;
}

/* A text of the source taken apart; the name is put together again with the spelling of the
 * measured genes. key: "A" or "A\tB" by bytes. */
struct parsed {
    struct perturb_condition c;
    const char *key;
};

static const char *join(struct arena *a, const char *x, char sep, const char *y)
{
    const size_t n = strlen(x), m = strlen(y);
    char *to = arena_chars(a, n + m + 2);
    if (!to)
        return NULL;
    memcpy(to, x, n);
    to[n] = sep;
    memcpy(to + n + 1, y, m + 1);
    return to;
}

static enum rc parse(struct perturb_set *s, const struct spelling *p, const char *text,
                     struct parsed *out, struct err *e)
{
    static const char form[] = "condition '%s' is not 'ctrl', 'A+ctrl', 'ctrl+A' or 'A+B'";
    struct arena *a = &s->text;
    const char *part[2];
    *out = (struct parsed){ 0 };
    if (!text || !*text)
        return err_set(e, RC_INPUT, "a cell has no condition");
    if (strcmp(text, "ctrl") == 0 || strcmp(text, "control") == 0) {
        out->c.name = "ctrl";
        out->key = "";
        return RC_OK;
    }
    const char *plus = strchr(text, '+');
    if (!plus || plus == text || !plus[1] || strchr(plus + 1, '+'))
        return err_set(e, RC_INPUT, form, text);
    char *first = arena_text(a, text);
    if (!first)
        return err_set(e, RC_FAIL, "no memory for a condition");
    first[plus - text] = '\0';
    part[0] = first;
    part[1] = first + (plus - text) + 1;
    for (int k = 0; k < 2; k++) {
        if (strcmp(part[k], "ctrl") == 0)
            continue;
        const char *name = spell(p, s, part[k]);
        if (!name)
            return err_set(e, RC_FAIL, "no memory for a condition");
        s->n_renamed += strcmp(name, part[k]) != 0;
        s->n_not_measured += map_get(&p->exact, name) == MAP_NONE;
        part[k] = out->c.gene[out->c.n_genes++] = name;
    }
    if (!out->c.n_genes)
        return err_set(e, RC_INPUT, form, text);
    if (out->c.n_genes == 2 && strcmp(part[0], part[1]) == 0)
        return err_set(e, RC_INPUT, "condition '%s' names one gene twice", text);
    const bool turn = out->c.n_genes == 2 && strcmp(part[0], part[1]) > 0;
    out->c.name = join(a, part[0], '+', part[1]);
    out->key = out->c.n_genes == 1 ? out->c.gene[0] : join(a, part[turn], '\t', part[!turn]);
    return out->c.name && out->key ? RC_OK : err_set(e, RC_FAIL, "no memory for a condition");
}

/* Distinct texts of the source, then distinct sets of genes. */
struct naming_job {
    struct map text, key;
    uint32_t *text_to; /* [n texts] set of genes */
    struct parsed *set;
    size_t n_texts, n_sets;
};

static enum rc take_text(struct naming_job *j, struct perturb_set *s, const struct spelling *p,
                         const char *text, uint32_t *set, struct err *e)
{
    uint64_t old;
    struct parsed got;
    const size_t missing = s->n_not_measured;
    if (text && (old = map_get(&j->text, text)) != MAP_NONE) {
        *set = j->text_to[old];
        return RC_OK;
    }
    enum rc rc = parse(s, p, text, &got, e);
    if (!rc)
        rc = map_add(&j->text, text, j->n_texts, NULL, e);
    if (!rc)
        rc = map_add(&j->key, got.key, j->n_sets, &old, e);
    if (rc)
        return rc;
    if (old == MAP_NONE) {
        j->set[j->n_sets] = got;
        old = j->n_sets++;
    } else {
        s->n_spellings++;
        s->n_not_measured = missing; /* counted before */
        if (strcmp(got.c.name, j->set[old].c.name) < 0)
            j->set[old].c = got.c;
    }
    j->text_to[j->n_texts++] = *set = (uint32_t)old;
    return RC_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct perturb_condition *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Conditions sorted, and cells with their new numbers. */
static enum rc number(struct naming_job *j, struct perturb_set *s, struct err *e)
{
    uint32_t *to = malloc((j->n_sets + 1) * sizeof *to);
    struct map number;
    s->condition = calloc(j->n_sets + 1, sizeof *s->condition);
    if (!to || !s->condition) {
        free(to);
        return err_set(e, RC_FAIL, "no memory for %zu conditions", j->n_sets);
    }
    for (size_t i = 0; i < s->n_cells; i++)
        j->set[s->of[i]].c.n_cells++;
    for (size_t k = 0; k < j->n_sets; k++)
        s->condition[s->n_conditions++] = j->set[k].c;
    qsort(s->condition, s->n_conditions, sizeof *s->condition, by_name);
    map_init(&number);
    enum rc rc = RC_OK;
    for (size_t c = 0; !rc && c < s->n_conditions; c++)
        rc = map_add(&number, s->condition[c].name, c, NULL, e);
    for (size_t k = 0; !rc && k < j->n_sets; k++)
        to[k] = (uint32_t)map_get(&number, j->set[k].c.name);
    for (size_t i = 0; !rc && i < s->n_cells; i++)
        s->of[i] = to[s->of[i]];
    map_release(&number);
    free(to);
    return rc;
}

enum rc perturb_set_keep(struct perturb_set *s, const unsigned char *keep, struct err *e)
{
    uint32_t *to = malloc((s->n_conditions + 1) * sizeof *to);
    size_t kept = 0, cells = 0;
    uint64_t at = 0;
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu conditions", s->n_conditions);
    for (size_t c = 0; c < s->n_conditions; c++) {
        to[c] = keep[c] || c == s->control ? (uint32_t)kept : UINT32_MAX;
        if (to[c] != UINT32_MAX)
            s->condition[kept++] = s->condition[c];
    }
    s->control = to[s->control];
    s->n_conditions = kept;
    for (size_t i = 0; i < s->n_cells; i++) {
        const uint64_t from = s->indptr[i], n = s->indptr[i + 1] - from;
        if (to[s->of[i]] == UINT32_MAX)
            continue;
        s->of[cells] = to[s->of[i]];
        s->indptr[cells++] = at;
        memmove(s->index + at, s->index + from, n * sizeof *s->index);
        memmove(s->value + at, s->value + from, n * sizeof *s->value);
        at += n;
    }
    s->indptr[cells] = at;
    s->n_cells = cells;
    free(to);
    return RC_OK;
}

/* Conditions with too few cells leave, by name. */
static enum rc drop_small(struct perturb_set *s, size_t least, struct err *e)
{
    unsigned char *keep = calloc(s->n_conditions + 1, 1);
    s->small = calloc(s->n_conditions + 1, sizeof *s->small);
    enum rc rc = keep && s->small ? RC_OK : err_set(e, RC_FAIL, "no memory for conditions");
    for (size_t c = 0; !rc && c < s->n_conditions; c++) {
        const struct perturb_condition *k = &s->condition[c];
        if (!k->n_genes)
            s->control = c;
        keep[c] = !k->n_genes || k->n_cells >= least;
        if (keep[c])
            continue;
        s->small[s->n_small++] = k->name;
        s->n_small_cells += k->n_cells;
    }
    if (!rc)
        rc = perturb_set_keep(s, keep, e);
    free(keep);
    return rc;
}

static enum rc finish_conditions(struct perturb_set *s, const char *const *condition, size_t least,
                                 struct err *e)
{
    struct naming_job j = { .text_to = malloc((s->n_cells + 1) * sizeof *j.text_to),
                            .set = malloc((s->n_cells + 1) * sizeof *j.set) };
    struct spelling p;
    map_init(&j.text);
    map_init(&j.key);
    s->of = malloc((s->n_cells + 1) * sizeof *s->of);
    enum rc rc = spelling_init(&p, s, e);
    if (!rc && (!s->of || !j.text_to || !j.set))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", s->n_cells);
    for (size_t i = 0; !rc && i < s->n_cells; i++)
        if (take_text(&j, s, &p, condition[i], &s->of[i], e))
            rc = err_wrap(e, "cell %zu", i + 1);
    if (!rc && map_get(&j.key, "") == MAP_NONE)
        rc = err_set(e, RC_INPUT, "there are no control cells: no condition is 'ctrl'");
    if (!rc)
        rc = number(&j, s, e);
    if (!rc)
        rc = drop_small(s, least, e);
    if (!rc && s->n_conditions < 2)
        rc = err_set(e, RC_INPUT, "there are only control cells%s",
                     s->n_small ? ", but for conditions with too few" : "");
    spelling_release(&p);
    map_release(&j.text);
    map_release(&j.key);
    free(j.text_to);
    free(j.set);
    return rc;
}

enum rc perturb_set_finish(struct perturb_set *s, const char *const *condition,
                           const struct perturb_rules *rules, struct err *e)
{
    enum rc rc = perturb_set_values(s, rules, e);
    if (!rc)
        rc = finish_conditions(s, condition, rules->least_cells, e);
    if (rc)
        perturb_set_release(s);
    return rc;
}
