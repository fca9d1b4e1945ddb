# relayd/crypt
