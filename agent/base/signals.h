/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program inherits of signals from whoever started it.
 */
#ifndef GRP_BASE_SIGNALS_H
#define GRP_BASE_SIGNALS_H

/**
 * grp_signals_reset() - none is ignored any more, and none blocked.
 *
 * Those that the C library keeps for itself are among them: posix_spawn(), and so make(1),
 * leaves them ignored, and what is ignored stays so over an exec. Handlers stay as they
 * are; an exec takes them away.
 * Context: any; async-signal-safe.
 */
void grp_signals_reset(void);

#endif
