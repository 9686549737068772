##@ Speed
# bench: our programs and their peers in turn, bench_rounds times each in one run, on the same inputs and
# the same number of threads (gene2vec also beside one worker); the best round of each counts (bench/compare.sh). Prints ours, the
# peer's and the ratio, and writes results/bench.tsv.
#
#   make bench PEERS=../shared/peers                              everything
#   make bench PEERS=../shared/peers bench_lines='train forward'  some lines: $(bench_all)
#   make bench PEERS=... bench_batch=2 bench_steps=1 bench_rounds=1 bench_base_batch=1    a short one
#
# PEERS is a folder with torch_bench.py, corpus_bench.py and make_big_h5ad.py; without it only the peers
# in bench/ run. A peer's Python packages are looked for in $(bench_python) first; where they lack,
# the goal makes an environment for them in $B/peers. What cannot be had is named, its cells stay
# empty, and the other lines go on. Rates per cpu_share count processor time instead of the wall:
# on a machine that others use too, they are the ones to compare.
bench_all := train train-bf16 forward forward-bf16 folded base base-bf16 official official-bf16 corpus embed \
	gene2vec coexpression dnabert gears cpa deepsem deepce perturb
bench_lines ?= $(bench_all)
bench_rounds ?= 3
bench_threads ?= $(if $(filter-out 0,$(THREADS)),$(THREADS),$(shell nproc))
bench_batch ?= 8
bench_steps ?= 2
bench_base_batch ?= 2
bench_official_batch ?= 2
bench_micro_rows ?= 3072
# Cells of the corpus line, drawn from bench_cells (a folder of Cell Ranger 3 or a .h5ad); the tables
# that it is mapped with; pairs of genes for gene2vec.
bench_corpus_cells ?= 50000
bench_cells ?= $(firstword $(wildcard $(MIRROR:=/sc_human/pbmc_donor_a)) $(wildcard results/*/import/*/cells.h5ad))
bench_tables ?= $(firstword $(wildcard $(SHARED:=/golden/corpus/tables) results/*/tables))
bench_pairs ?= $(firstword $(wildcard $(MIRROR:=/prior_knowledge/gene2vec_pairs/train_text.txt)) \
	$(wildcard results/*/knowledge/*.pairs))
bench_passes ?= 1
# Of the embed line: a .h5ad of human counts large enough that starting a program does not count, and a
# model of the same run, whose vocabulary has these genes. A round takes minutes.
bench_embed_cells ?= $(firstword $(wildcard results/*/import/pbmc_donor_a/cells.h5ad results/*/import/*/cells.h5ad))
bench_embed_rounds ?= 1
bench_embed_model ?= $(shell ls -d $(firstword $(subst /import/, ,$(bench_embed_cells)))/pretrain/step-* 2>/dev/null | \
	sort -V | tail -n 1)
bench_genes ?= 4000
bench_sequences ?= 4
bench_python ?= python3

bench_tsv := results/bench.tsv
# Packages of each environment, and the module that tells whether they are there.
peer_torch := torch numpy
peer_corpus := anndata scipy
peer_gensim := gensim
peer_embed := torch anndata scipy safetensors
peer_gears := torch_geometric torch numpy
# A file with the interpreter's path, or an empty one where there is none.
$B/peers/%.python: | $(bench_tsv).dir
	@mkdir -p $(@D)
	@if $(bench_python) -c 'import $(firstword $(peer_$*))' 2>/dev/null; then \
		command -v $(bench_python) >$@; else \
		printf '  %-8s %s\n' VENV '$(@D)/$*'; : >$@.part; \
		if { python3 -m venv $(@D)/$* && $(@D)/$*/bin/python3 -m pip install --quiet $(peer_$*); } \
			>$(@D)/$*.log 2>&1; then echo $(@D)/$*/bin/python3 >$@.part; fi; mv $@.part $@; fi
$(bench_tsv).dir:
	@mkdir -p $(@D)

$B/bench/lengths-%.txt: $B/bench/bench-train
	@$< --config $* --draw-lengths 4096 >$@.part && mv $@.part $@

bench_has = $(filter $(1),$(bench_lines))
bench_line = bash bench/compare.sh --out $(bench_tsv) --rounds $(bench_rounds) --line
torch_missing := no $(if $(PEERS),PyTorch,PEERS)
# No text below has a comma of its own inside $(if) or $(call), nor one parenthesis without the other.
# $(call bench_torch,LINE,KEYS,options of both,options of ours,options of the peer)
bench_torch = $(if $(call bench_has,$(1)),@p=$$(cat $B/peers/torch.python); skip=; \
	if [ -z "$(PEERS)" ] || [ -z "$$p" ]; then skip='$(torch_missing)'; fi; \
	GOMP_SPINCOUNT=0 $(bench_line) '$(1)' --keys '$(2)' --skip "$$skip" -- $B/bench/bench-train $(3) \
		--threads $(bench_threads) $(4) -- $$p $(PEERS)/torch_bench.py $(3) \
		--threads $(bench_threads) --malloc keep $(5))

rates := nonpad_tokens_per_s nonpad_tokens_per_s/cpu_share model_tflops
small = --config small --lengths $B/bench/lengths-small.txt
train = $(small) --batch $(bench_batch) --steps $(bench_steps)
base = --config base --lengths $B/bench/lengths-base.txt --batch $(bench_base_batch) --steps 1 --forward-only
official = $(small) --batch $(bench_official_batch) --steps 1
official_keys := nonpad_tokens_per_s nonpad_tokens_per_s/cpu_share peak_rss_mb
ours_train = --micro-rows $(bench_micro_rows)
bench: bench-start bench-torch bench-corpus bench-embed bench-knowledge bench-gears bench-cpa bench-networks bench-perturb ## our speed beside that of the peers (workflows/bench.mk)
	@echo "written: $(bench_tsv)"
# PyTorch is looked for, and fetched where it lacks, only for lines that it is measured in.
bench_without_torch := corpus embed gene2vec gears perturb
bench-start: $(bench_bin) $(if $(filter-out $(bench_without_torch),$(bench_lines)),$B/peers/torch.python) | $(bench_tsv).dir
	@rm -f $(bench_tsv)
	@printf '%-34s %-30s %12s %12s %8s\n' line key ours peer ratio
bench-torch: bench-start $B/bench/lengths-small.txt $B/bench/lengths-base.txt
	$(call bench_torch,train,$(rates) peak_rss_mb,$(train),$(ours_train),--style best)
	$(call bench_torch,train-bf16,$(rates) peak_rss_mb,$(train) --dtype bf16,$(ours_train),--style best)
	$(call bench_torch,forward,$(rates) peak_rss_mb,$(train) --forward-only,,--style best)
	$(call bench_torch,forward-bf16,$(rates) peak_rss_mb,$(train) --forward-only --dtype bf16,,--style best)
	$(call bench_torch,folded,$(rates),$(train) --forward-only --fold,,--style best)
	$(call bench_torch,base,$(rates) peak_rss_mb,$(base),,--style best)
	$(call bench_torch,base-bf16,$(rates) peak_rss_mb,$(base) --dtype bf16,,--style best)
	$(call bench_torch,official,$(official_keys),$(official),$(ours_train),--style official)
	$(call bench_torch,official-bf16,$(official_keys),$(official) --dtype bf16,$(ours_train),--style official)

# The corpus line: the peer on one core, and on all; ours likewise. Equal tokens are a condition.
$B/bench/cells-$(bench_corpus_cells).h5ad: $B/peers/corpus.python
	@mkdir -p $(@D); p=$$(cat $<); if [ -n "$$p" ] && [ -n "$(PEERS)" ] && [ -n "$(bench_cells)" ]; then \
		$$p $(PEERS)/make_big_h5ad.py --input $(bench_cells) --out $@.part.h5ad \
			--cells $(bench_corpus_cells) && mv $@.part.h5ad $@; fi
bench-corpus: bench-start $(if $(call bench_has,corpus),$B/bench/cells-$(bench_corpus_cells).h5ad)
	$(if $(call bench_has,corpus),@f=$B/bench/cells-$(bench_corpus_cells).h5ad; \
	p=$$(cat $B/peers/corpus.python); if [ ! -s $$f ] || [ -z "$(bench_tables)" ]; then \
		echo 'corpus: skipped for want of PEERS or anndata or bench_cells or bench_tables'; else \
	for n in 1 $(filter-out 1,$(bench_threads)); do $(bench_line) "corpus-$$n" --keys \
		'cells_per_s.total peak_rss_mib' --same tokens_sha256 -- $B/bench/bench-corpus --input $$f \
		--tables $(bench_tables) --threads $$n -- $$p $(PEERS)/corpus_bench.py --input $$f \
		--tables $(bench_tables) --threads $$n; done; fi)

# From a file to a file, the start of both programs included.
bench-embed: bench-start $(if $(call bench_has,embed),$B/bin/embed $B/peers/embed.python)
	$(if $(call bench_has,embed),@p=$$(cat $B/peers/embed.python); skip=; \
	if [ -z "$(bench_embed_cells)" ] || [ -z "$(bench_embed_model)" ]; then \
		echo 'embed: skipped for want of bench_embed_cells or bench_embed_model'; else \
	if [ -z "$$p" ]; then skip='no PyTorch'; fi; \
	GOMP_SPINCOUNT=0 $(bench_line) embed --keys 'cells_per_s cells_per_cpu_s' --rounds $(bench_embed_rounds) --skip "$$skip" \
		-- bash bench/embed.sh $B/bench/embed.json $B/bin/embed $(bench_embed_cells) --model $(bench_embed_model) \
		--out $B/bench/embed-ours.h5ad --report $B/bench/embed.json --threads $(bench_threads) --quiet \
		-- bash bench/embed.sh $B/bench/embed.json $$p bench/embed-torch.py $(bench_embed_cells) \
		--model $(bench_embed_model) --out $B/bench/embed-torch.h5ad --report $B/bench/embed.json \
		--check $B/bench/embed-ours.h5ad --threads $(bench_threads); fi)

bench-knowledge: bench-start $(if $(call bench_has,gene2vec),$B/peers/gensim.python)
	$(if $(call bench_has,gene2vec),@p=$$(cat $B/peers/gensim.python); skip=; \
	if [ -z "$(bench_pairs)" ]; then echo 'gene2vec: skipped for want of bench_pairs'; else \
	if [ -z "$$p" ]; then skip='no gensim'; fi; \
	for line in 'gene2vec 1' $(if $(filter-out 1,$(bench_threads)),'gene2vec $(bench_threads)') \
		'gene2vec--hogwild $(bench_threads)'; do set -- $$line; \
		$(bench_line) "$$1-beside-$$2" --keys 'pairs_per_s pairs_per_s/cpu_share' --skip "$$skip" \
		-- $B/bench/bench-knowledge gene2vec --pairs $(bench_pairs) --passes $(bench_passes) \
		--repeat 1 $$(case $$1 in (*--hogwild) echo --hogwild;; esac) --threads $(bench_threads) \
		-- $$p bench/gensim-bench.py --pairs $(bench_pairs) \
		--passes $(bench_passes) --repeat 1 --threads $$2; done; fi)
	$(if $(call bench_has,coexpression),@p=$$(cat $B/peers/torch.python); skip=; \
	if [ -z "$$p" ]; then skip='no numpy'; fi; \
	OPENBLAS_NUM_THREADS=$(bench_threads) $(bench_line) coexpression --keys 'seconds' --skip "$$skip" \
		-- $B/bench/bench-knowledge coexpression --genes $(bench_genes) --repeat 1 \
		--threads $(bench_threads) -- $$p bench/coexpression-numpy.py --genes $(bench_genes))
	$(if $(call bench_has,dnabert),@p=$$(cat $B/peers/torch.python); skip=; \
	if [ -z "$$p" ]; then skip='no PyTorch'; fi; \
	for dtype in f32 bf16; do case $$dtype in (f32) backend=cpu line=dnabert;; \
		(*) backend=cpu-$$dtype line=dnabert-$$dtype;; esac; \
		GOMP_SPINCOUNT=0 $(bench_line) $$line --keys 'tokens_per_s tokens_per_s/cpu_share' --skip "$$skip" \
		-- $B/bench/bench-knowledge dnabert --sequences $(bench_sequences) --repeat 1 \
		--backend $$backend --threads $(bench_threads) -- $$p bench/dnabert-torch.py \
		--sequences $(bench_sequences) --repeat 1 --threads $(bench_threads) --dtype $$dtype; done)

# GEARS at the size of Norman et al. 2019. The peer computes what the release does, ours the gene branch once per
# batch (docs/perturb-predict.md); gears-shared: the peer likewise.
bench_gears_steps ?= 5
bench-gears: bench-start $(if $(call bench_has,gears),$B/peers/gears.python)
	$(if $(call bench_has,gears),@p=$$(cat $B/peers/gears.python); skip=; \
	if [ -z "$$p" ]; then skip='no PyTorch Geometric'; fi; \
	for style in released shared; do GOMP_SPINCOUNT=0 $(bench_line) "gears-$$style" \
		--keys 'cells_per_s cells_per_cpu_s peak_rss_mib' --skip "$$skip" \
		-- $B/bench/bench-gears --steps $(bench_gears_steps) --threads $(bench_threads) \
		-- $$p bench/gears-torch.py --style $$style --steps $(bench_gears_steps) \
		--threads $(bench_threads); done)

# CPA at the size of sci-Plex 2: 5,000 genes, four drugs, the published widths.
bench_cpa_rounds ?= 8
bench-cpa: bench-start $(if $(call bench_has,cpa),$B/peers/torch.python)
	$(if $(call bench_has,cpa),@p=$$(cat $B/peers/torch.python); skip=; \
	if [ -z "$$p" ]; then skip='no PyTorch'; fi; \
	GOMP_SPINCOUNT=0 $(bench_line) cpa --keys 'cells_per_s cells_per_cpu_s peak_rss_mib' --skip "$$skip" \
		-- $B/bench/bench-cpa --rounds $(bench_cpa_rounds) --threads $(bench_threads) \
		-- $$p bench/cpa-torch.py --rounds $(bench_cpa_rounds) --threads $(bench_threads))

# DeepSEM at the size of BEELINE's dendritic cells: ours trains one network a thread, the peer one on all. DeepCE at
# that of L1000: 978 genes, the published widths.
bench_deepsem_passes ?= 6
bench_deepce_steps ?= 3
bench-networks: bench-start $(if $(call bench_has,deepsem)$(call bench_has,deepce),$B/peers/torch.python)
	$(if $(call bench_has,deepsem),@p=$$(cat $B/peers/torch.python); skip=; \
	if [ -z "$$p" ]; then skip='no PyTorch'; fi; \
	GOMP_SPINCOUNT=0 $(bench_line) deepsem --keys 'cells_per_s cells_per_cpu_s peak_rss_mib' --skip "$$skip" \
		-- $B/bench/bench-deepsem --passes $(bench_deepsem_passes) --threads $(bench_threads) \
		-- $$p bench/deepsem-torch.py --passes $(bench_deepsem_passes) --threads $(bench_threads))
	$(if $(call bench_has,deepce),@p=$$(cat $B/peers/torch.python); skip=; \
	if [ -z "$$p" ]; then skip='no PyTorch'; fi; \
	GOMP_SPINCOUNT=0 $(bench_line) deepce --keys 'signatures_per_s signatures_per_cpu_s peak_rss_mib' --skip "$$skip" \
		-- $B/bench/bench-deepce --steps $(bench_deepce_steps) --threads $(bench_threads) \
		-- $$p bench/deepce-torch.py --steps $(bench_deepce_steps) --threads $(bench_threads))
# Deletions, with the model and the cells of the embed line: by perturb, and (the "peer", ours as well) by encoding each
# cell with and without the gene as `embed` does, in full batches; perturb-single: one cell at a time.
bench_perturb_genes ?= 20
bench_perturb_cells ?= 30
bench_perturb = $B/bench/bench-perturb $(bench_embed_cells) --model $(bench_embed_model) --genes $(bench_perturb_genes) \
	--max-cells $(bench_perturb_cells) --rounds 1 --threads $(bench_threads) --quiet --way
bench-perturb: bench-start
	$(if $(call bench_has,perturb),@if [ -z "$(bench_embed_cells)" ] || [ -z "$(bench_embed_model)" ]; then \
		echo 'perturb: skipped for want of bench_embed_cells or bench_embed_model'; else \
	for x in perturb:embed perturb-single:one_by_one; do $(bench_line) "$${x%%:*}" --keys 'cells_per_s cells_per_cpu_s' \
		--rounds $(bench_embed_rounds) -- $(bench_perturb) perturb -- $(bench_perturb) "$${x#*:}"; done; fi)
.PHONY: bench bench-start bench-torch bench-corpus bench-embed bench-knowledge bench-gears bench-cpa bench-networks bench-perturb
