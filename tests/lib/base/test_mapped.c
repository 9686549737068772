#include "lib/base/mapped.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

static char dir[] = "/tmp/test-mapped-XXXXXX";

static const char *in(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "wb");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static void refused(const char *name, const char *why, const char *what)
{
    struct mapped m = { .at = &m, .bytes = 1 };
    struct err e = { 0 };
    ok(mapped_open(&m, in(name), MAPPED_READ, &e) == RC_INPUT && strstr(e.text, why) && !m.at,
       "%s: refused (%s)", what, e.text);
}

/* KB of a mapping that count as this process's; -1 where the system does not say. */
static long resident_kb(const struct mapped *m)
{
    char line[256], begin[32];
    long kb = -1;
    bool here = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    snprintf(begin, sizeof begin, "%lx-", (unsigned long)(uintptr_t)m->at);
    while (f && fgets(line, sizeof line, f)) {
        here = here || strncmp(line, begin, strlen(begin)) == 0;
        if (here && sscanf(line, "Rss: %ld", &kb) == 1)
            break;
    }
    if (f)
        fclose(f);
    return kb;
}

enum { BIG = 4 << 20, STEP = 1 << 16 };

/* The bytes at every STEP, by copies or where they lie. */
static bool right_ones(const struct mapped *m, bool copied)
{
    bool good = true;
    for (size_t at = 0; at < BIG; at += STEP) {
        unsigned char x = 0;
        if (copied)
            mapped_copy(m, (char *)m->at + at, 1, &x);
        else
            x = ((unsigned char *)m->at)[at];
        good = good && x == (unsigned char)(at / STEP);
    }
    return good;
}

static void copies_stay_out(void)
{
    struct mapped m;
    struct err e = { 0 };
    FILE *f = fopen(in("big"), "wb");
    for (size_t i = 0; f && i < BIG; i++)
        fputc((int)(i / STEP), f);
    if (!f || fclose(f) != 0 || mapped_open(&m, in("big"), MAPPED_OWN, &e))
        abort();
    ok(right_ones(&m, true), "bytes all over a large file, copied");
    const long copied = resident_kb(&m);
    ok(right_ones(&m, false), "and where they lie");
    const long touched = resident_kb(&m);
    if (touched < 0)
        skip("what becomes resident: no /proc/self/smaps");
    else
        ok(copied == 0 && touched >= BIG / STEP * 4,
           "copies leave no page of the mapping in this process (%ld KB, then %ld)", copied,
           touched);
    mapped_close(&m);
    unlink(in("big"));
}

int main(void)
{
    struct mapped a, b;
    struct err e = { 0 };
    if (!mkdtemp(dir))
        abort();
    write_text("text", "some text");
    write_text("none", "");
    if (mkfifo(in("pipe"), 0600) != 0)
        abort();
    refused("missing", "cannot open", "no file");
    refused("none", "is empty", "an empty file");
    refused(".", "not a plain file", "a folder");
    refused("pipe", "not a plain file", "a named pipe");

    ok(!mapped_open(&a, in("text"), MAPPED_OWN, &e) && a.bytes == 9 &&
           memcmp(a.at, "some text", 9) == 0, "a file as it lies%s", e.text);
    ok(mapped_holds(&a, a.at) && mapped_holds(&a, (char *)a.at + 8) &&
           !mapped_holds(&a, (char *)a.at + 9) && !mapped_holds(&a, &a), "which bytes are its");
    mapped_forget(&a);
    ok(memcmp(a.at, "some text", 9) == 0, "forgotten pages come back");
    char copy[16] = { 0 };
    mapped_copy(&a, (char *)a.at + 2, 7, copy);
    ok(strcmp(copy, "me text") == 0, "a copy of a part");
    ok(!mapped_write(&a, &e) && !mapped_write(&a, &e), "it is to be written to, said twice%s",
       e.text);
    memcpy(a.at, "SOME", 4);
    mapped_copy(&a, a.at, 9, copy);
    ok(strcmp(copy, "SOME text") == 0, "a copy has what was written");
    ok(!mapped_open(&b, in("text"), MAPPED_READ, &e) && memcmp(b.at, "some text", 9) == 0 &&
           memcmp(a.at, "SOME text", 9) == 0, "what is written stays in this process%s", e.text);
    unlink(in("text"));
    ok(memcmp(b.at, "some text", 9) == 0, "a file that is taken away stays mapped");
    mapped_copy(&b, b.at, 4, copy);
    ok(strcmp(copy, "some text") == 0, "of a mapping to read, a copy has what lies in it");
    mapped_close(&a);
    mapped_close(&a);
    mapped_close(&b);
    copies_stay_out();
    ok(!a.at && !mapped_holds(&a, &a) && !mapped_holds(&a, NULL), "closed twice, it holds nothing");
    unlink(in("none"));
    unlink(in("pipe"));
    rmdir(dir);
    return tap_end();
}
