"""crate-check.py RESULTS [WHAT...]: what `crate` wrote, by the standards' own validators and by its sources.

WHAT is some of ro-crate, readme, broken (parts of that are taken away, one at a time), croissant, bom, cards; all but broken
without. Names on stdout what is wrong and ends with status
1; with status 77 where this Python lacks a package. Nothing is fetched."""
import csv
import hashlib
import json
import pathlib
import re
import shutil
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

PROFILE = 'provenance-run-crate'  # which has those of Workflow Run, Process Run and Workflow RO-Crate in it
# What is RECOMMENDED and not there, each with its reason in docs/audit.md.
LEFT = {
    'Action agent', 'Action endTime', 'Application url', 'Organization: RECOMMENDED url property',
    'Root Data Entity: `publisher` property', 'SoftwareApplication id',
    'Web-based Data Entity: `sdDatePublished` property', 'Web-based Data Entity: resource availability',
}


def validate(folder):
    """{check: [(severity, sentence)]} of what the validator has to say about a crate; nothing is fetched."""
    import requests
    import rocrate
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester
    context = (pathlib.Path(rocrate.__file__).parent / 'data/ro-crate.jsonld').read_bytes()
    # Shapes look for the names of this version; others are not found, and then nothing is wrong.
    if b'"https://bioschemas.org/ComputationalWorkflow"' not in context:
        raise ModuleNotFoundError('rocrate with the context of RO-Crate 1.1')

    def get(_self, url, **_words):
        r = requests.Response()
        r.url = url
        known = url == 'https://w3id.org/ro/crate/1.1/context'
        r.status_code, r._content = (200, context) if known else (404, b'')
        r.headers['Content-Type'] = 'application/ld+json'
        return r

    HttpRequester.get = get
    issues = {}
    with tempfile.TemporaryDirectory() as cache:
        found = services.validate(services.ValidationSettings(
            rocrate_uri=str(folder), profile_identifier=PROFILE, requirement_severity=models.Severity.RECOMMENDED,
            offline=True, cache_path=pathlib.Path(cache) / 'http'))
    for i in found.get_issues():
        issues.setdefault(i.check.name, []).append((i.severity.name, f'{i.message} {i.violatingEntity or ""}'))
    return issues


def links(x, key):
    v = x.get(key, [])
    return {i['@id'] for i in (v if isinstance(v, list) else [v])}


def text(x):
    return urllib.parse.quote(x, safe='-._~/')


def kinds(x):
    return {x['@type']} if isinstance(x['@type'], str) else set(x['@type'])


def given(values):
    """The words of a manifest's row, from the PropertyValues that it was cut into."""
    words = []
    for v in values:
        name, value = v['name'], v['value']
        if value is True:
            words.append(name)
        elif name == 'settings':
            words.append(value)
        else:
            words.append(name + (' ' if name.startswith('--') or name.endswith(':') else '=') + value)
    return ' '.join(words)


def ro_crate():
    for check, found in validate(root).items():
        for severity, sentence in found:
            if check not in LEFT or severity != 'RECOMMENDED':
                say(f'ro-crate: {severity} {check}: {sentence}')

    graph = json.loads((root / 'ro-crate-metadata.json').read_text())['@graph']
    entity = {x['@id']: x for x in graph}
    if len(entity) != len(graph):
        say('ro-crate: an id stands twice')
    for x in graph:
        for key, value in x.items():
            for v in value if isinstance(value, list) else [value]:
                if isinstance(v, dict) and v['@id'] not in entity and not v['@id'].startswith('https://'):
                    say(f'ro-crate: {x["@id"]} names {v["@id"]}, which is not there')
        if 'File' not in kinds(x) or '://' in x['@id']:
            continue
        path = root / urllib.parse.unquote(x['@id'])
        if not path.is_file() or sha256(path) != x['sha256'] or path.stat().st_size != int(x['contentSize']):
            say(f'ro-crate: {x["@id"]} is not as it says')
    workflow = entity[entity['./']['mainEntity']['@id']]

    stages = [m for m in root.rglob('MANIFEST.tsv') if m.parent != crate]
    place = {}
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
        step, control = entity[f'#step/{text(stage)}'], entity[f'#control/{text(stage)}']
        if step['@id'] not in links(workflow, 'step') or links(step, 'workExample') != {tool['@id']} or \
                links(control, 'instrument') != {step['@id']} or links(control, 'object') != {action['@id']}:
            say(f'ro-crate: stage {stage} is no step of the workflow')
        place[stage] = int(step['position'])
        values = sorted((x for x in (entity[o] for o in objects) if x['@type'] == 'PropertyValue'),
                        key=lambda x: int(x['@id'].rsplit('/', 1)[1]))
        told = []
        for kind, name, _, total in rows_of(m)[1:]:
            name = unescape(name)
            if kind == 'output':
                out = text(f'{stage}/{name}')
                if out not in results or entity[out]['sha256'] != total or \
                        f'{tool["@id"]}/writes' not in links(entity[out], 'exampleOfWork'):
                    say(f'ro-crate: {stage}/{name} is no result of its stage')
            elif kind == 'input':
                if not ({text(name), f'crate/workflow/{text(name)}', '#source/' + text(name)} & objects):
                    say(f'ro-crate: {name} is no object of {stage}')
            elif kind == 'param':
                told.append(name)
        if given(values) != ' '.join(told):
            say(f'ro-crate: {stage} was told {told}, not {given(values)}')
        for v in values:
            formal = [entity[i] for i in sorted(links(v, 'exampleOfWork'))]
            if [f['@type'] for f in formal] != ['FormalParameter'] * 2 or \
                    not links(tool, 'input') & links(v, 'exampleOfWork') & {f['@id'] for f in formal} or \
                    not links(workflow, 'input') & links(v, 'exampleOfWork'):
                say(f'ro-crate: {v["@id"]} is no example of parameters of its program and of the workflow')
    for m in stages:
        stage = m.parent.relative_to(root).as_posix()
        for kind, name, *_ in rows_of(m)[1:]:
            read = name[:-len('/MANIFEST.tsv')] if kind == 'input' and name.endswith('/MANIFEST.tsv') else None
            if read in place and not place[read] < place[stage]:
                say(f'ro-crate: step {stage} stands before {read}, which it reads')
    if len(stages) < 5:
        say('ro-crate: nearly no stage was looked at')
    for path, _, total, *rest in rows_of(root / 'fetch/inputs.tsv')[1:] if (root / 'fetch/inputs.tsv').exists() else []:
        have = [x for x in graph if x.get('name') == path and x.get('sha256') == total and 'isBasedOn' in x]
        if rest[1] == 'have' and [entity[x['license']['@id']]['name'] for x in have] != [rest[2]]:
            say(f'ro-crate: {path} does not have the licence {rest[2]}')


# What a crate of this profile must or should have: it is taken away, and the validator has to say so. All at once,
# since a run takes seconds; what hides the rest comes in a round of its own.
def broken():
    graph = json.loads((root / 'ro-crate-metadata.json').read_text())

    def of(j, kind, n=0):
        return [x for x in j['@graph'] if kind in kinds(x)][n]

    def without(kind, key, n=0):
        return lambda j: of(j, kind, n).pop(key)

    def profile(j):
        of(j, 'Dataset')['conformsTo'] = [x for x in of(j, 'Dataset')['conformsTo'] if 'provenance' not in x['@id']]

    def run(j):
        j['@graph'].remove(next(x for x in j['@graph'] if x['@id'] == '#run'))

    rounds = [[
        ('the result of an action', without('CreateAction', 'result', 1), 'Action SHOULD have a result'),
        ('its instrument', without('CreateAction', 'instrument', 2), 'Action MUST have an instrument'),
        ('its description', without('CreateAction', 'description', 3), 'Action SHOULD have a description'),
        ('the profile', profile, 'Provenance Run Crate profile'),
        ('the language', without('ComputationalWorkflow', 'programmingLanguage'), 'must refer to its language'),
        ('its programs', without('ComputationalWorkflow', 'hasPart'), 'MUST refer to orchestrated tools'),
        ('a step', lambda j: of(j, 'ComputationalWorkflow')['step'].pop(), 'referred to from a ComputationalWorkflow'),
        ('how it goes', lambda j: of(j, 'HowTo')['@type'].remove('HowTo'), 'MUST have the HowTo type'),
        ('the program of a step', without('HowToStep', 'workExample'), 'must refer to its corresponding tool'),
        ('the action of a step', without('ControlAction', 'object'), 'must reference the action representing'),
        ('what make ran', without('OrganizeAction', 'result'), 'representing the workflow run via result'),
        ('the type of a parameter', without('FormalParameter', 'additionalType'), 'MUST have an additionalType'),
        ('the format of a file', without('File', 'encodingFormat', 1), 'Missing or invalid `encodingFormat`'),
        ('a file', lambda j: (copy / 'crate/build.tsv').unlink(), "does not include the Data Entity 'crate/build.tsv'"),
    ], [
        ('the run', run, 'mainEntity as its instrument'),
    ], [
        ('the main entity', without('Dataset', 'mainEntity'), 'Main Workflow must be specified'),
    ]]
    with tempfile.TemporaryDirectory() as tmp:
        copy = pathlib.Path(tmp) / 'r'
        shutil.copytree(root, copy)
        for cases in rounds:
            j = json.loads(json.dumps(graph))
            for _, change, _ in cases:
                change(j)
            (copy / 'ro-crate-metadata.json').write_text(json.dumps(j))
            found = [sentence for issues in validate(copy).values() for _, sentence in issues]
            for what, _, words in cases:
                if not any(words in sentence for sentence in found):
                    say(f'ro-crate without {what}: the validator says nothing about it')


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
            if n != len(rows_of(table)) - 1 if table.exists() else n == 0:
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
    for kind in 'compiler', 'engine', 'library', 'program', 'source', 'archive':
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


# --- README.md ------------------------------------------------------------------------------------

def readme():
    have = {}
    for m in root.rglob('MANIFEST.tsv'):
        if m.parent != crate:
            out = [int(r[2]) for r in rows_of(m)[1:] if r[0] == 'output']
            n = have.setdefault(m.relative_to(root).parts[0], [0, 0, 0])
            have[m.relative_to(root).parts[0]] = [n[0] + 1, n[1] + len(out), n[2] + sum(out)]
    said = {}
    for line in (root / 'README.md').read_text().splitlines():
        if found := re.fullmatch(r'- `(.*)`: (\d+) stages?, (\d+) files?, (\d+) bytes', line):
            said[found[1]] = [int(x) for x in found.groups()[1:]]
        for path in re.findall(r'`([\w./-]+/[\w.-]+\.\w+)`', line):
            if not (root / path).is_file():
                say(f'README.md: no {path}')
    if said != have:
        say(f'README.md: {said}, not {have}')


checks = {'ro-crate': ro_crate, 'readme': readme, 'croissant': croissant, 'bom': bom, 'cards': cards, 'broken': broken}
try:
    for what in sys.argv[2:] or [c for c in checks if c != 'broken']:
        checks[what]()
except ModuleNotFoundError as why:
    print(why)
    sys.exit(77)
print('\n'.join(wrong[:20]))
sys.exit(bool(wrong))
