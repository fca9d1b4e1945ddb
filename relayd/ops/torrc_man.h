/* torrc_man.h: relayd.torrc(5), made from torrc.def. */
#ifndef RELAYD_OPS_TORRC_MAN_H
#define RELAYD_OPS_TORRC_MAN_H

#include <stdio.h>

void torrc_man_write(FILE *f);

#endif
