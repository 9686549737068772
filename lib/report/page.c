#include "lib/report/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/version.h"
#include "lib/report/format.h"

void page_section(const struct page *p, const char *id, const char *title)
{
    markup_fmt(p->html, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

void page_section_end(const struct page *p)
{
    markup_raw(p->html, "</section>\n");
}

void page_missing(const struct page *p, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    markup_raw(p->html, "<p class=\"missing\">");
    markup_text(p->html, text);
    markup_raw(p->html, "</p>\n");
}

bool page_figure(const struct page *p, const char *name, const char *caption)
{
    const struct drawn *d = figures_find(p->figures, name);
    if (!d)
        return false;
    markup_raw(p->html, "<figure>\n");
    markup_bytes(p->html, d->svg.s, d->svg.n);
    markup_fmt(p->html, "<figcaption>%s <a href=\"%s.svg\">SVG</a></figcaption>\n</figure>\n",
               caption, name);
    return true;
}

void page_table(const struct page *p, const char *label, const char *columns)
{
    markup_raw(p->html, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    markup_text(p->html, label);
    markup_raw(p->html, "\">\n<table>\n<thead><tr>");
    for (const char *c = columns; *c;) {
        size_t n = strcspn(c, "|");
        bool right = *c == '>';
        markup_fmt(p->html, "<th scope=\"col\"%s>%.*s</th>", right ? " class=\"n\"" : "",
                   (int)(n - right), c + right);
        c += n + (c[n] == '|');
    }
    markup_raw(p->html, "</tr></thead>\n<tbody>\n");
}

void page_table_end(const struct page *p)
{
    markup_raw(p->html, "</tbody>\n</table>\n</div>\n");
}

void page_cell_text(const struct page *p, const char *text)
{
    markup_raw(p->html, "<td>");
    markup_text(p->html, text && *text ? text : "–");
    markup_raw(p->html, "</td>");
}

void page_cell_count(const struct page *p, double n)
{
    char text[FORMAT_MAX];
    markup_fmt(p->html, "<td class=\"n\">%s</td>", isnan(n) ? "–" : format_count(text, n));
}

void page_cell_number(const struct page *p, double x)
{
    char text[FORMAT_MAX];
    markup_fmt(p->html, "<td class=\"n\">%s</td>", isnan(x) ? "–" : format_number(text, x));
}

const struct stage *page_stage(const struct page *p, const char *name)
{
    for (size_t i = 0; i < p->r->n_stages; i++)
        if (strcmp(p->r->stage[i].name, name) == 0)
            return &p->r->stage[i];
    return NULL;
}

static const char *find_param(const struct stage *s, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < s->n_params; i++) {
        const char *text = s->param[i];
        for (const char *at = text; (at = strstr(at, name)); at += n) {
            bool starts = at == text || at[-1] == '-' || at[-1] == ' ';
            if (starts && (at[n] == ' ' || at[n] == '='))
                return at + n + 1;
        }
    }
    return NULL;
}

const char *page_param(const struct page *p, const char *stage, const char *name)
{
    size_t n = strlen(stage);
    for (size_t i = 0; i < p->r->n_stages; i++) {
        const struct stage *s = &p->r->stage[i];
        if (strncmp(s->name, stage, n) != 0 || (s->name[n] && s->name[n] != '/'))
            continue;
        const char *value = find_param(s, name);
        if (value)
            return value;
    }
    return NULL;
}

void page_repeat_line(const struct page *p, const char *goal)
{
    markup_fmt(p->html, "<p class=\"again\">Again: <code>make %s", goal);
    if (p->r->profile) {
        markup_raw(p->html, " PROFILE=");
        markup_text(p->html, p->r->profile);
    }
    markup_raw(p->html, "</code></p>\n");
}

static void head(const struct page *p, const char *title, const char *css)
{
    struct markup *m = p->html;
    markup_raw(m, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                  "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                  "<title>GeneCompass in C: ");
    markup_raw(m, title);
    if (p->r->profile) {
        markup_raw(m, " of profile ");
        markup_text(m, p->r->profile);
    }
    markup_raw(m, "</title>\n<style>\n");
    markup_raw(m, css);
    markup_raw(m, "</style>\n</head>\n<body>\n");
}

static void foot(const struct page *p)
{
    markup_raw(p->html, "</main>\n<footer><p>Written by <code>report</code> " GC_VERSION
                        " from the files of the stages alone. Equal runs give an equal page, byte "
                        "for byte: no time, no path and no name of a machine is in it. All numbers "
                        "are in <a href=\"numbers.tex\">numbers.tex</a> too.</p></footer>\n");
    /* A click on the head of a column sorts by it: numbers as numbers, a second click turns it
     * round. No sign that XML would want escaped. */
    markup_raw(
        p->html,
        "<script>\n"
        "document.querySelectorAll('table').forEach(function (t) {\n"
        "  var head = t.tHead ? Array.from(t.tHead.rows[0].cells) : [], body = t.tBodies[0];\n"
        "  if (!body || 2 > body.rows.length) return;\n"
        "  head.forEach(function (h, i) {\n"
        "    if (!h.textContent.trim()) return;\n"
        "    var b = document.createElement('button');\n"
        "    b.type = 'button';\n"
        "    b.textContent = h.textContent;\n"
        "    h.textContent = '';\n"
        "    h.appendChild(b);\n"
        "    b.addEventListener('click', function () {\n"
        "      var up = h.getAttribute('aria-sort') === 'ascending' ? -1 : 1;\n"
        "      var text = function (r) { return r.cells[i] ? r.cells[i].textContent.trim() : ''; "
        "};\n"
        "      var number = function (s) { return parseFloat(s.replace(/,/g, '').replace('−', "
        "'-')); };\n"
        "      head.forEach(function (o) { o.removeAttribute('aria-sort'); });\n"
        "      h.setAttribute('aria-sort', up === 1 ? 'ascending' : 'descending');\n"
        "      Array.from(body.rows).sort(function (p, q) {\n"
        "        var x = text(p), y = text(q), m = number(x), n = number(y);\n"
        "        if (isNaN(m) ? !isNaN(n) : isNaN(n)) return isNaN(m) ? 1 : -1;\n"
        "        return up * (isNaN(m) ? x.localeCompare(y) : m - n);\n"
        "      }).forEach(function (r) { body.appendChild(r); });\n"
        "    });\n"
        "  });\n"
        "});\n"
        "</script>\n</body>\n</html>\n");
}

enum rc page_write(const struct page *p, const char *css, struct err *e)
{
    static void (*const section[])(const struct page *) = {
        page_headline, page_pipeline, page_limits,    page_cells,      page_ledger,    page_corpus,
        page_worth,    page_training, page_maps,      page_scores,     page_zero_shot, page_cross,
        page_inputs,   page_repeat,   page_manifests, page_deviations, page_glossary,
    };
    head(p, "results", css);
    for (size_t i = 0; i < sizeof section / sizeof *section; i++)
        section[i](p);
    foot(p);
    return markup_ok(p->html, e);
}

enum rc page_write_figures(const struct page *p, const char *css, struct err *e)
{
    head(p, "figures of the paper", css);
    markup_raw(p->html, "<header><h1>Figures of the paper</h1><p><a href=\"index.html\">All "
                        "results</a>. Each figure as its "
                        "stage drew it, with the numbers that it was drawn from: means, 95 % "
                        "intervals, simple methods beside "
                        "deep ones. What the paper shows there stands under it in words. Simulated "
                        "cells are called so, and say "
                        "nothing of real ones.</p>\n");
    page_figures_all(p);
    foot(p);
    return markup_ok(p->html, e);
}
