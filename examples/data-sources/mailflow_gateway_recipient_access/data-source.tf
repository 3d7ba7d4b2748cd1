data "mailflow_gateway_recipient_access" "all" {
  listener  = "IncomingMail"
  recipient = "ALL"
}
