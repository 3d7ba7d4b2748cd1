resource "mailflow_exchange_outbound_connector" "to_gateway" {
  name                     = "Outbound to Cisco CES"
  connector_type           = "Partner"
  is_transport_rule_scoped = true
  use_mx_record            = false
  smart_hosts              = ["203.0.113.20"]
  tls_settings             = "EncryptionOnly"
  validation_recipients    = ["postmaster@example.net"]
}
