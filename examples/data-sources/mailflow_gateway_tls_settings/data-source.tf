data "mailflow_gateway_tls_settings" "this" {}

check "no_old_protocols" {
  assert {
    condition     = !contains(data.mailflow_gateway_tls_settings.this.inbound_methods, "TLSv1.0")
    error_message = "The gateway still takes mail over TLS 1.0."
  }
}
