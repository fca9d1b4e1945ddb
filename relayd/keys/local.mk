# relayd/keys
