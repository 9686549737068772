/* Croissant: https://docs.mlcommons.org/croissant/docs/croissant-spec.html
 *
 * Two data sets. The corpus: shards (a record each, with sums), and the tables beside them. The
 * benchmarks: of every stage with a metrics.tsv its scores and predictions, and the labelled cells
 * that they are about. Columns are those of the files' own header lines. contentUrl leads from the
 * folder of this stage to that of the other. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/utf8.h"
#include "lib/base/version.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"
#include "lib/report/crate.h"

struct croissant {
    const struct crate *k;
    json_t *files, *records; /* distribution, recordSet */
    bool failed;
};

/* What columns mean. Others are texts that tell no more than their name. */
static const struct {
    const char *name, *type, *text;
} columns[] = {
    { "against", "sc:Text", "the method that it is compared with" },
    { "barcode", "sc:Text", "barcode of the cell as its source has it" },
    { "biotype", "sc:Text", "kind of gene" },
    { "bytes", "sc:Integer", "size of the file" },
    { "cell_id", "sc:Text", "16 hexadecimal digits, a hash of sample and barcode" },
    { "ci95", "sc:Float", "half of the 95 % interval over the seeds" },
    { "dataset", "sc:Text", "labelled sample" },
    { "homolog", "sc:Text", "the gene's homolog in the other species, as it stands in the table" },
    { "id", "sc:Text", "Ensembl id, or the name of a special token" },
    { "label", "sc:Text", "cell type as the source has it; - for none" },
    { "length", "sc:Integer", "tokens of the cell" },
    { "mean_difference", "sc:Float", "mean over the seeds of the difference on equal splits" },
    { "median", "sc:Float", "median of the gene's counts above 0 over the corpus" },
    { "method", "sc:Text", "the model, or a simple method beside it" },
    { "metric", "sc:Text", "what was measured" },
    { "n", "sc:Integer", "cells, or whatever was scored" },
    { "n_nonzero", "sc:Integer", "genes of the cell, or cells of the gene, with a count above 0" },
    { "n_seeds", "sc:Integer", "splits" },
    { "name", "sc:Text", "name" },
    { "prediction", "sc:Text", "what the method says" },
    { "sample", "sc:Text", "sample that the cell is of" },
    { "score", "sc:Float", "how sure the method is" },
    { "seed", "sc:Text", "of the split; - for none" },
    { "sha256", "sc:Text", "SHA-256 of the file" },
    { "species", "sc:Text", "human, mouse, or - for neither" },
    { "split", "sc:Text", "part of the cells" },
    { "task", "sc:Text", "what is predicted" },
    { "token", "sc:Integer", "number of the gene in the shards" },
    { "truth", "sc:Text", "label of the source" },
    { "value", "sc:Float", "the score" },
    { "variant", "sc:Text", "clean, or as the authors released it" },
};

static void add(struct croissant *x, json_t *to, json_t *what)
{
    x->failed |= json_array_append_new(to, what) != 0;
}

static json_t *field(const char *set, const char *name)
{
    const char *type = "sc:Text", *text = name;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (strcmp(columns[i].name, name) == 0) {
            type = columns[i].type;
            text = columns[i].text;
        }
    return json_pack("{s:s,s:o,s:s,s:s,s:s}", "@type", "cr:Field", "@id",
                     json_sprintf("%s/%s", set, name), "name", name, "description", text,
                     "dataType", type);
}

/* A record set from the columns of a table with a header line. */
static enum rc table_records(struct croissant *x, const char *path, struct err *e)
{
    char *full = text_new("%s/%s", x->k->c->root, path);
    char *set = text_new("%.*s", (int)strcspn(path, "."), path); /* a file has its id already */
    struct lines l;
    bool more = false;
    enum rc rc =
        full && set ? lines_open(&l, full, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(full);
    if (rc) {
        free(set);
        return rc;
    }
    rc = lines_next(&l, &more, e);
    json_t *fields = json_array();
    char *name[64];
    size_t n = 0;
    if (!rc && !more)
        rc = err_set(e, RC_INPUT, "'%s' has no header line", path);
    else if (!rc && utf8_need(l.text, e))
        rc = err_wrap(e, "'%s': line 1", path);
    else if (!rc && (n = fields_cut(l.text, '\t', name, 64)) > 64)
        rc = err_set(e, RC_INPUT, "'%s' has %zu columns", path, n);
    for (size_t i = 0; !rc && i < n; i++) {
        json_t *f = field(set, name[i]);
        x->failed |= json_object_set_new(f, "source",
                                         json_pack("{s:{s:s},s:{s:s}}", "fileObject", "@id", path,
                                                   "extract", "column", name[i])) != 0;
        add(x, fields, f);
    }
    add(x, x->records,
        json_pack("{s:s,s:s,s:s,s:o}", "@type", "cr:RecordSet", "@id", set, "name", set, "field",
                  fields));
    free(set);
    lines_close(&l);
    return rc;
}

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);
    return n >= m && strcmp(name + n - m, with) == 0;
}

static void file(struct croissant *x, const char *path, const struct manifest_row *r)
{
    char *uri = crate_uri(path);
    const char *format = ends(path, ".tsv")                         ? "text/tab-separated-values"
                         : ends(path, ".h5") || ends(path, ".h5ad") ? "application/x-hdf5"
                                                                    : "application/octet-stream";
    add(x, x->files,
        uri ? json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s}", "@type", "cr:FileObject", "@id", path,
                        "name", path, "contentUrl", json_sprintf("../%s", uri), "contentSize",
                        json_sprintf("%ju B", (uintmax_t)r->bytes), "encodingFormat", format,
                        "sha256", r->sha256)
            : NULL);
    free(uri);
}

/* Outputs of a stage that end so: files, and a record for each. */
static void file_records(struct croissant *x, const char *stage, const char *end, json_t *data)
{
    size_t at = chain_stage_of(x->k->c, stage);
    for (size_t i = 0; at != CHAIN_NONE && i < x->k->c->stage[at].m.n; i++) {
        const struct manifest_row *r = &x->k->c->stage[at].m.row[i];
        char *path = r->kind == MANIFEST_OUTPUT && ends(r->name, end)
                         ? crate_path(&x->k->c->stage[at], r->name)
                         : NULL;
        if (!path)
            continue;
        file(x, path, r);
        add(x, data,
            json_pack("{s:s,s:I,s:s}", "files/name", path, "files/bytes", (json_int_t)r->bytes,
                      "files/sha256", r->sha256));
        free(path);
    }
}

/* Takes data over; without a record there is no such set. */
static void files_set(struct croissant *x, const char *text, json_t *data)
{
    if (!json_array_size(data)) {
        json_decref(data);
        return;
    }
    add(x, x->records,
        json_pack("{s:s,s:s,s:s,s:s,s:[o,o,o],s:o}", "@type", "cr:RecordSet", "@id", "files",
                  "name", "files", "description", text, "field", field("files", "name"),
                  field("files", "bytes"), field("files", "sha256"), "data", data));
}

/* A table of a stage, where the stage has it. */
static enum rc table(struct croissant *x, size_t stage, const char *name, struct err *e)
{
    const struct chain_stage *s = &x->k->c->stage[stage];
    const struct manifest_row *r = manifest_find(&s->m, MANIFEST_OUTPUT, name);
    if (!r)
        return RC_OK;
    char *path = crate_path(s, name);
    enum rc rc = path ? RC_OK : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        file(x, path, r);
        rc = table_records(x, path, e);
    }
    free(path);
    return rc;
}

/* The terms of the standard; https://docs.mlcommons.org/croissant/docs/croissant-spec.html */
static json_t *context(void)
{
    static const char text[] =
        "{\"@language\":\"en\",\"@vocab\":\"https://schema.org/\",\"citeAs\":\"cr:citeAs\","
        "\"column\":\"cr:column\",\"conformsTo\":\"dct:conformsTo\","
        "\"cr\":\"http://mlcommons.org/croissant/"
        "\",\"data\":{\"@id\":\"cr:data\",\"@type\":\"@json\"},"
        "\"dataType\":{\"@id\":\"cr:dataType\",\"@type\":\"@vocab\"},"
        "\"dct\":\"http://purl.org/dc/terms/\",\"equivalentProperty\":\"cr:equivalentProperty\","
        "\"examples\":{\"@id\":\"cr:examples\",\"@type\":\"@json\"},\"extract\":\"cr:extract\","
        "\"field\":\"cr:field\",\"fileObject\":\"cr:fileObject\",\"fileProperty\":\"cr:"
        "fileProperty\","
        "\"fileSet\":\"cr:fileSet\",\"format\":\"cr:format\",\"includes\":\"cr:includes\","
        "\"isLiveDataset\":\"cr:isLiveDataset\",\"jsonPath\":\"cr:jsonPath\",\"key\":\"cr:key\","
        "\"md5\":\"cr:md5\",\"parentField\":\"cr:parentField\",\"path\":\"cr:path\","
        "\"rai\":\"http://mlcommons.org/croissant/RAI/\",\"recordSet\":\"cr:recordSet\","
        "\"references\":\"cr:references\",\"regex\":\"cr:regex\",\"repeated\":\"cr:repeated\","
        "\"replace\":\"cr:replace\",\"samplingRate\":\"cr:samplingRate\",\"sc\":\"https://"
        "schema.org/\",\"separator\":\"cr:separator\","
        "\"source\":\"cr:source\",\"subField\":\"cr:subField\",\"transform\":\"cr:transform\"}";
    return json_loads(text, 0, NULL);
}

static enum rc finish(struct croissant *x, const char *name, const char *text, const char *path,
                      enum rc rc, struct err *e)
{
    if (!rc) {
        json_t *j = json_pack(
            "{s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s},s:s,s:O,s:O}", "@context", context(),
            "@type", "sc:Dataset", "conformsTo", "http://mlcommons.org/croissant/1.0", "name", name,
            "description", text, "license", "https://spdx.org/licenses/MIT", "url",
            "https://doi.org/10.1038/s41422-024-01034-y", "version", GC_VERSION, "datePublished",
            x->k->date, "creator", "@type", "sc:Organization", "name", "the genecompass.c authors",
            "citeAs",
            "GeneCompass: deciphering universal gene regulatory mechanisms with a "
            "knowledge-informed cross-species foundation model. doi:10.1038/s41422-024-01034-y",
            "distribution", x->files, "recordSet", x->records);
        if (x->failed) {
            json_decref(j);
            j = NULL;
        }
        rc = json_write(path, j, e);
    }
    json_decref(x->files);
    json_decref(x->records);
    return rc;
}

enum rc crate_corpus(const struct crate *k, const char *path, struct err *e)
{
    static const char *const name[] = { "cells.tsv", "medians.tsv", "vocab.tsv" };
    struct croissant x = { k, json_array(), json_array(), false };
    size_t at = chain_stage_of(k->c, "tokenize");
    json_t *data = json_array();
    file_records(&x, "tokenize", ".h5", data);
    files_set(&x,
              "The shards, HDF5: row u64[cells + 1], the first token of each cell; token u16, ids "
              "of genes by falling rank; value f32, log2(1 + count / median); species u8, 0 human "
              "and 1 mouse; cell_id u64. index.h5 leads from a cell's id to its place.",
              data);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && at != CHAIN_NONE && i < sizeof name / sizeof *name; i++)
        rc = table(&x, at, name[i], e);
    return finish(&x, "genecompass_corpus",
                  "Cells as ranked genes: the corpus that a model was trained on. The data sheet "
                  "beside this file says where they come from and what was done to them.",
                  path, rc, e);
}

enum rc crate_benchmarks(const struct crate *k, const char *path, struct err *e)
{
    static const char *const name[] = { "metrics.tsv", "predictions.tsv", "comparisons.tsv" };
    struct croissant x = { k, json_array(), json_array(), false };
    json_t *data = json_array();
    enum rc rc = RC_OK;
    for (size_t s = 0; s < k->c->n_stages; s++)
        if (strncmp(k->c->stage[s].name, "qc-filter/", 10) == 0)
            file_records(&x, k->c->stage[s].name, "cells.h5ad", data);
    files_set(&x,
              "Cells that the tables are about, AnnData: whole counts in X, a row a cell; obs has "
              "cell_id, and label where the source names cell types.",
              data);
    for (size_t s = 0; s < k->c->n_stages; s++)
        if (manifest_find(&k->c->stage[s].m, MANIFEST_OUTPUT, name[0]))
            for (size_t i = 0; !rc && i < sizeof name / sizeof *name; i++)
                rc = table(&x, s, name[i], e);
    return finish(&x, "genecompass_benchmarks",
                  "Scores of the model and of simple methods on equal splits, and the predictions "
                  "that they are counted from.",
                  path, rc, e);
}
