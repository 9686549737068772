/* Lists that profile-drug reads: drugs with their SMILES, genes with their vectors. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/profile_drug_parts.h"
#include "lib/base/log.h"
#include "lib/data/fingerprint.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"

/* ---- drugs ---- */

void drugs_release(struct drugs *d)
{
    for (size_t i = 0; d->molecule && i < d->id.n; i++)
        smiles_release(&d->molecule[i]);
    free(d->molecule);
    free(d->smiles);
    mat_release(&d->bits);
    names_release(&d->id);
    arena_release(&d->text);
    *d = (struct drugs){ 0 };
}

static enum rc add_drug(struct drugs *d, char *line, size_t number, bool skip_bad, size_t *room,
                        struct err *e)
{
    char *field[3];
    struct molecule m;
    struct err why = { 0 };
    if (fields_cut(line, ',', field, 3) != 2 || !*field[0] || !*field[1])
        return err_set(e, RC_INPUT, "line %zu is not 'id,SMILES'", number);
    if (map_get(&d->id.map, field[0]) != MAP_NONE)
        return err_set(e, RC_INPUT, "line %zu: drug '%s' stands there twice", number, field[0]);
    enum rc rc = smiles_read(field[1], &m, &why);
    if (rc == RC_INPUT && skip_bad) {
        log_warn("line %zu: SMILES '%s' is left out: %s", number, field[1], why.text);
        d->n_bad++;
        return RC_OK;
    }
    if (rc)
        return err_set(e, rc, "line %zu: SMILES '%.200s': %s", number, field[1], why.text);
    if (d->id.n == *room) {
        *room = 2 * *room + 64;
        struct molecule *more = realloc(d->molecule, *room * sizeof *more);
        d->molecule = more ? more : d->molecule;
        const char **text = realloc(d->smiles, *room * sizeof *text);
        d->smiles = text ? text : d->smiles;
        if (!more || !text) {
            smiles_release(&m);
            return err_set(e, RC_FAIL, "no memory for %zu drugs", *room);
        }
    }
    const size_t at = d->id.n;
    if (!(d->smiles[at] = arena_text(&d->text, field[1])))
        rc = err_set(e, RC_FAIL, "no memory for a drug");
    uint32_t same;
    if (!rc)
        rc = names_add(&d->id, field[0], &same, e);
    if (rc)
        smiles_release(&m);
    else
        d->molecule[at] = m;
    return rc;
}

enum rc drugs_read(struct drugs *d, const char *path, bool skip_bad, struct err *e)
{
    struct lines l;
    bool more;
    size_t room = 0;
    *d = (struct drugs){ 0 };
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    names_init(&d->id);
    arena_init(&d->text, 1 << 14);
    while (!(rc = lines_next(&l, &more, e)) && more)
        if (*l.text && (rc = add_drug(d, l.text, l.number, skip_bad, &room, e)))
            break;
    lines_close(&l);
    if (!rc && !d->id.n)
        rc = err_set(e, RC_INPUT, "there is no drug");
    if (!rc)
        rc = mat_alloc(&d->bits, d->id.n, PROFILE_BITS, e);
    for (size_t i = 0; !rc && i < d->id.n; i++)
        rc = fingerprint_of(&d->molecule[i], 2, PROFILE_BITS, mat_row(&d->bits, i), e);
    if (!rc && d->n_bad)
        log_warn("%zu drugs are left out: their SMILES cannot be read", d->n_bad);
    if (rc)
        drugs_release(d);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}

/* ---- vectors of genes ---- */

void profile_genes_release(struct profile_genes *g)
{
    names_release(&g->gene);
    mat_release(&g->x);
}

/* Numbers of a line behind the name, appended to *x. */
static enum rc add_numbers(struct profile_genes *g, char *text, size_t number, size_t *room,
                           struct err *e)
{
    size_t d = 0;
    for (char *at = text; at; d++) {
        char *next = strchr(at, ',');
        double v;
        if (next)
            *next++ = '\0';
        if (!number_parse(at, &v))
            return err_set(e, RC_INPUT, "line %zu: '%.40s' is no number", number, at);
        const size_t n = g->x.n * g->x.d + d;
        if (n >= *room) {
            *room = 2 * *room + 4096;
            double *more = realloc(g->x.x, *room * sizeof *more);
            if (!more)
                return err_set(e, RC_FAIL, "no memory for %zu numbers", *room);
            g->x.x = more;
        }
        g->x.x[n] = v;
        at = next;
    }
    if (g->x.n && d != g->x.d)
        return err_set(e, RC_INPUT, "line %zu has %zu numbers, not %zu", number, d, g->x.d);
    g->x.d = d;
    g->x.n++;
    return RC_OK;
}

enum rc profile_genes_read(struct profile_genes *g, const char *path, struct err *e)
{
    struct lines l;
    bool more;
    size_t room = 0;
    *g = (struct profile_genes){ 0 };
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    names_init(&g->gene);
    while (!(rc = lines_next(&l, &more, e)) && more) {
        uint32_t at;
        char *comma = strchr(l.text, ',');
        if (!*l.text)
            continue;
        if (!comma || comma == l.text) {
            rc = err_set(e, RC_INPUT, "line %zu is not 'gene,numbers'", l.number);
            break;
        }
        *comma = '\0';
        rc = names_add(&g->gene, l.text, &at, e);
        if (!rc && at != g->x.n)
            rc = err_set(e, RC_INPUT, "line %zu: gene '%s' stands there twice", l.number, l.text);
        if (!rc)
            rc = add_numbers(g, comma + 1, l.number, &room, e);
        if (rc)
            break;
    }
    lines_close(&l);
    if (!rc && !g->x.n)
        rc = err_set(e, RC_INPUT, "there is no gene");
    if (rc)
        profile_genes_release(g);
    return rc ? err_wrap(e, "'%s'", path) : RC_OK;
}
