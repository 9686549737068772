#!/bin/bash
# convert-model: both forms, both ways, with tied tensors, and what is no state dict.
. "$SRC/tests/tool.sh"
golden=$SRC/reference/golden/pickle
make_safetensors() { # FILE NAME:DTYPE:SHAPE...   numbers 1, 2, 3, .. over all tensors
	"$PYTHON" - "$@" <<-'END'
		import json, struct, sys
		codes = {'F32': 'f', 'F64': 'd', 'F16': 'e', 'I64': 'q', 'U8': 'B'}
		head, data, n = {}, b'', 0
		for word in sys.argv[2:]:
		    name, dtype, shape = word.split(':')
		    shape = [int(x) for x in shape.split('x')] if shape else []
		    items = 1
		    for x in shape:
		        items *= x
		    start = n + 1
		    raw = struct.pack('<%d%s' % (items, codes[dtype]), *range(start, start + items))
		    head[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [len(data), len(data) + len(raw)]}
		    data += raw
		    n += items
		text = json.dumps(head).encode()
		open(sys.argv[1], 'wb').write(struct.pack('<Q', len(text)) + text + data)
	END
}
members() { "$PYTHON" -m zipfile -l "$1" | awk 'NR > 1 { print $1 }'; }
cd "$tmp" || exit 1

mkdir dumps dumps/expected
printf 'file\tverdict\tdump\n' >dumps/expected.tsv
for f in zip_views zip_types legacy_views legacy_types zip_module zip_parameter; do
	t "$f to safetensors"           0 'tensors$' convert-model "$golden/$f.bin" "$f.safetensors"
	t 'and to the zip form'         0 '' convert-model "$f.safetensors" "dumps/$f.bin"
	t 'and back'                    0 '' convert-model "dumps/$f.bin" "$f.again.safetensors"
	is 'gives the same bytes'       cmp "$f.safetensors" "$f.again.safetensors"
	# The same tensors, by rising name; views are whole tensors now.
	(head -1 "$golden/expected/$f.bin.txt"; tail -n +2 "$golden/expected/$f.bin.txt" | sort -t $'\t' -k1,1) >"dumps/expected/$f" &&
		printf '%s\tread\texpected/%s\n' "$f.bin" "$f" >>dumps/expected.tsv
done
is 'the numbers are all there'      parity-pickle dumps
is 'the archive is one for others'  "$PYTHON" -m zipfile -t dumps/zip_types.bin
t 'OUT after --out'                 0 '' convert-model "$golden/zip_module.bin" --out o.safetensors
is 'is the same'                    cmp o.safetensors zip_module.safetensors

word=bert.embeddings.word_embeddings.weight
make_safetensors tied.safetensors $word:F32:3x2 cls.predictions.bias:F32:3 cls4value.predictions.bias:F32:1 other:F16:2 scalar:I64: none:F32:0x4
t 'a model to the zip form'         0 ' 9 tensors' convert-model tied.safetensors tied.bin
is 'with one storage for a pair'    test "$(members tied.bin | grep -c /data/)" = 6
is 'named as torch names'           test "$(members tied.bin | head -3 | tr '\n' ' ')" = 'archive/data.pkl archive/byteorder archive/data/0 '
t 'and back'                        0 ' 6 tensors' convert-model tied.bin tied2.safetensors
t 'from safetensors'                0 ' 6 tensors' convert-model tied.safetensors tied3.safetensors
is 'the ties left out'              cmp tied2.safetensors tied3.safetensors
make_safetensors untied.safetensors $word:F32:3x2 cls.predictions.decoder.weight:F32:3x2
t 'a tied tensor of its own'        3 "'untied.safetensors': tensor 'cls.predictions.decoder.weight' is not the same" convert-model untied.safetensors x.bin
make_safetensors alone.safetensors cls.predictions.decoder.weight:F32:3x2
t 'a tied tensor alone'             3 "is there without '$word'" convert-model alone.safetensors x.bin
t 'a checkpoint of a training'      3 "'[^']*zip_nested.bin': entry 'model' is a dict, not a tensor" convert-model "$golden/zip_nested.bin" x.safetensors
t 'a list'                          3 'holds a list, not a dict' convert-model "$golden/lengths_p4.pickle" x.safetensors
t 'a call'                          3 "refuses 'os.system'" convert-model "$golden/bad_system.pickle" x.safetensors
t 'half a file'                     3 "bad_truncated.bin': the zip archive is cut off" convert-model "$golden/bad_truncated.bin" x.safetensors
head -c 1300 tied.bin >cut.bin
t 'half a file of ours'             3 'cut off' convert-model cut.bin x.safetensors
sed 's/little/middle/' tied.bin >order.bin
t 'a changed byte'                  3 'byteorder.* is damaged: its CRC-32' convert-model order.bin x.safetensors
t 'no file'                         3 "cannot open 'nothing.bin'" convert-model nothing.bin x.safetensors
t 'no OUT'                          2 'wants IN and one OUT' convert-model tied.bin
t 'two OUTs'                        2 'wants IN and one OUT' convert-model tied.bin x.bin --out y.bin
is 'nothing was written'            test ! -e x.bin -a ! -e x.safetensors
t 'a full disk'                     1 'cannot write' convert-model tied.safetensors /dev/full

if "$PYTHON" -c 'import torch' 2>/dev/null; then
	load() {
		"$PYTHON" - <<-'END'
			import torch
			x = torch.load('tied.bin', weights_only=True)
			w = x['bert.embeddings.word_embeddings.weight']
			assert w.tolist() == [[1, 2], [3, 4], [5, 6]] and w.dtype == torch.float32, w
			assert x['cls.predictions.decoder.weight'].data_ptr() == w.data_ptr()
			assert x['other'].dtype == torch.float16 and x['scalar'].shape == () and x['none'].shape == (0, 4)
			x = torch.load('dumps/zip_types.bin', weights_only=True)
			assert x['bf16'].dtype == torch.bfloat16 and x['i64'].tolist() == [[1, -2], [1 << 40, -(1 << 62)]]
		END
	}
	save() {
		"$PYTHON" - <<-'END'
			import torch
			w = torch.arange(12.).reshape(3, 4)
			for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
			    x = {'bert.embeddings.word_embeddings.weight': w.to(dtype), 'turned': w.to(dtype).t()}
			    x['cls.predictions.decoder.weight'] = x['bert.embeddings.word_embeddings.weight']
			    name = str(dtype)[6:]
			    torch.save(x, 'new-%s.bin' % name)
			    torch.save(x, 'old-%s.bin' % name, _use_new_zipfile_serialization=False)
		END
	}
	same() {
		"$PYTHON" - "$@" <<-'END'
			import sys, torch
			for name in sys.argv[1:]:
			    a, b = (torch.load(name + end, weights_only=True) for end in ('.bin', '.ours.bin'))
			    assert set(a) == set(b), name
			    assert all(a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a), name
		END
	}
	is 'PyTorch loads what was written' load
	is 'PyTorch writes both forms'      save
	for f in {new,old}-{float32,float16,bfloat16,float64}; do
		t "$f is read"              0 '' convert-model "$f.bin" "$f.safetensors"
		t 'and written'             0 '' convert-model "$f.safetensors" "$f.ours.bin"
	done
	is 'as PyTorch had them'            same {new,old}-{float32,float16,bfloat16,float64}
else
	skip 'PyTorch loads what was written' 'torch is too large to install for this test'
fi
cd /
end
