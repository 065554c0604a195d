/* SPDX-License-Identifier: GPL-2.0 */
/* Figures in the text format of Prometheus. */
#ifndef VPND_METRICS_H
#define VPND_METRICS_H

#include "daemon.h"

/* To be freed; NULL when memory is out. */
char *metrics_text(struct daemon *d);

#endif
