/* What is kept of gnuplot's SVG, and what is refused. */
#include <stdlib.h>
#include <string.h>

#include "lib/io/svg.h"
#include "tests/tap.h"

static char *words[] = { (char *)"<T & B>", (char *)"a name that is far too long to fit" };
static struct svg_words two = { words, 2, 12, 0 };

#define HEAD "<?xml version=\"1.0\"?>\n<svg viewBox=\"0 0 9 9\"\n xmlns=\"x\">\n"

static char *clean(const char *body, enum rc *rc, struct err *e)
{
    struct markup m = { 0 };
    char raw[4096];
    snprintf(raw, sizeof raw, HEAD "%s</svg>\n", body);
    *rc = svg_clean(raw, "a \"title\"", 9, 9, &two, &m, e);
    return m.s; /* the caller frees */
}

static void has(const char *body, const char *want, const char *what)
{
    struct err e = { 0 };
    enum rc rc;
    char *s = clean(body, &rc, &e);
    if (!ok(rc == RC_OK && s && strstr(s, want), "%s", what))
        note("%s: %s", e.text, s ? s : "");
    free(s);
}

static void lacks(const char *body, const char *part, const char *what)
{
    struct err e = { 0 };
    enum rc rc;
    char *s = clean(body, &rc, &e);
    if (!ok(rc == RC_OK && s && !strstr(s, part), "%s", what))
        note("%s: %s", e.text, s ? s : "");
    free(s);
}

static void refused(const char *body, const char *why, const char *what)
{
    struct err e = { 0 };
    enum rc rc;
    free(clean(body, &rc, &e));
    if (!ok(rc == RC_FAIL && strstr(e.text, why), "%s", what))
        note("status %d: %s", (int)rc, e.text);
}

int main(void)
{
    has("<g><path d='M1.00,2.50 L3.10,4.00  '/></g>", "<path d=\"M1,2.5L3.1,4\"/>",
        "numbers lose zeros and blanks");
    has("<g><path stroke='rgb(  0, 114, 178)' d='M1,2'/></g>", "stroke=\"#0072b2\"",
        "colours are hexadecimal");
    has("<g><path stroke='rgb(  0,   0,   0)' d=''/><path stroke='rgb(0,0,0)' d=''/></g>",
        "<path stroke=\"currentColor\" d=\"\"/>\n<path stroke=\"currentColor\"",
        "black is the colour of the text around");
    lacks("<g id=\"gnuplot_canvas\" color=\"black\"><path d='M1,2'/></g>", "gnuplot_canvas",
          "ids are dropped, so that several figures fit a page");
    lacks("<g><path d='M1,2'/></g>", "color=\"black\"", "and so is their own text colour");
    lacks("<title>Gnuplot</title><desc>5.4</desc><defs><circle id='gpDot'/></defs>", "nuplot",
          "gnuplot's title, version and definitions are dropped");
    lacks("<g><g></g>\n<g> </g></g>", "<g", "groups with nothing in them are dropped");
    has("<g><use xlink:href='#gpDot' x='1.00' y='2.54' color='rgb(1,2,3)'/>\n"
        "<use xlink:href='#gpDot' x='10.00' y='4.00' color='rgb(1,2,3)'/>"
        "<use xlink:href='#gpDot' x='5' y='6' color='black'/></g>",
        "<path class=\"dot\" stroke=\"#010203\" d=\"M1 2.5h0M10 4h0\"/>\n"
        "<path class=\"dot\" stroke=\"currentColor\" d=\"M5 6h0\"/>\n</g>",
        "neighbouring dots of one colour are one path");
    has("<g><text> @1@ of @2@</text></g>", "<text>&lt;T &amp; B&gt; of a name that…</text>",
        "marks are replaced by escaped words, long ones cut");
    has("<g><text> 0.5</text></g>", "<text>0.5</text>", "the blank before a number goes");
    has("", "aria-label=\"a &quot;title&quot;\">\n<title>a &quot;title&quot;</title>",
        "the title is said to those who cannot see");
    refused("<g><text>@3@</text></g>", "mark '@3@' but 2 words", "a mark without a word");
    refused("<g><text>@x</text></g>", "mark '@x'", "a mark that is none");
    refused("<g><use xlink:href='#gpPt6' transform='x'/></g>", "'use'",
            "a point symbol, whose definition is dropped");
    refused("<g><script>x</script></g>", "'script'", "anything that runs");
    refused("<g><path d='M1'/>", "1 groups open", "a group that does not end");
    refused("</g>", "not open", "a group that did not begin");
    refused("<g><text>x", "inside a text", "a text that does not end");

    struct err e = { 0 };
    struct markup m = { 0 };
    ok(svg_clean("no figure", "t", 1, 1, &two, &m, &e) == RC_FAIL, "no SVG at all: %s", e.text);
    ok(svg_clean(HEAD "<g>", "t", 1, 1, &two, &m, &e) == RC_FAIL, "a cut SVG: %s", e.text);
    markup_release(&m);
    two.dot = 4.25;
    has("<use xlink:href='#gpDot' x='1.00' y='2.50' color='rgb(  0, 114, 178)'/>",
        "<path class=\"dot\" stroke=\"#0072b2\" style=\"stroke-width:4.2\" d=\"M1 2.5h0\"/>",
        "dots have the size that was asked for");
    return tap_end();
}
