##@ Checks
# Other flags make another build, in a folder of its own below $B: the only place where make calls
# itself.
FUZZ_SECONDS ?= $(SECONDS)
SECONDS ?= 20
TARGET ?=
TEST_SECONDS ?= 1200
sanitizers := -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
shellcheck := shellcheck --severity=warning -e SC1090,SC1091,SC2154

check: layers lint check-gcc check-clang check-san ## no warning, no forbidden include, tests under sanitizers

layers: ## which layer may include which
	$(call say,CHECK)bash tests/layers.sh

lint: ## shellcheck of the shell scripts
	$(call say,CHECK)$(shellcheck) run .ci/run
	$Q$(shellcheck) --shell=bash $(wildcard workflows/*.sh tests/*.sh tests/*/*.sh)

# With WERROR=1 the ordinary build is that check already.
check-gcc: ## a build with gcc in which a warning is an error
	@+$(MAKE) --no-print-directory CC=gcc WERROR=1 B=$(if $(WERROR),$B,$B/gcc) all

# Only the front end: it has clang's warnings in a tenth of the time.
clang_checks := $(c_src:%=check-clang/%)
check-clang: $(clang_checks) ## the same with clang
$(clang_checks): check-clang/%:
	$Qclang $(CPPFLAGS) $(CFLAGS) $(if $(filter kernels/%_cpu.c,$*),$(cpu_flags))$(if \
		$(filter kernels/%_bf16.c,$*),$(amx_flags)) -Werror \
		-fsyntax-only $*

# On the small golden folders: the whole ones take many minutes when every access is checked. Left out, as a third of
# all the time: CAME trained dozens of times and a whole figure, whose networks and tools have tests of their own here, and
# comparisons with Python packages; and the bounds on memory, most of which is the sanitizers' own here. `make check-san
# quick_not=` runs them too.
quick_not ?= tests/bin-src/corpus-memory.t.sh tests/bin-src/cross-species.t.sh tests/workflows/fig2.t.sh tests/bin-src/map-umap.t.sh \
	tests/bin-src/forest-sklearn.t.sh tests/bin-src/forest-regression-sklearn.t.sh
check-san: ## unit and tool tests under the address and undefined behaviour sanitizers
	@+$(MAKE) --no-print-directory WERROR= OPT='-O1 -g' SAN='$(sanitizers)' B=$B/san SHARED= \
		fuzz_mutations=200 tool_tests='$(filter-out $(quick_not),$(tool_tests))' test-quick

# What fits under a sanitizer: everything but the tests that build and run the whole project.
test-quick: $(tools) $(test_bin)
	@TEST_SECONDS=$$(($(TEST_SECONDS) * 2)) $(run_tests) \
		$(unit_tests) $(folder_jobs) $(cuda_jobs) $(fuzz_jobs) $(tool_tests)

# Tools are reached through scripts of the same name that start valgrind; so each tool test runs
# as it is. Programs that compute for long, or with instructions valgrind may not know, are left
# out: their tests run under the sanitizers.
valgrind_not := pretrain embed annotate knowledge-embed corpus-memory
valgrind_unit_not := test_nn% test_kernel% test_op% test_model% test_train%
valgrind_tests = $(filter-out $(valgrind_not:%=tests/bin-src/%.t.sh),$(tool_tests))
valgrind := valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite \
	--error-exitcode=99 --num-callers=20
valgrind: $(tools) $(test_bin) ## unit and tool tests of the small programs under valgrind
	@rm -rf $B/valgrind; mkdir -p $B/valgrind/bin
	@for tool in $(notdir $(tools)); do \
		printf '#!/bin/sh\nexec $(valgrind) "%s/$B/bin/%s" "$$@"\n' "$$PWD" "$$tool" \
			>$B/valgrind/bin/$$tool; chmod +x $B/valgrind/bin/$$tool; done
	@TEST_SECONDS=$$(($(TEST_SECONDS) * 10)) BIN=$$PWD/$B/valgrind/bin $(run_tests) \
		$(foreach t,$(filter-out $(valgrind_unit_not:%=$B/tests/%),$(unit_tests)),'$(valgrind) $(t)') \
		$(valgrind_tests)

coverage: ## lines of lib/ and kernels/ that the tests run, least covered files first
	@mkdir -p $B/coverage; find $B/coverage -name '*.gcda' -delete
	@+$(MAKE) --no-print-directory OPT='-O0 -g' SAN="--coverage -fprofile-update=atomic" B=$B/coverage test-quick
	@find $B/coverage/obj/lib $B/coverage/obj/kernels -name '*.gcno' | LC_ALL=C sort | \
		xargs gcov -t -r 2>$B/coverage/gcov.log | awk -f tests/coverage.awk | sort -n \
		>$B/coverage/lines.txt
	@grep -v 'kernels/$$' $B/coverage/lines.txt | head -n 25; grep 'kernels/$$' $B/coverage/lines.txt

# Each target tests/fuzz/fuzz_NAME.c, or those that TARGET names, for SECONDS, starting from
# tests/fuzz/NAME, and for the importers from the files of golden/formats. What crashes lands in
# $B/fuzz/found: shrink it, then keep it in tests/fuzz/NAME, where `make test` replays it.
#   make fuzz TARGET='import_csv import_mtx' SECONDS=600
fuzzers := $(patsubst tests/fuzz/%.c,$B/libfuzzer/%,$(if $(TARGET),$(TARGET:%=tests/fuzz/fuzz_%.c),$(fuzz_src)))
$(fuzzers): $B/libfuzzer/%: $B/obj/tests/fuzz/%.o $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(lib) $(LDLIBS)
fuzz: ## readers against made-up inputs: TARGET= names [all], SECONDS= for each [20]
	@+$(MAKE) --no-print-directory CC=clang OPT='-O1 -g' B=$B/fuzz \
		SAN='-fsanitize=fuzzer-no-link $(sanitizers)' fuzz-run
fuzz-run: $(fuzzers)
	@mkdir -p $B/found; bash tests/fuzz/seeds.sh $B/seeds $(firstword $(wildcard \
		$(SHARED:=/golden/formats) reference/golden/formats)); for fuzzer in $(notdir $(fuzzers)); do \
		corpus=$B/corpus/$$fuzzer; mkdir -p $$corpus; seeds=; \
		for d in tests/fuzz $B/seeds; do \
			if [ -d $$d/$${fuzzer#fuzz_} ]; then seeds+=" $$d/$${fuzzer#fuzz_}"; fi; done; \
		echo "  FUZZ     $$fuzzer"; \
		$B/libfuzzer/$$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096 \
			-print_final_stats=1 -artifact_prefix=$B/found/$$fuzzer- $$corpus $$seeds \
			2>$B/found/$$fuzzer.log || { tail -n 40 $B/found/$$fuzzer.log; exit 4; }; \
		grep -E 'number_of_executed_units' $B/found/$$fuzzer.log; done

format: ## rewrite the C sources in the root file's format
	clang-format -i $(wildcard lib/*/*.[ch] lib/*/*/*.[ch] kernels/*.[ch] bin-src/*.c bench/*.[ch] tests/*.[ch] \
		tests/*/*.c tests/*/*/*.[ch])

.PHONY: check layers lint check-gcc check-clang $(clang_checks) check-san test-quick valgrind \
	coverage fuzz fuzz-run format
