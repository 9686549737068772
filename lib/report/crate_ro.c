#include "lib/report/crate_ro.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"

json_t *ro_put(struct ro *o, json_t *entity, bool *fresh, struct err *e)
{
    const char *id = json_string_value(json_object_get(entity, "@id"));
    const size_t n = json_array_size(o->graph);
    uint64_t old = MAP_NONE;
    if (fresh)
        *fresh = false;
    if (!id || map_add(&o->at, id, n, &old, e)) {
        o->failed = true;
        json_decref(entity);
        return NULL;
    }
    if (old != MAP_NONE) {
        json_decref(entity);
        return json_array_get(o->graph, (size_t)old);
    }
    if (json_array_append_new(o->graph, entity)) {
        o->failed = true;
        return NULL;
    }
    if (fresh)
        *fresh = true;
    return entity;
}

const char *ro_id(const json_t *entity)
{
    const char *id = json_string_value(json_object_get(entity, "@id"));
    return id ? id : "";
}

void ro_link(struct ro *o, json_t *entity, const char *key, const json_t *to, bool once)
{
    json_t *list = json_object_get(entity, key);
    if (!entity || !to) {
        o->failed = true;
        return;
    }
    if (!list) {
        list = json_array();
        if (json_object_set_new(entity, key, list)) {
            o->failed = true;
            return;
        }
    }
    for (size_t i = 0; once && i < json_array_size(list); i++)
        if (strcmp(ro_id(json_array_get(list, i)), ro_id(to)) == 0)
            return;
    o->failed |= json_array_append_new(list, json_pack("{s:s}", "@id", ro_id(to))) != 0;
}

const char *ro_media_type(const char *path)
{
    static const char *const type[][2] = {
        { "GNUmakefile", "text/x-makefile" },
        { ".awk", "text/x-awk" },
        { ".css", "text/css" },
        { ".csv", "text/csv" },
        { ".gz", "application/gzip" },
        { ".h5", "application/x-hdf5" },
        { ".h5ad", "application/x-hdf5" },
        { ".html", "text/html" },
        { ".json", "application/json" },
        { ".jsonl", "application/jsonl" },
        { ".md", "text/markdown" },
        { ".mk", "text/x-makefile" },
        { ".npy", "application/x-npy" },
        { ".pdf", "application/pdf" },
        { ".png", "image/png" },
        { ".sh", "application/x-sh" },
        { ".svg", "image/svg+xml" },
        { ".tex", "application/x-tex" },
        { ".tsv", "text/tab-separated-values" },
        { ".txt", "text/plain" },
        { ".zip", "application/zip" },
    };
    const size_t n = strlen(path);
    for (size_t i = 0; i < sizeof type / sizeof *type; i++) {
        const size_t m = strlen(type[i][0]);
        if (n >= m && strcmp(path + n - m, type[i][0]) == 0)
            return type[i][1];
    }
    return "application/octet-stream";
}

json_t *ro_file(struct ro *o, const char *path, uint64_t bytes, const char *sha256, struct err *e)
{
    char *id = crate_uri(path);
    json_t *f = ro_put(o,
                       json_pack("{s:s,s:s,s:s,s:s,s:o,s:s}", "@id", id ? id : "", "@type", "File",
                                 "name", path, "encodingFormat", ro_media_type(path), "contentSize",
                                 json_sprintf("%ju", (uintmax_t)bytes), "sha256", sha256),
                       NULL, e);
    free(id);
    return f;
}

/* Words that are a name in the list of SPDX (https://spdx.org/licenses) have its address. */
json_t *ro_licence(struct ro *o, const char *words, struct err *e)
{
    static const char *const spdx[] = { "Apache-2.0", "BSD-3-Clause", "CC0-1.0", "CC-BY-4.0",
                                        "MIT" };
    bool known = false;
    for (size_t i = 0; i < sizeof spdx / sizeof *spdx; i++)
        known |= strcmp(words, spdx[i]) == 0;
    char *uri = crate_uri(words);
    char *id =
        uri ? text_new("%s%s", known ? "https://spdx.org/licenses/" : "#licence/", uri) : NULL;
    json_t *l = ro_put(
        o, json_pack("{s:s,s:s,s:s}", "@id", id ? id : "", "@type", "CreativeWork", "name", words),
        NULL, e);
    free(uri);
    free(id);
    return l;
}

/* --- the whole ------------------------------------------------------------------------------- */

static const struct {
    const char *id, *name, *version;
} profiles[] = {
    { "https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5" },
    { "https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5" },
    { "https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5" },
    { "https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0" },
};
enum { N_PROFILES = sizeof profiles / sizeof *profiles, WORKFLOW_RO_CRATE = N_PROFILES - 1 };

static void head(struct ro *o, struct err *e)
{
    ro_put(o,
           json_pack("{s:s,s:s,s:[{s:s},{s:s}],s:{s:s}}", "@id", "ro-crate-metadata.json", "@type",
                     "CreativeWork", "conformsTo", "@id", "https://w3id.org/ro/crate/1.1", "@id",
                     profiles[WORKFLOW_RO_CRATE].id, "about", "@id", "./"),
           NULL, e);
    o->root = ro_put(
        o,
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s}}", "@id", "./", "@type", "Dataset", "name",
                  "Results of genecompass.c", "description",
                  "Single cells from counts to tokens, a model, its vectors and scores: the "
                  "system of the GeneCompass paper in C. Each stage is a step of the makefile "
                  "that made them; every file has its SHA-256. Raw inputs have the licences that "
                  "stand with them.",
                  "datePublished", o->k->date, "author", "@id", "#authors"),
        NULL, e);
    ro_link(o, o->root, "license", ro_licence(o, "MIT", e), false);
    for (int i = 0; i < N_PROFILES; i++)
        ro_link(
            o, o->root, "conformsTo",
            ro_put(o,
                   json_pack("{s:s,s:s,s:s,s:s}", "@id", profiles[i].id, "@type", "CreativeWork",
                             "name", profiles[i].name, "version", profiles[i].version),
                   NULL, e),
            false);
    ro_put(o,
           json_pack("{s:s,s:s,s:s}", "@id", "#authors", "@type", "Organization", "name",
                     "the genecompass.c authors"),
           NULL, e);
}

static enum rc read_inputs(struct ro *o, struct err *e)
{
    if (chain_file_of(o->k->c, "fetch/inputs.tsv") == CHAIN_NONE)
        return RC_OK;
    char *path = text_new("%s/fetch/inputs.tsv", o->k->c->root);
    enum rc rc = path
                     ? tsv_read_need(path, "path,bytes,sha256,status,licence,source", &o->inputs, e)
                     : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = tsv_utf8(&o->inputs, path, e);
    free(path);
    return rc;
}

/* Numbers a stage behind all that it read, depth first; a stage met under way closes a circle,
 * which is for audit to tell. */
static void place(const struct chain *c, size_t s, size_t *position, size_t *n)
{
    if (position[s])
        return;
    position[s] = CHAIN_NONE;
    for (size_t i = 0; i < c->stage[s].m.n; i++) {
        const struct manifest_row *r = &c->stage[s].m.row[i];
        const size_t in = r->kind == MANIFEST_INPUT ? chain_read_stage(c, r->name) : CHAIN_NONE;
        if (in != CHAIN_NONE)
            place(c, in, position, n);
    }
    position[s] = strcmp(c->stage[s].name, CRATE_STAGE) == 0 ? 0 : ++*n;
}

static enum rc stages(struct ro *o, struct err *e)
{
    const struct chain *c = o->k->c;
    size_t *position = calloc(c->n_stages + 1, sizeof *position), n = 0;
    enum rc rc = position ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu stages", c->n_stages);
    for (size_t i = 0; !rc && i < c->n_stages; i++)
        place(c, i, position, &n);
    for (size_t i = 0; !rc && i < c->n_stages; i++)
        if (strcmp(c->stage[i].name, CRATE_STAGE) != 0)
            rc = ro_stage(o, i, position[i], e);
    free(position);
    return rc ? rc : ro_own_stage(o, n + 1, e);
}

/* An array of one is that one, an empty one nothing: RO-Crate wants it so. */
static void compact(struct ro *o)
{
    for (size_t i = 0; i < json_array_size(o->graph); i++) {
        json_t *entity = json_array_get(o->graph, i), *value;
        const char *key;
        void *next;
        json_object_foreach_safe(entity, next, key, value)
        {
            if (!json_is_array(value) || json_array_size(value) > 1)
                continue;
            json_t *one = json_incref(json_array_get(value, 0));
            o->failed |= one ? json_object_set_new(entity, key, one) != 0
                             : json_object_del(entity, key) != 0;
        }
    }
}

enum rc crate_ro(const struct crate *k, const char *folder, const char *path, struct err *e)
{
    struct ro o = { .k = k, .folder = folder, .graph = json_array() };
    json_t *j = NULL;
    map_init(&o.at);
    table_init(&o.inputs, 0);
    enum rc rc = o.graph ? read_inputs(&o, e) : err_set(e, RC_FAIL, "no memory");
    if (!rc) {
        head(&o, e);
        rc = ro_workflow(&o, e);
    }
    if (!rc)
        rc = stages(&o, e);
    if (!rc) {
        compact(&o);
        j = o.failed
                ? NULL
                : json_pack("{s:[s,{s:s}],s:O}", "@context",
                            "https://w3id.org/ro/crate/1.1/context", "sha256",
                            "https://w3id.org/ro/terms/workflow-run#sha256", "@graph", o.graph);
        rc = json_write(path, j, e);
    }
    json_decref(o.graph);
    map_release(&o.at);
    table_release(&o.inputs);
    return rc;
}
