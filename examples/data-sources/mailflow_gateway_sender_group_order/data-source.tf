data "mailflow_gateway_sender_group_order" "incoming" {
  listener = "IncomingMail" # all groups but ALL, from the first that is tried to the last
}
