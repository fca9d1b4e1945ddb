/* torrc_man.c: prints relayd.torrc(5). Run by hand after a change in torrc.def. */
#include "relayd/ops/torrc_man.h"

int
main(void)
{
	torrc_man_write(stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
