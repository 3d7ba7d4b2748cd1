variable "relay_secret" {
  type      = string
  sensitive = true
}

resource "mailflow_exchange_transport_rule" "outbound" {
  name = "Outbound to Cisco CES"
  conditions {
    from_scope    = "InOrganization"
    sent_to_scope = "NotInOrganization"
  }
  actions {
    route_message_outbound_connector = "Outbound to Cisco CES"
    set_header_name                  = "X-OUTBOUND-AUTH"
    set_header_value_wo              = var.relay_secret # never stored in the state
    set_header_value_wo_version      = 1                # raise it to send a new secret
  }
}
