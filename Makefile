# SPDX-License-Identifier: GPL-2.0
#
# What a person types.  How the module is compiled is in Kbuild; how it is
# tested is in selftests/.  'make help' lists the targets.

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr/local
MACHINE	:= selftests/machine
comma	:= ,

# Options of the targets below: KERNEL=7.3 TEST=a,b HOST=1 VPN_TEST=1.
export KERNEL TEST

all: module tools

module:
	@test -d "$(KDIR)" || { \
		echo "There are no headers of the running kernel in $(KDIR)." >&2; \
		echo "On Debian: apt install linux-headers-$$(uname -r)" >&2; \
		echo "To build for a kernel that Debian ships, and test there: make check" >&2; \
		exit 1; }
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" modules

tools:
	$(MAKE) -C tools

install: install-module install-tools

# depmod is for the machine that will run it, so a staged installation has none.
# Distributions set their kernels to sign modules, with keys that they keep, and to
# compress them, with programs that need not be there.
install-module: module
	$(MAKE) -C "$(KDIR)" M="$(CURDIR)" INSTALL_MOD_PATH="$(DESTDIR)" \
		INSTALL_MOD_DIR=updates DEPMOD=true CONFIG_MODULE_COMPRESS_ALL= \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) \
		modules_install
	$(if $(DESTDIR),,depmod "$$(modinfo -F vermagic vpn.ko | cut -d ' ' -f 1)")

install-tools: tools
	$(MAKE) -C tools install DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)"

clean:
	@test ! -d "$(KDIR)" || $(MAKE) -C "$(KDIR)" M="$(CURDIR)" clean
	$(MAKE) -C tools clean

check:
	@selftests/check

lint:
	@selftests/lint.sh

torture:
	@$(MACHINE)/run "$(or $(KERNEL),debug)" --timeout $$(($(or $(SECONDS),3600) + 900)) -- \
		env SEED="$(or $(SEED),1)" DURATION="$(or $(SECONDS),3600)" \
		SELFTEST_TIMEOUT=$$(($(or $(SECONDS),3600) + 600)) selftests/runner.sh torture

flood:
	@$(MACHINE)/run "$(or $(KERNEL),7.3)" --icount --cpus 2 --timeout 7200 -- \
		selftests/runner.sh ../bench/flooded

soak:
	@selftests/bench/uml --soak --exec env HOURS="$(or $(HOURS),24)" CLIENTS="$(or $(CLIENTS),1000)" \
		SEED="$(or $(SEED),1)" MACHINE_KERNEL=7.3 SELFTEST_TIMEOUT=1000000 selftests/runner.sh ../soak

crash:
	@$(MACHINE)/run "$(or $(KERNEL),7.3)" --timeout $$(($(or $(KILLS),500) * 12 + 900)) -- \
		env SEED="$(or $(SEED),1)" KILLS="$(or $(KILLS),500)" \
		SELFTEST_TIMEOUT=$$(($(or $(KILLS),500) * 12 + 600)) selftests/runner.sh vpnd-crash

model:
	@selftests/model/run $(if $(WHOLE),--whole) $(subst $(comma), ,$(MODEL))

fuzz:
	@selftests/fuzz/run $(if $(TARGET),--target $(TARGET)) --runs $(or $(RUNS),1000000)

shell:
	@$(MACHINE)/run "$(or $(KERNEL),7.3)"

ifeq ($(HOST),1)
demo:
	@$(MACHINE)/host-tools demo
	@$(MAKE) --no-print-directory all
	@selftests/demo.sh host
else
demo:
	@$(MACHINE)/demo "$(or $(KERNEL),7.3)"
endif

deb:
	@selftests/deb

dist:
	@selftests/dist

release-check:
	@selftests/release-check

bench:
	@selftests/bench/run

help:
	@echo "make            build the module and the tools for the running kernel"
	@echo "make install    install them (DESTDIR, PREFIX)"
	@echo "make demo       server, client and a tunnel, in a test machine"
	@echo "                HOST=1: in namespaces of this host, with its kernel"
	@echo "make deb        Debian packages: vpn-dkms, vpnctl, vpn-dev"
	@echo "make dist       archive of the sources of the last commit, the same octets each time"
	@echo "make release-check  what must be true before a release, point by point"
	@echo "make check      run all tests on the kernels 6.1, 6.12 and 7.3 in test machines"
	@echo "                KERNEL=6.1,7.3 and TEST=a,b limit it; KERNEL=debug: with KASAN and more"
	@echo "make bench      count what a packet costs here and in other tunnels of the kernel"
	@echo "                KERNEL=6.1, WHAT=tcp,udp1300 and PEERS=wireguard,vpn limit it;"
	@echo "                PERF=1: also where it goes; NATIVE=1: timed, in a User-mode Linux"
	@echo "make shell      a shell in a test machine (KERNEL=7.3)"
	@echo "make lint       check the sources' style"
	@echo "make model      check the models of sessions, handshakes and leases, and that mistakes"
	@echo "                planted into them are found; MODEL=lease limits it, WHOLE=1 widens it"
	@echo "make fuzz       feed parsers what breaks them; TARGET=token,toml limits it, and RUNS=1000"
	@echo "                says how often"
	@echo "make crash      kill the daemon at 500 moments (SEED= KILLS=), and look what is left of it"
	@echo "make torture    change all that can change at random, under traffic, in the debug kernel:"
	@echo "                SEED=1 SECONDS=3600 KERNEL=debug"
	@echo "make flood      what a peer's packets keep of a processor while strangers send, counted"
	@echo "make soak       a day of a thousand clients, as fast as it can be computed: HOURS=24"
	@echo "                CLIENTS=1000 SEED=1"
	@echo "make clean      remove what was built"

.PHONY: all module tools install install-module install-tools clean check lint \
	shell demo deb bench model fuzz crash torture flood soak help
