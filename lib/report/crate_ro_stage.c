/* A stage as an action: what its manifest says. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/report/crate_ro.h"

/* What the parts of a stage are put into. */
struct stage_parts {
    json_t *action, *folder, *program; /* in the graph */
    size_t n_params, n_read, n_written;
};

static void open_stage(struct ro *o, struct stage_parts *t, const char *stage, struct err *e)
{
    char *uri = crate_uri(stage), *id = uri ? text_new("#action/%s", uri) : NULL;
    char *folder = uri ? text_new("%s/", uri) : NULL;
    *t = (struct stage_parts){ .program = ro_program(o, stage, e) };
    t->folder = ro_put(o,
                       json_pack("{s:s,s:s,s:o}", "@id", folder ? folder : "", "@type", "Dataset",
                                 "name", json_sprintf("stage %s", stage)),
                       NULL, e);
    t->action = ro_put(o,
                       json_pack("{s:s,s:s,s:o,s:{s:s},s:s}", "@id", id ? id : "", "@type",
                                 "CreateAction", "name", json_sprintf("stage %s", stage),
                                 "instrument", "@id", ro_id(t->program), "actionStatus", RO_DONE),
                       NULL, e);
    ro_link(o, o->root, "hasPart", t->folder, false);
    ro_link(o, o->root, "mentions", t->action, false);
    free(uri);
    free(id);
    free(folder);
}

static void close_stage(struct ro *o, const struct stage_parts *t, const char *stage,
                        size_t position, struct err *e)
{
    json_t *words = json_sprintf("%s was told %zu parameters, read %zu files and wrote %zu. It "
                                 "ended with status 0: the manifest of a stage is written last.",
                                 json_string_value(json_object_get(t->program, "name")),
                                 t->n_params, t->n_read, t->n_written);
    o->failed |= json_object_set_new(t->action, "description", words) != 0;
    ro_step(o, stage, position, t->program, t->action, t->folder, e);
}

static void took(struct ro *o, struct stage_parts *t, json_t *what, struct err *e)
{
    t->n_read++;
    ro_link(o, t->action, "object", what, false);
    /* Only files can be examples; what lies in the checkout alone is a CreativeWork. */
    const char *type = json_string_value(json_object_get(what, "@type"));
    if (!type || strcmp(type, "File") == 0)
        ro_example(o, what, t->program, false, e);
}

static void wrote(struct ro *o, struct stage_parts *t, json_t *file, struct err *e)
{
    t->n_written++;
    o->failed |= !file;
    ro_link(o, t->action, "result", file, false);
    ro_link(o, t->folder, "hasPart", file, false);
    ro_example(o, file, t->program, true, e);
}

/* A file of the checkout: the workflow's are here, of others there is the sum. */
static json_t *source(struct ro *o, const struct manifest_row *r, struct err *e)
{
    if (crate_in_workflow(o->k, r->name, r->sha256)) {
        char *path = text_new(CRATE_STAGE "/" CRATE_WORKFLOW "/%s", r->name);
        json_t *f = ro_file(o, path ? path : "", r->bytes, r->sha256, e);
        o->failed |= !path;
        free(path);
        return f;
    }
    char *uri = crate_uri(r->name), *id = uri ? text_new("#source/%s", uri) : NULL;
    json_t *s = ro_put(o,
                       json_pack("{s:s,s:s,s:s,s:o,s:s}", "@id", id ? id : "", "@type",
                                 "CreativeWork", "name", r->name, "contentSize",
                                 json_sprintf("%ju", (uintmax_t)r->bytes), "sha256", r->sha256),
                       NULL, e);
    free(uri);
    free(id);
    return s;
}

/* The raw inputs that were there, as objects of the stage fetch and of the whole run. */
static void raw(struct ro *o, struct stage_parts *t, struct err *e)
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
        char *at, *uri = crate_uri(v[0]);
        if (crate_address(v[5], &at))
            o->failed |= !at;
        char *id = at && map_get(&o->at, at) == MAP_NONE ? text_new("%s", at)
                   : uri                                 ? text_new("#input/%s", uri)
                                                         : NULL;
        const bool own = id && *id == '#';
        json_t *f = ro_put(o,
                           json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "@id", id ? id : "", "@type",
                                     own ? "CreativeWork" : "File", "name", v[0], "encodingFormat",
                                     ro_media_type(v[0]), "contentSize", v[1], "sha256", v[2],
                                     "isBasedOn", v[5]),
                           NULL, e);
        ro_link(o, f, "license", ro_licence(o, v[4], e), false);
        if (!own) { /* what is called by its address is a part, though it lies elsewhere */
            ro_link(o, o->root, "hasPart", f, false);
            ro_link(o, f, "exampleOfWork",
                    ro_formal(o, o->workflow, "#inputs", "raw inputs", "File", false, e), false);
        }
        took(o, t, f, e);
        ro_link(o, o->run, "object", f, false);
        free(at);
        free(uri);
        free(id);
    }
}

/* The file dir/name as it lies there, in the graph as `as`. */
static enum rc hashed(struct ro *o, const char *dir, const char *name, const char *as,
                      json_t **file, struct err *e)
{
    char sum[SHA256_HEX], *path = text_new("%s/%s", dir, name);
    uint64_t bytes = 0;
    const enum rc rc =
        path ? sha256_file(path, sum, &bytes, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    *file = ro_file(o, as, bytes, sum, e);
    /* A stage that read an older one may have told its sum before: what lies here counts. */
    o->failed |=
        json_object_set_new(*file, "contentSize", json_sprintf("%ju", (uintmax_t)bytes)) ||
        json_object_set_new(*file, "sha256", json_string(sum));
    return RC_OK;
}

static enum rc own_manifest(struct ro *o, struct stage_parts *t, const struct chain_stage *s,
                            struct err *e)
{
    char *path = crate_path(s, MANIFEST_NAME);
    json_t *f = NULL;
    enum rc rc = path ? hashed(o, o->k->c->root, path, path, &f, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        wrote(o, t, f, e);
    free(path);
    return rc;
}

enum rc ro_stage(struct ro *o, size_t at, size_t position, struct err *e)
{
    const struct chain *c = o->k->c;
    const struct chain_stage *s = &c->stage[at];
    struct stage_parts t;
    if (s->broken)
        return err_set(e, RC_INPUT, "stage '%s': %s", s->name, s->broken);
    open_stage(o, &t, s->name, e);
    for (size_t i = 0; i < s->m.n; i++) {
        const struct manifest_row *r = &s->m.row[i];
        if (r->kind == MANIFEST_PARAM) {
            ro_parameters(o, t.action, t.program, s->name, r->name, &t.n_params, e);
        } else if (r->kind == MANIFEST_INPUT) {
            took(o, &t,
                 chain_file_of(c, r->name) != CHAIN_NONE
                     ? ro_file(o, r->name, r->bytes, r->sha256, e)
                     : source(o, r, e),
                 e);
        } else if (r->kind == MANIFEST_OUTPUT) {
            char *path = crate_path(s, r->name);
            if (path)
                wrote(o, &t, ro_file(o, path, r->bytes, r->sha256, e), e);
            o->failed |= !path;
            free(path);
        }
    }
    if (strcmp(s->name, "fetch") == 0)
        raw(o, &t, e);
    enum rc rc = own_manifest(o, &t, s, e);
    close_stage(o, &t, s->name, position, e);
    return rc;
}

/* --- the stage crate ------------------------------------------------------------------------- */

static enum rc own_file(struct ro *o, struct stage_parts *t, const char *name, struct err *e)
{
    char *as = text_new(CRATE_STAGE "/%s", name);
    json_t *f = NULL;
    enum rc rc =
        as ? hashed(o, o->folder, name, as, &f, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        wrote(o, t, f, e);
    free(as);
    return rc;
}

static enum rc workflow_files(struct ro *o, struct stage_parts *t, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < o->k->build.n_rows; i++) {
        const char *name = crate_fact(o->k, i, "name");
        if (strcmp(crate_fact(o->k, i, "kind"), "source") != 0 ||
            !crate_in_workflow(o->k, name, NULL))
            continue;
        char *path = text_new(CRATE_WORKFLOW "/%s", name);
        rc = path ? own_file(o, t, path, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    return rc;
}

/* The copy of README.md that lies in the root, about which it is. */
static enum rc readme(struct ro *o, struct err *e)
{
    json_t *f = NULL;
    enum rc rc = hashed(o, o->folder, "README.md", "README.md", &f, e);
    if (!rc) {
        ro_link(o, f, "about", o->root, false);
        ro_link(o, o->root, "hasPart", f, false);
    }
    return rc;
}

enum rc ro_own_stage(struct ro *o, size_t position, struct err *e)
{
    static const char *const name[] = { "README.md",      "bom.cdx.json",
                                        "build.tsv",      "croissant-benchmarks.json",
                                        "croissant.json", "data-sheet.md",
                                        "model-card.md" };
    struct stage_parts t;
    enum rc rc = RC_OK;
    open_stage(o, &t, CRATE_STAGE, e);
    for (size_t i = 0; i < o->k->c->n_stages; i++) {
        if (strcmp(o->k->c->stage[i].name, CRATE_STAGE) == 0)
            continue;
        char *path = crate_path(&o->k->c->stage[i], MANIFEST_NAME);
        json_t *of = path ? ro_file(o, path, 0, "", e) : NULL; /* is there: its stage put it */
        took(o, &t, of, e);
        free(path);
    }
    for (size_t i = 0; !rc && i < sizeof name / sizeof *name; i++)
        rc = own_file(o, &t, name[i], e);
    if (!rc)
        rc = readme(o, e);
    if (!rc)
        rc = workflow_files(o, &t, e);
    close_stage(o, &t, CRATE_STAGE, position, e);
    return rc;
}
