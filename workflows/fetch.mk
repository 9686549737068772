# fetch: what the profile reads from outside, into the cache, every byte verified.
#
# Which files: $(inputs_manifest), set by the profile; none for the simulator's data. Afterwards
#   $(CACHE)/view/PATH      the file that manifests/inputs/ calls PATH
#   $R/fetch/inputs.tsv     all of them: status `have` or, for optional ones, `left-out`
#   $R/fetch/samples.tsv    the rows of $(samples_tsv) whose files are there
# A stage that reads a sample asks for $R/fetch/MANIFEST.tsv and takes the sample's row, e.g.
#   	$Qrow=$$($(call sample_row,$*)); if [ -n "$$row" ]; then \
#   		IFS=$$'\t' read -r name path species labels column rest <<<"$$row"; \
#   		$(tool)import "$(CACHE)/view/$$path" --species "$$species" ...; fi
# where no row means that the sample could not be had here.
inputs_manifest ?= manifests/inputs/demo.tsv
sample_row = awk -F '\t' -v s='$(1)' '$$1 == s' $R/fetch/samples.tsv
params/fetch := $(inputs_manifest:$R/%=%)

# Done before does not mean still there: the cache may have been removed, or a mirror may now have
# what was left out. Then the stage runs again; if it ends as before, nothing behind it does.
fetch_stale := $(if $(wildcard $R/fetch/inputs.tsv),$(shell \
	awk -F '\t' 'NR > 1 { print $$5 "\t" $$1 }' $R/fetch/inputs.tsv | \
	while IFS=$$'\t' read -r status path; do \
		if [ "$$status" = have ]; then [ -e "$(CACHE)/view/$$path" ] || { echo FORCE; break; }; \
		elif [ -n '$(MIRROR)' ] && [ -e "$(MIRROR)/$$path" ]; then echo FORCE; break; fi; done))

# Not behind $(RUN): the nodes of a cluster often have no way to the network.
$R/fetch/MANIFEST.tsv: $(inputs_manifest) $(samples_tsv) workflows/samples.awk $B/bin/fetch \
		$R/fetch/params $(fetch_stale) | $(closer)
	@rm -f $B/fetch.before; if [ -e $@ ]; then cp -p $@ $B/fetch.before; fi
	$(open_stage)
	$Q$(if $(inputs_manifest),GC_TIMES=$(@D)/time.log $B/bin/fetch $(inputs_manifest) \
		--cache $(CACHE) $(if $(MIRROR),--mirror '$(MIRROR)') --threads $(THREADS) \
		--out $(@D)/inputs.tsv,printf 'path\tbytes\tsha256\tneed\tstatus\tlicence\tsource\n' \
		>$(@D)/inputs.tsv)
	$Qawk -F '\t' -v profile=$(PROFILE) -f workflows/samples.awk $(@D)/inputs.tsv $(samples_tsv) \
		>$(@D)/samples.tsv.part; mv $(@D)/samples.tsv.part $(@D)/samples.tsv
	$(close_stage)
	@if [ -n '$(fetch_stale)' ] && cmp -s $B/fetch.before $@; then touch -r $B/fetch.before $@; fi; \
	 rm -f $B/fetch.before

##@ Results
fetch: $R/fetch/MANIFEST.tsv ## the inputs of the profile, verified, into the cache
.PHONY: fetch
