/* The makefile as a workflow: its programs, steps and formal parameters, and its run. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/version.h"
#include "lib/report/crate_ro.h"

#define WORKFLOW CRATE_STAGE "/" CRATE_WORKFLOW "/GNUmakefile"
#define MAKE_HOME "https://www.gnu.org/software/make/"
#define BIOSCHEMAS(type) "https://bioschemas.org/profiles/" type "/1.0-RELEASE"

/* A row of the table of the build, or "". */
static const char *fact_of(const struct ro *o, const char *kind, const char *name,
                           const char *column)
{
    for (size_t i = 0; i < o->k->build.n_rows; i++)
        if (strcmp(crate_fact(o->k, i, "kind"), kind) == 0 &&
            (!name || strcmp(crate_fact(o->k, i, "name"), name) == 0))
            return crate_fact(o->k, i, column);
    return "";
}

static void runs(struct ro *o, struct err *e)
{
    json_t *engine = ro_put(o,
                            json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "@id", "#engine", "@type",
                                      "SoftwareApplication", "name", "GNU Make", "softwareVersion",
                                      fact_of(o, "engine", NULL, "version"), "url", MAKE_HOME,
                                      "sha256", fact_of(o, "engine", NULL, "sha256")),
                            NULL, e);
    o->run = ro_put(o,
                    json_pack("{s:s,s:s,s:s,s:s,s:{s:s},s:s}", "@id", "#run", "@type",
                              "CreateAction", "name", "all stages", "description",
                              "What the workflow was given, and the folders that its stages "
                              "filled. Each of them ended with status 0: a manifest is written "
                              "last. Stages may have run on different days.",
                              "instrument", "@id", WORKFLOW, "actionStatus", RO_DONE),
                    NULL, e);
    o->engine_run =
        ro_put(o,
               json_pack("{s:s,s:s,s:s,s:{s:s},s:{s:s},s:s}", "@id", "#engine/run", "@type",
                         "OrganizeAction", "name", "run of GNU Make", "instrument", "@id",
                         ro_id(engine), "result", "@id", "#run", "actionStatus", RO_DONE),
               NULL, e);
    ro_link(o, o->root, "mentions", o->run, false);
    ro_link(o, o->root, "mentions", o->engine_run, false);
}

enum rc ro_workflow(struct ro *o, struct err *e)
{
    char sum[SHA256_HEX], *path = text_new("%s/" CRATE_WORKFLOW "/GNUmakefile", o->folder);
    uint64_t bytes = 0;
    enum rc rc =
        path ? sha256_file(path, sum, &bytes, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    o->workflow = ro_put(
        o,
        json_pack("{s:s,s:[s,s,s,s],s:s,s:s,s:s,s:s,s:o,s:s,s:{s:s},s:{s:s},s:{s:s}}", "@id",
                  WORKFLOW, "@type", "File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo",
                  "name", "genecompass.c", "description",
                  "From raw counts to tokens, a model, its vectors, scores and pages. The "
                  "fragments that it includes lie beside it; what a step needs stands in its "
                  "rule, so the order of the steps is that of what they read.",
                  "version", GC_VERSION, "encodingFormat", ro_media_type(WORKFLOW), "contentSize",
                  json_sprintf("%ju", (uintmax_t)bytes), "sha256", sum, "programmingLanguage",
                  "@id", MAKE_HOME, "author", "@id", "#authors", "conformsTo", "@id",
                  BIOSCHEMAS("ComputationalWorkflow")),
        NULL, e);
    ro_link(o, o->workflow, "license", ro_licence(o, "MIT", e), false);
    ro_link(o, o->root, "mainEntity", o->workflow, false);
    ro_put(o,
           json_pack("{s:s,s:s,s:s,s:s}", "@id", MAKE_HOME, "@type", "ComputerLanguage", "name",
                     "GNU Make", "url", MAKE_HOME),
           NULL, e);
    runs(o, e);
    return RC_OK;
}

json_t *ro_program(struct ro *o, const char *stage, struct err *e)
{
    const char *name = crate_program(o->k, stage), *kind = "program";
    bool fresh;
    if (!name) { /* a recipe that no program of ours is behind */
        name = "GNUmakefile";
        kind = "source";
    }
    char *id = text_new("#program/%s", name);
    json_t *p = ro_put(o,
                       json_pack("{s:s,s:s,s:s,s:s,s:s}", "@id", id ? id : "", "@type",
                                 "SoftwareApplication", "name", name, "softwareVersion", GC_VERSION,
                                 "sha256", fact_of(o, kind, name, "sha256")),
                       &fresh, e);
    if (fresh)
        ro_link(o, o->workflow, "hasPart", p, false);
    free(id);
    return p;
}

/* --- formal parameters ----------------------------------------------------------------------- */

json_t *ro_formal(struct ro *o, json_t *owner, const char *id, const char *name, const char *type,
                  bool is_output, struct err *e)
{
    bool fresh;
    json_t *f = ro_put(o,
                       json_pack("{s:s,s:s,s:s,s:s,s:{s:s}}", "@id", id ? id : "", "@type",
                                 "FormalParameter", "name", name, "additionalType", type,
                                 "conformsTo", "@id", BIOSCHEMAS("FormalParameter")),
                       &fresh, e);
    if (fresh)
        ro_link(o, owner, is_output ? "output" : "input", f, false);
    return f;
}

void ro_example(struct ro *o, json_t *file, json_t *program, bool is_output, struct err *e)
{
    char *id = text_new("%s/%s", ro_id(program), is_output ? "writes" : "reads");
    ro_link(
        o, file, "exampleOfWork",
        ro_formal(o, program, id, is_output ? "files written" : "files read", "File", is_output, e),
        true);
    free(id);
}

/* Does a parameter begin at s: --option, or what ends with a colon (as in "cells: a b")? */
static bool begins_parameter(const char *s)
{
    const size_t n = strcspn(s, " ");
    return (strncmp(s, "--", 2) == 0 && isalnum((unsigned char)s[2])) || (n > 1 && s[n - 1] == ':');
}

/* Where the parameter at s ends: in front of the blank before the next. */
static size_t length_of(const char *s)
{
    size_t n = 0;
    for (;;) {
        n += strcspn(s + n, " ");
        if (!s[n] || begins_parameter(s + n + 1))
            return n;
        n++;
    }
}

/* A value as it was given, to its parameter of the program and of the workflow. */
static void parameter(struct ro *o, json_t *action, json_t *program, const char *stage, size_t n,
                      const char *name, const char *value, struct err *e)
{
    char *uri = crate_uri(stage), *at = crate_uri(name), *part = crate_uri(stage);
    char *label = text_new("%.*s: %s", (int)strcspn(stage, "/"), stage, name);
    if (!uri || !at || !part || !label) {
        o->failed = true;
    } else {
        part[strcspn(part, "/")] = 0;
        char *id = text_new("#parameter/%s/%zu", uri, n);
        char *of_program = text_new("%s/option/%s", ro_id(program), at);
        char *of_workflow = text_new("#setting/%s/%s", part, at);
        /* An option without a value is told by being there. */
        json_t *v =
            ro_put(o,
                   json_pack("{s:s,s:s,s:s,s:o}", "@id", id ? id : "", "@type", "PropertyValue",
                             "name", name, "value", value ? json_string(value) : json_true()),
                   NULL, e);
        ro_link(o, v, "exampleOfWork", ro_formal(o, program, of_program, name, "Text", false, e),
                false);
        ro_link(o, v, "exampleOfWork",
                ro_formal(o, o->workflow, of_workflow, label, "Text", false, e), false);
        ro_link(o, action, "object", v, false);
        ro_link(o, o->run, "object", v, false);
        free(id);
        free(of_program);
        free(of_workflow);
    }
    free(uri);
    free(at);
    free(part);
    free(label);
}

/* "--steps 60 --amp cells: a b": three of them. "path=a.csv": one, and so is what has no name. */
void ro_parameters(struct ro *o, json_t *action, json_t *program, const char *stage,
                   const char *row, size_t *n, struct err *e)
{
    while (*row) {
        char *text = text_new("%s", row);
        if (!text) {
            o->failed = true;
            return;
        }
        size_t length = length_of(text);
        const char *name = text, *value = "settings";
        const size_t word = strcspn(text, " ="), blank = strcspn(text, " ");
        if (begins_parameter(text)) {
            value = blank < length ? text + blank + 1 : NULL;
            text[blank] = 0;
        } else if (text[word] == '=' && word) {
            length = strlen(text);
            value = text + word + 1;
            text[word] = 0;
        } else {
            name = value;
            value = text;
        }
        text[length] = 0;
        parameter(o, action, program, stage, ++*n, name, value, e);
        row += length + (row[length] == ' ');
        free(text);
    }
}

/* --- steps ----------------------------------------------------------------------------------- */

void ro_step(struct ro *o, const char *stage, size_t position, json_t *program, json_t *action,
             json_t *results, struct err *e)
{
    char *uri = crate_uri(stage);
    char *step = uri ? text_new("#step/%s", uri) : NULL;
    char *control = uri ? text_new("#control/%s", uri) : NULL;
    char *output = uri ? text_new("#results/%s", uri) : NULL;
    char *label = text_new("stage %s", stage);
    ro_link(o, o->workflow, "step",
            ro_put(o,
                   json_pack("{s:s,s:s,s:s,s:o,s:{s:s}}", "@id", step ? step : "", "@type",
                             "HowToStep", "name", label ? label : "", "position",
                             json_sprintf("%zu", position), "workExample", "@id", ro_id(program)),
                   NULL, e),
            false);
    ro_link(
        o, o->engine_run, "object",
        ro_put(o,
               json_pack("{s:s,s:s,s:s,s:{s:s},s:{s:s},s:s}", "@id", control ? control : "",
                         "@type", "ControlAction", "name", label ? label : "", "instrument", "@id",
                         step ? step : "", "object", "@id", ro_id(action), "actionStatus", RO_DONE),
               NULL, e),
        false);
    ro_link(o, results, "exampleOfWork",
            ro_formal(o, o->workflow, output, label ? label : "", "Dataset", true, e), false);
    ro_link(o, o->run, "result", results, false);
    free(uri);
    free(step);
    free(control);
    free(output);
    free(label);
}
