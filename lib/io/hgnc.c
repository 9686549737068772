#include "lib/io/hgnc.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lib/base/file.h"

static size_t feed(void *to, size_t n, void *gz)
{
    const int got = gzread(gz, to, (unsigned)(n > 1 << 20 ? 1 << 20 : n));
    return got < 0 ? (size_t)-1 : (size_t)got;
}

/* NULL with *e set. */
static json_t *load(const char *path, struct err *e)
{
    errno = 0;
    gzFile gz = folder_exists(path) ? NULL : gzopen(path, "rb");
    if (!gz) {
        err_set(e, RC_INPUT, "cannot open '%s': %s", path,
                errno ? strerror(errno) : "not a plain file");
        return NULL;
    }
    json_error_t je;
    json_t *j = json_load_callback(feed, gz, JSON_REJECT_DUPLICATES, &je);
    int code = 0;
    const char *why = gzerror(gz, &code);
    if (code < 0) { /* jansson takes a cut stream for the end of the text */
        err_set(e, RC_INPUT, "'%s': the gzip stream is cut or damaged (%s)", path, why);
        json_decref(j);
        j = NULL;
    } else if (!j) {
        err_set(e, RC_INPUT, "'%s': byte %d: %s", path, je.position, je.text);
    }
    gzclose(gz);
    return j;
}

static const json_t *groups_of(const json_t *doc)
{
    const json_t *g = json_object_get(doc, "gene_family_id");
    return g ? g : json_object_get(doc, "gene_group_id");
}

static enum rc add_member(struct hgnc *h, size_t *room, const json_t *family, uint32_t gene,
                          struct err *e)
{
    const json_int_t id = json_integer_value(family);
    if (!json_is_integer(family) || id < 0 || id >= UINT32_MAX)
        return err_set(e, RC_INPUT, "'%s': a family that is no whole number", h->symbol[gene]);
    if (h->n_members == *room) {
        *room = *room ? 2 * *room : 1024;
        struct member *more = realloc(h->member, *room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu members of families", *room);
        h->member = more;
    }
    h->member[h->n_members++] = (struct member){ (uint32_t)id, gene };
    return RC_OK;
}

static enum rc add_doc(struct hgnc *h, size_t *room, const json_t *doc, size_t i, struct err *e)
{
    const json_t *groups = groups_of(doc);
    if (!json_is_object(doc))
        return err_set(e, RC_INPUT, "entry %zu is not an object", i);
    if (!groups)
        return RC_OK;
    const char *symbol = json_string_value(json_object_get(doc, "symbol"));
    const char *id = json_string_value(json_object_get(doc, "ensembl_gene_id"));
    if (!symbol || !*symbol)
        return err_set(e, RC_INPUT, "entry %zu has no symbol", i);
    if (!json_is_array(groups))
        return err_set(e, RC_INPUT, "entry %zu, '%s': its families are no list", i, symbol);
    const uint32_t gene = (uint32_t)h->n_genes;
    h->symbol[gene] = arena_text(&h->text, symbol);
    h->ensembl[gene] = id && *id ? arena_text(&h->text, id) : NULL;
    if (!h->symbol[gene] || (id && *id && !h->ensembl[gene]))
        return err_set(e, RC_FAIL, "no memory for %zu genes", h->n_genes);
    enum rc rc = RC_OK;
    for (size_t k = 0; !rc && k < json_array_size(groups); k++)
        rc = add_member(h, room, json_array_get(groups, k), gene, e);
    h->n_genes += json_array_size(groups) > 0;
    return rc;
}

static enum rc add_docs(struct hgnc *h, const json_t *docs, struct err *e)
{
    if (!json_is_array(docs))
        return err_set(e, RC_INPUT, "no list response.docs");
    h->n_docs = json_array_size(docs);
    if (h->n_docs >= UINT32_MAX)
        return err_set(e, RC_INPUT, "%zu entries", h->n_docs);
    h->symbol = calloc(h->n_docs + 1, sizeof *h->symbol);
    h->ensembl = calloc(h->n_docs + 1, sizeof *h->ensembl);
    if (!h->symbol || !h->ensembl)
        return err_set(e, RC_FAIL, "no memory for %zu genes", h->n_docs);
    enum rc rc = RC_OK;
    size_t room = 0;
    for (size_t i = 0; !rc && i < h->n_docs; i++) {
        const json_t *doc = json_array_get(docs, i);
        const char *locus = json_string_value(json_object_get(doc, "locus_group"));
        h->n_protein += locus && strcmp(locus, "protein-coding gene") == 0;
        rc = add_doc(h, &room, doc, i, e);
    }
    if (!rc && !h->n_members)
        rc = err_set(e, RC_INPUT, "no gene with a family among %zu", h->n_docs);
    return rc;
}

enum rc hgnc_read(const char *path, struct hgnc *h, struct err *e)
{
    *h = (struct hgnc){ 0 };
    json_t *j = load(path, e);
    if (!j)
        return e ? e->rc : RC_INPUT;
    arena_init(&h->text, 1 << 16);
    enum rc rc = add_docs(h, json_object_get(json_object_get(j, "response"), "docs"), e);
    json_decref(j);
    if (!rc)
        return RC_OK;
    hgnc_release(h);
    err_wrap(e, "'%s'", path);
    return rc;
}

void hgnc_release(struct hgnc *h)
{
    free(h->symbol);
    free(h->ensembl);
    free(h->member);
    arena_release(&h->text);
    *h = (struct hgnc){ 0 };
}
