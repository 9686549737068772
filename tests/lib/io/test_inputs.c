/* The tables in manifests/inputs/: order, joined rows, decoded sources; names of hosts. */
#include <string.h>

#include "lib/io/http.h"
#include "lib/io/inputs.h"
#include "tests/tap.h"

#define SUM "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD "note\tpath\tbytes\tsha256\tneed\tlicence\tsources\tmore\n"
#define ROW(path, need, sources) "n\t" path "\t5\t" SUM "\t" need "\tCC0\t" sources "\t\n"

static void joined(void)
{
    static const char a[] = HEAD ROW("b", "optional", "https://x.invalid/1 https://x.invalid/2")
        ROW("a/c", "required", "-") ROW("a.txt", "optional", "");
    static const char b[] = HEAD ROW("b", "required", "https://x.invalid/2 pip:p==1!m");
    struct inputs in;
    struct err e = { 0 };
    inputs_init(&in);
    bool read = !inputs_parse(&in, a, sizeof a - 1, "a", &e) &&
                !inputs_parse(&in, b, sizeof b - 1, "b", &e) && !inputs_finish(&in, &e);
    if (ok(read && in.n == 3, "two lists with a path in common make one: %s", e.text)) {
        const struct input *x = &in.item[2];
        ok(strcmp(in.item[0].path, "a.txt") == 0 && strcmp(in.item[1].path, "a/c") == 0,
           "sorted by the bytes of the path");
        ok(in.item[0].n_sources == 0 && in.item[1].n_sources == 0, "no source, written both ways");
        ok(x->required && x->n_sources == 3, "required if one list says so, sources of both");
        ok(strcmp(x->source[1].text, "https://x.invalid/2") == 0 &&
               x->source[2].kind == SOURCE_PIP && strcmp(x->source[2].where, "p==1") == 0 &&
               strcmp(x->source[2].member, "m") == 0,
           "each source once, the first list's first");
    }
    inputs_release(&in);
}

static void decoded(void)
{
    static const char text[] =
        HEAD ROW("a", "optional", "file:x%20y%21!in%c3%bc file:///r/z https://h.invalid/a%20b!m");
    struct inputs in;
    struct err e = { 0 };
    inputs_init(&in);
    if (ok(!inputs_parse(&in, text, sizeof text - 1, "some/dir/list.tsv", &e), "%% is read: %s",
           e.text)) {
        const struct source *s = in.item[0].source;
        ok(strcmp(s[0].where, "some/dir/x y!") == 0, "a relative file lies beside its list");
        ok(strcmp(s[0].member, "in\xc3\xbc") == 0, "a member's name is decoded");
        ok(strcmp(s[1].where, "/r/z") == 0, "an absolute file is where it is");
        ok(strcmp(s[2].where, "https://h.invalid/a%20b") == 0, "a URL stays as it is written");
    }
    inputs_release(&in);
}

/* Every beginning of a good list is refused or good; none is read past its end. */
static void cut(void)
{
    static const char text[] = HEAD ROW("a", "optional", "file:x%20y!m pip:p==1")
        ROW("b", "required", "https://h.invalid/a");
    size_t n_good = 0;
    for (size_t n = 0; n < sizeof text; n++) {
        struct inputs in;
        struct err e = { 0 };
        inputs_init(&in);
        enum rc rc = inputs_parse(&in, text, n, "cut", &e);
        n_good += rc == RC_OK;
        if (rc && (rc != RC_INPUT || !e.text[0]))
            ok(false, "the first %zu bytes: status %d", n, (int)rc);
        inputs_release(&in);
    }
    ok(n_good == 3, "only whole lines are taken: %zu beginnings", n_good);
}

static void hosts(void)
{
    char name[64], tiny[8];
    http_host("https://User:pw@Example.ORG:8080/a@b?c", name, sizeof name);
    ok(strcmp(name, "https://example.org:8080") == 0, "a host without user and path: %s", name);
    http_host("http://a.invalid?x@y", name, sizeof name);
    ok(strcmp(name, "http://a.invalid") == 0, "nor query: %s", name);
    http_host("http://a.invalid/", tiny, sizeof tiny);
    ok(strlen(tiny) == 7, "cut to its room");
}

int main(void)
{
    joined();
    decoded();
    cut();
    hosts();
    return tap_end();
}
