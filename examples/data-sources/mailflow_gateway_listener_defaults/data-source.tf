data "mailflow_gateway_listener_defaults" "incoming" {
  listener = "IncomingMail"
}

check "tls_is_offered" {
  assert {
    condition     = data.mailflow_gateway_listener_defaults.incoming.tls != "none"
    error_message = "The listener IncomingMail offers no TLS by default."
  }
}
