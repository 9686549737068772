/* Escaping for HTML, XML and TeX. */
#include <string.h>

#include "lib/io/markup.h"
#include "tests/tap.h"

static bool gives(void (*put)(struct markup *, const char *), const char *in, const char *want)
{
    struct markup m = { 0 };
    put(&m, in);
    bool same = !m.failed && strcmp(m.s ? m.s : "", want) == 0;
    if (!same)
        note("'%s' gave '%s'", in, m.s ? m.s : "");
    markup_release(&m);
    return same;
}

static void cut_at_4(struct markup *m, const char *s)
{
    markup_text_cut(m, s, 4);
}

int main(void)
{
    ok(gives(markup_text, "<b a=\"1\" c='2'>&amp;</b>",
             "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;"),
       "each sign that HTML reads is escaped, once");
    ok(gives(markup_text, "Zelle µ – 細胞 𝔸", "Zelle µ – 細胞 𝔸"), "good UTF-8 stays");
    ok(gives(markup_text,
             "a\xff"
             "b\xc3",
             "a\xef\xbf\xbd"
             "b\xef\xbf\xbd"),
       "bytes that are no UTF-8 become U+FFFD, also at the end");
    ok(gives(markup_text, "\xc0\xbc\xe0\x80\xbc\xed\xa0\x80\xf4\x90\x80\x80\xef\xbf\xbf",
             "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
             "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
             "\xef\xbf\xbd"),
       "overlong forms, surrogates and what lies past Unicode are no characters");
    ok(gives(markup_text,
             "a\x01"
             "b\x7f\tc",
             "a\xef\xbf\xbd"
             "b\xef\xbf\xbd\tc"),
       "controls that XML forbids are replaced, tabs stay");
    ok(gives(markup_text, "", "") && gives(markup_text, NULL, ""), "nothing gives nothing");
    ok(gives(cut_at_4, "größe", "grö…") && gives(cut_at_4, "größ", "größ"),
       "a cut counts characters, and a text that fits is not cut");
    ok(gives(cut_at_4, "<<<<<", "&lt;&lt;&lt;…"), "an escape is never cut in two");
    ok(gives(markup_tex, "50 % of a_b & {x} $\\~^#\n",
             "50 \\% of a\\_b \\& \\{x\\} \\$\\textbackslash{}\\textasciitilde{}"
             "\\textasciicircum{}\\# "),
       "signs that TeX reads are escaped");
    ok(utf8_count("größe") == 5 && utf8_count("\xff\xff") == 2, "characters are counted");

    struct markup m = { 0 };
    struct err e = { 0 };
    for (int i = 0; i < 1000; i++)
        markup_fmt(&m, "%d,", i);
    ok(markup_ok(&m, &e) == RC_OK && m.n == 3890 && strlen(m.s) == 3890, "a text grows");
    ok(markup_save(&m, "/dev/full", &e) == RC_FAIL && strstr(e.text, "/dev/full"),
       "a full disk is told: %s", e.text);
    m.failed = true;
    ok(markup_ok(&m, &e) == RC_FAIL && markup_save(&m, "never", &e) == RC_FAIL,
       "a text that is not whole is not written");
    markup_release(&m);
    return tap_end();
}
