#include "lib/report/plain.h"

#include "lib/base/version.h"

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--text:#1c2126;--soft:#57606a;--line:#d5dae0;"
    "--good:#006b4f;--bad:#a02c00}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#14181c;--text:#e4e8ec;--soft:#a3adb8;"
    "--line:#38414a;--good:#5fd0a8;--bad:#f0a080}}\n"
    "body{margin:0 auto;max-width:1240px;padding:0 16px;background:var(--bg);color:var(--text);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.6rem;margin:.7em 0 .2em}h2{font-size:1.25rem;margin:1.6em 0 .4em}\n"
    "table{border-collapse:collapse;font-size:.86rem;line-height:1.35;margin:.6em 0}\n"
    "th,td{text-align:left;vertical-align:top;padding:4px 14px 4px 0;"
    "border-bottom:1px solid var(--line)}\n"
    "div{overflow-x:auto}code{overflow-wrap:anywhere}th[scope=row]{white-space:nowrap}\n"
    "thead th{color:var(--soft)}.n{text-align:right;font-variant-numeric:tabular-nums}\n"
    ".fails{color:var(--bad);font-weight:600}.holds{color:var(--good)}.open{color:var(--soft)}\n"
    "code{font-family:ui-monospace,monospace;font-size:.8rem}\n"
    "td:last-child{min-width:12em}\n"
    "@media (min-width:700px){.cards td:nth-child(2){min-width:15em}}\n"
    "input{margin:0 .3em 0 .9em}label{font-size:.92rem}.pick{color:var(--soft)}\n"
    "@media print{input,label,.pick{display:none}}\n"
    /* Narrow: a row is a paragraph whose cells say what they are, so that nothing lies outside. */
    "@media (max-width:699px){.cards,.cards tbody,.cards tr,.cards th,.cards td{display:block}"
    ".cards thead,.cards .none{display:none}"
    ".cards tr{padding:.7em 0;border-bottom:1px solid var(--line)}"
    ".cards th,.cards td{border:0;padding:1px 0;min-width:0;text-align:left;"
    "overflow-wrap:anywhere}"
    ".cards td[data-of]::before{content:attr(data-of) \": \";color:var(--soft)}}\n";

void plain_open(struct markup *m, const char *title)
{
    markup_raw(m, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n"
                  "<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
                  "content=\"width=device-width, initial-scale=1\"/>\n<title>");
    markup_text(m, title);
    markup_fmt(m, "</title>\n<meta name=\"generator\" content=\"genecompass %s\"/>\n<style>\n%s",
               GC_VERSION, style);
    markup_raw(m, "</style>\n</head>\n<body>\n<main>\n<h1>");
    markup_text(m, title);
    markup_raw(m, "</h1>\n");
}

void plain_close(struct markup *m)
{
    markup_raw(m, "</main>\n</body>\n</html>\n");
}

void plain_choice(struct markup *m, const char *property, const char *label,
                  const char *const *word, size_t n)
{
    markup_raw(m, "<style>");
    for (size_t i = 0; i < n; i++)
        markup_fmt(m, "#%s%zu:checked~table tbody tr:not(.%s-%zu){display:none}", property, i,
                   property, i);
    markup_fmt(m,
               "</style>\n<span class=\"pick\">%s:</span><input type=\"radio\" name=\"%s\" "
               "id=\"%s-all\" checked=\"checked\"/><label for=\"%s-all\">all</label>\n",
               label, property, property, property);
    for (size_t i = 0; i < n; i++) {
        markup_fmt(m, "<input type=\"radio\" name=\"%s\" id=\"%s%zu\"/><label for=\"%s%zu\">",
                   property, property, i, property, i);
        markup_text(m, word[i]);
        markup_raw(m, "</label>\n");
    }
    markup_raw(m, "<br/>\n");
}

void plain_cell(struct markup *m, const char *of, const char *text)
{
    const bool none = !text || !*text;
    markup_fmt(m, "<td data-of=\"%s\"%s>", of, none ? " class=\"none\"" : "");
    markup_text(m, none ? "–" : text);
    markup_raw(m, "</td>");
}
