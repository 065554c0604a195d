#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
#
# What handshake.sh tests, in version 1 with AES-256-GCM: the rate of initiations,
# cookies under load and those that are given, crossing initiations.

export FORM=1,1 CIPHER=aes-256-gcm
# shellcheck source=handshake.sh
. "$(dirname "$0")/handshake.sh"
