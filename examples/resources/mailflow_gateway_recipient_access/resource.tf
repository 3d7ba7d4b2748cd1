resource "mailflow_gateway_recipient_access" "domain" {
  listener  = "IncomingMail"
  recipient = "example.com"
  action    = "accept"
}
