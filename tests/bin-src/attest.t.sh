# attest: a signature that others can check, and nothing changed under it.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
cd "$tmp" || exit 1
fake_results "$tmp/r"
if ! command -v openssl >/dev/null; then skip 'signatures' 'the package openssl is not installed'; end; fi
for k in a b; do openssl genpkey -algorithm ed25519 -out $k.pem 2>/dev/null; openssl pkey -in $k.pem -pubout -out $k.pub; done

t 'sums and a statement without a key'  0 '' attest r --out plain
is 'sha256sum agrees with every sum'    bash -c 'cd r && sha256sum --quiet -c ../plain/SHA256SUMS'
is 'on every file but logs'             test "$(wc -l <plain/SHA256SUMS)" = "$(find r -type f ! -name '*.log' | wc -l)"
is 'nothing is signed'                  test ! -e plain/statement.dsse.json
t 'with a key'                          0 '' attest r --key a.pem --out s
is 'the public key is the key'"'s"      cmp a.pub s/key.pub.pem
cat >pae.py <<'END'
import base64, hashlib, json
e = json.load(open('s/statement.dsse.json'))
body = base64.b64decode(e['payload'], validate=True)
assert e['payloadType'] == 'application/vnd.in-toto+json' and len(e['signatures']) == 1
assert body == open('s/statement.json', 'rb').read()
s = json.loads(body)
assert s['_type'] == 'https://in-toto.io/Statement/v1' and s['predicateType'] == 'https://slsa.dev/provenance/v1'
for x in s['subject']:
    assert hashlib.sha256(open('r/' + x['name'], 'rb').read()).hexdigest() == x['digest']['sha256']
b = s['predicate']['buildDefinition']
assert b['externalParameters']['pretrain'] == ['--steps 7 --seed 1']
assert [d['uri'] for d in b['resolvedDependencies']] == ['https://example.org/lung.csv.gz', 'https://example.org/sim.csv']
t = e['payloadType'].encode()
open('pae', 'wb').write(b'DSSEv1 %d %s %d %s' % (len(t), t, len(body), body))
open('sig', 'wb').write(base64.b64decode(e['signatures'][0]['sig']))
END
is 'envelope and statement are as the standards have them' python3 pae.py
is 'OpenSSL finds the signature right'  openssl pkeyutl -verify -pubin -inkey a.pub -rawin -in pae -sigfile sig
t 'the same again'                      0 '' attest r --key a.pem --out s2
is 'gives the same bytes'               diff -r s s2
cp -r r moved
t 'the folder, elsewhere'               0 'the signature is right' attest moved --verify s --pub a.pub
t 'by another key'                      4 'no signature' attest r --verify s --pub b.pub
change_byte moved/annotate/metrics.tsv; : >moved/annotate/more.tsv; rm moved/report/numbers.tex
t 'one byte, one file more, one less'   4 'not what was signed: 3 of' attest moved --verify s --pub a.pub
printf 'changed\tannotate/metrics.tsv\nextra\tannotate/more.tsv\nmissing\treport/numbers.tex\n' >want
is 'each has its name'                  diff want <(LC_ALL=C sort "$tmp/.stdout")
t 'a folder with a fault'               4 'is not signed' attest moved --key a.pem --out no
is 'gets no files'                      test ! -e no

# A chain that was forged from end to end has no fault; the signature tells.
rm -rf moved && cp -r r moved && sed -i 's/	accuracy	0.5/	accuracy	0.9/' moved/annotate/metrics.tsv
cp -r r.source moved.source
fake_close "$tmp/moved" annotate moved/pretrain/MANIFEST.tsv moved/import/lung/MANIFEST.tsv
fake_close "$tmp/moved" report moved/annotate/MANIFEST.tsv moved/fetch/MANIFEST.tsv moved.source/paper/report.css
is 'a forged chain has no fault'        audit moved --level 0
t 'but another signature'               4 'not what was signed' attest moved --verify s --pub a.pub
t 'the forger may sign it'              0 '' attest moved --key b.pem --out forged
t 'with another key'                    4 'no signature' attest moved --verify forged --pub a.pub

bad() { # sentence status pattern sed-script
	rm -rf x && cp -r s x && sed -i "$4" x/statement.dsse.json
	t "$1" "$2" "$3" attest r --verify x --pub a.pub
}
bad 'another letter in the payload'     4 'no signature'      's/\("payload": ".\{100\}\)./\1_/;s/_/A/;s/\("payload": ".\{104\}\)A/\1B/'
bad 'another letter in the signature'   4 'no signature'      's/\("sig": "\)../\1AA/'
bad 'another type'                      3 'no DSSE envelope'  's/in-toto/other/'
bad 'a payload that is no base64'       3 'no base64'         's/"payload": "./"payload": "_/'
bad 'no JSON'                           3 'no DSSE envelope'  's/{/[/'
t 'no envelope'                         3 'statement.dsse.json' attest r --verify plain --pub a.pub
t 'a private key where a public is wanted' 3 'no public Ed25519' attest r --verify s --pub a.pem
t 'no key'                              3 'cannot open key'   attest r --key none.pem --out y
openssl genpkey -algorithm x25519 -out c.pem 2>/dev/null
t 'a key of another kind'               3 'no private Ed25519' attest r --key c.pem --out y
# What JSON cannot hold is named; it was left out of the statement, or told as too little memory.
again() { # stages... of u, what they read as it lies there now
	local s
	for s; do case $s in
		fetch) fake_close "$tmp/u" fetch u.source/manifests/inputs/fake.tsv u/simulate/MANIFEST.tsv ;;
		import/*) fake_close "$tmp/u" "$s" u/fetch/MANIFEST.tsv ;;
		tokenize) fake_close "$tmp/u" tokenize u/import/lung/MANIFEST.tsv u/import/gone/MANIFEST.tsv ;;
		pretrain) fake_close "$tmp/u" pretrain u/tokenize/MANIFEST.tsv ;;
		annotate) fake_close "$tmp/u" annotate u/pretrain/MANIFEST.tsv u/import/lung/MANIFEST.tsv ;;
		report) fake_close "$tmp/u" report u/annotate/MANIFEST.tsv u/fetch/MANIFEST.tsv u.source/paper/report.css ;;
	esac; done
}
rm -rf u.source && cp -r r.source u.source
rm -rf u && cp -r r u && printf -- '--note caf\xe9\n' >u/tokenize/params && again tokenize pretrain annotate report
t 'a parameter that is no UTF-8'        3 "stage 'tokenize': MANIFEST.tsv: line 4: '--note caf[?]' is no UTF-8" attest u --out y
is 'is not signed'                      test ! -e y
rm -rf u && cp -r r u && : >u/report/$'caf\xe9' && again report
t 'a file that is no UTF-8'             3 "stage 'report': MANIFEST.tsv: line [0-9]*: 'caf[?]' is no UTF-8" attest u --out y
rm -rf u && cp -r r u && mkdir u/report/$'caf\xe9' && : >u/report/$'caf\xe9'/params
t 'a folder of what no manifest names'  3 "the name of a file: 'report/caf[?]/params' is no UTF-8" attest u --out y
rm -rf u && cp -r r u && sed -i $'2s/MIT/caf\xe9/' u/fetch/inputs.tsv && again fetch import/lung import/gone tokenize pretrain annotate report
t 'a raw input that is no UTF-8'        3 "inputs.tsv': line 2: 'caf[?]' is no UTF-8" attest u --out y
t '--verify without --pub'              2 'goes with'         attest r --verify s
t 'no --out'                            2 ''                  attest r
end
