# peca: the regulatory network of each paired sample (expression and openness) by PECA2.
#
#   $R/peca/SAMPLE/network.txt   TF TG Score FDR REs, as PECA2 writes it; the kind grn learns from it
#   $R/peca/SAMPLE/report.json   pairs, the score that background pairs stay below
# A sample is a folder of six tables (peca --help) at paired/SAMPLE below the cache's view, so it needs
# rows in the inputs manifest. No real one is at hand: profile test has the simulator's.
paired_samples ?=
each_paired = $(paired_samples:%=$R/peca/%/MANIFEST.tsv)
peca_percentile ?= 99
params/peca := --percentile $(peca_percentile)

$R/peca/%/params: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(strip $(params/peca))' >$@.part; \
	 if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

# A network without pairs is no input of knowledge-embed: then there is no file.
$R/peca/%/MANIFEST.tsv: $B/bin/peca $R/peca/%/params $R/fetch/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Qd='$(CACHE)/view/paired/$*'; if [ -e "$$d/expression.tsv" ]; then \
		$(tool)peca --in "$$d" $(params/peca) --out $(@D)/network.txt --report $(@D)/report.json \
			--threads $(THREADS) $(quiet); \
		if [ "$$(head -n 2 $(@D)/network.txt | wc -l)" -lt 2 ]; then rm $(@D)/network.txt; fi; \
	 else echo '  $*: left out, it could not be had'; fi
	$(close_stage)

##@ Results
peca: $(each_paired) ## networks of paired samples by PECA2
.PHONY: peca
