#!/bin/bash
# import-pickle: the authors' dictionaries as tables; the pickles are made here by Python.
. "$SRC/tests/tool.sh"
make_pickles() {
	"$PYTHON" - "$tmp" <<-'END'
		import os, pickle, sys
		d = sys.argv[1] + '/'
		def write(name, x, protocol=4):
		    with open(d + name + '.pickle', 'wb') as f:
		        pickle.dump(x, f, protocol=protocol)
		tokens = {'<pad>': 0, '<mask>': 1, 'ENSG01': 2, 'ENSG02': 3, 'ENSMUSG01': 4, 'ENSMUSG02': 5}
		for p in range(6):
		    write('tokens%d' % p, tokens, p)
		write('names', {'ENSG01': 'TP53', 'ENSMUSG01': 'Trp53', 'ENSMUSG02': 'Gapdh', 'ENSG77': 'OTHER'})
		write('homologs', {4: 2})
		write('median_h', {'ENSG01': 1.5, 'ENSG02': 2})
		write('median_m', {'ENSMUSG01': 0.25})
		write('gap', {'<pad>': 0, '<mask>': 1, 'ENSG01': 3})
		write('twice', {'<pad>': 0, '<mask>': 1, 'ENSG01': 2, 'ENSG02': 2})
		write('species', {'<pad>': 0, '<mask>': 1, 'ENSRNOG01': 2})
		write('zero', {'ENSG01': 0.0})
		write('list', [1, 2])
		class Run:
		    def __reduce__(self):
		        return os.system, ('touch %sPWNED' % d,)
		write('run', {'ENSG01': Run()})
	END
}
vectors() { # a pickle of names to vectors, by numpy's own form in protocol 2, written by hand
	"$PYTHON" - "$@" <<-'END'
		import struct, sys
		def text(s):
		    b = s.encode()
		    return b'X' + struct.pack('<I', len(b)) + b
		out = b'\x80\x02}('
		for word in sys.argv[2:]:
		    name, *x = word.split(',')
		    kind, code = ('f8', 'd') if name.startswith('*') else ('f4', 'f')
		    raw = struct.pack('<%d%s' % (len(x), code), *map(float, x)).decode('latin1')
		    dtype = b'cnumpy\ndtype\n' + text(kind) + b'\x89\x88\x87R(K\x03' + text('<') + b'NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb'
		    out += (text(name.lstrip('*')) + b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\n'
		            + text('b') + text('latin1') + b'\x86R\x87R(K\x01K' + bytes([len(x)]) + b'\x85' + dtype + b'\x89c_codecs\nencode\n'
		            + text(raw) + text('latin1') + b'\x86Rtb')
		open(sys.argv[1], 'wb').write(out + b'u.')
	END
}
expected() {
	printf '%s\n' 'token id name species biotype homolog' '0 <pad> - - - -1' '1 <mask> - - - -1' '2 ENSG01 TP53 human - 4' \
		'3 ENSG02 - human - -1' '4 ENSMUSG01 Trp53 mouse - 2' '5 ENSMUSG02 Gapdh mouse - -1' | tr ' ' '\t'
}
cd "$tmp" || exit 1
is 'pickles are made'               make_pickles
t 'a dictionary'                    0 '6 tokens' import-pickle vocab tokens4.pickle --names names.pickle --homologs homologs.pickle --out v.tsv
is 'with names and homologs'        diff v.tsv <(expected)
for p in 0 1 2 3 5; do
	t "protocol $p"                 0 '' import-pickle vocab "tokens$p.pickle" --names names.pickle --homologs homologs.pickle --out w.tsv
	is 'gives the same'             cmp v.tsv w.tsv
done
t 'medians of two species'          0 '3 medians' import-pickle medians median_h.pickle median_m.pickle --out m.tsv
is 'as they are'                    diff m.tsv <(printf 'id\tn_nonzero\tmedian\nENSG01\t0\t1.5\nENSG02\t0\t2\nENSMUSG01\t0\t0.25\n')
vectors h.pickle TP53,1,2,3 '*ENSG02,0.5,0.25,-1' OTHER,9,9,9
vectors mm.pickle Trp53,4,5,6 Gapdh,7,8,9
t 'vectors by name, of both kinds'  0 '4 vectors of 3 numbers' import-pickle grn h.pickle mm.pickle --vocab v.tsv --out k.safetensors
numbers() { tail -c $((6 * 3 * 4)) "$1" | od -An -tf4 -w12 -v | tr -s ' '; }
is 'in the order of tokens'         diff <(numbers k.safetensors) <(printf ' %s\n' '0 0 0' '0 0 0' '1 2 3' '0.5 0.25 -1' '4 5 6' '7 8 9')
is 'and of the kind'                grep -qa '"kind":"grn"' k.safetensors
vectors few.pickle Trp53,4,5,6
vectors wide.pickle Trp53,4,5 Gapdh,7,8
t 'a gene without a vector'         3 "'few.pickle' lacks 'Gapdh'" import-pickle grn h.pickle few.pickle --vocab v.tsv --out x
t 'vectors of two lengths'          3 "'Trp53' has 2 numbers, not 3" import-pickle grn h.pickle wide.pickle --vocab v.tsv --out x
t 'names where vectors belong'      3 "'ENSG01' is no vector" import-pickle family names.pickle mm.pickle --vocab v.tsv --out x
vectors numpy.pickle '<pad>,0' '<mask>,1' ENSG01,2
vectors half.pickle '<pad>,0' '<mask>,1' ENSG01,1.5
t "tokens as numpy's numbers"       0 '3 tokens' import-pickle vocab numpy.pickle --out n.tsv
is 'are tokens too'                 grep -q '^2	ENSG01' n.tsv
t 'half a token'                    3 "'ENSG01' is not one of 0 to 2" import-pickle vocab half.pickle --out x
t 'a gap between tokens'            3 "'ENSG01' is not one of 0 to 2" import-pickle vocab gap.pickle --out x
t 'a token for two genes'           3 "token 2 is both 'ENSG01' and 'ENSG02'" import-pickle vocab twice.pickle --out x
t 'genes of neither species'        3 "'ENSRNOG01' is no gene of human" import-pickle vocab species.pickle --out x
t 'homologs that are names'         3 "'names.pickle': pair 0" import-pickle vocab tokens4.pickle --homologs names.pickle --out x
t 'a median of 0'                   3 "'zero.pickle': the median of 'ENSG01' is 0" import-pickle medians zero.pickle --out x
t 'a list'                          3 "'list.pickle' holds a list, not a dict" import-pickle vocab list.pickle --out x
t 'a call'                          3 "'run.pickle': refuses 'posix.system'" import-pickle medians run.pickle --out x
is 'that is never made'             test ! -e PWNED
t 'a kind that is none'             2 "KIND 'pathway' is none of" import-pickle pathway h.pickle --out x
t 'one file of vectors'             2 'grn wants two pickles' import-pickle grn h.pickle --vocab v.tsv --out x
t 'vectors without a vocabulary'    2 'vocab is missing' import-pickle grn h.pickle mm.pickle --out x
is 'and nothing was written'        test ! -e x
t 'a full disk'                     1 'cannot write' import-pickle vocab tokens4.pickle --out /dev/full
cd /
end
