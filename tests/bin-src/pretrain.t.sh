#!/bin/bash
# pretrain: the same bytes whatever the threads, the ranks and the interruptions; what it refuses.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"

# Cells of many lengths: cell c of n has about 20 + 100 c / n of 300 genes.
varied_counts() { # PREFIX CELLS
	corpus_counts "$1" "$2" | awk -F, -v n="$2" 'BEGIN { OFS = FS } NR > 1 {
		for (c = 2; c <= n + 1; c++)
			if ((NR * 37 + c * 11) % 300 > 20 + 100 * c / n) $c = 0
	} { print }'
}
corpus_shards() { # CELLS of each species -> $tmp/s
	corpus_tables
	varied_counts G "$1" >"$tmp/h.csv"
	varied_counts g "$1" >"$tmp/m.csv"
	import "$tmp/h.csv" --species human --sample h --out "$tmp/h.h5ad" --quiet &&
		import "$tmp/m.csv" --species mouse --sample m --out "$tmp/m.h5ad" --quiet || return 1
	for s in h m; do qc-filter "$tmp/$s.h5ad" --tables "$tmp/tables" --min-genes 10 --out "$tmp/$s.q.h5ad" --quiet || return 1; done
	corpus_tokens "$tmp/h" "$tmp/m"
}
is 'cells to learn from' corpus_shards 60
corpus_config 96

# A dozen steps of micro-batches of about three cells; a checkpoint every five.
some=(--shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --steps 12 --batch 16 --lr 1e-3
	--warmup 3 --held-out 0.2 --eval-every 6 --checkpoint-every 5 --micro-rows 250 --quiet)
many=("${some[@]}" --steps 120 --batch 24 --eval-every 50 --checkpoint-every 4)
pre() { # OUT OPTION...
	pretrain "${some[@]}" --out "$@"
}
long() { # a longer run: broken off, it goes on to the bytes of one that was not
	pretrain "${many[@]}" --out "$@"
}
# What equal runs have in common: all but speed.log.
sums() { (cd "$1" && find . -type f ! -name speed.log | sort | xargs sha256sum); }
same() { diff <(sums "$tmp/a") <(sums "$1"); }

t 'a run' 0 '' pre "$tmp/a" --threads 1
is 'the log has a line for each step' test "$(grep -c '"split": "train"' "$tmp/a/log.jsonl")" = 12
is 'and one for each evaluation' test "$(grep -c '"split": "val"' "$tmp/a/log.jsonl")" = 3
loud=("${some[@]:0:${#some[@]}-1}") # without --quiet
held=$(printf 'held out: gene loss %.4g,' "$(sed -n 's/.*"step": 12, "split": "val", "id_loss": \([^,]*\),.*/\1/p' "$tmp/a/log.jsonl")")
t 'its last words are the held-out losses of the last weights' 0 "$held" pretrain "${loud[@]}" --out "$tmp/loud"
t 'a run that does not evaluate those' 0 'entropy of their frequencies' \
	pretrain "${loud[@]}" --eval-every 0 --out "$tmp/blind"
is 'is silent about those of the first' test "$(grep -c 'held out: ' "$tmp/.stderr")" = 0
for k in 2 4; do
	t "with $k threads" 0 '' pre "$tmp/t$k" --threads "$k"
	is 'the same bytes' same "$tmp/t$k"
done

# Where the processor has no bf16 products, these are f32 runs, and say so.
t 'products in bf16' 0 '' pre "$tmp/b1" --threads 1 --dtype bf16
for k in 2 3; do
	t "with $k threads" 0 '' pre "$tmp/b$k" --threads "$k" --dtype bf16
	is 'the same bytes' diff <(sums "$tmp/b1") <(sums "$tmp/b$k")
done
t 'seconds of each operation' 0 'attention_forward +2 x 8 ' pre "$tmp/p" --profile
is 'change no byte' same "$tmp/p"

# --- interruptions -------------------------------------------------------------------------
start_long() { # OUT OPTION...: in the background, as $pid
	pretrain "${many[@]}" --out "$@" &
	pid=$!
}
steps_done() { cat "$1/log.jsonl" 2>/dev/null | grep -c '"split": "train"' || true; }
wait_for() { # STEPS OUT: until the log has as many lines, or $pid has ended
	local i
	for ((i = 0; i < 1200; i++)); do
		[ "$(steps_done "$2")" -lt "$1" ] || return 0
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.05
	done
}
newest() { find "$1" -maxdepth 1 -name 'step-*[0-9]' | sed 's/.*step-//' | sort -n | tail -n 1; }
whole() { diff <(sums "$tmp/long") <(sums "$1"); }

start=$(date +%s%N)
t 'a longer run' 0 '' long "$tmp/long"
millis=$((($(date +%s%N) - start) / 1000000))

start_long "$tmp/term" 2>"$tmp/term.log"
wait_for 15 "$tmp/term"
t 'two runs do not share a folder' 1 'in use by another' long "$tmp/term" --resume
kill -TERM $pid
wait $pid && status=0 || status=$?
is 'SIGTERM ends it with status 1' test $status = 1
is 'and a sentence' grep -q 'stopped at step .* of 120; --resume goes on' "$tmp/term.log"
is 'behind a checkpoint of its last step' test "$(newest "$tmp/term")" = "$(steps_done "$tmp/term")"
t 'without --resume it is not touched' 2 'holds a run already' long "$tmp/term"
t 'with other options it is refused' 3 'other options or inputs' long "$tmp/term" --resume --mask-rate 0.2
t 'with --resume it goes on' 0 '' long "$tmp/term" --resume
is 'to the same bytes' whole "$tmp/term"

# Each time somewhere in the next fifth of the whole. A run that was faster than that is whole, and another begins.
killed=0 differ=0
for ((k = 0; k < 50 && killed < 10; k++)); do
	start_long "$tmp/kill" --resume 2>/dev/null
	sleep "$(awk -v ms=$((RANDOM * millis / 5 / 32768 + 1)) 'BEGIN { print ms / 1000 }')"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null && status=0 || status=$?
	if [ $status = 0 ]; then
		whole "$tmp/kill" || differ=$((differ + 1))
		rm -rf "$tmp/kill"
	else
		killed=$((killed + 1))
	fi
done
is 'SIGKILL at ten random moments' test $killed = 10
is 'and what came to its end in between had the same bytes' test $differ = 0
t 'and --resume' 0 '' long "$tmp/kill" --resume
is 'come to the same bytes' whole "$tmp/kill"
is 'nothing half-written is left' test -z "$(find "$tmp/kill" -name '*.part')"

# The first checkpoint fits, a later one does not.
limited() { (trap '' XFSZ; ulimit -f "$1"; shift; "$@"); }
full_disk() { # FOLDER COMMAND...
	local at=$1
	shift
	t 'a checkpoint that does not fit is an error of the machine' 1 'cannot|No space|File too large' "$@"
	is 'the one before it is there, whole' test -s "$at/step-$(newest "$at")/state.h5"
	is 'and nothing of the new one' test -z "$(find "$at" -name '*.part*')"
}
stop_at_8() { # OUT: stopped when a checkpoint is there
	start_long "$1" 2>/dev/null
	until [ -e "$1/step-8" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
	kill -TERM $pid 2>/dev/null
	! wait $pid
}
is 'a run that is stopped' stop_at_8 "$tmp/full"
full_disk "$tmp/full" limited 40 long "$tmp/full" --resume
t 'with room again it goes on' 0 '' long "$tmp/full" --resume
is 'to the same bytes' whole "$tmp/full"
if [ "$(id -u)" = 0 ] && mkdir "$tmp/disk" && mount -t tmpfs -o size=6m tmpfs "$tmp/disk" 2>/dev/null; then
	trap 'umount "$tmp/disk" 2>/dev/null; rm -rf "$tmp"' EXIT
	is 'a run on a small disk' stop_at_8 "$tmp/disk/run"
	head -c 9000000 /dev/zero >"$tmp/disk/filler" 2>/dev/null
	full_disk "$tmp/disk/run" long "$tmp/disk/run" --resume
	rm "$tmp/disk/filler"
	t 'with room on the disk it goes on' 0 '' long "$tmp/disk/run" --resume
	is 'to the same bytes' whole "$tmp/disk/run"
	umount "$tmp/disk"
else
	skip 'a disk that is full' 'only root can mount a small one'
fi

# --- loss of power: what is renamed lies on the disk before, and the name before older ones go ------
cat >"$tmp/order.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void note(const char *what, const char *path)
{
    FILE *f = fopen(getenv("ORDER"), "a");
    fprintf(f, "%s %s\n", what, path);
    fclose(f);
}
int fsync(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    note("sync", path);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
int rename(const char *from, const char *to)
{
    note("rename", from);
    return ((int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename"))(from, to);
}
C
is 'a library that notes the order' cc -shared -fPIC -w -o "$tmp/order.so" "$tmp/order.c" -ldl
noted() { ORDER=$tmp/order LD_PRELOAD=$tmp/order.so pre "$tmp/power" --steps 1 --warmup 0 --eval-every 0; }
if [[ ${SAN-} == *address* ]]; then
	skip 'the order of writes' 'a sanitizer wants to be loaded first'
else
	t 'a run whose writes are noted' 0 '' noted
	line_of() { grep -n -m 1 -- "$1" "$tmp/order" | cut -d : -f 1; }
	named=$(line_of '^rename .*/step-1.part$')
	for f in model.safetensors config.json state.h5 vocab.tsv; do
		is "$f is on the disk before it has its name" test "$(line_of "^sync .*/step-1.part/$f\$")" -lt "$named"
	done
	is 'so are the names in the folder' test "$(line_of '^sync .*/step-1.part$')" -lt "$named"
	is 'the name itself after it' test "$(line_of '^sync .*/power$')" -gt "$named"
fi

# --- loss that is no number ------------------------------------------------------------------
t 'weights that overflow stop the run' 4 'step [1-9]: loss (nan|inf|-nan).*cells: [0-9a-f]{16} ' \
	pre "$tmp/nan" --lr 1e30 --warmup 0 --checkpoint-every 1
is 'all cells of the batch are named' test "$(tail -n +2 "$tmp/nan/not-finite.tsv" | wc -l)" = 16
is 'by their ids' bash -c "cut -f 3 '$tmp/nan/not-finite.tsv' | tail -n +2 | while read -r id; do grep -q \"^\$id\" '$tmp/s/cells.tsv' || exit 1; done"
is 'and the checkpoint of the last good step is whole' test -s "$tmp/nan/step-$(newest "$tmp/nan")/state.h5"

# --- what is trained ---------------------------------------------------------------------------
short() { # OUT OPTION...
	pre "$@" --steps 2 --warmup 1 --eval-every 0 --report "$1/report.json"
}
t 'human cells alone' 0 '' short "$tmp/human" --species human
t 'mouse cells alone' 0 '' short "$tmp/mouse" --species mouse
t 'both' 0 '' short "$tmp/both"
is 'add up' test $(($(number "$tmp/human/report.json" train_cells) + $(number "$tmp/mouse/report.json" train_cells))) = \
	"$(number "$tmp/both/report.json" train_cells)"
t 'fewer cells' 0 '' short "$tmp/few" --cells 20
is 'as many as asked for' test "$(number "$tmp/few/report.json" train_cells)" = 20
t 'more than there are' 3 'there are' short "$tmp/many" --cells 2000
t 'fewer to evaluate on' 0 '' pre "$tmp/look" --steps 1 --eval-cells 5
is 'are as many as asked for' grep -q '"split": "val".*"cells": 5,' "$tmp/look/log.jsonl"
t 'genes without values' 0 '' short "$tmp/ids" --no-values
is 'have no value in their loss' grep -q '"value_loss": 0,' "$tmp/ids/log.jsonl"
is 'and a model that says so' grep -q '"use_values": false' "$tmp/ids/step-2/config.json"
t 'knowledge that no file has' 2 'asks for grn, but no file' short "$tmp/k" --kinds grn
t 'a kind that there is not' 2 "not 'gossip'" short "$tmp/k" --kinds gossip
t 'all is no kind among others' 2 'stands alone' short "$tmp/k" --kinds all grn
printf 'G1\tG2\nG2\tG3\n' >"$tmp/net.tsv"
cp "$tmp/model.json" "$tmp/plain.json"
sed -i 's/"use_promoter": false/"use_promoter": true/; s/"use_peca_grn": false/"use_peca_grn": true/' "$tmp/model.json"
is 'a file of knowledge' knowledge-embed grn --tables "$tmp/tables" --vocab "$tmp/v.tsv" --pairs "$tmp/net.tsv" \
	--dim 8 --passes 1 --out "$tmp/grn.safetensors" --quiet
t 'one kind' 0 '' short "$tmp/grn" --knowledge "$tmp/grn.safetensors" --kinds grn
is 'is in the model' grep -q '"use_peca_grn": true' "$tmp/grn/step-2/config.json"
is 'and no other' grep -q '"use_promoter": false' "$tmp/grn/step-2/config.json"
t 'the same with permuted rows' 0 '' short "$tmp/permuted" --knowledge "$tmp/grn.safetensors" --kinds grn --shuffle-knowledge
tables() { # sums of the rows of a model's table, in its order and sorted
	"$PYTHON" - "$1/step-2/model.safetensors" <<-'PY'
		import hashlib, json, sys
		b = open(sys.argv[1], "rb").read()
		n = int.from_bytes(b[:8], "little")
		t = json.loads(b[8 : 8 + n])["bert.embeddings.peca_grn_knowledge"]
		x = b[8 + n + t["data_offsets"][0] : 8 + n + t["data_offsets"][1]]
		rows = [x[i : i + 32] for i in range(0, len(x), 32)]
		print(hashlib.sha256(b"".join(sorted(rows))).hexdigest(), hashlib.sha256(x).hexdigest())
	PY
}
if ! command -v "$PYTHON" >/dev/null; then skip 'permuted rows' 'python3 is not installed'; else
is 'which are the same rows' test "$(tables "$tmp/grn" | cut -d ' ' -f 1)" = "$(tables "$tmp/permuted" | cut -d ' ' -f 1)"
is 'in another order' test "$(tables "$tmp/grn" | cut -d ' ' -f 2)" != "$(tables "$tmp/permuted" | cut -d ' ' -f 2)"
fi
t 'none, whatever the configuration' 0 '' short "$tmp/none" --knowledge "$tmp/grn.safetensors" --kinds none
cp "$tmp/plain.json" "$tmp/model.json"
is 'gives the model without knowledge' cmp "$tmp/none/step-2/model.safetensors" "$tmp/both/step-2/model.safetensors"
t "the authors' order of cells" 0 '' short "$tmp/grouped" --sampler grouped --device-batch 4 --seed 42
t 'by their sorted lengths' 0 '' short "$tmp/sorted" --sampler grouped --device-batch 4 --seed 42 --lengths sorted
is 'is another' bash -c "! cmp -s '$tmp/grouped/log.jsonl' '$tmp/sorted/log.jsonl'"
t 'a batch that their ranks cannot share' 2 'no multiple of 5' short "$tmp/odd" --sampler grouped --device-batch 5
is 'both losses stand beside what frequencies reach' bash -c \
	"pretrain --shards '$tmp/s' --config '$tmp/model.json' --steps 1 --batch 16 --held-out 0.2 --out '$tmp/say' 2>&1 |
	grep -qE 'held out: gene loss [0-9.]+, by frequency alone [0-9.]+; value loss [0-9.]+, by'"
is 'speed.log has tokens and FLOP/s' grep -qE 'tokens/s, .* padded, .* GFLOP/s' "$tmp/a/speed.log"
# --- ranks ---------------------------------------------------------------------------------
if ! [ -e "$B/lib/gc-mpi.so" ] || ! command -v mpirun >/dev/null; then
	skip 'ranks' 'the packages libopenmpi-dev and openmpi-bin are not installed'
else
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	# MPI keeps memory to its end, which is no leak of ours.
	export ASAN_OPTIONS=detect_leaks=0
	ranks() { # N COMMAND...
		local ranks=$1
		shift
		mpirun --oversubscribe --mca btl self,vader,tcp -n "$ranks" "$@"
	}
	rpre() { # N OUT OPTION...
		ranks "$1" pretrain "${some[@]}" --threads 1 --out "${@:2}"
	}
	for k in 2 3 4; do
		t "$k ranks" 0 '' rpre "$k" "$tmp/r$k"
		is 'the same bytes' same "$tmp/r$k"
	done
	t 'a failure is said once, by all ranks' 3 'no such|cannot|holds no' rpre 2 "$tmp/nowhere" --shards "$tmp/tables"
	is 'once' test "$(grep -c '^pretrain: ' "$tmp/.stderr")" = 1
	t 'ranks with other options are refused' 3 'rank 1: its options or inputs are not those of rank 0' \
		mpirun --oversubscribe -n 1 pretrain "${some[@]}" --out "$tmp/mixed" : -n 1 pretrain "${some[@]}" --clip 2 --out "$tmp/mixed"
	is 'before anything is written' test ! -e "$tmp/mixed"
	t 'loss that is no number stops all ranks' 4 'loss' rpre 2 "$tmp/rnan" --lr 1e30 --warmup 0 --checkpoint-every 1

	# Each rank leaves its number where the test finds it.
	start_ranks() { # N OUT OPTION...
		rm -f "$tmp"/pid.*
		ranks "$1" bash -c 'echo $$ >"$0.$OMPI_COMM_WORLD_RANK"; exec pretrain "$@"' "$tmp/pid" \
			"${many[@]}" --threads 1 --out "${@:2}" >"$tmp/ranks.log" 2>&1 &
		pid=$!
	}
	start_ranks 2 "$tmp/lost"
	wait_for 6 "$tmp/lost"
	kill -KILL "$(cat "$tmp/pid.1")"
	wait $pid && status=0 || status=$?
	is 'a lost rank ends the job' test $status != 0
	is 'with a message' grep -qE 'rank 1 .*(signal 9|Killed)' "$tmp/ranks.log"
	at=$(newest "$tmp/lost")
	start_ranks 3 "$tmp/lost" --resume
	wait_for $((at + 9)) "$tmp/lost"
	kill -TERM "$(cat "$tmp/pid.2")"
	wait $pid && status=0 || status=$?
	is 'more ranks go on' grep -q 'stopped at step' "$tmp/ranks.log"
	is 'until one of them gets SIGTERM: a checkpoint of the last step' test "$(newest "$tmp/lost")" = "$(steps_done "$tmp/lost")"
	t 'one process goes on to the end' 0 '' long "$tmp/lost" --resume
	is 'with the same bytes' whole "$tmp/lost"
fi

# --- srun ----------------------------------------------------------------------------------
. "$SRC/tests/slurm.sh"
lacks=$(slurm_lacks)
if ! [ -e "$B/lib/gc-mpi.so" ] || [ -n "$lacks" ]; then
	skip 'tasks of srun' "the packages ${lacks:-libopenmpi-dev} are not installed"
elif ! slurm_start; then
	skip 'tasks of srun' "no Slurm here: $slurm_why"
elif ! srun --mpi=list 2>&1 | grep -qw pmix; then
	skip 'tasks of srun' 'this Slurm has no pmix'
else
	t 'two tasks of srun' 0 '' srun --mpi=pmix --kill-on-bad-exit=1 -n 2 pretrain "${some[@]}" --threads 1 --out "$tmp/slurm"
	is 'the same bytes' same "$tmp/slurm"
fi
end
