"""page-browser.py FOLDER: opens every page of a report in headless Chromium, at two widths, light and dark.

Names on stdout what is wrong and ends with status 1; with 77 where there is no chromium. Looked for: a message
on the console, a link of the folder that leads nowhere (each is clicked), a page wider than the window, text with
too little contrast, pictures without words, heads that are skipped, controls without a name, tables without
heads, and columns that do not sort. Talks to the browser through its pipe, so nothing beside Python is needed.

Laying out a page of megabytes takes seconds, so each is opened once; widths and colours change under it, what does
not depend on them is looked at once, and it is opened again only where a link has led away from it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# Each is a layout or a style of the whole page: every width and every scheme, not every pair of them.
LOOKS_LIKE = ((1280, "light"), (1280, "dark"), (390, "dark"))

# What must hold in a page whatever its looks; returns sentences.
RULES = r"""
(() => {
  const bad = [], say = s => bad.push(s);
  const d = document;
  if (!d.documentElement.lang) say('no language');
  if (!d.title) say('no title');
  if (d.querySelectorAll('h1').length !== 1) say('not one h1');
  if (d.querySelectorAll('main').length !== 1) say('not one main');
  let level = 0;
  for (const h of d.querySelectorAll('h1,h2,h3,h4')) {
    const n = +h.tagName[1];
    if (n > level + 1) say(`${h.tagName} behind h${level}: ${h.textContent.slice(0, 40)}`);
    if (!h.textContent.trim()) say('a head without words');
    level = n;
  }
  const ids = [...d.querySelectorAll('[id]')].map(e => e.id);
  for (const id of ids.filter((x, i) => ids.indexOf(x) !== i)) say(`id twice: ${id}`);
  for (const i of d.images) {
    if (!i.alt.trim()) say(`no words for ${i.src}`);
  }
  for (const s of d.querySelectorAll('svg'))
    if (s.getAttribute('role') !== 'img' || !(s.getAttribute('aria-label') || '').trim()) say('a figure without a name');
  for (const e of d.querySelectorAll('a[href],button,summary,input,[role=region]')) {
    const label = e.labels && e.labels[0] ? e.labels[0].textContent : '';
    if (!(e.textContent + (e.getAttribute('aria-label') || '') + label).trim()) say(`a ${e.tagName} without a name`);
  }
  for (const t of d.querySelectorAll('table'))
    if (!t.querySelector('thead th[scope=col]')) say('a table without heads');
  for (const e of d.querySelectorAll('.scroll'))
    if (e.tabIndex < 0) say('what scrolls cannot be reached by keys');
  return bad;
})()
"""

# What depends on width and colours. Contrast as WCAG 2 counts it, 4.5 for text, 3 for large text.
LOOKS = r"""
(() => {
  const bad = [], say = s => bad.push(s), d = document;
  if (d.documentElement.scrollWidth > innerWidth)
    say(`wider than the window: ${d.documentElement.scrollWidth} of ${innerWidth}`);
  for (const t of d.querySelectorAll('.cards'))
    if (innerWidth < 700 && t.scrollWidth > t.parentElement.clientWidth)
      say(`a table of cards is wider than what it stands in: ${t.scrollWidth} of ${t.parentElement.clientWidth}`);
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => (v /= 255, v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const below = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
  };
  const told = new Set(), looked = new Set();
  const kind = e => e ? `${e.tagName}.${e.className}` : '';
  // Every element but what lies in figures, whose marks are many.
  const walk = d.createTreeWalker(d.body, NodeFilter.SHOW_ELEMENT,
    e => e.tagName === 'svg' ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  for (let e; (e = walk.nextNode());) {
    // Alike elements in alike places have one look.
    const key = [e, e.parentElement, e.parentElement.parentElement].map(kind).join(' ');
    if (looked.has(key) || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (!e.getClientRects().length) continue; // is not shown; another of its kind may be
    looked.add(key);
    const s = getComputedStyle(e), a = light(rgb(s.color)), b = light(below(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(s.fontSize);
    const want = size >= 24 || (size >= 18.66 && s.fontWeight >= 700) ? 3 : 4.5;
    const name = `${e.tagName}.${e.className}`;
    if (!(ratio >= want) && !told.has(name)) { told.add(name); say(`contrast ${ratio.toFixed(2)} of ${name}`); }
  }
  return bad;
})()
"""

# Every column that can be sorted, both ways: the same rows, numbers in order.
SORTS = r"""
(() => {
  const bad = [];
  let tables = 0;
  for (const t of document.querySelectorAll('table')) {
    const b = t.tBodies[0], text = () => [...b.rows].map(r => r.textContent);
    if (!b || b.rows.length < 2 || b.rows.length > 60 || ++tables > 20) continue;
    const before = text().sort().join('\n');
    [...t.tHead.rows[0].cells].forEach((h, i) => {
      const k = h.querySelector('button');
      if (!h.textContent.trim()) return;
      if (!k) return bad.push(`no way to sort by ${h.textContent}`);
      for (const way of ['ascending', 'descending']) {
        k.click();
        if (h.getAttribute('aria-sort') !== way) bad.push(`${h.textContent} is not ${way}`);
        const v = [...b.rows].map(r => parseFloat(r.cells[i].textContent.replace(/,/g, '').replace('−', '-')))
          .filter(x => !isNaN(x));
        for (let k = 1; k < v.length; k++)
          if (way === 'ascending' ? v[k] < v[k - 1] : v[k] > v[k - 1]) return bad.push(`${h.textContent}: ${v}`);
      }
    });
    if (text().sort().join('\n') !== before) bad.push('rows were lost');
  }
  return bad;
})()
"""


class Browser:
    def __init__(self, home):
        to, self.out = os.pipe()
        self.into, back = os.pipe()

        def pipes():  # the browser reads from 3 and writes to 4
            a, b = os.dup(to), os.dup(back)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={home}", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to)
        os.close(back)
        self.number, self.rest, self.events = 0, b"", []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    session = None

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.into, 1 << 20)
            if not more:
                raise SystemExit("the browser has gone")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            got = self.read()
            if got.get("id") == self.number:
                if "error" in got:
                    raise SystemExit(f"{method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def until(self, method):
        while not any(e.get("method") == method for e in self.events):
            self.events.append(self.read())

    def open(self, url):
        self.events = []
        self.ask("Page.navigate", url=url)
        self.until("Page.loadEventFired")

    def look(self, width, scheme):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                 mobile=False)  # a mobile window grows with a page that is too wide
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def value(self, script):
        got = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in got:
            raise SystemExit(str(got["exceptionDetails"])[:400])
        return got["result"].get("value")

    def troubles(self):
        self.value("0")  # what came before it has come by now
        bad = []
        for e in self.events:
            p = e.get("params", {})
            if e.get("method") == "Runtime.exceptionThrown":
                bad.append("exception: " + p["exceptionDetails"].get("text", ""))
            elif e.get("method") == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
                bad.append("console: " + json.dumps(p["args"])[:200])
            elif e.get("method") == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
                bad.append("log: " + p["entry"]["text"][:200] + " " + p["entry"].get("url", ""))
        return bad


def click_all(b, page, folder):
    """Each address of the page once: within it the place must be there; beside it the file must open."""
    bad, here = [], True
    hrefs = b.value("[...new Set([...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')))]")
    hrefs.sort(key=lambda h: not h.startswith("#"))  # those that stay first
    for href in hrefs:
        if href.startswith(("http://", "https://")):
            continue  # sources; nothing is fetched
        name, _, place = href.partition("#")
        if name and not (folder / name).is_file():
            bad.append(f"'{href}' leads nowhere")
            continue
        if name and not name.endswith(".html"):
            continue
        if not here:
            b.open(page.as_uri())
        b.events = []
        b.value(f"document.querySelector('a[href={json.dumps(href)}]').click()")
        if name and name != page.name:
            b.until("Page.loadEventFired")
        at = b.value("location.pathname.split('/').pop() + location.hash")
        if at != (name or page.name) + ("#" + place if place else ""):
            bad.append(f"a click on '{href}' led to '{at}'")
        if place and not b.value(f"!!document.getElementById({json.dumps(place)})"):
            bad.append(f"'{href}' names no place")
        bad += b.troubles()
        here = not name or name == page.name
    return bad


def look_at(b, page, folder):
    b.look(*LOOKS_LIKE[0])
    b.open(page.as_uri())
    bad = b.troubles()
    if len(b.ask("Page.printToPDF", printBackground=True)["data"]) < 10000:
        bad.append("prints to nothing")
    b.value("document.querySelectorAll('details').forEach(d => { d.open = true })")
    bad += b.value(RULES)
    for width, scheme in LOOKS_LIKE:
        b.look(width, scheme)
        bad += [f"{width} px, {scheme}: {x}" for x in b.value(LOOKS)]
    return bad + b.value(SORTS) + b.troubles() + click_all(b, page, folder)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    if not shutil.which("chromium"):
        print("chromium")
        return 77
    bad = []
    with tempfile.TemporaryDirectory() as home:
        b = Browser(home)
        pages = sorted(folder.glob("*.html"))
        for page in pages:
            bad += [f"{page.name}: {x}" for x in look_at(b, page, folder)]
        b.process.terminate()
        b.process.wait()
    print("\n".join(bad[:40]) or f"{len(pages)} pages")
    return 1 if bad else 0


sys.exit(main())
