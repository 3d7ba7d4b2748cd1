locals {
  # Your decision, once `settled_at` is null. While the records lead elsewhere, a plan refuses `true`.
  mx_moved = true
}

data "mailflow_mx_cutover" "contoso" {
  domain        = "contoso.com"
  gateway_hosts = ["mx1.contoso.iphmx.com", "mx2.contoso.iphmx.com"]
}

# While the records lead elsewhere, a plan refuses to restrict this connector.
resource "mailflow_exchange_inbound_connector" "from_gateway" {
  name                             = "Inbound from Cisco CES"
  connector_type                   = "Partner"
  sender_domains                   = ["*"]
  sender_ip_addresses              = ["203.0.113.10", "203.0.113.11"]
  restrict_domains_to_ip_addresses = local.mx_moved
  require_tls                      = true
}

output "cut_over" {
  value = {
    state      = data.mailflow_mx_cutover.contoso.state
    settled_at = data.mailflow_mx_cutover.contoso.settled_at
    blockers   = data.mailflow_mx_cutover.contoso.blockers
  }
}
