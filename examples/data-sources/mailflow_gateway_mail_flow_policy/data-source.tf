data "mailflow_gateway_mail_flow_policy" "relayed" {
  listener = "OutgoingMail"
  name     = "RELAYED"
}
