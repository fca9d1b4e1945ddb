# relayd/ops
