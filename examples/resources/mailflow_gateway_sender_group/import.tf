import {
  to = mailflow_gateway_sender_group.relay_o365
  id = "OutgoingMail/RELAY_O365"
}
