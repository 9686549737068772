/* One pass over gnuplot's tags, in order:
 *   prolog, <title>, <desc>, <defs>   dropped; we write our own head
 *   <use xlink:href='#gpDot' x y color>   gathered: neighbours of one colour become one path of
 *                                         points (a zero-length line with round ends is a dot)
 *   <g>, <path>, <polygon>, <rect>    kept, without ids and with black turned to currentColor
 *   a <g> with nothing in it          dropped
 *   <text>                            kept, its marks @i@ replaced
 * Example: <use xlink:href='#gpDot' x='1.00' y='2.50' color='rgb(  0, 114, 178)'/>, then one at 3,
 * 4
 *   -> <path class="dot" stroke="#0072b2" d="M1 2.5h0M3 4h0"/> */
#include "lib/io/svg.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32, COLOUR_MAX = 32 };

struct clean {
    struct markup *out;
    const struct svg_words *words;
    size_t open_at[MAX_DEPTH]; /* where in out the tag of each open <g> starts */
    bool filled[MAX_DEPTH];    /* something stands in it */
    int depth;
    char dot_colour[COLOUR_MAX]; /* of the path of dots being gathered, empty for none */
};

/* "rgb(  0, 114, 178)" -> "#0072b2", black -> currentColor, anything else as it is. */
static void put_colour(char *to, const char *s, size_t n)
{
    unsigned r, g, b;
    char text[COLOUR_MAX];
    snprintf(text, sizeof text, "%.*s", (int)n, s);
    if (sscanf(text, "rgb(%u,%u,%u)", &r, &g, &b) == 3 && r + g + b > 0 && r < 256 && g < 256 &&
        b < 256)
        snprintf(to, COLOUR_MAX, "#%02x%02x%02x", r, g, b);
    else if (strcmp(text, "black") == 0 || strncmp(text, "rgb(", 4) == 0)
        snprintf(to, COLOUR_MAX, "currentColor");
    else
        snprintf(to, COLOUR_MAX, "%s", text);
}

/* The next attribute in [*s, end): name and value without quotes; false at the end of the tag. */
static bool next_attribute(const char **s, const char *end, const char **name, size_t *n_name,
                           const char **value, size_t *n_value)
{
    const char *p = *s;
    while (p < end && (isspace((unsigned char)*p) || *p == '/'))
        p++;
    *name = p;
    while (p < end && *p != '=' && !isspace((unsigned char)*p))
        p++;
    *n_name = (size_t)(p - *name);
    while (p < end && (*p == '=' || isspace((unsigned char)*p)))
        p++;
    if (p >= end || (*p != '"' && *p != '\''))
        return false;
    *value = p + 1;
    const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (!close)
        return false;
    *n_value = (size_t)(close - *value);
    *s = close + 1;
    return *n_name > 0;
}

static bool is(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(s, word, n) == 0;
}

/* Numbers as gnuplot prints them ("36.00") without zeros that say nothing; the blank before a
 * letter goes too. */
static void put_numbers(struct markup *m, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len = 0;
        while (i + len < n && (isdigit((unsigned char)s[i + len]) || s[i + len] == '.'))
            len++;
        size_t keep = len;
        if (memchr(s + i, '.', len)) {
            while (keep && s[i + keep - 1] == '0')
                keep--;
            keep -= keep && s[i + keep - 1] == '.';
        }
        if (len) {
            markup_bytes(m, keep ? s + i : "0", keep ? keep : 1);
            i += len;
        } else if (s[i] == ' ' && (i + 1 >= n || !strchr("-0123456789.", s[i + 1]))) {
            i++;
        } else {
            markup_bytes(m, s + i++, 1);
        }
    }
}

static void end_dots(struct clean *c)
{
    if (c->dot_colour[0])
        markup_raw(c->out, "\"/>\n");
    c->dot_colour[0] = '\0';
}

static void put_dot(struct clean *c, const char *s, const char *end)
{
    const char *name, *value, *x = NULL, *y = NULL;
    size_t n_name, n, n_x = 0, n_y = 0;
    char colour[COLOUR_MAX] = "currentColor";
    s += strlen("use");
    while (next_attribute(&s, end, &name, &n_name, &value, &n)) {
        if (is(name, n_name, "x"))
            x = value, n_x = n;
        else if (is(name, n_name, "y"))
            y = value, n_y = n;
        else if (is(name, n_name, "color"))
            put_colour(colour, value, n);
    }
    if (!x || !y)
        return;
    if (strcmp(colour, c->dot_colour) != 0) {
        end_dots(c);
        memcpy(c->dot_colour, colour, sizeof colour);
        markup_fmt(c->out, "<path class=\"dot\" stroke=\"%s\"", colour);
        if (c->words->dot > 0)
            markup_fmt(c->out, " style=\"stroke-width:%.1f\"", c->words->dot);
        markup_raw(c->out, " d=\"");
    }
    /* A tenth of a pixel is less than a dot. */
    markup_raw(c->out, "M");
    put_numbers(c->out, x, n_x > 2 && x[n_x - 3] == '.' ? n_x - 1 : n_x);
    markup_raw(c->out, " ");
    put_numbers(c->out, y, n_y > 2 && y[n_y - 3] == '.' ? n_y - 1 : n_y);
    markup_raw(c->out, "h0");
}

/* Our style says the rest; so these need not be said at every tag. */
static bool is_default(const char *name, size_t n, const char *value, size_t n_value)
{
    return is(name, n, "id") || is(name, n, "color") || is(name, n, "font-family") ||
           is(name, n, "stroke-linecap") || is(name, n, "stroke-linejoin") ||
           (is(name, n, "stroke-width") && is(value, n_value, "1.00"));
}

static void put_tag(struct clean *c, const char *s, const char *end)
{
    const char *name, *value, *tag = s;
    size_t n_name, n;
    bool alone = end[-1] == '/';
    while (s < end && isalpha((unsigned char)*s))
        s++;
    markup_fmt(c->out, "<%.*s", (int)(s - tag), tag);
    while (next_attribute(&s, end, &name, &n_name, &value, &n)) {
        if (is_default(name, n_name, value, n))
            continue;
        markup_fmt(c->out, " %.*s=\"", (int)n_name, name);
        if (is(name, n_name, "stroke") || is(name, n_name, "fill")) {
            char colour[COLOUR_MAX];
            put_colour(colour, value, n);
            markup_raw(c->out, colour);
        } else if (is(name, n_name, "d") || is(name, n_name, "points") ||
                   is(name, n_name, "transform") || is(name, n_name, "font-size")) {
            put_numbers(c->out, value, n);
        } else {
            markup_bytes(c->out, value, n);
        }
        markup_raw(c->out, "\"");
    }
    markup_raw(c->out, alone ? "/>\n" : ">");
}

static enum rc open_group(struct clean *c, const char *s, const char *end, struct err *e)
{
    if (c->depth == MAX_DEPTH)
        return err_set(e, RC_FAIL, "gnuplot's groups are nested too deep");
    c->open_at[c->depth] = c->out->n;
    c->filled[c->depth++] = false;
    put_tag(c, s, end);
    return RC_OK;
}

static enum rc close_group(struct clean *c, struct err *e)
{
    if (!c->depth)
        return err_set(e, RC_FAIL, "gnuplot closes a group that is not open");
    bool some = c->filled[--c->depth];
    if (some) {
        markup_raw(c->out, "</g>\n");
        if (c->depth)
            c->filled[c->depth - 1] = true;
    } else if (c->out->s) {
        c->out->n = c->open_at[c->depth];
        c->out->s[c->out->n] = '\0';
    }
    return RC_OK;
}

/* The words between <text> and </text>, already escaped by gnuplot, with our marks in them. */
static enum rc put_words(struct clean *c, const char *s, size_t n, struct err *e)
{
    const char *end = s + n;
    while (s < end && *s == ' ') /* gnuplot's tics begin with a blank */
        s++;
    while (s < end) {
        char *after;
        unsigned long i = *s == '@' ? strtoul(s + 1, &after, 10) : 0;
        if (*s != '@') {
            markup_bytes(c->out, s++, 1);
            continue;
        }
        if (i < 1 || i > c->words->n || *after != '@')
            return err_set(e, RC_FAIL, "a figure has the mark '%.*s' but %zu words",
                           (int)(end - s < 16 ? end - s : 16), s, c->words->n);
        markup_text_cut(c->out, c->words->word[i - 1], c->words->max_chars);
        s = after + 1;
    }
    return RC_OK;
}

/* One tag at s ('<' is s[-1]); *next is where to go on. */
static enum rc one_tag(struct clean *c, const char *s, const char **next, struct err *e)
{
    const char *end = strchr(s, '>');
    if (!end)
        return err_set(e, RC_FAIL, "gnuplot's SVG ends in the middle of a tag");
    size_t n = strcspn(s, " \t\r\n/>");
    *next = end + 1;
    if (is(s, n, "use") && strstr(s, "#gpDot") && strstr(s, "#gpDot") < end) {
        put_dot(c, s, end);
        if (c->depth)
            c->filled[c->depth - 1] = true;
        return RC_OK;
    }
    end_dots(c);
    if (is(s, n, "title") || is(s, n, "desc") || is(s, n, "defs")) {
        static const char *const closes[] = { "</title>", "</desc>", "</defs>" };
        const char *close = strstr(s, closes[s[0] == 't' ? 0 : s[2] == 's' ? 1 : 2]);
        if (!close)
            return err_set(e, RC_FAIL, "gnuplot's SVG ends inside '%.*s'", (int)n, s);
        *next = strchr(close, '>') + 1;
        return RC_OK;
    }
    if (is(s, n, "g"))
        return open_group(c, s, end, e);
    if (s[0] == '/')
        return is(s, strcspn(s, " >"), "/g") ? close_group(c, e) : RC_OK;
    if (!is(s, n, "path") && !is(s, n, "polygon") && !is(s, n, "rect") && !is(s, n, "text"))
        return err_set(e, RC_FAIL, "a figure uses gnuplot's '%.*s', which is not carried over",
                       (int)n, s);
    bool frame = is(s, n, "rect"); /* of the canvas: nothing to see */
    if (!frame)
        put_tag(c, s, end);
    if (c->depth && !frame)
        c->filled[c->depth - 1] = true;
    if (!is(s, n, "text"))
        return RC_OK;
    const char *close = strstr(end, "</text>");
    if (!close)
        return err_set(e, RC_FAIL, "gnuplot's SVG ends inside a text");
    if (put_words(c, end + 1, (size_t)(close - end - 1), e))
        return e ? e->rc : RC_FAIL;
    markup_raw(c->out, "</text>");
    *next = close + strlen("</text>");
    return RC_OK;
}

enum rc svg_clean(const char *raw, const char *title, double width, double height,
                  const struct svg_words *words, struct markup *out, struct err *e)
{
    struct clean c = { .out = out, .words = words };
    const char *s = strstr(raw, "<svg");
    s = s ? strchr(s, '>') : NULL;
    if (!s || !strstr(s, "</svg>"))
        return err_set(e, RC_FAIL, "gnuplot drew no whole SVG");
    markup_fmt(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-size=\"12\" aria-label=\"",
               width, height);
    markup_text(out, title);
    markup_raw(out, "\">\n<title>");
    markup_text(out, title);
    markup_raw(out, "</title>\n");
    enum rc rc = RC_OK;
    for (s++; !rc && (s = strchr(s, '<')) && strncmp(s, "</svg>", 6) != 0;)
        rc = one_tag(&c, s + 1, &s, e);
    end_dots(&c);
    if (!rc && c.depth)
        rc = err_set(e, RC_FAIL, "gnuplot leaves %d groups open", c.depth);
    markup_raw(out, "</svg>\n");
    return rc ? rc : markup_ok(out, e);
}
