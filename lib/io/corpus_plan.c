#include "lib/io/corpus_plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/accession.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"

/* The most that one sample may be said to have: beyond it a figure is a slip. */
#define MAX_BYTES ((uint64_t)1 << 50)

static const char columns[] =
    "sample,accession,species,tissue,source,kind,where,bytes,sha256,licence,chemistry,note";
static const char *const chemistry[] = { "10xv2",    "10xv3",  "dropseq",  "10x",
                                         "celseq2",  "indrop", "smartseq", "strt",
                                         "sci-plex", "visium", NULL };
enum { N_READS = 3 };

const char *const *corpus_chemistries(size_t *n_reads)
{
    if (n_reads)
        *n_reads = N_READS;
    return chemistry;
}

void corpus_plan_init(struct corpus_plan *p)
{
    *p = (struct corpus_plan){ 0 };
    arena_init(&p->text, 1 << 14);
    map_init(&p->by_sample);
}

void corpus_plan_release(struct corpus_plan *p)
{
    free(p->row);
    map_release(&p->by_sample);
    arena_release(&p->text);
    *p = (struct corpus_plan){ 0 };
}

const struct corpus_row *corpus_plan_find(const struct corpus_plan *p, const char *sample)
{
    uint64_t at = map_get(&p->by_sample, sample);
    return at == MAP_NONE ? NULL : &p->row[at];
}

static enum rc refuse(const struct corpus_row *r, const char *column, const char *why,
                      const char *what, struct err *e)
{
    return err_set(e, RC_INPUT, "'%s': row %zu, column '%s': %s '%.200s'", r->file, r->line, column,
                   why, what);
}

static bool unknown(const char *s)
{
    return strcmp(s, "-") == 0;
}

/* --- one row -------------------------------------------------------------------------------- */

/* A path of the inputs, which themselves are held to more. */
static const char *input_path(const char *s)
{
    return strncmp(s, "inputs:", 7) == 0 && s[7] && s[7] != '/' ? s + 7 : NULL;
}

/* The words of `where`: how many, and how many are runs, pages of the inputs, URLs. */
struct places {
    size_t n, n_runs, n_inputs, n_urls;
};

static struct places count_places(const char *where)
{
    struct places c = { 0 };
    char word[2048];
    for (const char *s = where; *s;) {
        size_t n = strcspn(s, " ");
        c.n++;
        if (n && n < sizeof word) {
            memcpy(word, s, n);
            word[n] = '\0';
            c.n_runs += accession_is_run(word);
            c.n_inputs += input_path(word) != NULL;
            c.n_urls += accession_is_url(word);
        }
        s += n + (s[n] == ' ');
    }
    return c;
}

static enum rc check_where(const struct corpus_row *r, struct err *e)
{
    struct places c = count_places(r->where);
    if (r->kind == CORPUS_ACCESSION)
        return unknown(r->where) || (c.n == 1 && c.n_urls == 1)
                   ? RC_OK
                   : refuse(r, "where", "an accession has one page or `-`, not", r->where, e);
    if (r->kind == CORPUS_COUNTS)
        return c.n && ((c.n == 1 && c.n_inputs) || c.n == c.n_urls)
                   ? RC_OK
                   : refuse(r, "where", "counts lie at one inputs:PATH or at URLs, not", r->where,
                            e);
    if (c.n && c.n == c.n_runs)
        return RC_OK;
    if (!c.n || c.n != c.n_inputs + c.n_urls)
        return refuse(r, "where", "reads are SRA runs, URLs or inputs:PATHs, not", r->where, e);
    return c.n % 2 == 0
               ? RC_OK
               : refuse(r, "where", "reads come in pairs of files, which are not", r->where, e);
}

static enum rc check_chemistry(const struct corpus_row *r, struct err *e)
{
    if (unknown(r->chemistry) && r->kind != CORPUS_READS)
        return RC_OK;
    for (size_t i = 0; chemistry[i]; i++)
        if (strcmp(chemistry[i], r->chemistry) == 0)
            return i < N_READS || r->kind != CORPUS_READS
                       ? RC_OK
                       : refuse(r, "chemistry", "reads cannot be counted with", r->chemistry, e);
    return refuse(r, "chemistry", "no such chemistry:", r->chemistry, e);
}

static enum rc check_accession(const struct corpus_row *r, struct err *e)
{
    int fits = accession_fits(r->source, r->accession);
    if (fits < 0)
        return refuse(r, "source", "no such archive:", r->source, e);
    if (!fits)
        return refuse(r, "accession", "not as its archive writes them:", r->accession, e);
    if (r->kind == CORPUS_ACCESSION && unknown(r->accession))
        return refuse(r, "accession", "neither files nor an accession:", r->sample, e);
    return RC_OK;
}

static enum rc read_size(struct corpus_row *r, const char *bytes, const char *sha256, struct err *e)
{
    size_t n_files = count_places(r->where).n;
    if (!unknown(bytes) &&
        (!number_whole(bytes, &r->bytes, NULL) || !r->bytes || r->bytes > MAX_BYTES))
        return refuse(r, "bytes", "not a size in bytes:", bytes, e);
    if (r->bytes && r->kind == CORPUS_ACCESSION)
        return refuse(r, "bytes", "no files are listed, so they have no size:", bytes, e);
    if (unknown(sha256))
        return RC_OK;
    if (strlen(sha256) != SHA256_HEX - 1 || strspn(sha256, "0123456789abcdef") != SHA256_HEX - 1)
        return refuse(r, "sha256", "not a SHA-256:", sha256, e);
    if (!r->bytes || n_files != 1)
        return refuse(r, "sha256", "a sum is of one file whose size is told:", sha256, e);
    memcpy(r->sha256, sha256, SHA256_HEX);
    return RC_OK;
}

static enum rc read_kind(struct corpus_row *r, const char *kind, struct err *e)
{
    static const char *const name[] = { "counts", "reads", "accession" };
    for (int i = 0; i < 3; i++)
        if (strcmp(kind, name[i]) == 0) {
            r->kind = (enum corpus_kind)i;
            return RC_OK;
        }
    return refuse(r, "kind", "a kind is counts, reads or accession, not", kind, e);
}

static enum rc check_row(struct corpus_row *r, const char *kind, const char *bytes,
                         const char *sha256, struct err *e)
{
    if (!accession_is_name(r->sample, "._-"))
        return refuse(r, "sample", "a name has letters, digits and ._- only, not", r->sample, e);
    if (strcmp(r->species, "human") != 0 && strcmp(r->species, "mouse") != 0)
        return refuse(r, "species", "a species is human or mouse, not", r->species, e);
    if (!*r->tissue)
        return refuse(r, "tissue", "empty: a tissue that is not known is `-`, not", r->tissue, e);
    if (!*r->licence || unknown(r->licence))
        return refuse(r, "licence", "a licence is its owner's words or `not stated`, not",
                      r->licence, e);
    enum rc rc = read_kind(r, kind, e);
    if (!rc)
        rc = check_accession(r, e);
    if (!rc)
        rc = check_where(r, e);
    if (!rc)
        rc = check_chemistry(r, e);
    return rc ? rc : read_size(r, bytes, sha256, e);
}

/* --- tables --------------------------------------------------------------------------------- */

static struct corpus_row *add(struct corpus_plan *p, struct err *e)
{
    if (p->n == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        struct corpus_row *more = realloc(p->row, room * sizeof *more);
        if (!more) {
            err_set(e, RC_FAIL, "no memory for %zu samples", room);
            return NULL;
        }
        p->row = more;
        p->room = room;
    }
    p->row[p->n] = (struct corpus_row){ 0 };
    return &p->row[p->n++];
}

static const char *at(const struct table *t, const char *column, size_t row)
{
    return table_find(t, column)->text[row];
}

static enum rc read_row(struct corpus_plan *p, const char *file, const struct table *t, size_t i,
                        struct err *e)
{
    struct corpus_row *r = add(p, e);
    if (!r)
        return RC_FAIL;
    const struct {
        const char *column;
        const char **to;
    } text[] = { { "sample", &r->sample },   { "accession", &r->accession },
                 { "species", &r->species }, { "tissue", &r->tissue },
                 { "source", &r->source },   { "where", &r->where },
                 { "licence", &r->licence }, { "chemistry", &r->chemistry } };
    r->file = file;
    r->line = i + 1;
    for (size_t c = 0; c < sizeof text / sizeof *text; c++) {
        *text[c].to = arena_text(&p->text, at(t, text[c].column, i));
        if (!*text[c].to)
            return err_set(e, RC_FAIL, "no memory to read '%s'", file);
    }
    if (check_row(r, at(t, "kind", i), at(t, "bytes", i), at(t, "sha256", i), e))
        return e ? e->rc : RC_INPUT;
    uint64_t old;
    if (map_add(&p->by_sample, r->sample, p->n - 1, &old, e))
        return RC_FAIL;
    return old == MAP_NONE ? RC_OK : refuse(r, "sample", "stands twice:", r->sample, e);
}

enum rc corpus_plan_read(struct corpus_plan *p, const char *path, struct err *e)
{
    struct table t;
    const char *file = arena_text(&p->text, path);
    if (!file)
        return err_set(e, RC_FAIL, "no memory to read '%s'", path);
    if (tsv_read_need(path, columns, &t, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t.n_rows; i++)
        rc = read_row(p, file, &t, i, e);
    table_release(&t);
    return rc;
}

/* --- beside the other tables ---------------------------------------------------------------- */

/* Bytes of an input, or of a folder of them, added to *bytes; *file when it is one. False: none. */
static bool add_input(const struct inputs *in, const char *path, uint64_t *bytes,
                      const struct input **file)
{
    const size_t len = strlen(path);
    size_t n = 0;
    for (size_t i = 0; i < in->n; i++) {
        const struct input *it = &in->item[i];
        const bool inside = strncmp(it->path, path, len) == 0 && it->path[len] == '/';
        if (strcmp(it->path, path) == 0)
            *file = it;
        if (*file != it && !inside)
            continue;
        n++;
        *bytes += it->bytes;
    }
    return n > 0;
}

/* Each word of `where` that is an input. */
static enum rc check_inputs(const struct corpus_row *r, char *where, const struct inputs *in,
                            struct err *e)
{
    uint64_t bytes = 0;
    const struct input *file = NULL;
    bool all = true;
    char *rest = where;
    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        const char *path = input_path(word);
        all = all && path;
        if (path && !add_input(in, path, &bytes, &file))
            return refuse(r, "where", "no such input:", path, e);
    }
    if (all && r->bytes && r->bytes != bytes)
        return err_set(e, RC_INPUT, "'%s': row %zu, column 'bytes': %llu, but the inputs have %llu",
                       r->file, r->line, (unsigned long long)r->bytes, (unsigned long long)bytes);
    if (all && *r->sha256 && (!file || strcmp(r->sha256, file->sha256) != 0))
        return refuse(r, "sha256", "not the sum of that input:", r->sha256, e);
    return RC_OK;
}

enum rc corpus_plan_check_inputs(const struct corpus_plan *p, const struct inputs *in,
                                 struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < p->n; i++) {
        char *where = text_new("%s", p->row[i].where);
        if (p->row[i].kind == CORPUS_ACCESSION) {
            free(where);
            continue;
        }
        rc = where ? check_inputs(&p->row[i], where, in, e)
                   : err_set(e, RC_FAIL, "no memory to check the plan");
        free(where);
    }
    return rc;
}

enum rc corpus_plan_check_samples(const struct corpus_plan *p, const char *samples_tsv,
                                  struct err *e)
{
    struct table t;
    if (tsv_read_need(samples_tsv, "sample,path,species,profiles", &t, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *name = at(&t, "sample", i);
        const struct corpus_row *r = corpus_plan_find(p, name);
        const char *path = r && r->kind == CORPUS_COUNTS ? input_path(r->where) : NULL;
        if (!r && unknown(at(&t, "profiles", i)))
            continue;
        if (!r)
            rc = err_set(e, RC_INPUT, "'%s': row %zu: sample '%s' is not in the plan", samples_tsv,
                         i + 1, name);
        else if (strcmp(r->species, at(&t, "species", i)) != 0)
            rc = refuse(r, "species", "the samples table tells another than", r->species, e);
        else if (path && strcmp(path, at(&t, "path", i)) != 0)
            rc = refuse(r, "where", "the samples table tells another path than", path, e);
    }
    table_release(&t);
    return rc;
}
