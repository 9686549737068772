#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/report/figures.h"

/* px: letters of 12 px are about half as wide as high; a line, and the space below the last. */
enum { LETTER = 7, LINE = 17, BELOW = 10, MAX_LINES = 40 };

/* Characters that stand on one line: up to the last blank that fits, or all. In bytes. */
static size_t line_bytes(const char *s, size_t room)
{
    size_t blank = 0, at = 0;
    for (size_t chars = 0; s[at] && chars <= room; chars++) {
        if (s[at] == ' ')
            blank = at;
        const size_t len = utf8_length(s + at);
        at += len ? len : 1;
    }
    return s[at] && blank ? blank : at;
}

void figure_notes(struct figure *f, const char *const *note, size_t n, double top)
{
    char *line[MAX_LINES];
    size_t n_lines = 0;
    const size_t room = (size_t)(f->width - 24) / LETTER;
    for (size_t i = 0; i < n; i++)
        for (const char *s = note[i]; *s && n_lines < MAX_LINES;) {
            const size_t len = line_bytes(s, room);
            line[n_lines] = text_new("%.*s", (int)len, s);
            f->script.failed = f->script.failed || !line[n_lines];
            n_lines += line[n_lines] != NULL;
            s += len;
            s += *s == ' ';
        }
    f->max_chars = room + 1;
    figure_number(f, "n_notes", (double)n_lines);
    figure_number(f, "notes_top", top);
    figure_words(f, "notes", (const char *const *)line, n_lines);
    figure_size(f, f->width, top + LINE * (double)n_lines + BELOW);
    for (size_t i = 0; i < n_lines; i++)
        free(line[i]);
}
