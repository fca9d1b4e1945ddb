# relayd/dir
