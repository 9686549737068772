/* MANIFEST.tsv and the tables in manifests/inputs/: whatever the bytes, they are refused with a
 * sentence, or what was read keeps its promises. A k picks the first reader:
 * such a file begins with "kind". */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "lib/io/inputs.h"
#include "lib/manifest/manifest.h"

static void check_name(const char *name)
{
    if (!*name || *name == '/' || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 ||
        strstr(name, "/../"))
        abort(); /* leads out of its folder */
}

static void read_manifest(const char *text, size_t n)
{
    struct manifest m;
    struct err e = { 0 };
    if (manifest_parse(&m, text, n, "fuzz", &e)) {
        if (m.row || !e.text[0])
            abort();
        return;
    }
    for (size_t i = 0; i < m.n; i++)
        if (m.row[i].kind == MANIFEST_INPUT || m.row[i].kind == MANIFEST_OUTPUT) {
            check_name(m.row[i].name);
            if (strlen(m.row[i].sha256) != SHA256_HEX - 1)
                abort();
        }
    manifest_release(&m);
}

static void read_inputs(const char *text, size_t n)
{
    struct inputs in;
    struct err e = { 0 };
    inputs_init(&in);
    if (inputs_parse(&in, text, n, "dir/fuzz", &e) || inputs_finish(&in, &e)) {
        if (!e.text[0])
            abort();
        inputs_release(&in);
        return;
    }
    for (size_t i = 0; i < in.n; i++) {
        const struct input *it = &in.item[i];
        check_name(it->path);
        if (i && strcmp(in.item[i - 1].path, it->path) >= 0)
            abort(); /* sorted, each once */
        for (size_t k = 0; k < it->n_sources; k++)
            if (!*it->source[k].where || (it->source[k].member && !*it->source[k].member) ||
                (it->source[k].kind == SOURCE_PIP && it->source[k].where[0] == '-'))
                abort();
    }
    inputs_release(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    if (!size)
        return 0;
    if (text[0] == 'k')
        read_manifest(text, size);
    else
        read_inputs(text, size);
    return 0;
}
