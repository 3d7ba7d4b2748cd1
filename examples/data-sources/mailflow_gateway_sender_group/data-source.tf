data "mailflow_gateway_sender_group" "relaylist" {
  listener = "OutgoingMail"
  name     = "RELAYLIST"
}
