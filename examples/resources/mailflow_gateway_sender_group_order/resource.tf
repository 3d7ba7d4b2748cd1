resource "mailflow_gateway_sender_group" "partners" {
  listener = "IncomingMail"
  name     = "PARTNERS"
  policy   = "TRUSTED"
  senders  = ["192.0.2.0/24"]
}

resource "mailflow_gateway_sender_group" "refused" {
  listener = "IncomingMail"
  name     = "REFUSED"
  policy   = "BLOCKED"
  senders  = [".spam.example"]
}

# Groups that are not named here may stand anywhere.
resource "mailflow_gateway_sender_group_order" "incoming" {
  listener = "IncomingMail"
  names = [
    mailflow_gateway_sender_group.partners.name,
    mailflow_gateway_sender_group.refused.name,
  ]
}
