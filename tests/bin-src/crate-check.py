"""crate-check.py RESULTS [WHAT...]: what `crate` wrote, by the standards' own validators and by its sources.

WHAT is some of ro-crate, croissant, bom, cards; all without. Names on stdout what is wrong and ends with status
1; with status 77 where this Python lacks a package. Nothing is fetched."""
import csv
import hashlib
import json
import pathlib
import re
import sys
import tempfile
import urllib.parse

root = pathlib.Path(sys.argv[1])
crate = root / 'crate'
wrong = []


def say(text):
    wrong.append(text)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def rows_of(path):
    with open(path, newline='', encoding='utf-8') as f:
        return list(csv.reader(f, delimiter='\t', quoting=csv.QUOTE_NONE))


def unescape(name):
    return re.sub(r'\\(.)', lambda m: {'t': '\t', 'n': '\n', 'r': '\r'}.get(m[1], m[1]), name)


# --- RO-Crate -------------------------------------------------------------------------------------

def ro_crate():
    import requests
    import rocrate
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester
    context = (pathlib.Path(rocrate.__file__).parent / 'data/ro-crate.jsonld').read_bytes()

    def get(_self, url, **_words):
        r = requests.Response()
        r.url = url
        known = url.startswith('https://w3id.org/ro/crate/')
        r.status_code, r._content = (200, context) if known else (404, b'')
        r.headers['Content-Type'] = 'application/ld+json'
        return r

    HttpRequester.get = get
    with tempfile.TemporaryDirectory() as cache:
        found = services.validate(services.ValidationSettings(
            rocrate_uri=str(root), profile_identifier='process-run-crate',
            requirement_severity=models.Severity.REQUIRED, offline=True, cache_path=pathlib.Path(cache)))
    for i in found.get_issues():
        say(f'ro-crate: {i.check.identifier} {i.message}')

    graph = json.loads((root / 'ro-crate-metadata.json').read_text())['@graph']
    entity = {x['@id']: x for x in graph}
    if len(entity) != len(graph):
        say('ro-crate: an id stands twice')
    for x in graph:
        if x['@type'] != 'File' or '://' in x['@id']:
            continue
        path = root / urllib.parse.unquote(x['@id'])
        if not path.is_file() or sha256(path) != x['sha256'] or path.stat().st_size != int(x['contentSize']):
            say(f'ro-crate: {x["@id"]} is not as it says')

    def links(x, key):
        v = x.get(key, [])
        return {i['@id'] for i in (v if isinstance(v, list) else [v])}

    def text(x):
        return urllib.parse.quote(x, safe='-._~/')

    stages = [m for m in root.rglob('MANIFEST.tsv') if m.parent != crate]
    for m in stages:
        stage = m.parent.relative_to(root).as_posix()
        action = entity.get(f'#action/{text(stage)}')
        if not action or action['@type'] != 'CreateAction':
            say(f'ro-crate: no action of stage {stage}')
            continue
        tool = entity[action['instrument']['@id']]
        if not re.fullmatch('[0-9a-f]{64}', tool['sha256']) or not tool['softwareVersion']:
            say(f'ro-crate: stage {stage} was made by a tool without version or sum')
        log = m.parent / 'time.log'
        if log.exists() and tool['name'] != 'GNUmakefile':
            names = {line.split('\t')[0].split()[0] for line in log.read_text().splitlines() if '\t' in line}
            if names and tool['name'] not in names:
                say(f'ro-crate: stage {stage} was made by {names}, not by {tool["name"]}')
        results, objects = links(action, 'result'), links(action, 'object')
        told = {entity[o]['value'] for o in objects if entity[o]['@type'] == 'PropertyValue'}
        for kind, name, _, total in rows_of(m)[1:]:
            name = unescape(name)
            if kind == 'output':
                out = text(f'{stage}/{name}')
                if out not in results or entity[out]['sha256'] != total:
                    say(f'ro-crate: {stage}/{name} is no result of its stage')
            elif kind == 'input':
                if not ({text(name), '#source/' + text(name)} & objects):
                    say(f'ro-crate: {name} is no object of {stage}')
            elif kind == 'param' and name not in told:
                say(f'ro-crate: {stage} was not told {name}')
    if len(stages) < 5:
        say('ro-crate: nearly no stage was looked at')


# --- Croissant ------------------------------------------------------------------------------------

def croissant():
    import mlcroissant
    for name, least in ('croissant.json', 1), ('croissant-benchmarks.json', 2):
        path = crate / name
        data = mlcroissant.Dataset(str(path))
        issues = data.metadata.ctx.issues
        for text in list(issues.errors) + list(issues.warnings):
            say(f'{name}: {text}')
        for f in json.loads(path.read_text())['distribution']:
            at = path.parent / urllib.parse.unquote(f['contentUrl'])
            if sha256(at) != f['sha256'] or f['contentSize'] != f'{at.stat().st_size} B':
                say(f'{name}: {f["name"]} is not as it says')
        sets = data.metadata.record_sets
        if len(sets) < least:
            say(f'{name}: {len(sets)} record sets')
        for s in sets:
            n = sum(1 for _ in data.records(s.id))
            table = root / f'{s.id}.tsv'
            if n == 0 or (table.exists() and n != len(rows_of(table)) - 1):
                say(f'{name}: {n} records of {s.id}')


# --- CycloneDX ------------------------------------------------------------------------------------

def bom():
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    text = (crate / 'bom.cdx.json').read_text()
    trouble = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if trouble:
        say(f'bom: {trouble}')
    j = json.loads(text)
    have = {c['bom-ref']: c for c in j['components'] + j['metadata']['tools']['components']}
    facts = rows_of(crate / 'build.tsv')[1:]
    for kind, name, version, total, detail in facts:
        if kind == 'needs':
            if not any(d['ref'] == f'program:{name}' and f'library:{detail}' in d['dependsOn'] and
                       f'library:{detail}' in have for d in j['dependencies']):
                say(f'bom: {name} without {detail}')
        elif kind != 'date':
            c = have.get(f'{kind}:{name}', {})
            if c.get('hashes') != [{'alg': 'SHA-256', 'content': total}] or c.get('version', '-') != version:
                say(f'bom: {kind} {name} is not as the build says')
    for kind in 'compiler', 'library', 'program', 'source', 'archive':
        if kind not in {f[0] for f in facts}:
            say(f'bom: no {kind}')


# --- cards ----------------------------------------------------------------------------------------

def same(shown, value):
    if isinstance(value, bool):
        return shown == str(value).lower()
    if isinstance(value, float):
        return abs(float(shown) - value) <= 1e-8 * abs(value)
    return shown == (re.sub(r'[\t\r\n]', ' ', value) or '-' if isinstance(value, str) else str(value))


def look_up(file, line, key):
    """A value of JSON, or of a line of it."""
    text = (root / file).read_text()
    value = json.loads(text.splitlines()[line - 1] if line else text)
    for part in key.split('.'):
        value = value[part]
    return value


def row_is(head, cells, where):
    m = re.fullmatch(r'(.+?)(?::(\d+))?(?:(?:: | )([^:\s][^:]*))?', where)
    file, line, key = m[1], int(m[2] or 0), m[3]
    if key:
        return same(cells[1], look_up(file, line, key))
    table = rows_of(root / file)
    if file.endswith('MANIFEST.tsv'):
        table = [[unescape(f) for f in r] for r in table]
    got = dict(zip(table[0], table[line - 1]))
    return all(same(c, got[h]) for h, c in zip(head, cells))


def cards():
    n = 0
    for name in 'model-card.md', 'data-sheet.md':
        head = None
        for line in (crate / name).read_text().splitlines():
            if not line.startswith('|'):
                head = None
                if re.search(r'\d', line):
                    say(f'{name}: a typed number: {line}')
                continue
            cells = [re.sub(r'\\(.)', r'\1', c.strip()) for c in re.split(r'(?<!\\)\|', line)[1:-1]]
            if head is None:
                head = cells
            elif not line.startswith('|---'):
                n += 1
                try:
                    good = head[-1] == 'from' and row_is(head[:-1], cells[:-1], cells[-1])
                except (KeyError, IndexError, ValueError, TypeError, OSError) as why:
                    good = False
                    say(f'{name}: {why!r}')
                if not good:
                    say(f'{name}: not as in its source: {line}')
    if n < 10:
        say(f'cards: {n} rows')


checks = {'ro-crate': ro_crate, 'croissant': croissant, 'bom': bom, 'cards': cards}
try:
    for what in sys.argv[2:] or checks:
        checks[what]()
except ModuleNotFoundError as why:
    print(why)
    sys.exit(77)
print('\n'.join(wrong[:20]))
sys.exit(bool(wrong))
