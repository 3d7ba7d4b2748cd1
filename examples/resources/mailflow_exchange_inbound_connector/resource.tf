resource "mailflow_exchange_inbound_connector" "from_gateway" {
  name                             = "Inbound from Cisco CES"
  connector_type                   = "Partner"
  sender_domains                   = ["*"]
  sender_ip_addresses              = ["203.0.113.10", "203.0.113.11"]
  restrict_domains_to_ip_addresses = true
  require_tls                      = true
}
