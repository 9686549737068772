/* The build as a bill of materials: https://cyclonedx.org/docs/1.6/json/ */
#include <string.h>

#include "lib/base/version.h"
#include "lib/io/json.h"
#include "lib/report/crate.h"

/* The kinds of rows that are components, and what CycloneDX calls them. */
static const char *type_of(const char *kind)
{
    static const char *const type[][2] = {
        { "compiler", "application" }, { "engine", "application" }, { "library", "library" },
        { "program", "application" },  { "source", "file" },        { "archive", "file" }
    };
    for (size_t i = 0; i < sizeof type / sizeof *type; i++)
        if (strcmp(type[i][0], kind) == 0)
            return type[i][1];
    return NULL;
}

/* What a row has no value for is left out. */
static json_t *component(const struct crate *k, size_t i, const char *type)
{
    const char *name = crate_fact(k, i, "name"), *version = crate_fact(k, i, "version");
    const char *detail = crate_fact(k, i, "detail"), *sum = crate_fact(k, i, "sha256");
    const char *kind = crate_fact(k, i, "kind");
    json_t *j = json_pack("{s:s,s:o,s:s}", "type", type, "bom-ref",
                          json_sprintf("%s:%s", kind, name), "name", name);
    bool good = j != NULL;
    if (good && *version)
        good = !json_object_set_new(j, "version", json_string(version));
    if (good && *sum)
        good = !json_object_set_new(j, "hashes",
                                    json_pack("[{s:s,s:s}]", "alg", "SHA-256", "content", sum));
    if (good && strncmp(detail, "pkg:", 4) == 0)
        good = !json_object_set_new(j, "purl", json_string(detail));
    if (good && strcmp(kind, "compiler") == 0)
        good = !json_object_set_new(j, "properties",
                                    json_pack("[{s:s,s:s}]", "name", "flags", "value", detail));
    if (good)
        return j;
    json_decref(j);
    return NULL;
}

/* Compiler and make are tools of the build, all others are in it. */
static bool is_tool(const char *kind)
{
    return strcmp(kind, "compiler") == 0 || strcmp(kind, "engine") == 0;
}

static bool components(const struct crate *k, json_t *list, json_t *tools)
{
    bool good = list && tools;
    for (size_t i = 0; good && i < k->build.n_rows; i++) {
        const char *kind = crate_fact(k, i, "kind"), *type = type_of(kind);
        if (type)
            good = !json_array_append_new(is_tool(kind) ? tools : list, component(k, i, type));
    }
    return good;
}

/* Each program with the libraries that it names itself. */
static bool dependencies(const struct crate *k, json_t *list)
{
    bool good = list != NULL;
    for (size_t i = 0; good && i < k->build.n_rows; i++) {
        json_t *on = json_array();
        const char *program = crate_fact(k, i, "name");
        if (strcmp(crate_fact(k, i, "kind"), "program") != 0) {
            json_decref(on);
            continue;
        }
        for (size_t n = 0; good && n < k->build.n_rows; n++)
            if (strcmp(crate_fact(k, n, "kind"), "needs") == 0 &&
                strcmp(crate_fact(k, n, "name"), program) == 0)
                good = !json_array_append_new(
                    on, json_sprintf("library:%s", crate_fact(k, n, "detail")));
        json_t *one =
            json_pack("{s:o,s:o}", "ref", json_sprintf("program:%s", program), "dependsOn", on);
        good = good && !json_array_append_new(list, one);
    }
    return good;
}

enum rc crate_bom(const struct crate *k, const char *path, struct err *e)
{
    json_t *list = json_array(), *tools = json_array(), *on = json_array(), *j = NULL;
    if (components(k, list, tools) && dependencies(k, on))
        j = json_pack("{s:s,s:s,s:i,s:{s:{s:s,s:s,s:s,s:s},s:{s:O}},s:O,s:O}", "bomFormat",
                      "CycloneDX", "specVersion", "1.6", "version", 1, "metadata", "component",
                      "type", "application", "bom-ref", "genecompass", "name", "genecompass.c",
                      "version", GC_VERSION, "tools", "components", tools, "components", list,
                      "dependencies", on);
    json_decref(list);
    json_decref(tools);
    json_decref(on);
    return json_write(path, j, e);
}
