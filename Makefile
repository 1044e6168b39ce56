# SPDX-License-Identifier: GPL-2.0-only
#
# The one Makefile: `make help` lists the targets. Sources are found by name, dependencies are
# written by the compilers, everything made lies below $(O) (build/) in a mirror of the tree.
# It does not install packages except through .ci/packages, and never commits or downloads.
#
# variables   V=1          show the commands
#             SAN=LIST     sanitizers, as in SAN=address,undefined; builds in build/san-LIST
#             WERROR=1     warnings are errors (also set by a non-empty CI)
#             O=DIR        where to build
#             WRAP=CMD     for check-*: run unit and BPF test programs under CMD
#             T=FILES      for check: only these test files
#             FUZZ_SECONDS=60  for fuzz
#             QUICK=1      for bench: less than two minutes, without the long measurements
#             KERNEL=6.1   for vm-shell, and for check-vm: only this kernel
#             RESUME=1     for check-vm: go on where the last one was cut short or failed
#             QUICK=1      for check-vm: the short form of every file
#             PREFIX, DESTDIR, CFLAGS, LDFLAGS as usual

MAKEFLAGS += -rR
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

VERSION := 0.1.0

comma := ,
SAN ?=
O ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?= $(if $(CI),1)
WRAP ?=
T ?=
FUZZ_SECONDS ?= 60
QUICK ?=
KERNEL ?=
RESUME ?=
ifneq ($(V),1)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

# --------------------------------------------------------------------------- tools and flags

default_to = $(if $(filter default undefined,$(origin $(1))),$(2),$($(1)))
CC := $(call default_to,CC,gcc)
AR := $(call default_to,AR,ar)
CLANG ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),/usr/sbin/bpftool)
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
PKG_CONFIG ?= pkg-config

AGENT_PKGS := libsystemd jansson libmicrohttpd libbpf fuse3
CLI_PKGS := jansson smartcols
PKGS := $(sort $(AGENT_PKGS) $(CLI_PKGS))
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
AGENT_LIBS := $(shell $(PKG_CONFIG) --libs $(AGENT_PKGS) 2>/dev/null)
CLI_LIBS := $(shell $(PKG_CONFIG) --libs $(CLI_PKGS) 2>/dev/null)
# Of the programs in tests/support; one that needs more has it in NAME_LIBS.
SUPPORT_LIBS := -pthread -luring -lm

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wredundant-decls \
	-Wimplicit-fallthrough -Wno-unused-parameter -Wno-missing-field-initializers \
	$(if $(filter-out 0,$(WERROR)),-Werror)

CFLAGS ?= -O2 -g
LDFLAGS ?=
FORTIFY := $(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# As shared libraries of gcc's the one of the two is deaf to log_path, where tests/run finds reports.
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer \
	$(if $(findstring clang,$(CC)),,-static-libasan -static-libubsan))
HARDEN := $(if $(SAN),,$(FORTIFY)) -fstack-protector-strong -fPIE

GRP_CPPFLAGS := -D_GNU_SOURCE -DGRP_VERSION='"$(VERSION)"' -Iinclude -Iagent -I$(O)/include \
	$(PKG_CFLAGS)
GRP_CFLAGS = -std=gnu11 $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANITIZE)
GRP_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -std=gnu11 -D__TARGET_ARCH_$(BPF_ARCH) -Wall -Wextra \
	-Wshadow -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers \
	-Werror=return-type -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
	-Werror=int-conversion -Werror=uninitialized $(if $(filter-out 0,$(WERROR)),-Werror)
BPF_CPPFLAGS = -I$(patsubst %/,%,$(dir $(VMLINUX_H))) $(BPF_INCLUDES)
BPF_INCLUDES := -Iinclude -Ibpf $(if $(MULTIARCH),-idirafter /usr/include/$(MULTIARCH))

# --------------------------------------------------------------------------- what there is

# One skeleton per class of programs that loads or fails as a whole; NAME_SRC are files in bpf/.
# It becomes $(O)/include/NAME.skel.h, whose warnings are bpftool's business. As it shows global
# data of the BPF sources to C, its types are like __u32, not u32.
SKELETONS := fastpath direct settle pressure outside asked_exit asked_syscall drop
fastpath_SRC := track.bpf.c scan.bpf.c place.bpf.c control.bpf.c
direct_SRC := direct.bpf.c
settle_SRC := settle.bpf.c
pressure_SRC := pressure.bpf.c
outside_SRC := outside.bpf.c
asked_exit_SRC := asked_exit.bpf.c
asked_syscall_SRC := asked_syscall.bpf.c
drop_SRC := drop.bpf.c

# Objects of the agent that grpctl is linked with, besides agent/base.
CLI_SHARED := agent/front/wire.c

# storm: its processes share memory and have stacks of their own, no sanitizer can follow.
# burn: has to spend its time where it says.
# confined: a sanitizer makes system calls that its filters forbid.
UNSANITIZED := tests/support/storm tests/support/burn tests/support/confined

# Replaced in the test agent by tests/support/fault.c.
FAULT_SEAM := agent/base/fault_none.c
# Replaced in every test program by the subsystems of tests/subsys.
SUBSYS_SEAM := agent/subsys/registry.c

# A class of which nothing exists yet is left out; one of which something is missing is an error.
SKELETONS := $(foreach s,$(SKELETONS),$(if $(wildcard $($(s)_SRC:%=bpf/%)),$(s)))

AGENT_SRC := $(sort $(shell find agent -name '*.c' 2>/dev/null))
CLI_SRC := $(sort $(wildcard cli/*.c) $(wildcard agent/base/*.c $(CLI_SHARED)))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_HELP_SRC := $(sort $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c)))
BPF_TEST_SRC := $(sort $(wildcard tests/bpf/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELP_SRC := $(sort $(filter-out $(FUZZ_SRC),$(wildcard tests/fuzz/*.c)))
FAULT_SRC := $(wildcard tests/support/fault.c)
TEST_SUBSYS_SRC := $(sort $(wildcard tests/subsys/*.c))
SUPPORT_SRC := $(sort $(filter-out $(FAULT_SRC),$(wildcard tests/support/*.c)))
PROPERTY_SRC := $(sort $(wildcard tests/property/*.c))
# ops.c is a program of its own, for counting instructions.
BENCH_OPS_SRC := $(wildcard tests/bench/ops.c)
BENCH_SRC := $(sort $(filter-out $(BENCH_OPS_SRC),$(wildcard tests/bench/*.c)))
TEST_C := $(UNIT_SRC) $(UNIT_HELP_SRC) $(BPF_TEST_SRC) $(FUZZ_SRC) $(FUZZ_HELP_SRC) $(FAULT_SRC) \
	$(TEST_SUBSYS_SRC) $(SUPPORT_SRC) $(BENCH_SRC) $(BENCH_OPS_SRC)
BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
TEST_BPF_SRC := $(sort $(wildcard tests/bpf/*.bpf.c))

objects = $(patsubst %.c,$(O)/%.o,$(1))
AGENT_LIB_OBJ := $(call objects,$(filter-out agent/main.c,$(AGENT_SRC)))
TEST_LIB_OBJ := $(filter-out $(call objects,$(SUBSYS_SEAM)),$(AGENT_LIB_OBJ)) \
	$(call objects,$(TEST_SUBSYS_SRC))
AGENT_MAIN_OBJ := $(call objects,$(filter agent/main.c,$(AGENT_SRC)))
CLI_OBJ := $(call objects,$(CLI_SRC))
CLI_LIB_OBJ := $(call objects,$(filter-out cli/main.c agent/%,$(CLI_SRC)))
UNIT_HELP_OBJ := $(call objects,$(UNIT_HELP_SRC))
C_OBJ := $(call objects,$(sort $(AGENT_SRC) $(CLI_SRC) $(TEST_C) $(PROPERTY_SRC)))
BPF_OBJ := $(patsubst %.bpf.c,$(O)/%.bpf.o,$(BPF_SRC) $(TEST_BPF_SRC))

UNIT_BIN := $(patsubst tests/unit/%.c,$(O)/test/unit/%,$(UNIT_SRC))
BPF_TEST_BIN := $(patsubst tests/bpf/%.c,$(O)/test/bpf/%,$(BPF_TEST_SRC))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(O)/test/fuzz/%,$(FUZZ_SRC))
SUPPORT_BIN := $(patsubst tests/support/%.c,$(O)/test/support/%,$(SUPPORT_SRC))
TEST_AGENT := $(if $(FAULT_SRC),$(O)/test/grpagent)
PROPERTY_BIN := $(if $(PROPERTY_SRC),$(O)/test/property)
BENCH_BIN := $(if $(BENCH_SRC),$(O)/test/bench)
BENCH_OPS_BIN := $(if $(BENCH_OPS_SRC),$(O)/test/bench-ops)
TEST_SKELETONS := $(patsubst tests/bpf/%.bpf.c,%,$(TEST_BPF_SRC))
SKEL_HEADERS := $(SKELETONS:%=$(O)/include/%.skel.h)
TEST_SKEL_HEADERS := $(TEST_SKELETONS:%=$(O)/include/%.skel.h)

UNLISTED := $(filter-out $(foreach s,$(SKELETONS),$($(s)_SRC:%=bpf/%)),$(BPF_SRC))
$(if $(UNLISTED),$(warning in no skeleton of the Makefile: $(UNLISTED)))

# The committed minimal vmlinux.h; before there is one, all of the running kernel's types.
VMLINUX_BTF ?= /sys/kernel/btf/vmlinux
VMLINUX_FULL := $(O)/vmlinux-full/vmlinux.h
VMLINUX_H := $(or $(wildcard ./vmlinux.h),$(VMLINUX_FULL))

# --------------------------------------------------------------------------- building

.PHONY: all
all: $(if $(AGENT_MAIN_OBJ),$(O)/grpagent) $(if $(wildcard cli/main.c),$(O)/grpctl) ## build grpagent and grpctl (default)

.PHONY: tests
tests: all $(TEST_AGENT) $(UNIT_BIN) $(BPF_TEST_BIN) $(FUZZ_BIN) $(SUPPORT_BIN) $(PROPERTY_BIN) $(BENCH_BIN) $(BENCH_OPS_BIN) ## build all test programs, run none

.PHONY: bpf
bpf: $(SKEL_HEADERS) $(TEST_SKEL_HEADERS) ## build the BPF objects and skeletons

define link
$(call say,LINK,$@)
@mkdir -p $(@D)
$(Q)$(CC) $(GRP_CFLAGS) $(GRP_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(1)
endef

$(O)/grpagent: $(AGENT_MAIN_OBJ) $(AGENT_LIB_OBJ)
	$(call link,$(AGENT_LIBS))

$(O)/grpctl: $(CLI_OBJ)
	$(call link,$(CLI_LIBS))

$(O)/test/grpagent: $(AGENT_MAIN_OBJ) $(filter-out $(call objects,$(FAULT_SEAM)),$(TEST_LIB_OBJ)) \
		$(call objects,$(FAULT_SRC))
	$(call link,$(AGENT_LIBS))

TEST_ARCHIVES := $(O)/libunit.a $(O)/libgrpctl.a $(O)/libgrpagent.a

$(UNIT_BIN): $(O)/test/unit/%: $(O)/tests/unit/%.o $(TEST_ARCHIVES)
	$(call link,$(AGENT_LIBS) $(CLI_LIBS) -lcmocka -pthread)

$(BPF_TEST_BIN): $(O)/test/bpf/%: $(O)/tests/bpf/%.o $(TEST_ARCHIVES)
	$(call link,$(AGENT_LIBS) $(CLI_LIBS) -lcmocka -pthread)

$(PROPERTY_BIN): $(call objects,$(PROPERTY_SRC)) $(O)/libgrpctl.a $(O)/libgrpagent.a
	$(call link,$(CLI_LIBS) -pthread)
$(call objects,$(PROPERTY_SRC)): private GRP_CPPFLAGS += -Icli

$(BENCH_OPS_BIN): $(call objects,$(BENCH_OPS_SRC)) $(AGENT_LIB_OBJ) $(O)/libunit.a
	$(call link,$(AGENT_LIBS) -lcmocka -pthread)

# The agent as it is, without the subsystems of tests.
$(BENCH_BIN): $(call objects,$(BENCH_SRC)) $(AGENT_LIB_OBJ)
	$(call link,$(AGENT_LIBS) -pthread -lm)

# libFuzzer has a main() of its own.
$(FUZZ_BIN): $(O)/test/fuzz/%: $(O)/tests/fuzz/%.o $(O)/libgrpagent.a \
		$(if $(findstring fuzzer,$(SAN)),,$(call objects,$(FUZZ_HELP_SRC)))
	$(call link,$(AGENT_LIBS))

$(UNSANITIZED:%=$(O)/%.o) $(UNSANITIZED:tests/%=$(O)/test/%): private SANITIZE :=

$(SUPPORT_BIN): $(O)/test/support/%: $(O)/tests/support/%.o
	$(call link,$(SUPPORT_LIBS) $($*_LIBS))

$(O)/libgrpagent.a: $(TEST_LIB_OBJ)
$(O)/libgrpctl.a: $(CLI_LIB_OBJ)
$(O)/libunit.a: $(UNIT_HELP_OBJ)
$(TEST_ARCHIVES): $(O)/.flags-c
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $(filter %.o,$^)

$(C_OBJ): $(O)/%.o: %.c $(O)/.flags-c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GRP_CPPFLAGS) $(GRP_CFLAGS) -MMD -MP -c -o $@ $<

# Taken in by .incbin, which no compiler writes into a .d file.
$(O)/agent/front/introspect.o: include/grp/org.grpagent.varlink

# The first build must have the skeletons; after it the .d files say who needs them.
$(call objects,$(AGENT_SRC) $(UNIT_SRC) $(UNIT_HELP_SRC)): | $(SKEL_HEADERS)
$(call objects,$(BPF_TEST_SRC) $(BENCH_SRC)): | $(SKEL_HEADERS) $(TEST_SKEL_HEADERS)

$(BPF_OBJ): $(O)/%.bpf.o: %.bpf.c $(O)/.flags-bpf | $(VMLINUX_H)
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CPPFLAGS) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

define skeleton
$(O)/bpf/$(1).o: $(2:%.c=$(O)/%.o) Makefile
	$$(call say,BPFLINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(BPFTOOL) gen object $$@ $$(filter %.o,$$^)
$(O)/include/$(1).skel.h: $(O)/bpf/$(1).o
	$$(call say,SKEL,$$@)
	@mkdir -p $$(@D)
	$$(Q){ printf '/* NOLINTBEGIN */\n#pragma GCC system_header\n'; \
		$$(BPFTOOL) gen skeleton $$< name $(1); echo '/* NOLINTEND */'; } >$$@.tmp
	$$(Q)mv $$@.tmp $$@
endef
$(foreach s,$(SKELETONS),$(eval $(call skeleton,$(s),$($(s)_SRC:%=bpf/%))))
$(foreach s,$(TEST_SKELETONS),$(eval $(call skeleton,$(s),tests/bpf/$(s).bpf.c)))

# Other flags than last time: everything that used them is built again.
define flags_stamp
@mkdir -p $(@D)
@cmp -s $@ - <<<$(call quote,$(1)) || cat >$@ <<<$(call quote,$(1))
endef
quote = '$(subst ','\'',$(1))'

.PHONY: force
$(O)/.flags-c: force
	@$(PKG_CONFIG) --exists --print-errors $(PKGS) || { echo 'run: make deps (as root)' >&2; exit 1; }
	$(call flags_stamp,$(CC) $(GRP_CPPFLAGS) $(GRP_CFLAGS) $(GRP_LDFLAGS))
$(O)/.flags-bpf: force
	$(call flags_stamp,$(CLANG) $(BPF_CPPFLAGS) $(BPF_CFLAGS))

-include $(C_OBJ:.o=.d) $(BPF_OBJ:.o=.d)

# --------------------------------------------------------------------------- vmlinux.h

$(VMLINUX_FULL):
	$(call say,BTF,$@)
	@mkdir -p $(@D)
	@[[ -r $(VMLINUX_BTF) ]] || { echo '$(VMLINUX_BTF): no BTF of this kernel' >&2; exit 1; }
	$(Q)$(BPFTOOL) btf dump file $(VMLINUX_BTF) format c >$@.tmp
	$(Q)mv $@.tmp $@

FULL_OBJ := $(patsubst %.c,$(O)/vmlinux-full/%.o,$(BPF_SRC) $(TEST_BPF_SRC))
MIN_OBJ := $(patsubst %.c,$(O)/vmlinux-min/%.o,$(BPF_SRC) $(TEST_BPF_SRC))

$(FULL_OBJ): $(O)/vmlinux-full/%.bpf.o: %.bpf.c $(VMLINUX_FULL) force
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -I$(O)/vmlinux-full $(BPF_INCLUDES) $(BPF_CFLAGS) -c -o $@ $<
	$(Q)$(CLANG) -I$(O)/vmlinux-full $(BPF_INCLUDES) $(BPF_CFLAGS) -E $< | \
		awk '/^# [0-9]+ "/ { skip = $$3 ~ /vmlinux\.h"$$/; next } !skip' >$@.tokens

$(O)/vmlinux-min/vmlinux.h: $(FULL_OBJ) tests/lint/vmlinux-min
	$(call say,VMLINUX,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen min_core_btf $(VMLINUX_BTF) $(@D)/core.btf $(FULL_OBJ)
	$(Q)$(BPFTOOL) btf dump file $(@D)/core.btf format c >$(@D)/core.h
	$(Q)cat $(FULL_OBJ:=.tokens) >$(@D)/tokens
	$(Q)tests/lint/vmlinux-min $(VMLINUX_FULL) $(@D)/core.h $(@D)/tokens >$@

$(MIN_OBJ): $(O)/vmlinux-min/%.bpf.o: %.bpf.c $(O)/vmlinux-min/vmlinux.h
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -I$(O)/vmlinux-min $(BPF_INCLUDES) $(BPF_CFLAGS) -c -o $@ $<

# Taken over only if the objects compile with it and relocate the very same types and fields.
.PHONY: vmlinux
vmlinux: $(MIN_OBJ) ## write vmlinux.h anew from the running kernel, only the types that bpf/ uses
	$(Q)$(BPFTOOL) gen min_core_btf $(VMLINUX_BTF) $(O)/vmlinux-min/again.btf $(MIN_OBJ)
	$(Q)cmp <($(BPFTOOL) btf dump file $(O)/vmlinux-min/core.btf format raw | sort) \
		<($(BPFTOOL) btf dump file $(O)/vmlinux-min/again.btf format raw | sort)
	$(Q)cp $(O)/vmlinux-min/vmlinux.h vmlinux.h
	@echo "vmlinux.h: $$(wc -l <vmlinux.h) lines"

# --------------------------------------------------------------------------- testing

# Packages first, then a make of its own: this one has looked for libraries before they were there.
SUBMAKE = $(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
# At the end of a line's shell, however it ends.
GIVE_BACK = trap '.ci/give-back $(abspath $(O))' EXIT;
RUN_TESTS = $(GIVE_BACK) BUILD=$(abspath $(O)) SAN_BUILD=$(abspath $(SAN_O)) WRAP='$(WRAP)' tests/run
# The second build, for level san; a build that has sanitizers itself needs none.
SAN_O := $(O)/san-address-undefined
san-tests = $(SUBMAKE) --no-print-directory SAN=address,undefined O=$(SAN_O) tests

.PHONY: check
check: ## install what is missing, build, run every test (T=FILES: only these)
	@.ci/packages --all
	@+$(GIVE_BACK) $(SUBMAKE) --no-print-directory tests
	@+$(if $(SAN)$(filter-out tests/san/%,$(T)),,$(GIVE_BACK) $(san-tests))
	@$(RUN_TESTS) $(or $(T),$(if $(SAN),unit bpf e2e bench vm))

CHECKS := check-unit check-bpf check-e2e check-bench check-san check-vm
.PHONY: $(CHECKS) san-tests
check-unit: ## tests that need nothing: unit tests, lint rules
check-bpf: ## BPF programs with chosen input; needs root
check-e2e: ## a private agent on this kernel; needs root
check-bench: ## the benchmark suite works, counts are as they were; needs root
check-san: ## unit, bpf and the shorter e2e tests with sanitizers; needs root
check-vm: ## all e2e tests on other kernels, in guests (KERNEL=6.1 or 6.12: only there; RESUME=1; QUICK=1)
$(CHECKS): check-%: tests
	@$(RUN_TESTS) $*
check-san: san-tests
check-vm: export VM_ALL := 1
check-vm: export VM_KERNELS := $(KERNEL)
check-vm: export VM_RESUME := $(RESUME)
check-vm: export VM_QUICK := $(QUICK)
san-tests:
	@+$(GIVE_BACK) $(san-tests)

.PHONY: soak
soak: tests san-tests ## the e2e tests with long runs, then all of them with sanitizers
	@export SOAK=1; $(RUN_TESTS) e2e san

# What is found for coverage stays in build/, what is found to be wrong belongs into tests/fuzz/corpus.
FUZZ_O := $(O)/fuzz
fuzz-targets = $(SUBMAKE) --no-print-directory CC=$(CLANG) SAN=address,undefined,fuzzer O=$(FUZZ_O) \
	$(FUZZ_BIN:$(O)/%=$(FUZZ_O)/%)
fuzz_corpora = $(FUZZ_O)/corpus/$(1) $(wildcard tests/fuzz/corpus/$(1))

.PHONY: fuzz
fuzz: ## libFuzzer looks for input that breaks what reads it, FUZZ_SECONDS for each target
	@+$(GIVE_BACK) $(fuzz-targets)
	@$(GIVE_BACK) $(foreach t,$(notdir $(FUZZ_BIN)),mkdir -p $(FUZZ_O)/corpus/$(t); \
		$(FUZZ_O)/test/fuzz/$(t) -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 \
			-print_final_stats=1 -verbosity=0 -artifact_prefix=$(FUZZ_O)/$(t)- $(call fuzz_corpora,$(t));)

# Measures the machine too: nothing else should run on it. The figures of a quick run are rougher.
.PHONY: bench
bench: ## measure what everything costs; needs root (QUICK=1: in less than two minutes)
	@.ci/packages --all
	@+$(GIVE_BACK) $(SUBMAKE) --no-print-directory $(O)/grpagent $(BENCH_BIN)
	@$(GIVE_BACK) BUILD=$(abspath $(O)) $(BENCH_BIN) $(if $(QUICK),--quick) --json $(O)/bench.json | \
		tee $(O)/bench.md

.PHONY: bench-report
bench-report: bench ## the same, and docs/performance.md with charts, and profiles of what is missed
	@BUILD=$(abspath $(O)) tests/bench/profile $(O)/bench.json >$(O)/profile.md
	@tests/bench/report $(O)/bench.json $(O)/bench.md $(O)/profile.md docs/performance.md

.PHONY: vm-shell
vm-shell: tests ## a prompt in a guest with this build (KERNEL=6.1 or 6.12)
	@$(GIVE_BACK) BUILD=$(abspath $(O)) tests/vm/shell --kernel $(or $(KERNEL),6.1)

.PHONY: demo
demo: ## install what is missing, build, show everything once, clean up
	@.ci/packages
	@+$(GIVE_BACK) $(SUBMAKE) --no-print-directory all
	@$(GIVE_BACK) BUILD=$(abspath $(O)) examples/demo.sh

.PHONY: deps
deps: ## install missing Debian packages for build, run and test
	@.ci/packages --all

# --------------------------------------------------------------------------- lint

FORMATTED = $(shell find agent bpf cli include tests examples -name '*.[ch]' 2>/dev/null)
LINT_C = $(AGENT_SRC) $(sort $(wildcard cli/*.c)) $(TEST_C)
SHELL_FILES = $(shell tests/lint/rules --list-shell)

LINTS := lint-format lint-tidy lint-cppcheck lint-shell lint-rules lint-arm64
.PHONY: lint $(LINTS)
lint: $(LINTS) ## clang-format, clang-tidy, cppcheck, shellcheck, our own rules, what arm64 has of its own

lint-format:
	$(call say,LINT,clang-format)
	$(Q)printf '%s\n' $(FORMATTED) | sed '/^$$/d' | xargs -r $(CLANG_FORMAT) --dry-run -Werror

lint-tidy: $(SKEL_HEADERS) $(TEST_SKEL_HEADERS)
	$(call say,LINT,clang-tidy)
	$(Q)printf '%s\n' $(LINT_C) | sed '/^$$/d' | \
		xargs -r -n 1 -P "$$(nproc)" tests/lint/tidy $(CLANG_TIDY) -std=gnu11 $(GRP_CPPFLAGS)

lint-cppcheck:
	$(call say,LINT,cppcheck)
	@mkdir -p $(O)
	$(Q)printf '%s\n' $(LINT_C) | sed '/^$$/d' >$(O)/lint-files
	$(Q)[[ ! -s $(O)/lint-files ]] || cppcheck --quiet --error-exitcode=1 --std=c11 -j "$$(nproc)" \
		--enable=warning,performance,portability --inline-suppr --suppressions-list=tests/lint/cppcheck \
		--include=tests/lint/cppcheck.h \
		-D__x86_64__ -D_GNU_SOURCE -DGRP_VERSION='"$(VERSION)"' -Iinclude -Iagent \
		--file-list=$(O)/lint-files

lint-shell:
	$(call say,LINT,shellcheck)
	$(Q)printf '%s\n' $(SHELL_FILES) | sed '/^$$/d' | xargs -r shellcheck -x

lint-rules:
	$(call say,LINT,rules)
	$(Q)tests/lint/rules

# What knows registers is of one architecture; the rest is compiled with it.
lint-arm64:
	$(call say,LINT,arm64)
	$(Q)$(CLANG) --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include -D_GNU_SOURCE \
		-Iinclude -Iagent -std=gnu11 -O2 $(WARNINGS) -Werror -fsyntax-only $(wildcard agent/place/*.c)

.PHONY: format
format: ## lay out every C file by .clang-format
	$(Q)printf '%s\n' $(FORMATTED) | sed '/^$$/d' | xargs -r $(CLANG_FORMAT) -i

# --------------------------------------------------------------------------- installing

sbindir := $(PREFIX)/sbin
bindir := $(PREFIX)/bin
mandir := $(PREFIX)/share/man
# SOURCE:TARGET:MODE; what does not exist is left out, built programs excepted.
installable = $(foreach f,$(wildcard $(1)),$(f):$(2)/$(notdir $(f)):644)
INSTALLED := \
	$(O)/grpagent:$(sbindir)/grpagent:755 \
	$(O)/grpctl:$(bindir)/grpctl:755 \
	cli/mount.fuse.grpfs:$(sbindir)/mount.fuse.grpfs:755 \
	$(foreach n,1 5 7 8,$(call installable,agent/*.$(n) cli/*.$(n) docs/*.$(n),$(mandir)/man$(n))) \
	$(call installable,include/grp/org.grpagent.varlink examples/grpagent.conf,$(PREFIX)/share/grpagent) \
	examples/release_agent:$(PREFIX)/share/grpagent/release_agent:755 \
	$(call installable,agent/*.service,$(PREFIX)/lib/systemd/system) \
	$(if $(wildcard cli/grpctl.bash),cli/grpctl.bash:$(PREFIX)/share/bash-completion/completions/grpctl:644)
# What man pages and units call the prefix; install puts the real one there.
PREFIX_IN_TEXTS := /usr/local
field = $(word $(2),$(subst :, ,$(1)))

.PHONY: install
install: all ## install to $(DESTDIR)$(PREFIX)
	@.ci/give-back $(abspath $(O))
	$(Q)$(foreach i,$(INSTALLED),install -D -m $(call field,$(i),3) $(call field,$(i),1) $(DESTDIR)$(call field,$(i),2);)
	$(Q)sed -i 's|$(PREFIX_IN_TEXTS)/|$(PREFIX)/|g' $(foreach i,$(filter-out $(O)/%,$(INSTALLED)),$(DESTDIR)$(call field,$(i),2))

.PHONY: uninstall
uninstall: ## remove what install put there
	$(Q)rm -f $(foreach i,$(INSTALLED),$(DESTDIR)$(call field,$(i),2))
	$(Q)rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/share/grpagent 2>/dev/null || true

# --------------------------------------------------------------------------- the rest

.PHONY: clean
clean: ## remove what was built; the guest kernels in build/vm stay
	$(Q)[[ ! -d $(O) ]] || find $(O) -mindepth 1 -maxdepth 1 ! -name vm -exec rm -rf {} +

.PHONY: distclean
distclean: ## remove build/ as a whole
	$(Q)rm -rf build

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile
	@sed -n '/^# variables /,/^$$/s/^# \?//p' Makefile
