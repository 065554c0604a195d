# SPDX-License-Identifier: GPL-2.0
#
# The module's sources, and what compiles them for the kernel of the node that this
# runs on: for nodes that get no packages.  From the top of the sources:
#
#	docker build -t vpn-loader:0.1.0 -f deploy/docker/loader.Dockerfile .
ARG DEBIAN=13
FROM debian:${DEBIAN}-slim
RUN apt-get -q update && \
    apt-get -q -y install --no-install-recommends gcc kmod libc6-dev libelf1 make && \
    rm -rf /var/lib/apt/lists/*
COPY Kbuild Makefile VERSION dkms.conf /usr/local/src/vpn/
COPY uapi /usr/local/src/vpn/uapi
COPY module /usr/local/src/vpn/module
COPY deploy/docker/load-module /usr/local/sbin/
ENTRYPOINT ["load-module"]
