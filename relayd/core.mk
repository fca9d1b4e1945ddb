# relayd/core.mk: cell, link, circuit, exit, dns, guard, main.
