data "mailflow_exchange_domain" "this" {
  domain = "example.com"
}

# The host differs by domain and era: read it, never compose it.
resource "mailflow_gateway_smtp_route" "m365" {
  domain = "example.com"
  destination {
    host = data.mailflow_exchange_domain.this.mx_records[0].host
  }
}
