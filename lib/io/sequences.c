/* Whole sequences in memory. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/fasta.h"
#include "lib/io/lines.h"

void sequences_release(struct sequences *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->name[i]);
        free(s->bases[i]);
    }
    free(s->name);
    free(s->bases);
    *s = (struct sequences){ 0 };
}

static enum rc add(struct sequences *s, const char *name, struct err *e)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 256;
        char **names = realloc(s->name, room * sizeof *names);
        s->name = names ? names : s->name;
        char **bases = names ? realloc(s->bases, room * sizeof *bases) : NULL;
        s->bases = bases ? bases : s->bases;
        if (!bases)
            return err_set(e, RC_FAIL, "no memory for %zu sequences", room);
        s->room = room;
    }
    s->name[s->n] = name ? strdup(name) : NULL;
    s->bases[s->n] = strdup("");
    s->n++;
    if ((name && !s->name[s->n - 1]) || !s->bases[s->n - 1])
        return err_set(e, RC_FAIL, "no memory for a sequence");
    return RC_OK;
}

static enum rc append(struct sequences *s, const struct lines *l, struct err *e)
{
    char **to = &s->bases[s->n - 1];
    const size_t old = strlen(*to);
    for (size_t i = 0; i < l->n_bytes; i++)
        if (!isalpha((unsigned char)l->text[i]))
            return err_set(e, RC_INPUT, "'%s': line %zu: byte %zu is no base", l->path, l->number,
                           i + 1);
    char *more = realloc(*to, old + l->n_bytes + 1);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu bases", old + l->n_bytes);
    *to = more;
    for (size_t i = 0; i <= l->n_bytes; i++)
        more[old + i] = (char)toupper((unsigned char)l->text[i]);
    return RC_OK;
}

enum rc sequences_read(const char *path, struct sequences *s, struct err *e)
{
    struct lines l;
    bool more = false, fasta = false;
    *s = (struct sequences){ 0 };
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        if (!l.n_bytes)
            continue;
        const bool head = *l.text == '>';
        fasta = fasta || (head && !s->n);
        if (head && !fasta)
            rc =
                err_set(e, RC_INPUT, "'%s': line %zu: a name among bare sequences", path, l.number);
        if (head)
            l.text[1 + strcspn(l.text + 1, " \t")] = '\0';
        if (!rc && (head || !fasta))
            rc = add(s, head ? l.text + 1 : NULL, e);
        if (!rc && !head)
            rc = append(s, &l, e);
    }
    lines_close(&l);
    if (!rc && !s->n)
        rc = err_set(e, RC_INPUT, "'%s' holds no sequence", path);
    if (rc)
        sequences_release(s);
    return rc;
}
