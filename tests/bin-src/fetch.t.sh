# fetch: against a server on this machine that has the faults of the world (tests/fetch-server.py).
. "$SRC/tests/tool.sh"
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
export PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_DEFAULT_TIMEOUT=2
unset PIP_FIND_LINKS PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_RETRIES
cd "$tmp" || exit 1
if ! python3 -c 'import http.server, ssl, zipfile' 2>/dev/null; then
	skip 'fetch' 'no python3 for the server'
	end
fi

# --- the world: files, a server, a port that is silent, one that refuses ----------------------
mkdir srv
seq 50000 >srv/big
printf 'small\n' >srv/small
printf 'Häßlich, mit Leerzeichen\n' >'srv/über uns.txt'
: >srv/empty
head -c 2000000 /dev/urandom >srv/two
sum() { sha256sum <"$1" | cut -c1-64; }
size() { stat -c %s "$1"; }
n_big=$(size srv/big)

children=
python3 "$SRC/tests/fetch-server.py" srv port log & children="$children $!"
# Listens and never accepts; the refused port was free a moment ago.
python3 -c '
import os, socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(64)
f = socket.socket(); f.bind(("127.0.0.1", 0)); free = f.getsockname()[1]; f.close()
open("silent.part", "w").write("%d %d" % (s.getsockname()[1], free)); os.rename("silent.part", "silent")
p = os.getppid()
while os.getppid() == p: time.sleep(1)' & children="$children $!"
stop_children() {
	# shellcheck disable=SC2086  # a list of process ids
	kill $children 2>/dev/null
	wait 2>/dev/null
	if mountpoint -q "$tmp/full" 2>/dev/null; then umount "$tmp/full"; fi
	rm -rf "$tmp"
}
trap stop_children EXIT
for _ in $(seq 100); do [ -s port ] && [ -s silent ] && break; sleep 0.1; done
read -r silent refused <silent
web=http://127.0.0.1:$(cat port)

head_line='path	bytes	sha256	need	licence	sources	note'
# m FILE PATH CONTENT NEED SOURCES...: adds a row to the manifest FILE
m() {
	local file=$1 path=$2 content=$3 need=$4
	shift 4
	[ -s "$file" ] || echo "$head_line" >"$file"
	printf '%s\t%s\t%s\t%s\tCC0\t%s\t-\n' "$path" "$(size "$content")" "$(sum "$content")" "$need" \
		"${*:--}" >>"$file"
}
# got CACHE PATH CONTENT: the view leads to the right bytes, and nothing is left in part/
got() { cmp "$1/view/$2" "$3" && [ -z "$(ls -A "$1/part")" ]; }
fast() { fetch --quiet --wait 1 "$@"; }
asked() { grep -c "GET $1 " log; }

# --- as it should be -----------------------------------------------------------------------
m one.tsv d/big.txt srv/big required "$web/ok/big"
t 'fetches a file'                      0 '1 new' fetch one.tsv --cache c1 --out o1.tsv --report r1.json
is 'into the view'                      got c1 d/big.txt srv/big
is 'as a relative link'                 bash -c "readlink c1/view/d/big.txt | grep -q '^\.\./\.\./sha256/'"
is 'read-only in the cache'             test "$(stat -L -c %a c1/view/d/big.txt)" = 444
printf 'path\tbytes\tsha256\tneed\tstatus\tlicence\tsource\nd/big.txt\t%s\t%s\trequired\thave\tCC0\t%s\n' \
	"$(size srv/big)" "$(sum srv/big)" "$web/ok/big" >want
is 'with a table'                       cmp want o1.tsv
is 'and a report'                       python3 -c 'import json; r = json.load(open("r1.json"))
assert r["n_new"] == 1 and r["network_bytes"] == '"$(size srv/big)"
t 'a second run asks nobody'            0 '0 new' fetch one.tsv --cache c1 --out o2.tsv
is 'one request in all'                 test "$(asked /ok/big)" = 1
is 'the same table'                     cmp o1.tsv o2.tsv
mv c1 moved
t 'a cache may be moved'                0 '0 new' fetch one.tsv --cache moved
rm moved/view/d/big.txt
t 'a lost link is made again'           0 '0 new' fetch one.tsv --cache moved
is 'without asking'                     got moved d/big.txt srv/big
chmod u+w moved/sha256/*/*; printf 'X' | dd of="$(echo moved/sha256/*/*)" conv=notrunc status=none
t 'a changed object passes by size'     0 '0 new' fetch one.tsv --cache moved
t 'and is found by --verify'            0 'changed in the cache' fetch one.tsv --cache moved --verify
is 'and fetched anew'                   got moved d/big.txt srv/big

m names.tsv 'a b/über uns.txt' 'srv/über uns.txt' required "$web/ok/%C3%BCber%20uns.txt"
m names.tsv empty.txt srv/empty required "$web/ok/empty"
m names.tsv same.txt srv/small required "$web/ok/small"
m names.tsv again/same.txt srv/small required "$web/ok/small"
t 'blanks, umlauts, nothing, doubles'   0 '4 inputs' fetch names.tsv --cache c2
is 'a name with blanks'                 got c2 'a b/über uns.txt' 'srv/über uns.txt'
is 'an empty file'                      got c2 empty.txt srv/empty
is 'two names of one content'           got c2 again/same.txt srv/small
is 'were asked for once'                test "$(asked /ok/small)" = 1
t '--only takes what matches'           0 '1 inputs' fetch names.tsv --cache c3 --only 'again/*'
t '--only that matches nothing'         2 'no input matches' fetch names.tsv --cache c3 --only 'x*'

# --- faults that another attempt mends -----------------------------------------------------
for fault in cut norange s503 s429 open to stall; do
	m "f-$fault.tsv" x srv/big required "$web/$fault/big"
	t "mends: $fault"                   0 '' fast "f-$fault.tsv" --cache "c-$fault"
	is "right bytes: $fault"            got "c-$fault" x srv/big
done
is 'a cut download goes on with a range' grep -q 'GET /cut/big bytes=1' log
is 'so does a stalled one'              grep -q 'GET /stall/big bytes=1' log

# --- faults that nothing mends -------------------------------------------------------------
while read -r fault words; do
	m "b-$fault.tsv" x srv/big required "$web/$fault/big"
	t "refuses: $fault"                 3 "$words" fast "b-$fault.tsv" --cache "b-$fault" --tries 2 --out none.tsv
	is "nothing enters: $fault"         test -z "$(find "b-$fault" -path '*sha256*' -type f; find "b-$fault/view" 2>/dev/null)"
done <<END
s404 status 404
s403 status 403
s500 status 500
wrong wrong bytes: SHA-256
short has $((n_big - 1)) bytes, not $n_big
lie has $((n_big + 1)) bytes, not $n_big
long more than $n_big bytes
cutall broke off
tofile (disabled|not supported|unsupported|Protocol)
page 3 bytes, not
END
is 'no table without the required'      test ! -e none.tsv
for fault in s404 wrong short long; do
	m "n-$fault.tsv" x srv/big required "$web/$fault/big" "$web/ok/big"
	t "the next source after: $fault"   0 '' fast "n-$fault.tsv" --cache "n-$fault"
	is "has the right bytes: $fault"    got "n-$fault" x srv/big
done
m opt.tsv here srv/small required "$web/ok/small"
m opt.tsv gone srv/big optional "$web/s404/big"
m opt.tsv nowhere srv/two optional
t 'optional ones are left out'          0 'left out: .*status 404' fetch opt.tsv --cache c4 --out o4.tsv
cp .stderr err
is 'with their reason'                  grep -q 'no source but a mirror' err
is 'and name'                           grep -q ' nowhere$' err
is 'in the table'                       test "$(cut -f1,5 o4.tsv | tr '\t\n' ': ')" = 'path:status gone:left-out here:have nowhere:left-out '

# --- bytes of earlier runs -----------------------------------------------------------------
m res.tsv x srv/big required "$web/ok/big"
part=$(sum srv/big).part
mkdir -p c5/part c6/part c7/part
head -c 100000 srv/big >"c5/part/$part"
t 'goes on where a run was killed'      0 '' fetch res.tsv --cache c5
is 'with the right bytes'               got c5 x srv/big
is 'and a range'                        grep -q 'GET /ok/big bytes=100000-' log
head -c 100000 srv/two >"c6/part/$part"
t 'a part of other bytes'               0 '' fetch res.tsv --cache c6
is 'is thrown away'                     got c6 x srv/big
cat srv/big srv/big >"c7/part/$part"
t 'so is one that is too long'          0 '' fetch res.tsv --cache c7
is 'and the file is right'              got c7 x srv/big
m shift.tsv x srv/big required "$web/shift/big"
mkdir -p c71/part; head -c 1000 srv/big >"c71/part/$part"
t 'a server that sends another range'   0 '' fast shift.tsv --cache c71
is 'is asked for all'                   got c71 x srv/big
m drip.tsv x srv/two required "$web/drip/two"
fetch drip.tsv --cache c8 2>killed & pid=$!
sleep 0.6; kill -INT $pid; wait $pid; status=$?
is 'an interrupt ends with 1'           test $status = 1
is 'and says so'                        grep -q 'interrupted' killed
is 'what has come is kept'              test "$(size c8/part/*.part)" -gt 10000
fetch drip.tsv --cache c8 2>killed & pid=$!
sleep 0.5; kill -KILL $pid; wait $pid 2>/dev/null
before=$(size c8/part/*.part)
t 'after a kill as well'                0 '' fast drip.tsv --cache c8
is 'the right bytes'                    got c8 x srv/two
is 'from where it was'                  grep -q "GET /drip/two bytes=$before-" log

# --- two runs at once ----------------------------------------------------------------------
: >log
for i in 1 2 3; do
	cp srv/two "srv/two$i"; printf '%s' "$i" >>"srv/two$i"
	m both.tsv "x$i" "srv/two$i" required "$web/drip/two$i"
done
fetch both.tsv --cache c9 2>run1 & a=$!
fetch both.tsv --cache c9 2>run2 & b=$!
wait $a; ra=$?; wait $b; rb=$?
is 'two runs at once both end well'     test "$ra$rb" = 00
is 'with one right file'                got c9 x2 srv/two2
is 'each file came once'                test "$(grep -c GET log)" = 3

# --- hosts that do not answer --------------------------------------------------------------
for i in $(seq 12); do
	m silent.tsv "s$i" srv/big optional "http://127.0.0.1:$silent/f$i"
	m refused.tsv "s$i" srv/big optional "http://127.0.0.1:$refused/f$i"
	m hang.tsv "s$i" srv/big optional "$web/hang/f$i"
done
start=$(date +%s%N)
t 'a silent host is given up'           0 'did not answer within 1 s' fetch silent.tsv --cache c10 --wait 1
ms=$((($(date +%s%N) - start) / 1000000))
is "once for all files ($ms ms)"        test $ms -lt 4000
start=$(date +%s%N)
t 'one that refuses too'                0 'cannot be reached' fetch refused.tsv --cache c10
ms=$((($(date +%s%N) - start) / 1000000))
is "at once ($ms ms)"                   test $ms -lt 2000
is 'nothing is left in the cache'       test -z "$(find c10 -type f)"
t 'so is one that only listens'         0 'did not answer within 1 s' fetch hang.tsv --cache c10 --wait 1
m some.tsv a srv/small required "$web/ok/small"
m some.tsv b srv/big optional "$web/hang/b"
m some.tsv c srv/two required "$web/s503/two"
t 'one bad page of a good host'         0 '2 inputs' fetch some.tsv --cache c70 --wait 1 --tries 3
is 'costs only itself'                  got c70 c srv/two
m mixed.tsv a srv/small required "http://127.0.0.1:$silent/a" "$web/ok/small"
t 'another source stands in'            0 '1 new' fetch mixed.tsv --cache c11 --wait 1
m name.tsv a srv/small required "http://no-such-host.invalid/a" "pip:no-such-thing==1.0!a"
t 'no network: what is missing'         3 "1 of 1 required inputs missing: 'a'" fetch name.tsv --cache c12 --wait 2
cp .stderr err
is 'what was tried'                     bash -c "grep -q 'no-such-host.invalid' err && grep -q 'pip: ' err"
is 'and what to do'                     bash -c "grep -q 'MIRROR=DIR' err && grep -q 'pip or the network' err"

# --- mirrors and file: sources -------------------------------------------------------------
mkdir -p 'mir ror/d' 'mir ror/a b'
cp srv/big 'mir ror/d/big.txt'; cp 'srv/über uns.txt' 'mir ror/a b/'
chmod -R a-w 'mir ror'; before=$(find 'mir ror' -printf '%p %s %T@ %m\n' | sort)
: >log
t 'a mirror comes first'                0 '2 new, 0.0 MB' fetch one.tsv names.tsv --only '*b*' --cache c13 --mirror 'mir ror'
is 'and nobody is asked'                test ! -s log
is 'the bytes are a copy'               test "$(stat -c %h 'mir ror/d/big.txt')" = 1
is 'the mirror is untouched'            test "$before" = "$(find 'mir ror' -printf '%p %s %T@ %m\n' | sort)"
chmod -R u+w 'mir ror'; printf 'X' | dd of='mir ror/d/big.txt' conv=notrunc status=none
cp 'mir ror/d/big.txt' wrong.txt
t 'a wrong byte in the mirror is named' 0 "mirror file 'mir ror/d/big.txt' was passed over: wrong bytes" fetch one.tsv --cache c14 --mirror 'mir ror'
is 'the next source is right'           got c14 d/big.txt srv/big
is 'and the mirror as it was'           cmp wrong.txt 'mir ror/d/big.txt'
printf 'more' >>'mir ror/d/big.txt'
t 'a wrong size in the mirror'          0 "passed over: $((n_big + 4)) bytes, not $n_big" fetch one.tsv --cache c15 --mirror 'mir ror'
t 'a mirror that is not there'          3 "no mirror 'none'" fetch one.tsv --cache c15 --mirror none
mkdir man; cp srv/big 'man/b i!g'
m man/file.tsv x srv/big required file:b%20i%21g
m man/file.tsv y srv/small required "file://$tmp/srv/small"
t 'file: beside the manifest'           0 '2 new' fetch man/file.tsv --cache c16
is 'with a blank and a !'               got c16 x srv/big

# --- archives ------------------------------------------------------------------------------
python3 - <<'END'
import gzip, io, tarfile, zipfile
big, two = open("srv/big", "rb").read(), open("srv/two", "rb").read()
with zipfile.ZipFile("srv/a.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("in/big", big + b"srv/a.zip"); z.writestr("in/größe x", "srv/a.zip"); z.writestr("in/two", two)
for name, mode in (("srv/a.tar", "w"), ("srv/a.tar.gz", "w:gz"), ("srv/a.tar.xz", "w:xz")):
    with tarfile.open(name, mode) as t:
        for n, d in (("./in/big", big + name.encode()), ("in/größe x", name.encode())):
            i = tarfile.TarInfo(n); i.size = len(d); t.addfile(i, io.BytesIO(d))
        i = tarfile.TarInfo("in/link"); i.type = tarfile.SYMTYPE; i.linkname = "/etc/passwd"; t.addfile(i)
open("srv/big.gz", "wb").write(gzip.compress(big))
open("srv/cut.gz", "wb").write(gzip.compress(two)[:1000000])
open("srv/cut.zip", "wb").write(open("srv/a.zip", "rb").read()[:100000])
with zipfile.ZipFile("tiny_thing-1.0-py3-none-any.whl", "w") as z:
    z.writestr("tiny/big", big); z.writestr("tiny/two", two)
    z.writestr("tiny_thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
    z.writestr("tiny_thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr("tiny_thing-1.0.dist-info/RECORD", "")
END
: >log
for kind in zip tar tar.gz tar.xz; do
	printf 'srv/a.%s' "$kind" >"small.$kind"
	cat srv/big "small.$kind" >"big.$kind"
	m arch.tsv "$kind/big" "big.$kind" required "$web/ok/a.$kind!in/big"
	m arch.tsv "$kind/small" "small.$kind" required "$web/ok/a.$kind!in/gr%C3%B6%C3%9Fe%20x"
done
m arch.tsv gz srv/big required "$web/ok/big.gz!big"
t 'members of archives'                 0 '9 new' fetch arch.tsv --cache c17
is 'a lone gz'                          got c17 gz srv/big
for kind in zip tar tar.gz tar.xz; do
	is "one with blanks of a $kind"     got c17 "$kind/small" "small.$kind"
	is "a larger one"                   got c17 "$kind/big" "big.$kind"
done
is 'no archive came twice'              test "$(grep -c GET log)" = 5
for bad in 'cut.gz!two cut or damaged' 'cut.zip!in/two cut or damaged|no member' 'a.zip!in/none no member' \
	'a.tar!in/link no plain file' 'big!x wrong bytes|bytes, not' 'a.tar.gz!in/big bytes, not'; do
	rm -f bad.tsv; m bad.tsv x srv/two required "$web/ok/${bad%% *}"
	rm -rf c18
	t "refuses ${bad%% *}"              3 "${bad#* }" fetch bad.tsv --cache c18
	is "nothing enters from ${bad%% *}" test -z "$(find c18 -path '*sha256*' -type f)"
done
if python3 -m pip --version >/dev/null 2>&1; then
	export PIP_FIND_LINKS=$tmp
	m pip.tsv p/big srv/big required 'pip:tiny-thing==1.0!tiny/big'
	m pip.tsv p/two srv/two required 'pip:tiny-thing==1.0!tiny/two'
	m pip.tsv p/whl tiny_thing-1.0-py3-none-any.whl required 'pip:tiny-thing==1.0'
	t 'a wheel serves several inputs'   0 '3 new' fetch pip.tsv --cache c19
	is 'one of its members'             got c19 p/two srv/two
	is 'and the wheel itself'           got c19 p/whl tiny_thing-1.0-py3-none-any.whl
	m nopip.tsv x srv/big required 'pip:tiny-thing==9.9!tiny/big'
	t 'a version that is not there'     3 'pip: .*(No matching|Could not find)' fetch nopip.tsv --cache c20
	PIP_NO_INDEX='' PIP_INDEX_URL=http://127.0.0.1:$refused/ PIP_FIND_LINKS='' \
		t 'a registry that refuses'     3 'a registry cannot be reached' fetch nopip.tsv --cache c20
	PIP_NO_INDEX='' PIP_INDEX_URL=$web/s404/ PIP_FIND_LINKS='' \
		t 'a registry without it'       3 'pip: ' fetch nopip.tsv --cache c20
	is 'nothing of it is left'          test -z "$(find c20 -type f)"
	mkdir -p c21/part/pip-dead12/got; : >c21/part/pip-dead12/got/half
	t 'what a killed run left'          0 '' fetch pip.tsv --cache c21
	is 'is swept'                       test ! -e c21/part/pip-dead12
else
	skip 'wheels' 'python3 has no pip'
fi
mkdir nopy
t 'no python3 at all'                   3 'cannot run python3' env "PATH=$PWD/nopy" "$BIN/fetch" name.tsv --cache c22 --wait 2

# --- proxies and certificates --------------------------------------------------------------
m prox.tsv x srv/small required http://somewhere.invalid/ok/small
http_proxy=$web t 'goes through http_proxy' 0 '1 new' fetch prox.tsv --cache c23
m proxs.tsv x srv/small required https://somewhere.invalid/ok/small
: >log
https_proxy=$web t 'a proxy that refuses' 3 'the proxy says 403' fetch proxs.tsv --cache c24
is 'is asked once'                      test "$(grep -c CONNECT log)" = 1
http_proxy=http://127.0.0.1:$refused no_proxy=127.0.0.1 t 'no_proxy is heeded' 0 '1 new' fetch one.tsv --cache c24
if command -v openssl >/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
	-days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null; then
	python3 "$SRC/tests/fetch-server.py" srv sport slog cert.pem key.pem & children="$children $!"
	for _ in $(seq 100); do [ -s sport ] && break; sleep 0.1; done
	m tls.tsv x srv/small required "https://127.0.0.1:$(cat sport)/ok/small"
	unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
	t 'an unknown certificate is refused' 3 'certificate' fetch tls.tsv --cache c25
	SSL_CERT_FILE=cert.pem t 'unless SSL_CERT_FILE has it' 0 '1 new' fetch tls.tsv --cache c25
	CURL_CA_BUNDLE=cert.pem t 'or CURL_CA_BUNDLE' 0 '1 new' fetch tls.tsv --cache c26
else
	skip 'certificates' 'no openssl to make one'
fi

# --- the disk ------------------------------------------------------------------------------
mkdir full
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m tmpfs full 2>/dev/null; then
	m full.tsv x srv/two required "$web/ok/two"
	t 'a full disk, from the network'   1 'No space left' fetch full.tsv --cache full/c
	is 'nothing half in the cache'      test -z "$(find full -path '*sha256*' -type f)"
	rm -rf full/c; mkdir mir2; cp srv/two mir2/x
	t 'a full disk, from a mirror'      1 'No space left' fetch full.tsv --cache full/c --mirror mir2
	is 'nothing half in it either'      test -z "$(find full -type f)"
	umount full
else
	skip 'a full disk' 'only root can mount a small one'
fi
if [ -c /dev/full ]; then
	t 'a full disk for the table'       1 'No space left' fetch one.tsv --cache c14 --out /dev/full
	t 'and for the report'              1 'No space left' fetch one.tsv --cache c14 --report /dev/full
fi
: >file
t 'a file where the cache should be'    1 'cannot' fetch one.tsv --cache file
mkdir -p c27/view/d/big.txt
t 'a folder where a file should be'     1 "big.txt" fetch one.tsv --cache c27

# --- bad manifests -------------------------------------------------------------------------
good="x	6	$(sum srv/small)	required	CC0	$web/ok/small	-"
bad() { # sentence, words, row
	printf '%s\n%s\n' "$head_line" "$3" >bad.tsv
	t "manifest: $1" 3 "$2" fetch bad.tsv --cache c28
}
bad 'a path that climbs'   'not a path' "../${good}"
bad 'an absolute path'     'not a path' "/${good}"
bad 'a path with an end'   'not a path' "d//${good}"
bad 'a size in words'      'not a size' "${good/	6	/	six	}"
bad 'a huge size'          'not a size' "${good/	6	/	99999999999999999999	}"
bad 'a short sum'          'not a SHA-256' "x	6	abc	required	CC0	-	-"
bad 'a strange need'       'required or optional' "${good/required/perhaps}"
bad 'a strange source'     'a source is' "${good/http:/ftp:}"
bad 'pip with an option'   'NAME==VERSION' "${good/$web\/ok\/small/pip:--index-url=x==1}"
bad 'pip without version'  'NAME==VERSION' "${good/$web\/ok\/small/pip:thing}"
bad 'no member behind !'   'no name of a member' "${good/small	-/small!	-}"
bad 'a broken %'           'no name of a member' "${good/small	-/small!%zz	-}"
bad 'a field too few'      '6 fields, the header has 7' "${good%	-}"
bad 'two rows at odds'     'different bytes' "$good
${good/	6	/	7	}"
bad 'a file and a folder'  'a file and a folder' "$good
x/y${good#x}"
printf '%s\n%s' "$head_line" "$good" >bad.tsv
t 'manifest: cut in a line'             3 'is cut' fetch bad.tsv --cache c28
printf '%s\n' "${head_line/sha256/sum}" >bad.tsv
t 'manifest: no column'                 3 "no column 'sha256'" fetch bad.tsv --cache c28
: >bad.tsv
t 'manifest: empty'                     3 'is empty' fetch bad.tsv --cache c28
t 'manifest: not there'                 3 'cannot open' fetch nowhere.tsv --cache c28
printf '%s\r\n%s\r\n%s\n' "$head_line" "$good" "$good" >crlf.tsv
t 'DOS lines and the same row twice'    0 '1 inputs' fetch crlf.tsv --cache c29
t 'no cache'                            2 'cache is missing' fetch one.tsv
t 'no jobs'                             2 'jobs is 1 to 64' fetch one.tsv --cache c1 --jobs 0

# --- the project's own list ----------------------------------------------------------------
if [ -d "${SHARED:-/none}/data" ]; then
	t 'the demo has what the mirror has' 0 '' fetch "$SRC/manifests/inputs/demo.tsv" --only 'sc_*' \
		--cache c30 --mirror "$SHARED/data" --out o30.tsv
	is 'all of it'                      test "$(grep -c left-out o30.tsv)" = 0
else
	skip 'the demo inputs' 'no ../shared'
fi
end
