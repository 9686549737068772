#include "lib/cell/gene_build.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/data/genename.h"

enum { ID_MAX = 256 };

const char *gene_biotype_name(enum gene_biotype b)
{
    static const char *const name[] = { "protein_coding", "lncRNA", "miRNA", "Mt", "other" };
    return name[b];
}

/* Long RNA was many words before GENCODE 31. */
enum gene_biotype gene_biotype_parse(const char *t)
{
    static const char *const lnc[] = { "lncRNA",
                                       "lincRNA",
                                       "antisense",
                                       "antisense_RNA",
                                       "processed_transcript",
                                       "sense_intronic",
                                       "sense_overlapping",
                                       "3prime_overlapping_ncRNA",
                                       "bidirectional_promoter_lncRNA",
                                       "macro_lncRNA",
                                       "non_coding" };
    if (strcmp(t, "protein_coding") == 0)
        return GENE_PROTEIN;
    if (strcmp(t, "miRNA") == 0)
        return GENE_MIRNA;
    if (strncmp(t, "Mt_", 3) == 0)
        return GENE_MT;
    for (size_t i = 0; i < sizeof lnc / sizeof *lnc; i++)
        if (strcmp(t, lnc[i]) == 0)
            return GENE_LNCRNA;
    return GENE_OTHER;
}

void gene_build_init(struct gene_build *b)
{
    *b = (struct gene_build){ 0 };
    arena_init(&b->text, 1 << 18);
    for (int sp = 0; sp < 2; sp++) {
        map_init(&b->of[sp].ids);
        map_init(&b->of[sp].list);
    }
}

void gene_build_release(struct gene_build *b)
{
    for (int sp = 0; sp < 2; sp++) {
        free(b->of[sp].gene);
        free(b->of[sp].name);
        map_release(&b->of[sp].ids);
        map_release(&b->of[sp].list);
    }
    free(b->pair);
    arena_release(&b->text);
    *b = (struct gene_build){ 0 };
}

/* Room for one more in *at. */
static enum rc grow(void **at, size_t n, size_t *room, size_t item, struct err *e)
{
    if (n < *room)
        return RC_OK;
    size_t more = *room ? 2 * *room : 1024;
    void *p = realloc(*at, more * item);
    if (!p)
        return err_set(e, RC_FAIL, "no memory for %zu genes", more);
    *at = p;
    *room = more;
    return RC_OK;
}

static enum rc clean(const char *id, char to[ID_MAX], struct err *e)
{
    if (!*id || !gene_id_clean(id, to, ID_MAX))
        return err_set(e, RC_INPUT, "gene id '%.40s' is empty or longer than %d", id, ID_MAX - 1);
    return RC_OK;
}

static const char *keep(struct gene_build *b, const char *text, struct err *e)
{
    const char *s = arena_text(&b->text, text);
    if (!s)
        err_set(e, RC_FAIL, "no memory for names");
    return s;
}

enum rc gene_build_gene(struct gene_build *b, enum species sp, const char *id, const char *name,
                        const char *biotype, struct err *e)
{
    struct gene_side *a = &b->of[sp];
    char c[ID_MAX];
    uint64_t old = MAP_NONE;
    if (clean(id, c, e) || grow((void **)&a->gene, a->n, &a->room, sizeof *a->gene, e))
        return e->rc;
    if (map_add(&a->ids, c, a->n, &old, e))
        return e->rc;
    if (old != MAP_NONE) {
        a->counts.repeated_ids++;
        return RC_OK;
    }
    struct gene *g = &a->gene[a->n++];
    *g = (struct gene){ .id = keep(b, c, e),
                        .name = keep(b, *name ? name : c, e),
                        .biotype = GENE_OTHER,
                        .partner = UINT32_MAX };
    if (!g->id || !g->name)
        return RC_FAIL;
    g->shown = g->name;
    if (biotype && *biotype) {
        g->biotype = gene_biotype_parse(biotype);
        a->has_biotypes = true;
    }
    return RC_OK;
}

enum rc gene_build_name(struct gene_build *b, enum species sp, const char *id, const char *name,
                        int rank, struct err *e)
{
    struct gene_side *a = &b->of[sp];
    char c[ID_MAX];
    assert(rank >= 0 && rank < GENE_MAX_RANKS);
    if (!*name || !*id)
        return RC_OK; /* tables have genes without a name, and names without an id */
    if (clean(id, c, e) || grow((void **)&a->name, a->n_names, &a->room_names, sizeof *a->name, e))
        return e->rc;
    uint64_t gene = map_get(&a->ids, c);
    struct gene_name *x = &a->name[a->n_names];
    *x = (struct gene_name){ .rank = rank, .gene = gene == MAP_NONE ? UINT32_MAX : (uint32_t)gene };
    x->name = keep(b, name, e);
    if (x->name && gene == MAP_NONE)
        x->id = keep(b, c, e);
    if (!x->name || (gene == MAP_NONE && !x->id))
        return RC_FAIL;
    a->n_names++;
    return RC_OK;
}

enum rc gene_build_listed(struct gene_build *b, enum species sp, const char *name, struct err *e)
{
    return map_add(&b->of[sp].list, name, 1, NULL, e);
}

static bool same_but_case(const char *a, const char *b)
{
    for (; *a && toupper((unsigned char)*a) == toupper((unsigned char)*b); a++, b++)
        ;
    return !*a && !*b;
}

enum rc gene_build_pair(struct gene_build *b, const char *human, const char *mouse,
                        enum pair_type type, int confidence, int score, struct err *e)
{
    char c[2][ID_MAX];
    if (clean(human, c[0], e) || clean(mouse, c[1], e) ||
        grow((void **)&b->pair, b->n_pairs, &b->room_pairs, sizeof *b->pair, e))
        return e->rc;
    uint64_t h = map_get(&b->of[0].ids, c[0]), m = map_get(&b->of[1].ids, c[1]);
    if (h == MAP_NONE || m == MAP_NONE) {
        b->pairs_unknown++;
        return RC_OK;
    }
    b->pair[b->n_pairs++] = (struct gene_pair){ .human = (uint32_t)h,
                                                .mouse = (uint32_t)m,
                                                .type = type,
                                                .confidence = confidence,
                                                .score = score,
                                                .same_name = same_but_case(b->of[0].gene[h].name,
                                                                           b->of[1].gene[m].name) };
    return RC_OK;
}

/* ---- finishing ---- */

static int by_id(const void *pa, const void *pb)
{
    return strcmp(((const struct gene *)pa)->id, ((const struct gene *)pb)->id);
}

/* Genes in order of their ids; what points at genes follows. */
static enum rc sort_genes(struct gene_build *b, enum species sp, struct err *e)
{
    struct gene_side *a = &b->of[sp];
    uint32_t *to = calloc(a->n + 1, sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n);
    for (size_t i = 0; i < a->n; i++)
        a->gene[i].partner = (uint32_t)i; /* for a moment: where it was */
    if (a->n)
        qsort(a->gene, a->n, sizeof *a->gene, by_id);
    for (uint32_t i = 0; i < a->n; i++) {
        to[a->gene[i].partner] = i;
        a->gene[i].partner = UINT32_MAX;
    }
    for (size_t i = 0; i < a->n_names; i++)
        if (!a->name[i].id)
            a->name[i].gene = to[a->name[i].gene];
    for (size_t i = 0; i < b->n_pairs; i++) {
        uint32_t *g = sp == SPECIES_HUMAN ? &b->pair[i].human : &b->pair[i].mouse;
        *g = to[*g];
    }
    free(to);
    return RC_OK;
}

static bool is_name(const void *ctx, const char *text, size_t n)
{
    return map_get_n(ctx, text, n) != MAP_NONE;
}

/* Rule 2. The names as upper case, as the guess compares them. */
static enum rc guess_biotypes(struct gene_side *a, struct err *e)
{
    struct map names;
    enum rc rc = RC_OK;
    map_init(&names);
    for (size_t i = 0; i < a->n && !rc; i++) {
        char s[ID_MAX];
        size_t n = 0;
        for (; a->gene[i].name[n] && n < sizeof s - 1; n++)
            s[n] = (char)toupper((unsigned char)a->gene[i].name[n]);
        s[n] = '\0';
        rc = map_add(&names, s, 1, NULL, e);
    }
    for (size_t i = 0; i < a->n && !rc; i++)
        a->gene[i].biotype = gene_guess_biotype(a->gene[i].id, a->gene[i].name, is_name, &names);
    map_release(&names);
    a->counts.guessed = a->n > 0;
    return rc;
}

static int by_name(const void *pa, const void *pb)
{
    const struct gene *a = *(struct gene *const *)pa, *b = *(struct gene *const *)pb;
    int c = strcmp(a->name, b->name);
    if (c)
        return c;
    if (a->biotype != b->biotype)
        return a->biotype < b->biotype ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* Rule 3. */
static enum rc share_out_names(struct gene_side *a, struct err *e)
{
    struct gene **order = calloc(a->n + 1, sizeof *order);
    if (!order)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n);
    for (size_t i = 0; i < a->n; i++)
        order[i] = &a->gene[i];
    if (a->n)
        qsort(order, a->n, sizeof *order, by_name);
    for (size_t i = 1; i < a->n; i++)
        if (strcmp(order[i]->name, order[i - 1]->name) == 0) {
            order[i]->shown = order[i]->id;
            a->counts.shared_names++;
        }
    free(order);
    return RC_OK;
}

/* Rule 7. */
static void mark_core(struct gene_side *a, const struct gene_name *alias, size_t n_alias)
{
    for (size_t i = 0; i < a->n; i++)
        a->gene[i].listed = map_get(&a->list, a->gene[i].name) != MAP_NONE;
    for (size_t i = 0; i < n_alias; i++)
        if (map_get(&a->list, alias[i].name) != MAP_NONE)
            a->gene[alias[i].gene].listed = true;
    for (size_t i = 0; i < a->n; i++) {
        struct gene *g = &a->gene[i];
        g->core = g->biotype <= GENE_MIRNA && (!a->list.n || g->listed);
        a->counts.n_core += g->core;
        a->counts.n_listed += g->listed;
        a->counts.by_biotype[g->biotype]++;
    }
    a->counts.n_genes = a->n;
}

static enum rc fill_genes(const struct gene_build *b, struct table *t, struct err *e)
{
    table_init(t, b->of[0].n + b->of[1].n);
    static const struct {
        const char *name;
        enum column_kind kind;
    } col[] = { { "id", COLUMN_TEXT },      { "name", COLUMN_TEXT },   { "species", COLUMN_I64 },
                { "biotype", COLUMN_TEXT }, { "core", COLUMN_I64 },    { "token", COLUMN_I64 },
                { "median", COLUMN_TEXT },  { "homolog", COLUMN_TEXT } };
    for (size_t i = 0; i < sizeof col / sizeof *col; i++)
        if (!table_add(t, col[i].name, col[i].kind))
            return err_set(e, RC_FAIL, "no memory for %zu genes", t->n_rows);
    size_t r = 0;
    for (int sp = 0; sp < 2; sp++)
        for (size_t i = 0; i < b->of[sp].n; i++, r++) {
            const struct gene *g = &b->of[sp].gene[i];
            /* Only the mouse side names its partner. Texts live as long as the builder does, so
             * they are copied. */
            const char *partner = sp == SPECIES_MOUSE && g->partner != UINT32_MAX
                                      ? b->of[SPECIES_HUMAN].gene[g->partner].id
                                      : "-";
            if (table_set_text(t, &t->col[0], r, g->id, e) ||
                table_set_text(t, &t->col[1], r, g->shown, e) ||
                table_set_text(t, &t->col[3], r, gene_biotype_name(g->biotype), e) ||
                table_set_text(t, &t->col[6], r, "-", e) ||
                table_set_text(t, &t->col[7], r, partner, e))
                return RC_FAIL;
            t->col[2].i64[r] = sp;
            t->col[4].i64[r] = g->core;
            t->col[5].i64[r] = -1;
        }
    return RC_OK;
}

static enum rc fill_aliases(const struct gene_build *b, struct gene_name *const alias[2],
                            const size_t n[2], struct table *t, struct err *e)
{
    table_init(t, n[0] + n[1]);
    if (!table_add(t, "name", COLUMN_TEXT) || !table_add(t, "id", COLUMN_TEXT) ||
        !table_add(t, "species", COLUMN_I64))
        return err_set(e, RC_FAIL, "no memory for %zu aliases", t->n_rows);
    size_t r = 0;
    for (int sp = 0; sp < 2; sp++)
        for (size_t i = 0; i < n[sp]; i++, r++) {
            if (table_set_text(t, &t->col[0], r, alias[sp][i].name, e) ||
                table_set_text(t, &t->col[1], r, b->of[sp].gene[alias[sp][i].gene].id, e))
                return RC_FAIL;
            t->col[2].i64[r] = sp;
        }
    return RC_OK;
}

enum rc gene_build_finish(struct gene_build *b, struct table *genes, struct table *aliases,
                          struct err *e)
{
    struct gene_name *alias[2] = { NULL, NULL };
    size_t n[2] = { 0, 0 };
    enum rc rc = RC_OK;
    table_init(genes, 0);
    table_init(aliases, 0);
    for (int sp = 0; sp < 2 && !rc; sp++) {
        struct gene_side *a = &b->of[sp];
        rc = sort_genes(b, sp, e);
        if (!rc && !a->has_biotypes)
            rc = guess_biotypes(a, e);
        if (!rc)
            rc = share_out_names(a, e);
        if (!rc)
            rc = gene_aliases(b, sp, &alias[sp], &n[sp], e);
        if (!rc)
            mark_core(a, alias[sp], n[sp]);
    }
    if (!rc) {
        gene_pairs_choose(b);
        rc = fill_genes(b, genes, e);
    }
    if (!rc)
        rc = fill_aliases(b, alias, n, aliases, e);
    free(alias[0]);
    free(alias[1]);
    if (rc) {
        table_release(genes);
        table_release(aliases);
    }
    return rc;
}
