#!/bin/bash
# pretrain and embed with the cuda kernels, emulated: the losses of cpu within a bound, checkpoints that move
# between a device and a processor.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
on_device=$BIN/../cuemu/bin

corpus_shards() { # CELLS of each species -> $tmp/s
	corpus_tables
	corpus_counts G "$1" >"$tmp/h.csv"
	corpus_counts g "$1" >"$tmp/m.csv"
	import "$tmp/h.csv" --species human --sample h --out "$tmp/h.h5ad" --quiet &&
		import "$tmp/m.csv" --species mouse --sample m --out "$tmp/m.h5ad" --quiet || return 1
	for s in h m; do qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --min-genes 10 --out "$tmp/$s.q.h5ad" --quiet || return 1; done
	corpus_tokens "$tmp/h" "$tmp/m"
}
is 'cells to learn from' corpus_shards 12
corpus_config 24

some=(--shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --steps 6 --batch 6 --lr 1e-3
	--warmup 2 --held-out 0.2 --eval-every 3 --checkpoint-every 3 --keep 4 --micro-rows 80 --quiet)
here() { pretrain "${some[@]}" --out "$@"; }
there() { "$on_device/pretrain" "${some[@]}" --out "$@"; }
sums() { (cd "$1" && find . -type f ! -name speed.log | sort | xargs sha256sum); }
# Every number named loss, of both logs, within a share of the larger one: f32 adds in another order, as in
# tests/kernels/test_train_cuda.c; bf16 rounds the inputs of products.
near() { # LOG LOG SHARE
	[ "$(wc -l <"$1")" = "$(wc -l <"$2")" ] && paste \
		<(grep -o '_*loss": [^,}]*' "$1" | cut -d' ' -f2) <(grep -o '_*loss": [^,}]*' "$2" | cut -d' ' -f2) |
		awk -v most="$3" '{ d = $1 - $2; if (d < 0) d = -d; m = $1 > $2 ? $1 : $2
			if (!(d <= most * m)) { print; bad = 1 } } END { exit bad || NR < 8 }'
}

t 'a run on the processor' 0 '' here "$tmp/cpu" --backend cpu
t 'on the device' 0 '' there "$tmp/cuda" --backend cuda
is 'losses within 5e-5 of each other' near "$tmp/cpu/log.jsonl" "$tmp/cuda/log.jsonl" 5e-5
t 'again' 0 '' there "$tmp/again" --backend cuda --threads 1
is 'the same bytes' diff <(sums "$tmp/cuda") <(sums "$tmp/again")
t 'products in bf16' 0 '' there "$tmp/bf16" --backend cuda-bf16
is 'losses within 0.01 of f32' near "$tmp/cpu/log.jsonl" "$tmp/bf16/log.jsonl" 0.01

half() { cp -r "$1" "$2" && rm -r "$2/step-6"; } # a run as it was after three steps
half "$tmp/cuda" "$tmp/to-cpu"
t 'a run of the device goes on on the processor' 0 '' here "$tmp/to-cpu" --backend cpu --resume
is 'losses within 5e-5' near "$tmp/cpu/log.jsonl" "$tmp/to-cpu/log.jsonl" 5e-5
half "$tmp/cpu" "$tmp/to-cuda"
t 'and the other way' 0 '' there "$tmp/to-cuda" --backend cuda --resume
is 'losses within 5e-5 too' near "$tmp/cpu/log.jsonl" "$tmp/to-cuda/log.jsonl" 5e-5
half "$tmp/cuda" "$tmp/stays"
t 'on the device it goes on' 0 '' there "$tmp/stays" --backend cuda --resume
is 'to the bytes of a run that was not broken off' diff <(sums "$tmp/cuda") <(sums "$tmp/stays")
half "$tmp/bf16" "$tmp/rounds"
if ! [ -e "$B/lib/gc-mpi.so" ] || ! command -v mpirun >/dev/null; then
	skip 'devices' 'the packages libopenmpi-dev and openmpi-bin are not installed'
else
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	# MPI keeps memory to its end, which is no leak of ours.
	export ASAN_OPTIONS=detect_leaks=0
	devices() { # N OUT OPTION...
		mpirun --oversubscribe --mca btl self,vader,tcp -n "$1" "$on_device/pretrain" "${some[@]}" --threads 1 --backend cuda --out "${@:2}"
	}
	t 'two devices' 0 '' devices 2 "$tmp/two"
	is 'the same bytes' diff <(sums "$tmp/cuda") <(sums "$tmp/two")
	half "$tmp/two" "$tmp/four"
	t 'four go on, each with its part of the optimiser' 0 '' devices 4 "$tmp/four" --resume --shard-optimizer
	is 'to the same bytes' diff <(sums "$tmp/cuda") <(sums "$tmp/four")
	mpirun --oversubscribe -n 2 bash -c 'echo $$ >"$0.$OMPI_COMM_WORLD_RANK"; exec "$@"' "$tmp/pid" "$on_device/pretrain" "${some[@]}" \
		--steps 1000 --threads 1 --backend cuda --out "$tmp/lost" >"$tmp/lost.log" 2>&1 &
	job=$!
	for _ in $(seq 600); do
		[ "$(wc -l 2>/dev/null <"$tmp/lost/log.jsonl")" -ge 2 ] 2>/dev/null && break
		sleep 0.2
	done
	kill -KILL "$(cat "$tmp/pid.1")"
	wait $job && status=0 || status=$?
	is 'a lost device ends the job' test $status != 0
fi
t 'shares of the optimiser are for devices' 2 'is for --backend cuda' here "$tmp/none" --backend cpu --shard-optimizer
t 'a run in bf16 does not go on in f32' 3 'options or inputs|another backend' there "$tmp/rounds" --backend cuda --resume
t 'without the cuda kernels there is no such backend' 77 'no CUDA kernels' here "$tmp/none" --backend cuda

t 'vectors of cells on the device' 0 '' "$on_device/embed" "$tmp/h.q.h5ad" --model "$tmp/cuda/step-6" --backend cuda --out "$tmp/e.h5ad" --quiet
end
