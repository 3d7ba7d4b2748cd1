resource "mailflow_gateway_sender_group" "relay_o365" {
  listener   = "OutgoingMail"
  name       = "RELAY_O365"
  policy     = "RELAYED_O365"
  comment    = "Microsoft 365 outbound"
  senders    = [".protection.outlook.com"] # the leading dot matters: every host below the domain
  guarded_by = "office365_outbound"        # the message filter that drops what carries no secret
}
