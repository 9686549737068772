#include "lib/io/gnuplot.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/tool.h"
#include "lib/io/svg.h"

/* More than any figure of ours; a template that loops must not fill the memory. */
enum { SVG_MAX_BYTES = 64 << 20, TEMPLATE_MAX_BYTES = 1 << 20 };

void figure_init(struct figure *f, const char *name, const char *title)
{
    *f = (struct figure){ .max_chars = 32, .width = 360, .height = 300 };
    f->name = text_new("%s", name);
    f->title = text_new("%s", title);
    f->script.failed = !f->name || !f->title;
}

void figure_release(struct figure *f)
{
    for (size_t i = 0; i < f->n_words; i++)
        free(f->word[i]);
    free(f->word);
    free(f->name);
    free(f->title);
    markup_release(&f->script);
    *f = (struct figure){ 0 };
}

void figure_size(struct figure *f, double width, double height)
{
    f->width = width;
    f->height = height;
}

void figure_number(struct figure *f, const char *variable, double value)
{
    if (isfinite(value))
        markup_fmt(&f->script, "%s = %.9g\n", variable, value);
    else
        markup_fmt(&f->script, "%s = NaN\n", variable);
}

void figure_words(struct figure *f, const char *variable, const char *const *word, size_t n)
{
    char **more = realloc(f->word, (f->n_words + n + 1) * sizeof *more);
    if (!more) {
        f->script.failed = true;
        return;
    }
    f->word = more;
    markup_fmt(&f->script, "%s = \"", variable);
    for (size_t i = 0; i < n; i++) {
        f->word[f->n_words] = text_new("%s", word[i] ? word[i] : "");
        f->script.failed = f->script.failed || !f->word[f->n_words];
        markup_fmt(&f->script, "%s@%zu@", i ? " " : "", ++f->n_words);
    }
    markup_raw(&f->script, "\"\n");
}

void figure_block(struct figure *f, const char *name)
{
    markup_fmt(&f->script, "$%s << EOD\n", name);
}

void figure_row(struct figure *f, const char *fmt, ...)
{
    va_list ap;
    char row[256];
    va_start(ap, fmt);
    int n = vsnprintf(row, sizeof row, fmt, ap);
    va_end(ap);
    f->script.failed = f->script.failed || n < 0 || (size_t)n >= sizeof row;
    markup_fmt(&f->script, "%s\n", row);
}

void figure_block_end(struct figure *f)
{
    markup_raw(&f->script, "EOD\n");
}

static enum rc add_template(struct markup *m, const char *folder, const char *name, struct err *e)
{
    char *path = text_new("%s/%s.gp", folder, name), *text = NULL;
    size_t n;
    enum rc rc = path ? file_read(path, TEMPLATE_MAX_BYTES, &text, &n, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc) {
        markup_bytes(m, text, n);
        markup_raw(m, "\n");
    } else {
        /* A template is part of the program, not of the data. */
        rc = err_wrap(e, "figure template");
        if (e)
            e->rc = rc = RC_FAIL;
    }
    free(text);
    free(path);
    return rc;
}

bool gnuplot_here(void)
{
    return program_here("gnuplot");
}

/* gnuplot reads its script from stdin and writes to stdout: no path, no name of a temporary file
 * gets into either. -d: the user's and the system's settings would change the bytes. */
static enum rc spawn(FILE *in, FILE *out, FILE *talk, struct err *e)
{
    char *const argv[] = { "gnuplot", "-d", "-", NULL };
    char *const env[] = { "LC_ALL=C", "HOME=/nonexistent", NULL };
    posix_spawn_file_actions_t io;
    pid_t pid;
    int status = 0, code = posix_spawn_file_actions_init(&io);
    if (code)
        return err_set(e, RC_FAIL, "cannot start gnuplot: %s", strerror(code));
    posix_spawn_file_actions_adddup2(&io, fileno(in), 0);
    posix_spawn_file_actions_adddup2(&io, fileno(out), 1);
    posix_spawn_file_actions_adddup2(&io, fileno(talk), 2);
    code = posix_spawnp(&pid, argv[0], &io, NULL, argv, env);
    posix_spawn_file_actions_destroy(&io);
    if (code == ENOENT)
        return err_set(e, RC_FAIL,
                       "gnuplot is not on this machine (not found in PATH), and it draws the "
                       "figures: install the package gnuplot-nox or gnuplot");
    if (code)
        return err_set(e, RC_FAIL, "cannot start gnuplot: %s", strerror(code));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_set(e, RC_FAIL, "cannot wait for gnuplot: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return err_set(e, RC_FAIL, "gnuplot cannot be run");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return RC_OK;
    char said[512] = "";
    rewind(talk);
    size_t n = fread(said, 1, sizeof said - 1, talk);
    said[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (said[i] == '\n' || said[i] == '\r' || said[i] == '\t')
            said[i] = ' ';
    return err_set(e, RC_FAIL, "gnuplot failed:%s%s", said[0] == ' ' ? "" : " ", said);
}

static enum rc read_back(FILE *f, char **text, struct err *e)
{
    size_t n = 0, room = 1 << 16;
    char *s = NULL;
    rewind(f);
    for (;;) {
        char *more = n > SVG_MAX_BYTES ? NULL : realloc(s, room + 1);
        if (!more) {
            free(s);
            return err_set(e, RC_FAIL, "gnuplot drew more than fits into memory");
        }
        s = more;
        n += fread(s + n, 1, room - n, f);
        if (n < room)
            break;
        room *= 2;
    }
    s[n] = '\0';
    *text = s;
    return RC_OK;
}

static enum rc run_script(const struct markup *script, char **svg, struct err *e)
{
    FILE *in = tmpfile(), *out = tmpfile(), *talk = tmpfile();
    enum rc rc = RC_OK;
    *svg = NULL;
    if (!in || !out || !talk)
        rc = err_set(e, RC_FAIL, "no temporary file for gnuplot: %s", strerror(errno));
    else if (fwrite(script->s, 1, script->n, in) != script->n || fflush(in) != 0 ||
             fseek(in, 0, SEEK_SET) != 0)
        rc = err_set(e, RC_FAIL, "cannot write gnuplot's script: %s", strerror(errno));
    if (!rc)
        rc = spawn(in, out, talk, e);
    if (!rc)
        rc = read_back(out, svg, e);
    if (in)
        fclose(in);
    if (out)
        fclose(out);
    if (talk)
        fclose(talk);
    return rc;
}

enum rc figure_draw(const struct figure *f, const char *templates, const char *template_name,
                    struct markup *out, struct err *e)
{
    struct markup script = { 0 };
    char *raw = NULL;
    markup_fmt(&script, "width = %.0f\nheight = %.0f\n", f->width, f->height);
    if (f->script.n)
        markup_bytes(&script, f->script.s, f->script.n);
    script.failed = script.failed || f->script.failed;
    enum rc rc = add_template(&script, templates, "common", e);
    if (!rc)
        rc = add_template(&script, templates, template_name, e);
    if (!rc)
        rc = markup_ok(&script, e);
    if (!rc)
        rc = run_script(&script, &raw, e);
    const struct svg_words words = { f->word, f->n_words, f->max_chars, f->dot };
    if (!rc)
        rc = svg_clean(raw, f->title, f->width, f->height, &words, out, e);
    if (rc)
        err_wrap(e, "figure '%s'", f->name ? f->name : "?");
    free(raw);
    markup_release(&script);
    return rc;
}

enum rc figure_save(const struct markup *svg, const char *path, struct err *e)
{
    static const char head[] = "<svg ";
    /* What the page's style sheet says about figures, and a page of its own under the drawing. */
    static const char style[] =
        "<style>svg{background:#fff;color:#1c2126;font-family:sans-serif;"
        "stroke-linecap:round;stroke-linejoin:round}.dot{fill:none;stroke-width:2.6}</style>\n";
    struct markup m = { 0 };
    const char *body = svg->s ? strstr(svg->s, "</title>\n") : NULL;
    assert(body && strncmp(svg->s, head, sizeof head - 1) == 0);
    body += strlen("</title>\n");
    markup_raw(&m, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" ");
    markup_bytes(&m, svg->s + sizeof head - 1, (size_t)(body - svg->s) - (sizeof head - 1));
    markup_raw(&m, style);
    markup_raw(&m, body);
    enum rc rc = markup_save(&m, path, e);
    markup_release(&m);
    return rc;
}
