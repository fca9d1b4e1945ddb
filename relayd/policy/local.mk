# relayd/policy
