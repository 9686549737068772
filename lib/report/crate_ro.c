/* Stages as actions: https://www.researchobject.org/workflow-run-crate/profiles/process_run_crate/
 *
 *   ./                  the results folder, whose parts are the folders of the stages
 *   STAGE/              a folder, whose parts are the outputs and the manifest, each with its sum
 *   #action/STAGE       what made it: parameters, the manifests it read, raw inputs, the program
 *   #program/NAME       with its version and the sum of the file
 * Raw inputs are called by their address, or #input/PATH where none is known; files of the checkout
 * #source/PATH. No times: an action that is done again has the same description. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/version.h"
#include "lib/io/json.h"
#include "lib/io/lines.h"
#include "lib/report/crate.h"

struct ro {
    const struct crate *k;
    json_t *graph, *parts; /* parts: of the root */
    struct map seen;       /* ids of entities that are in the graph */
    struct table inputs;   /* fetch/inputs.tsv; without rows where there is none */
    bool failed;
};

/* Adds an entity, or drops it when its id is there already. */
static void put(struct ro *o, json_t *entity, struct err *e)
{
    const char *id = json_string_value(json_object_get(entity, "@id"));
    uint64_t old = MAP_NONE;
    if (!id || map_add(&o->seen, id, 1, &old, e)) {
        o->failed = true;
        json_decref(entity);
    } else if (old != MAP_NONE) {
        json_decref(entity);
    } else {
        o->failed |= json_array_append_new(o->graph, entity) != 0;
    }
}

static void list(struct ro *o, json_t *to, json_t *what)
{
    o->failed |= json_array_append_new(to, what) != 0;
}

/* {"@id": ID of a file}; the entity itself goes into the graph. */
static json_t *file(struct ro *o, const char *path, uint64_t bytes, const char *sha256,
                    struct err *e)
{
    char *id = crate_uri(path);
    put(o,
        json_pack("{s:s,s:s,s:s,s:o,s:s}", "@id", id ? id : "", "@type", "File", "name", path,
                  "contentSize", json_sprintf("%ju", (uintmax_t)bytes), "sha256", sha256),
        e);
    return crate_ref(id);
}

static json_t *source(struct ro *o, const struct manifest_row *r, struct err *e)
{
    char *uri = crate_uri(r->name), *id = uri ? text_new("#source/%s", uri) : NULL;
    put(o,
        json_pack("{s:s,s:s,s:s,s:o,s:s}", "@id", id ? id : "", "@type", "CreativeWork", "name",
                  r->name, "contentSize", json_sprintf("%ju", (uintmax_t)r->bytes), "sha256",
                  r->sha256),
        e);
    free(uri);
    return crate_ref(id);
}

static json_t *program(struct ro *o, const char *stage, struct err *e)
{
    const char *name = crate_program(o->k, stage), *kind = "program", *sum = "";
    if (!name) { /* a recipe that no program of ours is behind */
        name = "GNUmakefile";
        kind = "source";
    }
    for (size_t i = 0; i < o->k->build.n_rows; i++)
        if (strcmp(crate_fact(o->k, i, "kind"), kind) == 0 &&
            strcmp(crate_fact(o->k, i, "name"), name) == 0)
            sum = crate_fact(o->k, i, "sha256");
    char *id = text_new("#program/%s", name);
    put(o,
        json_pack("{s:s,s:s,s:s,s:s,s:s}", "@id", id ? id : "", "@type", "SoftwareApplication",
                  "name", name, "softwareVersion", GC_VERSION, "sha256", sum),
        e);
    return crate_ref(id);
}

/* The raw inputs that were there, as objects of the stage fetch. */
static void raw(struct ro *o, json_t *objects, struct err *e)
{
    const char *const name[] = { "path", "bytes", "sha256", "status", "licence", "source" };
    for (size_t i = 0; i < o->inputs.n_rows; i++) {
        const char *v[6];
        for (int c = 0; c < 6; c++) {
            const char *s = table_find(&o->inputs, name[c])->text[i];
            v[c] = s ? s : "";
        }
        if (strcmp(v[3], "have") != 0)
            continue;
        const char *at = crate_address(v[5]);
        char *uri = crate_uri(v[0]);
        char *id = at && map_get(&o->seen, at) == MAP_NONE ? text_new("%s", at)
                   : uri                                   ? text_new("#input/%s", uri)
                                                           : NULL;
        bool own = id && *id == '#';
        put(o,
            json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "@id", id ? id : "", "@type",
                      own ? "CreativeWork" : "File", "name", v[0], "contentSize", v[1], "sha256",
                      v[2], "license", v[4], "isBasedOn", v[5]),
            e);
        free(uri);
        if (id && !own) /* what is called by its address is a part, though it lies elsewhere */
            list(o, o->parts, json_pack("{s:s}", "@id", id));
        list(o, objects, crate_ref(id));
    }
}

/* All that a stage read and was told. */
static json_t *objects(struct ro *o, size_t at, struct err *e)
{
    const struct chain *c = o->k->c;
    const struct chain_stage *s = &c->stage[at];
    json_t *all = json_array();
    size_t n_params = 0;
    for (size_t i = 0; i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        if (r->kind == MANIFEST_PARAM) {
            char *uri = crate_uri(s->name);
            char *id = uri ? text_new("#parameter/%s/%zu", uri, ++n_params) : NULL;
            put(o,
                json_pack("{s:s,s:s,s:s,s:s}", "@id", id ? id : "", "@type", "PropertyValue",
                          "name", "parameters", "value", r->name),
                e);
            free(uri);
            list(o, all, crate_ref(id));
        } else if (r->kind == MANIFEST_INPUT) {
            list(o, all,
                 chain_file_of(c, r->name) != CHAIN_NONE ? file(o, r->name, r->bytes, r->sha256, e)
                                                         : source(o, r, e));
        }
    }
    if (strcmp(s->name, "fetch") == 0)
        raw(o, all, e);
    return all;
}

/* The folder of a stage and its files; *results gets a reference to each. */
static enum rc outputs(struct ro *o, size_t at, json_t *results, struct err *e)
{
    const struct chain *c = o->k->c;
    const struct chain_stage *s = &c->stage[at];
    for (size_t i = 0; i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        char *path = r->kind == MANIFEST_OUTPUT ? crate_path(s, r->name) : NULL;
        if (r->kind == MANIFEST_OUTPUT)
            list(o, results, path ? file(o, path, r->bytes, r->sha256, e) : NULL);
        free(path);
    }
    char sum[SHA256_HEX], *path = crate_path(s, MANIFEST_NAME);
    char *full = path ? text_new("%s/%s", c->root, path) : NULL;
    uint64_t bytes = 0;
    enum rc rc =
        full ? sha256_file(full, sum, &bytes, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        list(o, results, file(o, path, bytes, sum, e));
    free(path);
    free(full);
    return rc;
}

/* The action and the folder of a stage; results is taken over. */
static void action(struct ro *o, const char *stage, json_t *objects, json_t *results, json_t *parts,
                   json_t *mentions, struct err *e)
{
    char *uri = crate_uri(stage), *id = uri ? text_new("#action/%s", uri) : NULL;
    char *folder = uri ? text_new("%s/", uri) : NULL;
    put(o,
        json_pack("{s:s,s:s,s:o,s:O}", "@id", folder ? folder : "", "@type", "Dataset", "name",
                  json_sprintf("stage %s", stage), "hasPart", results),
        e);
    json_t *with = program(o, stage, e);
    put(o,
        json_pack("{s:s,s:s,s:o,s:o,s:o,s:o}", "@id", id ? id : "", "@type", "CreateAction", "name",
                  json_sprintf("stage %s", stage), "instrument", with, "object", objects, "result",
                  results),
        e);
    free(uri);
    list(o, parts, crate_ref(folder));
    list(o, mentions, crate_ref(id));
}

/* The files of this stage beside the RO-Crate, which was made from all others. */
static enum rc own_files(struct ro *o, const char *folder, json_t *parts, json_t *mentions,
                         struct err *e)
{
    static const char *const name[] = {
        "bom.cdx.json",   "build.tsv",     "croissant-benchmarks.json",
        "croissant.json", "data-sheet.md", "model-card.md"
    };
    json_t *results = json_array(), *read = json_array();
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < sizeof name / sizeof *name; i++) {
        char sum[SHA256_HEX], *path = text_new("%s/%s", folder, name[i]);
        char *as = text_new(CRATE_STAGE "/%s", name[i]);
        uint64_t bytes = 0;
        rc = path && as ? sha256_file(path, sum, &bytes, e)
                        : err_set(e, RC_FAIL, "no memory for a path");
        if (!rc)
            list(o, results, file(o, as, bytes, sum, e));
        free(path);
        free(as);
    }
    for (size_t i = 0; i < o->k->c->n_stages; i++) {
        char *path = crate_path(&o->k->c->stage[i], MANIFEST_NAME);
        if (strcmp(o->k->c->stage[i].name, CRATE_STAGE) != 0)
            list(o, read, crate_ref(path ? crate_uri(path) : NULL));
        free(path);
    }
    if (rc) {
        json_decref(results);
        json_decref(read);
    } else {
        action(o, CRATE_STAGE, read, results, parts, mentions, e);
    }
    return rc;
}

static void head(struct ro *o, json_t *parts, json_t *mentions, struct err *e)
{
    static const char profile[] = "https://w3id.org/ro/wfrun/process/0.5";
    static const char licence[] = "https://spdx.org/licenses/MIT";
    put(o,
        json_pack("{s:s,s:s,s:{s:s},s:{s:s}}", "@id", "ro-crate-metadata.json", "@type",
                  "CreativeWork", "conformsTo", "@id", "https://w3id.org/ro/crate/1.1", "about",
                  "@id", "./"),
        e);
    put(o,
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:{s:s},s:{s:s},s:{s:s},s:o,s:o}", "@id", "./", "@type",
                  "Dataset", "name", "Results of genecompass.c", "description",
                  "Single cells from counts to tokens, a model, its vectors and scores: the "
                  "system of the GeneCompass paper in C. Each stage is an action; every file has "
                  "its SHA-256.",
                  "datePublished", o->k->date, "license", "@id", licence, "author", "@id",
                  "#authors", "conformsTo", "@id", profile, "hasPart", parts, "mentions", mentions),
        e);
    put(o,
        json_pack("{s:s,s:s,s:s,s:s}", "@id", profile, "@type", "CreativeWork", "name",
                  "Process Run Crate", "version", "0.5"),
        e);
    put(o,
        json_pack("{s:s,s:s,s:s,s:s}", "@id", licence, "@type", "CreativeWork", "name",
                  "MIT License", "description",
                  "Of what the programs wrote. Raw inputs have the licences that stand with "
                  "them."),
        e);
    put(o,
        json_pack("{s:s,s:s,s:s}", "@id", "#authors", "@type", "Organization", "name",
                  "the genecompass.c authors"),
        e);
}

static enum rc read_inputs(struct ro *o, struct err *e)
{
    if (chain_file_of(o->k->c, "fetch/inputs.tsv") == CHAIN_NONE)
        return RC_OK;
    char *path = text_new("%s/fetch/inputs.tsv", o->k->c->root);
    enum rc rc = path
                     ? tsv_read_need(path, "path,bytes,sha256,status,licence,source", &o->inputs, e)
                     : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return rc;
}

enum rc crate_ro(const struct crate *k, const char *folder, const char *path, struct err *e)
{
    struct ro o = { .k = k, .graph = json_array(), .parts = json_array() };
    json_t *parts = o.parts, *mentions = json_array(), *graph = json_array();
    map_init(&o.seen);
    table_init(&o.inputs, 0);
    enum rc rc = o.graph && parts && mentions && graph ? read_inputs(&o, e)
                                                       : err_set(e, RC_FAIL, "no memory");
    for (size_t i = 0; !rc && i < k->c->n_stages; i++) {
        const struct chain_stage *s = &k->c->stage[i];
        json_t *results = json_array();
        if (s->broken)
            rc = err_set(e, RC_INPUT, "stage '%s': %s", s->name, s->broken);
        else if (strcmp(s->name, CRATE_STAGE) != 0)
            rc = outputs(&o, i, results, e);
        if (rc || strcmp(s->name, CRATE_STAGE) == 0)
            json_decref(results);
        else
            action(&o, s->name, objects(&o, i, e), results, parts, mentions, e);
    }
    if (!rc)
        rc = own_files(&o, folder, parts, mentions, e);
    if (!rc) {
        /* What describes the whole stands first. */
        json_t *body = o.graph;
        o.graph = graph;
        head(&o, json_incref(parts), json_incref(mentions), e);
        o.failed |= json_array_extend(o.graph, body) != 0;
        graph = body;
        json_t *j = o.failed ? NULL
                             : json_pack("{s:[s,{s:s}],s:O}", "@context",
                                         "https://w3id.org/ro/crate/1.1/context", "sha256",
                                         "https://w3id.org/ro/terms/workflow-run#sha256", "@graph",
                                         o.graph);
        rc = json_write(path, j, e);
    }
    json_decref(o.graph);
    json_decref(graph);
    json_decref(parts);
    json_decref(mentions);
    map_release(&o.seen);
    table_release(&o.inputs);
    return rc;
}
