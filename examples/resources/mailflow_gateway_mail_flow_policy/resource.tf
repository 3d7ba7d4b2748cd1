resource "mailflow_gateway_mail_flow_policy" "relayed" {
  listener = "OutgoingMail"
  name     = "RELAYED_O365"
  behavior = "relay"
  tls      = "preferred"
}
