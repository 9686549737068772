/* Names that repeat get a number behind them, whatever their number, in little memory.
 *
 * Names are sorted by hash; those of one hash lie together, in their order, and are compared by
 * their texts. Only the names of one text get numbers from one count: NAME-n and OTHER-m are never
 * the same, since n and m have no dash. So a number is free when no source name has it, which the
 * sorted hashes tell. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/rng.h"
#include "lib/base/spill.h"
#include "lib/io/import_parts.h"

/* Texts are looked at all over memory: what was touched is given back often. */
enum { REST = 64 };

struct place {
    uint64_t hash, at;
};

struct naming {
    const char *const *name;
    const char **to;
    const struct place *place; /* [n] by hash, then by place */
    size_t n;
    struct arena *a;
    size_t n_renamed, n_looked;
};

static int by_hash(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static const char *name_at(struct naming *w, size_t k)
{
    if (++w->n_looked % REST == 0)
        spill_rest();
    return w->name[w->place[k].at];
}

/* Is it a name of the source? */
static bool is_there(struct naming *w, const char *text)
{
    const uint64_t hash = hash_text(text);
    size_t lo = 0, hi = w->n; /* the first of that hash */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (w->place[mid].hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < w->n && w->place[lo].hash == hash; lo++)
        if (strcmp(name_at(w, lo), text) == 0)
            return true;
    return false;
}

static enum rc rename_cell(struct naming *w, size_t k, uint64_t *number, struct err *e)
{
    char *text = NULL;
    do {
        free(text);
        text = text_new("%s-%llu", name_at(w, k), (unsigned long long)++*number);
    } while (text && is_there(w, text));
    const char *kept = text ? arena_text(w->a, text) : NULL;
    free(text);
    w->to[w->place[k].at] = kept;
    w->n_renamed++;
    return kept ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu cells", w->n);
}

/* Places [first, end) have one hash. Nearly always they have one text as well; each other one is
 * gone through by itself. */
static enum rc name_group(struct naming *w, size_t first, size_t end, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t lead = first; !rc && lead < end; lead++) {
        uint64_t number = 0;
        bool others = false, seen = false;
        for (size_t k = first; !seen && lead > first && k < lead; k++)
            seen = strcmp(name_at(w, k), name_at(w, lead)) == 0;
        for (size_t k = lead + 1; !rc && !seen && k < end; k++)
            if (strcmp(name_at(w, k), name_at(w, lead)) == 0)
                rc = rename_cell(w, k, &number, e);
            else
                others = true;
        if (!others && !seen)
            break; /* all behind have the text of this one */
    }
    return rc;
}

static enum rc number_names(struct naming *w, struct place *place, struct err *e)
{
    for (size_t i = 0; i < w->n; i++) {
        place[i] = (struct place){ hash_text(w->name[i]), i };
        spill_step(i);
    }
    if (spill_sort(place, w->n, sizeof *place, by_hash))
        return err_set(e, RC_FAIL, "no memory for %zu cells", w->n);
    w->place = place;
    enum rc rc = RC_OK;
    for (size_t i = 0, end; !rc && i < w->n; i = end) {
        for (end = i + 1; end < w->n && place[end].hash == place[i].hash; end++)
            spill_step(end);
        if (end > i + 1)
            rc = name_group(w, i, end, e);
        spill_step(i);
    }
    return rc;
}

enum rc names_differ(const char *const *name, size_t n, const char **to, struct arena *a,
                     size_t *n_renamed, struct err *e)
{
    struct naming w = { .name = name, .to = to, .n = n, .a = a };
    bool differ = false;
    enum rc rc = texts_differ(name, n, &differ, e);
    if (!rc)
        spill_copy(to, name, n * sizeof *to);
    if (rc || differ)
        return rc;
    struct place *place = spill_alloc((n + 1) * sizeof *place);
    rc = place ? number_names(&w, place, e) : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    spill_free(place);
    *n_renamed += w.n_renamed;
    return rc;
}
